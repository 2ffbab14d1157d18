/*
 * The user's wish to stop (Ctrl-C, SIGTERM, SIGHUP): a command that can take long asks for it.
 */
#ifndef CLI_STOP_H
#define CLI_STOP_H

#include <signal.h>

/* From now on these signals only count up what is returned. The work asks it and ends soon; when
 * it is above 1, also what was found is not wanted any more. */
const volatile sig_atomic_t *stop_on_signals(void);

#endif
