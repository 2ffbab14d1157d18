#include "store/stored.h"

#include "base/text.h"

#include <stdlib.h>

struct block_packer {
    struct packer *packer;
    struct values_packer values;
    struct key_set keys;
    struct arena told; /* the last block's columns, names and short texts */
    struct buf bytes;  /* its streams */
    struct raw raw;
    uint64_t *row_numbers; /* room for one a row */
    struct buf filter;
    const struct value **list; /* of a column, in the order of first use */
    uint16_t *numbers;         /* a value's new number; other things by a value's number */
    uint32_t cap;
    struct arena scratch; /* of a block */
};

/* The values of a column, numbered anew by first use. */
struct numbered {
    uint32_t column;  /* of the block */
    uint16_t *rows;   /* a row's number, 0: none */
    uint16_t *values; /* by number: the block's, */
    uint32_t *first;  /* and the first row that has it */
    uint32_t n;
    bool absent;    /* in some row */
    int32_t leader; /* place of the column that this one follows, or -1 */
};

enum { RUN_LEAST = 4 };   /* rows a run has on average, to be stored as one */
#define UNTOLD UINT16_MAX /* no row has told yet */

struct block_packer *block_packer_new(void)
{
    struct block_packer *p = xcalloc(1, sizeof *p);
    p->packer = packer_new();
    p->row_numbers = xmalloc(BLOCK_ROWS * sizeof *p->row_numbers);
    return p;
}

void block_packer_free(struct block_packer *p)
{
    if (!p)
        return;
    packer_free(p->packer);
    values_packer_free(&p->values);
    key_set_free(&p->keys);
    arena_free(&p->told);
    arena_free(&p->scratch);
    buf_free(&p->bytes);
    buf_free(&p->raw.bytes);
    free(p->row_numbers);
    buf_free(&p->filter);
    free(p->list);
    free(p->numbers);
    free(p);
}

/* The largest unit of time that all times are whole numbers of. */
static int64_t time_unit(const struct block *b)
{
    static const int64_t units[] = {1000000000, 1000000, 1000, 100, 1};
    size_t unit = 0;
    for (uint32_t row = 0; row < b->rows; row++)
        while (b->times[row] != TIMESTAMP_NONE && b->times[row] % units[unit] != 0)
            unit++;
    return units[unit];
}

static void pack_times(struct block_packer *p, const struct block *b, struct stored_block *told)
{
    struct buf *raw = &p->raw.bytes;
    told->first = told->last = TIMESTAMP_NONE;
    for (uint32_t row = 0; row < b->rows; row++) {
        timestamp t = b->times[row];
        if (t == TIMESTAMP_NONE) {
            told->timeless++;
            continue;
        }
        if (told->first == TIMESTAMP_NONE || t < told->first)
            told->first = t;
        if (told->last == TIMESTAMP_NONE || t > told->last)
            told->last = t;
    }
    int64_t unit = time_unit(b);
    put_number(raw, (uint64_t)unit);
    buf_char(raw, told->timeless > 0);
    for (uint32_t row = 0; told->timeless && row < b->rows; row += 8) {
        unsigned bits = 0;
        for (uint32_t i = 0; i < 8 && row + i < b->rows; i++)
            bits |= (unsigned)(b->times[row + i] != TIMESTAMP_NONE) << i;
        buf_char(raw, (char)bits);
    }
    size_t n = 0;
    for (uint32_t row = 0; row < b->rows; row++)
        if (b->times[row] != TIMESTAMP_NONE)
            p->row_numbers[n++] = (uint64_t)(b->times[row] / unit);
    put_numbers(&p->raw, p->row_numbers, n);
}

bool times_unpack(struct slice raw, struct block *b)
{
    struct cursor c = cursor_of(raw);
    uint64_t unit = take_number(&c);
    const char *present = NULL;
    if (cursor_u8(&c))
        present = cursor_take(&c, (b->rows + 7) / 8).p;
    if (c.failed || unit == 0 || unit > NS_PER_SECOND)
        return false;
    size_t n = 0, next = 0;
    for (uint32_t row = 0; row < b->rows; row++)
        n += !present || (present[row / 8] >> row % 8 & 1);
    uint64_t *numbers = arena_alloc(&b->values, n * sizeof *numbers);
    if (!take_numbers(&c, numbers, n) || cursor_left(&c))
        return false;
    for (uint32_t row = 0; row < b->rows; row++) {
        if (present && !(present[row / 8] >> row % 8 & 1))
            continue;
        if (__builtin_mul_overflow((int64_t)numbers[next++], (int64_t)unit, &b->times[row]))
            return false;
    }
    return true;
}

static void pack_origins(struct block_packer *p, const struct block *b, uint32_t base,
                         struct stored_block *told)
{
    struct buf *raw = &p->raw.bytes;
    told->input_least = told->input_most = b->origins[0].input + base;
    told->record_least = told->record_most = b->origins[0].record;
    uint32_t input = 0;
    for (uint32_t row = 0, run; row < b->rows; row += run) {
        for (run = 1; row + run < b->rows; run++)
            if (b->origins[row + run].input != b->origins[row].input)
                break;
        put_number(raw, run);
        put_number(raw, zigzag((int64_t)b->origins[row].input + base - input));
        input = b->origins[row].input + base;
        if (input < told->input_least)
            told->input_least = input;
        if (input > told->input_most)
            told->input_most = input;
    }
    for (uint32_t row = 0; row < b->rows; row++) {
        uint64_t record = b->origins[row].record;
        p->row_numbers[row] = record;
        if (record < told->record_least)
            told->record_least = record;
        if (record > told->record_most)
            told->record_most = record;
    }
    put_numbers(&p->raw, p->row_numbers, b->rows);
}

bool origins_unpack(struct slice raw, struct block *b)
{
    struct cursor c = cursor_of(raw);
    uint64_t input = 0;
    for (uint32_t row = 0; row < b->rows;) {
        uint64_t run = take_number(&c);
        input += (uint64_t)unzigzag(take_number(&c));
        if (run == 0 || run > b->rows - row || input > UINT32_MAX)
            return false;
        for (; run; run--)
            b->origins[row++].input = (uint32_t)input;
    }
    uint64_t *records = arena_alloc(&b->values, b->rows * sizeof *records);
    if (c.failed || !take_numbers(&c, records, b->rows) || cursor_left(&c))
        return false;
    for (uint32_t row = 0; row < b->rows; row++)
        b->origins[row].record = records[row];
    return true;
}

/* Numbers the values by first use and leaves out those that no event has. */
static struct numbered number_values(struct block_packer *p, const struct block *b, uint32_t column)
{
    const struct column *c = &b->columns[column];
    struct numbered out = {.column = column, .leader = -1};
    if (c->values_n > p->cap) {
        p->cap = c->values_n;
        p->list = xrealloc(p->list, p->cap, sizeof *p->list);
        p->numbers = xrealloc(p->numbers, p->cap, sizeof *p->numbers);
    }
    memset(p->numbers, 0, c->values_n * sizeof *p->numbers);
    out.rows = arena_alloc(&p->scratch, b->rows * sizeof *out.rows);
    out.values = arena_alloc(&p->scratch, (c->values_n + 1) * sizeof *out.values);
    out.first = arena_alloc(&p->scratch, (c->values_n + 1) * sizeof *out.first);
    for (uint32_t row = 0; row < b->rows; row++) {
        uint16_t id = column_id(c, row);
        if (id && !p->numbers[id]) {
            out.values[++out.n] = id;
            out.first[out.n] = row;
            p->numbers[id] = (uint16_t)out.n;
        }
        out.rows[row] = id ? p->numbers[id] : 0;
        out.absent |= !id;
    }
    return out;
}

/* Codes of numbers: 0 for the value after the last that was told so, 1 for none, else one more than the
 * value's number. */
static void pack_codes(const uint16_t *numbers, uint32_t n, size_t width, struct raw *raw)
{
    char *codes = buf_room(&raw->bytes, n * width);
    uint32_t seen = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t code = numbers[i] + 1u;
        if (numbers[i] == seen + 1u) { /* a leader's values tell others in any order */
            seen++;
            code = 0;
        }
        codes[i] = (char)code;
        if (width == 2)
            codes[n + i] = (char)(code >> 8);
    }
    raw->bytes.n += n;
    raw_cut(raw);
    raw->bytes.n += n * (width - 1);
}

static size_t code_width(const struct stored_column *told)
{
    return told->values_n < 255 ? 1 : 2;
}

/* The value of `of` for each value of `leader`, 0 first; false when some has more than one. */
static bool tells(const struct numbered *leader, const struct numbered *of, uint32_t rows,
                  uint16_t *map)
{
    memset(map, 0xff, (leader->n + 1) * sizeof *map);
    for (uint32_t row = 0; row < rows; row++) {
        uint16_t *told = &map[leader->rows[row]];
        if (*told == UNTOLD)
            *told = of->rows[row];
        else if (*told != of->rows[row])
            return false;
    }
    return true;
}

static int by_values(const void *a, const void *b)
{
    const struct numbered *const *x = a, *const *y = b;
    return ((*x)->n > (*y)->n) - ((*x)->n < (*y)->n);
}

/* Finds columns that others tell: of those that can, the one of the fewest values. A leader follows
 * none itself, and has few values enough to be worth it. */
static void find_leaders(struct block_packer *p, struct numbered *columns, uint32_t n,
                         uint32_t rows)
{
    struct numbered **sorted = arena_alloc(&p->scratch, (n + 1) * sizeof *sorted);
    uint16_t *map = arena_alloc(&p->scratch, (BLOCK_ROWS + 1) * sizeof *map);
    uint32_t few = 0;
    for (uint32_t i = 0; i < n; i++)
        if (columns[i].n <= rows / 2 && (columns[i].n > 1 || columns[i].absent))
            sorted[few++] = &columns[i];
    qsort(sorted, few, sizeof *sorted, by_values);
    for (uint32_t i = few; i-- > 0;)
        for (uint32_t k = i + 1; k < few && sorted[i]->leader < 0; k++)
            if (sorted[k]->leader < 0 && tells(sorted[k], sorted[i], rows, map))
                sorted[i]->leader = (int32_t)(sorted[k] - columns);
}

/* Rows as runs; false when there are too many of them. */
static bool pack_runs(struct block_packer *p, const uint16_t *numbers, uint32_t rows, size_t width)
{
    uint32_t runs = 0;
    for (uint32_t row = 0; row < rows; row++)
        runs += row == 0 || numbers[row] != numbers[row - 1];
    if (runs > rows / RUN_LEAST)
        return false;
    uint16_t *of = arena_alloc(&p->scratch, runs * sizeof *of);
    runs = 0;
    for (uint32_t row = 0; row < rows; row++) {
        if (row == 0 || numbers[row] != numbers[row - 1]) {
            p->row_numbers[runs] = 0;
            of[runs++] = numbers[row];
        } else {
            p->row_numbers[runs - 1]++;
        }
    }
    put_number(&p->raw.bytes, runs);
    pack_codes(of, runs, width, &p->raw);
    raw_cut(&p->raw);
    put_numbers(&p->raw, p->row_numbers, runs);
    return true;
}

static void pack_rows(struct block_packer *p, const struct numbered *c,
                      const struct numbered *leader, uint32_t rows, struct stored_column *told)
{
    size_t width = code_width(told);
    told->absent = c->absent;
    if (c->n == 1 && !c->absent) {
        told->rows = ROWS_CONSTANT;
    } else if (leader) {
        uint16_t *map = arena_alloc(&p->scratch, (leader->n + 1) * sizeof *map);
        tells(leader, c, rows, map);
        if (map[0] == UNTOLD) /* the leader is in all rows */
            map[0] = 0;
        told->rows = ROWS_FOLLOW;
        pack_codes(map, leader->n + 1, width, &p->raw);
    } else if (!pack_runs(p, c->rows, rows, width)) {
        told->rows = width == 1 ? ROWS_BYTES : ROWS_WORDS;
        pack_codes(c->rows, rows, width, &p->raw);
    } else {
        told->rows = ROWS_RUNS;
    }
}

/* The numbers that `n` codes stand for; false when they are damaged. */
static bool unpack_codes(const struct stored_column *told, struct slice raw, uint32_t n,
                         uint16_t *numbers)
{
    size_t width = code_width(told);
    uint32_t seen = 0;
    if (raw.n != n * width || told->values_n == 0)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t code = (unsigned char)raw.p[i];
        if (width == 2)
            code |= (uint32_t)(unsigned char)raw.p[n + i] << 8;
        uint32_t number = code ? code - 1 : ++seen;
        if (number > told->values_n)
            return false;
        numbers[i] = (uint16_t)number;
    }
    return true;
}

static bool unpack_runs(const struct stored_column *told, struct slice raw, struct block *b,
                        uint16_t *numbers)
{
    struct cursor c = cursor_of(raw);
    uint64_t runs = take_number(&c);
    if (c.failed || runs > b->rows)
        return false;
    uint16_t *of = arena_alloc(&b->values, runs * sizeof *of);
    uint64_t *more = arena_alloc(&b->values, runs * sizeof *more);
    struct slice codes = cursor_take(&c, runs * code_width(told));
    if (c.failed || !unpack_codes(told, codes, (uint32_t)runs, of) ||
        !take_numbers(&c, more, runs) || cursor_left(&c))
        return false;
    uint32_t row = 0;
    for (uint64_t i = 0; i < runs; i++) {
        if (more[i] >= b->rows - row)
            return false;
        for (uint64_t k = 0; k <= more[i]; k++)
            numbers[row++] = of[i];
    }
    return row == b->rows;
}

/* A number for each row, of a column that follows none. */
static bool unpack_numbers(const struct stored_column *told, struct slice raw, struct block *b,
                           uint16_t *numbers)
{
    switch ((enum stored_rows)told->rows) {
    case ROWS_CONSTANT:
        for (uint32_t row = 0; row < b->rows; row++)
            numbers[row] = 1;
        return !raw.n && told->values_n > 0;
    case ROWS_BYTES:
    case ROWS_WORDS:
        return code_width(told) == (told->rows == ROWS_BYTES ? 1 : 2) &&
               unpack_codes(told, raw, b->rows, numbers);
    case ROWS_RUNS:
        return unpack_runs(told, raw, b, numbers);
    default:
        return false;
    }
}

bool rows_unpack(const struct stored_column *told, struct slice raw, struct block *b,
                 uint32_t column)
{
    uint16_t *ids = column_restore_ids(b, column);
    bool good = unpack_numbers(told, raw, b, ids);
    if (!good)
        memset(ids, 0, b->rows * sizeof *ids);
    return good;
}

bool rows_unpack_following(const struct stored_column *told, struct slice raw,
                           const struct stored_column *leader, struct slice leader_raw,
                           struct block *b, uint32_t column)
{
    uint16_t *ids = column_restore_ids(b, column);
    uint16_t *map = arena_alloc(&b->values, (leader->values_n + 1) * sizeof *map);
    bool good = told->rows == ROWS_FOLLOW && unpack_codes(told, raw, leader->values_n + 1, map) &&
                unpack_numbers(leader, leader_raw, b, ids);
    for (uint32_t row = 0; row < b->rows; row++)
        ids[row] = good ? map[ids[row]] : 0;
    return good;
}

bool rows_unpack_first(const struct stored_column *told, struct slice raw, struct block *b,
                       timestamp *when)
{
    uint16_t *numbers = arena_zero(&b->values, b->rows, sizeof *numbers);
    if (!unpack_numbers(told, raw, b, numbers))
        return false;
    uint32_t seen = 0;
    for (uint32_t row = 0; row < b->rows; row++)
        if (numbers[row] == seen + 1)
            when[seen++] = b->times[row];
    return seen == told->values_n;
}

static void keep_range(struct stored_column *told, struct slice folded, bool first)
{
    struct slice s = slice_sub(folded, 0, TEXT_RANGE);
    if (first || slice_compare(s, told->text_least) < 0)
        told->text_least = s;
    if (first || slice_compare(s, told->text_most) > 0)
        told->text_most = s;
}

/* Keys for the filter and the range of texts. */
static void index_values(struct block_packer *p, struct block *b, const struct numbered *values,
                         struct stored_column *told)
{
    const struct column *c = &b->columns[values->column];
    for (uint32_t n = 1; n <= values->n; n++) {
        uint16_t id = values->values[n];
        struct slice folded = column_folded(b, values->column, id);
        keep_range(told, folded, n == 1);
        filter_add_value(&p->keys, folded);
        if (c->values[id].type != VALUE_LIST)
            continue;
        struct value element;
        for (size_t at = 0; value_next(c->values[id], &at, &element);)
            filter_add_value(&p->keys, text_fold(&b->values, value_text(element, &b->values)));
    }
    told->text_least = arena_slice(&p->told, told->text_least);
    told->text_most = arena_slice(&p->told, told->text_most);
}

static enum status pack_column(struct block_packer *p, struct block *b, const struct numbered *all,
                               const struct numbered *c, struct stored_column *told,
                               struct error *err)
{
    const struct column *column = &b->columns[c->column];
    told->name = arena_slice(&p->told, column->name);
    told->values_n = c->n;
    for (uint32_t n = 0; n < c->n; n++)
        p->list[n] = &column->values[c->values[n + 1]];
    raw_clear(&p->raw);
    timestamp *when = NULL;
    if (c->leader < 0) {
        when = arena_alloc(&p->scratch, c->n * sizeof *when);
        for (uint32_t n = 0; n < c->n; n++)
            when[n] = b->times[c->first[n + 1]];
    }
    values_pack(&p->values, p->list, when, c->n, &p->raw, &told->range);
    enum status status = OK;
    if (p->raw.bytes.n <= VALUES_INLINE)
        told->values = arena_slice(&p->told, buf_slice(&p->raw.bytes));
    else
        status = packer_add_raw(p->packer, &p->raw, &p->bytes, &told->packed, err);
    raw_clear(&p->raw);
    told->leader = c->leader < 0 ? 0 : (uint32_t)c->leader;
    pack_rows(p, c, c->leader < 0 ? NULL : &all[c->leader], b->rows, told);
    if (status == OK)
        status = packer_add_raw(p->packer, &p->raw, &p->bytes, &told->codes, err);
    index_values(p, b, c, told);
    return status;
}

static enum status pack_columns(struct block_packer *p, struct block *b, struct stored_block *told,
                                struct error *err)
{
    struct numbered *columns = arena_zero(&p->scratch, b->columns_n, sizeof *columns);
    uint32_t n = 0;
    for (uint32_t i = 0; i < b->columns_n; i++) {
        columns[n] = number_values(p, b, i);
        n += columns[n].n > 0;
    }
    find_leaders(p, columns, n, b->rows);
    told->columns = arena_zero(&p->told, n, sizeof *told->columns);
    told->columns_n = n;
    for (uint32_t i = 0; i < n; i++) {
        enum status status = pack_column(p, b, columns, &columns[i], &told->columns[i], err);
        if (status != OK)
            return status;
    }
    return OK;
}

enum status block_pack(struct block_packer *p, struct block *b, uint32_t input_base,
                       struct packed_block *out, struct error *err)
{
    struct stored_block *told = &out->told;
    arena_reset(&p->told);
    arena_reset(&p->scratch);
    buf_clear(&p->bytes);
    key_set_clear(&p->keys);
    *out = (struct packed_block){.told = {.kind = b->kind, .rows = b->rows}};
    if (!b->rows || b->rows > BLOCK_ROWS)
        return error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET, "a block has %u events",
                         b->rows);
    raw_clear(&p->raw);
    pack_times(p, b, told);
    enum status status = packer_add_raw(p->packer, &p->raw, &p->bytes, &told->times, err);
    raw_clear(&p->raw);
    pack_origins(p, b, input_base, told);
    if (status == OK)
        status = packer_add_raw(p->packer, &p->raw, &p->bytes, &told->origins, err);
    if (status == OK)
        status = pack_columns(p, b, told, err);
    if (status != OK)
        return status;
    told->buckets = filter_buckets(p->keys.n);
    buf_clear(&p->filter);
    size_t filter_bytes = (size_t)told->buckets * BUCKET_BYTES;
    filter_build(&p->keys, told->buckets, buf_room(&p->filter, filter_bytes));
    out->filter = slice_of(p->filter.p, filter_bytes);
    out->bytes = buf_slice(&p->bytes);
    stored_place(told, 0);
    return OK;
}

bool stored_place(struct stored_block *b, uint64_t offset)
{
    uint64_t at = offset;
    b->offset = offset;
    b->times_at = at;
    at += b->times.stored;
    b->origins_at = at;
    at += b->origins.stored;
    for (uint32_t i = 0; i < b->columns_n; i++) {
        struct stored_column *c = &b->columns[i];
        c->packed_at = at;
        at += c->packed.stored;
        c->codes_at = at;
        at += c->codes.stored;
    }
    b->bytes = at - offset;
    return offset <= INT64_MAX && at >= offset && at <= INT64_MAX;
}
