/* Regular expressions (PCRE2) on text. */
#include "hunt/scalar.h"

#include "base/buf.h"

#define ARGS                                                                                       \
    const struct call *c, struct scratch *s, const struct hunt_value *const *a,                    \
        struct hunt_value *out

enum { PATTERN_BYTES = 16384 };

/* Which argument is the pattern. */
static uint32_t pattern_arg(enum function_id f)
{
    return f == FN_REGEX || f == FN_REPLACE_REGEX ? 1 : 0;
}

static enum status prepare_pattern(struct call *c, struct arena *a, struct error *err)
{
    const struct hunt_value *text = c->constants[pattern_arg(c->function)];
    int code;
    PCRE2_SIZE at;
    if (!text)
        return error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET,
                         "a regular expression must be constant");
    struct slice pattern = text->text;
    if (c->function == FN_TRIM) /* what stands at either end */
        pattern = arena_printf(a, "^(?:%.*s)+|(?:%.*s)+$", SLICE_ARG(pattern), SLICE_ARG(pattern));
    if (pattern.n > PATTERN_BYTES)
        return error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET,
                         "a regular expression of more than %d bytes", PATTERN_BYTES);
    c->pattern = pcre2_compile((PCRE2_SPTR)(pattern.p ? pattern.p : ""), pattern.n,
                               PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C |
                                   (c->function == FN_TRIM ? PCRE2_DOLLAR_ENDONLY : 0),
                               &code, &at, NULL);
    if (!c->pattern) {
        PCRE2_UCHAR message[256] = "it can't be compiled";
        pcre2_get_error_message(code, message, sizeof message);
        return error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET,
                         "this regular expression is wrong: %s", (const char *)message);
    }
    pcre2_jit_compile(c->pattern, PCRE2_JIT_COMPLETE); /* where it can't, it is only slower */
    return OK;
}

/* The match that begins at or behind `from`; NULL: there is none. */
static const PCRE2_SIZE *match(const struct call *c, struct scratch *s, struct slice text,
                               size_t from, uint32_t options)
{
    int n = pcre2_match(c->pattern, (PCRE2_SPTR)(text.p ? text.p : ""), text.n, from, options,
                        s->match, s->context);
    s->given_up += n < 0 && n != PCRE2_ERROR_NOMATCH;
    return n < 0 ? NULL : pcre2_get_ovector_pointer(s->match);
}

static struct slice group(const struct scratch *s, struct slice text, uint32_t number)
{
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(s->match);
    size_t most = pcre2_get_ovector_count(s->match);
    if (number >= most || at[2 * number] == PCRE2_UNSET || at[2 * number + 1] < at[2 * number])
        return SLICE("");
    return slice_sub(text, at[2 * number], at[2 * number + 1] - at[2 * number]);
}

static void fn_regex(ARGS)
{
    out->truth = match(c, s, a[0]->text, 0, 0) != NULL;
}

/* How many groups the last match set; the others hold what another match left. */
static uint32_t groups_of(const struct call *c)
{
    uint32_t n = 0;
    pcre2_pattern_info(c->pattern, PCRE2_INFO_CAPTURECOUNT, &n);
    return n;
}

static void fn_extract(ARGS)
{
    struct slice text = a[2]->text;
    int64_t number = a[1]->number;
    bool good = number >= 0 && number <= groups_of(c) && match(c, s, text, 0, 0);
    set_text(out, good ? group(s, text, (uint32_t)number) : SLICE(""));
}

/* The replacement, in which \1 stands for a group and \\ for a backslash. */
static void put_replacement(struct buf *b, const struct scratch *s, struct slice text,
                            struct slice with, uint32_t groups)
{
    for (size_t i = 0; i < with.n; i++) {
        char next = i + 1 < with.n ? with.p[i + 1] : '\0';
        if (with.p[i] != '\\' || (next != '\\' && (next < '0' || next > '9'))) {
            buf_char(b, with.p[i]);
            continue;
        }
        i++;
        if (next == '\\')
            buf_char(b, next);
        else if ((uint32_t)(next - '0') <= groups)
            buf_add(b, group(s, text, (uint32_t)(next - '0')));
    }
}

/* Every match is replaced; an empty one moves on by a character, so that this ends. */
static void fn_replace_regex(ARGS)
{
    struct slice text = a[0]->text;
    struct buf b = {0};
    size_t at = 0, from = 0;
    uint32_t groups = groups_of(c), options = 0;
    const PCRE2_SIZE *place;
    while (at <= text.n && (place = match(c, s, text, at, options)) && place[1] >= place[0] &&
           place[0] >= from) {
        size_t begin = place[0], end = place[1];
        buf_add(&b, slice_sub(text, from, begin - from));
        put_replacement(&b, s, text, a[2]->text, groups);
        from = end;
        at = end;
        options = 0;
        if (begin == end)
            for (at++; at < text.n && ((unsigned char)text.p[at] & 0xc0) == 0x80;)
                at++;
    }
    buf_add(&b, slice_sub(text, from, text.n));
    set_text(out, arena_slice(s->arena, buf_slice(&b)));
    buf_free(&b);
}

static void fn_trim(ARGS)
{
    struct slice text = a[1]->text;
    const PCRE2_SIZE *at = match(c, s, text, 0, PCRE2_ANCHORED);
    if (at && at[0] == 0 && at[1] <= text.n)
        text = slice_sub(text, at[1], text.n);
    for (size_t from = 0; from < text.n && (at = match(c, s, text, from, 0));) {
        if (at[1] == text.n && at[0] < text.n) {
            text.n = at[0];
            break;
        }
        from = at[1] > from ? at[1] : from + 1;
    }
    set_text(out, text);
}

const struct scalar scalar_pattern[FUNCTIONS] = {
    [FN_REGEX] = {fn_regex, false, prepare_pattern},
    [FN_EXTRACT] = {fn_extract, false, prepare_pattern},
    [FN_REPLACE_REGEX] = {fn_replace_regex, false, prepare_pattern},
    [FN_TRIM] = {fn_trim, false, prepare_pattern},
};
