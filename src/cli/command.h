/*
 * The program's commands, as a table of small structs: adding one is one file that defines a
 * `const struct command` and one line in commands.c. From the table come the parsing of the command
 * line, --help, shell completion and the manual, so that they can't differ.
 *
 *     struct count_values {
 *         struct text_list fields;
 *         unsigned top;
 *     };
 *
 *     static const struct option options[] = {
 *         {'f', "field", OPTION_LIST, "NAME", "count this field; may be given again",
 *          .at = offsetof(struct count_values, fields)},
 *         {0, "top", OPTION_NUMBER, "N", "show the N most frequent values",
 *          .at = offsetof(struct count_values, top)},
 *         {0},
 *     };
 *
 *     static int run(const struct command *self, void *values, const struct text_list *operands);
 *
 *     const struct command count_command = {
 *         .name = "count", .what = "count values", .operands = "PATH...", .operands_least = 1,
 *         .operands_most = OPERANDS_ANY, .options = options,
 *         .values_size = sizeof(struct count_values), .run = run};
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/error.h"
#include "base/timestamp.h"

/* The program's exit statuses. When several hold, the first of this order is taken: interrupted,
 * failed, findings, unread. */
enum exit_status {
    EXIT_STATUS_CLEAN = 0,         /* done; nothing found */
    EXIT_STATUS_FINDINGS = 1,      /* something was found */
    EXIT_STATUS_BAD_USE = 2,       /* the command line, or a file that it names, makes no sense */
    EXIT_STATUS_UNREAD = 3,        /* nothing found, but some of the input could not be read */
    EXIT_STATUS_FAILED = 4,        /* the work could not be done: a full disk, no memory */
    EXIT_STATUS_INTERRUPTED = 130, /* the user asked to stop (128 + SIGINT) */
};

/* What each means to people, in the order of the numbers; `what` NULL past the last. */
struct exit_status_text {
    enum exit_status status;
    const char *what;
};
extern const struct exit_status_text exit_status_texts[];

/* Texts in the order in which they were given; they point into argv. */
struct text_list {
    const char **at;
    size_t n, cap;
};

/* What an option's value is, and so the type of the member that takes it. */
enum option_kind {
    OPTION_FLAG,   /* no value. bool: becomes true */
    OPTION_SET,    /* no value. unsigned: becomes `set` */
    OPTION_TEXT,   /* const char *; the last one given counts */
    OPTION_LIST,   /* struct text_list; may be given again */
    OPTION_NUMBER, /* unsigned */
    OPTION_CHOICE, /* unsigned: the number of the word among `choice` */
    OPTION_TIME,   /* struct option_time */
};

struct option_time {
    bool given;
    timestamp at;
};

/* The words to choose from, one a number from 0 on; NULL past the last. */
typedef const char *option_choice(size_t number);

struct option {
    char letter;      /* 0: it has none */
    const char *name; /* NULL ends the table */
    enum option_kind kind;
    const char *value;     /* what the value is called: "DIR", "FILE" (these are completed), "N" */
    const char *what;      /* what it does, one clause */
    option_choice *choice; /* OPTION_CHOICE, _TEXT, _LIST: the value must be one of these words */
    size_t at;             /* of the member in the command's struct of values */
    unsigned set;
    bool ends;         /* OPTION_TIME: a date alone means the end of that day */
    bool ahead;        /* OPTION_TIME: 7d is in seven days, not seven days ago */
    const char *group; /* opens a group of options in --help, under this heading */
};

struct example {
    const char *line, *what; /* line NULL ends the list */
};

#define OPERANDS_ANY UINT32_MAX

struct command {
    const char *name;              /* "scan", or two words: "rules check" */
    const char *what;              /* one line */
    const char *operands;          /* as the usage shows them: "PATH..."; NULL: none */
    option_choice *operand_choice; /* words that an operand may be, for completion; NULL: files */
    uint32_t operands_least, operands_most;
    const char *about;              /* paragraphs, with an empty line between; may be NULL */
    const struct option *options;   /* may be NULL */
    const struct example *examples; /* may be NULL */
    bool hidden;                    /* not for people: no list shows it */
    size_t values_size;
    /* `values` is a zeroed struct of values_size that holds what the options said. Returns an
     * exit status (enum exit_status). */
    int (*run)(const struct command *self, void *values, const struct text_list *operands);
};

/* All commands, ended by NULL, and the one of a name (NULL when there is none). */
extern const struct command *const commands[];
const struct command *command_find(const char *name);

/* The second word of a command's name when `group` is the first ("check" of "rules check"); else
 * NULL. */
const char *command_verb(const struct command *command, const char *group);

/* The names of the commands: an option_choice. */
option_choice command_name;

/* What every command has besides its own: --help, --lang. The tables do not list them. */
extern const struct option common_options[];

#endif
