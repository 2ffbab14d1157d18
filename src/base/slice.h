/*
 * A slice is a view of bytes that somebody else owns: a pointer and a length, no terminator.
 * Text in slices is UTF-8 unless a comment says otherwise. A slice never frees anything.
 *
 *     struct slice s = SLICE("Security");
 *     if (slice_equal(s, name)) ...
 *     printf("%.*s", SLICE_ARG(s));
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *p; /* may be NULL when n is 0 */
    size_t n;      /* bytes */
};

#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})
#define SLICE_ARG(s) (int)((s).n), ((s).p ? (s).p : "")

static inline struct slice slice_of(const void *p, size_t n)
{
    return (struct slice){(const char *)p, n};
}

static inline struct slice slice_str(const char *terminated)
{
    return (struct slice){terminated, terminated ? strlen(terminated) : 0};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Byte order, shorter first on a tie; < 0, 0, > 0 as memcmp. */
static inline int slice_compare(struct slice a, struct slice b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

static inline bool slice_starts(struct slice s, struct slice prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool slice_ends(struct slice s, struct slice suffix)
{
    return s.n >= suffix.n &&
           (suffix.n == 0 || memcmp(s.p + (s.n - suffix.n), suffix.p, suffix.n) == 0);
}

/* From byte `from` for at most `n` bytes, both clipped to the slice. */
static inline struct slice slice_sub(struct slice s, size_t from, size_t n)
{
    if (from > s.n)
        from = s.n;
    if (n > s.n - from)
        n = s.n - from;
    return s.n ? (struct slice){s.p + from, n} : s;
}

/* ASCII letters compared without case; for names and keywords, not for evidence text. */
bool slice_equal_nocase(struct slice a, struct slice b);

/* Index of the first `needle` in `s`, or -1. */
ptrdiff_t slice_find(struct slice s, struct slice needle);

/* How often `needle`, which is not empty, stands in `s`, without overlaps. */
size_t slice_count(struct slice s, struct slice needle);

/* Without leading and trailing ASCII white space. */
struct slice slice_trim(struct slice s);

/* Decimal digits and nothing else, that make a number of 64 bits. */
bool slice_number(struct slice s, uint64_t *number);

#endif
