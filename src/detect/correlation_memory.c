/* Matches of correlations handed out after a run, and taken in again before the next one. */
#include "detect/correlation_internal.h"

void correlator_seed(struct correlator *c, uint64_t seed)
{
    c->seed = seed;
}

static const struct correlation_node *node_of(const struct correlator *c,
                                              const struct sigma_rule *correlation)
{
    for (uint32_t i = 0; i < c->plan.nodes_n; i++)
        if (c->plan.nodes[i].rule == correlation)
            return &c->plan.nodes[i];
    return NULL;
}

size_t correlator_count(const struct correlator *c)
{
    return c->plan.nodes_n;
}

const struct sigma_rule *correlator_rule(const struct correlator *c, size_t number)
{
    return c->plan.nodes[number].rule;
}

bool correlator_nested(const struct correlator *c, const struct sigma_rule *correlation)
{
    const struct correlation_node *node = node_of(c, correlation);
    return node && (node->paths_n || node->level);
}

enum status correlator_hand_out(struct correlator *c, const struct correlator_listener *listener,
                                struct error *err)
{
    enum status s = c->failed.status;
    if (s != OK) {
        *err = c->failed;
        return s;
    }
    for (uint32_t i = 0; s == OK && i < c->pools_n; i++) {
        struct correlation_pool *pool = &c->pools[i];
        s = correlation_pool_sort(pool, err);
        for (size_t k = 0; s == OK && k < pool->sorted_n; k++) {
            const struct correlation_record *r = &pool->sorted[k];
            struct correlation_match m = {.correlation = c->plan.nodes[r->node].rule,
                                          .time = r->time,
                                          .group = r->group,
                                          .value = r->value,
                                          .host = r->host,
                                          .carry = r->carry,
                                          .origin = {r->input, r->record},
                                          .slot = r->slot};
            s = listener->match(listener->ctx, &m, err);
            correlation_pool_passed(pool, k);
        }
    }
    if (s == OK)
        s = correlation_names_each(&c->names, listener->name, listener->ctx, err);
    if (s == OK)
        correlator_clear(c);
    return s;
}

enum status correlator_recall(struct correlator *c, const struct correlation_match *m,
                              struct error *err)
{
    const struct correlation_node *node = node_of(c, m->correlation);
    if (!node || m->slot >= node->correlation->rules_n)
        return error_set(err, STATUS_BAD_INPUT, NULL, ERROR_NO_OFFSET,
                         "a match is kept for a correlation that it does not fit");
    struct correlation_record r = {.time = m->time,
                                   .group = m->group,
                                   .value = m->value,
                                   .host = m->host,
                                   .carry = m->carry,
                                   .record = m->origin.record,
                                   .input = m->origin.input,
                                   .node = (uint16_t)(node - c->plan.nodes),
                                   .slot = m->slot};
    return correlation_pool_add(&c->pools[node->level], &r, 1, err);
}

void correlator_recall_name(struct correlator *c, uint64_t hash, struct slice bytes)
{
    correlation_names_keep(&c->names, hash, bytes, true);
}

void correlator_clear(struct correlator *c)
{
    for (uint32_t i = 0; i < c->pools_n; i++)
        correlation_pool_clear(&c->pools[i]);
    correlation_names_clear(&c->names);
}
