#include "evtx_write.h"

#include "base/arena.h"
#include "base/vec.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <zstd.h>

enum {
    HEADER = 4096,
    CHUNK = 65536,
    RECORDS = 512, /* where a chunk's records begin */
    LEVEL = 1,     /* zstd's */
    RECORD_HEAD = 24,
    INSTANCE = 4 + 10, /* a fragment's head, and a template instance up to its definition */
};

struct evtx_template {
    struct buf definition; /* as it stands in a chunk, names' places counted from its beginning */
    struct {
        uint32_t *at;
        size_t n, cap;
    } names; /* where such a place stands */
    uint32_t id;
    uint32_t values_n;
    uint64_t chunk; /* the last one that has the definition, */
    uint32_t at;    /* and where */
};

struct evtx_out {
    char *path;
    FILE *file;
    ZSTD_CCtx *zstd;
    char *packed;
    size_t packed_cap;
    char chunk[CHUNK];
    uint32_t end;    /* of the chunk's records */
    uint64_t number; /* of the chunk, over all files of the process: what templates remember */
    uint32_t last_at;
    uint64_t first, last; /* record numbers in the chunk */
    uint64_t chunks;
    bool failed;
};

/* ---- templates ---- */

static void put16(struct buf *b, size_t n)
{
    uint16_t v = (uint16_t)n;
    buf_add(b, slice_of(&v, sizeof v));
}

static void put32(struct buf *b, size_t n)
{
    uint32_t v = (uint32_t)n;
    buf_add(b, slice_of(&v, sizeof v));
}

static void set32(char *p, size_t n)
{
    uint32_t v = (uint32_t)n;
    memcpy(p, &v, sizeof v);
}

static void set64(char *p, uint64_t v)
{
    memcpy(p, &v, sizeof v);
}

static void put_utf16(struct buf *b, struct slice ascii)
{
    for (size_t i = 0; i < ascii.n; i++)
        put16(b, (unsigned char)ascii.p[i]);
}

/* The place of a name, then the name. */
static void put_name(struct evtx_template *t, struct slice name)
{
    struct buf *b = &t->definition;
    uint32_t hash = 0;
    for (size_t i = 0; i < name.n; i++)
        hash = hash * 65599 + (unsigned char)name.p[i];
    *VEC_PUSH(t->names) = (uint32_t)b->n;
    put32(b, b->n + 4);
    put32(b, 0);
    put16(b, hash);
    put16(b, name.n);
    put_utf16(b, name);
    put16(b, 0);
}

/* Opens an element; returns where its length stands. */
static size_t open_element(struct evtx_template *t, struct slice name, bool attributes)
{
    struct buf *b = &t->definition;
    buf_char(b, attributes ? 0x41 : 0x01);
    put16(b, 0xffff);
    size_t length = b->n;
    put32(b, 0);
    put_name(t, name);
    return length;
}

static void put_value(struct evtx_template *t, struct slice literal)
{
    struct buf *b = &t->definition;
    if (literal.p) {
        buf_char(b, 0x05);
        buf_char(b, EVTX_UTF16);
        put16(b, literal.n);
        put_utf16(b, literal);
    } else {
        buf_char(b, 0x0e); /* left out when its value is of no type */
        put16(b, t->values_n++);
        buf_char(b, EVTX_UTF16);
    }
}

static void put_attribute(struct evtx_template *t, struct slice name, struct slice literal,
                          bool more)
{
    buf_char(&t->definition, more ? 0x46 : 0x06);
    put_name(t, name);
    put_value(t, literal);
}

static void close_element(struct evtx_template *t, size_t length)
{
    buf_char(&t->definition, 0x04);
    set32(t->definition.p + length, t->definition.n - length - 4);
}

static struct slice element_of(struct slice name)
{
    const char *mark = memchr(name.p, '_', name.n);
    return slice_sub(name, 0, mark ? (size_t)(mark - name.p) : name.n);
}

static struct slice attribute_of(struct slice name)
{
    struct slice element = element_of(name);
    return slice_sub(name, element.n + 1, name.n);
}

/* One element of System, of which slots 0 to n - 1 are text or attributes. */
static void put_system(struct evtx_template *t, const struct evtx_slot *slots, size_t n)
{
    struct buf *b = &t->definition;
    struct slice element = element_of(slots[0].name);
    const struct evtx_slot *text = slots[0].name.n == element.n ? slots : NULL;
    size_t first = text ? 1 : 0;
    size_t length = open_element(t, element, first < n);
    size_t list = b->n;
    if (first < n)
        put32(b, 0);
    for (size_t i = first; i < n; i++)
        put_attribute(t, attribute_of(slots[i].name), slots[i].literal, i + 1 < n);
    if (first < n)
        set32(b->p + list, b->n - list - 4);
    if (text) {
        buf_char(b, 0x02);
        put_value(t, text->literal);
        close_element(t, length);
    } else {
        buf_char(b, 0x03);
        set32(b->p + length, b->n - length - 4);
    }
}

static void put_data(struct evtx_template *t, const struct evtx_slot *slot)
{
    struct buf *b = &t->definition;
    size_t length = open_element(t, SLICE("Data"), slot->name.n > 0);
    if (slot->name.n) {
        size_t list = b->n;
        put32(b, 0);
        put_attribute(t, SLICE("Name"), slot->name, false);
        set32(b->p + list, b->n - list - 4);
    }
    buf_char(b, 0x02);
    put_value(t, slot->literal);
    close_element(t, length);
}

struct evtx_template *evtx_template_new(const struct evtx_slot *system, size_t system_n,
                                        const struct evtx_slot *data, size_t data_n)
{
    struct evtx_template *t = xcalloc(1, sizeof *t);
    struct buf *b = &t->definition;
    put32(b, 0); /* the next definition, which nobody looks for */
    buf_add(b, slice_of("hikeshi's bench\0", 16));
    put32(b, 0); /* length */
    buf_add(b, slice_of("\x0f\x01\x01\x00", 4));
    size_t event = open_element(t, SLICE("Event"), true), list = b->n;
    put32(b, 0);
    put_attribute(t, SLICE("xmlns"), SLICE("http://schemas.microsoft.com/win/2004/08/events/event"),
                  false);
    set32(b->p + list, b->n - list - 4);
    buf_char(b, 0x02);
    size_t length = open_element(t, SLICE("System"), false);
    buf_char(b, 0x02);
    for (size_t i = 0, n; i < system_n; i += n) {
        for (n = 1; i + n < system_n; n++)
            if (!slice_equal(element_of(system[i + n].name), element_of(system[i].name)))
                break;
        put_system(t, system + i, n);
    }
    close_element(t, length);
    length = open_element(t, SLICE("EventData"), false);
    buf_char(b, 0x02);
    for (size_t i = 0; i < data_n; i++)
        put_data(t, &data[i]);
    close_element(t, length);
    close_element(t, event);
    buf_char(b, 0x00);
    set32(b->p + 20, b->n - 24);
    t->id = libdeflate_crc32(0, b->p, b->n);
    set32(b->p + 4, t->id);
    return t;
}

void evtx_template_free(struct evtx_template *t)
{
    if (!t)
        return;
    buf_free(&t->definition);
    free(t->names.at);
    free(t);
}

/* ---- files ---- */

static enum status pack(struct evtx_out *o, const char *bytes, size_t n, bool last,
                        struct error *err)
{
    ZSTD_inBuffer in = {bytes, n, 0};
    for (size_t left = 1; left || in.pos < in.size;) {
        ZSTD_outBuffer out = {o->packed, o->packed_cap, 0};
        left = ZSTD_compressStream2(o->zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left))
            return error_set(err, STATUS_SYSTEM, o->path, ERROR_NO_OFFSET, "can't be compressed");
        if (out.pos && fwrite(o->packed, 1, out.pos, o->file) != out.pos)
            return error_system(err, o->path, "can't be written");
        if (!last && in.pos == in.size)
            break;
    }
    return OK;
}

static void chunk_begin(struct evtx_out *o)
{
    memset(o->chunk, 0, sizeof o->chunk);
    o->end = RECORDS;
    o->number++;
    o->first = o->last = 0;
}

/* The file's header comes first; its numbers of chunks and records are not known yet then, and are
 * left as those of a log that was not closed, which every reader has to bear. */
static enum status put_header(struct evtx_out *o, struct error *err)
{
    char p[HEADER] = "ElfFile";
    set64(p + 24, 1);
    set32(p + 32, 128);
    set32(p + 36, 3 << 16 | 1);
    set32(p + 40, 1 << 16 | HEADER);
    set32(p + 120, 1); /* dirty */
    set32(p + 124, libdeflate_crc32(0, p, 120));
    return pack(o, p, sizeof p, false, err);
}

struct evtx_out *evtx_out_new(const char *path, uint32_t file, struct error *err)
{
    struct evtx_out *o = xcalloc(1, sizeof *o);
    o->path = strdup(path);
    o->number = (uint64_t)file << 32;
    o->file = fopen(path, "wb");
    o->zstd = ZSTD_createCCtx();
    o->packed_cap = ZSTD_CStreamOutSize();
    o->packed = xmalloc(o->packed_cap);
    chunk_begin(o);
    if (!o->path || !o->file || !o->zstd) {
        error_system(err, path, "can't be made");
        o->failed = true;
    } else {
        ZSTD_CCtx_setParameter(o->zstd, ZSTD_c_compressionLevel, LEVEL);
        o->failed = put_header(o, err) != OK;
    }
    if (!o->failed)
        return o;
    evtx_out_finish(o, NULL);
    return NULL;
}

static enum status end_chunk(struct evtx_out *o, struct error *err)
{
    char *p = o->chunk;
    if (!o->last)
        return OK;
    memcpy(p, "ElfChnk", 8);
    set64(p + 8, o->first);
    set64(p + 16, o->last);
    set64(p + 24, o->first);
    set64(p + 32, o->last);
    set32(p + 40, 128);
    set32(p + 44, o->last_at);
    set32(p + 48, o->end);
    set32(p + 52, libdeflate_crc32(0, p + RECORDS, o->end - RECORDS));
    set32(p + 124, libdeflate_crc32(libdeflate_crc32(0, p, 120), p + 128, RECORDS - 128));
    enum status status = pack(o, p, CHUNK, false, err);
    o->failed |= status != OK;
    o->chunks++;
    chunk_begin(o);
    return status;
}

/* The template's definition, at the chunk's end. */
static void put_definition(struct evtx_out *o, struct evtx_template *t)
{
    char *p = o->chunk + o->end;
    memcpy(p, t->definition.p, t->definition.n);
    for (size_t i = 0; i < t->names.n; i++) {
        uint32_t at;
        memcpy(&at, p + t->names.at[i], sizeof at);
        set32(p + t->names.at[i], at + o->end);
    }
    t->chunk = o->number;
    t->at = o->end;
    o->end += (uint32_t)t->definition.n;
}

static void put_values(struct evtx_out *o, const struct evtx_value *values, uint32_t n)
{
    char *p = o->chunk + o->end;
    set32(p, n);
    p += 4;
    for (uint32_t i = 0; i < n; i++, p += 4)
        set32(p, values[i].n | (uint32_t)values[i].type << 16);
    for (uint32_t i = 0; i < n; i++) {
        if (values[i].n)
            memcpy(p, values[i].p, values[i].n);
        p += values[i].n;
    }
    *p++ = 0x00; /* the fragment's end */
    o->end = (uint32_t)(p - o->chunk);
}

enum status evtx_out_add(struct evtx_out *o, struct evtx_template *t, uint64_t record,
                         uint64_t filetime, const struct evtx_value *values, struct error *err)
{
    static const char instance[6] = {0x0f, 1, 1, 0, 0x0c, 1}; /* of a template, in a fragment */
    size_t size = RECORD_HEAD + INSTANCE + 4 + t->values_n * 4 + 1 + 4;
    for (uint32_t i = 0; i < t->values_n; i++)
        size += values[i].n;
    size_t definition = t->chunk == o->number ? 0 : t->definition.n;
    if (o->end + size + definition > CHUNK) {
        enum status status = end_chunk(o, err);
        if (status != OK)
            return status;
        if (o->end + size + t->definition.n > CHUNK)
            return OK; /* too large for any chunk */
    }
    uint32_t from = o->end;
    char *p = o->chunk + from;
    set32(p, 0x2a2a); /* "**" */
    set64(p + 8, record);
    set64(p + 16, filetime);
    memcpy(p + 24, instance, sizeof instance);
    set32(p + 30, t->id);
    o->end = from + RECORD_HEAD + INSTANCE;
    if (t->chunk != o->number)
        put_definition(o, t);
    set32(p + 34, t->at);
    put_values(o, values, t->values_n);
    uint32_t all = o->end + 4 - from;
    set32(p + 4, all);
    set32(o->chunk + o->end, all);
    o->end += 4;
    o->last_at = from;
    o->first = o->first ? o->first : record;
    o->last = record;
    return OK;
}

uint64_t evtx_out_chunks(const struct evtx_out *o)
{
    return o->chunks;
}

enum status evtx_out_finish(struct evtx_out *o, struct error *err)
{
    enum status status = o->failed ? STATUS_SYSTEM : end_chunk(o, err);
    if (status == OK)
        status = pack(o, NULL, 0, true, err);
    if (o->file && fclose(o->file) != 0 && status == OK)
        status = error_system(err, o->path, "can't be written");
    ZSTD_freeCCtx(o->zstd);
    free(o->packed);
    free(o->path);
    free(o);
    return status;
}
