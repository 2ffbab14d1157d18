#include "golden.h"

#include "base/locale.h"
#include "report/metrics_internal.h"

#define HOUR (3600 * NS_PER_SECOND)
#define START INT64_C(1794268800000000000) /* 2026-11-10T00:00:00Z, a Tuesday */

static const struct event_kind security = {.product = {"windows", 7},
                                           .channel = {"Security", 8},
                                           .provider = {"Microsoft-Windows-Security-Auditing", 35}};

/* ---- making events ---- */

/* Blocks go to a worker, each event to the next one in turn. */
struct feed {
    struct metrics_worker *workers[3];
    struct block_set *sets[3];
    unsigned n, next;
};

static enum status to_worker(void *ctx, struct block *b, struct error *err)
{
    (void)err;
    metrics_block(ctx, b);
    return OK;
}

static struct feed feed_new(struct metrics *m, unsigned n)
{
    struct feed f = {.n = n};
    for (unsigned i = 0; i < n; i++) {
        f.workers[i] = metrics_worker_new(m);
        f.sets[i] = block_set_new((struct block_sink){to_worker, f.workers[i]});
    }
    return f;
}

static void feed_end(struct feed *f)
{
    struct error err = {0};
    for (unsigned i = 0; i < f->n; i++) {
        assert_int_equal(block_set_flush(f->sets[i], &err), OK);
        block_set_free(f->sets[i]);
        metrics_worker_free(f->workers[i]);
    }
}

/* Fields come in pairs, NULL at the end. */
static void event(struct feed *f, struct event_kind kind, const char *code, timestamp time,
                  const char *const *fields)
{
    struct error err = {0};
    kind.code = slice_str(code);
    struct block *b = block_set_open(f->sets[f->next++ % f->n], &kind);
    assert_int_equal(block_row(b, time, (struct origin){0}, &err), OK);
    for (; fields[0]; fields += 2)
        block_put(b, block_column(b, slice_str(fields[0])), value_of_text(slice_str(fields[1])));
}
#define EVENT(f, kind, code, time, ...)                                                            \
    event(f, kind, code, time, (const char *const[]){__VA_ARGS__, NULL})

static void sample(struct metrics *m, unsigned workers)
{
    struct feed f = feed_new(m, workers);
    for (int i = 0; i < 5; i++)
        EVENT(&f, security, "4624", START + i * 60 * NS_PER_SECOND, "Computer", "PC-042",
              "TargetUserName", "sato", "TargetDomainName", "CORP", "LogonType", "3", "IpAddress",
              "::ffff:10.0.0.7", "WorkstationName", "PC-017", "Status", "0x0");
    for (int i = 0; i < 40; i++)
        EVENT(&f, security, "4624", START + i * NS_PER_SECOND, "Computer", "PC-042",
              "TargetUserName", "SYSTEM", "TargetDomainName", "NT AUTHORITY", "LogonType", "5",
              "IpAddress", "-", "WorkstationName", "-");
    for (int i = 0; i < 7; i++)
        EVENT(&f, security, "4625", START + HOUR + i, "Computer", "PC-042", "TargetUserName",
              "administrator", "TargetDomainName", "", "LogonType", "3", "IpAddress",
              "203.0.113.20", "Status", "0xc000006d", "SubStatus", i < 5 ? "0xc000006a" : "0x0");
    EVENT(&f, security, "4625", START + HOUR, "Computer", "PC-042", "TargetUserName",
          "\x1b[2Jevil\n", "LogonType", "99", "Status", "0xc0009999", "SubStatus", "0x0");
    EVENT(&f, security, "4634", START + HOUR, "Computer", "PC-042", "TargetUserName", "sato",
          "TargetDomainName", "CORP", "LogonType", "3");
    EVENT(&f, security, "4648", START + HOUR, "Computer", "PC-042", "SubjectUserName", "sato",
          "TargetUserName", "admin", "TargetDomainName", "CORP", "TargetServerName", "FILESV01",
          "IpAddress", "-");
    EVENT(&f, security, "4768", START, "Computer", "DC1", "TargetUserName", "sato",
          "TargetDomainName", "CORP", "Status", "0x0", "IpAddress", "::ffff:10.0.0.5");
    EVENT(&f, security, "4768", START, "Computer", "DC1", "TargetUserName", "nobody",
          "TargetDomainName", "CORP", "Status", "0x6", "IpAddress", "::ffff:10.0.0.5");
    EVENT(&f, security, "4776", START, "Computer", "DC1", "TargetUserName", "tanaka", "Workstation",
          "PC-099", "Status", "0xc0000234");
    struct event_kind rdp = {
        .product = SLICE("windows"),
        .channel = SLICE("Microsoft-Windows-TerminalServices-LocalSessionManager/Operational")};
    EVENT(&f, rdp, "21", START + 2 * HOUR, "Computer", "ADMIN-TS", "User", "CORP\\admin", "Address",
          "10.0.0.7");
    struct event_kind scm = {.product = SLICE("windows"),
                             .channel = SLICE("System"),
                             .provider = SLICE("Service Control Manager")};
    EVENT(&f, scm, "7045", START + 3 * HOUR, "Computer", "PC-042", "ServiceName", "PSEXESVC");
    struct event_kind zeek = {.product = SLICE("zeek"), .service = SLICE("dns")};
    EVENT(&f, zeek, "", TIMESTAMP_NONE, "host.name", "sensor", "query", "example.com");
    EVENT(&f, zeek, "", TIMESTAMP_NONE, "query", "example.com");
    feed_end(&f);
}

/* ---- printed ---- */

static struct slice printed(const struct metrics *m, bool json, unsigned width)
{
    struct error err = {0};
    char *bytes = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&bytes, &n);
    struct metrics_options options = {.width = width};
    assert_int_equal(
        json ? metrics_print_json(m, out, &err) : metrics_print_text(m, &options, out, &err), OK);
    fclose(out);
    return slice_of(bytes, n);
}

static void check(const char *name, const struct metrics *m, bool json, unsigned width)
{
    struct slice got = printed(m, json, width);
    golden(name, got);
    free((void *)(uintptr_t)got.p);
}

static void text_and_json(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 3; workers++) { /* the same for any number */
        struct metrics *m = metrics_new();
        sample(m, workers);
        check("metrics/sample.txt", m, false, 150);
        check("metrics/sample.json", m, true, 0);
        locale_choose("ja");
        check("metrics/sample-ja.txt", m, false, 150);
        check("metrics/sample.json", m, true, 0);
        locale_choose("en");
        metrics_free(m);
    }
}

static void nothing_read(void **state)
{
    (void)state;
    struct metrics *m = metrics_new();
    struct slice got = printed(m, false, 80);
    assert_slice(got, "0 events\n");
    free((void *)(uintptr_t)got.p);
    metrics_free(m);
}

/* ---- gaps ---- */

static void activity(struct feed *f, const char *host, int64_t from, int64_t to)
{
    for (int64_t hour = from; hour < to; hour++)
        EVENT(f, security, "4688", START + hour * HOUR, "Computer", host);
}

static void gaps(void **state)
{
    (void)state;
    struct metrics *m = metrics_new();
    struct feed f = feed_new(m, 2);
    /* a server that writes every hour, but for four; and one whose two silent hours are too few */
    activity(&f, "DC1", 0, 100);
    activity(&f, "DC1", 104, 150);
    activity(&f, "DC2", 0, 100);
    activity(&f, "DC2", 102, 150);
    /* a PC of working hours: nights and a weekend are usual, two weeks are not */
    for (int day = 0; day < 40; day++)
        if (day % 7 < 5 && (day < 14 || day >= 28))
            activity(&f, "PC-042", day * 24 + 8, day * 24 + 17);
    /* too little is known of this one */
    activity(&f, "PC-099", 0, 5);
    activity(&f, "PC-099", 1000, 1005);
    /* before 1970, and across it */
    for (int64_t hour = -60; hour < 60; hour++)
        if (hour < -20 || hour >= 20)
            EVENT(&f, security, "4688", hour * HOUR, "Computer", "OLD");
    feed_end(&f);
    size_t n;
    struct metrics_gap *found = metrics_gaps(&m->counts, &n);
    assert_int_equal(n, 3);
    assert_slice(found[0].host, "PC-042");
    assert_int_equal(found[0].to - found[0].from, (28 - 14 + 2) * 24 + 8 + 24 - 17);
    assert_int_equal(found[0].usual, 15);
    assert_slice(found[1].host, "OLD");
    assert_int_equal(found[1].from, -20);
    assert_int_equal(found[1].to, 20);
    assert_slice(found[2].host, "DC1");
    assert_slice(found[2].log, "Security");
    assert_int_equal(found[2].from, START / HOUR + 100);
    assert_int_equal(found[2].to, START / HOUR + 104);
    assert_int_equal(found[2].usual, 0);
    free(found);
    metrics_free(m);
}

/* ---- limits ---- */

static void others(void **state)
{
    (void)state;
    struct metrics *m = metrics_new();
    struct feed f = feed_new(m, 1);
    char host[32];
    for (int i = 0; i < METRICS_KEYS + 50; i++) {
        snprintf(host, sizeof host, "host-%d", i);
        EVENT(&f, security, "4688", START, "Computer", host);
    }
    feed_end(&f);
    assert_int_equal(m->counts.all.n[0], METRICS_KEYS + 50);
    assert_int_equal(m->counts.hosts.rows.n, METRICS_KEYS);
    assert_int_equal(m->counts.hosts.others.n[0], 50);
    metrics_free(m);
}

static void own_accounts(void **state)
{
    (void)state;
    static const char *const own[] = {"NT AUTHORITY\\SYSTEM", "CORP\\PC-042$", "LOCAL SERVICE",
                                      "Window Manager\\DWM-1", "UMFD-0"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        assert_true(metrics_own_account(slice_str(own[i])));
    assert_false(metrics_own_account(SLICE("CORP\\sato")));
    assert_false(metrics_own_account(SLICE("NT AUTHORITY\\ANONYMOUS LOGON")));
    assert_false(metrics_own_account(SLICE("")));
}

static void meanings(void **state)
{
    (void)state;
    assert_string_equal(metrics_meaning(SLICE("security"), SLICE(""), SLICE("1102")),
                        "security log cleared");
    assert_string_equal(
        metrics_meaning(SLICE("System"), SLICE("Service Control Manager"), SLICE("7045")),
        "service installed");
    assert_null(metrics_meaning(SLICE("System"), SLICE("Other"), SLICE("7045")));
    assert_null(metrics_meaning(SLICE("Security"), SLICE(""), SLICE("")));
    assert_null(metrics_meaning(SLICE("Security"), SLICE(""), SLICE("4624x")));
    assert_null(metrics_meaning(SLICE("Security"), SLICE(""), SLICE("46244624462446244624")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_json), cmocka_unit_test(nothing_read), cmocka_unit_test(gaps),
        cmocka_unit_test(others),        cmocka_unit_test(own_accounts), cmocka_unit_test(meanings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
