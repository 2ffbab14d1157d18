#include "tools/read_log.h"

/* Up to and with the last line end, for readers of lines. */
static size_t whole_lines(struct slice seen, bool last)
{
    size_t n = seen.n;
    while (!last && n && seen.p[n - 1] != '\n')
        n--;
    return n ? n : seen.n;
}

enum status read_log(struct slice bytes, const char *name, uint32_t input, struct block_set *blocks,
                     struct problems *problems, struct error *err)
{
    struct reader_options options = {0};
    const struct reader *reader =
        reader_for(slice_sub(bytes, 0, HEAD_BYTES), bytes.n <= HEAD_BYTES, slice_str(name));
    if (!reader)
        return OK;
    void *state = reader->open ? reader->open(&options) : NULL;
    enum status status = OK;
    uint64_t line = 1;
    uint64_t noted[READER_NOTES] = {0};
    for (size_t at = 0, n, room = BATCH_BYTES; status == OK && at < bytes.n; at += n) {
        struct slice seen = slice_sub(bytes, at, room);
        bool last = at + seen.n == bytes.n;
        n = reader->frame ? reader->frame(seen, at, last) : whole_lines(seen, last);
        if (!n && last)
            break;
        if (!n) {
            room *= 2; /* it asks for more */
            continue;
        }
        struct batch batch = {.bytes = slice_sub(seen, 0, n),
                              .offset = at,
                              .first_line = line,
                              .input = input,
                              .name = slice_str(name),
                              .last = at + n == bytes.n};
        for (size_t i = 0; i < n; i++)
            line += batch.bytes.p[i] == '\n';
        reader_note(reader, &batch, noted);
        status = reader->decode(state, &batch, blocks, problems, err);
        room = BATCH_BYTES;
    }
    if (reader->close)
        reader->close(state);
    return status;
}
