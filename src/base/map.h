/*
 * A hash map from byte strings to 32-bit numbers: names to indexes. It keeps its own copy of the
 * keys. The seed is drawn once a process so that hostile keys can't be aimed at one bucket.
 *
 *     struct map m = {0};
 *     uint32_t *slot = map_put(&m, key, &is_new);   *slot = number;
 *     const uint32_t *found = map_get(&m, key);     NULL when absent
 *     map_free(&m);
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/arena.h"

struct map_entry;

struct map {
    struct map_entry *entries;
    size_t n, cap; /* cap: a power of two, or 0 */
    struct arena keys;
};

/* The number behind `key`, made with value 0 when it was absent. Valid until the next map_put. */
uint32_t *map_put(struct map *m, struct slice key, bool *is_new);
const uint32_t *map_get(const struct map *m, struct slice key);
void map_clear(struct map *m);
void map_free(struct map *m);

/* The hash that maps and dictionaries use: XXH3 with the process's seed. */
uint64_t hash_bytes(const void *p, size_t n);

#endif
