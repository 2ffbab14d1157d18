/* YAML text through the parser, and a walk over all of the tree. */
#include "base/yaml.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t walk(const struct yaml_node *node)
{
    uint64_t weight = 1;
    if (node->type == YAML_SCALAR && node->text.p[node->text.n] != '\0')
        abort();
    for (uint32_t i = 0; i < node->n; i++) {
        if (node->keys)
            weight += walk(node->keys[i]);
        weight += walk(node->items[i]);
    }
    if (weight != node->weight)
        abort();
    return weight;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {0};
    struct yaml_documents documents;
    struct error err;
    yaml_parse(slice_of(data, size), "fuzz", &a, &documents, &err);
    for (size_t i = 0; i < documents.n; i++)
        if (documents.at[i].root && documents.at[i].root->weight < 65536)
            walk(documents.at[i].root);
    arena_free(&a);
    return 0;
}
