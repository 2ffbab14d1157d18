/*
 * A growing byte buffer, for output that is built up and then written. Owned by whoever made it.
 *
 *     struct buf b = {0};
 *     buf_json(&b, name); buf_char(&b, ':');
 *     fwrite(b.p, 1, b.n, out);
 *     buf_clear(&b); ... buf_free(&b);
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/slice.h"

#include <stdio.h>

struct buf {
    char *p;
    size_t n, cap;
};

/* Room for `more` bytes past n; returns where they go. The caller then adds what it wrote to n. */
char *buf_room(struct buf *b, size_t more);

void buf_add(struct buf *b, struct slice s);
void buf_char(struct buf *b, char c);
void buf_number(struct buf *b, uint64_t number); /* decimal */
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A JSON string with its quotes (RFC 8259). What could steer a terminal (controls of C0 and C1, changes
 * of direction) is escaped; bytes that are not UTF-8 become U+FFFD. */
void buf_json(struct buf *b, struct slice s);

static inline void buf_clear(struct buf *b)
{
    b->n = 0;
}

static inline struct slice buf_slice(const struct buf *b)
{
    return slice_of(b->p, b->n);
}

/* Writes it; false when not all of it could be. */
bool buf_write(const struct buf *b, FILE *to);

void buf_free(struct buf *b);

#endif
