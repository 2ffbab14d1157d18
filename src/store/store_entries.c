/* The entries of the journal, one JSON object a line: made here, and read back here. */
#include "store/store_internal.h"

#include "base/vec.h"
#include "store/retention.h"
#include "store/stamp.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

/* ---- writing ---- */

static void put_name(struct buf *b, const char *name)
{
    buf_printf(b, "%s\"%s\":", b->p[b->n - 1] == '{' ? "" : ",", name);
}

static void put_string(struct buf *b, const char *name, struct slice text)
{
    put_name(b, name);
    buf_json(b, text);
}

static void put_count(struct buf *b, const char *name, uint64_t n)
{
    put_name(b, name);
    buf_printf(b, "%" PRIu64, n);
}

static void put_time(struct buf *b, const char *name, timestamp t)
{
    char text[TIMESTAMP_TEXT];
    if (t == TIMESTAMP_NONE)
        return;
    put_string(b, name, slice_of(text, timestamp_text(t, 9, text)));
}

static void put_digest(struct buf *b, const char *name, const uint8_t digest[HASH_BYTES])
{
    put_name(b, name);
    buf_char(b, '"');
    put_hex(b, slice_of(digest, HASH_BYTES));
    buf_char(b, '"');
}

void entry_folder(struct buf *b, const struct seal_key *key, const struct hash *key_sha256,
                  timestamp made)
{
    char verifier[SEAL_KEY_TEXT];
    seal_verifier(key, verifier);
    buf_add(b, SLICE("{\"entry\":\"folder\",\"format\":1"));
    put_string(b, "key", slice_str(verifier));
    put_digest(b, "key_sha256", key_sha256->bytes);
    put_time(b, "made", made);
    buf_char(b, '}');
}

void entry_file(struct buf *b, const struct store_file *f)
{
    buf_add(b, SLICE("{\"entry\":\"file\""));
    put_digest(b, "sha256", f->sha256.bytes);
    put_count(b, "bytes", f->bytes);
    put_string(b, "name", f->name);
    put_time(b, "modified", f->modified);
    put_time(b, "taken", f->taken);
    put_string(b, "by", f->by);
    put_name(b, "kept");
    buf_add(b, f->kept ? SLICE("true") : SLICE("false"));
    if (f->kept) {
        put_count(b, "kept_bytes", f->kept_bytes);
        put_digest(b, "kept_sha256", f->kept_sha256.bytes);
    }
    if (f->head) {
        put_name(b, "head");
        buf_printf(b, "\"%016" PRIx64 "\"", f->head);
    }
    if (f->continues)
        put_digest(b, "continues", f->continued.bytes);
    put_name(b, "inputs");
    buf_char(b, '[');
    for (size_t i = 0; i < f->inputs_n; i++) {
        const struct store_input *in = &f->inputs[i];
        buf_add(b, i ? SLICE(",{") : SLICE("{"));
        put_count(b, "number", in->number);
        put_string(b, "name", in->name);
        put_string(b, "format", in->format);
        put_count(b, "events", in->events);
        if (in->known)
            put_count(b, "known", in->known);
        put_count(b, "problems", in->problems);
        buf_char(b, '}');
    }
    buf_add(b, SLICE("]}"));
}

void entry_segment(struct buf *b, const char *name, const struct segment_told *told)
{
    buf_add(b, SLICE("{\"entry\":\"segment\""));
    put_string(b, "name", slice_str(name));
    put_digest(b, "sha256", told->sha256);
    put_count(b, "bytes", told->bytes);
    put_count(b, "events", told->events);
    put_count(b, "blocks", told->blocks);
    put_time(b, "first", told->first);
    put_time(b, "last", told->last);
    buf_char(b, '}');
}

static void put_names(struct buf *b, const char *name, const char *const *names, size_t n)
{
    put_name(b, name);
    buf_char(b, '[');
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_char(b, ',');
        buf_json(b, slice_str(names[i]));
    }
    buf_char(b, ']');
}

void entry_merge(struct buf *b, const char *const *of, size_t of_n, const char *const *into,
                 size_t into_n)
{
    buf_add(b, SLICE("{\"entry\":\"merge\""));
    put_names(b, "of", of, of_n);
    put_names(b, "into", into, into_n);
    buf_char(b, '}');
}

/* The period of a rule; for ever is none. */
static void put_period(struct buf *b, int64_t period)
{
    if (period != INT64_MAX)
        put_count(b, "seconds", (uint64_t)(period / NS_PER_SECOND));
}

void entry_retain(struct buf *b, const struct store_retain *r)
{
    buf_add(b, SLICE("{\"entry\":\"retain\""));
    put_string(b, "source", r->source);
    put_period(b, r->period);
    put_string(b, "reason", r->reason);
    put_time(b, "at", r->at);
    put_string(b, "by", r->by);
    buf_char(b, '}');
}

void entry_hold(struct buf *b, const struct store_hold *h)
{
    buf_add(b, SLICE("{\"entry\":\"hold\""));
    put_string(b, "name", h->name);
    put_string(b, "reason", h->reason);
    put_time(b, "from", h->from);
    put_time(b, "to", h->to);
    if (h->host.n)
        put_string(b, "host", h->host);
    if (h->source.n)
        put_string(b, "source", h->source);
    put_time(b, "at", h->at);
    put_string(b, "by", h->by);
    buf_char(b, '}');
}

void entry_release(struct buf *b, struct slice name, struct slice reason, struct slice by,
                   timestamp at)
{
    buf_add(b, SLICE("{\"entry\":\"release\""));
    put_string(b, "name", name);
    put_string(b, "reason", reason);
    put_time(b, "at", at);
    put_string(b, "by", by);
    buf_char(b, '}');
}

void entry_stamp(struct buf *b, const struct store_stamp *stamp)
{
    buf_add(b, SLICE("{\"entry\":\"timestamp\""));
    put_count(b, "size", stamp->size);
    put_string(b, "url", stamp->url);
    put_time(b, "at", stamp->at);
    put_string(b, "by", stamp->by);
    buf_add(b, SLICE(",\"response\":\""));
    put_base64(b, stamp->response);
    buf_add(b, SLICE("\"}"));
}

void entry_expire(struct buf *b, const struct expiry *e)
{
    uint64_t events = 0;
    buf_add(b, SLICE("{\"entry\":\"expire\""));
    put_names(b, "of", e->of, e->of_n);
    put_names(b, "into", e->into, e->into_n);
    buf_add(b, SLICE(",\"why\":["));
    for (size_t i = 0; i < e->sources_n; i++) {
        const struct expired_source *s = &e->sources[i];
        buf_add(b, i ? SLICE(",{") : SLICE("{"));
        put_string(b, "source", s->source);
        put_count(b, "events", s->events);
        put_time(b, "first", s->first);
        put_time(b, "last", s->last);
        put_period(b, s->rule->period);
        put_string(b, "reason", s->rule->reason);
        buf_char(b, '}');
        events += s->events;
    }
    buf_add(b, SLICE("],\"files\":["));
    for (size_t i = 0; i < e->files_n; i++) {
        buf_add(b, i ? SLICE(",{") : SLICE("{"));
        put_count(b, "entry", e->files[i]->entry);
        put_digest(b, "sha256", e->files[i]->sha256.bytes);
        buf_char(b, '}');
    }
    buf_char(b, ']');
    put_count(b, "events", events);
    put_time(b, "at", e->at);
    put_string(b, "by", e->by);
    buf_char(b, '}');
}

/* ---- understanding ---- */

/* An entry as it is read; what is missing or of another type makes it bad. */
struct reading {
    struct store *s;
    bool bad;
};

static struct slice get_string(struct reading *r, const json_t *o, const char *name)
{
    const json_t *text = json_object_get(o, name);
    r->bad |= !json_is_string(text);
    if (r->bad)
        return (struct slice){0};
    return arena_slice(&r->s->arena, slice_of(json_string_value(text), json_string_length(text)));
}

static uint64_t get_count(struct reading *r, const json_t *o, const char *name)
{
    const json_t *n = json_object_get(o, name);
    json_int_t value = json_is_integer(n) ? json_integer_value(n) : -1;
    r->bad |= value < 0;
    return value < 0 ? 0 : (uint64_t)value;
}

static timestamp get_time(struct reading *r, const json_t *o, const char *name)
{
    const json_t *text = json_object_get(o, name);
    timestamp t = TIMESTAMP_NONE;
    if (text && !(json_is_string(text) &&
                  timestamp_parse(slice_of(json_string_value(text), json_string_length(text)), &t)))
        r->bad = true;
    return t;
}

static void get_digest(struct reading *r, const json_t *o, const char *name,
                       uint8_t digest[HASH_BYTES])
{
    struct slice text = get_string(r, o, name);
    struct buf again = {0};
    r->bad |= text.n != (size_t)HASH_BYTES * 2;
    for (size_t i = 0; !r->bad && i < HASH_BYTES; i++) {
        char pair[3] = {text.p[2 * i], text.p[2 * i + 1], '\0'};
        digest[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    if (!r->bad)
        put_hex(&again, slice_of(digest, HASH_BYTES));
    r->bad |= !slice_equal(buf_slice(&again), text); /* lower case, and nothing but digits */
    buf_free(&again);
}

static uint64_t get_head(struct reading *r, const json_t *o)
{
    struct slice text = get_string(r, o, "head");
    char *end;
    r->bad |= text.n != 16;
    uint64_t head = r->bad ? 0 : strtoull(text.p, &end, 16);
    r->bad |= !r->bad && (*end || !head);
    return head;
}

static void apply_folder(struct reading *r, const json_t *o)
{
    struct store *s = r->s;
    struct seal_key *key = seal_from_verifier(get_string(r, o, "key"));
    get_digest(r, o, "key_sha256", s->key_sha256.bytes);
    s->made = get_time(r, o, "made");
    r->bad |= !key || get_count(r, o, "format") != 1;
    seal_key_free(s->key);
    s->key = key;
}

static void apply_input(struct reading *r, const json_t *o, struct store_input *in)
{
    uint64_t number = get_count(r, o, "number");
    in->number = (uint32_t)number;
    in->name = get_string(r, o, "name");
    in->format = get_string(r, o, "format");
    in->events = get_count(r, o, "events");
    if (json_object_get(o, "known"))
        in->known = get_count(r, o, "known");
    in->problems = get_count(r, o, "problems");
    r->bad |= number >= UINT32_MAX;
    if (!r->bad && in->number >= r->s->next_input)
        r->s->next_input = in->number + 1;
}

static void apply_file(struct reading *r, const json_t *o, uint64_t number)
{
    struct store *s = r->s;
    struct store_file f = {.entry = number};
    const json_t *inputs = json_object_get(o, "inputs"), *kept = json_object_get(o, "kept");
    get_digest(r, o, "sha256", f.sha256.bytes);
    f.bytes = get_count(r, o, "bytes");
    f.name = get_string(r, o, "name");
    f.by = get_string(r, o, "by");
    f.modified = get_time(r, o, "modified");
    f.taken = get_time(r, o, "taken");
    r->bad |= !json_is_boolean(kept) || !json_is_array(inputs);
    f.kept = json_is_true(kept);
    if (f.kept) {
        f.kept_bytes = get_count(r, o, "kept_bytes");
        get_digest(r, o, "kept_sha256", f.kept_sha256.bytes);
    }
    if (json_object_get(o, "head"))
        f.head = get_head(r, o);
    f.continues = json_object_get(o, "continues");
    if (f.continues)
        get_digest(r, o, "continues", f.continued.bytes);
    f.inputs_n = json_array_size(inputs);
    f.inputs = arena_zero(&s->arena, f.inputs_n, sizeof *f.inputs);
    for (size_t i = 0; i < f.inputs_n; i++)
        apply_input(r, json_array_get(inputs, i), &f.inputs[i]);
    if (r->bad)
        return;
    if (s->files_n == s->files_cap) {
        s->files_cap = s->files_cap ? s->files_cap * 2 : 64;
        s->files = xrealloc(s->files, s->files_cap, sizeof *s->files);
    }
    bool is_new;
    if (f.head) {
        uint32_t *last = map_put(&s->by_head, slice_of(&f.head, sizeof f.head), &is_new);
        f.same_head = *last;
        *last = (uint32_t)s->files_n + 1;
    }
    s->files[s->files_n++] = f;
    uint32_t *first = map_put(&s->by_sha256,
                              slice_of(s->files[s->files_n - 1].sha256.bytes, HASH_BYTES), &is_new);
    if (is_new || s->files[*first - 1].expired)
        *first = (uint32_t)s->files_n;
}

/* A name that is one file of the folder of segments and nothing else. */
static bool is_segment_name(struct slice name)
{
    if (name.n < 5 || name.n > 31 || !slice_ends(name, SLICE(".seg")))
        return false;
    for (size_t i = 0; i < name.n - 4; i++)
        if (name.p[i] < '0' || name.p[i] > '9')
            return false;
    return true;
}

static void apply_segment(struct reading *r, const json_t *o, uint64_t number)
{
    struct store *s = r->s;
    struct store_segment seg = {.entry = number, .name = get_string(r, o, "name")};
    get_digest(r, o, "sha256", seg.told.sha256);
    seg.told.bytes = get_count(r, o, "bytes");
    seg.told.events = get_count(r, o, "events");
    seg.told.blocks = get_count(r, o, "blocks");
    seg.told.first = get_time(r, o, "first");
    seg.told.last = get_time(r, o, "last");
    r->bad |= !is_segment_name(seg.name);
    if (r->bad)
        return;
    if (s->segments_n == s->segments_cap) {
        s->segments_cap = s->segments_cap ? s->segments_cap * 2 : 64;
        s->segments = xrealloc(s->segments, s->segments_cap, sizeof *s->segments);
    }
    s->segments[s->segments_n++] = seg;
}

static struct store_segment *segment_named(struct store *s, const json_t *name)
{
    if (!json_is_string(name))
        return NULL;
    struct slice text = slice_of(json_string_value(name), json_string_length(name));
    for (size_t i = s->segments_n; i > 0; i--)
        if (slice_equal(s->segments[i - 1].name, text))
            return &s->segments[i - 1];
    return NULL;
}

/* Segments that go, and those that hold what stays of them: `less` events fewer. */
static void apply_replacement(struct reading *r, const json_t *o, uint64_t less)
{
    const json_t *of = json_object_get(o, "of"), *into = json_object_get(o, "into");
    uint64_t before = 0, after = less;
    r->bad |= !json_is_array(of) || !json_is_array(into);
    for (size_t i = 0; !r->bad && i < json_array_size(of); i++) {
        struct store_segment *seg = segment_named(r->s, json_array_get(of, i));
        r->bad |= !seg || seg->gone;
        if (r->bad)
            return;
        before += seg->told.events;
        seg->gone = true;
    }
    for (size_t i = 0; !r->bad && i < json_array_size(into); i++) {
        const struct store_segment *seg = segment_named(r->s, json_array_get(into, i));
        r->bad |= !seg || seg->gone;
        after += seg ? seg->told.events : 0;
    }
    r->bad |= before != after;
}

static int64_t get_period(struct reading *r, const json_t *o)
{
    if (!json_object_get(o, "seconds"))
        return INT64_MAX;
    uint64_t seconds = get_count(r, o, "seconds");
    r->bad |= seconds > INT64_MAX / NS_PER_SECOND;
    return r->bad ? 0 : (int64_t)seconds * NS_PER_SECOND;
}

static timestamp get_moment(struct reading *r, const json_t *o, const char *name)
{
    timestamp t = get_time(r, o, name);
    r->bad |= t == TIMESTAMP_NONE;
    return t;
}

static void apply_retain(struct reading *r, const json_t *o, uint64_t number)
{
    struct store_retain rule = {
        .source = get_string(r, o, "source"),
        .reason = get_string(r, o, "reason"),
        .by = get_string(r, o, "by"),
        .period = get_period(r, o),
        .at = get_moment(r, o, "at"),
        .entry = number,
    };
    r->bad |= !rule.reason.n;
    if (!r->bad)
        *VEC_PUSH(r->s->retains) = rule;
}

/* The hold of that name that is in force. */
static struct store_hold *hold_named(struct store *s, struct slice name)
{
    for (size_t i = 0; i < s->holds.n; i++)
        if (!s->holds.at[i].released && slice_equal(s->holds.at[i].name, name))
            return &s->holds.at[i];
    return NULL;
}

static void apply_hold(struct reading *r, const json_t *o, uint64_t number)
{
    struct store_hold hold = {
        .name = get_string(r, o, "name"),
        .reason = get_string(r, o, "reason"),
        .by = get_string(r, o, "by"),
        .at = get_moment(r, o, "at"),
        .from = get_time(r, o, "from"),
        .to = get_time(r, o, "to"),
        .entry = number,
    };
    if (json_object_get(o, "host"))
        hold.host = get_string(r, o, "host");
    if (json_object_get(o, "source"))
        hold.source = get_string(r, o, "source");
    r->bad |= !hold.reason.n || hold_named(r->s, hold.name);
    if (!r->bad)
        *VEC_PUSH(r->s->holds) = hold;
}

static void apply_release(struct reading *r, const json_t *o)
{
    struct store_hold *hold = hold_named(r->s, get_string(r, o, "name"));
    get_moment(r, o, "at");
    get_string(r, o, "by");
    r->bad |= !hold || !get_string(r, o, "reason").n;
    if (!r->bad)
        hold->released = true;
}

/* The rule by which events went is one that was in force, and it was past their time; no hold that an
 * entry can show to be about all of them was in force. */
static uint64_t apply_expired_source(struct reading *r, const json_t *o, timestamp at)
{
    struct slice source = get_string(r, o, "source");
    int64_t period = get_period(r, o);
    timestamp first = get_moment(r, o, "first"), last = get_moment(r, o, "last");
    if (r->bad)
        return 0;
    const struct store_retain *rule = retention_rule(r->s, source);
    r->bad |= !rule || period == INT64_MAX || rule->period != period || last >= at - period;
    for (size_t i = 0; i < r->s->holds.n; i++) {
        const struct store_hold *hold = &r->s->holds.at[i];
        r->bad |= !hold->released && !hold->host.n && hold_is_of_source(hold, source) &&
                  (hold->from == TIMESTAMP_NONE || hold->from <= first) &&
                  (hold->to == TIMESTAMP_NONE || last < hold->to);
    }
    return get_count(r, o, "events");
}

static void apply_expire(struct reading *r, const json_t *o)
{
    const json_t *why = json_object_get(o, "why"), *files = json_object_get(o, "files");
    timestamp at = get_moment(r, o, "at");
    uint64_t events = 0;
    r->bad |= !json_is_array(why) || !json_is_array(files);
    for (size_t i = 0; !r->bad && i < json_array_size(why); i++)
        events += apply_expired_source(r, json_array_get(why, i), at);
    uint64_t told = get_count(r, o, "events");
    r->bad |= events != told;
    apply_replacement(r, o, events);
    for (size_t i = 0; !r->bad && i < json_array_size(files); i++) {
        uint64_t entry = get_count(r, json_array_get(files, i), "entry");
        struct store_file *file = NULL;
        for (size_t k = 0; !file && k < r->s->files_n; k++)
            if (r->s->files[k].entry == entry)
                file = &r->s->files[k];
        r->bad |= !file || file->expired;
        if (!r->bad)
            file->expired = true;
    }
}

static void apply_stamp(struct reading *r, const json_t *o, uint64_t number)
{
    struct store_stamp stamp = {
        .size = get_count(r, o, "size"),
        .url = get_string(r, o, "url"),
        .by = get_string(r, o, "by"),
        .at = get_moment(r, o, "at"),
        .entry = number,
    };
    struct slice text = get_string(r, o, "response");
    uint8_t *bytes = arena_alloc(&r->s->arena, text.n);
    ptrdiff_t n = take_base64(text, bytes, text.n);
    r->bad |= n <= 0 || stamp.size > number || !stamp_note(r->s, &stamp).p;
    if (r->bad)
        return;
    stamp.response = slice_of(bytes, (size_t)n);
    *VEC_PUSH(r->s->stamps) = stamp;
}

enum status entry_apply(struct store *s, uint64_t number, struct error *err)
{
    struct reading r = {.s = s};
    struct slice line = s->journal.entries.at[number];
    json_t *o = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, NULL);
    const char *entry = json_string_value(json_object_get(o, "entry"));
    if (!entry || (strcmp(entry, "folder") == 0) != (number == 0))
        r.bad = true;
    else if (number == 0)
        apply_folder(&r, o);
    else if (strcmp(entry, "file") == 0)
        apply_file(&r, o, number);
    else if (strcmp(entry, "segment") == 0)
        apply_segment(&r, o, number);
    else if (strcmp(entry, "merge") == 0)
        apply_replacement(&r, o, 0);
    else if (strcmp(entry, "retain") == 0)
        apply_retain(&r, o, number);
    else if (strcmp(entry, "hold") == 0)
        apply_hold(&r, o, number);
    else if (strcmp(entry, "release") == 0)
        apply_release(&r, o);
    else if (strcmp(entry, "expire") == 0)
        apply_expire(&r, o);
    else if (strcmp(entry, "timestamp") == 0)
        apply_stamp(&r, o, number);
    else
        r.bad = true;
    json_decref(o);
    if (r.bad)
        return error_set(err, STATUS_BAD_INPUT, s->journal.path, s->journal.lines.at[number],
                         "this entry makes no sense to this version of hikeshi");
    return OK;
}
