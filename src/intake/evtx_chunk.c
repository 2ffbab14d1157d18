#include "intake/evtx_internal.h"

#include <libdeflate.h>

/* A chunk's header: 8 bytes "ElfChnk", numbers and identifiers of its first and last record, size of
 * the header (128), offset of the last record, of the free space, checksum of the records, and at 124
 * that of the header itself, which covers the tables of names and templates behind it too. */
enum {
    FIRST_NUMBER_AT = 8,
    FREE_SPACE_AT = 48,
    RECORDS_CHECKSUM_AT = 52,
    CHECKSUM_AT = 124,
    TABLES_AT = 128
};

#define RECORD_MAGIC slice_of("**\0", 4)
#define BINXML_MAGIC slice_of("\x0f\x01\x01", 4) /* the header that a record's BinXML begins with */

/* A record's header: "**" and two NUL bytes, size, number, time of writing; after the BinXML the size
 * comes once more. */
struct record {
    size_t at, size; /* in the chunk */
    uint64_t number, written;
};

static void problem(struct evtx *e, size_t at, const char *what)
{
    if (!e->quiet)
        problem_add(e->problems, e->input, e->chunk_at + at, "%s", what);
}

static bool bytes_at(struct slice chunk, size_t at, struct slice bytes)
{
    return slice_equal(slice_sub(chunk, at, bytes.n), bytes);
}

static uint32_t u32_at(struct slice s, size_t at)
{
    struct cursor c = cursor_of(s);
    cursor_seek(&c, at);
    return cursor_u32(&c);
}

static bool is_zero(struct slice s)
{
    return s.n == 0 || (s.p[0] == 0 && memcmp(s.p, s.p + 1, s.n - 1) == 0);
}

bool evtx_chunk_header(struct slice bytes)
{
    if (bytes.n < EVTX_CHUNK_HEADER || !slice_starts(bytes, EVTX_CHUNK_MAGIC))
        return false;
    uint32_t crc = libdeflate_crc32(0, bytes.p, CHECKSUM_AT - 4);
    struct slice tables = slice_sub(bytes, TABLES_AT, EVTX_CHUNK_HEADER - TABLES_AT);
    return libdeflate_crc32(crc, tables.p, tables.n) == u32_at(bytes, CHECKSUM_AT);
}

/* A record whose beginning and end agree on its size. */
static bool record_at(struct slice chunk, size_t at, struct record *r)
{
    struct cursor c = cursor_of(chunk);
    cursor_seek(&c, at);
    if (!bytes_at(chunk, at, RECORD_MAGIC))
        return false;
    cursor_skip(&c, 4);
    r->at = at;
    r->size = cursor_u32(&c);
    r->number = cursor_u64(&c);
    r->written = cursor_u64(&c);
    return !c.failed && r->size >= EVTX_RECORD_LEAST && r->size <= chunk.n - at &&
           u32_at(chunk, at + r->size - 4) == r->size;
}

bool evtx_chunk_numbers(struct slice chunk, uint64_t *first, uint64_t *last)
{
    struct record r;
    struct cursor c = cursor_of(chunk);
    cursor_seek(&c, FIRST_NUMBER_AT);
    *first = cursor_u64(&c);
    *last = cursor_u64(&c);
    bool behind = record_at(chunk, u32_at(chunk, FREE_SPACE_AT), &r) && r.number == *last + 1;
    return evtx_chunk_header(chunk) && *first > 0 && *first <= *last && *last < UINT64_MAX &&
           !behind;
}

/* A record that has lost its beginning, its end, or the right size: BinXML where it would be. It
 * goes to the next record, or to `end`. */
static bool remains_at(struct slice chunk, size_t at, size_t end, struct record *r)
{
    if (!bytes_at(chunk, at + EVTX_RECORD_HEADER, BINXML_MAGIC))
        return false;
    struct cursor c = cursor_of(chunk);
    cursor_seek(&c, at);
    bool whole = slice_equal(cursor_take(&c, 4), RECORD_MAGIC);
    size_t size = cursor_u32(&c);
    *r = (struct record){.at = at, .size = end - at};
    r->number = cursor_u64(&c);
    r->written = cursor_u64(&c);
    if (!whole)
        r->number = r->written = 0;
    else if (size >= EVTX_RECORD_LEAST && size <= end - at)
        r->size = size;
    return true;
}

/* Where the next record from `at` on begins, or what is left of one; `end` when there is none. */
static size_t find(struct slice chunk, size_t at, size_t end)
{
    struct slice rest = slice_sub(chunk, 0, end);
    struct record r;
    for (;; at++) {
        ptrdiff_t found = slice_find(slice_sub(rest, at, SIZE_MAX), RECORD_MAGIC);
        if (found < 0)
            return end;
        at += (size_t)found;
        if (record_at(rest, at, &r) || bytes_at(rest, at + EVTX_RECORD_HEADER, BINXML_MAGIC))
            return at;
    }
}

static enum status read_record(struct evtx *e, const struct record *r)
{
    return evtx_record(e, r->at + EVTX_RECORD_HEADER, r->at + r->size - 4, r->number, r->written);
}

/* What is no whole record, [at, end): reads what is left of one. */
static enum status read_gap(struct evtx *e, size_t at, size_t end)
{
    struct record r;
    if (is_zero(slice_sub(e->chunk, at, end - at))) {
        problem(e, at, "zeros where a record should be");
        return OK;
    }
    if (!remains_at(e->chunk, at, end, &r)) {
        problem(e, at, "no record where one should be");
        return OK;
    }
    problem(e, at, "a record is damaged or cut off");
    return evtx_record(e, at + EVTX_RECORD_HEADER, at + r.size, r.number, r.written);
}

/* Records from `*at` to `end`, one behind the other; over what is no record it goes on to the next
 * that is one. `*number` is that of the last one read. */
static enum status walk(struct evtx *e, size_t *at, size_t end, uint64_t *number)
{
    struct record r;
    enum status status = OK;
    while (status == OK && *at < end) {
        if (record_at(e->chunk, *at, &r)) {
            status = read_record(e, &r);
            *number = r.number;
            *at += r.size;
        } else {
            size_t next = find(e->chunk, *at + 1, end);
            status = read_gap(e, *at, next);
            *at = next;
        }
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

/* A chunk without a header that could say where its records end: they go up in their numbers, what
 * lies behind them from earlier times does not. */
static enum status walk_headless(struct evtx *e, size_t *at, size_t end)
{
    struct record r;
    uint64_t number = 0;
    enum status status = OK;
    for (size_t next = find(e->chunk, 0, end); status == OK && next < end;) {
        bool whole = record_at(e->chunk, next, &r);
        if (whole && r.number <= number)
            break;
        if (number && next > *at)
            status = read_gap(e, *at, next);
        *at = next;
        next = find(e->chunk, next + (whole ? r.size : 1), end);
        if (status == OK)
            status = whole ? read_record(e, &r) : read_gap(e, *at, next);
        number = whole ? r.number : number;
        *at = whole ? *at + r.size : next;
    }
    return status;
}

/* Everything from `at` on that looks like a record, or like what is left of one. That there may be
 * none is no problem. */
static enum status carve(struct evtx *e, size_t at)
{
    struct record r;
    enum status status = OK;
    size_t end = e->chunk.n;
    e->quiet = true;
    for (at = find(e->chunk, at, end); status == OK && at < end;) {
        bool whole = record_at(e->chunk, at, &r);
        size_t next = find(e->chunk, at + (whole ? r.size : 1), end);
        status = whole ? read_record(e, &r) : read_gap(e, at, next);
        at = next;
    }
    e->quiet = false;
    return status;
}

/* Looks at a chunk's header. The end of its records, or 0 when it is not known. */
static size_t check_header(struct evtx *e)
{
    if (!slice_starts(e->chunk, EVTX_CHUNK_MAGIC)) {
        problem(e, 0, "no chunk header where one should be");
        return 0;
    }
    bool whole = e->chunk.n == EVTX_CHUNK;
    size_t end = u32_at(e->chunk, FREE_SPACE_AT);
    if (!whole)
        problem(e, e->chunk.n, "the file ends within a chunk");
    if (!evtx_chunk_header(e->chunk))
        problem(e, 0, "the chunk header's checksum is wrong");
    if (end < EVTX_CHUNK_HEADER || end > EVTX_CHUNK) {
        problem(e, FREE_SPACE_AT, "the chunk's end of records lies outside of it");
        return 0;
    }
    struct slice records = slice_sub(e->chunk, EVTX_CHUNK_HEADER, end - EVTX_CHUNK_HEADER);
    if (whole && libdeflate_crc32(0, records.p, records.n) != u32_at(e->chunk, RECORDS_CHECKSUM_AT))
        problem(e, 0, "the checksum of the chunk's records is wrong");
    return end < e->chunk.n ? end : e->chunk.n;
}

enum status evtx_chunk(struct evtx *e)
{
    size_t at = EVTX_CHUNK_HEADER;
    uint64_t number = 0;
    enum status status;
    if (is_zero(e->chunk)) { /* room for later, behind those that are in use */
        if (e->chunk_at < e->chunks_end)
            problem(e, 0, "zeros where a chunk should be");
        return OK;
    }
    size_t end = check_header(e);
    if (end) {
        status = walk(e, &at, end, &number);
        if (status == OK)
            status = walk_on(e, &at, number);
    } else {
        at = 0;
        status = walk_headless(e, &at, e->chunk.n);
    }
    if (status == OK && e->carve)
        status = carve(e, at);
    return status;
}
