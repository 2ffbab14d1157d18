/*
 * The catalogue: what the segments hold, by log source and host, so that questions about the whole
 * folder need not open each of them. It is derived: an SQLite database, catalogue.sqlite, followed by
 * the SHA-256 of it (32 bytes). A segment never changes, so what the catalogue tells of one is true or
 * not there; what is not there is read from the segment itself.
 *
 *     struct catalogue c;
 *     catalogue_load(s, &c, &err);             what the file tells, and what it lacks from the segments
 *     for (i = 0; i < c.parts_n; i++) ... c.parts[i] ...
 *     catalogue_free(&c);
 *
 *     catalogue_update(s, &err);               a writer brings the file up to date (store_close does)
 */
#ifndef STORE_CATALOGUE_H
#define STORE_CATALOGUE_H

#include "store/store.h"

#define CATALOGUE_NAME "catalogue.sqlite"

/* What one segment holds of one log source on one host. */
struct catalogue_part {
    size_t segment;            /* its place in s->segments */
    struct slice source, host; /* host empty: the events do not say */
    uint64_t events, bytes;    /* on the disk, of its blocks */
    timestamp first, last;     /* TIMESTAMP_NONE when none has a time */
    struct slice hours;        /* in which there are events (catalogue_hours) */
};

struct catalogue {
    struct arena arena;
    struct catalogue_part *parts; /* by segment */
    size_t parts_n, parts_cap;
    size_t segments,
        read;     /* that it tells of; of these not in the file, or all when that is damaged */
    bool damaged; /* there is a file, but it is not what was written */
};

/* `s` may be of any mode. STATUS_BAD_INPUT when a segment that had to be read is damaged. */
enum status catalogue_load(struct store *s, struct catalogue *c, struct error *err);
void catalogue_free(struct catalogue *c);

/* Writes the file when it lacks a segment, tells of one that is gone, or is damaged. */
enum status catalogue_update(struct store *s, struct error *err);

/* Writes it anew from the segments alone. */
enum status catalogue_rebuild(struct store *s, struct error *err);

/* Whether the file, if there is one, is as it was written and tells what the segments hold; of a
 * segment it does not know it need not. */
enum status catalogue_check(struct store *s, struct error *err);

/* Hours since 1970 in which there are events, ascending; appends to *hours (*n of *cap, to be freed).
 * False when the bytes are damaged. */
bool catalogue_hours(struct slice packed, int32_t **hours, size_t *n, size_t *cap);

/* ---- catalogue_scan.c ---- */

/* Adds the parts of a segment, from the segment itself. */
enum status catalogue_scan(struct store *s, size_t number, struct catalogue *c, struct error *err);

#endif
