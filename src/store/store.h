/*
 * The data folder: segments of events, kept originals, and the journal that says what is there.
 *
 *     DIR/hikeshi.journal     what happened, sealed (journal.h); its presence makes DIR a data folder
 *     DIR/seal.key, seal.pub  the key that seals, and what others need to check it
 *     DIR/lock                held by the one writer
 *     DIR/segments/N.seg      events (segment.h)
 *     DIR/originals/ab/S.zst  files as they were taken in, by their SHA-256 (original.h)
 *     DIR/aside/              what a crash left half done, for people to look at
 *
 * Any number of processes read, one writes. A reader sees the folder as it was when it opened it.
 *
 *     struct store *s = store_open(io, path, STORE_READ, NULL, &err);
 *     for (size_t i = 0; i < s->segments_n; i++)
 *         if (!s->segments[i].gone) ... store_segment(s, i, &err) ...
 *     store_close(s);
 *
 * Writing: a transaction takes blocks from any number of threads, each with its own sink; all of it
 * is there when store_commit returns, and nothing of it when it was not reached.
 *
 *     store_begin(s, &err);
 *     struct store_sink *k = store_sink_new(s);        one a thread
 *     struct block_sink sink = {store_take, k};
 *     ... store_sink_free(k);
 *     store_commit(s, files, n, &err);                 or store_abandon(s)
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "store/journal.h"
#include "store/segment.h"

enum { PATH_BYTES = 4096 }; /* room for any path in a data folder */

enum store_mode {
    STORE_READ,
    STORE_WRITE,
    STORE_JOURNAL /* as STORE_READ, but no segment is opened: for who asks the journal alone */
};

/* An input (intake.h): a file, or a member of a container. */
struct store_input {
    uint32_t number; /* in origins of events */
    struct slice name, format;
    uint64_t events; /* that were new */
    uint64_t known;  /* that were there already */
    uint64_t problems;
};

/* A file that was taken in. */
struct store_file {
    struct hash sha256;
    struct slice name; /* the path as it was given */
    struct slice by;   /* who took it in: user@host */
    uint64_t bytes;
    timestamp modified, taken;
    bool kept;               /* as an original */
    uint64_t kept_bytes;     /* what that takes on the disk, */
    struct hash kept_sha256; /* and its hash there */
    uint64_t head;           /* of its first bytes (store_look_at); 0: it has none */
    bool continues;          /* it begins with all of another file, that of */
    struct hash continued;   /* this content */
    struct store_input *inputs;
    size_t inputs_n;
    uint64_t entry; /* its number in the journal, from 0 */
    bool expired;   /* all its events are past their time and gone, and its original with them */
    uint32_t same_head; /* 1 + the place in `files` of the one before with this head; 0: none */
};

struct store_segment {
    struct slice name;
    struct segment_told told;
    uint64_t entry;
    bool gone; /* merged into others, or expired */
    struct segment *open;
};

/* How long events of a log source are kept, and why (retention.h). */
struct store_retain {
    struct slice source, reason, by;
    int64_t period; /* ns; INT64_MAX: for ever */
    timestamp at;
    uint64_t entry;
};

/* What may not be deleted, whatever its period, until it is released. */
struct store_hold {
    struct slice name, reason, by;
    timestamp at, from, to;    /* of events: from <= time < to; TIMESTAMP_NONE: no bound */
    struct slice host, source; /* empty: all */
    bool released;
    uint64_t entry;
};

/* A timestamp (RFC 3161) over a checkpoint (stamp.h). */
struct store_stamp {
    uint64_t size;         /* entries under the checkpoint */
    struct slice response; /* of the authority, DER */
    struct slice url, by;
    timestamp at; /* by our clock */
    uint64_t entry;
};

struct store_transaction;

struct store {
    const struct store_io *io;
    struct arena arena;
    const char *path;
    enum store_mode mode;
    struct journal journal;
    struct seal_key *key;   /* in a reader without its private half */
    struct hash key_sha256; /* of the file seal.key */
    timestamp made;
    struct store_segment *segments;
    size_t segments_n, segments_cap;
    struct store_file *files;
    size_t files_n, files_cap;
    uint32_t next_input;
    struct map by_sha256; /* files: 1 + the place in `files` of the first that is not expired */
    struct map by_head;   /* likewise, of the last with a head */
    struct {
        struct store_retain *at;
        size_t n, cap;
    } retains; /* in the order of the journal: of one source the last holds */
    struct {
        struct store_hold *at;
        size_t n, cap;
    } holds;
    struct {
        struct store_stamp *at;
        size_t n, cap;
    } stamps;
    size_t set_aside;     /* things a crash left, moved away when this writer opened the folder */
    int lock, journal_fd; /* of a writer */
    uint64_t entries_before; /* in the journal when it was opened */
    bool broken;             /* what the journal's end is on the disk is not known: open it again */
    struct store_transaction *transaction;
};

/* Which folder: `given` (--data) if not NULL, else $HIKESHI_DATA, else the current folder or the next
 * above that is a data folder. To be freed. NULL: none, with what to do in `err`. */
char *store_find(const char *given, struct error *err);

/* Makes a data folder; DIR may be there already when it is empty or holds no data folder. The
 * passphrase (may be NULL) protects the key. */
enum status store_init(const struct store_io *io, const char *path, const char *passphrase,
                       timestamp now, struct error *err);

/* Opens it. A writer takes the lock (STATUS_BAD_USE when somebody has it), cuts off what a crash left
 * in the journal, and moves aside what no entry names. A reader opens all segments. */
struct store *store_open(const struct store_io *io, const char *path, enum store_mode mode,
                         const char *passphrase, struct error *err);
void store_close(struct store *s); /* abandons a transaction */

/* Opened when it is not yet; it stays open until store_close. Not for two threads at once. */
struct segment *store_segment(struct store *s, size_t number, struct error *err);

/* The file of that content, or NULL. One that expired is not there any more. */
const struct store_file *store_file(const struct store *s, const struct hash *sha256);

/* ---- writing ---- */

enum status store_begin(struct store *s, struct error *err);

struct store_sink;
struct store_sink *store_sink_new(struct store *s);
void store_sink_free(struct store_sink *k);
/* A block_sink's function. Origins' inputs count from s->next_input. */
enum status store_take(void *sink, struct block *b, struct error *err);

/* Ends the transaction: its segments, and the files they came from (name, sha256, ... and inputs,
 * whose numbers count from s->next_input; `entry` is not looked at). All sinks must be freed. */
enum status store_commit(struct store *s, const struct store_file *files, size_t n,
                         struct error *err);
void store_abandon(struct store *s);

/* Keeps a file as an original, from its descriptor (read with the system's own calls, from its
 * beginning): fills in kept, kept_bytes and kept_sha256. `sha256` and bytes must be those of its first
 * `bytes` bytes: STATUS_BAD_INPUT when they are not any more. Inside a transaction; one thread at a
 * time, beside those that have sinks. */
enum status store_keep(struct store *s, int fd, struct store_file *file, struct error *err);

/* Merges small segments where there are many. */
enum status store_merge(struct store *s, struct error *err);

#endif
