/* Rules with correlations through the loader, and matches of them, drawn from the text itself,
 * through the correlator; with so little memory that it spills. */
#include "detect/correlation_internal.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MATCHES = 24, FIELDS = 6 };

static uint32_t below(uint64_t *state, uint32_t n)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33) % (n ? n : 1);
}

static enum status no_block(void *ctx, struct block *b, struct error *err)
{
    (void)ctx;
    (void)b;
    (void)err;
    return OK;
}

static enum status check(void *ctx, const struct finding *f, struct error *err)
{
    (void)err;
    uint64_t *told = ctx;
    if (f->rule->hidden || f->first > f->time || f->count == 0 || f->events_n == 0 ||
        f->events_n > FINDING_EVENTS || f->fields_n > FINDING_FIELDS)
        abort();
    for (uint32_t i = 0; i < f->fields_n; i++)
        *told += hash_bytes(f->fields[i].text.p, f->fields[i].text.n) & 1;
    return OK;
}

/* Some field that a correlation asks for. */
static struct slice field_of(const struct sigma_correlation *c, uint64_t *state)
{
    uint32_t at = below(state, c->group_by_n + c->fields_n + 1);
    if (at < c->group_by_n)
        return c->group_by[at];
    at -= c->group_by_n;
    return at < c->fields_n ? c->fields[at] : SLICE("Computer");
}

static void add_match(struct correlator_worker *w, struct block *b, const struct ruleset *set,
                      uint64_t number, uint64_t *state)
{
    static const char *const values[] = {"a", "A", "b", "1", "2.5", "-", "", "0x10"};
    const struct sigma_rule *rule = ruleset_rule(set, below(state, (uint32_t)ruleset_count(set)));
    struct error err;
    if (block_row(b, (timestamp)(number * NS_PER_SECOND), (struct origin){0, number}, &err) != OK)
        abort();
    for (int i = 0; i < FIELDS; i++) {
        const struct sigma_rule *of = ruleset_rule(set, below(state, (uint32_t)ruleset_count(set)));
        if (of->correlation)
            block_put(b, block_column(b, field_of(of->correlation, state)),
                      value_of_text(slice_str(values[below(state, 8)])));
    }
    if (!rule->correlation && correlator_match(w, rule, NULL, b, b->rows - 1, &err) != OK)
        abort();
}

static void correlate(const struct ruleset *set, uint64_t state)
{
    struct correlator_limits limits = {.records = 8, .chunk = 3, .names = 256};
    struct error err;
    uint32_t n = (uint32_t)ruleset_count(set);
    const struct sigma_rule **rules = xcalloc(n ? n : 1, sizeof(*rules));
    for (uint32_t i = 0; i < n; i++)
        rules[i] = ruleset_rule(set, i);
    struct correlator *c = correlator_open(rules, n, &limits, &err);
    free(rules);
    if (!c)
        return;
    struct correlator_worker *w = correlator_worker_new(c);
    struct block_set *blocks = block_set_new((struct block_sink){no_block, NULL});
    struct event_kind kind = {0};
    struct block *b = block_set_open(blocks, &kind);
    for (uint64_t i = 1; n && i <= MATCHES; i++)
        add_match(w, b, set, i, &state);
    block_set_free(blocks);
    correlator_worker_free(w);
    uint64_t told = 0;
    if (correlator_finish(c, check, &told, &err) != OK)
        abort();
    correlator_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct rule_choice all = {0};
    uint64_t state = 1;
    for (size_t i = 0; i < size; i++)
        state = state * 31 + data[i];
    struct error err;
    struct ruleset *set = ruleset_new();
    ruleset_load_text(set, slice_of(data, size), "fuzz", &all, &err);
    ruleset_finish(set);
    bool any = false;
    for (uint32_t i = 0; i < ruleset_count(set); i++)
        any |= ruleset_rule(set, i)->correlation != NULL;
    if (any)
        correlate(set, state);
    ruleset_free(set);
    return 0;
}
