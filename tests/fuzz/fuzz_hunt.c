/*
 * Queries of the hunt language: what is taken can be printed, names only columns that are made below
 * (live.c), and means the same when it is parsed again; what is not taken has a message and a place.
 */
#include "hunt/parse.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct table_column finding_columns[] = {
    {"time", TYPE_DATETIME}, {"level", TYPE_STRING}, {"count", TYPE_LONG}, {NULL, 0}};
static const struct hunt_table tables[] = {{"findings", "", finding_columns, NULL},
                                           {NULL, NULL, NULL, NULL}};

/* Whether an operator gives out all the columns that are asked of it. */
static bool has_live(const struct plan_operator *op, uint32_t column)
{
    for (uint32_t i = 0; i < op->live_n; i++)
        if (op->live[i] == column)
            return true;
    return false;
}

static void check_output(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->output_n; i++)
        if (!has_live(plan->root, plan->output[i]))
            abort();
}

/* Columns of expressions must be live below. */
static void check_expr(const struct plan_expr *e, const struct plan_operator *below)
{
    if (e->kind == EXPR_COLUMN && !has_live(below, e->column))
        abort();
    for (uint32_t i = 0; e->kind == EXPR_CALL && i < e->args_n; i++)
        check_expr(e->args[i], below);
}

static void check_operator(const struct plan_operator *op)
{
    for (; op; op = op->input) {
        for (uint32_t i = 0; op->kind == OP_WHERE && i < op->where.n; i++) {
            if (op->where.all[i]->type != TYPE_BOOL)
                abort();
            check_expr(op->where.all[i], op->input);
        }
        for (uint32_t i = 0; op->kind == OP_EXTEND && i < op->extend.n; i++)
            check_expr(op->extend.at[i].expr, op->input);
        for (uint32_t i = 0; op->kind == OP_SUMMARIZE && i < op->summarize.keys_n; i++)
            check_expr(op->summarize.keys[i].expr, op->input);
        for (uint32_t i = 0; op->kind == OP_SORT && i < op->sort.keys_n; i++)
            check_expr(op->sort.keys[i].expr, op->input);
        for (uint32_t i = 0; op->kind == OP_JOIN && i < op->join.keys_n; i++) {
            check_expr(op->join.keys[i].left, op->input);
            check_expr(op->join.keys[i].right, op->join.right);
        }
        if (op->kind == OP_JOIN)
            check_operator(op->join.right);
        for (uint32_t i = 0; op->kind == OP_UNION && i < op->united.inputs_n; i++)
            check_operator(op->united.inputs[i].from);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct hunt_argument arguments[] = {{{"p", 1}, {"12", 2}}};
    struct error err;
    struct buf first = {0}, second = {0};
    struct slice text = slice_of(data, size);
    bool parameter = slice_find(text, SLICE("query_parameters(p:")) >= 0;
    struct hunt_setup setup = {.name = "fuzz",
                               .tables = tables,
                               .arguments = arguments,
                               .arguments_n = parameter,
                               .now = 1795000000 * NS_PER_SECOND};
    struct plan *plan = plan_parse(text, &setup, &err);
    if (plan) {
        check_output(plan);
        check_operator(plan->root);
        plan_print(plan, &first);
        struct plan *again = plan_parse(text, &setup, &err);
        if (!again)
            abort();
        plan_print(again, &second);
        if (!slice_equal(buf_slice(&first), buf_slice(&second)))
            abort();
        hunt_plan_free(again);
    } else {
        if (err.status != STATUS_BAD_INPUT || !err.what[0])
            abort();
        plan_show_place(text, &err, &first);
    }
    hunt_plan_free(plan);
    buf_free(&first);
    buf_free(&second);
    return 0;
}
