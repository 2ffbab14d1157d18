/*
 * The one way to read untrusted bytes: a bounded cursor. Reading past the end gives zeros, moves
 * nothing and sets `failed`, which stays set; a parser may read a whole structure and ask once.
 * All integers are little-endian unless the name says be.
 *
 *     struct cursor c = cursor_of(bytes);
 *     uint16_t type = cursor_u16(&c);
 *     struct slice name = cursor_take(&c, cursor_u8(&c));
 *     if (c.failed) return error_set(...);
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include "base/slice.h"

struct cursor {
    const unsigned char *p;
    size_t n;  /* bytes in all */
    size_t at; /* next to read, <= n */
    bool failed;
};

static inline struct cursor cursor_of(struct slice s)
{
    return (struct cursor){(const unsigned char *)s.p, s.n, 0, false};
}

static inline size_t cursor_left(const struct cursor *c)
{
    return c->n - c->at;
}

/* True, and the bytes are there; otherwise the cursor has failed. */
static inline bool cursor_need(struct cursor *c, size_t n)
{
    if (__builtin_expect(c->failed || n > c->n - c->at, 0)) {
        c->failed = true;
        return false;
    }
    return true;
}

#define CURSOR_READ(name, type)                                                                    \
    static inline type cursor_##name(struct cursor *c)                                             \
    {                                                                                              \
        type v;                                                                                    \
        if (!cursor_need(c, sizeof v))                                                             \
            return 0;                                                                              \
        memcpy(&v, c->p + c->at, sizeof v);                                                        \
        c->at += sizeof v;                                                                         \
        return v;                                                                                  \
    }
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "cursor.h reads little-endian by copying; a big-endian machine needs byte swaps here"
#endif
CURSOR_READ(u8, uint8_t)
CURSOR_READ(u16, uint16_t)
CURSOR_READ(u32, uint32_t)
CURSOR_READ(u64, uint64_t)
#undef CURSOR_READ

/* The next `n` bytes as a view; an empty slice when they are not there. */
static inline struct slice cursor_take(struct cursor *c, size_t n)
{
    if (!cursor_need(c, n))
        return (struct slice){0};
    struct slice s = slice_of(c->p + c->at, n);
    c->at += n;
    return s;
}

static inline void cursor_skip(struct cursor *c, size_t n)
{
    if (cursor_need(c, n))
        c->at += n;
}

/* To an absolute place; fails when it is past the end. */
static inline void cursor_seek(struct cursor *c, size_t at)
{
    if (c->failed || at > c->n)
        c->failed = true;
    else
        c->at = at;
}

#endif
