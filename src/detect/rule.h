/*
 * A Sigma rule as it was written (specification 2.1): attributes, log source, detections,
 * conditions. This is the faithful tree; predicate.h lowers it for the engine, and the slow
 * evaluator of the tests walks it as it is.
 *
 * Everything lives in the rule set's arena and is read-only once loaded.
 */
#ifndef DETECT_RULE_H
#define DETECT_RULE_H

#include "base/arena.h"

enum sigma_level {
    LEVEL_NONE,
    LEVEL_INFORMATIONAL,
    LEVEL_LOW,
    LEVEL_MEDIUM,
    LEVEL_HIGH,
    LEVEL_CRITICAL
};
enum sigma_status {
    RULE_STATUS_NONE,
    RULE_UNSUPPORTED,
    RULE_DEPRECATED,
    RULE_EXPERIMENTAL,
    RULE_TEST,
    RULE_STABLE
};

/* The modifiers of appendix 2025-08-02, one bit each. Whatever order a rule wrote them in (the
 * loader refuses the orders that mean nothing), they apply in this one: windash, utf16*, base64*,
 * then contains/startswith/endswith and how to compare. MOD_EXPAND has been done by the loader: the
 * values are those of the placeholders. At most one of each of these groups is set: contains,
 * startswith, endswith; utf16 kinds; base64, base64offset; lt..gte; time parts. docs/sigma.md says
 * what each means. */
enum sigma_modifier {
    MOD_CONTAINS = 1 << 0,
    MOD_STARTSWITH = 1 << 1,
    MOD_ENDSWITH = 1 << 2,
    MOD_ALL = 1 << 3,
    MOD_CASED = 1 << 4, /* also written `exact` */
    MOD_RE = 1 << 5,
    MOD_RE_I = 1 << 6,
    MOD_RE_M = 1 << 7,
    MOD_RE_S = 1 << 8,
    MOD_BASE64 = 1 << 9,
    MOD_BASE64OFFSET = 1 << 10,
    MOD_UTF16LE = 1 << 11, /* also `wide` */
    MOD_UTF16BE = 1 << 12,
    MOD_UTF16 = 1 << 13, /* with a byte order mark */
    MOD_WINDASH = 1 << 14,
    MOD_CIDR = 1 << 15,
    MOD_EXISTS = 1 << 16,
    MOD_FIELDREF = 1 << 17,
    MOD_EXPAND = 1 << 18,
    MOD_LT = 1 << 19,
    MOD_LTE = 1 << 20,
    MOD_GT = 1 << 21,
    MOD_GTE = 1 << 22,
    MOD_NEQ = 1 << 23,
    MOD_MINUTE = 1 << 24,
    MOD_HOUR = 1 << 25,
    MOD_DAY = 1 << 26,
    MOD_WEEK = 1 << 27,
    MOD_MONTH = 1 << 28,
    MOD_YEAR = 1 << 29,
};

/* A YAML scalar: its text, and what plain (unquoted) YAML 1.2 makes of it. */
struct sigma_value {
    enum { SIGMA_STRING, SIGMA_NUMBER, SIGMA_BOOL, SIGMA_NULL } type;
    struct slice text; /* as written, unquoted; "" for null. Wildcards and their backslashes are
                          still in it: pattern.h and the tests' evaluator interpret them */
    uint32_t line;
};

/* field|mod|mod: value or [values]. The values are or-ed, or and-ed with MOD_ALL. With MOD_NEQ the
 * field must be there and none of the values may match (no MOD_ALL then). */
struct sigma_item {
    struct slice field; /* empty for a keyword */
    uint32_t modifiers;
    struct sigma_value *values; /* none when the YAML list was empty: matches nothing */
    uint32_t values_n;
    uint32_t line, column;
};

/* One node of a detection: an item, or several joined. A map is an AND, a list of maps an OR; a
 * list of scalars is one keyword item. */
struct sigma_detection {
    enum { DETECT_ITEM, DETECT_AND, DETECT_OR } type;
    struct sigma_item item;
    struct sigma_detection *children;
    uint32_t children_n;
};

/* A search identifier of the `detection` section. */
struct sigma_search {
    struct slice name;
    struct sigma_detection detection;
};

/* A condition's tree. COND_OF: at least `quantity` of `searches` match; quantity 0 means all. The
 * loader has resolved the names: `them` is every search but those that begin with '_', and neither
 * sees those that a filter added. There is always at least one. */
struct sigma_condition {
    enum { COND_AND, COND_OR, COND_NOT, COND_SEARCH, COND_OF } type;
    struct sigma_condition *left, *right; /* NOT uses left */
    uint32_t search;                      /* COND_SEARCH: index into the rule's searches */
    uint32_t *searches;                   /* COND_OF: indexes */
    uint32_t searches_n;
    uint32_t quantity;
    struct slice pattern; /* COND_OF: as written, for people */
};

struct sigma_logsource {
    struct slice product, category, service; /* empty: not given */
};

/* Another rule that a rule names as its kin. */
struct sigma_related {
    struct slice id, type; /* derived, obsolete, merged, renamed, similar */
};

enum { RULE_HASH = 32 }; /* bytes */

struct sigma_correlation; /* correlation.h */

struct sigma_rule {
    struct slice id, name, title, description, author, date, modified, license, taxonomy, path;
    uint32_t line; /* where its document begins in the file */
    uint8_t hash
        [RULE_HASH]; /* SHA-256 of the rule as it is written (without comments and layout), and of
                         the filters on it: another hash is another wording */
    enum sigma_level level;
    enum sigma_status status;
    struct slice *tags, *references, *falsepositives, *fields, *scope;
    uint32_t tags_n, references_n, falsepositives_n, fields_n, scope_n;
    struct sigma_related *related;
    uint32_t related_n;
    struct sigma_logsource logsource;
    struct sigma_search *searches;
    uint32_t searches_n;
    struct sigma_condition **conditions; /* a list of conditions: the rule matches when one does */
    uint32_t conditions_n; /* 0: no event matches by itself (a correlation, or `lacks` is set) */
    struct slice lacks;    /* why a sound rule can't match here: "placeholder %x% is not defined" */
    const struct sigma_correlation *correlation; /* NULL: the rule looks at single events */
    bool shared_id; /* other rules of its file have the same id (`action: global`) */
    bool hidden;    /* only a correlation uses it (generate: false): no finding of its own */
    uint32_t index; /* its number in the rule set */
};

/* "high", "test"; empty for LEVEL_NONE, RULE_STATUS_NONE. And back: NONE when it is no such name. */
const char *sigma_level_name(enum sigma_level level);
const char *sigma_status_name(enum sigma_status status);
enum sigma_level sigma_level_find(struct slice name);
enum sigma_status sigma_status_find(struct slice name);

#endif
