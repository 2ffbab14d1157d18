/*
 * hikeshi prove: proofs for others, who do not have the data folder.
 */
#include "cli/data_folder.h"
#include "cli/outfile.h"
#include "cli/small_file.h"

#include "base/confine.h"
#include "base/locale.h"
#include "report/term.h"
#include "store/original.h"
#include "store/prove.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

struct prove_values {
    struct data_values data;
    const char *since, *output;
    bool json;
};

static const struct option options[] = {
    DATA_OPTIONS(struct prove_values),
    {0, "since", OPTION_TEXT, "CHECKPOINT",
     N_("that the folder still holds all that this checkpoint covers: a file with it, or the "
        "number "
        "of its entries"),
     .at = offsetof(struct prove_values, since), .group = N_("What is proved")},
    {'o', "output", OPTION_TEXT, "FILE", N_("write there; the file appears when it is whole"),
     .at = offsetof(struct prove_values, output), .group = N_("Where to")},
    {0, "json", OPTION_FLAG, NULL, N_("one JSON object, with the entry that is proved"),
     .at = offsetof(struct prove_values, json)},
    {0},
};

static const struct example examples[] = {
    {"hikeshi prove Security.evtx -o Security.proof", N_("this file was taken in, as it is now")},
    {"hikeshi prove Security.evtx#4711 -o event.proof",
     N_("the segment that holds record 4711 is sealed")},
    {"hikeshi prove 12", N_("entry 12 of the journal")},
    {"hikeshi prove --since yesterday.checkpoint",
     N_("nothing of what was there yesterday is gone or changed")},
    {NULL, NULL},
};

struct run {
    const struct prove_values *v;
    const char *what; /* NULL: a consistency proof */
    char *path;
    struct store *s;
    struct outfile out;
    struct buf since;
    struct buf proof;
    uint64_t entry;
};

static bool is_number(const char *text, uint64_t *n)
{
    char *end;
    *n = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && *n < UINT64_MAX;
}

/* ---- what is proved ---- */

/* The file that is called so in the journal, or that has the content of the file of that path. */
static const struct store_file *find_file(const struct run *r, struct slice called, size_t *input,
                                          struct error *err)
{
    char path[PATH_BYTES];
    struct hash hash;
    uint64_t bytes;
    const struct store_file *found = NULL;
    snprintf(path, sizeof path, "%.*s", SLICE_ARG(called));
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *input = SIZE_MAX;
    if (fd < 0)
        return store_find_file(r->s, called, input);
    if (file_hash(fd, path, &hash, &bytes, err) == OK)
        found = store_file(r->s, &hash);
    close(fd);
    return found ? found : store_find_file(r->s, called, input);
}

static enum status prove_event(struct run *r, struct slice called, uint64_t record,
                               struct error *err)
{
    size_t only;
    const struct store_file *file = find_file(r, called, &only, err);
    if (!file)
        return error_set(err, STATUS_BAD_USE, r->what, ERROR_NO_OFFSET,
                         "no such file was taken into this data folder");
    for (size_t i = 0; i < file->inputs_n; i++) {
        if (only != SIZE_MAX && i != only)
            continue;
        ptrdiff_t segment =
            store_find_event(r->s, (struct origin){file->inputs[i].number, record}, err);
        if (segment >= 0) {
            r->entry = r->s->segments[segment].entry;
            fprintf(stderr, _("hikeshi: the event is in segments/%.*s, which entry %zu seals\n"),
                    SLICE_ARG(r->s->segments[segment].name), (size_t)r->entry);
            return OK;
        }
        if (err->status != STATUS_BAD_USE)
            return err->status;
    }
    uint64_t known = 0;
    for (size_t i = 0; i < file->inputs_n; i++)
        known += file->inputs[i].known;
    if (known)
        return error_set(err, STATUS_BAD_USE, r->what, ERROR_NO_OFFSET,
                         "no segment holds that record of this file; %zu of its records were there "
                         "already, from other files",
                         (size_t)known);
    return error_set(err, STATUS_BAD_USE, r->what, ERROR_NO_OFFSET,
                     "no segment holds that record of this file; a record has the number that "
                     "hikeshi events shows");
}

static enum status find_entry(struct run *r, struct error *err)
{
    uint64_t n;
    size_t input;
    const char *mark = strrchr(r->what, '#');
    if (is_number(r->what, &n) && strlen(r->what) < 20) {
        if (n >= r->s->journal.entries.n)
            return error_set(err, STATUS_BAD_USE, r->what, ERROR_NO_OFFSET,
                             "the journal has no such entry; its last is %zu",
                             r->s->journal.entries.n - 1);
        r->entry = n;
        return OK;
    }
    *err = (struct error){0};
    const struct store_file *file = find_file(r, slice_str(r->what), &input, err);
    if (file) {
        r->entry = file->entry;
        return OK;
    }
    if (err->status != OK)
        return err->status;
    if (mark && is_number(mark + 1, &n))
        return prove_event(r, slice_of(r->what, (size_t)(mark - r->what)), n, err);
    return error_set(err, STATUS_BAD_USE, r->what, ERROR_NO_OFFSET,
                     "no such file was taken into this data folder; give a path, a SHA-256, an "
                     "entry's number, or FILE#RECORD");
}

/* The size of the tree of --since, which must be a beginning of this one. */
static enum status find_since(struct run *r, uint64_t *size, struct error *err)
{
    const struct merkle *tree = &r->s->journal.tree;
    struct checkpoint c;
    struct hash root = {0};
    if (is_number(r->v->since, size)) {
        if (*size == 0 || *size > tree->n)
            return error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET,
                             "--since %s: the journal has %zu entries", r->v->since,
                             (size_t)tree->n);
        return OK;
    }
    if (!checkpoint_verify(r->s->key, buf_slice(&r->since), &c) || c.size == 0)
        return error_set(err, STATUS_BAD_USE, r->v->since, ERROR_NO_OFFSET,
                         "this is no checkpoint that this data folder's key signed");
    if (c.size <= tree->n)
        merkle_root_at(tree, c.size, &root);
    if (c.size > tree->n || memcmp(&root, &c.root, sizeof root) != 0)
        return error_set(err, STATUS_BAD_INPUT, r->v->since, ERROR_NO_OFFSET,
                         "the journal does not continue this checkpoint (%zu entries): entries "
                         "were altered or taken out",
                         (size_t)c.size);
    *size = c.size;
    return OK;
}

/* ---- the run ---- */

static void put_json(const struct run *r, FILE *out)
{
    struct buf b = {0};
    buf_char(&b, '{');
    if (r->what) {
        buf_printf(&b, "\"index\":%" PRIu64 ",\"entry\":", r->entry);
        buf_add(&b, r->s->journal.entries.at[r->entry]);
        buf_char(&b, ',');
    }
    buf_add(&b, SLICE("\"proof\":"));
    buf_json(&b, buf_slice(&r->proof));
    buf_add(&b, SLICE("}\n"));
    buf_write(&b, out);
    buf_free(&b);
}

static enum status prove(struct run *r, struct error *err)
{
    uint64_t size = 0;
    bool event = r->what && strrchr(r->what, '#');
    r->s = store_open(&store_io_system, r->path, event ? STORE_READ : STORE_JOURNAL, NULL, err);
    if (!r->s)
        return err->status;
    enum status status = r->what ? find_entry(r, err) : find_since(r, &size, err);
    if (status != OK)
        return status;
    if (r->what)
        store_prove(r->s, r->entry, &r->proof);
    else
        store_prove_consistency(r->s, size, &r->proof);
    if (r->v->json)
        put_json(r, r->out.file);
    else
        buf_write(&r->proof, r->out.file);
    return outfile_commit(&r->out, err);
}

/* The data folder, and the file of which a proof is asked, as far as it is there. */
static enum status confine_run(struct run *r, struct error *err)
{
    char file[PATH_BYTES] = "";
    const char *paths[] = {r->path, file};
    struct confine_report report;
    if (r->what)
        snprintf(file, sizeof file, "%s", r->what);
    if (*file && access(file, F_OK) != 0 && strrchr(file, '#'))
        *strrchr(file, '#') = '\0';
    struct confine_needs needs = {.read = paths,
                                  .read_n = *file && access(file, F_OK) == 0 ? 2 : 1,
                                  .write = (const char *const *)&r->out.folder,
                                  .write_n = r->out.folder ? 1 : 0};
    enum status status = confine(&needs, &report, err);
    if (status == OK && report.landlock == 0)
        fprintf(stderr, "hikeshi: %s\n", report.warning);
    return status;
}

static enum status prepare(struct run *r, const struct text_list *operands, struct error *err)
{
    uint64_t n;
    r->what = operands->n ? operands->at[0] : NULL;
    if (!r->what == !r->v->since)
        return error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET,
                         "name one thing to prove: a file, FILE#RECORD, an entry's number, or "
                         "--since CHECKPOINT");
    r->path = store_find(r->v->data.folder, err);
    if (!r->path)
        return err->status;
    enum status status = OK;
    if (r->v->since && !is_number(r->v->since, &n))
        status = small_file_read(r->v->since, &r->since, err);
    if (status == OK)
        status = data_folder_not_written(r->path, r->v->output, err);
    if (status == OK)
        status = outfile_open(&r->out, r->v->output, err);
    return status == OK ? confine_run(r, err) : status;
}

static int run(const struct command *self, void *values, const struct text_list *operands)
{
    (void)self;
    struct run r = {.v = values};
    struct error err = {0};
    enum status status = prepare(&r, operands, &err);
    if (status == OK)
        status = prove(&r, &err);
    if (status != OK)
        error_print(&err, stderr);
    if (r.out.file)
        outfile_abandon(&r.out);
    store_close(r.s);
    buf_free(&r.proof);
    buf_free(&r.since);
    free(r.path);
    return status == OK                 ? EXIT_STATUS_CLEAN
           : status == STATUS_BAD_USE   ? EXIT_STATUS_BAD_USE
           : status == STATUS_BAD_INPUT ? EXIT_STATUS_FINDINGS
                                        : EXIT_STATUS_FAILED;
}

extern const struct command prove_command;
const struct command prove_command = {
    .name = "prove",
    .what = N_("write a proof, for others, that something is in a data folder"),
    .operands = "[WHAT]",
    .operands_least = 0,
    .operands_most = 1,
    .about =
        N_("WHAT is a file that was taken in (by its path, its SHA-256, or the name under which it "
           "was taken in), an event (FILE#RECORD), or the number of an entry of the journal. The "
           "proof shows that its entry is under the last checkpoint; of an event it is the entry "
           "of the segment that holds it. With --since it shows that the last checkpoint covers "
           "all that an earlier one does, unchanged.\n\n"
           "Who has the verifier key can check it without hikeshi, with openssl and a few lines "
           "of shell: docs/seals.md tells how.\n\n"
           "The exit status is 1 when the data folder contradicts what is to be proved."),
    .options = options,
    .examples = examples,
    .values_size = sizeof(struct prove_values),
    .run = run,
};
