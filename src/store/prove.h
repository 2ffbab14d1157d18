/*
 * Proofs for others, who have the verifier key and not the data folder.
 *
 *     store_prove(s, file->entry, &proof);            c2sp.org/tlog-proof@v1, with the entry as "extra"
 *     store_prove_consistency(s, 12, &proof);         of the checkpoint of 12 entries with the last
 *
 * The forms are those of C2SP (tlog-proof) and RFC 9162; seal.h tells what is signed.
 */
#ifndef STORE_PROVE_H
#define STORE_PROVE_H

#include "store/store.h"

/* That entry `number` is in the tree of the last checkpoint. */
void store_prove(const struct store *s, uint64_t number, struct buf *out);

/* That the tree of the first `before` entries (1 to all) is the beginning of that tree. */
void store_prove_consistency(const struct store *s, uint64_t before, struct buf *out);

/* A file by its content's SHA-256 in hexadecimal, by the name under which it was taken in, or by the
 * name of an input in it ("logs.zip/dc01.evtx", whose place in it is then *input; else SIZE_MAX). The
 * newest of those that are called so; NULL: none is. */
const struct store_file *store_find_file(const struct store *s, struct slice called, size_t *input);

/* The segment that holds a record of an input: its place in s->segments, or -1 with `err` filled in;
 * STATUS_BAD_USE: none does. */
ptrdiff_t store_find_event(struct store *s, struct origin origin, struct error *err);

#endif
