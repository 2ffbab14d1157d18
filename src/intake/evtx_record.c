#include "base/locale.h"
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

/* ---- from outs to a block ---- */

static struct value out_value(const struct evtx_out *out)
{
    struct value v = out->v;
    if (!v.p)
        v.p = &out->number;
    return v;
}

static char *key_part(char *key, struct value v)
{
    memcpy(key, &v.n, sizeof v.n);
    key[4] = (char)v.type;
    memcpy(key + 5, v.p, v.n);
    return key + 5 + v.n;
}

/* Code, channel and provider as they stand there, behind each other in e->key. */
static struct slice kind_key(struct evtx *e)
{
    const int64_t places[] = {e->code, e->channel, e->provider};
    struct value parts[3];
    size_t n = 0;
    for (size_t i = 0; i < 3; i++) {
        parts[i] =
            places[i] < 0 ? (struct value){"", 0, VALUE_NULL} : out_value(&e->outs.at[places[i]]);
        n += 5 + (size_t)parts[i].n;
    }
    buf_clear(&e->key);
    char *key = buf_room(&e->key, n);
    for (size_t i = 0; i < 3; i++)
        key = key_part(key, parts[i]);
    e->key.n = n;
    return buf_slice(&e->key);
}

static struct slice kind_text(struct evtx *e, int64_t place)
{
    if (place < 0)
        return SLICE("");
    return arena_slice(&e->kept, value_text(out_value(&e->outs.at[place]), &e->scratch));
}

static struct evtx_kind *kind_of(struct evtx *e, uint32_t *number)
{
    struct slice key = kind_key(e);
    if (e->kinds.n && slice_equal(key, buf_slice(&e->last_key))) {
        *number = e->last_kind;
        return &e->kinds.at[e->last_kind];
    }
    bool is_new;
    uint32_t *found = map_put(&e->kind_numbers, key, &is_new);
    if (is_new) {
        *found = (uint32_t)e->kinds.n;
        *VEC_PUSH(e->kinds) = (struct evtx_kind){
            .kind = {.product = SLICE("windows"),
                     .channel = kind_text(e, e->channel),
                     .provider = kind_text(e, e->provider),
                     .code = kind_text(e, e->code)},
        };
    }
    struct buf swap = e->last_key;
    e->last_key = e->key;
    e->key = swap;
    *number = e->last_kind = *found;
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

static void put_field(struct evtx *e, const struct evtx_run *run, uint32_t item, struct value v)
{
    uint32_t *known = run->columns ? &run->columns->at[item] : NULL;
    uint32_t column = known && *known != EVTX_UNKNOWN_COLUMN
                          ? *known
                          : find_column(e, e->block, run->plan->items[item].field, known);
    block_put(e->block, column, v);
}

static void put_out(struct evtx *e, const struct evtx_out *out)
{
    if (out->run == EVTX_NAMED)
        block_put(e->block, find_column(e, e->block, out->item, NULL), out_value(out));
    else
        put_field(e, &e->runs.at[out->run], out->item, out_value(out));
}

/* The kind is known, or will not become known: begins the event in its block with what was kept
 * until now. What comes after that goes into the block at once. */
static bool begin_event(struct evtx *e)
{
    struct evtx_kind *kind = kind_of(e, &e->kind);
    if (!kind->block || kind->epoch != block_set_epoch(e->blocks)) {
        kind->block = block_set_open(e->blocks, &kind->kind);
        kind->epoch = block_set_epoch(e->blocks);
    }
    e->status = block_row(kind->block, e->time, (struct origin){e->input, e->record}, e->err);
    if (e->status != OK)
        return evtx_wrong(e, 0, "the event could not be handed on");
    e->block = kind->block;
    for (size_t i = 0; i < e->runs.n; i++)
        e->runs.at[i].columns = columns_of(e, e->runs.at[i].plan, e->kind);
    for (size_t i = 0; i < e->outs.n; i++)
        put_out(e, &e->outs.at[i]);
    return true;
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

/* A number; in events that were forwarded it is text. */
static uint64_t record_of(struct value v, uint64_t number, uint64_t otherwise, struct arena *a)
{
    if (!v.p)
        return v.n == 8 && (v.type == VALUE_UINT || v.type == VALUE_INT) ? number : otherwise;
    struct slice text = value_text(v, a);
    return slice_number(text, &number) ? number : otherwise;
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
            e->record = record_of(v, number, e->record, &e->scratch);
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
    struct evtx_out out = {v, number, goal.run, goal.number};
    if (e->block)
        put_out(e, &out);
    else
        *VEC_PUSH(e->outs) = out;
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

/* The usual types of values: what becomes of them, as how many bytes they stand there (0: any number
 * but none), and whether they stay there. As evtx_scalar, but false for anything else. */
static inline bool usual_value(struct evtx_sub sub, const char *chunk, struct value *v,
                               uint64_t *number)
{
    static const struct {
        uint8_t as, width;
        bool stays;
    } usual[256] = {
        [EVTX_STRING] = {VALUE_UTF16, 0, true},      [EVTX_UINT8] = {VALUE_UINT, 1, false},
        [EVTX_UINT16] = {VALUE_UINT, 2, false},      [EVTX_UINT32] = {VALUE_UINT, 4, false},
        [EVTX_UINT64] = {VALUE_UINT, 8, false},      [EVTX_GUID] = {VALUE_GUID, 16, true},
        [EVTX_FILETIME] = {VALUE_FILETIME, 8, true}, [EVTX_SID] = {VALUE_SID, 0, true},
        [EVTX_HEX32] = {VALUE_HEX, 4, false},        [EVTX_HEX64] = {VALUE_HEX, 8, false},
    };
    uint8_t as = usual[sub.type].as, width = usual[sub.type].width;
    const char *p = chunk + sub.at;
    if (as == VALUE_NULL || sub.n == 0 || (width && width != sub.n))
        return false;
    *v = (struct value){p, sub.n, as};
    if (usual[sub.type].stays)
        return true;
    *number = 0;
    if (width == 1)
        memcpy(number, p, 1);
    else if (width == 2)
        memcpy(number, p, 2);
    else if (width == 4)
        memcpy(number, p, 4);
    else
        memcpy(number, p, 8);
    *v = (struct value){NULL, 8, as};
    return true;
}

/* A value of one substitution: the usual case. */
static bool add_sub(struct evtx *e, struct goal goal, struct evtx_sub sub, unsigned nesting)
{
    struct evtx_out out = {.number = 0};
    if (sub.type == EVTX_BINXML)
        return sub.n == 0 || add_nested(e, goal, sub, nesting);
    if (sub.type & EVTX_ARRAY)
        return add_array(e, goal, sub);
    if (!usual_value(sub, e->chunk.p, &out.v, &out.number))
        evtx_scalar(sub.type, bytes_of(e, sub), &out.v, &out.number, &e->scratch);
    add_out(e, goal, out.v, out.number);
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

/* Any item. */
static bool carry_out_item(struct evtx *e, const struct evtx_plan *plan, struct goal goal,
                           struct values values, unsigned nesting)
{
    const struct evtx_item *item = goal.item;
    const struct evtx_part *part = &plan->parts[item->part];
    if (item->named_by >= 0 && !name_goal(e, &goal, value_at(e, values, item->named_by)))
        return false;
    if (item->parts > 1)
        return add_parts(e, goal, part, values, nesting);
    if (item->parts == 0)
        add_out(e, goal, (struct value){"", 0, VALUE_NULL}, 0);
    else if (part->substitution < 0)
        add_out(e, goal, part->constant, 0);
    else
        return add_sub(e, goal, value_at(e, values, part->substitution), nesting);
    return true;
}

/* Begins the event before its other fields are looked at, when the plan tells where its kind is. */
static bool begin_early(struct evtx *e, const struct evtx_plan *plan, uint32_t run,
                        struct values values)
{
    for (uint32_t i = 0; i < plan->early_n; i++) {
        uint32_t item = plan->early[i];
        if (!carry_out_item(e, plan, (struct goal){&plan->items[item], run, item}, values,
                            EVTX_NESTING))
            return false;
    }
    if (e->time == TIMESTAMP_NONE)
        e->time = e->written;
    return begin_event(e);
}

/* All items of a plan, when the event has its block already. This is where the time goes. */
static bool carry_out_quickly(struct evtx *e, struct evtx_plan *plan, uint32_t run,
                              struct values values, unsigned nesting)
{
    const struct evtx_sub *subs = e->subs.at + values.first;
    const char *chunk = e->chunk.p;
    uint32_t *columns = columns_of(e, plan, e->kind)->at;
    uint64_t numbers[BLOCK_PUTS];
    struct value put[BLOCK_PUTS];
    uint32_t put_columns[BLOCK_PUTS];
    size_t puts = 0;
    for (uint32_t i = 0; i < plan->n; i++) {
        const struct evtx_op op = plan->ops[i];
        struct value v;
        bool has_sub = op.how <= HOW_SPARSE_SUB && op.from < values.n;
        if (has_sub && usual_value(subs[op.from], chunk, &v, &numbers[puts])) {
            v.p = v.p ? v.p : &numbers[puts];
        } else if (op.how == HOW_CONSTANT) {
            v = plan->parts[plan->items[i].part].constant;
        } else if (op.how == HOW_EARLY ||
                   (op.how == HOW_SPARSE_SUB && has_sub && subs[op.from].type == EVTX_NULL)) {
            continue;
        } else {
            struct goal goal = {&plan->items[i], run, i};
            block_put_all(e->block, put_columns, put, puts);
            puts = 0;
            if (!carry_out_item(e, plan, goal, values, nesting))
                return false;
            subs = e->subs.at + values.first; /* nested ones may have moved them */
            continue;
        }
        uint32_t column = columns[i];
        if (__builtin_expect(column == EVTX_UNKNOWN_COLUMN, 0))
            column = find_column(e, e->block, plan->items[i].field, &columns[i]);
        put_columns[puts] = column;
        put[puts++] = v;
        if (puts == BLOCK_PUTS) {
            block_put_all(e->block, put_columns, put, puts);
            puts = 0;
        }
    }
    block_put_all(e->block, put_columns, put, puts);
    return true;
}

static bool carry_out(struct evtx *e, struct evtx_plan *plan, struct values values,
                      unsigned nesting)
{
    uint32_t run = (uint32_t)e->runs.n;
    if (!evtx_spend(e, 0, (size_t)EVTX_FIELD_WORK * plan->n))
        return false;
    *VEC_PUSH(e->runs) = (struct evtx_run){plan, NULL};
    bool is_late = e->block || e->code >= 0; /* a second EventID is a field like others */
    if (!is_late && plan->early_n && !begin_early(e, plan, run, values))
        return false;
    if (e->block)
        e->runs.at[run].columns = columns_of(e, plan, e->kind);
    if (e->runs.at[run].columns && !(is_late && plan->early_n))
        return carry_out_quickly(e, plan, run, values, nesting);
    for (uint32_t i = 0; i < plan->n; i++) {
        struct goal goal = {&plan->items[i], run, i};
        if (plan->ops[i].how == HOW_EARLY && !is_late)
            continue;
        if (!carry_out_item(e, plan, goal, values, nesting))
            return false;
    }
    return true;
}

/* What the first values of an event are, in all templates that Windows writes for whole events. The
 * name of the provider and what follows it are there for providers with a manifest; others have
 * values of their own in that place. */
static const struct {
    uint8_t type, what;
    const char *field;
} system_values[] = {
    {EVTX_UINT8, ITEM_FIELD, "Level"},
    {EVTX_UINT8, ITEM_FIELD, "Opcode"},
    {EVTX_UINT16, ITEM_FIELD, "Task"},
    {EVTX_UINT16, ITEM_CODE, "EventID"},
    {EVTX_UINT16, ITEM_FIELD, "EventID_Qualifiers"},
    {EVTX_HEX64, ITEM_FIELD, "Keywords"},
    {EVTX_FILETIME, ITEM_TIME, "TimeCreated_SystemTime"},
    {EVTX_GUID, ITEM_FIELD, "Correlation_ActivityID"},
    {EVTX_UINT32, ITEM_FIELD, "Execution_ProcessID"},
    {EVTX_UINT32, ITEM_FIELD, "Execution_ThreadID"},
    {EVTX_UINT64, ITEM_RECORD, "EventRecordID"},
    {EVTX_UINT8, ITEM_FIELD, "Version"},
    {EVTX_SID, ITEM_FIELD, "Security_UserID"},
    {EVTX_GUID, ITEM_FIELD, "Correlation_RelatedActivityID"},
    {EVTX_STRING, ITEM_PROVIDER, "Provider_Name"},
    {EVTX_GUID, ITEM_FIELD, "Provider_Guid"},
    {EVTX_STRING, ITEM_CHANNEL, "Channel"},
};
enum {
    SYSTEM_VALUES = 13,
    SYSTEM_VALUES_OF_MANIFEST = sizeof system_values / sizeof *system_values,
};

/* How many of these there are; 0 when the types are others. Each may be missing. */
static size_t count_system_values(const struct evtx *e, struct values values)
{
    size_t n = 0;
    for (; n < SYSTEM_VALUES_OF_MANIFEST && n < values.n; n++) {
        uint8_t type = value_at(e, values, (int32_t)n).type;
        if (type != system_values[n].type && type != EVTX_NULL)
            break;
    }
    if (value_at(e, values, 3).type == EVTX_NULL || value_at(e, values, 6).type == EVTX_NULL)
        return 0;
    if (n == SYSTEM_VALUES_OF_MANIFEST && value_at(e, values, 14).type != EVTX_NULL)
        return n;
    return n < SYSTEM_VALUES ? 0 : SYSTEM_VALUES;
}

/* The template is lost: its values are all that there is, and nested BinXML may tell its own. */
static bool without_plan(struct evtx *e, struct values values, struct evtx_context around,
                         unsigned nesting)
{
    size_t system = around.role == ROLE_DOCUMENT ? count_system_values(e, values) : 0;
    for (size_t i = 0; i < values.n; i++) {
        struct evtx_sub sub = value_at(e, values, (int32_t)i);
        struct evtx_item item = {
            .field = NAME_DATA, .named_by = -1, .inside = {ROLE_EVENT, NAME_EVENT}, .sparse = true};
        if (i < system) {
            item.what = system_values[i].what;
            item.field = evtx_name_put(&e->names, slice_str(system_values[i].field));
        }
        if (!evtx_spend(e, sub.at, EVTX_FIELD_WORK) ||
            !add_sub(e, (struct goal){&item, EVTX_NAMED, item.field}, sub, nesting))
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
    if (e->subs.cap - e->subs.n < n) {
        e->subs.cap = e->subs.cap * 2 + n;
        e->subs.at = xrealloc(e->subs.at, e->subs.cap, sizeof *e->subs.at);
    }
    struct evtx_sub *sub = e->subs.at + e->subs.n;
    for (uint32_t i = 0; i < n && whole; i++) {
        uint32_t size_and_type = cursor_u32(c);
        *sub = (struct evtx_sub){(uint32_t)at, (uint16_t)size_and_type,
                                 (uint8_t)(size_and_type >> 16)};
        whole = sub->n <= c->n - at;
        if (whole)
            at += sub++->n;
    }
    values->n = (size_t)(sub - e->subs.at) - values->first;
    e->subs.n += values->n;
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
        good = without_plan(e, values, around, nesting) && false;
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

enum status evtx_record(struct evtx *e, size_t from, size_t to, uint64_t number, uint64_t written)
{
    e->time = TIMESTAMP_NONE;
    e->record = number;
    e->provider = e->channel = e->code = -1;
    e->outs.n = e->runs.n = e->subs.n = 0;
    e->wrong = NULL;
    e->block = NULL;
    e->status = OK;
    e->written = timestamp_from_filetime(written);
    arena_reset(&e->scratch);
    struct cursor c = {(const unsigned char *)e->chunk.p, to, from, false};
    bool good = binxml(e, c, (struct evtx_context){ROLE_DOCUMENT, NAME_NONE}, 0);
    if (e->time == TIMESTAMP_NONE)
        e->time = e->written;
    if (!e->block && e->status == OK && (good || e->outs.n))
        begin_event(e);
    if (e->wrong && !e->quiet && e->status == OK)
        problem_add(e->problems, e->input, e->chunk_at + e->wrong_at, "record %llu: %s",
                    (unsigned long long)number, locale_text(e->wrong));
    return e->status;
}
