/*
 * A chunk of an EVTX file with bytes of any kind. The input is what follows the chunk's header, so
 * that the fuzzer need not learn headers and 64 KiB; its first byte chooses what the header says.
 * Checksums do not matter: what has a wrong one is read too.
 */
#include "intake/reader.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_HEADER = 4096, CHUNK_HEADER = 512, CHUNK = 65536 };

static enum status full(void *ctx, struct block *b, struct error *err)
{
    (void)ctx;
    (void)err;
    for (uint32_t i = 0; i < b->columns_n; i++)
        for (uint32_t id = 1; id < b->columns[i].values_n; id++)
            column_text(b, i, id);
    return OK;
}

static void decode(struct slice bytes, uint64_t offset, bool carve)
{
    struct problems *problems = problems_new();
    struct block_set *blocks = block_set_new((struct block_sink){.full = full});
    struct reader_options options = {.carve = carve};
    struct error err;
    void *state = evtx_reader.open(&options);
    size_t n = evtx_reader.frame(bytes, offset, true);
    if (n != bytes.n)
        abort();
    struct batch batch = {.bytes = bytes, .offset = offset, .last = true};
    reader_note(&evtx_reader, &batch, (uint64_t[READER_NOTES]){0});
    if (evtx_reader.decode(state, &batch, blocks, problems, &err) != OK ||
        block_set_flush(blocks, &err) != OK)
        abort();
    evtx_reader.close(state);
    block_set_free(blocks);
    problems_free(problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > CHUNK - CHUNK_HEADER)
        return 0;
    uint8_t how = data[0];
    size_t records = CHUNK_HEADER, n = records + size - 1;
    char *chunk = calloc(1, n);
    if (!chunk)
        return 0;
    uint32_t end = how & 4 ? (uint32_t)(n / 2) : (uint32_t)n;
    if (!(how & 2)) {
        memcpy(chunk, "ElfChnk", 8);
        memcpy(chunk + 48, &end, sizeof end);
    }
    memcpy(chunk + records, data + 1, size - 1);
    decode(slice_of(chunk, n), FILE_HEADER, how & 1);
    if (how & 8) /* as a whole file, with whatever header */
        decode(slice_of(chunk, n), 0, how & 1);
    free(chunk);
    return 0;
}
