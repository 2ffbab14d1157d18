/*
 * The catalogue tells what the segments hold, whether its file is there, old, damaged or forged; and
 * silences are found by a source's own rhythm.
 */
#include "test.h"

#include "memory_io.h"

#include "store/catalogue.h"
#include "store/status.h"
#include "store/verify.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#define FOLDER "data"
#define FILE_PATH FOLDER "/" CATALOGUE_NAME
#define HOUR (INT64_C(3600) * NS_PER_SECOND)

enum { SOURCES = 3, HOSTS = 4, EVENTS = 200 };

static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return (uint32_t)((*seed * 0x2545f4914f6cdd1du) >> 33) % below;
}

/* What was taken in, counted plainly. */
struct counted {
    uint64_t events;
    timestamp first, last;
};
static struct counted model[SOURCES][HOSTS];

static void take_in(struct store *s, uint64_t *seed)
{
    static const char *const hosts[HOSTS] = {"", "pc01", "PC01", "dc.example.jp"};
    static const char *const fields[] = {"Computer", "host.name"};
    struct error err = {0};
    assert_int_equal(store_begin(s, &err), OK);
    struct store_sink *sink = store_sink_new(s);
    struct block_set *set = block_set_new((struct block_sink){store_take, sink});
    for (unsigned i = 0; i < EVENTS; i++) {
        unsigned source = draw(seed, SOURCES), host = draw(seed, HOSTS);
        char channel[16], code[16];
        snprintf(channel, sizeof channel, "log%u", source);
        snprintf(code, sizeof code, "%u", draw(seed, 3));
        struct event_kind kind = {
            .product = SLICE("windows"), .channel = slice_str(channel), .code = slice_str(code)};
        timestamp t =
            draw(seed, 9) ? (timestamp)draw(seed, 5000) * HOUR / 7 - 100 * HOUR : TIMESTAMP_NONE;
        struct block *b = block_set_open(set, &kind);
        assert_int_equal(block_row(b, t, (struct origin){0, i}, &err), OK);
        if (host)
            block_put(b, block_column(b, slice_str(fields[draw(seed, 2)])),
                      value_of_text(slice_str(hosts[host])));
        struct counted *c = &model[source][host];
        if (t != TIMESTAMP_NONE && (c->first == TIMESTAMP_NONE || t < c->first))
            c->first = t;
        if (t != TIMESTAMP_NONE && (c->last == TIMESTAMP_NONE || t > c->last))
            c->last = t;
        c->events++;
    }
    assert_int_equal(block_set_flush(set, &err), OK);
    block_set_free(set);
    store_sink_free(sink);
    struct store_file file = {.name = SLICE("log"), .by = SLICE("u@h"), .taken = 1, .modified = 1};
    sha256(slice_of(seed, sizeof *seed), &file.sha256);
    struct store_input input = {.name = SLICE("log"), .format = SLICE("test"), .events = EVENTS};
    file.inputs = &input;
    file.inputs_n = 1;
    assert_int_equal(store_commit(s, &file, 1, &err), OK);
}

static struct store *open_folder(struct memory_io *m, enum store_mode mode)
{
    struct error err = {0};
    struct store *s = store_open(memory_io(m), FOLDER, mode, NULL, &err);
    if (!s)
        print_message("# %s: %s\n", err.where, err.what);
    assert_non_null(s);
    return s;
}

static struct memory_io *folder_of(unsigned intakes, uint64_t *seed)
{
    struct memory_io *m = memory_io_new();
    struct error err = {0};
    for (unsigned i = 0; i < SOURCES; i++)
        for (unsigned k = 0; k < HOSTS; k++)
            model[i][k] = (struct counted){0, TIMESTAMP_NONE, TIMESTAMP_NONE};
    assert_int_equal(store_init(memory_io(m), FOLDER, NULL, 1, &err), OK);
    struct store *s = open_folder(m, STORE_WRITE);
    for (unsigned i = 0; i < intakes; i++)
        take_in(s, seed);
    store_close(s);
    return m;
}

/* What the folder's status tells is what was counted. Returns how many segments had to be read. */
static size_t check_status(struct memory_io *m, bool damaged)
{
    struct error err = {0};
    struct arena a = {0};
    struct store_status st;
    struct store *s = open_folder(m, STORE_JOURNAL);
    assert_int_equal(store_status(s, INT64_MAX / 2, &a, &st, &err), OK);
    assert_int_equal(st.damaged, damaged);
    assert_int_equal(st.sources_n, SOURCES);
    assert_int_equal(st.hosts_n, HOSTS);
    uint64_t all = 0;
    for (unsigned i = 0; i < SOURCES; i++) {
        char name[32];
        snprintf(name, sizeof name, "windows/log%u", i);
        assert_true(slice_equal(st.sources[i].source, slice_str(name)));
        assert_int_equal(st.sources[i].hosts_n, HOSTS);
        /* in the order of bytes: "", "PC01", "dc.example.jp", "pc01" */
        static const unsigned order[HOSTS] = {0, 2, 3, 1};
        for (unsigned k = 0; k < HOSTS; k++) {
            const struct status_host *h = &st.sources[i].hosts[k];
            const struct counted *c = &model[i][order[k]];
            assert_int_equal(h->events, c->events);
            assert_true(h->first == c->first && h->last == c->last);
            all += h->events;
        }
    }
    assert_int_equal(st.events, all);
    size_t read = st.read;
    arena_free(&a);
    store_close(s);
    return read;
}

static void say_nothing(void *ctx, const struct error *what)
{
    (void)ctx;
    (void)what;
}

static uint64_t count_wrong(struct memory_io *m)
{
    struct verify_counts counts;
    struct arena a = {0};
    struct error err;
    const struct verify_options plain = {0};
    assert_int_equal(
        store_verify(memory_io(m), FOLDER, &plain, say_nothing, NULL, &a, &counts, &err), OK);
    arena_free(&a);
    return counts.wrong;
}

static void file_or_none(void **state)
{
    (void)state;
    uint64_t seed = 3;
    size_t n;
    struct error err = {0};
    struct memory_io *m = folder_of(3, &seed);
    assert_int_equal(check_status(m, false), 0);
    assert_int_equal(count_wrong(m), 0);
    /* an older one: of it what is still true is taken */
    char *bytes = memory_io_bytes(m, FILE_PATH, &n);
    struct buf old = {0};
    buf_add(&old, slice_of(bytes, n));
    struct store *s = open_folder(m, STORE_WRITE);
    for (int i = 0; i < 4; i++)
        take_in(s, &seed);
    store_close(s);
    assert_int_equal(check_status(m, false), 0);
    memory_io_put(m, FILE_PATH, old.p, old.n);
    assert_int_equal(check_status(m, false), 4);
    assert_int_equal(count_wrong(m), 0);
    /* merged segments are gone from it */
    s = open_folder(m, STORE_WRITE);
    take_in(s, &seed);
    assert_int_equal(store_merge(s, &err), OK);
    store_close(s);
    assert_int_equal(check_status(m, false), 0);
    memory_io_put(m, FILE_PATH, old.p, old.n);
    assert_int_equal(check_status(m, false), 1);
    /* none at all; a writer that changes nothing leaves it so, rebuild makes it */
    assert_int_equal(memory_io(m)->unlink(m, FILE_PATH), 0);
    assert_int_equal(check_status(m, false), 1);
    s = open_folder(m, STORE_WRITE);
    assert_int_equal(catalogue_rebuild(s, &err), OK);
    store_close(s);
    assert_int_equal(check_status(m, false), 0);
    assert_int_equal(count_wrong(m), 0);
    buf_free(&old);
    memory_io_free(m);
}

static void damaged(void **state)
{
    (void)state;
    uint64_t seed = 5;
    struct memory_io *m = folder_of(2, &seed);
    size_t n;
    char *bytes = memory_io_bytes(m, FILE_PATH, &n);
    for (size_t i = 0; i < n; i += 577) {
        bytes[i] ^= 4;
        assert_int_equal(check_status(m, true), 2);
        assert_int_equal(count_wrong(m), 1);
        bytes[i] ^= 4;
    }
    for (size_t cut = 0; cut < n; cut += 991) {
        struct buf kept = {0};
        buf_add(&kept, slice_of(bytes, n));
        memory_io_put(m, FILE_PATH, kept.p, cut);
        assert_int_equal(check_status(m, true), 2);
        assert_int_equal(count_wrong(m), 1);
        memory_io_put(m, FILE_PATH, kept.p, n);
        bytes = memory_io_bytes(m, FILE_PATH, &n);
        buf_free(&kept);
    }
    assert_int_equal(check_status(m, false), 0);
    memory_io_free(m);
}

/* Puts a changed database in its place, with the right hash behind it. */
static void forge(struct memory_io *m, const char *change)
{
    size_t n;
    sqlite3_int64 size;
    char *bytes = memory_io_bytes(m, FILE_PATH, &n);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    unsigned char *copy = sqlite3_malloc64(n);
    memcpy(copy, bytes, n - HASH_BYTES);
    assert_int_equal(
        sqlite3_deserialize(db, "main", copy, (sqlite3_int64)n - HASH_BYTES, (sqlite3_int64)n,
                            SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE),
        SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, change, NULL, NULL, NULL), SQLITE_OK);
    unsigned char *changed = sqlite3_serialize(db, "main", &size, 0);
    struct buf all = {0};
    struct hash hash;
    buf_add(&all, slice_of(changed, (size_t)size));
    sha256(buf_slice(&all), &hash);
    buf_add(&all, slice_of(hash.bytes, HASH_BYTES));
    memory_io_put(m, FILE_PATH, all.p, all.n);
    buf_free(&all);
    sqlite3_free(changed);
    sqlite3_close(db);
}

static void forged(void **state)
{
    (void)state;
    static const char *const changes[] = {
        "UPDATE part SET events = events + 1 WHERE rowid = 3",
        "UPDATE part SET host = 'nobody' WHERE rowid = 3",
        "UPDATE part SET last = last + 1 WHERE rowid = 3",
        "UPDATE part SET hours = x'00' WHERE rowid = 3",
        "DELETE FROM part WHERE rowid = 3",
        "INSERT INTO part SELECT segment, source, 'new', 1, 1, NULL, NULL, x'' FROM part LIMIT 1",
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        uint64_t seed = 7;
        struct memory_io *m = folder_of(2, &seed);
        forge(m, "UPDATE part SET events = events");
        assert_int_equal(count_wrong(m), 0);
        forge(m, changes[i]);
        assert_int_equal(count_wrong(m), 1);
        forge(m, "UPDATE about SET format = 99"); /* another version's: not used */
        assert_int_equal(check_status(m, false), 2);
        memory_io_free(m);
    }
}

static void hours(void **state)
{
    (void)state;
    static const struct {
        const char *packed;
        size_t packed_n;
        int32_t hours[8];
        int n; /* -1: damaged */
    } cases[] = {
        {"", 0, {0}, 0},
        {"\x00\x01", 2, {0}, 1},
        {"\x05\x02\x02\x01", 4, {-3, -2, 0}, 3},
        {"\x14\x03", 2, {10, 11, 12}, 3},
        {"\x14", 1, {0}, -1},
        {"\xff\xff\xff\xff\x7f\x01", 6, {0}, -1},
        {"\x14\x03\x05\x01", 4, {0}, -1}, /* back */
        {"\x00\xff\xff\xff\xff\x7f", 6, {0}, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int32_t *list = NULL;
        size_t n = 0, cap = 0;
        bool good = catalogue_hours(slice_of(cases[i].packed, cases[i].packed_n), &list, &n, &cap);
        assert_int_equal(good, cases[i].n >= 0);
        if (good) {
            assert_int_equal(n, cases[i].n);
            for (size_t k = 0; k < n; k++)
                assert_int_equal(list[k], cases[i].hours[k]);
        }
        free(list);
    }
}

/* Hours in which a source of some kind is active, but for those of [hole, hole_end). */
static size_t make_hours(int32_t *out, int32_t weeks, bool office, int32_t hole, int32_t hole_end)
{
    size_t n = 0;
    for (int32_t hour = 0; hour < weeks * 168; hour++) {
        int32_t day = hour / 24 % 7, of_day = hour % 24;
        if ((office && (day > 4 || of_day < 8 || of_day >= 18)) ||
            (hour >= hole && hour < hole_end))
            continue;
        out[n++] = 400000 / 168 * 168 + hour;
    }
    return n;
}

static void silences(void **state)
{
    (void)state;
    enum { BASE = 400000 / 168 * 168 };
    static int32_t list[20 * 168];
    static const struct {
        int32_t weeks;
        bool office;
        int32_t hole, hole_end, end; /* end: hours after the last of the weeks */
        int32_t from, to;            /* what is found; 0: nothing */
    } cases[] = {
        {8, false, 0, 0, 0, 0, 0},
        {8, false, 500, 502, 0, 0, 0},     /* two hours may be */
        {8, false, 500, 507, 0, 500, 507}, /* seven may not */
        {8, false, 0, 0, 12, 1344, 1356},  /* and it lasts */
        {8, true, 0, 0, 0, 0, 0},          /* nights and weekends are usual */
        {8, true, 4 * 168 + 48, 4 * 168 + 72, 0, 4 * 168 + 42,
         4 * 168 + 80},                /* a Wednesday is not */
        {8, true, 0, 0, 40, 0, 0},     /* the last weekend */
        {8, true, 0, 0, 90, 1290, 0},  /* the days after it */
        {1, false, 70, 90, 0, 70, 90}, /* known for a week: by the hour of the day */
        {1, false, 70, 74, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct silence found[4];
        int32_t end = BASE + cases[i].weeks * 168 + cases[i].end;
        size_t n =
            make_hours(list, cases[i].weeks, cases[i].office, cases[i].hole, cases[i].hole_end);
        if (cases[i].office && !cases[i].end)
            end = list[n - 1] + 1; /* it ends on a Friday evening */
        if (cases[i].office && cases[i].end)
            end = list[n - 1] + 7 + cases[i].end;
        size_t silent = find_silences(list, n, end, found, 4);
        if (silent != (cases[i].from > 0))
            print_message("# case %zu\n", i);
        assert_int_equal(silent, cases[i].from > 0);
        if (!silent)
            continue;
        assert_int_equal(found[0].from, BASE + cases[i].from);
        assert_int_equal(found[0].lasts, cases[i].end > 0);
        assert_int_equal(found[0].to, cases[i].end ? end : BASE + cases[i].to);
    }
    assert_int_equal(find_silences(list, RHYTHM_LEAST - 1, BASE * 2, (struct silence[1]){0}, 1), 0);
}

/* A source that is active by chance has no silences that chance does not explain; the least likely of
 * many come first. */
static void chance(void **state)
{
    (void)state;
    static int32_t list[3000];
    uint64_t seed = 9;
    struct silence found[3];
    for (uint32_t one_in = 2; one_in < 12; one_in++) {
        size_t n = 0;
        for (int32_t hour = 0; hour < 3000; hour++)
            if (draw(&seed, one_in) == 0)
                list[n++] = hour;
        assert_int_equal(find_silences(list, n, list[n - 1] + 1, found, 3), 0);
    }
    size_t n = 0;
    for (int32_t hour = 0; hour < 3000; hour++)
        if (hour % 400 > 30 + hour / 400)
            list[n++] = hour;
    assert_int_equal(find_silences(list, n, list[n - 1] + 1, found, 3), 7);
    assert_true(found[0].odds <= found[1].odds && found[1].odds <= found[2].odds);
}

/* An event that is dated ahead makes nobody silent; a host that ended early is, to the newest event. */
static void future(void **state)
{
    (void)state;
    enum { HOURS = 500, EARLY = 400 };
    struct error err = {0};
    struct arena a = {0};
    struct store_status st;
    struct memory_io *m = memory_io_new();
    assert_int_equal(store_init(memory_io(m), FOLDER, NULL, 1, &err), OK);
    struct store *s = open_folder(m, STORE_WRITE);
    assert_int_equal(store_begin(s, &err), OK);
    struct store_sink *sink = store_sink_new(s);
    struct block_set *set = block_set_new((struct block_sink){store_take, sink});
    const struct event_kind kind = {.product = SLICE("windows"), .channel = SLICE("Security")};
    for (int64_t hour = 0; hour <= HOURS; hour++)
        for (unsigned host = 0; host < 2; host++) {
            timestamp t = (hour == HOURS ? 1000000 : hour) * HOUR;
            if (host && hour >= EARLY)
                continue;
            struct block *b = block_set_open(set, &kind);
            assert_int_equal(block_row(b, t, (struct origin){0}, &err), OK);
            block_put(b, block_column(b, SLICE("Computer")),
                      value_of_text(host ? SLICE("b") : SLICE("a")));
        }
    assert_int_equal(block_set_flush(set, &err), OK);
    block_set_free(set);
    store_sink_free(sink);
    assert_int_equal(store_commit(s, NULL, 0, &err), OK);
    assert_int_equal(store_status(s, 90000 * HOUR, &a, &st, &err), OK);
    assert_int_equal(st.sources_n, 1);
    assert_int_equal(st.sources[0].hosts_n, 2);
    assert_int_equal(st.sources[0].hosts[0].silences_n, 0);
    assert_int_equal(st.sources[0].hosts[1].silences_n, 1);
    const struct silence *gap = st.sources[0].hosts[1].silences;
    assert_true(gap->lasts && gap->from == EARLY && gap->to == HOURS);
    arena_free(&a);
    store_close(s);
    memory_io_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_or_none), cmocka_unit_test(damaged),  cmocka_unit_test(forged),
        cmocka_unit_test(hours),        cmocka_unit_test(silences), cmocka_unit_test(chance),
        cmocka_unit_test(future),
    };
    return cmocka_run_group_tests_name("catalogue", tests, NULL, NULL);
}
