/*
 * The inside of the local back end. local.c runs the scan in workers; local_plan.c makes of its
 * conditions what prunes; local_names.c finds the stored fields behind a name; local_block.c reads one
 * block; local_event.c writes whole events.
 */
#ifndef HUNT_LOCAL_INTERNAL_H
#define HUNT_LOCAL_INTERNAL_H

#include "hunt/eval.h"
#include "hunt/local.h"

#include <pthread.h>
#include <stdatomic.h>

enum { NEED_KEYS = 8, NUMBER_NEEDS = 32 };

/* What a block's filter must have so that a condition can be true in it. */
struct need {
    enum {
        NEED_ALL,  /* of the parts */
        NEED_ANY,  /* of the parts */
        NEED_TEXT, /* all keys */
    } of;
    struct need **parts;
    uint32_t parts_n;
    uint64_t keys[NEED_KEYS];
    uint32_t keys_n;
};

/* A condition on a number: tolong(field) or todouble(field) compared with a literal. */
struct number_test {
    bool is;             /* there is one */
    enum function_id op; /* FN_EQUAL, FN_LESS, ... with the field on the left */
    double number;
    /* FN_EQUAL with an integer: what its decimal text needs in a filter, as a value of its own; */
    uint64_t keys[NEED_KEYS];
    uint32_t keys_n;
    uint32_t bit; /* of block_job.lacks */
};

struct condition {
    const struct plan_expr *expr;
    struct prepared *x;
    uint32_t *columns; /* of the plan, that it looks at */
    uint32_t columns_n;
    bool any;          /* it has a `*` */
    bool of_kind;      /* it looks at nothing but what is the same for a whole kind of events */
    struct need *need; /* or NULL */
    bool of_words; /* it looks for a text in which there is more than decimal digits and signs */
    struct number_test test;
};

/* A column of the scan. */
struct scan_column {
    uint32_t number; /* the plan's */
    enum event_column event;
    enum hunt_type type;
    struct slice name;
};

struct block_job {
    uint32_t segment, no;
    uint32_t lacks; /* bits of number_test: the filter does not have the number's text */
};

struct scan {
    const struct scan_order *order;
    struct local_events *local;
    const struct plan_operator *op; /* the OP_SCAN */
    struct arena arena;
    struct scan_column *columns;
    uint32_t columns_n;
    uint32_t *column_at; /* by the plan's number: in `columns`, or NO_COLUMN */
    struct condition *conditions;
    uint32_t conditions_n;
    bool whole_events; /* EVENT_ALL is given out */
    bool ranged;       /* only times from..to, both included */
    timestamp from, to;
    bool nothing;               /* a condition is never true */
    const struct slice *inputs; /* names of inputs by number */
    uint32_t inputs_n;
    struct {
        struct block_job *at;
        size_t n, cap;
    } jobs;
    pthread_mutex_t lock; /* over jobs, figures, failure */
    _Atomic size_t next_segment, next_job;
    atomic_bool over; /* enough, stopped or failed */
    enum status status;
    struct error failure;
};

/* Conditions, the range of time, columns. */
enum status scan_plan(struct scan *s, struct error *err);
/* may[no] becomes false for the blocks of the segment that lack what the condition needs. */
enum status need_ask(const struct need *need, const struct segment *segment, bool *may,
                     struct error *err);
/* Whether numbers from `least` to `most` can meet the test. */
bool number_may(const struct number_test *t, double least, double most);

/* ---- names ---- */

/* A stored field that a name may mean. */
struct stored_name {
    struct slice name;
    const struct field_name *field; /* translates its values, or NULL */
};

struct names_of_kind {
    struct stored_name **fields; /* by column of the scan; the first that an event has counts */
    uint32_t *fields_n;
    bool wanted;                         /* the scan's log source has such events */
    const struct log_binding **bindings; /* that do, and have conditions on fields */
    uint32_t bindings_n;
    bool whole; /* one of them has no conditions: all events are wanted */
};

struct kind_cache {
    struct arena arena;
    struct map numbers;
    struct {
        struct names_of_kind **at;
        size_t n, cap;
    } list;
    struct buf key;
};

const struct names_of_kind *names_find(struct kind_cache *cache, const struct scan *s,
                                       const struct event_kind *kind);
void names_free(struct kind_cache *cache);

/* Whether a name has values that some mapping translates: its texts are not those of the filters. */
bool name_is_translated(const struct mappings *m, struct slice name);

/* Whether a name means, in some kind of events, a part of what is stored: its texts stand in those of
 * the filters between characters that belong to no token. */
bool name_has_parts(const struct mappings *m, struct slice name);

/* ---- blocks ---- */

struct worker {
    struct scan *scan;
    unsigned number;
    struct kind_cache kinds;
    struct evaluator *evaluator;
    struct segment_reader *reader;
    struct block *block;
    struct arena arena; /* of the block */
    struct hunt_figures figures;
    /* of the block that is read */
    const struct segment *segment;
    uint32_t block_no;
    const struct stored_block *told;
    const struct names_of_kind *names;
    struct bound *bound; /* by column of the scan */
    uint32_t *loaded;    /* by stored column: 1 + its number in the block; 0: not read */
    bool *rows_loaded;   /* by stored column */
    bool times_read, origins_read;
};

/* Whether the conditions on kinds hold for such events. */
bool kind_wanted(struct worker *w, const struct event_kind *kind,
                 const struct names_of_kind *names);

/* Reads the block and pushes its rows. */
enum flow block_run(struct worker *w, const struct block_job *job, struct error *err);

/* Loads a stored column's values, and its rows; its number in w->block. */
enum status block_values(struct worker *w, uint32_t stored, uint32_t *column, struct error *err);
enum status block_rows_of(struct worker *w, uint32_t stored, uint32_t *column, struct error *err);
enum status block_times(struct worker *w, struct error *err);
enum status block_origins(struct worker *w, struct error *err);

/* EVENT_ALL of these rows; all columns are loaded. */
const struct vector *events_vector(struct worker *w, const uint32_t *rows, uint32_t n,
                                   struct error *err);

/* The text of a field's value, as hunts see it. */
struct hunt_value field_text(struct block *b, uint32_t column, uint32_t id,
                             const struct field_name *field);

/* Where the stored column of a block stands that is of that name, or NO_COLUMN. */
uint32_t told_find(const struct stored_block *told, struct slice name);

#endif
