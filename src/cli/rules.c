/*
 * hikeshi rules check, hikeshi rules list: what a set of rules holds, and what is wrong with it.
 */
#include "cli/rule_options.h"

#include "base/buf.h"
#include "base/locale.h"
#include "cli/progress.h"
#include "detect/check.h"
#include "detect/correlation.h"
#include "report/term.h"

#include <inttypes.h>

struct rules_values {
    struct rule_values rules;
    bool json, all;
};

/* A result to run with; or the exit status when there is none. */
static int load(const struct rules_values *v, const struct text_list *paths, struct ruleset **set,
                struct mappings **mappings)
{
    struct error err = {0};
    enum status status = rule_options_confine(&v->rules, paths, &err);
    if (status == OK)
        status = rule_options_load(&v->rules, paths, set, mappings, &err);
    if (status == OK)
        return EXIT_STATUS_CLEAN;
    error_print(&err, stderr);
    return EXIT_STATUS_BAD_USE;
}

static void put_text(FILE *out, struct slice s)
{
    struct buf clean = {0};
    term_clean(&clean, s);
    buf_write(&clean, out);
    buf_free(&clean);
}

static struct slice source_text(struct arena *a, const struct sigma_logsource *l)
{
    return logsource_text(a, l->product, l->category, l->service);
}

static void json_member(struct buf *b, const char *name, struct slice text)
{
    buf_printf(b, "\"%s\":", name);
    buf_json(b, text);
}

static void json_source(struct buf *b, const struct sigma_logsource *l)
{
    const struct {
        const char *name;
        struct slice text;
    } parts[] = {{"product", l->product}, {"category", l->category}, {"service", l->service}};
    bool first = true;
    buf_char(b, '{');
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].text.n) {
            if (!first)
                buf_char(b, ',');
            json_member(b, parts[i].name, parts[i].text);
            first = false;
        }
    buf_char(b, '}');
}

/* ---- rules check ---- */

static void tell_remarks(const struct check *c, bool all)
{
    for (size_t i = 0; i < c->remarks_n; i++) {
        const struct check_remark *r = &c->remarks[i];
        if (r->kind == CHECK_UNREAD && !all)
            continue; /* the table below says it for each log source */
        put_text(stdout, r->path);
        if (r->line)
            printf(":%" PRIu32, r->line);
        if (r->line && r->column)
            printf(":%" PRIu32, r->column);
        fputs(": ", stdout);
        if (r->title.n) {
            put_text(stdout, r->title);
            fputs(": ", stdout);
        }
        put_text(stdout, r->what);
        putchar('\n');
    }
}

static void tell_sources(const struct check *c)
{
    const struct term_column columns[] = {{.title = _("Rules"), .align = TERM_RIGHT},
                                          {.title = _("Never match"), .align = TERM_RIGHT},
                                          {.title = _("Log source"), .flexible = true},
                                          {.title = ""}};
    struct term_table t = {.columns = columns, .columns_n = 4, .width = terminal_width(stdout)};
    struct arena names = {0};
    struct buf out = {0};
    for (size_t i = 0; i < c->sources_n; i++) {
        const struct check_source *s = &c->sources[i];
        const char *state = s->read ? "" : s->bindings_n ? _("not read yet") : _("unknown");
        term_table_number(&t, s->rules);
        term_table_number(&t, s->never);
        term_table_add(&t, source_text(&names, &s->logsource), TERM_PLAIN);
        term_table_add(&t, slice_str(state), TERM_PLAIN);
    }
    if (c->sources_n)
        term_table_print(&t, &out);
    buf_write(&out, stdout);
    buf_free(&out);
    arena_free(&names);
}

static void tell_check(const struct check *c, bool all)
{
    tell_remarks(c, all);
    if (c->remarks_n > c->counts[CHECK_UNREAD] || (c->remarks_n && all))
        putchar('\n');
    tell_sources(c);
    const struct {
        size_t n;
        const char *what;
    } lines[] = {
        {c->rules, _("can be used")},
        {c->correlations, _("of these, correlations")},
        {c->counts[CHECK_UNUSABLE], _("can't be used")},
        {c->counts[CHECK_NEVER] + c->counts[CHECK_UNKNOWN], _("can never match")},
        {c->counts[CHECK_LACKS], _("wait for placeholders (--placeholders FILE)")},
        {c->counts[CHECK_UNREAD], _("are for logs that are not read yet")},
        {c->counts[CHECK_NAMES], _("have ECS's field names, which their events lack")},
        {c->counts[CHECK_UNUSED], _("searches are used by no condition")},
    };
    putchar('\n');
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (lines[i].n || i == 0)
            printf("%9zu %s\n", lines[i].n, lines[i].what);
}

static void json_remarks(struct buf *b, const struct check *c)
{
    buf_add(b, SLICE("\"remarks\":["));
    for (size_t i = 0; i < c->remarks_n; i++) {
        const struct check_remark *r = &c->remarks[i];
        buf_printf(b, "%s{\"kind\":\"%s\",", i ? "," : "", check_kind_name(r->kind));
        json_member(b, "path", r->path);
        buf_printf(b, ",\"line\":%" PRIu32 ",\"column\":%" PRIu32 ",", r->line, r->column);
        json_member(b, "title", r->title);
        buf_char(b, ',');
        if (r->rule && r->rule->id.n) {
            json_member(b, "id", r->rule->id);
            buf_char(b, ',');
        }
        json_member(b, "what", r->what);
        buf_char(b, '}');
    }
    buf_add(b, SLICE("]"));
}

static void json_check(const struct check *c, const struct mappings *m)
{
    struct buf b = {0};
    buf_printf(&b, "{\"rules\":%zu,\"correlations\":%zu", c->rules, c->correlations);
    for (int k = 0; k < CHECK_KINDS; k++)
        buf_printf(&b, ",\"%s\":%zu", check_kind_name((enum check_kind)k), c->counts[k]);
    buf_char(&b, ',');
    json_remarks(&b, c);
    buf_add(&b, SLICE(",\"logsources\":["));
    for (size_t i = 0; i < c->sources_n; i++) {
        const struct check_source *s = &c->sources[i];
        buf_printf(&b, "%s{\"logsource\":", i ? "," : "");
        json_source(&b, &s->logsource);
        buf_printf(&b, ",\"rules\":%" PRIu32 ",\"never\":%" PRIu32 ",\"read\":%s,\"events\":[",
                   s->rules, s->never, s->read ? "true" : "false");
        for (uint32_t k = 0; k < s->bindings_n; k++) {
            if (k)
                buf_char(&b, ',');
            buf_json(&b, mappings_get(m, s->bindings[k])->name);
        }
        buf_add(&b, SLICE("]}"));
    }
    buf_add(&b, SLICE("]}\n"));
    buf_write(&b, stdout);
    buf_free(&b);
}

static int run_check(const struct command *self, void *values, const struct text_list *operands)
{
    (void)self;
    const struct rules_values *v = values;
    struct ruleset *set = NULL;
    struct mappings *mappings = NULL;
    int result = load(v, operands, &set, &mappings);
    if (result == EXIT_STATUS_CLEAN) {
        struct check *c = check_rules(set, mappings);
        if (v->json)
            json_check(c, mappings);
        else
            tell_check(c, v->all);
        result = check_finds_faults(c) ? EXIT_STATUS_FINDINGS : EXIT_STATUS_CLEAN;
        check_free(c);
    }
    mappings_free(mappings);
    ruleset_free(set);
    return result;
}

/* ---- rules list ---- */

static void json_list(struct buf *b, const char *name, const struct slice *list, uint32_t n)
{
    buf_printf(b, ",\"%s\":[", name);
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            buf_char(b, ',');
        buf_json(b, list[i]);
    }
    buf_char(b, ']');
}

static void json_rule(struct buf *b, const struct sigma_rule *r)
{
    buf_char(b, '{');
    json_member(b, "title", r->title);
    const struct {
        const char *name;
        struct slice text;
    } texts[] = {{"id", r->id},
                 {"name", r->name},
                 {"level", slice_str(sigma_level_name(r->level))},
                 {"status", slice_str(sigma_status_name(r->status))},
                 {"date", r->date},
                 {"modified", r->modified},
                 {"author", r->author},
                 {"path", r->path},
                 {"lacks", r->lacks}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].text.n) {
            buf_char(b, ',');
            json_member(b, texts[i].name, texts[i].text);
        }
    buf_printf(b, ",\"line\":%" PRIu32 ",\"correlation\":%s,\"logsource\":", r->line,
               r->correlation ? "true" : "false");
    json_source(b, &r->logsource);
    json_list(b, "tags", r->tags, r->tags_n);
    json_list(b, "references", r->references, r->references_n);
    json_list(b, "falsepositives", r->falsepositives, r->falsepositives_n);
    buf_add(b, SLICE("}\n"));
}

static void text_rule(const struct sigma_rule *r)
{
    struct arena names = {0};
    struct slice source = source_text(&names, &r->logsource);
    printf("%-13s  %-12s  ", sigma_level_name(r->level), sigma_status_name(r->status));
    put_text(stdout, r->correlation ? SLICE("correlation") : source);
    fputs("  ", stdout);
    put_text(stdout, r->title);
    fputs("  ", stdout);
    put_text(stdout, r->path);
    printf(":%" PRIu32 "\n", r->line);
    arena_free(&names);
}

static int run_list(const struct command *self, void *values, const struct text_list *operands)
{
    (void)self;
    const struct rules_values *v = values;
    struct ruleset *set = NULL;
    struct buf b = {0};
    int result = load(v, operands, &set, NULL);
    for (uint32_t i = 0; result == EXIT_STATUS_CLEAN && i < ruleset_count(set); i++) {
        const struct sigma_rule *r = ruleset_rule(set, i);
        buf_clear(&b);
        if (v->json) {
            json_rule(&b, r);
            buf_write(&b, stdout);
        } else {
            text_rule(r);
        }
    }
    const struct rule_problem *problems;
    size_t n = set ? ruleset_problems(set, &problems) : 0;
    if (n)
        fprintf(stderr,
                locale_plural("hikeshi: %zu rule can't be used; hikeshi rules check tells why\n",
                              "hikeshi: %zu rules can't be used; hikeshi rules check tells why\n",
                              n),
                n);
    buf_free(&b);
    ruleset_free(set);
    return result;
}

/* ---- the commands ---- */

static const struct option check_options[] = {
    RULE_OPTIONS(struct rules_values),
    {0, "json", OPTION_FLAG, NULL, N_("one JSON object"), .at = offsetof(struct rules_values, json),
     .group = N_("What is told")},
    {0, "all", OPTION_FLAG, NULL, N_("name each rule for logs that are not read yet, too"),
     .at = offsetof(struct rules_values, all)},
    {0},
};

static const struct option list_options[] = {
    RULE_OPTIONS(struct rules_values),
    {0, "json", OPTION_FLAG, NULL, N_("one JSON object a rule and line"),
     .at = offsetof(struct rules_values, json), .group = N_("What is told")},
    {0},
};

static const struct example check_examples[] = {
    {"hikeshi rules check rules/", N_("before a change to rules goes in")},
    {"hikeshi rules check --json sigma/rules | jq .logsources",
     N_("how many rules for which logs")},
    {NULL, NULL},
};

static const struct example list_examples[] = {
    {"hikeshi rules list -l high --logsource windows/security sigma/rules",
     N_("what is looked for in the Security log")},
    {"hikeshi rules list --tag attack.t1003 --json rules/ | jq .title", N_("rules of a technique")},
    {NULL, NULL},
};

extern const struct command rules_check_command, rules_list_command;
const struct command rules_check_command = {
    .name = "rules check",
    .what = N_("find what is wrong with Sigma rules"),
    .operands = "DIR...",
    .operands_least = 1,
    .operands_most = OPERANDS_ANY,
    .about =
        N_("Names every rule that can't be used, with file, line, column and what to do; rules "
           "that can never match, because they contradict themselves or their log source; and "
           "counts rules by log source.\n\n"
           "The exit status is 1 when there is something to mend. Rules for logs that are not "
           "read yet, and rules that wait for placeholders, are told but are no fault."),
    .options = check_options,
    .examples = check_examples,
    .values_size = sizeof(struct rules_values),
    .run = run_check,
};
const struct command rules_list_command = {
    .name = "rules list",
    .what = N_("list Sigma rules"),
    .operands = "DIR...",
    .operands_least = 1,
    .operands_most = OPERANDS_ANY,
    .about = N_("One line a rule: level, status, log source, title and place, in the order of the "
                "files' names."),
    .options = list_options,
    .examples = list_examples,
    .values_size = sizeof(struct rules_values),
    .run = run_list,
};
