/*
 * CSV (RFC 4180) for spreadsheets: a head, then a row and line a finding. It begins with a byte order
 * mark, without which Excel shows Japanese as rubbish. A cell that a spreadsheet would take for a
 * formula gets an apostrophe before it, so evidence can't run on the reader's machine, and control
 * characters are written out as on the terminal. Whoever needs it to the letter takes JSON lines.
 */
#include "base/locale.h"
#include "report/csv.h"
#include "report/term.h"
#include "report/timeline_internal.h"
#include "report/words.h"

static void number(struct buf *b, uint64_t n)
{
    buf_char(b, ',');
    buf_number(b, n);
}

static enum status begin(struct timeline *t, struct error *err)
{
    (void)err;
    buf_add(&t->line, SLICE("\xef\xbb\xbftime,level,host,rule,rule_id,tactics,techniques,channel,"
                            "provider,code,source,record,count,first,fields\r\n"));
    return OK;
}

static void join(struct buf *b, struct slice s, const char *separator)
{
    buf_add(b, slice_str(b->n ? separator : ""));
    buf_add(b, s);
}

static enum status add(struct timeline *t, const struct finding *finding, struct error *err)
{
    (void)err;
    struct buf *b = &t->line, joined = {0};
    const struct sigma_rule *rule = finding->rule;
    char time[TIMELINE_TIME], id[ATTACK_TECHNIQUE];
    csv_cell(b, timeline_precise(t, finding->time, time));
    csv_cell(b, slice_str(level_key(rule->level)));
    csv_cell(b, finding->host);
    csv_cell(b, rule->title);
    csv_cell(b, rule->id);
    for (uint32_t i = 0; i < rule->tags_n; i++)
        if (attack_tactic(rule->tags[i]) >= 0)
            join(&joined, slice_str(attack_tactics[attack_tactic(rule->tags[i])].key), " ");
    csv_cell(b, buf_slice(&joined));
    buf_clear(&joined);
    for (uint32_t i = 0; i < rule->tags_n; i++)
        if (attack_technique(rule->tags[i], id))
            join(&joined, slice_str(id), " ");
    csv_cell(b, buf_slice(&joined));
    csv_cell(b, finding->channel);
    csv_cell(b, finding->provider);
    csv_cell(b, finding->code);
    struct origin origin = finding->events_n ? finding->events[0] : (struct origin){UINT32_MAX, 0};
    csv_cell(b, timeline_source(t, origin));
    number(b, origin.record);
    number(b, finding->count);
    csv_cell(b, timeline_precise(t, finding->first, time));
    buf_clear(&joined);
    for (uint32_t i = 0; i < finding->fields_n; i++) {
        join(&joined, finding->fields[i].name, " ¦ ");
        buf_char(&joined, '=');
        buf_add(&joined, finding->fields[i].text);
    }
    csv_cell(b, buf_slice(&joined));
    buf_free(&joined);
    buf_add(b, SLICE("\r\n"));
    return OK;
}

const struct timeline_format timeline_csv = {
    .name = "csv",
    .what = N_("CSV for spreadsheets"),
    .begin = begin,
    .add = add,
};
