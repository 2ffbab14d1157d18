/*
 * Detection over a stored folder finds what it finds in the blocks as they came, whatever is asked for,
 * in any number of threads; a damaged block does not stop it.
 */
#include "test.h"

#include "detect/retro.h"
#include "memory_io.h"
#include "rules.h"

#include <stdio.h>
#include <stdlib.h>

#define FOLDER "data"

enum { SEGMENTS = 3, EVENTS = 4000 };

static const char rules_text[] =
    "title: Tool\n"
    "logsource: {product: windows, category: process_creation}\n"
    "detection: {s: {Image|endswith: '\\tool7.exe'}, condition: s}\n"
    "---\n"
    "title: Argument\n"
    "logsource: {product: windows, category: process_creation}\n"
    "detection:\n"
    "  s: {CommandLine|contains: 'secret'}\n"
    "  f: {User: admin}\n"
    "  condition: s and not f\n"
    "---\n"
    "title: Failed\n"
    "logsource: {product: windows, service: security}\n"
    "detection: {s: {EventID: 4625, TargetUserName: user3}, condition: s}\n"
    "---\n"
    "title: Nobody\n"
    "logsource: {product: windows, service: security}\n"
    "detection: {s: {TargetUserName: nobody}, condition: s}\n";

struct world {
    struct memory_io *memory;
    struct store *store;
    struct ruleset *rules;
    struct mappings *mappings;
    struct detector *direct; /* saw the blocks as they came */
    uint64_t seed;
};

static uint32_t draw(struct world *w, uint32_t below)
{
    w->seed ^= w->seed << 13;
    w->seed ^= w->seed >> 7;
    w->seed ^= w->seed << 17;
    return (uint32_t)(w->seed >> 33) % below;
}

static void put(struct block *b, const char *name, const char *format, uint32_t n)
{
    char text[64];
    snprintf(text, sizeof text, format, n); // NOLINT: formats of this file
    block_put(b, block_column(b, slice_str(name)), value_of_text(slice_str(text)));
}

/* Process creations, logons, and events that no rule is for. */
static void any_event(struct world *w, struct block_set *set, uint64_t number)
{
    const struct event_kind kinds[] = {
        {.product = SLICE("windows"),
         .channel = SLICE("Microsoft-Windows-Sysmon/Operational"),
         .provider = SLICE("Microsoft-Windows-Sysmon"),
         .code = SLICE("1")},
        {.product = SLICE("windows"), .channel = SLICE("Security"), .code = SLICE("4625")},
        {.product = SLICE("windows"), .channel = SLICE("Application"), .code = SLICE("1000")},
    };
    uint32_t which = draw(w, 3);
    struct block *b = block_set_open(set, &kinds[which]);
    timestamp time = draw(w, 50) ? (timestamp)number * NS_PER_SECOND : TIMESTAMP_NONE;
    struct error err;
    assert_int_equal(block_row(b, time, (struct origin){0, number}, &err), OK);
    put(b, "Computer", "pc%u.example.jp", draw(w, 4));
    if (which == 0) {
        put(b, "EventID", "%u", 1);
        put(b, "Image", "C:\\Windows\\tool%u.exe", draw(w, 40));
        put(b, "CommandLine", draw(w, 30) ? "run %u" : "run --secret %u", draw(w, 1000));
        put(b, "User", draw(w, 3) ? "user%u" : "admin", draw(w, 9));
    } else if (which == 1) {
        put(b, "EventID", "%u", 4625);
        put(b, "TargetUserName", "user%u", draw(w, 12));
    } else {
        put(b, "Text", "nothing %u", draw(w, 100));
    }
}

struct both {
    struct world *w;
    struct store_sink *sink;
};

static enum status to_both(void *ctx, struct block *b, struct error *err)
{
    const struct both *to = ctx;
    enum status status = detector_block(to->w->direct, 0, b, err);
    return status == OK ? store_take(to->sink, b, err) : status;
}

static void take_segment(struct world *w, uint64_t first)
{
    struct error err;
    assert_int_equal(store_begin(w->store, &err), OK);
    struct both to = {w, store_sink_new(w->store)};
    struct block_set *set = block_set_new((struct block_sink){to_both, &to});
    for (uint64_t i = 0; i < EVENTS; i++) {
        any_event(w, set, first + i);
        if (i % 700 == 699)
            assert_int_equal(block_set_flush(set, &err), OK);
    }
    assert_int_equal(block_set_flush(set, &err), OK);
    block_set_free(set);
    store_sink_free(to.sink);
    assert_int_equal(store_commit(w->store, NULL, 0, &err), OK);
}

static void begin(struct world *w)
{
    struct error err;
    *w = (struct world){.memory = memory_io_new(), .seed = 88172645463325252u};
    const struct store_io *io = memory_io(w->memory);
    w->rules = rules_of(rules_text);
    assert_no_problem(w->rules);
    w->mappings = mappings_builtin(&err);
    w->direct = detector_new(w->rules, w->mappings, 1, &err);
    assert_int_equal(store_init(io, FOLDER, NULL, 1, &err), OK);
    w->store = store_open(io, FOLDER, STORE_WRITE, NULL, &err);
    assert_non_null(w->store);
    for (uint64_t i = 0; i < SEGMENTS; i++)
        take_segment(w, i * EVENTS);
    detector_end(w->direct);
    findings_sort(detector_findings(w->direct));
}

static void end(struct world *w)
{
    store_close(w->store);
    detector_free(w->direct);
    mappings_free(w->mappings);
    ruleset_free(w->rules);
    memory_io_free(w->memory);
}

/* The findings as text; of those that were found directly, the ones that are wanted. */
static char *tell(struct detector *d, const struct selection *wanted, size_t *n)
{
    struct buf b = {0};
    struct finding f;
    struct error err;
    *n = 0;
    for (size_t at = 0; findings_next(detector_findings(d), &at, &f, &err);) {
        bool bound = wanted->from != TIMESTAMP_NONE;
        if (bound && (f.time == TIMESTAMP_NONE || f.time < wanted->from || f.time >= wanted->to))
            continue;
        if (wanted->host && !slice_starts(f.host, slice_str(wanted->host)))
            continue;
        (*n)++;
        buf_printf(&b, "%.*s %lld %llu %.*s", SLICE_ARG(f.rule->title), (long long)f.time,
                   (unsigned long long)f.events[0].record, SLICE_ARG(f.host));
        for (uint32_t i = 0; i < f.fields_n; i++)
            buf_printf(&b, " %.*s=%.*s", SLICE_ARG(f.fields[i].name), SLICE_ARG(f.fields[i].text));
        buf_char(&b, '\n');
    }
    buf_char(&b, '\0');
    return b.p;
}

static void search(struct world *w, const struct selection *wanted, unsigned threads,
                   struct retro_stats *stats)
{
    static const struct selection all = {.from = TIMESTAMP_NONE, .to = TIMESTAMP_NONE};
    struct error err;
    size_t found_n, want_n;
    struct detector *d = detector_new(w->rules, w->mappings, threads, &err);
    struct retro job = {.store = w->store, .detector = d, .threads = threads, .wanted = *wanted};
    assert_int_equal(retro_run(&job, stats, &err), OK);
    findings_sort(detector_findings(d));
    char *found = tell(d, &all, &found_n), *want = tell(w->direct, wanted, &want_n);
    assert_int_equal(found_n, want_n);
    assert_true(found_n > 10);
    assert_string_equal(found, want);
    free(found);
    free(want);
    detector_free(d);
}

static void all_is_found(void **state)
{
    (void)state;
    struct world w;
    struct retro_stats stats;
    begin(&w);
    const struct selection all = {.from = TIMESTAMP_NONE, .to = TIMESTAMP_NONE};
    for (unsigned threads = 1; threads <= 4; threads++)
        search(&w, &all, threads, &stats);
    assert_int_equal(stats.events, SEGMENTS * EVENTS);
    assert_true(stats.blocks_of_no_rule > 0);
    assert_true(stats.blocks_whole > 0);
    end(&w);
}

static void a_part_is_found(void **state)
{
    (void)state;
    struct world w;
    struct retro_stats stats;
    begin(&w);
    const struct selection time = {.from = 1234 * NS_PER_SECOND, .to = 5678 * NS_PER_SECOND};
    search(&w, &time, 2, &stats);
    assert_true(stats.blocks_out_of_time > 0);
    const struct selection host = {.from = TIMESTAMP_NONE, .to = TIMESTAMP_NONE, .host = "pc2"};
    search(&w, &host, 2, &stats);
    end(&w);
}

/* What is in no block: filters and values tell so, nothing is read as a whole. */
static void nothing_is_read_for_nothing(void **state)
{
    (void)state;
    struct world w;
    struct error err;
    struct retro_stats stats;
    begin(&w);
    struct ruleset *rules =
        rules_of("title: Not There\n"
                 "logsource: {product: windows, category: process_creation}\n"
                 "detection: {s: {Image|endswith: '\\absent.exe'}, condition: s}\n");
    struct detector *d = detector_new(rules, w.mappings, 2, &err);
    struct retro job = {.store = w.store,
                        .detector = d,
                        .threads = 2,
                        .wanted = {.from = TIMESTAMP_NONE, .to = TIMESTAMP_NONE}};
    assert_int_equal(retro_run(&job, &stats, &err), OK);
    assert_int_equal(findings_count(detector_findings(d)), 0);
    assert_true(stats.blocks_filtered > 0);
    assert_int_equal(stats.blocks_whole, 0);
    assert_int_equal(stats.blocks_filtered + stats.blocks_of_no_rule + stats.blocks_by_values,
                     stats.blocks);
    job.entry_least = w.store->segments[SEGMENTS - 1].entry; /* only what came last */
    assert_int_equal(retro_run(&job, &stats, &err), OK);
    assert_int_equal(stats.events, EVENTS);
    detector_free(d);
    ruleset_free(rules);
    end(&w);
}

/* Every byte of a segment changed in turn by chance: some blocks are left out, and told. */
static void damage_is_told(void **state)
{
    (void)state;
    struct world w;
    struct error err;
    struct retro_stats stats;
    size_t n, damaged = 0;
    begin(&w);
    char path[128];
    snprintf(path, sizeof path, FOLDER "/segments/%s", w.store->segments[0].name.p);
    for (int i = 0; i < 40; i++) {
        char *bytes = memory_io_bytes(w.memory, path, &n);
        size_t at = draw(&w, (uint32_t)n);
        bytes[at] ^= 0x55;
        struct detector *d = detector_new(w.rules, w.mappings, 2, &err);
        struct retro job = {.store = w.store,
                            .detector = d,
                            .threads = 2,
                            .wanted = {.from = TIMESTAMP_NONE, .to = TIMESTAMP_NONE}};
        assert_int_equal(retro_run(&job, &stats, &err), OK);
        damaged += stats.blocks_damaged > 0;
        assert_true(findings_count(detector_findings(d)) > 10);
        detector_free(d);
        bytes = memory_io_bytes(w.memory, path, &n);
        bytes[at] ^= 0x55;
    }
    assert_true(damaged > 0);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_found),
        cmocka_unit_test(a_part_is_found),
        cmocka_unit_test(nothing_is_read_for_nothing),
        cmocka_unit_test(damage_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
