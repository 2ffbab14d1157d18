/*
 * Hunts, slowly and obviously: events in a list, rows in a list, every operator straight from its
 * definition in hunt/plan.h and hunt/functions.h. The store and the executor are compared with it.
 *
 *     struct slow_table *t = slow_hunt(plan, events, events_n, mappings);
 *     ... t->rows[i]->values[column] ...
 *     slow_free(t);
 *
 * It knows the functions that the test draws (slow_value ends the program on another).
 */
#ifndef TESTS_MODEL_HUNT_SLOW_H
#define TESTS_MODEL_HUNT_SLOW_H

#include "hunt/plan.h"

struct slow_field {
    struct slice name;
    struct value value;
    struct slice text; /* canonical */
};

struct slow_event {
    timestamp time;
    struct event_kind kind;
    struct slice file;
    uint64_t record;
    struct slow_field *fields;
    uint32_t fields_n;
};

/* A value by column of the plan, and the event that it is of (for `*`). */
struct slow_row {
    struct hunt_value *values;
    const struct slow_event *event;
};

struct slow_table {
    struct arena arena;
    struct slow_row **rows;
    size_t n, cap;
};

/* Rows in the order that the plan gives them, where it gives one. */
struct slow_table *slow_hunt(const struct plan *p, const struct slow_event *events, size_t events_n,
                             const struct mappings *mappings);
void slow_free(struct slow_table *t);

/* The value of an expression in a row. */
struct hunt_value slow_value(const struct plan *p, const struct plan_expr *e,
                             const struct slow_row *row, struct arena *a);

/* How values are ordered by sort: < 0, 0, > 0; not for nulls. */
int slow_compare(const struct hunt_value *a, const struct hunt_value *b, bool fields);
bool slow_equal(const struct hunt_value *a, const struct hunt_value *b);

#endif
