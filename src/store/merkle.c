#include "store/merkle.h"

#include "base/arena.h"

#include <openssl/evp.h>
#include <stdlib.h>

/* SHA-256 of up to three pieces. OpenSSL's one-shot digests fail only when memory is out. */
static void hash_of(const void *a, size_t a_n, const void *b, size_t b_n, const void *c, size_t c_n,
                    struct hash *out)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1 ||
        EVP_DigestUpdate(ctx, a, a_n) != 1 || EVP_DigestUpdate(ctx, b, b_n) != 1 ||
        EVP_DigestUpdate(ctx, c, c_n) != 1 || EVP_DigestFinal_ex(ctx, out->bytes, NULL) != 1) {
        fputs("hikeshi: can't hash: out of memory\n", stderr);
        abort();
    }
    EVP_MD_CTX_free(ctx);
}

void sha256(struct slice bytes, struct hash *out)
{
    hash_of(bytes.p, bytes.n, NULL, 0, NULL, 0, out);
}

static void hash_leaf(struct slice entry, struct hash *out)
{
    hash_of("\0", 1, entry.p, entry.n, NULL, 0, out);
}

static void hash_node(const struct hash *left, const struct hash *right, struct hash *out)
{
    hash_of("\1", 1, left->bytes, HASH_BYTES, right->bytes, HASH_BYTES, out);
}

void merkle_add(struct merkle *m, struct slice entry)
{
    if (m->n == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 64;
        m->leaves = xrealloc(m->leaves, m->cap, sizeof *m->leaves);
    }
    struct hash *leaf = &m->leaves[m->n];
    hash_leaf(entry, leaf);
    m->peaks[m->peaks_n++] = *leaf;
    for (uint64_t n = m->n++; n & 1; n >>= 1, m->peaks_n--)
        hash_node(&m->peaks[m->peaks_n - 2], &m->peaks[m->peaks_n - 1], &m->peaks[m->peaks_n - 2]);
}

void merkle_root(const struct merkle *m, struct hash *root)
{
    if (m->n == 0) {
        sha256((struct slice){0}, root);
        return;
    }
    *root = m->peaks[m->peaks_n - 1];
    for (unsigned i = m->peaks_n - 1; i > 0; i--)
        hash_node(&m->peaks[i - 1], root, root);
}

/* The largest power of two below n (n > 1). */
static uint64_t split(uint64_t n)
{
    return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* MTH of leaves [from, from + n), n > 0; as deep as n has bits. */
static void subtree(const struct merkle *m, uint64_t from, uint64_t n, struct hash *out)
{
    if (n == 1) {
        *out = m->leaves[from];
        return;
    }
    struct hash left, right;
    uint64_t k = split(n);
    subtree(m, from, k, &left);
    subtree(m, from + k, n - k, &right);
    hash_node(&left, &right, out);
}

void merkle_root_at(const struct merkle *m, uint64_t size, struct hash *root)
{
    if (size == 0)
        sha256((struct slice){0}, root);
    else
        subtree(m, 0, size, root);
}

void merkle_free(struct merkle *m)
{
    free(m->leaves);
    *m = (struct merkle){0};
}

size_t merkle_inclusion(const struct merkle *m, uint64_t index, uint64_t size,
                        struct hash path[MERKLE_PATH])
{
    struct hash down[MERKLE_PATH]; /* from the root */
    size_t n = 0;
    for (uint64_t from = 0; size > 1; n++) {
        uint64_t k = split(size);
        if (index < from + k) {
            subtree(m, from + k, size - k, &down[n]);
            size = k;
        } else {
            subtree(m, from, k, &down[n]);
            from += k;
            size -= k;
        }
    }
    for (size_t i = 0; i < n; i++)
        path[i] = down[n - 1 - i];
    return n;
}

size_t merkle_consistency(const struct merkle *m, uint64_t before, uint64_t size,
                          struct hash path[MERKLE_PATH])
{
    struct hash down[MERKLE_PATH];
    size_t n = 0, out = 0;
    uint64_t from = 0;
    bool whole = true; /* the old tree is a full one of this tree, from its beginning */
    if (before == 0 || before == size)
        return 0;
    while (before != size) {
        uint64_t k = split(size);
        if (before <= k) {
            subtree(m, from + k, size - k, &down[n++]);
            size = k;
        } else {
            subtree(m, from, k, &down[n++]);
            from += k;
            before -= k;
            size -= k;
            whole = false;
        }
    }
    if (!whole)
        subtree(m, from, size, &path[out++]);
    while (n > 0)
        path[out++] = down[--n];
    return out;
}

bool merkle_check_inclusion(struct slice entry, uint64_t index, uint64_t size,
                            const struct hash *path, size_t path_n, const struct hash *root)
{
    if (index >= size)
        return false;
    uint64_t fn = index, sn = size - 1;
    struct hash r;
    hash_leaf(entry, &r);
    for (size_t i = 0; i < path_n; i++) {
        if (sn == 0)
            return false;
        if ((fn & 1) || fn == sn) {
            hash_node(&path[i], &r, &r);
            while (!(fn & 1) && fn) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            hash_node(&r, &path[i], &r);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && memcmp(&r, root, sizeof r) == 0;
}

bool merkle_check_consistency(uint64_t before, const struct hash *before_root, uint64_t size,
                              const struct hash *root, const struct hash *path, size_t path_n)
{
    if (before > size)
        return false;
    if (before == 0 || before == size)
        return path_n == 0 && (before == 0 || memcmp(before_root, root, sizeof *root) == 0);
    bool power = (before & (before - 1)) == 0;
    uint64_t fn = before - 1, sn = size - 1;
    while (fn & 1) {
        fn >>= 1;
        sn >>= 1;
    }
    if (!power && path_n == 0)
        return false;
    struct hash fr = power ? *before_root : path[0], sr = fr;
    for (size_t i = power ? 0 : 1; i < path_n; i++) {
        if (sn == 0)
            return false;
        if ((fn & 1) || fn == sn) {
            hash_node(&path[i], &fr, &fr);
            hash_node(&path[i], &sr, &sr);
            while (!(fn & 1) && fn) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            hash_node(&sr, &path[i], &sr);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && memcmp(&fr, before_root, sizeof fr) == 0 && memcmp(&sr, root, sizeof sr) == 0;
}
