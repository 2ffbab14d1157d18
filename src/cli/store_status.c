/* hikeshi store status, rebuild, merge: what a data folder holds, and its upkeep. */
#include "cli/data_folder.h"
#include "cli/progress.h"

#include "base/confine.h"
#include "report/term.h"
#include "store/catalogue.h"
#include "store/status.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

struct status_values {
    struct data_values data;
    bool json, hosts;
};

#define AT(member) .at = offsetof(struct status_values, member)
#define DAY (INT64_C(86400) * NS_PER_SECOND)
#define HOUR (INT64_C(3600) * NS_PER_SECOND)

enum { SILENCES_SHOWN = 20 };

static timestamp now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

/* ---- JSON ---- */

static void put_time(struct buf *b, const char *name, timestamp t)
{
    char text[TIMESTAMP_TEXT];
    if (t == TIMESTAMP_NONE)
        return;
    timestamp_text(t, 9, text);
    buf_printf(b, ",\"%s\":\"%s\"", name, text);
}

static void put_string(struct buf *b, const char *name, struct slice text)
{
    buf_printf(b, ",\"%s\":", name);
    buf_json(b, text);
}

static void put_host(struct buf *b, const struct status_host *h)
{
    buf_add(b, SLICE("{\"host\":"));
    buf_json(b, h->host);
    buf_printf(b, ",\"events\":%" PRIu64 ",\"bytes\":%" PRIu64, h->events, h->bytes);
    put_time(b, "first", h->first);
    put_time(b, "last", h->last);
    buf_add(b, SLICE(",\"gaps\":["));
    for (size_t i = 0; i < h->silences_n; i++) {
        const struct silence *gap = &h->silences[i];
        buf_printf(b, "%s{\"hours\":%" PRId32 ",\"lasts\":%s", i ? "," : "", gap->to - gap->from,
                   gap->lasts ? "true" : "false");
        put_time(b, "from", gap->from * HOUR);
        put_time(b, "to", gap->to * HOUR);
        buf_char(b, '}');
    }
    buf_add(b, SLICE("]}"));
}

static void put_source(struct buf *b, const struct status_source *s)
{
    buf_add(b, SLICE("{\"source\":"));
    buf_json(b, s->source);
    buf_printf(b, ",\"events\":%" PRIu64 ",\"bytes\":%" PRIu64, s->events, s->bytes);
    put_time(b, "first", s->first);
    put_time(b, "last", s->last);
    if (s->rule) {
        buf_add(b, SLICE(",\"retention\":{\"rule\":"));
        buf_json(b, s->rule->source);
        if (s->rule->period != INT64_MAX)
            buf_printf(b, ",\"seconds\":%" PRId64, s->rule->period / NS_PER_SECOND);
        put_string(b, "reason", s->rule->reason);
        put_string(b, "by", s->rule->by);
        put_time(b, "at", s->rule->at);
        buf_char(b, '}');
    }
    buf_add(b, SLICE(",\"hosts\":["));
    for (size_t i = 0; i < s->hosts_n; i++) {
        if (i)
            buf_char(b, ',');
        put_host(b, &s->hosts[i]);
    }
    buf_add(b, SLICE("]}"));
}

static void put_holds(struct buf *b, const struct store *s)
{
    bool first = true;
    buf_add(b, SLICE(",\"holds\":["));
    for (size_t i = 0; i < s->holds.n; i++) {
        const struct store_hold *h = &s->holds.at[i];
        if (h->released)
            continue;
        buf_add(b, first ? SLICE("{\"name\":") : SLICE(",{\"name\":"));
        first = false;
        buf_json(b, h->name);
        put_string(b, "reason", h->reason);
        put_string(b, "by", h->by);
        put_time(b, "at", h->at);
        put_time(b, "from", h->from);
        put_time(b, "to", h->to);
        if (h->host.n)
            put_string(b, "host", h->host);
        if (h->source.n)
            put_string(b, "source", h->source);
        buf_char(b, '}');
    }
    buf_char(b, ']');
}

static void tell_json(const struct store *s, const struct store_status *st)
{
    struct buf b = {0};
    buf_add(&b, SLICE("{\"folder\":"));
    buf_json(&b, slice_str(s->path));
    put_string(&b, "name", slice_str(seal_origin(s->key)));
    put_time(&b, "made", s->made);
    buf_printf(&b,
               ",\"entries\":%zu,\"events\":%" PRIu64 ",\"segments\":%" PRIu64
               ",\"segment_bytes\":%" PRIu64 ",\"files\":%" PRIu64 ",\"file_bytes\":%" PRIu64
               ",\"originals\":%" PRIu64 ",\"original_bytes\":%" PRIu64 ",\"hosts\":%zu",
               s->journal.entries.n, st->events, st->segments, st->segment_bytes, st->files,
               st->file_bytes, st->originals, st->original_bytes, st->hosts_n);
    put_time(&b, "first", st->first);
    put_time(&b, "last", st->last);
    buf_printf(&b, ",\"catalogue\":{\"damaged\":%s,\"lacks_segments\":%zu}",
               st->damaged ? "true" : "false", st->read);
    buf_add(&b, SLICE(",\"sources\":["));
    for (size_t i = 0; i < st->sources_n; i++) {
        if (i)
            buf_char(&b, ',');
        put_source(&b, &st->sources[i]);
    }
    buf_char(&b, ']');
    put_holds(&b, s);
    buf_add(&b, SLICE("}\n"));
    buf_write(&b, stdout);
    buf_free(&b);
}

/* ---- text ---- */

static void add_time(struct term_table *t, timestamp at)
{
    char text[TIMESTAMP_TEXT];
    size_t n = at == TIMESTAMP_NONE ? 0 : timestamp_text(at, 0, text);
    term_table_add(t, slice_of(text, n), TERM_PLAIN);
}

static void add_bytes(struct term_table *t, uint64_t bytes)
{
    char text[BYTES_TEXT];
    bytes_text((double)bytes, text);
    term_table_add(t, slice_str(text), TERM_PLAIN);
}

static void add_period(struct term_table *t, const struct store_retain *rule)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, rule ? rule->period / DAY : 0);
    term_table_add(t,
                   slice_str(!rule                       ? _("no rule")
                             : rule->period == INT64_MAX ? _("for ever")
                                                         : text),
                   rule ? TERM_PLAIN : TERM_YELLOW);
}

static void print_table(struct term_table *t)
{
    struct buf b = {0};
    t->width = terminal_width(stdout);
    t->colour = t->width > 0;
    term_table_print(t, &b);
    buf_write(&b, stdout);
    buf_free(&b);
    putchar('\n');
}

static void print_sources(const struct store_status *st)
{
    const struct term_column columns[] = {
        {.title = _("log source"), .flexible = true},
        {.title = _("hosts"), .align = TERM_RIGHT},
        {.title = _("events"), .align = TERM_RIGHT},
        {.title = _("size"), .align = TERM_RIGHT},
        {.title = _("first")},
        {.title = _("last")},
        {.title = _("kept for days"), .align = TERM_RIGHT},
        {.title = _("why"), .flexible = true, .spare = 1},
    };
    struct term_table t = {.columns = columns, .columns_n = sizeof columns / sizeof *columns};
    for (size_t i = 0; i < st->sources_n; i++) {
        const struct status_source *s = &st->sources[i];
        term_table_add(&t, s->source, TERM_PLAIN);
        term_table_number(&t, s->hosts_n);
        term_table_number(&t, s->events);
        add_bytes(&t, s->bytes);
        add_time(&t, s->first);
        add_time(&t, s->last);
        add_period(&t, s->rule);
        term_table_add(&t, s->rule ? s->rule->reason : SLICE(""), TERM_PLAIN);
    }
    if (st->sources_n)
        print_table(&t);
}

static void print_hosts(const struct store_status *st)
{
    const struct term_column columns[] = {
        {.title = _("host"), .flexible = true},
        {.title = _("log source"), .flexible = true},
        {.title = _("events"), .align = TERM_RIGHT},
        {.title = _("size"), .align = TERM_RIGHT},
        {.title = _("first")},
        {.title = _("last")},
    };
    struct term_table t = {.columns = columns, .columns_n = sizeof columns / sizeof *columns};
    for (size_t i = 0; i < st->sources_n; i++)
        for (size_t k = 0; k < st->sources[i].hosts_n; k++) {
            const struct status_host *h = &st->sources[i].hosts[k];
            term_table_add(&t, h->host, TERM_PLAIN);
            term_table_add(&t, st->sources[i].source, TERM_PLAIN);
            term_table_number(&t, h->events);
            add_bytes(&t, h->bytes);
            add_time(&t, h->first);
            add_time(&t, h->last);
        }
    if (st->sources_n)
        print_table(&t);
}

static void print_holds(const struct store *s)
{
    const struct term_column columns[] = {
        {.title = _("held")}, {.title = _("host")}, {.title = _("log source"), .flexible = true},
        {.title = _("from")}, {.title = _("to")},   {.title = _("why"), .flexible = true},
    };
    struct term_table t = {.columns = columns, .columns_n = sizeof columns / sizeof *columns};
    bool any = false;
    for (size_t i = 0; i < s->holds.n; i++) {
        const struct store_hold *h = &s->holds.at[i];
        if (h->released)
            continue;
        any = true;
        term_table_add(&t, h->name, TERM_BOLD);
        term_table_add(&t, h->host.n ? h->host : SLICE("*"), TERM_PLAIN);
        term_table_add(&t, h->source.n ? h->source : SLICE("*"), TERM_PLAIN);
        add_time(&t, h->from);
        add_time(&t, h->to);
        term_table_add(&t, h->reason, TERM_PLAIN);
    }
    if (any)
        print_table(&t);
}

struct told_silence {
    const struct silence *gap;
    struct slice host, source;
};

static int by_odds(const void *a, const void *b)
{
    const struct told_silence *x = a, *y = b;
    return (x->gap->odds > y->gap->odds) - (x->gap->odds < y->gap->odds);
}

/* The silences of all hosts, the least likely first. */
static size_t collect_silences(const struct store_status *st, struct arena *a,
                               struct told_silence **out)
{
    size_t n = 0;
    for (size_t i = 0; i < st->sources_n; i++)
        for (size_t k = 0; k < st->sources[i].hosts_n; k++)
            n += st->sources[i].hosts[k].silences_n;
    *out = arena_zero(a, n, sizeof **out);
    n = 0;
    for (size_t i = 0; i < st->sources_n; i++)
        for (size_t k = 0; k < st->sources[i].hosts_n; k++) {
            const struct status_host *h = &st->sources[i].hosts[k];
            for (size_t g = 0; g < h->silences_n; g++)
                (*out)[n++] =
                    (struct told_silence){&h->silences[g], h->host, st->sources[i].source};
        }
    if (n)
        qsort(*out, n, sizeof **out, by_odds);
    return n;
}

static void print_silences(const struct store_status *st, struct arena *a)
{
    const struct term_column columns[] = {
        {.title = _("silent"), .align = TERM_RIGHT},
        {.title = _("from")},
        {.title = _("to")},
        {.title = _("host"), .flexible = true},
        {.title = _("log source"), .flexible = true},
    };
    struct term_table t = {.columns = columns, .columns_n = sizeof columns / sizeof *columns};
    struct told_silence *all;
    size_t n = collect_silences(st, a, &all), shown = n < SILENCES_SHOWN ? n : SILENCES_SHOWN;
    for (size_t i = 0; i < shown; i++) {
        const struct silence *gap = all[i].gap;
        char hours[32];
        snprintf(hours, sizeof hours, _("%d h"), (int)(gap->to - gap->from));
        term_table_add(&t, slice_str(hours), gap->lasts ? TERM_YELLOW : TERM_PLAIN);
        add_time(&t, gap->from * HOUR);
        if (gap->lasts)
            term_table_add(&t, slice_str(_("the end")), TERM_YELLOW);
        else
            add_time(&t, gap->to * HOUR);
        term_table_add(&t, all[i].host, TERM_PLAIN);
        term_table_add(&t, all[i].source, TERM_PLAIN);
    }
    if (shown)
        print_table(&t);
    if (n > shown)
        printf(_("and %zu more silences; --json tells them all\n\n"), n - shown);
}

static void tell_text(const struct store *s, const struct store_status *st, bool hosts,
                      struct arena *a)
{
    char made[TIMESTAMP_TEXT], files[BYTES_TEXT], segments[BYTES_TEXT], originals[BYTES_TEXT];
    timestamp_text(s->made, 0, made);
    bytes_text((double)st->file_bytes, files);
    bytes_text((double)st->segment_bytes, segments);
    bytes_text((double)st->original_bytes, originals);
    printf(_("data folder: %s (%s), made %s, %zu entries in the journal\n"), s->path,
           seal_origin(s->key), made, s->journal.entries.n);
    printf(_("files taken in: %zu, %s; events: %zu of %zu hosts in %zu segments, %s"),
           (size_t)st->files, files, (size_t)st->events, st->hosts_n, (size_t)st->segments,
           segments);
    if (st->file_bytes)
        printf(_(" (%.1f %% of the files)"),
               100.0 * (double)st->segment_bytes / (double)st->file_bytes);
    printf(_("; originals kept: %zu, %s\n\n"), (size_t)st->originals, originals);
    print_sources(st);
    if (hosts)
        print_hosts(st);
    print_holds(s);
    print_silences(st, a);
}

/* ---- the commands ---- */

static int run_status(const struct command *self, void *values, const struct text_list *operands)
{
    (void)self;
    (void)operands;
    const struct status_values *v = values;
    struct error err = {0};
    struct arena a = {0};
    struct store_status st;
    struct store *s = data_folder_read(&v->data, STORE_JOURNAL, NULL, &err);
    enum status status = s ? OK : err.status;
    if (s)
        status = store_status(s, now(), &a, &st, &err);
    if (s && status == OK && v->json)
        tell_json(s, &st);
    else if (s && status == OK)
        tell_text(s, &st, v->hosts, &a);
    if (s && status == OK && st.damaged)
        fputs(_("hikeshi: the catalogue was altered and not used; hikeshi store rebuild makes it "
                "anew\n"),
              stderr);
    if (status != OK)
        error_print(&err, stderr);
    arena_free(&a);
    store_close(s);
    return data_folder_exit(status);
}

static int upkeep(const struct status_values *v,
                  enum status (*work)(struct store *, struct error *))
{
    struct error err = {0};
    struct confine_report report;
    struct store *s = data_folder_open(&v->data, STORE_WRITE, &err);
    enum status status = s ? OK : err.status;
    if (s)
        status = confine(&(struct confine_needs){.write = &s->path, .write_n = 1}, &report, &err);
    if (s && status == OK && report.landlock == 0)
        fprintf(stderr, "hikeshi: %s\n", report.warning);
    if (status == OK)
        status = work(s, &err);
    if (status != OK)
        error_print(&err, stderr);
    store_close(s);
    return data_folder_exit(status);
}

static int run_rebuild(const struct command *self, void *values, const struct text_list *operands)
{
    (void)self;
    (void)operands;
    return upkeep(values, catalogue_rebuild);
}

static int run_merge(const struct command *self, void *values, const struct text_list *operands)
{
    (void)self;
    (void)operands;
    return upkeep(values, store_merge);
}

static const struct option status_options[] = {
    DATA_OPTIONS(struct status_values),
    {0, "hosts", OPTION_FLAG, NULL, N_("each host of each log source, too"), AT(hosts),
     .group = N_("What is told")},
    {0, "json", OPTION_FLAG, NULL, N_("one JSON object, with all hosts"), AT(json)},
    {0},
};
static const struct option write_options[] = {
    DATA_WRITE_OPTIONS(struct status_values),
    {0},
};
static const struct example status_examples[] = {
    {"hikeshi store status", N_("what is there, how long is it kept, who fell silent?")},
    {"hikeshi store status --json | jq -r '.sources[] | select(.retention == null).source'",
     N_("log sources without a rule")},
    {NULL, NULL},
};
static const struct example rebuild_examples[] = {
    {"hikeshi store rebuild", N_("the catalogue, from the segments")},
    {NULL, NULL},
};
static const struct example merge_examples[] = {
    {"hikeshi store merge", N_("after many small intakes")},
    {NULL, NULL},
};

extern const struct command store_status_command, store_rebuild_command, store_merge_command;
const struct command store_status_command = {
    .name = "store status",
    .what = N_("show what a data folder holds, and where a log source fell silent"),
    .about = N_("Log sources with their hosts, times, sizes and how long they are kept and why; "
                "holds; and silences: when a log source of a host told nothing for longer than "
                "its own usual rhythm of hours and weekdays explains. The end is the newest event "
                "of all that is there."),
    .options = status_options,
    .examples = status_examples,
    .values_size = sizeof(struct status_values),
    .run = run_status,
};
const struct command store_rebuild_command = {
    .name = "store rebuild",
    .what = N_("make the catalogue anew from the segments"),
    .about = N_("The catalogue (catalogue.sqlite) makes answers about the whole folder quick. It "
                "is derived from the segments and the journal; nothing is lost with it."),
    .options = write_options,
    .examples = rebuild_examples,
    .values_size = sizeof(struct status_values),
    .run = run_rebuild,
};
const struct command store_merge_command = {
    .name = "store merge",
    .what = N_("merge small segments where there are many"),
    .about = N_("What is found in them is the same before and after, only quicker. The entries of "
                "what is merged stay in the journal."),
    .options = write_options,
    .examples = merge_examples,
    .values_size = sizeof(struct status_values),
    .run = run_merge,
};
