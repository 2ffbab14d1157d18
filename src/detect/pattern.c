#include "detect/pattern.h"

#include "base/buf.h"
#include "base/text.h"

/* hyphen, slash, en dash, em dash, horizontal bar */
static const struct slice dashes[] = {
    {"-", 1}, {"/", 1}, {"\xe2\x80\x93", 3}, {"\xe2\x80\x94", 3}, {"\xe2\x80\x95", 3}};
enum { DASHES = sizeof dashes / sizeof *dashes };

/* Length of the dash at the start of `s`, or 0. */
static size_t dash_length(struct slice s)
{
    for (size_t i = 0; i < DASHES; i++)
        if (slice_starts(s, dashes[i]))
            return dashes[i].n;
    return 0;
}

/* ---- reading ---- */

static void add_part(struct pattern *p, int type, struct slice text)
{
    struct pattern_part *last = p->n ? &p->parts[p->n - 1] : NULL;
    if (last && type == PART_MANY && last->type == PART_MANY)
        return;
    p->parts[p->n].type = type;
    p->parts[p->n++].text = text;
}

/* Adds the text [from, *at) of a buffer that has room for all of a pattern's. */
static void end_text(struct pattern *p, const char *text, size_t *from, size_t at)
{
    if (at > *from)
        add_part(p, PART_TEXT, slice_of(text + *from, at - *from));
    *from = at;
}

static bool escapable(char c)
{
    return c == '*' || c == '?' || c == '\\';
}

/* Room for a pattern of at most `parts`, and a `*` before and behind. */
static struct pattern new_pattern(struct arena *a, size_t parts)
{
    struct pattern p = {arena_alloc(a, (parts + 2) * sizeof *p.parts), 0, false};
    p.parts++;
    return p;
}

static size_t special_characters(struct slice s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == '*' || s.p[i] == '?' || dash_length(slice_sub(s, i, 3)) > 0;
    return n;
}

/* Reads wildcards and escapes. `literal`: wildcards are characters (what is encoded has none). */
static struct pattern parse(struct arena *a, struct slice s, bool literal, bool windash)
{
    struct pattern p = new_pattern(a, special_characters(s) * 2 + 1);
    char *text = arena_bytes(a, s.n);
    size_t n = 0, from = 0, dash;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '\\' && i + 1 < s.n && escapable(s.p[i + 1])) {
            text[n++] = s.p[++i];
        } else if ((c == '*' || c == '?') && !literal) {
            end_text(&p, text, &from, n);
            add_part(&p, c == '*' ? PART_MANY : PART_ONE, (struct slice){0});
        } else if (windash && (dash = dash_length(slice_sub(s, i, 3))) > 0) {
            end_text(&p, text, &from, n);
            add_part(&p, PART_DASH, (struct slice){0});
            i += dash - 1;
        } else {
            text[n++] = c;
        }
    }
    end_text(&p, text, &from, n);
    return p;
}

/* ---- encoding ---- */

static void put_unit(struct buf *b, uint32_t unit, bool big)
{
    buf_char(b, (char)(big ? unit >> 8 : unit & 0xff));
    buf_char(b, (char)(big ? unit & 0xff : unit >> 8));
}

/* The next code point of valid UTF-8, *n its bytes; a bad byte stands for itself. */
static uint32_t code_point(struct slice s, size_t *n)
{
    const unsigned char *p = (const unsigned char *)s.p;
    *n = utf8_length(s);
    switch (*n) {
    case 2:
        return (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
    case 3:
        return (p[0] & 0xfu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
    case 4:
        return (p[0] & 7u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
    default:
        *n = 1;
        return p[0];
    }
}

static struct slice to_utf16(struct arena *a, struct slice s, bool big)
{
    struct buf b = {0};
    for (size_t i = 0, n; i < s.n; i += n) {
        uint32_t c = code_point(slice_sub(s, i, 4), &n);
        if (c >= 0x10000) {
            put_unit(&b, 0xd800 + ((c - 0x10000) >> 10), big);
            put_unit(&b, 0xdc00 + ((c - 0x10000) & 0x3ff), big);
        } else {
            put_unit(&b, c, big);
        }
    }
    struct slice out = arena_slice(a, buf_slice(&b));
    buf_free(&b);
    return out;
}

/* RFC 4648, section 4. */
static struct slice base64(struct arena *a, struct slice s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = arena_bytes(a, (s.n + 2) / 3 * 4 + 1);
    size_t o = 0;
    for (size_t i = 0; i < s.n; i += 3) {
        struct slice group = slice_sub(s, i, 3);
        unsigned char b[3] = {0};
        memcpy(b, group.p, group.n);
        uint32_t bits = (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2];
        out[o++] = digits[bits >> 18];
        out[o++] = digits[bits >> 12 & 63];
        out[o++] = group.n > 1 ? digits[bits >> 6 & 63] : '=';
        out[o++] = group.n > 2 ? digits[bits & 63] : '=';
    }
    return slice_of(out, o);
}

/* The characters of the encoding that depend on `s` alone when `shift` (0 to 2) bytes stand before
 * it and any may follow: 2 or 3 are lost in front, 2 or 3 behind a group that is not full. */
static struct slice base64_shifted(struct arena *a, struct slice s, unsigned shift)
{
    static const size_t lost_before[] = {0, 2, 3}, lost_behind[] = {0, 3, 2};
    char *shifted = arena_bytes(a, s.n + shift + 1);
    memset(shifted, ' ', shift);
    if (s.n)
        memcpy(shifted + shift, s.p, s.n);
    struct slice text = base64(a, slice_of(shifted, s.n + shift));
    size_t lost = lost_before[shift] + lost_behind[(s.n + shift) % 3];
    return slice_sub(text, lost_before[shift], text.n > lost ? text.n - lost : 0);
}

/* Bytes of a text in the encoding that the modifiers ask for, before base64. */
static struct slice to_bytes(struct arena *a, struct slice text, uint32_t modifiers)
{
    if (!(modifiers & (MOD_UTF16 | MOD_UTF16LE | MOD_UTF16BE)))
        return text;
    text = to_utf16(a, text, modifiers & MOD_UTF16BE);
    if (!(modifiers & MOD_UTF16))
        return text;
    char *marked = arena_bytes(a, text.n + 2);
    marked[0] = '\xff';
    marked[1] = '\xfe';
    memcpy(marked + 2, text.p, text.n);
    return slice_of(marked, text.n + 2);
}

/* ---- making ---- */

/* Adds `*` where the modifiers ask for it, folds, and puts the pattern on the list. */
static void finish(struct arena *a, struct pattern p, uint32_t modifiers, bool keyword,
                   struct pattern_list *out)
{
    bool inside = modifiers & MOD_CONTAINS;
    if (!(modifiers & (MOD_STARTSWITH | MOD_ENDSWITH)))
        inside |= keyword || (modifiers & MOD_BASE64OFFSET);
    p.cased = modifiers & MOD_CASED;
    for (uint32_t i = 0; i < p.n && !p.cased; i++)
        if (p.parts[i].type == PART_TEXT)
            p.parts[i].text = text_fold(a, p.parts[i].text);
    if ((inside || modifiers & MOD_ENDSWITH) && !(p.n && p.parts[0].type == PART_MANY)) {
        p.parts--;
        p.parts[0] = (struct pattern_part){PART_MANY, {0}};
        p.n++;
    }
    if (inside || modifiers & MOD_STARTSWITH)
        add_part(&p, PART_MANY, (struct slice){0});
    if (out->n == out->cap) {
        struct pattern *old = out->at;
        out->cap = out->cap ? out->cap * 2 : 4;
        out->at = arena_zero(a, out->cap, sizeof *out->at);
        if (out->n)
            memcpy(out->at, old, out->n * sizeof *old);
    }
    out->at[out->n++] = p;
}

/* A copy of `p` in which the dashes are those of choice number `choice`. */
static struct pattern choose_dashes(struct arena *a, const struct pattern *p, uint32_t choice)
{
    struct pattern out = new_pattern(a, p->n);
    size_t room = 0, n = 0, from = 0;
    for (uint32_t i = 0; i < p->n; i++)
        room += p->parts[i].text.n + 3;
    char *text = arena_bytes(a, room);
    for (uint32_t i = 0; i < p->n; i++) {
        struct slice more = p->parts[i].text;
        if (p->parts[i].type == PART_DASH) {
            more = dashes[choice % DASHES];
            choice /= DASHES; /* past the most it is 0, and hyphens stand */
        } else if (p->parts[i].type != PART_TEXT) {
            end_text(&out, text, &from, n);
            add_part(&out, p->parts[i].type, (struct slice){0});
            continue;
        }
        memcpy(text + n, more.p, more.n);
        n += more.n;
    }
    end_text(&out, text, &from, n);
    return out;
}

/* `p` has no dashes left. */
static void make_encoded(struct arena *a, struct pattern p, uint32_t modifiers, bool keyword,
                         struct pattern_list *out)
{
    if (!(modifiers & (MOD_BASE64 | MOD_BASE64OFFSET))) {
        if (modifiers & MOD_UTF16)
            return; /* a byte order mark is no character of any text */
        for (uint32_t i = 0; i < p.n; i++)
            if (p.parts[i].type == PART_TEXT)
                p.parts[i].text = to_bytes(a, p.parts[i].text, modifiers);
        finish(a, p, modifiers, keyword, out);
        return;
    }
    struct slice bytes = to_bytes(a, p.n ? p.parts[0].text : SLICE(""), modifiers);
    if (modifiers & MOD_BASE64) {
        finish(a, pattern_plain(a, base64(a, bytes)), modifiers, keyword, out);
        return;
    }
    for (unsigned shift = 0; shift < 3; shift++) {
        struct slice text = base64_shifted(a, bytes, shift);
        if (text.n) /* too short a text leaves nothing to look for */
            finish(a, pattern_plain(a, text), modifiers, keyword, out);
    }
}

void pattern_make(struct arena *a, struct slice value, uint32_t modifiers, bool keyword,
                  struct pattern_list *out)
{
    bool base64 = modifiers & (MOD_BASE64 | MOD_BASE64OFFSET);
    bool encoded = base64 || (modifiers & (MOD_UTF16 | MOD_UTF16LE | MOD_UTF16BE));
    struct pattern p = parse(a, value, base64, modifiers & MOD_WINDASH);
    uint32_t choices = 1, found = 0;
    for (uint32_t i = 0; i < p.n; i++)
        if (p.parts[i].type == PART_DASH && found++ < PATTERN_DASHES_MOST)
            choices *= DASHES;
    if (!encoded && found > PATTERN_DASHES_SPELT) {
        finish(a, p, modifiers, keyword, out);
        return;
    }
    for (uint32_t choice = 0; choice < choices; choice++) {
        struct pattern chosen = choose_dashes(a, &p, choice);
        if (encoded)
            make_encoded(a, chosen, modifiers, keyword, out);
        else
            finish(a, chosen, modifiers, keyword, out);
    }
}

struct pattern pattern_plain(struct arena *a, struct slice text)
{
    struct pattern p = new_pattern(a, 1);
    if (text.n)
        add_part(&p, PART_TEXT, text);
    return p;
}

/* ---- matching ---- */

static size_t character(struct slice text, size_t at)
{
    size_t n = utf8_length(slice_sub(text, at, 4));
    return n ? n : 1;
}

/* Where the parts [from, to), which hold no `*`, end when they stand at `at`; or SIZE_MAX. */
static size_t run_at(const struct pattern *p, uint32_t from, uint32_t to, struct slice text,
                     size_t at)
{
    for (; from < to; from++) {
        const struct pattern_part *part = &p->parts[from];
        size_t n = 0;
        if (part->type == PART_TEXT)
            n = slice_starts(slice_sub(text, at, part->text.n), part->text) ? part->text.n : 0;
        else if (at < text.n && part->type == PART_ONE)
            n = character(text, at);
        else if (at < text.n)
            n = dash_length(slice_sub(text, at, 3));
        if (!n)
            return SIZE_MAX;
        at += n;
    }
    return at;
}

/* A run between two `*` counts characters, so where it begins first it ends first, and nothing is
 * lost by taking the first place; only the last run must end where the text does. */
bool pattern_matches(const struct pattern *p, struct slice text)
{
    size_t at = 0;
    for (uint32_t i = 0; i <= p->n;) {
        uint32_t end = i;
        while (end < p->n && p->parts[end].type != PART_MANY)
            end++;
        bool last = end == p->n;
        if (last && i > 0 && i == end)
            return true; /* ends with `*` */
        size_t after = run_at(p, i, end, text, at);
        if (i > 0)
            while ((after == SIZE_MAX || (last && after != text.n)) && at < text.n) {
                at += character(text, at);
                after = run_at(p, i, end, text, at);
            }
        if (after == SIZE_MAX)
            return false;
        if (last)
            return after == text.n;
        at = after;
        i = end + 1;
    }
    return true;
}
