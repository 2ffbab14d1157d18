/* One block: its conditions, then the columns asked for of the rows that are left. */
#include "hunt/local_internal.h"

#include <time.h>

/* A stored column that a column of the scan may mean: its values are `offset` + their numbers in the
 * scan column's dictionary. */
struct part {
    uint32_t stored, offset;
    const struct field_name *field;
};

/* A column of the scan in the block. */
struct bound {
    bool constant; /* the same for all its events: */
    struct hunt_value value;
    struct part *parts;
    uint32_t parts_n;
    struct hunt_value *values; /* of all parts; value 0 is that of events without the field */
    uint32_t values_n;
    bool made;                /* the values are there */
    const struct vector *all; /* of all rows, when it was asked for */
};

static uint64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_PER_SECOND + (uint64_t)t.tv_nsec;
}

uint32_t told_find(const struct stored_block *told, struct slice name)
{
    int32_t at = stored_find(told, name);
    return at < 0 ? NO_COLUMN : (uint32_t)at;
}

/* ---- reading ---- */

enum status block_values(struct worker *w, uint32_t stored, uint32_t *column, struct error *err)
{
    if (w->loaded[stored]) {
        *column = w->loaded[stored] - 1;
        return OK;
    }
    uint64_t begin = clock_ns();
    enum status status = segment_read_values(w->segment, w->reader, stored, w->block, column, err);
    if (status == OK)
        w->loaded[stored] = *column + 1;
    w->figures.columns_read++;
    w->figures.bytes_read += w->told->columns[stored].packed.stored;
    w->figures.ns_read += clock_ns() - begin;
    return status;
}

enum status block_rows_of(struct worker *w, uint32_t stored, uint32_t *column, struct error *err)
{
    enum status status = block_values(w, stored, column, err);
    if (status != OK || w->rows_loaded[stored])
        return status;
    uint64_t begin = clock_ns();
    status = segment_read_rows(w->segment, w->reader, stored, w->block, *column, err);
    w->rows_loaded[stored] = true;
    w->figures.bytes_read += w->told->columns[stored].codes.stored;
    w->figures.ns_read += clock_ns() - begin;
    return status;
}

enum status block_times(struct worker *w, struct error *err)
{
    if (w->times_read)
        return OK;
    uint64_t begin = clock_ns();
    w->times_read = true;
    w->figures.bytes_read += w->told->times.stored;
    enum status status = segment_read_times(w->segment, w->reader, w->block_no, w->block, err);
    w->figures.ns_read += clock_ns() - begin;
    return status;
}

enum status block_origins(struct worker *w, struct error *err)
{
    if (w->origins_read)
        return OK;
    uint64_t begin = clock_ns();
    w->origins_read = true;
    w->figures.bytes_read += w->told->origins.stored;
    enum status status = segment_read_origins(w->segment, w->reader, w->block_no, w->block, err);
    w->figures.ns_read += clock_ns() - begin;
    return status;
}

/* ---- binding names to columns ---- */

static struct slice kind_text(const struct event_kind *kind, enum event_column event)
{
    switch (event) {
    case EVENT_PRODUCT:
        return kind->product;
    case EVENT_CATEGORY:
        return kind->category;
    case EVENT_SERVICE:
        return kind->service;
    case EVENT_CHANNEL:
        return kind->channel;
    case EVENT_PROVIDER:
        return kind->provider;
    case EVENT_CODE:
        return kind->code;
    default:
        return SLICE("");
    }
}

static struct hunt_value text_value(struct slice text)
{
    struct hunt_value v = value_none(TYPE_STRING);
    if (text.n)
        v.text = text;
    return v;
}

static void bind(struct worker *w, uint32_t i)
{
    const struct scan_column *c = &w->scan->columns[i];
    struct bound *b = &w->bound[i];
    struct slice text = kind_text(&w->told->kind, c->event);
    if (c->event == EVENT_TIME || c->event == EVENT_FILE || c->event == EVENT_RECORD ||
        c->event == EVENT_INPUT || c->event == EVENT_ALL)
        return;
    if (text.n == 0 && w->names->fields_n[i]) {
        b->parts = arena_zero(&w->arena, w->names->fields_n[i], sizeof *b->parts);
        for (uint32_t k = 0; k < w->names->fields_n[i]; k++) {
            uint32_t stored = told_find(w->told, w->names->fields[i][k].name);
            if (stored == NO_COLUMN)
                continue;
            b->parts[b->parts_n++] = (struct part){stored, 0, w->names->fields[i][k].field};
            if (!w->told->columns[stored].absent)
                break; /* every event has it: what comes later does not count */
        }
    }
    b->constant = b->parts_n == 0;
    b->value = text_value(text);
}

/* The text of a list with its array of JSON behind it: types.h, hunt_value.list. */
static struct hunt_value list_value(struct block *b, struct value list, struct slice text)
{
    struct buf both = {0};
    struct hunt_value v = value_none(TYPE_STRING);
    buf_add(&both, text);
    buf_char(&both, '\0');
    value_json(list, &both, &b->values);
    v.text = arena_slice(&b->values, buf_slice(&both));
    v.text.n = text.n;
    v.list = true;
    buf_free(&both);
    return v;
}

struct hunt_value field_text(struct block *b, uint32_t column, uint32_t id,
                             const struct field_name *field)
{
    struct slice text = column_text(b, column, id);
    if (b->columns[column].values[id].type == VALUE_LIST)
        return list_value(b, b->columns[column].values[id], text);
    return text_value(field ? field_value(field, text) : text);
}

/* Whether some event has none of the column's fields. */
static bool lacks_some(const struct worker *w, const struct bound *b)
{
    return w->told->columns[b->parts[b->parts_n - 1].stored].absent;
}

static enum status make_values(struct worker *w, struct bound *b, struct error *err)
{
    uint32_t n = 1;
    if (b->made)
        return OK;
    for (uint32_t k = 0; k < b->parts_n; k++) {
        b->parts[k].offset = n - 1;
        n += w->told->columns[b->parts[k].stored].values_n;
    }
    b->values = arena_alloc(&w->arena, n * sizeof *b->values);
    b->values_n = n;
    b->values[0] = value_none(TYPE_STRING);
    for (uint32_t k = 0; k < b->parts_n; k++) {
        uint32_t column;
        enum status status = block_values(w, b->parts[k].stored, &column, err);
        if (status != OK)
            return status;
        uint32_t values = w->told->columns[b->parts[k].stored].values_n;
        for (uint32_t id = 1; id <= values; id++)
            b->values[b->parts[k].offset + id] =
                field_text(w->block, column, id, b->parts[k].field);
    }
    b->made = true;
    return OK;
}

/* The part and number of a row's value; id 0: it has none. */
static const struct part *part_of(const struct worker *w, const struct bound *b, uint32_t row,
                                  uint16_t *id, uint32_t *column)
{
    for (uint32_t k = 0; k < b->parts_n; k++) {
        *column = w->loaded[b->parts[k].stored] - 1;
        *id = column_id(&w->block->columns[*column], row);
        if (*id)
            return &b->parts[k];
    }
    *id = 0;
    return NULL;
}

static enum status load_rows(struct worker *w, const struct bound *b, struct error *err)
{
    enum status status = OK;
    uint32_t column;
    for (uint32_t k = 0; status == OK && k < b->parts_n; k++)
        status = block_rows_of(w, b->parts[k].stored, &column, err);
    return status;
}

/* The numbers in the column's dictionary of these rows (NULL: the first n). */
static uint32_t *make_ids(struct worker *w, const struct bound *b, const uint32_t *rows, uint32_t n)
{
    uint32_t *ids = arena_alloc(&w->arena, (n + 1) * sizeof *ids);
    if (b->parts_n == 1) {
        const struct column *c = &w->block->columns[w->loaded[b->parts[0].stored] - 1];
        for (uint32_t i = 0; i < n; i++)
            ids[i] = column_id(c, rows ? rows[i] : i);
        return ids;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint16_t id;
        uint32_t column;
        const struct part *part = part_of(w, b, rows ? rows[i] : i, &id, &column);
        ids[i] = part ? part->offset + id : 0;
    }
    return ids;
}

/* Where few rows are left of many values, only theirs are made. */
static const struct vector *few_values(struct worker *w, const struct bound *b, enum hunt_type type,
                                       const uint32_t *rows, uint32_t n)
{
    struct hunt_value *values = arena_alloc(&w->arena, (n + 1) * sizeof *values);
    for (uint32_t i = 0; i < n; i++) {
        uint16_t id;
        uint32_t column;
        const struct part *part = part_of(w, b, rows[i], &id, &column);
        values[i] = part ? field_text(w->block, column, id, part->field) : value_none(TYPE_STRING);
    }
    return vector_flat(&w->arena, type, values, n);
}

static const struct vector *times_vector(struct worker *w, const uint32_t *rows, uint32_t n)
{
    struct hunt_value *values = arena_alloc(&w->arena, (n + 1) * sizeof *values);
    for (uint32_t i = 0; i < n; i++) {
        timestamp t = w->block->times[rows ? rows[i] : i];
        values[i] = (struct hunt_value){.type = TYPE_DATETIME, .null = t == TIMESTAMP_NONE};
        values[i].number = t;
    }
    return vector_flat(&w->arena, TYPE_DATETIME, values, n);
}

static const struct vector *origins_vector(struct worker *w, enum event_column event,
                                           const uint32_t *rows, uint32_t n)
{
    const struct scan *s = w->scan;
    struct hunt_value *values = arena_alloc(&w->arena, (n + 1) * sizeof *values);
    for (uint32_t i = 0; i < n; i++) {
        struct origin o = w->block->origins[rows ? rows[i] : i];
        values[i] = (struct hunt_value){.type = TYPE_LONG, .number = (int64_t)o.record};
        if (event == EVENT_INPUT)
            values[i].number = o.input;
        if (event == EVENT_FILE)
            values[i] = text_value(o.input < s->inputs_n ? s->inputs[o.input] : SLICE(""));
    }
    return vector_flat(&w->arena, event == EVENT_FILE ? TYPE_STRING : TYPE_LONG, values, n);
}

/* A column of these rows; NULL: all. */
static enum status make_vector(struct worker *w, uint32_t i, const uint32_t *rows, uint32_t n,
                               const struct vector **out, struct error *err)
{
    const struct scan_column *c = &w->scan->columns[i];
    struct bound *b = &w->bound[i];
    enum status status = OK;
    if (b->all) {
        *out = rows ? vector_pick(&w->arena, b->all, rows, n) : b->all;
    } else if (c->event == EVENT_TIME) {
        status = block_times(w, err);
        if (status == OK)
            *out = times_vector(w, rows, n);
    } else if (c->event == EVENT_FILE || c->event == EVENT_RECORD || c->event == EVENT_INPUT) {
        status = block_origins(w, err);
        if (status == OK)
            *out = origins_vector(w, c->event, rows, n);
    } else if (b->constant) {
        *out = vector_constant(&w->arena, c->type, &b->value);
    } else {
        status = load_rows(w, b, err);
        if (status == OK && !b->made && rows &&
            n * 2 < w->told->columns[b->parts->stored].values_n) {
            *out = few_values(w, b, c->type, rows, n);
            return OK;
        }
        if (status == OK)
            status = make_values(w, b, err);
        if (status != OK)
            return status;
        struct vector *v = arena_zero(&w->arena, 1, sizeof *v);
        *v = (struct vector){c->type, false, make_ids(w, b, rows, n), b->values, b->values_n};
        *out = v;
    }
    if (status == OK && !rows)
        b->all = *out;
    return status;
}

/* ---- conditions ---- */

/* A batch whose columns are the conditions' columns that are the same for all events. */
static struct batch *constant_batch(struct worker *w, const struct condition *c, uint32_t rows)
{
    struct batch *b = batch_new(&w->arena, w->scan->order->plan->columns_n, rows);
    for (uint32_t k = 0; k < c->columns_n; k++) {
        uint32_t i = w->scan->column_at[c->columns[k]];
        if (i != NO_COLUMN && w->bound[i].constant)
            b->columns[c->columns[k]] =
                vector_constant(&w->arena, w->scan->columns[i].type, &w->bound[i].value);
    }
    return b;
}

static bool true_once(struct worker *w, const struct condition *c)
{
    uint64_t bits = 0;
    expr_rows(c->x, w->evaluator, constant_batch(w, c, 1), &bits);
    return bits & 1;
}

bool kind_wanted(struct worker *w, const struct event_kind *kind, const struct names_of_kind *names)
{
    const struct scan *s = w->scan;
    if (!names->wanted)
        return false;
    for (uint32_t i = 0; i < s->conditions_n; i++) {
        const struct condition *c = &s->conditions[i];
        bool known = c->of_kind;
        uint64_t bits = 0;
        struct batch *b = batch_new(&w->arena, s->order->plan->columns_n, 1);
        for (uint32_t k = 0; known && k < c->columns_n; k++) {
            struct hunt_value v =
                text_value(kind_text(kind, s->order->plan->columns[c->columns[k]].event));
            uint32_t at = s->column_at[c->columns[k]];
            known = v.text.n || at == NO_COLUMN || names->fields_n[at] == 0;
            b->columns[c->columns[k]] = vector_constant(&w->arena, TYPE_STRING, &v);
        }
        if (!known)
            continue;
        expr_rows(c->x, w->evaluator, b, &bits);
        if (!bits)
            return false;
    }
    return true;
}

/* The one column of a condition that is a dictionary in this block; NO_COLUMN when there is none, and
 * *several when there are others that differ by row. */
static uint32_t only_dictionary(const struct worker *w, const struct condition *c, bool *several)
{
    uint32_t found = NO_COLUMN;
    *several = c->any;
    for (uint32_t k = 0; k < c->columns_n; k++) {
        uint32_t i = w->scan->column_at[c->columns[k]];
        if (i == NO_COLUMN || w->bound[i].constant)
            continue;
        *several |= found != NO_COLUMN || !w->bound[i].parts_n;
        found = i;
    }
    return found;
}

/* Which values of a dictionary meet a condition: truth by number. The number of those that some event
 * may have. */
static uint32_t true_values(struct worker *w, const struct condition *c, uint32_t i, bool *truth)
{
    const struct bound *b = &w->bound[i];
    struct batch *batch = constant_batch(w, c, b->values_n);
    uint64_t *bits = arena_zero(&w->arena, b->values_n / 64 + 1, sizeof *bits);
    batch->columns[w->scan->columns[i].number] =
        vector_flat(&w->arena, w->scan->columns[i].type, b->values, b->values_n);
    expr_rows(c->x, w->evaluator, batch, bits);
    uint32_t n = 0;
    for (uint32_t id = 0; id < b->values_n; id++) {
        truth[id] = bits[id / 64] >> id % 64 & 1;
        n += truth[id] && (id || lacks_some(w, b));
    }
    return n;
}

static void keep_true(const uint32_t *ids, const bool *truth, uint32_t rows, uint64_t *bits)
{
    for (uint32_t row = 0; row < rows; row++)
        if (!truth[ids[row]])
            bits[row / 64] &= ~((uint64_t)1 << row % 64);
}

static bool is_zero(const uint64_t *bits, uint32_t rows)
{
    for (uint32_t i = 0; i < (rows + 63) / 64; i++)
        if (bits[i])
            return false;
    return true;
}

/* A condition on a single dictionary. *none: no value meets it, so that no rows were read. */
static enum status by_dictionary(struct worker *w, const struct condition *c, uint32_t i,
                                 uint64_t *bits, bool *none, struct error *err)
{
    const struct vector *v;
    enum status status = make_values(w, &w->bound[i], err);
    if (status != OK)
        return status;
    bool *truth = arena_alloc(&w->arena, w->bound[i].values_n * sizeof *truth);
    *none = true_values(w, c, i, truth) == 0;
    if (*none)
        return OK;
    status = make_vector(w, i, NULL, w->told->rows, &v, err);
    if (status == OK)
        keep_true(v->ids, truth, w->told->rows, bits);
    return status;
}

/* The fields of the events as `*` means them: values that an event lacks are null. */
static enum status any_fields(struct worker *w, const struct vector ***out, struct error *err)
{
    uint32_t n = w->told->columns_n;
    const struct vector **fields = arena_alloc(&w->arena, (n + 1) * sizeof *fields);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t column, values_n = w->told->columns[k].values_n + 1;
        enum status status = block_rows_of(w, k, &column, err);
        if (status != OK)
            return status;
        struct hunt_value *values = arena_alloc(&w->arena, values_n * sizeof *values);
        values[0] = (struct hunt_value){.type = TYPE_STRING, .null = true, .text = SLICE("")};
        for (uint32_t id = 1; id < values_n; id++)
            values[id] = field_text(w->block, column, id, NULL);
        uint32_t *ids = arena_alloc(&w->arena, w->told->rows * sizeof *ids);
        for (uint32_t row = 0; row < w->told->rows; row++)
            ids[row] = column_id(&w->block->columns[column], row);
        struct vector *v = arena_zero(&w->arena, 1, sizeof *v);
        *v = (struct vector){TYPE_FIELD, false, ids, values, values_n};
        fields[k] = v;
    }
    *out = fields;
    return OK;
}

static enum status by_rows(struct worker *w, const struct condition *c, uint64_t *bits,
                           struct error *err)
{
    uint32_t rows = w->told->rows;
    struct batch *b = constant_batch(w, c, rows);
    enum status status = OK;
    for (uint32_t k = 0; status == OK && k < c->columns_n; k++) {
        uint32_t i = w->scan->column_at[c->columns[k]];
        if (i != NO_COLUMN && !w->bound[i].constant)
            status = make_vector(w, i, NULL, rows, &b->columns[c->columns[k]], err);
    }
    if (status == OK && c->any) {
        const struct vector **fields;
        status = any_fields(w, &fields, err);
        if (status == OK)
            evaluator_any(w->evaluator, fields, w->told->columns_n);
    }
    if (status != OK)
        return status;
    uint64_t *own = arena_zero(&w->arena, rows / 64 + 1, sizeof *own);
    expr_rows(c->x, w->evaluator, b, own);
    for (uint32_t i = 0; i < (rows + 63) / 64; i++)
        bits[i] &= own[i];
    return OK;
}

/* A comparison of `*`: each column's values first, and rows only where some meet it. */
static enum status by_any(struct worker *w, const struct condition *c, uint64_t *bits,
                          struct error *err)
{
    uint32_t rows = w->told->rows;
    uint64_t *any = arena_zero(&w->arena, rows / 64 + 1, sizeof *any);
    for (uint32_t k = 0; k < w->told->columns_n; k++) {
        uint32_t column, n = w->told->columns[k].values_n;
        if (c->of_words && w->told->columns[k].range.of == RANGE_NUMBERS)
            continue;
        enum status status = block_values(w, k, &column, err);
        if (status != OK)
            return status;
        struct hunt_value *values = arena_alloc(&w->arena, n * sizeof *values);
        for (uint32_t id = 0; id < n; id++)
            values[id] = field_text(w->block, column, id + 1, NULL);
        const struct vector *field = vector_flat(&w->arena, TYPE_FIELD, values, n);
        uint64_t *truth = arena_zero(&w->arena, n / 64 + 1, sizeof *truth);
        evaluator_any(w->evaluator, &field, 1);
        expr_rows(c->x, w->evaluator, constant_batch(w, c, n), truth);
        if (is_zero(truth, n))
            continue;
        status = block_rows_of(w, k, &column, err);
        if (status != OK)
            return status;
        for (uint32_t row = 0; row < rows; row++) {
            uint32_t id = column_id(&w->block->columns[column], row);
            if (id && truth[(id - 1) / 64] >> (id - 1) % 64 & 1)
                any[row / 64] |= (uint64_t)1 << row % 64;
        }
    }
    for (uint32_t i = 0; i < (rows + 63) / 64; i++)
        bits[i] &= any[i];
    return OK;
}

static bool is_plain_any(const struct condition *c)
{
    return c->any && c->columns_n == 0 && c->expr->kind == EXPR_CALL && c->expr->args_n == 2 &&
           c->expr->args[0]->kind == EXPR_ANY && c->expr->args[1]->kind != EXPR_ANY;
}

static enum status keep_times(struct worker *w, uint64_t *bits, struct error *err)
{
    const struct scan *s = w->scan;
    const struct stored_block *told = w->told;
    if (!s->ranged || (!told->timeless && told->first >= s->from && told->last <= s->to))
        return OK;
    enum status status = block_times(w, err);
    for (uint32_t row = 0; status == OK && row < told->rows; row++) {
        timestamp t = w->block->times[row];
        if (t == TIMESTAMP_NONE || t < s->from || t > s->to)
            bits[row / 64] &= ~((uint64_t)1 << row % 64);
    }
    return status;
}

/* ---- conditions of a log source ---- */

static enum status keep_condition(struct worker *w, const struct log_condition *c, uint64_t *bits,
                                  struct error *err)
{
    uint32_t stored = told_find(w->told, c->field), column;
    size_t words = (w->told->rows + 63) / 64;
    if (stored == NO_COLUMN) {
        memset(bits, 0, words * sizeof *bits);
        return OK;
    }
    enum status status = block_rows_of(w, stored, &column, err);
    if (status != OK)
        return status;
    uint32_t n = w->told->columns[stored].values_n + 1;
    bool *truth = arena_zero(&w->arena, n, sizeof *truth);
    for (uint32_t id = 1; id < n; id++)
        for (uint32_t k = 0; k < c->values_n; k++)
            truth[id] |= slice_equal_nocase(column_text(w->block, column, id), c->values[k]);
    for (uint32_t row = 0; row < w->told->rows; row++)
        if (!truth[column_id(&w->block->columns[column], row)])
            bits[row / 64] &= ~((uint64_t)1 << row % 64);
    return OK;
}

static enum status keep_source(struct worker *w, uint64_t *bits, struct error *err)
{
    size_t words = (w->told->rows + 63) / 64;
    enum status status = OK;
    if (w->names->whole)
        return OK;
    uint64_t *any = arena_zero(&w->arena, words, sizeof *any);
    for (uint32_t i = 0; status == OK && i < w->names->bindings_n; i++) {
        const struct log_binding *binding = w->names->bindings[i];
        uint64_t *own = arena_alloc(&w->arena, words * sizeof *own);
        memcpy(own, bits, words * sizeof *own);
        for (uint32_t k = 0; status == OK && k < binding->conditions_n; k++)
            status = keep_condition(w, &binding->conditions[k], own, err);
        for (size_t word = 0; word < words; word++)
            any[word] |= own[word];
    }
    memcpy(bits, any, words * sizeof *bits);
    return status;
}

/* ---- the whole block ---- */

/* What the footer tells of a number's column. */
static bool test_may(const struct worker *w, const struct condition *c, uint32_t lacks)
{
    if (!c->test.is)
        return true;
    const struct bound *b = &w->bound[w->scan->column_at[c->columns[0]]];
    bool may = false;
    for (uint32_t k = 0; k < b->parts_n; k++) {
        const struct values_range *r = &w->told->columns[b->parts[k].stored].range;
        if (r->of != RANGE_NUMBERS)
            return true;
        may |= number_may(&c->test, (double)r->least, (double)r->most);
    }
    return may && !(c->test.keys_n && lacks >> c->test.bit & 1);
}

/* Whether a condition's column has other values than numbers, if it looks for words. */
static bool words_may(const struct worker *w, const struct condition *c, uint32_t i)
{
    const struct bound *b = &w->bound[i];
    bool may = !c->of_words;
    for (uint32_t k = 0; k < b->parts_n; k++)
        may |= b->parts[k].field || w->told->columns[b->parts[k].stored].range.of != RANGE_NUMBERS;
    return may;
}

/* Whether what is known without reading rules the block out. */
static bool told_wanted(struct worker *w, const struct block_job *job)
{
    for (uint32_t i = 0; i < w->scan->conditions_n; i++) {
        const struct condition *c = &w->scan->conditions[i];
        bool several;
        uint32_t column = only_dictionary(w, c, &several);
        if (column == NO_COLUMN && !several) {
            if (!true_once(w, c))
                return false;
        } else if (!test_may(w, c, job->lacks)) {
            return false;
        } else if (!several && !words_may(w, c, column)) {
            return false;
        }
    }
    return true;
}

static enum status condition_rows(struct worker *w, const struct condition *c, uint64_t *bits,
                                  bool *none, struct error *err)
{
    bool several;
    uint32_t i = only_dictionary(w, c, &several);
    if (is_plain_any(c))
        return by_any(w, c, bits, err);
    if (several)
        return by_rows(w, c, bits, err);
    if (i != NO_COLUMN)
        return by_dictionary(w, c, i, bits, none, err);
    return OK; /* true for all: told_wanted saw to that */
}

/* The rows that meet everything. *none: dictionaries alone ruled them out. */
static enum status find_rows(struct worker *w, uint64_t *bits, bool *none, struct error *err)
{
    const struct scan *s = w->scan;
    uint32_t rows = w->told->rows;
    memset(bits, 0xff, (rows + 63) / 64 * sizeof *bits);
    if (rows % 64)
        bits[rows / 64] >>= 64 - rows % 64;
    enum status status = keep_times(w, bits, err);
    if (status == OK && !is_zero(bits, rows))
        status = keep_source(w, bits, err);
    for (uint32_t i = 0; status == OK && i < s->conditions_n && !is_zero(bits, rows); i++) {
        status = condition_rows(w, &s->conditions[i], bits, none, err);
        if (*none)
            return OK;
    }
    return status;
}

static enum status make_output(struct worker *w, const uint32_t *rows, uint32_t n, struct batch *b,
                               struct error *err)
{
    const struct plan_operator *top = w->scan->order->top;
    enum status status = OK;
    for (uint32_t k = 0; status == OK && k < top->live_n; k++) {
        uint32_t column = top->live[k], i = w->scan->column_at[column];
        if (i == NO_COLUMN)
            continue;
        if (w->scan->columns[i].event == EVENT_ALL) {
            b->columns[column] = events_vector(w, rows, n, err);
            status = b->columns[column] ? OK : err->status;
        } else {
            status =
                make_vector(w, i, n < w->told->rows ? rows : NULL, n, &b->columns[column], err);
        }
    }
    return status;
}

static bool begin_block(struct worker *w, const struct block_job *job, struct error *err)
{
    arena_reset(&w->arena);
    w->segment = w->scan->local->store->segments[job->segment].open;
    w->block_no = job->no;
    w->told = segment_block(w->segment, w->reader, job->no, err);
    if (!w->told)
        return false;
    w->names = names_find(&w->kinds, w->scan, &w->told->kind);
    w->bound = arena_zero(&w->arena, w->scan->columns_n, sizeof *w->bound);
    w->loaded = arena_zero(&w->arena, w->told->columns_n, sizeof *w->loaded);
    w->rows_loaded = arena_zero(&w->arena, w->told->columns_n, sizeof *w->rows_loaded);
    w->times_read = w->origins_read = false;
    for (uint32_t i = 0; i < w->scan->columns_n; i++)
        bind(w, i);
    return true;
}

static enum flow push_some(struct worker *w, const uint32_t *rows, uint32_t n, struct error *err)
{
    struct batch *b = batch_new(&w->arena, w->scan->order->plan->columns_n, n);
    if (make_output(w, rows, n, b, err) != OK)
        return FLOW_FAILED;
    w->figures.rows_found += n;
    uint64_t begin = clock_ns();
    enum flow flow = w->scan->order->sink.push(w->scan->order->sink.ctx, w->number, b, err);
    w->figures.ns_operators += clock_ns() - begin;
    return flow;
}

/* Whole events cost much to write: not all of them, when a few are enough. */
static enum flow push_found(struct worker *w, const uint64_t *bits, struct error *err)
{
    enum { SOME = 256 };
    uint32_t *rows = arena_alloc(&w->arena, w->told->rows * sizeof *rows);
    uint32_t n = bits_list(bits, w->told->rows, rows), step = w->scan->whole_events ? SOME : n;
    enum flow flow = FLOW_MORE;
    w->figures.blocks_read++;
    w->figures.events += w->told->rows;
    for (uint32_t from = 0; from < n && flow == FLOW_MORE; from += step)
        flow = push_some(w, rows + from, n - from < step ? n - from : step, err);
    return flow;
}

enum flow block_run(struct worker *w, const struct block_job *job, struct error *err)
{
    uint64_t bits[BLOCK_ROWS / 64];
    bool none = false;
    uint64_t begin = clock_ns(), read = w->figures.ns_read;
    if (!begin_block(w, job, err))
        return FLOW_FAILED;
    if (!told_wanted(w, job)) {
        w->figures.blocks_by_range++;
        w->figures.ns_prune += clock_ns() - begin;
        return FLOW_MORE;
    }
    segment_begin(w->segment, w->reader, job->no, w->block);
    enum status status = find_rows(w, bits, &none, err);
    w->figures.ns_conditions += clock_ns() - begin - (w->figures.ns_read - read);
    if (status != OK)
        return FLOW_FAILED;
    if (none) {
        w->figures.blocks_by_values++;
        return FLOW_MORE;
    }
    return push_found(w, bits, err);
}
