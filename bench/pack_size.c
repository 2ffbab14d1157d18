/*
 * Where the store's bytes go: takes logs in as `hikeshi intake` does, without a data folder, and tells
 * what the parts and the columns of segments take, and how long packing them took.
 *
 *     pack_size [--segment FILE] LOGS...
 *
 * One thread, so that the time is that of a core. --segment writes the segments there, one after
 * another, and leaves the last.
 */
#include "base/vec.h"
#include "intake/intake.h"
#include "store/segment.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct column_size {
    struct slice name;
    uint64_t values, codes, told; /* bytes: packed values, rows, the footer's */
    uint64_t raw_values, raw_codes;
    uint64_t distinct, rows;
};

struct counting {
    struct block_packer *packer;
    struct segment_writer *writer;
    const char *path;
    struct map names;
    struct {
        struct column_size *at;
        size_t n, cap;
    } columns;
    struct arena arena;
    uint64_t events, blocks, times, origins, filters, streams, segments, segments_bytes;
    double packing, writing;
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void count_column(struct counting *c, const struct stored_block *b,
                         const struct stored_column *column)
{
    bool is_new;
    uint32_t *slot = map_put(&c->names, column->name, &is_new);
    if (is_new) {
        *slot = (uint32_t)c->columns.n;
        *VEC_PUSH(c->columns) = (struct column_size){.name = arena_slice(&c->arena, column->name)};
    }
    struct column_size *size = &c->columns.at[*slot];
    size->values += column->packed.stored;
    size->raw_values += column->packed.raw;
    size->codes += column->codes.stored;
    size->raw_codes += column->codes.raw;
    size->told += 16 + column->values.n + column->text_least.n + column->text_most.n;
    size->distinct += column->values_n;
    size->rows += b->rows;
}

static enum status end_segment(struct counting *c, struct error *err)
{
    struct segment_told told;
    if (!c->writer)
        return OK;
    enum status status = segment_writer_finish(c->writer, &told, err);
    segment_writer_free(c->writer);
    c->writer = NULL;
    c->segments++;
    c->segments_bytes += told.bytes;
    return status;
}

static enum status write_block(struct counting *c, const struct packed_block *packed,
                               struct error *err)
{
    if (!c->path)
        return OK;
    if (!c->writer) {
        unlink(c->path);
        c->writer = segment_writer_new(&store_io_system, c->path, err);
    }
    enum status status = c->writer ? segment_writer_add(c->writer, packed, err) : STATUS_SYSTEM;
    if (status == OK && segment_writer_full(c->writer))
        status = end_segment(c, err);
    return status;
}

static enum status take(void *ctx, struct block *b, struct error *err)
{
    struct counting *c = ctx;
    struct packed_block packed;
    double start = seconds();
    enum status status = block_pack(c->packer, b, 0, &packed, err);
    double packed_at = seconds();
    c->packing += packed_at - start;
    if (status == OK)
        status = write_block(c, &packed, err);
    c->writing += seconds() - packed_at;
    if (status != OK)
        return status;
    c->events += b->rows;
    c->blocks++;
    c->times += packed.told.times.stored;
    c->origins += packed.told.origins.stored;
    c->filters += packed.filter.n;
    c->streams += packed.bytes.n;
    for (uint32_t i = 0; i < packed.told.columns_n; i++)
        count_column(c, &packed.told, &packed.told.columns[i]);
    return OK;
}

static struct block_sink make_sink(void *ctx, unsigned worker)
{
    (void)worker;
    return (struct block_sink){take, ctx};
}

static int by_size(const void *a, const void *b)
{
    const struct column_size *x = a, *y = b;
    uint64_t p = x->values + x->codes + x->told, q = y->values + y->codes + y->told;
    return (p < q) - (p > q);
}

static void print(struct counting *c, double all)
{
    double n = c->events ? (double)c->events : 1;
    printf("%" PRIu64 " events, %" PRIu64 " blocks; CPU s: %.2f, of which packing %.2f, "
           "writing %.2f\n",
           c->events, c->blocks, all, c->packing, c->writing);
    printf("bytes an event: streams %.2f (times %.2f, origins %.2f), filters %.2f",
           (double)c->streams / n, (double)c->times / n, (double)c->origins / n,
           (double)c->filters / n);
    if (c->segments)
        printf("; %" PRIu64 " segments, all %.2f", c->segments, (double)c->segments_bytes / n);
    printf("\n\n%-32s %8s %8s %8s %8s %10s %10s %9s\n", "column", "all", "values", "codes", "told",
           "raw values", "raw codes", "distinct");
    struct column_size sum = {.name = SLICE("all of them")};
    for (size_t i = 0; i < c->columns.n; i++) {
        sum.values += c->columns.at[i].values;
        sum.codes += c->columns.at[i].codes;
        sum.told += c->columns.at[i].told;
        sum.raw_values += c->columns.at[i].raw_values;
        sum.raw_codes += c->columns.at[i].raw_codes;
        sum.distinct += c->columns.at[i].distinct;
        sum.rows += c->columns.at[i].rows;
    }
    *VEC_PUSH(c->columns) = sum;
    qsort(c->columns.at, c->columns.n, sizeof *c->columns.at, by_size);
    for (size_t i = 0; i < c->columns.n && i < 70; i++) {
        const struct column_size *s = &c->columns.at[i];
        printf("%-32.*s %8.3f %8.3f %8.3f %8.3f %10.3f %10.3f %8.2f%%\n", SLICE_ARG(s->name),
               (double)(s->values + s->codes + s->told) / n, (double)s->values / n,
               (double)s->codes / n, (double)s->told / n, (double)s->raw_values / n,
               (double)s->raw_codes / n, 100 * (double)s->distinct / (double)s->rows);
    }
}

int main(int argc, char **argv)
{
    struct counting c = {.packer = block_packer_new()};
    struct error err = {0};
    int first = 1;
    if (argc > 2 && strcmp(argv[1], "--segment") == 0) {
        c.path = argv[2];
        first = 3;
    }
    if (first >= argc) {
        fprintf(stderr, "usage: %s [--segment FILE] LOGS...\n", argv[0]);
        return 2;
    }
    struct problems *problems = problems_new();
    struct inputs *inputs =
        inputs_find((const char *const *)(argv + first), (size_t)(argc - first), problems);
    struct intake job = {
        .inputs = inputs, .problems = problems, .threads = 1, .sink = make_sink, .ctx = &c};
    struct intake_counts counts = {0};
    enum status status = intake_run(&job, &counts, &err);
    if (status == OK)
        status = end_segment(&c, &err);
    if (status == OK)
        print(&c, (double)clock() / CLOCKS_PER_SEC);
    else
        error_print(&err, stderr);
    inputs_free(inputs);
    problems_free(problems);
    block_packer_free(c.packer);
    segment_writer_free(c.writer);
    map_free(&c.names);
    arena_free(&c.arena);
    free(c.columns.at);
    return status == OK ? 0 : 1;
}
