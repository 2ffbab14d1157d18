/*
 * Charts in the terminal, of the rows of a hunt's answer that ends in `render`.
 *
 *     struct chart *c = chart_new(plan);
 *     chart_row(c, values);
 *     chart_print(c, width, colour, &out);
 *     chart_free(c);
 *
 * timechart: the first column that is a time runs to the right; each other column that is a number, for
 * each combination of the other columns, has a chart of its own below the one before. barchart: a bar a
 * row, as long as its first number; the columns that are no numbers are its name.
 */
#ifndef REPORT_CHART_H
#define REPORT_CHART_H

#include "base/buf.h"
#include "hunt/plan.h"

enum {
    CHART_POINTS = 200000, /* more rows than that are not kept */
    CHART_SERIES = 12,     /* drawn, of those with the greatest sums */
    CHART_BARS = 200,
};

struct chart;
struct chart *chart_new(const struct plan *plan);
void chart_free(struct chart *c);

/* Values in the order of plan->output. */
void chart_row(struct chart *c, const struct hunt_value *const *values);

/* `width` 0: not known. */
void chart_print(const struct chart *c, unsigned width, bool colour, struct buf *out);

/* Rows and series that there was no room for. */
size_t chart_left_out(const struct chart *c);

#endif
