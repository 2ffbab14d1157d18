/*
 * hikeshi store retain, hold, release, expire: how long events are kept and why, what must stay, and
 * deleting what is past its time.
 */
#include "cli/data_folder.h"

#include "base/confine.h"
#include "report/term.h"
#include "store/retention.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

struct retention_values {
    struct data_values data;
    const char *period, *reason, *host, *source;
    struct option_time from, to;
    bool dry_run, json;
};

#define AT(member) .at = offsetof(struct retention_values, member)
#define DAY (INT64_C(86400) * NS_PER_SECOND)

static timestamp now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

/* "180d", "26w", "7y" or "forever". */
static enum status take_period(const char *text, int64_t *period, struct error *err)
{
    static const struct {
        char unit;
        unsigned days;
    } units[] = {{'d', 1}, {'w', 7}, {'y', 365}};
    char *end;
    unsigned long n = text && *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
    *period = INT64_MAX;
    if (text && strcmp(text, "forever") == 0)
        return OK;
    for (size_t i = 0; n && n < 100000 && i < sizeof units / sizeof *units; i++)
        if (*end == units[i].unit && !end[1] &&
            !__builtin_mul_overflow((int64_t)n * units[i].days, DAY, period))
            return OK;
    if (!text)
        return error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET,
                         "say with --for how long: 180d, 26w, 7y, or forever");
    return error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET,
                     "--for %s: give days, weeks or years, such as 180d, 26w, 7y, or forever",
                     text);
}

/* The data folder, to write; from then on the process can reach nothing else. */
static struct store *open_folder(const struct retention_values *v, struct error *err)
{
    struct confine_report report;
    struct store *s = data_folder_open(&v->data, STORE_WRITE, err);
    if (!s)
        return NULL;
    struct confine_needs needs = {.write = &s->path, .write_n = 1};
    enum status status = confine(&needs, &report, err);
    if (status == OK && report.landlock == 0)
        fprintf(stderr, "hikeshi: %s\n", report.warning);
    if (status == OK)
        return s;
    store_close(s);
    return NULL;
}

/* Ends a command whose work is done, or was not. */
static int finish(struct store *s, enum status status, const struct error *err, const char *said)
{
    if (status == OK && said)
        puts(said);
    else if (status != OK)
        error_print(err, stderr);
    store_close(s);
    return data_folder_exit(status);
}

static enum status need_reason(const struct retention_values *v, struct error *err)
{
    if (v->reason && slice_trim(slice_str(v->reason)).n)
        return OK;
    return error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET,
                     "say why with --reason: who reads it later must know");
}

/* ---- rules and holds ---- */

static int run_retain(const struct command *self, void *values, const struct text_list *operands)
{
    (void)self;
    const struct retention_values *v = values;
    struct error err = {0};
    char by[512];
    data_folder_user(by, sizeof by);
    struct store_retain rule = {.source = slice_str(operands->at[0]),
                                .reason = slice_str(v->reason),
                                .by = slice_str(by),
                                .at = now()};
    struct store *s = NULL;
    enum status status = take_period(v->period, &rule.period, &err);
    if (status == OK)
        status = need_reason(v, &err);
    if (status == OK && !(s = open_folder(v, &err)))
        status = err.status;
    if (status == OK)
        status = store_retain(s, &rule, &err);
    return finish(s, status, &err, _("the rule is in the journal"));
}

static int run_hold(const struct command *self, void *values, const struct text_list *operands)
{
    (void)self;
    const struct retention_values *v = values;
    struct error err = {0};
    char by[512];
    data_folder_user(by, sizeof by);
    struct store_hold hold = {.name = slice_str(operands->at[0]),
                              .reason = slice_str(v->reason),
                              .by = slice_str(by),
                              .at = now(),
                              .from = v->from.given ? v->from.at : TIMESTAMP_NONE,
                              .to = v->to.given ? v->to.at : TIMESTAMP_NONE,
                              .host = slice_str(v->host),
                              .source = slice_str(v->source)};
    struct store *s = NULL;
    enum status status = need_reason(v, &err);
    if (status == OK && v->from.given && v->to.given && v->from.at >= v->to.at)
        status = error_set(&err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET,
                           "--from is not before --to: no event can be between them");
    if (status == OK && !(s = open_folder(v, &err)))
        status = err.status;
    if (status == OK)
        status = store_hold(s, &hold, &err);
    return finish(s, status, &err, _("held until it is released"));
}

static int run_release(const struct command *self, void *values, const struct text_list *operands)
{
    (void)self;
    const struct retention_values *v = values;
    struct error err = {0};
    char by[512];
    data_folder_user(by, sizeof by);
    struct store *s = NULL;
    enum status status = need_reason(v, &err);
    if (status == OK && !(s = open_folder(v, &err)))
        status = err.status;
    if (status == OK)
        status = store_release(s, slice_str(operands->at[0]), slice_str(v->reason), slice_str(by),
                               now(), &err);
    return finish(s, status, &err, _("released"));
}

/* ---- deleting ---- */

static void tell_json(const struct expire_report *r, bool deleted)
{
    struct buf b = {0};
    char text[TIMESTAMP_TEXT];
    buf_printf(&b,
               "{\"deleted\":%s,\"events\":%" PRIu64 ",\"segments_gone\":%" PRIu64
               ",\"segments_rewritten\":%" PRIu64 ",\"originals\":%" PRIu64 ",\"sources\":[",
               deleted ? "true" : "false", r->events, r->segments_gone, r->segments_rewritten,
               r->originals);
    for (size_t i = 0; i < r->sources_n; i++) {
        const struct expire_source *s = &r->sources[i];
        buf_add(&b, i ? SLICE(",{\"source\":") : SLICE("{\"source\":"));
        buf_json(&b, s->source);
        buf_printf(&b, ",\"events\":%" PRIu64 ",\"held\":%" PRIu64 ",\"seconds\":%" PRId64,
                   s->events, s->held, s->period / NS_PER_SECOND);
        if (s->events) {
            timestamp_text(s->first, 9, text);
            buf_printf(&b, ",\"first\":\"%s\"", text);
            timestamp_text(s->last, 9, text);
            buf_printf(&b, ",\"last\":\"%s\"", text);
        }
        buf_add(&b, SLICE(",\"reason\":"));
        buf_json(&b, s->reason);
        buf_char(&b, '}');
    }
    buf_add(&b, SLICE("]}\n"));
    buf_write(&b, stdout);
    buf_free(&b);
}

static void tell_text(const struct expire_report *r, bool deleted)
{
    const struct term_column columns[] = {
        {.title = _("log source"), .flexible = true},
        {.title = _("events"), .align = TERM_RIGHT},
        {.title = _("until")},
        {.title = _("held"), .align = TERM_RIGHT},
        {.title = _("kept for days"), .align = TERM_RIGHT},
        {.title = _("why"), .flexible = true},
    };
    struct term_table t = {.columns = columns, .columns_n = 6};
    struct buf b = {0};
    char until[TIMESTAMP_TEXT];
    for (size_t i = 0; i < r->sources_n; i++) {
        const struct expire_source *s = &r->sources[i];
        term_table_add(&t, s->source, TERM_PLAIN);
        term_table_number(&t, s->events);
        term_table_add(&t, slice_of(until, s->events ? timestamp_text(s->last, 0, until) : 0),
                       TERM_PLAIN);
        term_table_number(&t, s->held);
        term_table_number(&t, (uint64_t)(s->period / DAY));
        term_table_add(&t, s->reason, TERM_PLAIN);
    }
    if (r->sources_n)
        term_table_print(&t, &b);
    buf_write(&b, stdout);
    buf_free(&b);
    printf(deleted ? _("deleted: %zu events, %zu segments and %zu originals; %zu segments were "
                       "written anew with what stays\n")
                   : _("would be deleted: %zu events, %zu segments and %zu originals; %zu segments "
                       "would be written anew with what stays\n"),
           (size_t)r->events, (size_t)r->segments_gone, (size_t)r->originals,
           (size_t)r->segments_rewritten);
}

static int run_expire(const struct command *self, void *values, const struct text_list *operands)
{
    (void)self;
    (void)operands;
    const struct retention_values *v = values;
    struct error err = {0};
    struct arena a = {0};
    struct expire_report report;
    char by[512];
    data_folder_user(by, sizeof by);
    struct store *s =
        v->dry_run ? data_folder_read(&v->data, STORE_READ, NULL, &err) : open_folder(v, &err);
    enum status status = s ? OK : err.status;
    if (s && s->retains.n == 0)
        status = error_set(&err, STATUS_BAD_USE, s->path, ERROR_NO_OFFSET,
                           "nothing says how long anything is kept; hikeshi store retain does");
    if (status == OK)
        status = store_expire(s, now(), slice_str(by), v->dry_run, &a, &report, &err);
    if (status == OK && v->json)
        tell_json(&report, !v->dry_run);
    else if (status == OK)
        tell_text(&report, !v->dry_run);
    arena_free(&a);
    return finish(s, status, &err, NULL);
}

/* ---- the commands ---- */

static const struct option retain_options[] = {
    DATA_WRITE_OPTIONS(struct retention_values),
    {0, "for", OPTION_TEXT, "PERIOD",
     N_("how long, by an event's own time: 180d, 26w, 7y, forever"), AT(period),
     .group = N_("The rule")},
    {0, "reason", OPTION_TEXT, "TEXT", N_("why; it stands in the journal"), AT(reason)},
    {0},
};
static const struct option hold_options[] = {
    DATA_WRITE_OPTIONS(struct retention_values),
    {0, "reason", OPTION_TEXT, "TEXT", N_("why; it stands in the journal"), AT(reason),
     .group = N_("What is held")},
    {0, "from", OPTION_TIME, "TIME", N_("only events from then on"), AT(from)},
    {0, "to", OPTION_TIME, "TIME", N_("only events before then; a date alone: to its end"), AT(to),
     .ends = true},
    {0, "host", OPTION_TEXT, "NAME", N_("only events of this host; * and ? as in file names"),
     AT(host)},
    {0, "source", OPTION_TEXT, "SOURCE", N_("only events of this log source and below"),
     AT(source)},
    {0},
};
static const struct option release_options[] = {
    DATA_WRITE_OPTIONS(struct retention_values),
    {0, "reason", OPTION_TEXT, "TEXT", N_("why; it stands in the journal"), AT(reason)},
    {0},
};
static const struct option expire_options[] = {
    DATA_WRITE_OPTIONS(struct retention_values),
    {'n', "dry-run", OPTION_FLAG, NULL, N_("tell what would be deleted, and delete nothing"),
     AT(dry_run), .group = N_("How")},
    {0, "json", OPTION_FLAG, NULL, N_("one JSON object"), AT(json)},
    {0},
};

static const struct example retain_examples[] = {
    {"hikeshi store retain windows/Security --for 1y --reason 'audit rule 12'",
     N_("the Security logs of all hosts")},
    {"hikeshi store retain '*' --for 90d --reason 'no need was found for longer'",
     N_("all that has no rule of its own")},
    {NULL, NULL},
};
static const struct example hold_examples[] = {
    {"hikeshi store hold INC-2026-7 --host 'dc*' --from 2026-11-01 --reason 'request of the "
     "police'",
     N_("what is about this incident stays")},
    {NULL, NULL},
};
static const struct example release_examples[] = {
    {"hikeshi store release INC-2026-7 --reason 'proceedings ended'", N_("the periods hold again")},
    {NULL, NULL},
};
static const struct example expire_examples[] = {
    {"hikeshi store expire --dry-run", N_("what is past its time?")},
    {"hikeshi store expire", N_("for a daily job")},
    {NULL, NULL},
};

extern const struct command store_retain_command, store_hold_command, store_release_command,
    store_expire_command;
const struct command store_retain_command = {
    .name = "store retain",
    .what = N_("say how long events of a log source are kept, and why"),
    .operands = "SOURCE",
    .operands_least = 1,
    .operands_most = 1,
    .about =
        N_("SOURCE is a log source as hikeshi store status shows it (windows/Security), or all "
           "that is below a name (windows), or * for all that no other rule is about. A new "
           "rule for the same name takes the place of the old one, which stays in the "
           "journal. What no rule is about is kept.\n\n"
           "Nothing is deleted by this; hikeshi store expire does it."),
    .options = retain_options,
    .examples = retain_examples,
    .values_size = sizeof(struct retention_values),
    .run = run_retain,
};
const struct command store_hold_command = {
    .name = "store hold",
    .what = N_("keep events of an incident, whatever their period"),
    .operands = "NAME",
    .operands_least = 1,
    .operands_most = 1,
    .about = N_("A legal hold: until NAME is released, what it is about is not deleted."),
    .options = hold_options,
    .examples = hold_examples,
    .values_size = sizeof(struct retention_values),
    .run = run_hold,
};
const struct command store_release_command = {
    .name = "store release",
    .what = N_("end a hold"),
    .operands = "NAME",
    .operands_least = 1,
    .operands_most = 1,
    .options = release_options,
    .examples = release_examples,
    .values_size = sizeof(struct retention_values),
    .run = run_release,
};
const struct command store_expire_command = {
    .name = "store expire",
    .what = N_("delete events that are past their time, and record it"),
    .about = N_("Deletes what is past the period of its log source and under no hold: whole "
                "segments, or segments are written anew without it; and the originals of files of "
                "which no event is left. The journal tells what went, how much, of which time, and "
                "by which rule; verify and proofs hold for all that stays, and the entries of what "
                "went can still be proved."),
    .options = expire_options,
    .examples = expire_examples,
    .values_size = sizeof(struct retention_values),
    .run = run_expire,
};
