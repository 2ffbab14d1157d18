/*
 * An append-only Merkle tree with the hashes of RFC 6962, section 2.1: leaves SHA-256(0x00 || entry),
 * nodes SHA-256(0x01 || left || right). Who knows the root of a tree can be shown, by a few hashes,
 * that an entry is in it (inclusion), and that a later tree still holds all of it (consistency).
 *
 *     struct merkle tree = {0};
 *     merkle_add(&tree, entry);
 *     merkle_root(&tree, root);
 *     n = merkle_inclusion(&tree, index, tree.n, path);
 *     merkle_free(&tree);
 */
#ifndef STORE_MERKLE_H
#define STORE_MERKLE_H

#include "base/slice.h"

enum { HASH_BYTES = 32, MERKLE_PATH = 65 };

struct hash {
    uint8_t bytes[HASH_BYTES];
};

void sha256(struct slice bytes, struct hash *out);

struct merkle {
    struct hash *leaves;
    uint64_t n, cap;
    struct hash peaks[64]; /* of the full trees that n is made of, the largest first */
    unsigned peaks_n;
};

void merkle_add(struct merkle *m, struct slice entry);
void merkle_root(const struct merkle *m, struct hash *root);
void merkle_root_at(const struct merkle *m, uint64_t size, struct hash *root);
void merkle_free(struct merkle *m);

/* Proofs of entry `index` in the tree of the first `size` entries (index < size <= n), and of the
 * tree of `before` entries in that of `size` (before <= size). Return the number of hashes. */
size_t merkle_inclusion(const struct merkle *m, uint64_t index, uint64_t size,
                        struct hash path[MERKLE_PATH]);
size_t merkle_consistency(const struct merkle *m, uint64_t before, uint64_t size,
                          struct hash path[MERKLE_PATH]);

/* What somebody does who has only roots and a proof (RFC 9162, 2.1.3.2 and 2.1.4.2). */
bool merkle_check_inclusion(struct slice entry, uint64_t index, uint64_t size,
                            const struct hash *path, size_t path_n, const struct hash *root);
bool merkle_check_consistency(uint64_t before, const struct hash *before_root, uint64_t size,
                              const struct hash *root, const struct hash *path, size_t path_n);

#endif
