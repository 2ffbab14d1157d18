#include "golden.h"

#include "base/locale.h"
#include "base/text.h"
#include "report/term.h"
#include "report/timeline.h"
#include "report/words.h"
#include "report_sample.h"

#include <time.h>

/* The sample as a timeline; free the bytes. */
static struct slice written(const char *format, const char *language, bool colour, unsigned width)
{
    struct error err = {0};
    struct timeline_options options = {.inputs = &sample_inputs,
                                       .colour = colour,
                                       .width = width,
                                       .title = "logs/ </title>",
                                       .utc = true};
    char *bytes = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&bytes, &n);
    struct summary *summary = summary_new();
    assert_true(locale_choose(language));
    struct timeline *t = timeline_begin(timeline_format_find(format), &options, out, &err);
    assert_non_null(t);
    for (int i = 0; i < SAMPLE; i++) {
        summary_add(summary, &sample_findings[i]);
        assert_int_equal(timeline_add(t, &sample_findings[i], &err), OK);
    }
    assert_int_equal(timeline_end(t, summary, &err), OK);
    fclose(out);
    summary_free(summary);
    locale_choose("en");
    return slice_of(bytes, n);
}

static void check_golden(const char *name, const char *format, const char *language, bool colour,
                         unsigned width)
{
    struct slice got = written(format, language, colour, width);
    golden(name, got);
    free((void *)(uintptr_t)got.p);
}

static void text(void **state)
{
    (void)state;
    check_golden("report/text-80.txt", "text", "en", false, 80);
    check_golden("report/text-140.txt", "text", "en", false, 140);
    check_golden("report/text-50.txt", "text", "en", false, 50);
    check_golden("report/text-colour.txt", "text", "en", true, 120);
    check_golden("report/text-ja.txt", "text", "ja", false, 100);
    check_golden("report/text-pipe.txt", "text", "en", false, 0);
}

static void jsonl(void **state)
{
    (void)state;
    check_golden("report/findings.jsonl", "jsonl", "en", false, 0);
    check_golden("report/findings.jsonl", "jsonl", "ja", true,
                 80); /* programs read it: no language */
}

static void csv(void **state)
{
    (void)state;
    check_golden("report/findings.csv", "csv", "en", false, 0);
    check_golden("report/findings.csv", "csv", "ja", false, 0);
}

static void timesketch(void **state)
{
    (void)state;
    check_golden("report/timesketch.jsonl", "timesketch", "en", false, 0);
}

/* No byte that steers a terminal: controls but line ends, changes of direction, bad UTF-8. */
static void assert_harmless(struct slice s)
{
    for (size_t at = 0; at < s.n;) {
        size_t n = utf8_length(slice_sub(s, at, 4));
        const unsigned char *p = (const unsigned char *)s.p + at;
        assert_true(n > 0);
        assert_true(p[0] >= ' ' || p[0] == '\n' || (p[0] == '\r' && p[1] == '\n'));
        assert_int_not_equal(p[0], 0x7f);
        assert_false(p[0] == 0xc2 && p[1] < 0xa0);                                  /* C1 */
        assert_false(p[0] == 0xe2 && p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae); /* U+202x */
        assert_false(p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9); /* U+206x */
        at += n;
    }
}

/* ---- the page ---- */

/* What stands between two texts. */
static struct slice between(struct slice s, struct slice from, struct slice to)
{
    ptrdiff_t at = slice_find(s, from);
    assert_true(at >= 0);
    s = slice_sub(s, (size_t)at + from.n, s.n);
    at = slice_find(s, to);
    assert_true(at >= 0);
    return slice_sub(s, 0, (size_t)at);
}

/* The data in the page is golden; its own parts change too often for that. */
static void html(void **state)
{
    (void)state;
    static const char *const languages[] = {"en", "ja"};
    for (size_t i = 0; i < 2; i++) {
        struct slice page = written("html", languages[i], false, 0);
        struct slice rows = between(page, SLICE("id=\"rows\">"), SLICE("</script>"));
        struct slice rest = between(page, SLICE("id=\"page\">"), SLICE("</script>"));
        if (i == 0)
            golden("report/html-rows.json", rows);
        golden(i ? "report/html-page-ja.json" : "report/html-page.json", rest);
        assert_harmless(page);

        /* evidence makes no elements, and nothing is left to fill in */
        assert_int_equal(slice_find(rows, SLICE("<")), -1);
        assert_int_equal(slice_find(rest, SLICE("<")), -1);
        assert_int_equal(slice_count(page, SLICE("<script")), 3);
        assert_int_equal(slice_count(page, SLICE("</script>")), 3);
        assert_int_equal(slice_count(page, SLICE("<title>")), 1);
        assert_int_equal(slice_count(page, SLICE("</title>")), 1);
        assert_int_equal(slice_find(page, SLICE("{{")), -1);
        assert_int_equal(slice_count(page, SLICE("'sha256-")), 2);
        assert_int_equal(slice_find(page, SLICE("unsafe")), -1);
        assert_int_equal(slice_find(page, SLICE("src=\"")), -1);
        free((void *)(uintptr_t)page.p);
    }
}

/* ---- hostile text ---- */

static void nothing_steers(void **state)
{
    (void)state;
    static const char *const formats[] = {"text", "jsonl", "csv", "timesketch"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        for (unsigned width = 0; width < 200; width += 1 + width / 2) {
            struct slice got = written(formats[i], width & 1 ? "ja" : "en", false, width);
            assert_harmless(got);
            free((void *)(uintptr_t)got.p);
        }
    }
}

/* Bytes and characters of all kinds, the same each time. */
// NOLINTBEGIN: hostile literals, pieces without NUL
static struct slice random_text(char *room, size_t most)
{
    static const char *const pieces[] = {
        "a",  "b c",  "  ",        "\x1b[31m",         "火", "\xe2\x80\xae", "\xc2\x9b",
        "\n", "\xff", "e\xcc\x81", "\xf0\x9f\x94\xa5", "ｱ"};
    size_t n = 0;
    while (n + 8 < most && rand() % 20) {
        const char *piece = pieces[(size_t)rand() % (sizeof pieces / sizeof *pieces)];
        memcpy(room + n, piece, strlen(piece));
        n += strlen(piece);
    }
    return slice_of(room, n);
}
// NOLINTEND

static void cells_have_their_width(void **state)
{
    (void)state;
    char room[200];
    struct buf clean = {0}, cell = {0};
    for (unsigned i = 0; i < 3000; i++) {
        buf_clear(&clean);
        buf_clear(&cell);
        term_clean(&clean, random_text(room, sizeof room));
        assert_harmless(buf_slice(&clean));
        unsigned columns = i % 40, width = term_width(buf_slice(&clean));
        term_cell(&cell, buf_slice(&clean), columns, i & 64 ? TERM_LEFT : TERM_RIGHT, TERM_PLAIN,
                  false);
        assert_int_equal(term_width(buf_slice(&cell)), columns);
        assert_true(width > columns || slice_find(buf_slice(&cell), buf_slice(&clean)) >= 0);
        assert_true(term_width(term_fit(buf_slice(&clean), columns)) <= columns);
    }
    buf_free(&clean);
    buf_free(&cell);
}

/* Every line of a flow keeps to the width, and nothing is lost but spaces at the breaks. */
static void flows_keep_to_the_width(void **state)
{
    (void)state;
    char room[400];
    struct buf clean = {0}, out = {0}, want = {0}, got = {0};
    for (unsigned i = 0; i < 2000; i++) {
        struct term_flow flow = {
            .out = &out, .width = 20 + i % 50, .indent = i % 10, .lines = 1000};
        flow.column = flow.indent;
        buf_clear(&out);
        buf_clear(&want);
        buf_clear(&got);
        for (int k = 0; k < 4; k++) {
            buf_clear(&clean);
            term_clean(&clean, random_text(room, sizeof room));
            buf_add(&want, buf_slice(&clean));
            term_flow(&flow, buf_slice(&clean), TERM_PLAIN);
        }
        struct slice rest = buf_slice(&out);
        unsigned before = flow.indent; /* of the first line, which the caller wrote */
        while (rest.n) {
            ptrdiff_t end = slice_find(rest, SLICE("\n"));
            struct slice line = slice_sub(rest, 0, end < 0 ? rest.n : (size_t)end);
            assert_true(term_width(line) + before < flow.width);
            buf_add(&got, line);
            rest = slice_sub(rest, line.n + 1, rest.n);
            before = 0;
        }
        size_t g = 0, w = 0;
        for (;; g++, w++) { /* but for spaces the same */
            while (g < got.n && got.p[g] == ' ')
                g++;
            while (w < want.n && want.p[w] == ' ')
                w++;
            if (g == got.n || w == want.n)
                break;
            assert_int_equal(got.p[g], want.p[w]);
        }
        assert_true(g == got.n && w == want.n);
    }
    buf_free(&clean);
    buf_free(&out);
    buf_free(&want);
    buf_free(&got);
}

/* The table of two rows, as wide as it may be. */
static struct slice table_of(unsigned width, struct buf *out)
{
    static const struct term_column columns[] = {{.title = "Host", .flexible = true},
                                                 {.title = "high", .align = TERM_RIGHT},
                                                 {.title = "low", .spare = 1},
                                                 {.title = "informational", .spare = 2}};
    struct term_table t = {.columns = columns, .columns_n = 4, .width = width};
    static const char *const cells[] = {"server01.example.jp", "12", "3", "4", "pc", "1", "-", "-"};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        term_table_add(&t, slice_str(cells[i]), TERM_PLAIN);
    buf_clear(out);
    term_table_print(&t, out);
    return buf_slice(out);
}

static void narrow_tables_lose_columns(void **state)
{
    (void)state;
    struct buf out = {0};
    assert_slice(table_of(0, &out), "Host                 high  low  informational\n"
                                    "server01.example.jp    12  3    4\n"
                                    "pc                      1  -    -\n");
    assert_slice(table_of(36, &out), "Host        high  low  informational\n"
                                     "server01.…    12  3    4\n"
                                     "pc             1  -    -\n");
    assert_slice(table_of(30, &out), "Host                 high  low\n"
                                     "server01.example.jp    12  3\n"
                                     "pc                      1  -\n");
    assert_slice(table_of(10, &out), "Host      high\n"
                                     "server0…    12\n"
                                     "pc           1\n");
    buf_free(&out);
}

static void widths(void **state)
{
    (void)state;
    assert_int_equal(term_width(SLICE("火消し")), 6);
    assert_int_equal(term_width(SLICE("ﾋｹｼ")), 3);
    assert_int_equal(term_width(SLICE("e\xcc\x81")), 1);
    assert_slice(term_fit(SLICE("火消し"), 5), "火消");
    char text[TERM_NUMBER];
    assert_slice(term_number(0, text), "0");
    assert_slice(term_number(999, text), "999");
    assert_slice(term_number(1000, text), "1,000");
    assert_slice(term_number(UINT64_MAX, text), "18,446,744,073,709,551,615");
}

static void attack(void **state)
{
    (void)state;
    char id[ATTACK_TECHNIQUE];
    assert_true(attack_technique(SLICE("attack.t1059.001"), id));
    assert_string_equal(id, "T1059.001");
    assert_true(attack_technique(SLICE("Attack.T1003"), id));
    assert_string_equal(id, "T1003");
    static const char *const none[] = {
        "attack.t1059.01", "attack.t105", "attack.t1059.0011", "attack.s0002",
        "t1059",           "attack.",     "attack.tactic",     "",
        "attack.t1059x001"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(attack_technique(slice_str(none[i]), id));
    assert_string_equal(attack_tactics[attack_tactic(SLICE("attack.credential_access"))].id,
                        "TA0006");
    assert_string_equal(attack_tactics[attack_tactic(SLICE("attack.stealth"))].key, "stealth");
    assert_int_equal(attack_tactic(SLICE("attack.t1059")), -1);
    assert_int_equal(attack_tactic(SLICE("car.execution")), -1);
}

/* Local time, with its offset; and a disk that is full. */
static void local_time(void **state)
{
    (void)state;
    setenv("TZ", "JST-9", 1);
    tzset();
    struct error err = {0};
    struct timeline_options options = {.utc = false};
    char *bytes = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&bytes, &n);
    struct timeline *t = timeline_begin(timeline_format_find("jsonl"), &options, out, &err);
    assert_int_equal(timeline_add(t, &sample_findings[0], &err), OK);
    assert_int_equal(timeline_end(t, NULL, &err), OK);
    fclose(out);
    assert_memory_equal(bytes, "{\"time\":\"2026-11-10T10:23:41.1234567+09:00\"", 43);
    free(bytes);
    unsetenv("TZ");
    tzset();
}

static void full_disk(void **state)
{
    (void)state;
    FILE *out = fopen("/dev/full", "w");
    if (!out) {
        puts("# skip: no /dev/full");
        return;
    }
    struct error err = {0};
    struct timeline_options options = {.utc = true};
    struct timeline *t = timeline_begin(timeline_format_find("jsonl"), &options, out, &err);
    assert_int_equal(timeline_add(t, &sample_findings[0], &err), OK);
    assert_int_equal(timeline_end(t, NULL, &err), STATUS_SYSTEM);
    fclose(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text),
        cmocka_unit_test(jsonl),
        cmocka_unit_test(csv),
        cmocka_unit_test(timesketch),
        cmocka_unit_test(html),
        cmocka_unit_test(nothing_steers),
        cmocka_unit_test(cells_have_their_width),
        cmocka_unit_test(flows_keep_to_the_width),
        cmocka_unit_test(narrow_tables_lose_columns),
        cmocka_unit_test(widths),
        cmocka_unit_test(attack),
        cmocka_unit_test(local_time),
        cmocka_unit_test(full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
