/* Segments: what goes in comes out, exactly; what is not there is not found; damage is seen. */
#include "test.h"

#include "memory_io.h"

#include "base/text.h"
#include "store/segment.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define PATH "s/one.seg"

/* A small generator (xorshift64*), so that a failure comes again. */
static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return (uint32_t)((*seed * 0x2545f4914f6cdd1du) >> 33) % below;
}

/* All that a block says, as bytes: two blocks that say the same have the same. */
static void tell(const struct block *b, struct buf *out)
{
    const struct slice *kind = &b->kind.product;
    for (int i = 0; i < 6; i++)
        put_text(out, kind[i]);
    put_number(out, b->rows);
    for (uint32_t row = 0; row < b->rows; row++) {
        put_u64(out, (uint64_t)b->times[row]);
        put_u32(out, b->origins[row].input);
        put_u64(out, b->origins[row].record);
    }
    for (uint32_t i = 0; i < b->columns_n; i++) {
        const struct column *c = &b->columns[i];
        bool used = false;
        for (uint32_t row = 0; row < b->rows; row++)
            used |= column_id(c, row) != 0;
        if (!used)
            continue;
        put_text(out, c->name);
        for (uint32_t row = 0; row < b->rows; row++) {
            uint16_t id = column_id(c, row);
            put_number(out, id ? c->values[id].type + 1u : 0);
            if (id)
                put_text(out, slice_of(c->values[id].p, c->values[id].n));
        }
    }
}

/* A value of any type, sometimes one that does not fit its type. */
static struct value any_value(uint64_t *seed, struct arena *a, uint32_t range)
{
    static const char *const texts[] = {"10.1.2.3",
                                        "-",
                                        "::1",
                                        "fe80::1",
                                        "::ffff:10.1.2.3",
                                        "192.168.0.1",
                                        "",
                                        "007",
                                        "2026-11-10 10:23:41.123",
                                        "2026-02-30 10:23:41.123",
                                        "2026-11-10 10:23:41.12",
                                        "1969-11-10 10:23:41.123",
                                        "C:\\Windows\\cmd.exe"};
    char *p = arena_bytes(a, 64);
    uint64_t number = draw(seed, range);
    uint8_t type = (uint8_t)draw(seed, VALUE_TYPES);
    memcpy(p, &number, 8);
    memset(p + 8, (int)draw(seed, 256), 56);
    uint32_t sizes[VALUE_TYPES] = {0, 0, 0, 8, 8, 8, 8, 1, 16, 12, 8, 16, draw(seed, 40), 0};
    struct value v = {p, sizes[type], type};
    if (type == VALUE_TEXT && draw(seed, 3) == 0)
        return value_of_text(slice_str(texts[draw(seed, sizeof texts / sizeof *texts)]));
    if (type == VALUE_TEXT)
        v.n = (uint32_t)snprintf(p, 64, "User%c%u", "-_\xff "[draw(seed, 4)], draw(seed, range));
    if (type == VALUE_UTF16) {
        const char *text = texts[draw(seed, sizeof texts / sizeof *texts)];
        for (v.n = 0; *text; v.n += 2) {
            p[v.n] = *text++;
            p[v.n + 1] = 0;
        }
        if (draw(seed, 4) == 0) { /* a pair, half a pair, a NUL, half a unit */
            memcpy(p + v.n, "\x3d\xd8\x00\xde\x00\x00", 6);
            v.n += draw(seed, 7);
        }
    }
    if (type == VALUE_LIST) {
        struct buf list = {0};
        uint64_t one = draw(seed, range);
        value_list_add(&list,
                       value_of_text(slice_str(texts[draw(seed, sizeof texts / sizeof *texts)])));
        value_list_add(&list, (struct value){&one, 8, VALUE_UINT});
        v = value_of_list(&list);
        v.p = arena_copy(a, v.p, v.n);
        buf_free(&list);
    }
    if (draw(seed, 50) == 0 && v.n)
        v.n--;
    return v;
}

/* As Sysmon writes the time of an event, or any other. */
static size_t time_text(timestamp t, char text[TIMESTAMP_TEXT])
{
    timestamp_text(t == TIMESTAMP_NONE ? 12345 : t + 5000000, 3, text);
    text[10] = ' ';
    return strlen("2026-11-10 10:23:41.123");
}

static void put_field(struct block *b, const char *name, struct slice text)
{
    block_put(b, block_column(b, slice_str(name)), value_of_text(text));
}

static void any_event(uint64_t *seed, struct block_set *set, struct arena *a)
{
    static const char *const names[] = {"Image", "User", "EventID", "SourceIp", "x", "y", "z"};
    static const char *const codes[] = {"1", "3", "4624"};
    struct event_kind kind = {.product = SLICE("windows"),
                              .channel = SLICE("Security"),
                              .code = slice_str(codes[draw(seed, 3)])};
    static const int64_t units[] = {1, 100, 1000000000};
    timestamp time = draw(seed, 20) == 0 ? TIMESTAMP_NONE
                                         : (timestamp)(draw(seed, UINT32_MAX) - 1000000000LL) *
                                               units[draw(seed, 3)];
    struct block *b = block_set_open(set, &kind);
    assert_int_equal(
        block_row(b, time,
                  (struct origin){draw(seed, 3), (uint64_t)draw(seed, 100) << draw(seed, 60)},
                  NULL),
        OK);
    uint32_t n = draw(seed, 8);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t field = draw(seed, 7);
        struct value v = any_value(seed, a, field < 3 ? 5 : 1000000);
        if (field == 2)
            v = value_of_text(SLICE("constant"));
        block_put(b, block_column(b, slice_str(names[field])), v);
    }
    uint32_t group = draw(seed, 40); /* a field tells another, which may be missing */
    char text[TIMESTAMP_TEXT];
    if (group) /* that nothing is there tells too */
        put_field(b, "Sid", slice_of(text, (size_t)snprintf(text, sizeof text, "S-%u", group)));
    else
        put_field(b, "Name", SLICE("alone"));
    put_field(b, "UtcTime", slice_of(text, time_text(time, text)));
    if (group % 5)
        put_field(b, "Name", slice_of(text, (size_t)snprintf(text, sizeof text, "n%u", group / 3)));
}

/* Packs what a block set hands on, and remembers what it said. */
struct recorder {
    struct block_packer *packer;
    struct segment_writer *writer;
    struct buf *told; /* by block */
    uint32_t n;
    uint32_t base;
};

static enum status record(void *ctx, struct block *b, struct error *err)
{
    struct recorder *r = ctx;
    struct packed_block packed;
    r->told = xrealloc(r->told, r->n + 1, sizeof *r->told);
    r->told[r->n] = (struct buf){0};
    tell(b, &r->told[r->n++]);
    enum status status = block_pack(r->packer, b, r->base, &packed, err);
    return status == OK ? segment_writer_add(r->writer, &packed, err) : status;
}

static void recorder_free(struct recorder *r)
{
    for (uint32_t i = 0; i < r->n; i++)
        buf_free(&r->told[i]);
    free(r->told);
    block_packer_free(r->packer);
}

static struct segment_told make(const struct store_io *io, struct recorder *r, uint64_t seed,
                                uint32_t events)
{
    struct error err;
    struct arena a = {0};
    struct segment_told told;
    r->packer = block_packer_new();
    r->writer = segment_writer_new(io, PATH, &err);
    assert_non_null(r->writer);
    struct block_set *set = block_set_new((struct block_sink){record, r});
    for (uint32_t i = 0; i < events; i++) {
        any_event(&seed, set, &a);
        arena_reset(&a);
        if (i % 3000 == 2999)
            assert_int_equal(block_set_flush(set, &err), OK);
    }
    assert_int_equal(block_set_flush(set, &err), OK);
    assert_int_equal(segment_writer_finish(r->writer, &told, &err), OK);
    segment_writer_free(r->writer);
    block_set_free(set);
    arena_free(&a);
    assert_int_equal(told.events, events);
    return told;
}

static void round_trip(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct memory_io *m = memory_io_new();
        struct recorder r = {0};
        struct error err = {0};
        make(memory_io(m), &r, seed, (uint32_t)(seed * seed * 60));
        struct segment *s = segment_open(memory_io(m), PATH, &err);
        assert_non_null(s);
        assert_int_equal(s->blocks_n, r.n);
        struct segment_reader *reader = segment_reader_new(false);
        struct block *b = block_alone();
        for (uint32_t no = 0; no < s->blocks_n; no++) {
            struct buf again = {0};
            assert_int_equal(segment_read(s, reader, no, NULL, 0, b, &err), OK);
            tell(b, &again);
            assert_int_equal(again.n, r.told[no].n);
            assert_memory_equal(again.p, r.told[no].p, again.n);
            buf_free(&again);
        }
        assert_int_equal(segment_check(s, reader, &err), OK);
        block_free(b);
        segment_reader_free(reader);
        segment_close(s);
        recorder_free(&r);
        memory_io_free(m);
    }
}

/* Only what is asked for; texts are the same whether UTF-16 stays or not. */
static void some_columns(void **state)
{
    (void)state;
    struct memory_io *m = memory_io_new();
    struct recorder r = {.base = 7};
    struct error err = {0};
    make(memory_io(m), &r, 5, 4000);
    struct segment *s = segment_open(memory_io(m), PATH, &err);
    assert_non_null(s);
    struct segment_reader *exact = segment_reader_new(false), *text = segment_reader_new(true);
    struct block *b = block_alone(), *t = block_alone();
    const struct slice asked[] = {SLICE("User"), SLICE("no such field")};
    uint32_t compared = 0, followers = 0;
    for (uint32_t no = 0; no < s->blocks_n; no++) {
        assert_int_equal(segment_read(s, exact, no, NULL, 0, b, &err), OK);
        assert_int_equal(segment_read(s, text, no, asked, 2, t, &err), OK);
        assert_int_equal(t->columns_n,
                         stored_find(segment_block(s, text, no, &err), asked[0]) >= 0);
        const struct stored_block *told = segment_block(s, exact, no, &err);
        assert_non_null(told);
        int32_t sid = stored_find(told, SLICE("Sid")), name = stored_find(told, SLICE("Name"));
        assert_true(sid >= 0 && name >= 0);
        followers +=
            told->columns[name].rows == ROWS_FOLLOW && told->columns[name].leader == (uint32_t)sid;
        for (uint32_t row = 0; row < b->rows; row++) {
            assert_true(b->origins[row].input >= 7 && b->origins[row].input < 10);
            struct slice x = block_text(b, row, asked[0]), y = block_text(t, row, asked[0]);
            assert_true(slice_equal(x, y) && !x.p == !y.p);
            compared += x.n > 0;
        }
    }
    assert_true(compared > 500);
    assert_true(followers > 0);
    block_free(b);
    block_free(t);
    segment_reader_free(exact);
    segment_reader_free(text);
    segment_close(s);
    recorder_free(&r);
    memory_io_free(m);
}

/* Ranges hold for every value; filters and searches never miss. */
static void check_column(const struct segment *s, uint32_t no, struct block *b, uint32_t column,
                         const struct stored_column *c)
{
    bool *may = xcalloc(s->blocks_n, sizeof *may);
    for (uint32_t id = 1; id < b->columns[column].values_n; id++) {
        uint64_t keys[8];
        struct slice folded = column_folded(b, column, id);
        struct slice start = slice_sub(folded, 0, TEXT_RANGE);
        assert_true(slice_compare(start, c->text_least) >= 0);
        assert_true(slice_compare(start, c->text_most) <= 0);
        struct slice part = slice_sub(folded, 1, folded.n);
        part.n -= part.n > 0;
        for (int how = FILTER_EQUALS; how <= FILTER_CONTAINS; how++) {
            struct slice needle = how == FILTER_CONTAINS ? part : folded;
            size_t n = filter_needs(needle, (enum filter_search)how, keys, 8);
            memset(may, true, s->blocks_n);
            assert_int_equal(segment_filter(s, keys, n, may, NULL), OK);
            assert_true(may[no]);
        }
    }
    free(may);
}

static void nothing_missed(void **state)
{
    (void)state;
    struct memory_io *m = memory_io_new();
    struct recorder r = {0};
    struct error err = {0};
    make(memory_io(m), &r, 9, 700);
    struct segment *s = segment_open(memory_io(m), PATH, &err);
    assert_non_null(s);
    struct segment_reader *reader = segment_reader_new(true);
    struct block *b = block_alone();
    for (uint32_t no = 0; no < s->blocks_n; no++) {
        assert_int_equal(segment_read(s, reader, no, NULL, 0, b, &err), OK);
        const struct stored_block *told = segment_block(s, reader, no, &err);
        assert_non_null(told);
        for (uint32_t i = 0; i < b->columns_n; i++)
            check_column(s, no, b, i, &told->columns[stored_find(told, b->columns[i].name)]);
    }
    uint32_t wrong = 0, asked = 0;
    for (uint32_t i = 0; i < 3000; i++) {
        char text[32];
        uint64_t key =
            filter_key(slice_of(text, (size_t)snprintf(text, sizeof text, "absent%u", i)));
        bool may[16] = {true, true, true, true, true, true, true, true,
                        true, true, true, true, true, true, true, true};
        assert_in_range(s->blocks_n, 1, 16);
        assert_int_equal(segment_filter(s, &key, 1, may, &err), OK);
        for (uint32_t no = 0; no < s->blocks_n; no++, asked++)
            wrong += may[no];
    }
    assert_true(wrong * 40 < asked); /* under 2.5 % */
    block_free(b);
    segment_reader_free(reader);
    segment_close(s);
    recorder_free(&r);
    memory_io_free(m);
}

static void words(void **state)
{
    (void)state;
    uint64_t keys[8];
    struct slice url = SLICE("http://evil.example.com/a?ip=10.0.0.1.5");
    struct key_set set = {0};
    filter_add_value(&set, url);
    uint32_t buckets = filter_buckets(set.n);
    char bits[BUCKET_BYTES * 4];
    assert_in_range(buckets, 1, 4);
    filter_build(&set, buckets, bits);
    static const struct {
        const char *needle;
        enum filter_search how;
        size_t keys;
        bool found;
    } cases[] = {
        {"evil.example.com", FILTER_WORDS, 3, true},
        {"evil", FILTER_WORDS, 1, true},
        {"vil.example.co", FILTER_CONTAINS, 1, true},
        {"10.0.0.1", FILTER_WORDS, 1, true},
        {"0.0.1.5", FILTER_WORDS, 1, true},
        {"0.0.0.1", FILTER_WORDS, 1, false},
        {"=10.0.0.1.", FILTER_CONTAINS, 1, true},
        {"ip", FILTER_WORDS, 0, true},
        {"other", FILTER_WORDS, 1, false},
        {"http://evil", FILTER_STARTS, 1, true},
        {"http://evil", FILTER_EQUALS, 3, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = filter_needs(slice_str(cases[i].needle), cases[i].how, keys, 8);
        bool found = true;
        for (size_t k = 0; k < n; k++)
            found &=
                filter_has(bits + (size_t)filter_bucket(keys[k], buckets) * BUCKET_BYTES, keys[k]);
        assert_int_equal(n, cases[i].keys);
        assert_int_equal(found, cases[i].found);
    }
    key_set_free(&set);
}

/* Opens and reads everything there is; OK only when nothing is wrong. */
static enum status read_all(struct memory_io *m)
{
    struct error err = {0};
    struct segment *s = segment_open(memory_io(m), PATH, &err);
    if (!s)
        return err.status;
    struct segment_reader *reader = segment_reader_new(false);
    enum status status = segment_check(s, reader, &err);
    segment_reader_free(reader);
    segment_close(s);
    return status;
}

static void damage(void **state)
{
    (void)state;
    struct memory_io *m = memory_io_new();
    struct recorder r = {0};
    make(memory_io(m), &r, 3, 40);
    size_t n;
    char *bytes = memory_io_bytes(m, PATH, &n);
    char *whole = malloc(n);
    memcpy(whole, bytes, n);
    assert_int_equal(read_all(m), OK);
    for (size_t i = 0; i < n; i++) {
        bytes = memory_io_bytes(m, PATH, &n);
        bytes[i] = (char)(bytes[i] ^ 1 << i % 8);
        assert_int_equal(read_all(m), STATUS_BAD_INPUT);
        bytes[i] = (char)(bytes[i] ^ 1 << i % 8);
    }
    for (size_t shorter = 0; shorter < n; shorter++) {
        memory_io_put(m, PATH, whole, shorter);
        assert_int_equal(read_all(m), STATUS_BAD_INPUT);
    }
    free(whole);
    recorder_free(&r);
    memory_io_free(m);
}

/* A segment that can't be written is not left behind. */
static void full_disk(void **state)
{
    (void)state;
    for (uint64_t at = 1;; at++) {
        struct memory_io *m = memory_io_new();
        struct recorder r = {.packer = block_packer_new()};
        struct error err = {0};
        struct segment_told told;
        uint64_t seed = 4;
        struct arena a = {0};
        m->fail_at = at;
        enum status status = STATUS_SYSTEM;
        r.writer = segment_writer_new(memory_io(m), PATH, &err);
        struct block_set *set = block_set_new((struct block_sink){record, &r});
        if (r.writer) {
            for (int i = 0; i < 20; i++)
                any_event(&seed, set, &a);
            status = block_set_flush(set, &err);
            if (status == OK)
                status = segment_writer_finish(r.writer, &told, &err);
            segment_writer_free(r.writer);
        }
        bool done = m->calls < at;
        assert_int_equal(status, done ? OK : STATUS_SYSTEM);
        assert_int_equal(memory_io_path(m, 0) != NULL, done);
        block_set_free(set);
        arena_free(&a);
        recorder_free(&r);
        memory_io_free(m);
        if (done)
            break;
    }
}

static void addresses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is;
    } cases[] = {
        {"10.0.0.1", true},
        {"010.0.0.1", false},
        {"10.0.0", false},
        {"::1", true},
        {"::", true},
        {"2001:db8::1", true},
        {"2001:DB8::1", false},
        {"2001:0db8::1", false},
        {"::ffff:10.0.0.1", false},
        {"255.255.255.255", true},
        {"256.1.1.1", false},
        {"12:30:45", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t ip[16];
        char text[IP_TEXT];
        bool is = ip_from_text(slice_str(cases[i].text), ip);
        assert_int_equal(is, cases[i].is);
        if (is)
            assert_int_equal(ip_to_text(ip, text), strlen(cases[i].text));
        if (is)
            assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),     cmocka_unit_test(some_columns),
        cmocka_unit_test(nothing_missed), cmocka_unit_test(words),
        cmocka_unit_test(damage),         cmocka_unit_test(full_disk),
        cmocka_unit_test(addresses),
    };
    return cmocka_run_group_tests_name("segment", tests, NULL, NULL);
}
