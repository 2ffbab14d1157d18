/*
 * A block as a segment holds it: what the segment tells about it and its columns, and the way from and to
 * `struct block` (event/block.h). docs/store-format.md, "Blocks".
 *
 * Packing; each thread has a packer of its own:
 *
 *     struct block_packer *p = block_packer_new();
 *     block_pack(p, block, input_base, &packed, &err);        valid until the next call
 *
 * Unpacking goes by parts, so that only what is asked for is read: a column's distinct values tell
 * whether its rows need to be looked at at all (segment.h reads the streams).
 */
#ifndef STORE_STORED_H
#define STORE_STORED_H

#include "event/block.h"
#include "store/filter.h"
#include "store/pack.h"
#include "store/values.h"

enum {
    TEXT_RANGE = 16,    /* bytes of a text that the range of a column keeps */
    VALUES_INLINE = 96, /* packed values up to this length stand in the footer */
};

/* Which value each row has. */
enum stored_rows {
    ROWS_CONSTANT, /* all have value 1 */
    ROWS_BYTES,    /* a code of one byte a row */
    ROWS_WORDS,    /* of two: first all low bytes, then all high ones */
    ROWS_RUNS,     /* a code for each run of rows that have the same */
    ROWS_FOLLOW,   /* another column's value tells this one's: a code for each value of that */
    ROWS_KINDS
};

struct stored_column {
    struct slice name;
    uint32_t values_n;            /* distinct values, from 1; a value may stand there twice */
    uint8_t rows;                 /* enum stored_rows */
    bool absent;                  /* some event does not have the field */
    struct slice values;          /* packed, when they stand in the footer; else p NULL, and: */
    struct stream packed;         /* the values */
    struct stream codes;          /* the rows; empty for ROWS_CONSTANT */
    uint64_t packed_at, codes_at; /* in the file */
    uint32_t leader;              /* of ROWS_FOLLOW: that column, which follows none */
    struct values_range range;
    struct slice text_least, text_most; /* folded, their first TEXT_RANGE bytes */
};

struct stored_block {
    struct event_kind kind;
    uint32_t rows;         /* events */
    uint32_t timeless;     /* events without a time */
    timestamp first, last; /* of the others; TIMESTAMP_NONE when all are timeless */
    uint32_t input_least, input_most;
    uint64_t record_least, record_most;
    uint64_t offset, bytes; /* of its streams in the file */
    struct stream times, origins;
    uint64_t times_at, origins_at;
    uint32_t buckets;              /* of its filter */
    struct stream told;            /* what tells of its columns, which is read by itself: */
    struct stored_column *columns; /* NULL until then */
    uint32_t columns_n;
};

struct packed_block {
    struct stored_block told; /* places count from the block's first byte */
    struct slice bytes;       /* its streams */
    struct slice filter;      /* its filter's buckets */
};

struct block_packer;
struct block_packer *block_packer_new(void);
void block_packer_free(struct block_packer *p);

/* `input_base` is added to the numbers of inputs. STATUS_BAD_INPUT when the values are too large. */
enum status block_pack(struct block_packer *p, struct block *b, uint32_t input_base,
                       struct packed_block *out, struct error *err);

/* From raw streams into a block that block_restore made; false when they are damaged. */
bool times_unpack(struct slice raw, struct block *b);
bool origins_unpack(struct slice raw, struct block *b);
bool rows_unpack(const struct stored_column *told, struct slice raw, struct block *b,
                 uint32_t column);
/* Tells the time of the first row of each value, when[0] for value 1; not of ROWS_FOLLOW, and after
 * times_unpack. */
bool rows_unpack_first(const struct stored_column *told, struct slice raw, struct block *b,
                       timestamp *when);
/* Of ROWS_FOLLOW, with the leader and its raw codes. */
bool rows_unpack_following(const struct stored_column *told, struct slice raw,
                           const struct stored_column *leader, struct slice leader_raw,
                           struct block *b, uint32_t column);

/* Sets the places of the streams, which lie one behind the other from `offset` on, and `bytes`.
 * False when they do not fit into 63 bits. */
bool stored_place(struct stored_block *b, uint64_t offset);

#endif
