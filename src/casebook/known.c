#include "casebook/known.h"

#include "base/text.h"
#include "casebook/casebook_internal.h"
#include "event/select.h"

#include <jansson.h>
#include <stdlib.h>

static struct slice json_slice(struct arena *a, const json_t *text)
{
    return arena_slice(a, slice_of(json_string_value(text), json_string_length(text)));
}

static json_t *parse(struct slice text)
{
    return json_loadb(text.n ? text.p : "", text.n, JSON_ALLOW_NUL, NULL);
}

static void read_tags(struct known_finding *f, struct arena *a)
{
    json_t *list = parse(f->tags_json);
    f->tags = arena_zero(a, json_array_size(list), sizeof *f->tags);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_is_string(json_array_get(list, i)))
            f->tags[f->tags_n++] = json_slice(a, json_array_get(list, i));
    json_decref(list);
}

static void read_fields(struct known_finding *f, struct arena *a)
{
    json_t *map = parse(f->fields_json), *value;
    const char *name;
    f->fields = arena_zero(a, json_object_size(map), sizeof *f->fields);
    json_object_foreach(map, name, value) if (json_is_string(value))
    {
        f->fields[f->fields_n].name = arena_slice(a, slice_str(name));
        f->fields[f->fields_n++].text = json_slice(a, value);
    }
    json_decref(map);
}

static void read_events(struct known_finding *f, struct slice text, struct arena *a)
{
    json_t *list = text.n ? parse(text) : NULL;
    f->events = arena_zero(a, json_array_size(list), sizeof *f->events);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *pair = json_array_get(list, i);
        f->events[f->events_n++] =
            (struct origin){(uint32_t)json_integer_value(json_array_get(pair, 0)),
                            (uint64_t)json_integer_value(json_array_get(pair, 1))};
    }
    json_decref(list);
}

static struct slice text_of(sqlite3_stmt *q, int at, struct arena *a)
{
    return arena_slice(a, column_slice(q, at));
}

/* The columns of FINDING_COLUMNS. */
static void read_finding(sqlite3_stmt *q, struct known_finding *f, struct arena *a)
{
    *f = (struct known_finding){
        .id = sqlite3_column_int64(q, 0),
        .rule_id = text_of(q, 1, a),
        .title = text_of(q, 2, a),
        .level = (enum sigma_level)sqlite3_column_int(q, 3),
        .tags_json = text_of(q, 4, a),
        .description = text_of(q, 5, a),
        .wording = text_of(q, 6, a),
        .first = column_time(q, 7),
        .last = column_time(q, 8),
        .count = column_number(q, 9),
        .host = text_of(q, 10, a),
        .channel = text_of(q, 11, a),
        .provider = text_of(q, 12, a),
        .code = text_of(q, 13, a),
        .fields_json = text_of(q, 14, a),
        .found = column_time(q, 16),
        .seen = column_time(q, 17),
        .withdrawn = column_time(q, 18),
        .hidden_by = sqlite3_column_int64(q, 19),
        .correlation = sqlite3_column_int(q, 20) != 0,
    };
    if (f->level > LEVEL_CRITICAL)
        f->level = LEVEL_NONE;
    read_tags(f, a);
    read_fields(f, a);
    read_events(f, column_slice(q, 15), a);
}

/* As block_select compares hosts. */
static bool is_host(const char *pattern, struct slice host, struct arena *a)
{
    struct slice folded = text_fold(a, slice_str(pattern)), name = text_fold(a, host);
    if (name_matches(folded, name))
        return true;
    const char *dot = name.n ? memchr(name.p, '.', name.n) : NULL;
    return dot && !strchr(pattern, '.') &&
           name_matches(folded, slice_sub(name, 0, (size_t)(dot - name.p)));
}

enum status known_each(struct casebook *c, const struct known_query *query,
                       enum status (*tell)(void *ctx, const struct known_finding *f,
                                           struct error *err),
                       void *ctx, struct error *err)
{
    sqlite3_stmt *q = casebook_sql(c, SQL_FINDINGS, err);
    struct arena a = {0};
    bool row = true;
    if (!q)
        return err->status;
    bind_time(q, 1, query->from);
    bind_time(q, 2, query->to);
    sqlite3_bind_int(q, 3, query->level_least);
    if (query->rule)
        bind_text(q, 4, slice_str(query->rule));
    sqlite3_bind_int(q, 5, query->withdrawn);
    sqlite3_bind_int(q, 6, query->hidden);
    enum status status = OK;
    while (status == OK && (status = casebook_step(c, q, &row, err)) == OK && row) {
        struct known_finding f;
        arena_reset(&a);
        read_finding(q, &f, &a);
        if (!query->host || is_host(query->host, f.host, &a))
            status = tell(ctx, &f, err);
    }
    sqlite3_reset(q);
    arena_free(&a);
    return status;
}

enum status known_get(struct casebook *c, int64_t id, struct arena *a, struct known_finding *out,
                      bool *found, struct error *err)
{
    sqlite3_stmt *q = casebook_sql(c, SQL_FINDING_BY_ID, err);
    *found = false;
    if (!q)
        return err->status;
    sqlite3_bind_int64(q, 1, id);
    enum status status = casebook_step(c, q, found, err);
    if (!*found)
        return status;
    read_finding(q, out, a);
    return casebook_run(c, q, err);
}

enum status known_events(struct casebook *c, int64_t id, struct arena *a, struct origin **list,
                         size_t *n, struct error *err)
{
    sqlite3_stmt *q = casebook_sql(c, SQL_FINDING_EVENTS, err);
    size_t cap = 0;
    struct origin *at = NULL;
    bool row = true;
    enum status status = OK;
    *n = 0;
    if (!q)
        return err->status;
    sqlite3_bind_int64(q, 1, id);
    while ((status = casebook_step(c, q, &row, err)) == OK && row) {
        if (*n == cap) {
            cap = cap ? cap * 2 : 64;
            at = xrealloc(at, cap, sizeof *at);
        }
        at[(*n)++] = (struct origin){(uint32_t)column_number(q, 0), column_number(q, 1)};
    }
    *list = arena_zero(a, *n, sizeof **list);
    if (*n)
        memcpy(*list, at, *n * sizeof **list);
    free(at);
    return status;
}

enum status known_hidden_count(struct casebook *c, uint64_t *n, struct error *err)
{
    sqlite3_stmt *q = casebook_sql(c, SQL_COUNT_HIDDEN, err);
    bool row = false;
    *n = 0;
    if (!q)
        return err->status;
    enum status status = casebook_step(c, q, &row, err);
    if (!row)
        return status;
    *n = column_number(q, 0);
    return casebook_run(c, q, err);
}
