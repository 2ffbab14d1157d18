/*
 * CSV (RFC 4180) for spreadsheets: a head, then a row and line a finding. It begins with a byte order
 * mark, without which Excel shows Japanese as rubbish. A cell that a spreadsheet would take for a
 * formula gets an apostrophe before it, so evidence can't run on the reader's machine, and control
 * characters are written out as on the terminal. Whoever needs it to the letter takes JSON lines.
 */
#include "base/locale.h"
#include "report/term.h"
#include "report/timeline_internal.h"
#include "report/words.h"

/* What begins a formula: in ASCII, and the full-width forms that Japanese editions of spreadsheets
 * take as the same (OWASP, CSV Injection). */
static bool begins_formula(struct slice s)
{
    static const char *const full_width[] = {"＝", "＋", "－", "＠"};
    if (s.n && s.p[0] && strchr("=+-@", s.p[0]))
        return true;
    for (size_t i = 0; i < sizeof full_width / sizeof *full_width; i++)
        if (slice_starts(s, slice_str(full_width[i])))
            return true;
    return false;
}

/* Most text is printable ASCII without quotes, which stands as it is. */
static bool is_plain(struct slice s)
{
    unsigned odd = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        odd |= (unsigned)(c < ' ') | (unsigned)(c >= 0x7f) | (unsigned)(c == '"');
    }
    return !odd;
}

static void add_quoted(struct buf *b, struct slice s)
{
    const char *quote;
    for (; s.n && (quote = memchr(s.p, '"', s.n));
         s = slice_sub(s, (size_t)(quote - s.p) + 1, s.n)) {
        buf_add(b, slice_sub(s, 0, (size_t)(quote - s.p) + 1));
        buf_char(b, '"');
    }
    buf_add(b, s);
}

static void cell(struct buf *b, struct slice s)
{
    struct buf clean = {0};
    bool first = !b->n || b->p[b->n - 1] == '\n', plain = is_plain(s);
    if (!plain) {
        term_clean(&clean, s);
        s = buf_slice(&clean);
    }
    buf_add(b, first ? SLICE("\"") : SLICE(",\""));
    if (begins_formula(s))
        buf_char(b, '\'');
    if (plain)
        buf_add(b, s);
    else
        add_quoted(b, s);
    buf_char(b, '"');
    buf_free(&clean);
}

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
    cell(b, timeline_precise(t, finding->time, time));
    cell(b, slice_str(level_key(rule->level)));
    cell(b, finding->host);
    cell(b, rule->title);
    cell(b, rule->id);
    for (uint32_t i = 0; i < rule->tags_n; i++)
        if (attack_tactic(rule->tags[i]) >= 0)
            join(&joined, slice_str(attack_tactics[attack_tactic(rule->tags[i])].key), " ");
    cell(b, buf_slice(&joined));
    buf_clear(&joined);
    for (uint32_t i = 0; i < rule->tags_n; i++)
        if (attack_technique(rule->tags[i], id))
            join(&joined, slice_str(id), " ");
    cell(b, buf_slice(&joined));
    cell(b, finding->channel);
    cell(b, finding->provider);
    cell(b, finding->code);
    struct origin origin = finding->events_n ? finding->events[0] : (struct origin){UINT32_MAX, 0};
    cell(b, timeline_source(t, origin));
    number(b, origin.record);
    number(b, finding->count);
    cell(b, timeline_precise(t, finding->first, time));
    buf_clear(&joined);
    for (uint32_t i = 0; i < finding->fields_n; i++) {
        join(&joined, finding->fields[i].name, " ¦ ");
        buf_char(&joined, '=');
        buf_add(&joined, finding->fields[i].text);
    }
    cell(b, buf_slice(&joined));
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
