#include "store/known.h"

#include "base/text.h"
#include "base/vec.h"
#include "event/select.h"
#include "store/prints.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    GENERATION = 2 << 20, /* records of the transaction that are remembered, twice over */
    HOSTS_ASKED = 4,      /* a block of more hosts than this is looked for without filters */
    TABLE = 2 * BLOCK_ROWS,
    NOBODY = UINT16_MAX,
};

/* The blocks of a segment, by their kinds. */
struct place {
    uint64_t kind;
    uint32_t no;
};

struct places {
    struct place *at;
    bool made;
};

struct continued {
    uint32_t input;
    const uint32_t *stored;
    size_t n;
};

/* Prints, each once. */
struct print_set {
    struct print *slots; /* zero: free */
    size_t n, cap;
};

struct known {
    struct store *s;
    pthread_mutex_t lock;    /* over all that follows, and over opening segments */
    struct places *segments; /* those that were there when the transaction began */
    size_t segments_n;
    struct {
        struct continued *at;
        size_t n, cap;
    } continued;
    struct print_set now, before; /* this generation and the last */
};

/* What is looked for: the rows of a block that may be known, and where they can be. */
struct wanted {
    struct block *block;
    bool windows;
    uint32_t n;
    uint16_t rows[BLOCK_ROWS];
    struct print prints[BLOCK_ROWS];
    bool printed;
    bool out[BLOCK_ROWS]; /* by row of the block */
    uint64_t kind;
    timestamp first, last; /* TIMESTAMP_NONE: no row has a time */
    bool timeless;
    uint64_t record_least, record_most;
    uint64_t hosts[HOSTS_ASKED];
    uint32_t hosts_n; /* 0: not asked for */
    bool tabled;
    uint16_t heads[TABLE], next[BLOCK_ROWS]; /* rows by record and time */
};

struct pair {
    uint16_t row, stored;
};

struct known_worker {
    struct known *k;
    struct segment_reader *reader;
    struct block *stored;
    struct prints prints;
    struct wanted wanted;
    struct {
        struct pair *at;
        size_t n, cap;
    } pairs;
    bool *may;
    size_t may_cap;
};

struct known *known_new(struct store *s)
{
    struct known *k = xcalloc(1, sizeof *k);
    k->s = s;
    pthread_mutex_init(&k->lock, NULL);
    k->segments_n = s->segments_n;
    k->segments = xcalloc(k->segments_n + 1, sizeof *k->segments);
    return k;
}

void known_free(struct known *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->segments_n; i++)
        free(k->segments[i].at);
    free(k->segments);
    free(k->continued.at);
    free(k->now.slots);
    free(k->before.slots);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

void known_continues(struct known *k, uint32_t input, const uint32_t *stored, size_t n)
{
    *VEC_PUSH(k->continued) = (struct continued){input, stored, n};
}

struct known_worker *known_worker_new(struct known *k)
{
    struct known_worker *w = xcalloc(1, sizeof *w);
    w->k = k;
    w->reader = segment_reader_new(false);
    w->stored = block_alone();
    return w;
}

void known_worker_free(struct known_worker *w)
{
    if (!w)
        return;
    segment_reader_free(w->reader);
    block_free(w->stored);
    prints_free(&w->prints);
    free(w->pairs.at);
    free(w->may);
    free(w);
}

static const struct continued *continued(const struct known *k, uint32_t input)
{
    size_t from = 0, to = k->continued.n;
    while (from < to) {
        size_t middle = (from + to) / 2;
        const struct continued *c = &k->continued.at[middle];
        if (c->input == input)
            return c;
        if (c->input < input)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}

static bool has_input(const struct continued *c, uint32_t input)
{
    size_t from = 0, to = c ? c->n : 0;
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (c->stored[middle] == input)
            return true;
        if (c->stored[middle] < input)
            from = middle + 1;
        else
            to = middle;
    }
    return false;
}

/* ---- what is looked for ---- */

static uint64_t kind_hash(const struct event_kind *k)
{
    const struct slice *parts = &k->product;
    uint64_t h = 0;
    for (size_t i = 0; i < sizeof *k / sizeof *parts; i++)
        h = (h ^ hash_bytes(parts[i].p, parts[i].n)) * 0x9e3779b97f4a7c15u + i;
    return h;
}

static bool kind_equal(const struct event_kind *a, const struct event_kind *b)
{
    const struct slice *x = &a->product, *y = &b->product;
    for (size_t i = 0; i < sizeof *a / sizeof *x; i++)
        if (!slice_equal(x[i], y[i]))
            return false;
    return true;
}

static void want_row(struct wanted *w, uint32_t row)
{
    const struct block *b = w->block;
    timestamp t = b->times[row];
    uint64_t record = b->origins[row].record;
    if (t == TIMESTAMP_NONE) {
        w->timeless = true;
    } else {
        if (w->first == TIMESTAMP_NONE || t < w->first)
            w->first = t;
        if (w->last == TIMESTAMP_NONE || t > w->last)
            w->last = t;
    }
    if (!w->n || record < w->record_least)
        w->record_least = record;
    if (!w->n || record > w->record_most)
        w->record_most = record;
    w->rows[w->n++] = (uint16_t)row;
}

/* The keys of the computers, when they are few. */
static void want_hosts(struct wanted *w)
{
    struct block *b = w->block;
    int32_t column = block_find(b, SLICE("Computer"));
    if (column < 0)
        return;
    uint16_t ids[HOSTS_ASKED] = {0};
    for (uint32_t i = 0; i < w->n; i++) {
        uint16_t id = column_id(&b->columns[column], w->rows[i]);
        uint32_t k = 0;
        while (k < w->hosts_n && ids[k] != id)
            k++;
        if (k < w->hosts_n)
            continue;
        if (!id || k == HOSTS_ASKED) {
            w->hosts_n = 0;
            return;
        }
        ids[w->hosts_n] = id;
        w->hosts[w->hosts_n++] = filter_key(column_folded(b, (uint32_t)column, id));
    }
}

/* Which rows may be known: of Windows events all, else those of inputs that continue others. */
static void want(struct known_worker *worker, struct block *b)
{
    struct wanted *w = &worker->wanted;
    const struct known *k = worker->k;
    w->block = b;
    w->windows = slice_equal(b->kind.product, SLICE("windows"));
    w->n = w->hosts_n = 0;
    w->printed = w->tabled = w->timeless = false;
    w->first = w->last = TIMESTAMP_NONE;
    if (!w->windows && !k->continued.n)
        return;
    uint32_t last = UINT32_MAX;
    bool is_wanted = false;
    for (uint32_t row = 0; row < b->rows; row++) {
        uint32_t input = b->origins[row].input;
        if (row == 0 || input != last)
            is_wanted = w->windows || continued(k, input) != NULL;
        last = input;
        if (is_wanted)
            want_row(w, row);
    }
    memset(w->out, false, b->rows);
    w->kind = kind_hash(&b->kind);
    if (w->windows)
        want_hosts(w);
}

static void print_wanted(struct known_worker *worker)
{
    struct wanted *w = &worker->wanted;
    if (!w->printed)
        prints_make(&worker->prints, w->block, w->rows, w->n, w->prints);
    w->printed = true;
}

static size_t table_place(timestamp time, uint64_t record)
{
    uint64_t h = (record * 0x9e3779b97f4a7c15u ^ (uint64_t)time) * 0xff51afd7ed558ccdu;
    return (size_t)(h >> 40) % TABLE;
}

/* Rows by record and time. Links are places in w->rows. */
static void table_wanted(struct wanted *w)
{
    if (w->tabled)
        return;
    memset(w->heads, 0xff, sizeof w->heads);
    for (uint32_t i = 0; i < w->n; i++) {
        uint32_t row = w->rows[i];
        size_t at = table_place(w->block->times[row], w->block->origins[row].record);
        w->next[i] = w->heads[at];
        w->heads[at] = (uint16_t)i;
    }
    w->tabled = true;
}

/* ---- in the store ---- */

static bool times_meet(const struct wanted *w, timestamp first, timestamp last)
{
    return first != TIMESTAMP_NONE && w->first != TIMESTAMP_NONE && first <= w->last &&
           w->first <= last;
}

static bool block_may(const struct wanted *w, const struct stored_block *b)
{
    return b->record_least <= w->record_most && w->record_least <= b->record_most &&
           (times_meet(w, b->first, b->last) || (w->timeless && b->timeless)) &&
           kind_equal(&b->kind, &w->block->kind);
}

/* Pairs of rows with the same record and time, and inputs that may have the same lines. */
static void pair_rows(struct known_worker *worker)
{
    const struct wanted *w = &worker->wanted;
    const struct block *b = worker->stored, *mine = w->block;
    worker->pairs.n = 0;
    for (uint32_t row = 0; row < b->rows; row++) {
        uint16_t i = w->heads[table_place(b->times[row], b->origins[row].record)];
        for (; i != NOBODY; i = w->next[i]) {
            uint16_t own = w->rows[i];
            if (mine->times[own] == b->times[row] && !w->out[own] &&
                mine->origins[own].record == b->origins[row].record &&
                (w->windows ||
                 has_input(continued(worker->k, mine->origins[own].input), b->origins[row].input)))
                *VEC_PUSH(worker->pairs) = (struct pair){i, (uint16_t)row};
        }
    }
}

/* Looks into one stored block. */
static enum status compare_block(struct known_worker *worker, const struct segment *seg,
                                 uint32_t no)
{
    struct wanted *w = &worker->wanted;
    struct block *b = worker->stored;
    table_wanted(w);
    segment_begin(seg, worker->reader, no, b);
    enum status status = segment_read_times(seg, worker->reader, no, b, NULL);
    if (status == OK)
        status = segment_read_origins(seg, worker->reader, no, b, NULL);
    if (status != OK)
        return status;
    pair_rows(worker);
    if (!worker->pairs.n)
        return OK;
    status = segment_read(seg, worker->reader, no, NULL, 0, b, NULL);
    if (status != OK)
        return status;
    print_wanted(worker);
    for (size_t i = 0; i < worker->pairs.n; i++) {
        struct pair p = worker->pairs.at[i];
        struct print stored;
        prints_make(&worker->prints, b, &p.stored, 1, &stored);
        w->out[w->rows[p.row]] |= print_equal(stored, w->prints[p.row]);
    }
    return OK;
}

static int by_kind(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return x->kind != y->kind ? (x->kind > y->kind) - (x->kind < y->kind)
                              : (x->no > y->no) - (x->no < y->no);
}

/* The segment, opened, with its places; NULL when it can't be read. */
static struct segment *open_segment(struct known *k, size_t number, const struct places **places)
{
    pthread_mutex_lock(&k->lock);
    struct segment *seg = store_segment(k->s, number, NULL);
    struct places *p = &k->segments[number];
    if (seg && !p->made) {
        p->at = xcalloc(seg->blocks_n + 1, sizeof *p->at);
        for (uint32_t i = 0; i < seg->blocks_n; i++)
            p->at[i] = (struct place){kind_hash(&seg->blocks[i].kind), i};
        qsort(p->at, seg->blocks_n, sizeof *p->at, by_kind);
        p->made = true;
    }
    pthread_mutex_unlock(&k->lock);
    *places = p;
    return seg;
}

static size_t first_of_kind(const struct places *p, size_t n, uint64_t kind)
{
    size_t from = 0, to = n;
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (p->at[middle].kind < kind)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* Of the blocks that may hold a record, those whose filters know one of the computers. */
static void choose_by_hosts(struct known_worker *worker, const struct segment *seg)
{
    const struct wanted *w = &worker->wanted;
    size_t n = seg->blocks_n;
    bool *may = worker->may, *one = may + n, *any = one + n;
    memset(any, false, n);
    for (uint32_t i = 0; i < w->hosts_n; i++) {
        memcpy(one, may, n);
        if (segment_filter(seg, &w->hosts[i], 1, one, NULL) != OK)
            return; /* the filters can't be read: all may */
        for (size_t no = 0; no < n; no++)
            any[no] |= one[no];
    }
    memcpy(may, any, n);
}

/* Which blocks of the segment can hold a record: worker->may. Returns whether any can. */
static bool choose_blocks(struct known_worker *worker, const struct segment *seg,
                          const struct places *p)
{
    const struct wanted *w = &worker->wanted;
    size_t n = seg->blocks_n;
    if (n > worker->may_cap) {
        worker->may_cap = n;
        worker->may = xrealloc(worker->may, n, 3 * sizeof *worker->may);
    }
    bool any = false;
    memset(worker->may, false, n);
    for (size_t i = first_of_kind(p, n, w->kind); i < n && p->at[i].kind == w->kind; i++)
        any |= worker->may[p->at[i].no] = block_may(w, &seg->blocks[p->at[i].no]);
    if (any && w->hosts_n)
        choose_by_hosts(worker, seg);
    return any;
}

static void compare_segment(struct known_worker *worker, size_t number)
{
    const struct wanted *w = &worker->wanted;
    const struct store_segment *told = &worker->k->s->segments[number];
    const struct places *places;
    if (told->gone || !(times_meet(w, told->told.first, told->told.last) || w->timeless))
        return;
    const struct segment *seg = open_segment(worker->k, number, &places);
    if (!seg || !choose_blocks(worker, seg, places))
        return;
    for (uint32_t no = 0; no < seg->blocks_n; no++)
        if (worker->may[no])
            (void)compare_block(worker, seg, no); /* what can't be read holds nothing */
}

/* ---- in the transaction ---- */

static struct print *print_slot(const struct print_set *set, struct print p)
{
    size_t i = p.high & (set->cap - 1);
    while ((set->slots[i].high | set->slots[i].low) && !print_equal(set->slots[i], p))
        i = (i + 1) & (set->cap - 1);
    return &set->slots[i];
}

static bool print_set_has(const struct print_set *set, struct print p)
{
    return set->cap && print_equal(*print_slot(set, p), p);
}

static void print_set_add(struct print_set *set, struct print p)
{
    if (set->n + set->n / 3 >= set->cap) {
        struct print_set grown = {.cap = set->cap ? set->cap * 2 : 1 << 12};
        grown.slots = xcalloc(grown.cap, sizeof *grown.slots);
        for (size_t i = 0; i < set->cap; i++)
            if (set->slots[i].high | set->slots[i].low)
                *print_slot(&grown, set->slots[i]) = set->slots[i];
        grown.n = set->n;
        free(set->slots);
        *set = grown;
    }
    struct print *slot = print_slot(set, p);
    set->n += !(slot->high | slot->low);
    *slot = p;
}

/* Marks the rows that came before in this transaction, and remembers the others. */
static void compare_transaction(struct known_worker *worker)
{
    struct known *k = worker->k;
    struct wanted *w = &worker->wanted;
    pthread_mutex_lock(&k->lock);
    for (uint32_t i = 0; i < w->n; i++) {
        if (w->out[w->rows[i]])
            continue;
        if (print_set_has(&k->now, w->prints[i]) || print_set_has(&k->before, w->prints[i])) {
            w->out[w->rows[i]] = true;
            continue;
        }
        if (k->now.n >= GENERATION) {
            free(k->before.slots);
            k->before = k->now;
            k->now = (struct print_set){0};
        }
        print_set_add(&k->now, w->prints[i]);
    }
    pthread_mutex_unlock(&k->lock);
}

void known_take_out(struct known_worker *worker, struct block *b)
{
    struct wanted *w = &worker->wanted;
    want(worker, b);
    if (!w->n)
        return;
    for (size_t i = 0; i < worker->k->segments_n; i++)
        compare_segment(worker, i);
    if (w->windows) {
        print_wanted(worker);
        compare_transaction(worker);
    }
    uint16_t *left = w->heads; /* done with */
    uint32_t n = 0;
    for (uint32_t row = 0; row < b->rows; row++)
        if (!w->out[row])
            left[n++] = (uint16_t)row;
    block_keep(b, left, n);
}
