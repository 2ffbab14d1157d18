#include "cli/telling.h"

#include "cli/progress.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *telling_format_choice(size_t number)
{
    return timeline_formats[number] ? timeline_formats[number]->name : NULL;
}

bool telling_is_text(const struct telling_values *v)
{
    return strcmp(timeline_formats[v->format]->name, "text") == 0;
}

/* Whether what goes to this descriptor (-1: to a file) may be in colour. */
static bool colour_of(const struct telling_values *v, int fd)
{
    if (v->colour != COLOUR_AUTO)
        return v->colour == COLOUR_ALWAYS;
    const char *no_color = getenv("NO_COLOR"); // NOLINT(concurrency-mt-unsafe): no threads run
    return fd >= 0 && isatty(fd) && !(no_color && *no_color);
}

bool telling_colour(const struct telling_values *v)
{
    return colour_of(v, v->output ? -1 : STDOUT_FILENO);
}

unsigned telling_width(const struct telling_values *v)
{
    return v->output ? 0 : terminal_width(stdout);
}

enum status telling_open(struct telling *t, const struct telling_values *v, struct error *err)
{
    *t = (struct telling){.v = v};
    tzset(); /* the time zone's file can't be opened later */
    return outfile_open(&t->out, v->output, err);
}

void telling_name_output(const struct telling *t, struct error *err)
{
    if (err->status != OK && strcmp(err->where, "output") == 0)
        snprintf(err->where, sizeof err->where, "%s",
                 t->v->output ? t->v->output : _("standard output"));
}

enum status telling_begin(struct telling *t, const struct timeline_options *options,
                          struct error *err)
{
    struct timeline_options wanted = *options;
    wanted.colour = telling_colour(t->v);
    wanted.width = telling_width(t->v);
    wanted.utc = !t->v->local;
    wanted.top = t->v->top;
    t->summary = summary_new();
    t->timeline = timeline_begin(timeline_formats[t->v->format], &wanted, t->out.file, err);
    if (t->timeline)
        return OK;
    telling_name_output(t, err);
    return err->status;
}

enum status telling_add(struct telling *t, const struct finding *finding, struct error *err)
{
    summary_add(t->summary, finding);
    enum status status = timeline_add(t->timeline, finding, err);
    if (status != OK)
        telling_name_output(t, err);
    return status;
}

enum status telling_end(struct telling *t, struct error *err)
{
    enum status status = timeline_end(t->timeline, t->summary, err);
    t->timeline = NULL;
    if (status != OK)
        telling_name_output(t, err);
    return status;
}

void telling_incomplete(struct telling *t)
{
    if (telling_is_text(t->v))
        fputs(_("Incomplete: stopped before all was read.\n"), t->out.file);
}

enum status telling_commit(struct telling *t, bool whole, struct error *err)
{
    enum status status = OK;
    if (whole || !t->v->output)
        status = outfile_commit(&t->out, err);
    else
        outfile_abandon(&t->out);
    if (status != OK)
        telling_name_output(t, err);
    return status;
}

void telling_free(struct telling *t)
{
    struct error ignored;
    if (t->timeline)
        timeline_end(t->timeline, t->summary, &ignored);
    if (t->out.file)
        outfile_abandon(&t->out);
    summary_free(t->summary);
    *t = (struct telling){0};
}

void telling_numbers(const struct telling *t, uint64_t events)
{
    size_t n = (size_t)summary_total(t->summary);
    if (t->v->output) {
        struct buf text = {0};
        struct summary_options wanted = {colour_of(t->v, STDOUT_FILENO), terminal_width(stdout),
                                         t->v->top};
        summary_text(t->summary, &wanted, &text);
        buf_write(&text, stdout);
        buf_free(&text);
    } else if (!timeline_formats[t->v->format]->summary) {
        fprintf(stderr,
                locale_plural("hikeshi: %zu finding in %zu events\n",
                              "hikeshi: %zu findings in %zu events\n", n),
                n, (size_t)events);
    }
}

void telling_left_out(uint64_t timeless, uint64_t given_up)
{
    if (timeless)
        fprintf(stderr,
                locale_plural("hikeshi: correlations leave %zu match out, which tells no time\n",
                              "hikeshi: correlations leave %zu matches out, which tell no time\n",
                              (size_t)timeless),
                (size_t)timeless);
    if (given_up)
        fprintf(stderr,
                locale_plural("hikeshi: regular expressions gave %zu text up, which took too long; "
                              "it counts as no match\n",
                              "hikeshi: regular expressions gave %zu texts up, which took too "
                              "long; they count as no match\n",
                              (size_t)given_up),
                (size_t)given_up);
}
