/*
 * What the files that take findings in share.
 *
 *   take.c        findings and the order of things
 *   memory.c      what correlations remember
 */
#ifndef CASEBOOK_TAKE_INTERNAL_H
#define CASEBOOK_TAKE_INTERNAL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "casebook/casebook_internal.h"
#include "casebook/suppression_internal.h"
#include "casebook/take.h"

enum { KEY_BYTES = 16 }; /* of a SHA-256: a finding's key */

/* A rule as this round needs it. */
struct taken_rule {
    const struct sigma_rule *rule;
    int64_t id;                 /* in the table of rules */
    struct slice key;           /* what makes it the same rule in another wording */
    uint8_t wording[RULE_HASH]; /* of a correlation: with those that it refers to */
    int64_t correlation;        /* its number in the memory, or 0 */
};

struct take {
    struct casebook *c;
    const struct casebook_take *job;
    struct casebook_counts *counts;
    struct arena arena;
    struct map numbers; /* address of a rule -> place in `rules` */
    struct {
        struct taken_rule **at;
        size_t n, cap;
    } rules;
    int64_t round;
    timestamp forgotten; /* matches of correlations before this are not kept */
    timestamp latest;    /* of the matches of this round */
    struct suppressions *suppressions;
    struct buf text;
    bool touched;
};

/* The rule's row, made or brought up to date. NULL on failure. */
struct taken_rule *take_rule(struct take *t, const struct sigma_rule *rule, struct error *err);

/* A correlation's finding repeats one with the same key. */
void take_group_key(const struct taken_rule *r, uint64_t group, uint8_t key[KEY_BYTES]);

/* Puts away the matches that the detector's correlator gathered, and gives it all that it needs to
 * find what there is to find in the groups that got something. */
enum status memory_exchange(struct take *t, struct error *err);

/* Findings of those groups that were not told again are withdrawn. */
enum status memory_withdraw(struct take *t, struct error *err);

#endif
