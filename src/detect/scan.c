#include "detect/scan.h"

#include <sched.h>
#include <stdlib.h>
#include <time.h>

enum {
    THREADS_MOST = 256,
    FIELDS_OF_NO_NAME = 8, /* shown when neither rule nor mapping says what tells most */
};

/* Which columns of a block a rule's findings show, and under which names. */
struct shown {
    const struct sigma_rule *rule; /* NULL: nothing worked out */
    const struct log_binding *binding;
    uint32_t n;
    struct {
        uint32_t column;
        struct slice name;
        const struct field_name *translation;
    } fields[FINDING_FIELDS];
};

struct worker {
    struct scan *scan;
    unsigned number;
    struct engine_worker *engine;
    struct correlator_worker *correlator;
    struct findings_worker *findings;
    struct shown shown;
    uint64_t left_out, matches;
    int64_t engine_ns;
};

struct scan {
    struct scan_setup setup;
    struct engine *engine;
    struct correlator *correlator;
    struct findings *findings;
    struct worker *workers;
    unsigned threads;
    struct scan_stats stats;
};

static int64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

static unsigned processors(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n > 0 ? (unsigned)n : 1;
}

struct scan *scan_new(const struct scan_setup *setup, struct error *err)
{
    struct scan *s = xcalloc(1, sizeof *s);
    s->setup = *setup;
    s->threads = setup->threads ? setup->threads : processors();
    if (s->threads > THREADS_MOST)
        s->threads = THREADS_MOST;
    s->stats.threads = s->threads;
    s->workers = xcalloc(s->threads, sizeof *s->workers);
    s->findings = findings_new(err);
    if (!s->findings)
        goto failed;
    if (setup->rules) {
        s->engine = engine_new(setup->rules, setup->mappings, err);
        s->correlator = s->engine ? correlator_new(setup->rules, err) : NULL;
        if (!s->correlator)
            goto failed;
    }
    return s;
failed:
    scan_free(s);
    return NULL;
}

/* The workers hand over what they hold. */
static void free_workers(struct scan *s)
{
    for (unsigned i = 0; i < s->threads; i++) {
        struct worker *w = &s->workers[i];
        if (w->engine)
            engine_worker_free(w->engine);
        if (w->correlator)
            correlator_worker_free(w->correlator);
        if (w->findings)
            findings_worker_free(w->findings);
        *w = (struct worker){0};
    }
}

void scan_free(struct scan *s)
{
    if (!s)
        return;
    free_workers(s);
    free(s->workers);
    if (s->correlator)
        correlator_free(s->correlator);
    if (s->engine)
        engine_free(s->engine);
    findings_free(s->findings);
    free(s);
}

unsigned scan_threads(const struct scan *s)
{
    return s->threads;
}

struct findings *scan_findings(struct scan *s)
{
    return s->findings;
}

const struct scan_stats *scan_stats(const struct scan *s)
{
    return &s->stats;
}

/* ---- what a finding shows ---- */

/* A finding has members of its own for these, or they say nothing about what happened. */
static bool told_apart(struct slice name)
{
    static const char *const names[] = {
        "EventID", "Channel", "Provider_Name", "Computer", "EventID_Qualifiers", "Provider_Guid",
        "Version", "Level",   "Task",          "Opcode",   "Keywords",           "host.name",
    };
    static const char *const beginnings[] = {"Correlation_", "Execution_", "Security_"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_equal(name, slice_str(names[i])))
            return true;
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (slice_starts(name, slice_str(beginnings[i])))
            return true;
    return false;
}

static void show_column(struct shown *shown, int32_t column, struct slice name)
{
    if (column < 0 || shown->n == FINDING_FIELDS || told_apart(name))
        return;
    for (uint32_t i = 0; i < shown->n; i++)
        if (shown->fields[i].column == (uint32_t)column)
            return;
    shown->fields[shown->n].column = (uint32_t)column;
    shown->fields[shown->n].name = name;
    shown->fields[shown->n].translation =
        shown->binding ? binding_field(shown->binding, name) : NULL;
    shown->n++;
}

static void show_field(struct shown *shown, const struct block *b, struct slice name)
{
    if (name.n)
        show_column(shown,
                    shown->binding ? binding_column(shown->binding, b, name) : block_find(b, name),
                    name);
}

/* The depth is that of the rule's YAML, which the loader bounds. */
static void show_detection(struct shown *shown, const struct block *b,
                           const struct sigma_detection *d)
{
    if (d->type == DETECT_ITEM)
        show_field(shown, b, d->item.field);
    for (uint32_t i = 0; d->type != DETECT_ITEM && i < d->children_n; i++)
        show_detection(shown, b, &d->children[i]);
}

/* The fields that the rule's author named, those the rule looks at, those that tell most about such
 * an event. */
static void work_out_shown(struct shown *shown, const struct sigma_rule *rule,
                           const struct log_binding *binding, const struct block *b)
{
    shown->rule = rule;
    shown->binding = binding;
    shown->n = 0;
    for (uint32_t i = 0; i < rule->fields_n; i++)
        show_field(shown, b, rule->fields[i]);
    for (uint32_t i = 0; i < rule->searches_n; i++)
        show_detection(shown, b, &rule->searches[i].detection);
    for (uint32_t i = 0; binding && i < binding->show_n; i++)
        show_field(shown, b, binding->show[i]);
    for (uint32_t i = 0; !binding || !binding->show_n; i++) {
        if (i == b->columns_n || shown->n >= FIELDS_OF_NO_NAME)
            break;
        show_column(shown, (int32_t)i, b->columns[i].name);
    }
}

/* ---- a block ---- */

static enum status on_match(void *ctx, const struct sigma_rule *rule,
                            const struct log_binding *binding, struct block *b, uint32_t row,
                            struct error *err)
{
    struct worker *w = ctx;
    w->matches++;
    enum status status = correlator_match(w->correlator, rule, binding, b, row, err);
    if (status != OK || rule->hidden)
        return status;
    if (w->shown.rule != rule || w->shown.binding != binding)
        work_out_shown(&w->shown, rule, binding, b);

    struct finding_field fields[FINDING_FIELDS];
    struct finding finding = {
        .rule = rule,
        .time = b->times[row],
        .first = b->times[row],
        .count = 1,
        .events = &b->origins[row],
        .events_n = 1,
        .host = block_host(b, row),
        .channel = b->kind.channel,
        .provider = b->kind.provider,
        .code = b->kind.code,
        .fields = fields,
    };
    for (uint32_t i = 0; i < w->shown.n; i++) {
        uint32_t column = w->shown.fields[i].column;
        uint16_t id = column_id(&b->columns[column], row);
        if (!id)
            continue;
        struct slice text = column_text(b, column, id);
        if (text.n && !slice_equal(text, SLICE("-"))) /* Windows writes "-" for nothing */
            fields[finding.fields_n++] = (struct finding_field){
                w->shown.fields[i].name, field_value(w->shown.fields[i].translation, text)};
    }
    return findings_add(w->findings, &finding, err);
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
    if (status == OK && w->engine) {
        int64_t begun = clock_ns();
        w->shown.rule = NULL; /* other columns */
        status = engine_run(w->engine, b, on_match, w, err);
        w->engine_ns += clock_ns() - begun;
    }
    return status;
}

static struct block_sink sink_of(void *ctx, unsigned worker)
{
    struct scan *s = ctx;
    return (struct block_sink){on_block, &s->workers[worker]};
}

/* ---- the whole ---- */

static void make_workers(struct scan *s)
{
    for (unsigned i = 0; i < s->threads; i++) {
        struct worker *w = &s->workers[i];
        w->scan = s;
        w->number = i;
        w->findings = findings_worker_new(s->findings);
        if (s->engine) {
            w->engine = engine_worker_new(s->engine);
            w->correlator = correlator_worker_new(s->correlator);
        }
    }
}

static void add_up(struct scan *s)
{
    for (unsigned i = 0; i < s->threads; i++) {
        const struct worker *w = &s->workers[i];
        s->stats.left_out += w->left_out;
        s->stats.matches += w->matches;
        s->stats.engine_ns += w->engine_ns;
        if (!w->engine)
            continue;
        struct engine_stats e = engine_worker_stats(w->engine);
        s->stats.engine.blocks += e.blocks;
        s->stats.engine.events += e.events;
        s->stats.engine.values += e.values;
        s->stats.engine.predicates += e.predicates;
        s->stats.engine.rules_looked_at += e.rules_looked_at;
        s->stats.engine.rules_skipped += e.rules_skipped;
    }
}

static enum status keep_correlated(void *ctx, const struct finding *finding, struct error *err)
{
    return findings_add(ctx, finding, err);
}

static void on_progress(void *ctx, const struct intake_progress *p)
{
    const struct scan *s = ctx;
    s->setup.progress(s->setup.ctx, p);
}

enum status scan_run(struct scan *s, struct inputs *inputs, struct problems *problems,
                     struct error *err)
{
    make_workers(s);
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
    int64_t begun = clock_ns();
    enum status status = intake_run(&job, &s->stats.read, err);
    s->stats.read_ns = clock_ns() - begun;
    add_up(s);
    free_workers(s);
    if (s->correlator) {
        s->stats.correlated = correlator_counts(s->correlator);
        struct error later;
        struct findings_worker *last = findings_worker_new(s->findings);
        enum status told = correlator_finish(s->correlator, keep_correlated, last, &later);
        findings_worker_free(last);
        if (status == OK && told != OK) {
            status = told;
            *err = later;
        }
    }
    findings_sort(s->findings);
    s->stats.after_ns = clock_ns() - begun - s->stats.read_ns;
    return status;
}
