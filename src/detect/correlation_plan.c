#include "detect/correlation_internal.h"

#include <stdlib.h>

#define NO_NODE UINT16_MAX

bool correlation_counts(const struct sigma_correlation *c)
{
    return c->type != CORRELATE_TEMPORAL && c->type != CORRELATE_TEMPORAL_ORDERED;
}

static bool has_not(const struct sigma_condition *condition)
{
    switch (condition->type) {
    case COND_NOT:
        return true;
    case COND_AND:
    case COND_OR:
        return has_not(condition->left) || has_not(condition->right);
    default:
        return false;
    }
}

bool correlation_grows(const struct sigma_correlation *c)
{
    if (c->type == CORRELATE_VALUE_AVG || c->type == CORRELATE_VALUE_PERCENTILE)
        return false;
    if (c->condition)
        return !has_not(c->condition);
    for (uint32_t i = 0; i < c->bounds_n; i++)
        if (c->bounds[i].type != BOUND_GT && c->bounds[i].type != BOUND_GTE)
            return false;
    return true;
}

bool correlation_within(const struct sigma_correlation *c, double measure)
{
    if (c->bounds_n == 0) /* of the temporal types: every rule */
        return measure >= c->rules_n;
    for (uint32_t i = 0; i < c->bounds_n; i++) {
        double limit = c->bounds[i].value;
        bool holds = true;
        switch (c->bounds[i].type) {
        case BOUND_GT:
            holds = measure > limit;
            break;
        case BOUND_GTE:
            holds = measure >= limit;
            break;
        case BOUND_LT:
            holds = measure < limit;
            break;
        case BOUND_LTE:
            holds = measure <= limit;
            break;
        case BOUND_EQ:
            holds = measure == limit;
            break;
        case BOUND_NEQ:
            holds = measure != limit;
            break;
        case BOUND_NONE:
            break;
        }
        if (!holds)
            return false;
    }
    return true;
}

/* The rules that a leaf names, a bit each. */
static uint64_t rules_of(const struct sigma_condition *leaf)
{
    uint64_t rules = leaf->type == COND_SEARCH ? UINT64_C(1) << leaf->search : 0;
    for (uint32_t i = 0; leaf->type == COND_OF && i < leaf->searches_n; i++)
        rules |= UINT64_C(1) << leaf->searches[i];
    return rules;
}

uint64_t correlation_named(const struct sigma_condition *condition)
{
    switch (condition->type) {
    case COND_NOT:
        return correlation_named(condition->left);
    case COND_AND:
    case COND_OR:
        return correlation_named(condition->left) | correlation_named(condition->right);
    default:
        return rules_of(condition);
    }
}

static uint64_t wanted(const struct sigma_condition *condition, bool negated)
{
    switch (condition->type) {
    case COND_NOT:
        return wanted(condition->left, !negated);
    case COND_AND:
    case COND_OR:
        return wanted(condition->left, negated) | wanted(condition->right, negated);
    default:
        return negated ? 0 : rules_of(condition);
    }
}

uint64_t correlation_wanted(const struct sigma_correlation *c)
{
    return c->condition ? wanted(c->condition, false) : UINT64_MAX;
}

bool correlation_condition(const struct sigma_condition *condition, uint64_t matched)
{
    switch (condition->type) {
    case COND_NOT:
        return !correlation_condition(condition->left, matched);
    case COND_AND:
        return correlation_condition(condition->left, matched) &&
               correlation_condition(condition->right, matched);
    case COND_OR:
        return correlation_condition(condition->left, matched) ||
               correlation_condition(condition->right, matched);
    default:
        matched &= rules_of(condition);
        return condition->type == COND_OF && condition->quantity
                   ? (uint32_t)__builtin_popcountll(matched) >= condition->quantity
                   : matched == rules_of(condition);
    }
}

/* How rule `slot` of `c` calls a field that `c` calls `name`. */
static struct slice unalias(const struct sigma_correlation *c, uint32_t slot, struct slice name)
{
    for (uint32_t i = 0; i < c->aliases_n; i++) {
        if (!slice_equal(c->aliases[i].name, name))
            continue;
        for (uint32_t k = 0; k < c->aliases[i].fields_n; k++)
            if (c->aliases[i].fields[k].rule == slot)
                return c->aliases[i].fields[k].field;
    }
    return name;
}

/* The steps from an event's rule up to a correlation: through which rule of which one. */
struct steps {
    struct {
        uint16_t node, slot;
    } at[CORRELATION_LEVELS];
    uint32_t n;
};

static struct slice *names_below(struct correlation_plan *plan, const struct steps *steps,
                                 const struct slice *names, uint32_t n)
{
    struct slice *below = arena_zero(&plan->arena, n, sizeof *below);
    for (uint32_t i = 0; i < n; i++) {
        below[i] = names[i];
        for (uint32_t k = steps->n; k-- > 0;)
            below[i] =
                unalias(plan->nodes[steps->at[k].node].correlation, steps->at[k].slot, below[i]);
    }
    return below;
}

static struct correlation_key key_of(struct correlation_plan *plan, const struct steps *steps)
{
    uint16_t node = steps->at[steps->n - 1].node;
    const struct sigma_correlation *c = plan->nodes[node].correlation;
    return (struct correlation_key){node, names_below(plan, steps, c->group_by, c->group_by_n),
                                    names_below(plan, steps, c->fields, c->fields_n)};
}

/* Fills the keys of a stretch of paths in their order; every path's own follow it. */
static void carry_keys(struct correlation_plan *plan, struct steps *steps,
                       const struct correlation_path *paths, uint32_t n,
                       struct correlation_key *keys)
{
    for (uint32_t i = 0; i < n; i += 1 + paths[i].below) {
        steps->at[steps->n].node = paths[i].node;
        steps->at[steps->n].slot = paths[i].slot;
        steps->n++;
        keys[i] = key_of(plan, steps);
        carry_keys(plan, steps, paths + i + 1, paths[i].below, keys + i + 1);
        steps->n--;
    }
}

/* All correlations that refer to `rule`, each followed by its own ways up. */
static enum status find_paths(struct correlation_plan *plan, struct correlation_node *node,
                              struct error *err)
{
    node->paths = arena_zero(&plan->arena, CORRELATION_PATHS, sizeof *node->paths);
    for (uint32_t up = 0; up < plan->nodes_n; up++) {
        const struct correlation_node *parent = &plan->nodes[up];
        for (uint32_t slot = 0; slot < parent->correlation->rules_n; slot++) {
            if (parent->correlation->rules[slot] != node->rule)
                continue;
            if (node->paths_n + 1 + parent->paths_n > CORRELATION_PATHS)
                return error_set(err, STATUS_BAD_INPUT, node->rule->path.p, node->rule->line,
                                 "more than %d correlations build on this one", CORRELATION_PATHS);
            node->paths[node->paths_n++] =
                (struct correlation_path){(uint16_t)up, (uint16_t)slot, parent->paths_n};
            for (uint32_t i = 0; i < parent->paths_n; i++)
                node->paths[node->paths_n++] = parent->paths[i];
        }
    }
    return OK;
}

static int by_level(const void *a, const void *b)
{
    const struct correlation_node *x = a, *y = b;
    if (x->level != y->level)
        return x->level < y->level ? -1 : 1;
    return (x->rule->index > y->rule->index) - (x->rule->index < y->rule->index);
}

/* Levels by going over all of them until nothing moves; too deep (or a circle) is an error. */
static enum status find_levels(struct correlation_plan *plan, const uint16_t *node_of,
                               struct error *err)
{
    for (bool moved = true; moved;) {
        moved = false;
        for (uint32_t i = 0; i < plan->nodes_n; i++) {
            struct correlation_node *node = &plan->nodes[i];
            for (uint32_t k = 0; k < node->correlation->rules_n; k++) {
                uint16_t below = node_of[node->correlation->rules[k]->index];
                if (below == NO_NODE || plan->nodes[below].level < node->level)
                    continue;
                node->level = plan->nodes[below].level + 1;
                moved = true;
                if (node->level >= CORRELATION_LEVELS)
                    return error_set(err, STATUS_BAD_INPUT, node->rule->path.p, node->rule->line,
                                     "correlations refer to each other in a circle, or more than "
                                     "%d deep",
                                     CORRELATION_LEVELS);
            }
        }
    }
    return OK;
}

static void find_feeds(struct correlation_plan *plan)
{
    uint32_t n = 0;
    plan->feeds_of = arena_zero(&plan->arena, (size_t)plan->rules_n + 1, sizeof *plan->feeds_of);
    for (uint32_t i = 0; i < plan->nodes_n; i++) {
        const struct sigma_correlation *c = plan->nodes[i].correlation;
        for (uint32_t k = 0; k < c->rules_n; k++)
            if (!c->rules[k]->correlation) {
                plan->feeds_of[c->rules[k]->index + 1]++;
                n++;
            }
    }
    for (uint32_t i = 0; i < plan->rules_n; i++)
        plan->feeds_of[i + 1] += plan->feeds_of[i];
    plan->feeds = arena_zero(&plan->arena, n, sizeof *plan->feeds);
    uint32_t *filled = arena_zero(&plan->arena, plan->rules_n, sizeof *filled);
    for (uint32_t i = 0; i < plan->nodes_n; i++) {
        const struct correlation_node *node = &plan->nodes[i];
        for (uint32_t k = 0; k < node->correlation->rules_n; k++) {
            const struct sigma_rule *rule = node->correlation->rules[k];
            if (rule->correlation)
                continue;
            struct correlation_feed *feed =
                &plan->feeds[plan->feeds_of[rule->index] + filled[rule->index]++];
            struct steps steps = {.at = {{(uint16_t)i, (uint16_t)k}}, .n = 1};
            feed->slot = (uint16_t)k;
            feed->key = key_of(plan, &steps);
            feed->carry = arena_zero(&plan->arena, node->paths_n, sizeof *feed->carry);
            carry_keys(plan, &steps, node->paths, node->paths_n, feed->carry);
        }
    }
}

enum status correlation_plan_make(struct correlation_plan *plan,
                                  const struct sigma_rule *const *rules, uint32_t rules_n,
                                  struct error *err)
{
    *plan = (struct correlation_plan){.rules_n = rules_n};
    uint16_t *node_of = arena_zero(&plan->arena, rules_n, sizeof *node_of);
    uint32_t n = 0;
    for (uint32_t i = 0; i < rules_n; i++)
        n += rules[i]->correlation != NULL;
    if (n >= NO_NODE)
        return error_set(err, STATUS_BAD_INPUT, NULL, ERROR_NO_OFFSET,
                         "%u correlation rules are more than the %u that can be used at once", n,
                         NO_NODE - 1u);
    plan->nodes = arena_zero(&plan->arena, n, sizeof *plan->nodes);
    for (uint32_t i = 0; i < rules_n; i++) {
        node_of[i] = NO_NODE;
        if (!rules[i]->correlation)
            continue;
        node_of[i] = (uint16_t)plan->nodes_n;
        plan->nodes[plan->nodes_n++] =
            (struct correlation_node){.rule = rules[i], .correlation = rules[i]->correlation};
    }
    enum status s = find_levels(plan, node_of, err);
    if (s != OK || n == 0)
        return s;
    qsort(plan->nodes, n, sizeof *plan->nodes, by_level);
    plan->levels = plan->nodes[n - 1].level + 1;
    for (uint32_t i = n; i-- > 0;) /* the ways up from what refers to it are known by then */
        if ((s = find_paths(plan, &plan->nodes[i], err)) != OK)
            return s;
    find_feeds(plan);
    return OK;
}

void correlation_plan_free(struct correlation_plan *plan)
{
    arena_free(&plan->arena);
}
