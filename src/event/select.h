/*
 * Which events are wanted: a range of time and a host. The others are taken out of a block before
 * anybody looks at it, so that all that follows counts the same events.
 *
 *     struct selection wanted = {.from = TIMESTAMP_NONE, .to = TIMESTAMP_NONE, .host = "dc*"};
 *     ... in the sink of the blocks:
 *     if (block_select(b, &wanted) == 0)
 *         return OK;
 *
 * Also which field tells the host of an event, whatever kind of log it is from.
 */
#ifndef EVENT_SELECT_H
#define EVENT_SELECT_H

#include "event/block.h"

struct selection {
    /* from <= time < to; TIMESTAMP_NONE is no bound. An event without a time is in no range. */
    timestamp from, to;
    /* A name without case in which '*' is any text and '?' any character, or NULL for all. A pattern
     * without a dot is also compared with the first part of a name: "pc01" is "PC01.example.jp". */
    const char *host;
};

/* Takes the rows that are not wanted out of a block that was handed on (its values stay in the
 * dictionaries). Returns how many rows are left. */
uint32_t block_select(struct block *b, const struct selection *wanted);

/* Takes out all rows but these (ascending) of a block that was handed on. */
void block_keep(struct block *b, const uint16_t *rows, uint32_t n);

/* The host that an event is from; an empty slice when it does not say. */
struct slice block_host(struct block *b, uint32_t row);

/* The fields that tell it, the surest first: what must be read to ask block_host. */
enum { HOST_FIELDS = 8 };
extern const struct slice host_fields[HOST_FIELDS];

/* Whether a pattern, as `host` above, fits a host's name; both folded (base/text.h). */
bool host_matches(struct slice pattern, struct slice host);

/* Whether a pattern with '*' and '?' fits the whole of a name; both folded (base/text.h). */
bool name_matches(struct slice pattern, struct slice name);

#endif
