/* Transactions: blocks into segments, segments and files into the journal. */
#include "store/original.h"
#include "store/store_internal.h"

#include "base/vec.h"

#include <errno.h>
#include <stdlib.h>

enum status store_begin(struct store *s, struct error *err)
{
    if (s->mode != STORE_WRITE || s->broken || s->transaction)
        return error_set(err, STATUS_BAD_USE, s->path, ERROR_NO_OFFSET,
                         s->broken
                             ? "what the last transaction left on the disk is not known; open "
                               "the data folder again"
                             : "this data folder takes no transaction now");
    struct store_transaction *t = xcalloc(1, sizeof *t);
    pthread_mutex_init(&t->lock, NULL);
    t->number = s->segments_n + 1;
    s->transaction = t;
    return OK;
}

/* ---- segments ---- */

static void new_path(const struct store *s, char out[PATH_BYTES], const char *name)
{
    char as[48];
    snprintf(as, sizeof as, "%s.new", name);
    store_path(s, out, "segments", as);
}

enum status transaction_finish(struct store *s, struct error *err)
{
    struct store_transaction *t = s->transaction;
    if (!t->writer)
        return OK;
    struct finished_segment f;
    memcpy(f.name, t->writer_name, sizeof f.name);
    enum status status = segment_writer_finish(t->writer, &f.told, err);
    segment_writer_free(t->writer);
    t->writer = NULL;
    if (status == OK)
        *VEC_PUSH(t->finished) = f;
    return status;
}

enum status transaction_add(struct store *s, const struct packed_block *packed, struct error *err)
{
    struct store_transaction *t = s->transaction;
    if (!t->writer) {
        char path[PATH_BYTES];
        snprintf(t->writer_name, sizeof t->writer_name, "%08llu.seg",
                 (unsigned long long)t->number++);
        new_path(s, path, t->writer_name);
        t->writer = segment_writer_new(s->io, path, err);
        if (!t->writer)
            return err ? err->status : STATUS_SYSTEM;
    }
    enum status status = segment_writer_add(t->writer, packed, err);
    if (status == OK && segment_writer_full(t->writer))
        status = transaction_finish(s, err);
    return status;
}

struct store_sink {
    struct store *s;
    struct block_packer *packer;
};

struct store_sink *store_sink_new(struct store *s)
{
    struct store_sink *k = xcalloc(1, sizeof *k);
    k->s = s;
    k->packer = block_packer_new();
    return k;
}

void store_sink_free(struct store_sink *k)
{
    if (!k)
        return;
    block_packer_free(k->packer);
    free(k);
}

enum status store_take(void *sink, struct block *b, struct error *err)
{
    struct store_sink *k = sink;
    struct store_transaction *t = k->s->transaction;
    struct packed_block packed;
    struct error own;
    if (!err)
        err = &own;
    enum status status = block_pack(k->packer, b, k->s->next_input, &packed, err);
    pthread_mutex_lock(&t->lock);
    if (status == OK && t->failed)
        status =
            error_set(err, STATUS_SYSTEM, k->s->path, ERROR_NO_OFFSET, "writing failed before");
    if (status == OK)
        status = transaction_add(k->s, &packed, err);
    t->failed |= status != OK;
    pthread_mutex_unlock(&t->lock);
    return status;
}

/* Takes what the transaction brought away again; `placed` segments have their names already. */
static void take_away(struct store *s, size_t placed)
{
    const struct store_transaction *t = s->transaction;
    char path[PATH_BYTES];
    for (size_t i = 0; i < t->finished.n; i++) {
        if (i < placed)
            store_path(s, path, "segments", t->finished.at[i].name);
        else
            new_path(s, path, t->finished.at[i].name);
        s->io->unlink(s->io->ctx, path);
    }
    for (size_t i = 0; i < t->kept.n; i++) {
        const struct store_file *file = store_file(s, &t->kept.at[i]);
        if (file && file->kept)
            continue;
        original_path(s, &t->kept.at[i], path);
        s->io->unlink(s->io->ctx, path);
    }
}

static void end_transaction(struct store *s)
{
    struct store_transaction *t = s->transaction;
    segment_writer_free(t->writer);
    free(t->finished.at);
    free(t->kept.at);
    pthread_mutex_destroy(&t->lock);
    free(t);
    s->transaction = NULL;
}

void store_abandon(struct store *s)
{
    if (!s->transaction)
        return;
    take_away(s, 0);
    end_transaction(s);
}

/* ---- the end of a transaction ---- */

/* Gives the segments their names; they are not there for anybody before the journal says so. */
static enum status place_segments(struct store *s, size_t *placed, struct error *err)
{
    const struct store_transaction *t = s->transaction;
    char from[PATH_BYTES], to[PATH_BYTES];
    for (*placed = 0; *placed < t->finished.n; (*placed)++) {
        new_path(s, from, t->finished.at[*placed].name);
        store_path(s, to, "segments", t->finished.at[*placed].name);
        if (s->io->rename(s->io->ctx, from, to) != 0)
            return error_system(err, to, "can't put the segment in place");
    }
    store_path(s, to, "segments", NULL);
    return t->finished.n ? io_sync_folder(s->io, to, err) : OK;
}

/* Syncs the folders in which originals got their names, each once. */
static enum status sync_originals(struct store *s, struct error *err)
{
    const struct store_transaction *t = s->transaction;
    bool done[256] = {false};
    enum status status = OK;
    for (size_t i = 0; status == OK && i < t->kept.n; i++) {
        uint8_t first = t->kept.at[i].bytes[0]; /* which names the folder */
        char path[PATH_BYTES];
        if (done[first])
            continue;
        done[first] = true;
        original_path(s, &t->kept.at[i], path);
        *strrchr(path, '/') = '\0';
        status = io_sync_folder(s->io, path, err);
    }
    return status;
}

static enum status append(struct store *s, const struct slice *entries, size_t n, struct error *err)
{
    const struct store_transaction *t = s->transaction;
    struct arena a = {0};
    struct buf b = {0};
    struct slice *all = arena_zero(&a, t->finished.n + n, sizeof *all);
    for (size_t i = 0; i < t->finished.n; i++) {
        buf_clear(&b);
        entry_segment(&b, t->finished.at[i].name, &t->finished.at[i].told);
        all[i] = arena_slice(&a, buf_slice(&b));
    }
    if (n)
        memcpy(all + t->finished.n, entries, n * sizeof *all);
    uint64_t first = s->journal.entries.n;
    enum status status = journal_append(s->io, s->journal_fd, &s->journal, all, t->finished.n + n,
                                        s->key, &s->broken, err);
    for (uint64_t i = first; status == OK && i < s->journal.entries.n; i++) {
        status = entry_apply(s, i, err);
        s->broken |= status != OK; /* it is written, so nothing may be taken back */
    }
    buf_free(&b);
    arena_free(&a);
    return status;
}

enum status transaction_commit(struct store *s, const struct slice *entries, size_t n,
                               struct error *err)
{
    size_t placed = 0;
    enum status status = OK;
    if (s->transaction->failed)
        status = error_set(err, STATUS_SYSTEM, s->path, ERROR_NO_OFFSET, "writing failed before");
    if (status == OK)
        status = transaction_finish(s, err);
    if (status == OK)
        status = place_segments(s, &placed, err);
    if (status == OK)
        status = sync_originals(s, err);
    if (status == OK && s->transaction->finished.n + n > 0)
        status = append(s, entries, n, err);
    if (status != OK && !s->broken)
        take_away(s, placed);
    end_transaction(s);
    return status;
}

enum status store_commit(struct store *s, const struct store_file *files, size_t n,
                         struct error *err)
{
    struct arena a = {0};
    struct buf b = {0};
    struct slice *entries = arena_zero(&a, n, sizeof *entries);
    for (size_t i = 0; i < n; i++) {
        struct store_file f = files[i];
        f.inputs = arena_zero(&a, f.inputs_n, sizeof *f.inputs);
        for (size_t k = 0; k < f.inputs_n; k++) {
            f.inputs[k] = files[i].inputs[k];
            f.inputs[k].number += s->next_input;
        }
        buf_clear(&b);
        entry_file(&b, &f);
        entries[i] = arena_slice(&a, buf_slice(&b));
    }
    enum status status = transaction_commit(s, entries, n, err);
    buf_free(&b);
    arena_free(&a);
    return status;
}
