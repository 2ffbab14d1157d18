/*
 * Runs rules on logs and tells how long reading and evaluating take, each alone:
 *
 *     sigma_on [--rounds N] [--list] RULES... -- LOGS...
 *
 * RULES and LOGS are files or folders. With --rounds the logs are read and evaluated N times.
 * With --list every match is printed: "FILE<tab>RECORD<tab>RULE ID". One thread; times are of the CPU.
 */
#include "base/files.h"
#include "detect/engine.h"
#include "tools/read_log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

struct work {
    struct engine_worker *worker;
    struct file_list logs;
    bool list;
    uint64_t matches, events;
    double evaluating;
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static enum status on_match(void *ctx, const struct sigma_rule *rule,
                            const struct log_binding *binding, struct block *b, uint32_t row,
                            struct error *err)
{
    struct work *work = ctx;
    (void)binding;
    (void)err;
    work->matches++;
    if (work->list)
        printf("%s\t%" PRIu64 "\t%.*s\n", work->logs.paths[b->origins[row].input],
               b->origins[row].record, SLICE_ARG(rule->id));
    return OK;
}

static enum status full(void *ctx, struct block *b, struct error *err)
{
    struct work *work = ctx;
    double start = seconds();
    enum status status = engine_run(work->worker, b, on_match, work, err);
    work->evaluating += seconds() - start;
    work->events += b->rows;
    return status;
}

/* Reads all logs once. */
static enum status round_of(struct work *work, const struct slice *texts, struct error *err)
{
    struct problems *problems = problems_new();
    struct block_set *blocks = block_set_new((struct block_sink){full, work});
    enum status status = OK;
    for (size_t i = 0; i < work->logs.n && status == OK; i++) {
        status = read_log(texts[i], work->logs.paths[i], (uint32_t)i, blocks, problems, err);
        if (status == OK)
            status = block_set_trim(blocks, 64 << 20, err);
    }
    if (status == OK)
        status = block_set_flush(blocks, err);
    block_set_free(blocks);
    problems_free(problems);
    return status;
}

static enum status run(struct work *work, struct arena *a, int rounds, struct error *err)
{
    struct slice *texts = arena_zero(a, work->logs.n, sizeof *texts);
    double bytes = 0;
    enum status status = OK;
    for (size_t i = 0; i < work->logs.n && status == OK; i++) {
        status = file_read(work->logs.paths[i], (size_t)2 << 30, a, &texts[i], err);
        bytes += (double)texts[i].n / 1e6;
    }
    for (int i = 0; i < rounds && status == OK; i++) {
        double start = seconds();
        work->evaluating = 0;
        work->events = work->matches = 0;
        status = round_of(work, texts, err);
        double reading = seconds() - start - work->evaluating;
        fprintf(stderr,
                "%.1f MB, %" PRIu64 " events, %" PRIu64 " matches: reading %.3f s (%.0f MB/s, "
                "%.0f events/s), rules %.3f s (%.0f MB/s, %.0f events/s)\n",
                bytes, work->events, work->matches, reading, bytes / reading,
                (double)work->events / reading, work->evaluating, bytes / work->evaluating,
                (double)work->events / work->evaluating);
    }
    return status;
}

int main(int argc, char **argv)
{
    static const char *const logs[] = {".evtx", ".json", ".jsonl", NULL};
    struct arena a = {0};
    struct work work = {0};
    struct error err = {0};
    struct rule_choice choice = {0};
    struct ruleset *set = ruleset_new();
    int rounds = 1, i = 1;
    enum status status = OK;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strcmp(argv[i], "--list") == 0)
            work.list = true;
        else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
            rounds = (int)strtol(argv[++i], NULL, 10);
    }
    double start = seconds();
    for (; i < argc && strcmp(argv[i], "--") != 0 && status == OK; i++)
        status = ruleset_load(set, argv[i], &choice, &err);
    ruleset_finish(set);
    double loaded = seconds();
    struct mappings *mappings = status == OK ? mappings_builtin(&err) : NULL;
    double mapped = seconds();
    struct engine *engine = mappings ? engine_new(set, mappings, &err) : NULL;
    fprintf(stderr, "%zu rules: loading %.3f s, mappings %.3f s, engine %.3f s\n",
            ruleset_count(set), loaded - start, mapped - loaded, seconds() - mapped);
    for (i++; i < argc && status == OK; i++)
        status = folder_list(argv[i], logs, &a, &work.logs, &err);
    if (engine && status == OK) {
        work.worker = engine_worker_new(engine);
        (void)run(&work, &a, rounds, &err);
        struct engine_stats s = engine_worker_stats(work.worker);
        fprintf(stderr,
                "blocks %" PRIu64 ", values looked at %" PRIu64 ", predicates met %" PRIu64
                ", rules looked at %" PRIu64 ", skipped %" PRIu64 "\n",
                s.blocks, s.values, s.predicates, s.rules_looked_at, s.rules_skipped);
    }
    if (err.status != OK)
        error_print(&err, stderr);
    engine_worker_free(work.worker);
    engine_free(engine);
    mappings_free(mappings);
    ruleset_free(set);
    file_list_free(&work.logs);
    arena_free(&a);
    return err.status == OK ? 0 : 1;
}
