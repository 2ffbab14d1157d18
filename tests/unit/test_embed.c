#include "test.h"

#include "base/embed.h"

extern const struct embedded_file test_files[];

static void every_byte(void **state)
{
    (void)state;
    struct slice s = embedded_find(test_files, "embed.bin");
    assert_int_equal(s.n, 256);
    for (int i = 0; i < 256; i++)
        assert_int_equal((unsigned char)s.p[i], i);
    assert_int_equal(s.p[256], 0); /* a NUL behind */
}

static void several_files(void **state)
{
    (void)state;
    assert_string_equal(test_files[0].name, "embed.bin");
    assert_string_equal(test_files[1].name, "embed.empty");
    assert_null(test_files[2].name);
    assert_non_null(test_files[1].bytes.p);
    assert_int_equal(test_files[1].bytes.n, 0);
    assert_null(embedded_find(test_files, "other").p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte),
        cmocka_unit_test(several_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
