/*
 * What the operators share. An operator is run by pushing: it gives its input a sink, takes what is
 * pushed into that from any worker, and pushes on. Operators that need all rows first (sort, summarize,
 * the right side of a join) keep them, by worker, and push as worker 0 when their input has ended.
 *
 * One file an operator, or a few small ones in run.c.
 */
#ifndef HUNT_RUN_INTERNAL_H
#define HUNT_RUN_INTERNAL_H

#include "hunt/eval.h"
#include "hunt/run.h"

#include <stdatomic.h>

/* What operators hold, by all workers together. */
struct memory {
    _Atomic uint64_t used, most;
    uint64_t limit;
};

struct run {
    struct plan *plan;
    const struct backend *backend;
    const volatile sig_atomic_t *stop;
    struct hunt_figures *figures;
    struct memory memory;
    unsigned workers;
    struct evaluator **evaluators; /* by worker */
    struct arena arena;            /* prepared expressions */
    struct {
        struct prepared **at;
        size_t n, cap;
    } prepared; /* to be released */
};

/* Runs an operator with all that is below it. OK also when the sink had enough. */
enum status run_operator(struct run *r, const struct plan_operator *op, struct batch_sink sink,
                         struct error *err);

enum status run_summarize(struct run *r, const struct plan_operator *op, struct batch_sink sink,
                          struct error *err);
enum status run_sort(struct run *r, const struct plan_operator *op, struct batch_sink sink,
                     struct error *err);
enum status run_join(struct run *r, const struct plan_operator *op, struct batch_sink sink,
                     struct error *err);
enum status run_expand(struct run *r, const struct plan_operator *op, struct batch_sink sink,
                       struct error *err);

/* Ready to be computed until the run ends. NULL: `err` says why not. */
struct prepared *run_prepare(struct run *r, const struct plan_expr *e, struct error *err);

bool run_stopped(const struct run *r);
/* The error of a run that the user stopped. */
enum status run_interrupted(struct error *err);

/* Takes the columns out of a batch that are not live above `op`. */
void batch_live(struct batch *b, const struct plan_operator *op);

/* Sets what a holder holds, at *held before, to `now` bytes. False: that would pass the limit. */
bool memory_hold(struct memory *m, uint64_t *held, uint64_t now);
/* The error of an operator for which memory_hold said no. */
enum status memory_out(const struct run *r, const struct plan_operator *op, const char *keeps,
                       struct error *err);

/* ---- rows that are kept ---- */

struct rows {
    uint32_t width;
    struct hunt_value *at; /* row by row */
    size_t n, cap;
    struct arena texts;
    uint64_t held; /* of the memory */
};

/* Appends rows of a batch: of each vector, those of these numbers (NULL: the first n). The arena is for
 * what it needs meanwhile. False: no memory. */
bool rows_add(struct rows *rows, struct memory *m, const struct vector *const *vectors,
              const uint32_t *numbers, uint32_t n, struct arena *scratch);
/* The same for one row of values. */
bool rows_add_values(struct rows *rows, struct memory *m, const struct hunt_value *values);
void rows_free(struct rows *rows, struct memory *m);

static inline const struct hunt_value *rows_at(const struct rows *rows, size_t row)
{
    return rows->at + row * rows->width;
}

/* A value with its text copied into the arena. */
struct hunt_value value_keep(const struct hunt_value *v, struct arena *a);

/* Pushes rows, given by pointers to their first values, as worker 0: value i of a row is the plan's
 * column `columns[i]` (NO_COLUMN: it is left out). */
enum flow push_rows(struct run *r, const struct hunt_value *const *rows, size_t n,
                    const uint32_t *columns, uint32_t width, struct batch_sink sink,
                    struct error *err);

#endif
