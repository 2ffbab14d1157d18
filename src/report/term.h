/*
 * Text for terminals: evidence made harmless, widths in columns (Japanese characters take two), cut,
 * wrapped, coloured, and tables.
 *
 *     term_clean(&b, evidence);                         no byte of it can steer the terminal
 *     term_cell(&line, host, 16, TERM_LEFT, TERM_PLAIN, false);   cut or padded to 16 columns
 *
 *     struct term_table t = {.columns = columns, .columns_n = 3, .colour = true, .width = 80};
 *     term_table_add(&t, SLICE("high"), TERM_RED); ...  row by row
 *     term_table_print(&t, &out);
 *
 * Everything else here takes text that term_clean made.
 */
#ifndef REPORT_TERM_H
#define REPORT_TERM_H

#include "base/buf.h"
#include "detect/rule.h"

enum term_style {
    TERM_PLAIN,
    TERM_DIM,
    TERM_BOLD,
    TERM_RED,
    TERM_YELLOW,
    TERM_CYAN,
    TERM_BLUE,
    TERM_ALARM, /* white on red */
};
enum term_style term_style_of(enum sigma_level level);

/* Appends `s` with everything that could steer a terminal or hide text (control characters, escape
 * sequences, changes of direction, invisible and unassigned characters, bytes that are no UTF-8)
 * written out: "\n", "\x1b", "\u202e". */
void term_clean(struct buf *out, struct slice s);

/* Columns that a text takes. */
unsigned term_width(struct slice clean);

/* The longest start of it that takes at most `columns`. */
struct slice term_fit(struct slice clean, unsigned columns);

/* Appends text in a style; plain when `colour` is false. */
void term_styled(struct buf *out, struct slice clean, enum term_style style, bool colour);

/* "1,234,567" */
enum { TERM_NUMBER = 32 };
struct slice term_number(uint64_t number, char out[TERM_NUMBER]);

enum term_align { TERM_LEFT, TERM_RIGHT };

/* Appends exactly `columns` of it: padded, or cut with "…" at the end. */
void term_cell(struct buf *out, struct slice clean, unsigned columns, enum term_align align,
               enum term_style style, bool colour);

/* Text that flows over lines, indented from the second on. */
struct term_flow {
    struct buf *out;
    unsigned width;  /* of the lines; 0: one line without end */
    unsigned indent; /* of the lines after the first: less than the width by 8 or more */
    unsigned lines;  /* at most; the last ends in "…" when there is more */
    bool colour;
    /* its own, from zero */
    unsigned column, line, spaces; /* spaces that follow, unless the line ends */
    bool full;
};

/* Appends text, broken at spaces where these are near. The flow begins at column `column`. */
void term_flow(struct term_flow *flow, struct slice clean, enum term_style style);

/* Begins a line when the next `columns` would not fit in this one. */
void term_flow_together(struct term_flow *flow, unsigned columns);

/* A table: columns as wide as their content, as far as the width allows. */
struct term_column {
    const char *title; /* in the chosen language */
    enum term_align align;
    bool flexible;  /* gives way when the table is too wide */
    unsigned spare; /* when that is not enough, columns go, the highest first; those with 0 stay */
};
struct term_table {
    const struct term_column *columns;
    unsigned columns_n;
    unsigned width; /* 0: as wide as it gets */
    bool colour;
    /* its own, from zero */
    struct {
        struct term_table_cell *at;
        size_t n, cap;
    } cells;
    struct arena arena;
};

/* Adds the next cell, row by row; the text may be anything: it is cleaned and copied. */
void term_table_add(struct term_table *t, struct slice text, enum term_style style);
void term_table_number(struct term_table *t, uint64_t number);
/* Appends the table, each line with its end, and frees what was added. */
void term_table_print(struct term_table *t, struct buf *out);

#endif
