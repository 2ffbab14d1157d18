/*
 * Detection for commands that work on a data folder: rules, the detector and the casebook together.
 *
 *     detection_open(&d, &rules, &paths, folder, threads, &err);   before confine()
 *     detection_catch_up(&d, store, stop, &err);      what a crash left without findings
 *     ... detector_block() or retro_run() ..., detector_end(d.detector)
 *     detection_take(&d, entries, NULL, NULL, &err);
 *     detection_close(&d);
 */
#ifndef CLI_DETECTION_H
#define CLI_DETECTION_H

#include "casebook/take.h"
#include "cli/rule_options.h"
#include "detect/retro.h"

/* What --rules says where it may be left out. */
#define RULES_OF_FOLDER                                                                            \
    N_("Sigma rules: a folder, or a file; may be given again (DATA/rules, when it is there)")

struct detection {
    struct ruleset *rules;
    struct mappings *mappings;
    struct casebook *casebook;
    struct detector *detector;
    unsigned threads;
    struct casebook_counts counts; /* of all rounds */
};

/* The rules of these paths, or of DATA/rules when there are none and that is there; else STATUS_BAD_USE
 * when `needed`, and d->rules stays NULL when not. After a failure detection_close is still due. */
enum status detection_open(struct detection *d, const struct rule_values *values,
                           const struct text_list *paths, const char *folder, unsigned threads,
                           bool needed, bool quiet, struct error *err);
void detection_close(struct detection *d);

/* Confines the process to the data folder, and to `other` (may be NULL) for what it writes. */
enum status detection_confine(const char *folder, const char *other, struct error *err);

/* Takes what the detector found into the casebook and empties it. `settled` and `tell` are those of
 * struct casebook_take. */
enum status detection_take(struct detection *d, uint64_t settled,
                           enum status (*tell)(void *ctx, const struct casebook_told *told,
                                               struct error *err),
                           void *ctx, struct error *err);

/* Looks for findings in segments that an intake left without, when it broke off between the events and
 * their findings. */
enum status detection_catch_up(struct detection *d, struct store *s,
                               const volatile sig_atomic_t *stop, bool quiet, struct error *err);

/* "findings: 3 new (1 suppressed), ..." in the user's language, or as members of a JSON object. */
void detection_tell(const struct detection *d, FILE *out);
void detection_json(const struct detection *d, struct buf *out);

#endif
