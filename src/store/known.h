/*
 * Records that are there already, left out of what is taken in: a log that was copied again a day
 * later, and has grown, brings only what is new.
 *
 *     struct known *k = known_new(s);                    one a transaction, for all threads
 *     struct known_worker *w = known_worker_new(k);      one a thread
 *     known_take_out(w, block, &err);                    before store_take; block->rows tells what is left
 *     known_worker_free(w); known_free(k);
 *
 * What is the same record:
 *
 *   - Of Windows events: the same number, time and kind (channel, provider, event id), and the same
 *     text in every field, the computer among them. Where it comes from does not matter: a copy, an
 *     export, an archive. A log that was cleared begins again at number 1, with other times.
 *   - Of other logs, whose numbers are lines: those of an input that is known to go on where stored
 *     ones end (known_continues), the same line, time, kind and text.
 *
 * No list of records is kept for it. The blocks of the store that can hold them (same kind, and ranges
 * of times and records that overlap; the block's filter knows the computer) are looked at, times and
 * record numbers first; as a rule there are none. Records of the same transaction are compared by
 * their prints (prints.h), the last two to four million of them. What can't be read of the store holds
 * nothing: its records come in again.
 */
#ifndef STORE_KNOWN_H
#define STORE_KNOWN_H

#include "store/store.h"

struct known;
struct known *known_new(struct store *s);
void known_free(struct known *k);

/* An input of the transaction (its number counts from 0) has in its lines those of stored inputs
 * (numbers of the journal, ascending; they must outlive `k`). Inputs in ascending order, before threads start. */
void known_continues(struct known *k, uint32_t input, const uint32_t *stored, size_t n);

struct known_worker;
struct known_worker *known_worker_new(struct known *k);
void known_worker_free(struct known_worker *w);

/* Takes the rows of known records out of a block that goes to store_take afterwards. */
void known_take_out(struct known_worker *w, struct block *b);

#endif
