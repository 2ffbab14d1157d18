/*
 * Taking logs in for good: inputs (intake.h) into a data folder (store/store.h), as events and as
 * files that are kept.
 *
 *     struct inputs *in = inputs_find(paths, n, problems);
 *     ... confine() ...
 *     struct take job = {.store = s, .originals = true, .by = "user@host", .told = tell};
 *     take_run(&job, in, &counts, &err);
 *
 * Files go in by rounds, each a transaction of bounded size, so that what was acknowledged stays and
 * a run that breaks off goes on where it was when it is started again. A file whose content is there
 * already (SHA-256) is not read again; of one that has grown since, only what is new is taken in
 * (store/known.h).
 *
 * Where many small segments have come together they are merged at the end, and after each piece of a
 * pipe.
 *
 * A pipe is taken in piece by piece as it comes; take_stream.c tells how.
 *
 * What else wants to see the events that come in (detection) gives a sink of its own, as for
 * intake_run: it is handed each block of new events just before the store packs it, in the worker,
 * with origins whose inputs are numbers of the journal. It must leave the block as it is.
 */
#ifndef INTAKE_TAKE_H
#define INTAKE_TAKE_H

#include "intake/intake.h"
#include "store/store.h"

enum taken_how {
    TAKEN_NEW,    /* read, and acknowledged: it is on the disk */
    TAKEN_KNOWN,  /* its content was there already */
    TAKEN_NOT,    /* nothing recognises it, it is empty, or it could not be read */
    TAKEN_CHANGED /* not: its content changed while it was read */
};

/* What became of a file. */
struct taken {
    enum taken_how how;
    struct slice name;
    uint64_t bytes, events;        /* events that were new */
    uint64_t known;                /* events that were there already */
    struct hash sha256;            /* of the first two */
    const struct store_file *file; /* TAKEN_KNOWN: as it came in first */
};

struct take_counts {
    uint64_t files, known, not_taken; /* as enum taken_how; the last two together */
    uint64_t bytes, events;           /* of the new ones; events that were new */
    uint64_t known_events;            /* in new files: that were there already */
    uint64_t segments, segment_bytes, original_bytes;
    uint64_t problems; /* places that could not be read */
};

struct take {
    struct store *store; /* open for writing */
    struct reader_options options;
    unsigned threads; /* 0: one a core */
    bool originals;   /* keep the files too */
    const char *by;   /* who takes them in */

    /* As in struct intake; may be NULL. Called anew for each round. */
    struct block_sink (*sink)(void *ctx, unsigned worker);
    enum status (*done)(void *ctx, unsigned worker, struct error *err);
    /* When all blocks of a round were handed on, just before they are committed; may be NULL. */
    enum status (*settle)(void *ctx, struct error *err);
    /* When a round has to be read again, without a file that changed: what its blocks brought is to be
     * forgotten; may be NULL. */
    void (*again)(void *ctx);
    /* When a round is on the disk, before its files are told; may be NULL. */
    enum status (*committed)(void *ctx, struct error *err);

    int64_t every; /* ns: how often what came through a pipe is taken in; 0: each minute */

    /* For each file, when it is acknowledged, in the calling thread. */
    void (*told)(void *ctx, const struct taken *t);
    /* When the first `bytes` bytes of a stream are on the disk and stay, whatever happens, although
     * they are not in the store yet; may be NULL. */
    void (*safe)(void *ctx, struct slice name, uint64_t bytes);
    /* After each round: what could not be read in it. */
    void (*unread)(void *ctx, const struct problems *problems, const struct inputs *inputs);
    /* As in struct intake, over all rounds; may be NULL. */
    void (*progress)(void *ctx, const struct intake_progress *p);
    void *ctx;
    const volatile sig_atomic_t *stop;
};

/* Takes in what inputs_find found. On a failure or an interruption what was told as new stays, and
 * the rest is as if it had not begun. */
enum status take_run(const struct take *job, const struct inputs *inputs,
                     struct take_counts *counts, struct error *err);

#endif
