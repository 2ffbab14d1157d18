#include "store/values.h"

#include "base/text.h"
#include "base/timestamp.h"

#include <arpa/inet.h>
#include <stdlib.h>

enum {
    TYPE_BITS = 4,
    MIXED = 0xff,
    WORDS = 4,      /* of 32 bits in a value of 16 bytes */
    TIME_TEXT = 23, /* bytes of "2026-11-10 10:23:41.123" */
    MILLISECOND = 1000000,
};
_Static_assert(VALUE_TYPES <= 1 << TYPE_BITS, "a form has four bits for the type");

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}; /* ::ffff:0:0/96 */

/* Size of a type in LAYOUT_FIXED; -1: it has none. */
static int fixed_size(unsigned type)
{
    switch (type) {
    case VALUE_NULL:
        return 0;
    case VALUE_BOOL:
        return 1;
    case VALUE_DOUBLE:
        return 8;
    case VALUE_GUID:
    case VALUE_SYSTEMTIME:
        return 16;
    default:
        return -1;
    }
}

static bool is_number_type(unsigned type)
{
    return type == VALUE_INT || type == VALUE_UINT || type == VALUE_HEX || type == VALUE_FILETIME;
}

size_t ip_to_text(const uint8_t ip[16], char out[IP_TEXT])
{
    bool four = memcmp(ip, mapped, sizeof mapped) == 0;
    if (!inet_ntop(four ? AF_INET : AF_INET6, four ? ip + sizeof mapped : ip, out, IP_TEXT))
        out[0] = '\0';
    return strlen(out);
}

bool ip_from_text(struct slice text, uint8_t ip[16])
{
    char terminated[IP_TEXT], again[IP_TEXT];
    size_t dots = 0, colons = 0;
    if (text.n < 2 || text.n >= sizeof terminated)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        dots += c == '.';
        colons += c == ':';
        if (!(c == '.' || c == ':' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    memcpy(terminated, text.p, text.n);
    terminated[text.n] = '\0';
    if (colons >= 2) {
        if (inet_pton(AF_INET6, terminated, ip) != 1 || memcmp(ip, mapped, sizeof mapped) == 0)
            return false;
    } else if (dots == 3 && !colons) {
        memcpy(ip, mapped, sizeof mapped);
        if (inet_pton(AF_INET, terminated, ip + sizeof mapped) != 1)
            return false;
    } else {
        return false;
    }
    return slice_equal(slice_of(again, ip_to_text(ip, again)), text);
}

static size_t time_to_text(timestamp t, char out[TIMESTAMP_TEXT])
{
    timestamp_text(t, 3, out);
    out[10] = ' ';
    return TIME_TEXT;
}

/* Text that time_to_text makes, as milliseconds since 1970. */
static bool time_from_text(struct slice text, uint64_t *milliseconds)
{
    char again[TIMESTAMP_TEXT];
    timestamp t;
    if (text.n != TIME_TEXT || text.p[10] != ' ' || text.p[4] != '-' || text.p[19] != '.' ||
        !timestamp_parse(text, &t) || t < 0)
        return false;
    *milliseconds = (uint64_t)t / MILLISECOND;
    return slice_equal(slice_of(again, time_to_text(t, again)), text);
}

/* Whether UTF-16LE comes back from UTF-8 byte by byte: even, no surrogate without its other half. */
static bool utf16_exact(const struct value *v)
{
    const unsigned char *p = v->p;
    for (uint32_t i = 0; i + 1 < v->n; i += 2) {
        unsigned high = p[i + 1];
        if (high < 0xd8 || high > 0xdf)
            continue;
        if (high > 0xdb || v->n - i < 4 || p[i + 3] < 0xdc || p[i + 3] > 0xdf)
            return false;
        i += 2;
    }
    return v->n % 2 == 0;
}

/* Chooses the layout; *part becomes the bytes it stores. */
static uint8_t form_of(struct arena *a, const struct value *v, timestamp when, struct slice *part)
{
    enum values_layout layout = LAYOUT_BYTES;
    *part = slice_of(v->p, v->n);
    if (is_number_type(v->type) && v->n == 8) {
        layout = LAYOUT_NUMBER;
    } else if (fixed_size(v->type) == (int)v->n) {
        layout = LAYOUT_FIXED;
    } else if (v->type == VALUE_UTF16 && utf16_exact(v)) {
        layout = LAYOUT_UTF8;
        *part = utf16_to_utf8(a, *part);
    }
    uint8_t ip[16];
    uint64_t time;
    bool text = layout == LAYOUT_UTF8 || v->type == VALUE_TEXT;
    if (text && ip_from_text(*part, ip)) {
        layout = LAYOUT_IP;
        *part = slice_of(arena_copy(a, ip, sizeof ip), sizeof ip);
    } else if (text && time_from_text(*part, &time)) {
        layout = when == TIMESTAMP_NONE ? LAYOUT_TIME : LAYOUT_NEAR;
        if (layout == LAYOUT_NEAR)
            time = zigzag((int64_t)(time - (uint64_t)(when / MILLISECOND)));
        *part = slice_of(arena_copy(a, &time, sizeof time), sizeof time);
    }
    return (uint8_t)(v->type | layout << TYPE_BITS);
}

/* Eight bytes of each value from byte `from` on, or `size` of them. */
static void pack_numbers(const struct values_packer *v, uint8_t form, uint32_t n, size_t from,
                         size_t size, struct raw *out)
{
    size_t count = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (v->forms[i] != form)
            continue;
        v->numbers[count] = 0;
        memcpy(&v->numbers[count++], v->parts[i].p + from, size);
    }
    put_numbers(out, v->numbers, count);
}

static void pack_words(const struct values_packer *v, uint8_t form, uint32_t n, struct raw *out)
{
    for (size_t word = 0; word < WORDS; word++)
        pack_numbers(v, form, n, word * 4, 4, out);
}

static void pack_planes(const struct values_packer *v, uint8_t form, uint32_t n, size_t size,
                        struct raw *out)
{
    for (size_t plane = 0; plane < size; plane++) {
        for (uint32_t i = 0; i < n; i++)
            if (v->forms[i] == form)
                buf_char(&out->bytes, v->parts[i].p[plane]);
        raw_cut(out);
    }
}

static void pack_bytes(struct values_packer *v, uint8_t form, uint32_t n, struct raw *out)
{
    buf_clear(&v->lengths);
    for (uint32_t i = 0; i < n; i++)
        if (v->forms[i] == form)
            put_number(&v->lengths, v->parts[i].n);
    put_text(&out->bytes, buf_slice(&v->lengths));
    raw_cut(out);
    for (uint32_t i = 0; i < n; i++)
        if (v->forms[i] == form)
            buf_add(&out->bytes, v->parts[i]);
    raw_cut(out);
}

static void span_number(struct values_range *r, const struct slice *part, bool first)
{
    int64_t number;
    memcpy(&number, part->p, sizeof number);
    if (first || number < r->least)
        r->least = number;
    if (first || number > r->most)
        r->most = number;
}

static void span_ip(struct values_range *r, const struct slice *part, bool first)
{
    if (first || memcmp(part->p, r->ip_least, 16) < 0)
        memcpy(r->ip_least, part->p, 16);
    if (first || memcmp(part->p, r->ip_most, 16) > 0)
        memcpy(r->ip_most, part->p, 16);
}

static void find_range(const struct values_packer *v, uint32_t n, struct values_range *r)
{
    uint32_t numbers = 0, ips = 0;
    *r = (struct values_range){0};
    for (uint32_t i = 0; i < n; i++) {
        unsigned type = v->forms[i] & ((1 << TYPE_BITS) - 1), layout = v->forms[i] >> TYPE_BITS;
        if (layout == LAYOUT_IP)
            span_ip(r, &v->parts[i], ips++ == 0);
        if (layout != LAYOUT_NUMBER || (type != VALUE_INT && type != VALUE_UINT))
            continue;
        if (type == VALUE_UINT && (v->parts[i].p[7] & 0x80)) /* past INT64_MAX */
            continue;
        span_number(r, &v->parts[i], numbers++ == 0);
    }
    if (n && numbers == n)
        r->of = RANGE_NUMBERS;
    else if (n && ips == n)
        r->of = RANGE_IPS;
}

void values_packer_free(struct values_packer *v)
{
    arena_free(&v->scratch);
    free(v->forms);
    free(v->parts);
    free(v->numbers);
    buf_free(&v->lengths);
    *v = (struct values_packer){0};
}

void values_pack(struct values_packer *v, const struct value *const *values, const timestamp *when,
                 uint32_t n, struct raw *out, struct values_range *range)
{
    bool seen[256] = {false};
    if (n > v->cap) {
        v->cap = n;
        v->forms = xrealloc(v->forms, n, sizeof *v->forms);
        v->parts = xrealloc(v->parts, n, sizeof *v->parts);
        v->numbers = xrealloc(v->numbers, n, sizeof *v->numbers);
    }
    arena_reset(&v->scratch);
    bool mixed = false;
    for (uint32_t i = 0; i < n; i++) {
        v->forms[i] =
            form_of(&v->scratch, values[i], when ? when[i] : TIMESTAMP_NONE, &v->parts[i]);
        seen[v->forms[i]] = true;
        mixed |= v->forms[i] != v->forms[0];
    }
    find_range(v, n, range);
    if (n == 0)
        return;
    buf_char(&out->bytes, (char)(mixed ? MIXED : v->forms[0]));
    if (mixed)
        buf_add(&out->bytes, slice_of(v->forms, n));
    raw_cut(out);
    for (unsigned form = 0; form < MIXED; form++) {
        if (!seen[form])
            continue;
        unsigned layout = form >> TYPE_BITS, type = form & ((1 << TYPE_BITS) - 1);
        if (layout == LAYOUT_NUMBER || layout == LAYOUT_TIME || layout == LAYOUT_NEAR)
            pack_numbers(v, (uint8_t)form, n, 0, sizeof(uint64_t), out);
        else if (layout == LAYOUT_FIXED && fixed_size(type) == WORDS * 4)
            pack_words(v, (uint8_t)form, n, out);
        else if (layout == LAYOUT_FIXED)
            pack_planes(v, (uint8_t)form, n, (size_t)fixed_size(type), out);
        else if (layout == LAYOUT_IP)
            pack_planes(v, (uint8_t)form, n, 16, out);
        else
            pack_bytes(v, (uint8_t)form, n, out);
    }
}

/* ---- the way back ---- */

struct unpacking {
    struct cursor c;
    const uint8_t *forms; /* of each value, or NULL: all are `only` */
    uint8_t only;
    uint32_t n;
    bool as_text;
    const timestamp *when;
    struct value *values;
    struct arena *a;
};

static uint8_t form_at(const struct unpacking *u, uint32_t i)
{
    return u->forms ? u->forms[i] : u->only;
}

static void unpack_numbers(struct unpacking *u, uint8_t form, uint32_t count)
{
    uint64_t *numbers = arena_alloc(u->a, count * sizeof *numbers);
    if (!take_numbers(&u->c, numbers, count))
        return;
    for (uint32_t i = 0; i < u->n; i++)
        if (form_at(u, i) == form)
            u->values[i] = (struct value){numbers++, 8, form & ((1 << TYPE_BITS) - 1)};
}

static void unpack_words(struct unpacking *u, uint8_t form, uint32_t count)
{
    uint64_t *numbers = arena_alloc(u->a, count * sizeof *numbers);
    uint32_t(*words)[WORDS] = arena_alloc(u->a, count * sizeof *words);
    for (unsigned word = 0; word < WORDS; word++) {
        if (!take_numbers(&u->c, numbers, count))
            return;
        for (uint32_t i = 0; i < count; i++)
            words[i][word] = (uint32_t)numbers[i];
    }
    for (uint32_t i = 0; i < u->n; i++)
        if (form_at(u, i) == form)
            u->values[i] = (struct value){words++, sizeof *words, form & ((1 << TYPE_BITS) - 1)};
}

static void unpack_planes(struct unpacking *u, uint8_t form, uint32_t count, uint32_t size)
{
    struct slice planes = cursor_take(&u->c, (size_t)count * size);
    if (u->c.failed || !planes.p)
        return;
    char *bytes = arena_bytes(u->a, (size_t)count * size);
    uint32_t k = 0;
    for (uint32_t i = 0; i < u->n; i++) {
        if (form_at(u, i) != form)
            continue;
        char *to = bytes + (size_t)k * size;
        for (uint32_t plane = 0; plane < size; plane++)
            to[plane] = planes.p[(size_t)plane * count + k];
        u->values[i] = (struct value){to, size, form & ((1 << TYPE_BITS) - 1)};
        k++;
    }
}

/* UTF-16LE of valid UTF-8, in the arena. */
static struct value utf16_of(struct arena *a, struct slice utf8)
{
    char *out = arena_bytes(a, utf8.n * 2);
    uint32_t o = 0;
    for (size_t i = 0; i < utf8.n;) {
        const unsigned char *p = (const unsigned char *)utf8.p + i;
        size_t n = utf8_length(slice_sub(utf8, i, 4));
        uint32_t c = n == 1   ? p[0]
                     : n == 2 ? (p[0] & 0x1fu) << 6 | (p[1] & 0x3f)
                     : n == 3 ? (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3f)
                              : (p[0] & 0x07u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 |
                                    (p[3] & 0x3f);
        i += n;
        uint32_t units[2] = {c, 0};
        if (c >= 0x10000) {
            units[0] = 0xd800 + ((c - 0x10000) >> 10);
            units[1] = 0xdc00 + ((c - 0x10000) & 0x3ff);
        }
        for (int unit = 0; unit < (c >= 0x10000 ? 2 : 1); unit++) {
            out[o++] = (char)(units[unit] & 0xff);
            out[o++] = (char)(units[unit] >> 8);
        }
    }
    return (struct value){out, o, VALUE_UTF16};
}

/* A value of VALUE_UTF16 whose text is at hand. */
static struct value as_asked(const struct unpacking *u, struct slice utf8)
{
    if (!u->as_text)
        return utf16_of(u->a, utf8);
    while (utf8.n && !utf8.p[utf8.n - 1]) /* as its canonical text */
        utf8.n--;
    return value_of_text(utf8);
}

static void unpack_ips(struct unpacking *u, uint8_t form, uint32_t count)
{
    unpack_planes(u, form, count, 16);
    for (uint32_t i = 0; !u->c.failed && i < u->n; i++) {
        if (form_at(u, i) != form)
            continue;
        char text[IP_TEXT];
        size_t n = ip_to_text(u->values[i].p, text);
        struct slice s = slice_of(arena_copy(u->a, text, n), n);
        u->values[i] = u->values[i].type == VALUE_UTF16 ? as_asked(u, s) : value_of_text(s);
    }
}

static void unpack_times(struct unpacking *u, uint8_t form, uint32_t count)
{
    bool near = form >> TYPE_BITS == LAYOUT_NEAR;
    u->c.failed |= near && !u->when;
    unpack_numbers(u, form, count);
    for (uint32_t i = 0; !u->c.failed && i < u->n; i++) {
        if (form_at(u, i) != form)
            continue;
        char text[TIMESTAMP_TEXT];
        uint64_t milliseconds;
        memcpy(&milliseconds, u->values[i].p, sizeof milliseconds);
        if (near)
            milliseconds = (uint64_t)unzigzag(milliseconds) + (uint64_t)(u->when[i] / MILLISECOND);
        if (milliseconds > INT64_MAX / MILLISECOND) {
            u->c.failed = true;
            return;
        }
        size_t n = time_to_text((timestamp)milliseconds * MILLISECOND, text);
        struct slice s = slice_of(arena_copy(u->a, text, n), n);
        u->values[i] = u->values[i].type == VALUE_UTF16 ? as_asked(u, s) : value_of_text(s);
    }
}

static void unpack_bytes(struct unpacking *u, uint8_t form)
{
    struct cursor lengths = cursor_of(take_text(&u->c));
    unsigned type = form & ((1 << TYPE_BITS) - 1);
    bool utf8 = form >> TYPE_BITS == LAYOUT_UTF8;
    for (uint32_t i = 0; i < u->n; i++) {
        if (form_at(u, i) != form)
            continue;
        struct slice bytes = cursor_take(&u->c, take_number(&lengths));
        u->c.failed |= lengths.failed || (utf8 && !utf8_valid(bytes));
        if (u->c.failed)
            return;
        u->values[i] =
            utf8 ? as_asked(u, bytes) : (struct value){bytes.p, (uint32_t)bytes.n, (uint8_t)type};
    }
    u->c.failed |= cursor_left(&lengths) != 0;
}

static bool unpack_form(struct unpacking *u, uint8_t form, uint32_t count)
{
    unsigned layout = form >> TYPE_BITS, type = form & ((1 << TYPE_BITS) - 1);
    bool text = type == VALUE_TEXT || type == VALUE_UTF16;
    if (type >= VALUE_TYPES)
        return false;
    if (layout == LAYOUT_NUMBER && is_number_type(type))
        unpack_numbers(u, form, count);
    else if ((layout == LAYOUT_TIME || layout == LAYOUT_NEAR) && text)
        unpack_times(u, form, count);
    else if (layout == LAYOUT_FIXED && fixed_size(type) == WORDS * 4)
        unpack_words(u, form, count);
    else if (layout == LAYOUT_FIXED && fixed_size(type) >= 0)
        unpack_planes(u, form, count, (uint32_t)fixed_size(type));
    else if (layout == LAYOUT_IP && text)
        unpack_ips(u, form, count);
    else if (layout == LAYOUT_BYTES || (layout == LAYOUT_UTF8 && type == VALUE_UTF16))
        unpack_bytes(u, form);
    else
        return false;
    return !u->c.failed;
}

bool values_need_when(struct slice packed, uint32_t n)
{
    struct cursor c = cursor_of(packed);
    uint8_t form = cursor_u8(&c);
    struct slice forms = form == MIXED ? cursor_take(&c, n) : (struct slice){0};
    bool near = form != MIXED && form >> TYPE_BITS == LAYOUT_NEAR;
    for (size_t i = 0; i < forms.n; i++)
        near |= (unsigned char)forms.p[i] >> TYPE_BITS == LAYOUT_NEAR;
    return near;
}

bool values_unpack(struct slice packed, const timestamp *when, uint32_t n, bool as_text,
                   struct value *values, struct arena *a)
{
    struct unpacking u = {
        .c = cursor_of(packed), .n = n, .as_text = as_text, .when = when, .values = values, .a = a};
    if (n == 0)
        return packed.n == 0;
    u.only = cursor_u8(&u.c);
    if (u.only != MIXED)
        return unpack_form(&u, u.only, n) && cursor_left(&u.c) == 0;
    u.forms = (const uint8_t *)cursor_take(&u.c, n).p;
    if (u.c.failed)
        return false;
    uint32_t counts[256] = {0};
    for (uint32_t i = 0; i < n; i++)
        counts[u.forms[i]]++;
    for (unsigned form = 0; form <= MIXED; form++)
        if (counts[form] && !unpack_form(&u, (uint8_t)form, counts[form]))
            return false;
    return cursor_left(&u.c) == 0;
}
