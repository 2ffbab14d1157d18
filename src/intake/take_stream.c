/*
 * Streams: what comes from a pipe that may never end. Whole records are appended to DIR/incoming and
 * synced, which makes them safe: that file is the write-ahead log. Every now and then it is taken in as
 * any file is, and goes away. When a process dies in between, the next intake takes in what is there;
 * if it had been taken in already, its content is known.
 *
 * What can't be cut between records (compressed streams, binary formats) is safe only when it has
 * ended.
 */
#include "intake/take_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    WAIT_MS = 100,        /* how soon a stop is seen */
    READ_BYTES = 1 << 16, /* what a pipe holds */
    SAFE_BYTES = 4 << 20, /* this much waits at most */
    TAKE_BYTES = 64 << 20 /* this much is taken in at once */
};
#define SAFE_NS NS_PER_SECOND
#define TAKE_NS (60 * NS_PER_SECOND) /* unless the user says how often */

struct pouring {
    struct take_state *r;
    const char *from_name;
    struct slice name;
    int from, to;
    const struct reader *reader;
    struct buf pending;    /* read, not safe yet */
    int64_t pending_since; /* monotonic, ns; of the first byte */
    size_t want;           /* bytes at which it is made safe */
    uint64_t offset;       /* of the pending bytes in the stream */
    char path[PATH_BYTES];
    uint64_t in_file;
    int64_t file_since;
    bool end, stopped;
};

static void incoming_path(const struct take_state *r, const char *name, char out[PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "%s/%s", r->s->path, name);
}

/* Waits a moment for more. */
static enum status fill(struct pouring *p, struct error *err)
{
    struct pollfd ready = {.fd = p->from, .events = POLLIN};
    if (take_stopped(p->r)) {
        p->end = p->stopped = true;
        return OK;
    }
    int n = poll(&ready, 1, WAIT_MS);
    if (n == 0 || (n < 0 && errno == EINTR))
        return OK;
    ssize_t got = read(p->from, buf_room(&p->pending, READ_BYTES), READ_BYTES);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return OK;
    if (got < 0)
        return error_system(err, p->from_name, "can't be read");
    if (!p->pending.n)
        p->pending_since = monotonic_ns();
    p->pending.n += (size_t)got;
    p->end = got == 0;
    return OK;
}

static enum status open_file(struct pouring *p, const char *name, struct error *err)
{
    incoming_path(p->r, name, p->path);
    p->to = open(p->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (p->to < 0)
        return error_system(err, p->path, "can't make the file");
    p->in_file = 0;
    p->file_since = monotonic_ns();
    return io_sync_folder(&store_io_system, p->r->s->path, err);
}

/* Writes the first n pending bytes. */
static enum status write_pending(struct pouring *p, size_t n, struct error *err)
{
    enum status status =
        io_write(&store_io_system, p->to, p->path, slice_sub(buf_slice(&p->pending), 0, n), err);
    if (status != OK)
        return status;
    memmove(p->pending.p, p->pending.p + n, p->pending.n - n);
    p->pending.n -= n;
    p->pending_since = monotonic_ns();
    p->offset += n;
    p->in_file += n;
    return OK;
}

/* Makes whole records safe; at the end of the stream all of it. */
static enum status save(struct pouring *p, struct error *err)
{
    size_t n = p->pending.n;
    if ((!p->end || p->stopped) && n < BATCH_BYTES_MOST)
        n = intake_cut(p->reader, buf_slice(&p->pending), p->offset);
    p->want = n ? SAFE_BYTES : p->pending.n * 2;
    p->pending_since = monotonic_ns();
    if (!n)
        return OK;
    enum status status = p->to < 0 ? open_file(p, "incoming", err) : OK;
    if (status == OK)
        status = write_pending(p, n, err);
    if (status == OK && fdatasync(p->to) != 0)
        status = error_system(err, p->path, "can't write to the disk");
    if (status == OK && p->r->job->safe)
        p->r->job->safe(p->r->job->ctx, p->name, p->offset);
    return status;
}

/* Takes the file in, also after the user wanted to stop: what is safe is not left lying about. */
static enum status take_in(struct pouring *p, struct error *err)
{
    if (p->to < 0)
        return OK;
    const struct take *job = p->r->job;
    struct take unstopped = *job;
    unstopped.stop = NULL;
    close(p->to);
    p->to = -1;
    p->r->job = &unstopped;
    enum status status = take_file(p->r, p->path, p->name, err);
    if (status == OK)
        status = round_take(p->r, err);
    p->r->job = job;
    if (status != OK)
        return status;
    unlink(p->path);
    return store_merge(p->r->s, err); /* a stream brings many small segments */
}

static bool is_due(int64_t since, int64_t period)
{
    return monotonic_ns() - since >= period;
}

static enum status pour_records(struct pouring *p, struct error *err)
{
    int64_t period = p->r->job->every ? p->r->job->every : TAKE_NS;
    enum status status = OK;
    for (;;) {
        if (p->pending.n &&
            (p->end || p->pending.n >= p->want || is_due(p->pending_since, SAFE_NS)))
            status = save(p, err);
        if (status == OK && p->to >= 0 &&
            (p->end || p->in_file >= TAKE_BYTES || is_due(p->file_since, period)))
            status = take_in(p, err);
        if (status != OK || p->end)
            return status;
        status = fill(p, err);
        if (status != OK)
            return status;
    }
}

static enum status pour_whole(struct pouring *p, struct error *err)
{
    enum status status = open_file(p, "incoming.part", err);
    while (status == OK) {
        status = write_pending(p, p->pending.n, err);
        if (status != OK || p->end)
            break;
        status = fill(p, err);
    }
    if (status == OK && !p->stopped)
        return take_in(p, err);
    unlink(p->path);
    return status;
}

/* Reads until it is clear what comes. */
static enum status pour(struct pouring *p, struct error *err)
{
    enum intake_stream what = STREAM_UNKNOWN;
    enum status status = OK;
    while (status == OK && what == STREAM_UNKNOWN && !p->end && p->pending.n < HEAD_BYTES) {
        status = fill(p, err);
        if (p->pending.n || p->end)
            what = intake_stream_is(buf_slice(&p->pending), p->end, p->name, &p->reader);
    }
    if (status != OK || !p->pending.n)
        return status;
    if (what == STREAM_UNKNOWN)
        p->end = true; /* no more of it is read; taking it in tells why */
    return what == STREAM_RECORDS ? pour_records(p, err) : pour_whole(p, err);
}

enum status take_stream(struct take_state *r, const char *path, struct slice name,
                        struct error *err)
{
    bool standard = strcmp(path, "-") == 0;
    struct pouring p = {.r = r,
                        .from_name = standard ? "standard input" : path,
                        .name = name,
                        .to = -1,
                        .want = SAFE_BYTES};
    p.from = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (p.from < 0)
        return error_system(err, path, "can't open");
    enum status status = round_take(r, err);
    if (status == OK)
        status = pour(&p, err);
    if (status == OK && p.stopped)
        status = take_interrupted(err);
    if (p.to >= 0)
        close(p.to);
    if (!standard)
        close(p.from);
    buf_free(&p.pending);
    return status;
}

enum status take_left_stream(struct take_state *r, struct error *err)
{
    char path[PATH_BYTES];
    struct stat st;
    incoming_path(r, "incoming.part", path);
    unlink(path); /* of it nothing was said to be safe */
    incoming_path(r, "incoming", path);
    if (stat(path, &st) != 0)
        return OK;
    enum status status = OK;
    if (st.st_size)
        status = take_file(r, path, SLICE("standard input"), err);
    if (status == OK)
        status = round_take(r, err);
    if (status == OK)
        unlink(path);
    return status;
}
