#include "model/evtx_build.h"

#include <libdeflate.h>

static void put(struct evtx_build *b, const void *p, size_t n)
{
    buf_add(&b->chunk, slice_of(p, n));
}

static void put8(struct evtx_build *b, unsigned v)
{
    buf_char(&b->chunk, (char)v);
}

static void put16(struct evtx_build *b, unsigned v)
{
    uint16_t n = (uint16_t)v;
    put(b, &n, sizeof n);
}

static void put32(struct evtx_build *b, size_t v)
{
    uint32_t n = (uint32_t)v;
    put(b, &n, sizeof n);
}

static void put64(struct evtx_build *b, uint64_t v)
{
    put(b, &v, sizeof v);
}

static void utf16(struct evtx_build *b, const char *ascii)
{
    for (; *ascii; ascii++)
        put16(b, (unsigned char)*ascii);
}

static void set32(char *p, size_t v)
{
    uint32_t n = (uint32_t)v;
    memcpy(p, &n, sizeof n);
}

static void set64(char *p, uint64_t v)
{
    memcpy(p, &v, sizeof v);
}

static void chunk_new(struct evtx_build *b)
{
    static const char nothing[BUILD_RECORDS];
    buf_clear(&b->chunk);
    put(b, nothing, sizeof nothing);
    map_clear(&b->names);
    map_clear(&b->templates);
    b->first = b->last = 0;
}

static void chunk_end(struct evtx_build *b)
{
    size_t end = b->chunk.n;
    char *p = buf_room(&b->chunk, BUILD_CHUNK) - end;
    memset(p + end, 0, BUILD_CHUNK - end);
    memcpy(p, "ElfChnk", 8);
    set64(p + 8, b->first);
    set64(p + 16, b->last);
    set64(p + 24, b->first);
    set64(p + 32, b->last);
    set32(p + 40, 128);
    set32(p + 44, b->record);
    set32(p + 48, end);
    buf_add(&b->file, slice_of(p, BUILD_CHUNK));
    b->chunks++;
}

void build_begin(struct evtx_build *b)
{
    static const char nothing[BUILD_HEADER];
    buf_clear(&b->file);
    b->chunks = 0;
    buf_add(&b->file, slice_of(nothing, sizeof nothing));
    chunk_new(b);
}

void build_chunk_next(struct evtx_build *b)
{
    chunk_end(b);
    chunk_new(b);
}

void build_mend(char *file, size_t n)
{
    set32(file + 124, libdeflate_crc32(0, file, 120));
    for (size_t at = BUILD_HEADER; n - at >= BUILD_CHUNK; at += BUILD_CHUNK) {
        char *p = file + at;
        uint32_t end;
        memcpy(&end, p + 48, sizeof end);
        if (end >= BUILD_RECORDS && end <= BUILD_CHUNK)
            set32(p + 52, libdeflate_crc32(0, p + BUILD_RECORDS, end - BUILD_RECORDS));
        set32(p + 124, libdeflate_crc32(libdeflate_crc32(0, p, 120), p + 128, 384));
    }
}

struct slice build_finish(struct evtx_build *b)
{
    chunk_end(b);
    char *p = b->file.p;
    memcpy(p, "ElfFile", 8);
    set64(p + 16, b->chunks - 1);
    set64(p + 24, b->last + 1);
    set32(p + 32, 128);
    set32(p + 36, 3 << 16 | 1);
    set32(p + 40, b->chunks << 16 | BUILD_HEADER);
    build_mend(p, b->file.n);
    return buf_slice(&b->file);
}

void build_free(struct evtx_build *b)
{
    buf_free(&b->file);
    buf_free(&b->chunk);
    map_free(&b->names);
    map_free(&b->templates);
}

void build_record_begin(struct evtx_build *b, uint64_t number, uint64_t filetime)
{
    b->record = b->chunk.n;
    b->first = b->first ? b->first : number;
    b->last = number;
    put(b, "**\0", 4);
    put32(b, 0);
    put64(b, number);
    put64(b, filetime);
    build_fragment(b);
}

void build_record_end(struct evtx_build *b)
{
    build_eof(b);
    size_t size = b->chunk.n - b->record + 4;
    put32(b, size);
    set32(b->chunk.p + b->record + 4, size);
}

bool build_template(struct evtx_build *b, uint32_t id)
{
    bool is_new;
    uint32_t *at = map_put(&b->templates, slice_of((const char *)&id, sizeof id), &is_new);
    put8(b, 0x0c);
    put8(b, 1);
    put32(b, id);
    if (is_new)
        *at = (uint32_t)b->chunk.n + 4;
    put32(b, *at);
    if (!is_new)
        return false;
    put32(b, 0);
    put32(b, id);
    put(b, "GUID's other", 12);
    b->definition = b->chunk.n;
    put32(b, 0);
    build_fragment(b);
    b->defining = true;
    return true;
}

void build_template_end(struct evtx_build *b)
{
    build_eof(b);
    set32(b->chunk.p + b->definition, b->chunk.n - b->definition - 4);
    b->defining = false;
}

void build_values(struct evtx_build *b, const struct build_value *values, uint32_t n)
{
    put32(b, n);
    for (uint32_t i = 0; i < n; i++) {
        put16(b, values[i].n);
        put8(b, values[i].type);
        put8(b, 0);
    }
    for (uint32_t i = 0; i < n; i++)
        put(b, values[i].p, values[i].n);
}

/* The offset of a name and, at its first use in the chunk, the name itself. */
static void name_put(struct evtx_build *b, const char *name)
{
    bool is_new;
    uint32_t *at = map_put(&b->names, slice_str(name), &is_new);
    if (is_new)
        *at = (uint32_t)b->chunk.n + 4;
    put32(b, *at);
    if (!is_new)
        return;
    uint32_t hash = 0;
    for (const char *p = name; *p; p++)
        hash = hash * 65599 + (unsigned char)*p;
    put32(b, 0);
    put16(b, hash);
    put16(b, (unsigned)strlen(name));
    utf16(b, name);
    put16(b, 0);
}

void build_fragment(struct evtx_build *b)
{
    put(b, "\x0f\x01\x01", 4);
}

void build_eof(struct evtx_build *b)
{
    put8(b, 0x00);
}

void build_open(struct evtx_build *b, const char *name, bool attributes)
{
    put8(b, attributes ? 0x41 : 0x01);
    if (b->defining)
        put16(b, 0xffff);
    put32(b, 0); /* its length, which the reader does not need */
    name_put(b, name);
    if (attributes)
        put32(b, 0);
}

void build_close_start(struct evtx_build *b)
{
    put8(b, 0x02);
}

void build_close_empty(struct evtx_build *b)
{
    put8(b, 0x03);
}

void build_end(struct evtx_build *b)
{
    put8(b, 0x04);
}

void build_attribute(struct evtx_build *b, const char *name)
{
    put8(b, 0x06);
    name_put(b, name);
}

void build_text(struct evtx_build *b, const char *ascii)
{
    put8(b, 0x05);
    put8(b, 0x01);
    put16(b, (unsigned)strlen(ascii));
    utf16(b, ascii);
}

void build_cdata(struct evtx_build *b, const char *ascii)
{
    put8(b, 0x07);
    put16(b, (unsigned)strlen(ascii));
    utf16(b, ascii);
}

void build_char(struct evtx_build *b, uint16_t c)
{
    put8(b, 0x08);
    put16(b, c);
}

void build_entity(struct evtx_build *b, const char *name)
{
    put8(b, 0x09);
    name_put(b, name);
}

void build_pi(struct evtx_build *b, const char *target, const char *ascii)
{
    put8(b, 0x0a);
    name_put(b, target);
    put8(b, 0x0b);
    put16(b, (unsigned)strlen(ascii));
    utf16(b, ascii);
}

void build_sub(struct evtx_build *b, uint16_t index, uint8_t type, bool optional)
{
    put8(b, optional ? 0x0e : 0x0d);
    put16(b, index);
    put8(b, type);
}

void build_raw(struct evtx_build *b, const void *p, size_t n)
{
    put(b, p, n);
}

void build_element(struct evtx_build *b, const char *name, const char *ascii)
{
    build_open(b, name, false);
    build_close_start(b);
    build_text(b, ascii);
    build_end(b);
}

void build_element_sub(struct evtx_build *b, const char *name, uint16_t index, uint8_t type)
{
    build_open(b, name, false);
    build_close_start(b);
    build_sub(b, index, type, false);
    build_end(b);
}

void build_data(struct evtx_build *b, const char *name, uint16_t index, uint8_t type)
{
    build_open(b, "Data", true);
    build_attribute(b, "Name");
    build_text(b, name);
    build_close_start(b);
    build_sub(b, index, type, false);
    build_end(b);
}

void build_system(struct evtx_build *b)
{
    build_open(b, "System", false);
    build_close_start(b);
    build_open(b, "Provider", true);
    build_attribute(b, "Name");
    build_text(b, "Test");
    build_close_empty(b);
    build_element(b, "EventID", "7");
    build_element(b, "Channel", "Tests");
    build_end(b);
}
