/*
 * hikeshi events: the events of logs as JSON lines. What stands in an object is made once a block
 * (its kind), once a distinct value (name and value of a field) or once a run of rows (the input's
 * name); a row is then put together by copying.
 */
#include "cli/input.h"
#include "cli/outfile.h"
#include "cli/stop.h"

#include "base/locale.h"

#include "detect/scan.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

enum {
    WRITE_BYTES = 256 << 10, /* lines are written in pieces of about this */
    DIGITS = 7,              /* of a second's fraction: Windows counts 100 ns */
};

struct events_values {
    struct input_values input;
    const char *output;
};

static const struct option options[] = {
    {'o', "output", OPTION_TEXT, "FILE", N_("write there; the file appears when it is whole"),
     .at = offsetof(struct events_values, output), .group = N_("Where to")},
    INPUT_OPTIONS(struct events_values),
    {0},
};

static const struct example examples[] = {
    {"hikeshi events Security.evtx | jq .fields", N_("what is in a log")},
    {"hikeshi events --threads 1 --host dc01 -o dc01.jsonl evidence/",
     N_("one host's events, to keep")},
    {NULL, NULL},
};

/* ---- lines ---- */

struct writer {
    struct buf lines, scratch;
    struct arena pieces; /* of the present block */
    struct slice **made; /* by column and value number: "name":value, p NULL where not made yet */
    size_t made_cap;
    struct buf kind, input; /* the parts of an object that rows share */
    uint32_t input_number;  /* that `input` is about */
    bool input_known;
};

struct run {
    const struct events_values *v;
    struct inputs *inputs;
    struct problems *problems;
    struct scan *scan;
    struct outfile out;
    pthread_mutex_t lock; /* over out.file */
    struct writer *writers;
    struct progress progress;
};

static void put_member(struct buf *b, const char *name, struct slice text)
{
    if (!text.n)
        return;
    buf_printf(b, "\"%s\":", name);
    buf_json(b, text);
    buf_char(b, ',');
}

static enum status write_lines(struct run *r, struct writer *w, struct error *err)
{
    pthread_mutex_lock(&r->lock);
    enum status status = OK;
    if (!buf_write(&w->lines, r->out.file))
        status =
            error_system(err, r->v->output ? r->v->output : "standard output", "can't be written");
    pthread_mutex_unlock(&r->lock);
    buf_clear(&w->lines);
    return status;
}

static struct slice make_piece(struct writer *w, const struct column *c, uint16_t id)
{
    buf_clear(&w->scratch);
    buf_json(&w->scratch, c->name);
    buf_char(&w->scratch, ':');
    value_json(c->values[id], &w->scratch, &w->pieces);
    return arena_slice(&w->pieces, buf_slice(&w->scratch));
}

static void begin_block(struct writer *w, const struct block *b)
{
    arena_reset(&w->pieces);
    if (b->columns_n > w->made_cap) {
        w->made = xrealloc(w->made, b->columns_n, sizeof *w->made);
        w->made_cap = b->columns_n;
    }
    for (uint32_t c = 0; c < b->columns_n; c++)
        w->made[c] = b->columns[c].ids_n
                         ? arena_zero(&w->pieces, b->columns[c].values_n, sizeof(struct slice))
                         : NULL;
    buf_clear(&w->kind);
    put_member(&w->kind, "product", b->kind.product);
    put_member(&w->kind, "category", b->kind.category);
    put_member(&w->kind, "service", b->kind.service);
    put_member(&w->kind, "channel", b->kind.channel);
    put_member(&w->kind, "provider", b->kind.provider);
    put_member(&w->kind, "code", b->kind.code);
}

static void put_origin(struct run *r, struct writer *w, struct origin origin)
{
    if (!w->input_known || w->input_number != origin.input) {
        buf_clear(&w->input);
        put_member(&w->input, "input", inputs_get(r->inputs, origin.input)->name);
        w->input_number = origin.input;
        w->input_known = true;
    }
    buf_add(&w->lines, buf_slice(&w->input));
    buf_add(&w->lines, SLICE("\"record\":"));
    buf_number(&w->lines, origin.record);
    buf_char(&w->lines, ',');
}

static void put_row(struct run *r, struct writer *w, const struct block *b, uint32_t row)
{
    struct buf *lines = &w->lines;
    buf_add(lines, SLICE("{"));
    if (b->times[row] != TIMESTAMP_NONE) {
        char text[TIMESTAMP_TEXT];
        size_t n = timestamp_text(b->times[row], DIGITS, text);
        buf_add(lines, SLICE("\"time\":\""));
        buf_add(lines, slice_of(text, n));
        buf_add(lines, SLICE("\","));
    }
    buf_add(lines, buf_slice(&w->kind));
    put_origin(r, w, b->origins[row]);
    buf_add(lines, SLICE("\"fields\":{"));
    bool first = true;
    for (uint32_t c = 0; c < b->columns_n; c++) {
        uint16_t id = column_id(&b->columns[c], row);
        if (!id)
            continue;
        struct slice *made = &w->made[c][id];
        if (!made->p)
            *made = make_piece(w, &b->columns[c], id);
        if (!first)
            buf_char(lines, ',');
        buf_add(lines, *made);
        first = false;
    }
    buf_add(lines, SLICE("}}\n"));
}

static enum status on_block(void *ctx, unsigned worker, struct block *b, struct error *err)
{
    struct run *r = ctx;
    struct writer *w = &r->writers[worker];
    enum status status = OK;
    begin_block(w, b);
    for (uint32_t row = 0; status == OK && row < b->rows; row++) {
        put_row(r, w, b, row);
        if (w->lines.n >= WRITE_BYTES)
            status = write_lines(r, w, err);
    }
    if (status == OK && w->lines.n)
        status = write_lines(r, w, err);
    return status;
}

/* ---- the run ---- */

static void show_progress(void *ctx, const struct intake_progress *now)
{
    struct run *r = ctx;
    progress_show(&r->progress, now);
}

static enum status prepare(struct run *r, const struct text_list *paths, struct error *err)
{
    enum status status = input_check(&r->v->input, err);
    if (status != OK)
        return status;
    r->problems = problems_new();
    r->inputs = inputs_find(paths->at, paths->n, r->problems);
    status = input_not_written(r->inputs, r->v->output, err);
    if (status == OK)
        status = outfile_open(&r->out, r->v->output, err);
    if (status != OK)
        return status;
    struct scan_setup setup = {
        .wanted = input_selection(&r->v->input),
        .reader = {.carve = r->v->input.carve},
        .threads = r->v->input.threads,
        .look = on_block,
        .progress = show_progress,
        .ctx = r,
        .stop = stop_on_signals(),
    };
    r->scan = scan_new(&setup, err);
    return r->scan ? input_confine(paths, r->out.folder, err) : err->status;
}

static int read_inputs(struct run *r, struct error *err)
{
    const struct input_values *in = &r->v->input;
    r->writers = xcalloc(scan_threads(r->scan), sizeof *r->writers);
    progress_begin(&r->progress, stderr, (enum progress_wish)in->progress);
    enum status status = scan_run(r->scan, r->inputs, r->problems, err);
    progress_end(&r->progress);
    struct error later = *err;
    if (status == OK || status == STATUS_INTERRUPTED) {
        /* what is there of an interrupted run is whole lines, but not all: no file for it */
        if (status == OK || !r->v->output) {
            enum status told = outfile_commit(&r->out, &later);
            status = told == OK ? status : told;
        }
    }
    uint64_t unread = input_tell_problems(r->problems, r->inputs, in->verbose, stderr);
    if (status == STATUS_INTERRUPTED)
        return EXIT_STATUS_INTERRUPTED;
    if (status != OK && (r->v->output || !reader_gone())) {
        error_print(&later, stderr);
        return EXIT_STATUS_FAILED;
    }
    return unread ? EXIT_STATUS_UNREAD : EXIT_STATUS_CLEAN;
}

static void run_free(struct run *r)
{
    for (unsigned i = 0; r->writers && i < scan_threads(r->scan); i++) {
        struct writer *w = &r->writers[i];
        buf_free(&w->lines);
        buf_free(&w->scratch);
        buf_free(&w->kind);
        buf_free(&w->input);
        arena_free(&w->pieces);
        free(w->made);
    }
    free(r->writers);
    if (r->out.file)
        outfile_abandon(&r->out);
    scan_free(r->scan);
    inputs_free(r->inputs);
    problems_free(r->problems);
}

static int run(const struct command *self, void *values, const struct text_list *operands)
{
    (void)self;
    struct run r = {.v = values, .lock = PTHREAD_MUTEX_INITIALIZER};
    struct error err = {0};
    enum status status = prepare(&r, operands, &err);
    int result;
    if (status != OK) {
        error_print(&err, stderr);
        result = status == STATUS_SYSTEM ? EXIT_STATUS_FAILED : EXIT_STATUS_BAD_USE;
    } else {
        result = read_inputs(&r, &err);
    }
    run_free(&r);
    return result;
}

extern const struct command events_command;
const struct command events_command = {
    .name = "events",
    .what = N_("print the events of logs as JSON lines"),
    .operands = "PATH...",
    .operands_least = 1,
    .operands_most = OPERANDS_ANY,
    .about = N_(
        "Reads what scan reads and prints one JSON object an event and line: its time, what kind "
        "of event it is (product, category, service, channel, provider, code), where it "
        "is from (input, record), and its fields.\n\n"
        "Events of one kind that are near each other come together, so their order is not "
        "that of the input; with --threads 1 it is the same each time, and events of one "
        "kind are in the order of the input."),
    .options = options,
    .examples = examples,
    .values_size = sizeof(struct events_values),
    .run = run,
};
