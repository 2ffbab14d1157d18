#include "report/timeline_internal.h"

#include <stdlib.h>
#include <time.h>

const struct timeline_format *const timeline_formats[] = {
    &timeline_text, &timeline_jsonl, &timeline_csv, &timeline_timesketch, &timeline_html, NULL,
};

const struct timeline_format *timeline_format_find(const char *name)
{
    for (const struct timeline_format *const *f = timeline_formats; *f; f++)
        if (strcmp((*f)->name, name) == 0)
            return *f;
    return NULL;
}

/* Writes and empties t->line. */
static enum status write_line(struct timeline *t, struct error *err)
{
    bool whole = buf_write(&t->line, t->out);
    buf_clear(&t->line);
    return whole ? OK : error_system(err, "output", "can't write");
}

static void timeline_free(struct timeline *t)
{
    buf_free(&t->line);
    free(t->own);
    free(t);
}

struct timeline *timeline_begin(const struct timeline_format *format,
                                const struct timeline_options *options, FILE *out,
                                struct error *err)
{
    struct timeline *t = xcalloc(1, sizeof *t);
    t->format = format;
    t->options = *options;
    t->out = out;
    if ((!format->begin || format->begin(t, err) == OK) && write_line(t, err) == OK)
        return t;
    timeline_free(t);
    return NULL;
}

enum status timeline_add(struct timeline *t, const struct finding *finding, struct error *err)
{
    enum status status = t->format->add(t, finding, err);
    t->n++;
    return status == OK ? write_line(t, err) : status;
}

enum status timeline_end(struct timeline *t, const struct summary *summary, struct error *err)
{
    enum status status = t->format->end ? t->format->end(t, summary, err) : OK;
    if (status == OK)
        status = write_line(t, err);
    if (status == OK && (fflush(t->out) != 0 || ferror(t->out)))
        status = error_system(err, "output", "can't write");
    timeline_free(t);
    return status;
}

struct slice timeline_time(const struct timeline *t, timestamp time, char separator, int digits,
                           char out[TIMELINE_TIME])
{
    if (time == TIMESTAMP_NONE)
        return (struct slice){"", 0};
    int64_t second = time / NS_PER_SECOND - (time % NS_PER_SECOND < 0);
    struct tm tm;
    long offset = 0;
    if (!t->options.utc && localtime_r(&(time_t){second}, &tm))
        offset = tm.tm_gmtoff;
    timestamp shown;
    if (__builtin_add_overflow(time, offset * NS_PER_SECOND, &shown)) {
        shown = time;
        offset = 0;
    }
    char text[TIMESTAMP_TEXT];
    size_t n = timestamp_text(shown, digits, text) - 1; /* without the Z */
    int written = snprintf(out, TIMELINE_TIME, "%.*s", (int)n, text);
    char *date_end = strchr(out, 'T');
    if (date_end)
        *date_end = separator;
    long minutes = labs(offset) / 60;
    if (t->options.utc)
        written += snprintf(out + written, (size_t)(TIMELINE_TIME - written), "Z");
    else
        written += snprintf(out + written, (size_t)(TIMELINE_TIME - written), "%c%02ld:%02ld",
                            offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
    return slice_of(out, (size_t)written);
}

struct slice timeline_source(const struct timeline *t, struct origin origin)
{
    const struct inputs *inputs = t->options.inputs;
    if (inputs && origin.input < inputs_count(inputs))
        return inputs_get(inputs, origin.input)->name;
    if (!inputs && origin.input < t->options.sources_n)
        return t->options.sources[origin.input];
    return (struct slice){"", 0};
}
