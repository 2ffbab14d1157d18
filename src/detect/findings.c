#include "detect/findings.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/tempfile.h"
#include "base/vec.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

enum { PIECE_BYTES = 256 << 10 }; /* a worker hands its payloads over in pieces of about this */

/* Many payloads in a row: in memory, or from `offset` in the file. */
struct piece {
    char *bytes; /* NULL: in the file */
    off_t offset;
};

/* A finding, and where its payload is. */
struct entry {
    timestamp time;
    const struct sigma_rule *rule;
    uint64_t record, hash; /* hash: of the payload, so that no two findings are in doubt */
    uint32_t input;
    uint32_t piece, offset, size;
};

struct entries {
    struct entry *at;
    size_t n, cap;
};

struct findings {
    pthread_mutex_t lock; /* over all below, until the workers are freed */
    int fd;
    off_t file_bytes;
    size_t memory; /* payload bytes in memory */
    struct {
        struct piece *at;
        size_t n, cap;
    } pieces;
    struct entries entries;
    struct { /* what findings_next lends */
        struct buf payload;
        struct origin events[FINDING_EVENTS];
        struct finding_field fields[FINDING_FIELDS];
    } lent;
};

struct findings_worker {
    struct findings *findings;
    struct buf payload; /* of its piece */
    uint32_t piece;
    struct entries entries;
};

/* ---- the temporary file ---- */

static enum status read_all(int fd, char *to, size_t size, off_t offset, struct error *err)
{
    for (size_t at = 0; at < size;) {
        ssize_t n = pread(fd, to + at, size - at, offset + (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_system(err, "temporary file", "can't read the findings back");
        if (n == 0)
            return error_set(err, STATUS_SYSTEM, "temporary file", ERROR_NO_OFFSET,
                             "findings are missing from it");
        at += (size_t)n;
    }
    return OK;
}

/* ---- the whole ---- */

struct findings *findings_new(struct error *err)
{
    int fd = tempfile_open(err);
    if (fd < 0)
        return NULL;
    struct findings *f = xcalloc(1, sizeof *f);
    f->fd = fd;
    pthread_mutex_init(&f->lock, NULL);
    return f;
}

void findings_free(struct findings *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->pieces.n; i++)
        free(f->pieces.at[i].bytes);
    free(f->pieces.at);
    free(f->entries.at);
    buf_free(&f->lent.payload);
    pthread_mutex_destroy(&f->lock);
    close(f->fd);
    free(f);
}

void findings_clear(struct findings *f)
{
    for (size_t i = 0; i < f->pieces.n; i++)
        free(f->pieces.at[i].bytes);
    f->pieces.n = f->entries.n = 0;
    f->memory = 0;
    f->file_bytes = 0;
}

size_t findings_count(const struct findings *f)
{
    return f->entries.n;
}

/* ---- adding ---- */

/* A number for the next piece of a worker; its bytes come later. */
static uint32_t begin_piece(struct findings *f)
{
    pthread_mutex_lock(&f->lock);
    uint32_t number = (uint32_t)f->pieces.n;
    *VEC_PUSH(f->pieces) = (struct piece){0};
    pthread_mutex_unlock(&f->lock);
    return number;
}

/* Hands the worker's piece over: to memory while there is room, else to the file. The last one of a
 * worker stays in memory, where nothing can fail. */
static enum status end_piece(struct findings_worker *w, bool last, struct error *err)
{
    struct findings *f = w->findings;
    struct slice bytes = buf_slice(&w->payload);
    struct piece piece = {0};
    pthread_mutex_lock(&f->lock);
    bool spill = !last && f->memory + bytes.n > FINDINGS_MEMORY;
    if (spill) {
        piece.offset = f->file_bytes;
        f->file_bytes += (off_t)bytes.n;
    } else {
        f->memory += bytes.n;
        piece.bytes = memcpy(xmalloc(bytes.n + 1), bytes.n ? bytes.p : "", bytes.n);
    }
    f->pieces.at[w->piece] = piece;
    pthread_mutex_unlock(&f->lock);
    enum status status = spill ? tempfile_write(f->fd, bytes, (uint64_t)piece.offset, err) : OK;
    buf_clear(&w->payload);
    return status;
}

struct findings_worker *findings_worker_new(struct findings *f)
{
    struct findings_worker *w = xcalloc(1, sizeof *w);
    w->findings = f;
    w->piece = begin_piece(f);
    return w;
}

void findings_worker_free(struct findings_worker *w)
{
    if (!w)
        return;
    struct findings *f = w->findings;
    end_piece(w, true, NULL);
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < w->entries.n; i++)
        *VEC_PUSH(f->entries) = w->entries.at[i];
    pthread_mutex_unlock(&f->lock);
    free(w->entries.at);
    buf_free(&w->payload);
    free(w);
}

/* ---- payloads: times, count, the five texts, events, fields; numbers as the machine has them ---- */

static void put_bytes(struct buf *b, const void *p, size_t n)
{
    buf_add(b, slice_of(p, n));
}

static void put_u32(struct buf *b, uint32_t v)
{
    put_bytes(b, &v, sizeof v);
}

static void put_u64(struct buf *b, uint64_t v)
{
    put_bytes(b, &v, sizeof v);
}

/* A text, cut at a character when it is too long. */
static void put_text(struct buf *b, struct slice s)
{
    static const char ellipsis[] = "\xe2\x80\xa6"; /* U+2026 */
    if (s.n <= FINDING_FIELD_BYTES) {
        put_u32(b, (uint32_t)s.n);
        buf_add(b, s);
        return;
    }
    size_t n = FINDING_FIELD_BYTES - (sizeof ellipsis - 1);
    for (size_t back = 0; back < 3 && ((unsigned char)s.p[n] & 0xc0) == 0x80; back++)
        n--; /* bytes 10xxxxxx continue a character */
    put_u32(b, (uint32_t)(n + sizeof ellipsis - 1));
    put_bytes(b, s.p, n);
    put_bytes(b, ellipsis, sizeof ellipsis - 1);
}

static struct slice take_text(struct cursor *c)
{
    return cursor_take(c, cursor_u32(c));
}

static void put_finding(struct buf *b, const struct finding *finding)
{
    uint32_t events = finding->events_n < FINDING_EVENTS ? finding->events_n : FINDING_EVENTS;
    uint32_t fields = finding->fields_n < FINDING_FIELDS ? finding->fields_n : FINDING_FIELDS;
    put_u64(b, (uint64_t)finding->first);
    put_u64(b, finding->count);
    put_text(b, finding->host);
    put_text(b, finding->channel);
    put_text(b, finding->provider);
    put_text(b, finding->code);
    put_u32(b, events);
    for (uint32_t i = 0; i < events; i++) {
        put_u32(b, finding->events[i].input);
        put_u64(b, finding->events[i].record);
    }
    put_u32(b, fields);
    for (uint32_t i = 0; i < fields; i++) {
        put_text(b, finding->fields[i].name);
        put_text(b, finding->fields[i].text);
    }
    put_u64(b,
            finding->group); /* last: it is drawn anew by each run and says nothing of the order */
}

/* False when the payload is not whole, which only a broken temporary file makes. */
static bool take_finding(struct findings *f, struct slice payload, struct finding *out)
{
    struct cursor c = cursor_of(payload);
    out->first = (timestamp)cursor_u64(&c);
    out->count = cursor_u64(&c);
    out->host = take_text(&c);
    out->channel = take_text(&c);
    out->provider = take_text(&c);
    out->code = take_text(&c);
    out->events = f->lent.events;
    out->events_n = cursor_u32(&c);
    if (out->events_n > FINDING_EVENTS)
        return false;
    for (uint32_t i = 0; i < out->events_n; i++) {
        out->events[i].input = cursor_u32(&c);
        out->events[i].record = cursor_u64(&c);
    }
    out->fields = f->lent.fields;
    out->fields_n = cursor_u32(&c);
    if (out->fields_n > FINDING_FIELDS)
        return false;
    for (uint32_t i = 0; i < out->fields_n; i++) {
        out->fields[i].name = take_text(&c);
        out->fields[i].text = take_text(&c);
    }
    out->group = cursor_u64(&c);
    return !c.failed && cursor_left(&c) == 0;
}

enum status findings_add(struct findings_worker *w, const struct finding *finding,
                         struct error *err)
{
    if (w->payload.n >= PIECE_BYTES) {
        enum status status = end_piece(w, false, err);
        w->piece = begin_piece(w->findings);
        if (status != OK)
            return status;
    }
    size_t at = w->payload.n;
    put_finding(&w->payload, finding);
    *VEC_PUSH(w->entries) = (struct entry){
        .time = finding->time,
        .rule = finding->rule,
        .record = finding->events_n ? finding->events[0].record : 0,
        .input = finding->events_n ? finding->events[0].input : 0,
        .hash = XXH3_64bits(w->payload.p + at, w->payload.n - at - sizeof finding->group),
        .piece = w->piece,
        .offset = (uint32_t)at,
        .size = (uint32_t)(w->payload.n - at),
    };
    return OK;
}

/* ---- telling ---- */

static int by_number(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_order(const void *pa, const void *pb)
{
    const struct entry *a = pa, *b = pb;
    bool timeless_a = a->time == TIMESTAMP_NONE, timeless_b = b->time == TIMESTAMP_NONE;
    if (timeless_a != timeless_b)
        return timeless_a - timeless_b;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    int order = a->rule == b->rule ? 0 : slice_compare(a->rule->title, b->rule->title);
    if (!order)
        order = by_number(a->input, b->input);
    if (!order)
        order = by_number(a->record, b->record);
    if (!order)
        order = by_number(a->rule->index, b->rule->index);
    return order ? order : by_number(a->hash, b->hash);
}

void findings_sort(struct findings *f)
{
    if (f->entries.n)
        qsort(f->entries.at, f->entries.n, sizeof *f->entries.at, by_order);
}

bool findings_next(struct findings *f, size_t *at, struct finding *out, struct error *err)
{
    if (err)
        err->status = OK;
    if (*at >= f->entries.n)
        return false;
    const struct entry *entry = &f->entries.at[(*at)++];
    const struct piece *piece = &f->pieces.at[entry->piece];
    struct slice payload = {0};
    if (piece->bytes) {
        payload = slice_of(piece->bytes + entry->offset, entry->size);
    } else {
        buf_clear(&f->lent.payload);
        char *to = buf_room(&f->lent.payload, entry->size);
        payload = slice_of(to, entry->size);
        if (read_all(f->fd, to, entry->size, piece->offset + entry->offset, err) != OK)
            return false;
    }
    *out = (struct finding){.rule = entry->rule, .time = entry->time};
    if (take_finding(f, payload, out))
        return true;
    error_set(err, STATUS_SYSTEM, "temporary file", ERROR_NO_OFFSET, "a finding in it is broken");
    return false;
}
