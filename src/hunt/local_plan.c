/* What the conditions of a scan tell about which blocks to leave out. */
#include "hunt/local_internal.h"

#include "base/text.h"
#include "base/vec.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- needs: what must be in a block's filter ---- */

/* Whether an expression's text is that of values in the block, so that filters know of it. */
static bool in_filters(const struct scan *s, const struct plan_expr *e)
{
    if (e->kind == EXPR_ANY)
        return true;
    if (e->kind == EXPR_CALL && e->function == FN_TOLOWER) /* is folding */
        return in_filters(s, e->args[0]);
    if (e->kind != EXPR_COLUMN)
        return false;
    const struct plan_column *c = &s->order->plan->columns[e->column];
    return c->event == EVENT_HOST ||
           (c->event == EVENT_FIELD && !name_is_translated(s->local->mappings, c->name));
}

/* How its text is found in the filters: equal to a part of a value is between such characters. */
static enum filter_search search_in(const struct scan *s, const struct plan_expr *e,
                                    enum filter_search how)
{
    while (e->kind == EXPR_CALL)
        e = e->args[0];
    if (how != FILTER_EQUALS || e->kind != EXPR_COLUMN)
        return how;
    struct slice name = s->order->plan->columns[e->column].name;
    return name_has_parts(s->local->mappings, name) ? FILTER_WORDS : how;
}

static struct need *need_text(struct scan *s, struct slice text, enum filter_search how)
{
    struct need *need = arena_zero(&s->arena, 1, sizeof *need);
    need->of = NEED_TEXT;
    if (text.n) /* the empty text is also that of events without the field */
        need->keys_n =
            (uint32_t)filter_needs(text_fold(&s->arena, text), how, need->keys, NEED_KEYS);
    return need->keys_n ? need : NULL;
}

/* Some or all of several needs; what can't be told (NULL) makes "some" untellable. */
static struct need *need_join(struct scan *s, bool all, struct need **parts, uint32_t n)
{
    struct need *need = arena_zero(&s->arena, 1, sizeof *need);
    need->of = all ? NEED_ALL : NEED_ANY;
    need->parts = arena_zero(&s->arena, n, sizeof(struct need *));
    for (uint32_t i = 0; i < n; i++) {
        if (parts[i])
            need->parts[need->parts_n++] = parts[i];
        else if (!all)
            return NULL;
    }
    return need->parts_n ? need : NULL;
}

static struct need *need_list(struct scan *s, const struct plan_expr *e)
{
    enum filter_search how =
        e->function == FN_IN || e->function == FN_IN_NOCASE ? FILTER_EQUALS : FILTER_WORDS;
    const struct plan_expr *list = e->args[1];
    struct need **parts = arena_zero(&s->arena, list->list_n, sizeof(struct need *));
    for (uint32_t i = 0; i < list->list_n; i++)
        if (list->list[i].type == TYPE_STRING)
            parts[i] = need_text(s, list->list[i].text, search_in(s, e->args[0], how));
    return need_join(s, e->function == FN_HAS_ALL, parts, list->list_n);
}

static bool search_of(enum function_id f, enum filter_search *how)
{
    switch (f) {
    case FN_EQUAL:
    case FN_EQUAL_NOCASE:
        *how = FILTER_EQUALS;
        return true;
    case FN_HAS:
    case FN_HAS_CS:
        *how = FILTER_WORDS;
        return true;
    case FN_CONTAINS:
    case FN_CONTAINS_CS:
        *how = FILTER_CONTAINS;
        return true;
    case FN_STARTS:
    case FN_STARTS_CS:
        *how = FILTER_STARTS;
        return true;
    case FN_ENDS:
    case FN_ENDS_CS:
        *how = FILTER_ENDS;
        return true;
    default:
        return false;
    }
}

static struct need *need_of(struct scan *s, const struct plan_expr *e)
{
    enum filter_search how;
    if (e->kind != EXPR_CALL || e->args_n < 2)
        return NULL;
    const struct plan_expr *left = e->args[0], *right = e->args[1];
    if (e->function == FN_AND || e->function == FN_OR) {
        struct need **parts = arena_zero(&s->arena, e->args_n, sizeof(struct need *));
        for (uint32_t i = 0; i < e->args_n; i++)
            parts[i] = need_of(s, e->args[i]);
        return need_join(s, e->function == FN_AND, parts, e->args_n);
    }
    if (right->kind == EXPR_LIST)
        return in_filters(s, left) ? need_list(s, e) : NULL;
    if (!search_of(e->function, &how))
        return NULL;
    if (how == FILTER_EQUALS && left->kind == EXPR_LITERAL) {
        left = e->args[1];
        right = e->args[0];
    }
    if (right->kind != EXPR_LITERAL || right->literal.type != TYPE_STRING || !in_filters(s, left))
        return NULL;
    return need_text(s, right->literal.text, search_in(s, left, how));
}

enum status need_ask(const struct need *need, const struct segment *segment, bool *may,
                     struct error *err)
{
    enum status status = OK;
    size_t n = segment->blocks_n;
    if (need->of == NEED_TEXT)
        return segment_filter(segment, need->keys, need->keys_n, may, err);
    if (need->of == NEED_ALL) {
        for (uint32_t i = 0; status == OK && i < need->parts_n; i++)
            status = need_ask(need->parts[i], segment, may, err);
        return status;
    }
    struct arena a = {0};
    bool *any = arena_zero(&a, n, sizeof *any), *one = arena_zero(&a, n, sizeof *one);
    for (uint32_t i = 0; status == OK && i < need->parts_n; i++) {
        for (size_t no = 0; no < n; no++)
            one[no] = may[no] && !any[no]; /* who has one need not be asked again */
        status = need_ask(need->parts[i], segment, one, err);
        for (size_t no = 0; no < n; no++)
            any[no] |= one[no];
    }
    if (status == OK)
        memcpy(may, any, n * sizeof *may);
    arena_free(&a);
    return status;
}

/* ---- numbers ---- */

static enum function_id mirrored(enum function_id f)
{
    return f == FN_LESS            ? FN_GREATER
           : f == FN_LESS_EQUAL    ? FN_GREATER_EQUAL
           : f == FN_GREATER       ? FN_LESS
           : f == FN_GREATER_EQUAL ? FN_LESS_EQUAL
                                   : f;
}

static bool is_comparison(enum function_id f)
{
    return f == FN_EQUAL || (f >= FN_LESS && f <= FN_GREATER_EQUAL);
}

/* A comparison with the literal on the right; false when it is none. */
static bool compared(const struct plan_expr *e, enum function_id *op, const struct plan_expr **left,
                     const struct hunt_value **right)
{
    if (e->kind != EXPR_CALL || !is_comparison(e->function))
        return false;
    const struct plan_expr *a = e->args[0], *b = e->args[1];
    *op = e->function;
    if (a->kind == EXPR_LITERAL) {
        *op = mirrored(e->function);
        a = e->args[1];
        b = e->args[0];
    }
    *left = a;
    *right = &b->literal;
    return b->kind == EXPR_LITERAL && !b->literal.null;
}

static void find_number_test(struct scan *s, struct condition *c, uint32_t *bits)
{
    const struct plan_expr *left;
    const struct hunt_value *literal;
    struct number_test *t = &c->test;
    if (!compared(c->expr, &t->op, &left, &literal) || left->kind != EXPR_CALL ||
        (left->function != FN_TOLONG && left->function != FN_TODOUBLE) ||
        left->args[0]->kind != EXPR_COLUMN ||
        s->order->plan->columns[left->args[0]->column].event != EVENT_FIELD ||
        !in_filters(s, left->args[0]) || search_in(s, left, FILTER_EQUALS) != FILTER_EQUALS)
        return;
    if (literal->type != TYPE_LONG && literal->type != TYPE_REAL)
        return;
    if (literal->type == TYPE_REAL && isnan(literal->real))
        return;
    t->is = true;
    t->number = literal->type == TYPE_LONG ? (double)literal->number : literal->real;
    if (t->op == FN_EQUAL && literal->type == TYPE_LONG && *bits < NUMBER_NEEDS) {
        char text[24];
        int n = snprintf(text, sizeof text, "%" PRId64, literal->number);
        t->keys_n =
            (uint32_t)filter_needs(slice_of(text, (size_t)n), FILTER_EQUALS, t->keys, NEED_KEYS);
        t->bit = (*bits)++;
    }
}

bool number_may(const struct number_test *t, double least, double most)
{
    switch (t->op) {
    case FN_LESS:
        return least <= t->number; /* doubles round: equal may be less */
    case FN_LESS_EQUAL:
        return least <= t->number;
    case FN_GREATER:
    case FN_GREATER_EQUAL:
        return most >= t->number;
    default:
        return least <= t->number && t->number <= most;
    }
}

/* ---- times ---- */

/* Whether a condition only bounds the time; then the scan's range takes it over. */
static bool take_time(struct scan *s, const struct plan_expr *e)
{
    enum function_id op;
    const struct plan_expr *left;
    const struct hunt_value *literal;
    if (!compared(e, &op, &left, &literal) || left->kind != EXPR_COLUMN ||
        literal->type != TYPE_DATETIME || s->order->plan->columns[left->column].event != EVENT_TIME)
        return false;
    timestamp from = INT64_MIN, to = INT64_MAX, t = literal->number;
    if (op == FN_EQUAL || op == FN_GREATER || op == FN_GREATER_EQUAL)
        from = t;
    if (op == FN_EQUAL || op == FN_LESS || op == FN_LESS_EQUAL)
        to = t;
    if (op == FN_GREATER) {
        s->nothing |= t == INT64_MAX;
        from = t == INT64_MAX ? t : t + 1;
    }
    if (op == FN_LESS) {
        s->nothing |= t == INT64_MIN;
        to = t == INT64_MIN ? t : t - 1;
    }
    s->ranged = true;
    s->from = from > s->from ? from : s->from;
    s->to = to < s->to ? to : s->to;
    s->nothing |= s->from > s->to;
    return true;
}

/* ---- conditions ---- */

/* Whether it looks for a text that no number has. */
static bool is_of_words(const struct plan_expr *e)
{
    enum filter_search how;
    if (e->kind != EXPR_CALL || e->args_n != 2 || !search_of(e->function, &how) ||
        (e->args[0]->kind != EXPR_COLUMN && e->args[0]->kind != EXPR_ANY) ||
        e->args[1]->kind != EXPR_LITERAL || e->args[1]->literal.type != TYPE_STRING)
        return false;
    struct slice text = e->args[1]->literal.text;
    for (size_t i = 0; i < text.n; i++)
        if ((text.p[i] < '0' || text.p[i] > '9') && text.p[i] != '-')
            return true;
    return false;
}

static bool is_of_kind(const struct scan *s, const struct condition *c)
{
    for (uint32_t i = 0; i < c->columns_n; i++) {
        enum event_column event = s->order->plan->columns[c->columns[i]].event;
        if (event != EVENT_PRODUCT && event != EVENT_CATEGORY && event != EVENT_SERVICE &&
            event != EVENT_CHANNEL && event != EVENT_PROVIDER && event != EVENT_CODE)
            return false;
    }
    return !c->any && c->columns_n;
}

struct condition_list {
    struct condition *at;
    size_t n, cap;
};

static enum status add_condition(struct scan *s, const struct plan_expr *e,
                                 struct condition_list *list, uint32_t *bits, struct error *err)
{
    if (e->kind == EXPR_CALL && e->function == FN_AND) {
        enum status status = OK;
        for (uint32_t i = 0; status == OK && i < e->args_n; i++)
            status = add_condition(s, e->args[i], list, bits, err);
        return status;
    }
    if (take_time(s, e))
        return OK;
    struct condition c = {.expr = e};
    c.x = expr_prepare(s->order->plan, e, &s->arena, err);
    if (!c.x)
        return err->status;
    c.columns = arena_zero(&s->arena, s->order->plan->columns_n, sizeof *c.columns);
    expr_columns(e, c.columns, &c.columns_n, &c.any);
    c.of_kind = is_of_kind(s, &c);
    c.need = need_of(s, e);
    c.of_words = is_of_words(e);
    find_number_test(s, &c, bits);
    *VEC_PUSH(*list) = c;
    return OK;
}

static void find_columns(struct scan *s)
{
    const struct plan *p = s->order->plan;
    s->columns = arena_zero(&s->arena, s->op->live_n, sizeof *s->columns);
    s->column_at = arena_zero(&s->arena, p->columns_n, sizeof *s->column_at);
    for (uint32_t i = 0; i < p->columns_n; i++)
        s->column_at[i] = NO_COLUMN;
    for (uint32_t i = 0; i < s->op->live_n; i++) {
        uint32_t number = s->op->live[i];
        const struct plan_column *c = &p->columns[number];
        s->column_at[number] = s->columns_n;
        s->whole_events |= c->event == EVENT_ALL;
        s->columns[s->columns_n++] = (struct scan_column){number, c->event, c->type, c->name};
    }
}

static void find_inputs(struct scan *s)
{
    const struct store *store = s->local->store;
    struct slice *inputs = arena_zero(&s->arena, store->next_input, sizeof *inputs);
    for (size_t i = 0; i < store->files_n; i++)
        for (size_t k = 0; k < store->files[i].inputs_n; k++) {
            const struct store_input *input = &store->files[i].inputs[k];
            if (input->number < store->next_input)
                inputs[input->number] = input->name;
        }
    s->inputs = inputs;
    s->inputs_n = store->next_input;
}

enum status scan_plan(struct scan *s, struct error *err)
{
    struct condition_list list = {0};
    uint32_t bits = 0;
    enum status status = OK;
    s->from = INT64_MIN;
    s->to = INT64_MAX;
    const struct plan_operator *op = s->order->top;
    for (; status == OK && op->kind == OP_WHERE; op = op->input)
        for (uint32_t i = 0; status == OK && i < op->where.n; i++)
            status = add_condition(s, op->where.all[i], &list, &bits, err);
    while (op->kind == OP_WHERE)
        op = op->input;
    s->op = op;
    find_columns(s);
    find_inputs(s);
    s->conditions = arena_zero(&s->arena, list.n, sizeof *s->conditions);
    if (list.n)
        memcpy(s->conditions, list.at, list.n * sizeof *list.at);
    s->conditions_n = (uint32_t)list.n;
    free(list.at);
    return status;
}
