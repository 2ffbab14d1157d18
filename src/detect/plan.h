/*
 * What the rules of some log sources ask of a block: their detections lowered to predicates on
 * fields and expressions over those, for the set of bindings that hold for the block's kind. Kinds
 * with the same bindings share one plan. Read-only once made.
 */
#ifndef DETECT_PLAN_H
#define DETECT_PLAN_H

#include "detect/matcher.h"
#include "detect/ruleset.h"
#include "event/mapping.h"

/* A field as the bindings name it, with all that is asked of it. */
struct view {
    struct slice *names;                /* stored names; the first that an event has counts */
    uint32_t names_n;                   /* 0: every field, for keywords */
    const struct field_name *translate; /* its values, or NULL */
    struct matcher *matcher;
    bool asked; /* the matcher has predicates */
};

struct expression {
    enum {
        IS_FALSE,
        IS_MET,     /* a predicate */
        IS_PRESENT, /* a view's field is there */
        IS_SAME,    /* fieldref: view `a` with view `b`, by the modifiers */
        IS_NOT,
        IS_AND,
        IS_OR,
        IS_OF, /* at least `quantity` of the parts */
    } type;
    uint32_t predicate;
    uint32_t a, b, modifiers;
    uint32_t quantity;
    struct expression **parts;
    uint32_t parts_n;
    float need; /* how often what it can't be true without is met, about; INFINITY: it may be true
                   though nothing is met. Parts of IS_AND stand in this order */
};

/* A rule under one binding. */
struct entry {
    const struct sigma_rule *rule;
    const struct log_binding *binding;
    struct expression *expression;
};

struct plan {
    struct arena arena;
    uint64_t number;
    struct view *views;
    uint32_t views_n;
    struct map names; /* a set: the stored names of all views */
    bool all_names;   /* a view is every field */
    uint32_t predicates_n;
    uint32_t *view_of;     /* by predicate */
    struct entry *entries; /* those of a rule side by side, in the order of the rule set */
    uint32_t entries_n;
    uint32_t *first_entry; /* by predicate: its place in `needing`; one more at the end */
    uint32_t *needing;     /* entries that can't be true unless one of some predicates is met, this
                              one among them */
    uint32_t *always;      /* entries that may be true although nothing is met */
    uint32_t always_n;
};

struct plan_rule {
    const struct sigma_rule *rule;
    const struct log_binding *binding;
};

/* `list` in the order of the rule set. Pieces of rules, bindings and regexes are pointed to. */
struct plan *plan_new(const struct plan_rule *list, size_t n, const struct regexes *regexes);
void plan_free(struct plan *p);

#endif
