/* Suppressions as those who take findings in need them. */
#ifndef CASEBOOK_SUPPRESSION_INTERNAL_H
#define CASEBOOK_SUPPRESSION_INTERNAL_H

#include "casebook/suppression.h"
#include "detect/findings.h"

struct suppressions; /* those that were not lifted */
enum status suppressions_load(struct casebook *c, struct suppressions **out, struct error *err);
void suppressions_free(struct suppressions *s);

/* Ties a finding to the suppressions that mean it. */
enum status suppressions_apply(struct suppressions *s, int64_t id, const struct finding *f,
                               struct error *err);

/* Whether one that means it holds at `now`. */
bool suppressions_hide(struct suppressions *s, const struct finding *f, timestamp now);

#endif
