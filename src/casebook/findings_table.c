#include "casebook/findings_table.h"

#include "casebook/known.h"

enum findings_column {
    COLUMN_TIME,
    COLUMN_FIRST,
    COLUMN_LAST,
    COLUMN_ID,
    COLUMN_COUNT,
    COLUMN_LEVEL,
    COLUMN_SEVERITY,
    COLUMN_RULE,
    COLUMN_RULE_ID,
    COLUMN_TAGS,
    COLUMN_HOST,
    COLUMN_CHANNEL,
    COLUMN_PROVIDER,
    COLUMN_CODE,
    COLUMN_CORRELATION,
    COLUMN_FIELDS,
    COLUMN_FOUND,
    COLUMN_SEEN,
    COLUMN_SUPPRESSED,
    COLUMN_SUPPRESSION,
    COLUMN_WITHDRAWN,
    COLUMNS
};

/* Where events have the same, it is called the same. */
static const struct table_column columns[COLUMNS + 1] = {
    [COLUMN_TIME] = {"Timestamp", TYPE_DATETIME},
    [COLUMN_FIRST] = {"first", TYPE_DATETIME},
    [COLUMN_LAST] = {"last", TYPE_DATETIME},
    [COLUMN_ID] = {"finding", TYPE_LONG},
    [COLUMN_COUNT] = {"matches", TYPE_LONG},
    [COLUMN_LEVEL] = {"level", TYPE_STRING},
    [COLUMN_SEVERITY] = {"severity", TYPE_LONG}, /* 0 to 5: none, informational, ..., critical */
    [COLUMN_RULE] = {"rule.name", TYPE_STRING},
    [COLUMN_RULE_ID] = {"rule.id", TYPE_STRING},
    [COLUMN_TAGS] = {"tags", TYPE_DYNAMIC},
    [COLUMN_HOST] = {"host.name", TYPE_STRING},
    [COLUMN_CHANNEL] = {"logsource.channel", TYPE_STRING},
    [COLUMN_PROVIDER] = {"event.provider", TYPE_STRING},
    [COLUMN_CODE] = {"event.code", TYPE_FIELD},
    [COLUMN_CORRELATION] = {"correlation", TYPE_BOOL},
    [COLUMN_FIELDS] = {"fields", TYPE_DYNAMIC},
    [COLUMN_FOUND] = {"found", TYPE_DATETIME},
    [COLUMN_SEEN] = {"seen", TYPE_DATETIME},
    [COLUMN_SUPPRESSED] = {"suppressed", TYPE_BOOL},
    [COLUMN_SUPPRESSION] = {"suppression", TYPE_LONG},
    [COLUMN_WITHDRAWN] = {"withdrawn", TYPE_BOOL},
};

struct reading {
    table_row *row;
    void *to;
};

static struct hunt_value text(struct slice s)
{
    return (struct hunt_value){.type = TYPE_STRING, .text = s};
}

static struct hunt_value dynamic(struct slice json)
{
    return (struct hunt_value){.type = TYPE_DYNAMIC, .text = json};
}

static struct hunt_value moment(timestamp t)
{
    return (struct hunt_value){
        .type = TYPE_DATETIME, .null = t == TIMESTAMP_NONE, .number = t == TIMESTAMP_NONE ? 0 : t};
}

static struct hunt_value number(int64_t n, bool null)
{
    return (struct hunt_value){.type = TYPE_LONG, .null = null, .number = n};
}

static struct hunt_value truth(bool is)
{
    return (struct hunt_value){.type = TYPE_BOOL, .truth = is};
}

static enum status give(void *ctx, const struct known_finding *f, struct error *err)
{
    const struct reading *r = ctx;
    const struct hunt_value values[COLUMNS] = {
        [COLUMN_TIME] = moment(f->last),
        [COLUMN_FIRST] = moment(f->first),
        [COLUMN_LAST] = moment(f->last),
        [COLUMN_ID] = number(f->id, false),
        [COLUMN_COUNT] = number((int64_t)f->count, false),
        [COLUMN_LEVEL] = text(slice_str(sigma_level_name(f->level))),
        [COLUMN_SEVERITY] = number(f->level, false),
        [COLUMN_RULE] = text(f->title),
        [COLUMN_RULE_ID] = text(f->rule_id),
        [COLUMN_TAGS] = dynamic(f->tags_json),
        [COLUMN_HOST] = text(f->host),
        [COLUMN_CHANNEL] = text(f->channel),
        [COLUMN_PROVIDER] = text(f->provider),
        [COLUMN_CODE] = text(f->code),
        [COLUMN_CORRELATION] = truth(f->correlation),
        [COLUMN_FIELDS] = dynamic(f->fields_json),
        [COLUMN_FOUND] = moment(f->found),
        [COLUMN_SEEN] = moment(f->seen),
        [COLUMN_SUPPRESSED] = truth(f->hidden_by != 0),
        [COLUMN_SUPPRESSION] = number(f->hidden_by, f->hidden_by == 0),
        [COLUMN_WITHDRAWN] = truth(f->withdrawn != TIMESTAMP_NONE),
    };
    return r->row(r->to, values, err);
}

static enum status read_findings(void *ctx, table_row *row, void *to, struct error *err)
{
    const struct findings_table *t = ctx;
    const struct known_query all = {
        .from = TIMESTAMP_NONE, .to = TIMESTAMP_NONE, .hidden = HIDDEN_TOO, .withdrawn = true};
    struct reading r = {row, to};
    if (t->casebook)
        return known_each(t->casebook, &all, give, &r, err);
    if (t->why.status != OK)
        *err = t->why;
    return t->why.status;
}

struct hunt_table findings_table(struct findings_table *t)
{
    *t = (struct findings_table){.source = {read_findings, t}};
    return (struct hunt_table){
        .name = "findings",
        .what = "what detection found, one row for a finding with all its repeats",
        .columns = columns,
        .of = &t->source,
    };
}

void findings_open(struct findings_table *t, const char *folder)
{
    t->why.status = OK;
    if (casebook_there(folder))
        t->casebook = casebook_open(folder, &t->why);
}

void findings_close(struct findings_table *t)
{
    casebook_close(t->casebook);
    t->casebook = NULL;
}
