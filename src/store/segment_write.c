#include "store/segment.h"

#include "base/vec.h"
#include "store/segment_internal.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>

struct waiting_filter {
    uint32_t buckets;
    char *bits;
};

struct segment_writer {
    const struct store_io *io;
    char *path;
    int fd;
    uint64_t at; /* bytes written */
    EVP_MD_CTX *digest;
    struct segment_told told;
    struct map names, kinds; /* numbers in the footer's tables */
    struct buf names_table, kinds_table, blocks_table;
    struct buf columns; /* what tells of each block's columns, as it is stored */
    struct buf scratch, column_table;
    struct packer *packer; /* for these and the footer */
    struct {
        struct waiting_filter *at;
        size_t n, cap;
    } filters; /* in the order of the blocks */
    size_t filter_bytes;
};

static enum status put(struct segment_writer *w, struct slice bytes, struct error *err)
{
    w->at += bytes.n;
    if (EVP_DigestUpdate(w->digest, bytes.p, bytes.n) != 1)
        return error_set(err, STATUS_SYSTEM, w->path, ERROR_NO_OFFSET, "can't hash");
    return io_write(w->io, w->fd, w->path, bytes, err);
}

struct segment_writer *segment_writer_new(const struct store_io *io, const char *path,
                                          struct error *err)
{
    struct segment_writer *w = xcalloc(1, sizeof *w);
    w->io = io;
    w->path = strdup(path);
    w->told.first = w->told.last = TIMESTAMP_NONE;
    w->packer = packer_new();
    w->digest = EVP_MD_CTX_new();
    w->fd = io->open(io->ctx, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (w->fd < 0)
        error_system(err, path, "can't make the segment");
    else if (!w->path || !w->digest || EVP_DigestInit_ex(w->digest, EVP_sha256(), NULL) != 1)
        error_set(err, STATUS_SYSTEM, path, ERROR_NO_OFFSET, "can't hash");
    else if (put(w, SEGMENT_HEAD, err) == OK)
        return w;
    segment_writer_free(w);
    return NULL;
}

void segment_writer_free(struct segment_writer *w)
{
    if (!w)
        return;
    if (w->fd >= 0) {
        w->io->close(w->io->ctx, w->fd);
        w->io->unlink(w->io->ctx, w->path);
    }
    for (size_t i = 0; i < w->filters.n; i++)
        free(w->filters.at[i].bits);
    free(w->filters.at);
    map_free(&w->names);
    map_free(&w->kinds);
    buf_free(&w->names_table);
    buf_free(&w->kinds_table);
    buf_free(&w->blocks_table);
    buf_free(&w->columns);
    buf_free(&w->scratch);
    buf_free(&w->column_table);
    packer_free(w->packer);
    EVP_MD_CTX_free(w->digest);
    free(w->path);
    free(w);
}

/* ---- the footer's tables ---- */

/* The number of an entry, which is appended to the table when it is new. */
static uint32_t number_of(struct map *map, struct buf *table, struct slice entry)
{
    bool is_new;
    uint32_t *slot = map_put(map, entry, &is_new);
    if (is_new) {
        *slot = (uint32_t)map->n - 1;
        buf_add(table, entry);
    }
    return *slot;
}

static uint32_t name_number(struct segment_writer *w, struct slice name)
{
    buf_clear(&w->scratch);
    put_text(&w->scratch, name);
    return number_of(&w->names, &w->names_table, buf_slice(&w->scratch));
}

static uint32_t kind_number(struct segment_writer *w, const struct event_kind *k)
{
    buf_clear(&w->scratch);
    put_text(&w->scratch, k->product);
    put_text(&w->scratch, k->category);
    put_text(&w->scratch, k->service);
    put_text(&w->scratch, k->channel);
    put_text(&w->scratch, k->provider);
    put_text(&w->scratch, k->code);
    return number_of(&w->kinds, &w->kinds_table, buf_slice(&w->scratch));
}

static void put_stream(struct buf *b, const struct stream *s)
{
    put_number(b, s->stored);
    if (!s->stored)
        return;
    put_number(b, s->raw);
    put_u32(b, s->check);
}

static void put_column(struct segment_writer *w, const struct stored_column *c)
{
    struct buf *b = &w->column_table;
    put_number(b, name_number(w, c->name));
    put_number(b, c->values_n);
    buf_char(b, (char)(c->rows | (c->absent ? FLAG_ABSENT : 0) | (c->values.p ? FLAG_INLINE : 0) |
                       c->range.of << FLAG_RANGE_SHIFT));
    if (c->rows == ROWS_FOLLOW)
        put_number(b, c->leader);
    if (c->values.p)
        put_text(b, c->values);
    else
        put_stream(b, &c->packed);
    put_stream(b, &c->codes);
    if (c->range.of == RANGE_NUMBERS) {
        put_number(b, zigzag(c->range.least));
        put_number(b, (uint64_t)c->range.most - (uint64_t)c->range.least);
    } else if (c->range.of == RANGE_IPS) {
        buf_add(b, slice_of(c->range.ip_least, 16));
        buf_add(b, slice_of(c->range.ip_most, 16));
    }
    put_text(b, c->text_least);
    put_text(b, c->text_most);
}

static enum status put_columns(struct segment_writer *w, const struct stored_block *s,
                               struct stream *told, struct error *err)
{
    buf_clear(&w->column_table);
    put_number(&w->column_table, s->columns_n);
    for (uint32_t i = 0; i < s->columns_n; i++)
        put_column(w, &s->columns[i]);
    return packer_add(w->packer, buf_slice(&w->column_table), &w->columns, told, err);
}

static void put_block(struct segment_writer *w, const struct stored_block *s, uint64_t offset,
                      const struct stream *columns)
{
    struct buf *b = &w->blocks_table;
    put_number(b, kind_number(w, &s->kind));
    put_number(b, s->rows);
    put_number(b, s->timeless);
    if (s->timeless < s->rows) {
        put_number(b, zigzag(s->first));
        put_number(b, (uint64_t)s->last - (uint64_t)s->first);
    }
    put_number(b, s->input_least);
    put_number(b, s->input_most - s->input_least);
    put_number(b, s->record_least);
    put_number(b, s->record_most - s->record_least);
    put_number(b, offset);
    put_number(b, s->bytes);
    put_number(b, s->buckets);
    put_stream(b, &s->times);
    put_stream(b, &s->origins);
    put_stream(b, columns);
}

enum status segment_writer_add(struct segment_writer *w, const struct packed_block *p,
                               struct error *err)
{
    const struct stored_block *b = &p->told;
    struct stream columns;
    enum status status = put_columns(w, b, &columns, err);
    if (status != OK)
        return status;
    put_block(w, b, w->at, &columns);
    status = put(w, p->bytes, err);
    if (status != OK)
        return status;
    struct waiting_filter *f = VEC_PUSH(w->filters);
    *f = (struct waiting_filter){b->buckets, xmalloc(p->filter.n)};
    memcpy(f->bits, p->filter.p, p->filter.n);
    w->filter_bytes += p->filter.n;
    w->told.blocks++;
    w->told.events += b->rows;
    if (b->first != TIMESTAMP_NONE) {
        if (w->told.first == TIMESTAMP_NONE || b->first < w->told.first)
            w->told.first = b->first;
        if (w->told.last == TIMESTAMP_NONE || b->last > w->told.last)
            w->told.last = b->last;
    }
    return OK;
}

bool segment_writer_full(const struct segment_writer *w)
{
    return w->told.events >= SEGMENT_EVENTS || w->at >= SEGMENT_BYTES ||
           w->filter_bytes >= SEGMENT_FILTERS;
}

uint64_t segment_writer_events(const struct segment_writer *w)
{
    return w->told.events;
}

/* ---- filters: those of one size together, bucket by bucket, so that one read asks them all ---- */

static int by_number(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static enum status put_group(struct segment_writer *w, uint32_t buckets, struct error *err)
{
    enum { FLUSH = 1 << 20 };
    enum status status = OK;
    struct buf *out = &w->scratch;
    buf_clear(out);
    for (uint32_t bucket = 0; status == OK && bucket < buckets; bucket++) {
        size_t from = out->n;
        for (size_t i = 0; i < w->filters.n; i++) {
            const struct waiting_filter *f = &w->filters.at[i];
            if (f->buckets == buckets)
                buf_add(out, slice_of(f->bits + (size_t)bucket * BUCKET_BYTES, BUCKET_BYTES));
        }
        put_u32(out, stream_check(slice_of(out->p + from, out->n - from)));
        if (out->n >= FLUSH || bucket + 1 == buckets) {
            status = put(w, buf_slice(out), err);
            buf_clear(out);
        }
    }
    return status;
}

static enum status put_filters(struct segment_writer *w, struct buf *table, struct error *err)
{
    size_t n = w->filters.n, groups = 0;
    uint32_t *sizes = xcalloc(n, sizeof *sizes);
    enum status status = OK;
    for (size_t i = 0; i < n; i++)
        sizes[i] = w->filters.at[i].buckets;
    qsort(sizes, n, sizeof *sizes, by_number);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || sizes[i] != sizes[groups - 1])
            sizes[groups++] = sizes[i];
    put_number(table, groups);
    for (size_t i = 0; status == OK && i < groups; i++) {
        put_number(table, sizes[i]);
        put_number(table, w->at);
        status = put_group(w, sizes[i], err);
    }
    free(sizes);
    return status;
}

static enum status put_footer(struct segment_writer *w, uint64_t columns_at, struct slice groups,
                              struct error *err)
{
    struct buf raw = {0}, stored = {0};
    struct stream s;
    put_number(&raw, w->names.n);
    buf_add(&raw, buf_slice(&w->names_table));
    put_number(&raw, w->kinds.n);
    buf_add(&raw, buf_slice(&w->kinds_table));
    put_number(&raw, columns_at);
    put_number(&raw, w->told.blocks);
    buf_add(&raw, buf_slice(&w->blocks_table));
    buf_add(&raw, groups);
    enum status status = packer_add(w->packer, buf_slice(&raw), &stored, &s, err);
    if (status == OK) {
        size_t trailer = stored.n;
        put_u64(&stored, w->at);
        put_u32(&stored, s.stored);
        put_u32(&stored, s.raw);
        put_u32(&stored, s.check);
        put_u32(&stored, stream_check(slice_of(stored.p + trailer, TRAILER_CHECKED)));
        buf_add(&stored, SEGMENT_TAIL);
        status = put(w, buf_slice(&stored), err);
    }
    buf_free(&raw);
    buf_free(&stored);
    return status;
}

enum status segment_writer_finish(struct segment_writer *w, struct segment_told *told,
                                  struct error *err)
{
    struct buf groups = {0};
    uint64_t columns_at = w->at;
    enum status status = put(w, buf_slice(&w->columns), err);
    if (status == OK)
        status = put_filters(w, &groups, err);
    if (status == OK)
        status = put_footer(w, columns_at, buf_slice(&groups), err);
    buf_free(&groups);
    if (status == OK && EVP_DigestFinal_ex(w->digest, w->told.sha256, NULL) != 1)
        status = error_set(err, STATUS_SYSTEM, w->path, ERROR_NO_OFFSET, "can't hash");
    if (status == OK) {
        status = io_finish(w->io, w->fd, w->path, err);
        w->fd = -1;
        if (status != OK)
            w->io->unlink(w->io->ctx, w->path);
    }
    w->told.bytes = w->at;
    *told = w->told;
    return status;
}
