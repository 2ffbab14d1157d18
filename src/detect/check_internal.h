/* Whether a rule can match events of a binding at all. */
#ifndef DETECT_CHECK_INTERNAL_H
#define DETECT_CHECK_INTERNAL_H

#include "detect/rule.h"
#include "event/mapping.h"

/* Why no event of the binding can ever match, in the arena; an empty slice when one may. */
struct slice check_never(struct arena *a, const struct sigma_rule *rule,
                         const struct log_binding *binding);

#endif
