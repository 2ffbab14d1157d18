/* Correlations from their YAML to what is told: the examples of the specification with values of
 * our own, what bursts are, and what the loader says of rules that can't be used. */
#include "test.h"

#include "base/vec.h"
#include "detect/correlation.h"

#include <stdio.h>
#include <stdlib.h>

struct run {
    struct ruleset *set;
    struct correlator *c;
    struct correlator_worker *w;
    struct block_set *blocks;
    char lines[16][256]; /* as they come, which is by no order that can be seen */
    size_t lines_n;
    char told[4096]; /* a line a finding, sorted */
    struct correlator_counts counts;
};

static const char logon_rules[] = "title: Failed logon\n"
                                  "name: failed\n"
                                  "logsource: {product: windows, service: security}\n"
                                  "detection: {s: {EventID: 4625}, condition: s}\n"
                                  "---\n"
                                  "title: Logon\n"
                                  "name: success\n"
                                  "logsource: {product: windows, service: security}\n"
                                  "detection: {s: {EventID: 4624}, condition: s}\n"
                                  "---\n";

static enum status no_block(void *ctx, struct block *b, struct error *err)
{
    (void)ctx;
    (void)b;
    (void)err;
    return OK;
}

static enum status tell(void *ctx, const struct finding *f, struct error *err)
{
    (void)err;
    struct run *run = ctx;
    assert_true(run->lines_n < 16);
    char *line = run->lines[run->lines_n++];
    size_t room = sizeof run->lines[0];
    size_t at = (size_t)snprintf(line, room, "%.*s %d-%d x%d", SLICE_ARG(f->rule->title),
                                 (int)(f->first / NS_PER_SECOND), (int)(f->time / NS_PER_SECOND),
                                 (int)f->count);
    for (uint32_t i = 0; i < f->fields_n; i++)
        at += (size_t)snprintf(line + at, room - at, " %.*s=%.*s", SLICE_ARG(f->fields[i].name),
                               SLICE_ARG(f->fields[i].text));
    if (f->host.n)
        at += (size_t)snprintf(line + at, room - at, " on %.*s", SLICE_ARG(f->host));
    snprintf(line + at, room - at, "\n");
    return OK;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static const struct sigma_rule *rule_called(const struct ruleset *set, const char *name)
{
    for (uint32_t i = 0; i < ruleset_count(set); i++)
        if (slice_equal(ruleset_rule(set, i)->name, slice_str(name)))
            return ruleset_rule(set, i);
    fail_msg("no rule %s", name);
    return NULL;
}

/* A match of a rule: "NAME SECOND FIELD=VALUE ...", without white space in values; - for no time. */
static void match(struct run *run, const char *line, uint64_t number)
{
    char copy[512], *rest = copy, *word;
    snprintf(copy, sizeof copy, "%s", line);
    const struct sigma_rule *rule = rule_called(run->set, strtok_r(rest, " ", &rest));
    const char *second = strtok_r(rest, " ", &rest);
    timestamp time = second[0] == '-' ? TIMESTAMP_NONE : strtol(second, NULL, 10) * NS_PER_SECOND;
    struct event_kind kind = {.product = SLICE("test")};
    struct error err;
    struct block *b = block_set_open(run->blocks, &kind);
    assert_int_equal(block_row(b, time, (struct origin){0, number}, &err), OK);
    while ((word = strtok_r(rest, " ", &rest))) {
        char *equals = strchr(word, '=');
        block_put(b, block_column(b, slice_of(word, (size_t)(equals - word))),
                  value_of_text(slice_str(equals + 1)));
    }
    assert_int_equal(correlator_match(run->w, rule, NULL, b, b->rows - 1, &err), OK);
}

/* Loads the rules (all of which must be sound) and correlates; `lines` is ended by NULL. */
static void correlate(struct run *run, const char *const *yaml, const char *const *lines)
{
    static const struct rule_choice all = {0};
    const struct rule_problem *problems;
    struct error err;
    *run = (struct run){.set = ruleset_new()};
    for (; *yaml; yaml++)
        assert_int_equal(ruleset_load_text(run->set, slice_str(*yaml), "test.yml", &all, &err), OK);
    ruleset_finish(run->set);
    if (ruleset_problems(run->set, &problems))
        fail_msg("%.*s", SLICE_ARG(problems->what));
    run->c = correlator_new(run->set, &err);
    assert_non_null(run->c);
    run->w = correlator_worker_new(run->c);
    run->blocks = block_set_new((struct block_sink){no_block, NULL});
    for (uint64_t number = 1; *lines; lines++, number++)
        match(run, *lines, number);
    correlator_worker_free(run->w);
    assert_int_equal(correlator_finish(run->c, tell, run, &err), OK);
    qsort(run->lines, run->lines_n, sizeof run->lines[0], by_text);
    size_t at = 0;
    for (size_t i = 0; i < run->lines_n; i++)
        at += (size_t)snprintf(run->told + at, sizeof run->told - at, "%s", run->lines[i]);
    run->counts = correlator_counts(run->c);
    correlator_free(run->c);
    block_set_free(run->blocks);
}

#define CORRELATE(run, yaml, ...)                                                                  \
    correlate(run, (const char *const[]){logon_rules, yaml, NULL},                                 \
              (const char *const[]){__VA_ARGS__, NULL})

static void counts_events(void **state)
{
    (void)state;
    struct run run;
    const char *yaml = "title: Many\n"
                       "correlation:\n"
                       "  type: event_count\n"
                       "  rules: [failed]\n"
                       "  group-by: [TargetUserName]\n"
                       "  timespan: 1m\n"
                       "  condition: {gte: 3}\n";
    /* two are not enough; 3 within a minute, ends included; case does not matter */
    CORRELATE(&run, yaml, "failed 0 TargetUserName=ann Computer=a",
              "failed 10 TargetUserName=bob Computer=a", "failed 30 TargetUserName=Ann Computer=a",
              "failed 60 TargetUserName=ann Computer=a", "failed 70 TargetUserName=bob Computer=b",
              "failed 71 TargetUserName=bob Computer=a");
    assert_string_equal(run.told, "Many 0-60 x3 TargetUserName=Ann on a\n");
    ruleset_free(run.set);

    /* one burst is told once, as long as it goes on; a pause longer than the timespan ends it */
    CORRELATE(&run, yaml, "failed 0 TargetUserName=ann", "failed 1 TargetUserName=ann",
              "failed 2 TargetUserName=ann", "failed 3 TargetUserName=ann",
              "failed 50 TargetUserName=ann", "failed 63 TargetUserName=ann",
              "failed 300 TargetUserName=ann", "failed 301 TargetUserName=ann",
              "failed 302 TargetUserName=ann");
    assert_string_equal(run.told, "Many 0-63 x6 TargetUserName=ann\n"
                                  "Many 300-302 x3 TargetUserName=ann\n");
    ruleset_free(run.set);

    /* what can't take part */
    CORRELATE(&run, yaml, "failed - TargetUserName=ann", "failed 1 Other=x",
              "failed 2 TargetUserName=", "failed 3 TargetUserName=ann", "success 4");
    assert_string_equal(run.told, "");
    assert_int_equal(run.counts.matches, 4); /* nothing refers to the last one's rule */
    assert_int_equal(run.counts.without_time, 1);
    assert_int_equal(run.counts.without_group, 2);
    ruleset_free(run.set);
}

static void windows_that_close(void **state)
{
    (void)state;
    struct run run;
    const char *yaml = "title: Few\n"
                       "correlation:\n"
                       "  type: event_count\n"
                       "  rules: failed\n"
                       "  timespan: 10s\n"
                       "  condition: {gt: 1, lte: 3}\n";
    /* five, of which some windows would hold three; then two; then one */
    CORRELATE(&run, yaml, "failed 0", "failed 1", "failed 2", "failed 3", "failed 4", "failed 100",
              "failed 110", "failed 200");
    assert_string_equal(run.told, "Few 100-110 x2\n");
    ruleset_free(run.set);
}

static void counts_values(void **state)
{
    (void)state;
    struct run run;
    CORRELATE(&run,
              "title: Spray\n"
              "correlation:\n"
              "  type: value_count\n"
              "  rules: [failed]\n"
              "  group-by: [IpAddress]\n"
              "  timespan: 1h\n"
              "  condition: {field: TargetUserName, gte: 3}\n",
              "failed 0 IpAddress=10.0.0.1 TargetUserName=c",
              "failed 1 IpAddress=10.0.0.1 TargetUserName=a",
              "failed 2 IpAddress=10.0.0.1 TargetUserName=A",
              "failed 3 IpAddress=10.0.0.2 TargetUserName=b",
              "failed 4 IpAddress=10.0.0.1 TargetUserName=b", "failed 5 IpAddress=10.0.0.1");
    assert_string_equal(run.told, "Spray 0-4 x4 IpAddress=10.0.0.1 "
                                  "value_count(TargetUserName)=3 TargetUserName=A, b, c\n");
    assert_int_equal(run.counts.without_value, 1);
    ruleset_free(run.set);

    CORRELATE(&run,
              "title: Pairs\n"
              "correlation:\n"
              "  type: value_count\n"
              "  rules: [failed]\n"
              "  group-by: [IpAddress]\n"
              "  timespan: 1h\n"
              "  condition: {field: [User, Domain], gt: 2}\n",
              "failed 0 IpAddress=x User=a Domain=d", "failed 1 IpAddress=x User=b Domain=d",
              "failed 2 IpAddress=x User=a Domain=d", "failed 3 IpAddress=x User=a Domain=e");
    assert_string_equal(run.told, "Pairs 0-3 x4 IpAddress=x value_count(User + Domain)=3 "
                                  "User + Domain=a + d, a + e, b + d\n");
    ruleset_free(run.set);
}

static void temporal(void **state)
{
    (void)state;
    struct run run;
    const char *any_order = "title: Both\n"
                            "correlation:\n"
                            "  type: temporal\n"
                            "  rules: [failed, success]\n"
                            "  group-by: [User]\n"
                            "  timespan: 5m\n";
    CORRELATE(&run, any_order, "success 0 User=a", "failed 300 User=a", "success 400 User=b",
              "failed 701 User=b");
    assert_string_equal(run.told, "Both 0-300 x2 User=a\n");
    ruleset_free(run.set);

    const char *ordered = "title: Then\n"
                          "correlation:\n"
                          "  type: temporal_ordered\n"
                          "  rules: [failed, success]\n"
                          "  group-by: [User]\n"
                          "  timespan: 5m\n";
    CORRELATE(&run, ordered, "success 0 User=a", "failed 300 User=a", "failed 400 User=b",
              "success 401 User=b", "failed 402 User=b", "failed 500 User=c", "success 500 User=c");
    assert_string_equal(run.told, "Then 400-401 x2 User=b\nThen 500-500 x2 User=c\n");
    ruleset_free(run.set);

    const char *but_not = "title: Without\n"
                          "correlation:\n"
                          "  type: temporal\n"
                          "  condition: failed and not success\n"
                          "  group-by: [User]\n"
                          "  timespan: 5m\n";
    CORRELATE(&run, but_not, "failed 0 User=a", "success 10 User=a", "failed 0 User=b",
              "success 301 User=b");
    assert_string_equal(run.told, "Without 0-0 x1 User=b\n");
    ruleset_free(run.set);
}

static void numbers(void **state)
{
    (void)state;
    struct run run;
    CORRELATE(&run,
              "title: Sum\n"
              "correlation:\n"
              "  type: value_sum\n"
              "  rules: [failed]\n"
              "  group-by: [Ip]\n"
              "  timespan: 1h\n"
              "  condition: {field: bytes, gt: 1000}\n"
              "---\n"
              "title: Average\n"
              "correlation:\n"
              "  type: value_avg\n"
              "  rules: [failed]\n"
              "  group-by: [Ip]\n"
              "  timespan: 1d\n"
              "  condition: {field: bytes, gt: 400.5}\n"
              "---\n"
              "title: Median\n"
              "correlation:\n"
              "  type: value_percentile\n"
              "  rules: [failed]\n"
              "  group-by: [Ip]\n"
              "  timespan: 1d\n"
              "  condition: {field: bytes, lt: 500, percentile: 50}\n",
              "failed 0 Ip=a bytes=900", "failed 10 Ip=a bytes=0x32", "failed 20 Ip=a bytes=100",
              "failed 3601 Ip=a bytes=950", "failed 9999 Ip=a bytes=much",
              "failed 0 Ip=b bytes=1e3", "failed 1 Ip=b");
    assert_non_null(strstr(run.told, "Sum 0-3601 x4 Ip=a value_sum(bytes)=1100\n"));
    assert_non_null(strstr(run.told, "Average 0-3601 x4 Ip=a value_avg(bytes)=500\n"));
    assert_non_null(strstr(run.told, "Average 0-0 x1 Ip=b value_avg(bytes)=1000\n"));
    assert_non_null(strstr(run.told, "Median 0-3601 x4 Ip=a value_percentile(bytes)=100\n"));
    assert_null(strstr(run.told, "Sum 0-0"));
    assert_int_equal(run.counts.without_value, 6);
    ruleset_free(run.set);

    CORRELATE(&run,
              "title: Rare\n"
              "correlation:\n"
              "  type: value_percentile\n"
              "  rules: [failed]\n"
              "  group-by: [Computer]\n"
              "  timespan: 24h\n"
              "  condition: {field: Image, lte: 20}\n",
              "failed 0 Computer=a Image=x", "failed 1 Computer=a Image=X",
              "failed 2 Computer=a Image=x", "failed 3 Computer=a Image=rare",
              "failed 4 Computer=a Image=x", "failed 5 Computer=b Image=y");
    assert_string_equal(run.told, "Rare 0-4 x5 Computer=a value_percentile(Image)=20 Image=rare "
                                  "on a\n");
    ruleset_free(run.set);
}

static void aliases(void **state)
{
    (void)state;
    struct run run;
    CORRELATE(&run,
              "title: Back\n"
              "correlation:\n"
              "  type: temporal\n"
              "  rules: [failed, success]\n"
              "  group-by: [inside, outside]\n"
              "  timespan: 10s\n"
              "  aliases:\n"
              "    inside: {failed: destination.ip, success: source.ip}\n"
              "    outside: {failed: source.ip, success: destination.ip}\n",
              "failed 0 source.ip=203.0.113.9 destination.ip=10.0.0.1",
              "success 5 source.ip=10.0.0.1 destination.ip=203.0.113.9",
              "failed 20 source.ip=10.0.0.2 destination.ip=203.0.113.9",
              "success 25 source.ip=10.0.0.2 destination.ip=203.0.113.9");
    assert_string_equal(run.told, "Back 0-5 x2 inside=10.0.0.1 outside=203.0.113.9\n");
    ruleset_free(run.set);
}

static void of_correlations(void **state)
{
    (void)state;
    struct run run;
    const char *yaml = "title: Broken in\n"
                       "correlation:\n"
                       "  type: temporal_ordered\n"
                       "  rules: [many, success]\n"
                       "  group-by: [User]\n"
                       "  timespan: 10m\n"
                       "---\n"
                       "title: Many\n"
                       "name: many\n"
                       "correlation:\n"
                       "  type: event_count\n"
                       "  rules: [failed]\n"
                       "  group-by: [Computer]\n"
                       "  timespan: 10m\n"
                       "  condition: {gte: 3}\n";
    /* the one below groups by computer, the one above by user: ann is among those of the burst on
     * `a`; that of cid on `b` has only two */
    CORRELATE(&run, yaml, "failed 0 Computer=a User=ann", "failed 1 Computer=a User=bob",
              "failed 2 Computer=a User=bob", "failed 3 Computer=b User=cid",
              "failed 4 Computer=b User=cid", "success 60 Computer=c User=ann",
              "success 61 Computer=c User=cid", "success 62 Computer=c User=eve");
    assert_string_equal(run.told, "Broken in 2-60 x2 User=ann\n");
    /* the rules that it builds on tell nothing themselves */
    assert_true(rule_called(run.set, "many")->hidden);
    assert_true(rule_called(run.set, "failed")->hidden);
    ruleset_free(run.set);

    /* a burst goes on for longer than the timespan: what comes at its end is still near to it */
    CORRELATE(&run, yaml, "failed 0 Computer=a User=ann", "failed 1 Computer=a User=ann",
              "failed 2 Computer=a User=ann", "failed 500 Computer=a User=ann",
              "failed 600 Computer=a User=ann", "success 1190 Computer=a User=ann");
    assert_string_equal(run.told, "Broken in 600-1190 x2 User=ann on a\n");
    ruleset_free(run.set);
}

static void generate(void **state)
{
    (void)state;
    struct run run;
    CORRELATE(&run,
              "title: Both\n"
              "generate: true\n"
              "correlation: {type: temporal, rules: [failed, success], timespan: 1h}\n",
              "failed 1", "success 2");
    assert_string_equal(run.told, "Both 1-2 x2\n");
    assert_false(rule_called(run.set, "failed")->hidden);
    ruleset_free(run.set);
}

/* ---- what is refused ---- */

struct refused {
    const char *section; /* behind "correlation: " */
    uint32_t line, column;
    const char *what; /* the message begins with it */
};

static const struct refused list[] = {
    {"[]", 2, 14, "'correlation' must be a map"},
    {"{rules: [failed], timespan: 1m}", 2, 14, "the correlation needs a 'type'"},
    {"{type: counts}", 2, 21, "the type must be event_count"},
    {"{type: temporal, timespan: 1m}", 2, 14, "the correlation needs 'rules'"},
    {"{type: temporal, rules: [failed, failed], timespan: 1m}", 2, 47,
     "'failed' is in 'rules' already"},
    {"{type: temporal, rules: [failed, nobody], timespan: 1m}", 2, 47,
     "no rule that was read has the id or name 'nobody'"},
    {"{type: temporal, rules: [me], timespan: 1m}", 2, 39, "the correlation refers to itself"},
    {"{type: temporal, rules: [failed]}", 2, 14, "the correlation needs a 'timespan'"},
    {"{type: temporal, rules: [failed], timespan: 1}", 2, 58, "the timespan must be"},
    {"{type: temporal, rules: [failed], timespan: m}", 2, 58, "the timespan must be"},
    {"{type: temporal, rules: [failed], timespan: 0m}", 2, 58, "the timespan must be"},
    {"{type: temporal, rules: [failed], timespan: 1min}", 2, 58, "the timespan must be"},
    {"{type: temporal, rules: [failed], timespan: 99999999999999999999s}", 2, 58,
     "the timespan is longer"},
    {"{type: temporal, rules: [failed], timespan: 101y}", 2, 58, "the timespan is longer"},
    {"{type: temporal, rules: [failed], timeframe: 1m}", 2, 48, "a correlation has no 'timeframe'"},
    {"{type: event_count, rules: [failed], timespan: 1m}", 2, 14,
     "event_count needs a 'condition'"},
    {"{type: event_count, rules: [failed], timespan: 1m, condition: {}}", 2, 76,
     "the condition needs a limit"},
    {"{type: event_count, rules: [failed], timespan: 1m, condition: {gte: many}}", 2, 82,
     "'gte' must be a number"},
    {"{type: event_count, rules: [failed], timespan: 1m, condition: {more: 1}}", 2, 77,
     "a condition has no 'more'"},
    {"{type: event_count, rules: [failed], timespan: 1m, condition: failed}", 2, 76,
     "event_count needs a map"},
    {"{type: event_count, rules: [failed], timespan: 1m, condition: {gte: 1, field: x}}", 2, 92,
     "event_count looks at no field"},
    {"{type: value_count, rules: [failed], timespan: 1m, condition: {gte: 1}}", 2, 76,
     "value_count needs the 'field'"},
    {"{type: value_sum, rules: [failed], timespan: 1m, condition: {gte: 1, field: [a, b]}}", 2, 94,
     "value_sum looks at one field"},
    {"{type: value_sum, rules: [failed], timespan: 1m, condition: {gte: 1, field: a, "
     "percentile: 1}}",
     2, 105, "only value_percentile"},
    {"{type: value_percentile, rules: [failed], timespan: 1m, condition: {gte: 1, field: a, "
     "percentile: 101}}",
     2, 112, "'percentile' must be"},
    {"{type: temporal, rules: [failed, success], timespan: 1m, condition: {gte: 3}}", 2, 88,
     "the correlation refers to only 2 rules"},
    {"{type: temporal, rules: [failed, success], timespan: 1m, condition: failed}", 2, 82,
     "the condition does not speak of 'success'"},
    {"{type: temporal, rules: [failed], timespan: 1m, condition: not failed}", 2, 73,
     "the condition would hold where nothing"},
    {"{type: temporal, rules: [failed], timespan: 1m, condition: failed and other}", 2, 84,
     "there is no search identifier 'other'"},
    {"{type: temporal, rules: [failed], timespan: 1m, aliases: x}", 2, 71,
     "'aliases' must be a map"},
    {"{type: temporal, rules: [failed], timespan: 1m, aliases: {x: y}}", 2, 75,
     "the alias 'x' must be a map"},
    {"{type: temporal, rules: [failed], timespan: 1m, aliases: {x: {success: y}}}", 2, 76,
     "the alias 'x' names the rule 'success'"},
    {"{type: temporal, rules: [failed], timespan: 1m, group-by: [a, a]}", 2, 76,
     "'a' is in 'group-by' already"},
    {"{type: temporal, rules: [failed], timespan: 1m, generate: often}", 2, 72,
     "'generate' must be true or false"},
};

static void problems(void **state)
{
    (void)state;
    static const struct rule_choice all = {0};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        struct ruleset *set = ruleset_new();
        struct error err;
        char yaml[512];
        snprintf(yaml, sizeof yaml, "{title: t, name: me,\ncorrelation: %s}\n", list[i].section);
        assert_int_equal(ruleset_load_text(set, slice_str(logon_rules), "rules.yml", &all, &err),
                         OK);
        assert_int_equal(ruleset_load_text(set, slice_str(yaml), "test.yml", &all, &err), OK);
        ruleset_finish(set);
        const struct rule_problem *found;
        if (ruleset_problems(set, &found) != 1)
            fail_msg("no problem in %s", list[i].section);
        if (!slice_starts(found->what, slice_str(list[i].what)) || found->line != list[i].line ||
            found->column != list[i].column)
            fail_msg("%s: %u:%u: %.*s", list[i].section, found->line, found->column,
                     SLICE_ARG(found->what));
        assert_slice(found->path, "test.yml");
        ruleset_free(set);
    }
}

static void circles(void **state)
{
    (void)state;
    static const struct rule_choice all = {0};
    struct ruleset *set = ruleset_new();
    struct error err;
    const struct rule_problem *found;
    const char *yaml = "title: A\nname: a\n"
                       "correlation: {type: temporal, rules: [b], timespan: 1m}\n"
                       "---\n"
                       "title: B\nname: b\n"
                       "correlation: {type: temporal, rules: [a], timespan: 1m}\n";
    assert_int_equal(ruleset_load_text(set, slice_str(yaml), "test.yml", &all, &err), OK);
    ruleset_finish(set);
    assert_int_equal(ruleset_problems(set, &found), 2);
    assert_int_equal(ruleset_count(set), 0);
    ruleset_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_events),   cmocka_unit_test(windows_that_close),
        cmocka_unit_test(counts_values),   cmocka_unit_test(temporal),
        cmocka_unit_test(numbers),         cmocka_unit_test(aliases),
        cmocka_unit_test(of_correlations), cmocka_unit_test(generate),
        cmocka_unit_test(problems),        cmocka_unit_test(circles),
    };
    return cmocka_run_group_tests_name("correlation", tests, NULL, NULL);
}
