/* The catalogue's file: an SQLite database that is made in memory and put in place as a whole. */
#include "store/catalogue.h"

#include "base/vec.h"
#include "store/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>

enum { CATALOGUE_MOST = 1 << 30, FORMAT = 1 };

static const char schema[] =
    "PRAGMA page_size = 1024;"
    "CREATE TABLE about(format INTEGER NOT NULL, entries INTEGER NOT NULL);"
    "CREATE TABLE segment(id INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 BLOB NOT NULL UNIQUE,"
    " entry INTEGER NOT NULL, bytes INTEGER NOT NULL, events INTEGER NOT NULL,"
    " first INTEGER, last INTEGER);" /* ns since 1970 */
    "CREATE TABLE part(segment INTEGER NOT NULL REFERENCES segment(id), source TEXT NOT NULL,"
    " host TEXT NOT NULL, events INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    " first INTEGER, last INTEGER, hours BLOB NOT NULL);"
    "CREATE TABLE file(entry INTEGER PRIMARY KEY, sha256 BLOB NOT NULL, name TEXT NOT NULL,"
    " taken_by TEXT NOT NULL, taken INTEGER, bytes INTEGER NOT NULL, kept_bytes INTEGER,"
    " events INTEGER NOT NULL, expired INTEGER NOT NULL);";

void catalogue_free(struct catalogue *c)
{
    free(c->parts);
    arena_free(&c->arena);
    *c = (struct catalogue){0};
}

static sqlite3 *new_database(void)
{
    sqlite3 *db = NULL;
    if (sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK) {
        sqlite3_close(db);
        return NULL;
    }
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_exec(db, "PRAGMA temp_store = memory; PRAGMA cell_size_check = on;", NULL, NULL, NULL);
    return db;
}

static enum status out_of_memory(struct error *err)
{
    return error_set(err, STATUS_SYSTEM, CATALOGUE_NAME, ERROR_NO_OFFSET,
                     "can't make the catalogue: out of memory");
}

/* ---- reading ---- */

/* The file's bytes without the hash behind them; false when there is none, or it is not whole. */
static bool read_file(const struct store *s, char **bytes, size_t *n, bool *damaged)
{
    char path[PATH_BYTES];
    struct hash found;
    store_path(s, path, CATALOGUE_NAME, NULL);
    *bytes = NULL;
    *damaged = false;
    int fd = s->io->open(s->io->ctx, path, O_RDONLY, 0);
    if (fd < 0)
        return false;
    s->io->close(s->io->ctx, fd);
    *damaged = true;
    if (io_read_file(s->io, path, CATALOGUE_MOST, bytes, n, NULL) != OK)
        return false;
    if (*n > HASH_BYTES) {
        *n -= HASH_BYTES;
        sha256(slice_of(*bytes, *n), &found);
        *damaged = memcmp(found.bytes, *bytes + *n, HASH_BYTES) != 0;
    }
    return !*damaged;
}

static struct slice column_bytes(sqlite3_stmt *row, int column, struct arena *a)
{
    const void *p = sqlite3_column_blob(row, column);
    return arena_slice(a, slice_of(p ? p : "", (size_t)sqlite3_column_bytes(row, column)));
}

static timestamp column_time(sqlite3_stmt *row, int column)
{
    return sqlite3_column_type(row, column) == SQLITE_NULL ? TIMESTAMP_NONE
                                                           : sqlite3_column_int64(row, column);
}

/* Segments by their hash: 1 + the place. Those that are gone are left out. */
static void map_segments(const struct store *s, struct map *places)
{
    bool is_new;
    for (size_t i = 0; i < s->segments_n; i++)
        if (!s->segments[i].gone)
            *map_put(places, slice_of(s->segments[i].told.sha256, DIGEST_BYTES), &is_new) =
                (uint32_t)i + 1;
}

/* How many entries the journal had when the file was written. */
static uint64_t entries_told(sqlite3 *db)
{
    sqlite3_stmt *row = NULL;
    uint64_t n = 0;
    if (sqlite3_prepare_v2(db, "SELECT entries FROM about", -1, &row, NULL) == SQLITE_OK &&
        sqlite3_step(row) == SQLITE_ROW)
        n = (uint64_t)sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return n;
}

/* Takes the parts of segments that are there; marks these. *others: it tells of more. */
static bool take_parts(sqlite3 *db, struct catalogue *c, const struct map *places, bool *told,
                       bool *others)
{
    sqlite3_stmt *row = NULL;
    int step = SQLITE_ERROR;
    *others = false;
    if (sqlite3_prepare_v2(db,
                           "SELECT sha256, source, host, part.events, part.bytes, part.first,"
                           " part.last, hours FROM segment LEFT JOIN part ON part.segment = "
                           "segment.id, about WHERE format = 1 ORDER BY segment.id, part.rowid",
                           -1, &row, NULL) == SQLITE_OK)
        while ((step = sqlite3_step(row)) == SQLITE_ROW) {
            struct slice hash =
                slice_of(sqlite3_column_blob(row, 0), (size_t)sqlite3_column_bytes(row, 0));
            const uint32_t *place = map_get(places, hash);
            if (!place) {
                *others = true;
                continue;
            }
            told[*place - 1] = true;
            if (sqlite3_column_type(row, 1) == SQLITE_NULL) /* a segment without events */
                continue;
            if (c->parts_n == c->parts_cap) {
                c->parts_cap = c->parts_cap ? c->parts_cap * 2 : 64;
                c->parts = xrealloc(c->parts, c->parts_cap, sizeof *c->parts);
            }
            c->parts[c->parts_n++] = (struct catalogue_part){
                .segment = *place - 1,
                .source = column_bytes(row, 1, &c->arena),
                .host = column_bytes(row, 2, &c->arena),
                .events = (uint64_t)sqlite3_column_int64(row, 3),
                .bytes = (uint64_t)sqlite3_column_int64(row, 4),
                .first = column_time(row, 5),
                .last = column_time(row, 6),
                .hours = column_bytes(row, 7, &c->arena),
            };
        }
    sqlite3_finalize(row);
    return step == SQLITE_DONE;
}

/* What the file tells of segments that are there; `told` marks these. *others: it is not that of the
 * journal as it is now. */
static enum status load_file(struct store *s, struct catalogue *c, bool *told, bool *others,
                             struct error *err)
{
    char *bytes;
    size_t n = 0;
    struct map places = {0};
    *others = false;
    if (!read_file(s, &bytes, &n, &c->damaged)) {
        free(bytes);
        return OK;
    }
    sqlite3 *db = new_database();
    enum status status = db ? OK : out_of_memory(err);
    map_segments(s, &places);
    if (db && (sqlite3_deserialize(db, "main", (unsigned char *)bytes, (sqlite3_int64)n,
                                   (sqlite3_int64)n, SQLITE_DESERIALIZE_READONLY) != SQLITE_OK ||
               !take_parts(db, c, &places, told, others))) {
        c->damaged = true;
        c->parts_n = 0;
        memset(told, 0, s->segments_n * sizeof *told);
    }
    *others |= db && entries_told(db) != s->journal.entries.n;
    sqlite3_close(db);
    map_free(&places);
    free(bytes);
    return status;
}

static enum status load(struct store *s, struct catalogue *c, bool use_file, bool *others,
                        struct error *err)
{
    bool *told = xcalloc(s->segments_n + 1, sizeof *told);
    enum status status = OK;
    *c = (struct catalogue){0};
    *others = false;
    if (use_file)
        status = load_file(s, c, told, others, err);
    for (size_t i = 0; status == OK && i < s->segments_n; i++) {
        if (s->segments[i].gone)
            continue;
        c->segments++;
        c->read += !told[i];
        if (!told[i])
            status = catalogue_scan(s, i, c, err);
    }
    free(told);
    if (status != OK)
        catalogue_free(c);
    return status;
}

enum status catalogue_load(struct store *s, struct catalogue *c, struct error *err)
{
    bool others;
    return load(s, c, true, &others, err);
}

/* ---- writing ---- */

static void bind_time(sqlite3_stmt *row, int at, timestamp t)
{
    if (t == TIMESTAMP_NONE)
        sqlite3_bind_null(row, at);
    else
        sqlite3_bind_int64(row, at, t);
}

static void bind_text(sqlite3_stmt *row, int at, struct slice text)
{
    sqlite3_bind_text(row, at, text.p ? text.p : "", (int)text.n, SQLITE_STATIC);
}

static bool put_row(sqlite3_stmt *row)
{
    bool done = sqlite3_step(row) == SQLITE_DONE;
    sqlite3_reset(row);
    return done;
}

static bool put_segments(sqlite3 *db, const struct store *s)
{
    sqlite3_stmt *row = NULL;
    bool good = sqlite3_prepare_v2(db, "INSERT INTO segment VALUES(?, ?, ?, ?, ?, ?, ?, ?)", -1,
                                   &row, NULL) == SQLITE_OK;
    for (size_t i = 0; good && i < s->segments_n; i++) {
        const struct store_segment *seg = &s->segments[i];
        if (seg->gone)
            continue;
        sqlite3_bind_int64(row, 1, (sqlite3_int64)i + 1);
        bind_text(row, 2, seg->name);
        sqlite3_bind_blob(row, 3, seg->told.sha256, DIGEST_BYTES, SQLITE_STATIC);
        sqlite3_bind_int64(row, 4, (sqlite3_int64)seg->entry);
        sqlite3_bind_int64(row, 5, (sqlite3_int64)seg->told.bytes);
        sqlite3_bind_int64(row, 6, (sqlite3_int64)seg->told.events);
        bind_time(row, 7, seg->told.first);
        bind_time(row, 8, seg->told.last);
        good = put_row(row);
    }
    sqlite3_finalize(row);
    return good;
}

static bool put_parts(sqlite3 *db, const struct catalogue *c)
{
    sqlite3_stmt *row = NULL;
    bool good = sqlite3_prepare_v2(db, "INSERT INTO part VALUES(?, ?, ?, ?, ?, ?, ?, ?)", -1, &row,
                                   NULL) == SQLITE_OK;
    for (size_t i = 0; good && i < c->parts_n; i++) {
        const struct catalogue_part *p = &c->parts[i];
        sqlite3_bind_int64(row, 1, (sqlite3_int64)p->segment + 1);
        bind_text(row, 2, p->source);
        bind_text(row, 3, p->host);
        sqlite3_bind_int64(row, 4, (sqlite3_int64)p->events);
        sqlite3_bind_int64(row, 5, (sqlite3_int64)p->bytes);
        bind_time(row, 6, p->first);
        bind_time(row, 7, p->last);
        sqlite3_bind_blob(row, 8, p->hours.p, (int)p->hours.n, SQLITE_STATIC);
        good = put_row(row);
    }
    sqlite3_finalize(row);
    return good;
}

static bool put_files(sqlite3 *db, const struct store *s)
{
    sqlite3_stmt *row = NULL;
    bool good = sqlite3_prepare_v2(db, "INSERT INTO file VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)", -1,
                                   &row, NULL) == SQLITE_OK;
    for (size_t i = 0; good && i < s->files_n; i++) {
        const struct store_file *f = &s->files[i];
        uint64_t events = 0;
        for (size_t k = 0; k < f->inputs_n; k++)
            events += f->inputs[k].events;
        sqlite3_bind_int64(row, 1, (sqlite3_int64)f->entry);
        sqlite3_bind_blob(row, 2, f->sha256.bytes, HASH_BYTES, SQLITE_STATIC);
        bind_text(row, 3, f->name);
        bind_text(row, 4, f->by);
        bind_time(row, 5, f->taken);
        sqlite3_bind_int64(row, 6, (sqlite3_int64)f->bytes);
        sqlite3_bind_int64(row, 7, (sqlite3_int64)f->kept_bytes);
        sqlite3_bind_int64(row, 8, (sqlite3_int64)events);
        sqlite3_bind_int(row, 9, f->expired);
        good = put_row(row);
    }
    sqlite3_finalize(row);
    return good;
}

static bool put_about(sqlite3 *db, const struct store *s)
{
    char text[128];
    snprintf(text, sizeof text, "INSERT INTO about VALUES(%d, %llu)", FORMAT,
             (unsigned long long)s->journal.entries.n);
    return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK;
}

static enum status write_file(const struct store *s, const struct catalogue *c, struct error *err)
{
    char path[PATH_BYTES];
    sqlite3_int64 n = 0;
    struct buf all = {0};
    struct hash hash;
    sqlite3 *db = new_database();
    bool good = db && sqlite3_exec(db, schema, NULL, NULL, NULL) == SQLITE_OK &&
                sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK && put_about(db, s) &&
                put_segments(db, s) && put_parts(db, c) && put_files(db, s) &&
                sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
    unsigned char *bytes = good ? sqlite3_serialize(db, "main", &n, 0) : NULL;
    enum status status = bytes ? OK : out_of_memory(err);
    if (status == OK) {
        buf_add(&all, slice_of(bytes, (size_t)n));
        sha256(buf_slice(&all), &hash);
        buf_add(&all, slice_of(hash.bytes, HASH_BYTES));
        store_path(s, path, CATALOGUE_NAME, NULL);
        status = io_replace_file(s->io, path, buf_slice(&all), 0600, err);
    }
    sqlite3_free(bytes);
    sqlite3_close(db);
    buf_free(&all);
    return status;
}

enum status catalogue_update(struct store *s, struct error *err)
{
    struct catalogue c;
    bool others;
    enum status status = load(s, &c, true, &others, err);
    if (status != OK)
        return status;
    if (c.read || others || c.damaged)
        status = write_file(s, &c, err);
    catalogue_free(&c);
    return status;
}

enum status catalogue_rebuild(struct store *s, struct error *err)
{
    struct catalogue c;
    bool others;
    enum status status = load(s, &c, false, &others, err);
    if (status == OK)
        status = write_file(s, &c, err);
    catalogue_free(&c);
    return status;
}

/* ---- checking ---- */

static bool same_part(const struct catalogue_part *a, const struct catalogue_part *b)
{
    return slice_equal(a->source, b->source) && slice_equal(a->host, b->host) &&
           a->events == b->events && a->bytes == b->bytes && a->first == b->first &&
           a->last == b->last && slice_equal(a->hours, b->hours);
}

static enum status tells_other(const struct store *s, struct error *err, const char *what)
{
    char path[PATH_BYTES];
    store_path(s, path, CATALOGUE_NAME, NULL);
    return error_set(err, STATUS_BAD_INPUT, path, ERROR_NO_OFFSET,
                     "%s; hikeshi store rebuild makes it anew", what);
}

enum status catalogue_check(struct store *s, struct error *err)
{
    struct catalogue told = {0};
    bool others, *known = xcalloc(s->segments_n + 1, sizeof *known);
    enum status status = load_file(s, &told, known, &others, err);
    if (status == OK && told.damaged)
        status = tells_other(s, err, "the catalogue was altered");
    const struct catalogue_part *at = told.parts, *end = told.parts + told.parts_n;
    for (size_t i = 0; status == OK && i < s->segments_n; i++) {
        struct catalogue real = {0};
        size_t n = 0;
        while (at + n < end && at[n].segment == i)
            n++;
        /* a segment that is damaged is told for itself */
        if (known[i] && catalogue_scan(s, i, &real, NULL) == OK) {
            bool same = real.parts_n == n;
            for (size_t k = 0; same && k < n; k++)
                same = same_part(&real.parts[k], &at[k]);
            if (!same)
                status = tells_other(s, err, "the catalogue tells other than the segments");
        }
        at += n;
        catalogue_free(&real);
    }
    free(known);
    catalogue_free(&told);
    return status;
}
