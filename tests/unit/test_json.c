#include "test.h"

#include "events.h"
#include "intake/reader.h"

#include <stdlib.h>

/* Decodes text, cut by frame() into batches of about `step` bytes, and tells events and problems. */
static void read_in_steps(struct slice text, const char *name, size_t step, struct buf *events,
                          struct problems *problems)
{
    struct block_set *blocks = block_set_new((struct block_sink){events_put_block, events});
    struct reader_options options = {0};
    void *state = json_reader.open(&options);
    uint64_t line = 1;
    for (size_t at = 0, n, want = step; at < text.n; at += n) {
        struct slice rest = slice_sub(text, at, text.n), seen = slice_sub(rest, 0, want);
        bool last = seen.n == rest.n;
        n = json_reader.frame(seen, at, last);
        want = n ? step : want * 2;
        if (!n)
            continue;
        char *exact = malloc(n); /* so that a read past the end is noticed */
        memcpy(exact, rest.p, n);
        struct batch batch = {{exact, n}, at, line, 0, slice_str(name), last && n == rest.n};
        assert_int_equal(json_reader.decode(state, &batch, blocks, problems, NULL), OK);
        free(exact);
        for (size_t i = 0; i < n; i++)
            line += rest.p[i] == '\n';
    }
    assert_int_equal(block_set_flush(blocks, NULL), OK);
    json_reader.close(state);
    block_set_free(blocks);
}

/* The text becomes exactly these events, and no problem. */
static void expect_named(const char *text, const char *name, const char *expected)
{
    struct buf events = {0};
    struct problems *problems = problems_new();
    read_in_steps(slice_str(text), name, 1 << 20, &events, problems);
    buf_char(&events, '\0');
    assert_string_equal(events.p, expected);
    assert_int_equal(problems_total(problems), 0);
    problems_free(problems);
    buf_free(&events);
}

static void expect(const char *text, const char *expected)
{
    expect_named(text, "log.json", expected);
}

static void generic(void **state)
{
    (void)state;
    expect("{\"a\":1,\"b\":{\"c\":\"x\",\"d\":[1,\"two\",{\"e\":true}]},\"n\":null,\"f\":-2.5}\n"
           "{\"@timestamp\":\"2026-11-10T10:23:41.5+09:00\",\"time\":\"2020-01-01\",\"a\":\"x\"}\n",
           "- // || #1 a=1 b.c=x b.d=1, two b.d.e=true n= f=-2.5\n"
           "2026-11-10T01:23:41.500000Z // || #2 a=x @timestamp=2026-11-10T10:23:41.5+09:00 "
           "time=2020-01-01\n");
    expect("{\"a\":1,\"a\":2}", "- // || #1 a=1, 2\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generic),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
