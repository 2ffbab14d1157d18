#include "store/io.h"

#include "base/arena.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int system_open(void *ctx, const char *path, int flags, mode_t mode)
{
    (void)ctx;
    return open(path, flags | O_CLOEXEC, mode);
}

static int system_close(void *ctx, int fd)
{
    (void)ctx;
    return close(fd);
}

static ssize_t system_write(void *ctx, int fd, const void *bytes, size_t n)
{
    (void)ctx;
    return write(fd, bytes, n);
}

static ssize_t system_pread(void *ctx, int fd, void *bytes, size_t n, off_t at)
{
    (void)ctx;
    return pread(fd, bytes, n, at);
}

static int system_sync(void *ctx, int fd)
{
    (void)ctx;
    return fsync(fd);
}

static off_t system_size(void *ctx, int fd)
{
    (void)ctx;
    struct stat st;
    return fstat(fd, &st) == 0 ? st.st_size : -1;
}

static int system_truncate(void *ctx, int fd, off_t size)
{
    (void)ctx;
    return ftruncate(fd, size) == 0 && lseek(fd, size, SEEK_SET) == size ? 0 : -1;
}

static int system_rename(void *ctx, const char *from, const char *to)
{
    (void)ctx;
    return rename(from, to);
}

static int system_unlink(void *ctx, const char *path)
{
    (void)ctx;
    return unlink(path);
}

static int system_mkdir(void *ctx, const char *path, mode_t mode)
{
    (void)ctx;
    return mkdir(path, mode);
}

static int system_lock(void *ctx, int fd)
{
    (void)ctx;
    return flock(fd, LOCK_EX | LOCK_NB);
}

static int system_list(void *ctx, const char *path, void (*name)(void *to, const char *name),
                       void *to)
{
    (void)ctx;
    DIR *folder = opendir(path);
    if (!folder)
        return -1;
    const struct dirent *entry;
    errno = 0;
    while ((entry = readdir(folder)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            name(to, entry->d_name);
    int failed = errno;
    closedir(folder);
    errno = failed;
    return failed ? -1 : 0;
}

const struct store_io store_io_system = {
    .open = system_open,
    .close = system_close,
    .write = system_write,
    .pread = system_pread,
    .sync = system_sync,
    .size = system_size,
    .truncate = system_truncate,
    .rename = system_rename,
    .unlink = system_unlink,
    .mkdir = system_mkdir,
    .lock = system_lock,
    .list = system_list,
};

enum status io_write(const struct store_io *io, int fd, const char *path, struct slice bytes,
                     struct error *err)
{
    while (bytes.n) {
        ssize_t n = io->write(io->ctx, fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return error_system(err, path, "can't write");
        bytes = slice_sub(bytes, (size_t)n, SIZE_MAX);
    }
    return OK;
}

enum status io_read(const struct store_io *io, int fd, const char *path, uint64_t at, void *bytes,
                    size_t n, struct error *err)
{
    char *to = bytes;
    while (n) {
        ssize_t got = io->pread(io->ctx, fd, to, n, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_system(err, path, "can't read");
        if (got == 0)
            return error_set(err, STATUS_BAD_INPUT, path, at, "the file ends here, %zu bytes early",
                             n);
        to += got;
        at += (size_t)got;
        n -= (size_t)got;
    }
    return OK;
}

enum status io_finish(const struct store_io *io, int fd, const char *path, struct error *err)
{
    enum status status = OK;
    if (io->sync(io->ctx, fd) != 0)
        status = error_system(err, path, "can't write to the disk");
    if (io->close(io->ctx, fd) != 0 && status == OK)
        status = error_system(err, path, "can't write");
    return status;
}

enum status io_sync_folder(const struct store_io *io, const char *path, struct error *err)
{
    int fd = io->open(io->ctx, path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return error_system(err, path, "can't open the folder");
    return io_finish(io, fd, path, err);
}

enum status io_read_file(const struct store_io *io, const char *path, size_t most, char **bytes,
                         size_t *n, struct error *err)
{
    enum status status;
    *bytes = NULL;
    int fd = io->open(io->ctx, path, O_RDONLY, 0);
    if (fd < 0)
        return error_system(err, path, "can't open");
    off_t size = io->size(io->ctx, fd);
    if (size < 0) {
        status = error_system(err, path, "can't read");
    } else if ((uint64_t)size > most) {
        status = error_set(err, STATUS_BAD_INPUT, path, ERROR_NO_OFFSET,
                           "the file has %jd bytes, more than %zu", (intmax_t)size, most);
    } else {
        *n = (size_t)size;
        *bytes = xmalloc(*n + 1);
        (*bytes)[*n] = '\0';
        status = io_read(io, fd, path, 0, *bytes, *n, err);
    }
    io->close(io->ctx, fd);
    if (status != OK) {
        free(*bytes);
        *bytes = NULL;
    }
    return status;
}

enum status io_replace_file(const struct store_io *io, const char *path, struct slice bytes,
                            mode_t mode, struct error *err)
{
    char new_path[4096];
    if (snprintf(new_path, sizeof new_path, "%s.new", path) >= (int)sizeof new_path)
        return error_set(err, STATUS_BAD_USE, path, ERROR_NO_OFFSET, "the path is too long");
    int fd = io->open(io->ctx, new_path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    if (fd < 0)
        return error_system(err, new_path, "can't make the file");
    enum status status = io_write(io, fd, new_path, bytes, err);
    if (status == OK)
        status = io_finish(io, fd, new_path, err);
    else
        io->close(io->ctx, fd);
    if (status == OK && io->rename(io->ctx, new_path, path) != 0)
        status = error_system(err, path, "can't put the file in place");
    if (status != OK)
        io->unlink(io->ctx, new_path);
    return status;
}
