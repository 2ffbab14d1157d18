/*
 * The inside of the EVTX reader. The way of a chunk:
 *
 *     evtx.c         cuts the file into chunks, checks the file's header
 *     evtx_chunk.c   checks a chunk, finds its records, also in damaged ones
 *     evtx_record.c  one record: template instances and their values, made into an event
 *     evtx_names.c   names of elements, attributes and fields as numbers
 *     evtx_token.c   BinXML tokens of a template's definition, brought into normal form
 *     evtx_plan.c    normal form compiled into a plan: which field takes which value
 *     evtx_value.c   BinXML values as values of events
 *
 * A definition's bytes differ from chunk to chunk (names stand at other places), its normal form does
 * not: that is the key under which plans are kept, so a hostile file gains nothing by giving two
 * templates one GUID. Facts of the format: docs/evtx.md tells where they come from.
 */
#ifndef INTAKE_EVTX_INTERNAL_H
#define INTAKE_EVTX_INTERNAL_H

#include "base/buf.h"
#include "base/cursor.h"
#include "base/map.h"
#include "base/vec.h"
#include "intake/reader.h"

enum {
    EVTX_FILE_HEADER = 4096,
    EVTX_CHUNK = 65536,
    EVTX_CHUNK_HEADER = 512,
    EVTX_RECORD_HEADER = 24, /* and the size once more at the end */
    EVTX_RECORD_LEAST = EVTX_RECORD_HEADER + 4,
};

/* Bounds on what hostile input can ask for. */
enum {
    EVTX_DEPTH = 64,      /* elements in elements */
    EVTX_NESTING = 16,    /* BinXML in values of BinXML */
    EVTX_WORK = 16 << 20, /* bytes that one chunk may become: fields, values, plans */
    EVTX_FIELD_WORK = 64, /* what a field counts for beside its value */
    EVTX_KEPT = 32 << 20, /* bytes of names and plans that a thread keeps across chunks */
};

/* BinXML tokens; with EVTX_MORE where an attribute list or more of the same follows. */
enum evtx_token {
    EVTX_EOF = 0x00,
    EVTX_OPEN_START = 0x01,
    EVTX_CLOSE_START = 0x02,
    EVTX_CLOSE_EMPTY = 0x03,
    EVTX_END_ELEMENT = 0x04,
    EVTX_VALUE = 0x05,
    EVTX_ATTRIBUTE = 0x06,
    EVTX_CDATA = 0x07,
    EVTX_CHAR_REF = 0x08,
    EVTX_ENTITY_REF = 0x09,
    EVTX_PI_TARGET = 0x0a,
    EVTX_PI_DATA = 0x0b,
    EVTX_TEMPLATE = 0x0c,
    EVTX_NORMAL_SUB = 0x0d,
    EVTX_OPTIONAL_SUB = 0x0e,
    EVTX_FRAGMENT = 0x0f,
    EVTX_MORE = 0x40,
};

/* Types of values; EVTX_ARRAY is added for arrays. */
enum evtx_type {
    EVTX_NULL = 0x00,
    EVTX_STRING = 0x01,
    EVTX_ANSI = 0x02,
    EVTX_INT8 = 0x03,
    EVTX_UINT8 = 0x04,
    EVTX_INT16 = 0x05,
    EVTX_UINT16 = 0x06,
    EVTX_INT32 = 0x07,
    EVTX_UINT32 = 0x08,
    EVTX_INT64 = 0x09,
    EVTX_UINT64 = 0x0a,
    EVTX_REAL32 = 0x0b,
    EVTX_REAL64 = 0x0c,
    EVTX_BOOL = 0x0d,
    EVTX_BINARY = 0x0e,
    EVTX_GUID = 0x0f,
    EVTX_SIZE = 0x10,
    EVTX_FILETIME = 0x11,
    EVTX_SYSTEMTIME = 0x12,
    EVTX_SID = 0x13,
    EVTX_HEX32 = 0x14,
    EVTX_HEX64 = 0x15,
    EVTX_BINXML = 0x21,
    EVTX_ARRAY = 0x80,
};

/* ---- names ---- */

/* Numbers of names. These have theirs from the start. */
enum evtx_known {
    NAME_NONE, /* the empty name */
    NAME_EVENT,
    NAME_SYSTEM,
    NAME_EVENT_DATA,
    NAME_DATA,
    NAME_NAME,
    NAME_PROVIDER_NAME,
    NAME_EVENT_ID,
    NAME_CHANNEL,
    NAME_TIME,
    NAME_RECORD_ID,
    NAME_XMLNS,
    NAME_RENDERING_INFO,
    NAME_MESSAGE,
    NAMES_KNOWN
};

struct evtx_names {
    struct map numbers;
    struct {
        struct slice *at; /* by number; UTF-8 */
        size_t n, cap;
    } names;
    struct arena bytes;
};

/* ---- plans ---- */

/* Where an element stands, which decides what its content is called (docs/events.md). */
enum evtx_role {
    ROLE_DOCUMENT,     /* outside of all elements */
    ROLE_EVENT,        /* in Event */
    ROLE_SYSTEM,       /* in Event/System */
    ROLE_SYSTEM_FIELD, /* in a child of it */
    ROLE_DATA,         /* in Event/EventData or another child of Event */
    ROLE_FREE,         /* anywhere deeper */
};

/* Surroundings of a piece of BinXML: the role and, for text, the name of the field around it. */
struct evtx_context {
    uint32_t role, field;
};

enum evtx_what { ITEM_FIELD, ITEM_PROVIDER, ITEM_CHANNEL, ITEM_CODE, ITEM_TIME, ITEM_RECORD };

/* A piece of a field's value: a constant, or a substitution. */
struct evtx_part {
    struct value constant;
    int32_t substitution; /* -1: the constant */
    bool optional;        /* without a value there is no element or attribute either */
};

/* One field of an event and what it is made of. */
struct evtx_item {
    uint32_t field;   /* name */
    int32_t named_by; /* substitution that holds the name, or -1 */
    uint32_t part, parts;
    struct evtx_context inside; /* of BinXML that a substitution may hold */
    uint8_t what;               /* enum evtx_what */
    bool sparse;                /* left out when it has no value, instead of being null */
};

/* An item in short, for the usual cases: what all of an event's fields take their time from. */
enum evtx_how {
    HOW_SUB,        /* one substitution */
    HOW_SPARSE_SUB, /* the same, left out when it has no value */
    HOW_CONSTANT,   /* one constant */
    HOW_EARLY,      /* done before the others: see evtx_plan.early */
    HOW_ITEM,       /* see the item */
};

struct evtx_op {
    uint8_t how;   /* enum evtx_how */
    uint16_t from; /* number of the substitution */
};

struct evtx_columns {
    uint64_t epoch; /* of the block set that the numbers are good for */
    uint32_t at[];  /* by item; EVTX_UNKNOWN_COLUMN until asked */
};
#define EVTX_UNKNOWN_COLUMN (BLOCK_NO_COLUMN - 1)

enum { EVTX_EARLY = 5 };

struct evtx_plan {
    struct evtx_item *items;
    struct evtx_op *ops; /* one for each item */
    /* Items that tell an event's kind, time and number, which are needed first; none when there is no
     * EventID among them, or one is made of several parts. */
    uint32_t early[EVTX_EARLY], early_n;
    struct evtx_part *parts;
    uint32_t n;
    uint32_t number; /* UINT32_MAX: not kept */
    bool is_broken;  /* its template breaks off */
    uint32_t last_kind;
    struct evtx_columns *last_columns; /* for last_kind */
};

/* ---- one record's fields; once its kind is known they go straight into a block ---- */

struct evtx_out {
    struct value v;  /* p NULL: the value is `number` */
    uint64_t number; /* 8 bytes of whatever v.type says */
    uint32_t run;    /* EVTX_NAMED: item is the number of a name */
    uint32_t item;
};
#define EVTX_NAMED UINT32_MAX

/* One carrying out of a plan. */
struct evtx_run {
    struct evtx_plan *plan;
    struct evtx_columns *columns;
};

/* A template instance's values. */
struct evtx_sub {
    uint32_t at; /* in the chunk */
    uint16_t n;  /* bytes */
    uint8_t type;
};

struct evtx_kind {
    struct event_kind kind;
    struct block *block;
    uint64_t epoch;
};

/* Offsets in the chunk that were looked up before: names and definitions. Of no other round than
 * the present one they are good for nothing. */
enum { EVTX_PLACES = 1024 };

struct evtx_name_place {
    uint32_t round, at, name;
};

struct evtx_place {
    uint32_t round, at, id;
    struct evtx_context around;
    struct evtx_plan *plan;
};

struct evtx {
    bool carve;
    struct block_set *blocks;
    struct problems *problems;
    struct error *err;
    uint32_t input;

    /* kept across chunks */
    struct evtx_names names;
    struct arena kept;
    struct map plan_numbers; /* by normal form */
    struct {
        struct evtx_plan **at;
        size_t n, cap;
    } plans;
    struct map kind_numbers; /* by raw provider, channel, code */
    struct {
        struct evtx_kind *at;
        size_t n, cap;
    } kinds;
    struct map columns_numbers; /* by plan and kind */
    struct {
        struct evtx_columns **at;
        size_t n, cap;
    } columns;

    /* the present chunk */
    struct slice chunk;
    uint64_t chunk_at;   /* offset in the input */
    uint64_t chunks_end; /* offset up to which the file header counts chunks; 0: not known */
    bool quiet;          /* carving: what is no event is no problem */
    size_t work;         /* what is left of EVTX_WORK */
    uint32_t round;
    struct evtx_name_place name_places[EVTX_PLACES];
    struct evtx_place plan_places[EVTX_PLACES];
    struct arena scratch; /* plans not kept, texts; reset with each record */
    struct buf normal, key, text;
    struct buf last_key; /* of the event before, and the number of its kind */
    uint32_t last_kind;

    /* the present record */
    timestamp time, written; /* as it tells itself; as its header does */
    uint64_t record;
    int64_t provider, channel, code; /* numbers of outs, or -1 */
    struct block *block;             /* where the event goes; NULL as long as that is not known */
    uint32_t kind;                   /* its number */
    enum status status;              /* of the sink */
    struct {
        struct evtx_out *at;
        size_t n, cap;
    } outs;
    struct {
        struct evtx_run *at;
        size_t n, cap;
    } runs;
    struct {
        struct evtx_sub *at;
        size_t n, cap;
    } subs;
    const char *wrong; /* the first thing that was, or NULL */
    size_t wrong_at;   /* in the chunk */
};

/* Notes what is wrong with the present record, the first thing only. False, for `return`. */
bool evtx_wrong(struct evtx *e, size_t at, const char *what);

/* Takes `bytes` off what the chunk may become; false when nothing is left. */
bool evtx_spend(struct evtx *e, size_t at, size_t bytes);

/* ---- evtx_names.c ---- */

void evtx_names_init(struct evtx_names *names);
void evtx_names_free(struct evtx_names *names);
uint32_t evtx_name_put(struct evtx_names *names, struct slice utf8);

static inline struct slice evtx_name(const struct evtx *e, uint32_t number)
{
    return e->names.names.at[number];
}

/* Without the prefix and its colon. */
struct slice evtx_local(struct slice name);

/* Whether a name with the right hash stands at an offset of the chunk. */
bool evtx_name_stands(const struct evtx *e, uint32_t at);

/* The number of the name that stands at an offset of the chunk. */
bool evtx_name_at(struct evtx *e, uint32_t at, uint32_t *number);

/* The number of the name whose reference is read next; steps over a name that stands there. */
bool evtx_name_read(struct evtx *e, struct cursor *c, uint32_t *number);

/* ---- evtx_token.c ---- */

/*
 * Brings BinXML elements from c->at to c->n, or up to their end token, into normal form: behind
 * whatever e->normal holds, steps of
 *     u8 token without EVTX_MORE, u8 type, u16 index, u32 name or length, bytes of text
 * False when they break off; what was read until then is there.
 */
bool evtx_normalise(struct evtx *e, struct cursor *c, bool in_template);

/* ---- evtx_plan.c ---- */

/* Compiles a normal form; everything is in the arena. */
struct evtx_plan *evtx_compile(struct evtx *e, struct slice normal, struct evtx_context around,
                               struct arena *a);

/* The plan of the definition at an offset of the chunk; NULL when it can't be read. */
struct evtx_plan *evtx_plan_at(struct evtx *e, uint32_t at, uint32_t id,
                               struct evtx_context around);

/* ---- evtx_value.c ---- */

/* One value. `number` holds those of 8 bytes that are not in `raw` as they are: then v->p is NULL.
 * Text that must be converted goes to the arena. */
void evtx_scalar(uint8_t type, struct slice raw, struct value *v, uint64_t *number,
                 struct arena *a);

/* Bytes of a value of that type; 0 when they differ, or there are none. */
size_t evtx_size_of(uint8_t type);

/* Cuts the next element off an array's bytes; false at the end. */
bool evtx_element(uint8_t type, struct cursor *c, struct slice *raw);

/* ---- evtx_record.c ---- */

/* Reads the record's BinXML, chunk[from, to), and adds the event to its block. What is wrong with
 * it goes to the problems. Number and time (a FILETIME) are those of the record's header, for events
 * that do not tell their own. */
enum status evtx_record(struct evtx *e, size_t from, size_t to, uint64_t number, uint64_t written);

/* ---- evtx_chunk.c ---- */

#define EVTX_CHUNK_MAGIC slice_of("ElfChnk", 8)

/* Whether a chunk's header with a right checksum is at the start of the bytes. */
bool evtx_chunk_header(struct slice bytes);

/* The numbers of a chunk's first and last record, as its header tells them; false when it is damaged or
 * older than the records. */
bool evtx_chunk_numbers(struct slice chunk, uint64_t *first, uint64_t *last);

/* All records of e->chunk. */
enum status evtx_chunk(struct evtx *e);

#endif
