/*
 * Parses a command line by a command's table of options.
 *
 * Options are "-l VALUE", "-lVALUE", "--long VALUE", "--long=VALUE"; short ones without a value may
 * be joined ("-qv"). Options and operands may be mixed; "--" ends the options; "-" is an operand.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "cli/command.h"

/* Fills `values` (a zeroed struct of command->values_size) and `operands` (free operands->at). *help is set, and the rest
 * left, when help is asked for. STATUS_BAD_USE with a message that names what to do instead.
 * `now` is what times such as "7d" count from. */
enum status options_parse(const struct command *command, int argc, char **argv, timestamp now,
                          void *values, struct text_list *operands, bool *help, struct error *err);

/* Frees the lists in `values`. */
void options_free(const struct command *command, void *values);

/* The word among a choice's that `word` was probably meant to be, or NULL. */
const char *near_word(const char *word, option_choice *choice);

/* Whether the value is a file or folder, for completion. */
bool option_takes_file(const struct option *o);

#endif
