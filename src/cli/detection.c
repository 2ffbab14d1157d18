#include "cli/detection.h"

#include "base/confine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static timestamp now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

static enum status load(struct detection *d, const struct rule_values *values,
                        const struct text_list *paths, bool quiet, struct error *err)
{
    enum status status = rule_options_load(values, paths, &d->rules, &d->mappings, err);
    if (status != OK)
        return status;
    const struct rule_problem *unusable;
    size_t n = ruleset_problems(d->rules, &unusable);
    if (n && !quiet)
        fprintf(stderr,
                locale_plural("hikeshi: %zu rule can't be used; hikeshi rules check tells why\n",
                              "hikeshi: %zu rules can't be used; hikeshi rules check tells why\n",
                              n),
                n);
    if (!ruleset_count(d->rules))
        return error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET,
                         "no rule is left to try; see --rules, --level, --status, --tag");
    return OK;
}

enum status detection_open(struct detection *d, const struct rule_values *values,
                           const struct text_list *paths, const char *folder, unsigned threads,
                           bool needed, bool quiet, struct error *err)
{
    char own[PATH_BYTES];
    const char *own_path = own;
    snprintf(own, sizeof own, "%s/rules", folder);
    struct text_list of_folder = {.at = &own_path, .n = 1};
    *d = (struct detection){.threads = detector_threads(threads)};
    if (!paths->n && access(own, F_OK) == 0)
        paths = &of_folder;
    if (!paths->n && needed)
        return error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET,
                         "give the rules: --rules DIR, or put them into %s", own);
    if (!paths->n)
        return OK;
    enum status status = load(d, values, paths, quiet, err);
    if (status != OK)
        return status;
    d->casebook = casebook_open(folder, err);
    if (!d->casebook)
        return err->status;
    d->detector = detector_new(d->rules, d->mappings, d->threads, err);
    return d->detector ? casebook_prepare(d->casebook, d->detector, err) : err->status;
}

enum status detection_confine(const char *folder, const char *other, struct error *err)
{
    const char *const write[] = {folder, other};
    struct confine_needs needs = {.write = write, .write_n = other ? 2 : 1};
    struct confine_report report;
    enum status status = confine(&needs, &report, err);
    if (status == OK && report.landlock == 0)
        fprintf(stderr, "hikeshi: %s\n", report.warning);
    return status;
}

void detection_close(struct detection *d)
{
    detector_free(d->detector);
    casebook_close(d->casebook);
    mappings_free(d->mappings);
    if (d->rules)
        ruleset_free(d->rules);
    *d = (struct detection){0};
}

enum status detection_take(struct detection *d, uint64_t settled,
                           enum status (*tell)(void *ctx, const struct casebook_told *told,
                                               struct error *err),
                           void *ctx, struct error *err)
{
    struct casebook_counts counts;
    struct casebook_take job = {
        .detector = d->detector, .now = now(), .settled = settled, .tell = tell, .ctx = ctx};
    enum status status = casebook_take(d->casebook, &job, &counts, err);
    d->counts.matches += counts.matches;
    d->counts.fresh += counts.fresh;
    d->counts.hidden += counts.hidden;
    d->counts.joined += counts.joined;
    d->counts.known += counts.known;
    d->counts.withdrawn += counts.withdrawn;
    detector_clear(d->detector);
    return status;
}

enum status detection_catch_up(struct detection *d, struct store *s,
                               const volatile sig_atomic_t *stop, bool quiet, struct error *err)
{
    uint64_t from;
    struct retro_stats stats;
    enum status status = casebook_missing(d->casebook, &from, err);
    if (status != OK || from == UINT64_MAX)
        return status;
    struct retro job = {.store = s,
                        .detector = d->detector,
                        .threads = d->threads,
                        .wanted = {.from = TIMESTAMP_NONE, .to = TIMESTAMP_NONE},
                        .entry_least = from,
                        .stop = stop};
    status = retro_run(&job, &stats, err);
    if (status == OK)
        status = detection_take(d, s->journal.entries.n, NULL, NULL, err);
    else
        detector_clear(d->detector);
    if (status == OK && stats.events && !quiet)
        fprintf(stderr,
                locale_plural("hikeshi: %zu event of an interrupted intake had not been looked at "
                              "by rules; it has been now\n",
                              "hikeshi: %zu events of an interrupted intake had not been looked at "
                              "by rules; they have been now\n",
                              stats.events),
                (size_t)stats.events);
    return status;
}

void detection_tell(const struct detection *d, FILE *out)
{
    const struct casebook_counts *c = &d->counts;
    fprintf(out,
            _("findings: new: %zu (suppressed: %zu), going on: %zu, withdrawn: %zu; matches: "
              "new: %zu, known: %zu\n"),
            (size_t)c->fresh, (size_t)c->hidden, (size_t)c->joined, (size_t)c->withdrawn,
            (size_t)c->matches, (size_t)c->known);
}

void detection_json(const struct detection *d, struct buf *out)
{
    const struct casebook_counts *c = &d->counts;
    buf_printf(out,
               "\"findings\":{\"new\":%" PRIu64 ",\"suppressed\":%" PRIu64 ",\"joined\":%" PRIu64
               ",\"withdrawn\":%" PRIu64 "},\"matches\":{\"new\":%" PRIu64 ",\"known\":%" PRIu64
               "}",
               c->fresh, c->hidden, c->joined, c->withdrawn, c->matches, c->known);
}
