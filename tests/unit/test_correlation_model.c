/* Random correlations over random matches: the correlator, with several threads and little memory,
 * and the slow model agree on every finding. */
#include "test.h"

#include "base/vec.h"
#include "detect/correlation_internal.h"
#include "model/correlation_slow.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { PLAIN = 4, MOST_RULES = 9, MOST_EVENTS = 60, WORKERS = 3, ROUNDS = 1500 };

static uint64_t state;

static uint32_t below(uint32_t n)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33) % (n ? n : 1);
}

/* ---- random rules ---- */

static struct sigma_condition *random_condition(struct arena *a, uint32_t rules_n, int depth)
{
    struct sigma_condition *c = arena_zero(a, 1, sizeof *c);
    uint32_t kind = depth ? below(4) : 3;
    c->type = kind == 0 ? COND_AND : kind == 1 ? COND_OR : kind == 2 ? COND_NOT : COND_SEARCH;
    if (c->type == COND_SEARCH) {
        c->search = below(rules_n);
        return c;
    }
    c->left = random_condition(a, rules_n, depth - 1);
    if (c->type != COND_NOT)
        c->right = random_condition(a, rules_n, depth - 1);
    return c;
}

static void random_bounds(struct sigma_correlation *c)
{
    static const double limits[] = {1, 2, 3, 4, 5, 25, 50};
    bool temporal = !correlation_counts(c);
    c->bounds_n = below(3) == 0 ? 2 : temporal && below(2) ? 0 : 1;
    for (uint32_t i = 0; i < c->bounds_n; i++) {
        uint32_t type = below(2) ? 1 + below(2) : 1 + below(6);
        memcpy(&c->bounds[i].type, &type, sizeof type);
        c->bounds[i].value = limits[below(temporal ? 3 : 7)];
    }
}

static void random_alias(struct arena *a, struct sigma_correlation *c)
{
    c->aliases = arena_zero(a, 1, sizeof *c->aliases);
    c->aliases_n = 1;
    c->aliases[0].name = SLICE("X");
    c->aliases[0].fields = arena_zero(a, c->rules_n, sizeof *c->aliases[0].fields);
    for (uint32_t i = 0; i < c->rules_n; i++) {
        if (below(8) == 0)
            continue;
        c->aliases[0].fields[c->aliases[0].fields_n].rule = i;
        c->aliases[0].fields[c->aliases[0].fields_n++].field = below(2) ? SLICE("A") : SLICE("B");
    }
    if (c->group_by_n)
        c->group_by[0] = SLICE("X");
}

static const struct sigma_correlation *
random_correlation(struct arena *a, struct sigma_rule *const *rules, uint32_t n)
{
    struct sigma_correlation *c = arena_zero(a, 1, sizeof *c);
    uint32_t type = below(7);
    memcpy(&c->type, &type, sizeof type);
    c->rules = arena_zero(a, n, sizeof(*c->rules));
    for (uint32_t i = 0, at = below(n); i < 1 + below(3) && i < n; i++)
        c->rules[c->rules_n++] = rules[(at + i) % n];
    c->timespan = 1 + below(8);
    c->group_by = arena_zero(a, 2, sizeof *c->group_by);
    c->group_by_n = below(3);
    for (uint32_t i = 0; i < c->group_by_n; i++)
        c->group_by[i] = slice_str(slow_names[i]);
    if (below(4) == 0)
        random_alias(a, c);
    c->percentile = -1;
    if (correlation_counts(c) && c->type != CORRELATE_EVENT_COUNT) {
        bool text = c->type == CORRELATE_VALUE_COUNT;
        if (c->type == CORRELATE_VALUE_PERCENTILE && below(2))
            text = true;
        else if (c->type == CORRELATE_VALUE_PERCENTILE)
            c->percentile = below(101);
        c->fields = arena_zero(a, 2, sizeof *c->fields);
        c->fields[0] = text ? SLICE("V") : SLICE("N");
        c->fields[1] = SLICE("B");
        c->fields_n = text ? 1 + below(2) : 1;
    }
    random_bounds(c);
    if (!correlation_counts(c) && below(2)) {
        c->bounds_n = 0;
        do
            c->condition = random_condition(a, c->rules_n, 2);
        while (correlation_condition(c->condition, 0));
    }
    return c;
}

static void random_rules(struct arena *a, struct sigma_rule **rules, uint32_t *n)
{
    *n = PLAIN + 1 + below(MOST_RULES - PLAIN);
    for (uint32_t i = 0; i < *n; i++) {
        rules[i] = arena_zero(a, 1, sizeof *rules[i]);
        rules[i]->index = i;
        rules[i]->path = SLICE("test");
        rules[i]->title = arena_printf(a, "rule %u", i);
        rules[i]->hidden = below(4) == 0;
    }
    for (uint32_t i = PLAIN; i < *n; i++) /* may refer to those before, plain or not */
        rules[i]->correlation = random_correlation(a, rules, i);
    /* the index says nothing of who refers to whom */
    uint32_t x = below(*n), y = below(*n);
    struct sigma_rule *moved = rules[x];
    rules[x] = rules[y];
    rules[y] = moved;
    rules[x]->index = x;
    rules[y]->index = y;
}

/* ---- random events ---- */

static const char *pick(const char *const *texts, uint32_t n)
{
    return texts[below(n)];
}

static void random_events(struct slow_event *events, size_t n,
                          const struct sigma_rule *const *rules, uint32_t rules_n)
{
    static const char *const groups[] = {"a", "A", "b", NULL, ""};
    static const char *const values[] = {"p", "q", "Q", "r", "s", NULL};
    static const char *const numbers[] = {"1", "2", "5", "0.25", "-3", "40", "x", NULL};
    uint32_t spread = 5 + below(40);
    for (size_t i = 0; i < n; i++) {
        events[i] = (struct slow_event){
            .time = below(40) == 0 ? TIMESTAMP_NONE : (timestamp)below(spread),
            .origin = {below(2), i + 1},
            .fields = {pick(groups, 5), pick(groups, 3), pick(values, 6), pick(numbers, 8)}};
        for (uint32_t k = 0; k < rules_n; k++)
            if (!rules[k]->correlation && below(3) == 0)
                events[i].rules |= UINT64_C(1) << k;
    }
}

/* ---- the fast one ---- */

static int by_all(const void *a, const void *b)
{
    const struct slow_finding *x = a, *y = b;
    if (x->rule != y->rule)
        return x->rule->index < y->rule->index ? -1 : 1;
    int c = strcmp(x->group, y->group);
    if (c)
        return c;
    return (x->first > y->first) - (x->first < y->first);
}

static enum status collect(void *ctx, const struct finding *finding, struct error *err)
{
    (void)err;
    struct slow_findings *found = ctx;
    const struct sigma_correlation *c = finding->rule->correlation;
    struct slow_finding f = {.rule = finding->rule,
                             .first = finding->first,
                             .time = finding->time,
                             .count = finding->count,
                             .events_n = finding->events_n};
    memcpy(f.events, finding->events, finding->events_n * sizeof *f.events);
    size_t at = 0;
    for (uint32_t i = 0; i < c->group_by_n; i++) {
        assert_true(slice_equal(finding->fields[i].name, c->group_by[i]));
        at += (size_t)snprintf(f.group + at, sizeof f.group - at, "%.*s|",
                               SLICE_ARG(finding->fields[i].text));
    }
    for (char *p = f.group; *p; p++)
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
    if (c->fields_n)
        f.measure = strtod(finding->fields[c->group_by_n].text.p, NULL);
    *VEC_PUSH(*found) = f;
    return OK;
}

struct job {
    struct correlator *c;
    const struct sigma_rule *const *rules;
    uint32_t rules_n;
    const struct slow_event *events[MOST_EVENTS];
    size_t n;
    enum status status;
};

static enum status block_full(void *ctx, struct block *b, struct error *err)
{
    (void)ctx;
    (void)b;
    (void)err;
    return OK;
}

static void *work(void *arg)
{
    struct job *job = arg;
    struct error err;
    struct correlator_worker *w = correlator_worker_new(job->c);
    struct block_set *set = block_set_new((struct block_sink){block_full, NULL});
    struct event_kind kind = {.product = SLICE("test")};
    struct block *b = block_set_open(set, &kind);
    for (size_t i = 0; i < job->n; i++) {
        const struct slow_event *e = job->events[i];
        block_row(b, e->time, e->origin, &err);
        for (int k = 0; k < SLOW_FIELDS; k++)
            if (e->fields[k])
                block_put(b, block_column(b, slice_str(slow_names[k])),
                          value_of_text(slice_str(e->fields[k])));
        for (uint32_t k = 0; k < job->rules_n && job->status == OK; k++)
            if (e->rules >> k & 1)
                job->status = correlator_match(w, job->rules[k], NULL, b, b->rows - 1, &err);
    }
    block_set_free(set);
    correlator_worker_free(w);
    return NULL;
}

static void fast_correlate(const struct sigma_rule *const *rules, uint32_t rules_n,
                           const struct slow_event *events, size_t n, struct slow_findings *found)
{
    struct error err;
    struct correlator_limits limits = {
        .records = 1 + below(2 * MOST_EVENTS), .chunk = 1 + below(8), .names = 1 << 20};
    struct correlator *c = correlator_open(rules, rules_n, &limits, &err);
    assert_non_null(c);
    struct job jobs[WORKERS] = {0};
    pthread_t threads[WORKERS];
    uint32_t workers = 1 + below(WORKERS);
    for (uint32_t i = 0; i < workers; i++)
        jobs[i] = (struct job){.c = c, .rules = rules, .rules_n = rules_n};
    for (size_t i = 0; i < n; i++) {
        struct job *job = &jobs[below(workers)];
        job->events[job->n++] = &events[i];
    }
    for (uint32_t i = 0; i < workers; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &jobs[i]), 0);
    for (uint32_t i = 0; i < workers; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(jobs[i].status, OK);
    }
    assert_int_equal(correlator_finish(c, collect, found, &err), OK);
    correlator_free(c);
}

static void show(const char *who, const struct slow_findings *found)
{
    for (size_t i = 0; i < found->n; i++) {
        const struct slow_finding *f = &found->at[i];
        printf("# %s: rule %u type %d group %s first %ld time %ld count %lu measure %g events %u\n",
               who, f->rule->index, (int)f->rule->correlation->type, f->group, (long)f->first,
               (long)f->time, (unsigned long)f->count, f->measure, f->events_n);
    }
}

static bool agree(const struct slow_findings *fast, const struct slow_findings *slow)
{
    if (fast->n != slow->n)
        return false;
    for (size_t i = 0; i < fast->n; i++) {
        const struct slow_finding *x = &fast->at[i], *y = &slow->at[i];
        bool measured = x->rule->correlation->fields_n > 0;
        if (x->rule != y->rule || strcmp(x->group, y->group) != 0 || x->first != y->first ||
            x->time != y->time || x->count != y->count || x->events_n != y->events_n)
            return false;
        double off = measured ? x->measure - y->measure : 0;
        if (off > 1e-9 || off < -1e-9) /* the fast one's is read from its text */
            return false;
        for (uint32_t k = 0; k < x->events_n; k++)
            if (x->events[k].input != y->events[k].input ||
                x->events[k].record != y->events[k].record)
                return false;
    }
    return true;
}

static void both_agree(void **unused)
{
    (void)unused;
    size_t told[7] = {0}, of_others = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        state = round * UINT64_C(0x9e3779b97f4a7c15) + 1;
        struct arena a = {0};
        struct sigma_rule *rules[MOST_RULES] = {0};
        uint32_t rules_n;
        struct slow_event events[MOST_EVENTS];
        size_t n = 5 + below(MOST_EVENTS - 5);
        struct slow_findings slow = {0}, fast = {0};
        random_rules(&a, rules, &rules_n);
        const struct sigma_rule *const *all = (const struct sigma_rule *const *)rules;
        random_events(events, n, all, rules_n);
        slow_correlate(all, rules_n, events, n, &slow);
        fast_correlate(all, rules_n, events, n, &fast);
        if (slow.n)
            qsort(slow.at, slow.n, sizeof *slow.at, by_all);
        if (fast.n)
            qsort(fast.at, fast.n, sizeof *fast.at, by_all);
        if (!agree(&fast, &slow)) {
            printf("# round %u\n", round);
            show("fast", &fast);
            show("slow", &slow);
            fail();
        }
        for (size_t i = 0; i < slow.n; i++) {
            told[slow.at[i].rule->correlation->type]++;
            of_others += slow.at[i].rule->correlation->rules[0]->correlation != NULL;
        }
        free(slow.at);
        free(fast.at);
        arena_free(&a);
    }
    for (int i = 0; i < 7; i++)
        assert_true(told[i] > 100); /* of every type there was something to agree on */
    assert_true(of_others > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_agree),
    };
    return cmocka_run_group_tests_name("correlation against the model", tests, NULL, NULL);
}
