/* From one type to another. */
#include "hunt/scalar.h"

#include "event/value.h"
#include "hunt/dynamic.h"

#include <math.h>

#define ARGS                                                                                       \
    const struct call *c, struct scratch *s, const struct hunt_value *const *a,                    \
        struct hunt_value *out

/* Kusto counts times in ticks of 100 ns, from 0001-01-01 on. */
enum { TICK = 100 };
#define TICKS_TO_1970 INT64_C(621355968000000000)

static struct slice string_of_time(timestamp t, struct arena *a)
{
    char text[TIMESTAMP_TEXT];
    size_t n = timestamp_text(t, t % TICK ? 9 : 7, text);
    return slice_of(arena_copy(a, text, n), n);
}

static struct slice string_of_span(int64_t span, struct arena *a)
{
    char text[TIMESPAN_TEXT];
    size_t n = timespan_text(span, text);
    return slice_of(arena_copy(a, text, n), n);
}

struct slice value_string(const struct hunt_value *v, struct arena *a)
{
    if (v->null)
        return SLICE("");
    switch (v->type) {
    case TYPE_BOOL:
        return v->truth ? SLICE("true") : SLICE("false");
    case TYPE_LONG:
        return value_text((struct value){&v->number, sizeof v->number, VALUE_INT}, a);
    case TYPE_REAL:
        return value_text((struct value){&v->real, sizeof v->real, VALUE_DOUBLE}, a);
    case TYPE_DATETIME:
        return string_of_time(v->number, a);
    case TYPE_TIMESPAN:
        return string_of_span(v->number, a);
    case TYPE_DYNAMIC:
        return json_content(v->text, a);
    default:
        return v->text;
    }
}

static void fn_tostring(ARGS)
{
    (void)c;
    set_text(out, value_string(a[0], s->arena));
}

static void set_floor(struct hunt_value *out, double real)
{
    if (!(real >= -9223372036854775808.0 && real < 9223372036854775808.0))
        set_null(out);
    else
        out->number = (int64_t)real;
}

static void fn_tolong(ARGS)
{
    (void)c;
    const struct hunt_value *v = a[0];
    double real;
    switch (v->type) {
    case TYPE_BOOL:
        out->number = v->truth;
        break;
    case TYPE_LONG:
        out->number = v->number;
        break;
    case TYPE_REAL:
        set_floor(out, v->real);
        break;
    case TYPE_DATETIME:
        out->number = v->number / TICK + TICKS_TO_1970;
        break;
    case TYPE_TIMESPAN:
        out->number = v->number / TICK;
        break;
    default: {
        struct slice text = value_string(v, s->arena);
        if (text_long(text, &out->number))
            return;
        if (v->type == TYPE_DYNAMIC && text_number(text, &real))
            set_floor(out, real);
        else
            set_null(out);
    }
    }
}

static void fn_todouble(ARGS)
{
    (void)c;
    const struct hunt_value *v = a[0];
    if (v->type == TYPE_REAL)
        out->real = v->real;
    else if (v->type == TYPE_BOOL)
        out->real = v->truth;
    else if (v->type == TYPE_LONG)
        out->real = (double)v->number;
    else if (v->type == TYPE_DATETIME)
        out->real = (double)v->number / TICK + (double)TICKS_TO_1970;
    else if (v->type == TYPE_TIMESPAN)
        out->real = (double)v->number / TICK;
    else if (!text_number(value_string(v, s->arena), &out->real))
        set_null(out);
}

static void fn_tobool(ARGS)
{
    (void)c;
    const struct hunt_value *v = a[0];
    double real;
    if (v->type == TYPE_BOOL) {
        out->truth = v->truth;
    } else if (v->type == TYPE_REAL) {
        out->truth = v->real != 0;
    } else if (v->type != TYPE_STRING && v->type != TYPE_DYNAMIC) {
        out->truth = v->number != 0;
    } else {
        struct slice text = value_string(v, s->arena);
        if (slice_equal_nocase(text, SLICE("true")))
            out->truth = true;
        else if (slice_equal_nocase(text, SLICE("false")))
            out->truth = false;
        else if (text_number(text, &real))
            out->truth = real != 0;
        else
            set_null(out);
    }
}

static void fn_todatetime(ARGS)
{
    (void)c;
    const struct hunt_value *v = a[0];
    if (v->type == TYPE_DATETIME)
        out->number = v->number;
    else if ((v->type != TYPE_STRING && v->type != TYPE_DYNAMIC) ||
             !text_datetime(value_string(v, s->arena), &out->number) ||
             out->number == TIMESTAMP_NONE)
        set_null(out);
}

static void fn_totimespan(ARGS)
{
    (void)c;
    const struct hunt_value *v = a[0];
    if (v->type == TYPE_TIMESPAN)
        out->number = v->number;
    else if ((v->type != TYPE_STRING && v->type != TYPE_DYNAMIC) ||
             !text_timespan(value_string(v, s->arena), &out->number))
        set_null(out);
}

static void fn_todynamic(ARGS)
{
    (void)c;
    const struct hunt_value *v = a[0];
    struct slice json;
    if (v->type == TYPE_DYNAMIC) {
        *out = *v;
    } else if (v->list) {
        dynamic_set(out, slice_str(v->text.p + v->text.n + 1));
    } else if (v->type == TYPE_STRING && v->text.n == 0) {
        set_null(out);
    } else if (v->type == TYPE_STRING && json_compact(v->text, s->arena, &json)) {
        dynamic_set(out, json);
    } else {
        struct buf b = {0};
        json_put_value(&b, v, s->arena);
        dynamic_set(out, arena_slice(s->arena, buf_slice(&b)));
        buf_free(&b);
    }
}

const struct scalar scalar_convert[FUNCTIONS] = {
    [FN_TOSTRING] = {fn_tostring, true, NULL},      [FN_TOLONG] = {fn_tolong, false, NULL},
    [FN_TODOUBLE] = {fn_todouble, false, NULL},     [FN_TOBOOL] = {fn_tobool, false, NULL},
    [FN_TODATETIME] = {fn_todatetime, false, NULL}, [FN_TOTIMESPAN] = {fn_totimespan, false, NULL},
    [FN_TODYNAMIC] = {fn_todynamic, false, NULL},
};

const struct scalar *scalar_of(enum function_id f)
{
    static const struct scalar *const tables[] = {scalar_compare, scalar_text, scalar_pattern,
                                                  scalar_number,  scalar_time, scalar_convert,
                                                  scalar_dynamic};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (tables[i][f].call)
            return &tables[i][f];
    return NULL;
}
