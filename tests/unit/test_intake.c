#include "test.h"

#include "intake_run.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void folders(void **state)
{
    struct folder *f = *state;
    char path[256];
    struct run r = {.keep = true};
    write_file(f, "b.json", SLICE("{\"a\":1}\n"));
    write_file(f, "a.json", SLICE("{\"a\":2}\n{\"a\":3}\n"));
    write_file(f, "empty", SLICE(""));
    write_file(f, "noise", SLICE("\1\2\3\4nothing that anything knows"));
    snprintf(path, sizeof path, "%s/c", f->path);
    assert_int_equal(mkdir(path, 0700), 0);
    write_file(f, "c/c.json", SLICE("{\"a\":4}"));
    snprintf(path, sizeof path, "%s/d\x1b[31m", f->path);
    assert_int_equal(symlink("a.json", path), 0);
    run_begin(&r, f->path);
    assert_int_equal(run_go(&r, 1), OK);
    assert_int_equal(r.counts.inputs, 5);
    assert_int_equal(r.counts.inputs_unknown, 1);
    assert_int_equal(r.counts.events, 4);
    assert_int_equal(r.done, 1);
    assert_int_equal(inputs_count(r.inputs), 6);
    assert_true(slice_ends(inputs_get(r.inputs, 0)->name, SLICE("/a.json")));
    assert_int_equal(inputs_get(r.inputs, 0)->events, 2);
    assert_int_equal(inputs_get(r.inputs, 0)->bytes, 16);
    assert_true(slice_ends(inputs_get(r.inputs, 2)->name, SLICE("/c/c.json")));
    assert_true(slice_ends(inputs_get(r.inputs, 3)->name, SLICE("/d?[31m")));
    assert_int_equal(problems_of(r.problems, 3), 1); /* the link */
    assert_int_equal(problems_of(r.problems, 4), 0); /* empty */
    assert_int_equal(problems_of(r.problems, 5), 1); /* noise */
    assert_slice(buf_slice(&r.events), "- // || #1 a=2\n- // || #2 a=3\n- // || #1 a=1\n"
                                       "- // || #1 a=4\n");
    run_end(&r);
}

static void missing(void **state)
{
    (void)state;
    struct run r = {0};
    run_begin(&r, "/nowhere/at/all");
    assert_int_equal(problems_total(r.problems), 1);
    assert_int_equal(run_go(&r, 2), OK);
    assert_int_equal(r.counts.inputs, 0);
    assert_slice(inputs_get(r.inputs, 0)->name, "/nowhere/at/all");
    run_end(&r);
}

/* `n` lines of about 100 bytes. */
static void write_lines(const struct folder *f, const char *name, unsigned n)
{
    struct buf b = {0};
    for (unsigned i = 0; i < n; i++)
        buf_printf(&b, "{\"number\":%u,\"name\":\"%060u\",\"what\":\"the same on each line\"}\n", i,
                   i);
    write_file(f, name, buf_slice(&b));
    buf_free(&b);
}

static void many_threads(void **state)
{
    struct folder *f = *state;
    write_lines(f, "large.json", 60000);
    for (int i = 0; i < 20; i++) {
        char name[32];
        snprintf(name, sizeof name, "small-%d.json", i);
        write_lines(f, name, 50);
    }
    for (unsigned threads = 1; threads <= 4; threads += 3) {
        struct run r = {0};
        run_begin(&r, f->path);
        assert_int_equal(run_go(&r, threads), OK);
        assert_int_equal(r.counts.events, 61000);
        assert_int_equal(r.rows, 61000);
        assert_int_equal(r.done, threads);
        assert_int_equal(inputs_get(r.inputs, 0)->events, 60000);
        assert_int_equal(problems_total(r.problems), 0);
        run_end(&r);
    }
}

static void failing_sink(void **state)
{
    struct folder *f = *state;
    write_lines(f, "large.json", 100000);
    struct run r = {.fail_after = 1};
    run_begin(&r, f->path);
    assert_int_equal(run_go(&r, 2), STATUS_SYSTEM);
    assert_string_equal(r.err.what, "the sink is full");
    run_end(&r);
}

struct stopper {
    struct run *run;
    volatile sig_atomic_t stop;
    unsigned calls;
};

static struct block_sink stopper_sink(void *ctx, unsigned worker)
{
    return sink_of(((struct stopper *)ctx)->run, worker);
}

static void stop_soon(void *ctx, const struct intake_progress *p)
{
    struct stopper *s = ctx;
    s->calls++;
    s->stop = p->bytes_done > 0;
}

/* A pipe that never ends: what came is handed on, and the stop is seen. */
static void interrupted(void **state)
{
    struct folder *f = *state;
    char path[128];
    snprintf(path, sizeof path, "%s/pipe", f->path);
    assert_int_equal(mkfifo(path, 0600), 0);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "{\"a\":1}\n{\"a\":2}\n{", 17), 17);
    struct run r = {0};
    struct stopper s = {.run = &r};
    run_begin(&r, path);
    struct intake job = {
        .inputs = r.inputs,
        .problems = r.problems,
        .threads = 2,
        .sink = stopper_sink,
        .progress = stop_soon,
        .stop = &s.stop,
        .ctx = &s,
    };
    assert_int_equal(intake_run(&job, &r.counts, &r.err), STATUS_INTERRUPTED);
    assert_true(s.calls >= 1);
    assert_int_equal(r.rows, 2);
    close(fd);
    run_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(folders),      in_folder(missing),     in_folder(many_threads),
        in_folder(failing_sink), in_folder(interrupted),
    };
    return cmocka_run_group_tests_name("intake", tests, NULL, NULL);
}
