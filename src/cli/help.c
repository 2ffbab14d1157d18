#include "cli/help.h"

#include "cli/options.h"

#include "base/locale.h"
#include "report/term.h"

enum {
    WIDTH = 80,
    OPTION_COLUMN = 26, /* where an option's description begins */
    COMMAND_COLUMN = 16,
    STATUS_COLUMN = 7,
    WORD_COLUMNS = 30, /* longer ones, such as Japanese sentences, may be broken */
};

static unsigned new_line(FILE *out, unsigned indent)
{
    fprintf(out, "\n%*s", (int)indent, "");
    return indent;
}

/* Text from column `at` on, wrapped at WIDTH, further lines from column `indent`, and a line end.
 * What is too long for a word, such as a Japanese sentence, is broken where the line ends. */
static void wrap(FILE *out, const char *text, unsigned at, unsigned indent)
{
    for (unsigned gap = 0; *text; gap = 1) {
        struct slice word = slice_of(text, strcspn(text, " "));
        unsigned columns = term_width(word);
        text += word.n;
        text += strspn(text, " ");
        if (gap && at + gap + columns > WIDTH && (columns <= WORD_COLUMNS || at + gap >= WIDTH)) {
            at = new_line(out, indent);
            gap = 0;
        }
        at += (unsigned)fprintf(out, "%*s", (int)gap, "");
        while (word.n) {
            struct slice part = term_fit(word, WIDTH - at);
            fprintf(out, "%.*s", SLICE_ARG(part));
            at += term_width(part);
            word = slice_sub(word, part.n, word.n);
            if (word.n)
                at = new_line(out, indent);
        }
    }
    fputc('\n', out);
}

static void paragraphs(FILE *out, const char *text)
{
    while (*text) {
        const char *end = strstr(text, "\n\n");
        size_t n = end ? (size_t)(end - text) : strlen(text);
        char one[2048];
        snprintf(one, sizeof one, "%.*s", (int)n, text);
        wrap(out, one, 0, 0);
        fputc('\n', out);
        text += end ? n + 2 : n;
    }
}

/* Behind the description of a choice, its words. */
static void describe(const struct option *o, char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, "%s", _(o->what));
    for (size_t i = 0; o->choice && o->choice(i) && n < size; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%s", i ? ", " : ": ", o->choice(i));
}

static void print_option(FILE *out, const struct option *o)
{
    char head[64], what[1024];
    char letter[] = {'-', o->letter, ',', '\0'};
    int n = snprintf(head, sizeof head, "  %3s --%s%s%s", o->letter ? letter : "", o->name,
                     o->value ? " " : "", o->value ? o->value : "");
    describe(o, what, sizeof what);
    fputs(head, out);
    if (n > OPTION_COLUMN - 2)
        fprintf(out, "\n%*s", OPTION_COLUMN, "");
    else
        fprintf(out, "%*s", OPTION_COLUMN - n, "");
    wrap(out, what, OPTION_COLUMN, OPTION_COLUMN);
}

static void print_exit_statuses(FILE *out)
{
    fprintf(out, "\n%s\n", _("Exit status:"));
    for (const struct exit_status_text *s = exit_status_texts; s->what; s++) {
        fprintf(out, "  %3d  ", s->status);
        wrap(out, _(s->what), STATUS_COLUMN, STATUS_COLUMN);
    }
}

void help_command_print(const struct command *command, FILE *out)
{
    const struct option *o = command->options;
    fprintf(out, "%s hikeshi %s%s%s%s\n\n", _("usage:"), command->name, o ? " [OPTION...]" : "",
            command->operands ? " " : "", command->operands ? command->operands : "");
    paragraphs(out, command->about ? _(command->about) : _(command->what));
    bool grouped = o && o->group;
    if (!grouped)
        fprintf(out, "%s\n", _("Options:"));
    for (; o && o->name; o++) {
        if (o->group)
            fprintf(out, "%s%s:\n", o == command->options ? "" : "\n", _(o->group));
        print_option(out, o);
    }
    for (o = common_options; o->name; o++)
        print_option(out, o);
    print_exit_statuses(out);
    if (command->examples)
        fprintf(out, "\n%s\n", _("Examples:"));
    for (const struct example *e = command->examples; e && e->line; e++) {
        fprintf(out, "  %s\n      ", e->line);
        wrap(out, _(e->what), 6, 6);
    }
}

/* All commands, or those of a group. */
static void print_commands(FILE *out, const char *group)
{
    fprintf(out, "%s\n", _("Commands:"));
    for (const struct command *const *c = commands; *c; c++) {
        if ((*c)->hidden || (group && !command_verb(*c, group)))
            continue;
        int n = fprintf(out, "  %s", (*c)->name);
        fprintf(out, "%*s", n < COMMAND_COLUMN ? COMMAND_COLUMN - n : 1, "");
        wrap(out, _((*c)->what), COMMAND_COLUMN, COMMAND_COLUMN);
    }
}

bool help_group(const char *group, FILE *out)
{
    bool any = false;
    for (const struct command *const *c = commands; *c && !any; c++)
        any = !(*c)->hidden && command_verb(*c, group);
    if (!any)
        return false;
    fprintf(out, "%s hikeshi %s COMMAND [OPTION...]\n\n", _("usage:"), group);
    print_commands(out, group);
    return true;
}

void help_program(FILE *out)
{
    fprintf(out, "%s hikeshi COMMAND [OPTION...]\n\n", _("usage:"));
    paragraphs(out, _("Carries a security incident from the first alert to the signed report."));
    print_commands(out, NULL);
    fputc('\n', out);
    wrap(out,
         _("\"hikeshi COMMAND --help\" tells about one; \"hikeshi manual | man -l -\" shows "
           "the manual."),
         0, 0);
}

void help_no_command(const char *name)
{
    const char *near = near_word(name, command_name);
    if (near)
        fprintf(stderr, _("hikeshi: there is no command \"%s\"; did you mean \"%s\"?\n"), name,
                near);
    else
        fprintf(stderr, _("hikeshi: there is no command \"%s\"; try hikeshi help\n"), name);
}

static int run(const struct command *self, void *values, const struct text_list *operands)
{
    (void)self;
    (void)values;
    if (operands->n == 0) {
        help_program(stdout);
        return EXIT_STATUS_CLEAN;
    }
    char name[128];
    snprintf(name, sizeof name, "%s%s%s", operands->at[0], operands->n > 1 ? " " : "",
             operands->n > 1 ? operands->at[1] : "");
    const struct command *command = command_find(name);
    if (command)
        help_command_print(command, stdout);
    else if (operands->n > 1 || !help_group(name, stdout)) {
        help_no_command(name);
        return EXIT_STATUS_BAD_USE;
    }
    return EXIT_STATUS_CLEAN;
}

extern const struct command help_command;
const struct command help_command = {
    .name = "help",
    .what = N_("tell about the program or about one command"),
    .operands = "[COMMAND]",
    .operand_choice = command_name,
    .operands_most = 2,
    .run = run,
};
