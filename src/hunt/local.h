/*
 * The local store as a back end (backend.h): the scan of events, with the conditions right above it.
 *
 * What can be left out is, in this order: segments and blocks outside the range of time, blocks of a
 * kind that no condition holds for, blocks whose filter knows that a text is not there, blocks whose
 * columns' least and most rule a number out, blocks none of whose distinct values meet a condition.
 * Of what is left only the columns asked for are read, and of those that nobody's condition is about
 * only where rows are left.
 *
 *     struct local_events local = {.store = store, .mappings = mappings};
 *     struct backend backend = local_backend(&local);
 *
 * Names: a field's name is the stored one; where events do not have that, what the mappings of their
 * kind of log call so (event/mapping.h), the first that an event has. In a scan of a log source the
 * mappings come first, as they do for rules.
 */
#ifndef HUNT_LOCAL_H
#define HUNT_LOCAL_H

#include "hunt/backend.h"
#include "store/store.h"

struct local_events {
    struct store *store; /* open for reading: all its segments are open */
    const struct mappings *mappings;
};

struct backend local_backend(struct local_events *local);

#endif
