/*
 * Where a command writes what it found: standard output, or a file that appears under its name only
 * when it is whole, so that what was there before stays when the work fails or is given up. Until
 * then the file has no name at all (O_TMPFILE), and nothing is left of it even after kill -9; where
 * the file system can't do that it is a hidden file beside it.
 *
 *     struct outfile out;
 *     if (outfile_open(&out, path, &err) != OK) ...        path NULL: standard output
 *     confine(... .write = &out.folder, .write_n = out.folder ? 1 : 0 ...);
 *     fprintf(out.file, ...);
 *     status = outfile_commit(&out, &err);   or   outfile_abandon(&out);
 */
#ifndef CLI_OUTFILE_H
#define CLI_OUTFILE_H

#include "base/error.h"

#include <stdbool.h>

struct outfile {
    FILE *file;
    const char *path; /* as given; NULL: standard output */
    char *folder;     /* what must stay writable; NULL when nothing need be */
    char
        *temporary; /* name beside it; NULL: written straight (standard output, a device, a pipe) */
    bool named;     /* the file has that name by now */
};

/* Whether writing to `output` would take the place of the file `path` ("-": standard input), by
 * whatever name. False when `output` is NULL or no regular file. */
bool outfile_replaces(const char *output, const char *path);

/* STATUS_SYSTEM when the file can't be made. A path that is there and no regular file (/dev/full, a
 * named pipe) is written straight. */
enum status outfile_open(struct outfile *out, const char *path, struct error *err);

/* Everything reaches the disk, the file gets its name. On failure it is as if abandoned. */
enum status outfile_commit(struct outfile *out, struct error *err);
void outfile_abandon(struct outfile *out);

/* Whether nobody reads standard output any more (`| head`): no reason for a complaint. */
bool reader_gone(void);

#endif
