/*
 * Retention: what is past its time goes, and nothing else, whatever call of the file system fails;
 * holds keep; the folder verifies and the proofs of what went still hold. Compared with a list of the
 * events in memory.
 */
#include "test.h"

#include "memory_io.h"

#include "store/original.h"
#include "store/prove.h"
#include "store/retention.h"
#include "store/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define FOLDER "data"
#define DAY (INT64_C(86400) * NS_PER_SECOND)
#define NOW (1000 * DAY)

enum { FILES = 4, EVENTS = 40 };

static const char *const channels[] = {"Security", "System", "Dns"};
static const char *const hosts[] = {"pc01.example.jp", "PC02", "dc01"};

struct event {
    timestamp time; /* TIMESTAMP_NONE: it tells none */
    unsigned file, channel, host;
    bool gone;
};

static uint32_t draw(void *ctx, uint32_t below)
{
    uint64_t *seed = ctx;
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return (uint32_t)((*seed * 0x2545f4914f6cdd1du) >> 33) % below;
}

/* Event i of all; those of the first file are the oldest. */
static struct event event_of(unsigned i, uint64_t seed)
{
    uint64_t s = seed + i * 7919 + 1;
    struct event e = {.file = i / EVENTS};
    draw(&s, 2);
    e.channel = draw(&s, 3);
    e.host = draw(&s, 3);
    unsigned oldest = e.file == 0 ? 900 : 400;
    e.time = draw(&s, 20) == 0 ? TIMESTAMP_NONE
                               : NOW - (timestamp)(2 + draw(&s, oldest)) * DAY - draw(&s, 1000);
    return e;
}

static timestamp taken_of(unsigned file)
{
    return NOW - (timestamp)(FILES - file) * 100 * DAY;
}

static enum status put_events(struct store *s, unsigned file, uint64_t seed, struct error *err)
{
    struct store_sink *sink = store_sink_new(s);
    struct block_set *set = block_set_new((struct block_sink){store_take, sink});
    enum status status = OK;
    for (unsigned i = file * EVENTS; status == OK && i < (file + 1) * EVENTS; i++) {
        struct event e = event_of(i, seed);
        struct event_kind kind = {.product = SLICE("windows"),
                                  .channel = slice_str(channels[e.channel]),
                                  .code = SLICE("1")};
        struct block *b = block_set_open(set, &kind);
        status = block_row(b, e.time, (struct origin){0, i}, err);
        block_put(b, block_column(b, SLICE("Computer")), value_of_text(slice_str(hosts[e.host])));
    }
    if (status == OK)
        status = block_set_flush(set, err);
    block_set_free(set);
    store_sink_free(sink);
    return status;
}

static enum status take_in(struct store *s, unsigned file, uint64_t seed, struct error *err)
{
    struct store_input input = {.name = SLICE("log"), .format = SLICE("test"), .events = EVENTS};
    struct store_file f = {.name = SLICE("log"),
                           .by = SLICE("user@host"),
                           .taken = taken_of(file),
                           .modified = 5,
                           .inputs = &input,
                           .inputs_n = 1};
    int fd = memfd_create("log", MFD_CLOEXEC);
    assert_int_equal(write(fd, &file, sizeof file), sizeof file);
    enum status status = file_hash(fd, "log", &f.sha256, &f.bytes, err);
    if (status == OK)
        status = store_begin(s, err);
    if (status == OK)
        status = store_keep(s, fd, &f, err);
    if (status == OK)
        status = put_events(s, file, seed, err);
    if (status == OK)
        status = store_commit(s, &f, 1, err);
    close(fd);
    return status;
}

static struct store *open_writer(struct memory_io *m)
{
    struct error err = {0};
    struct store *s = store_open(memory_io(m), FOLDER, STORE_WRITE, NULL, &err);
    if (!s)
        print_message("# %s: %s\n", err.where, err.what);
    assert_non_null(s);
    return s;
}

static struct memory_io *folder_of(uint64_t seed)
{
    struct memory_io *m = memory_io_new();
    struct error err = {0};
    assert_int_equal(store_init(memory_io(m), FOLDER, NULL, 1, &err), OK);
    struct store *s = open_writer(m);
    for (unsigned file = 0; file < FILES; file++)
        assert_int_equal(take_in(s, file, seed, &err), OK);
    store_close(s);
    return m;
}

static void say(void *ctx, const struct error *what)
{
    (void)ctx;
    print_message("# %s: %s\n", what->where, what->what);
}

static uint64_t count_wrong(struct memory_io *m)
{
    struct verify_counts counts;
    struct arena a = {0};
    struct error err;
    const struct verify_options plain = {0};
    assert_int_equal(store_verify(memory_io(m), FOLDER, &plain, say, NULL, &a, &counts, &err), OK);
    arena_free(&a);
    return counts.wrong;
}

/* Which events are there; each must be so once. */
static void read_events(struct memory_io *m, bool there[FILES * EVENTS])
{
    struct error err = {0};
    struct store *s = store_open(memory_io(m), FOLDER, STORE_READ, NULL, &err);
    assert_non_null(s);
    struct segment_reader *r = segment_reader_new(false);
    struct block *b = block_alone();
    memset(there, 0, FILES * EVENTS);
    for (size_t i = 0; i < s->segments_n; i++) {
        const struct segment *seg = s->segments[i].gone ? NULL : store_segment(s, i, &err);
        for (uint32_t no = 0; seg && no < seg->blocks_n; no++) {
            assert_int_equal(segment_read(seg, r, no, NULL, 0, b, &err), OK);
            for (uint32_t row = 0; row < b->rows; row++) {
                uint64_t record = b->origins[row].record;
                assert_in_range(record, 0, FILES * EVENTS - 1);
                assert_false(there[record]);
                there[record] = true;
            }
        }
    }
    block_free(b);
    segment_reader_free(r);
    store_close(s);
}

static void retain(struct store *s, const char *source, int64_t period)
{
    struct error err = {0};
    struct store_retain rule = {.source = slice_str(source),
                                .reason = SLICE("the profile says so"),
                                .by = SLICE("user@host"),
                                .period = period,
                                .at = NOW - DAY};
    assert_int_equal(store_retain(s, &rule, &err), OK);
}

static enum status expire(struct store *s, bool only_tell, struct expire_report *report)
{
    struct arena a = {0};
    struct error err = {0};
    enum status status = store_expire(s, NOW, SLICE("user@host"), only_tell, &a, report, &err);
    report->sources = NULL;
    arena_free(&a);
    return status;
}

/* 100 days of Security, 300 of the rest of windows; dc01 is on hold, and so are two weeks of DNS. */
static void set_rules(struct store *s)
{
    struct error err = {0};
    struct store_hold dc = {.name = SLICE("INC-7"),
                            .reason = SLICE("the insurer asks"),
                            .by = SLICE("user@host"),
                            .at = NOW - DAY,
                            .from = TIMESTAMP_NONE,
                            .to = TIMESTAMP_NONE,
                            .host = SLICE("DC01")};
    struct store_hold dns = {.name = SLICE("INC-8"),
                             .reason = SLICE("under investigation"),
                             .by = SLICE("user@host"),
                             .at = NOW - DAY,
                             .from = NOW - 514 * DAY,
                             .to = NOW - 350 * DAY,
                             .source = SLICE("Windows/dns")};
    retain(s, "windows/Security", 500 * DAY); /* replaced by the next */
    retain(s, "windows/Security", 100 * DAY);
    retain(s, "windows", 300 * DAY);
    assert_int_equal(store_hold(s, &dc, &err), OK);
    assert_int_equal(store_hold(s, &dc, &err), STATUS_BAD_USE);
    assert_int_equal(store_hold(s, &dns, &err), OK);
}

static bool should_go(const struct event *e)
{
    timestamp t = e->time == TIMESTAMP_NONE ? taken_of(e->file) : e->time;
    if (e->host == 2 || (e->channel == 2 && t >= NOW - 514 * DAY && t < NOW - 350 * DAY))
        return false;
    return t < NOW - (e->channel == 0 ? 100 : 300) * DAY;
}

static uint64_t check_rest(struct memory_io *m, uint64_t seed, bool expired)
{
    bool there[FILES * EVENTS];
    uint64_t gone = 0;
    read_events(m, there);
    for (unsigned i = 0; i < FILES * EVENTS; i++) {
        struct event e = event_of(i, seed);
        assert_int_equal(there[i], !(expired && should_go(&e)));
        gone += !there[i];
    }
    return gone;
}

static void what_goes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 20; seed++) {
        struct memory_io *m = folder_of(seed);
        struct expire_report would, report;
        struct store *s = open_writer(m);
        assert_int_equal(expire(s, false, &report), OK); /* no rule: nothing goes */
        assert_int_equal(report.events, 0);
        set_rules(s);
        assert_int_equal(expire(s, true, &would), OK);
        assert_int_equal(check_rest(m, seed, false), 0);
        assert_int_equal(expire(s, false, &report), OK);
        assert_true(report.events > 0);
        assert_int_equal(would.events, report.events);
        assert_int_equal(would.segments_rewritten, report.segments_rewritten);
        assert_int_equal(check_rest(m, seed, true), report.events);
        uint64_t entries = s->journal.entries.n;
        assert_int_equal(expire(s, false, &report), OK); /* again: nothing is left to do */
        assert_int_equal(report.events, 0);
        assert_int_equal(s->journal.entries.n, entries);
        store_close(s);
        assert_int_equal(count_wrong(m), 0);
        s = open_writer(m);
        assert_int_equal(store_merge(s, NULL), OK);
        store_close(s);
        check_rest(m, seed, true);
        assert_int_equal(count_wrong(m), 0);
        memory_io_free(m);
    }
}

/* Whole segments and their originals; and what proves that they were there. */
static void originals(void **state)
{
    (void)state;
    struct error err = {0};
    struct memory_io *m = folder_of(3);
    const struct store_io *io = memory_io(m);
    struct store *s = open_writer(m);
    struct expire_report report;
    char path[PATH_BYTES];
    size_t n;
    struct hash content = s->files[0].sha256;
    original_path(s, &content, path);
    assert_non_null(memory_io_bytes(m, path, &n));
    retain(s, "*", 1000 * DAY);
    assert_int_equal(expire(s, false, &report), OK);
    assert_int_equal(report.events, 0);
    retain(s, "*", DAY);
    assert_int_equal(expire(s, false, &report), OK);
    assert_int_equal(report.events, FILES * EVENTS);
    assert_int_equal(report.segments_gone, FILES);
    assert_int_equal(report.originals, FILES);
    assert_null(memory_io_bytes(m, path, &n));
    assert_null(memory_io_bytes(m, FOLDER "/segments/00000001.seg", &n));
    assert_null(store_file(s, &content));
    assert_int_equal(count_wrong(m), 0);
    /* the entries of what went are still under the last checkpoint */
    for (uint64_t i = 0; i < s->journal.entries.n; i++) {
        struct hash path_up[MERKLE_PATH], root;
        merkle_root(&s->journal.tree, &root);
        size_t up = merkle_inclusion(&s->journal.tree, i, s->journal.tree.n, path_up);
        assert_true(merkle_check_inclusion(s->journal.entries.at[i], i, s->journal.tree.n, path_up,
                                           up, &root));
    }
    /* the same file may be taken in again */
    assert_int_equal(take_in(s, 0, 3, &err), OK);
    assert_non_null(store_file(s, &content));
    store_close(s);
    assert_int_equal(count_wrong(m), 0);
    /* what a crash left of an original that expired goes; what nobody knows is moved aside */
    s = store_open(io, FOLDER, STORE_READ, NULL, &err);
    original_path(s, &s->files[1].sha256, path);
    store_close(s);
    memory_io_put(m, path, "left", 4);
    s = open_writer(m);
    assert_int_equal(s->set_aside, 0);
    assert_null(memory_io_bytes(m, path, &n));
    store_close(s);
    memory_io_free(m);
}

static void holds(void **state)
{
    (void)state;
    struct error err = {0};
    struct memory_io *m = folder_of(5);
    struct store *s = open_writer(m);
    struct expire_report report;
    struct store_hold all = {.name = SLICE("everything"),
                             .reason = SLICE("a court order"),
                             .by = SLICE("user@host"),
                             .at = NOW - DAY,
                             .from = TIMESTAMP_NONE,
                             .to = TIMESTAMP_NONE};
    retain(s, "*", DAY);
    assert_int_equal(store_hold(s, &all, &err), OK);
    assert_int_equal(expire(s, false, &report), OK);
    assert_int_equal(report.events, 0);
    assert_int_equal(report.originals, 0);
    check_rest(m, 5, false);
    assert_int_equal(
        store_release(s, SLICE("nothing"), SLICE("x"), SLICE("user@host"), NOW - DAY, &err),
        STATUS_BAD_USE);
    assert_int_equal(store_release(s, all.name, SLICE("  "), SLICE("user@host"), NOW - DAY, &err),
                     STATUS_BAD_USE);
    assert_int_equal(
        store_release(s, all.name, SLICE("closed"), SLICE("user@host"), NOW - DAY, &err), OK);
    assert_int_equal(expire(s, false, &report), OK);
    assert_int_equal(report.events, FILES * EVENTS);
    store_close(s);
    assert_int_equal(count_wrong(m), 0);
    memory_io_free(m);
}

/* An entry that deletes without right makes the journal bad, whoever signed it. */
static void no_right(void **state)
{
    (void)state;
    static const char *const entries[] = {
        /* there is no rule for it */
        "{\"entry\":\"expire\",\"of\":[\"00000001.seg\"],\"into\":[],\"why\":[{\"source\":"
        "\"linux\","
        "\"events\":40,\"first\":\"1970-01-02T00:00:00Z\",\"last\":\"1970-01-02T00:00:00Z\","
        "\"seconds\":86400,\"reason\":\"x\"}],\"files\":[],\"events\":40,"
        "\"at\":\"1972-09-27T00:00:00Z\",\"by\":\"x\"}",
        /* not past its time */
        "{\"entry\":\"expire\",\"of\":[\"00000001.seg\"],\"into\":[],\"why\":[{\"source\":"
        "\"windows/Security\",\"events\":40,\"first\":\"1970-01-02T00:00:00Z\",\"last\":"
        "\"1972-09-26T12:00:00Z\",\"seconds\":86400,\"reason\":\"x\"}],\"files\":[],\"events\":40,"
        "\"at\":\"1972-09-27T00:00:00Z\",\"by\":\"x\"}",
        /* more events than it tells of */
        "{\"entry\":\"expire\",\"of\":[\"00000001.seg\"],\"into\":[],\"why\":[{\"source\":"
        "\"windows/Security\",\"events\":39,\"first\":\"1970-01-02T00:00:00Z\",\"last\":"
        "\"1970-01-02T00:00:00Z\",\"seconds\":86400,\"reason\":\"x\"}],\"files\":[],\"events\":39,"
        "\"at\":\"1972-09-27T00:00:00Z\",\"by\":\"x\"}",
    };
    static const char good[] =
        "{\"entry\":\"expire\",\"of\":[\"00000001.seg\"],\"into\":[],\"why\":[{\"source\":"
        "\"windows/Security\",\"events\":40,\"first\":\"1970-01-02T00:00:00Z\",\"last\":"
        "\"1970-01-02T00:00:00Z\",\"seconds\":86400,\"reason\":\"x\"}],\"files\":[],\"events\":40,"
        "\"at\":\"1972-09-27T00:00:00Z\",\"by\":\"x\"}";
    for (size_t i = 0; i <= sizeof entries / sizeof *entries; i++) {
        struct error err = {0};
        struct memory_io *m = folder_of(7);
        struct store *s = open_writer(m);
        bool unsure, bad = i < sizeof entries / sizeof *entries;
        retain(s, "windows", DAY);
        struct slice line = slice_str(bad ? entries[i] : good);
        assert_int_equal(journal_append(memory_io(m), s->journal_fd, &s->journal, &line, 1, s->key,
                                        &unsure, &err),
                         OK);
        store_close(s);
        s = store_open(memory_io(m), FOLDER, STORE_JOURNAL, NULL, &err);
        assert_int_equal(s == NULL, bad);
        store_close(s);
        memory_io_free(m);
    }
}

/* Every call fails once, with and without the power going: all or nothing, and again works. */
static void failures(void **state)
{
    (void)state;
    uint64_t seed = 11;
    for (int power = 0; power < 2; power++) {
        bool done = false;
        for (uint64_t at = 1; !done; at++) {
            struct memory_io *m = folder_of(9);
            struct expire_report report;
            struct store *s = open_writer(m);
            set_rules(s);
            if (power)
                m->dead_at = m->calls + at;
            else
                m->fail_at = m->calls + at;
            enum status status = expire(s, false, &report);
            done = m->calls < (power ? m->dead_at : m->fail_at);
            assert_true(status == OK || !done);
            bool unsure = s->broken;
            store_close(s);
            if (power)
                memory_io_lose_power(m, draw, &seed);
            m->fail_at = 0;
            bool there[FILES * EVENTS];
            read_events(m, there);
            bool expired = false;
            for (unsigned i = 0; i < FILES * EVENTS; i++)
                expired |= !there[i];
            if (!power && !unsure)
                assert_int_equal(expired, status == OK);
            assert_true(expired || status != OK);
            check_rest(m, 9, expired);
            s = open_writer(m);
            assert_int_equal(expire(s, false, &report), OK);
            store_close(s);
            check_rest(m, 9, true);
            assert_int_equal(count_wrong(m), 0);
            memory_io_free(m);
        }
    }
}

static void names(void **state)
{
    (void)state;
    const struct {
        struct event_kind kind;
        const char *name;
    } kinds[] = {
        {{.product = SLICE("windows"), .channel = SLICE("Security")}, "windows/Security"},
        {{.product = SLICE("zeek"), .service = SLICE("dns")}, "zeek/dns"},
        {{.product = SLICE("aws"), .category = SLICE("a"), .service = SLICE("b")}, "aws/a/b"},
        {{.channel = SLICE("x")}, "x"},
        {{.code = SLICE("1")}, "unknown"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct buf b = {0};
        source_name(&kinds[i].kind, &b);
        assert_true(slice_equal(buf_slice(&b), slice_str(kinds[i].name)));
        buf_free(&b);
    }
    struct memory_io *m = folder_of(1);
    struct store *s = open_writer(m);
    assert_null(retention_rule(s, SLICE("zeek/dns")));
    retain(s, "zeek", 5 * DAY);
    retain(s, "*", 9 * DAY);
    retain(s, "zeek/dns", 7 * DAY);
    assert_int_equal(retention_rule(s, SLICE("zeek/dns"))->period, 7 * DAY);
    assert_int_equal(retention_rule(s, SLICE("Zeek/DNS"))->period, 7 * DAY);
    assert_int_equal(retention_rule(s, SLICE("zeek/http"))->period, 5 * DAY);
    assert_int_equal(retention_rule(s, SLICE("zeeks"))->period, 9 * DAY);
    retain(s, "zeek/dns", INT64_MAX);
    assert_true(retention_rule(s, SLICE("zeek/dns"))->period == INT64_MAX);
    struct error err = {0};
    struct store_retain bad = {.source = SLICE("x"), .period = 9 * DAY, .at = 5};
    assert_int_equal(store_retain(s, &bad, &err), STATUS_BAD_USE); /* no reason */
    store_close(s);
    s = open_writer(m); /* and after it was read back */
    assert_true(retention_rule(s, SLICE("zeek/dns"))->period == INT64_MAX);
    assert_int_equal(retention_rule(s, SLICE("zeek/http"))->period, 5 * DAY);
    store_close(s);
    memory_io_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes), cmocka_unit_test(originals), cmocka_unit_test(holds),
        cmocka_unit_test(no_right),  cmocka_unit_test(failures),  cmocka_unit_test(names),
    };
    return cmocka_run_group_tests_name("retention", tests, NULL, NULL);
}
