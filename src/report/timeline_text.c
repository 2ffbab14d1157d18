/*
 * The terminal's timeline. A finding is one line (time, level, host, technique, rule) and, below
 * the rule, its fields, wrapped. Without a width (output to a file or pipe) it is one line whole, so
 * that grep finds all of it. At the end stands the summary.
 */
#include "base/locale.h"
#include "report/term.h"
#include "report/timeline_internal.h"
#include "report/words.h"

#include <stdlib.h>

enum {
    GAP = 2,
    TECHNIQUE = 9,
    NARROW = 40, /* no terminal is taken to be narrower */
    WIDE = 110,  /* from here on milliseconds and techniques have room */
    TITLE_LINES = 2,
    FIELD_LINES = 4,     /* of all fields below a finding, at most */
    FIELD_COLUMNS = 600, /* of one field's text, at most */
};

struct layout {
    unsigned width; /* 0: a finding a line, the columns below are not used */
    unsigned time, level, host;
    unsigned technique; /* 0: it stands among the fields */
    unsigned rule;      /* where the rule's title begins */
    unsigned fields;    /* where the fields begin, below the level */
    bool stacked;       /* so narrow that the title begins a line */
    int digits;         /* of the second's fraction */
    struct buf clean;
};

static const char *short_level(enum sigma_level level)
{
    static const char *const names[LEVELS] = {
        [LEVEL_NONE] = "-",        [LEVEL_INFORMATIONAL] = N_("info"),
        [LEVEL_LOW] = N_("low"),   [LEVEL_MEDIUM] = N_("med"),
        [LEVEL_HIGH] = N_("high"), [LEVEL_CRITICAL] = N_("crit"),
    };
    return _(names[level]);
}

static unsigned widest_level(void)
{
    unsigned widest = term_width(slice_str(_("Level")));
    for (int i = 0; i < LEVELS; i++) {
        unsigned width = term_width(slice_str(short_level((enum sigma_level)i)));
        widest = width > widest ? width : widest;
    }
    return widest;
}

static unsigned between(unsigned least, unsigned n, unsigned most)
{
    return n < least ? least : n > most ? most : n;
}

static void lay_out(struct layout *l, const struct timeline_options *options)
{
    l->width = options->width ? between(NARROW, options->width, UINT16_MAX) : 0;
    bool wide = l->width >= WIDE;
    l->digits = wide || !l->width ? 3 : 0;
    if (!l->width)
        return;
    l->time = (wide ? 23 : 19) + (options->utc ? 0 : 6);
    l->level = widest_level();
    l->host = between(8, l->width / 7, 24);
    l->technique = wide ? TECHNIQUE : 0;
    l->rule = l->time + l->level + l->host + 3 * GAP + (wide ? TECHNIQUE + GAP : 0);
    l->fields = l->time + GAP;
    l->stacked = l->rule > l->width * 3 / 5;
    if (l->stacked)
        l->rule = l->fields = 4;
}

/* A cell of the first line and the gap behind it. */
static void cell(struct timeline *t, struct slice text, unsigned columns, enum term_style style)
{
    const struct layout *l = t->own;
    if (l->width)
        term_cell(&t->line, text, columns, TERM_LEFT, style, t->options.colour);
    else
        term_styled(&t->line, text, style, t->options.colour);
    buf_add(&t->line, SLICE("  "));
}

static enum status begin(struct timeline *t, struct error *err)
{
    (void)err;
    struct layout *l = t->own = xcalloc(1, sizeof *l);
    lay_out(l, &t->options);
    if (!l->width)
        return OK;
    cell(t, slice_str(t->options.utc ? _("Time (UTC)") : _("Time")), l->time, TERM_DIM);
    cell(t, slice_str(_("Level")), l->level, TERM_DIM);
    cell(t, slice_str(_("Host")), l->host, TERM_DIM);
    if (l->technique)
        cell(t, SLICE("ATT&CK"), l->technique, TERM_DIM);
    term_styled(&t->line, slice_str(_("Rule")), TERM_DIM, t->options.colour);
    buf_char(&t->line, '\n');
    return OK;
}

/* Evidence, made harmless; valid until the next. */
static struct slice clean(struct layout *l, struct slice s)
{
    buf_clear(&l->clean);
    term_clean(&l->clean, s);
    return buf_slice(&l->clean);
}

/* The first technique; empty when the rule names none. */
static struct slice technique_of(const struct sigma_rule *rule, char id[ATTACK_TECHNIQUE])
{
    for (uint32_t i = 0; i < rule->tags_n; i++)
        if (attack_technique(rule->tags[i], id))
            return slice_str(id);
    return (struct slice){"", 0};
}

static void several(const struct finding *finding, struct term_flow *flow)
{
    char text[64];
    snprintf(text, sizeof text, locale_plural("%llu event", "%llu events", finding->count),
             (unsigned long long)finding->count);
    term_flow(flow, slice_str(text), TERM_BOLD);
    term_flow(flow, SLICE("  "), TERM_PLAIN);
}

/* Columns of a text's first word. */
static unsigned first_word(struct slice s)
{
    ptrdiff_t end = slice_find(s, SLICE(" "));
    return term_width(end < 0 ? s : slice_sub(s, 0, (size_t)end));
}

static void field(struct timeline *t, const struct finding_field *field, struct term_flow *flow)
{
    struct layout *l = t->own;
    buf_clear(&l->clean);
    term_clean(&l->clean, field->name);
    size_t name_n = l->clean.n;
    buf_char(&l->clean, '=');
    term_clean(&l->clean, field->text);
    struct slice name = slice_of(l->clean.p, name_n + 1);
    struct slice whole = slice_sub(buf_slice(&l->clean), name_n + 1, l->clean.n);
    struct slice text = l->width ? term_fit(whole, FIELD_COLUMNS) : whole;
    term_flow_together(flow, term_width(name) + first_word(text));
    term_flow(flow, name, TERM_DIM);
    term_flow(flow, text, TERM_PLAIN);
    if (text.n < whole.n)
        term_flow(flow, SLICE("\xe2\x80\xa6"), TERM_DIM);
}

/* The second line and on: what the event says. */
static void details(struct timeline *t, const struct finding *finding, struct slice technique)
{
    const struct layout *l = t->own;
    struct buf *b = &t->line;
    struct term_flow flow = {.out = b,
                             .width = l->width,
                             .indent = l->fields,
                             .lines = FIELD_LINES,
                             .colour = t->options.colour,
                             .column = l->fields};
    size_t before = b->n;
    if (l->width)
        term_cell(b, SLICE(""), l->fields, TERM_LEFT, TERM_PLAIN, false);
    else
        buf_add(b, SLICE("  "));
    size_t empty = b->n;
    if (technique.n && !l->technique) {
        term_flow(&flow, technique, TERM_CYAN);
        term_flow(&flow, SLICE("  "), TERM_PLAIN);
    }
    if (timeline_of_several(finding))
        several(finding, &flow);
    for (uint32_t i = 0; i < finding->fields_n; i++) {
        if (!finding->fields[i].text.n)
            continue;
        field(t, &finding->fields[i], &flow);
        term_flow(&flow, SLICE("  "), TERM_PLAIN);
    }
    if (b->n == empty)
        b->n = before;
    else if (l->width)
        buf_char(b, '\n');
}

static enum status add(struct timeline *t, const struct finding *finding, struct error *err)
{
    (void)err;
    struct layout *l = t->own;
    const struct sigma_rule *rule = finding->rule;
    enum term_style style = term_style_of(rule->level);
    char time[TIMELINE_TIME], id[ATTACK_TECHNIQUE];
    struct slice when = timeline_time(t, finding->time, ' ', l->digits, time);
    if (t->options.utc && when.n && l->width)
        when.n--; /* the head says that it is UTC */
    struct slice technique = technique_of(rule, id);

    cell(t, when.n ? when : slice_str(_("no time")), l->time, TERM_PLAIN);
    cell(t, slice_str(short_level(rule->level)), l->level, style);
    cell(t, clean(l, finding->host), l->host, TERM_PLAIN);
    if (l->technique)
        cell(t, technique, l->technique, TERM_CYAN);
    if (l->stacked)
        buf_add(&t->line, SLICE("\n    "));
    struct term_flow title = {.out = &t->line,
                              .width = l->width,
                              .indent = l->rule,
                              .lines = TITLE_LINES,
                              .colour = t->options.colour,
                              .column = l->rule};
    term_flow(&title, clean(l, rule->title), style == TERM_ALARM ? TERM_BOLD : style);
    if (l->width)
        buf_char(&t->line, '\n');
    details(t, finding, technique);
    if (!l->width) {
        while (t->line.p[t->line.n - 1] == ' ')
            t->line.n--;
        buf_char(&t->line, '\n');
    }
    return OK;
}

static enum status end(struct timeline *t, const struct summary *summary, struct error *err)
{
    (void)err;
    struct layout *l = t->own;
    buf_free(&l->clean);
    if (!summary)
        return OK;
    buf_char(&t->line, '\n');
    struct summary_options options = {t->options.colour, l->width, t->options.top};
    summary_text(summary, &options, &t->line);
    return OK;
}

const struct timeline_format timeline_text = {
    .name = "text",
    .what = N_("for people, as wide as the terminal"),
    .summary = true,
    .begin = begin,
    .add = add,
    .end = end,
};
