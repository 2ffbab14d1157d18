#include "memory_io.h"

#include "base/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

struct memory_file {
    bool folder;
    char *bytes, *synced;
    size_t n, cap, synced_n;
    int locked_by; /* 1 + the descriptor, or 0 */
};

/* A name in a folder, as it is now and as it was when the folder was last synced. */
struct memory_name {
    char *path;
    struct memory_file *now, *synced;
};

struct memory_fd {
    struct memory_file *file; /* NULL: closed */
    char *path;
    size_t at;
};

/* Counts a call that changes something; false when it is to fail. */
static bool may(struct memory_io *m)
{
    m->calls++;
    if ((m->fail_at && m->calls == m->fail_at) || (m->dead_at && m->calls >= m->dead_at)) {
        errno = m->fail_errno ? m->fail_errno : EIO;
        return false;
    }
    return true;
}

static struct memory_name *find(const struct memory_io *m, const char *path)
{
    for (size_t i = 0; i < m->names_n; i++)
        if (strcmp(m->names[i].path, path) == 0)
            return &m->names[i];
    return NULL;
}

static struct memory_file *new_file(struct memory_io *m, bool folder)
{
    if (m->files_n == m->files_cap) {
        m->files_cap = m->files_cap ? m->files_cap * 2 : 16;
        m->files = xrealloc(m->files, m->files_cap, sizeof *m->files);
    }
    struct memory_file *f = xcalloc(1, sizeof *f);
    f->folder = folder;
    return m->files[m->files_n++] = f;
}

static struct memory_name *name_of(struct memory_io *m, const char *path)
{
    struct memory_name *name = find(m, path);
    if (name)
        return name;
    if (m->names_n == m->names_cap) {
        m->names_cap = m->names_cap ? m->names_cap * 2 : 16;
        m->names = xrealloc(m->names, m->names_cap, sizeof *m->names);
    }
    name = &m->names[m->names_n++];
    *name = (struct memory_name){.path = strdup(path)};
    return name;
}

static int open_fd(struct memory_io *m, struct memory_file *file, const char *path)
{
    if (m->fds_n == m->fds_cap) {
        m->fds_cap = m->fds_cap ? m->fds_cap * 2 : 16;
        m->fds = xrealloc(m->fds, m->fds_cap, sizeof *m->fds);
    }
    m->fds[m->fds_n] = (struct memory_fd){file, strdup(path), 0};
    return (int)m->fds_n++;
}

static struct memory_fd *fd_of(struct memory_io *m, int fd)
{
    if (fd < 0 || (size_t)fd >= m->fds_n || !m->fds[fd].file) {
        fprintf(stderr, "memory_io: descriptor %d is not open\n", fd);
        abort();
    }
    return &m->fds[fd];
}

static int mem_open(void *ctx, const char *path, int flags, mode_t mode)
{
    (void)mode;
    struct memory_io *m = ctx;
    struct memory_name *name = find(m, path);
    bool changes = flags & (O_CREAT | O_TRUNC);
    if (changes && !may(m))
        return -1;
    if (m->dead_at && m->calls >= m->dead_at) {
        errno = EIO;
        return -1;
    }
    if (name && name->now && (flags & O_EXCL)) {
        errno = EEXIST;
        return -1;
    }
    if (!name || !name->now) {
        if (!(flags & O_CREAT)) {
            errno = ENOENT;
            return -1;
        }
        name = name_of(m, path);
        name->now = new_file(m, false);
    }
    if (flags & O_TRUNC)
        name->now->n = 0;
    int fd = open_fd(m, name->now, path);
    if (flags & O_APPEND)
        m->fds[fd].at = name->now->n;
    return fd;
}

static int mem_close(void *ctx, int fd)
{
    struct memory_io *m = ctx;
    struct memory_fd *f = fd_of(m, fd);
    if (f->file->locked_by == fd + 1)
        f->file->locked_by = 0;
    f->file = NULL;
    free(f->path);
    f->path = NULL;
    return 0;
}

static void write_at(struct memory_file *f, size_t at, const void *bytes, size_t n)
{
    if (at + n > f->cap) {
        f->cap = (at + n) * 2;
        f->bytes = xrealloc(f->bytes, f->cap, 1);
    }
    if (n)
        memcpy(f->bytes + at, bytes, n);
    if (at + n > f->n)
        f->n = at + n;
}

static ssize_t mem_write(void *ctx, int fd, const void *bytes, size_t n)
{
    struct memory_io *m = ctx;
    struct memory_fd *f = fd_of(m, fd);
    if (!may(m)) { /* a full disk takes a part */
        write_at(f->file, f->at, bytes, n / 2);
        f->at += n / 2;
        return -1;
    }
    write_at(f->file, f->at, bytes, n);
    f->at += n;
    return (ssize_t)n;
}

static ssize_t mem_pread(void *ctx, int fd, void *bytes, size_t n, off_t at)
{
    const struct memory_file *f = fd_of(ctx, fd)->file;
    size_t from = (size_t)at < f->n ? (size_t)at : f->n;
    if (n > f->n - from)
        n = f->n - from;
    if (n)
        memcpy(bytes, f->bytes + from, n);
    return (ssize_t)n;
}

/* Whether `path` lies right in `folder`. */
static bool is_in(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    if (strcmp(folder, ".") == 0)
        return !strchr(path, '/');
    return strncmp(path, folder, n) == 0 && path[n] == '/' && path[n + 1] &&
           !strchr(path + n + 1, '/');
}

static int mem_sync(void *ctx, int fd)
{
    struct memory_io *m = ctx;
    struct memory_fd *d = fd_of(m, fd);
    struct memory_file *f = d->file;
    if (!may(m))
        return -1;
    if (f->folder) {
        for (size_t i = 0; i < m->names_n; i++)
            if (is_in(m->names[i].path, d->path))
                m->names[i].synced = m->names[i].now;
        return 0;
    }
    f->synced = xrealloc(f->synced, f->n + 1, 1);
    if (f->n)
        memcpy(f->synced, f->bytes, f->n);
    f->synced_n = f->n;
    return 0;
}

static off_t mem_size(void *ctx, int fd)
{
    return (off_t)fd_of(ctx, fd)->file->n;
}

static int mem_truncate(void *ctx, int fd, off_t size)
{
    struct memory_io *m = ctx;
    struct memory_fd *f = fd_of(m, fd);
    if (!may(m))
        return -1;
    if ((size_t)size < f->file->n)
        f->file->n = (size_t)size;
    f->at = (size_t)size;
    return 0;
}

static int mem_rename(void *ctx, const char *from, const char *to)
{
    struct memory_io *m = ctx;
    struct memory_name *name = find(m, from);
    if (!may(m))
        return -1;
    if (!name || !name->now) {
        errno = ENOENT;
        return -1;
    }
    struct memory_file *file = name->now;
    name->now = NULL;
    name_of(m, to)->now = file;
    return 0;
}

static int mem_unlink(void *ctx, const char *path)
{
    struct memory_io *m = ctx;
    struct memory_name *name = find(m, path);
    if (!may(m))
        return -1;
    if (!name || !name->now) {
        errno = ENOENT;
        return -1;
    }
    name->now = NULL;
    return 0;
}

static int mem_mkdir(void *ctx, const char *path, mode_t mode)
{
    (void)mode;
    struct memory_io *m = ctx;
    struct memory_name *name = find(m, path);
    if (!may(m))
        return -1;
    if (name && name->now) {
        errno = EEXIST;
        return -1;
    }
    struct memory_file *folder = new_file(m, true);
    name_of(m, path)->now = folder;
    return 0;
}

static int mem_lock(void *ctx, int fd)
{
    struct memory_file *f = fd_of(ctx, fd)->file;
    if (f->locked_by && f->locked_by != fd + 1) {
        errno = EWOULDBLOCK;
        return -1;
    }
    f->locked_by = fd + 1;
    return 0;
}

static int mem_list(void *ctx, const char *path, void (*name)(void *to, const char *name), void *to)
{
    const struct memory_io *m = ctx;
    const struct memory_name *folder = find(m, path);
    if (!folder || !folder->now) {
        errno = ENOENT;
        return -1;
    }
    for (size_t i = 0; i < m->names_n; i++)
        if (m->names[i].now && is_in(m->names[i].path, path))
            name(to, m->names[i].path + strlen(path) + 1);
    return 0;
}

struct memory_io *memory_io_new(void)
{
    struct memory_io *m = xcalloc(1, sizeof *m);
    m->io = (struct store_io){
        .ctx = m,
        .open = mem_open,
        .close = mem_close,
        .write = mem_write,
        .pread = mem_pread,
        .sync = mem_sync,
        .size = mem_size,
        .truncate = mem_truncate,
        .rename = mem_rename,
        .unlink = mem_unlink,
        .mkdir = mem_mkdir,
        .lock = mem_lock,
        .list = mem_list,
    };
    struct memory_name *top = name_of(m, ".");
    top->now = top->synced = new_file(m, true);
    return m;
}

void memory_io_free(struct memory_io *m)
{
    for (size_t i = 0; i < m->files_n; i++) {
        free(m->files[i]->bytes);
        free(m->files[i]->synced);
        free(m->files[i]);
    }
    for (size_t i = 0; i < m->names_n; i++)
        free(m->names[i].path);
    for (size_t i = 0; i < m->fds_n; i++)
        free(m->fds[i].path);
    free(m->files);
    free(m->names);
    free(m->fds);
    free(m);
}

const struct store_io *memory_io(struct memory_io *m)
{
    return &m->io;
}

void memory_io_lose_power(struct memory_io *m, uint32_t (*keep)(void *ctx, uint32_t below),
                          void *ctx)
{
    for (size_t i = 0; i < m->files_n; i++) {
        struct memory_file *f = m->files[i];
        f->locked_by = 0;
        if (f->folder || (f->n == f->synced_n && (!f->n || !memcmp(f->bytes, f->synced, f->n))))
            continue;
        /* what was appended since may have come to the disk in part; what was changed is as it was */
        size_t more = f->n > f->synced_n ? keep(ctx, (uint32_t)(f->n - f->synced_n + 1)) : 0;
        write_at(f, 0, f->synced, f->synced_n);
        f->n = f->synced_n + more;
    }
    for (size_t i = 0; i < m->names_n; i++)
        if (m->names[i].now != m->names[i].synced && keep(ctx, 2) == 0)
            m->names[i].now = m->names[i].synced;
    for (size_t i = 0; i < m->fds_n; i++) {
        m->fds[i].file = NULL;
        free(m->fds[i].path);
        m->fds[i].path = NULL;
    }
    m->fail_at = m->dead_at = 0;
    for (size_t i = 0; i < m->names_n; i++)
        m->names[i].synced = m->names[i].now;
    for (size_t i = 0; i < m->files_n; i++) {
        struct memory_file *f = m->files[i];
        f->synced = xrealloc(f->synced, f->n + 1, 1);
        if (f->n)
            memcpy(f->synced, f->bytes, f->n);
        f->synced_n = f->n;
    }
}

char *memory_io_bytes(struct memory_io *m, const char *path, size_t *n)
{
    const struct memory_name *name = find(m, path);
    if (!name || !name->now)
        return NULL;
    *n = name->now->n;
    return name->now->bytes;
}

void memory_io_put(struct memory_io *m, const char *path, const void *bytes, size_t n)
{
    struct memory_name *name = name_of(m, path);
    if (!name->now)
        name->now = new_file(m, false);
    name->now->n = 0;
    write_at(name->now, 0, bytes, n);
}

const char *memory_io_path(const struct memory_io *m, size_t number)
{
    for (size_t i = 0; i < m->names_n; i++)
        if (m->names[i].now && !m->names[i].now->folder && number-- == 0)
            return m->names[i].path;
    return NULL;
}
