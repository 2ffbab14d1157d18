/* The grammar of conditions: what each shape means, and where the wrong ones are wrong. */
#include "rules.h"

#include "base/arena.h"
#include "base/buf.h"
#include "model/condition_slow.h"

#include <stdlib.h>

/* A rule with these searches and this condition (YAML in double quotes). */
static void make_rule(struct buf *b, const char *searches, const char *condition)
{
    char copy[256];
    snprintf(copy, sizeof copy, "%s", searches);
    buf_clear(b);
    buf_printf(b, RULE_HEAD "detection:\n");
    for (char *save, *name = strtok_r(copy, " ", &save); name; name = strtok_r(NULL, " ", &save))
        buf_printf(b, "  %s: {F: x}\n", name);
    buf_printf(b, "  condition: \"%s\"\n", condition);
    buf_char(b, '\0');
}

static void check_shape(char *line, struct buf *b)
{
    char *save, *condition = strtok_r(line, "|", &save), *searches = strtok_r(NULL, "|", &save);
    unsigned long count = strtoul(strtok_r(NULL, "|", &save), NULL, 10);
    uint32_t hash = (uint32_t)strtoul(strtok_r(NULL, "|", &save), NULL, 16);
    make_rule(b, searches, condition);
    struct ruleset *set = rules_of(b->p);
    const struct sigma_rule *rule = only_rule(set);
    assert_int_equal(rule->conditions_n, 1);
    unsigned long held = 0;
    uint32_t h = UINT32_C(2166136261);
    for (uint32_t m = 0; m < UINT32_C(1) << rule->searches_n; m++) {
        bool yes = condition_holds(rule->conditions[0], m);
        held += yes;
        h = (h ^ (yes ? '1' : '0')) * UINT32_C(16777619);
    }
    if (held != count || h != hash)
        fail_msg("'%s' holds for %lu combinations (%08x), not for %lu (%08x)", condition, held, h,
                 count, hash);
    ruleset_free(set);
}

static void every_shape_means_what_it_says(void **state)
{
    (void)state;
    char path[4096], line[1024];
    snprintf(path, sizeof path, "%s/tests/unit/data/conditions.txt", getenv("SOURCE_ROOT"));
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    struct buf b = {0};
    int shapes = 0;
    while (fgets(line, sizeof line, f))
        if (line[0] != '#') {
            line[strcspn(line, "\n")] = '\0';
            check_shape(line, &b);
            shapes++;
        }
    fclose(f);
    buf_free(&b);
    assert_true(shapes > 130);
}

static void wrong_conditions_have_a_place(void **state)
{
    (void)state;
    static const struct {
        const char *condition;
        uint32_t column; /* in the condition, from 1; the condition begins at column 14 */
        const char *what;
    } cases[] = {
        {"a and", 6, "the condition ends where a search identifier is expected"},
        {"and a", 1, "'and' stands where a search identifier is expected"},
        {"a or or b", 6, "'or' stands where a search identifier is expected"},
        {"a b", 3, "'and' or 'or' is missing before 'b'"},
        {"(a or b", 1, "this parenthesis is never closed"},
        {"a or b)", 7, "this parenthesis closes none"},
        {"a and ()", 8, "')' stands where a search identifier is expected"},
        {"a and nope", 7, "there is no search identifier 'nope'"},
        {"p_*", 1, "the pattern 'p_*' needs '1 of' or 'all of' before it"},
        {"1 of x*", 6, "no search identifier here fits 'x*'"},
        {"1 of", 5, "after 'of' stands a name, a pattern such as selection_*, or 'them'"},
        {"1 of (a)", 6, "after 'of' stands a name, a pattern such as selection_*, or 'them'"},
        {"a or 3 of p_*", 6, "3 of 'p_*' can't match: only 2 search identifiers fit it"},
        {"0 of p_*", 1, "'0 of' always matches; at least 1 is needed"},
        {"not", 4, "the condition ends where a search identifier is expected"},
        {"a, b", 2, "'and' or 'or' is missing before ','"},
        {"a | count() > 5", 3,
         "the aggregation behind '|' is no part of Sigma 2; write a correlation rule "
         "(event_count, value_count, temporal) that refers to this rule"},
    };
    struct buf b = {0};
    for (int quoted = 0; quoted <= 1; quoted++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            buf_clear(&b);
            buf_printf(&b,
                       RULE_HEAD "detection:\n  a: {F: x}\n  b: {F: x}\n  p_1: {F: x}\n"
                                 "  p_2: {F: x}\n  condition: %s%s%s\n",
                       quoted ? "'" : "", cases[i].condition, quoted ? "'" : "");
            buf_char(&b, '\0');
            struct ruleset *set = rules_of(b.p);
            assert_int_equal(ruleset_count(set), 0);
            /* at its very beginning the quote is the place */
            uint32_t shift = quoted && cases[i].column > 1 ? 1 : 0;
            assert_problem(set, 8, 14 + cases[i].column - 1 + shift, cases[i].what);
            ruleset_free(set);
        }
    buf_free(&b);
}

static void a_block_scalar_has_the_place_of_its_mark(void **state)
{
    (void)state;
    struct ruleset *set = rules_of(RULE_HEAD "detection:\n"
                                             "  a: {F: x}\n"
                                             "  condition: |\n"
                                             "    a and\n"
                                             "    nope\n");
    assert_problem(set, 5, 14, "there is no search identifier 'nope'");
    ruleset_free(set);
}

static void depth_and_length_are_bounded(void **state)
{
    (void)state;
    struct buf b = {0}, c = {0};
    for (int deep = 0; deep <= 1; deep++) {
        buf_clear(&c);
        if (deep) {
            for (int i = 0; i < 100000; i++)
                buf_printf(&c, i % 2 ? "(" : "not ");
        } else {
            for (int i = 0; i < 1024; i++)
                buf_printf(&c, "a or ");
        }
        buf_add(&c, SLICE("a"));
        buf_char(&c, '\0');
        make_rule(&b, "a", c.p);
        struct ruleset *set = rules_of(b.p);
        assert_problem(set, 5, deep ? 14 + 1 + 32 * 5 : 14 + 1 + 1024 * 5,
                       deep ? "parentheses and 'not' are nested deeper than 64"
                            : "the condition has more than 1024 terms");
        ruleset_free(set);
    }
    /* as long as can be: the tree stays shallow */
    buf_clear(&c);
    for (int i = 0; i < 1023; i++)
        buf_printf(&c, "not a or ");
    buf_add(&c, SLICE("not a"));
    buf_char(&c, '\0');
    make_rule(&b, "a", c.p);
    struct ruleset *set = rules_of(b.p);
    const struct sigma_condition *at = only_rule(set)->conditions[0];
    int depth = 0;
    for (; at; at = at->left)
        depth++;
    assert_int_equal(depth, 12); /* ten joins, a not, a name */
    ruleset_free(set);
    buf_free(&b);
    buf_free(&c);
}

static void a_list_of_conditions_is_kept(void **state)
{
    (void)state;
    struct ruleset *set = rules_of(RULE_HEAD "detection:\n"
                                             "  a: {F: x}\n"
                                             "  b: {F: x}\n"
                                             "  condition:\n"
                                             "    - a\n"
                                             "    - not b\n");
    const struct sigma_rule *rule = only_rule(set);
    assert_int_equal(rule->conditions_n, 2);
    assert_int_equal(rule->conditions[0]->search, 0);
    assert_int_equal(rule->conditions[1]->type, COND_NOT);
    ruleset_free(set);
}

static void the_pattern_is_kept_for_people(void **state)
{
    (void)state;
    struct ruleset *set = rules_of(RULE_HEAD "detection:\n"
                                             "  s_1: {F: x}\n"
                                             "  _s: {F: x}\n"
                                             "  s_2: {F: x}\n"
                                             "  condition: all of s_* and 1 of them\n");
    const struct sigma_condition *c = only_rule(set)->conditions[0];
    assert_slice(c->left->pattern, "s_*");
    assert_int_equal(c->left->quantity, 0);
    assert_int_equal(c->left->searches_n, 2);
    assert_int_equal(c->left->searches[1], 2);
    assert_slice(c->right->pattern, "them");
    assert_int_equal(c->right->searches_n, 2);
    ruleset_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_means_what_it_says),
        cmocka_unit_test(wrong_conditions_have_a_place),
        cmocka_unit_test(a_block_scalar_has_the_place_of_its_mark),
        cmocka_unit_test(depth_and_length_are_bounded),
        cmocka_unit_test(a_list_of_conditions_is_kept),
        cmocka_unit_test(the_pattern_is_kept_for_people),
    };
    return cmocka_run_group_tests_name("rule_condition", tests, NULL, NULL);
}
