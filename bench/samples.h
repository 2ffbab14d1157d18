/*
 * The samples that events are made of: real Windows events, each with its template and with what is
 * to become of each of its values.
 *
 *     struct samples *s = samples_read(folder, loud, &err);
 *     for (...) { const struct sample *x = ...s->channels[c].kinds[k].quiet[i]; ... }
 *     samples_free(s);
 */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

#include "evtx_write.h"

#include "base/arena.h"

/* What happens to a value when its event is written anew. */
enum change {
    KEEP,
    HOST,       /* the full name of the event's host */
    HOST_SHORT, /* its first part */
    TIME,       /* the event's time, as text */
    TIME_PAST,  /* one before it */
    PROCESS_ID, /* of the process it is about */
    PROCESS_GUID,
    PARENT_ID, /* of another one on the host */
    PARENT_GUID,
    NEW_PROCESS_ID,
    SERVICE_ID, /* of a process that runs as long as the host does */
    THREAD_ID,
    OWN_ADDRESS,
    OTHER_ADDRESS, /* some address outside */
    DOMAIN_NAME,
    PORT,
    HASHES, /* each run of 32 and more hexadecimal digits */
    USER,   /* DOMAIN\user or user */
    SID,
    LOGON_ID,
    LOGON_GUID,
    NEW_GUID,
    NUMBER,  /* any */
    COMMAND, /* other numbers in it, now and then one more argument */
    PATH,    /* other numbers in it, another user's folder, now and then another name */
    TEXT,    /* other numbers in it */
};

struct sample_field {
    uint8_t change, type; /* enum change; EVTX_... */
    bool ours;            /* text in UTF-8 that is changed and encoded; else raw bytes */
    struct slice bytes;
    uint64_t key; /* of the value */
};

struct sample {
    struct evtx_template *template;
    struct sample_field *fields; /* those that are not literal */
    uint32_t fields_n;
};

struct sample_list {
    struct sample **at;
    size_t n, cap;
};

struct sample_kind {
    struct slice channel, code;
    double weight;
    struct sample_list quiet, loud; /* loud: some rule finds them */
};

struct sample_channel {
    struct slice name;
    double weight;
    struct sample_kind **at;
    size_t n, cap;
};

struct samples {
    struct arena arena;
    struct {
        struct sample_channel *at;
        size_t n, cap;
    } channels;
    double weight;
    size_t n;
    struct {
        struct evtx_template **at;
        size_t n, cap;
    } templates;
};

/* Reads the logs of a folder. `loud` (may be NULL) is a file of findings, as `hikeshi scan --format
 * jsonl` on the same path writes them. NULL on failure. */
struct samples *samples_read(const char *folder, const char *loud, struct error *err);
void samples_free(struct samples *s);

#endif
