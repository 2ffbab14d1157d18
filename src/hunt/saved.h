/*
 * Saved hunts: files NAME.kql in a folder, and some that are built in. A saved hunt is a query that any
 * Kusto editor reads; its first lines may be comments that say what it is for, and its parameters are
 * those that it declares:
 *
 *     // title: Where was a file with this hash?
 *     // description: Hosts whose logs tell of a hash, in whatever field,
 *     //   with the first and the last time.
 *     declare query_parameters(hash:string, since:timespan = 180d);
 *     events | where ...
 *
 *     saved_hunts(folder, now, &arena, &list, &n, &err);
 *     const struct saved_hunt *h = saved_hunt_named(list, n, SLICE("hash"), &err);
 *     plan_parse(h->text, &setup, &err);
 */
#ifndef HUNT_SAVED_H
#define HUNT_SAVED_H

#include "hunt/parse.h"

struct saved_hunt {
    struct slice name; /* without ".kql" */
    struct slice title, description;
    struct slice text;
    const char *path; /* NULL: built in */
    struct hunt_parameter *parameters;
    size_t parameters_n;
    struct error problem; /* status OK, or why its parameters can't be read */
};

/* Those of the folder (NULL: none) and the built-in ones, by name; one of the folder stands in place of a
 * built-in one of its name. All in the arena. STATUS_SYSTEM when a file can't be read. */
enum status saved_hunts(const char *folder, timestamp now, struct arena *a,
                        struct saved_hunt **list, size_t *n, struct error *err);

/* NULL with a message when there is none of that name. */
const struct saved_hunt *saved_hunt_named(const struct saved_hunt *list, size_t n,
                                          struct slice name, struct error *err);

#endif
