#include "samples.h"

#include "base/vec.h"
#include "intake/intake.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { SAMPLE_BYTES = 8192, SLOTS = 96 };
#define OTHERS 0.3 /* weight of a kind that the mix does not name */

/* How often kinds of events are, in a thousand: a network of Windows machines with Sysmon. */
static const struct {
    struct slice channel, code;
    double weight;
} mix[] = {
#define SYSMON                                                                                     \
    {                                                                                              \
        "Microsoft-Windows-Sysmon/Operational", 36                                                 \
    }
#define SECURITY                                                                                   \
    {                                                                                              \
        "Security", 8                                                                              \
    }
    {SYSMON, {"1", 1}, 80},      {SYSMON, {"3", 1}, 90},      {SYSMON, {"5", 1}, 50},
    {SYSMON, {"7", 1}, 130},     {SYSMON, {"10", 2}, 60},     {SYSMON, {"11", 2}, 80},
    {SYSMON, {"12", 2}, 40},     {SYSMON, {"13", 2}, 80},     {SYSMON, {"17", 2}, 5},
    {SYSMON, {"18", 2}, 10},     {SECURITY, {"4624", 4}, 50}, {SECURITY, {"4672", 4}, 30},
    {SECURITY, {"4688", 4}, 50}, {SECURITY, {"5156", 4}, 90}, {SECURITY, {"5158", 4}, 40},
    {SECURITY, {"5145", 4}, 40}, {SECURITY, {"4663", 4}, 30}, {SECURITY, {"4776", 4}, 10},
    {SECURITY, {"4768", 4}, 8},  {SECURITY, {"4662", 4}, 5},
#undef SYSMON
#undef SECURITY
};

static const struct {
    const char *name;
    enum change change;
} changes[] = {
    {"Computer", HOST},
    {"SourceHostname", HOST},
    {"WorkstationName", HOST_SHORT},
    {"Workstation", HOST_SHORT},
    {"UtcTime", TIME},
    {"CreationUtcTime", TIME_PAST},
    {"PreviousCreationUtcTime", TIME_PAST},
    {"ProcessId", PROCESS_ID},
    {"ProcessID", PROCESS_ID},
    {"processId", PROCESS_ID},
    {"SourceProcessId", PROCESS_ID},
    {"ProcessGuid", PROCESS_GUID},
    {"SourceProcessGuid", PROCESS_GUID},
    {"SourceProcessGUID", PROCESS_GUID},
    {"ParentProcessId", PARENT_ID},
    {"ParentProcessGuid", PARENT_GUID},
    {"TargetProcessId", PARENT_ID},
    {"TargetProcessGuid", PARENT_GUID},
    {"TargetProcessGUID", PARENT_GUID},
    {"NewProcessId", NEW_PROCESS_ID},
    {"Execution_ProcessID", SERVICE_ID},
    {"Execution_ThreadID", THREAD_ID},
    {"SourceThreadId", THREAD_ID},
    {"NewThreadId", THREAD_ID},
    {"SourceIp", OWN_ADDRESS},
    {"SourceAddress", OWN_ADDRESS},
    {"IpAddress", OWN_ADDRESS},
    {"ClientIP", OTHER_ADDRESS},
    {"DestinationIp", OTHER_ADDRESS},
    {"DestAddress", OTHER_ADDRESS},
    {"DestinationHostname", DOMAIN_NAME},
    {"QueryName", DOMAIN_NAME},
    {"SourcePort", PORT},
    {"IpPort", PORT},
    {"Hashes", HASHES},
    {"Hash", HASHES},
    {"User", USER},
    {"SubjectUserName", USER},
    {"TargetUserName", USER},
    {"jobOwner", USER},
    {"Security_UserID", SID},
    {"SubjectUserSid", SID},
    {"TargetUserSid", SID},
    {"LogonId", LOGON_ID},
    {"SubjectLogonId", LOGON_ID},
    {"TargetLogonId", LOGON_ID},
    {"LogonGuid", LOGON_GUID},
    {"Correlation_ActivityID", NEW_GUID},
    {"transferId", NEW_GUID},
    {"jobId", NEW_GUID},
    {"HandleId", NUMBER},
    {"bytesTransferred", NUMBER},
    {"bytesTotal", NUMBER},
    {"StartAddress", TEXT},
    {"CallTrace", TEXT},
    {"CommandLine", COMMAND},
    {"ParentCommandLine", COMMAND},
    {"TargetFilename", PATH},
    {"ObjectName", PATH},
    {"RelativeTargetName", PATH},
    {"TargetObject", PATH},
    {"CurrentDirectory", PATH},
    {"Details", TEXT},
    {"PipeName", TEXT},
    {"url", TEXT},
};

static const char *const system_names[] = {
    "Provider_Name",
    "Provider_Guid",
    "Provider_EventSourceName",
    "EventID",
    "EventID_Qualifiers",
    "Version",
    "Level",
    "Task",
    "Opcode",
    "Keywords",
    "TimeCreated_SystemTime",
    "EventRecordID",
    "Correlation_ActivityID",
    "Correlation_RelatedActivityID",
    "Execution_ProcessID",
    "Execution_ThreadID",
    "Channel",
    "Computer",
    "Security_UserID",
};
enum { SYSTEM_NAMES = sizeof system_names / sizeof *system_names };

struct reading {
    struct samples *s;
    struct inputs *inputs;
    struct map loud; /* "path\nrecord" */
    struct map kinds, templates;
    struct {
        struct sample_kind **at;
        size_t n, cap;
    } kinds_list;
    struct buf key;
};

static enum change change_of(struct slice name, struct value v)
{
    enum change change = KEEP;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        if (slice_equal(name, slice_str(changes[i].name)))
            change = changes[i].change;
    bool text = v.type == VALUE_UTF16 || v.type == VALUE_TEXT;
    bool guid = v.type == VALUE_GUID;
    bool number = v.type == VALUE_UINT || v.type == VALUE_HEX;
    bool fits;
    switch (change) {
    case PROCESS_GUID:
    case PARENT_GUID:
    case LOGON_GUID:
    case NEW_GUID:
        fits = guid;
        break;
    case PROCESS_ID:
    case PARENT_ID:
    case NEW_PROCESS_ID:
    case SERVICE_ID:
    case THREAD_ID:
    case LOGON_ID:
    case NUMBER:
        fits = number;
        break;
    case PORT:
        fits = number || text;
        break;
    case SID:
        fits = v.type == VALUE_SID;
        break;
    default:
        fits = text;
    }
    return fits && v.n ? change : KEEP;
}

static struct slice utf16_of_ascii(struct arena *a, struct slice s)
{
    char *p = arena_bytes(a, s.n * 2);
    for (size_t i = 0; i < s.n; i++) {
        p[2 * i] = s.p[i];
        p[2 * i + 1] = 0;
    }
    return slice_of(p, s.n * 2);
}

/* A number in the least width that Windows would use. */
static uint8_t uint_type(const char *p, uint32_t n)
{
    uint64_t v;
    memcpy(&v, p, n < 8 ? n : 8);
    return v <= UINT8_MAX    ? EVTX_UINT8
           : v <= UINT16_MAX ? EVTX_UINT16
           : v <= UINT32_MAX ? EVTX_UINT32
                             : EVTX_UINT64;
}

static uint16_t width_of(uint8_t type)
{
    return type == EVTX_UINT8 ? 1 : type == EVTX_UINT16 ? 2 : type == EVTX_UINT32 ? 4 : 8;
}

static struct sample_field field_of(struct arena *a, struct slice name, struct value v,
                                    struct slice text)
{
    static const uint8_t types[VALUE_TYPES] = {
        [VALUE_UTF16] = EVTX_UTF16,       [VALUE_INT] = EVTX_INT64,
        [VALUE_HEX] = EVTX_HEX64,         [VALUE_DOUBLE] = EVTX_DOUBLE,
        [VALUE_GUID] = EVTX_GUID,         [VALUE_SID] = EVTX_SID,
        [VALUE_FILETIME] = EVTX_FILETIME, [VALUE_SYSTEMTIME] = EVTX_SYSTEMTIME,
        [VALUE_BINARY] = EVTX_BINARY,     [VALUE_TEXT] = EVTX_UTF16,
    };
    struct sample_field f = {.change = (uint8_t)change_of(name, v), .type = types[v.type]};
    f.bytes = arena_slice(a, slice_of(v.p, v.n));
    f.key = XXH3_64bits(v.p, v.n);
    if (v.type == VALUE_UINT) {
        f.type = f.change == KEEP ? uint_type(f.bytes.p, v.n) : EVTX_UINT32;
        f.bytes.n = width_of(f.type);
    } else if (v.type == VALUE_BOOL) {
        f.type = EVTX_BOOL;
        char *wide = memset(arena_bytes(a, 4), 0, 4);
        wide[0] = f.bytes.p[0];
        f.bytes = slice_of(wide, 4);
    } else if (f.type == EVTX_UTF16) {
        f.ours = f.change != KEEP;
        if (f.ours)
            f.bytes = arena_slice(a, text);
        else if (v.type == VALUE_TEXT)
            f.bytes = utf16_of_ascii(a, text);
    }
    return f;
}

static double mix_weight(struct slice channel, struct slice code)
{
    for (size_t i = 0; i < sizeof mix / sizeof *mix; i++)
        if (slice_equal(channel, mix[i].channel) && slice_equal(code, mix[i].code))
            return mix[i].weight;
    return OTHERS;
}

static struct sample_kind *kind_for(struct reading *r, const struct event_kind *kind)
{
    struct arena *a = &r->s->arena;
    bool is_new;
    buf_clear(&r->key);
    buf_printf(&r->key, "%.*s\n%.*s\n%.*s", SLICE_ARG(kind->channel), SLICE_ARG(kind->provider),
               SLICE_ARG(kind->code));
    uint32_t *slot = map_put(&r->kinds, buf_slice(&r->key), &is_new);
    if (!is_new)
        return r->kinds_list.at[*slot];
    *slot = (uint32_t)r->kinds_list.n;
    struct sample_kind *k = arena_zero(a, 1, sizeof *k);
    k->channel = arena_slice(a, kind->channel);
    k->code = arena_slice(a, kind->code);
    k->weight = mix_weight(k->channel, k->code);
    return *VEC_PUSH(r->kinds_list) = k;
}

static bool is_literal(struct slice name)
{
    return slice_equal(name, SLICE("Provider_Name")) || slice_equal(name, SLICE("Channel")) ||
           slice_equal(name, SLICE("Provider_Guid"));
}

/* The slots of a row's fields, System's in their order; `from` tells the column of each. */
struct shape {
    struct evtx_slot system[SYSTEM_NAMES], data[SLOTS];
    uint32_t system_from[SYSTEM_NAMES], data_from[SLOTS];
    size_t system_n, data_n;
};

static int system_place(struct slice name)
{
    for (int i = 0; i < SYSTEM_NAMES; i++)
        if (slice_equal(name, slice_str(system_names[i])))
            return i;
    return -1;
}

/* False when the row has something that is not written. */
static bool shape_of(struct block *b, uint32_t row, struct shape *shape)
{
    int32_t at[SYSTEM_NAMES];
    memset(at, 0xff, sizeof at);
    shape->system_n = shape->data_n = 0;
    for (uint32_t c = 0; c < b->columns_n; c++) {
        uint16_t id = column_id(&b->columns[c], row);
        if (!id)
            continue;
        if (b->columns[c].values[id].type == VALUE_LIST || shape->data_n == SLOTS)
            return false;
        struct slice name = b->columns[c].name;
        int place = system_place(name);
        if (place >= 0) {
            at[place] = (int32_t)c;
        } else {
            bool unnamed = slice_equal(name, SLICE("Data"));
            shape->data_from[shape->data_n] = c;
            shape->data[shape->data_n++] = (struct evtx_slot){.name = unnamed ? SLICE("") : name};
        }
    }
    for (int i = 0; i < SYSTEM_NAMES; i++) {
        struct slice name = slice_str(system_names[i]);
        bool ours = i == 10 || i == 11; /* time and record number, which every event has */
        if (at[i] < 0 && !ours)
            continue;
        struct evtx_slot *slot = &shape->system[shape->system_n];
        *slot = (struct evtx_slot){.name = name};
        shape->system_from[shape->system_n++] = (uint32_t)at[i];
        if (is_literal(name))
            slot->literal = column_text(b, (uint32_t)at[i], column_id(&b->columns[at[i]], row));
    }
    return true;
}

static struct evtx_template *template_for(struct reading *r, const struct shape *shape)
{
    bool is_new;
    buf_clear(&r->key);
    for (size_t i = 0; i < shape->system_n; i++)
        buf_printf(&r->key, "%.*s=%.*s\n", SLICE_ARG(shape->system[i].name),
                   SLICE_ARG(shape->system[i].literal));
    for (size_t i = 0; i < shape->data_n; i++)
        buf_printf(&r->key, "%.*s\n", SLICE_ARG(shape->data[i].name));
    uint32_t *slot = map_put(&r->templates, buf_slice(&r->key), &is_new);
    if (is_new) {
        *slot = (uint32_t)r->s->templates.n;
        *VEC_PUSH(r->s->templates) =
            evtx_template_new(shape->system, shape->system_n, shape->data, shape->data_n);
    }
    return r->s->templates.at[*slot];
}

static void add_field(struct reading *r, struct sample *x, struct block *b, uint32_t row,
                      uint32_t column, struct slice name)
{
    struct sample_field *f = &x->fields[x->fields_n++];
    *f = (struct sample_field){0}; /* the writer's own: time and record number */
    if (column == UINT32_MAX)
        return;
    uint16_t id = column_id(&b->columns[column], row);
    *f = field_of(&r->s->arena, name, b->columns[column].values[id], column_text(b, column, id));
    if (f->change == SERVICE_ID) /* one writes all of a channel */
        f->key = XXH3_64bits(b->kind.channel.p, b->kind.channel.n);
}

static enum status take_block(void *ctx, struct block *b, struct error *err)
{
    struct reading *r = ctx;
    struct sample_kind *kind = kind_for(r, &b->kind);
    struct shape shape;
    (void)err;
    if (!slice_equal(b->kind.product, SLICE("windows")) || !b->kind.channel.n)
        return OK;
    for (uint32_t row = 0; row < b->rows; row++) {
        if (!shape_of(b, row, &shape))
            continue;
        struct sample *x = arena_zero(&r->s->arena, 1, sizeof *x);
        x->fields = arena_zero(&r->s->arena, shape.system_n + shape.data_n, sizeof *x->fields);
        size_t bytes = 0;
        for (size_t i = 0; i < shape.system_n; i++)
            if (!shape.system[i].literal.p)
                add_field(r, x, b, row, shape.system_from[i], shape.system[i].name);
        for (size_t i = 0; i < shape.data_n; i++)
            add_field(r, x, b, row, shape.data_from[i], shape.data[i].name);
        for (uint32_t i = 0; i < x->fields_n; i++)
            bytes += x->fields[i].bytes.n * (x->fields[i].ours ? 2 : 1);
        if (bytes > SAMPLE_BYTES)
            continue;
        x->template = template_for(r, &shape);
        buf_clear(&r->key);
        buf_printf(&r->key, "%.*s\n%llu",
                   SLICE_ARG(inputs_get(r->inputs, b->origins[row].input)->name),
                   (unsigned long long)b->origins[row].record);
        bool loud = map_get(&r->loud, buf_slice(&r->key)) != NULL;
        struct sample_list *list = loud ? &kind->loud : &kind->quiet;
        *VEC_PUSH(*list) = x;
        r->s->n++;
    }
    return OK;
}

static struct block_sink make_sink(void *ctx, unsigned worker)
{
    (void)worker;
    return (struct block_sink){take_block, ctx};
}

static enum status read_loud(struct reading *r, const char *path, struct error *err)
{
    FILE *in = path ? fopen(path, "r") : NULL;
    char *line = NULL;
    size_t cap = 0;
    bool is_new;
    if (!path)
        return OK;
    if (!in)
        return error_system(err, path, "can't be read");
    while (getline(&line, &cap, in) > 0) {
        json_t *finding = json_loads(line, 0, NULL);
        const char *source = json_string_value(json_object_get(finding, "source"));
        json_int_t record = json_integer_value(json_object_get(finding, "record"));
        buf_clear(&r->key);
        buf_printf(&r->key, "%s\n%lld", source ? source : "", (long long)record);
        map_put(&r->loud, buf_slice(&r->key), &is_new);
        json_decref(finding);
    }
    free(line);
    fclose(in);
    return OK;
}

/* Kinds by channel; those without quiet samples are left out. */
static void sort_kinds(struct reading *r)
{
    struct samples *s = r->s;
    for (size_t i = 0; i < r->kinds_list.n; i++) {
        struct sample_kind *k = r->kinds_list.at[i];
        size_t c = 0;
        if (!k->quiet.n)
            continue;
        while (c < s->channels.n && !slice_equal(s->channels.at[c].name, k->channel))
            c++;
        if (c == s->channels.n)
            *VEC_PUSH(s->channels) = (struct sample_channel){.name = k->channel};
        *VEC_PUSH(s->channels.at[c]) = k;
        s->channels.at[c].weight += k->weight;
        s->weight += k->weight;
    }
}

struct samples *samples_read(const char *folder, const char *loud, struct error *err)
{
    struct samples *s = xcalloc(1, sizeof *s);
    struct problems *problems = problems_new();
    struct reading r = {.s = s, .inputs = inputs_find(&folder, 1, problems)};
    struct intake job = {
        .inputs = r.inputs, .problems = problems, .threads = 1, .sink = make_sink, .ctx = &r};
    struct intake_counts counts = {0};
    enum status status = read_loud(&r, loud, err);
    if (status == OK)
        status = intake_run(&job, &counts, err);
    if (status == OK)
        sort_kinds(&r);
    if (status == OK && !s->n)
        status = error_set(err, STATUS_BAD_USE, folder, ERROR_NO_OFFSET, "there are no events");
    inputs_free(r.inputs);
    problems_free(problems);
    map_free(&r.loud);
    map_free(&r.kinds);
    map_free(&r.templates);
    free(r.kinds_list.at);
    buf_free(&r.key);
    if (status == OK)
        return s;
    samples_free(s);
    return NULL;
}

void samples_free(struct samples *s)
{
    if (!s)
        return;
    for (size_t c = 0; c < s->channels.n; c++) {
        for (size_t k = 0; k < s->channels.at[c].n; k++) {
            free(s->channels.at[c].at[k]->quiet.at);
            free(s->channels.at[c].at[k]->loud.at);
        }
        free(s->channels.at[c].at);
    }
    for (size_t i = 0; i < s->templates.n; i++)
        evtx_template_free(s->templates.at[i]);
    free(s->templates.at);
    free(s->channels.at);
    arena_free(&s->arena);
    free(s);
}
