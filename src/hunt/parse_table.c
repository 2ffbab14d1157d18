/*
 * What a pipe begins with: a table, or what makes one.
 */
#include "hunt/parse_internal.h"

#include <inttypes.h>

const struct hunt_table hunt_events = {
    .name = "events", .what = "all events that were taken in; any field is a column"};

/* ---- the tables that there are ---- */

static struct let *find_let(const struct parser *p, struct slice name)
{
    for (uint32_t i = p->lets_seen; i-- > 0;)
        if (slice_equal(p->lets[i].name, name))
            return &p->lets[i];
    return NULL;
}

static const struct hunt_table *find_table(const struct parser *p, struct slice name)
{
    if (slice_equal(name, SLICE("events")))
        return &hunt_events;
    for (const struct hunt_table *t = p->setup->tables; t && t->name; t++)
        if (slice_equal(name, slice_str(t->name)))
            return t;
    return NULL;
}

/* The bindings of a log source: "process_creation", "sysmon", "windows.process_creation". */
static size_t find_logsource(const struct parser *p, struct slice name, uint32_t *out, size_t room)
{
    const struct mappings *m = p->setup->mappings;
    struct slice none = {0};
    ptrdiff_t dot = slice_find(name, SLICE("."));
    if (!m)
        return 0;
    size_t n = mappings_for_logsource(m, none, name, none, out, room);
    if (!n)
        n = mappings_for_logsource(m, none, none, name, out, room);
    if (n || dot <= 0)
        return n;
    struct slice product = slice_sub(name, 0, (size_t)dot);
    name = slice_sub(name, (size_t)dot + 1, name.n);
    n = mappings_for_logsource(m, product, name, none, out, room);
    return n ? n : mappings_for_logsource(m, product, none, name, out, room);
}

/* Words that begin a table, and what must follow so that they are no column's name. */
static bool begins_by_word(const struct token *t)
{
    bool group = is_mark(&t[1], MARK('('));
    if (is_name(t, "datatable") || is_name(t, "materialize"))
        return group;
    if (!is_name(t, "print") && !is_name(t, "search") && !is_name(t, "union"))
        return false;
    return group || t[1].kind == TOKEN_NAME || t[1].kind == TOKEN_LITERAL ||
           is_mark(&t[1], MARK('*')) || is_mark(&t[1], MARK('-')) || is_mark(&t[1], MARK('+'));
}

bool begins_table(const struct parser *p)
{
    size_t at = p->at;
    while (is_mark(&p->tokens[at], MARK('(')))
        at++;
    const struct token *t = &p->tokens[at];
    if (t->kind != TOKEN_NAME)
        return false;
    const struct let *let = find_let(p, t->text);
    if (let)
        return !let->expr;
    if (begins_by_word(t))
        return true;
    if (p->scope && scope_given(p->scope, t->text) != NO_COLUMN)
        return false;
    bool ends = is_mark(&t[1], MARK('|')) || is_mark(&t[1], MARK(')')) ||
                is_mark(&t[1], MARK(';')) || is_mark(&t[1], MARK(',')) || t[1].kind == TOKEN_END ||
                t[1].kind == TOKEN_NAME;
    if (find_table(p, t->text))
        return ends;
    return is_mark(&t[1], MARK('|')) && find_logsource(p, t->text, NULL, 0) > 0;
}

/* ---- scans ---- */

/* A condition on the number of the input. */
static bool only_new(struct parser *p, struct scope *s)
{
    struct hunt_place place = s->op->place;
    struct hunt_value first = {.type = TYPE_LONG, .number = p->setup->first_input};
    struct plan_operator *op = operator_new(p, OP_WHERE, s->op, place);
    struct plan_expr *args[] = {
        expr_column(p, scope_find(p, s, SLICE("origin.input"), place), place),
        expr_literal(p, first, place)};
    if (!op || !args[0] || !args[1])
        return false;
    op->where.all = arena_zero(&p->plan->arena, 1, sizeof(struct plan_expr *));
    op->where.all[0] = expr_call(p, FN_GREATER_EQUAL, TYPE_BOOL, place, args, 2);
    op->where.n = 1;
    s->op = op;
    return op->where.all[0] != NULL;
}

static bool scan_events(struct parser *p, struct plan_operator *op, struct scope *out)
{
    *out = scope_closed(op);
    op->scan.table = &hunt_events;
    out->event = column_add(p, SLICE("*"), TYPE_DYNAMIC, op->place);
    if (out->event == NO_COLUMN)
        return false;
    p->plan->columns[out->event].event = EVENT_ALL;
    out->open = arena_zero(&p->plan->arena, 1, sizeof *out->open);
    out->open->op = op;
    out->open->seen = scope_closed(op);
    return !p->setup->first_input || only_new(p, out);
}

static bool scan_table(struct parser *p, const struct hunt_table *table, struct plan_operator *op,
                       struct scope *out)
{
    if (!table->columns)
        return scan_events(p, op, out);
    *out = scope_closed(op);
    op->scan.table = table;
    for (const struct table_column *c = table->columns; c->name; c++) {
        uint32_t column = column_add(p, slice_str(c->name), c->type, op->place);
        if (column == NO_COLUMN)
            return false;
        scope_set(p, out, slice_str(c->name), column);
    }
    return true;
}

static bool fail_table(struct parser *p, struct slice name, struct hunt_place place)
{
    struct near near = {0};
    char text[NEAR_TEXT];
    near_try(&near, name, SLICE("events"));
    for (const struct hunt_table *t = p->setup->tables; t && t->name; t++)
        near_try(&near, name, slice_str(t->name));
    for (uint32_t i = 0; i < p->lets_seen; i++)
        near_try(&near, name, p->lets[i].name);
    for (size_t i = 0; p->setup->mappings && i < mappings_count(p->setup->mappings); i++)
        near_try(&near, name, mappings_get(p->setup->mappings, (uint32_t)i)->category);
    if (near.name.n)
        return fail_at(p, place, "there is no table %.*s%s", SLICE_ARG(name),
                       near_text(&near, text));
    return fail_at(p, place,
                   "there is no table %.*s: a query begins with events, with a log source of Sigma "
                   "such as process_creation, or with search \"text\"",
                   SLICE_ARG(name));
}

static bool parse_named_table(struct parser *p, struct scope *out);

static bool scan_named(struct parser *p, struct slice name, struct hunt_place place,
                       struct scope *out)
{
    const struct hunt_table *table = find_table(p, name);
    size_t n = table ? 0 : find_logsource(p, name, NULL, 0);
    if (!table && !n)
        return fail_table(p, name, place);
    struct plan_operator *op = operator_new(p, OP_SCAN, NULL, place);
    if (!op)
        return false;
    if (n) {
        uint32_t *indexes = arena_zero(&p->plan->arena, n, sizeof *indexes);
        find_logsource(p, name, indexes, n);
        op->scan.bindings = arena_zero(&p->plan->arena, n, sizeof *op->scan.bindings);
        for (size_t i = 0; i < n; i++)
            op->scan.bindings[i] = mappings_get(p->setup->mappings, indexes[i]);
        op->scan.bindings_n = (uint32_t)n;
        table = &hunt_events;
    }
    return scan_table(p, table, op, out);
}

/* ---- let ---- */

/* The table that let named: what was parsed there, or once more from its tokens. */
static bool use_let(struct parser *p, struct let *let, struct scope *out)
{
    size_t at = p->at;
    uint32_t seen = p->lets_seen;
    if (!let->used) {
        let->used = true;
        *out = let->ready;
        return true;
    }
    p->at = let->from;
    p->lets_seen = (uint32_t)(let - p->lets);
    bool good = parse_pipe(p, out);
    p->at = at;
    p->lets_seen = seen;
    return good;
}

static bool parse_named_table(struct parser *p, struct scope *out)
{
    struct slice name;
    struct hunt_place place;
    if (!parse_name(p, "a table: events, or a log source such as process_creation", &name, &place))
        return false;
    struct let *let = find_let(p, name);
    if (!let)
        return scan_named(p, name, place, out);
    if (let->expr)
        return fail_at(p, place, "%.*s is a value, and a table is wanted here", SLICE_ARG(name));
    return use_let(p, let, out);
}

/* ---- tables that are written out ---- */

static bool parse_columns(struct parser *p, struct plan_operator *op, struct scope *out)
{
    uint32_t cap = 0;
    do {
        struct slice name;
        struct hunt_place place;
        enum hunt_type type;
        if (!parse_name(p, "a column's name", &name, &place) ||
            !want_mark(p, MARK(':'), ": and a type, as in datatable(name:string)"))
            return false;
        if (peek(p)->kind != TOKEN_NAME || !type_named(peek(p)->text, &type))
            return fail_expected(p,
                                 "a type: string, long, real, bool, datetime, timespan, dynamic");
        p->at++;
        if (scope_given(out, name) != NO_COLUMN)
            return fail_at(p, place, "there is a column %.*s already", SLICE_ARG(name));
        uint32_t column = column_add(p, name, type, place);
        if (column == NO_COLUMN)
            return false;
        *LIST_PUSH(p, op->values.columns, op->values.columns_n, cap) = column;
        scope_set(p, out, name, column);
    } while (take_mark(p, MARK(',')));
    return want_mark(p, MARK(')'), ")");
}

static bool parse_cells(struct parser *p, struct plan_operator *op)
{
    uint32_t n = 0, cap = 0;
    struct hunt_place place = peek(p)->place;
    while (!take_mark(p, MARK(']'))) {
        enum hunt_type type = p->plan->columns[op->values.columns[n % op->values.columns_n]].type;
        struct plan_expr *e = parse_expr_of(p, type);
        if (!e)
            return false;
        if (e->kind != EXPR_LITERAL)
            return fail_at(p, e->place, "a constant is wanted here");
        *LIST_PUSH(p, op->values.values, n, cap) = e->literal;
        if (!take_mark(p, MARK(',')) && !is_mark(peek(p), MARK(']')))
            return fail_expected(p, "a comma, or ]");
    }
    op->values.rows_n = n / op->values.columns_n;
    return n % op->values.columns_n == 0 ||
           fail_at(p, place, "%" PRIu32 " values do not fill rows of %" PRIu32 " columns", n,
                   op->values.columns_n);
}

static bool parse_datatable(struct parser *p, struct scope *out)
{
    struct plan_operator *op = operator_new(p, OP_VALUES, NULL, p->tokens[p->at - 1].place);
    if (!op)
        return false;
    *out = scope_closed(op);
    p->scope = NULL;
    return want_mark(p, MARK('('), "(") && parse_columns(p, op, out) &&
           want_mark(p, MARK('['), "[ and the values") && parse_cells(p, op);
}

/* print a = 1, b = "x": one row. */
static bool parse_print(struct parser *p, struct scope *out)
{
    struct plan_operator *values = operator_new(p, OP_VALUES, NULL, p->tokens[p->at - 1].place);
    struct plan_operator *op = operator_new(p, OP_EXTEND, values, p->tokens[p->at - 1].place);
    uint32_t cap = 0;
    if (!values || !op)
        return false;
    values->values.rows_n = 1;
    *out = scope_closed(op);
    p->scope = NULL;
    do {
        struct named_expr item;
        if (!parse_named(p, &item))
            return false;
        if (!item.given)
            item.name = arena_printf(&p->plan->arena, "print_%" PRIu32, op->extend.n);
        item.name = scope_free_name(p, out, item.name);
        uint32_t column = column_add(p, item.name, item.expr->type, item.place);
        if (column == NO_COLUMN)
            return false;
        *LIST_PUSH(p, op->extend.at, op->extend.n, cap) = (struct column_def){column, item.expr};
        scope_set(p, out, item.name, column);
    } while (take_mark(p, MARK(',')));
    return true;
}

/* search "text" without a table: in events. */
static bool parse_search_first(struct parser *p, struct scope *out)
{
    struct plan_operator *op = operator_new(p, OP_SCAN, NULL, p->tokens[p->at - 1].place);
    if (!op || !scan_events(p, op, out))
        return false;
    p->scope = out;
    return parse_search(p, out);
}

/* ---- pipes ---- */

/* Recursion: parse_pipe bounds it. */
bool parse_source(struct parser *p, struct scope *out)
{
    if (take_mark(p, MARK('(')))
        return parse_pipe(p, out) && want_mark(p, MARK(')'), ")");
    if (begins_by_word(peek(p))) {
        if (take_name(p, "datatable"))
            return parse_datatable(p, out);
        if (take_name(p, "print"))
            return parse_print(p, out);
        if (take_name(p, "search"))
            return parse_search_first(p, out);
        if (take_name(p, "union"))
            return parse_union_first(p, out);
        p->at += 2; /* materialize( */
        return parse_pipe(p, out) && want_mark(p, MARK(')'), ")");
    }
    return parse_named_table(p, out);
}

/* Recursion: deeper() bounds it. */
bool parse_pipe(struct parser *p, struct scope *out)
{
    struct scope *scope = p->scope;
    struct summary *summary = p->summary;
    bool any = p->any_allowed, searching = p->searching, nested = p->nested;
    if (!deeper(p))
        return false;
    p->scope = NULL;
    p->summary = NULL;
    p->any_allowed = p->searching = false;
    p->nested = p->depth > 1;
    bool good = parse_source(p, out) && parse_operators(p, out);
    p->depth--;
    p->scope = scope;
    p->summary = summary;
    p->any_allowed = any;
    p->searching = searching;
    p->nested = nested;
    return good;
}

struct plan_expr *table_expr(struct parser *p, struct scope *s, struct hunt_place place)
{
    if (s->open || s->n != 1) {
        fail_at(p, place, "a table of one column is wanted here: end it with | project NAME");
        return NULL;
    }
    struct plan_expr *e = expr_new(p, EXPR_TABLE, p->plan->columns[s->names[0].column].type, place);
    if (!e)
        return NULL;
    e->constant = true;
    e->table = mark_live(p->plan, s->op, &s->names[0].column, 1);
    return e;
}
