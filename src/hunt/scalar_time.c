/* Times, in UTC. */
#include "hunt/scalar.h"

#include "base/buf.h"

#include <math.h>

#define ARGS                                                                                       \
    const struct call *c, struct scratch *s, const struct hunt_value *const *a,                    \
        struct hunt_value *out

#define NS_PER_DAY (86400 * NS_PER_SECOND)

/* Days since 1970, downwards. */
static int64_t day_of(timestamp t)
{
    return t / NS_PER_DAY - (t % NS_PER_DAY < 0);
}

/* 0 Sunday to 6; 1970 began on a Thursday. */
static int64_t weekday_of(int64_t day)
{
    return ((day + 4) % 7 + 7) % 7;
}

static void set_day(struct hunt_value *out, int64_t day)
{
    if (__builtin_mul_overflow(day, NS_PER_DAY, &out->number) || out->number == TIMESTAMP_NONE)
        set_null(out);
}

static void fn_start(ARGS)
{
    (void)s;
    int64_t day = day_of(a[0]->number);
    if (c->function == FN_STARTOFWEEK) {
        day -= weekday_of(day);
    } else if (c->function == FN_STARTOFMONTH) {
        struct timestamp_parts t = timestamp_split(a[0]->number);
        day = days_from_civil(t.year, t.month, 1);
    }
    set_day(out, day);
}

static void fn_hour(ARGS)
{
    (void)c;
    (void)s;
    out->number = timestamp_split(a[0]->number).hour;
}

static void fn_weekday(ARGS)
{
    (void)c;
    (void)s;
    out->number = weekday_of(day_of(a[0]->number)) * NS_PER_DAY;
}

static void fn_unix(ARGS)
{
    (void)s;
    int64_t unit = c->function == FN_UNIX_SECONDS ? NS_PER_SECOND : NS_PER_SECOND / 1000;
    if (a[0]->type == TYPE_REAL) {
        double ns = a[0]->real * (double)unit;
        if (!(fabs(ns) < 9.2e18))
            set_null(out);
        else
            out->number = (int64_t)ns;
    } else if (__builtin_mul_overflow(a[0]->number, unit, &out->number) ||
               out->number == TIMESTAMP_NONE) {
        set_null(out);
    }
}

static void put_part(struct buf *b, char letter, size_t n, const struct timestamp_parts *t)
{
    int hour12 = t->hour % 12 ? t->hour % 12 : 12;
    int width = n < 2 ? 1 : 2;
    switch (letter) {
    case 'y':
        buf_printf(b, n > 2 ? "%04d" : "%02d", n > 2 ? t->year : t->year % 100);
        break;
    case 'M':
        buf_printf(b, "%0*d", width, t->month);
        break;
    case 'd':
        buf_printf(b, "%0*d", width, t->day);
        break;
    case 'H':
        buf_printf(b, "%0*d", width, t->hour);
        break;
    case 'h':
        buf_printf(b, "%0*d", width, hour12);
        break;
    case 'm':
        buf_printf(b, "%0*d", width, t->minute);
        break;
    case 's':
        buf_printf(b, "%0*d", width, t->second);
        break;
    case 't':
        buf_add(b, t->hour < 12 ? SLICE("AM") : SLICE("PM"));
        break;
    default: { /* f */
        char digits[16];
        snprintf(digits, sizeof digits, "%09d", (int)t->nanosecond);
        buf_add(b, slice_sub(slice_str(digits), 0, n));
    }
    }
}

static void fn_format(ARGS)
{
    (void)c;
    struct slice pattern = a[1]->text;
    struct timestamp_parts t = timestamp_split(a[0]->number);
    struct buf b = {0};
    for (size_t at = 0, n; at < pattern.n; at += n) {
        char letter = pattern.p[at];
        for (n = 1; at + n < pattern.n && pattern.p[at + n] == letter;)
            n++;
        if (letter && strchr("yMdHhmstf", letter))
            put_part(&b, letter, n, &t);
        else
            buf_add(&b, slice_sub(pattern, at, n));
    }
    set_text(out, arena_slice(s->arena, buf_slice(&b)));
    buf_free(&b);
}

const struct scalar scalar_time[FUNCTIONS] = {
    [FN_STARTOFDAY] = {fn_start, false, NULL},
    [FN_STARTOFWEEK] = {fn_start, false, NULL},
    [FN_STARTOFMONTH] = {fn_start, false, NULL},
    [FN_HOUROFDAY] = {fn_hour, false, NULL},
    [FN_DAYOFWEEK] = {fn_weekday, false, NULL},
    [FN_UNIX_SECONDS] = {fn_unix, false, NULL},
    [FN_UNIX_MILLISECONDS] = {fn_unix, false, NULL},
    [FN_FORMAT_DATETIME] = {fn_format, false, NULL},
};
