/*
 * join: the right side is kept, sorted by the hash of its keys and then by time; the left side streams
 * past it.
 */
#include "hunt/run_internal.h"

#include "hunt/scalar.h"

#include <stdlib.h>

enum { KEYS_MOST = 64 };

struct entry {
    uint64_t hash;
    timestamp time;
    const struct hunt_value *row;
};

struct joining {
    struct run *r;
    const struct plan_operator *op;
    struct batch_sink sink;
    struct prepared **left, **right; /* keys, then the time when there is a window */
    uint32_t keys_n;                 /* with the time */
    struct rows *rows;               /* by worker: keys, then the right's columns */
    uint32_t width;
    struct entry *entries;
    size_t entries_n;
    uint64_t held;
};

/* Of the keys in a row; false when one equals nothing. */
static bool keys_hash(const struct joining *j, const struct hunt_value *const *keys, uint64_t *hash)
{
    const struct hunt_value *time = j->op->join.windowed ? keys[j->keys_n - 1] : NULL;
    uint64_t h = 0;
    for (uint32_t i = 0; i < j->op->join.keys_n; i++) {
        if (!keys[i] || keys[i]->null || (keys[i]->type == TYPE_STRING && keys[i]->text.n == 0))
            return false;
        h = (h ^ value_hash(keys[i])) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    *hash = h;
    return !time || !time->null;
}

/* ---- the right side ---- */

static enum flow push_right(void *ctx, unsigned worker, struct batch *b, struct error *err)
{
    struct joining *j = ctx;
    const struct vector **vectors = arena_alloc(b->arena, (j->width + 1) * sizeof *vectors);
    for (uint32_t i = 0; i < j->keys_n; i++)
        vectors[i] = expr_vector(j->right[i], j->r->evaluators[worker], b);
    for (uint32_t i = 0; i < j->op->join.right_n; i++) {
        uint32_t column = j->op->join.right_columns[i];
        enum hunt_type type = j->r->plan->columns[column].type;
        struct hunt_value none = value_none(type);
        const struct vector *v = b->columns[column];
        vectors[j->keys_n + i] = v ? v : vector_constant(b->arena, type, &none);
    }
    if (rows_add(&j->rows[worker], &j->r->memory, vectors, NULL, b->rows, b->arena))
        return FLOW_MORE;
    memory_out(j->r, j->op, "rows of the right side", err);
    return FLOW_FAILED;
}

static int by_hash_and_time(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->time > y->time) - (x->time < y->time);
}

static enum status index_right(struct joining *j, struct error *err)
{
    size_t n = 0;
    for (unsigned w = 0; w < j->r->workers; w++)
        n += j->rows[w].n;
    /* sorting takes as much again */
    if (!memory_hold(&j->r->memory, &j->held, n * 2 * sizeof *j->entries))
        return memory_out(j->r, j->op, "rows of the right side", err);
    j->entries = xcalloc(n + 1, sizeof *j->entries);
    for (unsigned w = 0; w < j->r->workers; w++)
        for (size_t i = 0; i < j->rows[w].n; i++) {
            const struct hunt_value *row = rows_at(&j->rows[w], i), *keys[KEYS_MOST] = {NULL};
            struct entry *e = &j->entries[j->entries_n];
            for (uint32_t k = 0; k < j->keys_n; k++)
                keys[k] = &row[k];
            if (!keys_hash(j, keys, &e->hash))
                continue;
            e->row = row;
            e->time = j->op->join.windowed ? row[j->keys_n - 1].number : 0;
            j->entries_n++;
        }
    if (j->entries_n)
        qsort(j->entries, j->entries_n, sizeof *j->entries, by_hash_and_time);
    return OK;
}

/* The first entry that is not before a hash and time. */
static size_t lower_bound(const struct joining *j, uint64_t hash, timestamp time)
{
    struct entry wanted = {hash, time, NULL};
    size_t low = 0, high = j->entries_n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_hash_and_time(&j->entries[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- the left side ---- */

/* Rows of the answer that are being made. */
struct pairs {
    uint32_t *left;
    const struct hunt_value **right; /* NULL: nothing fits */
    uint32_t n;
};

static enum flow push_pairs(struct joining *j, unsigned worker, struct batch *from,
                            struct pairs *pairs, struct error *err)
{
    if (!pairs->n)
        return FLOW_MORE;
    struct arena a = {0};
    struct batch *b = batch_new(&a, from->columns_n, pairs->n);
    for (uint32_t c = 0; c < from->columns_n; c++)
        if (from->columns[c])
            b->columns[c] = vector_pick(&a, from->columns[c], pairs->left, pairs->n);
    for (uint32_t k = 0; k < j->op->join.right_n; k++) {
        uint32_t column = j->op->join.right_columns[k];
        enum hunt_type type = j->r->plan->columns[column].type;
        struct hunt_value *values = arena_alloc(&a, pairs->n * sizeof *values);
        for (uint32_t i = 0; i < pairs->n; i++)
            values[i] = pairs->right[i] ? pairs->right[i][j->keys_n + k] : value_none(type);
        b->columns[column] = vector_flat(&a, type, values, pairs->n);
    }
    batch_live(b, j->op);
    pairs->n = 0;
    enum flow flow = run_stopped(j->r) ? FLOW_ENOUGH : j->sink.push(j->sink.ctx, worker, b, err);
    arena_free(&a);
    return flow;
}

static enum flow add(struct joining *j, unsigned worker, struct batch *b, struct pairs *pairs,
                     uint32_t row, const struct hunt_value *right, struct error *err)
{
    pairs->left[pairs->n] = row;
    pairs->right[pairs->n++] = right;
    return pairs->n == BATCH_ROWS ? push_pairs(j, worker, b, pairs, err) : FLOW_MORE;
}

static bool keys_equal(const struct joining *j, const struct hunt_value *const *keys,
                       const struct hunt_value *row)
{
    for (uint32_t i = 0; i < j->op->join.keys_n; i++)
        if (!values_equal(keys[i], &row[i]))
            return false;
    return true;
}

/* A time moved by a span, kept within what there is. */
static timestamp moved(timestamp t, int64_t span)
{
    timestamp out;
    if (__builtin_add_overflow(t, span, &out))
        return span < 0 ? INT64_MIN : INT64_MAX;
    return out;
}

static enum flow join_row(struct joining *j, unsigned worker, struct batch *b, struct pairs *pairs,
                          uint32_t row, const struct hunt_value *const *keys, struct error *err)
{
    enum join_kind kind = j->op->join.kind;
    timestamp from = 0, to = 0;
    uint64_t hash;
    bool found = false;
    enum flow flow = FLOW_MORE;
    if (keys_hash(j, keys, &hash)) {
        if (j->op->join.windowed) {
            from = moved(keys[j->keys_n - 1]->number, j->op->join.from);
            to = moved(keys[j->keys_n - 1]->number, j->op->join.to);
        }
        for (size_t i = lower_bound(j, hash, from);
             flow == FLOW_MORE && i < j->entries_n && j->entries[i].hash == hash &&
             j->entries[i].time <= to && !(found && kind >= JOIN_LEFT_SEMI);
             i++) {
            if (!keys_equal(j, keys, j->entries[i].row))
                continue;
            found = true;
            if (kind == JOIN_INNER || kind == JOIN_LEFT_OUTER)
                flow = add(j, worker, b, pairs, row, j->entries[i].row, err);
        }
    }
    if (flow == FLOW_MORE &&
        ((kind == JOIN_LEFT_OUTER && !found) || (kind == JOIN_LEFT_SEMI && found) ||
         (kind == JOIN_LEFT_ANTI && !found)))
        flow = add(j, worker, b, pairs, row, NULL, err);
    return flow;
}

static enum flow push_left(void *ctx, unsigned worker, struct batch *b, struct error *err)
{
    struct joining *j = ctx;
    const struct vector **vectors = arena_alloc(b->arena, (j->keys_n + 1) * sizeof *vectors);
    const struct hunt_value *keys[KEYS_MOST] = {NULL};
    struct pairs pairs = {xcalloc(BATCH_ROWS, sizeof *pairs.left),
                          xcalloc(BATCH_ROWS, sizeof *pairs.right), 0};
    enum flow flow = FLOW_MORE;
    for (uint32_t i = 0; i < j->keys_n; i++)
        vectors[i] = expr_vector(j->left[i], j->r->evaluators[worker], b);
    for (uint32_t row = 0; row < b->rows && flow == FLOW_MORE; row++) {
        for (uint32_t i = 0; i < j->keys_n; i++)
            keys[i] = vector_at(vectors[i], row);
        flow = join_row(j, worker, b, &pairs, row, keys, err);
    }
    if (flow == FLOW_MORE)
        flow = push_pairs(j, worker, b, &pairs, err);
    free(pairs.left);
    free(pairs.right);
    return flow;
}

/* ---- both ---- */

static enum status prepare_keys(struct joining *j, struct error *err)
{
    struct run *r = j->r;
    const struct plan_operator *op = j->op;
    j->keys_n = op->join.keys_n + op->join.windowed;
    if (j->keys_n > KEYS_MOST)
        return plan_error(r->plan, op->place, err, "a join of more than %d keys", KEYS_MOST - 1);
    j->left = arena_zero(&r->arena, j->keys_n, sizeof(struct prepared *));
    j->right = arena_zero(&r->arena, j->keys_n, sizeof(struct prepared *));
    for (uint32_t i = 0; i < j->keys_n; i++) {
        bool time = i == op->join.keys_n;
        j->left[i] = run_prepare(r, time ? op->join.left_time : op->join.keys[i].left, err);
        if (j->left[i])
            j->right[i] = run_prepare(r, time ? op->join.right_time : op->join.keys[i].right, err);
        if (!j->right[i])
            return err->status;
    }
    return OK;
}

enum status run_join(struct run *r, const struct plan_operator *op, struct batch_sink sink,
                     struct error *err)
{
    struct joining j = {.r = r, .op = op, .sink = sink};
    enum status status = prepare_keys(&j, err);
    j.width = j.keys_n + op->join.right_n;
    j.rows = arena_zero(&r->arena, r->workers, sizeof *j.rows);
    for (unsigned i = 0; i < r->workers; i++)
        j.rows[i].width = j.width;
    if (status == OK)
        status = run_operator(r, op->join.right, (struct batch_sink){push_right, &j}, err);
    if (status == OK)
        status = index_right(&j, err);
    if (status == OK &&
        (j.entries_n || op->join.kind == JOIN_LEFT_OUTER || op->join.kind == JOIN_LEFT_ANTI))
        status = run_operator(r, op->input, (struct batch_sink){push_left, &j}, err);
    if (status == OK && run_stopped(r))
        status = run_interrupted(err);
    for (unsigned i = 0; i < r->workers; i++)
        rows_free(&j.rows[i], &r->memory);
    memory_hold(&r->memory, &j.held, 0);
    free(j.entries);
    return status;
}
