#include "cli/finding_print.h"

#include "base/locale.h"
#include "report/term.h"
#include "report/words.h"

#include <inttypes.h>

enum { EVENTS_SHOWN = 20 }; /* to people */

struct slice *finding_sources(const struct store *s, struct arena *a)
{
    struct slice *names = arena_zero(a, s->next_input, sizeof *names);
    for (size_t i = 0; i < s->files_n; i++)
        for (size_t k = 0; k < s->files[i].inputs_n; k++)
            if (s->files[i].inputs[k].number < s->next_input)
                names[s->files[i].inputs[k].number] = s->files[i].inputs[k].name;
    return names;
}

static struct slice source_of(const struct finding_events *e, struct origin o)
{
    return o.input < e->sources_n ? e->sources[o.input] : SLICE("");
}

static struct slice time_text(timestamp t, char out[TIMESTAMP_TEXT])
{
    return slice_of(out, timestamp_text(t, t % 100 ? 9 : 7, out));
}

/* ---- JSON ---- */

void put_moment(struct buf *out, const char *name, timestamp t)
{
    char text[TIMESTAMP_TEXT];
    if (t == TIMESTAMP_NONE)
        return;
    buf_printf(out, ",\"%s\":", name);
    buf_json(out, time_text(t, text));
}

static void put_member(struct buf *out, const char *name, struct slice text)
{
    if (!text.n)
        return;
    buf_printf(out, ",\"%s\":", name);
    buf_json(out, text);
}

static void put_events(struct buf *out, const struct finding_events *e)
{
    buf_add(out, SLICE(",\"events\":["));
    for (size_t i = 0; i < e->n; i++) {
        buf_printf(out, "%s{\"input\":%" PRIu32 ",\"source\":", i ? "," : "", e->list[i].input);
        buf_json(out, source_of(e, e->list[i]));
        buf_printf(out, ",\"record\":%" PRIu64 "}", e->list[i].record);
    }
    buf_char(out, ']');
}

void finding_json(struct buf *out, const struct known_finding *f, const struct finding_events *e)
{
    buf_printf(out, "{\"finding\":%lld", (long long)f->id);
    put_moment(out, "first", f->first);
    put_moment(out, "last", f->last);
    buf_printf(out, ",\"count\":%" PRIu64 ",\"level\":\"%s\",\"rule\":{\"id\":", f->count,
               level_key(f->level));
    buf_json(out, f->rule_id);
    buf_add(out, SLICE(",\"title\":"));
    buf_json(out, f->title);
    buf_add(out, SLICE("},\"tags\":"));
    buf_add(out, f->tags_json);
    put_member(out, "host", f->host);
    put_member(out, "channel", f->channel);
    put_member(out, "provider", f->provider);
    put_member(out, "code", f->code);
    buf_printf(out, ",\"correlation\":%s,\"fields\":", f->correlation ? "true" : "false");
    buf_add(out, f->fields_json);
    put_moment(out, "found", f->found);
    put_moment(out, "seen", f->seen);
    if (f->hidden_by)
        buf_printf(out, ",\"suppressed_by\":%lld", (long long)f->hidden_by);
    put_moment(out, "withdrawn", f->withdrawn);
    if (e->list)
        put_events(out, e);
    buf_char(out, '}');
}

/* ---- text ---- */

static void line(struct buf *out, const char *name, struct slice text)
{
    if (!text.n)
        return;
    buf_printf(out, "  %s: ", name);
    term_clean(out, text);
    buf_char(out, '\n');
}

static void time_line(struct buf *out, const char *name, timestamp t)
{
    char text[TIMESTAMP_TEXT];
    if (t != TIMESTAMP_NONE)
        line(out, name, time_text(t, text));
}

static void tags_line(struct buf *out, const struct known_finding *f)
{
    struct buf tags = {0};
    for (uint32_t i = 0; i < f->tags_n; i++)
        buf_printf(&tags, "%s%.*s", i ? ", " : "", SLICE_ARG(f->tags[i]));
    line(out, _("tags"), buf_slice(&tags));
    buf_free(&tags);
}

static void events_lines(struct buf *out, const struct finding_events *e)
{
    size_t shown = e->n < EVENTS_SHOWN ? e->n : EVENTS_SHOWN;
    buf_printf(out, "  %s:\n", _("events"));
    for (size_t i = 0; i < shown; i++) {
        buf_add(out, SLICE("    "));
        term_clean(out, source_of(e, e->list[i]));
        buf_printf(out, " #%" PRIu64 "\n", e->list[i].record);
    }
    if (e->n > shown) {
        buf_add(out, SLICE("    "));
        buf_printf(out, _("and %zu more; --json tells all"), e->n - shown);
        buf_char(out, '\n');
    }
}

void finding_text(struct buf *out, const struct known_finding *f, const struct finding_events *e,
                  bool colour)
{
    struct buf clean = {0};
    char number[TERM_NUMBER];
    term_clean(&clean, f->title);
    buf_printf(out, "%lld  ", (long long)f->id);
    term_styled(out, slice_str(level_label(f->level)), term_style_of(f->level), colour);
    buf_add(out, SLICE("  "));
    term_styled(out, buf_slice(&clean), TERM_BOLD, colour);
    buf_char(out, '\n');
    buf_free(&clean);
    time_line(out, _("first"), f->first);
    time_line(out, _("last"), f->last);
    line(out, _("count"), term_number(f->count, number));
    line(out, _("host"), f->host);
    line(out, _("rule"), f->rule_id);
    tags_line(out, f);
    line(out, _("about"), f->description);
    time_line(out, _("found"), f->found);
    if (f->hidden_by)
        buf_printf(out, _("  suppressed by: %lld\n"), (long long)f->hidden_by);
    time_line(out, _("withdrawn"), f->withdrawn);
    for (uint32_t i = 0; i < f->fields_n; i++) {
        buf_add(out, SLICE("  "));
        term_clean(out, f->fields[i].name);
        buf_add(out, SLICE(" = "));
        term_clean(out, f->fields[i].text);
        buf_char(out, '\n');
    }
    if (e->list)
        events_lines(out, e);
}
