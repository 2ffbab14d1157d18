/*
 * Makes many events of few: real Windows events written anew, with other times, hosts, users, processes,
 * addresses, hashes, names and numbers, as a network of some hundred machines would write them in half
 * a year. What comes out depends on the samples, the number of events and the seed alone.
 *
 *     make_events --events N [--seed N] [--loud FINDINGS] SAMPLES OUT
 *
 * Writes a file a day, OUT/2026-01-01.evtx.zst and on, and OUT/needles.txt, which tells what was hidden
 * where: "KIND<tab>VALUE<tab>TIMES". --loud names the findings of `hikeshi scan SAMPLES --format jsonl`:
 * events that some rule finds come only LOUD times in a thousand, since samples are of attacks and logs
 * are mostly not.
 */
#include "samples.h"

#include "base/timestamp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
    HOSTS = 400,
    USERS = 600,
    DAYS = 180,
    RUNNING = 32, /* processes on a host */
    LOUD = 3,     /* of a thousand */
    ADDRESSES = 200000,
    DOMAINS = 30000,
    HASH_VERSIONS = 12, /* of a file */
    FIELDS = 160,
};
#define FIRST_DAY INT64_C(1767225600) /* 2026-01-01 */
#define EPOCH_1601 INT64_C(11644473600)
#define TICKS INT64_C(10000000) /* of FILETIME in a second */

struct process {
    uint32_t pid;
    uint32_t
        guid[4]; /* as Sysmon makes it: machine, start, and a number that grows with the uptime */
};

struct host {
    char name[40];
    uint32_t name_short;
    char address[24];
    uint64_t record;
    uint32_t users[4]; /* that work there */
    struct process processes[RUNNING];
    unsigned newest;
    uint32_t luid;
};

/* Hidden once its moment has come and an event that can hold it is written. */
struct needle {
    const char *kind, *value;
    enum change change; /* of the field that holds it */
    unsigned times;     /* done */
};

enum { NEEDLE_TIMES = 3 };
static const double needle_moments[NEEDLE_TIMES] = {0.37, 0.61, 0.93};

struct making {
    struct samples *samples;
    uint64_t events, seed, random;
    struct host hosts[HOSTS];
    struct needle needles[5];
    struct evtx_out *out;
    /* the event at work */
    uint64_t number;
    struct host *host;
    const struct process *process, *parent;
    uint32_t user;
    uint64_t ticks; /* FILETIME */
    struct evtx_value values[FIELDS];
    struct buf text, utf16; /* of one value; of all */
};

/* ---- chance ---- */

static uint64_t mix64(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static uint64_t draw(struct making *m)
{
    return mix64(m->random += 0x9e3779b97f4a7c15u);
}

static uint32_t below(struct making *m, uint32_t n)
{
    return (uint32_t)((draw(m) >> 32) * n >> 32);
}

static double unit(struct making *m)
{
    return (double)(draw(m) >> 11) * 0x1p-53;
}

/* Few come often, most seldom. */
static uint32_t skewed(struct making *m, uint32_t n)
{
    double u = unit(m);
    return (uint32_t)(u * u * u * n);
}

/* ---- the network ---- */

static void new_process(struct making *m, struct host *h)
{
    h->newest = (h->newest + 1) % RUNNING;
    struct process *p = &h->processes[h->newest];
    p->pid = (below(m, 5000) + 100) * 4;
    h->luid += 1 + below(m, 5000);
    p->guid[0] = (uint32_t)mix64((uint64_t)(h - m->hosts));
    p->guid[1] = (uint32_t)((int64_t)(m->ticks / (uint64_t)TICKS) - EPOCH_1601);
    p->guid[2] = 0x10000000;
    p->guid[3] = h->luid;
}

static void make_hosts(struct making *m)
{
    for (uint32_t i = 0; i < HOSTS; i++) {
        struct host *h = &m->hosts[i];
        const char *what = i < 4 ? "DC" : i < 40 ? "SRV" : "PC";
        h->name_short = (uint32_t)snprintf(h->name, sizeof h->name, "%s-%04u", what, i);
        snprintf(h->name + h->name_short, sizeof h->name - h->name_short, ".corp.example");
        snprintf(h->address, sizeof h->address, "10.%u.%u.%u", 20 + i / 100, i % 50, 10 + i % 200);
        h->record = below(m, 1000000) + 1;
        for (int u = 0; u < 4; u++)
            h->users[u] = skewed(m, USERS);
        for (int p = 0; p < RUNNING; p++)
            new_process(m, h);
    }
}

/* ---- values ---- */

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Copies text; in some of a hundred runs of three and more digits become other digits. A security
 * identifier becomes that of the event's user. */
static void put_changed(struct making *m, struct slice s, uint32_t percent)
{
    ptrdiff_t sid = slice_find(s, SLICE("S-1-5-21-"));
    if (sid >= 0) {
        size_t end = (size_t)sid + 9;
        while (end < s.n && (is_digit(s.p[end]) || s.p[end] == '-'))
            end++;
        buf_add(&m->text, slice_sub(s, 0, (size_t)sid));
        buf_printf(&m->text, "S-1-5-21-1144201745-142042709-213625497-%u", 1100 + m->user);
        s = slice_sub(s, end, s.n - end);
        if (!s.n)
            return;
    }
    if (below(m, 100) >= percent) {
        buf_add(&m->text, s);
        return;
    }
    for (size_t i = 0, n; i < s.n; i += n) {
        for (n = 0; i + n < s.n && is_digit(s.p[i + n]);)
            n++;
        if (n >= 3)
            for (size_t k = 0; k < n; k++)
                buf_char(&m->text, (char)('1' + below(m, 9)));
        else
            buf_add(&m->text, slice_sub(s, i, n = n ? n : 1));
    }
}

/* Runs of 32 and more hexadecimal digits become those of another version of the file. */
static void put_hashes(struct making *m, struct slice s, uint64_t key)
{
    static const char digits[] = "0123456789ABCDEF";
    uint64_t version = mix64(key + skewed(m, HASH_VERSIONS)), bits = 0;
    for (size_t i = 0, n; i < s.n; i += n) {
        for (n = 0; i + n < s.n && is_hex(s.p[i + n]);)
            n++;
        if (n < 32) {
            buf_add(&m->text, slice_sub(s, i, n = n ? n : 1));
            continue;
        }
        for (size_t k = 0; k < n; k++) {
            bits = k % 16 ? bits >> 4 : mix64(version + n * 64 + k);
            buf_char(&m->text, digits[bits & 15]);
        }
    }
}

static void put_user(struct making *m, struct slice s, uint32_t user)
{
    const char *slash = memchr(s.p, '\\', s.n);
    struct slice name = slash ? slice_of(slash + 1, s.n - (size_t)(slash + 1 - s.p)) : s;
    if (slice_ends(name, SLICE("$")))
        buf_printf(&m->text, "%s%.*s$", slash ? "CORP\\" : "", (int)m->host->name_short,
                   m->host->name);
    else if (name.n < 2 || slice_starts(s, SLICE("NT AUTHORITY")) ||
             slice_equal_nocase(name, SLICE("SYSTEM")) ||
             slice_equal_nocase(name, SLICE("LOCAL SERVICE")) ||
             slice_equal_nocase(name, SLICE("NETWORK SERVICE")) ||
             slice_equal_nocase(name, SLICE("ANONYMOUS LOGON")))
        buf_add(&m->text, s);
    else
        buf_printf(&m->text, "%suser%03u", slash ? "CORP\\" : "", user);
}

/* Another user's folder, other numbers, now and then another name before the extension. */
static void put_path(struct making *m, struct slice s)
{
    ptrdiff_t users = slice_find(s, SLICE("\\Users\\"));
    if (users >= 0) {
        size_t from = (size_t)users + 7, end = from;
        while (end < s.n && s.p[end] != '\\')
            end++;
        buf_add(&m->text, slice_sub(s, 0, from));
        put_user(m, slice_sub(s, from, end - from), m->user);
        s = slice_sub(s, end, s.n - end);
        if (!s.n)
            return;
    }
    size_t stem = s.n;
    while (stem && s.p[stem - 1] != '.' && s.p[stem - 1] != '\\')
        stem--;
    if (!stem || s.p[stem - 1] == '\\' || below(m, 100) >= 40) {
        put_changed(m, s, 20);
        return;
    }
    put_changed(m, slice_sub(s, 0, stem - 1), 20);
    buf_printf(&m->text, "-%x", skewed(m, 1 << 24));
    buf_add(&m->text, slice_sub(s, stem - 1, s.n));
}

static void put_command(struct making *m, struct slice s)
{
    put_changed(m, s, 50);
    if (below(m, 100) < 30)
        buf_printf(&m->text, " --session=%08x", (uint32_t)draw(m));
}

static void put_other_address(struct making *m, struct slice s)
{
    if (memchr(s.p, ':', s.n) || s.n < 7) { /* IPv6, "-" */
        buf_add(&m->text, s);
        return;
    }
    uint64_t n = mix64(skewed(m, ADDRESSES) + 1);
    uint32_t first = 11 + (uint32_t)(n >> 32) % 180; /* none of those that needles are */
    buf_printf(&m->text, "%u.%u.%u.%u", first == 127 ? 128 : first, (unsigned)(n >> 16 & 255),
               (unsigned)(n >> 8 & 255), (unsigned)(n & 255));
}

static void put_domain(struct making *m, struct slice s)
{
    static const char *const words[] = {"update", "cdn",  "mail", "static", "login", "api",
                                        "img",    "edge", "news", "files",  "shop",  "track"};
    if (s.n < 2) {
        buf_add(&m->text, s);
        return;
    }
    uint64_t n = mix64(skewed(m, DOMAINS) + 7);
    buf_printf(&m->text, "%s%u.%s-%s%u.example", words[n % 12], (unsigned)(n >> 8 & 15),
               words[n >> 16 & 7], words[n >> 20 & 7], (unsigned)(n >> 24 & 2047));
}

static void put_time(struct making *m, int64_t before)
{
    char text[TIMESTAMP_TEXT];
    timestamp t = ((int64_t)m->ticks - EPOCH_1601 * TICKS - before) * 100;
    size_t n = timestamp_text(t, 3, text);
    text[10] = ' ';
    buf_add(&m->text, slice_of(text, n - 1));
}

static bool put_needle(struct making *m, enum change change)
{
    for (size_t i = 0; i < sizeof m->needles / sizeof *m->needles; i++) {
        struct needle *n = &m->needles[i];
        if (n->change != change || n->times == NEEDLE_TIMES ||
            (double)m->number < needle_moments[n->times] * (double)m->events)
            continue;
        n->times++;
        buf_clear(&m->text);
        if (change == COMMAND)
            buf_printf(&m->text, "C:\\Tools\\sync.exe --to C:\\Temp\\a%sb.dat", n->value);
        else
            buf_printf(&m->text, "%s%s", change == HASHES ? "SHA256=" : "", n->value);
        return true;
    }
    return false;
}

static void put_text(struct making *m, const struct sample_field *f)
{
    const struct host *h = m->host;
    struct slice s = f->bytes;
    buf_clear(&m->text);
    switch ((enum change)f->change) {
    case HOST:
        buf_add(&m->text, slice_str(h->name));
        break;
    case HOST_SHORT:
        buf_add(&m->text, slice_of(h->name, h->name_short));
        break;
    case TIME:
        put_time(m, 0);
        break;
    case TIME_PAST:
        put_time(m, (int64_t)skewed(m, 1 << 20) * TICKS);
        break;
    case OWN_ADDRESS:
        buf_add(&m->text, s.n < 7 ? s : slice_str(h->address));
        break;
    case OTHER_ADDRESS:
        put_other_address(m, s);
        break;
    case DOMAIN_NAME:
        put_domain(m, s);
        break;
    case HASHES:
        put_hashes(m, s, f->key);
        break;
    case USER:
        put_user(m, s, m->user);
        break;
    case COMMAND:
        put_command(m, s);
        break;
    case PATH:
        put_path(m, s);
        break;
    case PORT:
        buf_printf(&m->text, "%u", 49152 + below(m, 16384));
        break;
    default:
        put_changed(m, s, 20);
    }
    if (s.n >= 7)
        put_needle(m, f->change);
}

/* ASCII and what else a sample has, to UTF-16; characters past 16 bits do not come. */
static struct evtx_value encode(struct making *m)
{
    struct buf *out = &m->utf16;
    char *p = buf_room(out, m->text.n * 2);
    size_t n = 0;
    for (size_t i = 0; i < m->text.n;) {
        unsigned c = (unsigned char)m->text.p[i], more = c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
        if (more)
            c &= more == 2 ? 0x0f : 0x1f;
        for (i++; more && i < m->text.n; more--, i++)
            c = c << 6 | ((unsigned char)m->text.p[i] & 0x3f);
        p[n++] = (char)(c & 255);
        p[n++] = (char)(c >> 8);
    }
    out->n += n;
    return (struct evtx_value){p, (uint16_t)n, EVTX_UTF16};
}

static struct evtx_value raw(struct making *m, const void *p, size_t n, uint8_t type)
{
    char *to = buf_room(&m->utf16, n);
    memcpy(to, p, n);
    m->utf16.n += n;
    return (struct evtx_value){to, (uint16_t)n, type};
}

static struct evtx_value number(struct making *m, const struct sample_field *f, uint64_t n)
{
    return raw(m, &n, f->type == EVTX_HEX64 ? 8 : f->bytes.n, f->type);
}

/* Logons of people: one of a host's users, for a day. */
static uint64_t logon_of(const struct making *m)
{
    return mix64(m->ticks / (uint64_t)(86400 * TICKS) * 1000003 + m->user * 4099 +
                 (uint64_t)(m->host - m->hosts));
}

static struct evtx_value changed(struct making *m, const struct sample_field *f)
{
    static const uint32_t domain[3] = {0x44332211, 0x08776655, 0x0cbbaa99}; /* as put_changed */
    uint64_t old = 0, guid[2], user;
    if (f->ours) {
        put_text(m, f);
        return encode(m);
    }
    memcpy(&old, f->bytes.p, f->bytes.n < 8 ? f->bytes.n : 8);
    switch ((enum change)f->change) {
    case PROCESS_ID:
        return number(m, f, old > 4 ? m->process->pid : old);
    case NEW_PROCESS_ID:
        return number(m, f, m->host->processes[m->host->newest].pid);
    case PARENT_ID:
        return number(m, f, old > 4 ? m->parent->pid : old);
    case PROCESS_GUID:
        return raw(m, m->process->guid, 16, EVTX_GUID);
    case PARENT_GUID:
        return raw(m, m->parent->guid, 16, EVTX_GUID);
    case SERVICE_ID:
        return number(
            m, f, old > 4 ? mix64(f->key + (uint64_t)(m->host - m->hosts)) % 1000 * 4 + 400 : old);
    case THREAD_ID:
        return number(m, f, (below(m, 40) + 300) * 4);
    case LOGON_ID:
        return number(m, f, old > 0x1000 ? logon_of(m) & 0xffffff : old);
    case LOGON_GUID:
        user = logon_of(m);
        guid[0] = m->process->guid[0] | (user & 0xffffffff) << 32;
        guid[1] = 0x20000000 | (user >> 40) << 32;
        return raw(m, guid, 16, EVTX_GUID);
    case NEW_GUID:
        guid[0] = draw(m);
        guid[1] = draw(m);
        return raw(m, guid, 16, EVTX_GUID);
    case PORT:
        return number(m, f, old > 1024 ? 49152 + below(m, 16384) : old);
    case NUMBER:
        return number(m, f, old ? skewed(m, 1 << 24) * 4 : old);
    case SID:
        if (f->bytes.n == 28) { /* S-1-5-21-a-b-c-r */
            struct evtx_value v = raw(m, f->bytes.p, 28, EVTX_SID);
            char *p = m->utf16.p + m->utf16.n - 28;
            uint32_t rid = 1100 + m->user;
            memcpy(p + 12, domain, sizeof domain);
            memcpy(p + 24, &rid, 4);
            return v;
        }
        break;
    default:
        break;
    }
    return (struct evtx_value){f->bytes.p, (uint16_t)f->bytes.n, f->type};
}

/* ---- events ---- */

static enum status write_event(struct making *m, const struct sample *x, struct error *err)
{
    struct host *h = m->host;
    unsigned own = 0;
    m->process = &h->processes[(h->newest + RUNNING - skewed(m, RUNNING)) % RUNNING];
    m->parent = &h->processes[(h->newest + RUNNING - 1 - skewed(m, RUNNING - 1)) % RUNNING];
    m->user = h->users[skewed(m, 4)];
    buf_clear(&m->utf16);
    buf_room(&m->utf16, 1 << 17); /* so that nothing moves */
    for (uint32_t i = 0; i < x->fields_n; i++) {
        const struct sample_field *f = &x->fields[i];
        if (f->bytes.p)
            m->values[i] = f->change == KEEP
                               ? (struct evtx_value){f->bytes.p, (uint16_t)f->bytes.n, f->type}
                               : changed(m, f);
        else if (own++ == 0)
            m->values[i] = (struct evtx_value){&m->ticks, 8, EVTX_FILETIME};
        else
            m->values[i] = (struct evtx_value){&h->record, 8, EVTX_UINT64};
    }
    enum status status = evtx_out_add(m->out, x->template, h->record, m->ticks, m->values, err);
    h->record++;
    return status;
}

static const struct sample *pick_sample(struct making *m, const struct sample_channel *c)
{
    double at = unit(m) * c->weight;
    size_t k = 0;
    while (k + 1 < c->n && at >= c->at[k]->weight)
        at -= c->at[k++]->weight;
    const struct sample_kind *kind = c->at[k];
    bool loud = kind->loud.n && below(m, 1000) < LOUD;
    const struct sample_list *list = loud ? &kind->loud : &kind->quiet;
    if (slice_equal(kind->code, SLICE("1")) || slice_equal(kind->code, SLICE("4688")))
        new_process(m, m->host);
    return list->at[below(m, (uint32_t)list->n)];
}

static const struct sample_channel *pick_channel(struct making *m)
{
    const struct samples *s = m->samples;
    double at = unit(m) * s->weight;
    size_t c = 0;
    while (c + 1 < s->channels.n && at >= s->channels.at[c].weight)
        at -= s->channels.at[c++].weight;
    return &s->channels.at[c];
}

static enum status open_day(struct making *m, const char *folder, uint32_t day, struct error *err)
{
    char path[4096], date[TIMESTAMP_TEXT];
    timestamp_text((FIRST_DAY + day * INT64_C(86400)) * NS_PER_SECOND, 0, date);
    snprintf(path, sizeof path, "%s/%.10s.evtx.zst", folder, date);
    m->out = evtx_out_new(path, day, err);
    return m->out ? OK : STATUS_SYSTEM;
}

static enum status write_day(struct making *m, const char *folder, uint32_t day, struct error *err)
{
    uint64_t end = m->events * (day + 1) / DAYS;
    double step = (double)DAYS * 86400 * (double)TICKS / (double)m->events;
    enum status status = open_day(m, folder, day, err);
    while (status == OK && m->number < end) {
        const struct sample_channel *channel = pick_channel(m);
        m->host = &m->hosts[skewed(m, HOSTS)];
        uint64_t chunks = evtx_out_chunks(m->out); /* one holds a channel of a host */
        while (status == OK && m->number < end && evtx_out_chunks(m->out) == chunks) {
            double at = ((double)m->number + unit(m)) * step;
            m->ticks = (uint64_t)((FIRST_DAY + EPOCH_1601) * TICKS) + (uint64_t)at;
            status = write_event(m, pick_sample(m, channel), err);
            m->number++;
        }
    }
    if (m->out) {
        enum status finished = evtx_out_finish(m->out, err);
        status = status == OK ? finished : status;
    }
    m->out = NULL;
    return status;
}

static enum status write_needles(const struct making *m, const char *folder, struct error *err)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/needles.txt", folder);
    FILE *out = fopen(path, "w");
    if (!out)
        return error_system(err, path, "can't be made");
    for (size_t i = 0; i < sizeof m->needles / sizeof *m->needles; i++)
        if (m->needles[i].kind)
            fprintf(out, "%s\t%s\t%u\n", m->needles[i].kind, m->needles[i].value,
                    m->needles[i].times);
    return fclose(out) == 0 ? OK : error_system(err, path, "can't be written");
}

int main(int argc, char **argv)
{
    static struct making m = {
        .events = 1000000,
        .seed = 1,
        .needles = {{"hash", "6B1F0C5A77E94D2C8A3B5E6F90D1C2B3A4958677F8E9DACBBCAD9E8F70615243",
                     HASHES, 0},
                    {"address", "203.0.113.77", OTHER_ADDRESS, 0},
                    {"domain", "gate.nightfall-4471.example", DOMAIN_NAME, 0},
                    {"substring", "qzkwjvxh", COMMAND, 0},
                    {"account", "CORP\\svc-nightfall", USER, 0}},
    };
    struct error err = {0};
    const char *loud = NULL;
    int i = 1;
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        if (strcmp(argv[i], "--events") == 0)
            m.events = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0)
            m.seed = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--loud") == 0)
            loud = argv[i + 1];
        else
            break;
    }
    if (argc - i != 2 || !m.events) {
        fprintf(stderr, "usage: %s --events N [--seed N] [--loud FINDINGS] SAMPLES OUT\n", argv[0]);
        return 2;
    }
    m.random = mix64(m.seed);
    m.ticks = (uint64_t)((FIRST_DAY + EPOCH_1601) * TICKS);
    enum status status = OK;
    if (mkdir(argv[i + 1], 0777) != 0 && errno != EEXIST)
        status = error_system(&err, argv[i + 1], "can't be made");
    if (status == OK) {
        m.samples = samples_read(argv[i], loud, &err);
        status = m.samples ? OK : err.status;
    }
    if (m.samples)
        make_hosts(&m);
    for (uint32_t day = 0; m.samples && status == OK && day < DAYS; day++)
        status = write_day(&m, argv[i + 1], day, &err);
    if (status == OK)
        status = write_needles(&m, argv[i + 1], &err);
    if (status != OK)
        error_print(&err, stderr);
    samples_free(m.samples);
    buf_free(&m.text);
    buf_free(&m.utf16);
    return status == OK ? 0 : 1;
}
