/*
 * The answer of a hunt, as people and programs read it: a table or chart for the terminal, JSON lines, CSV.
 *
 *     struct answer_options options = {.format = ANSWER_TABLE, .width = 80, .colour = true};
 *     struct answer *a = answer_new(plan, &options, stdout);
 *     answer_row(a, values, &err);                 for each row; values in the order of plan->output
 *     answer_end(a, &err);
 *     answer_free(a);
 *
 * A whole event (plan.h, "*") has a line of its own in the table, with its fields below; in JSON lines
 * its members stand beside the other columns; in CSV it is one cell of JSON.
 */
#ifndef REPORT_ANSWER_H
#define REPORT_ANSWER_H

#include "base/error.h"
#include "hunt/plan.h"

#include <stdio.h>

enum answer_format { ANSWER_TABLE, ANSWER_JSONL, ANSWER_CSV };

struct answer_options {
    enum answer_format format;
    unsigned width; /* columns of the terminal; 0: as wide as it gets */
    bool colour;
    bool live; /* each row is shown at once */
};

struct answer;
/* The plan must outlive it. */
struct answer *answer_new(const struct plan *plan, const struct answer_options *options, FILE *out);

/* STATUS_SYSTEM when it can't be written. */
enum status answer_row(struct answer *a, const struct hunt_value *const *values, struct error *err);
enum status answer_end(struct answer *a, struct error *err);
void answer_free(struct answer *a);
uint64_t answer_rows(const struct answer *a);

/* ---- values ---- */

/* As text; null is empty. Times have 0, 7 or 9 digits of a fraction. */
void answer_text(const struct hunt_value *v, struct buf *out);
/* As JSON. */
void answer_json(const struct hunt_value *v, struct buf *out);

#endif
