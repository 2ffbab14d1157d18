#include "hunt/local_internal.h"

#include "base/vec.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

static bool takes(void *ctx, const struct plan *p, const struct plan_operator *op)
{
    (void)ctx;
    (void)p;
    while (op->kind == OP_WHERE)
        op = op->input;
    return op->kind == OP_SCAN && !op->scan.table->columns;
}

static bool is_over(const struct scan *s)
{
    return s->over || (s->order->stop && *s->order->stop);
}

static void fail(struct scan *s, enum status status, const struct error *err)
{
    pthread_mutex_lock(&s->lock);
    if (s->status == OK) {
        s->status = status;
        s->failure = *err;
    }
    pthread_mutex_unlock(&s->lock);
    s->over = true;
}

/* ---- which blocks ---- */

static void prune_times(struct worker *w, const struct segment *segment, bool *may)
{
    const struct scan *s = w->scan;
    for (uint32_t no = 0; no < segment->blocks_n; no++) {
        const struct stored_block *b = &segment->blocks[no];
        may[no] =
            !s->nothing &&
            (!s->ranged || (b->first != TIMESTAMP_NONE && b->first <= s->to && b->last >= s->from));
        w->figures.blocks_by_time += !may[no];
    }
}

static void prune_kinds(struct worker *w, const struct segment *segment, bool *may)
{
    for (uint32_t no = 0; no < segment->blocks_n; no++) {
        if (!may[no])
            continue;
        const struct event_kind *kind = &segment->blocks[no].kind;
        arena_reset(&w->arena);
        may[no] = kind_wanted(w, kind, names_find(&w->kinds, w->scan, kind));
        w->figures.blocks_by_kind += !may[no];
    }
}

static uint64_t count_true(const bool *may, uint32_t n)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < n; i++)
        count += may[i];
    return count;
}

/* Which blocks lack the text of a number that a condition asks for. */
static enum status ask_numbers(struct worker *w, const struct segment *segment, const bool *may,
                               uint32_t *lacks, struct error *err)
{
    enum status status = OK;
    bool *has = arena_alloc(&w->arena, segment->blocks_n * sizeof *has);
    for (uint32_t i = 0; status == OK && i < w->scan->conditions_n; i++) {
        const struct number_test *t = &w->scan->conditions[i].test;
        if (!t->keys_n)
            continue;
        memcpy(has, may, segment->blocks_n * sizeof *has);
        status = segment_filter(segment, t->keys, t->keys_n, has, err);
        for (uint32_t no = 0; no < segment->blocks_n; no++)
            lacks[no] |= has[no] ? 0 : (uint32_t)1 << t->bit;
    }
    return status;
}

static enum status prune_filters(struct worker *w, const struct segment *segment, bool *may,
                                 uint32_t *lacks, struct error *err)
{
    enum status status = OK;
    uint64_t before = count_true(may, segment->blocks_n);
    for (uint32_t i = 0; status == OK && i < w->scan->conditions_n; i++)
        if (w->scan->conditions[i].need)
            status = need_ask(w->scan->conditions[i].need, segment, may, err);
    if (status == OK)
        status = ask_numbers(w, segment, may, lacks, err);
    w->figures.blocks_by_filter += before - count_true(may, segment->blocks_n);
    return status;
}

static enum status look_at_segment(struct worker *w, uint32_t number, struct error *err)
{
    struct scan *s = w->scan;
    const struct store_segment *entry = &s->local->store->segments[number];
    const struct segment *segment = entry->open;
    w->figures.segments++;
    w->figures.blocks += entry->told.blocks;
    if (s->nothing || (s->ranged && (entry->told.first == TIMESTAMP_NONE ||
                                     entry->told.first > s->to || entry->told.last < s->from))) {
        w->figures.segments_pruned++;
        w->figures.blocks_by_time += entry->told.blocks;
        return OK;
    }
    struct arena a = {0};
    bool *may = arena_zero(&a, segment->blocks_n, sizeof *may);
    uint32_t *lacks = arena_zero(&a, segment->blocks_n, sizeof *lacks);
    prune_times(w, segment, may);
    prune_kinds(w, segment, may);
    arena_reset(&w->arena);
    enum status status = prune_filters(w, segment, may, lacks, err);
    pthread_mutex_lock(&s->lock);
    for (uint32_t no = 0; status == OK && no < segment->blocks_n; no++)
        if (may[no])
            *VEC_PUSH(s->jobs) = (struct block_job){number, no, lacks[no]};
    pthread_mutex_unlock(&s->lock);
    arena_free(&a);
    return status;
}

/* ---- workers ---- */

static uint64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_PER_SECOND + (uint64_t)t.tv_nsec;
}

static void add_figures(struct scan *s, const struct hunt_figures *own)
{
    struct hunt_figures *all = s->order->figures;
    pthread_mutex_lock(&s->lock);
    all->segments += own->segments;
    all->segments_pruned += own->segments_pruned;
    all->blocks += own->blocks;
    all->blocks_by_time += own->blocks_by_time;
    all->blocks_by_filter += own->blocks_by_filter;
    all->blocks_by_kind += own->blocks_by_kind;
    all->blocks_by_range += own->blocks_by_range;
    all->blocks_by_values += own->blocks_by_values;
    all->blocks_read += own->blocks_read;
    all->events += own->events;
    all->columns_read += own->columns_read;
    all->bytes_read += own->bytes_read;
    all->rows_found += own->rows_found;
    all->texts_given_up += own->texts_given_up;
    all->ns_prune += own->ns_prune;
    all->ns_read += own->ns_read;
    all->ns_conditions += own->ns_conditions;
    all->ns_operators += own->ns_operators;
    pthread_mutex_unlock(&s->lock);
}

static void find_jobs(struct worker *w)
{
    struct scan *s = w->scan;
    struct error err;
    uint64_t begin = clock_ns();
    for (size_t i; !is_over(s) && (i = s->next_segment++) < s->local->store->segments_n;) {
        if (s->local->store->segments[i].gone)
            continue;
        enum status status = look_at_segment(w, (uint32_t)i, &err);
        if (status != OK)
            fail(s, status, &err);
    }
    w->figures.ns_prune += clock_ns() - begin;
}

static void do_jobs(struct worker *w)
{
    struct scan *s = w->scan;
    struct error err = {0};
    for (size_t i; !is_over(s) && (i = s->next_job++) < s->jobs.n;) {
        enum flow flow = block_run(w, &s->jobs.at[i], &err);
        if (flow == FLOW_FAILED)
            fail(s, err.status, &err);
        else if (flow == FLOW_ENOUGH)
            s->over = true;
    }
}

static void *find_jobs_thread(void *worker)
{
    find_jobs(worker);
    return NULL;
}

static void *do_jobs_thread(void *worker)
{
    do_jobs(worker);
    return NULL;
}

/* The first worker is the caller. Where a thread can't be made there is one less. */
static void all_do(struct worker *workers, unsigned n, void *(*what)(void *))
{
    pthread_t *threads = xcalloc(n, sizeof *threads);
    bool *made = xcalloc(n, sizeof *made);
    for (unsigned i = 1; i < n; i++)
        made[i] = pthread_create(&threads[i], NULL, what, &workers[i]) == 0;
    what(&workers[0]);
    for (unsigned i = 1; i < n; i++)
        if (made[i])
            pthread_join(threads[i], NULL);
    free(made);
    free(threads);
}

static void run_workers(struct scan *s)
{
    unsigned n = s->order->workers;
    struct worker *workers = xcalloc(n, sizeof *workers);
    for (unsigned i = 0; i < n; i++) {
        workers[i] = (struct worker){.scan = s, .number = i};
        workers[i].evaluator = evaluator_new();
        workers[i].reader = segment_reader_new(true);
        workers[i].block = block_alone();
    }
    all_do(workers, n, find_jobs_thread);
    all_do(workers, s->jobs.n < n ? (s->jobs.n ? (unsigned)s->jobs.n : 1) : n, do_jobs_thread);
    for (unsigned i = 0; i < n; i++) {
        workers[i].figures.texts_given_up = evaluator_given_up(workers[i].evaluator);
        add_figures(s, &workers[i].figures);
        evaluator_free(workers[i].evaluator);
        segment_reader_free(workers[i].reader);
        block_free(workers[i].block);
        names_free(&workers[i].kinds);
        arena_free(&workers[i].arena);
    }
    free(workers);
}

static enum status run(void *ctx, const struct scan_order *order, struct error *err)
{
    struct scan s = {.order = order, .local = ctx};
    pthread_mutex_init(&s.lock, NULL);
    enum status status = scan_plan(&s, err);
    if (status == OK)
        run_workers(&s);
    if (status == OK && s.status != OK) {
        status = s.status;
        *err = s.failure;
    }
    if (status == OK && order->stop && *order->stop)
        status = error_set(err, STATUS_INTERRUPTED, NULL, ERROR_NO_OFFSET, "interrupted");
    for (uint32_t i = 0; i < s.conditions_n; i++)
        expr_release(s.conditions[i].x);
    free(s.jobs.at);
    arena_free(&s.arena);
    pthread_mutex_destroy(&s.lock);
    return status;
}

struct backend local_backend(struct local_events *local)
{
    return (struct backend){"local", takes, run, local};
}
