/* Whole runs of the way in, over files of the test's own. */
#ifndef TESTS_UNIT_INTAKE_RUN_H
#define TESTS_UNIT_INTAKE_RUN_H

#include "events.h"
#include "intake/intake.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A folder of the test's own. */
struct folder {
    char path[64];
};

static inline int make_folder(void **state)
{
    struct folder *f = calloc(1, sizeof *f);
    snprintf(f->path, sizeof f->path, "/tmp/intake-XXXXXX");
    *state = f;
    return mkdtemp(f->path) ? 0 : -1;
}

static inline int remove_folder(void **state)
{
    struct folder *f = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", f->path);
    int r = system(command); // NOLINT(cert-env33-c): the test's own folder
    free(f);
    return r;
}

static inline void write_file(const struct folder *f, const char *name, struct slice bytes)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", f->path, name);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes.p, 1, bytes.n, out), bytes.n);
    assert_int_equal(fclose(out), 0);
}

/* What a run gave. */
struct run {
    pthread_mutex_t lock;
    struct problems *problems;
    struct inputs *inputs;
    struct intake_counts counts;
    struct error err;
    uint64_t rows;
    uint32_t done;
    uint32_t fail_after; /* blocks; 0: never */
    uint32_t blocks;
    struct buf events;
    bool keep; /* the events' text */
};

static inline enum status take(void *ctx, struct block *b, struct error *err)
{
    struct run *r = ctx;
    enum status status = OK;
    pthread_mutex_lock(&r->lock);
    r->rows += b->rows;
    if (r->keep)
        status = events_put_block(&r->events, b, err);
    if (r->fail_after && ++r->blocks >= r->fail_after)
        status = error_set(err, STATUS_SYSTEM, NULL, ERROR_NO_OFFSET, "the sink is full");
    pthread_mutex_unlock(&r->lock);
    return status;
}

static inline struct block_sink sink_of(void *ctx, unsigned worker)
{
    (void)worker;
    return (struct block_sink){take, ctx};
}

static inline enum status one_done(void *ctx, unsigned worker, struct error *err)
{
    (void)worker;
    (void)err;
    struct run *r = ctx;
    pthread_mutex_lock(&r->lock);
    r->done++;
    pthread_mutex_unlock(&r->lock);
    return OK;
}

static inline void run_begin(struct run *r, const char *path)
{
    pthread_mutex_init(&r->lock, NULL);
    r->problems = problems_new();
    r->inputs = inputs_find(&path, 1, r->problems);
}

static inline enum status run_go(struct run *r, unsigned threads)
{
    struct intake job = {
        .inputs = r->inputs,
        .problems = r->problems,
        .threads = threads,
        .sink = sink_of,
        .done = one_done,
        .ctx = r,
    };
    return intake_run(&job, &r->counts, &r->err);
}

static inline void run_end(struct run *r)
{
    inputs_free(r->inputs);
    problems_free(r->problems);
    buf_free(&r->events);
    pthread_mutex_destroy(&r->lock);
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

#endif
