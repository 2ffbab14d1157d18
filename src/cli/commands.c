#include "cli/command.h"

#include "base/locale.h"

#include <string.h>

extern const struct command init_command;
extern const struct command intake_command;
extern const struct command detect_command;
extern const struct command finding_list_command;
extern const struct command finding_show_command;
extern const struct command finding_suppress_command;
extern const struct command finding_unsuppress_command;
extern const struct command finding_suppressions_command;
extern const struct command scan_command;
extern const struct command events_command;
extern const struct command hunt_command;
extern const struct command rules_check_command;
extern const struct command rules_list_command;
extern const struct command verify_command;
extern const struct command prove_command;
extern const struct command store_status_command;
extern const struct command store_rebuild_command;
extern const struct command store_merge_command;
extern const struct command store_checkpoint_command;
extern const struct command store_timestamp_command;
extern const struct command store_retain_command;
extern const struct command store_hold_command;
extern const struct command store_release_command;
extern const struct command store_expire_command;
extern const struct command help_command;
extern const struct command manual_command;
extern const struct command completion_command;
extern const struct command complete_command;

/* In the order in which help shows them. */
/* clang-format off */
const struct command *const commands[] = {
    &scan_command,
    &events_command,
    &init_command,
    &intake_command,
    &hunt_command,
    &detect_command,
    &finding_list_command,
    &finding_show_command,
    &finding_suppress_command,
    &finding_unsuppress_command,
    &finding_suppressions_command,
    &rules_check_command,
    &rules_list_command,
    &verify_command,
    &prove_command,
    &store_status_command,
    &store_rebuild_command,
    &store_merge_command,
    &store_checkpoint_command,
    &store_timestamp_command,
    &store_retain_command,
    &store_hold_command,
    &store_release_command,
    &store_expire_command,
    &help_command,
    &manual_command,
    &completion_command,
    &complete_command,
    NULL,
};
/* clang-format on */

const struct command *command_find(const char *name)
{
    for (const struct command *const *c = commands; *c; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}

const char *command_verb(const struct command *command, const char *group)
{
    size_t n = strlen(group);
    return strncmp(command->name, group, n) == 0 && command->name[n] == ' ' ? command->name + n + 1
                                                                            : NULL;
}

const char *command_name(size_t number)
{
    const struct command *const *c = commands;
    for (size_t i = 0; *c; c++)
        if (!(*c)->hidden && i++ == number)
            return (*c)->name;
    return NULL;
}

const struct exit_status_text exit_status_texts[] = {
    {EXIT_STATUS_CLEAN, N_("done; nothing was found")},
    {EXIT_STATUS_FINDINGS, N_("something was found; messages say what could not be read besides")},
    {EXIT_STATUS_BAD_USE, N_("the command line, or a file that it names, makes no sense")},
    {EXIT_STATUS_UNREAD, N_("nothing was found, but not all of the input could be read")},
    {EXIT_STATUS_FAILED, N_("the work could not be done: a full disk, no memory")},
    {EXIT_STATUS_INTERRUPTED, N_("stopped by the user; what was found until then is incomplete")},
    {EXIT_STATUS_CLEAN, NULL},
};
