/* Checking rules: what can never match, and what is only said when it is sure. */
#include "rules.h"

#include "detect/check.h"

#include <stdlib.h>

struct checked {
    struct ruleset *set;
    struct mappings *mappings;
    struct check *check;
};

static struct checked check_text(const char *yaml)
{
    struct error err;
    struct checked k = {.set = rules_of(yaml), .mappings = mappings_builtin(&err)};
    assert_non_null(k.mappings);
    k.check = check_rules(k.set, k.mappings);
    return k;
}

static void done(struct checked k)
{
    check_free(k.check);
    mappings_free(k.mappings);
    ruleset_free(k.set);
}

/* A rule for this log source with these searches and condition: one remark, or none (what NULL). */
static void check_one(const char *logsource, const char *detection, enum check_kind kind,
                      const char *what)
{
    char text[2048];
    snprintf(text, sizeof text, "title: T\nlogsource: {%s}\ndetection:\n%s", logsource, detection);
    struct checked k = check_text(text);
    assert_no_problem(k.set);
    if (!what && k.check->remarks_n)
        fail_msg("%s: %s", detection, k.check->remarks[0].what.p);
    assert_int_equal(k.check->remarks_n, what ? 1 : 0);
    assert_int_equal(k.check->sources_n, 1);
    assert_int_equal(k.check->sources[0].rules, 1);
    assert_int_equal(k.check->sources[0].never, what ? 1 : 0);
    if (what) {
        assert_string_equal(k.check->remarks[0].what.p, what);
        assert_int_equal(k.check->remarks[0].kind, kind);
        assert_ptr_equal(k.check->remarks[0].rule, ruleset_rule(k.set, 0));
        assert_int_equal(k.check->counts[kind], 1);
    }
    bool fault = what && (kind == CHECK_NEVER || kind == CHECK_UNKNOWN);
    assert_int_equal(check_finds_faults(k.check), fault);
    done(k);
}

#define PROCESS "product: windows, category: process_creation"

static void contradictions_are_found(void **state)
{
    (void)state;
    static const char *const codes = "it can never match: EventID is never '5' in events of "
                                     "process_creation by Sysmon 1";
    check_one(PROCESS, "  s: {EventID: 5}\n  condition: s\n", CHECK_NEVER, codes);
    check_one(PROCESS, "  s: {EventID: 5, F: x}\n  condition: s\n", CHECK_NEVER, codes);
    check_one(PROCESS, "  s: {EventID: 5}\n  t: {F: x}\n  condition: t and s\n", CHECK_NEVER,
              codes);
    check_one(PROCESS, "  s: {EventID: 5}\n  t: {EventID: 5}\n  condition: s or t\n", CHECK_NEVER,
              codes);
    check_one(PROCESS, "  s: {EventID: 5}\n  t: {F: x}\n  condition: all of them\n", CHECK_NEVER,
              codes);
    check_one(PROCESS, "  s: [{EventID: 5}, {EventID: 5, F: y}]\n  condition: s\n", CHECK_NEVER,
              codes);
    check_one(PROCESS, "  s: {F: x}\n  t: {F: [y, z]}\n  condition: s and t\n", CHECK_NEVER,
              "it can never match: F would have to be 'x' and 'y' at once");
    check_one(PROCESS, "  s: {F: []}\n  condition: s\n", CHECK_NEVER,
              "it can never match: 'F' has no value to match");
    check_one("product: windows, category: registry_add",
              "  s: {EventType: SetValue}\n  condition: s\n", CHECK_NEVER,
              "it can never match: EventType is never 'SetValue' in events of registry_add by "
              "Sysmon 12");
    check_one("product: windows, service: security", "  s: {Channel: System}\n  condition: s\n",
              CHECK_NEVER,
              "it can never match: Channel is never 'System' in events of windows/security");
}

static void what_may_match_is_left_alone(void **state)
{
    (void)state;
    static const char *const fine[] = {
        "  s: {EventID: [1, 5]}\n  condition: s\n",
        "  s: {EventID: 4688}\n  condition: s\n", /* the other kind of event */
        "  s: {EventID: '1*'}\n  condition: s\n",
        "  s: {EventID|startswith: 4}\n  condition: s\n",
        "  s: {EventID: 5}\n  t: {F: x}\n  condition: s or t\n",
        "  s: {EventID: 5}\n  t: {F: x}\n  condition: t and not s\n",
        "  s: {EventID: 5}\n  t: {F: x}\n  condition: 1 of them\n",
        "  s: [{EventID: 5}, {F: y}]\n  condition: s\n",
        "  s: {F: x}\n  t: {F: ['X', y]}\n  condition: s and t\n", /* without case */
        "  s: {F: 'x*'}\n  t: {F: 'xy'}\n  condition: s and t\n",
        "  s: {F|contains: x}\n  t: {F: y}\n  condition: s and t\n",
        "  s: {F: x}\n  t: {F: y}\n  condition: s or t\n",
        "  s: {Data: x}\n  t: {Data: y}\n  condition: s and t\n", /* may be a list */
        "  s: {F: null}\n  t: {F: y}\n  condition: not s and t\n",
        "  s: {F: 'a\\b'}\n  t: {F: 'a\\\\b'}\n  condition: s and t\n", /* the same, written twice */
    };
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        check_one(PROCESS, fine[i], CHECK_NEVER, NULL);
}

static void log_sources_are_looked_up(void **state)
{
    (void)state;
    check_one("product: windows, service: secrity", "  s: {F: x}\n  condition: s\n", CHECK_UNKNOWN,
              "no mapping knows the log source windows/secrity; correct its name, or add it to a "
              "folder for --mappings");
    check_one("product: okta, service: okta", "  s: {F: x}\n  condition: s\n", CHECK_UNREAD,
              "no reader gives events of okta/okta yet");
    check_one(PROCESS, "  s: {F|expand: '%x%'}\n  condition: s\n", CHECK_LACKS,
              "it can't match yet: the placeholder %x% is not defined");
    check_one("product: zeek, service: dns", "  s: {F: x}\n  condition: s\n", CHECK_NEVER, NULL);
}

static void names_of_another_taxonomy_are_told(void **state)
{
    (void)state;
    static const char *const sources[] = {"product: windows, category: process_creation",
                                          "product: windows, service: security", "category: proxy",
                                          "product: linux, service: sshd"};
    for (size_t i = 0; i < 4; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "title: T\ntaxonomy: ecs\nlogsource: {%s}\ndetection:\n"
                 "  a: {process.executable: x}\n  condition: a\n",
                 sources[i]);
        struct checked k = check_text(text);
        assert_no_problem(k.set);
        assert_int_equal(k.check->counts[CHECK_NAMES], i < 2 ? 1 : 0);
        assert_false(check_finds_faults(k.check));
        done(k);
    }
}

static void unused_searches_are_named(void **state)
{
    (void)state;
    struct checked k = check_text("title: T\nlogsource: {" PROCESS "}\n"
                                  "detection:\n"
                                  "  a: {F: x}\n"
                                  "  b_1: {F: x}\n"
                                  "  b_2: {F: x}\n"
                                  "  forgotten:\n"
                                  "    - G: y\n"
                                  "  condition: a and not 1 of b_*\n");
    assert_int_equal(k.check->remarks_n, 1);
    assert_int_equal(k.check->remarks[0].kind, CHECK_UNUSED);
    assert_slice(k.check->remarks[0].what, "the condition does not use the search 'forgotten'");
    assert_int_equal(k.check->remarks[0].line, 8);
    assert_int_equal(k.check->remarks[0].column, 7);
    assert_int_equal(k.check->sources[0].never, 0);
    assert_false(check_finds_faults(k.check));
    done(k);
}

static void rules_are_counted_by_source(void **state)
{
    (void)state;
#define RULE(logsource)                                                                            \
    "title: T\nlogsource: {" logsource "}\ndetection: {s: {F: x}, condition: s}\n---\n"
    struct checked k = check_text(RULE("product: zeek, service: dns") RULE(PROCESS) RULE(PROCESS)
                                      RULE("category: antivirus") "title: bad\nlevel: huge\n");
#undef RULE
    assert_int_equal(k.check->rules, 4);
    assert_int_equal(k.check->correlations, 0);
    assert_int_equal(k.check->counts[CHECK_UNUSABLE], 1);
    assert_int_equal(k.check->remarks_n, 1);
    assert_slice(k.check->remarks[0].title, "bad");
    assert_int_equal(k.check->remarks[0].line, 18);
    assert_int_equal(k.check->remarks[0].column, 8);
    assert_null(k.check->remarks[0].rule);
    assert_true(check_finds_faults(k.check));
    assert_int_equal(k.check->sources_n, 3);
    assert_slice(k.check->sources[0].logsource.category, "antivirus");
    assert_slice(k.check->sources[1].logsource.category, "process_creation");
    assert_int_equal(k.check->sources[1].rules, 2);
    assert_int_equal(k.check->sources[1].bindings_n, 2);
    assert_true(k.check->sources[1].read);
    assert_slice(k.check->sources[2].logsource.product, "zeek");
    done(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contradictions_are_found),
        cmocka_unit_test(what_may_match_is_left_alone),
        cmocka_unit_test(log_sources_are_looked_up),
        cmocka_unit_test(names_of_another_taxonomy_are_told),
        cmocka_unit_test(unused_searches_are_named),
        cmocka_unit_test(rules_are_counted_by_source),
    };
    return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
