#include "base/text.h"
#include "intake/evtx_internal.h"

#include <stdlib.h>

/* An element under way. */
struct frame {
    uint32_t name;     /* without prefix */
    uint32_t field;    /* what its text is called */
    int32_t named_by;  /* substitution that holds the field's name, or -1 */
    enum evtx_role at; /* where it stands */
    enum evtx_role in; /* where its content stands */
    size_t first_part; /* its text so far is on top of the stack from here on */
    bool has_children;
};

struct compiling {
    struct evtx *e;
    struct arena *a;
    struct frame frames[EVTX_DEPTH + 1]; /* the first is what lies around */
    size_t depth;
    bool in_attribute;
    uint32_t attribute; /* name without prefix */
    size_t attribute_part;
    size_t text_room; /* bytes, of the last constant text on the stack */
    struct {
        struct evtx_item *at;
        size_t n, cap;
    } items;
    struct {
        struct evtx_part *at;
        size_t n, cap;
    } parts, stack;
};

static struct frame *top(struct compiling *c)
{
    return &c->frames[c->depth];
}

static uint32_t local(struct evtx *e, uint32_t name)
{
    struct slice whole = evtx_name(e, name), part = evtx_local(whole);
    return part.n == whole.n ? name : evtx_name_put(&e->names, part);
}

/* Moves the parts from `first` on from the stack to a new item. */
static struct evtx_item *add_item(struct compiling *c, uint32_t field, size_t first)
{
    struct evtx_item *item = VEC_PUSH(c->items);
    *item = (struct evtx_item){.field = field,
                               .named_by = -1,
                               .part = (uint32_t)c->parts.n,
                               .parts = (uint32_t)(c->stack.n - first)};
    for (size_t i = first; i < c->stack.n; i++)
        *VEC_PUSH(c->parts) = c->stack.at[i];
    c->stack.n = first;
    return item;
}

/* The constant text of the parts from `first` on; p NULL when they are none. */
static struct slice constant_text(struct compiling *c, size_t first)
{
    if (c->stack.n == first)
        return SLICE("");
    if (c->stack.n != first + 1 || c->stack.at[first].substitution >= 0)
        return (struct slice){0};
    return value_text(c->stack.at[first].constant, c->a);
}

/* Data's Name tells what the element's text is called. */
static void name_data(struct compiling *c)
{
    struct slice text = constant_text(c, c->attribute_part);
    if (text.p && text.n)
        top(c)->field = evtx_name_put(&c->e->names, text);
    else if (!text.p && c->stack.at[c->attribute_part].substitution >= 0)
        top(c)->named_by = c->stack.at[c->attribute_part].substitution;
    c->stack.n = c->attribute_part;
}

static uint32_t compound(struct compiling *c, uint32_t element, uint32_t attribute)
{
    struct slice a = evtx_name(c->e, element), b = evtx_name(c->e, attribute);
    struct buf *text = &c->e->text;
    buf_clear(text);
    buf_add(text, a);
    buf_char(text, '_');
    buf_add(text, b);
    evtx_spend(c->e, 0, text->n); /* evtx_compile looks whether there is anything left */
    return evtx_name_put(&c->e->names, buf_slice(text));
}

static void end_attribute(struct compiling *c)
{
    if (!c->in_attribute)
        return;
    c->in_attribute = false;
    struct frame *f = top(c);
    if (c->attribute == NAME_XMLNS) {
        c->stack.n = c->attribute_part;
        return;
    }
    if (f->name == NAME_DATA && c->attribute == NAME_NAME && f->at >= ROLE_DATA) {
        name_data(c);
        return;
    }
    struct evtx_item *item = add_item(c, compound(c, f->name, c->attribute), c->attribute_part);
    item->sparse = true;
    item->inside = (struct evtx_context){ROLE_FREE, item->field};
    if (item->field == NAME_PROVIDER_NAME && f->at == ROLE_SYSTEM)
        item->what = ITEM_PROVIDER;
    else if (item->field == NAME_TIME && f->at == ROLE_SYSTEM)
        item->what = ITEM_TIME;
}

static void begin_attribute(struct compiling *c, uint32_t name)
{
    end_attribute(c);
    c->in_attribute = true;
    c->attribute_part = c->stack.n;
    bool namespace = slice_starts(evtx_name(c->e, name), SLICE("xmlns:"));
    c->attribute = namespace ? NAME_XMLNS : local(c->e, name);
}

static enum evtx_role role_in(enum evtx_role at, uint32_t name)
{
    switch (at) {
    case ROLE_DOCUMENT:
        return name == NAME_EVENT ? ROLE_EVENT : ROLE_FREE;
    case ROLE_EVENT:
        return name == NAME_SYSTEM ? ROLE_SYSTEM : ROLE_DATA;
    case ROLE_SYSTEM:
        return ROLE_SYSTEM_FIELD;
    default:
        return ROLE_FREE;
    }
}

/* What an element's text is called when nothing else says so: its name. What the computer that
 * forwarded an event wrote beside it (RenderingInfo) repeats names of System. */
static uint32_t field_name(struct compiling *c, const struct frame *up, uint32_t name)
{
    bool rendered = up->at == ROLE_EVENT && up->name == NAME_RENDERING_INFO && name != NAME_MESSAGE;
    return rendered ? compound(c, NAME_RENDERING_INFO, name) : name;
}

static void begin_element(struct compiling *c, uint32_t name)
{
    end_attribute(c);
    struct frame *up = top(c);
    up->has_children = true;
    name = local(c->e, name);
    c->depth++; /* evtx_normalise bounds it */
    *top(c) = (struct frame){.name = name,
                             .field = field_name(c, up, name),
                             .named_by = -1,
                             .at = up->in,
                             .in = role_in(up->in, name),
                             .first_part = c->stack.n};
}

static bool is_space(const struct evtx_part *part)
{
    if (part->substitution >= 0 || part->constant.type != VALUE_UTF16)
        return false;
    const char *p = part->constant.p;
    for (uint32_t i = 0; i < part->constant.n; i++)
        if (p[i] != '\0' && p[i] != ' ' && p[i] != '\t' && p[i] != '\r' && p[i] != '\n')
            return false;
    return true;
}

static void end_element(struct compiling *c)
{
    end_attribute(c);
    struct frame *f = top(c);
    if (f->has_children) /* white space between elements is no text */
        while (c->stack.n > f->first_part && is_space(&c->stack.at[c->stack.n - 1]))
            c->stack.n--;
    bool frame_only = f->has_children || f->at < ROLE_SYSTEM || f->in == ROLE_DATA;
    bool empty = c->stack.n == f->first_part;
    if (!empty || (!frame_only && f->at >= ROLE_DATA)) {
        struct evtx_item *item = add_item(c, f->field, f->first_part);
        item->named_by = f->named_by;
        item->inside = (struct evtx_context){(uint32_t)f->in, f->field};
        bool optional = item->parts == 1 && c->parts.at[item->part].optional;
        item->sparse = frame_only || f->at < ROLE_DATA || optional;
        if (f->at == ROLE_SYSTEM && f->name == NAME_EVENT_ID)
            item->what = ITEM_CODE;
        else if (f->at == ROLE_SYSTEM && f->name == NAME_CHANNEL)
            item->what = ITEM_CHANNEL;
        else if (f->at == ROLE_SYSTEM && f->name == NAME_RECORD_ID)
            item->what = ITEM_RECORD;
    }
    c->depth--;
}

/* Adds `v` to the text that the last part is; its room doubles, so that a text of many pieces costs
 * no more than what it takes. */
static void lengthen(struct compiling *c, struct value *text, struct value v)
{
    size_t n = (size_t)text->n + v.n;
    if (n > c->text_room) {
        char *more = arena_bytes(c->a, n * 2);
        memcpy(more, text->p, text->n);
        text->p = more;
        c->text_room = n * 2;
    }
    memcpy((char *)(uintptr_t)text->p + text->n, v.p, v.n);
    text->n = (uint32_t)n;
}

static void add_constant(struct compiling *c, uint8_t type, struct slice raw)
{
    struct evtx_part part = {.substitution = -1};
    uint64_t number;
    evtx_scalar(type, raw, &part.constant, &number, c->a);
    if (!part.constant.p)
        part.constant.p = &number;
    size_t first = c->in_attribute ? c->attribute_part : top(c)->first_part;
    struct evtx_part *last = c->stack.n > first ? &c->stack.at[c->stack.n - 1] : NULL;
    if (last && last->substitution < 0 && part.constant.type == VALUE_UTF16 &&
        last->constant.type == VALUE_UTF16) {
        lengthen(c, &last->constant, part.constant);
    } else {
        part.constant.p = arena_copy(c->a, part.constant.p, part.constant.n);
        c->text_room = 0;
        *VEC_PUSH(c->stack) = part;
    }
}

static void carry_out(struct compiling *c, struct cursor *steps)
{
    uint8_t token = cursor_u8(steps), type = cursor_u8(steps);
    uint16_t index = cursor_u16(steps);
    uint32_t number = cursor_u32(steps);
    switch (token) {
    case EVTX_OPEN_START:
        begin_element(c, number);
        break;
    case EVTX_CLOSE_START:
        end_attribute(c);
        break;
    case EVTX_END_ELEMENT:
        end_element(c);
        break;
    case EVTX_ATTRIBUTE:
        begin_attribute(c, number);
        break;
    case EVTX_VALUE:
        add_constant(c, type, cursor_take(steps, number));
        break;
    default: /* substitutions */
        *VEC_PUSH(c->stack) =
            (struct evtx_part){.substitution = index, .optional = token == EVTX_OPTIONAL_SUB};
    }
}

/* The items' short forms. */
static struct evtx_op *make_ops(const struct evtx_plan *plan, struct arena *a)
{
    struct evtx_op *ops = arena_alloc(a, plan->n * sizeof *ops);
    for (uint32_t i = 0; i < plan->n; i++) {
        const struct evtx_item *item = &plan->items[i];
        const struct evtx_part *part = &plan->parts[item->part];
        ops[i] = (struct evtx_op){.how = HOW_ITEM};
        if (item->parts != 1 || item->named_by >= 0 || item->what != ITEM_FIELD)
            continue;
        if (part->substitution < 0)
            ops[i].how = HOW_CONSTANT;
        else
            ops[i] = (struct evtx_op){item->sparse ? HOW_SPARSE_SUB : HOW_SUB,
                                      (uint16_t)part->substitution};
    }
    return ops;
}

static void find_early(struct evtx_plan *plan)
{
    bool has_code = false;
    uint32_t n = 0;
    for (uint32_t i = 0; i < plan->n; i++) {
        const struct evtx_item *item = &plan->items[i];
        if (item->what == ITEM_FIELD)
            continue;
        if (n == EVTX_EARLY || item->parts != 1)
            return;
        has_code = has_code || item->what == ITEM_CODE;
        plan->early[n++] = i;
    }
    plan->early_n = has_code ? n : 0;
    for (uint32_t i = 0; i < plan->early_n; i++)
        plan->ops[plan->early[i]].how = HOW_EARLY;
}

static void *aligned_copy(struct arena *a, const void *p, size_t n)
{
    void *copy = arena_alloc(a, n);
    if (n)
        memcpy(copy, p, n);
    return copy;
}

struct evtx_plan *evtx_compile(struct evtx *e, struct slice normal, struct evtx_context around,
                               struct arena *a)
{
    struct compiling c = {.e = e, .a = a};
    c.frames[0] = (struct frame){
        .name = around.field, .field = around.field, .named_by = -1, .in = around.role};
    for (struct cursor steps = cursor_of(normal); steps.at < steps.n && !steps.failed && e->work;)
        carry_out(&c, &steps);
    while (c.depth) /* it broke off */
        end_element(&c);
    if (c.stack.n)
        add_item(&c, around.field, 0)->sparse = true;
    struct evtx_plan *plan = arena_zero(a, 1, sizeof *plan);
    plan->n = (uint32_t)c.items.n;
    plan->number = plan->last_kind = UINT32_MAX;
    plan->items = aligned_copy(a, c.items.at, c.items.n * sizeof *c.items.at);
    plan->parts = aligned_copy(a, c.parts.at, c.parts.n * sizeof *c.parts.at);
    plan->ops = make_ops(plan, a);
    find_early(plan);
    free(c.items.at);
    free(c.parts.at);
    free(c.stack.at);
    return plan;
}

/* A definition: offset of the next with the same hash, GUID (its first bytes are the id that
 * instances repeat), size, BinXML. */
static struct evtx_plan *read_definition(struct evtx *e, uint32_t at, uint32_t id,
                                         struct evtx_context around)
{
    struct cursor c = cursor_of(e->chunk);
    cursor_seek(&c, at);
    cursor_skip(&c, 4);
    uint32_t own_id = cursor_u32(&c);
    cursor_skip(&c, 12);
    uint32_t size = cursor_u32(&c);
    if (c.failed || own_id != id) {
        evtx_wrong(e, at,
                   c.failed ? "its template lies outside of the chunk"
                            : "its template is not where it should be");
        return NULL;
    }
    if (size < cursor_left(&c))
        c.n = c.at + size;
    buf_clear(&e->normal);
    buf_add(&e->normal, slice_of(&around, sizeof around));
    uint64_t is_broken = !evtx_normalise(e, &c, true);
    if (!e->work)
        return NULL;
    buf_add(&e->normal, slice_of(&is_broken, sizeof is_broken));

    bool is_new;
    uint32_t *number = map_put(&e->plan_numbers, buf_slice(&e->normal), &is_new);
    if (!is_new)
        return e->plans.at[*number];
    *number = (uint32_t)e->plans.n;
    struct slice steps = slice_sub(buf_slice(&e->normal), sizeof around, SIZE_MAX);
    steps.n -= sizeof is_broken;
    struct evtx_plan *plan = evtx_compile(e, steps, around, &e->kept);
    plan->number = (uint32_t)e->plans.n;
    plan->is_broken = is_broken;
    *VEC_PUSH(e->plans) = plan;
    return plan;
}

struct evtx_plan *evtx_plan_at(struct evtx *e, uint32_t at, uint32_t id, struct evtx_context around)
{
    struct evtx_place *place = &e->plan_places[(at ^ around.field * 31) % EVTX_PLACES];
    if (place->round != e->round || place->at != at || place->id != id ||
        place->around.field != around.field || place->around.role != around.role) {
        struct evtx_plan *plan = read_definition(e, at, id, around);
        if (!plan)
            return NULL;
        *place = (struct evtx_place){e->round, at, id, around, plan};
    }
    if (place->plan->is_broken)
        evtx_wrong(e, at, "its template is damaged");
    return place->plan;
}
