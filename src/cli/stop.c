#include "cli/stop.h"

#include <stddef.h>

/* A signal handler can reach nothing but what is global. */
static volatile sig_atomic_t wishes;

static void count(int signal)
{
    (void)signal;
    if (wishes < 2)
        wishes = wishes + 1;
}

const volatile sig_atomic_t *stop_on_signals(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = count, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction old;
        /* `nohup` and shells' background jobs have them ignored, which stays */
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
    }
    return &wishes;
}
