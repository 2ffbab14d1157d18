/*
 * What hikeshi hunt tells besides answers: the functions of the language, the saved hunts, and what a
 * hunt did.
 */
#ifndef CLI_HUNT_TELL_H
#define CLI_HUNT_TELL_H

#include "hunt/figures.h"
#include "hunt/saved.h"

struct tell_form {
    bool json;
    unsigned width; /* columns of the terminal; 0: not known */
    bool colour;
};

/* The form for standard output, or for a file (`to_file`). */
struct tell_form tell_form(bool json, bool to_file, bool no_colour);

/* Each appends text that ends with a line's end. */
void tell_functions(const struct tell_form *form, struct buf *out);
void tell_saved(const struct tell_form *form, const struct saved_hunt *list, size_t n,
                struct buf *out);
void tell_figures(const struct tell_form *form, const struct plan *plan,
                  const struct hunt_figures *f, struct buf *out);

#endif
