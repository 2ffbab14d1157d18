#include "base/locale.h"
#include "base/cursor.h"
#include "base/embed.h"

#include <stdlib.h>
#include <strings.h>

extern const struct embedded_file locale_files[];

/* Empty for English. Written by locale_choose alone, before threads start. */
static struct mo chosen; // NOLINT: the exception that locale.h tells of

#define MO_MAGIC UINT32_C(0x950412de)

/* String `i` of a table of (length, place) pairs. */
static struct slice mo_string(const struct mo *mo, uint32_t table, uint32_t i)
{
    struct cursor c = cursor_of(mo->bytes);
    cursor_seek(&c, (size_t)table + (size_t)i * 8);
    uint32_t n = cursor_u32(&c);
    cursor_seek(&c, cursor_u32(&c));
    struct slice s = cursor_take(&c, n);
    return cursor_u8(&c) == 0 && !c.failed ? s : (struct slice){0};
}

bool mo_open(struct slice bytes, struct mo *out)
{
    struct cursor c = cursor_of(bytes);
    uint32_t magic = cursor_u32(&c);
    uint32_t revision = cursor_u32(&c);
    struct mo mo = {.bytes = bytes};
    mo.n = cursor_u32(&c);
    mo.originals = cursor_u32(&c);
    mo.translations = cursor_u32(&c);
    if (c.failed || magic != MO_MAGIC || revision >> 16 > 1)
        return false;
    struct slice before = {0};
    for (uint32_t i = 0; i < mo.n; i++) {
        struct slice original = mo_string(&mo, mo.originals, i);
        if (!original.p || !mo_string(&mo, mo.translations, i).p ||
            (i > 0 && slice_compare(before, original) >= 0))
            return false;
        before = original;
    }
    *out = mo;
    return true;
}

const char *mo_find(const struct mo *mo, const char *original)
{
    uint32_t low = 0, high = mo->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        /* of a message that counts, the two English forms are parted by a NUL: compares the first */
        const char *there = mo_string(mo, mo->originals, middle).p;
        int order = there ? strcmp(original, there) : -1; /* mo_open has seen that it is there */
        if (order == 0) {
            struct slice s = mo_string(mo, mo->translations, middle);
            return s.n ? s.p : NULL;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* "ja" of "ja", "ja_JP", "ja_JP.UTF-8", "ja.utf8@x"; English for all else. */
static const char *language_of(const char *locale)
{
    size_t n = strcspn(locale, "_.@");
    const char *codeset = strchr(locale, '.');
    size_t codeset_n = codeset ? strcspn(++codeset, "@") : 0;
    bool utf8 = !codeset || (codeset_n == 5 && strncasecmp(codeset, "UTF-8", 5) == 0) ||
                (codeset_n == 4 && strncasecmp(codeset, "utf8", 4) == 0);
    return n == 2 && strncmp(locale, "ja", 2) == 0 && utf8 ? "ja" : "en";
}

static const char *language_of_environment(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]); // NOLINT(concurrency-mt-unsafe): before threads
        if (value && *value)
            return language_of(value);
    }
    return "en";
}

bool locale_choose(const char *language)
{
    if (!language)
        language = language_of_environment();
    if (strcmp(language, "en") == 0) {
        chosen = (struct mo){0};
        return true;
    }
    return strcmp(language, "ja") == 0 && mo_open(embedded_find(locale_files, "ja.mo"), &chosen);
}

const char *locale_language(void)
{
    return chosen.n ? "ja" : "en";
}

const char *locale_text(const char *text)
{
    const char *found = *text ? mo_find(&chosen, text) : NULL; /* "" is the catalogue's header */
    return found ? found : text;
}

/* Japanese does not tell one from many, so the first form is the only one. */
const char *locale_plural(const char *one, const char *many, uint64_t n)
{
    const char *found = mo_find(&chosen, one);
    return found ? found : n == 1 ? one : many;
}
