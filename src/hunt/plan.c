#include "hunt/plan.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

void hunt_plan_free(struct plan *p)
{
    if (!p)
        return;
    struct arena arena = p->arena; /* which holds the plan too */
    arena_free(&arena);
}

/* ---- the table of events ---- */

static const struct {
    const char *name;
    enum event_column column;
} event_columns[] = {
    {"Timestamp", EVENT_TIME},
    {"TimeGenerated", EVENT_TIME},
    {"@timestamp", EVENT_TIME},
    {"host.name", EVENT_HOST},
    {"logsource.product", EVENT_PRODUCT},
    {"logsource.category", EVENT_CATEGORY},
    {"logsource.service", EVENT_SERVICE},
    {"logsource.channel", EVENT_CHANNEL},
    {"event.provider", EVENT_PROVIDER},
    {"event.code", EVENT_CODE},
    {"origin.file", EVENT_FILE},
    {"origin.record", EVENT_RECORD},
    {"origin.input", EVENT_INPUT},
};

enum event_column event_column_named(struct slice name)
{
    for (size_t i = 0; i < sizeof event_columns / sizeof *event_columns; i++)
        if (slice_equal(name, slice_str(event_columns[i].name)))
            return event_columns[i].column;
    return EVENT_FIELD;
}

const char *event_column_name(enum event_column column)
{
    for (size_t i = 0; i < sizeof event_columns / sizeof *event_columns; i++)
        if (event_columns[i].column == column)
            return event_columns[i].name;
    return "*";
}

enum hunt_type event_column_type(enum event_column column)
{
    switch (column) {
    case EVENT_TIME:
        return TYPE_DATETIME;
    case EVENT_RECORD:
    case EVENT_INPUT:
        return TYPE_LONG;
    case EVENT_CODE: /* mostly a number */
    case EVENT_FIELD:
        return TYPE_FIELD;
    case EVENT_ALL:
        return TYPE_DYNAMIC;
    default:
        return TYPE_STRING;
    }
}

/* ---- messages ---- */

enum status plan_error(const struct plan *p, struct hunt_place place, struct error *err,
                       const char *format, ...)
{
    char what[sizeof err->what];
    uint64_t line = 1;
    uint32_t column = 1;
    size_t at = place.at < p->text.n ? place.at : p->text.n;
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    for (size_t i = 0; i < at; i++) {
        bool begins = ((unsigned char)p->text.p[i] & 0xc0) != 0x80; /* a character */
        column = p->text.p[i] == '\n' ? 1 : column + begins;
        line += p->text.p[i] == '\n';
    }
    error_set(err, STATUS_BAD_INPUT, p->name, line, "%s", what);
    if (err)
        err->column = column;
    return STATUS_BAD_INPUT;
}

void plan_show_place(struct slice query, const struct error *err, struct buf *out)
{
    if (err->offset == ERROR_NO_OFFSET || !err->column)
        return;
    uint64_t line = 1;
    size_t from = 0, end;
    for (; from < query.n && line < err->offset; from++)
        line += query.p[from] == '\n';
    for (end = from; end < query.n && query.p[end] != '\n'; end++)
        ;
    struct slice text = slice_sub(query, from, end - from);
    size_t before = 0; /* bytes left of the place */
    for (uint32_t column = 1; before < text.n; before++) {
        if (((unsigned char)text.p[before] & 0xc0) != 0x80 && column++ == err->column)
            break;
    }
    buf_add(out, text);
    buf_char(out, '\n');
    for (size_t i = 0; i < before; i++)
        if (text.p[i] == '\t' || ((unsigned char)text.p[i] & 0xc0) != 0x80)
            buf_char(out, text.p[i] == '\t' ? '\t' : ' ');
    buf_add(out, SLICE("^\n"));
}
