#include "intake/intake_internal.h"

#include "base/arena.h"
#include "base/locale.h"

#include <stdlib.h>

enum {
    NESTED_MOST = 3,        /* containers in one another: a zip in a tar.gz in a zip */
    MEMBERS_MOST = 1 << 17, /* of one input on disk */
    LOOK_AHEAD = 4096,      /* read beyond a batch, to know whether it is the last */
    SPOOL_MOST = 32 << 20,  /* of a zip or 7z that can't be sought in, taken into memory */
    UNPACKED_TIMES = 1000,  /* of the size on disk; deflate reaches 1032 and logs about 100 */
    UNPACKED_ALWAYS = 256 << 20,
};
#define UNPACKED_OF_PIPE (UINT64_C(1) << 40)

struct layer {
    struct container *container;
    struct stream *spool; /* owned, when it reads from one */
    uint32_t input;
    bool single; /* one compressed stream: the input itself */
};

/* The input that is cut into batches now. */
struct leaf {
    struct stream *stream; /* NULL: none is open */
    struct stream *utf16;  /* owned, when the stream is one */
    const struct reader *reader;
    uint32_t input;
    uint64_t offset, line; /* of what comes next */
    bool end;              /* the stream gives no more */
    uint64_t noted[READER_NOTES];
};

struct source {
    struct inputs *inputs;
    struct problems *problems;
    struct intake_flow *flow;
    struct stream *file;
    struct layer layers[NESTED_MOST];
    int depth;
    struct leaf leaf;
    struct buf carry; /* read, but part of the next batch */
    uint64_t budget;
    uint32_t members;
    struct intake_counts counts;
};

/* Then streams end early, which is no problem of theirs. */
static bool is_ending(const struct source *s)
{
    return atomic_load(&s->flow->ending);
}

/* ---- from the file on disk down to what holds records ---- */

static void begin_container(struct source *s, struct stream *below, uint32_t input)
{
    if (s->depth == NESTED_MOST) {
        problem_add(s->problems, input, 0, "more than %d containers in one another: not opened",
                    NESTED_MOST);
        return;
    }
    bool whole, seeks = container_seeks(stream_peek(below, &whole));
    struct stream *spool = seeks && !below->seek ? stream_spool(below, SPOOL_MOST) : NULL;
    s->layers[s->depth++] = (struct layer){
        .container = container_open(spool ? spool : below, &s->budget),
        .spool = spool,
        .input = input,
    };
}

static void end_container(struct source *s)
{
    struct layer *layer = &s->layers[--s->depth];
    container_close(layer->container);
    stream_close(layer->spool);
}

static void begin_leaf(struct source *s, struct stream *stream, uint32_t input, struct slice name)
{
    struct leaf *leaf = &s->leaf;
    bool whole;
    struct slice head = stream_peek(stream, &whole);
    s->counts.inputs++;
    *leaf = (struct leaf){.input = input, .line = 1};
    if (stream->failure[0] && !head.n) /* else the reading comes to it */
        problem_add(s->problems, input, 0, "%s", stream->failure);
    if (!head.n)
        return;
    if (stream_is_utf16(head)) {
        stream = leaf->utf16 = stream_utf16(stream);
        head = stream_peek(stream, &whole);
    }
    leaf->reader = reader_for(head, whole, name);
    if (leaf->reader) {
        leaf->stream = stream;
        inputs_set_reader(s->inputs, input, leaf->reader);
        return;
    }
    s->counts.inputs_unknown++;
    problem_add(s->problems, input, 0, "nothing recognises this format");
    stream_close(leaf->utf16);
    leaf->utf16 = NULL;
}

/* A stream is a container or holds records; `name` is a hint. */
static void begin(struct source *s, struct stream *stream, uint32_t input, struct slice name)
{
    bool whole;
    stream->failure[0] = '\0';
    if (container_recognise(stream_peek(stream, &whole)))
        begin_container(s, stream, input);
    else
        begin_leaf(s, stream, input, name);
}

enum intake_stream intake_stream_is(struct slice head, bool whole, struct slice name,
                                    const struct reader **reader)
{
    if (container_recognise(head) || stream_is_utf16(head))
        return STREAM_WHOLE;
    *reader = head.n ? reader_for(head, whole, name) : NULL;
    return !*reader ? STREAM_UNKNOWN : (*reader)->text ? STREAM_RECORDS : STREAM_WHOLE;
}

bool intake_recognises(const char *path)
{
    struct intake_flow flow = {0};
    char failure[160];
    const struct reader *reader;
    struct stream *file = stream_open(path, UINT64_MAX, &flow, failure), *utf16 = NULL;
    if (!file)
        return false;
    bool whole;
    struct slice head = stream_peek(file, &whole);
    if (stream_is_utf16(head))
        head = stream_peek(utf16 = stream_utf16(file), &whole);
    bool known = intake_stream_is(head, whole, slice_str(path), &reader) != STREAM_UNKNOWN;
    stream_close(utf16);
    stream_close(file);
    return known;
}

/* "evidence.json.gz" -> "evidence.json" */
static struct slice without_extension(struct slice name)
{
    for (size_t n = name.n; n > 0 && name.p[n - 1] != '/'; n--)
        if (name.p[n - 1] == '.')
            return slice_sub(name, 0, n - 1);
    return name;
}

/* Goes on to the next member of the innermost container, or leaves it. */
static void next_member(struct source *s)
{
    struct layer *layer = &s->layers[s->depth - 1];
    struct slice name;
    struct stream *member;
    const char *failure = NULL;
    uint32_t input = layer->input;
    enum container_next next = container_next(layer->container, &name, &member, &failure);
    if (next == CONTAINER_STREAM) {
        layer->single = true;
        begin(s, member, input, without_extension(inputs_get(s->inputs, input)->name));
        return;
    }
    if (!layer->single)
        inputs_set_container(s->inputs, input);
    if ((next == CONTAINER_MEMBER || next == CONTAINER_PROBLEM) && ++s->members > MEMBERS_MOST) {
        next = CONTAINER_BROKEN;
        failure = N_("holds over 131072 files: the rest is not read");
    }
    if (next == CONTAINER_MEMBER || next == CONTAINER_PROBLEM)
        input = inputs_add(s->inputs, input, name);
    if (failure && !is_ending(s))
        problem_add(s->problems, input, 0, "%s", failure);
    if (next == CONTAINER_MEMBER)
        begin(s, member, input, inputs_get(s->inputs, input)->name);
    else if (next != CONTAINER_PROBLEM)
        end_container(s);
}

struct source *source_open(struct inputs *in, uint32_t number, struct problems *problems,
                           struct intake_flow *flow)
{
    struct source *s = xcalloc(1, sizeof *s);
    char failure[160];
    const char *path = inputs_path(in, number);
    s->inputs = in;
    s->problems = problems;
    s->flow = flow;
    if (!path)
        return s;
    s->file = stream_open(path, inputs_limit(in, number), flow, failure);
    if (!s->file) {
        problem_add(problems, number, 0, "%s", failure);
        return s;
    }
    s->budget = s->file->seek ? UNPACKED_ALWAYS + s->file->size * UNPACKED_TIMES : UNPACKED_OF_PIPE;
    begin(s, s->file, number, inputs_get(in, number)->name);
    return s;
}

static void end_leaf(struct source *s)
{
    stream_close(s->leaf.utf16);
    s->leaf = (struct leaf){0};
    buf_clear(&s->carry);
}

void source_close(struct source *s)
{
    if (!s)
        return;
    end_leaf(s);
    while (s->depth > 0)
        end_container(s);
    stream_close(s->file);
    buf_free(&s->carry);
    free(s);
}

struct intake_counts source_counts(const struct source *s)
{
    return s->counts;
}

/* ---- cutting ---- */

/* Where problems of the leaf are now: a line for text, else a byte. */
static uint64_t place(const struct leaf *leaf)
{
    return leaf->reader->text ? leaf->line : leaf->offset;
}

static void read_up_to(struct source *s, struct buf *b, size_t want)
{
    struct leaf *leaf = &s->leaf;
    while (!leaf->end && b->n < want) {
        ssize_t n = stream_read(leaf->stream, buf_room(b, want - b->n), want - b->n);
        if (n < 0 && !is_ending(s))
            problem_add(s->problems, leaf->input,
                        leaf->reader->text ? leaf->line + slice_count(buf_slice(b), SLICE("\n"))
                                           : leaf->offset + b->n,
                        "%s", leaf->stream->failure);
        leaf->end = n <= 0;
        b->n += n > 0 ? (size_t)n : 0;
    }
}

static size_t cut_after_line(struct slice bytes)
{
    size_t n = bytes.n;
    while (n > 0 && bytes.p[n - 1] != '\n')
        n--;
    return n;
}

static void pass(struct leaf *leaf, struct slice bytes)
{
    leaf->offset += bytes.n;
    if (leaf->reader->text)
        leaf->line += slice_count(bytes, SLICE("\n"));
}

size_t intake_cut(const struct reader *reader, struct slice bytes, uint64_t offset)
{
    return reader->frame ? reader->frame(bytes, offset, false) : cut_after_line(bytes);
}

/* Fills `b` and returns how many of its bytes are whole records; 0 at the end of the leaf. */
static size_t fill(struct source *s, struct buf *b)
{
    struct leaf *leaf = &s->leaf;
    size_t want = BATCH_BYTES + LOOK_AHEAD;
    for (;;) {
        read_up_to(s, b, want);
        if (leaf->end && !is_ending(s))
            return b->n;
        size_t n = intake_cut(leaf->reader, buf_slice(b), leaf->offset);
        if (n || leaf->end) /* all is ending: what is whole is still handed on */
            return n;
        if (want >= BATCH_BYTES_MOST) {
            problem_add(s->problems, leaf->input, place(leaf),
                        "a record of over %d MiB: passed over", BATCH_BYTES_MOST >> 20);
            pass(leaf, buf_slice(b));
            buf_clear(b);
            want = BATCH_BYTES;
        }
        want = want * 2 < BATCH_BYTES_MOST ? want * 2 : BATCH_BYTES_MOST;
    }
}

static bool next_batch(struct source *s, struct buf *room, struct batch *batch)
{
    struct leaf *leaf = &s->leaf;
    buf_clear(room);
    buf_add(room, buf_slice(&s->carry));
    buf_clear(&s->carry);
    size_t n = fill(s, room);
    if (!n)
        return false;
    buf_add(&s->carry, slice_sub(buf_slice(room), n, room->n));
    read_up_to(s, &s->carry, 1);
    room->n = n;
    *batch = (struct batch){
        .bytes = buf_slice(room),
        .offset = leaf->offset,
        .first_line = leaf->reader->text ? leaf->line : 0,
        .input = leaf->input,
        .name = inputs_get(s->inputs, leaf->input)->name,
        .last = leaf->end && !s->carry.n,
    };
    reader_note(leaf->reader, batch, leaf->noted);
    pass(leaf, batch->bytes);
    s->counts.bytes += n;
    inputs_count_bytes(s->inputs, leaf->input, n);
    return true;
}

bool source_batch(struct source *s, struct buf *room, const struct reader **reader,
                  struct batch *batch)
{
    for (;;) {
        if (s->leaf.stream) {
            *reader = s->leaf.reader;
            if (next_batch(s, room, batch))
                return true;
            end_leaf(s);
        }
        if (!s->depth)
            return false;
        next_member(s);
    }
}
