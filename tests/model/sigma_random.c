#include "model/sigma_random.h"

#include "base/cursor.h"

#include <stdlib.h>

/* ---- chance ---- */

static uint32_t below(struct chance *c, uint32_t n)
{
    if (c->bytes.n) /* what a fuzzer gives; zeros behind */
        return cursor_left(&c->bytes) && n ? cursor_u8(&c->bytes) % n : 0;
    c->state ^= c->state << 13;
    c->state ^= c->state >> 7;
    c->state ^= c->state << 17;
    return n ? (uint32_t)(c->state >> 33) % n : 0;
}

static bool one_in(struct chance *c, uint32_t n)
{
    return below(c, n) == 0;
}

#define PICK(c, list) slice_str((list)[below(c, sizeof(list) / sizeof *(list))])

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
    "a\\x62",   "abc?k",     "cm?d",        "a1*b",     "ask",          "(?i)As",    "as{0,1}k",
    "ab{0}c",   "\\Qa.b\\E", "(abc){0}d|e", "ab+c",     "\xe6\xbc\xa2", "é",         "(unclosed"};

static const char *const rule_fields[] = {
    "Image",    "CommandLine",   "User", "EventType",      "Initiated",
    "Protocol", "DestinationIp", "When", "IntegrityLevel", "Nowhere"};
static const char *const stored_fields[] = {
    "Image",     "NewProcessName", "CommandLine",   "User",          "SubjectUserName",
    "EventType", "Direction",      "Protocol",      "DestinationIp", "DestAddress",
    "When",      "Initiated",      "MandatoryLabel"};

static struct slice random_text(struct chance *c, struct arena *a, bool wildcards)
{
    char text[256];
    size_t n = 0;
    for (uint32_t i = below(c, 6); i > 0; i--) {
        struct slice piece = wildcards && one_in(c, 4) ? PICK(c, wild) : PICK(c, pieces);
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

static struct value random_value(struct chance *c, struct arena *a, int depth)
{
    static const char *const special[] = {"%%14593",   "S-1-16-12288", "6",      "17",
                                          "CreateKey", "deletekey",    "true",   "",
                                          "-",         "cmd",          "abc.exe"};
    static const uint8_t plain[] = {VALUE_INT, VALUE_UINT, VALUE_HEX, VALUE_DOUBLE};
    uint64_t *number = arena_zero(a, 2, sizeof *number);
    struct buf list = {0};
    struct slice text;
    switch (below(c, depth ? 11 : 13)) {
    case 0:
        return (struct value){"", 0, VALUE_NULL};
    case 1:
        return value_of_text(PICK(c, special));
    case 2:
        return value_of_text(PICK(c, addresses));
    case 3:
        return value_of_text(PICK(c, times));
    case 4:
        return value_of_text(PICK(c, numbers));
    case 5: {
        uint8_t type = plain[below(c, 4)];
        double d = (double)below(c, 40) / 4;
        *number = one_in(c, 3) ? 4624 : below(c, 20);
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
        *number = 134073302214567890u + below(c, 1000000) * UINT64_C(1000000000);
        return (struct value){number, 8, VALUE_FILETIME};
    case 11:
    case 12:
        for (uint32_t i = below(c, 4); i > 0; i--)
            value_list_add(&list, random_value(c, a, 1));
        text = arena_slice(a, buf_slice(&list));
        buf_free(&list);
        return (struct value){text.p, (uint32_t)text.n, VALUE_LIST};
    default:
        return value_of_text(random_text(c, a, false));
    }
}

enum status random_event(struct chance *c, struct arena *a, struct block_set *set,
                         struct error *err)
{
    struct block *b = block_set_open(set, &kinds[below(c, KINDS)]);
    enum status status = block_row(b, 0, (struct origin){0}, err);
    for (size_t i = 0; i < sizeof stored_fields / sizeof *stored_fields && status == OK; i++)
        if (!one_in(c, 3))
            block_put(b, block_column(b, slice_str(stored_fields[i])), random_value(c, a, 0));
    return status;
}

/* ---- rules ---- */

static uint32_t random_place(struct chance *c)
{
    static const uint32_t places[] = {0, MOD_CONTAINS, MOD_STARTSWITH, MOD_ENDSWITH};
    return places[below(c, 4)];
}

static uint32_t random_modifiers(struct chance *c)
{
    static const uint32_t wide[] = {0, MOD_UTF16, MOD_UTF16LE, MOD_UTF16BE};
    static const uint32_t orders[] = {0, MOD_LT, MOD_LTE, MOD_GT, MOD_GTE};
    uint32_t m = (one_in(c, 6)   ? MOD_NEQ
                  : one_in(c, 4) ? MOD_ALL
                                 : 0) |
                 (one_in(c, 4) ? MOD_CASED : 0);
    switch (below(c, 14)) {
    case 0:
        return m | (one_in(c, 2) ? MOD_BASE64 : MOD_BASE64OFFSET) | wide[below(c, 4)] |
               random_place(c) | (one_in(c, 4) ? MOD_WINDASH : 0);
    case 1:
        return m | wide[1 + below(c, 3)] | random_place(c) | (one_in(c, 4) ? MOD_WINDASH : 0);
    case 2:
    case 3:
        return (m & ~(uint32_t)MOD_CASED) | MOD_RE | (one_in(c, 3) ? MOD_RE_I : 0) |
               (one_in(c, 3) ? MOD_RE_M : 0) | (one_in(c, 3) ? MOD_RE_S : 0);
    case 4:
        return (m & MOD_NEQ) | MOD_CIDR;
    case 5:
        return MOD_EXISTS;
    case 6:
        return m | MOD_FIELDREF | random_place(c);
    case 7:
        return (m & MOD_ALL) | orders[1 + below(c, 4)];
    case 8:
        return (m & MOD_ALL) | MOD_MINUTE << below(c, 6) | orders[below(c, 5)];
    case 9:
        return m | MOD_WINDASH | random_place(c);
    default:
        return m | random_place(c);
    }
}

static struct sigma_value random_sigma_value(struct chance *c, struct arena *a, uint32_t modifiers)
{
    struct sigma_value v = {.type = SIGMA_STRING};
    if (modifiers & MOD_RE)
        v.text = PICK(c, regexes);
    else if (modifiers & MOD_CIDR)
        v.text = PICK(c, nets);
    else if (modifiers & MOD_EXISTS)
        v = (struct sigma_value){SIGMA_BOOL, one_in(c, 2) ? SLICE("true") : SLICE("false"), 0};
    else if (modifiers & MOD_FIELDREF)
        v.text = PICK(c, rule_fields);
    else if (modifiers >= MOD_LT && !(modifiers & MOD_NEQ && modifiers < MOD_MINUTE &&
                                      !(modifiers & (MOD_LT | MOD_LTE | MOD_GT | MOD_GTE))))
        v = (struct sigma_value){SIGMA_NUMBER, PICK(c, numbers), 0};
    else if (one_in(c, 8))
        v = (struct sigma_value){SIGMA_NUMBER, PICK(c, numbers), 0};
    else if (one_in(c, 8))
        v.type = SIGMA_NULL;
    else
        v.text = random_text(c, a, true);
    return v;
}

static struct sigma_detection random_detection(struct chance *c, struct arena *a, int depth)
{
    struct sigma_detection d = {.type = DETECT_ITEM};
    if (depth < 2 && one_in(c, 3)) {
        d.type = one_in(c, 2) ? DETECT_AND : DETECT_OR;
        d.children_n = 1 + below(c, 3);
        d.children = arena_zero(a, d.children_n, sizeof *d.children);
        for (uint32_t i = 0; i < d.children_n; i++)
            d.children[i] = random_detection(c, a, depth + 1);
        return d;
    }
    d.item.field = one_in(c, 6) ? SLICE("") : PICK(c, rule_fields);
    d.item.modifiers = random_modifiers(c);
    d.item.values_n = below(c, 5);
    d.item.values = arena_zero(a, d.item.values_n, sizeof *d.item.values);
    for (uint32_t i = 0; i < d.item.values_n; i++)
        d.item.values[i] = random_sigma_value(c, a, d.item.modifiers);
    return d;
}

static struct sigma_condition *random_condition(struct chance *c, struct arena *a,
                                                uint32_t searches_n, int depth)
{
    struct sigma_condition *condition = arena_zero(a, 1, sizeof *condition);
    switch (depth > 2 ? 3 : below(c, 6)) {
    case 0:
    case 1:
        condition->type = one_in(c, 2) ? COND_AND : COND_OR;
        condition->left = random_condition(c, a, searches_n, depth + 1);
        condition->right = random_condition(c, a, searches_n, depth + 1);
        return condition;
    case 2:
        condition->type = COND_NOT;
        condition->left = random_condition(c, a, searches_n, depth + 1);
        return condition;
    case 4:
        condition->type = COND_OF;
        condition->searches_n = 1 + below(c, searches_n);
        condition->quantity = below(c, condition->searches_n + 2);
        condition->searches = arena_zero(a, condition->searches_n, sizeof *condition->searches);
        for (uint32_t i = 0; i < condition->searches_n; i++)
            condition->searches[i] = below(c, searches_n);
        return condition;
    default:
        condition->type = COND_SEARCH;
        condition->search = below(c, searches_n);
        return condition;
    }
}

struct sigma_rule *random_rule(struct chance *c, struct arena *a, uint32_t index)
{
    static const char *const categories[] = {"process_creation", "network_connection",
                                             "registry_add", "registry_event", ""};
    struct sigma_rule *r = arena_zero(a, 1, sizeof *r);
    r->index = index;
    r->logsource.product = SLICE("windows");
    r->logsource.category = PICK(c, categories);
    if (!r->logsource.category.n && !one_in(c, 4)) /* else all of Windows, by many bindings */
        r->logsource.service = SLICE("security");
    r->searches_n = 1 + below(c, 4);
    r->searches = arena_zero(a, r->searches_n, sizeof *r->searches);
    for (uint32_t i = 0; i < r->searches_n; i++)
        r->searches[i].detection = random_detection(c, a, 0);
    r->conditions_n = 1 + one_in(c, 5);
    r->conditions = arena_zero(a, r->conditions_n, sizeof *r->conditions);
    for (uint32_t i = 0; i < r->conditions_n; i++)
        r->conditions[i] = random_condition(c, a, r->searches_n, 0);
    return r;
}
