/* Rules as text through the loader, filters and correlations included, and a walk over all that it
 * kept. */
#include "detect/check.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk_condition(const struct sigma_condition *c, const struct sigma_rule *rule,
                           int depth)
{
    if (depth > 2048)
        abort();
    switch (c->type) {
    case COND_AND:
    case COND_OR:
        walk_condition(c->right, rule, depth + 1);
        walk_condition(c->left, rule, depth + 1);
        break;
    case COND_NOT:
        walk_condition(c->left, rule, depth + 1);
        break;
    case COND_SEARCH:
        if (c->search >= rule->searches_n)
            abort();
        break;
    case COND_OF:
        if (c->searches_n == 0 || c->quantity > c->searches_n)
            abort();
        for (uint32_t i = 0; i < c->searches_n; i++)
            if (c->searches[i] >= rule->searches_n)
                abort();
        break;
    }
}

static size_t walk_detection(const struct sigma_detection *d)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < d->item.values_n; i++)
        bytes += strlen(d->item.values[i].text.p); /* every text ends with a NUL */
    for (uint32_t i = 0; i < d->children_n; i++)
        bytes += walk_detection(&d->children[i]);
    return bytes;
}

static void walk_rule(const struct sigma_rule *rule)
{
    if (rule->title.n == 0 || rule->path.n == 0)
        abort();
    for (uint32_t i = 0; i < rule->searches_n; i++)
        walk_detection(&rule->searches[i].detection);
    for (uint32_t i = 0; i < rule->conditions_n; i++)
        walk_condition(rule->conditions[i], rule, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mappings *mappings; /* the same for every input */
    struct error err;
    if (!mappings && !(mappings = mappings_builtin(&err)))
        abort();
    struct ruleset *set = ruleset_new();
    struct rule_choice choice = {.with_deprecated = true};
    if (ruleset_load_text(set, slice_of(data, size), "fuzz", &choice, &err) != OK)
        abort();
    ruleset_finish(set);
    for (uint32_t i = 0; i < ruleset_count(set); i++)
        walk_rule(ruleset_rule(set, i));
    const struct rule_problem *problems;
    size_t n = ruleset_problems(set, &problems);
    for (size_t i = 0; i < n; i++)
        if (problems[i].what.n == 0)
            abort();
    check_free(check_rules(set, mappings));
    ruleset_free(set);
    return 0;
}
