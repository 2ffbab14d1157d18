#include "event/select.h"

#include "base/text.h"

/* An agent's name comes last: it may have collected the log from elsewhere. */
#define NAME(text)                                                                                 \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }
const struct slice host_fields[HOST_FIELDS] = {
    NAME("Computer"), NAME("host.name"), NAME("host.hostname"),  NAME("hostname"),
    NAME("Hostname"), NAME("host"),      NAME("agent.hostname"), NAME("agent.name"),
};
#undef NAME

/* A value of a block: its column and number. Number 0: no value. */
struct place {
    uint32_t column;
    uint16_t id;
};

struct host_columns {
    uint32_t at[HOST_FIELDS];
    uint32_t n;
};

/* Whether a field of that name tells where events of this kind are from. Zeek, which listens in between,
 * does not tell that at all: its "host" is what a client asked for, or an address seen. */
static bool names_host(const struct event_kind *kind, struct slice field)
{
    return !slice_equal(field, SLICE("host")) || !slice_equal(kind->product, SLICE("zeek"));
}

static struct host_columns find_host_columns(const struct block *b)
{
    struct host_columns columns = {.n = 0};
    for (size_t i = 0; i < HOST_FIELDS; i++) {
        if (!names_host(&b->kind, host_fields[i]))
            continue;
        int32_t column = block_find(b, host_fields[i]);
        if (column >= 0)
            columns.at[columns.n++] = (uint32_t)column;
    }
    return columns;
}

static struct place host_place(const struct block *b, const struct host_columns *columns,
                               uint32_t row)
{
    for (uint32_t i = 0; i < columns->n; i++) {
        uint16_t id = column_id(&b->columns[columns->at[i]], row);
        if (id)
            return (struct place){columns->at[i], id};
    }
    return (struct place){0};
}

struct slice block_host(struct block *b, uint32_t row)
{
    struct host_columns columns = find_host_columns(b);
    struct place host = host_place(b, &columns, row);
    return host.id ? column_text(b, host.column, host.id) : (struct slice){0};
}

static size_t character_length(struct slice s)
{
    size_t n = utf8_length(s);
    return n ? n : 1;
}

bool name_matches(struct slice pattern, struct slice name)
{
    /* where to go on when what follows the last '*' does not fit: the star takes one more */
    struct slice star = {0}, behind = {0};
    while (name.n) {
        if (pattern.n && pattern.p[0] == '*') {
            star = pattern = slice_sub(pattern, 1, pattern.n);
            behind = name;
        } else if (pattern.n && pattern.p[0] == '?') {
            pattern = slice_sub(pattern, 1, pattern.n);
            name = slice_sub(name, character_length(name), name.n);
        } else if (pattern.n && pattern.p[0] == name.p[0]) {
            pattern = slice_sub(pattern, 1, pattern.n);
            name = slice_sub(name, 1, name.n);
        } else if (star.p) {
            pattern = star;
            name = behind = slice_sub(behind, character_length(behind), behind.n);
        } else {
            return false;
        }
    }
    while (pattern.n && pattern.p[0] == '*')
        pattern = slice_sub(pattern, 1, pattern.n);
    return pattern.n == 0;
}

bool host_matches(struct slice pattern, struct slice host)
{
    if (name_matches(pattern, host))
        return true;
    ptrdiff_t dot = slice_find(host, SLICE("."));
    return dot > 0 && slice_find(pattern, SLICE(".")) < 0 &&
           name_matches(pattern, slice_sub(host, 0, (size_t)dot));
}

static bool time_wanted(timestamp t, const struct selection *wanted)
{
    if (wanted->from == TIMESTAMP_NONE && wanted->to == TIMESTAMP_NONE)
        return true;
    return t != TIMESTAMP_NONE && t >= wanted->from &&
           (wanted->to == TIMESTAMP_NONE || t < wanted->to);
}

/* The numbers of the wanted rows, ascending; returns how many. */
static uint32_t wanted_rows(struct block *b, const struct selection *wanted, uint16_t *rows)
{
    struct arena scratch = {0};
    struct host_columns columns = {.n = 0};
    struct slice pattern = {0};
    if (wanted->host) {
        columns = find_host_columns(b);
        pattern = text_fold(&scratch, slice_str(wanted->host));
    }
    uint32_t n = 0;
    struct place last = {0}; /* most events are from the host of the one before */
    bool last_wanted = pattern.p && host_matches(pattern, SLICE(""));
    for (uint32_t row = 0; row < b->rows; row++) {
        if (!time_wanted(b->times[row], wanted))
            continue;
        if (pattern.p) {
            struct place host = host_place(b, &columns, row);
            if (host.column != last.column || host.id != last.id) {
                last = host;
                last_wanted = host_matches(pattern, host.id ? column_folded(b, host.column, host.id)
                                                            : SLICE(""));
            }
            if (!last_wanted)
                continue;
        }
        rows[n++] = (uint16_t)row;
    }
    arena_free(&scratch);
    return n;
}

void block_keep(struct block *b, const uint16_t *rows, uint32_t n)
{
    if (n == b->rows)
        return;
    for (uint32_t i = 0; i < n; i++) {
        b->times[i] = b->times[rows[i]];
        b->origins[i] = b->origins[rows[i]];
    }
    for (uint32_t c = 0; c < b->columns_n; c++) {
        struct column *column = &b->columns[c];
        uint32_t i = 0;
        for (; i < n && rows[i] < column->ids_n; i++)
            column->ids[i] = column->ids[rows[i]];
        column->ids_n = i;
    }
    b->rows = n;
}

uint32_t block_select(struct block *b, const struct selection *wanted)
{
    uint16_t rows[BLOCK_ROWS];
    if (wanted->from == TIMESTAMP_NONE && wanted->to == TIMESTAMP_NONE && !wanted->host)
        return b->rows;
    block_keep(b, rows, wanted_rows(b, wanted, rows));
    return b->rows;
}
