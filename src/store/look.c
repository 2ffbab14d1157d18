#include "store/look.h"

#include "base/vec.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

enum { CHUNK = 1 << 18 };

struct looking {
    const struct store *s;
    struct store_file *file;
    EVP_MD_CTX *digest, *copy;
    char *chunk;
    struct {
        uint64_t *at;
        size_t n, cap;
    } lengths; /* at which a known file may end, ascending, each once */
    size_t next;
};

static ssize_t read_at(int fd, char *to, size_t room, uint64_t at)
{
    ssize_t n;
    do
        n = pread(fd, to, room, (off_t)at);
    while (n < 0 && errno == EINTR);
    return n;
}

uint64_t file_head(int fd)
{
    char head[FILE_HEAD];
    if (read_at(fd, head, sizeof head, 0) != (ssize_t)sizeof head || memchr(head, 0, sizeof head))
        return 0;
    uint64_t h = XXH3_64bits(head, sizeof head);
    return h ? h : 1;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static void find_lengths(struct looking *l)
{
    const struct store *s = l->s;
    uint64_t head = l->file->head;
    const uint32_t *last = head ? map_get(&s->by_head, slice_of(&head, sizeof head)) : NULL;
    for (uint32_t at = last ? *last : 0; at; at = s->files[at - 1].same_head)
        *VEC_PUSH(l->lengths) = s->files[at - 1].bytes;
    if (l->lengths.n)
        qsort(l->lengths.at, l->lengths.n, sizeof *l->lengths.at, by_value);
    size_t n = 0;
    for (size_t i = 0; i < l->lengths.n; i++)
        if (!n || l->lengths.at[i] != l->lengths.at[n - 1])
            l->lengths.at[n++] = l->lengths.at[i];
    l->lengths.n = n;
}

/* Whether what was hashed so far is the whole of a known file. */
static bool look_back(struct looking *l)
{
    struct hash h;
    if (EVP_MD_CTX_copy_ex(l->copy, l->digest) != 1 ||
        EVP_DigestFinal_ex(l->copy, h.bytes, NULL) != 1)
        return false;
    const struct store_file *known = store_file(l->s, &h);
    if (known && known->bytes == l->file->bytes) {
        l->file->continues = true;
        l->file->continued = h;
    }
    return true;
}

/* Hashes bytes that came next, with a look back at each length. */
static bool hash_chunk(struct looking *l, struct slice bytes)
{
    bool good = true;
    while (good && bytes.n) {
        size_t n = bytes.n;
        bool end = l->next < l->lengths.n && l->lengths.at[l->next] - l->file->bytes <= n;
        if (end)
            n = (size_t)(l->lengths.at[l->next] - l->file->bytes);
        good = EVP_DigestUpdate(l->digest, bytes.p, n) == 1;
        l->file->bytes += n;
        bytes = slice_sub(bytes, n, bytes.n);
        if (end) {
            l->next++;
            good &= look_back(l);
        }
    }
    return good;
}

static enum status hash_all(struct looking *l, int fd, const volatile sig_atomic_t *stop,
                            struct error *err)
{
    const char *name = l->file->name.p;
    bool good = l->digest && l->copy && EVP_DigestInit_ex(l->digest, EVP_sha256(), NULL) == 1;
    ssize_t n = 1;
    while (good && n > 0) {
        if (stop && *stop)
            return error_set(err, STATUS_INTERRUPTED, NULL, ERROR_NO_OFFSET, "interrupted");
        n = read_at(fd, l->chunk, CHUNK, l->file->bytes);
        if (n < 0)
            return error_system(err, name, "can't read");
        good = hash_chunk(l, slice_of(l->chunk, (size_t)n));
    }
    if (!good || EVP_DigestFinal_ex(l->digest, l->file->sha256.bytes, NULL) != 1)
        return error_set(err, STATUS_SYSTEM, name, ERROR_NO_OFFSET, "can't hash");
    return OK;
}

static enum status look(struct looking *l, int fd, const volatile sig_atomic_t *stop,
                        struct error *err)
{
    l->file->bytes = 0;
    l->digest = EVP_MD_CTX_new();
    l->copy = EVP_MD_CTX_new();
    l->chunk = xmalloc(CHUNK);
    enum status status = hash_all(l, fd, stop, err);
    EVP_MD_CTX_free(l->digest);
    EVP_MD_CTX_free(l->copy);
    free(l->chunk);
    free(l->lengths.at);
    return status;
}

enum status store_look_at(const struct store *s, int fd, struct store_file *file,
                          const volatile sig_atomic_t *stop, struct error *err)
{
    struct looking l = {.s = s, .file = file};
    file->continues = false;
    file->head = file_head(fd);
    find_lengths(&l);
    return look(&l, fd, stop, err);
}

enum status file_hash(int fd, const char *name, struct hash *sha256, uint64_t *bytes,
                      struct error *err)
{
    struct store_file file = {.name = slice_str(name)};
    struct looking l = {.file = &file};
    enum status status = look(&l, fd, NULL, err);
    *sha256 = file.sha256;
    *bytes = file.bytes;
    return status;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

size_t store_continued_inputs(const struct store *s, const struct store_file *file,
                              uint32_t **inputs)
{
    struct {
        uint32_t *at;
        size_t n, cap;
    } list = {0};
    uint64_t shorter = file->bytes;
    while (file->continues) {
        file = store_file(s, &file->continued);
        if (!file || file->bytes >= shorter) /* a journal that makes no sense has no end here */
            break;
        shorter = file->bytes;
        for (size_t i = 0; i < file->inputs_n; i++)
            *VEC_PUSH(list) = file->inputs[i].number;
    }
    if (list.n)
        qsort(list.at, list.n, sizeof *list.at, by_number);
    *inputs = list.at;
    return list.n;
}
