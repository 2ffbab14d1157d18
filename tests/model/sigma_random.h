/*
 * Random rules and events for tests of the engine, small enough that they meet, with all that a rule
 * may hold, also what the loader refuses; and the comparison of engine and slow evaluator.
 */
#ifndef TESTS_MODEL_SIGMA_RANDOM_H
#define TESTS_MODEL_SIGMA_RANDOM_H

#include "base/cursor.h"
#include "detect/engine.h"
#include "model/sigma_slow.h"

/* Where decisions come from: bytes, one each, when there are any; else numbers from `state`, which
 * must not be 0. */
struct chance {
    uint64_t state;
    struct cursor bytes;
};

struct sigma_rule *random_rule(struct chance *c, struct arena *a, uint32_t index);

/* Adds an event to a block of one of four kinds. */
enum status random_event(struct chance *c, struct arena *a, struct block_set *set,
                         struct error *err);

struct sigma_compare;
struct sigma_compare *sigma_compare_new(const struct sigma_rule *const *rules, size_t n,
                                        const struct mappings *mappings);
void sigma_compare_free(struct sigma_compare *c);

/* A sink for blocks: both evaluate each block with all rules, and STATUS_BAD_INPUT tells where they
 * differ. */
struct block_sink sigma_compare_sink(struct sigma_compare *c);
size_t sigma_compare_matches(const struct sigma_compare *c);

#endif
