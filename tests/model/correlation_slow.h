/*
 * Correlations the slow and obvious way, straight from docs/correlations.md: all events in memory,
 * every window looked at anew, groups and values compared as text. The fast one must agree.
 */
#ifndef TESTS_MODEL_CORRELATION_SLOW_H
#define TESTS_MODEL_CORRELATION_SLOW_H

#include "detect/correlation.h"

enum { SLOW_FIELDS = 4, SLOW_TEXT = 256 };

/* Names of the fields that events have here. */
extern const char *const slow_names[SLOW_FIELDS];

struct slow_event {
    timestamp time;
    struct origin origin;
    const char *fields[SLOW_FIELDS]; /* NULL: absent */
    uint64_t rules;                  /* a bit each rule that matched, by index */
};

struct slow_finding {
    const struct sigma_rule *rule;
    timestamp first, time;
    uint64_t count;
    double measure;
    char group[SLOW_TEXT];
    struct origin events[FINDING_EVENTS];
    uint32_t events_n;
};

struct slow_findings {
    struct slow_finding *at;
    size_t n, cap;
};

/* All findings of the rules that are not hidden. The caller frees found->at. */
void slow_correlate(const struct sigma_rule *const *rules, uint32_t rules_n,
                    const struct slow_event *events, size_t n, struct slow_findings *found);

#endif
