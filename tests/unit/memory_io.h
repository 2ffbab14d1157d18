/*
 * A file system in memory, for tests of the store: it can fail at any call, and lose its power.
 *
 *     struct memory_io *m = memory_io_new();
 *     const struct store_io *io = memory_io(m);
 *     m->fail_at = 7; m->fail_errno = ENOSPC;      the seventh call from now on fails; later ones work
 *     m->dead_at = 7;                              the seventh and all after it fail: the process died
 *     memory_io_lose_power(m, keep);               back to what was synced
 *
 * What was written and not synced is lost in part: `keep` draws for each file how much of it stays,
 * and for each name in a folder whether its last change stays. Locks and open files are gone then.
 */
#ifndef TESTS_UNIT_MEMORY_IO_H
#define TESTS_UNIT_MEMORY_IO_H

#include "store/io.h"

struct memory_io {
    struct store_io io;
    uint64_t calls;   /* calls that change something or sync, so far */
    uint64_t fail_at; /* 0: never */
    uint64_t dead_at;
    int fail_errno;
    struct memory_file **files;
    size_t files_n, files_cap;
    struct memory_name *names;
    size_t names_n, names_cap;
    struct memory_fd *fds;
    size_t fds_n, fds_cap;
};

struct memory_io *memory_io_new(void);
void memory_io_free(struct memory_io *m);
const struct store_io *memory_io(struct memory_io *m);

void memory_io_lose_power(struct memory_io *m, uint32_t (*keep)(void *ctx, uint32_t below),
                          void *ctx);

/* The bytes of a file, to look at and to change; NULL when there is none. */
char *memory_io_bytes(struct memory_io *m, const char *path, size_t *n);
void memory_io_put(struct memory_io *m, const char *path, const void *bytes, size_t n);
/* Paths of all files, by number from 0; NULL past the last. */
const char *memory_io_path(const struct memory_io *m, size_t number);

#endif
