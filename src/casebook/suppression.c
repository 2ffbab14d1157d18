#include "casebook/suppression_internal.h"

#include "base/locale.h"
#include "base/text.h"
#include "casebook/casebook_internal.h"
#include "casebook/known.h"
#include "event/select.h"

#include <stdlib.h>

struct suppressions {
    struct casebook *c;
    struct arena arena, scratch;
    struct suppression *list;
    size_t n;
};

/* ---- reading ---- */

static enum status read_conditions(struct casebook *c, struct arena *a, struct suppression *s,
                                   struct error *err)
{
    sqlite3_stmt *q = casebook_sql(c, SQL_SUPPRESSION_CONDITIONS, err);
    bool row = true;
    if (!q)
        return err->status;
    sqlite3_bind_int64(q, 1, s->id);
    s->conditions = arena_zero(a, SUPPRESSION_CONDITIONS, sizeof *s->conditions);
    enum status status;
    while ((status = casebook_step(c, q, &row, err)) == OK && row) {
        if (s->conditions_n == SUPPRESSION_CONDITIONS)
            continue;
        s->conditions[s->conditions_n++] = (struct suppression_condition){
            arena_slice(a, column_slice(q, 0)), arena_slice(a, column_slice(q, 1))};
    }
    return status;
}

static enum status read_hides(struct casebook *c, struct suppression *s, struct error *err)
{
    sqlite3_stmt *q = casebook_sql(c, SQL_SUPPRESSION_HIDES, err);
    bool row = false;
    if (!q)
        return err->status;
    sqlite3_bind_int64(q, 1, s->id);
    enum status status = casebook_step(c, q, &row, err);
    if (!row)
        return status;
    s->hides = column_number(q, 0);
    s->matches = (uint64_t)sqlite3_column_double(q, 1);
    return casebook_run(c, q, err);
}

/* All, without what they hide. */
static enum status read_list(struct casebook *c, struct arena *a, struct suppression **list,
                             size_t *n, struct error *err)
{
    sqlite3_stmt *q = casebook_sql(c, SQL_SUPPRESSIONS, err);
    bool row = true;
    size_t cap = 0;
    struct suppression *at = NULL;
    enum status status;
    *n = 0;
    *list = NULL;
    if (!q)
        return err->status;
    while ((status = casebook_step(c, q, &row, err)) == OK && row) {
        if (*n == cap) {
            cap = cap ? cap * 2 : 16;
            at = xrealloc(at, cap, sizeof *at);
        }
        at[(*n)++] = (struct suppression){
            .id = sqlite3_column_int64(q, 0),
            .rule = arena_slice(a, column_slice(q, 1)),
            .host = arena_slice(a, column_slice(q, 2)),
            .reason = arena_slice(a, column_slice(q, 3)),
            .owner = arena_slice(a, column_slice(q, 4)),
            .until = column_time(q, 5),
            .made = column_time(q, 6),
            .made_by = arena_slice(a, column_slice(q, 7)),
            .lifted = column_time(q, 8),
            .lifted_by = arena_slice(a, column_slice(q, 9)),
        };
    }
    *list = arena_zero(a, *n, sizeof **list);
    for (size_t i = 0; at && i < *n; i++) {
        (*list)[i] = at[i];
        if (status == OK)
            status = read_conditions(c, a, &(*list)[i], err);
    }
    free(at);
    return status;
}

enum status suppression_list(struct casebook *c, struct arena *a, struct suppression **list,
                             size_t *n, struct error *err)
{
    enum status status = read_list(c, a, list, n, err);
    for (size_t i = 0; status == OK && i < *n; i++)
        status = read_hides(c, &(*list)[i], err);
    return status;
}

/* ---- what a suppression means ---- */

static bool pattern_holds(struct arena *a, struct slice pattern, struct slice text)
{
    return name_matches(text_fold(a, pattern), text_fold(a, text));
}

/* As --host: a pattern without a dot is also compared with the first part of a name. */
static bool host_holds(struct arena *a, struct slice pattern, struct slice host)
{
    if (pattern_holds(a, pattern, host))
        return true;
    const char *dot = host.n ? memchr(host.p, '.', host.n) : NULL;
    return dot && (pattern.n == 0 || !memchr(pattern.p, '.', pattern.n)) &&
           pattern_holds(a, pattern, slice_sub(host, 0, (size_t)(dot - host.p)));
}

static bool condition_holds(struct arena *a, const struct suppression_condition *condition,
                            const struct finding_field *fields, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (slice_equal_nocase(fields[i].name, condition->field) &&
            pattern_holds(a, condition->pattern, fields[i].text))
            return true;
    return false;
}

static bool means(struct arena *a, const struct suppression *s, struct slice rule_id,
                  struct slice title, struct slice host, const struct finding_field *fields,
                  uint32_t fields_n)
{
    if (s->rule.n && !slice_equal_nocase(s->rule, rule_id) && !slice_equal(s->rule, title))
        return false;
    if (s->host.n && !host_holds(a, s->host, host))
        return false;
    for (uint32_t i = 0; i < s->conditions_n; i++)
        if (!condition_holds(a, &s->conditions[i], fields, fields_n))
            return false;
    return true;
}

static enum status tie(struct casebook *c, int64_t finding, int64_t suppression, struct error *err)
{
    sqlite3_stmt *q = casebook_sql(c, SQL_SUPPRESSED_PUT, err);
    if (!q)
        return err->status;
    sqlite3_bind_int64(q, 1, finding);
    sqlite3_bind_int64(q, 2, suppression);
    return casebook_run(c, q, err);
}

enum status suppressions_load(struct casebook *c, struct suppressions **out, struct error *err)
{
    struct suppressions *s = xcalloc(1, sizeof *s);
    s->c = c;
    *out = s;
    return read_list(c, &s->arena, &s->list, &s->n, err);
}

void suppressions_free(struct suppressions *s)
{
    if (!s)
        return;
    arena_free(&s->arena);
    arena_free(&s->scratch);
    free(s);
}

static bool means_finding(struct suppressions *s, const struct suppression *one,
                          const struct finding *f)
{
    bool meant =
        one->lifted == TIMESTAMP_NONE &&
        means(&s->scratch, one, f->rule->id, f->rule->title, f->host, f->fields, f->fields_n);
    arena_reset(&s->scratch);
    return meant;
}

enum status suppressions_apply(struct suppressions *s, int64_t id, const struct finding *f,
                               struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < s->n; i++)
        if (means_finding(s, &s->list[i], f))
            status = tie(s->c, id, s->list[i].id, err);
    return status;
}

bool suppressions_hide(struct suppressions *s, const struct finding *f, timestamp now)
{
    for (size_t i = 0; i < s->n; i++)
        if (now < s->list[i].until && means_finding(s, &s->list[i], f))
            return true;
    return false;
}

/* ---- adding and lifting ---- */

static enum status check(const struct suppression *s, struct error *err)
{
    const char *what = NULL;
    if (!s->rule.n && !s->host.n && !s->conditions_n)
        what = N_("a suppression needs a rule, a host or a field; it would hide everything");
    else if (!slice_trim(s->reason).n)
        what = N_("a suppression needs a reason");
    else if (!slice_trim(s->owner).n)
        what = N_("a suppression needs an owner, who answers for it");
    else if (s->until == TIMESTAMP_NONE || s->until <= s->made)
        what = N_("a suppression needs an end in the future");
    else if (s->conditions_n > SUPPRESSION_CONDITIONS)
        what = N_("a suppression has at most 16 conditions on fields");
    return what ? error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET, "%s", _(what)) : OK;
}

static enum status put(struct casebook *c, const struct suppression *s, int64_t *id,
                       struct error *err)
{
    sqlite3_stmt *q = casebook_sql(c, SQL_SUPPRESSION_NEW, err);
    bool row = false;
    if (!q)
        return err->status;
    if (s->rule.n)
        bind_text(q, 1, s->rule);
    if (s->host.n)
        bind_text(q, 2, s->host);
    bind_text(q, 3, s->reason);
    bind_text(q, 4, s->owner);
    bind_time(q, 5, s->until);
    bind_time(q, 6, s->made);
    bind_text(q, 7, s->made_by);
    enum status status = casebook_step(c, q, &row, err);
    if (row) {
        *id = sqlite3_column_int64(q, 0);
        status = casebook_run(c, q, err);
    }
    for (uint32_t i = 0; status == OK && i < s->conditions_n; i++) {
        q = casebook_sql(c, SQL_SUPPRESSION_CONDITION, err);
        if (!q)
            return err->status;
        sqlite3_bind_int64(q, 1, *id);
        bind_text(q, 2, s->conditions[i].field);
        bind_text(q, 3, s->conditions[i].pattern);
        status = casebook_run(c, q, err);
    }
    return status;
}

struct hiding {
    struct casebook *c;
    const struct suppression *s;
    struct arena scratch;
    int64_t id;
};

static enum status hide(void *ctx, const struct known_finding *f, struct error *err)
{
    struct hiding *h = ctx;
    bool meant = means(&h->scratch, h->s, f->rule_id, f->title, f->host, f->fields, f->fields_n);
    arena_reset(&h->scratch);
    return meant ? tie(h->c, f->id, h->id, err) : OK;
}

enum status suppression_add(struct casebook *c, const struct suppression *s, int64_t *id,
                            struct error *err)
{
    enum status status = check(s, err);
    if (status != OK)
        return status;
    struct known_query all = {
        .from = TIMESTAMP_NONE, .to = TIMESTAMP_NONE, .hidden = HIDDEN_TOO, .withdrawn = true};
    struct hiding h = {.c = c, .s = s};
    status = casebook_do(c, SQL_BEGIN, err);
    if (status != OK)
        return status;
    status = put(c, s, &h.id, err);
    if (status == OK)
        status = known_each(c, &all, hide, &h, err);
    status = casebook_end(c, status, err);
    arena_free(&h.scratch);
    *id = h.id;
    return status;
}

enum status suppression_lift(struct casebook *c, int64_t id, timestamp now, struct slice by,
                             bool *found, struct error *err)
{
    sqlite3_stmt *q = casebook_sql(c, SQL_SUPPRESSION_LIFT, err);
    *found = false;
    if (!q)
        return err->status;
    sqlite3_bind_int64(q, 1, id);
    bind_time(q, 2, now);
    bind_text(q, 3, by);
    enum status status = casebook_step(c, q, found, err);
    return *found ? casebook_run(c, q, err) : status;
}
