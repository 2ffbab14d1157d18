/* What each modifier and corner of a rule means, as docs/sigma.md says: engine and slow evaluator. */
#include "test.h"

#include "detect/engine.h"
#include "detect/regexes.h"
#include "model/sigma_slow.h"

#include <stdio.h>
#include <stdlib.h>

static const struct event_kind sysmon = {.product = {"windows", 7},
                                         .channel = {"Microsoft-Windows-Sysmon/Operational", 36},
                                         .code = {"1", 1}};

struct world {
    struct ruleset *set;
    struct mappings *mappings;
    struct engine *engine;
    struct engine_worker *worker;
    struct slow *slow;
    uint64_t rows; /* a bit for each row that matched */
};

static enum status on_match(void *ctx, const struct sigma_rule *rule,
                            const struct log_binding *binding, struct block *b, uint32_t row,
                            struct error *err)
{
    struct world *w = ctx;
    (void)rule;
    (void)binding;
    (void)b;
    (void)err;
    assert_true(row < 64);
    w->rows |= (uint64_t)1 << row;
    return OK;
}

static enum status on_block(void *ctx, struct block *b, struct error *err)
{
    struct world *w = ctx;
    const struct sigma_rule *rule = ruleset_rule(w->set, 0);
    uint32_t list[16];
    w->rows = 0;
    assert_int_equal(engine_run(w->worker, b, on_match, w, err), OK);
    size_t n = mappings_for_logsource(w->mappings, rule->logsource.product,
                                      rule->logsource.category, rule->logsource.service, list, 16);
    for (uint32_t row = 0; row < b->rows; row++) {
        bool slow = false;
        for (size_t i = 0; i < n; i++) {
            const struct log_binding *binding = mappings_get(w->mappings, list[i]);
            slow |=
                binding_holds(binding, &b->kind) && slow_matches(w->slow, rule, binding, b, row);
        }
        assert_int_equal(slow, w->rows >> row & 1);
    }
    return OK;
}

static struct world begin(const char *logsource, const char *detection)
{
    struct world w = {.set = ruleset_new(), .slow = slow_new()};
    struct rule_choice choice = {0};
    struct error err = {0};
    char yaml[4096];
    const struct rule_problem *problems;
    int n = snprintf(yaml, sizeof yaml, "title: t\nlogsource: {%s}\ndetection:\n%s\n", logsource,
                     detection);
    assert_int_equal(ruleset_load_text(w.set, slice_of(yaml, (size_t)n), "t.yml", &choice, &err),
                     OK);
    ruleset_finish(w.set);
    for (size_t i = ruleset_problems(w.set, &problems); i > 0; i--)
        print_message("# %.*s\n", SLICE_ARG(problems[i - 1].what));
    assert_int_equal(ruleset_count(w.set), 1);
    w.mappings = mappings_builtin(&err);
    assert_non_null(w.mappings);
    w.engine = engine_new(w.set, w.mappings, &err);
    assert_non_null(w.engine);
    w.worker = engine_worker_new(w.engine);
    return w;
}

static void end(struct world *w)
{
    slow_free(w->slow);
    engine_worker_free(w->worker);
    engine_free(w->engine);
    mappings_free(w->mappings);
    ruleset_free(w->set);
}

/* The rows that match, of events with these values of CommandLine (type VALUE_TYPES: absent). */
static uint64_t match_values(const char *detection, const struct value *values, size_t n)
{
    struct world w = begin("product: windows, category: process_creation", detection);
    struct block_set *set = block_set_new((struct block_sink){on_block, &w});
    struct block *b = block_set_open(set, &sysmon);
    struct error err;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(block_row(b, 0, (struct origin){0}, &err), OK);
        block_put(b, block_column(b, SLICE("Image")), value_of_text(SLICE("C:\\a\\cmd.exe")));
        if (values[i].type != VALUE_TYPES)
            block_put(b, block_column(b, SLICE("CommandLine")), values[i]);
    }
    assert_int_equal(block_set_flush(set, &err), OK);
    block_set_free(set);
    end(&w);
    return w.rows;
}

/* Whether an item matches a CommandLine of this text. */
static bool item_matches(const char *item, const char *text)
{
    char detection[1024];
    struct value v = value_of_text(slice_str(text));
    snprintf(detection, sizeof detection, "  sel:\n    %s\n  condition: sel", item);
    return match_values(detection, &v, 1) == 1;
}

#define YES(item, text) assert_true(item_matches(item, text))
#define NO(item, text) assert_false(item_matches(item, text))

static void strings(void **state)
{
    (void)state;
    YES("CommandLine: whoami", "WhoAmI");
    NO("CommandLine: whoami", "whoami ");
    YES("CommandLine: 'É漢'", "é漢");
    NO("CommandLine: 'ß'", "ss");
    YES("CommandLine|cased: Who", "Who");
    NO("CommandLine|cased: Who", "who");
    NO("CommandLine|exact|contains: Who", "a who");
    YES("CommandLine|contains: OAM", "whoami");
    YES("CommandLine|startswith: WHO", "whoami");
    NO("CommandLine|startswith: hoa", "whoami");
    YES("CommandLine|endswith: AMI", "whoami");
    NO("CommandLine|endswith: oam", "whoami");
    YES("CommandLine|contains: x", "x");
    YES("CommandLine|contains|all: [a, c]", "abc");
    NO("CommandLine|contains|all: [a, d]", "abc");
    YES("CommandLine: [a, b]", "b");
    NO("CommandLine: []", "");
}

static void wildcards(void **state)
{
    (void)state;
    YES("CommandLine: 'a*c'", "ac");
    YES("CommandLine: 'a*c'", "a\nbc");
    NO("CommandLine: 'a*c'", "acd");
    YES("CommandLine: 'a?c'", "a漢c");
    NO("CommandLine: 'a?c'", "ac");
    NO("CommandLine: 'a?c'", "abbc");
    YES("CommandLine: 'a*b*c'", "aXbYbc");
    YES("CommandLine|contains: 'b?d'", "abcde");
    YES("CommandLine: '*'", "");
    YES("CommandLine: '?*'", "a");
    NO("CommandLine: '?*'", "");
    YES("CommandLine|cased: 'A*C'", "AbC");
    NO("CommandLine|cased: 'A*C'", "abc");
    YES("CommandLine: 'a\\*c'", "a*c");
    NO("CommandLine: 'a\\*c'", "abc");
    YES("CommandLine: 'a\\?c'", "a?c");
    YES("CommandLine: 'a\\\\*c'", "a\\bc");
    NO("CommandLine: 'a\\\\*c'", "a*c");
    YES("CommandLine: 'a\\\\\\*c'", "a\\*c");
    YES("CommandLine: 'C:\\Temp'", "c:\\temp");
    YES("CommandLine: 'C:\\\\Temp'", "c:\\temp");
    YES("CommandLine: '\\\\\\\\server'", "\\\\server");
    YES("CommandLine: '\\\\\\server'", "\\\\server");
    YES("CommandLine|contains: 'Temp\\'", "c:\\temp\\x");
    NO("CommandLine|contains: 'Temp\\'", "c:\\temp");
}

static void encodings(void **state)
{
    (void)state;
    YES("CommandLine|windash|contains: ' -f '", "a /f b");
    YES("CommandLine|windash|contains: ' -f '", "a \xe2\x80\x95"
                                                "f b");
    YES("CommandLine|windash|contains: ' /f '", "a \xe2\x80\x94"
                                                "f b");
    YES("CommandLine|windash: 'a-b-c-d'", "a/b\xe2\x80\x93"
                                          "c-d");
    NO("CommandLine|windash: 'a-b'", "a_b");
    YES("CommandLine|base64: cmd.exe", "Y21kLmV4ZQ==");
    NO("CommandLine|base64: cmd.exe", "x Y21kLmV4ZQ==");
    YES("CommandLine|base64|contains: cmd.exe", "x Y21kLmV4ZQ== y");
    YES("CommandLine|base64offset|contains: cmd.exe", "Y21kLmV4ZSAvYw==");
    YES("CommandLine|base64offset|contains: cmd.exe", "IGNtZC5leGU=");
    YES("CommandLine|base64offset: cmd.exe", "ICBjbWQuZXhlIA==");
    NO("CommandLine|base64offset|contains: cmd.exe", "Y21kLmNvbQ==");
    YES("CommandLine|wide|base64offset|contains: cmd", "YwBtAGQA");
    YES("CommandLine|utf16be|base64: cmd", "AGMAbQBk");
    YES("CommandLine|utf16|base64: cmd", "//5jAG0AZAA=");
    NO("CommandLine|utf16|contains: cmd", "cmd");
    YES("CommandLine|windash|base64: '-c'", "L2M=");
    struct value wide = {"c\0m\0d\0", 6, VALUE_TEXT};
    assert_int_equal(match_values("  sel: {CommandLine|wide: cmd}\n  condition: sel", &wide, 1), 1);
}

static void expressions(void **state)
{
    (void)state;
    YES("CommandLine|re: 'a.c'", "xabcx");
    NO("CommandLine|re: 'a.c'", "xABCx");
    YES("CommandLine|re|i: 'a.c'", "xABCx");
    NO("CommandLine|re: 'a.c'", "a\nc");
    YES("CommandLine|re|s: 'a.c'", "a\nc");
    NO("CommandLine|re: '^b'", "a\nb");
    YES("CommandLine|re|m: '^b'", "a\nb");
    YES("CommandLine|re|i|m: '^B$'", "a\nb\nc");
    YES("CommandLine|re: '^.$'", "漢");
    YES("CommandLine|re: 'foo|ba+r'", "baaar");
    YES("CommandLine|re: '(?i)POWERS?hell'", "powershell");
    YES("CommandLine|re|i: 'powerſhell'", "powershell");
    YES("CommandLine|re|i: 'powershell'", "powerſhell");
    YES("CommandLine|re: '\\x41b'", "Ab");
}

static void numbers(void **state)
{
    (void)state;
    YES("CommandLine: 4624", "4624");
    YES("CommandLine: 4624", "0x1210");
    YES("CommandLine: 0x1210", "4624");
    YES("CommandLine: 1", "1.0");
    NO("CommandLine: 4624", "46240");
    NO("CommandLine: '4624'", "0x1210");
    YES("CommandLine: '4624'", "4624");
    YES("CommandLine|contains: 62", "4624");
    YES("CommandLine|lt: 5", "4.5");
    NO("CommandLine|lt: 5", "5");
    YES("CommandLine|lte: 5", "5");
    YES("CommandLine|gt: -3", "-2.5");
    YES("CommandLine|gte: 18446744073709551615", "18446744073709551615");
    NO("CommandLine|gte: 18446744073709551615", "18446744073709551614");
    NO("CommandLine|gt: 1", "two");
    NO("CommandLine|lt: 1", "");
    YES("CommandLine: true", "TRUE");
    struct value values[] = {{"\x10\x12\0\0\0\0\0", 8, VALUE_UINT},
                             {"\x10\x12\0\0\0\0\0", 8, VALUE_HEX},
                             value_of_text(SLICE("4624 "))};
    assert_int_equal(match_values("  sel: {CommandLine: 4624}\n  condition: sel", values, 3), 3);
    assert_int_equal(match_values("  sel: {CommandLine: '4624'}\n  condition: sel", values, 3), 1);
}

static void addresses(void **state)
{
    (void)state;
    YES("CommandLine|cidr: 10.0.0.0/8", "10.255.0.1");
    NO("CommandLine|cidr: 10.0.0.0/8", "11.0.0.1");
    YES("CommandLine|cidr: 10.0.0.0/8", "::ffff:10.0.0.1");
    NO("CommandLine|cidr: 10.0.0.0/8", "10.0.0.1:80");
    YES("CommandLine|cidr: 192.168.1.77/25", "192.168.1.1");
    NO("CommandLine|cidr: 192.168.1.77/25", "192.168.1.128");
    YES("CommandLine|cidr: 10.0.0.1", "10.0.0.1");
    YES("CommandLine|cidr: 'fe80::/10'", "fe80:0:0:0:1:2:3:4%12");
    NO("CommandLine|cidr: '::/0'", "10.0.0.1");
    YES("CommandLine|cidr: 0.0.0.0/0", "10.0.0.1");
    YES("CommandLine|cidr: ['fc00::/7', 10.0.0.0/8]", "FD00::1");
}

static void times(void **state)
{
    (void)state;
    YES("CommandLine|minute: 23", "2026-11-10T10:23:41Z");
    YES("CommandLine|hour: 1", "2026-11-10T10:23:41+09:00");
    YES("CommandLine|hour|gte: 10", "2026-11-10 10:23:41.123");
    NO("CommandLine|hour|lt: 10", "2026-11-10 10:23:41.123");
    YES("CommandLine|day: 10", "2026-11-10");
    YES("CommandLine|week: 1", "2025-12-29");
    YES("CommandLine|month: 11", "2026-11-10");
    YES("CommandLine|year: 2026", "2026-11-10");
    NO("CommandLine|year: 2026", "2026");
    struct value filetime = {"\0\x80\x3e\xd5\xde\xb1\x9d\x01", 8, VALUE_FILETIME}; /* 1970 */
    assert_int_equal(
        match_values("  sel: {CommandLine|year: 1970}\n  condition: sel", &filetime, 1), 1);
}

static void absence(void **state)
{
    (void)state;
    struct value values[] = {{NULL, 0, VALUE_TYPES}, /* absent */
                             {"", 0, VALUE_NULL},
                             {"", 0, VALUE_TEXT},
                             value_of_text(SLICE("a")),
                             {"", 0, VALUE_LIST}};
    struct {
        const char *item;
        uint64_t rows;
    } cases[] = {
        {"CommandLine: null", 0x17},
        {"CommandLine: [null, a]", 0x1f},
        {"CommandLine: ''", 0x16},
        {"CommandLine|exists: true", 0x1e},
        {"CommandLine|exists: false", 0x01},
        {"CommandLine|neq: a", 0x16},
        {"CommandLine|neq: null", 0x08},
        {"CommandLine|neq: [b, c]", 0x1e},
        {"CommandLine|contains: ''", 0x1e},
        {"CommandLine|fieldref: Image", 0},
        {"Nowhere: null", 0x1f},
        {"Nowhere|neq: a", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char detection[256];
        snprintf(detection, sizeof detection, "  sel:\n    %s\n  condition: sel", cases[i].item);
        assert_int_equal(match_values(detection, values, 5), cases[i].rows);
        snprintf(detection, sizeof detection, "  sel:\n    %s\n  condition: not sel",
                 cases[i].item);
        assert_int_equal(match_values(detection, values, 5), ~cases[i].rows & 0x1f);
    }
}

static void lists(void **state)
{
    (void)state;
    struct buf b = {0};
    value_list_add(&b, value_of_text(SLICE("one")));
    value_list_add(&b, value_of_text(SLICE("Two")));
    value_list_add(&b, (struct value){"", 0, VALUE_NULL});
    struct value v = value_of_list(&b);
    const char *const yes[] = {"CommandLine: two",
                               "CommandLine|contains|all: [one, two]",
                               "CommandLine|contains: 'one, two'",
                               "CommandLine|startswith: tw",
                               "CommandLine: null",
                               "CommandLine|re: '^Two$'"};
    const char *const no[] = {"CommandLine: onetwo", "CommandLine|neq: two",
                              "CommandLine|all: [one, three]"};
    char detection[256];
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        snprintf(detection, sizeof detection, "  sel:\n    %s\n  condition: sel", yes[i]);
        assert_int_equal(match_values(detection, &v, 1), 1);
    }
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        snprintf(detection, sizeof detection, "  sel:\n    %s\n  condition: sel", no[i]);
        assert_int_equal(match_values(detection, &v, 1), 0);
    }
    buf_free(&b);
}

static void field_references(void **state)
{
    (void)state;
    YES("CommandLine|fieldref: Image", "c:\\A\\CMD.exe");
    NO("CommandLine|cased|fieldref: Image", "c:\\A\\CMD.exe");
    YES("CommandLine|fieldref|contains: Image", "\"c:\\a\\cmd.exe\" /c");
    YES("CommandLine|fieldref|startswith: Image", "C:\\a\\cmd.exe /c");
    YES("CommandLine|fieldref|endswith: Image", "start C:\\a\\cmd.exe");
    NO("CommandLine|fieldref: Image", "cmd.exe");
    YES("CommandLine|fieldref|neq: Image", "cmd.exe");
    NO("CommandLine|fieldref|neq: Image", "C:\\a\\cmd.exe");
}

static void keywords(void **state)
{
    (void)state;
    struct value v = value_of_text(SLICE("Invoke-Mimikatz now"));
    struct {
        const char *detection;
        bool matches;
    } cases[] = {
        {"  k: [mimikatz, other]\n  condition: k", true},
        {"  k: ['cmd.exe']\n  condition: k", true},
        {"  k: ['mimi*now']\n  condition: k", true},
        {"  k: [mimikatz now and]\n  condition: k", false},
        {"  k:\n    '|all': [mimikatz, cmd]\n  condition: k", true},
        {"  k:\n    '|all': [mimikatz, nothing]\n  condition: k", false},
        {"  k:\n    '|re': ['Mimi.atz']\n  condition: k", true},
        {"  k:\n    '|startswith': [invoke]\n  condition: k", true},
        {"  k:\n    '|startswith': [mimikatz]\n  condition: k", false},
        {"  k: [mimikatz]\n  condition: not k", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(match_values(cases[i].detection, &v, 1), cases[i].matches);
}

static void conditions(void **state)
{
    (void)state;
    struct {
        const char *condition;
        bool matches;
    } cases[] = {
        {"yes1 and yes2", true},
        {"yes1 and no1", false},
        {"no1 or yes1", true},
        {"not no1", true},
        {"not (yes1 and no1)", true},
        {"1 of yes*", true},
        {"all of yes*", true},
        {"all of *1", false},
        {"2 of *1", false},
        {"2 of them", true},
        {"3 of them", false},
        {"all of them", false},
        {"1 of no*", false},
        {"yes1 and not 1 of no*", true},
        {"no1 and yes1 or yes2", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char detection[512];
        struct value v = value_of_text(SLICE("abc"));
        snprintf(
            detection, sizeof detection,
            "  yes1: {CommandLine: abc}\n  yes2: [{CommandLine: x}, {Image|endswith: cmd.exe}]\n"
            "  no1: {CommandLine: abc, Image: x}\n  no2: {Nowhere: x}\n  condition: %s",
            cases[i].condition);
        assert_int_equal(match_values(detection, &v, 1), cases[i].matches);
    }
}

/* Names and values of Security 4688 and 5156, and conditions of a binding. */
static void bindings(void **state)
{
    static const struct {
        const char *code, *field, *value, *category, *item;
        bool matches;
    } cases[] = {
        {"4688", "NewProcessName", "C:\\x\\whoami.exe", "process_creation",
         "Image|endswith: '\\whoami.exe'", true},
        {"4688", "MandatoryLabel", "S-1-16-12288", "process_creation", "IntegrityLevel: high",
         true},
        {"4689", "NewProcessName", "C:\\x\\whoami.exe", "process_creation",
         "Image|endswith: '\\whoami.exe'", false},
        {"5156", "Direction", "%%14593", "network_connection", "Initiated: 'true'", true},
        {"5156", "Direction", "%%14592", "network_connection", "Initiated: 'true'", false},
        {"5156", "Protocol", "17", "network_connection", "Protocol: udp", true},
        {"5156", "DestAddress", "10.0.0.1", "network_connection", "DestinationIp|cidr: 10.0.0.0/8",
         true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char logsource[128], detection[256];
        struct error err;
        snprintf(logsource, sizeof logsource, "product: windows, category: %s", cases[i].category);
        snprintf(detection, sizeof detection, "  sel:\n    %s\n  condition: sel", cases[i].item);
        struct world w = begin(logsource, detection);
        struct block_set *set = block_set_new((struct block_sink){on_block, &w});
        struct event_kind kind = {.product = SLICE("windows"),
                                  .channel = SLICE("security"),
                                  .code = slice_str(cases[i].code)};
        struct block *b = block_set_open(set, &kind);
        assert_int_equal(block_row(b, 0, (struct origin){0}, &err), OK);
        block_put(b, block_column(b, slice_str(cases[i].field)),
                  value_of_text(slice_str(cases[i].value)));
        assert_int_equal(block_set_flush(set, &err), OK);
        assert_int_equal(w.rows, cases[i].matches);
        block_set_free(set);
        end(&w);
    }
}

static void conditions_of_bindings(void **state)
{
    (void)state;
    static const char *const types[] = {"CreateKey", "deletevalue", "x", NULL};
    struct world w = begin("product: windows, category: registry_delete",
                           "  sel: {TargetObject|contains: run}\n  condition: sel");
    struct block_set *set = block_set_new((struct block_sink){on_block, &w});
    struct event_kind kind = sysmon;
    struct error err;
    kind.code = SLICE("12");
    struct block *b = block_set_open(set, &kind);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(block_row(b, 0, (struct origin){0}, &err), OK);
        block_put(b, block_column(b, SLICE("TargetObject")), value_of_text(SLICE("HKLM\\Run")));
        if (types[i])
            block_put(b, block_column(b, SLICE("EventType")), value_of_text(slice_str(types[i])));
    }
    assert_int_equal(block_set_flush(set, &err), OK);
    assert_int_equal(w.rows, 2);
    block_set_free(set);
    end(&w);
}

/* Which literals a regular expression needs: wrong ones would hide matches. */
static void literals(void **state)
{
    static const struct {
        const char *expression, *literals; /* joined by spaces; "": nothing is known */
        bool caseless;
    } cases[] = {
        {"abc", "abc", false},
        {"ABC", "abc", false},
        {"abc?d", "ab", false},
        {"abc*de", "ab", false},
        {"abc+de", "abc", false},
        {"abc{0,2}", "ab", false},
        {"abc{0}", "ab", false},
        {"abc{2,3}", "abc", false},
        {"ab.cde", "cde", false},
        {"ab|cd", "ab cd", false},
        {"ab|c", "", false},
        {"x(abc|def)y", "abc def", false},
        {"x(abc|def)?y", "", false},
        {"(?:abc)+x", "abc", false},
        {"(?i)ask", "", false},
        {"task", "ta", true},
        {"power[sS]hell", "power", false},
        {"[abc]]de", "]de", false},
        {"\\\\server", "\\server", false},
        {"\\bword\\b", "word", false},
        {"\\x41bc", "", false},
        {"\\Qabc\\E", "", false},
        {"(?=abc)de", "de", false},
        {"(?!abc)de", "de", false},
        {"(?<name>abc)de", "de", false},
        {"(?x)a b c", "", false},
        {"ab{1", "", false},
        {"ab{1|cd}", "", false},
        {"abc{02,10}?", "abc", false},
        {"abc{0,10}+d", "ab", false},
        {"[[:alpha:]]ab", "", false},
        {"漢ab", "ab", false},
        {"", "", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena a = {0};
        struct slice out[REGEX_LITERALS];
        struct buf joined = {0};
        uint32_t n = regex_literals(&a, slice_str(cases[i].expression),
                                    cases[i].caseless || strstr(cases[i].expression, "(?i"), out);
        for (uint32_t k = 0; k < n; k++) {
            if (k)
                buf_char(&joined, ' ');
            buf_add(&joined, out[k]);
        }
        if (!slice_equal(buf_slice(&joined), slice_str(cases[i].literals)))
            fail_msg("%s needs '%.*s'", cases[i].expression, SLICE_ARG(buf_slice(&joined)));
        buf_free(&joined);
        arena_free(&a);
    }
}

/* A text that makes an expression try too long is no match, and is counted. */
static void endless_expressions_are_given_up(void **state)
{
    (void)state;
    struct regexes *set = regexes_new();
    regexes_add(set, SLICE("^(a+)+$"), 0);
    const struct regex *r = regexes_find(set, SLICE("^(a+)+$"), 0);
    struct regex_worker *w = regex_worker_new();
    assert_true(regex_matches(w, r, SLICE("aaaaaaaa")));
    assert_false(regex_matches(w, r, SLICE("aaab")));
    assert_int_equal(regex_given_up(w), 0);
    assert_false(regex_matches(w, r, SLICE("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")));
    assert_int_equal(regex_given_up(w), 1);
    regex_worker_free(w);
    regexes_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endless_expressions_are_given_up),
        cmocka_unit_test(strings),
        cmocka_unit_test(wildcards),
        cmocka_unit_test(encodings),
        cmocka_unit_test(expressions),
        cmocka_unit_test(numbers),
        cmocka_unit_test(addresses),
        cmocka_unit_test(times),
        cmocka_unit_test(absence),
        cmocka_unit_test(lists),
        cmocka_unit_test(field_references),
        cmocka_unit_test(keywords),
        cmocka_unit_test(conditions),
        cmocka_unit_test(bindings),
        cmocka_unit_test(conditions_of_bindings),
        cmocka_unit_test(literals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
