#include "detect/retro.h"

#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum {
    PROGRESS_MS = 100,
    WAYS = 64, /* with more, reading the filters costs more than it saves */
};

struct task {
    struct segment *segment;
    uint32_t no;
};

struct run {
    const struct retro *job;
    struct retro_stats *stats;
    struct {
        struct task *at;
        size_t n, cap;
    } tasks;
    atomic_size_t next;
    atomic_bool stop;
    _Atomic uint64_t bytes_done, events_done;
    pthread_mutex_t lock; /* of the rest */
    pthread_cond_t ended;
    unsigned running;
    struct error failed; /* the first failure */
};

/* A column of the block that is read. */
struct part {
    uint32_t column;
    bool values, rows;
};

struct worker {
    struct run *run;
    unsigned number;
    pthread_t thread;
    struct segment_reader *reader;
    struct block *block;
    const struct segment *segment;
    uint32_t no;
    const struct stored_block *told; /* with its columns */
    struct {
        struct part *at;
        size_t n, cap;
    } parts; /* by column of `told` */
    bool whole;
    struct retro_stats stats;
};

static int64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

/* ---- a block, by and by ---- */

static enum status read_values(struct worker *w, size_t i, struct error *err)
{
    struct part *part = &w->parts.at[i];
    if (part->values)
        return OK;
    part->values = true;
    return segment_read_values(w->segment, w->reader, (uint32_t)i, w->block, &part->column, err);
}

/* A detector_source's functions. */
static enum status rows(void *ctx, struct block *b, struct error *err)
{
    struct worker *w = ctx;
    enum status status = OK;
    for (size_t i = 0; status == OK && i < w->parts.n; i++) {
        struct part *part = &w->parts.at[i];
        if (!part->values || part->rows)
            continue;
        part->rows = true;
        status = segment_read_rows(w->segment, w->reader, (uint32_t)i, b, part->column, err);
    }
    return status;
}

static enum status rest(void *ctx, struct block *b, struct error *err)
{
    struct worker *w = ctx;
    enum status status = segment_read_times(w->segment, w->reader, w->no, b, err);
    if (status == OK)
        status = segment_read_origins(w->segment, w->reader, w->no, b, err);
    for (size_t i = 0; status == OK && i < w->parts.n; i++)
        status = read_values(w, i, err);
    w->stats.blocks_whole++;
    w->whole = true;
    return status == OK ? rows(w, b, err) : status;
}

/* All columns get their numbers in the stored order, whichever are read first. */
static enum status begin_block(struct worker *w, struct error *err)
{
    segment_begin(w->segment, w->reader, w->no, w->block);
    w->told = segment_block(w->segment, w->reader, w->no, err);
    if (!w->told)
        return err->status;
    w->whole = false;
    w->parts.n = 0;
    for (uint32_t i = 0; i < w->told->columns_n; i++) {
        block_column(w->block, w->told->columns[i].name);
        *VEC_PUSH(w->parts) = (struct part){0};
    }
    return OK;
}

static enum status by_and_by(struct worker *w, struct error *err)
{
    struct detector *d = w->run->job->detector;
    const struct detector_source source = {rows, rest, w};
    uint64_t looked_further = w->stats.blocks_whole;
    enum status status = begin_block(w, err);
    for (uint32_t i = 0; status == OK && i < w->parts.n; i++)
        if (detector_wants(d, w->number, w->told->columns[i].name))
            status = read_values(w, i, err);
    if (status == OK)
        status = detector_parts(d, w->number, w->block, &source, err);
    bool by_values = looked_further == w->stats.blocks_whole;
    for (size_t i = 0; by_values && i < w->parts.n; i++)
        by_values = !w->parts.at[i].rows;
    w->stats.blocks_by_values += by_values;
    return status;
}

/* For a block of which only some events are wanted. */
static enum status selected(struct worker *w, struct error *err)
{
    enum status status = segment_read(w->segment, w->reader, w->no, NULL, 0, w->block, err);
    w->stats.blocks_whole++;
    if (status != OK || block_select(w->block, &w->run->job->wanted) == 0)
        return status;
    return detector_block(w->run->job->detector, w->number, w->block, err);
}

/* Whether a block holds events of a wanted and of an unwanted time. */
static void look_at_time(const struct stored_block *b, const struct selection *wanted, bool *some,
                         bool *all)
{
    bool bound = wanted->from != TIMESTAMP_NONE || wanted->to != TIMESTAMP_NONE;
    *some = *all = true;
    if (!bound)
        return;
    *all = b->timeless == 0;
    if (b->first == TIMESTAMP_NONE) { /* an event without a time is in no range */
        *some = false;
        return;
    }
    if (wanted->from != TIMESTAMP_NONE) {
        *some &= b->last >= wanted->from;
        *all &= b->first >= wanted->from;
    }
    if (wanted->to != TIMESTAMP_NONE) {
        *some &= b->first < wanted->to;
        *all &= b->last < wanted->to;
    }
}

static enum status look(struct worker *w, const struct task *task, struct error *err)
{
    const struct retro *job = w->run->job;
    const struct stored_block *b = &task->segment->blocks[task->no];
    bool some, all;
    w->segment = task->segment;
    w->no = task->no;
    look_at_time(b, &job->wanted, &some, &all);
    if (!some) {
        w->stats.blocks_out_of_time++;
        return OK;
    }
    if (!detector_kind(job->detector, w->number, &b->kind)) {
        w->stats.blocks_of_no_rule++;
        return OK;
    }
    return all && !job->wanted.host ? by_and_by(w, err) : selected(w, err);
}

/* ---- threads ---- */

static void fail(struct run *r, const struct error *err)
{
    pthread_mutex_lock(&r->lock);
    if (r->failed.status == OK)
        r->failed = *err;
    pthread_mutex_unlock(&r->lock);
    atomic_store(&r->stop, true);
}

static void *work(void *ctx)
{
    struct worker *w = ctx;
    struct run *r = w->run;
    struct error err = {0};
    while (!atomic_load(&r->stop)) {
        size_t i = atomic_fetch_add(&r->next, 1);
        if (i >= r->tasks.n)
            break;
        const struct task *task = &r->tasks.at[i];
        const struct stored_block *b = &task->segment->blocks[task->no];
        enum status status = look(w, task, &err);
        if (status == STATUS_BAD_INPUT) { /* one damaged block does not stop the rest */
            if (w->stats.blocks_damaged++ == 0)
                w->stats.damage = err;
        } else if (status != OK) {
            fail(r, &err);
            break;
        }
        atomic_fetch_add(&r->bytes_done, b->bytes);
        atomic_fetch_add(&r->events_done, b->rows);
    }
    pthread_mutex_lock(&r->lock);
    r->running--;
    pthread_cond_signal(&r->ended);
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

static void show(struct run *r)
{
    const struct retro_progress now = {.bytes_done = atomic_load(&r->bytes_done),
                                       .bytes_total = r->stats->bytes,
                                       .events = atomic_load(&r->events_done)};
    if (r->job->progress)
        r->job->progress(r->job->ctx, &now);
}

/* Until all workers have ended. */
static void wait_for_all(struct run *r)
{
    pthread_mutex_lock(&r->lock);
    while (r->running) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += PROGRESS_MS * 1000000;
        until.tv_sec += until.tv_nsec / NS_PER_SECOND;
        until.tv_nsec %= NS_PER_SECOND;
        pthread_cond_timedwait(&r->ended, &r->lock, &until);
        pthread_mutex_unlock(&r->lock);
        if (r->job->stop && *r->job->stop)
            atomic_store(&r->stop, true);
        show(r);
        pthread_mutex_lock(&r->lock);
    }
    pthread_mutex_unlock(&r->lock);
}

static void add_up(struct retro_stats *all, const struct retro_stats *one)
{
    all->blocks_of_no_rule += one->blocks_of_no_rule;
    all->blocks_out_of_time += one->blocks_out_of_time;
    all->blocks_filtered += one->blocks_filtered;
    all->blocks_by_values += one->blocks_by_values;
    all->blocks_whole += one->blocks_whole;
    if (all->blocks_damaged == 0)
        all->damage = one->damage;
    all->blocks_damaged += one->blocks_damaged;
}

static enum status run_workers(struct run *r, struct error *err)
{
    unsigned n = r->job->threads, started = 0;
    struct worker *workers = xcalloc(n, sizeof *workers);
    enum status status = OK;
    r->running = n;
    for (; started < n; started++) {
        struct worker *w = &workers[started];
        w->run = r;
        w->number = started;
        w->reader = segment_reader_new(true);
        w->block = block_alone();
        if (pthread_create(&w->thread, NULL, work, w) != 0) {
            status = error_set(err, STATUS_SYSTEM, NULL, ERROR_NO_OFFSET, "can't start a thread");
            atomic_store(&r->stop, true);
            pthread_mutex_lock(&r->lock);
            r->running -= n - started;
            pthread_mutex_unlock(&r->lock);
            break;
        }
    }
    wait_for_all(r);
    for (unsigned i = 0; i < n; i++) {
        struct worker *w = &workers[i];
        if (i < started)
            pthread_join(w->thread, NULL);
        add_up(r->stats, &w->stats);
        segment_reader_free(w->reader);
        block_free(w->block);
        free(w->parts.at);
    }
    free(workers);
    if (status == OK && r->failed.status != OK) {
        *err = r->failed;
        status = err->status;
    }
    return status;
}

/* ---- which blocks ---- */

/* What is known of the kinds of a segment's blocks: which of the blocks may hold matches. */
struct kinds {
    struct run *run;
    struct segment *segment;
    struct map numbers; /* kind -> place in `may` */
    struct buf key;
    struct {
        bool **at; /* by block; NULL: all may */
        size_t n, cap;
    } may;
};

static void kind_key(struct buf *key, const struct event_kind *kind)
{
    const struct slice parts[] = {kind->product, kind->category, kind->service,
                                  kind->channel, kind->provider, kind->code};
    buf_clear(key);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        buf_add(key, slice_of(&parts[i].n, sizeof parts[i].n));
        buf_add(key, parts[i]);
    }
}

/* Asks the filters of a segment for each way in which a rule of the kind may match. */
static enum status ask_filters(struct kinds *k, const struct event_kind *kind, bool **may,
                               struct error *err)
{
    struct engine_way ways[WAYS];
    struct detector *d = k->run->job->detector;
    size_t n;
    enum status status = OK;
    *may = NULL;
    if (!detector_kind(d, 0, kind) || !detector_ways(d, 0, ways, WAYS, &n))
        return OK;
    bool *all = xcalloc(k->segment->blocks_n, sizeof *all);
    bool *one = xcalloc(k->segment->blocks_n, sizeof *one);
    for (size_t i = 0; status == OK && i < n; i++) {
        for (uint32_t no = 0; no < k->segment->blocks_n; no++)
            one[no] = !all[no];
        status = segment_filter(k->segment, ways[i].keys, ways[i].n, one, err);
        for (uint32_t no = 0; no < k->segment->blocks_n; no++)
            all[no] |= one[no];
    }
    free(one);
    *may = all;
    return status;
}

static enum status may_hold(struct kinds *k, uint32_t no, bool *may, struct error *err)
{
    bool is_new;
    enum status status = OK;
    kind_key(&k->key, &k->segment->blocks[no].kind);
    uint32_t *number = map_put(&k->numbers, buf_slice(&k->key), &is_new);
    if (is_new) {
        bool *list;
        *number = (uint32_t)k->may.n;
        status = ask_filters(k, &k->segment->blocks[no].kind, &list, err);
        *VEC_PUSH(k->may) = list;
    }
    const bool *list = k->may.at[*number];
    *may = !list || list[no];
    return status;
}

static void kinds_free(struct kinds *k)
{
    for (size_t i = 0; i < k->may.n; i++)
        free(k->may.at[i]);
    free(k->may.at);
    map_free(&k->numbers);
    buf_free(&k->key);
}

static enum status list_blocks(struct run *r, struct segment *segment, struct error *err)
{
    struct kinds k = {.run = r, .segment = segment};
    enum status status = OK;
    for (uint32_t no = 0; status == OK && no < segment->blocks_n; no++) {
        bool may = true;
        r->stats->blocks++;
        r->stats->events += segment->blocks[no].rows;
        r->stats->bytes += segment->blocks[no].bytes;
        status = may_hold(&k, no, &may, err);
        if (status == STATUS_BAD_INPUT) { /* what a damaged filter says does not count */
            status = OK;
            may = true;
        }
        r->stats->blocks_filtered += !may;
        if (may)
            *VEC_PUSH(r->tasks) = (struct task){segment, no};
        else
            atomic_fetch_add(&r->bytes_done, segment->blocks[no].bytes);
    }
    kinds_free(&k);
    return status;
}

static enum status list_tasks(struct run *r, struct error *err)
{
    struct store *s = r->job->store;
    enum status status = OK;
    for (size_t i = 0; status == OK && i < s->segments_n; i++) {
        if (s->segments[i].gone || s->segments[i].entry < r->job->entry_least)
            continue;
        struct segment *segment = store_segment(s, i, err);
        status = segment ? list_blocks(r, segment, err) : err->status;
    }
    return status;
}

/* ---- the whole ---- */

enum status retro_run(const struct retro *job, struct retro_stats *stats, struct error *err)
{
    struct run r = {.job = job, .stats = stats};
    int64_t begun = clock_ns();
    *stats = (struct retro_stats){0};
    pthread_mutex_init(&r.lock, NULL);
    pthread_cond_init(&r.ended, NULL);
    enum status status = list_tasks(&r, err);
    if (status == OK)
        status = run_workers(&r, err);
    detector_end(job->detector);
    if (status == OK && job->stop && *job->stop)
        status = error_set(err, STATUS_INTERRUPTED, NULL, ERROR_NO_OFFSET, "interrupted");
    stats->ns = clock_ns() - begun;
    pthread_cond_destroy(&r.ended);
    pthread_mutex_destroy(&r.lock);
    free(r.tasks.at);
    return status;
}
