#include "base/vec.h"
#include "detect/correlation.h"
#include "detect/ruleset_internal.h"

/* Until the rules are numbered at the end, `index` is their place in `loaded`. */
static struct loaded_rule *loaded_of(struct ruleset *set, const struct sigma_rule *rule)
{
    return &set->loaded.at[rule->index];
}

static void refuse(struct ruleset *set, struct loaded_rule *loaded, struct error *err)
{
    loaded->bad = true;
    if (loaded->chosen)
        ruleset_problem(set, loaded->rule->title, err);
}

static void refuse_saying(struct ruleset *set, struct loaded_rule *loaded, const char *what)
{
    struct error err;
    error_set(&err, STATUS_BAD_INPUT, loaded->rule->path.p, loaded->rule->line, "%s", what);
    err.column = loaded->column;
    refuse(set, loaded, &err);
}

/* One step of what flows between correlations and what they refer to. True when it changed
 * something: then another round is due. */
typedef bool flow(struct ruleset *set, struct loaded_rule *correlation, struct loaded_rule *rule);

/* A correlation stands above what it refers to. */
static bool flow_height(struct ruleset *set, struct loaded_rule *correlation,
                        struct loaded_rule *rule)
{
    (void)set;
    if (correlation->height > rule->height)
        return false;
    correlation->height = rule->height + 1;
    return true;
}

static bool flow_bad(struct ruleset *set, struct loaded_rule *correlation, struct loaded_rule *rule)
{
    if (!rule->bad || correlation->bad)
        return false;
    refuse_saying(set, correlation, "the correlation refers to another one that can't be used");
    return true;
}

static bool flow_source(struct ruleset *set, struct loaded_rule *correlation,
                        struct loaded_rule *rule)
{
    (void)set;
    bool changes = rule->source && !correlation->source;
    correlation->source |= rule->source;
    return changes;
}

static bool is_kept(const struct loaded_rule *loaded)
{
    return !loaded->bad && (loaded->needed || (loaded->chosen && loaded->source));
}

static bool flow_needed(struct ruleset *set, struct loaded_rule *correlation,
                        struct loaded_rule *rule)
{
    (void)set;
    if (!is_kept(correlation) || rule->needed)
        return false;
    rule->needed = true;
    return true;
}

static bool flow_shown(struct ruleset *set, struct loaded_rule *correlation,
                       struct loaded_rule *rule)
{
    (void)set;
    rule->shown |= is_kept(correlation) && correlation->rule->correlation->generate;
    return false;
}

/* Goes round over all correlations until nothing changes, or as often as they may be nested. */
static void settle(struct ruleset *set, flow *step)
{
    bool changed = true;
    for (int round = 0; changed && round <= CORRELATION_LEVELS; round++) {
        changed = false;
        for (size_t i = 0; i < set->loaded.n; i++) {
            struct loaded_rule *loaded = &set->loaded.at[i];
            const struct sigma_correlation *c = loaded->rule->correlation;
            if (!c || loaded->loose)
                continue;
            for (uint32_t k = 0; k < c->rules_n; k++)
                changed |= step(set, loaded, loaded_of(set, c->rules[k]));
        }
    }
}

static void resolve_correlations(struct ruleset *set)
{
    for (size_t i = 0; i < set->loaded.n; i++) {
        struct loaded_rule *loaded = &set->loaded.at[i];
        struct error err;
        if (!loaded->rule->correlation)
            continue;
        if (correlation_resolve(set, loaded->rule, &err) != OK) {
            refuse(set, loaded, &err);
            loaded->loose = true;
        }
    }
    settle(set, flow_height);
    for (size_t i = 0; i < set->loaded.n; i++)
        if (set->loaded.at[i].height > CORRELATION_LEVELS && !set->loaded.at[i].bad)
            refuse_saying(set, &set->loaded.at[i],
                          "the correlation refers to itself over others, or they are nested too "
                          "deep");
    settle(set, flow_bad);
}

void ruleset_finish(struct ruleset *set)
{
    filters_apply(set);
    resolve_correlations(set);
    settle(set, flow_source);
    settle(set, flow_needed);
    settle(set, flow_shown);
    for (size_t i = 0; i < set->loaded.n; i++) {
        struct loaded_rule *loaded = &set->loaded.at[i];
        if (!is_kept(loaded))
            continue;
        bool own = loaded->chosen && loaded->source;
        loaded->rule->hidden = !own || (loaded->needed && !loaded->shown);
        *VEC_PUSH(set->rules) = loaded->rule;
    }
    for (size_t i = 0; i < set->rules.n; i++)
        set->rules.at[i]->index = (uint32_t)i;
}
