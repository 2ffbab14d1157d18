#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIECE_FIRST = 64 * 1024, PIECE_MOST = 4 * 1024 * 1024 };

struct arena_piece {
    struct arena_piece *next;
    size_t size; /* of data */
    alignas(max_align_t) char data[];
};

static _Noreturn void out_of_memory(size_t size)
{
    fprintf(stderr, "hikeshi: out of memory (%zu bytes asked for)\n", size);
    _exit(4); /* the work could not be done; a core file would hold evidence */
}

void *xmalloc(size_t size)
{
    void *p = malloc(size ? size : 1);
    if (!p)
        out_of_memory(size);
    return p;
}

void *xcalloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);
    if (!p)
        out_of_memory(size);
    return p;
}

void *xrealloc(void *p, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        out_of_memory(SIZE_MAX);
    p = realloc(p, bytes ? bytes : 1);
    if (!p)
        out_of_memory(bytes);
    return p;
}

static void add_piece(struct arena *a, size_t least)
{
    size_t size = a->pieces ? a->pieces->size * 2 : PIECE_FIRST;
    if (size > PIECE_MOST)
        size = PIECE_MOST;
    if (size < least)
        size = least;
    if (size > SIZE_MAX - sizeof(struct arena_piece))
        out_of_memory(size);
    struct arena_piece *piece = xmalloc(sizeof *piece + size);
    piece->next = a->pieces;
    piece->size = size;
    a->pieces = piece;
    a->at = piece->data;
    a->end = piece->data + size;
}

char *arena_bytes(struct arena *a, size_t size)
{
    if (!a->pieces || (size_t)(a->end - a->at) < size)
        add_piece(a, size);
    char *p = a->at;
    a->at += size;
    a->used += size;
    return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
    size_t pad = -(uintptr_t)a->at & (alignof(max_align_t) - 1);
    if (!a->pieces || (size_t)(a->end - a->at) < pad || (size_t)(a->end - a->at) - pad < size) {
        add_piece(a, size); /* a new piece starts aligned */
        pad = 0;
    }
    char *p = a->at + pad;
    a->at = p + size;
    a->used += pad + size;
    return p;
}

void *arena_zero(struct arena *a, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        out_of_memory(SIZE_MAX);
    return memset(arena_alloc(a, bytes), 0, bytes);
}

char *arena_copy(struct arena *a, const void *bytes, size_t n)
{
    char *p = arena_bytes(a, n);
    if (n)
        memcpy(p, bytes, n);
    return p;
}

struct slice arena_slice(struct arena *a, struct slice s)
{
    char *p = arena_bytes(a, s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return slice_of(p, s.n);
}

struct slice arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        return (struct slice){0};
    char *p = arena_bytes(a, (size_t)n + 1);
    va_start(args, format);
    vsnprintf(p, (size_t)n + 1, format, args);
    va_end(args);
    return slice_of(p, (size_t)n);
}

void arena_reset(struct arena *a)
{
    struct arena_piece *keep = a->pieces;
    if (!keep)
        return;
    struct arena_piece *next = keep->next;
    while (next) {
        struct arena_piece *after = next->next;
        free(next);
        next = after;
    }
    keep->next = NULL;
    a->at = keep->data;
    a->end = keep->data + keep->size;
    a->used = 0;
}

void arena_free(struct arena *a)
{
    while (a->pieces) {
        struct arena_piece *next = a->pieces->next;
        free(a->pieces);
        a->pieces = next;
    }
    *a = (struct arena){0};
}
