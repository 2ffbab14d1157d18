/* hikeshi intake: takes logs into the data folder, for good. */
#include "cli/data_folder.h"
#include "cli/detection.h"
#include "cli/input.h"
#include "cli/stop.h"

#include "base/buf.h"
#include "intake/take.h"

#include <inttypes.h>
#include <stdlib.h>

struct intake_values {
    struct data_values data;
    struct rule_values rules;
    struct text_list rule_paths;
    unsigned threads, every, progress; /* progress: enum progress_wish */
    bool no_originals, no_rules, carve, json, quiet, verbose;
};

#define AT(member) .at = offsetof(struct intake_values, member)

static const struct option options[] = {
    DATA_WRITE_OPTIONS(struct intake_values),
    {0, "no-originals", OPTION_FLAG, NULL, N_("take in the events alone, do not keep the files"),
     AT(no_originals), .group = N_("What is taken in")},
    {0, "carve", OPTION_FLAG, NULL,
     N_("look for records in slack space and between damaged parts of .evtx files too"), AT(carve)},
    {0, "every", OPTION_NUMBER, "SECONDS",
     N_("how often what comes through a pipe is put into the store, where it can be searched (60)"),
     AT(every)},
    {'r', "rules", OPTION_LIST, "DIR", RULES_OF_FOLDER, AT(rule_paths), .group = N_("Rules")},
    {0, "no-rules", OPTION_FLAG, NULL, N_("look for nothing on the way in"), AT(no_rules)},
    RULE_OPTIONS(struct intake_values),
    {0, "json", OPTION_FLAG, NULL, N_("tell it as JSON lines"), AT(json), .group = N_("How")},
    {0, "threads", OPTION_NUMBER, "N", N_("work with N threads (one a processor)"), AT(threads)},
    {0, "progress", OPTION_SET, NULL, N_("show how far it is, also when stderr is no terminal"),
     AT(progress), .set = PROGRESS_ALWAYS},
    {0, "no-progress", OPTION_SET, NULL, N_("do not show how far it is"), AT(progress),
     .set = PROGRESS_NEVER},
    {'q', "quiet", OPTION_FLAG, NULL, N_("say nothing but errors and what was asked for"),
     AT(quiet)},
    {'v', "verbose", OPTION_FLAG, NULL, N_("say more: every place that could not be read"),
     AT(verbose)},
    {0},
};

static const struct example examples[] = {
    {"hikeshi intake evidence/ Security.evtx", N_("into the data folder here or above")},
    {"hikeshi intake --data /srv/evidence --no-originals /var/log/app/",
     N_("the events alone, without the files")},
    {"hikeshi intake -r sigma/rules evidence/", N_("with detection on the way in")},
    {"journalctl -o json | hikeshi intake -", N_("from a pipe")},
    {NULL, NULL},
};

struct run {
    const struct intake_values *v;
    struct store *store;
    struct detection detection; /* rules NULL: none */
    struct detection_sink {
        struct detector *detector;
        unsigned worker;
    } * sinks;                 /* one a worker */
    struct problems *problems; /* with paths */
    struct inputs *inputs;
    struct progress progress;
    struct buf line;
    char by[512];
};

/* ---- detection on the way in ---- */

static enum status detect_block(void *ctx, struct block *b, struct error *err)
{
    const struct detection_sink *sink = ctx;
    return detector_block(sink->detector, sink->worker, b, err);
}

static struct block_sink sink_of(void *ctx, unsigned worker)
{
    struct run *r = ctx;
    r->sinks[worker] = (struct detection_sink){r->detection.detector, worker};
    return (struct block_sink){detect_block, &r->sinks[worker]};
}

/* From here on a crash may leave events without their findings. */
static enum status settle(void *ctx, struct error *err)
{
    struct run *r = ctx;
    detector_end(r->detection.detector);
    return casebook_expect(r->detection.casebook, r->store->journal.entries.n, err);
}

static void again(void *ctx)
{
    struct run *r = ctx;
    detector_end(r->detection.detector);
    detector_clear(r->detection.detector);
}

static enum status committed(void *ctx, struct error *err)
{
    struct run *r = ctx;
    return detection_take(&r->detection, r->store->journal.entries.n, NULL, NULL, err);
}

/* Opens what detection needs, before the process is confined. */
static enum status open_detection(struct run *r, struct error *err)
{
    struct detection *d = &r->detection;
    if (r->v->no_rules)
        return OK;
    enum status status = detection_open(d, &r->v->rules, &r->v->rule_paths, r->store->path,
                                        r->v->threads, false, r->v->quiet, err);
    if (status == OK && d->rules)
        r->sinks = xcalloc(d->threads, sizeof *r->sinks);
    return status;
}

/* ---- telling ---- */

static void put_count(struct buf *b, const char *name, uint64_t n)
{
    buf_printf(b, ",\"%s\":%" PRIu64, name, n);
}

static void print_line(struct run *r)
{
    buf_add(&r->line, SLICE("}\n"));
    buf_write(&r->line, stdout);
}

static void tell_json(struct run *r, const struct taken *t)
{
    static const char *const words[] = {"taken", "known", "not taken", "changed"};
    struct buf *b = &r->line;
    buf_clear(b);
    buf_printf(b, "{\"file\":\"%s\",\"name\":", words[t->how]);
    buf_json(b, t->name);
    if (t->how == TAKEN_NEW || t->how == TAKEN_KNOWN) {
        buf_add(b, SLICE(",\"sha256\":\""));
        put_hex(b, slice_of(t->sha256.bytes, HASH_BYTES));
        buf_char(b, '"');
    }
    put_count(b, "bytes", t->bytes);
    if (t->how == TAKEN_NEW) {
        put_count(b, "events", t->events);
        put_count(b, "known_events", t->known);
    }
    if (t->file) {
        buf_add(b, SLICE(",\"known_as\":"));
        buf_json(b, t->file->name);
    }
    print_line(r);
}

static void tell_text(const struct taken *t)
{
    char when[TIMESTAMP_TEXT];
    if (t->how == TAKEN_NEW) {
        printf(
            locale_plural("%.*s: taken in, %zu event\n", "%.*s: taken in, %zu events\n", t->events),
            SLICE_ARG(t->name), (size_t)t->events);
        if (t->known)
            printf(locale_plural("    %zu event was there already\n",
                                 "    %zu events were there already\n", t->known),
                   (size_t)t->known);
    } else if (t->how == TAKEN_KNOWN) {
        timestamp_text(t->file->taken, 0, when);
        printf(_("%.*s: there already, as %.*s, since %s\n"), SLICE_ARG(t->name),
               SLICE_ARG(t->file->name), when);
    }
}

/* What is told as taken in is on the disk; a program that reads along may rely on each line. */
static void told(void *ctx, const struct taken *t)
{
    struct run *r = ctx;
    progress_hide(&r->progress);
    if (t->how == TAKEN_CHANGED)
        fprintf(stderr, _("hikeshi: %.*s: not taken in, since it changes while it is read\n"),
                SLICE_ARG(t->name));
    if (r->v->json)
        tell_json(r, t);
    else if (!r->v->quiet)
        tell_text(t);
    fflush(stdout);
}

/* So that who writes into the pipe knows from where to go on. */
static void safe(void *ctx, struct slice name, uint64_t bytes)
{
    struct run *r = ctx;
    if (!r->v->json)
        return;
    progress_hide(&r->progress);
    buf_clear(&r->line);
    buf_add(&r->line, SLICE("{\"stream\":"));
    buf_json(&r->line, name);
    put_count(&r->line, "safe_bytes", bytes);
    print_line(r);
    fflush(stdout);
}

static void unread(void *ctx, const struct problems *problems, const struct inputs *inputs)
{
    struct run *r = ctx;
    progress_hide(&r->progress);
    input_tell_problems(problems, inputs, r->v->verbose, stderr);
}

static void show_progress(void *ctx, const struct intake_progress *p)
{
    struct run *r = ctx;
    progress_show(&r->progress, p);
}

static void tell_all_json(struct run *r, const struct take_counts *c, enum status status)
{
    struct buf *b = &r->line;
    buf_clear(b);
    buf_printf(b, "{\"all\":\"%s\"",
               status == OK                   ? "done"
               : status == STATUS_INTERRUPTED ? "interrupted"
                                              : "failed");
    put_count(b, "files", c->files);
    put_count(b, "known", c->known);
    put_count(b, "not_taken", c->not_taken);
    put_count(b, "bytes", c->bytes);
    put_count(b, "events", c->events);
    put_count(b, "known_events", c->known_events);
    put_count(b, "segments", c->segments);
    put_count(b, "segment_bytes", c->segment_bytes);
    put_count(b, "original_bytes", c->original_bytes);
    put_count(b, "problems", c->problems);
    if (r->detection.rules) {
        buf_char(b, ',');
        detection_json(&r->detection, b);
    }
    print_line(r);
}

static void tell_all_text(const struct take_counts *c)
{
    char bytes[BYTES_TEXT], segments[BYTES_TEXT], originals[BYTES_TEXT];
    bytes_text((double)c->bytes, bytes);
    bytes_text((double)c->segment_bytes, segments);
    bytes_text((double)c->original_bytes, originals);
    printf(_("files taken in: %zu (%s), events: %zu, segments: %zu (%s), originals: %s; there "
             "already: %zu, not taken: %zu\n"),
           (size_t)c->files, bytes, (size_t)c->events, (size_t)c->segments, segments, originals,
           (size_t)c->known, (size_t)c->not_taken);
}

/* ---- the command ---- */

static enum status prepare(struct run *r, const struct text_list *paths, struct error *err)
{
    r->store = data_folder_open(&r->v->data, STORE_WRITE, err);
    if (!r->store)
        return err->status;
    if (r->store->set_aside && !r->v->quiet)
        fprintf(stderr,
                locale_plural("hikeshi: %zu thing that an interrupted intake left was moved to "
                              "%s/aside\n",
                              "hikeshi: %zu things that an interrupted intake left were moved to "
                              "%s/aside\n",
                              r->store->set_aside),
                r->store->set_aside, r->store->path);
    r->problems = problems_new();
    r->inputs = inputs_find(paths->at, paths->n, r->problems);
    data_folder_user(r->by, sizeof r->by);
    enum status status = open_detection(r, err);
    return status == OK ? input_confine(paths, r->store->path, err) : status;
}

static int finish(struct run *r, enum status status, const struct take_counts *counts,
                  const struct error *err)
{
    uint64_t problems =
        counts->problems + input_tell_problems(r->problems, r->inputs, r->v->verbose, stderr);
    if (r->v->json)
        tell_all_json(r, counts, status);
    else if (!r->v->quiet)
        tell_all_text(counts);
    if (r->detection.rules && !r->v->json && !r->v->quiet)
        detection_tell(&r->detection, stdout);
    if (status == STATUS_INTERRUPTED)
        fputs(_("hikeshi: stopped; what was told as taken in stays, and the same command goes on "
                "with the rest\n"),
              stderr);
    else if (status != OK)
        error_print(err, stderr);
    if (status != OK)
        return status == STATUS_INTERRUPTED ? EXIT_STATUS_INTERRUPTED : EXIT_STATUS_FAILED;
    return problems ? EXIT_STATUS_UNREAD : EXIT_STATUS_CLEAN;
}

static enum status take_all(struct run *r, struct take_counts *counts, struct error *err)
{
    bool detect = r->detection.rules != NULL;
    struct take job = {
        .store = r->store,
        .options = {.carve = r->v->carve},
        .threads = detect ? r->detection.threads : r->v->threads,
        .originals = !r->v->no_originals,
        .by = r->by,
        .every = r->v->every * NS_PER_SECOND,
        .sink = detect ? sink_of : NULL,
        .settle = detect ? settle : NULL,
        .committed = detect ? committed : NULL,
        .again = detect ? again : NULL,
        .told = told,
        .safe = safe,
        .unread = unread,
        .progress = show_progress,
        .ctx = r,
        .stop = stop_on_signals(),
    };
    enum status status = OK;
    *counts = (struct take_counts){0};
    if (detect)
        status = detection_catch_up(&r->detection, r->store, job.stop, r->v->quiet, err);
    if (status != OK)
        return status;
    progress_begin(&r->progress, stderr, (enum progress_wish)r->v->progress);
    status = take_run(&job, r->inputs, counts, err);
    progress_end(&r->progress);
    return status;
}

static int run(const struct command *self, void *values, const struct text_list *operands)
{
    (void)self;
    struct run r = {.v = values};
    struct error err = {0};
    struct take_counts counts;
    enum status status = prepare(&r, operands, &err);
    int result;
    if (status != OK) {
        error_print(&err, stderr);
        result = data_folder_exit(status);
    } else {
        status = take_all(&r, &counts, &err);
        result = finish(&r, status, &counts, &err);
    }
    buf_free(&r.line);
    inputs_free(r.inputs);
    problems_free(r.problems);
    detection_close(&r.detection);
    free(r.sinks);
    store_close(r.store);
    return result;
}

extern const struct command intake_command;
const struct command intake_command = {
    .name = "intake",
    .what = N_("take logs into the data folder, for good"),
    .operands = "PATH...",
    .operands_least = 1,
    .operands_most = OPERANDS_ANY,
    .about =
        N_("Reads what scan reads and puts it into the data folder: the events compressed, "
           "searchable and sealed, the files as they are. A folder is read with all that is in "
           "it; - is standard input.\n\n"
           "Each file is told when it is on the disk. A file whose content is there already is "
           "left out, so a command that was interrupted can be given again.\n\n"
           "With rules, what they find goes into the data folder too; hikeshi finding list shows "
           "it.\n\n"
           "The exit status is 0 when all was taken in, 3 when not all could be read, 4 when "
           "the work could not be done."),
    .options = options,
    .examples = examples,
    .values_size = sizeof(struct intake_values),
    .run = run,
};
