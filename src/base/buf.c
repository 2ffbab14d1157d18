#include "base/buf.h"

#include "base/arena.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

char *buf_room(struct buf *b, size_t more)
{
    if (b->cap - b->n < more) {
        size_t cap = b->cap ? b->cap : 256;
        while (cap - b->n < more)
            cap *= 2;
        b->p = xrealloc(b->p, cap, 1);
        b->cap = cap;
    }
    return b->p + b->n;
}

void buf_add(struct buf *b, struct slice s)
{
    if (!s.n)
        return;
    memcpy(buf_room(b, s.n), s.p, s.n);
    b->n += s.n;
}

void buf_char(struct buf *b, char c)
{
    *buf_room(b, 1) = c;
    b->n++;
}

void buf_number(struct buf *b, uint64_t number)
{
    char room[DIGITS_ROOM];
    buf_add(b, text_digits(number, 10, room));
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n <= 0)
        return;
    va_start(args, format);
    vsnprintf(buf_room(b, (size_t)n + 1), (size_t)n + 1, format, args);
    va_end(args);
    b->n += (size_t)n;
}

static void json_escape(struct buf *b, unsigned char c)
{
    static const char shorts[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                  ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};
    if (c < sizeof shorts && shorts[c]) {
        buf_char(b, '\\');
        buf_char(b, shorts[c]);
    } else {
        buf_printf(b, "\\u%04x", c);
    }
}

/* Of a character of two or three bytes. */
static unsigned code_point(struct slice s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    return s.n == 2 ? (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu)
                    : (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
}

/* A control of C1, which terminals may act on, a line separator, or a change of direction. */
static bool steers(struct slice s)
{
    if (s.n != 2 && s.n != 3)
        return false;
    unsigned c = code_point(s);
    return (c >= 0x80 && c < 0xa0) || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

void buf_json(struct buf *b, struct slice s)
{
    buf_char(b, '"');
    size_t i = 0;
    while (i < s.n) {
        size_t from = i;
        while (i < s.n && (unsigned char)s.p[i] >= 0x20 && s.p[i] != '"' && s.p[i] != '\\' &&
               (unsigned char)s.p[i] < 0x7f)
            i++;
        buf_add(b, slice_sub(s, from, i - from));
        if (i == s.n)
            break;
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x80) {
            json_escape(b, c);
            i++;
            continue;
        }
        size_t len = utf8_length(slice_sub(s, i, 4));
        struct slice character = slice_sub(s, i, len);
        if (len && steers(character))
            buf_printf(b, "\\u%04x", code_point(character));
        else
            buf_add(b, len ? character : SLICE("\xef\xbf\xbd"));
        i += len ? len : 1;
    }
    buf_char(b, '"');
}

bool buf_write(const struct buf *b, FILE *to)
{
    return !b->n || fwrite(b->p, 1, b->n, to) == b->n;
}

void buf_free(struct buf *b)
{
    free(b->p);
    *b = (struct buf){0};
}
