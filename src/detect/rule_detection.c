#include "base/vec.h"
#include "detect/ruleset_internal.h"

#include <stdlib.h>

/* What the functions below hand down. */
struct reader {
    struct ruleset *set;
    const struct rule_document *doc;
    struct slice *lacks;
    struct error *err;
};

struct values {
    struct sigma_value *at;
    size_t n, cap;
};

static struct slice keep(const struct reader *r, struct slice text)
{
    return arena_slice(&r->set->arena, text);
}

/* ---- placeholders ---- */

static bool is_name(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c == '-' || c == '.';
}

/* The next `%name%` at or behind *at; false when there is none. *at becomes the place of its first
 * percent sign, *end the one behind its second. */
static bool find_placeholder(struct slice text, size_t *at, size_t *end)
{
    for (size_t i = *at; i < text.n; i++) {
        if (text.p[i] == '\\') {
            i++;
            continue;
        }
        if (text.p[i] != '%')
            continue;
        size_t j = i + 1;
        while (j < text.n && is_name(text.p[j]))
            j++;
        if (j > i + 1 && j < text.n && text.p[j] == '%') {
            *at = i;
            *end = j + 1;
            return true;
        }
    }
    return false;
}

/* Without the backslashes before percent signs, which were there for the placeholders' sake. */
static struct slice plain_percents(struct arena *a, struct slice text)
{
    char *out = arena_bytes(a, text.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\\' && i + 1 < text.n) {
            if (text.p[i + 1] != '%')
                out[n++] = text.p[i];
            out[n++] = text.p[++i];
        } else {
            out[n++] = text.p[i];
        }
    }
    out[n] = '\0';
    return slice_of(out, n);
}

/* `text` with the bytes from `at` to `end` replaced. */
static struct slice replace(struct arena *a, struct slice text, size_t at, size_t end,
                            struct slice with)
{
    struct slice tail = slice_sub(text, end, SIZE_MAX);
    size_t n = at + with.n + tail.n;
    char *out = arena_bytes(a, n + 1);
    memcpy(out, text.p, at);
    if (with.n)
        memcpy(out + at, with.p, with.n);
    if (tail.n)
        memcpy(out + at + with.n, tail.p, tail.n);
    out[n] = '\0';
    return slice_of(out, n);
}

/* Adds every text that `value` stands for, one for each combination of its placeholders' values. */
static enum status expand(const struct reader *r, const struct yaml_node *node,
                          struct sigma_value value, struct values *out)
{
    struct values todo = {0}; /* texts whose placeholders up to `from` are replaced */
    struct {
        size_t *at;
        size_t n, cap;
    } from = {0};
    enum status s = OK;
    size_t bytes = 0;
    *VEC_PUSH(todo) = value;
    *VEC_PUSH(from) = 0;
    while (todo.n) {
        struct sigma_value v = todo.at[--todo.n];
        size_t at = from.at[--from.n], end = 0;
        if (!find_placeholder(v.text, &at, &end)) {
            v.text = plain_percents(&r->set->arena, v.text);
            *VEC_PUSH(*out) = v;
            continue;
        }
        struct slice name = slice_sub(v.text, at + 1, end - at - 2);
        size_t n = 0;
        const struct slice *with = ruleset_placeholder(r->set, name, &n);
        if (!with) {
            if (!r->lacks->p)
                *r->lacks = arena_printf(&r->set->arena, "the placeholder %%%.*s%% is not defined",
                                         SLICE_ARG(name));
            continue;
        }
        for (size_t i = n; i-- > 0;) { /* backwards, as the last is taken up first */
            if (out->n + todo.n >= EXPAND_VALUES || bytes > EXPAND_BYTES) {
                s = yaml_error(r->err, r->doc->path, node,
                               "its placeholders make more than %d values or %d bytes",
                               EXPAND_VALUES, EXPAND_BYTES);
                goto out;
            }
            struct sigma_value made = v;
            made.text = replace(&r->set->arena, v.text, at, end, with[i]);
            bytes += made.text.n;
            *VEC_PUSH(todo) = made;
            *VEC_PUSH(from) = at + with[i].n;
        }
    }
out:
    free(todo.at);
    free(from.at);
    return s;
}

/* ---- items ---- */

static enum status add_value(const struct reader *r, const struct yaml_node *node,
                             uint32_t modifiers, struct values *out)
{
    if (node->type != YAML_SCALAR)
        return yaml_error(r->err, r->doc->path, node,
                          "a value must be a text, a number, true, false or null");
    static const uint8_t types[] = {
        [YAML_STRING] = SIGMA_STRING, [YAML_NULL] = SIGMA_NULL,    [YAML_BOOL] = SIGMA_BOOL,
        [YAML_INT] = SIGMA_NUMBER,    [YAML_FLOAT] = SIGMA_NUMBER,
    };
    struct sigma_value v = {.line = node->line};
    v.type = types[node->kind];
    v.text = v.type == SIGMA_NULL ? SLICE("") : keep(r, node->text);
    size_t from = out->n;
    if (modifiers & MOD_EXPAND && v.type == SIGMA_STRING) {
        enum status s = expand(r, node, v, out);
        if (s != OK)
            return s;
    } else {
        *VEC_PUSH(*out) = v;
    }
    for (size_t i = from; i < out->n; i++) {
        enum status s = rule_value_check(r->doc, node, modifiers, &out->at[i], r->err);
        if (s != OK)
            return s;
    }
    return OK;
}

/* The values of an item: a scalar, or a list of scalars (from number `from` on for `n`). */
static enum status load_values(const struct reader *r, const struct yaml_node *node,
                               struct sigma_item *item)
{
    struct values values = {0};
    enum status s = OK;
    if (node->type == YAML_SEQUENCE)
        for (uint32_t i = 0; s == OK && i < node->n; i++)
            s = add_value(r, node->items[i], item->modifiers, &values);
    else
        s = add_value(r, node, item->modifiers, &values);
    if (s == OK && item->modifiers & MOD_EXISTS && values.n != 1)
        s = yaml_error(r->err, r->doc->path, node, "'exists' takes one value, true or false");
    if (s == OK) {
        item->values_n = (uint32_t)values.n;
        item->values = arena_zero(&r->set->arena, values.n, sizeof *item->values);
        if (values.n)
            memcpy(item->values, values.at, values.n * sizeof *item->values);
    }
    free(values.at);
    return s;
}

static enum status load_item(const struct reader *r, const struct yaml_node *key,
                             const struct yaml_node *node, struct sigma_detection *out)
{
    struct slice field;
    *out = (struct sigma_detection){.type = DETECT_ITEM};
    out->item.line = key->line;
    out->item.column = key->column;
    enum status s = rule_modifiers(r->doc, key, &field, &out->item.modifiers, r->err);
    if (s != OK)
        return s;
    out->item.field = keep(r, field);
    if (node->type == YAML_MAPPING)
        return yaml_error(r->err, r->doc->path, node,
                          "'%.*s' holds a map; a field takes a value or a list of values",
                          SLICE_ARG(key->text));
    return load_values(r, node, &out->item);
}

static bool all_scalars(const struct yaml_node *list)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (list->items[i]->type != YAML_SCALAR)
            return false;
    return true;
}

/* A detection: a map of items, a list of keywords, a list of detections, or one keyword. The depth
 * is bounded by the YAML reader. */
static enum status load_detection(const struct reader *r, const struct yaml_node *node,
                                  struct sigma_detection *out)
{
    bool empty = node->type == YAML_SCALAR ? node->kind == YAML_NULL : node->n == 0;
    if (empty)
        return yaml_error(r->err, r->doc->path, node, "the search is empty");
    if (node->type == YAML_SCALAR || (node->type == YAML_SEQUENCE && all_scalars(node))) {
        *out = (struct sigma_detection){.type = DETECT_ITEM};
        out->item.line = node->line;
        out->item.column = node->column;
        return load_values(r, node, &out->item);
    }
    *out = (struct sigma_detection){.type = node->type == YAML_MAPPING ? DETECT_AND : DETECT_OR};
    out->children_n = node->n;
    out->children = arena_zero(&r->set->arena, node->n, sizeof *out->children);
    for (uint32_t i = 0; i < node->n; i++) {
        enum status s = node->type == YAML_MAPPING
                            ? load_item(r, node->keys[i], node->items[i], &out->children[i])
                            : load_detection(r, node->items[i], &out->children[i]);
        if (s != OK)
            return s;
    }
    return OK;
}

static bool is_among(struct slice key, const char *const *names)
{
    for (; *names; names++)
        if (slice_equal(key, slice_str(*names)))
            return true;
    return false;
}

enum status rule_searches(struct ruleset *set, const struct rule_document *doc,
                          const struct yaml_node *section, const char *const *others,
                          struct sigma_search **out, uint32_t *n, struct slice *lacks,
                          struct error *err)
{
    struct reader r = {set, doc, lacks, err};
    *n = 0;
    *out = NULL;
    if (!section || section->type != YAML_MAPPING)
        return yaml_error(err, doc->path, section ? section : doc->root,
                          "the section must be a map of search identifiers and a condition");
    *out = arena_zero(&set->arena, section->n, sizeof **out);
    for (uint32_t i = 0; i < section->n; i++) {
        const struct yaml_node *key = section->keys[i];
        if (is_among(key->text, others))
            continue;
        if (*n == RULE_SEARCHES)
            return yaml_error(err, doc->path, key, "there are more than %d search identifiers",
                              RULE_SEARCHES);
        struct sigma_search *search = &(*out)[*n];
        search->name = arena_slice(&set->arena, key->text);
        enum status s = load_detection(&r, section->items[i], &search->detection);
        if (s != OK)
            return s;
        (*n)++;
    }
    if (*n == 0)
        return yaml_error(err, doc->path, section, "there is no search identifier here");
    return OK;
}
