#include "detect/plan.h"

#include "base/vec.h"

#include <math.h>
#include <stdlib.h>

/* What a value lowered to. */
struct value_tests {
    uint32_t first, n; /* test numbers of the view's matcher */
    float often;
};

struct builder {
    struct plan *plan;
    const struct regexes *regexes;
    const struct sigma_rule *rule;
    const struct log_binding *binding;
    struct map view_numbers, value_numbers, predicate_numbers;
    struct {
        struct view *at;
        size_t n, cap;
    } views;
    struct {
        struct value_tests *at;
        size_t n, cap;
    } values;
    struct {
        float *at;
        size_t n, cap;
    } often; /* by predicate */
    struct {
        uint32_t *at;
        size_t n, cap;
    } view_of; /* likewise */
    struct {
        uint32_t *at;
        size_t n, cap;
    } tests; /* of the item being lowered */
    struct {
        struct entry *at;
        size_t n, cap;
    } entries;
    struct buf key;
    struct arena scratch; /* of one value */
};

static void key_number(struct builder *b, uint32_t n)
{
    buf_add(&b->key, slice_of(&n, sizeof n));
}

/* ---- expressions ---- */

static struct expression *expression(struct builder *b, int type)
{
    struct expression *e = arena_zero(&b->plan->arena, 1, sizeof *e);
    e->type = type;
    e->need = type == IS_FALSE ? 0 : INFINITY;
    return e;
}

static int by_need(const void *a, const void *b)
{
    const struct expression *x = *(struct expression *const *)a,
                            *y = *(struct expression *const *)b;
    if (x->need != y->need)
        return x->need > y->need ? 1 : -1;
    return (x->type == IS_SAME) - (y->type == IS_SAME); /* the dearest to find out comes last */
}

/* Of k parts at least q are true: then among any k - q + 1 of them one is. */
static float need_of(struct expression **parts, uint32_t n, uint32_t quantity)
{
    float sum = 0;
    for (uint32_t i = 0; i < n && i + quantity <= n; i++)
        sum += parts[i]->need;
    return sum;
}

/* IS_AND, IS_OR, IS_OF of `parts` (not kept), at least one. */
static struct expression *join(struct builder *b, int type, uint32_t quantity,
                               struct expression **parts, uint32_t n)
{
    if (n == 1 && quantity <= 1)
        return parts[0];
    struct expression *e = expression(b, type);
    e->quantity = quantity;
    e->parts = arena_alloc(&b->plan->arena, n * sizeof *parts);
    memcpy(e->parts, parts, n * sizeof *parts);
    e->parts_n = n;
    qsort(e->parts, n, sizeof *e->parts, by_need);
    if (type == IS_AND)
        e->need = e->parts[0]->need;
    else
        e->need = need_of(e->parts, n, type == IS_OF ? quantity : 1);
    return e;
}

static struct expression *negate(struct builder *b, struct expression *part)
{
    struct expression *e = expression(b, IS_NOT);
    e->parts = arena_alloc(&b->plan->arena, sizeof part);
    e->parts[0] = part;
    e->parts_n = 1;
    return e;
}

/* ---- views ---- */

static uint32_t view_number(struct builder *b, const struct slice *names, uint32_t names_n,
                            const struct field_name *translate)
{
    buf_clear(&b->key);
    buf_add(&b->key, slice_of(&translate, sizeof translate));
    for (uint32_t i = 0; i < names_n; i++) {
        key_number(b, (uint32_t)names[i].n);
        buf_add(&b->key, names[i]);
    }
    bool is_new;
    uint32_t *slot = map_put(&b->view_numbers, buf_slice(&b->key), &is_new);
    if (is_new) {
        struct slice *copy = arena_alloc(&b->plan->arena, names_n * sizeof *copy);
        if (names_n)
            memcpy(copy, names, names_n * sizeof *copy);
        *slot = (uint32_t)b->views.n;
        *VEC_PUSH(b->views) = (struct view){copy, names_n, translate, matcher_new(), false};
    }
    return *slot;
}

/* The view of a field as the rule calls it; of an empty name, every field. */
static uint32_t view_of_field(struct builder *b, struct slice field)
{
    if (!field.n)
        return view_number(b, NULL, 0, NULL);
    const struct field_name *name = binding_field(b->binding, field);
    if (!name)
        return view_number(b, &field, 1, NULL);
    struct slice *names = arena_alloc(&b->plan->arena, (name->stored_n + 1) * sizeof *names);
    uint32_t n = 0;
    bool own = false; /* the rule's name is among them */
    for (; n < name->stored_n; n++) {
        names[n] = name->stored[n];
        own = own || slice_equal(names[n], field);
    }
    if (!own)
        names[n++] = field;
    return view_number(b, names, n, field_translates(name) ? name : NULL);
}

/* ---- predicates ---- */

static float often(const struct test *t)
{
    size_t least = t->type == TEST_LITERAL ? t->literal.n : 0;
    for (uint32_t i = 0; i < t->triggers_n; i++)
        least = i == 0 || t->triggers[i].n < least ? t->triggers[i].n : least;
    return t->type == TEST_EQUAL ? 0.3f : 1 / (1 + (float)least);
}

static struct value_tests add_tests(struct builder *b, uint32_t view, const struct test_list *tests)
{
    struct value_tests v = {0, (uint32_t)tests->n, 0};
    for (size_t i = 0; i < tests->n; i++) {
        uint32_t number = matcher_test(b->views.at[view].matcher, &tests->at[i]);
        if (i == 0)
            v.first = number;
        v.often += often(&tests->at[i]);
    }
    return v;
}

enum { SAME_TESTS = ~(MOD_ALL | MOD_NEQ | MOD_EXPAND) }; /* modifiers that tests depend on */
enum { PLAIN = 1 << 30 }; /* no modifier: a text as it stands, of a mapping's `where` */

/* The tests of a value, made when it is new for the view. */
static struct value_tests value_tests(struct builder *b, uint32_t view,
                                      const struct sigma_item *item,
                                      const struct sigma_value *value)
{
    buf_clear(&b->key);
    key_number(b, view);
    key_number(b, item ? item->modifiers & SAME_TESTS : (uint32_t)PLAIN);
    key_number(b, value->type);
    buf_add(&b->key, value->text);
    bool is_new;
    uint32_t *slot = map_put(&b->value_numbers, buf_slice(&b->key), &is_new);
    if (is_new) {
        struct test_list tests = {0};
        arena_reset(&b->scratch);
        if (item)
            tests_make(&b->plan->arena, &b->scratch, item, value, b->regexes, &tests);
        else
            tests_make_plain(&b->plan->arena, &b->scratch, value->text, &tests);
        *slot = (uint32_t)b->values.n;
        *VEC_PUSH(b->values) = add_tests(b, view, &tests);
    }
    return b->values.at[*slot];
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Gathers a value's tests for met(). */
static float gather(struct builder *b, uint32_t view, const struct sigma_item *item,
                    const struct sigma_value *value)
{
    struct value_tests v = value_tests(b, view, item, value);
    for (uint32_t i = 0; i < v.n; i++)
        *VEC_PUSH(b->tests) = v.first + i;
    return v.often;
}

/* The predicate "one of the gathered tests passes"; forgets them. */
static struct expression *met(struct builder *b, uint32_t view, float sum)
{
    if (!b->tests.n)
        return expression(b, IS_FALSE);
    qsort(b->tests.at, b->tests.n, sizeof *b->tests.at, by_value);
    buf_clear(&b->key);
    key_number(b, view);
    for (size_t i = 0; i < b->tests.n; i++)
        key_number(b, b->tests.at[i]);
    bool is_new;
    uint32_t *slot = map_put(&b->predicate_numbers, buf_slice(&b->key), &is_new);
    if (is_new) {
        *slot = (uint32_t)b->often.n;
        *VEC_PUSH(b->often) = sum;
        *VEC_PUSH(b->view_of) = view;
        b->views.at[view].asked = true;
        for (size_t i = 0; i < b->tests.n; i++)
            if (i == 0 || b->tests.at[i] != b->tests.at[i - 1])
                matcher_predicate(b->views.at[view].matcher, b->tests.at[i], *slot);
    }
    b->tests.n = 0;
    struct expression *e = expression(b, IS_MET);
    e->predicate = *slot;
    e->need = b->often.at[*slot];
    return e;
}

/* ---- items ---- */

static struct expression *present(struct builder *b, uint32_t view)
{
    struct expression *e = expression(b, IS_PRESENT);
    e->a = view;
    return e;
}

/* Null: the field is not there, or it has no text. */
static struct expression *null(struct builder *b, uint32_t view)
{
    static const struct sigma_value empty = {.type = SIGMA_STRING};
    struct expression *parts[2] = {negate(b, present(b, view)), NULL};
    float sum = gather(b, view, NULL, &empty);
    parts[1] = met(b, view, sum);
    return join(b, IS_OR, 1, parts, 2);
}

static struct expression *one_value(struct builder *b, uint32_t view, const struct sigma_item *item,
                                    const struct sigma_value *value)
{
    if (item->modifiers & MOD_EXISTS) {
        if (!item->field.n)
            return expression(b, IS_FALSE);
        struct expression *e = present(b, view);
        return slice_equal_nocase(value->text, SLICE("true")) ? e : negate(b, e);
    }
    if (value->type == SIGMA_NULL)
        return item->field.n ? null(b, view) : expression(b, IS_FALSE);
    if (item->modifiers & MOD_FIELDREF) {
        struct expression *e = expression(b, item->field.n ? IS_SAME : IS_FALSE);
        e->a = view;
        e->b = view_of_field(b, value->text);
        e->modifiers = item->modifiers;
        return e;
    }
    float sum = gather(b, view, item, value);
    return met(b, view, sum);
}

/* Values that are texts to look for, as one predicate; NULL when there is none. */
static struct expression *texts(struct builder *b, uint32_t view, const struct sigma_item *item)
{
    float sum = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < item->values_n; i++)
        if (item->values[i].type != SIGMA_NULL) {
            sum += gather(b, view, item, &item->values[i]);
            n++;
        }
    return n ? met(b, view, sum) : NULL;
}

static struct expression *lower_item(struct builder *b, const struct sigma_item *item)
{
    uint32_t view = view_of_field(b, item->field);
    bool all = item->modifiers & MOD_ALL;
    bool apart = all || (item->modifiers & (MOD_EXISTS | MOD_FIELDREF));
    struct expression **parts = xcalloc(item->values_n + 1, sizeof *parts);
    uint32_t n = 0;
    if (!apart && (parts[n] = texts(b, view, item)))
        n++;
    for (uint32_t i = 0; i < item->values_n; i++)
        if (apart || item->values[i].type == SIGMA_NULL)
            parts[n++] = one_value(b, view, item, &item->values[i]);
    struct expression *e = expression(b, IS_FALSE);
    if (n)
        e = join(b, all ? IS_AND : IS_OR, 1, parts, n);
    if (n && (item->modifiers & MOD_NEQ)) {
        parts[0] = negate(b, e);
        if (item->field.n)
            parts[1] = present(b, view);
        e = join(b, IS_AND, 1, parts, item->field.n ? 2 : 1);
    }
    free(parts);
    return e;
}

static struct expression *lower_detection(struct builder *b, const struct sigma_detection *d)
{
    if (d->type == DETECT_ITEM)
        return lower_item(b, &d->item);
    struct expression **parts = xcalloc(d->children_n, sizeof *parts), *e;
    for (uint32_t i = 0; i < d->children_n; i++)
        parts[i] = lower_detection(b, &d->children[i]);
    e = d->children_n ? join(b, d->type == DETECT_AND ? IS_AND : IS_OR, 1, parts, d->children_n)
                      : expression(b, IS_FALSE);
    free(parts);
    return e;
}

/* `searches`: each search of the rule, lowered. */
static struct expression *lower_condition(struct builder *b, const struct sigma_condition *c,
                                          struct expression **searches)
{
    struct expression *parts[2];
    switch (c->type) {
    case COND_SEARCH:
        return searches[c->search];
    case COND_NOT:
        return negate(b, lower_condition(b, c->left, searches));
    case COND_AND:
    case COND_OR:
        parts[0] = lower_condition(b, c->left, searches);
        parts[1] = lower_condition(b, c->right, searches);
        return join(b, c->type == COND_AND ? IS_AND : IS_OR, 1, parts, 2);
    case COND_OF:
        break;
    }
    struct expression **list = xcalloc(c->searches_n, sizeof *list), *e;
    for (uint32_t i = 0; i < c->searches_n; i++)
        list[i] = searches[c->searches[i]];
    if (c->quantity > c->searches_n)
        e = expression(b, IS_FALSE);
    else if (c->quantity == 0 || c->quantity == c->searches_n)
        e = join(b, IS_AND, 1, list, c->searches_n);
    else
        e = join(b, c->quantity == 1 ? IS_OR : IS_OF, c->quantity, list, c->searches_n);
    free(list);
    return e;
}

/* The binding's own conditions: stored fields with one of some texts. */
static struct expression *lower_where(struct builder *b, const struct log_condition *where)
{
    uint32_t view = view_number(b, &where->field, 1, NULL);
    float sum = 0;
    for (uint32_t i = 0; i < where->values_n; i++) {
        struct sigma_value value = {.type = SIGMA_STRING, .text = where->values[i]};
        sum += gather(b, view, NULL, &value);
    }
    return met(b, view, sum);
}

static void lower_rule(struct builder *b)
{
    const struct sigma_rule *rule = b->rule;
    uint32_t where_n = b->binding->conditions_n;
    struct expression **searches = xcalloc(rule->searches_n, sizeof *searches);
    struct expression **conditions = xcalloc(rule->conditions_n, sizeof *conditions);
    struct expression **all = xcalloc(where_n + 1, sizeof *all);
    for (uint32_t i = 0; i < rule->searches_n; i++)
        searches[i] = lower_detection(b, &rule->searches[i].detection);
    for (uint32_t i = 0; i < rule->conditions_n; i++)
        conditions[i] = lower_condition(b, rule->conditions[i], searches);
    all[0] = join(b, IS_OR, 1, conditions, rule->conditions_n);
    for (uint32_t i = 0; i < where_n; i++)
        all[1 + i] = lower_where(b, &b->binding->conditions[i]);
    struct expression *e = join(b, IS_AND, 1, all, where_n + 1);
    if (e->need > 0) /* nothing needed at all: always false */
        *VEC_PUSH(b->entries) = (struct entry){rule, b->binding, e};
    free(searches);
    free(conditions);
    free(all);
}

/* ---- which predicates a rule can't match without ---- */

/* Calls with every predicate of the cheapest such set. */
static void each_needed(const struct expression *e, void (*tell)(void *, uint32_t), void *ctx)
{
    uint32_t parts = e->parts_n;
    if (e->type == IS_MET)
        tell(ctx, e->predicate);
    if (e->type == IS_AND)
        parts = 1;
    else if (e->type == IS_OF)
        parts = e->parts_n - e->quantity + 1;
    for (uint32_t i = 0; i < parts; i++)
        each_needed(e->parts[i], tell, ctx);
}

static void count_need(void *ctx, uint32_t predicate)
{
    ((uint32_t *)ctx)[predicate + 1]++;
}

struct filling {
    struct plan *plan;
    uint32_t *next;
    uint32_t entry;
};

static void note_need(void *ctx, uint32_t predicate)
{
    struct filling *f = ctx;
    f->plan->needing[f->next[predicate]++] = f->entry;
}

static void index_needs(struct plan *p)
{
    p->first_entry = arena_zero(&p->arena, p->predicates_n + 1, sizeof *p->first_entry);
    p->always = arena_zero(&p->arena, p->entries_n, sizeof *p->always);
    for (uint32_t i = 0; i < p->entries_n; i++) {
        if (isinf(p->entries[i].expression->need))
            p->always[p->always_n++] = i;
        else
            each_needed(p->entries[i].expression, count_need, p->first_entry);
    }
    for (uint32_t i = 0; i < p->predicates_n; i++)
        p->first_entry[i + 1] += p->first_entry[i];
    uint32_t total = p->first_entry[p->predicates_n];
    p->needing = arena_zero(&p->arena, total, sizeof *p->needing);
    struct filling f = {p, xcalloc(p->predicates_n + 1, sizeof *f.next), 0};
    memcpy(f.next, p->first_entry, (p->predicates_n + 1) * sizeof *f.next);
    for (f.entry = 0; f.entry < p->entries_n; f.entry++)
        if (!isinf(p->entries[f.entry].expression->need))
            each_needed(p->entries[f.entry].expression, note_need, &f);
    free(f.next);
}

static void *keep(struct arena *a, void *list, size_t bytes)
{
    void *kept = arena_alloc(a, bytes);
    if (bytes)
        memcpy(kept, list, bytes);
    free(list);
    return kept;
}

struct plan *plan_new(const struct plan_rule *list, size_t n, const struct regexes *regexes)
{
    struct plan *p = xcalloc(1, sizeof *p);
    struct builder b = {.plan = p, .regexes = regexes};
    for (size_t i = 0; i < n; i++) {
        b.rule = list[i].rule;
        b.binding = list[i].binding;
        lower_rule(&b);
    }
    p->views_n = (uint32_t)b.views.n;
    p->views = keep(&p->arena, b.views.at, b.views.n * sizeof *p->views);
    p->entries_n = (uint32_t)b.entries.n;
    p->entries = keep(&p->arena, b.entries.at, b.entries.n * sizeof *p->entries);
    p->predicates_n = (uint32_t)b.often.n;
    p->view_of = keep(&p->arena, b.view_of.at, b.view_of.n * sizeof *p->view_of);
    for (uint32_t i = 0; i < p->views_n; i++) {
        const struct view *view = &p->views[i];
        matcher_finish(view->matcher);
        p->all_names |= view->names_n == 0;
        for (uint32_t k = 0; k < view->names_n; k++)
            map_put(&p->names, view->names[k], NULL);
    }
    index_needs(p);
    free(b.values.at);
    free(b.often.at);
    free(b.tests.at);
    map_free(&b.view_numbers);
    map_free(&b.value_numbers);
    map_free(&b.predicate_numbers);
    buf_free(&b.key);
    arena_free(&b.scratch);
    return p;
}

void plan_free(struct plan *p)
{
    if (!p)
        return;
    for (uint32_t i = 0; i < p->views_n; i++)
        matcher_free(p->views[i].matcher);
    map_free(&p->names);
    arena_free(&p->arena);
    free(p);
}
