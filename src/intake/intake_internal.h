/*
 * What the files of the way in share: the list of inputs while it grows (inputs.c), streams of bytes
 * (stream.c), containers (container.c) and an open input that is cut into batches (source.c).
 */
#ifndef INTAKE_INTAKE_INTERNAL_H
#define INTAKE_INTAKE_INTERNAL_H

#include "intake/intake.h"

#include <stdatomic.h>
#include <sys/types.h>

/* ---- the list of inputs ---- */

/* How many of its bytes are read at most. */
uint64_t inputs_limit(const struct inputs *in, uint32_t number);

/* A member of a container becomes an input of its own. `container` is the input it is in. */
uint32_t inputs_add(struct inputs *in, uint32_t container, struct slice name);

void inputs_set_reader(struct inputs *in, uint32_t number, const struct reader *reader);
void inputs_set_container(struct inputs *in, uint32_t number);
void inputs_count_bytes(struct inputs *in, uint32_t number, uint64_t bytes);
void inputs_count_events(struct inputs *in, uint32_t number, uint64_t events);

/* ---- streams ---- */

enum { STREAM_HEAD = HEAD_BYTES };

/* Bytes that come in order, from a file, a container's member or another stream. */
struct stream {
    /* At most `room` bytes; 0 at the end, -1 on a failure that `failure` then tells. */
    ssize_t (*read)(struct stream *s, char *to, size_t room);
    /* To a place from the start, where that can be done; NULL where not. */
    bool (*seek)(struct stream *s, uint64_t at);
    uint64_t size; /* of a stream that can seek */
    char failure[160];
    char *head; /* what was looked at and not yet read; STREAM_HEAD bytes of room, or NULL */
    size_t head_at, head_n;
};

/* What all who read share with who waits for them. */
struct intake_flow {
    atomic_bool ending;             /* stop soon */
    atomic_uint_fast64_t disk_done; /* bytes read from disk */
};

/* The first bytes, up to STREAM_HEAD, which stay to be read; *whole when these are all. */
struct slice stream_peek(struct stream *s, bool *whole);
ssize_t stream_read(struct stream *s, char *to, size_t room);
bool stream_seek(struct stream *s, uint64_t at);

/* Opens a file, a pipe, or "-" for standard input, of which at most `most` bytes are read; NULL after a
 * message in `failure`. */
struct stream *stream_open(const char *path, uint64_t most, struct intake_flow *flow,
                           char failure[160]);
void stream_close(struct stream *s);

/* UTF-8 made of a UTF-16 stream that begins with a byte order mark. `below` stays the caller's. */
bool stream_is_utf16(struct slice head);
struct stream *stream_utf16(struct stream *below);

/* Takes the first `most` bytes of a stream into memory; when these are all, the result can seek. */
struct stream *stream_spool(struct stream *below, size_t most);

/* ---- containers ---- */

/* Whether bytes that begin so are compressed, or hold files. */
bool container_recognise(struct slice head);

/* Whether it has its list of members at its end, so that reading it well needs seeking. */
bool container_seeks(struct slice head);

struct container;

/* `budget`: how many bytes may still be unpacked; counted down, and shared by what is nested. */
struct container *container_open(struct stream *below, uint64_t *budget);
void container_close(struct container *c);

enum container_next {
    CONTAINER_END,
    CONTAINER_STREAM,  /* no members: one compressed stream */
    CONTAINER_MEMBER,  /* a file: `name` and `member` */
    CONTAINER_PROBLEM, /* a member that can't be read: `name` and `failure`; others may follow */
    CONTAINER_BROKEN,  /* `failure` says why; nothing follows */
};

/* The next member; the one before is no longer read. What comes out is valid until the next call. */
enum container_next container_next(struct container *c, struct slice *name, struct stream **member,
                                   const char **failure);

/* ---- an open input ---- */

struct source;

/* Opens the input `number` and all that is in it, one after the other. */
struct source *source_open(struct inputs *in, uint32_t number, struct problems *problems,
                           struct intake_flow *flow);
void source_close(struct source *s);

/* The next batch, its bytes in `room`. False when nothing is left. */
bool source_batch(struct source *s, struct buf *room, const struct reader **reader,
                  struct batch *batch);

/* What was counted so far: inputs read, unpacked bytes, inputs that nothing recognises. */
struct intake_counts source_counts(const struct source *s);

#endif
