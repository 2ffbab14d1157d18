/*
 * What the files of the casebook share: the database and its statements.
 *
 *     struct sqlite3_stmt *q = casebook_sql(c, SQL_...);       prepared once
 *     bind_text(q, 1, host);
 *     while ((status = casebook_step(c, q, &row, err)) == OK && row) ... column_text(q, 0) ...
 *     casebook_run(c, q, err);                                 one that gives no rows
 *
 * No statement is ever built from text: all stand in casebook_sql.c.
 */
#ifndef CASEBOOK_CASEBOOK_INTERNAL_H
#define CASEBOOK_CASEBOOK_INTERNAL_H

#include "base/slice.h"
#include "casebook/casebook.h"

#include <sqlite3.h>

enum casebook_sql {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_MARK_GET,
    SQL_MARK_SET,
    SQL_MARK_DROP,
    SQL_RULE_PUT,
    SQL_MATCHED_GET,
    SQL_MATCHED_PUT,
    SQL_FINDING_BY_KEY,
    SQL_FINDING_NEW,
    SQL_FINDING_JOIN,
    SQL_BURST_FIND,
    SQL_BURST_UPDATE,
    SQL_BURST_WITHDRAW,
    SQL_TOUCHED_MAKE,
    SQL_TOUCHED_CLEAR,
    SQL_TOUCHED_ADD,
    SQL_CORRELATION_PUT,
    SQL_MATCH_PUT,
    SQL_MATCH_GROUP,
    SQL_MATCH_ALL,
    SQL_MATCH_OLDEST,
    SQL_MATCH_FORGET,
    SQL_NAME_PUT,
    SQL_NAME_GET,
    SQL_NAME_FORGET,
    SQL_SUPPRESSION_NEW,
    SQL_SUPPRESSION_CONDITION,
    SQL_SUPPRESSION_LIFT,
    SQL_SUPPRESSIONS,
    SQL_SUPPRESSION_CONDITIONS,
    SQL_SUPPRESSION_HIDES,
    SQL_SUPPRESSED_PUT,
    SQL_FINDINGS,
    SQL_FINDING_BY_ID,
    SQL_FINDING_EVENTS,
    SQL_COUNT_HIDDEN,
    SQL_STATEMENTS
};
extern const char *const casebook_statements[SQL_STATEMENTS];

/* The steps from each version of the schema to the next; version n is what the first n of them make. */
extern const char *const casebook_migrations[];
extern const int casebook_version;

struct casebook {
    sqlite3 *db;
    const char *path;
    sqlite3_stmt *statements[SQL_STATEMENTS];
};

/* The error that the database tells. */
enum status casebook_failed(struct casebook *c, struct error *err);

/* Ready to be bound; NULL (with *err) when it can't be prepared. */
sqlite3_stmt *casebook_sql(struct casebook *c, enum casebook_sql which, struct error *err);

/* Next row of a statement; *row false: it is done, and reset. */
enum status casebook_step(struct casebook *c, sqlite3_stmt *q, bool *row, struct error *err);
/* To its end; rows are not looked at. */
enum status casebook_run(struct casebook *c, sqlite3_stmt *q, struct error *err);
/* The same for one without parameters. */
enum status casebook_do(struct casebook *c, enum casebook_sql which, struct error *err);

/* Ends a transaction that casebook_do(SQL_BEGIN) began: undone unless `status` is OK. */
enum status casebook_end(struct casebook *c, enum status status, struct error *err);

/* A number under a name; absent: *value stays as it is. */
enum status casebook_mark_get(struct casebook *c, const char *name, int64_t *value,
                              struct error *err);
enum status casebook_mark_set(struct casebook *c, const char *name, int64_t value,
                              struct error *err);

/* Nothing is missing from entries below `entries` any more. */
enum status casebook_settle(struct casebook *c, uint64_t entries, struct error *err);

static inline void bind_text(sqlite3_stmt *q, int at, struct slice text)
{
    sqlite3_bind_text64(q, at, text.n ? text.p : "", text.n, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static inline void bind_bytes(sqlite3_stmt *q, int at, const void *bytes, size_t n)
{
    sqlite3_bind_blob64(q, at, bytes, n, SQLITE_TRANSIENT);
}

static inline void bind_number(sqlite3_stmt *q, int at, uint64_t n)
{
    sqlite3_bind_int64(q, at, (int64_t)n);
}

static inline void bind_time(sqlite3_stmt *q, int at, timestamp t)
{
    if (t == TIMESTAMP_NONE)
        sqlite3_bind_null(q, at);
    else
        sqlite3_bind_int64(q, at, t);
}

/* Valid until the next step. */
static inline struct slice column_slice(sqlite3_stmt *q, int at)
{
    const void *p = sqlite3_column_blob(q, at); /* before its size: it may convert */
    return slice_of(p, (size_t)sqlite3_column_bytes(q, at));
}

static inline uint64_t column_number(sqlite3_stmt *q, int at)
{
    return (uint64_t)sqlite3_column_int64(q, at);
}

static inline timestamp column_time(sqlite3_stmt *q, int at)
{
    return sqlite3_column_type(q, at) == SQLITE_NULL ? TIMESTAMP_NONE : sqlite3_column_int64(q, at);
}

#endif
