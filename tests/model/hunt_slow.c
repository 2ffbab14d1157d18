/* Operators. */
#include "model/hunt_slow.h"

#include "base/text.h"
#include "base/vec.h"
#include "event/select.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

struct slow {
    const struct plan *plan;
    const struct slow_event *events;
    size_t events_n;
    const struct mappings *mappings;
    struct arena *arena;
};

struct rows {
    struct slow_row **at;
    size_t n, cap;
};

static struct hunt_value none_of(enum hunt_type type)
{
    struct hunt_value v = {.type = type == TYPE_FIELD ? TYPE_STRING : type};
    v.text = SLICE("");
    v.null = v.type != TYPE_STRING;
    return v;
}

static struct slow_row *new_row(const struct slow *s, const struct slow_row *like)
{
    struct slow_row *row = arena_zero(s->arena, 1, sizeof *row);
    row->values = arena_zero(s->arena, s->plan->columns_n, sizeof *row->values);
    for (uint32_t c = 0; c < s->plan->columns_n; c++)
        row->values[c] = like ? like->values[c] : none_of(s->plan->columns[c].type);
    row->event = like ? like->event : NULL;
    return row;
}

static struct hunt_value value_of(const struct slow *s, const struct plan_expr *e,
                                  const struct slow_row *row)
{
    return slow_value(s->plan, e, row, s->arena);
}

/* ---- scan ---- */

static const struct slow_field *field_of(const struct slow_event *e, struct slice name)
{
    for (uint32_t i = 0; i < e->fields_n; i++)
        if (slice_equal(e->fields[i].name, name))
            return &e->fields[i];
    return NULL;
}

/* The first of the names that a binding gives which the event has. */
static const struct slow_field *mapped(const struct log_binding *binding,
                                       const struct slow_event *e, struct slice name,
                                       const struct field_name **translation)
{
    const struct field_name *f = binding_field(binding, name);
    for (uint32_t i = 0; f && i < f->stored_n; i++) {
        const struct slow_field *field = field_of(e, f->stored[i]);
        if (field) {
            *translation = f;
            return field;
        }
    }
    return NULL;
}

static struct slice named(const struct slow *s, const struct plan_operator *op,
                          const struct slow_event *e, struct slice name)
{
    const struct slow_field *field = op->scan.bindings_n ? NULL : field_of(e, name);
    const struct field_name *f = NULL;
    for (uint32_t i = 0; !field && i < op->scan.bindings_n; i++)
        if (binding_holds(op->scan.bindings[i], &e->kind))
            field = mapped(op->scan.bindings[i], e, name, &f);
    for (uint32_t i = 0; !field && !op->scan.bindings_n && i < mappings_count(s->mappings); i++)
        if (binding_holds(mappings_get(s->mappings, i), &e->kind))
            field = mapped(mappings_get(s->mappings, i), e, name, &f);
    if (!field)
        field = field_of(e, name);
    return field ? field_value(f, field->text) : SLICE("");
}

static struct slice host_of(const struct slow_event *e)
{
    for (size_t i = 0; i < HOST_FIELDS; i++) {
        const struct slow_field *f = field_of(e, host_fields[i]);
        if (f)
            return f->text;
    }
    return SLICE("");
}

static bool is_of_source(const struct plan_operator *op, const struct slow_event *e)
{
    for (uint32_t i = 0; i < op->scan.bindings_n; i++) {
        const struct log_binding *b = op->scan.bindings[i];
        bool all = binding_holds(b, &e->kind);
        for (uint32_t k = 0; k < b->conditions_n; k++) {
            const struct slow_field *f = field_of(e, b->conditions[k].field);
            bool any = false;
            for (uint32_t v = 0; f && v < b->conditions[k].values_n; v++)
                any |= slice_equal_nocase(b->conditions[k].values[v], f->text);
            all &= any;
        }
        if (all)
            return true;
    }
    return op->scan.bindings_n == 0;
}

static void put(json_t *object, const char *name, struct slice text)
{
    if (text.n)
        json_object_set_new(object, name, json_stringn(text.p, text.n));
}

/* Where the kind does not tell it, a field does. */
static void put_told(json_t *object, enum event_column event, struct slice kind,
                     const struct slow_event *e)
{
    const struct slow_field *f = field_of(e, slice_str(event_column_name(event)));
    put(object, event_column_name(event), kind.n || !f ? kind : f->text);
}

static struct hunt_value whole_event(const struct slow *s, const struct slow_event *e)
{
    json_t *object = json_object();
    char time[TIMESTAMP_TEXT];
    for (uint32_t i = 0; i < e->fields_n; i++) {
        struct buf b = {0};
        value_json(e->fields[i].value, &b, s->arena);
        json_t *value = json_loadb(b.p, b.n, JSON_DECODE_ANY, NULL);
        char name[64];
        snprintf(name, sizeof name, "%.*s", SLICE_ARG(e->fields[i].name));
        if (event_column_named(e->fields[i].name) == EVENT_FIELD)
            json_object_set_new(object, name, value);
        else
            json_decref(value);
        buf_free(&b);
    }
    if (e->time != TIMESTAMP_NONE)
        put(object, "Timestamp", slice_of(time, timestamp_text(e->time, 7, time)));
    put(object, event_column_name(EVENT_HOST), host_of(e));
    put(object, event_column_name(EVENT_PRODUCT), e->kind.product);
    put(object, event_column_name(EVENT_CATEGORY), e->kind.category);
    put(object, event_column_name(EVENT_SERVICE), e->kind.service);
    put(object, event_column_name(EVENT_CHANNEL), e->kind.channel);
    put_told(object, EVENT_PROVIDER, e->kind.provider, e);
    put_told(object, EVENT_CODE, e->kind.code, e);
    put(object, event_column_name(EVENT_FILE), e->file);
    json_object_set_new(object, event_column_name(EVENT_RECORD),
                        json_integer((json_int_t)e->record));
    char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    struct hunt_value v = {.type = TYPE_DYNAMIC, .text = arena_slice(s->arena, slice_str(text))};
    free(text);
    json_decref(object);
    return v;
}

static struct hunt_value event_value(const struct slow *s, const struct plan_operator *op,
                                     const struct slow_event *e, const struct plan_column *c)
{
    struct slice text;
    switch (c->event) {
    case EVENT_TIME:
        return (struct hunt_value){
            .type = TYPE_DATETIME, .null = e->time == TIMESTAMP_NONE, .number = e->time};
    case EVENT_RECORD:
        return (struct hunt_value){.type = TYPE_LONG, .number = (int64_t)e->record};
    case EVENT_ALL:
        return whole_event(s, e);
    case EVENT_HOST:
        text = host_of(e);
        break;
    case EVENT_PRODUCT:
        text = e->kind.product;
        break;
    case EVENT_CATEGORY:
        text = e->kind.category;
        break;
    case EVENT_SERVICE:
        text = e->kind.service;
        break;
    case EVENT_CHANNEL:
        text = e->kind.channel;
        break;
    case EVENT_PROVIDER:
        text = e->kind.provider.n ? e->kind.provider : named(s, op, e, SLICE("event.provider"));
        break;
    case EVENT_CODE:
        text = e->kind.code.n ? e->kind.code : named(s, op, e, SLICE("event.code"));
        break;
    case EVENT_FILE:
        text = e->file;
        break;
    default:
        text = named(s, op, e, c->name);
    }
    return (struct hunt_value){.type = TYPE_STRING, .text = text};
}

static struct rows scan(const struct slow *s, const struct plan_operator *op)
{
    struct rows out = {0};
    for (size_t i = 0; i < s->events_n; i++) {
        if (!is_of_source(op, &s->events[i]))
            continue;
        struct slow_row *row = new_row(s, NULL);
        row->event = &s->events[i];
        for (uint32_t k = 0; k < op->live_n; k++)
            row->values[op->live[k]] =
                event_value(s, op, row->event, &s->plan->columns[op->live[k]]);
        *VEC_PUSH(out) = row;
    }
    return out;
}

/* ---- summarize ---- */

static bool is_passed_over(const struct plan_expr *e, const struct hunt_value *v)
{
    return v->null || (e->type == TYPE_FIELD && v->text.n == 0);
}

/* The first row with the least or greatest value; fields that are the same number by their bytes. */
static struct slow_row *extreme(const struct slow *s, const struct plan_expr *e, int sign,
                                const struct rows *rows)
{
    struct slow_row *best = NULL;
    for (size_t i = 0; i < rows->n; i++) {
        struct hunt_value v = value_of(s, e, rows->at[i]), b;
        if (is_passed_over(e, &v))
            continue;
        int c = -sign;
        if (best) {
            b = value_of(s, e, best);
            c = slow_compare(&v, &b, e->type == TYPE_FIELD);
            if (c == 0 && e->type == TYPE_FIELD)
                c = slice_compare(v.text, b.text);
        }
        if (c * sign < 0)
            best = rows->at[i];
    }
    return best;
}

/* The values that count: all, or each once. */
static size_t values_of(const struct slow *s, const struct plan_aggregate *g,
                        const struct rows *rows, bool distinct, struct hunt_value *out)
{
    size_t n = 0;
    for (size_t i = 0; i < rows->n; i++) {
        struct hunt_value v = value_of(s, g->args[0], rows->at[i]);
        bool known = false;
        for (size_t k = 0; distinct && k < n; k++)
            known |= slow_equal(&v, &out[k]);
        if (!known && !is_passed_over(g->args[0], &v))
            out[n++] = v;
    }
    return n;
}

static int by_value(const void *a, const void *b)
{
    return slow_compare(a, b, false);
}

static struct hunt_value array_of(const struct slow *s, const struct hunt_value *v, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++) {
        if (v[i].type == TYPE_LONG)
            json_array_append_new(array, json_integer((json_int_t)v[i].number));
        else
            json_array_append_new(array, json_stringn(v[i].text.p ? v[i].text.p : "", v[i].text.n));
    }
    char *text = json_dumps(array, JSON_COMPACT);
    struct hunt_value out = {.type = TYPE_DYNAMIC, .text = arena_slice(s->arena, slice_str(text))};
    free(text);
    json_decref(array);
    return out;
}

static struct hunt_value sum_or_mean(const struct plan_aggregate *g, enum hunt_type type,
                                     const struct hunt_value *v, size_t n)
{
    struct hunt_value out = {.type = type};
    int64_t sum = 0;
    double real = 0;
    for (size_t i = 0; i < n; i++) {
        sum += v[i].type == TYPE_REAL ? 0 : v[i].number;
        real += v[i].type == TYPE_REAL ? v[i].real : (double)v[i].number;
    }
    if (g->function == FN_AVG) {
        if (n == 0)
            return none_of(type);
        out.real = real / (double)n;
    } else if (type == TYPE_REAL) {
        out.real = real;
    } else {
        out.number = sum;
    }
    return out;
}

static void aggregate(const struct slow *s, const struct plan_aggregate *g, const struct rows *all,
                      struct slow_row *out)
{
    struct rows rows = {0};
    for (size_t i = 0; i < all->n; i++) {
        struct hunt_value keep = {.truth = true};
        if (g->filter)
            keep = value_of(s, g->filter, all->at[i]);
        if (!keep.null && keep.truth)
            *VEC_PUSH(rows) = all->at[i];
    }
    uint32_t c = g->columns[0];
    struct hunt_value *v = arena_zero(s->arena, rows.n + 1, sizeof *v), result;
    bool distinct = g->function == FN_DCOUNT || g->function == FN_MAKE_SET;
    size_t n = g->args_n ? values_of(s, g, &rows, distinct, v) : rows.n;
    enum hunt_type type = c == NO_COLUMN ? TYPE_STRING : s->plan->columns[c].type;
    int sign = g->function == FN_MAX || g->function == FN_ARG_MAX ? -1 : 1;
    struct slow_row *best;
    switch (g->function) {
    case FN_COUNT:
    case FN_DCOUNT:
        result = (struct hunt_value){.type = TYPE_LONG, .number = (int64_t)n};
        break;
    case FN_SUM:
    case FN_AVG:
        result = sum_or_mean(g, type, v, n);
        break;
    case FN_MAKE_SET:
    case FN_MAKE_LIST:
        result = array_of(s, v, n);
        break;
    case FN_PERCENTILE: {
        struct hunt_value p = value_of(s, g->args[1], NULL);
        double percent = p.type == TYPE_REAL ? p.real : (double)p.number;
        size_t rank = (size_t)ceil(percent / 100 * (double)n);
        if (n)
            qsort(v, n, sizeof *v, by_value);
        result = n ? v[rank ? rank - 1 : 0] : none_of(type);
        break;
    }
    default:
        best = extreme(s, g->args[0], sign, &rows);
        for (uint32_t i = 0; i < g->args_n; i++)
            if (g->columns[i] != NO_COLUMN)
                out->values[g->columns[i]] =
                    best ? value_of(s, g->args[i], best) : none_of(g->args[i]->type);
        free(rows.at);
        return;
    }
    if (c != NO_COLUMN)
        out->values[c] = result;
    free(rows.at);
}

static struct rows summarize(const struct slow *s, const struct plan_operator *op,
                             const struct rows *in)
{
    struct rows out = {0}, *members = xcalloc(in->n + 1, sizeof *members);
    uint32_t n = op->summarize.keys_n;
    if (n == 0)
        *VEC_PUSH(out) = new_row(s, NULL);
    for (size_t i = 0; i < in->n; i++) {
        struct slow_row *row = new_row(s, NULL);
        for (uint32_t k = 0; k < n; k++)
            row->values[op->summarize.keys[k].column] =
                value_of(s, op->summarize.keys[k].expr, in->at[i]);
        size_t group = 0;
        for (bool same = false; group < out.n && !same; group += !same) {
            same = true;
            for (uint32_t k = 0; k < n; k++) {
                uint32_t c = op->summarize.keys[k].column;
                same &= slow_equal(&row->values[c], &out.at[group]->values[c]);
            }
        }
        if (group == out.n)
            *VEC_PUSH(out) = row;
        *VEC_PUSH(members[group]) = in->at[i];
    }
    for (size_t group = 0; group < out.n; group++) {
        for (uint32_t i = 0; i < op->summarize.aggregates_n; i++)
            aggregate(s, &op->summarize.aggregates[i], &members[group], out.at[group]);
        free(members[group].at);
    }
    free(members);
    return out;
}

/* ---- sort, join, expand ---- */

struct sorting {
    const struct slow *s;
    const struct plan_operator *op;
};

static int by_keys(const void *a, const void *b, void *ctx)
{
    const struct sorting *x = ctx;
    const struct slow_row *const *p = a, *const *q = b;
    for (uint32_t i = 0; i < x->op->sort.keys_n; i++) {
        const struct sort_key *key = &x->op->sort.keys[i];
        struct hunt_value v = value_of(x->s, key->expr, *p), w = value_of(x->s, key->expr, *q);
        int c = v.null || w.null ? (key->nulls_first ? w.null - v.null : v.null - w.null)
                                 : slow_compare(&v, &w, key->expr->type == TYPE_FIELD) *
                                       (key->descending ? -1 : 1);
        if (c)
            return c;
    }
    return 0;
}

static bool joins(const struct slow *s, const struct plan_operator *op, const struct slow_row *l,
                  const struct slow_row *r)
{
    for (uint32_t i = 0; i < op->join.keys_n; i++) {
        struct hunt_value x = value_of(s, op->join.keys[i].left, l);
        struct hunt_value y = value_of(s, op->join.keys[i].right, r);
        if (x.null || y.null || (x.type == TYPE_STRING && !x.text.n) || !slow_equal(&x, &y))
            return false;
    }
    if (!op->join.windowed)
        return true;
    struct hunt_value x = value_of(s, op->join.left_time, l);
    struct hunt_value y = value_of(s, op->join.right_time, r);
    return !x.null && !y.null && y.number - x.number >= op->join.from &&
           y.number - x.number <= op->join.to;
}

static struct slow_row *both(const struct slow *s, const struct plan_operator *op,
                             const struct slow_row *l, const struct slow_row *r)
{
    struct slow_row *row = new_row(s, l);
    for (uint32_t i = 0; i < op->join.right_n; i++) {
        uint32_t c = op->join.right_columns[i];
        row->values[c] = r ? r->values[c] : none_of(s->plan->columns[c].type);
    }
    return row;
}

static struct rows join(const struct slow *s, const struct plan_operator *op, const struct rows *l,
                        const struct rows *r)
{
    struct rows out = {0};
    enum join_kind kind = op->join.kind;
    for (size_t i = 0; i < l->n; i++) {
        bool found = false;
        for (size_t k = 0; k < r->n; k++) {
            if (!joins(s, op, l->at[i], r->at[k]))
                continue;
            found = true;
            if (kind == JOIN_INNER || kind == JOIN_LEFT_OUTER)
                *VEC_PUSH(out) = both(s, op, l->at[i], r->at[k]);
        }
        if (!found && kind == JOIN_LEFT_OUTER)
            *VEC_PUSH(out) = both(s, op, l->at[i], NULL);
        if ((found && kind == JOIN_LEFT_SEMI) || (!found && kind == JOIN_LEFT_ANTI))
            *VEC_PUSH(out) = l->at[i];
    }
    return out;
}

static void add_element(const struct slow *s, const struct plan_operator *op,
                        const struct slow_row *row, json_t *element, struct rows *out)
{
    struct slow_row *made = new_row(s, row);
    struct hunt_value *v = &made->values[op->expand.to];
    *v = none_of(TYPE_DYNAMIC);
    if (element && !json_is_null(element)) {
        char *text = json_dumps(element, JSON_COMPACT | JSON_ENCODE_ANY);
        *v = (struct hunt_value){.type = TYPE_DYNAMIC,
                                 .text = arena_slice(s->arena, slice_str(text))};
        free(text);
    }
    *VEC_PUSH(*out) = made;
}

static struct rows expand(const struct slow *s, const struct plan_operator *op,
                          const struct rows *in)
{
    struct rows out = {0};
    for (size_t i = 0; i < in->n; i++) {
        const struct hunt_value *v = &in->at[i]->values[op->expand.from];
        json_t *json = v->null ? NULL : json_loadb(v->text.p, v->text.n, JSON_DECODE_ANY, NULL);
        size_t n = json_is_array(json) ? json_array_size(json) : 0;
        for (size_t k = 0; k < n && k < op->expand.limit; k++)
            add_element(s, op, in->at[i], json_array_get(json, k), &out);
        if (n == 0 && op->expand.limit)
            add_element(s, op, in->at[i], json_is_array(json) ? NULL : json, &out);
        json_decref(json);
    }
    return out;
}

/* ---- any operator ---- */

static struct rows run(const struct slow *s, const struct plan_operator *op);

static struct rows where(const struct slow *s, const struct plan_operator *op,
                         const struct rows *in)
{
    struct rows out = {0};
    for (size_t i = 0; i < in->n; i++) {
        bool all = true;
        for (uint32_t k = 0; k < op->where.n; k++) {
            struct hunt_value v = value_of(s, op->where.all[k], in->at[i]);
            all &= !v.null && v.truth;
        }
        if (all)
            *VEC_PUSH(out) = in->at[i];
    }
    return out;
}

static struct rows extend(const struct slow *s, const struct plan_operator *op,
                          const struct rows *in)
{
    struct rows out = {0};
    for (size_t i = 0; i < in->n; i++) {
        struct slow_row *row = new_row(s, in->at[i]);
        for (uint32_t k = 0; k < op->extend.n; k++)
            row->values[op->extend.at[k].column] = value_of(s, op->extend.at[k].expr, in->at[i]);
        *VEC_PUSH(out) = row;
    }
    return out;
}

static struct rows unite(const struct slow *s, const struct plan_operator *op)
{
    struct rows out = {0};
    for (uint32_t i = 0; i < op->united.inputs_n; i++) {
        struct rows in = run(s, op->united.inputs[i].from);
        for (size_t k = 0; k < in.n; k++) {
            struct slow_row *row = new_row(s, NULL);
            for (uint32_t c = 0; c < op->united.columns_n; c++)
                if (op->united.inputs[i].columns[c] != NO_COLUMN)
                    row->values[op->united.columns[c]] =
                        in.at[k]->values[op->united.inputs[i].columns[c]];
            *VEC_PUSH(out) = row;
        }
        free(in.at);
    }
    return out;
}

static struct rows literals(const struct slow *s, const struct plan_operator *op)
{
    struct rows out = {0};
    for (uint32_t i = 0; i < op->values.rows_n; i++) {
        struct slow_row *row = new_row(s, NULL);
        for (uint32_t c = 0; c < op->values.columns_n; c++)
            row->values[op->values.columns[c]] = op->values.values[i * op->values.columns_n + c];
        *VEC_PUSH(out) = row;
    }
    return out;
}

static struct rows run_with_input(const struct slow *s, const struct plan_operator *op)
{
    struct rows in = run(s, op->input), right = {0}, out = {0};
    struct sorting sorting = {s, op};
    switch (op->kind) {
    case OP_WHERE:
        out = where(s, op, &in);
        break;
    case OP_EXTEND:
        out = extend(s, op, &in);
        break;
    case OP_SUMMARIZE:
        out = summarize(s, op, &in);
        break;
    case OP_JOIN:
        right = run(s, op->join.right);
        out = join(s, op, &in, &right);
        free(right.at);
        break;
    case OP_EXPAND:
        out = expand(s, op, &in);
        break;
    case OP_SORT:
        if (in.n)
            qsort_r(in.at, in.n, sizeof(struct slow_row *), by_keys, &sorting);
        if (op->sort.limited && in.n > op->sort.limit)
            in.n = op->sort.limit;
        return in;
    default: /* OP_TAKE */
        if (in.n > op->take.n)
            in.n = op->take.n;
        return in;
    }
    free(in.at);
    return out;
}

static struct rows run(const struct slow *s, const struct plan_operator *op)
{
    if (op->kind == OP_SCAN)
        return scan(s, op);
    if (op->kind == OP_VALUES)
        return literals(s, op);
    if (op->kind == OP_UNION)
        return unite(s, op);
    return run_with_input(s, op);
}

struct slow_table *slow_hunt(const struct plan *p, const struct slow_event *events, size_t events_n,
                             const struct mappings *mappings)
{
    struct slow_table *t = xcalloc(1, sizeof *t);
    struct slow s = {p, events, events_n, mappings, &t->arena};
    struct rows rows = run(&s, p->root);
    t->rows = rows.at;
    t->n = rows.n;
    t->cap = rows.cap;
    return t;
}

void slow_free(struct slow_table *t)
{
    free(t->rows);
    arena_free(&t->arena);
    free(t);
}
