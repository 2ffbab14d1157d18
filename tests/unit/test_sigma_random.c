/* Random rules against random events: the engine and the slow evaluator agree on every one, and so
 * do workers that share an engine. */
#include "test.h"

#include "detect/engine_internal.h"
#include "model/sigma_random.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 60, RULES = 30, EVENTS = 160, THREADS = 4 };

static struct chance chance_of(uint64_t seed)
{
    return (struct chance){.state = seed * 0x9e3779b97f4a7c15u + 1};
}

static void random_round(uint64_t seed, const struct mappings *mappings, size_t *matches)
{
    struct arena a = {0};
    const struct sigma_rule *rules[RULES];
    struct error err = {0};
    struct chance c = chance_of(seed);
    for (uint32_t i = 0; i < RULES; i++)
        rules[i] = random_rule(&c, &a, i);
    struct sigma_compare *compare = sigma_compare_new(rules, RULES, mappings);
    struct block_set *set = block_set_new(sigma_compare_sink(compare));
    enum status status = OK;
    for (uint32_t i = 1; i <= EVENTS && status == OK; i++) {
        status = random_event(&c, &a, set, &err);
        if (status == OK && (i % 50 == 0 || i == EVENTS))
            status = block_set_flush(set, &err);
    }
    if (status != OK)
        fail_msg("round %llu: %s (row %llu)", (unsigned long long)seed, err.what,
                 (unsigned long long)err.offset);
    *matches += sigma_compare_matches(compare);
    block_set_free(set);
    sigma_compare_free(compare);
    arena_free(&a);
}

static void engine_and_model_agree(void **state)
{
    struct error err;
    struct mappings *mappings = mappings_builtin(&err);
    const char *from = getenv("SIGMA_SEED"); /* a round to run again */
    size_t matches = 0;
    (void)state;
    assert_non_null(mappings);
    uint64_t first = from ? strtoull(from, NULL, 10) : 1, last = from ? first : ROUNDS;
    for (uint64_t seed = first; seed <= last; seed++)
        random_round(seed, mappings, &matches);
    print_message("# %zu matches\n", matches);
    assert_true(from || matches > 10000); /* the rules do say something */
    mappings_free(mappings);
}

/* ---- threads ---- */

struct thread {
    pthread_t id;
    struct engine *engine;
    uint64_t seed;
    uint64_t sum; /* of what matched */
};

static enum status add_up(void *ctx, const struct sigma_rule *rule,
                          const struct log_binding *binding, struct block *b, uint32_t row,
                          struct error *err)
{
    struct thread *t = ctx;
    (void)b;
    (void)err;
    t->sum = (t->sum + rule->index * 31u + binding->index * 17u + row) * 1099511628211u;
    return OK;
}

struct run {
    struct thread *thread;
    struct engine_worker *worker;
};

static enum status on_block(void *ctx, struct block *b, struct error *err)
{
    struct run *r = ctx;
    return engine_run(r->worker, b, add_up, r->thread, err);
}

static void *run_thread(void *arg)
{
    struct thread *t = arg;
    struct arena a = {0};
    struct error err;
    struct chance c = chance_of(t->seed);
    struct run r = {t, engine_worker_new(t->engine)};
    struct block_set *set = block_set_new((struct block_sink){on_block, &r});
    enum status status = OK;
    for (uint32_t i = 0; i < EVENTS && status == OK; i++)
        status = random_event(&c, &a, set, &err);
    if (status == OK)
        status = block_set_flush(set, &err);
    block_set_free(set);
    engine_worker_free(r.worker);
    arena_free(&a);
    return status == OK ? NULL : t;
}

static void workers_agree(void **state)
{
    struct error err;
    struct arena a = {0};
    struct mappings *mappings = mappings_builtin(&err);
    const struct sigma_rule *rules[RULES];
    struct thread threads[THREADS + 1];
    struct chance c = chance_of(7);
    (void)state;
    assert_non_null(mappings);
    for (uint32_t i = 0; i < RULES; i++)
        rules[i] = random_rule(&c, &a, i);
    struct engine *e = engine_new_of(rules, RULES, mappings, &err);
    assert_non_null(e);
    for (int i = 0; i <= THREADS; i++)
        threads[i] = (struct thread){.engine = e, .seed = 3};
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i].id, NULL, run_thread, &threads[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i].id, &failed), 0);
        assert_null(failed);
    }
    assert_null(run_thread(&threads[THREADS])); /* alone, when all plans are there */
    assert_true(threads[THREADS].sum != 0);
    for (int i = 0; i < THREADS; i++)
        assert_true(threads[i].sum == threads[THREADS].sum);
    engine_free(e);
    mappings_free(mappings);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(engine_and_model_agree),
                                       cmocka_unit_test(workers_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
