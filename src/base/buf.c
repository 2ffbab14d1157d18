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
        buf_add(b, len ? slice_sub(s, i, len) : SLICE("\xef\xbf\xbd"));
        i += len ? len : 1;
    }
    buf_char(b, '"');
}

void buf_free(struct buf *b)
{
    free(b->p);
    *b = (struct buf){0};
}
