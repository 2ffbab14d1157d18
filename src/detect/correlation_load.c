/* Reads the `correlation` section of a rule (correlation rules specification 2.1), and what pySigma
 * takes beyond it: a condition over rules ("a and not b"), `percentile`, value_median. */
#include "detect/correlation_internal.h"
#include "detect/ruleset_internal.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

struct reader {
    struct ruleset *set;
    const struct rule_document *doc;
    const struct yaml_node *section;
    struct sigma_correlation *c;
    struct error *err;
};

#define REFUSE(r, node, ...) yaml_error((r)->err, (r)->doc->path, (node), __VA_ARGS__)

static const struct yaml_node *get(const struct reader *r, const char *key)
{
    const struct yaml_node *node = yaml_get(r->section, slice_str(key));
    return node && node->type == YAML_SCALAR && node->kind == YAML_NULL ? NULL : node;
}

static enum status check_keys(const struct reader *r, const struct yaml_node *map,
                              const char *const *known, const char *what)
{
    for (uint32_t i = 0; i < map->n; i++) {
        const char *const *k = known;
        while (*k && !slice_equal(map->keys[i]->text, slice_str(*k)))
            k++;
        if (!*k)
            return REFUSE(r, map->keys[i], "%s has no '%.*s'", what, SLICE_ARG(map->keys[i]->text));
    }
    return OK;
}

static enum status read_type(struct reader *r)
{
    static const struct {
        const char *name;
        enum correlation_type type;
    } types[] = {
        {"event_count", CORRELATE_EVENT_COUNT},
        {"value_count", CORRELATE_VALUE_COUNT},
        {"temporal", CORRELATE_TEMPORAL},
        {"temporal_ordered", CORRELATE_TEMPORAL_ORDERED},
        {"value_sum", CORRELATE_VALUE_SUM},
        {"value_avg", CORRELATE_VALUE_AVG},
        {"value_percentile", CORRELATE_VALUE_PERCENTILE},
        {"value_median", CORRELATE_VALUE_PERCENTILE},
    };
    const struct yaml_node *node = get(r, "type");
    if (!node)
        return REFUSE(r, r->section, "the correlation needs a 'type', such as event_count");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (slice_equal_nocase(yaml_text(node), slice_str(types[i].name))) {
            r->c->type = types[i].type;
            r->c->percentile = slice_equal_nocase(node->text, SLICE("value_median")) ? 50 : -1;
            return OK;
        }
    return REFUSE(r, node,
                  "the type must be event_count, value_count, temporal, temporal_ordered, "
                  "value_sum, value_avg or value_percentile");
}

static const char *type_name(const struct reader *r)
{
    return get(r, "type")->text.p; /* a scalar ends with NUL */
}

/* A list of texts that are there and not twice. */
static enum status read_names(struct reader *r, const char *what, const struct yaml_node *node,
                              uint32_t most, struct slice **out, uint32_t *n)
{
    if (yaml_count(node) > most)
        return REFUSE(r, node, "'%s' has more than %u entries", what, most);
    enum status s = rule_texts(r->set, r->doc, what, node, out, n, r->err);
    for (uint32_t i = 0; s == OK && i < *n; i++) {
        if ((*out)[i].n == 0)
            return REFUSE(r, yaml_at(node, i), "an entry of '%s' is empty", what);
        for (uint32_t k = 0; k < i; k++)
            if (slice_equal((*out)[i], (*out)[k]))
                return REFUSE(r, yaml_at(node, i), "'%.*s' is in '%s' already",
                              SLICE_ARG((*out)[i]), what);
    }
    return s;
}

static void make_room(struct reader *r, uint32_t rules)
{
    r->c->rules = arena_zero(&r->set->arena, rules, sizeof(*r->c->rules));
    r->c->rule_places = arena_zero(&r->set->arena, rules, sizeof *r->c->rule_places);
}

/* The rules that a condition names, where `rules` is left out; in its order. */
static enum status names_of_condition(struct reader *r, const struct yaml_node *node)
{
    struct sigma_correlation *c = r->c;
    make_room(r, CORRELATION_RULES_TIMELY);
    c->rule_names = arena_zero(&r->set->arena, CORRELATION_RULES_TIMELY, sizeof *c->rule_names);
    struct slice left = slice_trim(node->text);
    while (left.n) {
        size_t n = 0;
        while (n < left.n && !strchr(" \t\r\n()", left.p[n]))
            n++;
        struct slice word = slice_sub(left, 0, n);
        left = slice_trim(slice_sub(left, n ? n : 1, left.n));
        bool known = n == 0 || slice_equal_nocase(word, SLICE("and")) ||
                     slice_equal_nocase(word, SLICE("or")) ||
                     slice_equal_nocase(word, SLICE("not"));
        for (uint32_t i = 0; i < c->rules_n; i++)
            known |= slice_equal(word, c->rule_names[i]);
        if (known)
            continue;
        if (c->rules_n == CORRELATION_RULES_TIMELY)
            return REFUSE(r, node, "the condition names more than %d rules",
                          CORRELATION_RULES_TIMELY);
        c->rule_places[c->rules_n] = (struct correlation_place){node->line, node->column};
        c->rule_names[c->rules_n++] = arena_slice(&r->set->arena, word);
    }
    return OK;
}

static enum status read_rules(struct reader *r)
{
    struct sigma_correlation *c = r->c;
    const struct yaml_node *node = get(r, "rules"), *condition = get(r, "condition");
    bool timely = !correlation_counts(c);
    if (!node && timely && condition && condition->type == YAML_SCALAR)
        return names_of_condition(r, condition);
    if (yaml_count(node) == 0)
        return REFUSE(r, node ? node : r->section,
                      "the correlation needs 'rules': ids or names of the rules it looks at");
    enum status s =
        read_names(r, "rules", node, timely ? CORRELATION_RULES_TIMELY : CORRELATION_RULES,
                   &c->rule_names, &c->rules_n);
    if (s != OK)
        return s;
    make_room(r, c->rules_n);
    for (uint32_t i = 0; i < c->rules_n; i++)
        c->rule_places[i] =
            (struct correlation_place){yaml_at(node, i)->line, yaml_at(node, i)->column};
    return OK;
}

/* Months and years are mean ones of the Gregorian calendar, as pySigma has them. */
static enum status read_timespan(struct reader *r)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1},      {'m', 60},      {'h', 3600},    {'d', 86400},
                 {'w', 604800}, {'M', 2629746}, {'y', 31556952}};
    const int64_t most = 100 * INT64_C(31556952); /* seconds; nanoseconds must not overflow */
    const struct yaml_node *node = get(r, "timespan");
    if (!node)
        return REFUSE(r, r->section, "the correlation needs a 'timespan', such as 15m");
    struct slice text = yaml_text(node);
    int64_t count = 0, unit = 0;
    size_t at = 0;
    for (; at < text.n && text.p[at] >= '0' && text.p[at] <= '9'; at++)
        count = count > most ? count : count * 10 + (text.p[at] - '0');
    for (size_t i = 0; at > 0 && at + 1 == text.n && i < sizeof units / sizeof *units; i++)
        if (text.p[at] == units[i].unit)
            unit = units[i].seconds;
    if (count == 0 || unit == 0)
        return REFUSE(r, node,
                      "the timespan must be a number above 0 and a unit (s, m, h, d, w, M, y), "
                      "such as 15m");
    if (count > most / unit)
        return REFUSE(r, node, "the timespan is longer than a hundred years");
    r->c->timespan = count * unit * NS_PER_SECOND;
    return OK;
}

static enum status read_alias(struct reader *r, const struct yaml_node *key,
                              const struct yaml_node *map, struct correlation_alias *alias)
{
    if (map->type != YAML_MAPPING || map->n == 0)
        return REFUSE(r, map,
                      "the alias '%.*s' must be a map from a rule's name to the field's name there",
                      SLICE_ARG(key->text));
    alias->name = arena_slice(&r->set->arena, key->text);
    alias->fields = arena_zero(&r->set->arena, map->n, sizeof *alias->fields);
    for (uint32_t i = 0; i < map->n; i++) {
        if (map->items[i]->type != YAML_SCALAR || map->items[i]->text.n == 0)
            return REFUSE(r, map->items[i], "a field's name must stand here");
        alias->fields[i].rule_name = arena_slice(&r->set->arena, map->keys[i]->text);
        alias->fields[i].field = arena_slice(&r->set->arena, map->items[i]->text);
        alias->fields[i].line = map->keys[i]->line;
        alias->fields[i].column = map->keys[i]->column;
    }
    alias->fields_n = map->n;
    return OK;
}

static enum status read_aliases(struct reader *r)
{
    const struct yaml_node *node = get(r, "aliases");
    if (!node)
        return OK;
    if (node->type != YAML_MAPPING)
        return REFUSE(r, node, "'aliases' must be a map from an alias to fields of rules");
    r->c->aliases = arena_zero(&r->set->arena, node->n, sizeof *r->c->aliases);
    r->c->aliases_n = node->n;
    enum status s = OK;
    for (uint32_t i = 0; s == OK && i < node->n; i++)
        s = read_alias(r, node->keys[i], node->items[i], &r->c->aliases[i]);
    return s;
}

/* ---- condition ---- */

static bool read_number(const struct yaml_node *node, double *out)
{
    if (node->type != YAML_SCALAR || (node->kind != YAML_INT && node->kind != YAML_FLOAT))
        return false;
    char *end;
    *out = strtod(node->text.p, &end);
    return end == node->text.p + node->text.n && isfinite(*out);
}

static enum status read_bounds(struct reader *r, const struct yaml_node *map)
{
    static const char *const names[] = {
        [BOUND_GT] = "gt",   [BOUND_GTE] = "gte", [BOUND_LT] = "lt",
        [BOUND_LTE] = "lte", [BOUND_EQ] = "eq",   [BOUND_NEQ] = "neq",
    };
    struct sigma_correlation *c = r->c;
    for (unsigned type = BOUND_GT; type <= BOUND_NEQ; type++) {
        const struct yaml_node *node = yaml_get(map, slice_str(names[type]));
        if (!node)
            continue;
        struct correlation_bound *bound = &c->bounds[c->bounds_n++];
        if (!read_number(node, &bound->value))
            return REFUSE(r, node, "'%s' must be a number", names[type]);
        memcpy(&bound->type, &type, sizeof type);
        if (!correlation_counts(c) && ((type == BOUND_GTE && bound->value > c->rules_n) ||
                                       (type == BOUND_GT && bound->value >= c->rules_n)))
            return REFUSE(r, node, "the correlation refers to only %u rules, so this never holds",
                          c->rules_n);
    }
    if (c->bounds_n == 0 && correlation_counts(c))
        return REFUSE(r, map, "the condition needs a limit: gt, gte, lt, lte, eq or neq");
    return OK;
}

static enum status read_field(struct reader *r, const struct yaml_node *map)
{
    struct sigma_correlation *c = r->c;
    const struct yaml_node *node = yaml_get(map, SLICE("field"));
    if (!correlation_counts(c) || c->type == CORRELATE_EVENT_COUNT)
        return node ? REFUSE(r, node, "%s looks at no field; value_count counts distinct values",
                             type_name(r))
                    : OK;
    if (yaml_count(node) == 0)
        return REFUSE(r, map, "%s needs the 'field' whose values it looks at", type_name(r));
    enum status s = read_names(r, "field", node, CORRELATION_FIELDS, &c->fields, &c->fields_n);
    if (s == OK && c->fields_n > 1 &&
        (c->type == CORRELATE_VALUE_SUM || c->type == CORRELATE_VALUE_AVG || c->percentile >= 0))
        return REFUSE(r, yaml_at(node, 1), "%s looks at one field", type_name(r));
    return s;
}

static enum status read_percentile(struct reader *r, const struct yaml_node *map)
{
    const struct yaml_node *node = yaml_get(map, SLICE("percentile"));
    if (!node)
        return OK;
    if (r->c->type != CORRELATE_VALUE_PERCENTILE)
        return REFUSE(r, node, "only value_percentile has a 'percentile'");
    if (!read_number(node, &r->c->percentile) || r->c->percentile < 0 || r->c->percentile > 100)
        return REFUSE(r, node, "'percentile' must be a number from 0 to 100");
    return OK;
}

/* "a and not b": over the rules. */
static enum status read_expression(struct reader *r, const struct yaml_node *node)
{
    struct sigma_correlation *c = r->c;
    if (correlation_counts(c))
        return REFUSE(r, node,
                      "%s needs a map with a limit as its condition, such as {gte: 10}; only the "
                      "temporal types take an expression",
                      type_name(r));
    enum status s =
        rule_condition(r->set, r->doc, node, c->rule_names, c->rules_n, &c->condition, r->err);
    if (s != OK)
        return s;
    for (uint32_t i = 0; i < c->rules_n; i++)
        if (!(correlation_named(c->condition) >> i & 1))
            return REFUSE(r, node, "the condition does not speak of '%.*s', which is in 'rules'",
                          SLICE_ARG(c->rule_names[i]));
    if (correlation_condition(c->condition, 0))
        return REFUSE(r, node, "the condition would hold where nothing at all happened");
    return OK;
}

static enum status read_condition(struct reader *r)
{
    static const char *const keys[] = {"gt",  "gte",   "lt",         "lte", "eq",
                                       "neq", "field", "percentile", NULL};
    const struct yaml_node *node = get(r, "condition");
    if (!node && !correlation_counts(r->c))
        return OK; /* every rule */
    if (!node)
        return REFUSE(r, r->section, "%s needs a 'condition', such as {gte: 10}", type_name(r));
    if (node->type == YAML_SCALAR)
        return read_expression(r, node);
    if (node->type != YAML_MAPPING)
        return REFUSE(r, node, "the condition must be a map, such as {gte: 10}");
    enum status s = check_keys(r, node, keys, "a condition");
    if (s == OK)
        s = read_percentile(r, node);
    if (s == OK)
        s = read_field(r, node);
    return s == OK ? read_bounds(r, node) : s;
}

/* The specification has `generate` beside the section; pySigma reads it in the section. */
static enum status read_generate(struct reader *r)
{
    const struct yaml_node *nodes[] = {yaml_get(r->doc->root, SLICE("generate")),
                                       get(r, "generate")};
    for (size_t i = 0; i < 2; i++)
        if (nodes[i] && !yaml_bool(nodes[i], &r->c->generate))
            return REFUSE(r, nodes[i], "'generate' must be true or false");
    return OK;
}

enum status correlation_load(struct ruleset *set, const struct rule_document *doc,
                             struct sigma_rule *rule, struct error *err)
{
    static const char *const keys[] = {"type",     "rules",     "aliases",  "group-by",
                                       "timespan", "condition", "generate", NULL};
    struct sigma_correlation *c = arena_zero(&set->arena, 1, sizeof *c);
    struct reader r = {set, doc, yaml_get(doc->root, SLICE("correlation")), c, err};
    if (r.section->type != YAML_MAPPING)
        return REFUSE(&r, r.section, "'correlation' must be a map");
    enum status s = check_keys(&r, r.section, keys, "a correlation");
    if (s == OK)
        s = read_type(&r);
    if (s == OK)
        s = read_rules(&r);
    if (s == OK)
        s = read_names(&r, "group-by", get(&r, "group-by"), CORRELATION_FIELDS, &c->group_by,
                       &c->group_by_n);
    if (s == OK)
        s = read_timespan(&r);
    if (s == OK)
        s = read_aliases(&r);
    if (s == OK)
        s = read_condition(&r);
    if (s == OK)
        s = read_generate(&r);
    rule->correlation = c;
    return s;
}

/* ---- references ---- */

static __attribute__((format(printf, 5, 6))) enum status refuse_at(const struct sigma_rule *rule,
                                                                   uint32_t line, uint32_t column,
                                                                   struct error *err,
                                                                   const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_vset(err, STATUS_BAD_INPUT, rule->path.p, line, format, args);
    va_end(args);
    err->column = column;
    return STATUS_BAD_INPUT;
}

static enum status resolve_alias(const struct ruleset *set, const struct sigma_rule *rule,
                                 struct correlation_alias *alias, struct error *err)
{
    const struct sigma_correlation *c = rule->correlation;
    for (uint32_t i = 0; i < alias->fields_n; i++) {
        struct slice name = alias->fields[i].rule_name;
        const struct sigma_rule *meant = ruleset_find(set, name);
        uint32_t k = 0;
        while (k < c->rules_n && c->rules[k] != meant && !slice_equal(c->rule_names[k], name))
            k++;
        if (k == c->rules_n)
            return refuse_at(rule, alias->fields[i].line, alias->fields[i].column, err,
                             "the alias '%.*s' names the rule '%.*s', which is not in 'rules'",
                             SLICE_ARG(alias->name), SLICE_ARG(name));
        alias->fields[i].rule = k;
    }
    return OK;
}

enum status correlation_resolve(struct ruleset *set, struct sigma_rule *rule, struct error *err)
{
    /* made by correlation_load, read-only only for those who come after */
    struct sigma_correlation *c = (struct sigma_correlation *)(uintptr_t)rule->correlation;
    for (uint32_t i = 0; i < c->rules_n; i++) {
        struct correlation_place at = c->rule_places[i];
        c->rules[i] = ruleset_find(set, c->rule_names[i]);
        if (!c->rules[i])
            return refuse_at(rule, at.line, at.column, err,
                             "no rule that was read has the id or name '%.*s'; read its file too, "
                             "or mend the name",
                             SLICE_ARG(c->rule_names[i]));
        if (c->rules[i] == rule)
            return refuse_at(rule, at.line, at.column, err, "the correlation refers to itself");
        for (uint32_t k = 0; k < i; k++)
            if (c->rules[k] == c->rules[i])
                return refuse_at(rule, at.line, at.column, err,
                                 "'%.*s' and '%.*s' are the same rule", SLICE_ARG(c->rule_names[k]),
                                 SLICE_ARG(c->rule_names[i]));
    }
    enum status s = OK;
    for (uint32_t i = 0; i < c->aliases_n && s == OK; i++)
        s = resolve_alias(set, rule, &c->aliases[i], err);
    return s;
}
