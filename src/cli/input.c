#include "cli/input.h"
#include "cli/outfile.h"

#include "base/confine.h"
#include "base/locale.h"
#include "base/vec.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INPUTS_SHOWN = 10 }; /* whose problems are told, unless all are asked for */

enum status input_check(const struct input_values *values, struct error *err)
{
    if (values->from.given && values->to.given && values->from.at >= values->to.at)
        return error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET,
                         "--from is not before --to: no event can be between them");
    return OK;
}

struct selection input_selection(const struct input_values *values)
{
    return (struct selection){
        .from = values->from.given ? values->from.at : TIMESTAMP_NONE,
        .to = values->to.given ? values->to.at : TIMESTAMP_NONE,
        .host = values->host,
    };
}

enum status input_not_written(const struct inputs *inputs, const char *output, struct error *err)
{
    for (uint32_t i = 0; i < inputs_named(inputs); i++) {
        const char *path = inputs_path(inputs, i);
        if (path && outfile_replaces(output, path))
            return error_set(err, STATUS_BAD_USE, output, ERROR_NO_OFFSET,
                             "is an input; it is not written over");
    }
    return OK;
}

enum status input_confine(const struct text_list *paths, const char *folder, struct error *err)
{
    struct text_list there = {0};
    for (size_t i = 0; i < paths->n; i++)
        if (strcmp(paths->at[i], "-") != 0 && access(paths->at[i], F_OK) == 0)
            *VEC_PUSH(there) = paths->at[i];
    struct confine_needs needs = {
        .read = there.at, .read_n = there.n, .write = &folder, .write_n = folder ? 1 : 0};
    struct confine_report report;
    enum status status = confine(&needs, &report, err);
    if (status == OK && report.landlock == 0)
        fprintf(stderr, "hikeshi: %s\n", report.warning);
    free(there.at);
    return status;
}

static void tell_problem(const struct problem *p, size_t more, const struct inputs *inputs,
                         FILE *out)
{
    const struct input *input = inputs_get(inputs, p->input);
    fprintf(out, "hikeshi: %.*s", SLICE_ARG(input->name));
    if (p->offset || input->reader)
        fprintf(out, ":%" PRIu64, p->offset);
    fprintf(out, ": %s", _(p->what)); /* those that reached it as "%s" */
    char of[64] = "";
    if (more)
        snprintf(of, sizeof of, _(" (one of %zu places in it)"), more + 1);
    fputs(of, out);
    fputc('\n', out);
}

uint64_t input_tell_problems(const struct problems *problems, const struct inputs *inputs, bool all,
                             FILE *out)
{
    const struct problem *list;
    size_t kept = problems_kept(problems, &list);
    size_t told = 0, inputs_told = 0, total = (size_t)problems_total(problems);
    for (size_t i = 0; i < kept; i++) {
        bool first = i == 0 || list[i].input != list[i - 1].input;
        if (!all && (!first || inputs_told == INPUTS_SHOWN))
            continue;
        size_t more = all ? 0 : (size_t)problems_of(problems, list[i].input) - 1;
        tell_problem(&list[i], more, inputs, out);
        told += 1 + more;
        inputs_told += first;
    }
    if (total > told)
        fprintf(out,
                locale_plural("hikeshi: and %zu more place that could not be read\n",
                              "hikeshi: and %zu more places that could not be read\n",
                              total - told),
                total - told);
    return total;
}
