/*
 * Reads findings from the casebook.
 *
 *     struct known_query query = {.from = TIMESTAMP_NONE, .to = TIMESTAMP_NONE};
 *     known_each(c, &query, tell, ctx, &err);            in order of their last time
 *     known_get(c, id, &arena, &finding, &found, &err);
 */
#ifndef CASEBOOK_KNOWN_H
#define CASEBOOK_KNOWN_H

#include "base/arena.h"
#include "casebook/casebook.h"
#include "detect/findings.h"

/* A finding as it is kept. Slices are the casebook's until the callback returns, or the arena's. */
struct known_finding {
    int64_t id;
    struct slice rule_id, title, description;
    enum sigma_level level;
    struct slice tags_json; /* an array */
    struct slice *tags;
    uint32_t tags_n;
    struct slice wording; /* 32 bytes: hash of the rule as it was when it told this */
    bool correlation;
    timestamp first, last; /* of its events; TIMESTAMP_NONE when they tell none */
    uint64_t count;
    struct slice host, channel, provider, code;
    struct slice fields_json; /* an object */
    struct finding_field *fields;
    uint32_t fields_n;
    struct origin *events; /* of a correlation: some; of others see known_events */
    uint32_t events_n;
    timestamp found, seen; /* when its first, its last match was told */
    timestamp withdrawn;   /* TIMESTAMP_NONE: it stands */
    int64_t hidden_by;     /* a suppression; 0: it is shown */
};

struct known_query {
    timestamp from, to; /* findings with a time in [from, to); TIMESTAMP_NONE: no bound */
    const char *host;   /* a pattern, as --host has it; NULL: all */
    const char *rule;   /* id or title; NULL: all */
    enum sigma_level level_least;
    enum known_hidden { HIDDEN_NOT, HIDDEN_ONLY, HIDDEN_TOO } hidden;
    bool withdrawn; /* these too */
};

enum status known_each(struct casebook *c, const struct known_query *query,
                       enum status (*tell)(void *ctx, const struct known_finding *f,
                                           struct error *err),
                       void *ctx, struct error *err);

enum status known_get(struct casebook *c, int64_t id, struct arena *a, struct known_finding *out,
                      bool *found, struct error *err);

/* Where the events are that a finding of a single-event rule stands for, in order of input and
 * record. */
enum status known_events(struct casebook *c, int64_t id, struct arena *a, struct origin **list,
                         size_t *n, struct error *err);

/* How many findings are suppressed. */
enum status known_hidden_count(struct casebook *c, uint64_t *n, struct error *err);

#endif
