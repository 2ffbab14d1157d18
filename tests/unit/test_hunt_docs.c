/* Every query of docs/hunt.md parses, it names every function, and the hunts that are built in are sound. */
#include "base/files.h"
#include "casebook/findings_table.h"
#include "hunt/saved.h"

#include "unit/test.h"

#include <stdio.h>
#include <stdlib.h>

struct fixture {
    struct mappings *mappings;
    struct arena arena;
    struct slice page;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct error err;
    char path[4096];
    snprintf(path, sizeof path, "%s/docs/hunt.md", getenv("SOURCE_ROOT"));
    assert_int_equal(file_read(path, 1 << 20, &f->arena, &f->page, &err), OK);
    f->mappings = mappings_builtin(&err);
    assert_true(f->page.n > 0);
    assert_non_null(f->mappings);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    mappings_free(f->mappings);
    arena_free(&f->arena);
    free(f);
    return 0;
}

static void expect_parses(const struct fixture *f, struct slice query,
                          const struct hunt_argument *arguments, size_t n)
{
    struct findings_table findings = {0};
    struct hunt_table tables[] = {findings_table(&findings), {0}};
    struct hunt_setup setup = {.tables = tables,
                               .mappings = f->mappings,
                               .arguments = arguments,
                               .arguments_n = n,
                               .now = 1};
    struct error err;
    struct plan *plan = plan_parse(query, &setup, &err);
    if (!plan)
        fail_msg("line %u column %u: %s: %.*s", (unsigned)err.offset, (unsigned)err.column,
                 err.what, SLICE_ARG(query));
    hunt_plan_free(plan);
}

static struct slice take_until(struct slice *rest, struct slice mark)
{
    ptrdiff_t at = slice_find(*rest, mark);
    struct slice before = slice_sub(*rest, 0, at < 0 ? rest->n : (size_t)at);
    *rest = slice_sub(*rest, before.n + mark.n, rest->n);
    return before;
}

static void test_blocks(void **state)
{
    struct fixture *f = *state;
    struct slice rest = f->page;
    const struct hunt_argument address = {{"address", 7}, {"192.0.2.1", 9}};
    unsigned n = 0;
    for (take_until(&rest, SLICE("```kql\n")); rest.n; take_until(&rest, SLICE("```kql\n"))) {
        struct slice query = take_until(&rest, SLICE("```"));
        bool declares = slice_find(query, SLICE("(address:")) >= 0;
        expect_parses(f, query, &address, declares);
        n++;
    }
    assert_true(n >= 10);
}

/* ---- the tables for users of other languages ---- */

static bool begins_query(struct slice s)
{
    return slice_starts(s, SLICE("events")) || slice_starts(s, SLICE("search"));
}

static bool begins_operator(struct slice s)
{
    static const char *const words[] = {"where",     "extend", "project", "summarize", "top",
                                        "mv-expand", "take",   "sort",    "distinct"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_starts(s, slice_str(words[i])))
            return true;
    return false;
}

/* A piece of a query, made whole. False: it has "..." or is no piece of its own. */
static bool make_whole(struct slice code, struct buf *out)
{
    buf_clear(out);
    if (slice_find(code, SLICE("...")) >= 0 || slice_find(code, SLICE("join ")) >= 0)
        return false;
    if (slice_starts(code, SLICE("| ")) || slice_starts(code, SLICE("\\| ")))
        buf_add(out, SLICE("events "));
    else if (begins_operator(code))
        buf_add(out, SLICE("events | "));
    else if (slice_find(code, SLICE("make_")) >= 0)
        buf_add(out, SLICE("events | summarize "));
    else if (!begins_query(code))
        buf_add(out, SLICE("events | extend value = "));
    for (size_t i = 0; i < code.n; i++) /* in a table a bar is escaped */
        if (!(code.p[i] == '\\' && i + 1 < code.n && code.p[i + 1] == '|'))
            buf_char(out, code.p[i]);
    return true;
}

/* The code in the second cell of a table's row; empty when the line is no row. */
static struct slice second_cell(struct slice line)
{
    if (!slice_starts(line, SLICE("| ")))
        return (struct slice){0};
    line = slice_sub(line, 2, line.n);
    take_until(&line, SLICE(" | "));
    return line;
}

static void test_tables(void **state)
{
    struct fixture *f = *state;
    struct slice rest = f->page;
    struct buf whole = {0};
    unsigned n = 0;
    take_until(&rest, SLICE("## For users of Splunk"));
    rest = take_until(&rest, SLICE("## How it is built"));
    while (rest.n) {
        struct slice cell = second_cell(take_until(&rest, SLICE("\n")));
        for (take_until(&cell, SLICE("`")); cell.n; take_until(&cell, SLICE("`"))) {
            struct slice code = take_until(&cell, SLICE("`"));
            if (!make_whole(code, &whole) || slice_equal(code, SLICE("events")))
                continue;
            expect_parses(f, buf_slice(&whole), NULL, 0);
            n++;
        }
    }
    assert_true(n >= 40);
    buf_free(&whole);
}

static void test_functions_are_named(void **state)
{
    struct fixture *f = *state;
    struct buf name = {0};
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        const struct hunt_function *function = hunt_function(i);
        if (function->kind == FUNCTION_OPERATOR)
            continue;
        buf_clear(&name);
        buf_add(&name, SLICE("`"));
        buf_add(&name, slice_str(function->name));
        if (slice_find(f->page, buf_slice(&name)) < 0)
            fail_msg("docs/hunt.md does not name %s", function->name);
    }
    buf_free(&name);
}

/* ---- saved hunts ---- */

static const char *sample(enum hunt_type type)
{
    static const char *const samples[HUNT_TYPES] = {"true",       "1",  "1.5",     "x",
                                                    "2026-11-10", "1h", "[\"a\"]", "x"};
    return samples[type];
}

static void test_built_in(void **state)
{
    struct fixture *f = *state;
    struct arena a = {0};
    struct saved_hunt *list;
    struct error err;
    size_t n;
    assert_int_equal(saved_hunts(NULL, 1, &a, &list, &n, &err), OK);
    assert_true(n >= 7);
    for (size_t i = 0; i < n; i++) {
        struct hunt_argument arguments[8];
        assert_int_equal(list[i].problem.status, OK);
        assert_true(list[i].title.n > 0 && list[i].description.n > 0);
        assert_true(list[i].parameters_n <= 8);
        for (size_t k = 0; k < list[i].parameters_n; k++)
            arguments[k] = (struct hunt_argument){list[i].parameters[k].name,
                                                  slice_str(sample(list[i].parameters[k].type))};
        expect_parses(f, list[i].text, arguments, list[i].parameters_n);
    }
    assert_non_null(saved_hunt_named(list, n, SLICE("hash"), &err));
    assert_null(saved_hunt_named(list, n, SLICE("hahs"), &err));
    assert_non_null(strstr(err.what, "did you mean hash?"));
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_functions_are_named),
        cmocka_unit_test(test_built_in),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
