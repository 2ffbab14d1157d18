/*
 * The way in: from paths to blocks of events. Folders are walked, containers (.gz .zst .xz .bz2
 * .zip .tar .7z .rar) are opened by their content, each input's format is recognised by content, and batches are decoded
 * on all cores; every worker fills its own blocks and hands full ones to its own sink.
 *
 *     struct inputs *in = inputs_find(paths, n, problems);
 *     ... confine() ...
 *     struct intake job = {.inputs = in, .threads = 0, .problems = problems,
 *                          .sink = make_sink, .ctx = scan};
 *     intake_run(&job, &counts, &err);
 *
 * Memory is bounded by threads x (batch + blocks), whatever the size of the inputs.
 */
#ifndef INTAKE_INTAKE_H
#define INTAKE_INTAKE_H

#include "intake/reader.h"

#include <signal.h>

/* One input: a file, or a member of a container ("evidence.zip/logs/Security.evtx"). */
struct input {
    struct slice name;           /* as shown to the user */
    const struct reader *reader; /* NULL until recognised, or when nothing recognises it */
    bool container;              /* holds other inputs, which are listed too; has no reader */
    uint64_t bytes, events;      /* read, unpacked; taken from it */
    uint32_t within;             /* number of the container it is in, or INPUT_ALONE */
};
#define INPUT_ALONE UINT32_MAX

struct inputs;

/* Walks the paths (in order; folders by name; "-" is standard input; symbolic links inside folders
 * are not followed). A path that does not exist or can't be opened is a problem, not the end. */
struct inputs *inputs_find(const char *const *paths, size_t n, struct problems *problems);
void inputs_free(struct inputs *in);

/* By number. Inputs inside containers appear while intake_run works; after it the list is whole. Until
 * then only `name` may be looked at. */
size_t inputs_count(const struct inputs *in);
const struct input *inputs_get(const struct inputs *in, uint32_t number);
uint64_t inputs_bytes(const struct inputs *in); /* sizes on disk, for progress */

/* How many inputs were found by their path; their numbers come first. */
uint32_t inputs_named(const struct inputs *in);

/* The path of such an input, NUL-terminated ("-" for standard input); NULL when there was a problem
 * with it already. */
const char *inputs_path(const struct inputs *in, uint32_t number);

/* Another name to show; before anything is read. */
void inputs_rename(struct inputs *in, uint32_t number, struct slice name);

/* No more than its first bytes are read, since it may grow meanwhile; likewise. */
void inputs_set_limit(struct inputs *in, uint32_t number, uint64_t bytes);

/* Whether a file is a container or of a format that a reader knows. */
bool intake_recognises(const char *path);

/* What a stream is that begins so (`whole`: and ends so): of records that can be cut from it while it
 * goes on, or something that is read as a whole. */
enum intake_stream { STREAM_UNKNOWN, STREAM_WHOLE, STREAM_RECORDS };
enum intake_stream intake_stream_is(struct slice head, bool whole, struct slice name,
                                    const struct reader **reader);

/* How many of a stream's bytes, which stand at `offset` in it, are whole records. */
size_t intake_cut(const struct reader *reader, struct slice bytes, uint64_t offset);

struct intake_progress {
    uint64_t bytes_done, bytes_total; /* on disk */
    uint64_t events;
    uint64_t inputs_done;
};

struct intake {
    struct inputs *inputs;
    struct problems *problems;
    struct reader_options options;
    unsigned threads;  /* 0: one a core */
    size_t most_bytes; /* of open blocks, over all threads; 0: 256 MiB */

    /* Called once a worker, in that worker: where its blocks go. */
    struct block_sink (*sink)(void *ctx, unsigned worker);
    /* Called in the worker after its last block was handed on; may be NULL. */
    enum status (*done)(void *ctx, unsigned worker, struct error *err);
    void *ctx;

    /* Called about ten times a second from the calling thread; may be NULL. */
    void (*progress)(void *ctx, const struct intake_progress *p);

    const volatile sig_atomic_t *stop; /* when set to non-zero: end soon with STATUS_INTERRUPTED */
};

struct intake_counts {
    uint64_t inputs, inputs_unknown; /* read; of a format nothing recognises (each a problem) */
    uint64_t bytes, events;
};

/* Reads everything. What was read before an interruption or a failing sink was handed on. */
enum status intake_run(const struct intake *job, struct intake_counts *counts, struct error *err);

#endif
