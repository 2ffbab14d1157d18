/* From hits to rows: predicates and expressions as bitmaps over the rows of a block. */
#include "detect/engine_internal.h"

#include "base/text.h"

enum { PAIRS = 1024 }; /* of values whose comparison is remembered, in one fieldref */

static uint64_t *bitmap(const struct engine_worker *w, struct arena *a)
{
    return arena_zero(a, w->words, sizeof(uint64_t));
}

static void set_row(uint64_t *rows, uint32_t row)
{
    rows[row / 64] |= (uint64_t)1 << row % 64;
}

/* By counting: once a column, however many predicates ask. */
static const struct rows_by_value *rows_by_value(struct engine_worker *w, uint32_t column)
{
    struct rows_by_value *r = &w->by_value[column];
    if (r->starts)
        return r;
    const struct column *c = &w->block->columns[column];
    r->starts = arena_zero(&w->arena, c->values_n + 2, sizeof *r->starts);
    r->rows = arena_alloc(&w->arena, c->ids_n * sizeof *r->rows);
    /* counts stand two places ahead and move up by one as the rows are filled in */
    for (uint32_t row = 0; row < c->ids_n; row++)
        if (c->ids[row] + 2u < c->values_n + 2u)
            r->starts[c->ids[row] + 2u]++;
    for (uint32_t v = 1; v < c->values_n + 2; v++)
        r->starts[v] += r->starts[v - 1];
    for (uint32_t row = 0; row < c->ids_n; row++)
        r->rows[r->starts[c->ids[row] + 1u]++] = (uint16_t)row;
    return r;
}

/* The column of a view that counts in a row, and the number of its value; false: none has one. */
static inline bool column_of(const struct engine_worker *w, uint32_t view, uint32_t row,
                             uint32_t *column, uint16_t *id)
{
    const struct columns *c = &w->columns[view];
    for (uint32_t i = 0; i < c->n; i++) {
        *column = c->at[i];
        *id = column_id(&w->block->columns[c->at[i]], row);
        if (*id)
            return true;
    }
    return false;
}

static uint64_t *met_rows(struct engine_worker *w, uint32_t predicate)
{
    if (!w->hits_n[predicate] || w->bits[predicate])
        return w->bits[predicate];
    uint64_t *rows = bitmap(w, &w->arena);
    uint32_t view = w->plan->view_of[predicate], column;
    bool choice = w->columns[view].n > 1; /* another column may come first in a row */
    const struct hit *hit = w->sorted + w->first_hit[predicate];
    for (uint32_t i = 0; i < w->hits_n[predicate]; i++, hit++) {
        const struct rows_by_value *r = rows_by_value(w, hit->column);
        uint32_t from = r->starts[hit->value], to = r->starts[hit->value + 1];
        uint16_t id;
        if (to - from == w->block->rows && !choice)
            return w->bits[predicate] = w->full;
        for (uint32_t at = from; at < to; at++)
            if (!choice || (column_of(w, view, r->rows[at], &column, &id) && column == hit->column))
                set_row(rows, r->rows[at]);
    }
    return w->bits[predicate] = rows;
}

static uint64_t *present_rows(struct engine_worker *w, uint32_t view)
{
    if (!w->columns[view].n || w->present[view])
        return w->present[view];
    uint64_t *rows = bitmap(w, &w->arena);
    for (uint32_t i = 0; i < w->columns[view].n; i++) {
        const struct column *c = &w->block->columns[w->columns[view].at[i]];
        for (uint32_t row = 0; row < c->ids_n; row++)
            rows[row / 64] |= (uint64_t)(c->ids[row] != 0) << row % 64;
    }
    return w->present[view] = rows;
}

/* ---- fieldref ---- */

static bool compare_texts(struct slice a, struct slice b, uint32_t modifiers)
{
    if (modifiers & MOD_CONTAINS)
        return b.n == 0 || slice_find(a, b) >= 0;
    if (modifiers & MOD_STARTSWITH)
        return slice_starts(a, b);
    if (modifiers & MOD_ENDSWITH)
        return slice_ends(a, b);
    return slice_equal(a, b);
}

static size_t comparable_texts(struct engine_worker *w, struct value v, uint32_t view, bool cased,
                               struct slice **texts)
{
    size_t n = engine_texts(v, w->plan->views[view].translate, &w->texts, texts);
    for (size_t i = 0; i < n && !cased; i++)
        (*texts)[i] = text_fold(&w->texts, (*texts)[i]);
    return n;
}

static bool values_compare(struct engine_worker *w, const struct expression *e, struct value a,
                           struct value b)
{
    struct slice *left, *right;
    arena_reset(&w->texts);
    size_t left_n = comparable_texts(w, a, e->a, e->modifiers & MOD_CASED, &left);
    size_t right_n = comparable_texts(w, b, e->b, e->modifiers & MOD_CASED, &right);
    for (size_t i = 0; i < left_n; i++)
        for (size_t k = 0; k < right_n; k++)
            if (compare_texts(left[i], right[k], e->modifiers))
                return true;
    return false;
}

static const uint64_t *same_rows(struct engine_worker *w, const struct expression *e)
{
    uint64_t *rows = bitmap(w, &w->scratch);
    struct pair {
        const struct value *a, *b;
        bool same;
    } *pairs = arena_zero(&w->scratch, PAIRS, sizeof *pairs);
    for (uint32_t row = 0; row < w->block->rows; row++) {
        uint32_t column_a, column_b;
        uint16_t id_a, id_b;
        if (!column_of(w, e->a, row, &column_a, &id_a) ||
            !column_of(w, e->b, row, &column_b, &id_b))
            continue;
        const struct value *a = &w->block->columns[column_a].values[id_a];
        const struct value *b = &w->block->columns[column_b].values[id_b];
        struct pair *p = &pairs[(id_a * 31u + id_b) % PAIRS];
        if (p->a != a || p->b != b)
            *p = (struct pair){a, b, values_compare(w, e, *a, *b)};
        if (p->same)
            set_row(rows, row);
    }
    return rows;
}

/* ---- expressions ---- */

bool engine_may_be_true(const struct engine_worker *w, const struct expression *e)
{
    uint32_t n = 0;
    switch (e->type) {
    case IS_FALSE:
        return false;
    case IS_MET:
        return w->hits_n[e->predicate] != 0;
    case IS_AND:
    case IS_OR:
    case IS_OF:
        for (uint32_t i = 0; i < e->parts_n; i++) {
            bool may = engine_may_be_true(w, e->parts[i]);
            if (e->type == IS_AND && !may)
                return false;
            n += may;
            if (e->type == IS_OR && may)
                return true;
        }
        return e->type == IS_AND || (e->type == IS_OF && n >= e->quantity);
    default:
        return true;
    }
}

/* The rest of `rows` after one part of an IS_AND; false when nothing is left. */
static bool narrow(struct engine_worker *w, uint64_t *rows, const struct expression *part)
{
    bool without = part->type == IS_NOT;
    const uint64_t *other = engine_rows(w, without ? part->parts[0] : part);
    uint64_t left = 0;
    if (!other)
        return without;
    for (uint32_t i = 0; i < w->words; i++)
        left |= rows[i] &= without ? ~other[i] : other[i];
    return left != 0;
}

static const uint64_t *and_rows(struct engine_worker *w, const struct expression *e)
{
    uint64_t *rows = bitmap(w, &w->scratch);
    memcpy(rows, w->full, w->words * sizeof *rows);
    for (uint32_t i = 0; i < e->parts_n; i++)
        if (!narrow(w, rows, e->parts[i]))
            return NULL;
    return rows;
}

static const uint64_t *or_rows(struct engine_worker *w, const struct expression *e)
{
    const uint64_t *only = NULL;
    uint64_t *rows = NULL;
    for (uint32_t i = 0; i < e->parts_n; i++) {
        const uint64_t *other =
            engine_may_be_true(w, e->parts[i]) ? engine_rows(w, e->parts[i]) : NULL;
        if (!other)
            continue;
        if (!only) {
            only = other;
            continue;
        }
        if (!rows) {
            rows = bitmap(w, &w->scratch);
            memcpy(rows, only, w->words * sizeof *rows);
        }
        for (uint32_t k = 0; k < w->words; k++)
            rows[k] |= other[k];
    }
    return rows ? rows : only;
}

/* Counts row by row; conditions that need it are rare. */
static const uint64_t *of_rows(struct engine_worker *w, const struct expression *e)
{
    uint32_t *counts = arena_zero(&w->scratch, w->block->rows, sizeof *counts);
    uint64_t *rows = bitmap(w, &w->scratch);
    for (uint32_t i = 0; i < e->parts_n; i++) {
        const uint64_t *other = engine_rows(w, e->parts[i]);
        for (uint32_t row = 0; other && row < w->block->rows; row++)
            counts[row] += (uint32_t)(other[row / 64] >> row % 64 & 1);
    }
    for (uint32_t row = 0; row < w->block->rows; row++)
        if (counts[row] >= e->quantity)
            set_row(rows, row);
    return rows;
}

static const uint64_t *not_rows(struct engine_worker *w, const struct expression *e)
{
    const uint64_t *other = engine_rows(w, e->parts[0]);
    if (!other)
        return w->full;
    uint64_t *rows = bitmap(w, &w->scratch);
    for (uint32_t i = 0; i < w->words; i++)
        rows[i] = w->full[i] & ~other[i];
    return rows;
}

const uint64_t *engine_rows(struct engine_worker *w, const struct expression *e)
{
    if (!engine_may_be_true(w, e))
        return NULL;
    switch (e->type) {
    case IS_FALSE:
        return NULL;
    case IS_MET:
        return met_rows(w, e->predicate);
    case IS_PRESENT:
        return present_rows(w, e->a);
    case IS_SAME:
        return same_rows(w, e);
    case IS_NOT:
        return not_rows(w, e);
    case IS_AND:
        return and_rows(w, e);
    case IS_OR:
        return or_rows(w, e);
    case IS_OF:
        return of_rows(w, e);
    }
    return NULL;
}
