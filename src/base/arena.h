/*
 * An arena: memory for one batch, one query, one request, given back all at once. Nothing that
 * comes out of it is freed by itself. Not safe for two threads at once; each has its own.
 *
 *     struct arena a = {0};
 *     char *copy = arena_copy(&a, bytes, n);
 *     arena_reset(&a);   keeps the first piece for the next round
 *     arena_free(&a);
 *
 * Running out of memory ends the program with a message and status 4: no caller can go on without
 * it, and the sizes that input can ask for are bounded before they come here.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/slice.h"

#include <stdalign.h>
#include <stddef.h>

struct arena_piece;

struct arena {
    struct arena_piece *pieces; /* the newest first */
    char *at, *end;             /* free room in the newest piece */
    size_t used;                /* bytes handed out since the last reset, for limits */
};

/* `size` bytes aligned for any type, not zeroed. Size 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t size);

/* The same, zeroed, for an array; ends the program when n * size overflows. */
void *arena_zero(struct arena *a, size_t n, size_t size);

/* `size` bytes without alignment: for text and raw bytes. */
char *arena_bytes(struct arena *a, size_t size);

/* A copy of `n` bytes, without terminator. */
char *arena_copy(struct arena *a, const void *bytes, size_t n);

/* A copy of the slice's bytes followed by a NUL that the slice does not count. */
struct slice arena_slice(struct arena *a, struct slice s);

/* printf into the arena, NUL-terminated. */
struct slice arena_printf(struct arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Forgets all contents; keeps one piece so that the next round does not allocate. */
void arena_reset(struct arena *a);
void arena_free(struct arena *a);

/* malloc, calloc and realloc that end the program with a message when memory is out. */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);

#endif
