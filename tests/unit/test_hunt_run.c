/* What hunts give: each function, operators on small tables, limits, tables of callers. */
#include "test.h"

#include "hunt/dynamic.h"
#include "hunt/parse.h"
#include "hunt/run.h"
#include "hunt/scalar.h"

#include <stdio.h>
#include <stdlib.h>

struct answer {
    const struct plan *plan;
    struct buf text; /* JSON of values, "," between them, a line a row */
    uint64_t rows, enough;
};

static enum status on_rows(void *ctx, const struct batch *b, struct error *err)
{
    struct answer *a = ctx;
    struct arena arena = {0};
    (void)err;
    for (uint32_t row = 0; row < b->rows; row++, a->rows++) {
        for (uint32_t k = 0; k < a->plan->output_n; k++) {
            if (k)
                buf_char(&a->text, ',');
            json_put_value(&a->text, vector_at(b->columns[a->plan->output[k]], row), &arena);
        }
        buf_char(&a->text, '\n');
    }
    arena_free(&arena);
    return a->enough && a->rows >= a->enough ? STATUS_INTERRUPTED : OK;
}

/* A caller's table: numbers from 1 on. */
static const struct table_column number_columns[] = {
    {"n", TYPE_LONG}, {"name", TYPE_STRING}, {NULL, 0}};

static enum status read_numbers(void *ctx, table_row *row, void *to, struct error *err)
{
    enum status status = OK;
    for (int64_t n = 1; status == OK && n <= *(const int64_t *)ctx; n++) {
        char name[32];
        struct hunt_value values[2] = {{.type = TYPE_LONG, .number = n}, {.type = TYPE_STRING}};
        values[1].text = slice_of(name, (size_t)snprintf(name, sizeof name, "name%d", (int)n));
        status = row(to, values, err);
    }
    return status;
}

static enum status run_with(const char *query, int64_t numbers, struct hunt_options options,
                            struct answer *a, struct hunt_figures *figures, struct error *err)
{
    struct table_source source = {read_numbers, &numbers};
    const struct hunt_table tables[] = {{"numbers", "", number_columns, &source},
                                        {NULL, NULL, NULL, NULL}};
    struct hunt_setup setup = {.tables = tables};
    assert_true(timestamp_parse(SLICE("2026-11-25T12:00:00Z"), &setup.now));
    struct plan *plan = plan_parse(slice_str(query), &setup, err);
    if (!plan) {
        print_message("# %s: %s\n", query, err->what);
        return STATUS_BAD_USE;
    }
    a->plan = plan;
    enum status status =
        hunt_run(plan, NULL, &options, (struct hunt_sink){on_rows, a}, figures, err);
    hunt_plan_free(plan);
    return status;
}

static void check_answer(struct answer *a, const char *query, const char *expected)
{
    buf_char(&a->text, '\0');
    if (strcmp(a->text.p, expected) != 0)
        print_message("# %s\n", query);
    assert_string_equal(a->text.p, expected);
    buf_free(&a->text);
    *a = (struct answer){0};
}

static void check(const char *query, const char *expected)
{
    struct answer a = {0};
    struct error err = {0};
    enum status status = run_with(query, 5, (struct hunt_options){.threads = 1}, &a, NULL, &err);
    if (status != OK)
        print_message("# %s: %s\n", query, err.what);
    assert_int_equal(status, OK);
    check_answer(&a, query, expected);
}

/* Expressions and what they are, as JSON. */
static void check_all(const char *const (*list)[2], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char query[512], expected[512];
        snprintf(query, sizeof query, "print x = %s", list[i][0]);
        snprintf(expected, sizeof expected, "%s\n", list[i][1]);
        check(query, expected);
    }
}
#define CHECK_ALL(list) check_all(list, sizeof(list) / sizeof *(list))

static void logic(void **state)
{
    (void)state;
    static const char *const list[][2] = {
        {"bool(null) and false", "false"},
        {"bool(null) and true", "null"},
        {"bool(null) or true", "true"},
        {"bool(null) or false", "null"},
        {"not(bool(null))", "null"},
        {"long(null) == long(null)", "null"},
        {"long(null) == 1", "false"},
        {"long(null) != 1", "true"},
        {"long(null) < 1", "null"},
        {"iff(bool(null), 1, 2)", "2"},
        {"case(false, \"a\", true, \"b\", \"c\")", "\"b\""},
        {"coalesce(\"\", \"x\", \"y\")", "\"x\""},
        {"isempty(\"\")", "true"},
        {"isnull(long(null))", "true"},
        {"isnotempty(\"-\")", "true"},
        {"min_of(3, 1, 2)", "1"},
        {"max_of(1.5, 2.5)", "2.5"},
        {"5 in (1, 5, 7)", "true"},
        {"\"a\" in (\"A\", \"b\")", "false"},
        {"\"a\" in~ (\"A\", \"b\")", "true"},
        {"\"a\" !in (\"A\", \"b\")", "true"},
        {"3 between (1 .. 3)", "true"},
        {"datetime(2026-01-02) between (datetime(2026-01-01) .. 1d)", "true"},
    };
    CHECK_ALL(list);
}

static void finding_text(void **state)
{
    (void)state;
    static const char *const list[][2] = {
        {"\"Straße ÄÖ\" =~ \"STRAßE äö\"", "true"},
        {"\"cmd.exe /c dir\" has \"CMD\"", "true"},
        {"\"xcmd.exe\" has \"cmd\"", "false"},
        {"\"10.0.0.70\" has \"10.0.0.7\"", "false"},
        {"\"a 10.0.0.7, b\" has \"10.0.0.7\"", "true"},
        {"\"abc\" has \"\"", "true"},
        {"\"日本語 テスト\" has \"テスト\"", "true"},
        {"\"日本語テスト\" has \"テスト\"", "false"},
        {"\"ABC\" has_cs \"abc\"", "false"},
        {"\"one two\" has_any (\"three\", \"TWO\")", "true"},
        {"\"one two\" has_all (\"one\", \"three\")", "false"},
        {"\"PowerShell\" contains \"ersh\"", "true"},
        {"\"PowerShell\" contains_cs \"ersh\"", "false"},
        {"\"PowerShell\" startswith \"power\"", "true"},
        {"\"PowerShell\" startswith_cs \"power\"", "false"},
        {"\"PowerShell\" endswith \"SHELL\"", "true"},
        {"\"PowerShell\" endswith_cs \"Shell\"", "true"},
        {"\"PowerShell\" !endswith \"SHELL\"", "false"},
        {"\"user12\" matches regex @\"^[a-z]+\\d+$\"", "true"},
        {"\"user\" matches regex @\"\\d\"", "false"},
    };
    CHECK_ALL(list);
}

static void text(void **state)
{
    (void)state;
    static const char *const list[][2] = {
        {"strcat(\"a\", 1, true, 2.5, 1h)", "\"a1true2.501:00:00\""},
        {"strlen(\"añ日\")", "3"},
        {"substring(\"añ日x\", 1, 2)", "\"ñ日\""},
        {"substring(\"abc\", 5)", "\"\""},
        {"tolower(\"ÄB\")", "\"äb\""},
        {"toupper(\"äb\")", "\"ÄB\""},
        {"trim(@\"[^\\w]+\", \"--ab c--\")", "\"ab c\""},
        {"trim(\"a\", \"aabaa\")", "\"b\""},
        {"indexof(\"日本abc\", \"b\")", "3"},
        {"indexof(\"abc\", \"x\")", "-1"},
        {"replace_string(\"a.b.c\", \".\", \"::\")", "\"a::b::c\""},
        {"replace_regex(\"user=bob id=7\", @\"(\\w+)=(\\w+)\", @\"\\2:\\1\")", "\"bob:user 7:id\""},
        {"replace_regex(\"abc\", @\"x*\", \"-\")", "\"-a-b-c-\""},
        {"extract(@\"user=(\\w+)\", 1, \"id=7 user=bob\")", "\"bob\""},
        {"extract(@\"(a)|(b)\", 1, \"b\")", "\"\""},
        {"split(\"a,b,,c\", \",\")", "[\"a\",\"b\",\"\",\"c\"]"},
        {"split(\"a,b\", \",\", 1)", "[\"b\"]"},
        {"strcat_array(split(\"a,b\", \",\"), \"-\")", "\"a-b\""},
        {"base64_decode_tostring(\"SGVsbG8=\")", "\"Hello\""},
        {"base64_decode_tostring(\"SQBFAFgA\")", "\"IEX\""},
        {"base64_decode_tostring(\"%%%\")", "\"\""},
        {"url_decode(\"a%20b%2Fc%\")", "\"a b/c%\""},
        {"hash_md5(\"\")", "\"d41d8cd98f00b204e9800998ecf8427e\""},
        {"hash_sha1(\"abc\")", "\"a9993e364706816aba3e25717850c26c9cd0d89d\""},
        {"hash_sha256(\"abc\")",
         "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""},
        {"hash(\"abc\", 100) == hash(\"abc\") % 100 or hash(\"abc\") < 0", "true"},
    };
    CHECK_ALL(list);
}

static void numbers(void **state)
{
    (void)state;
    static const char *const list[][2] = {
        {"7 / 2", "3"},
        {"7 / 2.0", "3.5"},
        {"1 / 0", "null"},
        {"-7 % 3", "2"},
        {"9223372036854775807 + 1", "null"},
        {"1d / 1h", "24"},
        {"2 * 1h", "\"02:00:00\""},
        {"datetime(2026-01-02) - datetime(2026-01-01)", "\"1.00:00:00\""},
        {"datetime(2026-01-01) + 90m", "\"2026-01-01T01:30:00.0000000Z\""},
        {"bin(17, 5)", "15"},
        {"bin(-1, 5)", "-5"},
        {"bin(1.7, 0.5)", "1.5"},
        {"bin(datetime(2026-11-25T13:47:11Z), 1h)", "\"2026-11-25T13:00:00.0000000Z\""},
        {"bin(datetime(2026-11-25), 7d)", "\"2026-11-23T00:00:00.0000000Z\""},
        {"abs(-4)", "4"},
        {"round(2.567, 1)", "2.6"},
        {"floor(-1.5)", "-2"},
        {"ceiling(1.2)", "2"},
        {"pow(2, 10)", "1024"},
        {"sqrt(-1)", "null"},
        {"log10(1000)", "3"},
        {"ipv4_is_in_range(\"192.0.2.77\", \"192.0.2.0/24\")", "true"},
        {"ipv4_is_in_range(\"192.0.3.1\", \"192.0.2.0/24\")", "false"},
        {"ipv4_is_in_range(\"x\", \"192.0.2.0/24\")", "null"},
        {"ipv6_is_in_range(\"2001:db8::1\", \"2001:db8::/32\")", "true"},
        {"ipv6_is_in_range(\"2001:db9::1\", \"2001:db8::/32\")", "false"},
        {"ipv4_is_private(\"172.31.0.1\")", "true"},
        {"ipv4_is_private(\"172.32.0.1\")", "false"},
    };
    CHECK_ALL(list);
}

static void times(void **state)
{
    (void)state;
    static const char *const list[][2] = {
        {"startofday(datetime(2026-11-25T13:00:00Z))", "\"2026-11-25T00:00:00.0000000Z\""},
        {"startofweek(datetime(2026-11-25T13:00:00Z))", "\"2026-11-22T00:00:00.0000000Z\""},
        {"startofmonth(datetime(2026-11-25T13:00:00Z))", "\"2026-11-01T00:00:00.0000000Z\""},
        {"hourofday(datetime(2026-11-25T13:59:00Z))", "13"},
        {"dayofweek(datetime(2026-11-25))", "\"3.00:00:00\""},
        {"dayofweek(datetime(1969-12-28))", "\"00:00:00\""},
        {"unixtime_seconds_todatetime(0)", "\"1970-01-01T00:00:00.0000000Z\""},
        {"unixtime_milliseconds_todatetime(1500)", "\"1970-01-01T00:00:01.5000000Z\""},
        {"format_datetime(datetime(2026-01-02T15:04:05.678Z), \"yy-M-d hh:mm:ss tt fff HH\")",
         "\"26-1-2 03:04:05 PM 678 15\""},
        {"ago(1d)", "\"2026-11-24T12:00:00.0000000Z\""},
        {"todatetime(\"2026-11-25 10:00\") == datetime(2026-11-25T10:00:00Z) or true", "true"},
        {"todatetime(\"never\")", "null"},
        {"totimespan(\"1.02:03:04\")", "\"1.02:03:04\""},
    };
    CHECK_ALL(list);
}

static void other_types(void **state)
{
    (void)state;
    static const char *const list[][2] = {
        {"tolong(\"0x1F\")", "31"},
        {"tolong(\"1.5\")", "null"},
        {"tolong(1.9)", "1"},
        {"todouble(\"1e3\")", "1000"},
        {"tobool(\"TRUE\")", "true"},
        {"tobool(\"maybe\")", "null"},
        {"tostring(true)", "\"true\""},
        {"tostring(datetime(2026-01-01))", "\"2026-01-01T00:00:00.0000000Z\""},
        {"tostring(long(null))", "\"\""},
        {"parse_json(\"{ \\\"a\\\" : [1, 2.50, null] }\")", "{\"a\":[1,2.50,null]}"},
        {"parse_json(\"no json\")", "\"no json\""},
        {"parse_json('{\"a\":{\"b\":[10,20]}}').a.b[1]", "20"},
        {"parse_json('{\"a\":{\"b\":[10,20]}}').a.b[-1]", "20"},
        {"parse_json('{\"a\":{\"b\":[10,20]}}').a.b[2]", "null"},
        {"parse_json('{\"a\":1}').b", "null"},
        {"parse_json('{\"a b\":\"x\\\\u0041\"}')['a b'] == \"xA\"", "true"},
        {"tostring(parse_json('{\"a\":\"x\\\\ny\"}').a)", "\"x\\ny\""},
        {"tolong(parse_json('{\"a\":\"7\"}').a)", "7"},
        {"array_length(parse_json('[1,[2,3],{\"a\":[4]}]'))", "3"},
        {"array_length(parse_json('[]'))", "0"},
        {"array_length(parse_json('{}'))", "null"},
        {"bag_keys(parse_json('{\"a\":1,\"b\":{\"c\":2}}'))", "[\"a\",\"b\"]"},
        {"bag_remove_keys(parse_json('{\"a\":1,\"b\":2}'), parse_json('[\"a\"]'))", "{\"b\":2}"},
        {"bag_pack(\"a\", 1, \"b\", \"x\", \"c\", 1h)", "{\"a\":1,\"b\":\"x\",\"c\":\"01:00:00\"}"},
        {"pack_array(1, \"a\", true, long(null))", "[1,\"a\",true,null]"},
        {"set_has_element(parse_json('[1,\"a\"]'), \"a\")", "true"},
        {"set_has_element(parse_json('[1,\"a\"]'), \"A\")", "false"},
        {"set_has_element(parse_json('[1,\"a\"]'), 1)", "true"},
    };
    CHECK_ALL(list);
}

#define PEOPLE                                                                                     \
    "let people = datatable(name:string, team:string, age:long, at:datetime) ["                    \
    "\"ann\", \"red\", 30, datetime(2026-01-01), \"bob\", \"red\", 40, datetime(2026-01-02), "     \
    "\"cid\", \"blue\", long(null), datetime(2026-01-03), \"dan\", \"\", 20, datetime(null)];\n"

static void operators(void **state)
{
    (void)state;
    check(PEOPLE "people | where age > 25 | project name, age | sort by age desc",
          "\"bob\",40\n\"ann\",30\n");
    check(PEOPLE "people | sort by age asc nulls first | project name",
          "\"cid\"\n\"dan\"\n\"ann\"\n\"bob\"\n");
    check(PEOPLE "people | top 2 by age desc | project name", "\"bob\"\n\"ann\"\n");
    check(PEOPLE "people | sort by name asc | take 1 | project name", "\"ann\"\n");
    check(PEOPLE "people | count", "4\n");
    check(PEOPLE "people | where name == \"nobody\" | count", "0\n");
    check(PEOPLE "people | summarize n = count(), a = avg(age), s = sum(age), lo = min(age), hi = "
                 "max(name) by team | sort by team asc",
          "\"\",1,20,20,20,\"dan\"\n\"blue\",1,null,0,null,\"cid\"\n"
          "\"red\",2,35,70,30,\"bob\"\n");
    check(PEOPLE "people | summarize arg_max(age, name), arg_min(at, team)",
          "40,\"bob\",\"2026-01-01T00:00:00.0000000Z\",\"red\"\n");
    check(PEOPLE "people | summarize countif(age > 25), dcount(team), percentile(age, 50), "
                 "make_set(team), make_list(age, 2)",
          "2,3,30,[\"red\",\"blue\",\"\"],[30,40]\n");
    check(PEOPLE "people | distinct team | sort by team desc", "\"red\"\n\"blue\"\n\"\"\n");
    check(PEOPLE "people | summarize by d = bin(at, 1d) | sort by d asc nulls last | count", "4\n");
    check(PEOPLE "people | where age in ((people | summarize max(age))) | project name",
          "\"bob\"\n");
    check(PEOPLE "people | where age == toscalar(people | summarize min(age)) | project name",
          "\"dan\"\n");
    check(PEOPLE "people | where name in (dynamic([\"bob\", \"x\"])) | project name", "\"bob\"\n");
}

static void several_tables(void **state)
{
    (void)state;
#define TEAMS                                                                                      \
    "let teams = datatable(team:string, boss:string) [\"red\", \"eve\", \"blue\", \"fay\","        \
    " \"blue\", \"gus\", \"\", \"hal\"];\n"
    check(PEOPLE TEAMS "people | join kind=inner teams on team | project name, boss | sort by "
                       "name asc, boss asc",
          "\"ann\",\"eve\"\n\"bob\",\"eve\"\n\"cid\",\"fay\"\n\"cid\",\"gus\"\n");
    check(PEOPLE TEAMS "people | join kind=leftouter teams on team | where name == \"dan\" | "
                       "project name, boss",
          "\"dan\",\"\"\n");
    check(PEOPLE TEAMS "people | join kind=leftsemi (teams | where boss != \"eve\") on team | "
                       "project name",
          "\"cid\"\n");
    check(PEOPLE TEAMS "people | join kind=leftanti teams on team | project name", "\"dan\"\n");
    check(PEOPLE "people | join kind=inner (people | project other = name, team, then = at) on "
                 "team within (0s .. 1d) of at, then | where name != other | project name, other",
          "\"ann\",\"bob\"\n");
    check(PEOPLE TEAMS "union (people | project team, who = name), (teams | project team, who = "
                       "boss) | summarize n = count() by team | sort by n desc, team asc",
          "\"blue\",3\n\"red\",3\n\"\",2\n");
    check("print l = parse_json('[1, \"a\", {\"b\": 2}]') | mv-expand l", "1\n\"a\"\n{\"b\":2}\n");
    check("print l = parse_json('{\"a\": 1, \"b\": 2}') | mv-expand l", "{\"a\":1}\n{\"b\":2}\n");
    check("print l = parse_json('[]'), x = 1 | mv-expand l", "null,1\n");
    check("print l = parse_json('[1,2,3]') | mv-expand l limit 2", "1\n2\n");
}

static void tables_of_callers(void **state)
{
    (void)state;
    check("numbers | where n > 3 | project name", "\"name4\"\n\"name5\"\n");
    check("numbers | summarize sum(n)", "15\n");
    struct answer a = {0};
    struct error err = {0};
    /* many batches, and it stops early where that is enough */
    struct hunt_options options = {.threads = 1};
    assert_int_equal(run_with("numbers | count", 100000, options, &a, NULL, &err), OK);
    check_answer(&a, "count", "100000\n");
    struct hunt_figures figures = {0};
    assert_int_equal(
        run_with("numbers | take 3 | project n", INT64_MAX, options, &a, &figures, &err), OK);
    check_answer(&a, "take", "1\n2\n3\n");
    assert_int_equal(figures.rows_out, 3);
    a.enough = 10;
    assert_int_equal(run_with("numbers", INT64_MAX, options, &a, NULL, &err), OK);
    assert_true(a.rows >= 10);
    buf_free(&a.text);
}

static void limits(void **state)
{
    (void)state;
    static const char *const queries[] = {
        "numbers | sort by name asc | count", "numbers | summarize count() by name | count",
        "numbers | distinct name | count",    "numbers | summarize make_list(name)",
        "numbers | summarize dcount(name)",   "numbers | join kind=inner numbers on name | count",
    };
    struct hunt_options options = {.threads = 2, .memory = 4 << 20};
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        struct answer a = {0};
        struct error err = {0};
        struct hunt_figures figures = {0};
        enum status status = run_with(queries[i], 200000, options, &a, &figures, &err);
        if (status != STATUS_BAD_INPUT)
            print_message("# %s\n", queries[i]);
        assert_int_equal(status, STATUS_BAD_INPUT);
        assert_true(slice_find(slice_str(err.what), SLICE("4 MiB")) >= 0);
        assert_in_range(err.column, 1, 60);
        assert_in_range(figures.memory_most, 1 << 20, 4 << 20);
        buf_free(&a.text);
    }
    /* of a limited sort only the best are kept */
    struct answer a = {0};
    struct error err = {0};
    assert_int_equal(
        run_with("numbers | top 2 by n desc | project n", 200000, options, &a, NULL, &err), OK);
    check_answer(&a, "top", "200000\n199999\n");
}

/* An expression that would try for ever gives a text up, and that is told. */
static void too_long(void **state)
{
    (void)state;
    struct hunt_options options = {.threads = 1};
    struct hunt_figures figures = {0};
    struct answer a = {0};
    struct error err = {0};
    assert_int_equal(
        run_with("numbers | extend x = strcat(\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", n) | where "
                 "x matches regex @\"^(a|aa)+$\" | count",
                 2, options, &a, &figures, &err),
        OK);
    check_answer(&a, "too long", "0\n");
    assert_int_equal(figures.texts_given_up, 2);
}

static void stopped(void **state)
{
    (void)state;
    volatile sig_atomic_t stop = 1;
    struct hunt_options options = {.threads = 1, .stop = &stop};
    struct answer a = {0};
    struct error err = {0};
    assert_int_equal(run_with("numbers | count", 5, options, &a, NULL, &err), STATUS_INTERRUPTED);
    assert_int_equal(a.rows, 0);
    buf_free(&a.text);
}

/* The checker lets all of these be called, so all can be computed. */
static void all_functions(void **state)
{
    (void)state;
    for (int f = 0; f < FUNCTIONS; f++) {
        enum function_id id = (enum function_id)f;
        if (hunt_function(id)->kind != FUNCTION_AGGREGATE && !scalar_of(id))
            print_message("# %s\n", hunt_function(id)->name);
        assert_true(hunt_function(id)->kind == FUNCTION_AGGREGATE || scalar_of(id));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logic),
        cmocka_unit_test(finding_text),
        cmocka_unit_test(text),
        cmocka_unit_test(numbers),
        cmocka_unit_test(times),
        cmocka_unit_test(other_types),
        cmocka_unit_test(operators),
        cmocka_unit_test(several_tables),
        cmocka_unit_test(tables_of_callers),
        cmocka_unit_test(limits),
        cmocka_unit_test(too_long),
        cmocka_unit_test(stopped),
        cmocka_unit_test(all_functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
