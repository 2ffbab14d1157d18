/* The EVTX reader on damaged and hostile files: what can be read is, the rest is reported. */
#include "model/events.h"
#include "model/evtx_build.h"
#include "test.h"

#include <stdlib.h>
#include <time.h>

#define NOW 132000000000000000u

enum { CHUNK = BUILD_HEADER, FIRST = BUILD_HEADER + BUILD_RECORDS, RECORDS = 5 };

struct tested {
    struct evtx_build b;
    struct buf lines;
    struct problems *problems;
    size_t at[RECORDS + 1]; /* where records begin in the file; the last is their end */
    size_t n;               /* size of the file */
};

/* One record: <Event><System/><EventData><Data Name="n">number</Data></EventData></Event> */
static void record(struct evtx_build *b, uint32_t number)
{
    struct build_value value = {0x08, &number, sizeof number};
    build_record_begin(b, number, NOW);
    if (build_template(b, 1)) {
        build_open(b, "Event", false);
        build_close_start(b);
        build_system(b);
        build_open(b, "EventData", false);
        build_close_start(b);
        build_data(b, "n", 0, 8);
        build_end(b);
        build_end(b);
        build_template_end(b);
    }
    build_values(b, &value, 1);
    build_record_end(b);
}

/* A file of one chunk with records 1 to RECORDS. */
static int begin(void **state)
{
    struct tested *t = xcalloc(1, sizeof *t);
    t->problems = problems_new();
    build_begin(&t->b);
    for (uint32_t i = 0; i < RECORDS; i++) {
        t->at[i] = CHUNK + t->b.chunk.n;
        record(&t->b, i + 1);
    }
    t->at[RECORDS] = CHUNK + t->b.chunk.n;
    t->n = build_finish(&t->b).n;
    *state = t;
    return 0;
}

static int end(void **state)
{
    struct tested *t = *state;
    build_free(&t->b);
    buf_free(&t->lines);
    problems_free(t->problems);
    free(t);
    return 0;
}

static void run(struct tested *t, bool carve)
{
    struct reader_options options = {.carve = carve};
    buf_clear(&t->lines);
    events_lines(&evtx_reader, &options, slice_of(t->b.file.p, t->n), BATCH_BYTES, t->problems,
                 &t->lines);
}

static bool has(const struct tested *t, const char *text)
{
    return slice_find(buf_slice(&t->lines), slice_str(text)) >= 0;
}

/* The numbers of the records that came out, one digit each. */
static void assert_records(const struct tested *t, const char *numbers)
{
    size_t n = strlen(numbers);
    assert_int_equal(events_count(&t->lines), n);
    for (size_t i = 0; i < n; i++) {
        char want[32];
        snprintf(want, sizeof want, "{\"record\":%c,", numbers[i]);
        assert_true(slice_starts(events_nth(&t->lines, i), slice_str(want)));
    }
}

/* That a problem was reported, and where. */
static void assert_problem(const struct tested *t, uint64_t offset, const char *what)
{
    const struct problem *list;
    size_t n = problems_kept(t->problems, &list);
    for (size_t i = 0; i < n; i++)
        if (strstr(list[i].what, what) && list[i].offset == offset)
            return;
    for (size_t i = 0; i < n; i++)
        print_message("%llu: %s\n", (unsigned long long)list[i].offset, list[i].what);
    fail_msg("no problem \"%s\" at %llu", what, (unsigned long long)offset);
}

static void test_whole(void **state)
{
    struct tested *t = *state;
    run(t, true);
    assert_records(t, "12345");
    assert_int_equal(problems_total(t->problems), 0);
}

static void test_file_header(void **state)
{
    struct tested *t = *state;
    t->b.file.p[120] = 1; /* dirty, as every log that is copied while in use; not in the checksum */
    run(t, false);
    assert_int_equal(problems_total(t->problems), 0);
    t->b.file.p[16] = 77;
    run(t, false);
    assert_problem(t, 0, "the file header's checksum is wrong");
    memset(t->b.file.p, 0, BUILD_HEADER);
    run(t, false);
    assert_problem(t, 0, "the file header is damaged");
    assert_records(t, "12345");
}

/* Cut where a chunk ends, or within the header. */
static void test_missing_chunks(void **state)
{
    struct tested *t = *state;
    t->n = CHUNK;
    run(t, false);
    assert_problem(t, CHUNK, "of the 1 chunks that the file header counts, 1 are missing");
    t->n = 128;
    run(t, false);
    assert_problem(t, 128, "of the 1 chunks that the file header counts, 1 are missing");
}

/* A file of 40 chunks with one record each: more than one batch. */
static void forty_chunks(struct tested *t)
{
    build_begin(&t->b);
    for (uint32_t i = 1; i <= 40; i++) {
        if (i > 1)
            build_chunk_next(&t->b);
        record(&t->b, i);
    }
    t->n = build_finish(&t->b).n;
    problems_free(t->problems);
    t->problems = problems_new();
}

/* Takes `n` chunks out of the file from the one of that number, from 0, on. */
static void take_out(struct tested *t, size_t chunk, size_t n)
{
    char *from = t->b.file.p + CHUNK + chunk * BUILD_CHUNK;
    size_t bytes = n * BUILD_CHUNK;
    t->n -= bytes;
    memmove(from, from + bytes, t->n - CHUNK - chunk * BUILD_CHUNK);
}

static void test_missing_chunks_of_a_large_file(void **state)
{
    struct tested *t = *state;
    forty_chunks(t);
    run(t, false);
    assert_int_equal(events_count(&t->lines), 40);
    assert_int_equal(problems_total(t->problems), 0);
    t->n -= (size_t)BUILD_CHUNK * 3;
    run(t, false);
    assert_int_equal(events_count(&t->lines), 37);
    assert_int_equal(problems_total(t->problems), 1);
    assert_problem(t, t->n, "of the 40 chunks that the file header counts, 3 are missing");
    for (size_t chunk = 1; chunk < 38; chunk++) { /* wherever batches begin */
        forty_chunks(t);
        take_out(t, chunk, 2);
        run(t, false);
        assert_int_equal(events_count(&t->lines), 38);
        assert_int_equal(problems_total(t->problems), 2);
        char want[96];
        snprintf(want, sizeof want, "records %zu to %zu, which come before", chunk + 1, chunk + 2);
        assert_problem(t, CHUNK + chunk * BUILD_CHUNK, want);
        assert_problem(t, t->n, "of the 40 chunks that the file header counts, 2 are missing");
    }
}

/* A full log goes on at its first chunk, whose records are older. */
static void test_log_that_began_again(void **state)
{
    struct tested *t = *state;
    build_begin(&t->b);
    for (uint32_t i = 0; i < 40; i++) {
        if (i > 0)
            build_chunk_next(&t->b);
        record(&t->b, i < 17 ? i + 101 : i + 61);
    }
    t->n = build_finish(&t->b).n;
    run(t, false);
    assert_int_equal(events_count(&t->lines), 40);
    assert_int_equal(problems_total(t->problems), 0);
}

/* A file that begins with its first chunk. */
static void test_no_file_header(void **state)
{
    struct tested *t = *state;
    memmove(t->b.file.p, t->b.file.p + CHUNK, BUILD_CHUNK);
    t->n = BUILD_CHUNK;
    run(t, false);
    assert_records(t, "12345");
    assert_int_equal(problems_total(t->problems), 0);
}

static void test_checksums(void **state)
{
    struct tested *t = *state;
    t->b.file.p[CHUNK + 8] ^= 1;
    t->b.file.p[CHUNK + 52] ^= 1;
    run(t, false);
    assert_records(t, "12345");
    assert_problem(t, CHUNK, "the chunk header's checksum is wrong");
    assert_problem(t, CHUNK, "the checksum of the chunk's records is wrong");
}

static void test_zeroed_record(void **state)
{
    struct tested *t = *state;
    memset(t->b.file.p + t->at[2], 0, t->at[3] - t->at[2]);
    run(t, false);
    assert_records(t, "1245");
    assert_problem(t, t->at[2], "zeros where a record should be");
}

static void test_overwritten_record(void **state)
{
    struct tested *t = *state;
    memset(t->b.file.p + t->at[2], 'x', t->at[3] - t->at[2]);
    run(t, false);
    assert_records(t, "1245");
    assert_problem(t, t->at[2], "no record where one should be");
}

/* Only its header is gone: the BinXML is there still. */
static void test_record_header(void **state)
{
    struct tested *t = *state;
    memset(t->b.file.p + t->at[2], 0, 24);
    run(t, false);
    assert_int_equal(events_count(&t->lines), 5);
    assert_true(has(t, "\"n\":3}"));
    assert_problem(t, t->at[2], "a record is damaged or cut off");
}

static void test_record_size(void **state)
{
    struct tested *t = *state;
    t->b.file.p[t->at[1] + 4] ^= 0x10;     /* the size before */
    t->b.file.p[t->at[4] - 4] ^= 0x10;     /* the size behind */
    t->b.file.p[t->at[5] - 1] = (char)200; /* the last one's */
    run(t, false);
    assert_records(t, "12345");
    for (uint32_t i = 1; i < 5; i += i == 1 ? 2 : 1)
        assert_problem(t, t->at[i], "a record is damaged or cut off");
}

/* The file ends within record 4. Its value is not there any more, all the rest is. */
static void test_truncated(void **state)
{
    struct tested *t = *state;
    t->n = t->at[4] - 7;
    run(t, false);
    assert_records(t, "1234");
    assert_false(has(t, "\"n\":4"));
    assert_problem(t, t->n, "the file ends within a chunk");
    assert_problem(t, t->at[3], "a record is damaged or cut off");
    for (t->n = 0; t->n < t->at[5]; t->n++)
        run(t, true); /* any length at all */
}

static void test_no_chunk_header(void **state)
{
    struct tested *t = *state;
    memset(t->b.file.p + CHUNK, 'x', BUILD_RECORDS);
    run(t, false);
    assert_records(t, "12345");
    assert_problem(t, CHUNK, "no chunk header where one should be");
    memset(t->b.file.p + t->at[2], 'x', 4); /* and a hole between its records */
    run(t, false);
    assert_int_equal(events_count(&t->lines), 5);
    assert_problem(t, t->at[2], "a record is damaged or cut off");
}

static void test_end_of_records(void **state)
{
    struct tested *t = *state;
    memcpy(t->b.file.p + CHUNK + 48, "\xff\xff\xff\xff", 4);
    run(t, false);
    assert_records(t, "12345");
    assert_problem(t, CHUNK + 48, "the chunk's end of records lies outside of it");
}

/* The header is older than the records: those that go on with the numbers belong to it. */
static void test_stale_header(void **state)
{
    struct tested *t = *state;
    uint32_t records_end = (uint32_t)(t->at[2] - CHUNK);
    memcpy(t->b.file.p + CHUNK + 48, &records_end, sizeof records_end);
    t->b.file.p[t->at[4] + 8] = 9;
    build_mend(t->b.file.p, t->n);
    run(t, false);
    assert_records(t, "1234");
    assert_int_equal(problems_total(t->problems), 0);
    run(t, true); /* what has another number is left from earlier */
    assert_records(t, "12349");
}

static void test_carve(void **state)
{
    struct tested *t = *state;
    uint32_t records_end = (uint32_t)(t->at[1] - CHUNK);
    memcpy(t->b.file.p + CHUNK + 48, &records_end, sizeof records_end);
    memset(t->b.file.p + t->at[1], 'x', 24); /* the next one's header is overwritten */
    build_mend(t->b.file.p, t->n);
    run(t, false);
    assert_records(t, "1");
    run(t, true);
    assert_records(t, "1345");
    assert_int_equal(problems_total(t->problems), 0);
}

/* The template's definition is gone: the values are what is left. */
static void test_lost_template(void **state)
{
    struct tested *t = *state;
    memset(t->b.file.p + t->at[0], 0, t->at[1] - t->at[0]);
    run(t, false);
    assert_records(t, "2345");
    assert_true(has(t, "\"code\":\"\",\"fields\":{\"Data\":2}"));
    assert_problem(t, t->at[0] + 38, "its template is not where it should be");
}

/* The same, where the values are those that Windows begins every event with. */
static void test_lost_windows_template(void **state)
{
    struct tested *t = *state;
    struct evtx_build *b = &t->b;
    const uint64_t time = NOW, number = 77;
    const struct build_value values[] = {
        {0x04, "\x04", 1},       {0x04, "\0", 1},
        {0x06, "\x01\0", 2},     {0x06, "\x10\x12", 2},
        {0x00, "", 0},           {0x15, &time, 8},
        {0x11, &time, 8},        {0x00, "", 0},
        {0x08, "\x05\0\0\0", 4}, {0x08, "\x06\0\0\0", 4},
        {0x0a, &number, 8},      {0x04, "\0", 1},
        {0x00, "", 0},           {0x00, "", 0},
        {0x01, u"Prov", 8},      {0x0f, "0123456789abcdef", 16},
        {0x01, u"Chan", 8},      {0x01, u"x", 2},
    };
    build_begin(b);
    build_record_begin(b, 1, NOW);
    size_t at = b->chunk.n + 10;
    if (build_template(b, 1))
        build_template_end(b);
    build_values(b, values, sizeof values / sizeof *values);
    build_record_end(b);
    memset(b->chunk.p + at + 4, 'x', 4); /* the id within the GUID */
    t->n = build_finish(b).n;
    run(t, false);
    assert_slice(events_nth(&t->lines, 0),
                 "{\"record\":77,\"time\":\"2019-04-17T18:40:00.0000000Z\",\"channel\":\"Chan\","
                 "\"provider\":\"Prov\",\"code\":\"4624\",\"fields\":{\"Level\":4,\"Opcode\":0,"
                 "\"Task\":1,\"EventID\":4624,\"Keywords\":\"0x1d4f54cf65a0000\","
                 "\"Execution_ProcessID\":5,\"Execution_ThreadID\":6,\"Version\":0,"
                 "\"Provider_Name\":\"Prov\","
                 "\"Provider_Guid\":\"{33323130-3534-3736-3839-616263646566}\","
                 "\"Channel\":\"Chan\",\"Data\":\"x\"}}");
    assert_problem(t, CHUNK + at, "its template is not where it should be");
}

/* The definition breaks off in the middle: what stands before that is known. */
static void test_damaged_template(void **state)
{
    struct tested *t = *state;
    struct slice file = slice_of(t->b.file.p, t->n);
    ptrdiff_t at = slice_find(file, slice_of("E\0v\0e\0n\0t\0D\0a\0t\0a", 17));
    assert_true(at > 0);
    t->b.file.p[at + 20] = 0x3f; /* the token behind the name */
    run(t, false);
    assert_records(t, "12345");
    assert_true(has(t, "\"code\":\"7\""));
    assert_problem(t, t->at[0] + 38, "its template is damaged");
}

/* Bytes are missing, so the second chunk does not stand where it should. */
static void test_moved_chunk(void **state)
{
    struct tested *t = *state;
    build_begin(&t->b);
    for (uint32_t i = 1; i <= 9; i++) {
        record(&t->b, i);
        if (i < 9)
            build_chunk_next(&t->b);
    }
    size_t n = build_finish(&t->b).n;
    for (size_t lost = 1; lost < 70000; lost += 9999) {
        t->n = n - lost;
        size_t at = CHUNK + BUILD_CHUNK - 300;
        memmove(t->b.file.p + at, t->b.file.p + at + lost, t->n - at);
        run(t, false);
        assert_true(events_count(&t->lines) >= 7);
        build_begin(&t->b);
        for (uint32_t i = 1; i <= 9; i++) {
            record(&t->b, i);
            if (i < 9)
                build_chunk_next(&t->b);
        }
        build_finish(&t->b);
    }
}

static void test_unused_chunk(void **state)
{
    struct tested *t = *state;
    build_begin(&t->b);
    build_chunk_next(&t->b);
    record(&t->b, 1);
    t->n = build_finish(&t->b).n;
    memset(t->b.file.p + CHUNK, 0, BUILD_CHUNK);
    run(t, true);
    assert_records(t, "1");
    assert_int_equal(problems_total(t->problems), 1);
    assert_problem(t, CHUNK, "zeros where a chunk should be");
    memset(buf_room(&t->b.file, BUILD_CHUNK), 0, BUILD_CHUNK); /* behind those that are counted */
    t->n += BUILD_CHUNK;
    run(t, true);
    assert_records(t, "1");
    assert_int_equal(problems_total(t->problems), 2); /* the same again */
}

/* ---- hostile files: time and memory stay bounded ---- */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* One chunk that unfolds: a template of as many fields as fit, and as many records as fit. */
static void test_unfolding(void **state)
{
    struct tested *t = *state;
    struct evtx_build *b = &t->b;
    build_begin(b);
    for (uint32_t number = 1; b->chunk.n < BUILD_CHUNK - 100; number++) {
        build_record_begin(b, number, NOW);
        if (build_template(b, 1)) {
            build_open(b, "Event", false);
            build_close_start(b);
            while (b->chunk.n < 30000)
                build_element_sub(b, "Data", 0, 0x84);
            build_end(b);
            build_template_end(b);
        }
        build_values(b, &(struct build_value){0x84, "0123456789", 10}, 1);
        build_record_end(b);
    }
    t->n = build_finish(b).n;
    double start = seconds();
    run(t, false);
    assert_true(seconds() - start < 20);
    assert_true(t->lines.n < 64 << 20);
    const struct problem *list;
    assert_true(problems_kept(t->problems, &list) > 0);
    assert_non_null(strstr(list[0].what, "more than any real one"));
}

/* A definition that is a template instance of itself, and BinXML in BinXML without end. */
static void test_recursion(void **state)
{
    struct tested *t = *state;
    struct evtx_build *b = &t->b;
    build_begin(b);
    build_record_begin(b, 1, NOW);
    build_template(b, 11);
    build_template(b, 11);
    build_values(b, NULL, 0);
    build_template_end(b);
    build_values(b, NULL, 0);
    build_record_end(b);
    build_record_begin(b, 2, NOW);
    for (unsigned i = 0; i < 60; i++) {
        if (build_template(b, 12)) {
            build_sub(b, 0, 0x21, false);
            build_sub(b, 0, 0x21, false); /* twice: two to the power of its depth */
            build_template_end(b);
        }
        uint16_t size = (uint16_t)((60 - i) * 24);
        build_raw(b, "\x01\0\0\0", 4);
        build_raw(b, &size, sizeof size);
        build_raw(b, "\x21", 2);
    }
    build_record_end(b);
    build_record_begin(b, 3, NOW);
    for (unsigned i = 0; i < 1000; i++) {
        build_open(b, "Deep", false);
        build_close_start(b);
    }
    build_record_end(b);
    record(b, 4);
    t->n = build_finish(b).n;
    double start = seconds();
    run(t, true);
    assert_true(seconds() - start < 20);
    assert_true(has(t, "\"n\":4}"));
    assert_int_equal(problems_total(t->problems), 3);
}

/* Names that point at each other's middle, each as long as may be, put together in attributes. */
static void test_long_names(void **state)
{
    struct tested *t = *state;
    struct evtx_build *b = &t->b;
    build_begin(b);
    build_record_begin(b, 1, NOW);
    build_template(b, 1);
    build_open(b, "Event", true);
    for (uint32_t i = 0; b->chunk.n < 30000; i++) {
        uint32_t at = 40000 + i % 64;
        build_raw(b, "\x06", 1);
        build_raw(b, &at, sizeof at);
    }
    build_close_empty(b);
    build_template_end(b);
    build_values(b, NULL, 0);
    build_record_end(b);
    while (b->chunk.n < BUILD_CHUNK - 600)
        build_raw(b, "0123", 2); /* as a length: 12592 characters */
    t->n = build_finish(b).n;
    double start = seconds();
    run(t, false);
    assert_true(seconds() - start < 20);
}

/* Bytes changed at random, over and over: no crash, and sound chunks are not touched by it. */
static void test_random(void **state)
{
    struct tested *t = *state;
    srand(1); // NOLINT(cert-msc32-c,cert-msc51-cpp): the same every time
    struct buf whole = {0};
    buf_add(&whole, buf_slice(&t->b.file));
    for (int round = 0; round < 400; round++) {
        memcpy(t->b.file.p, whole.p, t->n);
        for (int i = 0; i <= round % 7; i++) {
            size_t at =
                FIRST + (size_t)rand() % (t->at[5] - FIRST); // NOLINT(cert-msc30-c,cert-msc50-cpp)
            t->b.file.p[at] = (char)rand();                  // NOLINT(cert-msc30-c,cert-msc50-cpp)
        }
        run(t, round & 1);
        assert_true(events_count(&t->lines) <= 64);
    }
    buf_free(&whole);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(test_whole),
        TEST(test_file_header),
        TEST(test_missing_chunks),
        TEST(test_missing_chunks_of_a_large_file),
        TEST(test_log_that_began_again),
        TEST(test_no_file_header),
        TEST(test_checksums),
        TEST(test_zeroed_record),
        TEST(test_overwritten_record),
        TEST(test_record_header),
        TEST(test_record_size),
        TEST(test_truncated),
        TEST(test_no_chunk_header),
        TEST(test_end_of_records),
        TEST(test_stale_header),
        TEST(test_carve),
        TEST(test_lost_template),
        TEST(test_lost_windows_template),
        TEST(test_damaged_template),
        TEST(test_moved_chunk),
        TEST(test_unused_chunk),
        TEST(test_unfolding),
        TEST(test_recursion),
        TEST(test_long_names),
        TEST(test_random),
    };
    return cmocka_run_group_tests_name("evtx_damage", tests, NULL, NULL);
}
