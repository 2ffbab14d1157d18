/*
 * hikeshi hunt: questions to the data folder, in the hunt language (docs/hunt.md).
 */
#include "cli/data_folder.h"
#include "cli/hunt_tell.h"
#include "cli/outfile.h"
#include "cli/small_file.h"
#include "cli/stop.h"

#include "base/confine.h"
#include "base/locale.h"
#include "casebook/findings_table.h"
#include "hunt/local.h"
#include "hunt/run.h"
#include "hunt/unknown.h"
#include "report/answer.h"
#include "report/term.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum {
    TABLE_ROWS = 1000,  /* in a table, when no --limit is given */
    FOLLOW_WAIT = 1000, /* milliseconds between looks for new events */
};

struct hunt_values {
    struct data_values data;
    const char *file, *saved, *folder, *output, *mappings;
    struct text_list parameters;
    bool list, functions, json, explain, follow, no_colour;
    unsigned format, limit, threads, memory;
};

static const char *format_choice(size_t number)
{
    static const char *const words[] = {"table", "jsonl", "csv"};
    return number < sizeof words / sizeof *words ? words[number] : NULL;
}

static const struct option options[] = {
    DATA_OPTIONS(struct hunt_values),
    {'q', "query", OPTION_TEXT, "FILE", N_("the query is in this file; - is standard input"),
     .at = offsetof(struct hunt_values, file), .group = N_("What is asked")},
    {'s', "saved", OPTION_TEXT, "NAME", N_("a saved hunt (--list shows them)"),
     .at = offsetof(struct hunt_values, saved)},
    {'p', "param", OPTION_LIST, "NAME=VALUE",
     N_("the value of a parameter that the query declares; may be given again"),
     .at = offsetof(struct hunt_values, parameters)},
    {0, "hunts", OPTION_TEXT, "DIR",
     N_("the folder of saved hunts, besides those that are built in (hunts/ in the data folder)"),
     .at = offsetof(struct hunt_values, folder)},
    {0, "mappings", OPTION_TEXT, "DIR",
     N_("names of log sources and fields, on top of those that are built in"),
     .at = offsetof(struct hunt_values, mappings)},
    {0, "follow", OPTION_FLAG, NULL, N_("go on with events that are taken in from now on"),
     .at = offsetof(struct hunt_values, follow)},
    {'f', "format", OPTION_CHOICE, "FORMAT", N_("table, jsonl (a JSON object a row) or csv"),
     .choice = format_choice, .at = offsetof(struct hunt_values, format),
     .group = N_("What is told")},
    {0, "json", OPTION_FLAG, NULL, N_("the same as --format jsonl; also of what is listed"),
     .at = offsetof(struct hunt_values, json)},
    {'o', "output", OPTION_TEXT, "FILE", N_("write there; the file appears when it is whole"),
     .at = offsetof(struct hunt_values, output)},
    {'n', "limit", OPTION_NUMBER, "N",
     N_("at most N rows (a table has 1000 when this is not given)"),
     .at = offsetof(struct hunt_values, limit)},
    {0, "explain", OPTION_FLAG, NULL,
     N_("run the hunt, and tell its plan and what it did instead of the answer"),
     .at = offsetof(struct hunt_values, explain)},
    {0, "no-colour", OPTION_FLAG, NULL, N_("no colours"),
     .at = offsetof(struct hunt_values, no_colour)},
    {'l', "list", OPTION_FLAG, NULL, N_("list the saved hunts"),
     .at = offsetof(struct hunt_values, list)},
    {0, "functions", OPTION_FLAG, NULL, N_("list the operators and functions of the language"),
     .at = offsetof(struct hunt_values, functions)},
    {0, "threads", OPTION_NUMBER, "N", N_("work with N threads (one a processor)"),
     .at = offsetof(struct hunt_values, threads), .group = N_("How")},
    {0, "memory", OPTION_NUMBER, "MIB", N_("use at most so many MiB of memory (2048)"),
     .at = offsetof(struct hunt_values, memory)},
    {0},
};

static const struct example examples[] = {
    {"hikeshi hunt 'search \"evil.example\"'", N_("has anybody had to do with this?")},
    {"hikeshi hunt 'events | where EventID == 4625 | summarize n = count() by host.name, IpAddress "
     "| top 10 by n'",
     N_("failed logons: where, and from where")},
    {"hikeshi hunt --saved hash --param hash=d41d8cd98f00b204e9800998ecf8427e",
     N_("a saved hunt with its parameter")},
    {"hikeshi hunt -f csv -o logons.csv -q logons.kql",
     N_("a query from a file, for a spreadsheet")},
    {"hikeshi hunt --follow 'process_creation | where CommandLine has \"-enc\"'",
     N_("watch what comes in")},
    {NULL, NULL},
};

struct run {
    const struct hunt_values *v;
    struct arena arena;
    struct buf file; /* the query, when it is in a file */
    struct slice query;
    const char *name; /* of the query, for messages */
    struct hunt_setup setup;
    struct findings_table findings;
    struct hunt_table tables[2];
    struct mappings *mappings;
    struct store *store;
    const char *hunts; /* the folder of saved hunts, or NULL */
    struct outfile out;
    const volatile sig_atomic_t *stop;
    struct answer *answer;
    const struct hunt_value **row;
    const struct plan *plan; /* that is answered */
    uint64_t limit;          /* rows */
    bool cut;                /* there are more */
};

static unsigned format_of(const struct run *r)
{
    return r->v->json ? ANSWER_JSONL : r->v->format;
}

static struct tell_form form_of(const struct run *r)
{
    return tell_form(format_of(r) == ANSWER_JSONL, r->v->output != NULL, r->v->no_colour);
}

static enum status bad_use(struct error *err, const char *what)
{
    return error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET, "%s", what);
}

/* ---- the question ---- */

/* The folder of saved hunts: the one given, or that of the data folder when there is one. */
static void find_hunts(struct run *r)
{
    struct error err;
    struct stat st;
    r->hunts = r->v->folder;
    if (r->hunts)
        return;
    char *data = store_find(r->v->data.folder, &err);
    if (data) {
        struct slice path = arena_printf(&r->arena, "%s/hunts", data);
        if (stat(path.p, &st) == 0 && S_ISDIR(st.st_mode))
            r->hunts = path.p;
    }
    free(data);
}

static enum status find_saved(struct run *r, struct error *err)
{
    struct saved_hunt *list;
    size_t n;
    find_hunts(r);
    enum status status = saved_hunts(r->hunts, r->setup.now, &r->arena, &list, &n, err);
    if (status != OK)
        return status;
    const struct saved_hunt *h = saved_hunt_named(list, n, slice_str(r->v->saved), err);
    if (!h)
        return err->status;
    r->query = h->text;
    r->name = h->path ? h->path : r->v->saved;
    return OK;
}

static enum status find_query(struct run *r, const struct text_list *operands, struct error *err)
{
    int given = (operands->n > 0) + (r->v->file != NULL) + (r->v->saved != NULL);
    if (given != 1)
        return bad_use(err, given
                                ? "there are several queries: give one, or -q FILE, or --saved NAME"
                                : "a query is missing: hikeshi hunt 'events | take 5', -q FILE, or "
                                  "--saved NAME");
    if (r->v->saved)
        return find_saved(r, err);
    if (r->v->file) {
        enum status status = small_file_read(r->v->file, &r->file, err);
        r->query = buf_slice(&r->file);
        r->name = r->v->file;
        return status;
    }
    r->query = slice_str(operands->at[0]);
    return OK;
}

static enum status read_parameters(struct run *r, struct error *err)
{
    const struct text_list *list = &r->v->parameters;
    struct hunt_argument *arguments = arena_zero(&r->arena, list->n + 1, sizeof *arguments);
    for (size_t i = 0; i < list->n; i++) {
        struct slice text = slice_str(list->at[i]);
        ptrdiff_t equals = slice_find(text, SLICE("="));
        if (equals <= 0)
            return error_set(err, STATUS_BAD_USE, "--param", ERROR_NO_OFFSET,
                             "NAME=VALUE is wanted, not \"%s\"", list->at[i]);
        arguments[i].name = slice_sub(text, 0, (size_t)equals);
        arguments[i].text = slice_sub(text, (size_t)equals + 1, text.n);
    }
    r->setup.arguments = arguments;
    r->setup.arguments_n = list->n;
    return OK;
}

/* The plan; a mistake in the query is shown with its place. */
static struct plan *parse(struct run *r, struct error *err)
{
    struct buf place = {0}, clean = {0};
    struct plan *plan = plan_parse(r->query, &r->setup, err);
    if (plan)
        return plan;
    error_print(err, stderr);
    plan_show_place(r->query, err, &place);
    for (size_t i = 0; i < place.n; i++) /* no byte of a query steers the terminal */
        buf_char(&clean,
                 (unsigned char)place.p[i] < ' ' && !strchr("\n\t", place.p[i]) ? ' ' : place.p[i]);
    buf_write(&clean, stderr);
    buf_free(&place);
    buf_free(&clean);
    return NULL;
}

/* ---- the answer ---- */

static enum status on_rows(void *ctx, const struct batch *b, struct error *err)
{
    struct run *r = ctx;
    for (uint32_t row = 0; row < b->rows; row++) {
        if (answer_rows(r->answer) >= r->limit) {
            r->cut = true;
            return STATUS_INTERRUPTED;
        }
        for (uint32_t i = 0; i < r->plan->output_n; i++)
            r->row[i] = vector_at(b->columns[r->plan->output[i]], row);
        enum status status = answer_row(r->answer, r->row, err);
        if (status != OK)
            return status;
    }
    return OK;
}

/* For --explain: rows are counted and not shown. */
static enum status on_unseen(void *ctx, const struct batch *b, struct error *err)
{
    (void)ctx;
    (void)b;
    (void)err;
    return OK;
}

static enum status hunt(struct run *r, struct plan *plan, struct hunt_figures *figures,
                        struct error *err)
{
    struct local_events local = {.store = r->store, .mappings = r->mappings};
    struct backend backend = local_backend(&local);
    struct hunt_options how = {
        .threads = r->v->threads, .memory = (uint64_t)r->v->memory << 20, .stop = r->stop};
    struct hunt_sink sink = {r->v->explain ? on_unseen : on_rows, r};
    struct hunt_figures own;
    r->plan = plan;
    if (!figures)
        figures = &own;
    enum status status = hunt_run(plan, &backend, &how, sink, figures, err);
    size_t n = (size_t)figures->texts_given_up;
    if (n)
        fprintf(stderr,
                locale_plural("hikeshi: regular expressions gave %zu text up, which took too long; "
                              "it counts as no match\n",
                              "hikeshi: regular expressions gave %zu texts up, which took too "
                              "long; they count as no match\n",
                              n),
                n);
    return status;
}

static void explain(struct run *r, const struct plan *plan, const struct hunt_figures *figures)
{
    struct tell_form form = form_of(r);
    struct buf b = {0};
    tell_figures(&form, plan, figures, &b);
    buf_write(&b, r->out.file);
    buf_free(&b);
}

/* Whether each event is looked at by itself. */
/* Recursion: the number of operators in a plan is bounded. */
static bool stands_alone(const struct plan_operator *op)
{
    for (; op; op = op->input) {
        if (op->kind == OP_SUMMARIZE || op->kind == OP_SORT || op->kind == OP_TAKE ||
            op->kind == OP_JOIN || op->kind == OP_VALUES ||
            (op->kind == OP_SCAN && op->scan.table->columns))
            return false;
        for (uint32_t i = 0; op->kind == OP_UNION && i < op->united.inputs_n; i++)
            if (!stands_alone(op->united.inputs[i].from))
                return false;
    }
    return true;
}

static enum status answer(struct run *r, struct plan *plan, struct error *err)
{
    struct tell_form form = form_of(r);
    struct answer_options wanted = {
        .format = format_of(r), .width = form.width, .colour = form.colour, .live = r->v->follow};
    r->limit = r->v->limit ? r->v->limit
               : format_of(r) == ANSWER_TABLE && plan->render == RENDER_NONE && !r->v->follow
                   ? TABLE_ROWS
                   : UINT64_MAX;
    r->row = arena_zero(&r->arena, plan->output_n + 1, sizeof *r->row);
    r->answer = answer_new(plan, &wanted, r->out.file);
    if (r->v->follow && !stands_alone(plan->root))
        return bad_use(err, "--follow looks at each event by itself: where, extend, project, "
                            "mv-expand and union are for it, but nothing that needs all events, "
                            "such as summarize, sort, take or join");
    return hunt(r, plan, NULL, err);
}

static void tell_unknown(void *ctx, struct slice name, const struct near *near)
{
    struct buf text = {0};
    (void)ctx;
    term_clean(&text, name);
    fprintf(stderr, _("hikeshi: no event has a field %.*s"), SLICE_ARG(buf_slice(&text)));
    buf_clear(&text);
    term_clean(&text, near->name);
    if (near->name.n)
        fprintf(stderr, _("; did you mean %.*s?"), SLICE_ARG(buf_slice(&text)));
    fputc('\n', stderr);
    buf_free(&text);
}

static enum status finish(struct run *r, struct error *err)
{
    struct local_events local = {.store = r->store, .mappings = r->mappings};
    enum status status = r->answer ? answer_end(r->answer, err) : OK;
    if (status == OK)
        status = outfile_commit(&r->out, err);
    hunt_unknown(r->plan, &local, tell_unknown, NULL);
    if (status == OK && r->cut && !r->v->limit)
        fprintf(stderr, _("hikeshi: only the first %u rows are shown; --limit N shows more\n"),
                (unsigned)r->limit);
    return status;
}

/* ---- running ---- */

static enum status confine_run(struct run *r, struct error *err)
{
    struct confine_report report;
    const char *read[] = {r->store->path};
    struct confine_needs needs = {.read = read,
                                  .read_n = 1,
                                  .write = (const char *const *)&r->out.folder,
                                  .write_n = r->out.folder ? 1 : 0};
    enum status status = confine(&needs, &report, err);
    if (status == OK && report.landlock == 0)
        fprintf(stderr, "hikeshi: %s\n", report.warning);
    return status;
}

static enum status open_all(struct run *r, struct error *err)
{
    r->store = data_folder_open(&r->v->data, STORE_READ, err);
    if (!r->store)
        return err->status;
    findings_open(&r->findings, r->store->path);
    enum status status = data_folder_not_written(r->store->path, r->v->output, err);
    if (status == OK)
        status = outfile_open(&r->out, r->v->output, err);
    return status == OK ? confine_run(r, err) : status;
}

/* ---- following ---- */

/* A segment that has nothing of the inputs from `first` on need not be looked at. */
static void skip_old(struct store *s, uint32_t first)
{
    for (size_t i = 0; i < s->segments_n; i++) {
        const struct segment *segment = s->segments[i].open;
        bool old = segment != NULL;
        for (uint32_t no = 0; old && no < segment->blocks_n; no++)
            old = segment->blocks[no].input_most < first;
        s->segments[i].gone = s->segments[i].gone || old;
    }
}

/* What was taken in since the last time, if anything was. */
static enum status look_again(struct run *r, struct error *err)
{
    struct store *s = data_folder_open(&r->v->data, STORE_READ, err);
    if (!s)
        return err->status;
    uint32_t first = r->store->next_input;
    store_close(r->store);
    r->store = s;
    if (s->next_input == first)
        return OK;
    skip_old(s, first);
    r->setup.first_input = first;
    struct plan *plan = plan_parse(r->query, &r->setup, err);
    enum status status = plan ? hunt(r, plan, NULL, err) : err->status;
    hunt_plan_free(plan);
    return status;
}

static enum status follow(struct run *r, struct error *err)
{
    const struct plan *first = r->plan;
    enum status status = OK;
    char path[PATH_BYTES];
    off_t seen = 0;
    snprintf(path, sizeof path, "%s/hikeshi.journal", r->store->path);
    while (status == OK && !*r->stop && !r->cut) {
        struct stat st;
        if (stat(path, &st) != 0) {
            status = error_system(err, path, "can't be read");
        } else if (st.st_size != seen) {
            seen = st.st_size;
            status = look_again(r, err);
        } else {
            poll(NULL, 0, FOLLOW_WAIT);
        }
    }
    r->plan = first;
    return status;
}

static int exit_of(const struct run *r, enum status status, const struct error *err)
{
    if (status == OK)
        return EXIT_STATUS_CLEAN;
    if (status == STATUS_INTERRUPTED)
        return EXIT_STATUS_INTERRUPTED;
    if (!r->v->output && reader_gone())
        return EXIT_STATUS_CLEAN;
    error_print(err, stderr);
    return status == STATUS_BAD_USE ? EXIT_STATUS_BAD_USE : EXIT_STATUS_FAILED;
}

static int run_query(struct run *r, struct plan *plan, struct error *err)
{
    struct hunt_figures figures = {0};
    enum status status = open_all(r, err);
    if (status != OK) {
        error_print(err, stderr);
        return data_folder_exit(status);
    }
    if (r->v->explain) {
        status = hunt(r, plan, &figures, err);
        if (status == OK)
            explain(r, plan, &figures);
    } else {
        status = answer(r, plan, err);
        if (status == OK && r->v->follow)
            status = follow(r, err);
    }
    if (status == OK)
        status = finish(r, err);
    return exit_of(r, status, err);
}

/* ---- lists ---- */

static int list(struct run *r)
{
    struct tell_form form = form_of(r);
    struct error err = {0};
    struct buf b = {0};
    struct saved_hunt *hunts;
    size_t n;
    enum status status = OK;
    if (r->v->functions) {
        tell_functions(&form, &b);
    } else {
        find_hunts(r);
        status = saved_hunts(r->hunts, r->setup.now, &r->arena, &hunts, &n, &err);
        if (status == OK)
            tell_saved(&form, hunts, n, &b);
        else
            error_print(&err, stderr);
    }
    buf_write(&b, stdout);
    buf_free(&b);
    return status == OK ? EXIT_STATUS_CLEAN : EXIT_STATUS_BAD_USE;
}

/* ---- the command ---- */

static enum status prepare(struct run *r, const struct text_list *operands, struct error *err)
{
    enum status status = find_query(r, operands, err);
    if (status == OK)
        status = read_parameters(r, err);
    if (status != OK)
        return status;
    r->mappings = r->v->mappings ? mappings_load(r->v->mappings, err) : mappings_builtin(err);
    r->setup.mappings = r->mappings;
    r->setup.name = r->name;
    r->tables[0] = findings_table(&r->findings);
    r->setup.tables = r->tables;
    return r->mappings ? OK : err->status;
}

static int run_all(struct run *r, const struct text_list *operands)
{
    struct error err = {0};
    if (r->v->list || r->v->functions)
        return list(r);
    if (prepare(r, operands, &err) != OK) {
        error_print(&err, stderr);
        return EXIT_STATUS_BAD_USE;
    }
    struct plan *plan = parse(r, &err);
    int result = plan ? run_query(r, plan, &err) : EXIT_STATUS_BAD_USE;
    answer_free(r->answer);
    hunt_plan_free(plan);
    return result;
}

static int run(const struct command *self, void *values, const struct text_list *operands)
{
    (void)self;
    struct timespec now;
    struct run r = {.v = values, .name = "query", .stop = stop_on_signals()};
    clock_gettime(CLOCK_REALTIME, &now);
    r.setup.now = (timestamp)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
    int result = run_all(&r, operands);
    if (r.out.file)
        outfile_abandon(&r.out);
    findings_close(&r.findings);
    store_close(r.store);
    mappings_free(r.mappings);
    buf_free(&r.file);
    arena_free(&r.arena);
    return result;
}

extern const struct command hunt_command;
const struct command hunt_command = {
    .name = "hunt",
    .what = N_("ask the data folder, in a subset of Kusto (KQL)"),
    .operands = "[QUERY]",
    .operands_most = 1,
    .about = N_(
        "A hunt begins with a table and goes on with operators, each behind a bar: where, project, "
        "extend, summarize, sort, top, join and others. The table events has all events; each "
        "field "
        "is a column, by its ECS name, its name in Sigma's taxonomy, or as the log has it. Log "
        "sources of Sigma are tables too: process_creation, dns_query, sysmon. docs/hunt.md is the "
        "reference.\n\n"
        "The data folder is only read. The exit status does not depend on the answer."),
    .options = options,
    .examples = examples,
    .values_size = sizeof(struct hunt_values),
    .run = run,
};
