#include "test.h"

#include "base/locale.h"
#include "report/timeline.h"
#include "report/words.h"
#include "report_sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* ---- golden files: tests/golden/report; GOLDEN_WRITE=1 writes them anew ---- */

static struct slice whole_file(const char *path)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        return (struct slice){0};
    size_t room = 1 << 22;
    char *bytes = malloc(room);
    size_t n = fread(bytes, 1, room, in);
    fclose(in);
    return slice_of(bytes, n);
}

static void golden(const char *name, struct slice got)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/golden/report/%s", getenv("SOURCE_ROOT"), name);
    if (getenv("GOLDEN_WRITE")) {
        FILE *out = fopen(path, "wb");
        assert_non_null(out);
        fwrite(got.p, 1, got.n, out);
        fclose(out);
    }
    struct slice want = whole_file(path);
    if (!slice_equal(want, got)) {
        size_t at = 0;
        while (at < want.n && at < got.n && want.p[at] == got.p[at])
            at++;
        fail_msg("%s differs from byte %zu on: %.*s", name, at, SLICE_ARG(slice_sub(got, at, 60)));
    }
    free((void *)(uintptr_t)want.p);
}

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
    check_golden("text-80.txt", "text", "en", false, 80);
    check_golden("text-140.txt", "text", "en", false, 140);
    check_golden("text-50.txt", "text", "en", false, 50);
    check_golden("text-colour.txt", "text", "en", true, 120);
    check_golden("text-ja.txt", "text", "ja", false, 100);
    check_golden("text-pipe.txt", "text", "en", false, 0);
}

static void jsonl(void **state)
{
    (void)state;
    check_golden("findings.jsonl", "jsonl", "en", false, 0);
    check_golden("findings.jsonl", "jsonl", "ja", true, 80); /* programs read it: no language */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text),
        cmocka_unit_test(jsonl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
