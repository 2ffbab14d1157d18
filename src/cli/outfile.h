/*
 * Where a command writes what it found: standard output, or a file that appears under its name only
 * when it is whole. Until then it is a hidden file beside it, which goes away when the work fails
 * or is given up, so that what was there before stays.
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
    char *temporary;  /* NULL: written straight (standard output, a device, a pipe) */
};

/* STATUS_SYSTEM when the file can't be made. A path that is there and no regular file (/dev/full, a
 * named pipe) is written straight. */
enum status outfile_open(struct outfile *out, const char *path, struct error *err);

/* Everything reaches the disk, the file gets its name. On failure it is as if abandoned. */
enum status outfile_commit(struct outfile *out, struct error *err);
void outfile_abandon(struct outfile *out);

/* Whether nobody reads standard output any more (`| head`): no reason for a complaint. */
bool reader_gone(void);

#endif
