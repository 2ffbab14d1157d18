/* Answers of hunts in all their forms: tests/golden/hunt/answers.txt. The rows are those that the query
 * itself writes out. */
#include "hunt/parse.h"
#include "report/answer.h"

#include "unit/golden.h"

static const struct hunt_value *cell(const struct plan_operator *op, uint32_t row, uint32_t column)
{
    for (uint32_t i = 0; i < op->values.columns_n; i++)
        if (op->values.columns[i] == column)
            return &op->values.values[row * op->values.columns_n + i];
    return NULL;
}

/* The answer of a query that is nothing but a datatable (and how it is drawn). */
static void answer_of(const char *query, const struct answer_options *options, struct buf *out)
{
    struct hunt_setup setup = {.now = 0};
    struct error err;
    const struct hunt_value *values[8];
    char *bytes = NULL;
    size_t n = 0;
    struct plan *plan = plan_parse(slice_str(query), &setup, &err);
    if (!plan) {
        fail_msg("%s", err.what);
        return;
    }
    assert_int_equal(plan->root->kind, OP_VALUES);
    assert_true(plan->output_n <= 8);
    FILE *file = open_memstream(&bytes, &n);
    struct answer *a = answer_new(plan, options, file);
    for (uint32_t row = 0; row < plan->root->values.rows_n; row++) {
        for (uint32_t i = 0; i < plan->output_n; i++)
            values[i] = cell(plan->root, row, plan->output[i]);
        assert_int_equal(answer_row(a, values, &err), OK);
    }
    assert_int_equal(answer_end(a, &err), OK);
    assert_int_equal(answer_rows(a), plan->root->values.rows_n);
    answer_free(a);
    fclose(file);
    buf_add(out, slice_of(bytes, n));
    buf_add(out, SLICE("----\n"));
    free(bytes);
    hunt_plan_free(plan);
}

static const char every_type[] =
    "datatable(text:string, n:long, r:real, yes:bool, at:datetime, span:timespan, d:dynamic) ["
    "'=1+1', 1, 0.5, true, datetime(2026-11-10T10:23:41.5Z), 90s, dynamic({'a':[1,'x']}),"
    "'消防\\u202e \"quoted\"\\n\\x1b[31m', -9223372036854775807, 1e300, false, "
    "datetime(1999-12-31), -1d,"
    "  dynamic([]),"
    "'', long(null), real(null), bool(null), datetime(null), timespan(null), dynamic(null)]";

static const char events[] =
    "datatable(extra:string, ['*']:dynamic) ["
    "'one', dynamic({'Timestamp':'2026-11-10T10:23:41Z','host.name':'pc01','event.code':'1',"
    "  'extra':'not told twice','Image':'C:\\\\a\\\\\\u001b[31m.exe','CommandLine':'a b c d e f g "
    "h i j k l m n',"
    "  'n':5,'list':['a','b'],'empty':''}),"
    "'two', dynamic(null)]";

static const char times[] =
    "datatable(at:datetime, host:string, n:long) ["
    "datetime(2026-11-10T00:00), 'pc01', 1, datetime(2026-11-10T01:00), 'pc01', 8,"
    "datetime(2026-11-10T05:00), 'pc01', 4, datetime(2026-11-10T02:00), 'pc02', 1000,"
    "datetime(null), 'pc02', 5, datetime(2026-11-10T03:00), 'pc02', long(null)]"
    "| render timechart with (title='two hosts')";

static const char bars[] = "datatable(host:string, kind:long, word:string) ["
                           "'pc01', 80, 'a', 'とても長い名前のホスト', 40, 'b', 'pc03', 0, 'c',"
                           "'pc04', long(null), 'd', 'pc05', 1, 'e'] | render barchart";

static void test_forms(void **state)
{
    (void)state;
    struct buf out = {0};
    static const char *const queries[] = {every_type, events};
    for (size_t i = 0; i < 2; i++) {
        answer_of(queries[i], &(struct answer_options){.format = ANSWER_TABLE, .width = 80}, &out);
        answer_of(queries[i], &(struct answer_options){.format = ANSWER_JSONL}, &out);
        answer_of(queries[i], &(struct answer_options){.format = ANSWER_CSV}, &out);
    }
    golden("hunt/answers.txt", buf_slice(&out));
    buf_free(&out);
}

static void test_charts(void **state)
{
    (void)state;
    struct buf out = {0};
    static const char *const queries[] = {times, bars};
    for (size_t i = 0; i < 2; i++) {
        answer_of(queries[i], &(struct answer_options){.format = ANSWER_TABLE, .width = 60}, &out);
        answer_of(queries[i], &(struct answer_options){.format = ANSWER_TABLE, .width = 20}, &out);
        answer_of(queries[i], &(struct answer_options){.format = ANSWER_TABLE}, &out);
    }
    golden("hunt/charts.txt", buf_slice(&out));
    buf_free(&out);
}

/* A table that is longer than a page, and no rows at all. */
static void test_pages(void **state)
{
    (void)state;
    struct buf query = {0}, out = {0};
    buf_add(&query, SLICE("datatable(n:long) ["));
    for (unsigned i = 0; i < 1200; i++)
        buf_printf(&query, "%s%u", i ? "," : "", i);
    buf_add(&query, SLICE("]"));
    buf_char(&query, '\0');
    answer_of(query.p, &(struct answer_options){.format = ANSWER_TABLE, .width = 80}, &out);
    unsigned lines = 0;
    for (size_t i = 0; i < out.n; i++)
        lines += out.p[i] == '\n';
    assert_int_equal(lines, 1200 + 3 + 1); /* three pages with a head, and the mark of the test */
    buf_clear(&out);
    answer_of("datatable(n:long) []", &(struct answer_options){.format = ANSWER_TABLE}, &out);
    assert_slice(buf_slice(&out), "----\n");
    buf_clear(&out);
    answer_of("datatable(n:long) [] | render barchart",
              &(struct answer_options){.format = ANSWER_TABLE}, &out);
    assert_slice(buf_slice(&out), "----\n");
    buf_free(&query);
    buf_free(&out);
}

static void test_full_disk(void **state)
{
    (void)state;
    struct hunt_setup setup = {.now = 0};
    struct error err;
    struct plan *plan = plan_parse(SLICE("datatable(n:long) [1]"), &setup, &err);
    FILE *full = fopen("/dev/full", "w");
    struct answer *a = answer_new(plan, &(struct answer_options){.format = ANSWER_JSONL}, full);
    const struct hunt_value *values[] = {cell(plan->root, 0, plan->output[0])};
    assert_int_equal(answer_row(a, values, &err), OK);
    assert_int_equal(answer_end(a, &err), STATUS_SYSTEM);
    answer_free(a);
    fclose(full);
    hunt_plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_charts),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
