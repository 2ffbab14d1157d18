#include "store/journal.h"

#include "base/vec.h"

#include <jansson.h>
#include <stdlib.h>

#define MARK SLICE("{\"checkpoint\":")
#define JOURNAL_MOST ((size_t)1 << 32)

void journal_free(struct journal *j)
{
    free(j->path);
    free(j->entries.at);
    free(j->lines.at);
    free(j->marks.at);
    merkle_free(&j->tree);
    arena_free(&j->arena);
    *j = (struct journal){0};
}

/* The note in a checkpoint's line; p NULL when it is none. */
static struct slice note_of(struct arena *a, struct slice line)
{
    struct slice note = {0};
    json_t *root = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, NULL);
    const json_t *text = json_object_get(root, "checkpoint");
    if (json_is_string(text) && json_object_size(root) == 1)
        note = arena_slice(a, slice_of(json_string_value(text), json_string_length(text)));
    json_decref(root);
    return note;
}

/* Lines that no checkpoint covers yet. */
struct pending {
    struct slice *at;
    size_t n, cap;
    uint64_t line; /* of the first */
};

/* Takes the pending entries in when the checkpoint is theirs. */
static bool take_transaction(struct journal *j, const struct pending *p, struct slice note,
                             uint64_t line)
{
    struct checkpoint told;
    struct hash root;
    struct merkle before = j->tree;
    for (size_t i = 0; i < p->n; i++)
        merkle_add(&j->tree, p->at[i]);
    merkle_root(&j->tree, &root);
    if (!checkpoint_parse(note, NULL, &told) || told.size != j->tree.n ||
        memcmp(&told.root, &root, sizeof root) != 0) {
        before.leaves = j->tree.leaves;
        before.cap = j->tree.cap;
        j->tree = before;
        return false;
    }
    for (size_t i = 0; i < p->n; i++) {
        *VEC_PUSH(j->entries) = p->at[i];
        *VEC_PUSH(j->lines) = p->line + i;
    }
    *VEC_PUSH(j->marks) = (struct journal_mark){j->tree.n, line, note};
    return true;
}

static enum status take_lines(struct journal *j, struct slice text, struct error *err)
{
    struct pending pending = {.line = 1};
    enum status status = OK;
    uint64_t line = 1, bad = 0; /* the first checkpoint that can't be read */
    for (size_t at = 0; status == OK; line++) {
        struct slice rest = slice_sub(text, at, text.n);
        ptrdiff_t end = slice_find(rest, SLICE("\n"));
        if (end < 0)
            break;
        struct slice one = slice_sub(rest, 0, (size_t)end);
        at += (size_t)end + 1;
        if (!slice_starts(one, MARK)) {
            *VEC_PUSH(pending) = one;
            continue;
        }
        struct slice note = note_of(&j->arena, one);
        if (note.p && bad) {
            status = error_set(err, STATUS_BAD_INPUT, j->path, bad, "this checkpoint was altered");
        } else if (note.p && take_transaction(j, &pending, note, line)) {
            pending.n = 0;
            pending.line = line + 1;
            j->bytes = at;
        } else if (note.p) {
            status = error_set(err, STATUS_BAD_INPUT, j->path, line,
                               "this checkpoint is not that of lines %llu to %llu: one of them was "
                               "altered",
                               (unsigned long long)pending.line, (unsigned long long)line);
        } else if (!bad) { /* when nothing follows: a write that did not come to its end */
            bad = line;
        }
    }
    free(pending.at);
    return status;
}

enum status journal_load(const struct store_io *io, const char *path, struct journal *j,
                         struct error *err)
{
    char *bytes;
    size_t n;
    *j = (struct journal){0};
    enum status status = io_read_file(io, path, JOURNAL_MOST, &bytes, &n, err);
    if (status != OK)
        return status;
    struct slice text = slice_of(arena_copy(&j->arena, bytes, n), n);
    free(bytes);
    j->path = strdup(path);
    status = take_lines(j, text, err);
    j->tail = slice_sub(text, j->bytes, text.n);
    return status;
}

/* What is written up to the checkpoint is on the disk before the checkpoint is written: a checkpoint
 * that is there proves that its entries are. */
static enum status write_transaction(const struct store_io *io, int fd, const struct journal *j,
                                     struct slice lines, struct slice mark, struct error *err)
{
    enum status status = io_write(io, fd, j->path, lines, err);
    if (status == OK && io->sync(io->ctx, fd) != 0)
        status = error_system(err, j->path, "can't write to the disk");
    if (status == OK)
        status = io_write(io, fd, j->path, mark, err);
    if (status == OK && io->sync(io->ctx, fd) != 0)
        status = error_system(err, j->path, "can't write to the disk");
    return status;
}

enum status journal_append(const struct store_io *io, int fd, struct journal *j,
                           const struct slice *entries, size_t n, const struct seal_key *key,
                           bool *unsure, struct error *err)
{
    struct buf lines = {0}, note = {0}, mark = {0};
    struct merkle before = j->tree;
    struct checkpoint now;
    *unsure = false;
    for (size_t i = 0; i < n; i++) {
        buf_add(&lines, entries[i]);
        buf_char(&lines, '\n');
        merkle_add(&j->tree, entries[i]);
    }
    now.size = j->tree.n;
    merkle_root(&j->tree, &now.root);
    enum status status = checkpoint_sign(key, &now, &note, err);
    if (status == OK) {
        buf_add(&mark, MARK);
        buf_json(&mark, buf_slice(&note));
        buf_add(&mark, SLICE("}\n"));
        status = write_transaction(io, fd, j, buf_slice(&lines), buf_slice(&mark), err);
        if (status != OK)
            *unsure = io->truncate(io->ctx, fd, (off_t)j->bytes) != 0 || io->sync(io->ctx, fd) != 0;
    }
    if (status != OK) {
        before.leaves = j->tree.leaves;
        before.cap = j->tree.cap;
        j->tree = before;
    } else {
        uint64_t line = j->marks.n ? j->marks.at[j->marks.n - 1].line + 1 : 1;
        for (size_t i = 0; i < n; i++) {
            *VEC_PUSH(j->entries) = arena_slice(&j->arena, entries[i]);
            *VEC_PUSH(j->lines) = line++;
        }
        *VEC_PUSH(j->marks) =
            (struct journal_mark){now.size, line, arena_slice(&j->arena, buf_slice(&note))};
        j->bytes += lines.n + mark.n;
    }
    buf_free(&lines);
    buf_free(&note);
    buf_free(&mark);
    return status;
}
