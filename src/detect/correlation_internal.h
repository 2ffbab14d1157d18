/*
 * What the parts of the correlator share.
 *
 *   correlation_plan.c     from rules to what has to be looked up in a match, and for whom
 *   correlation_names.c    texts behind the hashes that records carry
 *   correlation_pool.c     records of matches: in memory, spilled to a file, sorted
 *   correlation_window.c   one group's records in order of time -> bursts
 *   correlate.c            takes matches in, tells findings
 *   correlation_memory.c   matches handed out and taken in again, for a later run
 *
 * A match becomes one record of fixed size for each correlation that refers to its rule. Records
 * are sorted by correlation, group and time, so that a group is a stretch of an array and a window
 * two indexes into it; nothing else is kept in memory, however many groups there are. Correlations
 * that refer to others wait in a pool of a higher level until those have been gone through.
 */
#ifndef DETECT_CORRELATION_INTERNAL_H
#define DETECT_CORRELATION_INTERNAL_H

#include <pthread.h>

#include "base/vec.h"
#include "detect/correlation.h"

enum { CORRELATION_PATHS = 256 }; /* ways from one up to those that refer to it, directly or not */

/* One match as one correlation sees it. */
struct correlation_record {
    timestamp time;
    uint64_t group;  /* hash of the group-by fields' values; never 0 */
    uint64_t value;  /* of `field`: its hash for value_count and shares, else a double's bits */
    uint64_t host;   /* hash of its text; 0: not known */
    uint64_t carry;  /* hash of struct carried[paths_n]; 0: nobody refers to this correlation */
    uint64_t record; /* origin */
    uint32_t input;
    uint16_t node; /* number of the correlation in the plan */
    uint16_t slot; /* which of its rules matched */
};

/* What an event is to a correlation further up: its group and value there; group 0: it has none. */
struct carried {
    uint64_t group, value;
};

/* ---- names ---- */

enum { NAMES_SHARDS = 16 };

/* Bytes by their hash, for all threads: texts, and the hashes that make up a group. */
struct correlation_names {
    struct correlation_names_shard {
        pthread_mutex_t lock;
        struct map index;
        struct {
            struct correlation_name {
                uint64_t hash;
                struct slice bytes;
            } * at;
            size_t n, cap;
        } entries;
        struct arena bytes;
    } shards[NAMES_SHARDS];
    size_t most; /* bytes, past which texts that findings can do without are not kept */
};

void correlation_names_init(struct correlation_names *names, size_t most);
void correlation_names_free(struct correlation_names *names);
/* Keeps a copy. Of several texts with the same hash (that differ in case) the least one is kept,
 * so that the order in which threads come does not show. `needed`: whatever the memory. */
void correlation_names_keep(struct correlation_names *names, uint64_t hash, struct slice bytes,
                            bool needed);
void correlation_names_clear(struct correlation_names *names);
enum status correlation_names_each(const struct correlation_names *names,
                                   enum status (*name)(void *ctx, uint64_t hash, struct slice bytes,
                                                       struct error *err),
                                   void *ctx, struct error *err);
/* An empty slice when not kept. Aligned for uint64_t. Not while others keep. */
struct slice correlation_names_get(const struct correlation_names *names, uint64_t hash);

/* ---- pool ---- */

struct correlation_pool {
    pthread_mutex_t lock;
    struct {
        struct correlation_record *at;
        size_t n, cap;
    } kept;
    size_t most; /* records kept in memory */
    int runs_fd, sorted_fd;
    struct {
        struct correlation_run {
            uint64_t at, n; /* in records */
        } * at;
        size_t n, cap;
    } runs;
    uint64_t spilled;
    const struct correlation_record *sorted; /* after correlation_pool_sort */
    size_t sorted_n;
    void *map;
    size_t map_bytes, passed; /* `passed`: bytes from the beginning that were given back */
};

/* Opens the files that it may spill to, which no folder shows. */
enum status correlation_pool_open(struct correlation_pool *pool, size_t most, struct error *err);
void correlation_pool_close(struct correlation_pool *pool);
enum status correlation_pool_add(struct correlation_pool *pool,
                                 const struct correlation_record *records, size_t n,
                                 struct error *err);
/* All records by node, group, time, then slot and origin; in `sorted`. */
enum status correlation_pool_sort(struct correlation_pool *pool, struct error *err);
/* Forgets all records. */
void correlation_pool_clear(struct correlation_pool *pool);
/* Records before sorted[n] are not needed any more: their memory may go. */
void correlation_pool_passed(struct correlation_pool *pool, size_t n);

/* ---- plan ---- */

/* What to look up in an event: names of fields as the matched rule's log source calls them. */
struct correlation_key {
    uint16_t node;
    struct slice *group, *fields; /* as many as the correlation's group_by, fields */
};

/* A rule that a correlation refers to, for a match of the rule. */
struct correlation_feed {
    uint16_t slot;
    struct correlation_key key;
    struct correlation_key *carry; /* paths_n of the node */
};

/* A way up: a correlation that refers to this one, followed by the `below` ways up from there. */
struct correlation_path {
    uint16_t node, slot;
    uint32_t below;
};

struct correlation_node {
    const struct sigma_rule *rule;
    const struct sigma_correlation *correlation;
    uint32_t level; /* 0: refers to plain rules alone */
    struct correlation_path *paths;
    uint32_t paths_n;
};

struct correlation_plan {
    struct correlation_node *nodes;
    uint32_t nodes_n, levels;
    struct correlation_feed *feeds; /* those of rule i: from feeds_of[i] to feeds_of[i + 1] */
    uint32_t *feeds_of;
    uint32_t rules_n;
    struct arena arena;
};

/* `rules`: all of a rule set, by index. */
enum status correlation_plan_make(struct correlation_plan *plan,
                                  const struct sigma_rule *const *rules, uint32_t rules_n,
                                  struct error *err);
void correlation_plan_free(struct correlation_plan *plan);

/* Whether windows are looked at as they fill (docs/correlations.md), else when they are over. */
bool correlation_grows(const struct sigma_correlation *c);
/* Counts its events, or their values: not one of the temporal types. */
bool correlation_counts(const struct sigma_correlation *c);
bool correlation_within(const struct sigma_correlation *c, double measure);
/* The rules of an extended condition that are asked for, not only forbidden; all without one. */
uint64_t correlation_wanted(const struct sigma_correlation *c);
/* All rules that it names. */
uint64_t correlation_named(const struct sigma_condition *condition);
bool correlation_condition(const struct sigma_condition *condition, uint64_t matched);

/* ---- window ---- */

struct correlation_burst {
    size_t from, end; /* its events in the group's array */
    size_t met;       /* the event with which the condition was met first */
    double measure;   /* the most telling one (the least one when the condition asks for little) */
    uint64_t value;   /* of shares: whose it is */
};

struct correlation_walk; /* memory that is used again for each group */
struct correlation_walk *correlation_walk_new(void);
void correlation_walk_free(struct correlation_walk *walk);

struct correlation_listener {
    /* The condition holds at the time of r[end - 1]; r[from..end) had their part in it. Called in
     * order of time; `begins` with the first of a burst. May be NULL. */
    enum status (*held)(void *ctx, const struct correlation_record *r, size_t from, size_t end,
                        bool begins, struct error *err);
    enum status (*burst)(void *ctx, const struct correlation_record *r,
                         const struct correlation_burst *burst, struct error *err);
    void *ctx;
};

/* Goes through one group's records, which are in order. */
enum status correlation_walk_group(struct correlation_walk *walk, const struct sigma_correlation *c,
                                   const struct correlation_record *r, size_t n,
                                   const struct correlation_listener *listener, struct error *err);

/* ---- the correlator, with limits that tests make tiny ---- */

struct correlator_limits {
    size_t records; /* in memory, all together */
    size_t chunk;   /* that a worker gathers before it hands them over */
    size_t names;   /* bytes of texts */
};
/* The correlator itself, for correlate.c and correlation_memory.c. */
struct correlator {
    struct correlation_plan plan;
    struct correlation_names names;
    struct correlation_pool pools[CORRELATION_LEVELS];
    uint32_t pools_n;
    size_t chunk;
    uint64_t seed;        /* of the hashes that records carry */
    pthread_mutex_t lock; /* of what workers leave behind */
    struct correlator_counts counts;
    struct error failed; /* a worker could not hand over what it held */
};

struct correlator *correlator_open(const struct sigma_rule *const *rules, uint32_t rules_n,
                                   const struct correlator_limits *limits, struct error *err);

#endif
