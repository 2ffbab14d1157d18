/* What the writers of the timeline share. */
#ifndef REPORT_TIMELINE_INTERNAL_H
#define REPORT_TIMELINE_INTERNAL_H

#include "base/buf.h"
#include "report/timeline.h"

struct timeline {
    const struct timeline_format *format;
    struct timeline_options options;
    FILE *out;
    struct buf line; /* what is built up before it is written */
    uint64_t n;      /* findings so far */
    void *own;       /* the writer's, from malloc; freed by timeline_end */
};

/* "2026-11-10T10:23:41.1234567Z", or with the offset of local time; `separator` is 'T' or ' '.
 * Empty for no time. `digits` is how many the second's fraction has. */
enum { TIMELINE_TIME = 48 };
struct slice timeline_time(const struct timeline *t, timestamp time, char separator, int digits,
                           char out[TIMELINE_TIME]);

/* With all that the time tells: seven digits, which a Windows time has, or nine. */
static inline struct slice timeline_precise(const struct timeline *t, timestamp time,
                                            char out[TIMELINE_TIME])
{
    return timeline_time(t, time, 'T', time % 100 ? 9 : 7, out);
}

/* The name of an event's input; empty when it is not known. */
struct slice timeline_source(const struct timeline *t, struct origin origin);

/* Is it a correlation's, which stands for several events? */
static inline bool timeline_of_several(const struct finding *finding)
{
    return finding->count > 1 || finding->events_n > 1;
}

extern const struct timeline_format timeline_text, timeline_jsonl, timeline_csv,
    timeline_timesketch, timeline_html;

#endif
