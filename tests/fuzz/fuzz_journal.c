/*
 * What a data folder's journal and catalogue hold, from bytes of any kind, as if somebody who has the
 * key had signed it. The first byte chooses: entries, a line each; hours of the catalogue; an answer of
 * a timestamp authority; a checkpoint or a verifier key; a catalogue with the right hash behind it.
 */
#include "store/catalogue.h"
#include "store/retention.h"
#include "store/stamp.h"
#include "store/store_internal.h"

#include "base/vec.h"
#include "fuzz/one_file.h"

#include <errno.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char key[] =
    "hikeshi/bcecea9817d1a2bd+4b9f6028+Ac9hkhE6nz9cJTCjrcpWvoPDJJLz66FYv7983ugw/PkI";

/* An entry, and a checkpoint behind it, as far as anybody looks at that here. */
static void add(struct store *s, struct slice line)
{
    *VEC_PUSH(s->journal.entries) = line;
    *VEC_PUSH(s->journal.lines) = s->journal.entries.n;
    *VEC_PUSH(s->journal.marks) =
        (struct journal_mark){s->journal.entries.n, s->journal.entries.n, SLICE("note")};
}

static void entries(struct slice text)
{
    struct store s = {.path = "data", .lock = -1, .journal_fd = -1};
    struct buf folder = {0};
    struct seal_key *k = seal_from_verifier(slice_str(key));
    s.journal.path = strdup("data/" JOURNAL_NAME);
    entry_folder(&folder, k, &(struct hash){0}, 1);
    add(&s, buf_slice(&folder));
    if (entry_apply(&s, 0, NULL) != OK)
        abort();
    while (text.n) {
        ptrdiff_t end = slice_find(text, SLICE("\n"));
        size_t n = end < 0 ? text.n : (size_t)end;
        add(&s, slice_sub(text, 0, n));
        entry_apply(&s, s.journal.entries.n - 1, NULL);
        text = slice_sub(text, n + 1, text.n);
    }
    for (size_t i = 0; i < s.files_n; i++)
        store_file(&s, &s.files[i].sha256);
    for (size_t i = 0; i < s.retains.n; i++)
        retention_rule(&s, s.retains.at[i].source);
    buf_free(&folder);
    seal_key_free(k);
    store_forget(&s);
}

static void hours(struct slice bytes)
{
    int32_t *list = NULL;
    size_t n = 0, cap = 0;
    catalogue_hours(slice_sub(bytes, 0, 64), &list, &n, &cap);
    free(list);
}

static void answer(struct slice bytes)
{
    struct stamp_told told;
    stamp_check(bytes, SLICE("note"), NULL, NULL, &told, NULL);
}

static void notes(struct slice bytes)
{
    struct checkpoint c;
    struct seal_key *k = seal_from_verifier(slice_str(key));
    checkpoint_parse(bytes, NULL, &c);
    checkpoint_verify(k, bytes, &c);
    seal_key_free(k);
    seal_key_free(seal_from_verifier(bytes));
}

/* A file system that has one file, the catalogue. */
static int one_open(void *ctx, const char *path, int flags, mode_t mode)
{
    (void)ctx;
    (void)flags;
    (void)mode;
    errno = ENOENT;
    return slice_ends(slice_str(path), SLICE(CATALOGUE_NAME)) ? 0 : -1;
}

static void catalogue(struct slice bytes)
{
    struct buf all = {0};
    struct hash hash;
    struct store_segment segment = {.name = SLICE("00000001.seg")};
    struct catalogue c;
    buf_add(&all, bytes);
    sha256(bytes, &hash);
    buf_add(&all, slice_of(hash.bytes, HASH_BYTES));
    struct slice file = buf_slice(&all);
    const struct store_io io = {
        .ctx = &file, .open = one_open, .close = one_close, .pread = one_pread, .size = one_size};
    memset(segment.told.sha256, 'x', DIGEST_BYTES);
    struct store s = {.io = &io, .path = "data", .segments = &segment, .segments_n = 1};
    if (catalogue_load(&s, &c, NULL) == OK)
        catalogue_free(&c);
    buf_free(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const ways[])(struct slice) = {entries, hours, answer, notes, catalogue};
    if (size == 0 || size > 1 << 20)
        return 0;
    ways[data[0] % 5](slice_of(data + 1, size - 1));
    return 0;
}
