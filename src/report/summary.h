/*
 * What a run of detection found, in numbers: by level, host, rule, ATT&CK tactic and technique. Fed
 * with each finding, in any order.
 *
 *     struct summary *s = summary_new();
 *     summary_add(s, &finding);
 *     timeline_end(t, s, &err);              the text format shows it
 */
#ifndef REPORT_SUMMARY_H
#define REPORT_SUMMARY_H

#include "base/buf.h"
#include "detect/findings.h"

enum { SUMMARY_HOSTS = 100000 }; /* hosts told apart; the findings of others are counted together */

struct summary;
struct summary *summary_new(void);
void summary_free(struct summary *s);
void summary_add(struct summary *s, const struct finding *finding);

/* Findings added. */
uint64_t summary_total(const struct summary *s);

struct summary_options {
    bool colour;
    unsigned width; /* columns; 0: as wide as it gets */
    unsigned top;   /* rows a table; 0: 10 */
};

/* Appends the summary as tables for people. */
void summary_text(const struct summary *s, const struct summary_options *options, struct buf *out);

#endif
