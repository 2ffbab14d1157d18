/*
 * The distinct values of a column, packed: docs/store-format.md, "Values". Values keep their types
 * and bytes exactly; each is stored in the layout that suits it, and values of one layout together.
 *
 *     struct values_packer v = {0};
 *     values_pack(&v, list, when, n, &raw, &range);
 *     values_unpack(raw, when, n, false, values, arena)
 */
#ifndef STORE_VALUES_H
#define STORE_VALUES_H

#include "event/value.h"
#include "store/pack.h"

/* How a value lies in the packed form; stored as type | layout << 4. */
enum values_layout {
    LAYOUT_BYTES, /* its length and bytes */
    LAYOUT_FIXED, /* a size that the type tells: as four rows of numbers, or all first bytes first */
    LAYOUT_NUMBER, /* eight bytes, as put_numbers has it */
    LAYOUT_UTF8,   /* VALUE_UTF16 whose every unit has a meaning: length and bytes as UTF-8 */
    LAYOUT_IP,     /* text that is an IP address as RFC 5952 writes it: 16 bytes */
    LAYOUT_TIME,   /* text "2026-11-10 10:23:41.123": milliseconds since 1970, as numbers */
    LAYOUT_NEAR,   /* such text: milliseconds from the time of its first event */
    LAYOUTS
};

/* What a column's values span; what an index can tell without reading them. */
struct values_range {
    enum {
        RANGE_NONE,
        RANGE_NUMBERS,
        RANGE_IPS
    } of;                              /* all are VALUE_INT or VALUE_UINT, or all IPs */
    int64_t least, most;               /* numbers */
    uint8_t ip_least[16], ip_most[16]; /* IPv4 as ::ffff:a.b.c.d */
};

/* Memory for packing, kept from call to call; zeroed at first, then values_packer_free. */
struct values_packer {
    struct arena scratch;
    uint8_t *forms;
    struct slice *parts;
    uint64_t *numbers;
    uint32_t cap;
    struct buf lengths;
};
void values_packer_free(struct values_packer *v);

/* Appends the packed values to `out`. `when` (may be NULL) tells the time of the first event that has
 * each value. */
void values_pack(struct values_packer *v, const struct value *const *values, const timestamp *when,
                 uint32_t n, struct raw *out, struct values_range *range);

/* Whether there are values that only `when` tells in full. */
bool values_need_when(struct slice packed, uint32_t n);

/* Fills values[0] to [n - 1] with views of `packed` and of the arena. `as_text` gives VALUE_UTF16
 * that was stored as UTF-8 as VALUE_TEXT with the same canonical text, which saves the way back.
 * `when` as in packing; NULL where they do not need it. False when the bytes are damaged. */
bool values_unpack(struct slice packed, const timestamp *when, uint32_t n, bool as_text,
                   struct value *values, struct arena *a);

/* Text that is an IP address in its one proper form, as 16 bytes (IPv4 as ::ffff:a.b.c.d). */
bool ip_from_text(struct slice text, uint8_t ip[16]);
enum { IP_TEXT = 46 };
size_t ip_to_text(const uint8_t ip[16], char out[IP_TEXT]);

#endif
