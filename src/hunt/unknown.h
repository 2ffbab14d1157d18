/*
 * Names that a hunt asks for and that no event of the store has: any name is a column of the table
 * `events`, so a mistyped one is no error but finds nothing. Whoever shows an answer says so beside it.
 *
 *     hunt_unknown(plan, &local, tell, ctx);
 */
#ifndef HUNT_UNKNOWN_H
#define HUNT_UNKNOWN_H

#include "hunt/local.h"
#include "hunt/near.h"

/* Calls `tell` for each such name, with the nearest one that there is (or none). Looks only at what the
 * segments' footers say. Says nothing when there are no events at all. */
void hunt_unknown(const struct plan *p, const struct local_events *local,
                  void (*tell)(void *ctx, struct slice name, const struct near *near), void *ctx);

#endif
