/*
 * Predicates: what one value of a rule's item asks of one text. An item lowers to the tests of its
 * values; a text that passes one of them meets the item (see plan.h for `all`, `neq` and null).
 *
 *     struct test_list tests = {0};
 *     tests_make(&arena, &scratch, item, &item->values[i], regexes, &tests);
 *     subject_set(&subject, text);
 *     test_passes(&tests.at[0], &subject, regex_worker)
 *
 * docs/sigma.md, "How values match", is what this does.
 */
#ifndef DETECT_PREDICATE_H
#define DETECT_PREDICATE_H

#include "base/buf.h"
#include "base/timestamp.h"
#include "detect/pattern.h"
#include "detect/regexes.h"

/* Stands before and after a text, so that "at the beginning" and "at the end" are literals too. No
 * valid UTF-8 holds it. */
#define SUBJECT_MARK '\xff'
enum { SUBJECT_PADDING = 8 }; /* readable bytes behind the last mark */

struct address {
    unsigned char bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
    bool v4, v6;             /* how it may be taken: ::ffff:a.b.c.d is both */
};

/* A text under test. What is dear to make is made when a test first asks. */
struct subject {
    struct slice raw;    /* valid UTF-8 */
    struct slice marked; /* mark, folded text, mark; zeros behind */
    bool number_known, address_known, time_known;
    bool number_is, address_is, time_is;
    long double number;
    struct address address;
    struct timestamp_parts time;
    struct buf room;
    struct arena scratch;
};

void subject_set(struct subject *s, struct slice text);
void subject_free(struct subject *s);
bool subject_number(struct subject *s);
bool subject_address(struct subject *s);
bool subject_time(struct subject *s);

static inline struct slice subject_folded(const struct subject *s)
{
    return slice_sub(s->marked, 1, s->marked.n - 2);
}

struct test {
    enum {
        TEST_LITERAL, /* `literal` stands in the marked text */
        TEST_PATTERN,
        TEST_REGEX,
        TEST_EQUAL,   /* the text is this number */
        TEST_COMPARE, /* the text is a number, and less ... */
        TEST_CIDR,
        TEST_TIME, /* a part of a time compares with the number */
    } type;
    struct slice literal;
    struct slice *triggers; /* a text that passes holds one of these, marks included; ... */
    uint32_t triggers_n;    /* ... 0: nothing is known. TEST_LITERAL has none */
    struct pattern pattern;
    const struct regex *regex;
    long double number;
    struct address net;
    unsigned net_bits;
    uint32_t modifiers; /* MOD_LT ... MOD_YEAR */
};

struct test_list {
    struct test *at;
    size_t n, cap;
};

/* Adds the tests of one value, any of which is enough; none when nothing can pass (a bad address,
 * an invalid expression). Null, `exists` and `fieldref` are not for here. What tests point to is the
 * arena's, the list itself of `scratch`. */
void tests_make(struct arena *a, struct arena *scratch, const struct sigma_item *item,
                const struct sigma_value *value, const struct regexes *regexes,
                struct test_list *out);

/* A test for a text that is exactly this, compared without case. */
void tests_make_plain(struct arena *a, struct arena *scratch, struct slice text,
                      struct test_list *out);

bool test_passes(const struct test *t, struct subject *s, struct regex_worker *w);

#endif
