#include "base/vec.h"
#include "detect/ruleset_internal.h"

/*
 * Filters specification 2.1. A filter's condition is joined to a rule's by "and", as it is written:
 * "not selection" leaves out what the selection matches.
 */

static enum status read_targets(struct ruleset *set, const struct rule_document *doc,
                                const struct yaml_node *section, struct sigma_filter *f,
                                struct error *err)
{
    const struct yaml_node *rules = yaml_get(section, SLICE("rules"));
    if (yaml_count(rules) == 0)
        return yaml_error(err, doc->path, section,
                          "the filter needs 'rules': a list of rules' ids or names, or 'any'");
    if (slice_equal_nocase(yaml_text(rules), SLICE("any"))) {
        f->any = true;
        return OK;
    }
    enum status s = rule_texts(set, doc, "rules", rules, &f->rules, &f->rules_n, err);
    if (s != OK)
        return s;
    f->rule_lines = arena_zero(&set->arena, f->rules_n, sizeof *f->rule_lines);
    f->rule_columns = arena_zero(&set->arena, f->rules_n, sizeof *f->rule_columns);
    for (uint32_t i = 0; i < f->rules_n; i++) {
        f->rule_lines[i] = yaml_at(rules, i)->line;
        f->rule_columns[i] = yaml_at(rules, i)->column;
    }
    return OK;
}

enum status filter_load(struct ruleset *set, const struct rule_document *doc, struct error *err)
{
    static const char *const others[] = {"rules", "condition", NULL};
    const struct yaml_node *section = yaml_get(doc->root, SLICE("filter"));
    struct slice title = yaml_text(yaml_get(doc->root, SLICE("title")));
    struct sigma_filter f = {.line = section->line, .column = section->column};
    if (slice_trim(title).n == 0)
        return yaml_error(err, doc->path, doc->root, "the filter needs a title");
    f.title = arena_slice(&set->arena, title);
    f.path = slice_str(doc->path);
    rule_hash(doc->root, f.hash);
    enum status s = rule_logsource(set, doc, &f.logsource, err);
    if (s == OK)
        s = read_targets(set, doc, section, &f, err);
    if (s == OK)
        s = rule_searches(set, doc, section, others, &f.searches, &f.searches_n, &f.lacks, err);
    if (s != OK)
        return s;
    struct slice *names = arena_zero(&set->arena, f.searches_n, sizeof *names);
    for (uint32_t i = 0; i < f.searches_n; i++)
        names[i] = f.searches[i].name;
    const struct yaml_node *condition = yaml_get(section, SLICE("condition"));
    if (!condition)
        return yaml_error(err, doc->path, section,
                          "the filter needs a condition such as 'not selection'");
    s = rule_condition(set, doc, condition, names, f.searches_n, &f.condition, err);
    if (s == OK)
        *VEC_PUSH(set->filters) = f;
    return s;
}

/* ---- applying ---- */

/* A part that the filter's log source does not give may be anything. */
static bool source_holds(const struct sigma_logsource *f, const struct sigma_logsource *rule)
{
    return (f->product.n == 0 || slice_equal_nocase(f->product, rule->product)) &&
           (f->category.n == 0 || slice_equal_nocase(f->category, rule->category)) &&
           (f->service.n == 0 || slice_equal_nocase(f->service, rule->service));
}

static bool is_target(const struct sigma_filter *f, const struct sigma_rule *rule)
{
    if (!source_holds(&f->logsource, &rule->logsource))
        return false;
    for (uint32_t i = 0; i < f->rules_n; i++)
        if (slice_equal_nocase(f->rules[i], rule->id) ||
            (rule->name.n && slice_equal(f->rules[i], rule->name)))
            return true;
    return f->any;
}

/* A copy of a condition whose search numbers are `shift` higher. Its depth is bounded by
 * rule_condition. */
static struct sigma_condition *shifted(struct arena *a, const struct sigma_condition *c,
                                       uint32_t shift)
{
    if (!c)
        return NULL;
    struct sigma_condition *copy = arena_alloc(a, sizeof *copy);
    *copy = *c;
    copy->left = shifted(a, c->left, shift);
    copy->right = shifted(a, c->right, shift);
    copy->search = c->search + shift;
    copy->searches = arena_zero(a, c->searches_n, sizeof *copy->searches);
    for (uint32_t i = 0; i < c->searches_n; i++)
        copy->searches[i] = c->searches[i] + shift;
    return copy;
}

static void apply(struct ruleset *set, const struct sigma_filter *f, struct sigma_rule *rule)
{
    uint32_t n = rule->searches_n + f->searches_n;
    struct sigma_search *searches = arena_zero(&set->arena, n, sizeof *searches);
    memcpy(searches, rule->searches, rule->searches_n * sizeof *searches);
    memcpy(searches + rule->searches_n, f->searches, f->searches_n * sizeof *searches);
    struct sigma_condition *filter = shifted(&set->arena, f->condition, rule->searches_n);
    for (uint32_t i = 0; i < rule->conditions_n; i++) {
        struct sigma_condition *both = arena_zero(&set->arena, 1, sizeof *both);
        both->type = COND_AND;
        both->left = rule->conditions[i];
        both->right = filter;
        rule->conditions[i] = both;
    }
    rule->searches = searches;
    rule->searches_n = n;
    rule_hash_join(rule->hash, f->hash);
}

static void filter_problem(struct ruleset *set, const struct sigma_filter *f, uint32_t line,
                           uint32_t column, struct slice what)
{
    struct error err;
    error_set(&err, STATUS_BAD_INPUT, f->path.p, line, "%.*s", SLICE_ARG(what));
    err.column = column;
    ruleset_problem(set, f->title, &err);
}

static void apply_to_all(struct ruleset *set, const struct sigma_filter *f)
{
    for (size_t i = 0; i < set->loaded.n; i++) {
        struct loaded_rule *loaded = &set->loaded.at[i];
        struct sigma_rule *rule = loaded->rule;
        if (rule->conditions_n == 0 || rule->correlation || !is_target(f, rule))
            continue;
        if (loaded->filters == RULE_FILTERS) {
            filter_problem(set, f, f->line, f->column,
                           arena_printf(&set->arena, "more than %d filters are for the rule '%.*s'",
                                        RULE_FILTERS, SLICE_ARG(rule->title)));
            return;
        }
        loaded->filters++;
        apply(set, f, rule);
    }
}

void filters_apply(struct ruleset *set)
{
    for (size_t i = 0; i < set->filters.n; i++) {
        const struct sigma_filter *f = &set->filters.at[i];
        if (f->lacks.n) {
            filter_problem(set, f, f->line, f->column,
                           arena_printf(&set->arena, "the filter can't be applied: %.*s",
                                        SLICE_ARG(f->lacks)));
            continue;
        }
        for (uint32_t k = 0; k < f->rules_n; k++)
            if (!ruleset_find(set, f->rules[k]))
                filter_problem(set, f, f->rule_lines[k], f->rule_columns[k],
                               arena_printf(&set->arena, "no rule here has the id or name '%.*s'",
                                            SLICE_ARG(f->rules[k])));
        apply_to_all(set, f);
    }
}
