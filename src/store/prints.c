#include "store/prints.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

void prints_free(struct prints *p)
{
    free(p->values);
    free(p->made);
    *p = (struct prints){0};
}

/* What all events of the kind begin with. */
static struct print kind_print(const struct event_kind *k)
{
    const struct slice *parts = &k->product;
    struct print print = {hash_bytes(NULL, 0), 0};
    for (size_t i = 0; i < sizeof *k / sizeof *parts; i++) {
        XXH128_hash_t h = XXH3_128bits_withSeed(parts[i].p, parts[i].n, print.high + i);
        print = (struct print){h.high64, h.low64 + print.low};
    }
    return print;
}

/* The name is the seed, so that a value counts for its field alone. */
static struct print value_print(uint64_t seed, struct slice text)
{
    XXH128_hash_t h = XXH3_128bits_withSeed(text.p, text.n, seed);
    return (struct print){h.high64, h.low64};
}

static void room_for(struct prints *p, uint32_t values)
{
    if (values > p->cap) {
        p->cap = values;
        p->values = xrealloc(p->values, p->cap, sizeof *p->values);
        p->made = xrealloc(p->made, p->cap, 1);
    }
    memset(p->made, 0, values);
}

/* Fields are added up, so that their order does not matter. */
static void add_column(struct prints *p, struct block *b, uint32_t column, const uint16_t *rows,
                       uint32_t n, struct print *out)
{
    const struct column *c = &b->columns[column];
    uint64_t seed = hash_bytes(c->name.p, c->name.n);
    room_for(p, c->values_n);
    for (uint32_t i = 0; i < n; i++) {
        uint16_t id = column_id(c, rows[i]);
        if (!id)
            continue;
        if (!p->made[id]) {
            p->values[id] = value_print(seed, column_text(b, column, id));
            p->made[id] = true;
        }
        out[i].high += p->values[id].high;
        out[i].low += p->values[id].low;
    }
}

void prints_make(struct prints *p, struct block *b, const uint16_t *rows, uint32_t n,
                 struct print *out)
{
    struct print kind = kind_print(&b->kind);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t place[2] = {(uint64_t)b->times[rows[i]], b->origins[rows[i]].record};
        struct print own = value_print(kind.low, slice_of(place, sizeof place));
        out[i] = (struct print){kind.high + own.high, kind.low + own.low};
    }
    for (uint32_t column = 0; column < b->columns_n; column++)
        add_column(p, b, column, rows, n, out);
}
