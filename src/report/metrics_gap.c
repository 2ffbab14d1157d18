/*
 * Gaps: when a host's log fell silent for much longer than it usually does, as when it was cleared,
 * its service stopped, the host was off, or its files were not handed in.
 *
 * Looked at in whole hours, for each host and log apart. Between one hour with events and the next
 * lies a silence of 0 or more hours; what is usual is the 95th percentile of these. A gap is a
 * silence of at least GAP_LEAST hours that is over GAP_TIMES the usual one. A log with fewer than
 * GAP_HOURS hours with events is not judged: nobody knows what is usual for it.
 */
#include "base/vec.h"
#include "report/metrics_internal.h"

#include <stdlib.h>

enum { GAP_LEAST = 3, GAP_TIMES = 5, GAP_HOURS = 24 };

void metrics_mark(struct metrics_counts *c, struct metrics_day day)
{
    struct {
        uint32_t pair;
        int32_t day;
    } key = {day.pair, day.day};
    struct slice name = slice_of(&key, sizeof key);
    const uint32_t *known = map_get(&c->day_places, name);
    if (known) {
        c->days.at[*known].hours |= day.hours;
        return;
    }
    if (c->days.n >= METRICS_DAYS)
        return;
    bool is_new;
    *map_put(&c->day_places, name, &is_new) = (uint32_t)c->days.n;
    *VEC_PUSH(c->days) = day;
}

static int by_pair_and_day(const void *pa, const void *pb)
{
    const struct metrics_day *a = pa, *b = pb;
    if (a->pair != b->pair)
        return a->pair < b->pair ? -1 : 1;
    return (a->day > b->day) - (a->day < b->day);
}

static int by_length(const void *pa, const void *pb)
{
    const struct metrics_gap *a = pa, *b = pb;
    int64_t la = a->to - a->from, lb = b->to - b->from;
    if (la != lb)
        return la > lb ? -1 : 1;
    if (a->from != b->from)
        return a->from < b->from ? -1 : 1;
    int order = slice_compare(a->host, b->host);
    return order ? order : slice_compare(a->log, b->log);
}

static int by_value(const void *pa, const void *pb)
{
    const int64_t *a = pa, *b = pb;
    return (*a > *b) - (*a < *b);
}

struct hours {
    int64_t *at;
    size_t n, cap;
};

struct gaps {
    struct metrics_gap *at;
    size_t n, cap;
};

static void find_gaps(const struct hours *hours, const struct metrics_row *pair, struct gaps *gaps)
{
    if (hours->n < GAP_HOURS)
        return;
    size_t n = hours->n - 1;
    int64_t *silences = xcalloc(n, sizeof *silences);
    for (size_t i = 0; i < n; i++)
        silences[i] = hours->at[i + 1] - hours->at[i] - 1;
    qsort(silences, n, sizeof *silences, by_value);
    int64_t usual = silences[(n - 1) * 95 / 100];
    free(silences);
    for (size_t i = 0; i < n; i++) {
        int64_t silence = hours->at[i + 1] - hours->at[i] - 1;
        if (silence >= GAP_LEAST && silence > GAP_TIMES * usual)
            *VEC_PUSH(*gaps) = (struct metrics_gap){pair->parts[0], pair->parts[1],
                                                    hours->at[i] + 1, hours->at[i + 1], usual};
    }
}

struct metrics_gap *metrics_gaps(const struct metrics_counts *c, size_t *n)
{
    struct metrics_day *days = xcalloc(c->days.n + 1, sizeof *days);
    if (c->days.n)
        memcpy(days, c->days.at, c->days.n * sizeof *days);
    qsort(days, c->days.n, sizeof *days, by_pair_and_day);
    struct gaps gaps = {0};
    struct hours hours = {0};
    for (size_t i = 0; i < c->days.n; i++) {
        for (int hour = 0; hour < 24; hour++)
            if (days[i].hours >> hour & 1)
                *VEC_PUSH(hours) = (int64_t)days[i].day * 24 + hour;
        if (i + 1 < c->days.n && days[i + 1].pair == days[i].pair)
            continue;
        find_gaps(&hours, &c->logs.rows.at[days[i].pair], &gaps);
        hours.n = 0;
    }
    free(hours.at);
    free(days);
    if (gaps.n)
        qsort(gaps.at, gaps.n, sizeof *gaps.at, by_length);
    *n = gaps.n;
    return gaps.at;
}
