#include "store/segment.h"

#include "store/segment_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

/* ---- the footer ---- */

struct footer {
    struct cursor c;
    struct segment *s;
    struct event_kind *kinds;
    uint64_t kinds_n;
    uint64_t data_end; /* streams and filters lie before */
};

/* A count of things that take at least `least` bytes each. */
static uint64_t take_count(struct cursor *c, size_t least)
{
    uint64_t n = take_number(c);
    if (n > cursor_left(c) / least)
        c->failed = true;
    return c->failed ? 0 : n;
}

static void take_tables(struct footer *f)
{
    struct arena *a = &f->s->arena;
    f->s->names_n = take_count(&f->c, 1);
    f->s->names = arena_zero(a, f->s->names_n, sizeof *f->s->names);
    for (uint64_t i = 0; i < f->s->names_n; i++)
        f->s->names[i] = take_text(&f->c);
    f->kinds_n = take_count(&f->c, 6);
    f->kinds = arena_zero(a, f->kinds_n, sizeof *f->kinds);
    for (uint64_t i = 0; i < f->kinds_n; i++) {
        struct event_kind *k = &f->kinds[i];
        k->product = take_text(&f->c);
        k->category = take_text(&f->c);
        k->service = take_text(&f->c);
        k->channel = take_text(&f->c);
        k->provider = take_text(&f->c);
        k->code = take_text(&f->c);
    }
}

static struct stream take_stream(struct cursor *c)
{
    struct stream s = {0};
    uint64_t stored = take_number(c);
    if (stored) {
        uint64_t raw = take_number(c);
        s.check = cursor_u32(c);
        c->failed |= raw > STREAM_MOST || stored > raw;
        s.stored = (uint32_t)stored;
        s.raw = (uint32_t)raw;
    }
    return s;
}

static void take_range(struct cursor *c, unsigned of, struct values_range *r)
{
    r->of = RANGE_NONE;
    if (of == RANGE_NUMBERS) {
        r->of = RANGE_NUMBERS;
        r->least = unzigzag(take_number(c));
        r->most = (int64_t)((uint64_t)r->least + take_number(c));
        c->failed |= r->most < r->least;
    } else if (of == RANGE_IPS) {
        struct slice ips = cursor_take(c, 32);
        if (!ips.p)
            return;
        r->of = RANGE_IPS;
        memcpy(r->ip_least, ips.p, 16);
        memcpy(r->ip_most, ips.p + 16, 16);
    } else if (of != RANGE_NONE) {
        c->failed = true;
    }
}

static void take_column(struct cursor *c, const struct segment *s, const struct stored_block *b,
                        struct stored_column *out)
{
    uint64_t name = take_number(c), values = take_number(c);
    uint8_t flags = cursor_u8(c);
    c->failed |= name >= s->names_n || values == 0 || values > b->rows;
    if (c->failed)
        return;
    out->name = s->names[name];
    out->values_n = (uint32_t)values;
    out->rows = flags & FLAG_ROWS;
    c->failed |= out->rows >= ROWS_KINDS;
    out->absent = flags & FLAG_ABSENT;
    if (out->rows == ROWS_FOLLOW) {
        uint64_t leader = take_number(c);
        c->failed |= leader >= b->columns_n;
        out->leader = (uint32_t)leader;
    }
    if (flags & FLAG_INLINE)
        out->values = take_text(c);
    else
        out->packed = take_stream(c);
    out->codes = take_stream(c);
    take_range(c, flags >> FLAG_RANGE_SHIFT, &out->range);
    out->text_least = take_text(c);
    out->text_most = take_text(c);
}

static void take_times(struct cursor *c, struct stored_block *b)
{
    uint64_t timeless = take_number(c);
    c->failed |= timeless > b->rows;
    b->timeless = (uint32_t)timeless;
    b->first = b->last = TIMESTAMP_NONE;
    if (c->failed || b->timeless == b->rows)
        return;
    b->first = unzigzag(take_number(c));
    b->last = (timestamp)((uint64_t)b->first + take_number(c));
    c->failed |= b->last < b->first;
}

static void take_block(struct footer *f, struct stored_block *b)
{
    struct cursor *c = &f->c;
    uint64_t kind = take_number(c), rows = take_number(c);
    c->failed |= kind >= f->kinds_n || rows == 0 || rows > BLOCK_ROWS;
    if (c->failed)
        return;
    b->kind = f->kinds[kind];
    b->rows = (uint32_t)rows;
    take_times(c, b);
    uint64_t least = take_number(c), span = take_number(c);
    c->failed |= least > UINT32_MAX || span > UINT32_MAX - least;
    b->input_least = (uint32_t)least;
    b->input_most = (uint32_t)(least + span);
    b->record_least = take_number(c);
    b->record_most = b->record_least + take_number(c);
    b->offset = take_number(c);
    b->bytes = take_number(c);
    uint64_t buckets = take_number(c);
    c->failed |= buckets == 0 || buckets > FILTER_BUCKETS || b->offset < SEGMENT_HEAD.n ||
                 b->offset > f->data_end || b->bytes > f->data_end - b->offset;
    b->buckets = (uint32_t)buckets;
    b->times = take_stream(c);
    b->origins = take_stream(c);
    b->told = take_stream(c);
    c->failed |= b->times.stored + (uint64_t)b->origins.stored > b->bytes;
    b->times_at = b->offset;
    b->origins_at = b->offset + b->times.stored;
}

/* What tells of the blocks' columns stands one behind the other from `at` on. */
static bool place_columns(struct segment *s, uint64_t at, uint64_t data_end)
{
    s->told_at = arena_alloc(&s->arena, s->blocks_n * sizeof *s->told_at);
    for (uint32_t no = 0; no < s->blocks_n; no++) {
        s->told_at[no] = at;
        if (at > data_end || s->blocks[no].told.stored > data_end - at)
            return false;
        at += s->blocks[no].told.stored;
    }
    return true;
}

static uint64_t row_bytes(const struct filter_group *g)
{
    return (uint64_t)g->members * BUCKET_BYTES + CHECK_BYTES;
}

static void take_groups(struct footer *f)
{
    struct segment *s = f->s;
    uint64_t n = take_count(&f->c, 2), all = 0;
    s->groups = arena_zero(&s->arena, n, sizeof *s->groups);
    for (uint64_t i = 0; i < n; i++) {
        struct filter_group *g = &s->groups[i];
        uint64_t buckets = take_number(&f->c);
        g->offset = take_number(&f->c);
        /* each size once, so that the work here is bounded */
        f->c.failed |= buckets > FILTER_BUCKETS || (i && buckets <= g[-1].buckets);
        if (f->c.failed)
            return;
        g->buckets = (uint32_t)buckets;
        g->blocks = arena_alloc(&s->arena, s->blocks_n * sizeof *g->blocks);
        for (uint32_t no = 0; no < s->blocks_n; no++)
            if (s->blocks[no].buckets == g->buckets)
                g->blocks[g->members++] = no;
        all += g->members;
        f->c.failed |= !g->members || g->offset > f->data_end ||
                       row_bytes(g) * g->buckets > f->data_end - g->offset;
    }
    s->groups_n = (uint32_t)n;
    f->c.failed |= all != s->blocks_n;
}

static bool take_footer(struct segment *s, struct slice raw, uint64_t data_end)
{
    struct footer f = {.c = cursor_of(raw), .s = s, .data_end = data_end};
    take_tables(&f);
    uint64_t columns_at = take_number(&f.c), blocks = take_count(&f.c, 16);
    if (f.c.failed || blocks > UINT32_MAX)
        return false;
    s->blocks = arena_zero(&s->arena, blocks, sizeof *s->blocks);
    s->blocks_n = (uint32_t)blocks;
    for (uint32_t no = 0; !f.c.failed && no < s->blocks_n; no++)
        take_block(&f, &s->blocks[no]);
    f.c.failed |= !place_columns(s, columns_at, data_end);
    if (!f.c.failed)
        take_groups(&f);
    return !f.c.failed && cursor_left(&f.c) == 0;
}

static enum status open_segment(struct segment *s, struct error *err)
{
    char head[32], trailer[TRAILER_BYTES];
    off_t size = s->io->size(s->io->ctx, s->fd);
    if (size < 0)
        return error_system(err, s->path, "can't read");
    s->bytes = (uint64_t)size;
    if (s->bytes < SEGMENT_HEAD.n + TRAILER_BYTES)
        return error_set(err, STATUS_BAD_INPUT, s->path, 0, "the file is too short for a segment");
    uint64_t trailer_at = s->bytes - TRAILER_BYTES;
    enum status status = io_read(s->io, s->fd, s->path, 0, head, SEGMENT_HEAD.n, err);
    if (status == OK)
        status = io_read(s->io, s->fd, s->path, trailer_at, trailer, TRAILER_BYTES, err);
    if (status != OK)
        return status;
    if (!slice_equal(slice_of(head, SEGMENT_HEAD.n), SEGMENT_HEAD))
        return error_set(err, STATUS_BAD_INPUT, s->path, 0,
                         "this is no segment of a known version");
    struct cursor c = cursor_of(slice_of(trailer, TRAILER_BYTES));
    uint64_t at = cursor_u64(&c);
    struct stream footer = {cursor_u32(&c), cursor_u32(&c), cursor_u32(&c)};
    uint32_t check = cursor_u32(&c);
    if (check != stream_check(slice_of(trailer, TRAILER_CHECKED)) ||
        !slice_equal(cursor_take(&c, SEGMENT_TAIL.n), SEGMENT_TAIL) || at > trailer_at ||
        footer.stored != trailer_at - at)
        return error_set(err, STATUS_BAD_INPUT, s->path, trailer_at,
                         "the segment's end is damaged");
    char *stored = arena_bytes(&s->arena, footer.stored);
    struct packer *packer = packer_new();
    struct slice raw;
    status = io_read(s->io, s->fd, s->path, at, stored, footer.stored, err);
    if (status == OK)
        status = packer_unpack(packer, &footer, slice_of(stored, footer.stored), &s->arena, s->path,
                               at, &raw, err);
    packer_free(packer);
    if (status == OK && !take_footer(s, raw, at))
        status = error_set(err, STATUS_BAD_INPUT, s->path, at, "the segment's footer is damaged");
    return status;
}

struct segment *segment_open(const struct store_io *io, const char *path, struct error *err)
{
    int fd = io->open(io->ctx, path, O_RDONLY, 0);
    if (fd < 0) {
        int why = errno;
        error_system(err, path, "can't open the segment");
        errno = why;
        return NULL;
    }
    struct segment *s = xcalloc(1, sizeof *s);
    s->io = io;
    s->fd = fd;
    s->path = arena_slice(&s->arena, slice_str(path)).p;
    if (open_segment(s, err) == OK)
        return s;
    segment_close(s);
    errno = 0;
    return NULL;
}

void segment_close(struct segment *s)
{
    if (!s)
        return;
    s->io->close(s->io->ctx, s->fd);
    arena_free(&s->arena);
    free(s);
}

int32_t stored_find(const struct stored_block *b, struct slice name)
{
    for (uint32_t i = 0; i < b->columns_n; i++)
        if (slice_equal(b->columns[i].name, name))
            return (int32_t)i;
    return -1;
}

/* ---- filters ---- */

static enum status read_row(const struct segment *s, const struct filter_group *g, uint32_t bucket,
                            char *row, struct error *err)
{
    uint64_t at = g->offset + row_bytes(g) * bucket;
    uint32_t check;
    enum status status = io_read(s->io, s->fd, s->path, at, row, row_bytes(g), err);
    if (status != OK)
        return status;
    struct slice bytes = slice_of(row, row_bytes(g) - CHECK_BYTES);
    memcpy(&check, row + bytes.n, sizeof check);
    if (check != stream_check(bytes))
        return error_set(err, STATUS_BAD_INPUT, s->path, at,
                         "a filter was altered: its checksum is wrong");
    return OK;
}

static bool any_left(const struct filter_group *g, const bool *may)
{
    for (uint32_t i = 0; i < g->members; i++)
        if (may[g->blocks[i]])
            return true;
    return false;
}

enum status segment_filter(const struct segment *s, const uint64_t *keys, size_t keys_n, bool *may,
                           struct error *err)
{
    enum status status = OK;
    char *row = NULL;
    for (uint32_t i = 0; status == OK && i < s->groups_n; i++) {
        const struct filter_group *g = &s->groups[i];
        row = xrealloc(row, row_bytes(g), 1);
        for (size_t k = 0; status == OK && k < keys_n && any_left(g, may); k++) {
            status = read_row(s, g, filter_bucket(keys[k], g->buckets), row, err);
            for (uint32_t m = 0; status == OK && m < g->members; m++)
                if (!filter_has(row + (size_t)m * BUCKET_BYTES, keys[k]))
                    may[g->blocks[m]] = false;
        }
    }
    free(row);
    return status;
}

enum status segment_read_filter(const struct segment *s, uint32_t no, char *bits, struct error *err)
{
    const struct filter_group *g = s->groups;
    uint32_t member = 0;
    while (g->buckets != s->blocks[no].buckets)
        g++;
    while (g->blocks[member] != no)
        member++;
    enum status status = OK;
    for (uint32_t bucket = 0; status == OK && bucket < g->buckets; bucket++)
        status = io_read(s->io, s->fd, s->path,
                         g->offset + row_bytes(g) * bucket + (uint64_t)member * BUCKET_BYTES,
                         bits + (size_t)bucket * BUCKET_BYTES, BUCKET_BYTES, err);
    return status;
}

/* ---- blocks ---- */

struct segment_reader {
    struct packer *packer;
    bool as_text;
    struct slice window; /* bytes of the file that are in memory, in the block's arena */
    uint64_t window_at;
    struct stored_block told; /* of segment_block */
    struct arena arena;       /* for that */
};

struct segment_reader *segment_reader_new(bool as_text)
{
    struct segment_reader *r = xcalloc(1, sizeof *r);
    r->packer = packer_new();
    r->as_text = as_text;
    return r;
}

void segment_reader_free(struct segment_reader *r)
{
    if (!r)
        return;
    packer_free(r->packer);
    arena_free(&r->arena);
    free(r);
}

/* A stream's raw bytes, in the arena. */
static enum status fetch(const struct segment *s, struct segment_reader *r, uint64_t at,
                         const struct stream *stream, struct arena *a, struct slice *raw,
                         struct error *err)
{
    struct slice stored;
    if (at >= r->window_at && at + stream->stored <= r->window_at + r->window.n) {
        stored = slice_sub(r->window, at - r->window_at, stream->stored);
    } else {
        char *bytes = arena_bytes(a, stream->stored);
        enum status status = io_read(s->io, s->fd, s->path, at, bytes, stream->stored, err);
        if (status != OK)
            return status;
        stored = slice_of(bytes, stream->stored);
    }
    if (!stream->stored) {
        *raw = (struct slice){"", 0};
        return OK;
    }
    return packer_unpack(r->packer, stream, stored, a, s->path, at, raw, err);
}

static enum status damaged(const struct segment *s, uint64_t at, const char *what,
                           struct error *err)
{
    return error_set(err, STATUS_BAD_INPUT, s->path, at, "%s of a block are damaged", what);
}

const struct stored_block *segment_block(const struct segment *s, struct segment_reader *r,
                                         uint32_t no, struct error *err)
{
    struct stored_block *b = &r->told;
    struct slice raw;
    arena_reset(&r->arena);
    r->window = (struct slice){0}; /* it was of another block, maybe of another segment */
    *b = s->blocks[no];
    if (fetch(s, r, s->told_at[no], &b->told, &r->arena, &raw, err) != OK)
        return NULL;
    struct cursor c = cursor_of(raw);
    uint64_t columns = take_count(&c, 6), offset = b->offset, bytes = b->bytes;
    if (columns > BLOCK_COLUMNS)
        c.failed = true;
    b->columns_n = c.failed ? 0 : (uint32_t)columns;
    b->columns = arena_zero(&r->arena, b->columns_n, sizeof *b->columns);
    for (uint32_t i = 0; !c.failed && i < b->columns_n; i++)
        take_column(&c, s, b, &b->columns[i]);
    if (!c.failed && !cursor_left(&c) && stored_place(b, offset) && b->bytes == bytes)
        return b;
    damaged(s, s->told_at[no], "the columns", err);
    return NULL;
}

void segment_begin(const struct segment *s, struct segment_reader *r, uint32_t no,
                   struct block *out)
{
    r->window = (struct slice){0};
    r->window_at = 0;
    block_restore(out, &s->blocks[no].kind, s->blocks[no].rows);
}

enum status segment_read_times(const struct segment *s, struct segment_reader *r, uint32_t no,
                               struct block *out, struct error *err)
{
    const struct stored_block *b = &s->blocks[no];
    struct slice raw;
    enum status status = fetch(s, r, b->times_at, &b->times, &out->values, &raw, err);
    if (status == OK && !times_unpack(raw, out))
        status = damaged(s, b->times_at, "the times", err);
    return status;
}

enum status segment_read_origins(const struct segment *s, struct segment_reader *r, uint32_t no,
                                 struct block *out, struct error *err)
{
    const struct stored_block *b = &s->blocks[no];
    struct slice raw;
    enum status status = fetch(s, r, b->origins_at, &b->origins, &out->values, &raw, err);
    if (status == OK && !origins_unpack(raw, out))
        status = damaged(s, b->origins_at, "the origins", err);
    return status;
}

/* The time of the first event of each value. */
static enum status read_when(const struct segment *s, struct segment_reader *r,
                             const struct stored_column *told, struct block *out, timestamp *when,
                             struct error *err)
{
    struct slice raw;
    enum status status = fetch(s, r, r->told.times_at, &r->told.times, &out->values, &raw, err);
    if (status == OK && !times_unpack(raw, out))
        status = damaged(s, r->told.times_at, "the times", err);
    if (status == OK)
        status = fetch(s, r, told->codes_at, &told->codes, &out->values, &raw, err);
    if (status == OK && !rows_unpack_first(told, raw, out, when))
        status = damaged(s, told->codes_at, "the rows", err);
    return status;
}

enum status segment_read_values(const struct segment *s, struct segment_reader *r, uint32_t column,
                                struct block *out, uint32_t *out_column, struct error *err)
{
    const struct stored_column *told = &r->told.columns[column];
    struct slice raw = told->values;
    enum status status = OK;
    if (raw.p) /* the block outlives what tells of it */
        raw = arena_slice(&out->values, raw);
    else
        status = fetch(s, r, told->packed_at, &told->packed, &out->values, &raw, err);
    if (status != OK)
        return status;
    *out_column = block_column(out, told->name);
    if (*out_column == BLOCK_NO_COLUMN || out->columns[*out_column].values_n > 1)
        return damaged(s, told->packed_at, "the columns", err);
    timestamp *when = NULL;
    if (values_need_when(raw, told->values_n)) {
        when = arena_alloc(&out->values, told->values_n * sizeof *when);
        status = read_when(s, r, told, out, when, err);
        if (status != OK)
            return status;
    }
    struct column *c = column_restore_values(out, *out_column, told->values_n + 1);
    if (values_unpack(raw, when, told->values_n, r->as_text, c->values + 1, &out->values))
        return OK;
    c->values_n = 1;
    return damaged(s, told->packed_at, "the values", err);
}

enum status segment_read_rows(const struct segment *s, struct segment_reader *r, uint32_t column,
                              struct block *out, uint32_t out_column, struct error *err)
{
    const struct stored_column *told = &r->told.columns[column], *leader = NULL;
    struct slice raw, leader_raw;
    bool good = false;
    enum status status = fetch(s, r, told->codes_at, &told->codes, &out->values, &raw, err);
    if (status == OK && told->rows == ROWS_FOLLOW) {
        leader = &r->told.columns[told->leader];
        status = fetch(s, r, leader->codes_at, &leader->codes, &out->values, &leader_raw, err);
    }
    if (status == OK)
        good = leader ? rows_unpack_following(told, raw, leader, leader_raw, out, out_column)
                      : rows_unpack(told, raw, out, out_column);
    if (status == OK && !good)
        status = damaged(s, told->codes_at, "the rows", err);
    return status;
}

static bool is_asked(struct slice name, const struct slice *names, size_t n)
{
    if (!names)
        return true;
    for (size_t i = 0; i < n; i++)
        if (slice_equal(names[i], name))
            return true;
    return false;
}

enum status segment_read(const struct segment *s, struct segment_reader *r, uint32_t no,
                         const struct slice *names, size_t names_n, struct block *out,
                         struct error *err)
{
    enum status status = OK;
    segment_begin(s, r, no, out);
    const struct stored_block *b = segment_block(s, r, no, err);
    if (!b)
        return err ? err->status : STATUS_BAD_INPUT;
    if (!names) { /* all of it: one read */
        char *bytes = arena_bytes(&out->values, b->bytes);
        status = io_read(s->io, s->fd, s->path, b->offset, bytes, b->bytes, err);
        r->window = slice_of(bytes, b->bytes);
        r->window_at = b->offset;
    }
    if (status == OK)
        status = segment_read_times(s, r, no, out, err);
    if (status == OK)
        status = segment_read_origins(s, r, no, out, err);
    for (uint32_t i = 0; status == OK && i < b->columns_n; i++) {
        uint32_t column;
        if (!is_asked(b->columns[i].name, names, names_n))
            continue;
        status = segment_read_values(s, r, i, out, &column, err);
        if (status == OK)
            status = segment_read_rows(s, r, i, out, column, err);
    }
    return status;
}

enum status segment_check(const struct segment *s, struct segment_reader *r, struct error *err)
{
    enum status status = OK;
    struct block *b = block_alone();
    for (uint32_t no = 0; status == OK && no < s->blocks_n; no++)
        status = segment_read(s, r, no, NULL, 0, b, err);
    block_free(b);
    char *row = NULL;
    for (uint32_t i = 0; status == OK && i < s->groups_n; i++) {
        const struct filter_group *g = &s->groups[i];
        row = xrealloc(row, row_bytes(g), 1);
        for (uint32_t bucket = 0; status == OK && bucket < g->buckets; bucket++)
            status = read_row(s, g, bucket, row, err);
    }
    free(row);
    return status;
}
