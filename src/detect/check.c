#include "detect/check.h"

#include "base/vec.h"
#include "detect/check_internal.h"
#include "intake/reader.h"

#include <stdlib.h>

enum { BINDINGS_MOST = 256 };

/* Whether a reader gives events with this product. */
static bool product_is_read(struct slice product)
{
    for (const struct reader *const *r = reader_table; *r; r++)
        for (const char *const *p = (*r)->products; p && *p; p++)
            if (slice_equal_nocase(slice_str(*p), product))
                return true;
    return false;
}

/* Channels are those of Windows event logs. A binding of nothing but a category takes the events of
 * readers that name it, whatever their product. */
static bool is_read(const struct log_binding *b)
{
    return product_is_read(b->channels_n ? SLICE("windows") : b->product);
}

static int by_source(const void *a, const void *b)
{
    const struct sigma_logsource *x = &((const struct check_source *)a)->logsource;
    const struct sigma_logsource *y = &((const struct check_source *)b)->logsource;
    int c = slice_compare(x->product, y->product);
    if (c == 0)
        c = slice_compare(x->category, y->category);
    return c ? c : slice_compare(x->service, y->service);
}

struct checker {
    const struct ruleset *set;
    const struct mappings *mappings;
    struct check *out;
    struct map names; /* "product/category/service" to the index in `sources` */
    struct {
        struct check_source *at;
        size_t n, cap;
    } sources;
    struct {
        struct check_remark *at;
        size_t n, cap;
    } remarks;
};

static struct check_source *source_of(struct checker *k, const struct sigma_logsource *l)
{
    struct arena *a = &k->out->arena;
    struct slice name = arena_printf(a, "%.*s/%.*s/%.*s", SLICE_ARG(l->product),
                                     SLICE_ARG(l->category), SLICE_ARG(l->service));
    bool is_new;
    uint32_t *slot = map_put(&k->names, name, &is_new);
    if (!is_new)
        return &k->sources.at[*slot];
    *slot = (uint32_t)k->sources.n;
    uint32_t *bindings = arena_zero(a, BINDINGS_MOST, sizeof *bindings);
    size_t n = mappings_for_logsource(k->mappings, l->product, l->category, l->service, bindings,
                                      BINDINGS_MOST);
    struct check_source made = {.logsource = *l, .bindings = bindings};
    made.bindings_n = (uint32_t)(n < BINDINGS_MOST ? n : BINDINGS_MOST);
    for (uint32_t i = 0; i < made.bindings_n; i++)
        made.read |= is_read(mappings_get(k->mappings, bindings[i]));
    *VEC_PUSH(k->sources) = made;
    return &k->sources.at[*slot];
}

static void remark(struct checker *k, enum check_kind kind, const struct sigma_rule *rule,
                   struct slice what)
{
    *VEC_PUSH(k->remarks) = (struct check_remark){
        .kind = kind,
        .path = rule->path,
        .title = rule->title,
        .what = what,
        .line = rule->line,
        .column = 1,
        .rule = rule,
    };
    k->out->counts[kind]++;
}

/* Why none of the kinds of events that are read can match, or an empty slice. */
static struct slice never_on_any(struct checker *k, const struct check_source *source,
                                 const struct sigma_rule *rule)
{
    struct slice why = {0};
    for (uint32_t i = 0; i < source->bindings_n; i++) {
        const struct log_binding *b = mappings_get(k->mappings, source->bindings[i]);
        if (source->read && !is_read(b))
            continue;
        struct slice reason = check_never(&k->out->arena, rule, b);
        if (!reason.n)
            return reason;
        if (!why.n)
            why = reason;
    }
    return why;
}

/* ---- searches that the condition leaves out ---- */

static void mark_used(const struct sigma_condition *c, bool *used)
{
    if (c->left)
        mark_used(c->left, used);
    if (c->right)
        mark_used(c->right, used);
    if (c->type == COND_SEARCH)
        used[c->search] = true;
    for (uint32_t i = 0; c->type == COND_OF && i < c->searches_n; i++)
        used[c->searches[i]] = true;
}

static const struct sigma_item *first_item(const struct sigma_detection *d)
{
    while (d->type != DETECT_ITEM)
        d = &d->children[0];
    return &d->item;
}

static void check_unused(struct checker *k, const struct sigma_rule *rule)
{
    struct arena *a = &k->out->arena;
    bool *used = arena_zero(a, rule->searches_n, sizeof *used);
    for (uint32_t i = 0; i < rule->conditions_n; i++)
        mark_used(rule->conditions[i], used);
    for (uint32_t i = 0; rule->conditions_n && i < rule->searches_n; i++) {
        if (used[i])
            continue;
        const struct sigma_search *s = &rule->searches[i];
        const struct sigma_item *item = first_item(&s->detection);
        remark(k, CHECK_UNUSED, rule,
               arena_printf(a, "the condition does not use the search '%.*s'", SLICE_ARG(s->name)));
        k->remarks.at[k->remarks.n - 1].line = item->line;
        k->remarks.at[k->remarks.n - 1].column = item->column;
    }
}

/* Events of Windows keep the names of their source; other readers give ECS names. */
static void check_names(struct checker *k, const struct check_source *source,
                        const struct sigma_rule *rule)
{
    if (!slice_equal_nocase(rule->taxonomy, SLICE("ecs")) || !source->bindings_n)
        return;
    for (uint32_t i = 0; i < source->bindings_n; i++)
        if (!mappings_get(k->mappings, source->bindings[i])->channels_n)
            return;
    remark(
        k, CHECK_NAMES, rule,
        SLICE("its taxonomy is 'ecs', but events of Windows have the names of their source "
              "(Image, CommandLine), and only those from winlogbeat also ECS's: use the names of "
              "Sigma's taxonomy"));
}

static void check_rule(struct checker *k, const struct sigma_rule *rule)
{
    struct arena *a = &k->out->arena;
    if (rule->correlation) {
        k->out->correlations++;
        return;
    }
    struct check_source *source = source_of(k, &rule->logsource);
    const struct sigma_logsource *l = &rule->logsource;
    struct slice name = logsource_text(a, l->product, l->category, l->service);
    struct slice why = {0};
    size_t before = k->remarks.n;
    source->rules++;
    if (source->bindings_n == 0)
        remark(
            k, CHECK_UNKNOWN, rule,
            arena_printf(a,
                         "no mapping knows the log source %.*s; correct its name, or add it to a "
                         "folder for --mappings",
                         SLICE_ARG(name)));
    else if (rule->lacks.n)
        remark(k, CHECK_LACKS, rule,
               arena_printf(a, "it can't match yet: %.*s", SLICE_ARG(rule->lacks)));
    else if ((why = never_on_any(k, source, rule)).n)
        remark(k, CHECK_NEVER, rule, arena_printf(a, "it can never match: %.*s", SLICE_ARG(why)));
    else if (!source->read)
        remark(k, CHECK_UNREAD, rule,
               arena_printf(a, "no reader gives events of %.*s yet", SLICE_ARG(name)));
    source->never += k->remarks.n > before;
    check_names(k, source, rule);
    check_unused(k, rule);
}

struct check *check_rules(const struct ruleset *set, const struct mappings *mappings)
{
    struct check *c = xcalloc(1, sizeof *c);
    struct checker k = {.set = set, .mappings = mappings, .out = c};
    const struct rule_problem *problems;
    size_t n = ruleset_problems(set, &problems);
    for (size_t i = 0; i < n; i++)
        *VEC_PUSH(k.remarks) = (struct check_remark){.kind = CHECK_UNUSABLE,
                                                     .path = problems[i].path,
                                                     .title = problems[i].title,
                                                     .what = problems[i].what,
                                                     .line = problems[i].line,
                                                     .column = problems[i].column};
    c->counts[CHECK_UNUSABLE] = n;
    c->rules = ruleset_count(set);
    for (uint32_t i = 0; i < c->rules; i++)
        check_rule(&k, ruleset_rule(set, i));
    if (k.sources.n)
        qsort(k.sources.at, k.sources.n, sizeof *k.sources.at, by_source);
    c->sources = k.sources.at;
    c->sources_n = k.sources.n;
    c->remarks = k.remarks.at;
    c->remarks_n = k.remarks.n;
    map_free(&k.names);
    return c;
}

void check_free(struct check *c)
{
    if (!c)
        return;
    free(c->sources);
    free(c->remarks);
    arena_free(&c->arena);
    free(c);
}

bool check_finds_faults(const struct check *c)
{
    return c->counts[CHECK_UNUSABLE] || c->counts[CHECK_NEVER] || c->counts[CHECK_UNKNOWN];
}

const char *check_kind_name(enum check_kind kind)
{
    static const char *const names[] = {"unusable", "never", "unknown", "unread",
                                        "lacks",    "names", "unused"};
    return names[kind];
}
