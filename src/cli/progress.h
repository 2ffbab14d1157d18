/*
 * How far a long work is: one line on a terminal, drawn over itself, with rate and time left.
 *
 *     struct progress p;
 *     progress_begin(&p, stderr, PROGRESS_AUTO);
 *     job.progress = progress_show; job.ctx = &p;
 *     progress_end(&p);                              the line is gone
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "intake/intake.h"

#include <stdio.h>

enum progress_wish { PROGRESS_AUTO, PROGRESS_NEVER, PROGRESS_ALWAYS };

struct progress {
    FILE *out;           /* NULL: nothing is shown */
    int64_t begun, last; /* monotonic, ns */
    unsigned width;
    bool drawn;
};

/* PROGRESS_AUTO: only when `out` is a terminal. */
void progress_begin(struct progress *p, FILE *out, enum progress_wish wish);
void progress_show(struct progress *p, const struct intake_progress *now);
void progress_end(struct progress *p);
/* Takes the line away, before something else is printed; the next progress_show draws it again. */
void progress_hide(struct progress *p);

/* The line for a state after so many seconds, at most `width` columns. Returns its length. */
size_t progress_line(const struct intake_progress *now, double seconds, unsigned width, char *out,
                     size_t size);

/* 1536 -> "1.5 KB"; powers of 1000, as disks are sold. */
enum { BYTES_TEXT = 16 };
void bytes_text(double bytes, char out[BYTES_TEXT]);

/* Columns of the terminal that `out` is; 0 when it is none. */
unsigned terminal_width(FILE *out);

#endif
