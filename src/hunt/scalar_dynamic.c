/* Dynamic values: members, elements, arrays, objects. */
#include "hunt/dynamic.h"
#include "hunt/scalar.h"

#define ARGS                                                                                       \
    const struct call *c, struct scratch *s, const struct hunt_value *const *a,                    \
        struct hunt_value *out

static struct slice keep(struct buf *b, struct arena *arena)
{
    struct slice text = arena_slice(arena, buf_slice(b));
    buf_free(b);
    return text;
}

static void fn_member(ARGS)
{
    (void)c;
    dynamic_set(out, json_member(a[0]->text, a[1]->text, s->arena));
}

static void fn_element(ARGS)
{
    (void)c;
    (void)s;
    dynamic_set(out, json_element(a[0]->text, a[1]->number));
}

static void fn_array_length(ARGS)
{
    (void)c;
    (void)s;
    struct slice element;
    if (!json_is_array(a[0]->text)) {
        set_null(out);
        return;
    }
    for (size_t at = 0; json_next(a[0]->text, &at, NULL, &element);)
        out->number++;
}

static void fn_keys(ARGS)
{
    (void)c;
    struct slice name, value;
    struct buf b = {0};
    if (!json_is_object(a[0]->text)) {
        set_null(out);
        return;
    }
    buf_char(&b, '[');
    for (size_t at = 0; json_next(a[0]->text, &at, &name, &value);) {
        if (b.n > 1)
            buf_char(&b, ',');
        buf_add(&b, name);
    }
    buf_char(&b, ']');
    dynamic_set(out, keep(&b, s->arena));
}

static bool array_names(struct slice array, struct slice name, struct arena *a)
{
    struct slice element;
    for (size_t at = 0; json_next(array, &at, NULL, &element);)
        if (element.n && element.p[0] == '"' && slice_equal(json_content(element, a), name))
            return true;
    return false;
}

static void fn_remove_keys(ARGS)
{
    (void)c;
    struct slice name, value;
    struct buf b = {0};
    if (!json_is_object(a[0]->text)) {
        set_null(out);
        return;
    }
    buf_char(&b, '{');
    for (size_t at = 0; json_next(a[0]->text, &at, &name, &value);) {
        if (array_names(a[1]->text, json_content(name, s->arena), s->arena))
            continue;
        if (b.n > 1)
            buf_char(&b, ',');
        buf_add(&b, name);
        buf_char(&b, ':');
        buf_add(&b, value);
    }
    buf_char(&b, '}');
    dynamic_set(out, keep(&b, s->arena));
}

static void fn_bag_pack(ARGS)
{
    struct buf b = {0};
    buf_char(&b, '{');
    for (uint32_t i = 0; i + 1 < c->args_n; i += 2) {
        if (i)
            buf_char(&b, ',');
        buf_json(&b, value_string(a[i], s->arena));
        buf_char(&b, ':');
        json_put_value(&b, a[i + 1], s->arena);
    }
    buf_char(&b, '}');
    dynamic_set(out, keep(&b, s->arena));
}

static void fn_pack_array(ARGS)
{
    struct buf b = {0};
    buf_char(&b, '[');
    for (uint32_t i = 0; i < c->args_n; i++) {
        if (i)
            buf_char(&b, ',');
        json_put_value(&b, a[i], s->arena);
    }
    buf_char(&b, ']');
    dynamic_set(out, keep(&b, s->arena));
}

static void fn_strcat_array(ARGS)
{
    (void)c;
    struct slice element;
    struct buf b = {0};
    bool first = true;
    for (size_t at = 0; json_next(a[0]->text, &at, NULL, &element); first = false) {
        struct hunt_value v;
        dynamic_set(&v, element);
        if (!first)
            buf_add(&b, a[1]->text);
        buf_add(&b, value_string(&v, s->arena));
    }
    set_text(out, keep(&b, s->arena));
}

static void fn_set_has(ARGS)
{
    (void)c;
    struct slice element, wanted = value_string(a[1], s->arena);
    bool text = a[1]->type == TYPE_STRING ||
                (a[1]->type == TYPE_DYNAMIC && a[1]->text.n && a[1]->text.p[0] == '"');
    if (a[0]->null || !json_is_array(a[0]->text)) {
        set_null(out);
        return;
    }
    for (size_t at = 0; json_next(a[0]->text, &at, NULL, &element);) {
        bool is_text = element.n && element.p[0] == '"';
        if (is_text == text || a[1]->type == TYPE_DATETIME || a[1]->type == TYPE_TIMESPAN)
            out->truth |= slice_equal(json_content(element, s->arena), wanted);
    }
}

const struct scalar scalar_dynamic[FUNCTIONS] = {
    [FN_MEMBER] = {fn_member, false, NULL},
    [FN_ELEMENT] = {fn_element, false, NULL},
    [FN_ARRAY_LENGTH] = {fn_array_length, false, NULL},
    [FN_BAG_KEYS] = {fn_keys, false, NULL},
    [FN_BAG_REMOVE_KEYS] = {fn_remove_keys, false, NULL},
    [FN_BAG_PACK] = {fn_bag_pack, true, NULL},
    [FN_PACK_ARRAY] = {fn_pack_array, true, NULL},
    [FN_STRCAT_ARRAY] = {fn_strcat_array, false, NULL},
    [FN_SET_HAS] = {fn_set_has, false, NULL},
};
