/* hikeshi store timestamp: lets an authority say that the last checkpoint is there now. */
#include "cli/data_folder.h"
#include "cli/http.h"

#include "base/confine.h"
#include "store/stamp.h"

#include <stdlib.h>
#include <time.h>

struct timestamp_values {
    struct data_values data;
    const char *url;
};

static const struct option options[] = {
    DATA_WRITE_OPTIONS(struct timestamp_values),
    {0, "url", OPTION_TEXT, "URL",
     N_("the timestamp authority (http or https; else that of the last timestamp)"),
     .at = offsetof(struct timestamp_values, url), .group = N_("Whom to ask")},
    {0},
};

static const struct example examples[] = {
    {"hikeshi store timestamp --url https://tsa.example.jp/tsr", N_("the first time")},
    {"hikeshi store timestamp", N_("for a daily job")},
    {"hikeshi verify --tsa-ca authority.pem", N_("check the timestamps with all else")},
    {NULL, NULL},
};

struct run {
    const struct timestamp_values *v;
    struct buf url; /* to ask, and as it is recorded */
    struct buf plain;
    struct buf note; /* the checkpoint */
    uint64_t size;   /* its entries */
    struct stamp_request request;
    struct buf answer;
};

/* Whether entries that are no timestamps came since the last one. */
static bool anything_new(const struct store *s)
{
    if (s->stamps.n == 0)
        return true;
    size_t later = 0;
    const struct store_stamp *last = &s->stamps.at[s->stamps.n - 1];
    for (size_t i = 0; i < s->stamps.n; i++)
        later += s->stamps.at[i].entry >= last->size;
    return s->journal.entries.n - last->size > later;
}

/* What is asked, and whom. *new is false when there is nothing to ask. */
static enum status prepare(struct run *r, bool *new, struct error *err)
{
    struct store *s = data_folder_open(&r->v->data, STORE_JOURNAL, err);
    if (!s)
        return err->status;
    enum status status = OK;
    const struct journal_mark *last = &s->journal.marks.at[s->journal.marks.n - 1];
    buf_add(&r->note, last->note);
    r->size = last->size;
    *new = anything_new(s);
    if (r->v->url)
        buf_add(&r->url, slice_str(r->v->url));
    else if (s->stamps.n)
        buf_add(&r->url, s->stamps.at[s->stamps.n - 1].url);
    if (!r->url.n)
        status = error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET,
                           "say with --url which timestamp authority to ask");
    buf_char(&r->url, '\0');
    if (status == OK && !http_plain_url(r->url.p, &r->plain))
        status = error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET,
                           "--url %s: give a URL of http or https", r->url.p);
    store_close(s);
    if (status == OK && *new)
        status = stamp_request(buf_slice(&r->note), &r->request, err);
    return status;
}

/* Checks the answer, by now without any network, and puts it into the journal. */
static enum status record(struct run *r, struct stamp_told *told, struct error *err)
{
    struct confine_report report;
    struct timespec t;
    char by[512];
    data_folder_user(by, sizeof by);
    struct store *s = data_folder_open(&r->v->data, STORE_WRITE, err);
    if (!s)
        return err->status;
    struct confine_needs needs = {.write = &s->path, .write_n = 1};
    enum status status = confine(&needs, &report, err);
    if (status == OK && report.landlock == 0)
        fprintf(stderr, "hikeshi: %s\n", report.warning);
    if (status == OK)
        status =
            stamp_check(buf_slice(&r->answer), buf_slice(&r->note), NULL, &r->request, told, err);
    clock_gettime(CLOCK_REALTIME, &t);
    struct store_stamp stamp = {.size = r->size,
                                .response = buf_slice(&r->answer),
                                .url = buf_slice(&r->plain),
                                .by = slice_str(by),
                                .at = t.tv_sec * NS_PER_SECOND + t.tv_nsec};
    if (status == OK)
        status = store_stamp(s, &stamp, err);
    store_close(s);
    return status;
}

static int run(const struct command *self, void *values, const struct text_list *operands)
{
    (void)self;
    (void)operands;
    struct run r = {.v = values};
    struct error err = {0};
    struct stamp_told told = {0};
    bool new = false;
    enum status status = prepare(&r, &new, &err);
    if (status == OK && new)
        status = http_post(r.url.p, "application/timestamp-query", buf_slice(&r.request.der),
                           STAMP_BYTES, &r.answer, &err);
    if (status == OK && new)
        status = record(&r, &told, &err);
    if (status != OK) {
        error_print(&err, stderr);
    } else if (new) {
        char when[TIMESTAMP_TEXT];
        timestamp_text(told.at, 0, when);
        printf(_("timestamp of %s over %zu entries; hikeshi verify --tsa-ca FILE checks its "
                 "signature\n"),
               when, (size_t)r.size);
    } else {
        puts(_("nothing is new since the last timestamp"));
    }
    buf_free(&r.url);
    buf_free(&r.plain);
    buf_free(&r.note);
    buf_free(&r.answer);
    stamp_request_free(&r.request);
    return data_folder_exit(status);
}

extern const struct command store_timestamp_command;
const struct command store_timestamp_command = {
    .name = "store timestamp",
    .what = N_("get a timestamp over the last checkpoint from an authority"),
    .about = N_("Sends the SHA-256 of the last checkpoint, and nothing else, to a timestamp "
                "authority (RFC 3161) and keeps its answer in the journal: by its clock and its "
                "key all that was taken in until then was there then, as it is. This is the only "
                "command that uses the network; a process of its own does it."),
    .options = options,
    .examples = examples,
    .values_size = sizeof(struct timestamp_values),
    .run = run,
};
