/*
 * A growing array of any type, as three members of a struct:
 *
 *     struct { struct rule *at; size_t n, cap; } rules = {0};
 *     *VEC_PUSH(rules) = rule;
 *     free(rules.at);
 *
 * VEC_PUSH gives the new element's address, its contents undefined.
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include "base/arena.h"

#define VEC_GROW(v)                                                                                \
    ((v).n < (v).cap ? (void)0                                                                     \
                     : (void)((v).cap = (v).cap ? (v).cap * 2 : 8,                                 \
                              (v).at = xrealloc((v).at, (v).cap, sizeof *(v).at)))
#define VEC_PUSH(v) (VEC_GROW(v), &(v).at[(v).n++])

#endif
