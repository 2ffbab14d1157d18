/*
 * Writes .evtx files as Windows does: chunks of 64 KiB with the templates they need, each record a
 * template and its values; zstd-compressed on the way, since they are made by the dozens of GB.
 *
 *     struct evtx_template *t = evtx_template_new(system, n, data, m);       once a kind of event
 *     struct evtx_out *out = evtx_out_new("2026-11-10.evtx.zst", 0, &err);
 *     evtx_out_add(out, t, record, filetime, values, &err);
 *     evtx_out_finish(out, &err);
 *
 * The form: https://github.com/libyal/libevtx/blob/main/documentation/Windows%20XML%20Event%20Log%20(EVTX).asciidoc
 */
#ifndef BENCH_EVTX_WRITE_H
#define BENCH_EVTX_WRITE_H

#include "base/buf.h"
#include "base/error.h"

/* Types of values. */
enum {
    EVTX_NULL = 0x00,
    EVTX_UTF16 = 0x01,
    EVTX_UINT8 = 0x04,
    EVTX_UINT16 = 0x06,
    EVTX_UINT32 = 0x08,
    EVTX_INT64 = 0x09,
    EVTX_UINT64 = 0x0a,
    EVTX_DOUBLE = 0x0c,
    EVTX_BOOL = 0x0d,
    EVTX_BINARY = 0x0e,
    EVTX_GUID = 0x0f,
    EVTX_FILETIME = 0x11,
    EVTX_SYSTEMTIME = 0x12,
    EVTX_SID = 0x13,
    EVTX_HEX64 = 0x15,
};

struct evtx_value {
    const void *p;
    uint16_t n; /* bytes */
    uint8_t type;
};

/* Where a value of a template stands. Names are ASCII. */
struct evtx_slot {
    struct slice
        name; /* System: "EventID" or "Provider_Name"; else of the Data element, or empty */
    struct slice literal; /* not p NULL: always this, and no value */
};

struct evtx_template;

/* Slots of System in the order in which Windows writes them, attributes of one element behind each
 * other; then those of EventData. Values are given for the slots that are not literal, in order. */
struct evtx_template *evtx_template_new(const struct evtx_slot *system, size_t system_n,
                                        const struct evtx_slot *data, size_t data_n);
void evtx_template_free(struct evtx_template *t);

struct evtx_out;
/* `file` is another number for each file, so that a template knows what it stands in. */
struct evtx_out *evtx_out_new(const char *path, uint32_t file, struct error *err);
enum status evtx_out_add(struct evtx_out *o, struct evtx_template *t, uint64_t record,
                         uint64_t filetime, const struct evtx_value *values, struct error *err);
uint64_t evtx_out_chunks(const struct evtx_out *o); /* that are full */
/* Writes what is left and the file's header, and frees it, also when it fails. */
enum status evtx_out_finish(struct evtx_out *o, struct error *err);

#endif
