#include "detect/regex.h"
#include "detect/ruleset_internal.h"

#include <arpa/inet.h>
#include <stdlib.h>

static const struct {
    const char *name;
    uint32_t bit;
} words[] = {
    {"contains", MOD_CONTAINS},
    {"startswith", MOD_STARTSWITH},
    {"endswith", MOD_ENDSWITH},
    {"all", MOD_ALL},
    {"cased", MOD_CASED},
    {"exact", MOD_CASED},
    {"re", MOD_RE},
    {"i", MOD_RE_I},
    {"m", MOD_RE_M},
    {"s", MOD_RE_S},
    {"base64", MOD_BASE64},
    {"base64offset", MOD_BASE64OFFSET},
    {"utf16le", MOD_UTF16LE},
    {"wide", MOD_UTF16LE},
    {"utf16be", MOD_UTF16BE},
    {"utf16", MOD_UTF16},
    {"windash", MOD_WINDASH},
    {"cidr", MOD_CIDR},
    {"exists", MOD_EXISTS},
    {"fieldref", MOD_FIELDREF},
    {"expand", MOD_EXPAND},
    {"lt", MOD_LT},
    {"lte", MOD_LTE},
    {"gt", MOD_GT},
    {"gte", MOD_GTE},
    {"neq", MOD_NEQ},
    {"minute", MOD_MINUTE},
    {"hour", MOD_HOUR},
    {"day", MOD_DAY},
    {"week", MOD_WEEK},
    {"month", MOD_MONTH},
    {"year", MOD_YEAR},
};

enum {
    PLACES = MOD_CONTAINS | MOD_STARTSWITH | MOD_ENDSWITH,
    RE_FLAGS = MOD_RE_I | MOD_RE_M | MOD_RE_S,
    BASE64S = MOD_BASE64 | MOD_BASE64OFFSET,
    UTF16S = MOD_UTF16LE | MOD_UTF16BE | MOD_UTF16,
    ORDERS = MOD_LT | MOD_LTE | MOD_GT | MOD_GTE,
    TIMES = MOD_MINUTE | MOD_HOUR | MOD_DAY | MOD_WEEK | MOD_MONTH | MOD_YEAR,
    ENCODINGS = BASE64S | UTF16S | MOD_WINDASH,
    KINDS = MOD_RE | MOD_CIDR | MOD_EXISTS | MOD_FIELDREF | ORDERS, /* how to compare */
};

/* Modifiers that exclude each other: at most one of each set. */
static const struct {
    uint32_t set;
    const char *why;
} groups[] = {
    {PLACES, "'contains', 'startswith' and 'endswith' exclude each other"},
    {UTF16S, "'utf16', 'utf16le' (or 'wide') and 'utf16be' exclude each other"},
    {BASE64S, "'base64' and 'base64offset' exclude each other"},
    {TIMES, "one part of a time can be compared at once"},
    {ORDERS, "'lt', 'lte', 'gt' and 'gte' exclude each other; write two items for a range"},
    {KINDS, "'re', 'cidr', 'exists', 'fieldref' and the comparisons exclude each other"},
};

/* Pairs that mean nothing together: when one of `if_` is there, none of `not_` may be. */
static const struct {
    uint32_t if_, not_;
    const char *why;
} pairs[] = {
    {MOD_RE, PLACES, "a regular expression is searched anywhere; write ^ or $ into it instead"},
    {MOD_RE, ENCODINGS, "a regular expression can't be encoded or have its dashes changed"},
    {MOD_RE, MOD_CASED, "a regular expression minds the case unless 'i' stands behind 're'"},
    {MOD_CIDR, PLACES | ENCODINGS | MOD_CASED, "'cidr' compares addresses, not text"},
    {MOD_EXISTS, ~(uint32_t)MOD_EXISTS, "'exists' asks for nothing but the field and stands alone"},
    {MOD_FIELDREF, ENCODINGS | MOD_EXPAND,
     "'fieldref' names a field, whose value is taken as it is"},
    {ORDERS | TIMES, PLACES | ENCODINGS | MOD_CASED, "numbers are compared, not text"},
    {TIMES, MOD_RE | MOD_CIDR | MOD_FIELDREF, "a part of a time is compared with a number"},
    {MOD_NEQ, ORDERS, "'neq' with a comparison: write the opposite comparison"},
    {MOD_NEQ, MOD_ALL, "'neq' is true when none of the values match; 'all' adds no meaning to it"},
};

static uint32_t modifier_bit(struct slice word)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_equal(word, slice_str(words[i].name)))
            return words[i].bit;
    return 0;
}

/* Which of two transformations comes first; those without a fixed place have 0. */
static int rank(uint32_t bit)
{
    if (bit == MOD_WINDASH)
        return 1;
    if (bit & UTF16S)
        return 2;
    if (bit & BASE64S)
        return 3;
    return bit & PLACES ? 4 : 0;
}

/* NULL, or what is wrong with adding `bit` behind those in `seen`. */
static const char *order_fault(uint32_t seen, uint32_t bit)
{
    if (seen & bit)
        return "it stands there twice";
    if (bit & RE_FLAGS && !(seen & MOD_RE))
        return "it stands only behind 're'";
    if (rank(bit))
        for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
            uint32_t before = words[i].bit;
            /* dashes are changed alike inside of wildcards and without */
            bool alike = before & PLACES && bit == MOD_WINDASH;
            if (seen & before && rank(before) > rank(bit) && !alike)
                return "the order is windash, utf16 or wide, base64, and last contains, "
                       "startswith or endswith";
        }
    return NULL;
}

static const char *set_fault(uint32_t modifiers, bool keyword)
{
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (__builtin_popcount(modifiers & groups[i].set) > 1)
            return groups[i].why;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        uint32_t found = modifiers & pairs[i].if_;
        if (found && (modifiers & ~found & pairs[i].not_))
            return pairs[i].why;
    }
    if (keyword && modifiers & (MOD_EXISTS | MOD_FIELDREF | MOD_CIDR | MOD_NEQ | ORDERS | TIMES))
        return "it needs a field before it; keywords are looked for in the whole event";
    return NULL;
}

enum status rule_modifiers(const struct rule_document *doc, const struct yaml_node *key,
                           struct slice *field, uint32_t *modifiers, struct error *err)
{
    struct slice rest = key->text;
    ptrdiff_t bar = slice_find(rest, SLICE("|"));
    *field = slice_sub(rest, 0, bar < 0 ? rest.n : (size_t)bar);
    *modifiers = 0;
    while (bar >= 0) {
        rest = slice_sub(rest, (size_t)bar + 1, SIZE_MAX);
        bar = slice_find(rest, SLICE("|"));
        struct slice word = slice_sub(rest, 0, bar < 0 ? rest.n : (size_t)bar);
        uint32_t bit = modifier_bit(word);
        if (!bit)
            return yaml_error(err, doc->path, key, "there is no modifier '%.*s' (in '%.*s')",
                              SLICE_ARG(word), SLICE_ARG(key->text));
        const char *why = order_fault(*modifiers, bit);
        if (why)
            return yaml_error(err, doc->path, key, "the modifier '%.*s' can't be used here: %s",
                              SLICE_ARG(word), why);
        *modifiers |= bit;
    }
    const char *why = set_fault(*modifiers, field->n == 0);
    if (why)
        return yaml_error(err, doc->path, key, "the modifiers of '%.*s' don't go together: %s",
                          SLICE_ARG(key->text), why);
    return OK;
}

/* ---- values ---- */

static bool is_number(struct slice text)
{
    char copy[64];
    text = slice_trim(text);
    if (text.n == 0 || text.n >= sizeof copy)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    char *end;
    (void)strtod(copy, &end);
    return *end == '\0' && strspn(copy, "0123456789.+-eExXabcdefABCDEF") == text.n;
}

/* An address, or an address with a prefix length: "10.0.0.0/8", "fe80::/10". */
static bool is_network(struct slice text)
{
    char copy[64];
    unsigned char address[16];
    ptrdiff_t slash = slice_find(text, SLICE("/"));
    struct slice host = slice_sub(text, 0, slash < 0 ? text.n : (size_t)slash);
    if (host.n == 0 || host.n >= sizeof copy)
        return false;
    memcpy(copy, host.p, host.n);
    copy[host.n] = '\0';
    unsigned bits;
    if (inet_pton(AF_INET, copy, address) == 1)
        bits = 32;
    else if (inet_pton(AF_INET6, copy, address) == 1)
        bits = 128;
    else
        return false;
    if (slash < 0)
        return true;
    struct slice length = slice_sub(text, (size_t)slash + 1, SIZE_MAX);
    if (length.n == 0 || length.n > 3)
        return false;
    unsigned given = 0;
    for (size_t i = 0; i < length.n; i++) {
        if (length.p[i] < '0' || length.p[i] > '9')
            return false;
        given = given * 10 + (unsigned)(length.p[i] - '0');
    }
    return given <= bits;
}

/* A `*` or `?` that no backslash makes plain. */
static bool has_wildcard(struct slice text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\\')
            i++;
        else if (text.p[i] == '*' || text.p[i] == '?')
            return true;
    }
    return false;
}

/* NULL, or what kind of value should stand there. */
static const char *value_fault(uint32_t modifiers, const struct sigma_value *value)
{
    if (modifiers & MOD_EXISTS) {
        bool truth = value->type == SIGMA_BOOL || slice_equal(value->text, SLICE("true")) ||
                     slice_equal(value->text, SLICE("false"));
        return truth ? NULL : "'exists' takes true or false";
    }
    if (modifiers & (ORDERS | TIMES))
        return is_number(value->text) ? NULL : "a number is needed to compare with";
    if (modifiers & MOD_CIDR)
        return is_network(value->text) ? NULL : "'cidr' takes a network such as 10.0.0.0/8";
    if (value->type == SIGMA_NULL && modifiers & (PLACES | ENCODINGS | MOD_RE))
        return "null is no text; write '' for an empty text, or leave the modifiers out";
    if (modifiers & MOD_FIELDREF && value->text.n == 0)
        return "'fieldref' takes the name of a field";
    if (modifiers & BASE64S && has_wildcard(value->text))
        return "what is encoded as Base64 can't hold wildcards; write \\* or \\? for the "
               "characters";
    return NULL;
}

enum status rule_value_check(const struct rule_document *doc, const struct yaml_node *node,
                             uint32_t modifiers, const struct sigma_value *value, struct error *err)
{
    const char *fault = value_fault(modifiers, value);
    if (fault)
        return yaml_error(err, doc->path, node, "the value '%.*s' can't stand here: %s",
                          SLICE_ARG(slice_sub(value->text, 0, 120)), fault);
    if (modifiers & MOD_RE) {
        char why[256];
        size_t at;
        pcre2_code *re = regex_compile(value->text, modifiers, why, sizeof why, &at);
        if (!re)
            return yaml_error(err, doc->path, node,
                              "the regular expression is wrong at its character %zu: %s", at + 1,
                              why);
        pcre2_code_free(re);
    }
    return OK;
}
