/* Queries to plans, and mistakes to messages: tests/golden/hunt. */
#include "hunt/parse.h"

#include "unit/golden.h"

static const struct table_column finding_columns[] = {
    {"time", TYPE_DATETIME}, {"level", TYPE_STRING}, {"rule", TYPE_STRING}, {NULL, 0}};
static const struct hunt_table tables[] = {{"findings", "what rules found", finding_columns, NULL},
                                           {NULL, NULL, NULL, NULL}};

struct fixture {
    struct mappings *mappings;
    struct hunt_setup setup;
};

static const struct hunt_argument arguments[] = {{{"hash", 4}, {"\" or 1 == 1 or \"", 16}},
                                                 {{"wrong", 5}, {"tomorrow", 8}}};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct error err;
    f->mappings = mappings_builtin(&err);
    assert_non_null(f->mappings);
    assert_true(timestamp_parse(SLICE("2026-11-25T12:00:00Z"), &f->setup.now));
    f->setup.name = "query";
    f->setup.tables = tables;
    f->setup.mappings = f->mappings;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    mappings_free(f->mappings);
    free(f);
    return 0;
}

/* The query, and its plan or what is said about it. */
static void tell(struct slice query, const struct hunt_setup *setup, struct buf *out)
{
    struct error err = {0};
    struct plan *plan = plan_parse(query, setup, &err);
    buf_add(out, query);
    buf_add(out, SLICE("\n=> "));
    if (plan) {
        plan_print(plan, out);
    } else {
        buf_printf(out, "line %u column %u: %s\n", (unsigned)err.offset, (unsigned)err.column,
                   err.what);
        plan_show_place(query, &err, out);
    }
    buf_add(out, SLICE("\n"));
    hunt_plan_free(plan);
}

/* The value that a query's parameters take, when it has any. */
static struct hunt_setup with_arguments(const struct hunt_setup *setup, struct slice query)
{
    struct hunt_setup with = *setup;
    for (size_t i = 0; i < 2; i++) {
        struct buf b = {0};
        buf_add(&b, SLICE("("));
        buf_add(&b, arguments[i].name);
        buf_add(&b, SLICE(":"));
        if (slice_find(query, buf_slice(&b)) >= 0) {
            with.arguments = &arguments[i];
            with.arguments_n = 1;
        }
        buf_free(&b);
    }
    return with;
}

static void tell_all(const struct hunt_setup *setup, const char *file, const char *expected)
{
    char path[4096];
    struct buf out = {0};
    snprintf(path, sizeof path, "%s/tests/golden/hunt/%s", getenv("SOURCE_ROOT"), file);
    struct slice all = golden_read(path), rest = all;
    assert_true(all.n > 0);
    while (rest.n) {
        ptrdiff_t end = slice_find(rest, SLICE("\n----\n"));
        struct slice query = slice_trim(slice_sub(rest, 0, end < 0 ? rest.n : (size_t)end));
        struct hunt_setup with = with_arguments(setup, query);
        if (query.n)
            tell(query, &with, &out);
        rest = slice_sub(rest, end < 0 ? rest.n : (size_t)end + 6, rest.n);
    }
    golden(expected, buf_slice(&out));
    buf_free(&out);
    free((void *)(uintptr_t)all.p);
}

static void test_queries(void **state)
{
    struct fixture *f = *state;
    tell_all(&f->setup, "queries.kql", "hunt/queries.txt");
}

static void test_mistakes(void **state)
{
    struct fixture *f = *state;
    tell_all(&f->setup, "mistakes.kql", "hunt/mistakes.txt");
}

static void expect(const struct hunt_setup *setup, const struct buf *query, const char *what)
{
    struct error err = {0};
    struct plan *plan = plan_parse(buf_slice(query), setup, &err);
    if (what) {
        assert_null(plan);
        if (!strstr(err.what, what))
            fail_msg("%s", err.what);
    } else if (!plan) {
        fail_msg("%s", err.what);
    }
    hunt_plan_free(plan);
}

static void repeat(struct buf *b, const char *text, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        buf_add(b, slice_str(text));
}

/* What is too large ends with a message, and soon. */
static void test_limits(void **state)
{
    struct fixture *f = *state;
    struct buf b = {0};
    static const struct {
        const char *head, *part, *tail;
        unsigned n;
        const char *what;
    } cases[] = {
        {"print ", "(", "1", 100, "too deep"},
        {"print ", "-", "1", 200, "too deep"},
        {"print dynamic(", "[", ")", 100, "too deep"},
        {"events | where ", "(events | where ", "", 100, "a table"},
        {"", "(", "events", 100, "too deep"},
        {"print a=1", " + a", "", 10, "a value is wanted"},
        {"print 0.5", " + 0.5", "", 400, "too deep"},
        {"events | extend a = User", " + User", "", 400, "too deep"},
        {"events | where User == 1", " or User == 1", "", 3000, NULL},
        {"events", " | take 1", "", 1000, "too large"},
        {"events | project a", ",a", "", 5000, "too many columns"},
        {"let a = events; let b = union a, a; let c = union b, b; let d = union c, c; union d",
         ", d", "", 100, "too large"},
        {"print ", "1 ", "", 200000, "too long"},
        {"events | where User in (1", ", 2", ")", 30000, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&b);
        buf_add(&b, slice_str(cases[i].head));
        repeat(&b, cases[i].part, cases[i].n);
        buf_add(&b, slice_str(cases[i].tail));
        expect(&f->setup, &b, cases[i].what);
    }
    buf_free(&b);
}

static void test_parameters(void **state)
{
    struct fixture *f = *state;
    struct arena a = {0};
    struct hunt_parameter *p;
    size_t n;
    struct error err;
    struct slice query =
        SLICE("// title: x\ndeclare query_parameters(hash:string, n:long = 5 * 2,\n"
              " at:datetime = datetime(2026-11-10)); nonsense | here");
    assert_int_equal(hunt_parameters(query, "q", f->setup.now, &a, &p, &n, &err), OK);
    assert_int_equal(n, 3);
    assert_slice(p[0].name, "hash");
    assert_int_equal(p[0].type, TYPE_STRING);
    assert_false(p[0].has_default);
    assert_true(p[1].has_default);
    assert_int_equal(p[1].value.number, 10);
    assert_slice(p[2].text, "datetime(2026-11-10)");
    assert_int_equal(hunt_parameters(SLICE("events"), "q", 0, &a, &p, &n, &err), OK);
    assert_int_equal(n, 0);
    assert_int_equal(
        hunt_parameters(SLICE("declare query_parameters(a:nothing);"), "q", 0, &a, &p, &n, &err),
        STATUS_BAD_INPUT);
    arena_free(&a);
}

/* A value of a parameter is a value, whatever it looks like; one for no parameter is a mistake. */
static void test_arguments(void **state)
{
    struct fixture *f = *state;
    struct hunt_setup with = f->setup;
    struct error err;
    struct slice query =
        SLICE("declare query_parameters(hash:string); events | where Hash == hash");
    with.arguments = arguments;
    with.arguments_n = 1;
    struct plan *plan = plan_parse(query, &with, &err);
    assert_non_null(plan);
    assert_int_equal(plan->root->kind, OP_WHERE);
    assert_int_equal(plan->root->where.n, 1);
    assert_slice(plan->root->where.all[0]->args[1]->literal.text, "\" or 1 == 1 or \"");
    hunt_plan_free(plan);
    with.arguments_n = 2;
    assert_null(plan_parse(query, &with, &err));
    assert_non_null(strstr(err.what, "no parameter wrong"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queries),   cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_limits),    cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_arguments),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
