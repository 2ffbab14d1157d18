#include "base/vec.h"
#include "event/select.h"
#include "report/metrics_internal.h"

#include <pthread.h>
#include <stdlib.h>

struct metrics_worker {
    struct metrics *metrics;
    struct metrics_counts counts;
};

/* ---- tables ---- */

void metrics_time(struct metrics_row *row, timestamp t)
{
    if (t == TIMESTAMP_NONE)
        return;
    if (row->first == TIMESTAMP_NONE || t < row->first)
        row->first = t;
    if (row->last == TIMESTAMP_NONE || t > row->last)
        row->last = t;
}

static void add_to(struct metrics_row *to, const struct metrics_row *row)
{
    for (size_t i = 0; i < sizeof to->n / sizeof *to->n; i++)
        to->n[i] += row->n[i];
    metrics_time(to, row->first);
    metrics_time(to, row->last);
}

uint32_t metrics_count(struct metrics_table *t, const struct metrics_row *row)
{
    char key[METRICS_PARTS * (METRICS_NAME_BYTES + sizeof(uint32_t))];
    struct slice parts[METRICS_PARTS];
    size_t n = 0;
    for (int i = 0; i < METRICS_PARTS; i++) {
        parts[i] = slice_sub(row->parts[i], 0, METRICS_NAME_BYTES);
        uint32_t length = (uint32_t)parts[i].n;
        memcpy(key + n, &length, sizeof length);
        n += sizeof length;
        if (length)
            memcpy(key + n, parts[i].p, length);
        n += length;
    }
    struct slice whole = slice_of(key, n);
    const uint32_t *known = map_get(&t->places, whole);
    if (!known && t->rows.n >= METRICS_KEYS) {
        add_to(&t->others, row);
        return METRICS_NO_ROW;
    }
    uint32_t place = known ? *known : (uint32_t)t->rows.n;
    if (!known) {
        bool is_new;
        *map_put(&t->places, whole, &is_new) = place;
        struct metrics_row *made = VEC_PUSH(t->rows);
        *made = (struct metrics_row){.first = TIMESTAMP_NONE, .last = TIMESTAMP_NONE};
        for (int i = 0; i < METRICS_PARTS; i++)
            made->parts[i] = arena_slice(&t->names, parts[i]);
    }
    add_to(&t->rows.at[place], row);
    return place;
}

static void table_join(struct metrics_table *to, const struct metrics_table *from)
{
    for (size_t i = 0; i < from->rows.n; i++)
        metrics_count(to, &from->rows.at[i]);
    add_to(&to->others, &from->others);
}

static void table_free(struct metrics_table *t)
{
    map_free(&t->places);
    free(t->rows.at);
    arena_free(&t->names);
}

/* ---- all counts ---- */

static const struct metrics_row nothing = {.first = TIMESTAMP_NONE, .last = TIMESTAMP_NONE};

static void counts_init(struct metrics_counts *c)
{
    c->all = c->events.others = c->hosts.others = c->logs.others = c->logons.others = nothing;
}

static void counts_free(struct metrics_counts *c)
{
    table_free(&c->events);
    table_free(&c->hosts);
    table_free(&c->logs);
    table_free(&c->logons);
    map_free(&c->day_places);
    free(c->days.at);
}

static void counts_join(struct metrics_counts *to, const struct metrics_counts *from)
{
    table_join(&to->events, &from->events);
    table_join(&to->hosts, &from->hosts);
    table_join(&to->logons, &from->logons);
    add_to(&to->all, &from->all);
    /* pairs have other places there */
    uint32_t *places = xcalloc(from->logs.rows.n + 1, sizeof *places);
    for (size_t i = 0; i < from->logs.rows.n; i++)
        places[i] = metrics_count(&to->logs, &from->logs.rows.at[i]);
    add_to(&to->logs.others, &from->logs.others);
    for (size_t i = 0; i < from->days.n; i++) {
        struct metrics_day day = from->days.at[i];
        day.pair = places[day.pair];
        if (day.pair != METRICS_NO_ROW)
            metrics_mark(to, day);
    }
    free(places);
}

struct metrics *metrics_new(void)
{
    struct metrics *m = xcalloc(1, sizeof *m);
    pthread_mutex_init(&m->lock, NULL);
    counts_init(&m->counts);
    return m;
}

void metrics_free(struct metrics *m)
{
    if (!m)
        return;
    counts_free(&m->counts);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

struct metrics_worker *metrics_worker_new(struct metrics *m)
{
    struct metrics_worker *w = xcalloc(1, sizeof *w);
    w->metrics = m;
    counts_init(&w->counts);
    return w;
}

void metrics_worker_free(struct metrics_worker *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->metrics->lock);
    counts_join(&w->metrics->counts, &w->counts);
    pthread_mutex_unlock(&w->metrics->lock);
    counts_free(&w->counts);
    free(w);
}

/* ---- blocks ---- */

/* What people call the log that events of a kind are from. */
static struct slice log_of(const struct event_kind *kind)
{
    return kind->channel.n    ? kind->channel
           : kind->service.n  ? kind->service
           : kind->category.n ? kind->category
           : kind->provider.n ? kind->provider
                              : kind->product;
}

/* What is counted of a host in a block. */
struct of_host {
    struct metrics_row row;
    uint32_t pair;
    struct metrics_day day; /* that of the row before, not marked yet */
};

struct block_hosts {
    struct metrics_counts *counts;
    struct slice log;
    struct {
        struct of_host *at;
        size_t n, cap;
    } hosts;
    struct map places;  /* name -> 1 + index in hosts */
    uint32_t *by_value; /* the same by the value's number in the column "Computer" */
    int32_t computer;   /* that column, or -1 */
};

static uint32_t host_place(struct block_hosts *h, struct slice name)
{
    bool is_new;
    uint32_t *place = map_put(&h->places, name, &is_new);
    if (is_new) {
        struct of_host *made = VEC_PUSH(h->hosts);
        *made = (struct of_host){.row = nothing};
        made->row.parts[0] = name;
        made->row.parts[1] = h->log;
        made->pair = metrics_count(&h->counts->logs, &made->row); /* of no event yet */
        *place = (uint32_t)h->hosts.n;
    }
    return *place - 1;
}

/* Texts are asked for once a distinct host; a row of a Windows event costs two look-ups in arrays. */
static struct of_host *host_of(struct block_hosts *h, struct block *b, uint32_t row)
{
    uint16_t id = h->computer < 0 ? 0 : column_id(&b->columns[h->computer], row);
    uint32_t place;
    if (!id) {
        place = host_place(h, block_host(b, row));
    } else {
        if (!h->by_value[id])
            h->by_value[id] = 1 + host_place(h, column_text(b, (uint32_t)h->computer, id));
        place = h->by_value[id] - 1;
    }
    return &h->hosts.at[place];
}

static void mark_pending(struct metrics_counts *c, struct of_host *of)
{
    of->day.pair = of->pair;
    if (of->day.hours && of->pair != METRICS_NO_ROW)
        metrics_mark(c, of->day);
    of->day.hours = 0;
}

static void count_event(struct metrics_counts *c, struct of_host *of, timestamp t)
{
    of->row.n[0]++;
    if (t == TIMESTAMP_NONE)
        return;
    metrics_time(&of->row, t);
    int64_t hour = t / (3600 * NS_PER_SECOND) - (t % (3600 * NS_PER_SECOND) < 0);
    int32_t day = (int32_t)(hour / 24 - (hour % 24 < 0));
    if (day != of->day.day)
        mark_pending(c, of);
    of->day.day = day;
    of->day.hours |= UINT32_C(1) << (hour - (int64_t)day * 24);
}

static void count_hosts(struct metrics_counts *c, struct block *b, struct metrics_row *whole)
{
    struct block_hosts h = {.counts = c, .log = log_of(&b->kind)};
    h.computer = block_find(b, SLICE("Computer"));
    if (h.computer >= 0)
        h.by_value = xcalloc(b->columns[h.computer].values_n + 1, sizeof *h.by_value);
    for (uint32_t row = 0; row < b->rows; row++)
        count_event(c, host_of(&h, b, row), b->times[row]);
    for (size_t i = 0; i < h.hosts.n; i++) {
        struct of_host *of = &h.hosts.at[i];
        mark_pending(c, of);
        metrics_count(&c->logs, &of->row);
        add_to(whole, &of->row);
        of->row.parts[1] = (struct slice){"", 0};
        metrics_count(&c->hosts, &of->row);
    }
    free(h.hosts.at);
    free(h.by_value);
    map_free(&h.places);
}

void metrics_block(struct metrics_worker *w, struct block *b)
{
    struct metrics_row whole = nothing;
    count_hosts(&w->counts, b, &whole);
    add_to(&w->counts.all, &whole);
    whole.parts[0] = log_of(&b->kind);
    whole.parts[1] = b->kind.provider;
    whole.parts[2] = b->kind.code;
    metrics_count(&w->counts.events, &whole);
    metrics_logons(&w->counts, b);
}
