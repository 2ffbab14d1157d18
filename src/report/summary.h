/*
 * What a run of detection found, in numbers: by level, host, rule and ATT&CK tactic, by hour and
 * host for the heat map. Fed with each finding, in any order.
 *
 *     struct summary *s = summary_new();
 *     summary_add(s, &finding);
 *     summary_print_text(s, &options, stdout);
 */
#ifndef REPORT_SUMMARY_H
#define REPORT_SUMMARY_H

#include "detect/findings.h"

struct summary;
struct summary *summary_new(void);
void summary_free(struct summary *s);
void summary_add(struct summary *s, const struct finding *finding);

uint64_t summary_total(const struct summary *s);
uint64_t summary_of_level(const struct summary *s, enum sigma_level level);

#endif
