/*
 * Runs a reader over bytes as the intake does, and writes events as lines of JSON:
 *
 *     {"record":7,"time":"...","channel":"","provider":"","code":"","fields":{...}}
 */
#ifndef TESTS_MODEL_EVENTS_H
#define TESTS_MODEL_EVENTS_H

#include "intake/reader.h"

/* Cuts bytes into batches and decodes them. `window` is how much of them the reader sees at once. */
enum status events_decode(const struct reader *reader, void *state, struct slice bytes,
                          size_t window, struct block_set *blocks, struct problems *problems,
                          struct error *err);

/* Adds one row's line to `out`; the arena is for what it needs meanwhile. */
void events_line(const struct block *b, uint32_t row, struct buf *out, struct arena *a);

/* All events of `bytes`, decoded with a fresh state, as lines. */
void events_lines(const struct reader *reader, const struct reader_options *options,
                  struct slice bytes, size_t window, struct problems *problems, struct buf *out);

/* Line `n` from 0 without its line end; empty when there are fewer. */
struct slice events_nth(const struct buf *lines, size_t n);

/* The "fields" of a line: {...} */
struct slice events_fields(struct slice line);

/* How many lines there are. */
size_t events_count(const struct buf *lines);

#endif
