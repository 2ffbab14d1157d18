/* Rules and holds, and what they say of a log source. store_expire.c deletes. */
#include "store/retention.h"

#include "store/store_internal.h"

#define DAY (INT64_C(86400) * NS_PER_SECOND)

void source_name(const struct event_kind *kind, struct buf *out)
{
    bool windows = slice_equal(kind->product, SLICE("windows")) && kind->channel.n;
    const struct slice parts[] = {kind->product, windows ? kind->channel : kind->category,
                                  kind->service};
    size_t before = out->n;
    for (size_t i = 0; i < (windows ? 2 : 3); i++) {
        if (!parts[i].n)
            continue;
        if (out->n > before)
            buf_char(out, '/');
        buf_add(out, parts[i]);
    }
    if (out->n == before)
        buf_add(out, kind->channel.n ? kind->channel : SLICE("unknown"));
}

/* Whether a name is that of the source, or of something above it. */
static bool is_at_or_above(struct slice name, struct slice source)
{
    if (slice_equal(name, SLICE("*")))
        return true;
    return name.n <= source.n && slice_equal_nocase(name, slice_sub(source, 0, name.n)) &&
           (name.n == source.n || source.p[name.n] == '/');
}

static bool is_narrower(struct slice a, struct slice b)
{
    if (slice_equal(b, SLICE("*")))
        return true;
    return !slice_equal(a, SLICE("*")) && a.n >= b.n;
}

const struct store_retain *retention_rule(const struct store *s, struct slice source)
{
    const struct store_retain *best = NULL;
    for (size_t i = 0; i < s->retains.n; i++) {
        const struct store_retain *rule = &s->retains.at[i];
        if (is_at_or_above(rule->source, source) &&
            (!best || is_narrower(rule->source, best->source)))
            best = rule;
    }
    return best;
}

bool hold_is_of_source(const struct store_hold *hold, struct slice source)
{
    return !hold->source.n || is_at_or_above(hold->source, source);
}

/* A transaction of one entry. */
static enum status commit_entry(struct store *s, struct buf *entry, struct error *err)
{
    struct slice line = buf_slice(entry);
    enum status status = store_begin(s, err);
    if (status == OK)
        status = transaction_commit(s, &line, 1, err);
    buf_free(entry);
    return status;
}

static enum status need_reason(const struct store *s, struct slice reason, struct error *err)
{
    if (slice_trim(reason).n)
        return OK;
    return error_set(err, STATUS_BAD_USE, s->path, ERROR_NO_OFFSET,
                     "a reason is missing: who reads this later must know why");
}

enum status store_retain(struct store *s, const struct store_retain *rule, struct error *err)
{
    struct buf entry = {0};
    enum status status = need_reason(s, rule->reason, err);
    if (status == OK && (!rule->source.n || rule->period < DAY))
        status = error_set(err, STATUS_BAD_USE, s->path, ERROR_NO_OFFSET,
                           "a log source is kept for a day or longer");
    if (status != OK)
        return status;
    entry_retain(&entry, rule);
    return commit_entry(s, &entry, err);
}

static bool is_held(const struct store *s, struct slice name)
{
    for (size_t i = 0; i < s->holds.n; i++)
        if (!s->holds.at[i].released && slice_equal(s->holds.at[i].name, name))
            return true;
    return false;
}

enum status store_hold(struct store *s, const struct store_hold *hold, struct error *err)
{
    struct buf entry = {0};
    enum status status = need_reason(s, hold->reason, err);
    if (status == OK && is_held(s, hold->name))
        status = error_set(err, STATUS_BAD_USE, s->path, ERROR_NO_OFFSET,
                           "there is a hold called \"%.*s\" already", SLICE_ARG(hold->name));
    if (status != OK)
        return status;
    entry_hold(&entry, hold);
    return commit_entry(s, &entry, err);
}

enum status store_release(struct store *s, struct slice name, struct slice reason, struct slice by,
                          timestamp at, struct error *err)
{
    struct buf entry = {0};
    enum status status = need_reason(s, reason, err);
    if (status == OK && !is_held(s, name))
        status = error_set(err, STATUS_BAD_USE, s->path, ERROR_NO_OFFSET,
                           "no hold called \"%.*s\" is in force", SLICE_ARG(name));
    if (status != OK)
        return status;
    entry_release(&entry, name, reason, by, at);
    return commit_entry(s, &entry, err);
}
