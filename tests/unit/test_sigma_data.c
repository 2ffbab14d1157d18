/*
 * SigmaHQ's rules on real logs, as they lie beside the project: every rule matches the events of its
 * regression case, and engine and slow evaluator agree on every rule and event looked at: each 61st
 * event, or with an argument each of that many.
 */
#include "test.h"

#include "base/files.h"
#include "base/vec.h"
#include "detect/engine.h"
#include "model/sigma_slow.h"
#include "tools/read_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char *const logs[] = {".evtx", ".json", NULL};

struct match {
    const struct sigma_rule *rule;
    const struct log_binding *binding;
    uint32_t row;
};

struct world {
    struct arena arena;
    struct ruleset *set;
    struct mappings *mappings;
    struct engine *engine;
    struct engine_worker *worker;
    struct slow *slow;
    uint32_t every;
    struct {
        struct match *at;
        size_t n, cap;
    } found;
    const struct sigma_rule *wanted;
    size_t wanted_matches, events, compared;
};

static bool data_path(char *out, size_t n, const char *folder)
{
    struct stat st;
    snprintf(out, n, "%s/../shared/data/%s", getenv("SOURCE_ROOT"), folder);
    if (stat(out, &st) == 0)
        return true;
    print_message("# skip: %s is not there\n", out);
    return false;
}

static bool world_new(struct world *w)
{
    static const char *const folders[] = {"sigma/rules", "sigma/rules-emerging-threats",
                                          "sigma/rules-threat-hunting"};
    struct rule_choice choice = {.with_deprecated = true};
    struct error err;
    char path[4096];
    w->set = ruleset_new();
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (!data_path(path, sizeof path, folders[i])) {
            ruleset_free(w->set);
            return false;
        }
        assert_int_equal(ruleset_load(w->set, path, &choice, &err), OK);
    }
    ruleset_finish(w->set);
    w->mappings = mappings_builtin(&err);
    assert_non_null(w->mappings);
    w->engine = engine_new(w->set, w->mappings, &err);
    assert_non_null(w->engine);
    w->worker = engine_worker_new(w->engine);
    w->slow = slow_new();
    return true;
}

static void world_free(struct world *w)
{
    slow_free(w->slow);
    engine_worker_free(w->worker);
    engine_free(w->engine);
    mappings_free(w->mappings);
    ruleset_free(w->set);
    free(w->found.at);
    arena_free(&w->arena);
}

static enum status on_match(void *ctx, const struct sigma_rule *rule,
                            const struct log_binding *binding, struct block *b, uint32_t row,
                            struct error *err)
{
    struct world *w = ctx;
    (void)b;
    (void)err;
    if (rule == w->wanted)
        w->wanted_matches++;
    if (w->every)
        *VEC_PUSH(w->found) = (struct match){rule, binding, row};
    return OK;
}

/* The first of the rule's bindings under which the slow evaluator says yes. */
static const struct log_binding *slow_binding(struct world *w, const struct sigma_rule *rule,
                                              const uint32_t *bindings, size_t n,
                                              const struct block *b, uint32_t row)
{
    for (size_t i = 0; i < n; i++) {
        const struct log_binding *binding = mappings_get(w->mappings, bindings[i]);
        if (binding_holds(binding, &b->kind) && slow_matches(w->slow, rule, binding, b, row))
            return binding;
    }
    return NULL;
}

static void compare_rule(struct world *w, const struct sigma_rule *rule, const struct block *b,
                         size_t *at)
{
    uint32_t bindings[64];
    size_t n =
        mappings_for_logsource(w->mappings, rule->logsource.product, rule->logsource.category,
                               rule->logsource.service, bindings, 64);
    assert_true(n <= 64);
    for (uint32_t row = 0; row < b->rows; row++) {
        bool found =
            *at < w->found.n && w->found.at[*at].rule == rule && w->found.at[*at].row == row;
        if ((w->events + row) % w->every == 0) {
            const struct log_binding *slow = slow_binding(w, rule, bindings, n, b, row);
            if (found != (slow != NULL))
                fail_msg("%.*s, record %llu of input %u: %s alone says it matches",
                         SLICE_ARG(rule->path), (unsigned long long)b->origins[row].record,
                         b->origins[row].input, found ? "the engine" : "the slow evaluator");
            if (found)
                assert_ptr_equal(w->found.at[*at].binding, slow);
        }
        *at += found;
    }
}

static enum status on_block(void *ctx, struct block *b, struct error *err)
{
    struct world *w = ctx;
    size_t at = 0;
    w->found.n = 0;
    assert_int_equal(engine_run(w->worker, b, on_match, w, err), OK);
    for (uint32_t i = 0; w->every && i < ruleset_count(w->set); i++) {
        const struct sigma_rule *rule = ruleset_rule(w->set, i);
        if (!rule->correlation && rule->conditions_n)
            compare_rule(w, rule, b, &at);
    }
    if (w->every)
        assert_int_equal(at, w->found.n);
    for (uint32_t row = 0; w->every && row < b->rows; row++)
        w->compared += (w->events + row) % w->every == 0;
    w->events += b->rows;
    return OK;
}

static void read_into(struct block_set *blocks, const char *path, uint32_t input)
{
    struct arena a = {0};
    struct slice bytes;
    struct error err;
    struct problems *problems = problems_new();
    assert_int_equal(file_read(path, (size_t)1 << 30, &a, &bytes, &err), OK);
    assert_int_equal(read_log(bytes, path, input, blocks, problems, &err), OK);
    problems_free(problems);
    arena_free(&a);
}

/* ---- regression cases: FOLDER/ID.evtx and ID.json, named after the rule ---- */

static const struct sigma_rule *rule_by_id(const struct world *w, struct slice id)
{
    for (uint32_t i = 0; i < ruleset_count(w->set); i++)
        if (slice_equal(ruleset_rule(w->set, i)->id, id))
            return ruleset_rule(w->set, i);
    return NULL;
}

static bool is_read(const char *path)
{
    struct slice name = slice_str(path);
    for (size_t i = 0; reader_table[i]; i++)
        if (slice_ends(name, SLICE(".evtx")) == !reader_table[i]->text)
            return true;
    return false;
}

static void rules_match_their_cases(void **state)
{
    struct world w = {0};
    struct error err;
    struct file_list list = {0};
    size_t missed = 0, cases = 0;
    char path[4096];
    (void)state;
    if (!data_path(path, sizeof path, "sigma/regression_data") || !world_new(&w))
        return;
    assert_int_equal(folder_list(path, logs, &w.arena, &list, &err), OK);
    for (size_t i = 0; i < list.n; i++) {
        struct slice name = slice_str(strrchr(list.paths[i], '/') + 1);
        w.wanted = rule_by_id(&w, slice_sub(name, 0, 36));
        w.wanted_matches = 0;
        if (!w.wanted || !is_read(list.paths[i]))
            continue;
        struct block_set *blocks = block_set_new((struct block_sink){on_block, &w});
        read_into(blocks, list.paths[i], 0);
        assert_int_equal(block_set_flush(blocks, &err), OK);
        block_set_free(blocks);
        cases++;
        if (!w.wanted_matches) {
            print_message("# %s: its rule does not match\n", list.paths[i]);
            missed++;
        }
    }
    print_message("# %zu cases\n", cases);
    assert_int_equal(missed, 0);
    assert_true(cases > 90);
    file_list_free(&list);
    world_free(&w);
}

/* ---- engine and slow evaluator ---- */

static void both_agree(void **state)
{
    struct world w = {.every = *(uint32_t *)*state};
    struct error err;
    struct file_list list = {0};
    char path[4096];
    if (!data_path(path, sizeof path, "evtx") || !world_new(&w))
        return;
    assert_int_equal(folder_list(path, logs, &w.arena, &list, &err), OK);
    assert_true(data_path(path, sizeof path, "sigma/regression_data"));
    assert_int_equal(folder_list(path, logs, &w.arena, &list, &err), OK);
    struct block_set *blocks = block_set_new((struct block_sink){on_block, &w});
    for (size_t i = 0; i < list.n; i++)
        read_into(blocks, list.paths[i], (uint32_t)i);
    assert_int_equal(block_set_flush(blocks, &err), OK);
    print_message("# %zu of %zu events compared\n", w.compared, w.events);
    assert_true(w.compared > 0);
    block_set_free(blocks);
    file_list_free(&list);
    world_free(&w);
}

int main(int argc, char **argv)
{
    uint32_t every = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 61;
    const struct CMUnitTest tests[] = {cmocka_unit_test(rules_match_their_cases),
                                       cmocka_unit_test_prestate(both_agree, &every)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
