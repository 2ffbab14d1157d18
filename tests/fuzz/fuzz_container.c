/* A compressed stream or an archive, unpacked member by member up to a bound. */
#include "base/arena.h"
#include "intake/intake_internal.h"

#include <stdlib.h>

enum { UNPACKED_MOST = 4 << 20, MEMBERS_MOST = 100 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct memory {
    struct stream face;
    struct slice left;
};

static ssize_t memory_read(struct stream *s, char *to, size_t room)
{
    struct memory *m = (struct memory *)s;
    struct slice part = slice_sub(m->left, 0, room < 512 ? room : 512);
    if (part.n)
        memcpy(to, part.p, part.n);
    m->left = slice_sub(m->left, part.n, m->left.n);
    return (ssize_t)part.n;
}

static void read_all(struct stream *member)
{
    static char bytes[1 << 16];
    bool whole;
    struct slice head = stream_peek(member, &whole);
    if (stream_is_utf16(head)) {
        struct stream *text = stream_utf16(member);
        while (stream_read(text, bytes, sizeof bytes) > 0)
            ;
        stream_close(text);
    }
    while (stream_read(member, bytes, sizeof bytes) > 0)
        ;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memory memory = {.face.read = memory_read, .left = slice_of(data, size)};
    struct stream *spool = stream_spool(&memory.face, size + 1); /* can seek */
    uint64_t budget = UNPACKED_MOST;
    bool whole;
    container_recognise(stream_peek(spool, &whole));
    struct container *c = container_open(spool, &budget);
    for (int i = 0; i < MEMBERS_MOST; i++) {
        struct slice name = {0};
        struct stream *member = NULL;
        const char *failure = NULL;
        enum container_next next = container_next(c, &name, &member, &failure);
        if (next == CONTAINER_END || next == CONTAINER_BROKEN)
            break;
        if (next == CONTAINER_PROBLEM ? !failure : !member)
            abort();
        if (member)
            read_all(member);
    }
    container_close(c);
    stream_close(spool);
    return 0;
}
