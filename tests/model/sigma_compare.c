#include "base/vec.h"
#include "detect/engine_internal.h"
#include "model/sigma_random.h"

#include <stdlib.h>

enum { BINDINGS = 1024 };

struct match {
    const struct sigma_rule *rule;
    const struct log_binding *binding;
    uint32_t row;
};

struct sigma_compare {
    const struct sigma_rule *const *rules;
    size_t rules_n;
    const struct mappings *mappings;
    struct engine *engine;
    struct engine_worker *worker;
    struct slow *slow;
    struct {
        struct match *at;
        size_t n, cap;
    } found;
    size_t matches;
};

struct sigma_compare *sigma_compare_new(const struct sigma_rule *const *rules, size_t n,
                                        const struct mappings *mappings)
{
    struct sigma_compare *c = xcalloc(1, sizeof *c);
    c->rules = rules;
    c->rules_n = n;
    c->mappings = mappings;
    c->engine = engine_new_of(rules, n, mappings, NULL);
    c->worker = engine_worker_new(c->engine);
    c->slow = slow_new();
    return c;
}

void sigma_compare_free(struct sigma_compare *c)
{
    slow_free(c->slow);
    engine_worker_free(c->worker);
    engine_free(c->engine);
    free(c->found.at);
    free(c);
}

size_t sigma_compare_matches(const struct sigma_compare *c)
{
    return c->matches;
}

static enum status on_match(void *ctx, const struct sigma_rule *rule,
                            const struct log_binding *binding, struct block *b, uint32_t row,
                            struct error *err)
{
    struct sigma_compare *c = ctx;
    (void)b;
    (void)err;
    *VEC_PUSH(c->found) = (struct match){rule, binding, row};
    return OK;
}

/* The first of the rule's bindings under which the slow evaluator says yes. */
static const struct log_binding *slow_binding(struct sigma_compare *c,
                                              const struct sigma_rule *rule, const struct block *b,
                                              uint32_t row)
{
    uint32_t list[BINDINGS];
    size_t n =
        mappings_for_logsource(c->mappings, rule->logsource.product, rule->logsource.category,
                               rule->logsource.service, list, BINDINGS);
    if (n > BINDINGS)
        abort();
    for (size_t i = 0; i < n; i++) {
        const struct log_binding *binding = mappings_get(c->mappings, list[i]);
        if (binding_holds(binding, &b->kind) && slow_matches(c->slow, rule, binding, b, row))
            return binding;
    }
    return NULL;
}

static enum status on_block(void *ctx, struct block *b, struct error *err)
{
    struct sigma_compare *c = ctx;
    size_t at = 0;
    c->found.n = 0;
    enum status status = engine_run(c->worker, b, on_match, c, err);
    for (size_t i = 0; i < c->rules_n && status == OK; i++)
        for (uint32_t row = 0; row < b->rows && status == OK; row++) {
            const struct log_binding *slow = slow_binding(c, c->rules[i], b, row), *fast = NULL;
            if (at < c->found.n && c->found.at[at].rule == c->rules[i] &&
                c->found.at[at].row == row)
                fast = c->found.at[at++].binding;
            if (fast != slow)
                status =
                    error_set(err, STATUS_BAD_INPUT, NULL, row,
                              "rule %zu, kind %.*s: the engine says %s, the slow evaluator %s", i,
                              SLICE_ARG(b->kind.code), fast ? "yes" : "no", slow ? "yes" : "no");
        }
    if (status == OK && at != c->found.n)
        status = error_set(err, STATUS_BAD_INPUT, NULL, ERROR_NO_OFFSET,
                           "the engine's matches are not in order");
    c->matches += at;
    return status;
}

struct block_sink sigma_compare_sink(struct sigma_compare *c)
{
    return (struct block_sink){on_block, c};
}
