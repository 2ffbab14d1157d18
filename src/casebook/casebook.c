#include "casebook/casebook_internal.h"

#include "base/arena.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

enum {
    WAIT_MS = 30000,            /* for another process's transaction */
    APPLICATION_ID = 0x686b7368 /* "hksh": tells that a database is a casebook */
};

enum status casebook_failed(struct casebook *c, struct error *err)
{
    int code = sqlite3_errcode(c->db);
    bool bad = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
    return error_set(err, bad ? STATUS_BAD_INPUT : STATUS_SYSTEM, c->path, ERROR_NO_OFFSET, "%s",
                     code == SQLITE_BUSY ? "another process is writing to it; try again"
                                         : sqlite3_errmsg(c->db));
}

/* ---- statements ---- */

sqlite3_stmt *casebook_sql(struct casebook *c, enum casebook_sql which, struct error *err)
{
    if (!c->statements[which] &&
        sqlite3_prepare_v3(c->db, casebook_statements[which], -1, SQLITE_PREPARE_PERSISTENT,
                           &c->statements[which], NULL) != SQLITE_OK)
        casebook_failed(c, err);
    return c->statements[which];
}

enum status casebook_step(struct casebook *c, sqlite3_stmt *q, bool *row, struct error *err)
{
    int r = sqlite3_step(q);
    *row = r == SQLITE_ROW;
    if (*row)
        return OK;
    enum status status = r == SQLITE_DONE ? OK : casebook_failed(c, err);
    sqlite3_reset(q);
    sqlite3_clear_bindings(q);
    return status;
}

enum status casebook_run(struct casebook *c, sqlite3_stmt *q, struct error *err)
{
    bool row = true;
    enum status status = OK;
    while (status == OK && row)
        status = casebook_step(c, q, &row, err);
    return status;
}

enum status casebook_do(struct casebook *c, enum casebook_sql which, struct error *err)
{
    sqlite3_stmt *q = casebook_sql(c, which, err);
    return q ? casebook_run(c, q, err) : err->status;
}

enum status casebook_end(struct casebook *c, enum status status, struct error *err)
{
    struct error later;
    if (status == OK)
        status = casebook_do(c, SQL_COMMIT, err);
    if (status != OK && !sqlite3_get_autocommit(c->db))
        casebook_do(c, SQL_ROLLBACK, &later);
    return status;
}

/* ---- marks ---- */

enum status casebook_mark_get(struct casebook *c, const char *name, int64_t *value,
                              struct error *err)
{
    sqlite3_stmt *q = casebook_sql(c, SQL_MARK_GET, err);
    bool row = false;
    if (!q)
        return err->status;
    bind_text(q, 1, slice_str(name));
    enum status status = casebook_step(c, q, &row, err);
    if (!row)
        return status;
    *value = sqlite3_column_int64(q, 0);
    return casebook_run(c, q, err);
}

enum status casebook_mark_set(struct casebook *c, const char *name, int64_t value,
                              struct error *err)
{
    sqlite3_stmt *q = casebook_sql(c, SQL_MARK_SET, err);
    if (!q)
        return err->status;
    bind_text(q, 1, slice_str(name));
    sqlite3_bind_int64(q, 2, value);
    return casebook_run(c, q, err);
}

static const char missing[] = "findings missing from entry";

enum status casebook_expect(struct casebook *c, uint64_t entry, struct error *err)
{
    uint64_t before;
    enum status status = casebook_missing(c, &before, err);
    if (status != OK || before <= entry)
        return status;
    return casebook_mark_set(c, missing, (int64_t)entry, err);
}

enum status casebook_settle(struct casebook *c, uint64_t entries, struct error *err)
{
    sqlite3_stmt *q = casebook_sql(c, SQL_MARK_DROP, err);
    if (!q)
        return err->status;
    bind_text(q, 1, slice_str(missing));
    bind_number(q, 2, entries);
    return casebook_run(c, q, err);
}

enum status casebook_missing(struct casebook *c, uint64_t *entry, struct error *err)
{
    int64_t value = -1; /* UINT64_MAX: none */
    enum status status = casebook_mark_get(c, missing, &value, err);
    *entry = (uint64_t)value;
    return status;
}

/* ---- opening ---- */

static enum status pragma(struct casebook *c, const char *text, int64_t *value, struct error *err)
{
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(c->db, text, -1, &q, NULL) != SQLITE_OK)
        return casebook_failed(c, err);
    int r = sqlite3_step(q);
    if (r == SQLITE_ROW && value)
        *value = sqlite3_column_int64(q, 0);
    enum status status = r == SQLITE_ROW || r == SQLITE_DONE ? OK : casebook_failed(c, err);
    sqlite3_finalize(q);
    return status;
}

static enum status execute(struct casebook *c, const char *text, struct error *err)
{
    return sqlite3_exec(c->db, text, NULL, NULL, NULL) == SQLITE_OK ? OK : casebook_failed(c, err);
}

/* What hashes of correlations begin with: nobody can aim at one who does not know it. */
static enum status draw_seed(struct casebook *c, struct error *err)
{
    int64_t seed;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        return error_system(err, c->path, "no random number can be had");
    return casebook_mark_set(c, "seed", seed, err);
}

/* Brings the schema from what it is to what this program works with, in one transaction. */
static enum status migrate(struct casebook *c, struct error *err)
{
    int64_t version = 0, application = 0;
    char set[64];
    enum status status = casebook_do(c, SQL_BEGIN, err);
    if (status == OK)
        status = pragma(c, "PRAGMA user_version", &version, err);
    if (status == OK)
        status = pragma(c, "PRAGMA application_id", &application, err);
    if (status == OK && (version < 0 || version > casebook_version))
        status =
            error_set(err, STATUS_BAD_INPUT, c->path, ERROR_NO_OFFSET,
                      "this casebook is of a later version of hikeshi (%lld)", (long long)version);
    if (status == OK && version > 0 && application != APPLICATION_ID)
        status = error_set(err, STATUS_BAD_INPUT, c->path, ERROR_NO_OFFSET,
                           "this database is no casebook");
    for (int64_t from = version; status == OK && from < casebook_version; from++) {
        status = execute(c, casebook_migrations[from], err);
        if (status == OK && from == 0)
            status = draw_seed(c, err);
    }
    /* pragmas take no parameters; these are numbers of this file */
    snprintf(set, sizeof set, "PRAGMA user_version = %d; PRAGMA application_id = %d",
             casebook_version, APPLICATION_ID);
    if (status == OK && version < casebook_version)
        status = execute(c, set, err);
    return casebook_end(c, status, err);
}

/* Evidence is not for everybody; the database's other files take after it. */
static enum status make_private(const char *path, struct error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_system(err, path, "can't open");
    close(fd);
    return OK;
}

static enum status open_database(struct casebook *c, struct error *err)
{
    if (make_private(c->path, err) != OK)
        return err->status;
    int r = sqlite3_open_v2(c->path, &c->db,
                            SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (r != SQLITE_OK)
        return error_set(err, STATUS_SYSTEM, c->path, ERROR_NO_OFFSET, "can't open: %s",
                         sqlite3_errstr(r));
    sqlite3_busy_timeout(c->db, WAIT_MS);
    sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(c->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    enum status status = pragma(c, "PRAGMA journal_mode = WAL", NULL, err);
    if (status == OK) /* what is acknowledged has its findings, also when the power fails */
        status = execute(c,
                         "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                         "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32768",
                         err);
    if (status == OK)
        status = migrate(c, err);
    if (status == OK)
        status = casebook_do(c, SQL_TOUCHED_MAKE, err);
    return status;
}

static char *path_in(const char *folder)
{
    size_t n = strlen(folder) + sizeof "/casebook.db";
    char *path = xmalloc(n);
    snprintf(path, n, "%s/casebook.db", folder);
    return path;
}

bool casebook_there(const char *folder)
{
    char *path = path_in(folder);
    bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

struct casebook *casebook_open(const char *folder, struct error *err)
{
    struct casebook *c = xcalloc(1, sizeof *c);
    c->path = path_in(folder);
    if (open_database(c, err) == OK)
        return c;
    casebook_close(c);
    return NULL;
}

void casebook_close(struct casebook *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < SQL_STATEMENTS; i++)
        sqlite3_finalize(c->statements[i]);
    sqlite3_close(c->db);
    free((char *)(uintptr_t)c->path);
    free(c);
}
