/*
 * A plan as text: an operator a line, the root first, each deeper than what it feeds. A column is
 * NAME#NUMBER.
 */
#include "hunt/plan.h"

#include <inttypes.h>

struct printer {
    const struct plan *plan;
    struct buf *out;
};

static void print_operator(struct printer *p, const struct plan_operator *op, unsigned depth);

static void print_column(struct printer *p, uint32_t column)
{
    if (column == NO_COLUMN) {
        buf_char(p->out, '-');
        return;
    }
    buf_add(p->out, p->plan->columns[column].name);
    buf_printf(p->out, "#%" PRIu32, column);
}

static void print_columns(struct printer *p, const uint32_t *columns, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            buf_add(p->out, SLICE(", "));
        print_column(p, columns[i]);
    }
}

static void print_value(struct printer *p, const struct hunt_value *v)
{
    char text[TIMESTAMP_TEXT + TIMESPAN_TEXT];
    if (v->null) {
        buf_printf(p->out, "%s(null)", hunt_type_name(v->type));
        return;
    }
    switch (v->type) {
    case TYPE_BOOL:
        buf_add(p->out, v->truth ? SLICE("true") : SLICE("false"));
        break;
    case TYPE_LONG:
        buf_printf(p->out, "%" PRId64, v->number);
        break;
    case TYPE_REAL:
        buf_printf(p->out, "real(%.17g)", v->real);
        break;
    case TYPE_DATETIME:
        buf_printf(p->out, "datetime(%.*s)", (int)timestamp_text(v->number, 9, text), text);
        break;
    case TYPE_TIMESPAN:
        buf_printf(p->out, "timespan(%.*s)", (int)timespan_text(v->number, text), text);
        break;
    case TYPE_DYNAMIC:
        buf_printf(p->out, "dynamic(%.*s)", SLICE_ARG(v->text));
        break;
    default:
        buf_json(p->out, v->text);
        break;
    }
}

/* Depth is bounded by the parser (HUNT_DEPTH). */
static void print_expr(struct printer *p, const struct plan_expr *e, unsigned depth)
{
    switch (e->kind) {
    case EXPR_LITERAL:
        print_value(p, &e->literal);
        break;
    case EXPR_COLUMN:
        print_column(p, e->column);
        break;
    case EXPR_ANY:
        buf_char(p->out, '*');
        break;
    case EXPR_CALL:
        buf_printf(p->out, "%s(", hunt_function(e->function)->name);
        for (uint32_t i = 0; i < e->args_n; i++) {
            if (i)
                buf_add(p->out, SLICE(", "));
            print_expr(p, e->args[i], depth);
        }
        buf_char(p->out, ')');
        break;
    case EXPR_LIST:
        buf_char(p->out, '(');
        for (uint32_t i = 0; i < e->list_n; i++) {
            if (i)
                buf_add(p->out, SLICE(", "));
            print_value(p, &e->list[i]);
        }
        buf_char(p->out, ')');
        break;
    case EXPR_TABLE:
        buf_add(p->out, SLICE("table (\n"));
        print_operator(p, e->table, depth + 2);
        buf_printf(p->out, "%*s)", (int)(depth + 1), "");
        break;
    }
}

static void print_definitions(struct printer *p, const struct column_def *at, uint32_t n,
                              unsigned depth)
{
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            buf_add(p->out, SLICE(", "));
        print_column(p, at[i].column);
        buf_add(p->out, SLICE(" = "));
        print_expr(p, at[i].expr, depth);
    }
}

static void print_aggregate(struct printer *p, const struct plan_aggregate *a, unsigned depth)
{
    const struct hunt_function *f = hunt_function(a->function);
    bool many = a->function == FN_ARG_MIN || a->function == FN_ARG_MAX;
    print_columns(p, a->columns, many ? a->args_n : 1);
    buf_printf(p->out, " = %s(", f->name);
    for (uint32_t i = 0; i < a->args_n; i++) {
        if (i)
            buf_add(p->out, SLICE(", "));
        print_expr(p, a->args[i], depth);
    }
    buf_char(p->out, ')');
    if (a->filter) {
        buf_add(p->out, SLICE(" if "));
        print_expr(p, a->filter, depth);
    }
}

static void print_scan(struct printer *p, const struct plan_operator *op)
{
    buf_printf(p->out, "SCAN %s", op->scan.table->name);
    for (uint32_t i = 0; i < op->scan.bindings_n; i++)
        buf_printf(p->out, "%s%.*s", i ? ", " : " of ", SLICE_ARG(op->scan.bindings[i]->name));
}

static void print_values(struct printer *p, const struct plan_operator *op)
{
    buf_add(p->out, SLICE("VALUES"));
    for (uint32_t row = 0; row < op->values.rows_n; row++) {
        buf_add(p->out, SLICE(" ("));
        for (uint32_t i = 0; i < op->values.columns_n; i++) {
            if (i)
                buf_add(p->out, SLICE(", "));
            print_value(p, &op->values.values[row * op->values.columns_n + i]);
        }
        buf_char(p->out, ')');
    }
}

static void print_summarize(struct printer *p, const struct plan_operator *op, unsigned depth)
{
    buf_add(p->out, SLICE("SUMMARIZE "));
    for (uint32_t i = 0; i < op->summarize.aggregates_n; i++) {
        if (i)
            buf_add(p->out, SLICE(", "));
        print_aggregate(p, &op->summarize.aggregates[i], depth);
    }
    if (op->summarize.keys_n)
        buf_add(p->out, op->summarize.aggregates_n ? SLICE(" by ") : SLICE("by "));
    print_definitions(p, op->summarize.keys, op->summarize.keys_n, depth);
}

static void print_sort(struct printer *p, const struct plan_operator *op, unsigned depth)
{
    buf_add(p->out, SLICE("SORT"));
    if (op->sort.limited)
        buf_printf(p->out, " limit %" PRIu64, op->sort.limit);
    for (uint32_t i = 0; i < op->sort.keys_n; i++) {
        const struct sort_key *k = &op->sort.keys[i];
        buf_add(p->out, i ? SLICE(", ") : SLICE(" by "));
        print_expr(p, k->expr, depth);
        buf_add(p->out, k->descending ? SLICE(" desc") : SLICE(" asc"));
        buf_add(p->out, k->nulls_first ? SLICE(" nulls first") : SLICE(" nulls last"));
    }
}

static void print_join(struct printer *p, const struct plan_operator *op, unsigned depth)
{
    static const char *const kinds[] = {"inner", "leftouter", "leftsemi", "leftanti"};
    char text[TIMESPAN_TEXT];
    buf_printf(p->out, "JOIN %s", kinds[op->join.kind]);
    for (uint32_t i = 0; i < op->join.keys_n; i++) {
        buf_add(p->out, i ? SLICE(" and ") : SLICE(" on "));
        print_expr(p, op->join.keys[i].left, depth);
        buf_add(p->out, SLICE(" == "));
        print_expr(p, op->join.keys[i].right, depth);
    }
    if (!op->join.windowed)
        return;
    buf_add(p->out, SLICE(" within "));
    buf_add(p->out, slice_of(text, timespan_text(op->join.from, text)));
    buf_add(p->out, SLICE(" .. "));
    buf_add(p->out, slice_of(text, timespan_text(op->join.to, text)));
    buf_add(p->out, SLICE(" of "));
    print_expr(p, op->join.left_time, depth);
    buf_add(p->out, SLICE(", "));
    print_expr(p, op->join.right_time, depth);
}

static void print_union(struct printer *p, const struct plan_operator *op)
{
    buf_add(p->out, SLICE("UNION"));
    for (uint32_t i = 0; i < op->united.inputs_n; i++) {
        buf_add(p->out, SLICE(" ("));
        print_columns(p, op->united.inputs[i].columns, op->united.columns_n);
        buf_char(p->out, ')');
    }
}

static void print_expand(struct printer *p, const struct plan_operator *op)
{
    buf_add(p->out, SLICE("EXPAND "));
    print_column(p, op->expand.to);
    buf_add(p->out, SLICE(" = "));
    print_column(p, op->expand.from);
    if (op->expand.limit != UINT64_MAX)
        buf_printf(p->out, " limit %" PRIu64, op->expand.limit);
}

static void print_kind(struct printer *p, const struct plan_operator *op, unsigned depth)
{
    switch (op->kind) {
    case OP_SCAN:
        print_scan(p, op);
        break;
    case OP_VALUES:
        print_values(p, op);
        break;
    case OP_WHERE:
        buf_add(p->out, SLICE("WHERE "));
        for (uint32_t i = 0; i < op->where.n; i++) {
            if (i)
                buf_add(p->out, SLICE(" AND "));
            print_expr(p, op->where.all[i], depth);
        }
        break;
    case OP_EXTEND:
        buf_add(p->out, SLICE("EXTEND "));
        print_definitions(p, op->extend.at, op->extend.n, depth);
        break;
    case OP_SUMMARIZE:
        print_summarize(p, op, depth);
        break;
    case OP_SORT:
        print_sort(p, op, depth);
        break;
    case OP_TAKE:
        buf_printf(p->out, "TAKE %" PRIu64, op->take.n);
        break;
    case OP_JOIN:
        print_join(p, op, depth);
        break;
    case OP_UNION:
        print_union(p, op);
        break;
    case OP_EXPAND:
        print_expand(p, op);
        break;
    }
}

/* The number of operators, and so the depth, is bounded by the parser (HUNT_OPERATORS_MOST). */
static void print_operator(struct printer *p, const struct plan_operator *op, unsigned depth)
{
    for (; op; op = op->input, depth++) {
        buf_printf(p->out, "%*s", (int)depth, "");
        print_kind(p, op, depth);
        buf_add(p->out, SLICE(" -> "));
        print_columns(p, op->live, op->live_n);
        buf_char(p->out, '\n');
        if (op->kind == OP_JOIN)
            print_operator(p, op->join.right, depth + 1);
        for (uint32_t i = 0; op->kind == OP_UNION && i < op->united.inputs_n; i++)
            print_operator(p, op->united.inputs[i].from, depth + 1);
    }
}

void plan_print(const struct plan *plan, struct buf *out)
{
    struct printer p = {plan, out};
    buf_add(out, SLICE("output "));
    print_columns(&p, plan->output, plan->output_n);
    if (plan->render)
        buf_add(out,
                plan->render == RENDER_TIMECHART ? SLICE(" as timechart") : SLICE(" as barchart"));
    buf_char(out, '\n');
    print_operator(&p, plan->root, 1);
}
