/* hikeshi store checkpoint: what to keep elsewhere, so that nobody can turn the folder back. */
#include "cli/data_folder.h"
#include "cli/outfile.h"

#include "base/buf.h"

#include <inttypes.h>

struct checkpoint_values {
    struct data_values data;
    const char *output;
    bool json;
};

static const struct option options[] = {
    DATA_OPTIONS(struct checkpoint_values),
    {'o', "output", OPTION_TEXT, "FILE", N_("write there; the file appears when it is whole"),
     .at = offsetof(struct checkpoint_values, output)},
    {0, "json", OPTION_FLAG, NULL, N_("one JSON object, with the verifier key"),
     .at = offsetof(struct checkpoint_values, json)},
    {0},
};

static const struct example examples[] = {
    {"hikeshi store checkpoint | mail -s \"checkpoint of today\" auditor@example.jp",
     N_("to somebody who keeps it")},
    {"hikeshi store checkpoint --json | jq -r .key", N_("the verifier key alone")},
    {NULL, NULL},
};

static void put(const struct store *s, bool json, FILE *out)
{
    const struct journal_mark *last = &s->journal.marks.at[s->journal.marks.n - 1];
    if (!json) {
        fwrite(last->note.p, 1, last->note.n, out);
        return;
    }
    char key[SEAL_KEY_TEXT];
    struct buf b = {0};
    seal_verifier(s->key, key);
    buf_add(&b, SLICE("{\"key\":"));
    buf_json(&b, slice_str(key));
    buf_printf(&b, ",\"entries\":%" PRIu64 ",\"checkpoint\":", last->size);
    buf_json(&b, last->note);
    buf_add(&b, SLICE("}\n"));
    buf_write(&b, out);
    buf_free(&b);
}

static int run(const struct command *self, void *values, const struct text_list *operands)
{
    (void)self;
    (void)operands;
    const struct checkpoint_values *v = values;
    struct error err = {0};
    struct outfile out = {0};
    struct store *s = NULL;
    enum status status = outfile_open(&out, v->output, &err);
    if (status == OK && !(s = data_folder_read(&v->data, STORE_JOURNAL, out.folder, &err)))
        status = err.status;
    if (s)
        status = data_folder_not_written(s->path, v->output, &err);
    if (s && status == OK) {
        put(s, v->json, out.file);
        status = outfile_commit(&out, &err);
    } else if (out.file) {
        outfile_abandon(&out);
    }
    if (status != OK)
        error_print(&err, stderr);
    store_close(s);
    return data_folder_exit(status);
}

extern const struct command store_checkpoint_command;
const struct command store_checkpoint_command = {
    .name = "store checkpoint",
    .what = N_("print the last checkpoint, to keep elsewhere"),
    .about = N_("The checkpoint is five lines of text, signed with the folder's key. Whoever keeps "
                "it, on paper or in another house, can show later that nothing that it covers was "
                "altered: hikeshi verify --against FILE, hikeshi prove --since FILE."),
    .options = options,
    .examples = examples,
    .values_size = sizeof(struct checkpoint_values),
    .run = run,
};
