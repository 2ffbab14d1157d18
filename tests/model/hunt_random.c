#include "model/hunt_random.h"

#include "base/vec.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* xorshift64* */
uint32_t random_below(struct hunt_random *r, uint32_t below)
{
    r->seed ^= r->seed >> 12;
    r->seed ^= r->seed << 25;
    r->seed ^= r->seed >> 27;
    return (uint32_t)((r->seed * 0x2545f4914f6cdd1du) >> 33) % below;
}

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define ANY(r, list) (list)[random_below(r, COUNT(list))]

/* ---- events ---- */

static const char *const texts[] = {
    "C:\\Windows\\System32\\cmd.exe",
    "c:\\windows\\system32\\CMD.EXE",
    "C:\\Tools\\psexec.exe",
    "powershell.exe -enc SQBFAFgA",
    "CORP\\alice",
    "corp\\Alice",
    "bob",
    "Bob Miller",
    "Ünïcode Ångström",
    "ünïcode ångström",
    "ＷＩＤＥ　text",
    "",
    "-",
    "7",
    "07",
    "0x7",
    "7.5",
    "-3",
    "true",
    "10.0.0.7",
    "10.0.0.70",
    "192.0.2.1, 10.0.0.7",
    "evil.example.com",
    "www.evil.example.com",
    "d41d8cd98f00b204e9800998ecf8427e",
    "2026-01-02 03:04:05",
    "%%14593",
};

struct kind_of_event {
    struct event_kind kind;
    const char *fields[10]; /* ended by NULL */
};

#define NAME(text)                                                                                 \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static const struct kind_of_event kinds[] = {
    {{NAME("windows"),
      {0},
      {0},
      NAME("Microsoft-Windows-Sysmon/Operational"),
      NAME("Microsoft-Windows-Sysmon"),
      NAME("1")},
     {"Computer", "Image", "CommandLine", "User", "ProcessId", "IntegrityLevel", "EventID", NULL}},
    {{NAME("windows"),
      {0},
      {0},
      NAME("Microsoft-Windows-Sysmon/Operational"),
      NAME("Microsoft-Windows-Sysmon"),
      NAME("3")},
     {"Computer", "Image", "User", "DestinationIp", "DestinationPort", "Initiated", "EventID",
      NULL}},
    {{NAME("windows"),
      {0},
      {0},
      NAME("Security"),
      NAME("Microsoft-Windows-Security-Auditing"),
      NAME("4688")},
     {"Computer", "NewProcessName", "CommandLine", "SubjectUserName", "NewProcessId", "ProcessId",
      "MandatoryLabel", "EventID", NULL}},
    {{NAME("windows"),
      {0},
      {0},
      NAME("Security"),
      NAME("Microsoft-Windows-Security-Auditing"),
      NAME("4624")},
     {"Computer", "TargetUserName", "IpAddress", "LogonType", "n", "EventID", NULL}},
    {{NAME("zeek"), {0}, NAME("dns"), {0}, {0}, {0}},
     {"host.name", "source.ip", "dns.question.name", "n", NULL}},
    {{{0}, {0}, {0}, {0}, {0}, {0}}, {"event.code", "n", "x", "Data", "hostname", NULL}},
};

static struct value random_number(struct hunt_random *r, struct arena *a)
{
    static const uint8_t types[] = {VALUE_INT, VALUE_UINT, VALUE_HEX, VALUE_UINT};
    static const int64_t numbers[] = {0, 1, 7, 443, 4624, 65535, 1000000007};
    uint8_t type = ANY(r, types);
    int64_t n = random_below(r, 3) ? ANY(r, numbers) : random_below(r, 20);
    if (type == VALUE_INT && random_below(r, 3) == 0)
        n = -n;
    return (struct value){arena_copy(a, (const char *)&n, sizeof n), sizeof n, type};
}

static struct value random_text(struct hunt_random *r, struct arena *a)
{
    if (random_below(r, 4))
        return value_of_text(slice_str(ANY(r, texts)));
    return value_of_text(arena_printf(a, "user%u", random_below(r, 40)));
}

static struct value random_value(struct hunt_random *r, const char *name, struct arena *a)
{
    if (strcmp(name, "Data") == 0 ||
        (random_below(r, 40) == 0 && strcmp(name, "DestinationPort") != 0)) {
        struct buf list = {0};
        for (uint32_t n = 1 + random_below(r, 3); n; n--)
            value_list_add(&list, random_below(r, 3) ? random_text(r, a) : random_number(r, a));
        struct value v = value_of_list(&list);
        v.p = arena_copy(a, v.p, v.n);
        buf_free(&list);
        return v;
    }
    if (random_below(r, 60) == 0 && strcmp(name, "DestinationPort") != 0)
        return (struct value){"", 0, VALUE_NULL};
    if (strcmp(name, "MandatoryLabel") == 0)
        return value_of_text(random_below(r, 2) ? SLICE("S-1-16-12288") : SLICE("S-1-16-8192"));
    if (strcmp(name, "Computer") == 0 || strncmp(name, "host", 4) == 0)
        return value_of_text(arena_printf(a, "PC%u.example.jp", random_below(r, 4)));
    if (strcmp(name, "DestinationPort") == 0) { /* numbers and nothing else: ranges tell of it */
        uint64_t port = 440 + random_below(r, 5);
        return (struct value){arena_copy(a, (const char *)&port, sizeof port), sizeof port,
                              VALUE_UINT};
    }
    bool number = strcmp(name, "n") == 0 || strcmp(name, "LogonType") == 0 ||
                  strstr(name, "Id") == name + strlen(name) - 2;
    return number && random_below(r, 8) ? random_number(r, a) : random_text(r, a);
}

struct slow_event random_event(struct hunt_random *r, uint64_t record, struct slice file,
                               struct arena *a)
{
    const struct kind_of_event *k = &ANY(r, kinds);
    struct slow_event e = {.kind = k->kind, .record = record, .file = file};
    e.time = random_below(r, 30) == 0
                 ? TIMESTAMP_NONE
                 : INT64_C(1767225600) * NS_PER_SECOND +
                       (int64_t)random_below(r, 400) * 6 * 3600 * NS_PER_SECOND +
                       (int64_t)(random_below(r, 2) ? random_below(r, 1000) : 0) * 1000000;
    e.fields = arena_zero(a, 10, sizeof *e.fields);
    for (size_t i = 0; k->fields[i]; i++) {
        struct slow_field *f = &e.fields[e.fields_n];
        if (random_below(r, 6) == 0)
            continue;
        f->name = slice_str(k->fields[i]);
        f->value = random_value(r, k->fields[i], a);
        if (strcmp(k->fields[i], "EventID") == 0)
            f->value = value_of_text(k->kind.code);
        f->text = value_text(f->value, a);
        e.fields_n++;
    }
    return e;
}

/* ---- hunts ---- */

struct hunt_column {
    char name[32];
    char type; /* f field, s string, l long, d datetime, y dynamic */
};

struct hunt {
    struct hunt_random *r;
    struct buf text;
    bool open;  /* any field can be asked for */
    bool plain; /* nothing but where so far */
    struct hunt_column columns[24];
    uint32_t columns_n;
    uint32_t names; /* given so far */
};

static const char *const fields[] = {
    "Image",   "CommandLine", "User",      "ProcessId",       "IntegrityLevel", "Computer",
    "n",       "x",           "IpAddress", "TargetUserName",  "LogonType",      "DestinationIp",
    "EventID", "source.ip",   "query",     "DestinationPort", "Initiated",      "NewProcessName",
};

static const char *const strings[] = {"host.name", "logsource.channel", "logsource.product",
                                      "event.code", "event.provider"};

static void put(struct hunt *h, const char *text)
{
    buf_add(&h->text, slice_str(text));
}

static void put_literal(struct hunt *h, struct slice text)
{
    buf_char(&h->text, '"');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\\' || text.p[i] == '"')
            buf_char(&h->text, '\\');
        buf_char(&h->text, text.p[i]);
    }
    buf_char(&h->text, '"');
}

/* A text of the events, or a part of one. */
static void put_needle(struct hunt *h)
{
    static const char *const parts[] = {"cmd",  "CMD.exe", "System32", "alice", "evil",
                                        "ÅNG",  "10.0.0",  "PC1",      "exe",   "user1",
                                        "High", "true",    "7",        "orp",   "example.com"};
    if (random_below(h->r, 2))
        put_literal(h, slice_str(ANY(h->r, parts)));
    else
        put_literal(h, slice_str(ANY(h->r, texts)));
}

/* The name of a column of one of these types; false when there is none. */
static bool put_column(struct hunt *h, const char *types)
{
    uint32_t n = 0, fit[24];
    for (uint32_t i = 0; i < h->columns_n; i++)
        if (strchr(types, h->columns[i].type))
            fit[n++] = i;
    if (n && (!h->open || random_below(h->r, 3) == 0)) {
        put(h, h->columns[fit[random_below(h->r, n)]].name);
        return true;
    }
    if (!h->open)
        return false;
    if (strchr(types, 'd') && !strchr(types, 's'))
        put(h, "Timestamp");
    else if (strchr(types, 'l') && !strchr(types, 's'))
        put(h, "origin.record");
    else if (strchr(types, 'f') && random_below(h->r, 5))
        put(h, ANY(h->r, fields));
    else
        put(h, ANY(h->r, strings));
    return true;
}

static void put_time(struct hunt *h)
{
    buf_printf(&h->text, "datetime(2026-%02u-%02u)", 1 + random_below(h->r, 4),
               1 + random_below(h->r, 28));
}

static void put_text_test(struct hunt *h)
{
    static const char *const operators[] = {
        "==",          "!=",       "=~",        "!~",          "has",
        "!has",        "has_cs",   "contains",  "!contains",   "startswith",
        "!startswith", "endswith", "!endswith", "contains_cs", "startswith_cs",
        "endswith_cs", "has",      "=="};
    static const char *const lists[] = {"in", "!in", "in~", "has_any", "has_all"};
    bool any = h->plain && random_below(h->r, 8) == 0;
    if (any)
        put(h, "*");
    else if (!put_column(h, "fs")) {
        put(h, "1 == 1");
        return;
    }
    if (!any && random_below(h->r, 4) == 0) {
        buf_printf(&h->text, " %s (", ANY(h->r, lists));
        for (uint32_t n = 1 + random_below(h->r, 3), i = 0; i < n; i++) {
            if (i)
                put(h, ", ");
            put_needle(h);
        }
        put(h, ")");
        return;
    }
    /* `* has x`, and what is asked for by whole words, too */
    buf_printf(&h->text, " %s ", any ? "has" : ANY(h->r, operators));
    put_needle(h);
}

static void put_number_test(struct hunt *h)
{
    static const char *const operators[] = {"==", "!=", "<", "<=", ">", ">="};
    static const char *const numbers[] = {"7",   "443", "440", "4624", "444",
                                          "439", "0",   "445", "-3",   "65535"};
    put(h, random_below(h->r, 4) ? "tolong(" : "strlen(");
    if (h->open && random_below(h->r, 3) == 0)
        put(h, "DestinationPort");
    else if (!put_column(h, "fs"))
        put(h, "\"7\"");
    buf_printf(&h->text, ") %s %s", ANY(h->r, operators), ANY(h->r, numbers));
}

static void put_time_test(struct hunt *h)
{
    static const char *const operators[] = {"<", "<=", ">", ">=", "=="};
    if (!put_column(h, "d")) {
        put(h, "true");
        return;
    }
    if (random_below(h->r, 2)) {
        put(h, " between (");
        put_time(h);
        buf_printf(&h->text, " .. %ud)", 1 + random_below(h->r, 40));
    } else {
        buf_printf(&h->text, " %s ", ANY(h->r, operators));
        put_time(h);
    }
}

static void put_two(struct hunt *h)
{
    static const char *const operators[] = {"==", "!=", "<", "=~"};
    if (!put_column(h, "f")) {
        put(h, "true");
        return;
    }
    buf_printf(&h->text, " %s ", ANY(h->r, operators));
    put_column(h, "f");
}

static void put_condition(struct hunt *h, int depth)
{
    uint32_t which = random_below(h->r, depth > 2 ? 8 : 12);
    switch (which) {
    case 0:
        put_number_test(h);
        break;
    case 1:
        put_time_test(h);
        break;
    case 2:
        put_two(h);
        break;
    case 3:
        put(h, random_below(h->r, 2) ? "isempty(" : "isnotempty(");
        if (!put_column(h, "fsd"))
            put(h, "\"\"");
        put(h, ")");
        break;
    case 8:
    case 9:
    case 10:
        put(h, "(");
        put_condition(h, depth + 1);
        put(h, which == 10 ? " and " : " or ");
        put_condition(h, depth + 1);
        put(h, ")");
        break;
    case 11:
        put(h, "not(");
        put_condition(h, depth + 1);
        put(h, ")");
        break;
    default:
        put_text_test(h);
    }
}

/* Where `*` can't stand. */
static void put_inner_condition(struct hunt *h)
{
    bool plain = h->plain;
    h->plain = false;
    put_condition(h, 2);
    h->plain = plain;
}

/* A condition that ranges of columns and of time can tell of, alone. */
static void put_range(struct hunt *h)
{
    static const char *const operators[] = {"==", "<", "<=", ">", ">="};
    const char *operator= ANY(h->r, operators);
    if (random_below(h->r, 2)) {
        buf_printf(&h->text, " | where DestinationPort %s %u", operator,
                   439 + random_below(h->r, 7));
    } else {
        buf_printf(&h->text, " | where Timestamp %s ", operator);
        put_time(h);
    }
}

static void put_where(struct hunt *h)
{
    if (h->open && h->plain && random_below(h->r, 4) == 0) {
        put_range(h);
        return;
    }
    put(h, " | where ");
    put_condition(h, 0);
    if (random_below(h->r, 3) == 0) {
        put(h, " and ");
        put_condition(h, 0);
    }
}

/* A scalar expression; its type. */
static char put_scalar(struct hunt *h)
{
    switch (random_below(h->r, 8)) {
    case 0:
        put(h, "tolower(");
        if (!put_column(h, "fs"))
            put(h, "\"A\"");
        put(h, ")");
        return 's';
    case 1:
        put(h, "strlen(");
        if (!put_column(h, "fs"))
            put(h, "\"abc\"");
        put(h, ")");
        return 'l';
    case 2:
        put(h, "strcat(");
        if (!put_column(h, "fsl"))
            put(h, "1");
        put(h, ", \"/\", ");
        if (!put_column(h, "fsd"))
            put(h, "true");
        put(h, ")");
        return 's';
    case 3:
        put(h, "bin(");
        if (!put_column(h, "d"))
            put_time(h);
        put(h, random_below(h->r, 2) ? ", 1d)" : ", 6h)");
        return 'd';
    case 4:
        put(h, "iff(");
        put_inner_condition(h);
        put(h, ", \"yes\", \"no\")");
        return 's';
    case 5:
        put(h, "tolong(");
        if (!put_column(h, "fsl"))
            put(h, "\"12\"");
        put(h, ") + 5");
        return 'l';
    case 6:
        put(h, "coalesce(tostring(");
        if (!put_column(h, "fs"))
            put(h, "\"\"");
        put(h, "), \"none\")");
        return 's';
    default:
        put(h, "bin(tolong(");
        if (!put_column(h, "fs"))
            put(h, "\"12\"");
        put(h, "), 10)");
        return 'l';
    }
}

static struct hunt_column *new_column(struct hunt *h, char type)
{
    struct hunt_column *c = &h->columns[h->columns_n < 24 ? h->columns_n++ : 23];
    snprintf(c->name, sizeof c->name, "c%u", h->names++);
    c->type = type;
    return c;
}

static void put_extend(struct hunt *h)
{
    put(h, " | extend ");
    struct hunt_column c = {.type = 0};
    snprintf(c.name, sizeof c.name, "c%u", h->names);
    buf_printf(&h->text, "%s = ", c.name);
    char type = put_scalar(h);
    new_column(h, type);
    h->plain = false;
}

/* Some columns under new names, so that the scope is closed. */
static void put_project(struct hunt *h)
{
    struct hunt next = *h;
    next.columns_n = 0;
    put(h, " | project ");
    for (uint32_t n = 2 + random_below(h->r, 4), i = 0; i < n; i++) {
        if (i)
            put(h, ", ");
        buf_printf(&h->text, "c%u = ", next.names);
        char type = "fsdl"[random_below(h->r, 4)];
        char types[] = {type, '\0'};
        if (!put_column(h, types))
            type = put_scalar(h);
        else if (type == 's' || type == 'f')
            type = 'f'; /* either is text */
        new_column(&next, type);
    }
    next.text = h->text;
    next.open = next.plain = false;
    *h = next;
}

static void put_key(struct hunt *h, struct hunt *next)
{
    buf_printf(&h->text, "c%u = ", next->names);
    if (random_below(h->r, 3) && put_column(h, "fs")) {
        new_column(next, 'f');
    } else {
        char type = put_scalar(h);
        new_column(next, type);
    }
}

static void put_aggregate(struct hunt *h, struct hunt *next)
{
    static const char *const text_aggregates[] = {"dcount", "min", "max", "make_set", "make_list"};
    static const char *const number_aggregates[] = {"sum", "avg", "min", "max", "dcount"};
    uint32_t which = random_below(h->r, 6);
    if (which == 5) { /* of rows with records: those are apart */
        if (h->open)
            buf_printf(&h->text, "c%u = max(origin.record)", next->names);
        else
            buf_printf(&h->text, "c%u = count()", next->names);
        new_column(next, 'l');
        return;
    }
    buf_printf(&h->text, "c%u = ", next->names);
    if (which == 0) {
        put(h, "countif(");
        put_inner_condition(h);
        put(h, ")");
        new_column(next, 'l');
    } else if (which <= 2) {
        const char *name = ANY(h->r, text_aggregates);
        buf_printf(&h->text, "%s(", name);
        if (!put_column(h, "fs"))
            put(h, "\"x\"");
        put(h, ")");
        new_column(next, name[0] == 'd' ? 'l' : strncmp(name, "make", 4) == 0 ? 'y' : 's');
    } else if (which == 3) {
        const char *name = ANY(h->r, number_aggregates);
        buf_printf(&h->text, "%s(tolong(", name);
        if (!put_column(h, "fs"))
            put(h, "\"5\"");
        put(h, "))");
        new_column(next, strcmp(name, "avg") == 0 ? 'r' : 'l');
    } else {
        put(h, "percentile(strlen(");
        if (!put_column(h, "fs"))
            put(h, "\"5\"");
        buf_printf(&h->text, "), %u)", random_below(h->r, 101));
        new_column(next, 'l');
    }
}

static void put_summarize(struct hunt *h)
{
    struct hunt next = *h;
    next.columns_n = 0;
    put(h, " | summarize ");
    for (uint32_t n = 1 + random_below(h->r, 3), i = 0; i < n; i++) {
        if (i)
            put(h, ", ");
        put_aggregate(h, &next);
    }
    for (uint32_t n = random_below(h->r, 3), i = 0; i < n; i++) {
        put(h, i ? ", " : " by ");
        put_key(h, &next);
    }
    next.text = h->text;
    next.open = next.plain = false;
    *h = next;
}

static void put_source(struct hunt *h)
{
    static const char *const sources[] = {"events", "events", "events", "process_creation", "dns"};
    put(h, ANY(h->r, sources));
}

/* The right side has a key and columns of its own. */
static void put_join(struct hunt *h)
{
    static const char *const types[] = {"inner", "leftouter", "leftsemi", "leftanti"};
    uint32_t which = random_below(h->r, 4), key = h->names++;
    struct hunt right = {.r = h->r, .open = true, .plain = true, .names = h->names};
    bool time = h->open && random_below(h->r, 2);
    buf_printf(&h->text, " | extend c%u = ", key);
    if (!put_column(h, "fs"))
        put(h, "\"bob\"");
    put_project(h); /* closes the scope, without the key */
    buf_printf(&h->text, ", k = c%u", key);
    if (time)
        put(h, ", t = Timestamp");
    buf_printf(&h->text, " | join kind=%s (", types[which]);
    put_source(&right);
    put_where(&right);
    put(&right, " | project k = ");
    put_column(&right, "fs");
    buf_printf(&right.text, ", d%u = origin.record, u = Timestamp", key);
    buf_add(&h->text, buf_slice(&right.text));
    buf_free(&right.text);
    put(h, ") on k");
    if (time)
        buf_printf(&h->text, " within (-%uh .. %uh) of t, u", random_below(h->r, 30),
                   random_below(h->r, 30));
    h->plain = false;
}

static void put_union(struct hunt *h)
{
    struct hunt other = {.r = h->r, .open = true, .plain = true, .names = h->names};
    if (h->open)
        put_project(h);
    put(h, " | union (");
    put_source(&other);
    put_where(&other);
    put(&other, " | project ");
    for (uint32_t i = 0; i < h->columns_n; i++) { /* of the same types, or not there */
        static const char types[] = "fsld";
        static const char *const of[] = {"Image", "host.name", "origin.record", "Timestamp"};
        const char *type = strchr(types, h->columns[i].type);
        if (!type || random_below(h->r, 5) == 0)
            continue;
        buf_printf(&other.text, "%s = %s, ", h->columns[i].name, of[type - types]);
    }
    put(&other, "more = tolower(CommandLine)");
    buf_add(&h->text, buf_slice(&other.text));
    buf_free(&other.text);
    put(h, ")");
    h->plain = false;
}

static void put_expand(struct hunt *h)
{
    if (!h->open)
        return;
    put(h, " | project r = origin.record, e = parse_json(Data), f = ");
    put_column(h, "f");
    put(h, " | mv-expand e");
    h->open = h->plain = false;
    h->columns_n = 0;
    h->columns[h->columns_n++] = (struct hunt_column){"r", 'l'};
    h->columns[h->columns_n++] = (struct hunt_column){"f", 'f'};
}

static void put_middle(struct hunt *h)
{
    switch (random_below(h->r, 10)) {
    case 0:
    case 1:
        put_extend(h);
        break;
    case 2:
        put_project(h);
        break;
    case 3:
    case 4:
    case 5:
        put_summarize(h);
        break;
    case 6:
        put_join(h);
        break;
    case 7:
        put_union(h);
        break;
    case 8:
        put_expand(h);
        break;
    default:
        put(h, " | distinct ");
        if (!put_column(h, "fs"))
            put(h, "*");
        put(h, " | count");
        h->open = h->plain = false;
        h->columns_n = 0;
        h->columns[h->columns_n++] = (struct hunt_column){"Count", 'l'};
    }
}

struct random_hunt random_hunt(struct hunt_random *r, struct arena *a)
{
    struct hunt h = {.r = r, .open = true, .plain = true};
    struct random_hunt out = {0};
    put_source(&h);
    for (uint32_t n = random_below(r, 3); n; n--)
        put_where(&h);
    for (uint32_t n = random_below(r, 3); n; n--)
        put_middle(&h);
    if (!h.open && random_below(r, 3) == 0)
        put_where(&h);
    if (random_below(r, 4) == 0) {
        put(&h, " | sort by ");
        if (!put_column(&h, "fsld"))
            put(&h, h.columns[0].name);
        static const char *const orders[] = {"", " asc", " desc", " asc nulls last",
                                             " desc nulls first"};
        put(&h, ANY(r, orders));
    }
    out.all = arena_slice(a, buf_slice(&h.text));
    out.text = out.all;
    if (random_below(r, 3) == 0) {
        out.limited = true;
        out.limit = random_below(r, 12);
        buf_printf(&h.text, " | take %" PRIu64, out.limit);
        out.text = arena_slice(a, buf_slice(&h.text));
    }
    buf_free(&h.text);
    return out;
}
