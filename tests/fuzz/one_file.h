/*
 * A file system of one file, for fuzz targets that read through store_io (store/io.h): every
 * descriptor reads the slice that store_io.ctx points to. Opening is the target's own.
 */
#ifndef TESTS_FUZZ_ONE_FILE_H
#define TESTS_FUZZ_ONE_FILE_H

#include "base/slice.h"

#include <string.h>
#include <sys/types.h>

static int one_close(void *ctx, int fd)
{
    (void)ctx;
    (void)fd;
    return 0;
}

static ssize_t one_pread(void *ctx, int fd, void *bytes, size_t n, off_t at)
{
    (void)fd;
    struct slice s = slice_sub(*(const struct slice *)ctx, (size_t)at, n);
    if (s.n)
        memcpy(bytes, s.p, s.n);
    return (ssize_t)s.n;
}

static off_t one_size(void *ctx, int fd)
{
    (void)fd;
    return (off_t)((const struct slice *)ctx)->n;
}

#endif
