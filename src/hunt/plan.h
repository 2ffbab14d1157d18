/*
 * The logical plan of a hunt: what plan_parse (parse.h) makes of a query, with all names and types
 * resolved, for a back end to execute.
 *
 * Rows flow from a scan upwards through operators. A column has one number in the whole plan: an
 * operator adds columns or passes them on under the same number, so nothing is renumbered and `project`
 * needs no operator. Each operator tells which of the columns that it gives out are still wanted
 * (`live`): what is not live need not be read, computed or kept.
 *
 *     events | where Image endswith "\\psexec.exe" | summarize n = count() by host.name | top 5 by n
 *
 *     SORT limit 5 by c3 desc         live c2 c3
 *      SUMMARIZE c2 = c1, c3 = count()    live c2 c3
 *       WHERE endswith(c0, "\\psexec.exe")    live c1
 *        SCAN events c0 = field "Image", c1 = host      live c0 c1
 *
 * The table `events` is open: it has a column for each name that somebody asks for. Where a query gives
 * out whole events (`events | take 5`), they are a column of their own, EVENT_ALL.
 */
#ifndef HUNT_PLAN_H
#define HUNT_PLAN_H

#include "base/arena.h"
#include "event/mapping.h"
#include "hunt/functions.h"

#define NO_COLUMN UINT32_MAX

/* ---- tables ---- */

/* What a column of the table `events` is. */
enum event_column {
    EVENT_TIME,     /* Timestamp, TimeGenerated, @timestamp: datetime; null when it tells none */
    EVENT_HOST,     /* host.name: what block_host (event/select.h) says; string */
    EVENT_PRODUCT,  /* logsource.product, and so on: of the block's kind; string */
    EVENT_CATEGORY, /* logsource.category */
    EVENT_SERVICE,  /* logsource.service */
    EVENT_CHANNEL,  /* logsource.channel */
    EVENT_PROVIDER, /* event.provider */
    EVENT_CODE,     /* event.code; where the kind has none (and for the provider), the field */
    EVENT_FILE,     /* origin.file: the name of the input; string */
    EVENT_RECORD,   /* origin.record: long */
    EVENT_INPUT, /* origin.input: the number of the input, in the order of taking in; long. Not in
                       EVENT_ALL */
    EVENT_FIELD, /* any other name: TYPE_FIELD */
    /* The whole event as a dynamic object: "Timestamp" (RFC 3339 text), then those above that are not
     * empty, each under its first name, then the fields under their stored names, as value_json writes
     * them; a field called as one of those above is left out. */
    EVENT_ALL,
};

/* The column of that name; EVENT_FIELD when it is none of the fixed ones. */
enum event_column event_column_named(struct slice name);
const char *event_column_name(enum event_column column); /* its first name */
enum hunt_type event_column_type(enum event_column column);

struct table_column {
    const char *name;
    enum hunt_type type;
};

/* A table that can be asked. Whoever calls plan_parse lists them; what follows `columns` is between
 * that one and the back end. */
struct hunt_table {
    const char *name;                   /* NULL ends a list */
    const char *what;                   /* one line */
    const struct table_column *columns; /* ended by a NULL name; NULL: the open table of events */
    void *of;
};

/* ---- expressions ---- */

enum expr_kind {
    EXPR_LITERAL,
    EXPR_COLUMN,
    EXPR_CALL,
    EXPR_LIST,  /* what follows `in`, has_any, ...: literals of one type, without doubles */
    EXPR_TABLE, /* a table of one column, in the place of such a list, or whose first row's first
                   value is meant (toscalar): to be run once, before all else */
    EXPR_ANY, /* `*`: each field of the event, as the left side of a comparison of text. True when it
                   is true of one of them. Only in a WHERE below which there is nothing but WHERE and
                   SCAN of events. EVENT_HOST and the other fixed columns do not belong to it. */
};

struct plan_expr {
    enum expr_kind kind;
    enum hunt_type type;     /* of EXPR_LIST and EXPR_TABLE: of an element; EXPR_ANY: TYPE_FIELD */
    bool constant;           /* the same for every row: to be computed once */
    uint16_t depth;          /* of calls in calls, at most 250: recursion is safe */
    struct hunt_place place; /* for messages */
    union {
        struct hunt_value literal;
        uint32_t column;
        struct {
            enum function_id function;
            uint32_t args_n;
            struct plan_expr **args;
        };
        struct {
            struct hunt_value *list;
            uint32_t list_n;
        };
        struct plan_operator *table; /* its `live` is the one column */
    };
};

/* ---- operators ---- */

enum operator_kind {
    OP_SCAN,
    OP_VALUES, /* rows of literals: print, datatable */
    OP_WHERE,
    OP_EXTEND,
    OP_SUMMARIZE, /* also distinct (no aggregates) and count */
    OP_SORT,      /* also top */
    OP_TAKE,
    OP_JOIN,
    OP_UNION,
    OP_EXPAND /* mv-expand */
};

struct column_def { /* a column and what makes it */
    uint32_t column;
    struct plan_expr *expr;
};

struct plan_aggregate {
    enum function_id function; /* an aggregate */
    struct plan_expr **args;
    uint32_t args_n;
    struct plan_expr *filter; /* bool: only rows for which it is true; NULL: all */
    struct hunt_place place;
    /* One column; arg_min and arg_max have one for each argument: the extreme, and what the others were
     * in the first row that had it. NO_COLUMN: nobody wants that one. */
    uint32_t *columns;
};

struct sort_key {
    struct plan_expr *expr;
    bool descending, nulls_first;
};

enum join_kind { JOIN_INNER, JOIN_LEFT_OUTER, JOIN_LEFT_SEMI, JOIN_LEFT_ANTI };

struct join_key { /* equal, of one type; nulls and empty texts equal nothing */
    struct plan_expr *left, *right;
};

struct union_input {
    struct plan_operator *from;
    uint32_t
        *columns; /* its own for each of the union's columns; NO_COLUMN: null there (or empty) */
};

struct plan_operator {
    enum operator_kind kind;
    struct hunt_place place;
    struct plan_operator *input; /* NULL for OP_SCAN, OP_VALUES and OP_UNION */
    uint32_t *live;              /* columns it gives out that are wanted above, ascending */
    uint32_t live_n;
    union {
        struct {
            const struct hunt_table *table;
            /* A log source of Sigma: only events that belong to one of these bindings (their kind, and
             * each row's conditions), and names resolve through these alone. 0: all events, and names
             * resolve through every binding that holds for the block. */
            const struct log_binding **bindings;
            uint32_t bindings_n;
        } scan; /* its columns are its live ones */
        struct {
            uint32_t *columns;
            uint32_t columns_n, rows_n;
            struct hunt_value *values; /* row by row */
        } values;
        struct {
            struct plan_expr **all; /* bool; a row stays when all are true */
            uint32_t n;
        } where;
        struct {
            /* In order; none refers to another of the same operator. */
            struct column_def *at;
            uint32_t n;
        } extend;
        struct {
            struct column_def *keys;
            uint32_t keys_n;
            struct plan_aggregate *aggregates;
            uint32_t aggregates_n;
            /* Without keys there is one row, also of no rows. */
        } summarize;
        struct {
            struct sort_key *keys;
            uint32_t keys_n;
            bool limited; /* only the first `limit` */
            uint64_t limit;
        } sort; /* rows with equal keys in any order */
        struct {
            uint64_t n;
        } take;
        struct {
            enum join_kind kind;
            struct plan_operator *right;
            struct join_key *keys;
            uint32_t keys_n;
            /* from <= right's time - left's time <= to; a null time fits nothing */
            bool windowed;
            struct plan_expr *left_time, *right_time;
            int64_t from, to;
            uint32_t *right_columns; /* which of the live ones are the right's */
            uint32_t right_n;
            /* JOIN_LEFT_OUTER: where nothing fits, the right's columns are null (or empty). */
        } join; /* the left is `input`; columns of both sides are given out (semi, anti: the left's) */
        struct {
            struct union_input *inputs;
            uint32_t inputs_n;
            uint32_t *columns;
            uint32_t columns_n;
        } united;
        struct {
            uint32_t from,
                to;         /* columns, dynamic: an array's elements, each in a row of its own; an
                                  object's members likewise, each an object; anything else stays. An
                                  empty array or null: one row with null */
            uint64_t limit; /* of rows for one row, or UINT64_MAX */
        } expand;
    };
};

/* ---- the whole ---- */

struct plan_column {
    struct slice name;
    enum hunt_type type;
    enum event_column event; /* of an OP_SCAN of events */
    struct hunt_place place; /* where it was named first */
};

enum render_kind { RENDER_NONE, RENDER_TIMECHART, RENDER_BARCHART };

struct plan {
    struct arena arena;          /* holds all of it */
    struct slice text;           /* the query */
    const char *name;            /* of the query, for messages */
    timestamp now;               /* what now() and ago() count from */
    struct plan_column *columns; /* by number */
    uint32_t columns_n;
    struct plan_operator *root;
    uint32_t *fields; /* columns of events that are EVENT_FIELD: what the query asks events for */
    uint32_t fields_n;
    /* What the query gives out, in order. A column called "*" (at most one, a whole event) stands for all
     * of the event's members but those named here. */
    uint32_t *output;
    uint32_t output_n;
    enum render_kind render;
    struct slice render_title;
};

void hunt_plan_free(struct plan *p); /* NULL is let pass */

/* An error at a place of the query: its line and column, and the message. */
enum status plan_error(const struct plan *p, struct hunt_place place, struct error *err,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The line of the query that an error is about, and a line with a caret below it; nothing when the
 * error has no place. */
void plan_show_place(struct slice query, const struct error *err, struct buf *out);

/* The plan as text, an operator a line, the root first: for --explain and tests. */
void plan_print(const struct plan *p, struct buf *out);

#endif
