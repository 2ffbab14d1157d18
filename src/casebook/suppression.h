/*
 * Suppressions: findings that somebody decided not to be shown, with a reason, an owner and an end.
 * They are kept and counted all the same.
 *
 * A suppression means findings of a rule, of hosts, with certain fields: all that it says must hold.
 * It hides those that are there and those that come, until its end; what comes later is shown, the
 * whole finding with it. Lifted, it hides nothing any more.
 *
 *     struct suppression s = {.rule = id, .host = SLICE("build*"), .reason = ..., ...};
 *     suppression_add(c, &s, &id, &err);
 *     suppression_lift(c, id, now, who, &found, &err);
 */
#ifndef CASEBOOK_SUPPRESSION_H
#define CASEBOOK_SUPPRESSION_H

#include "base/arena.h"
#include "casebook/casebook.h"

enum { SUPPRESSION_CONDITIONS = 16 };

struct suppression_condition {
    struct slice field, pattern; /* '*' any text, '?' any character; compared without case */
};

struct suppression {
    int64_t id;
    struct slice rule; /* id or title; empty: any */
    struct slice host; /* a pattern, as --host has it; empty: any */
    struct suppression_condition *conditions;
    uint32_t conditions_n;
    struct slice reason, owner, made_by, lifted_by;
    timestamp until, made;
    timestamp lifted;        /* TIMESTAMP_NONE: it was not */
    uint64_t hides, matches; /* findings that it hides now, and the matches that they stand for */
};

/* Adds it (id, lifted and numbers are not looked at) and hides what it means. STATUS_BAD_USE when it
 * means everything, when reason or owner are missing, or when it would be over already. */
enum status suppression_add(struct casebook *c, const struct suppression *s, int64_t *id,
                            struct error *err);

/* *found false: there is none of this number that was not lifted. */
enum status suppression_lift(struct casebook *c, int64_t id, timestamp now, struct slice by,
                             bool *found, struct error *err);

/* All, in the order of their numbers; in the arena. */
enum status suppression_list(struct casebook *c, struct arena *a, struct suppression **list,
                             size_t *n, struct error *err);

#endif
