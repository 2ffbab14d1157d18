#include "hunt/parse_internal.h"

#include "base/text.h"

struct lexer {
    struct plan *plan;
    struct error *err;
    struct slice text;
    size_t at;
    struct token *tokens;
    size_t n, cap;
};

static bool fail(struct lexer *l, size_t at, size_t n, const char *what)
{
    plan_error(l->plan, (struct hunt_place){(uint32_t)at, (uint32_t)n}, l->err, "%s", what);
    return false;
}

/* The byte `ahead` of the present one; 0 past the end. */
static char byte(const struct lexer *l, size_t ahead)
{
    return l->at + ahead < l->text.n ? l->text.p[l->at + ahead] : '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool begins_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool in_name(char c)
{
    return begins_name(c) || is_digit(c);
}

static struct token *add(struct lexer *l, enum token_kind kind, size_t from)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 64;
        struct token *more = arena_zero(&l->plan->arena, cap, sizeof *more);
        if (l->n)
            memcpy(more, l->tokens, l->n * sizeof *more);
        l->tokens = more;
        l->cap = cap;
    }
    struct token *t = &l->tokens[l->n++];
    *t = (struct token){.kind = kind,
                        .place = {(uint32_t)from, (uint32_t)(l->at - from)},
                        .text = slice_sub(l->text, from, l->at - from)};
    return t;
}

static void skip_blanks(struct lexer *l)
{
    for (;; l->at++) {
        if (byte(l, 0) == '/' && byte(l, 1) == '/')
            while (l->at < l->text.n && byte(l, 0) != '\n')
                l->at++;
        char c = byte(l, 0);
        if (l->at == l->text.n || (c != ' ' && c != '\t' && c != '\n' && c != '\r'))
            return;
    }
}

/* ---- text ---- */

static void put_character(struct buf *b, uint32_t c)
{
    if (c < 0x80) {
        buf_char(b, (char)c);
    } else if (c < 0x800) {
        buf_char(b, (char)(0xc0 | c >> 6));
        buf_char(b, (char)(0x80 | (c & 0x3f)));
    } else {
        buf_char(b, (char)(0xe0 | c >> 12));
        buf_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_char(b, (char)(0x80 | (c & 0x3f)));
    }
}

/* \xHH and \uHHHH: `digits` behind the letter at hand. */
static bool escaped_code(struct lexer *l, size_t digits, struct buf *out)
{
    int64_t code;
    char text[8] = "0x";
    size_t from = l->at - 1;
    for (size_t i = 0; i < digits; i++)
        text[2 + i] = byte(l, 1 + i);
    if (!text_long(slice_of(text, 2 + digits), &code) || (code >= 0xd800 && code < 0xe000))
        return fail(l, from, 2, "a character's code is wanted here: \\x41 or \\u3042");
    put_character(out, (uint32_t)code);
    l->at += digits + 1;
    return true;
}

/* At the backslash. */
static bool escape(struct lexer *l, struct buf *out)
{
    static const char letters[] = "nrtabfv0/\\\"'";
    static const char means[] = "\n\r\t\a\b\f\v\0/\\\"'";
    l->at++;
    char c = byte(l, 0);
    if (c == 'x')
        return escaped_code(l, 2, out);
    if (c == 'u')
        return escaped_code(l, 4, out);
    const char *found = c ? strchr(letters, c) : NULL;
    if (!found)
        return fail(l, l->at - 1, 2,
                    "a backslash begins an escape here: write \\\\ for one, or put @ before the "
                    "quotes so that backslashes mean themselves");
    buf_char(out, means[found - letters]);
    l->at++;
    return true;
}

/* At the quote. In a verbatim text a doubled quote is one. */
static bool quoted(struct lexer *l, bool verbatim, struct buf *out)
{
    size_t from = l->at;
    char quote = byte(l, 0);
    for (l->at++;;) {
        char c = byte(l, 0);
        if (l->at == l->text.n || c == '\n')
            return fail(l, from, 1, "this text has no end: the closing quote is missing");
        if (c == quote && verbatim && byte(l, 1) == quote) {
            buf_char(out, c);
            l->at += 2;
        } else if (c == quote) {
            l->at++;
            return true;
        } else if (c == '\\' && !verbatim) {
            if (!escape(l, out))
                return false;
        } else {
            buf_char(out, c);
            l->at++;
        }
    }
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

static bool lex_string(struct lexer *l)
{
    size_t from = l->at;
    struct buf b = {0};
    bool verbatim = byte(l, 0) == '@';
    l->at += verbatim;
    bool good = quoted(l, verbatim, &b);
    if (good && !utf8_valid(buf_slice(&b)))
        good = fail(l, from, 1, "this text is not UTF-8");
    if (good)
        add(l, TOKEN_LITERAL, from)->value = (struct hunt_value){
            .type = TYPE_STRING, .text = arena_slice(&l->plan->arena, buf_slice(&b))};
    buf_free(&b);
    return good;
}

/* ```text```, over any number of lines */
static bool lex_block(struct lexer *l)
{
    size_t from = l->at, end;
    ptrdiff_t n = slice_find(slice_sub(l->text, from + 3, l->text.n), SLICE("```"));
    if (n < 0)
        return fail(l, from, 3, "this text has no end: the closing ``` is missing");
    end = from + 3 + (size_t)n;
    struct slice text = slice_sub(l->text, from + 3, (size_t)n);
    l->at = end + 3;
    add(l, TOKEN_LITERAL, from)->value = (struct hunt_value){.type = TYPE_STRING, .text = text};
    return true;
}

/* ---- numbers ---- */

static bool lex_number(struct lexer *l)
{
    size_t from = l->at;
    struct hunt_value v = {.type = TYPE_LONG};
    bool hex = byte(l, 0) == '0' && (byte(l, 1) | 0x20) == 'x', real = false;
    l->at += hex ? 2 : 0;
    while (hex ? in_name(byte(l, 0)) : is_digit(byte(l, 0)))
        l->at++;
    if (!hex && byte(l, 0) == '.' && is_digit(byte(l, 1))) {
        for (real = true, l->at++; is_digit(byte(l, 0));)
            l->at++;
    }
    size_t sign = byte(l, 1) == '-' || byte(l, 1) == '+';
    if (!hex && (byte(l, 0) | 0x20) == 'e' && is_digit(byte(l, 1 + sign))) {
        for (real = true, l->at += 1 + sign; is_digit(byte(l, 0));)
            l->at++;
    }
    size_t digits = l->at;
    while (in_name(byte(l, 0)))
        l->at++;
    struct slice text = slice_sub(l->text, from, l->at - from);
    if (l->at > digits) {
        v.type = TYPE_TIMESPAN;
        if (!text_timespan(text, &v.number))
            return fail(l, from, l->at - from,
                        "no number and no timespan: units are d, h, m, s, ms, microsecond, tick "
                        "(1.5h, 90s)");
    } else if (real) {
        v.type = TYPE_REAL;
        if (!text_number(text, &v.real))
            return fail(l, from, l->at - from, "this number is too long");
    } else if (!text_long(text, &v.number)) {
        return fail(l, from, l->at - from, "this number does not fit into 64 bits");
    }
    add(l, TOKEN_LITERAL, from)->value = v;
    return true;
}

/* ---- names ---- */

/* Operators whose names have a dash. */
static const char *const dashed[] = {
    "project-away", "project-keep", "project-rename",  "project-reorder", "mv-expand",
    "mv-apply",     "make-series",  "sample-distinct", "top-nested",      "top-hitters",
    "parse-where",  "parse-kv",     "make-graph",      "graph-match",     "partition-by",
};

static void lex_dash(struct lexer *l, size_t from)
{
    for (size_t i = 0; i < sizeof dashed / sizeof *dashed; i++) {
        struct slice word = slice_str(dashed[i]);
        struct slice here = slice_sub(l->text, from, word.n);
        if (slice_equal(here, word) &&
            (from + word.n == l->text.n || !in_name(l->text.p[from + word.n])))
            l->at = from + word.n;
    }
}

/* datetime(2026-11-10 10:23) and timespan(1.02:03:04), whose insides are no tokens. At the '('. */
static bool lex_time(struct lexer *l, size_t from, enum hunt_type type)
{
    size_t open = l->at + 1, end = open;
    while (end < l->text.n && l->text.p[end] != ')' && l->text.p[end] != '\n')
        end++;
    if (end == l->text.n || l->text.p[end] != ')')
        return fail(l, from, open - from, "the closing parenthesis is missing");
    struct slice text = slice_trim(slice_sub(l->text, open, end - open));
    if (text.n >= 2 && is_quote(text.p[0]) && text.p[text.n - 1] == text.p[0])
        text = slice_trim(slice_sub(text, 1, text.n - 2));
    struct hunt_value v = {.type = type, .null = slice_equal(text, SLICE("null"))};
    l->at = end + 1;
    if (!v.null && type == TYPE_DATETIME && !text_datetime(text, &v.number))
        return fail(l, from, l->at - from,
                    "no time that is understood: datetime(2026-11-10), "
                    "datetime(2026-11-10T10:23:41Z); for a field, todatetime(NAME)");
    if (!v.null && type == TYPE_TIMESPAN && !text_timespan(text, &v.number))
        return fail(l, from, l->at - from,
                    "no timespan that is understood: timespan(1.02:03:04), timespan(90s); for a "
                    "field, totimespan(NAME)");
    add(l, TOKEN_LITERAL, from)->value = v;
    return true;
}

static bool lex_name(struct lexer *l)
{
    size_t from = l->at;
    l->at++; /* also of $left, @timestamp, !has */
    while (in_name(byte(l, 0)))
        l->at++;
    struct slice name = slice_sub(l->text, from, l->at - from);
    if (byte(l, 0) == '-')
        lex_dash(l, from);
    if (byte(l, 0) == '~' && (slice_equal(name, SLICE("in")) || slice_equal(name, SLICE("!in"))))
        l->at++;
    if (byte(l, 0) == '(') {
        if (slice_equal(name, SLICE("datetime")) || slice_equal(name, SLICE("date")))
            return lex_time(l, from, TYPE_DATETIME);
        if (slice_equal(name, SLICE("timespan")) || slice_equal(name, SLICE("time")))
            return lex_time(l, from, TYPE_TIMESPAN);
    }
    if (!utf8_valid(name))
        return fail(l, from, name.n, "this name is not UTF-8");
    add(l, TOKEN_NAME, from);
    return true;
}

/* ---- all ---- */

static bool lex_mark(struct lexer *l)
{
    static const char pairs[][3] = {"==", "!=", "=~", "!~", "<=", ">=", "<>", ".."};
    size_t from = l->at;
    char c = byte(l, 0);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (c == pairs[i][0] && byte(l, 1) == pairs[i][1]) {
            l->at += 2;
            add(l, TOKEN_MARK, from)->mark = (unsigned)MARK2(pairs[i][0], pairs[i][1]);
            return true;
        }
    if ((c == '&' || c == '|') && byte(l, 1) == c)
        return fail(l, from, 2, c == '&' ? "write `and`" : "write `or`");
    if (!c || !strchr("|;,.()[]{}=<>+-*/%:", c))
        return fail(l, from, 1,
                    c == '#' ? "comments begin with //" : "this character has no meaning here");
    l->at++;
    add(l, TOKEN_MARK, from)->mark = (unsigned char)c;
    return true;
}

static bool lex_one(struct lexer *l)
{
    char c = byte(l, 0), next = byte(l, 1);
    if (is_quote(c) || (c == '@' && is_quote(next)))
        return lex_string(l);
    if (c == '`' && next == '`' && byte(l, 2) == '`')
        return lex_block(l);
    if (is_digit(c))
        return lex_number(l);
    if (begins_name(c) || ((c == '$' || c == '@' || c == '!') && begins_name(next)))
        return lex_name(l);
    return lex_mark(l);
}

bool lex(struct plan *plan, struct token **tokens, size_t *n, struct error *err)
{
    struct lexer l = {.plan = plan, .err = err, .text = plan->text};
    for (skip_blanks(&l); l.at < l.text.n; skip_blanks(&l)) {
        if (l.n >= HUNT_TOKENS)
            return fail(&l, l.at, 1, "the query is too long");
        if (!lex_one(&l))
            return false;
    }
    add(&l, TOKEN_END, l.at);
    *tokens = l.tokens;
    *n = l.n;
    return true;
}
