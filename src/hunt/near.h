/*
 * What a name that nobody knows was probably meant to be.
 *
 *     struct near near = {0};
 *     for (...)
 *         near_try(&near, meant, candidate);
 *     ... "there is no %s%s", near_text(&near, text)
 */
#ifndef HUNT_NEAR_H
#define HUNT_NEAR_H

#include "base/slice.h"

struct near {
    struct slice name; /* the nearest so far; empty: none is near */
    unsigned distance;
};

void near_try(struct near *near, struct slice meant, struct slice candidate);

/* "; did you mean X?" in `out`, or nothing. */
enum { NEAR_TEXT = 160 };
const char *near_text(const struct near *near, char out[NEAR_TEXT]);

#endif
