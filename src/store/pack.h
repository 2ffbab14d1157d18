/*
 * Numbers and streams as stored blocks hold them (docs/store-format.md, "Numbers" and "Streams").
 *
 * Numbers are LEB128: seven bits a byte, the lowest first, the high bit set on all but the last.
 * Signed ones and differences are zigzag-coded first, so that small ones of either sign are short.
 *
 * A stream is a run of bytes, compressed with zstd where that pays, with a check of what is on the
 * disk:
 *
 *     struct stream s;
 *     packer_add(p, raw, out, &s);                 appends the stored form to `out`, fills in `s`
 *     packer_add_raw(p, &raw, out, &s);            the same, in parts that are compressed apart
 *     packer_unpack(p, &s, stored, arena, path, offset, &raw, &err);
 */
#ifndef STORE_PACK_H
#define STORE_PACK_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/error.h"

enum {
    STREAM_MOST = 512 << 20, /* raw bytes in a stream; more is damage */
    RAW_CUTS = 40,
};

void put_number(struct buf *b, uint64_t n);
void put_text(struct buf *b, struct slice s); /* its length, its bytes */
void put_u32(struct buf *b, uint32_t n);
void put_u64(struct buf *b, uint64_t n);

/* 0 and the cursor's failure when it is not whole or longer than 64 bits. */
uint64_t take_number(struct cursor *c);
struct slice take_text(struct cursor *c);

/* Raw bytes of a stream, and where parts begin that are unlike what stands before them. Parts are
 * compressed apart: noise beside text, or the high bytes of numbers beside the low ones, would spoil
 * the statistics of both. */
struct raw {
    struct buf bytes;
    size_t cuts[RAW_CUTS];
    size_t cuts_n;
};
void raw_clear(struct raw *r);
void raw_cut(struct raw *r); /* what follows is another part, if the last one is worth it */

/* Numbers, one for each of many things: as they are or as differences, whichever is less, all lowest
 * bytes first, then all second ones, ... */
void put_numbers(struct raw *r, const uint64_t *numbers, size_t n);
/* False when they are not whole. */
bool take_numbers(struct cursor *c, uint64_t *numbers, size_t n);

static inline uint64_t zigzag(int64_t n)
{
    return (uint64_t)n << 1 ^ (n < 0 ? UINT64_MAX : 0);
}

static inline int64_t unzigzag(uint64_t n)
{
    return (int64_t)(n >> 1 ^ -(n & 1));
}

/* The low half of XXH3 (64 bits, seed 0): the check of streams. */
uint32_t stream_check(struct slice bytes);

struct stream {
    uint32_t stored, raw; /* bytes on disk, and unpacked; equal when it is not compressed */
    uint32_t check;       /* of the bytes on disk */
};

/* Compresses and unpacks; one thread each. */
struct packer;
struct packer *packer_new(void);
void packer_free(struct packer *p);

/* STATUS_BAD_INPUT when `raw` is over STREAM_MOST. */
enum status packer_add(struct packer *p, struct slice raw, struct buf *out, struct stream *s,
                       struct error *err);

enum status packer_add_raw(struct packer *p, const struct raw *raw, struct buf *out,
                           struct stream *s, struct error *err);

/* `raw` is `stored` itself or made in the arena. `where` names the file for messages, `offset` the
 * place in it. STATUS_BAD_INPUT when the check or a length does not fit. */
enum status packer_unpack(struct packer *p, const struct stream *s, struct slice stored,
                          struct arena *a, const char *where, uint64_t offset, struct slice *raw,
                          struct error *err);

#endif
