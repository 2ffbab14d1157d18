/*
 * How fast a reader is by itself, on one core: decodes files N times into blocks that nobody looks at.
 *
 *     read_speed ROUNDS FILE...
 *
 * Prints events, bytes, processor time and their ratios.
 */
#include "model/events.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

struct count {
    uint64_t events, bytes;
};

static enum status full(void *ctx, struct block *b, struct error *err)
{
    struct count *count = ctx;
    (void)err;
    count->events += b->rows;
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

/* Decodes one file again and again with one state, as a worker that has many files would. */
static enum status measure(const char *path, long rounds, struct block_set *blocks,
                           struct problems *problems, struct count *count, double *spent)
{
    struct slice file = read_file(path);
    struct error err = {0};
    const struct reader *reader = reader_for(file, true, slice_str(path));
    enum status status = OK;
    if (reader) {
        void *state = reader->open(NULL);
        double start = seconds();
        for (long i = 0; i < rounds && status == OK; i++)
            status = events_decode(reader, state, file, BATCH_BYTES, blocks, problems, &err);
        if (status == OK)
            status = block_set_flush(blocks, &err);
        *spent += seconds() - start;
        count->bytes += file.n * (uint64_t)rounds;
        reader->close(state);
    }
    free((void *)(uintptr_t)file.p);
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s ROUNDS FILE...\n", argv[0]);
        return 2;
    }
    struct count count = {0};
    struct problems *problems = problems_new();
    double spent = 0;
    enum status status = OK;
    for (int i = 2; i < argc && status == OK; i++) {
        /* a reader's state goes with one set of blocks */
        struct block_set *blocks = block_set_new((struct block_sink){full, &count});
        status = measure(argv[i], strtol(argv[1], NULL, 10), blocks, problems, &count, &spent);
        block_set_free(blocks);
    }
    printf("%" PRIu64 " events, %.1f MB, %.3f s: %.1f MB/s, %.0f events/s\n", count.events,
           (double)count.bytes / 1e6, spent, (double)count.bytes / 1e6 / spent,
           (double)count.events / spent);
    problems_free(problems);
    return status == OK ? 0 : 1;
}
