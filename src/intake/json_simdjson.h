/*
 * simdjson behind C: one JSON document is parsed onto a tape, which is then walked (json_tape.h).
 *
 *     struct json_parser *p = json_parser_new();
 *     if (json_parse(p, bytes, n, &tape) == JSON_OK) ...
 *
 * The tape belongs to the parser and is valid until its next json_parse(). A parser belongs to one
 * thread. Its memory grows with the longest document, about fifteen times its bytes at worst.
 */
#ifndef INTAKE_JSON_SIMDJSON_H
#define INTAKE_JSON_SIMDJSON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    JSON_PADDING = 64, /* bytes behind the document that can be read; they may hold anything */
    JSON_DEPTH = 64,   /* objects and arrays in one another */
};

enum json_result {
    JSON_OK,
    JSON_BAD_VALUE, /* characters or numbers that JSON does not allow: json_repair() may help */
    JSON_BAD,       /* not well-formed */
    JSON_DEEP       /* over JSON_DEPTH */
};

/* See json_tape.h. */
struct json_tape {
    const uint64_t *words;
    const char *strings;
};

struct json_parser;
struct json_parser *json_parser_new(void);
void json_parser_free(struct json_parser *p);

/* Parses the `n` bytes of one document; JSON_PADDING more bytes must be readable behind them. */
enum json_result json_parse(struct json_parser *p, const char *bytes, size_t n,
                            struct json_tape *tape);

#ifdef __cplusplus
}
#endif

#endif
