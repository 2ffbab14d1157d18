#include "test.h"

#include "base/embed.h"
#include "base/locale.h"

#include <stdlib.h>

extern const struct embedded_file locale_files[];

static struct slice japanese(void)
{
    return embedded_find(locale_files, "ja.mo");
}

static void chooses(void **state)
{
    (void)state;
    assert_true(locale_choose("ja"));
    assert_string_equal(locale_language(), "ja");
    assert_string_equal(_("high"), "高");
    assert_string_equal(_("nobody says this"), "nobody says this");
    assert_string_equal(_(""), "");
    assert_false(locale_choose("fr"));
    assert_string_equal(locale_language(), "ja");
    assert_true(locale_choose("en"));
    assert_string_equal(locale_language(), "en");
    assert_string_equal(_("high"), "high");
}

static const char *chosen_by(const char *all, const char *messages, const char *lang)
{
    setenv("LC_ALL", all, 1);
    setenv("LC_MESSAGES", messages, 1);
    setenv("LANG", lang, 1);
    assert_true(locale_choose(NULL));
    return locale_language();
}

static void environment(void **state)
{
    (void)state;
    assert_string_equal(chosen_by("", "", ""), "en");
    assert_string_equal(chosen_by("", "", "ja_JP.UTF-8"), "ja");
    assert_string_equal(chosen_by("", "ja", "C"), "ja");
    assert_string_equal(chosen_by("C", "ja_JP.UTF-8", "ja_JP.UTF-8"), "en");
    assert_string_equal(chosen_by("ja_JP.utf8@x", "", ""), "ja");
    assert_string_equal(chosen_by("ja_JP", "", ""), "ja");
    assert_string_equal(chosen_by("ja_JP.eucJP", "", ""), "en");
    assert_string_equal(chosen_by("jam", "", ""), "en");
    assert_string_equal(chosen_by("de_DE.UTF-8", "", "ja"), "en");
    locale_choose("en");
}

static void finds_every_message(void **state)
{
    (void)state;
    struct mo mo;
    assert_true(mo_open(japanese(), &mo));
    assert_true(mo.n > 20);
    assert_null(mo_find(&mo, "\x01"));
    assert_null(mo_find(&mo, "\xff"));
    assert_null(mo_find(&mo, "hig"));
    assert_null(mo_find(&mo, "highh"));
    assert_string_equal(mo_find(&mo, "critical"), "緊急");
    assert_non_null(mo_find(&mo, "Stealth"));
}

/* Cut anywhere, or with any byte of its header and tables changed, it is refused or stays in its
 * bytes; a copy of the exact size lets the sanitizer watch. */
static void damaged(void **state)
{
    (void)state;
    struct slice whole = japanese();
    struct mo mo;
    for (size_t n = 0; n < whole.n; n++) {
        char *cut = malloc(n + 1);
        memcpy(cut, whole.p, n);
        assert_false(mo_open(slice_of(cut, n), &mo));
        free(cut);
    }
    enum { TABLES = 600 };
    if (!whole.p || whole.n <= TABLES) {
        fail();
        return;
    }
    char *copy = malloc(whole.n + 1);
    for (size_t i = 0; i < TABLES; i++) {
        memcpy(copy, whole.p, whole.n);
        copy[i] = (char)(copy[i] ^ 0xff);
        if (mo_open(slice_of(copy, whole.n), &mo))
            (void)mo_find(&mo, "critical");
    }
    free(copy);
}

/* One message that counts, laid out by hand as the manual says. */
static void plural(void **state)
{
    (void)state;
    static const char file[] =
        "\xde\x12\x04\x95\0\0\0\0\1\0\0\0\x1c\0\0\0\x24\0\0\0\0\0\0\0\0\0\0\0"
        "\x0c\0\0\0\x2c\0\0\0" /* 12 bytes at 44 */
        "\x05\0\0\0\x39\0\0\0" /* 5 bytes at 57 */
        "%d dog\0%d do\0"
        "%d \xe7\x8a";
    struct mo mo;
    assert_true(mo_open(slice_of(file, sizeof file), &mo));
    assert_string_equal(mo_find(&mo, "%d dog"), "%d \xe7\x8a");
    assert_string_equal(locale_plural("%d cat", "%d cats", 1), "%d cat");
    assert_string_equal(locale_plural("%d cat", "%d cats", 0), "%d cats");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses),
        cmocka_unit_test(environment),
        cmocka_unit_test(finds_every_message),
        cmocka_unit_test(damaged),
        cmocka_unit_test(plural),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
