#include "intake/take.h"

#include "base/vec.h"
#include "store/known.h"
#include "store/look.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ROUND_FILES = 4096,
    WORKERS_MOST = 256, /* as intake_run has at most */
};
#define ROUND_BYTES (UINT64_C(512) << 20) /* on disk */

/* A file of a round. */
struct candidate {
    const char *path;
    struct store_file file;
    bool recognised; /* else it is read, so that its problem is told, but not recorded */
};

struct taker; /* a worker's */

struct run {
    const struct take *job;
    struct store *s;
    struct take_counts *counts;
    struct intake_progress before; /* of the rounds that are done */
    uint64_t bytes_total;
    struct slice folder; /* the data folder's real path */
    struct arena names;  /* of files, NUL-terminated */
    struct arena arena;  /* of the round */
    struct {
        struct candidate *at;
        size_t n, cap;
    } round;
    uint64_t round_bytes;
    struct map round_known; /* SHA-256 and heads of the round's files */
    struct known *known;
    struct taker *takers;
};

/* ---- blocks: what a worker does with each ---- */

struct taker {
    const struct run *run;
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
    struct run *r = ctx;
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
    const struct run *r = ctx;
    return r->job->done ? r->job->done(r->job->ctx, worker, err) : OK;
}

static void show_progress(void *ctx, const struct intake_progress *p)
{
    const struct run *r = ctx;
    struct intake_progress all = {
        .bytes_done = r->before.bytes_done + p->bytes_done,
        .bytes_total = r->bytes_total,
        .events = r->before.events + p->events,
        .inputs_done = r->before.inputs_done + p->inputs_done,
    };
    if (r->job->progress)
        r->job->progress(r->job->ctx, &all);
}

static bool stopped(const struct run *r)
{
    return r->job->stop && *r->job->stop;
}

static enum status interrupted(struct error *err)
{
    return error_set(err, STATUS_INTERRUPTED, NULL, ERROR_NO_OFFSET, "interrupted");
}

/* ---- a round ---- */

/* The file that each input is, or is in. */
static uint32_t *files_of(struct run *r, const struct inputs *in)
{
    size_t n = inputs_count(in);
    uint32_t *top = arena_alloc(&r->arena, n * sizeof *top);
    for (uint32_t i = 0; i < n; i++) { /* a container comes before what is in it */
        uint32_t within = inputs_get(in, i)->within;
        top[i] = within == INPUT_ALONE ? i : top[within];
    }
    return top;
}

static uint64_t events_of(const struct run *r, uint32_t input)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < WORKERS_MOST; i++)
        if (input < r->takers[i].events.n)
            n += r->takers[i].events.at[input];
    return n;
}

/* What each file of the round holds, for the journal. */
static void list_inputs(struct run *r, const struct inputs *in, const struct problems *problems)
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

static enum status keep_originals(struct run *r, struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < r->round.n; i++) {
        struct candidate *c = &r->round.at[i];
        if (!c->recognised || !r->job->originals)
            continue;
        if (stopped(r))
            return interrupted(err);
        int fd = open(c->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
            return error_system(err, c->file.name.p, "can't open");
        status = store_keep(r->s, fd, &c->file, err);
        close(fd);
    }
    return status;
}

/* Whose lines may be there already. */
static void continue_inputs(struct run *r)
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

static enum status read_round(struct run *r, struct inputs *in, struct problems *problems,
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

static enum status commit_round(struct run *r, struct error *err)
{
    size_t n = 0, before = r->s->segments_n;
    struct store_file *files = arena_zero(&r->arena, r->round.n, sizeof *files);
    for (size_t i = 0; i < r->round.n; i++)
        if (r->round.at[i].recognised)
            files[n++] = r->round.at[i].file;
    enum status status = r->job->settle ? r->job->settle(r->job->ctx, err) : OK;
    if (status == OK)
        status = store_commit(r->s, files, n, err);
    for (size_t i = before; status == OK && i < r->s->segments_n; i++) {
        r->counts->segments++;
        r->counts->segment_bytes += r->s->segments[i].told.bytes;
    }
    return status;
}

static void tell_round(const struct run *r)
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

static void forget_round(struct run *r)
{
    r->round.n = 0;
    r->round_bytes = 0;
    map_clear(&r->round_known);
    arena_reset(&r->arena);
}

static enum status take_round(struct run *r, struct error *err)
{
    if (!r->round.n)
        return OK;
    const char **paths = arena_zero(&r->arena, r->round.n, sizeof *paths);
    for (size_t i = 0; i < r->round.n; i++)
        paths[i] = r->round.at[i].path;
    struct problems *problems = problems_new();
    struct inputs *in = inputs_find(paths, r->round.n, problems);
    enum status status = OK;
    if (inputs_named(in) != r->round.n) /* a file became a folder */
        status = error_set(err, STATUS_BAD_INPUT, NULL, ERROR_NO_OFFSET,
                           "files are moved while they are taken in; try again");
    for (uint32_t i = 0; status == OK && i < r->round.n; i++)
        inputs_rename(in, i, r->round.at[i].file.name);
    if (status == OK)
        status = store_begin(r->s, err);
    if (status == OK)
        status = keep_originals(r, err);
    if (status == OK)
        status = read_round(r, in, problems, err);
    if (status == OK)
        status = commit_round(r, err);
    store_abandon(r->s); /* when it was not committed */
    r->counts->problems += problems_total(problems);
    if (r->job->unread)
        r->job->unread(r->job->ctx, problems, in);
    if (status == OK)
        tell_round(r);
    inputs_free(in);
    problems_free(problems);
    forget_round(r);
    return status;
}

/* ---- files ---- */

static void tell_known(struct run *r, const struct candidate *c)
{
    struct taken t = {.how = TAKEN_KNOWN,
                      .name = c->file.name,
                      .bytes = c->file.bytes,
                      .sha256 = c->file.sha256,
                      .file = store_file(r->s, &c->file.sha256)};
    r->counts->known++;
    r->bytes_total -= t.bytes < r->bytes_total ? t.bytes : r->bytes_total;
    r->job->told(r->job->ctx, &t);
}

/* Whether the round has a file of this content or head, which it then has. */
static bool in_round(struct run *r, const void *key, size_t n)
{
    bool is_new;
    map_put(&r->round_known, slice_of(key, n), &is_new);
    return !is_new;
}

/* Adds a file to the round, and takes in the round when it is large. */
static enum status add(struct run *r, const struct candidate *c, struct error *err)
{
    *VEC_PUSH(r->round) = *c;
    r->round_bytes += c->file.bytes;
    return r->round.n == ROUND_FILES || r->round_bytes >= ROUND_BYTES ? take_round(r, err) : OK;
}

/* The time of day of the file system, or none. */
static timestamp modified(const struct stat *st)
{
    return st->st_mtim.tv_sec * NS_PER_SECOND + st->st_mtim.tv_nsec;
}

/* Looks at an open file; takes the round in before when that may have the same or the beginning of
 * it, since what is to be found must be there. */
static enum status look(struct run *r, int fd, struct candidate *c, struct error *err)
{
    uint64_t head = file_head(fd);
    enum status status = OK;
    if (head && in_round(r, &head, sizeof head)) {
        status = take_round(r, err);
        in_round(r, &head, sizeof head);
    }
    if (status == OK)
        status = store_look_at(r->s, fd, &c->file, r->job->stop, err);
    if (status == OK && in_round(r, c->file.sha256.bytes, HASH_BYTES))
        status = take_round(r, err);
    return status;
}

static enum status take_file(struct run *r, const char *path, struct slice name, struct error *err)
{
    struct candidate c = {.path = path};
    struct stat st;
    c.file = (struct store_file){.name = arena_slice(&r->names, name),
                                 .by = slice_str(r->job->by),
                                 .taken = timestamp_now()};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0) {
        if (fd >= 0)
            close(fd);
        return add(r, &c, err); /* reading it tells why it can't be */
    }
    c.file.modified = modified(&st);
    enum status status = look(r, fd, &c, err);
    close(fd);
    if (status != OK)
        return status;
    if (store_file(r->s, &c.file.sha256)) {
        tell_known(r, &c);
        return OK;
    }
    c.recognised = intake_recognises(path);
    return add(r, &c, err);
}

/* ---- streams: what comes from a pipe is put into a file first ---- */

/* At most `room` bytes of a stream; 0 at its end, -1 with errno, EINTR when the user wants to stop. */
static ssize_t read_stream(const struct run *r, int fd, char *to, size_t room)
{
    enum { WAIT_MS = 100 };
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (!stopped(r)) {
        int ready = poll(&p, 1, WAIT_MS);
        if (ready < 0 && errno != EINTR)
            return -1;
        ssize_t n = ready > 0 ? read(fd, to, room) : -1;
        if (ready > 0 && (n >= 0 || (errno != EINTR && errno != EAGAIN)))
            return n;
    }
    errno = EINTR;
    return -1;
}

static enum status spool(struct run *r, int from, const char *name, const char *path,
                         struct error *err)
{
    int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (to < 0)
        return error_system(err, path, "can't make the file");
    char *chunk = xmalloc(BATCH_BYTES);
    enum status status = OK;
    ssize_t n = 1;
    while (status == OK && n > 0) {
        n = read_stream(r, from, chunk, BATCH_BYTES);
        if (n < 0 && errno == EINTR)
            status = interrupted(err);
        else if (n < 0)
            status = error_system(err, name, "can't be read");
        else
            status = io_write(&store_io_system, to, path, slice_of(chunk, (size_t)n), err);
    }
    close(to);
    free(chunk);
    return status;
}

static enum status take_stream(struct run *r, const char *path, struct slice name,
                               struct error *err)
{
    char to[PATH_BYTES];
    bool standard = strcmp(path, "-") == 0;
    int from = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (from < 0)
        return error_system(err, path, "can't open");
    snprintf(to, sizeof to, "%s/incoming", r->s->path);
    enum status status = take_round(r, err);
    if (status == OK)
        status = spool(r, from, standard ? "standard input" : path, to, err);
    if (status == OK)
        status = take_file(r, to, name, err);
    if (status == OK)
        status = take_round(r, err);
    unlink(to);
    if (!standard)
        close(from);
    return status;
}

/* ---- the whole ---- */

/* What is in the data folder itself has been taken in. */
static bool is_own(const struct run *r, const char *path)
{
    char *real = realpath(path, NULL);
    struct slice s = slice_str(real);
    bool own = real && slice_starts(s, r->folder) &&
               slice_starts(slice_sub(s, r->folder.n, s.n), SLICE("/"));
    free(real);
    return own;
}

static bool is_stream(const char *path)
{
    struct stat st;
    return strcmp(path, "-") == 0 || (stat(path, &st) == 0 && !S_ISREG(st.st_mode));
}

enum status take_run(const struct take *job, const struct inputs *inputs,
                     struct take_counts *counts, struct error *err)
{
    struct run r = {
        .job = job, .s = job->store, .counts = counts, .bytes_total = inputs_bytes(inputs)};
    enum status status = OK;
    char *folder = realpath(r.s->path, NULL);
    r.folder = slice_str(folder);
    *counts = (struct take_counts){0};
    for (uint32_t i = 0; status == OK && i < inputs_named(inputs); i++) {
        const char *path = inputs_path(inputs, i);
        struct slice name = inputs_get(inputs, i)->name;
        if (!path || is_own(&r, path)) { /* no path: it was told when it was looked for */
            counts->not_taken++;
            continue;
        }
        if (stopped(&r))
            status = interrupted(err);
        else if (is_stream(path))
            status = take_stream(&r, path, name, err);
        else
            status = take_file(&r, path, name, err);
    }
    if (status == OK)
        status = take_round(&r, err);
    free(r.round.at);
    map_free(&r.round_known);
    arena_free(&r.names);
    arena_free(&r.arena);
    free(folder);
    return status;
}
