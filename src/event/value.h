/*
 * One value of one field of an event, as its source wrote it: a type and its raw bytes. Readers
 * hand values over raw, because most are the same as one seen before and are never decoded; the
 * text is made once for each distinct value, when somebody asks (block.h).
 *
 * The canonical text of a value is what rules match, hunts show and exports print.
 */
#ifndef EVENT_VALUE_H
#define EVENT_VALUE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/timestamp.h"

enum value_type {
    VALUE_NULL,     /* present without a value: JSON null, an empty BinXML substitution. Text "" */
    VALUE_TEXT,     /* UTF-8; bad bytes become U+FFFD in the text */
    VALUE_UTF16,    /* UTF-16LE; NULs at the end are dropped */
    VALUE_INT,      /* int64_t. Decimal */
    VALUE_UINT,     /* uint64_t. Decimal */
    VALUE_HEX,      /* uint64_t. "0x1f" */
    VALUE_DOUBLE,   /* double. Shortest decimal that reads back the same */
    VALUE_BOOL,     /* uint8_t. "true", "false" */
    VALUE_GUID,     /* 16 bytes as Windows stores them. "{3F2504E0-4F89-11D3-9A0C-0305E82C3301}" */
    VALUE_SID,      /* as Windows stores it. "S-1-5-18" */
    VALUE_FILETIME, /* uint64_t, 100 ns since 1601. "2026-11-10T10:23:41.1234567Z" */
    VALUE_SYSTEMTIME, /* eight uint16_t. "2026-11-10T10:23:41.123Z" */
    VALUE_BINARY,     /* Upper-case hexadecimal */
    VALUE_LIST,       /* several values under one name: see value_list_add. Text: joined by ", " */
    VALUE_TYPES
};

struct value {
    const void *p; /* little-endian, not aligned */
    uint32_t n;    /* bytes */
    uint8_t type;  /* enum value_type */
};

/* The canonical text, in the arena or pointing into the value's own bytes. Bytes that do not fit
 * the type (a GUID of 15 bytes) come out as hexadecimal, so that nothing is hidden. */
struct slice value_text(struct value v, struct arena *a);

/* The value as a JSON value: numbers, booleans and null as such, lists as arrays, else a string. */
void value_json(struct value v, struct buf *out, struct arena *scratch);

/* A list is built in a buffer, element by element; lists do not nest (add the inner elements).
 *     buf_clear(b); value_list_add(b, v1); value_list_add(b, v2); value_of_list(b) */
void value_list_add(struct buf *b, struct value element);
struct value value_of_list(const struct buf *b);

/* Walks a list: `*at` starts at 0; false at the end. On a value that is no list it gives that
 * value once, so that one loop serves both. */
bool value_next(struct value v, size_t *at, struct value *element);

static inline struct value value_of_text(struct slice utf8)
{
    return (struct value){utf8.p, (uint32_t)utf8.n, VALUE_TEXT};
}

#endif
