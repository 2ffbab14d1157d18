#include "detect/correlation_internal.h"

#include "base/tempfile.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    MERGE_RECORDS = 16384,   /* written at once when runs are merged */
    PASSED_BYTES = 16 << 20, /* of a file, that stay mapped behind us */
};

enum status correlation_pool_open(struct correlation_pool *pool, size_t most, struct error *err)
{
    *pool = (struct correlation_pool){.most = most ? most : 1, .runs_fd = -1, .sorted_fd = -1};
    pthread_mutex_init(&pool->lock, NULL);
    pool->runs_fd = tempfile_open(err);
    if (pool->runs_fd < 0)
        return STATUS_SYSTEM;
    pool->sorted_fd = tempfile_open(err);
    return pool->sorted_fd < 0 ? STATUS_SYSTEM : OK;
}

void correlation_pool_close(struct correlation_pool *pool)
{
    if (pool->map)
        munmap(pool->map, pool->map_bytes);
    if (pool->runs_fd >= 0)
        close(pool->runs_fd);
    if (pool->sorted_fd >= 0)
        close(pool->sorted_fd);
    free(pool->kept.at);
    free(pool->runs.at);
    pthread_mutex_destroy(&pool->lock);
}

#define ORDER(member)                                                                              \
    if (x->member != y->member)                                                                    \
    return x->member < y->member ? -1 : 1

static int order(const void *a, const void *b)
{
    const struct correlation_record *x = a, *y = b;
    ORDER(node);
    ORDER(group);
    ORDER(time);
    ORDER(slot);
    ORDER(input);
    ORDER(record);
    ORDER(value);
    ORDER(carry);
    return 0;
}

static enum status write_records(int fd, const struct correlation_record *records, size_t n,
                                 uint64_t at, struct error *err)
{
    return tempfile_write(fd, slice_of(records, n * sizeof *records), at * sizeof *records, err);
}

static enum status spill(struct correlation_pool *pool, struct error *err)
{
    if (pool->kept.n == 0)
        return OK;
    qsort(pool->kept.at, pool->kept.n, sizeof *pool->kept.at, order);
    enum status s = write_records(pool->runs_fd, pool->kept.at, pool->kept.n, pool->spilled, err);
    if (s != OK)
        return s;
    *VEC_PUSH(pool->runs) = (struct correlation_run){pool->spilled, pool->kept.n};
    pool->spilled += pool->kept.n;
    pool->kept.n = 0;
    return OK;
}

enum status correlation_pool_add(struct correlation_pool *pool,
                                 const struct correlation_record *records, size_t n,
                                 struct error *err)
{
    enum status s = OK;
    pthread_mutex_lock(&pool->lock);
    for (size_t i = 0; i < n && s == OK; i++) {
        *VEC_PUSH(pool->kept) = records[i];
        if (pool->kept.n >= pool->most)
            s = spill(pool, err);
    }
    pthread_mutex_unlock(&pool->lock);
    return s;
}

static void *map_file(int fd, size_t bytes, struct error *err)
{
    void *p = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED) {
        error_system(err, NULL, "can't map the temporary file with matches of correlations");
        return NULL;
    }
    madvise(p, bytes, MADV_SEQUENTIAL);
    return p;
}

/* A run's next record and its end. */
struct head {
    const struct correlation_record *at, *end;
};

static void sift(struct head *heap, size_t n, size_t i)
{
    for (;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < n; child++)
            if (order(heap[child].at, heap[least].at) < 0)
                least = child;
        if (least == i)
            return;
        struct head moved = heap[i];
        heap[i] = heap[least];
        heap[least] = moved;
        i = least;
    }
}

static enum status merge(struct correlation_pool *pool, const struct correlation_record *all,
                         struct error *err)
{
    enum status s = OK;
    size_t n = pool->runs.n;
    struct head *heap = xcalloc(n, sizeof *heap);
    struct correlation_record *out = xcalloc(MERGE_RECORDS, sizeof *out);
    for (size_t i = 0; i < n; i++)
        heap[i] = (struct head){all + pool->runs.at[i].at,
                                all + pool->runs.at[i].at + pool->runs.at[i].n};
    for (size_t i = n; i-- > 0;)
        sift(heap, n, i);
    size_t out_n = 0;
    uint64_t written = 0;
    while (n && s == OK) {
        out[out_n++] = *heap[0].at++;
        if (heap[0].at == heap[0].end)
            heap[0] = heap[--n];
        sift(heap, n, 0);
        if (out_n == MERGE_RECORDS || n == 0) {
            s = write_records(pool->sorted_fd, out, out_n, written, err);
            written += out_n;
            out_n = 0;
            if (written * sizeof *out % PASSED_BYTES < MERGE_RECORDS * sizeof *out)
                madvise((void *)(uintptr_t)all, pool->spilled * sizeof *all, MADV_DONTNEED);
        }
    }
    free(out);
    free(heap);
    return s;
}

enum status correlation_pool_sort(struct correlation_pool *pool, struct error *err)
{
    if (pool->runs.n == 0) {
        if (pool->kept.n)
            qsort(pool->kept.at, pool->kept.n, sizeof *pool->kept.at, order);
        pool->sorted = pool->kept.at;
        pool->sorted_n = pool->kept.n;
        return OK;
    }
    enum status s = spill(pool, err);
    if (s != OK)
        return s;
    size_t bytes = pool->spilled * sizeof *pool->kept.at;
    void *all = map_file(pool->runs_fd, bytes, err);
    if (!all)
        return STATUS_SYSTEM;
    s = merge(pool, all, err);
    munmap(all, bytes);
    if (s != OK)
        return s;
    pool->map = map_file(pool->sorted_fd, bytes, err);
    pool->map_bytes = bytes;
    pool->sorted = pool->map;
    pool->sorted_n = pool->spilled;
    return pool->map ? OK : STATUS_SYSTEM;
}

void correlation_pool_clear(struct correlation_pool *pool)
{
    if (pool->map)
        munmap(pool->map, pool->map_bytes);
    pool->map = NULL;
    pool->map_bytes = pool->passed = 0;
    pool->kept.n = pool->runs.n = 0;
    pool->spilled = 0;
    pool->sorted = NULL;
    pool->sorted_n = 0;
}

void correlation_pool_passed(struct correlation_pool *pool, size_t n)
{
    size_t bytes = n * sizeof *pool->sorted / PASSED_BYTES * PASSED_BYTES; /* whole pages */
    if (!pool->map || bytes == pool->passed)
        return;
    madvise((char *)pool->map + pool->passed, bytes - pool->passed, MADV_DONTNEED);
    pool->passed = bytes;
}
