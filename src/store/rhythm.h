/*
 * When a log source fell silent, judged by its own usual rhythm: a domain controller that says nothing
 * for three hours is remarkable, an office PC that says nothing on Sunday is not.
 *
 * Time is cut into hours. How often the source was active in an hour of the week (of the day when it
 * is known for less than two weeks; at all, for less than two days) tells how likely it is in such an
 * hour again; a silence is remarkable when, by that, it would come about by chance less than once in a
 * million times, which six hours are at least. What a source's own weekends look like is so part of
 * its rhythm.
 *
 *     n = find_silences(hours, hours_n, end, silences, most);
 */
#ifndef STORE_RHYTHM_H
#define STORE_RHYTHM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct silence {
    int32_t from, to; /* hours since 1970: from <= hour < to */
    bool lasts;       /* to the end of what is known */
    double odds;      /* natural logarithm of how likely it is by chance */
};

/* `hours`: those with events, ascending, each once. `end`: the hour in which everything that is known
 * ends. Fills in at most `most`, the least likely first; returns how many there are. A source with
 * fewer than RHYTHM_LEAST active hours has no rhythm yet: 0. */
enum { RHYTHM_LEAST = 12 };
size_t find_silences(const int32_t *hours, size_t n, int32_t end, struct silence *out, size_t most);

#endif
