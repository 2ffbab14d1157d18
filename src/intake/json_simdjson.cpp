#include "intake/json_simdjson.h"

#include <cstdlib>
#include <new>
#include <simdjson.h>

static_assert(JSON_PADDING >= simdjson::SIMDJSON_PADDING, "what simdjson reads behind a document");

struct json_parser {
    simdjson::dom::parser parser;
};

struct json_parser *json_parser_new(void)
{
    json_parser *p = new (std::nothrow) json_parser;
    if (!p || p->parser.allocate(4096, JSON_DEPTH) != simdjson::SUCCESS)
        abort(); /* out of memory, as base/arena.h does */
    return p;
}

void json_parser_free(struct json_parser *p)
{
    delete p;
}

enum json_result json_parse(struct json_parser *p, const char *bytes, size_t n,
                            struct json_tape *tape)
{
    if (n > p->parser.capacity() && p->parser.allocate(n, JSON_DEPTH) != simdjson::SUCCESS)
        abort();
    switch (p->parser.parse(bytes, n, false).error()) {
    case simdjson::SUCCESS:
        tape->words = p->parser.doc.tape.get();
        tape->strings = reinterpret_cast<const char *>(p->parser.doc.string_buf.get());
        return JSON_OK;
    case simdjson::UTF8_ERROR:
    case simdjson::UNESCAPED_CHARS:
    case simdjson::NUMBER_ERROR:
    case simdjson::STRING_ERROR:
    case simdjson::T_ATOM_ERROR:
    case simdjson::F_ATOM_ERROR:
    case simdjson::N_ATOM_ERROR:
        return JSON_BAD_VALUE;
    case simdjson::DEPTH_ERROR:
        return JSON_DEEP;
    default:
        return JSON_BAD;
    }
}
