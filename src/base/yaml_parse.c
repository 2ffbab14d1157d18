#include "base/text.h"
#include "base/yaml_internal.h"

#include <stdlib.h>

/* ---- the text ---- */

static void line_begins(struct yaml_reader *r)
{
    r->line_at = r->at;
    r->content_at = r->at;
    while (r->content_at < r->text.n && r->text.p[r->content_at] == ' ')
        r->content_at++;
}

void yaml_newline(struct yaml_reader *r)
{
    r->at++;
    r->line++;
    line_begins(r);
}

/* Past spaces, tabs, comments and empty lines. */
static void skip(struct yaml_reader *r)
{
    for (;;) {
        while (yaml_is_space(yaml_look(r, 0)))
            r->at++;
        if (yaml_look(r, 0) == '#' && (r->at == r->line_at || yaml_is_space(r->text.p[r->at - 1])))
            while (yaml_look(r, 0) && yaml_look(r, 0) != '\n')
                r->at++;
        if (yaml_look(r, 0) != '\n')
            return;
        yaml_newline(r);
    }
}

bool yaml_at_marker(const struct yaml_reader *r)
{
    if (r->at != r->line_at)
        return false;
    struct slice s = slice_sub(r->text, r->at, 3);
    return (slice_equal(s, SLICE("---")) || slice_equal(s, SLICE("..."))) &&
           yaml_is_blank(yaml_look(r, 3));
}

struct yaml_place yaml_here(struct yaml_reader *r)
{
    if (r->mark_at < r->line_at || r->mark_at > r->at) {
        r->mark_at = r->line_at;
        r->mark_column = 1;
    }
    for (; r->mark_at < r->at; r->mark_at++)
        if (((unsigned char)r->text.p[r->mark_at] & 0xc0) != 0x80)
            r->mark_column++;
    return (struct yaml_place){r->line, r->mark_column};
}

enum status yaml_fail_here(struct yaml_reader *r, const char *what)
{
    return yaml_fail(&r->b, yaml_here(r), what);
}

static size_t column(const struct yaml_reader *r)
{
    return r->at - r->line_at;
}

static bool at_end(const struct yaml_reader *r)
{
    return r->at >= r->text.n || yaml_at_marker(r);
}

static bool at_dash(const struct yaml_reader *r)
{
    return yaml_look(r, 0) == '-' && yaml_is_blank(yaml_look(r, 1));
}

/* ---- anchors and tags ---- */

struct properties {
    struct slice anchor;
    bool is_given, is_string;
    struct yaml_place place;
    size_t column;
};

static struct slice word(struct yaml_reader *r)
{
    size_t from = r->at;
    while (!yaml_is_blank(yaml_look(r, 0)) && !yaml_is_flow(yaml_look(r, 0)))
        r->at++;
    return slice_sub(r->text, from, r->at - from);
}

/* Those that stand on this line. */
static enum status properties(struct yaml_reader *r, struct properties *p)
{
    *p = (struct properties){.place = yaml_here(r), .column = column(r)};
    bool tag = false;
    for (;;) {
        char c = yaml_look(r, 0);
        if (c != '&' && c != '!')
            return OK;
        if (c == '&' ? p->anchor.n > 0 : tag)
            return yaml_fail_here(r, "a value can have one anchor and one tag");
        r->at += c == '&';
        struct slice name = word(r);
        if (c == '&' && !name.n)
            return yaml_fail_here(r, "an anchor has no name");
        if (c == '&') {
            p->anchor = name;
        } else {
            tag = true;
            p->is_string = slice_equal(name, SLICE("!!str")) || slice_equal(name, SLICE("!"));
        }
        p->is_given = true;
        while (yaml_is_space(yaml_look(r, 0)))
            r->at++;
    }
}

static enum status empty_value(struct yaml_reader *r, struct yaml_place at,
                               const struct properties *p)
{
    struct yaml_node *node = yaml_node_new(&r->b, YAML_SCALAR, at);
    node->text = SLICE("");
    node->kind = p->is_string ? YAML_STRING : YAML_NULL;
    enum status s = yaml_anchor_set(&r->b, p->anchor, node);
    return s == OK ? yaml_put(&r->b, node) : s;
}

static enum status named(struct yaml_reader *r, const struct properties *p, struct yaml_node *node)
{
    if (p->is_string)
        node->kind = YAML_STRING;
    return yaml_anchor_set(&r->b, p->anchor, node);
}

static enum status alias(struct yaml_reader *r, const struct properties *p, struct yaml_node **node)
{
    struct yaml_place at = yaml_here(r);
    if (p->is_given)
        return yaml_fail(&r->b, at, "an alias can't have an anchor or a tag");
    r->at++;
    return yaml_anchor_get(&r->b, word(r), at, node);
}

/* ---- flow: [a, b] and {a: b} ---- */

static enum status flow_collection(struct yaml_reader *r, const struct properties *p);

static enum status flow_skip(struct yaml_reader *r)
{
    skip(r);
    if (at_end(r))
        return yaml_fail_here(r, "a list or mapping in brackets does not end");
    return OK;
}

/* Whether ':' stands here as the sign behind a key; behind a quoted one no space need follow. */
static bool flow_colon(const struct yaml_reader *r, bool quoted)
{
    return yaml_look(r, 0) == ':' &&
           (quoted || yaml_is_blank(yaml_look(r, 1)) || yaml_is_flow(yaml_look(r, 1)));
}

/* A scalar or alias into *node; a collection is put in at once and *node is NULL. */
static enum status flow_value(struct yaml_reader *r, struct yaml_node **node, bool *quoted)
{
    struct properties p;
    *node = NULL;
    enum status s = properties(r, &p);
    if (s == OK && p.is_given)
        s = flow_skip(r);
    if (s != OK)
        return s;
    char c = yaml_look(r, 0);
    *quoted = c == '"' || c == '\'';
    if (c == '[' || c == '{')
        return flow_collection(r, &p);
    if (c == '*')
        return alias(r, &p, node);
    if (p.is_given && (c == ',' || c == ']' || c == '}' || flow_colon(r, false))) {
        *node = yaml_node_new(&r->b, YAML_SCALAR, p.place);
        (*node)->text = SLICE("");
        (*node)->kind = YAML_NULL;
    } else {
        s = *quoted ? yaml_quoted(r, node) : yaml_plain(r, 0, YAML_IN_FLOW, node);
    }
    return s == OK ? named(r, &p, *node) : s;
}

/* What stands behind a key: ": value", or nothing. */
static enum status flow_pair(struct yaml_reader *r, struct yaml_place at, bool quoted)
{
    static const struct properties none = {0};
    if (!flow_colon(r, quoted))
        return empty_value(r, at, &none);
    r->at++;
    enum status s = flow_skip(r);
    if (s != OK)
        return s;
    char c = yaml_look(r, 0);
    if (c == ',' || c == '}' || c == ']')
        return empty_value(r, at, &none);
    struct yaml_node *node;
    s = flow_value(r, &node, &quoted);
    return s == OK && node ? yaml_put(&r->b, node) : s;
}

static enum status flow_item(struct yaml_reader *r, enum yaml_type type)
{
    struct yaml_node *node;
    bool quoted;
    struct yaml_place at = yaml_here(r);
    enum status s = flow_value(r, &node, &quoted);
    if (s == OK)
        s = flow_skip(r);
    if (s != OK)
        return s;
    bool pair = flow_colon(r, quoted || !node);
    if (pair && !node)
        return yaml_fail(&r->b, at, "a list or a mapping can't be the key of a mapping");
    if (!node)
        return OK;
    if (type == YAML_SEQUENCE && !pair)
        return yaml_put(&r->b, node);
    if (type == YAML_SEQUENCE) /* [a: b] is a list of one mapping */
        s = yaml_begin(&r->b, YAML_MAPPING, at, (struct slice){0});
    if (s == OK)
        s = yaml_put(&r->b, node);
    if (s == OK)
        s = flow_pair(r, at, quoted);
    return s == OK && type == YAML_SEQUENCE ? yaml_end(&r->b) : s;
}

static enum status flow_collection(struct yaml_reader *r, const struct properties *p)
{
    enum yaml_type type = yaml_look(r, 0) == '[' ? YAML_SEQUENCE : YAML_MAPPING;
    char close = type == YAML_SEQUENCE ? ']' : '}';
    enum status s = yaml_begin(&r->b, type, yaml_here(r), p->anchor);
    if (s != OK)
        return s;
    r->at++;
    for (;;) {
        if ((s = flow_skip(r)) != OK)
            return s;
        if (yaml_look(r, 0) == close)
            break;
        if ((s = flow_item(r, type)) != OK || (s = flow_skip(r)) != OK)
            return s;
        if (yaml_look(r, 0) == ',')
            r->at++;
        else if (yaml_look(r, 0) != close)
            return yaml_fail_here(r, type == YAML_SEQUENCE ? "a ',' or ']' is missing before this"
                                                           : "a ',' or '}' is missing before this");
    }
    r->at++;
    return yaml_end(&r->b);
}

/* ---- block ---- */

/* Where a value stands. */
struct context {
    size_t least; /* columns that its further lines have at least */
    size_t dash;  /* a list may stand at this column, though it is less; or NO_DASH */
    bool fresh;   /* a list or mapping may begin on this line */
};

#define NO_DASH SIZE_MAX

static enum status value(struct yaml_reader *r, struct context c);

/* To the next line of a collection at `at`; *more is false when it has ended. */
static enum status next_entry(struct yaml_reader *r, size_t at, bool *more)
{
    skip(r);
    *more = false;
    if (at_end(r))
        return OK;
    if (r->at != r->content_at)
        return yaml_fail_here(r, yaml_look(r, 0) == ':' || r->content_at < r->line_at ||
                                         r->text.p[r->content_at] != '\t'
                                     ? "this does not belong here: the value before it has ended"
                                     : "a tab can't indent; use spaces");
    if (column(r) < at)
        return OK;
    if (column(r) > at)
        return yaml_fail_here(r, "this is indented deeper than the lines that it belongs to");
    *more = true;
    return OK;
}

static enum status sequence(struct yaml_reader *r, const struct properties *p)
{
    size_t at = column(r);
    enum status s = yaml_begin(&r->b, YAML_SEQUENCE, yaml_here(r), p->anchor);
    bool more = true;
    while (s == OK && more && at_dash(r)) {
        r->at++;
        s = value(r, (struct context){at + 1, NO_DASH, true});
        if (s == OK)
            s = next_entry(r, at, &more);
    }
    return s == OK ? yaml_end(&r->b) : s;
}

/* Whether ':' stands here as the sign behind a key. */
static bool skip_to_colon(struct yaml_reader *r)
{
    size_t ahead = 0;
    while (yaml_is_space(yaml_look(r, ahead)))
        ahead++;
    if (yaml_look(r, ahead) != ':' || !yaml_is_blank(yaml_look(r, ahead + 1)))
        return false;
    r->at += ahead;
    return true;
}

static enum status scalar(struct yaml_reader *r, size_t least, struct yaml_node **node)
{
    char c = yaml_look(r, 0);
    if (c == '"' || c == '\'')
        return yaml_quoted(r, node);
    return yaml_plain(r, least, YAML_IN_BLOCK, node);
}

static enum status key(struct yaml_reader *r, size_t at, struct yaml_node **node)
{
    struct properties p;
    if (at_dash(r))
        return yaml_fail_here(r, "a list's item stands among the keys of a mapping");
    enum status s = properties(r, &p);
    uint32_t line = r->line;
    if (s == OK)
        s = scalar(r, at + 1, node);
    if (s == OK && (!skip_to_colon(r) || r->line != line))
        s = yaml_fail(&r->b, (struct yaml_place){(*node)->line, (*node)->column},
                      "a ':' is missing behind this key");
    return s == OK ? named(r, &p, *node) : s;
}

/* From its first key, which has been read, on; ':' stands here. */
static enum status mapping(struct yaml_reader *r, size_t at, const struct properties *p,
                           struct yaml_node *first)
{
    struct yaml_place place = {first->line, first->column};
    enum status s = yaml_begin(&r->b, YAML_MAPPING, place, p->anchor);
    bool more = true;
    while (s == OK && more) {
        s = yaml_put(&r->b, first);
        if (s != OK)
            break;
        r->at++;
        s = value(r, (struct context){at + 1, at, false});
        if (s == OK)
            s = next_entry(r, at, &more);
        if (s == OK && more)
            s = key(r, at, &first);
    }
    return s == OK ? yaml_end(&r->b) : s;
}

/* A scalar, or the mapping whose first key it is. `outer` stands on a line before, `inner` on this. */
static enum status scalar_or_mapping(struct yaml_reader *r, struct context c,
                                     const struct properties *outer, const struct properties *inner)
{
    struct yaml_node *node;
    uint32_t line = r->line;
    size_t at = inner->is_given ? inner->column : column(r);
    enum status s = scalar(r, c.least, &node);
    if (s != OK)
        return s;
    bool is_key = skip_to_colon(r);
    if (is_key && (r->line != line || !c.fresh))
        return yaml_fail_here(r, "a ':' with a space behind it can't stand here; if it is text, "
                                 "put the whole value in quotes");
    if ((s = named(r, is_key || inner->is_given ? inner : outer, node)) != OK)
        return s;
    return is_key ? mapping(r, at, outer, node) : yaml_put(&r->b, node);
}

static enum status value_of_kind(struct yaml_reader *r, struct context c,
                                 const struct properties *outer, const struct properties *inner)
{
    const struct properties *p = inner->is_given ? inner : outer;
    struct yaml_node *node = NULL;
    enum status s;
    char look = yaml_look(r, 0);
    if (at_dash(r)) {
        if (!c.fresh || inner->is_given)
            return yaml_fail_here(r, "a list begins on a line of its own");
        return sequence(r, outer);
    }
    if (look == '?' && yaml_is_blank(yaml_look(r, 1)))
        return yaml_fail_here(r, "the form '? key' is not read here");
    if (look == '[' || look == '{') {
        if ((s = flow_collection(r, p)) == OK && skip_to_colon(r))
            s = yaml_fail_here(r, "a list or a mapping can't be the key of a mapping");
        return s;
    }
    if (look == '*') {
        s = alias(r, p, &node);
        return s == OK ? yaml_put(&r->b, node) : s;
    }
    if (look == '|' || look == '>') {
        s = yaml_block(r, c.least, &node);
        if (s == OK)
            s = named(r, p, node);
        return s == OK ? yaml_put(&r->b, node) : s;
    }
    return scalar_or_mapping(r, c, outer, inner);
}

static enum status value(struct yaml_reader *r, struct context c)
{
    struct properties outer = {0}, inner;
    struct yaml_place begin = yaml_here(r);
    uint32_t line = r->line;
    for (;;) {
        size_t from = r->at;
        skip(r);
        if (r->line != line) {
            c.fresh = true;
        } else if (c.fresh && memchr(r->text.p + from, '\t', r->at - from)) {
            c.fresh = false; /* a tab has no width, so nothing can be aligned behind it */
        }
        bool is_less = r->line != line && column(r) < c.least;
        if (at_end(r) || (is_less && !(column(r) == c.dash && at_dash(r))))
            return empty_value(r, begin, &outer);
        if (r->line != line && r->at != r->content_at && !yaml_is_flow(yaml_look(r, 0)))
            return yaml_fail_here(r, "a tab can't indent; use spaces");
        enum status s = properties(r, &inner);
        if (s != OK)
            return s;
        char look = yaml_look(r, 0);
        if (!inner.is_given || (look && look != '\n' && look != '#'))
            break;
        if (outer.is_given)
            return yaml_fail_here(r, "a value can have one anchor and one tag");
        outer = inner;
        line = r->line;
    }
    if (outer.is_given && inner.is_given && !c.fresh)
        return yaml_fail_here(r, "a value can have one anchor and one tag");
    return value_of_kind(r, c, &outer, &inner);
}

/* ---- documents ---- */

/* Directives (%YAML, %TAG) change nothing here. */
static enum status directives(struct yaml_reader *r)
{
    bool any = false;
    for (;;) {
        skip(r);
        if (yaml_look(r, 0) != '%' || column(r) != 0)
            break;
        any = true;
        while (yaml_look(r, 0) && yaml_look(r, 0) != '\n')
            r->at++;
    }
    if (any && !slice_starts(slice_sub(r->text, r->at, 3), SLICE("---")))
        return yaml_fail_here(r, "a line '---' is missing behind the directives");
    return OK;
}

static enum status document(struct yaml_reader *r)
{
    enum status s = directives(r);
    if (s != OK)
        return s;
    bool marked = false;
    if (yaml_at_marker(r)) {
        marked = yaml_look(r, 0) == '-';
        r->b.document.line = r->line;
        r->at += 3;
        if (!marked)
            return OK;
    } else if (r->at >= r->text.n) {
        return OK;
    }
    if (!marked)
        r->b.document.line = r->line;
    yaml_here(r);
    if ((s = value(r, (struct context){0, NO_DASH, !marked})) != OK)
        return s;
    skip(r);
    if (!at_end(r))
        return yaml_fail_here(r, r->at != r->content_at
                                     ? "this does not belong here: the value before it has ended"
                                     : "this line belongs to nothing before it");
    struct yaml_node *root = (struct yaml_node *)r->b.document.root;
    if (root->type == YAML_SCALAR && root->kind == YAML_NULL && !root->text.n)
        r->b.document.root = NULL;
    yaml_document_end(&r->b);
    return OK;
}

/* Checks the characters; gives a copy with '\n' for every line end. */
static enum status clean(struct yaml_reader *r, struct slice text)
{
    if (slice_starts(text, SLICE("\xef\xbb\xbf")))
        text = slice_sub(text, 3, text.n);
    if (text.n > YAML_BYTES)
        return yaml_fail(&r->b, (struct yaml_place){0}, "the file is too large for YAML");
    char *out = arena_bytes(r->b.a, text.n);
    r->text.p = out;
    for (size_t i = 0; i < text.n;) {
        unsigned char c = (unsigned char)text.p[i];
        if (c >= 0x20 && c < 0x7f) {
            out[r->text.n++] = text.p[i++];
            continue;
        }
        if (c == '\n' || c == '\r') {
            out[r->text.n++] = '\n';
            i += c == '\r' && i + 1 < text.n && text.p[i + 1] == '\n' ? 2 : 1;
            r->line++;
            r->line_at = r->text.n;
            continue;
        }
        size_t n = c < 0x80 ? c == '\t' : utf8_length(slice_sub(text, i, 4));
        r->at = r->text.n;
        if (!n)
            return yaml_fail_here(r, c < 0x80 ? "a control character stands here"
                                              : "this byte is not UTF-8");
        memcpy(out + r->text.n, text.p + i, n);
        r->text.n += n;
        i += n;
    }
    r->at = 0;
    r->line = r->mark_column = 1;
    line_begins(r);
    return OK;
}

enum status yaml_parse(struct slice text, const char *name, struct arena *a,
                       struct yaml_documents *out, struct error *err)
{
    struct yaml_reader *r = xcalloc(1, sizeof *r);
    r->b = (struct yaml_builder){.name = name, .a = a, .err = err};
    r->line = r->mark_column = 1;
    enum status s = clean(r, text);
    while (s == OK && r->at < r->text.n)
        s = document(r);
    out->n = r->b.documents.n;
    out->at = arena_zero(a, out->n, sizeof *out->at);
    if (out->n)
        memcpy(out->at, r->b.documents.at, out->n * sizeof *out->at);
    free(r->b.documents.at);
    free(r->b.stack.at);
    free(r->b.anchors.at);
    buf_free(&r->scratch);
    free(r);
    return s;
}
