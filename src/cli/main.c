#include "cli/help.h"
#include "cli/options.h"
#include "cli/outfile.h"

#include "base/arena.h"
#include "base/locale.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* Standard descriptors that came closed are taken, so that no other file gets their number. Reading
 * the input and writing the output must still fail: each is opened for the other. */
static void take_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY) != fd)
            abort();
}

/* The command that the line names, by two words or one; *words tells how many. */
static const struct command *find(int argc, char **argv, int *words)
{
    if (argc > 1) {
        char both[128];
        snprintf(both, sizeof both, "%s %s", argv[0], argv[1]);
        const struct command *command = command_find(both);
        if (command) {
            *words = 2;
            return command;
        }
    }
    *words = 1;
    return command_find(argv[0]);
}

/* A word that is no command, but may be the first of some ("rules"). */
static int no_command(int argc, char **argv)
{
    bool asks = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    if (help_group(argv[0], asks ? stdout : stderr))
        return asks ? EXIT_STATUS_CLEAN : EXIT_STATUS_BAD_USE;
    help_no_command(argv[0]);
    return EXIT_STATUS_BAD_USE;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct error err = {0};
    struct text_list operands = {0};
    void *values = xcalloc(1, command->values_size + 1);
    bool help;
    int result;
    if (options_parse(command, argc, argv, timestamp_now(), values, &operands, &help, &err) != OK) {
        fprintf(stderr, _("hikeshi %s: %s (see hikeshi %s --help)\n"), command->name, err.what,
                command->name);
        result = EXIT_STATUS_BAD_USE;
    } else if (help) {
        help_command_print(command, stdout);
        result = EXIT_STATUS_CLEAN;
    } else {
        result = command->run(command, values, &operands);
    }
    options_free(command, values);
    free(values);
    free(operands.at);
    return result;
}

/* What was written must have arrived; but a reader that went away (`| head`) has what it wanted. */
static int close_output(int result)
{
    errno = EIO; /* of what was lost before, the reason is not known any more */
    bool lost = fflush(stdout) != 0 || ferror(stdout);
    if (!lost || result == EXIT_STATUS_FAILED) /* which has been told */
        return result;
    int why = errno;
    if (why == EPIPE || reader_gone())
        return result;
    fprintf(stderr, _("hikeshi: can't write the output: %s\n"), error_reason(why));
    return result > EXIT_STATUS_FAILED ? result : EXIT_STATUS_FAILED;
}

int main(int argc, char **argv)
{
    take_descriptors();
    /* A write says so; half an output file is not left behind. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    locale_choose(NULL);
    if (argc < 2) {
        help_program(stderr);
        return EXIT_STATUS_BAD_USE;
    }
    int result, words;
    const struct command *command = find(argc - 1, argv + 1, &words);
    if (strcmp(argv[1], "--version") == 0) {
        printf("hikeshi %s\n", HIKESHI_VERSION);
        result = EXIT_STATUS_CLEAN;
    } else if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        help_program(stdout);
        result = EXIT_STATUS_CLEAN;
    } else if (!command) {
        result = no_command(argc - 1, argv + 1);
    } else {
        result = run(command, argc - 1 - words, argv + 1 + words);
    }
    return close_output(result);
}
