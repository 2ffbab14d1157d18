#include "intake/intake_internal.h"

#include "base/arena.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/*
 * Every worker does the same: it takes an open input that nobody holds (or opens the next one), cuts
 * one batch from it, gives it back, and decodes the batch. So one large input is decoded by all
 * workers, each batch while others are cut; many small ones are spread; and no more is in memory
 * than one batch a worker.
 */

enum {
    THREADS_MOST = 256,
    READERS_MOST = 64,             /* in the table */
    ROOM_KEPT = BATCH_BYTES * 4,   /* of a worker's buffer, after a long record */
    OPEN_BLOCKS_BYTES = 256 << 20, /* of all threads */
    OPEN_BLOCKS_LEAST = 8 << 20,   /* of one */
    PROGRESS_NS = 100 * 1000 * 1000,
};

struct pool {
    const struct intake *job;
    struct intake_flow flow;
    atomic_uint_fast64_t events, inputs_done;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* an input was given back, or there are no more, or all is ending */
    pthread_cond_t left;    /* a worker has ended */
    uint32_t next;          /* of the inputs found by path */
    struct source **idle;   /* open, held by nobody */
    unsigned idle_n, held, running;
    struct intake_counts counts;
    enum status status; /* the first failure of a sink */
    struct error err;
};

struct worker {
    struct pool *pool;
    unsigned number;
    pthread_t thread;
    struct block_sink sink;
    struct block_set *blocks;
    struct buf room;
    void *states[READERS_MOST]; /* of the readers, by their place in the table; made when needed */
    bool opened[READERS_MOST];
    size_t most_bytes;
};

/* ---- inputs, shared by the workers ---- */

/* An input to cut a batch from; NULL when there is no more to do. */
static struct source *take(struct pool *pool)
{
    const struct intake *job = pool->job;
    struct source *s = NULL;
    uint32_t number = UINT32_MAX;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        if (atomic_load(&pool->flow.ending))
            break;
        if (pool->idle_n) {
            s = pool->idle[--pool->idle_n];
            break;
        }
        if (pool->next < inputs_named(job->inputs)) {
            number = pool->next++;
            break;
        }
        if (!pool->held)
            break;
        pthread_cond_wait(&pool->changed, &pool->lock);
    }
    if (s || number != UINT32_MAX)
        pool->held++;
    pthread_mutex_unlock(&pool->lock);
    if (number != UINT32_MAX)
        s = source_open(job->inputs, number, job->problems, &pool->flow);
    return s;
}

static void give_back(struct pool *pool, struct source *s, bool more)
{
    pthread_mutex_lock(&pool->lock);
    pool->held--;
    if (more) {
        pool->idle[pool->idle_n++] = s; /* there are at most as many as workers */
    } else {
        struct intake_counts counts = source_counts(s);
        pool->counts.inputs += counts.inputs;
        pool->counts.inputs_unknown += counts.inputs_unknown;
        pool->counts.bytes += counts.bytes;
        atomic_fetch_add(&pool->inputs_done, 1);
    }
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    if (!more)
        source_close(s);
}

static void end_all(struct pool *pool, enum status status, const struct error *err)
{
    pthread_mutex_lock(&pool->lock);
    if (status != OK && pool->status == OK) {
        pool->status = status;
        pool->err = *err;
    }
    atomic_store(&pool->flow.ending, true);
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
}

/* ---- a worker ---- */

/* Counts a block's events by their inputs, then hands it on. */
static enum status count_and_hand_on(void *ctx, struct block *b, struct error *err)
{
    struct worker *w = ctx;
    struct inputs *in = w->pool->job->inputs;
    for (uint32_t row = 0, from = 0; row <= b->rows; row++)
        if (row == b->rows || b->origins[row].input != b->origins[from].input) {
            inputs_count_events(in, b->origins[from].input, row - from);
            from = row;
        }
    atomic_fetch_add(&w->pool->events, b->rows);
    return w->sink.full(w->sink.ctx, b, err);
}

static void *state_of(struct worker *w, const struct reader *reader)
{
    size_t i = 0;
    while (reader_table[i] != reader)
        i++;
    if (!w->opened[i] && reader->open)
        w->states[i] = reader->open(&w->pool->job->options);
    w->opened[i] = true;
    return w->states[i];
}

static enum status work(struct worker *w, struct error *err)
{
    struct pool *pool = w->pool;
    enum status status = OK;
    struct source *s;
    while (status == OK && (s = take(pool))) {
        const struct reader *reader;
        struct batch batch;
        bool more = source_batch(s, &w->room, &reader, &batch);
        give_back(pool, s, more);
        if (!more)
            continue;
        status = reader->decode(state_of(w, reader), &batch, w->blocks, pool->job->problems, err);
        if (status == OK)
            status = block_set_trim(w->blocks, w->most_bytes, err);
        if (w->room.cap > ROOM_KEPT)
            buf_free(&w->room);
    }
    return status == OK ? block_set_flush(w->blocks, err) : status;
}

static void *worker_main(void *p)
{
    struct worker *w = p;
    struct pool *pool = w->pool;
    const struct intake *job = pool->job;
    struct error err = {0};
    w->sink = job->sink(job->ctx, w->number);
    w->blocks = block_set_new((struct block_sink){count_and_hand_on, w});
    enum status status = work(w, &err);
    if (status == OK && job->done)
        status = job->done(job->ctx, w->number, &err);
    if (status != OK)
        end_all(pool, status, &err);

    for (size_t i = 0; reader_table[i]; i++)
        if (w->opened[i] && reader_table[i]->close)
            reader_table[i]->close(w->states[i]);
    block_set_free(w->blocks);
    buf_free(&w->room);
    pthread_mutex_lock(&pool->lock);
    pool->running--;
    pthread_cond_signal(&pool->left);
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* ---- the calling thread ---- */

static void show_progress(struct pool *pool)
{
    const struct intake *job = pool->job;
    if (!job->progress)
        return;
    struct intake_progress p = {
        .bytes_done = atomic_load(&pool->flow.disk_done),
        .bytes_total = inputs_bytes(job->inputs),
        .events = atomic_load(&pool->events),
        .inputs_done = atomic_load(&pool->inputs_done),
    };
    if (p.bytes_total < p.bytes_done) /* pipes, files that grow, archives read in two places */
        p.bytes_total = p.bytes_done;
    job->progress(job->ctx, &p);
}

/* Until every worker has ended. */
static void watch(struct pool *pool)
{
    struct timespec wake;
    clock_gettime(CLOCK_MONOTONIC, &wake);
    pthread_mutex_lock(&pool->lock);
    while (pool->running) {
        wake.tv_nsec += PROGRESS_NS;
        wake.tv_sec += wake.tv_nsec / NS_PER_SECOND;
        wake.tv_nsec %= NS_PER_SECOND;
        while (pool->running && pthread_cond_timedwait(&pool->left, &pool->lock, &wake) == 0)
            ;
        pthread_mutex_unlock(&pool->lock);
        show_progress(pool);
        if (pool->job->stop && *pool->job->stop)
            end_all(pool, OK, NULL);
        pthread_mutex_lock(&pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
}

static unsigned thread_count(const struct intake *job)
{
    long n = job->threads ? (long)job->threads : sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > THREADS_MOST ? THREADS_MOST : (unsigned)n;
}

static size_t bytes_a_thread(const struct intake *job, unsigned threads)
{
    size_t most = (job->most_bytes ? job->most_bytes : OPEN_BLOCKS_BYTES) / threads;
    return most > OPEN_BLOCKS_LEAST ? most : OPEN_BLOCKS_LEAST;
}

static struct worker *start(struct pool *pool, unsigned threads, unsigned *started)
{
    struct worker *workers = xcalloc(threads, sizeof *workers);
    for (unsigned i = 0; i < threads; i++) {
        struct worker *w = &workers[i];
        w->pool = pool;
        w->number = i;
        w->most_bytes = bytes_a_thread(pool->job, threads);
        pthread_mutex_lock(&pool->lock);
        pool->running++;
        pthread_mutex_unlock(&pool->lock);
        if (pthread_create(&w->thread, NULL, worker_main, w) != 0) {
            pthread_mutex_lock(&pool->lock);
            pool->running--;
            pthread_mutex_unlock(&pool->lock);
            break;
        }
        *started = i + 1;
    }
    return workers;
}

static void pool_init(struct pool *pool, const struct intake *job, unsigned threads)
{
    pthread_condattr_t monotonic;
    *pool = (struct pool){.job = job};
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->changed, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->left, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pool->idle = xcalloc(threads, sizeof(struct source *));
}

static void pool_free(struct pool *pool)
{
    while (pool->idle_n)
        source_close(pool->idle[--pool->idle_n]);
    free(pool->idle);
    pthread_cond_destroy(&pool->left);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
}

enum status intake_run(const struct intake *job, struct intake_counts *counts, struct error *err)
{
    unsigned threads = thread_count(job), started = 0;
    struct pool pool;
    pool_init(&pool, job, threads);
    struct worker *workers = start(&pool, threads, &started);
    watch(&pool);
    for (unsigned i = 0; i < started; i++)
        pthread_join(workers[i].thread, NULL);
    show_progress(&pool);

    enum status status = pool.status;
    if (!started)
        status = error_set(err, STATUS_SYSTEM, NULL, ERROR_NO_OFFSET, "can't start a thread");
    else if (status != OK && err)
        *err = pool.err;
    else if (status == OK && atomic_load(&pool.flow.ending))
        status = error_set(err, STATUS_INTERRUPTED, NULL, ERROR_NO_OFFSET, "interrupted");
    *counts = pool.counts;
    counts->events = atomic_load(&pool.events);
    pool_free(&pool);
    free(workers);
    return status;
}
