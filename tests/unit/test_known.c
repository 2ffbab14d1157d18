/*
 * Records that are there already: whatever overlapping pieces of logs come in, in whatever order, the
 * store holds each record once, and none is missing.
 */
#include "test.h"

#include "memory_io.h"

#include "base/map.h"
#include "store/known.h"
#include "store/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define FOLDER "data"

enum { ROUNDS = 40, PIECES = 3, PIECE = 300, RECORDS = 1500 };

static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return (uint32_t)((*seed * 0x2545f4914f6cdd1du) >> 33) % below;
}

/* A record of a log: which computer, how often it was cleared before, its number. */
struct record {
    unsigned computer, life;
    uint64_t number;
    bool timeless;
};

static timestamp time_of(const struct record *r)
{
    return r->timeless ? TIMESTAMP_NONE
                       : (timestamp)(r->life * 1000000 + r->number * 10 + r->computer);
}

struct taking {
    struct store *s;
    struct known *known;
    struct known_worker *worker;
    struct store_sink *sink;
    struct block_set *set;
};

static enum status take_block(void *ctx, struct block *b, struct error *err)
{
    struct taking *t = ctx;
    known_take_out(t->worker, b);
    return b->rows ? store_take(t->sink, b, err) : OK;
}

static void begin(struct taking *t, struct store *s)
{
    struct error err;
    *t = (struct taking){.s = s};
    assert_int_equal(store_begin(s, &err), OK);
    t->known = known_new(s);
    t->worker = known_worker_new(t->known);
    t->sink = store_sink_new(s);
    t->set = block_set_new((struct block_sink){take_block, t});
}

/* Ends the transaction, as a file of one input. */
static void end(struct taking *t, const char *name, unsigned inputs)
{
    struct error err;
    struct store_input list[PIECES];
    for (unsigned i = 0; i < inputs; i++)
        list[i] = (struct store_input){i, SLICE("log"), SLICE("test"), 0, 0, 0};
    struct store_file f = {.name = slice_str(name), .inputs = list, .inputs_n = inputs};
    sha256(slice_str(name), &f.sha256);
    assert_int_equal(block_set_flush(t->set, &err), OK);
    block_set_free(t->set);
    known_worker_free(t->worker);
    known_free(t->known);
    store_sink_free(t->sink);
    assert_int_equal(store_commit(t->s, &f, 1, &err), OK);
}

static void put(struct taking *t, const struct event_kind *kind, timestamp time,
                struct origin origin, const char *computer, const char *text)
{
    struct error err;
    struct block *b = block_set_open(t->set, kind);
    assert_int_equal(block_row(b, time, origin, &err), OK);
    if (computer)
        block_put(b, block_column(b, SLICE("Computer")), value_of_text(slice_str(computer)));
    block_put(b, block_column(b, SLICE("text")), value_of_text(slice_str(text)));
}

static void put_record(struct taking *t, unsigned input, const struct record *r)
{
    char computer[16], text[32];
    struct event_kind kind = {.product = SLICE("windows"),
                              .channel = SLICE("Security"),
                              .code = r->number % 3 ? SLICE("4624") : SLICE("4625")};
    snprintf(computer, sizeof computer, "PC%u", r->computer);
    snprintf(text, sizeof text, "life %u", r->life);
    put(t, &kind, time_of(r), (struct origin){input, r->number}, computer, text);
}

static struct slice record_key(const struct record *r, char out[64])
{
    return slice_of(out, (size_t)snprintf(out, 64, "PC%u life %u %llu", r->computer, r->life,
                                          (unsigned long long)r->number));
}

/* How often each record is in the store. */
static size_t count_stored(const struct store_io *io, struct map *seen)
{
    struct error err;
    struct store *s = store_open(io, FOLDER, STORE_READ, NULL, &err);
    struct segment_reader *reader = segment_reader_new(true);
    struct block *b = block_alone();
    size_t n = 0;
    assert_non_null(s);
    for (size_t i = 0; i < s->segments_n; i++)
        for (uint32_t no = 0; !s->segments[i].gone && no < s->segments[i].open->blocks_n; no++) {
            assert_int_equal(segment_read(s->segments[i].open, reader, no, NULL, 0, b, &err), OK);
            for (uint32_t row = 0; row < b->rows; row++, n++) {
                char key[128];
                bool is_new;
                struct slice computer = block_text(b, row, SLICE("Computer"));
                struct slice text = block_text(b, row, SLICE("text"));
                int length = snprintf(key, sizeof key, "%.*s %.*s %llu", SLICE_ARG(computer),
                                      SLICE_ARG(text), (unsigned long long)b->origins[row].record);
                ++*map_put(seen, slice_of(key, (size_t)length), &is_new);
            }
        }
    block_free(b);
    segment_reader_free(reader);
    store_close(s);
    return n;
}

static void windows_logs(void **state)
{
    (void)state;
    uint64_t seed = 11;
    struct error err;
    struct memory_io *m = memory_io_new();
    struct map model = {0}, stored = {0};
    assert_int_equal(store_init(memory_io(m), FOLDER, NULL, 1, &err), OK);
    struct store *s = store_open(memory_io(m), FOLDER, STORE_WRITE, NULL, &err);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct taking t;
        char name[32], key[64];
        begin(&t, s);
        for (unsigned piece = 0; piece < PIECES; piece++) {
            struct record r = {draw(&seed, 3), draw(&seed, 2), 1 + draw(&seed, RECORDS), false};
            for (unsigned i = 0; i < PIECE; i++, r.number++) {
                bool is_new;
                r.timeless = r.number % 50 == 0;
                put_record(&t, piece, &r);
                map_put(&model, record_key(&r, key), &is_new);
            }
        }
        snprintf(name, sizeof name, "round %u", round);
        end(&t, name, PIECES);
        if (draw(&seed, 8) == 0)
            assert_int_equal(store_merge(s, &err), OK);
    }
    store_close(s);
    assert_int_equal(count_stored(memory_io(m), &stored), model.n);
    assert_int_equal(stored.n, model.n);
    map_free(&model);
    map_free(&stored);
    memory_io_free(m);
}

static void put_lines(struct taking *t, unsigned input, unsigned from, unsigned to,
                      const char *text)
{
    struct event_kind kind = {.product = SLICE("app")};
    for (unsigned i = from; i <= to; i++)
        put(t, &kind, (timestamp)i, (struct origin){input, i}, NULL, text);
}

/* Lines are known only of an input that goes on where stored ones end. */
static void lines(void **state)
{
    (void)state;
    struct error err;
    struct memory_io *m = memory_io_new();
    struct map stored = {0};
    static const uint32_t first[] = {0}, both[] = {0, 1};
    assert_int_equal(store_init(memory_io(m), FOLDER, NULL, 1, &err), OK);
    struct store *s = store_open(memory_io(m), FOLDER, STORE_WRITE, NULL, &err);
    struct taking t;
    begin(&t, s);
    put_lines(&t, 0, 1, 10, "a");
    end(&t, "one", 1);
    begin(&t, s); /* the same file grown, its last line longer than it was */
    known_continues(t.known, 0, first, 1);
    put_lines(&t, 0, 1, 9, "a");
    put_lines(&t, 0, 10, 10, "ab");
    put_lines(&t, 0, 11, 20, "a");
    end(&t, "two", 1);
    assert_int_equal(count_stored(memory_io(m), &stored), 21);
    begin(&t, s); /* and again; beside it another file with equal lines */
    known_continues(t.known, 0, both, 2);
    put_lines(&t, 0, 1, 9, "a");
    put_lines(&t, 0, 10, 10, "ab");
    put_lines(&t, 0, 11, 30, "a");
    put_lines(&t, 1, 1, 10, "a");
    end(&t, "three", 2);
    map_clear(&stored);
    assert_int_equal(count_stored(memory_io(m), &stored), 41);
    store_close(s);
    map_free(&stored);
    memory_io_free(m);
}

/* ---- what a file continues ---- */

static int file_with(const char *bytes, size_t n)
{
    int fd = memfd_create("log", MFD_CLOEXEC);
    assert_int_equal(write(fd, bytes, n), n);
    return fd;
}

static struct store_file look(struct store *s, const char *bytes, size_t n)
{
    struct error err;
    struct store_file f = {.name = SLICE("log")};
    int fd = file_with(bytes, n);
    assert_int_equal(store_look_at(s, fd, &f, NULL, &err), OK);
    assert_int_equal(f.bytes, n);
    assert_int_equal(file_head(fd), f.head);
    close(fd);
    return f;
}

static struct store_file record_file(struct store *s, const char *bytes, size_t n)
{
    struct error err;
    struct store_file f = look(s, bytes, n);
    struct store_input input = {0, SLICE("log"), SLICE("json"), 1, 2, 3};
    f.inputs = &input;
    f.inputs_n = 1;
    assert_int_equal(store_begin(s, &err), OK);
    assert_int_equal(store_commit(s, &f, 1, &err), OK);
    return f;
}

static void continued_files(void **state)
{
    (void)state;
    enum { ALL = 1 << 20 };
    struct error err;
    struct memory_io *m = memory_io_new();
    char *text = malloc(ALL);
    uint64_t seed = 3;
    for (size_t i = 0; i < ALL; i++)
        text[i] = (char)('a' + draw(&seed, 26));
    assert_int_equal(store_init(memory_io(m), FOLDER, NULL, 1, &err), OK);
    struct store *s = store_open(memory_io(m), FOLDER, STORE_WRITE, NULL, &err);
    assert_int_equal(look(s, text, 100).head, 0);
    struct store_file a = record_file(s, text, 1000), b = record_file(s, text, 300000);
    assert_false(a.continues);
    assert_true(b.continues);
    assert_memory_equal(&b.continued, &a.sha256, sizeof a.sha256);
    store_close(s); /* the journal has it */
    s = store_open(memory_io(m), FOLDER, STORE_WRITE, NULL, &err);
    struct store_file c = look(s, text, ALL);
    assert_true(c.continues);
    assert_memory_equal(&c.continued, &b.sha256, sizeof b.sha256);
    uint32_t *inputs;
    assert_int_equal(store_continued_inputs(s, &c, &inputs), 2);
    assert_int_equal(inputs[0], 0);
    assert_int_equal(inputs[1], 1);
    free(inputs);
    assert_int_equal(s->files[1].inputs[0].known, 2);
    text[200000] = '!'; /* another file from there on: it still begins with the first */
    struct store_file d = look(s, text, ALL);
    assert_true(d.continues);
    assert_memory_equal(&d.continued, &a.sha256, sizeof a.sha256);
    text[700] = '!';
    assert_false(look(s, text, ALL).continues);
    text[7] = '\0'; /* no text */
    assert_int_equal(look(s, text, ALL).head, 0);
    store_close(s);
    memory_io_free(m);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_logs),
        cmocka_unit_test(lines),
        cmocka_unit_test(continued_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
