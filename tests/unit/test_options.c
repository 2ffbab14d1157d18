#include "test.h"

#include "cli/options.h"

#include <stdlib.h>

struct values {
    bool quiet;
    unsigned colour, top, level;
    const char *output;
    struct text_list rules;
    struct option_time from, to;
};

static const char *level_name(size_t number)
{
    static const char *const names[] = {"low", "high", NULL};
    return names[number];
}

#define AT(member) .at = offsetof(struct values, member)

static const struct option options[] = {
    {'q', "quiet", OPTION_FLAG, NULL, "say less", AT(quiet)},
    {0, "color", OPTION_SET, NULL, "colour", AT(colour), .set = 2},
    {0, "no-color", OPTION_SET, NULL, "no colour", AT(colour), .set = 1},
    {0, "top", OPTION_NUMBER, "N", "so many", AT(top)},
    {'l', "level", OPTION_CHOICE, "LEVEL", "least level", .choice = level_name, AT(level)},
    {'o', "output", OPTION_TEXT, "FILE", "where to", AT(output)},
    {'r', "rules", OPTION_LIST, "DIR", "rules", AT(rules)},
    {0, "from", OPTION_TIME, "TIME", "from", AT(from)},
    {0, "to", OPTION_TIME, "TIME", "to", AT(to), .ends = true},
    {0},
};

static const struct command command = {
    .name = "try",
    .operands = "PATH...",
    .operands_least = 1,
    .operands_most = 3,
    .options = options,
    .values_size = sizeof(struct values),
};

static struct values values;
static struct text_list operands;
static struct error err;
static bool help;

/* 2026-11-10T00:00:00Z */
#define NOW (INT64_C(1794268800) * NS_PER_SECOND)
#define DAY (86400 * NS_PER_SECOND)

/* Parses a line whose words are apart by '|'. */
static enum status parse(const char *line)
{
    static char text[512];
    char *argv[32], *rest = text;
    int argc = 0;
    options_free(&command, &values);
    memset(&values, 0, sizeof values);
    operands.n = 0;
    err.what[0] = '\0';
    snprintf(text, sizeof text, "%s", line);
    while (*line && rest)
        argv[argc++] = strsep(&rest, "|");
    return options_parse(&command, argc, argv, NOW, &values, &operands, &help, &err);
}

static int teardown(void **state)
{
    (void)state;
    options_free(&command, &values);
    memset(&values, 0, sizeof values);
    free(operands.at);
    operands = (struct text_list){0};
    return 0;
}

static void forms_of_options(void **state)
{
    (void)state;
    assert_int_equal(parse("-q|--top|5|a|-ofile|--level=high|b"), OK);
    assert_true(values.quiet);
    assert_int_equal(values.top, 5);
    assert_int_equal(values.level, 1);
    assert_string_equal(values.output, "file");
    assert_int_equal(operands.n, 2);
    assert_string_equal(operands.at[1], "b");
    assert_int_equal(parse("-qo|x|--color|--no-color|--output=|a"), OK);
    assert_int_equal(values.colour, 1);
    assert_string_equal(values.output, "");
    assert_int_equal(parse("--|--top|-q"), OK);
    assert_int_equal(operands.n, 2);
    assert_int_equal(parse("-"), OK);
    assert_string_equal(operands.at[0], "-");
}

static void lists_keep_order(void **state)
{
    (void)state;
    assert_int_equal(parse("-r|one|--rules=two|-rthree|a"), OK);
    assert_int_equal(values.rules.n, 3);
    assert_string_equal(values.rules.at[0], "one");
    assert_string_equal(values.rules.at[2], "three");
}

static void times(void **state)
{
    (void)state;
    assert_int_equal(parse("--from|7d|--to|2026-11-10|a"), OK);
    assert_true(values.from.given && values.from.at == NOW - 7 * DAY);
    assert_true(values.to.given && values.to.at == NOW + DAY); /* that day belongs to it */
    assert_int_equal(parse("--from=2026-11-10T09:00:00+09:00|--to=90m|a"), OK);
    assert_true(values.from.at == NOW && values.to.at == NOW - 5400 * NS_PER_SECOND);
    assert_int_equal(parse("a"), OK);
    assert_false(values.from.given);
    const char *const bad[] = {"--from=|a",
                               "--from=7|a",
                               "--from=7x|a",
                               "--from=-7d|a",
                               "--from=99999999999999999d|a",
                               "--from=7dd|a",
                               "--from=soon|a",
                               "--to=2026-13-01|a"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(parse(bad[i]), STATUS_BAD_USE);
}

static void assert_refused(const char *line, const char *what)
{
    assert_int_equal(parse(line), STATUS_BAD_USE);
    assert_string_equal(err.what, what);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    assert_refused("--levle=low|a", "unknown option --levle; did you mean --level?");
    assert_refused("--out|x|a", "unknown option --out; did you mean --output?");
    assert_refused("--zebra|a", "unknown option --zebra");
    assert_refused("-z|a", "unknown option -z");
    assert_refused("-qz|a", "unknown option -z");
    assert_refused("--level|loud|a", "--level: \"loud\" is not one of low, high");
    assert_refused("--top|many|a", "--top: \"many\" is not a number from 0 on");
    assert_refused("--top=4294967296|a", "--top: \"4294967296\" is not a number from 0 on");
    assert_refused("--top=-1|a", "--top: \"-1\" is not a number from 0 on");
    assert_refused("a|--output", "--output needs a value (FILE)");
    assert_refused("a|-o", "--output needs a value (FILE)");
    assert_refused("--quiet=yes|a", "--quiet takes no value");
    assert_refused("-q", "PATH... missing");
    assert_refused("a|b|c|d", "what is \"d\"?");
}

static void help_comes_first(void **state)
{
    (void)state;
    assert_int_equal(parse("--help"), OK);
    assert_true(help);
    assert_int_equal(parse("-qh|--zebra"), OK);
    assert_true(help);
    assert_int_equal(parse("--output|-h|a"), OK); /* a value, whatever it looks like */
    assert_false(help);
}

static void near_words(void **state)
{
    (void)state;
    assert_string_equal(near_word("hihg", level_name), "high");
    assert_string_equal(near_word("hi", level_name), "high");
    assert_null(near_word("medium", level_name));
    assert_null(near_word("a-word-that-is-longer-than-any-name-ever-is", level_name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(forms_of_options, teardown),
        cmocka_unit_test_teardown(lists_keep_order, teardown),
        cmocka_unit_test_teardown(times, teardown),
        cmocka_unit_test_teardown(mistakes_are_named, teardown),
        cmocka_unit_test_teardown(help_comes_first, teardown),
        cmocka_unit_test_teardown(near_words, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
