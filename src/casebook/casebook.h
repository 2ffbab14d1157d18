/*
 * The casebook of a data folder, DIR/casebook.db (SQLite): findings and what silences them; what
 * correlations remember from run to run.
 *
 *     struct casebook *c = casebook_open(folder, &err);      before confine(): it may make the file
 *     ... casebook/take.h puts in what was detected, casebook/known.h reads, casebook/suppression.h
 *     casebook_close(c);
 *
 * Any number of processes may have it open; each write is one transaction, and waits for those of
 * others. A casebook is not for two threads at once.
 *
 * Findings are written after the store has committed the events. In between a crash leaves events
 * without findings; so whoever is about to take events in says first from where on findings may be
 * missing, and the mark goes away in the transaction that writes them:
 *
 *     casebook_expect(c, entries of the journal, &err);
 *     store_commit(...);
 *     casebook_take(...);                 (take.h)
 */
#ifndef CASEBOOK_CASEBOOK_H
#define CASEBOOK_CASEBOOK_H

#include "base/error.h"
#include "base/timestamp.h"

struct casebook;

/* Opens or makes it, and brings one of an earlier version up to date. NULL: STATUS_BAD_INPUT when it
 * is no casebook or of a later version, STATUS_SYSTEM when the file can't be used. */
struct casebook *casebook_open(const char *folder, struct error *err);
bool casebook_there(const char *folder);
void casebook_close(struct casebook *c);

/* Findings of segments whose entry in the journal has this number or a higher one may be missing. */
enum status casebook_expect(struct casebook *c, uint64_t entry, struct error *err);

/* From where on findings may be missing; *entry is UINT64_MAX when none are. */
enum status casebook_missing(struct casebook *c, uint64_t *entry, struct error *err);

#endif
