/*
 * What the files of the JSON reader share. A document's keys are looked up in a tree of the keys seen
 * before at the same place in events of the same kind: most documents bring the same keys in the
 * same order, so each is found by one comparison with the one that followed the last time.
 *
 * json.c cuts a batch into documents, json_event.c makes events of them, json_windows.c and
 * json_other.c know the shapes.
 */
#ifndef INTAKE_JSON_INTERNAL_H
#define INTAKE_JSON_INTERNAL_H

#include "intake/json_tape.h"
#include "intake/reader.h"

/* What becomes of the value behind a key. */
enum json_use {
    USE_PUT,    /* a field */
    USE_FILLED, /* a field, unless it is null */
    USE_SKIP,
    USE_TIME,     /* the event's time */
    USE_TIME_PUT, /* the same, and a field */
    USE_RECORD,   /* the record's number: the event's origin */
    USE_GUID,     /* a GUID, written as Windows does: {UPPER-CASE} */
    USE_HEX,      /* a number, written in hexadecimal */
    USE_LEVEL,    /* a level's name or number, as a number */
    USE_KEYWORDS, /* names of keywords, as the number they stand for */
    USE_LINES,    /* a message: a field, and for Sysmon's events its lines "Name: value" too */
    USE_INSERTS,  /* a list of values, named by their places where these are known */
};

/* A key at its place. */
struct json_field {
    const struct json_field *parent;
    struct json_field *follows; /* the key that came next the last time */
    struct json_field *bucket;  /* next of the same hash */
    struct slice key;
    struct slice path;   /* the keys down to this one, joined by dots */
    struct slice stored; /* the field's name */
    uint64_t epoch;      /* of `column` */
    uint32_t column;
    uint8_t use;  /* enum json_use */
    uint8_t rank; /* of times: the highest is the event's */
};

/* Top-level keys that tell shapes apart. */
#define JSON_MARKS(X)                                                                              \
    X(EVENT, "Event")                                                                              \
    X(WINLOG, "winlog")                                                                            \
    X(WINLOG_CHANNEL, "winlog.channel")                                                            \
    X(WINLOG_PROVIDER, "winlog.provider_name")                                                     \
    X(WINLOG_ID, "winlog.event_id")                                                                \
    X(LOG_NAME, "log_name")                                                                        \
    X(SOURCE_NAME, "source_name")                                                                  \
    X(EVENT_ID, "event_id")                                                                        \
    X(CHANNEL, "channel")                                                                          \
    X(PROVIDER_NAME, "provider_name")                                                              \
    X(W_EVENT_ID, "EventID")                                                                       \
    X(W_CHANNEL, "Channel")                                                                        \
    X(W_SOURCE_NAME, "SourceName")                                                                 \
    X(W_SOURCE, "Source")                                                                          \
    X(W_PROVIDER_NAME, "ProviderName")                                                             \
    X(MODULE_TYPE, "SourceModuleType")                                                             \
    X(EVENT_TIME, "EventTime")                                                                     \
    X(TIME_GENERATED, "TimeGenerated")                                                             \
    X(EVENT_TYPE, "event_type")                                                                    \
    X(FLOW_ID, "flow_id")                                                                          \
    X(DEST_IP, "dest_ip")                                                                          \
    X(TIMESTAMP, "timestamp")                                                                      \
    X(STATS, "stats")                                                                              \
    X(ZEEK_PATH, "_path")                                                                          \
    X(TS, "ts")                                                                                    \
    X(UID, "uid")                                                                                  \
    X(ORIG_H, "id.orig_h")                                                                         \
    X(SOURCE, "_source")                                                                           \
    X(RECORDS, "Records")                                                                          \
    X(AWS_SOURCE, "eventSource")                                                                   \
    X(AWS_NAME, "eventName")                                                                       \
    X(AWS_REGION, "awsRegion")                                                                     \
    X(AUDIT_ID, "auditID")                                                                         \
    X(VERB, "verb")                                                                                \
    X(REQUEST_URI, "requestURI")                                                                   \
    X(OKTA_TYPE, "eventType")                                                                      \
    X(OKTA_MESSAGE, "displayMessage")                                                              \
    X(PUBLISHED, "published")                                                                      \
    X(ACTION, "action")                                                                            \
    X(ACTOR, "actor")                                                                              \
    X(DOCUMENT_ID, "_document_id")

#define JSON_MARK_NAME(mark, key) MARK_##mark,
enum json_mark { JSON_MARKS(JSON_MARK_NAME) MARKS };
#undef JSON_MARK_NAME

/* One document: where the values of marked keys are on the tape, 0 where there are none. */
struct json_doc {
    struct json_tape tape;
    uint32_t root; /* its object */
    uint32_t marks[MARKS];
    struct slice input; /* the input's name */
};

struct json_shape;

/* Fills the kind when the document is of this shape. `code` is room for a number's text. */
typedef bool json_kind_of(const struct json_doc *doc, struct event_kind *kind, struct buf *code);

/* Names a new key: fills stored, use and rank, which are preset to path, USE_PUT and 0. Memory for the
 * name is from the arena. */
typedef void json_name(struct json_field *field, struct arena *a);

struct json_shape {
    const char *name;
    json_kind_of *kind_of;
    json_name *name_field;
};

/* In the order in which they are tried, ended by NULL; and the one that takes what is left. */
extern const struct json_shape *const json_windows_shapes[];
extern const struct json_shape *const json_other_shapes[];
extern const struct json_shape json_any_shape;

/* A path that a shape knows, and what becomes of it. */
struct json_rule {
    struct slice path;
    struct slice stored; /* empty: none is needed */
    enum json_use use;
};

/* The rule of a path, or NULL. */
const struct json_rule *json_rule_for(const struct json_rule *rules, size_t n, struct slice path);

/* The names of the `n` values of such an event (json_inserts.c), joined by commas; empty when they are
 * not known. */
struct slice json_insert_names(struct slice provider, struct slice code, size_t n);

/* A string's or number's text, a number's in `room`. */
struct slice json_scalar_text(const struct json_tape *t, uint32_t at, struct buf *room);

/* ---- events (json_event.c) ---- */

struct json_state;
struct json_state *json_state_new(void);
void json_state_free(struct json_state *s);

/* Begins a batch. */
void json_begin(struct json_state *s, const struct batch *batch, struct block_set *blocks,
                struct problems *problems);

/* Parses a document, which has JSON_PADDING readable bytes behind it. */
enum json_result json_read(struct json_state *s, struct slice document);

/* Makes an event of the document that was read last, `record` its line; of {"Records": [...]}, one of
 * each element. */
enum status json_event(struct json_state *s, uint64_t record, struct error *err);

#endif
