/*
 * Times as hikeshi keeps them: nanoseconds since 1970-01-01T00:00:00Z in a signed 64-bit number
 * (years 1678 to 2262). TIMESTAMP_NONE means that there is none.
 */
#ifndef BASE_TIMESTAMP_H
#define BASE_TIMESTAMP_H

#include "base/slice.h"

typedef int64_t timestamp;

#define TIMESTAMP_NONE INT64_MIN
#define NS_PER_SECOND INT64_C(1000000000)

enum { TIMESTAMP_TEXT = 40 }; /* room for any text that timestamp_text makes */

/* From a Windows FILETIME (100 ns since 1601-01-01); TIMESTAMP_NONE when out of range. */
timestamp timestamp_from_filetime(uint64_t filetime);

/* "2026-11-10T10:23:41.1234567Z" with `digits` (0 to 9) of the second's fraction.
 * Returns the length; `out` is NUL-terminated. */
size_t timestamp_text(timestamp t, int digits, char out[TIMESTAMP_TEXT]);

/* RFC 3339 and near relatives: date, 'T' or ' ', time, fraction of any length with '.' or ',',
 * zone 'Z', '+09:00', '+0900' or none (then UTC). A date alone is its first moment. White space
 * around is not allowed. False when it is no such time or out of range. */
bool timestamp_parse(struct slice s, timestamp *out);

/* The clock of the machine, now. */
timestamp timestamp_now(void);

/* Nanoseconds since some moment, for measuring: a clock that is never set. */
int64_t monotonic_ns(void);

/* The parts of a time, in UTC. */
struct timestamp_parts {
    int year, month, day;     /* month and day from 1 */
    int hour, minute, second; /* second 0 to 59 */
    int week;                 /* ISO 8601 week, 1 to 53 */
    int weekday;              /* 1 Monday to 7 Sunday */
    int64_t nanosecond;
};
struct timestamp_parts timestamp_split(timestamp t);

/* Days since 1970-01-01 of a proleptic Gregorian date. */
int64_t days_from_civil(int64_t year, int month, int day);

#endif
