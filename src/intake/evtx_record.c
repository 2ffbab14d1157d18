#include "base/text.h"
#include "intake/evtx_internal.h"

bool evtx_wrong(struct evtx *e, size_t at, const char *what)
{
    if (!e->wrong) {
        e->wrong = what;
        e->wrong_at = at;
    }
    return false;
}

bool evtx_spend(struct evtx *e, size_t at, size_t bytes)
{
    if (bytes < e->work) {
        e->work -= bytes;
        return true;
    }
    e->work = 0;
    return evtx_wrong(e, at, "the chunk would become more than any real one");
}

/* ---- from BinXML to outs ---- */

/* The values that a plan is carried out with: part of e->subs, which grows by nested ones. */
struct values {
    size_t first, n;
};

static bool binxml(struct evtx *e, struct cursor c, struct evtx_context around, unsigned nesting);

static struct evtx_sub value_at(const struct evtx *e, struct values values, int32_t index)
{
    if (index < 0 || (size_t)index >= values.n)
        return (struct evtx_sub){0, 0, EVTX_NULL};
    return e->subs.at[values.first + (size_t)index];
}

static struct slice bytes_of(const struct evtx *e, struct evtx_sub sub)
{
    return slice_of(e->chunk.p + sub.at, sub.n); /* instance() has checked that it lies there */
}

static timestamp time_of(struct value v, uint64_t number, struct arena *a)
{
    timestamp t;
    if (!v.p)
        v.p = &number;
    if (v.type == VALUE_FILETIME && v.n == 8) {
        uint64_t filetime;
        memcpy(&filetime, v.p, sizeof filetime);
        return timestamp_from_filetime(filetime);
    }
    return timestamp_parse(value_text(v, a), &t) ? t : TIMESTAMP_NONE;
}

static uint64_t record_of(struct value v, uint64_t number, uint64_t otherwise)
{
    return !v.p && v.n == 8 && (v.type == VALUE_UINT || v.type == VALUE_INT) ? number : otherwise;
}

/* Where an out goes: an item of a run, or a name (EVTX_NAMED). */
struct goal {
    const struct evtx_item *item;
    uint32_t run, number;
};

static void add_out(struct evtx *e, struct goal goal, struct value v, uint64_t number)
{
    if (v.type == VALUE_NULL && goal.item->sparse)
        return;
    if (__builtin_expect(goal.item->what != ITEM_FIELD, 0)) {
        int64_t place = (int64_t)e->outs.n;
        if (goal.item->what == ITEM_RECORD) {
            e->record = record_of(v, number, e->record);
            return;
        }
        if (goal.item->what == ITEM_TIME) {
            e->time = time_of(v, number, &e->scratch);
            return;
        }
        if (goal.item->what == ITEM_PROVIDER && e->provider < 0)
            e->provider = place;
        else if (goal.item->what == ITEM_CHANNEL && e->channel < 0)
            e->channel = place;
        else if (goal.item->what == ITEM_CODE && e->code < 0)
            e->code = place;
    }
    *VEC_PUSH(e->outs) = (struct evtx_out){v, number, goal.run, goal.number};
}

static bool add_array(struct evtx *e, struct goal goal, struct evtx_sub sub)
{
    struct cursor c = cursor_of(bytes_of(e, sub));
    struct slice raw;
    struct value v = {"", 0, VALUE_NULL};
    uint64_t number = 0;
    bool any = false;
    for (; evtx_element(sub.type & ~EVTX_ARRAY, &c, &raw); any = true) {
        if (!evtx_spend(e, sub.at, EVTX_FIELD_WORK + raw.n))
            return false;
        evtx_scalar(sub.type & ~EVTX_ARRAY, raw, &v, &number, &e->scratch);
        add_out(e, goal, v, number);
    }
    if (!any)
        add_out(e, goal, v, number);
    return true;
}

static bool add_nested(struct evtx *e, struct goal goal, struct evtx_sub sub, unsigned nesting)
{
    if (nesting >= EVTX_NESTING)
        return evtx_wrong(e, sub.at, "BinXML lies in BinXML too deep");
    struct cursor c = {(const unsigned char *)e->chunk.p, (size_t)sub.at + sub.n, sub.at, false};
    return evtx_spend(e, sub.at, EVTX_FIELD_WORK) && binxml(e, c, goal.item->inside, nesting + 1);
}

/* A value of one substitution: the usual case. */
static bool add_sub(struct evtx *e, struct goal goal, struct evtx_sub sub, unsigned nesting)
{
    if (sub.type == EVTX_BINXML)
        return sub.n == 0 || add_nested(e, goal, sub, nesting);
    if (sub.type & EVTX_ARRAY)
        return add_array(e, goal, sub);
    struct value v;
    uint64_t number = 0;
    evtx_scalar(sub.type, bytes_of(e, sub), &v, &number, &e->scratch);
    add_out(e, goal, v, number);
    return true;
}

static void add_text(struct evtx *e, struct value v, uint64_t number)
{
    if (!v.p)
        v.p = &number;
    buf_add(&e->text, value_text(v, &e->scratch));
}

/* Text made of several parts. BinXML among them makes fields of its own. */
static bool add_parts(struct evtx *e, struct goal goal, const struct evtx_part *parts,
                      struct values values, unsigned nesting)
{
    bool any = false;
    struct buf *text = &e->text;
    buf_clear(text);
    for (uint32_t i = 0; i < goal.item->parts; i++) {
        struct value v = parts[i].constant;
        uint64_t number = 0;
        struct evtx_sub sub = value_at(e, values, parts[i].substitution);
        uint8_t type = sub.type & ~EVTX_ARRAY;
        if (!evtx_spend(e, sub.at, (size_t)EVTX_FIELD_WORK + sub.n + v.n))
            return false;
        if (sub.type == EVTX_BINXML)
            continue;
        any = any || parts[i].substitution < 0 || sub.n;
        if (parts[i].substitution < 0) {
            add_text(e, v, 0);
            continue;
        }
        struct cursor c = cursor_of(bytes_of(e, sub));
        struct slice raw = bytes_of(e, sub);
        size_t before = text->n;
        while (sub.type & EVTX_ARRAY ? evtx_element(type, &c, &raw) : !c.failed) {
            if (text->n > before)
                buf_add(text, SLICE(", "));
            evtx_scalar(type, raw, &v, &number, &e->scratch);
            add_text(e, v, number);
            c.failed = !(sub.type & EVTX_ARRAY);
        }
    }
    struct slice kept = slice_of(arena_copy(&e->scratch, text->p, text->n), text->n);
    add_out(e, goal, any ? value_of_text(kept) : (struct value){"", 0, VALUE_NULL}, 0);
    for (uint32_t i = 0; i < goal.item->parts; i++) {
        struct evtx_sub sub = value_at(e, values, parts[i].substitution);
        if (sub.type == EVTX_BINXML && sub.n && !add_nested(e, goal, sub, nesting))
            return false;
    }
    return true;
}

/* A field whose name is a value itself. */
static bool name_goal(struct evtx *e, struct goal *goal, struct evtx_sub sub)
{
    struct value v;
    uint64_t number = 0;
    if (!evtx_spend(e, sub.at, sub.n))
        return false;
    evtx_scalar(sub.type, bytes_of(e, sub), &v, &number, &e->scratch);
    if (!v.p)
        v.p = &number;
    struct slice name = value_text(v, &e->scratch);
    if (name.n) {
        goal->run = EVTX_NAMED;
        goal->number = evtx_name_put(&e->names, name);
    }
    return true;
}

static bool carry_out(struct evtx *e, struct evtx_plan *plan, struct values values,
                      unsigned nesting)
{
    uint32_t run = (uint32_t)e->runs.n;
    *VEC_PUSH(e->runs) = (struct evtx_run){plan, NULL};
    if (!evtx_spend(e, 0, (size_t)EVTX_FIELD_WORK * plan->n))
        return false;
    for (uint32_t i = 0; i < plan->n; i++) {
        const struct evtx_item *item = &plan->items[i];
        const struct evtx_part *part = &plan->parts[item->part];
        struct goal goal = {item, run, i};
        if (item->named_by >= 0 && !name_goal(e, &goal, value_at(e, values, item->named_by)))
            return false;
        if (item->parts == 0) {
            add_out(e, goal, (struct value){"", 0, VALUE_NULL}, 0);
        } else if (item->parts > 1) {
            if (!add_parts(e, goal, part, values, nesting))
                return false;
        } else if (part->substitution < 0) {
            add_out(e, goal, part->constant, 0);
        } else if (!add_sub(e, goal, value_at(e, values, part->substitution), nesting)) {
            return false;
        }
    }
    return true;
}

/* The template is lost: its values are all that there is, and nested BinXML may tell its own. */
static bool without_plan(struct evtx *e, struct values values, unsigned nesting)
{
    static const struct evtx_item data = {
        .field = NAME_DATA, .named_by = -1, .inside = {ROLE_EVENT, NAME_EVENT}, .sparse = true};
    for (size_t i = 0; i < values.n && e->work; i++) {
        struct evtx_sub sub = value_at(e, values, (int32_t)i);
        if (!evtx_spend(e, sub.at, EVTX_FIELD_WORK) ||
            !add_sub(e, (struct goal){&data, EVTX_NAMED, NAME_DATA}, sub, nesting))
            return false;
    }
    return true;
}

/* Reads the list of values: how many, then size and type of each, then all their bytes. Those that
 * run over the end are left out. */
static bool read_values(struct evtx *e, struct cursor *c, struct values *values)
{
    uint32_t n = cursor_u32(c);
    *values = (struct values){e->subs.n, 0};
    if (c->failed || n > cursor_left(c) / 4)
        return evtx_wrong(e, c->at, "the template's values break off");
    size_t at = c->at + (size_t)n * 4;
    bool whole = true;
    for (uint32_t i = 0; i < n; i++) {
        struct evtx_sub sub = {.at = (uint32_t)at};
        sub.n = cursor_u16(c);
        sub.type = cursor_u8(c);
        cursor_skip(c, 1);
        whole = whole && sub.n <= c->n - at;
        if (!whole)
            break;
        at += sub.n;
        *VEC_PUSH(e->subs) = sub;
    }
    values->n = e->subs.n - values->first;
    cursor_seek(c, at);
    return whole || evtx_wrong(e, at, "a value runs over the record's end");
}

/* A template instance: token, a byte, id, offset of the definition, the definition itself where
 * that offset is this place, values. */
static bool instance(struct evtx *e, struct cursor *c, struct evtx_context around, unsigned nesting)
{
    cursor_skip(c, 2);
    uint32_t id = cursor_u32(c), at = cursor_u32(c);
    if (c->failed)
        return evtx_wrong(e, c->at, "a template instance breaks off");
    struct evtx_plan *plan = evtx_plan_at(e, at, id, around);
    if (at == c->at) {
        cursor_skip(c, 20);
        cursor_skip(c, cursor_u32(c));
    }
    struct values values;
    size_t before = e->subs.n;
    bool good = read_values(e, c, &values) && evtx_spend(e, at, values.n * sizeof(struct evtx_sub));
    if (!plan)
        good = without_plan(e, values, nesting) && false;
    else
        good = carry_out(e, plan, values, nesting) && good;
    e->subs.n = before;
    return good;
}

static bool plain(struct evtx *e, struct cursor *c, struct evtx_context around, unsigned nesting)
{
    buf_clear(&e->normal);
    bool good = evtx_normalise(e, c, false);
    struct evtx_plan *plan = evtx_compile(e, buf_slice(&e->normal), around, &e->scratch);
    return carry_out(e, plan, (struct values){0, 0}, nesting) && good;
}

static bool binxml(struct evtx *e, struct cursor c, struct evtx_context around, unsigned nesting)
{
    while (c.at < c.n) {
        switch (c.p[c.at]) {
        case EVTX_EOF:
            return true;
        case EVTX_FRAGMENT:
            cursor_skip(&c, 4);
            if (c.failed)
                return evtx_wrong(e, c.at, "the BinXML breaks off");
            break;
        case EVTX_TEMPLATE:
            if (!instance(e, &c, around, nesting))
                return false;
            break;
        default:
            if (!plain(e, &c, around, nesting))
                return false;
        }
        if (c.failed)
            return false;
    }
    return true;
}

/* ---- from outs to a block ---- */

static struct value out_value(const struct evtx_out *out)
{
    struct value v = out->v;
    if (!v.p)
        v.p = &out->number;
    return v;
}

static void key_of(struct buf *key, const struct evtx *e, int64_t place)
{
    struct value v = {"", 0, VALUE_NULL};
    if (place >= 0)
        v = out_value(&e->outs.at[place]);
    buf_add(key, slice_of(&v.n, sizeof v.n));
    buf_char(key, (char)v.type);
    buf_add(key, slice_of(v.p, v.n));
}

static struct slice kind_text(struct evtx *e, int64_t place)
{
    if (place < 0)
        return SLICE("");
    return arena_slice(&e->kept, value_text(out_value(&e->outs.at[place]), &e->scratch));
}

static struct evtx_kind *kind_of(struct evtx *e, uint32_t *number)
{
    buf_clear(&e->key);
    key_of(&e->key, e, e->code);
    key_of(&e->key, e, e->channel);
    key_of(&e->key, e, e->provider);
    bool is_new;
    uint32_t *found = map_put(&e->kind_numbers, buf_slice(&e->key), &is_new);
    if (is_new) {
        *found = (uint32_t)e->kinds.n;
        *VEC_PUSH(e->kinds) = (struct evtx_kind){
            .kind = {.product = SLICE("windows"),
                     .channel = kind_text(e, e->channel),
                     .provider = kind_text(e, e->provider),
                     .code = kind_text(e, e->code)},
        };
    }
    *number = *found;
    return &e->kinds.at[*found];
}

/* The column numbers of a plan's items in the block of a kind. */
static struct evtx_columns *columns_of(struct evtx *e, struct evtx_plan *plan, uint32_t kind)
{
    if (plan->number == UINT32_MAX)
        return NULL;
    if (plan->last_kind != kind) {
        const uint32_t pair[2] = {plan->number, kind};
        bool is_new;
        uint32_t *found =
            map_put(&e->columns_numbers, slice_of((const char *)pair, sizeof pair), &is_new);
        if (is_new) {
            struct evtx_columns *columns =
                arena_zero(&e->kept, 1, sizeof *columns + plan->n * sizeof *columns->at);
            *found = (uint32_t)e->columns.n;
            *VEC_PUSH(e->columns) = columns;
        }
        plan->last_kind = kind;
        plan->last_columns = e->columns.at[*found];
    }
    struct evtx_columns *columns = plan->last_columns;
    if (columns->epoch != block_set_epoch(e->blocks)) {
        columns->epoch = block_set_epoch(e->blocks);
        for (uint32_t i = 0; i < plan->n; i++)
            columns->at[i] = EVTX_UNKNOWN_COLUMN;
    }
    return columns;
}

/* Looks a column up by name; one that is found is remembered in *known, which may be NULL. */
static uint32_t find_column(struct evtx *e, struct block *b, uint32_t name, uint32_t *known)
{
    uint32_t column = block_column(b, evtx_name(e, name));
    if (column == BLOCK_NO_COLUMN)
        evtx_wrong(e, 0, "more different fields in one event than a block holds");
    else if (known)
        *known = column;
    return column;
}

static void put_outs(struct evtx *e, struct block *b, uint32_t kind)
{
    for (size_t i = 0; i < e->runs.n; i++)
        e->runs.at[i].columns = columns_of(e, e->runs.at[i].plan, kind);
    for (size_t i = 0; i < e->outs.n; i++) {
        const struct evtx_out *out = &e->outs.at[i];
        uint32_t column;
        if (out->run == EVTX_NAMED) {
            column = find_column(e, b, out->item, NULL);
        } else {
            const struct evtx_run *run = &e->runs.at[out->run];
            uint32_t *known = run->columns ? &run->columns->at[out->item] : NULL;
            column = known && *known != EVTX_UNKNOWN_COLUMN
                         ? *known
                         : find_column(e, b, run->plan->items[out->item].field, known);
        }
        block_put(b, column, out_value(out));
    }
}

static enum status add_event(struct evtx *e)
{
    uint32_t number;
    struct evtx_kind *kind = kind_of(e, &number);
    if (!kind->block || kind->epoch != block_set_epoch(e->blocks)) {
        kind->block = block_set_open(e->blocks, &kind->kind);
        kind->epoch = block_set_epoch(e->blocks);
    }
    struct block *b = kind->block;
    enum status status = block_row(b, e->time, (struct origin){e->input, e->record}, e->err);
    if (status == OK)
        put_outs(e, b, number);
    return status;
}

enum status evtx_record(struct evtx *e, size_t from, size_t to, uint64_t number, uint64_t written)
{
    e->time = TIMESTAMP_NONE;
    e->record = number;
    e->provider = e->channel = e->code = -1;
    e->outs.n = e->runs.n = e->subs.n = 0;
    e->wrong = NULL;
    arena_reset(&e->scratch);
    struct cursor c = {(const unsigned char *)e->chunk.p, to, from, false};
    bool good = binxml(e, c, (struct evtx_context){ROLE_DOCUMENT, NAME_NONE}, 0);
    if (e->time == TIMESTAMP_NONE)
        e->time = timestamp_from_filetime(written);
    enum status status = OK;
    if (good || e->outs.n)
        status = add_event(e);
    if (e->wrong && !e->quiet)
        problem_add(e->problems, e->input, e->chunk_at + e->wrong_at, "record %llu: %s",
                    (unsigned long long)number, e->wrong);
    return status;
}
