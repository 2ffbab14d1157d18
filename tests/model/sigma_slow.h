/*
 * The slow, obvious Sigma evaluator: one rule against one event, straight from docs/sigma.md, as
 * plain as can be. Tests hold the engine against it; it shares nothing with it but the rule tree,
 * the mapping and the text of values.
 *
 *     struct slow *s = slow_new();
 *     if (slow_matches(s, rule, binding, block, row)) ...
 *     slow_free(s);
 */
#ifndef TESTS_MODEL_SIGMA_SLOW_H
#define TESTS_MODEL_SIGMA_SLOW_H

#include "base/buf.h"
#include "detect/rule.h"
#include "event/mapping.h"

struct slow;
struct slow *slow_new(void);
void slow_free(struct slow *s);

/* Whether the event in `row` matches the rule under a binding, which holds for the block's kind. */
bool slow_matches(struct slow *s, const struct sigma_rule *rule, const struct log_binding *binding,
                  const struct block *block, uint32_t row);

#endif
