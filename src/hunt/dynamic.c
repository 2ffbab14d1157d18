#include "hunt/dynamic.h"

#include "base/text.h"
#include "hunt/scalar.h"

#include <math.h>

/* ---- checking and making compact ---- */

struct reader {
    struct slice s;
    size_t at;
    struct buf out;
};

static char look(const struct reader *r)
{
    return r->at < r->s.n ? r->s.p[r->at] : '\0';
}

static void skip_space(struct reader *r)
{
    while (r->at < r->s.n && strchr(" \t\r\n", r->s.p[r->at]) && r->s.p[r->at])
        r->at++;
}

static bool take_literal(struct reader *r, struct slice word)
{
    if (!slice_starts(slice_sub(r->s, r->at, word.n), word))
        return false;
    buf_add(&r->out, word);
    r->at += word.n;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool take_digits(struct reader *r)
{
    size_t from = r->at;
    while (is_digit(look(r)))
        r->at++;
    return r->at > from;
}

static bool take_number(struct reader *r)
{
    size_t from = r->at;
    if (look(r) == '-')
        r->at++;
    if (look(r) == '0')
        r->at++;
    else if (!take_digits(r))
        return false;
    if (look(r) == '.') {
        r->at++;
        if (!take_digits(r))
            return false;
    }
    if (look(r) == 'e' || look(r) == 'E') {
        r->at++;
        if (look(r) == '+' || look(r) == '-')
            r->at++;
        if (!take_digits(r))
            return false;
    }
    buf_add(&r->out, slice_sub(r->s, from, r->at - from));
    return true;
}

static bool take_string(struct reader *r)
{
    size_t from = r->at;
    if (look(r) != '"')
        return false;
    for (r->at++; r->at < r->s.n && r->s.p[r->at] != '"'; r->at++) {
        if ((unsigned char)r->s.p[r->at] < 0x20)
            return false;
        if (r->s.p[r->at] != '\\')
            continue;
        r->at++;
        char c = look(r);
        if (!c || !strchr("\"\\/bfnrtu", c))
            return false;
        for (int i = 0; c == 'u' && i < 4; i++) {
            r->at++;
            if (!is_hex(look(r)))
                return false;
        }
    }
    if (r->at >= r->s.n)
        return false;
    r->at++;
    buf_add(&r->out, slice_sub(r->s, from, r->at - from));
    return true;
}

static bool take_value(struct reader *r, int depth);

static bool take_collection(struct reader *r, char close, int depth)
{
    if (depth >= JSON_DEPTH)
        return false;
    buf_char(&r->out, look(r));
    r->at++;
    skip_space(r);
    for (bool first = true; look(r) != close; first = false) {
        if (!first) {
            if (look(r) != ',')
                return false;
            r->at++;
            buf_char(&r->out, ',');
            skip_space(r);
        }
        if (close == '}') {
            if (!take_string(r))
                return false;
            skip_space(r);
            if (look(r) != ':')
                return false;
            r->at++;
            buf_char(&r->out, ':');
            skip_space(r);
        }
        if (!take_value(r, depth + 1))
            return false;
        skip_space(r);
    }
    r->at++;
    buf_char(&r->out, close);
    return true;
}

static bool take_value(struct reader *r, int depth) // NOLINT(misc-no-recursion): bounded
{
    switch (look(r)) {
    case '{':
        return take_collection(r, '}', depth);
    case '[':
        return take_collection(r, ']', depth);
    case '"':
        return take_string(r);
    case 't':
        return take_literal(r, SLICE("true"));
    case 'f':
        return take_literal(r, SLICE("false"));
    case 'n':
        return take_literal(r, SLICE("null"));
    default:
        return take_number(r);
    }
}

bool json_compact(struct slice raw, struct arena *a, struct slice *out)
{
    struct reader r = {.s = raw};
    skip_space(&r);
    bool good = utf8_valid(raw) && take_value(&r, 0);
    skip_space(&r);
    good = good && r.at == raw.n;
    if (good)
        *out = arena_slice(a, buf_slice(&r.out));
    buf_free(&r.out);
    return good;
}

/* ---- looking into compact text ---- */

/* Behind the value that begins at `at`. */
static size_t value_end(struct slice s, size_t at)
{
    int depth = 0;
    bool quoted = false;
    for (; at < s.n; at++) {
        char c = s.p[at];
        if (quoted) {
            if (c == '\\')
                at++;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '[' || c == '{') {
            depth++;
        } else if (c == ']' || c == '}') {
            if (depth-- == 0)
                return at;
        } else if ((c == ',' || c == ':') && depth == 0) {
            return at;
        }
    }
    return s.n;
}

bool json_next(struct slice json, size_t *at, struct slice *name, struct slice *value)
{
    bool object = json_is_object(json);
    if (!object && !json_is_array(json))
        return false;
    size_t from = *at + 1; /* behind '[', '{' or ',' */
    if (from + 1 >= json.n)
        return false;
    if (object) {
        size_t end = value_end(json, from);
        if (name)
            *name = slice_sub(json, from, end - from);
        from = end + 1;
    }
    size_t end = value_end(json, from);
    *value = slice_sub(json, from, end - from);
    *at = end + 1 < json.n ? end : json.n;
    return true;
}

static unsigned hex_of(struct slice s)
{
    unsigned n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        n = n * 16 + (unsigned)(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return n;
}

/* The UTF-16 units of \u escapes from *at on, as UTF-8. */
static void put_units(struct buf *out, struct slice s, size_t *at, struct arena *a)
{
    struct buf units = {0};
    while (slice_starts(slice_sub(s, *at, 2), SLICE("\\u")) && *at + 6 <= s.n) {
        unsigned unit = hex_of(slice_sub(s, *at + 2, 4));
        buf_char(&units, (char)unit);
        buf_char(&units, (char)(unit >> 8));
        *at += 6;
    }
    buf_add(out, utf16_to_utf8(a, buf_slice(&units)));
    buf_free(&units);
}

struct slice json_content(struct slice json, struct arena *a)
{
    if (json.n < 2 || json.p[0] != '"')
        return json;
    struct slice s = slice_sub(json, 1, json.n - 2);
    if (!memchr(s.p, '\\', s.n))
        return s;
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    struct buf out = {0};
    for (size_t at = 0; at < s.n;) {
        if (s.p[at] != '\\' || at + 1 >= s.n) {
            buf_char(&out, s.p[at++]);
        } else if (s.p[at + 1] == 'u') {
            put_units(&out, s, &at, a);
        } else {
            const char *known = strchr(from, s.p[at + 1]);
            buf_char(&out, known ? to[known - from] : s.p[at + 1]);
            at += 2;
        }
    }
    struct slice content = arena_slice(a, buf_slice(&out));
    buf_free(&out);
    return content;
}

struct slice json_member(struct slice object, struct slice name, struct arena *a)
{
    struct slice found = {0}, key, value;
    if (!json_is_object(object))
        return found;
    for (size_t at = 0; json_next(object, &at, &key, &value);)
        if (slice_equal(json_content(key, a), name))
            found = value;
    return found;
}

struct slice json_element(struct slice array, int64_t index)
{
    struct slice value;
    int64_t n = 0;
    if (!json_is_array(array))
        return (struct slice){0};
    if (index < 0) {
        for (size_t at = 0; json_next(array, &at, NULL, &value);)
            n++;
        index += n;
    }
    for (size_t at = 0; index >= 0 && json_next(array, &at, NULL, &value); index--)
        if (index == 0)
            return value;
    return (struct slice){0};
}

/* ---- making ---- */

void json_put_value(struct buf *out, const struct hunt_value *v, struct arena *a)
{
    if (v->null)
        buf_add(out, SLICE("null"));
    else if (v->type == TYPE_DYNAMIC || v->type == TYPE_LONG || v->type == TYPE_BOOL ||
             (v->type == TYPE_REAL && isfinite(v->real)))
        buf_add(out, v->type == TYPE_DYNAMIC ? v->text : value_string(v, a));
    else
        buf_json(out, value_string(v, a));
}

void dynamic_set(struct hunt_value *out, struct slice json)
{
    *out = (struct hunt_value){.type = TYPE_DYNAMIC, .text = json};
    if (!json.p || slice_equal(json, SLICE("null"))) {
        out->null = true;
        out->text = SLICE("");
    }
}
