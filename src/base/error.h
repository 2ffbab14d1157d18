/*
 * What went wrong, where, and at which place of the input. A function that can fail takes a
 * `struct error *`, returns an `enum status` and, when it is not OK, has filled the error in.
 *
 *     if (condition < 0)
 *         return error_set(err, STATUS_BAD_INPUT, path, offset, "the header is %zu bytes short", n);
 *
 * Messages are in the user's language (base/locale.h): the format is looked up in the catalogue.
 * po/update.sh finds those of base, cli, intake and report by themselves; elsewhere, and where a
 * message is no literal argument, N_() marks it. Faults of rules, mappings and YAML stay English, as
 * the words are in which these are written.
 *
 * The message is one clause without a full stop that tells the user what was wrong; `where` is
 * what it was found in (a path, a rule). error_print() makes "hikeshi: WHERE:OFFSET: MESSAGE",
 * with ":COLUMN" behind the offset where the input is text.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

enum status {
    OK = 0,
    STATUS_BAD_INPUT,  /* the data is damaged, of another kind, or over a limit */
    STATUS_BAD_USE,    /* arguments that do not make sense */
    STATUS_SYSTEM,     /* the system refused: open, read, write, memory */
    STATUS_INTERRUPTED /* the user asked to stop */
};

#define ERROR_NO_OFFSET UINT64_MAX

struct error {
    enum status status;
    uint64_t offset; /* in the input: bytes for binary, line for text; or ERROR_NO_OFFSET */
    uint32_t column; /* in the line, from 1; 0: not known, or not text */
    char where[512]; /* file or thing; empty when there is none */
    char what[512];  /* the message */
};

/* Fills `err` (which may be NULL; column becomes 0) and returns `status`. `where` may be NULL. */
enum status error_set(struct error *err, enum status status, const char *where, uint64_t offset,
                      const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The same with the arguments in a list, for functions that are called as error_set is. */
enum status error_vset(struct error *err, enum status status, const char *where, uint64_t offset,
                       const char *format, va_list args) __attribute__((format(printf, 5, 0)));

/* error_set with ": " and the text of errno at the end; status is STATUS_SYSTEM. */
enum status error_system(struct error *err, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What a number of errno means, in the user's language. */
const char *error_reason(int number);

/* One line to `out`: "hikeshi: where:offset: what\n". */
void error_print(const struct error *err, FILE *out);

#endif
