#include "detect/matcher.h"

#include "base/vec.h"

#include <stdlib.h>

enum { GRAM = 4, SHORT_GRAM = 2, BITS_LEAST = 8, BITS_MOST = 16 };

/* A literal under its bucket. */
struct filed {
    struct slice literal;
    uint32_t gram;   /* the bytes at `offset`; of a short one the first two */
    uint32_t offset; /* of the gram in the literal */
    uint32_t test;
};

/* Literals by a hash of their gram. */
struct index {
    unsigned bits;
    uint64_t *filled; /* a bit a bucket */
    uint32_t *starts; /* by bucket: the first in `filed`; one more at the end */
    struct filed *filed;
    uint32_t n;
};

struct number_test {
    long double number;
    uint32_t test;
};

struct matcher {
    struct {
        struct test *at;
        size_t n, cap;
    } tests;
    struct {
        struct pair {
            uint32_t test, predicate;
        } * at;
        size_t n, cap;
    } pairs;
    uint32_t *first;     /* by test: its first pair; one more at the end */
    uint32_t predicates; /* one more than the highest number */
    struct {
        struct filed *at;
        size_t n, cap;
    } literals;
    struct index grams, shorts;
    struct {
        uint32_t *at;
        size_t n, cap;
    } compares, nets, times, loose; /* tests tried on every number, address, time, text */
    struct {
        struct number_test *at;
        size_t n, cap;
    } numbers; /* sorted */
};

struct matcher *matcher_new(void)
{
    return xcalloc(1, sizeof(struct matcher));
}

static void index_free(struct index *x)
{
    free(x->filled);
    free(x->starts);
    free(x->filed);
}

void matcher_free(struct matcher *m)
{
    if (!m)
        return;
    free(m->tests.at);
    free(m->pairs.at);
    free(m->first);
    free(m->literals.at);
    index_free(&m->grams);
    index_free(&m->shorts);
    free(m->compares.at);
    free(m->nets.at);
    free(m->times.at);
    free(m->loose.at);
    free(m->numbers.at);
    free(m);
}

/* ---- building ---- */

static void file(struct matcher *m, struct slice literal, uint32_t test)
{
    *VEC_PUSH(m->literals) = (struct filed){.literal = literal, .test = test};
}

/* Too short a literal says nothing about where to look. */
static bool any_too_short(const struct test *t)
{
    for (uint32_t i = 0; i < t->triggers_n; i++)
        if (t->triggers[i].n < SHORT_GRAM)
            return true;
    return t->triggers_n == 0;
}

uint32_t matcher_test(struct matcher *m, const struct test *t)
{
    uint32_t number = (uint32_t)m->tests.n;
    *VEC_PUSH(m->tests) = *t;
    if (t->type == TEST_EQUAL)
        *VEC_PUSH(m->numbers) = (struct number_test){t->number, number};
    else if (t->type == TEST_COMPARE)
        *VEC_PUSH(m->compares) = number;
    else if (t->type == TEST_CIDR)
        *VEC_PUSH(m->nets) = number;
    else if (t->type == TEST_TIME)
        *VEC_PUSH(m->times) = number;
    else if (t->type == TEST_LITERAL && t->literal.n >= SHORT_GRAM)
        file(m, t->literal, number);
    else if (t->type == TEST_LITERAL || any_too_short(t))
        *VEC_PUSH(m->loose) = number;
    else
        for (uint32_t i = 0; i < t->triggers_n; i++)
            file(m, t->triggers[i], number);
    return number;
}

void matcher_predicate(struct matcher *m, uint32_t test, uint32_t predicate)
{
    *VEC_PUSH(m->pairs) = (struct pair){test, predicate};
    if (predicate >= m->predicates)
        m->predicates = predicate + 1;
}

static inline uint32_t gram_at(const char *p)
{
    uint32_t gram;
    memcpy(&gram, p, sizeof gram);
    return gram;
}

static inline uint32_t short_gram_at(const char *p)
{
    uint16_t gram;
    memcpy(&gram, p, sizeof gram);
    return gram;
}

/* Knuth's multiplicative hash (The Art of Computer Programming, 6.4). */
static inline uint32_t bucket_of(uint32_t gram, unsigned bits)
{
    return (gram * 0x9e3779b1u) >> (32 - bits);
}

/* Which gram of a literal the fewest others have; texts have what rules look for. */
static void choose_grams(struct matcher *m)
{
    uint32_t *counts = xcalloc((size_t)1 << BITS_MOST, sizeof *counts);
    for (size_t i = 0; i < m->literals.n; i++) {
        struct slice s = m->literals.at[i].literal;
        for (size_t at = 0; at + GRAM <= s.n; at++)
            counts[bucket_of(gram_at(s.p + at), BITS_MOST)]++;
    }
    for (size_t i = 0; i < m->literals.n; i++) {
        struct filed *f = &m->literals.at[i];
        uint32_t least = UINT32_MAX;
        if (f->literal.n < GRAM)
            f->gram = short_gram_at(f->literal.p);
        for (size_t at = 0; at + GRAM <= f->literal.n; at++) {
            uint32_t gram = gram_at(f->literal.p + at);
            if (counts[bucket_of(gram, BITS_MOST)] < least) {
                least = counts[bucket_of(gram, BITS_MOST)];
                f->gram = gram;
                f->offset = (uint32_t)at;
            }
        }
    }
    free(counts);
}

/* Files the literals of GRAM bytes and more, or the shorter ones. */
static void index_build(struct index *x, const struct matcher *m, bool shorts)
{
    for (size_t i = 0; i < m->literals.n; i++)
        x->n += (m->literals.at[i].literal.n < GRAM) == shorts;
    if (!x->n)
        return;
    x->bits = BITS_LEAST;
    while (x->bits < BITS_MOST && ((uint32_t)1 << x->bits) < x->n * 8)
        x->bits++;
    size_t buckets = (size_t)1 << x->bits;
    x->filled = xcalloc(buckets / 64, sizeof *x->filled);
    x->starts = xcalloc(buckets + 1, sizeof *x->starts);
    x->filed = xcalloc(x->n, sizeof *x->filed);
    for (size_t i = 0; i < m->literals.n; i++)
        if ((m->literals.at[i].literal.n < GRAM) == shorts)
            x->starts[bucket_of(m->literals.at[i].gram, x->bits) + 1]++;
    for (size_t b = 0; b < buckets; b++)
        x->starts[b + 1] += x->starts[b];
    for (size_t i = 0; i < m->literals.n; i++) {
        const struct filed *f = &m->literals.at[i];
        if ((f->literal.n < GRAM) != shorts)
            continue;
        uint32_t b = bucket_of(f->gram, x->bits);
        uint32_t at = x->starts[b];
        while (x->filed[at].literal.p) /* the next free place; buckets are small */
            at++;
        x->filed[at] = *f;
        x->filled[b / 64] |= (uint64_t)1 << b % 64;
    }
}

static int by_number(const void *a, const void *b)
{
    const struct number_test *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static int by_test(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    return (x->test > y->test) - (x->test < y->test);
}

void matcher_finish(struct matcher *m)
{
    choose_grams(m);
    index_build(&m->grams, m, false);
    index_build(&m->shorts, m, true);
    free(m->literals.at);
    m->literals.at = NULL;
    if (m->numbers.n)
        qsort(m->numbers.at, m->numbers.n, sizeof *m->numbers.at, by_number);
    if (m->pairs.n)
        qsort(m->pairs.at, m->pairs.n, sizeof *m->pairs.at, by_test);
    m->first = xcalloc(m->tests.n + 1, sizeof *m->first);
    for (size_t i = 0; i < m->pairs.n; i++)
        m->first[m->pairs.at[i].test + 1]++;
    for (size_t t = 0; t < m->tests.n; t++)
        m->first[t + 1] += m->first[t];
}

/* ---- running ---- */

static void meets(const struct matcher *m, struct matcher_run *run, uint32_t test)
{
    for (uint32_t i = m->first[test]; i < m->first[test + 1]; i++) {
        uint32_t predicate = m->pairs.at[i].predicate;
        if (run->met[predicate] != run->meeting) {
            run->met[predicate] = run->meeting;
            run->hits[run->hits_n++] = predicate;
        }
    }
}

static void try(const struct matcher *m, struct subject *s, struct matcher_run *run, uint32_t test)
{
    if (run->tried[test] == run->trying)
        return;
    run->tried[test] = run->trying;
    if (test_passes(&m->tests.at[test], s, run->regexes))
        meets(m, run, test);
}

/* The literals of a bucket against the text, where `gram` stands at `at`. */
static void compare(const struct matcher *m, const struct index *x, uint32_t gram, size_t at,
                    struct subject *s, struct matcher_run *run)
{
    uint32_t b = bucket_of(gram, x->bits);
    for (uint32_t i = x->starts[b]; i < x->starts[b + 1]; i++) {
        const struct filed *f = &x->filed[i];
        if (f->gram != gram || at < f->offset || run->tried[f->test] == run->trying)
            continue;
        if (!slice_starts(slice_sub(s->marked, at - f->offset, f->literal.n), f->literal))
            continue;
        if (m->tests.at[f->test].type == TEST_LITERAL) {
            run->tried[f->test] = run->trying;
            meets(m, run, f->test);
        } else {
            try(m, s, run, f->test);
        }
    }
}

static inline bool is_filled(const struct index *x, uint32_t gram)
{
    uint32_t b = bucket_of(gram, x->bits);
    return x->filled[b / 64] >> b % 64 & 1;
}

/* Reads up to three bytes past the end: SUBJECT_PADDING. */
static void scan(const struct matcher *m, struct subject *s, struct matcher_run *run)
{
    const char *p = s->marked.p;
    if (m->grams.n)
        for (size_t at = 0; at + GRAM <= s->marked.n; at++)
            if (__builtin_expect(is_filled(&m->grams, gram_at(p + at)), 0))
                compare(m, &m->grams, gram_at(p + at), at, s, run);
    if (m->shorts.n)
        for (size_t at = 0; at + SHORT_GRAM <= s->marked.n; at++)
            if (__builtin_expect(is_filled(&m->shorts, short_gram_at(p + at)), 0))
                compare(m, &m->shorts, short_gram_at(p + at), at, s, run);
}

static void equal_numbers(const struct matcher *m, struct subject *s, struct matcher_run *run)
{
    size_t low = 0, high = m->numbers.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (m->numbers.at[middle].number < s->number)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < m->numbers.n && m->numbers.at[low].number == s->number; low++)
        meets(m, run, m->numbers.at[low].test);
}

static void *zeroed(void *old, uint32_t n)
{
    free(old);
    return xcalloc(n, sizeof(uint32_t));
}

void matcher_begin(const struct matcher *m, struct matcher_run *run)
{
    if (run->room < m->predicates || run->meeting == UINT32_MAX) {
        run->room = run->room < m->predicates ? m->predicates : run->room;
        run->hits = zeroed(run->hits, run->room);
        run->met = zeroed(run->met, run->room);
        run->meeting = 0;
    }
    if (run->tried_room < m->tests.n) {
        run->tried_room = run->tried_room < m->tests.n ? (uint32_t)m->tests.n : run->tried_room;
        run->tried = zeroed(run->tried, run->tried_room);
        run->trying = 0;
    }
    run->meeting++;
    run->hits_n = 0;
}

void matcher_run(const struct matcher *m, struct subject *s, struct matcher_run *run)
{
    if (++run->trying == 0) { /* went round: forget all */
        run->tried = zeroed(run->tried, run->tried_room);
        run->trying = 1;
    }
    scan(m, s, run);
    if (m->numbers.n && subject_number(s))
        equal_numbers(m, s, run);
    for (size_t i = 0; i < m->compares.n && subject_number(s); i++)
        try(m, s, run, m->compares.at[i]);
    for (size_t i = 0; i < m->nets.n && subject_address(s); i++)
        try(m, s, run, m->nets.at[i]);
    for (size_t i = 0; i < m->times.n && subject_time(s); i++)
        try(m, s, run, m->times.at[i]);
    for (size_t i = 0; i < m->loose.n; i++)
        try(m, s, run, m->loose.at[i]);
}

void matcher_run_free(struct matcher_run *run)
{
    free(run->hits);
    free(run->met);
    free(run->tried);
}
