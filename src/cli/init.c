/* hikeshi init: makes a data folder. */
#include "cli/data_folder.h"

#include "base/buf.h"

#include <string.h>

struct init_values {
    const char *passphrase_file;
    bool passphrase, json;
};

#define AT(member) .at = offsetof(struct init_values, member)

static const struct option options[] = {
    {0, "passphrase", OPTION_FLAG, NULL,
     N_("protect the key with a passphrase, which is asked for at the terminal"), AT(passphrase)},
    {0, "passphrase-file", OPTION_TEXT, "FILE",
     N_("protect the key with a passphrase: the first line of a file"), AT(passphrase_file)},
    {0, "json", OPTION_FLAG, NULL, N_("tell it as JSON"), AT(json)},
    {0},
};

static const struct example examples[] = {
    {"hikeshi init /srv/evidence", N_("a data folder; then hikeshi intake takes logs into it")},
    {"hikeshi init --passphrase case-17", N_("nobody seals without the passphrase")},
    {NULL, NULL},
};

/* What the user should keep elsewhere: the key by which others check the seals. */
static void tell(const struct store *s, bool json)
{
    char verifier[SEAL_KEY_TEXT];
    seal_verifier(s->key, verifier);
    if (json) {
        struct buf line = {0};
        buf_add(&line, SLICE("{\"folder\":"));
        buf_json(&line, slice_str(s->path));
        buf_add(&line, SLICE(",\"key\":"));
        buf_json(&line, slice_str(verifier));
        printf("%.*s}\n", SLICE_ARG(buf_slice(&line)));
        buf_free(&line);
        return;
    }
    printf(_("%s is a data folder now.\n"), s->path);
    printf(_("Its seals are checked with this key; keep a copy elsewhere:\n%s\n"), verifier);
}

static int run(const struct command *self, void *values, const struct text_list *operands)
{
    (void)self;
    const struct init_values *v = values;
    char passphrase[PASSPHRASE_BYTES];
    bool secret = v->passphrase || v->passphrase_file;
    struct error err = {0};
    enum status status = OK;
    if (secret)
        status = passphrase_read(v->passphrase_file, true, passphrase, &err);
    if (status == OK)
        status = store_init(&store_io_system, operands->at[0], secret ? passphrase : NULL,
                            timestamp_now(), &err);
    explicit_bzero(passphrase, sizeof passphrase);
    struct store *s =
        status == OK ? store_open(&store_io_system, operands->at[0], STORE_READ, NULL, &err) : NULL;
    if (s)
        tell(s, v->json);
    else
        error_print(&err, stderr);
    store_close(s);
    return s ? EXIT_STATUS_CLEAN : data_folder_exit(err.status);
}

extern const struct command init_command;
const struct command init_command = {
    .name = "init",
    .what = N_("make a data folder, which keeps logs as evidence"),
    .operands = "DIR",
    .operands_least = 1,
    .operands_most = 1,
    .about =
        N_("Makes a data folder: an empty evidence store and the key that seals it. DIR is made "
           "when it is not there."),
    .options = options,
    .examples = examples,
    .values_size = sizeof(struct init_values),
    .run = run,
};
