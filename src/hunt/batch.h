/*
 * Rows on their way through a hunt: batches of columns. A column of a batch is a dictionary where its
 * source is one, so that what is computed from it is computed once a distinct value.
 *
 *     const struct vector *v = b->columns[number];       by the plan's numbers (plan.h)
 *     const struct hunt_value *value = vector_at(v, row);
 *
 * A batch is lent: whoever it is handed to copies what is to stay.
 */
#ifndef HUNT_BATCH_H
#define HUNT_BATCH_H

#include "base/arena.h"
#include "base/error.h"
#include "hunt/types.h"

enum { BATCH_ROWS = 16384 }; /* at most */

struct vector {
    enum hunt_type type; /* TYPE_FIELD: its values are TYPE_STRING */
    bool constant;       /* every row has value 0 */
    const uint32_t *ids; /* else by row: its value; NULL: row r has value r */
    const struct hunt_value *values;
    uint32_t values_n;
};

struct batch {
    uint32_t rows;
    uint32_t columns_n;            /* of the plan */
    const struct vector **columns; /* by the plan's numbers; NULL: not in this batch */
    struct arena *arena;           /* for what lives as long as the batch */
};

static inline uint32_t vector_id(const struct vector *v, uint32_t row)
{
    if (v->constant)
        return 0;
    return v->ids ? v->ids[row] : row;
}

static inline const struct hunt_value *vector_at(const struct vector *v, uint32_t row)
{
    return &v->values[vector_id(v, row)];
}

/* A vector whose every row is that value. */
const struct vector *vector_constant(struct arena *a, enum hunt_type type,
                                     const struct hunt_value *value);

/* The null of a type; of text, the empty one. */
struct hunt_value value_none(enum hunt_type type);

/* A vector of these values, one a row. */
const struct vector *vector_flat(struct arena *a, enum hunt_type type,
                                 const struct hunt_value *values, uint32_t n);

/* The rows of these numbers of a vector; the result may keep `rows`. */
const struct vector *vector_pick(struct arena *a, const struct vector *v, const uint32_t *rows,
                                 uint32_t n);

/* A batch without columns, in the arena. */
struct batch *batch_new(struct arena *a, uint32_t columns_n, uint32_t rows);

/* Leaves only these rows (their numbers, ascending; kept) in each column of the batch. */
void batch_keep(struct batch *b, const uint32_t *rows, uint32_t n);

/* What a push says: go on, no more rows are wanted (not a failure), or it failed and `err` says why. */
enum flow { FLOW_MORE, FLOW_ENOUGH, FLOW_FAILED };

/* Takes batches. Workers, numbered from 0, may push at the same time, each with its own number; a
 * sink of one worker only is pushed to as worker 0. */
struct batch_sink {
    enum flow (*push)(void *ctx, unsigned worker, struct batch *b, struct error *err);
    void *ctx;
};

#endif
