/*
 * Confinement: the process gives up all that a command does not need, before it reads the first
 * hostile byte. What is left afterwards, for the whole process and for good:
 *
 *   - files: only the paths named can be opened, to read or to write (Landlock, Linux 5.13 and
 *     later). What is open already stays open: standard input and output, outputs opened before.
 *   - system calls: only those that reading, computing in threads and writing need (seccomp). No
 *     network, no starting of programs, no other process, nothing that administers the system.
 *   - no new privileges, and no core dump, which would leave evidence lying about.
 *
 * A command calls it once, when it knows its inputs and outputs and before it starts threads (Landlock
 * would not take hold of those):
 *
 *     struct confine_needs needs = {.read = paths, .read_n = n, .write = &folder, .write_n = 1};
 *     struct confine_report report;
 *     if (confine(&needs, &report, &err) != OK)
 *         goto out;
 *     if (report.landlock == 0)
 *         fprintf(stderr, "hikeshi: %s\n", report.warning);
 *
 * On a kernel without Landlock seccomp alone confines, and the report says so. Without seccomp
 * confine() fails: the program does not go on unconfined.
 *
 * A path that is a symbolic link grants what it leads to. A link inside a granted folder that leads
 * out of all that is granted does not open.
 *
 * To write to a file that does not exist yet, open it before, or name the folder it is made in.
 */
#ifndef BASE_CONFINE_H
#define BASE_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct confine_needs {
    const char *const *read; /* files, and folders with all that is in them */
    size_t read_n;
    const char *const *write; /* files, and folders in which files are made, changed, taken away */
    size_t write_n;
    bool network; /* to be a client: to look names up and to connect. For a process that reads no
                   * evidence; what is in the folders above it could send away */
};

struct confine_report {
    int landlock;      /* the kernel's Landlock version (ABI), or 0 when files are not confined */
    char warning[160]; /* one line for the user when landlock is 0; else empty */
};

/* Confines the process. `report` and `err` are filled as said above. STATUS_SYSTEM when a path can't
 * be opened (`err` names it) or the kernel refuses, STATUS_BAD_USE when threads run; then nothing, or only a part, is confined and the
 * caller must not go on to hostile input. */
enum status confine(const struct confine_needs *needs, struct confine_report *report,
                    struct error *err);

#endif
