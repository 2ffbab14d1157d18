#include "base/text.h"

#include <utf8proc.h>

size_t utf8_length(struct slice s)
{
    if (!s.n || !s.p)
        return 0;
    const unsigned char *p = (const unsigned char *)s.p;
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    size_t n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (s.n < n)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    /* overlong forms, surrogates, past U+10FFFF: all seen in the second byte */
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

/* Length of the run of ASCII at the start; eight bytes at a time. */
static size_t ascii_run(const char *p, size_t n)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t w;
        memcpy(&w, p + i, 8);
        if (w & 0x8080808080808080u)
            break;
    }
    while (i < n && (unsigned char)p[i] < 0x80)
        i++;
    return i;
}

bool utf8_valid(struct slice s)
{
    for (size_t i = 0; i < s.n;) {
        i += ascii_run(s.p + i, s.n - i);
        if (i == s.n)
            break;
        size_t n = utf8_length(slice_sub(s, i, 4));
        if (!n)
            return false;
        i += n;
    }
    return true;
}

struct slice utf8_clean(struct arena *a, struct slice s)
{
    if (utf8_valid(s))
        return s;
    char *out = arena_bytes(a, s.n * 3);
    size_t o = 0;
    for (size_t i = 0; i < s.n;) {
        size_t n = utf8_length(slice_sub(s, i, 4));
        memcpy(out + o, n ? s.p + i : "\xef\xbf\xbd", n ? n : 3);
        o += n ? n : 3;
        i += n ? n : 1;
    }
    return slice_of(out, o);
}

static size_t put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | (c >> 6));
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | (c >> 12));
        out[1] = (char)(0x80 | ((c >> 6) & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | (c >> 18));
    out[1] = (char)(0x80 | ((c >> 12) & 0x3f));
    out[2] = (char)(0x80 | ((c >> 6) & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

static uint32_t unit(struct slice s, size_t i)
{
    return (unsigned char)s.p[2 * i] | (uint32_t)(unsigned char)s.p[2 * i + 1] << 8;
}

struct slice utf16_to_utf8(struct arena *a, struct slice s)
{
    size_t units = s.n / 2, o = 0, i = 0;
    char *out = arena_bytes(a, units * 3);
    while (i < units) {
        uint32_t c = unit(s, i++);
        if (c >= 0xd800 && c < 0xe000) {
            uint32_t low = c < 0xdc00 && i < units ? unit(s, i) : 0;
            if (low >= 0xdc00 && low < 0xe000) {
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                i++;
            } else {
                c = 0xfffd;
            }
        }
        o += put_utf8(out + o, c);
    }
    /* give back what three bytes a unit did not need: the newest thing in the arena is this */
    a->at -= units * 3 - o;
    a->used -= units * 3 - o;
    return slice_of(out, o);
}

static struct slice fold_ascii(struct arena *a, struct slice s, size_t first)
{
    char *out = arena_bytes(a, s.n);
    memcpy(out, s.p, s.n);
    for (size_t i = first; i < s.n; i++)
        if (out[i] >= 'A' && out[i] <= 'Z')
            out[i] = (char)(out[i] + 32);
    return slice_of(out, s.n);
}

static struct slice fold_unicode(struct arena *a, struct slice s)
{
    /* a lower-case form may take one byte more than the upper ('Ⱥ' 2, 'ⱥ' 3) */
    char *out = arena_bytes(a, s.n * 2);
    size_t o = 0;
    for (size_t i = 0; i < s.n;) {
        size_t n = utf8_length(slice_sub(s, i, 4));
        utf8proc_int32_t c;
        if (!n ||
            utf8proc_iterate((const utf8proc_uint8_t *)s.p + i, (utf8proc_ssize_t)n, &c) < 0) {
            out[o++] = s.p[i++];
            continue;
        }
        o += put_utf8(out + o, (uint32_t)utf8proc_tolower(c));
        i += n;
    }
    a->at -= s.n * 2 - o;
    a->used -= s.n * 2 - o;
    return slice_of(out, o);
}

struct slice text_fold(struct arena *a, struct slice s)
{
    size_t ascii = ascii_run(s.p, s.n);
    if (ascii < s.n)
        return fold_unicode(a, s);
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] >= 'A' && s.p[i] <= 'Z')
            return fold_ascii(a, s, i);
    return s;
}

struct slice text_digits(uint64_t number, unsigned base, char room[DIGITS_ROOM])
{
    size_t at = DIGITS_ROOM;
    do
        room[--at] = "0123456789abcdef"[number % base];
    while ((number /= base) != 0);
    return slice_of(room + at, DIGITS_ROOM - at);
}
