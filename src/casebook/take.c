#include "casebook/take_internal.h"

#include "base/text.h"
#include "base/vec.h"

#include <inttypes.h>
#include <openssl/sha.h>
#include <stdlib.h>

/* ---- rules ---- */

static struct slice key_of(struct take *t, const struct sigma_rule *rule)
{
    if (!rule->id.n)
        return arena_printf(&t->arena, "title:%.*s", SLICE_ARG(rule->title));
    struct slice id = text_fold(&t->arena, rule->id);
    if (rule->shared_id)
        return arena_printf(&t->arena, "%.*s:%.*s", SLICE_ARG(id), SLICE_ARG(rule->title));
    return id;
}

static void put_tags(struct buf *b, const struct sigma_rule *rule)
{
    buf_char(b, '[');
    for (uint32_t i = 0; i < rule->tags_n; i++) {
        if (i)
            buf_char(b, ',');
        buf_json(b, rule->tags[i]);
    }
    buf_char(b, ']');
}

static enum status put_rule(struct take *t, struct taken_rule *r, struct error *err)
{
    const struct sigma_rule *rule = r->rule;
    sqlite3_stmt *q = casebook_sql(t->c, SQL_RULE_PUT, err);
    bool row = false;
    if (!q)
        return err->status;
    buf_clear(&t->text);
    put_tags(&t->text, rule);
    bind_text(q, 1, r->key);
    bind_text(q, 2, rule->id);
    bind_text(q, 3, rule->title);
    sqlite3_bind_int(q, 4, rule->level);
    bind_text(q, 5, buf_slice(&t->text));
    bind_text(q, 6, rule->description);
    bind_bytes(q, 7, r->wording, RULE_HASH);
    sqlite3_bind_int(q, 8, rule->correlation != NULL);
    enum status status = casebook_step(t->c, q, &row, err);
    if (row) {
        r->id = sqlite3_column_int64(q, 0);
        status = casebook_run(t->c, q, err);
    }
    return status;
}

/* What is known of a rule without the database. */
static struct taken_rule *known_rule(struct take *t, const struct sigma_rule *rule);

/* A correlation's findings depend on the wording of all rules that it refers to, directly or not;
 * these do not refer to each other in a circle, and CORRELATION_LEVELS bounds the depth. */
static void hash_wording(struct take *t, struct taken_rule *r)
{
    const struct sigma_correlation *c = r->rule->correlation;
    struct buf b = {0};
    buf_add(&b, slice_of(r->rule->hash, RULE_HASH));
    for (uint32_t i = 0; i < c->rules_n; i++)
        buf_add(&b, slice_of(known_rule(t, c->rules[i])->wording, RULE_HASH));
    SHA256((const unsigned char *)b.p, b.n, r->wording);
    buf_free(&b);
}

static struct taken_rule *known_rule(struct take *t, const struct sigma_rule *rule)
{
    const uint32_t *number = map_get(&t->numbers, slice_of(&rule, sizeof(rule)));
    if (number)
        return t->rules.at[*number];
    struct taken_rule *r = arena_zero(&t->arena, 1, sizeof *r);
    r->rule = rule;
    r->key = key_of(t, rule);
    memcpy(r->wording, rule->hash, RULE_HASH);
    if (rule->correlation)
        hash_wording(t, r);
    *map_put(&t->numbers, slice_of(&rule, sizeof(rule)), NULL) = (uint32_t)t->rules.n;
    return *VEC_PUSH(t->rules) = r;
}

struct taken_rule *take_rule(struct take *t, const struct sigma_rule *rule, struct error *err)
{
    struct taken_rule *r = known_rule(t, rule);
    return r->id || put_rule(t, r, err) == OK ? r : NULL;
}

/* ---- keys ---- */

/* Fields that differ from one time to the next although the same thing happens. */
static bool tells_moment(struct slice name)
{
    static const char *const ends[] = {
        "processid",   "processguid", "logonid",   "logonguid",  "threadid",     "handleid",
        "utctime",     "sourceport",  "ipport",    "activityid", "recordid",     "timecreated",
        "process.pid", "source.port", "entity_id", "@timestamp", "transactionid"};
    char folded[64];
    if (name.n >= sizeof folded)
        return false;
    for (size_t i = 0; i < name.n; i++)
        folded[i] = (char)(name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] | 0x20 : name.p[i]);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (slice_ends(slice_of(folded, name.n), slice_str(ends[i])))
            return true;
    return false;
}

static void put_part(struct buf *b, struct slice s)
{
    buf_printf(b, "%zu:", s.n);
    buf_add(b, s);
}

static void finish_key(const struct buf *b, uint8_t key[KEY_BYTES])
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)b->p, b->n, digest);
    memcpy(key, digest, KEY_BYTES);
}

static int by_name(const void *a, const void *b)
{
    const struct finding_field *x = a, *y = b;
    int order = slice_compare(x->name, y->name);
    return order ? order : slice_compare(x->text, y->text);
}

/* Fields by name, so that their order (which a mapping may change) does not matter. */
static void plain_key(struct take *t, const struct taken_rule *r, const struct finding *f,
                      uint8_t key[KEY_BYTES])
{
    struct arena scratch = {0};
    struct finding_field *fields = arena_zero(&scratch, f->fields_n, sizeof *fields);
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->fields_n; i++)
        if (!tells_moment(f->fields[i].name))
            fields[n++] =
                (struct finding_field){f->fields[i].name, text_fold(&scratch, f->fields[i].text)};
    if (n)
        qsort(fields, n, sizeof *fields, by_name);
    buf_clear(&t->text);
    put_part(&t->text, r->key);
    put_part(&t->text, text_fold(&scratch, f->host));
    for (uint32_t i = 0; i < n; i++) {
        put_part(&t->text, fields[i].name);
        put_part(&t->text, fields[i].text);
    }
    finish_key(&t->text, key);
    arena_free(&scratch);
}

void take_group_key(const struct taken_rule *r, uint64_t group, uint8_t key[KEY_BYTES])
{
    struct buf b = {0};
    put_part(&b, r->key);
    buf_printf(&b, "group:%016" PRIx64, group);
    finish_key(&b, key);
    buf_free(&b);
}

/* ---- findings ---- */

static struct slice fields_json(struct take *t, const struct finding *f)
{
    bool first = true;
    buf_clear(&t->text);
    buf_char(&t->text, '{');
    for (uint32_t i = 0; i < f->fields_n; i++) {
        bool told = false; /* the first of a name tells most */
        for (uint32_t k = 0; k < i && !told; k++)
            told = slice_equal(f->fields[k].name, f->fields[i].name);
        if (told)
            continue;
        if (!first)
            buf_char(&t->text, ',');
        first = false;
        buf_json(&t->text, f->fields[i].name);
        buf_char(&t->text, ':');
        buf_json(&t->text, f->fields[i].text);
    }
    buf_char(&t->text, '}');
    return buf_slice(&t->text);
}

static struct slice events_json(struct take *t, const struct finding *f)
{
    buf_clear(&t->text);
    buf_char(&t->text, '[');
    for (uint32_t i = 0; i < f->events_n; i++)
        buf_printf(&t->text, "%s[%" PRIu32 ",%" PRIu64 "]", i ? "," : "", f->events[i].input,
                   f->events[i].record);
    buf_char(&t->text, ']');
    return buf_slice(&t->text);
}

/* Runs a statement that returns an id. */
static enum status id_of(struct take *t, sqlite3_stmt *q, int64_t *id, struct error *err)
{
    bool row = false;
    enum status status = casebook_step(t->c, q, &row, err);
    if (row) {
        *id = sqlite3_column_int64(q, 0);
        status = casebook_run(t->c, q, err);
    }
    return status;
}

static enum status new_finding(struct take *t, const struct taken_rule *r, const struct finding *f,
                               const uint8_t key[KEY_BYTES], int64_t *id, struct error *err)
{
    sqlite3_stmt *q = casebook_sql(t->c, SQL_FINDING_NEW, err);
    if (!q)
        return err->status;
    sqlite3_bind_int64(q, 1, r->id);
    bind_bytes(q, 2, r->wording, RULE_HASH);
    bind_bytes(q, 3, key, KEY_BYTES);
    bind_time(q, 4, f->first);
    bind_time(q, 5, f->time);
    bind_number(q, 6, f->count);
    bind_text(q, 7, f->host);
    bind_text(q, 8, f->channel);
    bind_text(q, 9, f->provider);
    bind_text(q, 10, f->code);
    bind_text(q, 11, fields_json(t, f));
    bind_text(q, 12, f->rule->correlation ? events_json(t, f) : (struct slice){0});
    bind_time(q, 13, t->job->now);
    sqlite3_bind_int64(q, 14, t->round);
    enum status status = id_of(t, q, id, err);
    if (status == OK)
        status = suppressions_apply(t->suppressions, *id, f, err);
    t->counts->fresh++;
    t->counts->hidden += suppressions_hide(t->suppressions, f, t->job->now);
    return status;
}

static enum status join_finding(struct take *t, const struct taken_rule *r, const struct finding *f,
                                int64_t id, bool earlier, struct error *err)
{
    sqlite3_stmt *q = casebook_sql(t->c, SQL_FINDING_JOIN, err);
    if (!q)
        return err->status;
    sqlite3_bind_int64(q, 1, id);
    bind_bytes(q, 2, r->wording, RULE_HASH);
    bind_time(q, 3, f->time);
    if (earlier) { /* what is shown is the first event's, whatever came first */
        bind_text(q, 4, fields_json(t, f));
        bind_text(q, 7, f->host);
    }
    bind_time(q, 5, t->job->now);
    sqlite3_bind_int64(q, 6, t->round);
    return casebook_run(t->c, q, err);
}

static enum status is_matched(struct take *t, const struct taken_rule *r, struct origin o,
                              bool *matched, struct error *err)
{
    sqlite3_stmt *q = casebook_sql(t->c, SQL_MATCHED_GET, err);
    if (!q)
        return err->status;
    sqlite3_bind_int64(q, 1, r->id);
    bind_number(q, 2, o.input);
    bind_number(q, 3, o.record);
    enum status status = casebook_step(t->c, q, matched, err);
    return *matched ? casebook_run(t->c, q, err) : status;
}

static enum status put_matched(struct take *t, const struct taken_rule *r, struct origin o,
                               int64_t finding, struct error *err)
{
    sqlite3_stmt *q = casebook_sql(t->c, SQL_MATCHED_PUT, err);
    if (!q)
        return err->status;
    sqlite3_bind_int64(q, 1, r->id);
    bind_number(q, 2, o.input);
    bind_number(q, 3, o.record);
    sqlite3_bind_int64(q, 4, finding);
    return casebook_run(t->c, q, err);
}

/* The finding with this key; *id 0: there is none. */
static enum status find_finding(struct take *t, const uint8_t key[KEY_BYTES], int64_t *id,
                                timestamp *first, struct error *err)
{
    sqlite3_stmt *q = casebook_sql(t->c, SQL_FINDING_BY_KEY, err);
    bool row = false;
    *id = 0;
    if (!q)
        return err->status;
    bind_bytes(q, 1, key, KEY_BYTES);
    enum status status = casebook_step(t->c, q, &row, err);
    if (!row)
        return status;
    *id = sqlite3_column_int64(q, 0);
    *first = column_time(q, 1);
    return casebook_run(t->c, q, err);
}

static enum status take_plain(struct take *t, const struct taken_rule *r, const struct finding *f,
                              bool *news, struct error *err)
{
    struct origin o = {f->events[0].input, f->events[0].record};
    uint8_t key[KEY_BYTES];
    timestamp first = TIMESTAMP_NONE;
    int64_t id = 0;
    bool matched = false;
    enum status status = is_matched(t, r, o, &matched, err);
    *news = status == OK && !matched;
    t->counts->known += matched;
    if (!*news)
        return status;
    t->counts->matches++;
    plain_key(t, r, f, key);
    status = find_finding(t, key, &id, &first, err);
    if (status != OK)
        return status;
    if (id) {
        bool earlier = f->time != TIMESTAMP_NONE && (first == TIMESTAMP_NONE || f->time < first);
        status = join_finding(t, r, f, id, earlier, err);
        t->counts->joined++;
    } else {
        status = new_finding(t, r, f, key, &id, err);
    }
    return status == OK ? put_matched(t, r, o, id, err) : status;
}

/* ---- correlations' findings ---- */

struct burst {
    int64_t id; /* 0: there is none */
    timestamp first, last;
    uint64_t count;
};

static enum status find_burst(struct take *t, const struct finding *f, const uint8_t key[KEY_BYTES],
                              struct burst *b, struct error *err)
{
    sqlite3_stmt *q = casebook_sql(t->c, SQL_BURST_FIND, err);
    bool row = false;
    *b = (struct burst){0};
    if (!q)
        return err->status;
    bind_bytes(q, 1, key, KEY_BYTES);
    bind_time(q, 2, f->first);
    bind_time(q, 3, f->time);
    sqlite3_bind_int64(q, 4, t->round);
    enum status status = casebook_step(t->c, q, &row, err);
    if (!row)
        return status;
    *b = (struct burst){sqlite3_column_int64(q, 0), column_time(q, 1), column_time(q, 2),
                        column_number(q, 3)};
    return casebook_run(t->c, q, err);
}

/* A burst that overlaps one that is known is that one, grown (or what is left of it). What lies
 * before the matches that are kept was right when it was told. */
static enum status take_burst(struct take *t, const struct taken_rule *r, const struct finding *f,
                              bool *news, struct error *err)
{
    uint8_t key[KEY_BYTES];
    struct burst old;
    int64_t id = 0;
    take_group_key(r, f->group, key);
    enum status status = find_burst(t, f, key, &old, err);
    *news = status == OK && (!old.id || old.last < f->time || old.count < f->count);
    if (status != OK)
        return status;
    t->counts->matches += *news;
    if (!old.id)
        return new_finding(t, r, f, key, &id, err);
    t->counts->joined += *news;
    t->counts->known += !*news;
    bool begun = old.first < t->forgotten; /* its beginning is not kept any more */
    sqlite3_stmt *q = casebook_sql(t->c, SQL_BURST_UPDATE, err);
    if (!q)
        return err->status;
    sqlite3_bind_int64(q, 1, old.id);
    bind_bytes(q, 2, r->wording, RULE_HASH);
    bind_time(q, 3, begun ? old.first : f->first);
    bind_time(q, 4, f->time);
    bind_number(q, 5, begun && old.count > f->count ? old.count : f->count);
    bind_text(q, 6, f->host);
    bind_text(q, 7, fields_json(t, f));
    bind_text(q, 8, events_json(t, f));
    bind_time(q, 9, t->job->now);
    sqlite3_bind_int64(q, 10, t->round);
    return casebook_run(t->c, q, err);
}

static enum status take_all(struct take *t, struct error *err)
{
    struct findings *found = detector_findings(t->job->detector);
    struct finding f;
    enum status status = OK;
    err->status = OK;
    for (size_t at = 0; status == OK && findings_next(found, &at, &f, err);) {
        const struct taken_rule *r = take_rule(t, f.rule, err);
        struct casebook_told told = {.finding = &f};
        if (!r)
            status = err->status;
        else if (f.rule->correlation)
            status = take_burst(t, r, &f, &told.news, err);
        else
            status = take_plain(t, r, &f, &told.news, err);
        if (status != OK || !t->job->tell)
            continue;
        told.hidden = suppressions_hide(t->suppressions, &f, t->job->now);
        status = t->job->tell(t->job->ctx, &told, err);
    }
    return status == OK ? err->status : status;
}

/* ---- a round ---- */

static enum status begin_round(struct take *t, struct error *err)
{
    enum status status = casebook_mark_get(t->c, "round", &t->round, err);
    t->round++;
    if (status == OK)
        status = casebook_mark_set(t->c, "round", t->round, err);
    if (status == OK)
        status = casebook_mark_get(t->c, "matches before are forgotten", &t->forgotten, err);
    if (status == OK)
        status = suppressions_load(t->c, &t->suppressions, err);
    return status;
}

enum status casebook_take(struct casebook *c, const struct casebook_take *job,
                          struct casebook_counts *counts, struct error *err)
{
    *counts = (struct casebook_counts){0};
    struct take t = {.c = c, .job = job, .counts = counts, .forgotten = TIMESTAMP_NONE + 1};
    t.latest = TIMESTAMP_NONE + 1;
    enum status status = casebook_do(c, SQL_BEGIN, err);
    if (status != OK)
        return status;
    status = begin_round(&t, err);
    if (status == OK && detector_correlator(job->detector))
        status = memory_exchange(&t, err);
    if (status == OK)
        status = detector_correlate(job->detector, err);
    findings_sort(detector_findings(job->detector));
    if (status == OK)
        status = take_all(&t, err);
    if (status == OK && t.touched)
        status = memory_withdraw(&t, err);
    if (status == OK)
        status = casebook_settle(c, job->settled, err);
    status = casebook_end(c, status, err);
    suppressions_free(t.suppressions);
    map_free(&t.numbers);
    free(t.rules.at);
    buf_free(&t.text);
    arena_free(&t.arena);
    return status;
}

enum status casebook_prepare(struct casebook *c, struct detector *d, struct error *err)
{
    int64_t seed = 0;
    enum status status = casebook_mark_get(c, "seed", &seed, err);
    if (status == OK && detector_correlator(d))
        correlator_seed(detector_correlator(d), (uint64_t)seed);
    return status;
}
