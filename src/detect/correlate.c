#include "detect/correlation_internal.h"

#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <xxhash.h>

enum {
    RECORDS_MEMORY = 48 << 20, /* bytes of records in memory, over all levels */
    NAMES_MEMORY = 64 << 20,   /* bytes of texts */
    CHUNK = 2048,              /* records that a worker gathers */
    OFFERED = 131072,          /* a power of two */
    TEXT_BYTES = 1024,         /* of a value's text that is shown */
    LISTED = 20,               /* values that a finding lists */
    NUMBER_BYTES = 64,         /* a longer text is no number */
};

/* Keep the hashes of groups apart from those of texts, which share one table. */
#define GROUP_HASH UINT64_C(0x9ddfea08eb382d69)
#define NO_GROUP_BY UINT64_C(1) /* the group of all, when there is no group-by */

struct chunk {
    struct correlation_record *at;
    size_t n;
};

struct correlator_worker {
    struct correlator *c;
    struct chunk chunks[CORRELATION_LEVELS];
    struct correlator_counts counts;
    struct arena scratch;
    uint64_t offered[OFFERED]; /* names that the table has already, so that no lock is needed */
};

static uint64_t hash_of(const struct correlator *c, struct slice bytes)
{
    return XXH3_64bits_withSeed(bytes.p, bytes.n, c->seed);
}

struct correlator *correlator_open(const struct sigma_rule *const *rules, uint32_t rules_n,
                                   const struct correlator_limits *limits, struct error *err)
{
    struct correlator *c = xcalloc(1, sizeof *c);
    pthread_mutex_init(&c->lock, NULL);
    correlation_names_init(&c->names, limits->names);
    c->chunk = limits->chunk;
    c->seed = hash_bytes("correlator", 10);
    enum status s = correlation_plan_make(&c->plan, rules, rules_n, err);
    for (uint32_t i = 0; s == OK && i < c->plan.levels; i++) {
        c->pools_n++;
        s = correlation_pool_open(&c->pools[i], limits->records / c->plan.levels, err);
    }
    if (s != OK) {
        correlator_free(c);
        return NULL;
    }
    return c;
}

struct correlator *correlator_new(const struct ruleset *set, struct error *err)
{
    static const struct correlator_limits limits = {.records = RECORDS_MEMORY /
                                                               sizeof(struct correlation_record),
                                                    .chunk = CHUNK,
                                                    .names = NAMES_MEMORY};
    uint32_t n = (uint32_t)ruleset_count(set);
    const struct sigma_rule **rules = xcalloc(n ? n : 1, sizeof(*rules));
    for (uint32_t i = 0; i < n; i++)
        rules[i] = ruleset_rule(set, i);
    struct correlator *c = correlator_open(rules, n, &limits, err);
    free(rules);
    return c;
}

void correlator_free(struct correlator *c)
{
    if (!c)
        return;
    for (uint32_t i = 0; i < c->pools_n; i++)
        correlation_pool_close(&c->pools[i]);
    correlation_names_free(&c->names);
    correlation_plan_free(&c->plan);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

struct correlator_counts correlator_counts(const struct correlator *c)
{
    return c->counts;
}

/* ---- taking matches in ---- */

struct correlator_worker *correlator_worker_new(struct correlator *c)
{
    struct correlator_worker *w = xcalloc(1, sizeof *w);
    w->c = c;
    return w;
}

static enum status hand_over(struct correlator_worker *w, uint32_t level, struct error *err)
{
    struct chunk *chunk = &w->chunks[level];
    size_t n = chunk->n;
    chunk->n = 0;
    return n ? correlation_pool_add(&w->c->pools[level], chunk->at, n, err) : OK;
}

void correlator_worker_free(struct correlator_worker *w)
{
    if (!w)
        return;
    struct correlator *c = w->c;
    struct error err = {0};
    for (uint32_t i = 0; i < c->pools_n; i++) {
        if (hand_over(w, i, &err) != OK)
            break;
    }
    pthread_mutex_lock(&c->lock);
    c->counts.matches += w->counts.matches;
    c->counts.without_time += w->counts.without_time;
    c->counts.without_group += w->counts.without_group;
    c->counts.without_value += w->counts.without_value;
    if (err.status != OK)
        c->failed = err;
    pthread_mutex_unlock(&c->lock);
    for (uint32_t i = 0; i < CORRELATION_LEVELS; i++)
        free(w->chunks[i].at);
    arena_free(&w->scratch);
    free(w);
}

/* Where a match happened, for looking up its fields. */
struct place {
    struct correlator_worker *w;
    const struct log_binding *binding;
    struct block *b;
    uint32_t row;
};

static void keep(struct correlator_worker *w, uint64_t hash, struct slice bytes, bool needed)
{
    uint64_t mark = hash ^ hash_bytes(bytes.p, bytes.n) * 31;
    uint64_t *offered = &w->offered[mark & (OFFERED - 1)];
    if (*offered == mark)
        return;
    correlation_names_keep(&w->c->names, hash, bytes, needed);
    *offered = mark;
}

/* The text of a field as rules call it, and folded; false when the event has no such field or
 * nothing in it. */
static bool field_texts(const struct place *at, struct slice name, struct slice *text,
                        struct slice *folded)
{
    int32_t column = binding_column(at->binding, at->b, at->row, name);
    if (column < 0)
        return false;
    uint32_t id = column_id(&at->b->columns[column], at->row);
    struct slice stored = column_text(at->b, (uint32_t)column, id);
    *text = at->binding ? field_value(binding_field(at->binding, name), stored) : stored;
    if (text->n == 0)
        return false;
    *folded = text->p == stored.p ? column_folded(at->b, (uint32_t)column, id)
                                  : text_fold(&at->w->scratch, *text);
    return true;
}

static struct slice shortened(struct slice text, size_t most)
{
    if (text.n <= most)
        return text;
    while (most && ((unsigned char)text.p[most] & 0xc0) == 0x80)
        most--;
    return slice_sub(text, 0, most);
}

static bool field_hash(const struct place *at, struct slice name, bool needed, uint64_t *hash)
{
    struct slice text, folded;
    if (!field_texts(at, name, &text, &folded))
        return false;
    *hash = hash_of(at->w->c, folded);
    keep(at->w, *hash, shortened(text, TEXT_BYTES), needed);
    return true;
}

/* The hash of several fields together; 0 when one of them is missing. */
static uint64_t fields_hash(const struct place *at, const struct slice *names, uint32_t n,
                            bool needed)
{
    uint64_t hashes[CORRELATION_FIELDS];
    if (n == 0)
        return NO_GROUP_BY;
    for (uint32_t i = 0; i < n; i++)
        if (!field_hash(at, names[i], needed, &hashes[i]))
            return 0;
    struct slice bytes = slice_of(hashes, n * sizeof *hashes);
    uint64_t hash = hash_of(at->w->c, bytes) ^ GROUP_HASH;
    keep(at->w, hash ? hash : NO_GROUP_BY, bytes, needed);
    return hash ? hash : NO_GROUP_BY;
}

/* Decimal or 0x hexadecimal, all of the text. */
static bool parse_number(struct slice text, double *out)
{
    char copy[NUMBER_BYTES + 1], *end;
    struct slice trimmed = slice_trim(text);
    if (trimmed.n == 0 || trimmed.n > NUMBER_BYTES)
        return false;
    memcpy(copy, trimmed.p, trimmed.n);
    copy[trimmed.n] = '\0';
    *out = strtod(copy, &end);
    return end == copy + trimmed.n && isfinite(*out);
}

static bool is_number(const struct sigma_correlation *c)
{
    return c->type == CORRELATE_VALUE_SUM || c->type == CORRELATE_VALUE_AVG ||
           (c->type == CORRELATE_VALUE_PERCENTILE && c->percentile >= 0);
}

/* False when the event has no value for the correlation. */
static bool find_value(const struct place *at, const struct correlation_key *key, uint64_t *value)
{
    const struct sigma_correlation *c = at->w->c->plan.nodes[key->node].correlation;
    *value = 0;
    if (c->fields_n == 0)
        return true;
    if (is_number(c)) {
        struct slice text, folded;
        double d;
        if (!field_texts(at, key->fields[0], &text, &folded) || !parse_number(text, &d))
            return false;
        memcpy(value, &d, sizeof d);
        return true;
    }
    *value = fields_hash(at, key->fields, c->fields_n, false);
    return *value != 0;
}

static uint64_t find_group(const struct place *at, const struct correlation_key *key)
{
    const struct sigma_correlation *c = at->w->c->plan.nodes[key->node].correlation;
    return fields_hash(at, key->group, c->group_by_n, true);
}

static uint64_t find_carried(const struct place *at, const struct correlation_key *keys, uint32_t n)
{
    struct carried carried[CORRELATION_PATHS];
    if (n == 0)
        return 0;
    for (uint32_t i = 0; i < n; i++) {
        carried[i].group = find_group(at, &keys[i]);
        if (!find_value(at, &keys[i], &carried[i].value) || carried[i].group == 0)
            carried[i] = (struct carried){0};
    }
    struct slice bytes = slice_of(carried, n * sizeof *carried);
    uint64_t hash = hash_of(at->w->c, bytes) ^ GROUP_HASH;
    keep(at->w, hash, bytes, true);
    return hash;
}

static uint64_t find_host(const struct place *at)
{
    uint64_t hash;
    return field_hash(at, SLICE("Computer"), true, &hash) ||
                   field_hash(at, SLICE("host.name"), true, &hash)
               ? hash
               : 0;
}

static enum status feed(const struct place *at, const struct correlation_feed *f, struct error *err)
{
    struct correlator_worker *w = at->w;
    const struct correlation_node *node = &w->c->plan.nodes[f->key.node];
    struct correlation_record r = {.time = at->b->times[at->row],
                                   .record = at->b->origins[at->row].record,
                                   .input = at->b->origins[at->row].input,
                                   .node = f->key.node,
                                   .slot = f->slot};
    r.group = find_group(at, &f->key);
    if (r.group == 0) {
        w->counts.without_group++;
        return OK;
    }
    if (!find_value(at, &f->key, &r.value)) {
        w->counts.without_value++;
        return OK;
    }
    r.host = find_host(at);
    r.carry = find_carried(at, f->carry, node->paths_n);
    struct chunk *chunk = &w->chunks[node->level];
    if (!chunk->at)
        chunk->at = xcalloc(w->c->chunk, sizeof *chunk->at);
    chunk->at[chunk->n++] = r;
    return chunk->n == w->c->chunk ? hand_over(w, node->level, err) : OK;
}

enum status correlator_match(struct correlator_worker *w, const struct sigma_rule *rule,
                             const struct log_binding *binding, struct block *b, uint32_t row,
                             struct error *err)
{
    const struct correlation_plan *plan = &w->c->plan;
    if (plan->nodes_n == 0)
        return OK;
    uint32_t i = plan->feeds_of[rule->index], end = plan->feeds_of[rule->index + 1];
    if (i == end)
        return OK;
    w->counts.matches++;
    if (b->times[row] == TIMESTAMP_NONE) {
        w->counts.without_time++;
        return OK;
    }
    struct place at = {w, binding, b, row};
    enum status s = OK;
    for (; i < end && s == OK; i++)
        s = feed(&at, &plan->feeds[i], err);
    arena_reset(&w->scratch);
    return s;
}

/* ---- telling ---- */

struct finish {
    struct correlator *c;
    const struct correlation_node *node;
    enum status (*tell)(void *ctx, const struct finding *finding, struct error *err);
    void *ctx;
    struct arena scratch;
    struct {
        struct correlation_record *at;
        size_t n, cap;
    } made; /* for correlations further up, of one moment and way */
    struct {
        uint64_t *at;
        size_t n, cap;
    } values;
};

static int by_meaning(const void *a, const void *b)
{
    const struct correlation_record *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return (x->carry > y->carry) - (x->carry < y->carry);
}

/* What the events r[from..end) are to one correlation further up: one record for each of its
 * groups that they belong to, at the moment of the last of them. */
static void climb(struct finish *f, const struct correlation_record *r, size_t from, size_t end,
                  uint32_t path)
{
    const struct correlation_path *p = &f->node->paths[path];
    f->made.n = 0;
    for (size_t i = from; i < end; i++) {
        struct carried carried[CORRELATION_PATHS];
        struct slice bytes = correlation_names_get(&f->c->names, r[i].carry);
        if (bytes.n != f->node->paths_n * sizeof *carried) /* of a damaged memory */
            continue;
        memcpy(carried, bytes.p, bytes.n);
        if (carried[path].group == 0)
            continue;
        struct correlation_record up = r[end - 1];
        up.node = p->node;
        up.slot = p->slot;
        up.group = carried[path].group;
        up.value = carried[path].value;
        up.carry = 0;
        if (p->below) {
            struct slice rest = slice_of(carried + path + 1, p->below * sizeof *carried);
            up.carry = hash_of(f->c, rest) ^ GROUP_HASH;
            correlation_names_keep(&f->c->names, up.carry, rest, true);
        }
        *VEC_PUSH(f->made) = up;
    }
}

static enum status on_held(void *ctx, const struct correlation_record *r, size_t from, size_t end,
                           bool begins, struct error *err)
{
    struct finish *f = ctx;
    enum status s = OK;
    const struct correlation_node *nodes = f->c->plan.nodes;
    for (uint32_t i = 0; i < f->node->paths_n && s == OK; i += 1 + f->node->paths[i].below) {
        const struct correlation_node *up = &nodes[f->node->paths[i].node];
        if (!begins && correlation_counts(up->correlation))
            continue;
        climb(f, r, from, end, i);
        if (f->made.n == 0)
            continue;
        qsort(f->made.at, f->made.n, sizeof *f->made.at, by_meaning);
        size_t n = 1;
        for (size_t k = 1; k < f->made.n; k++)
            if (by_meaning(&f->made.at[k], &f->made.at[n - 1]) != 0)
                f->made.at[n++] = f->made.at[k];
        s = correlation_pool_add(&f->c->pools[up->level], f->made.at, n, err);
    }
    return s;
}

static int by_hash(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static int by_text(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* A value's text: that of its fields, joined. */
static struct slice value_of(struct finish *f, uint64_t value)
{
    uint64_t hashes[CORRELATION_FIELDS];
    struct slice tuple = correlation_names_get(&f->c->names, value), text = {0};
    if (tuple.n > sizeof hashes) /* of a damaged memory */
        return text;
    if (tuple.n)
        memcpy(hashes, tuple.p, tuple.n);
    for (size_t i = 0; i < tuple.n / sizeof *hashes; i++) {
        struct slice part = correlation_names_get(&f->c->names, hashes[i]);
        text =
            i ? arena_printf(&f->scratch, "%.*s + %.*s", SLICE_ARG(text), SLICE_ARG(part)) : part;
    }
    return text;
}

/* The distinct values of a burst's events, the first of them by text. */
static struct slice list_values(struct finish *f, const struct correlation_record *r, size_t n)
{
    f->values.n = 0;
    for (size_t i = 0; i < n; i++)
        *VEC_PUSH(f->values) = r[i].value;
    qsort(f->values.at, n, sizeof *f->values.at, by_hash);
    size_t distinct = 0, named = 0;
    struct slice *texts = arena_zero(&f->scratch, n, sizeof *texts);
    for (size_t i = 0; i < n; i++) {
        if (i && f->values.at[i] == f->values.at[i - 1])
            continue;
        distinct++;
        texts[named] = value_of(f, f->values.at[i]);
        named += texts[named].n != 0;
    }
    if (named)
        qsort(texts, named, sizeof *texts, by_text);
    struct slice list = {0};
    size_t listed = named < LISTED ? named : LISTED;
    for (size_t i = 0; i < listed; i++)
        list = arena_printf(&f->scratch, "%.*s%s%.*s", SLICE_ARG(list), i ? ", " : "",
                            SLICE_ARG(texts[i]));
    if (distinct > listed)
        list = arena_printf(&f->scratch, "%.*s%s%zu more", SLICE_ARG(list), listed ? ", " : "",
                            distinct - listed);
    return list;
}

/* "value_sum(bytes)" */
static struct slice measure_name(struct finish *f, const struct sigma_correlation *c)
{
    static const char *const types[] = {
        [CORRELATE_VALUE_COUNT] = "value_count",
        [CORRELATE_VALUE_SUM] = "value_sum",
        [CORRELATE_VALUE_AVG] = "value_avg",
        [CORRELATE_VALUE_PERCENTILE] = "value_percentile",
    };
    struct slice names = c->fields[0];
    for (uint32_t i = 1; i < c->fields_n; i++)
        names = arena_printf(&f->scratch, "%.*s + %.*s", SLICE_ARG(names), SLICE_ARG(c->fields[i]));
    return arena_printf(&f->scratch, "%s(%.*s)", types[c->type], SLICE_ARG(names));
}

static uint32_t make_fields(struct finish *f, const struct correlation_record *r,
                            const struct correlation_burst *burst, struct finding_field *fields)
{
    const struct sigma_correlation *c = f->node->correlation;
    uint64_t hashes[CORRELATION_FIELDS];
    bool known = true;
    uint32_t n = 0;
    if (c->group_by_n) {
        struct slice group = correlation_names_get(&f->c->names, r[burst->from].group);
        known = group.n == c->group_by_n * sizeof *hashes; /* unless a memory is damaged */
        if (known)
            memcpy(hashes, group.p, group.n);
    }
    for (; known && n < c->group_by_n; n++)
        fields[n] =
            (struct finding_field){c->group_by[n], correlation_names_get(&f->c->names, hashes[n])};
    if (c->fields_n == 0)
        return n;
    struct slice name = measure_name(f, c);
    fields[n++] = (struct finding_field){name, arena_printf(&f->scratch, "%.15g", burst->measure)};
    if (is_number(c))
        return n;
    name = c->fields_n == 1
               ? c->fields[0]
               : slice_sub(name, strcspn(name.p, "(") + 1, name.n - strcspn(name.p, "(") - 2);
    fields[n++] =
        (struct finding_field){name, c->type == CORRELATE_VALUE_COUNT
                                         ? list_values(f, r + burst->from, burst->end - burst->from)
                                         : value_of(f, burst->value)};
    return n;
}

static enum status on_burst(void *ctx, const struct correlation_record *r,
                            const struct correlation_burst *burst, struct error *err)
{
    struct finish *f = ctx;
    if (f->node->rule->hidden)
        return OK;
    struct origin events[FINDING_EVENTS];
    struct finding_field fields[FINDING_FIELDS];
    struct finding finding = {.rule = f->node->rule,
                              .time = r[burst->end - 1].time,
                              .first = r[burst->from].time,
                              .count = burst->end - burst->from,
                              .group = r[burst->from].group,
                              .events = events,
                              .fields = fields};
    for (size_t i = burst->from; i < burst->end && finding.events_n < FINDING_EVENTS; i++)
        events[finding.events_n++] = (struct origin){r[i].input, r[i].record};
    if (burst->met >= burst->from + FINDING_EVENTS) /* it says more than the sixteenth */
        events[FINDING_EVENTS - 1] = (struct origin){r[burst->met].input, r[burst->met].record};
    uint64_t host = r[burst->from].host;
    for (size_t i = burst->from; i < burst->end && host; i++)
        if (r[i].host != host)
            host = 0;
    if (host)
        finding.host = correlation_names_get(&f->c->names, host);
    finding.fields_n = make_fields(f, r, burst, fields);
    enum status s = f->tell(f->ctx, &finding, err);
    arena_reset(&f->scratch);
    return s;
}

static enum status finish_level(struct finish *f, struct correlation_walk *walk,
                                struct correlation_pool *pool, struct error *err)
{
    enum status s = correlation_pool_sort(pool, err);
    const struct correlation_record *r = pool->sorted;
    for (size_t from = 0, end; s == OK && from < pool->sorted_n; from = end) {
        for (end = from + 1; end < pool->sorted_n; end++)
            if (r[end].node != r[from].node || r[end].group != r[from].group)
                break;
        f->node = &f->c->plan.nodes[r[from].node];
        struct correlation_listener listener = {f->node->paths_n ? on_held : NULL, on_burst, f};
        s = correlation_walk_group(walk, f->node->correlation, r + from, end - from, &listener,
                                   err);
        correlation_pool_passed(pool, end);
    }
    return s;
}

enum status correlator_finish(struct correlator *c,
                              enum status (*tell)(void *ctx, const struct finding *finding,
                                                  struct error *err),
                              void *ctx, struct error *err)
{
    if (c->failed.status != OK) {
        if (err)
            *err = c->failed;
        return c->failed.status;
    }
    struct finish f = {.c = c, .tell = tell, .ctx = ctx};
    struct correlation_walk *walk = correlation_walk_new();
    enum status s = OK;
    for (uint32_t i = 0; i < c->pools_n && s == OK; i++)
        s = finish_level(&f, walk, &c->pools[i], err);
    correlation_walk_free(walk);
    free(f.made.at);
    free(f.values.at);
    arena_free(&f.scratch);
    return s;
}
