#include "hunt/parse_internal.h"

#include "base/text.h"
#include "event/value.h"

#include <inttypes.h>

bool type_named(struct slice name, enum hunt_type *out)
{
    static const struct {
        const char *name;
        enum hunt_type type;
    } names[] = {
        {"bool", TYPE_BOOL},         {"boolean", TYPE_BOOL},    {"long", TYPE_LONG},
        {"int", TYPE_LONG},          {"real", TYPE_REAL},       {"double", TYPE_REAL},
        {"decimal", TYPE_REAL},      {"string", TYPE_STRING},   {"guid", TYPE_STRING},
        {"datetime", TYPE_DATETIME}, {"date", TYPE_DATETIME},   {"timespan", TYPE_TIMESPAN},
        {"time", TYPE_TIMESPAN},     {"dynamic", TYPE_DYNAMIC},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_equal(name, slice_str(names[i].name))) {
            *out = names[i].type;
            return true;
        }
    return false;
}

struct plan_expr *parse_typed(struct parser *p, enum hunt_type type, struct hunt_place from)
{
    struct hunt_value v = {.type = type};
    struct plan_expr *e;
    if (!want_mark(p, MARK('('), "("))
        return NULL;
    if (take_name(p, "null")) {
        v.null = true;
        e = expr_literal(p, v, from);
    } else {
        e = parse_expr(p);
        if (e && e->kind != EXPR_LITERAL) {
            fail_at(p, from, "%s(...) takes what is written out: for a field, to%s(NAME)",
                    hunt_type_name(type), hunt_type_name(type));
            return NULL;
        }
        if (e && type == TYPE_BOOL && e->type == TYPE_LONG) {
            v.truth = e->literal.number != 0;
            e = expr_literal(p, v, from);
        }
        e = e ? coerce(p, e, type) : NULL;
    }
    return e && want_mark(p, MARK(')'), ")") ? e : NULL;
}

/* ---- dynamic: JSON, with Kusto's single quotes ---- */

static void put_number(struct buf *b, const struct hunt_value *v)
{
    if (v->type == TYPE_LONG) {
        buf_printf(b, "%" PRId64, v->number);
    } else {
        struct arena scratch = {0};
        value_json((struct value){&v->real, sizeof v->real, VALUE_DOUBLE}, b, &scratch);
        arena_free(&scratch);
    }
}

static bool json_literal(struct parser *p, struct buf *b)
{
    bool minus = take_mark(p, MARK('-'));
    const struct token *t = peek(p);
    if (t->kind == TOKEN_LITERAL && (t->value.type == TYPE_LONG || t->value.type == TYPE_REAL)) {
        struct hunt_value v = t->value;
        if (minus && v.type == TYPE_LONG)
            v.number = -v.number;
        else if (minus)
            v.real = -v.real;
        put_number(b, &v);
    } else if (t->kind == TOKEN_LITERAL && t->value.type == TYPE_STRING && !minus) {
        buf_json(b, t->value.text);
    } else if (t->kind == TOKEN_LITERAL && t->value.type == TYPE_DATETIME && !minus) {
        char text[TIMESTAMP_TEXT];
        buf_json(b, slice_of(text, timestamp_text(t->value.number, 7, text)));
    } else if (!minus && (is_name(t, "true") || is_name(t, "false") || is_name(t, "null"))) {
        buf_add(b, t->text);
    } else {
        return fail_expected(p, "a JSON value");
    }
    p->at++;
    return true;
}

static bool json_value(struct parser *p, struct buf *b);

static bool json_member(struct parser *p, struct buf *b)
{
    const struct token *t = peek(p);
    if (t->kind != TOKEN_LITERAL || t->value.type != TYPE_STRING)
        return fail_expected(p, "a member's name in quotes");
    buf_json(b, t->value.text);
    p->at++;
    buf_char(b, ':');
    return want_mark(p, MARK(':'), ":") && json_value(p, b);
}

/* Recursion: HUNT_DEPTH bounds it. */
static bool json_value(struct parser *p, struct buf *b)
{
    bool array = is_mark(peek(p), MARK('[')), object = is_mark(peek(p), MARK('{'));
    unsigned end = array ? MARK(']') : MARK('}');
    if (!array && !object)
        return json_literal(p, b);
    if (!deeper(p))
        return false;
    p->at++;
    buf_char(b, array ? '[' : '{');
    for (bool first = true; !take_mark(p, end); first = false) {
        if (!first && !want_mark(p, MARK(','), array ? ", or ]" : ", or }"))
            return false;
        buf_add(b, first ? SLICE("") : SLICE(","));
        if (array ? !json_value(p, b) : !json_member(p, b))
            return false;
    }
    buf_char(b, array ? ']' : '}');
    p->depth--;
    return true;
}

struct plan_expr *parse_dynamic(struct parser *p, struct hunt_place from)
{
    struct hunt_value v = {.type = TYPE_DYNAMIC};
    struct buf b = {0};
    bool good = want_mark(p, MARK('('), "(") && json_value(p, &b) && want_mark(p, MARK(')'), ")");
    v.text = arena_slice(&p->plan->arena, buf_slice(&b));
    v.null = slice_equal(v.text, SLICE("null"));
    buf_free(&b);
    return good ? expr_literal(p, v, from) : NULL;
}

/* ---- JSON that is a value already ---- */

/* A parser over other text than the query's, with memory of its own in plan->arena. */
static bool other_text(const struct parser *p, struct slice text, struct plan *plan,
                       struct parser *q)
{
    *plan = (struct plan){.text = text, .now = p->plan->now};
    *q = (struct parser){.plan = plan, .setup = p->setup};
    return text.n <= HUNT_BYTES && lex(plan, &q->tokens, &q->tokens_n, NULL);
}

static bool dynamic_of_text(struct parser *p, struct slice text, struct hunt_value *v)
{
    struct plan plan;
    struct parser q;
    struct buf b = {0};
    bool good = other_text(p, text, &plan, &q) && json_value(&q, &b) && peek(&q)->kind == TOKEN_END;
    v->text = arena_slice(&p->plan->arena, buf_slice(&b));
    v->null = slice_equal(v->text, SLICE("null"));
    arena_free(&plan.arena);
    buf_free(&b);
    return good;
}

bool value_from_text(struct parser *p, enum hunt_type type, struct slice text,
                     struct hunt_value *out)
{
    *out = (struct hunt_value){.type = type};
    struct slice trimmed = slice_trim(text);
    switch (type) {
    case TYPE_BOOL:
        out->truth = slice_equal_nocase(trimmed, SLICE("true"));
        return out->truth || slice_equal_nocase(trimmed, SLICE("false"));
    case TYPE_LONG:
        return text_long(text, &out->number);
    case TYPE_REAL:
        return text_number(text, &out->real);
    case TYPE_DATETIME:
        return text_datetime(text, &out->number);
    case TYPE_TIMESPAN:
        return text_timespan(text, &out->number);
    case TYPE_DYNAMIC:
        return dynamic_of_text(p, text, out);
    default:
        out->text = arena_slice(&p->plan->arena, text);
        return utf8_valid(text);
    }
}

/* An element as a literal: text, number, truth; objects and arrays stay dynamic. */
static struct plan_expr *element(struct parser *p, struct parser *q, struct hunt_place place)
{
    const struct token *t = peek(q);
    struct hunt_value v = {.type = TYPE_DYNAMIC};
    struct buf b = {0};
    bool minus = is_mark(t, MARK('-'));
    if (!json_value(q, &b)) {
        buf_free(&b);
        return NULL;
    }
    struct slice text = arena_slice(&p->plan->arena, buf_slice(&b));
    buf_free(&b);
    if (t->kind == TOKEN_LITERAL && t->value.type == TYPE_STRING)
        v = (struct hunt_value){.type = TYPE_STRING,
                                .text = arena_slice(&p->plan->arena, t->value.text)};
    else if (is_name(t, "true") || is_name(t, "false"))
        v = (struct hunt_value){.type = TYPE_BOOL, .truth = is_name(t, "true")};
    else if ((minus || t->kind == TOKEN_LITERAL) && text_long(text, &v.number))
        v.type = TYPE_LONG;
    else if ((minus || t->kind == TOKEN_LITERAL) && text_number(text, &v.real))
        v.type = TYPE_REAL;
    else {
        v.text = text;
        v.null = slice_equal(text, SLICE("null"));
    }
    return expr_literal(p, v, place);
}

bool dynamic_elements(struct parser *p, struct slice json, struct hunt_place place,
                      struct plan_expr ***out, uint32_t *n)
{
    struct plan plan;
    struct parser q;
    uint32_t cap = 0;
    bool good = other_text(p, json, &plan, &q) && take_mark(&q, MARK('['));
    *n = 0;
    *out = NULL;
    while (good && !take_mark(&q, MARK(']'))) {
        struct plan_expr *e = NULL;
        if (!*n || take_mark(&q, MARK(',')))
            e = element(p, &q, place);
        good = e != NULL;
        if (good)
            *LIST_PUSH(p, *out, *n, cap) = e;
    }
    arena_free(&plan.arena);
    return good;
}
