/*
 * Files that are built into the program: data and pages that it needs wherever it runs, also after
 * confinement. tools/embed.c writes them as C at build time; src/meson.build has an example.
 *
 *     extern const struct embedded_file report_assets[];      the NAME given to the generator
 *     for (const struct embedded_file *f = report_assets; f->name; f++)
 *         ... f->name, f->bytes ...
 */
#ifndef BASE_EMBED_H
#define BASE_EMBED_H

#include "base/slice.h"

struct embedded_file {
    const char *name;   /* without folders; NULL ends the list */
    struct slice bytes; /* followed by a NUL that the slice does not count */
};

/* The contents of the file of that name, or a slice with p NULL. */
static inline struct slice embedded_find(const struct embedded_file *files, const char *name)
{
    for (; files->name; files++)
        if (strcmp(files->name, name) == 0)
            return files->bytes;
    return (struct slice){0};
}

#endif
