/* What metrics are made of: counts under names, filled by workers, joined, printed. */
#ifndef REPORT_METRICS_INTERNAL_H
#define REPORT_METRICS_INTERNAL_H

#include "report/metrics.h"

#include <pthread.h>

enum {
    METRICS_KEYS = 100000,    /* rows a table; what comes later is counted together */
    METRICS_DAYS = 1 << 20,   /* days of a host and log that activity is kept of */
    METRICS_NAME_BYTES = 512, /* of a name; longer ones are cut */
    METRICS_PARTS = 5,        /* of a row's name */
};

/* A row: what it is called, how often, from when to when. What the parts are is the table's matter. */
struct metrics_row {
    struct slice parts[METRICS_PARTS];
    uint64_t n[3];         /* events; of logons: succeeded, failed, ended */
    timestamp first, last; /* TIMESTAMP_NONE when no event had a time */
};

struct metrics_table {
    struct map places; /* parts -> index in rows */
    struct {
        struct metrics_row *at;
        size_t n, cap;
    } rows;
    struct arena names;
    struct metrics_row others; /* past METRICS_KEYS */
};

/* Adds to the row of that name. Its place; METRICS_NO_ROW when there is no room for another. */
#define METRICS_NO_ROW UINT32_MAX
uint32_t metrics_count(struct metrics_table *t, const struct metrics_row *row);
/* Takes a time into a row's range. */
void metrics_time(struct metrics_row *row, timestamp t);

/* The hours of a day in which a host's log has events. */
struct metrics_day {
    uint32_t pair;  /* in struct metrics_counts.logs */
    int32_t day;    /* since 1970 */
    uint32_t hours; /* a bit each */
};

struct metrics_counts {
    struct metrics_table events; /* log, provider, code */
    struct metrics_table hosts;  /* host */
    struct metrics_table logs;   /* host, log: the pairs whose gaps are looked for */
    struct metrics_table logons; /* account, source, how, target, reason; in English */
    struct map day_places;       /* pair and day -> index in days */
    struct {
        struct metrics_day *at;
        size_t n, cap;
    } days;
    struct metrics_row all; /* every event */
};

struct metrics {
    pthread_mutex_t lock; /* over the counts, while workers are freed */
    struct metrics_counts counts;
};

/* ---- logons (metrics_logon.c) ---- */

/* Counts a block's logons, if it is of an event that tells of any. */
void metrics_logons(struct metrics_counts *c, struct block *b);

/* Of the system and its services rather than of people and programs that log on. */
bool metrics_own_account(struct slice account);

/* ---- gaps (metrics_gap.c) ---- */

struct metrics_gap {
    struct slice host, log;
    int64_t from, to; /* hours since 1970: the first without events, the first with events again */
    int64_t usual;    /* hours that this log is usually silent at most */
};

/* The gaps, the longest first; from malloc. */
struct metrics_gap *metrics_gaps(const struct metrics_counts *c, size_t *n);

/* Marks hours of a pair (its index in c->logs) and day. */
void metrics_mark(struct metrics_counts *c, struct metrics_day day);

/* ---- meanings (metrics_meaning.c) ---- */

/* What an event of this log, provider and code means, in the chosen language; NULL: not known. */
const char *metrics_meaning(struct slice log, struct slice provider, struct slice code);

#endif
