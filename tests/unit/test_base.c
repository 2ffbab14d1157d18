#include "test.h"

#include "base/buf.h"
#include "base/cursor.h"
#include "base/error.h"
#include "base/map.h"
#include "base/text.h"
#include "base/timestamp.h"

#include <errno.h>
#include <stdio.h>

static void slices(void **state)
{
    (void)state;
    assert_true(slice_equal_nocase(SLICE("SeCurity"), SLICE("sEcURITY")));
    assert_false(slice_equal_nocase(SLICE("a"), SLICE("ab")));
    assert_int_equal(slice_find(SLICE("abcabd"), SLICE("abd")), 3);
    assert_int_equal(slice_find(SLICE("abc"), SLICE("x")), -1);
    assert_slice(slice_trim(SLICE(" \t a b\r\n")), "a b");
    assert_true(slice_compare(SLICE("ab"), SLICE("abc")) < 0);
    assert_slice(slice_sub(SLICE("abc"), 2, 9), "c");
    assert_slice(slice_sub(SLICE("abc"), 9, 9), "");
}

static void errors(void **state)
{
    (void)state;
    struct error e;
    assert_int_equal(error_set(&e, STATUS_BAD_INPUT, "f", 7, "no %d", 1), STATUS_BAD_INPUT);
    assert_string_equal(e.what, "no 1");
    errno = ENOENT;
    assert_int_equal(error_system(&e, "f", "can't open"), STATUS_SYSTEM);
    assert_string_equal(e.what, "can't open: No such file or directory");
}

static void arenas(void **state)
{
    (void)state;
    struct arena a = {0};
    for (size_t i = 0; i < 5000; i++) {
        char *p = arena_alloc(&a, i);
        assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
        memset(p, 1, i);
        arena_bytes(&a, 3);
    }
    assert_true(a.used > 5000 * 2500);
    arena_reset(&a);
    assert_int_equal(a.used, 0);
    assert_slice(arena_printf(&a, "%d-%s", 5, "x"), "5-x");
    arena_free(&a);
}

static void cursors(void **state)
{
    (void)state;
    struct cursor c = cursor_of(SLICE("\x01\x02\x03\x04\x05"));
    assert_int_equal(cursor_u16(&c), 0x0201);
    assert_int_equal(cursor_u32(&c), 0);
    assert_true(c.failed);
    assert_int_equal(cursor_u8(&c), 0); /* stays failed */
    c = cursor_of(SLICE("ab"));
    assert_int_equal(cursor_take(&c, SIZE_MAX).n, 0);
    assert_true(c.failed);
}

static void maps(void **state)
{
    (void)state;
    struct map m = {0};
    assert_null(map_get(&m, SLICE("x")));
    for (uint32_t i = 0; i < 1000; i++) {
        char key[16];
        bool is_new;
        size_t n = (size_t)snprintf(key, sizeof key, "k%u", i);
        *map_put(&m, slice_of(key, n), &is_new) = i;
        assert_true(is_new);
    }
    assert_int_equal(*map_get(&m, SLICE("k777")), 777);
    assert_null(map_get(&m, SLICE("k1000")));
    map_clear(&m);
    assert_null(map_get(&m, SLICE("k777")));
    map_free(&m);
}

static void json_strings(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_json(&b, SLICE("a\"\\\n\x01\x7f\xe7\x81\xab\xff"));
    assert_slice(buf_slice(&b), "\"a\\\"\\\\\\n\\u0001\\u007f\xe7\x81\xab\xef\xbf\xbd\"");
    buf_free(&b);
}

static void text(void **state)
{
    (void)state;
    struct arena a = {0};
    assert_int_equal(utf8_length(SLICE("\xc0\x80")), 0);         /* overlong */
    assert_int_equal(utf8_length(SLICE("\xed\xa0\x80")), 0);     /* surrogate */
    assert_int_equal(utf8_length(SLICE("\xf4\x90\x80\x80")), 0); /* past U+10FFFF */
    assert_int_equal(utf8_length(SLICE("\xf0\x9f\x94\xa5")), 4);
    assert_slice(utf8_clean(&a, SLICE("a\xff"
                                      "b")),
                 "a\xef\xbf\xbd"
                 "b");
    assert_slice(utf16_to_utf8(&a, SLICE("a\0k\x70\x3d\xd8\x25\xdd\0\xd8x\0")),
                 "a\xe7\x81\xab\xf0\x9f\x94\xa5\xef\xbf\xbdx");
    assert_slice(text_fold(&a, SLICE("C:\\Windows")), "c:\\windows");
    assert_slice(text_fold(&a, SLICE("\xc3\x84\xe2\xb1\xa5\xc8\xba\xff")),
                 "\xc3\xa4\xe2\xb1\xa5\xe2\xb1\xa5\xff");
    struct slice same = SLICE("already");
    assert_ptr_equal(text_fold(&a, same).p, same.p);
    arena_free(&a);
}

static void times(void **state)
{
    (void)state;
    char out[TIMESTAMP_TEXT];
    timestamp t;
    assert_true(timestamp_parse(SLICE("2026-11-10T10:23:41.1234567+09:00"), &t));
    timestamp_text(t, 7, out);
    assert_string_equal(out, "2026-11-10T01:23:41.1234567Z");
    assert_true(timestamp_parse(SLICE("1969-12-31 23:59:59,5"), &t));
    assert_int_equal(t, -NS_PER_SECOND / 2);
    timestamp_text(t, 1, out);
    assert_string_equal(out, "1969-12-31T23:59:59.5Z");
    assert_true(timestamp_parse(SLICE("2024-02-29"), &t));
    assert_false(timestamp_parse(SLICE("2023-02-29"), &t));
    assert_false(timestamp_parse(SLICE("2023-02-2"), &t));
    assert_false(timestamp_parse(SLICE("2023-02-21T10:00:00x"), &t));
    assert_false(timestamp_parse(SLICE("9999-01-01"), &t));
    assert_int_equal(timestamp_from_filetime(116444736000000001), 100);
    assert_int_equal(timestamp_from_filetime(UINT64_MAX), TIMESTAMP_NONE);
    assert_true(timestamp_parse(SLICE("2027-01-01T00:00:00Z"), &t));
    struct timestamp_parts p = timestamp_split(t);
    assert_int_equal(p.week, 53); /* ISO week 53 of 2026 */
    assert_int_equal(p.weekday, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices),  cmocka_unit_test(errors), cmocka_unit_test(arenas),
        cmocka_unit_test(cursors), cmocka_unit_test(maps),   cmocka_unit_test(json_strings),
        cmocka_unit_test(text),    cmocka_unit_test(times),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
