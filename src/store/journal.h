/*
 * The journal of a data folder: what was taken in, which segments hold it, what became of them. It is
 * one file of lines that only grows. Each line is an entry (a JSON object) and a leaf of the Merkle
 * tree; a transaction ends with a line {"checkpoint":"..."}, the signed root of all entries so far
 * (seal.h), which is no leaf. What stands behind the last checkpoint never happened.
 *
 *     journal_load(io, path, &journal, &err);
 *     journal_append(io, fd, &journal, lines, n, key, &err);      on the disk when this returns
 *
 * store_entries.c knows the kinds of entries and what they hold.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "base/arena.h"
#include "store/io.h"
#include "store/seal.h"

struct journal_mark {
    uint64_t size;     /* entries before it */
    uint64_t line;     /* its number, from 1 */
    struct slice note; /* the checkpoint, unescaped */
};

struct journal {
    char *path;
    struct arena arena;
    struct {
        struct slice *at; /* lines without their end */
        size_t n, cap;
    } entries; /* those that a checkpoint covers */
    struct {
        uint64_t *at;
        size_t n, cap;
    } lines; /* the number of each entry's line, from 1 */
    struct {
        struct journal_mark *at;
        size_t n, cap;
    } marks;
    struct merkle tree;
    uint64_t bytes;    /* up to and with the last checkpoint */
    struct slice tail; /* what stands behind it */
};

/* Reads it. A checkpoint that does not fit the entries before it is STATUS_BAD_INPUT (offset: the
 * line), and the journal holds what stood before the transaction. Signatures are not looked at. */
enum status journal_load(const struct store_io *io, const char *path, struct journal *j,
                         struct error *err);
void journal_free(struct journal *j);

/* Appends a transaction: entries (copied), then a checkpoint. When it fails nothing is in `j`, and
 * the file is cut back if that is possible; *unsure tells that it was not, so that nobody knows what
 * the disk has until the file is read again. */
enum status journal_append(const struct store_io *io, int fd, struct journal *j,
                           const struct slice *entries, size_t n, const struct seal_key *key,
                           bool *unsure, struct error *err);

#endif
