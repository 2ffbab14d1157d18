/*
 * hikeshi scan: logs against Sigma rules. In this order: rules and mappings are loaded, inputs
 * found, the output opened, the process confined; then the first byte of a log is read.
 */
#include "cli/input.h"
#include "cli/outfile.h"
#include "cli/rule_options.h"
#include "cli/stop.h"

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

enum colour { COLOUR_AUTO, COLOUR_NEVER, COLOUR_ALWAYS };

struct scan_values {
    struct input_values input;
    struct rule_values rules;
    struct text_list rule_paths;
    const char *output;
    unsigned format, top, colour, local;
    bool metrics;
};

/* ---- options ---- */

static const char *format_name(size_t number)
{
    return timeline_formats[number] ? timeline_formats[number]->name : NULL;
}

#define AT(member) .at = offsetof(struct scan_values, member)

static const struct option options[] = {
    {'r', "rules", OPTION_LIST, "DIR", N_("Sigma rules: a folder, or a file; may be given again"),
     AT(rule_paths), .group = N_("Rules")},
    RULE_OPTIONS(struct scan_values),
    {'f', "format", OPTION_CHOICE, "FORMAT", N_("how findings are told"), .choice = format_name,
     AT(format), .group = N_("What is told")},
    {'o', "output", OPTION_TEXT, "FILE",
     N_("write findings there; the file appears when it is whole"), AT(output)},
    {0, "metrics", OPTION_FLAG, NULL,
     N_("tell what is in the logs: events by channel and id, logons, hosts, gaps; needs no rules "
        "(as text or jsonl)"),
     AT(metrics)},
    {0, "top", OPTION_NUMBER, "N", N_("at most N rows in each table of numbers (10)"), AT(top)},
    {0, "utc", OPTION_SET, NULL, N_("times in UTC (this is the default)"), AT(local), .set = false},
    {0, "local", OPTION_SET, NULL, N_("times in the time zone of this machine"), AT(local),
     .set = true},
    {0, "color", OPTION_SET, NULL, N_("colours, also when the output is no terminal"), AT(colour),
     .set = COLOUR_ALWAYS},
    {0, "no-color", OPTION_SET, NULL, N_("no colours"), AT(colour), .set = COLOUR_NEVER},
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
    struct outfile out;
    struct scan *scan;
    struct metrics *metrics;
    struct metrics_worker **counting; /* one a thread */
    struct summary *summary;
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
    const char *format = timeline_formats[v->format]->name;
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
    status = input_not_written(r->inputs, v->output, err);
    if (status == OK)
        status = rule_options_not_written(&v->rules, &v->rule_paths, v->output, err);
    if (status == OK)
        status = outfile_open(&r->out, v->output, err);
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
    tzset(); /* the time zone's file can't be opened later */
    return input_confine(r->paths, r->out.folder, err);
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

/* Whether what goes to this descriptor (-1: to a file) may be in colour. */
static bool colour_of(const struct run *r, int fd)
{
    if (r->v->colour != COLOUR_AUTO)
        return r->v->colour == COLOUR_ALWAYS;
    const char *no_color = getenv("NO_COLOR"); // NOLINT(concurrency-mt-unsafe): threads have ended
    return fd >= 0 && isatty(fd) && !(no_color && *no_color);
}

static bool output_colour(const struct run *r)
{
    return colour_of(r, r->v->output ? -1 : STDOUT_FILENO);
}

static bool is_text(const struct run *r)
{
    return strcmp(timeline_formats[r->v->format]->name, "text") == 0;
}

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

static enum status tell_findings(struct run *r, struct error *err)
{
    struct buf title = {0};
    name_paths(r, &title);
    struct timeline_options wanted = {
        .rules = r->rules,
        .inputs = r->inputs,
        .colour = output_colour(r),
        .width = r->v->output ? 0 : terminal_width(stdout),
        .title = title.p,
        .utc = !r->v->local,
        .top = r->v->top,
    };
    struct timeline *t = timeline_begin(timeline_formats[r->v->format], &wanted, r->out.file, err);
    enum status status = t ? OK : err->status;
    struct finding finding;
    r->summary = summary_new();
    err->status = OK;
    for (size_t at = 0;
         status == OK && findings_next(scan_findings(r->scan), &at, &finding, err);) {
        summary_add(r->summary, &finding);
        status = *r->stop > 1 ? STATUS_INTERRUPTED : timeline_add(t, &finding, err);
    }
    if (status == OK)
        status = err->status;
    if (t) {
        struct error later = {0};
        enum status ended = timeline_end(t, r->summary, &later);
        if (status == OK && ended != OK) {
            status = ended;
            *err = later;
        }
    }
    char unread[128];
    tell_unread(r, unread, sizeof unread);
    if (status == OK && unread[0] && is_text(r))
        fprintf(r->out.file, "\n%s\n", unread);
    if (status == OK && r->incomplete && is_text(r))
        fputs(_("Incomplete: stopped before all was read.\n"), r->out.file);
    buf_free(&title);
    return status;
}

static enum status tell_metrics(struct run *r, struct error *err)
{
    if (!is_text(r))
        return metrics_print_json(r->metrics, r->out.file, err);
    struct metrics_options wanted = {
        .colour = output_colour(r),
        .width = r->v->output ? 0 : terminal_width(stdout),
        .top = r->v->top ? r->v->top : TOP,
    };
    return metrics_print_text(r->metrics, &wanted, r->out.file, err);
}

/* Reports do not know what the file that they write is called. */
static void name_output(const struct run *r, struct error *err)
{
    if (strcmp(err->where, "output") == 0)
        snprintf(err->where, sizeof err->where, "%s",
                 r->v->output ? r->v->output : _("standard output"));
}

/* All that was found goes out; a file gets its name only when that is all there is to find. */
static enum status tell(struct run *r, struct error *err)
{
    enum status status = OK;
    if (r->rules)
        status = tell_findings(r, err);
    if (status == OK && r->metrics)
        status = tell_metrics(r, err);
    if (status == OK && !(r->incomplete && r->v->output))
        return outfile_commit(&r->out, err);
    outfile_abandon(&r->out);
    name_output(r, err);
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

/* The findings in numbers, unless they stand with them already. */
static void tell_numbers(const struct run *r)
{
    size_t n = findings_count(scan_findings(r->scan));
    const struct scan_stats *s = scan_stats(r->scan);
    if (r->v->output) {
        struct buf text = {0};
        struct summary_options wanted = {colour_of(r, STDOUT_FILENO), terminal_width(stdout),
                                         r->v->top};
        summary_text(r->summary, &wanted, &text);
        fwrite(text.p, 1, text.n, stdout);
        buf_free(&text);
    } else if (!timeline_formats[r->v->format]->summary) {
        fprintf(stderr,
                locale_plural("hikeshi: %zu finding in %zu events\n",
                              "hikeshi: %zu findings in %zu events\n", n),
                n, (size_t)(s->read.events - s->left_out));
    }
}

/* What is said when all is done. Findings that were not all told (a full disk) have no numbers, which
 * would be those of a part. */
static void tell_end(const struct run *r, enum status told)
{
    const struct input_values *in = &r->v->input;
    input_tell_problems(r->problems, r->inputs, in->verbose, stderr);
    if (r->incomplete)
        fputs(_("hikeshi: stopped before all was read: the findings are incomplete\n"), stderr);
    uint64_t timeless = scan_stats(r->scan)->correlated.without_time;
    if (timeless && !in->quiet)
        fprintf(stderr,
                locale_plural("hikeshi: correlations leave %zu match out, which tells no time\n",
                              "hikeshi: correlations leave %zu matches out, which tell no time\n",
                              (size_t)timeless),
                (size_t)timeless);
    uint64_t given_up = scan_stats(r->scan)->detected.engine.regexes_given_up;
    if (given_up && !in->quiet)
        fprintf(stderr,
                locale_plural("hikeshi: regular expressions gave %zu text up, which took too long; "
                              "it counts as no match\n",
                              "hikeshi: regular expressions gave %zu texts up, which took too "
                              "long; they count as no match\n",
                              (size_t)given_up),
                (size_t)given_up);
    if (in->verbose)
        tell_stats(r);
    if (r->rules && told == OK && !in->quiet)
        tell_numbers(r);
}

static int finish(struct run *r, enum status read, enum status told, const struct error *err)
{
    tell_end(r, told);
    if (r->interrupted || told == STATUS_INTERRUPTED)
        return EXIT_STATUS_INTERRUPTED;
    bool failed = read != OK || (told != OK && (r->v->output || !reader_gone()));
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
    if (r->out.file)
        outfile_abandon(&r->out);
    summary_free(r->summary);
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
