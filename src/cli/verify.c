/*
 * hikeshi verify: whether a data folder is what it was.
 */
#include "cli/data_folder.h"
#include "cli/outfile.h"
#include "cli/progress.h"
#include "cli/small_file.h"
#include "cli/stop.h"

#include "base/confine.h"
#include "base/locale.h"
#include "report/term.h"
#include "store/verify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

struct verify_values {
    struct data_values data;
    const char *key, *against, *tsa_ca;
    bool json, quiet;
    unsigned progress, threads;
};

static const struct option options[] = {
    DATA_OPTIONS(struct verify_values),
    {0, "key", OPTION_TEXT, "KEY",
     N_("the verifier key, or a file with it, that was kept elsewhere: the folder's must be that"),
     .at = offsetof(struct verify_values, key), .group = N_("What is checked")},
    {0, "against", OPTION_TEXT, "FILE",
     N_("a checkpoint that was kept elsewhere: the folder must still hold all that it covers"),
     .at = offsetof(struct verify_values, against)},
    {0, "tsa-ca", OPTION_TEXT, "FILE",
     N_("certificates (PEM) of the timestamp authorities that you trust: timestamps' signatures "
        "are "
        "checked"),
     .at = offsetof(struct verify_values, tsa_ca)},
    {0, "json", OPTION_FLAG, NULL, N_("one JSON object"),
     .at = offsetof(struct verify_values, json), .group = N_("What is told")},
    {0, "threads", OPTION_NUMBER, "N", N_("work with N threads (one a processor)"),
     .at = offsetof(struct verify_values, threads), .group = N_("How")},
    {0, "progress", OPTION_SET, NULL, N_("show how far it is, also when stderr is no terminal"),
     .at = offsetof(struct verify_values, progress), .set = PROGRESS_ALWAYS},
    {0, "no-progress", OPTION_SET, NULL, N_("do not show how far it is"),
     .at = offsetof(struct verify_values, progress), .set = PROGRESS_NEVER},
    {'q', "quiet", OPTION_FLAG, NULL, N_("say nothing but what is wrong"),
     .at = offsetof(struct verify_values, quiet)},
    {0},
};

static const struct example examples[] = {
    {"hikeshi verify --data case7", N_("is all of it as it was taken in?")},
    {"hikeshi store checkpoint --data case7 >case7.checkpoint",
     N_("keep a checkpoint elsewhere, in other hands")},
    {"hikeshi verify --data case7 --against case7.checkpoint",
     N_("then nobody can take back what it covers")},
    {NULL, NULL},
};

struct run {
    const struct verify_values *v;
    struct progress progress;
    struct buf wrong, notes; /* elements of JSON lists */
};

static void put_json(struct buf *b, const struct error *what)
{
    buf_add(b, b->n ? SLICE(",{\"where\":") : SLICE("{\"where\":"));
    buf_json(b, slice_str(what->where));
    if (what->offset != ERROR_NO_OFFSET)
        buf_printf(b, ",\"offset\":%" PRIu64, what->offset);
    buf_add(b, SLICE(",\"what\":"));
    buf_json(b, slice_str(what->what));
    buf_char(b, '}');
}

static void say(void *ctx, const struct error *what)
{
    struct run *r = ctx;
    bool note = what->status == OK;
    if (r->v->json) {
        put_json(note ? &r->notes : &r->wrong, what);
        return;
    }
    if (note && r->v->quiet)
        return;
    struct buf where = {0}, text = {0}; /* names of files may be anything */
    term_clean(&where, slice_str(what->where));
    term_clean(&text, slice_str(what->what));
    progress_hide(&r->progress);
    printf("%s: %.*s", note ? _("note") : _("wrong"), SLICE_ARG(buf_slice(&where)));
    if (what->offset != ERROR_NO_OFFSET)
        printf(":%" PRIu64, what->offset);
    printf(": %.*s\n", SLICE_ARG(buf_slice(&text)));
    buf_free(&where);
    buf_free(&text);
    fflush(stdout);
}

static void show_progress(void *ctx, uint64_t done, uint64_t total)
{
    struct run *r = ctx;
    progress_show(&r->progress,
                  &(struct intake_progress){.bytes_done = done, .bytes_total = total});
}

/* The key as text: the option's value is the key itself, or a file that holds it. */
static enum status read_key(const char *given, struct buf *key, struct error *err)
{
    struct seal_key *k = seal_from_verifier(slice_trim(slice_str(given)));
    if (k) {
        seal_key_free(k);
        buf_add(key, slice_str(given));
        return OK;
    }
    enum status status = small_file_read(given, key, err);
    if (status != OK)
        return status;
    k = seal_from_verifier(slice_trim(buf_slice(key)));
    if (!k)
        return error_set(err, STATUS_BAD_USE, given, ERROR_NO_OFFSET, "this is no verifier key");
    seal_key_free(k);
    return OK;
}

static void tell_json(struct run *r, const char *path, const struct verify_counts *c)
{
    struct buf b = {0};
    buf_add(&b, SLICE("{\"folder\":"));
    buf_json(&b, slice_str(path));
    buf_printf(&b,
               ",\"entries\":%" PRIu64 ",\"checkpoints\":%" PRIu64 ",\"segments\":%" PRIu64
               ",\"events\":%" PRIu64 ",\"originals\":%" PRIu64 ",\"bytes\":%" PRIu64,
               c->entries, c->checkpoints, c->segments, c->events, c->originals, c->bytes);
    buf_add(&b, SLICE(",\"checkpoint\":"));
    buf_json(&b, c->last);
    buf_add(&b, SLICE(",\"wrong\":["));
    buf_add(&b, buf_slice(&r->wrong));
    buf_add(&b, SLICE("],\"notes\":["));
    buf_add(&b, buf_slice(&r->notes));
    buf_add(&b, SLICE("]}\n"));
    buf_write(&b, stdout);
    buf_free(&b);
}

static void tell_text(const struct verify_counts *c)
{
    char bytes[BYTES_TEXT];
    if (c->wrong)
        printf(locale_plural("%zu thing is wrong\n", "%zu things are wrong\n", c->wrong),
               (size_t)c->wrong);
    else
        puts(_("everything is as it was sealed"));
    bytes_text((double)c->bytes, bytes);
    printf(_("checked: %zu entries under %zu checkpoints, %zu segments with %zu events, %zu "
             "originals; %s\n"),
           (size_t)c->entries, (size_t)c->checkpoints, (size_t)c->segments, (size_t)c->events,
           (size_t)c->originals, bytes);
}

static int check(struct run *r, const char *path, const struct verify_options *what,
                 struct error *err)
{
    struct arena a = {0};
    struct verify_counts counts;
    progress_begin(&r->progress, stderr, (enum progress_wish)r->v->progress);
    enum status status = store_verify(&store_io_system, path, what, say, r, &a, &counts, err);
    progress_end(&r->progress);
    if (status == OK && r->v->json)
        tell_json(r, path, &counts);
    else if (status == OK && !r->v->quiet)
        tell_text(&counts);
    arena_free(&a);
    if (status == STATUS_INTERRUPTED)
        return EXIT_STATUS_INTERRUPTED;
    if (status != OK) {
        error_print(err, stderr);
        return status == STATUS_BAD_USE ? EXIT_STATUS_BAD_USE : EXIT_STATUS_FAILED;
    }
    return counts.wrong ? EXIT_STATUS_FINDINGS : EXIT_STATUS_CLEAN;
}

static int run(const struct command *self, void *values, const struct text_list *operands)
{
    (void)self;
    (void)operands;
    struct run r = {.v = values};
    struct buf key = {0}, against = {0}, tsa_ca = {0};
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct verify_options what = {.threads = r.v->threads     ? r.v->threads
                                             : processors > 0 ? (unsigned)processors
                                                              : 1,
                                  .stop = stop_on_signals(),
                                  .progress = show_progress};
    struct confine_report report;
    struct error err = {0};
    int result = EXIT_STATUS_BAD_USE;
    char *path = store_find(r.v->data.folder, &err);
    enum status status = path ? OK : err.status;
    if (status == OK && r.v->key)
        status = read_key(r.v->key, &key, &err);
    if (status == OK && r.v->against)
        status = small_file_read(r.v->against, &against, &err);
    if (status == OK && r.v->tsa_ca)
        status = small_file_read(r.v->tsa_ca, &tsa_ca, &err);
    what.tsa_ca = buf_slice(&tsa_ca);
    what.key = buf_slice(&key);
    what.against = buf_slice(&against);
    if (status == OK)
        status = confine(&(struct confine_needs){.read = (const char *const *)&path, .read_n = 1},
                         &report, &err);
    if (status == OK && report.landlock == 0)
        fprintf(stderr, "hikeshi: %s\n", report.warning);
    if (status == OK) {
        result = check(&r, path, &what, &err);
    } else {
        error_print(&err, stderr);
        result = status == STATUS_SYSTEM ? EXIT_STATUS_FAILED : EXIT_STATUS_BAD_USE;
    }
    buf_free(&key);
    buf_free(&against);
    buf_free(&tsa_ca);
    buf_free(&r.wrong);
    buf_free(&r.notes);
    free(path);
    return result;
}

extern const struct command verify_command;
const struct command verify_command = {
    .name = "verify",
    .what = N_("prove that nothing in a data folder was altered or taken out"),
    .about =
        N_("Checks every entry of the journal against the tree and the signatures of its "
           "checkpoints, every segment and every original against its entry, the keys, and whether "
           "there is a file that no entry names; and says what is wrong, where.\n\n"
           "A folder that was put back as a whole to what it was before can't be told by itself: "
           "keep a checkpoint elsewhere (hikeshi store checkpoint) and give it with --against. "
           "What is checked, and how others can without hikeshi, stands in docs/seals.md.\n\n"
           "The exit status is 0 when everything is as it was sealed, and 1 when something is "
           "wrong."),
    .options = options,
    .examples = examples,
    .values_size = sizeof(struct verify_values),
    .run = run,
};
