#include "store/prove.h"

#include <inttypes.h>

static void put_path(struct buf *out, const struct hash *path, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put_base64(out, slice_of(path[i].bytes, HASH_BYTES));
        buf_char(out, '\n');
    }
}

static void put_checkpoint(const struct store *s, struct buf *out)
{
    buf_char(out, '\n');
    buf_add(out, s->journal.marks.at[s->journal.marks.n - 1].note);
}

void store_prove(const struct store *s, uint64_t number, struct buf *out)
{
    struct hash path[MERKLE_PATH];
    size_t n = merkle_inclusion(&s->journal.tree, number, s->journal.tree.n, path);
    buf_add(out, SLICE("c2sp.org/tlog-proof@v1\nextra "));
    put_base64(out, s->journal.entries.at[number]);
    buf_printf(out, "\nindex %" PRIu64 "\n", number);
    put_path(out, path, n);
    put_checkpoint(s, out);
}

void store_prove_consistency(const struct store *s, uint64_t before, struct buf *out)
{
    struct hash path[MERKLE_PATH];
    size_t n = merkle_consistency(&s->journal.tree, before, s->journal.tree.n, path);
    buf_printf(out, "hikeshi consistency proof 1\nfrom %" PRIu64 "\n", before);
    put_path(out, path, n);
    put_checkpoint(s, out);
}

static const struct store_file *file_of_hash(const struct store *s, struct slice hex)
{
    const struct store_file *found = NULL;
    struct buf text = {0};
    for (size_t i = s->files_n; !found && i > 0 && hex.n == (size_t)HASH_BYTES * 2; i--) {
        buf_clear(&text);
        put_hex(&text, slice_of(s->files[i - 1].sha256.bytes, HASH_BYTES));
        if (slice_equal_nocase(buf_slice(&text), hex))
            found = &s->files[i - 1];
    }
    buf_free(&text);
    return found;
}

const struct store_file *store_find_file(const struct store *s, struct slice called, size_t *input)
{
    const struct store_file *found = file_of_hash(s, called);
    *input = SIZE_MAX;
    for (size_t i = s->files_n; !found && i > 0; i--)
        if (slice_equal(s->files[i - 1].name, called))
            found = &s->files[i - 1];
    for (size_t i = s->files_n; !found && i > 0; i--)
        for (size_t k = 0; !found && k < s->files[i - 1].inputs_n; k++)
            if (slice_equal(s->files[i - 1].inputs[k].name, called)) {
                found = &s->files[i - 1];
                *input = k;
            }
    return found;
}

static bool may_hold(const struct stored_block *b, struct origin origin)
{
    return origin.input >= b->input_least && origin.input <= b->input_most &&
           origin.record >= b->record_least && origin.record <= b->record_most;
}

ptrdiff_t store_find_event(struct store *s, struct origin origin, struct error *err)
{
    struct segment_reader *r = segment_reader_new(true);
    struct block *b = block_alone();
    enum status status = OK;
    ptrdiff_t found = -1;
    for (size_t i = 0; status == OK && found < 0 && i < s->segments_n; i++) {
        const struct segment *seg = s->segments[i].gone ? NULL : store_segment(s, i, err);
        if (s->segments[i].gone)
            continue;
        if (!seg) {
            status = err ? err->status : STATUS_SYSTEM;
            break;
        }
        for (uint32_t no = 0; status == OK && found < 0 && no < seg->blocks_n; no++) {
            if (!may_hold(&seg->blocks[no], origin))
                continue;
            segment_begin(seg, r, no, b);
            status = segment_read_origins(seg, r, no, b, err);
            for (uint32_t row = 0; status == OK && row < b->rows; row++)
                if (b->origins[row].input == origin.input &&
                    b->origins[row].record == origin.record)
                    found = (ptrdiff_t)i;
        }
    }
    if (status == OK && found < 0)
        error_set(err, STATUS_BAD_USE, s->path, ERROR_NO_OFFSET,
                  "no segment holds record %" PRIu64 " of input %" PRIu32, origin.record,
                  origin.input);
    block_free(b);
    segment_reader_free(r);
    return found;
}
