#include "report/term.h"
#include "base/text.h"
#include "base/vec.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <utf8proc.h>

#define ELLIPSIS SLICE("\xe2\x80\xa6") /* U+2026, one column */

static const char *const codes[] = {
    [TERM_PLAIN] = "",    [TERM_DIM] = "2",   [TERM_BOLD] = "1",  [TERM_RED] = "31",
    [TERM_YELLOW] = "33", [TERM_CYAN] = "36", [TERM_BLUE] = "34", [TERM_ALARM] = "1;37;41",
};

enum term_style term_style_of(enum sigma_level level)
{
    static const enum term_style styles[] = {
        [LEVEL_NONE] = TERM_DIM, [LEVEL_INFORMATIONAL] = TERM_BLUE,
        [LEVEL_LOW] = TERM_CYAN, [LEVEL_MEDIUM] = TERM_YELLOW,
        [LEVEL_HIGH] = TERM_RED, [LEVEL_CRITICAL] = TERM_ALARM,
    };
    return styles[level];
}

/* ---- characters ---- */

/* The character at `at`, which moves past it; -1 for a byte that is no UTF-8. */
static int32_t next_character(struct slice s, size_t *at)
{
    size_t n = utf8_length(slice_sub(s, *at, 4));
    int32_t c = -1;
    if (n)
        utf8proc_iterate((const utf8proc_uint8_t *)s.p + *at, (utf8proc_ssize_t)n, &c);
    *at += n ? n : 1;
    return c;
}

/* May a terminal get it as it is? */
static bool harmless(int32_t c)
{
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_CC: /* controls */
    case UTF8PROC_CATEGORY_CF: /* invisible, changes of direction */
    case UTF8PROC_CATEGORY_CN: /* unassigned: of unknown width */
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_ZL: /* line and paragraph separators */
    case UTF8PROC_CATEGORY_ZP:
        return false;
    default:
        return true;
    }
}

static void write_out(struct buf *out, int32_t c, unsigned char byte)
{
    if (c < 0)
        buf_printf(out, "\\x%02x", byte);
    else if (c == '\n' || c == '\r' || c == '\t')
        buf_printf(out, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
    else if (c < 0x80)
        buf_printf(out, "\\x%02x", (unsigned)c);
    else
        buf_printf(out, c < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)c);
}

void term_clean(struct buf *out, struct slice s)
{
    for (size_t at = 0; at < s.n;) {
        size_t from = at;
        while (at < s.n && s.p[at] >= ' ' && s.p[at] < 0x7f)
            at++;
        buf_add(out, slice_sub(s, from, at - from));
        if (at == s.n)
            break;
        from = at;
        int32_t c = next_character(s, &at);
        if (c >= 0 && harmless(c))
            buf_add(out, slice_sub(s, from, at - from));
        else
            write_out(out, c, (unsigned char)s.p[from]);
    }
}

static unsigned width_of(int32_t c)
{
    int n = c < 0 ? 1 : utf8proc_charwidth(c);
    return n > 0 ? (unsigned)n : 0;
}

unsigned term_width(struct slice clean)
{
    unsigned width = 0;
    for (size_t at = 0; at < clean.n;)
        width += width_of(next_character(clean, &at));
    return width;
}

struct slice term_fit(struct slice clean, unsigned columns)
{
    unsigned width = 0;
    for (size_t at = 0; at < clean.n;) {
        size_t from = at;
        width += width_of(next_character(clean, &at));
        if (width > columns)
            return slice_sub(clean, 0, from);
    }
    return clean;
}

/* ---- styled text ---- */

void term_styled(struct buf *out, struct slice clean, enum term_style style, bool colour)
{
    if (!clean.n)
        return;
    if (!colour || style == TERM_PLAIN) {
        buf_add(out, clean);
        return;
    }
    buf_printf(out, "\x1b[%sm", codes[style]);
    buf_add(out, clean);
    buf_add(out, SLICE("\x1b[0m"));
}

static void spaces(struct buf *out, unsigned n)
{
    while (n--)
        buf_char(out, ' ');
}

void term_cell(struct buf *out, struct slice clean, unsigned columns, enum term_align align,
               enum term_style style, bool colour)
{
    struct slice text = term_fit(clean, columns);
    bool cut = text.n < clean.n && columns > 0;
    if (cut)
        text = term_fit(clean, columns - 1);
    unsigned padding = columns - term_width(text) - cut;
    if (align == TERM_RIGHT)
        spaces(out, padding);
    term_styled(out, text, style, colour);
    if (cut)
        term_styled(out, ELLIPSIS, style, colour);
    if (align == TERM_LEFT)
        spaces(out, padding);
}

/* ---- flow ---- */

static void begin_style(const struct term_flow *flow, enum term_style style)
{
    if (flow->colour && style != TERM_PLAIN)
        buf_printf(flow->out, "\x1b[%sm", codes[style]);
}

static void end_style(const struct term_flow *flow, enum term_style style)
{
    if (flow->colour && style != TERM_PLAIN)
        buf_add(flow->out, SLICE("\x1b[0m"));
}

/* Goes to the next line; marks the end when there may be no more. */
static void next_line(struct term_flow *flow, enum term_style style)
{
    flow->spaces = 0;
    if (flow->line + 1 >= flow->lines) {
        buf_add(flow->out, ELLIPSIS);
        flow->full = true;
        return;
    }
    end_style(flow, style);
    buf_char(flow->out, '\n');
    spaces(flow->out, flow->indent);
    begin_style(flow, style);
    flow->line++;
    flow->column = flow->indent;
}

/* Columns left of the line; the last one is kept for "…". */
static unsigned room(const struct term_flow *flow)
{
    unsigned taken = flow->column + flow->spaces + 1;
    return taken < flow->width ? flow->width - taken : 0;
}

/* Better moved to the next line than broken? Long words would leave holes. */
static bool moves(const struct term_flow *flow, unsigned columns)
{
    return columns > room(flow) && columns <= (flow->width - flow->indent) / 3;
}

void term_flow_together(struct term_flow *flow, unsigned columns)
{
    if (flow->width && !flow->full && moves(flow, columns))
        next_line(flow, TERM_PLAIN);
}

static void flow_word(struct term_flow *flow, struct slice word, enum term_style style)
{
    /* without a space before it the word goes on from what was before */
    if (flow->spaces && (moves(flow, term_width(word)) || room(flow) < 2))
        next_line(flow, style);
    while (word.n && !flow->full) {
        struct slice part = term_fit(word, room(flow));
        if (part.n) {
            spaces(flow->out, flow->spaces);
            buf_add(flow->out, part);
            flow->column += flow->spaces + term_width(part);
            flow->spaces = 0;
        }
        word = slice_sub(word, part.n, word.n);
        if (word.n)
            next_line(flow, style);
    }
}

void term_flow(struct term_flow *flow, struct slice clean, enum term_style style)
{
    if (!flow->width) {
        term_styled(flow->out, clean, style, flow->colour);
        return;
    }
    if (flow->full || !clean.n)
        return;
    begin_style(flow, style);
    for (size_t at = 0; at < clean.n && !flow->full;) {
        size_t from = at;
        while (at < clean.n && clean.p[at] != ' ')
            at++;
        flow_word(flow, slice_sub(clean, from, at - from), style);
        for (; at < clean.n && clean.p[at] == ' '; at++)
            flow->spaces++;
    }
    end_style(flow, style);
}

/* ---- tables ---- */

struct term_table_cell {
    struct slice text; /* clean, in the table's arena */
    enum term_style style;
};

void term_table_add(struct term_table *t, struct slice text, enum term_style style)
{
    struct buf clean = {0};
    term_clean(&clean, text);
    *VEC_PUSH(t->cells) =
        (struct term_table_cell){arena_slice(&t->arena, buf_slice(&clean)), style};
    buf_free(&clean);
}

struct slice term_number(uint64_t number, char out[TERM_NUMBER])
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, number);
    size_t at = 0;
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    return slice_of(out, at);
}

void term_table_number(struct term_table *t, uint64_t number)
{
    char text[TERM_NUMBER];
    term_table_add(t, term_number(number, text), TERM_PLAIN);
}

enum { GAP = 2, NARROWEST = 8 }; /* columns between columns; what a flexible one keeps */

/* As wide as the content; then the widest flexible ones give way, column by column. Returns by how much the table is still too wide. */
static unsigned measure(const struct term_table *t, const bool *gone, unsigned *widths)
{
    unsigned total = 0;
    for (unsigned c = 0; c < t->columns_n; c++) {
        widths[c] = gone[c] ? 0 : term_width(slice_str(t->columns[c].title));
        for (size_t i = c; !gone[c] && i < t->cells.n; i += t->columns_n) {
            unsigned w = term_width(t->cells.at[i].text);
            widths[c] = w > widths[c] ? w : widths[c];
        }
        if (!gone[c])
            total += widths[c] + (total ? GAP : 0);
    }
    while (t->width && total > t->width) {
        unsigned *widest = NULL;
        for (unsigned c = 0; c < t->columns_n; c++)
            if (t->columns[c].flexible && widths[c] > NARROWEST && (!widest || widths[c] > *widest))
                widest = &widths[c];
        if (!widest)
            return total - t->width;
        --*widest;
        total--;
    }
    return 0;
}

/* Takes columns away, those that can be spared most, until the table fits or none is left to go. */
static void fit(const struct term_table *t, bool *gone, unsigned *widths)
{
    while (measure(t, gone, widths)) {
        unsigned spared = t->columns_n;
        for (unsigned c = 0; c < t->columns_n; c++)
            if (t->columns[c].spare && !gone[c] &&
                (spared == t->columns_n || t->columns[c].spare > t->columns[spared].spare))
                spared = c;
        if (spared == t->columns_n)
            return;
        gone[spared] = true;
    }
}

static void end_row(struct buf *out)
{
    while (out->n && out->p[out->n - 1] == ' ')
        out->n--;
    buf_char(out, '\n');
}

void term_table_print(struct term_table *t, struct buf *out)
{
    unsigned *widths = xcalloc(t->columns_n, sizeof *widths);
    bool *gone = xcalloc(t->columns_n, sizeof *gone);
    fit(t, gone, widths);
    for (unsigned c = 0; c < t->columns_n; c++) {
        if (gone[c])
            continue;
        spaces(out, c ? GAP : 0);
        term_cell(out, slice_str(t->columns[c].title), widths[c], t->columns[c].align, TERM_DIM,
                  t->colour);
    }
    end_row(out);
    for (size_t i = 0; i < t->cells.n; i++) {
        unsigned c = (unsigned)(i % t->columns_n);
        const struct term_table_cell *cell = &t->cells.at[i];
        if (!gone[c]) {
            spaces(out, c ? GAP : 0);
            term_cell(out, cell->text, widths[c], t->columns[c].align, cell->style, t->colour);
        }
        if (c == t->columns_n - 1)
            end_row(out);
    }
    free(widths);
    free(gone);
    free(t->cells.at);
    arena_free(&t->arena);
    t->cells.at = NULL;
    t->cells.n = t->cells.cap = 0;
}
