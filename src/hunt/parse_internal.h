/*
 * What the files of the parser share. There is no syntax tree: the parser goes through the tokens once
 * and builds the plan, with names and types checked on the way; a table that `let` names is parsed anew
 * from its tokens each time it is used.
 *
 *     lex.c              text to tokens
 *     parse.c            statements: declare, let, the query
 *     parse_operator.c   what stands between bars: where, extend, sort, ...
 *     parse_summarize.c  summarize, distinct, count
 *     parse_join.c       join, union
 *     parse_table.c      what a pipe begins with: tables, datatable, print, search
 *     parse_expr.c       expressions
 *     parse_call.c       calls, lists
 *     parse_literal.c    literals
 *     check.c            types: what may be called with what, and conversions
 *     fold.c             what is known of constants
 *     scope.c            names
 *     live.c             which columns are wanted where
 *
 * A function that fails has filled in p->err and returns NULL or false.
 */
#ifndef HUNT_PARSE_INTERNAL_H
#define HUNT_PARSE_INTERNAL_H

#include "hunt/near.h"
#include "hunt/parse.h"

/* ---- tokens ---- */

enum token_kind {
    TOKEN_END,
    TOKEN_NAME,    /* text; also "!has", "in~", "project-away", "$left", "@timestamp" */
    TOKEN_LITERAL, /* value */
    TOKEN_MARK     /* mark */
};

#define MARK(a) (a)
#define MARK2(a, b) ((a) | (b) << 8)

struct token {
    enum token_kind kind;
    struct hunt_place place;
    struct slice text; /* of a name; else as written */
    unsigned mark;
    struct hunt_value value;
};

/* All tokens of the plan's text, in its arena, ended by TOKEN_END. */
bool lex(struct plan *plan, struct token **tokens, size_t *n, struct error *err);

/* ---- scopes ---- */

struct scope_name {
    struct slice name;
    uint32_t column;
};

/* The names that an operator gives out, in order. */
struct scope {
    struct plan_operator *op; /* that one */
    struct scope_name *names;
    uint32_t n, cap;
    struct open_source *open; /* where other names come from; NULL: there are no others */
    uint32_t event;           /* when open: the column of the whole event */
    struct slice *away;       /* names that project-away took out of an open table */
    uint32_t away_n, away_cap;
};

/* Where the unknown names of an open table are made. */
struct open_source {
    struct plan_operator *op; /* OP_SCAN, OP_UNION, or the OP_SUMMARIZE of an arg_max(..., *) */
    struct scope seen;        /* those that were made */
    struct scope *inputs;     /* of a union; the one of a summary */
    uint32_t aggregate;       /* of a summary: which one it is */
};

/* ---- the parser ---- */

struct let {
    struct slice name;
    struct plan_expr *expr; /* a value; NULL: a table, */
    size_t from, to;        /* in these tokens, */
    struct scope ready;     /* parsed once, */
    bool used;              /* but that was used already */
    struct hunt_place place;
    bool argument; /* a parameter */
};

struct parser {
    struct plan *plan;
    const struct hunt_setup *setup;
    struct error *err;
    struct token *tokens;
    size_t tokens_n, at;
    struct let *lets;
    uint32_t lets_n, lets_cap;
    uint32_t lets_seen; /* a table that let names sees only those before it */
    uint32_t columns_cap, fields_cap, operators_n, exprs_n, depth;
    struct hunt_place render; /* where render stands */
    /* what expressions see */
    struct scope *scope;     /* NULL: no columns */
    struct summary *summary; /* aggregates may be called */
    bool any_allowed, searching,
        nested; /* `*` may stand for any field; text alone is a search; inside
                                            another pipe */
};

/* A list in the arena that grows: room for one more element. */
void *list_room(struct parser *p, void *list, uint32_t n, uint32_t *cap, size_t size);
#define LIST_PUSH(p, list, n, cap)                                                                 \
    ((list) = list_room((p), (list), (n), &(cap), sizeof *(list)), &(list)[(n)++])

/* The token at hand. */
static inline const struct token *peek(const struct parser *p)
{
    return &p->tokens[p->at];
}
static inline const struct token *peek_next(const struct parser *p)
{
    return &p->tokens[p->at + 1 < p->tokens_n ? p->at + 1 : p->at];
}
bool is_mark(const struct token *t, unsigned mark);
bool is_name(const struct token *t, const char *name);
/* Goes past it when it is there. */
bool take_mark(struct parser *p, unsigned mark);
bool take_name(struct parser *p, const char *name);
/* Complains when it is not: "expected ... here". */
bool want_mark(struct parser *p, unsigned mark, const char *what);

/* A message at a place, at the token at hand, or that something else was expected there. */
bool fail_at(struct parser *p, struct hunt_place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define FAIL(p, ...) fail_at((p), peek(p)->place, __VA_ARGS__)
bool fail_expected(struct parser *p, const char *what);
/* From one place to another. */
struct hunt_place place_to(struct hunt_place from, struct hunt_place to);

/* Goes one level deeper; false with a message when that is too deep. */
bool deeper(struct parser *p);

/* ---- scope.c ---- */

uint32_t column_add(struct parser *p, struct slice name, enum hunt_type type,
                    struct hunt_place place);
/* The column of a name; NO_COLUMN when there is none (no message). */
uint32_t scope_find(struct parser *p, struct scope *s, struct slice name, struct hunt_place place);
/* Only among names that somebody gave (`names`). */
uint32_t scope_given(const struct scope *s, struct slice name);
/* Says that there is no such name. */
bool fail_no_column(struct parser *p, const struct scope *s, struct slice name,
                    struct hunt_place place);
/* Gives a name to a column, in place of one that has it. */
void scope_set(struct parser *p, struct scope *s, struct slice name, uint32_t column);
void scope_remove(struct scope *s, struct slice name);
/* A name that is not taken: `name`, `name`1, `name`2, ... */
struct slice scope_free_name(struct parser *p, const struct scope *s, struct slice name);
/* A closed scope without names. */
struct scope scope_closed(struct plan_operator *op);

/* ---- check.c ---- */

struct plan_expr *expr_new(struct parser *p, enum expr_kind kind, enum hunt_type type,
                           struct hunt_place place);
struct plan_expr *expr_literal(struct parser *p, struct hunt_value v, struct hunt_place place);
struct plan_expr *expr_column(struct parser *p, uint32_t column, struct hunt_place place);
/* A call whose types are right already. */
struct plan_expr *expr_call(struct parser *p, enum function_id id, enum hunt_type type,
                            struct hunt_place place, struct plan_expr **args, uint32_t n);
struct plan_expr *expr_call1(struct parser *p, enum function_id id, enum hunt_type type,
                             struct hunt_place place, struct plan_expr *arg);
/* As that type, converted where that is meant (a field, dynamic, long to real); else a message. */
struct plan_expr *coerce(struct parser *p, struct plan_expr *e, enum hunt_type type);
/* A call of anything in the table: counts and types of arguments are checked, conversions made.
 * Sets args in place. */
struct plan_expr *check_call(struct parser *p, const struct hunt_function *f,
                             struct hunt_place place, struct plan_expr **args, uint32_t n);
/* The same for an aggregate: only the arguments; the type of its result. */
bool check_aggregate(struct parser *p, const struct hunt_function *f, struct hunt_place place,
                     struct plan_expr **args, uint32_t n, enum hunt_type *result);
/* Brings all to one type; `ordered`: for comparing by order. */
bool unify(struct parser *p, struct plan_expr **args, uint32_t n, bool ordered,
           struct hunt_place place, enum hunt_type *type);

/* The type in which two are compared or joined; false: there is none. */
bool common_type(enum hunt_type a, enum hunt_type b, bool ordered, enum hunt_type *out);

/* ---- fold.c ---- */

/* What is known of a call now: a literal in its place, or the call. */
struct plan_expr *fold(struct parser *p, struct plan_expr *call);

/* ---- parse_literal.c ---- */

/* `dynamic(...)`: its value behind the name. */
struct plan_expr *parse_dynamic(struct parser *p, struct hunt_place from);
/* `long(5)`, `real(null)`, ...: behind the name. */
struct plan_expr *parse_typed(struct parser *p, enum hunt_type type, struct hunt_place from);
/* The type of that name, as declarations have it. */
bool type_named(struct slice name, enum hunt_type *out);
/* Text that a user gave, as a value of a type; false when it is none (no message). */
bool value_from_text(struct parser *p, enum hunt_type type, struct slice text,
                     struct hunt_value *out);
/* The elements of an array, as literals. */
bool dynamic_elements(struct parser *p, struct slice json, struct hunt_place place,
                      struct plan_expr ***out, uint32_t *n);

/* ---- parse_expr.c ---- */

struct plan_expr *parse_expr(struct parser *p);
/* Of that type. */
struct plan_expr *parse_expr_of(struct parser *p, enum hunt_type type);
/* A constant whole number of at least 0. */
bool parse_count(struct parser *p, const char *what, uint64_t *out);
/* A name with its dots, or in brackets; `text` is in the arena. */
bool parse_name(struct parser *p, const char *what, struct slice *text, struct hunt_place *place);
/* [name =] expression. A name that was not given is made: the column's, or p empty. */
struct named_expr {
    struct slice name;
    bool given;
    struct hunt_place place;
    struct plan_expr *expr;
};
bool parse_named(struct parser *p, struct named_expr *out);
/* The name of `auto` columns, for instance that of x for bin(x, 1h); else empty. */
struct slice expr_name(struct parser *p, const struct plan_expr *e);

/* ---- parse_call.c ---- */

/* A name and what follows in parentheses. */
struct plan_expr *parse_call(struct parser *p);
/* Expressions up to the closing parenthesis; the opening one is past. */
bool parse_arguments(struct parser *p, struct plan_expr ***args, uint32_t *n);
/* What stands behind `in`, has_any, ...: EXPR_LIST or EXPR_TABLE, with *left made comparable to it; or,
 * when it holds more than constants, a call that does the whole comparison. */
struct plan_expr *parse_list(struct parser *p, const struct hunt_function *f,
                             struct plan_expr **left);

/* ---- parse_summarize.c ---- */

/* A call of an aggregate inside summarize; the name is past, the parenthesis at hand. */
struct plan_expr *parse_aggregate(struct parser *p, struct slice name, struct hunt_place place);
/* Whether that is an aggregate's name, countif and the like included. */
bool is_aggregate(struct slice name);
bool parse_summarize(struct parser *p, struct scope *s);
bool parse_distinct(struct parser *p, struct scope *s);
bool parse_count_rows(struct parser *p, struct scope *s);

/* ---- parse_join.c, parse_table.c, parse_operator.c ---- */

bool parse_join(struct parser *p, struct scope *s);
bool parse_union(struct parser *p, struct scope *s);
/* The same where a pipe begins: all its tables are named. */
bool parse_union_first(struct parser *p, struct scope *out);
/* A table and what follows it, up to what ends a pipe. */
bool parse_pipe(struct parser *p, struct scope *out);
/* Whether what follows is a table and not a value. */
bool begins_table(const struct parser *p);
bool parse_source(struct parser *p, struct scope *out);
/* The operators behind a table. */
bool parse_operators(struct parser *p, struct scope *s);
bool parse_search(struct parser *p, struct scope *s);
struct plan_operator *operator_new(struct parser *p, enum operator_kind kind,
                                   struct plan_operator *input, struct hunt_place place);
/* An OP_EXTEND above, with one column. */
uint32_t extend_one(struct parser *p, struct scope *s, struct slice name, struct plan_expr *e);
/* Makes it the plan of EXPR_TABLE: one column. NULL with a message. */
struct plan_expr *table_expr(struct parser *p, struct scope *s, struct hunt_place place);

/* ---- live.c ---- */

/* Sets `live` of all operators from what is wanted of the topmost, and drops what nobody wants. */
struct plan_operator *mark_live(struct plan *plan, struct plan_operator *root,
                                const uint32_t *wanted, uint32_t n);

#endif
