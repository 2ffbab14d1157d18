#include "detect/engine.h"

#include "base/vec.h"
#include "detect/engine_internal.h"

#include <pthread.h>
#include <stdlib.h>

enum { KINDS_MOST = 8192 };

struct engine {
    const struct mappings *mappings;
    struct regexes *regexes;
    size_t bindings_n;
    uint32_t *first; /* by binding: its first rule in `rules`; one more at the end */
    const struct sigma_rule **rules;
    pthread_mutex_t lock;    /* of the plans, which are made when a kind first needs them */
    struct map plan_numbers; /* set of bindings -> index */
    struct {
        struct plan **at;
        size_t n, cap;
    } plans;
};

/* ---- building ---- */

static void compile_regexes(struct regexes *set, const struct sigma_detection *d)
{
    if (d->type != DETECT_ITEM)
        for (uint32_t i = 0; i < d->children_n; i++)
            compile_regexes(set, &d->children[i]);
    else if (d->item.modifiers & MOD_RE)
        for (uint32_t i = 0; i < d->item.values_n; i++)
            regexes_add(set, d->item.values[i].text, d->item.modifiers);
}

struct binding_of_rule {
    uint32_t binding, rule;
};

static int by_binding(const void *a, const void *b)
{
    const struct binding_of_rule *x = a, *y = b;
    if (x->binding != y->binding)
        return x->binding > y->binding ? 1 : -1;
    return (x->rule > y->rule) - (x->rule < y->rule);
}

/* Which rules each binding serves, in the order of the rule set. */
static void index_rules(struct engine *e, const struct sigma_rule *const *rules, size_t rules_n)
{
    struct {
        struct binding_of_rule *at;
        size_t n, cap;
    } all = {0};
    uint32_t *found = xcalloc(e->bindings_n, sizeof *found);
    for (uint32_t i = 0; i < rules_n; i++) {
        const struct sigma_rule *rule = rules[i];
        const struct sigma_logsource *log = &rule->logsource;
        if (rule->correlation || !rule->conditions_n)
            continue;
        size_t n = mappings_for_logsource(e->mappings, log->product, log->category, log->service,
                                          found, e->bindings_n);
        for (size_t k = 0; k < n; k++)
            *VEC_PUSH(all) = (struct binding_of_rule){found[k], i};
    }
    if (all.n)
        qsort(all.at, all.n, sizeof *all.at, by_binding);
    e->rules = xcalloc(all.n, sizeof *e->rules);
    for (size_t i = 0; i < all.n; i++) {
        e->rules[i] = rules[all.at[i].rule];
        e->first[all.at[i].binding + 1]++;
    }
    for (size_t i = 0; i < e->bindings_n; i++)
        e->first[i + 1] += e->first[i];
    free(found);
    free(all.at);
}

struct engine *engine_new_of(const struct sigma_rule *const *rules, size_t n,
                             const struct mappings *mappings, struct error *err)
{
    struct engine *e = xcalloc(1, sizeof *e);
    if (pthread_mutex_init(&e->lock, NULL) != 0) {
        error_set(err, STATUS_SYSTEM, NULL, ERROR_NO_OFFSET, "no lock can be made");
        free(e);
        return NULL;
    }
    e->mappings = mappings;
    e->bindings_n = mappings_count(mappings);
    e->first = xcalloc(e->bindings_n + 1, sizeof *e->first);
    e->regexes = regexes_new();
    for (size_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < rules[i]->searches_n; k++)
            compile_regexes(e->regexes, &rules[i]->searches[k].detection);
    index_rules(e, rules, n);
    return e;
}

struct engine *engine_new(const struct ruleset *set, const struct mappings *mappings,
                          struct error *err)
{
    size_t n = ruleset_count(set);
    const struct sigma_rule **rules = xcalloc(n, sizeof *rules);
    for (uint32_t i = 0; i < n; i++)
        rules[i] = ruleset_rule(set, i);
    struct engine *e = engine_new_of(rules, n, mappings, err);
    free(rules);
    return e;
}

void engine_free(struct engine *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->plans.n; i++)
        plan_free(e->plans.at[i]);
    free(e->plans.at);
    map_free(&e->plan_numbers);
    regexes_free(e->regexes);
    free(e->rules);
    free(e->first);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

/* ---- plans ---- */

static int by_rule(const void *a, const void *b)
{
    const struct plan_rule *x = a, *y = b;
    if (x->rule->index != y->rule->index)
        return x->rule->index > y->rule->index ? 1 : -1;
    return (x->binding->index > y->binding->index) - (x->binding->index < y->binding->index);
}

static struct plan *make_plan(const struct engine *e, const uint32_t *bindings, size_t n)
{
    struct {
        struct plan_rule *at;
        size_t n, cap;
    } list = {0};
    for (size_t i = 0; i < n; i++)
        for (uint32_t k = e->first[bindings[i]]; k < e->first[bindings[i] + 1]; k++)
            *VEC_PUSH(list) =
                (struct plan_rule){e->rules[k], mappings_get(e->mappings, bindings[i])};
    if (list.n)
        qsort(list.at, list.n, sizeof *list.at, by_rule);
    struct plan *p = plan_new(list.at, list.n, e->regexes);
    free(list.at);
    return p;
}

/* The plan of the bindings that hold for a kind, made when nobody needed it before. */
static const struct plan *plan_for(struct engine *e, const struct event_kind *kind)
{
    struct {
        uint32_t *at;
        size_t n, cap;
    } bindings = {0};
    for (uint32_t i = 0; i < e->bindings_n; i++)
        if (e->first[i] < e->first[i + 1] && binding_holds(mappings_get(e->mappings, i), kind))
            *VEC_PUSH(bindings) = i;
    bool is_new;
    pthread_mutex_lock(&e->lock);
    uint32_t *slot =
        map_put(&e->plan_numbers, slice_of(bindings.at, bindings.n * sizeof *bindings.at), &is_new);
    if (is_new) {
        *slot = (uint32_t)e->plans.n;
        struct plan *p = make_plan(e, bindings.at, bindings.n);
        p->number = *slot;
        *VEC_PUSH(e->plans) = p;
    }
    const struct plan *plan = e->plans.at[*slot];
    pthread_mutex_unlock(&e->lock);
    free(bindings.at);
    return plan;
}

/* ---- workers ---- */

struct engine_worker *engine_worker_new(struct engine *e)
{
    struct engine_worker *w = xcalloc(1, sizeof *w);
    w->engine = e;
    w->run.regexes = regex_worker_new();
    w->memory = hit_memory_new();
    return w;
}

void engine_worker_free(struct engine_worker *w)
{
    if (!w)
        return;
    map_free(&w->kinds);
    free(w->plans.at);
    buf_free(&w->key);
    regex_worker_free(w->run.regexes);
    matcher_run_free(&w->run);
    subject_free(&w->subject);
    hit_memory_free(w->memory);
    arena_free(&w->texts);
    arena_free(&w->arena);
    arena_free(&w->scratch);
    free(w->columns);
    free(w->hits.at);
    free(w->first_hit);
    free(w->hits_n);
    free(w->bits);
    free(w->present);
    free(w->touched.at);
    free(w->candidates);
    free(w);
}

struct engine_stats engine_worker_stats(const struct engine_worker *w)
{
    struct engine_stats stats = w->stats;
    stats.regexes_given_up = regex_given_up(w->run.regexes);
    return stats;
}

static void add_to_key(struct buf *key, struct slice s)
{
    uint32_t n = (uint32_t)s.n;
    buf_add(key, slice_of(&n, sizeof n));
    buf_add(key, s);
}

static const struct plan *find_plan(struct engine_worker *w, const struct event_kind *kind)
{
    bool is_new;
    buf_clear(&w->key);
    add_to_key(&w->key, kind->code);
    add_to_key(&w->key, kind->channel);
    add_to_key(&w->key, kind->provider);
    add_to_key(&w->key, kind->product);
    add_to_key(&w->key, kind->category);
    add_to_key(&w->key, kind->service);
    if (w->kinds.n >= KINDS_MOST) {
        map_clear(&w->kinds);
        w->plans.n = 0;
    }
    uint32_t *slot = map_put(&w->kinds, buf_slice(&w->key), &is_new);
    if (is_new) {
        *slot = (uint32_t)w->plans.n;
        *VEC_PUSH(w->plans) = plan_for(w->engine, kind);
    }
    return w->plans.at[*slot];
}

/* ---- a block ---- */

static void *room_for(void *old, uint32_t n, size_t size)
{
    free(old);
    return xcalloc(n, size);
}

static void make_room(struct engine_worker *w)
{
    const struct plan *p = w->plan;
    uint32_t entry_words = (p->entries_n + 63) / 64;
    if (w->predicates_room < p->predicates_n) {
        w->predicates_room = p->predicates_n;
        w->first_hit = room_for(w->first_hit, p->predicates_n, sizeof *w->first_hit);
        w->hits_n = room_for(w->hits_n, p->predicates_n, sizeof *w->hits_n);
        w->bits = room_for(w->bits, p->predicates_n, sizeof *w->bits);
    }
    if (w->views_room < p->views_n) {
        w->views_room = p->views_n;
        w->columns = room_for(w->columns, p->views_n, sizeof *w->columns);
        w->present = room_for(w->present, p->views_n, sizeof *w->present);
    }
    if (w->candidates_room < entry_words) {
        w->candidates_room = entry_words;
        w->candidates = room_for(w->candidates, entry_words, sizeof *w->candidates);
    }
}

static struct columns find_columns(struct engine_worker *w, const struct view *view)
{
    struct columns c = {arena_alloc(&w->arena, view->names_n * sizeof *c.at), 0};
    for (uint32_t i = 0; i < view->names_n; i++) {
        int32_t column = block_find(w->block, view->names[i]);
        if (column >= 0)
            c.at[c.n++] = (uint32_t)column;
    }
    return c;
}

static void begin_block(struct engine_worker *w, struct block *b)
{
    make_room(w);
    w->block = b;
    w->words = (b->rows + 63) / 64;
    w->full = arena_zero(&w->arena, w->words, sizeof *w->full);
    memset(w->full, 0xff, w->words * sizeof *w->full);
    if (b->rows % 64)
        w->full[w->words - 1] >>= 64 - b->rows % 64;
    w->by_value = arena_zero(&w->arena, b->columns_n, sizeof *w->by_value);
    for (uint32_t i = 0; i < w->plan->views_n; i++) {
        w->columns[i] = find_columns(w, &w->plan->views[i]);
        w->present[i] = NULL;
    }
}

static void end_block(struct engine_worker *w)
{
    for (size_t i = 0; i < w->touched.n; i++) {
        w->hits_n[w->touched.at[i]] = 0;
        w->bits[w->touched.at[i]] = NULL;
    }
    w->touched.n = 0;
    w->hits.n = 0;
    arena_reset(&w->arena);
}

static void find_candidates(struct engine_worker *w)
{
    const struct plan *p = w->plan;
    memset(w->candidates, 0, (p->entries_n + 63) / 64 * sizeof *w->candidates);
    for (uint32_t i = 0; i < p->always_n; i++)
        w->candidates[p->always[i] / 64] |= (uint64_t)1 << p->always[i] % 64;
    for (size_t i = 0; i < w->touched.n; i++) {
        uint32_t predicate = w->touched.at[i];
        for (uint32_t k = p->first_entry[predicate]; k < p->first_entry[predicate + 1]; k++)
            w->candidates[p->needing[k] / 64] |= (uint64_t)1 << p->needing[k] % 64;
    }
}

/* Tells the matches of entries [from, to), which are one rule's: each row once, by the first
 * binding that has it. */
static enum status tell(struct engine_worker *w, uint32_t from, uint32_t to, engine_match *match,
                        void *ctx, struct error *err)
{
    const struct plan *p = w->plan;
    uint32_t n = 0;
    arena_reset(&w->scratch);
    const uint64_t **rows = arena_zero(&w->scratch, to - from, sizeof *rows);
    for (uint32_t i = from; i < to; i++) {
        if (!(w->candidates[i / 64] >> i % 64 & 1))
            continue;
        w->stats.rules_looked_at++;
        rows[i - from] = engine_rows(w, p->entries[i].expression);
        n += rows[i - from] != NULL;
    }
    for (uint32_t word = 0; n && word < w->words; word++) {
        uint64_t any = 0;
        for (uint32_t i = 0; i < to - from; i++)
            any |= rows[i] ? rows[i][word] : 0;
        for (; any; any &= any - 1) {
            uint32_t bit = (uint32_t)__builtin_ctzll(any), i = 0;
            while (!rows[i] || !(rows[i][word] >> bit & 1))
                i++;
            enum status status = match(ctx, p->entries[from + i].rule, p->entries[from + i].binding,
                                       w->block, word * 64 + bit, err);
            if (status != OK)
                return status;
        }
    }
    return OK;
}

static enum status tell_all(struct engine_worker *w, engine_match *match, void *ctx,
                            struct error *err)
{
    const struct plan *p = w->plan;
    enum status status = OK;
    for (uint32_t from = 0, to; from < p->entries_n && status == OK; from = to) {
        bool looked_at = false;
        for (to = from; to < p->entries_n && p->entries[to].rule == p->entries[from].rule; to++)
            looked_at |= w->candidates[to / 64] >> to % 64 & 1;
        if (looked_at)
            status = tell(w, from, to, match, ctx, err);
        else
            w->stats.rules_skipped += to - from;
    }
    return status;
}

bool engine_kind(struct engine_worker *w, const struct event_kind *kind)
{
    w->plan = find_plan(w, kind);
    return w->plan->entries_n != 0;
}

bool engine_wants(const struct engine_worker *w, struct slice name)
{
    return w->plan->all_names || map_get(&w->plan->names, name);
}

/* Whether a candidate's expression may be true of some row. */
static bool some_may_match(const struct engine_worker *w)
{
    for (uint32_t word = 0; word < (w->plan->entries_n + 63) / 64; word++)
        for (uint64_t left = w->candidates[word]; left; left &= left - 1) {
            uint32_t entry = word * 64 + (uint32_t)__builtin_ctzll(left);
            if (engine_may_be_true(w, w->plan->entries[entry].expression))
                return true;
        }
    return false;
}

bool engine_look(struct engine_worker *w, struct block *b)
{
    w->stats.blocks++;
    w->stats.events += b->rows;
    if (!w->plan->entries_n || !b->rows)
        return false;
    begin_block(w, b);
    engine_find_hits(w);
    w->stats.predicates += w->touched.n;
    find_candidates(w);
    if (some_may_match(w))
        return true;
    w->stats.rules_skipped += w->plan->entries_n;
    end_block(w);
    return false;
}

enum status engine_tell(struct engine_worker *w, engine_match *match, void *ctx, struct error *err)
{
    enum status status = tell_all(w, match, ctx, err);
    end_block(w);
    return status;
}

void engine_leave(struct engine_worker *w)
{
    end_block(w);
}

enum status engine_run(struct engine_worker *w, struct block *b, engine_match *match, void *ctx,
                       struct error *err)
{
    engine_kind(w, &b->kind);
    return engine_look(w, b) ? engine_tell(w, match, ctx, err) : OK;
}
