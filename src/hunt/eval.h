/*
 * Expressions, computed a batch at a time: once for each distinct value where an expression depends on
 * one dictionary only, else once a row. Conditions become bitmaps.
 *
 *     struct prepared *x = expr_prepare(plan, expr, arena, &err);    constants computed, patterns made
 *     struct evaluator *ev = evaluator_new();                        one a worker
 *     const struct vector *v = expr_vector(x, ev, batch);            in the batch's arena
 *     expr_rows(x, ev, batch, bits);
 *     evaluator_free(ev); expr_release(x);
 *
 * A prepared expression is not changed by computing it: workers share it. The functions themselves are
 * a table of small C functions from values to a value: scalar.h.
 */
#ifndef HUNT_EVAL_H
#define HUNT_EVAL_H

#include "hunt/batch.h"
#include "hunt/plan.h"

struct prepared;
struct evaluator;

/* In the arena but for compiled patterns, which expr_release gives back. There must be no EXPR_TABLE
 * in it. NULL: a pattern or a constant that only shows now is wrong; `err` has its place. */
struct prepared *expr_prepare(const struct plan *p, const struct plan_expr *e, struct arena *a,
                              struct error *err);
void expr_release(struct prepared *x); /* NULL is let pass */

struct evaluator *evaluator_new(void);
void evaluator_free(struct evaluator *ev);

/* How many texts took a regular expression too long, and count as no match. */
uint64_t evaluator_given_up(const struct evaluator *ev);

/* What `*` (EXPR_ANY) means in the batch that is computed next: the fields of its events. */
void evaluator_any(struct evaluator *ev, const struct vector *const *fields, uint32_t n);

/* The value of each row. */
const struct vector *expr_vector(const struct prepared *x, struct evaluator *ev, struct batch *b);

/* A bit for each row for which a condition is true; `bits` has (rows + 63) / 64 words. */
void expr_rows(const struct prepared *x, struct evaluator *ev, struct batch *b, uint64_t *bits);

/* The columns that an expression looks at, once each, are added to a list of *n in `columns`, which has
 * room for all the plan's. *any tells whether there is an EXPR_ANY. */
void expr_columns(const struct plan_expr *e, uint32_t *columns, uint32_t *n, bool *any);

/* The value of an expression that is a literal, or constant. False: it is not. */
bool expr_constant(const struct prepared *x, struct hunt_value *out);

/* The rows of a bitmap, ascending, into `rows`; returns how many. */
uint32_t bits_list(const uint64_t *bits, uint32_t rows_n, uint32_t *rows);

#endif
