/*
 * SigmaHQ's rules, as they lie beside the project: every one loads, and every log source that they
 * name is known to the mappings. A rule that can't be used stands below with its fault.
 */
#include "detect/ruleset.h"
#include "event/mapping.h"

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char *const folders[] = {"rules", "rules-emerging-threats", "rules-threat-hunting"};

/* Rules whose own fault keeps them out: none. */
static const char *const exceptions[] = {NULL};

static bool data_path(char *out, size_t n, const char *folder)
{
    struct stat st;
    snprintf(out, n, "%s/../shared/data/sigma/%s", getenv("SOURCE_ROOT"), folder);
    if (stat(out, &st) == 0)
        return true;
    print_message("# skip: %s is not there\n", out);
    return false;
}

static bool is_exception(struct slice path)
{
    for (size_t i = 0; exceptions[i]; i++)
        if (slice_ends(path, slice_str(exceptions[i])))
            return true;
    return false;
}

static void all_rules_load(void **state)
{
    (void)state;
    struct ruleset *set = ruleset_new();
    struct rule_choice choice = {.with_deprecated = true};
    size_t most = 0, unexpected = 0;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char path[4096];
        struct error err;
        if (!data_path(path, sizeof path, folders[i])) {
            ruleset_free(set);
            return;
        }
        assert_int_equal(ruleset_load(set, path, &choice, &err), OK);
    }
    ruleset_finish(set);
    const struct rule_problem *problems;
    size_t n = ruleset_problems(set, &problems);
    for (size_t i = 0; i < n; i++)
        if (!is_exception(problems[i].path)) {
            print_message("# %.*s:%u:%u: %.*s\n", SLICE_ARG(problems[i].path), problems[i].line,
                          problems[i].column, SLICE_ARG(problems[i].what));
            unexpected++;
        }
    assert_int_equal(unexpected, 0);
    assert_int_equal(ruleset_others(set), 0);
    assert_true(ruleset_count(set) > 3500);

    struct error err;
    struct mappings *m = mappings_builtin(&err);
    assert_non_null(m);
    for (uint32_t i = 0; i < ruleset_count(set); i++) {
        const struct sigma_rule *rule = ruleset_rule(set, i);
        const struct sigma_logsource *l = &rule->logsource;
        assert_int_equal(rule->index, i);
        if (mappings_for_logsource(m, l->product, l->category, l->service, NULL, 0) == 0) {
            print_message("# %.*s: no mapping for %.*s/%.*s/%.*s\n", SLICE_ARG(rule->path),
                          SLICE_ARG(l->product), SLICE_ARG(l->category), SLICE_ARG(l->service));
            unexpected++;
        }
        if (rule->conditions_n == 0 && rule->lacks.n == 0)
            unexpected++;
        if (rule->searches_n > most)
            most = rule->searches_n;
    }
    assert_int_equal(unexpected, 0);
    assert_true(most > 10);
    mappings_free(m);
    ruleset_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_rules_load)};
    return cmocka_run_group_tests_name("sigmahq", tests, NULL, NULL);
}
