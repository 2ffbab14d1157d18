#include "detect/matcher.h"

#include "base/vec.h"

#include <stdlib.h>

enum { GRAM_LEAST = 2, GRAM_MOST = 4, BITS_LEAST = 8, BITS_MOST = 16 };

/* A literal under its bucket. */
struct filed {
    struct slice literal;
    uint32_t gram;   /* the bytes at `offset`: four, or all of a shorter literal */
    uint32_t offset; /* of the gram in the literal */
    uint32_t test;
    uint32_t first, last; /* the test's predicates, met when the literal is all that it asks */
    bool alone;
};

/* Literals by a hash of their gram, of one width. */
struct index {
    unsigned bits;
    uint64_t *filled; /* a bit a bucket */
    uint32_t *starts; /* by bucket: the first in `filed`; one more at the end */
    uint32_t *grams;  /* of `filed`, side by side: most places end here */
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
    uint32_t *met;       /* predicates, by test */
    uint32_t *first;     /* by test: its first in `met`; one more at the end */
    uint32_t predicates; /* one more than the highest number */
    struct {
        struct filed *at;
        size_t n, cap;
    } literals;
    struct index indexes[GRAM_MOST + 1]; /* by the width of grams */
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
    free(x->grams);
    free(x->filed);
}

void matcher_free(struct matcher *m)
{
    if (!m)
        return;
    free(m->tests.at);
    free(m->pairs.at);
    free(m->met);
    free(m->first);
    free(m->literals.at);
    for (int width = GRAM_LEAST; width <= GRAM_MOST; width++)
        index_free(&m->indexes[width]);
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
        if (t->triggers[i].n < GRAM_LEAST)
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
    else if (t->type == TEST_LITERAL && t->literal.n >= GRAM_LEAST)
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

/* The first `width` bytes at `p`, of which four can be read. */
static inline uint32_t gram_at(const char *p, size_t width)
{
    uint32_t gram;
    memcpy(&gram, p, sizeof gram);
    return gram & UINT32_MAX >> 8 * (GRAM_MOST - width);
}

static size_t gram_width(struct slice literal)
{
    return literal.n < GRAM_MOST ? literal.n : GRAM_MOST;
}

/* Knuth's multiplicative hash (The Art of Computer Programming, 6.4). */
static inline uint32_t bucket_of(uint32_t gram, unsigned bits)
{
    return (gram * 0x9e3779b1u) >> (32 - bits);
}

/* Chooses the gram of each literal that the fewest others have; texts have what rules look for. */
static void choose_grams(struct matcher *m)
{
    uint32_t *counts = xcalloc((size_t)1 << BITS_MOST, sizeof *counts);
    for (size_t i = 0; i < m->literals.n; i++) {
        struct slice s = m->literals.at[i].literal;
        for (size_t at = 0; at + GRAM_MOST <= s.n; at++)
            counts[bucket_of(gram_at(s.p + at, GRAM_MOST), BITS_MOST)]++;
    }
    for (size_t i = 0; i < m->literals.n; i++) {
        struct filed *f = &m->literals.at[i];
        uint32_t least = UINT32_MAX;
        if (f->literal.n < GRAM_MOST)
            memcpy(&f->gram, f->literal.p, f->literal.n);
        for (size_t at = 0; at + GRAM_MOST <= f->literal.n; at++) {
            uint32_t gram = gram_at(f->literal.p + at, GRAM_MOST);
            if (counts[bucket_of(gram, BITS_MOST)] < least) {
                least = counts[bucket_of(gram, BITS_MOST)];
                f->gram = gram;
                f->offset = (uint32_t)at;
            }
        }
    }
    free(counts);
}

/* Files the literals whose grams have this width. */
static void index_build(struct index *x, const struct matcher *m, size_t width)
{
    for (size_t i = 0; i < m->literals.n; i++)
        x->n += gram_width(m->literals.at[i].literal) == width;
    if (!x->n)
        return;
    x->bits = BITS_LEAST;
    while (x->bits < BITS_MOST && ((uint32_t)1 << x->bits) < x->n * 8)
        x->bits++;
    size_t buckets = (size_t)1 << x->bits;
    x->filled = xcalloc(buckets / 64, sizeof *x->filled);
    x->starts = xcalloc(buckets + 1, sizeof *x->starts);
    x->filed = xcalloc(x->n, sizeof *x->filed);
    x->grams = xcalloc(x->n, sizeof *x->grams);
    for (size_t i = 0; i < m->literals.n; i++)
        if (gram_width(m->literals.at[i].literal) == width)
            x->starts[bucket_of(m->literals.at[i].gram, x->bits) + 1]++;
    for (size_t b = 0; b < buckets; b++)
        x->starts[b + 1] += x->starts[b];
    for (size_t i = 0; i < m->literals.n; i++) {
        const struct filed *f = &m->literals.at[i];
        if (gram_width(f->literal) != width)
            continue;
        uint32_t b = bucket_of(f->gram, x->bits);
        uint32_t at = x->starts[b];
        while (x->filed[at].literal.p) /* the next free place; buckets are small */
            at++;
        x->filed[at] = *f;
        x->grams[at] = f->gram;
        x->filed[at].alone = m->tests.at[f->test].type == TEST_LITERAL;
        x->filed[at].first = m->first[f->test];
        x->filed[at].last = m->first[f->test + 1];
        x->filled[b / 64] |= (uint64_t)1 << b % 64;
    }
}

static int by_number(const void *a, const void *b)
{
    const struct number_test *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

/* The predicates of each test side by side, by counting. */
static void index_predicates(struct matcher *m)
{
    m->first = xcalloc(m->tests.n + 2, sizeof *m->first);
    m->met = xcalloc(m->pairs.n, sizeof *m->met);
    for (size_t i = 0; i < m->pairs.n; i++)
        m->first[m->pairs.at[i].test + 2]++;
    for (size_t t = 1; t < m->tests.n + 2; t++)
        m->first[t] += m->first[t - 1];
    for (size_t i = 0; i < m->pairs.n; i++)
        m->met[m->first[m->pairs.at[i].test + 1]++] = m->pairs.at[i].predicate;
    free(m->pairs.at);
    m->pairs.at = NULL;
}

void matcher_finish(struct matcher *m)
{
    index_predicates(m);
    choose_grams(m);
    for (size_t width = GRAM_LEAST; width <= GRAM_MOST; width++)
        index_build(&m->indexes[width], m, width);
    free(m->literals.at);
    m->literals.at = NULL;
    if (m->numbers.n)
        qsort(m->numbers.at, m->numbers.n, sizeof *m->numbers.at, by_number);
}

bool matcher_each(const struct matcher *m,
                  bool (*tell)(void *ctx, const struct test *t, uint32_t predicate), void *ctx)
{
    for (size_t t = 0; t < m->tests.n; t++)
        for (uint32_t i = m->first[t]; i < m->first[t + 1]; i++)
            if (!tell(ctx, &m->tests.at[t], m->met[i]))
                return false;
    return true;
}

/* ---- running ---- */

static inline void meets(const struct matcher *m, struct matcher_run *run, uint32_t first,
                         uint32_t last)
{
    for (; first < last; first++) {
        uint32_t predicate = m->met[first];
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
        meets(m, run, m->first[test], m->first[test + 1]);
}

/* The literals of a bucket against the text, where `gram` stands at `at`. */
static void compare(const struct matcher *m, const struct index *x, uint32_t gram, size_t at,
                    struct subject *s, struct matcher_run *run)
{
    uint32_t b = bucket_of(gram, x->bits);
    for (uint32_t i = x->starts[b]; i < x->starts[b + 1]; i++) {
        const struct filed *f = &x->filed[i];
        if (x->grams[i] != gram || at < f->offset)
            continue;
        if (!slice_starts(slice_sub(s->marked, at - f->offset, f->literal.n), f->literal))
            continue;
        if (f->alone)
            meets(m, run, f->first, f->last);
        else
            try(m, s, run, f->test);
    }
}

/* Reads up to two bytes past the end: SUBJECT_PADDING. */
static inline void scan(const struct matcher *m, size_t width, struct subject *s,
                        struct matcher_run *run)
{
    const struct index *x = &m->indexes[width];
    for (size_t at = 0; x->n && at + width <= s->marked.n; at++) {
        uint32_t gram = gram_at(s->marked.p + at, width), b = bucket_of(gram, x->bits);
        if (__builtin_expect(x->filled[b / 64] >> b % 64 & 1, 0))
            compare(m, x, gram, at, s, run);
    }
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
        meets(m, run, m->first[m->numbers.at[low].test], m->first[m->numbers.at[low].test + 1]);
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
    scan(m, 4, s, run);
    scan(m, 3, s, run);
    scan(m, 2, s, run);
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
