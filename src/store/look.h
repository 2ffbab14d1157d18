/*
 * A file before it is taken in: its SHA-256, and whether the store has it already, or has a file that
 * it goes on from (a log that has grown since).
 *
 *     struct store_file file = {.name = ...};
 *     store_look_at(s, fd, &file, stop, &err);      fills in sha256, bytes, head, continues, continued
 *     if (store_file(s, &file.sha256)) ...          it is there already
 *     n = store_continued_inputs(s, &file, &inputs);
 *
 * A file continues another when it begins with all bytes of it; that is found while the file is hashed,
 * by hashing up to the length of each file that has the same head. Only texts have a head.
 */
#ifndef STORE_LOOK_H
#define STORE_LOOK_H

#include "store/store.h"

#include <signal.h>

enum { FILE_HEAD = 512 }; /* bytes; a shorter file has no head */

/* Of an open file, read from its beginning. `file->name` (NUL-terminated) is for messages. Of several
 * files that it continues the longest counts. `stop` may be NULL; STATUS_INTERRUPTED soon after it is
 * set. */
enum status store_look_at(const struct store *s, int fd, struct store_file *file,
                          const volatile sig_atomic_t *stop, struct error *err);

/* SHA-256 and length alone. `name` is for messages. */
enum status file_hash(int fd, const char *name, struct hash *sha256, uint64_t *bytes,
                      struct error *err);

/* The head alone: a hash of the first FILE_HEAD bytes; 0 when there are fewer or it is no text. */
uint64_t file_head(int fd);

/* The numbers of the inputs whose lines a file has in it when it continues others: of the one that it
 * continues, of the one that this continues, and so on; ascending. In memory to be freed (may be
 * NULL). Returns how many. */
size_t store_continued_inputs(const struct store *s, const struct store_file *file,
                              uint32_t **inputs);

#endif
