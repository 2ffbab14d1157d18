/*
 * The data folder in a file system in memory: what was acknowledged is there after any failure and
 * any loss of power, whole, once; what was altered is found.
 */
#include "test.h"

#include "memory_io.h"

#include "store/look.h"
#include "store/original.h"
#include "store/prove.h"
#include "store/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define FOLDER "data"

enum {
    FILES = 8,  /* taken in one by one: enough that they are merged */
    BEFORE = 6, /* of them before anything fails: these go as the others do */
    EVENTS = 5, /* of each */
};

static uint32_t draw(void *ctx, uint32_t below)
{
    uint64_t *seed = ctx;
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return (uint32_t)((*seed * 0x2545f4914f6cdd1du) >> 33) % below;
}

static struct slice content_of(unsigned k, char text[64])
{
    return slice_of(text, (size_t)snprintf(text, 64, "this is log number %u\n", k));
}

static int file_with(struct slice content)
{
    int fd = memfd_create("log", MFD_CLOEXEC);
    assert_int_equal(write(fd, content.p, content.n), content.n);
    return fd;
}

static enum status put_events(struct store *s, unsigned k, struct error *err)
{
    struct store_sink *sink = store_sink_new(s);
    struct block_set *set = block_set_new((struct block_sink){store_take, sink});
    struct event_kind kind = {.channel = SLICE("Security"),
                              .code = k % 2 ? SLICE("1") : SLICE("2")};
    enum status status = OK;
    for (uint64_t i = 0; status == OK && i < EVENTS; i++) {
        struct block *b = block_set_open(set, &kind);
        uint64_t number = k * 100 + i;
        status = block_row(b, (timestamp)number, (struct origin){0, number}, err);
        block_put(b, block_column(b, SLICE("n")), (struct value){&number, 8, VALUE_UINT});
    }
    if (status == OK)
        status = block_set_flush(set, err);
    block_set_free(set);
    store_sink_free(sink);
    return status;
}

/* Takes log k in, unless it is there. OK is the acknowledgement. */
static enum status take_in(struct store *s, unsigned k, struct error *err)
{
    char text[64];
    struct store_input input = {.name = SLICE("log"), .format = SLICE("test"), .events = EVENTS};
    struct store_file f = {.name = SLICE("log"),
                           .by = SLICE("user@host"),
                           .taken = 7,
                           .modified = 5,
                           .inputs = &input,
                           .inputs_n = 1};
    int fd = file_with(content_of(k, text));
    enum status status = store_look_at(s, fd, &f, NULL, err);
    if (status == OK && !store_file(s, &f.sha256)) {
        status = store_begin(s, err);
        if (status == OK)
            status = store_keep(s, fd, &f, err);
        if (status == OK)
            status = put_events(s, k, err);
        if (status == OK)
            status = store_commit(s, &f, 1, err);
        store_abandon(s);
    }
    close(fd);
    return status;
}

static enum status everything(struct store *s, bool *acknowledged, struct error *err)
{
    enum status status = OK;
    for (unsigned k = 0; status == OK && k < FILES; k++) {
        status = take_in(s, k, err);
        acknowledged[k] |= status == OK;
    }
    return status == OK ? store_merge(s, err) : status;
}

static void say(void *ctx, const struct error *what)
{
    (void)ctx;
    print_message("# %s: %s\n", what->where, what->what);
}

static void say_nothing(void *ctx, const struct error *what)
{
    (void)ctx;
    (void)what;
}

static uint64_t count_wrong(struct memory_io *m, const struct verify_options *options,
                            verify_say *tell)
{
    struct verify_counts counts;
    struct arena a = {0};
    struct error err;
    assert_int_equal(store_verify(memory_io(m), FOLDER, options, tell, NULL, &a, &counts, &err),
                     OK);
    arena_free(&a);
    return counts.wrong;
}

/* How often each event is there; every event of a file is there exactly when the file is. */
static void check_contents(struct memory_io *m, const bool *acknowledged)
{
    struct error err = {0};
    unsigned seen[FILES] = {0};
    struct store *s = store_open(memory_io(m), FOLDER, STORE_READ, NULL, &err);
    if (!s)
        print_message("# %s: %s\n", err.where, err.what);
    assert_non_null(s);
    struct segment_reader *r = segment_reader_new(false);
    struct block *b = block_alone();
    for (size_t i = 0; s && i < s->segments_n; i++) {
        const struct segment *seg = s->segments[i].gone ? NULL : store_segment(s, i, &err);
        for (uint32_t no = 0; seg && no < seg->blocks_n; no++) {
            assert_int_equal(segment_read(seg, r, no, NULL, 0, b, &err), OK);
            for (uint32_t row = 0; row < b->rows; row++) {
                char text[24];
                snprintf(text, sizeof text, "%d", (int)b->times[row]);
                assert_int_equal(b->times[row], b->origins[row].record);
                assert_true(slice_equal(block_text(b, row, SLICE("n")), slice_str(text)));
                assert_in_range(b->times[row] / 100, 0, FILES - 1);
                seen[b->times[row] / 100]++;
            }
        }
    }
    for (unsigned k = 0; k < FILES; k++) {
        char text[64];
        struct hash h;
        sha256(content_of(k, text), &h);
        bool there = store_file(s, &h) != NULL;
        assert_true(there || !acknowledged[k]);
        assert_int_equal(seen[k], there ? EVENTS : 0);
    }
    block_free(b);
    segment_reader_free(r);
    store_close(s);
}

static struct memory_io *new_folder(void)
{
    struct memory_io *m = memory_io_new();
    struct error err = {0};
    assert_int_equal(store_init(memory_io(m), FOLDER, NULL, 1, &err), OK);
    return m;
}

/* A folder that has the first files. */
static struct memory_io *begun_folder(bool *acknowledged)
{
    struct memory_io *m = new_folder();
    struct error err = {0};
    struct store *s = store_open(memory_io(m), FOLDER, STORE_WRITE, NULL, &err);
    for (unsigned k = 0; k < BEFORE; k++) {
        assert_int_equal(take_in(s, k, &err), OK);
        acknowledged[k] = true;
    }
    store_close(s);
    return m;
}

static void life(void **state)
{
    (void)state;
    struct error err = {0};
    bool acknowledged[FILES] = {false};
    struct memory_io *m = new_folder();
    assert_int_equal(store_init(memory_io(m), FOLDER, NULL, 1, &err), STATUS_BAD_USE);
    struct store *s = store_open(memory_io(m), FOLDER, STORE_WRITE, NULL, &err);
    assert_non_null(s);
    assert_null(store_open(memory_io(m), FOLDER, STORE_WRITE, NULL, &err));
    assert_int_equal(err.status, STATUS_BAD_USE);
    for (unsigned k = 0; k < FILES; k++) {
        assert_int_equal(take_in(s, k, &err), OK);
        acknowledged[k] = true;
        check_contents(m, acknowledged); /* a reader beside the writer */
    }
    size_t before = s->segments_n;
    struct store *reader = store_open(memory_io(m), FOLDER, STORE_READ, NULL, &err);
    assert_int_equal(take_in(s, 0, &err), OK); /* again: nothing new */
    assert_int_equal(s->segments_n, before);
    assert_int_equal(store_merge(s, &err), OK);
    assert_int_equal(s->segments_n, before + 1);
    for (size_t i = 0; i < s->segments_n; i++)
        assert_int_equal(s->segments[i].gone, i < before);
    check_contents(m, acknowledged);
    store_close(s);
    /* who had opened the folder before still reads what was there */
    struct block *b = block_alone();
    struct segment_reader *r = segment_reader_new(false);
    assert_int_equal(segment_read(reader->segments[0].open, r, 0, NULL, 0, b, &err), OK);
    assert_int_equal(b->rows, EVENTS);
    segment_reader_free(r);
    block_free(b);
    store_close(reader);
    /* merged: one block a kind, in the order of time */
    s = store_open(memory_io(m), FOLDER, STORE_READ, NULL, &err);
    assert_non_null(s);
    assert_int_equal(s->segments[before].open->blocks_n, 2);
    assert_int_equal(count_wrong(m, &(struct verify_options){0}, say), 0);
    store_close(s);
    memory_io_free(m);
}

/* Every call of the file system fails once; the process goes on. */
static void failures(void **state)
{
    (void)state;
    static const int errors[] = {EIO, ENOSPC};
    bool done = false;
    for (uint64_t at = 1; !done; at++) {
        struct error err = {0};
        bool acknowledged[FILES] = {false};
        struct memory_io *m = begun_folder(acknowledged);
        m->fail_at = m->calls + at;
        m->fail_errno = errors[at % 2];
        struct store *s = store_open(memory_io(m), FOLDER, STORE_WRITE, NULL, &err);
        enum status status = s ? everything(s, acknowledged, &err) : STATUS_SYSTEM;
        done = m->calls < m->fail_at;
        m->fail_at = 0;
        assert_true(status == OK || !done);
        if (s && !s->broken)
            check_contents(m, acknowledged);
        if (s && s->broken)
            assert_int_equal(store_begin(s, &err), STATUS_BAD_USE);
        /* again, as a user would */
        store_close(s);
        s = store_open(memory_io(m), FOLDER, STORE_WRITE, NULL, &err);
        if (!s)
            say(NULL, &err);
        assert_non_null(s);
        assert_int_equal(everything(s, acknowledged, &err), OK);
        store_close(s);
        check_contents(m, acknowledged);
        assert_int_equal(count_wrong(m, &(struct verify_options){0}, say), 0);
        memory_io_free(m);
    }
}

/* The process dies at every call, and the power goes: what was not synced stays by chance. */
static void losses_of_power(void **state)
{
    (void)state;
    uint64_t seed = 77;
    bool done = false;
    for (uint64_t at = 1; !done; at++) {
        struct error err = {0};
        bool acknowledged[FILES] = {false};
        struct memory_io *m = begun_folder(acknowledged);
        m->dead_at = m->calls + at;
        struct store *s = store_open(memory_io(m), FOLDER, STORE_WRITE, NULL, &err);
        enum status status = s ? everything(s, acknowledged, &err) : STATUS_SYSTEM;
        done = m->calls < m->dead_at;
        assert_true(status == OK || !done);
        store_close(s); /* which changes nothing any more */
        memory_io_lose_power(m, draw, &seed);
        check_contents(m, acknowledged); /* readers need no repair */
        s = store_open(memory_io(m), FOLDER, STORE_WRITE, NULL, &err);
        if (!s)
            print_message("# %s: %s\n", err.where, err.what);
        assert_non_null(s);
        store_close(s);
        check_contents(m, acknowledged);
        assert_int_equal(count_wrong(m, &(struct verify_options){0}, say), 0);
        s = store_open(memory_io(m), FOLDER, STORE_WRITE, NULL, &err);
        assert_non_null(s);
        assert_int_equal(everything(s, acknowledged, &err), OK);
        store_close(s);
        check_contents(m, acknowledged);
        assert_int_equal(count_wrong(m, &(struct verify_options){0}, say), 0);
        memory_io_free(m);
    }
}

static void losses_in_init(void **state)
{
    (void)state;
    uint64_t seed = 5;
    bool done = false;
    for (uint64_t at = 1; !done; at++) {
        struct memory_io *m = memory_io_new();
        struct error err = {0};
        m->dead_at = at;
        done = store_init(memory_io(m), FOLDER, NULL, 1, &err) == OK;
        memory_io_lose_power(m, draw, &seed);
        enum status status = store_init(memory_io(m), FOLDER, NULL, 1, &err);
        assert_true(status == OK || (status == STATUS_BAD_USE));
        struct store *s = store_open(memory_io(m), FOLDER, STORE_WRITE, NULL, &err);
        assert_non_null(s);
        store_close(s);
        memory_io_free(m);
    }
}

/* Every `step`th byte of each file: verify sees it, and nothing crashes. */
static void change_bytes(struct memory_io *m, size_t step)
{
    struct error err = {0};
    const struct verify_options plain = {0};
    for (size_t file = 0; memory_io_path(m, file); file++) {
        const char *path = memory_io_path(m, file);
        size_t n;
        char *bytes = memory_io_bytes(m, path, &n);
        for (size_t i = 0; i < n; i += step) {
            bytes[i] = (char)(bytes[i] ^ 1 << i % 8);
            uint64_t wrong = count_wrong(m, &plain, say_nothing);
            if (!wrong)
                print_message("# byte %zu of %s\n", i, path);
            assert_true(wrong > 0);
            store_close(store_open(memory_io(m), FOLDER, STORE_READ, NULL, &err));
            bytes[i] = (char)(bytes[i] ^ 1 << i % 8);
        }
    }
    assert_int_equal(count_wrong(m, &plain, say), 0);
}

static void damage(void **state)
{
    (void)state;
    struct error err = {0};
    struct memory_io *m = new_folder();
    struct store *s = store_open(memory_io(m), FOLDER, STORE_WRITE, NULL, &err);
    for (unsigned k = 0; k < 2; k++)
        assert_int_equal(take_in(s, k, &err), OK);
    store_close(s);
    change_bytes(m, 89);
    /* without the catalogue, which is much larger than all else here: every byte */
    assert_int_equal(memory_io(m)->unlink(m, FOLDER "/catalogue.sqlite"), 0);
    change_bytes(m, 1);
    memory_io_free(m);
}

/* Whole files taken out or put in, and a journal that was rolled back with what it named. */
static void taken_out(void **state)
{
    (void)state;
    struct error err = {0};
    struct memory_io *m = new_folder();
    const struct store_io *io = memory_io(m);
    struct store *s = store_open(io, FOLDER, STORE_WRITE, NULL, &err);
    assert_int_equal(take_in(s, 0, &err), OK);
    uint64_t early = s->journal.bytes;
    assert_int_equal(take_in(s, 1, &err), OK);
    struct buf note = {0};
    buf_add(&note, s->journal.marks.at[s->journal.marks.n - 1].note);
    char original[PATH_BYTES];
    original_path(s, &s->files[1].sha256, original);
    store_close(s);
    const struct verify_options plain = {0}, against = {.against = buf_slice(&note)};
    assert_int_equal(count_wrong(m, &against, say), 0);

    assert_int_equal(io->rename(io->ctx, FOLDER "/segments/00000002.seg", "away"), 0);
    assert_int_equal(count_wrong(m, &plain, say_nothing), 1);
    assert_int_equal(io->rename(io->ctx, original, "gone"), 0);
    assert_int_equal(count_wrong(m, &plain, say_nothing), 2);
    /* back in time: the folder alone can't tell, who kept a checkpoint can */
    int fd = io->open(io->ctx, FOLDER "/hikeshi.journal", O_WRONLY, 0);
    assert_int_equal(io->truncate(io->ctx, fd, (off_t)early), 0);
    io->close(io->ctx, fd);
    assert_int_equal(count_wrong(m, &plain, say), 0);
    assert_int_equal(count_wrong(m, &against, say_nothing), 1);
    assert_int_equal(io->rename(io->ctx, "away", FOLDER "/segments/00000007.seg"), 0);
    assert_int_equal(count_wrong(m, &plain, say_nothing), 1);
    /* a writer moves aside what it does not know, and goes on */
    s = store_open(io, FOLDER, STORE_WRITE, NULL, &err);
    assert_non_null(s);
    assert_int_equal(s->set_aside, 1);
    store_close(s);
    assert_int_equal(count_wrong(m, &plain, say), 0);
    buf_free(&note);
    memory_io_free(m);
}

/* The proofs that are written hold, as somebody else would check them. */
static void proofs(void **state)
{
    (void)state;
    struct error err = {0};
    struct memory_io *m = new_folder();
    struct store *s = store_open(memory_io(m), FOLDER, STORE_WRITE, NULL, &err);
    for (unsigned k = 0; k < 4; k++)
        assert_int_equal(take_in(s, k, &err), OK);
    ptrdiff_t seg = store_find_event(s, (struct origin){2, 203}, &err);
    assert_int_equal(seg, 2);
    assert_int_equal(store_find_event(s, (struct origin){2, 303}, &err), -1);
    for (uint64_t i = 0; i < s->journal.entries.n; i++) {
        struct buf proof = {0}, entry = {0};
        store_prove(s, i, &proof);
        put_base64(&entry, s->journal.entries.at[i]);
        assert_true(slice_starts(buf_slice(&proof), SLICE("c2sp.org/tlog-proof@v1\nextra ")));
        assert_true(slice_find(buf_slice(&proof), buf_slice(&entry)) > 0);
        struct checkpoint c;
        ptrdiff_t at = slice_find(buf_slice(&proof), SLICE("\n\n"));
        assert_true(
            checkpoint_verify(s->key, slice_sub(buf_slice(&proof), (size_t)at + 2, proof.n), &c));
        assert_int_equal(c.size, s->journal.entries.n);
        buf_free(&proof);
        buf_free(&entry);
    }
    for (uint64_t before = 1; before <= s->journal.tree.n; before++) {
        struct buf proof = {0};
        struct hash path[MERKLE_PATH], root, before_root;
        char first[64];
        size_t n = 0;
        store_prove_consistency(s, before, &proof);
        snprintf(first, sizeof first, "hikeshi consistency proof 1\nfrom %u\n", (unsigned)before);
        assert_true(slice_starts(buf_slice(&proof), slice_str(first)));
        struct slice rest = slice_sub(buf_slice(&proof), strlen(first), proof.n);
        for (; rest.p[0] != '\n'; n++) {
            ptrdiff_t end = slice_find(rest, SLICE("\n"));
            assert_int_equal(
                take_base64(slice_sub(rest, 0, (size_t)end), path[n].bytes, HASH_BYTES),
                HASH_BYTES);
            rest = slice_sub(rest, (size_t)end + 1, rest.n);
        }
        struct checkpoint last;
        assert_true(checkpoint_verify(s->key, slice_sub(rest, 1, rest.n), &last));
        merkle_root(&s->journal.tree, &root);
        merkle_root_at(&s->journal.tree, before, &before_root);
        assert_true(merkle_check_consistency(before, &before_root, last.size, &last.root, path, n));
        assert_memory_equal(&root, &last.root, sizeof root);
        before_root.bytes[7] ^= 1;
        assert_false(
            merkle_check_consistency(before, &before_root, last.size, &last.root, path, n));
        buf_free(&proof);
    }
    store_close(s);
    memory_io_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(life),
        cmocka_unit_test(failures),
        cmocka_unit_test(losses_of_power),
        cmocka_unit_test(losses_in_init),
        cmocka_unit_test(damage),
        cmocka_unit_test(taken_out),
        cmocka_unit_test(proofs),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
