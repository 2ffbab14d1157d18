#include "hunt/saved.h"

#include "base/embed.h"
#include "base/files.h"
#include "base/text.h"
#include "base/vec.h"
#include "hunt/near.h"

#include <stdlib.h>

extern const struct embedded_file hunt_files[];

static const char *const endings[] = {".kql", NULL};

struct found {
    struct saved_hunt *at;
    size_t n, cap;
};

/* ---- the comments at the beginning ---- */

static struct slice next_line(struct slice *rest)
{
    ptrdiff_t end = slice_find(*rest, SLICE("\n"));
    size_t n = end < 0 ? rest->n : (size_t)end;
    struct slice line = slice_sub(*rest, 0, n);
    *rest = slice_sub(*rest, n + 1, rest->n);
    return line;
}

/* "// title: ...", and the lines that go on with it: "//   ...". */
static void read_head(struct saved_hunt *h, struct arena *a)
{
    struct slice rest = h->text, *last = NULL;
    while (rest.n) {
        struct slice line = slice_trim(next_line(&rest));
        if (!slice_starts(line, SLICE("//")))
            return;
        line = slice_sub(line, 2, line.n);
        bool goes_on = slice_starts(line, SLICE("  "));
        line = slice_trim(line);
        if (slice_starts(line, SLICE("title:")))
            last = &h->title;
        else if (slice_starts(line, SLICE("description:")))
            last = &h->description;
        else if (!goes_on)
            last = NULL;
        if (!last)
            continue;
        if (!goes_on)
            line = slice_trim(slice_sub(line, (size_t)slice_find(line, SLICE(":")) + 1, line.n));
        if (utf8_valid(line))
            *last = arena_printf(a, "%.*s%s%.*s", SLICE_ARG(*last), last->n ? " " : "",
                                 SLICE_ARG(line));
    }
}

/* ---- the list ---- */

static void add(struct found *found, const char *file, const char *path, struct slice text,
                timestamp now, struct arena *a)
{
    struct slice name = slice_str(file);
    struct saved_hunt *h = NULL;
    if (slice_ends(name, SLICE(".kql")))
        name.n -= 4;
    for (size_t i = 0; i < found->n; i++)
        if (slice_equal(found->at[i].name, name))
            h = &found->at[i];
    if (!h)
        h = VEC_PUSH(*found);
    *h = (struct saved_hunt){.name = name, .text = text, .path = path};
    read_head(h, a);
    h->problem.status = hunt_parameters(text, path ? path : file, now, a, &h->parameters,
                                        &h->parameters_n, &h->problem);
}

static int by_name(const void *a, const void *b)
{
    return slice_compare(((const struct saved_hunt *)a)->name,
                         ((const struct saved_hunt *)b)->name);
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

enum status saved_hunts(const char *folder, timestamp now, struct arena *a,
                        struct saved_hunt **list, size_t *n, struct error *err)
{
    struct found found = {0};
    struct file_list files = {0};
    enum status status = OK;
    for (const struct embedded_file *f = hunt_files; f->name; f++)
        add(&found, f->name, NULL, f->bytes, now, a);
    if (folder)
        status = folder_list(folder, endings, a, &files, err);
    for (size_t i = 0; status == OK && i < files.n; i++) {
        struct slice text;
        status = file_read(files.paths[i], HUNT_BYTES, a, &text, err);
        if (status == OK)
            add(&found, file_name(files.paths[i]), files.paths[i], text, now, a);
    }
    file_list_free(&files);
    if (found.n)
        qsort(found.at, found.n, sizeof *found.at, by_name);
    *list = arena_zero(a, found.n + 1, sizeof **list);
    if (found.n)
        memcpy(*list, found.at, found.n * sizeof **list);
    *n = found.n;
    free(found.at);
    return status;
}

const struct saved_hunt *saved_hunt_named(const struct saved_hunt *list, size_t n,
                                          struct slice name, struct error *err)
{
    struct near near = {0};
    char text[NEAR_TEXT];
    for (size_t i = 0; i < n; i++) {
        if (slice_equal(list[i].name, name))
            return &list[i];
        near_try(&near, name, list[i].name);
    }
    error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET, "there is no saved hunt %.*s%s",
              SLICE_ARG(name),
              near.name.n ? near_text(&near, text) : "; hikeshi hunt --list shows those there are");
    return NULL;
}
