/* What every unit test includes: cmocka with the headers that it wants before it. */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"

/* assert that a slice holds these characters */
#define assert_slice(s, literal)                                                                   \
    do {                                                                                           \
        struct slice got_ = (s);                                                                   \
        assert_int_equal(got_.n, sizeof(literal) - 1);                                             \
        assert_memory_equal(got_.n ? got_.p : "", literal, sizeof(literal) - 1);                   \
    } while (0)

#endif
