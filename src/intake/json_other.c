/*
 * Suricata's EVE, Zeek's JSON, and all other documents, some of them known services'.
 */
#include "intake/json_internal.h"

#include "base/arena.h"

#define S(literal)                                                                                 \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }
#define COUNT(a) (sizeof(a) / sizeof *(a))

/* ---- Suricata: EVE, with ECS names for what ECS has ---- */

static bool suricata_kind(const struct json_doc *doc, struct event_kind *kind, struct buf *code)
{
    const uint32_t *marks = doc->marks;
    struct slice type = json_text(&doc->tape, marks[MARK_EVENT_TYPE]);
    (void)code;
    if (!type.n || !marks[MARK_TIMESTAMP] ||
        (!marks[MARK_FLOW_ID] && !marks[MARK_DEST_IP] && !marks[MARK_STATS]))
        return false;
    kind->product = SLICE("suricata");
    kind->service = type;
    return true;
}

static void suricata_name(struct json_field *f, struct arena *a)
{
    static const struct json_rule rules[] = {
        {S("timestamp"), {0}, USE_TIME},
        {S("src_ip"), S("source.ip"), USE_PUT},
        {S("src_port"), S("source.port"), USE_PUT},
        {S("dest_ip"), S("destination.ip"), USE_PUT},
        {S("dest_port"), S("destination.port"), USE_PUT},
        {S("proto"), S("network.transport"), USE_PUT},
        {S("app_proto"), S("network.protocol"), USE_PUT},
        {S("community_id"), S("network.community_id"), USE_PUT},
        {S("in_iface"), S("observer.ingress.interface.name"), USE_PUT},
        {S("host"), S("observer.hostname"), USE_PUT},
        {S("alert.signature"), S("rule.name"), USE_PUT},
        {S("alert.signature_id"), S("rule.id"), USE_PUT},
        {S("alert.rev"), S("rule.version"), USE_PUT},
        {S("alert.category"), S("rule.category"), USE_PUT},
        {S("alert.severity"), S("event.severity"), USE_PUT},
        {S("alert.action"), S("event.action"), USE_PUT},
        {S("flow.bytes_toserver"), S("source.bytes"), USE_PUT},
        {S("flow.pkts_toserver"), S("source.packets"), USE_PUT},
        {S("flow.bytes_toclient"), S("destination.bytes"), USE_PUT},
        {S("flow.pkts_toclient"), S("destination.packets"), USE_PUT},
        {S("dns.rrname"), S("dns.question.name"), USE_PUT},
        {S("dns.rrtype"), S("dns.question.type"), USE_PUT},
        {S("dns.query.rrname"), S("dns.question.name"), USE_PUT},
        {S("dns.query.rrtype"), S("dns.question.type"), USE_PUT},
        {S("dns.queries.rrname"), S("dns.question.name"), USE_PUT},
        {S("dns.queries.rrtype"), S("dns.question.type"), USE_PUT},
        {S("dns.rcode"), S("dns.response_code"), USE_PUT},
        {S("dns.answers.rrname"), S("dns.answers.name"), USE_PUT},
        {S("dns.answers.rrtype"), S("dns.answers.type"), USE_PUT},
        {S("dns.answers.rdata"), S("dns.answers.data"), USE_PUT},
        {S("dns.answers.ttl"), S("dns.answers.ttl"), USE_PUT},
        {S("dns.rdata"), S("dns.answers.data"), USE_PUT},
        {S("http.hostname"), S("url.domain"), USE_PUT},
        {S("http.url"), S("url.original"), USE_PUT},
        {S("http.http_port"), S("url.port"), USE_PUT},
        {S("http.http_user_agent"), S("user_agent.original"), USE_PUT},
        {S("http.http_method"), S("http.request.method"), USE_PUT},
        {S("http.http_refer"), S("http.request.referrer"), USE_PUT},
        {S("http.protocol"), S("http.version"), USE_PUT},
        {S("http.status"), S("http.response.status_code"), USE_PUT},
        {S("http.length"), S("http.response.body.bytes"), USE_PUT},
        {S("http.http_content_type"), S("http.response.mime_type"), USE_PUT},
        {S("tls.sni"), S("tls.client.server_name"), USE_PUT},
        {S("tls.ja3.hash"), S("tls.client.ja3"), USE_PUT},
        {S("tls.ja3s.hash"), S("tls.server.ja3s"), USE_PUT},
        {S("tls.subject"), S("tls.server.subject"), USE_PUT},
        {S("tls.issuerdn"), S("tls.server.issuer"), USE_PUT},
        {S("tls.fingerprint"), S("tls.server.hash.sha1"), USE_PUT},
        {S("fileinfo.filename"), S("file.name"), USE_PUT},
        {S("fileinfo.size"), S("file.size"), USE_PUT},
        {S("fileinfo.md5"), S("file.hash.md5"), USE_PUT},
        {S("fileinfo.sha1"), S("file.hash.sha1"), USE_PUT},
        {S("fileinfo.sha256"), S("file.hash.sha256"), USE_PUT},
        {S("smtp.mail_from"), S("email.from.address"), USE_PUT},
        {S("smtp.rcpt_to"), S("email.to.address"), USE_PUT},
        {S("email.subject"), S("email.subject"), USE_PUT},
        {S("email.attachment"), S("email.attachments.file.name"), USE_PUT},
    };
    (void)a;
    const struct json_rule *rule = json_rule_for(rules, COUNT(rules), f->path);
    if (rule) {
        f->stored = rule->stored;
        f->use = (uint8_t)rule->use;
    }
}

/* ---- Zeek: its own names ---- */

/* Logs without "_path", by a field that no other has (docs.zeek.org, script reference). */
static const struct {
    struct slice field, path;
} zeek_fields[] = {
    {S("conn_state"), S("conn")},
    {S("qtype_name"), S("dns")},
    {S("qclass"), S("dns")},
    {S("resp_mime_types"), S("http")},
    {S("status_code"), S("http")},
    {S("method"), S("http")},
    {S("ssl_history"), S("ssl")},
    {S("cipher"), S("ssl")},
    {S("request_type"), S("kerberos")},
    {S("named_pipe"), S("dce_rpc")},
    {S("share_type"), S("smb_mapping")},
    {S("security_protocol"), S("rdp")},
    {S("ntlmssp"), S("ntlm")},
    {S("certificate.serial"), S("x509")},
    {S("auth_attempts"), S("ssh")},
    {S("helo"), S("smtp")},
    {S("assigned_addr"), S("dhcp")},
    {S("note"), S("notice")},
};

/* "logs/conn.00:00:00-01:00:00.log.gz" -> "conn" */
static struct slice base_name(struct slice name)
{
    size_t from = name.n;
    while (from > 0 && name.p[from - 1] != '/')
        from--;
    size_t n = 0;
    while (from + n < name.n && name.p[from + n] != '.')
        n++;
    return slice_sub(name, from, n);
}

static bool zeek_kind(const struct json_doc *doc, struct event_kind *kind, struct buf *code)
{
    const uint32_t *marks = doc->marks;
    struct slice path = json_text(&doc->tape, marks[MARK_ZEEK_PATH]);
    (void)code;
    if (!marks[MARK_TS] || (!path.n && !(marks[MARK_UID] && marks[MARK_ORIG_H])))
        return false;
    for (size_t i = 0; !path.n && i < COUNT(zeek_fields); i++)
        if (json_get(&doc->tape, doc->root, zeek_fields[i].field))
            path = zeek_fields[i].path;
    kind->product = SLICE("zeek");
    kind->service = path.n ? path : base_name(doc->input);
    return true;
}

static void zeek_name(struct json_field *f, struct arena *a)
{
    (void)a;
    if (slice_equal(f->path, SLICE("ts")))
        f->use = USE_TIME;
    else if (slice_equal(f->path, SLICE("_path")) || slice_equal(f->path, SLICE("_write_ts")))
        f->use = USE_SKIP;
}

/* ---- everything else ---- */

/* Logs that need no other names than their own: what they are is told by keys that they all have. */
static const struct {
    enum json_mark marks[3];
    struct slice product, service;
} services[] = {
    {{MARK_AWS_SOURCE, MARK_AWS_NAME, MARK_AWS_REGION}, S("aws"), S("cloudtrail")},
    {{MARK_AUDIT_ID, MARK_VERB, MARK_REQUEST_URI}, S("kubernetes"), S("audit")},
    {{MARK_OKTA_TYPE, MARK_OKTA_MESSAGE, MARK_PUBLISHED}, S("okta"), S("okta")},
    {{MARK_ACTION, MARK_ACTOR, MARK_DOCUMENT_ID}, S("github"), S("audit")},
};

static bool any_kind(const struct json_doc *doc, struct event_kind *kind, struct buf *code)
{
    (void)code;
    *kind = (struct event_kind){0};
    for (size_t i = 0; i < COUNT(services); i++) {
        const enum json_mark *marks = services[i].marks;
        if (doc->marks[marks[0]] && doc->marks[marks[1]] && doc->marks[marks[2]]) {
            kind->product = services[i].product;
            kind->service = services[i].service;
        }
    }
    return true;
}

static void any_name(struct json_field *f, struct arena *a)
{
    /* the likeliest to be the time of the event last */
    static const struct slice times[] = {
        S("created_at"),   S("createdat"),     S("date"),
        S("_time"),        S("published"),     S("ts"),
        S("datetime"),     S("time"),          S("timestamp"),
        S("creationtime"), S("timegenerated"), S("timecreated"),
        S("event_time"),   S("eventtime"),     S("requestreceivedtimestamp"),
        S("@timestamp"),
    };
    (void)a;
    if (f->parent->path.n)
        return;
    for (size_t i = 0; i < COUNT(times); i++)
        if (slice_equal_nocase(f->key, times[i])) {
            f->use = USE_TIME_PUT;
            f->rank = (uint8_t)(i + 1);
        }
}

static const struct json_shape suricata = {"Suricata", suricata_kind, suricata_name},
                               zeek = {"Zeek", zeek_kind, zeek_name};

const struct json_shape *const json_other_shapes[] = {&suricata, &zeek, NULL};
const struct json_shape json_any_shape = {"other", any_kind, any_name};
