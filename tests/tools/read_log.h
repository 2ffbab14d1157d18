/* Reads one log into blocks with whatever reader recognises it, as the intake does, in one thread. */
#ifndef TESTS_TOOLS_READ_LOG_H
#define TESTS_TOOLS_READ_LOG_H

#include "intake/reader.h"

/* OK and nothing done when no reader knows it. `input` becomes the events' origin. */
enum status read_log(struct slice bytes, const char *name, uint32_t input, struct block_set *blocks,
                     struct problems *problems, struct error *err);

#endif
