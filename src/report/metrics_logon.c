/*
 * Logons: who, from where, how, to which host, and whether it succeeded, from the events that Windows
 * writes about them. What an event's fields mean is Microsoft's documentation of its advanced
 * security audit events, of [MS-ERREF] for status codes and of RFC 4120 for Kerberos errors.
 */
#include "base/locale.h"
#include "base/vec.h"
#include "report/metrics_internal.h"

#include <stdlib.h>

enum { SOURCES = 2 };

/* An event that tells of a logon. */
struct logon_event {
    const char *channel, *code;
    const char *how;                                      /* NULL: by the field LogonType */
    const char *account, *domain;                         /* fields; domain may be NULL */
    const char *source[SOURCES];                          /* fields, joined */
    const char *target;                                   /* field; NULL: the event's own host */
    enum { SUCCEEDED, FAILED, ENDED, BY_STATUS } outcome; /* the first three: places in row.n */
};

#define RDP_SESSION "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational"
#define RDP_CONNECT "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational"

static const struct logon_event logon_events[] = {
    {"Security",
     "4624",
     NULL,
     "TargetUserName",
     "TargetDomainName",
     {"IpAddress", "WorkstationName"},
     NULL,
     SUCCEEDED},
    {"Security",
     "4625",
     NULL,
     "TargetUserName",
     "TargetDomainName",
     {"IpAddress", "WorkstationName"},
     NULL,
     FAILED},
    {"Security", "4634", NULL, "TargetUserName", "TargetDomainName", {NULL, NULL}, NULL, ENDED},
    {"Security",
     "4647",
     N_("logoff by the user"),
     "TargetUserName",
     "TargetDomainName",
     {NULL, NULL},
     NULL,
     ENDED},
    {"Security",
     "4648",
     N_("explicit credentials"),
     "TargetUserName",
     "TargetDomainName",
     {"IpAddress", "SubjectUserName"},
     "TargetServerName",
     SUCCEEDED},
    {"Security",
     "4768",
     N_("Kerberos ticket"),
     "TargetUserName",
     "TargetDomainName",
     {"IpAddress", NULL},
     NULL,
     BY_STATUS},
    {"Security",
     "4769",
     N_("Kerberos service"),
     "TargetUserName",
     NULL,
     {"IpAddress", NULL},
     "ServiceName",
     BY_STATUS},
    {"Security",
     "4771",
     N_("Kerberos pre-authentication"),
     "TargetUserName",
     NULL,
     {"IpAddress", NULL},
     NULL,
     FAILED},
    {"Security",
     "4776",
     N_("NTLM"),
     "TargetUserName",
     NULL,
     {"Workstation", NULL},
     NULL,
     BY_STATUS},
    {RDP_SESSION, "21", N_("RDP session begins"), "User", NULL, {"Address", NULL}, NULL, SUCCEEDED},
    {RDP_SESSION, "24", N_("RDP session cut"), "User", NULL, {"Address", NULL}, NULL, ENDED},
    {RDP_SESSION,
     "25",
     N_("RDP session goes on"),
     "User",
     NULL,
     {"Address", NULL},
     NULL,
     SUCCEEDED},
    {RDP_CONNECT,
     "1149",
     N_("RDP connection"),
     "Param1",
     "Param2",
     {"Param3", NULL},
     NULL,
     SUCCEEDED},
};

/* The field LogonType of 4624 and 4625. */
static const char *const logon_types[] = {
    [0] = N_("system"),
    [2] = N_("interactive"),
    [3] = N_("network"),
    [4] = N_("batch"),
    [5] = N_("service"),
    [7] = N_("unlock"),
    [8] = N_("network, clear text"),
    [9] = N_("new credentials"),
    [10] = N_("remote desktop"),
    [11] = N_("cached"),
    [12] = N_("cached remote desktop"),
    [13] = N_("cached unlock"),
};

struct reason {
    uint32_t code;
    const char *text;
};

/* NTSTATUS of 4625 and 4776. */
static const struct reason nt_reasons[] = {
    {0xc0000064, N_("no such account")},
    {0xc000006a, N_("wrong password")},
    {0xc000006d, N_("wrong name or password")},
    {0xc000006e, N_("account restricted")},
    {0xc000006f, N_("outside allowed hours")},
    {0xc0000070, N_("workstation not allowed")},
    {0xc0000071, N_("password expired")},
    {0xc0000072, N_("account disabled")},
    {0xc00000dc, N_("domain not ready")},
    {0xc0000133, N_("clocks differ")},
    {0xc000015b, N_("logon type not granted")},
    {0xc0000193, N_("account expired")},
    {0xc0000224, N_("password must change")},
    {0xc0000234, N_("account locked out")},
    {0xc0000413, N_("refused by authentication policy")},
};

/* Kerberos errors of 4768, 4769 and 4771. */
static const struct reason kerberos_reasons[] = {
    {0x6, N_("no such account")},         {0x7, N_("no such service")},
    {0xc, N_("workstation not allowed")}, {0x12, N_("account disabled, expired or locked out")},
    {0x17, N_("password expired")},       {0x18, N_("wrong password")},
    {0x1b, N_("needs user to user")},     {0x20, N_("ticket expired")},
    {0x25, N_("clocks differ")},
};

bool metrics_own_account(struct slice account)
{
    static const char *const own[] = {"SYSTEM", "LOCAL SERVICE", "NETWORK SERVICE"};
    ptrdiff_t at = slice_find(account, SLICE("\\"));
    struct slice name = at < 0 ? account : slice_sub(account, (size_t)at + 1, account.n);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (slice_equal_nocase(name, slice_str(own[i])))
            return true;
    return slice_ends(name, SLICE("$")) || slice_starts(name, SLICE("DWM-")) ||
           slice_starts(name, SLICE("UMFD-"));
}

/* ---- a block ---- */

enum field { ACCOUNT, DOMAIN, SOURCE, SOURCE_2, TARGET, HOW, STATUS, SUBSTATUS, FIELDS };

/* A distinct combination of values in a block. */
struct combination {
    uint16_t ids[FIELDS];
    struct metrics_row row;
};

static const struct logon_event *event_of(const struct event_kind *kind)
{
    for (size_t i = 0; i < sizeof logon_events / sizeof *logon_events; i++)
        if (slice_equal_nocase(kind->channel, slice_str(logon_events[i].channel)) &&
            slice_equal(kind->code, slice_str(logon_events[i].code)))
            return &logon_events[i];
    return NULL;
}

static int32_t column_of(const struct block *b, const char *field)
{
    return field ? block_find(b, slice_str(field)) : -1;
}

/* Empty where Windows writes "-" for nothing. */
static struct slice text_of(struct block *b, int32_t column, uint16_t id)
{
    struct slice s = column < 0 || !id ? (struct slice){"", 0}
                                       : slice_trim(column_text(b, (uint32_t)column, id));
    return slice_equal(s, SLICE("-")) ? (struct slice){"", 0} : s;
}

static uint32_t number_of(struct slice s)
{
    char text[16] = {0};
    if (s.n >= sizeof text)
        return UINT32_MAX;
    memcpy(text, s.p, s.n);
    return (uint32_t)strtoul(text, NULL, 0);
}

static struct slice reason_of(struct arena *a, struct slice status)
{
    if (!status.n)
        return status;
    uint32_t code = number_of(status);
    const struct reason *list = code > 0xffff ? nt_reasons : kerberos_reasons;
    size_t n = code > 0xffff ? sizeof nt_reasons / sizeof *nt_reasons
                             : sizeof kerberos_reasons / sizeof *kerberos_reasons;
    for (size_t i = 0; i < n; i++)
        if (list[i].code == code)
            return slice_str(list[i].text);
    return arena_printf(a, "0x%x", code);
}

static struct slice how_of(struct arena *a, const struct logon_event *event, struct slice type)
{
    if (event->how)
        return slice_str(event->how);
    uint32_t number = number_of(type);
    if (type.n && number < sizeof logon_types / sizeof *logon_types && logon_types[number])
        return slice_str(logon_types[number]);
    return arena_printf(a, "type %.*s", SLICE_ARG(type));
}

/* "10.0.0.5" of "::ffff:10.0.0.5". */
static struct slice address(struct slice s)
{
    struct slice mapped = SLICE("::ffff:");
    return slice_equal_nocase(slice_sub(s, 0, mapped.n), mapped) ? slice_sub(s, mapped.n, s.n) : s;
}

/* Joins what is not empty. */
static struct slice joined(struct arena *a, struct slice left, const char *between,
                           struct slice right)
{
    if (!left.n || !right.n)
        return left.n ? left : right;
    return arena_printf(a, "%.*s%s%.*s", SLICE_ARG(left), between, SLICE_ARG(right));
}

/* The names of a combination's values, made once for all its rows. */
static void count_combination(struct metrics_counts *c, const struct logon_event *event,
                              struct block *b, const int32_t *columns, struct combination *of)
{
    struct arena scratch = {0};
    struct slice text[FIELDS];
    for (int i = 0; i < FIELDS; i++)
        text[i] = text_of(b, columns[i], of->ids[i]);
    struct slice substatus = text[SUBSTATUS];
    struct slice status = substatus.n && number_of(substatus) ? substatus : text[STATUS];
    int outcome = event->outcome;
    if (outcome == BY_STATUS)
        outcome = status.n && number_of(status) != 0 ? FAILED : SUCCEEDED;
    of->row.parts[0] = joined(&scratch, text[DOMAIN], "\\", text[ACCOUNT]);
    of->row.parts[1] = joined(&scratch, address(text[SOURCE]), " ", text[SOURCE_2]);
    of->row.parts[2] = how_of(&scratch, event, text[HOW]);
    of->row.parts[3] = text[TARGET];
    of->row.parts[4] = outcome == FAILED ? reason_of(&scratch, status) : (struct slice){"", 0};
    uint64_t n = of->row.n[0];
    of->row.n[0] = 0;
    of->row.n[outcome] = n;
    metrics_count(&c->logons, &of->row);
    arena_free(&scratch);
}

void metrics_logons(struct metrics_counts *c, struct block *b)
{
    const struct logon_event *event = event_of(&b->kind);
    if (!event)
        return;
    const char *const fields[FIELDS] = {event->account,
                                        event->domain,
                                        event->source[0],
                                        event->source[1],
                                        event->target ? event->target : "Computer",
                                        event->how ? NULL : "LogonType",
                                        "Status",
                                        "SubStatus"};
    int32_t columns[FIELDS];
    for (int i = 0; i < FIELDS; i++)
        columns[i] = column_of(b, fields[i]);
    struct map places = {0};
    struct {
        struct combination *at;
        size_t n, cap;
    } combinations = {0};
    for (uint32_t row = 0; row < b->rows; row++) {
        struct combination now = {.row = {.n = {1}, .first = b->times[row], .last = b->times[row]}};
        for (int i = 0; i < FIELDS; i++)
            now.ids[i] = columns[i] < 0 ? 0 : column_id(&b->columns[columns[i]], row);
        bool is_new;
        uint32_t *place = map_put(&places, slice_of(now.ids, sizeof now.ids), &is_new);
        if (is_new) {
            *place = (uint32_t)combinations.n;
            *VEC_PUSH(combinations) = now;
            continue;
        }
        struct metrics_row *known = &combinations.at[*place].row;
        known->n[0]++;
        metrics_time(known, b->times[row]);
    }
    for (size_t i = 0; i < combinations.n; i++)
        count_combination(c, event, b, columns, &combinations.at[i]);
    free(combinations.at);
    map_free(&places);
}
