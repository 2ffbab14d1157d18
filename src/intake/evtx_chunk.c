#include "intake/evtx_internal.h"

#include <libdeflate.h>

/* A chunk's header: 8 bytes "ElfChnk", numbers and identifiers of its first and last record, size of
 * the header (128), offset of the last record, of the free space, checksum of the records, and at 124
 * that of the header itself, which covers the tables of names and templates behind it too. */
enum { FREE_SPACE_AT = 48, CHECKSUM_AT = 124, TABLES_AT = 128 };

struct record {
    size_t at, size; /* in the chunk */
    uint64_t number, written;
};

static void problem(struct evtx *e, size_t at, const char *what)
{
    problem_add(e->problems, e->input, e->chunk_at + at, "%s", what);
}

static bool magic_at(struct slice chunk, size_t at)
{
    return slice_equal(slice_sub(chunk, at, 4), slice_of("**\0", 4));
}

static uint32_t u32_at(struct slice s, size_t at)
{
    struct cursor c = cursor_of(s);
    cursor_seek(&c, at);
    return cursor_u32(&c);
}

/* A record whose beginning and end agree on its size. */
static bool record_at(struct slice chunk, size_t at, struct record *r)
{
    struct cursor c = cursor_of(chunk);
    cursor_seek(&c, at);
    if (!magic_at(chunk, at))
        return false;
    cursor_skip(&c, 4);
    r->at = at;
    r->size = cursor_u32(&c);
    r->number = cursor_u64(&c);
    r->written = cursor_u64(&c);
    return !c.failed && r->size >= EVTX_RECORD_LEAST && r->size <= chunk.n - at &&
           u32_at(chunk, at + r->size - 4) == r->size;
}

/* The next record from `at` on that lies before `end`; false when there is none. */
static bool record_find(struct slice chunk, size_t at, size_t end, struct record *r)
{
    struct slice rest = slice_sub(chunk, 0, end);
    for (;; at++) {
        ptrdiff_t found = slice_find(slice_sub(rest, at, SIZE_MAX), slice_of("**\0", 4));
        if (found < 0)
            return false;
        at += (size_t)found;
        if (record_at(rest, at, r))
            return true;
    }
}

static enum status read_record(struct evtx *e, const struct record *r)
{
    return evtx_record(e, r->at + EVTX_RECORD_HEADER, r->at + r->size - 4, r->number, r->written);
}

bool evtx_chunk_header(struct slice bytes)
{
    if (bytes.n < EVTX_CHUNK_HEADER || !slice_starts(bytes, EVTX_CHUNK_MAGIC))
        return false;
    uint32_t crc = libdeflate_crc32(0, bytes.p, CHECKSUM_AT - 4);
    struct slice tables = slice_sub(bytes, TABLES_AT, EVTX_CHUNK_HEADER - TABLES_AT);
    return libdeflate_crc32(crc, tables.p, tables.n) == u32_at(bytes, CHECKSUM_AT);
}

/* Records from `*at` to `end`, one behind the other; over what is no record it goes on to the next
 * that is one. `*number` is that of the last one read. */
static enum status walk(struct evtx *e, size_t *at, size_t end, uint64_t *number)
{
    struct record r;
    enum status status = OK;
    while (status == OK && *at < end) {
        if (!record_at(e->chunk, *at, &r)) {
            bool found = record_find(e->chunk, *at + 1, end, &r);
            problem(e, *at, "no record where one should be");
            *at = found ? r.at : end;
            continue;
        }
        status = read_record(e, &r);
        *number = r.number;
        *at += r.size;
    }
    return status;
}

/* Records behind the end that the header tells: the chunk was being written to. What is left there
 * from earlier times has other numbers. */
static enum status walk_on(struct evtx *e, size_t *at, uint64_t number)
{
    struct record r;
    enum status status = OK;
    while (status == OK && record_at(e->chunk, *at, &r) && r.number == number + 1) {
        status = read_record(e, &r);
        number = r.number;
        *at += r.size;
    }
    return status;
}

static enum status carve(struct evtx *e, size_t at)
{
    struct record r;
    enum status status = OK;
    e->quiet = true;
    while (status == OK && record_find(e->chunk, at, e->chunk.n, &r)) {
        status = read_record(e, &r);
        at = r.at + r.size;
    }
    e->quiet = false;
    return status;
}

enum status evtx_chunk(struct evtx *e)
{
    size_t at = EVTX_CHUNK_HEADER;
    uint64_t number = 0;
    size_t end = u32_at(e->chunk, FREE_SPACE_AT);
    if (!evtx_chunk_header(e->chunk))
        problem(e, 0, "the chunk header's checksum is wrong");
    struct slice records = slice_sub(e->chunk, at, end - at);
    if (libdeflate_crc32(0, records.p, records.n) != u32_at(e->chunk, 52))
        problem(e, 0, "the checksum of the chunk's records is wrong");
    enum status status = walk(e, &at, end, &number);
    if (status == OK)
        status = walk_on(e, &at, number);
    if (status == OK && e->carve)
        status = carve(e, at);
    return status;
}
