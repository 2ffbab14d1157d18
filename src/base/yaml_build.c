#include "base/map.h"
#include "base/yaml_internal.h"

#include <stdlib.h>

enum { YAML_ANCHORS = 256, MAP_FROM = 16 }; /* keys from which a hash map looks for duplicates */

enum status yaml_fail(struct yaml_builder *b, struct yaml_place at, const char *what)
{
    error_set(b->err, STATUS_BAD_INPUT, b->name, at.line ? at.line : ERROR_NO_OFFSET, "%s", what);
    if (b->err)
        b->err->column = at.column;
    return STATUS_BAD_INPUT;
}

static struct yaml_place place_of(const struct yaml_node *node)
{
    return (struct yaml_place){node->line, node->column};
}

struct yaml_node *yaml_node_new(struct yaml_builder *b, enum yaml_type type, struct yaml_place at)
{
    struct yaml_node *node = arena_zero(b->a, 1, sizeof *node);
    node->type = type;
    node->line = at.line;
    node->column = at.column;
    node->weight = node->depth = 1;
    return node;
}

enum status yaml_anchor_set(struct yaml_builder *b, struct slice name, struct yaml_node *node)
{
    if (!name.n)
        return OK;
    if (b->anchors.n == YAML_ANCHORS)
        return yaml_fail(b, place_of(node), "there are too many anchors");
    *VEC_PUSH(b->anchors) = (struct yaml_anchor){name, node};
    return OK;
}

enum status yaml_anchor_get(struct yaml_builder *b, struct slice name, struct yaml_place at,
                            struct yaml_node **node)
{
    for (size_t i = b->anchors.n; i-- > 0;) {
        if (!slice_equal(b->anchors.at[i].name, name))
            continue;
        *node = b->anchors.at[i].node;
        for (size_t k = 0; k < b->depth; k++)
            if (b->frames[k].node == *node)
                return yaml_fail(b, at, "an alias stands inside its own anchor");
        return OK;
    }
    return yaml_fail(b, at, "an alias has no anchor of its name before it");
}

enum status yaml_put(struct yaml_builder *b, struct yaml_node *node)
{
    if (++b->nodes > YAML_NODES)
        return yaml_fail(b, place_of(node), "there are too many values");
    if (!b->depth) {
        b->document.root = node;
        return OK;
    }
    const struct yaml_frame *f = &b->frames[b->depth - 1];
    if (f->node->type == YAML_MAPPING && (b->stack.n - f->first) % 2 == 0 &&
        node->type != YAML_SCALAR)
        return yaml_fail(b, place_of(node), "a list or a mapping can't be the key of a mapping");
    *VEC_PUSH(b->stack) = node;
    return OK;
}

enum status yaml_begin(struct yaml_builder *b, enum yaml_type type, struct yaml_place at,
                       struct slice anchor)
{
    if (b->depth == YAML_DEPTH)
        return yaml_fail(b, at, "lists and mappings are nested too deep");
    struct yaml_node *node = yaml_node_new(b, type, at);
    b->frames[b->depth++] = (struct yaml_frame){node, b->stack.n};
    return yaml_anchor_set(b, anchor, node);
}

static const struct yaml_node *duplicate_key(const struct yaml_node *map)
{
    if (map->n < MAP_FROM) {
        for (uint32_t i = 1; i < map->n; i++)
            for (uint32_t k = 0; k < i; k++)
                if (slice_equal(map->keys[i]->text, map->keys[k]->text))
                    return map->keys[i];
        return NULL;
    }
    struct map seen = {0};
    const struct yaml_node *found = NULL;
    for (uint32_t i = 0; i < map->n && !found; i++) {
        bool is_new;
        map_put(&seen, map->keys[i]->text, &is_new);
        if (!is_new)
            found = map->keys[i];
    }
    map_free(&seen);
    return found;
}

enum status yaml_end(struct yaml_builder *b)
{
    struct yaml_frame f = b->frames[--b->depth];
    struct yaml_node *node = f.node, **children = NULL;
    size_t n = b->stack.n - f.first;
    b->stack.n = f.first;
    size_t step = node->type == YAML_MAPPING ? 2 : 1;
    node->n = (uint32_t)(n / step);
    if (n) {
        children = b->stack.at + f.first;
        node->items = arena_alloc(b->a, node->n * sizeof *node->items);
        if (step == 2)
            node->keys = arena_alloc(b->a, node->n * sizeof *node->keys);
    }
    for (size_t i = 0; i + step <= n; i += step) {
        if (step == 2)
            node->keys[i / 2] = children[i];
        struct yaml_node *item = node->items[i / step] = children[i + step - 1];
        node->weight += item->weight + step - 1;
        if (item->depth >= node->depth)
            node->depth = item->depth + 1;
    }
    if (node->weight > YAML_NODES || node->depth + b->depth > YAML_DEPTH + 1)
        return yaml_fail(b, place_of(node), "aliases make this too large or too deep");
    if (step == 2 && !b->document.duplicate)
        b->document.duplicate = duplicate_key(node);
    return yaml_put(b, node);
}

void yaml_document_end(struct yaml_builder *b)
{
    if (b->document.root)
        b->document.line = b->document.root->line;
    *VEC_PUSH(b->documents) = b->document;
    b->document = (struct yaml_document){0};
    b->anchors.n = 0;
}

/* ---- the core schema ---- */

static bool is_one_of(struct slice s, const char *const *words)
{
    for (; *words; words++)
        if (slice_equal(s, slice_str(*words)))
            return true;
    return false;
}

/* How many characters from `at` on are of a set. */
static size_t span(struct slice s, size_t at, const char *set)
{
    size_t n = 0;
    while (at + n < s.n && s.p[at + n] && strchr(set, s.p[at + n]))
        n++;
    return n;
}

static bool is_float(struct slice s)
{
    size_t at = s.n && (s.p[0] == '+' || s.p[0] == '-') ? 1 : 0;
    static const char *const infinities[] = {".inf", ".Inf", ".INF", NULL};
    if (is_one_of(slice_sub(s, at, s.n), infinities))
        return true;
    size_t whole = span(s, at, "0123456789"), part = 0;
    at += whole;
    if (at < s.n && s.p[at] == '.') {
        part = span(s, at + 1, "0123456789");
        at += 1 + part;
    }
    if (!whole && !part)
        return false;
    if (at < s.n && (s.p[at] == 'e' || s.p[at] == 'E')) {
        at++;
        if (at < s.n && (s.p[at] == '+' || s.p[at] == '-'))
            at++;
        size_t power = span(s, at, "0123456789");
        if (!power)
            return false;
        at += power;
    }
    return at == s.n;
}

static bool is_int(struct slice s)
{
    if (slice_starts(s, SLICE("0x")))
        return s.n > 2 && span(s, 2, "0123456789abcdefABCDEF") == s.n - 2;
    if (slice_starts(s, SLICE("0o")))
        return s.n > 2 && span(s, 2, "01234567") == s.n - 2;
    size_t at = s.n && (s.p[0] == '+' || s.p[0] == '-') ? 1 : 0;
    return s.n > at && span(s, at, "0123456789") == s.n - at;
}

enum yaml_kind yaml_kind_of_plain(struct slice s)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const bools[] = {"true", "True", "TRUE", "false", "False", "FALSE", NULL};
    static const char *const nans[] = {".nan", ".NaN", ".NAN", NULL};
    if (is_one_of(s, nulls))
        return YAML_NULL;
    if (is_one_of(s, bools))
        return YAML_BOOL;
    if (is_int(s))
        return YAML_INT;
    return is_float(s) || is_one_of(s, nans) ? YAML_FLOAT : YAML_STRING;
}
