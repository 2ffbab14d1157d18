/*
 * Conditions through the grammar, over a rule of a few searches: what is taken has a tree that can be
 * walked, and means the same when it is written out again with all its parentheses.
 */
#include "base/buf.h"
#include "detect/ruleset.h"
#include "model/condition_slow.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char head[] = "title: T\n"
                           "logsource: {product: p}\n"
                           "detection:\n"
                           "  a: {F: 1}\n"
                           "  sel_1: {F: 1}\n"
                           "  sel_2: {F: 1}\n"
                           "  _x: {F: 1}\n"
                           "  condition: ";

static const char *const names[] = {"a", "sel_1", "sel_2", "_x"};
enum { NAMES = sizeof names / sizeof *names };

static struct ruleset *load(struct slice condition)
{
    struct buf b = {0};
    struct error err;
    buf_add(&b, SLICE(head));
    buf_json(&b, condition); /* a JSON string is one of YAML */
    struct ruleset *set = ruleset_new();
    if (ruleset_load_text(set, buf_slice(&b), "fuzz", NULL, &err) != OK)
        abort();
    buf_free(&b);
    ruleset_finish(set);
    return set;
}

static void write_out(const struct sigma_condition *c, struct buf *b)
{
    switch (c->type) {
    case COND_AND:
    case COND_OR:
        buf_char(b, '(');
        write_out(c->left, b);
        buf_printf(b, c->type == COND_AND ? " and " : " or ");
        write_out(c->right, b);
        buf_char(b, ')');
        break;
    case COND_NOT:
        buf_printf(b, "not ");
        write_out(c->left, b);
        break;
    case COND_SEARCH:
        buf_printf(b, "%s", names[c->search]);
        break;
    case COND_OF:
        if (c->quantity)
            buf_printf(b, "%u of ", c->quantity);
        else
            buf_printf(b, "all of ");
        buf_add(b, c->pattern);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ruleset *set = load(slice_of(data, size));
    if (ruleset_count(set) == 1 && size < 4096) {
        const struct sigma_condition *c = ruleset_rule(set, 0)->conditions[0];
        struct buf again = {0};
        write_out(c, &again);
        struct ruleset *second = load(buf_slice(&again));
        /* written out in full it may be nested deeper than is allowed */
        if (ruleset_count(second) == 1)
            for (unsigned held = 0; held < 1U << NAMES; held++)
                if (condition_holds(c, held) !=
                    condition_holds(ruleset_rule(second, 0)->conditions[0], held))
                    abort();
        ruleset_free(second);
        buf_free(&again);
    }
    ruleset_free(set);
    return 0;
}
