/* Values of expressions. */
#include "model/hunt_slow.h"

#include "base/text.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static struct hunt_value null_of(enum hunt_type type)
{
    struct hunt_value v = {.type = type == TYPE_FIELD ? TYPE_STRING : type, .null = true};
    v.text = SLICE("");
    v.null = v.type != TYPE_STRING;
    return v;
}

static struct hunt_value truth(bool is)
{
    return (struct hunt_value){.type = TYPE_BOOL, .truth = is};
}

static struct hunt_value text(struct slice s)
{
    return (struct hunt_value){.type = TYPE_STRING, .text = s};
}

static struct hunt_value number(enum hunt_type type, int64_t n)
{
    return (struct hunt_value){.type = type, .number = n};
}

bool slow_equal(const struct hunt_value *a, const struct hunt_value *b)
{
    if (a->null || b->null)
        return a->null && b->null;
    if (a->type == TYPE_STRING || a->type == TYPE_DYNAMIC)
        return slice_equal(a->text, b->text);
    if (a->type == TYPE_BOOL)
        return a->truth == b->truth;
    if (a->type == TYPE_REAL)
        return a->real == b->real;
    return a->number == b->number;
}

int slow_compare(const struct hunt_value *a, const struct hunt_value *b, bool fields)
{
    if (a->type == TYPE_STRING || a->type == TYPE_DYNAMIC)
        return fields ? field_compare(a->text, b->text) : slice_compare(a->text, b->text);
    if (a->type == TYPE_BOOL)
        return a->truth - b->truth;
    if (a->type == TYPE_REAL)
        return a->real < b->real ? -1 : a->real > b->real;
    return a->number < b->number ? -1 : a->number > b->number;
}

/* ---- text ---- */

static bool is_cased(enum function_id f)
{
    return f == FN_EQUAL || f == FN_IN || f == FN_HAS_CS || f == FN_CONTAINS_CS ||
           f == FN_STARTS_CS || f == FN_ENDS_CS;
}

static bool in_token(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (unsigned char)c >= 128;
}

static bool stands_at(struct slice s, size_t at, struct slice what)
{
    for (size_t i = 0; i < what.n; i++)
        if (at + i >= s.n || s.p[at + i] != what.p[i])
            return false;
    return true;
}

/* Whether it touches a token on a side on which it ends in one itself. */
static bool touches(struct slice s, size_t at, struct slice what)
{
    size_t end = at + what.n;
    if (what.n == 0)
        return false;
    return (at > 0 && in_token(s.p[at - 1]) && in_token(what.p[0])) ||
           (end < s.n && in_token(s.p[end]) && in_token(what.p[what.n - 1]));
}

static bool finds(enum function_id f, struct slice s, struct slice what)
{
    for (size_t at = 0; at <= s.n; at++) {
        if (!stands_at(s, at, what))
            continue;
        switch (f) {
        case FN_STARTS:
        case FN_STARTS_CS:
            return at == 0;
        case FN_ENDS:
        case FN_ENDS_CS:
            if (at + what.n == s.n)
                return true;
            break;
        case FN_CONTAINS:
        case FN_CONTAINS_CS:
            return true;
        case FN_EQUAL_NOCASE:
            return at == 0 && what.n == s.n;
        default:
            if (!touches(s, at, what))
                return true;
        }
    }
    return false;
}

static struct hunt_value compare_text(enum function_id f, struct slice s, struct slice what,
                                      struct arena *a)
{
    if (!is_cased(f)) {
        s = text_fold(a, s);
        what = text_fold(a, what);
    }
    return truth(finds(f, s, what));
}

static struct slice string_of(const struct hunt_value *v, struct arena *a)
{
    char time[TIMESTAMP_TEXT];
    if (v->null)
        return SLICE("");
    if (v->type == TYPE_BOOL)
        return v->truth ? SLICE("true") : SLICE("false");
    if (v->type == TYPE_LONG)
        return arena_printf(a, "%" PRId64, v->number);
    if (v->type == TYPE_DATETIME)
        return arena_slice(a, slice_of(time, timestamp_text(v->number, 7, time)));
    if (v->type == TYPE_STRING)
        return v->text;
    abort();
}

static int64_t characters(struct slice s)
{
    int64_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

/* ---- lists, any field ---- */

static struct hunt_value in_list(enum function_id f, const struct hunt_value *v,
                                 const struct plan_expr *list, struct arena *a)
{
    bool all = f == FN_HAS_ALL, any = false;
    for (uint32_t i = 0; i < list->list_n; i++) {
        bool is;
        if (f == FN_IN)
            is = !v->null && slow_equal(v, &list->list[i]);
        else
            is = compare_text(f == FN_IN_NOCASE ? FN_EQUAL_NOCASE : FN_HAS, v->text,
                              list->list[i].text, a)
                     .truth;
        any |= is;
        all &= is;
    }
    return truth(f == FN_HAS_ALL ? all : any);
}

static struct hunt_value call(const struct plan *p, const struct plan_expr *e,
                              const struct slow_row *row, const struct hunt_value *v,
                              struct arena *a);

static struct hunt_value any_field(const struct plan *p, const struct plan_expr *e,
                                   const struct slow_row *row, struct hunt_value *v,
                                   struct arena *a)
{
    for (uint32_t i = 0; i < row->event->fields_n; i++) {
        v[0] = text(row->event->fields[i].text);
        struct hunt_value is = call(p, e, row, v, a);
        if (!is.null && is.truth)
            return is;
    }
    return truth(false);
}

/* ---- functions ---- */

static struct hunt_value logic(enum function_id f, const struct hunt_value *v, uint32_t n)
{
    if (f == FN_NOT)
        return v[0].null ? v[0] : truth(!v[0].truth);
    bool wins = f == FN_OR; /* what decides alone */
    bool null = false;
    for (uint32_t i = 0; i < n; i++) {
        if (!v[i].null && v[i].truth == wins)
            return truth(wins);
        null |= v[i].null;
    }
    return null ? null_of(TYPE_BOOL) : truth(!wins);
}

static struct hunt_value ordered(const struct plan_expr *e, const struct hunt_value *v)
{
    bool fields = e->args[0]->type == TYPE_FIELD && e->args[1]->type == TYPE_FIELD;
    int c = slow_compare(&v[0], &v[1], fields);
    switch (e->function) {
    case FN_LESS:
        return truth(c < 0);
    case FN_LESS_EQUAL:
        return truth(c <= 0);
    case FN_GREATER:
        return truth(c > 0);
    default:
        return truth(c >= 0);
    }
}

/* Sums of what the test draws never leave 64 bits. */
static struct hunt_value arithmetic(const struct plan_expr *e, const struct hunt_value *v)
{
    int64_t x = v[0].number, y = v[1].number;
    if (e->type == TYPE_REAL) {
        double r = v[0].type == TYPE_REAL ? v[0].real : (double)x;
        double s = v[1].type == TYPE_REAL ? v[1].real : (double)y;
        return (struct hunt_value){.type = TYPE_REAL,
                                   .real = e->function == FN_ADD ? r + s : r - s};
    }
    return number(e->type, e->function == FN_ADD ? x + y : x - y);
}

/* Downwards to a multiple; times are counted from the year 1, whose days a multiple of a day, hour or
 * minute begins with as 1970's do. */
static struct hunt_value binned(const struct plan_expr *e, const struct hunt_value *v)
{
    int64_t step = v[1].number, n = v[0].number, down;
    if (step <= 0)
        return null_of(e->type);
    down = n / step * step;
    return number(e->type, down > n ? down - step : down);
}

static struct hunt_value to_number(const struct plan_expr *e, const struct hunt_value *v)
{
    int64_t n;
    double r;
    if (e->function == FN_TOLONG) {
        if (v[0].type == TYPE_LONG)
            return v[0];
        return text_long(v[0].text, &n) ? number(TYPE_LONG, n) : null_of(TYPE_LONG);
    }
    if (v[0].type == TYPE_REAL)
        return v[0];
    if (v[0].type == TYPE_LONG)
        return (struct hunt_value){.type = TYPE_REAL, .real = (double)v[0].number};
    if (!text_number(v[0].text, &r))
        return null_of(TYPE_REAL);
    return (struct hunt_value){.type = TYPE_REAL, .real = r};
}

/* Text as JSON where it is that, else as a string; lists of events as they are. */
static struct hunt_value to_dynamic(const struct hunt_value *v, const struct slow_row *row,
                                    struct arena *a)
{
    struct buf b = {0};
    struct hunt_value out = {.type = TYPE_DYNAMIC};
    for (uint32_t i = 0; row->event && i < row->event->fields_n; i++) {
        const struct slow_field *f = &row->event->fields[i];
        if (f->text.p == v->text.p && f->value.type == VALUE_LIST)
            value_json(f->value, &b, a);
    }
    if (!b.n && !v->text.n)
        return null_of(TYPE_DYNAMIC);
    json_t *json = b.n ? json_loadb(b.p, b.n, JSON_DECODE_ANY, NULL)
                       : json_loadb(v->text.p, v->text.n, JSON_DECODE_ANY, NULL);
    buf_free(&b);
    if (!json)
        json = json_stringn(v->text.p, v->text.n);
    char *dump = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    out.text = arena_slice(a, slice_str(dump));
    free(dump);
    json_decref(json);
    return out;
}

/* Functions that nulls do not pass through. */
static bool sees_nulls(enum function_id f)
{
    return f == FN_AND || f == FN_OR || f == FN_NOT || f == FN_EQUAL || f == FN_IN || f == FN_IFF ||
           f == FN_ISEMPTY || f == FN_ISNULL || f == FN_COALESCE || f == FN_TOSTRING ||
           f == FN_STRCAT;
}

static struct hunt_value with_nulls(const struct plan_expr *e, const struct hunt_value *v,
                                    struct arena *a)
{
    switch (e->function) {
    case FN_EQUAL:
        return v[0].null && v[1].null ? null_of(TYPE_BOOL) : truth(slow_equal(&v[0], &v[1]));
    case FN_IFF:
        return !v[0].null && v[0].truth ? v[1] : v[2];
    case FN_ISEMPTY:
        return truth(v[0].null || (v[0].type == TYPE_STRING && !v[0].text.n));
    case FN_ISNULL:
        return truth(v[0].null || (e->args[0]->type == TYPE_FIELD && !v[0].text.n));
    case FN_COALESCE:
        for (uint32_t i = 0; i < e->args_n; i++)
            if (!v[i].null && (v[i].type != TYPE_STRING || v[i].text.n))
                return v[i];
        return null_of(e->type);
    case FN_TOSTRING:
        return text(string_of(&v[0], a));
    case FN_STRCAT: {
        struct slice all = SLICE("");
        for (uint32_t i = 0; i < e->args_n; i++) {
            struct slice s = string_of(&v[i], a);
            all = arena_printf(a, "%.*s%.*s", SLICE_ARG(all), SLICE_ARG(s));
        }
        return text(all);
    }
    default:
        return logic(e->function, v, e->args_n);
    }
}

static struct hunt_value call(const struct plan *p, const struct plan_expr *e,
                              const struct slow_row *row, const struct hunt_value *v,
                              struct arena *a)
{
    (void)p;
    for (uint32_t i = 0; i < e->args_n; i++)
        if (v[i].null && !sees_nulls(e->function) && e->args[i]->kind != EXPR_LIST)
            return null_of(e->type);
    if (e->args_n > 1 && e->args[1]->kind == EXPR_LIST)
        return in_list(e->function, &v[0], e->args[1], a);
    if (sees_nulls(e->function))
        return with_nulls(e, v, a);
    switch (e->function) {
    case FN_LESS:
    case FN_LESS_EQUAL:
    case FN_GREATER:
    case FN_GREATER_EQUAL:
        return ordered(e, v);
    case FN_EQUAL_NOCASE:
    case FN_HAS:
    case FN_HAS_CS:
    case FN_CONTAINS:
    case FN_CONTAINS_CS:
    case FN_STARTS:
    case FN_STARTS_CS:
    case FN_ENDS:
    case FN_ENDS_CS:
        return compare_text(e->function, v[0].text, v[1].text, a);
    case FN_TOLOWER:
        return text(text_fold(a, v[0].text));
    case FN_STRLEN:
        return number(TYPE_LONG, characters(v[0].text));
    case FN_ADD:
    case FN_SUBTRACT:
        return arithmetic(e, v);
    case FN_BIN:
        return binned(e, v);
    case FN_TODYNAMIC:
        return to_dynamic(v, row, a);
    case FN_TOLONG:
    case FN_TODOUBLE:
        return to_number(e, v);
    default:
        fprintf(stderr, "the model has no %s\n", hunt_function(e->function)->name);
        abort();
    }
}

struct hunt_value slow_value(const struct plan *p, const struct plan_expr *e,
                             const struct slow_row *row, struct arena *a)
{
    bool any = false;
    if (e->kind == EXPR_LITERAL)
        return e->literal;
    if (e->kind == EXPR_COLUMN)
        return row->values[e->column];
    if (e->kind != EXPR_CALL)
        return null_of(TYPE_STRING);
    struct hunt_value *v = arena_zero(a, e->args_n + 1, sizeof *v);
    for (uint32_t i = 0; i < e->args_n; i++) {
        any |= e->args[i]->kind == EXPR_ANY;
        v[i] = slow_value(p, e->args[i], row, a);
    }
    return any ? any_field(p, e, row, v, a) : call(p, e, row, v, a);
}
