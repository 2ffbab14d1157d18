/*
 * Segments from bytes of any kind. The first byte chooses: a whole file; a footer, put into a frame
 * whose checks are right; or one of the streams of a block, without checks in the way; or what tells
 * of a block's columns, in a file that is right but for that.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/one_file.h"
#include "store/segment.h"

/* A file system that has one file. */
static int one_open(void *ctx, const char *path, int flags, mode_t mode)
{
    (void)ctx;
    (void)path;
    (void)flags;
    (void)mode;
    return 0;
}

static void segment(struct slice file)
{
    const struct store_io io = {
        .ctx = &file, .open = one_open, .close = one_close, .pread = one_pread, .size = one_size};
    struct error err;
    struct segment *s = segment_open(&io, "segment", &err);
    if (!s)
        return;
    struct segment_reader *r = segment_reader_new(true);
    struct block *b = block_alone();
    bool *may = xcalloc(s->blocks_n, sizeof *may);
    uint64_t key = 7;
    for (uint32_t no = 0; no < s->blocks_n && no < 64; no++) {
        may[no] = true;
        if (segment_read(s, r, no, NULL, 0, b, &err) != OK)
            continue;
        for (uint32_t i = 0; i < b->columns_n; i++)
            for (uint32_t id = 1; id < b->columns[i].values_n; id++)
                column_folded(b, i, id);
    }
    segment_filter(s, &key, 1, may, &err);
    free(may);
    block_free(b);
    segment_reader_free(r);
    segment_close(s);
}

/* A footer as it is, behind `before`, which is followed by bytes that stand for streams. */
static void footer(struct slice before, struct slice raw)
{
    struct buf file = {0};
    buf_add(&file, SLICE("hikeshi segment 1\n"));
    buf_add(&file, before);
    while (file.n < before.n + 4000)
        buf_char(&file, (char)file.n);
    uint64_t at = file.n;
    buf_add(&file, raw);
    size_t trailer = file.n;
    put_u64(&file, at);
    put_u32(&file, (uint32_t)raw.n);
    put_u32(&file, (uint32_t)raw.n);
    put_u32(&file, stream_check(raw));
    put_u32(&file, stream_check(slice_of(file.p + trailer, 20)));
    buf_add(&file, SLICE("hikeshi\n"));
    segment(buf_slice(&file));
    buf_free(&file);
}

/* One block of `rows` events whose columns are told of by these bytes. */
static void columns(uint32_t rows, struct slice raw)
{
    struct buf f = {0};
    put_number(&f, 3);
    put_text(&f, SLICE("a"));
    put_text(&f, SLICE("b"));
    put_text(&f, SLICE("c"));
    put_number(&f, 1);
    for (int i = 0; i < 6; i++)
        put_text(&f, SLICE("kind"));
    put_number(&f, 18); /* the columns stand behind the file's head */
    put_number(&f, 1);
    put_number(&f, 0);
    put_number(&f, rows);
    put_number(&f, rows); /* all without a time */
    for (int i = 0; i < 4; i++)
        put_number(&f, 0); /* inputs, records */
    put_number(&f, 18);
    put_number(&f, 0);
    put_number(&f, 1); /* bucket */
    put_number(&f, 0); /* no times, no origins */
    put_number(&f, 0);
    put_number(&f, raw.n);
    if (raw.n) {
        put_number(&f, raw.n);
        put_u32(&f, stream_check(raw));
    }
    put_number(&f, 1); /* group */
    put_number(&f, 1);
    put_number(&f, 18);
    footer(raw, buf_slice(&f));
    buf_free(&f);
}

static void streams(uint8_t which, uint32_t rows, struct slice raw)
{
    struct block *b = block_alone();
    struct event_kind kind = {0};
    block_restore(b, &kind, rows);
    if (which == 2)
        times_unpack(raw, b);
    if (which == 3)
        origins_unpack(raw, b);
    if (which == 4 || which == 5) {
        uint32_t c = block_column(b, SLICE("field"));
        struct column *column = column_restore_values(b, c, rows + 1);
        struct stored_column told = {.values_n = rows, .rows = raw.n % 2 ? ROWS_RUNS : ROWS_WORDS};
        timestamp *when = arena_zero(&b->values, rows, sizeof *when);
        if (!values_unpack(raw, when, rows, which == 5, column->values + 1, &b->values))
            column->values_n = 1;
        for (uint32_t id = 1; id < column->values_n; id++)
            column_folded(b, c, id);
        rows_unpack_first(&told, raw, b, when);
        rows_unpack(&told, told.rows == ROWS_RUNS ? raw : slice_sub(raw, 0, (size_t)rows * 2), b,
                    c);
    }
    block_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct slice rest = slice_of(data + 2, size - 2);
    uint32_t rows = data[1] * 3u + 1;
    if (data[0] % 7 == 0)
        segment(rest);
    else if (data[0] % 7 == 1)
        footer(SLICE(""), rest);
    else if (data[0] % 7 == 6)
        columns(rows, rest);
    else
        streams(data[0] % 7, rows, rest);
    return 0;
}
