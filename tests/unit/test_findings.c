#include "test.h"

#include "detect/findings.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static const struct sigma_rule rules[] = {
    {.title = {"Beta", 4}, .index = 0},
    {.title = {"Alpha", 5}, .index = 1},
    {.title = {"Beta", 4}, .index = 2},
};
enum { RULES = sizeof rules / sizeof *rules };

/* The findings of a test are made from their number, so each can be made anew to compare. Times come
 * twice, records too, so that every part of the order matters. */
struct made {
    struct finding finding;
    struct origin events[FINDING_EVENTS];
    struct finding_field fields[FINDING_FIELDS];
    char *text;
};

static void make(struct made *m, uint32_t i, size_t bytes)
{
    uint32_t h = i * 2654435761u;
    m->text = malloc(bytes + 16);
    int n = sprintf(m->text, "%u-", i);
    memset(m->text + n, 'a' + (int)(h % 26), bytes);
    m->finding = (struct finding){
        .rule = &rules[h % RULES],
        .time = i % 97 == 0 ? TIMESTAMP_NONE : (timestamp)(h >> 8) % 1000,
        .first = (timestamp)i,
        .count = i + 1,
        .events = m->events,
        .events_n = 1 + i % 3,
        .host = {m->text, (size_t)n},
        .channel = SLICE("Security"),
        .code = SLICE("4624"),
        .fields = m->fields,
        .fields_n = i % 3 ? 2 : FINDING_FIELDS,
    };
    for (uint32_t e = 0; e < m->finding.events_n; e++)
        m->events[e] = (struct origin){h % 5, UINT64_MAX - i % 11};
    for (uint32_t k = 0; k < m->finding.fields_n; k++)
        m->fields[k] = (struct finding_field){SLICE("Image"), {m->text, bytes}};
}

static bool same_finding(const struct finding *a, const struct finding *b)
{
    bool same = a->rule == b->rule && a->time == b->time && a->first == b->first &&
                a->count == b->count && a->events_n == b->events_n && a->fields_n == b->fields_n &&
                slice_equal(a->host, b->host) && slice_equal(a->channel, b->channel) &&
                slice_equal(a->provider, b->provider) && slice_equal(a->code, b->code);
    for (uint32_t i = 0; same && i < a->events_n; i++)
        same =
            a->events[i].input == b->events[i].input && a->events[i].record == b->events[i].record;
    for (uint32_t i = 0; same && i < a->fields_n; i++)
        same = slice_equal(a->fields[i].name, b->fields[i].name) &&
               slice_equal(a->fields[i].text, b->fields[i].text);
    return same;
}

/* The order as findings.h says it, straight. */
static bool not_after(const struct finding *a, const struct finding *b)
{
    if (a->time != b->time)
        return a->time != TIMESTAMP_NONE && (b->time == TIMESTAMP_NONE || a->time < b->time);
    int title = slice_compare(a->rule->title, b->rule->title);
    if (title)
        return title < 0;
    if (a->events[0].input != b->events[0].input)
        return a->events[0].input < b->events[0].input;
    return a->events[0].record <= b->events[0].record;
}

struct part {
    struct findings *findings;
    uint32_t from, step, to;
    size_t bytes;
};

static void *add_part(void *arg)
{
    const struct part *part = arg;
    struct error err = {0};
    struct findings_worker *w = findings_worker_new(part->findings);
    for (uint32_t i = part->from; i < part->to; i += part->step) {
        struct made m;
        make(&m, i, part->bytes);
        if (findings_add(w, &m.finding, &err) != OK)
            abort();
        free(m.text);
    }
    findings_worker_free(w);
    return NULL;
}

static struct findings *added_by(uint32_t threads, uint32_t n, size_t bytes)
{
    struct error err = {0};
    struct findings *f = findings_new(&err);
    assert_non_null(f);
    pthread_t ids[8];
    struct part parts[8];
    for (uint32_t t = 0; t < threads; t++) {
        parts[t] = (struct part){f, t, threads, n, bytes};
        assert_int_equal(pthread_create(&ids[t], NULL, add_part, &parts[t]), 0);
    }
    for (uint32_t t = 0; t < threads; t++)
        pthread_join(ids[t], NULL);
    findings_sort(f);
    assert_int_equal(findings_count(f), n);
    return f;
}

/* Goes through all: each is one that was made, once, and none is before the one that precedes it.
 * Returns the numbers in the order told. */
static uint32_t *told(struct findings *f, uint32_t n, size_t bytes)
{
    struct error err = {0};
    size_t at = 0;
    struct finding got;
    struct made before = {0}, now;
    uint32_t *order = calloc(n, sizeof *order), k = 0;
    bool *seen = calloc(n, sizeof *seen);
    while (findings_next(f, &at, &got, &err)) {
        uint32_t i = (uint32_t)got.count - 1;
        assert_true(i < n && !seen[i] && k < n);
        seen[i] = true;
        make(&now, i, bytes);
        assert_true(same_finding(&got, &now.finding));
        if (k) /* the slices of `before` are gone, its numbers and rule are not */
            assert_true(not_after(&before.finding, &now.finding));
        order[k++] = i;
        free(now.text);
        before = now;
        before.finding.events = before.events;
    }
    assert_int_equal(err.status, OK);
    assert_int_equal(k, n);
    free(seen);
    return order;
}

static void same_order_for_any_number_of_threads(void **state)
{
    (void)state;
    enum { N = 3000 };
    struct findings *one = added_by(1, N, 20), *five = added_by(5, N, 20);
    uint32_t *a = told(one, N, 20), *b = told(five, N, 20);
    assert_memory_equal(a, b, N * sizeof *a);
    free(a);
    free(b);
    findings_free(one);
    findings_free(five);
}

/* Over 60 MB of payloads, which is more than memory takes. */
static void spilled(void **state)
{
    (void)state;
    enum { N = 1800, BYTES = 3800 };
    struct findings *one = added_by(1, N, BYTES), *three = added_by(3, N, BYTES);
    uint32_t *a = told(one, N, BYTES), *b = told(three, N, BYTES);
    assert_memory_equal(a, b, N * sizeof *a);
    free(a);
    free(b);
    findings_free(one);
    findings_free(three);
}

/* A text that is too long is cut before the character that does not fit. */
static void cut_at_a_character(void **state)
{
    (void)state;
    static const char fire[4] = {'\xf0', '\x9f', '\x94', '\xa5'};
    struct error err = {0};
    for (size_t shift = 0; shift < 4; shift++) {
        size_t n = FINDING_FIELD_BYTES + 400;
        char *text = malloc(n);
        memset(text, 'x', shift);
        size_t at = shift;
        for (; at + 4 <= n; at += 4)
            memcpy(text + at, fire, sizeof fire);
        struct finding_field field = {SLICE("CommandLine"), {text, at}};
        struct origin origin = {0};
        struct finding in = {.rule = rules,
                             .events = &origin,
                             .events_n = 1,
                             .fields = &field,
                             .fields_n = 1},
                       out;
        struct findings *f = findings_new(&err);
        struct findings_worker *w = findings_worker_new(f);
        assert_int_equal(findings_add(w, &in, &err), OK);
        findings_worker_free(w);
        size_t place = 0;
        assert_true(findings_next(f, &place, &out, &err));
        struct slice got = out.fields[0].text;
        assert_true(got.n <= FINDING_FIELD_BYTES && got.n > FINDING_FIELD_BYTES - 4);
        assert_memory_equal(got.p + got.n - 3, "\xe2\x80\xa6", 3);
        assert_int_equal((got.n - 3 - shift) % 4, 0);
        assert_memory_equal(got.p, text, got.n - 3);
        assert_false(findings_next(f, &place, &out, &err));
        findings_free(f);
        free(text);
    }
}

static void none(void **state)
{
    (void)state;
    struct error err = {0};
    struct findings *f = findings_new(&err);
    findings_worker_free(findings_worker_new(f));
    findings_sort(f);
    size_t at = 0;
    struct finding finding;
    assert_int_equal(findings_count(f), 0);
    assert_false(findings_next(f, &at, &finding, &err));
    assert_int_equal(err.status, OK);
    findings_free(f);
}

/* A folder that can't be written is passed by; the file has no name. */
static void temporary_folder(void **state)
{
    (void)state;
    struct error err = {0};
    char folder[] = "/tmp/hikeshi-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    setenv("TMPDIR", folder, 1);
    struct findings *f = findings_new(&err);
    assert_non_null(f);
    assert_int_equal(rmdir(folder), 0);
    findings_free(f);
    setenv("TMPDIR", "/nowhere/at/all", 1);
    f = findings_new(&err);
    assert_non_null(f);
    findings_free(f);
    unsetenv("TMPDIR");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_order_for_any_number_of_threads),
        cmocka_unit_test(spilled),
        cmocka_unit_test(cut_at_a_character),
        cmocka_unit_test(none),
        cmocka_unit_test(temporary_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
