#include "base/timestamp.h"

#include <time.h>

#define FILETIME_TO_UNIX INT64_C(116444736000000000) /* 100 ns from 1601 to 1970 */
#define SECONDS_PER_DAY INT64_C(86400)

timestamp timestamp_from_filetime(uint64_t filetime)
{
    if (filetime > INT64_MAX)
        return TIMESTAMP_NONE;
    int64_t t;
    if (__builtin_mul_overflow((int64_t)filetime - FILETIME_TO_UNIX, INT64_C(100), &t))
        return TIMESTAMP_NONE;
    return t;
}

/* Howard Hinnant's days_from_civil and civil_from_days (chrono-compatible low-level date
 * algorithms): eras of 400 years, years that begin in March. */
int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t yoe = year - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

static void civil_from_days(int64_t days, struct timestamp_parts *p)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    p->day = (int)(doy - (153 * mp + 2) / 5 + 1);
    p->month = (int)(mp < 10 ? mp + 3 : mp - 9);
    p->year = (int)(yoe + era * 400 + (p->month <= 2));
}

/* All but the weekday and the week; returns the day's number. */
static int64_t split(timestamp t, struct timestamp_parts *p)
{
    int64_t second = t / NS_PER_SECOND;
    p->nanosecond = t % NS_PER_SECOND;
    if (p->nanosecond < 0) {
        p->nanosecond += NS_PER_SECOND;
        second--;
    }
    int64_t days = second / SECONDS_PER_DAY, rest = second % SECONDS_PER_DAY;
    if (rest < 0) {
        rest += SECONDS_PER_DAY;
        days--;
    }
    civil_from_days(days, p);
    p->hour = (int)(rest / 3600);
    p->minute = (int)(rest / 60 % 60);
    p->second = (int)(rest % 60);
    return days;
}

struct timestamp_parts timestamp_split(timestamp t)
{
    struct timestamp_parts p = {0};
    int64_t days = split(t, &p);
    /* 1970-01-01 was a Thursday; the ISO week is that of the week's Thursday */
    p.weekday = (int)(((days + 3) % 7 + 7) % 7) + 1;
    struct timestamp_parts thursday = {0};
    int64_t of_week = days + 4 - p.weekday;
    civil_from_days(of_week, &thursday);
    p.week = (int)((of_week - days_from_civil(thursday.year, 1, 1)) / 7) + 1;
    return p;
}

/* The number in `count` digits, and a character behind it; returns where that ends. printf would take
 * most of the time of writing events. */
static char *put(char *out, int64_t number, int count, char then)
{
    for (int i = count; i > 0; number /= 10)
        out[--i] = (char)('0' + number % 10);
    out[count] = then;
    return out + count + 1;
}

size_t timestamp_text(timestamp t, int digits, char out[TIMESTAMP_TEXT])
{
    struct timestamp_parts p = {0};
    split(t, &p);
    char *at = put(out, p.year, 4, '-'); /* 1677 to 2262 */
    at = put(at, p.month, 2, '-');
    at = put(at, p.day, 2, 'T');
    at = put(at, p.hour, 2, ':');
    at = put(at, p.minute, 2, ':');
    at = put(at, p.second, 2, 'Z');
    if (digits > 0) {
        at[-1] = '.';
        put(at, p.nanosecond, 9, '\0');
        at[digits] = 'Z';
        at += digits + 1;
    }
    *at = '\0';
    return (size_t)(at - out);
}

/* `count` digits at `*at`; -1 when they are not there. */
static int digits(struct slice s, size_t *at, size_t count)
{
    int v = 0;
    if (s.n < *at + count)
        return -1;
    for (size_t i = 0; i < count; i++) {
        char c = s.p[*at + i];
        if (c < '0' || c > '9')
            return -1;
        v = v * 10 + (c - '0');
    }
    *at += count;
    return v;
}

static bool character(struct slice s, size_t *at, const char *any_of)
{
    if (*at >= s.n || s.p[*at] == '\0' || !strchr(any_of, s.p[*at]))
        return false;
    ++*at;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* Digits of any number after '.' or ','; past nine they are read and dropped. */
static bool parse_fraction(struct slice s, size_t *at, int64_t *ns)
{
    int64_t unit = NS_PER_SECOND / 10;
    size_t from = *at;
    for (; *at < s.n && s.p[*at] >= '0' && s.p[*at] <= '9'; ++*at, unit /= 10)
        *ns += (s.p[*at] - '0') * unit;
    return *at > from;
}

static bool parse_zone(struct slice s, size_t *at, int64_t *seconds_east)
{
    if (*at == s.n || character(s, at, "Zz"))
        return true;
    bool west = s.p[*at] == '-';
    if (!character(s, at, "+-"))
        return false;
    int hour = digits(s, at, 2);
    character(s, at, ":");
    int minute = *at == s.n ? 0 : digits(s, at, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return false;
    *seconds_east = (hour * 3600 + minute * 60) * (west ? -1 : 1);
    return true;
}

bool timestamp_parse(struct slice s, timestamp *out)
{
    size_t at = 0;
    int year = digits(s, &at, 4);
    bool dashes = character(s, &at, "-/");
    int month = digits(s, &at, 2);
    dashes = dashes && character(s, &at, "-/");
    int day = digits(s, &at, 2);
    if (!dashes || year < 0 || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month))
        return false;
    int hour = 0, minute = 0, second = 0;
    int64_t ns = 0, east = 0;
    if (at < s.n) {
        bool marks = character(s, &at, "Tt ");
        hour = digits(s, &at, 2);
        marks = marks && character(s, &at, ":");
        minute = digits(s, &at, 2);
        if (character(s, &at, ":"))
            second = digits(s, &at, 2);
        if (!marks || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
            second > 60)
            return false;
        if (character(s, &at, ".,") && !parse_fraction(s, &at, &ns))
            return false;
        if (!parse_zone(s, &at, &east))
            return false;
    }
    int64_t t = days_from_civil(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 +
                second - east;
    return at == s.n && !__builtin_mul_overflow(t, NS_PER_SECOND, &t) &&
           !__builtin_add_overflow(t, ns, out);
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

timestamp timestamp_now(void)
{
    return clock_ns(CLOCK_REALTIME);
}

int64_t monotonic_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}
