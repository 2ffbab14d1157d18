/* Comparing values; logic, choosing, lists. */
#include "hunt/scalar.h"

#include "base/map.h"
#include "base/text.h"

#include <math.h>

/* ---- values ---- */

static bool is_text(enum hunt_type type)
{
    return type == TYPE_STRING || type == TYPE_DYNAMIC || type == TYPE_FIELD;
}

static double as_real(const struct hunt_value *v)
{
    return v->type == TYPE_REAL ? v->real : (double)v->number;
}

bool values_equal(const struct hunt_value *a, const struct hunt_value *b)
{
    if (is_text(a->type))
        return is_text(b->type) && slice_equal(a->text, b->text);
    if (a->type == TYPE_BOOL || b->type == TYPE_BOOL)
        return a->type == b->type && a->truth == b->truth;
    if (a->type == TYPE_REAL || b->type == TYPE_REAL)
        return as_real(a) == as_real(b) || (isnan(as_real(a)) && isnan(as_real(b)));
    return a->number == b->number;
}

static int compare_reals(double a, double b)
{
    if (isnan(a) || isnan(b)) /* NaN stands before all */
        return (isnan(b) != 0) - (isnan(a) != 0);
    return (a > b) - (a < b);
}

int values_compare(const struct hunt_value *a, const struct hunt_value *b, bool fields)
{
    if (is_text(a->type))
        return fields ? field_compare(a->text, b->text) : slice_compare(a->text, b->text);
    if (a->type == TYPE_BOOL)
        return (int)a->truth - (int)b->truth;
    if (a->type == TYPE_REAL || b->type == TYPE_REAL)
        return compare_reals(as_real(a), as_real(b));
    return (a->number > b->number) - (a->number < b->number);
}

uint64_t value_hash(const struct hunt_value *v)
{
    if (v->null)
        return 0x9e3779b97f4a7c15u;
    if (is_text(v->type))
        return hash_bytes(v->text.p, v->text.n);
    uint64_t bits = v->type == TYPE_BOOL ? v->truth : (uint64_t)v->number;
    if (v->type == TYPE_REAL) {
        double real = v->real == 0 ? 0 : isnan(v->real) ? (double)NAN : v->real;
        memcpy(&bits, &real, sizeof bits);
    }
    return hash_bytes(&bits, sizeof bits);
}

/* ---- logic ---- */

/* One argument can decide alone: false for `and`, true for `or`. */
static void fn_logic(const struct call *c, struct scratch *s, const struct hunt_value *const *a,
                     struct hunt_value *out)
{
    (void)s;
    bool null = false, decides = c->function == FN_OR;
    for (uint32_t i = 0; i < c->args_n; i++) {
        if (!a[i]->null && a[i]->truth == decides) {
            out->truth = decides;
            return;
        }
        null |= a[i]->null;
    }
    out->truth = !decides;
    if (null)
        set_null(out);
}

static void fn_not(const struct call *c, struct scratch *s, const struct hunt_value *const *a,
                   struct hunt_value *out)
{
    (void)c;
    (void)s;
    out->truth = !a[0]->truth;
}

static void fn_iff(const struct call *c, struct scratch *s, const struct hunt_value *const *a,
                   struct hunt_value *out)
{
    (void)c;
    (void)s;
    *out = *a[!a[0]->null && a[0]->truth ? 1 : 2];
}

static bool is_empty(const struct hunt_value *v)
{
    return v->null || (v->type == TYPE_STRING && v->text.n == 0);
}

static void fn_coalesce(const struct call *c, struct scratch *s, const struct hunt_value *const *a,
                        struct hunt_value *out)
{
    (void)s;
    for (uint32_t i = 0; i < c->args_n; i++)
        if (!is_empty(a[i])) {
            *out = *a[i];
            return;
        }
    set_null(out);
}

static void fn_isempty(const struct call *c, struct scratch *s, const struct hunt_value *const *a,
                       struct hunt_value *out)
{
    (void)c;
    (void)s;
    out->truth = is_empty(a[0]);
}

static void fn_isnull(const struct call *c, struct scratch *s, const struct hunt_value *const *a,
                      struct hunt_value *out)
{
    (void)s;
    out->truth = a[0]->null || (c->arg_types[0] == TYPE_FIELD && a[0]->text.n == 0);
}

/* ---- comparing ---- */

static void fn_equal(const struct call *c, struct scratch *s, const struct hunt_value *const *a,
                     struct hunt_value *out)
{
    (void)c;
    (void)s;
    if (a[0]->null && a[1]->null)
        set_null(out);
    else
        out->truth = !a[0]->null && !a[1]->null && values_equal(a[0], a[1]);
}

static void fn_order(const struct call *c, struct scratch *s, const struct hunt_value *const *a,
                     struct hunt_value *out)
{
    (void)s;
    bool fields = c->arg_types[0] == TYPE_FIELD && c->arg_types[1] == TYPE_FIELD;
    int order = values_compare(a[0], a[1], fields);
    if (c->function == FN_LESS)
        out->truth = order < 0;
    else if (c->function == FN_LESS_EQUAL)
        out->truth = order <= 0;
    else if (c->function == FN_GREATER)
        out->truth = order > 0;
    else
        out->truth = order >= 0;
}

static void fn_extreme_of(const struct call *c, struct scratch *s,
                          const struct hunt_value *const *a, struct hunt_value *out)
{
    (void)s;
    const struct hunt_value *best = NULL;
    for (uint32_t i = 0; i < c->args_n; i++) {
        if (a[i]->null)
            continue;
        int order = best ? values_compare(a[i], best, false) : 0;
        if (!best || (c->function == FN_MIN_OF ? order < 0 : order > 0))
            best = a[i];
    }
    if (!best)
        set_null(out);
    else if (out->type == TYPE_REAL && best->type == TYPE_LONG)
        out->real = (double)best->number;
    else
        *out = *best;
}

/* ---- lists ---- */

/* A list as a hash table of its values, texts folded when case does not count. */
struct value_set {
    const struct hunt_value *list;
    uint32_t *slots; /* 1 + place in the list; 0: free */
    uint32_t mask;
    bool null; /* the list has one */
};

static void set_add(struct value_set *set, const struct hunt_value *list, uint32_t i)
{
    uint32_t at = (uint32_t)value_hash(&list[i]) & set->mask;
    while (set->slots[at])
        at = (at + 1) & set->mask;
    set->slots[at] = i + 1;
}

static bool set_has(const struct value_set *set, const struct hunt_value *v)
{
    uint32_t at = (uint32_t)value_hash(v) & set->mask;
    for (; set->slots[at]; at = (at + 1) & set->mask)
        if (values_equal(&set->list[set->slots[at] - 1], v))
            return true;
    return false;
}

static enum status prepare_in(struct call *c, struct arena *a, struct error *err)
{
    (void)err;
    struct value_set *set = arena_zero(a, 1, sizeof *set);
    struct hunt_value *list = arena_alloc(a, (c->list_n + 1) * sizeof *list);
    uint32_t cap = 16;
    while (cap < c->list_n * 2)
        cap *= 2;
    set->slots = arena_zero(a, cap, sizeof *set->slots);
    set->mask = cap - 1;
    set->list = list;
    for (uint32_t i = 0; i < c->list_n; i++) {
        list[i] = c->list[i];
        if (c->function == FN_IN_NOCASE)
            list[i].text = text_fold(a, list[i].text);
        if (list[i].null)
            set->null = true;
        else
            set_add(set, list, i);
    }
    c->made = set;
    return OK;
}

static void fn_in(const struct call *c, struct scratch *s, const struct hunt_value *const *a,
                  struct hunt_value *out)
{
    const struct value_set *set = c->made;
    struct hunt_value v = *a[0];
    if (v.null) {
        if (set->null)
            set_null(out);
        return;
    }
    if (c->function == FN_IN_NOCASE)
        v.text = text_fold(s->arena, v.text);
    out->truth = set_has(set, &v);
}

const struct scalar scalar_compare[FUNCTIONS] = {
    [FN_AND] = {fn_logic, true, NULL},         [FN_OR] = {fn_logic, true, NULL},
    [FN_NOT] = {fn_not, false, NULL},          [FN_IFF] = {fn_iff, true, NULL},
    [FN_COALESCE] = {fn_coalesce, true, NULL}, [FN_ISEMPTY] = {fn_isempty, true, NULL},
    [FN_ISNULL] = {fn_isnull, true, NULL},     [FN_EQUAL] = {fn_equal, true, NULL},
    [FN_LESS] = {fn_order, false, NULL},       [FN_LESS_EQUAL] = {fn_order, false, NULL},
    [FN_GREATER] = {fn_order, false, NULL},    [FN_GREATER_EQUAL] = {fn_order, false, NULL},
    [FN_MIN_OF] = {fn_extreme_of, true, NULL}, [FN_MAX_OF] = {fn_extreme_of, true, NULL},
    [FN_IN] = {fn_in, true, prepare_in},       [FN_IN_NOCASE] = {fn_in, true, prepare_in},
};
