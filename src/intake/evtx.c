#include "intake/evtx_internal.h"

#include <libdeflate.h>
#include <stdlib.h>

#define FILE_MAGIC slice_of("ElfFile", 8)

static int recognise(struct slice head, bool whole, struct slice name)
{
    (void)whole;
    (void)name;
    if (slice_starts(head, FILE_MAGIC))
        return 100;
    if (slice_starts(head, EVTX_CHUNK_MAGIC)) /* a file that has lost its header */
        return 95;
    return slice_starts(slice_sub(head, EVTX_FILE_HEADER, SIZE_MAX), EVTX_CHUNK_MAGIC) ? 95 : 0;
}

/* The file header comes first, unless it is missing. */
static size_t header_size(struct slice bytes, uint64_t offset)
{
    return offset == 0 && !slice_starts(bytes, EVTX_CHUNK_MAGIC) ? EVTX_FILE_HEADER : 0;
}

/* Where the next chunk begins that the present one, at the start of the bytes, can't go beyond: 64
 * KiB further or, where no chunk begins here, at a header with a right checksum before that. */
static size_t chunk_size(struct slice bytes)
{
    size_t most = bytes.n < EVTX_CHUNK ? bytes.n : EVTX_CHUNK;
    if (slice_starts(bytes, EVTX_CHUNK_MAGIC))
        return most;
    for (size_t at = 1; at < most; at++) {
        ptrdiff_t found = slice_find(slice_sub(bytes, at, most - at + 7), EVTX_CHUNK_MAGIC);
        if (found < 0)
            break;
        at += (size_t)found;
        if (evtx_chunk_header(slice_sub(bytes, at, SIZE_MAX)))
            return at;
    }
    return most;
}

static size_t frame(struct slice bytes, uint64_t offset, bool last)
{
    if (last)
        return bytes.n;
    size_t at = header_size(bytes, offset);
    if (at > bytes.n)
        return 0;
    /* A header that lies over the end of this chunk must be seen whole. */
    while (bytes.n - at >= EVTX_CHUNK + EVTX_CHUNK_HEADER)
        at += chunk_size(slice_sub(bytes, at, SIZE_MAX));
    return at;
}

/* What is noted of a file: how many chunks its header counts, and the number of the last record so far;
 * 0: not known. */
enum { NOTED_CHUNKS, NOTED_RECORD };

/* The header may count fewer chunks than there are: that of a file that was copied from a running
 * system lags behind. */
static uint64_t counted_chunks(struct slice header)
{
    struct cursor c = cursor_of(header);
    cursor_seek(&c, 42);
    uint64_t n = cursor_u16(&c);
    return slice_starts(header, FILE_MAGIC) ? n : 0;
}

static void note(const struct batch *batch, uint64_t noted[READER_NOTES])
{
    size_t at = header_size(batch->bytes, batch->offset);
    uint64_t first;
    if (at)
        noted[NOTED_CHUNKS] = counted_chunks(batch->bytes);
    for (size_t n; at < batch->bytes.n; at += n) {
        struct slice rest = slice_sub(batch->bytes, at, SIZE_MAX);
        n = chunk_size(rest);
        if (at + n >= batch->bytes.n &&
            !evtx_chunk_numbers(slice_sub(rest, 0, n), &first, &noted[NOTED_RECORD]))
            noted[NOTED_RECORD] = 0;
    }
}

static void *open_state(const struct reader_options *options)
{
    struct evtx *e = xcalloc(1, sizeof *e);
    e->carve = options && options->carve;
    evtx_names_init(&e->names);
    return e;
}

/* Lets go of names, plans and all that refers to them. */
static void forget(struct evtx *e)
{
    evtx_names_free(&e->names);
    map_free(&e->plan_numbers);
    map_free(&e->kind_numbers);
    map_free(&e->columns_numbers);
    arena_free(&e->kept);
    e->plans.n = e->kinds.n = e->columns.n = 0;
}

static void close_state(void *state)
{
    struct evtx *e = state;
    if (!e)
        return;
    forget(e);
    free(e->plans.at);
    free(e->kinds.at);
    free(e->columns.at);
    free(e->outs.at);
    free(e->runs.at);
    free(e->subs.at);
    arena_free(&e->scratch);
    buf_free(&e->normal);
    buf_free(&e->key);
    buf_free(&e->last_key);
    buf_free(&e->text);
    free(e);
}

static void check_file_header(struct evtx *e, struct slice header)
{
    struct cursor c = cursor_of(header);
    cursor_seek(&c, 124);
    uint32_t checksum = cursor_u32(&c);
    if (c.failed)
        problem_add(e->problems, e->input, 0, "the file ends within its header");
    else if (!slice_starts(header, FILE_MAGIC))
        problem_add(e->problems, e->input, 0, "the file header is damaged");
    else if (libdeflate_crc32(0, header.p, 120) != checksum)
        problem_add(e->problems, e->input, 0, "the file header's checksum is wrong");
}

/* Whether chunks that the header counts are missing from a file that ends at `end`. */
static void check_count(struct evtx *e, uint64_t counted, uint64_t end)
{
    uint64_t begin = end < EVTX_FILE_HEADER ? end : EVTX_FILE_HEADER;
    uint64_t found = (end - begin + EVTX_CHUNK - 1) / EVTX_CHUNK;
    if (counted > found)
        problem_add(e->problems, e->input, end,
                    "of the %llu chunks that the file header counts, %llu are missing",
                    (unsigned long long)counted, (unsigned long long)(counted - found));
}

/* Whether the chunk that has been begun goes on from the last record before it. Where a full log begins
 * again at its first chunk, the numbers go down. */
static void check_order(struct evtx *e, uint64_t *number)
{
    uint64_t first, last;
    if (!evtx_chunk_numbers(e->chunk, &first, &last)) {
        *number = 0;
        return;
    }
    if (*number && first > *number + 1)
        problem_add(e->problems, e->input, e->chunk_at,
                    "records %llu to %llu, which come before this chunk, are missing",
                    (unsigned long long)*number + 1, (unsigned long long)first - 1);
    *number = last;
}

static void begin_chunk(struct evtx *e, struct slice bytes, uint64_t offset)
{
    e->chunk = bytes;
    e->chunk_at = offset;
    e->work = EVTX_WORK;
    if (e->kept.used + e->names.bytes.used > EVTX_KEPT) {
        forget(e);
        evtx_names_init(&e->names);
    }
    if (++e->round == 0) { /* four thousand million chunks later */
        memset(e->name_places, 0, sizeof e->name_places);
        memset(e->plan_places, 0, sizeof e->plan_places);
        e->round = 1;
    }
}

static enum status decode(void *state, const struct batch *batch, struct block_set *blocks,
                          struct problems *problems, struct error *err)
{
    struct evtx *e = state;
    e->blocks = blocks;
    e->problems = problems;
    e->err = err;
    e->input = batch->input;
    uint64_t noted[READER_NOTES] = {batch->noted[NOTED_CHUNKS], batch->noted[NOTED_RECORD]};
    size_t at = header_size(batch->bytes, batch->offset);
    if (at) {
        check_file_header(e, slice_sub(batch->bytes, 0, at));
        noted[NOTED_CHUNKS] = counted_chunks(batch->bytes);
    }
    e->chunks_end = noted[NOTED_CHUNKS] ? EVTX_FILE_HEADER + noted[NOTED_CHUNKS] * EVTX_CHUNK : 0;
    if (batch->last)
        check_count(e, noted[NOTED_CHUNKS], batch->offset + batch->bytes.n);
    enum status status = OK;
    while (status == OK && at < batch->bytes.n) {
        struct slice rest = slice_sub(batch->bytes, at, SIZE_MAX);
        size_t n = chunk_size(rest);
        begin_chunk(e, slice_sub(rest, 0, n), batch->offset + at);
        check_order(e, &noted[NOTED_RECORD]);
        status = evtx_chunk(e);
        at += n;
    }
    return status;
}

const struct reader evtx_reader = {
    .name = "evtx",
    .what = "Windows event log (.evtx)",
    .products = (const char *const[]){"windows", NULL},
    .recognise = recognise,
    .frame = frame,
    .note = note,
    .open = open_state,
    .close = close_state,
    .decode = decode,
};
