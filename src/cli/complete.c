/*
 * Shell completion. What fits at a place of a command line is said by the hidden command `complete`,
 * from the tables; the shells' own scripts, which `completion` prints, only ask it.
 */
#include "cli/options.h"

#include "base/locale.h"

#include <stdio.h>

/* A line for the shell's script: a word that fits, a tab, what it means. Or one of these: */
#define FILES ":files" /* names of files fit */

static void offer(const char *word, const char *what, const char *begun)
{
    if (strncmp(word, begun, strlen(begun)) == 0)
        printf("%s\t%s\n", word, what);
}

static void offer_choice(option_choice *choice, const char *begun)
{
    for (size_t i = 0; choice(i); i++)
        offer(choice(i), "", begun);
}

static void offer_value(const struct option *o, const char *begun)
{
    if (o->choice)
        offer_choice(o->choice, begun);
    else if (option_takes_file(o))
        puts(FILES);
}

static void offer_options(const struct option *options, const char *begun)
{
    char name[64];
    for (const struct option *o = options; o && o->name; o++) {
        snprintf(name, sizeof name, "--%s", o->name);
        offer(name, _(o->what), begun);
    }
}

/* A group's second words as its description: "check, list". */
static void offer_group(const char *group, const char *begun)
{
    char verbs[256] = "";
    size_t n = 0;
    for (const struct command *const *c = commands; *c && n < sizeof verbs; c++) {
        const char *verb = (*c)->hidden ? NULL : command_verb(*c, group);
        if (verb)
            n += (size_t)snprintf(verbs + n, sizeof verbs - n, "%s%s", n ? ", " : "", verb);
    }
    offer(group, verbs, begun);
}

/* First words of the commands' names, or, behind `first`, their second words. */
static void offer_commands(const char *first, const char *begun)
{
    char last[64] = ""; /* a group is offered once */
    for (const struct command *const *c = commands; *c; c++) {
        const char *space = strchr((*c)->name, ' ');
        const char *verb = first ? command_verb(*c, first) : NULL;
        if ((*c)->hidden)
            continue;
        if (verb)
            offer(verb, _((*c)->what), begun);
        else if (!first && !space)
            offer((*c)->name, _((*c)->what), begun);
        else if (!first && !command_verb(*c, last)) {
            snprintf(last, sizeof last, "%.*s", (int)(space - (*c)->name), (*c)->name);
            offer_group(last, begun);
        }
    }
}

/* The option of a table that waits for its value behind `word`, or NULL. */
static const struct option *waiting(const struct option *options, const char *word)
{
    for (const struct option *o = options; o && o->name; o++) {
        bool is_short = word[0] == '-' && word[1] && word[1] == o->letter && !word[2];
        bool is_long = strncmp(word, "--", 2) == 0 && strcmp(word + 2, o->name) == 0;
        if (o->value && (is_short || is_long))
            return o;
    }
    return NULL;
}

/* The operands are the line's words without the program's name; the last one is under way. */
static int complete(const struct command *self, void *values, const struct text_list *words)
{
    (void)self;
    (void)values;
    const char *begun = words->at[words->n - 1];
    if (words->n == 1) {
        offer_commands(NULL, begun);
        return EXIT_STATUS_CLEAN;
    }
    char name[128];
    const struct command *command = command_find(words->at[0]);
    if (!command) {
        snprintf(name, sizeof name, "%s %s", words->at[0], words->at[1]);
        command = words->n > 2 ? command_find(name) : NULL;
    }
    if (!command) {
        if (words->n == 2)
            offer_commands(words->at[0], begun);
        return EXIT_STATUS_CLEAN;
    }
    const struct option *own = waiting(command->options, words->at[words->n - 2]);
    const struct option *common = waiting(common_options, words->at[words->n - 2]);
    if (own || common) {
        offer_value(own ? own : common, begun);
    } else if (begun[0] == '-') {
        offer_options(command->options, begun);
        offer_options(common_options, begun);
    } else if (command->operand_choice)
        offer_choice(command->operand_choice, begun);
    else if (command->operands)
        puts(FILES);
    return EXIT_STATUS_CLEAN;
}

extern const struct command complete_command;
const struct command complete_command = {
    .name = "complete",
    .what = N_("say what fits at a place of a command line"),
    .operands = "WORD...",
    .operands_least = 1,
    .operands_most = OPERANDS_ANY,
    .hidden = true,
    .run = complete,
};

struct shell {
    const char *name, *script;
};

static const struct shell shells[] = {
    {"bash",
     "_hikeshi() {\n"
     "    local said files= line\n"
     "    COMPREPLY=()\n"
     "    said=$(hikeshi complete -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null) || return\n"
     "    while IFS= read -r line; do\n"
     "        case $line in\n"
     "        '') ;;\n"
     "        " FILES ") files=1 ;;\n"
     "        *) COMPREPLY+=(\"${line%%$'\\t'*}\") ;;\n"
     "        esac\n"
     "    done <<<\"$said\"\n"
     "    if [ -n \"$files\" ]; then\n"
     "        compopt -o filenames 2>/dev/null\n"
     "        mapfile -t COMPREPLY < <(compgen -f -- \"${COMP_WORDS[COMP_CWORD]}\")\n"
     "    fi\n"
     "}\n"
     "complete -F _hikeshi hikeshi\n"},
    {"zsh",
     "#compdef hikeshi\n"
     "_hikeshi() {\n"
     "    local line\n"
     "    local -a found\n"
     "    for line in ${(f)\"$(hikeshi complete -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)\"}; do\n"
     "        if [[ $line == " FILES " ]]; then\n"
     "            _files\n"
     "        else\n"
     "            found+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\")\n"
     "        fi\n"
     "    done\n"
     "    (( ${#found} )) && _describe hikeshi found\n"
     "}\n"
     "if [ \"$funcstack[1]\" = _hikeshi ]; then _hikeshi \"$@\"; else compdef _hikeshi hikeshi; "
     "fi\n"},
    {"fish", "function __hikeshi\n"
             "    set -l words (commandline -opc) (commandline -ct)\n"
             "    for line in (hikeshi complete -- $words[2..-1] 2>/dev/null)\n"
             "        if test $line = " FILES "\n"
             "            __fish_complete_path (commandline -ct)\n"
             "        else\n"
             "            echo $line\n"
             "        end\n"
             "    end\n"
             "end\n"
             "complete -c hikeshi -f -a '(__hikeshi)'\n"},
};

static const char *shell_name(size_t number)
{
    return number < sizeof shells / sizeof *shells ? shells[number].name : NULL;
}

static int completion(const struct command *self, void *values, const struct text_list *operands)
{
    (void)values;
    for (size_t i = 0; shell_name(i); i++)
        if (strcmp(shell_name(i), operands->at[0]) == 0) {
            fputs(shells[i].script, stdout);
            return EXIT_STATUS_CLEAN;
        }
    fprintf(stderr, _("hikeshi %s: no script for \"%s\"; there are those for bash, zsh and fish\n"),
            self->name, operands->at[0]);
    return EXIT_STATUS_BAD_USE;
}

static const struct example completion_examples[] = {
    {"source <(hikeshi completion bash)", N_("completion in this bash")},
    {"hikeshi completion fish >~/.config/fish/completions/hikeshi.fish", N_("in every fish")},
    {NULL, NULL},
};

extern const struct command completion_command;
const struct command completion_command = {
    .name = "completion",
    .what = N_("print the completion script for a shell"),
    .operands = "bash|zsh|fish",
    .operand_choice = shell_name,
    .operands_least = 1,
    .operands_most = 1,
    .examples = completion_examples,
    .run = completion,
};
