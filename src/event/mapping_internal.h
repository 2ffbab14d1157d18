/*
 * What the two halves of mappings share: mapping_load.c makes definitions from YAML, mapping.c
 * looks things up in them.
 */
#ifndef EVENT_MAPPING_INTERNAL_H
#define EVENT_MAPPING_INTERNAL_H

#include "event/mapping.h"

/* A log source, and the kinds of events that serve it: bindings `first` to `first + n - 1`. */
struct log_definition {
    struct slice product, category, service; /* empty: not given */
    uint32_t first, n;
    bool builtin;
};

struct mappings {
    struct arena arena;
    struct {
        struct log_binding *at;
        size_t n, cap;
    } bindings;
    struct {
        struct log_definition *at;
        size_t n, cap;
    } definitions;
};

/* Adds what a file defines. The folder's files come first: a log source that they define is left out
 * of the built-in ones. */
enum status mappings_read(struct mappings *m, struct slice yaml, const char *name, bool builtin,
                          struct error *err);

#endif
