#include "base/text.h"
#include "intake/evtx_internal.h"

#include <stdlib.h>

uint32_t evtx_name_put(struct evtx_names *names, struct slice utf8)
{
    bool is_new;
    uint32_t *number = map_put(&names->numbers, utf8, &is_new);
    if (is_new) {
        *number = (uint32_t)names->names.n;
        *VEC_PUSH(names->names) = arena_slice(&names->bytes, utf8);
    }
    return *number;
}

void evtx_names_init(struct evtx_names *names)
{
    static const char *const known[NAMES_KNOWN] = {
        [NAME_NONE] = "",
        [NAME_EVENT] = "Event",
        [NAME_SYSTEM] = "System",
        [NAME_EVENT_DATA] = "EventData",
        [NAME_DATA] = "Data",
        [NAME_NAME] = "Name",
        [NAME_PROVIDER_NAME] = "Provider_Name",
        [NAME_EVENT_ID] = "EventID",
        [NAME_CHANNEL] = "Channel",
        [NAME_TIME] = "TimeCreated_SystemTime",
        [NAME_RECORD_ID] = "EventRecordID",
        [NAME_XMLNS] = "xmlns",
        [NAME_RENDERING_INFO] = "RenderingInfo",
        [NAME_MESSAGE] = "Message",
    };
    for (size_t i = 0; i < NAMES_KNOWN; i++)
        evtx_name_put(names, slice_str(known[i]));
}

void evtx_names_free(struct evtx_names *names)
{
    map_free(&names->numbers);
    free(names->names.at);
    arena_free(&names->bytes);
    *names = (struct evtx_names){0};
}

struct slice evtx_local(struct slice name)
{
    const char *colon = name.n ? memchr(name.p, ':', name.n) : NULL;
    return colon ? slice_sub(name, (size_t)(colon - name.p) + 1, name.n) : name;
}

/* [MS-EVEN6] 2.2.12: each character is added to 65599 times the hash so far; 16 bits are kept. */
bool evtx_name_stands(const struct evtx *e, uint32_t at)
{
    struct cursor c = cursor_of(e->chunk);
    cursor_seek(&c, at);
    cursor_skip(&c, 4);
    uint16_t kept = cursor_u16(&c);
    uint32_t n = cursor_u16(&c), hash = 0;
    for (uint32_t i = 0; i < n && !c.failed; i++)
        hash = hash * 65599 + cursor_u16(&c);
    return !c.failed && n > 0 && (uint16_t)hash == kept;
}

/* A name: offset of the next with the same hash, hash, characters, UTF-16LE, a NUL character. */
static bool read_name(struct evtx *e, uint32_t at, uint32_t *number)
{
    struct cursor c = cursor_of(e->chunk);
    cursor_seek(&c, at);
    cursor_skip(&c, 6);
    struct slice utf16 = cursor_take(&c, (size_t)cursor_u16(&c) * 2);
    if (c.failed)
        return evtx_wrong(e, at, "a name lies outside of the chunk");
    if (!evtx_spend(e, at, utf16.n))
        return false;
    if (e->quiet && !evtx_name_stands(e, at)) /* carving, where much is overwritten */
        return evtx_wrong(e, at, "a name is overwritten");
    char ascii[128];
    size_t n = utf16.n / 2;
    bool plain = n <= sizeof ascii;
    for (size_t i = 0; i < n && plain; i++) {
        ascii[i] = utf16.p[2 * i];
        plain = utf16.p[2 * i + 1] == 0 && (ascii[i] & 0x80) == 0;
    }
    *number =
        evtx_name_put(&e->names, plain ? slice_of(ascii, n) : utf16_to_utf8(&e->scratch, utf16));
    return true;
}

bool evtx_name_at(struct evtx *e, uint32_t at, uint32_t *number)
{
    struct evtx_name_place *place = &e->name_places[at % EVTX_PLACES];
    if (place->round != e->round || place->at != at) {
        uint32_t read = NAME_NONE;
        if (!read_name(e, at, &read))
            return false;
        *place = (struct evtx_name_place){e->round, at, read};
    }
    *number = place->name;
    return true;
}

bool evtx_name_read(struct evtx *e, struct cursor *c, uint32_t *number)
{
    uint32_t at = cursor_u32(c);
    if (c->failed)
        return evtx_wrong(e, c->at, "the BinXML breaks off in a name");
    if (!evtx_name_at(e, at, number))
        return false;
    if (at == c->at) {
        cursor_skip(c, 6);
        cursor_skip(c, (size_t)cursor_u16(c) * 2 + 2);
    }
    return true;
}
