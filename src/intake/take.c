#include "intake/take_internal.h"

#include "store/look.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum status take_interrupted(struct error *err)
{
    return error_set(err, STATUS_INTERRUPTED, NULL, ERROR_NO_OFFSET, "interrupted");
}

/* ---- files ---- */

static void tell_known(struct take_state *r, const struct candidate *c)
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
static bool in_round(struct take_state *r, const void *key, size_t n)
{
    bool is_new;
    map_put(&r->round_known, slice_of(key, n), &is_new);
    return !is_new;
}

static timestamp modified(const struct stat *st)
{
    return st->st_mtim.tv_sec * NS_PER_SECOND + st->st_mtim.tv_nsec;
}

/* Looks at an open file; takes the round in before when that may have the same or the beginning of
 * it, since what is to be found must be there. */
static enum status look(struct take_state *r, int fd, struct candidate *c, struct error *err)
{
    uint64_t head = file_head(fd);
    enum status status = OK;
    if (head && in_round(r, &head, sizeof head)) {
        status = round_take(r, err);
        in_round(r, &head, sizeof head);
    }
    if (status == OK)
        status = store_look_at(r->s, fd, &c->file, r->job->stop, err);
    if (status == OK && in_round(r, c->file.sha256.bytes, HASH_BYTES))
        status = round_take(r, err);
    return status;
}

enum status take_file(struct take_state *r, const char *path, struct slice name, struct error *err)
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
        return round_add(r, &c, err); /* reading it tells why it can't be */
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
    return round_add(r, &c, err);
}

/* ---- the whole ---- */

/* What is in the data folder itself has been taken in. */
static bool is_own(const struct take_state *r, const char *path)
{
    char *real = realpath(path, NULL);
    struct slice s = slice_str(real);
    bool own = real && r->folder.n && slice_starts(s, r->folder) &&
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
    struct take_state r = {
        .job = job, .s = job->store, .counts = counts, .bytes_total = inputs_bytes(inputs)};
    enum status status = OK;
    char *folder = realpath(r.s->path, NULL);
    r.folder = slice_str(folder);
    *counts = (struct take_counts){0};
    status = take_left_stream(&r, err);
    for (uint32_t i = 0; status == OK && i < inputs_named(inputs); i++) {
        const char *path = inputs_path(inputs, i);
        struct slice name = inputs_get(inputs, i)->name;
        if (!path || is_own(&r, path)) { /* no path: it was told when it was looked for */
            counts->not_taken++;
            continue;
        }
        if (take_stopped(&r))
            status = take_interrupted(err);
        else if (is_stream(path))
            status = take_stream(&r, path, name, err);
        else
            status = take_file(&r, path, name, err);
    }
    if (status == OK)
        status = round_take(&r, err);
    if (status == OK && counts->files)
        status = store_merge(r.s, err);
    free(r.round.at);
    map_free(&r.round_known);
    arena_free(&r.names);
    arena_free(&r.arena);
    free(folder);
    return status;
}
