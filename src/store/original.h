/*
 * Files as they were taken in, kept by their content: store_keep (store.h) puts one in,
 * original_check looks whether it is still what it was.
 *
 *     store_look_at(s, fd, &file, stop, &err);       look.h
 *     store_keep(s, fd, &file, &err);
 */
#ifndef STORE_ORIGINAL_H
#define STORE_ORIGINAL_H

#include "store/look.h"

/* Unpacks the original and compares it with what the journal says. */
enum status original_check(const struct store *s, const struct store_file *file, struct error *err);

/* Where it lies. */
void original_path(const struct store *s, const struct hash *sha256, char out[PATH_BYTES]);

#endif
