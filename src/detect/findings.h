/*
 * Findings of one run, kept in bounded memory until they are told in order of time. The index of a
 * finding (time, rule, place of its payload) stays in memory; payloads go to an unlinked temporary
 * file once they pass FINDINGS_MEMORY, so that millions of findings fit.
 *
 *     struct findings *f = findings_new(&err);                     opens the file: before confine()
 *     struct findings_worker *w = findings_worker_new(f);          one a thread
 *     findings_add(w, &finding, &err);                             copies
 *     findings_sort(f);                                            when all workers are freed
 *     for (size_t at = 0; findings_next(f, &at, &finding, &err);) ...
 */
#ifndef DETECT_FINDINGS_H
#define DETECT_FINDINGS_H

#include "detect/rule.h"
#include "event/block.h"

enum {
    FINDINGS_MEMORY = 32 << 20, /* payload bytes in memory, all workers together */
    FINDING_FIELDS = 24,        /* fields kept with a finding, at most */
    FINDING_FIELD_BYTES = 4096, /* of a text; longer ones are cut at a character and end in "…" */
    FINDING_EVENTS = 16,        /* origins kept with a correlation's finding */
};

struct finding_field {
    struct slice name, text; /* the rule's name for it; canonical text */
};

struct finding {
    const struct sigma_rule *rule;
    timestamp time;        /* of the event, or of the last event of a correlation; may be NONE */
    timestamp first;       /* of a correlation's first event; else equal to time */
    uint64_t count;        /* events it stands for: 1, or those of a correlation */
    uint64_t group;        /* of a correlation: hash of its group (correlation.h); else 0 */
    struct origin *events; /* 1, or the first FINDING_EVENTS of a correlation */
    uint32_t events_n;
    struct slice host, channel, provider, code;
    struct finding_field *fields; /* the fields that matter, the most telling first */
    uint32_t fields_n;
};

struct findings;
/* The file is made in $TMPDIR or /tmp, or in memory where neither can be written. NULL when all of
 * these fail. The rules that findings name must outlive it. */
struct findings *findings_new(struct error *err);
void findings_free(struct findings *f);

struct findings_worker;
struct findings_worker *findings_worker_new(struct findings *f);
void findings_worker_free(struct findings_worker *w); /* hands over what it holds */

/* Copies the finding, but for the rule. STATUS_SYSTEM when the file can't be written. */
enum status findings_add(struct findings_worker *w, const struct finding *finding,
                         struct error *err);

/* Forgets all, for another round; when all workers are freed. */
void findings_clear(struct findings *f);

size_t findings_count(const struct findings *f);

/* By time (those without one last), then rule title, input, record, and at last what they say: the
 * same order for any number of threads. */
void findings_sort(struct findings *f);

/* The next finding in order; *at starts at 0. Its memory is valid until the next call. False at the
 * end, or with err->status set when the file can't be read. */
bool findings_next(struct findings *f, size_t *at, struct finding *out, struct error *err);

#endif
