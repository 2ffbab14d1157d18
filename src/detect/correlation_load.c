#include "detect/ruleset_internal.h"

enum status correlation_load(struct ruleset *set, const struct rule_document *doc,
                             struct sigma_rule *rule, struct error *err)
{
    (void)set;
    (void)rule;
    return yaml_error(err, doc->path, yaml_get(doc->root, SLICE("correlation")),
                      "correlations are not read yet");
}

enum status correlation_resolve(struct ruleset *set, struct sigma_rule *rule, struct error *err)
{
    (void)set;
    return error_set(err, STATUS_BAD_INPUT, rule->path.p, rule->line,
                     "correlations are not read yet");
}
