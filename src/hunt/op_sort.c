/* sort, top: rows are kept by worker and put in order at the end; with a limit, only the best of them
 * are kept on the way. */
#include "hunt/run_internal.h"

#include "hunt/scalar.h"

#include <pthread.h>
#include <stdlib.h>

enum { SLACK = 4096 }; /* rows beyond twice the limit, before the worst are let go */

struct sorting {
    struct run *r;
    const struct plan_operator *op;
    struct prepared **keys;
    struct rows *rows; /* by worker: the keys, then the live columns */
    uint32_t *columns; /* of a row's values: NO_COLUMN for the keys */
    uint32_t width;
};

/* For qsort_r: rows by pointers to their first values. */
static int by_keys(const void *a, const void *b, void *ctx)
{
    const struct plan_operator *op = ctx;
    const struct hunt_value *x, *y;
    memcpy(&x, a, sizeof(const struct hunt_value *));
    memcpy(&y, b, sizeof(const struct hunt_value *));
    for (uint32_t i = 0; i < op->sort.keys_n; i++) {
        const struct sort_key *key = &op->sort.keys[i];
        int order;
        if (x[i].null || y[i].null)
            order = (x[i].null - y[i].null) * (key->nulls_first ? -1 : 1);
        else
            order = values_compare(&x[i], &y[i], key->expr->type == TYPE_FIELD) *
                    (key->descending ? -1 : 1);
        if (order)
            return order;
    }
    return 0;
}

static const struct hunt_value **sorted(const struct sorting *s, unsigned from, unsigned to,
                                        size_t *n)
{
    *n = 0;
    for (unsigned i = from; i < to; i++)
        *n += s->rows[i].n;
    const struct hunt_value **list = xcalloc(*n + 1, sizeof *list);
    size_t k = 0;
    for (unsigned i = from; i < to; i++)
        for (size_t row = 0; row < s->rows[i].n; row++)
            list[k++] = rows_at(&s->rows[i], row);
    if (*n)
        qsort_r(list, *n, sizeof *list, by_keys, (void *)(uintptr_t)s->op);
    return list;
}

/* Lets go of all but the first `limit` rows of a worker. */
static bool cut(struct sorting *s, unsigned worker)
{
    size_t n;
    const struct hunt_value **list = sorted(s, worker, worker + 1, &n);
    struct rows kept = {.width = s->width};
    bool good = true;
    for (size_t i = 0; good && i < n && i < s->op->sort.limit; i++)
        good = rows_add_values(&kept, &s->r->memory, list[i]);
    free(list);
    rows_free(&s->rows[worker], &s->r->memory);
    s->rows[worker] = kept;
    return good;
}

static enum flow push_sort(void *ctx, unsigned worker, struct batch *b, struct error *err)
{
    struct sorting *s = ctx;
    const struct plan_operator *op = s->op;
    const struct vector **vectors = arena_alloc(b->arena, (s->width + 1) * sizeof *vectors);
    uint32_t n = op->sort.keys_n;
    for (uint32_t i = 0; i < n; i++)
        vectors[i] = expr_vector(s->keys[i], s->r->evaluators[worker], b);
    for (uint32_t i = n; i < s->width; i++) {
        enum hunt_type type = s->r->plan->columns[s->columns[i]].type;
        struct hunt_value none = value_none(type);
        vectors[i] = b->columns[s->columns[i]];
        if (!vectors[i])
            vectors[i] = vector_constant(b->arena, type, &none);
    }
    bool good = rows_add(&s->rows[worker], &s->r->memory, vectors, NULL, b->rows, b->arena);
    if (good && op->sort.limited && s->rows[worker].n / 2 >= op->sort.limit &&
        s->rows[worker].n >= op->sort.limit * 2 + SLACK)
        good = cut(s, worker);
    if (good)
        return FLOW_MORE;
    memory_out(s->r, op, "rows to be put in order", err);
    return FLOW_FAILED;
}

static enum status give_sorted(struct sorting *s, struct batch_sink sink, struct error *err)
{
    struct run *r = s->r;
    uint64_t held = 0;
    size_t n = 0;
    for (unsigned i = 0; i < r->workers; i++)
        n += s->rows[i].n;
    if (!memory_hold(&r->memory, &held, n * sizeof(void *) * 2)) /* qsort takes as much again */
        return memory_out(r, s->op, "rows to be put in order", err);
    const struct hunt_value **list = sorted(s, 0, r->workers, &n);
    if (s->op->sort.limited && n > s->op->sort.limit)
        n = s->op->sort.limit;
    enum flow flow = push_rows(r, list, n, s->columns, s->width, sink, err);
    free(list);
    memory_hold(&r->memory, &held, 0);
    return flow == FLOW_FAILED ? err->status : OK;
}

enum status run_sort(struct run *r, const struct plan_operator *op, struct batch_sink sink,
                     struct error *err)
{
    struct sorting s = {.r = r, .op = op, .width = op->sort.keys_n + op->live_n};
    enum status status = OK;
    if (op->sort.limited && op->sort.limit == 0)
        return OK;
    s.keys = arena_zero(&r->arena, op->sort.keys_n, sizeof(struct prepared *));
    s.columns = arena_zero(&r->arena, s.width, sizeof *s.columns);
    s.rows = arena_zero(&r->arena, r->workers, sizeof *s.rows);
    for (uint32_t i = 0; status == OK && i < op->sort.keys_n; i++) {
        s.columns[i] = NO_COLUMN;
        s.keys[i] = run_prepare(r, op->sort.keys[i].expr, err);
        status = s.keys[i] ? OK : err->status;
    }
    for (uint32_t i = 0; i < op->live_n; i++)
        s.columns[op->sort.keys_n + i] = op->live[i];
    for (unsigned i = 0; i < r->workers; i++)
        s.rows[i].width = s.width;
    if (status == OK)
        status = run_operator(r, op->input, (struct batch_sink){push_sort, &s}, err);
    if (status == OK)
        status = give_sorted(&s, sink, err);
    for (unsigned i = 0; i < r->workers; i++)
        rows_free(&s.rows[i], &r->memory);
    return status;
}
