/*
 * The intake process is killed at random moments (kill -9): what it acknowledged is there, nothing is
 * there twice, and the store opens at once.
 *
 *     HIKESHI=build/hikeshi test_crash [ROUNDS]
 *
 * Each round writes new logs, some of them grown from those of the round before, and takes them in
 * together with the logs of the last rounds, or pours lines into a pipe. Each event carries a text that
 * no other has.
 */
#include "unit/test.h"

#include "base/map.h"
#include "base/vec.h"
#include "store/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PARTS = 3,  /* how often a log grows in a round; each is a file */
    LINES = 60, /* that come to it each time */
    BACK = 3,   /* rounds whose files are taken in again */
    CHECK_EACH = 5,
    STREAM_FIRST = 1000, /* number of a stream's first event: all have as many digits */
    STREAM_LINES = 4000,
};

struct test {
    const char *program;
    char folder[64], data[96];
    uint64_t seed;
    unsigned rounds;
    int64_t usual; /* ns that the last run took that went to its end */
    struct map acknowledged;
    unsigned kills, acknowledged_runs;
};

static uint32_t draw(struct test *t, uint32_t below)
{
    t->seed ^= t->seed >> 12;
    t->seed ^= t->seed << 25;
    t->seed ^= t->seed >> 27;
    return (uint32_t)((t->seed * 0x2545f4914f6cdd1du) >> 33) % below;
}

/* ---- logs ---- */

static void file_name(const struct test *t, unsigned round, unsigned part, char out[160])
{
    snprintf(out, 160, "%s/log-%u-%u.jsonl", t->folder, round, part);
}

/* Event i of a round's log; those of odd rounds are of Windows. */
static int event_line(unsigned round, unsigned i, char out[512])
{
    if (round % 2)
        return snprintf(
            out, 512,
            "{\"Event\":{\"System\":{\"Provider\":{\"#attributes\":{\"Name\":\"Test\"}},"
            "\"EventID\":1,\"TimeCreated\":{\"#attributes\":{\"SystemTime\":"
            "\"2026-11-10T01:%02u:%02uZ\"}},\"EventRecordID\":%u,\"Channel\":\"Test\","
            "\"Computer\":\"PC%u\"},\"EventData\":{\"id\":\"%u-%u\"}}}\n",
            i / 60 % 60, i % 60, i + 1, round, round, i);
    return snprintf(out, 512,
                    "{\"@timestamp\":\"2026-11-10T01:%02u:%02uZ\",\"id\":\"%u-%u\","
                    "\"message\":\"a line\"}\n",
                    i / 60 % 60, i % 60, round, i);
}

static void write_logs(struct test *t, unsigned round)
{
    char name[160], line[512];
    for (unsigned part = 0; part < PARTS; part++) {
        file_name(t, round, part, name);
        FILE *out = fopen(name, "we");
        assert_non_null(out);
        for (unsigned i = 0; i < (part + 1) * LINES; i++) {
            event_line(round, i, line);
            fputs(line, out);
        }
        assert_int_equal(fclose(out), 0);
    }
}

static void acknowledge(struct test *t, unsigned round, unsigned first, unsigned lines)
{
    char key[32];
    bool is_new;
    for (unsigned i = first; i < first + lines; i++) {
        snprintf(key, sizeof key, "%u-%u", round, i);
        map_put(&t->acknowledged, slice_str(key), &is_new);
    }
}

/* ---- the process ---- */

struct process {
    pid_t pid;
    int in, out; /* its standard input, -1: none; its output */
    FILE *said;
};

static struct process start(struct test *t, const char *const *arguments, bool piped)
{
    struct process p = {.in = -1};
    int in[2] = {-1, -1}, out[2];
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    if (piped)
        assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    p.pid = fork();
    assert_true(p.pid >= 0);
    if (p.pid == 0) {
        dup2(piped ? in[0] : open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
        execv(t->program, (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    close(out[1]);
    if (piped) {
        close(in[0]);
        p.in = in[1];
    }
    p.out = out[0];
    return p;
}

/* Understands what was acknowledged, a line at a time. */
static void hear(struct test *t, struct slice line, unsigned stream_round, unsigned line_bytes)
{
    unsigned round, part;
    unsigned long long bytes;
    char text[512];
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(line));
    const char *log = strstr(text, "/log-");
    if (strncmp(text, "{\"file\":\"taken\"", 15) == 0 && log &&
        sscanf(log, "/log-%u-%u.jsonl", &round, &part) == 2) { // NOLINT(cert-err34-c): our names
        acknowledge(t, round, 0, (part + 1) * LINES);
        t->acknowledged_runs++;
    }
    const char *safe = strstr(text, "\"safe_bytes\":");
    if (safe && sscanf(safe, "\"safe_bytes\":%llu", &bytes) == 1) { // NOLINT(cert-err34-c): a count
        acknowledge(t, stream_round, STREAM_FIRST, (unsigned)(bytes / line_bytes));
        t->acknowledged_runs++;
    }
}

/* Hears until the process ends, and kills it at `until` (0: does not). Pours a stream's lines. */
static int attend(struct test *t, struct process *p, int64_t until, unsigned round)
{
    struct buf said = {0};
    char line[512];
    unsigned poured = 0;
    unsigned line_bytes = (unsigned)event_line(round, STREAM_FIRST, line);
    bool killed = false, open = true;
    while (open) {
        struct pollfd ready[] = {{p->out, POLLIN, 0}, {p->in, POLLOUT, 0}};
        poll(ready, 1, 1); /* a stream's lines come slowly */
        if (p->in >= 0)
            poll(&ready[1], 1, 0);
        if (!killed && until && monotonic_ns() >= until) {
            kill(p->pid, SIGKILL);
            killed = true;
        }
        if (ready[0].revents) {
            ssize_t n = read(p->out, buf_room(&said, 4096), 4096);
            said.n += n > 0 ? (size_t)n : 0;
            open = n > 0;
        }
        if (p->in >= 0 && ready[1].revents) {
            int n = event_line(round, STREAM_FIRST + poured++, line);
            if (poured > STREAM_LINES || write(p->in, line, (size_t)n) != n) {
                close(p->in);
                p->in = -1;
            }
        }
    }
    for (size_t at = 0; at < said.n;) { /* a line without its end was not said */
        struct slice rest = slice_sub(buf_slice(&said), at, said.n);
        ptrdiff_t end = slice_find(rest, SLICE("\n"));
        if (end < 0)
            break;
        hear(t, slice_sub(rest, 0, (size_t)end), round, line_bytes);
        at += (size_t)end + 1;
    }
    int status;
    assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
    if (p->in >= 0)
        close(p->in);
    close(p->out);
    buf_free(&said);
    t->kills += WIFSIGNALED(status) ? 1 : 0;
    return status;
}

/* The logs of the last rounds. */
static int run_files(struct test *t, unsigned from, unsigned to, bool kill_it)
{
    enum { MOST = 5 + 600 * PARTS };
    static const char *const first[] = {"hikeshi", "intake", "--json", "--data"};
    const char *arguments[MOST + 1];
    struct arena a = {0};
    size_t n = 0;
    for (; n < 4; n++)
        arguments[n] = first[n];
    arguments[n++] = t->data;
    for (unsigned round = from; round <= to; round++)
        for (unsigned part = 0; part < PARTS && n < MOST; part++) {
            char name[160];
            file_name(t, round, part, name);
            if (access(name, F_OK) == 0)
                arguments[n++] = arena_slice(&a, slice_str(name)).p;
        }
    arguments[n] = NULL;
    int64_t begun = monotonic_ns();
    struct process p = start(t, arguments, false);
    int64_t until = kill_it ? begun + draw(t, 1000) * t->usual / 1000 : 0;
    int status = attend(t, &p, until, to);
    if (WIFEXITED(status))
        t->usual = monotonic_ns() - begun;
    arena_free(&a);
    return status;
}

static void run_stream(struct test *t, unsigned round)
{
    const char *arguments[] = {"hikeshi", "intake", "--json", "--every", "1",
                               "--data",  t->data,  "-",      NULL};
    struct process p = start(t, arguments, true);
    attend(t, &p, monotonic_ns() + draw(t, 1500) * (NS_PER_SECOND / 1000), round);
}

/* ---- what is there ---- */

static void count_block(struct block *b, struct map *seen)
{
    for (uint32_t row = 0; row < b->rows; row++) {
        bool is_new;
        struct slice id = block_text(b, row, SLICE("id"));
        assert_true(id.n > 0);
        ++*map_put(seen, id, &is_new);
        if (!is_new)
            print_message("# twice: %.*s\n", SLICE_ARG(id));
        assert_true(is_new);
    }
}

/* Opens as a reader does, which changes nothing; each event is there once. */
static void read_store(struct test *t, struct map *seen)
{
    struct error err;
    struct store *s = store_open(&store_io_system, t->data, STORE_READ, NULL, &err);
    if (!s)
        print_message("# %s: %s\n", err.where, err.what);
    assert_non_null(s);
    struct segment_reader *r = segment_reader_new(true);
    struct block *b = block_alone();
    for (size_t i = 0; s && i < s->segments_n; i++)
        for (uint32_t no = 0; !s->segments[i].gone && no < s->segments[i].open->blocks_n; no++) {
            assert_int_equal(segment_read(s->segments[i].open, r, no, NULL, 0, b, &err), OK);
            count_block(b, seen);
        }
    segment_reader_free(r);
    block_free(b);
    store_close(s);
}

static void check_nothing_twice(struct test *t)
{
    struct map seen = {0};
    read_store(t, &seen);
    map_free(&seen);
}

/* Also what was moved aside is said, which is nothing wrong. */
static void say(void *ctx, const struct error *what)
{
    (void)ctx;
    if (what->status != OK)
        print_message("# %s: %s\n", what->where, what->what);
}

/* After a run that went to its end: all that was ever acknowledged. */
static void check_all(struct test *t, unsigned rounds)
{
    struct map seen = {0};
    char key[32];
    read_store(t, &seen);
    for (unsigned round = 0; round <= rounds; round++)
        for (unsigned i = 0; i < STREAM_FIRST + STREAM_LINES; i++) {
            snprintf(key, sizeof key, "%u-%u", round, i);
            if (!map_get(&t->acknowledged, slice_str(key)))
                continue;
            if (!map_get(&seen, slice_str(key)))
                print_message("# acknowledged and lost: %s\n", key);
            assert_non_null(map_get(&seen, slice_str(key)));
        }
    map_free(&seen);
    struct verify_counts counts;
    struct arena a = {0};
    struct error err;
    assert_int_equal(store_verify(&store_io_system, t->data, &(struct verify_options){0}, say, NULL,
                                  &a, &counts, &err),
                     OK);
    assert_int_equal(counts.wrong, 0);
    arena_free(&a);
}

static void killed(void **state)
{
    struct test *t = *state;
    for (unsigned round = 0; round < t->rounds; round++) {
        bool stream = round % 4 == 3;
        if (stream) {
            run_stream(t, round);
        } else {
            write_logs(t, round);
            run_files(t, round > BACK ? round - BACK : 0, round, true);
        }
        check_nothing_twice(t);
        if (round % CHECK_EACH != CHECK_EACH - 1 && round + 1 < t->rounds)
            continue;
        int status = run_files(t, round > 2 * BACK ? round - 2 * BACK : 0, round, false);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        check_all(t, round);
    }
    print_message("# killed %u times in %u rounds, %u acknowledgements\n", t->kills, t->rounds,
                  t->acknowledged_runs);
    assert_true(t->kills > t->rounds / 4);
    assert_true(t->acknowledged_runs > t->rounds);
}

static int set_up(void **state)
{
    struct test *t = *state;
    struct error err;
    const char *tmp = getenv("TMPDIR");
    snprintf(t->folder, sizeof t->folder, "%s/hikeshi-crash-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(t->folder))
        return -1;
    snprintf(t->data, sizeof t->data, "%s/data", t->folder);
    if (store_init(&store_io_system, t->data, NULL, 1, &err) != OK)
        return -1;
    write_logs(t, 0); /* how long a run takes */
    int status = run_files(t, 0, 0, false);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    struct test *t = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", t->folder);
    map_free(&t->acknowledged);
    return system(command); // NOLINT(cert-env33-c): a name of our own
}

int main(int argc, char **argv)
{
    struct test t = {.program = getenv("HIKESHI"), .seed = (uint64_t)monotonic_ns() | 1};
    t.rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 20;
    if (!t.program)
        t.program = "build/hikeshi";
    signal(SIGPIPE, SIG_IGN);
    print_message("# seed %llu\n", (unsigned long long)t.seed);
    const struct CMUnitTest tests[] = {cmocka_unit_test_prestate(killed, &t)};
    (void)tests;
    void *state = &t;
    if (set_up(&state) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    tear_down(&state);
    return failed;
}
