#include "hunt/parse_internal.h"

uint32_t column_add(struct parser *p, struct slice name, enum hunt_type type,
                    struct hunt_place place)
{
    struct plan *plan = p->plan;
    if (plan->columns_n >= HUNT_COLUMNS) {
        fail_at(p, place, "the query has too many columns (more than %d)", HUNT_COLUMNS);
        return NO_COLUMN;
    }
    struct plan_column *c = LIST_PUSH(p, plan->columns, plan->columns_n, p->columns_cap);
    *c = (struct plan_column){.name = name, .type = type, .event = EVENT_FIELD, .place = place};
    return plan->columns_n - 1;
}

struct scope scope_closed(struct plan_operator *op)
{
    return (struct scope){.op = op, .event = NO_COLUMN};
}

uint32_t scope_given(const struct scope *s, struct slice name)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (slice_equal(s->names[i].name, name))
            return s->names[i].column;
    return NO_COLUMN;
}

void scope_set(struct parser *p, struct scope *s, struct slice name, uint32_t column)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (slice_equal(s->names[i].name, name)) {
            s->names[i].column = column;
            return;
        }
    *LIST_PUSH(p, s->names, s->n, s->cap) = (struct scope_name){name, column};
}

void scope_remove(struct scope *s, struct slice name)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (slice_equal(s->names[i].name, name)) {
            memmove(&s->names[i], &s->names[i + 1], (s->n - i - 1) * sizeof *s->names);
            s->n--;
            return;
        }
}

struct slice scope_free_name(struct parser *p, const struct scope *s, struct slice name)
{
    enum { TRIES = 9 }; /* then a number that nobody had yet, so that thousands do not take long */
    struct slice free = name;
    for (unsigned i = 1; scope_given(s, free) != NO_COLUMN; i++)
        free = arena_printf(&p->plan->arena, "%.*s%u", SLICE_ARG(name),
                            i <= TRIES ? i : p->plan->columns_n + i);
    return free;
}

/* ---- open tables ---- */

static uint32_t open_find(struct parser *p, struct open_source *open, struct slice name,
                          struct hunt_place place);

/* A column of events that is asked for the first time. */
static uint32_t scan_column(struct parser *p, struct slice name, struct hunt_place place)
{
    enum event_column event = event_column_named(name);
    uint32_t column = column_add(p, name, event_column_type(event), place);
    if (column == NO_COLUMN)
        return column;
    p->plan->columns[column].event = event;
    if (event == EVENT_FIELD)
        *LIST_PUSH(p, p->plan->fields, p->plan->fields_n, p->fields_cap) = column;
    return column;
}

/* One of a union's inputs that are open has it; the closed ones had all theirs from the beginning. */
static uint32_t union_column(struct parser *p, struct open_source *open, struct slice name,
                             struct hunt_place place)
{
    struct plan_operator *op = open->op;
    enum hunt_type type = TYPE_FIELD;
    uint32_t n = op->united.columns_n;
    for (uint32_t i = 0; i < op->united.inputs_n; i++) {
        struct union_input *input = &op->united.inputs[i];
        uint32_t column = NO_COLUMN;
        if (open->inputs[i].open) {
            column = scope_find(p, &open->inputs[i], name, place);
            if (column == NO_COLUMN)
                return NO_COLUMN;
            type = p->plan->columns[column].type;
        }
        uint32_t *columns = arena_zero(&p->plan->arena, n + 1, sizeof *columns);
        if (n)
            memcpy(columns, input->columns, n * sizeof *columns);
        columns[n] = column;
        input->columns = columns;
    }
    uint32_t column = column_add(p, name, type, place);
    uint32_t *columns = arena_zero(&p->plan->arena, n + 1, sizeof *columns);
    if (n)
        memcpy(columns, op->united.columns, n * sizeof *columns);
    columns[n] = column;
    op->united.columns = columns;
    op->united.columns_n = n + 1;
    return column;
}

/* A column of the row that arg_max or arg_min keeps. */
static uint32_t summary_column(struct parser *p, struct open_source *open, struct slice name,
                               struct hunt_place place)
{
    struct plan_aggregate *a = &open->op->summarize.aggregates[open->aggregate];
    uint32_t below = scope_find(p, open->inputs, name, place), n = a->args_n;
    struct plan_expr *arg = expr_column(p, below, place);
    uint32_t column = arg ? column_add(p, name, arg->type, place) : NO_COLUMN;
    if (column == NO_COLUMN)
        return NO_COLUMN;
    struct plan_expr **args = arena_zero(&p->plan->arena, n + 1, sizeof *args);
    uint32_t *columns = arena_zero(&p->plan->arena, n + 1, sizeof *columns);
    memcpy(args, a->args, n * sizeof *args);
    memcpy(columns, a->columns, n * sizeof *columns);
    args[n] = arg;
    columns[n] = column;
    a->args = args;
    a->columns = columns;
    a->args_n = n + 1;
    return column;
}

/* Recursion: unions in unions, as deep as there are operators at the most. */
static uint32_t open_find(struct parser *p, struct open_source *open, struct slice name,
                          struct hunt_place place)
{
    uint32_t column = scope_given(&open->seen, name);
    if (column != NO_COLUMN)
        return column;
    column = open->op->kind == OP_SCAN    ? scan_column(p, name, place)
             : open->op->kind == OP_UNION ? union_column(p, open, name, place)
                                          : summary_column(p, open, name, place);
    if (column != NO_COLUMN)
        scope_set(p, &open->seen, name, column);
    return column;
}

uint32_t scope_find(struct parser *p, struct scope *s, struct slice name, struct hunt_place place)
{
    uint32_t column = scope_given(s, name);
    if (column != NO_COLUMN || !s->open)
        return column;
    for (uint32_t i = 0; i < s->away_n; i++)
        if (slice_equal(s->away[i], name))
            return NO_COLUMN;
    return open_find(p, s->open, name, place);
}

/* ---- messages ---- */

bool fail_no_column(struct parser *p, const struct scope *s, struct slice name,
                    struct hunt_place place)
{
    struct near near = {0};
    char text[NEAR_TEXT];
    if (!s)
        return fail_at(p, place,
                       "a value is wanted here, and %.*s is none: columns are known only "
                       "behind a table",
                       SLICE_ARG(name));
    for (uint32_t i = 0; i < s->away_n; i++)
        if (slice_equal(s->away[i], name))
            return fail_at(p, place, "%.*s was taken out by project-away", SLICE_ARG(name));
    for (uint32_t i = 0; i < s->n; i++)
        near_try(&near, name, s->names[i].name);
    if (near.name.n)
        return fail_at(p, place, "there is no column %.*s here%s", SLICE_ARG(name),
                       near_text(&near, text));
    struct buf names = {0};
    for (uint32_t i = 0; i < s->n && names.n < 200; i++) {
        buf_add(&names, i ? SLICE(", ") : SLICE(""));
        buf_add(&names, s->names[i].name);
    }
    fail_at(p, place, "there is no column %.*s here; there are: %.*s%s", SLICE_ARG(name),
            SLICE_ARG(buf_slice(&names)), names.n >= 200 ? ", ..." : "");
    buf_free(&names);
    return false;
}
