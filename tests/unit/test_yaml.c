#include "test.h"

#include "base/yaml.h"

#include <stdio.h>
#include <string.h>

static const struct yaml_node *parse(struct arena *a, struct slice text)
{
    const struct yaml_node *root;
    struct error err = {0};
    if (yaml_parse_one(text, "t", a, &root, &err) != OK)
        error_print(&err, stderr);
    assert_non_null(root);
    return root;
}

static void expect_error(struct slice text, uint64_t line, uint32_t column, const char *part)
{
    struct arena a = {0};
    const struct yaml_node *root;
    struct error err = {0};
    assert_int_equal(yaml_parse_one(text, "t", &a, &root, &err), STATUS_BAD_INPUT);
    if (!strstr(err.what, part) || err.offset != line || err.column != column)
        fail_msg("%d:%u: %s", (int)err.offset, err.column, err.what);
    assert_null(root);
    arena_free(&a);
}

static void tree(void **state)
{
    (void)state;
    struct arena a = {0};
    const struct yaml_node *root = parse(&a, SLICE("name: one\n"
                                                   "list:\n"
                                                   "  - 'a: b'\n"
                                                   "  - {x: 1, \"y z|all\": [true, null]}\n"
                                                   "empty:\n"
                                                   "text: |\n"
                                                   "  two\n"
                                                   "  lines\n"));
    assert_int_equal(root->type, YAML_MAPPING);
    assert_int_equal(root->n, 4);
    assert_slice(yaml_text(yaml_get(root, SLICE("name"))), "one");
    const struct yaml_node *list = yaml_get(root, SLICE("list"));
    assert_int_equal(yaml_count(list), 2);
    assert_slice(yaml_text(yaml_at(list, 0)), "a: b");
    assert_int_equal(yaml_at(list, 0)->line, 3);
    assert_int_equal(yaml_at(list, 0)->column, 5);
    const struct yaml_node *inner = yaml_get(yaml_at(list, 1), SLICE("y z|all"));
    bool yes = false;
    assert_true(yaml_bool(yaml_at(inner, 0), &yes));
    assert_true(yes);
    assert_int_equal(yaml_at(inner, 1)->kind, YAML_NULL);
    const struct yaml_node *empty = yaml_get(root, SLICE("empty"));
    assert_int_equal(empty->kind, YAML_NULL);
    assert_int_equal(empty->line, 5);
    assert_int_equal(yaml_count(empty), 0);
    assert_slice(yaml_text(yaml_get(root, SLICE("text"))), "two\nlines\n");
    assert_null(yaml_get(root, SLICE("absent")));
    assert_null(yaml_get(NULL, SLICE("absent")));
    assert_null(yaml_text(list).p);
    arena_free(&a);
}

static void kinds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum yaml_kind kind;
    } cases[] = {
        {"4624", YAML_INT},       {"'4624'", YAML_STRING}, {"\"true\"", YAML_STRING},
        {"true", YAML_BOOL},      {"yes", YAML_STRING},    {"~", YAML_NULL},
        {"null", YAML_NULL},      {"0x1F", YAML_INT},      {"0o17", YAML_INT},
        {"0xg", YAML_STRING},     {"-5", YAML_INT},        {"1.5", YAML_FLOAT},
        {"1e3", YAML_FLOAT},      {"1e", YAML_STRING},     {".inf", YAML_FLOAT},
        {".nan", YAML_FLOAT},     {"1.2.3", YAML_STRING},  {"2024-01-02", YAML_STRING},
        {"!!str 5", YAML_STRING}, {".", YAML_STRING},      {"+", YAML_STRING},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena a = {0};
        const struct yaml_node *root = parse(&a, slice_str(cases[i].text));
        if (root->kind != cases[i].kind)
            fail_msg("%s is of kind %d", cases[i].text, (int)root->kind);
        arena_free(&a);
    }
}

static void documents(void **state)
{
    (void)state;
    struct arena a = {0};
    struct yaml_documents docs;
    struct error err = {0};
    struct slice text = SLICE("\xef\xbb\xbf"
                              "a: 1\r\n---\r\nb: 2\r\nb: 3\r\n---\r\nc: 4\r\n");
    assert_int_equal(yaml_parse(text, "t", &a, &docs, &err), OK);
    assert_int_equal(docs.n, 3);
    assert_slice(yaml_text(yaml_get(docs.at[0].root, SLICE("a"))), "1");
    assert_null(docs.at[0].duplicate);
    assert_int_equal(docs.at[1].line, 3);
    assert_int_equal(docs.at[1].duplicate->line, 4);
    assert_slice(yaml_text(yaml_get(docs.at[2].root, SLICE("c"))), "4");
    /* what stands before an error is kept */
    assert_int_equal(yaml_parse(SLICE("a: 1\n---\nb: [\n"), "t", &a, &docs, &err),
                     STATUS_BAD_INPUT);
    assert_int_equal(docs.n, 1);
    assert_int_equal(yaml_parse(SLICE(""), "t", &a, &docs, &err), OK);
    assert_int_equal(docs.n, 0);
    assert_int_equal(yaml_parse(SLICE("# only this\n"), "t", &a, &docs, &err), OK);
    arena_free(&a);
}

static void aliases(void **state)
{
    (void)state;
    struct arena a = {0};
    const struct yaml_node *root = parse(&a, SLICE("a: &x [1, 2]\nb: *x\nc: {d: *x}\n"));
    assert_ptr_equal(yaml_get(root, SLICE("a")), yaml_get(root, SLICE("b")));
    assert_int_equal(root->weight, 15);
    arena_free(&a);
    expect_error(SLICE("a: &x [*x]\n"), 1, 8, "inside its own anchor");
    expect_error(SLICE("a: *y\n"), 1, 4, "no anchor");
    /* ten lists of ten aliases each, ten deep */
    char text[4096];
    size_t n = (size_t)snprintf(text, sizeof text, "a0: &a0 [x]\n");
    for (int i = 1; i <= 10; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s*a%d", k ? ", " : "", i - 1);
        n += (size_t)snprintf(text + n, sizeof text - n, "]\n");
    }
    expect_error(slice_of(text, n), 7, 9, "too large or too deep");
}

static void errors(void **state)
{
    (void)state;
    expect_error(SLICE("a: 1\n  b: 2\n"), 2, 4, "can't stand here");
    expect_error(SLICE("a: [1, 2\n"), 2, 1, "does not end");
    expect_error(SLICE("a: 1\na: 2\n"), 2, 1, "'a' stands here twice");
    expect_error(SLICE("[a]: 1\n"), 1, 4, "key of a mapping");
    expect_error(SLICE("a: x\n# \xff\n"), 2, 3, "not UTF-8");
    expect_error(SLICE("a: \x01\n"), 1, 4, "control character");
    expect_error(SLICE("a: 1\n---\nb: 1\n"), ERROR_NO_OFFSET, 0, "more than one");
    expect_error(SLICE("\n"), ERROR_NO_OFFSET, 0, "empty");
    char deep[200];
    memset(deep, '[', sizeof deep);
    expect_error(slice_of(deep, sizeof deep), 1, 49, "too deep");
    /* many keys: the other way of looking for duplicates */
    char many[1024];
    size_t n = 0;
    for (int i = 0; i < 40; i++)
        n += (size_t)snprintf(many + n, sizeof many - n, "k%d: 1\n", i % 39);
    expect_error(slice_of(many, n), 40, 1, "'k0' stands here twice");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree),    cmocka_unit_test(kinds),  cmocka_unit_test(documents),
        cmocka_unit_test(aliases), cmocka_unit_test(errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
