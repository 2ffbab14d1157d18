#include "base/vec.h"
#include "base/yaml.h"
#include "event/mapping_internal.h"

#include <stdlib.h>

/* One file while it is read; docs/mappings.md tells the form. */
struct reader {
    struct mappings *m;
    const char *name;
    bool builtin;
    const struct yaml_node *root;
    struct slice product; /* of everything in the file */
    struct error *err;
};

static enum status wrong_key(const struct reader *r, const struct yaml_node *map,
                             const char *const *allowed)
{
    if (map->type != YAML_MAPPING)
        return yaml_error(r->err, r->name, map, "a map is expected here");
    for (uint32_t i = 0; i < map->n; i++) {
        const char *const *name = allowed;
        while (*name && !slice_equal(map->keys[i]->text, slice_str(*name)))
            name++;
        if (!*name)
            return yaml_error(r->err, r->name, map->keys[i],
                              "there is no key '%.*s' here (docs/mappings.md lists them)",
                              SLICE_ARG(map->keys[i]->text));
    }
    return OK;
}

static enum status read_text(const struct reader *r, const struct yaml_node *map, const char *key,
                             struct slice *out)
{
    const struct yaml_node *node = yaml_get(map, slice_str(key));
    if (!node)
        return OK;
    if (node->type != YAML_SCALAR)
        return yaml_error(r->err, r->name, node, "'%s' must be a text", key);
    *out = arena_slice(&r->m->arena, node->text);
    return OK;
}

/* A text or a list of texts; nothing changes when the node is NULL. */
static enum status read_texts(const struct reader *r, const struct yaml_node *node,
                              struct slice **out, uint32_t *n)
{
    if (!node)
        return OK;
    *n = yaml_count(node);
    *out = arena_zero(&r->m->arena, *n, sizeof **out);
    for (uint32_t i = 0; i < *n; i++) {
        const struct yaml_node *item = yaml_at(node, i);
        if (item->type != YAML_SCALAR)
            return yaml_error(r->err, r->name, item, "a text or a list of texts is expected here");
        (*out)[i] = arena_slice(&r->m->arena, item->text);
    }
    return OK;
}

/* ---- the parts of an entry ---- */

static enum status read_values(const struct reader *r, const struct yaml_node *map,
                               struct field_name *f)
{
    if (!map)
        return OK;
    if (map->type != YAML_MAPPING)
        return yaml_error(r->err, r->name, map, "'values' is a map: stored value to rule's value");
    f->values_n = map->n;
    f->values = arena_zero(&r->m->arena, map->n, sizeof *f->values);
    for (uint32_t i = 0; i < map->n; i++) {
        if (map->items[i]->type != YAML_SCALAR)
            return yaml_error(r->err, r->name, map->items[i], "a text is expected here");
        f->values[i].stored = arena_slice(&r->m->arena, map->keys[i]->text);
        f->values[i].rule = arena_slice(&r->m->arena, map->items[i]->text);
    }
    return OK;
}

/* part: file, account or domain; or member: NAME. */
static enum status read_part(const struct reader *r, const struct yaml_node *node,
                             struct field_name *f)
{
    static const char *const names[] = {
        [PART_FILE] = "file", [PART_ACCOUNT] = "account", [PART_DOMAIN] = "domain"};
    const struct yaml_node *part = yaml_get(node, SLICE("part"));
    struct slice member = yaml_text(yaml_get(node, SLICE("member")));
    if (member.n) {
        f->part = PART_MEMBER;
        f->member = arena_slice(&r->m->arena, member);
    }
    for (unsigned i = PART_FILE; part && i <= PART_DOMAIN; i++)
        if (slice_equal(yaml_text(part), slice_str(names[i])))
            f->part = i;
    return !part || f->part != PART_ALL
               ? OK
               : yaml_error(r->err, r->name, part, "'part' is file, account or domain");
}

static enum status read_field(const struct reader *r, struct slice rule,
                              const struct yaml_node *node, struct field_name *f)
{
    static const char *const keys[] = {"from", "values", "part", "member", NULL};
    enum status s = OK;
    *f = (struct field_name){.rule = arena_slice(&r->m->arena, rule)};
    const struct yaml_node *stored = node;
    if (node->type == YAML_MAPPING) {
        s = wrong_key(r, node, keys);
        stored = yaml_get(node, SLICE("from"));
        if (s == OK)
            s = read_values(r, yaml_get(node, SLICE("values")), f);
        if (s == OK)
            s = read_part(r, node, f);
    }
    if (s == OK)
        s = read_texts(r, stored, &f->stored, &f->stored_n);
    if (s == OK && f->stored_n == 0)
        s = yaml_error(r->err, r->name, node, "the stored name of '%.*s' is missing",
                       SLICE_ARG(rule));
    return s;
}

static int by_rule(const void *a, const void *b)
{
    return slice_compare(((const struct field_name *)a)->rule,
                         ((const struct field_name *)b)->rule);
}

/* Adds to the fields that the binding has from elsewhere; one of the same name is replaced. */
static enum status read_fields(const struct reader *r, const struct yaml_node *map,
                               struct log_binding *b)
{
    if (!map)
        return OK;
    if (map->type != YAML_MAPPING)
        return yaml_error(r->err, r->name, map, "'fields' is a map: rule's name to stored name");
    struct field_name *fields =
        arena_zero(&r->m->arena, (size_t)b->fields_n + map->n, sizeof *fields);
    uint32_t n = 0;
    for (uint32_t i = 0; i < map->n; i++) {
        enum status s = read_field(r, map->keys[i]->text, map->items[i], &fields[n++]);
        if (s != OK)
            return s;
    }
    for (uint32_t i = 0; i < b->fields_n; i++)
        if (!yaml_get(map, b->fields[i].rule))
            fields[n++] = b->fields[i];
    if (n)
        qsort(fields, n, sizeof *fields, by_rule);
    b->fields = fields;
    b->fields_n = n;
    return OK;
}

static enum status read_where(const struct reader *r, const struct yaml_node *map,
                              struct log_binding *b)
{
    if (!map)
        return OK;
    if (map->type != YAML_MAPPING)
        return yaml_error(r->err, r->name, map, "'where' is a map: stored field to its values");
    b->conditions_n = map->n;
    b->conditions = arena_zero(&r->m->arena, map->n, sizeof *b->conditions);
    for (uint32_t i = 0; i < map->n; i++) {
        struct log_condition *c = &b->conditions[i];
        c->field = arena_slice(&r->m->arena, map->keys[i]->text);
        enum status s = read_texts(r, map->items[i], &c->values, &c->values_n);
        if (s != OK)
            return s;
        if (c->values_n == 0)
            return yaml_error(r->err, r->name, map->items[i], "a value is expected here");
    }
    return OK;
}

static enum status read_kind(const struct reader *r, const struct yaml_node *map,
                             struct log_binding *b)
{
    static const char *const keys[] = {"product", "category", "service", NULL};
    if (!map)
        return OK;
    enum status s = wrong_key(r, map, keys);
    if (s == OK)
        s = read_text(r, map, "product", &b->product);
    if (s == OK)
        s = read_text(r, map, "category", &b->category);
    if (s == OK)
        s = read_text(r, map, "service", &b->service);
    return s;
}

/* ---- entries ---- */

static const char *const entry_keys[] = {"product",  "category", "service",   "name", "from",
                                         "channels", "codes",    "providers", "kind", "where",
                                         "fields",   "show",     NULL};

static enum status read_entry(const struct reader *r, const struct yaml_node *entry, bool from,
                              struct log_binding *b);

/* What an entry starts from: a service of the same file. That service's own entry has no `from`, so
 * this goes one step deep. */
static enum status read_from(const struct reader *r, const struct yaml_node *name,
                             struct log_binding *b)
{
    const struct yaml_node *service =
        yaml_get(yaml_get(r->root, SLICE("services")), yaml_text(name));
    if (!service || yaml_count(service) != 1)
        return yaml_error(r->err, r->name, name, "there is no service '%.*s' in this file",
                          SLICE_ARG(yaml_text(name)));
    return read_entry(r, yaml_at(service, 0), false, b);
}

/* Everything of an entry but its log source. */
static enum status read_entry(const struct reader *r, const struct yaml_node *entry, bool from,
                              struct log_binding *b)
{
    enum status s = wrong_key(r, entry, entry_keys);
    const struct yaml_node *base = yaml_get(entry, SLICE("from"));
    if (s == OK && base)
        s = from ? read_from(r, base, b)
                 : yaml_error(r->err, r->name, base, "a service can't start from another one");
    if (s == OK)
        s = read_text(r, entry, "name", &b->name);
    if (s == OK)
        s = read_texts(r, yaml_get(entry, SLICE("channels")), &b->channels, &b->channels_n);
    if (s == OK)
        s = read_texts(r, yaml_get(entry, SLICE("providers")), &b->providers, &b->providers_n);
    if (s == OK)
        s = read_texts(r, yaml_get(entry, SLICE("codes")), &b->codes, &b->codes_n);
    if (s == OK)
        s = read_texts(r, yaml_get(entry, SLICE("show")), &b->show, &b->show_n);
    if (s == OK)
        s = read_kind(r, yaml_get(entry, SLICE("kind")), b);
    if (s == OK)
        s = read_where(r, yaml_get(entry, SLICE("where")), b);
    if (s == OK)
        s = read_fields(r, yaml_get(entry, SLICE("fields")), b);
    return s;
}

struct slice logsource_text(struct arena *a, struct slice product, struct slice category,
                            struct slice service)
{
    const struct slice parts[] = {product, category, service};
    struct slice text = SLICE("");
    for (int i = 0; i < 3; i++)
        if (parts[i].n)
            text = arena_printf(a, "%.*s%s%.*s", SLICE_ARG(text), text.n ? "/" : "",
                                SLICE_ARG(parts[i]));
    return text;
}

/* "process_creation by Security 4688"; without a name of its own, the log source's parts. */
static struct slice binding_name(struct arena *a, const struct log_definition *d, struct slice own)
{
    struct slice last = d->category.n ? d->category : d->service.n ? d->service : d->product;
    if (own.n)
        return arena_printf(a, "%.*s by %.*s", SLICE_ARG(last), SLICE_ARG(own));
    return logsource_text(a, d->product, d->category, d->service);
}

static bool is_overridden(const struct mappings *m, const struct log_definition *d)
{
    for (size_t i = 0; i < m->definitions.n; i++) {
        const struct log_definition *o = &m->definitions.at[i];
        if (!o->builtin && slice_equal_nocase(o->product, d->product) &&
            slice_equal_nocase(o->category, d->category) &&
            slice_equal_nocase(o->service, d->service))
            return true;
    }
    return false;
}

/* A log source with one entry, or several. */
static enum status define(const struct reader *r, struct log_definition d,
                          const struct yaml_node *entries)
{
    d.builtin = r->builtin;
    if (r->builtin && is_overridden(r->m, &d))
        return OK;
    d.first = (uint32_t)r->m->bindings.n;
    d.n = yaml_count(entries);
    for (uint32_t i = 0; i < d.n; i++) {
        const struct yaml_node *entry = yaml_at(entries, i);
        struct log_binding b = {.index = d.first + i};
        enum status s = read_entry(r, entry, true, &b);
        if (s != OK)
            return s;
        if (b.channels_n == 0 && !b.product.n && !b.category.n && !b.service.n) {
            b.product = d.product;
            b.category = d.category;
            b.service = d.service;
        }
        b.name = binding_name(&r->m->arena, &d, b.name);
        *VEC_PUSH(r->m->bindings) = b;
    }
    *VEC_PUSH(r->m->definitions) = d;
    return OK;
}

/* `services` or `categories`: names to entries. */
static enum status read_section(const struct reader *r, const char *section, bool services)
{
    const struct yaml_node *map = yaml_get(r->root, slice_str(section));
    if (!map)
        return OK;
    if (map->type != YAML_MAPPING)
        return yaml_error(r->err, r->name, map, "'%s' is a map of names", section);
    for (uint32_t i = 0; i < map->n; i++) {
        struct slice name = arena_slice(&r->m->arena, map->keys[i]->text);
        struct log_definition d = {.product = r->product};
        *(services ? &d.service : &d.category) = name;
        enum status s = define(r, d, map->items[i]);
        if (s != OK)
            return s;
    }
    return OK;
}

static enum status read_logsources(const struct reader *r)
{
    const struct yaml_node *list = yaml_get(r->root, SLICE("logsources"));
    for (uint32_t i = 0; i < yaml_count(list); i++) {
        const struct yaml_node *entry = yaml_at(list, i);
        struct log_definition d = {0};
        enum status s = wrong_key(r, entry, entry_keys);
        if (s == OK)
            s = read_text(r, entry, "product", &d.product);
        if (s == OK)
            s = read_text(r, entry, "category", &d.category);
        if (s == OK)
            s = read_text(r, entry, "service", &d.service);
        if (s == OK && !d.product.n && !d.category.n && !d.service.n)
            s = yaml_error(r->err, r->name, entry,
                           "a log source needs a product, category or service");
        if (s == OK)
            s = define(r, d, entry);
        if (s != OK)
            return s;
    }
    return OK;
}

enum status mappings_read(struct mappings *m, struct slice yaml, const char *name, bool builtin,
                          struct error *err)
{
    static const char *const keys[] = {"product", "services", "categories", "logsources", NULL};
    struct arena tree = {0};
    struct reader r = {.m = m, .name = name, .builtin = builtin, .err = err};
    enum status s = yaml_parse_one(yaml, name, &tree, &r.root, err);
    if (s == OK)
        s = wrong_key(&r, r.root, keys);
    if (s == OK)
        s = read_text(&r, r.root, "product", &r.product);
    if (s == OK)
        s = read_section(&r, "services", true);
    if (s == OK)
        s = read_section(&r, "categories", false);
    if (s == OK)
        s = read_logsources(&r);
    arena_free(&tree);
    return s;
}
