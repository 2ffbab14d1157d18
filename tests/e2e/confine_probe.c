/*
 * Put before a program by LD_PRELOAD: when it starts its first thread, this tries what a confined
 * process must not be able to do, and tells on stderr, one line each: "NAME: allowed" or "NAME: refused".
 * Then the program goes on.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void tell(const char *name, long result)
{
    dprintf(STDERR_FILENO, "probe: %s: %s\n", name, result >= 0 ? "allowed" : "refused");
}

static void probe(void)
{
    const char *input = getenv("PROBE_INPUT");
    char path[4200];
    tell("open another file", open("/etc/passwd", O_RDONLY));
    tell("open another folder", open("/", O_RDONLY | O_DIRECTORY));
    snprintf(path, sizeof path, "%s.planted", input ? input : "");
    tell("make a file beside the input", open(path, O_WRONLY | O_CREAT, 0600));
    tell("write to the input", open(input ? input : "", O_WRONLY));
    tell("make a socket", socket(AF_INET, SOCK_STREAM, 0));
    tell("make a local socket", socket(AF_UNIX, SOCK_STREAM, 0));
    long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0)
        _exit(0);
    tell("start a process", child);
    char *const none[] = {NULL};
    tell("start a program", execve("/bin/true", none, none));
    tell("look into another process",
         syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0));
    tell("open the input", open(input ? input : "", O_RDONLY));
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *argument)
{
    static int probed;
    int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    *(void **)&next = dlsym(RTLD_NEXT, "pthread_create");
    if (!probed++)
        probe();
    return next(thread, attributes, run, argument);
}
