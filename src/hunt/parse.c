/*
 * Statements: declare, let, and the query; and what all files of the parser lean on.
 */
#include "hunt/parse_internal.h"

#include <stdarg.h>

/* ---- tokens ---- */

bool is_mark(const struct token *t, unsigned mark)
{
    return t->kind == TOKEN_MARK && t->mark == mark;
}

bool is_name(const struct token *t, const char *name)
{
    return t->kind == TOKEN_NAME && slice_equal(t->text, slice_str(name));
}

bool take_mark(struct parser *p, unsigned mark)
{
    if (!is_mark(peek(p), mark))
        return false;
    p->at++;
    return true;
}

bool take_name(struct parser *p, const char *name)
{
    if (!is_name(peek(p), name))
        return false;
    p->at++;
    return true;
}

bool fail_at(struct parser *p, struct hunt_place place, const char *format, ...)
{
    char what[sizeof p->err->what];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    plan_error(p->plan, place, p->err, "%s", what);
    return false;
}

bool fail_expected(struct parser *p, const char *what)
{
    const struct token *t = peek(p);
    if (t->kind == TOKEN_END)
        return FAIL(p, "the query ends here, and %s is missing", what);
    return FAIL(p, "%s is wanted here, not %.*s", what, t->text.n < 40 ? (int)t->text.n : 40,
                t->text.p);
}

bool want_mark(struct parser *p, unsigned mark, const char *what)
{
    return take_mark(p, mark) || fail_expected(p, what);
}

struct hunt_place place_to(struct hunt_place from, struct hunt_place to)
{
    if (to.at < from.at)
        return from;
    return (struct hunt_place){from.at, to.at + to.n - from.at};
}

bool deeper(struct parser *p)
{
    if (p->depth >= HUNT_DEPTH)
        return FAIL(p, "this is too deep: more than %d parentheses and tables in one another",
                    HUNT_DEPTH);
    p->depth++;
    return true;
}

void *list_room(struct parser *p, void *list, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap)
        return list;
    *cap = n < 4 ? 8 : n * 2;
    void *more = arena_zero(&p->plan->arena, *cap, size);
    if (n)
        memcpy(more, list, n * size);
    return more;
}

/* ---- parameters ---- */

static const struct hunt_argument *find_argument(const struct parser *p, struct slice name)
{
    for (size_t i = p->setup->arguments_n; i-- > 0;) /* the last one counts */
        if (slice_equal(p->setup->arguments[i].name, name))
            return &p->setup->arguments[i];
    return NULL;
}

static bool parse_default(struct parser *p, struct hunt_parameter *parameter)
{
    if (!take_mark(p, MARK('=')))
        return true;
    struct plan_expr *e = parse_expr_of(p, parameter->type);
    if (!e)
        return false;
    if (e->kind != EXPR_LITERAL)
        return fail_at(p, e->place, "a default is a constant");
    parameter->has_default = true;
    parameter->value = e->literal;
    parameter->text = slice_sub(p->plan->text, e->place.at, e->place.n);
    return true;
}

/* name:type [= default] */
static bool parse_parameter(struct parser *p, struct hunt_parameter *parameter,
                            struct hunt_place *place)
{
    *parameter = (struct hunt_parameter){.name = peek(p)->text};
    *place = peek(p)->place;
    if (peek(p)->kind != TOKEN_NAME)
        return fail_expected(p, "a parameter's name");
    p->at++;
    if (!want_mark(p, MARK(':'), ": and a type, as in name:string"))
        return false;
    if (peek(p)->kind != TOKEN_NAME || !type_named(peek(p)->text, &parameter->type))
        return fail_expected(p, "a type: string, long, real, bool, datetime, timespan, dynamic");
    p->at++;
    return parse_default(p, parameter);
}

/* Calls `each` for every parameter of a `declare query_parameters(...);`. */
static bool parse_declare(struct parser *p,
                          bool (*each)(struct parser *p, const struct hunt_parameter *parameter,
                                       struct hunt_place place))
{
    if (!take_name(p, "query_parameters"))
        return fail_expected(p, "query_parameters(name:type = default, ...)");
    if (!want_mark(p, MARK('('), "("))
        return false;
    do {
        struct hunt_parameter parameter;
        struct hunt_place place;
        if (!parse_parameter(p, &parameter, &place) || !each(p, &parameter, place))
            return false;
    } while (take_mark(p, MARK(',')));
    return want_mark(p, MARK(')'), "a comma, or )") && want_mark(p, MARK(';'), ";");
}

static bool add_let(struct parser *p, struct let let)
{
    for (uint32_t i = 0; i < p->lets_n; i++)
        if (slice_equal(p->lets[i].name, let.name))
            return fail_at(p, let.place, "there is a %.*s already", SLICE_ARG(let.name));
    *LIST_PUSH(p, p->lets, p->lets_n, p->lets_cap) = let;
    p->lets_seen = p->lets_n;
    return true;
}

static bool bind_parameter(struct parser *p, const struct hunt_parameter *parameter,
                           struct hunt_place place)
{
    const struct hunt_argument *argument = find_argument(p, parameter->name);
    struct hunt_value v = parameter->value;
    if (argument && !value_from_text(p, parameter->type, argument->text, &v))
        return fail_at(p, place, "the value \"%.*s\" of parameter %.*s is no %s",
                       argument->text.n < 100 ? (int)argument->text.n : 100, argument->text.p,
                       SLICE_ARG(parameter->name), hunt_type_name(parameter->type));
    if (!argument && !parameter->has_default)
        return fail_at(p, place, "parameter %.*s has no value: give one with --param %.*s=...",
                       SLICE_ARG(parameter->name), SLICE_ARG(parameter->name));
    struct plan_expr *e = expr_literal(p, v, place);
    return e &&
           add_let(p, (struct let){
                          .name = parameter->name, .expr = e, .place = place, .argument = true});
}

/* Every value that was given must be some parameter's. */
static bool check_arguments_used(struct parser *p)
{
    for (size_t i = 0; i < p->setup->arguments_n; i++) {
        struct slice name = p->setup->arguments[i].name;
        struct near near = {0};
        char text[NEAR_TEXT];
        bool known = false;
        for (uint32_t k = 0; k < p->lets_n; k++)
            if (p->lets[k].argument) {
                known = known || slice_equal(p->lets[k].name, name);
                near_try(&near, name, p->lets[k].name);
            }
        if (!known)
            return fail_at(p, ((struct hunt_place){0, 0}), "the query has no parameter %.*s%s",
                           SLICE_ARG(name), near_text(&near, text));
    }
    return true;
}

/* ---- let ---- */

static bool parse_let(struct parser *p)
{
    struct let let = {.name = peek(p)->text, .place = peek(p)->place};
    if (peek(p)->kind != TOKEN_NAME)
        return fail_expected(p, "a name");
    p->at++;
    if (!want_mark(p, MARK('='), "="))
        return false;
    const struct token *t = peek(p);
    if (is_mark(t, MARK('(')) && t[1].kind == TOKEN_NAME && is_mark(&t[2], MARK(':')))
        return FAIL(p, "functions of one's own are not a part of this language: let names values "
                       "and tables");
    if (begins_table(p)) {
        let.from = p->at;
        p->depth++; /* inside of the query */
        bool good = parse_pipe(p, &let.ready);
        p->depth--;
        let.to = p->at;
        if (!good)
            return false;
    } else if (!(let.expr = parse_expr(p))) {
        return false;
    }
    return want_mark(p, MARK(';'), "a semicolon behind let") && add_let(p, let);
}

/* ---- the query ---- */

static void set_output(struct plan *plan, const struct scope *s)
{
    plan->output = arena_zero(&plan->arena, s->n + 1, sizeof *plan->output);
    for (uint32_t i = 0; i < s->n; i++)
        plan->output[plan->output_n++] = s->names[i].column;
    if (s->open)
        plan->output[plan->output_n++] = s->event;
}

/* A chart needs numbers, and the run of time a time. */
static bool check_render(struct parser *p, const struct scope *s)
{
    bool number = false, time = p->plan->render == RENDER_BARCHART;
    if (p->plan->render == RENDER_NONE)
        return true;
    for (uint32_t i = 0; i < s->n; i++) {
        enum hunt_type type = p->plan->columns[s->names[i].column].type;
        number = number || type == TYPE_LONG || type == TYPE_REAL;
        time = time || type == TYPE_DATETIME;
    }
    if (!number || s->open)
        return fail_at(p, p->render,
                       "a chart needs a column of numbers: before it, for instance "
                       "| summarize count() by bin(Timestamp, 1h)");
    return time || fail_at(p, p->render,
                           "a timechart needs a column that is a time: before it, for "
                           "instance | summarize count() by bin(Timestamp, 1h)");
}

static bool parse_query(struct parser *p)
{
    struct scope out;
    for (;;) {
        if (take_name(p, "declare")) {
            if (!parse_declare(p, bind_parameter))
                return false;
        } else if (take_name(p, "let")) {
            if (!parse_let(p))
                return false;
        } else if (!take_mark(p, MARK(';'))) {
            break;
        }
    }
    if (!check_arguments_used(p))
        return false;
    if (peek(p)->kind == TOKEN_END)
        return FAIL(p, "a query is wanted here, such as events | where ... | take 10");
    if (!parse_pipe(p, &out))
        return false;
    take_mark(p, MARK(';'));
    if (peek(p)->kind != TOKEN_END)
        return fail_expected(p, "a bar | and an operator, or the end");
    if (!check_render(p, &out))
        return false;
    set_output(p->plan, &out);
    p->plan->root = mark_live(p->plan, out.op, p->plan->output, p->plan->output_n);
    return true;
}

static struct plan *plan_new(struct slice text, const char *name, timestamp now)
{
    struct arena arena = {0};
    struct plan *plan = arena_zero(&arena, 1, sizeof *plan);
    plan->text = arena_slice(&arena, text);
    plan->name = name ? arena_slice(&arena, slice_str(name)).p : NULL;
    plan->now = now;
    plan->arena = arena;
    return plan;
}

static bool begin(struct parser *p)
{
    if (p->plan->text.n > HUNT_BYTES) {
        error_set(p->err, STATUS_BAD_INPUT, p->plan->name, ERROR_NO_OFFSET,
                  "the query is too long (more than %d bytes)", HUNT_BYTES);
        return false;
    }
    return lex(p->plan, &p->tokens, &p->tokens_n, p->err);
}

struct plan *plan_parse(struct slice text, const struct hunt_setup *setup, struct error *err)
{
    struct error mine = {0};
    struct parser p = {.setup = setup, .err = err ? err : &mine};
    *p.err = (struct error){.status = OK};
    p.plan = plan_new(text, setup->name, setup->now);
    if (begin(&p) && parse_query(&p))
        return p.plan;
    hunt_plan_free(p.plan);
    return NULL;
}

/* ---- what a query declares ---- */

struct collected {
    struct parser parser; /* first: what `collect` is given */
    struct hunt_parameter *at;
    uint32_t n, cap;
};

static bool collect(struct parser *p, const struct hunt_parameter *parameter,
                    struct hunt_place place)
{
    struct collected *c = (struct collected *)p;
    (void)place;
    *LIST_PUSH(p, c->at, c->n, c->cap) = *parameter;
    return true;
}

enum status hunt_parameters(struct slice text, const char *name, timestamp now, struct arena *a,
                            struct hunt_parameter **out, size_t *n, struct error *err)
{
    struct error mine = {0};
    struct hunt_setup setup = {.now = now};
    struct collected c = {.parser = {.setup = &setup, .err = err ? err : &mine}};
    struct parser *p = &c.parser;
    *p->err = (struct error){.status = OK};
    *out = NULL;
    *n = 0;
    p->plan = plan_new(text, name, now);
    bool good = begin(p);
    while (good && take_name(p, "declare"))
        good = parse_declare(p, collect);
    if (good) {
        *out = arena_zero(a, c.n + 1, sizeof **out);
        *n = c.n;
        for (uint32_t i = 0; i < c.n; i++) {
            struct hunt_parameter *to = &(*out)[i];
            *to = c.at[i];
            to->name = arena_slice(a, to->name);
            to->text = arena_slice(a, to->text);
            if (to->type == TYPE_STRING || to->type == TYPE_DYNAMIC)
                to->value.text = arena_slice(a, to->value.text);
        }
    }
    enum status status = good ? OK : p->err->status;
    hunt_plan_free(p->plan);
    return status;
}
