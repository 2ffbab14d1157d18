/*
 * From the text of a hunt (a subset of Kusto's KQL; docs/hunt.md is the reference) to its plan.
 *
 *     struct hunt_setup setup = {.tables = tables, .mappings = mappings, .now = now};
 *     struct plan *plan = plan_parse(text, &setup, &err);
 *     if (!plan) { error_print(&err, stderr); plan_show_place(text, &err, &out); ... }
 *     hunt_plan_free(plan);
 *
 * The text is hostile: its length, its depth, and how many operators, columns and expressions it may
 * make are bounded. Parameters (`declare query_parameters(name:type = default, ...);`) take values, which
 * are never read as a part of the query.
 */
#ifndef HUNT_PARSE_H
#define HUNT_PARSE_H

#include "hunt/plan.h"

enum {
    HUNT_BYTES = 256 << 10, /* of a query */
    HUNT_DEPTH = 64,        /* of parentheses and operators in one another */
    HUNT_TOKENS = 100000,   /* names, numbers, ... in a query */
    HUNT_EXPRS = 200000,    /* expressions in a plan; a `let` counts each time it is used */
    HUNT_OPERATORS_MOST = 512,
    HUNT_COLUMNS = 4096,
};

/* What a parameter is to be: text as a user typed it, read by the parameter's type. */
struct hunt_argument {
    struct slice name, text;
};

struct hunt_setup {
    const char *name;                /* of the query, for messages; may be NULL */
    const struct hunt_table *tables; /* besides `events`; may be NULL */
    const struct mappings
        *mappings; /* log sources are tables too: `process_creation`; may be NULL */
    const struct hunt_argument *arguments;
    size_t arguments_n;
    timestamp now;
    uint32_t first_input; /* events of inputs before this are left out (origin.input) */
};

/* NULL with `err` filled in: STATUS_BAD_INPUT, with line and column. The plan keeps what `tables` and
 * `mappings` point to, and a copy of the text. */
struct plan *plan_parse(struct slice text, const struct hunt_setup *setup, struct error *err);

/* The table of events: what OP_SCAN's table is for `events` and for log sources. */
extern const struct hunt_table hunt_events;

/* What a query declares. */
struct hunt_parameter {
    struct slice name;
    enum hunt_type type;
    bool has_default;
    struct hunt_value value; /* the default */
    struct slice text;       /* as it is written */
};

/* The parameters of a query, without looking at the rest of it. */
enum status hunt_parameters(struct slice text, const char *name, timestamp now, struct arena *a,
                            struct hunt_parameter **out, size_t *n, struct error *err);

#endif
