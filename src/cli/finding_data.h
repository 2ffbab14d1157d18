/*
 * What the finding commands work on: a data folder and its casebook.
 *
 *     struct finding_data d = {0};
 *     status = finding_open(&d, &values->data, &err);          confined when it returns OK
 *     ... buf_add(&d.line, ...) ...
 *     return finding_close(&d, status, &err);
 */
#ifndef CLI_FINDING_DATA_H
#define CLI_FINDING_DATA_H

#include "base/buf.h"
#include "casebook/casebook.h"
#include "cli/data_folder.h"

struct finding_data {
    struct store *store;
    struct casebook *casebook;
    struct arena arena;
    struct buf line; /* what is still to be printed */
};

enum status finding_open(struct finding_data *d, const struct data_values *data, struct error *err);

/* Prints and empties d->line. */
enum status finding_put(struct finding_data *d, struct error *err);

/* Prints the rest, tells a failure, and frees everything, also after a failed finding_open. Returns
 * the exit status. */
int finding_close(struct finding_data *d, enum status status, struct error *err);

#endif
