#include "base/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum status file_read(const char *path, size_t most, struct arena *a, struct slice *out,
                      struct error *err)
{
    enum status s = OK;
    char *bytes = NULL;
    size_t n = 0, cap = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_system(err, path, "it can't be opened");
    struct stat st;
    if (fstat(fd, &st) == 0 && st.st_size > 0 && (size_t)st.st_size <= most)
        cap = (size_t)st.st_size;
    cap += 1; /* one more than is there, to see the end */
    bytes = xmalloc(cap);
    for (;;) {
        if (n == cap)
            bytes = xrealloc(bytes, cap *= 2, 1);
        ssize_t got = read(fd, bytes + n, cap - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            s = error_system(err, path, "it can't be read");
            goto out;
        }
        if (got == 0)
            break;
        n += (size_t)got;
        if (n > most) {
            s = error_set(err, STATUS_BAD_INPUT, path, ERROR_NO_OFFSET,
                          "it is larger than %zu bytes", most);
            goto out;
        }
    }
    *out = arena_slice(a, slice_of(bytes, n));
out:
    free(bytes);
    close(fd);
    return s;
}

static bool has_ending(const char *name, const char *const *endings)
{
    for (; *endings; endings++)
        if (slice_ends(slice_str(name), slice_str(*endings)))
            return true;
    return false;
}

static void add(struct file_list *list, const char *path)
{
    if (list->n == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 64;
        list->paths = xrealloc(list->paths, list->cap, sizeof *list->paths);
    }
    list->paths[list->n++] = path;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The paths of a folder's entries, sorted; the caller frees the list. */
static enum status entries(const char *path, struct arena *a, struct file_list *out,
                           struct error *err)
{
    DIR *dir = opendir(path);
    if (!dir)
        return error_system(err, path, "the folder can't be opened");
    const char *slash = slice_ends(slice_str(path), SLICE("/")) ? "" : "/";
    const struct dirent *entry;
    enum status s = OK;
    while (errno = 0, (entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            add(out, arena_printf(a, "%s%s%s", path, slash, entry->d_name).p);
    if (errno != 0)
        s = error_system(err, path, "the folder can't be read");
    closedir(dir);
    if (out->n)
        qsort(out->paths, out->n, sizeof *out->paths, by_name);
    return s;
}

/* Reading a pipe would wait for ever. A link that leads nowhere is told when it is opened. */
static bool may_be_file(const char *path)
{
    struct stat st;
    return stat(path, &st) != 0 || S_ISREG(st.st_mode);
}

static enum status walk(const char *path, const char *const *endings, int depth, struct arena *a,
                        struct file_list *out, struct error *err)
{
    if (depth > FOLDER_DEPTH)
        return error_set(err, STATUS_BAD_INPUT, path, ERROR_NO_OFFSET,
                         "folders are nested deeper than %d", FOLDER_DEPTH);
    struct file_list here = {0};
    enum status s = entries(path, a, &here, err);
    for (size_t i = 0; s == OK && i < here.n; i++) {
        struct stat st;
        if (lstat(here.paths[i], &st) == 0 && S_ISDIR(st.st_mode))
            s = walk(here.paths[i], endings, depth + 1, a, out, err);
        else if (has_ending(here.paths[i], endings) && may_be_file(here.paths[i]))
            add(out, here.paths[i]);
    }
    file_list_free(&here);
    return s;
}

enum status folder_list(const char *path, const char *const *endings, struct arena *a,
                        struct file_list *out, struct error *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return error_system(err, path, "it can't be opened");
    if (S_ISDIR(st.st_mode))
        return walk(path, endings, 1, a, out, err);
    add(out, arena_slice(a, slice_str(path)).p);
    return OK;
}

void file_list_free(struct file_list *list)
{
    free(list->paths);
    *list = (struct file_list){0};
}
