#include "detect/regex.h"

#include "detect/rule.h"

#include <stdio.h>

pcre2_code *regex_compile(struct slice text, uint32_t modifiers, char *why, size_t why_n,
                          size_t *at)
{
    *at = 0;
    if (text.n > REGEX_BYTES) {
        snprintf(why, why_n, "it is longer than %d bytes", REGEX_BYTES);
        return NULL;
    }
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;
    if (modifiers & MOD_RE_I)
        options |= PCRE2_CASELESS;
    if (modifiers & MOD_RE_M)
        options |= PCRE2_MULTILINE;
    if (modifiers & MOD_RE_S)
        options |= PCRE2_DOTALL;
    int code;
    PCRE2_SIZE place;
    pcre2_code *re =
        pcre2_compile((PCRE2_SPTR)(text.p ? text.p : ""), text.n, options, &code, &place, NULL);
    if (!re) {
        PCRE2_UCHAR message[256] = "it can't be compiled";
        pcre2_get_error_message(code, message, sizeof message);
        snprintf(why, why_n, "%s", (const char *)message);
        *at = place;
    }
    return re;
}
