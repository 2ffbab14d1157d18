/*
 * Files as they were taken in: originals/ab/SHA256.zst, named by the content, one zstd frame each.
 */
#include "store/original.h"

#include "base/vec.h"
#include "store/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

enum { CHUNK = 1 << 17, LEVEL = 3 };

void original_path(const struct store *s, const struct hash *sha256, char out[PATH_BYTES])
{
    struct buf b = {0};
    put_hex(&b, slice_of(sha256->bytes, HASH_BYTES));
    snprintf(out, PATH_BYTES, "%s/originals/%.2s/%.*s.zst", s->path, b.p, SLICE_ARG(buf_slice(&b)));
    buf_free(&b);
}

/* ---- keeping ---- */

struct keeping {
    const struct store_io *io;
    int from, to;
    const char *name, *path;
    ZSTD_CCtx *zstd;
    EVP_MD_CTX *digest, *stored_digest;
    char *in, *out;
    uint64_t bytes, stored, most; /* most: a log may grow meanwhile */
};

/* Compresses n bytes of `in`, or what zstd still holds at the end. */
static enum status keep_chunk(struct keeping *k, size_t n, bool end, struct error *err)
{
    ZSTD_inBuffer in = {k->in, n, 0};
    size_t left;
    do {
        ZSTD_outBuffer out = {k->out, CHUNK, 0};
        left = ZSTD_compressStream2(k->zstd, &out, &in, end ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left))
            return error_set(err, STATUS_SYSTEM, k->path, ERROR_NO_OFFSET, "can't compress: %s",
                             ZSTD_getErrorName(left));
        enum status status = io_write(k->io, k->to, k->path, slice_of(k->out, out.pos), err);
        if (status == OK && EVP_DigestUpdate(k->stored_digest, k->out, out.pos) != 1)
            status = error_set(err, STATUS_SYSTEM, k->path, ERROR_NO_OFFSET, "can't hash");
        if (status != OK)
            return status;
        k->stored += out.pos;
    } while (end ? left != 0 : in.pos < in.size);
    return OK;
}

static bool begin_digest(EVP_MD_CTX *digest)
{
    return digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1;
}

static enum status keep_all(struct keeping *k, struct hash *sha256, struct hash *kept_sha256,
                            struct error *err)
{
    enum status status = OK;
    if (!k->zstd || !begin_digest(k->digest) || !begin_digest(k->stored_digest) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(k->zstd, ZSTD_c_compressionLevel, LEVEL)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(k->zstd, ZSTD_c_checksumFlag, 1)))
        return error_set(err, STATUS_SYSTEM, k->path, ERROR_NO_OFFSET, "out of memory");
    while (status == OK && k->bytes < k->most) {
        size_t room = k->most - k->bytes < CHUNK ? (size_t)(k->most - k->bytes) : CHUNK;
        ssize_t n = pread(k->from, k->in, room, (off_t)k->bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_system(err, k->name, "can't read");
        if (n == 0)
            break;
        if (EVP_DigestUpdate(k->digest, k->in, (size_t)n) != 1)
            return error_set(err, STATUS_SYSTEM, k->name, ERROR_NO_OFFSET, "can't hash");
        k->bytes += (size_t)n;
        status = keep_chunk(k, (size_t)n, false, err);
    }
    if (status == OK)
        status = keep_chunk(k, 0, true, err);
    if (status == OK && (EVP_DigestFinal_ex(k->digest, sha256->bytes, NULL) != 1 ||
                         EVP_DigestFinal_ex(k->stored_digest, kept_sha256->bytes, NULL) != 1))
        status = error_set(err, STATUS_SYSTEM, k->name, ERROR_NO_OFFSET, "can't hash");
    return status;
}

/* Makes originals/ab; what is in it must be found after a loss of power, so it is synced above too. */
static enum status make_folder(const struct store *s, const char *path, struct error *err)
{
    char above[PATH_BYTES];
    if (s->io->mkdir(s->io->ctx, path, 0700) != 0) {
        if (errno != EEXIST)
            return error_system(err, path, "can't make the folder");
        return OK;
    }
    store_path(s, above, "originals", NULL);
    return io_sync_folder(s->io, above, err);
}

static enum status write_original(const struct store *s, int fd, struct store_file *file,
                                  const char *path, const char *new_path, struct error *err)
{
    struct hash found;
    struct keeping k = {
        .io = s->io, .from = fd, .name = file->name.p, .path = new_path, .most = file->bytes};
    k.to = s->io->open(s->io->ctx, new_path, O_WRONLY | O_CREAT | O_TRUNC, 0400);
    if (k.to < 0)
        return error_system(err, new_path, "can't make the file");
    k.zstd = ZSTD_createCCtx();
    k.digest = EVP_MD_CTX_new();
    k.stored_digest = EVP_MD_CTX_new();
    k.in = xmalloc(CHUNK);
    k.out = xmalloc(CHUNK);
    enum status status = keep_all(&k, &found, &file->kept_sha256, err);
    ZSTD_freeCCtx(k.zstd);
    EVP_MD_CTX_free(k.digest);
    EVP_MD_CTX_free(k.stored_digest);
    free(k.in);
    free(k.out);
    if (status == OK)
        status = io_finish(s->io, k.to, new_path, err);
    else
        s->io->close(s->io->ctx, k.to);
    if (status == OK &&
        (k.bytes != file->bytes || memcmp(&found, &file->sha256, sizeof found) != 0))
        status = error_set(err, STATUS_BAD_INPUT, file->name.p, ERROR_NO_OFFSET,
                           "the file changes while it is read");
    if (status == OK && s->io->rename(s->io->ctx, new_path, path) != 0)
        status = error_system(err, path, "can't put the file in place");
    if (status != OK)
        s->io->unlink(s->io->ctx, new_path);
    file->kept_bytes = k.stored;
    return status;
}

enum status store_keep(struct store *s, int fd, struct store_file *file, struct error *err)
{
    char path[PATH_BYTES], new_path[PATH_BYTES], folder[PATH_BYTES];
    if (!s->transaction)
        return error_set(err, STATUS_BAD_USE, s->path, ERROR_NO_OFFSET,
                         "originals are kept in a transaction");
    original_path(s, &file->sha256, path);
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    if (snprintf(new_path, sizeof new_path, "%s.new", path) >= (int)sizeof new_path)
        return error_set(err, STATUS_BAD_USE, s->path, ERROR_NO_OFFSET, "the path is too long");
    enum status status = make_folder(s, folder, err);
    if (status == OK) {
        status = write_original(s, fd, file, path, new_path, err);
        *VEC_PUSH(s->transaction->kept) = file->sha256; /* its folder is synced at the end */
    }
    file->kept = status == OK;
    return status;
}

/* ---- checking ---- */

struct checking {
    const struct store_io *io;
    const char *path;
    int fd;
    ZSTD_DCtx *zstd;
    EVP_MD_CTX *digest, *stored_digest;
    char *in, *out;
    uint64_t bytes, stored;
};

static enum status check_chunk(struct checking *c, size_t n, size_t *left, struct error *err)
{
    ZSTD_inBuffer in = {c->in, n, 0};
    ZSTD_outBuffer out;
    if (EVP_DigestUpdate(c->stored_digest, c->in, n) != 1)
        return error_set(err, STATUS_SYSTEM, c->path, ERROR_NO_OFFSET, "can't hash");
    do {
        out = (ZSTD_outBuffer){c->out, CHUNK, 0};
        *left = ZSTD_decompressStream(c->zstd, &out, &in);
        if (ZSTD_isError(*left))
            return error_set(err, STATUS_BAD_INPUT, c->path, c->stored + in.pos,
                             "the original was altered: it can't be unpacked");
        if (EVP_DigestUpdate(c->digest, c->out, out.pos) != 1)
            return error_set(err, STATUS_SYSTEM, c->path, ERROR_NO_OFFSET, "can't hash");
        c->bytes += out.pos;
    } while (in.pos < in.size || out.pos == out.size);
    return OK;
}

static enum status check_all(struct checking *c, struct hash *found, struct hash *stored,
                             struct error *err)
{
    size_t left = 1;
    off_t size = c->io->size(c->io->ctx, c->fd);
    if (!c->zstd || !begin_digest(c->digest) || !begin_digest(c->stored_digest))
        return error_set(err, STATUS_SYSTEM, c->path, ERROR_NO_OFFSET, "out of memory");
    if (size < 0)
        return error_system(err, c->path, "can't read");
    while (c->stored < (uint64_t)size) {
        size_t n = (uint64_t)size - c->stored < CHUNK ? (size_t)size - c->stored : CHUNK;
        enum status status = io_read(c->io, c->fd, c->path, c->stored, c->in, n, err);
        if (status == OK)
            status = check_chunk(c, n, &left, err);
        if (status != OK)
            return status;
        c->stored += n;
    }
    if (left != 0)
        return error_set(err, STATUS_BAD_INPUT, c->path, c->stored,
                         "the original was altered: its end is missing");
    if (EVP_DigestFinal_ex(c->digest, found->bytes, NULL) != 1 ||
        EVP_DigestFinal_ex(c->stored_digest, stored->bytes, NULL) != 1)
        return error_set(err, STATUS_SYSTEM, c->path, ERROR_NO_OFFSET, "can't hash");
    return OK;
}

enum status original_check(const struct store *s, const struct store_file *file, struct error *err)
{
    char path[PATH_BYTES];
    struct hash found, stored;
    original_path(s, &file->sha256, path);
    struct checking c = {.io = s->io, .path = path};
    c.fd = s->io->open(s->io->ctx, path, O_RDONLY, 0);
    if (c.fd < 0)
        return error_system(err, path, "can't open the original");
    c.zstd = ZSTD_createDCtx();
    c.digest = EVP_MD_CTX_new();
    c.stored_digest = EVP_MD_CTX_new();
    c.in = xmalloc(CHUNK);
    c.out = xmalloc(CHUNK);
    enum status status = check_all(&c, &found, &stored, err);
    ZSTD_freeDCtx(c.zstd);
    EVP_MD_CTX_free(c.digest);
    EVP_MD_CTX_free(c.stored_digest);
    free(c.in);
    free(c.out);
    s->io->close(s->io->ctx, c.fd);
    if (status == OK &&
        (c.bytes != file->bytes || memcmp(&found, &file->sha256, sizeof found) != 0))
        status = error_set(err, STATUS_BAD_INPUT, path, ERROR_NO_OFFSET,
                           "the original was altered: its content has another SHA-256");
    if (status == OK &&
        (c.stored != file->kept_bytes || memcmp(&stored, &file->kept_sha256, sizeof stored) != 0))
        status = error_set(err, STATUS_BAD_INPUT, path, ERROR_NO_OFFSET,
                           "the original's file is another, although its content is what it was");
    return status;
}
