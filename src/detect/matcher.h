/*
 * Many tests against one text at once: which predicates does it meet? A predicate is a number that
 * stands for "one of these tests passes".
 *
 *     struct matcher *m = matcher_new();
 *     uint32_t test = matcher_test(m, &test);  matcher_predicate(m, test, predicate);
 *     matcher_finish(m);                                      from here on read-only
 *     matcher_begin(m, &run);
 *     matcher_run(m, &subject, &run);                         once or more: run.hits
 *
 * Each literal is filed under the four bytes of it that are the rarest among all literals. A text is
 * gone through once: at each place a bit tells whether the four bytes there are anybody's, and only
 * then the literals filed under them are compared. What has no literal is tried on every text.
 */
#ifndef DETECT_MATCHER_H
#define DETECT_MATCHER_H

#include "detect/predicate.h"

struct matcher;
struct matcher *matcher_new(void);
void matcher_free(struct matcher *m);

/* Adds a test; the number names it. What the test points to must outlive the matcher. */
uint32_t matcher_test(struct matcher *m, const struct test *t);

/* The text that passes `test` meets `predicate`. */
void matcher_predicate(struct matcher *m, uint32_t test, uint32_t predicate);

void matcher_finish(struct matcher *m);

/* Tells each test and a predicate that it meets; when finished. Stops when `tell` gives false. */
bool matcher_each(const struct matcher *m,
                  bool (*tell)(void *ctx, const struct test *t, uint32_t predicate), void *ctx);

/* One thread's state; room for the numbers of predicates and tests of any matcher it runs. */
struct matcher_run {
    struct regex_worker *regexes;
    uint32_t *hits; /* predicates met, each once */
    uint32_t hits_n, room;
    uint32_t tried_room;
    uint32_t *met, *tried; /* the round in which a predicate was met, a test tried */
    uint32_t meeting, trying;
};

/* Starts with no hits. */
void matcher_begin(const struct matcher *m, struct matcher_run *run);

/* Adds what the text meets and was not met since matcher_begin. */
void matcher_run(const struct matcher *m, struct subject *s, struct matcher_run *run);
void matcher_run_free(struct matcher_run *run); /* all but `regexes`, which is the caller's */

#endif
