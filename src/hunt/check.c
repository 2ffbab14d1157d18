/*
 * Types: what may be called with what, and the conversions that are meant. A field and a dynamic are
 * loose: they become what stands on the other side. Everything else must fit, except that long becomes
 * real, and text that is written out becomes a time beside a time.
 */
#include "hunt/parse_internal.h"

enum { EXPR_DEPTH = 250 };

struct plan_expr *expr_new(struct parser *p, enum expr_kind kind, enum hunt_type type,
                           struct hunt_place place)
{
    if (p->exprs_n++ >= HUNT_EXPRS) {
        fail_at(p, place, "the query is too large");
        return NULL;
    }
    struct plan_expr *e = arena_zero(&p->plan->arena, 1, sizeof *e);
    e->kind = kind;
    e->type = type;
    e->place = place;
    e->depth = 1;
    return e;
}

struct plan_expr *expr_literal(struct parser *p, struct hunt_value v, struct hunt_place place)
{
    struct plan_expr *e = expr_new(p, EXPR_LITERAL, v.type, place);
    if (e) {
        e->literal = v;
        e->constant = true;
    }
    return e;
}

struct plan_expr *expr_column(struct parser *p, uint32_t column, struct hunt_place place)
{
    struct plan_expr *e = NULL;
    if (column != NO_COLUMN)
        e = expr_new(p, EXPR_COLUMN, p->plan->columns[column].type, place);
    if (e)
        e->column = column;
    return e;
}

struct plan_expr *expr_call(struct parser *p, enum function_id id, enum hunt_type type,
                            struct hunt_place place, struct plan_expr **args, uint32_t n)
{
    struct plan_expr *e = expr_new(p, EXPR_CALL, type, place);
    if (!e)
        return NULL;
    e->function = id;
    e->args = arena_zero(&p->plan->arena, n, sizeof(struct plan_expr *));
    e->args_n = n;
    e->constant = true;
    for (uint32_t i = 0; i < n; i++) {
        e->args[i] = args[i];
        e->constant = e->constant && args[i]->constant;
        if (args[i]->depth >= e->depth)
            e->depth = (uint16_t)(args[i]->depth + 1);
    }
    if (e->depth > EXPR_DEPTH) {
        fail_at(p, place, "this expression is too deep (more than %d)", EXPR_DEPTH);
        return NULL;
    }
    return fold(p, e);
}

struct plan_expr *expr_call1(struct parser *p, enum function_id id, enum hunt_type type,
                             struct hunt_place place, struct plan_expr *arg)
{
    return arg ? expr_call(p, id, type, place, &arg, 1) : NULL;
}

/* ---- conversions ---- */

static bool is_loose(enum hunt_type type)
{
    return type == TYPE_FIELD || type == TYPE_DYNAMIC;
}

static bool is_text(enum hunt_type type)
{
    return type == TYPE_FIELD || type == TYPE_STRING;
}

static bool is_time(enum hunt_type type)
{
    return type == TYPE_DATETIME || type == TYPE_TIMESPAN;
}

static bool is_number(enum hunt_type type)
{
    return type == TYPE_LONG || type == TYPE_REAL;
}

static enum function_id converter(enum hunt_type type)
{
    static const enum function_id by_type[HUNT_TYPES] = {
        [TYPE_BOOL] = FN_TOBOOL,         [TYPE_LONG] = FN_TOLONG,
        [TYPE_REAL] = FN_TODOUBLE,       [TYPE_STRING] = FN_TOSTRING,
        [TYPE_DATETIME] = FN_TODATETIME, [TYPE_TIMESPAN] = FN_TOTIMESPAN,
        [TYPE_DYNAMIC] = FN_TODYNAMIC,   [TYPE_FIELD] = FN_TOSTRING};
    return by_type[type];
}

static struct plan_expr *convert(struct parser *p, struct plan_expr *e, enum hunt_type type)
{
    return expr_call1(p, converter(type), type, e->place, e);
}

/* Text that is written out, where a time is wanted. */
static struct plan_expr *text_as_time(struct parser *p, struct plan_expr *e, enum hunt_type type)
{
    struct hunt_value v = {.type = type};
    if (type == TYPE_DATETIME ? text_datetime(e->literal.text, &v.number)
                              : text_timespan(e->literal.text, &v.number))
        return expr_literal(p, v, e->place);
    fail_at(p, e->place, "this text is no %s: write %s", hunt_type_name(type),
            type == TYPE_DATETIME ? "datetime(2026-11-10T10:23:41Z)" : "1h, 90s, 1.02:03:04");
    return NULL;
}

struct plan_expr *coerce(struct parser *p, struct plan_expr *e, enum hunt_type type)
{
    if (e->type == type || (e->type == TYPE_FIELD && type == TYPE_STRING) ||
        (e->type == TYPE_STRING && type == TYPE_FIELD))
        return e;
    if (is_loose(e->type) || (e->type == TYPE_LONG && type == TYPE_REAL))
        return convert(p, e, type);
    if (is_time(type) && e->kind == EXPR_LITERAL && e->type == TYPE_STRING)
        return text_as_time(p, e, type);
    fail_at(p, e->place, "%s is wanted here, and this is %s: %s(...) makes it one",
            hunt_type_name(type), hunt_type_name(e->type), hunt_function(converter(type))->name);
    return NULL;
}

bool common_type(enum hunt_type a, enum hunt_type b, bool ordered, enum hunt_type *out)
{
    if (is_loose(a) && !is_loose(b)) {
        enum hunt_type swap = a;
        a = b;
        b = swap;
    }
    *out = a;
    if (a == b)
        return true;
    if (is_loose(b)) {
        if (a == TYPE_LONG && ordered)
            *out = TYPE_REAL; /* "80.5" > 80 */
        else if (is_loose(a))
            *out = TYPE_STRING;
        return true;
    }
    *out = TYPE_REAL;
    return is_number(a) && is_number(b);
}

bool unify(struct parser *p, struct plan_expr **args, uint32_t n, bool ordered,
           struct hunt_place place, enum hunt_type *type)
{
    /* a time beside text that is written out */
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; is_time(args[i]->type) && k < n; k++)
            if (args[k]->kind == EXPR_LITERAL && args[k]->type == TYPE_STRING &&
                !(args[k] = text_as_time(p, args[k], args[i]->type)))
                return false;
    *type = args[0]->type;
    for (uint32_t i = 1; i < n; i++) {
        enum hunt_type before = *type;
        if (!common_type(before, args[i]->type, ordered, type))
            return fail_at(
                p, place, "%s and %s do not go together here: bring them to one type, with %s(...)",
                hunt_type_name(before), hunt_type_name(args[i]->type),
                hunt_function(converter(before))->name);
    }
    for (uint32_t i = 0; i < n; i++)
        if (!(args[i] = coerce(p, args[i], *type)))
            return false;
    return true;
}

/* ---- arithmetic ---- */

static struct plan_expr *fail_arithmetic(struct parser *p, enum function_id id,
                                         struct hunt_place place, enum hunt_type a,
                                         enum hunt_type b)
{
    fail_at(p, place, "%s %s %s has no meaning%s", hunt_type_name(a), hunt_function(id)->name,
            hunt_type_name(b),
            is_text(a) || is_text(b)
                ? ": join texts with strcat(a, b), read numbers with tolong(...)"
                : "");
    return NULL;
}

/* What fields and dynamics become in arithmetic beside `other`. */
static enum hunt_type loose_as(enum function_id id, enum hunt_type other)
{
    if ((id == FN_ADD || id == FN_SUBTRACT) && is_time(other))
        return TYPE_DATETIME;
    return TYPE_REAL;
}

/* The type of a time calculated with something; HUNT_TYPES: that has no meaning. */
static enum hunt_type time_result(enum function_id id, enum hunt_type a, enum hunt_type b)
{
    if (id == FN_ADD && is_time(a) && is_time(b) && (a == TYPE_TIMESPAN || b == TYPE_TIMESPAN))
        return a == TYPE_DATETIME || b == TYPE_DATETIME ? TYPE_DATETIME : TYPE_TIMESPAN;
    if (id == FN_SUBTRACT && a == TYPE_DATETIME && is_time(b))
        return b == TYPE_DATETIME ? TYPE_TIMESPAN : TYPE_DATETIME;
    if (id == FN_SUBTRACT && a == TYPE_TIMESPAN && b == TYPE_TIMESPAN)
        return TYPE_TIMESPAN;
    if (id == FN_MULTIPLY &&
        ((a == TYPE_TIMESPAN && is_number(b)) || (b == TYPE_TIMESPAN && is_number(a))))
        return TYPE_TIMESPAN;
    if (id == FN_DIVIDE && a == TYPE_TIMESPAN && (is_number(b) || b == TYPE_TIMESPAN))
        return b == TYPE_TIMESPAN ? TYPE_REAL : TYPE_TIMESPAN;
    if (id == FN_BIN && is_time(a) && b == TYPE_TIMESPAN)
        return a;
    return HUNT_TYPES;
}

/* + - * / % and bin. */
static struct plan_expr *arithmetic(struct parser *p, enum function_id id, struct hunt_place place,
                                    struct plan_expr **args)
{
    for (int i = 0; i < 2; i++) {
        enum hunt_type other = args[1 - i]->type;
        if (id == FN_BIN && i == 0 && other == TYPE_TIMESPAN && is_loose(args[0]->type))
            args[0] = coerce(p, args[0], TYPE_DATETIME);
        else if (is_loose(args[i]->type))
            args[i] = coerce(p, args[i], loose_as(id, other));
        else if (is_time(other) && (id == FN_ADD || id == FN_SUBTRACT) &&
                 args[i]->type == TYPE_STRING && args[i]->kind == EXPR_LITERAL)
            args[i] = coerce(p, args[i], other);
        if (!args[i])
            return NULL;
    }
    enum hunt_type a = args[0]->type, b = args[1]->type, type;
    if (is_number(a) && is_number(b)) {
        if (!unify(p, args, 2, false, place, &type))
            return NULL;
    } else {
        type = time_result(id, a, b);
        if (type == HUNT_TYPES)
            return fail_arithmetic(p, id, place, a, b);
    }
    return expr_call(p, id, type, place, args, 2);
}

/* ---- calls ---- */

static bool fail_arguments(struct parser *p, const struct hunt_function *f, struct hunt_place place,
                           uint32_t n)
{
    struct buf b = {0};
    hunt_function_signature(f, &b);
    fail_at(p, place, "%.*s does not take %u argument%s", SLICE_ARG(buf_slice(&b)), (unsigned)n,
            n == 1 ? "" : "s");
    buf_free(&b);
    return false;
}

/* The letter of argument `i`; 0: it takes no so many. *least is what must be there. */
static char letter_of(const struct hunt_function *f, uint32_t i)
{
    char last = 0;
    for (const char *a = f->args; *a; a++) {
        if (*a == '?')
            continue;
        if (*a == '*')
            return last;
        if (i-- == 0)
            return *a;
        last = *a;
    }
    return 0;
}

static uint32_t least_arguments(const struct hunt_function *f)
{
    uint32_t n = 0;
    for (const char *a = f->args; *a && *a != '?'; a++)
        n += *a != '*';
    return n;
}

static bool want_constant(struct parser *p, const struct hunt_function *f,
                          const struct plan_expr *e)
{
    if (e->kind == EXPR_LITERAL && !e->literal.null)
        return true;
    return fail_at(p, e->place, "%s wants a constant here", f->name);
}

/* `args[i]` as its letter says; = and L are looked at by the caller. */
static bool check_argument(struct parser *p, const struct hunt_function *f, struct plan_expr **arg,
                           char letter)
{
    enum hunt_type t = (*arg)->type;
    switch (letter) {
    case 'b':
        *arg = coerce(p, *arg, TYPE_BOOL);
        break;
    case 'N':
    case 'l':
        *arg = coerce(p, *arg, TYPE_LONG);
        break;
    case 'R':
    case 'r':
        *arg = coerce(p, *arg, TYPE_REAL);
        break;
    case 'S':
    case 's':
        *arg = coerce(p, *arg, TYPE_STRING);
        break;
    case 'd':
        *arg = coerce(p, *arg, TYPE_DATETIME);
        break;
    case 't':
        *arg = coerce(p, *arg, TYPE_TIMESPAN);
        break;
    case 'y':
        *arg = coerce(p, *arg, TYPE_DYNAMIC);
        break;
    case 'n':
        if (!is_number(t))
            *arg = coerce(p, *arg, TYPE_REAL);
        break;
    case '#':
        if (!is_number(t) && !is_time(t))
            *arg = coerce(p, *arg, TYPE_REAL);
        break;
    default:
        break;
    }
    return *arg && ((letter != 'S' && letter != 'N' && letter != 'R') || want_constant(p, f, *arg));
}

/* The arguments that must be of one type, which becomes *type. */
static bool check_same(struct parser *p, const struct hunt_function *f, struct hunt_place place,
                       struct plan_expr **args, uint32_t n, enum hunt_type *type)
{
    struct plan_expr **same = arena_zero(&p->plan->arena, n, sizeof(struct plan_expr *));
    bool ordered = f->id == FN_LESS || f->id == FN_LESS_EQUAL || f->id == FN_GREATER ||
                   f->id == FN_GREATER_EQUAL;
    uint32_t same_n = 0;
    for (uint32_t i = 0; i < n; i++) {
        char letter = letter_of(f, i);
        if (letter == '=' || (letter == '#' && n > 1))
            same[same_n++] = args[i];
    }
    if (!same_n)
        return true;
    if (!unify(p, same, same_n, ordered, place, type))
        return false;
    if (ordered && *type == TYPE_DYNAMIC)
        return fail_at(p, place,
                       "two dynamics have no order: bring them to a type with tolong(...), "
                       "tostring(...)");
    same_n = 0;
    for (uint32_t i = 0; i < n; i++) {
        char letter = letter_of(f, i);
        if (letter == '=' || (letter == '#' && n > 1))
            args[i] = same[same_n++];
    }
    return true;
}

static enum hunt_type result_type(const struct hunt_function *f, struct plan_expr **args,
                                  enum hunt_type same)
{
    switch (f->result) {
    case 'b':
        return TYPE_BOOL;
    case 'l':
        return TYPE_LONG;
    case 'r':
        return TYPE_REAL;
    case 's':
        return TYPE_STRING;
    case 'd':
        return TYPE_DATETIME;
    case 't':
        return TYPE_TIMESPAN;
    case 'y':
        return TYPE_DYNAMIC;
    case '#':
        return args[0]->type;
    case '=':
        return same;
    default: /* avg; arg_min and arg_max give what their arguments are */
        return f->id == FN_AVG && args[0]->type != TYPE_TIMESPAN ? TYPE_REAL : args[0]->type;
    }
}

static bool check_arguments(struct parser *p, const struct hunt_function *f,
                            struct hunt_place place, struct plan_expr **args, uint32_t n,
                            enum hunt_type *result)
{
    enum hunt_type same = TYPE_STRING;
    if (n < least_arguments(f) || (n && !letter_of(f, n - 1)))
        return fail_arguments(p, f, place, n);
    for (uint32_t i = 0; i < n; i++)
        if (!check_argument(p, f, &args[i], letter_of(f, i)))
            return false;
    if (!check_same(p, f, place, args, n, &same))
        return false;
    *result = result_type(f, args, same);
    return true;
}

bool check_aggregate(struct parser *p, const struct hunt_function *f, struct hunt_place place,
                     struct plan_expr **args, uint32_t n, enum hunt_type *result)
{
    if (!check_arguments(p, f, place, args, n, result))
        return false;
    if ((f->id == FN_SUM || f->id == FN_AVG) && args[0]->type == TYPE_DATETIME)
        return fail_at(p, args[0]->place,
                       "times have no %s: take min, max, or the difference of two",
                       f->id == FN_SUM ? "sum" : "mean");
    return true;
}

struct plan_expr *check_call(struct parser *p, const struct hunt_function *f,
                             struct hunt_place place, struct plan_expr **args, uint32_t n)
{
    enum hunt_type type;
    switch (f->id) {
    case FN_ADD:
    case FN_SUBTRACT:
    case FN_MULTIPLY:
    case FN_DIVIDE:
    case FN_MODULO:
    case FN_BIN:
        if (n != 2) {
            fail_arguments(p, f, place, n);
            return NULL;
        }
        return arithmetic(p, f->id, place, args);
    default:
        break;
    }
    if (!check_arguments(p, f, place, args, n, &type))
        return NULL;
    if ((f->id == FN_ABS || f->id == FN_NEGATE) && type == TYPE_DATETIME) {
        fail_at(p, args[0]->place, "a datetime has no sign");
        return NULL;
    }
    return expr_call(p, f->id, type, place, args, n);
}
