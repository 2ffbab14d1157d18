/*
 * What stands between bars, but for the larger ones (parse_summarize.c, parse_join.c).
 */
#include "hunt/parse_internal.h"

#include <inttypes.h>

struct plan_operator *operator_new(struct parser *p, enum operator_kind kind,
                                   struct plan_operator *input, struct hunt_place place)
{
    if (p->operators_n++ >= HUNT_OPERATORS_MOST) {
        fail_at(p, place,
                "the query is too large (more than %d operators; a table that let names "
                "counts each time)",
                HUNT_OPERATORS_MOST);
        return NULL;
    }
    struct plan_operator *op = arena_zero(&p->plan->arena, 1, sizeof *op);
    op->kind = kind;
    op->input = input;
    op->place = place;
    return op;
}

static struct hunt_place keyword(const struct parser *p)
{
    return p->tokens[p->at - 1].place;
}

/* ---- where, search ---- */

static void push_predicate(struct parser *p, struct plan_operator *op, struct plan_expr *e,
                           uint32_t *cap)
{
    bool joined = e->kind == EXPR_CALL && e->function == FN_AND;
    for (uint32_t i = 0; i < (joined ? e->args_n : 1); i++) {
        struct plan_expr *one = joined ? e->args[i] : e;
        if (joined && one->kind == EXPR_CALL && one->function == FN_AND)
            for (uint32_t k = 0; k < one->args_n; k++) /* between */
                *LIST_PUSH(p, op->where.all, op->where.n, *cap) = one->args[k];
        else
            *LIST_PUSH(p, op->where.all, op->where.n, *cap) = one;
    }
}

static bool add_where(struct parser *p, struct scope *s, struct plan_expr *e,
                      struct hunt_place place)
{
    struct plan_operator *op = operator_new(p, OP_WHERE, s->op, place);
    uint32_t cap = 0;
    if (!op)
        return false;
    if (s->op->kind == OP_WHERE) { /* both in one */
        op->input = s->op->input;
        for (uint32_t i = 0; i < s->op->where.n; i++)
            *LIST_PUSH(p, op->where.all, op->where.n, cap) = s->op->where.all[i];
    }
    push_predicate(p, op, e, &cap);
    s->op = op;
    return true;
}

static bool parse_where(struct parser *p, struct scope *s)
{
    struct hunt_place place = keyword(p);
    p->any_allowed = true;
    struct plan_expr *e = parse_expr(p);
    p->any_allowed = false;
    if (e && e->kind == EXPR_LITERAL && e->type == TYPE_STRING)
        return fail_at(p, e->place,
                       "text alone is no condition: write search \"...\", or "
                       "where * has \"...\"");
    e = e ? coerce(p, e, TYPE_BOOL) : NULL;
    return e && add_where(p, s, e, place);
}

bool parse_search(struct parser *p, struct scope *s)
{
    struct hunt_place place = keyword(p);
    const struct plan_operator *op = s->op;
    while (op->kind == OP_WHERE)
        op = op->input;
    if (s->open && op->kind != OP_SCAN)
        return fail_at(p, place,
                       "search stands right behind a table of events: put it before what "
                       "changes the rows");
    p->any_allowed = p->searching = true;
    struct plan_expr *e = parse_expr_of(p, TYPE_BOOL);
    p->any_allowed = p->searching = false;
    return e && add_where(p, s, e, place);
}

/* ---- extend, project ---- */

struct definitions {
    struct column_def *at;
    uint32_t n, cap;
};

/* A column for an expression. */
static uint32_t define(struct parser *p, struct definitions *d, struct slice name,
                       struct plan_expr *e, struct hunt_place place)
{
    uint32_t column = column_add(p, name, e->type, place);
    if (column != NO_COLUMN)
        *LIST_PUSH(p, d->at, d->n, d->cap) = (struct column_def){column, e};
    return column;
}

static bool add_extend(struct parser *p, struct scope *s, const struct definitions *d,
                       struct hunt_place place)
{
    if (!d->n)
        return true;
    struct plan_operator *op = operator_new(p, OP_EXTEND, s->op, place);
    if (!op)
        return false;
    op->extend.at = d->at;
    op->extend.n = d->n;
    s->op = op;
    return true;
}

uint32_t extend_one(struct parser *p, struct scope *s, struct slice name, struct plan_expr *e)
{
    struct definitions d = {0};
    uint32_t column = define(p, &d, name, e, e->place);
    return column != NO_COLUMN && add_extend(p, s, &d, e->place) ? column : NO_COLUMN;
}

static struct slice column_n(struct parser *p, uint32_t n)
{
    return arena_printf(&p->plan->arena, "Column%" PRIu32, n);
}

static bool parse_extend(struct parser *p, struct scope *s)
{
    struct hunt_place place = keyword(p);
    struct definitions d = {0};
    struct scope_name *names = NULL;
    uint32_t n = 0, cap = 0;
    do {
        struct named_expr item;
        if (!parse_named(p, &item))
            return false;
        if (!item.name.n)
            item.name = scope_free_name(p, s, column_n(p, n + 1));
        uint32_t column = define(p, &d, item.name, item.expr, item.place);
        if (column == NO_COLUMN)
            return false;
        *LIST_PUSH(p, names, n, cap) = (struct scope_name){item.name, column};
    } while (take_mark(p, MARK(',')));
    for (uint32_t i = 0; i < n; i++)
        scope_set(p, s, names[i].name, names[i].column);
    return add_extend(p, s, &d, place);
}

static bool parse_project(struct parser *p, struct scope *s)
{
    struct hunt_place place = keyword(p);
    struct definitions d = {0};
    struct scope out = scope_closed(s->op);
    do {
        struct named_expr item;
        if (!parse_named(p, &item))
            return false;
        if (!item.name.n)
            item.name = column_n(p, out.n + 1);
        item.name = scope_free_name(p, &out, item.name);
        uint32_t column = item.expr->column;
        if (item.expr->kind != EXPR_COLUMN ||
            !slice_equal(p->plan->columns[column].name, item.name))
            column = define(p, &d, item.name, item.expr, item.place);
        if (column == NO_COLUMN)
            return false;
        scope_set(p, &out, item.name, column);
    } while (take_mark(p, MARK(',')));
    *s = out;
    return add_extend(p, s, &d, place);
}

/* Names, of which the last part may end in a star (`any`: the star stood there). */
struct wanted_name {
    struct slice name;
    bool any;
    struct hunt_place place;
};

static bool parse_wanted(struct parser *p, struct wanted_name *w)
{
    w->any = false;
    if (!parse_name(p, "a column's name", &w->name, &w->place))
        return false;
    if (is_mark(peek(p), MARK('*')) && peek(p)->place.at == w->place.at + w->place.n) {
        w->any = true;
        p->at++;
    }
    return true;
}

static bool is_wanted(const struct wanted_name *w, struct slice name)
{
    return w->any ? slice_starts(name, w->name) : slice_equal(name, w->name);
}

/* The event without what project-away took out of it. */
static bool shrink_event(struct parser *p, struct scope *s, const struct slice *names, uint32_t n,
                         struct hunt_place place)
{
    struct buf b = {0};
    for (uint32_t i = 0; i < n; i++) {
        buf_add(&b, i ? SLICE(",") : SLICE("["));
        buf_json(&b, names[i]);
    }
    buf_char(&b, ']');
    struct hunt_value v = {.type = TYPE_DYNAMIC,
                           .text = arena_slice(&p->plan->arena, buf_slice(&b))};
    buf_free(&b);
    struct plan_expr *args[] = {expr_column(p, s->event, place), expr_literal(p, v, place)};
    if (!args[0] || !args[1])
        return false;
    struct plan_expr *e = expr_call(p, FN_BAG_REMOVE_KEYS, TYPE_DYNAMIC, place, args, 2);
    s->event = e ? extend_one(p, s, SLICE("*"), e) : NO_COLUMN;
    return s->event != NO_COLUMN;
}

static bool remove_wanted(struct parser *p, struct scope *s, const struct wanted_name *w)
{
    bool found = false;
    for (uint32_t i = s->n; i-- > 0;)
        if (is_wanted(w, s->names[i].name)) {
            scope_remove(s, s->names[i].name);
            found = true;
        }
    if (s->open && w->any)
        return fail_at(p, w->place, "events differ in which fields they have: name each one");
    if (s->open)
        *LIST_PUSH(p, s->away, s->away_n, s->away_cap) = w->name;
    return found || s->open || w->any || fail_no_column(p, s, w->name, w->place);
}

static bool parse_away(struct parser *p, struct scope *s)
{
    struct hunt_place place = keyword(p);
    uint32_t before = s->away_n;
    do {
        struct wanted_name w;
        if (!parse_wanted(p, &w) || !remove_wanted(p, s, &w))
            return false;
    } while (take_mark(p, MARK(',')));
    if (s->open)
        return shrink_event(p, s, s->away + before, s->away_n - before, place);
    return s->n > 0 || fail_at(p, place, "no column is left");
}

/* project-keep, project-reorder: what is named, in that order; the latter with all else behind. */
static bool keep_wanted(struct parser *p, const struct scope *from, struct scope *out,
                        const struct wanted_name *w)
{
    bool found = false;
    for (uint32_t i = 0; i < from->n; i++)
        if (is_wanted(w, from->names[i].name)) {
            found = true;
            if (scope_given(out, from->names[i].name) == NO_COLUMN)
                scope_set(p, out, from->names[i].name, from->names[i].column);
        }
    return found;
}

static bool parse_kept(struct parser *p, struct scope *s, struct scope *out)
{
    do {
        struct wanted_name w;
        if (!parse_wanted(p, &w))
            return false;
        if (keep_wanted(p, s, out, &w) || w.any)
            continue;
        uint32_t column = scope_find(p, s, w.name, w.place);
        if (column == NO_COLUMN)
            return fail_no_column(p, s, w.name, w.place);
        scope_set(p, out, w.name, column);
    } while (take_mark(p, MARK(',')));
    return true;
}

static bool parse_keep(struct parser *p, struct scope *s)
{
    struct scope out = scope_closed(s->op);
    if (!parse_kept(p, s, &out))
        return false;
    *s = out;
    return true;
}

static bool parse_reorder(struct parser *p, struct scope *s)
{
    struct scope out = *s;
    out.names = NULL;
    out.n = out.cap = 0;
    if (!parse_kept(p, s, &out))
        return false;
    for (uint32_t i = 0; i < s->n; i++)
        if (scope_given(&out, s->names[i].name) == NO_COLUMN)
            scope_set(p, &out, s->names[i].name, s->names[i].column);
    *s = out;
    return true;
}

static bool parse_rename(struct parser *p, struct scope *s)
{
    struct hunt_place place = keyword(p);
    struct definitions d = {0};
    uint32_t before = s->away_n;
    do {
        struct slice name, old;
        struct hunt_place at, old_at;
        if (!parse_name(p, "the new name", &name, &at) ||
            !want_mark(p, MARK('='), "=, as in new = old") ||
            !parse_name(p, "the old name", &old, &old_at))
            return false;
        struct plan_expr *e = expr_column(p, scope_find(p, s, old, old_at), old_at);
        if (!e)
            return p->err->status == OK ? fail_no_column(p, s, old, old_at) : false;
        uint32_t column = define(p, &d, name, e, at);
        if (column == NO_COLUMN)
            return false;
        if (s->open && scope_given(s, old) == NO_COLUMN)
            *LIST_PUSH(p, s->away, s->away_n, s->away_cap) = old;
        for (uint32_t i = 0; i < s->n; i++) /* in its place */
            if (slice_equal(s->names[i].name, old))
                s->names[i].name = name;
        scope_set(p, s, name, column);
    } while (take_mark(p, MARK(',')));
    return add_extend(p, s, &d, place) &&
           (s->away_n == before || shrink_event(p, s, s->away + before, s->away_n - before, place));
}

/* ---- sort, top, take ---- */

static bool parse_sort_keys(struct parser *p, struct plan_operator *op)
{
    uint32_t cap = 0;
    if (!take_name(p, "by"))
        return fail_expected(p, "by and a column");
    do {
        struct sort_key key = {.expr = parse_expr(p)};
        if (!key.expr)
            return false;
        key.descending = !take_name(p, "asc");
        if (key.descending)
            take_name(p, "desc");
        key.nulls_first = !key.descending;
        if (take_name(p, "nulls")) {
            key.nulls_first = take_name(p, "first");
            if (!key.nulls_first && !take_name(p, "last"))
                return fail_expected(p, "first or last");
        }
        *LIST_PUSH(p, op->sort.keys, op->sort.keys_n, cap) = key;
    } while (take_mark(p, MARK(',')));
    return true;
}

static bool parse_sort(struct parser *p, struct scope *s)
{
    struct plan_operator *op = operator_new(p, OP_SORT, s->op, keyword(p));
    if (!op || !parse_sort_keys(p, op))
        return false;
    s->op = op;
    return true;
}

static bool parse_top(struct parser *p, struct scope *s)
{
    struct plan_operator *op = operator_new(p, OP_SORT, s->op, keyword(p));
    if (!op || !parse_count(p, "how many rows", &op->sort.limit) || !parse_sort_keys(p, op))
        return false;
    op->sort.limited = true;
    s->op = op;
    return true;
}

static bool parse_take(struct parser *p, struct scope *s)
{
    struct plan_operator *op = operator_new(p, OP_TAKE, s->op, keyword(p));
    if (!op || !parse_count(p, "how many rows", &op->take.n))
        return false;
    s->op = op;
    return true;
}

/* ---- mv-expand ---- */

/* to typeof(long) */
static bool parse_typeof(struct parser *p, struct scope *s, struct slice name, uint32_t *column)
{
    enum hunt_type type;
    if (!take_name(p, "typeof") || !want_mark(p, MARK('('), "("))
        return p->err->status == OK ? fail_expected(p, "typeof(long), typeof(string), ...") : false;
    if (!type_named(peek(p)->text, &type))
        return fail_expected(p, "a type: string, long, real, bool, datetime, timespan, dynamic");
    p->at++;
    if (!want_mark(p, MARK(')'), ")"))
        return false;
    struct plan_expr *e = expr_column(p, *column, keyword(p));
    e = e ? coerce(p, e, type) : NULL;
    *column = e ? extend_one(p, s, name, e) : NO_COLUMN;
    return *column != NO_COLUMN;
}

static bool parse_expand(struct parser *p, struct scope *s)
{
    struct hunt_place place = keyword(p);
    struct named_expr item;
    uint64_t limit = UINT64_MAX;
    if (!parse_named(p, &item))
        return false;
    struct plan_expr *e = coerce(p, item.expr, TYPE_DYNAMIC);
    if (!e)
        return false;
    if (!item.name.n)
        item.name = scope_free_name(p, s, SLICE("Column1"));
    uint32_t from = e->kind == EXPR_COLUMN ? e->column : extend_one(p, s, item.name, e);
    uint32_t to =
        from != NO_COLUMN ? column_add(p, item.name, TYPE_DYNAMIC, item.place) : NO_COLUMN;
    struct plan_operator *op = to != NO_COLUMN ? operator_new(p, OP_EXPAND, s->op, place) : NULL;
    if (!op)
        return false;
    op->expand.from = from;
    op->expand.to = to;
    s->op = op;
    if (take_name(p, "to") && !parse_typeof(p, s, item.name, &to))
        return false;
    if (is_mark(peek(p), MARK(',')))
        return FAIL(p, "mv-expand takes one column: begin another mv-expand for the next");
    if (take_name(p, "limit") && !parse_count(p, "how many rows", &limit))
        return false;
    op->expand.limit = limit;
    scope_set(p, s, item.name, to);
    return true;
}

/* ---- render ---- */

static bool parse_render_option(struct parser *p)
{
    struct slice name;
    struct hunt_place place;
    if (!parse_name(p, "an option such as title", &name, &place) || !want_mark(p, MARK('='), "="))
        return false;
    const struct token *t = peek(p);
    if (t->kind != TOKEN_LITERAL && t->kind != TOKEN_NAME)
        return fail_expected(p, "its value");
    if (slice_equal(name, SLICE("title"))) {
        if (t->kind != TOKEN_LITERAL || t->value.type != TYPE_STRING)
            return fail_expected(p, "the title in quotes");
        p->plan->render_title = t->value.text;
    }
    p->at++; /* other options are for screens that can do more */
    return true;
}

static bool parse_render(struct parser *p, struct scope *s)
{
    static const struct {
        const char *name;
        enum render_kind kind;
    } kinds[] = {{"timechart", RENDER_TIMECHART},
                 {"barchart", RENDER_BARCHART},
                 {"columnchart", RENDER_BARCHART},
                 {"linechart", RENDER_TIMECHART},
                 {"table", RENDER_NONE}};
    (void)s;
    if (p->nested)
        return fail_at(p, keyword(p), "render stands at the end of the whole query");
    size_t i = 0;
    while (i < sizeof kinds / sizeof *kinds && !take_name(p, kinds[i].name))
        i++;
    if (i == sizeof kinds / sizeof *kinds)
        return fail_expected(p, "timechart or barchart");
    p->plan->render = kinds[i].kind;
    p->render = keyword(p);
    if (!take_name(p, "with"))
        return true;
    if (!want_mark(p, MARK('('), "("))
        return false;
    do
        if (!parse_render_option(p))
            return false;
    while (take_mark(p, MARK(',')));
    return want_mark(p, MARK(')'), ")");
}

/* ---- all ---- */

static const struct {
    const char *name;
    bool (*parse)(struct parser *p, struct scope *s);
} operators[] = {
    {"where", parse_where},
    {"filter", parse_where},
    {"search", parse_search},
    {"extend", parse_extend},
    {"project", parse_project},
    {"project-away", parse_away},
    {"project-keep", parse_keep},
    {"project-rename", parse_rename},
    {"project-reorder", parse_reorder},
    {"summarize", parse_summarize},
    {"distinct", parse_distinct},
    {"count", parse_count_rows},
    {"sort", parse_sort},
    {"order", parse_sort},
    {"top", parse_top},
    {"take", parse_take},
    {"limit", parse_take},
    {"join", parse_join},
    {"union", parse_union},
    {"mv-expand", parse_expand},
    {"render", parse_render},
};

static bool fail_operator(struct parser *p)
{
    static const char *const others[] = {
        "as",     "consume",   "evaluate",        "externaldata", "facet",       "find",
        "fork",   "getschema", "invoke",          "lookup",       "make-series", "mv-apply",
        "parse",  "parse-kv",  "parse-where",     "partition",    "range",       "reduce",
        "sample", "scan",      "sample-distinct", "serialize",    "top-hitters", "top-nested",
    };
    const struct token *t = peek(p);
    struct near near = {0};
    char text[NEAR_TEXT];
    if (t->kind != TOKEN_NAME)
        return fail_expected(p, "an operator such as where, project, summarize, take");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (is_name(t, others[i]))
            return FAIL(p, "Kusto's %s is not a part of this language (docs/hunt.md lists what is)",
                        others[i]);
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        near_try(&near, t->text, slice_str(operators[i].name));
    return FAIL(p, "there is no operator %.*s%s", SLICE_ARG(t->text), near_text(&near, text));
}

bool parse_operators(struct parser *p, struct scope *s)
{
    while (take_mark(p, MARK('|'))) {
        size_t i = 0;
        if (p->plan->render && !p->nested)
            return FAIL(p, "render stands at the end of the query");
        while (i < sizeof operators / sizeof *operators && !take_name(p, operators[i].name))
            i++;
        if (i == sizeof operators / sizeof *operators)
            return fail_operator(p);
        p->scope = s;
        if (!operators[i].parse(p, s))
            return false;
    }
    return true;
}
