/*
 * Detection over blocks of events, wherever they come from: the engine tries all rules, the
 * correlator collects, and what was found is kept until it is told in order of time. Scans (scan.h),
 * intakes and searches through what is stored (retro.h) feed it.
 *
 *     struct detector *d = detector_new(rules, mappings, threads, &err);   temporary files are
 *                                                                          opened: before confine()
 *     detector_block(d, worker, block, &err);      each block, in its worker's thread
 *     detector_end(d);                             when no worker works any more
 *     detector_correlate(d, &err);                 what correlations find joins the findings
 *     findings_sort(detector_findings(d));
 *     detector_clear(d);                           for another round
 */
#ifndef DETECT_DETECTOR_H
#define DETECT_DETECTOR_H

#include "detect/correlation.h"
#include "detect/engine.h"
#include "detect/findings.h"

struct detector_stats {
    struct engine_stats engine;
    uint64_t matches;  /* of single events, hidden rules included */
    int64_t engine_ns; /* in rules, matches included; the sum of all threads */
};

struct detector;
/* The rules (NULL: none is tried) and mappings must outlive it. NULL on failure. */
struct detector *detector_new(const struct ruleset *rules, const struct mappings *mappings,
                              unsigned threads, struct error *err);
void detector_free(struct detector *d);

/* Threads to work with when `wanted` is asked for; 0: one a processor that the process may use. */
unsigned detector_threads(unsigned wanted);

enum status detector_block(struct detector *d, unsigned worker, struct block *b, struct error *err);

/* A block that is read by and by: the engine looks at the values of the columns that its rules ask
 * for, then at their rows, and only a match needs the rest. */
struct detector_source {
    /* Gives rows to the columns that have values. */
    enum status (*rows)(void *ctx, struct block *b, struct error *err);
    /* Reads what is missing: other columns, times, origins. */
    enum status (*rest)(void *ctx, struct block *b, struct error *err);
    void *ctx;
};
/* First: whether a rule is for the kind, and then whether one looks at the field that is stored under
 * a name; the block has the values of those columns. */
bool detector_kind(struct detector *d, unsigned worker, const struct event_kind *kind);
bool detector_wants(struct detector *d, unsigned worker, struct slice name);
bool detector_ways(struct detector *d, unsigned worker, struct engine_way *ways, size_t most,
                   size_t *n); /* engine_ways */
enum status detector_parts(struct detector *d, unsigned worker, struct block *b,
                           const struct detector_source *source, struct error *err);

/* The workers hand over what they hold. */
void detector_end(struct detector *d);
enum status detector_correlate(struct detector *d, struct error *err);
/* Forgets findings and matches. */
void detector_clear(struct detector *d);

struct findings *detector_findings(struct detector *d);
struct correlator *detector_correlator(struct detector *d); /* NULL without rules */
const struct detector_stats *detector_stats(const struct detector *d);

#endif
