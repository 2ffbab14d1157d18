#include "report/answer.h"

#include "base/locale.h"
#include "report/chart.h"
#include "report/csv.h"
#include "report/term.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

enum {
    PAGE_ROWS = 500,       /* a table's columns get their widths from so many rows at a time */
    WRITE_BYTES = 64 << 10 /* lines are written in pieces of about this */
};

struct answer {
    const struct plan *plan;
    struct answer_options options;
    FILE *out;
    struct buf text, cell;
    struct term_column *columns;
    struct term_table table;
    struct chart *chart;
    uint32_t whole; /* which output is a whole event, or output_n */
    uint64_t rows, page;
};

/* ---- values ---- */

static void put_time(timestamp t, struct buf *out)
{
    char text[TIMESTAMP_TEXT];
    int64_t fraction = t % NS_PER_SECOND;
    int digits = fraction == 0 ? 0 : fraction % 100 ? 9 : 7;
    buf_add(out, slice_of(text, timestamp_text(t, digits, text)));
}

static void put_real(double real, struct buf *out)
{
    struct arena scratch = {0};
    struct value v = {&real, sizeof real, VALUE_DOUBLE};
    buf_add(out, value_text(v, &scratch));
    arena_free(&scratch);
}

void answer_text(const struct hunt_value *v, struct buf *out)
{
    char text[TIMESPAN_TEXT];
    if (v->null)
        return;
    switch (v->type) {
    case TYPE_BOOL:
        buf_add(out, v->truth ? SLICE("true") : SLICE("false"));
        break;
    case TYPE_LONG:
        buf_printf(out, "%" PRId64, v->number);
        break;
    case TYPE_REAL:
        put_real(v->real, out);
        break;
    case TYPE_DATETIME:
        put_time(v->number, out);
        break;
    case TYPE_TIMESPAN:
        buf_add(out, slice_of(text, timespan_text(v->number, text)));
        break;
    default:
        buf_add(out, v->text);
        break;
    }
}

void answer_json(const struct hunt_value *v, struct buf *out)
{
    if (v->null || (v->type == TYPE_REAL && !isfinite(v->real))) {
        buf_add(out, SLICE("null"));
        return;
    }
    switch (v->type) {
    case TYPE_BOOL:
    case TYPE_LONG:
    case TYPE_REAL:
    case TYPE_DYNAMIC:
        answer_text(v, out);
        break;
    case TYPE_DATETIME:
    case TYPE_TIMESPAN:
        buf_char(out, '"');
        answer_text(v, out);
        buf_char(out, '"');
        break;
    default:
        buf_json(out, v->text);
        break;
    }
}

/* ---- writing ---- */

static enum status write_text(struct answer *a, size_t least, struct error *err)
{
    if (a->text.n < least && !a->options.live)
        return OK;
    bool good = buf_write(&a->text, a->out);
    good = good && (!a->options.live || fflush(a->out) == 0);
    buf_clear(&a->text);
    return good ? OK : error_system(err, NULL, "the answer can't be written");
}

static struct slice column_name(const struct answer *a, uint32_t i)
{
    return a->plan->columns[a->plan->output[i]].name;
}

/* ---- JSON lines ---- */

static bool is_named(const struct answer *a, struct slice name)
{
    for (uint32_t i = 0; i < a->plan->output_n; i++)
        if (slice_equal(column_name(a, i), name))
            return true;
    return false;
}

/* The members of a whole event that no column is named as. */
static void put_members(struct answer *a, const struct hunt_value *v, bool first)
{
    json_t *event = v->null ? NULL : json_loadb(v->text.p, v->text.n, JSON_ALLOW_NUL, NULL);
    const char *key;
    json_t *value;
    json_object_foreach(event, key, value)
    {
        if (is_named(a, slice_str(key)))
            continue;
        char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        buf_add(&a->text, first ? SLICE("") : SLICE(","));
        buf_json(&a->text, slice_str(key));
        buf_char(&a->text, ':');
        /* anew, so that what could steer a terminal is escaped */
        if (json_is_string(value))
            buf_json(&a->text, slice_of(json_string_value(value), json_string_length(value)));
        else
            buf_add(&a->text, slice_str(text));
        free(text);
        first = false;
    }
    json_decref(event);
}

static void put_json(struct answer *a, const struct hunt_value *const *values)
{
    bool first = true;
    buf_char(&a->text, '{');
    for (uint32_t i = 0; i < a->plan->output_n; i++) {
        if (i == a->whole)
            continue;
        buf_add(&a->text, first ? SLICE("") : SLICE(","));
        buf_json(&a->text, column_name(a, i));
        buf_char(&a->text, ':');
        answer_json(values[i], &a->text);
        first = false;
    }
    if (a->whole < a->plan->output_n)
        put_members(a, values[a->whole], first);
    buf_add(&a->text, SLICE("}\n"));
}

/* ---- CSV ---- */

static void csv_head(struct answer *a)
{
    for (uint32_t i = 0; i < a->plan->output_n; i++)
        csv_cell(&a->text, i == a->whole ? SLICE("event") : column_name(a, i));
    buf_add(&a->text, SLICE("\r\n"));
    struct buf head = a->text; /* a cell is the first of its line where nothing stands before it */
    a->text = (struct buf){0};
    buf_add(&a->text, CSV_MARK);
    buf_add(&a->text, buf_slice(&head));
    buf_free(&head);
}

static bool is_numeric(enum hunt_type type)
{
    return type == TYPE_LONG || type == TYPE_REAL;
}

static void put_csv(struct answer *a, const struct hunt_value *const *values)
{
    for (uint32_t i = 0; i < a->plan->output_n; i++) {
        buf_clear(&a->cell);
        answer_text(values[i], &a->cell);
        if (!is_numeric(values[i]->type)) {
            csv_cell(&a->text, buf_slice(&a->cell));
            continue;
        }
        buf_add(&a->text, i ? SLICE(",") : SLICE(""));
        buf_add(&a->text, buf_slice(&a->cell)); /* a number, and never a formula */
    }
    buf_add(&a->text, SLICE("\r\n"));
}

/* ---- tables ---- */

static void print_page(struct answer *a)
{
    if (a->page)
        term_table_print(&a->table, &a->text);
    a->page = 0;
}

static void put_cells(struct answer *a, const struct hunt_value *const *values)
{
    for (uint32_t i = 0; i < a->plan->output_n; i++) {
        buf_clear(&a->cell);
        answer_text(values[i], &a->cell);
        term_table_add(&a->table, buf_slice(&a->cell), TERM_PLAIN);
    }
    if (++a->page == PAGE_ROWS)
        print_page(a);
}

/* ---- whole events, for the terminal ---- */

static void flow_text(struct answer *a, struct term_flow *flow, struct slice text,
                      enum term_style style)
{
    buf_clear(&a->cell);
    term_clean(&a->cell, text);
    term_flow(flow, buf_slice(&a->cell), style);
}

static void flow_member(struct answer *a, struct term_flow *flow, struct slice name,
                        struct slice text)
{
    if (!text.n)
        return;
    term_flow_together(flow, (unsigned)(name.n < 40 ? name.n + 8 : 40));
    flow_text(a, flow, name, TERM_DIM);
    term_flow(flow, SLICE(": "), TERM_DIM);
    flow_text(a, flow, text, TERM_PLAIN);
    term_flow(flow, SLICE("  "), TERM_PLAIN);
}

/* What stands in an event's first line. */
static const char *const first_line[] = {"Timestamp", "host.name", "logsource.channel",
                                         "logsource.service", "event.code"};
enum { FIRST_LINE = sizeof first_line / sizeof *first_line };

static bool in_first_line(const char *name)
{
    for (size_t i = 0; i < FIRST_LINE; i++)
        if (strcmp(first_line[i], name) == 0)
            return true;
    return false;
}

static void head_of_event(struct answer *a, struct term_flow *flow, const json_t *event)
{
    for (size_t i = 0; i < FIRST_LINE; i++) {
        const json_t *value = json_object_get(event, first_line[i]);
        if (!json_is_string(value))
            continue;
        flow_text(a, flow, slice_of(json_string_value(value), json_string_length(value)),
                  i == 0 ? TERM_BOLD : TERM_CYAN);
        term_flow(flow, SLICE("  "), TERM_PLAIN);
    }
}

static void put_event(struct answer *a, const struct hunt_value *const *values)
{
    const struct hunt_value *v = values[a->whole];
    struct term_flow flow = {.out = &a->text,
                             .width = a->options.width,
                             .indent = 4,
                             .lines = UINT16_MAX,
                             .colour = a->options.colour};
    json_t *event = v->null ? NULL : json_loadb(v->text.p, v->text.n, JSON_ALLOW_NUL, NULL);
    const char *key;
    json_t *value;
    head_of_event(a, &flow, event);
    for (uint32_t i = 0; i < a->plan->output_n; i++) {
        struct buf text = {0};
        if (i == a->whole)
            continue;
        answer_text(values[i], &text);
        flow_member(a, &flow, column_name(a, i), buf_slice(&text));
        buf_free(&text);
    }
    json_object_foreach(event, key, value)
    {
        if (is_named(a, slice_str(key)) || in_first_line(key))
            continue;
        char *text =
            json_is_string(value) ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        flow_member(a, &flow, slice_str(key),
                    text ? slice_str(text)
                         : slice_of(json_string_value(value), json_string_length(value)));
        free(text);
    }
    json_decref(event);
    while (a->text.n && a->text.p[a->text.n - 1] == ' ')
        a->text.n--;
    buf_char(&a->text, '\n');
}

/* ---- all ---- */

static void make_columns(struct answer *a)
{
    const struct plan *plan = a->plan;
    a->columns = xcalloc(plan->output_n + 1, sizeof *a->columns);
    for (uint32_t i = 0; i < plan->output_n; i++) {
        enum hunt_type type = plan->columns[plan->output[i]].type;
        struct buf clean = {0};
        term_clean(&clean, column_name(a, i));
        buf_char(&clean, '\0');
        a->columns[i] = (struct term_column){
            .title = clean.p,
            .align = is_numeric(type) ? TERM_RIGHT : TERM_LEFT,
            .flexible = type == TYPE_STRING || type == TYPE_FIELD || type == TYPE_DYNAMIC};
    }
    a->table = (struct term_table){.columns = a->columns,
                                   .columns_n = plan->output_n,
                                   .width = a->options.width,
                                   .colour = a->options.colour};
}

struct answer *answer_new(const struct plan *plan, const struct answer_options *options, FILE *out)
{
    struct answer *a = xcalloc(1, sizeof *a);
    a->plan = plan;
    a->options = *options;
    a->out = out;
    for (a->whole = 0; a->whole < plan->output_n; a->whole++)
        if (slice_equal(column_name(a, a->whole), SLICE("*")))
            break;
    make_columns(a);
    if (options->format == ANSWER_TABLE && plan->render != RENDER_NONE && !options->live)
        a->chart = chart_new(plan);
    if (options->format == ANSWER_CSV) {
        csv_head(a);
    }
    return a;
}

enum status answer_row(struct answer *a, const struct hunt_value *const *values, struct error *err)
{
    a->rows++;
    if (a->options.format == ANSWER_JSONL)
        put_json(a, values);
    else if (a->options.format == ANSWER_CSV)
        put_csv(a, values);
    else if (a->chart)
        chart_row(a->chart, values);
    else if (a->whole < a->plan->output_n)
        put_event(a, values);
    else
        put_cells(a, values);
    return write_text(a, WRITE_BYTES, err);
}

enum status answer_end(struct answer *a, struct error *err)
{
    if (a->chart) {
        chart_print(a->chart, a->options.width, a->options.colour, &a->text);
        if (chart_left_out(a->chart))
            buf_printf(&a->text, _("(%zu more rows or series are not shown)\n"),
                       chart_left_out(a->chart));
    }
    print_page(a);
    if (write_text(a, 0, err) != OK)
        return STATUS_SYSTEM;
    return fflush(a->out) == 0 ? OK : error_system(err, NULL, "the answer can't be written");
}

uint64_t answer_rows(const struct answer *a)
{
    return a->rows;
}

void answer_free(struct answer *a)
{
    if (!a)
        return;
    print_page(a); /* frees what the table holds */
    for (uint32_t i = 0; i < a->plan->output_n; i++)
        free((void *)(uintptr_t)a->columns[i].title);
    free(a->columns);
    chart_free(a->chart);
    buf_free(&a->text);
    buf_free(&a->cell);
    free(a);
}
