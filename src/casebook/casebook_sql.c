/* The schema and all statements of the casebook. */
#include "casebook/casebook_internal.h"

/* Times are nanoseconds since 1970. A rule is the same rule in another wording when it has the same
 * key (its id). A finding's key is what makes another match a repeat of it. */
static const char version_1[] =
    "CREATE TABLE mark(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE rule("
    " id INTEGER PRIMARY KEY,"
    " key TEXT NOT NULL UNIQUE,"
    " rule_id TEXT NOT NULL, title TEXT NOT NULL, level INTEGER NOT NULL,"
    " tags TEXT NOT NULL," /* a JSON array */
    " description TEXT NOT NULL,"
    " hash BLOB NOT NULL," /* of its latest wording */
    " correlation INTEGER NOT NULL) STRICT;"
    "CREATE TABLE finding("
    " id INTEGER PRIMARY KEY,"
    " rule INTEGER NOT NULL REFERENCES rule,"
    " wording BLOB NOT NULL," /* hash of the rule as it was when it told this */
    " key BLOB NOT NULL,"
    " first INTEGER, last INTEGER, count INTEGER NOT NULL,"
    " host TEXT NOT NULL, channel TEXT NOT NULL, provider TEXT NOT NULL, code TEXT NOT NULL,"
    " fields TEXT NOT NULL," /* a JSON object */
    " events TEXT NOT NULL," /* of a correlation: [[input, record], ...]; else '' */
    " found INTEGER NOT NULL, seen INTEGER NOT NULL," /* when the first, the last match was told */
    " round INTEGER NOT NULL,"                        /* in which it was told last */
    " withdrawn INTEGER) STRICT;"
    "CREATE INDEX finding_key ON finding(key);"
    "CREATE INDEX finding_last ON finding(last);"
    "CREATE TABLE matched(" /* which events a plain rule's finding stands for */
    " rule INTEGER NOT NULL, input INTEGER NOT NULL, record INTEGER NOT NULL,"
    " finding INTEGER NOT NULL REFERENCES finding,"
    " PRIMARY KEY(rule, input, record)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX matched_finding ON matched(finding);"
    "CREATE TABLE suppression("
    " id INTEGER PRIMARY KEY,"
    " rule TEXT, host TEXT," /* id or title; a pattern; NULL: any */
    " reason TEXT NOT NULL, owner TEXT NOT NULL, until INTEGER NOT NULL,"
    " made INTEGER NOT NULL, made_by TEXT NOT NULL,"
    " lifted INTEGER, lifted_by TEXT) STRICT;"
    "CREATE TABLE suppression_condition("
    " suppression INTEGER NOT NULL REFERENCES suppression,"
    " field TEXT NOT NULL, pattern TEXT NOT NULL,"
    " PRIMARY KEY(suppression, field, pattern)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE suppressed("
    " finding INTEGER NOT NULL REFERENCES finding,"
    " suppression INTEGER NOT NULL REFERENCES suppression,"
    " PRIMARY KEY(finding, suppression)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX suppressed_by ON suppressed(suppression);";

/* What correlations remember. */
static const char version_2[] =
    "CREATE TABLE correlation("
    " id INTEGER PRIMARY KEY,"
    " wording BLOB NOT NULL UNIQUE) STRICT;" /* of the rule and of those that it refers to */
    "CREATE TABLE correlation_match("
    " correlation INTEGER NOT NULL, grp INTEGER NOT NULL, time INTEGER NOT NULL,"
    " slot INTEGER NOT NULL, input INTEGER NOT NULL, record INTEGER NOT NULL,"
    " value INTEGER NOT NULL, host INTEGER NOT NULL, carry INTEGER NOT NULL,"
    " PRIMARY KEY(correlation, grp, time, slot, input, record, value, carry))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE correlation_name("
    " hash INTEGER PRIMARY KEY, bytes BLOB NOT NULL,"
    " used INTEGER NOT NULL) STRICT;"; /* no match with it is later */

const char *const casebook_migrations[] = {version_1, version_2};
const int casebook_version = sizeof casebook_migrations / sizeof *casebook_migrations;

/* A finding is hidden while a suppression that means it holds: nobody lifted it, and nothing new came
 * after its end. */
#define HIDDEN_BY                                                                                  \
    "(SELECT min(p.id) FROM suppressed s JOIN suppression p ON p.id = s.suppression"               \
    " WHERE s.finding = f.id AND p.lifted IS NULL AND f.seen < p.until)"

#define FINDING_COLUMNS                                                                            \
    "SELECT f.id, r.rule_id, r.title, r.level, r.tags, r.description, f.wording, f.first, f.last," \
    " f.count, f.host, f.channel, f.provider, f.code, f.fields, f.events, f.found, f.seen,"        \
    " f.withdrawn, " HIDDEN_BY ", r.correlation"                                                   \
    " FROM finding f JOIN rule r ON r.id = f.rule"

const char *const casebook_statements[SQL_STATEMENTS] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_MARK_GET] = "SELECT value FROM mark WHERE name = ?1",
    [SQL_MARK_SET] = "INSERT INTO mark VALUES(?1, ?2)"
                     " ON CONFLICT(name) DO UPDATE SET value = excluded.value",
    [SQL_MARK_DROP] = "DELETE FROM mark WHERE name = ?1 AND value < ?2",

    [SQL_RULE_PUT] =
        "INSERT INTO rule(key, rule_id, title, level, tags, description, hash, correlation)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT(key) DO UPDATE SET"
        " rule_id = excluded.rule_id, title = excluded.title, level = excluded.level,"
        " tags = excluded.tags, description = excluded.description, hash = excluded.hash,"
        " correlation = excluded.correlation RETURNING id",
    [SQL_MATCHED_GET] =
        "SELECT finding FROM matched WHERE rule = ?1 AND input = ?2 AND record = ?3",
    [SQL_MATCHED_PUT] = "INSERT INTO matched(rule, input, record, finding) VALUES(?1, ?2, ?3, ?4)",
    [SQL_FINDING_BY_KEY] = "SELECT id, first FROM finding WHERE key = ?1",
    [SQL_FINDING_NEW] =
        "INSERT INTO finding(rule, wording, key, first, last, count, host, channel, provider, code,"
        " fields, events, found, seen, round)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13, ?14) RETURNING id",
    [SQL_FINDING_JOIN] =
        "UPDATE finding SET count = count + 1, wording = ?2, seen = ?5, round = ?6,"
        " first = min(ifnull(first, ?3), ifnull(?3, first)),"
        " last = max(ifnull(last, ?3), ifnull(?3, last)),"
        " fields = ifnull(?4, fields), host = ifnull(?7, host) WHERE id = ?1",
    [SQL_BURST_FIND] = "SELECT id, first, last, count FROM finding"
                       " WHERE key = ?1 AND first <= ?3 AND last >= ?2 AND round <> ?4"
                       " ORDER BY first, id LIMIT 1",
    [SQL_BURST_UPDATE] = "UPDATE finding SET wording = ?2, first = ?3, last = ?4, count = ?5,"
                         " host = ?6, fields = ?7, events = ?8, round = ?10, withdrawn = NULL,"
                         " seen = CASE WHEN count = ?5 AND withdrawn IS NULL THEN seen ELSE ?9 END"
                         " WHERE id = ?1",
    [SQL_BURST_WITHDRAW] = "UPDATE finding SET withdrawn = ?1 WHERE withdrawn IS NULL"
                           " AND round <> ?2 AND first >= ?3 AND wording = ?4"
                           " AND (?5 OR key IN (SELECT key FROM temp.touched))"
                           " AND rule IN (SELECT id FROM rule WHERE key = ?6 AND correlation)",

    [SQL_TOUCHED_MAKE] = "CREATE TEMP TABLE IF NOT EXISTS touched("
                         " correlation INTEGER NOT NULL, grp INTEGER NOT NULL, key BLOB NOT NULL,"
                         " PRIMARY KEY(correlation, grp)) STRICT, WITHOUT ROWID",
    [SQL_TOUCHED_CLEAR] = "DELETE FROM temp.touched",
    [SQL_TOUCHED_ADD] = "INSERT OR IGNORE INTO temp.touched VALUES(?1, ?2, ?3)",
    [SQL_CORRELATION_PUT] = "INSERT INTO correlation(wording) VALUES(?1)"
                            " ON CONFLICT(wording) DO UPDATE SET wording = excluded.wording"
                            " RETURNING id",
    [SQL_MATCH_PUT] = "INSERT OR IGNORE INTO correlation_match(correlation, grp, time, slot, input,"
                      " record, value, host, carry) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [SQL_MATCH_GROUP] = "SELECT m.time, m.slot, m.input, m.record, m.value, m.host, m.carry, m.grp"
                        " FROM temp.touched t JOIN correlation_match m"
                        " ON m.correlation = t.correlation AND m.grp = t.grp"
                        " WHERE t.correlation = ?1",
    [SQL_MATCH_ALL] = "SELECT time, slot, input, record, value, host, carry, grp"
                      " FROM correlation_match WHERE correlation = ?1",
    [SQL_MATCH_OLDEST] = "SELECT time FROM correlation_match ORDER BY time LIMIT 1 OFFSET ?1",
    [SQL_MATCH_FORGET] = "DELETE FROM correlation_match WHERE time < ?1",
    [SQL_NAME_PUT] = "INSERT INTO correlation_name VALUES(?1, ?2, ?3)"
                     " ON CONFLICT(hash) DO UPDATE SET used = max(used, excluded.used),"
                     " bytes = min(bytes, excluded.bytes)",
    [SQL_NAME_GET] = "SELECT bytes FROM correlation_name WHERE hash = ?1",
    [SQL_NAME_FORGET] = "DELETE FROM correlation_name WHERE used < ?1",

    [SQL_SUPPRESSION_NEW] =
        "INSERT INTO suppression(rule, host, reason, owner, until, made, made_by)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING id",
    [SQL_SUPPRESSION_CONDITION] = "INSERT OR IGNORE INTO suppression_condition VALUES(?1, ?2, ?3)",
    [SQL_SUPPRESSION_LIFT] = "UPDATE suppression SET lifted = ?2, lifted_by = ?3"
                             " WHERE id = ?1 AND lifted IS NULL RETURNING id",
    [SQL_SUPPRESSIONS] = "SELECT id, rule, host, reason, owner, until, made, made_by, lifted,"
                         " lifted_by FROM suppression ORDER BY id",
    [SQL_SUPPRESSION_CONDITIONS] = "SELECT field, pattern FROM suppression_condition"
                                   " WHERE suppression = ?1 ORDER BY field, pattern",
    [SQL_SUPPRESSION_HIDES] = "SELECT count(*), total(f.count) FROM finding f"
                              " WHERE f.withdrawn IS NULL AND " HIDDEN_BY " = ?1",
    [SQL_SUPPRESSED_PUT] = "INSERT OR IGNORE INTO suppressed VALUES(?1, ?2)",

    [SQL_FINDINGS] = FINDING_COLUMNS
    " WHERE (?1 IS NULL OR f.last >= ?1) AND (?2 IS NULL OR f.first < ?2) AND r.level >= ?3"
    " AND (?4 IS NULL OR lower(r.rule_id) = lower(?4) OR r.title = ?4)"
    " AND (?5 OR f.withdrawn IS NULL)"
    " AND CASE ?6 WHEN 0 THEN " HIDDEN_BY " IS NULL WHEN 1 THEN " HIDDEN_BY " IS NOT NULL"
    " ELSE 1 END"
    " ORDER BY f.last IS NULL, f.last, f.id",
    [SQL_FINDING_BY_ID] = FINDING_COLUMNS " WHERE f.id = ?1",
    [SQL_FINDING_EVENTS] = "SELECT input, record FROM matched WHERE finding = ?1"
                           " ORDER BY input, record",
    [SQL_COUNT_HIDDEN] =
        "SELECT count(*) FROM finding f WHERE f.withdrawn IS NULL AND " HIDDEN_BY " IS NOT NULL",
};
