/* The hunt language's reading of text as numbers and times, and its table of functions. */
#include "hunt/functions.h"

#include "unit/test.h"

static void test_long(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool reads;
        int64_t number;
    } cases[] = {
        {"4624", true, 4624},
        {" -7 ", true, -7},
        {"+5", true, 5},
        {"0x1f4", true, 500},
        {"0XFFFFFFFFFFFFFFFF", true, -1},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"0x", false, 0},
        {"80.5", false, 0},
        {"1 2", false, 0},
        {"0x11111111111111111", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t got = 0;
        assert_int_equal(text_long(slice_str(cases[i].text), &got), cases[i].reads);
        if (cases[i].reads)
            assert_int_equal(got, cases[i].number);
    }
}

static void test_number(void **state)
{
    (void)state;
    double got;
    assert_true(text_number(SLICE("80.5"), &got) && got == 80.5);
    assert_true(text_number(SLICE("-1e3"), &got) && got == -1000);
    assert_true(text_number(SLICE("0x10"), &got) && got == 16);
    static const char *const none[] = {"", "inf", "nan", "1e", "e5", "0x1p3", "1.2.3", "five", "-"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(text_number(slice_str(none[i]), &got));
}

static void test_timespan(void **state)
{
    (void)state;
    static const struct {
        const char *text, *written; /* NULL: no timespan */
    } cases[] = {
        {"1d", "1.00:00:00"},
        {"1.5h", "01:30:00"},
        {"90s", "00:01:30"},
        {"2ms", "00:00:00.0020000"},
        {"5tick", "00:00:00.0000005"},
        {"1ns", "00:00:00.000000001"},
        {"-10 minutes", "-00:10:00"},
        {"1.02:03:04.5", "1.02:03:04.5000000"},
        {"02:03", "02:03:00"},
        {"24:00", NULL},
        {"1.5", NULL},
        {"h", NULL},
        {"1x", NULL},
        {"1e5d", NULL},
        {"110000d", NULL},
        {"99999.9d", "99999.21:36:00"},
        {"00:00:01.", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t got;
        char written[TIMESPAN_TEXT];
        assert_int_equal(text_timespan(slice_str(cases[i].text), &got), cases[i].written != NULL);
        if (cases[i].written) {
            timespan_text(got, written);
            assert_string_equal(written, cases[i].written);
        }
    }
}

static void test_datetime(void **state)
{
    (void)state;
    timestamp a, b;
    assert_true(text_datetime(SLICE(" 2026-11-01 "), &a));
    assert_true(text_datetime(SLICE("2026-11"), &b) && a == b);
    assert_true(text_datetime(SLICE("2026"), &b) && b < a);
    assert_false(text_datetime(SLICE("2026-13"), &b));
    assert_false(text_datetime(SLICE("abcd"), &b));
}

static void test_field_order(void **state)
{
    (void)state;
    static const char *const sorted[] = {"", "-1", "9", "0x10", "80", "443.5", "1024", "abc", "b"};
    for (size_t i = 0; i < sizeof sorted / sizeof *sorted; i++)
        for (size_t j = 0; j < sizeof sorted / sizeof *sorted; j++) {
            int c = field_compare(slice_str(sorted[i]), slice_str(sorted[j]));
            assert_int_equal((c > 0) - (c < 0), (i > j) - (i < j));
        }
    assert_int_equal(field_compare(SLICE("16"), SLICE("0x10")), 0);
}

static void test_functions(void **state)
{
    (void)state;
    struct buf b = {0};
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        const struct hunt_function *f = hunt_function(i);
        assert_int_equal(f->id, i);
        assert_ptr_equal(hunt_function_named(slice_str(f->name), f->kind), f);
    }
    assert_int_equal(hunt_function_named(SLICE("iif"), FUNCTION_SCALAR)->id, FN_IFF);
    assert_null(hunt_function_named(SLICE("count"), FUNCTION_SCALAR));
    assert_null(hunt_function_named(SLICE("=="), FUNCTION_SCALAR));
    hunt_function_signature(hunt_function(FN_SUBSTRING), &b);
    assert_slice(buf_slice(&b), "substring(string, long [, long]): string");
    buf_clear(&b);
    hunt_function_signature(hunt_function(FN_STRCAT), &b);
    assert_slice(buf_slice(&b), "strcat(any, ...): string");
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long),      cmocka_unit_test(test_number),
        cmocka_unit_test(test_timespan),  cmocka_unit_test(test_datetime),
        cmocka_unit_test(test_functions), cmocka_unit_test(test_field_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
