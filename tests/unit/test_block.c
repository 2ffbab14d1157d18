#include "test.h"

#include "event/block.h"

#include <stdio.h>

/* What a sink saw: counts, and the text of one field by row of the newest block. */
struct seen {
    uint32_t blocks, rows, values;
    char texts[4][64];
};

static enum status take(void *ctx, struct block *b, struct error *err)
{
    (void)err;
    struct seen *s = ctx;
    s->blocks++;
    s->rows += b->rows;
    int32_t c = block_find(b, SLICE("User"));
    if (c >= 0)
        s->values = b->columns[c].values_n - 1;
    for (uint32_t row = 0; row < b->rows && row < 4; row++)
        snprintf(s->texts[row], sizeof s->texts[row], "%.*s",
                 SLICE_ARG(block_text(b, row, SLICE("User"))));
    return OK;
}

static const struct event_kind logon = {.channel = {"Security", 8}, .code = {"4624", 4}};

static void values_once(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct block_set *set = block_set_new((struct block_sink){take, &seen});
    for (uint64_t i = 0; i < 3; i++) {
        struct block *b = block_set_open(set, &logon);
        assert_int_equal(block_row(b, 5, (struct origin){0, i}, NULL), OK);
        if (i != 1) /* the second event has no user */
            block_put(b, block_column(b, SLICE("User")), (struct value){"a\0b\0", 4, VALUE_UTF16});
    }
    assert_int_equal(block_set_flush(set, NULL), OK);
    assert_int_equal(seen.rows, 3);
    assert_int_equal(seen.values, 1);
    assert_string_equal(seen.texts[0], "ab");
    assert_string_equal(seen.texts[1], "");
    assert_string_equal(seen.texts[2], "ab");
    assert_int_equal(block_set_flush(set, NULL), OK); /* nothing twice */
    assert_int_equal(seen.blocks, 1);
    block_set_free(set);
}

static void several_values(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct block_set *set = block_set_new((struct block_sink){take, &seen});
    struct block *b = block_set_open(set, &logon);
    for (int row = 0; row < 2; row++) {
        uint64_t n = 7;
        block_row(b, 5, (struct origin){0, 0}, NULL);
        uint32_t c = block_column(b, SLICE("User"));
        block_put(b, c, value_of_text(SLICE("x")));
        if (row)
            continue;
        block_put(b, c, value_of_text(SLICE("y")));
        block_put(b, c, (struct value){&n, 8, VALUE_UINT});
    }
    block_set_flush(set, NULL);
    assert_string_equal(seen.texts[0], "x, y, 7");
    assert_string_equal(seen.texts[1], "x");
    block_set_free(set);
}

static void full_blocks(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct block_set *set = block_set_new((struct block_sink){take, &seen});
    for (uint32_t i = 0; i < BLOCK_ROWS * 2 + 5; i++) {
        struct block *b = block_set_open(set, &logon);
        char text[16];
        size_t n = (size_t)snprintf(text, sizeof text, "%u", i);
        block_row(b, i, (struct origin){0, i}, NULL);
        block_put(b, block_column(b, SLICE("User")), value_of_text(slice_of(text, n)));
        block_put(b, block_column(b, SLICE("Host")), value_of_text(SLICE("h")));
    }
    assert_int_equal(seen.blocks, 2);
    block_set_flush(set, NULL);
    assert_int_equal(seen.blocks, 3);
    assert_int_equal(seen.rows, BLOCK_ROWS * 2 + 5);
    assert_string_equal(seen.texts[1], "32769");
    block_set_free(set);
}

static void many_names(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct block_set *set = block_set_new((struct block_sink){take, &seen});
    struct block *b = block_set_open(set, &logon);
    uint64_t epoch = block_set_epoch(set);
    block_row(b, 0, (struct origin){0, 0}, NULL);
    for (int i = 0; i <= BLOCK_COLUMNS; i++) {
        char text[16];
        size_t n = (size_t)snprintf(text, sizeof text, "f%d", i);
        uint32_t c = block_column(b, slice_of(text, n));
        assert_int_equal(c == BLOCK_NO_COLUMN, i == BLOCK_COLUMNS);
        block_put(b, c, value_of_text(SLICE("v")));
    }
    block_row(b, 0, (struct origin){0, 1}, NULL);
    assert_int_equal(seen.blocks, 1);
    assert_true(block_set_epoch(set) != epoch);
    assert_int_equal(block_column(b, SLICE("new")), 0);
    assert_int_equal(block_set_trim(set, 0, NULL), OK);
    assert_int_equal(seen.rows, 2);
    block_set_free(set);
}

static void texts_of_values(void **state)
{
    (void)state;
    struct arena a = {0};
    uint64_t n = 0x3e7;
    int64_t minus = -5;
    double d = 0.1;
    uint64_t ft = 116444736000000001;
    assert_slice(value_text((struct value){&n, 8, VALUE_HEX}, &a), "0x3e7");
    assert_slice(value_text((struct value){&n, 8, VALUE_UINT}, &a), "999");
    assert_slice(value_text((struct value){&minus, 8, VALUE_INT}, &a), "-5");
    assert_slice(value_text((struct value){&d, 8, VALUE_DOUBLE}, &a), "0.1");
    assert_slice(value_text((struct value){&ft, 8, VALUE_FILETIME}, &a),
                 "1970-01-01T00:00:00.0000001Z");
    ft = 0; /* out of what a timestamp holds */
    assert_slice(value_text((struct value){&ft, 8, VALUE_FILETIME}, &a),
                 "1601-01-01T00:00:00.0000000Z");
    ft = INT64_MAX;
    assert_slice(value_text((struct value){&ft, 8, VALUE_FILETIME}, &a),
                 "30828-09-14T02:48:05.4775807Z");
    assert_slice(
        value_text((struct value){"\x01\x02\0\0\0\0\0\x05\x20\0\0\0\x20\x02\0\0", 16, VALUE_SID},
                   &a),
        "S-1-5-32-544");
    assert_slice(value_text((struct value){"\x01\x0f\0\0\0\0\0\x05", 8, VALUE_SID}, &a),
                 "010F000000000005");
    assert_slice(
        value_text(
            (struct value){"\x04\xf2\x50\x3f\x89\x4f\xd3\x11\x9a\x0c\x03\x05\xe8\x2c\x33\x01", 16,
                           VALUE_GUID},
            &a),
        "{3F50F204-4F89-11D3-9A0C-0305E82C3301}");
    assert_slice(value_text((struct value){"\xab", 1, VALUE_GUID}, &a), "AB");
    assert_slice(value_text((struct value){"a\0\0\0", 4, VALUE_UTF16}, &a), "a");
    assert_slice(value_text((struct value){NULL, 0, VALUE_NULL}, &a), "");
    struct buf list = {0}, out = {0};
    value_list_add(&list, value_of_text(SLICE("q\"")));
    value_list_add(&list, (struct value){&minus, 8, VALUE_INT});
    value_list_add(&list, (struct value){NULL, 0, VALUE_NULL});
    value_json(value_of_list(&list), &out, &a);
    assert_slice(buf_slice(&out), "[\"q\\\"\",-5,null]");
    buf_free(&list);
    buf_free(&out);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_once),     cmocka_unit_test(several_values),
        cmocka_unit_test(full_blocks),     cmocka_unit_test(many_names),
        cmocka_unit_test(texts_of_values),
    };
    return cmocka_run_group_tests_name("block", tests, NULL, NULL);
}
