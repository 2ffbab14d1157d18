/* Which values of a block meet which predicates: each distinct value once, and once for many blocks
 * where the same value comes again. */
#include "detect/engine_internal.h"

#include "base/vec.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
    MEMORY_BITS = 16, /* values remembered, at most three quarters of 2^this */
    MEMORY_HITS = 1 << 20,
    FEW = 256, /* values of a column: always remembered */
};

struct remembered {
    uint64_t low, high; /* hash; 0, 0: free */
    uint32_t first, n;  /* in `hits` */
};

struct hit_memory {
    uint64_t seed;
    struct remembered *table;
    uint32_t used;
    struct {
        uint32_t *at;
        size_t n, cap;
    } hits;
};

struct hit_memory *hit_memory_new(void)
{
    struct hit_memory *m = xcalloc(1, sizeof *m);
    m->seed = hash_bytes("values", 6);
    m->table = xcalloc((size_t)1 << MEMORY_BITS, sizeof *m->table);
    return m;
}

void hit_memory_free(struct hit_memory *m)
{
    if (!m)
        return;
    free(m->table);
    free(m->hits.at);
    free(m);
}

static struct remembered *recall(struct hit_memory *m, struct value v, uint64_t view)
{
    XXH128_hash_t hash =
        XXH3_128bits_withSeed(v.p, v.n, m->seed + view * 0x9e3779b97f4a7c15u + v.type);
    uint32_t mask = (1u << MEMORY_BITS) - 1, i = (uint32_t)hash.low64 & mask;
    hash.high64 += !hash.low64 && !hash.high64;
    for (;; i = (i + 1) & mask) {
        struct remembered *r = &m->table[i];
        if (r->low == hash.low64 && r->high == hash.high64)
            return r;
        if (!r->low && !r->high) {
            r->low = hash.low64;
            r->high = hash.high64;
            r->n = UINT32_MAX; /* new */
            return r;
        }
    }
}

/* Room for another value and its hits; forgets all when there is none. */
static void make_room(struct hit_memory *m)
{
    if (m->used < (1u << MEMORY_BITS) / 4 * 3 && m->hits.n < MEMORY_HITS)
        return;
    memset(m->table, 0, sizeof *m->table << MEMORY_BITS);
    m->used = 0;
    m->hits.n = 0;
}

size_t engine_texts(struct value v, const struct field_name *field, struct arena *a,
                    struct slice **texts)
{
    struct value element;
    size_t n = 0, room = 1;
    if (v.type == VALUE_LIST)
        for (size_t at = 0; value_next(v, &at, &element);)
            room++;
    *texts = arena_alloc(a, room * sizeof **texts);
    if (v.type == VALUE_LIST)
        for (size_t at = 0; value_next(v, &at, &element);)
            (*texts)[n++] = value_text(element, a);
    (*texts)[n++] = value_text(v, a);
    for (size_t i = 0; field && i < n; i++)
        (*texts)[i] = field_value(field, (*texts)[i]);
    return n;
}

static void ask(struct engine_worker *w, const struct view *view, struct value v)
{
    struct slice *texts;
    arena_reset(&w->texts);
    size_t n = engine_texts(v, view->translate, &w->texts, &texts);
    matcher_begin(view->matcher, &w->run);
    for (size_t i = 0; i < n; i++) {
        subject_set(&w->subject, texts[i]);
        matcher_run(view->matcher, &w->subject, &w->run);
    }
}

static void note(struct engine_worker *w, uint32_t predicate, uint32_t column, uint32_t value)
{
    if (w->hits_n[predicate]++ == 0)
        *VEC_PUSH(w->touched) = predicate;
    *VEC_PUSH(w->hits) = (struct hit){predicate, (uint16_t)column, (uint16_t)value};
}

/* By counting. */
static void sort_hits(struct engine_worker *w)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < w->touched.n; i++) {
        w->first_hit[w->touched.at[i]] = sum;
        sum += w->hits_n[w->touched.at[i]];
        w->hits_n[w->touched.at[i]] = 0;
    }
    w->sorted = arena_alloc(&w->arena, w->hits.n * sizeof *w->sorted);
    for (size_t i = 0; i < w->hits.n; i++) {
        uint32_t predicate = w->hits.at[i].predicate;
        w->sorted[w->first_hit[predicate] + w->hits_n[predicate]++] = w->hits.at[i];
    }
}

/* The value is asked and what it meets is not remembered. */
static void ask_once(struct engine_worker *w, const struct view *view, uint32_t column,
                     uint32_t value)
{
    ask(w, view, w->block->columns[column].values[value]);
    w->stats.values++;
    for (uint32_t i = 0; i < w->run.hits_n; i++)
        note(w, w->run.hits[i], column, value);
}

static void ask_or_recall(struct engine_worker *w, uint32_t number, uint32_t column, uint32_t value)
{
    const struct value v = w->block->columns[column].values[value];
    make_room(w->memory);
    struct remembered *r = recall(w->memory, v, w->plan->number << 32 | number);
    if (r->n == UINT32_MAX) {
        ask(w, &w->plan->views[number], v);
        w->stats.values++;
        w->memory->used++;
        r->first = (uint32_t)w->memory->hits.n;
        r->n = w->run.hits_n;
        for (uint32_t i = 0; i < w->run.hits_n; i++)
            *VEC_PUSH(w->memory->hits) = w->run.hits[i];
    }
    for (uint32_t i = 0; i < r->n; i++)
        note(w, w->memory->hits.at[r->first + i], column, value);
}

/* What hardly repeats in a block hardly comes again in the next, and would push out what does. */
static void find_in_column(struct engine_worker *w, uint32_t number, uint32_t column)
{
    uint32_t values = w->block->columns[column].values_n;
    bool repeats = values < w->block->rows / 2 || values < FEW;
    for (uint32_t value = 1; value < values; value++)
        if (repeats)
            ask_or_recall(w, number, column, value);
        else
            ask_once(w, &w->plan->views[number], column, value);
}

void engine_find_hits(struct engine_worker *w)
{
    for (uint32_t i = 0; i < w->plan->views_n; i++) {
        const struct view *view = &w->plan->views[i];
        if (!view->asked)
            continue;
        for (uint32_t k = 0; k < w->columns[i].n; k++)
            find_in_column(w, i, w->columns[i].at[k]);
        for (uint32_t column = 0; !view->names_n && column < w->block->columns_n; column++)
            find_in_column(w, i, column);
    }
    sort_hits(w);
}
