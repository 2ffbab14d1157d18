/*
 * A reader turns the bytes of one log format into events. Adding a format is one file with a
 * `const struct reader` and one line in reader_table.c.
 *
 * An input is cut into batches (about BATCH_BYTES, whole records); batches of one input may be
 * decoded by different threads at the same time and in any order, so a reader keeps nothing between
 * them but a cache in its own per-thread state, and a few numbers that it notes (note below).
 */
#ifndef INTAKE_READER_H
#define INTAKE_READER_H

#include "event/block.h"
#include "intake/problem.h"

enum {
    BATCH_BYTES = 1 << 20,       /* what a batch aims at */
    BATCH_BYTES_MOST = 64 << 20, /* the longest record or document that a batch may hold */
    HEAD_BYTES = 64 << 10,       /* what recognise() is shown */
    READER_NOTES = 2,            /* numbers that a reader may note of an input */
};

/* Whole records of one input. */
struct batch {
    struct slice bytes;
    uint64_t offset;     /* of bytes within the (unpacked) input */
    uint64_t first_line; /* for text formats: number of the first line in bytes, from 1; else 0 */
    uint32_t input;      /* the input's number, for origins and problems */
    struct slice name;   /* the input's name, a hint */
    bool last;           /* the input ends with this batch */
    uint64_t noted[READER_NOTES]; /* what the reader noted of the batches before; zeros at first */
};

struct reader_options {
    bool carve; /* also look for records in slack space and between damaged parts */
};

struct reader {
    const char *name;            /* "evtx", "json" */
    const char *what;            /* one line for people: "Windows event log (.evtx)" */
    const char *const *products; /* that its events name (event_kind.product), ended by NULL */
    bool text; /* lines: batches carry first_line, and problems give line numbers */

    /* 0 when `head` (the first bytes, up to HEAD_BYTES, `whole` when that is all of the input) is not
     * of this format, up to 100 when it surely is. `name` is the file name, a hint only. */
    int (*recognise)(struct slice head, bool whole, struct slice name);

    /* How many bytes at the start of `bytes` are whole records that can be decoded now. `offset` is
     * their place in the input; `last` means that nothing follows (then everything is handed out).
     * 0 asks for more bytes. NULL: cut after the last line end. */
    size_t (*frame)(struct slice bytes, uint64_t offset, bool last);

    /* Looks at a batch for what those behind it must know, and changes the notes; NULL when there is
     * nothing. Batches of an input come here in order. It must cost little next to decoding. */
    void (*note)(const struct batch *batch, uint64_t noted[READER_NOTES]);

    /* Per-thread state, NULL on none. */
    void *(*open)(const struct reader_options *options);
    void (*close)(void *state);

    /* Decodes a batch into blocks. Bad records are reported to `problems` and skipped; only a
     * failure of the sink is returned. */
    enum status (*decode)(void *state, const struct batch *batch, struct block_set *blocks,
                          struct problems *problems, struct error *err);
};

/* Gives a batch, which must be the next of its input, what was noted before, and notes it. */
static inline void reader_note(const struct reader *reader, struct batch *batch,
                               uint64_t noted[READER_NOTES])
{
    memcpy(batch->noted, noted, sizeof batch->noted);
    if (reader->note)
        reader->note(batch, noted);
}

/* The table of all readers, ended by NULL. */
extern const struct reader evtx_reader, json_reader;
extern const struct reader *const reader_table[];

/* The reader that recognises `head` best, or NULL when none does. */
const struct reader *reader_for(struct slice head, bool whole, struct slice name);

#endif
