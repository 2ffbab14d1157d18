#include "intake/json_scan.h"

#include "base/text.h"
#include "intake/json_simdjson.h"

#include <math.h>
#include <stdlib.h>

enum { NUMBER_MOST = 64 }; /* characters of a number that is read as one */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* ---- where documents end ---- */

/* A document's state between two characters outside of strings. */
struct scan {
    uint64_t arrays; /* a bit a level: set where it is an array; the lowest is the innermost */
    unsigned depth;
    char before; /* the last character that counts; '\0' at the start */
};

/* Behind the string whose opening quote is at `at`; 0 when it does not end there or on its line. */
static size_t string_end(struct slice s, size_t at, bool *broken)
{
    for (at++; at < s.n; at++) {
        if (s.p[at] == '"')
            return at + 1;
        if (s.p[at] == '\\')
            at++;
        else if (s.p[at] == '\n') {
            *broken = true;
            break;
        }
    }
    return 0;
}

/* Whether an object or array may begin here. */
static bool may_open(const struct scan *state)
{
    switch (state->before) {
    case '\0':
    case ':':
    case '[':
        return true;
    case ',':
        return state->arrays & 1;
    default:
        return false;
    }
}

/* Takes one character outside of strings; false when the document breaks off there. */
static bool take(struct scan *state, char c)
{
    switch (c) {
    case '{':
    case '[':
        if (!may_open(state) || state->depth == JSON_DEPTH)
            return false;
        state->arrays = state->arrays << 1 | (c == '[');
        state->depth++;
        break;
    case '}':
    case ']':
        if ((state->arrays & 1) != (c == ']'))
            return false;
        state->arrays >>= 1;
        state->depth--;
        break;
    default:
        break;
    }
    state->before = c;
    return true;
}

size_t json_document(struct slice s, bool *broken)
{
    struct scan state = {0};
    *broken = false;
    for (size_t at = 0; at < s.n;) {
        char c = s.p[at];
        if (c == '"') {
            at = string_end(s, at, broken);
            if (!at)
                return 0;
            state.before = c;
            continue;
        }
        at++;
        if (is_space(c))
            continue;
        if (!take(&state, c)) {
            *broken = true;
            return 0;
        }
        if (!state.depth)
            return at;
    }
    return 0;
}

/* Where the text of a line that starts at `from` begins. */
static size_t after_indent(struct slice s, size_t from)
{
    while (from < s.n && (s.p[from] == ' ' || s.p[from] == '\t'))
        from++;
    return from;
}

size_t json_resume(struct slice s, size_t at)
{
    const char *end = at ? memrchr(s.p, '\n', at) : NULL;
    size_t start = end ? (size_t)(end - s.p) + 1 : 0;
    struct slice indent = slice_sub(s, start, after_indent(s, start) - start);
    while ((end = memchr(s.p + at, '\n', s.n - at))) {
        at = (size_t)(end - s.p) + 1;
        size_t text = after_indent(s, at);
        if (text < s.n && (s.p[text] == '{' || s.p[text] == '[') &&
            slice_equal(slice_sub(s, at, text - at), indent))
            return at;
        if (at == s.n)
            break;
    }
    return s.n;
}

/* Between documents; a comma and brackets there belong to an array of events. */
static bool is_between(char c)
{
    return is_space(c) || c == ',' || c == '[' || c == ']';
}

/* Behind the last whole element of an array of events whose beginning, or whose middle, this is. */
static size_t cut_array(struct slice s)
{
    size_t cut = 0, at = 0;
    while (at < s.n) {
        if (is_between(s.p[at])) {
            at++;
            continue;
        }
        bool broken = true;
        size_t n = s.p[at] == '{' ? json_document(slice_sub(s, at, s.n), &broken) : 0;
        if (n) {
            cut = at += n;
            continue;
        }
        if (!broken) /* not yet whole */
            break;
        at = json_resume(s, at);
    }
    return cut;
}

/* Behind the last line that ends a document: in a document, only , ] or } can follow a bracket. */
static size_t cut_lines(struct slice s)
{
    for (size_t n = s.n; n > 0;) {
        const char *end = memrchr(s.p, '\n', n);
        if (!end)
            break;
        n = (size_t)(end - s.p);
        size_t before = n, after = n + 1;
        while (before > 0 && is_space(s.p[before - 1]))
            before--;
        while (after < s.n && is_space(s.p[after]))
            after++;
        if (before > 0 && (s.p[before - 1] == '}' || s.p[before - 1] == ']') && after < s.n &&
            !strchr(",]}", s.p[after]))
            return n + 1;
        n = before;
    }
    return 0;
}

/* What stands behind the last cut is whole too when it is one document and a line end: nothing needs to
 * follow, which may be long in coming. `from`: where the first document begins. */
static size_t cut_last(struct slice s, size_t cut, size_t from)
{
    bool broken;
    size_t at = cut > from ? cut : from;
    while (at < s.n && is_space(s.p[at]))
        at++;
    size_t end = at;
    if (at < s.n && s.p[at] == '{')
        end += json_document(slice_sub(s, at, s.n), &broken);
    bool line = false;
    for (size_t i = end; end > at && i < s.n; i++) {
        if (!is_space(s.p[i]))
            return cut;
        line |= s.p[i] == '\n';
    }
    return line ? s.n : cut;
}

size_t json_frame(struct slice bytes, uint64_t offset, bool last)
{
    if (last)
        return bytes.n;
    size_t at = offset == 0 && slice_starts(bytes, SLICE("\xef\xbb\xbf")) ? 3 : 0;
    while (at < bytes.n && is_space(bytes.p[at]))
        at++;
    bool array = at < bytes.n && (bytes.p[at] == '[' || bytes.p[at] == ',');
    return array ? cut_array(bytes) : cut_last(bytes, cut_lines(bytes), at);
}

/* ---- mending ---- */

static void put_replacement(struct buf *out)
{
    buf_add(out, SLICE("\xef\xbf\xbd"));
}

/* The value of the four digits of a \u escape at `at` (of the backslash), or -1. */
static int32_t escaped_unit(struct slice s, size_t at)
{
    if (at + 6 > s.n || s.p[at] != '\\' || s.p[at + 1] != 'u')
        return -1;
    int32_t v = 0;
    for (size_t i = at + 2; i < at + 6; i++) {
        char c = s.p[i];
        int digit = c >= '0' && c <= '9'                 ? c - '0'
                    : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                         : -1;
        if (digit < 0)
            return -1;
        v = v * 16 + digit;
    }
    return v;
}

/* The escape at `at`; returns its length. */
static size_t repair_escape(struct slice s, size_t at, struct buf *out)
{
    int32_t unit = escaped_unit(s, at);
    if (unit >= 0xd800 && unit < 0xe000) {
        int32_t low = unit < 0xdc00 ? escaped_unit(s, at + 6) : -1;
        if (low < 0xdc00 || low >= 0xe000) {
            put_replacement(out);
            return 6;
        }
        buf_add(out, slice_sub(s, at, 12));
        return 12;
    }
    size_t n = unit >= 0 ? 6 : 2;
    if (unit < 0 && (at + 1 >= s.n || !s.p[at + 1] || !strchr("\"\\/bfnrt", s.p[at + 1]))) {
        buf_add(out, SLICE("\\\\")); /* a backslash that escapes nothing is one */
        return 1;
    }
    buf_add(out, slice_sub(s, at, n));
    return n;
}

/* The string whose opening quote is at `at`; returns where it ends. */
static size_t repair_string(struct slice s, size_t at, struct buf *out)
{
    buf_char(out, '"');
    for (at++; at < s.n;) {
        unsigned char c = (unsigned char)s.p[at];
        size_t n = 1;
        if (c == '"') {
            buf_char(out, '"');
            return at + 1;
        }
        if (c == '\\') {
            n = repair_escape(s, at, out);
        } else if (c < 0x20) {
            buf_printf(out, "\\u%04x", c);
        } else if (c < 0x80) {
            buf_char(out, (char)c);
        } else if ((n = utf8_length(slice_sub(s, at, 4)))) {
            buf_add(out, slice_sub(s, at, n));
        } else {
            n = 1;
            put_replacement(out);
        }
        at += n;
    }
    return at;
}

/* Whether simdjson reads it as a number that keeps its value: RFC 8259, section 6. */
static bool is_number(struct slice s)
{
    char text[NUMBER_MOST + 1], *end;
    if (s.n > NUMBER_MOST)
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    const char *digits = text[0] == '-' ? text + 1 : text;
    size_t whole = strspn(digits, "0123456789");
    if (!whole || (whole > 1 && digits[0] == '0'))
        return false;
    bool integer = !digits[whole];
    size_t fraction = digits[whole] == '.' ? strspn(digits + whole + 1, "0123456789") : 1;
    if (!fraction)
        return false;
    if (!integer)
        return isfinite(strtod(text, &end)) && !*end;
    uint64_t v = 0;
    for (size_t i = 0; i < whole; i++)
        if (__builtin_mul_overflow(v, UINT64_C(10), &v) ||
            __builtin_add_overflow(v, (uint64_t)(digits[i] - '0'), &v))
            return false;
    return digits == text || v <= (uint64_t)INT64_MAX + 1;
}

static bool is_word(char c)
{
    return !is_space(c) && !strchr("\"{}[]:,", c);
}

/* A number, true, false, null, or something else; returns where it ends. */
static size_t repair_word(struct slice s, size_t at, struct buf *out)
{
    size_t from = at;
    while (at < s.n && s.p[at] && is_word(s.p[at]))
        at++;
    if (at == from) { /* a NUL */
        buf_char(out, ' ');
        return at + 1;
    }
    struct slice word = slice_sub(s, from, at - from);
    if (slice_equal(word, SLICE("true")) || slice_equal(word, SLICE("false")) ||
        slice_equal(word, SLICE("null")) || is_number(word)) {
        buf_add(out, word);
        return at;
    }
    buf_char(out, '"');
    for (size_t i = 0; i < word.n; i++) {
        size_t n = utf8_length(slice_sub(word, i, 4));
        if (word.p[i] == '\\')
            buf_add(out, SLICE("\\\\"));
        else if (!n || (unsigned char)word.p[i] < 0x20)
            put_replacement(out);
        else
            buf_add(out, slice_sub(word, i, n));
        i += n ? n - 1 : 0;
    }
    buf_char(out, '"');
    return at;
}

void json_repair(struct slice s, struct buf *out)
{
    buf_clear(out);
    for (size_t at = 0; at < s.n;) {
        char c = s.p[at];
        if (c == '"') {
            at = repair_string(s, at, out);
        } else if (c && !is_word(c)) {
            buf_char(out, c);
            at++;
        } else {
            at = repair_word(s, at, out);
        }
    }
}
