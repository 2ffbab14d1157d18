/*
 * summarize, distinct, count. A batch's rows are numbered by the combination of their keys' dictionary
 * numbers; each combination is looked up in the worker's groups once, and equal values are added to a
 * group together. At the end the workers' groups are merged.
 */
#include "hunt/run_internal.h"

#include "hunt/aggregate.h"
#include "hunt/scalar.h"

#include <math.h>
#include <stdlib.h>

#define NONE UINT32_MAX
enum { TABLE_LEAST = 65536 };

/* Groups of one worker. */
struct groups {
    uint32_t n, cap;
    struct hunt_value *keys; /* group by group */
    uint64_t *hashes;
    struct aggregate_state *states; /* likewise */
    uint32_t *slots;                /* 1 + group; 0: free */
    uint32_t slots_n;
    struct arena texts;
    struct aggregate_memory memory;
    uint64_t held;
};

struct summary {
    struct run *r;
    const struct plan_operator *op;
    struct prepared **keys;
    struct prepared ***args; /* by aggregate */
    struct prepared **filters;
    struct aggregate *aggregates;
    struct groups *groups; /* by worker */
};

/* ---- numbering rows ---- */

/* A number below n for each row; rows with the same number are equal in what was numbered. */
struct numbers {
    const uint32_t *at;
    uint32_t n;
};

/* Numbers for values without a dictionary. Runs of equal values, as binned times are, cost least. */
static struct numbers number_values(const struct vector *v, uint32_t rows, struct arena *a)
{
    uint32_t cap = 64, n = 0;
    while (cap < rows * 2)
        cap *= 2;
    uint32_t *slots = arena_zero(a, cap, sizeof *slots), *at = arena_alloc(a, rows * sizeof *at);
    uint32_t *first = arena_alloc(a, rows * sizeof *first); /* by number: a row that has it */
    for (uint32_t row = 0; row < rows; row++) {
        const struct hunt_value *value = vector_at(v, row);
        if (row) {
            const struct hunt_value *before = vector_at(v, row - 1);
            if (value->null == before->null && (value->null || values_equal(value, before))) {
                at[row] = at[row - 1];
                continue;
            }
        }
        uint32_t i = (uint32_t)value_hash(value) & (cap - 1);
        for (; slots[i]; i = (i + 1) & (cap - 1)) {
            const struct hunt_value *other = vector_at(v, first[slots[i] - 1]);
            if (value->null == other->null && (value->null || values_equal(value, other)))
                break;
        }
        if (!slots[i]) {
            first[n] = row;
            slots[i] = ++n;
        }
        at[row] = slots[i] - 1;
    }
    return (struct numbers){at, n};
}

static struct numbers numbers_of(const struct vector *v, uint32_t rows, struct arena *a)
{
    if (v->constant)
        return (struct numbers){arena_zero(a, rows, sizeof(uint32_t)), 1};
    if (v->ids)
        return (struct numbers){v->ids, v->values_n};
    return number_values(v, rows, a);
}

/* Numbers for the pairs of two. */
static struct numbers combine(struct numbers x, struct numbers y, uint32_t rows, struct arena *a)
{
    uint64_t all = (uint64_t)x.n * y.n;
    uint32_t n = 0;
    if (x.n == 1 || y.n == 1)
        return x.n == 1 ? y : x;
    uint32_t *at = arena_alloc(a, rows * sizeof *at);
    if (all <= (uint64_t)rows * 4 || all <= TABLE_LEAST) {
        uint32_t *table = arena_zero(a, all, sizeof *table);
        for (uint32_t row = 0; row < rows; row++) {
            uint32_t *slot = &table[(uint64_t)x.at[row] * y.n + y.at[row]];
            if (!*slot)
                *slot = ++n;
            at[row] = *slot - 1;
        }
        return (struct numbers){at, n};
    }
    uint32_t cap = 64;
    while (cap < rows * 2)
        cap *= 2;
    uint64_t *pairs = arena_alloc(a, cap * sizeof *pairs);
    uint32_t *slots = arena_zero(a, cap, sizeof *slots);
    for (uint32_t row = 0; row < rows; row++) {
        uint64_t pair = (uint64_t)x.at[row] << 32 | y.at[row];
        uint32_t i = (uint32_t)(pair * 0x9e3779b97f4a7c15u >> 32) & (cap - 1);
        while (slots[i] && pairs[i] != pair)
            i = (i + 1) & (cap - 1);
        if (!slots[i]) {
            slots[i] = ++n;
            pairs[i] = pair;
        }
        at[row] = slots[i] - 1;
    }
    return (struct numbers){at, n};
}

/* ---- groups ---- */

static uint64_t groups_bytes(const struct summary *s, const struct groups *g)
{
    return g->cap * (s->op->summarize.keys_n * sizeof *g->keys + sizeof *g->hashes +
                     s->op->summarize.aggregates_n * sizeof *g->states) +
           g->slots_n * sizeof *g->slots + g->texts.used + g->memory.bytes;
}

static bool groups_hold(struct summary *s, struct groups *g)
{
    return memory_hold(&s->r->memory, &g->held, groups_bytes(s, g));
}

static void place_group(struct groups *g, uint32_t group)
{
    uint32_t i = (uint32_t)g->hashes[group] & (g->slots_n - 1);
    while (g->slots[i])
        i = (i + 1) & (g->slots_n - 1);
    g->slots[i] = group + 1;
}

/* False: no memory. */
static bool groups_grow(struct summary *s, struct groups *g)
{
    uint32_t keys = s->op->summarize.keys_n, states = s->op->summarize.aggregates_n;
    uint32_t cap = g->cap ? g->cap * 2 : 64;
    uint64_t more = (uint64_t)(cap - g->cap) * (keys * sizeof *g->keys + sizeof *g->hashes +
                                                states * sizeof *g->states + 2 * sizeof *g->slots);
    if (!memory_hold(&s->r->memory, &g->held, groups_bytes(s, g) + more))
        return false;
    g->keys = xrealloc(g->keys, (size_t)cap * keys + 1, sizeof *g->keys);
    g->hashes = xrealloc(g->hashes, cap, sizeof *g->hashes);
    g->states = xrealloc(g->states, (size_t)cap * states + 1, sizeof *g->states);
    memset(g->states + (size_t)g->cap * states, 0,
           (size_t)(cap - g->cap) * states * sizeof *g->states);
    g->cap = cap;
    free(g->slots);
    g->slots_n = cap * 2;
    g->slots = xcalloc(g->slots_n, sizeof *g->slots);
    for (uint32_t i = 0; i < g->n; i++)
        place_group(g, i);
    return true;
}

static bool key_equal(const struct hunt_value *a, const struct hunt_value *b)
{
    return a->null == b->null && (a->null || values_equal(a, b));
}

static uint64_t keys_hash(const struct hunt_value *const *keys, uint32_t n)
{
    uint64_t h = n;
    for (uint32_t i = 0; i < n; i++) {
        h = (h ^ value_hash(keys[i])) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    return h;
}

/* The group of these keys, made when new; NONE: no memory. */
static uint32_t group_of(struct summary *s, struct groups *g, const struct hunt_value *const *keys,
                         uint64_t hash)
{
    uint32_t n = s->op->summarize.keys_n;
    if (g->n == g->cap && !groups_grow(s, g))
        return NONE;
    for (uint32_t i = (uint32_t)hash & (g->slots_n - 1); g->slots[i];
         i = (i + 1) & (g->slots_n - 1)) {
        uint32_t group = g->slots[i] - 1;
        if (g->hashes[group] != hash)
            continue;
        uint32_t k = 0;
        while (k < n && key_equal(keys[k], &g->keys[(size_t)group * n + k]))
            k++;
        if (k == n)
            return group;
    }
    for (uint32_t k = 0; k < n; k++)
        g->keys[(size_t)g->n * n + k] = value_keep(keys[k], &g->texts);
    g->hashes[g->n] = hash;
    place_group(g, g->n);
    return g->n++;
}

/* ---- a batch ---- */

struct batch_groups {
    struct numbers local; /* of rows */
    uint32_t *group;      /* by local number: the worker's group */
};

static bool find_groups(struct summary *s, struct groups *g, unsigned worker, struct batch *b,
                        struct batch_groups *out)
{
    uint32_t n = s->op->summarize.keys_n;
    const struct vector **keys = arena_alloc(b->arena, (n + 1) * sizeof *keys);
    const struct hunt_value **now = arena_alloc(b->arena, (n + 1) * sizeof *now);
    out->local = (struct numbers){arena_zero(b->arena, b->rows, sizeof(uint32_t)), 1};
    for (uint32_t i = 0; i < n; i++) {
        keys[i] = expr_vector(s->keys[i], s->r->evaluators[worker], b);
        out->local = combine(out->local, numbers_of(keys[i], b->rows, b->arena), b->rows, b->arena);
    }
    out->group = arena_alloc(b->arena, out->local.n * sizeof *out->group);
    memset(out->group, 0xff, out->local.n * sizeof *out->group);
    for (uint32_t row = 0; row < b->rows; row++) {
        uint32_t local = out->local.at[row];
        if (out->group[local] != NONE)
            continue;
        for (uint32_t i = 0; i < n; i++)
            now[i] = vector_at(keys[i], row);
        out->group[local] = group_of(s, g, now, keys_hash(now, n));
        if (out->group[local] == NONE)
            return false;
    }
    return true;
}

/* What of an aggregate is the same for all rows of a batch. */
struct adding {
    const struct aggregate *a;
    uint32_t number;        /* of the aggregate */
    const uint64_t *wanted; /* rows that its filter leaves, or NULL */
    const struct vector *const *args;
    const struct hunt_value **others;
};

static void add_row(struct summary *s, struct groups *g, const struct adding *x, uint32_t group,
                    uint32_t row, uint64_t count)
{
    struct aggregate_state *state =
        &g->states[(size_t)group * s->op->summarize.aggregates_n + x->number];
    for (uint32_t i = 0; i < x->a->others_n; i++)
        x->others[i] = vector_at(x->args[i + 1], row);
    const struct vector *first = x->a->plan->args_n ? x->args[0] : NULL;
    aggregate_add(x->a, state, first ? vector_at(first, row) : NULL, count, x->others, &g->memory);
}

static bool is_wanted(const struct adding *x, uint32_t row)
{
    return !x->wanted || (x->wanted[row / 64] >> row % 64 & 1);
}

/* Equal values of a group are counted first and added once. */
static void add_counted(struct summary *s, struct groups *g, const struct adding *x,
                        const struct batch_groups *in, struct numbers pairs, struct batch *b)
{
    uint32_t *counts = arena_zero(b->arena, pairs.n, sizeof *counts);
    uint32_t *first = arena_alloc(b->arena, pairs.n * sizeof *first);
    for (uint32_t row = 0; row < b->rows; row++)
        if (is_wanted(x, row) && counts[pairs.at[row]]++ == 0)
            first[pairs.at[row]] = row;
    for (uint32_t i = 0; i < pairs.n; i++)
        if (counts[i])
            add_row(s, g, x, in->group[in->local.at[first[i]]], first[i], counts[i]);
}

static void add_batch(struct summary *s, struct groups *g, const struct adding *x,
                      const struct batch_groups *in, struct batch *b)
{
    const struct vector *v = x->a->plan->args_n ? x->args[0] : NULL;
    if (!v || v->constant) {
        add_counted(s, g, x, in, in->local, b);
    } else if (v->ids) {
        struct numbers values = {v->ids, v->values_n};
        add_counted(s, g, x, in, combine(in->local, values, b->rows, b->arena), b);
    } else {
        for (uint32_t row = 0; row < b->rows; row++)
            if (is_wanted(x, row))
                add_row(s, g, x, in->group[in->local.at[row]], row, 1);
    }
}

static enum flow push_summarize(void *ctx, unsigned worker, struct batch *b, struct error *err)
{
    struct summary *s = ctx;
    struct groups *g = &s->groups[worker];
    struct evaluator *ev = s->r->evaluators[worker];
    struct batch_groups in;
    bool good = b->rows == 0 || find_groups(s, g, worker, b, &in);
    for (uint32_t i = 0; good && b->rows && i < s->op->summarize.aggregates_n; i++) {
        const struct plan_aggregate *plan = s->aggregates[i].plan;
        const struct vector **args = arena_alloc(b->arena, (plan->args_n + 1) * sizeof *args);
        struct adding x = {&s->aggregates[i], i, NULL, args, NULL};
        x.others = arena_alloc(b->arena, (plan->args_n + 1) * sizeof *x.others);
        for (uint32_t k = 0; k < plan->args_n; k++)
            args[k] = expr_vector(s->args[i][k], ev, b);
        if (s->filters[i]) {
            uint64_t *bits = arena_zero(b->arena, b->rows / 64 + 1, sizeof *bits);
            expr_rows(s->filters[i], ev, b, bits);
            x.wanted = bits;
        }
        add_batch(s, g, &x, &in, b);
        good = groups_hold(s, g);
    }
    if (good && groups_hold(s, g))
        return FLOW_MORE;
    memory_out(s->r, s->op, "groups and their values", err);
    return FLOW_FAILED;
}

/* ---- the end ---- */

static bool merge(struct summary *s, struct groups *to, const struct groups *from)
{
    uint32_t keys_n = s->op->summarize.keys_n, states_n = s->op->summarize.aggregates_n;
    const struct hunt_value **keys = xcalloc(keys_n + 1, sizeof *keys);
    bool good = true;
    for (uint32_t i = 0; good && i < from->n; i++) {
        for (uint32_t k = 0; k < keys_n; k++)
            keys[k] = &from->keys[(size_t)i * keys_n + k];
        uint32_t group = group_of(s, to, keys, from->hashes[i]);
        good = group != NONE;
        for (uint32_t k = 0; good && k < states_n; k++)
            aggregate_merge(&s->aggregates[k], &to->states[(size_t)group * states_n + k],
                            &from->states[(size_t)i * states_n + k], &to->memory);
        good = good && groups_hold(s, to);
    }
    free(keys);
    return good;
}

static void groups_free(struct summary *s, struct groups *g)
{
    for (size_t i = 0; i < (size_t)g->n * s->op->summarize.aggregates_n; i++)
        aggregate_free(&g->states[i]);
    free(g->keys);
    free(g->hashes);
    free(g->states);
    free(g->slots);
    arena_free(&g->texts);
    memory_hold(&s->r->memory, &g->held, 0);
    *g = (struct groups){0};
}

/* A row: the keys, then each aggregate's columns. */
static uint32_t row_width(const struct summary *s)
{
    uint32_t n = s->op->summarize.keys_n;
    for (uint32_t i = 0; i < s->op->summarize.aggregates_n; i++)
        n += 1 + s->aggregates[i].others_n;
    return n;
}

static void make_row(const struct summary *s, const struct groups *g, uint32_t group,
                     struct hunt_value *row, struct arena *a)
{
    uint32_t keys_n = s->op->summarize.keys_n, states_n = s->op->summarize.aggregates_n;
    for (uint32_t k = 0; k < keys_n; k++)
        *row++ = g->keys[(size_t)group * keys_n + k];
    for (uint32_t k = 0; k < states_n; k++) {
        const struct aggregate *x = &s->aggregates[k];
        const struct aggregate_state *state = &g->states[(size_t)group * states_n + k];
        *row++ = aggregate_result(x, state, a);
        for (uint32_t i = 0; i < x->others_n; i++)
            *row++ = state->others ? state->others[i] : value_none(x->plan->args[i + 1]->type);
    }
}

static uint32_t *row_columns(const struct summary *s, struct arena *a)
{
    uint32_t *columns = arena_zero(a, row_width(s), sizeof *columns), n = 0;
    for (uint32_t k = 0; k < s->op->summarize.keys_n; k++)
        columns[n++] = s->op->summarize.keys[k].column;
    for (uint32_t k = 0; k < s->op->summarize.aggregates_n; k++)
        for (uint32_t i = 0; i <= s->aggregates[k].others_n; i++)
            columns[n++] = s->aggregates[k].plan->columns[i];
    return columns;
}

static enum status give(struct summary *s, struct groups *g, struct batch_sink sink,
                        struct error *err)
{
    struct arena a = {0}, texts = {0};
    uint32_t width = row_width(s);
    uint32_t *columns = row_columns(s, &a);
    enum flow flow = FLOW_MORE;
    struct hunt_value *values = xcalloc((size_t)BATCH_ROWS * width + 1, sizeof *values);
    const struct hunt_value **rows = xcalloc(BATCH_ROWS, sizeof *rows);
    for (uint32_t from = 0; flow == FLOW_MORE && from < g->n; from += BATCH_ROWS) {
        uint32_t n = g->n - from < BATCH_ROWS ? g->n - from : BATCH_ROWS;
        for (uint32_t i = 0; i < n; i++) {
            rows[i] = values + (size_t)i * width;
            make_row(s, g, from + i, values + (size_t)i * width, &texts);
        }
        flow = push_rows(s->r, rows, n, columns, width, sink, err);
        arena_reset(&texts);
    }
    free(values);
    free(rows);
    arena_free(&texts);
    arena_free(&a);
    return flow == FLOW_FAILED ? err->status : OK;
}

static enum status finish(struct summary *s, struct batch_sink sink, struct error *err)
{
    bool good = true;
    for (unsigned i = 1; good && i < s->r->workers; i++) {
        good = merge(s, &s->groups[0], &s->groups[i]);
        groups_free(s, &s->groups[i]);
    }
    if (good && s->op->summarize.keys_n == 0 && s->groups[0].n == 0)
        good = group_of(s, &s->groups[0], NULL, keys_hash(NULL, 0)) != NONE;
    if (!good)
        return memory_out(s->r, s->op, "groups and their values", err);
    return give(s, &s->groups[0], sink, err);
}

/* ---- preparing ---- */

static enum status prepare_aggregate(struct summary *s, uint32_t number, struct error *err)
{
    const struct plan_aggregate *plan = &s->op->summarize.aggregates[number];
    struct aggregate *a = &s->aggregates[number];
    enum function_id f = plan->function;
    struct hunt_value limit;
    *a = (struct aggregate){.plan = plan, .limit = UINT32_MAX};
    s->args[number] = arena_zero(&s->r->arena, plan->args_n, sizeof(struct prepared *));
    for (uint32_t i = 0; i < plan->args_n; i++) {
        s->args[number][i] = run_prepare(s->r, plan->args[i], err);
        if (!s->args[number][i])
            return err->status;
    }
    if (plan->filter && !(s->filters[number] = run_prepare(s->r, plan->filter, err)))
        return err->status;
    a->type = plan->args_n ? plan->args[0]->type : TYPE_LONG;
    a->result = a->type == TYPE_FIELD ? TYPE_STRING : a->type;
    if (plan->columns[0] != NO_COLUMN)
        a->result = s->r->plan->columns[plan->columns[0]].type;
    if ((f == FN_ARG_MIN || f == FN_ARG_MAX) && plan->args_n)
        a->others_n = plan->args_n - 1;
    if (plan->args_n > 1 && !a->others_n && expr_constant(s->args[number][1], &limit)) {
        double n = limit.type == TYPE_REAL ? limit.real : (double)limit.number;
        if (f == FN_PERCENTILE)
            a->percent = n < 0 ? 0 : n > 100 ? 100 : n;
        else
            a->limit = n < 0 ? 0 : n < UINT32_MAX ? (uint64_t)n : UINT32_MAX;
    }
    return OK;
}

enum status run_summarize(struct run *r, const struct plan_operator *op, struct batch_sink sink,
                          struct error *err)
{
    struct summary s = {.r = r, .op = op};
    uint32_t keys_n = op->summarize.keys_n, n = op->summarize.aggregates_n;
    enum status status = OK;
    s.keys = arena_zero(&r->arena, keys_n, sizeof(struct prepared *));
    s.args = arena_zero(&r->arena, n, sizeof(struct prepared **));
    s.filters = arena_zero(&r->arena, n, sizeof(struct prepared *));
    s.aggregates = arena_zero(&r->arena, n, sizeof *s.aggregates);
    s.groups = arena_zero(&r->arena, r->workers, sizeof *s.groups);
    for (unsigned i = 0; i < r->workers; i++)
        s.groups[i].memory.texts = &s.groups[i].texts;
    for (uint32_t i = 0; status == OK && i < keys_n; i++) {
        s.keys[i] = run_prepare(r, op->summarize.keys[i].expr, err);
        status = s.keys[i] ? OK : err->status;
    }
    for (uint32_t i = 0; status == OK && i < n; i++)
        status = prepare_aggregate(&s, i, err);
    if (status == OK)
        status = run_operator(r, op->input, (struct batch_sink){push_summarize, &s}, err);
    if (status == OK)
        status = finish(&s, sink, err);
    for (unsigned i = 0; i < r->workers; i++)
        groups_free(&s, &s.groups[i]);
    return status;
}
