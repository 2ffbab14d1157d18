#include "store/stored.h"

#include "base/text.h"

#include <stdlib.h>

struct block_packer {
    struct packer *packer;
    struct values_packer values;
    struct key_set keys;
    struct arena told; /* the last block's columns, names and short texts */
    struct buf bytes;  /* its streams */
    struct buf raw;
    struct buf filter;
    const struct value **list; /* of a column, in the order of first use */
    uint16_t *numbers;         /* a value's new number */
    uint32_t cap;
};

struct block_packer *block_packer_new(void)
{
    struct block_packer *p = xcalloc(1, sizeof *p);
    p->packer = packer_new();
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
    buf_free(&p->bytes);
    buf_free(&p->raw);
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

static void pack_times(const struct block *b, struct stored_block *told, struct buf *raw)
{
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
    uint64_t before = 0;
    for (uint32_t row = 0; row < b->rows; row++) {
        if (b->times[row] == TIMESTAMP_NONE)
            continue;
        uint64_t t = (uint64_t)(b->times[row] / unit);
        put_number(raw, zigzag((int64_t)(t - before)));
        before = t;
    }
}

bool times_unpack(struct slice raw, struct block *b)
{
    struct cursor c = cursor_of(raw);
    uint64_t unit = take_number(&c), t = 0;
    const char *present = NULL;
    if (cursor_u8(&c))
        present = cursor_take(&c, (b->rows + 7) / 8).p;
    if (c.failed || unit == 0 || unit > NS_PER_SECOND)
        return false;
    for (uint32_t row = 0; row < b->rows; row++) {
        if (present && !(present[row / 8] >> row % 8 & 1))
            continue;
        t += (uint64_t)unzigzag(take_number(&c));
        if (__builtin_mul_overflow((int64_t)t, (int64_t)unit, &b->times[row]))
            return false;
    }
    return !c.failed && cursor_left(&c) == 0;
}

static void pack_origins(const struct block *b, uint32_t base, struct stored_block *told,
                         struct buf *raw)
{
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
    uint64_t before = 0;
    for (uint32_t row = 0; row < b->rows; row++) {
        uint64_t record = b->origins[row].record;
        put_number(raw, zigzag((int64_t)(record - before)));
        before = record;
        if (record < told->record_least)
            told->record_least = record;
        if (record > told->record_most)
            told->record_most = record;
    }
}

bool origins_unpack(struct slice raw, struct block *b)
{
    struct cursor c = cursor_of(raw);
    uint64_t input = 0, record = 0;
    for (uint32_t row = 0; row < b->rows;) {
        uint64_t run = take_number(&c);
        input += (uint64_t)unzigzag(take_number(&c));
        if (run == 0 || run > b->rows - row || input > UINT32_MAX)
            return false;
        for (; run; run--)
            b->origins[row++].input = (uint32_t)input;
    }
    for (uint32_t row = 0; row < b->rows; row++) {
        record += (uint64_t)unzigzag(take_number(&c));
        b->origins[row].record = record;
    }
    return !c.failed && cursor_left(&c) == 0;
}

/* Numbers the values by first use and leaves out those that no event has. */
static uint32_t number_values(struct block_packer *p, const struct column *c, uint32_t rows)
{
    if (c->values_n > p->cap) {
        p->cap = c->values_n;
        p->list = xrealloc(p->list, p->cap, sizeof *p->list);
        p->numbers = xrealloc(p->numbers, p->cap, sizeof *p->numbers);
    }
    memset(p->numbers, 0, c->values_n * sizeof *p->numbers);
    uint32_t n = 0;
    for (uint32_t row = 0; row < rows; row++) {
        uint16_t id = column_id(c, row);
        if (!id || p->numbers[id])
            continue;
        p->list[n++] = &c->values[id];
        p->numbers[id] = (uint16_t)n;
    }
    return n;
}

/* A row's code: 0 for the next new value, 1 for none, else one more than the value's number. */
static void pack_rows(const struct block_packer *p, const struct column *c, uint32_t rows,
                      struct stored_column *told, struct buf *raw)
{
    size_t width = told->values_n < 255 ? 1 : 2;
    char *codes = buf_room(raw, rows * width);
    bool constant = told->values_n == 1;
    uint32_t seen = 0;
    for (uint32_t row = 0; row < rows; row++) {
        uint16_t id = column_id(c, row);
        uint32_t number = id ? p->numbers[id] : 0;
        uint32_t code = number + 1;
        if (number > seen) {
            seen = number;
            code = 0;
        }
        told->absent |= !id;
        codes[row] = (char)code;
        if (width == 2)
            codes[rows + row] = (char)(code >> 8);
    }
    constant &= !told->absent;
    told->rows = constant ? ROWS_CONSTANT : width == 1 ? ROWS_BYTES : ROWS_WORDS;
    if (!constant)
        raw->n += rows * width;
}

bool rows_unpack(const struct stored_column *told, struct slice raw, struct block *b,
                 uint32_t column)
{
    size_t width = told->rows == ROWS_WORDS ? 2 : told->rows == ROWS_BYTES;
    if (told->rows > ROWS_WORDS || raw.n != b->rows * width || told->values_n == 0)
        return false;
    uint16_t *ids = column_restore_ids(b, column);
    uint32_t seen = 0;
    for (uint32_t row = 0; row < b->rows; row++) {
        uint32_t code = 2;
        if (width)
            code = (unsigned char)raw.p[row];
        if (width == 2)
            code |= (uint32_t)(unsigned char)raw.p[b->rows + row] << 8;
        uint32_t number = code ? code - 1 : ++seen;
        if (number > told->values_n) {
            memset(ids, 0, b->rows * sizeof *ids);
            return false;
        }
        ids[row] = (uint16_t)number;
    }
    return true;
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
static void index_values(struct block_packer *p, struct block *b, uint32_t column,
                         struct stored_column *told)
{
    const struct column *c = &b->columns[column];
    bool first = true;
    for (uint32_t id = 1; id < c->values_n; id++) {
        if (!p->numbers[id])
            continue;
        struct slice folded = column_folded(b, column, id);
        keep_range(told, folded, first);
        first = false;
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

static enum status pack_column(struct block_packer *p, struct block *b, uint32_t column,
                               struct stored_column *told, struct error *err)
{
    const struct column *c = &b->columns[column];
    told->name = arena_slice(&p->told, c->name);
    buf_clear(&p->raw);
    values_pack(&p->values, p->list, told->values_n, &p->raw, &told->range);
    enum status status = OK;
    if (p->raw.n <= VALUES_INLINE)
        told->values = arena_slice(&p->told, buf_slice(&p->raw));
    else
        status = packer_add(p->packer, buf_slice(&p->raw), &p->bytes, &told->packed, err);
    buf_clear(&p->raw);
    pack_rows(p, c, b->rows, told, &p->raw);
    if (status == OK)
        status = packer_add(p->packer, buf_slice(&p->raw), &p->bytes, &told->codes, err);
    index_values(p, b, column, told);
    return status;
}

static enum status pack_columns(struct block_packer *p, struct block *b, struct stored_block *told,
                                struct error *err)
{
    told->columns = arena_zero(&p->told, b->columns_n, sizeof *told->columns);
    for (uint32_t i = 0; i < b->columns_n; i++) {
        uint32_t n = number_values(p, &b->columns[i], b->rows);
        if (!n)
            continue;
        struct stored_column *column = &told->columns[told->columns_n++];
        column->values_n = n;
        enum status status = pack_column(p, b, i, column, err);
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
    buf_clear(&p->bytes);
    key_set_clear(&p->keys);
    *out = (struct packed_block){.told = {.kind = b->kind, .rows = b->rows}};
    if (!b->rows || b->rows > BLOCK_ROWS)
        return error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET, "a block has %u events",
                         b->rows);
    buf_clear(&p->raw);
    pack_times(b, told, &p->raw);
    enum status status = packer_add(p->packer, buf_slice(&p->raw), &p->bytes, &told->times, err);
    buf_clear(&p->raw);
    pack_origins(b, input_base, told, &p->raw);
    if (status == OK)
        status = packer_add(p->packer, buf_slice(&p->raw), &p->bytes, &told->origins, err);
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
