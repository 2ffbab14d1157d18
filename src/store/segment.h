/*
 * A segment: some millions of events in one file that never changes, in columns, with a footer that
 * tells what is in each block and can be read alone. docs/store-format.md tells every byte.
 *
 * Writing, in one thread or under a lock (packing, which is the work, is done before):
 *
 *     struct segment_writer *w = segment_writer_new(io, path, &err);
 *     segment_writer_add(w, &packed, &err);
 *     segment_writer_finish(w, &told, &err);       on the disk, synced; the caller renames it
 *     segment_writer_free(w);                      without finish: takes the file away
 *
 * Reading; a segment may be shared by threads, each with its own reader and block:
 *
 *     struct segment *s = segment_open(io, path, &err);
 *     segment_filter(s, keys, n, may, &err);                       which blocks may hold them
 *     for (no = 0; no < s->blocks_n; no++)                         s->blocks[no] tells of each
 *         segment_read(s, reader, no, names, names_n, block, &err)
 */
#ifndef STORE_SEGMENT_H
#define STORE_SEGMENT_H

#include "store/io.h"
#include "store/stored.h"

enum {
    SEGMENT_EVENTS = 4 << 20,   /* a writer that holds more is full */
    SEGMENT_BYTES = 256 << 20,  /* likewise */
    SEGMENT_FILTERS = 96 << 20, /* likewise: bytes of filters, which wait in memory */
    DIGEST_BYTES = 32           /* SHA-256 */
};

struct segment_told {
    uint64_t bytes, events, blocks;
    timestamp first, last; /* TIMESTAMP_NONE when no event has a time */
    uint8_t sha256[DIGEST_BYTES];
};

struct segment_writer;
/* Makes the file, which must not be there yet. `io` must outlive the writer. */
struct segment_writer *segment_writer_new(const struct store_io *io, const char *path,
                                          struct error *err);
enum status segment_writer_add(struct segment_writer *w, const struct packed_block *b,
                               struct error *err);
bool segment_writer_full(const struct segment_writer *w);
uint64_t segment_writer_events(const struct segment_writer *w);
/* After this, or after a failure of any of these, only segment_writer_free. */
enum status segment_writer_finish(struct segment_writer *w, struct segment_told *told,
                                  struct error *err);
void segment_writer_free(struct segment_writer *w);

struct filter_group {
    uint32_t buckets, members;
    uint64_t offset;
    uint32_t *blocks; /* its members */
};

struct segment {
    const struct store_io *io;
    int fd;
    const char *path;
    uint64_t bytes;              /* of the file */
    struct stored_block *blocks; /* without columns: see segment_block */
    uint64_t *told_at;           /* where what tells of each block's columns stands */
    uint32_t blocks_n;
    struct slice *names; /* of columns */
    uint64_t names_n;
    struct filter_group *groups;
    uint32_t groups_n;
    struct arena arena;
};

/* Reads the footer. NULL when the file can't be opened (STATUS_SYSTEM; errno is kept) or is damaged.
 * What it tells is within the file's bounds, whatever the file says. */
struct segment *segment_open(const struct store_io *io, const char *path, struct error *err);
void segment_close(struct segment *s);

/* may[no] becomes false for each block that can't hold all of the keys (filter.h). Blocks that are
 * false already are not looked at. */
enum status segment_filter(const struct segment *s, const uint64_t *keys, size_t keys_n, bool *may,
                           struct error *err);

/* The filter of one block, as packed_block has it; its checksums are not looked at. `bits` has room
 * for its buckets. */
enum status segment_read_filter(const struct segment *s, uint32_t no, char *bits,
                                struct error *err);

struct segment_reader;
/* `as_text`: UTF-16 values as VALUE_TEXT of the same canonical text (values.h), for searches. */
struct segment_reader *segment_reader_new(bool as_text);
void segment_reader_free(struct segment_reader *r);

/* What the segment tells of a block, with its columns; it stays until the reader's next block. NULL:
 * it can't be read or is damaged. */
const struct stored_block *segment_block(const struct segment *s, struct segment_reader *r,
                                         uint32_t no, struct error *err);

/* One block: times, origins and the columns of these names (NULL: all). The block (block_alone) holds
 * it until it is given to another call. A name that the block lacks is no error. */
enum status segment_read(const struct segment *s, struct segment_reader *r, uint32_t no,
                         const struct slice *names, size_t names_n, struct block *out,
                         struct error *err);

/* The same in steps. Columns are asked for after segment_block; `column` counts in what that gave,
 * `out_column` in out->columns. Until segment_read_rows a column has values but no rows. */
void segment_begin(const struct segment *s, struct segment_reader *r, uint32_t no,
                   struct block *out);
enum status segment_read_times(const struct segment *s, struct segment_reader *r, uint32_t no,
                               struct block *out, struct error *err);
enum status segment_read_origins(const struct segment *s, struct segment_reader *r, uint32_t no,
                                 struct block *out, struct error *err);
enum status segment_read_values(const struct segment *s, struct segment_reader *r, uint32_t column,
                                struct block *out, uint32_t *out_column, struct error *err);
enum status segment_read_rows(const struct segment *s, struct segment_reader *r, uint32_t column,
                              struct block *out, uint32_t out_column, struct error *err);

/* The column of that name, or -1. */
int32_t stored_find(const struct stored_block *b, struct slice name);

/* Checks all of the file that has a checksum: each stream, each row of the filters. */
enum status segment_check(const struct segment *s, struct segment_reader *r, struct error *err);

#endif
