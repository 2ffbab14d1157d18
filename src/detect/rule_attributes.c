#include "detect/ruleset_internal.h"

static const char *const level_names[] = {
    [LEVEL_INFORMATIONAL] = "informational",
    [LEVEL_LOW] = "low",
    [LEVEL_MEDIUM] = "medium",
    [LEVEL_HIGH] = "high",
    [LEVEL_CRITICAL] = "critical",
};
static const char *const status_names[] = {
    [RULE_UNSUPPORTED] = "unsupported",
    [RULE_DEPRECATED] = "deprecated",
    [RULE_EXPERIMENTAL] = "experimental",
    [RULE_TEST] = "test",
    [RULE_STABLE] = "stable",
};
enum { LEVELS = LEVEL_CRITICAL, STATUSES = RULE_STABLE };

const char *sigma_level_name(enum sigma_level level)
{
    return level > LEVEL_NONE && level <= LEVEL_CRITICAL ? level_names[level] : "";
}

const char *sigma_status_name(enum sigma_status status)
{
    return status > RULE_STATUS_NONE && status <= RULE_STABLE ? status_names[status] : "";
}

/* The number of a name, or 0. */
static unsigned find_name(const char *const *names, unsigned last, struct slice name)
{
    for (unsigned i = last; i > 0; i--)
        if (slice_equal_nocase(slice_str(names[i]), name))
            return i;
    return 0;
}

enum sigma_level sigma_level_find(struct slice name)
{
    return (enum sigma_level)find_name(level_names, LEVELS, name);
}

enum sigma_status sigma_status_find(struct slice name)
{
    return (enum sigma_status)find_name(status_names, STATUSES, name);
}

static bool is_absent(const struct yaml_node *node)
{
    return !node || (node->type == YAML_SCALAR && node->kind == YAML_NULL);
}

/* A text; OK and empty when the attribute is not there. */
static enum status read_text(struct ruleset *set, const struct rule_document *doc,
                             const char *attribute, struct slice *out, struct error *err)
{
    const struct yaml_node *node = yaml_get(doc->root, slice_str(attribute));
    *out = (struct slice){0};
    if (is_absent(node))
        return OK;
    if (node->type != YAML_SCALAR)
        return yaml_error(err, doc->path, node, "'%s' must be a text", attribute);
    *out = arena_slice(&set->arena, node->text);
    return OK;
}

enum status rule_texts(struct ruleset *set, const struct rule_document *doc, const char *what,
                       const struct yaml_node *node, struct slice **out, uint32_t *n,
                       struct error *err)
{
    *n = yaml_count(node);
    *out = arena_zero(&set->arena, *n, sizeof **out);
    for (uint32_t i = 0; i < *n; i++) {
        const struct yaml_node *item = yaml_at(node, i);
        if (item->type != YAML_SCALAR)
            return yaml_error(err, doc->path, item, "'%s' must be a list of texts", what);
        (*out)[i] = arena_slice(&set->arena, item->text);
    }
    return OK;
}

static enum status read_related(struct ruleset *set, const struct rule_document *doc,
                                struct sigma_rule *rule, struct error *err)
{
    const struct yaml_node *list = yaml_get(doc->root, SLICE("related"));
    rule->related_n = yaml_count(list);
    rule->related = arena_zero(&set->arena, rule->related_n, sizeof *rule->related);
    for (uint32_t i = 0; i < rule->related_n; i++) {
        const struct yaml_node *entry = yaml_at(list, i);
        struct slice id = yaml_text(yaml_get(entry, SLICE("id")));
        struct slice type = yaml_text(yaml_get(entry, SLICE("type")));
        if (!id.p || !type.p)
            return yaml_error(err, doc->path, entry,
                              "an entry of 'related' needs an id and a type");
        rule->related[i].id = arena_slice(&set->arena, id);
        rule->related[i].type = arena_slice(&set->arena, type);
    }
    return OK;
}

static enum status read_choices(const struct rule_document *doc, struct sigma_rule *rule,
                                struct error *err)
{
    const struct yaml_node *level = yaml_get(doc->root, SLICE("level"));
    const struct yaml_node *status = yaml_get(doc->root, SLICE("status"));
    const struct yaml_node *taxonomy = yaml_get(doc->root, SLICE("taxonomy"));
    if (!is_absent(level) && !(rule->level = sigma_level_find(yaml_text(level))))
        return yaml_error(err, doc->path, level,
                          "the level must be informational, low, medium, high or critical");
    if (!is_absent(status) && !(rule->status = sigma_status_find(yaml_text(status))))
        return yaml_error(
            err, doc->path, status,
            "the status must be stable, test, experimental, deprecated or unsupported");
    if (!is_absent(taxonomy) && !slice_equal_nocase(rule->taxonomy, SLICE("sigma")) &&
        !slice_equal_nocase(rule->taxonomy, SLICE("ecs")))
        return yaml_error(err, doc->path, taxonomy,
                          "the taxonomy '%.*s' is not known; field names must be those of Sigma's "
                          "taxonomy ('sigma') or of ECS ('ecs')",
                          SLICE_ARG(rule->taxonomy));
    return OK;
}

enum status rule_attributes(struct ruleset *set, const struct rule_document *doc,
                            struct sigma_rule *rule, struct error *err)
{
    const struct {
        const char *name;
        struct slice *out;
    } texts[] = {
        {"title", &rule->title},       {"id", &rule->id},
        {"name", &rule->name},         {"description", &rule->description},
        {"author", &rule->author},     {"date", &rule->date},
        {"modified", &rule->modified}, {"license", &rule->license},
        {"taxonomy", &rule->taxonomy},
    };
    const struct {
        const char *name;
        struct slice **out;
        uint32_t *n;
    } lists[] = {
        {"tags", &rule->tags, &rule->tags_n},
        {"references", &rule->references, &rule->references_n},
        {"falsepositives", &rule->falsepositives, &rule->falsepositives_n},
        {"fields", &rule->fields, &rule->fields_n},
        {"scope", &rule->scope, &rule->scope_n},
    };
    enum status s = OK;
    for (size_t i = 0; s == OK && i < sizeof texts / sizeof *texts; i++)
        s = read_text(set, doc, texts[i].name, texts[i].out, err);
    for (size_t i = 0; s == OK && i < sizeof lists / sizeof *lists; i++)
        s = rule_texts(set, doc, lists[i].name, yaml_get(doc->root, slice_str(lists[i].name)),
                       lists[i].out, lists[i].n, err);
    if (s == OK)
        s = read_choices(doc, rule, err);
    if (s == OK)
        s = read_related(set, doc, rule, err);
    if (s == OK && slice_trim(rule->title).n == 0)
        s = yaml_error(err, doc->path, doc->root, "the rule needs a title");
    return s;
}

enum status rule_logsource(struct ruleset *set, const struct rule_document *doc,
                           struct sigma_logsource *out, struct error *err)
{
    const struct yaml_node *node = yaml_get(doc->root, SLICE("logsource"));
    const struct {
        const char *name;
        struct slice *out;
    } parts[] = {
        {"product", &out->product}, {"category", &out->category}, {"service", &out->service}};
    if (!node || node->type != YAML_MAPPING)
        return yaml_error(err, doc->path, node ? node : doc->root,
                          "a 'logsource' with a category, product or service is missing");
    bool any = false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const struct yaml_node *part = yaml_get(node, slice_str(parts[i].name));
        if (is_absent(part))
            continue;
        if (part->type != YAML_SCALAR || part->text.n == 0)
            return yaml_error(err, doc->path, part, "'%s' must be a text", parts[i].name);
        *parts[i].out = arena_slice(&set->arena, part->text);
        any = true;
    }
    if (!any)
        return yaml_error(err, doc->path, node,
                          "the 'logsource' needs a category, product or service");
    return OK;
}

/* ---- choices ---- */

static bool tag_is(struct slice tag, struct slice wanted)
{
    return slice_equal_nocase(tag, wanted) ||
           (tag.n > wanted.n && tag.p[wanted.n] == '.' &&
            slice_equal_nocase(slice_sub(tag, 0, wanted.n), wanted));
}

/* "windows/process_creation": each part is the rule's product, category or service. */
static bool logsource_is(const struct sigma_logsource *l, struct slice wanted)
{
    for (;;) {
        ptrdiff_t slash = slice_find(wanted, SLICE("/"));
        struct slice part = slice_sub(wanted, 0, slash < 0 ? wanted.n : (size_t)slash);
        if (!slice_equal_nocase(part, l->product) && !slice_equal_nocase(part, l->category) &&
            !slice_equal_nocase(part, l->service))
            return false;
        if (slash < 0)
            return true;
        wanted = slice_sub(wanted, (size_t)slash + 1, SIZE_MAX);
    }
}

static bool status_is_chosen(const struct sigma_rule *rule, const struct rule_choice *choice)
{
    for (size_t i = 0; i < choice->statuses_n; i++)
        if (sigma_status_find(slice_str(choice->statuses[i])) == rule->status &&
            rule->status != RULE_STATUS_NONE)
            return true;
    if (choice->statuses_n)
        return false;
    return choice->with_deprecated ||
           (rule->status != RULE_DEPRECATED && rule->status != RULE_UNSUPPORTED);
}

bool rule_is_chosen(const struct sigma_rule *rule, const struct rule_choice *choice)
{
    bool tag = choice->tags_n == 0;
    for (size_t i = 0; !tag && i < choice->tags_n; i++)
        for (uint32_t t = 0; !tag && t < rule->tags_n; t++)
            tag = tag_is(rule->tags[t], slice_str(choice->tags[i]));
    return tag && rule->level >= choice->level_least && status_is_chosen(rule, choice);
}

bool rule_source_is_chosen(const struct sigma_rule *rule, const struct rule_choice *choice)
{
    bool found = choice->logsources_n == 0;
    for (size_t i = 0; !found && i < choice->logsources_n; i++)
        found = logsource_is(&rule->logsource, slice_str(choice->logsources[i]));
    return found;
}
