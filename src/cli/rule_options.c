#include "cli/rule_options.h"

#include "base/confine.h"
#include "base/vec.h"

#include <stdlib.h>

const char *rule_level_choice(size_t number) /* by enum sigma_level */
{
    if (number == LEVEL_NONE)
        return "any";
    return number <= LEVEL_CRITICAL ? sigma_level_name((enum sigma_level)number) : NULL;
}

const char *rule_status_choice(size_t number)
{
    number = RULE_STABLE - number; /* the best known first */
    return number > RULE_STATUS_NONE && number <= RULE_STABLE
               ? sigma_status_name((enum sigma_status)number)
               : NULL;
}

enum status rule_options_confine(const struct rule_values *v, const struct text_list *paths,
                                 struct error *err)
{
    struct text_list read = {0};
    struct confine_report report;
    for (size_t i = 0; i < paths->n; i++)
        *VEC_PUSH(read) = paths->at[i];
    if (v->mappings)
        *VEC_PUSH(read) = v->mappings;
    if (v->placeholders)
        *VEC_PUSH(read) = v->placeholders;
    struct confine_needs needs = {.read = read.at, .read_n = read.n};
    enum status status = confine(&needs, &report, err);
    if (status == OK && report.landlock == 0)
        fprintf(stderr, "hikeshi: %s\n", report.warning);
    free(read.at);
    return status;
}

enum status rule_options_load(const struct rule_values *v, const struct text_list *paths,
                              struct ruleset **set, struct mappings **mappings, struct error *err)
{
    struct rule_choice choice = {
        .level_least = (enum sigma_level)v->level,
        .statuses = v->statuses.at,
        .statuses_n = v->statuses.n,
        .tags = v->tags.at,
        .tags_n = v->tags.n,
        .logsources = v->logsources.at,
        .logsources_n = v->logsources.n,
        .with_deprecated = v->deprecated,
    };
    *set = ruleset_new();
    enum status status = OK;
    if (v->placeholders)
        status = ruleset_placeholders(*set, v->placeholders, err);
    for (size_t i = 0; status == OK && i < paths->n; i++)
        status = ruleset_load(*set, paths->at[i], &choice, err);
    if (status != OK)
        return status;
    ruleset_finish(*set);
    if (mappings) {
        *mappings = mappings_load(v->mappings, err);
        status = *mappings ? OK : err->status;
    }
    return status;
}
