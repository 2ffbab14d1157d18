/* A rule's wording as a hash: of what its document says, not of comments and layout. */
#include "detect/ruleset_internal.h"

#include "base/buf.h"

#include <openssl/sha.h>

static void put_text(struct buf *b, struct slice s)
{
    uint32_t n = (uint32_t)s.n;
    buf_add(b, slice_of(&n, sizeof n));
    buf_add(b, s);
}

/* YAML_DEPTH bounds the recursion, the parser what aliases make of it. */
static void put_node(struct buf *b, const struct yaml_node *node)
{
    buf_char(b, (char)node->type);
    if (node->type == YAML_SCALAR) {
        buf_char(b, (char)node->kind);
        put_text(b, node->text);
        return;
    }
    put_text(b, slice_of(&node->n, sizeof node->n));
    for (uint32_t i = 0; i < node->n; i++) {
        if (node->type == YAML_MAPPING)
            put_node(b, node->keys[i]);
        put_node(b, node->items[i]);
    }
}

void rule_hash(const struct yaml_node *root, uint8_t hash[RULE_HASH])
{
    struct buf b = {0};
    put_node(&b, root);
    SHA256((const unsigned char *)b.p, b.n, hash);
    buf_free(&b);
}

void rule_hash_join(uint8_t hash[RULE_HASH], const uint8_t other[RULE_HASH])
{
    uint8_t both[2 * RULE_HASH];
    memcpy(both, hash, RULE_HASH);
    memcpy(both + RULE_HASH, other, RULE_HASH);
    SHA256(both, sizeof both, hash);
}
