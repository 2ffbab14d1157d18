/*
 * The manual: docs/man/hikeshi.1.in, built into the program, with the commands put in from their
 * tables.
 */
#include "cli/command.h"

#include "base/embed.h"
#include "base/locale.h"

#include <stdio.h>

extern const struct embedded_file manual_files[];

/* Text for roff: what it would take for its own is escaped. */
static void put(const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' || *text == '-')
            putchar('\\');
        putchar(*text == '\\' ? 'e' : *text);
    }
}

static void put_paragraphs(const char *text)
{
    for (; *text; text++) {
        if (text[0] == '\n' && text[1] == '\n') {
            fputs("\n.PP\n", stdout);
            text++;
        } else {
            put((char[]){*text, '\0'});
        }
    }
    putchar('\n');
}

static void put_option(const struct option *o)
{
    fputs(".TP\n", stdout);
    if (o->letter)
        printf("\\fB\\-%c\\fR, ", o->letter);
    fputs("\\fB", stdout);
    put("--");
    put(o->name);
    printf("\\fR%s\\fI%s\\fR\n", o->value ? " " : "", o->value ? o->value : "");
    put(o->what);
    for (size_t i = 0; o->choice && o->choice(i); i++) {
        fputs(i ? ", " : ": ", stdout);
        put(o->choice(i));
    }
    putchar('\n');
}

static void put_command(const struct command *command)
{
    printf(".SS \"hikeshi %s%s%s\"\n", command->name, command->operands ? " " : "",
           command->operands ? command->operands : "");
    put_paragraphs(command->about ? command->about : command->what);
    for (const struct option *o = command->options; o && o->name; o++) {
        if (o->group)
            printf(".PP\n%s:\n", o->group);
        put_option(o);
    }
    for (const struct example *e = command->examples; e && e->line; e++) {
        if (e == command->examples)
            fputs(".PP\nExamples:\n", stdout);
        fputs(".TP\n\\fB", stdout);
        put(e->line);
        fputs("\\fR\n", stdout);
        put(e->what);
        putchar('\n');
    }
}

static void put_common_options(void)
{
    for (const struct option *o = common_options; o->name; o++)
        put_option(o);
}

static void put_exit_statuses(void)
{
    for (const struct exit_status_text *s = exit_status_texts; s->what; s++) {
        printf(".TP\n\\fB%d\\fR\n", s->status);
        put(s->what);
        putchar('\n');
    }
}

static int run(const struct command *self, void *values, const struct text_list *operands)
{
    (void)self;
    (void)values;
    (void)operands;
    struct slice page = manual_files[0].bytes;
    while (page.n) {
        ptrdiff_t at = slice_find(page, SLICE("@"));
        size_t before = at < 0 ? page.n : (size_t)at;
        fwrite(page.p, 1, before, stdout);
        page = slice_sub(page, before, SIZE_MAX);
        if (slice_starts(page, SLICE("@VERSION@"))) {
            fputs(HIKESHI_VERSION, stdout);
            page = slice_sub(page, strlen("@VERSION@"), SIZE_MAX);
        } else if (slice_starts(page, SLICE("@COMMANDS@\n"))) {
            for (const struct command *const *c = commands; *c; c++)
                if (!(*c)->hidden)
                    put_command(*c);
            page = slice_sub(page, strlen("@COMMANDS@\n"), SIZE_MAX);
        } else if (slice_starts(page, SLICE("@COMMON_OPTIONS@\n"))) {
            put_common_options();
            page = slice_sub(page, strlen("@COMMON_OPTIONS@\n"), SIZE_MAX);
        } else if (slice_starts(page, SLICE("@EXIT_STATUSES@\n"))) {
            put_exit_statuses();
            page = slice_sub(page, strlen("@EXIT_STATUSES@\n"), SIZE_MAX);
        } else if (page.n) {
            putchar('@');
            page = slice_sub(page, 1, SIZE_MAX);
        }
    }
    return EXIT_STATUS_CLEAN;
}

static const struct example examples[] = {
    {"hikeshi manual | man -l -", N_("read it")},
    {"hikeshi manual >/usr/local/share/man/man1/hikeshi.1", N_("install it")},
    {NULL, NULL},
};

extern const struct command manual_command;
const struct command manual_command = {
    .name = "manual",
    .what = N_("print the manual, in the form that man reads"),
    .examples = examples,
    .run = run,
};
