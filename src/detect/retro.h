/*
 * A retro-hunt: detection over what is stored. Blocks of kinds that no rule is for are not opened, nor
 * those outside the time that is asked for; of the others the columns that rules look at are read, and
 * first their distinct values alone: most blocks are done then.
 *
 *     struct retro job = {.store = s, .detector = d, .threads = n, .wanted = selection};
 *     retro_run(&job, &stats, &err);           between detector_new and detector_correlate
 */
#ifndef DETECT_RETRO_H
#define DETECT_RETRO_H

#include "detect/detector.h"
#include "event/select.h"
#include "store/store.h"

#include <signal.h>

struct retro_progress {
    uint64_t bytes_done, bytes_total; /* of blocks, on the disk */
    uint64_t events;                  /* in the blocks that were looked at */
};

struct retro {
    struct store *store;
    struct detector *detector; /* detector_end is called here */
    unsigned threads;          /* as the detector was made for */
    struct selection wanted;
    uint64_t entry_least; /* segments from this entry of the journal on */
    /* About ten times a second from the calling thread; may be NULL. */
    void (*progress)(void *ctx, const struct retro_progress *p);
    void *ctx;
    const volatile sig_atomic_t *stop; /* may be NULL; STATUS_INTERRUPTED when it becomes true */
};

struct retro_stats {
    uint64_t blocks, events, bytes; /* in the segments that were looked at */
    uint64_t blocks_of_no_rule;     /* not opened: no rule is for their kind, */
    uint64_t blocks_out_of_time;    /* their time is not wanted, */
    uint64_t blocks_filtered;       /* or their filter has nothing that rules ask for */
    uint64_t blocks_by_values;      /* done when their values had been looked at */
    uint64_t blocks_whole;          /* of which all was read */
    uint64_t blocks_damaged;        /* left out */
    struct error damage;            /* of the first of them */
    int64_t ns;                     /* wall time */
};

/* What was found until an interruption or failure can be told all the same. */
enum status retro_run(const struct retro *job, struct retro_stats *stats, struct error *err);

#endif
