/*
 * What a rule's condition means, straight from the specification: for tests and fuzz targets that
 * compare with it. The loader has bounded its depth.
 */
#ifndef MODEL_CONDITION_SLOW_H
#define MODEL_CONDITION_SLOW_H

#include "detect/rule.h"

/* `held` has a bit for each search (the first 32) that holds. */
static inline bool condition_holds(const struct sigma_condition *c, uint32_t held)
{
    uint32_t n = 0;
    switch (c->type) {
    case COND_AND:
        return condition_holds(c->left, held) && condition_holds(c->right, held);
    case COND_OR:
        return condition_holds(c->left, held) || condition_holds(c->right, held);
    case COND_NOT:
        return !condition_holds(c->left, held);
    case COND_SEARCH:
        return held >> c->search & 1;
    case COND_OF:
        for (uint32_t i = 0; i < c->searches_n; i++)
            n += held >> c->searches[i] & 1;
        return n >= (c->quantity ? c->quantity : c->searches_n);
    }
    return false;
}

#endif
