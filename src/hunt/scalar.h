/*
 * The scalar functions of the hunt language: functions.h says what each does, this is how they are
 * called. Each computes one value from values.
 */
#ifndef HUNT_SCALAR_H
#define HUNT_SCALAR_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/arena.h"
#include "base/error.h"
#include "hunt/functions.h"

#include <pcre2.h>

/* One place in an expression where a function is called. */
struct call {
    enum function_id function;
    enum hunt_type type;             /* of the result */
    const enum hunt_type *arg_types; /* as the plan has them: also TYPE_FIELD */
    uint32_t args_n;
    /* by argument, before anything is computed: the value of one that is constant, else NULL */
    const struct hunt_value *const *constants;
    const struct hunt_value *list; /* of FN_IN and its like */
    uint32_t list_n;
    void *made; /* what `prepare` made of these */
    pcre2_code *pattern;
};

/* What computing needs beside: memory for results, of the batch; and a worker's own. */
struct scratch {
    struct arena *arena;
    pcre2_match_data *match;
    pcre2_match_context *context;
    uint64_t given_up; /* texts that a pattern took too long for: they count as no match */
};

typedef void scalar_function(const struct call *c, struct scratch *s,
                             const struct hunt_value *const *args, struct hunt_value *out);

struct scalar {
    /* `out` comes with its type and not null. Unless `nulls`, it is not called when an argument is
     * null: then the result is. */
    scalar_function *call;
    bool nulls;
    /* May be NULL. Memory from the arena; a pattern is freed by whoever owns the call. */
    enum status (*prepare)(struct call *c, struct arena *a, struct error *err);
};

/* NULL: the function is no scalar one. */
const struct scalar *scalar_of(enum function_id function);

/* ---- what the files of functions share ---- */

extern const struct scalar scalar_compare[FUNCTIONS], scalar_text[FUNCTIONS],
    scalar_pattern[FUNCTIONS], scalar_number[FUNCTIONS], scalar_time[FUNCTIONS],
    scalar_convert[FUNCTIONS], scalar_dynamic[FUNCTIONS];

static inline void set_null(struct hunt_value *out)
{
    enum hunt_type type = out->type;
    *out = (struct hunt_value){.type = type, .null = true};
    if (type == TYPE_STRING || type == TYPE_DYNAMIC)
        out->text = SLICE("");
    if (type == TYPE_STRING)
        out->null = false;
}

static inline void set_text(struct hunt_value *out, struct slice text)
{
    out->text = text;
}

/* As tostring writes it. */
struct slice value_string(const struct hunt_value *v, struct arena *a);

/* Equal and of one type, nulls not asked for; compared: < 0, 0, > 0. `fields`: text as fields. */
bool values_equal(const struct hunt_value *a, const struct hunt_value *b);
int values_compare(const struct hunt_value *a, const struct hunt_value *b, bool fields);

/* A hash of a value; equal ones have the same. */
uint64_t value_hash(const struct hunt_value *v);

#endif
