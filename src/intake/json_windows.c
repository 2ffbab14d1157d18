/*
 * Windows events as other tools write them in JSON. All become the same kind and names as out of an
 * .evtx file (docs/events.md); what a tool adds keeps the tool's name for it.
 */
#include "intake/json_internal.h"

#include "base/arena.h"

#define S(literal)                                                                                 \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }
#define COUNT(a) (sizeof(a) / sizeof *(a))

static struct slice text_of(const struct json_doc *doc, uint32_t at)
{
    return json_text(&doc->tape, at);
}

static bool windows(struct event_kind *kind, struct slice channel, struct slice provider,
                    struct slice code)
{
    kind->product = SLICE("windows");
    kind->channel = channel;
    kind->provider = provider;
    kind->code = code;
    return true;
}

/* A rule of the list, or the name behind one of the prefixes, or the path as it is. */
static void name_by(struct json_field *f, const struct json_rule *rules, size_t n,
                    const struct slice *prefixes, size_t prefixes_n)
{
    const struct json_rule *rule = json_rule_for(rules, n, f->path);
    if (rule) {
        f->stored = rule->stored;
        f->use = (uint8_t)rule->use;
        return;
    }
    for (size_t i = 0; i < prefixes_n; i++)
        if (slice_starts(f->path, prefixes[i])) {
            f->stored = slice_sub(f->path, prefixes[i].n, f->path.n);
            return;
        }
}

/* ---- evtx_dump (the evtx crate), chainsaw, SigmaHQ's regression data: XML's elements as keys ---- */

/* #attributes, or a key of its own with --separate-json-attributes */
static const struct slice attributes = S("#attributes"), separate = S("_attributes");

static bool evtx_kind(const struct json_doc *doc, struct event_kind *kind, struct buf *code)
{
    const struct json_tape *t = &doc->tape;
    uint32_t system = json_get(t, doc->marks[MARK_EVENT], SLICE("System"));
    if (!system || json_type(t, system) != '{')
        return false;
    uint32_t provider = json_get(t, json_get(t, system, SLICE("Provider")), attributes);
    if (!provider)
        provider = json_get(t, system, SLICE("Provider_attributes"));
    uint32_t id = json_get(t, system, SLICE("EventID"));
    if (id && json_type(t, id) == '{')
        id = json_get(t, id, SLICE("#text"));
    return windows(kind, text_of(doc, json_get(t, system, SLICE("Channel"))),
                   text_of(doc, json_get(t, provider, SLICE("Name"))),
                   json_scalar_text(t, id, code));
}

static struct slice joined(struct arena *a, struct slice element, struct slice attribute)
{
    char *p = arena_bytes(a, element.n + 1 + attribute.n);
    memcpy(p, element.p, element.n);
    p[element.n] = '_';
    memcpy(p + element.n + 1, attribute.p, attribute.n);
    return slice_of(p, element.n + 1 + attribute.n);
}

/* The element whose attributes the keys below `f` are; p NULL when they are not. */
static struct slice attributes_of(const struct json_field *f)
{
    if (slice_equal(f->key, attributes))
        return f->parent->path.n ? f->parent->key : SLICE("Event");
    return slice_ends(f->key, separate) ? slice_sub(f->key, 0, f->key.n - separate.n)
                                        : (struct slice){0};
}

static void evtx_name(struct json_field *f, struct arena *a)
{
    struct slice element = attributes_of(f->parent);
    bool system = slice_starts(f->path, SLICE("Event.System."));
    bool data = slice_equal(f->parent->path, SLICE("Event.EventData"));
    f->use = data ? USE_PUT : USE_FILLED;
    f->stored = f->key;
    if (slice_equal(f->key, SLICE("#text"))) {
        f->stored = f->parent->stored;
        f->use = f->parent->use;
    } else if (element.p) {
        f->stored = joined(a, element, f->key);
        bool name_of_data =
            slice_equal(element, SLICE("Data")) && slice_equal(f->key, SLICE("Name"));
        if (slice_starts(f->key, SLICE("xmlns")) || name_of_data)
            f->use = USE_SKIP;
        else if (system && slice_equal(f->stored, SLICE("TimeCreated_SystemTime")))
            f->use = USE_TIME;
        else if (system && (slice_equal(f->stored, SLICE("Provider_Guid")) ||
                            slice_equal(element, SLICE("Correlation"))))
            f->use = USE_GUID;
    } else if (system && slice_equal(f->key, SLICE("EventRecordID"))) {
        f->use = USE_RECORD;
    } else if (slice_equal(f->parent->path, SLICE("Event.RenderingInfo")) &&
               !slice_equal(f->key, SLICE("Message"))) {
        f->stored = joined(a, f->parent->key, f->key); /* it repeats names of System */
    }
}

/* ---- winlogbeat 7 and later, and whatever writes its ECS form ---- */

static bool winlogbeat_kind(const struct json_doc *doc, struct event_kind *kind, struct buf *code)
{
    const struct json_tape *t = &doc->tape;
    uint32_t winlog = doc->marks[MARK_WINLOG];
    uint32_t channel = json_get(t, winlog, SLICE("channel"));
    uint32_t provider = json_get(t, winlog, SLICE("provider_name"));
    uint32_t id = json_get(t, winlog, SLICE("event_id"));
    if (!winlog) { /* names with dots, as Elasticsearch may give them out */
        channel = doc->marks[MARK_WINLOG_CHANNEL];
        provider = doc->marks[MARK_WINLOG_PROVIDER];
        id = doc->marks[MARK_WINLOG_ID];
    }
    if (!channel && !provider)
        return false;
    return windows(kind, text_of(doc, channel), text_of(doc, provider),
                   json_scalar_text(t, id, code));
}

static void winlogbeat_name(struct json_field *f, struct arena *a)
{
    static const struct json_rule rules[] = {
        {S("@timestamp"), {0}, USE_TIME},
        {S("winlog.time_created"), {0}, USE_SKIP},
        {S("winlog.channel"), S("Channel"), USE_PUT},
        {S("winlog.provider_name"), S("Provider_Name"), USE_PUT},
        {S("winlog.provider_guid"), S("Provider_Guid"), USE_GUID},
        {S("winlog.event_id"), S("EventID"), USE_PUT},
        {S("winlog.record_id"), {0}, USE_RECORD},
        {S("winlog.computer_name"), S("Computer"), USE_PUT},
        {S("winlog.version"), S("Version"), USE_PUT},
        {S("winlog.task"), S("Task"), USE_FILLED},
        {S("winlog.opcode"), S("Opcode"), USE_FILLED},
        {S("winlog.keywords"), S("Keywords"), USE_KEYWORDS},
        {S("winlog.process.pid"), S("Execution_ProcessID"), USE_PUT},
        {S("winlog.process.thread.id"), S("Execution_ThreadID"), USE_PUT},
        {S("winlog.activity_id"), S("Correlation_ActivityID"), USE_GUID},
        {S("winlog.related_activity_id"), S("Correlation_RelatedActivityID"), USE_GUID},
        {S("winlog.user.identifier"), S("Security_UserID"), USE_PUT},
        {S("winlog.user_data.xml_name"), {0}, USE_SKIP},
        {S("log.level"), S("Level"), USE_LEVEL},
        {S("message"), S("Message"), USE_PUT},
        {S("event.code"), {0}, USE_SKIP},
        {S("event.provider"), {0}, USE_SKIP},
    };
    static const struct slice prefixes[] = {S("winlog.event_data."), S("winlog.user_data.")};
    (void)a;
    name_by(f, rules, COUNT(rules), prefixes, COUNT(prefixes));
}

/* ---- winlogbeat up to 6 ---- */

static bool winlogbeat6_kind(const struct json_doc *doc, struct event_kind *kind, struct buf *code)
{
    if (!doc->marks[MARK_LOG_NAME] || !doc->marks[MARK_SOURCE_NAME] || !doc->marks[MARK_EVENT_ID])
        return false;
    return windows(kind, text_of(doc, doc->marks[MARK_LOG_NAME]),
                   text_of(doc, doc->marks[MARK_SOURCE_NAME]),
                   json_scalar_text(&doc->tape, doc->marks[MARK_EVENT_ID], code));
}

static void winlogbeat6_name(struct json_field *f, struct arena *a)
{
    static const struct json_rule rules[] = {
        {S("@timestamp"), {0}, USE_TIME},
        {S("log_name"), S("Channel"), USE_PUT},
        {S("source_name"), S("Provider_Name"), USE_PUT},
        {S("provider_guid"), S("Provider_Guid"), USE_GUID},
        {S("event_id"), S("EventID"), USE_PUT},
        {S("record_number"), {0}, USE_RECORD},
        {S("computer_name"), S("Computer"), USE_PUT},
        {S("version"), S("Version"), USE_PUT},
        {S("level"), S("Level"), USE_LEVEL},
        {S("task"), S("Task"), USE_FILLED},
        {S("opcode"), S("Opcode"), USE_FILLED},
        {S("keywords"), S("Keywords"), USE_KEYWORDS},
        {S("process_id"), S("Execution_ProcessID"), USE_PUT},
        {S("thread_id"), S("Execution_ThreadID"), USE_PUT},
        {S("activity_id"), S("Correlation_ActivityID"), USE_GUID},
        {S("related_activity_id"), S("Correlation_RelatedActivityID"), USE_GUID},
        {S("user.identifier"), S("Security_UserID"), USE_PUT},
        {S("user_data.xml_name"), {0}, USE_SKIP},
        {S("message"), S("Message"), USE_PUT},
    };
    static const struct slice prefixes[] = {S("event_data."), S("user_data.")};
    (void)a;
    name_by(f, rules, COUNT(rules), prefixes, COUNT(prefixes));
}

/* ---- Vector's windows_event_log source ---- */

static bool vector_kind(const struct json_doc *doc, struct event_kind *kind, struct buf *code)
{
    if (!doc->marks[MARK_CHANNEL] || !doc->marks[MARK_PROVIDER_NAME] || !doc->marks[MARK_EVENT_ID])
        return false;
    return windows(kind, text_of(doc, doc->marks[MARK_CHANNEL]),
                   text_of(doc, doc->marks[MARK_PROVIDER_NAME]),
                   json_scalar_text(&doc->tape, doc->marks[MARK_EVENT_ID], code));
}

static void vector_name(struct json_field *f, struct arena *a)
{
    static const struct json_rule rules[] = {
        {S("timestamp"), {0}, USE_TIME},
        {S("channel"), S("Channel"), USE_PUT},
        {S("provider_name"), S("Provider_Name"), USE_PUT},
        {S("provider_guid"), S("Provider_Guid"), USE_GUID},
        {S("event_id"), S("EventID"), USE_PUT},
        {S("qualifiers"), S("EventID_Qualifiers"), USE_PUT},
        {S("record_id"), {0}, USE_RECORD},
        {S("computer"), S("Computer"), USE_PUT},
        {S("version"), S("Version"), USE_PUT},
        {S("level_value"), S("Level"), USE_PUT},
        {S("level"), {0}, USE_SKIP}, /* level_value's name */
        {S("task"), S("Task"), USE_PUT},
        {S("opcode"), S("Opcode"), USE_PUT},
        {S("keywords"), S("Keywords"), USE_PUT},
        {S("process_id"), S("Execution_ProcessID"), USE_PUT},
        {S("thread_id"), S("Execution_ThreadID"), USE_PUT},
        {S("activity_id"), S("Correlation_ActivityID"), USE_GUID},
        {S("related_activity_id"), S("Correlation_RelatedActivityID"), USE_GUID},
        {S("user_id"), S("Security_UserID"), USE_PUT},
        {S("message"), S("Message"), USE_PUT},
        {S("string_inserts"), S("Data"), USE_PUT},
    };
    static const struct slice prefixes[] = {S("event_data."), S("user_data.")};
    (void)a;
    name_by(f, rules, COUNT(rules), prefixes, COUNT(prefixes));
}

/* ---- Fluent Bit: winevtlog, and the older winlog ---- */

static bool fluent_kind(const struct json_doc *doc, struct event_kind *kind, struct buf *code)
{
    const uint32_t *marks = doc->marks;
    uint32_t provider = marks[MARK_W_PROVIDER_NAME];
    if (!provider && marks[MARK_TIME_GENERATED])
        provider = marks[MARK_W_SOURCE_NAME];
    if (!marks[MARK_W_CHANNEL] || !provider || !marks[MARK_W_EVENT_ID])
        return false;
    return windows(kind, text_of(doc, marks[MARK_W_CHANNEL]), text_of(doc, provider),
                   json_scalar_text(&doc->tape, marks[MARK_W_EVENT_ID], code));
}

static void fluent_name(struct json_field *f, struct arena *a)
{
    static const struct json_rule rules[] = {
        {S("ProviderName"), S("Provider_Name"), USE_PUT},
        {S("SourceName"), S("Provider_Name"), USE_PUT},
        {S("ProviderGuid"), S("Provider_Guid"), USE_GUID},
        {S("Qualifiers"), S("EventID_Qualifiers"), USE_FILLED},
        {S("TimeCreated"), {0}, USE_TIME},
        {S("TimeGenerated"), {0}, USE_TIME},
        {S("TimeWritten"), {0}, USE_SKIP},
        {S("EventRecordID"), {0}, USE_RECORD},
        {S("RecordNumber"), {0}, USE_RECORD},
        {S("ActivityID"), S("Correlation_ActivityID"), USE_GUID},
        {S("RelatedActivityID"), S("Correlation_RelatedActivityID"), USE_GUID},
        {S("ProcessID"), S("Execution_ProcessID"), USE_PUT},
        {S("ThreadID"), S("Execution_ThreadID"), USE_PUT},
        {S("ComputerName"), S("Computer"), USE_PUT},
        {S("UserID"), S("Security_UserID"), USE_PUT},
        {S("Sid"), S("Security_UserID"), USE_PUT},
        {S("EventCategory"), S("Task"), USE_PUT},
        {S("EventType"), S("Level"), USE_LEVEL},
        {S("Data"), S("Binary"), USE_PUT},
        {S("Message"), S("Message"), USE_LINES},
        {S("StringInserts"), S("Data"), USE_INSERTS},
    };
    (void)a;
    name_by(f, rules, COUNT(rules), NULL, 0);
    if (f->parent->use == USE_LINES || f->parent->use == USE_INSERTS) /* made of a part of it */
        f->stored = f->key;
}

/* ---- NXLog: im_msvistalog through to_json() ---- */

static bool nxlog_kind(const struct json_doc *doc, struct event_kind *kind, struct buf *code)
{
    const uint32_t *marks = doc->marks;
    if (!marks[MARK_W_SOURCE_NAME] || !marks[MARK_W_EVENT_ID] ||
        (!marks[MARK_EVENT_TIME] && !marks[MARK_MODULE_TYPE]))
        return false;
    return windows(kind, text_of(doc, marks[MARK_W_CHANNEL]),
                   text_of(doc, marks[MARK_W_SOURCE_NAME]),
                   json_scalar_text(&doc->tape, marks[MARK_W_EVENT_ID], code));
}

static void nxlog_name(struct json_field *f, struct arena *a)
{
    static const struct json_rule rules[] = {
        {S("EventTime"), {0}, USE_TIME},
        {S("EventReceivedTime"), {0}, USE_SKIP},
        {S("Hostname"), S("Computer"), USE_PUT},
        {S("Keywords"), S("Keywords"), USE_HEX},
        {S("LevelValue"), S("Level"), USE_PUT},
        {S("Level"), S("Level_Name"), USE_PUT},
        {S("SourceName"), S("Provider_Name"), USE_PUT},
        {S("ProviderGuid"), S("Provider_Guid"), USE_GUID},
        {S("TaskValue"), S("Task"), USE_PUT},
        {S("OpcodeValue"), S("Opcode"), USE_PUT},
        {S("Opcode"), S("Opcode_Name"), USE_FILLED},
        {S("RecordNumber"), {0}, USE_RECORD},
        {S("RecordID"), {0}, USE_RECORD},
        {S("ActivityID"), S("Correlation_ActivityID"), USE_GUID},
        {S("RelatedActivityID"), S("Correlation_RelatedActivityID"), USE_GUID},
        {S("ProcessID"), S("Execution_ProcessID"), USE_PUT},
        {S("ThreadID"), S("Execution_ThreadID"), USE_PUT},
        {S("ExecutionProcessID"), S("Execution_ProcessID"), USE_PUT},
        {S("ExecutionThreadID"), S("Execution_ThreadID"), USE_PUT},
        {S("UserID"), S("Security_UserID"), USE_PUT},
    };
    (void)a;
    name_by(f, rules, COUNT(rules), NULL, 0);
}

/* ---- fields of System and EventData side by side, as forwarders and data sets have them ---- */

static bool flat_kind(const struct json_doc *doc, struct event_kind *kind, struct buf *code)
{
    const uint32_t *marks = doc->marks;
    if (!marks[MARK_W_CHANNEL] || !marks[MARK_W_EVENT_ID])
        return false;
    uint32_t provider = marks[marks[MARK_W_SOURCE_NAME] ? MARK_W_SOURCE_NAME : MARK_W_SOURCE];
    return windows(kind, text_of(doc, marks[MARK_W_CHANNEL]), text_of(doc, provider),
                   json_scalar_text(&doc->tape, marks[MARK_W_EVENT_ID], code));
}

static void flat_name(struct json_field *f, struct arena *a)
{
    static const struct json_rule rules[] = {
        {S("@timestamp"), {0}, USE_TIME},
        {S("TimeCreated"), {0}, USE_TIME},
        {S("EventRecordID"), {0}, USE_RECORD},
        {S("RecordNumber"), {0}, USE_RECORD},
        {S("SourceName"), S("Provider_Name"), USE_PUT},
        {S("Source"), S("Provider_Name"), USE_PUT},
        {S("ProviderGuid"), S("Provider_Guid"), USE_GUID},
        {S("Hostname"), S("Computer"), USE_PUT},
        {S("ActivityID"), S("Correlation_ActivityID"), USE_GUID},
    };
    (void)a;
    name_by(f, rules, COUNT(rules), NULL, 0);
}

static const struct json_shape evtx = {"evtx_dump", evtx_kind, evtx_name},
                               winlogbeat = {"winlogbeat", winlogbeat_kind, winlogbeat_name},
                               winlogbeat6 = {"winlogbeat 6", winlogbeat6_kind, winlogbeat6_name},
                               vector = {"Vector", vector_kind, vector_name},
                               fluent = {"Fluent Bit", fluent_kind, fluent_name},
                               nxlog = {"NXLog", nxlog_kind, nxlog_name},
                               flat = {"flat", flat_kind, flat_name};

const struct json_shape *const json_windows_shapes[] = {
    &evtx, &winlogbeat, &winlogbeat6, &vector, &fluent, &nxlog, &flat, NULL,
};
