/*
 * The inside of the YAML reader: text with a place in it (yaml_scalar.c reads single values,
 * yaml_parse.c the structure), and the builder that makes the tree of it (yaml_build.c).
 *
 * It is written here because libfyaml, as Debian 12 has it (0.7.12), writes through bad pointers on
 * texts that a fuzzer finds within seconds, and rules come from strangers. It reads YAML 1.2.2
 * without what no file for people uses: keys that are no scalars ("? "), aliases as block keys.
 */
#ifndef BASE_YAML_INTERNAL_H
#define BASE_YAML_INTERNAL_H

#include "base/buf.h"
#include "base/vec.h"
#include "base/yaml.h"

/* ---- the builder: collections begin and end, children wait on a stack until then ---- */

struct yaml_anchor {
    struct slice name;
    struct yaml_node *node;
};

struct yaml_frame {
    struct yaml_node *node;
    size_t first; /* its children on the stack */
};

struct yaml_builder {
    const char *name;
    struct arena *a;
    struct error *err;
    struct yaml_frame frames[YAML_DEPTH];
    size_t depth;
    uint64_t nodes;
    struct {
        struct yaml_node **at;
        size_t n, cap;
    } stack;
    struct {
        struct yaml_anchor *at;
        size_t n, cap;
    } anchors; /* of the present document */
    struct {
        struct yaml_document *at;
        size_t n, cap;
    } documents;
    struct yaml_document document;
};

struct yaml_place {
    uint32_t line, column; /* from 1 */
};

enum status yaml_fail(struct yaml_builder *b, struct yaml_place at, const char *what);
struct yaml_node *yaml_node_new(struct yaml_builder *b, enum yaml_type type, struct yaml_place at);
/* Names a node; an empty name does nothing. */
enum status yaml_anchor_set(struct yaml_builder *b, struct slice name, struct yaml_node *node);
enum status yaml_anchor_get(struct yaml_builder *b, struct slice name, struct yaml_place at,
                            struct yaml_node **node);
/* Puts a finished node into the collection under way, or at the root. */
enum status yaml_put(struct yaml_builder *b, struct yaml_node *node);
enum status yaml_begin(struct yaml_builder *b, enum yaml_type type, struct yaml_place at,
                       struct slice anchor);
enum status yaml_end(struct yaml_builder *b);
void yaml_document_end(struct yaml_builder *b);
enum yaml_kind yaml_kind_of_plain(struct slice s);

/* ---- the text ---- */

/* Lines end with '\n' alone and there is no control character in it: NUL means its end. */
struct yaml_reader {
    struct yaml_builder b;
    struct slice text;
    size_t at;
    uint32_t line;
    size_t line_at;    /* where the line begins */
    size_t content_at; /* its first character that is no space */
    size_t mark_at;    /* the last place whose column was counted, and that column */
    uint32_t mark_column;
    struct buf scratch;
};

static inline char yaml_look(const struct yaml_reader *r, size_t ahead)
{
    return ahead < r->text.n - r->at ? r->text.p[r->at + ahead] : '\0';
}

static inline bool yaml_is_space(char c)
{
    return c == ' ' || c == '\t';
}

static inline bool yaml_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\0';
}

static inline bool yaml_is_flow(char c)
{
    return c == ',' || c == '[' || c == ']' || c == '{' || c == '}';
}

/* Past the '\n' that stands here. */
void yaml_newline(struct yaml_reader *r);
/* Whether "---" or "..." stands here, at a line's beginning. */
bool yaml_at_marker(const struct yaml_reader *r);
struct yaml_place yaml_here(struct yaml_reader *r);
enum status yaml_fail_here(struct yaml_reader *r, const char *what);

enum yaml_where { YAML_IN_BLOCK, YAML_IN_FLOW };

/* Single values. Lines that go on a plain value, and those of a block value, have at least `least`
 * spaces. A quoted or plain one that ends on another line than it began has *lines > 1. */
enum status yaml_quoted(struct yaml_reader *r, struct yaml_node **node);
enum status yaml_plain(struct yaml_reader *r, size_t least, enum yaml_where where,
                       struct yaml_node **node);
enum status yaml_block(struct yaml_reader *r, size_t least, struct yaml_node **node);

#endif
