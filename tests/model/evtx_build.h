/*
 * Makes small .evtx files for tests: whole ones, token by token, which the test then damages.
 *
 *     struct evtx_build b = {0};
 *     build_begin(&b);
 *     build_record_begin(&b, 1, filetime);
 *     build_template(&b, id);                 a definition follows, at its first use
 *         build_open(&b, "Event", false); build_close_start(&b); ... build_end(&b);
 *     build_template_end(&b);
 *     build_values(&b, values, n);
 *     build_record_end(&b);
 *     struct slice file = build_finish(&b);       headers and checksums are right
 *     build_free(&b);
 *
 * Chunks begin by themselves with build_chunk_next(); names and templates are written once a chunk
 * and referred to afterwards, as Windows does it.
 */
#ifndef TESTS_MODEL_EVTX_BUILD_H
#define TESTS_MODEL_EVTX_BUILD_H

#include "base/buf.h"
#include "base/map.h"

enum { BUILD_HEADER = 4096, BUILD_CHUNK = 65536, BUILD_RECORDS = 512 };

struct build_value {
    uint8_t type;
    const void *p;
    uint16_t n;
};

struct evtx_build {
    struct buf file, chunk;
    struct map names, templates; /* offsets in the chunk */
    uint64_t first, last;        /* record numbers of the chunk */
    size_t record, definition;   /* where the present one begins */
    bool defining;               /* tokens belong to a definition: elements have dependencies */
    unsigned chunks;
};

void build_begin(struct evtx_build *b);
void build_chunk_next(struct evtx_build *b);
struct slice build_finish(struct evtx_build *b);
void build_free(struct evtx_build *b);

void build_record_begin(struct evtx_build *b, uint64_t number, uint64_t filetime);
void build_record_end(struct evtx_build *b);

/* A template instance: true when its definition must follow now, until build_template_end; false when
 * the chunk has it already. Either way build_values comes next. */
bool build_template(struct evtx_build *b, uint32_t id);
void build_template_end(struct evtx_build *b);
void build_values(struct evtx_build *b, const struct build_value *values, uint32_t n);

/* Tokens. */
void build_fragment(struct evtx_build *b);
void build_eof(struct evtx_build *b);
void build_open(struct evtx_build *b, const char *name, bool attributes);
void build_close_start(struct evtx_build *b);
void build_close_empty(struct evtx_build *b);
void build_end(struct evtx_build *b);
void build_attribute(struct evtx_build *b, const char *name);
void build_text(struct evtx_build *b, const char *ascii);
void build_cdata(struct evtx_build *b, const char *ascii);
void build_char(struct evtx_build *b, uint16_t c);
void build_entity(struct evtx_build *b, const char *name);
void build_pi(struct evtx_build *b, const char *target, const char *ascii);
void build_sub(struct evtx_build *b, uint16_t index, uint8_t type, bool optional);
void build_raw(struct evtx_build *b, const void *p, size_t n);

/* Several tokens at once: <name>text</name>, and one with a substitution as its text. */
void build_element(struct evtx_build *b, const char *name, const char *ascii);
void build_element_sub(struct evtx_build *b, const char *name, uint16_t index, uint8_t type);
/* <Data Name="name">%index</Data> */
void build_data(struct evtx_build *b, const char *name, uint16_t index, uint8_t type);
/* <System> of an event with number 7 of provider "Test" in channel "Tests". */
void build_system(struct evtx_build *b);

/* Puts the checksums of all chunks and of the file right again. */
void build_mend(char *file, size_t n);

#endif
