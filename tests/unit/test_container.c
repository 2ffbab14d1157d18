#include "test.h"

#include "intake_run.h"

#include "base/confine.h"

#include <archive.h>
#include <archive_entry.h>
#include <libdeflate.h>
#include <sys/wait.h>

enum { ZEROS = 600 << 20 }; /* bytes of the bomb */

/* ---- making containers ---- */

struct member {
    const char *name;
    struct slice bytes;
};

static const struct member two[] = {
    {"logs/b.json", {"{\"a\":1}\n{\"a\":2}\n", 16}},
    {"logs/a.json", {"{\"a\":3}\n", 8}},
};

static la_ssize_t append(struct archive *a, void *ctx, const void *bytes, size_t n)
{
    (void)a;
    buf_add(ctx, slice_of(bytes, n));
    return (la_ssize_t)n;
}

static void add_member(struct archive *a, const struct member *m, uint64_t zeros)
{
    static const char nothing[1 << 16];
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, m->name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0600);
    archive_entry_set_size(entry, (la_int64_t)(m->bytes.n + zeros));
    assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
    assert_int_equal(archive_write_data(a, m->bytes.p, m->bytes.n), m->bytes.n);
    for (; zeros >= sizeof nothing; zeros -= sizeof nothing)
        assert_int_equal(archive_write_data(a, nothing, sizeof nothing), sizeof nothing);
    archive_entry_free(entry);
}

/* "zip", "7zip", "ustar", "raw", with a filter ("none", "gzip", ...) and options or NULL. */
static void make(struct buf *out, const char *format, const char *filter, const char *options,
                 const struct member *members, size_t n)
{
    struct archive *a = archive_write_new();
    assert_int_equal(archive_write_set_format_by_name(a, format), ARCHIVE_OK);
    if (strcmp(filter, "none") != 0)
        assert_int_equal(archive_write_add_filter_by_name(a, filter), ARCHIVE_OK);
    archive_write_set_bytes_per_block(a, 0);
    if (options) {
        assert_int_equal(archive_write_set_options(a, options), ARCHIVE_OK);
        archive_write_set_passphrase(a, "secret");
    }
    buf_clear(out);
    assert_int_equal(archive_write_open(a, out, NULL, append, NULL), ARCHIVE_OK);
    for (size_t i = 0; i < n; i++)
        add_member(a, &members[i], 0);
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
}

static void put_le(struct buf *b, uint64_t n, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        buf_char(b, (char)(n >> 8 * i));
}

/* A RAR archive, of version 4 or 5, whose members are stored as they are: libarchive only reads it.
 * Numbers of version 5 are of variable length; all here fit in one byte. */
static void make_rar(struct buf *out, int version, const struct member *members, size_t n)
{
    struct buf head = {0};
    buf_clear(out);
    buf_add(out, version == 5 ? SLICE("Rar!\x1a\x07\x01\0") : SLICE("Rar!\x1a\x07\0"));
    /* the header of the archive, one a member, one for the end */
    for (size_t i = 0; i < n + 2; i++) {
        const struct member *m = i == 0 || i == n + 1 ? NULL : &members[i - 1];
        uint64_t crc = m ? libdeflate_crc32(0, m->bytes.p, m->bytes.n) : 0;
        struct slice name = slice_str(m ? m->name : NULL);
        buf_clear(&head);
        if (version == 5 && m) {
            buf_printf(&head, "%c%c%c%c%c%c", 2, 2, (int)m->bytes.n, 4, (int)m->bytes.n, 0x20);
            put_le(&head, crc, 4);
            put_le(&head, 0, 2); /* stored, on Windows */
            buf_char(&head, (char)name.n);
        } else if (version == 5) {
            put_le(&head, i ? 5 : 1, 3);
        } else if (m) {
            put_le(&head, 0x8000 << 8 | 0x74, 3);
            put_le(&head, 32 + name.n, 2);
            put_le(&head, m->bytes.n, 4);
            put_le(&head, m->bytes.n, 4);
            put_le(&head, 3, 1);
            put_le(&head, crc, 4);
            put_le(&head, 0x5a21 << 16, 4); /* a date of MS-DOS */
            put_le(&head, 0x3014, 2);       /* stored; version 2.0 is enough */
            put_le(&head, name.n, 2);
            put_le(&head, 0100600, 4);
        } else {
            put_le(&head, i ? 0x7b : 0x73, 3);
            put_le(&head, i ? 7 : 13, 2);
            put_le(&head, 0, i ? 0 : 6);
        }
        buf_add(&head, name);
        if (version == 5) {
            struct buf sized = {0};
            buf_char(&sized, (char)head.n);
            buf_add(&sized, buf_slice(&head));
            put_le(out, libdeflate_crc32(0, sized.p, sized.n), 4);
            buf_add(out, buf_slice(&sized));
            buf_free(&sized);
        } else {
            put_le(out, libdeflate_crc32(0, head.p, head.n), 2);
            buf_add(out, buf_slice(&head));
        }
        if (m)
            buf_add(out, m->bytes);
    }
    buf_free(&head);
}

/* ---- reading them ---- */

/* Reads `bytes` as a file of that name. The caller ends the run. */
static void read_file(struct run *r, const struct folder *f, const char *name, struct slice bytes)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", f->path, name);
    write_file(f, name, bytes);
    run_begin(r, path);
    assert_int_equal(run_go(r, 2), OK);
}

static const char *first_problem(const struct run *r)
{
    const struct problem *list;
    return problems_kept(r->problems, &list) ? list[0].what : "";
}

static void one_stream(void **state)
{
    static const char *const filters[] = {"gzip", "bzip2", "xz", "zstd"};
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        struct buf b = {0};
        struct run r = {.keep = true};
        make(&b, "raw", filters[i], NULL, two, 1);
        read_file(&r, *state, "log.json.packed", buf_slice(&b));
        assert_int_equal(problems_total(r.problems), 0);
        assert_int_equal(inputs_count(r.inputs), 1);
        assert_false(inputs_get(r.inputs, 0)->container);
        assert_string_equal(inputs_get(r.inputs, 0)->reader->name, "json");
        assert_int_equal(inputs_get(r.inputs, 0)->bytes, 16);
        assert_slice(buf_slice(&r.events), "- // || #1 a=1\n- // || #2 a=2\n");
        run_end(&r);
        buf_free(&b);
    }
}

static void members(void **state)
{
    static const char *const forms[][2] = {
        {"zip", "none"},  {"7zip", "none"}, {"ustar", "none"}, {"ustar", "gzip"}, {"ustar", "zstd"},
        {"gnutar", "xz"}, {"pax", "bzip2"}, {"rar", "4"},      {"rar", "5"},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct buf b = {0};
        struct run r = {.keep = true};
        if (strcmp(forms[i][0], "rar") == 0)
            make_rar(&b, forms[i][1][0] - '0', two, 2);
        else
            make(&b, forms[i][0], forms[i][1], NULL, two, 2);
        read_file(&r, *state, "evidence", buf_slice(&b));
        assert_int_equal(problems_total(r.problems), 0);
        assert_int_equal(r.counts.inputs, 2);
        assert_int_equal(r.counts.events, 3);
        assert_int_equal(inputs_count(r.inputs), 3);
        assert_true(inputs_get(r.inputs, 0)->container);
        assert_true(slice_ends(inputs_get(r.inputs, 1)->name, SLICE("/evidence/logs/b.json")));
        assert_int_equal(inputs_get(r.inputs, 1)->events, 2);
        assert_int_equal(inputs_get(r.inputs, 2)->events, 1);
        run_end(&r);
        buf_free(&b);
    }
}

static void nested(void **state)
{
    static const char *const inner_formats[] = {"zip", "7zip", "ustar"};
    for (size_t i = 0; i < sizeof inner_formats / sizeof *inner_formats; i++) {
        struct buf inner = {0}, outer = {0};
        struct run r = {0};
        make(&inner, inner_formats[i], "none", NULL, two, 2);
        struct member middle[] = {{"host/inner.bin", buf_slice(&inner)}, two[1]};
        make(&outer, "ustar", "gzip", NULL, middle, 2);
        read_file(&r, *state, "all.tar.gz", buf_slice(&outer));
        assert_string_equal(first_problem(&r), "");
        assert_int_equal(r.counts.events, 4);
        assert_true(slice_ends(inputs_get(r.inputs, 2)->name,
                               SLICE("/all.tar.gz/host/inner.bin/logs/b.json")));
        run_end(&r);
        buf_free(&inner);
        buf_free(&outer);
    }
}

static void nested_too_deep(void **state)
{
    struct buf b[2] = {0};
    struct run r = {0};
    make(&b[0], "zip", "none", NULL, two, 1);
    for (int i = 1; i <= 3; i++) {
        struct member m = {"inner.zip", buf_slice(&b[(i - 1) % 2])};
        make(&b[i % 2], "zip", "none", NULL, &m, 1);
    }
    read_file(&r, *state, "deep.zip", buf_slice(&b[1]));
    assert_string_equal(first_problem(&r), "more than 3 containers in one another: not opened");
    assert_int_equal(r.counts.events, 0);
    run_end(&r);
    buf_free(&b[0]);
    buf_free(&b[1]);
}

static void password(void **state)
{
    struct buf b = {0};
    struct run r = {0};
    make(&b, "zip", "none", "zip:encryption=zipcrypt", two, 2);
    read_file(&r, *state, "locked.zip", buf_slice(&b));
    assert_int_equal(problems_total(r.problems), 2);
    assert_int_equal(problems_of(r.problems, 1), 1);
    assert_string_equal(first_problem(&r), "protected by a password: unpack it and name the files");
    assert_int_equal(r.counts.events, 0);
    run_end(&r);
    buf_free(&b);
}

/* A log of many lines, so that damage falls into its middle. */
static struct slice long_log(struct buf *b)
{
    uint32_t random = 7;
    for (unsigned i = 0; i < 20000; i++) {
        random = random * 1664525 + 1013904223;
        buf_printf(b, "{\"a\":%u,\"b\":\"%08x\"}\n", i, random);
    }
    return buf_slice(b);
}

/* What comes before the damage is read, and the damage is told. */
static void damaged(void **state)
{
    static const char *const forms[][2] = {
        {"raw", "gzip"}, {"raw", "zstd"}, {"raw", "xz"}, {"zip", "none"}, {"ustar", "gzip"},
    };
    struct buf text = {0};
    struct member m = {"log.json", long_log(&text)};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct buf b = {0};
        make(&b, forms[i][0], forms[i][1], NULL, &m, 1);
        struct run cut = {0}, wrong = {0};
        read_file(&cut, *state, "cut", slice_sub(buf_slice(&b), 0, b.n * 2 / 3));
        assert_true(problems_total(cut.problems) >= 1);
        assert_true(cut.counts.events > 100 && cut.counts.events < 20000);
        run_end(&cut);
        memset(b.p + b.n / 2, 0x55, 64);
        read_file(&wrong, *state, "wrong", buf_slice(&b));
        assert_true(problems_total(wrong.problems) >= 1);
        assert_true(wrong.counts.events > 100);
        run_end(&wrong);
        buf_free(&b);
    }
    buf_free(&text);
}

static void bomb(void **state)
{
    struct buf b = {0};
    struct run r = {0};
    struct archive *a = archive_write_new();
    archive_write_set_format_ustar(a);
    archive_write_add_filter_zstd(a);
    archive_write_set_bytes_per_block(a, 0);
    assert_int_equal(archive_write_open(a, &b, NULL, append, NULL), ARCHIVE_OK);
    add_member(a, &two[0], 0);
    add_member(a, &(struct member){"zeros", {"", 0}}, ZEROS);
    add_member(a, &two[1], 0);
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
    assert_true(b.n < ZEROS / 4000);
    read_file(&r, *state, "bomb.tar.zst", buf_slice(&b));
    assert_int_equal(r.counts.events, 2);
    assert_string_equal(first_problem(&r), "unpacks to over 1000 times its size on disk: given up");
    run_end(&r);
    buf_free(&b);
}

static void utf16(void **state)
{
    struct buf little = {0}, big = {0};
    buf_add(&little, SLICE("\xff\xfe"));
    buf_add(&big, SLICE("\xfe\xff"));
    for (unsigned line = 0; line < 3000; line++) {
        char text[80];
        int n = snprintf(text, sizeof text, "{\"a\":%u,\"b\":\"", line);
        for (int i = 0; i < n; i++) {
            buf_add(&little, slice_of((char[]){text[i], 0}, 2));
            buf_add(&big, slice_of((char[]){0, text[i]}, 2));
        }
        buf_add(&little, slice_of("\x3d\xd8\x25\xdd\x22\0\x7d\0\r\0\n", 12)); /* 🔥"} */
        buf_add(&big, slice_of("\xd8\x3d\xdd\x25\0\x22\0\x7d\0\r\0\n", 12));
    }
    const struct slice files[] = {buf_slice(&little), buf_slice(&big)};
    for (int i = 0; i < 2; i++) {
        struct run r = {.keep = true};
        read_file(&r, *state, "log.json", files[i]);
        assert_int_equal(problems_total(r.problems), 0);
        assert_int_equal(r.counts.events, 3000);
        assert_true(
            slice_starts(buf_slice(&r.events), SLICE("- // || #1 a=0 b=\xf0\x9f\x94\xa5\n")));
        run_end(&r);
    }
    buf_free(&little);
    buf_free(&big);
}

/* Unpacking needs nothing that a confined process has not. */
static void confined(void **state)
{
    struct folder *f = *state;
    static const char *const forms[][2] = {
        {"raw", "gzip"}, {"raw", "zstd"},  {"raw", "xz"},     {"raw", "bzip2"},
        {"zip", "none"}, {"7zip", "none"}, {"ustar", "gzip"},
    };
    struct buf b = {0};
    make_rar(&b, 4, two, 2);
    write_file(f, "rar4", buf_slice(&b));
    make_rar(&b, 5, two, 2);
    write_file(f, "rar5", buf_slice(&b));
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char name[32];
        make(&b, forms[i][0], forms[i][1], NULL, two, i < 4 ? 1 : 2);
        snprintf(name, sizeof name, "%zu", i);
        write_file(f, name, buf_slice(&b));
    }
    buf_free(&b);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        const char *path = f->path;
        struct run r = {0};
        struct confine_report report;
        run_begin(&r, path);
        bool good =
            confine(&(struct confine_needs){.read = &path, .read_n = 1}, &report, NULL) == OK &&
            run_go(&r, 2) == OK && r.counts.events == 4 * 2 + 5 * 3 &&
            problems_total(r.problems) == 0;
        run_end(&r);
        _exit(good ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(one_stream), in_folder(members), in_folder(nested), in_folder(nested_too_deep),
        in_folder(password),   in_folder(damaged), in_folder(bomb),   in_folder(utf16),
        in_folder(confined),
    };
    return cmocka_run_group_tests_name("container", tests, NULL, NULL);
}
