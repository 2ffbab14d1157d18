#include "intake/intake_internal.h"

#include "base/locale.h"
#include "base/text.h"
#include "base/vec.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { FOLDERS_DEEP = 100 }; /* folders in folders; a path of PATH_MAX has at most 2048 */

struct entry {
    struct input face;
    const char *path; /* NULL: a member, or a problem already */
    uint64_t limit;   /* bytes that are read of it */
};

struct inputs {
    pthread_mutex_t lock;
    struct arena arena;
    struct {
        struct entry **at;
        size_t n, cap;
    } list;
    uint32_t named;
    uint64_t bytes;
    struct problems *problems;
};

/* A name for people's eyes: UTF-8, without characters that would move the cursor of a terminal. */
static struct slice shown(struct arena *a, struct slice name)
{
    struct slice clean = utf8_clean(a, name);
    char *out = arena_bytes(a, clean.n);
    for (size_t i = 0; i < clean.n; i++) {
        unsigned char c = (unsigned char)clean.p[i];
        bool c1 = c == 0xc2 && i + 1 < clean.n && (unsigned char)clean.p[i + 1] < 0xa0;
        out[i] = clean.p[i];
        if (c < 0x20 || c == 0x7f || c1)
            out[i] = '?';
        if (c1)
            out[++i] = '?';
    }
    return slice_of(out, clean.n);
}

static uint32_t add(struct inputs *in, struct slice name, const char *path)
{
    struct entry *entry = arena_zero(&in->arena, 1, sizeof *entry);
    entry->face.name = shown(&in->arena, name);
    entry->face.within = INPUT_ALONE;
    entry->limit = UINT64_MAX;
    if (path)
        entry->path = arena_slice(&in->arena, slice_str(path)).p;
    *VEC_PUSH(in->list) = entry;
    return (uint32_t)in->list.n - 1;
}

static void add_unreadable(struct inputs *in, const char *path, const char *why)
{
    uint32_t number = add(in, slice_str(path), NULL);
    problem_add(in->problems, number, 0, "%s", why);
}

static void walk(struct inputs *in, const char *path, const struct stat *st, bool named, int depth);

static int is_entry(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void walk_folder(struct inputs *in, const char *path, int depth) // NOLINT(misc-no-recursion)
{
    struct dirent **entries = NULL;
    int n = depth < FOLDERS_DEEP ? scandir(path, &entries, is_entry, by_name) : -1;
    if (n < 0) {
        add_unreadable(in, path,
                       depth < FOLDERS_DEEP ? error_reason(errno)
                                            : _("too many folders in one another"));
        return;
    }
    bool slash = slice_ends(slice_str(path), SLICE("/"));
    for (int i = 0; i < n; i++) {
        char *child = NULL;
        struct stat st;
        if (asprintf(&child, "%s%s%s", path, slash ? "" : "/", entries[i]->d_name) < 0)
            abort(); /* out of memory */
        if (lstat(child, &st) == 0)
            walk(in, child, &st, false, depth + 1);
        else
            add_unreadable(in, child, error_reason(errno));
        free(child);
        free(entries[i]);
    }
    free(entries);
}

/* `named`: the user wrote this very path. NOLINTNEXTLINE(misc-no-recursion): FOLDERS_DEEP */
static void walk(struct inputs *in, const char *path, const struct stat *st, bool named, int depth)
{
    if (S_ISDIR(st->st_mode)) {
        walk_folder(in, path, depth);
    } else if (S_ISREG(st->st_mode)) {
        add(in, slice_str(path), path);
        in->bytes += (uint64_t)st->st_size;
    } else if (named && (S_ISFIFO(st->st_mode) || S_ISCHR(st->st_mode))) {
        add(in, slice_str(path), path); /* a pipe, a terminal: read until it ends */
    } else if (S_ISLNK(st->st_mode)) {
        add_unreadable(in, path, _("a symbolic link is not followed: name what it points to"));
    } else {
        add_unreadable(in, path,
                       S_ISFIFO(st->st_mode) ? _("a pipe inside a folder is not read: name it")
                                             : _("a device or socket holds no logs"));
    }
}

struct inputs *inputs_find(const char *const *paths, size_t n, struct problems *problems)
{
    struct inputs *in = xcalloc(1, sizeof *in);
    pthread_mutex_init(&in->lock, NULL);
    in->problems = problems;
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        if (strcmp(paths[i], "-") == 0)
            add(in, SLICE("standard input"), "-");
        else if (stat(paths[i], &st) == 0)
            walk(in, paths[i], &st, true, 0);
        else
            add_unreadable(in, paths[i], error_reason(errno));
    }
    in->named = (uint32_t)in->list.n;
    return in;
}

void inputs_free(struct inputs *in)
{
    if (!in)
        return;
    free(in->list.at);
    arena_free(&in->arena);
    pthread_mutex_destroy(&in->lock);
    free(in);
}

/* Asking locks too, which changes nothing that a caller can see. */
static struct inputs *unlocked(const struct inputs *in)
{
    return (struct inputs *)(uintptr_t)in;
}

static struct entry *entry_of(const struct inputs *in, uint32_t number)
{
    pthread_mutex_lock(&unlocked(in)->lock);
    struct entry *entry = in->list.at[number];
    pthread_mutex_unlock(&unlocked(in)->lock);
    return entry;
}

size_t inputs_count(const struct inputs *in)
{
    pthread_mutex_lock(&unlocked(in)->lock);
    size_t n = in->list.n;
    pthread_mutex_unlock(&unlocked(in)->lock);
    return n;
}

const struct input *inputs_get(const struct inputs *in, uint32_t number)
{
    return &entry_of(in, number)->face;
}

uint64_t inputs_bytes(const struct inputs *in)
{
    return in->bytes;
}

uint32_t inputs_named(const struct inputs *in)
{
    return in->named;
}

const char *inputs_path(const struct inputs *in, uint32_t number)
{
    return entry_of(in, number)->path;
}

void inputs_rename(struct inputs *in, uint32_t number, struct slice name)
{
    entry_of(in, number)->face.name = shown(&in->arena, name);
}

void inputs_set_limit(struct inputs *in, uint32_t number, uint64_t bytes)
{
    entry_of(in, number)->limit = bytes;
}

uint64_t inputs_limit(const struct inputs *in, uint32_t number)
{
    return entry_of(in, number)->limit;
}

uint32_t inputs_add(struct inputs *in, uint32_t container, struct slice name)
{
    pthread_mutex_lock(&in->lock);
    struct buf whole = {0};
    buf_add(&whole, in->list.at[container]->face.name);
    buf_char(&whole, '/');
    buf_add(&whole, name);
    uint32_t number = add(in, buf_slice(&whole), NULL);
    in->list.at[number]->face.within = container;
    buf_free(&whole);
    pthread_mutex_unlock(&in->lock);
    return number;
}

void inputs_set_reader(struct inputs *in, uint32_t number, const struct reader *reader)
{
    pthread_mutex_lock(&in->lock);
    in->list.at[number]->face.reader = reader;
    pthread_mutex_unlock(&in->lock);
}

void inputs_set_container(struct inputs *in, uint32_t number)
{
    pthread_mutex_lock(&in->lock);
    in->list.at[number]->face.container = true;
    pthread_mutex_unlock(&in->lock);
}

void inputs_count_bytes(struct inputs *in, uint32_t number, uint64_t bytes)
{
    pthread_mutex_lock(&in->lock);
    in->list.at[number]->face.bytes += bytes;
    pthread_mutex_unlock(&in->lock);
}

void inputs_count_events(struct inputs *in, uint32_t number, uint64_t events)
{
    pthread_mutex_lock(&in->lock);
    in->list.at[number]->face.events += events;
    pthread_mutex_unlock(&in->lock);
}
