/*
 * What a data folder holds, in numbers: log sources, hosts, times, sizes, what they are kept for, and
 * where a source fell silent. It asks the journal and the catalogue; segments are opened only where
 * the catalogue lacks them.
 *
 *     struct store_status status;
 *     store_status(s, now, &arena, &status, &err);
 */
#ifndef STORE_STATUS_H
#define STORE_STATUS_H

#include "store/rhythm.h"
#include "store/store.h"

struct status_host {
    struct slice host; /* empty: events that do not say */
    uint64_t events, bytes;
    timestamp first, last;    /* TIMESTAMP_NONE when none has a time */
    struct silence *silences; /* the least likely first */
    size_t silences_n;        /* at most STATUS_SILENCES */
};
enum { STATUS_SILENCES = 16 };

struct status_source {
    struct slice source;
    uint64_t events, bytes; /* on the disk, of its blocks */
    timestamp first, last;
    struct status_host *hosts; /* by name */
    size_t hosts_n;
    const struct store_retain *rule; /* NULL: none, kept for ever */
};

struct store_status {
    struct status_source *sources; /* by name */
    size_t sources_n, hosts_n;     /* hosts: different ones */
    uint64_t events, segments, segment_bytes;
    uint64_t files, file_bytes;         /* taken in and not expired; as they came */
    uint64_t originals, original_bytes; /* of these kept; on the disk */
    timestamp first, last;
    size_t read;  /* segments that the catalogue lacked */
    bool damaged; /* the catalogue is, and was not used */
};

/* In the arena. `now` bounds the end of what is known: a clock that is ahead must not make all others
 * look silent. */
enum status store_status(struct store *s, timestamp now, struct arena *a, struct store_status *out,
                         struct error *err);

#endif
