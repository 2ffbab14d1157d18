/*
 * SigmaHQ's rules, as they lie beside the project: every one loads, and every log source that they
 * name is known to the mappings. A rule that can't be used stands below with its fault.
 */
#include "base/files.h"
#include "base/yaml.h"
#include "detect/check.h"
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
    struct check *check = check_rules(set, m);
    for (size_t i = 0; i < check->remarks_n; i++)
        if (check->remarks[i].kind == CHECK_NEVER)
            print_message("# %.*s: %.*s\n", SLICE_ARG(check->remarks[i].path),
                          SLICE_ARG(check->remarks[i].what));
    assert_false(check_finds_faults(check)); /* none contradicts itself */
    check_free(check);
    mappings_free(m);
    ruleset_free(set);
}

/* Some binding of the log source takes this event code. */
static bool has_code(const struct mappings *m, const uint32_t *bindings, size_t n,
                     struct slice code)
{
    for (size_t i = 0; i < n; i++) {
        const struct log_binding *b = mappings_get(m, bindings[i]);
        for (uint32_t k = 0; k < b->codes_n; k++)
            if (slice_equal(b->codes[k], code))
                return true;
    }
    return false;
}

static bool has_channel(const struct mappings *m, const uint32_t *bindings, size_t n,
                        struct slice channel)
{
    for (size_t i = 0; i < n; i++) {
        const struct log_binding *b = mappings_get(m, bindings[i]);
        for (uint32_t k = 0; k < b->channels_n; k++)
            if (slice_equal_nocase(b->channels[k], channel))
                return true;
    }
    return false;
}

/* SigmaHQ's own table of what Windows log sources mean says nothing that ours does not. */
static void check_entry(const struct mappings *m, const struct yaml_node *key,
                        const struct yaml_node *entry, int *checked)
{
    const struct yaml_node *codes =
        yaml_get(yaml_get(entry, SLICE("conditions")), SLICE("EventID"));
    const struct yaml_node *sources = yaml_get(entry, SLICE("sources"));
    uint32_t bindings[16];
    if (!slice_equal(yaml_text(yaml_get(entry, SLICE("product"))), SLICE("windows")))
        return;
    size_t n =
        mappings_for_logsource(m, SLICE("windows"), yaml_text(yaml_get(entry, SLICE("category"))),
                               yaml_text(yaml_get(entry, SLICE("service"))), bindings, 16);
    if (n == 0 || n > 16)
        fail_msg("%.*s has no mapping", SLICE_ARG(key->text));
    for (uint32_t i = 0; i < yaml_count(codes); i++, ++*checked)
        if (!has_code(m, bindings, n, yaml_text(yaml_at(codes, i))))
            fail_msg("%.*s lacks the code %.*s", SLICE_ARG(key->text),
                     SLICE_ARG(yaml_text(yaml_at(codes, i))));
    for (uint32_t i = 0; i < yaml_count(sources); i++) {
        struct slice source = yaml_text(yaml_at(sources, i));
        if (!slice_starts(source, SLICE("WinEventLog:")))
            continue;
        source = slice_sub(source, sizeof "WinEventLog:" - 1, SIZE_MAX);
        ++*checked;
        if (!has_channel(m, bindings, n, source))
            fail_msg("%.*s lacks the channel %.*s", SLICE_ARG(key->text), SLICE_ARG(source));
    }
}

static void mappings_hold_what_sigmahq_says(void **state)
{
    (void)state;
    char path[4096];
    struct arena a = {0};
    struct error err;
    struct slice text;
    const struct yaml_node *root;
    int checked = 0;
    if (!data_path(path, sizeof path, "logsources.yml"))
        return;
    assert_int_equal(file_read(path, YAML_BYTES, &a, &text, &err), OK);
    assert_int_equal(yaml_parse_one(text, path, &a, &root, &err), OK);
    const struct yaml_node *list = yaml_get(root, SLICE("logsources"));
    struct mappings *m = mappings_builtin(&err);
    assert_non_null(m);
    for (uint32_t i = 0; i < list->n; i++)
        check_entry(m, list->keys[i], list->items[i], &checked);
    assert_true(checked > 80);
    mappings_free(m);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_rules_load),
        cmocka_unit_test(mappings_hold_what_sigmahq_says),
    };
    return cmocka_run_group_tests_name("sigmahq", tests, NULL, NULL);
}
