#include "base/yaml.h"

#include <stdarg.h>

enum status yaml_parse_one(struct slice text, const char *name, struct arena *a,
                           const struct yaml_node **root, struct error *err)
{
    struct yaml_documents documents;
    *root = NULL;
    enum status s = yaml_parse(text, name, a, &documents, err);
    if (s != OK)
        return s;
    if (documents.n != 1 || !documents.at[0].root)
        return error_set(err, STATUS_BAD_INPUT, name, ERROR_NO_OFFSET,
                         documents.n > 1 ? "there is more than one document" : "it is empty");
    if (documents.at[0].duplicate)
        return yaml_error(err, name, documents.at[0].duplicate, "the key '%.*s' stands here twice",
                          SLICE_ARG(documents.at[0].duplicate->text));
    *root = documents.at[0].root;
    return OK;
}

/* ---- looking things up ---- */

const struct yaml_node *yaml_get(const struct yaml_node *map, struct slice key)
{
    if (!map || map->type != YAML_MAPPING)
        return NULL;
    for (uint32_t i = 0; i < map->n; i++)
        if (slice_equal(map->keys[i]->text, key))
            return map->items[i];
    return NULL;
}

struct slice yaml_text(const struct yaml_node *node)
{
    return node && node->type == YAML_SCALAR ? node->text : (struct slice){0};
}

static bool is_null(const struct yaml_node *node)
{
    return !node || (node->type == YAML_SCALAR && node->kind == YAML_NULL);
}

uint32_t yaml_count(const struct yaml_node *node)
{
    if (is_null(node))
        return 0;
    return node->type == YAML_SEQUENCE ? node->n : 1;
}

const struct yaml_node *yaml_at(const struct yaml_node *node, uint32_t i)
{
    if (i >= yaml_count(node))
        return NULL;
    return node->type == YAML_SEQUENCE ? node->items[i] : node;
}

bool yaml_bool(const struct yaml_node *node, bool *out)
{
    if (!node || node->type != YAML_SCALAR || node->kind != YAML_BOOL)
        return false;
    *out = node->text.p[0] == 't' || node->text.p[0] == 'T';
    return true;
}

enum status yaml_error(struct error *err, const char *name, const struct yaml_node *node,
                       const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_vset(err, STATUS_BAD_INPUT, name, node ? node->line : ERROR_NO_OFFSET, format, args);
    va_end(args);
    if (err)
        err->column = node ? node->column : 0;
    return STATUS_BAD_INPUT;
}
