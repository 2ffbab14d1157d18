#include "store/verify.h"

#include "base/vec.h"
#include "store/catalogue.h"
#include "store/original.h"
#include "store/stamp.h"
#include "store/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* ---- one segment ---- */

static enum status hash_segment(const struct store *s, int fd, const char *path, uint64_t bytes,
                                uint8_t digest[HASH_BYTES], struct error *err)
{
    enum { CHUNK = 1 << 20 };
    char *chunk = xmalloc(CHUNK);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;
    enum status status = OK;
    for (uint64_t at = 0; good && status == OK && at < bytes;) {
        size_t n = bytes - at < CHUNK ? (size_t)(bytes - at) : CHUNK;
        status = io_read(s->io, fd, path, at, chunk, n, err);
        good = status != OK || EVP_DigestUpdate(ctx, chunk, n) == 1;
        at += n;
    }
    if (!good || (status == OK && EVP_DigestFinal_ex(ctx, digest, NULL) != 1))
        status = error_set(err, STATUS_SYSTEM, path, ERROR_NO_OFFSET, "can't hash");
    EVP_MD_CTX_free(ctx);
    free(chunk);
    return status;
}

/* What is wrong in a segment whose hash is: the first part whose own checksum says so. */
static enum status find_damage(const struct store *s, const char *path, struct error *err)
{
    struct segment *seg = segment_open(s->io, path, err);
    if (!seg)
        return err->status;
    struct segment_reader *r = segment_reader_new(false);
    enum status status = segment_check(seg, r, err);
    segment_reader_free(r);
    segment_close(seg);
    if (status == OK)
        status =
            error_set(err, STATUS_BAD_INPUT, path, ERROR_NO_OFFSET,
                      "the segment is another than the one that was sealed: its SHA-256 differs");
    return status;
}

enum status verify_segment(const struct store *s, const struct store_segment *seg,
                           struct error *err)
{
    char path[PATH_BYTES];
    uint8_t digest[HASH_BYTES] = {0};
    struct error own;
    if (!err)
        err = &own;
    store_path(s, path, "segments", seg->name.p);
    int fd = s->io->open(s->io->ctx, path, O_RDONLY, 0);
    if (fd < 0)
        return errno == ENOENT ? error_set(err, STATUS_BAD_INPUT, path, ERROR_NO_OFFSET,
                                           "the segment is missing")
                               : error_system(err, path, "can't open the segment");
    off_t size = s->io->size(s->io->ctx, fd);
    enum status status = OK;
    if (size < 0)
        status = error_system(err, path, "can't read");
    else if ((uint64_t)size != seg->told.bytes)
        status = error_set(err, STATUS_BAD_INPUT, path, ERROR_NO_OFFSET,
                           "the segment has %jd bytes; %llu were sealed", (intmax_t)size,
                           (unsigned long long)seg->told.bytes);
    else
        status = hash_segment(s, fd, path, seg->told.bytes, digest, err);
    s->io->close(s->io->ctx, fd);
    if (status == OK && memcmp(digest, seg->told.sha256, sizeof digest) != 0)
        status = find_damage(s, path, err);
    return status;
}

/* ---- the whole folder ---- */

struct verifying {
    struct store s;
    const struct verify_options *options;
    verify_say *say;
    void *ctx;
    struct verify_counts *counts;
    struct error err;     /* to say */
    struct map known;     /* files by their path in the folder */
    bool broken;          /* the journal: what stands behind is not known */
    uint64_t done, total; /* bytes looked at */
    const char *folder;   /* that is being listed; NULL: the data folder itself */
    struct arena listed;
    struct {
        const char **at;
        size_t n, cap;
    } list;
};

static void wrong(struct verifying *v)
{
    v->counts->wrong++;
    v->say(v->ctx, &v->err);
}

static void note(struct verifying *v, const char *where, const char *what)
{
    error_set(&v->err, OK, where, ERROR_NO_OFFSET, "%s", what);
    v->counts->notes++;
    v->say(v->ctx, &v->err);
}

static bool stopped(const struct verifying *v)
{
    return v->options->stop && *v->options->stop;
}

static void looked_at(struct verifying *v, uint64_t bytes)
{
    v->done += bytes;
    if (v->options->progress)
        v->options->progress(v->ctx, v->done, v->total);
}

static void know(struct verifying *v, const char *path)
{
    bool is_new;
    map_put(&v->known, slice_str(path), &is_new);
}

/* The journal as far as it is whole, its entries, every signature. */
static void verify_journal(struct verifying *v)
{
    char path[PATH_BYTES];
    struct store *s = &v->s;
    struct checkpoint c;
    store_path(s, path, JOURNAL_NAME, NULL);
    if (journal_load(s->io, path, &s->journal, &v->err) != OK) {
        v->broken = true;
        wrong(v);
    }
    for (uint64_t i = 0; i < s->journal.entries.n; i++)
        if (entry_apply(s, i, &v->err) != OK)
            wrong(v);
    v->counts->entries = s->journal.entries.n;
    looked_at(v, s->journal.bytes);
    for (size_t i = 0; s->key && i < s->journal.marks.n && !stopped(v); i++) {
        const struct journal_mark *mark = &s->journal.marks.at[i];
        v->counts->checkpoints++;
        if (checkpoint_verify(s->key, mark->note, &c)) {
            v->counts->last = mark->note;
            continue;
        }
        error_set(&v->err, STATUS_BAD_INPUT, path, mark->line,
                  "the checkpoint's signature is wrong");
        wrong(v);
    }
}

static void verify_against(struct verifying *v)
{
    struct store *s = &v->s;
    struct checkpoint c;
    struct hash root = {0};
    char ours[SEAL_KEY_TEXT] = "none";
    if (s->key)
        seal_verifier(s->key, ours);
    if (v->options->key.p && !slice_equal(slice_trim(v->options->key), slice_str(ours))) {
        error_set(&v->err, STATUS_BAD_INPUT, s->path, ERROR_NO_OFFSET,
                  "the folder is sealed with another key: %s", ours);
        wrong(v);
    }
    if (!v->options->against.p)
        return;
    if (!s->key || !checkpoint_verify(s->key, v->options->against, &c)) {
        error_set(&v->err, STATUS_BAD_INPUT, s->path, ERROR_NO_OFFSET,
                  "the checkpoint to compare with is not signed with this folder's key");
        wrong(v);
        return;
    }
    if (c.size <= s->journal.tree.n)
        merkle_root_at(&s->journal.tree, c.size, &root);
    if (c.size > s->journal.tree.n || memcmp(&root, &c.root, sizeof root) != 0) {
        error_set(&v->err, STATUS_BAD_INPUT, s->path, ERROR_NO_OFFSET,
                  "the journal does not continue the checkpoint to compare with (%llu entries): "
                  "entries were altered or taken out",
                  (unsigned long long)c.size);
        wrong(v);
    }
}

static void verify_public_key(struct verifying *v)
{
    char path[PATH_BYTES], *pem = NULL;
    size_t n = 0;
    struct buf ours = {0};
    const struct store *s = &v->s;
    store_path(s, path, "seal.pub", NULL);
    bool read = seal_public_write(s->key, &ours, &v->err) == OK &&
                io_read_file(s->io, path, 1 << 16, &pem, &n, &v->err) == OK;
    if (read && !slice_equal(buf_slice(&ours), slice_of(pem, n)))
        error_set(&v->err, STATUS_BAD_INPUT, path, ERROR_NO_OFFSET,
                  "this is not the key that the journal begins with");
    if (!read || !slice_equal(buf_slice(&ours), slice_of(pem, n)))
        wrong(v);
    buf_free(&ours);
    free(pem);
}

/* The private half as `init` wrote it. Who only reads need not have it, nor be allowed to read it. */
static void verify_private_key(struct verifying *v)
{
    char path[PATH_BYTES], *pem = NULL;
    size_t n = 0;
    struct hash found;
    const struct store *s = &v->s;
    store_path(s, path, "seal.key", NULL);
    int fd = s->io->open(s->io->ctx, path, O_RDONLY, 0);
    if (fd < 0) {
        note(v, path,
             errno == ENOENT ? "the key that seals is not here: nothing can be added to this folder"
                             : "the key that seals may not be read, and was not checked");
        return;
    }
    s->io->close(s->io->ctx, fd);
    if (io_read_file(s->io, path, 1 << 16, &pem, &n, &v->err) != OK) {
        wrong(v);
        return;
    }
    sha256(slice_of(pem, n), &found);
    explicit_bzero(pem, n);
    free(pem);
    if (memcmp(&found, &s->key_sha256, sizeof found) == 0)
        return;
    error_set(&v->err, STATUS_BAD_INPUT, path, ERROR_NO_OFFSET,
              "this is not the key that the journal begins with, or it was altered");
    wrong(v);
}

/* A writer may take away what the journal named when it was read: then the journal has grown. */
static bool moved_on(const struct verifying *v)
{
    const struct store *s = &v->s;
    int fd = s->io->open(s->io->ctx, s->journal.path, O_RDONLY, 0);
    if (fd < 0)
        return false;
    off_t size = s->io->size(s->io->ctx, fd);
    s->io->close(s->io->ctx, fd);
    return size > 0 && (uint64_t)size > s->journal.bytes + s->journal.tail.n;
}

/* What was found at a file that an entry names. */
static void judge(struct verifying *v, enum status status)
{
    if (status == OK)
        return;
    if (moved_on(v))
        note(v, v->err.where, "the folder changed while it was checked; check again");
    else
        wrong(v);
}

/* ---- files, on several threads ---- */

/* A file to look at: a segment or an original. */
struct task {
    const struct store_segment *segment;
    const struct store_file *original;
};

struct work {
    struct verifying *v;
    struct task *at;
    size_t n, cap;
    atomic_size_t next;
    pthread_mutex_t lock; /* over v */
};

static void *work_on(void *to)
{
    struct work *w = to;
    struct verifying *v = w->v;
    for (size_t i; !stopped(v) && (i = atomic_fetch_add(&w->next, 1)) < w->n;) {
        const struct task *task = &w->at[i];
        struct error err = {0};
        enum status status = task->segment ? verify_segment(&v->s, task->segment, &err)
                                           : original_check(&v->s, task->original, &err);
        pthread_mutex_lock(&w->lock);
        v->err = err;
        judge(v, status);
        looked_at(v, task->segment ? task->segment->told.bytes : task->original->kept_bytes);
        pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

/* In the data folder. */
static const char *path_inside(const struct store *s, const char *path)
{
    return path + strlen(s->path) + 1;
}

static void list_segments(struct verifying *v, struct work *w)
{
    char path[64];
    for (size_t i = 0; i < v->s.segments_n; i++) {
        const struct store_segment *seg = &v->s.segments[i];
        if (seg->gone)
            continue;
        snprintf(path, sizeof path, "segments/%.*s", SLICE_ARG(seg->name));
        know(v, path);
        v->counts->segments++;
        v->counts->events += seg->told.events;
        v->counts->bytes += seg->told.bytes;
        *VEC_PUSH(*w) = (struct task){.segment = seg};
    }
}

static void list_originals(struct verifying *v, struct work *w)
{
    const struct store *s = &v->s;
    char path[PATH_BYTES];
    for (size_t i = 0; i < s->files_n; i++) {
        if (!s->files[i].kept || s->files[i].expired)
            continue;
        original_path(s, &s->files[i].sha256, path);
        if (map_get(&v->known, slice_str(path_inside(s, path))))
            continue;
        know(v, path_inside(s, path));
        v->counts->originals++;
        v->counts->bytes += s->files[i].kept_bytes;
        *VEC_PUSH(*w) = (struct task){.original = &s->files[i]};
    }
}

static void verify_files(struct verifying *v)
{
    enum { THREADS = 64 };
    pthread_t threads[THREADS];
    unsigned n = 0, wanted = v->options->threads < THREADS ? v->options->threads : THREADS;
    struct work w = {.v = v, .lock = PTHREAD_MUTEX_INITIALIZER};
    list_segments(v, &w);
    list_originals(v, &w);
    while (n + 1 < wanted && pthread_create(&threads[n], NULL, work_on, &w) == 0)
        n++;
    work_on(&w);
    while (n > 0)
        pthread_join(threads[--n], NULL);
    free(w.at);
}

/* Timestamps are over the checkpoints that they say; their signatures need somebody to trust. */
static void verify_stamps(struct verifying *v)
{
    struct store *s = &v->s;
    for (size_t i = 0; i < s->stamps.n && !stopped(v); i++) {
        const struct store_stamp *stamp = &s->stamps.at[i];
        const struct slice *ca = v->options->tsa_ca.p ? &v->options->tsa_ca : NULL;
        struct stamp_told told;
        char when[TIMESTAMP_TEXT], text[512];
        if (stamp_check(stamp->response, stamp_note(s, stamp), ca, NULL, &told, &v->err) != OK) {
            struct error why = v->err;
            error_set(&v->err, STATUS_BAD_INPUT, s->journal.path, s->journal.lines.at[stamp->entry],
                      "%s", why.what);
            wrong(v);
            continue;
        }
        timestamp_text(told.at, 0, when);
        snprintf(text, sizeof text, "timestamp of %s over the first %llu entries%s%s%s", when,
                 (unsigned long long)stamp->size, *told.authority ? ", by " : "", told.authority,
                 ca ? "" : "; its signature was not checked (--tsa-ca)");
        note(v, s->journal.path, text);
    }
}

/* ---- what nobody knows ---- */

static void add_name(void *to, const char *name)
{
    struct verifying *v = to;
    *VEC_PUSH(v->list) = v->folder ? arena_printf(&v->listed, "%s/%s", v->folder, name).p
                                   : arena_slice(&v->listed, slice_str(name)).p;
}

/* Adds what is in a folder to the list. */
static void list_folder(struct verifying *v, const char *folder)
{
    char path[PATH_BYTES];
    v->folder = folder;
    if (folder)
        store_path(&v->s, path, folder, NULL);
    else
        snprintf(path, sizeof path, "%s", v->s.path);
    if (v->s.io->list(v->s.io->ctx, path, add_name, v) == 0)
        return;
    error_system(&v->err, path, "can't list the folder");
    wrong(v);
}

/* Whether a writer is at work, who makes files before the journal names them. */
static bool is_busy(const struct store *s)
{
    char path[PATH_BYTES];
    store_path(s, path, "lock", NULL);
    int fd = s->io->open(s->io->ctx, path, O_RDONLY, 0);
    if (fd < 0)
        return false;
    bool busy = s->io->lock(s->io->ctx, fd) != 0;
    s->io->close(s->io->ctx, fd);
    return busy;
}

static void verify_lock(struct verifying *v)
{
    char path[PATH_BYTES];
    const struct store *s = &v->s;
    store_path(s, path, "lock", NULL);
    int fd = s->io->open(s->io->ctx, path, O_RDONLY, 0);
    if (fd < 0)
        return; /* no writer has been here yet */
    if (s->io->size(s->io->ctx, fd) != 0) {
        error_set(&v->err, STATUS_BAD_INPUT, path, 0, "the file has content; it never has any");
        wrong(v);
    }
    s->io->close(s->io->ctx, fd);
}

static bool is_folder_of_ours(const char *path)
{
    return strcmp(path, "segments") == 0 || strcmp(path, "originals") == 0 ||
           strcmp(path, "aside") == 0 ||
           (strlen(path) == strlen("originals/ab") && strncmp(path, "originals/", 10) == 0);
}

/* What a data folder may hold beside the evidence, and what is said of it; NULL: nothing. */
struct aside {
    const char *name, *note;
};
static const struct aside beside[] = {
    {"casebook.db", "findings are not sealed, and were not checked"},
    {"casebook.db-wal", NULL},
    {"casebook.db-shm", NULL},
    {"casebook.db-journal", NULL},
    {"incoming", "came through a pipe that broke off; the next intake takes it in"},
    {"incoming.part", NULL},
    {"hunts", "saved hunts are not sealed, and were not checked"},
    {"rules", "rules are not sealed, and were not checked"},
};

static const struct aside *find_aside(const char *path)
{
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
        if (strcmp(path, beside[i].name) == 0)
            return &beside[i];
    return NULL;
}

/* Names of files that were looked at already. */
static bool is_known_file(const char *path)
{
    static const char *const names[] = {JOURNAL_NAME, "seal.key", "seal.pub", "lock",
                                        CATALOGUE_NAME};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(path, names[i]) == 0)
            return true;
    return false;
}

static void judge_stranger(struct verifying *v, const char *path, size_t *unknown)
{
    const struct aside *aside = find_aside(path);
    if (aside) {
        if (aside->note)
            note(v, path, aside->note);
    } else if (strncmp(path, "aside/", 6) == 0) {
        note(v, path, "left half done by a crash and moved aside; not part of the evidence");
    } else if (v->broken) {
        (*unknown)++;
    } else {
        error_set(&v->err, STATUS_BAD_INPUT, path, ERROR_NO_OFFSET,
                  "the journal does not know this file");
        wrong(v);
    }
}

/* Files that no entry names, and bytes behind the last checkpoint. */
static void verify_nothing_more(struct verifying *v)
{
    struct store *s = &v->s;
    size_t unknown = 0;
    if (is_busy(s)) {
        note(v, s->path,
             "another hikeshi is writing here; files that the journal does not name yet were not "
             "looked at");
        return;
    }
    if (s->journal.tail.n && !v->broken) {
        error_set(
            &v->err, STATUS_BAD_INPUT, s->journal.path, ERROR_NO_OFFSET,
            "%zu bytes behind the last checkpoint are not sealed: the last intake did not come "
            "to its end, or the journal's end was altered",
            s->journal.tail.n);
        wrong(v);
    }
    verify_lock(v);
    list_folder(v, NULL);
    for (size_t i = 0; i < v->list.n; i++) { /* grows by the folders that are found */
        const char *path = v->list.at[i];
        if (is_folder_of_ours(path))
            list_folder(v, path);
        else if (!is_known_file(path) && !map_get(&v->known, slice_str(path)) && !is_busy(s))
            judge_stranger(v, path, &unknown);
    }
    if (unknown) {
        error_set(&v->err, STATUS_BAD_INPUT, s->path, ERROR_NO_OFFSET,
                  "%zu files could not be judged, since the journal can't be read to its end",
                  unknown);
        wrong(v);
    }
}

/* It is derived: that it is missing is no loss. */
static void verify_catalogue(struct verifying *v)
{
    char path[PATH_BYTES];
    store_path(&v->s, path, CATALOGUE_NAME, NULL);
    int fd = v->s.io->open(v->s.io->ctx, path, O_RDONLY, 0);
    if (fd >= 0)
        v->s.io->close(v->s.io->ctx, fd);
    else if (v->counts->segments && errno == ENOENT)
        note(v, path, "there is no catalogue; hikeshi store rebuild makes it");
    if (catalogue_check(&v->s, &v->err) != OK)
        judge(v, v->err.status);
}

static void free_all(struct verifying *v)
{
    free(v->list.at);
    arena_free(&v->listed);
    map_free(&v->known);
    store_forget(&v->s);
}

/* All that will be looked at, as far as the journal tells. */
static uint64_t bytes_named(const struct store *s)
{
    uint64_t n = s->journal.bytes;
    for (size_t i = 0; i < s->segments_n; i++)
        n += s->segments[i].gone ? 0 : s->segments[i].told.bytes;
    for (size_t i = 0; i < s->files_n; i++)
        n += s->files[i].kept && !s->files[i].expired ? s->files[i].kept_bytes : 0;
    return n;
}

enum status store_verify(const struct store_io *io, const char *path,
                         const struct verify_options *options, verify_say *say, void *ctx,
                         struct arena *a, struct verify_counts *counts, struct error *err)
{
    struct verifying v = {.s = {.io = io, .path = path, .lock = -1, .journal_fd = -1},
                          .options = options,
                          .say = say,
                          .ctx = ctx,
                          .counts = counts};
    *counts = (struct verify_counts){0};
    if (strlen(path) > PATH_BYTES - 300)
        return error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET, "the path is too long");
    verify_journal(&v);
    v.total = bytes_named(&v.s);
    verify_against(&v);
    verify_stamps(&v);
    if (v.s.key) {
        verify_public_key(&v);
        verify_private_key(&v);
    }
    verify_files(&v);
    if (!stopped(&v))
        verify_catalogue(&v);
    if (!stopped(&v))
        verify_nothing_more(&v);
    counts->last = arena_slice(a, counts->last);
    enum status status = OK;
    if (stopped(&v))
        status = error_set(err, STATUS_INTERRUPTED, path, ERROR_NO_OFFSET, "stopped");
    free_all(&v);
    return status;
}
