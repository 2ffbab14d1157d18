/*
 * Prints of events: 128 bits for all that an event says (its kind, time, record number and fields,
 * by their canonical text), the same for the same event whatever the order of its columns. Events with
 * the same print are taken for the same; by chance two others have it once in 2^128.
 *
 *     struct prints p = {0};
 *     prints_make(&p, block, rows, n, out);
 *     prints_free(&p);
 *
 * Prints are good in this process alone: they begin with the seed of its maps (base/map.h), so that
 * nobody can make two events that have the same.
 */
#ifndef STORE_PRINTS_H
#define STORE_PRINTS_H

#include "event/block.h"

struct print {
    uint64_t high, low;
};

/* Room to work in, of one thread. */
struct prints {
    struct print *values; /* of a column's distinct values */
    uint8_t *made;
    uint32_t cap;
};
void prints_free(struct prints *p);

/* The prints of some rows of a block, in their order. Makes the texts of the values that they have. */
void prints_make(struct prints *p, struct block *b, const uint16_t *rows, uint32_t n,
                 struct print *out);

static inline bool print_equal(struct print a, struct print b)
{
    return a.high == b.high && a.low == b.low;
}

#endif
