/*
 * What can be known of an expression while it is read: the bounds of time and the constants by which a
 * back end prunes. It must give what execution would give, and leaves alone all that is not simple.
 */
#include "hunt/parse_internal.h"

#include <inttypes.h>

static bool fold_arithmetic(enum function_id id, const struct plan_expr *call, struct hunt_value *v)
{
    const struct hunt_value *a = &call->args[0]->literal;
    const struct hunt_value *b = call->args_n > 1 ? &call->args[1]->literal : a;
    if (a->null || b->null || a->type == TYPE_REAL || b->type == TYPE_REAL)
        return false;
    switch (id) {
    case FN_ADD:
        return !__builtin_add_overflow(a->number, b->number, &v->number);
    case FN_SUBTRACT:
        return !__builtin_sub_overflow(a->number, b->number, &v->number);
    case FN_MULTIPLY:
        return !__builtin_mul_overflow(a->number, b->number, &v->number);
    default:
        return !__builtin_sub_overflow(INT64_C(0), a->number, &v->number);
    }
}

static bool fold_text(struct parser *p, enum function_id id, struct slice text,
                      struct hunt_value *v)
{
    switch (id) {
    case FN_TOLONG:
        v->null = !text_long(text, &v->number);
        return true;
    case FN_TODOUBLE:
        v->null = !text_number(text, &v->real);
        return true;
    case FN_TODATETIME:
        v->null = !text_datetime(text, &v->number);
        return true;
    case FN_TOTIMESPAN:
        v->null = !text_timespan(text, &v->number);
        return true;
    case FN_TOLOWER:
        for (size_t i = 0; i < text.n; i++)
            if ((unsigned char)text.p[i] >= 0x80)
                return false;
        v->text = arena_slice(&p->plan->arena, text);
        for (size_t i = 0; i < text.n; i++)
            if (text.p[i] >= 'A' && text.p[i] <= 'Z')
                ((char *)v->text.p)[i] |= 0x20; // NOLINT(*-cast-qual): made just now
        return true;
    default:
        return false;
    }
}

static bool fold_conversion(struct parser *p, enum function_id id, const struct plan_expr *call,
                            struct hunt_value *v)
{
    const struct hunt_value *a = &call->args[0]->literal;
    if (a->null)
        return false;
    if (a->type == v->type && id != FN_TOLOWER) {
        *v = *a;
        return true;
    }
    if (a->type == TYPE_STRING)
        return fold_text(p, id, a->text, v);
    if (a->type == TYPE_LONG && id == FN_TODOUBLE) {
        v->real = (double)a->number;
        return true;
    }
    if (a->type == TYPE_LONG && id == FN_TOSTRING) {
        v->text = arena_printf(&p->plan->arena, "%" PRId64, a->number);
        return true;
    }
    return false;
}

struct plan_expr *fold(struct parser *p, struct plan_expr *call)
{
    struct hunt_value v = {.type = call->type};
    bool known = false;
    for (uint32_t i = 0; i < call->args_n; i++)
        if (call->args[i]->kind != EXPR_LITERAL)
            return call;
    switch (call->function) {
    case FN_ADD:
    case FN_SUBTRACT:
    case FN_MULTIPLY:
        known = fold_arithmetic(call->function, call, &v);
        break;
    case FN_NEGATE:
        known = call->type == TYPE_REAL && !call->args[0]->literal.null;
        if (known)
            v.real = -call->args[0]->literal.real;
        else
            known = fold_arithmetic(call->function, call, &v);
        break;
    case FN_TOLONG:
    case FN_TODOUBLE:
    case FN_TOSTRING:
    case FN_TODATETIME:
    case FN_TOTIMESPAN:
    case FN_TOLOWER:
        known = fold_conversion(p, call->function, call, &v);
        break;
    default:
        break;
    }
    return known ? expr_literal(p, v, call->place) : call;
}
