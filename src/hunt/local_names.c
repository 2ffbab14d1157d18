/* Which stored fields a name of a hunt means, by kind of event. */
#include "hunt/local_internal.h"

#include "base/vec.h"
#include "event/select.h"

#include <stdlib.h>

enum { KINDS_MOST = 8192 };

bool name_is_translated(const struct mappings *m, struct slice name)
{
    for (uint32_t i = 0; i < mappings_count(m); i++) {
        const struct field_name *f = binding_field(mappings_get(m, i), name);
        if (f && f->values_n)
            return true;
    }
    return false;
}

bool name_has_parts(const struct mappings *m, struct slice name)
{
    for (uint32_t i = 0; i < mappings_count(m); i++) {
        const struct field_name *f = binding_field(mappings_get(m, i), name);
        if (f && f->part != PART_ALL)
            return true;
    }
    return false;
}

struct name_list {
    struct stored_name *at;
    size_t n, cap;
};

static void add_name(struct name_list *list, struct slice name, const struct field_name *field)
{
    for (size_t i = 0; i < list->n; i++)
        if (slice_equal(list->at[i].name, name))
            return;
    *VEC_PUSH(*list) = (struct stored_name){name, field};
}

static void add_mapped(struct name_list *list, const struct log_binding *binding, struct slice name)
{
    const struct field_name *f = binding_field(binding, name);
    for (uint32_t i = 0; f && i < f->stored_n; i++)
        add_name(list, f->stored[i], field_translates(f) ? f : NULL);
}

/* The bindings that name fields of such events: the scan's, or all of the mappings that hold. */
static void add_bindings(struct name_list *list, const struct scan *s,
                         const struct event_kind *kind, struct slice name)
{
    const struct mappings *m = s->local->mappings;
    if (s->op->scan.bindings_n) {
        for (uint32_t i = 0; i < s->op->scan.bindings_n; i++)
            if (binding_holds(s->op->scan.bindings[i], kind))
                add_mapped(list, s->op->scan.bindings[i], name);
        return;
    }
    for (uint32_t i = 0; i < mappings_count(m); i++)
        if (binding_field(mappings_get(m, i), name) && binding_holds(mappings_get(m, i), kind))
            add_mapped(list, mappings_get(m, i), name);
}

static void find_names(struct name_list *list, const struct scan *s, const struct event_kind *kind,
                       const struct scan_column *c)
{
    if (c->event == EVENT_HOST) {
        for (size_t i = 0; i < HOST_FIELDS; i++)
            add_name(list, host_fields[i], NULL);
    } else if (c->event == EVENT_PROVIDER || c->event == EVENT_CODE || c->event == EVENT_FIELD) {
        struct slice name =
            c->event == EVENT_FIELD ? c->name : slice_str(event_column_name(c->event));
        bool first = s->op->scan.bindings_n == 0;
        if (first)
            add_name(list, name, NULL);
        add_bindings(list, s, kind, name);
        if (!first)
            add_name(list, name, NULL);
    }
}

static void find_wanted(struct names_of_kind *k, struct arena *a, const struct scan *s,
                        const struct event_kind *kind)
{
    uint32_t n = s->op->scan.bindings_n;
    k->bindings = arena_zero(a, n, sizeof *k->bindings);
    k->wanted = k->whole = n == 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct log_binding *binding = s->op->scan.bindings[i];
        if (!binding_holds(binding, kind))
            continue;
        k->wanted = true;
        if (binding->conditions_n)
            k->bindings[k->bindings_n++] = binding;
        else
            k->whole = true;
    }
}

static struct names_of_kind *names_new(struct arena *a, const struct scan *s,
                                       const struct event_kind *kind)
{
    struct names_of_kind *k = arena_zero(a, 1, sizeof *k);
    struct name_list list = {0};
    k->fields = arena_zero(a, s->columns_n, sizeof(struct stored_name *));
    k->fields_n = arena_zero(a, s->columns_n, sizeof *k->fields_n);
    for (uint32_t i = 0; i < s->columns_n; i++) {
        list.n = 0;
        find_names(&list, s, kind, &s->columns[i]);
        k->fields_n[i] = (uint32_t)list.n;
        k->fields[i] = arena_alloc(a, (list.n + 1) * sizeof *list.at);
        if (list.n)
            memcpy(k->fields[i], list.at, list.n * sizeof *list.at);
    }
    free(list.at);
    find_wanted(k, a, s, kind);
    return k;
}

static void key_part(struct buf *key, struct slice s)
{
    uint32_t n = (uint32_t)s.n;
    buf_add(key, slice_of(&n, sizeof n));
    buf_add(key, s);
}

const struct names_of_kind *names_find(struct kind_cache *cache, const struct scan *s,
                                       const struct event_kind *kind)
{
    bool is_new;
    buf_clear(&cache->key);
    key_part(&cache->key, kind->product);
    key_part(&cache->key, kind->category);
    key_part(&cache->key, kind->service);
    key_part(&cache->key, kind->channel);
    key_part(&cache->key, kind->provider);
    key_part(&cache->key, kind->code);
    if (cache->list.n >= KINDS_MOST) {
        map_clear(&cache->numbers);
        arena_reset(&cache->arena);
        cache->list.n = 0;
    }
    uint32_t *slot = map_put(&cache->numbers, buf_slice(&cache->key), &is_new);
    if (is_new) {
        *slot = (uint32_t)cache->list.n;
        *VEC_PUSH(cache->list) = names_new(&cache->arena, s, kind);
    }
    return cache->list.at[*slot];
}

void names_free(struct kind_cache *cache)
{
    arena_free(&cache->arena);
    map_free(&cache->numbers);
    buf_free(&cache->key);
    free(cache->list.at);
}
