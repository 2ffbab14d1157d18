/*
 * Merging: where many small segments have come together, they become one. Blocks that are well filled
 * are copied byte by byte; small ones of one kind are joined in the order of their times, which is how
 * events that came late get to their place. What is merged is compared with its seal before.
 */
#include "store/store_internal.h"

#include "store/verify.h"

#include <stdlib.h>

enum {
    MERGE_LEAST = 8, /* segments of one size that are merged */
    TIER_BITS = 3,   /* sizes of one tier differ by less than 8 times */
    WELL_FILLED = BLOCK_ROWS / 2,
};

/* A block of a segment that is merged. */
struct source {
    struct segment *segment;
    uint32_t no;
};

struct merge {
    struct store *s;
    struct segment_reader *reader;
    struct block_packer *packer;
    struct block *block;
    struct block_set *set;
    struct source *sources;
    size_t sources_n;
};

static unsigned tier_of(uint64_t events)
{
    return events ? (63 - (unsigned)__builtin_clzll(events)) / TIER_BITS : 0;
}

/* Marks the segments of the first tier that has enough of them and that fit into one segment.
 * Returns how many. */
static size_t choose(const struct store *s, bool *chosen)
{
    for (unsigned tier = 0; tier <= tier_of(SEGMENT_EVENTS / 2); tier++) {
        size_t n = 0;
        uint64_t events = 0, bytes = 0;
        memset(chosen, false, s->segments_n);
        for (size_t i = 0; i < s->segments_n; i++) {
            const struct store_segment *seg = &s->segments[i];
            if (seg->gone || tier_of(seg->told.events) != tier ||
                events + seg->told.events > SEGMENT_EVENTS ||
                bytes + seg->told.bytes > SEGMENT_BYTES)
                continue;
            events += seg->told.events;
            bytes += seg->told.bytes;
            chosen[i] = true;
            n++;
        }
        if (n >= MERGE_LEAST)
            return n;
    }
    return 0;
}

static int compare_kinds(const struct event_kind *a, const struct event_kind *b)
{
    const struct slice *x = &a->product, *y = &b->product;
    int c = 0;
    for (int i = 0; i < 6 && !c; i++)
        c = slice_compare(x[i], y[i]);
    return c;
}

static int by_kind_and_time(const void *a, const void *b)
{
    const struct source *x = a, *y = b;
    const struct stored_block *p = &x->segment->blocks[x->no], *q = &y->segment->blocks[y->no];
    int c = compare_kinds(&p->kind, &q->kind);
    return c ? c : (p->first > q->first) - (p->first < q->first);
}

enum status transaction_copy(struct store *s, const struct segment *seg, struct segment_reader *r,
                             uint32_t no, struct error *err)
{
    const struct stored_block *told = segment_block(seg, r, no, err);
    if (!told)
        return err ? err->status : STATUS_BAD_INPUT;
    struct packed_block packed = {.told = *told};
    struct arena a = {0};
    size_t filter = (size_t)packed.told.buckets * BUCKET_BYTES;
    char *bytes = arena_bytes(&a, packed.told.bytes), *bits = arena_bytes(&a, filter);
    enum status status =
        io_read(seg->io, seg->fd, seg->path, packed.told.offset, bytes, packed.told.bytes, err);
    if (status == OK)
        status = segment_read_filter(seg, no, bits, err);
    packed.bytes = slice_of(bytes, packed.told.bytes);
    packed.filter = slice_of(bits, filter);
    if (status == OK)
        status = transaction_add(s, &packed, err);
    arena_free(&a);
    return status;
}

/* Adds the block's events to the open block of their kind. */
static enum status join_block(struct merge *m, const struct source *from, struct error *err)
{
    const struct block *b = m->block;
    enum status status = segment_read(from->segment, m->reader, from->no, NULL, 0, m->block, err);
    struct arena a = {0};
    uint32_t *columns = arena_alloc(&a, (b->columns_n + 1) * sizeof *columns);
    uint64_t epoch = 0;
    struct block *to = block_set_open(m->set, &b->kind);
    if (status == OK && to->columns_n + b->columns_n > BLOCK_COLUMNS)
        status = block_set_trim(m->set, 0, err); /* begin with fresh columns: all must have room */
    for (uint32_t row = 0; status == OK && row < b->rows; row++) {
        to = block_set_open(m->set, &b->kind);
        status = block_row(to, b->times[row], b->origins[row], err);
        if (status != OK)
            break;
        if (epoch != block_set_epoch(m->set))
            for (uint32_t c = 0; c < b->columns_n; c++)
                columns[c] = UINT32_MAX;
        epoch = block_set_epoch(m->set);
        for (uint32_t c = 0; c < b->columns_n; c++) {
            uint16_t id = column_id(&b->columns[c], row);
            if (!id)
                continue;
            if (columns[c] == UINT32_MAX)
                columns[c] = block_column(to, b->columns[c].name);
            block_put(to, columns[c], b->columns[c].values[id]);
        }
    }
    arena_free(&a);
    return status;
}

/* A full block of the set, which goes into the new segment. */
static enum status take_joined(void *ctx, struct block *b, struct error *err)
{
    struct merge *m = ctx;
    struct packed_block packed;
    enum status status = block_pack(m->packer, b, 0, &packed, err);
    return status == OK ? transaction_add(m->s, &packed, err) : status;
}

static enum status collect(struct merge *m, const bool *chosen, struct error *err)
{
    for (size_t i = 0; i < m->s->segments_n; i++) {
        if (!chosen[i])
            continue;
        struct segment *seg = store_segment(m->s, i, err);
        if (!seg)
            return err->status;
        enum status status = verify_segment(m->s, &m->s->segments[i], err);
        if (status != OK)
            return status;
        m->sources = xrealloc(m->sources, m->sources_n + seg->blocks_n, sizeof *m->sources);
        for (uint32_t no = 0; no < seg->blocks_n; no++)
            m->sources[m->sources_n++] = (struct source){seg, no};
    }
    qsort(m->sources, m->sources_n, sizeof *m->sources, by_kind_and_time);
    return OK;
}

static enum status move_blocks(struct merge *m, struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < m->sources_n; i++) {
        const struct source *from = &m->sources[i];
        const struct stored_block *b = &from->segment->blocks[from->no];
        if (b->rows >= WELL_FILLED)
            status = transaction_copy(m->s, from->segment, m->reader, from->no, err);
        else
            status = join_block(m, from, err);
        const struct source *next = i + 1 < m->sources_n ? from + 1 : NULL;
        if (status == OK &&
            (!next || compare_kinds(&next->segment->blocks[next->no].kind, &b->kind) != 0))
            status = block_set_trim(m->set, 0, err);
    }
    return status;
}

/* The entry, once the new segments are finished and their names are known. */
static enum status commit(struct merge *m, const bool *chosen, size_t n, struct error *err)
{
    struct store *s = m->s;
    const struct store_transaction *t = s->transaction;
    struct arena a = {0};
    struct buf b = {0};
    enum status status = transaction_finish(s, err);
    if (status == OK) {
        const char **of = arena_zero(&a, n, sizeof *of);
        const char **into = arena_zero(&a, t->finished.n, sizeof *into);
        size_t k = 0;
        for (size_t i = 0; i < s->segments_n; i++)
            if (chosen[i])
                of[k++] = s->segments[i].name.p;
        for (size_t i = 0; i < t->finished.n; i++)
            into[i] = t->finished.at[i].name;
        entry_merge(&b, of, n, into, t->finished.n);
        struct slice entry = buf_slice(&b);
        status = transaction_commit(s, &entry, 1, err);
    }
    buf_free(&b);
    arena_free(&a);
    return status;
}

void store_remove_segments(struct store *s, const bool *chosen, size_t n)
{
    char path[PATH_BYTES];
    for (size_t i = 0; i < n; i++) {
        if (!chosen[i])
            continue;
        segment_close(s->segments[i].open);
        s->segments[i].open = NULL;
        store_path(s, path, "segments", s->segments[i].name.p);
        s->io->unlink(s->io->ctx, path); /* what stays is taken away by the next writer */
    }
}

static enum status merge_once(struct store *s, const bool *chosen, size_t n, struct error *err)
{
    size_t before = s->segments_n;
    enum status status = store_begin(s, err);
    if (status != OK)
        return status;
    struct merge m = {.s = s,
                      .reader = segment_reader_new(false),
                      .packer = block_packer_new(),
                      .block = block_alone()};
    m.set = block_set_new((struct block_sink){take_joined, &m});
    status = collect(&m, chosen, err);
    if (status == OK)
        status = move_blocks(&m, err);
    if (status == OK)
        status = commit(&m, chosen, n, err);
    if (status == OK)
        store_remove_segments(s, chosen, before);
    store_abandon(s);
    block_set_free(m.set);
    block_free(m.block);
    block_packer_free(m.packer);
    segment_reader_free(m.reader);
    free(m.sources);
    return status;
}

enum status store_merge(struct store *s, struct error *err)
{
    struct error own;
    enum status status = OK;
    for (size_t n = 1; status == OK && n;) {
        bool *chosen = xcalloc(s->segments_n, sizeof *chosen);
        n = choose(s, chosen);
        if (n)
            status = merge_once(s, chosen, n, err ? err : &own);
        free(chosen);
    }
    return status;
}
