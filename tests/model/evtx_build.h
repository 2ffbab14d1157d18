/*
 * Makes small .evtx files for tests: whole ones, token by token, which the test then damages.
 *
 *     struct evtx_build b = {0};
 *     evtx_begin(&b);
 *     evtx_record_begin(&b, 1, filetime);
 *     evtx_template(&b, id);                 a definition follows, at its first use
 *         evtx_open(&b, "Event", false); evtx_close_start(&b); ... evtx_end(&b);
 *     evtx_template_end(&b);
 *     evtx_values(&b, values, n);
 *     evtx_record_end(&b);
 *     struct slice file = evtx_end_file(&b);       headers and checksums are right
 *     evtx_build_free(&b);
 *
 * Chunks begin by themselves with evtx_chunk_next(); names and templates are written once a chunk
 * and referred to afterwards, as Windows does it.
 */
#ifndef TESTS_MODEL_EVTX_BUILD_H
#define TESTS_MODEL_EVTX_BUILD_H

#include "base/buf.h"
#include "base/map.h"

enum { BUILD_HEADER = 4096, BUILD_CHUNK = 65536, BUILD_RECORDS = 512 };

struct evtx_value {
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

void evtx_begin(struct evtx_build *b);
void evtx_chunk_next(struct evtx_build *b);
struct slice evtx_end_file(struct evtx_build *b);
void evtx_build_free(struct evtx_build *b);

void evtx_record_begin(struct evtx_build *b, uint64_t number, uint64_t filetime);
void evtx_record_end(struct evtx_build *b);

/* A template instance: true when its definition must follow now, until evtx_template_end; false when
 * the chunk has it already. Either way evtx_values comes next. */
bool evtx_template(struct evtx_build *b, uint32_t id);
void evtx_template_end(struct evtx_build *b);
void evtx_values(struct evtx_build *b, const struct evtx_value *values, uint32_t n);

/* Tokens. */
void evtx_fragment(struct evtx_build *b);
void evtx_eof(struct evtx_build *b);
void evtx_open(struct evtx_build *b, const char *name, bool attributes);
void evtx_close_start(struct evtx_build *b);
void evtx_close_empty(struct evtx_build *b);
void evtx_end(struct evtx_build *b);
void evtx_attribute(struct evtx_build *b, const char *name);
void evtx_text(struct evtx_build *b, const char *ascii);
void evtx_cdata(struct evtx_build *b, const char *ascii);
void evtx_char(struct evtx_build *b, uint16_t c);
void evtx_entity(struct evtx_build *b, const char *name);
void evtx_pi(struct evtx_build *b, const char *target, const char *ascii);
void evtx_sub(struct evtx_build *b, uint16_t index, uint8_t type, bool optional);
void evtx_raw(struct evtx_build *b, const void *p, size_t n);

/* Several tokens at once: <name>text</name>, and one with a substitution as its text. */
void evtx_element(struct evtx_build *b, const char *name, const char *ascii);
void evtx_element_sub(struct evtx_build *b, const char *name, uint16_t index, uint8_t type);
/* <Data Name="name">%index</Data> */
void evtx_data(struct evtx_build *b, const char *name, uint16_t index, uint8_t type);
/* <System> of an event with number 7 of provider "Test" in channel "Tests". */
void evtx_system(struct evtx_build *b);

/* Puts the checksums of all chunks and of the file right again. */
void evtx_mend(char *file, size_t n);

#endif
