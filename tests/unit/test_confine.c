/*
 * What a confined process can and can't do. Each case forks a child that confines itself and answers
 * by its exit status: 0, or the line of the first check that did not hold.
 */
#include "test.h"

#include "base/confine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define OWN_THREADS 1
#else
#define OWN_THREADS 0
#endif

/* A folder for one run: in/given.txt and in/sub/deep.txt (granted by `in`), one.txt (granted by
 * itself), other.txt (not granted), out/ (granted to write), log.txt (granted to write). */
struct place {
    char root[64];
    char in[96], given[96], deep[96], one[96], other[96], out[96], log[96];
    struct confine_report report;
};

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            leave(__LINE__, #condition);                                                           \
    } while (0)
#define CHECK_REFUSED(call, code) CHECK((call) == -1 && errno == (code))

static _Noreturn void leave(int line, const char *what)
{
    fprintf(stderr, "test_confine.c:%d: does not hold: %s (errno %d)\n", line, what, errno);
    _exit(1);
}

static void make_file(const char *path)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("evidence\n", f);
    assert_int_equal(fclose(f), 0);
}

static int make_place(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    assert_non_null(p);
    strcpy(p->root, "/tmp/hikeshi-confine-XXXXXX");
    assert_non_null(mkdtemp(p->root));
    snprintf(p->in, sizeof p->in, "%s/in", p->root);
    snprintf(p->given, sizeof p->given, "%s/in/given.txt", p->root);
    snprintf(p->deep, sizeof p->deep, "%s/in/sub/deep.txt", p->root);
    snprintf(p->one, sizeof p->one, "%s/one.txt", p->root);
    snprintf(p->other, sizeof p->other, "%s/other.txt", p->root);
    snprintf(p->out, sizeof p->out, "%s/out", p->root);
    snprintf(p->log, sizeof p->log, "%s/log.txt", p->root);
    char sub[96];
    snprintf(sub, sizeof sub, "%s/in/sub", p->root);
    assert_int_equal(mkdir(p->in, 0700) | mkdir(sub, 0700) | mkdir(p->out, 0700), 0);
    make_file(p->given);
    make_file(p->deep);
    make_file(p->one);
    make_file(p->other);
    make_file(p->log);
    *state = p;
    return 0;
}

static int remove_place(void **state)
{
    struct place *p = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", p->root);
    int r = system(command); // NOLINT(cert-env33-c): a path of our own making
    free(p);
    return r;
}

/* Runs `body` in a confined child. */
static void confined(struct place *p, void (*body)(struct place *))
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const char *const read_paths[] = {p->in, p->one}, *const write_paths[] = {p->out, p->log};
        struct confine_needs needs = {
            .read = read_paths, .read_n = 2, .write = write_paths, .write_n = 2};
        struct error err;
        if (confine(&needs, &p->report, &err) != OK) {
            error_print(&err, stderr);
            _exit(2);
        }
        body(p);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static bool landlock_is_there(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) > 0;
}

/* True, having said so, when the machine can't confine files. */
static bool no_landlock(void)
{
    if (landlock_is_there())
        return false;
    print_message("# skip: this kernel has no Landlock\n");
    return true;
}

static bool reads(const char *path)
{
    char text[16];
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
    if (fd >= 0)
        close(fd);
    return n > 0;
}

static void try_granted(struct place *p)
{
    CHECK(reads(p->given));
    CHECK(reads(p->deep));
    CHECK(reads(p->one));
    DIR *folder = opendir(p->in);
    CHECK(folder && readdir(folder));
    closedir(folder);

    char made[128], moved[128];
    snprintf(made, sizeof made, "%s/made.tmp", p->out);
    snprintf(moved, sizeof moved, "%s/sub", p->out);
    CHECK(mkdir(moved, 0700) == 0);
    snprintf(moved, sizeof moved, "%s/sub/made", p->out);
    int fd = open(made, O_WRONLY | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0 && write(fd, "x", 1) == 1 && ftruncate(fd, 0) == 0 && fsync(fd) == 0);
    close(fd);
    CHECK(rename(made, moved) == 0);
    CHECK(unlink(moved) == 0);
    fd = open(p->log, O_RDWR | O_TRUNC);
    CHECK(fd >= 0 && write(fd, "x", 1) == 1);
    close(fd);
}

static void granted_paths(void **state)
{
    confined(*state, try_granted);
}

static void try_not_granted_reading(struct place *p)
{
    CHECK_REFUSED(open(p->other, O_RDONLY), EACCES);
    CHECK_REFUSED(open("/etc/passwd", O_RDONLY), EACCES);
    CHECK_REFUSED(open(p->root, O_RDONLY | O_DIRECTORY), EACCES);
    char around[160];
    snprintf(around, sizeof around, "%s/../other.txt", p->in);
    CHECK_REFUSED(open(around, O_RDONLY), EACCES);
}

static void other_paths_are_not_read(void **state)
{
    if (!no_landlock())
        confined(*state, try_not_granted_reading);
}

static void try_not_granted_writing(struct place *p)
{
    char made[128];
    snprintf(made, sizeof made, "%s/made", p->root);
    CHECK_REFUSED(open(made, O_WRONLY | O_CREAT, 0600), EACCES);
    snprintf(made, sizeof made, "%s/made", p->in);
    CHECK_REFUSED(open(made, O_WRONLY | O_CREAT, 0600), EACCES);
    CHECK_REFUSED(open(p->given, O_WRONLY), EACCES);
    CHECK_REFUSED(open(p->other, O_WRONLY), EACCES);
    CHECK_REFUSED(unlink(p->given), EACCES);
    CHECK_REFUSED(mkdir(made, 0700), EACCES);
    char moved[128];
    snprintf(moved, sizeof moved, "%s/given.txt", p->out);
    CHECK(rename(p->given, moved) == -1 && (errno == EACCES || errno == EXDEV));
    CHECK_REFUSED(symlink("/etc/passwd", moved), EPERM);
    CHECK_REFUSED(link(p->given, moved), EPERM);
}

static void other_paths_are_not_written(void **state)
{
    if (!no_landlock())
        confined(*state, try_not_granted_writing);
}

static void try_network(struct place *p)
{
    (void)p;
    CHECK_REFUSED(socket(AF_INET, SOCK_STREAM, 0), EPERM);
    CHECK_REFUSED(socket(AF_INET6, SOCK_DGRAM, 0), EPERM);
    CHECK_REFUSED(socket(AF_UNIX, SOCK_STREAM, 0), EPERM);
    int pair[2];
    CHECK_REFUSED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), EPERM);
    CHECK_REFUSED(connect(0, NULL, 0), EPERM);
    CHECK_REFUSED(bind(0, NULL, 0), EPERM);
    CHECK_REFUSED(syscall(SYS_io_uring_setup, 1, NULL), EPERM);
}

static void no_network(void **state)
{
    confined(*state, try_network);
}

/* A client may connect, and may nothing else that others may not. */
static void try_client(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof here;
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(server >= 0 && bind(server, (struct sockaddr *)&here, n) == 0);
    CHECK(listen(server, 1) == 0 && getsockname(server, (struct sockaddr *)&here, &n) == 0);
    struct confine_needs needs = {.network = true};
    struct confine_report report;
    struct error err;
    CHECK(confine(&needs, &report, &err) == OK);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(client >= 0 && connect(client, (struct sockaddr *)&here, sizeof here) == 0);
    CHECK(send(client, "x", 1, 0) == 1);
    CHECK_REFUSED(listen(client, 1), EPERM);
    CHECK_REFUSED(accept(server, NULL, NULL), EPERM);
    CHECK_REFUSED(fork(), EPERM);
    char *const arguments[] = {"true", NULL};
    CHECK_REFUSED(execv("/bin/true", arguments), EPERM);
    if (report.landlock)
        CHECK_REFUSED(open("/etc/passwd", O_RDONLY | O_CLOEXEC), EACCES);
}

static void try_programs(struct place *p)
{
    (void)p;
    char *const arguments[] = {"true", NULL};
    CHECK_REFUSED(execv("/bin/true", arguments), EPERM);
    CHECK_REFUSED(fexecve(0, arguments, arguments), EPERM);
    CHECK_REFUSED(fork(), EPERM);
    CHECK_REFUSED(syscall(SYS_clone3, NULL, 0), ENOSYS);
    pid_t child;
    CHECK(posix_spawn(&child, "/bin/true", NULL, NULL, arguments, arguments) != 0);
}

static void no_programs(void **state)
{
    confined(*state, try_programs);
}

static void try_others(struct place *p)
{
    (void)p;
    CHECK_REFUSED(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL), EPERM);
    CHECK_REFUSED(kill(getppid(), 0), ENOSYS);
    CHECK(kill(getpid(), 0) == 0);
    CHECK_REFUSED(syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0), EPERM);
    CHECK_REFUSED(syscall(SYS_bpf, 0, NULL, 0), EPERM);
    CHECK_REFUSED(syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0), EPERM);
    CHECK_REFUSED(syscall(SYS_userfaultfd, 0), EPERM);
    CHECK_REFUSED(syscall(SYS_unshare, 0), EPERM);
    CHECK_REFUSED(syscall(SYS_mount, "", "/", "", 0, NULL), EPERM);
    CHECK_REFUSED(syscall(SYS_keyctl, 0, 0, 0, 0, 0), EPERM);
    CHECK_REFUSED(syscall(SYS_init_module, NULL, 0, NULL), EPERM);
    CHECK_REFUSED(syscall(SYS_kexec_load, 0, 0, NULL, 0), EPERM);
    CHECK_REFUSED(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), ENOSYS);
}

static void others_are_out_of_reach(void **state)
{
    confined(*state, try_others);
}

/* What a thread does: reads a granted file, finds the others closed, allocates. */
static void *thread_body(void *argument)
{
    struct place *p = argument;
    pthread_setname_np(pthread_self(), "worker");
    for (int i = 1; i < 200; i++) {
        char *memory = malloc((size_t)i * 4096);
        if (!memory)
            return "malloc";
        memset(memory, i, (size_t)i * 4096);
        free(memory);
    }
    if (!reads(p->given))
        return "reading what is granted";
    if (landlock_is_there() && (open(p->other, O_RDONLY) != -1 || errno != EACCES))
        return "a file that is not granted opens";
    if (socket(AF_INET, SOCK_STREAM, 0) != -1)
        return "socket";
    return NULL;
}

static void try_threads(struct place *p)
{
    for (int round = 0; round < 4; round++) {
        pthread_t threads[8];
        for (int i = 0; i < 8; i++)
            CHECK(pthread_create(&threads[i], NULL, thread_body, p) == 0);
        for (int i = 0; i < 8; i++) {
            void *wrong = NULL;
            CHECK(pthread_join(threads[i], &wrong) == 0);
            if (wrong)
                leave(__LINE__, wrong);
        }
    }
}

static void threads_work(void **state)
{
    confined(*state, try_threads);
}

static void try_dump(struct place *p)
{
    (void)p;
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0);
    CHECK(setrlimit(RLIMIT_CORE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}) == -1);
}

static void no_core_dump(void **state)
{
    confined(*state, try_dump);
}

/* A way out by exit() passes by the sanitizers' last words, which must not fail. */
static void try_exit(struct place *p)
{
    (void)p;
    printf("# leaves\n");
    exit(0); // NOLINT(concurrency-mt-unsafe): the child has one thread
}

static void exit_is_clean(void **state)
{
    confined(*state, try_exit);
}

static void try_report(struct place *p)
{
    CHECK((p->report.landlock > 0) == (p->report.warning[0] == '\0'));
    CHECK(prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == -1); /* not even asked for: not on the list */
}

static void report_says_what_holds(void **state)
{
    confined(*state, try_report);
}

/* A case in a child that is not confined yet. */
static void in_child(void (*body)(void))
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        body();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void try_missing_path(void)
{
    const char *const paths[] = {"/nowhere/at/all"};
    struct confine_needs needs = {.read = paths, .read_n = 1};
    struct confine_report report;
    struct error err = {0};
    CHECK(confine(&needs, &report, &err) == STATUS_SYSTEM);
    CHECK(strcmp(err.where, paths[0]) == 0);
    CHECK(strstr(err.what, "No such file") != NULL);
}

static void clients_connect_only(void **state)
{
    (void)state;
    in_child(try_client);
}

static void missing_path_is_named(void **state)
{
    (void)state;
    if (!no_landlock())
        in_child(try_missing_path);
}

/* Makes the kernel look as if it did not have a call; its first argument as given, or any. */
static void take_away(int call, int argument, int code)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    CHECK(filter != NULL);
    int r = argument < 0 ? seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)code), call, 0)
                         : seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)code), call, 1,
                                            SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)argument, 0));
    CHECK(r == 0 && seccomp_load(filter) == 0);
    seccomp_release(filter);
}

static void try_without_landlock(void)
{
    take_away(SCMP_SYS(landlock_create_ruleset), -1, ENOSYS);
    const char *const paths[] = {"/usr"};
    struct confine_needs needs = {.read = paths, .read_n = 1};
    struct confine_report report;
    struct error err;
    CHECK(confine(&needs, &report, &err) == OK);
    CHECK(report.landlock == 0 && strstr(report.warning, "Landlock"));
    CHECK_REFUSED(socket(AF_INET, SOCK_STREAM, 0), EPERM);
    CHECK_REFUSED(fork(), EPERM);
}

static void without_landlock_the_rest_holds(void **state)
{
    (void)state;
    in_child(try_without_landlock);
}

static void try_without_seccomp(void)
{
    take_away(SCMP_SYS(seccomp), 1, EINVAL); /* 1: to set a filter */
    struct confine_needs needs = {0};
    struct confine_report report;
    struct error err = {0};
    CHECK(confine(&needs, &report, &err) == STATUS_SYSTEM);
    CHECK(strstr(err.what, "seccomp") != NULL);
}

static void without_seccomp_it_fails(void **state)
{
    (void)state;
    in_child(try_without_seccomp);
}

/* <(command) of a shell: a pipe by way of /dev/fd. */
static void try_pipe(void)
{
    int ends[2];
    char path[32], text[8];
    CHECK(pipe(ends) == 0 && write(ends[1], "events", 6) == 6);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    const char *const paths[] = {path};
    struct confine_needs needs = {.read = paths, .read_n = 1};
    struct confine_report report;
    CHECK(confine(&needs, &report, NULL) == OK);
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0 && read(fd, text, sizeof text) == 6);
}

static void pipes_by_name_are_read(void **state)
{
    (void)state;
    in_child(try_pipe);
}

static void *wait_for_byte(void *argument)
{
    char c;
    return read(*(int *)argument, &c, 1) == 1 ? argument : NULL;
}

static void try_late(void)
{
    int ends[2];
    pthread_t thread;
    CHECK(pipe(ends) == 0 && pthread_create(&thread, NULL, wait_for_byte, &ends[0]) == 0);
    struct confine_report report;
    struct error err;
    CHECK(confine(&(struct confine_needs){0}, &report, &err) == STATUS_BAD_USE);
    CHECK(write(ends[1], "x", 1) == 1 && pthread_join(thread, NULL) == 0);
    CHECK(confine(&(struct confine_needs){0}, &report, &err) == OK);
}

static void too_late_when_threads_run(void **state)
{
    (void)state;
    if (OWN_THREADS)
        print_message("# skip: the thread sanitizer has threads of its own\n");
    else
        in_child(try_late);
}

/* abort() and failed assertions end the process as always. */
static void abort_still_works(void **state)
{
    (void)state;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct confine_report report;
        signal(SIGABRT, SIG_DFL);
        CHECK(confine(&(struct confine_needs){0}, &report, NULL) == OK);
        abort();
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && !WCOREDUMP(status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(granted_paths, make_place, remove_place),
        cmocka_unit_test_setup_teardown(other_paths_are_not_read, make_place, remove_place),
        cmocka_unit_test_setup_teardown(other_paths_are_not_written, make_place, remove_place),
        cmocka_unit_test_setup_teardown(no_network, make_place, remove_place),
        cmocka_unit_test_setup_teardown(no_programs, make_place, remove_place),
        cmocka_unit_test_setup_teardown(others_are_out_of_reach, make_place, remove_place),
        cmocka_unit_test_setup_teardown(threads_work, make_place, remove_place),
        cmocka_unit_test_setup_teardown(no_core_dump, make_place, remove_place),
        cmocka_unit_test_setup_teardown(exit_is_clean, make_place, remove_place),
        cmocka_unit_test_setup_teardown(report_says_what_holds, make_place, remove_place),
        cmocka_unit_test(clients_connect_only),
        cmocka_unit_test(missing_path_is_named),
        cmocka_unit_test(without_landlock_the_rest_holds),
        cmocka_unit_test(without_seccomp_it_fails),
        cmocka_unit_test(pipes_by_name_are_read),
        cmocka_unit_test(too_late_when_threads_run),
        cmocka_unit_test(abort_still_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
