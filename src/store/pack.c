#include "store/pack.h"

#include <stdlib.h>
#include <zstd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
    LEVEL = 3,        /* zstd: what two cores can do at 300,000 events a second */
    PACK_LEAST = 32,  /* shorter streams stay as they are */
    NUMBER_BYTES = 10 /* of the longest number */
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

enum status packer_add(struct packer *p, struct slice raw, struct buf *out, struct stream *s,
                       struct error *err)
{
    if (raw.n > STREAM_MOST)
        return error_set(err, STATUS_BAD_INPUT, NULL, ERROR_NO_OFFSET,
                         "a field's values take %zu bytes, more than a block can hold", raw.n);
    size_t stored = raw.n;
    if (raw.n >= PACK_LEAST) {
        if (!p->in && !(p->in = ZSTD_createCCtx()))
            return error_set(err, STATUS_SYSTEM, NULL, ERROR_NO_OFFSET, "out of memory");
        size_t bound = ZSTD_compressBound(raw.n);
        size_t n = ZSTD_compressCCtx(p->in, buf_room(out, bound), bound, raw.p, raw.n, LEVEL);
        if (!ZSTD_isError(n) && n < raw.n)
            stored = n;
    }
    if (stored == raw.n && raw.n)
        memcpy(buf_room(out, raw.n), raw.p, raw.n);
    *s = (struct stream){(uint32_t)stored, (uint32_t)raw.n,
                         stream_check(slice_of(out->p + out->n, stored))};
    out->n += stored;
    return OK;
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
