/* Whole events as JSON: EVENT_ALL. */
#include "hunt/local_internal.h"

#include "event/select.h"
#include "hunt/dynamic.h"
#include "hunt/scalar.h"

/* What stands in an object is made once a distinct value: "name":value. */
struct event_writer {
    struct worker *w;
    struct slice **made; /* by stored column and value number; p NULL where not made yet */
    struct buf line, scratch;
    bool first;
};

static void put_member(struct event_writer *e, enum event_column event, struct slice json)
{
    if (!e->first)
        buf_char(&e->line, ',');
    e->first = false;
    buf_json(&e->line, slice_str(event_column_name(event)));
    buf_char(&e->line, ':');
    buf_add(&e->line, json);
}

static void put_text_member(struct event_writer *e, enum event_column event, struct slice text)
{
    if (!text.n)
        return;
    buf_clear(&e->scratch);
    buf_json(&e->scratch, text);
    put_member(e, event, buf_slice(&e->scratch));
}

static struct slice make_piece(struct event_writer *e, const struct column *c, uint16_t id)
{
    struct arena *a = &e->w->arena;
    buf_clear(&e->scratch);
    buf_json(&e->scratch, c->name);
    buf_char(&e->scratch, ':');
    size_t from = e->scratch.n;
    value_json(c->values[id], &e->scratch, a);
    if (e->scratch.n == from) /* a number in no form of JSON */
        buf_add(&e->scratch, SLICE("null"));
    return arena_slice(a, buf_slice(&e->scratch));
}

/* Where the kind does not tell it, a field does. */
static void put_told(struct event_writer *e, enum event_column event, struct slice kind,
                     uint32_t row)
{
    put_text_member(e, event,
                    kind.n ? kind
                           : block_text(e->w->block, row, slice_str(event_column_name(event))));
}

static void put_fixed(struct event_writer *e, uint32_t row)
{
    struct worker *w = e->w;
    const struct event_kind *kind = &w->told->kind;
    struct hunt_value time = {.type = TYPE_DATETIME, .number = w->block->times[row]};
    struct origin origin = w->block->origins[row];
    if (time.number != TIMESTAMP_NONE)
        put_text_member(e, EVENT_TIME, value_string(&time, &w->arena));
    put_text_member(e, EVENT_HOST, block_host(w->block, row));
    put_text_member(e, EVENT_PRODUCT, kind->product);
    put_text_member(e, EVENT_CATEGORY, kind->category);
    put_text_member(e, EVENT_SERVICE, kind->service);
    put_text_member(e, EVENT_CHANNEL, kind->channel);
    put_told(e, EVENT_PROVIDER, kind->provider, row);
    put_told(e, EVENT_CODE, kind->code, row);
    if (origin.input < w->scan->inputs_n)
        put_text_member(e, EVENT_FILE, w->scan->inputs[origin.input]);
    struct hunt_value record = {.type = TYPE_LONG, .number = (int64_t)origin.record};
    put_member(e, EVENT_RECORD, value_string(&record, &w->arena));
}

static void put_fields(struct event_writer *e, uint32_t row)
{
    const struct block *b = e->w->block;
    for (uint32_t c = 0; c < b->columns_n; c++) {
        uint16_t id = e->made[c] ? column_id(&b->columns[c], row) : 0;
        if (!id)
            continue;
        struct slice *made = &e->made[c][id];
        if (!made->p)
            *made = make_piece(e, &b->columns[c], id);
        if (!e->first)
            buf_char(&e->line, ',');
        e->first = false;
        buf_add(&e->line, *made);
    }
}

static enum status load_all(struct worker *w, struct error *err)
{
    enum status status = block_times(w, err);
    if (status == OK)
        status = block_origins(w, err);
    for (uint32_t k = 0; status == OK && k < w->told->columns_n; k++) {
        uint32_t column;
        status = block_rows_of(w, k, &column, err);
    }
    return status;
}

const struct vector *events_vector(struct worker *w, const uint32_t *rows, uint32_t n,
                                   struct error *err)
{
    struct event_writer e = {.w = w};
    if (load_all(w, err) != OK)
        return NULL;
    const struct block *b = w->block;
    e.made = arena_zero(&w->arena, b->columns_n, sizeof(struct slice *));
    for (uint32_t c = 0; c < b->columns_n; c++)
        if (event_column_named(b->columns[c].name) == EVENT_FIELD)
            e.made[c] = arena_zero(&w->arena, b->columns[c].values_n, sizeof(struct slice));
    struct hunt_value *values = arena_alloc(&w->arena, (n + 1) * sizeof *values);
    for (uint32_t i = 0; i < n; i++) {
        buf_clear(&e.line);
        buf_char(&e.line, '{');
        e.first = true;
        put_fixed(&e, rows[i]);
        put_fields(&e, rows[i]);
        buf_char(&e.line, '}');
        dynamic_set(&values[i], arena_slice(&w->arena, buf_slice(&e.line)));
    }
    buf_free(&e.line);
    buf_free(&e.scratch);
    return vector_flat(&w->arena, TYPE_DYNAMIC, values, n);
}
