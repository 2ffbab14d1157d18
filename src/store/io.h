/*
 * All that the store asks of the file system, as a table of functions: tests put another in its
 * place, which fails where they want it to.
 *
 *     const struct store_io *io = &store_io_system;
 *     int fd = io->open(io->ctx, path, O_RDONLY, 0);
 *
 * The functions in the table answer as the system calls do: -1 and errno. Those below say what went
 * wrong, with the path.
 */
#ifndef STORE_IO_H
#define STORE_IO_H

#include "base/error.h"
#include "base/slice.h"

#include <sys/types.h>

struct store_io {
    void *ctx;
    int (*open)(void *ctx, const char *path, int flags, mode_t mode);
    int (*close)(void *ctx, int fd);
    ssize_t (*write)(void *ctx, int fd, const void *bytes, size_t n); /* at the file's place */
    ssize_t (*pread)(void *ctx, int fd, void *bytes, size_t n, off_t at);
    int (*sync)(void *ctx, int fd); /* of a file or folder */
    off_t (*size)(void *ctx, int fd);
    int (*truncate)(void *ctx, int fd, off_t size); /* and go on writing there */
    int (*rename)(void *ctx, const char *from, const char *to);
    int (*unlink)(void *ctx, const char *path);
    int (*mkdir)(void *ctx, const char *path, mode_t mode);
    int (*lock)(void *ctx, int fd); /* alone, without waiting; gone with the process */
    /* Names in a folder, one a call of `name`, without "." and "..". */
    int (*list)(void *ctx, const char *path, void (*name)(void *to, const char *name), void *to);
};

/* The real one. */
extern const struct store_io store_io_system;

enum status io_write(const struct store_io *io, int fd, const char *path, struct slice bytes,
                     struct error *err);

/* Exactly n bytes; STATUS_BAD_INPUT when the file ends before. */
enum status io_read(const struct store_io *io, int fd, const char *path, uint64_t at, void *bytes,
                    size_t n, struct error *err);

/* Syncs and closes; closes also when it fails. */
enum status io_finish(const struct store_io *io, int fd, const char *path, struct error *err);

enum status io_sync_folder(const struct store_io *io, const char *path, struct error *err);

/* A small file as a whole, in memory to be freed; STATUS_BAD_INPUT when it has more than `most`. */
enum status io_read_file(const struct store_io *io, const char *path, size_t most, char **bytes,
                         size_t *n, struct error *err);

/* Puts a small file in place of what stood there, whole or not at all: writes PATH.new, syncs,
 * renames. The folder is left to be synced. */
enum status io_replace_file(const struct store_io *io, const char *path, struct slice bytes,
                            mode_t mode, struct error *err);

#endif
