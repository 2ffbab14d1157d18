/*
 * JSON text before it is parsed: where documents end, and what can be mended.
 */
#ifndef INTAKE_JSON_SCAN_H
#define INTAKE_JSON_SCAN_H

#include "base/buf.h"

/* How many bytes at the start of `bytes` are whole documents: for `frame` of struct reader. Documents
 * follow one another on lines of their own, each on one line or many, or are the elements of one
 * array. */
size_t json_frame(struct slice bytes, uint64_t offset, bool last);

/* The length of the document at the start of `s` ('{'); 0 when it has no end. Then *broken tells
 * whether more bytes could bring it: it breaks off where a value can't begin but another one does, where
 * a string holds a line end, or where brackets do not match. */
size_t json_document(struct slice s, bool *broken);

/* Where to go on behind a document at `at` that broke off: at the next line that begins as its line
 * does, with the same white space and a bracket. s.n when there is none. */
size_t json_resume(struct slice s, size_t at);

/* A copy of a document with what JSON does not allow but logs contain mended: bytes that are not
 * UTF-8 and halves of surrogate pairs become U+FFFD, control characters and wrong escapes are kept as
 * characters, and numbers that fit no 64-bit type and bare words become strings. */
void json_repair(struct slice document, struct buf *out);

#endif
