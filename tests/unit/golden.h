/* Golden files of tests/golden: what a test printed once, looked at and kept. GOLDEN_WRITE=1 in the
 * environment writes them anew; SOURCE_ROOT says where the project is. */
#ifndef TESTS_UNIT_GOLDEN_H
#define TESTS_UNIT_GOLDEN_H

#include "test.h"

#include <stdio.h>
#include <stdlib.h>

/* The file's bytes from malloc; empty when there is no such file. */
static struct slice golden_read(const char *path)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        return (struct slice){0};
    size_t room = 1 << 22;
    char *bytes = malloc(room);
    size_t n = fread(bytes, 1, room, in);
    fclose(in);
    return slice_of(bytes, n);
}

/* Fails when `got` is not what the file tests/golden/NAME holds. */
static void golden(const char *name, struct slice got)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/golden/%s", getenv("SOURCE_ROOT"), name);
    if (getenv("GOLDEN_WRITE")) {
        FILE *out = fopen(path, "wb");
        assert_non_null(out);
        fwrite(got.p, 1, got.n, out);
        fclose(out);
    }
    struct slice want = golden_read(path);
    if (!slice_equal(want, got)) {
        size_t at = 0;
        while (at < want.n && at < got.n && want.p[at] == got.p[at])
            at++;
        fail_msg("%s differs from byte %zu on: %.*s", name, at, SLICE_ARG(slice_sub(got, at, 60)));
    }
    free((void *)(uintptr_t)want.p);
}

#endif
