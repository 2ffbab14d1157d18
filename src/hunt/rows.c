/* Rows that are kept, and the memory they take. */
#include "hunt/run_internal.h"

#include <stdlib.h>

bool memory_hold(struct memory *m, uint64_t *held, uint64_t now)
{
    if (now <= *held) {
        atomic_fetch_sub(&m->used, *held - now);
        *held = now;
        return true;
    }
    uint64_t more = now - *held, used = atomic_fetch_add(&m->used, more) + more;
    if (used > m->limit) {
        atomic_fetch_sub(&m->used, more);
        return false;
    }
    *held = now;
    for (uint64_t most = atomic_load(&m->most);
         used > most && !atomic_compare_exchange_weak(&m->most, &most, used);)
        ;
    return true;
}

enum status memory_out(const struct run *r, const struct plan_operator *op, const char *keeps,
                       struct error *err)
{
    plan_error(r->plan, op->place, err,
               "this keeps more %s than fit into %llu MiB; ask for a shorter time, filter or "
               "project before it, or give it more memory",
               keeps, (unsigned long long)(r->memory.limit >> 20));
    if (err)
        err->status = STATUS_BAD_INPUT;
    return STATUS_BAD_INPUT;
}

struct hunt_value value_keep(const struct hunt_value *v, struct arena *a)
{
    struct hunt_value copy = *v;
    if (v->list) { /* with what stands behind the text */
        size_t n = v->text.n + 1 + strlen(v->text.p + v->text.n + 1) + 1;
        copy.text.p = arena_copy(a, v->text.p, n);
    } else if ((v->type == TYPE_STRING || v->type == TYPE_DYNAMIC) && v->text.n)
        copy.text = slice_of(arena_copy(a, v->text.p, v->text.n), v->text.n);
    return copy;
}

static uint64_t rows_bytes(const struct rows *rows)
{
    return rows->cap * rows->width * sizeof *rows->at + rows->texts.used;
}

/* Room for n more. The memory is asked before it is taken. */
static bool rows_room(struct rows *rows, struct memory *m, size_t n)
{
    size_t cap = rows->cap ? rows->cap : 64;
    while (cap < rows->n + n)
        cap *= 2;
    if (cap == rows->cap)
        return true;
    size_t bytes = cap * (rows->width ? rows->width : 1) * sizeof *rows->at;
    if (!memory_hold(m, &rows->held, bytes + rows->texts.used))
        return false;
    rows->at = xrealloc(rows->at, bytes, 1);
    rows->cap = cap;
    return true;
}

/* A dictionary's text is copied once for all the rows that have it. */
static void add_column(struct rows *rows, uint32_t column, const struct vector *v,
                       const uint32_t *numbers, uint32_t n, struct arena *scratch)
{
    struct hunt_value *to = rows->at + rows->n * rows->width + column;
    struct hunt_value *kept = NULL;
    bool *known = NULL;
    if (v->ids && v->values_n <= 4 * n) {
        kept = arena_alloc(scratch, v->values_n * sizeof *kept);
        known = arena_zero(scratch, v->values_n, sizeof *known);
    }
    struct hunt_value constant;
    if (v->constant)
        constant = value_keep(v->values, &rows->texts);
    for (uint32_t i = 0; i < n; i++, to += rows->width) {
        uint32_t row = numbers ? numbers[i] : i, id = vector_id(v, row);
        if (v->constant) {
            *to = constant;
        } else if (!kept) {
            *to = value_keep(&v->values[id], &rows->texts);
        } else {
            if (!known[id])
                kept[id] = value_keep(&v->values[id], &rows->texts);
            known[id] = true;
            *to = kept[id];
        }
    }
}

bool rows_add(struct rows *rows, struct memory *m, const struct vector *const *vectors,
              const uint32_t *numbers, uint32_t n, struct arena *scratch)
{
    if (!n)
        return true;
    if (!rows_room(rows, m, n))
        return false;
    for (uint32_t c = 0; c < rows->width; c++)
        add_column(rows, c, vectors[c], numbers, n, scratch);
    rows->n += n;
    return memory_hold(m, &rows->held, rows_bytes(rows));
}

bool rows_add_values(struct rows *rows, struct memory *m, const struct hunt_value *values)
{
    if (!rows_room(rows, m, 1))
        return false;
    struct hunt_value *to = rows->at + rows->n * rows->width;
    for (uint32_t c = 0; c < rows->width; c++)
        to[c] = value_keep(&values[c], &rows->texts);
    rows->n++;
    return memory_hold(m, &rows->held, rows_bytes(rows));
}

void rows_free(struct rows *rows, struct memory *m)
{
    memory_hold(m, &rows->held, 0);
    free(rows->at);
    arena_free(&rows->texts);
    *rows = (struct rows){.width = rows->width};
}

enum flow push_rows(struct run *r, const struct hunt_value *const *rows, size_t n,
                    const uint32_t *columns, uint32_t width, struct batch_sink sink,
                    struct error *err)
{
    struct arena a = {0};
    enum flow flow = FLOW_MORE;
    for (size_t from = 0; from < n && flow == FLOW_MORE; from += BATCH_ROWS) {
        uint32_t some = (uint32_t)(n - from < BATCH_ROWS ? n - from : BATCH_ROWS);
        struct batch *b = batch_new(&a, r->plan->columns_n, some);
        for (uint32_t c = 0; c < width; c++) {
            if (columns[c] == NO_COLUMN)
                continue;
            struct hunt_value *values = arena_alloc(&a, some * sizeof *values);
            for (uint32_t i = 0; i < some; i++)
                values[i] = rows[from + i][c];
            b->columns[columns[c]] =
                vector_flat(&a, r->plan->columns[columns[c]].type, values, some);
        }
        if (run_stopped(r)) {
            run_interrupted(err);
            flow = FLOW_FAILED;
        } else {
            flow = sink.push(sink.ctx, 0, b, err);
        }
        arena_reset(&a);
    }
    arena_free(&a);
    return flow;
}
