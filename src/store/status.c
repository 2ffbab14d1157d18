#include "store/status.h"

#include "base/vec.h"
#include "store/catalogue.h"
#include "store/retention.h"

#include <stdlib.h>

#define HOUR (INT64_C(3600) * NS_PER_SECOND)

/* Parts in the order of source and host: those of one host of one source stand together. */
static int by_source_and_host(const void *a, const void *b)
{
    const struct catalogue_part *x = a, *y = b;
    int c = slice_compare(x->source, y->source);
    return c ? c : slice_compare(x->host, y->host);
}

static int by_hour(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static void widen(timestamp *first, timestamp *last, timestamp from, timestamp to)
{
    if (from == TIMESTAMP_NONE)
        return;
    if (*first == TIMESTAMP_NONE || from < *first)
        *first = from;
    if (*last == TIMESTAMP_NONE || to > *last)
        *last = to;
}

/* The silences of a host's part of a source. */
static void judge(struct status_host *host, const struct catalogue_part *parts, size_t n,
                  int32_t end, struct arena *a)
{
    int32_t *hours = NULL;
    size_t hours_n = 0, cap = 0, unique = 0;
    for (size_t i = 0; i < n; i++)
        if (!catalogue_hours(parts[i].hours, &hours, &hours_n, &cap))
            hours_n = 0;
    if (hours_n)
        qsort(hours, hours_n, sizeof *hours, by_hour);
    for (size_t i = 0; i < hours_n && hours[i] < end;
         i++) /* those in the future are a clock's fault */
        if (!unique || hours[unique - 1] != hours[i])
            hours[unique++] = hours[i];
    struct silence found[STATUS_SILENCES];
    size_t silences = find_silences(hours, unique, end, found, STATUS_SILENCES);
    host->silences_n = silences < STATUS_SILENCES ? silences : STATUS_SILENCES;
    host->silences = arena_zero(a, host->silences_n, sizeof found[0]);
    if (host->silences_n)
        memcpy(host->silences, found, host->silences_n * sizeof found[0]);
    free(hours);
}

/* One source, of parts that stand together. */
static void count_source(struct store *s, const struct catalogue_part *parts, size_t n, int32_t end,
                         struct arena *a, struct status_source *out)
{
    *out = (struct status_source){.source = arena_slice(a, parts->source),
                                  .first = TIMESTAMP_NONE,
                                  .last = TIMESTAMP_NONE,
                                  .hosts = arena_zero(a, n, sizeof *out->hosts)};
    out->rule = retention_rule(s, out->source);
    for (size_t i = 0, run; i < n; i += run) {
        struct status_host *host = &out->hosts[out->hosts_n++];
        *host = (struct status_host){
            .host = arena_slice(a, parts[i].host), .first = TIMESTAMP_NONE, .last = TIMESTAMP_NONE};
        for (run = 0; i + run < n && slice_equal(parts[i + run].host, parts[i].host); run++) {
            host->events += parts[i + run].events;
            host->bytes += parts[i + run].bytes;
            widen(&host->first, &host->last, parts[i + run].first, parts[i + run].last);
        }
        judge(host, &parts[i], run, end, a);
        out->events += host->events;
        out->bytes += host->bytes;
        widen(&out->first, &out->last, host->first, host->last);
    }
}

/* The hour after the newest one with events that is not in the future; INT32_MIN: there is none. */
static int32_t end_of(const struct catalogue *c, timestamp now)
{
    int32_t end = INT32_MIN, *hours = NULL;
    int64_t present = now / HOUR - (now % HOUR < 0);
    size_t cap = 0;
    for (size_t i = 0; i < c->parts_n; i++) {
        size_t n = 0;
        catalogue_hours(c->parts[i].hours, &hours, &n, &cap);
        while (n > 0 && hours[n - 1] > present)
            n--;
        if (n > 0 && hours[n - 1] >= end)
            end = hours[n - 1] + 1;
    }
    free(hours);
    return end;
}

static void count_files(const struct store *s, struct store_status *out)
{
    for (size_t i = 0; i < s->files_n; i++) {
        const struct store_file *f = &s->files[i];
        if (f->expired)
            continue;
        out->files++;
        out->file_bytes += f->bytes;
        out->originals += f->kept;
        out->original_bytes += f->kept ? f->kept_bytes : 0;
    }
    for (size_t i = 0; i < s->segments_n; i++) {
        const struct store_segment *seg = &s->segments[i];
        if (seg->gone)
            continue;
        out->segments++;
        out->segment_bytes += seg->told.bytes;
        out->events += seg->told.events;
        widen(&out->first, &out->last, seg->told.first, seg->told.last);
    }
}

enum status store_status(struct store *s, timestamp now, struct arena *a, struct store_status *out,
                         struct error *err)
{
    struct catalogue c;
    struct map hosts = {0};
    *out = (struct store_status){.first = TIMESTAMP_NONE, .last = TIMESTAMP_NONE};
    enum status status = catalogue_load(s, &c, err);
    if (status != OK)
        return status;
    count_files(s, out);
    out->read = c.read;
    out->damaged = c.damaged;
    if (c.parts_n)
        qsort(c.parts, c.parts_n, sizeof *c.parts, by_source_and_host);
    int32_t end = end_of(&c, now);
    struct {
        struct status_source *at;
        size_t n, cap;
    } sources = {0};
    for (size_t i = 0, run; i < c.parts_n; i += run) {
        bool is_new;
        for (run = 0;
             i + run < c.parts_n && slice_equal(c.parts[i + run].source, c.parts[i].source); run++)
            map_put(&hosts, c.parts[i + run].host, &is_new);
        count_source(s, &c.parts[i], run, end, a, VEC_PUSH(sources));
    }
    out->hosts_n = hosts.n;
    out->sources_n = sources.n;
    out->sources = arena_zero(a, sources.n, sizeof *out->sources);
    if (sources.n)
        memcpy(out->sources, sources.at, sources.n * sizeof *out->sources);
    free(sources.at);
    map_free(&hosts);
    catalogue_free(&c);
    return OK;
}
