/*
 * Random events and random hunts over them, from a seed: few different values, so that conditions,
 * groups and joins meet often.
 */
#ifndef TESTS_MODEL_HUNT_RANDOM_H
#define TESTS_MODEL_HUNT_RANDOM_H

#include "model/hunt_slow.h"

struct hunt_random {
    uint64_t seed;
};

uint32_t random_below(struct hunt_random *r, uint32_t below);

/* An event; its record number is `record`, its file `file`. In the arena. */
struct slow_event random_event(struct hunt_random *r, uint64_t record, struct slice file,
                               struct arena *a);

/* What is to be compared: the same rows in any order; or the first `limit` of a query, which are some
 * of the rows of `all` (the query without its limit); in the order that `all` is in, when it is
 * sorted. */
struct random_hunt {
    struct slice text, all;
    bool limited;
    uint64_t limit;
};

struct random_hunt random_hunt(struct hunt_random *r, struct arena *a);

#endif
