/*
 * What could not be read. Bad input never stops the rest: a reader reports the place and goes on.
 * Counts are exact; of the places, the first PROBLEMS_KEPT of each input, by offset, are kept
 * word for word, in the user's language (as with error_set). One list serves all workers (it locks itself).
 *
 *     problem_add(problems, batch->input, offset, "the record's checksum is wrong");
 */
#ifndef INTAKE_PROBLEM_H
#define INTAKE_PROBLEM_H

#include "base/error.h"

enum { PROBLEMS_KEPT = 20 };

struct problem {
    uint32_t input;  /* number of the input */
    uint64_t offset; /* byte offset for binary inputs, line number (from 1) for text */
    char what[160];
};

struct problems;
struct problems *problems_new(void);
void problems_free(struct problems *p);

void problem_add(struct problems *p, uint32_t input, uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* All problems counted; those of one input; and the kept ones, sorted by input and offset. The list
 * is valid until the next problems_kept(). */
uint64_t problems_total(const struct problems *p);
uint64_t problems_of(const struct problems *p, uint32_t input);
size_t problems_kept(const struct problems *p, const struct problem **list);

#endif
