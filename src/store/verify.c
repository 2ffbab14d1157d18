#include "store/verify.h"

#include "store/original.h"
#include "store/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
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
    struct error err;   /* to say */
    struct map names;   /* of files that entries name: segments by name, originals by path in it */
    const char *folder; /* that is being listed */
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

static bool stopped(const struct verifying *v)
{
    return v->options->stop && *v->options->stop;
}

/* The journal as far as it is whole, its entries, every signature. */
static void verify_journal(struct verifying *v)
{
    char path[PATH_BYTES];
    struct store *s = &v->s;
    struct checkpoint c;
    store_path(s, path, JOURNAL_NAME, NULL);
    if (journal_load(s->io, path, &s->journal, &v->err) != OK)
        wrong(v);
    for (uint64_t i = 0; i < s->journal.entries.n; i++)
        if (entry_apply(s, i, &v->err) != OK)
            wrong(v);
    v->counts->entries = s->journal.entries.n;
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

/* The keys in the folder are those that the journal begins with. The private one need not be there,
 * nor be readable. */
static void verify_keys(struct verifying *v)
{
    char path[PATH_BYTES], *pem = NULL;
    size_t n = 0;
    struct buf ours = {0};
    struct store *s = &v->s;
    if (!s->key)
        return;
    store_path(s, path, "seal.pub", NULL);
    if (seal_public_write(s->key, &ours, &v->err) == OK &&
        io_read_file(s->io, path, 1 << 16, &pem, &n, &v->err) == OK) {
        if (!slice_equal(buf_slice(&ours), slice_of(pem, n))) {
            error_set(&v->err, STATUS_BAD_INPUT, path, ERROR_NO_OFFSET,
                      "this is not the key that the journal begins with");
            wrong(v);
        }
    } else {
        wrong(v);
    }
    buf_free(&ours);
    free(pem);
    store_path(s, path, "seal.key", NULL);
    struct error unread;
    if (io_read_file(s->io, path, 1 << 16, &pem, &n, &unread) != OK)
        return;
    struct seal_key *key =
        seal_key_read(slice_of(pem, n), seal_origin(s->key), NULL, path, &v->err);
    char a[SEAL_KEY_TEXT] = "", b[SEAL_KEY_TEXT];
    seal_verifier(s->key, b);
    if (key)
        seal_verifier(key, a);
    else if (v->err.status != STATUS_BAD_USE) /* else it has a passphrase */
        wrong(v);
    if (key && strcmp(a, b) != 0) {
        error_set(&v->err, STATUS_BAD_INPUT, path, ERROR_NO_OFFSET,
                  "this is not the key that the journal begins with");
        wrong(v);
    }
    seal_key_free(key);
    explicit_bzero(pem, n);
    free(pem);
}

static void verify_segments(struct verifying *v)
{
    struct store *s = &v->s;
    bool is_new;
    for (size_t i = 0; i < s->segments_n && !stopped(v); i++) {
        const struct store_segment *seg = &s->segments[i];
        if (seg->gone)
            continue;
        map_put(&v->names, seg->name, &is_new);
        v->counts->segments++;
        v->counts->events += seg->told.events;
        v->counts->bytes += seg->told.bytes;
        if (verify_segment(s, seg, &v->err) != OK)
            wrong(v);
    }
}

static void verify_originals(struct verifying *v)
{
    struct store *s = &v->s;
    char path[PATH_BYTES];
    bool is_new;
    for (size_t i = 0; i < s->files_n && !stopped(v); i++) {
        if (!s->files[i].kept)
            continue;
        original_path(s, &s->files[i].sha256, path);
        map_put(&v->names, slice_str(strrchr(path, '/') + 1), &is_new);
        if (!is_new)
            continue;
        v->counts->originals++;
        v->counts->bytes += s->files[i].kept_bytes;
        if (original_check(s, &s->files[i], &v->err) != OK)
            wrong(v);
    }
}

static void add_name(void *to, const char *name)
{
    struct verifying *v = to;
    if (v->list.n == v->list.cap) {
        v->list.cap = v->list.cap ? v->list.cap * 2 : 64;
        v->list.at = xrealloc(v->list.at, v->list.cap, sizeof *v->list.at);
    }
    v->list.at[v->list.n++] = arena_printf(&v->listed, "%s/%s", v->folder, name).p;
}

static bool list_folder(struct verifying *v, const char *folder)
{
    char path[PATH_BYTES];
    v->folder = folder;
    store_path(&v->s, path, folder, NULL);
    if (v->s.io->list(v->s.io->ctx, path, add_name, v) == 0)
        return true;
    error_system(&v->err, path, "can't list the folder");
    return false;
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

/* Files that no entry names, and bytes behind the last checkpoint. */
static void verify_nothing_more(struct verifying *v)
{
    struct store *s = &v->s;
    if (is_busy(s))
        return;
    if (s->journal.tail.n) {
        error_set(
            &v->err, STATUS_BAD_INPUT, s->journal.path, ERROR_NO_OFFSET,
            "%zu bytes behind the last checkpoint are not sealed: the last intake did not come "
            "to its end, or the journal's end was altered",
            s->journal.tail.n);
        wrong(v);
    }
    if (!list_folder(v, "segments") || !list_folder(v, "originals"))
        wrong(v);
    for (size_t i = 0; i < v->list.n; i++) { /* grows by the folders of originals */
        const char *name = v->list.at[i], *last = strrchr(name, '/') + 1;
        if (strlen(name) == strlen("originals/ab") && strncmp(name, "originals/", 10) == 0) {
            if (!list_folder(v, name))
                wrong(v);
        } else if (!map_get(&v->names, slice_str(last)) && !is_busy(s)) {
            error_set(&v->err, STATUS_BAD_INPUT, s->path, ERROR_NO_OFFSET,
                      "%s: the journal does not know this file", name);
            wrong(v);
        }
    }
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
    verify_against(&v);
    verify_keys(&v);
    verify_segments(&v);
    verify_originals(&v);
    if (!stopped(&v))
        verify_nothing_more(&v);
    counts->last = arena_slice(a, counts->last);
    enum status status = OK;
    if (stopped(&v))
        status = error_set(err, STATUS_INTERRUPTED, path, ERROR_NO_OFFSET, "stopped");
    free(v.list.at);
    arena_free(&v.listed);
    map_free(&v.names);
    free(v.s.segments);
    free(v.s.files);
    map_free(&v.s.by_sha256);
    journal_free(&v.s.journal);
    seal_key_free(v.s.key);
    arena_free(&v.s.arena);
    return status;
}
