#include "cli/rule_options.h"
#include "cli/outfile.h"

#include "base/confine.h"
#include "base/files.h"
#include "base/vec.h"

#include <stdlib.h>

static const char *const rule_file_endings[] = {".yml", ".yaml", NULL};

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

enum status rule_options_not_written(const struct rule_values *v, const struct text_list *paths,
                                     const char *output, struct error *err)
{
    struct arena names = {0};
    struct file_list files = {0};
    enum status status = OK;
    for (size_t i = 0; status == OK && output && i < paths->n; i++)
        status = folder_list(paths->at[i], rule_file_endings, &names, &files, err);
    if (status == OK && output && v->mappings)
        status = folder_list(v->mappings, rule_file_endings, &names, &files, err);
    bool replaces = v->placeholders && outfile_replaces(output, v->placeholders);
    for (size_t i = 0; !replaces && i < files.n; i++)
        replaces = outfile_replaces(output, files.paths[i]);
    if (status == OK && replaces)
        status = error_set(err, STATUS_BAD_USE, output, ERROR_NO_OFFSET,
                           "is read for the rules; it is not written over");
    file_list_free(&files);
    arena_free(&names);
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
