/*
 * What the files of the store share: the entries of the journal, and the transaction under way.
 */
#ifndef STORE_STORE_INTERNAL_H
#define STORE_STORE_INTERNAL_H

#include "store/store.h"

#include <pthread.h>

#define JOURNAL_NAME "hikeshi.journal"

struct finished_segment {
    char name[32];
    struct segment_told told;
};

struct store_transaction {
    pthread_mutex_t lock; /* over all of it; sinks pack outside */
    struct segment_writer *writer;
    char writer_name[32];
    uint64_t number; /* of the next segment */
    struct {
        struct finished_segment *at;
        size_t n, cap;
    } finished; /* on the disk as NAME.new */
    struct {
        struct hash *at;
        size_t n, cap;
    } kept; /* originals that came with it */
    bool failed;
};

/* ---- entries (store_entries.c) ---- */

void entry_folder(struct buf *b, const struct seal_key *key, const struct hash *key_sha256,
                  timestamp made);
void entry_file(struct buf *b, const struct store_file *f);
void entry_segment(struct buf *b, const char *name, const struct segment_told *told);
void entry_merge(struct buf *b, const char *const *of, size_t of_n, const char *const *into,
                 size_t into_n);

void entry_retain(struct buf *b, const struct store_retain *r);
void entry_hold(struct buf *b, const struct store_hold *h);
void entry_release(struct buf *b, struct slice name, struct slice reason, struct slice by,
                   timestamp at);

void entry_stamp(struct buf *b, const struct store_stamp *stamp);

/* What an expiry took away of one log source, and by which rule. */
struct expired_source {
    struct slice source;
    uint64_t events;
    timestamp first, last;
    const struct store_retain *rule;
};

struct expiry {
    struct slice by;
    timestamp at;
    const char *const *of, *const *into; /* segments */
    size_t of_n, into_n;
    const struct expired_source *sources;
    size_t sources_n;
    const struct store_file *const *files;
    size_t files_n;
};
void entry_expire(struct buf *b, const struct expiry *e);

/* Understands entry `number` of the journal. */
enum status entry_apply(struct store *s, uint64_t number, struct error *err);

/* Frees what entries put into the store, and the journal. */
void store_forget(struct store *s);

/* ---- the transaction (store_write.c) ---- */

/* Adds a packed block, under the lock. */
enum status transaction_add(struct store *s, const struct packed_block *packed, struct error *err);

/* Adds a block of a segment as it stands, with its filter (store_merge.c). */
enum status transaction_copy(struct store *s, const struct segment *seg, struct segment_reader *r,
                             uint32_t no, struct error *err);

/* Finishes the open segment. */
enum status transaction_finish(struct store *s, struct error *err);

/* Puts the segments in place and appends the entries of segments, then these. */
enum status transaction_commit(struct store *s, const struct slice *entries, size_t n,
                               struct error *err);

/* Takes away the files of segments that are gone: of the first n those that are chosen. Readers that
 * have them open go on reading; others read the journal again (store_merge.c). */
void store_remove_segments(struct store *s, const bool *chosen, size_t n);

/* "DIR/a" or "DIR/a/b" (b NULL: none), cut when it is too long for any file. */
void store_path(const struct store *s, char out[PATH_BYTES], const char *a, const char *b);

#endif
