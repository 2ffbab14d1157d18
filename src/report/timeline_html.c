/*
 * One HTML page that needs nothing else: no file beside it, no network. Its parts stand in
 * report/html/: page.html with holes ({{name}}), page.css, page.js.
 *
 * Findings go in as JSON while they come, so the page takes no more memory here than its distinct
 * texts. A text or rule stands in full where it comes first and is its number ever after; page.js
 * counts along. "<" is escaped in all JSON, so evidence can't end the element that holds it, and the
 * policy of the page runs no other script than the page's own (by its hash) and loads nothing.
 */
#include "base/embed.h"
#include "base/locale.h"
#include "report/timeline_internal.h"
#include "report/words.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    ROWS = 250000,           /* from here on only the levels from medium on, */
    ROWS_MOST = 2 * ROWS,    /* up to here: what browsers can hold */
    TEXTS_BYTES = 128 << 20, /* of texts remembered; what comes later is written each time */
};

extern const struct embedded_file html_files[];

struct page {
    struct slice left; /* of page.html, from the hole that is filled with rows */
    struct map texts, rules;
    size_t texts_bytes;
    uint32_t texts_n, rules_n; /* written in full so far */
    uint64_t rows, left_out, by_level[LEVELS];
    struct buf json;
};

/* ---- text and JSON in a page ---- */

/* Adds JSON in which no "<" is left; it only stands inside strings. */
static void add_json(struct buf *out, struct slice json)
{
    for (size_t i = 0; i < json.n; i++)
        if (json.p[i] == '<')
            buf_add(out, SLICE("\\u003c"));
        else
            buf_char(out, json.p[i]);
}

static void add_string(struct page *p, struct buf *out, struct slice s)
{
    buf_clear(&p->json);
    buf_json(&p->json, s);
    add_json(out, buf_slice(&p->json));
}

static void add_html(struct buf *out, struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        const char *entity = s.p[i] == '<'   ? "&lt;"
                             : s.p[i] == '>' ? "&gt;"
                             : s.p[i] == '&' ? "&amp;"
                             : s.p[i] == '"' ? "&quot;"
                                             : NULL;
        if (entity)
            buf_add(out, slice_str(entity));
        else
            buf_char(out, s.p[i]);
    }
}

/* ---- the page's parts ---- */

static unsigned hex_digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* The hash of a part as the policy wants it: base64 of what sha256sum wrote in hexadecimal. */
static void add_hash(struct buf *out, const char *part)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct slice hex = slice_sub(embedded_find(html_files, part), 0, 64);
    unsigned char bytes[33] = {0}; /* with one more, so that threes come out even */
    for (size_t i = 0; i + 1 < hex.n; i += 2)
        bytes[i / 2] = (unsigned char)(hex_digit(hex.p[i]) << 4 | hex_digit(hex.p[i + 1]));
    buf_add(out, SLICE("'sha256-"));
    for (size_t i = 0; i < sizeof bytes; i += 3) {
        unsigned three = (unsigned)bytes[i] << 16 | (unsigned)bytes[i + 1] << 8 | bytes[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6)
            buf_char(out, digits[three >> shift & 63]);
    }
    out->p[out->n - 1] = '='; /* for the byte that was not there */
    buf_char(out, '\'');
}

static void add_policy(struct buf *out)
{
    buf_add(out, SLICE("default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
                       "script-src "));
    add_hash(out, "page.js.sha256");
    buf_add(out, SLICE("; style-src "));
    add_hash(out, "page.css.sha256");
}

/* The messages of page.js, T("..."), with their translations: it need not know languages. */
static void add_messages(struct page *p, struct buf *out)
{
    struct slice left = embedded_find(html_files, "page.js");
    ptrdiff_t at;
    struct map seen = {0};
    buf_char(out, '{');
    while ((at = slice_find(left, SLICE("T(\""))) >= 0) {
        left = slice_sub(left, (size_t)at + 3, left.n);
        ptrdiff_t end = slice_find(left, SLICE("\""));
        struct slice message = slice_sub(left, 0, end < 0 ? left.n : (size_t)end);
        bool is_new;
        map_put(&seen, message, &is_new);
        if (!is_new)
            continue;
        struct arena scratch = {0};
        buf_add(out, slice_str(seen.n > 1 ? "," : ""));
        add_string(p, out, message);
        buf_char(out, ':');
        add_string(p, out, slice_str(locale_text(arena_slice(&scratch, message).p)));
        arena_free(&scratch);
    }
    map_free(&seen);
    buf_char(out, '}');
}

static void add_page(struct timeline *t, struct buf *out)
{
    struct page *p = t->own;
    buf_add(out, SLICE("{\"title\":"));
    add_string(p, out, slice_str(t->options.title ? t->options.title : _("Scan")));
    buf_printf(out, ",\"utc\":%s,\"total\":%" PRIu64 ",\"leftOut\":%" PRIu64 ",\"byLevel\":[",
               t->options.utc ? "true" : "false", t->n, p->left_out);
    for (int i = 0; i < LEVELS; i++)
        buf_printf(out, i ? ",%" PRIu64 : "%" PRIu64, p->by_level[i]);
    buf_add(out, SLICE("],\"levels\":["));
    for (int i = 0; i < LEVELS; i++) {
        buf_add(out, slice_str(i ? "," : ""));
        add_string(p, out, slice_str(level_label((enum sigma_level)i)));
    }
    buf_add(out, SLICE("],\"tactics\":{"));
    for (int i = 0; i < ATTACK_TACTICS; i++) {
        buf_printf(out, "%s\"%s\":", i ? "," : "", attack_tactics[i].key);
        add_string(p, out, slice_str(_(attack_tactics[i].label)));
    }
    buf_add(out, SLICE("},\"messages\":"));
    add_messages(p, out);
    buf_char(out, '}');
}

static void fill(struct timeline *t, struct slice hole)
{
    struct buf *out = &t->line;
    if (slice_equal(hole, SLICE("css")))
        buf_add(out, embedded_find(html_files, "page.css"));
    else if (slice_equal(hole, SLICE("js")))
        buf_add(out, embedded_find(html_files, "page.js"));
    else if (slice_equal(hole, SLICE("csp")))
        add_policy(out);
    else if (slice_equal(hole, SLICE("page")))
        add_page(t, out);
    else if (slice_equal(hole, SLICE("lang")))
        buf_add(out, slice_str(locale_language()));
    else if (slice_equal(hole, SLICE("noscript")))
        add_html(out, slice_str(_("This page needs JavaScript, its own; it loads nothing.")));
    else if (slice_equal(hole, SLICE("title"))) {
        buf_add(out, SLICE("hikeshi: "));
        add_html(out, slice_str(t->options.title ? t->options.title : _("Scan")));
    }
}

/* Copies the template up to the hole called `until` (to the end when there is none), filling the
 * others. */
static void fill_until(struct timeline *t, const char *until)
{
    struct page *p = t->own;
    ptrdiff_t at;
    while ((at = slice_find(p->left, SLICE("{{"))) >= 0) {
        buf_add(&t->line, slice_sub(p->left, 0, (size_t)at));
        p->left = slice_sub(p->left, (size_t)at + 2, p->left.n);
        ptrdiff_t end = slice_find(p->left, SLICE("}}"));
        struct slice hole = slice_sub(p->left, 0, end < 0 ? p->left.n : (size_t)end);
        p->left = slice_sub(p->left, hole.n + 2, p->left.n);
        if (slice_equal(hole, slice_str(until)))
            return;
        fill(t, hole);
    }
    buf_add(&t->line, p->left);
}

static enum status begin(struct timeline *t, struct error *err)
{
    (void)err;
    struct page *p = t->own = xcalloc(1, sizeof *p);
    p->left = embedded_find(html_files, "page.html");
    fill_until(t, "rows");
    return OK;
}

/* ---- rows ---- */

/* A text by its number, or in full when it is new. */
static void add_text(struct page *p, struct buf *out, struct slice s)
{
    const uint32_t *known = map_get(&p->texts, s);
    if (known) {
        buf_printf(out, "%" PRIu32, *known);
        return;
    }
    if (p->texts_bytes + s.n <= TEXTS_BYTES) {
        bool is_new;
        *map_put(&p->texts, s, &is_new) = p->texts_n;
        p->texts_bytes += s.n + 64; /* with what the map takes for it */
    }
    p->texts_n++;
    add_string(p, out, s);
}

static void add_slices(struct page *p, struct buf *out, const char *key, const struct slice *list,
                       uint32_t n)
{
    buf_printf(out, ",\"%s\":[", key);
    for (uint32_t i = 0; i < n; i++) {
        buf_add(out, slice_str(i ? "," : ""));
        add_string(p, out, list[i]);
    }
    buf_char(out, ']');
}

static void add_attack(struct buf *out, const struct sigma_rule *rule)
{
    const char *comma = "";
    uint32_t seen = 0;
    buf_add(out, SLICE(",\"tactics\":["));
    for (uint32_t i = 0; i < rule->tags_n; i++) {
        int tactic = attack_tactic(rule->tags[i]);
        if (tactic < 0 || seen >> tactic & 1)
            continue;
        seen |= UINT32_C(1) << tactic;
        buf_printf(out, "%s\"%s\"", comma, attack_tactics[tactic].key);
        comma = ",";
    }
    comma = "";
    buf_add(out, SLICE("],\"techniques\":["));
    char id[ATTACK_TECHNIQUE];
    for (uint32_t i = 0; i < rule->tags_n; i++) {
        if (!attack_technique(rule->tags[i], id))
            continue;
        buf_printf(out, "%s\"%s\"", comma, id);
        comma = ",";
    }
    buf_char(out, ']');
}

static void add_rule(struct page *p, struct buf *out, const struct sigma_rule *rule)
{
    bool is_new;
    uint32_t *number = map_put(&p->rules, slice_of(&rule, sizeof rule), &is_new);
    if (!is_new) {
        buf_printf(out, "%" PRIu32, *number);
        return;
    }
    *number = p->rules_n++;
    buf_printf(out, "{\"level\":%d", (int)rule->level);
    const struct {
        const char *key;
        struct slice text;
    } texts[] = {{"title", rule->title},
                 {"id", rule->id},
                 {"path", rule->path},
                 {"description", rule->description}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        buf_printf(out, ",\"%s\":", texts[i].key);
        add_string(p, out, texts[i].text);
    }
    add_attack(out, rule);
    add_slices(p, out, "tags", rule->tags, rule->tags_n);
    add_slices(p, out, "references", rule->references, rule->references_n);
    add_slices(p, out, "falsepositives", rule->falsepositives, rule->falsepositives_n);
    buf_char(out, '}');
}

/* Microseconds, which JavaScript's numbers hold. */
static void add_time(struct buf *out, timestamp t)
{
    if (t == TIMESTAMP_NONE)
        buf_add(out, SLICE("null"));
    else
        buf_printf(out, "%" PRId64, t / 1000 - (t % 1000 < 0));
}

static enum status add(struct timeline *t, const struct finding *finding, struct error *err)
{
    (void)err;
    struct page *p = t->own;
    struct buf *out = &t->line;
    p->by_level[finding->rule->level]++;
    if (p->rows >= ROWS_MOST || (p->rows >= ROWS && finding->rule->level < LEVEL_MEDIUM)) {
        p->left_out++;
        return OK;
    }
    buf_add(out, slice_str(p->rows++ ? ",\n[" : "["));
    add_time(out, finding->time);
    buf_char(out, ',');
    add_rule(p, out, finding->rule);
    const struct slice texts[] = {finding->host, finding->channel, finding->provider, finding->code,
                                  finding->events_n ? timeline_source(t, finding->events[0])
                                                    : (struct slice){"", 0}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        buf_char(out, ',');
        add_text(p, out, texts[i]);
    }
    buf_printf(out, ",\"%" PRIu64 "\",%" PRIu64 ",",
               finding->events_n ? finding->events[0].record : 0, finding->count);
    add_time(out, finding->first);
    buf_add(out, SLICE(",["));
    for (uint32_t i = 0; i < finding->fields_n; i++) {
        buf_add(out, slice_str(i ? "," : ""));
        add_text(p, out, finding->fields[i].name);
        buf_char(out, ',');
        add_text(p, out, finding->fields[i].text);
    }
    buf_add(out, SLICE("]]"));
    return OK;
}

static enum status end(struct timeline *t, const struct summary *summary, struct error *err)
{
    (void)summary;
    (void)err;
    struct page *p = t->own;
    fill_until(t, "");
    map_free(&p->texts);
    map_free(&p->rules);
    buf_free(&p->json);
    return OK;
}

const struct timeline_format timeline_html = {
    .name = "html",
    .what = N_("one page with charts and a table that filters"),
    .summary = true,
    .begin = begin,
    .add = add,
    .end = end,
};
