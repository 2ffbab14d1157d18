/*
 * Loads Sigma rules: files and folders of YAML (also multi-document, with `action: global`), plain
 * rules, correlation rules and filters; keeps what can be used, reports what can't.
 *
 *     struct ruleset *set = ruleset_new();
 *     ruleset_load(set, "rules/", &choice, &err);
 *     ruleset_finish(set);                  applies filters, resolves correlations
 *     for (i < ruleset_count(set)) ... ruleset_rule(set, i)
 */
#ifndef DETECT_RULESET_H
#define DETECT_RULESET_H

#include "base/error.h"
#include "base/map.h"
#include "detect/rule.h"

/* Which rules are wanted; an empty list means all. */
struct rule_choice {
    enum sigma_level level_least;
    const char *const *statuses, *const *tags;
    const char *const *logsources; /* "windows/process_creation" */
    size_t statuses_n, tags_n, logsources_n;
    bool with_deprecated; /* deprecated and unsupported rules are left out otherwise */
};

/* Why a rule can't be used. */
struct rule_problem {
    struct slice path, title;
    uint32_t line, column;
    struct slice what;
};

struct ruleset;
struct ruleset *ruleset_new(void);
void ruleset_free(struct ruleset *set);

/* Placeholders for `expand`: a YAML file of name -> value or list of values. */
enum status ruleset_placeholders(struct ruleset *set, const char *path, struct error *err);

/* A file, or every .yml and .yaml below a folder. A file that can't be read is an error; a rule
 * that can't be used is a problem. */
enum status ruleset_load(struct ruleset *set, const char *path, const struct rule_choice *choice,
                         struct error *err);
enum status ruleset_load_text(struct ruleset *set, struct slice yaml, const char *name,
                              const struct rule_choice *choice, struct error *err);

void ruleset_finish(struct ruleset *set);

size_t ruleset_count(const struct ruleset *set);
const struct sigma_rule *ruleset_rule(const struct ruleset *set, uint32_t index);
size_t ruleset_problems(const struct ruleset *set, const struct rule_problem **list);

/* Documents of the files read that were no Sigma rules at all (and are no problem). */
size_t ruleset_others(const struct ruleset *set);

/* The values of a placeholder (`%name%`), or NULL when nobody defined it. */
const struct slice *ruleset_placeholder(const struct ruleset *set, struct slice name, size_t *n);

#endif
