#include "hunt/near.h"

#include <stdio.h>

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* Letters to change, put in, take out or swap with the next (optimal string alignment), without case. */
static unsigned distance(struct slice a, struct slice b)
{
    enum { MOST = 40 };
    unsigned rows[3][MOST + 1];
    unsigned *before = rows[0], *last = rows[1], *now = rows[2];
    if (a.n > MOST || b.n > MOST)
        return MOST;
    for (unsigned j = 0; j <= b.n; j++)
        last[j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        now[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            char x = lower(a.p[i - 1]), y = lower(b.p[j - 1]);
            unsigned best = last[j - 1] + (x != y);
            best = last[j] + 1 < best ? last[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            if (i > 1 && j > 1 && x == lower(b.p[j - 2]) && lower(a.p[i - 2]) == y &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
        unsigned *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[b.n];
}

void near_try(struct near *near, struct slice meant, struct slice candidate)
{
    unsigned d = distance(meant, candidate);
    unsigned most = meant.n < 4 ? 1 : meant.n < 8 ? 2 : 3;
    if (d <= most && d < candidate.n && (!near->name.n || d < near->distance))
        *near = (struct near){candidate, d};
}

const char *near_text(const struct near *near, char out[NEAR_TEXT])
{
    out[0] = '\0';
    if (near->name.n)
        snprintf(out, NEAR_TEXT, "; did you mean %.*s?", SLICE_ARG(near->name));
    return out;
}
