/*
 * Runs a plan.
 *
 *     struct hunt_options options = {.memory = 2ull << 30, .stop = stop_on_signals()};
 *     struct hunt_sink sink = {on_rows, &out};
 *     struct hunt_figures figures;
 *     enum status status = hunt_run(plan, &backend, &options, sink, &figures, &err);
 *
 * Memory: what operators keep (groups, rows to be sorted or joined) is counted and never passes the
 * limit; a hunt that would ends with STATUS_BAD_INPUT, and the message says which operator it was and
 * what to do. A batch on its way is not counted; there is one a worker.
 */
#ifndef HUNT_RUN_H
#define HUNT_RUN_H

#include "hunt/backend.h"

#define HUNT_MEMORY (UINT64_C(2) << 30)

struct hunt_options {
    unsigned threads;                  /* 0: one a processor */
    uint64_t memory;                   /* bytes; 0: HUNT_MEMORY */
    const volatile sig_atomic_t *stop; /* NULL, or not zero when the user wants to stop */
};

/* The answer, a batch at a time and never two at once: its columns are those of plan->output. Where
 * the plan sorts last they come in order. `rows` returns OK for more, STATUS_INTERRUPTED with `err`
 * untouched when that is enough (hunt_run is OK then), else the hunt fails with its error. */
struct hunt_sink {
    enum status (*rows)(void *ctx, const struct batch *b, struct error *err);
    void *ctx;
};

/* STATUS_INTERRUPTED when `stop` said so. `figures` (may be NULL) is filled in also on failure. Tables
 * in expressions (EXPR_TABLE) are run first, and what they gave takes their place in the plan. */
enum status hunt_run(struct plan *p, const struct backend *backend,
                     const struct hunt_options *options, struct hunt_sink sink,
                     struct hunt_figures *figures, struct error *err);

#endif
