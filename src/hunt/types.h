/*
 * The types and values of the hunt language, and places in a query's text.
 *
 * Null and empty, as Kusto has them: text is never null, a field that an event does not have is the
 * empty text. Values of every other type can be null.
 *
 *   - null == null is null; null == value is false, null != value is true.
 *   - <, <=, >, >=, arithmetic and functions of a null give null (where functions.h says nothing else).
 *   - and, or, not follow three-valued logic: false and null is false, true or null is true, otherwise
 *     a null makes null. `where` keeps rows whose predicate is true.
 *   - Aggregates look past nulls, and make_set, make_list, dcount, take_any, min, max past empty text
 *     that is a field's. count() counts rows.
 *
 * Fields of events are TYPE_FIELD: text as the event has it (its canonical text, event/value.h), of
 * which nobody knows beforehand whether it is a number. Where the language wants another type the
 * checker has put a call of tolong, todouble, todatetime, ... around it, so `destination.port > 1024`
 * compares numbers. Whoever executes a plan treats TYPE_FIELD as TYPE_STRING, with one difference: two
 * fields are ordered (sort, top, min, max, arg_min, arg_max, <) as field_compare does.
 */
#ifndef HUNT_TYPES_H
#define HUNT_TYPES_H

#include "base/slice.h"
#include "base/timestamp.h"

enum hunt_type {
    TYPE_BOOL,
    TYPE_LONG,     /* int64_t */
    TYPE_REAL,     /* double */
    TYPE_STRING,   /* UTF-8 */
    TYPE_DATETIME, /* nanoseconds since 1970 */
    TYPE_TIMESPAN, /* nanoseconds */
    TYPE_DYNAMIC,  /* JSON: compact text; JSON's null is the null of this type */
    TYPE_FIELD,    /* a field of events: see above */
    HUNT_TYPES
};

/* "bool", "long", ...; a field is called "field". */
const char *hunt_type_name(enum hunt_type type);

struct hunt_value {
    enum hunt_type type; /* never TYPE_FIELD */
    bool null;
    /* A field that is a list: behind its text stand a NUL, its array as JSON, and a NUL. Whoever keeps
     * the value copies that too (value_keep, run_internal.h); what is made of it is no list. */
    bool list;
    union {
        bool truth;
        int64_t number; /* TYPE_LONG, TYPE_DATETIME, TYPE_TIMESPAN */
        double real;
        struct slice text; /* TYPE_STRING, TYPE_DYNAMIC */
    };
};

/* Where something stands in a query: bytes from its beginning. */
struct hunt_place {
    uint32_t at, n;
};

/* How texts of fields are ordered: the empty one first, then those that read as a number
 * (text_number) by their value, then the others by their bytes. < 0, 0, > 0. */
int field_compare(struct slice a, struct slice b);

/* ---- reading text: what tolong, todouble, totimespan and literals have in common ---- */

/* An integer: decimal with an optional sign, or 0x and hexadecimal digits up to 64 bits. White space
 * around is let pass. */
bool text_long(struct slice text, int64_t *out);
/* A number: text_long's forms, or a decimal with fraction and exponent. */
bool text_number(struct slice text, double *out);
/* "1.5h", "90s", "1d", "2ms", "3microsecond", "5tick" (100 ns), or [d.]hh:mm[:ss[.fraction]] with an
 * optional sign. */
bool text_timespan(struct slice text, int64_t *out);
/* What timestamp_parse reads, also with a month or day alone ("2026-11"), white space around. */
bool text_datetime(struct slice text, timestamp *out);

/* "1.02:03:04.5000000" as Kusto writes it: days, hours, minutes, seconds, fraction where there is one. */
enum { TIMESPAN_TEXT = 40 };
size_t timespan_text(int64_t span, char out[TIMESPAN_TEXT]);

#endif
