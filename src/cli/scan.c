/*
 * hikeshi scan: logs against Sigma rules. In this order: rules and mappings are loaded, inputs
 * found, the output opened, the process confined; then the first byte of a log is read.
 */
#include "cli/input.h"
#include "cli/rule_options.h"
#include "cli/stop.h"
#include "cli/telling.h"

#include "base/locale.h"
#include "base/vec.h"
#include "detect/scan.h"
#include "report/metrics.h"
#include "report/timeline.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { TOP = 10 }; /* rows a table of metrics, unless --top says it */

struct scan_values {
    struct input_values input;
    struct rule_values rules;
    struct text_list rule_paths;
    struct telling_values telling;
    bool metrics;
};

/* ---- options ---- */

#define AT(member) .at = offsetof(struct scan_values, member)

static const struct option options[] = {
    {'r', "rules", OPTION_LIST, "DIR", N_("Sigma rules: a folder, or a file; may be given again"),
     AT(rule_paths), .group = N_("Rules")},
    RULE_OPTIONS(struct scan_values),
    TELLING_OPTIONS(struct scan_values),
    {0, "metrics", OPTION_FLAG, NULL,
     N_("tell what is in the logs: events by channel and id, logons, hosts, gaps; needs no rules "
        "(as text or jsonl)"),
     AT(metrics)},
    INPUT_OPTIONS(struct scan_values),
    {0},
};

static const struct example examples[] = {
    {"hikeshi scan -r rules/ evidence/", N_("a timeline of all findings, then their numbers")},
    {"hikeshi scan -r sigma/rules -l high --from 7d Security.evtx Sysmon.evtx",
     N_("the last week, level high and critical")},
    {"hikeshi scan -r rules/ -f html -o report.html evidence.zip", N_("a page to hand on")},
    {"hikeshi scan -r rules/ -f jsonl logs/ | jq .", N_("for other programs")},
    {"zcat events.jsonl.gz | hikeshi scan -r rules/ -", N_("from a pipe")},
    {"hikeshi scan --metrics evidence/", N_("what is there at all, without rules")},
    {NULL, NULL},
};

/* ---- one run ---- */

struct run {
    const struct scan_values *v;
    const struct text_list *paths;
    const volatile sig_atomic_t *stop;
    struct ruleset *rules; /* NULL: only metrics */
    struct mappings *mappings;
    struct problems *problems;
    struct inputs *inputs;
    struct telling telling;
    struct scan *scan;
    struct metrics *metrics;
    struct metrics_worker **counting; /* one a thread */
    struct progress progress;
    bool interrupted; /* before all was read */
    bool incomplete;  /* that, or reading failed */
};

static enum status bad_use(struct error *err, const char *what)
{
    return error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET, "%s", what);
}

static enum status check_values(const struct scan_values *v, struct error *err)
{
    const char *format = timeline_formats[v->telling.format]->name;
    bool text = strcmp(format, "text") == 0;
    if (!v->rule_paths.n && !v->metrics)
        return bad_use(err, _("give the rules: --rules DIR; try hikeshi scan --help"));
    if (v->metrics && v->rule_paths.n && !text)
        return bad_use(err, _("--metrics together with --rules is told as text only"));
    if (v->metrics && !text && strcmp(format, "jsonl") != 0)
        return bad_use(err, _("--metrics is told as text or jsonl"));
    return input_check(&v->input, err);
}

static enum status load_rules(struct run *r, struct error *err)
{
    enum status status =
        rule_options_load(&r->v->rules, &r->v->rule_paths, &r->rules, &r->mappings, err);
    if (status != OK)
        return status;
    const struct rule_problem *unusable;
    size_t n = ruleset_problems(r->rules, &unusable);
    if (n && !r->v->input.quiet)
        fprintf(stderr,
                locale_plural("hikeshi: %zu rule can't be used; hikeshi rules check tells why\n",
                              "hikeshi: %zu rules can't be used; hikeshi rules check tells why\n",
                              n),
                n);
    if (!ruleset_count(r->rules))
        return bad_use(err, _("no rule is left to try; see --rules, --level, --status, --tag"));
    return OK;
}

static enum status count_block(void *ctx, unsigned worker, struct block *b, struct error *err)
{
    const struct run *r = ctx;
    (void)err;
    metrics_block(r->counting[worker], b);
    return OK;
}

static void show_progress(void *ctx, const struct intake_progress *now)
{
    struct run *r = ctx;
    progress_show(&r->progress, now);
}

static enum status prepare(struct run *r, struct error *err)
{
    const struct scan_values *v = r->v;
    enum status status = check_values(v, err);
    if (status == OK && v->rule_paths.n)
        status = load_rules(r, err);
    if (status != OK)
        return status;
    r->problems = problems_new();
    r->inputs = inputs_find(r->paths->at, r->paths->n, r->problems);
    status = input_not_written(r->inputs, v->telling.output, err);
    if (status == OK)
        status = rule_options_not_written(&v->rules, &v->rule_paths, v->telling.output, err);
    if (status == OK)
        status = telling_open(&r->telling, &v->telling, err);
    if (status != OK)
        return status;
    struct scan_setup setup = {
        .rules = r->rules,
        .mappings = r->mappings,
        .wanted = input_selection(&v->input),
        .reader = {.carve = v->input.carve},
        .threads = v->input.threads,
        .look = v->metrics ? count_block : NULL,
        .progress = show_progress,
        .ctx = r,
        .stop = r->stop,
    };
    r->scan = scan_new(&setup, err);
    if (!r->scan)
        return err->status;
    return input_confine(r->paths, r->telling.out.folder, err);
}

static enum status read_inputs(struct run *r, struct error *err)
{
    unsigned threads = scan_threads(r->scan);
    if (r->v->metrics) {
        r->metrics = metrics_new();
        r->counting = xcalloc(threads, sizeof(struct metrics_worker *));
        for (unsigned i = 0; i < threads; i++)
            r->counting[i] = metrics_worker_new(r->metrics);
    }
    progress_begin(&r->progress, stderr, (enum progress_wish)r->v->input.progress);
    enum status status = scan_run(r->scan, r->inputs, r->problems, err);
    progress_end(&r->progress);
    for (unsigned i = 0; r->counting && i < threads; i++)
        metrics_worker_free(r->counting[i]);
    r->interrupted = status == STATUS_INTERRUPTED;
    r->incomplete = status != OK;
    return status;
}

/* ---- telling ---- */

/* That not all could be read, which what is handed on must say by itself; "" when all was. */
static void tell_unread(const struct run *r, char *out, size_t size)
{
    size_t n = (size_t)problems_total(r->problems);
    out[0] = '\0';
    if (n)
        snprintf(out, size,
                 locale_plural("%zu place in the input could not be read",
                               "%zu places in the input could not be read", n),
                 n);
}

/* "evidence/, Security.evtx": for a page's title. */
static void name_paths(const struct run *r, struct buf *out)
{
    for (size_t i = 0; i < r->paths->n; i++)
        buf_printf(out, "%s%s", i ? ", " : "", r->paths->at[i]);
    if (r->incomplete)
        buf_printf(out, " (%s)", _("incomplete"));
    char unread[128];
    tell_unread(r, unread, sizeof unread);
    if (unread[0])
        buf_printf(out, " (%s)", unread);
    buf_char(out, '\0');
}

/* The findings, as long as they can be told. */
static enum status tell_each(struct run *r, struct error *err)
{
    struct finding finding;
    enum status status = OK;
    err->status = OK;
    for (size_t at = 0; status == OK && findings_next(scan_findings(r->scan), &at, &finding, err);)
        status = *r->stop > 1 ? STATUS_INTERRUPTED : telling_add(&r->telling, &finding, err);
    return status == OK ? err->status : status;
}

static enum status tell_findings(struct run *r, struct error *err)
{
    struct buf title = {0};
    struct error later = {0};
    name_paths(r, &title);
    const struct timeline_options wanted = {
        .rules = r->rules, .inputs = r->inputs, .title = title.p};
    enum status status = telling_begin(&r->telling, &wanted, err);
    if (status == OK) {
        status = tell_each(r, err);
        enum status ended = telling_end(&r->telling, &later);
        if (status == OK && ended != OK) {
            status = ended;
            *err = later;
        }
    }
    char unread[128];
    tell_unread(r, unread, sizeof unread);
    if (status == OK && unread[0] && telling_is_text(&r->v->telling))
        fprintf(r->telling.out.file, "\n%s\n", unread);
    if (status == OK && r->incomplete)
        telling_incomplete(&r->telling);
    buf_free(&title);
    return status;
}

static enum status tell_metrics(struct run *r, struct error *err)
{
    FILE *out = r->telling.out.file;
    if (!telling_is_text(&r->v->telling))
        return metrics_print_json(r->metrics, out, err);
    struct metrics_options wanted = {
        .colour = telling_colour(&r->v->telling),
        .width = telling_width(&r->v->telling),
        .top = r->v->telling.top ? r->v->telling.top : TOP,
    };
    return metrics_print_text(r->metrics, &wanted, out, err);
}

/* All that was found goes out; a file gets its name only when that is all there is to find. */
static enum status tell(struct run *r, struct error *err)
{
    enum status status = OK;
    if (r->rules)
        status = tell_findings(r, err);
    if (status == OK && r->metrics)
        status = tell_metrics(r, err);
    if (status == OK)
        return telling_commit(&r->telling, !r->incomplete, err);
    telling_name_output(&r->telling, err);
    return status;
}

static double seconds(int64_t ns)
{
    return (double)ns / NS_PER_SECOND;
}

static void tell_stats(const struct run *r)
{
    const struct scan_stats *s = scan_stats(r->scan);
    double read = seconds(s->read_ns);
    fprintf(stderr,
            "read:      %" PRIu64 " events, %.1f MB of %" PRIu64 " inputs in %.2f s by %u threads: "
            "%.0f events/s, %.1f MB/s\n",
            s->read.events, (double)s->read.bytes / 1e6, s->read.inputs, read, s->threads,
            read > 0 ? (double)s->read.events / read : 0,
            read > 0 ? (double)s->read.bytes / 1e6 / read : 0);
    if (s->left_out)
        fprintf(stderr, "left out:  %" PRIu64 " events by --from, --to, --host\n", s->left_out);
    if (!r->rules)
        return;
    fprintf(stderr,
            "rules:     %zu; %.2f s of all threads' time; %" PRIu64 " blocks, %" PRIu64
            " predicates on %" PRIu64 " distinct values; %" PRIu64 " rules looked at, %" PRIu64
            " skipped\n",
            ruleset_count(r->rules), seconds(s->detected.engine_ns), s->detected.engine.blocks,
            s->detected.engine.predicates, s->detected.engine.values,
            s->detected.engine.rules_looked_at, s->detected.engine.rules_skipped);
    if (s->correlated.matches)
        fprintf(stderr,
                "correlate: %" PRIu64 " matches; left out: %" PRIu64 " without a time, %" PRIu64
                " without a field of group-by, %" PRIu64 " without a value\n",
                s->correlated.matches, s->correlated.without_time, s->correlated.without_group,
                s->correlated.without_value);
    fprintf(stderr,
            "after:     %" PRIu64 " matches, %zu findings correlated and in order in %.2f s\n",
            s->detected.matches, findings_count(scan_findings(r->scan)), seconds(s->after_ns));
}

/* What is said when all is done. Findings that were not all told (a full disk) have no numbers, which
 * would be those of a part. */
static void tell_end(const struct run *r, enum status told)
{
    const struct input_values *in = &r->v->input;
    input_tell_problems(r->problems, r->inputs, in->verbose, stderr);
    if (r->incomplete)
        fputs(_("hikeshi: stopped before all was read: the findings are incomplete\n"), stderr);
    const struct scan_stats *stats = scan_stats(r->scan);
    if (!in->quiet)
        telling_left_out(stats->correlated.without_time, stats->detected.engine.regexes_given_up);
    if (in->verbose)
        tell_stats(r);
    if (r->rules && told == OK && !in->quiet)
        telling_numbers(&r->telling, stats->read.events - stats->left_out);
}

static int finish(struct run *r, enum status read, enum status told, const struct error *err)
{
    tell_end(r, told);
    if (r->interrupted || told == STATUS_INTERRUPTED)
        return EXIT_STATUS_INTERRUPTED;
    bool failed = read != OK || (told != OK && (r->v->telling.output || !reader_gone()));
    if (failed) {
        error_print(err, stderr);
        return EXIT_STATUS_FAILED;
    }
    if (findings_count(scan_findings(r->scan)))
        return EXIT_STATUS_FINDINGS;
    return problems_total(r->problems) ? EXIT_STATUS_UNREAD : EXIT_STATUS_CLEAN;
}

static void run_free(struct run *r)
{
    telling_free(&r->telling);
    free(r->counting);
    metrics_free(r->metrics);
    scan_free(r->scan);
    inputs_free(r->inputs);
    problems_free(r->problems);
    mappings_free(r->mappings);
    if (r->rules)
        ruleset_free(r->rules);
}

static int run(const struct command *self, void *values, const struct text_list *operands)
{
    struct run r = {.v = values, .paths = operands, .stop = stop_on_signals()};
    struct error err = {0}, later = {0};
    int result;
    enum status status = prepare(&r, &err);
    if (status != OK) {
        error_print(&err, stderr);
        result = status == STATUS_SYSTEM && r.inputs ? EXIT_STATUS_FAILED : EXIT_STATUS_BAD_USE;
    } else {
        (void)self;
        status = read_inputs(&r, &err);
        enum status told = tell(&r, &later);
        result = finish(&r, status, told, status == OK ? &later : &err);
    }
    run_free(&r);
    return result;
}

extern const struct command scan_command;
const struct command scan_command = {
    .name = "scan",
    .what = N_("find in logs what Sigma rules describe"),
    .operands = "PATH...",
    .operands_least = 1,
    .operands_most = OPERANDS_ANY,
    .about = N_(
        "Reads Windows event logs and JSON lines, also inside .gz, .zst, .xz, .bz2, .zip, .tar, "
        ".7z and .rar, tries all rules on all events, and prints a timeline of the findings and a "
        "summary. A folder is read with all that is in it; - is standard input."),
    .options = options,
    .examples = examples,
    .values_size = sizeof(struct scan_values),
    .run = run,
};
