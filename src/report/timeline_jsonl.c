/* One JSON object a line and finding. The keys are promised to users: docs/output.md. */
#include "base/locale.h"
#include "report/timeline_internal.h"
#include "report/words.h"

#include <inttypes.h>

static void key(struct buf *b, const char *name)
{
    buf_printf(b, ",\"%s\":", name);
}

/* The key is left out when there is nothing to say. */
static void text(struct buf *b, const char *name, struct slice s)
{
    if (!s.n)
        return;
    key(b, name);
    buf_json(b, s);
}

static void separator(struct buf *b, bool *first)
{
    if (!*first)
        buf_char(b, ',');
    *first = false;
}

static void rule(struct buf *b, const struct sigma_rule *r)
{
    key(b, "level");
    buf_json(b, slice_str(level_key(r->level)));
    buf_add(b, SLICE(",\"rule\":{\"id\":"));
    buf_json(b, r->id);
    buf_add(b, SLICE(",\"title\":"));
    buf_json(b, r->title);
    buf_add(b, SLICE("},\"attack\":{\"tactics\":["));
    bool first = true;
    for (uint32_t i = 0; i < r->tags_n; i++) {
        int tactic = attack_tactic(r->tags[i]);
        if (tactic < 0)
            continue;
        separator(b, &first);
        buf_json(b, slice_str(attack_tactics[tactic].key));
    }
    buf_add(b, SLICE("],\"techniques\":["));
    first = true;
    char id[ATTACK_TECHNIQUE];
    for (uint32_t i = 0; i < r->tags_n; i++) {
        if (!attack_technique(r->tags[i], id))
            continue;
        separator(b, &first);
        buf_json(b, slice_str(id));
    }
    buf_add(b, SLICE("]},\"tags\":["));
    for (uint32_t i = 0; i < r->tags_n; i++) {
        buf_add(b, slice_str(i ? "," : ""));
        buf_json(b, r->tags[i]);
    }
    buf_char(b, ']');
}

static void origin(struct timeline *t, struct origin o)
{
    struct buf *b = &t->line;
    buf_add(b, SLICE("\"source\":"));
    buf_json(b, timeline_source(t, o));
    buf_printf(b, ",\"record\":%" PRIu64, o.record);
}

static void correlation(struct timeline *t, const struct finding *finding)
{
    struct buf *b = &t->line;
    char first[TIMELINE_TIME];
    buf_printf(b, ",\"correlation\":{\"count\":%" PRIu64, finding->count);
    text(b, "first", timeline_precise(t, finding->first, first));
    buf_add(b, SLICE(",\"events\":["));
    for (uint32_t i = 0; i < finding->events_n; i++) {
        buf_add(b, slice_str(i ? ",{" : "{"));
        origin(t, finding->events[i]);
        buf_char(b, '}');
    }
    buf_add(b, SLICE("]}"));
}

/* A name stands once in the object: the first, which tells most. */
static bool told_before(const struct finding *finding, uint32_t field)
{
    for (uint32_t i = 0; i < field; i++)
        if (slice_equal(finding->fields[i].name, finding->fields[field].name))
            return true;
    return false;
}

static enum status add(struct timeline *t, const struct finding *finding, struct error *err)
{
    (void)err;
    struct buf *b = &t->line;
    char time[TIMELINE_TIME];
    struct slice when = timeline_precise(t, finding->time, time);
    buf_add(b, SLICE("{\"time\":"));
    if (when.n)
        buf_json(b, when);
    else
        buf_add(b, SLICE("null"));
    rule(b, finding->rule);
    text(b, "host", finding->host);
    text(b, "channel", finding->channel);
    text(b, "provider", finding->provider);
    text(b, "code", finding->code);
    if (finding->events_n) {
        buf_char(b, ',');
        origin(t, finding->events[0]);
    }
    if (timeline_of_several(finding))
        correlation(t, finding);
    buf_add(b, SLICE(",\"fields\":{"));
    bool first = true;
    for (uint32_t i = 0; i < finding->fields_n; i++) {
        if (told_before(finding, i))
            continue;
        separator(b, &first);
        buf_json(b, finding->fields[i].name);
        buf_char(b, ':');
        buf_json(b, finding->fields[i].text);
    }
    buf_add(b, SLICE("}}\n"));
    return OK;
}

const struct timeline_format timeline_jsonl = {
    .name = "jsonl",
    .what = N_("JSON lines, one object a finding"),
    .add = add,
};
