/*
 * Sigma correlations (correlation rules specification 2.1): what they say, and finding what they
 * describe among the matches of the rules that they refer to.
 *
 * Workers hand matches over as blocks are read, in any order of time; what a correlation needs of
 * each (time, group, value, origin) is kept compactly, and correlator_finish() goes through it in
 * order of time. A correlation may refer to another correlation.
 *
 *     struct correlator *c = correlator_new(set, &err);
 *     struct correlator_worker *w = correlator_worker_new(c);        one a thread
 *     correlator_match(w, rule, binding, block, row, &err);          each match of the engine
 *     correlator_worker_free(w);
 *     correlator_finish(c, tell, ctx, &err);
 */
#ifndef DETECT_CORRELATION_H
#define DETECT_CORRELATION_H

#include "detect/findings.h"
#include "detect/ruleset.h"
#include "event/mapping.h"

enum {
    CORRELATION_RULES = 1000,      /* that a correlation may refer to */
    CORRELATION_RULES_TIMELY = 64, /* that one of the temporal types may: a set of them is a word */
    CORRELATION_FIELDS = 16,       /* in group-by, in condition.field */
    CORRELATION_LEVELS = 32,       /* correlations of correlations of ... */
    CORRELATION_BOUNDS = 6,        /* limits of a condition, one of each kind */
};

enum correlation_type {
    CORRELATE_EVENT_COUNT,
    CORRELATE_VALUE_COUNT,
    CORRELATE_TEMPORAL,
    CORRELATE_TEMPORAL_ORDERED,
    CORRELATE_VALUE_SUM,
    CORRELATE_VALUE_AVG,
    CORRELATE_VALUE_PERCENTILE,
};

/* The limits of a condition; both may be given ({gte: 5, lt: 10}). */
struct correlation_bound {
    enum { BOUND_NONE, BOUND_GT, BOUND_GTE, BOUND_LT, BOUND_LTE, BOUND_EQ, BOUND_NEQ } type;
    double value;
};

/* A name that stands for a field of another name in each rule. */
struct correlation_alias {
    struct slice name;
    struct {
        uint32_t rule; /* index in `rules` below */
        struct slice field;
        struct slice rule_name; /* as written */
        uint32_t line, column;
    } * fields;
    uint32_t fields_n;
};

struct sigma_correlation {
    enum correlation_type type;
    const struct sigma_rule **rules; /* resolved by ruleset_finish; what it refers to */
    struct slice *rule_names;        /* as written: id or name */
    struct correlation_place {
        uint32_t line, column;
    } * rule_places; /* where the names stand in the file */
    uint32_t rules_n;
    struct slice *group_by;
    uint32_t group_by_n;
    struct correlation_alias *aliases;
    uint32_t aliases_n;
    int64_t timespan;     /* nanoseconds */
    struct slice *fields; /* condition.field, for value_*: one or more (value_count counts the
                             distinct combinations) */
    uint32_t fields_n;
    struct correlation_bound bounds[CORRELATION_BOUNDS];
    uint32_t bounds_n;
    double percentile; /* value_percentile: which; negative: not given, then it is the share of a
                          value among all, in percent, that the bounds ask about */
    bool generate;     /* the rules referred to have findings of their own too */
    /* the extended condition of the temporal types ("a and not b" over rules), or NULL */
    struct sigma_condition *condition; /* COND_SEARCH is an index in `rules` */
};

struct correlator;
struct correlator *correlator_new(const struct ruleset *set, struct error *err);
void correlator_free(struct correlator *c);

struct correlator_worker;
struct correlator_worker *correlator_worker_new(struct correlator *c);
void correlator_worker_free(struct correlator_worker *w); /* hands over what it holds */

/* A match of a rule; returns at once when no correlation refers to the rule. */
enum status correlator_match(struct correlator_worker *w, const struct sigma_rule *rule,
                             const struct log_binding *binding, struct block *b, uint32_t row,
                             struct error *err);

/* Tells every finding of every correlation; when all workers are freed. The finding's fields are
 * the group-by fields and, for value_*, the measured value. */
enum status correlator_finish(struct correlator *c,
                              enum status (*tell)(void *ctx, const struct finding *finding,
                                                  struct error *err),
                              void *ctx, struct error *err);

/* ---- going on where an earlier run ended (casebook/) ---- */

/* A match as one correlation sees it. Hashes stand for texts; names tell which. */
struct correlation_match {
    const struct sigma_rule *correlation;
    timestamp time;
    uint64_t group, value, host, carry;
    struct origin origin;
    uint16_t slot; /* which of its rules matched */
};

/* Hashes become those of a run that began with the same seed. Before the first worker. */
void correlator_seed(struct correlator *c, uint64_t seed);

/* Another correlation refers to this one: its findings depend on all of its matches, not on those of
 * one group. Or it refers to another. */
bool correlator_nested(const struct correlator *c, const struct sigma_rule *correlation);

/* The correlations of its rule set. */
size_t correlator_count(const struct correlator *c);
const struct sigma_rule *correlator_rule(const struct correlator *c, size_t number);

/* Tells all matches that were gathered (those of one group one after the other), then the names, and
 * forgets them; when all workers are freed. */
struct correlator_listener {
    enum status (*match)(void *ctx, const struct correlation_match *m, struct error *err);
    enum status (*name)(void *ctx, uint64_t hash, struct slice bytes, struct error *err);
    void *ctx;
};
enum status correlator_hand_out(struct correlator *c, const struct correlator_listener *listener,
                                struct error *err);

/* Takes them in again, before correlator_finish. */
enum status correlator_recall(struct correlator *c, const struct correlation_match *m,
                              struct error *err);
void correlator_recall_name(struct correlator *c, uint64_t hash, struct slice bytes);

/* Forgets all matches and names, for another round. */
void correlator_clear(struct correlator *c);

/* What was left out, for a note to the user. */
struct correlator_counts {
    uint64_t matches;       /* of rules that correlations refer to */
    uint64_t without_time;  /* of these, left out: the event tells no time */
    uint64_t without_group; /* left out of one correlation: a field of its group-by is absent */
    uint64_t without_value; /* likewise: `field` is absent, or no number where one is needed */
};
struct correlator_counts correlator_counts(const struct correlator *c); /* all workers freed */

#endif
