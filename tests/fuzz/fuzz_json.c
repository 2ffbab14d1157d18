/* JSON cut into batches and decoded; the first byte says how large the batches are. */
#include "intake/json_scan.h"
#include "intake/reader.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    uint64_t rows, texts;
};

static enum status take(void *ctx, struct block *b, struct error *err)
{
    struct seen *seen = ctx;
    (void)err;
    seen->rows += b->rows;
    for (uint32_t c = 0; c < b->columns_n; c++)
        for (uint32_t id = 1; id < b->columns[c].values_n; id++)
            seen->texts += column_text(b, c, id).n;
    return OK;
}

/* Decodes a copy of exactly the batch's size, so that a read past its end is noticed. */
static void decode(void *state, struct slice bytes, size_t at, bool last, struct block_set *blocks,
                   struct problems *problems)
{
    char *copy = malloc(bytes.n);
    memcpy(copy, bytes.p, bytes.n);
    struct batch batch = {.bytes = {copy, bytes.n}, .offset = at, .first_line = 1, .last = last};
    if (json_reader.decode(state, &batch, blocks, problems, NULL) != OK)
        abort();
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct slice text = slice_of(data + 1, size - 1);
    size_t step = (size_t)data[0] * 8 + 1;
    struct seen seen = {0};
    struct problems *problems = problems_new();
    struct block_set *blocks = block_set_new((struct block_sink){take, &seen});
    struct reader_options options = {0};
    void *state = json_reader.open(&options);
    json_reader.recognise(text, true, SLICE("x"));
    for (size_t at = 0, n, want = step; at < text.n; at += n) {
        struct slice rest = slice_sub(text, at, text.n), cut = slice_sub(rest, 0, want);
        bool last = cut.n == rest.n;
        n = json_reader.frame(cut, at, last);
        if (n > cut.n || (last && n != cut.n))
            abort();
        want = n ? step : want * 2;
        if (n)
            decode(state, slice_sub(rest, 0, n), at, last, blocks, problems);
    }
    if (block_set_flush(blocks, NULL) != OK)
        abort();
    json_reader.close(state);
    block_set_free(blocks);
    problems_free(problems);

    struct buf once = {0}, twice = {0};
    json_repair(text, &once); /* what is mended needs no mending */
    json_repair(buf_slice(&once), &twice);
    if (!slice_equal(buf_slice(&once), buf_slice(&twice)))
        abort();
    buf_free(&once);
    buf_free(&twice);
    return 0;
}
