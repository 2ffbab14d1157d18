#include "cli/outfile.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER_BYTES = 256 << 10 };

static char *text_copy(const char *text, size_t n)
{
    char *copy = xmalloc(n + 1);
    memcpy(copy, text, n);
    copy[n] = '\0';
    return copy;
}

/* The mode that a new file would get. */
static mode_t usual_mode(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

static enum status open_beside(struct outfile *out, struct error *err)
{
    const char *slash = strrchr(out->path, '/');
    const char *name = slash ? slash + 1 : out->path;
    size_t folder_n = slash ? (size_t)(slash - out->path) : 0;
    if (!*name)
        return error_set(err, STATUS_BAD_USE, out->path, ERROR_NO_OFFSET, "is no name of a file");
    out->folder =
        slash ? text_copy(folder_n ? out->path : "/", folder_n ? folder_n : 1) : text_copy(".", 1);
    size_t room = strlen(out->path) + sizeof "/..XXXXXX";
    out->temporary = xmalloc(room);
    snprintf(out->temporary, room, "%.*s.%s.XXXXXX", (int)(name - out->path), out->path, name);
    int fd = mkostemp(out->temporary, O_CLOEXEC);
    if (fd < 0) {
        error_system(err, out->path, "can't make a file beside it");
        free(out->temporary);
        out->temporary = NULL;
        return STATUS_SYSTEM;
    }
    if (fchmod(fd, usual_mode()) != 0 || !(out->file = fdopen(fd, "w"))) {
        error_system(err, out->path, "can't be written");
        close(fd);
        return STATUS_SYSTEM;
    }
    return OK;
}

enum status outfile_open(struct outfile *out, const char *path, struct error *err)
{
    struct stat st;
    enum status status = OK;
    *out = (struct outfile){.path = path};
    if (!path)
        out->file = stdout;
    else if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        status = error_set(err, STATUS_BAD_USE, path, ERROR_NO_OFFSET, "is a folder");
    else if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        if (!(out->file = fopen(path, "we")))
            status = error_system(err, path, "can't be written");
    } else
        status = open_beside(out, err);
    if (status != OK)
        outfile_abandon(out);
    else if (path)
        setvbuf(out->file, NULL, _IOFBF, BUFFER_BYTES);
    return status;
}

void outfile_abandon(struct outfile *out)
{
    if (out->file && out->path)
        fclose(out->file);
    if (out->temporary)
        unlink(out->temporary);
    free(out->temporary);
    free(out->folder);
    *out = (struct outfile){0};
}

enum status outfile_commit(struct outfile *out, struct error *err)
{
    enum status status = OK;
    if (fflush(out->file) != 0 || ferror(out->file) ||
        (out->temporary && fsync(fileno(out->file)) != 0))
        status = error_system(err, out->path ? out->path : "standard output", "can't be written");
    else if (out->temporary && rename(out->temporary, out->path) != 0)
        status = error_system(err, out->path, "can't get its name");
    if (status == OK) { /* the hidden file is no more */
        free(out->temporary);
        out->temporary = NULL;
    }
    outfile_abandon(out);
    return status;
}

bool reader_gone(void)
{
    struct pollfd end = {.fd = STDOUT_FILENO};
    return poll(&end, 1, 0) == 1 && (end.revents & POLLERR);
}
