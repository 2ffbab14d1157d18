#include "detect/scan.h"

#include <stdlib.h>

struct worker {
    struct scan *scan;
    unsigned number;
    uint64_t left_out;
};

struct scan {
    struct scan_setup setup;
    struct detector *detector;
    struct worker *workers;
    unsigned threads;
    struct scan_stats stats;
};

struct scan *scan_new(const struct scan_setup *setup, struct error *err)
{
    struct scan *s = xcalloc(1, sizeof *s);
    s->setup = *setup;
    s->threads = detector_threads(setup->threads);
    s->stats.threads = s->threads;
    s->workers = xcalloc(s->threads, sizeof *s->workers);
    s->detector = detector_new(setup->rules, setup->mappings, s->threads, err);
    if (s->detector)
        return s;
    scan_free(s);
    return NULL;
}

void scan_free(struct scan *s)
{
    if (!s)
        return;
    detector_free(s->detector);
    free(s->workers);
    free(s);
}

unsigned scan_threads(const struct scan *s)
{
    return s->threads;
}

struct findings *scan_findings(struct scan *s)
{
    return detector_findings(s->detector);
}

const struct scan_stats *scan_stats(const struct scan *s)
{
    return &s->stats;
}

static enum status on_block(void *ctx, struct block *b, struct error *err)
{
    struct worker *w = ctx;
    const struct scan_setup *setup = &w->scan->setup;
    uint32_t rows = b->rows;
    uint32_t wanted = block_select(b, &setup->wanted);
    w->left_out += rows - wanted;
    if (wanted == 0)
        return OK;
    enum status status = OK;
    if (setup->look)
        status = setup->look(setup->ctx, w->number, b, err);
    return status == OK ? detector_block(w->scan->detector, w->number, b, err) : status;
}

static struct block_sink sink_of(void *ctx, unsigned worker)
{
    struct scan *s = ctx;
    s->workers[worker].scan = s;
    s->workers[worker].number = worker;
    return (struct block_sink){on_block, &s->workers[worker]};
}

static void on_progress(void *ctx, const struct intake_progress *p)
{
    const struct scan *s = ctx;
    s->setup.progress(s->setup.ctx, p);
}

enum status scan_run(struct scan *s, struct inputs *inputs, struct problems *problems,
                     struct error *err)
{
    struct intake job = {
        .inputs = inputs,
        .problems = problems,
        .options = s->setup.reader,
        .threads = s->threads,
        .sink = sink_of,
        .ctx = s,
        .progress = s->setup.progress ? on_progress : NULL,
        .stop = s->setup.stop,
    };
    int64_t begun = monotonic_ns();
    enum status status = intake_run(&job, &s->stats.read, err);
    s->stats.read_ns = monotonic_ns() - begun;
    detector_end(s->detector);
    for (unsigned i = 0; i < s->threads; i++)
        s->stats.left_out += s->workers[i].left_out;
    if (s->setup.rules)
        s->stats.correlated = correlator_counts(detector_correlator(s->detector));
    struct error later;
    enum status told = detector_correlate(s->detector, &later);
    if (status == OK && told != OK) {
        status = told;
        *err = later;
    }
    findings_sort(detector_findings(s->detector));
    s->stats.detected = *detector_stats(s->detector);
    s->stats.after_ns = monotonic_ns() - begun - s->stats.read_ns;
    return status;
}
