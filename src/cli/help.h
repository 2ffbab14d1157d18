/*
 * Help for people, made from the tables of commands and options.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/command.h"

#include <stdio.h>

/* What the program is and which commands it has. */
void help_program(FILE *out);

/* One command: usage, what it does, options, examples. */
void help_command_print(const struct command *command, FILE *out);

/* The commands whose first word is `group`; false, and nothing is written, when there is none. */
bool help_group(const char *group, FILE *out);

/* Says on stderr that there is no such command, and which one was probably meant. */
void help_no_command(const char *name);

#endif
