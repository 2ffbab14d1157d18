/*
 * The block-wise Sigma engine: all rules of a set against a block of events at once. Each distinct
 * predicate is evaluated once per distinct value of a column; rules are looked at only when a
 * predicate that they can't match without has a hit.
 *
 *     struct engine *e = engine_new(set, mappings, &err);       once, shared by all threads
 *     struct engine_worker *w = engine_worker_new(e);           one a thread
 *     engine_run(w, block, on_match, ctx, &err);                each block
 */
#ifndef DETECT_ENGINE_H
#define DETECT_ENGINE_H

#include "detect/ruleset.h"
#include "event/block.h"
#include "event/mapping.h"

struct engine;
struct engine *engine_new(const struct ruleset *set, const struct mappings *mappings,
                          struct error *err);
void engine_free(struct engine *e);

struct engine_worker;
struct engine_worker *engine_worker_new(struct engine *e);
void engine_worker_free(struct engine_worker *w);

/* A rule matched the event in `row`. Called at most once for a rule and row; rows ascend within a
 * rule. `binding` is the log source under which it matched (whose names translate its fields). */
typedef enum status engine_match(void *ctx, const struct sigma_rule *rule,
                                 const struct log_binding *binding, struct block *b, uint32_t row,
                                 struct error *err);

enum status engine_run(struct engine_worker *w, struct block *b, engine_match *match, void *ctx,
                       struct error *err);

/* The same in steps, for a block that is read by and by (retro.h). First, whether some rule is for
 * events of this kind; what follows is about those rules. */
bool engine_kind(struct engine_worker *w, const struct event_kind *kind);
/* Whether one of them looks at the field that is stored under this name. */
bool engine_wants(const struct engine_worker *w, struct slice name);
/* The columns that are wanted have values, and need no rows yet. False: no rule can match, and the
 * block is done. Else one of the others must follow: when the rows are there, or without telling. */
bool engine_look(struct engine_worker *w, struct block *b);
enum status engine_tell(struct engine_worker *w, engine_match *match, void *ctx, struct error *err);
void engine_leave(struct engine_worker *w);

/* What must be in a block's filter (store/filter.h) when one of these rules matches in it: all keys of
 * one of the ways. False: the filter can't tell, or there are more than `most` ways. */
struct engine_way {
    uint64_t keys[8];
    size_t n;
};
bool engine_ways(const struct engine_worker *w, struct engine_way *ways, size_t most, size_t *n);

struct engine_stats {
    uint64_t blocks, events, values, predicates, rules_looked_at, rules_skipped;
    uint64_t regexes_given_up; /* texts that an expression did not get to the end of: no match */
};
struct engine_stats engine_worker_stats(const struct engine_worker *w);

#endif
