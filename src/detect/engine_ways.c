/* What the filters of stored blocks can be asked for a plan's rules. */
#include "detect/engine_internal.h"

#include "store/filter.h"

struct asking {
    const struct plan *plan;
    struct engine_way *ways;
    size_t most, n;
};

/* A literal in a marked text: where it stands in the text, and without its marks. */
static bool add_literal(struct asking *a, struct slice literal)
{
    bool first = literal.n && literal.p[0] == SUBJECT_MARK;
    bool last = literal.n > first && literal.p[literal.n - 1] == SUBJECT_MARK;
    enum filter_search how = first && last ? FILTER_EQUALS
                             : first       ? FILTER_STARTS
                             : last        ? FILTER_ENDS
                                           : FILTER_CONTAINS;
    if (a->n == a->most)
        return false;
    struct engine_way *way = &a->ways[a->n++];
    way->n = filter_needs(slice_sub(literal, first, literal.n - first - last), how, way->keys,
                          sizeof way->keys / sizeof *way->keys);
    return way->n > 0;
}

/* A test of a predicate that some rule can't match without. */
static bool add_test(void *ctx, const struct test *t, uint32_t predicate)
{
    struct asking *a = ctx;
    if (a->plan->first_entry[predicate] == a->plan->first_entry[predicate + 1])
        return true;
    if (a->plan->views[a->plan->view_of[predicate]].translate)
        return false; /* other texts are stored */
    if (t->type == TEST_LITERAL)
        return add_literal(a, t->literal);
    for (uint32_t i = 0; i < t->triggers_n; i++)
        if (!add_literal(a, t->triggers[i]))
            return false;
    return t->triggers_n > 0;
}

bool engine_ways(const struct engine_worker *w, struct engine_way *ways, size_t most, size_t *n)
{
    struct asking a = {.plan = w->plan, .ways = ways, .most = most};
    bool can_tell = a.plan->always_n == 0;
    for (uint32_t i = 0; can_tell && i < a.plan->views_n; i++)
        can_tell = matcher_each(a.plan->views[i].matcher, add_test, &a);
    *n = a.n;
    return can_tell;
}
