/*
 * Small files read whole, and the files of a folder: for rules, mappings and other things written
 * by people. Logs and evidence have their own readers (intake/).
 *
 *     struct slice text;
 *     if (file_read(path, 16 << 20, &arena, &text, &err) != OK) ...
 *     struct file_list list = {0};
 *     folder_list("rules", (const char *const[]){".yml", ".yaml", NULL}, &arena, &list, &err);
 *     for (size_t i = 0; i < list.n; i++) ... list.paths[i] ...
 *     file_list_free(&list);
 */
#ifndef BASE_FILES_H
#define BASE_FILES_H

#include "base/arena.h"
#include "base/error.h"

enum { FOLDER_DEPTH = 32 }; /* folders in folders */

/* All bytes of a file, in the arena, with a NUL behind the end. STATUS_BAD_INPUT when there are
 * more than `most`, STATUS_SYSTEM when it can't be read. */
enum status file_read(const char *path, size_t most, struct arena *a, struct slice *out,
                      struct error *err);

struct file_list {
    const char **paths; /* the texts are in the arena */
    size_t n, cap;
};

/* Adds the files at or below `path` whose names end in one of `endings` (a list ended by NULL), in
 * order of their names; names that begin with a dot are left out. When `path` is no folder it is
 * added itself, whatever its name. Symbolic links to folders are not followed below `path`,
 * and pipes, sockets and devices are left out there. */
enum status folder_list(const char *path, const char *const *endings, struct arena *a,
                        struct file_list *out, struct error *err);

void file_list_free(struct file_list *list);

#endif
