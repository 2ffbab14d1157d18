/*
 * What the parts of the rule loader share.
 *
 *     ruleset.c           files, folders, documents; `action: global`; placeholders
 *     ruleset_finish.c    filters, correlations, and which rules stay
 *     rule_attributes.c   everything of a rule but its detections; choices
 *     rule_detection.c    detections, items and their values
 *     rule_hash.c         a rule's wording as a hash
 *     rule_modifiers.c    modifiers: which there are, which go together
 *     rule_condition.c    the grammar of conditions
 *     rule_filter.c       filters, and applying them to rules
 *     correlation_load.c  correlations
 *
 * A function that can't use what it was given fills the error with path, line and column; the
 * document then becomes a problem, and loading goes on.
 */
#ifndef DETECT_RULESET_INTERNAL_H
#define DETECT_RULESET_INTERNAL_H

#include "base/yaml.h"
#include "detect/ruleset.h"

enum {
    CONDITION_DEPTH = 64,   /* parentheses and `not` in each other */
    CONDITION_TERMS = 1024, /* names and "1 of" in one condition */
    RULE_SEARCHES = 1024,   /* search identifiers of a rule */
    RULE_FILTERS = 256,     /* filters on one rule */
    EXPAND_VALUES = 65536,  /* that placeholders make of one item */
    EXPAND_BYTES = 1 << 24, /* of text that they make of one value */
};

/* A document as it was read. */
struct rule_document {
    const struct yaml_node *root; /* a mapping */
    const char *path;
    struct slice source; /* the file's text, for the places of errors inside of scalars */
};

/* SHA-256 of what a document says, and of a hash with another one. */
void rule_hash(const struct yaml_node *root, uint8_t hash[RULE_HASH]);
void rule_hash_join(uint8_t hash[RULE_HASH], const uint8_t other[RULE_HASH]);

/* A filter, as it was written; its condition speaks of its own searches. */
struct sigma_filter {
    struct slice title, path;
    uint8_t hash[RULE_HASH];
    uint32_t line, column; /* of its `filter` section */
    struct sigma_logsource logsource;
    bool any; /* `rules: any` */
    struct slice *rules;
    uint32_t *rule_lines, *rule_columns;
    uint32_t rules_n;
    struct sigma_search *searches;
    uint32_t searches_n;
    struct sigma_condition *condition;
    struct slice lacks; /* as in a rule: then it is left out */
};

/* A rule that was read well, whether it was asked for or not: a correlation may need it. */
struct loaded_rule {
    struct sigma_rule *rule;
    bool chosen; /* by the rule_choice */
    bool source; /* its log source is among those of the rule_choice */
    bool needed; /* by a correlation that is needed or chosen */
    bool bad;    /* a problem found while finishing */
    bool loose;  /* a correlation whose rules were not found */
    bool shown;  /* a correlation with `generate: true` refers to it */
    uint32_t column;
    uint32_t filters; /* applied to it */
    uint32_t height;  /* of a correlation: levels of correlations below it, and 1 */
};

struct placeholder {
    struct slice *values;
    uint32_t n;
};

struct ruleset {
    struct arena arena; /* everything below that the vectors point to */
    struct {
        struct loaded_rule *at;
        size_t n, cap;
    } loaded;
    struct {
        struct sigma_rule **at;
        size_t n, cap;
    } rules; /* what ruleset_finish leaves of them, by index */
    struct {
        struct rule_problem *at;
        size_t n, cap;
    } problems;
    struct {
        struct sigma_filter *at;
        size_t n, cap;
    } filters;
    struct {
        struct placeholder *at;
        size_t n, cap;
    } placeholders;
    struct map ids, names;        /* to the index in `loaded` */
    struct map files;             /* read already: device and inode */
    struct map placeholder_names; /* to the index in `placeholders` */
    size_t others;                /* documents that are no rules */
};

/* Remembers why a document can't be used: where and what are the error's. */
void ruleset_problem(struct ruleset *set, struct slice title, const struct error *err);

/* The rule with this id, else the one with this name, chosen or not; NULL when there is none. */
struct sigma_rule *ruleset_find(const struct ruleset *set, struct slice id_or_name);

/* ---- rule_attributes.c ---- */

/* title to scope; not the log source. */
enum status rule_attributes(struct ruleset *set, const struct rule_document *doc,
                            struct sigma_rule *rule, struct error *err);
enum status rule_logsource(struct ruleset *set, const struct rule_document *doc,
                           struct sigma_logsource *out, struct error *err);

/* A text, or a list of texts, copied into the set; OK with nothing when the node is NULL. */
enum status rule_texts(struct ruleset *set, const struct rule_document *doc, const char *what,
                       const struct yaml_node *node, struct slice **out, uint32_t *n,
                       struct error *err);

/* Whether a choice takes a rule; its log source apart, for a correlation has none itself. */
bool rule_is_chosen(const struct sigma_rule *rule, const struct rule_choice *choice);
bool rule_source_is_chosen(const struct sigma_rule *rule, const struct rule_choice *choice);

/* ---- rule_detection.c ---- */

/* The searches of a `detection` or `filter` section: every key but those in `others` (ended by
 * NULL). *lacks is set when a placeholder is not defined. */
enum status rule_searches(struct ruleset *set, const struct rule_document *doc,
                          const struct yaml_node *section, const char *const *others,
                          struct sigma_search **out, uint32_t *n, struct slice *lacks,
                          struct error *err);

/* ---- rule_modifiers.c ---- */

/* The modifiers of a key "field|mod|mod" as bits; *field is its part before the first bar. */
enum status rule_modifiers(const struct rule_document *doc, const struct yaml_node *key,
                           struct slice *field, uint32_t *modifiers, struct error *err);

/* Whether a value can stand behind these modifiers. */
enum status rule_value_check(const struct rule_document *doc, const struct yaml_node *node,
                             uint32_t modifiers, const struct sigma_value *value,
                             struct error *err);

/* ---- rule_condition.c ---- */

/* Parses a condition. A name is looked up in `names` (a search's index is its index there). The
 * node is the scalar that holds it. The tree is balanced: its depth is at most about
 * CONDITION_DEPTH * log2(CONDITION_TERMS). */
enum status rule_condition(struct ruleset *set, const struct rule_document *doc,
                           const struct yaml_node *node, const struct slice *names,
                           uint32_t names_n, struct sigma_condition **out, struct error *err);

/* ---- rule_filter.c ---- */

enum status filter_load(struct ruleset *set, const struct rule_document *doc, struct error *err);

/* Adds the filters' searches and conditions to the rules that they are for. */
void filters_apply(struct ruleset *set);

/* ---- correlation_load.c ---- */

/* Reads the `correlation` section of a document; rule->path and the attributes are set. The names
 * of what it refers to are kept as written: that need not be loaded yet. */
enum status correlation_load(struct ruleset *set, const struct rule_document *doc,
                             struct sigma_rule *rule, struct error *err);

/* When all files are loaded: turns the names into rules (ruleset_find). ruleset_finish then refuses
 * correlations that refer to themselves over others, brings in rules that only they need, and sets
 * `hidden` by `generate`. */
enum status correlation_resolve(struct ruleset *set, struct sigma_rule *rule, struct error *err);

#endif
