/* mv-expand: the elements of arrays, each in a row of its own. */
#include "hunt/run_internal.h"

#include "hunt/dynamic.h"

#include <stdlib.h>

struct expanding {
    struct run *r;
    const struct plan_operator *op;
    struct batch_sink sink;
};

/* Rows that are being made: from which row of the input, with which element. */
struct made {
    uint32_t *rows;
    struct hunt_value *elements;
    uint32_t n;
};

static enum flow push_made(struct expanding *x, unsigned worker, struct batch *from,
                           struct made *made, struct error *err)
{
    if (!made->n)
        return FLOW_MORE;
    struct arena a = {0};
    struct batch *b = batch_new(&a, from->columns_n, made->n);
    for (uint32_t c = 0; c < from->columns_n; c++)
        if (from->columns[c])
            b->columns[c] = vector_pick(&a, from->columns[c], made->rows, made->n);
    b->columns[x->op->expand.to] = vector_flat(&a, TYPE_DYNAMIC, made->elements, made->n);
    batch_live(b, x->op);
    made->n = 0;
    enum flow flow = x->sink.push(x->sink.ctx, worker, b, err);
    arena_free(&a);
    return flow;
}

static enum flow add(struct expanding *x, unsigned worker, struct batch *b, struct made *made,
                     uint32_t row, struct hunt_value element, struct error *err)
{
    made->rows[made->n] = row;
    made->elements[made->n++] = element;
    return made->n == BATCH_ROWS ? push_made(x, worker, b, made, err) : FLOW_MORE;
}

static struct hunt_value member(struct slice name, struct slice value, struct arena *a)
{
    struct hunt_value v;
    dynamic_set(&v, arena_printf(a, "{%.*s:%.*s}", SLICE_ARG(name), SLICE_ARG(value)));
    return v;
}

static enum flow expand_row(struct expanding *x, unsigned worker, struct batch *b,
                            struct made *made, uint32_t row, const struct hunt_value *v,
                            struct error *err)
{
    struct slice name, element;
    uint64_t n = 0;
    enum flow flow = FLOW_MORE;
    bool object = !v->null && json_is_object(v->text);
    if (v->null || (!object && !json_is_array(v->text)))
        return x->op->expand.limit ? add(x, worker, b, made, row, *v, err) : FLOW_MORE;
    for (size_t at = 0;
         flow == FLOW_MORE && n < x->op->expand.limit && json_next(v->text, &at, &name, &element);
         n++) {
        struct hunt_value one;
        if (object)
            one = member(name, element, b->arena);
        else
            dynamic_set(&one, element);
        flow = add(x, worker, b, made, row, one, err);
    }
    if (n == 0 && x->op->expand.limit)
        flow = add(x, worker, b, made, row, value_none(TYPE_DYNAMIC), err);
    return flow;
}

static enum flow push_expand(void *ctx, unsigned worker, struct batch *b, struct error *err)
{
    struct expanding *x = ctx;
    const struct vector *v = b->columns[x->op->expand.from];
    struct hunt_value none = value_none(TYPE_DYNAMIC);
    struct made made = {xcalloc(BATCH_ROWS, sizeof *made.rows),
                        xcalloc(BATCH_ROWS, sizeof *made.elements), 0};
    enum flow flow = FLOW_MORE;
    for (uint32_t row = 0; row < b->rows && flow == FLOW_MORE; row++)
        flow = expand_row(x, worker, b, &made, row, v ? vector_at(v, row) : &none, err);
    if (flow == FLOW_MORE)
        flow = push_made(x, worker, b, &made, err);
    free(made.rows);
    free(made.elements);
    return flow;
}

enum status run_expand(struct run *r, const struct plan_operator *op, struct batch_sink sink,
                       struct error *err)
{
    struct expanding x = {r, op, sink};
    return run_operator(r, op->input, (struct batch_sink){push_expand, &x}, err);
}
