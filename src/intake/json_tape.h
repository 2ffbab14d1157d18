/*
 * Walking simdjson's tape (its doc/tape.md): a row of 64-bit words, each with a type in its highest
 * byte. A document begins at word 1.
 *
 *     { [     the low 32 bits: the word behind the closing one; the words between: keys and values
 *     "       the place in `strings`: 32 bits of length, then UTF-8
 *     l u d   int64, uint64, double: the next word
 *     t f n   true, false, null
 */
#ifndef INTAKE_JSON_TAPE_H
#define INTAKE_JSON_TAPE_H

#include "event/value.h"
#include "intake/json_simdjson.h"

enum { JSON_ROOT = 1 };

static inline char json_type(const struct json_tape *t, uint32_t at)
{
    return (char)(t->words[at] >> 56);
}

/* The word behind a value, for containers behind all that is in them. */
static inline uint32_t json_after(const struct json_tape *t, uint32_t at)
{
    switch (json_type(t, at)) {
    case '{':
    case '[':
        return (uint32_t)t->words[at];
    case 'l':
    case 'u':
    case 'd':
        return at + 2;
    default:
        return at + 1;
    }
}

static inline struct slice json_string(const struct json_tape *t, uint32_t at)
{
    const char *p = t->strings + (t->words[at] & UINT64_C(0xffffffffffffff));
    uint32_t n;
    memcpy(&n, p, sizeof n);
    return slice_of(p + sizeof n, n);
}

/* A value that is no container, as events hold it; it points into the tape. */
static inline struct value json_value(const struct json_tape *t, uint32_t at)
{
    static const uint8_t no = 0, yes = 1;
    switch (json_type(t, at)) {
    case '"':
        return value_of_text(json_string(t, at));
    case 'l':
        return (struct value){&t->words[at + 1], 8, VALUE_INT};
    case 'u':
        return (struct value){&t->words[at + 1], 8, VALUE_UINT};
    case 'd':
        return (struct value){&t->words[at + 1], 8, VALUE_DOUBLE};
    case 't':
        return (struct value){&yes, 1, VALUE_BOOL};
    case 'f':
        return (struct value){&no, 1, VALUE_BOOL};
    default:
        return (struct value){NULL, 0, VALUE_NULL};
    }
}

/* The value behind a key of the object at `at`; 0 when it is no object or has no such key. */
static inline uint32_t json_get(const struct json_tape *t, uint32_t at, struct slice key)
{
    if (!at || json_type(t, at) != '{')
        return 0;
    uint32_t end = json_after(t, at) - 1;
    for (at++; at < end; at = json_after(t, at + 1))
        if (slice_equal(json_string(t, at), key))
            return at + 1;
    return 0;
}

/* The text of a string, or of the first string of an array; empty when it is neither (or 0). */
static inline struct slice json_text(const struct json_tape *t, uint32_t at)
{
    if (at && json_type(t, at) == '[')
        at++;
    return at && json_type(t, at) == '"' ? json_string(t, at) : (struct slice){0};
}

#endif
