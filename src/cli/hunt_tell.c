#include "cli/hunt_tell.h"

#include "base/locale.h"
#include "cli/progress.h"
#include "report/term.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

struct tell_form tell_form(bool json, bool to_file, bool no_colour)
{
    const char *no_color = getenv("NO_COLOR"); // NOLINT(concurrency-mt-unsafe): no threads yet
    return (struct tell_form){.json = json,
                              .width = to_file ? 0 : terminal_width(stdout),
                              .colour = !to_file && isatty(STDOUT_FILENO) && !no_colour &&
                                        !(no_color && *no_color)};
}

static struct term_table table_of(const struct tell_form *form, const struct term_column *columns,
                                  unsigned n)
{
    return (struct term_table){
        .columns = columns, .columns_n = n, .width = form->width, .colour = form->colour};
}

static void json_member(struct buf *out, const char *name, struct slice text)
{
    if (out->p[out->n - 1] != '{')
        buf_char(out, ',');
    buf_json(out, slice_str(name));
    buf_char(out, ':');
    buf_json(out, text);
}

/* ---- functions ---- */

static const char *const kinds[] = {N_("operators"), N_("functions"),
                                    N_("aggregates, for summarize")};
static const char *const kind_keys[] = {"operator", "function", "aggregate"};

static void json_functions(struct buf *out)
{
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        const struct hunt_function *f = hunt_function(i);
        struct buf signature = {0};
        hunt_function_signature(f, &signature);
        buf_char(out, '{');
        json_member(out, "kind", slice_str(kind_keys[f->kind]));
        json_member(out, "name", slice_str(f->name));
        json_member(out, "signature", buf_slice(&signature));
        json_member(out, "what", slice_str(f->what));
        buf_add(out, SLICE("}\n"));
        buf_free(&signature);
    }
}

void tell_functions(const struct tell_form *form, struct buf *out)
{
    static const struct term_column columns[] = {{.title = N_("function")},
                                                 {.title = N_("what it gives"), .flexible = true}};
    if (form->json) {
        json_functions(out);
        return;
    }
    for (int kind = FUNCTION_OPERATOR; kind <= FUNCTION_AGGREGATE; kind++) {
        struct term_table t = table_of(form, columns, 2);
        for (unsigned i = 0; i < FUNCTIONS; i++) {
            const struct hunt_function *f = hunt_function(i);
            struct buf signature = {0};
            if ((int)f->kind != kind)
                continue;
            if (kind == FUNCTION_OPERATOR)
                buf_add(&signature, slice_str(f->name));
            else
                hunt_function_signature(f, &signature);
            term_table_add(&t, buf_slice(&signature), TERM_PLAIN);
            term_table_add(&t, slice_str(f->what), TERM_DIM);
            buf_free(&signature);
        }
        buf_add(out, kind == FUNCTION_OPERATOR ? SLICE("") : SLICE("\n"));
        term_styled(out, slice_str(_(kinds[kind])), TERM_BOLD, form->colour);
        buf_char(out, '\n');
        term_table_print(&t, out);
    }
}

/* ---- saved hunts ---- */

static void put_parameters(const struct saved_hunt *h, struct buf *out)
{
    for (size_t i = 0; i < h->parameters_n; i++) {
        const struct hunt_parameter *p = &h->parameters[i];
        buf_printf(out, "%s%.*s:%s", i ? " " : "", SLICE_ARG(p->name), hunt_type_name(p->type));
        if (p->has_default)
            buf_printf(out, "=%.*s", SLICE_ARG(p->text));
    }
    if (h->problem.status != OK)
        buf_printf(out, "(%s)", h->problem.what);
}

static void json_saved(const struct saved_hunt *h, struct buf *out)
{
    buf_char(out, '{');
    json_member(out, "name", h->name);
    json_member(out, "title", h->title);
    json_member(out, "description", h->description);
    if (h->path)
        json_member(out, "path", slice_str(h->path));
    if (h->problem.status != OK)
        json_member(out, "problem", slice_str(h->problem.what));
    buf_add(out, SLICE(",\"parameters\":["));
    for (size_t i = 0; i < h->parameters_n; i++) {
        const struct hunt_parameter *p = &h->parameters[i];
        buf_add(out, i ? SLICE(",{") : SLICE("{"));
        json_member(out, "name", p->name);
        json_member(out, "type", slice_str(hunt_type_name(p->type)));
        if (p->has_default)
            json_member(out, "default", p->text);
        buf_char(out, '}');
    }
    buf_add(out, SLICE("]}\n"));
}

void tell_saved(const struct tell_form *form, const struct saved_hunt *list, size_t n,
                struct buf *out)
{
    static const struct term_column columns[] = {{.title = N_("hunt")},
                                                 {.title = N_("what it asks"), .flexible = true},
                                                 {.title = N_("parameters"), .flexible = true}};
    struct term_table t = table_of(form, columns, 3);
    for (size_t i = 0; i < n; i++) {
        struct buf parameters = {0};
        if (form->json) {
            json_saved(&list[i], out);
            continue;
        }
        put_parameters(&list[i], &parameters);
        term_table_add(&t, list[i].name, TERM_BOLD);
        term_table_add(&t, list[i].title, TERM_PLAIN);
        term_table_add(&t, buf_slice(&parameters), TERM_DIM);
        buf_free(&parameters);
    }
    if (!form->json)
        term_table_print(&t, out);
}

/* ---- figures ---- */

struct figure {
    const char *key, *what; /* what NULL: only in JSON */
    uint64_t n;
};

static void json_figures(const struct plan *plan, const struct figure *at, size_t n,
                         struct buf *out)
{
    struct buf text = {0};
    plan_print(plan, &text);
    buf_char(out, '{');
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "\"%s\":%" PRIu64 ",", at[i].key, at[i].n);
    buf_add(out, SLICE("\"plan\":"));
    buf_json(out, buf_slice(&text));
    buf_add(out, SLICE("}\n"));
    buf_free(&text);
}

static bool is_time(const struct figure *f)
{
    return strncmp(f->key, "ns_", 3) == 0;
}

static void put_figure(const struct figure *f, struct buf *out)
{
    char number[TERM_NUMBER], ms[TERM_NUMBER];
    struct slice text = term_number(f->n, number);
    if (is_time(f))
        text = slice_of(ms, (size_t)snprintf(ms, sizeof ms, "%.1f ms", (double)f->n / 1e6));
    term_cell(out, text, 16, TERM_RIGHT, TERM_PLAIN, false);
    buf_printf(out, "  %s\n", _(f->what));
}

void tell_figures(const struct tell_form *form, const struct plan *plan,
                  const struct hunt_figures *f, struct buf *out)
{
    const struct figure figures[] = {
        {"segments", N_("segments"), f->segments},
        {"segments_pruned", N_("of these left out by their range of time"), f->segments_pruned},
        {"blocks", N_("blocks in the others"), f->blocks},
        {"blocks_by_time", N_("of these left out by their range of time"), f->blocks_by_time},
        {"blocks_by_kind", N_("by the kind of their events"), f->blocks_by_kind},
        {"blocks_by_filter", N_("by their filter of words"), f->blocks_by_filter},
        {"blocks_by_range", N_("by the least and most of a column"), f->blocks_by_range},
        {"blocks_by_values", N_("by the distinct values of a column"), f->blocks_by_values},
        {"blocks_read", N_("blocks read"), f->blocks_read},
        {"events", N_("events in these"), f->events},
        {"columns_read", N_("columns read"), f->columns_read},
        {"bytes_read", N_("bytes read"), f->bytes_read},
        {"rows_found", N_("events found"), f->rows_found},
        {"texts_given_up", N_("texts that took an expression too long"), f->texts_given_up},
        {"rows_out", N_("rows of the answer"), f->rows_out},
        {"memory_most", N_("bytes of memory at the most"), f->memory_most},
        {"ns_prepare", N_("preparing"), f->ns_prepare},
        {"ns_prune", N_("looking at filters and ranges, all threads together"), f->ns_prune},
        {"ns_read", N_("reading and unpacking, all threads together"), f->ns_read},
        {"ns_conditions", N_("conditions, all threads together"), f->ns_conditions},
        {"ns_operators", N_("operators"), f->ns_operators},
        {"ns_total", N_("in all, by the clock"), f->ns_total},
    };
    size_t n = sizeof figures / sizeof *figures;
    struct buf text = {0};
    if (form->json) {
        json_figures(plan, figures, n, out);
        return;
    }
    plan_print(plan, &text);
    for (size_t at = 0; at < text.n;) { /* names of columns may be anything */
        struct slice rest = slice_sub(buf_slice(&text), at, text.n);
        ptrdiff_t end = slice_find(rest, SLICE("\n"));
        size_t length = end < 0 ? rest.n : (size_t)end;
        term_clean(out, slice_sub(rest, 0, length));
        buf_char(out, '\n');
        at += length + 1;
    }
    buf_char(out, '\n');
    for (size_t i = 0; i < n; i++)
        put_figure(&figures[i], out);
    buf_free(&text);
}
