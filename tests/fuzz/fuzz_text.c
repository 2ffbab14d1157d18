/* Text, times and values from bytes of any kind: what comes out is valid, and holds its promises. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "event/value.h"

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "does not hold: %s\n", #condition);                                    \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void text(struct slice s, struct arena *a)
{
    struct slice clean = utf8_clean(a, s);
    MUST(utf8_valid(clean));
    MUST(!utf8_valid(s) || slice_equal(s, clean));
    MUST(utf8_valid(utf16_to_utf8(a, s)));
    struct slice folded = text_fold(a, clean);
    MUST(utf8_valid(folded));
    MUST(slice_equal(text_fold(a, folded), folded));
}

static void times(struct slice s)
{
    timestamp t, again;
    if (!timestamp_parse(s, &t))
        return;
    char out[TIMESTAMP_TEXT];
    size_t n = timestamp_text(t, 9, out);
    MUST(timestamp_parse(slice_of(out, n), &again) && again == t);
}

static void values(struct slice s, struct arena *a)
{
    static const uint8_t types[] = {VALUE_TEXT, VALUE_UTF16, VALUE_SID, VALUE_BINARY};
    struct buf json = {0};
    for (size_t i = 0; i < sizeof types; i++) {
        struct value v = {s.p, (uint32_t)s.n, types[i]};
        MUST(utf8_valid(value_text(v, a)));
        value_json(v, &json, a);
    }
    MUST(utf8_valid(slice_of(json.p, json.n)));
    buf_free(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {0};
    struct slice s = slice_of(data, size);
    text(s, &a);
    times(s);
    values(s, &a);
    arena_free(&a);
    return 0;
}
