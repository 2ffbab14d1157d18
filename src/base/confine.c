#include "base/confine.h"
#include "base/locale.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* gcc defines macros for its sanitizers, clang answers questions. */
#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define OWN_THREADS 1 /* of the sanitizer */
#else
#define OWN_THREADS 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer) || OWN_THREADS
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* ---- files: Landlock ---- */

/* What <linux/landlock.h> of Linux 6.1 lacks; from the kernel's documentation,
 * userspace-api/landlock.rst. The struct has grown since, and the kernel takes any size. */
#define FS_TRUNCATE (UINT64_C(1) << 14)
#define FS_IOCTL_DEV (UINT64_C(1) << 15)

#define NET_BIND_TCP (UINT64_C(1) << 0)
#define NET_CONNECT_TCP (UINT64_C(1) << 1)

#define SCOPE_ABSTRACT_UNIX_SOCKET (UINT64_C(1) << 0)
#define SCOPE_SIGNAL (UINT64_C(1) << 1)

struct landlock_attributes {
    uint64_t handled_access_fs;
    uint64_t handled_access_net; /* from ABI 4 */
    uint64_t scoped;             /* from ABI 6 */
};

#define FILE_READ LANDLOCK_ACCESS_FS_READ_FILE
#define FILE_WRITE (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE)
#define FOLDER_READ (FILE_READ | LANDLOCK_ACCESS_FS_READ_DIR)
#define FOLDER_WRITE                                                                               \
    (FOLDER_READ | FILE_WRITE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |        \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REFER)

/* What this version of Landlock can refuse. A right that is handled is refused wherever no rule gives
 * it, so all that the kernel knows is handled. */
static struct landlock_attributes landlock_all(int abi)
{
    struct landlock_attributes all = {.handled_access_fs = (UINT64_C(1) << 13) - 1};
    if (abi >= 2)
        all.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3)
        all.handled_access_fs |= FS_TRUNCATE;
    if (abi >= 4)
        all.handled_access_net = NET_BIND_TCP | NET_CONNECT_TCP;
    if (abi >= 5)
        all.handled_access_fs |= FS_IOCTL_DEV;
    if (abi >= 6)
        all.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
    return all;
}

/* Gives the rights on a path: the first mask when it is a folder, the second else. */
static enum status allow_path(int ruleset, const char *path, uint64_t folder, uint64_t file,
                              uint64_t handled, struct error *err)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return error_system(err, path, "can't open");
    struct stat st;
    enum status status = OK;
    if (fstat(fd, &st) != 0) {
        status = error_system(err, path, "can't look at it");
        goto out;
    }
    struct landlock_path_beneath_attr rule = {
        .allowed_access = (S_ISDIR(st.st_mode) ? folder : file) & handled,
        .parent_fd = fd,
    };
    /* EBADFD: a pipe by way of /dev/fd, which Landlock leaves alone */
    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0 &&
        errno != EBADFD)
        status = error_system(err, path, "can't keep access to it");
out:
    close(fd);
    return status;
}

#if SANITIZED
/* A sanitizer's report reads the memory map, the program and its libraries. */
static void allow_sanitizer(int ruleset, uint64_t handled)
{
    static const char *const paths[] = {"/proc/self", "/proc/self/exe", "/lib", "/usr/lib"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        allow_path(ruleset, paths[i], FOLDER_READ, FILE_READ, handled, NULL);
}

/* The leak checker stops the process from a second one, which is refused here; it asks this before
 * it begins. Leaks are found by the tests that are not confined. */
static atomic_bool leaks_unseen;
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return atomic_load(&leaks_unseen);
}
#endif

static enum status confine_files(const struct confine_needs *needs, struct confine_report *report,
                                 struct error *err)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi <= 0) {
        snprintf(report->warning, sizeof report->warning,
                 _("this kernel has no Landlock (%s): files outside the inputs are not sealed off"),
                 error_reason(errno));
        return OK;
    }
    struct landlock_attributes all = landlock_all((int)abi);
    if (needs->network)
        all.handled_access_net = 0;
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
    if (ruleset < 0 && errno == E2BIG) /* a kernel that knows but the first field */
        ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all.handled_access_fs, 0);
    if (ruleset < 0)
        return error_system(err, NULL, "can't confine the process to its files");

    enum status status = OK;
    uint64_t handled = all.handled_access_fs;
    for (size_t i = 0; status == OK && i < needs->read_n; i++)
        status = allow_path(ruleset, needs->read[i], FOLDER_READ, FILE_READ, handled, err);
    for (size_t i = 0; status == OK && i < needs->write_n; i++)
        status = allow_path(ruleset, needs->write[i], FOLDER_WRITE, FILE_WRITE, handled, err);
    if (status != OK)
        goto out;
#if SANITIZED
    allow_sanitizer(ruleset, handled);
#endif
    if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) {
        status = error_system(err, NULL, "can't confine the process to its files");
        goto out;
    }
    report->landlock = (int)abi;
out:
    close(ruleset);
    return status;
}

/* ---- system calls: seccomp ---- */

/*
 * A list of what is allowed: what the kernel learns tomorrow is refused too. All else "is not
 * implemented" (ENOSYS), which a newer C library takes as an older kernel and goes another way; so
 * clone3, whose flags a filter can't see, becomes clone. Memory may be made executable, since PCRE2
 * compiles patterns to machine code.
 */
static const char allowed[] =
    /* files; which ones is Landlock's matter */
    "open openat openat2 close close_range read readv pread64 preadv preadv2 write writev "
    "pwrite64 pwritev pwritev2 lseek _llseek stat stat64 lstat lstat64 fstat fstat64 newfstatat "
    "fstatat64 statx statfs statfs64 fstatfs fstatfs64 access faccessat faccessat2 readlink "
    "readlinkat getdents64 getcwd fcntl fcntl64 flock dup dup2 dup3 pipe pipe2 fsync fdatasync "
    "sync_file_range ftruncate ftruncate64 fallocate fadvise64 readahead copy_file_range "
    "sendfile rename renameat renameat2 unlink unlinkat mkdir mkdirat rmdir fchmod umask poll "
    "ppoll select pselect6 epoll_create1 epoll_ctl epoll_wait epoll_pwait eventfd2 "
    /* memory */
    "brk mmap mmap2 munmap mprotect mremap madvise msync mincore membarrier "
    /* threads and signals; clone, tgkill and kill stand below */
    "futex futex_waitv set_robust_list get_robust_list rseq set_tid_address gettid sched_yield "
    "sched_getaffinity getcpu exit exit_group rt_sigaction rt_sigprocmask rt_sigreturn "
    "rt_sigsuspend rt_sigtimedwait rt_sigpending sigaltstack restart_syscall pause setitimer "
    "getitimer alarm "
    /* time, and facts about the process and the machine */
    "clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time times getpid "
    "getppid getpgrp getpgid getuid geteuid getgid getegid getrusage getrlimit ugetrlimit uname "
    "sysinfo getrandom ";

/* What is refused by name, so that the answer is "not permitted" (EPERM) and nothing is tried in its
 * place: the network, programs and processes, the memory of others, the system's administration. */
static const char refused[] =
    "socket socketpair socketcall connect bind listen accept accept4 sendto sendmsg sendmmsg "
    "recvfrom recvmsg recvmmsg execve execveat fork vfork ptrace process_vm_readv "
    "process_vm_writev pidfd_open pidfd_getfd kcmp bpf perf_event_open userfaultfd "
    "io_uring_setup io_uring_enter io_uring_register keyctl add_key request_key mount umount2 "
    "pivot_root chroot unshare setns open_by_handle_at init_module finit_module delete_module "
    "kexec_load kexec_file_load reboot swapon swapoff memfd_create symlink symlinkat link "
    "mknod mknodat ";

/* What a client of the network needs on top; it takes the place of the refusal. */
static const char client[] =
    "socket socketpair connect bind sendto sendmsg sendmmsg recvfrom recvmsg recvmmsg getsockopt "
    "setsockopt getsockname getpeername shutdown ";

/* A call that is allowed when (argument & mask) == value. */
struct guarded {
    int call;
    unsigned argument; /* counted from 0 */
    uint64_t mask, value;
};

#define WHOLE UINT64_MAX

/* clone's flags are its first argument but on s390, where they are the second. */
#if defined(__s390__)
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

static int add_guarded(scmp_filter_ctx filter)
{
    const uint64_t self = (uint64_t)getpid();
    const struct guarded list[] = {
        {SCMP_SYS(clone), CLONE_FLAGS, CLONE_THREAD, CLONE_THREAD}, /* a thread, not a process */
        {SCMP_SYS(tgkill), 0, WHOLE, self},                         /* raise() and abort() */
        {SCMP_SYS(kill), 0, WHOLE, self},
        {SCMP_SYS(prlimit64), 2, WHOLE, 0},  /* asks for a limit; argument 2 would set it */
        {SCMP_SYS(ioctl), 1, WHOLE, TCGETS}, /* is it a terminal, how wide, is there input */
        {SCMP_SYS(ioctl), 1, WHOLE, TIOCGWINSZ},
        {SCMP_SYS(ioctl), 1, WHOLE, TIOCGPGRP},
        {SCMP_SYS(ioctl), 1, WHOLE, FIONREAD},
        {SCMP_SYS(prctl), 0, WHOLE, PR_SET_NAME},
        {SCMP_SYS(prctl), 0, WHOLE, PR_GET_NAME},
        {SCMP_SYS(prctl), 0, WHOLE, PR_SET_VMA},         /* malloc names its memory */
        {SCMP_SYS(linkat), 4, WHOLE, AT_SYMLINK_FOLLOW}, /* names a file of O_TMPFILE */
    };
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof list / sizeof *list; i++)
        r = seccomp_rule_add(
            filter, SCMP_ACT_ALLOW, list[i].call, 1,
            SCMP_CMP(list[i].argument, SCMP_CMP_MASKED_EQ, list[i].mask, list[i].value));
    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                             SCMP_CMP(CLONE_FLAGS, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
    return r;
}

static bool is_listed(const char *calls, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = calls; (at = strstr(at, name)); at += n)
        if ((at == calls || at[-1] == ' ') && at[n] == ' ')
            return true;
    return false;
}

/* The calls of a list, each of which ends with a space, get the action, but for those of another
 * (which may be empty). */
static int add_calls(scmp_filter_ctx filter, uint32_t action, const char *calls, const char *but)
{
    const char *end;
    for (const char *at = calls; (end = strchr(at, ' ')); at = end + 1) {
        char name[32];
        snprintf(name, sizeof name, "%.*s", (int)(end - at), at);
        if (is_listed(but, name))
            continue;
        int call = seccomp_syscall_resolve_name(name);
        if (call == __NR_SCMP_ERROR)
            return -EINVAL;
        int r = seccomp_rule_add(filter, action, call, 0);
        if (r != 0 && r != -EDOM) /* EDOM: this machine does not have the call */
            return r;
    }
    return 0;
}

static enum status confine_calls(bool network, struct error *err)
{
    int r = -ENOMEM;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (!filter)
        goto out;
    /* calls of another architecture would pass by the list */
    r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (r == 0) /* threads that run already (a sanitizer's) are confined too */
        r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (r == 0) /* a search tree instead of a row of comparisons */
        r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (r == 0)
        r = add_calls(filter, SCMP_ACT_ALLOW, allowed, "");
    if (r == 0 && network)
        r = add_calls(filter, SCMP_ACT_ALLOW, client, "");
    if (r == 0)
        r = add_calls(filter, SCMP_ACT_ERRNO(EPERM), refused, network ? client : "");
    if (r == 0)
        r = add_guarded(filter);
    if (r == 0)
        r = seccomp_load(filter);
out:
    seccomp_release(filter);
    errno = -r;
    return r == 0 ? OK : error_system(err, NULL, "can't confine the process (seccomp)");
}

static int count_threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    int n = 0;
    if (!tasks) /* no /proc: nothing to be known */
        return 1;
    const struct dirent *entry;
    while ((entry = readdir(tasks)))
        n += entry->d_name[0] != '.';
    closedir(tasks);
    return n;
}

/* Landlock takes hold of the thread that asks and of those it starts; others would stay free. A
 * thread that was joined may be listed for a moment longer. */
static bool other_threads_run(void)
{
    for (int tries = 0; count_threads() > 1; tries++) {
        if (tries == 50)
            return true;
        nanosleep(&(struct timespec){0, 2000000}, NULL);
    }
    return false;
}

enum status confine(const struct confine_needs *needs, struct confine_report *report,
                    struct error *err)
{
    *report = (struct confine_report){0};
    if (!OWN_THREADS && other_threads_run())
        return error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET,
                         "can't confine the process: it has threads already");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return error_system(err, NULL, "can't give up new privileges");
    /* A crash must not write what was read to the disk, nor another process look into it. A sanitizer
     * needs to look into itself. */
    if (!SANITIZED && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return error_system(err, NULL, "can't switch core dumps off");
    if (setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}) != 0)
        return error_system(err, NULL, "can't switch core dumps off");

    enum status status = confine_files(needs, report, err);
    if (status != OK)
        return status;
    status = confine_calls(needs->network, err);
#if SANITIZED
    atomic_store(&leaks_unseen, status == OK);
#endif
    return status;
}
