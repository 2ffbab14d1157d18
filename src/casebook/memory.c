/* What correlations remember: their matches, and the texts behind the hashes in these. */
#include "casebook/take_internal.h"

#include <stdlib.h>

/* ---- putting away ---- */

struct putting {
    struct take *t;
    int64_t correlation; /* of the last match, */
    uint64_t group;      /* and its group */
    uint64_t fresh;      /* matches that were not there */
};

static enum status number_correlation(struct take *t, struct taken_rule *r, struct error *err)
{
    sqlite3_stmt *q = casebook_sql(t->c, SQL_CORRELATION_PUT, err);
    bool row = false;
    if (!q)
        return err->status;
    bind_bytes(q, 1, r->wording, RULE_HASH);
    enum status status = casebook_step(t->c, q, &row, err);
    if (!row)
        return status;
    r->correlation = sqlite3_column_int64(q, 0);
    return casebook_run(t->c, q, err);
}

/* The group is gone through again. */
static enum status touch(struct take *t, const struct taken_rule *r, uint64_t group,
                         struct error *err)
{
    sqlite3_stmt *q = casebook_sql(t->c, SQL_TOUCHED_ADD, err);
    uint8_t key[KEY_BYTES];
    if (!q)
        return err->status;
    take_group_key(r, group, key);
    sqlite3_bind_int64(q, 1, r->correlation);
    bind_number(q, 2, group);
    bind_bytes(q, 3, key, KEY_BYTES);
    t->touched = true;
    return casebook_run(t->c, q, err);
}

static enum status put_match(void *ctx, const struct correlation_match *m, struct error *err)
{
    struct putting *p = ctx;
    struct take *t = p->t;
    struct taken_rule *r = take_rule(t, m->correlation, err);
    if (!r)
        return err->status;
    enum status status = r->correlation ? OK : number_correlation(t, r, err);
    if (status == OK && (p->correlation != r->correlation || p->group != m->group)) {
        p->correlation = r->correlation;
        p->group = m->group;
        status = touch(t, r, m->group, err);
    }
    sqlite3_stmt *q = status == OK ? casebook_sql(t->c, SQL_MATCH_PUT, err) : NULL;
    if (!q)
        return err->status;
    sqlite3_bind_int64(q, 1, r->correlation);
    bind_number(q, 2, m->group);
    sqlite3_bind_int64(q, 3, m->time);
    sqlite3_bind_int(q, 4, m->slot);
    bind_number(q, 5, (uint64_t)m->origin.input);
    bind_number(q, 6, m->origin.record);
    bind_number(q, 7, m->value);
    bind_number(q, 8, m->host);
    bind_number(q, 9, m->carry);
    status = casebook_run(t->c, q, err);
    p->fresh += status == OK && sqlite3_changes(t->c->db) > 0;
    if (m->time > t->latest)
        t->latest = m->time;
    return status;
}

static enum status put_name(void *ctx, uint64_t hash, struct slice bytes, struct error *err)
{
    const struct putting *p = ctx;
    sqlite3_stmt *q = casebook_sql(p->t->c, SQL_NAME_PUT, err);
    if (!q)
        return err->status;
    bind_number(q, 1, hash);
    bind_bytes(q, 2, bytes.n ? bytes.p : "", bytes.n);
    sqlite3_bind_int64(q, 3, p->t->latest);
    return casebook_run(p->t->c, q, err);
}

/* ---- forgetting ---- */

/* Takes the oldest matches away when there are too many. */
static enum status forget(struct take *t, uint64_t fresh, struct error *err)
{
    int64_t n = 0, most = (int64_t)(t->job->matches ? t->job->matches : CORRELATION_MATCHES);
    bool row = false;
    enum status status = casebook_mark_get(t->c, "matches kept", &n, err);
    n += (int64_t)fresh;
    sqlite3_stmt *q = NULL;
    if (status == OK && n > most) {
        q = casebook_sql(t->c, SQL_MATCH_OLDEST, err);
        if (!q)
            return err->status;
        sqlite3_bind_int64(q, 1, n - most + most / 8); /* some more, so that it is not soon again */
        status = casebook_step(t->c, q, &row, err);
    }
    if (row) {
        timestamp before = sqlite3_column_int64(q, 0);
        status = casebook_run(t->c, q, err);
        q = status == OK ? casebook_sql(t->c, SQL_MATCH_FORGET, err) : NULL;
        if (!q)
            return err->status;
        sqlite3_bind_int64(q, 1, before);
        status = casebook_run(t->c, q, err);
        n -= sqlite3_changes(t->c->db);
        q = status == OK ? casebook_sql(t->c, SQL_NAME_FORGET, err) : NULL;
        if (!q)
            return err->status;
        sqlite3_bind_int64(q, 1, before);
        status = casebook_run(t->c, q, err);
        if (status == OK && before > t->forgotten) {
            t->forgotten = before;
            status = casebook_mark_set(t->c, "matches before are forgotten", before, err);
        }
    }
    return status == OK ? casebook_mark_set(t->c, "matches kept", n, err) : status;
}

/* ---- recalling ---- */

struct recall {
    struct take *t;
    struct correlator *correlator;
    struct map seen; /* hashes whose names were recalled */
    struct arena bytes;
};

/* A name, given to the correlator; empty when it is not kept, or was recalled before. */
static enum status recall_name(struct recall *r, uint64_t hash, struct slice *bytes,
                               struct error *err)
{
    bool is_new, row = false;
    *bytes = (struct slice){0};
    map_put(&r->seen, slice_of(&hash, sizeof hash), &is_new);
    if (!is_new || !hash)
        return OK;
    sqlite3_stmt *q = casebook_sql(r->t->c, SQL_NAME_GET, err);
    if (!q)
        return err->status;
    bind_number(q, 1, hash);
    enum status status = casebook_step(r->t->c, q, &row, err);
    if (!row)
        return status;
    struct slice kept = column_slice(q, 0);
    *bytes = slice_of(arena_copy(&r->bytes, kept.n ? kept.p : "", kept.n), kept.n);
    correlator_recall_name(r->correlator, hash, *bytes);
    return casebook_run(r->t->c, q, err);
}

static uint64_t hash_at(struct slice bytes, size_t i)
{
    uint64_t hash;
    memcpy(&hash, bytes.p + i * sizeof hash, sizeof hash);
    return hash;
}

/* A group or value: the name is the hashes of its texts. */
static enum status recall_tuple(struct recall *r, uint64_t hash, struct error *err)
{
    struct slice hashes, text;
    enum status status = recall_name(r, hash, &hashes, err);
    for (size_t i = 0; status == OK && i < hashes.n / sizeof hash; i++)
        status = recall_name(r, hash_at(hashes, i), &text, err);
    return status;
}

/* What an event is to correlations further up: pairs of a group and a value. */
static enum status recall_carried(struct recall *r, uint64_t hash, struct error *err)
{
    struct slice pairs;
    enum status status = recall_name(r, hash, &pairs, err);
    for (size_t i = 0; status == OK && i < pairs.n / sizeof hash; i++)
        status = recall_tuple(r, hash_at(pairs, i), err);
    return status;
}

static enum status recall_match(struct recall *r, const struct correlation_match *m,
                                struct error *err)
{
    struct slice host;
    enum status status = correlator_recall(r->correlator, m, err);
    if (status == OK)
        status = recall_tuple(r, m->group, err);
    if (status == OK && m->value)
        status = recall_tuple(r, m->value, err);
    if (status == OK)
        status = recall_name(r, m->host, &host, err);
    if (status == OK && m->carry)
        status = recall_carried(r, m->carry, err);
    arena_reset(&r->bytes);
    return status;
}

/* The matches of the groups that were touched, or all that the correlation has. */
static enum status recall_matches(struct recall *r, const struct taken_rule *rule, bool all,
                                  struct error *err)
{
    sqlite3_stmt *q = casebook_sql(r->t->c, all ? SQL_MATCH_ALL : SQL_MATCH_GROUP, err);
    bool row = true;
    if (!q)
        return err->status;
    sqlite3_bind_int64(q, 1, rule->correlation);
    enum status status = OK;
    while (status == OK && (status = casebook_step(r->t->c, q, &row, err)) == OK && row) {
        struct correlation_match m = {
            .correlation = rule->rule,
            .time = sqlite3_column_int64(q, 0),
            .slot = (uint16_t)sqlite3_column_int(q, 1),
            .origin = {(uint32_t)column_number(q, 2), column_number(q, 3)},
            .value = column_number(q, 4),
            .host = column_number(q, 5),
            .carry = column_number(q, 6),
            .group = column_number(q, 7),
        };
        status = recall_match(r, &m, err);
    }
    sqlite3_reset(q);
    return status;
}

/* Whether something came to a correlation that others build on, or that builds on others. */
static bool nested_touched(const struct take *t, const struct correlator *c)
{
    for (size_t i = 0; i < t->rules.n; i++)
        if (t->rules.at[i]->correlation && correlator_nested(c, t->rules.at[i]->rule))
            return true;
    return false;
}

static enum status recall_all(struct recall *r, struct error *err)
{
    struct take *t = r->t;
    bool nested = nested_touched(t, r->correlator);
    enum status status = OK;
    for (size_t i = 0; status == OK && i < correlator_count(r->correlator); i++) {
        const struct sigma_rule *rule = correlator_rule(r->correlator, i);
        bool whole = nested && correlator_nested(r->correlator, rule);
        struct taken_rule *taken = take_rule(t, rule, err);
        if (!taken)
            return err->status;
        if (whole && !taken->correlation)
            status = number_correlation(t, taken, err);
        if (status == OK && taken->correlation)
            status = recall_matches(r, taken, whole, err);
    }
    return status;
}

enum status memory_exchange(struct take *t, struct error *err)
{
    struct correlator *c = detector_correlator(t->job->detector);
    struct putting p = {.t = t};
    struct correlator_listener listener = {put_match, put_name, &p};
    enum status status = casebook_do(t->c, SQL_TOUCHED_CLEAR, err);
    if (status == OK)
        status = correlator_hand_out(c, &listener, err);
    if (status == OK && p.fresh)
        status = forget(t, p.fresh, err);
    struct recall r = {.t = t, .correlator = c};
    if (status == OK && t->touched)
        status = recall_all(&r, err);
    map_free(&r.seen);
    arena_free(&r.bytes);
    return status;
}

enum status memory_withdraw(struct take *t, struct error *err)
{
    const struct correlator *c = detector_correlator(t->job->detector);
    bool nested = nested_touched(t, c);
    enum status status = OK;
    for (size_t i = 0; status == OK && i < t->rules.n; i++) {
        const struct taken_rule *r = t->rules.at[i];
        if (!r->correlation)
            continue;
        sqlite3_stmt *q = casebook_sql(t->c, SQL_BURST_WITHDRAW, err);
        if (!q)
            return err->status;
        bind_time(q, 1, t->job->now);
        sqlite3_bind_int64(q, 2, t->round);
        sqlite3_bind_int64(q, 3, t->forgotten);
        bind_bytes(q, 4, r->wording, RULE_HASH);
        sqlite3_bind_int(q, 5, nested && correlator_nested(c, r->rule));
        bind_text(q, 6, r->key);
        status = casebook_run(t->c, q, err);
        t->counts->withdrawn += status == OK ? (uint64_t)sqlite3_changes(t->c->db) : 0;
    }
    return status;
}
