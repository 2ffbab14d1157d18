/*
 * Whether a data folder is what it was: the journal's tree and every signature in it, each segment
 * and original against its entry, the keys, and whether there is a file that nobody knows.
 *
 *     struct verify_counts counts;
 *     store_verify(io, path, &options, say, ctx, &counts, &err)
 */
#ifndef STORE_VERIFY_H
#define STORE_VERIFY_H

#include "store/store.h"

#include <signal.h>

struct verify_options {
    struct slice key; /* a verifier key kept elsewhere, that the folder's must be; p NULL: none */
    struct slice against; /* a checkpoint kept elsewhere; p NULL: none */
    struct slice tsa_ca;  /* certificates (PEM) of timestamp authorities to trust; p NULL: none */
    unsigned threads;     /* that look at files; 0: the caller's alone */
    const volatile sig_atomic_t *stop; /* may be NULL: ends soon when not 0 */
    /* How many bytes of how many have been looked at; may be NULL. */
    void (*progress)(void *ctx, uint64_t done, uint64_t total);
};

struct verify_counts {
    uint64_t entries, checkpoints, segments, events, originals, bytes;
    uint64_t wrong, notes; /* things found */
    struct slice last;     /* the last good checkpoint, in the caller's arena */
};

/* Called with each thing that is wrong. A note, whose status is OK, tells what could not be checked
 * or is no evidence. `ctx` is that of the call, as for `progress`.
 * Both may be called in another thread, but never in two at once. */
typedef void verify_say(void *ctx, const struct error *what);

/* STATUS_BAD_USE or _SYSTEM when it can't be done at all; what is wrong is said and counted. */
enum status store_verify(const struct store_io *io, const char *path,
                         const struct verify_options *options, verify_say *say, void *ctx,
                         struct arena *a, struct verify_counts *counts, struct error *err);

/* One segment: its length and SHA-256 against the journal; if these are wrong, which part is. */
enum status verify_segment(const struct store *s, const struct store_segment *seg,
                           struct error *err);

#endif
