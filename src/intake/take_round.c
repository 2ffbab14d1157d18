/* A round: files that are read together and come into the store in one transaction. */
#include "intake/take_internal.h"

#include "base/vec.h"
#include "store/known.h"
#include "store/look.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ROUND_FILES = 4096,
    WORKERS_MOST = 256, /* as intake_run has at most */
};
#define ROUND_BYTES (UINT64_C(512) << 20) /* on disk */

/* ---- blocks: what a worker does with each ---- */

struct taker {
    const struct take_state *run;
    struct known_worker *known;
    struct store_sink *store;
    struct block_sink other;
    struct {
        uint64_t *at;
        size_t n, cap;
    } events; /* that were new, by input */
};

static void count_events(struct taker *t, const struct block *b)
{
    for (uint32_t row = 0; row < b->rows; row++) {
        uint32_t input = b->origins[row].input;
        while (t->events.n <= input)
            *VEC_PUSH(t->events) = 0;
        t->events.at[input]++;
    }
}

static void shift_inputs(struct block *b, uint32_t by)
{
    for (uint32_t row = 0; row < b->rows; row++)
        b->origins[row].input += by;
}

static enum status take_block(void *ctx, struct block *b, struct error *err)
{
    struct taker *t = ctx;
    enum status status = OK;
    known_take_out(t->known, b);
    if (!b->rows)
        return OK;
    count_events(t, b);
    if (t->other.full) {
        uint32_t base = t->run->s->next_input;
        shift_inputs(b, base);
        status = t->other.full(t->other.ctx, b, err);
        shift_inputs(b, -base);
    }
    return status == OK ? store_take(t->store, b, err) : status;
}

static struct block_sink sink_of(void *ctx, unsigned worker)
{
    struct take_state *r = ctx;
    struct taker *t = &r->takers[worker];
    t->run = r;
    t->known = known_worker_new(r->known);
    t->store = store_sink_new(r->s);
    if (r->job->sink)
        t->other = r->job->sink(r->job->ctx, worker);
    return (struct block_sink){take_block, t};
}

static enum status done(void *ctx, unsigned worker, struct error *err)
{
    const struct take_state *r = ctx;
    return r->job->done ? r->job->done(r->job->ctx, worker, err) : OK;
}

static void show_progress(void *ctx, const struct intake_progress *p)
{
    const struct take_state *r = ctx;
    struct intake_progress all = {
        .bytes_done = r->before.bytes_done + p->bytes_done,
        .bytes_total = r->bytes_total,
        .events = r->before.events + p->events,
        .inputs_done = r->before.inputs_done + p->inputs_done,
    };
    if (r->job->progress)
        r->job->progress(r->job->ctx, &all);
}

/* ---- a round ---- */

/* The file that each input is, or is in. */
static uint32_t *files_of(struct take_state *r, const struct inputs *in)
{
    size_t n = inputs_count(in);
    uint32_t *top = arena_alloc(&r->arena, n * sizeof *top);
    for (uint32_t i = 0; i < n; i++) { /* a container comes before what is in it */
        uint32_t within = inputs_get(in, i)->within;
        top[i] = within == INPUT_ALONE ? i : top[within];
    }
    return top;
}

static uint64_t events_of(const struct take_state *r, uint32_t input)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < WORKERS_MOST; i++)
        if (input < r->takers[i].events.n)
            n += r->takers[i].events.at[input];
    return n;
}

/* What each file of the round holds, for the journal. */
static void list_inputs(struct take_state *r, const struct inputs *in,
                        const struct problems *problems)
{
    const uint32_t *top = files_of(r, in);
    size_t n = inputs_count(in);
    for (uint32_t i = 0; i < n; i++)
        r->round.at[top[i]].file.inputs_n++;
    for (size_t i = 0; i < r->round.n; i++) {
        struct store_file *f = &r->round.at[i].file;
        f->inputs = arena_zero(&r->arena, f->inputs_n, sizeof *f->inputs);
        f->inputs_n = 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct input *input = inputs_get(in, i);
        struct store_file *f = &r->round.at[top[i]].file;
        uint64_t events = events_of(r, i);
        if (!input->container)
            f->inputs[f->inputs_n++] = (struct store_input){
                .number = i,
                .name = input->name,
                .format = slice_str(input->reader ? input->reader->name : ""),
                .events = events,
                .known = input->events - events,
                .problems = problems_of(problems, i),
            };
    }
}

/* The originals are kept by a thread of its own while the workers read. */
struct keeper {
    struct take_state *r;
    pthread_t thread;
    bool started;
    atomic_bool ending; /* reading failed */
    enum status status;
    struct error err;
    struct candidate *changed; /* a file that is not what it was when it was looked at */
};

static void keep_originals(struct keeper *k)
{
    struct take_state *r = k->r;
    for (size_t i = 0; k->status == OK && i < r->round.n; i++) {
        struct candidate *c = &r->round.at[i];
        if (!c->recognised || !r->job->originals)
            continue;
        if (take_stopped(r) || atomic_load(&k->ending)) {
            k->status = take_interrupted(&k->err);
            return;
        }
        int fd = open(c->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd >= 0)
            k->status = store_keep(r->s, fd, &c->file, &k->err);
        if (fd < 0 || k->status == STATUS_BAD_INPUT) {
            k->status = STATUS_BAD_INPUT;
            k->changed = c;
        }
        if (fd >= 0)
            close(fd);
    }
}

static void *keeper_main(void *p)
{
    keep_originals(p);
    return NULL;
}

/* With one thread alone, one thing after the other. */
static void keeper_start(struct keeper *k)
{
    if (k->r->job->threads != 1 && k->r->job->originals)
        k->started = pthread_create(&k->thread, NULL, keeper_main, k) == 0;
    if (!k->started)
        keep_originals(k);
}

static enum status keeper_end(struct keeper *k, enum status reading, struct error *err)
{
    atomic_store(&k->ending, reading != OK);
    if (k->started)
        pthread_join(k->thread, NULL);
    if (reading != OK || k->status == OK)
        return reading;
    *err = k->err;
    return k->status;
}

/* Whose lines may be there already. */
static void continue_inputs(struct take_state *r)
{
    for (uint32_t i = 0; i < r->round.n; i++) {
        uint32_t *stored;
        size_t n = store_continued_inputs(r->s, &r->round.at[i].file, &stored);
        uint32_t *list = arena_alloc(&r->arena, n * sizeof *list);
        if (n) {
            memcpy(list, stored, n * sizeof *list);
            known_continues(r->known, i, list, n);
        }
        free(stored);
    }
}

static enum status read_round(struct take_state *r, struct inputs *in, struct problems *problems,
                              struct error *err)
{
    const struct take *job = r->job;
    struct intake_counts counts;
    struct intake work = {
        .inputs = in,
        .problems = problems,
        .options = job->options,
        .threads = job->threads,
        .sink = sink_of,
        .done = done,
        .ctx = r,
        .progress = show_progress,
        .stop = job->stop,
    };
    r->known = known_new(r->s);
    continue_inputs(r);
    r->takers = xcalloc(WORKERS_MOST, sizeof *r->takers);
    enum status status = intake_run(&work, &counts, err);
    if (status == OK) {
        list_inputs(r, in, problems);
        r->before.events += counts.events;
        r->before.bytes_done += r->round_bytes;
        r->before.inputs_done += r->round.n;
    }
    for (unsigned i = 0; i < WORKERS_MOST; i++) {
        known_worker_free(r->takers[i].known);
        store_sink_free(r->takers[i].store);
        free(r->takers[i].events.at);
    }
    free(r->takers);
    known_free(r->known);
    return status;
}

static enum status commit_round(struct take_state *r, struct error *err)
{
    size_t n = 0, before = r->s->segments_n;
    struct store_file *files = arena_zero(&r->arena, r->round.n, sizeof *files);
    for (size_t i = 0; i < r->round.n; i++)
        if (r->round.at[i].recognised)
            files[n++] = r->round.at[i].file;
    enum status status = r->job->settle ? r->job->settle(r->job->ctx, err) : OK;
    if (status == OK)
        status = store_commit(r->s, files, n, err);
    if (status == OK && r->job->committed)
        status = r->job->committed(r->job->ctx, err);
    for (size_t i = before; status == OK && i < r->s->segments_n; i++) {
        r->counts->segments++;
        r->counts->segment_bytes += r->s->segments[i].told.bytes;
    }
    return status;
}

static void tell_round(const struct take_state *r)
{
    for (size_t i = 0; i < r->round.n; i++) {
        const struct candidate *c = &r->round.at[i];
        const struct store_file *f = &c->file;
        struct taken t = {.how = c->recognised ? TAKEN_NEW : TAKEN_NOT,
                          .name = f->name,
                          .bytes = f->bytes,
                          .sha256 = f->sha256};
        for (size_t k = 0; k < f->inputs_n; k++) {
            t.events += f->inputs[k].events;
            t.known += f->inputs[k].known;
        }
        if (c->recognised) {
            r->counts->files++;
            r->counts->bytes += f->bytes;
            r->counts->events += t.events;
            r->counts->known_events += t.known;
            r->counts->original_bytes += f->kept_bytes;
        } else {
            r->counts->not_taken++;
        }
        r->job->told(r->job->ctx, &t);
    }
}

static void forget_round(struct take_state *r)
{
    r->round.n = 0;
    r->round_bytes = 0;
    map_clear(&r->round_known);
    arena_reset(&r->arena);
}

/* The files as inputs; NULL with `err` when some are no files any more. */
static struct inputs *round_inputs(struct take_state *r, struct problems *problems,
                                   struct error *err)
{
    const char **paths = arena_zero(&r->arena, r->round.n, sizeof *paths);
    for (size_t i = 0; i < r->round.n; i++)
        paths[i] = r->round.at[i].path;
    struct inputs *in = inputs_find(paths, r->round.n, problems);
    if (inputs_named(in) != r->round.n) { /* a file became a folder */
        inputs_free(in);
        error_set(err, STATUS_SYSTEM, NULL, ERROR_NO_OFFSET,
                  "files are moved while they are taken in; try again");
        return NULL;
    }
    for (uint32_t i = 0; i < r->round.n; i++) {
        const struct store_file *f = &r->round.at[i].file;
        inputs_rename(in, i, f->name);
        if (r->round.at[i].recognised)
            inputs_set_limit(in, i, f->bytes);
    }
    return in;
}

/* One try. *changed: the file that made it fail, since it is another than it was. */
static enum status try_round(struct take_state *r, struct inputs *in, struct problems *problems,
                             struct candidate **changed, struct error *err)
{
    struct keeper keeper = {.r = r};
    enum status status = store_begin(r->s, err);
    if (status != OK)
        return status;
    keeper_start(&keeper);
    if (keeper.started || keeper.status == OK)
        status = read_round(r, in, problems, err);
    status = keeper_end(&keeper, status, err);
    *changed = keeper.changed;
    if (status == OK)
        status = commit_round(r, err);
    store_abandon(r->s); /* when it was not committed */
    return status;
}

/* Leaves a file out that changes all the time. */
static void leave_out(struct take_state *r, struct candidate *changed)
{
    struct taken t = {
        .how = TAKEN_CHANGED, .name = changed->file.name, .bytes = changed->file.bytes};
    r->counts->not_taken++;
    r->counts->problems++;
    r->job->told(r->job->ctx, &t);
    if (r->job->again)
        r->job->again(r->job->ctx);
    size_t at = (size_t)(changed - r->round.at);
    r->round.n--;
    memmove(changed, changed + 1, (r->round.n - at) * sizeof *changed);
    for (size_t i = 0; i < r->round.n; i++) { /* what the try filled in */
        r->round.at[i].file.inputs = NULL;
        r->round.at[i].file.inputs_n = 0;
    }
}

enum status round_take(struct take_state *r, struct error *err)
{
    struct candidate *changed = NULL;
    struct intake_progress before = r->before;
    enum status status = OK;
    do {
        if (changed)
            leave_out(r, changed);
        changed = NULL;
        r->before = before;
        if (!r->round.n)
            break;
        struct problems *problems = problems_new();
        struct inputs *in = round_inputs(r, problems, err);
        status = in ? try_round(r, in, problems, &changed, err) : STATUS_SYSTEM;
        if (in && !changed) {
            r->counts->problems += problems_total(problems);
            if (r->job->unread)
                r->job->unread(r->job->ctx, problems, in);
        }
        inputs_free(in);
        problems_free(problems);
    } while (changed && !take_stopped(r));
    if (changed)
        status = take_interrupted(err);
    if (status == OK)
        tell_round(r);
    forget_round(r);
    return status;
}

enum status round_add(struct take_state *r, const struct candidate *c, struct error *err)
{
    *VEC_PUSH(r->round) = *c;
    r->round_bytes += c->file.bytes;
    return r->round.n == ROUND_FILES || r->round_bytes >= ROUND_BYTES ? round_take(r, err) : OK;
}
