#include "cli/command.h"

#include <string.h>

extern const struct command scan_command;
extern const struct command events_command;
extern const struct command rules_check_command;
extern const struct command rules_list_command;
extern const struct command help_command;
extern const struct command manual_command;
extern const struct command completion_command;
extern const struct command complete_command;

/* In the order in which help shows them. */
/* clang-format off */
const struct command *const commands[] = {
    &scan_command,
    &events_command,
    &rules_check_command,
    &rules_list_command,
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

const char *command_name(size_t number)
{
    const struct command *const *c = commands;
    for (size_t i = 0; *c; c++)
        if (!(*c)->hidden && i++ == number)
            return (*c)->name;
    return NULL;
}
