/*
 * What is in the logs, without any rule: events by channel and id, the logon summary, hosts, time
 * ranges and the gaps in them (`hikeshi scan --metrics`). Counts block-wise, on distinct values.
 *
 *     struct metrics *m = metrics_new();
 *     struct metrics_worker *w = metrics_worker_new(m);     one a thread
 *     metrics_block(w, block);
 *     metrics_worker_free(w);                               joins what it counted
 *     metrics_print_text(m, &options, out, &err);           or metrics_print_json
 */
#ifndef REPORT_METRICS_H
#define REPORT_METRICS_H

#include "event/block.h"

#include <stdio.h>

struct metrics;
struct metrics_worker;
struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);
struct metrics_worker *metrics_worker_new(struct metrics *m);
void metrics_worker_free(struct metrics_worker *w);
void metrics_block(struct metrics_worker *w, struct block *b);

struct metrics_options {
    bool colour;
    unsigned width; /* 0: as wide as it gets */
    unsigned top;   /* rows a table; 0: all */
};
enum status metrics_print_text(const struct metrics *m, const struct metrics_options *options,
                               FILE *out, struct error *err);
enum status metrics_print_json(const struct metrics *m, FILE *out, struct error *err);

#endif
