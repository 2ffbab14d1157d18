/*
 * The regular expressions of Sigma's `re`: one way to compile them, so that what the loader accepts
 * is what the engine runs. PCRE2 on UTF-8; text that is not UTF-8 is matched as far as it is.
 */
#ifndef DETECT_REGEX_H
#define DETECT_REGEX_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/slice.h"

#include <pcre2.h>

enum { REGEX_BYTES = 16384 }; /* of an expression's text, at most */

/* With MOD_RE_I, MOD_RE_M, MOD_RE_S of `modifiers` (detect/rule.h). NULL when the expression is
 * wrong: then `why` says so and *at is the byte where. Freed by pcre2_code_free. */
pcre2_code *regex_compile(struct slice text, uint32_t modifiers, char *why, size_t why_n,
                          size_t *at);

#endif
