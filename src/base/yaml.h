/*
 * YAML 1.2 as a small read-only tree: for rules, mappings, playbooks and profiles. The text is
 * hostile: depth, nodes, bytes and what aliases expand to are bounded.
 *
 *     struct arena a = {0};
 *     const struct yaml_node *root;
 *     if (yaml_parse_one(text, path, &a, &root, &err) != OK) ...
 *     struct slice name = yaml_text(yaml_get(root, SLICE("name")));
 *     const struct yaml_node *list = yaml_get(root, SLICE("channels"));
 *     for (uint32_t i = 0; i < yaml_count(list); i++)     a scalar counts as a list of one
 *         use(yaml_text(yaml_at(list, i)));
 *
 * The tree, with copies of all text, lives in the arena. Aliases share the node of their anchor.
 */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include "base/arena.h"
#include "base/error.h"

enum yaml_type { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

/* What a scalar is by the core schema (YAML 1.2.2, 10.3.2). Quoted and block scalars are strings. */
enum yaml_kind { YAML_STRING, YAML_NULL, YAML_BOOL, YAML_INT, YAML_FLOAT };

struct yaml_node {
    enum yaml_type type;
    enum yaml_kind kind;      /* of a scalar */
    uint32_t line, column;    /* where it begins, from 1 */
    struct slice text;        /* of a scalar: as written, without quotes; NUL behind the end */
    struct yaml_node **items; /* of a sequence; the values of a mapping, in the file's order */
    struct yaml_node **keys;  /* of a mapping: scalars */
    uint32_t n;               /* items */
    uint32_t depth;           /* 1 for a scalar or empty one, else that of the deepest item + 1 */
    uint64_t weight;          /* nodes in it, itself included, as if aliases were written out */
};

struct yaml_document {
    const struct yaml_node *root;      /* NULL: the document is empty */
    const struct yaml_node *duplicate; /* the first key that its mapping has already, or NULL */
    uint32_t line;                     /* of its first node, or where it begins when empty */
};

struct yaml_documents {
    struct yaml_document *at; /* in the arena */
    size_t n;
};

enum {
    YAML_BYTES = 16 * 1024 * 1024,
    YAML_DEPTH = 48, /* collections in collections */
    YAML_NODES = 1024 * 1024,
};

/* All documents of a text. On an error (offset: line; column) `out` holds those before it, which
 * are whole. `name` is for messages. Duplicate keys are no error here: see `duplicate`. */
enum status yaml_parse(struct slice text, const char *name, struct arena *a,
                       struct yaml_documents *out, struct error *err);

/* The same for a text that must be one document, not empty, without duplicate keys. */
enum status yaml_parse_one(struct slice text, const char *name, struct arena *a,
                           const struct yaml_node **root, struct error *err);

/* The value of a mapping's key; NULL when there is none, or when `map` is NULL or no mapping. */
const struct yaml_node *yaml_get(const struct yaml_node *map, struct slice key);

/* Text of a scalar; an empty slice with p NULL for anything else, NULL included. */
struct slice yaml_text(const struct yaml_node *node);

/* A sequence's items; a scalar or mapping is a list of itself; NULL and a null scalar are empty. */
uint32_t yaml_count(const struct yaml_node *node);
const struct yaml_node *yaml_at(const struct yaml_node *node, uint32_t i);

/* True and *out when the node is a boolean. */
bool yaml_bool(const struct yaml_node *node, bool *out);

/* Fills in an error about a node: its line and column, with a message. */
enum status yaml_error(struct error *err, const char *name, const struct yaml_node *node,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
