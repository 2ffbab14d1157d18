/*
 * The program's output file and its line of progress.
 */
#include "test.h"

#include "cli/outfile.h"
#include "cli/progress.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[96];

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/hikeshi-out-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/found.txt", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder); /* fails when something else is left in it */
}

static void assert_holds(const char *text)
{
    char got[64] = "";
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    size_t n = fread(got, 1, sizeof got - 1, in);
    got[n] = '\0';
    fclose(in);
    assert_string_equal(got, text);
}

static void appears_when_whole(void **state)
{
    (void)state;
    struct outfile out;
    struct error err;
    struct stat st;
    mode_t before = umask(027);
    assert_int_equal(outfile_open(&out, path, &err), OK);
    assert_string_equal(out.folder, folder);
    fputs("found", out.file);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(outfile_commit(&out, &err), OK);
    umask(before);
    assert_holds("found");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
}

static void abandoned_leaves_the_old(void **state)
{
    (void)state;
    struct outfile out;
    struct error err;
    assert_int_equal(outfile_open(&out, path, &err), OK);
    fputs("old", out.file);
    assert_int_equal(outfile_commit(&out, &err), OK);
    assert_int_equal(outfile_open(&out, path, &err), OK);
    fputs("new", out.file);
    outfile_abandon(&out);
    assert_holds("old");
    assert_int_equal(outfile_open(&out, path, &err), OK);
    fputs("newer", out.file);
    assert_int_equal(outfile_commit(&out, &err), OK);
    assert_holds("newer");
}

static void names_that_are_no_files(void **state)
{
    (void)state;
    struct outfile out;
    struct error err;
    assert_int_equal(outfile_open(&out, folder, &err), STATUS_BAD_USE);
    assert_int_equal(outfile_open(&out, "", &err), STATUS_BAD_USE);
    assert_int_equal(outfile_open(&out, "/nowhere/at/all", &err), STATUS_SYSTEM);
    assert_string_equal(err.where, "/nowhere/at/all");
}

static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    struct outfile out;
    struct error err;
    if (access("/dev/full", W_OK) != 0) {
        print_message("# skip: no /dev/full\n");
        return;
    }
    assert_int_equal(outfile_open(&out, "/dev/full", &err), OK);
    assert_null(out.folder);
    fputs("lost", out.file);
    assert_int_equal(outfile_commit(&out, &err), STATUS_SYSTEM);
}

static void standard_output_stays_open(void **state)
{
    (void)state;
    struct outfile out;
    struct error err;
    assert_int_equal(outfile_open(&out, NULL, &err), OK);
    assert_ptr_equal(out.file, stdout);
    assert_int_equal(outfile_commit(&out, &err), OK);
    assert_true(fcntl(STDOUT_FILENO, F_GETFD) >= 0);
}

static void line_of_progress(void **state)
{
    (void)state;
    char line[128];
    struct intake_progress now = {
        .bytes_done = 50000000, .bytes_total = 200000000, .events = 120000};
    size_t n = progress_line(&now, 2, 200, line, sizeof line);
    assert_string_equal(line,
                        "[=====>              ]  25 %  50 MB  25 MB/s  60000 events/s  6 s left");
    assert_int_equal(n, strlen(line));
    assert_int_equal(progress_line(&now, 2, 10, line, sizeof line), 10);
    assert_string_equal(line, "[=====>   ");
    now.bytes_done = now.bytes_total;
    progress_line(&now, 3700, 200, line, sizeof line);
    assert_string_equal(line,
                        "[====================] 100 %  200 MB  54 KB/s  32 events/s  0 s left");
    now = (struct intake_progress){.bytes_total = 1000};
    progress_line(&now, 0, 200, line, sizeof line);
    assert_string_equal(line, "[>                   ]   0 %  0 B  0 B/s  0 events/s  ? left");
    now = (struct intake_progress){.bytes_done = 1500, .events = 10}; /* from a pipe */
    progress_line(&now, 1, 200, line, sizeof line);
    assert_string_equal(line, "1.5 KB  1.5 KB/s  10 events/s");
    now = (struct intake_progress){.bytes_done = 1, .bytes_total = 9000};
    progress_line(&now, 1, 200, line, sizeof line);
    assert_string_equal(line, "[>                   ]   0 %  1 B  1 B/s  0 events/s  2:29:59 left");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(appears_when_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(abandoned_leaves_the_old, setup, teardown),
        cmocka_unit_test_setup_teardown(names_that_are_no_files, setup, teardown),
        cmocka_unit_test(a_full_disk_is_an_error),
        cmocka_unit_test(standard_output_stays_open),
        cmocka_unit_test(line_of_progress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
