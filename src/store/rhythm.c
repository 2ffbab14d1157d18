#include "store/rhythm.h"

#include <math.h>
#include <string.h>

enum { DAY = 24, WEEK = 7 * DAY };

/* No hour is surer than this to have events: six silent ones are the least that are remarkable. */
#define SUREST 0.9
#define REMARKABLE (-13.8) /* log(1e-6) */

struct rhythm {
    int32_t cycle;            /* hours after which it repeats */
    double chance[WEEK];      /* logarithm of how likely it is silent in that hour of the cycle */
    double through[WEEK + 1]; /* sums of these from hour 0 on */
};

static int32_t slot_of(const struct rhythm *r, int32_t hour)
{
    int32_t slot = hour % r->cycle;
    return slot < 0 ? slot + r->cycle : slot;
}

static void learn(struct rhythm *r, const int32_t *hours, size_t n)
{
    uint32_t active[WEEK] = {0};
    int64_t span = (int64_t)hours[n - 1] - hours[0] + 1;
    r->cycle = span >= 2 * WEEK ? WEEK : span >= 2 * DAY ? DAY : 1;
    for (size_t i = 0; i < n; i++)
        active[slot_of(r, hours[i])]++;
    double usual = (double)n / (double)(span + 1);
    r->through[0] = 0;
    for (int32_t slot = 0; slot < r->cycle; slot++) {
        /* how often the slot came by from the first hour to the last */
        int64_t first = slot_of(r, slot - slot_of(r, hours[0]));
        int64_t seen = first < span ? (span - 1 - first) / r->cycle + 1 : 0;
        /* the slot's own rate; the rate over all counts as one more time that it came by */
        double rate = ((double)active[slot] + usual) / (double)(seen + 1);
        r->chance[slot] = log1p(-(rate < SUREST ? rate : SUREST));
        r->through[slot + 1] = r->through[slot] + r->chance[slot];
    }
}

/* How likely silence is from one hour to before another. */
static double odds(const struct rhythm *r, int64_t from, int64_t to)
{
    int64_t whole = (to - from) / r->cycle;
    double sum = (double)whole * r->through[r->cycle];
    for (int64_t hour = from + whole * r->cycle; hour < to; hour++)
        sum += r->chance[slot_of(r, (int32_t)hour)];
    return sum;
}

/* Keeps the least likely, in order. */
static void keep(struct silence *out, size_t most, size_t n, struct silence one)
{
    size_t at = n < most ? n : most;
    while (at > 0 && out[at - 1].odds > one.odds)
        at--;
    if (at >= most)
        return;
    size_t last = n < most ? n : most - 1;
    memmove(out + at + 1, out + at, (last - at) * sizeof *out);
    out[at] = one;
}

size_t find_silences(const int32_t *hours, size_t n, int32_t end, struct silence *out, size_t most)
{
    struct rhythm r;
    size_t found = 0;
    if (n < RHYTHM_LEAST)
        return 0;
    learn(&r, hours, n);
    for (size_t i = 0; i < n; i++) {
        bool last = i + 1 == n;
        struct silence one = {.from = hours[i] + 1, .to = last ? end : hours[i + 1], .lasts = last};
        if (one.to <= one.from)
            continue;
        one.odds = odds(&r, one.from, one.to);
        if (one.odds > REMARKABLE)
            continue;
        keep(out, most, found, one);
        found++;
    }
    return found;
}
