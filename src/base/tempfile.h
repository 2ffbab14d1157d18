/*
 * A temporary file that no folder shows and that is gone when it is closed, for what does not fit
 * in memory. Open it before confine() and before threads start.
 *
 *     int fd = tempfile_open(&err);
 *     tempfile_write(fd, bytes, offset, &err);
 *     close(fd);
 */
#ifndef BASE_TEMPFILE_H
#define BASE_TEMPFILE_H

#include "base/error.h"
#include "base/slice.h"

/* In $TMPDIR or /tmp, or in memory where neither can be written. -1 when all of these fail. */
int tempfile_open(struct error *err);

/* Writes all bytes at an offset. STATUS_SYSTEM when the disk is full or fails. */
enum status tempfile_write(int fd, struct slice bytes, uint64_t offset, struct error *err);

#endif
