/* Metrics as tables for people and as one JSON object for programs (docs/output.md). */
#include "base/locale.h"
#include "report/metrics_internal.h"
#include "report/term.h"

#include <inttypes.h>
#include <stdlib.h>

enum { TOP = 25 };

/* ---- orders ---- */

static int by_names(const struct metrics_row *a, const struct metrics_row *b)
{
    for (int i = 0; i < METRICS_PARTS; i++) {
        int order = slice_compare(a->parts[i], b->parts[i]);
        if (order)
            return order;
    }
    return 0;
}

static int by_count(const void *pa, const void *pb)
{
    const struct metrics_row *a = *(const struct metrics_row *const *)pa,
                             *b = *(const struct metrics_row *const *)pb;
    if (a->n[0] != b->n[0])
        return a->n[0] > b->n[0] ? -1 : 1;
    return by_names(a, b);
}

/* Of logons: those of people before those of the system itself, then the most frequent. */
static int by_outcome(const struct metrics_row *a, const struct metrics_row *b, int outcome)
{
    bool own_a = metrics_own_account(a->parts[0]), own_b = metrics_own_account(b->parts[0]);
    if (own_a != own_b)
        return own_a - own_b;
    if (a->n[outcome] != b->n[outcome])
        return a->n[outcome] > b->n[outcome] ? -1 : 1;
    return by_names(a, b);
}

static int by_success(const void *pa, const void *pb)
{
    return by_outcome(*(const struct metrics_row *const *)pa,
                      *(const struct metrics_row *const *)pb, 0);
}

static int by_failure(const void *pa, const void *pb)
{
    return by_outcome(*(const struct metrics_row *const *)pa,
                      *(const struct metrics_row *const *)pb, 1);
}

/* The rows in order; from malloc. */
static const struct metrics_row **in_order(const struct metrics_table *t,
                                           int (*compare)(const void *, const void *))
{
    const struct metrics_row **order = xcalloc(t->rows.n + 1, sizeof *order);
    for (size_t i = 0; i < t->rows.n; i++)
        order[i] = &t->rows.at[i];
    qsort(order, t->rows.n, sizeof *order, compare);
    return order;
}

/* ---- text ---- */

struct printer {
    struct metrics_options options;
    struct buf out;
};

static void heading(struct printer *p, const char *text)
{
    buf_char(&p->out, '\n');
    term_styled(&p->out, slice_str(text), TERM_BOLD, p->options.colour);
    buf_char(&p->out, '\n');
}

static struct term_table table_of(const struct printer *p, const struct term_column *columns,
                                  unsigned n)
{
    return (struct term_table){
        .columns = columns, .columns_n = n, .width = p->options.width, .colour = p->options.colour};
}

static void add_time(struct term_table *t, timestamp time)
{
    char text[TIMESTAMP_TEXT];
    size_t n = time == TIMESTAMP_NONE ? 0 : timestamp_text(time, 0, text) - 1; /* no Z */
    if (n)
        text[10] = ' ';
    term_table_add(t, slice_of(text, n), TERM_PLAIN);
}

static void more(struct printer *p, size_t shown, size_t n, uint64_t others)
{
    if (n > shown)
        buf_printf(&p->out, locale_plural("and %zu more\n", "and %zu more\n", n - shown),
                   n - shown);
    if (others)
        buf_printf(&p->out, _("and %llu events of names past the limit of this table\n"),
                   (unsigned long long)others);
}

static uint64_t all_of(const struct metrics_row *row)
{
    return row->n[0] + row->n[1] + row->n[2];
}

static void print_range(struct printer *p, const struct metrics_counts *c)
{
    char number[TERM_NUMBER], first[TIMESTAMP_TEXT], last[TIMESTAMP_TEXT];
    struct slice n = term_number(c->all.n[0], number);
    buf_printf(&p->out, locale_plural("%.*s event", "%.*s events", c->all.n[0]), SLICE_ARG(n));
    if (c->all.first != TIMESTAMP_NONE) {
        timestamp_text(c->all.first, 0, first);
        timestamp_text(c->all.last, 0, last);
        buf_printf(&p->out, _(", %s to %s"), first, last);
    }
    buf_char(&p->out, '\n');
}

static void print_events(struct printer *p, const struct metrics_counts *c)
{
    const struct term_column columns[] = {
        {.title = _("Log"), .flexible = true},      {.title = _("Id"), .align = TERM_RIGHT},
        {.title = _("Count"), .align = TERM_RIGHT}, {.title = _("Meaning"), .flexible = true},
        {.title = _("First (UTC)"), .spare = 2},    {.title = _("Last (UTC)"), .spare = 1}};
    struct term_table t = table_of(p, columns, 6);
    const struct metrics_row **order = in_order(&c->events, by_count);
    size_t i = 0;
    for (; i < c->events.rows.n && i < p->options.top; i++) {
        const struct metrics_row *row = order[i];
        const char *meaning = metrics_meaning(row->parts[0], row->parts[1], row->parts[2]);
        term_table_add(&t, row->parts[0].n ? row->parts[0] : slice_str(_("(unknown)")), TERM_PLAIN);
        term_table_add(&t, row->parts[2], TERM_CYAN);
        term_table_number(&t, row->n[0]);
        if (meaning)
            term_table_add(&t, slice_str(meaning), TERM_PLAIN);
        else
            term_table_add(&t, row->parts[1], TERM_DIM); /* at least who wrote it */
        add_time(&t, row->first);
        add_time(&t, row->last);
    }
    heading(p, _("Events by log and id"));
    term_table_print(&t, &p->out);
    more(p, i, c->events.rows.n, c->events.others.n[0]);
    free(order);
}

static void print_hosts(struct printer *p, const struct metrics_counts *c)
{
    const struct term_column columns[] = {{.title = _("Host"), .flexible = true},
                                          {.title = _("Events"), .align = TERM_RIGHT},
                                          {.title = _("First (UTC)"), .spare = 2},
                                          {.title = _("Last (UTC)"), .spare = 1}};
    struct term_table t = table_of(p, columns, 4);
    const struct metrics_row **order = in_order(&c->hosts, by_count);
    size_t i = 0;
    for (; i < c->hosts.rows.n && i < p->options.top; i++) {
        struct slice name = order[i]->parts[0];
        term_table_add(&t, name.n ? name : slice_str(_("(unknown)")), TERM_PLAIN);
        term_table_number(&t, order[i]->n[0]);
        add_time(&t, order[i]->first);
        add_time(&t, order[i]->last);
    }
    heading(p, _("Hosts and their times"));
    term_table_print(&t, &p->out);
    more(p, i, c->hosts.rows.n, c->hosts.others.n[0]);
    free(order);
}

/* The ways and reasons stand in English in the table, with a NUL behind. */
static struct slice translated(struct slice s)
{
    return s.n ? slice_str(locale_text(s.p)) : s;
}

static void print_logons(struct printer *p, const struct metrics_counts *c, bool failed)
{
    const struct term_column columns[] = {
        {.title = _("Account"), .flexible = true},  {.title = _("Logon from"), .flexible = true},
        {.title = _("Logon to"), .flexible = true}, {.title = _("Logon by"), .flexible = true},
        {.title = _("Count"), .align = TERM_RIGHT}, {.title = _("First (UTC)"), .spare = 2},
        {.title = _("Last (UTC)"), .spare = 1},     {.title = _("Reason"), .flexible = true}};
    unsigned columns_n = failed ? 8 : 7;
    struct term_table t = table_of(p, columns, columns_n);
    const struct metrics_row **order = in_order(&c->logons, failed ? by_failure : by_success);
    size_t shown = 0, n = 0;
    for (size_t i = 0; i < c->logons.rows.n; i++) {
        const struct metrics_row *row = order[i];
        if (!row->n[failed] || n++ >= p->options.top)
            continue;
        shown++;
        enum term_style style = metrics_own_account(row->parts[0]) ? TERM_DIM : TERM_PLAIN;
        term_table_add(&t, row->parts[0], style);
        term_table_add(&t, row->parts[1], style);
        term_table_add(&t, row->parts[3], style);
        term_table_add(&t, translated(row->parts[2]), style);
        term_table_number(&t, row->n[failed]);
        add_time(&t, row->first);
        add_time(&t, row->last);
        if (failed)
            term_table_add(&t, translated(row->parts[4]), TERM_YELLOW);
    }
    free(order);
    if (!n)
        return;
    heading(p, failed ? _("Logons that failed") : _("Logons that succeeded"));
    term_table_print(&t, &p->out);
    more(p, shown, n, failed ? c->logons.others.n[1] : c->logons.others.n[0]);
}

static void print_gaps(struct printer *p, const struct metrics_counts *c)
{
    size_t n, i = 0;
    struct metrics_gap *gaps = metrics_gaps(c, &n);
    const struct term_column columns[] = {{.title = _("Host"), .flexible = true},
                                          {.title = _("Log"), .flexible = true},
                                          {.title = _("Silent from (UTC)")},
                                          {.title = _("Until (UTC)")},
                                          {.title = _("Hours"), .align = TERM_RIGHT},
                                          {.title = _("Usually"), .align = TERM_RIGHT, .spare = 1}};
    struct term_table t = table_of(p, columns, 6);
    for (; i < n && i < p->options.top; i++) {
        term_table_add(&t, gaps[i].host.n ? gaps[i].host : slice_str(_("(unknown)")), TERM_PLAIN);
        term_table_add(&t, gaps[i].log, TERM_PLAIN);
        add_time(&t, gaps[i].from * 3600 * NS_PER_SECOND);
        add_time(&t, gaps[i].to * 3600 * NS_PER_SECOND);
        term_table_number(&t, (uint64_t)(gaps[i].to - gaps[i].from));
        term_table_number(&t, (uint64_t)gaps[i].usual);
    }
    free(gaps);
    if (!n)
        return;
    heading(p, _("Gaps: logs silent for much longer than usual"));
    term_table_print(&t, &p->out);
    more(p, i, n, 0);
}

static enum status write_out(struct buf *out, FILE *file, struct error *err)
{
    bool whole = buf_write(out, file) && fflush(file) == 0;
    buf_free(out);
    return whole ? OK : error_system(err, "output", "can't write");
}

enum status metrics_print_text(const struct metrics *m, const struct metrics_options *options,
                               FILE *out, struct error *err)
{
    struct printer p = {.options = *options};
    if (!p.options.top)
        p.options.top = TOP;
    const struct metrics_counts *c = &m->counts;
    print_range(&p, c);
    if (c->all.n[0]) {
        print_events(&p, c);
        print_logons(&p, c, true);
        print_logons(&p, c, false);
        print_hosts(&p, c);
        print_gaps(&p, c);
    }
    return write_out(&p.out, out, err);
}

/* ---- JSON ---- */

static void json_text(struct buf *b, const char *key, struct slice s)
{
    buf_printf(b, "\"%s\":", key);
    buf_json(b, s);
    buf_char(b, ',');
}

static void json_time(struct buf *b, const char *key, timestamp t)
{
    char text[TIMESTAMP_TEXT];
    buf_printf(b, "\"%s\":", key);
    if (t == TIMESTAMP_NONE)
        buf_add(b, SLICE("null"));
    else
        buf_json(b, slice_of(text, timestamp_text(t, 7, text)));
}

static void json_range(struct buf *b, const struct metrics_row *row)
{
    json_time(b, "first", row->first);
    buf_char(b, ',');
    json_time(b, "last", row->last);
}

static void json_events(struct buf *b, const struct metrics_counts *c)
{
    const struct metrics_row **order = in_order(&c->events, by_count);
    buf_add(b, SLICE(",\n\"events\":["));
    for (size_t i = 0; i < c->events.rows.n; i++) {
        buf_add(b, slice_str(i ? ",\n{" : "\n{"));
        json_text(b, "log", order[i]->parts[0]);
        json_text(b, "provider", order[i]->parts[1]);
        json_text(b, "code", order[i]->parts[2]);
        buf_printf(b, "\"count\":%" PRIu64 ",", order[i]->n[0]);
        json_range(b, order[i]);
        buf_char(b, '}');
    }
    buf_add(b, SLICE("]"));
    free(order);
}

static void json_hosts(struct buf *b, const struct metrics_counts *c)
{
    const struct metrics_row **order = in_order(&c->hosts, by_count);
    buf_add(b, SLICE(",\n\"hosts\":["));
    for (size_t i = 0; i < c->hosts.rows.n; i++) {
        buf_add(b, slice_str(i ? ",\n{" : "\n{"));
        json_text(b, "host", order[i]->parts[0]);
        buf_printf(b, "\"count\":%" PRIu64 ",", order[i]->n[0]);
        json_range(b, order[i]);
        buf_char(b, '}');
    }
    buf_add(b, SLICE("]"));
    free(order);
}

static void json_logons(struct buf *b, const struct metrics_counts *c)
{
    const struct metrics_row **order = in_order(&c->logons, by_failure);
    buf_add(b, SLICE(",\n\"logons\":["));
    for (size_t i = 0; i < c->logons.rows.n; i++) {
        buf_add(b, slice_str(i ? ",\n{" : "\n{"));
        json_text(b, "account", order[i]->parts[0]);
        json_text(b, "from", order[i]->parts[1]);
        json_text(b, "to", order[i]->parts[3]);
        json_text(b, "how", order[i]->parts[2]);
        if (order[i]->parts[4].n)
            json_text(b, "reason", order[i]->parts[4]);
        buf_printf(b, "\"succeeded\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"ended\":%" PRIu64 ",",
                   order[i]->n[0], order[i]->n[1], order[i]->n[2]);
        json_range(b, order[i]);
        buf_char(b, '}');
    }
    buf_add(b, SLICE("]"));
    free(order);
}

static void json_gaps(struct buf *b, const struct metrics_counts *c)
{
    size_t n;
    struct metrics_gap *gaps = metrics_gaps(c, &n);
    buf_add(b, SLICE(",\n\"gaps\":["));
    for (size_t i = 0; i < n; i++) {
        buf_add(b, slice_str(i ? ",\n{" : "\n{"));
        json_text(b, "host", gaps[i].host);
        json_text(b, "log", gaps[i].log);
        json_time(b, "from", gaps[i].from * 3600 * NS_PER_SECOND);
        buf_char(b, ',');
        json_time(b, "until", gaps[i].to * 3600 * NS_PER_SECOND);
        buf_printf(b, ",\"hours\":%" PRId64 ",\"usual_hours\":%" PRId64 "}",
                   gaps[i].to - gaps[i].from, gaps[i].usual);
    }
    buf_add(b, SLICE("]"));
    free(gaps);
}

enum status metrics_print_json(const struct metrics *m, FILE *out, struct error *err)
{
    const struct metrics_counts *c = &m->counts;
    struct buf b = {0};
    buf_printf(&b, "{\"total\":%" PRIu64 ",", c->all.n[0]);
    json_range(&b, &c->all);
    json_events(&b, c);
    json_logons(&b, c);
    json_hosts(&b, c);
    json_gaps(&b, c);
    /* what is past the limits of the tables */
    buf_printf(&b,
               ",\n\"others\":{\"events\":%" PRIu64 ",\"logons\":%" PRIu64 ",\"hosts\":%" PRIu64
               "}}\n",
               c->events.others.n[0], all_of(&c->logons.others), c->hosts.others.n[0]);
    return write_out(&b, out, err);
}
