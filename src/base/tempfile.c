#include "base/tempfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static int open_in(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    char path[PATH_MAX]; /* a file system without O_TMPFILE */
    if (snprintf(path, sizeof path, "%s/hikeshi-XXXXXX", folder) >= (int)sizeof path)
        return -1;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

int tempfile_open(struct error *err)
{
    const char *folder = getenv("TMPDIR"); // NOLINT(concurrency-mt-unsafe): before threads start
    int fd = folder && *folder ? open_in(folder) : -1;
    if (fd < 0)
        fd = open_in("/tmp");
    if (fd < 0)
        fd = memfd_create("hikeshi", MFD_CLOEXEC);
    if (fd < 0)
        error_system(err, NULL, "can't make a temporary file");
    return fd;
}

enum status tempfile_write(int fd, struct slice bytes, uint64_t offset, struct error *err)
{
    while (bytes.n) {
        ssize_t n = pwrite(fd, bytes.p, bytes.n, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_system(err, "temporary file",
                                "can't write it; TMPDIR may name a folder with more room");
        offset += (uint64_t)n;
        bytes = slice_sub(bytes, (size_t)n, bytes.n);
    }
    return OK;
}
