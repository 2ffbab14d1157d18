#include "cli/data_folder.h"

#include "base/confine.h"
#include "store/io.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* ---- the passphrase ---- */

/* One line, into `out`; false when there is none or it is longer. */
static bool read_line(FILE *from, char out[PASSPHRASE_BYTES])
{
    if (!fgets(out, PASSPHRASE_BYTES, from))
        return false;
    size_t n = strcspn(out, "\r\n");
    bool whole = out[n] || n + 1 < PASSPHRASE_BYTES;
    out[n] = '\0';
    return whole;
}

static enum status first_line(const char *file, char out[PASSPHRASE_BYTES], struct error *err)
{
    FILE *from = fopen(file, "re");
    if (!from)
        return error_system(err, file, "can't open");
    setvbuf(from, NULL, _IONBF, 0); /* no copy of it stays in memory */
    enum status status = OK;
    if (!read_line(from, out) || !*out)
        status = error_set(err, STATUS_BAD_USE, file, 1, "the first line is no passphrase");
    fclose(from);
    return status;
}

/* One line from the terminal, which does not show it. */
static enum status ask(FILE *terminal, const char *question, char out[PASSPHRASE_BYTES],
                       struct error *err)
{
    struct termios before, silent;
    int fd = fileno(terminal);
    fprintf(terminal, "%s: ", question);
    fflush(terminal);
    if (tcgetattr(fd, &before) != 0)
        return error_system(err, "/dev/tty", "can't ask for the passphrase");
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(fd, TCSAFLUSH, &silent);
    bool answered = read_line(terminal, out);
    tcsetattr(fd, TCSAFLUSH, &before);
    fputc('\n', terminal);
    if (!answered)
        return error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET, "no passphrase was given");
    return OK;
}

enum status passphrase_read(const char *file, bool again, char out[PASSPHRASE_BYTES],
                            struct error *err)
{
    out[0] = '\0';
    if (file)
        return first_line(file, out, err);
    FILE *terminal = fopen("/dev/tty", "r+e");
    if (!terminal)
        return error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET,
                         "a passphrase is needed and there is no terminal to ask at; "
                         "--passphrase-file names a file that holds it");
    setvbuf(terminal, NULL, _IONBF, 0);
    char repeated[PASSPHRASE_BYTES] = "";
    enum status status = ask(terminal, _("Passphrase of the key"), out, err);
    if (status == OK && again)
        status = ask(terminal, _("The same again"), repeated, err);
    if (status == OK && again && strcmp(out, repeated) != 0)
        status = error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET,
                           "the two passphrases are not the same");
    if (status == OK && !*out)
        status = error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET, "the passphrase is empty");
    explicit_bzero(repeated, sizeof repeated);
    fclose(terminal);
    return status;
}

/* ---- the folder ---- */

static bool key_is_protected(const char *folder)
{
    char path[PATH_BYTES], *pem;
    size_t n;
    snprintf(path, sizeof path, "%s/seal.key", folder);
    if (io_read_file(&store_io_system, path, 1 << 16, &pem, &n, NULL) != OK)
        return false;
    bool is = slice_find(slice_of(pem, n), SLICE("ENCRYPTED")) >= 0;
    explicit_bzero(pem, n);
    free(pem);
    return is;
}

struct store *data_folder_open(const struct data_values *values, enum store_mode mode,
                               struct error *err)
{
    char passphrase[PASSPHRASE_BYTES];
    char *path = store_find(values->folder, err);
    if (!path)
        return NULL;
    bool secret = mode == STORE_WRITE && key_is_protected(path);
    struct store *s = NULL;
    if (!secret || passphrase_read(values->passphrase_file, false, passphrase, err) == OK)
        s = store_open(&store_io_system, path, mode, secret ? passphrase : NULL, err);
    explicit_bzero(passphrase, sizeof passphrase);
    free(path);
    return s;
}

struct store *data_folder_read(const struct data_values *values, enum store_mode mode,
                               const char *write, struct error *err)
{
    struct confine_report report;
    char *path = store_find(values->folder, err);
    if (!path)
        return NULL;
    struct confine_needs needs = {
        .read = (const char *const *)&path, .read_n = 1, .write = &write, .write_n = write ? 1 : 0};
    struct store *s = NULL;
    if (confine(&needs, &report, err) == OK) {
        if (report.landlock == 0)
            fprintf(stderr, "hikeshi: %s\n", report.warning);
        s = store_open(&store_io_system, path, mode, NULL, err);
    }
    free(path);
    return s;
}

void data_folder_user(char *out, size_t size)
{
    char host[256] = "?", room[4096];
    struct passwd entry, *user = NULL;
    gethostname(host, sizeof host - 1);
    if (getpwuid_r(getuid(), &entry, room, sizeof room, &user) == 0 && user)
        snprintf(out, size, "%s@%s", user->pw_name, host);
    else
        snprintf(out, size, "%ld@%s", (long)getuid(), host);
}

int data_folder_exit(enum status status)
{
    switch (status) {
    case OK:
        return EXIT_STATUS_CLEAN;
    case STATUS_INTERRUPTED:
        return EXIT_STATUS_INTERRUPTED;
    case STATUS_BAD_USE:
        return EXIT_STATUS_BAD_USE;
    default:
        return EXIT_STATUS_FAILED;
    }
}

enum status data_folder_not_written(const char *folder, const char *output, struct error *err)
{
    struct stat st;
    if (!output || stat(output, &st) != 0 || !S_ISREG(st.st_mode))
        return OK;
    char *file = realpath(output, NULL), *data = realpath(folder, NULL);
    size_t n = data ? strlen(data) : 0;
    bool inside = file && data && strncmp(file, data, n) == 0 && (n == 1 || file[n] == '/');
    free(file);
    free(data);
    if (!inside)
        return OK;
    return error_set(err, STATUS_BAD_USE, output, ERROR_NO_OFFSET,
                     "belongs to the data folder; it is not written over");
}
