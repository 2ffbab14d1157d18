/* What one segment holds: times and hosts of its blocks, counted. */
#include "store/catalogue.h"

#include "base/vec.h"
#include "event/select.h"
#include "store/retention.h"

#include <stdlib.h>

#define HOUR (INT64_C(3600) * NS_PER_SECOND)

/* A part while it is counted. */
struct counting {
    struct catalogue_part part;
    struct {
        int32_t *at;
        size_t n, cap;
    } hours;
};

struct scan {
    struct catalogue *c;
    struct map names; /* source and host: 1 + the place */
    struct {
        struct counting *at;
        size_t n, cap;
    } parts;
    struct buf name;
    size_t source_n;               /* bytes of the source in `name` */
    uint32_t columns[HOST_FIELDS]; /* of the block that name hosts, the surest first */
    uint32_t columns_n;
    uint32_t *known[HOST_FIELDS]; /* by number of a value there: 1 + the part */
};

/* ---- hours ---- */

static int by_hour(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static void tidy_hours(struct counting *p)
{
    size_t n = 0;
    if (p->hours.n)
        qsort(p->hours.at, p->hours.n, sizeof *p->hours.at, by_hour);
    for (size_t i = 0; i < p->hours.n; i++)
        if (n == 0 || p->hours.at[n - 1] != p->hours.at[i])
            p->hours.at[n++] = p->hours.at[i];
    p->hours.n = n;
}

static void count_hour(struct counting *p, timestamp t)
{
    int32_t hour = (int32_t)(t / HOUR - (t % HOUR < 0));
    if (p->hours.n && p->hours.at[p->hours.n - 1] == hour)
        return;
    if (p->hours.n == p->hours.cap)
        tidy_hours(p); /* before it grows: logs hold the same hours again and again */
    *VEC_PUSH(p->hours) = hour;
}

/* Runs of hours: how many are between, and how many follow. */
static struct slice pack_hours(const struct counting *p, struct arena *a)
{
    struct buf b = {0};
    int64_t end = 0;
    for (size_t i = 0, run; i < p->hours.n; i += run) {
        for (run = 1; i + run < p->hours.n; run++)
            if (p->hours.at[i + run] != p->hours.at[i] + (int64_t)run)
                break;
        put_number(&b, zigzag(p->hours.at[i] - end));
        put_number(&b, run);
        end = p->hours.at[i] + (int64_t)run;
    }
    struct slice packed = arena_slice(a, buf_slice(&b));
    buf_free(&b);
    return packed;
}

bool catalogue_hours(struct slice packed, int32_t **hours, size_t *n, size_t *cap)
{
    enum { MOST = 6000000 }; /* as many hours as times can tell apart */
    struct cursor c = cursor_of(packed);
    int64_t at = 0;
    bool first = true;
    while (cursor_left(&c) && !c.failed) {
        int64_t skip = unzigzag(take_number(&c));
        uint64_t run = take_number(&c);
        if (c.failed || skip < (first ? -MOST : 0) || skip > MOST || run > MOST ||
            at + skip < -MOST || at + skip + (int64_t)run > MOST)
            return false;
        at += skip;
        first = false;
        for (; run; run--, at++) {
            if (*n == *cap) {
                *cap = *cap ? *cap * 2 : 64;
                *hours = xrealloc(*hours, *cap, sizeof **hours);
            }
            (*hours)[(*n)++] = (int32_t)at;
        }
    }
    return !c.failed;
}

/* ---- counting ---- */

static uint32_t part_of(struct scan *scan, struct slice host)
{
    bool is_new;
    scan->name.n = scan->source_n;
    buf_char(&scan->name, '\0');
    buf_add(&scan->name, host);
    uint32_t *place = map_put(&scan->names, buf_slice(&scan->name), &is_new);
    if (is_new) {
        *VEC_PUSH(scan->parts) = (struct counting){
            .part = {.source = arena_slice(&scan->c->arena, slice_of(scan->name.p, scan->source_n)),
                     .host = arena_slice(&scan->c->arena, host),
                     .first = TIMESTAMP_NONE,
                     .last = TIMESTAMP_NONE},
        };
        *place = (uint32_t)scan->parts.n;
    }
    return *place;
}

/* The part of a row: by the first of the columns that tells its host. */
static struct counting *part_of_row(struct scan *scan, struct block *b, uint32_t row)
{
    for (uint32_t i = 0; i < scan->columns_n; i++) {
        uint16_t id = column_id(&b->columns[scan->columns[i]], row);
        if (!id)
            continue;
        if (!scan->known[i][id])
            scan->known[i][id] = part_of(scan, column_text(b, scan->columns[i], id));
        return &scan->parts.at[scan->known[i][id] - 1];
    }
    uint32_t place = part_of(scan, (struct slice){0});
    return &scan->parts.at[place - 1];
}

static void count_block(struct scan *scan, const struct stored_block *told, struct block *b)
{
    buf_clear(&scan->name);
    source_name(&told->kind, &scan->name);
    scan->source_n = scan->name.n;
    scan->columns_n = 0;
    for (size_t i = 0; i < HOST_FIELDS; i++) {
        int32_t column = block_find(b, host_fields[i]);
        if (column < 0)
            continue;
        scan->known[scan->columns_n] =
            arena_zero(&b->values, b->columns[column].values_n, sizeof(uint32_t));
        scan->columns[scan->columns_n++] = (uint32_t)column;
    }
    uint64_t each = told->bytes / b->rows, rest = told->bytes % b->rows;
    for (uint32_t row = 0; row < b->rows; row++) {
        struct counting *p = part_of_row(scan, b, row);
        timestamp t = b->times[row];
        p->part.events++;
        p->part.bytes += each + (row < rest);
        if (t == TIMESTAMP_NONE)
            continue;
        if (p->part.first == TIMESTAMP_NONE || t < p->part.first)
            p->part.first = t;
        if (p->part.last == TIMESTAMP_NONE || t > p->part.last)
            p->part.last = t;
        count_hour(p, t);
    }
}

static int by_source_and_host(const void *a, const void *b)
{
    const struct counting *x = a, *y = b;
    int c = slice_compare(x->part.source, y->part.source);
    return c ? c : slice_compare(x->part.host, y->part.host);
}

enum status catalogue_scan(struct store *s, size_t number, struct catalogue *c, struct error *err)
{
    bool was_open = s->segments[number].open;
    const struct segment *seg = store_segment(s, number, err);
    if (!seg)
        return err ? err->status : STATUS_BAD_INPUT;
    struct segment_reader *r = segment_reader_new(true);
    struct block *b = block_alone();
    struct scan scan = {.c = c};
    enum status status = OK;
    for (uint32_t no = 0; status == OK && no < seg->blocks_n; no++) {
        status = segment_read(seg, r, no, host_fields, HOST_FIELDS, b, err);
        if (status == OK)
            count_block(&scan, &seg->blocks[no], b);
    }
    if (scan.parts.n)
        qsort(scan.parts.at, scan.parts.n, sizeof *scan.parts.at, by_source_and_host);
    for (size_t i = 0; i < scan.parts.n; i++) {
        struct counting *p = &scan.parts.at[i];
        tidy_hours(p);
        p->part.segment = number;
        p->part.hours = pack_hours(p, &c->arena);
        if (c->parts_n == c->parts_cap) {
            c->parts_cap = c->parts_cap ? c->parts_cap * 2 : 64;
            c->parts = xrealloc(c->parts, c->parts_cap, sizeof *c->parts);
        }
        if (status == OK)
            c->parts[c->parts_n++] = p->part;
        free(p->hours.at);
    }
    free(scan.parts.at);
    map_free(&scan.names);
    buf_free(&scan.name);
    block_free(b);
    segment_reader_free(r);
    if (!was_open) { /* of thousands not all stay open */
        segment_close(s->segments[number].open);
        s->segments[number].open = NULL;
    }
    return status;
}
