#include "test.h"

#include "intake/reader.h"

#include <pthread.h>

static void counted_and_kept(void **state)
{
    (void)state;
    struct problems *p = problems_new();
    for (uint64_t offset = 100; offset > 0; offset--)
        problem_add(p, 3, offset, "at %u", (unsigned)offset);
    problem_add(p, 1, 7, "seven");
    assert_int_equal(problems_total(p), 101);
    assert_int_equal(problems_of(p, 3), 100);
    assert_int_equal(problems_of(p, 2), 0);
    assert_int_equal(problems_of(p, 9), 0);
    const struct problem *list;
    assert_int_equal(problems_kept(p, &list), PROBLEMS_KEPT + 1);
    assert_int_equal(list[0].input, 1);
    assert_string_equal(list[0].what, "seven");
    for (uint64_t i = 1; i <= PROBLEMS_KEPT; i++)
        assert_int_equal(list[i].offset, i);
    problems_free(p);
}

static void long_words(void **state)
{
    (void)state;
    struct problems *p = problems_new();
    char text[400];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    problem_add(p, 0, 0, "%s", text);
    const struct problem *list;
    assert_int_equal(problems_kept(p, &list), 1);
    assert_int_equal(strlen(list[0].what), sizeof list[0].what - 1);
    problems_free(p);
}

static void *adds(void *p)
{
    for (uint32_t i = 0; i < 1000; i++)
        problem_add(p, i % 5, i, "x");
    return NULL;
}

static void many_threads(void **state)
{
    (void)state;
    struct problems *p = problems_new();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, adds, p), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(problems_total(p), 4000);
    const struct problem *list;
    assert_int_equal(problems_kept(p, &list), PROBLEMS_KEPT * 5);
    assert_int_equal(list[0].offset, 0);
    assert_int_equal(list[PROBLEMS_KEPT - 1].offset, 20); /* 0, 5, 10, 15, 20, four times each */
    problems_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counted_and_kept),
        cmocka_unit_test(long_words),
        cmocka_unit_test(many_threads),
    };
    return cmocka_run_group_tests_name("problem", tests, NULL, NULL);
}
