/*
 * hikeshi detect: rules over what is stored (a retro-hunt). What they find goes into the casebook and
 * is told as scan tells it.
 */
#include "cli/data_folder.h"
#include "cli/detection.h"
#include "cli/finding_print.h"
#include "cli/input.h"
#include "cli/stop.h"
#include "cli/telling.h"

#include <inttypes.h>
#include <stdlib.h>

struct detect_values {
    struct data_values data;
    struct rule_values rules;
    struct text_list rule_paths;
    struct telling_values telling;
    struct input_values input;
    bool news, suppressed;
};

#define AT(member) .at = offsetof(struct detect_values, member)

static const struct option options[] = {
    DATA_OPTIONS(struct detect_values),
    {'r', "rules", OPTION_LIST, "DIR", RULES_OF_FOLDER, AT(rule_paths), .group = N_("Rules")},
    RULE_OPTIONS(struct detect_values),
    TELLING_OPTIONS(struct detect_values),
    {0, "json", OPTION_SET, NULL, N_("the same as --format jsonl"),
     .at = offsetof(struct detect_values, telling.format), .set = TELLING_JSONL},
    {0, "new", OPTION_FLAG, NULL, N_("only what the data folder did not know before"), AT(news)},
    {0, "suppressed", OPTION_FLAG, NULL, N_("also what is suppressed"), AT(suppressed)},
    SELECTION_OPTIONS(struct detect_values),
    WORK_OPTIONS(struct detect_values),
    {0},
};

static const struct example examples[] = {
    {"hikeshi detect -r new-rules/ --new", N_("new rules over all that is stored")},
    {"hikeshi detect --from 30d --host 'srv*' -l high", N_("a month of the servers")},
    {"hikeshi detect -r rules/ -f jsonl | jq .", N_("for other programs")},
    {NULL, NULL},
};

struct run {
    const struct detect_values *v;
    const volatile sig_atomic_t *stop;
    struct store *store;
    struct detection detection;
    struct telling telling;
    struct progress progress;
    struct arena arena;
    struct slice *sources; /* names of inputs, by number */
    struct retro_stats stats;
    uint64_t told, hidden;
    bool whole;         /* all that was to be looked at was */
    enum status output; /* telling failed: `why`; the findings are kept all the same */
    struct error why;
};

/* ---- the work ---- */

static enum status prepare(struct run *r, struct error *err)
{
    const struct detect_values *v = r->v;
    enum status status = input_check(&v->input, err);
    if (status != OK)
        return status;
    r->store = data_folder_open(&v->data, STORE_READ, err);
    if (!r->store)
        return err->status;
    status = detection_open(&r->detection, &v->rules, &v->rule_paths, r->store->path,
                            v->input.threads, true, v->input.quiet, err);
    if (status == OK)
        status = rule_options_not_written(&v->rules, &v->rule_paths, v->telling.output, err);
    if (status == OK)
        status = data_folder_not_written(r->store->path, v->telling.output, err);
    if (status == OK)
        status = telling_open(&r->telling, &v->telling, err);
    if (status != OK)
        return status;
    r->sources = finding_sources(r->store, &r->arena);
    return detection_confine(r->store->path, r->telling.out.folder, err);
}

static void show_progress(void *ctx, const struct retro_progress *p)
{
    struct run *r = ctx;
    const struct intake_progress now = {
        .bytes_done = p->bytes_done, .bytes_total = p->bytes_total, .events = p->events};
    progress_show(&r->progress, &now);
}

static enum status look(struct run *r, struct error *err)
{
    struct retro job = {.store = r->store,
                        .detector = r->detection.detector,
                        .threads = r->detection.threads,
                        .wanted = input_selection(&r->v->input),
                        .progress = show_progress,
                        .ctx = r,
                        .stop = r->stop};
    progress_begin(&r->progress, stderr, (enum progress_wish)r->v->input.progress);
    enum status status = retro_run(&job, &r->stats, err);
    progress_end(&r->progress);
    r->whole = status == OK;
    return status;
}

/* A correlation is told of when its events reach into the time that was asked for. */
static bool in_time(const struct run *r, const struct finding *f)
{
    const struct input_values *in = &r->v->input;
    if (!f->rule->correlation)
        return true;
    return (!in->from.given || f->time >= in->from.at) && (!in->to.given || f->first < in->to.at);
}

static enum status tell(void *ctx, const struct casebook_told *told, struct error *err)
{
    struct run *r = ctx;
    (void)err;
    if (!in_time(r, told->finding) || (r->v->news && !told->news))
        return OK;
    if (told->hidden && !r->v->suppressed) {
        r->hidden++;
        return OK;
    }
    r->told++;
    if (r->output == OK && *r->stop > 1)
        r->output = STATUS_INTERRUPTED;
    if (r->output == OK)
        r->output = telling_add(&r->telling, told->finding, &r->why);
    return OK;
}

static enum status take(struct run *r, struct error *err)
{
    const struct timeline_options wanted = {.rules = r->detection.rules,
                                            .sources = r->sources,
                                            .sources_n = r->store->next_input,
                                            .title = r->store->path};
    r->output = telling_begin(&r->telling, &wanted, &r->why);
    enum status status = detection_take(&r->detection, 0, tell, r, err);
    if (r->output == OK)
        r->output = telling_end(&r->telling, &r->why);
    if (r->output == OK && !r->whole)
        telling_incomplete(&r->telling);
    if (r->output == OK)
        r->output = telling_commit(&r->telling, r->whole && status == OK, &r->why);
    return status;
}

/* ---- telling ---- */

static void tell_stats(const struct run *r)
{
    const struct retro_stats *s = &r->stats;
    double seconds = (double)s->ns / NS_PER_SECOND;
    fprintf(stderr,
            "looked:    %" PRIu64 " events in %" PRIu64
            " blocks, %.1f MB, in %.2f s by %u threads: "
            "%.0f events/s\n",
            s->events, s->blocks, (double)s->bytes / 1e6, seconds, r->detection.threads,
            seconds > 0 ? (double)s->events / seconds : 0);
    fprintf(stderr,
            "blocks:    %" PRIu64 " of no rule's kind, %" PRIu64 " out of time, %" PRIu64
            " by their filter, %" PRIu64 " done by their values, %" PRIu64 " read as a whole\n",
            s->blocks_of_no_rule, s->blocks_out_of_time, s->blocks_filtered, s->blocks_by_values,
            s->blocks_whole);
}

static void tell_end(const struct run *r)
{
    const struct input_values *in = &r->v->input;
    if (r->stats.blocks_damaged) {
        error_print(&r->stats.damage, stderr);
        fprintf(
            stderr,
            locale_plural("hikeshi: %zu damaged block was left out; hikeshi verify tells more\n",
                          "hikeshi: %zu damaged blocks were left out; hikeshi verify tells "
                          "more\n",
                          r->stats.blocks_damaged),
            (size_t)r->stats.blocks_damaged);
    }
    if (!r->whole)
        fputs(_("hikeshi: stopped before all was read: the findings are incomplete\n"), stderr);
    if (in->verbose)
        tell_stats(r);
    if (in->quiet)
        return;
    telling_left_out(correlator_counts(detector_correlator(r->detection.detector)).without_time,
                     detector_stats(r->detection.detector)->engine.regexes_given_up);
    if (r->output == OK)
        telling_numbers(&r->telling, r->stats.events);
    if (r->hidden)
        fprintf(
            stderr,
            locale_plural("hikeshi: %zu suppressed finding is not told; --suppressed tells it\n",
                          "hikeshi: %zu suppressed findings are not told; --suppressed tells "
                          "them\n",
                          r->hidden),
            (size_t)r->hidden);
    detection_tell(&r->detection, stderr);
}

static int finish(const struct run *r, enum status looked, enum status taken,
                  const struct error *err)
{
    tell_end(r);
    if (looked == STATUS_INTERRUPTED || r->output == STATUS_INTERRUPTED)
        return EXIT_STATUS_INTERRUPTED;
    if (looked != OK || taken != OK) {
        error_print(err, stderr);
        return EXIT_STATUS_FAILED;
    }
    if (r->output != OK && (r->v->telling.output || !reader_gone())) {
        error_print(&r->why, stderr);
        return EXIT_STATUS_FAILED;
    }
    if (r->told)
        return EXIT_STATUS_FINDINGS;
    return r->stats.blocks_damaged ? EXIT_STATUS_UNREAD : EXIT_STATUS_CLEAN;
}

static int run(const struct command *self, void *values, const struct text_list *operands)
{
    (void)self;
    (void)operands;
    struct run r = {.v = values, .stop = stop_on_signals()};
    struct error err = {0}, later = {0};
    enum status status = prepare(&r, &err);
    int result;
    if (status != OK) {
        error_print(&err, stderr);
        result = data_folder_exit(status);
    } else {
        status = look(&r, &err);
        enum status taken = take(&r, &later);
        result = finish(&r, status, taken, status != OK ? &err : &later);
    }
    telling_free(&r.telling);
    detection_close(&r.detection);
    store_close(r.store);
    arena_free(&r.arena);
    return result;
}

extern const struct command detect_command;
const struct command detect_command = {
    .name = "detect",
    .what = N_("search what is stored with Sigma rules"),
    .about =
        N_("Tries rules on the events of the data folder: new rules on old events. Only what the "
           "rules ask for is read, so it is much faster than reading the logs again.\n\n"
           "What is found goes into the data folder, each rule and event once, however often it is "
           "found, and is told as scan tells it; hikeshi finding list shows what is known."),
    .options = options,
    .examples = examples,
    .values_size = sizeof(struct detect_values),
    .run = run,
};
