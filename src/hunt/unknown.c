#include "hunt/unknown.h"

/* Calls `look` for each name of a column of each segment, until it says true. */
static bool each_column(const struct store *s, bool (*look)(void *ctx, struct slice name),
                        void *ctx)
{
    for (size_t i = 0; i < s->segments_n; i++) {
        const struct segment *segment = s->segments[i].open;
        for (uint64_t n = 0; segment && n < segment->names_n; n++)
            if (look(ctx, segment->names[n]))
                return true;
    }
    return false;
}

static bool is_that(void *name, struct slice column)
{
    return slice_equal(*(const struct slice *)name, column);
}

static bool is_stored(const struct local_events *local, struct slice name)
{
    return each_column(local->store, is_that, &name);
}

/* Under its own name, or one that some mapping knows for it. */
static bool is_known(const struct local_events *local, struct slice name)
{
    if (is_stored(local, name))
        return true;
    for (uint32_t i = 0; i < mappings_count(local->mappings); i++) {
        const struct field_name *f = binding_field(mappings_get(local->mappings, i), name);
        for (uint32_t k = 0; f && k < f->stored_n; k++)
            if (is_stored(local, f->stored[k]))
                return true;
    }
    return false;
}

struct search {
    struct map seen; /* names that were compared */
    struct slice meant;
    struct near near;
};

static bool compare(void *ctx, struct slice column)
{
    struct search *s = ctx;
    bool is_new;
    map_put(&s->seen, column, &is_new);
    if (is_new)
        near_try(&s->near, s->meant, column);
    return false;
}

void hunt_unknown(const struct plan *p, const struct local_events *local,
                  void (*tell)(void *ctx, struct slice name, const struct near *near), void *ctx)
{
    if (local->store->segments_n == 0)
        return;
    for (uint32_t i = 0; i < p->fields_n; i++) {
        struct search s = {.meant = p->columns[p->fields[i]].name};
        bool told = false;
        for (uint32_t k = 0; k < i; k++)
            told = told || slice_equal(p->columns[p->fields[k]].name, s.meant);
        if (told || is_known(local, s.meant))
            continue;
        each_column(local->store, compare, &s);
        for (uint32_t k = 0; k < mappings_count(local->mappings); k++) {
            const struct log_binding *b = mappings_get(local->mappings, k);
            for (uint32_t f = 0; f < b->fields_n; f++)
                compare(&s, b->fields[f].rule);
        }
        tell(ctx, s.meant, &s.near);
        map_free(&s.seen);
    }
}
