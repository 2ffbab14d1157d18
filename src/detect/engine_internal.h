/* What the files of the engine share: the state of one worker while it works on a block. */
#ifndef DETECT_ENGINE_INTERNAL_H
#define DETECT_ENGINE_INTERNAL_H

#include "detect/engine.h"
#include "detect/plan.h"

/* A value of a column meets a predicate. */
struct hit {
    uint32_t predicate;
    uint16_t column, value;
};

/* The columns of a block that a view may mean; in a row the first that has a value counts. */
struct columns {
    uint32_t *at;
    uint32_t n;
};

/* Which rows have which value of a column: rows[starts[v]] to rows[starts[v + 1] - 1]. */
struct rows_by_value {
    uint32_t *starts;
    uint16_t *rows;
};

/* Remembers which predicates a value met, by a hash of 128 bits with a secret seed. */
struct hit_memory;
struct hit_memory *hit_memory_new(void);
void hit_memory_free(struct hit_memory *m);

struct engine_worker {
    struct engine *engine;
    struct map kinds; /* kind -> index in `plans` */
    struct {
        const struct plan **at;
        size_t n, cap;
    } plans;
    struct buf key;
    struct matcher_run run;
    struct subject subject;
    struct hit_memory *memory;
    struct arena texts; /* of one value */
    struct engine_stats stats;

    /* of the block */
    const struct plan *plan;
    struct block *block;
    struct arena arena;             /* what stays for the block: predicates' rows, rows_by_value */
    struct arena scratch;           /* of one rule */
    uint32_t words;                 /* of a bitmap */
    uint64_t *full;                 /* a bit for every row */
    struct columns *columns;        /* by view */
    struct rows_by_value *by_value; /* by column; made when asked for */
    struct {
        struct hit *at;
        size_t n, cap;
    } hits;
    struct hit *sorted;  /* the hits by predicate */
    uint32_t *hits_n;    /* by predicate: how many; 0: it is not met */
    uint32_t *first_hit; /* by predicate that is met: its first in `sorted` */
    uint64_t **bits;     /* by predicate: its rows, made when asked for */
    uint64_t **present;  /* by view, likewise */
    struct {
        uint32_t *at;
        size_t n, cap;
    } touched; /* predicates with a hit */
    uint32_t predicates_room, views_room;
    uint64_t *candidates; /* a bit an entry */
    uint32_t candidates_room;
};

/* engine_new without a rule set: rules by their index. */
struct engine *engine_new_of(const struct sigma_rule *const *rules, size_t n,
                             const struct mappings *mappings, struct error *err);

/* Finds the hits of the block's values. */
void engine_find_hits(struct engine_worker *w);

/* False when no row can be meant, from the hits alone. */
bool engine_may_be_true(const struct engine_worker *w, const struct expression *e);

/* The rows for which an expression is true, or NULL when there are none. Read-only. */
const uint64_t *engine_rows(struct engine_worker *w, const struct expression *e);

/* The texts of a value that a rule is compared with: the value's, or each element's of a list and
 * then the joined text, translated by `field` (may be NULL). In the arena. */
size_t engine_texts(struct value v, const struct field_name *field, struct arena *a,
                    struct slice **texts);

#endif
