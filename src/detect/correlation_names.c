#include "detect/correlation_internal.h"

#include <stdlib.h>

void correlation_names_init(struct correlation_names *names, size_t most)
{
    *names = (struct correlation_names){.most = most};
    for (size_t i = 0; i < NAMES_SHARDS; i++)
        pthread_mutex_init(&names->shards[i].lock, NULL);
}

void correlation_names_free(struct correlation_names *names)
{
    for (size_t i = 0; i < NAMES_SHARDS; i++) {
        struct correlation_names_shard *s = &names->shards[i];
        map_free(&s->index);
        arena_free(&s->bytes);
        free(s->entries.at);
        pthread_mutex_destroy(&s->lock);
    }
}

static struct slice copy(struct arena *a, struct slice bytes)
{
    char *p = arena_alloc(a, bytes.n);
    if (bytes.n)
        memcpy(p, bytes.p, bytes.n);
    return slice_of(p, bytes.n);
}

void correlation_names_keep(struct correlation_names *names, uint64_t hash, struct slice bytes,
                            bool needed)
{
    struct correlation_names_shard *s = &names->shards[hash % NAMES_SHARDS];
    struct slice key = slice_of(&hash, sizeof hash);
    pthread_mutex_lock(&s->lock);
    const uint32_t *found = map_get(&s->index, key);
    if (found) {
        struct slice *entry = &s->entries.at[*found].bytes;
        if (slice_compare(bytes, *entry) < 0)
            *entry = copy(&s->bytes, bytes);
    } else if (needed || s->bytes.used < names->most / NAMES_SHARDS) {
        *map_put(&s->index, key, NULL) = (uint32_t)s->entries.n;
        *VEC_PUSH(s->entries) = (struct correlation_name){hash, copy(&s->bytes, bytes)};
    }
    pthread_mutex_unlock(&s->lock);
}

struct slice correlation_names_get(const struct correlation_names *names, uint64_t hash)
{
    const struct correlation_names_shard *s = &names->shards[hash % NAMES_SHARDS];
    const uint32_t *found = map_get(&s->index, slice_of(&hash, sizeof hash));
    return found ? s->entries.at[*found].bytes : (struct slice){0};
}

void correlation_names_clear(struct correlation_names *names)
{
    for (size_t i = 0; i < NAMES_SHARDS; i++) {
        struct correlation_names_shard *s = &names->shards[i];
        map_clear(&s->index);
        arena_reset(&s->bytes);
        s->entries.n = 0;
    }
}

enum status correlation_names_each(const struct correlation_names *names,
                                   enum status (*name)(void *ctx, uint64_t hash, struct slice bytes,
                                                       struct error *err),
                                   void *ctx, struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; i < NAMES_SHARDS; i++) {
        const struct correlation_names_shard *s = &names->shards[i];
        for (size_t k = 0; status == OK && k < s->entries.n; k++)
            status = name(ctx, s->entries.at[k].hash, s->entries.at[k].bytes, err);
    }
    return status;
}
