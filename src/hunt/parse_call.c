/*
 * Calls, and the lists behind `in` and its kin. Calls that are short for others are made so here; see
 * functions.h.
 */
#include "hunt/parse_internal.h"

/* Recursion: parse_expr bounds it. */
bool parse_arguments(struct parser *p, struct plan_expr ***args, uint32_t *n)
{
    uint32_t cap = 0;
    *args = NULL;
    *n = 0;
    while (!take_mark(p, MARK(')'))) {
        if (*n && !want_mark(p, MARK(','), "a comma, or )"))
            return false;
        struct plan_expr *e = parse_expr(p);
        if (!e)
            return false;
        *LIST_PUSH(p, *args, *n, cap) = e;
    }
    return true;
}

/* ---- calls that are short for others ---- */

/* A call by its name, its place, and its arguments. */
struct call {
    struct slice name;
    struct hunt_place place;
    struct plan_expr **args;
    uint32_t n;
};

static struct plan_expr *fail_count(struct parser *p, const struct call *c, const char *form)
{
    fail_at(p, c->place, "%.*s does not take %u argument%s: %s", SLICE_ARG(c->name), (unsigned)c->n,
            c->n == 1 ? "" : "s", form);
    return NULL;
}

/* now([offset]), ago(span) */
static struct plan_expr *call_now(struct parser *p, struct call *c)
{
    bool ago = slice_equal(c->name, SLICE("ago"));
    struct hunt_value v = {.type = TYPE_DATETIME, .number = p->plan->now};
    struct plan_expr *args[] = {expr_literal(p, v, c->place), NULL};
    if (c->n > 1 || (ago && !c->n))
        return fail_count(p, c, "now(), now(-1h), ago(7d)");
    if (!args[0] || !c->n)
        return args[0];
    args[1] = coerce(p, c->args[0], TYPE_TIMESPAN);
    return args[1] ? check_call(p, hunt_function(ago ? FN_SUBTRACT : FN_ADD), c->place, args, 2)
                   : NULL;
}

/* case(p, x, q, y, ..., z): from the end on. */
static struct plan_expr *call_case(struct parser *p, struct call *c)
{
    if (c->n < 3 || c->n % 2 == 0)
        return fail_count(p, c, "case(condition, value, condition, value, ..., value else)");
    struct plan_expr *e = c->args[c->n - 1];
    for (uint32_t i = c->n - 1; e && i >= 2; i -= 2) {
        struct plan_expr *args[] = {c->args[i - 2], c->args[i - 1], e};
        e = check_call(p, hunt_function(FN_IFF), c->place, args, 3);
    }
    return e;
}

static struct plan_expr *call_not(struct parser *p, struct call *c)
{
    if (c->n != 1)
        return fail_count(p, c, "not(condition)");
    return check_call(p, hunt_function(FN_NOT), c->place, c->args, 1);
}

static struct plan_expr *call_isnot(struct parser *p, struct call *c)
{
    bool empty =
        slice_equal(c->name, SLICE("isnotempty")) || slice_equal(c->name, SLICE("notempty"));
    struct plan_expr *e =
        check_call(p, hunt_function(empty ? FN_ISEMPTY : FN_ISNULL), c->place, c->args, c->n);
    return expr_call1(p, FN_NOT, TYPE_BOOL, c->place, e);
}

/* floor(x, step) is bin */
static struct plan_expr *call_floor(struct parser *p, struct call *c)
{
    return check_call(p, hunt_function(c->n == 2 ? FN_BIN : FN_FLOOR), c->place, c->args, c->n);
}

/* The length of a unit; 0: there is none of that name, or it has no length. */
static int64_t unit_length(struct parser *p, const struct plan_expr *unit)
{
    int64_t length;
    struct slice one;
    if (unit->kind != EXPR_LITERAL || unit->type != TYPE_STRING)
        return 0;
    if (slice_equal(unit->literal.text, SLICE("week")))
        return INT64_C(7) * 86400 * NS_PER_SECOND;
    one = arena_printf(&p->plan->arena, "1%.*s", SLICE_ARG(unit->literal.text));
    return text_timespan(one, &length) ? length : 0;
}

static struct plan_expr *span_literal(struct parser *p, int64_t length, struct hunt_place place)
{
    return expr_literal(p, (struct hunt_value){.type = TYPE_TIMESPAN, .number = length}, place);
}

/* datetime_diff(unit, a, b): how many beginnings of a unit lie between. */
static struct plan_expr *call_datetime_diff(struct parser *p, struct call *c)
{
    int64_t length = c->n == 3 ? unit_length(p, c->args[0]) : 0;
    struct plan_expr *parts[2];
    if (!length)
        return fail_count(p, c,
                          "datetime_diff(\"hour\", later, earlier), with day, hour, minute, "
                          "second, millisecond or week");
    for (int i = 0; i < 2; i++) {
        struct plan_expr *args[] = {coerce(p, c->args[i + 1], TYPE_DATETIME),
                                    span_literal(p, length, c->place)};
        if (!args[0] || !args[1] ||
            !(parts[i] = check_call(p, hunt_function(FN_BIN), c->place, args, 2)))
            return NULL;
    }
    struct plan_expr *span[] = {check_call(p, hunt_function(FN_SUBTRACT), c->place, parts, 2),
                                span_literal(p, length, c->place)};
    struct plan_expr *e =
        span[0] && span[1] ? check_call(p, hunt_function(FN_DIVIDE), c->place, span, 2) : NULL;
    return expr_call1(p, FN_TOLONG, TYPE_LONG, c->place, e);
}

/* datetime_add(unit, n, time) */
static struct plan_expr *call_datetime_add(struct parser *p, struct call *c)
{
    int64_t length = c->n == 3 ? unit_length(p, c->args[0]) : 0;
    if (!length)
        return fail_count(p, c,
                          "datetime_add(\"hour\", 3, time), with day, hour, minute, second, "
                          "millisecond or week");
    struct plan_expr *product[] = {span_literal(p, length, c->place), c->args[1]};
    struct plan_expr *sum[] = {
        c->args[2],
        product[0] ? check_call(p, hunt_function(FN_MULTIPLY), c->place, product, 2) : NULL};
    return sum[1] ? check_call(p, hunt_function(FN_ADD), c->place, sum, 2) : NULL;
}

/* All columns as one object: of an open table, the event. */
static struct plan_expr *call_pack_all(struct parser *p, struct call *c)
{
    struct scope *s = p->scope;
    if (c->n)
        return fail_count(p, c, "pack_all()");
    if (!s) {
        fail_at(p, c->place, "there are no columns here");
        return NULL;
    }
    if (s->open)
        return expr_column(p, s->event, c->place);
    struct plan_expr **args = arena_zero(&p->plan->arena, s->n * 2 + 2, sizeof *args);
    for (uint32_t i = 0; i < s->n; i++) {
        struct hunt_value v = {.type = TYPE_STRING, .text = s->names[i].name};
        args[i * 2] = expr_literal(p, v, c->place);
        args[i * 2 + 1] = expr_column(p, s->names[i].column, c->place);
        if (!args[i * 2] || !args[i * 2 + 1])
            return NULL;
    }
    return expr_call(p, FN_BAG_PACK, TYPE_DYNAMIC, c->place, args, s->n * 2);
}

static const struct {
    const char *name;
    struct plan_expr *(*call)(struct parser *p, struct call *c);
} shorts[] = {
    {"now", call_now},
    {"ago", call_now},
    {"case", call_case},
    {"not", call_not},
    {"isnotempty", call_isnot},
    {"notempty", call_isnot},
    {"isnotnull", call_isnot},
    {"notnull", call_isnot},
    {"floor", call_floor},
    {"datetime_diff", call_datetime_diff},
    {"datetime_add", call_datetime_add},
    {"pack_all", call_pack_all},
};
enum { SHORTS = sizeof shorts / sizeof *shorts };

/* ---- calls ---- */

static struct plan_expr *fail_function(struct parser *p, struct slice name, struct hunt_place place)
{
    struct near near = {0};
    char text[NEAR_TEXT];
    if (is_aggregate(name)) {
        fail_at(p, place, "%.*s works on many rows: it stands in summarize, not inside another one",
                SLICE_ARG(name));
        return NULL;
    }
    for (unsigned i = 0; i < FUNCTIONS; i++)
        if (hunt_function(i)->kind == (p->summary ? FUNCTION_AGGREGATE : FUNCTION_SCALAR))
            near_try(&near, name, slice_str(hunt_function(i)->name));
    for (size_t i = 0; i < SHORTS; i++)
        near_try(&near, name, slice_str(shorts[i].name));
    fail_at(p, place, "there is no function %.*s%s", SLICE_ARG(name),
            near.name.n ? near_text(&near, text) : "; hikeshi hunt --functions lists all");
    return NULL;
}

/* toscalar(table) */
static struct plan_expr *parse_toscalar(struct parser *p, struct hunt_place place)
{
    struct scope of;
    p->at++;
    if (!begins_table(p)) {
        FAIL(p, "a table is wanted here: toscalar(events | summarize count())");
        return NULL;
    }
    if (!parse_pipe(p, &of) || !want_mark(p, MARK(')'), ")"))
        return NULL;
    return table_expr(p, &of, place);
}

struct plan_expr *parse_call(struct parser *p)
{
    struct call c = {.name = peek(p)->text, .place = peek(p)->place};
    enum hunt_type type;
    p->at++;
    if (slice_equal(c.name, SLICE("dynamic")))
        return parse_dynamic(p, c.place);
    if (slice_equal(c.name, SLICE("toscalar")))
        return parse_toscalar(p, c.place);
    if (type_named(c.name, &type))
        return parse_typed(p, type, c.place);
    if (p->summary && is_aggregate(c.name))
        return parse_aggregate(p, c.name, c.place);
    const struct hunt_function *f = hunt_function_named(c.name, FUNCTION_SCALAR);
    for (size_t i = 0; i < SHORTS; i++)
        if (slice_equal(c.name, slice_str(shorts[i].name))) {
            p->at++;
            return parse_arguments(p, &c.args, &c.n) ? shorts[i].call(p, &c) : NULL;
        }
    if (!f)
        return fail_function(p, c.name, c.place);
    p->at++;
    if (!parse_arguments(p, &c.args, &c.n))
        return NULL;
    c.place = place_to(c.place, p->tokens[p->at - 1].place);
    return check_call(p, f, c.place, c.args, c.n);
}

/* ---- lists ---- */

/* The bytes by which two literals of one type are the same. */
static struct slice literal_bytes(const struct hunt_value *v)
{
    switch (v->type) {
    case TYPE_STRING:
    case TYPE_DYNAMIC:
        return v->text;
    case TYPE_BOOL:
        return slice_of(&v->truth, sizeof v->truth);
    case TYPE_REAL:
        return slice_of(&v->real, sizeof v->real);
    default:
        return slice_of(&v->number, sizeof v->number);
    }
}

/* Literals of one type as a list, each once; null equals nothing and is left out. */
static struct plan_expr *make_list(struct parser *p, struct plan_expr **all, uint32_t n,
                                   enum hunt_type type, struct hunt_place place)
{
    struct plan_expr *e = expr_new(p, EXPR_LIST, type, place);
    struct map known = {0};
    if (!e)
        return NULL;
    e->constant = true;
    e->list = arena_zero(&p->plan->arena, n + 1, sizeof *e->list);
    for (uint32_t i = 0; i < n; i++) {
        bool is_new;
        if (all[i]->literal.null)
            continue;
        map_put(&known, literal_bytes(&all[i]->literal), &is_new);
        if (is_new)
            e->list[e->list_n++] = all[i]->literal;
    }
    map_free(&known);
    return e;
}

/* What is no constant is compared one by one. */
static struct plan_expr *list_of_values(struct parser *p, const struct hunt_function *f,
                                        struct plan_expr *left, struct plan_expr **all, uint32_t n,
                                        struct hunt_place place)
{
    enum function_id id = f->id == FN_IN          ? FN_EQUAL
                          : f->id == FN_IN_NOCASE ? FN_EQUAL_NOCASE
                                                  : FN_HAS;
    if (left->kind == EXPR_ANY) {
        fail_at(p, place, "any column can be compared only with constants");
        return NULL;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct plan_expr *args[] = {left, all[i]};
        all[i] = check_call(p, hunt_function(id), place, args, 2);
        if (!all[i])
            return NULL;
    }
    if (n == 1)
        return all[0];
    return expr_call(p, f->id == FN_HAS_ALL ? FN_AND : FN_OR, TYPE_BOOL, place, all, n);
}

/* A table of one column in place of a list. */
static struct plan_expr *list_of_table(struct parser *p, const struct hunt_function *f,
                                       struct plan_expr **left, struct hunt_place place)
{
    struct scope of;
    if (!parse_pipe(p, &of) || !want_mark(p, MARK(')'), ")"))
        return NULL;
    struct plan_expr *e = table_expr(p, &of, place);
    if (!e)
        return NULL;
    enum hunt_type type = e->type == TYPE_FIELD ? TYPE_STRING : e->type;
    if (type != TYPE_STRING && f->id != FN_IN) {
        fail_at(p, place, "%s wants texts: end the table with | project tostring(...)", f->name);
        return NULL;
    }
    *left = coerce(p, *left, type);
    return *left ? e : NULL;
}

static bool elements(struct parser *p, struct plan_expr ***all, uint32_t *n)
{
    if (!parse_arguments(p, all, n))
        return false;
    if (*n == 1 && (*all)[0]->kind == EXPR_LITERAL && (*all)[0]->type == TYPE_DYNAMIC) {
        const struct plan_expr *e = (*all)[0];
        if (!dynamic_elements(p, e->literal.text, e->place, all, n))
            return fail_at(p, e->place, "an array is wanted here: dynamic([\"a\", \"b\"])");
    }
    return true;
}

struct plan_expr *parse_list(struct parser *p, const struct hunt_function *f,
                             struct plan_expr **left)
{
    struct hunt_place place = peek(p)->place;
    struct plan_expr **all;
    uint32_t n;
    enum hunt_type type = TYPE_STRING;
    bool constant = true;
    if (!want_mark(p, MARK('('), "( and a list"))
        return NULL;
    if (begins_table(p))
        return list_of_table(p, f, left, place);
    if (!elements(p, &all, &n))
        return NULL;
    for (uint32_t i = 0; i < n; i++)
        constant = constant && all[i]->kind == EXPR_LITERAL;
    if (!constant)
        return list_of_values(p, f, *left, all, n, place);
    if (f->id != FN_IN || (*left)->kind == EXPR_ANY) { /* of texts */
        for (uint32_t i = 0; i < n; i++)
            if (!(all[i] = coerce(p, all[i], TYPE_STRING)))
                return NULL;
        if ((*left)->kind != EXPR_ANY && !(*left = coerce(p, *left, TYPE_STRING)))
            return NULL;
    } else if (!n) {
        type = (*left)->type;
    } else {
        struct plan_expr **same = arena_zero(&p->plan->arena, n + 1, sizeof *same);
        memcpy(same, all, n * sizeof *same);
        same[n] = *left;
        if (!unify(p, same, n + 1, false, place, &type))
            return NULL;
        *left = same[n];
        all = same;
    }
    return make_list(p, all, n, type == TYPE_FIELD ? TYPE_STRING : type, place);
}
