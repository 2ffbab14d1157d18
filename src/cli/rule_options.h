/*
 * What commands that look at sets of rules have in common: which rules, and loading them.
 */
#ifndef CLI_RULE_OPTIONS_H
#define CLI_RULE_OPTIONS_H

#include "base/locale.h"
#include "cli/command.h"
#include "detect/ruleset.h"
#include "event/mapping.h"

struct rule_values {
    struct text_list statuses, tags, logsources;
    const char *placeholders, *mappings;
    unsigned level; /* enum sigma_level */
    bool deprecated;
};

/* Words to choose from, for options. */
option_choice rule_level_choice, rule_status_choice;

/* Rows of a table of options, for a struct of values that has a member `rules`. */
/* clang-format off */
#define RULE_OPTIONS(type)                                                                        \
    {'l', "level", OPTION_CHOICE, "LEVEL", N_("only rules of this level or above"),               \
     .choice = rule_level_choice, .at = offsetof(type, rules.level), .group = N_("Which rules")}, \
    {0, "status", OPTION_LIST, "STATUS", N_("only rules of this status; may be given again"),     \
     .choice = rule_status_choice, .at = offsetof(type, rules.statuses)},                         \
    {0, "tag", OPTION_LIST, "TAG",                                                                \
     N_("only rules with this tag, such as attack.t1059; may be given again"),                    \
     .at = offsetof(type, rules.tags)},                                                           \
    {0, "logsource", OPTION_LIST, "SOURCE",                                                       \
     N_("only rules for this log source, such as windows/process_creation; may be given again"),  \
     .at = offsetof(type, rules.logsources)},                                                     \
    {0, "deprecated", OPTION_FLAG, NULL, N_("also rules that are deprecated or unsupported"),     \
     .at = offsetof(type, rules.deprecated)},                                                     \
    {0, "mappings", OPTION_TEXT, "DIR",                                                           \
     N_("names of log sources and fields, on top of those that are built in"),                    \
     .at = offsetof(type, rules.mappings)},                                                       \
    {0, "placeholders", OPTION_TEXT, "FILE", N_("values for rules with placeholders (YAML)"),     \
     .at = offsetof(type, rules.placeholders)}
/* clang-format on */

/* Confines the process to reading `paths` and what the options name; for a command that reads
 * nothing else. */
enum status rule_options_confine(const struct rule_values *values, const struct text_list *paths,
                                 struct error *err);

/* STATUS_BAD_USE when the output (NULL: none) is one of the rules' files, a mapping or the file of
 * placeholders, which would be lost. */
enum status rule_options_not_written(const struct rule_values *values,
                                     const struct text_list *paths, const char *output,
                                     struct error *err);

/* Loads rules from the paths into a finished set, and the mappings (`mappings` NULL: not wanted). The
 * caller frees both, also on failure. */
enum status rule_options_load(const struct rule_values *values, const struct text_list *paths,
                              struct ruleset **set, struct mappings **mappings, struct error *err);

#endif
