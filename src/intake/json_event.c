#include "intake/json_internal.h"

#include "base/arena.h"
#include "base/vec.h"

#include <math.h>
#include <stdlib.h>

enum {
    FIELDS_MOST = 1 << 16, /* keys remembered, of all kinds; a document beyond that loses some */
    BUCKETS = 1 << 14,
    MARK_BYTES = 24, /* longer than any marked key */
    GUID_TEXT = 36,
};

/* What is remembered about events of one kind in one shape. */
struct layout {
    const struct json_shape *shape;
    struct json_field *root;
    struct block *block;
    struct event_kind kind;
    uint64_t epoch;
};

struct json_state {
    struct json_parser *parser;
    struct json_doc doc;
    uint8_t marks_of_length[MARK_BYTES + 1]; /* the first mark of a length, in `marks` */
    uint8_t marks[MARKS];                    /* sorted by length */

    struct arena arena; /* fields, layouts, their names */
    struct json_field **buckets;
    size_t fields_n;
    struct map kinds; /* to the place in `layouts` */
    struct {
        struct layout **at;
        size_t n, cap;
    } layouts;
    struct buf key, code, scratch;

    struct block_set *blocks;
    struct problems *problems;
    const struct batch *batch;

    /* of the document at work */
    struct layout *layout;
    struct json_field *last;
    struct block *block;
    uint64_t epoch;
    int time_rank;
    uint64_t lost; /* values */
};

/* ---- marked keys ---- */

#define JSON_MARK_KEY(mark, key) {key, sizeof(key) - 1},
static const struct slice mark_keys[MARKS] = {JSON_MARKS(JSON_MARK_KEY)};
#undef JSON_MARK_KEY

static void sort_marks(struct json_state *s)
{
    uint8_t n = 0;
    for (unsigned length = 0; length <= MARK_BYTES; length++) {
        s->marks_of_length[length] = n;
        for (unsigned mark = 0; mark < MARKS; mark++)
            if (mark_keys[mark].n == length)
                s->marks[n++] = (uint8_t)mark;
    }
}

static void find_marks(struct json_state *s)
{
    const struct json_tape *t = &s->doc.tape;
    uint32_t at = s->doc.root, end = json_after(t, at) - 1;
    memset(s->doc.marks, 0, sizeof s->doc.marks);
    for (at++; at < end; at = json_after(t, at + 1)) {
        struct slice key = json_string(t, at);
        if (key.n >= MARK_BYTES)
            continue;
        for (uint8_t i = s->marks_of_length[key.n]; i < s->marks_of_length[key.n + 1]; i++)
            if (memcmp(mark_keys[s->marks[i]].p, key.p, key.n) == 0)
                s->doc.marks[s->marks[i]] = at + 1;
    }
}

/* ---- what is remembered ---- */

struct json_state *json_state_new(void)
{
    struct json_state *s = xcalloc(1, sizeof *s);
    s->parser = json_parser_new();
    s->buckets = xcalloc(BUCKETS, sizeof(struct json_field *));
    sort_marks(s);
    return s;
}

static void forget(struct json_state *s)
{
    memset(s->buckets, 0, BUCKETS * sizeof(struct json_field *));
    s->fields_n = 0;
    s->layouts.n = 0;
    s->layout = NULL;
    map_clear(&s->kinds);
    arena_reset(&s->arena);
}

void json_state_free(struct json_state *s)
{
    json_parser_free(s->parser);
    free(s->buckets);
    free(s->layouts.at);
    map_free(&s->kinds);
    arena_free(&s->arena);
    buf_free(&s->key);
    buf_free(&s->code);
    buf_free(&s->scratch);
    free(s);
}

void json_begin(struct json_state *s, const struct batch *batch, struct block_set *blocks,
                struct problems *problems)
{
    if (blocks != s->blocks)
        forget(s);
    s->blocks = blocks;
    s->problems = problems;
    s->batch = batch;
    s->doc.input = batch->name;
}

static struct slice joined_path(struct json_state *s, const struct json_field *parent,
                                struct slice key)
{
    if (!parent->path.n)
        return arena_slice(&s->arena, key);
    size_t n = parent->path.n + 1 + key.n;
    char *p = arena_bytes(&s->arena, n);
    memcpy(p, parent->path.p, parent->path.n);
    p[parent->path.n] = '.';
    memcpy(p + parent->path.n + 1, key.p, key.n);
    return slice_of(p, n);
}

/* The field of a key below `parent`; NULL when too many are remembered already. */
static struct json_field *look_up(struct json_state *s, const struct json_field *parent,
                                  struct slice key)
{
    uint64_t hash = hash_bytes(key.p, key.n) ^ ((uintptr_t)parent >> 4);
    struct json_field **bucket = &s->buckets[hash & (BUCKETS - 1)];
    for (struct json_field *f = *bucket; f; f = f->bucket)
        if (f->parent == parent && slice_equal(f->key, key))
            return f;
    if (s->fields_n >= FIELDS_MOST)
        return NULL;
    struct json_field *f = arena_zero(&s->arena, 1, sizeof *f);
    f->parent = parent;
    f->key = arena_slice(&s->arena, key);
    f->path = f->stored = joined_path(s, parent, key);
    s->layout->shape->name_field(f, &s->arena);
    f->bucket = *bucket;
    *bucket = f;
    s->fields_n++;
    return f;
}

static struct json_field *field_of(struct json_state *s, const struct json_field *parent,
                                   struct slice key)
{
    struct json_field *f = s->last->follows;
    if (!f || f->parent != parent || !slice_equal(f->key, key)) {
        f = look_up(s, parent, key);
        if (!f)
            return NULL;
        s->last->follows = f;
    }
    return s->last = f;
}

static void key_part(struct buf *key, struct slice part)
{
    uint32_t n = (uint32_t)part.n;
    buf_add(key, slice_of(&n, sizeof n));
    buf_add(key, part);
}

static bool same_kind(const struct event_kind *a, const struct event_kind *b)
{
    return slice_equal(a->code, b->code) && slice_equal(a->channel, b->channel) &&
           slice_equal(a->provider, b->provider) && slice_equal(a->product, b->product) &&
           slice_equal(a->category, b->category) && slice_equal(a->service, b->service);
}

static struct layout *layout_new(struct json_state *s, const struct json_shape *shape,
                                 const struct event_kind *kind)
{
    struct arena *a = &s->arena;
    struct layout *layout = arena_zero(a, 1, sizeof *layout);
    layout->shape = shape;
    layout->root = arena_zero(a, 1, sizeof *layout->root);
    layout->kind = (struct event_kind){
        arena_slice(a, kind->product),  arena_slice(a, kind->category),
        arena_slice(a, kind->service),  arena_slice(a, kind->channel),
        arena_slice(a, kind->provider), arena_slice(a, kind->code),
    };
    *VEC_PUSH(s->layouts) = layout;
    return layout;
}

static struct layout *layout_of(struct json_state *s, const struct json_shape *shape,
                                const struct event_kind *kind)
{
    if (s->fields_n >= FIELDS_MOST || s->layouts.n >= FIELDS_MOST)
        forget(s);
    if (s->layout && s->layout->shape == shape && same_kind(&s->layout->kind, kind))
        return s->layout;
    buf_clear(&s->key);
    key_part(&s->key, slice_of(&shape, sizeof shape));
    key_part(&s->key, kind->code);
    key_part(&s->key, kind->channel);
    key_part(&s->key, kind->provider);
    key_part(&s->key, kind->product);
    key_part(&s->key, kind->category);
    key_part(&s->key, kind->service);
    bool is_new;
    uint32_t *place = map_put(&s->kinds, buf_slice(&s->key), &is_new);
    if (!is_new)
        return s->layouts.at[*place];
    *place = (uint32_t)s->layouts.n;
    return layout_new(s, shape, kind);
}

/* ---- values ---- */

static void put(struct json_state *s, struct json_field *f, struct value v)
{
    if (f->epoch != s->epoch) {
        f->column = block_column(s->block, f->stored);
        f->epoch = s->epoch;
    }
    s->lost += f->column == BLOCK_NO_COLUMN;
    block_put(s->block, f->column, v);
}

static void put_guid(struct json_state *s, struct json_field *f, struct value v)
{
    char text[GUID_TEXT + 2] = "{";
    struct slice in = slice_of(v.p, v.type == VALUE_TEXT ? v.n : 0);
    if (in.n == GUID_TEXT + 2)
        in = slice_sub(in, 1, GUID_TEXT);
    if (in.n != GUID_TEXT) {
        if (in.n)
            put(s, f, v);
        return;
    }
    for (size_t i = 0; i < GUID_TEXT; i++) {
        char c = in.p[i];
        text[i + 1] = (char)(c >= 'a' && c <= 'f' ? c - 32 : c);
    }
    text[GUID_TEXT + 1] = '}';
    put(s, f, value_of_text(slice_of(text, sizeof text)));
}

static void put_hex(struct json_state *s, struct json_field *f, struct value v)
{
    if (v.type == VALUE_INT || v.type == VALUE_UINT)
        v.type = VALUE_HEX;
    if (v.type != VALUE_NULL)
        put(s, f, v);
}

/* The names that Windows and shippers give to levels (winmeta.xml). */
static void put_level(struct json_state *s, struct json_field *f, struct value v)
{
    static const struct {
        struct slice name;
        uint64_t level;
    } levels[] = {
        {{"critical", 8}, 1},     {{"error", 5}, 2}, {{"warning", 7}, 3},
        {{"information", 11}, 4}, {{"info", 4}, 4},  {{"verbose", 7}, 5},
    };
    struct slice text = slice_of(v.p, v.type == VALUE_TEXT ? v.n : 0);
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (slice_equal_nocase(text, levels[i].name)) {
            put(s, f, (struct value){&levels[i].level, 8, VALUE_UINT});
            return;
        }
    put(s, f, v);
}

/* The names of keywords that stand for their bits alone (winmeta.xml); others stay as they are. */
static void put_keywords(struct json_state *s, struct json_field *f, struct value v)
{
    static const uint64_t success = UINT64_C(0x8020000000000000),
                          failure = UINT64_C(0x8010000000000000),
                          classic = UINT64_C(0x80000000000000);
    struct slice text = slice_of(v.p, v.type == VALUE_TEXT ? v.n : 0);
    if (slice_equal_nocase(text, SLICE("Audit Success")))
        v = (struct value){&success, 8, VALUE_HEX};
    else if (slice_equal_nocase(text, SLICE("Audit Failure")))
        v = (struct value){&failure, 8, VALUE_HEX};
    else if (slice_equal_nocase(text, SLICE("Classic")))
        v = (struct value){&classic, 8, VALUE_HEX};
    put_hex(s, f, v);
}

/* A number since 1970: its size tells the unit, for times from 1973 on. */
static bool time_of_number(double v, timestamp *out)
{
    int64_t unit = v < 1e11 ? NS_PER_SECOND : v < 1e14 ? 1000000 : v < 1e17 ? 1000 : 1;
    if (!(v >= 1e8 && v < 9.2e18))
        return false;
    double whole = floor(v);
    /* a double of seconds since 1970 tells a quarter of a microsecond */
    double part = unit > 1000 ? round((v - whole) * (double)unit / 1e3) * 1e3 : 0;
    return !__builtin_mul_overflow((int64_t)whole, unit, out) &&
           !__builtin_add_overflow(*out, (int64_t)part, out);
}

static bool time_of_text(struct slice s, timestamp *out)
{
    char joined[TIMESTAMP_TEXT];
    s = slice_trim(s);
    if (timestamp_parse(s, out))
        return true;
    if (slice_ends(s, SLICE(" UTC")) || slice_ends(s, SLICE(" GMT")))
        return timestamp_parse(slice_sub(s, 0, s.n - 4), out);
    /* "2026-11-10 10:23:41 +0900": a space before the zone */
    size_t zone = s.n;
    while (zone > 0 && s.p[zone - 1] != ' ')
        zone--;
    if (zone > 11 && s.n - 1 <= sizeof joined) {
        memcpy(joined, s.p, zone - 1);
        memcpy(joined + zone - 1, s.p + zone, s.n - zone);
        return timestamp_parse(slice_of(joined, s.n - 1), out);
    }
    char *end;
    memcpy(joined, s.p, s.n < sizeof joined ? s.n : 0);
    joined[s.n < sizeof joined ? s.n : 0] = '\0';
    double number = strtod(joined, &end);
    return end != joined && !*end && time_of_number(number, out);
}

/* A time as logs write it: RFC 3339 and relatives, or a number since 1970 in seconds, milli-, micro-
 * or nanoseconds by its size. */
static bool json_time(struct value v, timestamp *out)
{
    int64_t i;
    double d;
    switch (v.type) {
    case VALUE_TEXT:
        return time_of_text(slice_of(v.p, v.n), out);
    case VALUE_INT:
    case VALUE_UINT:
        memcpy(&i, v.p, sizeof i);
        if (i >= INT64_C(100000000000000000)) { /* nanoseconds, exactly */
            *out = i;
            return true;
        }
        return time_of_number((double)i, out);
    case VALUE_DOUBLE:
        memcpy(&d, v.p, sizeof d);
        return time_of_number(d, out);
    default:
        return false;
    }
}

static void put_time(struct json_state *s, const struct json_field *f, struct value v)
{
    timestamp time;
    if (f->rank >= s->time_rank && json_time(v, &time)) {
        s->block->times[s->block->rows - 1] = time;
        s->time_rank = f->rank + 1;
    }
}

static void put_record(struct json_state *s, struct value v)
{
    uint64_t record = 0;
    if (v.type == VALUE_INT || v.type == VALUE_UINT)
        memcpy(&record, v.p, sizeof record);
    struct slice text = slice_of(v.p, v.type == VALUE_TEXT ? v.n : 0);
    for (size_t i = 0; i < text.n && i < 19 && text.p[i] >= '0' && text.p[i] <= '9'; i++)
        record = record * 10 + (uint64_t)(text.p[i] - '0');
    if (record)
        s->block->origins[s->block->rows - 1].record = record;
}

/* Sysmon writes an event's fields into the message, as lines "Name: value". */
static void put_lines(struct json_state *s, struct json_field *f, struct value v)
{
    struct slice rest = slice_of(v.p, v.type == VALUE_TEXT ? v.n : 0);
    put(s, f, v);
    if (!slice_equal(s->layout->kind.provider, SLICE("Microsoft-Windows-Sysmon")))
        return;
    while (rest.n) {
        const char *end = memchr(rest.p, '\n', rest.n);
        size_t n = end ? (size_t)(end - rest.p) : rest.n;
        struct slice line = slice_sub(rest, 0, n);
        rest = slice_sub(rest, n + 1, rest.n);
        ptrdiff_t colon = slice_find(line, SLICE(": "));
        struct json_field *below =
            colon > 0 ? field_of(s, f, slice_sub(line, 0, (size_t)colon)) : NULL;
        if (below)
            put(s, below, value_of_text(slice_trim(slice_sub(line, (size_t)colon + 2, line.n))));
    }
}

static void put_value(struct json_state *s, struct json_field *f, struct value v)
{
    switch ((enum json_use)f->use) {
    case USE_PUT:
    case USE_INSERTS: /* one without a name */
        put(s, f, v);
        break;
    case USE_FILLED:
        if (v.type != VALUE_NULL)
            put(s, f, v);
        break;
    case USE_SKIP:
        break;
    case USE_TIME_PUT:
        put(s, f, v);
        put_time(s, f, v);
        break;
    case USE_TIME:
        put_time(s, f, v);
        break;
    case USE_RECORD:
        put_record(s, v);
        break;
    case USE_GUID:
        put_guid(s, f, v);
        break;
    case USE_HEX:
        put_hex(s, f, v);
        break;
    case USE_LEVEL:
        put_level(s, f, v);
        break;
    case USE_KEYWORDS:
        put_keywords(s, f, v);
        break;
    case USE_LINES:
        put_lines(s, f, v);
        break;
    }
}

static void put_inserts(struct json_state *s, uint32_t at, struct json_field *f)
{
    const struct json_tape *t = &s->doc.tape;
    const struct event_kind *kind = &s->layout->kind;
    uint32_t end = json_after(t, at) - 1;
    size_t n = 0;
    for (uint32_t i = at + 1; i < end; i = json_after(t, i))
        n++;
    struct slice names = json_insert_names(kind->provider, kind->code, n);
    for (at++; at < end; at = json_after(t, at)) {
        const char *comma = names.n ? memchr(names.p, ',', names.n) : NULL;
        size_t length = comma ? (size_t)(comma - names.p) : names.n;
        struct json_field *named = length ? field_of(s, f, slice_sub(names, 0, length)) : f;
        if (named && json_type(t, at) != '{' && json_type(t, at) != '[')
            put(s, named, json_value(t, at));
        names = slice_sub(names, length + 1, names.n);
    }
}

static void walk_object(struct json_state *s, uint32_t at, const struct json_field *parent);

/* NOLINTNEXTLINE(misc-no-recursion): JSON_DEPTH bounds it */
static void walk_value(struct json_state *s, uint32_t at, struct json_field *f)
{
    const struct json_tape *t = &s->doc.tape;
    switch (json_type(t, at)) {
    case '{':
        walk_object(s, at, f);
        break;
    case '[':
        if (f->use == USE_INSERTS) {
            put_inserts(s, at, f);
            break;
        }
        for (uint32_t end = json_after(t, at++) - 1; at < end; at = json_after(t, at))
            walk_value(s, at, f);
        break;
    default:
        put_value(s, f, json_value(t, at));
        break;
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): JSON_DEPTH bounds it */
static void walk_object(struct json_state *s, uint32_t at, const struct json_field *parent)
{
    const struct json_tape *t = &s->doc.tape;
    uint32_t end = json_after(t, at) - 1;
    for (at++; at < end; at = json_after(t, at + 1)) {
        struct json_field *f = field_of(s, parent, json_string(t, at));
        if (f)
            walk_value(s, at + 1, f);
        else
            s->lost++;
    }
}

/* ---- a document ---- */

enum json_result json_read(struct json_state *s, struct slice document)
{
    enum json_result result = json_parse(s->parser, document.p, document.n, &s->doc.tape);
    if (result == JSON_OK && json_type(&s->doc.tape, JSON_ROOT) != '{')
        return JSON_BAD;
    return result;
}

static const struct json_shape *match(struct json_state *s, const struct json_shape *const *shapes,
                                      struct event_kind *kind)
{
    for (; *shapes; shapes++) {
        *kind = (struct event_kind){0};
        buf_clear(&s->code);
        if ((*shapes)->kind_of(&s->doc, kind, &s->code))
            return *shapes;
    }
    return NULL;
}

static struct layout *find_layout(struct json_state *s)
{
    struct event_kind kind;
    uint32_t source = s->doc.marks[MARK_SOURCE]; /* a document out of Elasticsearch */
    if (source && json_type(&s->doc.tape, source) == '{') {
        s->doc.root = source;
        find_marks(s);
    }
    const struct json_shape *shape = match(s, json_windows_shapes, &kind);
    if (!shape)
        shape = match(s, json_other_shapes, &kind);
    if (!shape) {
        shape = &json_any_shape;
        shape->kind_of(&s->doc, &kind, &s->code);
    }
    return layout_of(s, shape, &kind);
}

/* The object at `root`, whose marks were found. */
static enum status one_event(struct json_state *s, uint64_t record, struct error *err)
{
    struct layout *layout = s->layout = find_layout(s);
    if (layout->epoch != block_set_epoch(s->blocks)) {
        layout->block = block_set_open(s->blocks, &layout->kind);
        layout->epoch = block_set_epoch(s->blocks);
    }
    struct origin origin = {s->batch->input, record};
    enum status status = block_row(layout->block, TIMESTAMP_NONE, origin, err);
    if (status != OK)
        return status;
    s->epoch = layout->epoch =
        block_set_epoch(s->blocks); /* the block stays, its columns may not */
    s->block = layout->block;
    s->last = layout->root;
    s->time_rank = 0;
    s->lost = 0;
    walk_object(s, s->doc.root, layout->root);
    if (s->lost)
        problem_add(s->problems, s->batch->input, record,
                    "too many different names: %llu values of this event are left out",
                    (unsigned long long)s->lost);
    return OK;
}

/* Whether a document is but a list of objects, as CloudTrail writes its files. */
static bool is_records(const struct json_tape *t, uint32_t list)
{
    if (!list || json_type(t, list) != '[' || json_after(t, list) != json_after(t, JSON_ROOT) - 1)
        return false;
    for (uint32_t at = list + 1, end = json_after(t, list) - 1; at < end; at = json_after(t, at))
        if (json_type(t, at) != '{')
            return false;
    return list == JSON_ROOT + 2; /* behind the brace and the key */
}

enum status json_event(struct json_state *s, uint64_t record, struct error *err)
{
    const struct json_tape *t = &s->doc.tape;
    s->doc.root = JSON_ROOT;
    find_marks(s);
    uint32_t list = s->doc.marks[MARK_RECORDS];
    if (!is_records(t, list))
        return one_event(s, record, err);
    enum status status = OK;
    for (uint32_t at = list + 1, end = json_after(t, list) - 1; status == OK && at < end;
         at = json_after(t, at)) {
        s->doc.root = at;
        find_marks(s);
        status = one_event(s, record, err);
    }
    return status;
}

/* ---- for the shapes ---- */

const struct json_rule *json_rule_for(const struct json_rule *rules, size_t n, struct slice path)
{
    for (size_t i = 0; i < n; i++)
        if (slice_equal(rules[i].path, path))
            return &rules[i];
    return NULL;
}

struct slice json_scalar_text(const struct json_tape *t, uint32_t at, struct buf *room)
{
    if (at && json_type(t, at) == '[')
        at++;
    if (!at || (json_type(t, at) != 'l' && json_type(t, at) != 'u'))
        return json_text(t, at);
    size_t from = room->n;
    if (json_type(t, at) == 'l')
        buf_printf(room, "%lld", (long long)t->words[at + 1]);
    else
        buf_printf(room, "%llu", (unsigned long long)t->words[at + 1]);
    return slice_sub(buf_slice(room), from, room->n);
}
