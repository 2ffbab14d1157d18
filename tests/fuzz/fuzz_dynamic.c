/*
 * Text of events as JSON, and what hunts look up in it. The first byte says how long the name is that is
 * looked up. What json_compact made stays as it is when it is made compact again, and its elements are
 * JSON themselves.
 */
#include <stdint.h>
#include <stdlib.h>

#include "hunt/dynamic.h"

static void expect(bool is)
{
    if (!is)
        abort();
}

/* All elements or members, one in another; how deep they go is bounded by json_compact. */
static void walk(struct slice json, struct arena *a, int depth)
{
    struct slice name, value, again;
    expect(depth <= JSON_DEPTH);
    for (size_t at = 0; json_next(json, &at, &name, &value);) {
        expect(json_compact(value, a, &again) && slice_equal(again, value));
        if (json_is_object(json))
            expect(json_member(json, json_content(name, a), a).p);
        walk(value, a, depth + 1);
    }
    json_content(json, a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {0};
    struct slice json, again;
    if (size < 1)
        return 0;
    struct slice rest = slice_of(data + 1, size - 1), name = slice_sub(rest, 0, data[0]);
    struct slice text = slice_sub(rest, name.n, rest.n);
    if (text.n < 4096 && json_compact(text, &a, &json)) {
        expect(json_compact(json, &a, &again) && slice_equal(json, again));
        walk(json, &a, 0);
        json_member(json, name, &a);
        json_element(json, (int8_t)data[0]);
    }
    arena_free(&a);
    return 0;
}
