#include "hunt/eval.h"

#include "hunt/scalar.h"

#include <stdlib.h>

enum { MATCH_STEPS = 1000000, MATCH_HEAP = 4096 /* KiB */ };

struct prepared {
    enum expr_kind kind;
    enum hunt_type type;
    uint32_t column;
    bool constant; /* `value` is what it always is */
    struct hunt_value value;
    const struct scalar *scalar;
    struct call call;
    struct prepared **args;
};

struct evaluator {
    struct scratch scratch;
    const struct vector *const *fields;
    uint32_t fields_n;
};

struct evaluator *evaluator_new(void)
{
    struct evaluator *ev = xcalloc(1, sizeof *ev);
    ev->scratch.match = pcre2_match_data_create(32, NULL);
    ev->scratch.context = pcre2_match_context_create(NULL);
    if (ev->scratch.context) {
        pcre2_set_match_limit(ev->scratch.context, MATCH_STEPS);
        pcre2_set_heap_limit(ev->scratch.context, MATCH_HEAP);
    }
    return ev;
}

void evaluator_free(struct evaluator *ev)
{
    if (!ev)
        return;
    pcre2_match_data_free(ev->scratch.match);
    pcre2_match_context_free(ev->scratch.context);
    free(ev);
}

uint64_t evaluator_given_up(const struct evaluator *ev)
{
    return ev->scratch.given_up;
}

void evaluator_any(struct evaluator *ev, const struct vector *const *fields, uint32_t n)
{
    ev->fields = fields;
    ev->fields_n = n;
}

/* ---- preparing ---- */

static void call_values(const struct prepared *x, struct scratch *s,
                        const struct hunt_value *const *args, struct hunt_value *out)
{
    const struct call *c = &x->call;
    *out = (struct hunt_value){.type = x->type};
    for (uint32_t i = 0; !x->scalar->nulls && i < c->args_n; i++)
        if (args[i]->null) {
            set_null(out);
            return;
        }
    x->scalar->call(c, s, args, out);
}

/* A call whose arguments are constants is one itself. */
static void fold_constant(struct prepared *x, struct arena *a)
{
    for (uint32_t i = 0; i < x->call.args_n; i++)
        if (!x->call.constants[i])
            return;
    struct evaluator *ev = evaluator_new();
    ev->scratch.arena = a;
    call_values(x, &ev->scratch, x->call.constants, &x->value);
    x->constant = true;
    evaluator_free(ev);
}

static enum status prepare_call(const struct plan *p, const struct plan_expr *e, struct prepared *x,
                                struct arena *a, struct error *err)
{
    struct call *c = &x->call;
    uint32_t n = e->args_n;
    const struct hunt_value **constants = arena_zero(a, n, sizeof *constants);
    enum hunt_type *types = arena_zero(a, n, sizeof *types);
    x->args = arena_zero(a, n, sizeof(struct prepared *));
    *c = (struct call){e->function, x->type, types, 0, constants, NULL, 0, NULL, NULL};
    x->scalar = scalar_of(e->function);
    if (!x->scalar)
        return plan_error(p, e->place, err, "%s can't be computed here",
                          hunt_function(e->function)->name);
    for (uint32_t i = 0; i < n; i++) {
        const struct plan_expr *arg = e->args[i];
        if (arg->kind == EXPR_LIST) {
            c->list = arg->list;
            c->list_n = arg->list_n;
            continue;
        }
        struct prepared *made = expr_prepare(p, arg, a, err);
        if (!made)
            return STATUS_BAD_USE;
        constants[c->args_n] = made->constant ? &made->value : NULL;
        types[c->args_n] = arg->type;
        x->args[c->args_n++] = made;
    }
    struct error why = {0};
    if (x->scalar->prepare && x->scalar->prepare(c, a, &why) != OK)
        return plan_error(p, e->place, err, "%s", why.what);
    fold_constant(x, a);
    return OK;
}

struct prepared *expr_prepare(const struct plan *p, const struct plan_expr *e, struct arena *a,
                              struct error *err)
{
    struct prepared *x = arena_zero(a, 1, sizeof *x);
    x->kind = e->kind;
    x->type = e->type;
    if (e->kind == EXPR_LITERAL) {
        x->constant = true;
        x->value = e->literal;
    } else if (e->kind == EXPR_COLUMN) {
        x->column = e->column;
    } else if (e->kind == EXPR_CALL) {
        if (prepare_call(p, e, x, a, err) != OK) {
            expr_release(x);
            return NULL;
        }
    } else if (e->kind != EXPR_ANY) {
        plan_error(p, e->place, err, "a table can't stand here");
        return NULL;
    }
    return x;
}

void expr_release(struct prepared *x)
{
    if (!x)
        return;
    for (uint32_t i = 0; i < x->call.args_n; i++)
        expr_release(x->args[i]);
    pcre2_code_free(x->call.pattern);
    x->call.pattern = NULL;
    x->call.args_n = 0;
}

bool expr_constant(const struct prepared *x, struct hunt_value *out)
{
    if (x->constant)
        *out = x->value;
    return x->constant;
}

static void add_column(uint32_t column, uint32_t *columns, uint32_t *n)
{
    for (uint32_t i = 0; i < *n; i++)
        if (columns[i] == column)
            return;
    columns[(*n)++] = column;
}

void expr_columns(const struct plan_expr *e, uint32_t *columns, uint32_t *n, bool *any)
{
    if (e->kind == EXPR_COLUMN)
        add_column(e->column, columns, n);
    else if (e->kind == EXPR_ANY)
        *any = true;
    else if (e->kind == EXPR_CALL)
        for (uint32_t i = 0; i < e->args_n; i++)
            expr_columns(e->args[i], columns, n, any);
}

/* ---- vectors ---- */

/* How a call is computed: for `n` values, which are those of a dictionary that all arguments share
 * (then `ids` are its rows), or those of the rows. */
struct shape {
    bool constant, by_row;
    const uint32_t *ids;
    uint32_t n;
};

static struct shape shape_of(const struct vector *const *args, uint32_t n, uint32_t rows)
{
    const struct vector *lead = NULL;
    bool shared = true;
    for (uint32_t i = 0; i < n; i++) {
        if (args[i]->constant)
            continue;
        if (!lead)
            lead = args[i];
        else if (args[i]->ids != lead->ids || args[i]->values_n != lead->values_n)
            shared = false;
    }
    if (!lead)
        return (struct shape){.constant = true, .n = rows ? 1 : 0};
    if (shared && lead->ids && lead->values_n <= rows)
        return (struct shape){.ids = lead->ids, .n = lead->values_n};
    return (struct shape){.by_row = true, .n = rows};
}

static const struct vector *apply(const struct prepared *x, struct evaluator *ev, struct batch *b,
                                  const struct vector *const *args)
{
    struct shape shape = shape_of(args, x->call.args_n, b->rows);
    struct hunt_value *out = arena_alloc(b->arena, (shape.n + 1) * sizeof *out);
    const struct hunt_value **now = arena_alloc(b->arena, (x->call.args_n + 1) * sizeof *now);
    ev->scratch.arena = b->arena;
    for (uint32_t i = 0; i < shape.n; i++) {
        for (uint32_t k = 0; k < x->call.args_n; k++)
            now[k] = args[k]->constant ? args[k]->values
                     : shape.by_row    ? vector_at(args[k], i)
                                       : &args[k]->values[i];
        call_values(x, &ev->scratch, now, &out[i]);
    }
    struct vector *v = arena_zero(b->arena, 1, sizeof *v);
    *v = (struct vector){x->type, shape.constant, shape.ids, out, shape.n};
    if (shape.constant && !shape.n)
        v->constant = false; /* no rows, no values */
    return v;
}

/* A call on each of the event's fields, true where it is true for one of them. */
static const struct vector *apply_any(const struct prepared *x, struct evaluator *ev,
                                      struct batch *b, const struct vector **args)
{
    struct hunt_value *out = arena_zero(b->arena, b->rows + 1, sizeof *out);
    for (uint32_t row = 0; row < b->rows; row++)
        out[row].type = TYPE_BOOL;
    for (uint32_t i = 0; i < ev->fields_n; i++) {
        args[0] = ev->fields[i];
        const struct vector *v = apply(x, ev, b, args);
        for (uint32_t row = 0; row < b->rows; row++) {
            const struct hunt_value *value = vector_at(v, row);
            out[row].truth |= !value->null && value->truth;
        }
    }
    return vector_flat(b->arena, TYPE_BOOL, out, b->rows);
}

const struct vector *expr_vector(const struct prepared *x, struct evaluator *ev, struct batch *b)
{
    if (x->constant)
        return vector_constant(b->arena, x->type, &x->value);
    if (x->kind == EXPR_COLUMN) {
        const struct vector *v = b->columns[x->column];
        struct hunt_value none = value_none(x->type);
        return v ? v : vector_constant(b->arena, x->type, &none);
    }
    const struct vector **args = arena_zero(b->arena, x->call.args_n + 1, sizeof *args);
    bool any = false;
    for (uint32_t i = 0; i < x->call.args_n; i++) {
        if (x->args[i]->kind == EXPR_ANY)
            any = true;
        else
            args[i] = expr_vector(x->args[i], ev, b);
    }
    return any ? apply_any(x, ev, b, args) : apply(x, ev, b, args);
}

/* ---- conditions ---- */

/* Three-valued logic as two bitmaps: where it is true, and where it is false; else it is null. */
struct truth {
    uint64_t *yes, *no;
};

static struct truth truth_new(struct batch *b)
{
    size_t words = (b->rows + 63) / 64;
    return (struct truth){arena_zero(b->arena, words + 1, sizeof(uint64_t)),
                          arena_zero(b->arena, words + 1, sizeof(uint64_t))};
}

static struct truth vector_truth(const struct vector *v, struct batch *b)
{
    struct truth t = truth_new(b);
    for (uint32_t row = 0; row < b->rows; row++) {
        const struct hunt_value *value = vector_at(v, row);
        uint64_t known = (uint64_t)!value->null, truth = known & value->truth;
        t.yes[row / 64] |= truth << row % 64;
        t.no[row / 64] |= (known & ~truth) << row % 64;
    }
    return t;
}

static struct truth truth_of(const struct prepared *x, struct evaluator *ev, struct batch *b)
{
    enum function_id f = x->call.function;
    size_t words = (b->rows + 63) / 64;
    if (x->constant || x->kind != EXPR_CALL || (f != FN_AND && f != FN_OR && f != FN_NOT))
        return vector_truth(expr_vector(x, ev, b), b);
    struct truth t = truth_of(x->args[0], ev, b);
    if (f == FN_NOT)
        return (struct truth){t.no, t.yes};
    for (uint32_t k = 1; k < x->call.args_n; k++) {
        struct truth u = truth_of(x->args[k], ev, b);
        for (size_t i = 0; i < words; i++) {
            t.yes[i] = f == FN_AND ? t.yes[i] & u.yes[i] : t.yes[i] | u.yes[i];
            t.no[i] = f == FN_AND ? t.no[i] | u.no[i] : t.no[i] & u.no[i];
        }
    }
    return t;
}

void expr_rows(const struct prepared *x, struct evaluator *ev, struct batch *b, uint64_t *bits)
{
    size_t words = (b->rows + 63) / 64;
    if (words)
        memcpy(bits, truth_of(x, ev, b).yes, words * sizeof *bits);
}

uint32_t bits_list(const uint64_t *bits, uint32_t rows_n, uint32_t *rows)
{
    uint32_t n = 0;
    for (uint32_t word = 0; word < (rows_n + 63) / 64; word++)
        for (uint64_t left = bits[word]; left; left &= left - 1)
            rows[n++] = word * 64 + (uint32_t)__builtin_ctzll(left);
    return n;
}
