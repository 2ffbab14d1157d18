/*
 * Shows a fuzz target every file of its corpus, without a fuzzer: what was found once stays found.
 *
 *     corpus_NAME FOLDER        prints TAP, one case a file; an input that fails ends the program
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Hands the target a copy of exactly the file's size, so that a read past the end is noticed. */
static bool show(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *in = fopen(path, "rb");
    if (!in)
        return false;
    struct stat st;
    bool good = false;
    uint8_t *data = NULL;
    if (fstat(fileno(in), &st) == 0 && S_ISREG(st.st_mode)) {
        size_t size = (size_t)st.st_size;
        data = malloc(size ? size : 1);
        if (data && fread(data, 1, size, in) == size) {
            printf("# %s\n", name);
            fflush(stdout);
            LLVMFuzzerTestOneInput(data, size);
            good = true;
        }
    }
    free(data);
    fclose(in);
    return good;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    struct dirent **entries;
    int n = scandir(argv[1], &entries, is_shown, alphasort);
    if (n <= 0) {
        printf("1..0 # SKIP no corpus in %s\n", argv[1]);
        return 0;
    }
    printf("1..%d\n", n);
    int bad = 0;
    for (int i = 0; i < n; i++) {
        bool good = show(argv[1], entries[i]->d_name);
        printf("%s %d - %s\n", good ? "ok" : "not ok", i + 1, entries[i]->d_name);
        bad += !good;
        free(entries[i]);
    }
    free(entries);
    return bad ? 1 : 0;
}
