#include "cli/outfile.h"

#include "base/arena.h"
#include "base/locale.h"

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

/* A new file in the folder, without a name where that can be done and later changed; or -1. */
static int make(struct outfile *out)
{
    int fd = open(out->folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0) {
        char self[64];
        snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
        if (access(self, F_OK) == 0)
            return fd;
        close(fd); /* no /proc: it could never get a name */
    }
    fd = mkostemp(out->temporary, O_CLOEXEC);
    out->named = fd >= 0;
    return fd;
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
    int fd = make(out);
    if (fd < 0)
        return error_system(err, out->path, "can't make a file beside it");
    if (fchmod(fd, usual_mode()) != 0 || !(out->file = fdopen(fd, "w"))) {
        error_system(err, out->path, "can't be written");
        close(fd);
        return STATUS_SYSTEM;
    }
    return OK;
}

bool outfile_replaces(const char *output, const char *path)
{
    struct stat out, in;
    if (!output || stat(output, &out) != 0 || !S_ISREG(out.st_mode))
        return false;
    int found = strcmp(path, "-") == 0 ? fstat(STDIN_FILENO, &in) : stat(path, &in);
    return found == 0 && in.st_dev == out.st_dev && in.st_ino == out.st_ino;
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
    if (out->temporary && out->named)
        unlink(out->temporary);
    free(out->temporary);
    free(out->folder);
    *out = (struct outfile){0};
}

/* A file without a name gets one: `to`, unless there is a file of that name. */
static bool give_name(struct outfile *out, const char *to)
{
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fileno(out->file));
    return linkat(AT_FDCWD, self, AT_FDCWD, to, AT_SYMLINK_FOLLOW) == 0;
}

/* Under the name beside the path, so that it can take the place of a file that is there. */
static bool give_name_beside(struct outfile *out)
{
    enum { TRIES = 1000, LETTERS = 6 };
    char *end = out->temporary + strlen(out->temporary) - LETTERS;
    for (unsigned i = 0; i < TRIES && !out->named; i++) {
        snprintf(end, LETTERS + 1, "%06u", i);
        out->named = give_name(out, out->temporary);
        if (!out->named && errno != EEXIST)
            break;
    }
    return out->named;
}

/* The file gets the name that was asked for. */
static bool settle(struct outfile *out)
{
    if (!out->named && give_name(out, out->path))
        return true;
    if (!out->named && (errno != EEXIST || !give_name_beside(out)))
        return false;
    bool moved = rename(out->temporary, out->path) == 0;
    out->named = !moved;
    return moved;
}

enum status outfile_commit(struct outfile *out, struct error *err)
{
    enum status status = OK;
    if (fflush(out->file) != 0 || ferror(out->file) ||
        (out->temporary && fsync(fileno(out->file)) != 0))
        status =
            error_system(err, out->path ? out->path : _("standard output"), "can't be written");
    else if (out->temporary && !settle(out))
        status = error_system(err, out->path, "can't get its name");
    outfile_abandon(out);
    return status;
}

bool reader_gone(void)
{
    struct pollfd end = {.fd = STDOUT_FILENO};
    return poll(&end, 1, 0) == 1 && (end.revents & POLLERR);
}
