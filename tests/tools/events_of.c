/*
 * Prints the events of files as the readers make them, for tests that compare with other programs:
 *
 *     events_of [--carve] [--rounds N] FILE...
 *
 * One line an event: {"record":7,"time":"...","channel":"","provider":"","code":"","fields":{...}},
 * sorted by nothing; problems go to standard error. With --rounds the files are decoded N times
 * without printing, and the last line tells the speed in processor time.
 */
#include "base/buf.h"
#include "model/events.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

struct printing {
    struct arena a;
    struct buf line;
    bool silent;
    uint64_t events;
};

static enum status full(void *ctx, struct block *b, struct error *err)
{
    struct printing *p = ctx;
    (void)err;
    p->events += b->rows;
    for (uint32_t row = 0; row < b->rows && !p->silent; row++) {
        buf_clear(&p->line);
        events_line(b, row, &p->line, &p->a);
        fwrite(p->line.p, 1, p->line.n, stdout);
        arena_reset(&p->a);
    }
    return OK;
}

static struct slice read_file(const char *path)
{
    FILE *in = fopen(path, "rb");
    if (!in || fseek(in, 0, SEEK_END) != 0) {
        perror(path);
        exit(2);
    }
    size_t size = (size_t)ftell(in);
    rewind(in);
    char *bytes = xmalloc(size + 1);
    if (fread(bytes, 1, size, in) != size) {
        perror(path);
        exit(2);
    }
    fclose(in);
    return slice_of(bytes, size);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print_problems(const struct problems *problems)
{
    const struct problem *list;
    size_t n = problems_kept(problems, &list);
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, "%" PRIu64 ": %s\n", list[i].offset, list[i].what);
}

int main(int argc, char **argv)
{
    struct reader_options options = {0};
    int rounds = 0, first = 1;
    for (; first < argc && argv[first][0] == '-'; first++) {
        if (strcmp(argv[first], "--carve") == 0)
            options.carve = true;
        else if (strcmp(argv[first], "--rounds") == 0 && first + 1 < argc)
            rounds = (int)strtol(argv[++first], NULL, 10);
    }
    struct printing printing = {.silent = rounds > 0};
    struct problems *problems = problems_new();
    struct block_set *blocks = block_set_new((struct block_sink){full, &printing});
    struct error err;
    enum status status = OK;
    uint64_t bytes = 0;
    void *states[16] = {0};
    double start = 0, spent = 0;
    for (int i = first; i < argc && status == OK; i++) {
        struct slice file = read_file(argv[i]);
        const struct reader *reader = reader_for(file, true, slice_str(argv[i]));
        size_t number = 0;
        while (reader && reader_table[number] != reader)
            number++;
        if (reader && !states[number])
            states[number] = reader->open(&options);
        start = seconds();
        for (int round = 0; reader && status == OK && round < (rounds ? rounds : 1); round++) {
            status =
                events_decode(reader, states[number], file, BATCH_BYTES, blocks, problems, &err);
            bytes += file.n;
        }
        spent += seconds() - start;
        free((void *)(uintptr_t)file.p);
    }
    start = seconds();
    if (status == OK)
        status = block_set_flush(blocks, &err);
    spent += seconds() - start;
    if (status != OK)
        error_print(&err, stderr);
    for (size_t i = 0; i < sizeof states / sizeof *states && reader_table[i]; i++)
        if (states[i])
            reader_table[i]->close(states[i]);
    block_set_free(blocks);
    print_problems(problems);
    if (rounds)
        printf("%" PRIu64 " events, %.1f MB, %.3f s: %.1f MB/s, %.0f events/s\n", printing.events,
               (double)bytes / 1e6, spent, (double)bytes / 1e6 / spent,
               (double)printing.events / spent);
    problems_free(problems);
    arena_free(&printing.a);
    buf_free(&printing.line);
    return status == OK ? 0 : 1;
}
