/*
 * What the files of taking in share: rounds (take_round.c), streams (take_stream.c), and the whole
 * (take.c).
 */
#ifndef INTAKE_TAKE_INTERNAL_H
#define INTAKE_TAKE_INTERNAL_H

#include "base/map.h"
#include "intake/take.h"

/* A file of a round. */
struct candidate {
    const char *path;
    struct store_file file;
    bool recognised; /* else it is read, so that its problem is told, but not recorded */
};

struct taker; /* a worker's */

struct take_state {
    const struct take *job;
    struct store *s;
    struct take_counts *counts;
    struct intake_progress before; /* of the rounds that are done */
    uint64_t bytes_total;
    struct slice folder; /* the data folder's real path */
    struct arena names;  /* of files, NUL-terminated */
    struct arena arena;  /* of the round */
    struct {
        struct candidate *at;
        size_t n, cap;
    } round;
    uint64_t round_bytes;
    struct map round_known; /* SHA-256 and heads of the round's files */
    struct known *known;
    struct taker *takers;
};

static inline bool take_stopped(const struct take_state *r)
{
    return r->job->stop && *r->job->stop;
}

enum status take_interrupted(struct error *err);

/* ---- rounds ---- */

/* Adds a file to the round, and takes in the round when it is large. */
enum status round_add(struct take_state *r, const struct candidate *c, struct error *err);

/* Takes the round's files in: a transaction. */
enum status round_take(struct take_state *r, struct error *err);

/* ---- files ---- */

/* Adds a file to the round, unless it is known. `path` must outlive the round. */
enum status take_file(struct take_state *r, const char *path, struct slice name, struct error *err);

/* ---- streams ---- */

/* Reads a pipe or standard input ("-") until it ends, and takes it in piece by piece. */
enum status take_stream(struct take_state *r, const char *path, struct slice name,
                        struct error *err);

/* Takes in what a stream left that was broken off. */
enum status take_left_stream(struct take_state *r, struct error *err);

#endif
