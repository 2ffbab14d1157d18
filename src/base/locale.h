/*
 * Messages for people, in English and Japanese. The sources hold the English ones, marked; po/ja.po
 * has the Japanese ones and is compiled into the program, which therefore needs no installed files.
 *
 *     locale_choose(NULL);                             once, in main(), before threads start
 *     printf(_("%zu rules loaded\n"), n);
 *     printf(locale_plural("%zu file\n", "%zu files\n", n), n);
 *     static const char *const names[] = {N_("high"), ...};   marked here, _(names[i]) where shown
 *
 * The chosen language is the program's one piece of global state: it is set before threads start
 * and read ever after. What programs read (JSON, CSV keys, logs) stays English.
 *
 * After changing messages run po/update.sh and translate what it shows; a test fails when one is
 * missing.
 */
#ifndef BASE_LOCALE_H
#define BASE_LOCALE_H

#include "base/slice.h"

/* Marks a message for xgettext and gives it in the chosen language. */
#define _(text) locale_text(text)
/* Marks only. */
#define N_(text) (text)

/* "en", "ja", or NULL: what LC_ALL, LC_MESSAGES or LANG asks for (the first that is set), English
 * when that is another language or its text is not UTF-8. False for a language there is no
 * translation to; then nothing changes. */
bool locale_choose(const char *language);

/* "en" or "ja". */
const char *locale_language(void);

/* The message in the chosen language; `text` itself when there is no translation. */
const char *locale_text(const char *text) __attribute__((format_arg(1)));

/* A message that counts something: `one` for n = 1, else `many`, in the chosen language. */
const char *locale_plural(const char *one, const char *many, uint64_t n)
    __attribute__((format_arg(1), format_arg(2)));

/* ---- the catalogue's file format, for locale.c and the tests ---- */

/* A compiled catalogue: GNU gettext manual, 10.3 "The Format of GNU MO Files". */
struct mo {
    struct slice bytes;
    uint32_t n, originals, translations; /* messages; places of the two tables */
};

/* False when `bytes` is no such file, little-endian and whole: each of its strings must lie in it
 * with the NUL behind it, the originals sorted. After that mo_find can't go astray. */
bool mo_open(struct slice bytes, struct mo *out);

/* The translation of an original (its first form when it counts something), or NULL. NUL-terminated,
 * in the catalogue's bytes. */
const char *mo_find(const struct mo *mo, const char *original);

#endif
