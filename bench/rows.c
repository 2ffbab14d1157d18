/*
 * Events as rows of a table, for the databases that the store is measured beside: columns for the
 * fields that are common in what make_events makes, the rest as two arrays, names and values.
 *
 *     rows --clickhouse | --sqlite      the table, as CREATE TABLE without an engine
 *     rows [--csv] LOGS...              the rows, tab-separated as ClickHouse reads them, or CSV
 */
#include "base/vec.h"
#include "intake/intake.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

enum { WRITE_BYTES = 256 << 10, ROW_BYTES_LEAST = 4096 };

/* What a column holds. */
enum kind {
    TEXT,
    FEW,    /* text of which there are few */
    NUMBER, /* decimal or hexadecimal; 0 where absent or none */
    UNIQUE, /* a GUID; zeros where absent */
};

static const struct {
    const char *name;
    enum kind kind;
} columns[] = {
    {"Provider_Name", FEW},
    {"Provider_Guid", FEW},
    {"EventID", NUMBER},
    {"Version", NUMBER},
    {"Level", NUMBER},
    {"Task", NUMBER},
    {"Opcode", NUMBER},
    {"Keywords", FEW},
    {"Execution_ProcessID", NUMBER},
    {"Execution_ThreadID", NUMBER},
    {"Correlation_ActivityID", UNIQUE},
    {"Security_UserID", FEW},
    {"RuleName", FEW},
    {"UtcTime", TEXT},
    {"ProcessGuid", UNIQUE},
    {"ProcessId", NUMBER},
    {"Image", FEW},
    {"FileVersion", FEW},
    {"Description", FEW},
    {"Product", FEW},
    {"Company", FEW},
    {"OriginalFileName", FEW},
    {"CommandLine", TEXT},
    {"CurrentDirectory", TEXT},
    {"User", FEW},
    {"LogonGuid", UNIQUE},
    {"LogonId", NUMBER},
    {"TerminalSessionId", NUMBER},
    {"IntegrityLevel", FEW},
    {"Hashes", TEXT},
    {"ParentProcessGuid", UNIQUE},
    {"ParentProcessId", NUMBER},
    {"ParentImage", FEW},
    {"ParentCommandLine", TEXT},
    {"ImageLoaded", FEW},
    {"Signed", FEW},
    {"Signature", FEW},
    {"SignatureStatus", FEW},
    {"Protocol", FEW},
    {"Initiated", FEW},
    {"SourceIsIpv6", FEW},
    {"SourceIp", FEW},
    {"SourceHostname", FEW},
    {"SourcePort", NUMBER},
    {"SourcePortName", FEW},
    {"DestinationIsIpv6", FEW},
    {"DestinationIp", TEXT},
    {"DestinationHostname", TEXT},
    {"DestinationPort", NUMBER},
    {"DestinationPortName", FEW},
    {"SourceProcessGUID", UNIQUE},
    {"SourceProcessId", NUMBER},
    {"SourceThreadId", NUMBER},
    {"SourceImage", FEW},
    {"TargetProcessGUID", UNIQUE},
    {"TargetProcessId", NUMBER},
    {"TargetImage", FEW},
    {"GrantedAccess", FEW},
    {"CallTrace", TEXT},
    {"TargetFilename", TEXT},
    {"CreationUtcTime", TEXT},
    {"EventType", FEW},
    {"TargetObject", TEXT},
    {"Details", TEXT},
    {"SubjectUserSid", FEW},
    {"SubjectUserName", FEW},
    {"SubjectDomainName", FEW},
    {"SubjectLogonId", NUMBER},
    {"TargetUserSid", FEW},
    {"TargetUserName", FEW},
    {"TargetDomainName", FEW},
    {"TargetLogonId", NUMBER},
    {"TargetLinkedLogonId", NUMBER},
    {"TargetOutboundUserName", FEW},
    {"TargetOutboundDomainName", FEW},
    {"LogonType", NUMBER},
    {"LogonProcessName", FEW},
    {"AuthenticationPackageName", FEW},
    {"LmPackageName", FEW},
    {"TransmittedServices", FEW},
    {"KeyLength", NUMBER},
    {"ImpersonationLevel", FEW},
    {"RestrictedAdminMode", FEW},
    {"VirtualAccount", FEW},
    {"ElevatedToken", FEW},
    {"WorkstationName", FEW},
    {"IpAddress", FEW},
    {"IpPort", NUMBER},
    {"ProcessName", FEW},
    {"NewProcessId", NUMBER},
    {"NewProcessName", FEW},
    {"TokenElevationType", FEW},
    {"ProcessID", NUMBER},
    {"Application", FEW},
    {"Direction", FEW},
    {"SourceAddress", FEW},
    {"DestAddress", TEXT},
    {"DestPort", NUMBER},
    {"FilterRTID", NUMBER},
    {"LayerName", FEW},
    {"LayerRTID", NUMBER},
    {"RemoteUserID", FEW},
    {"RemoteMachineID", FEW},
    {"ObjectServer", FEW},
    {"ObjectType", FEW},
    {"ObjectName", TEXT},
    {"HandleId", NUMBER},
    {"AccessMask", FEW},
    {"AccessList", FEW},
    {"AccessReason", FEW},
    {"PrivilegeList", FEW},
    {"ShareName", FEW},
    {"ShareLocalPath", FEW},
    {"RelativeTargetName", TEXT},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

struct writer {
    struct buf lines;
    struct arena pieces;         /* of a block */
    struct slice *made[COLUMNS]; /* what is written for each value; p NULL: not made yet */
    struct buf scratch;
    int32_t from[COLUMNS]; /* the block's column of each, or -1 */
    int32_t computer;
    struct {
        uint32_t *at;
        size_t n, cap;
    } rest; /* the block's columns that have none here */
};

struct run {
    pthread_mutex_t lock; /* over the output */
    bool csv;
};

/* ---- values ---- */

static char escape_of(char c)
{
    switch (c) {
    case '\t':
        return 't';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\0':
        return '0';
    default:
        return c;
    }
}

/* Text of a field as ClickHouse's TabSeparated escapes it; in CSV it stands between quotes already. */
static void put_text(struct buf *b, struct slice s, bool csv)
{
    char *p = buf_room(b, s.n * 2);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (csv ? c == '"' : c == '\\' || escape_of(c) != c)
            p[n++] = csv ? '"' : '\\';
        p[n++] = csv ? c : escape_of(c);
    }
    b->n += n;
}

/* An element of an array: 'text'. */
static void put_element(struct buf *b, struct slice s, bool csv)
{
    buf_char(b, '\'');
    for (size_t i = 0; i < s.n; i++) {
        char c = escape_of(s.p[i]);
        if (c != s.p[i] || c == '\'' || c == '\\')
            buf_char(b, '\\');
        if (c == '"' && csv)
            buf_char(b, c);
        buf_char(b, c);
    }
    buf_char(b, '\'');
}

static uint64_t number_of(struct slice s)
{
    char text[32];
    size_t n = s.n < sizeof text - 1 ? s.n : sizeof text - 1;
    if (n)
        memcpy(text, s.p, n);
    text[n] = '\0';
    return strtoull(text, NULL, 0);
}

static void put_column(struct buf *b, enum kind kind, struct slice s, bool csv)
{
    static const char zeros[] = "00000000-0000-0000-0000-000000000000";
    switch (kind) {
    case NUMBER:
        buf_printf(b, "%" PRIu64, number_of(s));
        break;
    case UNIQUE:
        buf_add(b, s.n == 38 ? slice_sub(s, 1, 36) : slice_of(zeros, 36));
        break;
    default:
        put_text(b, s, csv);
    }
}

/* ---- rows ---- */

static void begin_block(struct writer *w, const struct block *b)
{
    bool used[BLOCK_COLUMNS] = {false};
    arena_reset(&w->pieces);
    for (size_t i = 0; i < COLUMNS; i++) {
        w->from[i] = block_find(b, slice_str(columns[i].name));
        w->made[i] = NULL;
        if (w->from[i] < 0)
            continue;
        used[w->from[i]] = true;
        w->made[i] = arena_zero(&w->pieces, b->columns[w->from[i]].values_n, sizeof(struct slice));
    }
    w->computer = block_find(b, SLICE("Computer"));
    int32_t channel = block_find(b, SLICE("Channel"));
    if (w->computer >= 0)
        used[w->computer] = true;
    if (channel >= 0)
        used[channel] = true;
    w->rest.n = 0;
    for (uint32_t c = 0; c < b->columns_n; c++)
        if (!used[c] && b->columns[c].values_n > 1)
            *VEC_PUSH(w->rest) = c;
}

static struct slice text_at(struct block *b, int32_t column, uint32_t row)
{
    uint16_t id = column < 0 ? 0 : column_id(&b->columns[column], row);
    return id ? column_text(b, (uint32_t)column, id) : (struct slice){0};
}

static void between(const struct run *r, struct buf *b)
{
    buf_add(b, r->csv ? SLICE("\",\"") : SLICE("\t"));
}

static void put_rest(const struct run *r, struct writer *w, struct block *b, uint32_t row,
                     bool names)
{
    bool first = true;
    buf_char(&w->lines, '[');
    for (size_t i = 0; i < w->rest.n; i++) {
        uint32_t c = w->rest.at[i];
        if (!column_id(&b->columns[c], row))
            continue;
        if (!first)
            buf_char(&w->lines, ',');
        first = false;
        put_element(&w->lines, names ? b->columns[c].name : text_at(b, (int32_t)c, row), r->csv);
    }
    buf_char(&w->lines, ']');
}

/* A separator, then what column `i` has in a row; made once for each value. */
static void put_piece(const struct run *r, struct writer *w, struct block *b, size_t i,
                      uint32_t row)
{
    enum kind kind = columns[i].kind;
    uint16_t id = w->from[i] < 0 ? 0 : column_id(&b->columns[w->from[i]], row);
    if (!id && kind != UNIQUE) {
        between(r, &w->lines);
        if (kind == NUMBER)
            buf_char(&w->lines, '0');
        return;
    }
    struct slice none = {0}, *piece = id ? &w->made[i][id] : &none;
    if (!piece->p) {
        buf_clear(&w->scratch);
        between(r, &w->scratch);
        put_column(&w->scratch, kind, text_at(b, w->from[i], row), r->csv);
        *piece = id ? arena_slice(&w->pieces, buf_slice(&w->scratch)) : buf_slice(&w->scratch);
    }
    buf_add(&w->lines, *piece);
}

static void put_row(const struct run *r, struct writer *w, struct block *b, uint32_t row)
{
    struct buf *out = &w->lines;
    char text[TIMESTAMP_TEXT];
    timestamp t = b->times[row] == TIMESTAMP_NONE ? 0 : b->times[row];
    timestamp_text(t, 0, text);
    text[10] = ' ';
    if (r->csv)
        buf_char(out, '"');
    buf_add(out, slice_of(text, 19));
    between(r, out);
    buf_printf(out, "%" PRId64, t % NS_PER_SECOND / 100);
    between(r, out);
    put_text(out, b->kind.channel, r->csv);
    between(r, out);
    put_text(out, b->kind.code, r->csv);
    between(r, out);
    put_text(out, text_at(b, w->computer, row), r->csv);
    between(r, out);
    buf_printf(out, "%" PRIu64, b->origins[row].record);
    for (size_t i = 0; i < COLUMNS; i++)
        put_piece(r, w, b, i, row);
    between(r, out);
    put_rest(r, w, b, row, true);
    between(r, out);
    put_rest(r, w, b, row, false);
    buf_add(out, r->csv ? SLICE("\"\n") : SLICE("\n"));
}

static enum status write_lines(struct run *r, struct writer *w, struct error *err)
{
    pthread_mutex_lock(&r->lock);
    size_t n = fwrite(w->lines.p, 1, w->lines.n, stdout);
    pthread_mutex_unlock(&r->lock);
    enum status status = n == w->lines.n ? OK : error_system(err, NULL, "can't write");
    buf_clear(&w->lines);
    return status;
}

struct sink {
    struct run *run;
    struct writer writer;
};

static enum status take(void *ctx, struct block *b, struct error *err)
{
    struct sink *s = ctx;
    begin_block(&s->writer, b);
    enum status status = OK;
    for (uint32_t row = 0; status == OK && row < b->rows; row++) {
        put_row(s->run, &s->writer, b, row);
        if (s->writer.lines.n >= WRITE_BYTES || row + 1 == b->rows)
            status = write_lines(s->run, &s->writer, err);
    }
    return status;
}

/* Sinks live until the program ends, soon. */
static struct block_sink make_sink(void *ctx, unsigned worker)
{
    struct sink *s = xcalloc(1, sizeof *s);
    (void)worker;
    s->run = ctx;
    return (struct block_sink){take, s};
}

/* Whether an earlier column has the name but for the case. */
static bool is_again(size_t column)
{
    for (size_t i = 0; i < column; i++)
        if (slice_equal_nocase(slice_str(columns[i].name), slice_str(columns[column].name)))
            return true;
    return false;
}

static void print_table(bool clickhouse)
{
    static const char *const types[2][4] = {
        {"TEXT", "TEXT", "INTEGER", "TEXT"},
        {"String", "LowCardinality(String)", "UInt64", "UUID"},
    };
    const char *const *type = types[clickhouse];
    printf("CREATE TABLE events (\n    time %s,\n    fraction %s,\n    channel %s,\n    code %s,\n"
           "    host %s,\n    record %s",
           clickhouse ? "DateTime" : "TEXT", clickhouse ? "UInt32" : "INTEGER", type[FEW],
           type[FEW], type[FEW], type[NUMBER]);
    for (size_t i = 0; i < COLUMNS; i++)
        if (clickhouse)
            printf(",\n    `%s` %s", columns[i].name, type[columns[i].kind]);
        else /* SQLite's names have no case */
            printf(",\n    \"f_%s%s\" %s", columns[i].name, is_again(i) ? "_2" : "",
                   type[columns[i].kind]);
    printf(",\n    rest_names %s,\n    rest_values %s)\n", clickhouse ? "Array(String)" : "TEXT",
           clickhouse ? "Array(String)" : "TEXT");
}

int main(int argc, char **argv)
{
    struct run run = {.csv = false};
    int first = 1;
    if (argc == 2 && (strcmp(argv[1], "--clickhouse") == 0 || strcmp(argv[1], "--sqlite") == 0)) {
        print_table(argv[1][2] == 'c');
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "--csv") == 0) {
        run.csv = true;
        first++;
    }
    if (first >= argc) {
        fprintf(stderr, "usage: %s --clickhouse | --sqlite | [--csv] LOGS...\n", argv[0]);
        return 2;
    }
    struct error err = {0};
    struct problems *problems = problems_new();
    struct inputs *inputs =
        inputs_find((const char *const *)(argv + first), (size_t)(argc - first), problems);
    struct intake job = {.inputs = inputs, .problems = problems, .sink = make_sink, .ctx = &run};
    struct intake_counts counts = {0};
    pthread_mutex_init(&run.lock, NULL);
    enum status status = intake_run(&job, &counts, &err);
    if (status == OK && fflush(stdout) != 0)
        status = error_system(&err, NULL, "can't write");
    if (status != OK)
        error_print(&err, stderr);
    inputs_free(inputs);
    problems_free(problems);
    return status == OK ? 0 : 1;
}
