#include "event/block.h"

#include "base/text.h"

#include <stdlib.h>

enum {
    PLAIN_AFTER = 512, /* values looked at before a column may stop looking for repeats */
    KINDS_MOST = 4096, /* open blocks in a set */
    ROWS_FIRST = 256,
};

struct block_set {
    struct block_sink sink;
    struct block **blocks;
    uint32_t n, cap;
    struct map kinds;
    uint64_t epoch;
    uint64_t seed, factor; /* of hashes; the factor is odd */
    struct block *last;    /* the newest opened: most events are of the kind of the one before */
    struct buf key;
    struct buf list; /* for block_put's lists */
};

struct block_set *block_set_new(struct block_sink sink)
{
    struct block_set *set = xcalloc(1, sizeof *set);
    set->sink = sink;
    set->epoch = 1;
    set->seed = hash_bytes("seed", 4);
    set->factor = hash_bytes("factor", 6) | 1;
    return set;
}

void block_free(struct block *b)
{
    if (!b)
        return;
    for (uint32_t i = 0; i < b->columns_cap; i++) {
        struct column *c = &b->columns[i];
        free(c->ids);
        free(c->values);
        free(c->texts);
        free(c->folded);
        free(c->table);
        free(c->hashes);
    }
    free(b->columns);
    free(b->times);
    free(b->origins);
    map_free(&b->names);
    arena_free(&b->kind_bytes);
    arena_free(&b->names_bytes);
    arena_free(&b->values);
    free(b);
}

static void forget_blocks(struct block_set *set)
{
    for (uint32_t i = 0; i < set->n; i++)
        block_free(set->blocks[i]);
    set->n = 0;
    set->last = NULL;
    map_clear(&set->kinds);
    set->epoch++;
}

void block_set_free(struct block_set *set)
{
    if (!set)
        return;
    forget_blocks(set);
    free(set->blocks);
    map_free(&set->kinds);
    buf_free(&set->key);
    buf_free(&set->list);
    free(set);
}

uint64_t block_set_epoch(const struct block_set *set)
{
    return set->epoch;
}

static bool kind_equal(const struct event_kind *a, const struct event_kind *b)
{
    return slice_equal(a->code, b->code) && slice_equal(a->channel, b->channel) &&
           slice_equal(a->provider, b->provider) && slice_equal(a->product, b->product) &&
           slice_equal(a->category, b->category) && slice_equal(a->service, b->service);
}

static void key_part(struct buf *key, struct slice s)
{
    uint32_t n = (uint32_t)s.n;
    buf_add(key, slice_of(&n, sizeof n));
    buf_add(key, s);
}

static void block_set_kind(struct block *b, const struct event_kind *kind)
{
    struct arena *a = &b->kind_bytes;
    b->kind = (struct event_kind){
        arena_slice(a, kind->product),  arena_slice(a, kind->category),
        arena_slice(a, kind->service),  arena_slice(a, kind->channel),
        arena_slice(a, kind->provider), arena_slice(a, kind->code),
    };
}

static struct block *block_new(struct block_set *set, const struct event_kind *kind)
{
    struct block *b = xcalloc(1, sizeof *b);
    b->set = set;
    block_set_kind(b, kind);
    return b;
}

struct block *block_set_open(struct block_set *set, const struct event_kind *kind)
{
    if (set->last && kind_equal(&set->last->kind, kind))
        return set->last;
    buf_clear(&set->key);
    key_part(&set->key, kind->code);
    key_part(&set->key, kind->channel);
    key_part(&set->key, kind->provider);
    key_part(&set->key, kind->product);
    key_part(&set->key, kind->category);
    key_part(&set->key, kind->service);
    bool is_new;
    uint32_t *index = map_put(&set->kinds, buf_slice(&set->key), &is_new);
    if (is_new) {
        if (set->n == set->cap) {
            set->cap = set->cap ? set->cap * 2 : 64;
            set->blocks = xrealloc(set->blocks, set->cap, sizeof *set->blocks);
        }
        *index = set->n;
        set->blocks[set->n++] = block_new(set, kind);
    }
    return set->last = set->blocks[*index];
}

static void column_empty(struct column *c)
{
    uint32_t texts = c->values_n < c->texts_cap ? c->values_n : c->texts_cap;
    if (texts) {
        memset(c->texts, 0, texts * sizeof *c->texts);
        memset(c->folded, 0, texts * sizeof *c->folded);
    }
    c->ids_n = 0;
    c->list_row = 0;
    c->values_n = 1;
    c->last = 0;
    c->plain = false;
    if (c->table_cap)
        memset(c->table, 0, c->table_cap * sizeof *c->table);
}

static void block_empty(struct block *b)
{
    b->rows = 0;
    for (uint32_t i = 0; i < b->columns_n; i++)
        column_empty(&b->columns[i]);
    arena_reset(&b->values);
    if (b->crowded) {
        b->crowded = false;
        b->columns_n = 0; /* the columns' memory stays for the next names */
        map_clear(&b->names);
        arena_reset(&b->names_bytes);
        b->set->epoch++;
    }
}

static enum status hand_on(struct block *b, struct error *err)
{
    enum status status = OK;
    if (b->rows)
        status = b->set->sink.full(b->set->sink.ctx, b, err);
    block_empty(b);
    return status;
}

enum status block_set_flush(struct block_set *set, struct error *err)
{
    for (uint32_t i = 0; i < set->n; i++) {
        enum status status = hand_on(set->blocks[i], err);
        if (status != OK)
            return status;
    }
    return OK;
}

enum status block_set_trim(struct block_set *set, size_t most_bytes, struct error *err)
{
    size_t total = 0;
    for (uint32_t i = 0; i < set->n; i++)
        total += set->blocks[i]->held + set->blocks[i]->values.used;
    if (total <= most_bytes && set->n <= KINDS_MOST)
        return OK;
    enum status status = block_set_flush(set, err);
    forget_blocks(set);
    return status;
}

/* A capacity doubled until `n` fit; the block is charged for what `each` of the new ones takes. */
static uint32_t grown(struct block *b, uint32_t cap, uint32_t first, uint32_t n, size_t each)
{
    uint32_t old = cap;
    while (cap < n)
        cap = cap ? cap * 2 : first;
    b->held += (cap - old) * each;
    return cap;
}

/* As realloc, which knows nothing of cache lines. */
static void columns_grow(struct block *b)
{
    uint32_t cap = b->columns_cap ? b->columns_cap * 2 : 32;
    struct column *more = aligned_alloc(alignof(struct column), cap * sizeof *more);
    if (!more)
        more = xrealloc(NULL, SIZE_MAX, 1); /* ends the program with the usual message */
    memset(more, 0, cap * sizeof *more);
    if (b->columns_cap)
        memcpy(more, b->columns, b->columns_cap * sizeof *more);
    free(b->columns);
    b->held += (cap - b->columns_cap) * sizeof *more;
    b->columns = more;
    b->columns_cap = cap;
}

uint32_t block_column(struct block *b, struct slice name)
{
    bool is_new;
    const uint32_t *found = map_get(&b->names, name);
    if (found)
        return *found;
    if (b->columns_n == BLOCK_COLUMNS) {
        b->crowded = true;
        return BLOCK_NO_COLUMN;
    }
    if (b->columns_n == b->columns_cap) {
        columns_grow(b);
    }
    uint32_t index = b->columns_n++;
    *map_put(&b->names, name, &is_new) = index;
    struct column *c = &b->columns[index];
    c->name = arena_slice(&b->names_bytes, name);
    column_empty(c);
    return index;
}

static void rows_room(struct block *b, uint32_t rows)
{
    if (rows <= b->rows_cap)
        return;
    b->rows_cap = grown(b, b->rows_cap, ROWS_FIRST, rows, sizeof *b->times + sizeof *b->origins);
    b->times = xrealloc(b->times, b->rows_cap, sizeof *b->times);
    b->origins = xrealloc(b->origins, b->rows_cap, sizeof *b->origins);
}

enum status block_row(struct block *b, timestamp time, struct origin origin, struct error *err)
{
    if (__builtin_expect(b->rows == BLOCK_ROWS || b->crowded || b->values.used >= BLOCK_BYTES, 0)) {
        enum status status = hand_on(b, err);
        if (status != OK)
            return status;
    }
    rows_room(b, b->rows + 1);
    b->times[b->rows] = time;
    b->origins[b->rows] = origin;
    b->rows++;
    return OK;
}

/* The first 8 bytes; of fewer, all of them in some order. With the size it tells such values apart. */
static inline uint64_t head_of(const struct value *v)
{
    const unsigned char *p = v->p;
    uint64_t head = 0;
    if (v->n >= sizeof head) {
        memcpy(&head, p, sizeof head);
    } else if (v->n >= 4) {
        uint32_t part[2];
        memcpy(&part[0], p, sizeof part[0]);
        memcpy(&part[1], p + v->n - 4, sizeof part[1]);
        head = part[0] | (uint64_t)part[1] << 32;
    } else if (v->n) {
        head = p[0] | (uint64_t)p[v->n / 2] << 8 | (uint64_t)p[v->n - 1] << 16;
    }
    return head;
}

/* Whether two values whose sizes, types and heads are the same are equal. */
static inline bool tail_equal(const struct value *a, const struct value *b)
{
    uint64_t tail[2];
    uint32_t n = a->n;
    if (n <= sizeof *tail)
        return true;
    memcpy(&tail[0], (const char *)a->p + (n - 8), sizeof *tail);
    memcpy(&tail[1], (const char *)b->p + (n - 8), sizeof *tail);
    return tail[0] == tail[1] && (n <= 16 || memcmp(a->p, b->p, n) == 0);
}

static inline bool value_equal(const struct value *a, const struct value *b, uint64_t b_head)
{
    return a->n == b->n && a->type == b->type && head_of(a) == b_head && tail_equal(a, b);
}

static void values_room(struct block *b, struct column *c, uint32_t n)
{
    if (n <= c->values_cap)
        return;
    c->values_cap = grown(b, c->values_cap, 16, n, sizeof *c->values + sizeof *c->hashes);
    c->values = xrealloc(c->values, c->values_cap, sizeof *c->values);
    c->hashes = xrealloc(c->hashes, c->values_cap, sizeof *c->hashes);
}

/* Appends a value to the dictionary: at most two a row (one, and a list), so numbers fit 16 bits. */
static uint16_t add_value(struct block *b, struct column *c, struct value v, uint32_t hash)
{
    values_room(b, c, c->values_n + 1);
    uint32_t id = c->values_n++;
    c->values[id] = (struct value){arena_copy(&b->values, v.p, v.n), v.n, v.type};
    c->hashes[id] = hash;
    return (uint16_t)id;
}

static uint32_t table_entry(uint32_t id, uint32_t hash)
{
    return id | (hash & 0xffff0000);
}

static void table_grow(struct block *b, struct column *c)
{
    uint32_t cap = grown(b, c->table_cap, 32, c->table_cap + 1, sizeof *c->table);
    free(c->table);
    c->table = xcalloc(cap, sizeof *c->table);
    c->table_cap = cap;
    for (uint32_t id = 1; id < c->values_n; id++) {
        uint32_t i = c->hashes[id] & (cap - 1);
        while (c->table[i])
            i = (i + 1) & (cap - 1);
        c->table[i] = table_entry(id, c->hashes[id]);
    }
}

/* The table's hash of a value. That of a short one needs no call. */
static inline uint32_t hash_of(const struct block_set *set, const struct value *v, uint64_t head)
{
    uint64_t low = head ^ set->seed;
    if (v->n > sizeof head)
        low ^= hash_bytes(v->p, v->n);
    __extension__ unsigned __int128 product =
        (unsigned __int128)low * (set->factor + 2 * (v->type + (uint64_t)v->n * VALUE_TYPES));
    uint64_t both = (uint64_t)product ^ (uint64_t)(product >> 64);
    return (uint32_t)(both ^ both >> 32);
}

static uint16_t find_or_add(struct block *b, struct column *c, struct value v, uint64_t head,
                            uint32_t hash)
{
    if (c->values_n * 2 >= c->table_cap)
        table_grow(b, c);
    uint32_t i = hash & (c->table_cap - 1);
    for (; c->table[i]; i = (i + 1) & (c->table_cap - 1)) {
        uint16_t id = (uint16_t)c->table[i];
        if (c->table[i] == table_entry(id, hash) && value_equal(&c->values[id], &v, head))
            return id;
    }
    uint16_t id = add_value(b, c, v, hash);
    c->table[i] = table_entry(id, hash);
    return id;
}

/* Apart from block_put, so that a value that comes again and again does not pay for this. */
__attribute__((noinline)) static uint16_t intern(struct block *b, struct column *c, struct value v,
                                                 uint64_t head, uint32_t hash)
{
    uint16_t id;
    if (c->plain) {
        id = add_value(b, c, v, 0);
    } else {
        id = find_or_add(b, c, v, head, hash);
        if (c->ids_n >= PLAIN_AFTER && c->values_n > c->ids_n - c->ids_n / 8)
            c->plain = true;
    }
    c->last_head = head;
    c->last_n = v.n;
    c->last_type = v.type;
    return c->last = id;
}

/* The row has a value already: both go into a list, a dictionary entry of this row's own whose room
 * doubles, so that an event with thousands of values under one name costs what they take. */
__attribute__((noinline)) static void put_again(struct block *b, struct column *c, uint32_t row,
                                                struct value v)
{
    struct buf *list = &b->set->list;
    struct value element;
    bool own = c->list_row == row + 1;
    buf_clear(list);
    if (!own)
        for (size_t at = 0; value_next(c->values[c->ids[row]], &at, &element);)
            value_list_add(list, element);
    for (size_t at = 0; value_next(v, &at, &element);)
        value_list_add(list, element);
    if (!own) {
        c->ids[row] = add_value(b, c, value_of_list(list), 0);
        c->last = 0; /* the list may grow: not to be found again */
        c->list_row = row + 1;
        c->list_cap = (uint32_t)list->n;
        return;
    }
    struct value *old = &c->values[c->ids[row]];
    if (list->n > UINT32_MAX / 4 - old->n)
        return;
    uint32_t n = old->n + (uint32_t)list->n;
    if (n > c->list_cap) {
        char *room = arena_bytes(&b->values, (size_t)n * 2);
        memcpy(room, old->p, old->n);
        old->p = room;
        c->list_cap = n * 2;
    }
    memcpy((char *)(uintptr_t)old->p + old->n, list->p, list->n);
    old->n = n;
}

static void ids_room(struct block *b, struct column *c, uint32_t rows)
{
    if (rows <= c->ids_cap)
        return;
    c->ids_cap = grown(b, c->ids_cap, ROWS_FIRST, rows, sizeof *c->ids);
    c->ids = xrealloc(c->ids, c->ids_cap, sizeof *c->ids);
}

/* Makes row the column's next one; false when it has a value already. */
__attribute__((noinline)) static bool column_reach(struct block *b, struct column *c, uint32_t row)
{
    if (c->ids_n > row)
        return false;
    ids_room(b, c, row + 1);
    if (c->ids_n < row)
        memset(c->ids + c->ids_n, 0, (row - c->ids_n) * sizeof *c->ids);
    c->ids_n = row;
    return true;
}

/* Whether it is the value that the column was given last. */
static inline bool is_last(const struct column *c, const struct value *v, uint64_t head)
{
    return c->last && c->last_head == head && c->last_n == v->n && c->last_type == v->type &&
           tail_equal(&c->values[c->last], v);
}

/* Makes the newest row the column's next one; if it has a value already, the two become a list. */
static inline bool is_next(struct block *b, struct column *c, uint32_t row, struct value v)
{
    if (__builtin_expect(c->ids_n == row && row < c->ids_cap, 1) || column_reach(b, c, row))
        return true;
    put_again(b, c, row, v);
    return false;
}

void block_put(struct block *b, uint32_t column, struct value v)
{
    if (column == BLOCK_NO_COLUMN)
        return;
    struct column *c = &b->columns[column];
    uint32_t row = b->rows - 1;
    if (!is_next(b, c, row, v))
        return;
    uint64_t head = head_of(&v);
    c->ids[row] = is_last(c, &v, head) ? c->last : intern(b, c, v, head, hash_of(b->set, &v, head));
    c->ids_n = row + 1;
}

/* A value on its way into a dictionary. */
struct put {
    uint64_t head;
    uint32_t hash;
    bool hashed;
};

/* Where the search for a hash begins. */
static inline const uint32_t *slot_of(const struct column *c, uint32_t hash)
{
    return &c->table[hash & (c->table_cap - 1)];
}

/* A dictionary is three places in memory, each of which tells the next: the table, the value, its
 * bytes. One value after the other would wait for each of them. */
static void fetch(const struct block *b, const uint32_t *columns, const struct value *values,
                  struct put *puts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct put *p = &puts[i];
        p->hashed = false;
        if (columns[i] == BLOCK_NO_COLUMN)
            continue;
        const struct column *c = &b->columns[columns[i]];
        if (!c->table_cap || c->plain)
            continue;
        p->head = head_of(&values[i]);
        p->hashed = !is_last(c, &values[i], p->head);
        if (!p->hashed)
            continue;
        p->hash = hash_of(b->set, &values[i], p->head);
        __builtin_prefetch(slot_of(c, p->hash));
    }
    for (size_t i = 0; i < n; i++)
        if (puts[i].hashed) {
            const struct column *c = &b->columns[columns[i]];
            __builtin_prefetch(&c->values[(uint16_t)*slot_of(c, puts[i].hash)]);
        }
    for (size_t i = 0; i < n; i++)
        if (puts[i].hashed) {
            const struct column *c = &b->columns[columns[i]];
            uint16_t id = (uint16_t)*slot_of(c, puts[i].hash);
            if (id)
                __builtin_prefetch(c->values[id].p);
        }
}

void block_put_all(struct block *b, const uint32_t *columns, const struct value *values, size_t n)
{
    struct put puts[BLOCK_PUTS];
    uint32_t row = b->rows - 1;
    fetch(b, columns, values, puts, n);
    for (size_t i = 0; i < n; i++) {
        const struct put *p = &puts[i];
        if (!p->hashed) {
            block_put(b, columns[i], values[i]);
            continue;
        }
        struct column *c = &b->columns[columns[i]];
        if (!is_next(b, c, row, values[i]))
            continue;
        c->ids[row] = intern(b, c, values[i], p->head, p->hash);
        c->ids_n = row + 1;
    }
}

struct block *block_alone(void)
{
    return xcalloc(1, sizeof(struct block));
}

void block_restore(struct block *b, const struct event_kind *kind, uint32_t rows)
{
    for (uint32_t i = 0; i < b->columns_n; i++)
        column_empty(&b->columns[i]);
    b->columns_n = 0;
    map_clear(&b->names);
    arena_reset(&b->names_bytes);
    arena_reset(&b->kind_bytes);
    arena_reset(&b->values);
    block_set_kind(b, kind);
    rows_room(b, rows);
    b->rows = rows;
    for (uint32_t row = 0; row < rows; row++) {
        b->times[row] = TIMESTAMP_NONE;
        b->origins[row] = (struct origin){0};
    }
}

struct column *column_restore_values(struct block *b, uint32_t column, uint32_t values_n)
{
    struct column *c = &b->columns[column];
    values_room(b, c, values_n);
    c->values_n = values_n;
    return c;
}

uint16_t *column_restore_ids(struct block *b, uint32_t column)
{
    struct column *c = &b->columns[column];
    ids_room(b, c, b->rows);
    c->ids_n = b->rows;
    return memset(c->ids, 0, b->rows * sizeof *c->ids);
}

int32_t block_find(const struct block *b, struct slice name)
{
    const uint32_t *found = map_get(&b->names, name);
    return found && b->columns[*found].values_n > 1 ? (int32_t)*found : -1;
}

static void texts_room(struct block *b, struct column *c, uint32_t id)
{
    if (id < c->texts_cap)
        return;
    uint32_t cap = c->values_cap;
    b->held += (cap - c->texts_cap) * 2 * sizeof *c->texts;
    c->texts = xrealloc(c->texts, cap, sizeof *c->texts);
    c->folded = xrealloc(c->folded, cap, sizeof *c->folded);
    memset(c->texts + c->texts_cap, 0, (cap - c->texts_cap) * sizeof *c->texts);
    memset(c->folded + c->texts_cap, 0, (cap - c->texts_cap) * sizeof *c->folded);
    c->texts_cap = cap;
}

struct slice column_text(struct block *b, uint32_t column, uint32_t id)
{
    struct column *c = &b->columns[column];
    texts_room(b, c, id);
    if (!c->texts[id].p) {
        c->texts[id] = value_text(c->values[id], &b->values);
        if (!c->texts[id].p)
            c->texts[id].p = "";
    }
    return c->texts[id];
}

struct slice column_folded(struct block *b, uint32_t column, uint32_t id)
{
    struct slice text = column_text(b, column, id);
    struct column *c = &b->columns[column];
    if (!c->folded[id].p)
        c->folded[id] = text_fold(&b->values, text);
    return c->folded[id];
}

struct slice block_text(struct block *b, uint32_t row, struct slice name)
{
    int32_t column = block_find(b, name);
    uint16_t id = column < 0 ? 0 : column_id(&b->columns[column], row);
    return id ? column_text(b, (uint32_t)column, id) : (struct slice){0};
}
