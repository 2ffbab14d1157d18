/*
 * Expressions. From the weakest: or, and, comparisons (which do not chain), + -, * / %, sign, member
 * and element. What stands in front of a parenthesis is in parse_call.c.
 */
#include "hunt/parse_internal.h"

#include <inttypes.h>

static struct plan_expr *binary(struct parser *p, enum function_id id, struct plan_expr *left,
                                struct plan_expr *right)
{
    struct plan_expr *args[] = {left, right};
    if (!left || !right)
        return NULL;
    return check_call(p, hunt_function(id), place_to(left->place, right->place), args, 2);
}

static struct plan_expr *negated(struct parser *p, struct plan_expr *e)
{
    return expr_call1(p, FN_NOT, TYPE_BOOL, e ? e->place : (struct hunt_place){0}, e);
}

/* ---- names ---- */

enum { NAME_PARTS = 32 };

/* One part of a name at token `at`: `a` or ['a']. Returns the token behind it, or 0. */
static size_t name_part(const struct parser *p, size_t at, struct slice *part)
{
    const struct token *t = &p->tokens[at];
    if (t->kind == TOKEN_NAME && t->text.p[0] != '!') {
        *part = t->text;
        return at + 1;
    }
    if (is_mark(t, MARK('[')) && t[1].kind == TOKEN_LITERAL && t[1].value.type == TYPE_STRING &&
        is_mark(&t[2], MARK(']')) && t[1].value.text.n) {
        *part = t[1].value.text;
        return at + 3;
    }
    return 0;
}

/* The parts of a name with dots from the token at hand on; ends[i] is the token behind part i. */
static uint32_t name_parts(const struct parser *p, struct slice *parts, size_t *ends)
{
    uint32_t n = 0;
    for (size_t at = p->at; n < NAME_PARTS; at++) {
        size_t end = name_part(p, at, &parts[n]);
        if (!end)
            break;
        ends[n++] = at = end;
        if (!is_mark(&p->tokens[at], MARK('.')))
            break;
    }
    return n;
}

static struct slice join_parts(struct parser *p, const struct slice *parts, uint32_t n)
{
    struct slice name = parts[0];
    for (uint32_t i = 1; i < n; i++)
        name = arena_printf(&p->plan->arena, "%.*s.%.*s", SLICE_ARG(name), SLICE_ARG(parts[i]));
    return name;
}

static struct hunt_place place_until(const struct parser *p, size_t from, size_t end)
{
    return place_to(p->tokens[from].place, p->tokens[end - 1].place);
}

bool parse_name(struct parser *p, const char *what, struct slice *text, struct hunt_place *place)
{
    struct slice parts[NAME_PARTS];
    size_t ends[NAME_PARTS];
    uint32_t n = name_parts(p, parts, ends);
    if (!n)
        return fail_expected(p, what);
    *text = join_parts(p, parts, n);
    *place = place_until(p, p->at, ends[n - 1]);
    p->at = ends[n - 1];
    return true;
}

static struct plan_expr *let_value(const struct parser *p, struct slice name)
{
    for (uint32_t i = p->lets_seen; i-- > 0;)
        if (p->lets[i].expr && slice_equal(p->lets[i].name, name))
            return p->lets[i].expr;
    return NULL;
}

static struct plan_expr *member(struct parser *p, struct plan_expr *of, struct slice name,
                                struct hunt_place place)
{
    struct hunt_value v = {.type = TYPE_STRING, .text = name};
    return of ? binary(p, FN_MEMBER, of, expr_literal(p, v, place)) : NULL;
}

/* A value that was given the name of the first `k` parts, when what follows can be members of it. */
static struct plan_expr *given_value(struct parser *p, const struct slice *parts,
                                     const size_t *ends, uint32_t k, bool members)
{
    bool open = p->scope && p->scope->open;
    uint32_t column = NO_COLUMN;
    if (p->scope)
        column = scope_given(p->scope, join_parts(p, parts, k));
    struct plan_expr *e = NULL;
    if (column != NO_COLUMN)
        e = expr_column(p, column, place_until(p, p->at, ends[k - 1]));
    else if (k == 1)
        e = let_value(p, parts[0]);
    if (!e || !members || e->type == TYPE_DYNAMIC || (e->type == TYPE_FIELD && !open))
        return e;
    return NULL; /* a parameter `host` says nothing about host.name */
}

/* The longest beginning of the parts that is known is meant; the rest are members of it. */
static uint32_t known_parts(struct parser *p, const struct slice *parts, const size_t *ends,
                            uint32_t n, struct plan_expr **found)
{
    for (uint32_t k = n; k > 0; k--)
        if ((*found = given_value(p, parts, ends, k, k < n)))
            return k;
    if (!p->scope || !p->scope->open)
        return 0;
    struct hunt_place place = place_until(p, p->at, ends[n - 1]);
    uint32_t column = scope_find(p, p->scope, join_parts(p, parts, n), place);
    *found = expr_column(p, column, place);
    return *found ? n : 0;
}

static bool is_table(const struct parser *p, struct slice name)
{
    for (uint32_t i = 0; i < p->lets_seen; i++)
        if (!p->lets[i].expr && slice_equal(p->lets[i].name, name))
            return true;
    return false;
}

static struct plan_expr *parse_column(struct parser *p)
{
    struct slice parts[NAME_PARTS];
    size_t ends[NAME_PARTS];
    uint32_t n = name_parts(p, parts, ends);
    struct plan_expr *e = NULL;
    uint32_t known = known_parts(p, parts, ends, n, &e);
    if (!known) {
        struct hunt_place place = place_until(p, p->at, ends[n - 1]);
        if (p->err->status != OK)
            return NULL; /* too many columns */
        if (n == 1 && is_table(p, parts[0]))
            fail_at(p, place, "%.*s is a table: a value is wanted here, as toscalar(...) makes one",
                    SLICE_ARG(parts[0]));
        else
            fail_no_column(p, p->scope, join_parts(p, parts, n), place);
        return NULL;
    }
    struct hunt_place from = peek(p)->place;
    p->at = ends[known - 1];
    for (uint32_t i = known; e && i < n; i++) {
        e = member(p, e, parts[i], place_to(from, p->tokens[ends[i] - 1].place));
        p->at = ends[i];
    }
    return e;
}

/* ---- any field ---- */

static struct plan_expr *parse_any(struct parser *p)
{
    const struct token *t = peek(p);
    if (!p->any_allowed || !p->scope) {
        FAIL(p, "* stands for any column only in where, on the left: where * has \"text\"");
        return NULL;
    }
    const struct plan_operator *op = p->scope->op;
    while (op->kind == OP_WHERE)
        op = op->input;
    if (p->scope->open && op->kind != OP_SCAN) {
        FAIL(p, "any field can be searched only right behind a table of events: put this before "
                "what changes the rows");
        return NULL;
    }
    p->at++;
    return expr_new(p, EXPR_ANY, TYPE_FIELD, t->place);
}

/* A comparison with `*`: as it is over open tables, else of one column after the other. */
static struct plan_expr *each_column(struct parser *p, const struct hunt_function *f,
                                     struct plan_expr *any, struct plan_expr *right)
{
    struct plan_expr *pair[] = {any, right};
    struct hunt_place place = place_to(any->place, right->place);
    struct scope *s = p->scope;
    if (s->open)
        return expr_call(p, f->id, TYPE_BOOL, place, pair, 2);
    struct plan_expr **all = arena_zero(&p->plan->arena, s->n + 1, sizeof *all);
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        enum hunt_type type = p->plan->columns[s->names[i].column].type;
        if (type != TYPE_STRING && type != TYPE_FIELD && type != TYPE_DYNAMIC)
            continue;
        pair[0] = expr_column(p, s->names[i].column, any->place);
        pair[0] = pair[0] ? coerce(p, pair[0], TYPE_STRING) : NULL;
        all[n] = pair[0] ? expr_call(p, f->id, TYPE_BOOL, place, pair, 2) : NULL;
        if (!all[n++])
            return NULL;
    }
    if (!n)
        all[n++] = expr_literal(p, (struct hunt_value){.type = TYPE_BOOL}, place);
    return n == 1 ? all[0] : expr_call(p, FN_OR, TYPE_BOOL, place, all, n);
}

/* ---- what is built of parts ---- */

static struct plan_expr *parse_literal(struct parser *p)
{
    const struct token *t = peek(p);
    p->at++;
    return expr_literal(p, t->value, t->place);
}

static struct plan_expr *parse_group(struct parser *p)
{
    p->at++;
    if (begins_table(p)) {
        FAIL(p, "a value is wanted here, and this is a table: in (...) and toscalar(...) take one");
        return NULL;
    }
    struct plan_expr *e = parse_expr(p);
    return e && want_mark(p, MARK(')'), ")") ? e : NULL;
}

static struct plan_expr *parse_primary(struct parser *p)
{
    const struct token *t = peek(p);
    struct slice part;
    if (t->kind == TOKEN_LITERAL)
        return parse_literal(p);
    if (is_mark(t, MARK('(')))
        return parse_group(p);
    if (is_mark(t, MARK('*')))
        return parse_any(p);
    if (t->kind == TOKEN_NAME && is_mark(peek_next(p), MARK('(')))
        return parse_call(p);
    if (is_name(t, "true") || is_name(t, "false")) {
        p->at++;
        return expr_literal(p, (struct hunt_value){.type = TYPE_BOOL, .truth = is_name(t, "true")},
                            t->place);
    }
    if (is_name(t, "null")) {
        FAIL(p, "write isnull(x) to ask for null, and long(null), datetime(null), ... for one");
        return NULL;
    }
    if (name_part(p, p->at, &part))
        return parse_column(p);
    fail_expected(p, "a value or a column");
    return NULL;
}

static struct plan_expr *parse_element(struct parser *p, struct plan_expr *of)
{
    p->at++;
    struct plan_expr *index = parse_expr(p);
    if (!index || !want_mark(p, MARK(']'), "]"))
        return NULL;
    if (index->kind == EXPR_LITERAL && index->type == TYPE_STRING)
        return member(p, of, index->literal.text, index->place);
    return binary(p, FN_ELEMENT, of, index);
}

static struct plan_expr *parse_postfix(struct parser *p)
{
    struct plan_expr *e = parse_primary(p);
    while (e) {
        const struct token *t = peek(p);
        struct slice part;
        size_t end = is_mark(t, MARK('.')) ? name_part(p, p->at + 1, &part) : 0;
        if (end) {
            struct hunt_place place = place_to(e->place, p->tokens[end - 1].place);
            p->at = end;
            e = member(p, e, part, place);
        } else if (is_mark(t, MARK('['))) {
            e = parse_element(p, e);
        } else {
            break;
        }
    }
    return e;
}

/* Recursion: deeper() bounds it. */
static struct plan_expr *parse_unary(struct parser *p)
{
    const struct token *t = peek(p);
    bool minus = is_mark(t, MARK('-'));
    if (!minus && !is_mark(t, MARK('+')))
        return parse_postfix(p);
    if (!deeper(p))
        return NULL;
    p->at++;
    struct plan_expr *e = parse_unary(p);
    p->depth--;
    if (!e || !minus)
        return e;
    return check_call(p, hunt_function(FN_NEGATE), place_to(t->place, e->place), &e, 1);
}

static struct plan_expr *parse_product(struct parser *p)
{
    struct plan_expr *e = parse_unary(p);
    while (e) {
        const struct token *t = peek(p);
        enum function_id id = is_mark(t, MARK('*'))   ? FN_MULTIPLY
                              : is_mark(t, MARK('/')) ? FN_DIVIDE
                              : is_mark(t, MARK('%')) ? FN_MODULO
                                                      : FUNCTIONS;
        if (id == FUNCTIONS)
            break;
        p->at++;
        e = binary(p, id, e, parse_unary(p));
    }
    return e;
}

/* `cs-method` is read as a difference; somebody means the field of that name. */
static bool is_dashed_name(struct parser *p, const struct plan_expr *left)
{
    const struct token *minus = peek(p), *right = peek_next(p);
    return left->kind == EXPR_COLUMN && left->type == TYPE_FIELD && is_mark(minus, MARK('-')) &&
           right->kind == TOKEN_NAME && left->place.at + left->place.n == minus->place.at &&
           minus->place.at + 1 == right->place.at;
}

static struct plan_expr *parse_sum(struct parser *p)
{
    struct plan_expr *e = parse_product(p);
    while (e) {
        bool plus = is_mark(peek(p), MARK('+')), minus = is_mark(peek(p), MARK('-'));
        if (!plus && !minus)
            break;
        if (is_dashed_name(p, e)) {
            fail_at(p, e->place,
                    "a name with a dash is written ['%.*s-%.*s']; for a difference put spaces "
                    "around the minus",
                    SLICE_ARG(p->plan->columns[e->column].name), SLICE_ARG(peek_next(p)->text));
            return NULL;
        }
        p->at++;
        e = binary(p, plus ? FN_ADD : FN_SUBTRACT, e, parse_product(p));
    }
    return e;
}

/* ---- comparisons ---- */

struct comparison {
    const char *name; /* or, when it is a mark: */
    unsigned mark;
    enum function_id id;
    bool negated;
};

static const struct comparison comparisons[] = {
    {NULL, MARK2('=', '='), FN_EQUAL, false},
    {NULL, MARK2('!', '='), FN_EQUAL, true},
    {NULL, MARK2('<', '>'), FN_EQUAL, true},
    {NULL, MARK2('=', '~'), FN_EQUAL_NOCASE, false},
    {NULL, MARK2('!', '~'), FN_EQUAL_NOCASE, true},
    {NULL, MARK('<'), FN_LESS, false},
    {NULL, MARK2('<', '='), FN_LESS_EQUAL, false},
    {NULL, MARK('>'), FN_GREATER, false},
    {NULL, MARK2('>', '='), FN_GREATER_EQUAL, false},
    {"has", 0, FN_HAS, false},
    {"!has", 0, FN_HAS, true},
    {"has_cs", 0, FN_HAS_CS, false},
    {"!has_cs", 0, FN_HAS_CS, true},
    {"contains", 0, FN_CONTAINS, false},
    {"!contains", 0, FN_CONTAINS, true},
    {"contains_cs", 0, FN_CONTAINS_CS, false},
    {"!contains_cs", 0, FN_CONTAINS_CS, true},
    {"startswith", 0, FN_STARTS, false},
    {"!startswith", 0, FN_STARTS, true},
    {"startswith_cs", 0, FN_STARTS_CS, false},
    {"!startswith_cs", 0, FN_STARTS_CS, true},
    {"endswith", 0, FN_ENDS, false},
    {"!endswith", 0, FN_ENDS, true},
    {"endswith_cs", 0, FN_ENDS_CS, false},
    {"!endswith_cs", 0, FN_ENDS_CS, true},
    {"matches", 0, FN_REGEX, false},
    {"in", 0, FN_IN, false},
    {"!in", 0, FN_IN, true},
    {"in~", 0, FN_IN_NOCASE, false},
    {"!in~", 0, FN_IN_NOCASE, true},
    {"has_any", 0, FN_HAS_ANY, false},
    {"has_all", 0, FN_HAS_ALL, false},
    {"between", 0, FN_AND, false},
    {"!between", 0, FN_AND, true},
};

static const struct comparison *comparison_at(const struct token *t)
{
    for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; i++) {
        const struct comparison *c = &comparisons[i];
        if (c->name ? is_name(t, c->name) : is_mark(t, c->mark))
            return c;
    }
    return NULL;
}

/* Words that may stand behind an expression. */
static bool may_follow(const struct token *t)
{
    static const char *const words[] = {"and", "or", "by",    "asc",  "desc",   "nulls", "on",
                                        "to",  "of", "limit", "with", "within", "step"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_name(t, words[i]))
            return true;
    return false;
}

/* Words of other languages, or an operator that is misspelt, where a comparison could stand. False:
 * nothing is wrong. */
static bool fail_comparison(struct parser *p)
{
    const struct token *t = peek(p);
    struct near near = {0};
    char text[NEAR_TEXT];
    if (is_mark(t, MARK('=')))
        return !FAIL(p, "= gives a name to a value; to compare, write == (or =~ without case)");
    if (t->kind != TOKEN_NAME || may_follow(t))
        return false;
    if (slice_equal_nocase(t->text, SLICE("like")))
        return !FAIL(p,
                     "there is no like: use contains, startswith, endswith, has or matches regex");
    if (slice_equal_nocase(t->text, SLICE("is")))
        return !FAIL(p, "write isempty(x), isnotempty(x), isnull(x) or isnotnull(x)");
    if (slice_equal_nocase(t->text, SLICE("not")))
        return !FAIL(p, "a comparison is negated by !: !in, !has, !contains, !between; or "
                        "not(...) around all of it");
    for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; i++)
        if (comparisons[i].name)
            near_try(&near, t->text, slice_str(comparisons[i].name));
    near_try(&near, t->text, SLICE("and"));
    near_try(&near, t->text, SLICE("or"));
    return near.name.n &&
           !FAIL(p, "%.*s is no operator%s", SLICE_ARG(t->text), near_text(&near, text));
}

static struct plan_expr *parse_between(struct parser *p, struct plan_expr *e)
{
    if (!want_mark(p, MARK('('), "(, as in between (1 .. 5)"))
        return NULL;
    struct plan_expr *from = parse_sum(p);
    if (!from || !want_mark(p, MARK2('.', '.'), "..,  as in between (1 .. 5)"))
        return NULL;
    struct plan_expr *to = parse_sum(p);
    if (!to || !want_mark(p, MARK(')'), ")"))
        return NULL;
    if (to->type == TYPE_TIMESPAN && from->type == TYPE_DATETIME)
        to = binary(p, FN_ADD, from, to); /* so long from then on */
    struct plan_expr *both[] = {binary(p, FN_GREATER_EQUAL, e, from), NULL};
    both[1] = both[0] ? binary(p, FN_LESS_EQUAL, e, to) : NULL;
    return both[1] ? expr_call(p, FN_AND, TYPE_BOOL, both[0]->place, both, 2) : NULL;
}

static struct plan_expr *compare(struct parser *p, const struct comparison *c,
                                 struct plan_expr *left)
{
    const struct hunt_function *f = hunt_function(c->id);
    struct plan_expr *right;
    if (left->kind == EXPR_ANY &&
        (c->id == FN_AND || (c->id >= FN_LESS && c->id <= FN_GREATER_EQUAL))) {
        FAIL(p, "any column can only be compared as text: * has \"text\", * == \"text\"");
        return NULL;
    }
    p->at++;
    if (c->id == FN_AND)
        return parse_between(p, left);
    if (c->id == FN_REGEX && !take_name(p, "regex")) {
        fail_expected(p, "regex, as in matches regex \"a+\"");
        return NULL;
    }
    if (c->id == FN_IN || c->id == FN_IN_NOCASE || c->id == FN_HAS_ANY || c->id == FN_HAS_ALL) {
        right = parse_list(p, f, &left);
        if (!right || right->kind == EXPR_CALL)
            return right;
        if (left->kind == EXPR_ANY)
            return each_column(p, f, left, right);
        struct plan_expr *args[] = {left, right};
        return expr_call(p, c->id, TYPE_BOOL, place_to(left->place, right->place), args, 2);
    }
    right = parse_sum(p);
    if (!right || left->kind != EXPR_ANY)
        return binary(p, c->id, left, right);
    struct plan_expr *args[] = {left, right}; /* to complain of what is no text, no constant */
    right = check_call(p, f, right->place, args, 2) ? coerce(p, args[1], TYPE_STRING) : NULL;
    return right ? each_column(p, f, left, right) : NULL;
}

/* Text alone in a search: any column has it. "*text*": holds it. */
static struct plan_expr *search_text(struct parser *p, struct plan_expr *e)
{
    const struct hunt_function *f = hunt_function(FN_HAS);
    struct slice text = e->literal.text;
    bool stars = text.n > 2 && text.p[0] == '*' && text.p[text.n - 1] == '*';
    struct hunt_value v = {.type = TYPE_STRING, .text = text};
    if (stars) {
        f = hunt_function(FN_CONTAINS);
        v.text = slice_sub(text, 1, text.n - 2);
    }
    if (slice_find(v.text, SLICE("*")) >= 0) {
        fail_at(p, e->place,
                "stars stand at both ends (\"*text*\") or nowhere; for more, where * "
                "matches regex");
        return NULL;
    }
    struct plan_expr *any = expr_new(p, EXPR_ANY, TYPE_FIELD, e->place);
    struct plan_expr *right = expr_literal(p, v, e->place);
    return any && right ? each_column(p, f, any, right) : NULL;
}

static struct plan_expr *parse_comparison(struct parser *p)
{
    struct plan_expr *e = parse_sum(p);
    const struct comparison *c = e ? comparison_at(peek(p)) : NULL;
    if (!e)
        return NULL;
    if (c) {
        e = compare(p, c, e);
        if (e && comparison_at(peek(p))) {
            FAIL(p, "comparisons do not chain: join them with and, or between (a .. b)");
            return NULL;
        }
        return e && c->negated ? negated(p, e) : e;
    }
    if (e->kind == EXPR_ANY) {
        fail_expected(p, "a comparison, as in * has \"text\"");
        return NULL;
    }
    if (p->searching && e->kind == EXPR_LITERAL && e->type == TYPE_STRING)
        return search_text(p, e);
    return fail_comparison(p) ? NULL : e;
}

/* ---- and, or ---- */

/* `name` between two or more of what `part` reads. */
static struct plan_expr *parse_chain(struct parser *p, const char *name, enum function_id id,
                                     struct plan_expr *(*part)(struct parser *))
{
    struct plan_expr **all = NULL, *e;
    uint32_t n = 0, cap = 0;
    do {
        e = part(p);
        if (!e)
            return NULL;
        *LIST_PUSH(p, all, n, cap) = e;
    } while (take_name(p, name));
    if (n == 1)
        return e;
    for (uint32_t i = 0; i < n; i++)
        if (!(all[i] = coerce(p, all[i], TYPE_BOOL)))
            return NULL;
    return expr_call(p, id, TYPE_BOOL, place_to(all[0]->place, all[n - 1]->place), all, n);
}

static struct plan_expr *parse_and(struct parser *p)
{
    return parse_chain(p, "and", FN_AND, parse_comparison);
}

/* Recursion: deeper() bounds it. */
struct plan_expr *parse_expr(struct parser *p)
{
    if (!deeper(p))
        return NULL;
    struct plan_expr *e = parse_chain(p, "or", FN_OR, parse_and);
    p->depth--;
    return e;
}

struct plan_expr *parse_expr_of(struct parser *p, enum hunt_type type)
{
    struct plan_expr *e = parse_expr(p);
    return e ? coerce(p, e, type) : NULL;
}

bool parse_count(struct parser *p, const char *what, uint64_t *out)
{
    struct scope *scope = p->scope;
    p->scope = NULL;
    struct plan_expr *e = parse_sum(p);
    p->scope = scope;
    if (!e)
        return false;
    if (e->kind != EXPR_LITERAL || e->type != TYPE_LONG || e->literal.null || e->literal.number < 0)
        return fail_at(p, e->place, "%s is wanted here: a whole number of at least 0", what);
    *out = (uint64_t)e->literal.number;
    return true;
}

/* ---- names for values ---- */

struct slice expr_name(struct parser *p, const struct plan_expr *e)
{
    while (e->kind == EXPR_CALL) {
        switch (e->function) {
        case FN_MEMBER: {
            struct slice of = expr_name(p, e->args[0]);
            return of.n ? arena_printf(&p->plan->arena, "%.*s_%.*s", SLICE_ARG(of),
                                       SLICE_ARG(e->args[1]->literal.text))
                        : e->args[1]->literal.text;
        }
        case FN_ELEMENT:
        case FN_BIN:
        case FN_TOSTRING:
        case FN_TOLONG:
        case FN_TODOUBLE:
        case FN_TOBOOL:
        case FN_TODATETIME:
        case FN_TOTIMESPAN:
        case FN_TODYNAMIC:
            e = e->args[0];
            break;
        default:
            return (struct slice){0};
        }
    }
    struct slice name = {0};
    if (e->kind == EXPR_COLUMN && !slice_equal(p->plan->columns[e->column].name, SLICE("*")))
        name = p->plan->columns[e->column].name; /* "*": pack_all() */
    return name;
}

bool parse_named(struct parser *p, struct named_expr *out)
{
    struct slice parts[NAME_PARTS];
    size_t ends[NAME_PARTS];
    uint32_t n = name_parts(p, parts, ends);
    *out = (struct named_expr){.place = peek(p)->place};
    out->given = n && is_mark(&p->tokens[ends[n - 1]], MARK('='));
    if (out->given) {
        if (!parse_name(p, "a name", &out->name, &out->place))
            return false;
        p->at++;
    }
    out->expr = parse_expr(p);
    if (out->expr && !out->given)
        out->name = expr_name(p, out->expr);
    return out->expr != NULL;
}
