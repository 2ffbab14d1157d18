/* Events as text, to compare with: one a line,
 *     TIME product/category/service channel|provider|code #RECORD name=value name=value ...
 * with "-" for no time; names in the order of the block's columns. */
#ifndef TESTS_UNIT_EVENTS_H
#define TESTS_UNIT_EVENTS_H

#include "event/block.h"

static inline void events_put_row(struct buf *out, struct block *b, uint32_t row)
{
    char time[TIMESTAMP_TEXT] = "-";
    const struct event_kind *k = &b->kind;
    if (b->times[row] != TIMESTAMP_NONE)
        timestamp_text(b->times[row], 6, time);
    buf_printf(out, "%s %.*s/%.*s/%.*s %.*s|%.*s|%.*s #%llu", time, SLICE_ARG(k->product),
               SLICE_ARG(k->category), SLICE_ARG(k->service), SLICE_ARG(k->channel),
               SLICE_ARG(k->provider), SLICE_ARG(k->code),
               (unsigned long long)b->origins[row].record);
    for (uint32_t c = 0; c < b->columns_n; c++) {
        uint16_t id = column_id(&b->columns[c], row);
        if (id)
            buf_printf(out, " %.*s=%.*s", SLICE_ARG(b->columns[c].name),
                       SLICE_ARG(column_text(b, c, id)));
    }
    buf_char(out, '\n');
}

/* A sink whose context is a struct buf. */
static inline enum status events_put_block(void *ctx, struct block *b, struct error *err)
{
    (void)err;
    for (uint32_t row = 0; row < b->rows; row++)
        events_put_row(ctx, b, row);
    return OK;
}

#endif
