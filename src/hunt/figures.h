/*
 * What a hunt did, for --explain: what was left out without being read, and by what; what was read;
 * where the time went.
 */
#ifndef HUNT_FIGURES_H
#define HUNT_FIGURES_H

#include <stdint.h>

struct hunt_figures {
    /* the back end's: each block is pruned by the first of these that rules it out */
    uint64_t segments, segments_pruned; /* by their range of time */
    uint64_t blocks;
    uint64_t blocks_by_time, blocks_by_filter, blocks_by_kind;
    uint64_t blocks_by_range;  /* by least and most of columns, or constant columns */
    uint64_t blocks_by_values; /* by their distinct values: no rows were read */
    uint64_t blocks_read;      /* the rest */
    uint64_t events;           /* in these */
    uint64_t columns_read, bytes_read;
    uint64_t rows_found;     /* that the back end gave out */
    uint64_t texts_given_up; /* that took a regular expression too long: they count as no match */
    /* the executor's */
    uint64_t rows_out;
    uint64_t memory_most;            /* bytes that operators held at the most */
    uint64_t ns_prepare;             /* regular expressions compiled, tables in conditions run */
    uint64_t ns_prune;               /* filters and ranges; together by all workers, as are: */
    uint64_t ns_read, ns_conditions; /* reading and unpacking; computing conditions */
    uint64_t ns_operators;           /* all that is above the back end */
    uint64_t ns_total;               /* by the clock on the wall */
};

#endif
