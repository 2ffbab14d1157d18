#include "intake/intake_internal.h"

#include "base/buf.h"
#include "base/locale.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    WAIT_MS = 100,       /* how soon a reader of a silent pipe sees that all is ending */
    UTF16_ROOM = 1 << 16 /* bytes of UTF-16 converted at once */
};

struct slice stream_peek(struct stream *s, bool *whole)
{
    if (!s->head)
        s->head = xmalloc(STREAM_HEAD);
    *whole = false;
    while (s->head_n < STREAM_HEAD) {
        ssize_t n = s->read(s, s->head + s->head_n, STREAM_HEAD - s->head_n);
        if (n <= 0) {
            *whole = n == 0;
            break;
        }
        s->head_n += (size_t)n;
    }
    return slice_of(s->head, s->head_n);
}

ssize_t stream_read(struct stream *s, char *to, size_t room)
{
    if (s->head_at == s->head_n)
        return s->read(s, to, room);
    size_t n = s->head_n - s->head_at;
    if (n > room)
        n = room;
    memcpy(to, s->head + s->head_at, n);
    s->head_at += n;
    return (ssize_t)n;
}

bool stream_seek(struct stream *s, uint64_t at)
{
    if (!s->seek || !s->seek(s, at))
        return false;
    s->head_at = s->head_n = 0;
    return true;
}

/* ---- files and pipes ---- */

struct file {
    struct stream face;
    struct intake_flow *flow;
    int fd;
    bool waits;       /* a pipe or terminal, whose bytes may be long in coming */
    uint64_t at, end; /* end: nothing is read from there on */
};

/* Waits until there is something to read; false when all is ending. */
static bool wait_for_bytes(const struct file *f)
{
    struct pollfd p = {.fd = f->fd, .events = POLLIN};
    while (!atomic_load(&f->flow->ending)) {
        int n = poll(&p, 1, WAIT_MS);
        if (n > 0 || (n < 0 && errno != EINTR))
            return true;
    }
    return false;
}

static ssize_t file_read(struct stream *s, char *to, size_t room)
{
    struct file *f = (struct file *)s;
    ssize_t n;
    if (atomic_load(&f->flow->ending))
        return 0;
    if (f->end - f->at < room)
        room = (size_t)(f->end - f->at);
    if (room == 0)
        return 0;
    do {
        if (f->waits && !wait_for_bytes(f))
            return 0;
        n = f->waits ? read(f->fd, to, room) : pread(f->fd, to, room, (off_t)f->at);
    } while (n < 0 && (errno == EINTR || errno == EAGAIN));
    if (n < 0)
        snprintf(s->failure, sizeof s->failure, _("can't be read: %s"), error_reason(errno));
    if (n > 0) {
        f->at += (uint64_t)n;
        atomic_fetch_add(&f->flow->disk_done, (uint64_t)n);
    }
    return n;
}

static bool file_seek(struct stream *s, uint64_t at)
{
    struct file *f = (struct file *)s;
    if (at > f->end)
        return false;
    f->at = at;
    return true;
}

struct stream *stream_open(const char *path, uint64_t most, struct intake_flow *flow,
                           char failure[160])
{
    struct stat st;
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO
                                    : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0) {
        snprintf(failure, 160, _("can't be opened: %s"), error_reason(errno));
        if (fd > STDIN_FILENO)
            close(fd);
        return NULL;
    }
    struct file *f = xcalloc(1, sizeof *f);
    f->face.read = file_read;
    f->flow = flow;
    f->fd = fd;
    f->end = most;
    f->waits = !S_ISREG(st.st_mode);
    if (fd == STDIN_FILENO && !f->waits) { /* where the shell left it */
        off_t at = lseek(fd, 0, SEEK_CUR);
        f->at = at > 0 ? (uint64_t)at : 0;
    } else if (!f->waits) {
        f->face.seek = file_seek;
        f->face.size = (uint64_t)st.st_size < most ? (uint64_t)st.st_size : most;
        posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    return &f->face;
}

/* ---- UTF-16 ---- */

struct utf16 {
    struct stream face;
    struct stream *below;
    bool big_endian;
    char raw[UTF16_ROOM]; /* what was read; a half character waits for its other half */
    size_t raw_n;
    struct arena text;
    struct slice left; /* of the text, not yet given out */
};

bool stream_is_utf16(struct slice head)
{
    return slice_starts(head, SLICE("\xff\xfe")) || slice_starts(head, SLICE("\xfe\xff"));
}

/* How many bytes of UTF-16LE end with a whole character. */
static size_t whole_characters(struct slice s, bool end)
{
    size_t n = s.n & ~(size_t)1;
    bool half = n >= 2 && ((unsigned char)s.p[n - 1] & 0xfc) == 0xd8; /* a high surrogate */
    return half && !end ? n - 2 : n;
}

static ssize_t utf16_fill(struct utf16 *u)
{
    size_t before = u->raw_n;
    ssize_t n = stream_read(u->below, u->raw + u->raw_n, sizeof u->raw - u->raw_n);
    if (n < 0) {
        memcpy(u->face.failure, u->below->failure, sizeof u->face.failure);
        return n;
    }
    u->raw_n += (size_t)n;
    if (u->big_endian)
        for (size_t i = before & ~(size_t)1; i + 1 < u->raw_n; i += 2) {
            char high = u->raw[i];
            u->raw[i] = u->raw[i + 1];
            u->raw[i + 1] = high;
        }
    size_t use = whole_characters(slice_of(u->raw, u->raw_n), n == 0);
    arena_reset(&u->text);
    u->left = utf16_to_utf8(&u->text, slice_of(u->raw, use));
    memmove(u->raw, u->raw + use, u->raw_n - use);
    u->raw_n = n == 0 ? 0 : u->raw_n - use;
    return n;
}

static ssize_t utf16_read(struct stream *s, char *to, size_t room)
{
    struct utf16 *u = (struct utf16 *)s;
    while (!u->left.n) {
        ssize_t n = utf16_fill(u);
        if (n < 0 || (n == 0 && !u->left.n))
            return n;
    }
    size_t n = u->left.n < room ? u->left.n : room;
    memcpy(to, u->left.p, n);
    u->left = slice_sub(u->left, n, u->left.n);
    return (ssize_t)n;
}

struct stream *stream_utf16(struct stream *below)
{
    char mark[2] = {0};
    for (size_t n = 0; n < sizeof mark;) {
        ssize_t got = stream_read(below, mark + n, sizeof mark - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    struct utf16 *u = xcalloc(1, sizeof *u);
    u->face.read = utf16_read;
    u->below = below;
    u->big_endian = mark[0] == '\xfe';
    return &u->face;
}

/* ---- in memory ---- */

struct spool {
    struct stream face;
    struct stream *below;
    struct buf bytes;
    size_t at;
};

static ssize_t spool_read(struct stream *s, char *to, size_t room)
{
    struct spool *p = (struct spool *)s;
    struct slice left = slice_sub(buf_slice(&p->bytes), p->at, room);
    if (left.n) {
        memcpy(to, left.p, left.n);
        p->at += left.n;
        return (ssize_t)left.n;
    }
    ssize_t n = s->seek ? 0 : stream_read(p->below, to, room);
    if (n < 0)
        memcpy(s->failure, p->below->failure, sizeof s->failure);
    return n;
}

static bool spool_seek(struct stream *s, uint64_t at)
{
    if (at > s->size)
        return false;
    ((struct spool *)s)->at = at;
    return true;
}

struct stream *stream_spool(struct stream *below, size_t most)
{
    struct spool *p = xcalloc(1, sizeof *p);
    p->face.read = spool_read;
    p->below = below;
    ssize_t n = 1;
    while (n > 0 && p->bytes.n < most) {
        n = stream_read(below, buf_room(&p->bytes, STREAM_HEAD), STREAM_HEAD);
        p->bytes.n += n > 0 ? (size_t)n : 0;
    }
    if (n == 0) {
        p->face.seek = spool_seek;
        p->face.size = p->bytes.n;
    }
    return &p->face;
}

void stream_close(struct stream *s)
{
    if (!s)
        return;
    if (s->read == file_read && ((struct file *)s)->fd != STDIN_FILENO)
        close(((struct file *)s)->fd);
    if (s->read == utf16_read)
        arena_free(&((struct utf16 *)s)->text);
    if (s->read == spool_read)
        buf_free(&((struct spool *)s)->bytes);
    free(s->head);
    free(s);
}
