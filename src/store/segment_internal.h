/*
 * The frame of a segment file, shared by its writer and its reader: docs/store-format.md, "Segments".
 */
#ifndef STORE_SEGMENT_INTERNAL_H
#define STORE_SEGMENT_INTERNAL_H

#include "store/segment.h"

#define SEGMENT_HEAD SLICE("hikeshi segment 1\n")
#define SEGMENT_TAIL SLICE("hikeshi\n")

enum {
    /* footer's place (8), its stored and raw length and check (4 each), check of these 20, tail */
    TRAILER_BYTES = 32,
    TRAILER_CHECKED = 20,
    CHECK_BYTES = 4,
    /* of a column's flags */
    FLAG_ROWS = 7,
    FLAG_ABSENT = 8,
    FLAG_INLINE = 16,
    FLAG_RANGE_SHIFT = 5,
};

#endif
