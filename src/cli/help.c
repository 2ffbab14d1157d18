#include "cli/help.h"

#include "cli/options.h"

enum {
    WIDTH = 80,
    OPTION_COLUMN = 26, /* where an option's description begins */
};

/* Words of `text` from column `at` on, wrapped at WIDTH, further lines from column `indent`. */
static void wrap(FILE *out, const char *text, size_t at, size_t indent)
{
    const char *gap = "";
    while (*text) {
        size_t n = strcspn(text, " ");
        if (at + strlen(gap) + n > WIDTH && *gap) {
            fprintf(out, "\n%*s", (int)indent, "");
            at = indent;
            gap = "";
        }
        fprintf(out, "%s%.*s", gap, (int)n, text);
        at += strlen(gap) + n;
        gap = " ";
        text += n;
        text += strspn(text, " ");
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

/* "one of a, b, c" behind the description of a choice. */
static void describe(const struct option *o, char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, "%s", o->what);
    for (size_t i = 0; o->choice && o->choice(i) && n < size; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%s", i ? ", " : ": ", o->choice(i));
}

static void print_option(FILE *out, const struct option *o)
{
    char head[64], what[512];
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

void help_command_print(const struct command *command, FILE *out)
{
    const struct option *o = command->options;
    fprintf(out, "usage: hikeshi %s%s%s%s\n\n", command->name, o ? " [OPTION...]" : "",
            command->operands ? " " : "", command->operands ? command->operands : "");
    paragraphs(out, command->about ? command->about : command->what);
    bool grouped = o && o->group;
    if (!grouped)
        fputs("Options:\n", out);
    for (; o && o->name; o++) {
        if (o->group)
            fprintf(out, "%s%s:\n", o == command->options ? "" : "\n", o->group);
        print_option(out, o);
    }
    print_option(out, &help_option);
    if (command->examples)
        fputs("\nExamples:\n", out);
    for (const struct example *e = command->examples; e && e->line; e++) {
        fprintf(out, "  %s\n      ", e->line);
        wrap(out, e->what, 6, 6);
    }
}

void help_program(FILE *out)
{
    fputs("usage: hikeshi COMMAND [OPTION...]\n\n"
          "Carries a security incident from the first alert to the signed report.\n\n"
          "Commands:\n",
          out);
    for (const struct command *const *c = commands; *c; c++) {
        if ((*c)->hidden)
            continue;
        int n = fprintf(out, "  %s", (*c)->name);
        fprintf(out, "%*s", n < 16 ? 16 - n : 1, "");
        wrap(out, (*c)->what, 16, 16);
    }
    fputs("\n\"hikeshi COMMAND --help\" tells about one; \"hikeshi manual | man -l -\" shows the "
          "manual.\n",
          out);
}

void help_no_command(const char *name)
{
    const char *near = near_word(name, command_name);
    if (near)
        fprintf(stderr, "hikeshi: there is no command \"%s\"; did you mean \"%s\"?\n", name, near);
    else
        fprintf(stderr, "hikeshi: there is no command \"%s\"; try hikeshi help\n", name);
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
    if (!command) {
        help_no_command(name);
        return EXIT_STATUS_BAD_USE;
    }
    help_command_print(command, stdout);
    return EXIT_STATUS_CLEAN;
}

extern const struct command help_command;
const struct command help_command = {
    .name = "help",
    .what = "tell about the program or about one command",
    .operands = "[COMMAND]",
    .operand_choice = command_name,
    .operands_most = 2,
    .run = run,
};
