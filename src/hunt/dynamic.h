/*
 * Values of type dynamic: JSON as compact text (no white space between tokens). Looking into one walks
 * the text; no tree is built.
 *
 *     struct slice text;
 *     if (json_compact(raw, arena, &text)) ...                     checked, compact
 *     struct slice member = json_member(text, SLICE("name"), arena);     p NULL: none
 *     for (size_t at = 0; json_next(array, &at, &element);) ...
 *
 * The functions below json_compact expect what it made.
 */
#ifndef HUNT_DYNAMIC_H
#define HUNT_DYNAMIC_H

#include "base/arena.h"
#include "base/buf.h"
#include "hunt/types.h"

enum { JSON_DEPTH = 64 };

/* False when it is no JSON (RFC 8259), or deeper than JSON_DEPTH. */
bool json_compact(struct slice raw, struct arena *a, struct slice *out);

/* A string's content; bad escapes of surrogates become U+FFFD. Other values as they are. */
struct slice json_content(struct slice json, struct arena *a);

/* Walks the elements of an array, or the members of an object (`name` gets the raw name with its
 * quotes and may be NULL); *at starts at 0; false at the end and for anything else. */
bool json_next(struct slice json, size_t *at, struct slice *name, struct slice *value);

/* The last member of that name, or p NULL. */
struct slice json_member(struct slice object, struct slice name, struct arena *a);
/* An array's element from 0, or from the end when negative; p NULL: there is none. */
struct slice json_element(struct slice array, int64_t index);

static inline bool json_is_array(struct slice json)
{
    return json.n && json.p[0] == '[';
}

static inline bool json_is_object(struct slice json)
{
    return json.n && json.p[0] == '{';
}

/* A value of any type as JSON: numbers and bool as such, null for null, dynamic as it is, all else as
 * strings. */
void json_put_value(struct buf *out, const struct hunt_value *v, struct arena *a);

/* Sets a dynamic value; JSON's null is its null. */
void dynamic_set(struct hunt_value *out, struct slice json);

#endif
