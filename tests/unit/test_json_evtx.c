/* SigmaHQ's regression cases come as .evtx and as .json made from it: both readers must tell the same. */
#include "test.h"

#include "base/vec.h"
#include "intake/intake.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct event {
    char *key; /* file without extension, and the record's number */
    char *text;
    bool json;
};

struct events {
    struct {
        struct event *at;
        size_t n, cap;
    } list;
    struct inputs *inputs;
};

/* The JSON writes GUIDs without braces. Taken off everywhere, and to upper case, so that a GUID inside
 * a text is the same too. */
static void put_plain(struct buf *out, struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '{' && s.p[i] != '}')
            buf_char(out, (char)toupper((unsigned char)s.p[i]));
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *field_text(struct block *b, uint32_t column, uint16_t id)
{
    struct buf out = {0};
    buf_add(&out, b->columns[column].name);
    buf_char(&out, '=');
    put_plain(&out, slice_trim(column_text(b, column, id)));
    buf_char(&out, '\n');
    buf_char(&out, '\0');
    return out.p;
}

static char *row_text(struct block *b, uint32_t row)
{
    char *fields[BLOCK_COLUMNS];
    size_t n = 0;
    struct buf out = {0};
    const struct event_kind *k = &b->kind;
    buf_printf(&out, "%.*s/%.*s %.*s|%.*s|%.*s at %lld\n", SLICE_ARG(k->product),
               SLICE_ARG(k->service), SLICE_ARG(k->channel), SLICE_ARG(k->provider),
               SLICE_ARG(k->code), (long long)(b->times[row] / 1000));
    for (uint32_t c = 0; c < b->columns_n; c++) {
        uint16_t id = column_id(&b->columns[c], row);
        if (id)
            fields[n++] = field_text(b, c, id);
    }
    if (n)
        qsort(fields, n, sizeof *fields, by_text);
    for (size_t i = 0; i < n; i++) {
        buf_add(&out, slice_str(fields[i]));
        free(fields[i]);
    }
    buf_char(&out, '\0');
    return out.p;
}

static enum status take(void *ctx, struct block *b, struct error *err)
{
    struct events *events = ctx;
    (void)err;
    for (uint32_t row = 0; row < b->rows; row++) {
        struct slice name = inputs_get(events->inputs, b->origins[row].input)->name;
        bool json = slice_ends(name, SLICE(".json"));
        struct buf key = {0};
        buf_add(&key, slice_sub(name, 0, name.n - 5)); /* ".json", ".evtx" */
        buf_printf(&key, ":%llu", (unsigned long long)b->origins[row].record);
        buf_char(&key, '\0');
        *VEC_PUSH(events->list) = (struct event){key.p, row_text(b, row), json};
    }
    return OK;
}

static struct block_sink sink_of(void *ctx, unsigned worker)
{
    (void)worker;
    return (struct block_sink){take, ctx};
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct event *)a)->key, ((const struct event *)b)->key);
}

/* Looks for the .evtx's event of the same key among its neighbours. */
static const char *other_text(const struct events *events, size_t i)
{
    size_t from = i;
    while (from > 0 && by_key(&events->list.at[from - 1], &events->list.at[i]) == 0)
        from--;
    for (; from < events->list.n && by_key(&events->list.at[from], &events->list.at[i]) == 0;
         from++)
        if (!events->list.at[from].json)
            return events->list.at[from].text;
    return "no such record";
}

static void same_events(void **state)
{
    (void)state;
    char path[4096];
    const char *root = getenv("SOURCE_ROOT");
    snprintf(path, sizeof path, "%s/../shared/data/sigma/regression_data", root ? root : ".");
    if (access(path, R_OK) != 0) {
        printf("# skip: no %s\n", path);
        return;
    }
    const char *paths[] = {path};
    struct problems *problems = problems_new();
    struct events events = {.inputs = inputs_find(paths, 1, problems)};
    struct intake job = {.inputs = events.inputs,
                         .problems = problems,
                         .threads = 1,
                         .sink = sink_of,
                         .ctx = &events};
    struct intake_counts counts;
    assert_int_equal(intake_run(&job, &counts, NULL), OK);
    qsort(events.list.at, events.list.n, sizeof *events.list.at, by_key);
    size_t compared = 0;
    for (size_t i = 0; i < events.list.n; i++)
        if (events.list.at[i].json) {
            assert_string_equal(events.list.at[i].text, other_text(&events, i));
            compared++;
        }
    printf("# %zu events compared\n", compared);
    assert_true(compared > 0);
    for (size_t i = 0; i < events.list.n; i++) {
        free(events.list.at[i].key);
        free(events.list.at[i].text);
    }
    free(events.list.at);
    inputs_free(events.inputs);
    problems_free(problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_events),
    };
    return cmocka_run_group_tests_name("json_evtx", tests, NULL, NULL);
}
