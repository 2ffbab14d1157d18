#include "hunt/run_internal.h"

#include "base/vec.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

bool run_stopped(const struct run *r)
{
    return r->stop && *r->stop;
}

enum status run_interrupted(struct error *err)
{
    return error_set(err, STATUS_INTERRUPTED, NULL, ERROR_NO_OFFSET, "interrupted");
}

struct prepared *run_prepare(struct run *r, const struct plan_expr *e, struct error *err)
{
    struct prepared *x = expr_prepare(r->plan, e, &r->arena, err);
    if (x)
        *VEC_PUSH(r->prepared) = x;
    return x;
}

void batch_live(struct batch *b, const struct plan_operator *op)
{
    uint32_t next = 0;
    for (uint32_t c = 0; c < b->columns_n; c++) {
        while (next < op->live_n && op->live[next] < c)
            next++;
        if (next == op->live_n || op->live[next] != c)
            b->columns[c] = NULL;
    }
}

/* What a push returns, as a status. */
static enum status flow_status(enum flow flow, const struct error *err)
{
    return flow == FLOW_FAILED ? err->status : OK;
}

/* ---- where, extend, take: rows on their way ---- */

struct streaming {
    struct run *r;
    const struct plan_operator *op;
    struct prepared **prepared;
    struct batch_sink sink;
    _Atomic uint64_t taken;
};

static enum flow push_where(void *ctx, unsigned worker, struct batch *b, struct error *err)
{
    struct streaming *s = ctx;
    for (uint32_t i = 0; i < s->op->where.n && b->rows; i++) {
        uint64_t *bits = arena_zero(b->arena, b->rows / 64 + 1, sizeof *bits);
        uint32_t *rows = arena_alloc(b->arena, b->rows * sizeof *rows);
        expr_rows(s->prepared[i], s->r->evaluators[worker], b, bits);
        uint32_t n = bits_list(bits, b->rows, rows);
        if (i + 1 == s->op->where.n)
            batch_live(b, s->op);
        if (n < b->rows)
            batch_keep(b, rows, n);
    }
    return b->rows ? s->sink.push(s->sink.ctx, worker, b, err) : FLOW_MORE;
}

static enum flow push_extend(void *ctx, unsigned worker, struct batch *b, struct error *err)
{
    struct streaming *s = ctx;
    uint32_t n = s->op->extend.n;
    const struct vector **made = arena_alloc(b->arena, (n + 1) * sizeof *made);
    for (uint32_t i = 0; i < n; i++)
        made[i] = expr_vector(s->prepared[i], s->r->evaluators[worker], b);
    for (uint32_t i = 0; i < n; i++)
        b->columns[s->op->extend.at[i].column] = made[i];
    batch_live(b, s->op);
    return s->sink.push(s->sink.ctx, worker, b, err);
}

static enum flow push_take(void *ctx, unsigned worker, struct batch *b, struct error *err)
{
    struct streaming *s = ctx;
    uint64_t before = atomic_fetch_add(&s->taken, b->rows), most = s->op->take.n;
    if (before >= most)
        return FLOW_ENOUGH;
    if (b->rows >= most - before) { /* the last ones */
        uint32_t n = (uint32_t)(most - before);
        uint32_t *rows = arena_alloc(b->arena, (n + 1) * sizeof *rows);
        for (uint32_t i = 0; i < n; i++)
            rows[i] = i;
        batch_keep(b, rows, n);
        enum flow flow = s->sink.push(s->sink.ctx, worker, b, err);
        return flow == FLOW_FAILED ? flow : FLOW_ENOUGH;
    }
    return s->sink.push(s->sink.ctx, worker, b, err);
}

static enum status run_streaming(struct run *r, const struct plan_operator *op,
                                 struct batch_sink sink, struct error *err)
{
    struct streaming s = {.r = r, .op = op, .sink = sink};
    struct batch_sink own = {.ctx = &s};
    uint32_t n = 0;
    if (op->kind == OP_WHERE) {
        n = op->where.n;
        own.push = push_where;
    } else if (op->kind == OP_EXTEND) {
        n = op->extend.n;
        own.push = push_extend;
    } else {
        own.push = push_take;
        if (op->take.n == 0)
            return OK;
    }
    s.prepared = arena_zero(&r->arena, n + 1, sizeof(struct prepared *));
    for (uint32_t i = 0; i < n; i++) {
        s.prepared[i] =
            run_prepare(r, op->kind == OP_WHERE ? op->where.all[i] : op->extend.at[i].expr, err);
        if (!s.prepared[i])
            return err->status;
    }
    return run_operator(r, op->input, own, err);
}

/* ---- sources: literals, tables of callers ---- */

static enum status run_values(struct run *r, const struct plan_operator *op, struct batch_sink sink,
                              struct error *err)
{
    uint32_t n = op->values.rows_n, width = op->values.columns_n;
    struct arena a = {0};
    const struct hunt_value **rows = arena_zero(&a, n, sizeof *rows);
    for (uint32_t i = 0; i < n; i++)
        rows[i] = op->values.values + (size_t)i * width;
    enum flow flow = push_rows(r, rows, n, op->values.columns, width, sink, err);
    arena_free(&a);
    return flow_status(flow, err);
}

/* Collects rows of a table, pushes them when there are some. */
struct table_reader {
    struct run *r;
    const struct plan_operator *op;
    struct batch_sink sink;
    struct rows rows;
    const uint32_t *columns; /* by the table's column: the plan's, or NO_COLUMN */
    enum flow flow;
};

static enum flow push_table(struct table_reader *t, struct error *err)
{
    struct arena a = {0};
    const struct hunt_value **rows = arena_zero(&a, t->rows.n, sizeof *rows);
    for (size_t i = 0; i < t->rows.n; i++)
        rows[i] = rows_at(&t->rows, i);
    enum flow flow = push_rows(t->r, rows, t->rows.n, t->columns, t->rows.width, t->sink, err);
    arena_free(&a);
    rows_free(&t->rows, &t->r->memory);
    return flow;
}

static enum status take_table_row(void *to, const struct hunt_value *values, struct error *err)
{
    struct table_reader *t = to;
    if (!rows_add_values(&t->rows, &t->r->memory, values))
        return memory_out(t->r, t->op, "rows of the table", err);
    if (t->rows.n < BATCH_ROWS)
        return OK;
    t->flow = push_table(t, err);
    return t->flow == FLOW_FAILED ? err->status : t->flow == FLOW_ENOUGH ? STATUS_INTERRUPTED : OK;
}

static enum status run_table(struct run *r, const struct plan_operator *op, struct batch_sink sink,
                             struct error *err)
{
    const struct table_source *source = op->scan.table->of;
    const struct table_column *columns = op->scan.table->columns;
    struct table_reader t = {.r = r, .op = op, .sink = sink, .flow = FLOW_MORE};
    while (columns[t.rows.width].name)
        t.rows.width++;
    uint32_t *numbers = arena_zero(&r->arena, t.rows.width, sizeof *numbers);
    for (uint32_t i = 0; i < t.rows.width; i++) {
        numbers[i] = NO_COLUMN;
        for (uint32_t k = 0; k < op->live_n; k++)
            if (slice_equal(r->plan->columns[op->live[k]].name, slice_str(columns[i].name)))
                numbers[i] = op->live[k];
    }
    t.columns = numbers;
    enum status status = source->read(source->ctx, take_table_row, &t, err);
    if (status == STATUS_INTERRUPTED && t.flow == FLOW_ENOUGH)
        status = OK;
    else if (status == OK && t.rows.n)
        status = flow_status(push_table(&t, err), err);
    rows_free(&t.rows, &r->memory);
    return status;
}

/* ---- union ---- */

struct united {
    struct run *r;
    const struct plan_operator *op;
    const struct union_input *input;
    struct batch_sink sink;
    atomic_bool enough;
};

static enum flow push_united(void *ctx, unsigned worker, struct batch *b, struct error *err)
{
    struct united *u = ctx;
    struct batch *to = batch_new(b->arena, b->columns_n, b->rows);
    for (uint32_t i = 0; i < u->op->united.columns_n; i++) {
        uint32_t column = u->op->united.columns[i], own = u->input->columns[i];
        enum hunt_type type = u->r->plan->columns[column].type;
        struct hunt_value none = value_none(type);
        const struct vector *v = own == NO_COLUMN ? NULL : b->columns[own];
        to->columns[column] = v ? v : vector_constant(b->arena, type, &none);
    }
    batch_live(to, u->op);
    enum flow flow = u->sink.push(u->sink.ctx, worker, to, err);
    if (flow == FLOW_ENOUGH)
        atomic_store(&u->enough, true);
    return flow;
}

static enum status run_union(struct run *r, const struct plan_operator *op, struct batch_sink sink,
                             struct error *err)
{
    struct united u = {.r = r, .op = op, .sink = sink};
    enum status status = OK;
    for (uint32_t i = 0; status == OK && i < op->united.inputs_n && !u.enough; i++) {
        u.input = &op->united.inputs[i];
        status = run_operator(r, u.input->from, (struct batch_sink){push_united, &u}, err);
    }
    return status;
}

/* ---- any operator ---- */

static enum status run_backend(struct run *r, const struct plan_operator *op,
                               struct batch_sink sink, struct error *err)
{
    struct scan_order order = {r->plan, op, r->workers, r->stop, sink, r->figures};
    return r->backend->run(r->backend->ctx, &order, err);
}

enum status run_operator(struct run *r, const struct plan_operator *op, struct batch_sink sink,
                         struct error *err)
{
    if (run_stopped(r))
        return run_interrupted(err);
    if (r->backend && r->backend->takes(r->backend->ctx, r->plan, op))
        return run_backend(r, op, sink, err);
    switch (op->kind) {
    case OP_SCAN:
        if (op->scan.table->columns)
            return run_table(r, op, sink, err);
        return plan_error(r->plan, op->place, err, "there is nothing to read this table from");
    case OP_VALUES:
        return run_values(r, op, sink, err);
    case OP_SUMMARIZE:
        return run_summarize(r, op, sink, err);
    case OP_SORT:
        return run_sort(r, op, sink, err);
    case OP_JOIN:
        return run_join(r, op, sink, err);
    case OP_UNION:
        return run_union(r, op, sink, err);
    case OP_EXPAND:
        return run_expand(r, op, sink, err);
    default:
        return run_streaming(r, op, sink, err);
    }
}

/* ---- tables in expressions ---- */

struct collected {
    struct run *r;
    const struct plan_operator *op;
    struct rows *rows; /* by worker */
    uint32_t column;
};

static enum flow push_collected(void *ctx, unsigned worker, struct batch *b, struct error *err)
{
    struct collected *c = ctx;
    const struct vector *v = b->columns[c->column];
    struct hunt_value none = value_none(c->r->plan->columns[c->column].type);
    if (!v)
        v = vector_constant(b->arena, none.type, &none);
    if (rows_add(&c->rows[worker], &c->r->memory, &v, NULL, b->rows, b->arena))
        return FLOW_MORE;
    memory_out(c->r, c->op, "values", err);
    return FLOW_FAILED;
}

/* Runs the table and puts the literals that it gave in its place: a list, or its first value. */
static enum status resolve_table(struct run *r, struct plan_expr *e, bool list, struct error *err)
{
    struct collected c = {.r = r, .op = e->table};
    c.column = e->table->live_n ? e->table->live[0] : NO_COLUMN;
    c.rows = arena_zero(&r->arena, r->workers, sizeof *c.rows);
    for (unsigned i = 0; i < r->workers; i++)
        c.rows[i].width = 1;
    enum status status = run_operator(r, e->table, (struct batch_sink){push_collected, &c}, err);
    size_t n = 0;
    for (unsigned i = 0; i < r->workers; i++)
        n += c.rows[i].n;
    struct arena *a = &r->plan->arena;
    struct hunt_value *values = arena_alloc(a, (n + 1) * sizeof *values);
    n = 0;
    for (unsigned i = 0; i < r->workers; i++) {
        for (size_t k = 0; status == OK && k < c.rows[i].n && (list || n == 0); k++)
            values[n++] = value_keep(rows_at(&c.rows[i], k), a);
        rows_free(&c.rows[i], &r->memory);
    }
    if (status != OK)
        return status;
    if (list) {
        e->kind = EXPR_LIST;
        e->list = values;
        e->list_n = (uint32_t)n;
    } else {
        e->kind = EXPR_LITERAL;
        e->literal = n ? values[0] : value_none(e->type);
    }
    return OK;
}

static bool takes_list(enum function_id f)
{
    return f == FN_IN || f == FN_IN_NOCASE || f == FN_HAS_ANY || f == FN_HAS_ALL;
}

static enum status resolve_operator(struct run *r, struct plan_operator *op, struct error *err);

static enum status resolve_expr(struct run *r, struct plan_expr *e, bool list, struct error *err)
{
    enum status status = OK;
    if (!e)
        return OK;
    if (e->kind == EXPR_CALL)
        for (uint32_t i = 0; status == OK && i < e->args_n; i++)
            status = resolve_expr(r, e->args[i], i && takes_list(e->function), err);
    if (e->kind != EXPR_TABLE)
        return status;
    status = resolve_operator(r, e->table, err);
    return status == OK ? resolve_table(r, e, list, err) : status;
}

static enum status resolve_summarize(struct run *r, struct plan_operator *op, struct error *err)
{
    enum status status = OK;
    for (uint32_t i = 0; status == OK && i < op->summarize.keys_n; i++)
        status = resolve_expr(r, op->summarize.keys[i].expr, false, err);
    for (uint32_t i = 0; status == OK && i < op->summarize.aggregates_n; i++) {
        struct plan_aggregate *g = &op->summarize.aggregates[i];
        status = resolve_expr(r, g->filter, false, err);
        for (uint32_t k = 0; status == OK && k < g->args_n; k++)
            status = resolve_expr(r, g->args[k], false, err);
    }
    return status;
}

static enum status resolve_join(struct run *r, struct plan_operator *op, struct error *err)
{
    enum status status = resolve_operator(r, op->join.right, err);
    for (uint32_t i = 0; status == OK && i < op->join.keys_n; i++) {
        status = resolve_expr(r, op->join.keys[i].left, false, err);
        if (status == OK)
            status = resolve_expr(r, op->join.keys[i].right, false, err);
    }
    if (status == OK && op->join.windowed)
        status = resolve_expr(r, op->join.left_time, false, err);
    if (status == OK && op->join.windowed)
        status = resolve_expr(r, op->join.right_time, false, err);
    return status;
}

/* Recursion goes as deep as the plan, which the parser bounds. */
static enum status resolve_operator(struct run *r, struct plan_operator *op, struct error *err)
{
    enum status status = op->input ? resolve_operator(r, op->input, err) : OK;
    if (status != OK)
        return status;
    if (op->kind == OP_WHERE)
        for (uint32_t i = 0; status == OK && i < op->where.n; i++)
            status = resolve_expr(r, op->where.all[i], false, err);
    else if (op->kind == OP_EXTEND)
        for (uint32_t i = 0; status == OK && i < op->extend.n; i++)
            status = resolve_expr(r, op->extend.at[i].expr, false, err);
    else if (op->kind == OP_SORT)
        for (uint32_t i = 0; status == OK && i < op->sort.keys_n; i++)
            status = resolve_expr(r, op->sort.keys[i].expr, false, err);
    else if (op->kind == OP_SUMMARIZE)
        status = resolve_summarize(r, op, err);
    else if (op->kind == OP_JOIN)
        status = resolve_join(r, op, err);
    else if (op->kind == OP_UNION)
        for (uint32_t i = 0; status == OK && i < op->united.inputs_n; i++)
            status = resolve_operator(r, op->united.inputs[i].from, err);
    return status;
}

/* ---- the whole ---- */

struct output {
    struct run *r;
    struct hunt_sink sink;
    pthread_mutex_t lock;
    enum flow flow;
};

static enum flow push_output(void *ctx, unsigned worker, struct batch *b, struct error *err)
{
    struct output *o = ctx;
    (void)worker;
    if (!b->rows)
        return FLOW_MORE;
    pthread_mutex_lock(&o->lock);
    if (o->flow == FLOW_MORE) {
        o->r->figures->rows_out += b->rows;
        enum status status = o->sink.rows(o->sink.ctx, b, err);
        if (status != OK)
            o->flow = status == STATUS_INTERRUPTED ? FLOW_ENOUGH : FLOW_FAILED;
    }
    enum flow flow = o->flow;
    pthread_mutex_unlock(&o->lock);
    return flow;
}

static uint64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_PER_SECOND + (uint64_t)t.tv_nsec;
}

static unsigned workers_of(const struct hunt_options *options)
{
    long n = options->threads ? (long)options->threads : sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 256 ? 256 : (unsigned)n;
}

static void run_free(struct run *r)
{
    for (unsigned i = 0; i < r->workers; i++)
        evaluator_free(r->evaluators[i]);
    for (size_t i = 0; i < r->prepared.n; i++)
        expr_release(r->prepared.at[i]);
    free(r->prepared.at);
    free(r->evaluators);
    arena_free(&r->arena);
}

enum status hunt_run(struct plan *p, const struct backend *backend,
                     const struct hunt_options *options, struct hunt_sink sink,
                     struct hunt_figures *figures, struct error *err)
{
    struct hunt_figures own_figures;
    struct error own_error;
    if (!figures)
        figures = &own_figures;
    if (!err)
        err = &own_error;
    *figures = (struct hunt_figures){0};
    struct run r = {.plan = p, .backend = backend, .stop = options->stop, .figures = figures};
    r.memory.limit = options->memory ? options->memory : HUNT_MEMORY;
    r.workers = workers_of(options);
    r.evaluators = xcalloc(r.workers, sizeof(struct evaluator *));
    for (unsigned i = 0; i < r.workers; i++)
        r.evaluators[i] = evaluator_new();
    struct output out = {.r = &r, .sink = sink, .flow = FLOW_MORE};
    pthread_mutex_init(&out.lock, NULL);
    uint64_t begin = clock_ns();
    enum status status = resolve_operator(&r, p->root, err);
    figures->ns_prepare = clock_ns() - begin;
    if (status == OK)
        status = run_operator(&r, p->root, (struct batch_sink){push_output, &out}, err);
    figures->ns_total = clock_ns() - begin;
    figures->memory_most = r.memory.most;
    for (unsigned i = 0; i < r.workers; i++)
        figures->texts_given_up += evaluator_given_up(r.evaluators[i]);
    pthread_mutex_destroy(&out.lock);
    run_free(&r);
    return status;
}
