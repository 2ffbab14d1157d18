/*
 * Deleting what is past its time: every block that may hold such events is judged row by row, then the
 * segments concerned are written anew without them, or go. retention.h tells by which rules.
 */
#include "base/text.h"
#include "base/vec.h"
#include "event/select.h"
#include "store/original.h"
#include "store/retention.h"
#include "store/store_internal.h"
#include "store/verify.h"

#include <stdlib.h>

struct expire {
    struct store *s;
    timestamp now;
    struct arena *arena;
    struct segment_reader *reader;
    struct block_packer *packer;
    struct block *block; /* that is judged */
    bool drop[BLOCK_ROWS];
    struct map names; /* of sources: 1 + the place */
    struct {
        struct expire_source *at;
        size_t n, cap;
    } sources;
    struct buf name;
    struct slice *hosts; /* of holds, folded */
    /* by number of an input */
    timestamp *taken;
    bool *lost, *stays; /* some of its events go; some stay */
    /* by number of a segment: how many of its events go */
    uint64_t *dropped;
    struct {
        const struct store_file **at;
        size_t n, cap;
    } files; /* that go */
};

/* ---- judging ---- */

static bool is_held(struct expire *e, struct slice source, uint32_t row, timestamp t)
{
    const struct store *s = e->s;
    for (size_t i = 0; i < s->holds.n; i++) {
        const struct store_hold *hold = &s->holds.at[i];
        if (hold->released || !hold_is_of_source(hold, source) ||
            (hold->from != TIMESTAMP_NONE && t < hold->from) ||
            (hold->to != TIMESTAMP_NONE && t >= hold->to))
            continue;
        if (!hold->host.n ||
            host_matches(e->hosts[i], text_fold(&e->block->values, block_host(e->block, row))))
            return true;
    }
    return false;
}

static bool holds_ask_hosts(const struct store *s)
{
    for (size_t i = 0; i < s->holds.n; i++)
        if (!s->holds.at[i].released && s->holds.at[i].host.n)
            return true;
    return false;
}

static struct expire_source *source_of(struct expire *e, struct slice name,
                                       const struct store_retain *rule)
{
    bool is_new;
    uint32_t *place = map_put(&e->names, name, &is_new);
    if (is_new) {
        *VEC_PUSH(e->sources) = (struct expire_source){
            .source = arena_slice(e->arena, name),
            .reason = arena_slice(e->arena, rule->reason),
            .period = rule->period,
            .first = TIMESTAMP_NONE,
            .last = TIMESTAMP_NONE,
        };
        *place = (uint32_t)e->sources.n;
    }
    return &e->sources.at[*place - 1];
}

/* Before when events of a block expire; false: none of them does. The source's name is in e->name. */
static bool find_cut(struct expire *e, const struct stored_block *told,
                     const struct store_retain **rule, timestamp *cut)
{
    buf_clear(&e->name);
    source_name(&told->kind, &e->name);
    *rule = retention_rule(e->s, buf_slice(&e->name));
    if (!*rule || __builtin_sub_overflow(e->now, (*rule)->period, cut))
        return false;
    return told->timeless > 0 || told->first < *cut;
}

/* Reads the block and fills in which of its rows go. */
static enum status judge_block(struct expire *e, const struct segment *seg, uint32_t no, bool whole,
                               uint32_t *dropped, struct error *err)
{
    const struct store_retain *rule;
    timestamp cut;
    *dropped = 0;
    if (!find_cut(e, &seg->blocks[no], &rule, &cut))
        return OK;
    enum status status = segment_read(seg, e->reader, no, whole ? NULL : host_fields,
                                      holds_ask_hosts(e->s) ? HOST_FIELDS : 0, e->block, err);
    struct expire_source *source = NULL;
    for (uint32_t row = 0; status == OK && row < e->block->rows; row++) {
        uint32_t input = e->block->origins[row].input;
        timestamp t = e->block->times[row];
        if (input >= e->s->next_input)
            return error_set(err, STATUS_BAD_INPUT, seg->path, ERROR_NO_OFFSET,
                             "an event is from an input that no entry names");
        if (t == TIMESTAMP_NONE)
            t = e->taken[input];
        bool old = t < cut, held = old && is_held(e, buf_slice(&e->name), row, t);
        e->drop[row] = old && !held;
        if (whole || !old)
            continue;
        if (!source)
            source = source_of(e, buf_slice(&e->name), rule);
        source->held += held;
        source->events += !held;
        if (!held && (source->first == TIMESTAMP_NONE || t < source->first))
            source->first = t;
        if (!held && (source->last == TIMESTAMP_NONE || t > source->last))
            source->last = t;
    }
    for (uint32_t row = 0; status == OK && row < e->block->rows; row++) {
        *dropped += e->drop[row];
        (e->drop[row] ? e->lost : e->stays)[e->block->origins[row].input] = true;
    }
    return status;
}

static enum status judge_segments(struct expire *e, struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < e->s->segments_n; i++) {
        const struct segment *seg = e->s->segments[i].gone ? NULL : store_segment(e->s, i, err);
        if (!seg && !e->s->segments[i].gone)
            return err->status;
        for (uint32_t no = 0; seg && status == OK && no < seg->blocks_n; no++) {
            uint32_t dropped;
            status = judge_block(e, seg, no, false, &dropped, err);
            e->dropped[i] += dropped;
        }
    }
    return status;
}

/* ---- originals ---- */

/* The longest time that anything is kept, when there is a rule for everything; else for ever. */
static int64_t longest_period(const struct store *s)
{
    int64_t longest = 0;
    bool all = false;
    for (size_t i = 0; i < s->retains.n; i++) {
        const struct store_retain *rule = &s->retains.at[i];
        if (retention_rule(s, rule->source) != rule)
            continue; /* it was replaced */
        all |= slice_equal(rule->source, SLICE("*"));
        if (rule->period > longest)
            longest = rule->period;
    }
    return all ? longest : INT64_MAX;
}

static bool any_hold(const struct store *s)
{
    for (size_t i = 0; i < s->holds.n; i++)
        if (!s->holds.at[i].released)
            return true;
    return false;
}

/* Files that go if none of their events stays: some went now, or there never were any here and the
 * longest period has passed. */
static bool may_go(const struct expire *e, const struct store_file *file, int64_t longest)
{
    timestamp cut;
    if (file->expired)
        return false;
    for (size_t i = 0; i < file->inputs_n; i++)
        if (e->lost[file->inputs[i].number])
            return true;
    return !any_hold(e->s) && !__builtin_sub_overflow(e->now, longest, &cut) && file->taken < cut;
}

/* Finds out of which candidates events stay in blocks that were not judged. */
static enum status look_for_rest(struct expire *e, const struct segment *seg, const bool *asked,
                                 struct error *err)
{
    enum status status = OK;
    for (uint32_t no = 0; status == OK && no < seg->blocks_n; no++) {
        const struct stored_block *told = &seg->blocks[no];
        const struct store_retain *rule;
        timestamp cut;
        bool open = false;
        for (uint32_t in = told->input_least; in <= told->input_most && in < e->s->next_input; in++)
            open |= asked[in] && !e->stays[in];
        if (!open || find_cut(e, told, &rule, &cut))
            continue;
        segment_begin(seg, e->reader, no, e->block);
        status = segment_read_origins(seg, e->reader, no, e->block, err);
        for (uint32_t row = 0; status == OK && row < e->block->rows; row++)
            if (e->block->origins[row].input < e->s->next_input)
                e->stays[e->block->origins[row].input] = true;
    }
    return status;
}

static enum status judge_files(struct expire *e, struct error *err)
{
    struct store *s = e->s;
    int64_t longest = longest_period(s);
    bool *asked = xcalloc((size_t)s->next_input + 1, sizeof *asked);
    enum status status = OK;
    for (size_t i = 0; i < s->files_n; i++)
        for (size_t k = 0; may_go(e, &s->files[i], longest) && k < s->files[i].inputs_n; k++)
            asked[s->files[i].inputs[k].number] = true;
    for (size_t i = 0; status == OK && i < s->segments_n; i++)
        if (!s->segments[i].gone)
            status = look_for_rest(e, store_segment(s, i, err), asked, err);
    for (size_t i = 0; status == OK && i < s->files_n; i++) {
        const struct store_file *file = &s->files[i];
        bool stays = !may_go(e, file, longest);
        for (size_t k = 0; !stays && k < file->inputs_n; k++)
            stays = e->stays[file->inputs[k].number];
        if (!stays)
            *VEC_PUSH(e->files) = file;
    }
    free(asked);
    return status;
}

/* ---- doing it ---- */

/* Takes the rows that go out of the block. */
static void drop_rows(struct block *b, const bool *drop)
{
    uint32_t n = 0;
    for (uint32_t row = 0; row < b->rows; row++) {
        if (drop[row])
            continue;
        b->times[n] = b->times[row];
        b->origins[n] = b->origins[row];
        for (uint32_t c = 0; c < b->columns_n; c++) {
            struct column *column = &b->columns[c];
            if (row < column->ids_n)
                column->ids[n] = column->ids[row];
        }
        n++;
    }
    b->rows = n;
    for (uint32_t c = 0; c < b->columns_n; c++)
        if (b->columns[c].ids_n > n)
            b->columns[c].ids_n = n;
}

static enum status write_rest(struct expire *e, const struct segment *seg, struct error *err)
{
    enum status status = OK;
    for (uint32_t no = 0; status == OK && no < seg->blocks_n; no++) {
        uint32_t dropped;
        struct packed_block packed;
        status = judge_block(e, seg, no, true, &dropped, err);
        if (status == OK && dropped == 0) {
            status = transaction_copy(e->s, seg, e->reader, no, err);
        } else if (status == OK && dropped < e->block->rows) {
            drop_rows(e->block, e->drop);
            status = block_pack(e->packer, e->block, 0, &packed, err);
            if (status == OK)
                status = transaction_add(e->s, &packed, err);
        }
    }
    return status;
}

static void put_entry(struct expire *e, struct slice by, struct buf *entry)
{
    struct store *s = e->s;
    const struct store_transaction *t = s->transaction;
    struct arena a = {0};
    struct expired_source *sources = arena_zero(&a, e->sources.n, sizeof *sources);
    const char **of = arena_zero(&a, s->segments_n, sizeof *of);
    const char **into = arena_zero(&a, t->finished.n, sizeof *into);
    struct expiry what = {.by = by,
                          .at = e->now,
                          .of = of,
                          .into = into,
                          .into_n = t->finished.n,
                          .sources = sources,
                          .files = e->files.at,
                          .files_n = e->files.n};
    for (size_t i = 0; i < s->segments_n; i++)
        if (e->dropped[i])
            of[what.of_n++] = s->segments[i].name.p;
    for (size_t i = 0; i < t->finished.n; i++)
        into[i] = t->finished.at[i].name;
    for (size_t i = 0; i < e->sources.n; i++) {
        const struct expire_source *from = &e->sources.at[i];
        if (from->events)
            sources[what.sources_n++] =
                (struct expired_source){from->source, from->events, from->first, from->last,
                                        retention_rule(s, from->source)};
    }
    entry_expire(entry, &what);
    arena_free(&a);
}

/* What the entry says is gone; what a crash leaves is taken away by the next writer. */
static void remove_files(struct expire *e, size_t segments_n)
{
    char path[PATH_BYTES];
    struct store *s = e->s;
    bool *chosen = xcalloc(segments_n + 1, sizeof *chosen);
    for (size_t i = 0; i < segments_n; i++)
        chosen[i] = e->dropped[i] > 0;
    store_remove_segments(s, chosen, segments_n);
    free(chosen);
    for (size_t i = 0; i < e->files.n; i++) {
        original_path(s, &e->files.at[i]->sha256, path);
        if (e->files.at[i]->kept)
            s->io->unlink(s->io->ctx, path);
    }
}

static enum status delete (struct expire *e, struct slice by, struct error *err) {
    struct store *s = e->s; struct buf entry = {0}; size_t before = s->segments_n;
    enum status status = store_begin(s, err); if (status != OK) return status;
    for (size_t i = 0; status == OK && i < before;
         i++){if (!e->dropped[i]) continue; status = verify_segment(s, &s->segments[i], err);
              if (status == OK && e->dropped[i] < s->segments[i].told.events)
                  status = write_rest(e, store_segment(s, i, err), err);}
if (status == OK) status = transaction_finish(s, err);
if (status == OK) {
    put_entry(e, by, &entry);
    struct slice line = buf_slice(&entry);
    status = transaction_commit(s, &line, 1, err);
}
if (status == OK)
    remove_files(e, before);
store_abandon(s);
buf_free(&entry);
return status;
}

/* ---- the whole ---- */

/* The newest time that an entry tells: a clock that stands before it is wrong. */
static timestamp newest_entry(const struct store *s)
{
    timestamp newest = s->made;
    for (size_t i = 0; i < s->files_n; i++)
        if (s->files[i].taken > newest)
            newest = s->files[i].taken;
    for (size_t i = 0; i < s->retains.n; i++)
        if (s->retains.at[i].at > newest)
            newest = s->retains.at[i].at;
    return newest;
}

static void begin(struct expire *e)
{
    struct store *s = e->s;
    e->reader = segment_reader_new(false);
    e->packer = block_packer_new();
    e->block = block_alone();
    e->taken = xcalloc((size_t)s->next_input + 1, sizeof *e->taken);
    e->lost = xcalloc((size_t)s->next_input + 1, sizeof *e->lost);
    e->stays = xcalloc((size_t)s->next_input + 1, sizeof *e->stays);
    e->dropped = xcalloc(s->segments_n + 1, sizeof *e->dropped);
    e->hosts = xcalloc(s->holds.n + 1, sizeof *e->hosts);
    for (size_t i = 0; i < s->holds.n; i++)
        e->hosts[i] = text_fold(e->arena, s->holds.at[i].host);
    for (size_t i = 0; i < s->files_n; i++)
        for (size_t k = 0; k < s->files[i].inputs_n; k++)
            e->taken[s->files[i].inputs[k].number] = s->files[i].taken;
}

static void end(struct expire *e)
{
    segment_reader_free(e->reader);
    block_packer_free(e->packer);
    block_free(e->block);
    free(e->taken);
    free(e->lost);
    free(e->stays);
    free(e->dropped);
    free(e->hosts);
    free(e->sources.at);
    free(e->files.at);
    buf_free(&e->name);
    map_free(&e->names);
    free(e);
}

static void tell(const struct expire *e, struct expire_report *report)
{
    *report = (struct expire_report){.sources_n = e->sources.n};
    report->sources = arena_zero(e->arena, e->sources.n, sizeof *report->sources);
    if (e->sources.n)
        memcpy(report->sources, e->sources.at, e->sources.n * sizeof *report->sources);
    for (size_t i = 0; i < e->sources.n; i++)
        report->events += e->sources.at[i].events;
    for (size_t i = 0; i < e->s->segments_n; i++) {
        report->segments_gone += e->dropped[i] && e->dropped[i] == e->s->segments[i].told.events;
        report->segments_rewritten +=
            e->dropped[i] && e->dropped[i] < e->s->segments[i].told.events;
    }
    for (size_t i = 0; i < e->files.n; i++)
        report->originals += e->files.at[i]->kept;
}

enum status store_expire(struct store *s, timestamp now, struct slice by, bool only_tell,
                         struct arena *a, struct expire_report *report, struct error *err)
{
    struct error own;
    if (!err)
        err = &own;
    *report = (struct expire_report){0};
    if (now < newest_entry(s))
        return error_set(err, STATUS_BAD_USE, s->path, ERROR_NO_OFFSET,
                         "the clock stands before the newest entry of the journal: nothing is "
                         "deleted by a clock that is wrong");
    struct expire *e = xcalloc(1, sizeof *e);
    *e = (struct expire){.s = s, .now = now, .arena = a};
    begin(e);
    enum status status = judge_segments(e, err);
    if (status == OK)
        status = judge_files(e, err);
    if (status == OK)
        tell(e, report);
    if (status == OK && !only_tell && (report->events || e->files.n))
        status = delete (e, by, err);
    end(e);
    return status;
}
