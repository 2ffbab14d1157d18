/*
 * JSON: documents one after another, one a line or over many lines, or in one array. See docs/json.md.
 */
#include "intake/json_internal.h"
#include "intake/json_scan.h"

#include "base/arena.h"
#include "base/locale.h"

#include <stdlib.h>

enum { DOCUMENT_MOST = 16 << 20 }; /* bytes of one document: its tape takes up to ten times that */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* What stands between documents: white space, an array's comma and brackets, the byte order mark, the
 * separator of RFC 7464, and NULs, which a crash leaves in a log. */
static bool is_between(char c)
{
    return is_space(c) || c == ',' || c == '[' || c == ']' || c == '\x1e' || c == '\0';
}

/* ---- recognising ---- */

static struct slice skip_between(struct slice s)
{
    size_t at = slice_starts(s, SLICE("\xef\xbb\xbf")) ? 3 : 0;
    while (at < s.n && is_between(s.p[at]))
        at++;
    return slice_sub(s, at, s.n);
}

static bool begins_object(struct slice s)
{
    size_t at = 1;
    while (at < s.n && is_space(s.p[at]))
        at++;
    return slice_starts(s, SLICE("{")) && at < s.n && (s.p[at] == '"' || s.p[at] == '}');
}

/* Whether most lines begin an object, the first or not: a log whose first line is cut off. */
static bool lines_of_objects(struct slice s)
{
    size_t lines = 0, objects = 0;
    for (const char *end; (end = memchr(s.p, '\n', s.n)); lines++) {
        s = slice_sub(s, (size_t)(end - s.p) + 1, s.n);
        objects += begins_object(s);
    }
    return lines && objects * 2 >= lines;
}

/* "Record 12", as evtx_dump writes before each document */
static struct slice record_line(struct slice s)
{
    size_t at = SLICE("Record ").n;
    if (!slice_starts(s, SLICE("Record ")))
        return (struct slice){0};
    while (at < s.n && s.p[at] >= '0' && s.p[at] <= '9')
        at++;
    return at == s.n || is_space(s.p[at]) ? slice_sub(s, 0, at) : (struct slice){0};
}

static int recognise(struct slice head, bool whole, struct slice name)
{
    (void)name;
    struct slice s = skip_between(head);
    s = slice_sub(s, record_line(s).n, s.n);
    s = skip_between(s);
    bool broken;
    if (begins_object(s)) {
        bool ends = json_document(s, &broken) || (!broken && !whole);
        return ends ? 90 : 50;
    }
    return lines_of_objects(head) ? 40 : 0;
}

/* ---- decoding ---- */

struct reading {
    struct json_state *state;
    const struct batch *batch;
    struct problems *problems;
    struct buf padded, repaired;
};

/* The place in a batch. */
struct place {
    size_t at;
    uint64_t line;
    size_t split; /* up to here a line holds more than one document */
};

static void advance(struct slice s, struct place *p, size_t n)
{
    const char *end;
    size_t to = p->at + n;
    for (size_t at = p->at; (end = memchr(s.p + at, '\n', to - at)); p->line++)
        at = (size_t)(end - s.p) + 1;
    p->at = to;
}

/* Parses a document of the batch; mends it when that may help. */
static enum json_result parse(struct reading *r, struct slice document)
{
    struct slice all = r->batch->bytes;
    size_t end = (size_t)(document.p - all.p) + document.n;
    if (all.n - end < JSON_PADDING) {
        buf_clear(&r->padded);
        buf_add(&r->padded, document);
        memset(buf_room(&r->padded, JSON_PADDING), 0, JSON_PADDING);
        document = buf_slice(&r->padded);
    }
    enum json_result result = json_read(r->state, document);
    if (result != JSON_BAD_VALUE)
        return result;
    json_repair(document, &r->repaired);
    memset(buf_room(&r->repaired, JSON_PADDING), 0, JSON_PADDING);
    return json_read(r->state, buf_slice(&r->repaired));
}

/* The line's text up to what can follow a document on it. */
static struct slice line_document(struct slice rest)
{
    const char *end = memchr(rest.p, '\n', rest.n);
    size_t n = end ? (size_t)(end - rest.p) : rest.n;
    while (n > 0 && is_between(rest.p[n - 1]))
        n--;
    return slice_sub(rest, 0, n);
}

static const char *why(enum json_result result)
{
    return result == JSON_DEEP ? N_("objects or arrays are nested over 64 deep")
                               : N_("not well-formed JSON");
}

/* The document at p: an event, or a problem. */
static enum status one_document(struct reading *r, struct place *p, struct error *err)
{
    struct slice all = r->batch->bytes, rest = slice_sub(all, p->at, all.n);
    bool shared = p->at < p->split; /* a line with others, whose end is known */
    struct slice document = shared ? slice_sub(rest, 0, p->split - p->at) : line_document(rest);
    enum json_result result = JSON_BAD;
    bool tried = !shared && document.n <= DOCUMENT_MOST && slice_ends(document, SLICE("}"));
    if (tried)
        result = parse(r, document);
    if (result != JSON_OK) {
        bool broken;
        size_t n = json_document(rest, &broken), line_n = document.n;
        if (!n || n > DOCUMENT_MOST) {
            problem_add(r->problems, r->batch->input, p->line, "%s",
                        n                     ? N_("a document of over 16 MiB")
                        : result == JSON_DEEP ? why(result)
                                              : N_("not well-formed JSON: it breaks off"));
            advance(all, p, n ? n : json_resume(all, p->at) - p->at);
            return OK;
        }
        if (n < line_n)
            p->split = p->at + line_n;
        document = slice_sub(rest, 0, n);
        if (!tried || n != line_n)
            result = parse(r, document);
    }
    enum status status = OK;
    if (result == JSON_OK)
        status = json_event(r->state, p->line, err);
    else
        problem_add(r->problems, r->batch->input, p->line, "%s", why(result));
    advance(all, p, document.n);
    return status;
}

static void pass_line(struct reading *r, struct place *p)
{
    struct slice rest = slice_sub(r->batch->bytes, p->at, r->batch->bytes.n);
    const char *end = memchr(rest.p, '\n', rest.n);
    size_t n = end ? (size_t)(end - rest.p) : rest.n;
    if (!record_line(rest).n)
        problem_add(r->problems, r->batch->input, p->line, "not a JSON object");
    p->at += n;
}

static enum status decode(void *state, const struct batch *batch, struct block_set *blocks,
                          struct problems *problems, struct error *err)
{
    struct reading *r = state;
    struct slice all = batch->bytes;
    struct place p = {.line = batch->first_line};
    enum status status = OK;
    r->batch = batch;
    r->problems = problems;
    json_begin(r->state, batch, blocks, problems);
    if (batch->offset == 0 && slice_starts(all, SLICE("\xef\xbb\xbf")))
        p.at = 3;
    while (status == OK && p.at < all.n) {
        char c = all.p[p.at];
        if (c == '{')
            status = one_document(r, &p, err);
        else if (is_between(c))
            advance(all, &p, 1);
        else
            pass_line(r, &p);
    }
    return status;
}

static void *open_state(const struct reader_options *options)
{
    (void)options;
    struct reading *r = xcalloc(1, sizeof *r);
    r->state = json_state_new();
    return r;
}

static void close_state(void *state)
{
    struct reading *r = state;
    json_state_free(r->state);
    buf_free(&r->padded);
    buf_free(&r->repaired);
    free(r);
}

const struct reader json_reader = {
    .name = "json",
    .what = "JSON, one event a line or over several",
    .products = (const char *const[]){"windows", "suricata", "zeek", NULL},
    .text = true,
    .recognise = recognise,
    .frame = json_frame,
    .open = open_state,
    .close = close_state,
    .decode = decode,
};
