/*
 * How a command tells findings: the options, the output, the timeline with its summary.
 *
 *     struct values { struct telling_values telling; ... };
 *     static const struct option options[] = { ..., TELLING_OPTIONS(struct values), {0} };
 *
 *     telling_open(&t, &v->telling, &err);                   before confine(): t.out.folder
 *     telling_begin(&t, &timeline_options, &err);
 *     telling_add(&t, &finding, &err);
 *     telling_end(&t, &err);                                 summary
 *     telling_commit(&t, whole, &err);                       a file gets its name when it is whole
 *     telling_free(&t);
 */
#ifndef CLI_TELLING_H
#define CLI_TELLING_H

#include "base/locale.h"
#include "cli/command.h"
#include "cli/outfile.h"
#include "report/timeline.h"

enum { TELLING_JSONL = 1 }; /* its place among timeline_formats */

enum telling_colour { COLOUR_AUTO, COLOUR_NEVER, COLOUR_ALWAYS };

struct telling_values {
    const char *output;
    unsigned format, top, colour, local;
};

option_choice telling_format_choice;

/* clang-format off */
#define TELLING_OPTIONS(type)                                                                      \
    {'f', "format", OPTION_CHOICE, "FORMAT", N_("how findings are told"),                          \
     .choice = telling_format_choice, .at = offsetof(type, telling.format),                        \
     .group = N_("What is told")},                                                                 \
    {'o', "output", OPTION_TEXT, "FILE",                                                           \
     N_("write findings there; the file appears when it is whole"),                                \
     .at = offsetof(type, telling.output)},                                                        \
    {0, "top", OPTION_NUMBER, "N", N_("at most N rows in each table of numbers (10)"),             \
     .at = offsetof(type, telling.top)},                                                           \
    {0, "utc", OPTION_SET, NULL, N_("times in UTC (this is the default)"),                         \
     .at = offsetof(type, telling.local), .set = false},                                           \
    {0, "local", OPTION_SET, NULL, N_("times in the time zone of this machine"),                   \
     .at = offsetof(type, telling.local), .set = true},                                            \
    {0, "color", OPTION_SET, NULL, N_("colours, also when the output is no terminal"),             \
     .at = offsetof(type, telling.colour), .set = COLOUR_ALWAYS},                                  \
    {0, "no-color", OPTION_SET, NULL, N_("no colours"),                                            \
     .at = offsetof(type, telling.colour), .set = COLOUR_NEVER}
/* clang-format on */

struct telling {
    const struct telling_values *v;
    struct outfile out;
    struct timeline *timeline;
    struct summary *summary;
};

enum status telling_open(struct telling *t, const struct telling_values *v, struct error *err);

/* Colour, width, utc and top of the options are filled in here. */
enum status telling_begin(struct telling *t, const struct timeline_options *options,
                          struct error *err);
enum status telling_add(struct telling *t, const struct finding *finding, struct error *err);

/* The end of the timeline, with its summary; then more may be written to t->out.file. */
enum status telling_end(struct telling *t, struct error *err);

/* That not all was read, where the format is for people. */
void telling_incomplete(struct telling *t);

/* Makes "output", which is what reports know, the file's name in an error. */
void telling_name_output(const struct telling *t, struct error *err);

/* Everything reaches the output; a file that is not whole goes away. */
enum status telling_commit(struct telling *t, bool whole, struct error *err);
void telling_free(struct telling *t);

/* Says on stderr what correlations and regular expressions left out. */
void telling_left_out(uint64_t timeless, uint64_t given_up);

/* The findings in numbers, on stdout, when they went to a file; else how many they were, on stderr,
 * unless the format tells it itself. */
void telling_numbers(const struct telling *t, uint64_t events);

bool telling_is_text(const struct telling_values *v);
/* Whether the output may be in colour, and how wide it is. */
bool telling_colour(const struct telling_values *v);
unsigned telling_width(const struct telling_values *v);

#endif
