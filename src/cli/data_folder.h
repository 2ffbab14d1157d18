/*
 * The data folder of a command: which one it is, and opening it.
 *
 *     struct values { struct data_values data; ... };
 *     static const struct option options[] = { DATA_OPTIONS(struct values), ... };
 *
 *     struct store *s = data_folder_open(&v->data, STORE_READ, &err);
 *     confine(... s->path ...);
 *
 * Which: --data DIR, else $HIKESHI_DATA, else the current folder or the next above that is one.
 *
 * The key that seals may be protected by a passphrase. It is asked for at the terminal, or read from
 * the file of --passphrase-file; never from an argument, which others on the machine can see.
 */
#ifndef CLI_DATA_FOLDER_H
#define CLI_DATA_FOLDER_H

#include "base/locale.h"
#include "cli/command.h"
#include "store/store.h"

struct data_values {
    const char *folder, *passphrase_file;
};

/* Rows of a table of options, for a struct of values that has a member `data`: of a command that
 * reads, and of one that writes. */
/* clang-format off */
#define DATA_OPTIONS(type)                                                                         \
    {0, "data", OPTION_TEXT, "DIR",                                                                \
     N_("the data folder (else $HIKESHI_DATA, else the current folder or the next above that is "  \
        "one)"),                                                                                   \
     .at = offsetof(type, data.folder), .group = N_("Where")}
#define DATA_WRITE_OPTIONS(type)                                                                   \
    DATA_OPTIONS(type),                                                                            \
    {0, "passphrase-file", OPTION_TEXT, "FILE",                                                    \
     N_("a file whose first line is the passphrase of the key (it is asked for at the terminal "   \
        "when needed)"),                                                                           \
     .at = offsetof(type, data.passphrase_file)}
/* clang-format on */

enum { PASSPHRASE_BYTES = 1024 };

/* Opens it; a writer asks for the passphrase when the key has one. NULL with a message. */
struct store *data_folder_open(const struct data_values *values, enum store_mode mode,
                               struct error *err);

/* For a command that only reads, and nothing but this folder: finds it, confines the process to reading
 * it and to writing in `write` (may be NULL), and only then opens it. */
struct store *data_folder_read(const struct data_values *values, enum store_mode mode,
                               const char *write, struct error *err);

/* STATUS_BAD_USE when the output (NULL: none) is a file of the data folder, which would be lost. */
enum status data_folder_not_written(const char *folder, const char *output, struct error *err);

/* The passphrase from the file (if not NULL), else asked for at the terminal; `again`: twice, for a new
 * one. Not empty. The caller wipes it. */
enum status passphrase_read(const char *file, bool again, char out[PASSPHRASE_BYTES],
                            struct error *err);

/* Who works here, for the record: user@host. */
void data_folder_user(char *out, size_t size);

/* How a failure ends the program: EXIT_STATUS_BAD_USE, EXIT_STATUS_FAILED, ... */
int data_folder_exit(enum status status);

#endif
