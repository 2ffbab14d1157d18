#include "hunt/batch.h"

struct hunt_value value_none(enum hunt_type type)
{
    struct hunt_value v = {.type = type == TYPE_FIELD ? TYPE_STRING : type, .null = true};
    if (v.type == TYPE_STRING || v.type == TYPE_DYNAMIC)
        v.text = SLICE("");
    if (v.type == TYPE_STRING)
        v.null = false;
    return v;
}

static struct vector *vector_new(struct arena *a, enum hunt_type type)
{
    struct vector *v = arena_zero(a, 1, sizeof *v);
    v->type = type;
    return v;
}

const struct vector *vector_constant(struct arena *a, enum hunt_type type,
                                     const struct hunt_value *value)
{
    struct vector *v = vector_new(a, type);
    struct hunt_value *copy = arena_alloc(a, sizeof *copy);
    *copy = *value;
    v->constant = true;
    v->values = copy;
    v->values_n = 1;
    return v;
}

const struct vector *vector_flat(struct arena *a, enum hunt_type type,
                                 const struct hunt_value *values, uint32_t n)
{
    struct vector *v = vector_new(a, type);
    v->values = values;
    v->values_n = n;
    return v;
}

const struct vector *vector_pick(struct arena *a, const struct vector *v, const uint32_t *rows,
                                 uint32_t n)
{
    if (v->constant)
        return v;
    struct vector *picked = vector_new(a, v->type);
    picked->values = v->values;
    picked->values_n = v->values_n;
    picked->ids = rows;
    if (v->ids) {
        uint32_t *ids = arena_alloc(a, n * sizeof *ids);
        for (uint32_t i = 0; i < n; i++)
            ids[i] = v->ids[rows[i]];
        picked->ids = ids;
    }
    return picked;
}

struct batch *batch_new(struct arena *a, uint32_t columns_n, uint32_t rows)
{
    struct batch *b = arena_zero(a, 1, sizeof *b);
    b->rows = rows;
    b->columns_n = columns_n;
    b->columns = arena_zero(a, columns_n, sizeof *b->columns);
    b->arena = a;
    return b;
}

void batch_keep(struct batch *b, const uint32_t *rows, uint32_t n)
{
    for (uint32_t c = 0; c < b->columns_n; c++)
        if (b->columns[c])
            b->columns[c] = vector_pick(b->arena, b->columns[c], rows, n);
    b->rows = n;
}
