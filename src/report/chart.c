#include "report/chart.h"

#include "base/map.h"
#include "base/vec.h"
#include "report/answer.h"
#include "report/term.h"

#include <math.h>
#include <stdlib.h>

enum {
    TALL = 8,        /* lines of a timechart */
    NARROW = 40,     /* columns that a chart takes at least */
    WIDE = 100,      /* where the terminal's width is not known */
    LABEL = 40,      /* columns of a bar's name at most */
    EIGHTHS = 8,     /* of a character, that a bar can end at */
    COLUMN_MOST = 4, /* columns that one point of time takes at most */
    AXIS_LABEL = 10, /* columns for the numbers at the left */
};

struct point {
    timestamp time;
    double y;
};

struct series {
    struct slice name;
    struct {
        struct point *at;
        size_t n, cap;
    } points;
    double sum, most;
};

struct bar {
    struct slice name;
    double length;
};

struct chart {
    const struct plan *plan;
    struct arena arena;
    struct map names; /* of series */
    struct {
        struct series *at;
        size_t n, cap;
    } series;
    struct {
        struct bar *at;
        size_t n, cap;
    } bars;
    uint32_t time; /* the column that runs to the right */
    size_t points, left_out;
};

static enum hunt_type type_of(const struct plan *plan, uint32_t i)
{
    return plan->columns[plan->output[i]].type;
}

static bool is_number(enum hunt_type type)
{
    return type == TYPE_LONG || type == TYPE_REAL;
}

struct chart *chart_new(const struct plan *plan)
{
    struct chart *c = xcalloc(1, sizeof *c);
    c->plan = plan;
    for (c->time = 0; c->time < plan->output_n; c->time++)
        if (type_of(plan, c->time) == TYPE_DATETIME)
            break;
    return c;
}

void chart_free(struct chart *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->series.n; i++)
        free(c->series.at[i].points.at);
    free(c->series.at);
    free(c->bars.at);
    map_free(&c->names);
    arena_free(&c->arena);
    free(c);
}

/* ---- rows ---- */

/* What is no number and not the time, joined; with the number's own name when there are several. */
static struct slice row_name(struct chart *c, const struct hunt_value *const *values,
                             const struct slice *number)
{
    struct buf b = {0}, clean = {0};
    for (uint32_t i = 0; i < c->plan->output_n; i++) {
        if (is_number(type_of(c->plan, i)) || (i == c->time && c->plan->render == RENDER_TIMECHART))
            continue;
        buf_add(&b, b.n ? SLICE(", ") : SLICE(""));
        answer_text(values[i], &b);
    }
    if (number) {
        buf_add(&b, b.n ? SLICE(", ") : SLICE(""));
        buf_add(&b, *number);
    }
    term_clean(&clean, buf_slice(&b));
    struct slice name = arena_slice(&c->arena, buf_slice(&clean));
    buf_free(&b);
    buf_free(&clean);
    return name;
}

static double number_of(const struct hunt_value *v)
{
    double y = v->type == TYPE_REAL ? v->real : (double)v->number;
    return v->null || !isfinite(y) ? 0 : y;
}

static struct series *series_named(struct chart *c, struct slice name)
{
    bool is_new;
    uint32_t *slot = map_put(&c->names, name, &is_new);
    if (is_new) {
        *slot = (uint32_t)c->series.n;
        *VEC_PUSH(c->series) = (struct series){.name = name};
    }
    return &c->series.at[*slot];
}

static void time_row(struct chart *c, const struct hunt_value *const *values)
{
    uint32_t numbers = 0;
    if (c->time == c->plan->output_n || values[c->time]->null)
        return;
    for (uint32_t i = 0; i < c->plan->output_n; i++)
        numbers += is_number(type_of(c->plan, i));
    for (uint32_t i = 0; i < c->plan->output_n; i++) {
        if (!is_number(type_of(c->plan, i)))
            continue;
        struct slice name = c->plan->columns[c->plan->output[i]].name;
        bool alone = numbers == 1 && c->plan->output_n > 2;
        struct series *s = series_named(c, row_name(c, values, alone ? NULL : &name));
        double y = number_of(values[i]);
        *VEC_PUSH(s->points) = (struct point){values[c->time]->number, y};
        s->sum += y;
    }
}

void chart_row(struct chart *c, const struct hunt_value *const *values)
{
    if (c->points++ >= CHART_POINTS) {
        c->left_out++;
        return;
    }
    if (c->plan->render == RENDER_TIMECHART) {
        time_row(c, values);
        return;
    }
    for (uint32_t i = 0; i < c->plan->output_n; i++)
        if (is_number(type_of(c->plan, i))) {
            *VEC_PUSH(c->bars) = (struct bar){row_name(c, values, NULL), number_of(values[i])};
            return;
        }
}

/* ---- bars ---- */

static void put_bar(struct buf *out, double part, unsigned columns, bool colour)
{
    static const char *const ends[EIGHTHS] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    struct buf bar = {0};
    unsigned eighths = (unsigned)(part * columns * EIGHTHS + 0.5);
    if (!eighths && part > 0)
        eighths = 1;
    for (unsigned i = 0; i < eighths / EIGHTHS; i++)
        buf_add(&bar, SLICE("█"));
    buf_add(&bar, slice_str(ends[eighths % EIGHTHS]));
    term_styled(out, buf_slice(&bar), TERM_CYAN, colour);
    buf_free(&bar);
}

static void put_number(struct buf *out, double y)
{
    struct hunt_value v = {.type = TYPE_REAL, .real = y};
    answer_text(&v, out);
}

static void print_bars(const struct chart *c, unsigned width, bool colour, struct buf *out)
{
    double most = 0;
    unsigned label = 1, number = 1;
    size_t n = c->bars.n < CHART_BARS ? c->bars.n : CHART_BARS;
    for (size_t i = 0; i < n; i++) {
        struct buf text = {0};
        unsigned w = term_width(c->bars.at[i].name);
        put_number(&text, c->bars.at[i].length);
        most = fmax(most, c->bars.at[i].length);
        label = w > label ? w : label;
        number = text.n > number ? (unsigned)text.n : number;
        buf_free(&text);
    }
    label = label > LABEL ? LABEL : label;
    label = label > width / 3 ? width / 3 : label;
    unsigned room = width > label + number + 4 ? width - label - number - 4 : 1;
    for (size_t i = 0; i < n; i++) {
        struct buf text = {0};
        term_cell(out, c->bars.at[i].name, label, TERM_LEFT, TERM_PLAIN, colour);
        buf_add(out, SLICE("  "));
        put_number(&text, c->bars.at[i].length);
        term_cell(out, buf_slice(&text), number, TERM_RIGHT, TERM_PLAIN, colour);
        bool drawn = most > 0 && c->bars.at[i].length > 0;
        buf_add(out, drawn ? SLICE("  ") : SLICE(""));
        if (drawn)
            put_bar(out, c->bars.at[i].length / most, room, colour);
        buf_char(out, '\n');
        buf_free(&text);
    }
}

/* ---- the run of time ---- */

struct time_axis {
    timestamp from, step; /* the time of place 0, and from one to the next */
    uint64_t places;
    unsigned columns, wide; /* of the drawing; of each place when there is room (else 1) */
};

static int by_time(const void *pa, const void *pb)
{
    const timestamp *a = pa, *b = pb;
    return (*a > *b) - (*a < *b);
}

/* The shortest time between two points is a step. */
static struct time_axis measure_time(const struct chart *c, unsigned columns)
{
    struct time_axis axis = {.step = INT64_MAX, .columns = columns, .wide = 1};
    size_t all = 0, n = 0;
    for (size_t i = 0; i < c->series.n; i++)
        all += c->series.at[i].points.n;
    timestamp *times = xcalloc(all + 1, sizeof *times);
    for (size_t i = 0; i < c->series.n; i++)
        for (size_t k = 0; k < c->series.at[i].points.n; k++)
            times[n++] = c->series.at[i].points.at[k].time;
    qsort(times, n, sizeof *times, by_time);
    for (size_t i = 1; i < n; i++)
        if (times[i] > times[i - 1] &&
            (uint64_t)times[i] - (uint64_t)times[i - 1] < (uint64_t)axis.step)
            axis.step = times[i] - times[i - 1];
    axis.from = n ? times[0] : 0;
    axis.places = n ? ((uint64_t)times[n - 1] - (uint64_t)times[0]) / (uint64_t)axis.step + 1 : 0;
    free(times);
    if (axis.places && axis.places <= columns) {
        axis.wide = columns / (unsigned)axis.places;
        axis.wide = axis.wide > COLUMN_MOST ? COLUMN_MOST : axis.wide;
        axis.columns = (unsigned)axis.places * axis.wide;
    }
    return axis;
}

static void place_points(const struct series *s, const struct time_axis *axis, double *heights)
{
    for (size_t i = 0; i < s->points.n; i++) {
        const struct point *p = &s->points.at[i];
        uint64_t place = ((uint64_t)p->time - (uint64_t)axis->from) / (uint64_t)axis->step;
        unsigned at = axis->places <= axis->columns
                          ? (unsigned)place * axis->wide
                          : (unsigned)((double)place / (double)axis->places * axis->columns);
        for (unsigned k = 0; k < axis->wide && at + k < axis->columns; k++)
            heights[at + k] = fmax(heights[at + k], p->y);
    }
}

static void put_line(const double *heights, unsigned n, double most, unsigned line, bool colour,
                     struct buf *out)
{
    static const char *const parts[EIGHTHS + 1] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    struct buf b = {0};
    for (unsigned i = 0; i < n; i++) {
        double all = most > 0 ? heights[i] / most * TALL * EIGHTHS : 0;
        double here = all - (double)(line * EIGHTHS);
        if (line == 0 && heights[i] > 0 && here < 1)
            here = 1;
        buf_add(&b, slice_str(parts[here <= 0 ? 0 : here >= EIGHTHS ? EIGHTHS : (int)here]));
    }
    while (b.n && b.p[b.n - 1] == ' ')
        b.n--;
    term_styled(out, buf_slice(&b), TERM_CYAN, colour);
    buf_char(out, '\n');
    buf_free(&b);
}

static void put_axis(const struct time_axis *axis, struct buf *out)
{
    struct buf from = {0}, to = {0};
    struct hunt_value v = {.type = TYPE_DATETIME, .number = axis->from};
    answer_text(&v, &from);
    v.number = (int64_t)((uint64_t)v.number + (uint64_t)axis->step * (axis->places - 1));
    answer_text(&v, &to);
    buf_printf(out, "%*s └", AXIS_LABEL, "0");
    for (unsigned i = 0; i < axis->columns; i++)
        buf_add(out, SLICE("─"));
    buf_printf(out, "\n%*s%.*s", AXIS_LABEL + 2, "", SLICE_ARG(buf_slice(&from)));
    if (axis->places > 1) {
        unsigned used = (unsigned)(from.n + to.n);
        buf_printf(out, "%*s%.*s", axis->columns > used ? (int)(axis->columns - used) : 2, "",
                   SLICE_ARG(buf_slice(&to)));
    }
    buf_char(out, '\n');
    buf_free(&from);
    buf_free(&to);
}

static void print_series(const struct series *s, const struct time_axis *axis, bool colour,
                         struct buf *out)
{
    double *heights = xcalloc(axis->columns + 1, sizeof *heights), most = 0;
    place_points(s, axis, heights);
    for (unsigned i = 0; i < axis->columns; i++)
        most = fmax(most, heights[i]);
    term_styled(out, s->name, TERM_BOLD, colour);
    buf_char(out, '\n');
    for (unsigned line = TALL; line-- > 0;) {
        struct buf label = {0};
        if (line == TALL - 1)
            put_number(&label, most);
        buf_printf(out, "%*.*s │", AXIS_LABEL, SLICE_ARG(buf_slice(&label)));
        put_line(heights, axis->columns, most, line, colour, out);
        buf_free(&label);
    }
    put_axis(axis, out);
    free(heights);
}

static int by_sum(const void *pa, const void *pb)
{
    const struct series *const *a = pa, *const *b = pb;
    if ((*a)->sum != (*b)->sum)
        return (*a)->sum > (*b)->sum ? -1 : 1;
    return slice_compare((*a)->name, (*b)->name);
}

static void print_times(const struct chart *c, unsigned width, bool colour, struct buf *out)
{
    const struct series **order = xcalloc(c->series.n + 1, sizeof *order);
    struct time_axis axis = measure_time(c, width - AXIS_LABEL - 2);
    for (size_t i = 0; i < c->series.n; i++)
        order[i] = &c->series.at[i];
    qsort(order, c->series.n, sizeof *order, by_sum);
    for (size_t i = 0; i < c->series.n && i < CHART_SERIES; i++)
        print_series(order[i], &axis, colour, out);
    free(order);
}

size_t chart_left_out(const struct chart *c)
{
    size_t n = c->left_out;
    if (c->series.n > CHART_SERIES)
        n += c->series.n - CHART_SERIES;
    return c->bars.n > CHART_BARS ? n + c->bars.n - CHART_BARS : n;
}

void chart_print(const struct chart *c, unsigned width, bool colour, struct buf *out)
{
    if (!width || width > UINT16_MAX)
        width = WIDE;
    width = width < NARROW ? NARROW : width;
    if (c->plan->render_title.n) {
        struct buf clean = {0};
        term_clean(&clean, c->plan->render_title);
        term_styled(out, buf_slice(&clean), TERM_BOLD, colour);
        buf_char(out, '\n');
        buf_free(&clean);
    }
    if (c->plan->render == RENDER_TIMECHART)
        print_times(c, width, colour, out);
    else
        print_bars(c, width, colour, out);
}
