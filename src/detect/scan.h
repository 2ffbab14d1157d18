/*
 * The pipeline of a scan: inputs are read into blocks of events, those not wanted are taken out, the
 * engine tries all rules, the correlator collects, and what was found is kept, in order of time. It
 * prints nothing.
 *
 *     struct scan *s = scan_new(&setup, &err);          opens its temporary file: before confine()
 *     confine(...);
 *     status = scan_run(s, inputs, problems, &err);     what was found until an interruption stays
 *     for (size_t at = 0; findings_next(scan_findings(s), &at, &finding, &err);) ...
 *     scan_free(s);
 */
#ifndef DETECT_SCAN_H
#define DETECT_SCAN_H

#include "detect/detector.h"
#include "event/select.h"
#include "intake/intake.h"

struct scan_setup {
    const struct ruleset *rules;     /* NULL: no rule is tried, only `look` sees the events */
    const struct mappings *mappings; /* with rules */
    struct selection wanted;
    struct reader_options reader;
    unsigned threads; /* 0: one a processor that the process may use */

    /* Called with each block of wanted events, in its worker (numbers below scan_threads()); may be
     * NULL. */
    enum status (*look)(void *ctx, unsigned worker, struct block *b, struct error *err);
    /* Called about ten times a second from the thread of scan_run; may be NULL. */
    void (*progress)(void *ctx, const struct intake_progress *p);
    void *ctx;
    const volatile sig_atomic_t *stop; /* as in struct intake; may be NULL */
};

struct scan_stats {
    struct intake_counts read;
    struct detector_stats detected;
    struct correlator_counts correlated;
    uint64_t left_out; /* events not wanted */
    int64_t read_ns;   /* wall time of reading and trying the rules */
    int64_t after_ns;  /* wall time of correlating and putting in order */
    unsigned threads;
};

struct scan;

/* What the setup points at must outlive the scan. NULL on failure. */
struct scan *scan_new(const struct scan_setup *setup, struct error *err);
void scan_free(struct scan *s);

unsigned scan_threads(const struct scan *s);

/* Reads all inputs, once. On STATUS_INTERRUPTED and on other failures what was found until then can
 * be told all the same. */
enum status scan_run(struct scan *s, struct inputs *inputs, struct problems *problems,
                     struct error *err);

/* In order of time, when scan_run has returned. */
struct findings *scan_findings(struct scan *s);
const struct scan_stats *scan_stats(const struct scan *s);

#endif
