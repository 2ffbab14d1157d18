/*
 * summarize, distinct and count. An aggregate inside an expression (max(a) - min(a)) becomes a column of
 * the summary, and the expression an extend behind it.
 */
#include "hunt/parse_internal.h"

#include <inttypes.h>

struct summary {
    struct plan_aggregate *at;
    uint32_t n, cap;
    struct made *made; /* what more is known of each */
    uint32_t made_cap;
    /* of arg_max(..., *) over an open table: the column of the whole event, which stands for all names */
    const struct scope *input;
    uint32_t event, event_of;
};

struct made {
    struct slice *names; /* of its columns */
    uint32_t star;       /* those from here on came by `*` */
};

/* ---- names of aggregates ---- */

static bool takes_columns(enum function_id id)
{
    return id == FN_ARG_MIN || id == FN_ARG_MAX;
}

/* The aggregate of that name; *filtered: it is one of those that end in "if". */
static const struct hunt_function *aggregate_named(struct slice name, bool *filtered)
{
    const struct hunt_function *f = hunt_function_named(name, FUNCTION_AGGREGATE);
    *filtered = false;
    if (f || !slice_ends(name, SLICE("if")))
        return f;
    name.n -= 2;
    if (slice_ends(name, SLICE("_")))
        name.n--;
    f = hunt_function_named(name, FUNCTION_AGGREGATE);
    *filtered = f && !takes_columns(f->id);
    return *filtered ? f : NULL;
}

bool is_aggregate(struct slice name)
{
    bool filtered;
    return aggregate_named(name, &filtered) != NULL;
}

/* The name of what an aggregate makes, when the query gives none. */
static struct slice aggregate_name(struct parser *p, struct slice called,
                                   const struct hunt_function *f, struct plan_expr **args,
                                   uint32_t n)
{
    struct slice of = n ? expr_name(p, args[0]) : (struct slice){0};
    switch (f->id) {
    case FN_TAKE_ANY:
    case FN_ARG_MIN:
    case FN_ARG_MAX:
        return of.n ? of : called;
    case FN_MAKE_SET:
        return arena_printf(&p->plan->arena, "set_%.*s", SLICE_ARG(of));
    case FN_MAKE_LIST:
        return arena_printf(&p->plan->arena, "list_%.*s", SLICE_ARG(of));
    case FN_PERCENTILE:
        return arena_printf(&p->plan->arena, "percentile_%.*s_%g", SLICE_ARG(of),
                            n > 1 ? args[1]->literal.real : 0.0);
    default:
        return arena_printf(&p->plan->arena, "%.*s_%.*s", SLICE_ARG(called), SLICE_ARG(of));
    }
}

/* ---- aggregates ---- */

/* `*` as an argument: all columns; of an open table, the event. */
static bool push_all(struct parser *p, struct plan_expr ***args, uint32_t *n, uint32_t *cap)
{
    struct scope *s = p->scope;
    struct hunt_place place = peek(p)->place;
    p->at++;
    for (uint32_t i = 0; i < s->n + (s->open != NULL); i++) {
        struct plan_expr *e = expr_column(p, i < s->n ? s->names[i].column : s->event, place);
        if (!e)
            return false;
        *LIST_PUSH(p, *args, *n, *cap) = e;
    }
    return true;
}

static bool aggregate_arguments(struct parser *p, const struct hunt_function *f,
                                struct plan_expr ***args, uint32_t *n, uint32_t *star_at)
{
    uint32_t cap = 0;
    bool star = takes_columns(f->id) || f->id == FN_TAKE_ANY;
    *args = NULL;
    *n = 0;
    *star_at = UINT32_MAX;
    while (!take_mark(p, MARK(')'))) {
        if (*n && !want_mark(p, MARK(','), "a comma, or )"))
            return false;
        if (star && is_mark(peek(p), MARK('*'))) {
            *star_at = *n < *star_at ? *n : *star_at;
            if (!push_all(p, args, n, &cap))
                return false;
            continue;
        }
        struct plan_expr *e = parse_expr(p);
        if (!e)
            return false;
        *LIST_PUSH(p, *args, *n, cap) = e;
    }
    return true;
}

/* Takes the predicate out of the arguments. */
static bool take_filter(struct parser *p, struct slice name, struct hunt_place place,
                        struct plan_expr **args, uint32_t *n, struct plan_expr **filter)
{
    bool counts = slice_starts(name, SLICE("countif"));
    uint32_t at = counts ? 0 : 1;
    if (*n <= at)
        return fail_at(p, place, "%.*s(%scondition): the condition is missing", SLICE_ARG(name),
                       counts ? "" : "value, ");
    *filter = coerce(p, args[at], TYPE_BOOL);
    memmove(&args[at], &args[at + 1], (*n - at - 1) * sizeof *args);
    --*n;
    return *filter != NULL;
}

/* The columns that an aggregate makes. */
static bool aggregate_columns(struct parser *p, struct plan_aggregate *a, enum hunt_type type,
                              struct slice *names)
{
    uint32_t n = takes_columns(a->function) ? a->args_n : 1;
    a->columns = arena_zero(&p->plan->arena, n, sizeof *a->columns);
    for (uint32_t i = 0; i < n; i++) {
        if (takes_columns(a->function)) {
            type = a->args[i]->type;
            if (i)
                names[i] = expr_name(p, a->args[i]);
            if (!names[i].n)
                names[i] = arena_printf(&p->plan->arena, "Column%" PRIu32, i + 1);
        }
        a->columns[i] = column_add(p, names[i], type, a->place);
        if (a->columns[i] == NO_COLUMN)
            return false;
    }
    return true;
}

/* take_any(a, b): one for each. */
static struct plan_expr *add_aggregates(struct parser *p, struct summary *sum,
                                        struct plan_aggregate *a, struct slice called,
                                        uint32_t star)
{
    const struct hunt_function *f = hunt_function(a->function);
    bool each = f->id == FN_TAKE_ANY && a->args_n > 1;
    struct plan_expr *first = NULL;
    for (uint32_t i = 0; i < (each ? a->args_n : 1); i++) {
        struct plan_aggregate one = *a;
        enum hunt_type type;
        if (each) {
            one.args = &a->args[i];
            one.args_n = 1;
        }
        if (!check_aggregate(p, f, a->place, one.args, one.args_n, &type))
            return NULL;
        struct slice *names = arena_zero(&p->plan->arena, one.args_n + 1, sizeof *names);
        names[0] = aggregate_name(p, called, f, one.args, one.args_n);
        if (!aggregate_columns(p, &one, type, names))
            return NULL;
        uint32_t n = sum->n;
        struct made made = {names, each && i >= star ? 0 : star};
        *LIST_PUSH(p, sum->made, n, sum->made_cap) = made;
        *LIST_PUSH(p, sum->at, sum->n, sum->cap) = one;
        if (!first && !(first = expr_column(p, one.columns[0], a->place)))
            return NULL;
    }
    return first;
}

struct plan_expr *parse_aggregate(struct parser *p, struct slice name, struct hunt_place place)
{
    bool filtered;
    const struct hunt_function *f = aggregate_named(name, &filtered);
    struct plan_aggregate a = {.function = f->id};
    struct summary *sum = p->summary;
    p->at++;
    uint32_t star;
    p->summary = NULL;
    bool good = aggregate_arguments(p, f, &a.args, &a.args_n, &star);
    p->summary = sum;
    if (!good)
        return NULL;
    a.place = place_to(place, p->tokens[p->at - 1].place);
    if (filtered && !take_filter(p, name, a.place, a.args, &a.args_n, &a.filter))
        return NULL;
    if (f->id == FN_DCOUNT && a.args_n == 2)
        a.args_n--; /* Kusto's accuracy: here it is exact */
    return add_aggregates(p, sum, &a, name, star);
}

/* ---- summarize ---- */

static bool is_made(const struct summary *sum, uint32_t column)
{
    for (uint32_t i = 0; i < sum->n; i++)
        for (uint32_t k = 0; k < (takes_columns(sum->at[i].function) ? sum->at[i].args_n : 1); k++)
            if (sum->at[i].columns[k] == column)
                return true;
    return false;
}

/* Outside of aggregates there are no rows any more. */
/* Recursion: the depth of expressions is bounded. */
static bool only_aggregates(struct parser *p, const struct summary *sum, const struct plan_expr *e)
{
    if (e->kind == EXPR_COLUMN && !is_made(sum, e->column))
        return fail_at(
            p, e->place,
            "%.*s has many values here: put it behind `by`, or into an aggregate such as "
            "take_any(%.*s) or make_set(%.*s)",
            SLICE_ARG(p->plan->columns[e->column].name),
            SLICE_ARG(p->plan->columns[e->column].name),
            SLICE_ARG(p->plan->columns[e->column].name));
    for (uint32_t i = 0; e->kind == EXPR_CALL && i < e->args_n; i++)
        if (!only_aggregates(p, sum, e->args[i]))
            return false;
    return true;
}

/* What the summary gives out besides its keys. */
struct result {
    struct named_expr item;
    bool star; /* came by `*`: left out when its name is there already */
};

struct results {
    struct result *at;
    uint32_t n, cap;
};

static void push_column(struct parser *p, struct results *r, struct slice name, uint32_t column,
                        bool star, struct hunt_place place)
{
    struct plan_expr *e = expr_column(p, column, place);
    if (e)
        *LIST_PUSH(p, r->at, r->n, r->cap) =
            (struct result){{.name = name, .place = place, .expr = e}, star};
}

/* The whole event among the arguments of the first arg_max(..., *). */
static bool is_event(const struct summary *sum, const struct plan_aggregate *a, uint32_t k)
{
    return takes_columns(a->function) && k > 0 && sum->input->open && sum->event == NO_COLUMN &&
           a->args[k]->kind == EXPR_COLUMN && a->args[k]->column == sum->input->event;
}

static bool parse_result(struct parser *p, struct summary *sum, struct results *r)
{
    uint32_t before = sum->n;
    struct named_expr item;
    if (!parse_named(p, &item) || !only_aggregates(p, sum, item.expr))
        return false;
    if (item.expr->kind != EXPR_COLUMN) {
        *LIST_PUSH(p, r->at, r->n, r->cap) = (struct result){item, false};
        return true;
    }
    for (uint32_t i = before; i < sum->n; i++) {
        const struct plan_aggregate *a = &sum->at[i];
        uint32_t n = takes_columns(a->function) ? a->args_n : 1;
        for (uint32_t k = 0; k < n; k++) {
            if (is_event(sum, a, k)) {
                sum->event = a->columns[k];
                sum->event_of = i;
                continue;
            }
            push_column(p, r,
                        item.given && i == before && k == 0 ? item.name : sum->made[i].names[k],
                        a->columns[k], k >= sum->made[i].star, a->place);
        }
    }
    return p->err->status == OK;
}

static bool parse_keys(struct parser *p, struct scope *out, struct column_def **keys, uint32_t *n)
{
    uint32_t cap = 0;
    *keys = NULL;
    *n = 0;
    do {
        struct named_expr key;
        if (!parse_named(p, &key))
            return false;
        if (!key.name.n)
            key.name = arena_printf(&p->plan->arena, "Column%" PRIu32, *n + 1);
        key.name = scope_free_name(p, out, key.name);
        uint32_t column = column_add(p, key.name, key.expr->type, key.place);
        if (column == NO_COLUMN)
            return false;
        *LIST_PUSH(p, *keys, *n, cap) = (struct column_def){column, key.expr};
        scope_set(p, out, key.name, column);
    } while (take_mark(p, MARK(',')));
    return true;
}

/* Names for the results; those that are calculated from aggregates get an extend. */
static bool name_results(struct parser *p, struct scope *out, struct results *r)
{
    struct column_def *defs = arena_zero(&p->plan->arena, r->n + 1, sizeof *defs);
    uint32_t defs_n = 0;
    for (uint32_t i = 0; i < r->n; i++) {
        struct named_expr *item = &r->at[i].item;
        struct slice name =
            item->name.n ? item->name : arena_printf(&p->plan->arena, "Column%" PRIu32, i + 1);
        if (r->at[i].star && scope_given(out, name) != NO_COLUMN)
            continue;
        name = scope_free_name(p, out, name);
        uint32_t column = item->expr->column;
        if (item->expr->kind != EXPR_COLUMN) {
            column = column_add(p, name, item->expr->type, item->place);
            if (column == NO_COLUMN)
                return false;
            defs[defs_n++] = (struct column_def){column, item->expr};
        }
        p->plan->columns[column].name = name;
        scope_set(p, out, name, column);
    }
    if (!defs_n)
        return true;
    struct plan_operator *op = operator_new(p, OP_EXTEND, out->op, out->op->place);
    if (!op)
        return false;
    op->extend.at = defs;
    op->extend.n = defs_n;
    out->op = op;
    return true;
}

/* Behind arg_max(..., *) any name of the event is still known. */
static void open_summary(struct parser *p, struct scope *out, struct plan_operator *op,
                         const struct summary *sum)
{
    p->plan->columns[sum->event].name = SLICE("*");
    out->event = sum->event;
    out->open = arena_zero(&p->plan->arena, 1, sizeof *out->open);
    out->open->op = op;
    out->open->seen = scope_closed(op);
    out->open->aggregate = sum->event_of;
    out->open->inputs = arena_zero(&p->plan->arena, 1, sizeof *out->open->inputs);
    *out->open->inputs = *sum->input;
}

bool parse_summarize(struct parser *p, struct scope *s)
{
    struct summary sum = {.input = s, .event = NO_COLUMN};
    struct results results = {0};
    struct plan_operator *op = operator_new(p, OP_SUMMARIZE, s->op, p->tokens[p->at - 1].place);
    struct scope out = scope_closed(op);
    if (!op)
        return false;
    p->summary = &sum;
    bool good = true;
    if (!is_name(peek(p), "by"))
        do
            good = parse_result(p, &sum, &results);
        while (good && take_mark(p, MARK(',')));
    p->summary = NULL;
    if (!good)
        return false;
    if (take_name(p, "by") && !parse_keys(p, &out, &op->summarize.keys, &op->summarize.keys_n))
        return false;
    op->summarize.aggregates = sum.at;
    op->summarize.aggregates_n = sum.n;
    if (!name_results(p, &out, &results))
        return false;
    if (sum.event != NO_COLUMN)
        open_summary(p, &out, op, &sum);
    *s = out;
    return true;
}

bool parse_distinct(struct parser *p, struct scope *s)
{
    struct plan_operator *op = operator_new(p, OP_SUMMARIZE, s->op, p->tokens[p->at - 1].place);
    struct scope out = scope_closed(op);
    if (!op)
        return false;
    if (!is_mark(peek(p), MARK('*'))) {
        if (!parse_keys(p, &out, &op->summarize.keys, &op->summarize.keys_n))
            return false;
        *s = out;
        return true;
    }
    if (s->open)
        return FAIL(p, "events differ in which fields they have: name the columns, as in "
                       "distinct host.name, Image");
    p->at++;
    op->summarize.keys = arena_zero(&p->plan->arena, s->n + 1, sizeof *op->summarize.keys);
    for (uint32_t i = 0; i < s->n; i++) {
        struct plan_expr *e = expr_column(p, s->names[i].column, op->place);
        uint32_t column = e ? column_add(p, s->names[i].name, e->type, op->place) : NO_COLUMN;
        if (column == NO_COLUMN)
            return false;
        op->summarize.keys[op->summarize.keys_n++] = (struct column_def){column, e};
        scope_set(p, &out, s->names[i].name, column);
    }
    *s = out;
    return true;
}

bool parse_count_rows(struct parser *p, struct scope *s)
{
    struct plan_operator *op = operator_new(p, OP_SUMMARIZE, s->op, p->tokens[p->at - 1].place);
    if (!op)
        return false;
    struct plan_aggregate *a = arena_zero(&p->plan->arena, 1, sizeof *a);
    a->function = FN_COUNT;
    a->place = op->place;
    a->columns = arena_zero(&p->plan->arena, 1, sizeof *a->columns);
    a->columns[0] = column_add(p, SLICE("Count"), TYPE_LONG, op->place);
    if (a->columns[0] == NO_COLUMN)
        return false;
    op->summarize.aggregates = a;
    op->summarize.aggregates_n = 1;
    *s = scope_closed(op);
    scope_set(p, s, SLICE("Count"), a->columns[0]);
    return true;
}
