/*
 * JSON lines that Timesketch imports as they are (its user guide, "Create timeline from JSON/JSONL/
 * CSV file"): message, datetime, timestamp (microseconds) and timestamp_desc are what it needs, tag
 * becomes its tags, all else attributes of the event.
 */
#include "base/locale.h"
#include "report/timeline_internal.h"
#include "report/words.h"

#include <inttypes.h>

static void text(struct buf *b, const char *name, struct slice s)
{
    if (!s.n)
        return;
    buf_printf(b, ",\"%s\":", name);
    buf_json(b, s);
}

/* "[high] Title: Image=..., CommandLine=..." */
static void message(struct buf *b, const struct finding *finding)
{
    struct buf said = {0};
    buf_printf(&said, "[%s] %.*s", level_key(finding->rule->level),
               SLICE_ARG(finding->rule->title));
    for (uint32_t i = 0; i < finding->fields_n; i++) {
        buf_add(&said, slice_str(i ? ", " : ": "));
        buf_add(&said, finding->fields[i].name);
        buf_char(&said, '=');
        buf_add(&said, finding->fields[i].text);
    }
    buf_add(b, SLICE("{\"message\":"));
    buf_json(b, buf_slice(&said));
    buf_free(&said);
}

/* Timesketch takes no event without a time; plaso, whose events it shows most, gives such ones the
 * epoch and says so. */
static void times(struct timeline *t, const struct finding *finding)
{
    bool none = finding->time == TIMESTAMP_NONE;
    timestamp when = none ? 0 : finding->time;
    char time[TIMESTAMP_TEXT];
    size_t n = timestamp_text(when, 6, time) - 1; /* "+00:00" in the place of "Z" */
    int64_t micro = when / 1000 - (when % 1000 < 0);
    buf_printf(&t->line,
               ",\"datetime\":\"%.*s+00:00\",\"timestamp\":%" PRId64 ",\"timestamp_desc\":\"%s\"",
               (int)n, time, micro, none ? "Not a time" : "Event Logged");
}

static void tags(struct buf *b, const struct sigma_rule *rule)
{
    char id[ATTACK_TECHNIQUE];
    buf_printf(b, ",\"tag\":[\"%s\"", level_key(rule->level));
    for (uint32_t i = 0; i < rule->tags_n; i++) {
        int tactic = attack_tactic(rule->tags[i]);
        if (tactic >= 0)
            buf_printf(b, ",\"%s\"", attack_tactics[tactic].key);
        else if (attack_technique(rule->tags[i], id))
            buf_printf(b, ",\"%s\"", id);
    }
    buf_char(b, ']');
}

/* Field names keep clear of Timesketch's own by a prefix; a dot in them would open an object. */
static void fields(struct buf *b, const struct finding *finding)
{
    struct buf name = {0};
    for (uint32_t i = 0; i < finding->fields_n; i++) {
        buf_clear(&name);
        buf_add(&name, SLICE("field_"));
        buf_add(&name, finding->fields[i].name);
        for (size_t k = 0; k < name.n; k++)
            name.p[k] = (char)(name.p[k] == '.' ? '_' : name.p[k]);
        bool again = false;
        for (uint32_t k = 0; k < i && !again; k++)
            again = slice_equal(finding->fields[k].name, finding->fields[i].name);
        if (again)
            continue;
        buf_char(b, ',');
        buf_json(b, buf_slice(&name));
        buf_char(b, ':');
        buf_json(b, finding->fields[i].text);
    }
    buf_free(&name);
}

static enum status add(struct timeline *t, const struct finding *finding, struct error *err)
{
    (void)err;
    struct buf *b = &t->line;
    message(b, finding);
    times(t, finding);
    tags(b, finding->rule);
    text(b, "level", slice_str(level_key(finding->rule->level)));
    text(b, "rule_title", finding->rule->title);
    text(b, "rule_id", finding->rule->id);
    text(b, "computer_name", finding->host);
    text(b, "channel", finding->channel);
    text(b, "provider", finding->provider);
    text(b, "event_identifier", finding->code);
    if (finding->events_n) {
        text(b, "source_file", timeline_source(t, finding->events[0]));
        buf_printf(b, ",\"record_number\":%" PRIu64, finding->events[0].record);
    }
    if (timeline_of_several(finding))
        buf_printf(b, ",\"event_count\":%" PRIu64, finding->count);
    fields(b, finding);
    buf_add(b, SLICE("}\n"));
    return OK;
}

const struct timeline_format timeline_timesketch = {
    .name = "timesketch",
    .what = N_("JSON lines for Timesketch"),
    .add = add,
};
