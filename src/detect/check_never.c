#include "base/text.h"
#include "detect/check_internal.h"
#include "detect/pattern.h"

/*
 * A small abstract interpretation: every part of a condition is "never" or "perhaps". A negated
 * part is always "perhaps", for what never matches makes its `not` match always.
 */

struct judge {
    struct arena *arena;
    const struct sigma_rule *rule;
    const struct log_binding *binding;
    struct slice why; /* of the last "never" */
};

static bool never(struct judge *j, struct slice why)
{
    j->why = why;
    return true;
}

/* The texts that an item's field must have one of, folded; false when it is no plain list of such. */
static bool plain_values(struct judge *j, const struct sigma_item *item, struct slice **out)
{
    *out = NULL;
    if (item->modifiers & ~(uint32_t)MOD_CASED || item->field.n == 0 || item->values_n == 0)
        return false;
    struct slice *texts = arena_zero(j->arena, item->values_n, sizeof *texts);
    for (uint32_t i = 0; i < item->values_n; i++) {
        struct pattern_list list = {0};
        if (item->values[i].type == SIGMA_NULL)
            return false;
        pattern_make(j->arena, item->values[i].text, 0, false, &list);
        if (list.n != 1 || list.at[0].n > 1 ||
            (list.at[0].n == 1 && list.at[0].parts[0].type != PART_TEXT))
            return false;
        texts[i] = list.at[0].n ? list.at[0].parts[0].text : SLICE("");
    }
    *out = texts;
    return true;
}

static bool disjoint(const struct slice *a, uint32_t a_n, const struct slice *b, uint32_t b_n)
{
    for (uint32_t i = 0; i < a_n; i++)
        for (uint32_t k = 0; k < b_n; k++)
            if (slice_equal_nocase(a[i], b[k]))
                return false;
    return true;
}

/* What the binding's events have in a field: the list of values, or NULL when it says nothing. */
static const struct slice *bound_values(const struct log_binding *b, struct slice field,
                                        uint32_t *n)
{
    const struct field_name *name = binding_field(b, field);
    if (field_translates(name))
        return NULL; /* its values have other names in rules */
    struct slice stored = name && name->stored_n == 1 ? name->stored[0] : field;
    const struct {
        struct slice name;
        const struct slice *values;
        uint32_t n;
    } fixed[] = {
        {SLICE("EventID"), b->codes, b->codes_n},
        {SLICE("Channel"), b->channels, b->channels_n},
        {SLICE("Provider_Name"), b->providers, b->providers_n},
    };
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (fixed[i].n && slice_equal(stored, fixed[i].name)) {
            *n = fixed[i].n;
            return fixed[i].values;
        }
    for (uint32_t i = 0; i < b->conditions_n; i++)
        if (slice_equal(stored, b->conditions[i].field)) {
            *n = b->conditions[i].values_n;
            return b->conditions[i].values;
        }
    return NULL;
}

static bool item_never(struct judge *j, const struct sigma_item *item)
{
    struct slice *values;
    uint32_t n;
    if (item->values_n == 0)
        return never(
            j, arena_printf(j->arena, "'%.*s' has no value to match", SLICE_ARG(item->field)));
    const struct slice *bound = bound_values(j->binding, item->field, &n);
    if (!bound || !plain_values(j, item, &values) || !disjoint(values, item->values_n, bound, n))
        return false;
    return never(j, arena_printf(j->arena, "%.*s is never '%.*s' in events of %.*s",
                                 SLICE_ARG(item->field), SLICE_ARG(item->values[0].text),
                                 SLICE_ARG(j->binding->name)));
}

/* ---- what must hold together ---- */

enum {
    TOGETHER_MOST = 64
}; /* items compared with each other; further ones are taken as they are */

struct together {
    const struct sigma_item *items[TOGETHER_MOST];
    uint32_t n;
};

static void gather_detection(struct together *t, const struct sigma_detection *d)
{
    if (d->type == DETECT_ITEM) {
        if (t->n < TOGETHER_MOST)
            t->items[t->n++] = &d->item;
    } else if (d->type == DETECT_AND || d->children_n == 1) {
        for (uint32_t i = 0; i < d->children_n; i++)
            gather_detection(t, &d->children[i]);
    }
}

static void gather(struct judge *j, struct together *t, const struct sigma_condition *c)
{
    if (c->type == COND_AND) {
        gather(j, t, c->left);
        gather(j, t, c->right);
    } else if (c->type == COND_SEARCH) {
        gather_detection(t, &j->rule->searches[c->search].detection);
    } else if (c->type == COND_OF && (c->quantity == 0 || c->quantity == c->searches_n)) {
        for (uint32_t i = 0; i < c->searches_n; i++)
            gather_detection(t, &j->rule->searches[c->searches[i]].detection);
    }
}

/* Two items that want different values of one field. `Data` is the one field that commonly holds a
 * list, in which both may be found. */
static bool contradicts(struct judge *j, const struct together *t)
{
    for (uint32_t i = 0; i < t->n; i++) {
        struct slice *a, *b;
        const struct sigma_item *one = t->items[i];
        if (slice_equal(one->field, SLICE("Data")) || !plain_values(j, one, &a))
            continue;
        for (uint32_t k = i + 1; k < t->n; k++) {
            const struct sigma_item *two = t->items[k];
            if (!slice_equal(one->field, two->field) || !plain_values(j, two, &b) ||
                !disjoint(a, one->values_n, b, two->values_n))
                continue;
            return never(j,
                         arena_printf(j->arena, "%.*s would have to be '%.*s' and '%.*s' at once",
                                      SLICE_ARG(one->field), SLICE_ARG(one->values[0].text),
                                      SLICE_ARG(two->values[0].text)));
        }
    }
    return false;
}

/* ---- the rule ---- */

static bool detection_never(struct judge *j, const struct sigma_detection *d)
{
    if (d->type == DETECT_ITEM)
        return item_never(j, &d->item);
    uint32_t impossible = 0;
    for (uint32_t i = 0; i < d->children_n; i++)
        impossible += detection_never(j, &d->children[i]);
    if (d->type == DETECT_OR)
        return impossible == d->children_n;
    struct together t = {0};
    gather_detection(&t, d);
    return impossible > 0 || contradicts(j, &t);
}

static bool condition_never(struct judge *j, const struct sigma_condition *c)
{
    uint32_t possible = 0;
    struct together t = {0};
    switch (c->type) {
    case COND_NOT:
        return false;
    case COND_SEARCH:
        return detection_never(j, &j->rule->searches[c->search].detection);
    case COND_OR:
        return condition_never(j, c->left) && condition_never(j, c->right);
    case COND_OF:
        for (uint32_t i = 0; i < c->searches_n; i++)
            possible += !detection_never(j, &j->rule->searches[c->searches[i]].detection);
        if (possible < (c->quantity ? c->quantity : c->searches_n))
            return true;
        break;
    case COND_AND:
        if (condition_never(j, c->left) || condition_never(j, c->right))
            return true;
        break;
    }
    gather(j, &t, c);
    return contradicts(j, &t);
}

struct slice check_never(struct arena *a, const struct sigma_rule *rule,
                         const struct log_binding *binding)
{
    struct judge j = {.arena = a, .rule = rule, .binding = binding};
    for (uint32_t i = 0; i < rule->conditions_n; i++)
        if (!condition_never(&j, rule->conditions[i]))
            return (struct slice){0};
    return j.why;
}
