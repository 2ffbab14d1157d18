/* hikeshi finding list, finding show: what detection found in the data folder. */
#include "cli/data_folder.h"
#include "cli/detection.h"
#include "cli/finding_data.h"
#include "cli/finding_print.h"
#include "cli/outfile.h"
#include "cli/progress.h"

#include "report/term.h"
#include "report/words.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct list_values {
    struct data_values data;
    struct option_time from, to;
    const char *host, *rule;
    unsigned level;
    bool all, suppressed, json;
};

struct show_values {
    struct data_values data;
    bool json;
};

/* ---- what both have in common ---- */

struct run {
    struct finding_data data;
    struct finding_events events;
    struct term_table table;
    bool json, colour;
    uint64_t told;
};

static enum status open_all(struct run *r, const struct data_values *data, struct error *err)
{
    r->colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    enum status status = finding_open(&r->data, data, err);
    if (status != OK)
        return status;
    r->events.sources = finding_sources(r->data.store, &r->data.arena);
    r->events.sources_n = r->data.store->next_input;
    return OK;
}

/* ---- list ---- */

#define AT(member) .at = offsetof(struct list_values, member)

static const struct option list_options[] = {
    DATA_OPTIONS(struct list_values),
    {0, "from", OPTION_TIME, "TIME",
     N_("only findings with a match from then on: 2026-11-10, or 7d for the last seven days"),
     AT(from), .group = N_("Which findings")},
    {0, "to", OPTION_TIME, "TIME",
     N_("only findings with a match before then; a date alone means the end of that day"), AT(to),
     .ends = true},
    {0, "host", OPTION_TEXT, "NAME", N_("only those of this host; * is any text, ? any character"),
     AT(host)},
    {'l', "level", OPTION_CHOICE, "LEVEL", N_("only those of this level or above"),
     .choice = rule_level_choice, AT(level)},
    {0, "rule", OPTION_TEXT, "RULE", N_("only those of this rule: its id or title"), AT(rule)},
    {0, "suppressed", OPTION_FLAG, NULL, N_("those that are suppressed, and only these"),
     AT(suppressed)},
    {'a', "all", OPTION_FLAG, NULL, N_("also those that are suppressed or withdrawn"), AT(all)},
    {0, "json", OPTION_FLAG, NULL, N_("JSON lines"), AT(json), .group = N_("How")},
    {0},
};

static const struct example list_examples[] = {
    {"hikeshi finding list -l high --from 7d", N_("what matters of the last week")},
    {"hikeshi finding list --host 'srv*' --json | jq .fields", N_("for other programs")},
    {NULL, NULL},
};

static enum status list_one(void *ctx, const struct known_finding *f, struct error *err)
{
    struct run *r = ctx;
    char number[TERM_NUMBER], last[TIMESTAMP_TEXT] = "";
    r->told++;
    if (r->json) {
        finding_json(&r->data.line, f, &r->events);
        buf_char(&r->data.line, '\n');
        return finding_put(&r->data, err);
    }
    snprintf(number, sizeof number, "%lld", (long long)f->id);
    if (f->last != TIMESTAMP_NONE)
        timestamp_text(f->last, 0, last);
    enum term_style dim = f->hidden_by || f->withdrawn != TIMESTAMP_NONE ? TERM_DIM : TERM_PLAIN;
    term_table_add(&r->table, slice_str(number), dim);
    term_table_add(&r->table, slice_str(last), dim);
    term_table_add(&r->table, slice_str(level_label(f->level)),
                   dim == TERM_DIM ? dim : term_style_of(f->level));
    term_table_number(&r->table, f->count);
    term_table_add(&r->table, f->host, dim);
    term_table_add(&r->table, f->title, dim);
    return OK;
}

static enum status list_hidden(struct run *r, const struct list_values *v, struct error *err)
{
    uint64_t hidden;
    enum status status = known_hidden_count(r->data.casebook, &hidden, err);
    if (status == OK && hidden && !v->all && !v->suppressed)
        fprintf(stderr,
                locale_plural("hikeshi: %zu finding is suppressed; --suppressed shows it\n",
                              "hikeshi: %zu findings are suppressed; --suppressed shows them\n",
                              hidden),
                (size_t)hidden);
    return status;
}

static int list_run(const struct command *self, void *values, const struct text_list *operands)
{
    (void)self;
    (void)operands;
    const struct list_values *v = values;
    static const struct term_column columns[] = {
        {.title = N_("Number"), .align = TERM_RIGHT},
        {.title = N_("Last")},
        {.title = N_("Level")},
        {.title = N_("Count"), .align = TERM_RIGHT},
        {.title = N_("Host"), .flexible = true},
        {.title = N_("Rule"), .flexible = true},
    };
    struct term_column titles[sizeof columns / sizeof *columns];
    struct run r = {.json = v->json};
    struct error err = {0};
    struct known_query query = {
        .from = v->from.given ? v->from.at : TIMESTAMP_NONE,
        .to = v->to.given ? v->to.at : TIMESTAMP_NONE,
        .host = v->host,
        .rule = v->rule,
        .level_least = (enum sigma_level)v->level,
        .hidden = v->suppressed ? HIDDEN_ONLY
                  : v->all      ? HIDDEN_TOO
                                : HIDDEN_NOT,
        .withdrawn = v->all,
    };
    memcpy(titles, columns, sizeof columns);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        titles[i].title = _(columns[i].title);
    enum status status = open_all(&r, &v->data, &err);
    r.table = (struct term_table){.columns = titles,
                                  .columns_n = sizeof columns / sizeof *columns,
                                  .width = terminal_width(stdout),
                                  .colour = r.colour};
    if (status == OK)
        status = known_each(r.data.casebook, &query, list_one, &r, &err);
    if (status == OK && !v->json && r.told) {
        term_table_print(&r.table, &r.data.line);
        status = finding_put(&r.data, &err);
    }
    if (status == OK)
        status = list_hidden(&r, v, &err);
    return finding_close(&r.data, status, &err);
}

extern const struct command finding_list_command;
const struct command finding_list_command = {
    .name = "finding list",
    .what = N_("list what detection found"),
    .about = N_("Lists the findings of the data folder, the latest last. Repeats of a finding (the "
                "same rule, host and fields) are one line with a count."),
    .options = list_options,
    .examples = list_examples,
    .values_size = sizeof(struct list_values),
    .run = list_run,
};

/* ---- show ---- */

static const struct option show_options[] = {
    DATA_OPTIONS(struct show_values),
    {0, "json", OPTION_FLAG, NULL, N_("JSON lines"), .at = offsetof(struct show_values, json),
     .group = N_("How")},
    {0},
};

static const struct example show_examples[] = {
    {"hikeshi finding show 17", N_("all that is known of finding 17, and which events it is of")},
    {NULL, NULL},
};

static bool finding_number(const char *text, int64_t *number)
{
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    *number = n;
    return !errno && n > 0 && !*end;
}

static enum status show_one(struct run *r, const char *operand, struct error *err)
{
    struct known_finding f;
    struct origin *list = NULL;
    bool found = false;
    int64_t id;
    size_t n = 0;
    enum status status = OK;
    if (finding_number(operand, &id))
        status = known_get(r->data.casebook, id, &r->data.arena, &f, &found, err);
    if (status == OK && !found)
        return error_set(err, STATUS_BAD_USE, operand, ERROR_NO_OFFSET,
                         "there is no finding of this number; hikeshi finding list shows all");
    if (status == OK && !f.correlation)
        status = known_events(r->data.casebook, id, &r->data.arena, &list, &n, err);
    if (status != OK)
        return status;
    struct finding_events e = r->events;
    e.list = f.correlation ? f.events : list;
    e.n = f.correlation ? f.events_n : n;
    if (r->json) {
        finding_json(&r->data.line, &f, &e);
        buf_char(&r->data.line, '\n');
    } else {
        finding_text(&r->data.line, &f, &e, r->colour);
    }
    return finding_put(&r->data, err);
}

static int show_run(const struct command *self, void *values, const struct text_list *operands)
{
    (void)self;
    const struct show_values *v = values;
    struct run r = {.json = v->json};
    struct error err = {0};
    enum status status = open_all(&r, &v->data, &err);
    for (size_t i = 0; status == OK && i < operands->n; i++)
        status = show_one(&r, operands->at[i], &err);
    return finding_close(&r.data, status, &err);
}

extern const struct command finding_show_command;
const struct command finding_show_command = {
    .name = "finding show",
    .what = N_("show findings with their fields and events"),
    .operands = "NUMBER...",
    .operands_least = 1,
    .operands_most = OPERANDS_ANY,
    .options = show_options,
    .examples = show_examples,
    .values_size = sizeof(struct show_values),
    .run = show_run,
};
