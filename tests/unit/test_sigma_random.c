/* Random rules against random events: the engine and the slow evaluator agree on every one. */
#include "test.h"

#include "base/vec.h"
#include "detect/engine_internal.h"
#include "model/sigma_slow.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 60, RULES = 30, EVENTS = 160 };

/* ---- chance ---- */

static uint64_t chance; // NOLINT: the test's one state, set anew each round

static uint32_t below(uint32_t n)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return n ? (uint32_t)(chance >> 33) % n : 0;
}

static bool one_in(uint32_t n)
{
    return below(n) == 0;
}

#define PICK(list) slice_str((list)[below(sizeof(list) / sizeof *(list))])

static const char *const pieces[] = {"a",
                                     "b",
                                     "A",
                                     "-",
                                     "/",
                                     "\xe2\x80\x93",
                                     "\xe2\x80\x95",
                                     "\\",
                                     "é",
                                     "É",
                                     "ß",
                                     "İ",
                                     "漢",
                                     "ſ",
                                     "\xe2\x84\xaa",
                                     ".exe",
                                     "cmd",
                                     " ",
                                     "1",
                                     "0x10",
                                     "4624",
                                     "true",
                                     "abc",
                                     "Y21k",
                                     "YwBtAGQA",
                                     "NtZA",
                                     "BjAG0AZA",
                                     "ab",
                                     "k",
                                     "s",
                                     "\n",
                                     "*",
                                     "?"};
static const char *const wild[] = {"*", "?", "\\*", "\\?", "\\\\", "\\\\*", "\\"};
static const char *const numbers[] = {"1",   "16",   "0x10", "10", "4624", "-3",  "1.5",
                                      "1e1", "2026", "0",    "23", "7",    "016", "1.0"};
static const char *const addresses[] = {"10.0.0.1",        "10.1.2.3", "192.168.0.1",
                                        "::ffff:10.0.0.1", "fe80::1",  "fe80::1%12",
                                        "2001:db8::ff",    "::1",      "10.0.0.256"};
static const char *const nets[] = {"10.0.0.0/8", "10.0.0.1",      "192.168.0.0/17",
                                   "fe80::/10",  "2001:db8::/33", "0.0.0.0/0",
                                   "::/0",       "::ffff:0:0/96", "10.0.0.0/33"};
static const char *const times[] = {"2026-11-10T10:23:41Z", "2026-01-01 00:00:00.123", "2025-12-29",
                                    "2026-11-10T23:59:59+09:00", "yesterday"};
static const char *const regexes[] = {
    "a",        "^a",        "b$",          "a.*b",     "[ab]+c?",      "(cmd|abc)", "\\.exe$",
    "ab{2,3}",  "s",         "(?i)CMD",     "k\\s*",    "a|bc|",        "x",         "(ab)?c",
    "(?:a|b)1", "\\d{4}",    "^$",          "[^a]\\\\", "(?=cmd)c",     "(?!a).b",   "[[:alpha:]]b",
    "a\\x62",   "\\Qa.b\\E", "(abc){0}d|e", "ab+c",     "\xe6\xbc\xa2", "é",         "(unclosed"};

static const char *const rule_fields[] = {
    "Image",    "CommandLine",   "User", "EventType",      "Initiated",
    "Protocol", "DestinationIp", "When", "IntegrityLevel", "Nowhere"};
static const char *const stored_fields[] = {
    "Image",     "NewProcessName", "CommandLine",   "User",          "SubjectUserName",
    "EventType", "Direction",      "Protocol",      "DestinationIp", "DestAddress",
    "When",      "Initiated",      "MandatoryLabel"};

static struct slice random_text(struct arena *a, bool wildcards)
{
    char text[256];
    size_t n = 0;
    for (uint32_t i = below(6); i > 0; i--) {
        struct slice piece = wildcards && one_in(4) ? PICK(wild) : PICK(pieces);
        memcpy(text + n, piece.p, piece.n);
        n += piece.n;
    }
    return arena_slice(a, slice_of(text, n));
}

/* ---- events ---- */

static const struct event_kind kinds[] = {
    {.product = {"windows", 7},
     .channel = {"Microsoft-Windows-Sysmon/Operational", 36},
     .provider = {"Microsoft-Windows-Sysmon", 24},
     .code = {"1", 1}},
    {.product = {"windows", 7}, .channel = {"Security", 8}, .code = {"4688", 4}},
    {.product = {"windows", 7}, .channel = {"Security", 8}, .code = {"5156", 4}},
    {.product = {"windows", 7},
     .channel = {"Microsoft-Windows-Sysmon/Operational", 36},
     .code = {"12", 2}},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static struct value random_value(struct arena *a, int depth)
{
    static const char *const special[] = {"%%14593",   "S-1-16-12288", "6",      "17",
                                          "CreateKey", "deletekey",    "true",   "",
                                          "-",         "cmd",          "abc.exe"};
    static const uint8_t plain[] = {VALUE_INT, VALUE_UINT, VALUE_HEX, VALUE_DOUBLE};
    uint64_t *number = arena_zero(a, 2, sizeof *number);
    struct buf list = {0};
    struct slice text;
    switch (below(depth ? 11 : 13)) {
    case 0:
        return (struct value){"", 0, VALUE_NULL};
    case 1:
        return value_of_text(PICK(special));
    case 2:
        return value_of_text(PICK(addresses));
    case 3:
        return value_of_text(PICK(times));
    case 4:
        return value_of_text(PICK(numbers));
    case 5: {
        uint8_t type = plain[below(4)];
        double d = (double)below(40) / 4;
        *number = one_in(3) ? 4624 : below(20);
        if (type == VALUE_DOUBLE)
            memcpy(number, &d, sizeof d);
        return (struct value){number, 8, type};
    }
    case 6:
        return (struct value){number, 1, VALUE_BOOL};
    case 7:
        text = SLICE("c\0m\0d\0.\0e\0");
        return (struct value){text.p, (uint32_t)text.n, VALUE_UTF16};
    case 8:
        *number = 134073302214567890u + below(1000000) * UINT64_C(1000000000);
        return (struct value){number, 8, VALUE_FILETIME};
    case 11:
    case 12:
        for (uint32_t i = below(4); i > 0; i--)
            value_list_add(&list, random_value(a, 1));
        text = arena_slice(a, buf_slice(&list));
        buf_free(&list);
        return (struct value){text.p, (uint32_t)text.n, VALUE_LIST};
    default:
        return value_of_text(random_text(a, false));
    }
}

static void random_event(struct block_set *set, struct arena *a)
{
    struct block *b = block_set_open(set, &kinds[below(KINDS)]);
    struct error err;
    assert_int_equal(block_row(b, 0, (struct origin){0}, &err), OK);
    for (size_t i = 0; i < sizeof stored_fields / sizeof *stored_fields; i++)
        if (!one_in(3))
            block_put(b, block_column(b, slice_str(stored_fields[i])), random_value(a, 0));
}

/* ---- rules ---- */

static uint32_t random_place(void)
{
    static const uint32_t places[] = {0, MOD_CONTAINS, MOD_STARTSWITH, MOD_ENDSWITH};
    return places[below(4)];
}

static uint32_t random_modifiers(void)
{
    static const uint32_t wide[] = {0, MOD_UTF16, MOD_UTF16LE, MOD_UTF16BE};
    static const uint32_t orders[] = {0, MOD_LT, MOD_LTE, MOD_GT, MOD_GTE};
    uint32_t m = (one_in(6) ? MOD_NEQ : one_in(4) ? MOD_ALL : 0) | (one_in(4) ? MOD_CASED : 0);
    switch (below(14)) {
    case 0:
        return m | (one_in(2) ? MOD_BASE64 : MOD_BASE64OFFSET) | wide[below(4)] | random_place() |
               (one_in(4) ? MOD_WINDASH : 0);
    case 1:
        return m | wide[1 + below(3)] | random_place() | (one_in(4) ? MOD_WINDASH : 0);
    case 2:
    case 3:
        return (m & ~(uint32_t)MOD_CASED) | MOD_RE | (one_in(3) ? MOD_RE_I : 0) |
               (one_in(3) ? MOD_RE_M : 0) | (one_in(3) ? MOD_RE_S : 0);
    case 4:
        return (m & MOD_NEQ) | MOD_CIDR;
    case 5:
        return MOD_EXISTS;
    case 6:
        return m | MOD_FIELDREF | random_place();
    case 7:
        return (m & MOD_ALL) | orders[1 + below(4)];
    case 8:
        return (m & MOD_ALL) | MOD_MINUTE << below(6) | orders[below(5)];
    case 9:
        return m | MOD_WINDASH | random_place();
    default:
        return m | random_place();
    }
}

static struct sigma_value random_sigma_value(struct arena *a, uint32_t modifiers)
{
    struct sigma_value v = {.type = SIGMA_STRING};
    if (modifiers & MOD_RE)
        v.text = PICK(regexes);
    else if (modifiers & MOD_CIDR)
        v.text = PICK(nets);
    else if (modifiers & MOD_EXISTS)
        v = (struct sigma_value){SIGMA_BOOL, one_in(2) ? SLICE("true") : SLICE("false"), 0};
    else if (modifiers & MOD_FIELDREF)
        v.text = PICK(rule_fields);
    else if (modifiers >= MOD_LT && !(modifiers & MOD_NEQ && modifiers < MOD_MINUTE &&
                                      !(modifiers & (MOD_LT | MOD_LTE | MOD_GT | MOD_GTE))))
        v = (struct sigma_value){SIGMA_NUMBER, PICK(numbers), 0};
    else if (one_in(8))
        v = (struct sigma_value){SIGMA_NUMBER, PICK(numbers), 0};
    else if (one_in(8))
        v.type = SIGMA_NULL;
    else
        v.text = random_text(a, true);
    return v;
}

static struct sigma_detection random_detection(struct arena *a, int depth)
{
    struct sigma_detection d = {.type = DETECT_ITEM};
    if (depth < 2 && one_in(3)) {
        d.type = one_in(2) ? DETECT_AND : DETECT_OR;
        d.children_n = 1 + below(3);
        d.children = arena_zero(a, d.children_n, sizeof *d.children);
        for (uint32_t i = 0; i < d.children_n; i++)
            d.children[i] = random_detection(a, depth + 1);
        return d;
    }
    d.item.field = one_in(6) ? SLICE("") : PICK(rule_fields);
    d.item.modifiers = random_modifiers();
    d.item.values_n = below(5);
    d.item.values = arena_zero(a, d.item.values_n, sizeof *d.item.values);
    for (uint32_t i = 0; i < d.item.values_n; i++)
        d.item.values[i] = random_sigma_value(a, d.item.modifiers);
    return d;
}

static struct sigma_condition *random_condition(struct arena *a, uint32_t searches_n, int depth)
{
    struct sigma_condition *c = arena_zero(a, 1, sizeof *c);
    switch (depth > 2 ? 3 : below(6)) {
    case 0:
    case 1:
        c->type = one_in(2) ? COND_AND : COND_OR;
        c->left = random_condition(a, searches_n, depth + 1);
        c->right = random_condition(a, searches_n, depth + 1);
        return c;
    case 2:
        c->type = COND_NOT;
        c->left = random_condition(a, searches_n, depth + 1);
        return c;
    case 4:
        c->type = COND_OF;
        c->searches_n = 1 + below(searches_n);
        c->quantity = below(c->searches_n + 2);
        c->searches = arena_zero(a, c->searches_n, sizeof *c->searches);
        for (uint32_t i = 0; i < c->searches_n; i++)
            c->searches[i] = below(searches_n);
        return c;
    default:
        c->type = COND_SEARCH;
        c->search = below(searches_n);
        return c;
    }
}

static struct sigma_rule *random_rule(struct arena *a, uint32_t index)
{
    static const char *const categories[] = {"process_creation", "network_connection",
                                             "registry_add", "registry_event", ""};
    struct sigma_rule *r = arena_zero(a, 1, sizeof *r);
    r->index = index;
    r->logsource.product = SLICE("windows");
    r->logsource.category = PICK(categories);
    if (!r->logsource.category.n)
        r->logsource.service = SLICE("security");
    r->searches_n = 1 + below(4);
    r->searches = arena_zero(a, r->searches_n, sizeof *r->searches);
    for (uint32_t i = 0; i < r->searches_n; i++)
        r->searches[i].detection = random_detection(a, 0);
    r->conditions_n = 1 + one_in(5);
    r->conditions = arena_zero(a, r->conditions_n, sizeof *r->conditions);
    for (uint32_t i = 0; i < r->conditions_n; i++)
        r->conditions[i] = random_condition(a, r->searches_n, 0);
    return r;
}

/* ---- both ---- */

struct match {
    uint32_t rule, row;
    const struct log_binding *binding;
};

struct match_list {
    struct match *at;
    size_t n, cap;
};

struct comparison {
    struct engine_worker *worker;
    struct slow *slow;
    const struct mappings *mappings;
    struct sigma_rule *const *rules;
    struct match_list found;
    size_t matches;
};

static enum status on_match(void *ctx, const struct sigma_rule *rule,
                            const struct log_binding *binding, struct block *b, uint32_t row,
                            struct error *err)
{
    struct comparison *c = ctx;
    (void)b;
    (void)err;
    *VEC_PUSH(c->found) = (struct match){rule->index, row, binding};
    return OK;
}

static const struct log_binding *slow_binding(struct comparison *c, const struct sigma_rule *rule,
                                              const struct block *b, uint32_t row)
{
    uint32_t list[64];
    size_t n = mappings_for_logsource(c->mappings, rule->logsource.product,
                                      rule->logsource.category, rule->logsource.service, list, 64);
    for (size_t i = 0; i < n; i++) {
        const struct log_binding *binding = mappings_get(c->mappings, list[i]);
        if (binding_holds(binding, &b->kind) && slow_matches(c->slow, rule, binding, b, row))
            return binding;
    }
    return NULL;
}

static enum status compare_block(void *ctx, struct block *b, struct error *err)
{
    struct comparison *c = ctx;
    size_t at = 0;
    c->found.n = 0;
    assert_int_equal(engine_run(c->worker, b, on_match, c, err), OK);
    for (uint32_t r = 0; r < RULES; r++)
        for (uint32_t row = 0; row < b->rows; row++) {
            const struct log_binding *slow = slow_binding(c, c->rules[r], b, row);
            bool found = at < c->found.n && c->found.at[at].rule == r && c->found.at[at].row == row;
            if (found != (slow != NULL))
                fail_msg("rule %u, row %u of kind %.*s: %s alone says it matches", r, row,
                         SLICE_ARG(b->kind.code), found ? "the engine" : "the slow evaluator");
            if (found)
                assert_ptr_equal(c->found.at[at++].binding, slow);
        }
    assert_int_equal(at, c->found.n);
    c->matches += at;
    return OK;
}

static void random_round(uint64_t seed, const struct mappings *mappings, size_t *matches)
{
    struct arena a = {0};
    struct sigma_rule *rules[RULES];
    struct error err = {0};
    chance = seed * 0x9e3779b97f4a7c15u + 1;
    for (uint32_t i = 0; i < RULES; i++)
        rules[i] = random_rule(&a, i);
    struct engine *e =
        engine_new_of((const struct sigma_rule *const *)rules, RULES, mappings, &err);
    assert_non_null(e);
    struct comparison c = {engine_worker_new(e), slow_new(), mappings, rules, {0}, 0};
    struct block_set *set = block_set_new((struct block_sink){compare_block, &c});
    for (uint32_t i = 0; i < EVENTS; i++) {
        random_event(set, &a);
        if (one_in(40))
            assert_int_equal(block_set_flush(set, &err), OK);
    }
    assert_int_equal(block_set_flush(set, &err), OK);
    *matches += c.matches;
    block_set_free(set);
    slow_free(c.slow);
    engine_worker_free(c.worker);
    engine_free(e);
    free(c.found.at);
    arena_free(&a);
}

static void test_agree(void **state)
{
    struct error err;
    struct mappings *mappings = mappings_builtin(&err);
    const char *from = getenv("SIGMA_SEED"); // a round to run again
    size_t matches = 0;
    (void)state;
    assert_non_null(mappings);
    uint64_t first = from ? strtoull(from, NULL, 10) : 1, last = from ? first : ROUNDS;
    for (uint64_t seed = first; seed <= last; seed++) {
        printf("# round %llu\n", (unsigned long long)seed);
        random_round(seed, mappings, &matches);
    }
    assert_true(matches > 100); /* the rules do say something */
    mappings_free(mappings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
