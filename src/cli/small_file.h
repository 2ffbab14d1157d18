/*
 * Small files that a command line names: a key, a checkpoint, a certificate.
 */
#ifndef CLI_SMALL_FILE_H
#define CLI_SMALL_FILE_H

#include "base/buf.h"
#include "base/error.h"

enum { SMALL_FILE = 1 << 20 }; /* bytes; more is no small file */

/* Appends the file's bytes; "-" is standard input. STATUS_BAD_USE when it can't be read or is larger. */
enum status small_file_read(const char *path, struct buf *bytes, struct error *err);

#endif
