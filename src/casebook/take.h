/*
 * What was detected goes into the casebook, in one transaction: each rule and event once, however
 * often it is detected; repeats join the finding that is there already.
 *
 *     detector_end(d);
 *     casebook_take(c, &job, &counts, &err);
 *
 * A match repeats another one when rule, host and telling fields are the same. What only tells one
 * moment from the next (process and logon ids, source ports, times) does not count. So a finding has
 * a first and a last time and a count, whatever the order in which its events came.
 *
 * Correlations go on from what earlier rounds left: the matches that they refer to are kept, and
 * every group to which something came is gone through again as a whole. After each round the
 * findings are those that one scan of all events would tell; one that an event disproves ("fewer
 * than five") is withdrawn, but stays. docs/detection.md tells the limits.
 */
#ifndef CASEBOOK_TAKE_H
#define CASEBOOK_TAKE_H

#include "casebook/casebook.h"
#include "detect/detector.h"

enum { CORRELATION_MATCHES = 1 << 20 }; /* that are kept, about; the oldest go first */

struct casebook_told {
    const struct finding *finding;
    bool news;   /* something of it was not known before */
    bool hidden; /* suppressed */
};

struct casebook_take {
    struct detector *detector; /* after detector_end; origins' inputs are numbers of the journal */
    timestamp now;
    uint64_t settled; /* the journal's entries below this number have their findings now; ends what
                         casebook_expect said of them. 0: only a part was looked at */
    /* Told of all that was found in order of time; may be NULL. Its failure undoes everything. */
    enum status (*tell)(void *ctx, const struct casebook_told *told, struct error *err);
    void *ctx;
    size_t matches; /* CORRELATION_MATCHES when 0; for tests */
};

struct casebook_counts {
    uint64_t matches; /* that were not known before */
    uint64_t fresh;   /* new findings, */
    uint64_t hidden;  /* and how many of them are suppressed */
    uint64_t joined;  /* of the matches: those that went to a finding that was there */
    uint64_t known;   /* matches that were known */
    uint64_t withdrawn;
};

enum status casebook_take(struct casebook *c, const struct casebook_take *job,
                          struct casebook_counts *counts, struct error *err);

/* A correlator that hashes as this casebook wants it. Before its first worker; rules NULL: nothing. */
enum status casebook_prepare(struct casebook *c, struct detector *d, struct error *err);

#endif
