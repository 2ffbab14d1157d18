/*
 * Writes files as a C source, so that the program carries them (src/base/embed.h).
 *
 *     embed OUT.c NAME FILE...
 *
 * makes `const struct embedded_file NAME[]`, one element a file in the order given, ended by an
 * element whose name is NULL. Runs at build time, on the building machine.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *what, const char *path)
{
    fprintf(stderr, "embed: %s: %s: %s\n", path, what, strerror(errno));
    exit(1);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Decimal numbers, 20 a line: short to write and quick to compile. Returns how many bytes. */
static size_t embed_bytes(const char *path, FILE *out)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        fail("can't be read", path);
    size_t n = 0;
    int c;
    while ((c = getc(in)) != EOF)
        fprintf(out, "%d,%s", c, ++n % 20 ? "" : "\n");
    if (ferror(in))
        fail("can't be read", path);
    fclose(in);
    return n;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fputs("usage: embed OUT.c NAME FILE...\n", stderr);
        return 2;
    }
    FILE *out = fopen(argv[1], "wb");
    if (!out)
        fail("can't be written", argv[1]);
    size_t *sizes = calloc((size_t)argc, sizeof *sizes);
    if (!sizes)
        fail("no memory", argv[1]);
    fputs("#include \"base/embed.h\"\n", out);
    for (int i = 3; i < argc; i++) {
        fprintf(out, "static const unsigned char file_%d[] = {\n", i - 3);
        sizes[i] = embed_bytes(argv[i], out);
        fputs("0};\n", out);
    }
    fprintf(out, "extern const struct embedded_file %s[];\n", argv[2]);
    fprintf(out, "const struct embedded_file %s[] = {\n", argv[2]);
    for (int i = 3; i < argc; i++)
        fprintf(out, "    {\"%s\", {(const char *)file_%d, %zu}},\n", base_name(argv[i]), i - 3,
                sizes[i]);
    fputs("    {NULL, {NULL, 0}},\n};\n", out);
    free(sizes);
    if (fclose(out) != 0)
        fail("can't be written", argv[1]);
    return 0;
}
