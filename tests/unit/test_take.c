/*
 * Taking in, into a data folder in memory: whatever call of its file system fails, and wherever the
 * power goes, what was acknowledged is there, nothing is there twice, and the same again brings the rest.
 */
#include "test.h"

#include "memory_io.h"

#include "base/map.h"
#include "intake/take.h"
#include "store/verify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FOLDER "data"

/* Three logs: the second is the first grown, so that it needs a transaction of its own; the third has
 * some records of another log of Windows twice over. */
enum { LOGS = 3, LINES = 12, GROWN = 20, RECORDS = 9, ALL = GROWN + RECORDS };

struct test {
    char folder[64];
    char paths[LOGS][128];
    struct problems *problems;
    struct inputs *inputs;
    bool acknowledged[LOGS];
    uint64_t told_events;
};

static void write_lines(FILE *out, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        fprintf(
            out,
            "{\"@timestamp\":\"2026-11-10T01:00:%02uZ\",\"id\":\"line %u\",\"message\":\"a log of "
            "lines, long enough to be known by its head\"}\n",
            i, i);
}

static void write_records(FILE *out, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        fprintf(out,
                "{\"Event\":{\"System\":{\"Provider\":{\"#attributes\":{\"Name\":\"Test\"}},"
                "\"EventID\":1,\"TimeCreated\":{\"#attributes\":{\"SystemTime\":"
                "\"2026-11-10T01:00:%02uZ\"}},\"EventRecordID\":%u,\"Channel\":\"Test\","
                "\"Computer\":\"PC1\"},\"EventData\":{\"id\":\"record %u\"}}}\n",
                i, i + 1, i);
}

static int set_up(void **state)
{
    static struct test t;
    snprintf(t.folder, sizeof t.folder, "/tmp/hikeshi-take-XXXXXX");
    if (!mkdtemp(t.folder))
        return -1;
    const char *paths[LOGS];
    for (unsigned i = 0; i < LOGS; i++) {
        snprintf(t.paths[i], sizeof t.paths[i], "%s/%u.jsonl", t.folder, i);
        FILE *out = fopen(t.paths[i], "we");
        if (!out)
            return -1;
        if (i < 2)
            write_lines(out, 0, i ? GROWN : LINES);
        else {
            write_records(out, 0, RECORDS - 2);
            write_records(out, 3, RECORDS);
        }
        fclose(out);
        paths[i] = t.paths[i];
    }
    t.problems = problems_new();
    t.inputs = inputs_find(paths, LOGS, t.problems);
    *state = &t;
    return 0;
}

static int tear_down(void **state)
{
    struct test *t = *state;
    for (unsigned i = 0; i < LOGS; i++)
        unlink(t->paths[i]);
    inputs_free(t->inputs);
    problems_free(t->problems);
    return rmdir(t->folder);
}

static void told(void *ctx, const struct taken *taken)
{
    struct test *t = ctx;
    assert_int_not_equal(taken->how, TAKEN_NOT);
    for (unsigned i = 0; i < LOGS; i++)
        if (slice_equal(taken->name, slice_str(t->paths[i])))
            t->acknowledged[i] = true;
    t->told_events += taken->events;
}

static enum status take(struct test *t, struct store *s, struct error *err)
{
    struct take_counts counts;
    struct take job = {
        .store = s, .threads = 1, .originals = true, .by = "user@host", .told = told, .ctx = t};
    return take_run(&job, t->inputs, &counts, err);
}

/* Which events are there, each once. */
static size_t read_all(const struct store_io *io, struct map *seen)
{
    struct error err = {0};
    struct store *s = store_open(io, FOLDER, STORE_READ, NULL, &err);
    if (!s)
        print_message("# %s: %s\n", err.where, err.what);
    assert_non_null(s);
    struct segment_reader *r = segment_reader_new(true);
    struct block *b = block_alone();
    for (size_t i = 0; s && i < s->segments_n; i++)
        for (uint32_t no = 0; !s->segments[i].gone && no < s->segments[i].open->blocks_n; no++) {
            assert_int_equal(segment_read(s->segments[i].open, r, no, NULL, 0, b, &err), OK);
            for (uint32_t row = 0; row < b->rows; row++) {
                bool is_new;
                map_put(seen, block_text(b, row, SLICE("id")), &is_new);
                assert_true(is_new);
            }
        }
    block_free(b);
    segment_reader_free(r);
    store_close(s);
    return seen->n;
}

static void check(const struct test *t, const struct store_io *io)
{
    struct map seen = {0};
    char id[32];
    read_all(io, &seen);
    unsigned lines = t->acknowledged[1] ? GROWN : t->acknowledged[0] ? LINES : 0;
    for (unsigned i = 0; i < lines; i++) {
        snprintf(id, sizeof id, "line %u", i);
        assert_non_null(map_get(&seen, slice_str(id)));
    }
    for (unsigned i = 0; t->acknowledged[2] && i < RECORDS; i++) {
        snprintf(id, sizeof id, "record %u", i);
        assert_non_null(map_get(&seen, slice_str(id)));
    }
    map_free(&seen);
}

static void say(void *ctx, const struct error *what)
{
    (void)ctx;
    if (what->status != OK)
        print_message("# %s: %s\n", what->where, what->what);
}

/* The same again, without failures: all is there, and verify finds nothing wrong. */
static void finish(struct test *t, const struct store_io *io)
{
    struct error err = {0};
    struct map seen = {0};
    struct store *s = store_open(io, FOLDER, STORE_WRITE, NULL, &err);
    assert_non_null(s);
    assert_int_equal(take(t, s, &err), OK);
    store_close(s);
    assert_int_equal(read_all(io, &seen), ALL);
    map_free(&seen);
    struct verify_counts counts;
    struct arena a = {0};
    assert_int_equal(
        store_verify(io, FOLDER, &(struct verify_options){0}, say, NULL, &a, &counts, &err), OK);
    assert_int_equal(counts.wrong, 0);
    assert_int_equal(counts.originals, LOGS);
    arena_free(&a);
}

static struct memory_io *begin(struct test *t)
{
    struct error err = {0};
    struct memory_io *m = memory_io_new();
    assert_int_equal(store_init(memory_io(m), FOLDER, NULL, 1, &err), OK);
    memset(t->acknowledged, 0, sizeof t->acknowledged);
    t->told_events = 0;
    return m;
}

static void once(void **state)
{
    struct test *t = *state;
    struct error err = {0};
    struct memory_io *m = begin(t);
    struct store *s = store_open(memory_io(m), FOLDER, STORE_WRITE, NULL, &err);
    assert_int_equal(take(t, s, &err), OK);
    assert_int_equal(t->told_events, ALL);
    assert_int_equal(s->files_n, LOGS);
    assert_true(s->files[1].continues);
    assert_int_equal(s->files[1].inputs[0].known, LINES);
    assert_int_equal(s->files[2].inputs[0].known, RECORDS - 5);
    assert_int_equal(take(t, s, &err), OK); /* again: nothing new */
    assert_int_equal(t->told_events, ALL);
    assert_int_equal(s->files_n, LOGS);
    store_close(s);
    finish(t, memory_io(m));
    memory_io_free(m);
}

/* Who stops loses nothing: the same again brings it. */
static void stopped(void **state)
{
    struct test *t = *state;
    struct error err = {0};
    struct memory_io *m = begin(t);
    volatile sig_atomic_t stop = 1;
    struct take_counts counts;
    struct store *s = store_open(memory_io(m), FOLDER, STORE_WRITE, NULL, &err);
    struct take job = {
        .store = s, .originals = true, .by = "", .told = told, .ctx = t, .stop = &stop};
    assert_int_equal(take_run(&job, t->inputs, &counts, &err), STATUS_INTERRUPTED);
    assert_int_equal(t->told_events, 0);
    store_close(s);
    check(t, memory_io(m));
    finish(t, memory_io(m));
    memory_io_free(m);
}

/* A sink beside the store's sees what is new, with numbers of the journal, and may make it fail. */
struct beside {
    uint64_t events;
    uint32_t least, most;
    bool fails, settled, committed;
};

static enum status see(void *ctx, struct block *b, struct error *err)
{
    struct beside *seen = ctx;
    for (uint32_t row = 0; row < b->rows; row++) {
        uint32_t input = b->origins[row].input;
        seen->least = input < seen->least ? input : seen->least;
        seen->most = input > seen->most ? input : seen->most;
    }
    seen->events += b->rows;
    return seen->fails ? error_set(err, STATUS_SYSTEM, NULL, ERROR_NO_OFFSET, "full") : OK;
}

static struct block_sink sink_beside(void *ctx, unsigned worker)
{
    (void)worker;
    return (struct block_sink){see, ctx};
}

static enum status settle(void *ctx, struct error *err)
{
    (void)err;
    ((struct beside *)ctx)->settled = true;
    return OK;
}

static enum status committed(void *ctx, struct error *err)
{
    (void)err;
    ((struct beside *)ctx)->committed = true;
    return OK;
}

static void ignore(void *ctx, const struct taken *taken)
{
    (void)ctx;
    (void)taken;
}

static void beside(void **state)
{
    struct test *t = *state;
    struct error err = {0};
    struct memory_io *m = begin(t);
    struct take_counts counts;
    struct beside seen = {.fails = true, .least = UINT32_MAX};
    struct store *s = store_open(memory_io(m), FOLDER, STORE_WRITE, NULL, &err);
    struct take job = {.store = s,
                       .threads = 1,
                       .originals = true,
                       .by = "",
                       .sink = sink_beside,
                       .settle = settle,
                       .committed = committed,
                       .told = ignore,
                       .ctx = &seen};
    assert_int_equal(take_run(&job, t->inputs, &counts, &err), STATUS_SYSTEM);
    assert_false(seen.settled || seen.committed);
    assert_int_equal(s->files_n, 0);
    seen = (struct beside){.least = UINT32_MAX};
    assert_int_equal(take_run(&job, t->inputs, &counts, &err), OK);
    assert_true(seen.settled && seen.committed);
    assert_int_equal(seen.events, ALL);
    assert_int_equal(seen.least, 0);
    assert_int_equal(seen.most, LOGS - 1);
    store_close(s);
    finish(t, memory_io(m));
    memory_io_free(m);
}

/* Every call of the file system fails once; then the user tries again. */
static void failures(void **state)
{
    struct test *t = *state;
    static const int errors[] = {EIO, ENOSPC};
    bool done = false;
    for (uint64_t at = 1; !done; at++) {
        struct error err = {0};
        struct memory_io *m = begin(t);
        m->fail_at = m->calls + at;
        m->fail_errno = errors[at % 2];
        struct store *s = store_open(memory_io(m), FOLDER, STORE_WRITE, NULL, &err);
        enum status status = s ? take(t, s, &err) : err.status;
        done = m->calls < m->fail_at;
        m->fail_at = 0;
        assert_true(status == OK || !done);
        store_close(s);
        check(t, memory_io(m));
        finish(t, memory_io(m));
        memory_io_free(m);
    }
}

static uint32_t draw(void *ctx, uint32_t below)
{
    uint64_t *seed = ctx;
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return (uint32_t)((*seed * 0x2545f4914f6cdd1du) >> 33) % below;
}

/* The process dies at every call, and what was not synced stays by chance. */
static void losses_of_power(void **state)
{
    struct test *t = *state;
    uint64_t seed = 9;
    bool done = false;
    for (uint64_t at = 1; !done; at++) {
        struct error err = {0};
        struct memory_io *m = begin(t);
        m->dead_at = m->calls + at;
        struct store *s = store_open(memory_io(m), FOLDER, STORE_WRITE, NULL, &err);
        enum status status = s ? take(t, s, &err) : err.status;
        done = m->calls < m->dead_at;
        assert_true(status == OK || !done);
        store_close(s); /* which changes nothing any more */
        memory_io_lose_power(m, draw, &seed);
        check(t, memory_io(m)); /* readers need no repair */
        finish(t, memory_io(m));
        memory_io_free(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(once),     cmocka_unit_test(stopped),         cmocka_unit_test(beside),
        cmocka_unit_test(failures), cmocka_unit_test(losses_of_power),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
