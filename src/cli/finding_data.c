#include "cli/finding_data.h"

#include "cli/detection.h"
#include "cli/outfile.h"

enum status finding_open(struct finding_data *d, const struct data_values *data, struct error *err)
{
    d->store = data_folder_open(data, STORE_READ, err);
    d->casebook = d->store ? casebook_open(d->store->path, err) : NULL;
    return d->casebook ? detection_confine(d->store->path, NULL, err) : err->status;
}

enum status finding_put(struct finding_data *d, struct error *err)
{
    bool whole = buf_write(&d->line, stdout);
    buf_clear(&d->line);
    return whole ? OK : error_system(err, _("standard output"), "can't be written");
}

int finding_close(struct finding_data *d, enum status status, struct error *err)
{
    struct error unwritten;
    enum status put = finding_put(d, &unwritten);
    if (put == OK && fflush(stdout) != 0)
        put = error_system(&unwritten, _("standard output"), "can't be written");
    if (status == OK && put != OK) {
        *err = unwritten;
        status = put;
    }
    if (status != OK && (put == OK || !reader_gone()))
        error_print(err, stderr);
    buf_free(&d->line);
    arena_free(&d->arena);
    casebook_close(d->casebook);
    store_close(d->store);
    return data_folder_exit(status);
}
