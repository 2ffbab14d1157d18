#include "intake/evtx_internal.h"

/* A token under way: where it stands and what was read of it. */
struct reading {
    struct evtx *e;
    struct cursor *c;
    bool in_template;
    size_t depth; /* of open elements */
};

static bool step(struct reading *r, uint8_t token, uint8_t type, uint16_t index, uint32_t number,
                 struct slice text)
{
    struct buf *normal = &r->e->normal;
    char *p = buf_room(normal, 8 + text.n);
    p[0] = (char)token;
    p[1] = (char)type;
    memcpy(p + 2, &index, sizeof index);
    memcpy(p + 4, &number, sizeof number);
    if (text.n)
        memcpy(p + 8, text.p, text.n);
    normal->n += 8 + text.n;
    return evtx_spend(r->e, r->c->at, 8 + text.n);
}

static bool text_step(struct reading *r, uint8_t type, struct slice text)
{
    return step(r, EVTX_VALUE, type, 0, (uint32_t)text.n, text);
}

static bool broken_off(struct reading *r)
{
    return evtx_wrong(r->e, r->c->at, "the BinXML breaks off");
}

static bool names_something(struct reading *r, struct cursor c)
{
    uint32_t at = cursor_u32(&c);
    return !c.failed && evtx_name_stands(r->e, at);
}

/* Elements in templates have the number of the value that they depend on, others need not; which
 * of both it is shows in where their name is. */
static bool has_dependency(struct reading *r)
{
    if (r->in_template)
        return true;
    struct cursor with = *r->c, without = *r->c;
    cursor_skip(&with, 6);
    cursor_skip(&without, 4);
    return names_something(r, with) || !names_something(r, without);
}

static bool open_start(struct reading *r, bool attributes)
{
    uint16_t dependency = has_dependency(r) ? cursor_u16(r->c) : UINT16_MAX;
    uint32_t name;
    if (r->depth >= EVTX_DEPTH)
        return evtx_wrong(r->e, r->c->at, "elements lie in each other too deep");
    cursor_skip(r->c, 4); /* its length: the tokens tell */
    if (!evtx_name_read(r->e, r->c, &name))
        return false;
    if (attributes)
        cursor_skip(r->c, 4); /* the length of the list */
    r->depth++;
    return step(r, EVTX_OPEN_START, 0, dependency, name, (struct slice){0});
}

static bool end_element(struct reading *r)
{
    if (!r->depth)
        return evtx_wrong(r->e, r->c->at, "an element ends that did not begin");
    r->depth--;
    return step(r, EVTX_END_ELEMENT, 0, 0, 0, (struct slice){0});
}

static bool attribute(struct reading *r)
{
    uint32_t name;
    return evtx_name_read(r->e, r->c, &name) &&
           step(r, EVTX_ATTRIBUTE, 0, 0, name, (struct slice){0});
}

/* Characters counted by 16 bits before them. */
static struct slice counted(struct cursor *c, size_t width)
{
    return cursor_take(c, cursor_u16(c) * width);
}

/* By [MS-EVEN6] literal values are strings; fixed sizes are read all the same. */
static bool literal(struct reading *r)
{
    uint8_t type = cursor_u8(r->c);
    struct slice raw;
    if (type == EVTX_STRING || type == EVTX_ANSI)
        raw = counted(r->c, type == EVTX_STRING ? 2 : 1);
    else if (evtx_size_of(type) || type == EVTX_NULL)
        raw = cursor_take(r->c, evtx_size_of(type));
    else
        return evtx_wrong(r->e, r->c->at, "a literal value has an unknown type");
    return !r->c->failed && text_step(r, type, raw);
}

static bool entity(struct reading *r)
{
    static const struct {
        struct slice name;
        char text[2];
    } known[] = {
        {{"amp", 3}, "&"},   {{"lt", 2}, "<"},   {{"gt", 2}, ">"},
        {{"quot", 4}, "\""}, {{"apos", 4}, "'"},
    };
    uint32_t number;
    if (!evtx_name_read(r->e, r->c, &number))
        return false;
    struct slice name = evtx_name(r->e, number);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (slice_equal(name, known[i].name))
            return text_step(r, EVTX_STRING, slice_of((char[]){known[i].text[0], 0}, 2));
    return text_step(r, EVTX_ANSI, SLICE("&")) && text_step(r, EVTX_ANSI, name) &&
           text_step(r, EVTX_ANSI, SLICE(";"));
}

static bool substitution(struct reading *r, uint8_t token)
{
    uint16_t index = cursor_u16(r->c);
    cursor_skip(r->c, 1); /* its type: that of the value counts */
    return !r->c->failed && step(r, token, 0, index, 0, (struct slice){0});
}

/* What stands behind the token's byte. */
static bool rest_of(struct reading *r, uint8_t byte)
{
    uint32_t name;
    uint8_t token = byte & ~EVTX_MORE;
    switch (token) {
    case EVTX_OPEN_START:
        return open_start(r, byte & EVTX_MORE);
    case EVTX_CLOSE_START:
        return step(r, token, 0, 0, 0, (struct slice){0});
    case EVTX_CLOSE_EMPTY:
    case EVTX_END_ELEMENT:
        return end_element(r);
    case EVTX_VALUE:
        return literal(r);
    case EVTX_ATTRIBUTE:
        return attribute(r);
    case EVTX_CDATA: {
        struct slice text = counted(r->c, 2);
        return !r->c->failed && text_step(r, EVTX_STRING, text);
    }
    case EVTX_CHAR_REF: {
        struct slice character = cursor_take(r->c, 2);
        return !r->c->failed && text_step(r, EVTX_STRING, character);
    }
    case EVTX_ENTITY_REF:
        return entity(r);
    case EVTX_PI_TARGET:
        return evtx_name_read(r->e, r->c, &name);
    case EVTX_PI_DATA:
        return counted(r->c, 2).p && !r->c->failed;
    case EVTX_NORMAL_SUB:
    case EVTX_OPTIONAL_SUB:
        return substitution(r, token);
    case EVTX_FRAGMENT:
        cursor_skip(r->c, 3);
        return true;
    default:
        return evtx_wrong(r->e, r->c->at - 1, "unknown BinXML token");
    }
}

bool evtx_normalise(struct evtx *e, struct cursor *c, bool in_template)
{
    struct reading r = {e, c, in_template, 0};
    while (c->at < c->n) {
        uint8_t byte = c->p[c->at];
        if (byte == EVTX_TEMPLATE && !r.depth && !in_template)
            return true; /* an instance, which is the caller's */
        if (byte == EVTX_EOF)
            break;
        c->at++;
        if (!rest_of(&r, byte) || c->failed)
            return broken_off(&r);
    }
    return r.depth ? broken_off(&r) : true;
}
