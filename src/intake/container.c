#include "intake/intake_internal.h"

#include "base/arena.h"
#include "base/locale.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>

enum {
    BLOCK = 1 << 16,    /* bytes that libarchive is given at once */
    FILTERS_MOST = 2,   /* compression in compression */
    TAR_MAGIC_AT = 257, /* POSIX ustar and GNU tar */
    NAME_MOST = 4096,   /* of a member's name, bytes */
};

/* A member's bytes. */
struct member {
    struct stream face;
    struct archive *archive;
    uint64_t *budget;
};

struct container {
    struct archive *archive;
    struct stream *below;
    struct member member;
    uint64_t at; /* in `below` */
    bool opened, started;
    bool single; /* the one stream of it was given out */
    char failure[160];
    char block[BLOCK];
};

bool container_recognise(struct slice head)
{
    static const struct slice starts[] = {
        {"\x1f\x8b", 2},         /* gzip */
        {"\x28\xb5\x2f\xfd", 4}, /* zstd */
        {"\xfd"
         "7zXZ\0",
         6},                       /* xz */
        {"BZh", 3},                /* bzip2 */
        {"PK\3\4", 4},             /* zip */
        {"PK\5\6", 4},             /* zip without members */
        {"7z\xbc\xaf\x27\x1c", 6}, /* 7-Zip */
        {"Rar!\x1a\x07", 6},       /* RAR and RAR 5 */
    };
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (slice_starts(head, starts[i]))
            return true;
    return slice_equal(slice_sub(head, TAR_MAGIC_AT, 5), SLICE("ustar"));
}

bool container_seeks(struct slice head)
{
    return slice_starts(head, SLICE("PK")) || slice_starts(head, SLICE("7z"));
}

/* ---- what libarchive asks of the stream below ---- */

static la_ssize_t give_block(struct archive *a, void *ctx, const void **block)
{
    struct container *c = ctx;
    ssize_t n = stream_read(c->below, c->block, sizeof c->block);
    if (n < 0) {
        archive_set_error(a, EIO, "%s", c->below->failure);
        return ARCHIVE_FATAL;
    }
    c->at += (uint64_t)n;
    *block = c->block;
    return n;
}

static la_int64_t seek_to(struct archive *a, void *ctx, la_int64_t offset, int whence)
{
    (void)a;
    struct container *c = ctx;
    int64_t base = whence == SEEK_SET   ? 0
                   : whence == SEEK_CUR ? (int64_t)c->at
                                        : (int64_t)c->below->size;
    int64_t to;
    if (__builtin_add_overflow(base, offset, &to) || to < 0 || !stream_seek(c->below, (uint64_t)to))
        return ARCHIVE_FATAL;
    c->at = (uint64_t)to;
    return to;
}

static const char *const over_budget = N_("unpacks to over 1000 times its size on disk: given up");

static ssize_t member_read(struct stream *s, char *to, size_t room)
{
    struct member *m = (struct member *)s;
    struct archive *a = m->archive;
    if (*m->budget < room)
        room = *m->budget;
    if (!room) {
        snprintf(s->failure, sizeof s->failure, "%s", over_budget);
        return -1;
    }
    la_ssize_t n = archive_read_data(a, to, room);
    if (n >= 0) {
        *m->budget -= (uint64_t)n;
        return n;
    }
    const char *why = archive_error_string(a);
    snprintf(s->failure, sizeof s->failure, _("can't be unpacked further: %s"),
             why ? why : _("damaged"));
    return -1;
}

struct container *container_open(struct stream *below, uint64_t *budget)
{
    struct container *c = xcalloc(1, sizeof *c);
    c->below = below;
    struct archive *a = c->archive = archive_read_new();
    if (!a)
        abort(); /* out of memory */
    archive_read_support_filter_gzip(a);
    archive_read_support_filter_bzip2(a);
    archive_read_support_filter_xz(a);
    archive_read_support_filter_zstd(a);
    archive_read_support_format_tar(a);
    archive_read_support_format_zip(a);
    archive_read_support_format_7zip(a);
    archive_read_support_format_rar(a);
    archive_read_support_format_rar5(a);
    archive_read_support_format_raw(a);
    archive_read_support_format_empty(a);
    archive_read_set_callback_data(a, c);
    archive_read_set_read_callback(a, give_block);
    if (below->seek)
        archive_read_set_seek_callback(a, seek_to);
    c->member.archive = a;
    c->member.budget = budget;
    c->member.face.read = member_read;
    return c;
}

void container_close(struct container *c)
{
    if (!c)
        return;
    archive_read_free(c->archive);
    free(c->member.face.head);
    free(c);
}

static enum container_next broken(struct container *c, const char *what, const char **failure)
{
    const char *why = archive_error_string(c->archive);
    if (archive_format(c->archive) == ARCHIVE_FORMAT_7ZIP && !c->below->seek)
        why = _("a 7z archive has to be a file, or small; unpack it");
    snprintf(c->failure, sizeof c->failure, "%s: %s", what, why ? why : _("damaged"));
    *failure = c->failure;
    return CONTAINER_BROKEN;
}

static struct slice name_of(struct archive_entry *entry)
{
    const char *name = archive_entry_pathname_utf8(entry);
    if (!name)
        name = archive_entry_pathname(entry); /* in a code page that the archive does not tell */
    struct slice s = slice_sub(slice_str(name ? name : "(no name)"), 0, NAME_MOST);
    while (slice_starts(s, SLICE("./")))
        s = slice_sub(s, 2, s.n);
    return s;
}

/* What is left of a member in a compressed tar, or in a RAR whose members are packed as one, has to be
 * unpacked to get past it; this counts it. */
static void drain(struct container *c)
{
    char scratch[BLOCK];
    int format = archive_format(c->archive) & ARCHIVE_FORMAT_BASE_MASK;
    if (archive_filter_count(c->archive) > 1 || format == ARCHIVE_FORMAT_RAR ||
        format == ARCHIVE_FORMAT_RAR_V5)
        while (member_read(&c->member.face, scratch, sizeof scratch) > 0)
            ;
}

/* The next header that is one; ARCHIVE_EOF or ARCHIVE_FATAL else. */
static int next_header(struct container *c, struct archive_entry **entry)
{
    int r;
    do
        r = archive_read_next_header(c->archive, entry);
    while (r == ARCHIVE_RETRY);
    return r;
}

enum container_next container_next(struct container *c, struct slice *name, struct stream **member,
                                   const char **failure)
{
    if (!c->opened && archive_read_open1(c->archive) != ARCHIVE_OK)
        return broken(c, _("can't be unpacked"), failure);
    c->opened = true;
    if (archive_filter_count(c->archive) - 1 > FILTERS_MOST) { /* the last "filter" is the file */
        *failure = N_("compressed too many times over");
        return CONTAINER_BROKEN;
    }
    struct archive_entry *entry;
    while (!c->single) {
        if (c->started)
            drain(c);
        c->started = true;
        if (!*c->member.budget) {
            *failure = over_budget;
            return CONTAINER_BROKEN;
        }
        int r = next_header(c, &entry);
        if (r == ARCHIVE_EOF)
            break;
        if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
            return broken(c, _("can't be unpacked from here on"), failure);
        c->member.face.head_at = c->member.face.head_n = 0;
        *member = &c->member.face;
        if (archive_format(c->archive) == ARCHIVE_FORMAT_RAW) {
            c->single = true;
            return CONTAINER_STREAM;
        }
        *name = name_of(entry);
        if (archive_entry_is_data_encrypted(entry)) {
            *failure = N_("protected by a password: unpack it and name the files");
            return CONTAINER_PROBLEM;
        }
        if (archive_entry_filetype(entry) == AE_IFREG && !archive_entry_hardlink(entry))
            return CONTAINER_MEMBER;
    }
    return CONTAINER_END;
}
