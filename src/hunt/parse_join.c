#include "hunt/parse_internal.h"

/* ---- join ---- */

static bool parse_join_kind(struct parser *p, enum join_kind *kind)
{
    static const struct {
        const char *name;
        enum join_kind kind;
    } kinds[] = {{"inner", JOIN_INNER},        {"leftouter", JOIN_LEFT_OUTER},
                 {"leftsemi", JOIN_LEFT_SEMI}, {"leftanti", JOIN_LEFT_ANTI},
                 {"anti", JOIN_LEFT_ANTI},     {"leftantisemi", JOIN_LEFT_ANTI}};
    *kind = JOIN_INNER;
    if (!take_name(p, "kind"))
        return true;
    if (!want_mark(p, MARK('='), "="))
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (take_name(p, kinds[i].name)) {
            *kind = kinds[i].kind;
            return true;
        }
    return fail_expected(p, "inner, leftouter, leftsemi or leftanti");
}

/* A table in parentheses, or its name. */
static bool parse_table_operand(struct parser *p, struct scope *out)
{
    if (!take_mark(p, MARK('(')))
        return begins_table(p) ? parse_source(p, out) : fail_expected(p, "a table in parentheses");
    return parse_pipe(p, out) && want_mark(p, MARK(')'), ")");
}

/* A column of one side, as $left.x and $right.y tell it. */
static bool take_side(struct slice *name, struct slice side)
{
    if (!slice_starts(*name, side))
        return false;
    *name = slice_sub(*name, side.n, name->n);
    return true;
}

struct join_sides {
    struct scope *left, *right;
    struct slice shared[64]; /* keys of one name */
    uint32_t shared_n;
};

static struct plan_expr *side_column(struct parser *p, struct scope *s, struct slice name,
                                     struct hunt_place place)
{
    uint32_t column = scope_find(p, s, name, place);
    if (column == NO_COLUMN && p->err->status == OK)
        fail_no_column(p, s, name, place);
    return expr_column(p, column, place);
}

static bool parse_join_key(struct parser *p, struct join_sides *sides, struct join_key *key)
{
    struct slice left, right;
    struct hunt_place left_place, right_place;
    enum hunt_type type;
    if (!parse_name(p, "a column that both sides have, or $left.a == $right.b", &left, &left_place))
        return false;
    bool is_left = take_side(&left, SLICE("$left.")), is_right = take_side(&left, SLICE("$right."));
    right = left;
    right_place = left_place;
    if (is_left || is_right) {
        if (!want_mark(p, MARK2('=', '='), "==, as in $left.a == $right.b") ||
            !parse_name(p, "the other side's column", &right, &right_place))
            return false;
        if (!take_side(&right, is_left ? SLICE("$right.") : SLICE("$left.")))
            return fail_at(p, right_place, "a column of the other side is wanted here: %s",
                           is_left ? "$right.b" : "$left.b");
    } else if (sides->shared_n < sizeof sides->shared / sizeof *sides->shared) {
        sides->shared[sides->shared_n++] = left;
    }
    if (is_right) {
        struct slice name = left;
        struct hunt_place place = left_place;
        left = right;
        left_place = right_place;
        right = name;
        right_place = place;
    }
    struct plan_expr *both[] = {side_column(p, sides->left, left, left_place), NULL};
    both[1] = both[0] ? side_column(p, sides->right, right, right_place) : NULL;
    if (!both[1] || !unify(p, both, 2, false, place_to(left_place, right_place), &type))
        return false;
    *key = (struct join_key){both[0], both[1]};
    return true;
}

static bool parse_join_keys(struct parser *p, struct join_sides *sides, struct plan_operator *op)
{
    uint32_t cap = 0;
    if (!take_name(p, "on"))
        return fail_expected(p, "on and the columns that must be equal");
    do {
        struct join_key key;
        if (!parse_join_key(p, sides, &key))
            return false;
        *LIST_PUSH(p, op->join.keys, op->join.keys_n, cap) = key;
    } while (take_mark(p, MARK(',')) || take_name(p, "and"));
    return true;
}

static bool parse_span(struct parser *p, int64_t *out)
{
    struct scope *scope = p->scope;
    p->scope = NULL;
    struct plan_expr *e = parse_expr_of(p, TYPE_TIMESPAN);
    p->scope = scope;
    if (!e)
        return false;
    if (e->kind != EXPR_LITERAL || e->literal.null)
        return fail_at(p, e->place, "a timespan that is known before is wanted here: 5m, 1h");
    *out = e->literal.number;
    return true;
}

/* The time of a side, when the query does not say. */
static struct plan_expr *side_time(struct parser *p, struct scope *s, struct hunt_place place)
{
    static const char *const names[] = {"Timestamp", "TimeGenerated", "@timestamp"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint32_t column = scope_given(s, slice_str(names[i]));
        if (column == NO_COLUMN && s->open)
            column = scope_find(p, s, slice_str(names[i]), place);
        if (column != NO_COLUMN)
            return expr_column(p, column, place);
    }
    fail_at(p, place,
            "a side of the join has no column Timestamp: keep it, or name the two times: "
            "within 5m of FirstSeen, Timestamp");
    return NULL;
}

/* within SPAN, or within (FROM .. TO); then [of TIME, TIME] */
static bool parse_window(struct parser *p, struct join_sides *sides, struct plan_operator *op)
{
    struct hunt_place place = peek(p)->place, at;
    struct slice name;
    struct plan_expr **times[] = {&op->join.left_time, &op->join.right_time};
    if (!take_name(p, "within"))
        return true;
    op->join.windowed = true;
    if (take_mark(p, MARK('('))) {
        if (!parse_span(p, &op->join.from) || !want_mark(p, MARK2('.', '.'), "..") ||
            !parse_span(p, &op->join.to) || !want_mark(p, MARK(')'), ")"))
            return false;
    } else if (parse_span(p, &op->join.to)) {
        op->join.from = -op->join.to;
    } else {
        return false;
    }
    if (op->join.from > op->join.to)
        return fail_at(p, place, "nothing lies within: the first bound is above the second");
    bool named = take_name(p, "of");
    for (int i = 0; i < 2; i++) {
        struct scope *side = i ? sides->right : sides->left;
        if (i && named && !want_mark(p, MARK(','), "a comma and the right side's time"))
            return false;
        if (named && !parse_name(p, "a column that is a time", &name, &at))
            return false;
        struct plan_expr *e = named ? side_column(p, side, name, at) : side_time(p, side, place);
        *times[i] = e ? coerce(p, e, TYPE_DATETIME) : NULL;
        if (!*times[i])
            return false;
    }
    return true;
}

/* The right's columns behind the left's; one whose name is there already gets a number. */
static bool join_names(struct parser *p, struct join_sides *sides, struct plan_operator *op,
                       struct scope *out)
{
    struct scope *right = sides->right;
    op->join.right_columns = arena_zero(&p->plan->arena, right->n + 1, sizeof(uint32_t));
    for (uint32_t i = 0; i < right->n; i++) {
        struct slice name = right->names[i].name;
        uint32_t column = right->names[i].column;
        for (uint32_t k = 0; out->open && k < sides->shared_n; k++)
            if (slice_equal(sides->shared[k], name) && scope_given(out, name) == NO_COLUMN)
                name = arena_printf(&p->plan->arena, "%.*s1", SLICE_ARG(name));
        name = scope_free_name(p, out, name);
        if (!slice_equal(name, right->names[i].name)) {
            struct plan_expr *e = expr_column(p, column, op->place);
            column = e ? extend_one(p, right, name, e) : NO_COLUMN;
            if (column == NO_COLUMN)
                return false;
        }
        op->join.right_columns[op->join.right_n++] = column;
        scope_set(p, out, name, column);
    }
    op->join.right = right->op;
    return true;
}

bool parse_join(struct parser *p, struct scope *s)
{
    struct plan_operator *op = operator_new(p, OP_JOIN, s->op, p->tokens[p->at - 1].place);
    struct scope right = {0};
    struct join_sides sides = {.left = s, .right = &right};
    if (!op || !parse_join_kind(p, &op->join.kind))
        return false;
    struct hunt_place place = peek(p)->place;
    if (!parse_table_operand(p, &right))
        return false;
    if (right.open)
        return fail_at(p, place,
                       "the right side of a join must say which columns it has: end it with "
                       "| project ... or | summarize ...");
    op->join.right = right.op;
    if (!parse_join_keys(p, &sides, op) || !parse_window(p, &sides, op))
        return false;
    s->op = op;
    return op->join.kind == JOIN_LEFT_SEMI || op->join.kind == JOIN_LEFT_ANTI ||
           join_names(p, &sides, op, s);
}

/* ---- union ---- */

struct union_parts {
    struct scope *at;
    uint32_t n, cap;
};

/* One type for a column that several inputs have; those that have another convert it. */
static bool union_type(struct parser *p, struct union_parts *parts, uint32_t *columns,
                       struct slice name, struct hunt_place place, enum hunt_type *type)
{
    bool first = true;
    for (uint32_t i = 0; i < parts->n; i++) {
        if (columns[i] == NO_COLUMN)
            continue;
        enum hunt_type t = p->plan->columns[columns[i]].type;
        if (!first && !common_type(*type, t, false, type))
            return fail_at(p, place,
                           "%.*s is %s in one table and %s in another: convert one before",
                           SLICE_ARG(name), hunt_type_name(*type), hunt_type_name(t));
        *type = first ? t : *type;
        first = false;
    }
    for (uint32_t i = 0; i < parts->n; i++) {
        struct plan_expr *e = columns[i] == NO_COLUMN ? NULL : expr_column(p, columns[i], place);
        struct plan_expr *converted = e ? coerce(p, e, *type) : NULL;
        if (e && !converted)
            return false;
        if (converted != e)
            columns[i] = extend_one(p, &parts->at[i], name, converted);
        if (e && columns[i] == NO_COLUMN)
            return false;
    }
    return true;
}

/* A column of the union under a name that some input has. */
static bool union_add(struct parser *p, struct union_parts *parts, struct plan_operator *op,
                      struct slice name, struct scope *out)
{
    uint32_t *columns = arena_zero(&p->plan->arena, parts->n, sizeof *columns);
    enum hunt_type type = TYPE_STRING;
    for (uint32_t i = 0; i < parts->n; i++)
        columns[i] = scope_find(p, &parts->at[i], name, op->place);
    if (p->err->status != OK || !union_type(p, parts, columns, name, op->place, &type))
        return false;
    uint32_t column = column_add(p, name, type, op->place);
    if (column == NO_COLUMN)
        return false;
    op->united.columns[op->united.columns_n] = column;
    for (uint32_t i = 0; i < parts->n; i++)
        op->united.inputs[i].columns[op->united.columns_n] = columns[i];
    op->united.columns_n++;
    scope_set(p, out, name, column);
    return true;
}

/* Whole events, of those inputs that have them. */
static bool union_open(struct parser *p, struct union_parts *parts, struct plan_operator *op,
                       struct scope *out)
{
    uint32_t n = op->united.columns_n;
    bool open = false;
    for (uint32_t i = 0; i < parts->n; i++) {
        open = open || parts->at[i].open;
        op->united.inputs[i].columns[n] = parts->at[i].open ? parts->at[i].event : NO_COLUMN;
    }
    if (!open)
        return true;
    out->event = column_add(p, SLICE("*"), TYPE_DYNAMIC, op->place);
    if (out->event == NO_COLUMN)
        return false;
    op->united.columns[op->united.columns_n++] = out->event;
    out->open = arena_zero(&p->plan->arena, 1, sizeof *out->open);
    out->open->op = op;
    out->open->seen = scope_closed(op);
    out->open->inputs = parts->at;
    return true;
}

static bool make_union(struct parser *p, struct union_parts *parts, struct hunt_place place,
                       struct scope *out)
{
    struct plan_operator *op = operator_new(p, OP_UNION, NULL, place);
    uint32_t most = 1;
    if (!op)
        return false;
    *out = scope_closed(op);
    for (uint32_t i = 0; i < parts->n; i++)
        most += parts->at[i].n;
    op->united.inputs_n = parts->n;
    op->united.inputs = arena_zero(&p->plan->arena, parts->n, sizeof *op->united.inputs);
    op->united.columns = arena_zero(&p->plan->arena, most, sizeof(uint32_t));
    for (uint32_t i = 0; i < parts->n; i++)
        op->united.inputs[i].columns = arena_zero(&p->plan->arena, most, sizeof(uint32_t));
    for (uint32_t i = 0; i < parts->n; i++)
        for (uint32_t k = 0; k < parts->at[i].n; k++)
            if (scope_given(out, parts->at[i].names[k].name) == NO_COLUMN &&
                !union_add(p, parts, op, parts->at[i].names[k].name, out))
                return false;
    if (!union_open(p, parts, op, out))
        return false;
    for (uint32_t i = 0; i < parts->n; i++)
        op->united.inputs[i].from = parts->at[i].op;
    return true;
}

static bool parse_union_parts(struct parser *p, struct union_parts *parts)
{
    if (take_name(p, "kind") && (!want_mark(p, MARK('='), "=") || !take_name(p, "outer")))
        return p->err->status == OK ? fail_expected(p, "outer") : false;
    do {
        struct scope part;
        if (!parse_table_operand(p, &part))
            return false;
        *LIST_PUSH(p, parts->at, parts->n, parts->cap) = part;
    } while (take_mark(p, MARK(',')));
    return true;
}

bool parse_union(struct parser *p, struct scope *s)
{
    struct union_parts parts = {0};
    struct hunt_place place = p->tokens[p->at - 1].place;
    *LIST_PUSH(p, parts.at, parts.n, parts.cap) = *s;
    return parse_union_parts(p, &parts) && make_union(p, &parts, place, s);
}

bool parse_union_first(struct parser *p, struct scope *out)
{
    struct union_parts parts = {0};
    struct hunt_place place = p->tokens[p->at - 1].place;
    return parse_union_parts(p, &parts) && make_union(p, &parts, place, out);
}
