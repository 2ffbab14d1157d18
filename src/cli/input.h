/*
 * What commands that read logs have in common: which events are wanted, confinement, and telling at
 * the end what could not be read.
 */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include "base/locale.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "event/select.h"
#include "intake/intake.h"

struct input_values {
    struct option_time from, to;
    const char *host;
    bool carve, quiet, verbose;
    unsigned threads, progress; /* progress: enum progress_wish */
};

/* Rows of a table of options, for a struct of values that has a member `input`: which events, how to
 * work, and both for commands that read logs. */
/* clang-format off */
#define SELECTION_OPTIONS(type)                                                                    \
    {0, "from", OPTION_TIME, "TIME",                                                               \
     N_("only events from then on: 2026-11-10, 2026-11-10T10:23:41+09:00 (UTC when no zone is "    \
     "given), or 7d for the last seven days (s, m, h, d, w)"),                                     \
     .at = offsetof(type, input.from), .group = N_("Which events")},                               \
    {0, "to", OPTION_TIME, "TIME",                                                                 \
     N_("only events before then; a date alone means the end of that day"),                        \
     .at = offsetof(type, input.to), .ends = true},                                                \
    {0, "host", OPTION_TEXT, "NAME",                                                               \
     N_("only events of this host, in upper or lower case; * is any text, ? any character"),       \
     .at = offsetof(type, input.host)}
#define WORK_OPTIONS(type)                                                                         \
    {0, "threads", OPTION_NUMBER, "N", N_("work with N threads (one a processor)"),                \
     .at = offsetof(type, input.threads), .group = N_("How")},                                     \
    {0, "progress", OPTION_SET, NULL, N_("show how far it is, also when stderr is no terminal"),   \
     .at = offsetof(type, input.progress), .set = PROGRESS_ALWAYS},                                \
    {0, "no-progress", OPTION_SET, NULL, N_("do not show how far it is"),                          \
     .at = offsetof(type, input.progress), .set = PROGRESS_NEVER},                                 \
    {'q', "quiet", OPTION_FLAG, NULL, N_("say nothing but errors and what was asked for"),         \
     .at = offsetof(type, input.quiet)},                                                           \
    {'v', "verbose", OPTION_FLAG, NULL,                                                            \
     N_("say more: every place that could not be read, where the time went"),                      \
     .at = offsetof(type, input.verbose)}
#define INPUT_OPTIONS(type)                                                                        \
    SELECTION_OPTIONS(type),                                                                       \
    {0, "carve", OPTION_FLAG, NULL,                                                                \
     N_("look for records in slack space and between damaged parts of .evtx files too"),           \
     .at = offsetof(type, input.carve)},                                                           \
    WORK_OPTIONS(type)
/* clang-format on */

/* STATUS_BAD_USE when no event can be wanted. */
enum status input_check(const struct input_values *values, struct error *err);

struct selection input_selection(const struct input_values *values);

/* STATUS_BAD_USE when the output (NULL: none) is one of the inputs, standard input among them, which
 * would be lost. */
enum status input_not_written(const struct inputs *inputs, const char *output, struct error *err);

/* Confines the process to reading the paths (those that exist; "-" needs none) and to writing in
 * `folder` (may be NULL). A warning goes to stderr. */
enum status input_confine(const struct text_list *paths, const char *folder, struct error *err);

/* Lists what could not be read: the first place of each of some inputs, or `all` places that were
 * kept; then how many more there are. Returns how many there are in all. */
uint64_t input_tell_problems(const struct problems *problems, const struct inputs *inputs, bool all,
                             FILE *out);

#endif
