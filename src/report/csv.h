/*
 * A cell of CSV (RFC 4180) for spreadsheets: quoted; what a spreadsheet would take for a formula gets an
 * apostrophe before it, so evidence can't run on the reader's machine; control characters are written
 * out as on the terminal (report/term.h).
 */
#ifndef REPORT_CSV_H
#define REPORT_CSV_H

#include "base/buf.h"

/* What such a file begins with: a byte order mark, without which Excel shows Japanese as rubbish. */
#define CSV_MARK SLICE("\xef\xbb\xbf")

/* Appends the cell, behind a comma when it is not the first of its line. */
void csv_cell(struct buf *b, struct slice s);

#endif
