/*
 * What runs a plan's lower part: a back end, which reads rows where they are stored. The local store
 * (local.h) is one. The executor (run.h) asks it from the root of the plan downwards what it takes
 * over, hands it the topmost operators that it takes with all that is below them, and does the rest
 * itself. A back end that knows SQL may take everything; the local store takes the scan of events and
 * the conditions right above it.
 *
 * Tables of callers (findings, ...) are no back end's business: hunt_table.of is a table_source.
 */
#ifndef HUNT_BACKEND_H
#define HUNT_BACKEND_H

#include "hunt/batch.h"
#include "hunt/figures.h"
#include "hunt/plan.h"

#include <signal.h>

/* What a back end gets to know of the run that it is a part of. */
struct scan_order {
    const struct plan *plan;
    const struct plan_operator *top;   /* what it took over; no EXPR_TABLE is left in it */
    unsigned workers;                  /* it pushes as workers 0 to workers - 1 */
    const volatile sig_atomic_t *stop; /* NULL, or not zero when the user wants to stop */
    struct batch_sink sink;
    struct hunt_figures *figures; /* it adds what it does */
};

struct backend {
    const char *name;
    bool (*takes)(void *ctx, const struct plan *p, const struct plan_operator *op);
    /* Pushes the live columns of order->top. OK also when the sink had enough. */
    enum status (*run)(void *ctx, const struct scan_order *order, struct error *err);
    void *ctx;
};

/* Takes one row of a table: its columns' values in the order of hunt_table.columns, lent. Returns
 * STATUS_INTERRUPTED with `err` untouched when no more rows are wanted. */
typedef enum status table_row(void *to, const struct hunt_value *values, struct error *err);

/* What hunt_table.of of a caller's table points to. */
struct table_source {
    /* Gives all rows; what `row` returns other than OK is returned at once. */
    enum status (*read)(void *ctx, table_row *row, void *to, struct error *err);
    void *ctx;
};

#endif
