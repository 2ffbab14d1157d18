/* Our own correlation rules, through mappings and engine: what each is for is found, and what looks
 * like it is not. */
#include "test.h"

#include "base/arena.h"
#include "detect/correlation.h"
#include "detect/engine.h"

#include <stdio.h>
#include <stdlib.h>

/* `n` events, the first at second `from`, each `step` later. In `fields`, "name=value; ...", every
 * %d is the event's number. */
struct events {
    const char *log; /* a channel, or a category of Sigma */
    const char *code;
    int n, from, step;
    const char *fields;
};

struct scenario {
    const char *title; /* of the rule; NULL: none may tell anything */
    struct events events[4];
};

#define SPRAYING "IpAddress=::ffff:10.0.0.9"
#define GUESSED "TargetUserName=ann; IpAddress=10.0.0.9; LogonType=3"
#define MOVED "TargetUserName=adm; IpAddress=10.0.0.9; LogonType=3; Computer=pc%d"
#define ROASTED "TargetUserName=ann; IpAddress=::1; TicketEncryptionType=0x17; Status=0x0; "
#define CREATED "TargetSid=S-1-5-21-1-2-3-1105; TargetUserName=new"

static const struct scenario scenarios[] = {
    {"Logon After Many Failed Ones",
     {{"Security", "4625", 10, 0, 20, GUESSED}, {"Security", "4624", 1, 300, 0, GUESSED}}},
    {NULL, {{"Security", "4625", 9, 0, 20, GUESSED}, {"Security", "4624", 1, 300, 0, GUESSED}}},
    {NULL, {{"Security", "4624", 1, 0, 0, GUESSED}, {"Security", "4625", 10, 10, 20, GUESSED}}},
    {NULL, {{"Security", "4625", 10, 0, 20, GUESSED}, {"Security", "4624", 1, 900, 0, GUESSED}}},
    {"Password Spraying by Kerberos",
     {{"Security", "4771", 10, 0, 60, "TargetUserName=u%d; Status=0x18; " SPRAYING}}},
    {NULL, {{"Security", "4771", 10, 0, 60, "TargetUserName=ann; Status=0x18; " SPRAYING}}},
    {NULL, {{"Security", "4771", 10, 0, 60, "TargetUserName=u%d; Status=0x12; " SPRAYING}}},
    {NULL, {{"Security", "4771", 9, 0, 60, "TargetUserName=u%d; Status=0x18; " SPRAYING}}},
    {"One Account Logs on to Many Hosts", {{"Security", "4624", 10, 0, 10, MOVED}}},
    {NULL,
     {{"Security", "4624", 10, 0, 10,
       "TargetUserName=SRV$; IpAddress=10.0.0.9; LogonType=3; Computer=pc%d"}}},
    {NULL, {{"Security", "4624", 10, 0, 100, MOVED}}},
    {"Credentials Used on Many Targets",
     {{"Security", "4648", 10, 0, 10, "Computer=pc; SubjectUserName=ann; TargetServerName=s%d"}}},
    {NULL,
     {{"Security", "4648", 10, 0, 10,
       "Computer=pc; SubjectUserName=ann; TargetServerName=localhost"}}},
    {"Kerberoasting", {{"Security", "4769", 5, 0, 1, ROASTED "ServiceName=svc%d"}}},
    {NULL, {{"Security", "4769", 5, 0, 1, ROASTED "ServiceName=HOST%d$"}}},
    {"New Account Made An Administrator",
     {{"Security", "4720", 1, 0, 0, CREATED},
      {"Security", "4732", 1, 60, 0, "TargetSid=S-1-5-32-544; MemberSid=S-1-5-21-1-2-3-1105"}}},
    {NULL,
     {{"Security", "4720", 1, 0, 0, CREATED},
      {"Security", "4732", 1, 60, 0, "TargetSid=S-1-5-32-544; MemberSid=S-1-5-21-1-2-3-1104"}}},
    {NULL,
     {{"Security", "4720", 1, 0, 0, CREATED},
      {"Security", "4732", 1, 60, 0, "TargetSid=S-1-5-32-545; MemberSid=S-1-5-21-1-2-3-1105"}}},
    {"Account Created and Deleted Again",
     {{"Security", "4720", 1, 0, 0, CREATED}, {"Security", "4726", 1, 86400, 0, CREATED}}},
    {NULL, {{"Security", "4720", 1, 0, 0, CREATED}, {"Security", "4726", 1, 86401, 0, CREATED}}},
    {"The Same Service Installed on Many Hosts",
     {{"System", "7045", 3, 0, 600,
       "Provider_Name=Service Control Manager; ServiceName=x; Computer=pc%d"}}},
    {NULL,
     {{"System", "7045", 3, 0, 600,
       "Provider_Name=Service Control Manager; ServiceName=x%d; Computer=pc%d"}}},
    {"Event Logs Cleared on Several Hosts",
     {{"Security", "1102", 2, 0, 600,
       "Provider_Name=Microsoft-Windows-Eventlog; SubjectUserName=adm; Computer=pc%d"}}},
    {NULL,
     {{"Security", "1102", 2, 0, 600,
       "Provider_Name=Microsoft-Windows-Eventlog; SubjectUserName=adm; Computer=pc"}}},
    {"Port Scan of One Host",
     {{"firewall", "", 50, 0, 1,
       "source.ip=10.0.0.9; destination.ip=10.0.0.1; "
       "destination.port=%d"}}},
    {NULL,
     {{"firewall", "", 50, 0, 2,
       "source.ip=10.0.0.9; destination.ip=10.0.0.1; "
       "destination.port=%d"}}},
    {"One Port Tried on Many Hosts",
     {{"firewall", "", 30, 0, 1,
       "source.ip=10.0.0.9; destination.ip=10.0.0.%d; "
       "destination.port=445"}}},
    {NULL,
     {{"firewall", "", 30, 0, 1,
       "source.ip=10.0.0.9; destination.ip=10.0.0.%d; "
       "destination.port=443"}}},
    {"Much Data Sent to One Site",
     {{"proxy", "", 6, 0, 300,
       "source.ip=10.0.0.9; destination.domain=files.example; "
       "http.request.method=POST; source.bytes=100000000"}}},
    {NULL,
     {{"proxy", "", 6, 0, 300,
       "source.ip=10.0.0.9; destination.domain=s%d.example; "
       "http.request.method=POST; source.bytes=100000000"}}},
};

struct stage {
    struct ruleset *set;
    struct mappings *mappings;
    struct engine *engine;
    struct engine_worker *worker;
    struct correlator *correlator;
    struct correlator_worker *correlating;
    const char *title;
    unsigned told, others;
};

static enum status on_match(void *ctx, const struct sigma_rule *rule,
                            const struct log_binding *binding, struct block *b, uint32_t row,
                            struct error *err)
{
    struct stage *s = ctx;
    assert_true(rule->hidden); /* every plain rule here is there for a correlation */
    return correlator_match(s->correlating, rule, binding, b, row, err);
}

static enum status on_block(void *ctx, struct block *b, struct error *err)
{
    struct stage *s = ctx;
    return engine_run(s->worker, b, on_match, s, err);
}

static enum status on_finding(void *ctx, const struct finding *f, struct error *err)
{
    (void)err;
    struct stage *s = ctx;
    if (s->title && slice_equal(f->rule->title, slice_str(s->title)))
        s->told++;
    else
        s->others++;
    return OK;
}

static void put_fields(struct block *b, const char *fields, int number)
{
    struct arena a = {0};
    char name[64];
    for (const char *at = fields; *at;) {
        struct slice value = {0};
        size_t n = strcspn(at, "=");
        snprintf(name, sizeof name, "%.*s", (int)n, at);
        at += n + 1;
        for (n = strcspn(at, ";"); n > 0;) {
            size_t plain = strcspn(at, "%;");
            value = arena_printf(&a, "%.*s%.*s", SLICE_ARG(value), (int)plain, at);
            at += plain;
            n -= plain;
            if (n == 0)
                break;
            value = arena_printf(&a, "%.*s%d", SLICE_ARG(value), number);
            at += 2;
            n -= 2;
        }
        block_put(b, block_column(b, slice_str(name)), value_of_text(value));
        at += strspn(at, "; ");
    }
    arena_free(&a);
}

static void play(struct block_set *blocks, const struct events *events, uint64_t *record)
{
    bool windows = events->code[0] != '\0';
    struct event_kind kind = {.code = slice_str(events->code)};
    *(windows ? &kind.product : &kind.category) =
        windows ? SLICE("windows") : slice_str(events->log);
    if (windows)
        kind.channel = slice_str(events->log);
    for (int i = 0; i < events->n; i++) {
        struct error err;
        timestamp time = (events->from + (timestamp)i * events->step) * NS_PER_SECOND;
        struct block *b = block_set_open(blocks, &kind);
        assert_int_equal(block_row(b, time, (struct origin){0, ++*record}, &err), OK);
        if (windows)
            block_put(b, block_column(b, SLICE("EventID")), value_of_text(slice_str(events->code)));
        put_fields(b, events->fields, i);
    }
}

static void perform(struct stage *s, const struct scenario *scenario)
{
    struct error err;
    s->title = scenario->title;
    s->told = s->others = 0;
    s->correlator = correlator_new(s->set, &err);
    s->correlating = correlator_worker_new(s->correlator);
    struct block_set *blocks = block_set_new((struct block_sink){on_block, s});
    uint64_t record = 0;
    for (size_t i = 0; i < 4 && scenario->events[i].log; i++)
        play(blocks, &scenario->events[i], &record);
    assert_int_equal(block_set_flush(blocks, &err), OK);
    block_set_free(blocks);
    correlator_worker_free(s->correlating);
    assert_int_equal(correlator_finish(s->correlator, on_finding, s, &err), OK);
    correlator_free(s->correlator);
}

static void all_scenarios(void **state)
{
    (void)state;
    static const struct rule_choice all = {0};
    const struct rule_problem *problems;
    struct error err;
    struct stage s = {.set = ruleset_new()};
    char path[4096];
    snprintf(path, sizeof path, "%s/rules/correlations", getenv("SOURCE_ROOT"));
    assert_int_equal(ruleset_load(s.set, path, &all, &err), OK);
    ruleset_finish(s.set);
    if (ruleset_problems(s.set, &problems))
        fail_msg("%.*s:%u: %.*s", SLICE_ARG(problems->path), problems->line,
                 SLICE_ARG(problems->what));
    s.mappings = mappings_builtin(&err);
    s.engine = engine_new(s.set, s.mappings, &err);
    assert_non_null(s.engine);
    s.worker = engine_worker_new(s.engine);
    unsigned failed = 0;
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        perform(&s, &scenarios[i]);
        if (s.told == (s.title != NULL) && s.others == 0)
            continue;
        failed++;
        printf("# scenario %zu (%s): told %u, others %u\n", i, s.title ? s.title : "nothing",
               s.told, s.others);
    }
    assert_int_equal(failed, 0);
    /* every rule that tells something has a scenario in which it does */
    for (uint32_t i = 0; i < ruleset_count(s.set); i++) {
        const struct sigma_rule *rule = ruleset_rule(s.set, i);
        bool played = rule->hidden;
        for (size_t k = 0; k < sizeof scenarios / sizeof *scenarios; k++)
            played |= scenarios[k].title && slice_equal(rule->title, slice_str(scenarios[k].title));
        if (!played)
            fail_msg("no scenario for %.*s", SLICE_ARG(rule->title));
    }
    engine_worker_free(s.worker);
    engine_free(s.engine);
    mappings_free(s.mappings);
    ruleset_free(s.set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_scenarios),
    };
    return cmocka_run_group_tests_name("correlation rules", tests, NULL, NULL);
}
