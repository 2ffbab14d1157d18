#include "hunt/aggregate.h"

#include "hunt/dynamic.h"
#include "hunt/run_internal.h"
#include "hunt/scalar.h"

#include <math.h>
#include <stdlib.h>

/* ---- distinct values ---- */

static void counts_grow(struct value_counts *c, struct aggregate_memory *m)
{
    uint32_t cap = c->cap ? c->cap * 2 : 8;
    free(c->slots);
    m->bytes += (cap - c->cap) * (sizeof *c->slots + (sizeof *c->values + sizeof *c->counts) / 2);
    c->slots = xcalloc(cap, sizeof *c->slots);
    c->values = xrealloc(c->values, cap / 2, sizeof *c->values);
    c->counts = xrealloc(c->counts, cap / 2, sizeof *c->counts);
    c->cap = cap;
    for (uint32_t i = 0; i < c->n; i++) {
        uint32_t at = (uint32_t)value_hash(&c->values[i]) & (cap - 1);
        while (c->slots[at])
            at = (at + 1) & (cap - 1);
        c->slots[at] = i + 1;
    }
}

static void counts_add(struct value_counts *c, const struct hunt_value *v, uint64_t count,
                       struct aggregate_memory *m)
{
    if (c->n * 2 >= c->cap)
        counts_grow(c, m);
    uint32_t at = (uint32_t)value_hash(v) & (c->cap - 1);
    for (; c->slots[at]; at = (at + 1) & (c->cap - 1))
        if (values_equal(&c->values[c->slots[at] - 1], v)) {
            c->counts[c->slots[at] - 1] += count;
            return;
        }
    c->values[c->n] = value_keep(v, m->texts);
    c->counts[c->n++] = count;
    c->slots[at] = c->n;
}

static void list_add(struct value_list *l, const struct hunt_value *v, struct aggregate_memory *m)
{
    if (l->n == l->cap) {
        uint32_t cap = l->cap ? l->cap * 2 : 4;
        m->bytes += (cap - l->cap) * sizeof *l->values;
        l->values = xrealloc(l->values, cap, sizeof *l->values);
        l->cap = cap;
    }
    l->values[l->n++] = value_keep(v, m->texts);
}

/* ---- extremes ---- */

/* Fields that are the same number are ordered by their bytes, so that the answer is one. */
static int order_of(const struct aggregate *a, const struct hunt_value *x,
                    const struct hunt_value *y)
{
    int order = values_compare(x, y, a->type == TYPE_FIELD);
    return order || a->type != TYPE_FIELD ? order : slice_compare(x->text, y->text);
}

static bool is_least(enum function_id f)
{
    return f == FN_MIN || f == FN_ARG_MIN;
}

static void extreme_add(const struct aggregate *a, struct aggregate_state *s,
                        const struct hunt_value *v, const struct hunt_value *const *others,
                        struct aggregate_memory *m)
{
    enum function_id f = a->plan->function;
    if (s->set) {
        int order = order_of(a, v, &s->value);
        if (f == FN_TAKE_ANY || (is_least(f) ? order >= 0 : order <= 0))
            return;
    }
    s->set = true;
    s->value = value_keep(v, m->texts);
    if (!a->others_n)
        return;
    if (!s->others) {
        s->others = xcalloc(a->others_n, sizeof *s->others);
        m->bytes += a->others_n * sizeof *s->others;
    }
    for (uint32_t i = 0; i < a->others_n; i++)
        s->others[i] = value_keep(others[i], m->texts);
}

/* ---- adding ---- */

static bool is_passed_over(const struct aggregate *a, const struct hunt_value *v)
{
    return v->null || (a->type == TYPE_FIELD && v->text.n == 0);
}

static void sum_add(struct aggregate_state *s, const struct hunt_value *v, uint64_t count)
{
    if (v->type == TYPE_REAL)
        s->real += v->real * (double)count;
    else
        s->sum += (wide_sum)v->number * (wide_sum)count;
}

void aggregate_add(const struct aggregate *a, struct aggregate_state *s, const struct hunt_value *v,
                   uint64_t count, const struct hunt_value *const *others,
                   struct aggregate_memory *m)
{
    if (a->plan->function == FN_COUNT) {
        s->count += count;
        return;
    }
    if (is_passed_over(a, v))
        return;
    switch (a->plan->function) {
    case FN_SUM:
    case FN_AVG:
        s->count += count;
        sum_add(s, v, count);
        break;
    case FN_DCOUNT:
    case FN_MAKE_SET:
    case FN_PERCENTILE:
        counts_add(&s->counts, v, count, m);
        break;
    case FN_MAKE_LIST:
        for (; count && s->list.n < a->limit; count--)
            list_add(&s->list, v, m);
        break;
    default:
        extreme_add(a, s, v, others, m);
    }
}

void aggregate_merge(const struct aggregate *a, struct aggregate_state *s,
                     const struct aggregate_state *from, struct aggregate_memory *m)
{
    s->count += from->count;
    s->sum += from->sum;
    s->real += from->real;
    for (uint32_t i = 0; i < from->counts.n; i++)
        counts_add(&s->counts, &from->counts.values[i], from->counts.counts[i], m);
    for (uint32_t i = 0; i < from->list.n && s->list.n < a->limit; i++)
        list_add(&s->list, &from->list.values[i], m);
    if (!from->set)
        return;
    const struct hunt_value **others = xcalloc(a->others_n + 1, sizeof *others);
    for (uint32_t i = 0; i < a->others_n; i++)
        others[i] = &from->others[i];
    extreme_add(a, s, &from->value, others, m);
    free(others);
}

void aggregate_free(struct aggregate_state *s)
{
    free(s->others);
    free(s->counts.values);
    free(s->counts.counts);
    free(s->counts.slots);
    free(s->list.values);
}

/* ---- results ---- */

static struct hunt_value whole(enum hunt_type type, wide_sum n)
{
    struct hunt_value v = {.type = type, .number = (int64_t)n};
    v.null = n > INT64_MAX || n < INT64_MIN;
    return v;
}

static struct hunt_value mean(const struct aggregate *a, const struct aggregate_state *s)
{
    struct hunt_value v = value_none(a->result);
    if (!s->count)
        return v;
    if (a->result == TYPE_TIMESPAN || a->result == TYPE_DATETIME)
        return whole(a->result, s->sum / (int64_t)s->count);
    v.null = false;
    v.real = (a->type == TYPE_REAL ? s->real : (double)s->sum) / (double)s->count;
    return v;
}

static struct hunt_value array_of(const struct hunt_value *values, uint32_t n, struct arena *arena)
{
    struct buf b = {0};
    struct hunt_value v;
    buf_char(&b, '[');
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            buf_char(&b, ',');
        json_put_value(&b, &values[i], arena);
    }
    buf_char(&b, ']');
    dynamic_set(&v, arena_slice(arena, buf_slice(&b)));
    buf_free(&b);
    return v;
}

struct ranked {
    const struct hunt_value *value;
    uint64_t count;
};

static int by_value(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return values_compare(x->value, y->value, false);
}

/* Nearest rank: the least value that so many percent are not above. */
static struct hunt_value percentile(const struct aggregate *a, const struct aggregate_state *s)
{
    const struct value_counts *c = &s->counts;
    struct ranked *list = xcalloc(c->n + 1, sizeof *list);
    uint64_t all = 0, below = 0;
    struct hunt_value v = value_none(a->result);
    for (uint32_t i = 0; i < c->n; i++) {
        list[i] = (struct ranked){&c->values[i], c->counts[i]};
        all += c->counts[i];
    }
    if (c->n)
        qsort(list, c->n, sizeof *list, by_value);
    double rank = ceil(a->percent / 100 * (double)all);
    for (uint32_t i = 0; i < c->n; i++) {
        v = *list[i].value;
        below += list[i].count;
        if ((double)below >= rank && below)
            break;
    }
    free(list);
    return v;
}

struct hunt_value aggregate_result(const struct aggregate *a, const struct aggregate_state *s,
                                   struct arena *arena)
{
    switch (a->plan->function) {
    case FN_COUNT:
        return (struct hunt_value){.type = TYPE_LONG, .number = (int64_t)s->count};
    case FN_DCOUNT:
        return (struct hunt_value){.type = TYPE_LONG, .number = s->counts.n};
    case FN_SUM:
        if (a->result == TYPE_REAL)
            return (struct hunt_value){.type = TYPE_REAL, .real = s->real};
        return whole(a->result, s->sum);
    case FN_AVG:
        return mean(a, s);
    case FN_PERCENTILE:
        return percentile(a, s);
    case FN_MAKE_SET:
        return array_of(s->counts.values, s->counts.n < a->limit ? s->counts.n : (uint32_t)a->limit,
                        arena);
    case FN_MAKE_LIST:
        return array_of(s->list.values, s->list.n, arena);
    default:
        return s->set ? s->value : value_none(a->result);
    }
}
