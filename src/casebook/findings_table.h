/*
 * The findings as a table for hunts: `findings | where level == "high"`. docs/detection.md lists its
 * columns.
 *
 *     struct findings_table findings;
 *     struct hunt_table tables[] = {findings_table(&findings), {0}};
 *     setup.tables = tables;                  of plan_parse
 *     findings_open(&findings, folder);       before confine(), before the hunt runs
 *     findings_close(&findings);
 */
#ifndef CASEBOOK_FINDINGS_TABLE_H
#define CASEBOOK_FINDINGS_TABLE_H

#include "casebook/casebook.h"
#include "hunt/backend.h"

struct findings_table {
    struct table_source source;
    struct casebook *casebook; /* NULL: there is none, and no finding */
    struct error why;          /* or it can't be opened; told when the table is read */
};

/* `t` must stay where it is. */
struct hunt_table findings_table(struct findings_table *t);

/* Makes no casebook where none is. */
void findings_open(struct findings_table *t, const char *folder);
void findings_close(struct findings_table *t);

#endif
