#include "report/summary.h"
#include "base/locale.h"
#include "base/vec.h"
#include "report/term.h"
#include "report/words.h"

#include <stdlib.h>

enum {
    RULE_HOSTS = 1 << 20, /* pairs of rule and host told apart; past them hosts are not counted */
    TOP = 10,
    BAR = 40, /* columns of the longest bar */
};

/* Something that findings are counted by: a host, a rule, a technique. */
struct count {
    struct slice name;
    const struct sigma_rule *rule;
    uint64_t n, by_level[LEVELS];
    uint32_t hosts; /* of a rule: how many */
};

struct counts {
    struct count *at;
    size_t n, cap;
    struct map places; /* name -> index in at */
};

struct summary {
    uint64_t total, by_level[LEVELS], tactics[ATTACK_TACTICS];
    struct counts hosts, rules, techniques;
    struct map rule_hosts; /* seen together */
    struct arena names;
    timestamp first, last; /* TIMESTAMP_NONE until there is one */
};

struct summary *summary_new(void)
{
    struct summary *s = xcalloc(1, sizeof *s);
    s->first = s->last = TIMESTAMP_NONE;
    return s;
}

static void counts_free(struct counts *c)
{
    free(c->at);
    map_free(&c->places);
}

void summary_free(struct summary *s)
{
    if (!s)
        return;
    counts_free(&s->hosts);
    counts_free(&s->rules);
    counts_free(&s->techniques);
    map_free(&s->rule_hosts);
    arena_free(&s->names);
    free(s);
}

uint64_t summary_total(const struct summary *s)
{
    return s->total;
}

/* ---- counting ---- */

/* Counts under a name; returns its place. */
static uint32_t count(struct summary *s, struct counts *c, struct slice key, struct slice name,
                      const struct sigma_rule *rule)
{
    bool is_new;
    uint32_t *place = map_put(&c->places, key, &is_new);
    if (is_new) {
        *place = (uint32_t)c->n;
        *VEC_PUSH(*c) = (struct count){.name = arena_slice(&s->names, name), .rule = rule};
    }
    struct count *to = &c->at[*place];
    to->n++;
    to->by_level[rule->level]++;
    return *place;
}

static void count_times(struct summary *s, const struct finding *finding)
{
    if (finding->time == TIMESTAMP_NONE)
        return;
    timestamp first = finding->first == TIMESTAMP_NONE ? finding->time : finding->first;
    if (s->first == TIMESTAMP_NONE || first < s->first)
        s->first = first;
    if (s->last == TIMESTAMP_NONE || finding->time > s->last)
        s->last = finding->time;
}

static void count_tags(struct summary *s, const struct sigma_rule *rule)
{
    uint32_t seen = 0;
    char id[ATTACK_TECHNIQUE];
    for (uint32_t i = 0; i < rule->tags_n; i++) {
        int tactic = attack_tactic(rule->tags[i]);
        if (tactic >= 0 && !(seen >> tactic & 1)) {
            s->tactics[tactic]++;
            seen |= UINT32_C(1) << tactic;
        }
        if (attack_technique(rule->tags[i], id))
            count(s, &s->techniques, slice_str(id), slice_str(id), rule);
    }
}

void summary_add(struct summary *s, const struct finding *finding)
{
    const struct sigma_rule *rule = finding->rule;
    s->total++;
    s->by_level[rule->level]++;
    count_times(s, finding);
    count_tags(s, rule);

    struct slice host = finding->host;
    if (s->hosts.n >= SUMMARY_HOSTS && !map_get(&s->hosts.places, host))
        host = SLICE("*"); /* no host is called so */
    struct {
        uint32_t rule, host;
    } pair = {count(s, &s->rules, slice_of(&rule, sizeof rule), rule->title, rule),
              count(s, &s->hosts, host, host, rule)};
    if (s->rule_hosts.n < RULE_HOSTS) {
        bool is_new;
        map_put(&s->rule_hosts, slice_of(&pair, sizeof pair), &is_new);
        s->rules.at[pair.rule].hosts += is_new;
    }
}

/* ---- telling ---- */

/* The hosts with the gravest findings first: whoever has more of the highest level. */
static int by_gravity(const void *pa, const void *pb)
{
    const struct count *a = *(const struct count *const *)pa, *b = *(const struct count *const *)pb;
    for (int level = LEVELS; level-- > 0;)
        if (a->by_level[level] != b->by_level[level])
            return a->by_level[level] > b->by_level[level] ? -1 : 1;
    return slice_compare(a->name, b->name);
}

static int by_level(const void *pa, const void *pb)
{
    const struct count *a = *(const struct count *const *)pa, *b = *(const struct count *const *)pb;
    if (a->rule->level != b->rule->level)
        return a->rule->level > b->rule->level ? -1 : 1;
    if (a->n != b->n)
        return a->n > b->n ? -1 : 1;
    int order = slice_compare(a->name, b->name);
    return order ? order : (a->rule->index > b->rule->index) - (a->rule->index < b->rule->index);
}

static int by_count(const void *pa, const void *pb)
{
    const struct count *a = *(const struct count *const *)pa, *b = *(const struct count *const *)pb;
    if (a->n != b->n)
        return a->n > b->n ? -1 : 1;
    return slice_compare(a->name, b->name);
}

/* From malloc, never NULL. */
static const struct count **in_order(const struct counts *c,
                                     int (*compare)(const void *, const void *))
{
    const struct count **order = xcalloc(c->n + 1, sizeof *order);
    for (size_t i = 0; i < c->n; i++)
        order[i] = &c->at[i];
    qsort(order, c->n, sizeof *order, compare);
    return order;
}

static void heading(struct buf *out, const struct summary_options *options, const char *text)
{
    buf_char(out, '\n');
    term_styled(out, slice_str(text), TERM_BOLD, options->colour);
    buf_char(out, '\n');
}

static void more(struct buf *out, size_t shown, size_t n)
{
    if (n > shown)
        buf_printf(out, locale_plural("and %zu more\n", "and %zu more\n", n - shown), n - shown);
}

#define TEN_BLOCKS "██████████" /* U+2588, three bytes each */

/* A bar whose length is as n to `most`; at least a stroke when there is anything. */
static void bar(struct term_table *t, uint64_t n, uint64_t most, enum term_style style)
{
    size_t columns = most ? (size_t)((double)n / (double)most * BAR) : 0;
    columns = n && !columns ? 1 : columns;
    term_table_add(t, slice_sub(SLICE(TEN_BLOCKS TEN_BLOCKS TEN_BLOCKS TEN_BLOCKS), 0, columns * 3),
                   style);
}

static void levels(const struct summary *s, const struct summary_options *options, struct buf *out)
{
    const struct term_column columns[] = {{.title = _("Level")},
                                          {.title = _("Findings"), .align = TERM_RIGHT},
                                          {.title = "", .flexible = true}};
    struct term_table t = {
        .columns = columns, .columns_n = 3, .width = options->width, .colour = options->colour};
    uint64_t most = 0;
    for (int i = 0; i < LEVELS; i++)
        most = s->by_level[i] > most ? s->by_level[i] : most;
    for (int i = LEVELS; i-- > 0;) {
        if (i == LEVEL_NONE && !s->by_level[i])
            continue;
        enum term_style style = term_style_of((enum sigma_level)i);
        term_table_add(&t, slice_str(level_label((enum sigma_level)i)), style);
        term_table_number(&t, s->by_level[i]);
        bar(&t, s->by_level[i], most, style == TERM_ALARM ? TERM_RED : style);
    }
    term_table_print(&t, out);
}

static void hosts(const struct summary *s, const struct summary_options *options, struct buf *out)
{
    const struct term_column columns[] = {
        {.title = _("Host"), .flexible = true},
        {.title = _("critical"), .align = TERM_RIGHT},
        {.title = _("high"), .align = TERM_RIGHT},
        {.title = _("medium"), .align = TERM_RIGHT, .spare = 1},
        {.title = _("low"), .align = TERM_RIGHT, .spare = 2},
        {.title = _("informational"), .align = TERM_RIGHT, .spare = 3},
        {.title = _("Findings"), .align = TERM_RIGHT},
    };
    struct term_table t = {
        .columns = columns, .columns_n = 7, .width = options->width, .colour = options->colour};
    const struct count **order = in_order(&s->hosts, by_gravity);
    size_t i = 0;
    for (; i < s->hosts.n && i < options->top; i++) {
        struct slice name = order[i]->name;
        if (slice_equal(name, SLICE("*")))
            name = slice_str(_("(others)"));
        term_table_add(&t, name.n ? name : slice_str(_("(unknown)")), TERM_PLAIN);
        for (int level = LEVEL_CRITICAL; level >= LEVEL_INFORMATIONAL; level--) {
            char text[TERM_NUMBER];
            uint64_t n = order[i]->by_level[level];
            term_table_add(&t, n ? term_number(n, text) : SLICE("-"),
                           n ? term_style_of((enum sigma_level)level) : TERM_DIM);
        }
        term_table_number(&t, order[i]->n);
    }
    heading(out, options, _("Hosts, the gravest first"));
    term_table_print(&t, out);
    more(out, i, s->hosts.n);
    free(order);
}

/* "T1059.001 T1003" of a rule. */
static void techniques_of(const struct sigma_rule *rule, struct buf *out)
{
    char id[ATTACK_TECHNIQUE];
    for (uint32_t i = 0; i < rule->tags_n; i++)
        if (attack_technique(rule->tags[i], id))
            buf_printf(out, out->n ? " %s" : "%s", id);
}

static void rules(const struct summary *s, const struct summary_options *options, struct buf *out)
{
    const struct term_column columns[] = {
        {.title = _("Level")},
        {.title = _("Findings"), .align = TERM_RIGHT},
        {.title = _("Hosts"), .align = TERM_RIGHT, .spare = 2},
        {.title = _("Rule"), .flexible = true},
        {.title = "ATT&CK", .flexible = true, .spare = 1},
    };
    struct term_table t = {
        .columns = columns, .columns_n = 5, .width = options->width, .colour = options->colour};
    const struct count **order = in_order(&s->rules, by_level);
    struct buf techniques = {0};
    size_t i = 0;
    for (; i < s->rules.n && i < options->top; i++) {
        enum sigma_level level = order[i]->rule->level;
        term_table_add(&t, slice_str(level_label(level)), term_style_of(level));
        term_table_number(&t, order[i]->n);
        term_table_number(&t, order[i]->hosts);
        term_table_add(&t, order[i]->name, TERM_PLAIN);
        buf_clear(&techniques);
        techniques_of(order[i]->rule, &techniques);
        term_table_add(&t, buf_slice(&techniques), TERM_CYAN);
    }
    heading(out, options, _("Rules, the highest level first"));
    term_table_print(&t, out);
    more(out, i, s->rules.n);
    buf_free(&techniques);
    free(order);
}

static void tactics(const struct summary *s, const struct summary_options *options, struct buf *out)
{
    const struct term_column columns[] = {{.title = _("Tactic")},
                                          {.title = _("Findings"), .align = TERM_RIGHT},
                                          {.title = "", .flexible = true}};
    struct term_table t = {
        .columns = columns, .columns_n = 3, .width = options->width, .colour = options->colour};
    uint64_t most = 0;
    for (int i = 0; i < ATTACK_TACTICS; i++)
        most = s->tactics[i] > most ? s->tactics[i] : most;
    if (!most)
        return;
    for (int i = 0; i < ATTACK_TACTICS; i++) {
        if (!s->tactics[i])
            continue;
        term_table_add(&t, slice_str(_(attack_tactics[i].label)), TERM_PLAIN);
        term_table_number(&t, s->tactics[i]);
        bar(&t, s->tactics[i], most, TERM_CYAN);
    }
    heading(out, options, _("ATT&CK tactics"));
    term_table_print(&t, out);
}

static void techniques(const struct summary *s, const struct summary_options *options,
                       struct buf *out)
{
    if (!s->techniques.n)
        return;
    const struct count **order = in_order(&s->techniques, by_count);
    struct term_flow flow = {
        .out = out, .width = options->width, .lines = 4, .colour = options->colour};
    heading(out, options, _("ATT&CK techniques"));
    for (size_t i = 0; i < s->techniques.n && i < (size_t)options->top * 2; i++) {
        char number[TERM_NUMBER];
        if (i)
            term_flow(&flow, SLICE("   "), TERM_PLAIN);
        term_flow(&flow, order[i]->name, TERM_CYAN);
        term_flow(&flow, SLICE(" "), TERM_PLAIN);
        term_flow(&flow, term_number(order[i]->n, number), TERM_PLAIN);
    }
    buf_char(out, '\n');
    free(order);
}

void summary_text(const struct summary *s, const struct summary_options *given, struct buf *out)
{
    struct summary_options options = *given;
    options.top = options.top ? options.top : TOP;
    char number[TERM_NUMBER], from[TIMESTAMP_TEXT], to[TIMESTAMP_TEXT];
    struct slice n = term_number(s->total, number);
    struct buf line = {0};
    buf_printf(&line, locale_plural("%.*s finding", "%.*s findings", s->total), SLICE_ARG(n));
    if (s->first != TIMESTAMP_NONE) {
        timestamp_text(s->first, 0, from);
        timestamp_text(s->last, 0, to);
        buf_printf(&line, _(", %s to %s"), from, to);
    }
    term_styled(out, buf_slice(&line), TERM_BOLD, options.colour);
    buf_char(out, '\n');
    buf_free(&line);
    if (!s->total)
        return;
    levels(s, &options, out);
    hosts(s, &options, out);
    rules(s, &options, out);
    tactics(s, &options, out);
    techniques(s, &options, out);
}
