#include "detect/detector.h"

#include "event/select.h"

#include <sched.h>
#include <stdlib.h>

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
    struct engine_worker *engine;
    struct correlator_worker *correlator;
    struct findings_worker *findings;
    struct shown shown;
    const struct detector_source *source; /* of a block that is not all there yet; else NULL */
    uint64_t matches;
    int64_t engine_ns;
};

struct detector {
    struct engine *engine;
    struct correlator *correlator;
    struct findings *findings;
    struct worker *workers;
    unsigned threads;
    struct detector_stats stats;
};

unsigned detector_threads(unsigned wanted)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    if (wanted == 0)
        wanted = n > 0 ? (unsigned)n : 1;
    return wanted < THREADS_MOST ? wanted : THREADS_MOST;
}

struct detector *detector_new(const struct ruleset *rules, const struct mappings *mappings,
                              unsigned threads, struct error *err)
{
    struct detector *d = xcalloc(1, sizeof *d);
    d->threads = detector_threads(threads);
    d->workers = xcalloc(d->threads, sizeof *d->workers);
    d->findings = findings_new(err);
    if (!d->findings)
        goto failed;
    if (rules) {
        d->engine = engine_new(rules, mappings, err);
        d->correlator = d->engine ? correlator_new(rules, err) : NULL;
        if (!d->correlator)
            goto failed;
    }
    return d;
failed:
    detector_free(d);
    return NULL;
}

/* A worker's own, made in its thread when it first asks. */
static struct worker *worker_of(struct detector *d, unsigned number)
{
    struct worker *w = &d->workers[number];
    if (w->findings)
        return w;
    w->findings = findings_worker_new(d->findings);
    if (d->engine) {
        w->engine = engine_worker_new(d->engine);
        w->correlator = correlator_worker_new(d->correlator);
    }
    return w;
}

static void free_workers(struct detector *d)
{
    for (unsigned i = 0; i < d->threads; i++) {
        struct worker *w = &d->workers[i];
        if (w->engine)
            engine_worker_free(w->engine);
        if (w->correlator)
            correlator_worker_free(w->correlator);
        if (w->findings)
            findings_worker_free(w->findings);
        *w = (struct worker){0};
    }
}

void detector_free(struct detector *d)
{
    if (!d)
        return;
    free_workers(d);
    free(d->workers);
    correlator_free(d->correlator);
    engine_free(d->engine);
    findings_free(d->findings);
    free(d);
}

struct findings *detector_findings(struct detector *d)
{
    return d->findings;
}

struct correlator *detector_correlator(struct detector *d)
{
    return d->correlator;
}

const struct detector_stats *detector_stats(const struct detector *d)
{
    return &d->stats;
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

/* All columns that may hold it for one event or another, the first one first. */
static void show_field(struct shown *shown, const struct block *b, struct slice name)
{
    const struct field_name *f =
        shown->binding && name.n ? binding_field(shown->binding, name) : NULL;
    for (uint32_t i = 0; f && i < f->stored_n; i++)
        show_column(shown, block_find(b, f->stored[i]), name);
    if (name.n)
        show_column(shown, block_find(b, name), name);
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
    if (w->source) {
        enum status read = w->source->rest(w->source->ctx, b, err);
        if (read != OK)
            return read;
        w->source = NULL;
    }
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
    struct slice last = {0}; /* the name of the field that the event had last */
    for (uint32_t i = 0; i < w->shown.n; i++) {
        uint32_t column = w->shown.fields[i].column;
        uint16_t id = column_id(&b->columns[column], row);
        if (!id || slice_equal(w->shown.fields[i].name, last))
            continue;
        last = w->shown.fields[i].name;
        struct slice text = column_text(b, column, id);
        if (text.n && !slice_equal(text, SLICE("-"))) /* Windows writes "-" for nothing */
            fields[finding.fields_n++] = (struct finding_field){
                w->shown.fields[i].name, field_value(w->shown.fields[i].translation, text)};
    }
    return findings_add(w->findings, &finding, err);
}

enum status detector_block(struct detector *d, unsigned worker, struct block *b, struct error *err)
{
    struct worker *w = worker_of(d, worker);
    if (!w->engine)
        return OK;
    int64_t begun = monotonic_ns();
    w->shown.rule = NULL; /* other columns */
    w->source = NULL;
    enum status status = engine_run(w->engine, b, on_match, w, err);
    w->engine_ns += monotonic_ns() - begun;
    return status;
}

bool detector_kind(struct detector *d, unsigned worker, const struct event_kind *kind)
{
    struct worker *w = worker_of(d, worker);
    return w->engine && engine_kind(w->engine, kind);
}

bool detector_wants(struct detector *d, unsigned worker, struct slice name)
{
    return engine_wants(d->workers[worker].engine, name);
}

bool detector_ways(struct detector *d, unsigned worker, struct engine_way *ways, size_t most,
                   size_t *n)
{
    return engine_ways(d->workers[worker].engine, ways, most, n);
}

enum status detector_parts(struct detector *d, unsigned worker, struct block *b,
                           const struct detector_source *source, struct error *err)
{
    struct worker *w = worker_of(d, worker);
    int64_t begun = monotonic_ns();
    w->shown.rule = NULL;
    w->source = source;
    enum status status = OK;
    if (engine_look(w->engine, b)) {
        status = source->rows(source->ctx, b, err);
        if (status == OK)
            status = engine_tell(w->engine, on_match, w, err);
        else
            engine_leave(w->engine);
    }
    w->engine_ns += monotonic_ns() - begun;
    return status;
}

/* ---- a round ---- */

static void add_up(struct detector *d)
{
    for (unsigned i = 0; i < d->threads; i++) {
        const struct worker *w = &d->workers[i];
        d->stats.matches += w->matches;
        d->stats.engine_ns += w->engine_ns;
        if (!w->engine)
            continue;
        struct engine_stats e = engine_worker_stats(w->engine);
        d->stats.engine.blocks += e.blocks;
        d->stats.engine.events += e.events;
        d->stats.engine.values += e.values;
        d->stats.engine.predicates += e.predicates;
        d->stats.engine.rules_looked_at += e.rules_looked_at;
        d->stats.engine.rules_skipped += e.rules_skipped;
        d->stats.engine.regexes_given_up += e.regexes_given_up;
    }
}

void detector_end(struct detector *d)
{
    add_up(d);
    free_workers(d);
}

static enum status keep_correlated(void *ctx, const struct finding *finding, struct error *err)
{
    return findings_add(ctx, finding, err);
}

enum status detector_correlate(struct detector *d, struct error *err)
{
    if (!d->correlator)
        return OK;
    struct findings_worker *last = findings_worker_new(d->findings);
    enum status status = correlator_finish(d->correlator, keep_correlated, last, err);
    findings_worker_free(last);
    return status;
}

void detector_clear(struct detector *d)
{
    findings_clear(d->findings);
    if (d->correlator)
        correlator_clear(d->correlator);
}
