#include "store/pack.h"

#include <stdlib.h>
#include <zstd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
    LEVEL = 1,         /* zstd: the third saves a hundredth and takes a quarter more time */
    MATCH_LEAST = 7,   /* shorter matches cost more than the statistics of single bytes */
    PACK_LEAST = 32,   /* shorter streams stay as they are */
    NUMBER_BYTES = 10, /* of the longest number */
    PART_LEAST = 1024, /* a shorter part is not worth a frame of its own */
    WIDTH = 15,        /* of numbers, in bytes; and flags beside it: */
    DIFFERENCES = 16,
    SHORT = 32, /* each as put_number has it: most have one byte */
};

void put_number(struct buf *b, uint64_t n)
{
    char *p = buf_room(b, NUMBER_BYTES);
    size_t i = 0;
    for (; n >= 0x80; n >>= 7)
        p[i++] = (char)(n | 0x80);
    p[i++] = (char)n;
    b->n += i;
}

void put_text(struct buf *b, struct slice s)
{
    put_number(b, s.n);
    buf_add(b, s);
}

void put_u32(struct buf *b, uint32_t n)
{
    buf_add(b, slice_of(&n, sizeof n));
}

void put_u64(struct buf *b, uint64_t n)
{
    buf_add(b, slice_of(&n, sizeof n));
}

uint64_t take_number(struct cursor *c)
{
    uint64_t n = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = cursor_u8(c);
        if (shift == 63 && byte > 1)
            break;
        n |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return n;
    }
    c->failed = true;
    return 0;
}

struct slice take_text(struct cursor *c)
{
    uint64_t n = take_number(c);
    return cursor_take(c, n);
}

uint32_t stream_check(struct slice bytes)
{
    return (uint32_t)XXH3_64bits(bytes.p, bytes.n);
}

/* ---- raw bytes in parts ---- */

void raw_clear(struct raw *r)
{
    buf_clear(&r->bytes);
    r->cuts_n = 0;
}

void raw_cut(struct raw *r)
{
    size_t from = r->cuts_n ? r->cuts[r->cuts_n - 1] : 0;
    if (r->bytes.n - from >= PART_LEAST && r->cuts_n < RAW_CUTS)
        r->cuts[r->cuts_n++] = r->bytes.n;
}

static unsigned bits_of(uint64_t n)
{
    return n ? 64 - (unsigned)__builtin_clzll(n) : 0;
}

static size_t bytes_of(uint64_t n)
{
    return (bits_of(n) + 7) / 8;
}

/* The number at `i` as put_numbers stores it. */
static inline uint64_t stored_number(const uint64_t *numbers, size_t i, bool steps)
{
    return steps ? zigzag((int64_t)(numbers[i] - (i ? numbers[i - 1] : 0))) : numbers[i];
}

static void put_planes(struct raw *r, const uint64_t *numbers, size_t n, bool steps, size_t width)
{
    char *to = buf_room(&r->bytes, width * n);
    for (size_t i = 0; i < n; i++) {
        uint64_t number = stored_number(numbers, i, steps);
        for (size_t k = 0; k < width; k++, number >>= 8)
            to[k * n + i] = (char)number;
    }
    for (size_t k = 0; k < width; k++) {
        r->bytes.n += n;
        raw_cut(r);
    }
}

void put_numbers(struct raw *r, const uint64_t *numbers, size_t n)
{
    uint64_t bits[2] = {0}, bytes[2] = {0}, all[2] = {0}; /* of numbers; of differences */
    for (size_t i = 0; i < n; i++)
        for (int steps = 0; steps < 2; steps++) {
            uint64_t number = stored_number(numbers, i, steps);
            all[steps] |= number;
            bits[steps] += bits_of(number);
            bytes[steps] += bytes_of(number);
        }
    bool steps = bits[1] < bits[0];
    size_t width = bytes_of(all[steps]);
    bool varied = width > 1 && bytes[steps] * 2 < n * 3;
    buf_char(&r->bytes, (char)(width | (steps ? DIFFERENCES : 0) | (varied ? SHORT : 0)));
    raw_cut(r);
    if (!varied) {
        put_planes(r, numbers, n, steps, width);
        return;
    }
    for (size_t i = 0; i < n; i++)
        put_number(&r->bytes, stored_number(numbers, i, steps));
    raw_cut(r);
}

static void take_planes(struct cursor *c, uint64_t *numbers, size_t n, unsigned width)
{
    memset(numbers, 0, n * sizeof *numbers);
    for (unsigned k = 0; k < width; k++) {
        struct slice plane = cursor_take(c, n);
        for (size_t i = 0; !c->failed && i < n; i++)
            numbers[i] |= (uint64_t)(unsigned char)plane.p[i] << 8 * k;
    }
}

bool take_numbers(struct cursor *c, uint64_t *numbers, size_t n)
{
    unsigned mode = cursor_u8(c), width = mode & WIDTH;
    if (width > sizeof *numbers || mode > (WIDTH | DIFFERENCES | SHORT))
        c->failed = true;
    if (mode & SHORT)
        for (size_t i = 0; !c->failed && i < n; i++)
            numbers[i] = take_number(c);
    else if (!c->failed)
        take_planes(c, numbers, n, width);
    uint64_t before = 0;
    for (size_t i = 0; !c->failed && mode & DIFFERENCES && i < n; i++)
        before = numbers[i] = before + (uint64_t)unzigzag(numbers[i]);
    return !c->failed;
}

struct packer {
    ZSTD_CCtx *in;
    ZSTD_DCtx *out;
};

struct packer *packer_new(void)
{
    return xcalloc(1, sizeof(struct packer));
}

void packer_free(struct packer *p)
{
    if (!p)
        return;
    ZSTD_freeCCtx(p->in);
    ZSTD_freeDCtx(p->out);
    free(p);
}

static ZSTD_CCtx *compressor(void)
{
    ZSTD_CCtx *in = ZSTD_createCCtx();
    if (in) {
        ZSTD_CCtx_setParameter(in, ZSTD_c_compressionLevel, LEVEL);
        ZSTD_CCtx_setParameter(in, ZSTD_c_minMatch, MATCH_LEAST);
    }
    return in;
}

/* Compresses one part behind what is in `out`; its length, or 0 when that failed. */
static size_t add_part(struct packer *p, struct slice part, struct buf *out)
{
    size_t bound = ZSTD_compressBound(part.n);
    size_t n = ZSTD_compress2(p->in, buf_room(out, bound), bound, part.p, part.n);
    if (ZSTD_isError(n))
        return 0;
    out->n += n;
    return n;
}

enum status packer_add_raw(struct packer *p, const struct raw *raw, struct buf *out,
                           struct stream *s, struct error *err)
{
    struct slice bytes = buf_slice(&raw->bytes);
    size_t before = out->n, from = 0;
    if (bytes.n > STREAM_MOST)
        return error_set(err, STATUS_BAD_INPUT, NULL, ERROR_NO_OFFSET,
                         "a field's values take %zu bytes, more than a block can hold", bytes.n);
    bool smaller = bytes.n >= PACK_LEAST;
    if (smaller && !p->in && !(p->in = compressor()))
        return error_set(err, STATUS_SYSTEM, NULL, ERROR_NO_OFFSET, "out of memory");
    for (size_t i = 0; smaller && i <= raw->cuts_n; i++) {
        size_t end = i < raw->cuts_n ? raw->cuts[i] : bytes.n;
        if (end > from)
            smaller = add_part(p, slice_sub(bytes, from, end - from), out) > 0;
        smaller &= out->n - before < bytes.n;
        from = end;
    }
    if (!smaller) {
        out->n = before;
        buf_add(out, bytes);
    }
    size_t stored = out->n - before;
    *s = (struct stream){(uint32_t)stored, (uint32_t)bytes.n,
                         stream_check(slice_of(out->p + before, stored))};
    return OK;
}

enum status packer_add(struct packer *p, struct slice raw, struct buf *out, struct stream *s,
                       struct error *err)
{
    struct raw whole = {.bytes = {(char *)(uintptr_t)raw.p, raw.n, 0}};
    return packer_add_raw(p, &whole, out, s, err);
}

enum status packer_unpack(struct packer *p, const struct stream *s, struct slice stored,
                          struct arena *a, const char *where, uint64_t offset, struct slice *raw,
                          struct error *err)
{
    if (stored.n != s->stored || s->raw > STREAM_MOST || s->stored > s->raw)
        return error_set(err, STATUS_BAD_INPUT, where, offset, "a stream's length is wrong");
    if (stream_check(stored) != s->check)
        return error_set(err, STATUS_BAD_INPUT, where, offset,
                         "a stream was altered: its checksum is wrong");
    *raw = stored;
    if (s->stored == s->raw)
        return OK;
    if (!p->out && !(p->out = ZSTD_createDCtx()))
        return error_set(err, STATUS_SYSTEM, NULL, ERROR_NO_OFFSET, "out of memory");
    char *room = arena_bytes(a, s->raw);
    size_t n = ZSTD_decompressDCtx(p->out, room, s->raw, stored.p, stored.n);
    if (ZSTD_isError(n) || n != s->raw)
        return error_set(err, STATUS_BAD_INPUT, where, offset, "a stream can't be unpacked");
    *raw = slice_of(room, n);
    return OK;
}
