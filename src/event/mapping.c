#include "event/mapping.h"

#include "base/embed.h"
#include "base/files.h"
#include "base/vec.h"
#include "base/yaml.h"
#include "event/mapping_internal.h"

#include <stdlib.h>

extern const struct embedded_file mapping_files[]; /* mappings/, by the build */

static bool same(struct slice a, struct slice b)
{
    return slice_equal_nocase(a, b);
}

static enum status read_folder(struct mappings *m, const char *folder, struct error *err)
{
    static const char *const endings[] = {".yaml", ".yml", NULL};
    struct arena scratch = {0};
    struct file_list list = {0};
    enum status s = folder_list(folder, endings, &scratch, &list, err);
    if (s == OK && list.n == 0)
        s = error_set(err, STATUS_BAD_INPUT, folder, ERROR_NO_OFFSET,
                      "there is no .yaml file with mappings in it");
    for (size_t i = 0; s == OK && i < list.n; i++) {
        struct slice text;
        s = file_read(list.paths[i], YAML_BYTES, &scratch, &text, err);
        if (s == OK)
            s = mappings_read(m, text, list.paths[i], false, err);
    }
    file_list_free(&list);
    arena_free(&scratch);
    return s;
}

struct mappings *mappings_load(const char *folder, struct error *err)
{
    struct mappings *m = xcalloc(1, sizeof *m);
    enum status s = folder ? read_folder(m, folder, err) : OK;
    for (const struct embedded_file *f = mapping_files; s == OK && f->name; f++)
        s = mappings_read(m, f->bytes, f->name, true, err);
    if (s == OK)
        return m;
    mappings_free(m);
    return NULL;
}

struct mappings *mappings_builtin(struct error *err)
{
    return mappings_load(NULL, err);
}

void mappings_free(struct mappings *m)
{
    if (!m)
        return;
    free(m->bindings.at);
    free(m->definitions.at);
    arena_free(&m->arena);
    free(m);
}

size_t mappings_count(const struct mappings *m)
{
    return m->bindings.n;
}

const struct log_binding *mappings_get(const struct mappings *m, uint32_t index)
{
    return index < m->bindings.n ? &m->bindings.at[index] : NULL;
}

/* ---- log sources ---- */

/* How a definition answers a log source: by exactly its parts, by more than them, or not. */
static int answer(const struct log_definition *d, struct slice product, struct slice category,
                  struct slice service)
{
    const struct slice asked[] = {product, category, service};
    const struct slice has[] = {d->product, d->category, d->service};
    int kind = 2;
    for (int i = 0; i < 3; i++) {
        if (asked[i].n && !same(asked[i], has[i]))
            return 0;
        if (!asked[i].n && has[i].n)
            kind = 1;
    }
    return kind;
}

/* Numbers of bindings, with room for some of them. */
struct found {
    uint32_t *at;
    size_t n, room;
};

static bool any_of(const struct slice *list, uint32_t n, struct slice value)
{
    for (uint32_t i = 0; i < n; i++)
        if (same(list[i], value))
            return true;
    return n == 0;
}

/* Adds the bindings of the definitions that answer in this way. */
static void collect(const struct mappings *m, struct slice product, struct slice category,
                    struct slice service, int kind, struct found *out)
{
    for (size_t i = 0; i < m->definitions.n; i++) {
        const struct log_definition *d = &m->definitions.at[i];
        if (answer(d, product, category, service) != kind)
            continue;
        for (uint32_t k = 0; k < d->n; k++, out->n++)
            if (out->n < out->room)
                out->at[out->n] = d->first + k;
    }
}

/* Whether a service of this name has one of the binding's channels. */
static bool is_of_service(const struct mappings *m, const struct log_binding *b,
                          struct slice product, struct slice service)
{
    for (size_t i = 0; i < m->definitions.n; i++) {
        const struct log_definition *d = &m->definitions.at[i];
        if (answer(d, product, (struct slice){0}, service) != 2)
            continue;
        for (uint32_t k = d->first; k < d->first + d->n; k++) {
            const struct log_binding *s = &m->bindings.at[k];
            for (uint32_t c = 0; c < s->channels_n; c++)
                if (b->channels_n && any_of(b->channels, b->channels_n, s->channels[c]))
                    return true;
        }
    }
    return false;
}

size_t mappings_for_logsource(const struct mappings *m, struct slice product, struct slice category,
                              struct slice service, uint32_t *out, size_t room)
{
    struct found found = {.at = out, .room = room};
    for (int kind = 2; kind >= 1 && found.n == 0; kind--)
        collect(m, product, category, service, kind, &found);
    if (found.n || !category.n || !service.n)
        return found.n;
    /* no definition has both: the category's kinds of events that come in the service's channels */
    for (size_t i = 0; i < m->definitions.n; i++) {
        const struct log_definition *d = &m->definitions.at[i];
        if (answer(d, product, category, (struct slice){0}) != 2)
            continue;
        for (uint32_t k = d->first; k < d->first + d->n; k++)
            if (is_of_service(m, &m->bindings.at[k], product, service)) {
                if (found.n < room)
                    out[found.n] = k;
                found.n++;
            }
    }
    return found.n;
}

bool binding_holds(const struct log_binding *b, const struct event_kind *kind)
{
    return any_of(b->codes, b->codes_n, kind->code) &&
           any_of(b->channels, b->channels_n, kind->channel) &&
           any_of(b->providers, b->providers_n, kind->provider) &&
           (b->product.n == 0 || same(b->product, kind->product)) &&
           (b->category.n == 0 || same(b->category, kind->category)) &&
           (b->service.n == 0 || same(b->service, kind->service));
}

/* ---- names ---- */

const struct field_name *binding_field(const struct log_binding *b, struct slice rule_field)
{
    uint32_t low = 0, high = b->fields_n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int c = slice_compare(rule_field, b->fields[middle].rule);
        if (c == 0)
            return &b->fields[middle];
        if (c < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

int32_t binding_column(const struct log_binding *binding, const struct block *b, uint32_t row,
                       struct slice rule_field)
{
    const struct field_name *f = binding ? binding_field(binding, rule_field) : NULL;
    uint32_t stored_n = f ? f->stored_n : 0;
    for (uint32_t i = 0; i <= stored_n; i++) {
        int32_t column = block_find(b, i < stored_n ? f->stored[i] : rule_field);
        if (column >= 0 && column_id(&b->columns[column], row))
            return column;
    }
    return -1;
}

/* Where the last of these characters stands, or -1. */
static ptrdiff_t last_of(struct slice s, const char *characters)
{
    for (size_t i = s.n; i-- > 0;)
        if (s.p[i] && strchr(characters, s.p[i]))
            return (ptrdiff_t)i;
    return -1;
}

/* The value of NAME in "NAME=value,NAME=value". */
static struct slice member_value(struct slice name, struct slice text)
{
    while (text.n) {
        ptrdiff_t end = slice_find(text, SLICE(","));
        struct slice item = slice_trim(slice_sub(text, 0, end < 0 ? text.n : (size_t)end));
        if (item.n > name.n && item.p[name.n] == '=' && same(slice_sub(item, 0, name.n), name))
            return slice_sub(item, name.n + 1, item.n);
        text = end < 0 ? SLICE("") : slice_sub(text, (size_t)end + 1, text.n);
    }
    return SLICE("");
}

static struct slice part_of(const struct field_name *field, struct slice text)
{
    ptrdiff_t at;
    switch (field->part) {
    case PART_FILE:
        at = last_of(text, "/\\");
        return slice_sub(text, (size_t)(at + 1), text.n);
    case PART_ACCOUNT:
        at = last_of(text, "\\");
        return slice_sub(text, (size_t)(at + 1), text.n);
    case PART_DOMAIN:
        at = last_of(text, "\\");
        return slice_sub(text, 0, at < 0 ? 0 : (size_t)at);
    case PART_MEMBER:
        return member_value(field->member, text);
    default:
        return text;
    }
}

struct slice field_value(const struct field_name *field, struct slice text)
{
    if (field && field->part != PART_ALL)
        text = part_of(field, text);
    for (uint32_t i = 0; field && i < field->values_n; i++)
        if (same(field->values[i].stored, text))
            return field->values[i].rule;
    return text;
}
