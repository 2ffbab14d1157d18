/* Loading: attributes, choices, collections (action), filters, files and folders, what is no rule. */
#include "rules.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DETECTION "detection: {s: {F: x}, condition: s}\n"

static void attributes_are_read(void **state)
{
    (void)state;
    struct ruleset *set = rules_of("# a comment\n"
                                   "title: A title\n"
                                   "id: 0e95725d-7320-415d-80f7-004da920fc11\n"
                                   "name: a_name\n"
                                   "related:\n"
                                   "  - {id: 929a690e-bef0-4204-a928-ef5e620d6fcc, type: derived}\n"
                                   "taxonomy: sigma\n"
                                   "status: test\n"
                                   "description: |\n"
                                   "  Two\n"
                                   "  lines\n"
                                   "license: MIT\n"
                                   "references: [https://example.com/1, https://example.com/2]\n"
                                   "author: Somebody\n"
                                   "date: 2025-08-02\n"
                                   "modified: 2025-08-03\n"
                                   "tags: [attack.t1059.001, attack.execution]\n"
                                   "logsource:\n"
                                   "  product: windows\n"
                                   "  category: ps_script\n"
                                   "  definition: something to switch on\n"
                                   "fields: CommandLine\n"
                                   "falsepositives: [Unknown]\n"
                                   "level: critical\n"
                                   "scope: [server]\n"
                                   "own_field: {anything: goes}\n" DETECTION);
    const struct sigma_rule *r = only_rule(set);
    assert_slice(r->title, "A title");
    assert_slice(r->id, "0e95725d-7320-415d-80f7-004da920fc11");
    assert_slice(r->name, "a_name");
    assert_slice(r->related[0].type, "derived");
    assert_slice(r->taxonomy, "sigma");
    assert_int_equal(r->status, RULE_TEST);
    assert_slice(r->description, "Two\nlines\n");
    assert_slice(r->license, "MIT");
    assert_int_equal(r->references_n, 2);
    assert_slice(r->references[1], "https://example.com/2");
    assert_slice(r->author, "Somebody");
    assert_slice(r->date, "2025-08-02");
    assert_slice(r->modified, "2025-08-03");
    assert_slice(r->tags[0], "attack.t1059.001");
    assert_slice(r->logsource.product, "windows");
    assert_slice(r->logsource.category, "ps_script");
    assert_int_equal(r->logsource.service.n, 0);
    assert_slice(r->fields[0], "CommandLine"); /* a text is a list of one */
    assert_slice(r->falsepositives[0], "Unknown");
    assert_slice(r->scope[0], "server");
    assert_int_equal(r->level, LEVEL_CRITICAL);
    assert_string_equal(r->path.p, "t.yml");
    assert_int_equal(r->line, 2);
    assert_false(r->hidden);
    assert_null(r->correlation);
    ruleset_free(set);
}

static void levels_and_statuses_have_names(void **state)
{
    (void)state;
    for (int i = LEVEL_INFORMATIONAL; i <= LEVEL_CRITICAL; i++)
        assert_int_equal(sigma_level_find(slice_str(sigma_level_name((enum sigma_level)i))), i);
    for (int i = RULE_UNSUPPORTED; i <= RULE_STABLE; i++)
        assert_int_equal(sigma_status_find(slice_str(sigma_status_name((enum sigma_status)i))), i);
    assert_int_equal(sigma_level_find(SLICE("High")), LEVEL_HIGH);
    assert_int_equal(sigma_level_find(SLICE("huge")), LEVEL_NONE);
    assert_string_equal(sigma_level_name(LEVEL_NONE), "");
}

static void wrong_attributes_have_a_place(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        uint32_t line, column;
        const char *what;
    } cases[] = {
        {"logsource: {product: p}\n" DETECTION, 1, 1, "the rule needs a title"},
        {"title: ''\nlogsource: {product: p}\n" DETECTION, 1, 1, "the rule needs a title"},
        {"title: [T]\nlogsource: {product: p}\n" DETECTION, 1, 8, "'title' must be a text"},
        {"title: T\nlevel: huge\n" DETECTION, 2, 8,
         "the level must be informational, low, medium, high or critical"},
        {"title: T\nstatus: new\n" DETECTION, 2, 9,
         "the status must be stable, test, experimental, deprecated or unsupported"},
        {"title: T\ntaxonomy: own\n" DETECTION, 2, 11,
         "the taxonomy 'own' is not known; field names must be those of Sigma's taxonomy ('sigma') "
         "or of ECS ('ecs')"},
        {"title: T\ntags: [a, {b: c}]\n" DETECTION, 2, 11, "'tags' must be a list of texts"},
        {"title: T\nrelated: [{id: a}]\n" DETECTION, 2, 11,
         "an entry of 'related' needs an id and a type"},
        {"title: T\n" DETECTION, 1, 1,
         "a 'logsource' with a category, product or service is missing"},
        {"title: T\nlogsource: windows\n" DETECTION, 2, 12,
         "a 'logsource' with a category, product or service is missing"},
        {"title: T\nlogsource: {definition: d}\n" DETECTION, 2, 12,
         "the 'logsource' needs a category, product or service"},
        {"title: T\nlogsource: {product: [p]}\n" DETECTION, 2, 22, "'product' must be a text"},
        {"title: T\nlogsource: {product: p}\n", 1, 1, "the rule has no 'detection'"},
        {"title: T\nlogsource: {product: p}\ndetection: []\n", 3, 12,
         "the section must be a map of search identifiers and a condition"},
        {"title: T\nlogsource: {product: p}\ndetection: {s: {F: x}}\n", 3, 12,
         "the detection has no condition"},
        {"title: T\nlogsource: {product: p}\ndetection: {condition: s}\n", 3, 12,
         "there is no search identifier here"},
        {"title: T\nlogsource: {product: p}\ndetection: {s: {F: x}, condition: [[s]]}\n", 3, 36,
         "the condition must be a text such as 'selection and not filter'"},
        {"title: T\nlogsource: {product: p}\nlevel: low\nlevel: high\n" DETECTION, 4, 1,
         "the key 'level' stands twice in its map; only one could count"},
        {"- a\n- b\n", 1, 1,
         "this is no Sigma rule: 'title', 'logsource' and 'detection' are missing"},
        {"title: T\nlogsource: {product: [p}\n", 2, 24, NULL}, /* the YAML reader's own words */
        {"", 1, 0, "the file is empty"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ruleset *set = rules_of(cases[i].yaml);
        const struct rule_problem *list;
        assert_int_equal(ruleset_problems(set, &list), 1);
        assert_problem(set, cases[i].line, cases[i].column,
                       cases[i].what ? cases[i].what : list[0].what.p);
        ruleset_free(set);
    }
}

static void a_bad_document_leaves_the_others(void **state)
{
    (void)state;
    struct ruleset *set =
        rules_of("title: One\nlogsource: {product: p}\n" DETECTION "---\n"
                 "title: Two\nlogsource: {product: p}\nlevel: huge\n" DETECTION "---\n---\n"
                 "title: Three\nlogsource: {product: p}\n" DETECTION);
    assert_int_equal(ruleset_count(set), 2);
    assert_slice(ruleset_rule(set, 1)->title, "Three");
    assert_int_equal(ruleset_rule(set, 1)->index, 1);
    assert_null(ruleset_rule(set, 2));
    assert_problem(set, 7, 8, "the level must be informational, low, medium, high or critical");
    const struct rule_problem *list;
    ruleset_problems(set, &list);
    assert_slice(list[0].title, "Two");
    ruleset_free(set);
}

static void line_ends_and_marks_do_not_matter(void **state)
{
    (void)state;
    struct ruleset *set = rules_of("\xef\xbb\xbftitle: T\r\nlogsource:\r\n  product: p\r\n"
                                   "detection:\r\n  s:\r\n    F: x\r\n  condition: s and u\r\n");
    assert_problem(set, 7, 20, "there is no search identifier 'u'");
    ruleset_free(set);
}

static void an_id_is_used_once(void **state)
{
    (void)state;
    struct ruleset *set =
        rules_of("title: One\nid: ABC\nlogsource: {product: p}\n" DETECTION "---\n"
                 "title: Two\nid: abc\nlogsource: {product: p}\n" DETECTION);
    assert_int_equal(ruleset_count(set), 1);
    assert_problem(set, 7, 5,
                   "the id is that of the rule at t.yml:1 already; give this one its own");
    ruleset_free(set);
    set = rules_of("title: One\nname: n\nlogsource: {product: p}\n" DETECTION "---\n"
                   "title: Two\nname: n\nlogsource: {product: p}\n" DETECTION);
    assert_problem(set, 7, 7,
                   "the name is that of the rule at t.yml:1 already; give this one its own");
    ruleset_free(set);
}

/* ---- choices ---- */

static const char choosable[] =
    "title: A\nlevel: low\nstatus: stable\ntags: [attack.t1059.001]\n"
    "logsource: {product: windows, service: security}\n" DETECTION "---\n"
    "title: B\nlevel: high\nstatus: experimental\ntags: [attack.execution, attack.t1059]\n"
    "logsource: {product: windows, category: ps_script}\n" DETECTION "---\n"
    "title: C\nlevel: critical\nstatus: deprecated\nlogsource: {product: linux}\n" DETECTION "---\n"
    "title: D\nlogsource: {category: proxy}\n" DETECTION "---\n"
    "title: E\nstatus: unsupported\nlogsource: {category: proxy}\n"
    "detection: {s: {F: x}, condition: s | count() > 1}\n";

/* The titles that a choice takes. */
static void check_choice(struct rule_choice choice, const char *titles)
{
    struct ruleset *set = ruleset_new();
    struct error err;
    char got[16] = "";
    assert_int_equal(ruleset_load_text(set, SLICE(choosable), "t.yml", &choice, &err), OK);
    ruleset_finish(set);
    for (uint32_t i = 0; i < ruleset_count(set); i++)
        strncat(got, ruleset_rule(set, i)->title.p, sizeof got - strlen(got) - 1);
    assert_string_equal(got, titles);
    const struct rule_problem *list;
    assert_int_equal(ruleset_problems(set, &list), choice.with_deprecated ? 1 : 0);
    ruleset_free(set);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__})

static void choices_choose(void **state)
{
    (void)state;
    check_choice((struct rule_choice){0}, "ABD");
    check_choice((struct rule_choice){.with_deprecated = true}, "ABCD");
    check_choice((struct rule_choice){.level_least = LEVEL_LOW}, "AB");
    check_choice((struct rule_choice){.level_least = LEVEL_HIGH}, "B");
    check_choice((struct rule_choice){.statuses = LIST("stable", "deprecated"), .statuses_n = 2},
                 "AC");
    check_choice((struct rule_choice){.tags = LIST("attack.t1059"), .tags_n = 1}, "AB");
    check_choice((struct rule_choice){.tags = LIST("ATTACK.T1059.001"), .tags_n = 1}, "A");
    check_choice((struct rule_choice){.tags = LIST("attack.t105"), .tags_n = 1}, "");
    check_choice((struct rule_choice){.logsources = LIST("windows"), .logsources_n = 1}, "AB");
    check_choice(
        (struct rule_choice){.logsources = LIST("windows/ps_script", "proxy"), .logsources_n = 2},
        "BD");
    check_choice((struct rule_choice){.logsources = LIST("security/windows"), .logsources_n = 1},
                 "A");
    check_choice((struct rule_choice){.logsources = LIST("windows/proxy"), .logsources_n = 1}, "");
}

/* ---- collections ---- */

static void global_repeat_and_reset_merge(void **state)
{
    (void)state;
    struct ruleset *set = rules_of("action: global\n"
                                   "title: Shared\n"
                                   "id: one-id\n"
                                   "level: low\n"
                                   "detection: {s: {F: x}, condition: s}\n"
                                   "---\n"
                                   "logsource: {product: a}\n"
                                   "detection: {s: {G: 1}}\n"
                                   "---\n"
                                   "logsource: {product: b}\n"
                                   "title: Own\n"
                                   "---\n"
                                   "action: repeat\n"
                                   "level: high\n"
                                   "---\n"
                                   "action: global\n"
                                   "tags: [more]\n"
                                   "---\n"
                                   "logsource: {product: c}\n"
                                   "---\n"
                                   "action: reset\n"
                                   "---\n"
                                   "title: Alone\n"
                                   "logsource: {product: d}\n" DETECTION);
    assert_no_problem(set);
    assert_int_equal(ruleset_count(set), 5);
    const struct sigma_rule *r[5];
    for (uint32_t i = 0; i < 5; i++)
        r[i] = ruleset_rule(set, i);
    assert_slice(r[0]->title, "Shared");
    assert_slice(r[0]->logsource.product, "a");
    assert_int_equal(r[0]->searches[0].detection.children_n, 2); /* G and F */
    assert_int_equal(r[0]->line, 7);
    assert_slice(r[1]->title, "Own");
    assert_slice(r[1]->id, "one-id");
    assert_int_equal(r[1]->level, LEVEL_LOW);
    assert_slice(r[2]->title, "Own");
    assert_slice(r[2]->logsource.product, "b");
    assert_int_equal(r[2]->level, LEVEL_HIGH);
    assert_slice(r[3]->tags[0], "more");
    assert_slice(r[3]->title, "Shared");
    assert_int_equal(r[4]->tags_n, 0);
    assert_slice(r[4]->title, "Alone");
    ruleset_free(set);
}

static void wrong_actions_are_told(void **state)
{
    (void)state;
    struct ruleset *set = rules_of("action: explode\ntitle: T\n");
    assert_problem(set, 1, 9, "'action' must be global, reset or repeat");
    ruleset_free(set);
    set = rules_of("action: repeat\ntitle: T\n");
    assert_problem(set, 1, 9, "there is no rule before it to repeat");
    ruleset_free(set);
}

static void repeats_are_bounded(void **state)
{
    (void)state;
    enum { TIMES = 2000 };
    size_t room = 200 + TIMES * 40, n = 0;
    char *text = malloc(room);
    assert_non_null(text);
    n += (size_t)snprintf(text, room, RULE_HEAD DETECTION);
    for (int i = 0; i < TIMES; i++)
        n += (size_t)snprintf(text + n, room - n, "---\naction: repeat\nk%d: 1\n", i);
    struct ruleset *set = rules_of(text);
    const struct rule_problem *list;
    size_t problems = ruleset_problems(set, &list);
    assert_int_equal(problems, 101);
    assert_true(ruleset_count(set) > 1000);
    assert_slice(list[0].what, "merging the file's documents makes too much");
    assert_slice(list[100].what, "the file has 100 bad documents; the rest of it is left out");
    ruleset_free(set);
    free(text);
}

/* ---- filters ---- */

#define TWO_RULES                                                                                  \
    "title: One\nid: id-1\nname: one\nlogsource: {product: windows, category: process_creation}\n" \
    "detection: {s: {F: x}, t: {F: y}, condition: 1 of them}\n---\n"                               \
    "title: Two\nid: id-2\nlogsource: {product: linux, category: process_creation}\n" DETECTION    \
    "---\n"

static void filters_join_their_rules(void **state)
{
    (void)state;
    struct ruleset *set = rules_of(TWO_RULES "title: Not adm\n"
                                             "logsource: {product: windows}\n"
                                             "filter:\n"
                                             "  rules: [ID-1, id-2]\n"
                                             "  selection: {User|startswith: adm_}\n"
                                             "  other: [keyword]\n"
                                             "  condition: not 1 of them\n");
    assert_no_problem(set);
    const struct sigma_rule *one = ruleset_rule(set, 0), *two = ruleset_rule(set, 1);
    assert_int_equal(one->searches_n, 4);
    assert_slice(one->searches[2].name, "selection");
    const struct sigma_condition *c = one->conditions[0];
    assert_int_equal(c->type, COND_AND);
    assert_int_equal(c->left->type, COND_OF);
    assert_int_equal(c->left->searches_n, 2); /* `them` sees none of the filter's */
    assert_int_equal(c->right->type, COND_NOT);
    assert_int_equal(c->right->left->searches_n, 2);
    assert_int_equal(c->right->left->searches[0], 2);
    assert_int_equal(c->right->left->searches[1], 3);
    assert_int_equal(two->searches_n, 1); /* another log source */
    assert_int_equal(two->conditions[0]->type, COND_SEARCH);
    ruleset_free(set);
}

static void filters_can_be_for_any(void **state)
{
    (void)state;
    struct ruleset *set =
        rules_of("title: F\nlogsource: {category: process_creation}\n"
                 "filter: {rules: any, s: {User: x}, condition: not s}\n---\n"
                 "title: G\nlogsource: {product: windows}\n"
                 "filter: {rules: one, s: {User: y}, condition: s}\n---\n" TWO_RULES);
    assert_no_problem(set);
    const struct sigma_condition *c = ruleset_rule(set, 0)->conditions[0];
    assert_int_equal(c->type, COND_AND); /* the second filter's */
    assert_int_equal(c->right->type, COND_SEARCH);
    assert_int_equal(c->right->search, 3);
    assert_int_equal(c->left->type, COND_AND);
    assert_int_equal(c->left->right->type, COND_NOT);
    assert_int_equal(ruleset_rule(set, 1)->conditions[0]->type, COND_AND);
    ruleset_free(set);
}

static void wrong_filters_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        uint32_t line, column;
        const char *what;
    } cases[] = {
        {"logsource: {product: p}\nfilter: {rules: any, s: {F: x}, condition: s}\n", 1, 1,
         "the filter needs a title"},
        {"title: T\nfilter: {rules: any, s: {F: x}, condition: s}\n", 1, 1,
         "a 'logsource' with a category, product or service is missing"},
        {"title: T\nlogsource: {product: p}\nfilter: {s: {F: x}, condition: s}\n", 3, 9,
         "the filter needs 'rules': a list of rules' ids or names, or 'any'"},
        {"title: T\nlogsource: {product: p}\nfilter: {rules: any, s: {F: x}}\n", 3, 9,
         "the filter needs a condition such as 'not selection'"},
        {"title: T\nlogsource: {product: p}\nfilter: {rules: any, condition: s}\n", 3, 9,
         "there is no search identifier here"},
        {"title: T\nlogsource: {product: p}\nfilter: {rules: any, s: {F: x}, condition: u}\n", 3,
         44, "there is no search identifier 'u'"},
        {"title: T\nlogsource: {product: p}\nfilter: {rules: [x], s: {F: x}, condition: s}\n", 3,
         18, "no rule here has the id or name 'x'"},
        {"title: T\nlogsource: {product: p}\n"
         "filter: {rules: any, s: {F|expand: '%x%'}, condition: s}\n",
         3, 9, "the filter can't be applied: the placeholder %x% is not defined"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ruleset *set = rules_of(cases[i].yaml);
        assert_problem(set, cases[i].line, cases[i].column, cases[i].what);
        ruleset_free(set);
    }
}

/* ---- files ---- */

static void folders_are_walked(void **state)
{
    (void)state;
    char root[] = "/tmp/hikeshi-test-XXXXXX", path[64];
    assert_non_null(mkdtemp(root));
    static const struct {
        const char *name, *text;
    } files[] = {
        {"b.yml", "title: B\nlogsource: {product: p}\n" DETECTION},
        {"a.yaml", "title: A\nlogsource: {product: p}\n" DETECTION},
        {"sub/c.yml", "title: C\nlogsource: {product: p}\n" DETECTION},
        {"info.yml", "id: x\nregression_tests_info: []\n"}, /* beside rules, no rule */
        {"notes.txt", "title: [\n"},
        {".hidden.yml", "title: [\n"},
        {"wrong.yml", "title: [\n"},
    };
    snprintf(path, sizeof path, "%s/sub", root);
    assert_int_equal(mkdir(path, 0700), 0);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", root, files[i].name);
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fputs(files[i].text, f);
        fclose(f);
    }
    struct ruleset *set = ruleset_new();
    struct error err;
    assert_int_equal(ruleset_load(set, root, NULL, &err), OK);
    snprintf(path, sizeof path, "%s/sub/../sub", root); /* what was read is not read again */
    assert_int_equal(ruleset_load(set, path, NULL, &err), OK);
    ruleset_finish(set);
    assert_int_equal(ruleset_count(set), 3);
    assert_slice(ruleset_rule(set, 0)->title, "A");
    assert_slice(ruleset_rule(set, 1)->title, "B");
    assert_slice(ruleset_rule(set, 2)->title, "C");
    assert_true(slice_ends(ruleset_rule(set, 2)->path, SLICE("/sub/c.yml")));
    assert_int_equal(ruleset_others(set), 1);
    const struct rule_problem *list;
    assert_int_equal(ruleset_problems(set, &list), 1);
    assert_true(slice_ends(list[0].path, SLICE("/wrong.yml")));
    ruleset_free(set);

    set = ruleset_new();
    assert_int_equal(ruleset_load(set, "/nonexistent", NULL, &err), STATUS_SYSTEM);
    snprintf(path, sizeof path, "%s/info.yml", root); /* named: then it should be one */
    assert_int_equal(ruleset_load(set, path, NULL, &err), OK);
    assert_int_equal(ruleset_problems(set, &list), 1);
    ruleset_free(set);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", root, files[i].name);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/sub", root);
    rmdir(path);
    rmdir(root);
}

/* The hash of the first rule. */
static void hash_of(const char *yaml, uint8_t hash[RULE_HASH])
{
    struct ruleset *set = rules_of(yaml);
    assert_no_problem(set);
    memcpy(hash, ruleset_rule(set, 0)->hash, RULE_HASH);
    ruleset_free(set);
}

/* What a rule says makes its hash, not how it is laid out; filters on it are a part of that. */
static void wordings_have_hashes(void **state)
{
    (void)state;
    static const char rule[] = RULE_HEAD "name: r\ndetection: {s: {a: b}, condition: s}\n";
    static const char filter[] = "---\ntitle: F\nlogsource: {product: windows}\n"
                                 "filter: {rules: [r], f: {c: d}, condition: not f}\n";
    char filtered[sizeof rule + sizeof filter];
    uint8_t plain[RULE_HASH], other[RULE_HASH];
    hash_of(rule, plain);
    hash_of("# about\n" RULE_HEAD "name: 'r'\ndetection:\n  s:\n    a: b\n  condition: s\n", other);
    assert_memory_equal(plain, other, RULE_HASH);
    hash_of(RULE_HEAD "name: r\ndetection: {s: {a: c}, condition: s}\n", other);
    assert_memory_not_equal(plain, other, RULE_HASH);
    hash_of(RULE_HEAD "name: r\ndetection: {s: {a|contains: b}, condition: s}\n", other);
    assert_memory_not_equal(plain, other, RULE_HASH);
    snprintf(filtered, sizeof filtered, "%s%s", rule, filter);
    hash_of(filtered, other);
    assert_memory_not_equal(plain, other, RULE_HASH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_are_read),
        cmocka_unit_test(levels_and_statuses_have_names),
        cmocka_unit_test(wrong_attributes_have_a_place),
        cmocka_unit_test(a_bad_document_leaves_the_others),
        cmocka_unit_test(line_ends_and_marks_do_not_matter),
        cmocka_unit_test(an_id_is_used_once),
        cmocka_unit_test(choices_choose),
        cmocka_unit_test(global_repeat_and_reset_merge),
        cmocka_unit_test(wrong_actions_are_told),
        cmocka_unit_test(repeats_are_bounded),
        cmocka_unit_test(filters_join_their_rules),
        cmocka_unit_test(filters_can_be_for_any),
        cmocka_unit_test(wrong_filters_are_told),
        cmocka_unit_test(folders_are_walked),
        cmocka_unit_test(wordings_have_hashes),
    };
    return cmocka_run_group_tests_name("ruleset", tests, NULL, NULL);
}
