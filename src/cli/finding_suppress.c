/* hikeshi finding suppress, unsuppress, suppressions: what need not be shown, and why. */
#include "cli/data_folder.h"
#include "cli/detection.h"
#include "cli/finding_data.h"
#include "cli/finding_print.h"
#include "cli/outfile.h"
#include "cli/progress.h"

#include "base/vec.h"
#include "casebook/suppression.h"
#include "report/term.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct suppress_values {
    struct data_values data;
    const char *rule, *host, *reason, *owner;
    struct text_list fields;
    struct option_time until;
    bool json;
};

struct plain_values {
    struct data_values data;
    bool json;
};

struct run {
    struct finding_data data;
    char by[512];
    timestamp now;
};

static enum status open_all(struct run *r, const struct data_values *data, struct error *err)
{
    r->now = timestamp_now();
    data_folder_user(r->by, sizeof r->by);
    return finding_open(&r->data, data, err);
}

/* ---- suppress ---- */

#define AT(member) .at = offsetof(struct suppress_values, member)

static const struct option suppress_options[] = {
    DATA_OPTIONS(struct suppress_values),
    {0, "rule", OPTION_TEXT, "RULE", N_("of this rule: its id or title"), AT(rule),
     .group = N_("What is suppressed")},
    {0, "host", OPTION_TEXT, "NAME", N_("of this host; * is any text, ? any character"), AT(host)},
    {0, "field", OPTION_LIST, "NAME=TEXT",
     N_("with this text in this field, in upper or lower case; * is any text, ? any character; may "
        "be given again"),
     AT(fields)},
    {0, "reason", OPTION_TEXT, "TEXT", N_("why it need not be shown"), AT(reason),
     .group = N_("Who answers for it")},
    {0, "owner", OPTION_TEXT, "NAME", N_("who decided it"), AT(owner)},
    {0, "until", OPTION_TIME, "TIME", N_("when it ends: 2026-12-31, or 90d for in ninety days"),
     AT(until), .ends = true, .ahead = true},
    {0, "json", OPTION_FLAG, NULL, N_("tell it as JSON"), AT(json), .group = N_("How")},
    {0},
};

static const struct example suppress_examples[] = {
    {"hikeshi finding suppress 17 --reason 'our backup job' --owner IT --until 90d",
     N_("finding 17 and its like: the same rule on the same host")},
    {"hikeshi finding suppress --rule 'Whoami Execution' --host 'build*' --field 'User=*\\\\ci' "
     "--reason 'tests ask who they are' --owner CSIRT --until 2026-12-31",
     N_("one account on the build servers")},
    {NULL, NULL},
};

/* Rule and host of a finding, where the options do not say others. */
static enum status from_finding(struct run *r, const char *operand, struct suppression *s,
                                struct error *err)
{
    struct known_finding f;
    bool found = false;
    char *end;
    long long id = strtoll(operand, &end, 10);
    enum status status = OK;
    if (!*end)
        status = known_get(r->data.casebook, id, &r->data.arena, &f, &found, err);
    if (status == OK && !found)
        return error_set(err, STATUS_BAD_USE, operand, ERROR_NO_OFFSET,
                         "there is no finding of this number; hikeshi finding list shows all");
    if (status != OK)
        return status;
    if (!s->rule.n)
        s->rule = f.rule_id.n ? f.rule_id : f.title;
    if (!s->host.n)
        s->host = f.host;
    return OK;
}

static enum status read_conditions(struct run *r, const struct text_list *fields,
                                   struct suppression *s, struct error *err)
{
    s->conditions = arena_zero(&r->data.arena, fields->n, sizeof *s->conditions);
    for (size_t i = 0; i < fields->n; i++) {
        const char *text = fields->at[i], *equals = strchr(text, '=');
        if (!equals || equals == text)
            return error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET,
                             "--field: \"%s\" is not NAME=TEXT", text);
        s->conditions[s->conditions_n++] = (struct suppression_condition){
            slice_of(text, (size_t)(equals - text)), slice_str(equals + 1)};
    }
    return OK;
}

static int suppress_run(const struct command *self, void *values, const struct text_list *operands)
{
    (void)self;
    const struct suppress_values *v = values;
    struct run r = {0};
    struct error err = {0};
    enum status status = open_all(&r, &v->data, &err);
    struct suppression s = {.rule = slice_str(v->rule),
                            .host = slice_str(v->host),
                            .reason = slice_str(v->reason),
                            .owner = slice_str(v->owner),
                            .until = v->until.given ? v->until.at : TIMESTAMP_NONE,
                            .made = r.now,
                            .made_by = slice_str(r.by)};
    int64_t id = 0;
    if (status == OK && operands->n)
        status = from_finding(&r, operands->at[0], &s, &err);
    if (status == OK)
        status = read_conditions(&r, &v->fields, &s, &err);
    if (status == OK)
        status = suppression_add(r.data.casebook, &s, &id, &err);
    if (status == OK && v->json)
        buf_printf(&r.data.line, "{\"suppression\":%lld}\n", (long long)id);
    else if (status == OK)
        buf_printf(&r.data.line, _("suppression %lld is in force\n"), (long long)id);
    return finding_close(&r.data, status, &err);
}

extern const struct command finding_suppress_command;
const struct command finding_suppress_command = {
    .name = "finding suppress",
    .what = N_("do not show findings of a kind, for a reason and a time"),
    .operands = "[NUMBER]",
    .operands_most = 1,
    .about =
        N_("Findings that are known to be harmless need not be shown. A suppression means a "
           "rule, a host, fields, or several of these together: all must hold. With the number "
           "of a finding it means the rule and the host of that.\n\n"
           "What is suppressed is kept and counted all the same, and shown again when "
           "something comes after the suppression has ended."),
    .options = suppress_options,
    .examples = suppress_examples,
    .values_size = sizeof(struct suppress_values),
    .run = suppress_run,
};

/* ---- unsuppress ---- */

static const struct option plain_options[] = {
    DATA_OPTIONS(struct plain_values),
    {0, "json", OPTION_FLAG, NULL, N_("JSON lines"), .at = offsetof(struct plain_values, json),
     .group = N_("How")},
    {0},
};

static const struct example unsuppress_examples[] = {
    {"hikeshi finding unsuppress 3", N_("what suppression 3 hides is shown again")},
    {NULL, NULL},
};

static int unsuppress_run(const struct command *self, void *values,
                          const struct text_list *operands)
{
    (void)self;
    const struct plain_values *v = values;
    struct run r = {0};
    struct error err = {0};
    enum status status = open_all(&r, &v->data, &err);
    for (size_t i = 0; status == OK && i < operands->n; i++) {
        char *end;
        long long id = strtoll(operands->at[i], &end, 10);
        bool found = false;
        if (!*end)
            status = suppression_lift(r.data.casebook, id, r.now, slice_str(r.by), &found, &err);
        if (status == OK && !found)
            status = error_set(&err, STATUS_BAD_USE, operands->at[i], ERROR_NO_OFFSET,
                               "no suppression of this number is in force; hikeshi finding "
                               "suppressions shows all");
        if (status == OK && v->json)
            buf_printf(&r.data.line, "{\"lifted\":%lld}\n", id);
        else if (status == OK)
            buf_printf(&r.data.line, _("suppression %lld is lifted\n"), id);
    }
    return finding_close(&r.data, status, &err);
}

extern const struct command finding_unsuppress_command;
const struct command finding_unsuppress_command = {
    .name = "finding unsuppress",
    .what = N_("lift suppressions"),
    .operands = "NUMBER...",
    .operands_least = 1,
    .operands_most = OPERANDS_ANY,
    .options = plain_options,
    .examples = unsuppress_examples,
    .values_size = sizeof(struct plain_values),
    .run = unsuppress_run,
};

/* ---- suppressions ---- */

static const struct example suppressions_examples[] = {
    {"hikeshi finding suppressions", N_("which there are, whose, until when, and what they hide")},
    {NULL, NULL},
};

static const char *state_of(const struct run *r, const struct suppression *s)
{
    return s->lifted != TIMESTAMP_NONE ? "lifted" : s->until <= r->now ? "ended" : "in force";
}

static void put_member(struct buf *b, const char *name, struct slice text)
{
    if (!text.n)
        return;
    buf_printf(b, ",\"%s\":", name);
    buf_json(b, text);
}

static void json(struct run *r, const struct suppression *s)
{
    struct buf *b = &r->data.line;
    buf_printf(b, "{\"suppression\":%lld,\"state\":\"%s\"", (long long)s->id, state_of(r, s));
    put_member(b, "rule", s->rule);
    put_member(b, "host", s->host);
    buf_add(b, SLICE(",\"fields\":{"));
    for (uint32_t i = 0; i < s->conditions_n; i++) {
        if (i)
            buf_char(b, ',');
        buf_json(b, s->conditions[i].field);
        buf_char(b, ':');
        buf_json(b, s->conditions[i].pattern);
    }
    buf_char(b, '}');
    put_member(b, "reason", s->reason);
    put_member(b, "owner", s->owner);
    put_moment(b, "until", s->until);
    put_moment(b, "made", s->made);
    put_member(b, "made_by", s->made_by);
    put_moment(b, "lifted", s->lifted);
    put_member(b, "lifted_by", s->lifted_by);
    buf_printf(b, ",\"findings\":%" PRIu64 ",\"matches\":%" PRIu64 "}\n", s->hides, s->matches);
}

/* "rule X, host Y, Image = *\\a.exe" */
static void put_meaning(struct buf *b, const struct suppression *s)
{
    const char *separator = "";
    if (s->rule.n) {
        buf_printf(b, _("rule %.*s"), SLICE_ARG(s->rule));
        separator = ", ";
    }
    if (s->host.n) {
        buf_add(b, slice_str(separator));
        buf_printf(b, _("host %.*s"), SLICE_ARG(s->host));
        separator = ", ";
    }
    for (uint32_t i = 0; i < s->conditions_n; i++) {
        buf_printf(b, "%s%.*s = %.*s", separator, SLICE_ARG(s->conditions[i].field),
                   SLICE_ARG(s->conditions[i].pattern));
        separator = ", ";
    }
}

static void text(struct run *r, const struct suppression *s)
{
    static const char *const states[] = {N_("lifted"), N_("ended"), N_("in force")};
    struct buf meaning = {0};
    char until[TIMESTAMP_TEXT];
    const char *state = state_of(r, s);
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcmp(states[i], state) == 0)
            state = _(states[i]);
    put_meaning(&meaning, s);
    timestamp_text(s->until, 0, until);
    buf_printf(&r->data.line, "%lld  %s  ", (long long)s->id, state);
    term_clean(&r->data.line, buf_slice(&meaning));
    buf_free(&meaning);
    buf_printf(&r->data.line, _("\n    until %s; hides %zu findings (%zu matches)\n    reason: "),
               until, (size_t)s->hides, (size_t)s->matches);
    term_clean(&r->data.line, s->reason);
    buf_add(&r->data.line, slice_str(_("\n    owner: ")));
    term_clean(&r->data.line, s->owner);
    buf_char(&r->data.line, '\n');
}

static int suppressions_run(const struct command *self, void *values,
                            const struct text_list *operands)
{
    (void)self;
    (void)operands;
    const struct plain_values *v = values;
    struct run r = {0};
    struct error err = {0};
    struct suppression *list = NULL;
    size_t n = 0;
    enum status status = open_all(&r, &v->data, &err);
    if (status == OK)
        status = suppression_list(r.data.casebook, &r.data.arena, &list, &n, &err);
    for (size_t i = 0; status == OK && i < n; i++) {
        if (v->json)
            json(&r, &list[i]);
        else
            text(&r, &list[i]);
    }
    return finding_close(&r.data, status, &err);
}

extern const struct command finding_suppressions_command;
const struct command finding_suppressions_command = {
    .name = "finding suppressions",
    .what = N_("list what is suppressed, by whom, why and until when"),
    .options = plain_options,
    .examples = suppressions_examples,
    .values_size = sizeof(struct plain_values),
    .run = suppressions_run,
};
