/*
 * Names: which events a Sigma log source means, and which stored field stands for a rule's field.
 * The knowledge is data, in mappings/ (YAML), built into the program; --mappings DIR reads others.
 *
 * A Sigma log source (product, category, service) is met by one or more bindings. A binding says
 * which events belong to it (channel, provider, code, and equality conditions on fields) and how
 * field names are translated:
 *
 *     windows/process_creation -> [ Sysmon 1,
 *                                   Security 4688 with Image -> NewProcessName, ... ]
 *
 * Names are resolved per block when a question is asked, so a mapping can be mended without
 * taking logs in again.
 */
#ifndef EVENT_MAPPING_H
#define EVENT_MAPPING_H

#include "event/block.h"

/* One translation of a value: what is stored, and what a rule calls it (%%14593 -> true). */
struct value_name {
    struct slice stored, rule;
};

/* What of a stored value is meant. */
enum field_part {
    PART_ALL,
    PART_FILE,    /* of a path: what is behind its last slash or backslash */
    PART_ACCOUNT, /* of DOMAIN\account: the account */
    PART_DOMAIN,  /* and the domain; empty when it tells none */
    PART_MEMBER,  /* of NAME=value,NAME=value: the value of that name; empty when there is none */
};

struct field_name {
    struct slice rule;    /* the name that a rule uses */
    struct slice *stored; /* the names that events may have, the likeliest first */
    uint32_t stored_n;
    enum field_part part;
    struct slice member;       /* PART_MEMBER: the name, compared without ASCII case */
    struct value_name *values; /* translations of values; a value not listed stays as it is */
    uint32_t values_n;
};

/* A field that must have one of these values, compared without case. */
struct log_condition {
    struct slice field; /* stored name */
    struct slice *values;
    uint32_t values_n;
};

struct log_binding {
    struct slice name; /* for people: "process_creation by Security 4688" */
    /* Events it holds for: each list is any-of, an empty list means any. Compared without case. */
    struct slice *channels, *providers, *codes;
    uint32_t channels_n, providers_n, codes_n;
    struct slice product, category, service; /* for events whose reader names these; empty: any */
    struct log_condition *conditions;
    uint32_t conditions_n;
    struct field_name *fields; /* sorted by rule name; a field not listed keeps its name */
    uint32_t fields_n;
    struct slice
        *show; /* rule's names of the fields that tell most about such an event, in order */
    uint32_t show_n;
    uint32_t index; /* its number among all bindings */
};

/* "windows/process_creation": the parts that are given. */
struct slice logsource_text(struct arena *a, struct slice product, struct slice category,
                            struct slice service);

struct mappings;

/* The built-in mappings. */
struct mappings *mappings_builtin(struct error *err);
/* Built-in ones replaced or added to, file by file, by those of a folder. */
struct mappings *mappings_load(const char *folder, struct error *err);
void mappings_free(struct mappings *m);

size_t mappings_count(const struct mappings *m);
const struct log_binding *mappings_get(const struct mappings *m, uint32_t index);

/* The bindings of a Sigma log source: every definition whose parts that are given here are equal.
 * When none has both a category and a service that are given, the category's bindings that share a
 * channel with the service. Fills `out` (indexes) up to `room`; returns how many there are. 0: the
 * log source is unknown. */
size_t mappings_for_logsource(const struct mappings *m, struct slice product, struct slice category,
                              struct slice service, uint32_t *out, size_t room);

/* Whether a block's kind belongs to a binding (its conditions on fields are per row, apart). */
bool binding_holds(const struct log_binding *binding, const struct event_kind *kind);

/* How a binding names a rule's field, or NULL when it keeps its name and its values. */
const struct field_name *binding_field(const struct log_binding *binding, struct slice rule_field);

/* The column that holds a rule's field for the event in that row: the first of the stored names, and at
 * last the rule's own, that the event has; -1 when it has none. `binding` may be NULL: then names are
 * the rule's own. */
int32_t binding_column(const struct log_binding *binding, const struct block *b, uint32_t row,
                       struct slice rule_field);

/* Whether field_value gives anything else than the stored text. */
static inline bool field_translates(const struct field_name *field)
{
    return field && (field->values_n || field->part != PART_ALL);
}

/* A stored value's text as rules call it: the part that is meant, translated when `field` (may be
 * NULL) lists it, compared without ASCII case, else `text` itself. Of `text`, or the mapping's. */
struct slice field_value(const struct field_name *field, struct slice text);

#endif
