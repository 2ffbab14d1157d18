/*
 * The aggregates of summarize: a state for each group, to which values are added, many equal ones at
 * once, and which is merged with that of another worker. functions.h says what each computes.
 */
#ifndef HUNT_AGGREGATE_H
#define HUNT_AGGREGATE_H

#include "hunt/plan.h"

__extension__ typedef __int128 wide_sum;

/* Distinct values and how often each came. */
struct value_counts {
    struct hunt_value *values;
    uint64_t *counts;
    uint32_t *slots; /* 1 + place in values; 0: free */
    uint32_t n, cap; /* of slots: a power of two; values have room for half of it */
};

struct value_list {
    struct hunt_value *values;
    uint32_t n, cap;
};

struct aggregate_state {
    bool set;
    uint64_t count;
    wide_sum sum;
    double real;
    struct hunt_value value;   /* min, max, take_any, arg_min, arg_max */
    struct hunt_value *others; /* of arg_min and arg_max */
    struct value_counts counts;
    struct value_list list;
};

/* What an aggregate is, for all its groups. */
struct aggregate {
    const struct plan_aggregate *plan;
    enum hunt_type type;   /* of the first argument, as the plan has it */
    enum hunt_type result; /* of the first column */
    uint32_t others_n;     /* arguments behind the first of arg_min, arg_max */
    uint64_t limit;        /* of make_set, make_list */
    double percent;        /* of percentile */
};

/* What aggregates allocate beside their states' own size is counted in `bytes`. */
struct aggregate_memory {
    struct arena *texts;
    uint64_t bytes;
};

/* Adds a value `count` times. `others` are the values of the arguments behind the first, in the row
 * where it stands (arg_min, arg_max). */
void aggregate_add(const struct aggregate *a, struct aggregate_state *s, const struct hunt_value *v,
                   uint64_t count, const struct hunt_value *const *others,
                   struct aggregate_memory *m);

/* Adds what another state holds; that one is to be freed nevertheless. */
void aggregate_merge(const struct aggregate *a, struct aggregate_state *s,
                     const struct aggregate_state *from, struct aggregate_memory *m);

/* The result; texts are the state's or made in the arena. others[i] likewise. */
struct hunt_value aggregate_result(const struct aggregate *a, const struct aggregate_state *s,
                                   struct arena *arena);

void aggregate_free(struct aggregate_state *s);

#endif
