/* Text: finding, cutting, joining, decoding, hashing. */
#include "hunt/scalar.h"

#include "base/text.h"
#include "hunt/dynamic.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <utf8proc.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define ARGS                                                                                       \
    const struct call *c, struct scratch *s, const struct hunt_value *const *a,                    \
        struct hunt_value *out

/* ---- finding ---- */

static bool in_token(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (unsigned char)c >= 0x80;
}

/* Whether `needle` stands somewhere without touching a token beside it. */
static bool has_words(struct slice text, struct slice needle)
{
    size_t from = 0;
    if (!needle.n)
        return true;
    for (ptrdiff_t found; (found = slice_find(slice_sub(text, from, text.n), needle)) >= 0;) {
        size_t at = from + (size_t)found, end = at + needle.n;
        bool left = at == 0 || !in_token(text.p[at - 1]) || !in_token(needle.p[0]);
        bool right = end == text.n || !in_token(text.p[end]) || !in_token(needle.p[needle.n - 1]);
        if (left && right)
            return true;
        from = at + 1;
    }
    return false;
}

static bool holds(struct slice text, struct slice needle)
{
    return !needle.n || slice_find(text, needle) >= 0;
}

static bool is_cased(enum function_id f)
{
    return f == FN_HAS_CS || f == FN_CONTAINS_CS || f == FN_STARTS_CS || f == FN_ENDS_CS;
}

static bool found(enum function_id f, struct slice text, struct slice needle)
{
    switch (f) {
    case FN_HAS:
    case FN_HAS_CS:
        return has_words(text, needle);
    case FN_CONTAINS:
    case FN_CONTAINS_CS:
        return holds(text, needle);
    case FN_STARTS:
    case FN_STARTS_CS:
        return slice_starts(text, needle);
    case FN_ENDS:
    case FN_ENDS_CS:
        return slice_ends(text, needle);
    default:
        return slice_equal(text, needle);
    }
}

/* The needle folded, once. */
static enum status prepare_find(struct call *c, struct arena *a, struct error *err)
{
    (void)err;
    if (c->constants[1] && !is_cased(c->function)) {
        struct slice *folded = arena_alloc(a, sizeof *folded);
        *folded = text_fold(a, c->constants[1]->text);
        c->made = folded;
    }
    return OK;
}

static void fn_find(ARGS)
{
    const struct slice *folded = c->made;
    struct slice text = a[0]->text, needle = folded ? *folded : a[1]->text;
    if (!is_cased(c->function)) {
        text = text_fold(s->arena, text);
        if (!folded)
            needle = text_fold(s->arena, needle);
    }
    out->truth = found(c->function, text, needle);
}

static enum status prepare_has_list(struct call *c, struct arena *a, struct error *err)
{
    (void)err;
    struct slice *folded = arena_alloc(a, (c->list_n + 1) * sizeof *folded);
    for (uint32_t i = 0; i < c->list_n; i++)
        folded[i] = text_fold(a, c->list[i].text);
    c->made = folded;
    return OK;
}

static void fn_has_list(ARGS)
{
    const struct slice *needles = c->made;
    struct slice text = text_fold(s->arena, a[0]->text);
    bool all = c->function == FN_HAS_ALL;
    out->truth = all;
    for (uint32_t i = 0; i < c->list_n && out->truth == all; i++)
        out->truth = has_words(text, needles[i]);
}

/* ---- characters ---- */

static size_t character(struct slice s, size_t at)
{
    size_t n = utf8_length(slice_sub(s, at, 4));
    return n ? n : 1;
}

static int64_t count_characters(struct slice s)
{
    int64_t n = 0;
    for (size_t at = 0; at < s.n; n++)
        at += character(s, at);
    return n;
}

/* The byte at which the n-th character begins; the end when there are fewer. */
static size_t nth_character(struct slice s, int64_t n)
{
    size_t at = 0;
    for (; n > 0 && at < s.n; n--)
        at += character(s, at);
    return at;
}

static void fn_strlen(ARGS)
{
    (void)c;
    (void)s;
    out->number = count_characters(a[0]->text);
}

static void fn_substring(ARGS)
{
    (void)s;
    struct slice text = a[0]->text;
    int64_t from = a[1]->number;
    if (from < 0) {
        int64_t n = count_characters(text);
        from = from < -n ? 0 : from + n;
    }
    text = slice_sub(text, nth_character(text, from), text.n);
    if (c->args_n > 2)
        text.n = a[2]->number < 0 ? 0 : nth_character(text, a[2]->number);
    set_text(out, text);
}

static void fn_indexof(ARGS)
{
    (void)c;
    (void)s;
    ptrdiff_t at = a[1]->text.n ? slice_find(a[0]->text, a[1]->text) : 0;
    out->number = at < 0 ? -1 : count_characters(slice_sub(a[0]->text, 0, (size_t)at));
}

static void fn_lower(ARGS)
{
    (void)c;
    set_text(out, text_fold(s->arena, a[0]->text));
}

/* Code point by code point, as folding is. */
static void fn_upper(ARGS)
{
    (void)c;
    struct slice text = a[0]->text;
    char *upper = arena_bytes(s->arena, text.n * 2 + 4); /* a capital may take a byte more */
    size_t n = 0;
    for (size_t at = 0; at < text.n;) {
        size_t length = utf8_length(slice_sub(text, at, 4));
        utf8proc_int32_t point;
        if (length && utf8proc_iterate((const utf8proc_uint8_t *)text.p + at,
                                       (utf8proc_ssize_t)length, &point) > 0)
            n += (size_t)utf8proc_encode_char(utf8proc_toupper(point),
                                              (utf8proc_uint8_t *)upper + n);
        else
            upper[n++] = text.p[at];
        at += length ? length : 1;
    }
    set_text(out, slice_of(upper, n));
}

/* ---- joining and cutting ---- */

static struct slice keep(struct buf *b, struct arena *arena)
{
    struct slice text = arena_slice(arena, buf_slice(b));
    buf_free(b);
    return text;
}

static void fn_strcat(ARGS)
{
    struct buf b = {0};
    for (uint32_t i = 0; i < c->args_n; i++)
        buf_add(&b, value_string(a[i], s->arena));
    set_text(out, keep(&b, s->arena));
}

static void fn_replace(ARGS)
{
    (void)c;
    struct slice text = a[0]->text, old = a[1]->text;
    struct buf b = {0};
    for (ptrdiff_t at; old.n && (at = slice_find(text, old)) >= 0;) {
        buf_add(&b, slice_sub(text, 0, (size_t)at));
        buf_add(&b, a[2]->text);
        text = slice_sub(text, (size_t)at + old.n, text.n);
    }
    buf_add(&b, text);
    set_text(out, keep(&b, s->arena));
}

static void put_part(struct buf *b, struct slice part)
{
    buf_char(b, b->n ? ',' : '[');
    buf_json(b, part);
}

static void fn_split(ARGS)
{
    struct slice text = a[0]->text, between = a[1]->text;
    struct buf b = {0};
    int64_t wanted = c->args_n > 2 ? a[2]->number : -1, n = 0;
    for (bool more = true; more; n++) {
        ptrdiff_t at = between.n ? slice_find(text, between) : -1;
        more = at >= 0;
        if (c->args_n < 3 || n == wanted)
            put_part(&b, more ? slice_sub(text, 0, (size_t)at) : text);
        if (more)
            text = slice_sub(text, (size_t)at + between.n, text.n);
    }
    buf_add(&b, b.n ? SLICE("]") : SLICE("[]"));
    dynamic_set(out, keep(&b, s->arena));
}

/* ---- decoding ---- */

/* The value of a digit of base 64, in both alphabets of RFC 4648; -1: none. */
static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* False when it is no base 64. Padding may be missing. */
static bool base64(struct slice text, struct buf *out)
{
    uint32_t bits = 0;
    unsigned have = 0, digits = 0;
    while (text.n && text.p[text.n - 1] == '=')
        text.n--;
    for (size_t i = 0; i < text.n; i++, digits++) {
        int digit = base64_digit(text.p[i]);
        if (digit < 0)
            return false;
        bits = bits << 6 | (unsigned)digit;
        have += 6;
        if (have >= 8) {
            have -= 8;
            buf_char(out, (char)(bits >> have));
        }
    }
    return digits % 4 != 1;
}

/* Whether every second byte is zero, as ASCII is in UTF-16LE. */
static bool looks_wide(struct slice bytes)
{
    if (bytes.n < 2 || bytes.n % 2)
        return false;
    size_t zeros = 0;
    for (size_t i = 1; i < bytes.n; i += 2)
        zeros += bytes.p[i] == 0;
    return zeros * 4 >= bytes.n / 2 * 3 && zeros;
}

static void fn_base64(ARGS)
{
    (void)c;
    struct buf bytes = {0};
    struct slice text = SLICE("");
    if (base64(slice_trim(a[0]->text), &bytes)) {
        if (looks_wide(buf_slice(&bytes)))
            text = utf16_to_utf8(s->arena, arena_slice(s->arena, buf_slice(&bytes)));
        else if (utf8_valid(buf_slice(&bytes)))
            text = arena_slice(s->arena, buf_slice(&bytes));
    }
    buf_free(&bytes);
    set_text(out, text);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void fn_url_decode(ARGS)
{
    (void)c;
    struct slice text = a[0]->text;
    char *bytes = arena_bytes(s->arena, text.n);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        int high = i + 2 < text.n && text.p[i] == '%' ? hex_digit(text.p[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text.p[i + 2]) : -1;
        bytes[n++] = low >= 0 ? (char)(high * 16 + low) : text.p[i];
        i += low >= 0 ? 2 : 0;
    }
    set_text(out, utf8_clean(s->arena, slice_of(bytes, n)));
}

/* ---- hashes ---- */

static void fn_hash(ARGS)
{
    struct slice text = value_string(a[0], s->arena);
    int64_t hash = (int64_t)XXH64(text.p ? text.p : "", text.n, 0);
    if (c->args_n < 2) {
        out->number = hash;
        return;
    }
    int64_t most = a[1]->number;
    if (most <= 0)
        set_null(out);
    else
        out->number = (int64_t)((uint64_t)hash % (uint64_t)most);
}

static void fn_digest(ARGS)
{
    const EVP_MD *kind = c->function == FN_HASH_MD5    ? EVP_md5()
                         : c->function == FN_HASH_SHA1 ? EVP_sha1()
                                                       : EVP_sha256();
    struct slice text = value_string(a[0], s->arena);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (EVP_Digest(text.p, text.n, digest, &n, kind, NULL) != 1)
        n = 0;
    char *hex = arena_bytes(s->arena, n * 2 + 1);
    for (unsigned i = 0; i < n; i++)
        snprintf(hex + (size_t)i * 2, 3, "%02x", digest[i]);
    set_text(out, slice_of(hex, (size_t)n * 2));
}

const struct scalar scalar_text[FUNCTIONS] = {
    [FN_EQUAL_NOCASE] = {fn_find, false, prepare_find},
    [FN_HAS] = {fn_find, false, prepare_find},
    [FN_HAS_CS] = {fn_find, false, prepare_find},
    [FN_CONTAINS] = {fn_find, false, prepare_find},
    [FN_CONTAINS_CS] = {fn_find, false, prepare_find},
    [FN_STARTS] = {fn_find, false, prepare_find},
    [FN_STARTS_CS] = {fn_find, false, prepare_find},
    [FN_ENDS] = {fn_find, false, prepare_find},
    [FN_ENDS_CS] = {fn_find, false, prepare_find},
    [FN_HAS_ANY] = {fn_has_list, false, prepare_has_list},
    [FN_HAS_ALL] = {fn_has_list, false, prepare_has_list},
    [FN_STRLEN] = {fn_strlen, false, NULL},
    [FN_SUBSTRING] = {fn_substring, false, NULL},
    [FN_INDEXOF] = {fn_indexof, false, NULL},
    [FN_TOLOWER] = {fn_lower, false, NULL},
    [FN_TOUPPER] = {fn_upper, false, NULL},
    [FN_STRCAT] = {fn_strcat, true, NULL},
    [FN_REPLACE_STRING] = {fn_replace, false, NULL},
    [FN_SPLIT] = {fn_split, false, NULL},
    [FN_BASE64_DECODE] = {fn_base64, false, NULL},
    [FN_URL_DECODE] = {fn_url_decode, false, NULL},
    [FN_HASH] = {fn_hash, true, NULL},
    [FN_HASH_MD5] = {fn_digest, true, NULL},
    [FN_HASH_SHA1] = {fn_digest, true, NULL},
    [FN_HASH_SHA256] = {fn_digest, true, NULL},
};
