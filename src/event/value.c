#include "event/value.h"

#include "base/cursor.h"
#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char hex_digits[] = "0123456789ABCDEF";

/* Two digits a byte; returns where they end. */
static char *put_hex(char *out, const unsigned char *in, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        *out++ = hex_digits[in[i] >> 4];
        *out++ = hex_digits[in[i] & 15];
    }
    return out;
}

static struct slice hex(struct arena *a, const void *p, size_t n)
{
    char *out = arena_bytes(a, n * 2);
    put_hex(out, p, n);
    return slice_of(out, n * 2);
}

static struct slice text_int(struct value v, struct arena *a)
{
    int64_t n;
    memcpy(&n, v.p, sizeof n);
    return arena_printf(a, "%" PRId64, n);
}

static struct slice text_uint(struct value v, struct arena *a)
{
    char room[DIGITS_ROOM];
    uint64_t n;
    memcpy(&n, v.p, sizeof n);
    return arena_slice(a, text_digits(n, 10, room));
}

static struct slice text_hex(struct value v, struct arena *a)
{
    char room[2 + DIGITS_ROOM] = "0x";
    uint64_t n;
    memcpy(&n, v.p, sizeof n);
    struct slice digits = text_digits(n, 16, room + 2);
    memmove(room + 2, digits.p, digits.n);
    return arena_slice(a, slice_of(room, 2 + digits.n));
}

static struct slice text_double(struct value v, struct arena *a)
{
    double d;
    memcpy(&d, v.p, sizeof d);
    for (int precision = 15; precision < 17; precision++) {
        char text[40];
        snprintf(text, sizeof text, "%.*g", precision, d);
        if (strtod(text, NULL) == d || isnan(d))
            return arena_slice(a, slice_str(text));
    }
    return arena_printf(a, "%.17g", d);
}

static struct slice text_bool(struct value v, struct arena *a)
{
    (void)a;
    return *(const uint8_t *)v.p ? SLICE("true") : SLICE("false");
}

/* [MS-DTYP] 2.3.4.2: a number of four bytes and two of two (little-endian), then eight bytes. */
static struct slice text_guid(struct value v, struct arena *a)
{
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    const unsigned char *in = v.p;
    char text[38], *out = text;
    *out++ = '{';
    for (size_t i = 0; i < sizeof order; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        out = put_hex(out, in + order[i], 1);
    }
    *out = '}';
    return slice_of(arena_copy(a, text, sizeof text), sizeof text);
}

/* [MS-DTYP] 2.4.2.2: revision, count, 48-bit authority (big-endian), 32-bit sub-authorities. */
static struct slice text_sid(struct value v, struct arena *a)
{
    struct cursor c = cursor_of(slice_of(v.p, v.n));
    unsigned revision = cursor_u8(&c), count = cursor_u8(&c);
    uint64_t authority = 0;
    for (int i = 0; i < 6; i++)
        authority = authority << 8 | cursor_u8(&c);
    if (c.failed || cursor_left(&c) < count * 4u)
        return hex(a, v.p, v.n);
    struct buf text = {0};
    buf_printf(&text, authority >> 32 ? "S-%u-0x%012" PRIx64 : "S-%u-%" PRIu64, revision,
               authority);
    for (unsigned i = 0; i < count; i++) {
        buf_char(&text, '-');
        buf_number(&text, cursor_u32(&c));
    }
    struct slice kept = arena_slice(a, buf_slice(&text));
    buf_free(&text);
    return kept;
}

/* A time that no timestamp holds, such as 0 ("never"): its like in another 400 years, which all have
 * the same days, and then the year put right. */
static struct slice text_far_filetime(uint64_t filetime, struct arena *a)
{
    const uint64_t day = UINT64_C(24) * 3600 * 10000000, cycle = 146097 * day;
    uint64_t like = filetime % cycle + (filetime % cycle < 200 * 365 * day ? cycle : 0);
    struct timestamp_parts t = timestamp_split(timestamp_from_filetime(like));
    long year = t.year + 400 * ((long)(filetime / cycle) - (long)(like / cycle));
    return arena_printf(a, "%04ld-%02d-%02dT%02d:%02d:%02d.%07dZ", year, t.month, t.day, t.hour,
                        t.minute, t.second, (int)(t.nanosecond / 100));
}

static struct slice text_filetime(struct value v, struct arena *a)
{
    uint64_t filetime;
    memcpy(&filetime, v.p, sizeof filetime);
    timestamp t = timestamp_from_filetime(filetime);
    char text[TIMESTAMP_TEXT];
    if (t == TIMESTAMP_NONE)
        return text_far_filetime(filetime, a);
    return arena_slice(a, slice_of(text, timestamp_text(t, 7, text)));
}

/* [MS-DTYP] 2.3.13: year, month, day of week, day, hour, minute, second, milliseconds. */
static struct slice text_systemtime(struct value v, struct arena *a)
{
    uint16_t t[8];
    memcpy(t, v.p, sizeof t);
    return arena_printf(a, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", t[0], t[1], t[3], t[4], t[5],
                        t[6], t[7]);
}

static struct slice text_utf16(struct value v, struct arena *a)
{
    const char *p = v.p;
    size_t n = v.n & ~(size_t)1;
    while (n && !p[n - 1] && !p[n - 2])
        n -= 2;
    return utf16_to_utf8(a, slice_of(p, n));
}

static struct slice text_list(struct value v, struct arena *a)
{
    struct buf b = {0};
    struct value element;
    for (size_t at = 0; value_next(v, &at, &element);) {
        if (b.n)
            buf_add(&b, SLICE(", "));
        buf_add(&b, value_text(element, a));
    }
    struct slice text = arena_slice(a, buf_slice(&b));
    buf_free(&b);
    return text;
}

struct slice value_text(struct value v, struct arena *a)
{
    static const struct {
        uint32_t size; /* the type's fixed size, or 0 */
        struct slice (*text)(struct value, struct arena *);
    } types[VALUE_TYPES] = {
        [VALUE_UTF16] = {0, text_utf16},       [VALUE_INT] = {8, text_int},
        [VALUE_UINT] = {8, text_uint},         [VALUE_HEX] = {8, text_hex},
        [VALUE_DOUBLE] = {8, text_double},     [VALUE_BOOL] = {1, text_bool},
        [VALUE_GUID] = {16, text_guid},        [VALUE_SID] = {0, text_sid},
        [VALUE_FILETIME] = {8, text_filetime}, [VALUE_SYSTEMTIME] = {16, text_systemtime},
        [VALUE_LIST] = {0, text_list},
    };
    if (v.type == VALUE_NULL)
        return (struct slice){"", 0};
    if (v.type == VALUE_TEXT)
        return utf8_clean(a, slice_of(v.p, v.n));
    if (v.type >= VALUE_TYPES || !types[v.type].text ||
        (types[v.type].size && types[v.type].size != v.n))
        return hex(a, v.p, v.n);
    return types[v.type].text(v, a);
}

static bool is_number(struct value v)
{
    return v.n == 8 && (v.type == VALUE_INT || v.type == VALUE_UINT || v.type == VALUE_DOUBLE);
}

void value_json(struct value v, struct buf *out, struct arena *scratch)
{
    if (v.type == VALUE_NULL) {
        buf_add(out, SLICE("null"));
    } else if (v.type == VALUE_LIST) {
        struct value element;
        char before = '[';
        for (size_t at = 0; value_next(v, &at, &element); before = ',') {
            buf_char(out, before);
            value_json(element, out, scratch);
        }
        buf_add(out, before == '[' ? SLICE("[]") : SLICE("]"));
    } else {
        struct slice text = value_text(v, scratch);
        bool finite = v.type != VALUE_DOUBLE || (text.n && text.p[text.n - 1] <= '9');
        if ((is_number(v) && finite) || (v.type == VALUE_BOOL && v.n == 1))
            buf_add(out, text);
        else
            buf_json(out, text);
    }
}

void value_list_add(struct buf *b, struct value element)
{
    char *p = buf_room(b, 5 + (size_t)element.n);
    p[0] = (char)element.type;
    memcpy(p + 1, &element.n, 4);
    if (element.n)
        memcpy(p + 5, element.p, element.n);
    b->n += 5 + (size_t)element.n;
}

struct value value_of_list(const struct buf *b)
{
    return (struct value){b->p, (uint32_t)b->n, VALUE_LIST};
}

bool value_next(struct value v, size_t *at, struct value *element)
{
    if (v.type != VALUE_LIST) {
        *element = v;
        return (*at)++ == 0;
    }
    struct cursor c = cursor_of(slice_of(v.p, v.n));
    cursor_seek(&c, *at);
    uint8_t type = cursor_u8(&c);
    uint32_t n = cursor_u32(&c);
    struct slice bytes = cursor_take(&c, n);
    *at = c.at;
    *element = (struct value){bytes.p, n, type};
    return !c.failed;
}
