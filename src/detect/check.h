/*
 * What is wrong with a set of rules, and what it is good for: rules that can't be used, rules that
 * can never match what hikeshi reads, and how many there are for each log source.
 *
 *     ruleset_finish(set);
 *     struct check *c = check_rules(set, mappings);
 *     for (size_t i = 0; i < c->remarks_n; i++) ... c->remarks[i] ...
 *     check_free(c);
 *
 * "Never" is only said when it is sure: a log source that no mapping knows or no reader gives; an
 * event code, channel or provider that the log source excludes; a field that must have two values
 * at once; an item without values; a placeholder that nobody defined. Searches that a condition leaves
 * out are named too, which is no fault.
 */
#ifndef DETECT_CHECK_H
#define DETECT_CHECK_H

#include "detect/ruleset.h"
#include "event/mapping.h"

enum check_kind {
    CHECK_UNUSABLE, /* the rule, or the document, can't be used */
    CHECK_NEVER,    /* the rule contradicts itself or its log source */
    CHECK_UNKNOWN,  /* no mapping knows its log source */
    CHECK_UNREAD,   /* no reader gives events of its log source: no fault of the rule */
    CHECK_LACKS,    /* something that the user may add is missing: a placeholder */
    CHECK_NAMES,    /* its field names are those of ECS, which events of its log source lack */
    CHECK_UNUSED,   /* the condition speaks of not all searches: perhaps it was forgotten */
    CHECK_KINDS
};

struct check_remark {
    enum check_kind kind;
    struct slice path, title, what;
    uint32_t line, column;
    const struct sigma_rule *rule; /* NULL for CHECK_UNUSABLE */
};

struct check_source {
    struct sigma_logsource logsource;
    uint32_t rules;           /* that can be used */
    uint32_t never;           /* of these, how many can never match */
    const uint32_t *bindings; /* mappings_get: the kinds of events that serve it */
    uint32_t bindings_n;
    bool read; /* a reader gives events for at least one of them */
};

struct check {
    struct check_remark *remarks; /* unusable ones first, then in the order of the rules */
    size_t remarks_n;
    struct check_source *sources; /* by product, category, service; correlations have none */
    size_t sources_n;
    size_t rules;               /* that can be used */
    size_t correlations;        /* of these */
    size_t counts[CHECK_KINDS]; /* remarks of each kind */
    struct arena arena;         /* the texts */
};

/* The set must be finished; it and the mappings must outlive the result. */
struct check *check_rules(const struct ruleset *set, const struct mappings *mappings);
void check_free(struct check *c);

/* Whether somebody should mend something: rules that can't be used, contradict themselves, or are
 * for an unknown log source. */
bool check_finds_faults(const struct check *c);

/* "never", "unread", ...: for JSON. */
const char *check_kind_name(enum check_kind kind);

#endif
