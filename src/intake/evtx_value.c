#include "base/text.h"
#include "intake/evtx_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* Code page 1252 from 0x80 on; Windows does not say which one a string was written with. */
static const uint16_t cp1252[32] = {
    0x20ac, 0x81,   0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8d,   0x017d, 0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d,   0x017e, 0x0178,
};

/* Text of one byte a character: UTF-8 stays, anything else is taken for code page 1252. */
static struct value ansi(struct slice raw, struct arena *a)
{
    while (raw.n && raw.p[raw.n - 1] == '\0')
        raw.n--;
    if (utf8_valid(raw))
        return value_of_text(raw);
    char *utf16 = arena_bytes(a, raw.n * 2);
    for (size_t i = 0; i < raw.n; i++) {
        uint16_t c = (unsigned char)raw.p[i];
        if (c >= 0x80 && c < 0xa0)
            c = cp1252[c - 0x80];
        memcpy(utf16 + 2 * i, &c, sizeof c);
    }
    return (struct value){utf16, (uint32_t)raw.n * 2, VALUE_UTF16};
}

/* The double whose shortest decimal is that of the float: 0.1, where a plain cast would give
 * 0.10000000149011612. */
static double widen(float f)
{
    char text[40];
    for (int precision = 6; precision <= 9; precision++) {
        snprintf(text, sizeof text, "%.*g", precision, (double)f);
        if (strtof(text, NULL) == f)
            return strtod(text, NULL);
    }
    return (double)f; /* not a number */
}

/* An integer as wide as its bytes are, whatever width its type says. */
static bool integer(struct slice raw, bool is_signed, uint64_t *number)
{
    struct cursor c = cursor_of(raw);
    switch (raw.n) {
    case 1:
        *number = is_signed ? (uint64_t)(int8_t)cursor_u8(&c) : cursor_u8(&c);
        return true;
    case 2:
        *number = is_signed ? (uint64_t)(int16_t)cursor_u16(&c) : cursor_u16(&c);
        return true;
    case 4:
        *number = is_signed ? (uint64_t)(int32_t)cursor_u32(&c) : cursor_u32(&c);
        return true;
    case 8:
        *number = cursor_u64(&c);
        return true;
    default:
        return false;
    }
}

static bool real(struct slice raw, uint64_t *number)
{
    double d;
    float f;
    if (raw.n == sizeof d) {
        memcpy(&d, raw.p, sizeof d);
    } else if (raw.n == sizeof f) {
        memcpy(&f, raw.p, sizeof f);
        d = widen(f);
    } else {
        return false;
    }
    memcpy(number, &d, sizeof *number);
    return true;
}

void evtx_scalar(uint8_t type, struct slice raw, struct value *v, uint64_t *number, struct arena *a)
{
    static const uint8_t types[] = {
        [EVTX_STRING] = VALUE_UTF16,
        [EVTX_INT8] = VALUE_INT,
        [EVTX_UINT8] = VALUE_UINT,
        [EVTX_INT16] = VALUE_INT,
        [EVTX_UINT16] = VALUE_UINT,
        [EVTX_INT32] = VALUE_INT,
        [EVTX_UINT32] = VALUE_UINT,
        [EVTX_INT64] = VALUE_INT,
        [EVTX_UINT64] = VALUE_UINT,
        [EVTX_REAL32] = VALUE_DOUBLE,
        [EVTX_REAL64] = VALUE_DOUBLE,
        [EVTX_BOOL] = VALUE_BOOL,
        [EVTX_BINARY] = VALUE_BINARY,
        [EVTX_GUID] = VALUE_GUID,
        [EVTX_SIZE] = VALUE_HEX,
        [EVTX_FILETIME] = VALUE_FILETIME,
        [EVTX_SYSTEMTIME] = VALUE_SYSTEMTIME,
        [EVTX_SID] = VALUE_SID,
        [EVTX_HEX32] = VALUE_HEX,
        [EVTX_HEX64] = VALUE_HEX,
    };
    uint8_t as = type < sizeof types && types[type] ? types[type] : VALUE_BINARY;
    *v = (struct value){raw.p, (uint32_t)raw.n, as};
    if (type == EVTX_NULL || (raw.n == 0 && as != VALUE_UTF16 && type != EVTX_ANSI)) {
        *v = (struct value){"", 0, VALUE_NULL};
    } else if (type == EVTX_ANSI) {
        *v = ansi(raw, a);
    } else if (as == VALUE_INT || as == VALUE_UINT || as == VALUE_HEX || as == VALUE_BOOL) {
        if (!integer(raw, as == VALUE_INT, number))
            v->type = VALUE_BINARY;
        else if (as == VALUE_BOOL)
            *number = *number != 0, *v = (struct value){NULL, 1, VALUE_BOOL};
        else
            *v = (struct value){NULL, 8, as};
    } else if (as == VALUE_DOUBLE) {
        if (real(raw, number))
            *v = (struct value){NULL, 8, VALUE_DOUBLE};
        else
            v->type = VALUE_BINARY;
    }
}

/* Strings in arrays end with a NUL character of `width` bytes each; the last one may lack it. */
static size_t string_length(const struct cursor *c, size_t width)
{
    size_t left = cursor_left(c);
    for (size_t n = 0; n + width <= left; n += width)
        if (!c->p[c->at + n] && (width == 1 || !c->p[c->at + n + 1]))
            return n;
    return left;
}

size_t evtx_size_of(uint8_t type)
{
    static const uint8_t sizes[] = {
        [EVTX_INT8] = 1,   [EVTX_UINT8] = 1,    [EVTX_INT16] = 2,       [EVTX_UINT16] = 2,
        [EVTX_INT32] = 4,  [EVTX_UINT32] = 4,   [EVTX_INT64] = 8,       [EVTX_UINT64] = 8,
        [EVTX_REAL32] = 4, [EVTX_REAL64] = 8,   [EVTX_BOOL] = 4,        [EVTX_GUID] = 16,
        [EVTX_SIZE] = 8,   [EVTX_FILETIME] = 8, [EVTX_SYSTEMTIME] = 16, [EVTX_HEX32] = 4,
        [EVTX_HEX64] = 8,
    };
    return type < sizeof sizes ? sizes[type] : 0;
}

bool evtx_element(uint8_t type, struct cursor *c, struct slice *raw)
{
    size_t left = cursor_left(c), n = left;
    if (!left)
        return false;
    if (type == EVTX_STRING || type == EVTX_ANSI) {
        size_t width = type == EVTX_STRING ? 2 : 1;
        *raw = cursor_take(c, string_length(c, width));
        cursor_skip(c, cursor_left(c) < width ? cursor_left(c) : width);
        return true;
    }
    if (type == EVTX_SID && left > 1)
        n = 8 + 4 * (size_t)c->p[c->at + 1];
    else if (evtx_size_of(type))
        n = evtx_size_of(type);
    *raw = cursor_take(c, n < left ? n : left);
    return true;
}
