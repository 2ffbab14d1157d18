/*
 * Findings of the casebook, for people and programs.
 *
 *     finding_json(&line, &finding, &names);        one object, without the end of the line
 *     finding_text(&text, &finding, &names, colour);
 */
#ifndef CLI_FINDING_PRINT_H
#define CLI_FINDING_PRINT_H

#include "base/buf.h"
#include "casebook/known.h"
#include "store/store.h"

/* Names of inputs by their number in the journal, and the events of a finding that are told. */
struct finding_events {
    const struct slice *sources;
    size_t sources_n;
    const struct origin *list; /* NULL: no event is told */
    size_t n;
};

/* The names of a data folder's inputs, by number; s->next_input of them. */
struct slice *finding_sources(const struct store *s, struct arena *a);

/* docs/detection.md tells the keys. */
void finding_json(struct buf *out, const struct known_finding *f, const struct finding_events *e);

void finding_text(struct buf *out, const struct known_finding *f, const struct finding_events *e,
                  bool colour);

/* ,"name":"2026-11-10T10:23:41.1234567Z"; nothing for no time. */
void put_moment(struct buf *out, const char *name, timestamp t);

#endif
