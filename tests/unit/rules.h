/* Helpers for tests of Sigma rules: rules from text, and their problems. */
#ifndef TESTS_UNIT_RULES_H
#define TESTS_UNIT_RULES_H

#include "detect/ruleset.h"

#include "test.h"

#include <stdio.h>

#define RULE_HEAD                                                                                  \
    "title: T\n"                                                                                   \
    "logsource: {product: windows, category: process_creation}\n"

/* A finished set of what the text holds. */
static inline struct ruleset *rules_of(const char *yaml)
{
    struct ruleset *set = ruleset_new();
    struct error err;
    assert_int_equal(ruleset_load_text(set, slice_str(yaml), "t.yml", NULL, &err), OK);
    ruleset_finish(set);
    return set;
}

/* The set has one problem, at this place, with these words. */
static inline void assert_problem(const struct ruleset *set, uint32_t line, uint32_t column,
                                  const char *what)
{
    const struct rule_problem *list;
    size_t n = ruleset_problems(set, &list);
    assert_int_equal(n, 1);
    assert_string_equal(list[0].what.p, what);
    if (list[0].line != line || list[0].column != column)
        fail_msg("'%s' is said of %u:%u, not of %u:%u", what, list[0].line, list[0].column, line,
                 column);
    assert_string_equal(list[0].path.p, "t.yml");
}

static inline void assert_no_problem(const struct ruleset *set)
{
    const struct rule_problem *list;
    if (ruleset_problems(set, &list))
        fail_msg("%u:%u: %s", list[0].line, list[0].column, list[0].what.p);
}

/* The only rule of a set without problems. */
static inline const struct sigma_rule *only_rule(const struct ruleset *set)
{
    assert_no_problem(set);
    assert_int_equal(ruleset_count(set), 1);
    return ruleset_rule(set, 0);
}

#endif
