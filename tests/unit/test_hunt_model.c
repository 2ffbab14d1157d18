/*
 * Random events in a store, random hunts over it: the answers are those of the model, exactly; while
 * events are taken in, merged, expired, and the store is opened again.
 */
#include "test.h"

#include "memory_io.h"

#include "base/vec.h"
#include "hunt/local.h"
#include "hunt/parse.h"
#include "hunt/run.h"
#include "hunt/scalar.h"
#include "model/hunt_random.h"
#include "store/retention.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define FOLDER "data"
#define DAY (INT64_C(86400) * NS_PER_SECOND)

enum { BATCH = 90, BATCHES = 9, HUNTS = 12, INPUT = 0 };

struct fixture {
    struct hunt_random random;
    struct memory_io *io;
    struct mappings *mappings;
    struct arena arena;
    struct {
        struct slow_event *at;
        size_t n, cap;
    } events;
    timestamp now;
    uint64_t next_record;
    uint64_t hunts, rows; /* compared so far */
};

/* ---- the store ---- */

static void put_event(struct block_set *set, const struct slow_event *e)
{
    struct block *b = block_set_open(set, &e->kind);
    struct error err;
    assert_int_equal(block_row(b, e->time, (struct origin){INPUT, e->record}, &err), OK);
    for (uint32_t i = 0; i < e->fields_n; i++)
        block_put(b, block_column(b, e->fields[i].name), e->fields[i].value);
}

/* Takes in events [from, n) as one file. */
static void take_in(struct fixture *f, struct store *s, size_t from)
{
    struct error err = {0};
    struct slice name = f->events.at[from].file;
    struct store_input input = {
        .name = name, .format = SLICE("test"), .events = f->events.n - from};
    struct store_file file = {.name = name,
                              .by = SLICE("user@host"),
                              .bytes = 1 + from,
                              .taken = f->now,
                              .modified = f->now,
                              .inputs = &input,
                              .inputs_n = 1};
    memcpy(file.sha256.bytes, &from, sizeof from);
    assert_int_equal(store_begin(s, &err), OK);
    struct store_sink *sink = store_sink_new(s);
    struct block_set *set = block_set_new((struct block_sink){store_take, sink});
    for (size_t i = from; i < f->events.n; i++)
        put_event(set, &f->events.at[i]);
    assert_int_equal(block_set_flush(set, &err), OK);
    block_set_free(set);
    store_sink_free(sink);
    assert_int_equal(store_commit(s, &file, 1, &err), OK);
}

static void add_events(struct fixture *f)
{
    size_t from = f->events.n;
    struct slice file = arena_printf(&f->arena, "log-%zu", from);
    for (int i = 0; i < BATCH; i++) {
        struct slow_event e = random_event(&f->random, f->next_record++, file, &f->arena);
        *VEC_PUSH(f->events) = e;
    }
    struct error err = {0};
    struct store *s = store_open(memory_io(f->io), FOLDER, STORE_WRITE, NULL, &err);
    assert_non_null(s);
    take_in(f, s, from);
    if (random_below(&f->random, 2))
        assert_int_equal(store_merge(s, &err), OK);
    store_close(s);
}

/* Windows' Security events older than a while go. */
static void expire(struct fixture *f)
{
    struct error err = {0};
    int64_t period = (40 + random_below(&f->random, 40)) * DAY;
    struct store_retain rule = {.source = SLICE("windows/Security"),
                                .reason = SLICE("test"),
                                .by = SLICE("user@host"),
                                .period = period,
                                .at = f->now};
    struct expire_report report = {0};
    struct arena a = {0};
    struct store *s = store_open(memory_io(f->io), FOLDER, STORE_WRITE, NULL, &err);
    assert_non_null(s);
    assert_int_equal(store_retain(s, &rule, &err), OK);
    enum status status = store_expire(s, f->now, SLICE("user@host"), false, &a, &report, &err);
    if (status != OK)
        print_message("# %s: %s\n", err.where, err.what);
    assert_int_equal(status, OK);
    store_close(s);
    arena_free(&a);
    size_t n = 0;
    for (size_t i = 0; i < f->events.n; i++) {
        struct slow_event *e = &f->events.at[i];
        bool old = e->time != TIMESTAMP_NONE && e->time < f->now - period;
        if (!old || !slice_equal(e->kind.channel, SLICE("Security")))
            f->events.at[n++] = *e;
    }
    f->events.n = n;
}

/* ---- answers ---- */

struct lines {
    struct slice *at;
    size_t n, cap;
    struct arena arena;
};

static int by_text(const void *a, const void *b)
{
    const struct slice *x = a, *y = b;
    return slice_compare(*x, *y);
}

/* JSON in one form: members by name, the elements of arrays in order of their texts. */
static struct slice canonical(json_t *json, struct arena *a)
{
    if (json_is_array(json)) {
        struct lines parts = {0};
        struct slice all = SLICE("");
        for (size_t i = 0; i < json_array_size(json); i++)
            *VEC_PUSH(parts) = canonical(json_array_get(json, i), a);
        if (parts.n)
            qsort(parts.at, parts.n, sizeof *parts.at, by_text);
        for (size_t i = 0; i < parts.n; i++)
            all = arena_printf(a, "%.*s%.*s,", SLICE_ARG(all), SLICE_ARG(parts.at[i]));
        free(parts.at);
        return arena_printf(a, "[%.*s]", SLICE_ARG(all));
    }
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    struct slice out = arena_slice(a, slice_str(text));
    free(text);
    return out;
}

static struct slice value_line(const struct hunt_value *v, struct arena *a)
{
    if (!v || v->null)
        return SLICE("null");
    if (v->type != TYPE_DYNAMIC)
        return value_string(v, a);
    json_t *json = json_loadb(v->text.p, v->text.n, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    struct slice text = canonical(json, a);
    json_decref(json);
    return text;
}

struct answer {
    const struct plan *plan;
    struct lines lines;
};

static void add_line(struct answer *a, const struct hunt_value *const *values)
{
    struct buf b = {0};
    for (uint32_t k = 0; k < a->plan->output_n; k++) {
        buf_add(&b, value_line(values[k], &a->lines.arena));
        buf_char(&b, '|');
    }
    *VEC_PUSH(a->lines) = arena_slice(&a->lines.arena, buf_slice(&b));
    buf_free(&b);
}

static enum status on_rows(void *ctx, const struct batch *b, struct error *err)
{
    struct answer *a = ctx;
    const struct hunt_value *values[64] = {NULL};
    (void)err;
    for (uint32_t row = 0; row < b->rows; row++) {
        for (uint32_t k = 0; k < a->plan->output_n; k++) {
            assert_non_null(b->columns[a->plan->output[k]]);
            values[k] = vector_at(b->columns[a->plan->output[k]], row);
        }
        add_line(a, values);
    }
    return OK;
}

static void model_answer(const struct fixture *f, struct answer *a)
{
    const struct hunt_value *values[64] = {NULL};
    struct slow_table *t = slow_hunt(a->plan, f->events.at, f->events.n, f->mappings);
    for (size_t i = 0; i < t->n; i++) {
        for (uint32_t k = 0; k < a->plan->output_n; k++)
            values[k] = &t->rows[i]->values[a->plan->output[k]];
        add_line(a, values);
    }
    slow_free(t);
}

static void answer_free(struct answer *a)
{
    free(a->lines.at);
    arena_free(&a->lines.arena);
}

/* ---- comparing ---- */

/* The first line of `some` that `all` does not have as often; NULL when all are there. */
static const struct slice *missing(const struct lines *some, const struct lines *all)
{
    size_t at = 0;
    if (some->n)
        qsort(some->at, some->n, sizeof *some->at, by_text);
    if (all->n)
        qsort(all->at, all->n, sizeof *all->at, by_text);
    for (size_t i = 0; i < some->n; i++, at++) {
        while (at < all->n && slice_compare(all->at[at], some->at[i]) < 0)
            at++;
        if (at == all->n || !slice_equal(all->at[at], some->at[i]))
            return &some->at[i];
    }
    return NULL;
}

static void fail_hunt(struct slice text, const char *what, const struct slice *line)
{
    print_message("# %.*s\n", SLICE_ARG(text));
    print_message("# %s %.*s\n", what, line ? (int)line->n : 0, line ? line->p : "");
    fail();
}

static struct plan *parsed(const struct fixture *f, struct slice text)
{
    struct hunt_setup setup = {.mappings = f->mappings, .now = f->now};
    struct error err = {0};
    struct plan *plan = plan_parse(text, &setup, &err);
    if (!plan)
        fail_hunt(text, err.what, NULL);
    if (plan)
        assert_in_range(plan->output_n, 1, 64);
    return plan;
}

/* Where a sort's key is given out, its values come in the model's order. */
static void compare_order(const struct answer *fast, const struct answer *slow,
                          const struct random_hunt *hunt)
{
    const struct plan_operator *root = slow->plan->root;
    if (root->kind != OP_SORT || root->sort.keys[0].expr->kind != EXPR_COLUMN ||
        slow->plan->output_n != 1 || slow->plan->output[0] != root->sort.keys[0].expr->column)
        return;
    for (size_t i = 0; i < fast->lines.n && i < slow->lines.n; i++)
        if (!slice_equal(fast->lines.at[i], slow->lines.at[i]))
            fail_hunt(hunt->text, "out of order:", &fast->lines.at[i]);
}

static void compare(struct fixture *f, struct store *s, const struct random_hunt *hunt)
{
    struct local_events local = {s, f->mappings};
    struct backend backend = local_backend(&local);
    struct hunt_options options = {.threads = 1 + random_below(&f->random, 3)};
    struct plan *plan = parsed(f, hunt->text), *all = parsed(f, hunt->all);
    if (!plan || !all)
        return; /* failed */
    struct answer fast = {.plan = plan}, slow = {.plan = all};
    struct error err = {0};
    enum status status =
        hunt_run(plan, &backend, &options, (struct hunt_sink){on_rows, &fast}, NULL, &err);
    if (status != OK)
        fail_hunt(hunt->text, err.what, NULL);
    model_answer(f, &slow);
    size_t expected = slow.lines.n;
    if (hunt->limited && expected > hunt->limit)
        expected = hunt->limit;
    compare_order(&fast, &slow, hunt);
    const struct slice *line = missing(&fast.lines, &slow.lines);
    if (line) {
        const struct slice *other = missing(&slow.lines, &fast.lines);
        print_message("# the model's: %.*s\n", other ? (int)other->n : 0, other ? other->p : "");
        fail_hunt(hunt->text, "one too many:", line);
    }
    if (fast.lines.n != expected) {
        print_message("# %zu instead of %zu of %zu events\n", fast.lines.n, expected, f->events.n);
        fail_hunt(hunt->text, "missing:", missing(&slow.lines, &fast.lines));
    }
    f->hunts++;
    f->rows += fast.lines.n;
    answer_free(&fast);
    answer_free(&slow);
    hunt_plan_free(plan);
    hunt_plan_free(all);
}

static void round_of_hunts(struct fixture *f)
{
    struct error err = {0};
    struct store *s = store_open(memory_io(f->io), FOLDER, STORE_READ, NULL, &err);
    assert_non_null(s);
    for (int i = 0; i < HUNTS; i++) {
        struct arena a = {0};
        struct random_hunt hunt = random_hunt(&f->random, &a);
        if (getenv("HUNT_SHOW"))
            print_message("# %.*s\n", SLICE_ARG(hunt.text));
        compare(f, s, &hunt);
        arena_free(&a);
    }
    store_close(s);
}

static void one_life(uint64_t seed, uint64_t *hunts, uint64_t *rows)
{
    struct fixture f = {.random = {seed}};
    struct error err = {0};
    f.io = memory_io_new();
    f.mappings = mappings_builtin(&err);
    assert_non_null(f.mappings);
    assert_true(timestamp_parse(SLICE("2026-04-20T00:00:00Z"), &f.now));
    assert_int_equal(store_init(memory_io(f.io), FOLDER, NULL, f.now, &err), OK);
    for (int i = 0; i < BATCHES; i++) {
        add_events(&f);
        if (i == BATCHES / 2)
            expire(&f);
        round_of_hunts(&f);
    }
    *hunts += f.hunts;
    *rows += f.rows;
    free(f.events.at);
    arena_free(&f.arena);
    mappings_free(f.mappings);
    memory_io_free(f.io);
}

static uint64_t lives = 5;

static void agreement(void **state)
{
    (void)state;
    uint64_t hunts = 0, rows = 0;
    const char *seed = getenv("HUNT_SEED");
    for (uint64_t i = 0; i < lives; i++)
        one_life(seed ? strtoull(seed, NULL, 10) : 20260101 + i * 7919, &hunts, &rows);
    print_message("# %llu hunts, %llu rows\n", (unsigned long long)hunts, (unsigned long long)rows);
    assert_true(rows > hunts); /* they do find something */
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(agreement)};
    if (argc > 1)
        lives = strtoull(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
