/*
 * The pipeline of a scan as a whole: files of JSON lines on disk, rules from text, and what is found.
 */
#include "test.h"

#include "base/vec.h"
#include "detect/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILES = 24, EVENTS = 300 }; /* a file's events, of which each tenth matches */

static const char rules_text[] =
    "title: Shell\n"
    "id: 11111111-1111-4111-8111-111111111111\n"
    "name: shell\n"
    "logsource: {product: windows, category: process_creation}\n"
    "detection: {selection: {Image|endswith: '\\cmd.exe'}, condition: selection}\n"
    "fields: [CommandLine]\n"
    "level: high\n"
    "---\n"
    "title: Many Shells\n"
    "id: 22222222-2222-4222-8222-222222222222\n"
    "correlation:\n"
    "  type: event_count\n"
    "  rules: [shell]\n"
    "  group-by: [Computer]\n"
    "  timespan: 1h\n"
    "  condition: {gte: 20}\n"
    "  generate: true\n"
    "level: critical\n";

struct place {
    char root[64];
    struct ruleset *rules;
    struct mappings *mappings;
};

static void write_file(const char *path, int number)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    for (int i = 0; i < EVENTS; i++)
        fprintf(out,
                "{\"Event\":{\"System\":{\"Provider\":{\"#attributes\":{\"Name\":"
                "\"Microsoft-Windows-Sysmon\"}},\"EventID\":1,\"TimeCreated\":{\"#attributes\":"
                "{\"SystemTime\":\"2026-11-10T%02d:%02d:%02d.000Z\"}},\"EventRecordID\":%d,"
                "\"Channel\":\"Microsoft-Windows-Sysmon/Operational\",\"Computer\":\"pc%d\"},"
                "\"EventData\":{\"Image\":\"C:\\\\Windows\\\\%s.exe\",\"CommandLine\":\"line %d\","
                "\"User\":\"-\"}}}\n",
                number % 24, i / 60, i % 60, i + 1, number % 3, i % 10 ? "notepad" : "cmd", i);
    fclose(out);
}

static int setup(void **state)
{
    struct place *p = xcalloc(1, sizeof *p);
    struct error err;
    snprintf(p->root, sizeof p->root, "/tmp/hikeshi-scan-XXXXXX");
    assert_non_null(mkdtemp(p->root));
    for (int i = 0; i < FILES; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%02d.jsonl", p->root, i);
        write_file(path, i);
    }
    p->rules = ruleset_new();
    struct rule_choice all = {0};
    assert_int_equal(ruleset_load_text(p->rules, slice_str(rules_text), "rules", &all, &err), OK);
    ruleset_finish(p->rules);
    assert_int_equal(ruleset_count(p->rules), 2);
    p->mappings = mappings_builtin(&err);
    assert_non_null(p->mappings);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    for (int i = 0; i < FILES; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%02d.jsonl", p->root, i);
        unlink(path);
    }
    rmdir(p->root);
    ruleset_free(p->rules);
    mappings_free(p->mappings);
    free(p);
    return 0;
}

/* What a scan came to: a line a finding. */
struct result {
    enum status status;
    struct buf lines;
    size_t findings;
    struct scan_stats stats;
    uint64_t looked_at[64]; /* events that `look` saw, by worker */
};

static enum status look(void *ctx, unsigned worker, struct block *b, struct error *err)
{
    struct result *r = ctx;
    (void)err;
    r->looked_at[worker] += b->rows;
    return OK;
}

static enum status look_and_fail(void *ctx, unsigned worker, struct block *b, struct error *err)
{
    (void)ctx;
    (void)worker;
    (void)b;
    return error_set(err, STATUS_SYSTEM, NULL, ERROR_NO_OFFSET, "the disk is full");
}

static void keep_lines(struct scan *s, struct result *r)
{
    struct finding f;
    struct error err = {0};
    for (size_t at = 0; findings_next(scan_findings(s), &at, &f, &err);) {
        char time[TIMESTAMP_TEXT];
        timestamp_text(f.time, 0, time);
        buf_printf(&r->lines, "%s %.*s %.*s %zu", time, SLICE_ARG(f.rule->title), SLICE_ARG(f.host),
                   (size_t)f.count);
        for (uint32_t i = 0; i < f.fields_n; i++)
            buf_printf(&r->lines, " %.*s=%.*s", SLICE_ARG(f.fields[i].name),
                       SLICE_ARG(f.fields[i].text));
        buf_char(&r->lines, '\n');
    }
    assert_int_equal(err.status, OK);
    r->findings = findings_count(scan_findings(s));
}

static struct result scan_place(const struct place *p, struct scan_setup setup)
{
    struct result r = {0};
    struct error err = {0};
    const char *const paths[] = {p->root};
    if (!setup.wanted.from)
        setup.wanted.from = setup.wanted.to = TIMESTAMP_NONE;
    setup.ctx = &r;
    struct problems *problems = problems_new();
    struct inputs *inputs = inputs_find(paths, 1, problems);
    struct scan *s = scan_new(&setup, &err);
    assert_non_null(s);
    r.status = scan_run(s, inputs, problems, &err);
    keep_lines(s, &r);
    r.stats = *scan_stats(s);
    scan_free(s);
    assert_int_equal(problems_total(problems), 0);
    inputs_free(inputs);
    problems_free(problems);
    return r;
}

static void all_is_found(void **state)
{
    const struct place *p = *state;
    struct result r =
        scan_place(p, (struct scan_setup){p->rules, p->mappings, .threads = 1, .look = look});
    assert_int_equal(r.status, OK);
    assert_int_equal(r.stats.read.events, FILES * EVENTS);
    assert_int_equal(r.looked_at[0], FILES * EVENTS);
    assert_int_equal(r.stats.detected.matches, FILES * EVENTS / 10);
    assert_true(r.findings > FILES * EVENTS / 10); /* the correlation's too */
    struct slice first = slice_sub(buf_slice(&r.lines), 0, 1 + strcspn(r.lines.p, "\n"));
    /* the author's field, then what the rule looks at; what is "-" is left out */
    assert_slice(first, "2026-11-10T00:00:00Z Shell pc0 1 CommandLine=line 0 "
                        "Image=C:\\Windows\\cmd.exe\n");
    buf_char(&r.lines, '\0');
    assert_non_null(strstr(r.lines.p, "Many Shells pc1"));
    buf_free(&r.lines);
}

static void threads_find_the_same(void **state)
{
    const struct place *p = *state;
    struct result one = scan_place(p, (struct scan_setup){p->rules, p->mappings, .threads = 1});
    struct result six =
        scan_place(p, (struct scan_setup){p->rules, p->mappings, .threads = 6, .look = look});
    assert_int_equal(six.stats.threads, 6);
    assert_true(slice_equal(buf_slice(&one.lines), buf_slice(&six.lines)));
    uint64_t seen = 0;
    for (size_t i = 0; i < 6; i++)
        seen += six.looked_at[i];
    assert_int_equal(seen, FILES * EVENTS);
    buf_free(&one.lines);
    buf_free(&six.lines);
}

static void what_is_not_wanted_is_not_counted(void **state)
{
    const struct place *p = *state;
    timestamp noon;
    assert_true(timestamp_parse(SLICE("2026-11-10T12:00:00Z"), &noon));
    struct result r =
        scan_place(p, (struct scan_setup){p->rules, p->mappings, .threads = 3, .look = look,
                                          .wanted = {noon, noon + 3600 * NS_PER_SECOND, "pc0"}});
    /* file 12 alone is of that hour, and from pc0 */
    assert_int_equal(r.stats.left_out, (FILES - 1) * EVENTS);
    assert_int_equal(r.looked_at[0] + r.looked_at[1] + r.looked_at[2], EVENTS);
    assert_int_equal(r.stats.detected.matches, EVENTS / 10);
    buf_free(&r.lines);
}

static void without_rules_events_are_seen(void **state)
{
    const struct place *p = *state;
    struct result r = scan_place(p, (struct scan_setup){.threads = 1, .look = look});
    assert_int_equal(r.looked_at[0], FILES * EVENTS);
    assert_int_equal(r.findings, 0);
    buf_free(&r.lines);
}

static void a_failure_ends_it(void **state)
{
    const struct place *p = *state;
    struct result r = scan_place(
        p, (struct scan_setup){p->rules, p->mappings, .threads = 2, .look = look_and_fail});
    assert_int_equal(r.status, STATUS_SYSTEM);
    assert_int_equal(r.findings, 0);
    buf_free(&r.lines);
}

static void stopping_keeps_what_was_found(void **state)
{
    const struct place *p = *state;
    volatile sig_atomic_t stop = 1;
    struct result r =
        scan_place(p, (struct scan_setup){p->rules, p->mappings, .threads = 2, .stop = &stop});
    assert_int_equal(r.status, STATUS_INTERRUPTED);
    assert_true(r.stats.read.events <= FILES * EVENTS);
    buf_free(&r.lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(threads_find_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_wanted_is_not_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(without_rules_events_are_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failure_ends_it, setup, teardown),
        cmocka_unit_test_setup_teardown(stopping_keeps_what_was_found, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
