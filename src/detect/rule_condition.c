#include "base/vec.h"
#include "detect/ruleset_internal.h"

#include <stdarg.h>
#include <stdlib.h>

/*
 * condition := and { "or" and }
 * and       := not { "and" not }
 * not       := "not" not | term
 * term      := "(" condition ")" | ("all" | "any" | NUMBER) "of" ("them" | PATTERN) | NAME
 */

struct parser {
    struct ruleset *set;
    const struct rule_document *doc;
    const struct yaml_node *node;
    struct slice text;
    size_t at;          /* behind `token` */
    struct slice token; /* "(", ")", "|" or a word; empty at the end */
    size_t token_at;    /* where it begins */
    const struct slice *names;
    uint32_t names_n;
    uint32_t depth, terms;
    struct error *err;
};

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word(char c)
{
    return !is_space(c) && c != '(' && c != ')' && c != '|' && c != ',';
}

static void next(struct parser *p)
{
    size_t at = p->at;
    while (at < p->text.n && is_space(p->text.p[at]))
        at++;
    p->token_at = at;
    if (at < p->text.n && !is_word(p->text.p[at]))
        at++;
    else
        while (at < p->text.n && is_word(p->text.p[at]))
            at++;
    p->token = slice_sub(p->text, p->token_at, at - p->token_at);
    p->at = at;
}

static bool is(const struct parser *p, const char *word)
{
    return slice_equal_nocase(p->token, slice_str(word));
}

/* Line and column of the place `at` of the condition: exact where the scalar's text stands on one
 * line in the file as it is, else those of the scalar. */
static void place(const struct parser *p, size_t at, struct error *err)
{
    struct slice source = p->doc->source;
    uint32_t line = 1;
    size_t begin = 0;
    while (line < p->node->line) {
        ptrdiff_t end = slice_find(slice_sub(source, begin, SIZE_MAX), SLICE("\n"));
        if (end < 0)
            return;
        begin += (size_t)end + 1;
        line++;
    }
    for (uint32_t quote = 0; quote <= 1; quote++) {
        struct slice there = slice_sub(source, begin + p->node->column - 1 + quote, at);
        if (slice_equal(there, slice_sub(p->text, 0, at)) && slice_find(there, SLICE("\n")) < 0 &&
            (quote == 0 || at > 0)) {
            err->column = p->node->column + quote + (uint32_t)at;
            return;
        }
    }
}

static __attribute__((format(printf, 3, 4))) struct sigma_condition *
fail(struct parser *p, size_t at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_vset(p->err, STATUS_BAD_INPUT, p->doc->path, p->node->line, format, args);
    va_end(args);
    p->err->column = p->node->column;
    place(p, at, p->err);
    return NULL;
}

static struct sigma_condition *node_new(struct parser *p, struct sigma_condition made)
{
    struct sigma_condition *c = arena_alloc(&p->set->arena, sizeof *c);
    *c = made;
    return c;
}

/* `*` stands for any number of characters. */
static bool pattern_holds(struct slice pattern, struct slice name)
{
    size_t p = 0, n = 0, star = SIZE_MAX, star_n = 0;
    while (n < name.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            star_n = n;
        } else if (p < pattern.n && pattern.p[p] == name.p[n]) {
            p++;
            n++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            n = ++star_n;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

/* The word before "of" as a quantity: 0 for all; false when it is none. */
static bool quantity(struct slice word, uint32_t *out)
{
    *out = 0;
    if (slice_equal_nocase(word, SLICE("all")))
        return true;
    if (slice_equal_nocase(word, SLICE("any"))) {
        *out = 1;
        return true;
    }
    if (word.n == 0 || word.n > 4)
        return false;
    for (size_t i = 0; i < word.n; i++) {
        if (word.p[i] < '0' || word.p[i] > '9')
            return false;
        *out = *out * 10 + (uint32_t)(word.p[i] - '0');
    }
    return true;
}

/* Behind "of": the token is what it speaks of. */
static struct sigma_condition *parse_of(struct parser *p, uint32_t least, size_t at)
{
    if (p->token.n == 0 || !is_word(p->token.p[0]))
        return fail(p, p->token_at,
                    "after 'of' stands a name, a pattern such as selection_*, or 'them'");
    struct sigma_condition *c =
        node_new(p, (struct sigma_condition){.type = COND_OF, .quantity = least});
    c->pattern = arena_slice(&p->set->arena, p->token);
    c->searches = arena_zero(&p->set->arena, p->names_n, sizeof *c->searches);
    bool them = is(p, "them");
    for (uint32_t i = 0; i < p->names_n; i++)
        if (them ? !slice_starts(p->names[i], SLICE("_")) : pattern_holds(p->token, p->names[i]))
            c->searches[c->searches_n++] = i;
    if (c->searches_n == 0)
        return fail(p, p->token_at, "no search identifier here fits '%.*s'", SLICE_ARG(p->token));
    if (least > c->searches_n)
        return fail(p, at, "%u of '%.*s' can't match: only %u search identifiers fit it", least,
                    SLICE_ARG(p->token), c->searches_n);
    next(p);
    return c;
}

static struct sigma_condition *parse_name(struct parser *p)
{
    if (slice_find(p->token, SLICE("*")) >= 0)
        return fail(p, p->token_at, "the pattern '%.*s' needs '1 of' or 'all of' before it",
                    SLICE_ARG(p->token));
    for (uint32_t i = 0; i < p->names_n; i++)
        if (slice_equal(p->names[i], p->token)) {
            next(p);
            return node_new(p, (struct sigma_condition){.type = COND_SEARCH, .search = i});
        }
    return fail(p, p->token_at, "there is no search identifier '%.*s'", SLICE_ARG(p->token));
}

static struct sigma_condition *parse_chain(struct parser *p, bool or);

static struct sigma_condition *parse_term(struct parser *p)
{
    size_t at = p->token_at;
    if (p->token.n == 0)
        return fail(p, at, "the condition ends where a search identifier is expected");
    if (p->token.p[0] == '(') {
        next(p);
        struct sigma_condition *c = parse_chain(p, true);
        if (!c)
            return NULL;
        if (!is(p, ")"))
            return fail(p, at, "this parenthesis is never closed");
        next(p);
        return c;
    }
    if (!is_word(p->token.p[0]) || is(p, "and") || is(p, "or"))
        return fail(p, at, "'%.*s' stands where a search identifier is expected",
                    SLICE_ARG(p->token));
    if (++p->terms > CONDITION_TERMS)
        return fail(p, at, "the condition has more than %d terms", CONDITION_TERMS);
    struct parser before = *p;
    uint32_t least;
    if (quantity(p->token, &least)) {
        bool zero = least == 0 && p->token.p[0] == '0';
        next(p);
        if (is(p, "of")) {
            if (zero)
                return fail(p, at, "'0 of' always matches; at least 1 is needed");
            next(p);
            return parse_of(p, least, at);
        }
        *p = before;
    }
    return parse_name(p);
}

static struct sigma_condition *parse_not(struct parser *p)
{
    size_t at = p->token_at;
    if (p->depth >= CONDITION_DEPTH)
        return fail(p, at, "parentheses and 'not' are nested deeper than %d", CONDITION_DEPTH);
    struct sigma_condition *c;
    p->depth++;
    if (is(p, "not")) {
        next(p);
        c = parse_not(p);
        if (c)
            c = node_new(p, (struct sigma_condition){.type = COND_NOT, .left = c});
    } else {
        c = parse_term(p);
    }
    p->depth--;
    return c;
}

/* A balanced tree over the parts of a chain, so that walking it never goes deep. */
static struct sigma_condition *join(struct parser *p, bool or, struct sigma_condition **parts,
                                    size_t n)
{
    if (n == 1)
        return parts[0];
    size_t half = n / 2;
    return node_new(p, (struct sigma_condition){
                           .type = or ? COND_OR : COND_AND,
                           .left = join(p, or, parts, half),
                           .right = join(p, or, parts + half, n - half),
                       });
}

/* With `or`: and-chains joined by "or"; without: terms joined by "and". */
static struct sigma_condition *parse_chain(struct parser *p, bool or)
{
    struct {
        struct sigma_condition **at;
        size_t n, cap;
    } parts = {0};
    struct sigma_condition *c;
    for (;;) {
        c = or ? parse_chain(p, false) : parse_not(p);
        if (!c)
            break;
        *VEC_PUSH(parts) = c;
        if (!is(p, or ? "or" : "and"))
            break;
        next(p);
    }
    if (c)
        c = join(p, or, parts.at, parts.n);
    free(parts.at);
    return c;
}

enum status rule_condition(struct ruleset *set, const struct rule_document *doc,
                           const struct yaml_node *node, const struct slice *names,
                           uint32_t names_n, struct sigma_condition **out, struct error *err)
{
    struct parser p = {.set = set,
                       .doc = doc,
                       .node = node,
                       .text = yaml_text(node),
                       .names = names,
                       .names_n = names_n,
                       .err = err};
    *out = NULL;
    if (!node || node->type != YAML_SCALAR || slice_trim(p.text).n == 0)
        return yaml_error(err, doc->path, node ? node : doc->root,
                          "the condition must be a text such as 'selection and not filter'");
    ptrdiff_t bar = slice_find(p.text, SLICE("|"));
    if (bar >= 0) {
        fail(&p, (size_t)bar,
             "the aggregation behind '|' is no part of Sigma 2; write a correlation rule "
             "(event_count, value_count, temporal) that refers to this rule");
        return STATUS_BAD_INPUT;
    }
    next(&p);
    struct sigma_condition *c = parse_chain(&p, true);
    if (!c)
        return STATUS_BAD_INPUT;
    if (p.token.n) {
        if (is(&p, ")"))
            fail(&p, p.token_at, "this parenthesis closes none");
        else
            fail(&p, p.token_at, "'and' or 'or' is missing before '%.*s'", SLICE_ARG(p.token));
        return STATUS_BAD_INPUT;
    }
    *out = c;
    return OK;
}
