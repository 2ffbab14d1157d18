/*
 * The regular expressions of a rule set, each compiled once for all threads, with the literals one
 * of which a text must hold to match, so that most texts are never tried.
 *
 *     struct regexes *set = regexes_new();
 *     regexes_add(set, pattern, modifiers);             before confine(): JIT makes code
 *     const struct regex *r = regexes_find(set, pattern, modifiers);
 *     struct regex_worker *w = regex_worker_new();      one a thread
 *     regex_matches(w, r, text)
 *
 * Source: PCRE2 10.42, pcre2pattern(3) and pcre2api(3).
 */
#ifndef DETECT_REGEXES_H
#define DETECT_REGEXES_H

#include "base/arena.h"

enum {
    REGEX_LITERALS = 32,        /* alternatives that a regex may have and still be filtered */
    REGEX_MATCH_LIMIT = 200000, /* backtracks in one text; more counts as no match */
};

struct regex {
    void *code;             /* pcre2_code */
    struct slice *literals; /* folded; a text that matches holds one of them */
    uint32_t literals_n;    /* 0: nothing is known */
};

struct regexes;
struct regexes *regexes_new(void);
void regexes_free(struct regexes *set);

/* With MOD_RE_I, MOD_RE_M, MOD_RE_S of `modifiers`. What is no valid expression is not kept. Only
 * while no other thread uses the set. */
void regexes_add(struct regexes *set, struct slice pattern, uint32_t modifiers);

/* NULL when it was not added, or is no valid expression. */
const struct regex *regexes_find(const struct regexes *set, struct slice pattern,
                                 uint32_t modifiers);

struct regex_worker;
struct regex_worker *regex_worker_new(void);
void regex_worker_free(struct regex_worker *w);

/* Whether the expression is found anywhere in valid UTF-8. */
bool regex_matches(struct regex_worker *w, const struct regex *r, struct slice text);

/* How many texts this worker gave up because they took more than the limit (or its stack). */
uint64_t regex_given_up(const struct regex_worker *w);

/* The literals alone (see struct regex); returns how many were put into `out`, which has room for
 * REGEX_LITERALS. `caseless`: all of it or a part may be. */
uint32_t regex_literals(struct arena *a, struct slice pattern, bool caseless, struct slice *out);

#endif
