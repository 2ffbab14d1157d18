/*
 * A block: up to BLOCK_ROWS events of one kind (one log source and event code), column by column.
 * Readers fill blocks; detection, hunts and the store work on whole blocks.
 *
 * Every column is a dictionary: the distinct values seen in this block, and for each row the
 * number of its value. Number 0 means that the event has no such field. What is asked of a column
 * is asked once a distinct value, not once an event. A column whose values hardly repeat stops
 * looking for repeats, so a value may stand in its dictionary twice: two numbers that differ may
 * mean equal values.
 *
 * Filling, for a reader that knows its layout:
 *
 *     struct block *b = block_set_open(set, &kind);
 *     uint32_t user = block_column(b, SLICE("TargetUserName"));    once a layout: see `epoch`
 *     block_row(b, time, origin, &err);                            may hand the full block on first
 *     block_put(b, user, (struct value){p, n, VALUE_UTF16});
 *
 * Asking:
 *
 *     int32_t c = block_find(b, SLICE("Image"));
 *     for (uint32_t id = 1; id < b->columns[c].values_n; id++)
 *         ... column_text(b, c, id) ...
 *     column_id(&b->columns[c], row)                               0 when absent
 *
 * A block set belongs to one thread. A block handed on (block_sink) is lent until the sink returns.
 */
#ifndef EVENT_BLOCK_H
#define EVENT_BLOCK_H

#include "base/error.h"
#include "base/map.h"
#include "event/value.h"

enum {
    BLOCK_ROWS = 16384,   /* fits the 16-bit numbers of columns, with 0 kept for "absent" */
    BLOCK_COLUMNS = 1024, /* more distinct field names than this make a block full */
    BLOCK_PUTS = 32,
    BLOCK_BYTES = 16 << 20, /* of values, likewise */
};

/* What kind of event: the key of a block. Slices are UTF-8; empty means unknown or does not apply.
 * For Windows events channel, provider and code say what it is, and product is "windows"; readers of
 * other logs name Sigma's product, category and service themselves (zeek: service "dns"). */
struct event_kind {
    struct slice product, category, service;
    struct slice channel, provider;
    struct slice code; /* event id or type, as text: "4624" */
};

/* Where an event came from: the input's number (the caller's table) and the record in it. */
struct origin {
    uint32_t input;
    uint64_t record; /* EventRecordID for EVTX, else the line or record number from 1 */
};

struct column {
    alignas(64) uint16_t *ids; /* a row's value number; rows from ids_n on are 0 */
    uint32_t ids_n, ids_cap;
    struct value *values; /* by number; [0] is not used */
    uint32_t values_n, values_cap;
    /* block.c's own; down to list_row, all that filling needs is in one cache line */
    uint64_t last_head; /* first bytes of the newest value, its size, number and type */
    uint32_t last_n;
    uint16_t last;
    uint8_t last_type;
    bool plain;      /* stopped looking for repeats */
    uint32_t *table; /* hash places: number, and 16 bits of the hash above it */
    uint32_t table_cap;
    uint32_t list_row, list_cap; /* 1 + the row whose list may still grow, and its room in bytes */
    uint32_t texts_cap;
    uint32_t *hashes;
    struct slice *texts, *folded; /* by number; p NULL where not made yet */
    struct slice name;            /* everybody's */
};

struct block {
    struct event_kind kind; /* copies, owned by the block */
    uint32_t rows;
    timestamp *times; /* by row; TIMESTAMP_NONE when the event tells none */
    struct origin *origins;
    struct column *columns;
    uint32_t columns_n;
    /* the rest is block.c's own */
    uint32_t columns_cap, rows_cap;
    size_t held; /* bytes of its arrays */
    struct map names;
    struct arena kind_bytes, names_bytes;
    struct arena values; /* values, texts; reset with each round */
    struct block_set *set;
    bool crowded; /* no room for another column name */
};

/* Takes a full block; it is emptied when this returns. A failure stops the work. */
struct block_sink {
    enum status (*full)(void *ctx, struct block *b, struct error *err);
    void *ctx;
};

struct block_set;
struct block_set *block_set_new(struct block_sink sink);
void block_set_free(struct block_set *set);

/* The open block of a kind. The pointer is valid until the epoch changes. */
struct block *block_set_open(struct block_set *set, const struct event_kind *kind);

/* Changes when blocks or column numbers that a reader may remember are gone: compare before using
 * anything remembered. Changes only inside block_set_trim and block_row. */
uint64_t block_set_epoch(const struct block_set *set);

/* Between batches: hands on what is over the set's share of memory (`most_bytes`), and forgets
 * kinds when there are very many. */
enum status block_set_trim(struct block_set *set, size_t most_bytes, struct error *err);

/* Hands on every block that has rows: at the end of the input. */
enum status block_set_flush(struct block_set *set, struct error *err);

#define BLOCK_NO_COLUMN UINT32_MAX

/* The number of a column, made when new. BLOCK_NO_COLUMN when the block has BLOCK_COLUMNS: the
 * value can't be stored in this row (count it); the next row starts with fresh columns. */
uint32_t block_column(struct block *b, struct slice name);

/* Begins the next event. When the block is full it goes to the sink first. */
enum status block_row(struct block *b, timestamp time, struct origin origin, struct error *err);

/* Sets a field of the newest row; copies the value's bytes when they are new. A second value for
 * the same field makes it a list (the reader need not look). `column` may be BLOCK_NO_COLUMN: then
 * nothing happens. Values are at most UINT32_MAX / 4 bytes. */
void block_put(struct block *b, uint32_t column, struct value v);

/* The same for several fields, each with its column, in order; quicker, since their dictionaries are
 * fetched into the cache together. At most BLOCK_PUTS. */
void block_put_all(struct block *b, const uint32_t *columns, const struct value *values, size_t n);

/* ---- restoring: a block put together from columns that were kept, for the store ---- */

/* A block of no set, empty until block_restore. block_row and block_put are not for it. */
struct block *block_alone(void);
void block_free(struct block *b); /* of such a block */

/* Empties the block and gives it a kind and `rows` (at most BLOCK_ROWS) events without time, origin
 * and columns. The caller fills in times and origins. */
void block_restore(struct block *b, const struct event_kind *kind, uint32_t rows);

/* Room for values 1 to `values_n` - 1 of a column (from block_column), which the caller fills in;
 * their bytes may lie in b->values. The column has no rows yet. */
struct column *column_restore_values(struct block *b, uint32_t column, uint32_t values_n);

/* Room for a number for each row, zeroed; each must be below the column's values_n. */
uint16_t *column_restore_ids(struct block *b, uint32_t column);

/* ---- asking ---- */

/* The number of a column that has values, or -1. */
int32_t block_find(const struct block *b, struct slice name);

static inline uint16_t column_id(const struct column *c, uint32_t row)
{
    return row < c->ids_n ? c->ids[row] : 0;
}

/* Canonical text of value `id` (1 and up), made once and kept. Not safe for two threads. */
struct slice column_text(struct block *b, uint32_t column, uint32_t id);

/* The same, folded for comparing without case (base/text.h). For a list, the joined text. */
struct slice column_folded(struct block *b, uint32_t column, uint32_t id);

/* The text of a field in a row; an empty slice with p NULL when absent. */
struct slice block_text(struct block *b, uint32_t row, struct slice name);

#endif
