#include "base/yaml.h"

#include "base/map.h"
#include "base/text.h"
#include "base/vec.h"

#include <libfyaml.h>
#include <stdarg.h>
#include <stdlib.h>

enum { YAML_ANCHORS = 256, MAP_FROM = 16 }; /* keys from which a hash map looks for duplicates */

struct anchor {
    struct slice name;
    struct yaml_node *node;
};

struct frame {
    struct yaml_node *node;
    size_t first; /* its children on the stack */
};

/* A parse under way. Children wait on `stack` until their collection ends. */
struct builder {
    const char *name;
    struct arena *a;
    struct error *err;
    struct fy_diag *diag;
    struct fy_parser *parser;
    struct frame frames[YAML_DEPTH];
    size_t depth;
    uint64_t nodes;
    struct {
        struct yaml_node **at;
        size_t n, cap;
    } stack;
    struct {
        struct anchor *at;
        size_t n, cap;
    } anchors; /* of the present document */
    struct {
        struct yaml_document *at;
        size_t n, cap;
    } documents;
    struct yaml_document document;
};

static enum status fail_at(struct builder *b, uint32_t line, uint32_t column, const char *what)
{
    error_set(b->err, STATUS_BAD_INPUT, b->name, line, "%s", what);
    if (b->err)
        b->err->column = column;
    return STATUS_BAD_INPUT;
}

/* ---- scalars ---- */

static bool is_one_of(struct slice s, const char *const *words)
{
    for (; *words; words++)
        if (slice_equal(s, slice_str(*words)))
            return true;
    return false;
}

static size_t digits(struct slice s, size_t at, const char *set)
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
    size_t whole = digits(s, at, "0123456789"), part = 0;
    at += whole;
    if (at < s.n && s.p[at] == '.') {
        part = digits(s, at + 1, "0123456789");
        at += 1 + part;
    }
    if (!whole && !part)
        return false;
    if (at < s.n && (s.p[at] == 'e' || s.p[at] == 'E')) {
        at++;
        if (at < s.n && (s.p[at] == '+' || s.p[at] == '-'))
            at++;
        size_t power = digits(s, at, "0123456789");
        if (!power)
            return false;
        at += power;
    }
    return at == s.n;
}

static bool is_int(struct slice s)
{
    if (slice_starts(s, SLICE("0x")))
        return s.n > 2 && digits(s, 2, "0123456789abcdefABCDEF") == s.n - 2;
    if (slice_starts(s, SLICE("0o")))
        return s.n > 2 && digits(s, 2, "01234567") == s.n - 2;
    size_t at = s.n && (s.p[0] == '+' || s.p[0] == '-') ? 1 : 0;
    return s.n > at && digits(s, at, "0123456789") == s.n - at;
}

static enum yaml_kind kind_of_plain(struct slice s)
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

static enum yaml_kind kind_of(struct slice text, enum fy_scalar_style style, struct fy_token *tag)
{
    if (tag) {
        size_t n = 0;
        const char *p = fy_token_get_text(tag, &n);
        if (p && slice_ends(slice_of(p, n), SLICE(":str")))
            return YAML_STRING;
    }
    return style == FYSS_PLAIN || style == FYSS_ANY ? kind_of_plain(text) : YAML_STRING;
}

/* ---- the tree ---- */

static struct yaml_node *node_new(struct builder *b, enum yaml_type type, struct fy_token *at)
{
    struct yaml_node *node = arena_zero(b->a, 1, sizeof *node);
    const struct fy_mark *mark = at ? fy_token_start_mark(at) : NULL;
    node->type = type;
    node->line = mark ? (uint32_t)mark->line + 1 : 0;
    node->column = mark ? (uint32_t)mark->column + 1 : 0;
    if (!mark &&
        b->stack.n) { /* an empty value has no place of its own: its key's is the nearest */
        node->line = b->stack.at[b->stack.n - 1]->line;
        node->column = b->stack.at[b->stack.n - 1]->column;
    }
    node->weight = node->depth = 1;
    return node;
}

static enum status anchor_set(struct builder *b, struct fy_token *token, struct yaml_node *node)
{
    if (!token)
        return OK;
    if (b->anchors.n == YAML_ANCHORS)
        return fail_at(b, node->line, node->column, "there are too many anchors");
    size_t n = 0;
    const char *p = fy_token_get_text(token, &n);
    struct slice name = arena_slice(b->a, slice_of(p, p ? n : 0));
    *VEC_PUSH(b->anchors) = (struct anchor){name, node};
    return OK;
}

/* Puts a finished node where it belongs: into the collection under way, or at the root. */
static enum status node_done(struct builder *b, struct yaml_node *node)
{
    if (++b->nodes > YAML_NODES)
        return fail_at(b, node->line, node->column, "there are too many values");
    if (!b->depth) {
        b->document.root = node;
        b->document.line = node->line;
        return OK;
    }
    const struct frame *f = &b->frames[b->depth - 1];
    if (f->node->type == YAML_MAPPING && (b->stack.n - f->first) % 2 == 0 &&
        node->type != YAML_SCALAR)
        return fail_at(b, node->line, node->column,
                       "a list or a mapping can't be the key of a mapping");
    *VEC_PUSH(b->stack) = node;
    return OK;
}

static enum status collection_begin(struct builder *b, enum yaml_type type, struct fy_token *at,
                                    struct fy_token *anchor)
{
    struct yaml_node *node = node_new(b, type, at);
    if (b->depth == YAML_DEPTH)
        return fail_at(b, node->line, node->column, "lists and mappings are nested too deep");
    b->frames[b->depth++] = (struct frame){node, b->stack.n};
    return anchor_set(b, anchor, node);
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

static enum status collection_end(struct builder *b)
{
    if (!b->depth)
        return fail_at(b, 0, 0, "a list or mapping ends that did not begin");
    struct frame f = b->frames[--b->depth];
    struct yaml_node *node = f.node, **children = b->stack.at + f.first;
    size_t n = b->stack.n - f.first;
    b->stack.n = f.first;
    size_t step = node->type == YAML_MAPPING ? 2 : 1;
    node->n = (uint32_t)(n / step);
    if (n) {
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
    if (node->weight > YAML_NODES || node->depth + b->depth > YAML_DEPTH)
        return fail_at(b, node->line, node->column, "aliases make this too large or too deep");
    if (step == 2 && !b->document.duplicate)
        b->document.duplicate = duplicate_key(node);
    return node_done(b, node);
}

static enum status scalar(struct builder *b, const struct fy_event_scalar_data *e)
{
    struct yaml_node *node = node_new(b, YAML_SCALAR, e->value);
    size_t n = 0;
    const char *p = e->value ? fy_token_get_text(e->value, &n) : "";
    if (!p)
        return fail_at(b, node->line, node->column, "this value can't be read");
    node->text = arena_slice(b->a, slice_of(p, n));
    node->kind =
        kind_of(node->text, e->value ? fy_token_scalar_style(e->value) : FYSS_PLAIN, e->tag);
    enum status s = anchor_set(b, e->anchor, node);
    return s == OK ? node_done(b, node) : s;
}

static enum status alias(struct builder *b, struct fy_token *token)
{
    size_t n = 0;
    const char *p = token ? fy_token_get_text(token, &n) : NULL;
    const struct fy_mark *mark = token ? fy_token_start_mark(token) : NULL;
    uint32_t line = mark ? (uint32_t)mark->line + 1 : 0,
             column = mark ? (uint32_t)mark->column + 1 : 0;
    struct slice name = slice_of(p, p ? n : 0);
    for (size_t i = b->anchors.n; i-- > 0;) {
        if (!slice_equal(b->anchors.at[i].name, name))
            continue;
        struct yaml_node *node = b->anchors.at[i].node;
        for (size_t k = 0; k < b->depth; k++)
            if (b->frames[k].node == node)
                return fail_at(b, line, column, "an alias stands inside its own anchor");
        return node_done(b, node);
    }
    return fail_at(b, line, column, "an alias has no anchor of its name before it");
}

static void document_end(struct builder *b)
{
    *VEC_PUSH(b->documents) = b->document;
    b->anchors.n = 0;
}

static enum status event(struct builder *b, const struct fy_event *e)
{
    const struct fy_mark *mark;
    switch (e->type) {
    case FYET_DOCUMENT_START:
        mark = e->document_start.document_start
                   ? fy_token_start_mark(e->document_start.document_start)
                   : NULL;
        b->document = (struct yaml_document){.line = mark ? (uint32_t)mark->line + 1 : 1};
        return OK;
    case FYET_DOCUMENT_END:
        document_end(b);
        return OK;
    case FYET_MAPPING_START:
        return collection_begin(b, YAML_MAPPING, e->mapping_start.mapping_start,
                                e->mapping_start.anchor);
    case FYET_SEQUENCE_START:
        return collection_begin(b, YAML_SEQUENCE, e->sequence_start.sequence_start,
                                e->sequence_start.anchor);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        return collection_end(b);
    case FYET_SCALAR:
        return scalar(b, &e->scalar);
    case FYET_ALIAS:
        return alias(b, e->alias.anchor);
    default:
        return OK;
    }
}

/* ---- the parse ---- */

/* libfyaml's own message, or ours when it has none. */
static enum status parser_error(struct builder *b)
{
    void *at = NULL;
    struct fy_diag_error *e = fy_diag_errors_iterate(b->diag, &at);
    return e && e->msg ? fail_at(b, e->line > 0 ? (uint32_t)e->line : 0,
                                 e->column > 0 ? (uint32_t)e->column : 0, e->msg)
                       : fail_at(b, 0, 0, "this is not YAML");
}

/* What libfyaml would take differently from YAML, or badly: found before it sees the text. */
static enum status check_text(struct builder *b, struct slice text)
{
    uint32_t line = 1;
    size_t line_at = 0;
    if (text.n > YAML_BYTES)
        return fail_at(b, 0, 0, "the file is too large for YAML");
    for (size_t i = 0; i < text.n;) {
        size_t n = utf8_length(slice_sub(text, i, 4));
        unsigned char c = (unsigned char)text.p[i];
        if (!n || c == 0x7f || (c < 0x20 && c != '\t' && c != '\n' && c != '\r'))
            return fail_at(b, line, (uint32_t)(i - line_at) + 1,
                           n ? "a control character stands here" : "this byte is not UTF-8");
        i += n;
        if (c == '\n') {
            line++;
            line_at = i;
        }
    }
    return OK;
}

static enum status run(struct builder *b, struct slice text)
{
    if (slice_starts(text, SLICE("\xef\xbb\xbf")))
        text = slice_sub(text, 3, text.n);
    enum status s = check_text(b, text);
    if (s != OK || !text.n)
        return s;
    b->diag = fy_diag_create(NULL);
    if (b->diag)
        fy_diag_set_collect_errors(b->diag, true);
    struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET | FYPCF_JSON_NONE | FYPCF_DEFAULT_VERSION_1_2,
                               .diag = b->diag};
    b->parser = b->diag ? fy_parser_create(&cfg) : NULL;
    if (!b->parser || fy_parser_set_string(b->parser, text.p, text.n) != 0)
        return error_set(b->err, STATUS_SYSTEM, b->name, ERROR_NO_OFFSET,
                         "the YAML parser did not start");
    struct fy_event *e;
    while (s == OK && (e = fy_parser_parse(b->parser))) {
        s = event(b, e);
        fy_parser_event_free(b->parser, e);
    }
    if (s == OK && (fy_parser_get_stream_error(b->parser) || b->depth))
        s = parser_error(b);
    return s;
}

enum status yaml_parse(struct slice text, const char *name, struct arena *a,
                       struct yaml_documents *out, struct error *err)
{
    struct builder b = {.name = name, .a = a, .err = err};
    enum status s = run(&b, text);
    if (b.parser)
        fy_parser_destroy(b.parser);
    if (b.diag)
        fy_diag_destroy(b.diag);
    out->n = b.documents.n;
    out->at = arena_zero(a, b.documents.n, sizeof *out->at);
    if (b.documents.n)
        memcpy(out->at, b.documents.at, b.documents.n * sizeof *out->at);
    free(b.documents.at);
    free(b.stack.at);
    free(b.anchors.at);
    return s;
}

enum status yaml_parse_one(struct slice text, const char *name, struct arena *a,
                           const struct yaml_node **root, struct error *err)
{
    struct yaml_documents documents;
    *root = NULL;
    enum status s = yaml_parse(text, name, a, &documents, err);
    if (s != OK)
        return s;
    if (documents.n != 1 || !documents.at[0].root)
        return error_set(err, STATUS_BAD_INPUT, name, ERROR_NO_OFFSET,
                         documents.n > 1 ? "there is more than one document" : "it is empty");
    if (documents.at[0].duplicate)
        return yaml_error(err, name, documents.at[0].duplicate, "the key '%.*s' stands here twice",
                          SLICE_ARG(documents.at[0].duplicate->text));
    *root = documents.at[0].root;
    return OK;
}

/* ---- looking things up ---- */

const struct yaml_node *yaml_get(const struct yaml_node *map, struct slice key)
{
    if (!map || map->type != YAML_MAPPING)
        return NULL;
    for (uint32_t i = 0; i < map->n; i++)
        if (slice_equal(map->keys[i]->text, key))
            return map->items[i];
    return NULL;
}

struct slice yaml_text(const struct yaml_node *node)
{
    return node && node->type == YAML_SCALAR ? node->text : (struct slice){0};
}

static bool is_null(const struct yaml_node *node)
{
    return !node || (node->type == YAML_SCALAR && node->kind == YAML_NULL);
}

uint32_t yaml_count(const struct yaml_node *node)
{
    if (is_null(node))
        return 0;
    return node->type == YAML_SEQUENCE ? node->n : 1;
}

const struct yaml_node *yaml_at(const struct yaml_node *node, uint32_t i)
{
    if (i >= yaml_count(node))
        return NULL;
    return node->type == YAML_SEQUENCE ? node->items[i] : node;
}

bool yaml_bool(const struct yaml_node *node, bool *out)
{
    if (!node || node->type != YAML_SCALAR || node->kind != YAML_BOOL)
        return false;
    *out = node->text.p[0] == 't' || node->text.p[0] == 'T';
    return true;
}

enum status yaml_error(struct error *err, const char *name, const struct yaml_node *node,
                       const char *format, ...)
{
    char what[sizeof err->what];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    error_set(err, STATUS_BAD_INPUT, name, node ? node->line : ERROR_NO_OFFSET, "%s", what);
    if (err)
        err->column = node ? node->column : 0;
    return STATUS_BAD_INPUT;
}
