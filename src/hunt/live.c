/*
 * Which columns are wanted where: from the topmost operator down, each asks its inputs for what is wanted
 * of it and for what it needs itself. Columns that nobody wants are dropped where they are made.
 */
#include "hunt/parse_internal.h"

struct wanted {
    uint64_t *bits;
    size_t words;
};

static struct wanted wanted_new(struct plan *plan)
{
    size_t words = plan->columns_n / 64 + 1;
    return (struct wanted){arena_zero(&plan->arena, words, sizeof(uint64_t)), words};
}

static bool has(const struct wanted *w, uint32_t column)
{
    return column != NO_COLUMN && (w->bits[column / 64] >> column % 64 & 1);
}

static void want(struct wanted *w, uint32_t column)
{
    w->bits[column / 64] |= UINT64_C(1) << column % 64;
}

static void unwant(struct wanted *w, uint32_t column)
{
    w->bits[column / 64] &= ~(UINT64_C(1) << column % 64);
}

/* Recursion: the depth of expressions is bounded. */
static void want_expr(struct wanted *w, const struct plan_expr *e)
{
    if (e->kind == EXPR_COLUMN)
        want(w, e->column);
    for (uint32_t i = 0; e->kind == EXPR_CALL && i < e->args_n; i++)
        want_expr(w, e->args[i]);
}

static void set_live(struct plan *plan, struct plan_operator *op, const struct wanted *w)
{
    op->live = arena_zero(&plan->arena, plan->columns_n + 1, sizeof *op->live);
    op->live_n = 0;
    for (uint32_t c = 0; c < plan->columns_n; c++)
        if (has(w, c))
            op->live[op->live_n++] = c;
}

static struct plan_operator *mark(struct plan *plan, struct plan_operator *op, struct wanted *w);

/* Drops definitions that nobody wants; false: none is left. */
static bool mark_extend(struct plan_operator *op, struct wanted *w)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < op->extend.n; i++)
        if (has(w, op->extend.at[i].column))
            op->extend.at[n++] = op->extend.at[i];
    op->extend.n = n;
    for (uint32_t i = 0; i < n; i++)
        unwant(w, op->extend.at[i].column);
    for (uint32_t i = 0; i < n; i++)
        want_expr(w, op->extend.at[i].expr);
    return n > 0;
}

static void mark_summarize(struct plan *plan, struct plan_operator *op, struct wanted *w)
{
    struct wanted below = wanted_new(plan);
    uint32_t n = 0;
    for (uint32_t i = 0; i < op->summarize.aggregates_n; i++) {
        struct plan_aggregate *a = &op->summarize.aggregates[i];
        bool many = a->function == FN_ARG_MIN || a->function == FN_ARG_MAX, any = false;
        for (uint32_t k = 0; k < (many ? a->args_n : 1); k++) {
            if (has(w, a->columns[k]))
                any = true;
            else
                a->columns[k] = NO_COLUMN;
        }
        if (!any)
            continue;
        for (uint32_t k = 0; k < a->args_n; k++)
            if (!many || k == 0 || a->columns[k] != NO_COLUMN)
                want_expr(&below, a->args[k]);
        if (a->filter)
            want_expr(&below, a->filter);
        op->summarize.aggregates[n++] = *a;
    }
    op->summarize.aggregates_n = n;
    for (uint32_t i = 0; i < op->summarize.keys_n; i++)
        want_expr(&below, op->summarize.keys[i].expr);
    *w = below;
}

static void mark_join(struct plan *plan, struct plan_operator *op, struct wanted *w)
{
    struct wanted right = wanted_new(plan);
    uint32_t n = 0;
    for (uint32_t i = 0; i < op->join.right_n; i++)
        if (has(w, op->join.right_columns[i])) {
            want(&right, op->join.right_columns[i]);
            unwant(w, op->join.right_columns[i]);
            op->join.right_columns[n++] = op->join.right_columns[i];
        }
    op->join.right_n = n;
    for (uint32_t i = 0; i < op->join.keys_n; i++) {
        want_expr(w, op->join.keys[i].left);
        want_expr(&right, op->join.keys[i].right);
    }
    if (op->join.windowed) {
        want_expr(w, op->join.left_time);
        want_expr(&right, op->join.right_time);
    }
    op->join.right = mark(plan, op->join.right, &right);
}

static void mark_union(struct plan *plan, struct plan_operator *op, const struct wanted *w)
{
    uint32_t n = 0;
    for (uint32_t c = 0; c < op->united.columns_n; c++) {
        if (!has(w, op->united.columns[c]))
            continue;
        op->united.columns[n] = op->united.columns[c];
        for (uint32_t i = 0; i < op->united.inputs_n; i++)
            op->united.inputs[i].columns[n] = op->united.inputs[i].columns[c];
        n++;
    }
    op->united.columns_n = n;
    for (uint32_t i = 0; i < op->united.inputs_n; i++) {
        struct wanted below = wanted_new(plan);
        struct union_input *input = &op->united.inputs[i];
        for (uint32_t c = 0; c < n; c++)
            if (input->columns[c] != NO_COLUMN)
                want(&below, input->columns[c]);
        input->from = mark(plan, input->from, &below);
    }
}

static void mark_values(struct plan_operator *op, const struct wanted *w)
{
    uint32_t n = 0, at = 0;
    for (uint32_t c = 0; c < op->values.columns_n; c++)
        n += has(w, op->values.columns[c]);
    for (uint32_t row = 0; row < op->values.rows_n; row++)
        for (uint32_t c = 0; c < op->values.columns_n; c++)
            if (has(w, op->values.columns[c]))
                op->values.values[at++] = op->values.values[row * op->values.columns_n + c];
    at = 0;
    for (uint32_t c = 0; c < op->values.columns_n; c++)
        if (has(w, op->values.columns[c]))
            op->values.columns[at++] = op->values.columns[c];
    op->values.columns_n = n;
}

/* What an operator needs besides what it passes on; `w` becomes what it wants of its input. False: it
 * does nothing any more. */
static bool mark_one(struct plan *plan, struct plan_operator *op, struct wanted *w)
{
    switch (op->kind) {
    case OP_WHERE:
        for (uint32_t i = 0; i < op->where.n; i++)
            want_expr(w, op->where.all[i]);
        break;
    case OP_EXTEND:
        return mark_extend(op, w);
    case OP_SUMMARIZE:
        mark_summarize(plan, op, w);
        break;
    case OP_SORT:
        for (uint32_t i = 0; i < op->sort.keys_n; i++)
            want_expr(w, op->sort.keys[i].expr);
        break;
    case OP_JOIN:
        mark_join(plan, op, w);
        break;
    case OP_UNION:
        mark_union(plan, op, w);
        break;
    case OP_EXPAND:
        unwant(w, op->expand.to);
        want(w, op->expand.from);
        break;
    case OP_VALUES:
        mark_values(op, w);
        break;
    case OP_SCAN:
    case OP_TAKE:
        break;
    }
    return true;
}

/* Recursion: joins and unions in one another, as deep as there are operators at the most. */
static struct plan_operator *mark(struct plan *plan, struct plan_operator *op, struct wanted *w)
{
    struct plan_operator *first = op, **link = &first;
    for (; op; op = *link) {
        set_live(plan, op, w);
        if (mark_one(plan, op, w))
            link = &op->input;
        else
            *link = op->input;
    }
    return first;
}

struct plan_operator *mark_live(struct plan *plan, struct plan_operator *root,
                                const uint32_t *wanted, uint32_t n)
{
    struct wanted w = wanted_new(plan);
    for (uint32_t i = 0; i < n; i++)
        want(&w, wanted[i]);
    return mark(plan, root, &w);
}
