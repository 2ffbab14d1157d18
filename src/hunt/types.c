#include "hunt/types.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define NS_PER_MINUTE (60 * NS_PER_SECOND)
#define NS_PER_HOUR (3600 * NS_PER_SECOND)
#define NS_PER_DAY (86400 * NS_PER_SECOND)

enum { NUMBER_TEXT = 64 };

const char *hunt_type_name(enum hunt_type type)
{
    static const char *const names[HUNT_TYPES] = {"bool",     "long",     "real",    "string",
                                                  "datetime", "timespan", "dynamic", "field"};
    return names[type];
}

int field_compare(struct slice a, struct slice b)
{
    double x = 0, y = 0;
    if (!a.n || !b.n)
        return (a.n != 0) - (b.n != 0);
    bool a_number = text_number(a, &x), b_number = text_number(b, &y);
    if (a_number != b_number)
        return a_number ? -1 : 1;
    if (a_number && x != y)
        return x < y ? -1 : 1;
    return a_number ? 0 : slice_compare(a, b);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hexadecimal(struct slice s, int64_t *out)
{
    uint64_t n = 0;
    if (s.n < 3 || s.n > 18 || s.p[0] != '0' || (s.p[1] | 0x20) != 'x')
        return false;
    for (size_t i = 2; i < s.n; i++) {
        int digit = hex_digit(s.p[i]);
        if (digit < 0)
            return false;
        n = n << 4 | (uint64_t)digit;
    }
    *out = (int64_t)n;
    return true;
}

bool text_long(struct slice text, int64_t *out)
{
    struct slice s = slice_trim(text);
    bool minus = s.n && s.p[0] == '-';
    int64_t n = 0;
    if (hexadecimal(s, out))
        return true;
    if (s.n && (minus || s.p[0] == '+'))
        s = slice_sub(s, 1, s.n);
    for (size_t i = 0; i < s.n; i++)
        if (!is_digit(s.p[i]) || __builtin_mul_overflow(n, INT64_C(10), &n) ||
            __builtin_sub_overflow(n, (int64_t)(s.p[i] - '0'), &n))
            return false;
    if (!s.n || (!minus && n == INT64_MIN))
        return false;
    *out = minus ? n : -n;
    return true;
}

bool text_number(struct slice text, double *out)
{
    struct slice s = slice_trim(text);
    char copy[NUMBER_TEXT], *end;
    int64_t integer;
    if (!s.n || s.n >= sizeof copy || (!is_digit(s.p[s.n - 1]) && hex_digit(s.p[s.n - 1]) < 0))
        return false;
    if (hexadecimal(s, &integer)) {
        *out = (double)(uint64_t)integer;
        return true;
    }
    /* strtod knows more than is meant here: "inf", "0x1p3" */
    for (size_t i = 0; i < s.n; i++)
        if (!is_digit(s.p[i]) && (!s.p[i] || !strchr("+-.eE", s.p[i])))
            return false;
    memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    *out = strtod(copy, &end);
    return end == copy + s.n;
}

/* ---- times ---- */

static const struct {
    const char *name;
    int64_t ns;
} units[] = {
    {"d", NS_PER_DAY},
    {"day", NS_PER_DAY},
    {"days", NS_PER_DAY},
    {"h", NS_PER_HOUR},
    {"hr", NS_PER_HOUR},
    {"hrs", NS_PER_HOUR},
    {"hour", NS_PER_HOUR},
    {"hours", NS_PER_HOUR},
    {"m", NS_PER_MINUTE},
    {"min", NS_PER_MINUTE},
    {"minute", NS_PER_MINUTE},
    {"minutes", NS_PER_MINUTE},
    {"s", NS_PER_SECOND},
    {"sec", NS_PER_SECOND},
    {"second", NS_PER_SECOND},
    {"ms", 1000000},
    {"seconds", NS_PER_SECOND},
    {"millisecond", 1000000},
    {"microsecond", 1000},
    {"milliseconds", 1000000},
    {"microseconds", 1000},
    {"us", 1000},
    {"tick", 100},
    {"ticks", 100},
    {"ns", 1},
    {"nanosecond", 1},
    {"nanoseconds", 1},
};

/* A number and a unit. Whole numbers are counted exactly. */
static bool with_unit(struct slice s, int64_t *out)
{
    size_t n = 0;
    while (n < s.n && (is_digit(s.p[n]) || s.p[n] == '.'))
        n++;
    struct slice number = slice_sub(s, 0, n), name = slice_trim(slice_sub(s, n, s.n));
    for (size_t i = 0; n && i < sizeof units / sizeof *units; i++) {
        if (!slice_equal(name, slice_str(units[i].name)))
            continue;
        int64_t whole;
        double real;
        if (text_long(number, &whole))
            return !__builtin_mul_overflow(whole, units[i].ns, out);
        if (!text_number(number, &real) || real * (double)units[i].ns >= 9.2e18)
            return false;
        *out = (int64_t)(real * (double)units[i].ns + 0.5);
        return true;
    }
    return false;
}

/* Digits at the start of *s, taken off it. */
static bool take_count(struct slice *s, int64_t *out)
{
    size_t n = 0;
    while (n < s->n && is_digit(s->p[n]))
        n++;
    if (!n || n > 9 || !text_long(slice_sub(*s, 0, n), out))
        return false;
    *s = slice_sub(*s, n, s->n);
    return true;
}

static bool take_character(struct slice *s, char c)
{
    if (!s->n || s->p[0] != c)
        return false;
    *s = slice_sub(*s, 1, s->n);
    return true;
}

static bool take_fraction(struct slice *s, int64_t *ns)
{
    int64_t unit = NS_PER_SECOND / 10;
    size_t n = 0;
    for (*ns = 0; n < s->n && is_digit(s->p[n]); n++, unit /= 10)
        *ns += (s->p[n] - '0') * unit;
    *s = slice_sub(*s, n, s->n);
    return n > 0;
}

/* [d.]hh:mm[:ss[.fraction]] */
static bool with_colons(struct slice s, int64_t *out)
{
    int64_t days = 0, hours = 0, minutes = 0, seconds = 0, ns = 0;
    if (!take_count(&s, &hours))
        return false;
    if (take_character(&s, '.')) {
        days = hours;
        if (!take_count(&s, &hours))
            return false;
    }
    if (!take_character(&s, ':') || !take_count(&s, &minutes))
        return false;
    if (take_character(&s, ':') &&
        (!take_count(&s, &seconds) || (take_character(&s, '.') && !take_fraction(&s, &ns))))
        return false;
    if (s.n || hours > 23 || minutes > 59 || seconds > 59 ||
        __builtin_mul_overflow(days, NS_PER_DAY, &days))
        return false;
    ns += hours * NS_PER_HOUR + minutes * NS_PER_MINUTE + seconds * NS_PER_SECOND;
    return !__builtin_add_overflow(days, ns, out);
}

bool text_timespan(struct slice text, int64_t *out)
{
    struct slice s = slice_trim(text);
    bool minus = s.n && s.p[0] == '-';
    if (minus)
        s = slice_sub(s, 1, s.n);
    if (!with_unit(s, out) && !with_colons(s, out))
        return false;
    if (minus)
        *out = -*out;
    return true;
}

size_t timespan_text(int64_t span, char out[TIMESPAN_TEXT])
{
    uint64_t n = span < 0 ? -(uint64_t)span : (uint64_t)span;
    uint64_t days = n / NS_PER_DAY, seconds = n / NS_PER_SECOND % 86400, ns = n % NS_PER_SECOND;
    int at = snprintf(out, TIMESPAN_TEXT, "%s", span < 0 ? "-" : "");
    if (days)
        at += snprintf(out + at, (size_t)(TIMESPAN_TEXT - at), "%" PRIu64 ".", days);
    at += snprintf(out + at, (size_t)(TIMESPAN_TEXT - at), "%02u:%02u:%02u",
                   (unsigned)(seconds / 3600), (unsigned)(seconds / 60 % 60),
                   (unsigned)(seconds % 60));
    if (ns % 100)
        at += snprintf(out + at, (size_t)(TIMESPAN_TEXT - at), ".%09" PRIu64, ns);
    else if (ns)
        at += snprintf(out + at, (size_t)(TIMESPAN_TEXT - at), ".%07" PRIu64, ns / 100);
    return (size_t)at;
}

bool text_datetime(struct slice text, timestamp *out)
{
    struct slice s = slice_trim(text);
    char whole[16];
    if (timestamp_parse(s, out))
        return true;
    if (s.n != 7 && s.n != 4) /* "2026-11" and "2026" */
        return false;
    int n = snprintf(whole, sizeof whole, "%.*s%s", SLICE_ARG(s), s.n == 4 ? "-01-01" : "-01");
    return timestamp_parse(slice_of(whole, (size_t)n), out);
}
