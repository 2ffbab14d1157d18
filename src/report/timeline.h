/*
 * The timeline of findings in the forms that people and programs read: a table of writers. Adding
 * one is one file and one line in timeline.c.
 *
 *     const struct timeline_format *format = timeline_format_find("jsonl");
 *     struct timeline *t = timeline_begin(format, &options, out, &err);
 *     while (findings_next(...)) timeline_add(t, &finding, &err);
 *     timeline_end(t, &summary, &err);
 *
 * The terminal's own table is one of them ("text").
 */
#ifndef REPORT_TIMELINE_H
#define REPORT_TIMELINE_H

#include "detect/findings.h"
#include "intake/intake.h"
#include "report/summary.h"

#include <stdio.h>

struct timeline_options {
    const struct ruleset *rules;
    const struct inputs *inputs; /* names of inputs, for origins; NULL: by these */
    const struct slice *sources; /* by number; empty where there is none */
    size_t sources_n;
    bool colour;       /* escape sequences may be used */
    unsigned width;    /* columns of the terminal; 0: as wide as it gets */
    const char *title; /* for the HTML page: what was scanned */
    bool utc;     /* times in UTC; else local time with its offset: call tzset() before confine() */
    unsigned top; /* rows a table of the summary; 0: 10 */
};

struct timeline;
struct timeline_format {
    const char *name, *what; /* "csv", one line for --help */
    bool summary;            /* it shows the summary itself (text, html) */
    /* begin and end may be NULL */
    enum status (*begin)(struct timeline *t, struct error *err);
    enum status (*add)(struct timeline *t, const struct finding *finding, struct error *err);
    enum status (*end)(struct timeline *t, const struct summary *summary, struct error *err);
};

/* "text", "jsonl", "csv", "timesketch", "html"; ended by a NULL. docs/output.md describes
 * each. */
extern const struct timeline_format *const timeline_formats[];
const struct timeline_format *timeline_format_find(const char *name);

struct timeline *timeline_begin(const struct timeline_format *format,
                                const struct timeline_options *options, FILE *out,
                                struct error *err);
enum status timeline_add(struct timeline *t, const struct finding *finding, struct error *err);
/* Writes the end, checks that everything reached `out` (a full disk is an error), frees. */
enum status timeline_end(struct timeline *t, const struct summary *summary, struct error *err);

#endif
