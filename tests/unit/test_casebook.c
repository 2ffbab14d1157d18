/*
 * The casebook: findings joined and told once, suppressions, schemas of earlier versions, and
 * correlations that go on from run to run as if there had been but one.
 */
#include "test.h"

#include "base/vec.h"
#include "casebook/casebook_internal.h"
#include "casebook/known.h"
#include "casebook/suppression.h"
#include "casebook/take.h"
#include "rules.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY (86400 * NS_PER_SECOND)

struct world {
    char folder[64];
    struct ruleset *rules;
    struct mappings *mappings;
    struct detector *detector;
    struct casebook *casebook;
    struct casebook_counts counts; /* of the last round */
    timestamp now;
    size_t matches; /* that correlations may keep; 0: the usual number */
    bool refuse;    /* telling fails */
};

static const char plain_rules[] = "title: Failed\n"
                                  "id: 00000000-0000-4000-8000-000000000001\n"
                                  "name: failed\n"
                                  "level: low\n"
                                  "tags: [attack.t1110]\n"
                                  "logsource: {product: windows, service: security}\n"
                                  "detection: {s: {EventID: 4625}, condition: s}\n"
                                  "---\n"
                                  "title: Logon\n"
                                  "id: 00000000-0000-4000-8000-000000000002\n"
                                  "name: logon\n"
                                  "level: high\n"
                                  "logsource: {product: windows, service: security}\n"
                                  "detection: {s: {EventID: 4624}, condition: s}\n";

/* Without waiting for the disk, which no test takes the power from. */
static void open_casebook(struct world *w)
{
    struct error err;
    w->casebook = casebook_open(w->folder, &err);
    assert_non_null(w->casebook);
    sqlite3_exec(w->casebook->db, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
}

static void begin(struct world *w, const char *rules)
{
    struct error err;
    *w = (struct world){.folder = "/tmp/casebook-XXXXXX", .now = 1000 * DAY};
    assert_non_null(mkdtemp(w->folder));
    w->rules = rules_of(rules);
    assert_no_problem(w->rules);
    w->mappings = mappings_builtin(&err);
    w->detector = detector_new(w->rules, w->mappings, 1, &err);
    assert_non_null(w->detector);
    open_casebook(w);
    assert_int_equal(casebook_prepare(w->casebook, w->detector, &err), OK);
}

static void remove_folder(const char *folder)
{
    static const char *const names[] = {"casebook.db", "casebook.db-wal", "casebook.db-shm"};
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(folder), 0);
}

static void end(struct world *w)
{
    casebook_close(w->casebook);
    detector_free(w->detector);
    mappings_free(w->mappings);
    ruleset_free(w->rules);
    remove_folder(w->folder);
}

/* ---- events ---- */

struct event {
    const char *code, *host, *user;
    int64_t second;
    uint64_t record;
    const char *process; /* NULL: none */
};

static enum status to_detector(void *ctx, struct block *b, struct error *err)
{
    return detector_block(ctx, 0, b, err);
}

static void put(struct block *b, const char *name, const char *text)
{
    if (text)
        block_put(b, block_column(b, slice_str(name)), value_of_text(slice_str(text)));
}

static void detect(struct detector *d, const struct event *events, size_t n)
{
    struct block_set *set = block_set_new((struct block_sink){to_detector, d});
    struct error err;
    for (size_t i = 0; i < n; i++) {
        const struct event *e = &events[i];
        struct event_kind kind = {.product = SLICE("windows"),
                                  .channel = SLICE("Security"),
                                  .provider = SLICE("Microsoft-Windows-Security-Auditing"),
                                  .code = slice_str(e->code)};
        struct block *b = block_set_open(set, &kind);
        assert_int_equal(
            block_row(b, e->second * NS_PER_SECOND, (struct origin){7, e->record}, &err), OK);
        put(b, "EventID", e->code);
        put(b, "Computer", e->host);
        put(b, "TargetUserName", e->user);
        put(b, "ProcessId", e->process);
    }
    assert_int_equal(block_set_flush(set, &err), OK);
    block_set_free(set);
    detector_end(d);
}

static enum status refuse(void *ctx, const struct casebook_told *told, struct error *err)
{
    const struct world *w = ctx;
    assert_non_null(told->finding->rule);
    return w->refuse ? error_set(err, STATUS_SYSTEM, NULL, ERROR_NO_OFFSET, "refused") : OK;
}

static enum status round_of(struct world *w, const struct event *events, size_t n)
{
    struct error err;
    detect(w->detector, events, n);
    struct casebook_take job = {
        .detector = w->detector, .now = w->now, .tell = refuse, .ctx = w, .matches = w->matches};
    enum status status = casebook_take(w->casebook, &job, &w->counts, &err);
    detector_clear(w->detector);
    return status;
}

#define ROUND(w, events)                                                                           \
    assert_int_equal(round_of(w, events, sizeof(events) / sizeof *(events)), OK)

/* ---- what is known ---- */

struct listing {
    struct {
        char **at;
        size_t n, cap;
    } lines;
};

static enum status list_one(void *ctx, const struct known_finding *f, struct error *err)
{
    struct listing *l = ctx;
    struct buf b = {0};
    (void)err;
    buf_printf(&b, "%.*s %lld-%lld x%d", SLICE_ARG(f->title), (long long)(f->first / NS_PER_SECOND),
               (long long)(f->last / NS_PER_SECOND), (int)f->count);
    if (f->host.n)
        buf_printf(&b, " on %.*s", SLICE_ARG(f->host));
    for (uint32_t i = 0; i < f->fields_n; i++)
        buf_printf(&b, " %.*s=%.*s", SLICE_ARG(f->fields[i].name), SLICE_ARG(f->fields[i].text));
    if (f->withdrawn != TIMESTAMP_NONE)
        buf_printf(&b, " withdrawn");
    *VEC_PUSH(l->lines) = strndup(b.p, b.n);
    buf_free(&b);
    return OK;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One line a finding, in the order of the text; to be freed. */
static char *join(struct listing *l)
{
    struct buf b = {0};
    if (l->lines.n)
        qsort(l->lines.at, l->lines.n, sizeof(char *), by_text);
    for (size_t i = 0; i < l->lines.n; i++) {
        buf_printf(&b, "%s\n", l->lines.at[i]);
        free(l->lines.at[i]);
    }
    free(l->lines.at);
    buf_char(&b, '\0');
    return b.p;
}

static char *list(const struct world *w, enum known_hidden hidden, bool withdrawn)
{
    struct known_query query = {
        .from = TIMESTAMP_NONE, .to = TIMESTAMP_NONE, .hidden = hidden, .withdrawn = withdrawn};
    struct listing l = {0};
    struct error err;
    assert_int_equal(known_each(w->casebook, &query, list_one, &l, &err), OK);
    return join(&l);
}

static void assert_list(const struct world *w, enum known_hidden hidden, const char *want)
{
    char *got = list(w, hidden, false);
    assert_string_equal(got, want);
    free(got);
}

/* ---- joining ---- */

static const struct event logons[] = {
    {"4625", "PC1", "ann", 30, 1, "11"}, {"4625", "PC1", "bob", 31, 2, "11"},
    {"4625", "pc1", "ANN", 20, 3, "12"}, {"4625", "PC2", "ann", 40, 4, "11"},
    {"4624", "PC1", "ann", 50, 5, "13"}, {"4625", "PC1", "ann", 60, 6, "14"},
};
static const char logons_list[] = "Failed 20-60 x3 on pc1 TargetUserName=ANN\n"
                                  "Failed 31-31 x1 on PC1 TargetUserName=bob\n"
                                  "Failed 40-40 x1 on PC2 TargetUserName=ann\n"
                                  "Logon 50-50 x1 on PC1 TargetUserName=ann\n";

static void repeats_join(void **state)
{
    (void)state;
    struct world w;
    begin(&w, plain_rules);
    ROUND(&w, logons);
    assert_int_equal(w.counts.matches, 6);
    assert_int_equal(w.counts.fresh, 4);
    assert_int_equal(w.counts.joined, 2);
    assert_list(&w, HIDDEN_TOO, logons_list);
    ROUND(&w, logons); /* nothing new */
    assert_int_equal(w.counts.matches, 0);
    assert_int_equal(w.counts.known, 6);
    assert_int_equal(w.counts.fresh, 0);
    end(&w);
}

/* Event by event and in any order: the same as at once. */
static void order_does_not_matter(void **state)
{
    (void)state;
    static const int orders[][6] = {{0, 1, 2, 3, 4, 5}, {5, 4, 3, 2, 1, 0}, {2, 0, 4, 5, 1, 3}};
    for (size_t i = 0; i < 3; i++) {
        struct world w;
        begin(&w, plain_rules);
        for (size_t k = 0; k < 6; k++)
            assert_int_equal(round_of(&w, &logons[orders[i][k]], 1), OK);
        assert_list(&w, HIDDEN_TOO, logons_list);
        end(&w);
    }
}

static void a_finding_tells_its_events(void **state)
{
    (void)state;
    struct world w;
    struct arena a = {0};
    struct known_finding f;
    struct origin *events;
    struct error err;
    bool found;
    size_t n;
    begin(&w, plain_rules);
    ROUND(&w, logons);
    assert_int_equal(known_get(w.casebook, 1, &a, &f, &found, &err), OK);
    assert_true(found);
    assert_slice(f.rule_id, "00000000-0000-4000-8000-000000000001");
    assert_int_equal(f.level, LEVEL_LOW);
    assert_int_equal(f.tags_n, 1);
    assert_slice(f.tags[0], "attack.t1110");
    assert_memory_equal(f.wording.p, ruleset_rule(w.rules, 0)->hash, RULE_HASH);
    assert_int_equal(known_events(w.casebook, 1, &a, &events, &n, &err), OK);
    assert_int_equal(n, 3);
    assert_int_equal(events[0].input, 7);
    assert_int_equal(events[0].record, 1);
    assert_int_equal(events[2].record, 6);
    assert_int_equal(known_get(w.casebook, 99, &a, &f, &found, &err), OK);
    assert_false(found);
    arena_free(&a);
    end(&w);
}

static void what_is_not_told_is_not_there(void **state)
{
    (void)state;
    struct world w;
    begin(&w, plain_rules);
    w.refuse = true;
    assert_int_equal(round_of(&w, logons, 6), STATUS_SYSTEM);
    assert_list(&w, HIDDEN_TOO, "");
    w.refuse = false;
    ROUND(&w, logons);
    assert_list(&w, HIDDEN_TOO, logons_list);
    end(&w);
}

static void missing_findings_are_noticed(void **state)
{
    (void)state;
    struct world w;
    struct error err;
    uint64_t from;
    begin(&w, plain_rules);
    assert_int_equal(casebook_missing(w.casebook, &from, &err), OK);
    assert_true(from == UINT64_MAX);
    assert_int_equal(casebook_expect(w.casebook, 12, &err), OK);
    assert_int_equal(casebook_expect(w.casebook, 20, &err), OK); /* 12 is still to be done */
    casebook_close(w.casebook); /* and a crash does not change that */
    w.casebook = casebook_open(w.folder, &err);
    assert_int_equal(casebook_missing(w.casebook, &from, &err), OK);
    assert_int_equal(from, 12);
    detect(w.detector, logons, 6);
    struct casebook_take job = {.detector = w.detector, .settled = 12};
    assert_int_equal(casebook_take(w.casebook, &job, &w.counts, &err), OK);
    assert_int_equal(casebook_missing(w.casebook, &from, &err), OK);
    assert_int_equal(from, 12); /* entry 12 was not among what was looked at */
    job.settled = 13;
    assert_int_equal(casebook_take(w.casebook, &job, &w.counts, &err), OK);
    assert_int_equal(casebook_missing(w.casebook, &from, &err), OK);
    assert_true(from == UINT64_MAX);
    end(&w);
}

/* ---- suppressions ---- */

static void suppressed_is_kept(void **state)
{
    (void)state;
    struct world w;
    struct error err;
    struct arena a = {0};
    struct suppression *all;
    size_t n;
    int64_t id;
    bool found;
    begin(&w, plain_rules);
    assert_int_equal(round_of(&w, logons, 2), OK);
    struct suppression_condition user = {SLICE("targetusername"), SLICE("A*")};
    struct suppression s = {.rule = SLICE("Failed"),
                            .host = SLICE("pc?"),
                            .conditions = &user,
                            .conditions_n = 1,
                            .reason = SLICE("a test account"),
                            .owner = SLICE("owner"),
                            .made_by = SLICE("me@here"),
                            .made = w.now,
                            .until = w.now + DAY};
    assert_int_equal(suppression_add(w.casebook, &s, &id, &err), OK);
    assert_list(&w, HIDDEN_NOT, "Failed 31-31 x1 on PC1 TargetUserName=bob\n");
    assert_list(&w, HIDDEN_ONLY, "Failed 30-30 x1 on PC1 TargetUserName=ann\n");
    w.now += DAY / 2; /* in force: what comes is hidden too */
    ROUND(&w, logons);
    assert_int_equal(w.counts.fresh, 2);
    assert_int_equal(w.counts.hidden, 1);
    assert_int_equal(suppression_list(w.casebook, &a, &all, &n, &err), OK);
    assert_int_equal(n, 1);
    assert_int_equal(all[0].hides, 2);
    assert_int_equal(all[0].matches, 4);
    assert_int_equal(all[0].conditions_n, 1);
    w.now += DAY; /* ended: what comes is shown, the rest stays hidden */
    static const struct event later[] = {{"4625", "PC2", "ann", 99, 9, NULL}};
    ROUND(&w, later);
    assert_list(&w, HIDDEN_NOT,
                "Failed 31-31 x1 on PC1 TargetUserName=bob\n"
                "Failed 40-99 x2 on PC2 TargetUserName=ann\n"
                "Logon 50-50 x1 on PC1 TargetUserName=ann\n");
    assert_int_equal(suppression_lift(w.casebook, id, w.now, SLICE("me"), &found, &err), OK);
    assert_true(found);
    assert_int_equal(suppression_lift(w.casebook, id, w.now, SLICE("me"), &found, &err), OK);
    assert_false(found);
    assert_list(&w, HIDDEN_ONLY, "");
    arena_free(&a);
    end(&w);
}

static void suppressions_need_reasons(void **state)
{
    (void)state;
    struct world w;
    struct error err;
    int64_t id;
    begin(&w, plain_rules);
    const struct suppression good = {.rule = SLICE("Failed"),
                                     .reason = SLICE("why"),
                                     .owner = SLICE("who"),
                                     .made = w.now,
                                     .until = w.now + 1};
    struct suppression s = good;
    s.rule = SLICE("");
    assert_int_equal(suppression_add(w.casebook, &s, &id, &err), STATUS_BAD_USE);
    s = good;
    s.reason = SLICE(" ");
    assert_int_equal(suppression_add(w.casebook, &s, &id, &err), STATUS_BAD_USE);
    s = good;
    s.owner = SLICE("");
    assert_int_equal(suppression_add(w.casebook, &s, &id, &err), STATUS_BAD_USE);
    s = good;
    s.until = w.now;
    assert_int_equal(suppression_add(w.casebook, &s, &id, &err), STATUS_BAD_USE);
    s.until = TIMESTAMP_NONE;
    assert_int_equal(suppression_add(w.casebook, &s, &id, &err), STATUS_BAD_USE);
    assert_int_equal(suppression_add(w.casebook, &good, &id, &err), OK);
    end(&w);
}

/* ---- schemas, and files that are none ---- */

static void open_at(const char *folder, sqlite3 **db)
{
    char path[128];
    snprintf(path, sizeof path, "%s/casebook.db", folder);
    assert_int_equal(sqlite3_open(path, db), SQLITE_OK);
}

static void run_sql(sqlite3 *db, const char *sql)
{
    char *why = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
}

/* A casebook of each earlier version, with a finding in it, opens and takes more. */
static void earlier_versions_are_brought_up(void **state)
{
    (void)state;
    for (int version = 1; version < casebook_version; version++) {
        struct world w;
        struct error err;
        char set[80];
        sqlite3 *db;
        begin(&w, plain_rules);
        casebook_close(w.casebook);
        remove_folder(w.folder);
        assert_int_equal(mkdir(w.folder, 0700), 0);
        open_at(w.folder, &db);
        for (int i = 0; i < version; i++)
            run_sql(db, casebook_migrations[i]);
        snprintf(set, sizeof set, "PRAGMA user_version = %d; PRAGMA application_id = %d", version,
                 0x686b7368);
        run_sql(db, set);
        run_sql(db, "INSERT INTO rule VALUES(1, 'k', 'i', 'Old', 3, '[]', '', x'00', 0);"
                    "INSERT INTO finding(rule, wording, key, first, last, count, host, channel,"
                    " provider, code, fields, events, found, seen, round)"
                    " VALUES(1, x'00', x'01', 1000000000, 2000000000, 5, 'H', '', '', '', '{}', '',"
                    " 1, 1, 1);"
                    "INSERT INTO mark VALUES('seed', 1)");
        sqlite3_close(db);
        w.casebook = casebook_open(w.folder, &err);
        assert_non_null(w.casebook);
        assert_list(&w, HIDDEN_NOT, "Old 1-2 x5 on H\n");
        assert_int_equal(round_of(&w, logons, 1), OK);
        assert_list(&w, HIDDEN_NOT,
                    "Failed 30-30 x1 on PC1 TargetUserName=ann\n"
                    "Old 1-2 x5 on H\n");
        end(&w);
    }
}

static void no_casebook_is_refused(void **state)
{
    (void)state;
    char folder[] = "/tmp/casebook-XXXXXX", path[64];
    struct error err;
    sqlite3 *db;
    assert_non_null(mkdtemp(folder));
    open_at(folder, &db);
    run_sql(db, "PRAGMA user_version = 1000");
    sqlite3_close(db);
    assert_null(casebook_open(folder, &err)); /* of a later version */
    assert_int_equal(err.status, STATUS_BAD_INPUT);
    open_at(folder, &db);
    run_sql(db, "PRAGMA user_version = 1");
    sqlite3_close(db);
    assert_null(casebook_open(folder, &err)); /* another program's */
    assert_int_equal(err.status, STATUS_BAD_INPUT);
    snprintf(path, sizeof path, "%s/casebook.db", folder);
    FILE *file = fopen(path, "w");
    fputs("this is no database, however long one looks at it; not at all, not in the least, never "
          "ever, whatever the header of it says to anybody who reads it",
          file);
    fclose(file);
    assert_null(casebook_open(folder, &err));
    assert_int_equal(err.status, STATUS_BAD_INPUT);
    remove_folder(folder);
    assert_null(casebook_open(folder, &err)); /* no folder */
    assert_int_equal(err.status, STATUS_SYSTEM);
}

static uint64_t draw(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* With bytes changed at random it is read or refused, but nothing goes astray. */
static void damage_is_survived(void **state)
{
    (void)state;
    struct world w;
    uint64_t seed = 88172645463325252u;
    char path[128];
    begin(&w, plain_rules);
    ROUND(&w, logons);
    casebook_close(w.casebook);
    w.casebook = NULL;
    snprintf(path, sizeof path, "%s/casebook.db", w.folder);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    off_t size = lseek(fd, 0, SEEK_END);
    size_t read_n = 0;
    for (int i = 0; i < 100; i++) {
        char was[8], now[8];
        off_t at = (off_t)(draw(&seed) % (uint64_t)(size - 8));
        uint64_t noise = draw(&seed);
        assert_int_equal(pread(fd, was, 8, at), 8);
        memcpy(now, &noise, 8);
        assert_int_equal(pwrite(fd, now, 8, at), 8);
        struct error err;
        struct known_query query = {.from = TIMESTAMP_NONE, .to = TIMESTAMP_NONE};
        struct listing l = {0};
        struct casebook *c = casebook_open(w.folder, &err);
        if (c)
            read_n += known_each(c, &query, list_one, &l, &err) == OK;
        casebook_close(c);
        free(join(&l));
        assert_int_equal(pwrite(fd, was, 8, at), 8);
    }
    close(fd);
    assert_true(read_n > 0); /* most bytes are nobody's */
    end(&w);
}

/* ---- correlations from run to run ---- */

#define CORRELATION(title, type, rules, group, rest)                                               \
    "---\n"                                                                                        \
    "title: " title "\n"                                                                           \
    "name: " title "\n"                                                                            \
    "correlation: {type: " type ", rules: [" rules "], group-by: [" group "], timespan: 10s, "     \
    "generate: true" rest "}\n"

static const struct {
    const char *rules;
} correlations[] = {
    {CORRELATION("Many", "event_count", "failed", "Computer", ", condition: {gte: 3}")},
    {CORRELATION("Few", "event_count", "failed", "Computer", ", condition: {lt: 3}")},
    {CORRELATION("Users", "value_count", "failed", "Computer",
                 ", condition: {gte: 2, field: TargetUserName}")},
    {CORRELATION("Both", "temporal", "failed, logon", "Computer, TargetUserName", "")},
    {CORRELATION("Then", "temporal_ordered", "failed, logon", "Computer", "")},
    {CORRELATION("Without", "temporal", "failed, logon", "Computer",
                 ", condition: failed and not logon")},
    {CORRELATION("Many", "event_count", "failed", "Computer", ", condition: {gte: 2}")
         CORRELATION("Guessed", "temporal_ordered", "Many, logon", "TargetUserName", "")},
};

static enum status add_line(void *ctx, const struct finding *f, struct error *err)
{
    struct listing *l = ctx;
    struct known_finding known = {.title = f->rule->title,
                                  .first = f->first,
                                  .last = f->time,
                                  .count = f->count,
                                  .host = f->host,
                                  .fields = f->fields,
                                  .fields_n = f->fields_n,
                                  .withdrawn = TIMESTAMP_NONE};
    return list_one(l, &known, err);
}

/* What one run over all events tells. */
static char *at_once(const struct world *w, const struct event *events, size_t n)
{
    struct error err;
    struct listing l = {0};
    struct finding f;
    struct detector *d = detector_new(w->rules, w->mappings, 1, &err);
    detect(d, events, n);
    assert_int_equal(detector_correlate(d, &err), OK);
    for (size_t at = 0; findings_next(detector_findings(d), &at, &f, &err);)
        if (f.rule->correlation)
            assert_int_equal(add_line(&l, &f, &err), OK);
    detector_free(d);
    return join(&l);
}

static enum status list_correlation(void *ctx, const struct known_finding *f, struct error *err)
{
    return f->correlation ? list_one(ctx, f, err) : OK;
}

static char *correlated(const struct world *w)
{
    struct known_query query = {.from = TIMESTAMP_NONE, .to = TIMESTAMP_NONE, .hidden = HIDDEN_TOO};
    struct listing l = {0};
    struct error err;
    assert_int_equal(known_each(w->casebook, &query, list_correlation, &l, &err), OK);
    return join(&l);
}

static void draw_events(struct event *events, size_t n, uint64_t *seed)
{
    static const char *const hosts[] = {"PC1", "PC2"}, *const users[] = {"ann", "bob", "cid"};
    for (size_t i = 0; i < n; i++)
        events[i] = (struct event){.code = draw(seed) % 3 ? "4625" : "4624",
                                   .host = hosts[draw(seed) % 2],
                                   .user = users[draw(seed) % 3],
                                   .second = (int64_t)(draw(seed) % 90),
                                   .record = i + 1};
}

/* Random events in random order over random runs, each of them a process of its own as far as anybody
 * can see, some events twice: at the end the findings are those of one run. */
static void runs_are_as_one(void **state)
{
    (void)state;
    enum { EVENTS = 40, TRIES = 6 };
    uint64_t seed = 362436069362436069u;
    size_t told = 0;
    for (size_t k = 0; k < sizeof correlations / sizeof *correlations * TRIES; k++) {
        struct event events[EVENTS];
        struct world w;
        char rules[4096];
        snprintf(rules, sizeof rules, "%s%s", plain_rules, correlations[k / TRIES].rules);
        begin(&w, rules);
        draw_events(events, EVENTS, &seed);
        for (size_t i = 0, n; i < EVENTS; i += n) {
            n = 1 + draw(&seed) % 12;
            n = n < EVENTS - i ? n : EVENTS - i;
            size_t again = i ? draw(&seed) % 2 : 0;
            assert_int_equal(round_of(&w, events + i - again, n + again), OK);
            casebook_close(w.casebook);
            open_casebook(&w);
            char *want = at_once(&w, events, i + n), *got = correlated(&w);
            if (strcmp(got, want) != 0)
                fail_msg("try %zu, after %zu events:\n%swant:\n%s", k, i + n, got, want);
            told += strlen(want) > 0;
            free(want);
            free(got);
        }
        end(&w);
    }
    assert_true(told > 100);
}

/* A finding that a later event disproves stays, and is told from those that stand. */
static void disproved_is_withdrawn(void **state)
{
    (void)state;
    struct world w;
    char rules[4096];
    snprintf(rules, sizeof rules, "%s%s", plain_rules, correlations[1].rules); /* Few */
    begin(&w, rules);
    static const struct event two[] = {{"4625", "PC1", "a", 1, 1, NULL},
                                       {"4625", "PC1", "a", 2, 2, NULL}};
    static const struct event third[] = {{"4625", "PC1", "a", 3, 3, NULL}};
    ROUND(&w, two);
    char *got = correlated(&w);
    assert_string_equal(got, "Few 1-2 x2 on PC1 Computer=PC1\n");
    free(got);
    ROUND(&w, third);
    assert_int_equal(w.counts.withdrawn, 1);
    got = list(&w, HIDDEN_TOO, true);
    assert_string_equal(got, "Failed 1-3 x3 on PC1 TargetUserName=a\n"
                             "Few 1-2 x2 on PC1 Computer=PC1 withdrawn\n");
    free(got);
    end(&w);
}

/* The memory is bounded: the oldest matches go, what they told stays. */
static void old_matches_are_forgotten(void **state)
{
    (void)state;
    enum { ROUNDS = 12, EACH = 5 };
    struct world w;
    char rules[4096];
    snprintf(rules, sizeof rules, "%s%s", plain_rules, correlations[0].rules); /* Many */
    begin(&w, rules);
    w.matches = 24;
    for (int k = 0; k < ROUNDS; k++) {
        struct event events[EACH];
        for (int i = 0; i < EACH; i++)
            events[i] = (struct event){"4625", "PC1", "a", k * 100 + i, (uint64_t)(k * 100 + i), 0};
        ROUND(&w, events);
    }
    struct error err;
    int64_t kept = 0;
    assert_int_equal(casebook_mark_get(w.casebook, "matches kept", &kept, &err), OK);
    assert_in_range(kept, EACH, 24);
    char *got = correlated(&w);
    size_t lines = 0;
    for (const char *c = got; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, ROUNDS);
    assert_non_null(strstr(got, "Many 0-4 x5"));
    assert_non_null(strstr(got, "Many 1100-1104 x5"));
    free(got);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repeats_join),
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(a_finding_tells_its_events),
        cmocka_unit_test(what_is_not_told_is_not_there),
        cmocka_unit_test(missing_findings_are_noticed),
        cmocka_unit_test(suppressed_is_kept),
        cmocka_unit_test(suppressions_need_reasons),
        cmocka_unit_test(earlier_versions_are_brought_up),
        cmocka_unit_test(no_casebook_is_refused),
        cmocka_unit_test(damage_is_survived),
        cmocka_unit_test(runs_are_as_one),
        cmocka_unit_test(disproved_is_withdrawn),
        cmocka_unit_test(old_matches_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
