#include "base/map.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

struct map_entry {
    struct slice key; /* p is NULL in a free place */
    uint64_t hash;
    uint32_t value;
};

static uint64_t seed;
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void draw_seed(void)
{
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed)
        seed = (uint64_t)time(NULL) * 0x9e3779b97f4a7c15u;
}

uint64_t hash_bytes(const void *p, size_t n)
{
    pthread_once(&seed_once, draw_seed);
    return XXH3_64bits_withSeed(p, n, seed);
}

static struct map_entry *place(const struct map *m, struct slice key, uint64_t hash)
{
    size_t i = hash & (m->cap - 1);
    for (;; i = (i + 1) & (m->cap - 1)) {
        struct map_entry *e = &m->entries[i];
        if (!e->key.p || (e->hash == hash && slice_equal(e->key, key)))
            return e;
    }
}

static void grow(struct map *m)
{
    struct map old = *m;
    m->cap = old.cap ? old.cap * 2 : 16;
    m->entries = xcalloc(m->cap, sizeof *m->entries);
    for (size_t i = 0; i < old.cap; i++)
        if (old.entries[i].key.p)
            *place(m, old.entries[i].key, old.entries[i].hash) = old.entries[i];
    free(old.entries);
}

uint32_t *map_put(struct map *m, struct slice key, bool *is_new)
{
    if (m->n * 4 >= m->cap * 3)
        grow(m);
    uint64_t hash = hash_bytes(key.p, key.n);
    struct map_entry *e = place(m, key, hash);
    if (is_new)
        *is_new = !e->key.p;
    if (!e->key.p) {
        *e = (struct map_entry){arena_slice(&m->keys, key), hash, 0};
        m->n++;
    }
    return &e->value;
}

const uint32_t *map_get(const struct map *m, struct slice key)
{
    if (!m->cap)
        return NULL;
    struct map_entry *e = place(m, key, hash_bytes(key.p, key.n));
    return e->key.p ? &e->value : NULL;
}

void map_clear(struct map *m)
{
    if (m->cap)
        memset(m->entries, 0, m->cap * sizeof *m->entries);
    m->n = 0;
    arena_reset(&m->keys);
}

void map_free(struct map *m)
{
    free(m->entries);
    arena_free(&m->keys);
    *m = (struct map){0};
}
