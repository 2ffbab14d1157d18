/*
 * Text conversion: UTF-8, UTF-16LE, case folding. Output goes into an arena; input is hostile.
 *
 * Folding, wherever hikeshi compares without case, is the simple lower-case mapping of Unicode,
 * code point by code point ('İ' and 'ß' stay one character), so that `?` in a pattern still means
 * one character and folded text can be compared byte by byte.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/arena.h"

/* Bytes of the valid UTF-8 character at the start of `s` (1 to 4), or 0 when it is not one.
 * Overlong forms, surrogates and values above U+10FFFF are not valid (RFC 3629). */
size_t utf8_length(struct slice s);

bool utf8_valid(struct slice s);

/* `s` itself when it is valid UTF-8, else a copy in which each bad byte is U+FFFD. */
struct slice utf8_clean(struct arena *a, struct slice s);

/* UTF-16LE bytes to UTF-8; a lone surrogate becomes U+FFFD, an odd last byte is dropped. */
struct slice utf16_to_utf8(struct arena *a, struct slice utf16le);

/* Folded for comparing without case (see above); `s` itself when nothing changes. Input that is
 * not valid UTF-8 keeps its bad bytes as they are. */
struct slice text_fold(struct arena *a, struct slice s);

/* Digits of a number in base 10 or 16 (lower case), in `room`. printf takes many times as long. */
enum { DIGITS_ROOM = 20 };
struct slice text_digits(uint64_t number, unsigned base, char room[DIGITS_ROOM]);

#endif
