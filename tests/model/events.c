#include "model/events.h"

#include <inttypes.h>

static void key(struct buf *b, struct slice name, struct slice value)
{
    buf_json(b, name);
    buf_char(b, ':');
    buf_json(b, value);
    buf_char(b, ',');
}

void events_line(const struct block *b, uint32_t row, struct buf *out, struct arena *a)
{
    char time[TIMESTAMP_TEXT] = "";
    if (b->times[row] != TIMESTAMP_NONE)
        timestamp_text(b->times[row], 7, time);
    buf_printf(out, "{\"record\":%" PRIu64 ",", b->origins[row].record);
    key(out, SLICE("time"), slice_str(time));
    key(out, SLICE("channel"), b->kind.channel);
    key(out, SLICE("provider"), b->kind.provider);
    key(out, SLICE("code"), b->kind.code);
    buf_add(out, SLICE("\"fields\":{"));
    bool first = true;
    for (uint32_t i = 0; i < b->columns_n; i++) {
        const struct column *c = &b->columns[i];
        uint16_t id = column_id(c, row);
        if (!id)
            continue;
        if (!first)
            buf_char(out, ',');
        first = false;
        buf_json(out, c->name);
        buf_char(out, ':');
        value_json(c->values[id], out, a);
    }
    buf_add(out, SLICE("}}\n"));
}

enum status events_decode(const struct reader *reader, void *state, struct slice bytes,
                          size_t window, struct block_set *blocks, struct problems *problems,
                          struct error *err)
{
    size_t at = 0, seen = window;
    uint64_t noted[READER_NOTES] = {0};
    enum status status = OK;
    while (status == OK && at < bytes.n) {
        bool last = bytes.n - at <= seen;
        size_t n = reader->frame(slice_sub(bytes, at, seen), at, last);
        if (!n) { /* it wants to see more */
            seen *= 2;
            continue;
        }
        struct batch batch = {
            .bytes = slice_sub(bytes, at, n), .offset = at, .last = at + n == bytes.n};
        reader_note(reader, &batch, noted);
        status = reader->decode(state, &batch, blocks, problems, err);
        at += n;
        seen = window;
    }
    return status;
}

struct lines {
    struct buf *out;
    struct arena a;
};

static enum status full(void *ctx, struct block *b, struct error *err)
{
    struct lines *lines = ctx;
    (void)err;
    for (uint32_t row = 0; row < b->rows; row++)
        events_line(b, row, lines->out, &lines->a);
    return OK;
}

void events_lines(const struct reader *reader, const struct reader_options *options,
                  struct slice bytes, size_t window, struct problems *problems, struct buf *out)
{
    struct lines lines = {.out = out};
    struct error err;
    struct block_set *blocks = block_set_new((struct block_sink){full, &lines});
    void *state = reader->open(options);
    if (events_decode(reader, state, bytes, window, blocks, problems, &err) == OK)
        block_set_flush(blocks, &err);
    reader->close(state);
    block_set_free(blocks);
    arena_free(&lines.a);
}

struct slice events_nth(const struct buf *lines, size_t n)
{
    struct slice rest = buf_slice(lines);
    for (;; n--) {
        ptrdiff_t end = slice_find(rest, SLICE("\n"));
        if (end < 0)
            return (struct slice){0};
        if (n == 0)
            return slice_sub(rest, 0, (size_t)end);
        rest = slice_sub(rest, (size_t)end + 1, SIZE_MAX);
    }
}

struct slice events_fields(struct slice line)
{
    ptrdiff_t at = slice_find(line, SLICE("\"fields\":"));
    return at < 0 ? SLICE("") : slice_sub(line, (size_t)at + 9, line.n - (size_t)at - 10);
}

size_t events_count(const struct buf *lines)
{
    size_t n = 0;
    for (size_t i = 0; i < lines->n; i++)
        n += lines->p[i] == '\n';
    return n;
}
