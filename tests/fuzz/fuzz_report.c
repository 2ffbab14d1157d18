/*
 * Any bytes as what a finding and its rule say, in every format: nothing reads past them, nothing that
 * steers a terminal comes out, and evidence ends no element of the page.
 */
#include "base/cursor.h"
#include "base/text.h"
#include "report/timeline.h"

#include <stdlib.h>

static struct slice text(struct cursor *c)
{
    size_t n = cursor_u8(c);
    return cursor_take(c, n < cursor_left(c) ? n : cursor_left(c));
}

static void check_harmless(struct slice s)
{
    for (size_t at = 0; at < s.n;) {
        size_t n = utf8_length(slice_sub(s, at, 4));
        unsigned char byte = (unsigned char)s.p[at];
        if (!n || (byte < ' ' && byte != '\n' && byte != '\r') || byte == 0x7f ||
            (byte == 0xc2 && (unsigned char)s.p[at + 1] < 0xa0))
            abort();
        at += n;
    }
}

static void write_as(const char *format, const struct finding *finding, unsigned width)
{
    struct error err = {0};
    struct timeline_options options = {.width = width, .utc = true};
    char *bytes = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&bytes, &n);
    struct summary *summary = summary_new();
    summary_add(summary, finding);
    struct timeline *t = timeline_begin(timeline_format_find(format), &options, out, &err);
    if (!t || timeline_add(t, finding, &err) != OK || timeline_end(t, summary, &err) != OK)
        abort();
    summary_free(summary);
    fclose(out);
    struct slice written = slice_of(bytes, n);
    check_harmless(written);
    if (strcmp(format, "html") == 0 && slice_count(written, SLICE("</script")) != 3)
        abort();
    if (strcmp(format, "jsonl") == 0 && slice_count(written, SLICE("\n")) != 1)
        abort();
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cursor_of(slice_of(data, size));
    struct slice tags[3];
    struct finding_field fields[3];
    struct origin origin = {0, cursor_u64(&c)};
    struct sigma_rule rule = {
        .level = (enum sigma_level)(cursor_u8(&c) % 6), .tags = tags, .tags_n = 3};
    timestamp time = (timestamp)cursor_u64(&c);
    unsigned width = cursor_u8(&c);
    struct finding finding = {.rule = &rule,
                              .time = time,
                              .first = (timestamp)cursor_u64(&c),
                              .count = 1 + cursor_u8(&c) % 2,
                              .events = &origin,
                              .events_n = 1,
                              .fields = fields,
                              .fields_n = 3};
    rule.title = text(&c);
    rule.id = text(&c);
    rule.description = text(&c);
    finding.host = text(&c);
    finding.channel = text(&c);
    finding.code = text(&c);
    for (int i = 0; i < 3; i++) {
        tags[i] = text(&c);
        fields[i] = (struct finding_field){text(&c), text(&c)};
    }
    for (const struct timeline_format *const *f = timeline_formats; *f; f++)
        write_as((*f)->name, &finding, width);
    return 0;
}
