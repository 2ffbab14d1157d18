/* Finding, making, opening and closing a data folder; putting right what a crash left. */
#include "store/catalogue.h"
#include "store/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

void store_path(const struct store *s, char out[PATH_BYTES], const char *a, const char *b)
{
    snprintf(out, PATH_BYTES, "%s/%s%s%s", s->path, a, b ? "/" : "", b ? b : "");
}

static bool is_data_folder(const char *path)
{
    char journal[PATH_BYTES];
    int n = snprintf(journal, sizeof journal, "%s/" JOURNAL_NAME, path);
    return n < (int)sizeof journal && access(journal, F_OK) == 0;
}

char *store_find(const char *given, struct error *err)
{
    const char *variable = getenv("HIKESHI_DATA");
    char *path = NULL;
    if (!given && variable && *variable)
        given = variable;
    if (given) {
        if (is_data_folder(given))
            return strdup(given);
        error_set(err, STATUS_BAD_USE, given, ERROR_NO_OFFSET,
                  "this is no data folder; hikeshi init makes one");
        return NULL;
    }
    path = getcwd(NULL, 0);
    while (path && !is_data_folder(*path ? path : "/")) {
        char *slash = strrchr(path, '/');
        if (!slash || !*path) {
            free(path);
            path = NULL;
        } else {
            *slash = '\0';
        }
    }
    if (path && !*path) { /* the root itself */
        free(path);
        path = strdup("/");
    }
    if (!path)
        error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET,
                  "there is no data folder here or above; name one with --data or HIKESHI_DATA, or "
                  "make one with hikeshi init");
    return path;
}

/* ---- making ---- */

static enum status make_folder(const struct store_io *io, const char *path, struct error *err)
{
    if (io->mkdir(io->ctx, path, 0700) != 0 && errno != EEXIST)
        return error_system(err, path, "can't make the folder");
    return OK;
}

static enum status write_keys(struct store *s, const char *passphrase, struct error *err)
{
    char path[PATH_BYTES];
    struct buf pem = {0};
    enum status status = seal_key_write(s->key, passphrase, &pem, err);
    sha256(buf_slice(&pem), &s->key_sha256);
    store_path(s, path, "seal.key", NULL);
    if (status == OK)
        status = io_replace_file(s->io, path, buf_slice(&pem), 0600, err);
    if (pem.n)
        explicit_bzero(pem.p, pem.n);
    buf_clear(&pem);
    store_path(s, path, "seal.pub", NULL);
    if (status == OK)
        status = seal_public_write(s->key, &pem, err);
    if (status == OK)
        status = io_replace_file(s->io, path, buf_slice(&pem), 0644, err);
    buf_free(&pem);
    return status;
}

/* The folder itself must be there after a loss of power, too. Who may not open the one above it has
 * to do without. */
static void sync_above(const struct store_io *io, const char *path)
{
    char above[PATH_BYTES];
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    while (n > 0 && path[n - 1] != '/')
        n--;
    snprintf(above, sizeof above, "%.*s", n ? (int)n : 1, n ? path : ".");
    io_sync_folder(io, above, NULL);
}

/* The journal with its first transaction appears last and whole: it makes the folder a data folder. */
static enum status write_first_journal(struct store *s, timestamp now, struct error *err)
{
    char path[PATH_BYTES], new_path[PATH_BYTES];
    struct buf entry = {0};
    bool unsure;
    store_path(s, path, JOURNAL_NAME, NULL);
    store_path(s, new_path, JOURNAL_NAME ".new", NULL);
    int fd = s->io->open(s->io->ctx, new_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0)
        return error_system(err, new_path, "can't make the file");
    s->journal.path = strdup(new_path);
    entry_folder(&entry, s->key, &s->key_sha256, now);
    struct slice line = buf_slice(&entry);
    enum status status = journal_append(s->io, fd, &s->journal, &line, 1, s->key, &unsure, err);
    buf_free(&entry);
    s->io->close(s->io->ctx, fd);
    if (status == OK && s->io->rename(s->io->ctx, new_path, path) != 0)
        status = error_system(err, path, "can't put the file in place");
    if (status == OK)
        status = io_sync_folder(s->io, s->path, err);
    return status;
}

enum status store_init(const struct store_io *io, const char *path, const char *passphrase,
                       timestamp now, struct error *err)
{
    static const char *const folders[] = {"segments", "originals", "aside"};
    char sub[PATH_BYTES];
    struct store s = {.io = io, .path = path};
    if (strlen(path) > PATH_BYTES - 256)
        return error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET, "the path is too long");
    store_path(&s, sub, JOURNAL_NAME, NULL);
    int fd = io->open(io->ctx, sub, O_RDONLY, 0);
    if (fd >= 0) {
        io->close(io->ctx, fd);
        return error_set(err, STATUS_BAD_USE, path, ERROR_NO_OFFSET,
                         "there is a data folder already");
    }
    enum status status = make_folder(io, path, err);
    for (size_t i = 0; status == OK && i < sizeof folders / sizeof *folders; i++) {
        store_path(&s, sub, folders[i], NULL);
        status = make_folder(io, sub, err);
    }
    if (status == OK && !(s.key = seal_key_make(err)))
        status = err ? err->status : STATUS_SYSTEM;
    if (status == OK)
        status = write_keys(&s, passphrase, err);
    if (status == OK)
        status = write_first_journal(&s, now, err);
    if (status == OK)
        sync_above(io, path);
    seal_key_free(s.key);
    journal_free(&s.journal);
    return status;
}

/* ---- opening ---- */

/* Bytes behind the last checkpoint: a transaction that never ended. They are kept, then cut off. */
static enum status cut_tail(struct store *s, struct error *err)
{
    char name[64], path[PATH_BYTES];
    if (s->journal.tail.n == 0)
        return OK;
    snprintf(name, sizeof name, "journal-%llu", (unsigned long long)s->journal.bytes);
    store_path(s, path, "aside", name);
    enum status status = io_replace_file(s->io, path, s->journal.tail, 0600, err);
    store_path(s, path, "aside", NULL);
    if (status == OK)
        status = io_sync_folder(s->io, path, err);
    if (status == OK && s->io->truncate(s->io->ctx, s->journal_fd, (off_t)s->journal.bytes) != 0)
        status = error_system(err, s->journal.path, "can't be cut to its last checkpoint");
    if (status == OK && s->io->sync(s->io->ctx, s->journal_fd) != 0)
        status = error_system(err, s->journal.path, "can't write to the disk");
    s->set_aside++;
    return status;
}

struct names {
    struct arena arena;
    struct {
        const char **at;
        size_t n, cap;
    } list;
};

static void add_name(void *to, const char *name)
{
    struct names *names = to;
    if (names->list.n == names->list.cap) {
        names->list.cap = names->list.cap ? names->list.cap * 2 : 64;
        names->list.at = xrealloc(names->list.at, names->list.cap, sizeof *names->list.at);
    }
    names->list.at[names->list.n++] = arena_slice(&names->arena, slice_str(name)).p;
}

static bool list(struct store *s, const char *folder, struct names *names, struct error *err)
{
    char path[PATH_BYTES];
    names->list.n = 0;
    store_path(s, path, folder, NULL);
    if (s->io->list(s->io->ctx, path, add_name, names) == 0)
        return true;
    error_system(err, path, "can't list the folder");
    return false;
}

/* Whether a file is what the journal says is there; *gone: it was, and is to go. */
static bool is_known_segment(const struct store *s, const char *name, bool *gone)
{
    for (size_t i = 0; i < s->segments_n; i++) {
        if (!slice_equal(s->segments[i].name, slice_str(name)))
            continue;
        if (!s->segments[i].gone)
            return true;
        *gone = true;
    }
    return false;
}

/* The same for originals. */
static bool is_known_original(const struct store *s, const char *name, bool *gone)
{
    struct hash h = {0};
    struct buf again = {0};
    for (size_t i = 0; i < HASH_BYTES && name[2 * i] && name[2 * i + 1]; i++) {
        char pair[3] = {name[2 * i], name[2 * i + 1], '\0'};
        h.bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    put_hex(&again, slice_of(h.bytes, HASH_BYTES));
    buf_add(&again, SLICE(".zst"));
    const struct store_file *file =
        slice_equal(buf_slice(&again), slice_str(name)) ? store_file(s, &h) : NULL;
    for (size_t i = 0; !file && i < s->files_n; i++)
        *gone |= s->files[i].expired && memcmp(&s->files[i].sha256, &h, sizeof h) == 0;
    buf_free(&again);
    return file && file->kept;
}

/* A file that the journal does not have. Half written ones (.new) and what is gone go; a whole one
 * that no entry names is moved aside, since it may be all that is left of something. */
static enum status put_right(struct store *s, const char *folder, const char *name, bool gone,
                             struct error *err)
{
    char path[PATH_BYTES], to[PATH_BYTES], as[300];
    store_path(s, path, folder, name);
    if (gone || slice_ends(slice_str(name), SLICE(".new"))) {
        if (s->io->unlink(s->io->ctx, path) != 0)
            return error_system(err, path, "can't be removed");
        return OK;
    }
    snprintf(as, sizeof as, "%llu-%s", (unsigned long long)s->journal.entries.n, name);
    store_path(s, to, "aside", as);
    if (s->io->rename(s->io->ctx, path, to) != 0)
        return error_system(err, path, "can't be moved aside");
    s->set_aside++;
    store_path(s, path, folder, NULL);
    store_path(s, to, "aside", NULL);
    enum status status = io_sync_folder(s->io, path, err);
    return status == OK ? io_sync_folder(s->io, to, err) : status;
}

static enum status put_segments_right(struct store *s, struct names *names, struct error *err)
{
    if (!list(s, "segments", names, err))
        return STATUS_SYSTEM;
    for (size_t i = 0; i < names->list.n; i++) {
        const char *name = names->list.at[i];
        bool gone = false;
        if (is_known_segment(s, name, &gone))
            continue;
        enum status status = put_right(s, "segments", name, gone, err);
        if (status != OK)
            return status;
    }
    return OK;
}

static enum status put_originals_right(struct store *s, struct names *names, struct error *err)
{
    enum status status = OK;
    struct names inside = {0};
    if (!list(s, "originals", names, err))
        return STATUS_SYSTEM;
    for (size_t i = 0; status == OK && i < names->list.n; i++) {
        char folder[300];
        snprintf(folder, sizeof folder, "originals/%s", names->list.at[i]);
        inside.list.n = 0;
        if (strlen(names->list.at[i]) != 2) /* no folder of ours */
            status = put_right(s, "originals", names->list.at[i], false, err);
        else if (!list(s, folder, &inside, err))
            status = STATUS_SYSTEM;
        for (size_t k = 0; status == OK && k < inside.list.n; k++) {
            bool gone = false;
            if (!is_known_original(s, inside.list.at[k], &gone))
                status = put_right(s, folder, inside.list.at[k], gone, err);
        }
        arena_reset(&inside.arena);
    }
    free(inside.list.at);
    arena_free(&inside.arena);
    return status;
}

static enum status put_all_right(struct store *s, struct error *err)
{
    struct names names = {0};
    enum status status = put_segments_right(s, &names, err);
    if (status == OK)
        status = put_originals_right(s, &names, err);
    free(names.list.at);
    arena_free(&names.arena);
    return status;
}

static enum status load(struct store *s, struct error *err)
{
    char path[PATH_BYTES];
    store_path(s, path, JOURNAL_NAME, NULL);
    enum status status = journal_load(s->io, path, &s->journal, err);
    if (status == OK && s->journal.entries.n == 0)
        status = error_set(err, STATUS_BAD_INPUT, path, 1, "the journal has no checkpoint");
    for (uint64_t i = 0; status == OK && i < s->journal.entries.n; i++)
        status = entry_apply(s, i, err);
    struct checkpoint last;
    if (status == OK &&
        !checkpoint_verify(s->key, s->journal.marks.at[s->journal.marks.n - 1].note, &last))
        status =
            error_set(err, STATUS_BAD_INPUT, path, s->journal.marks.at[s->journal.marks.n - 1].line,
                      "the last checkpoint's signature is wrong");
    return status;
}

static enum status take_lock(struct store *s, struct error *err)
{
    char path[PATH_BYTES];
    store_path(s, path, "lock", NULL);
    s->lock = s->io->open(s->io->ctx, path, O_RDWR | O_CREAT, 0600);
    if (s->lock < 0)
        return error_system(err, path, "can't open");
    if (s->io->lock(s->io->ctx, s->lock) == 0)
        return OK;
    if (errno == EWOULDBLOCK)
        return error_set(
            err, STATUS_BAD_USE, s->path, ERROR_NO_OFFSET,
            "another hikeshi is writing in this data folder; try again when it is done");
    return error_system(err, path, "can't lock");
}

static enum status load_key(struct store *s, const char *passphrase, struct error *err)
{
    char path[PATH_BYTES], ours[SEAL_KEY_TEXT], theirs[SEAL_KEY_TEXT], *pem;
    size_t n;
    store_path(s, path, "seal.key", NULL);
    enum status status = io_read_file(s->io, path, 1 << 16, &pem, &n, err);
    if (status != OK)
        return status;
    struct error why = {0};
    struct seal_key *key =
        seal_key_read(slice_of(pem, n), seal_origin(s->key), passphrase, path, &why);
    explicit_bzero(pem, n);
    free(pem);
    if (!key) {
        if (err)
            *err = why;
        return why.status;
    }
    seal_verifier(key, ours);
    seal_verifier(s->key, theirs);
    if (strcmp(ours, theirs) != 0) {
        seal_key_free(key);
        return error_set(err, STATUS_BAD_INPUT, path, ERROR_NO_OFFSET,
                         "this is not the key that the journal begins with");
    }
    seal_key_free(s->key);
    s->key = key;
    return OK;
}

static enum status open_writer(struct store *s, const char *passphrase, struct error *err)
{
    char path[PATH_BYTES];
    enum status status = load(s, err);
    if (status == OK)
        status = load_key(s, passphrase, err);
    if (status != OK)
        return status;
    store_path(s, path, JOURNAL_NAME, NULL);
    s->journal_fd = s->io->open(s->io->ctx, path, O_WRONLY | O_APPEND, 0);
    if (s->journal_fd < 0)
        return error_system(err, path, "can't open");
    s->entries_before = s->journal.entries.n;
    store_path(s, path, CATALOGUE_NAME ".new", NULL);
    s->io->unlink(s->io->ctx, path);
    status = cut_tail(s, err);
    return status == OK ? put_all_right(s, err) : status;
}

void store_forget(struct store *s)
{
    free(s->segments);
    free(s->files);
    free(s->retains.at);
    free(s->holds.at);
    free(s->stamps.at);
    map_free(&s->by_sha256);
    map_free(&s->by_head);
    journal_free(&s->journal);
    seal_key_free(s->key);
    arena_free(&s->arena);
}

static void forget(struct store *s)
{
    for (size_t i = 0; i < s->segments_n; i++)
        segment_close(s->segments[i].open);
    store_forget(s);
}

static struct store *new_store(const struct store_io *io, const char *path, enum store_mode mode)
{
    struct store *s = xcalloc(1, sizeof *s);
    s->io = io;
    s->mode = mode;
    s->lock = s->journal_fd = -1;
    s->path = arena_slice(&s->arena, slice_str(path)).p;
    return s;
}

/* A reader keeps all segments open, since a writer may take them away; the usual limit of open files is
 * for fewer. */
static void allow_open_files(const struct store *s)
{
    struct rlimit limit;
    rlim_t wanted = 256; /* for all else */
    for (size_t i = 0; i < s->segments_n; i++)
        wanted += !s->segments[i].gone;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* A merge may take segments away between reading the journal and opening them: then it is read
 * again. *again tells so. */
static enum status open_reader(struct store *s, bool *again, struct error *err)
{
    enum status status = load(s, err);
    *again = false;
    if (status == OK && s->mode == STORE_READ)
        allow_open_files(s);
    for (size_t i = 0; status == OK && s->mode == STORE_READ && i < s->segments_n; i++) {
        if (s->segments[i].gone || store_segment(s, i, err))
            continue;
        *again = errno == ENOENT;
        status = err ? err->status : STATUS_SYSTEM;
    }
    return status;
}

struct store *store_open(const struct store_io *io, const char *path, enum store_mode mode,
                         const char *passphrase, struct error *err)
{
    enum { TRIES = 8 };
    struct error own;
    if (!err)
        err = &own;
    if (strlen(path) > PATH_BYTES - 300) {
        error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET, "the path is too long");
        return NULL;
    }
    bool again = true;
    for (int tries = 0; again && tries < TRIES; tries++) {
        struct store *s = new_store(io, path, mode);
        enum status status;
        if (mode != STORE_WRITE) {
            status = open_reader(s, &again, err);
        } else {
            again = false;
            status = take_lock(s, err);
            if (status == OK)
                status = open_writer(s, passphrase, err);
        }
        if (status == OK)
            return s;
        store_close(s);
    }
    return NULL;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    store_abandon(s);
    if (s->mode == STORE_WRITE && !s->broken && s->journal.entries.n > s->entries_before)
        catalogue_update(s, NULL); /* if that fails it is as good as before */
    if (s->journal_fd >= 0)
        s->io->close(s->io->ctx, s->journal_fd);
    if (s->lock >= 0)
        s->io->close(s->io->ctx, s->lock);
    forget(s);
    free(s);
}

struct segment *store_segment(struct store *s, size_t number, struct error *err)
{
    struct store_segment *seg = &s->segments[number];
    if (!seg->open) {
        char path[PATH_BYTES];
        store_path(s, path, "segments", seg->name.p);
        seg->open = segment_open(s->io, path, err);
    }
    return seg->open;
}

const struct store_file *store_file(const struct store *s, const struct hash *sha256)
{
    const uint32_t *first = map_get(&s->by_sha256, slice_of(sha256->bytes, HASH_BYTES));
    return first && !s->files[*first - 1].expired ? &s->files[*first - 1] : NULL;
}
