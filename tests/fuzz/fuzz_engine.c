/* Small rules and events made from the bytes: the engine says what the slow evaluator says. */
#include "model/sigma_random.h"

#include <stdio.h>
#include <stdlib.h>

enum { RULES = 2, EVENTS = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct mappings *mappings; // NOLINT: made once, for speed
    struct arena a = {0};
    struct error err = {0};
    struct chance c = {1, cursor_of(slice_of(data, n))};
    const struct sigma_rule *rules[RULES];
    if (!mappings)
        mappings = mappings_builtin(&err);
    if (!mappings || !n)
        return 0;
    for (uint32_t i = 0; i < RULES; i++)
        rules[i] = random_rule(&c, &a, i);
    struct sigma_compare *compare = sigma_compare_new(rules, RULES, mappings);
    struct block_set *set = block_set_new(sigma_compare_sink(compare));
    enum status status = OK;
    for (int i = 0; i < EVENTS && status == OK; i++)
        status = random_event(&c, &a, set, &err);
    if (status == OK)
        status = block_set_flush(set, &err);
    if (status != OK) {
        error_print(&err, stderr);
        abort();
    }
    block_set_free(set);
    sigma_compare_free(compare);
    arena_free(&a);
    return 0;
}
