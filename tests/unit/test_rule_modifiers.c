/* Items: modifiers, values, the shapes of detections, placeholders; and what is refused, where. */
#include "rules.h"

#include "base/buf.h"

#include <stdlib.h>
#include <unistd.h>

/* A rule whose only search is this item, which stands in line 5 from column 5 on. */
static struct ruleset *rule_with(const char *item)
{
    struct buf b = {0};
    buf_printf(&b, RULE_HEAD "detection:\n  s:\n    %s\n  condition: s\n", item);
    buf_char(&b, '\0');
    struct ruleset *set = rules_of(b.p);
    buf_free(&b);
    return set;
}

static const struct {
    const char *item;
    uint32_t modifiers;
} known[] = {
    {"F: x", 0},
    {"F|contains: x", MOD_CONTAINS},
    {"F|startswith: x", MOD_STARTSWITH},
    {"F|endswith: x", MOD_ENDSWITH},
    {"F|contains|all: [x, y]", MOD_CONTAINS | MOD_ALL},
    {"F|all|contains: [x, y]", MOD_CONTAINS | MOD_ALL},
    {"F|cased: x", MOD_CASED},
    {"F|exact: x", MOD_CASED},
    {"F|contains|cased: x", MOD_CONTAINS | MOD_CASED},
    {"F|re: x", MOD_RE},
    {"F|re|i: x", MOD_RE | MOD_RE_I},
    {"F|re|i|m|s: x", MOD_RE | MOD_RE_I | MOD_RE_M | MOD_RE_S},
    {"F|re|all: [x, y]", MOD_RE | MOD_ALL},
    {"F|base64: x", MOD_BASE64},
    {"F|base64offset|contains: x", MOD_BASE64OFFSET | MOD_CONTAINS},
    {"F|utf16|base64: x", MOD_UTF16 | MOD_BASE64},
    {"F|utf16le|base64: x", MOD_UTF16LE | MOD_BASE64},
    {"F|utf16be|base64: x", MOD_UTF16BE | MOD_BASE64},
    {"F|wide|base64offset|contains: x", MOD_UTF16LE | MOD_BASE64OFFSET | MOD_CONTAINS},
    {"F|windash|contains: -x", MOD_WINDASH | MOD_CONTAINS},
    {"F|contains|windash: -x", MOD_WINDASH | MOD_CONTAINS},
    {"F|endswith|windash|all: [-x, -y]", MOD_WINDASH | MOD_ENDSWITH | MOD_ALL},
    {"F|windash|wide|base64: -x", MOD_WINDASH | MOD_UTF16LE | MOD_BASE64},
    {"F|cidr: 10.0.0.0/8", MOD_CIDR},
    {"F|cidr: ['fe80::/10', '::1/128', 192.0.2.7]", MOD_CIDR},
    {"F|cidr|neq: 10.0.0.0/8", MOD_CIDR | MOD_NEQ},
    {"F|exists: true", MOD_EXISTS},
    {"F|exists: 'false'", MOD_EXISTS},
    {"F|fieldref: G", MOD_FIELDREF},
    {"F|fieldref|neq: G", MOD_FIELDREF | MOD_NEQ},
    {"F|fieldref|startswith: G", MOD_FIELDREF | MOD_STARTSWITH},
    {"F|expand: x", MOD_EXPAND},
    {"F|lt: 5", MOD_LT},
    {"F|lte: 5.5", MOD_LTE},
    {"F|gt: '5'", MOD_GT},
    {"F|gte: -5e3", MOD_GTE},
    {"F|gte: 0x10", MOD_GTE},
    {"F|neq: x", MOD_NEQ},
    {"F|contains|neq: [x, y]", MOD_CONTAINS | MOD_NEQ},
    {"F|re|neq: x", MOD_RE | MOD_NEQ},
    {"F|minute: 5", MOD_MINUTE},
    {"F|hour|gte: 22", MOD_HOUR | MOD_GTE},
    {"F|day: [1, 2]", MOD_DAY},
    {"F|week: 5", MOD_WEEK},
    {"F|month|neq: 5", MOD_MONTH | MOD_NEQ},
    {"F|year: 2025", MOD_YEAR},
    {"'|all': [x, y]", MOD_ALL},
    {"'|contains': x", MOD_CONTAINS},
    {"'|re': x", MOD_RE},
};

static void every_modifier_is_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct ruleset *set = rule_with(known[i].item);
        const struct sigma_detection *d = &only_rule(set)->searches[0].detection;
        assert_int_equal(d->type, DETECT_AND);
        assert_int_equal(d->children_n, 1);
        const struct sigma_item *item = &d->children[0].item;
        if (item->modifiers != known[i].modifiers)
            fail_msg("%s: %x, not %x", known[i].item, item->modifiers, known[i].modifiers);
        if (known[i].item[0] == 'F')
            assert_slice(item->field, "F");
        else
            assert_int_equal(item->field.n, 0);
        assert_int_equal(item->line, 5);
        assert_int_equal(item->column, 5);
        ruleset_free(set);
    }
}

#define ORDER                                                                                      \
    "the order is windash, utf16 or wide, base64, and last contains, startswith or endswith"
static const struct {
    const char *item, *what;
} refused[] = {
    {"F|contain: x", "there is no modifier 'contain' (in 'F|contain')"},
    {"F|: x", "there is no modifier '' (in 'F|')"},
    {"F|Contains: x", "there is no modifier 'Contains' (in 'F|Contains')"},
    {"F|contains|contains: x", "the modifier 'contains' can't be used here: it stands there twice"},
    {"F|i: x", "the modifier 'i' can't be used here: it stands only behind 're'"},
    {"F|contains|base64offset: x", "the modifier 'base64offset' can't be used here: " ORDER},
    {"F|base64|wide: x", "the modifier 'wide' can't be used here: " ORDER},
    {"F|base64|windash: x", "the modifier 'windash' can't be used here: " ORDER},
    {"F|contains|wide: x", "the modifier 'wide' can't be used here: " ORDER},
    {"F|contains|startswith: x",
     "the modifiers of 'F|contains|startswith' don't go together: 'contains', 'startswith' and "
     "'endswith' exclude each other"},
    {"F|wide|utf16be: x",
     "the modifiers of 'F|wide|utf16be' don't go together: 'utf16', 'utf16le' (or 'wide') and "
     "'utf16be' exclude each other"},
    {"F|gt|lt: 5",
     "the modifiers of 'F|gt|lt' don't go together: 'lt', 'lte', 'gt' and 'gte' exclude each "
     "other; write two items for a range"},
    {"F|re|cidr: x",
     "the modifiers of 'F|re|cidr' don't go together: 're', 'cidr', 'exists', 'fieldref' and "
     "the comparisons exclude each other"},
    {"F|hour|day: 1",
     "the modifiers of 'F|hour|day' don't go together: one part of a time can be compared at "
     "once"},
    {"F|re|contains: x",
     "the modifiers of 'F|re|contains' don't go together: a regular expression is searched "
     "anywhere; write ^ or $ into it instead"},
    {"F|re|base64: x",
     "the modifiers of 'F|re|base64' don't go together: a regular expression can't be encoded "
     "or have its dashes changed"},
    {"F|re|cased: x",
     "the modifiers of 'F|re|cased' don't go together: a regular expression minds the case "
     "unless 'i' stands behind 're'"},
    {"F|cidr|contains: 10.0.0.0/8",
     "the modifiers of 'F|cidr|contains' don't go together: 'cidr' compares addresses, not "
     "text"},
    {"F|exists|all: true",
     "the modifiers of 'F|exists|all' don't go together: 'exists' asks for nothing but the "
     "field and stands alone"},
    {"F|fieldref|base64: G",
     "the modifiers of 'F|fieldref|base64' don't go together: 'fieldref' names a field, whose "
     "value is taken as it is"},
    {"F|gt|contains: 5",
     "the modifiers of 'F|gt|contains' don't go together: numbers are compared, not text"},
    {"F|hour|re: 5",
     "the modifiers of 'F|hour|re' don't go together: a part of a time is compared with a "
     "number"},
    {"F|neq|gt: 5",
     "the modifiers of 'F|neq|gt' don't go together: 'neq' with a comparison: write the "
     "opposite comparison"},
    {"F|neq|all: [x, y]",
     "the modifiers of 'F|neq|all' don't go together: 'neq' is true when none of the values "
     "match; 'all' adds no meaning to it"},
    {"'|exists': true",
     "the modifiers of '|exists' don't go together: it needs a field before it; keywords are "
     "looked for in the whole event"},
    {"'|gt': 5", "the modifiers of '|gt' don't go together: it needs a field before it; "
                 "keywords are looked for in the whole event"},
};
#undef ORDER

static void wrong_modifiers_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct ruleset *set = rule_with(refused[i].item);
        assert_int_equal(ruleset_count(set), 0);
        assert_problem(set, 5, 5, refused[i].what);
        ruleset_free(set);
    }
}

static void wrong_values_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *item;
        uint32_t column;
        const char *what;
    } cases[] = {
        {"F|exists: yes", 15, "the value 'yes' can't stand here: 'exists' takes true or false"},
        {"F|exists: [true, false]", 15, "'exists' takes one value, true or false"},
        {"F|gt: many", 11, "the value 'many' can't stand here: a number is needed to compare with"},
        {"F|gt: ''", 11, "the value '' can't stand here: a number is needed to compare with"},
        {"F|hour: [1, x]", 17,
         "the value 'x' can't stand here: a number is needed to compare with"},
        {"F|cidr: 10.0.0.0/33", 13,
         "the value '10.0.0.0/33' can't stand here: 'cidr' takes a network such as 10.0.0.0/8"},
        {"F|cidr: 10.0.0/8", 13,
         "the value '10.0.0/8' can't stand here: 'cidr' takes a network such as 10.0.0.0/8"},
        {"F|cidr: 'fe80::/129'", 13,
         "the value 'fe80::/129' can't stand here: 'cidr' takes a network such as 10.0.0.0/8"},
        {"F|cidr: [10.0.0.0/8, /8]", 26,
         "the value '/8' can't stand here: 'cidr' takes a network such as 10.0.0.0/8"},
        {"F|contains: null", 17,
         "the value '' can't stand here: null is no text; write '' for an empty text, or leave the "
         "modifiers out"},
        {"F|fieldref: ''", 17,
         "the value '' can't stand here: 'fieldref' takes the name of a field"},
        {"F|base64: 'a*b'", 15,
         "the value 'a*b' can't stand here: what is encoded as Base64 can't hold wildcards; write "
         "\\* or \\? for the characters"},
        {"F|re: 'a(b'", 11,
         "the regular expression is wrong at its character 4: missing closing parenthesis"},
        {"F|re: ['a', '[z-a]']", 17,
         "the regular expression is wrong at its character 4: range out of order in character "
         "class"},
        {"F: {G: x}", 8, "'F' holds a map; a field takes a value or a list of values"},
        {"F: [x, {G: y}]", 12, "a value must be a text, a number, true, false or null"},
        {"F: [[x]]", 9, "a value must be a text, a number, true, false or null"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ruleset *set = rule_with(cases[i].item);
        assert_problem(set, 5, cases[i].column, cases[i].what);
        ruleset_free(set);
    }
}

static const struct sigma_item *first_item(const struct ruleset *set)
{
    return &only_rule(set)->searches[0].detection.children[0].item;
}

static void values_keep_what_was_written(void **state)
{
    (void)state;
    struct ruleset *set =
        rule_with("F: ['a*b\\*', 4624, 0x10, 1.50, true, null, '', '4624', \"t\\tq\"]");
    const struct sigma_item *item = first_item(set);
    static const int types[] = {SIGMA_STRING, SIGMA_NUMBER, SIGMA_NUMBER, SIGMA_NUMBER, SIGMA_BOOL,
                                SIGMA_NULL,   SIGMA_STRING, SIGMA_STRING, SIGMA_STRING};
    static const char *const texts[] = {"a*b\\*", "4624", "0x10", "1.50", "true",
                                        "",       "",     "4624", "t\tq"};
    assert_int_equal(item->values_n, 9);
    for (uint32_t i = 0; i < item->values_n; i++) {
        assert_int_equal(item->values[i].type, types[i]);
        assert_string_equal(item->values[i].text.p, texts[i]);
        assert_int_equal(item->values[i].line, 5);
    }
    ruleset_free(set);
    set = rule_with("F: []");
    assert_int_equal(first_item(set)->values_n, 0);
    ruleset_free(set);
}

static void detections_have_every_shape(void **state)
{
    (void)state;
    struct ruleset *set = rules_of(RULE_HEAD "detection:\n"
                                             "  list: [one, 2]\n"
                                             "  word: alone\n"
                                             "  maps:\n"
                                             "    - A: 1\n"
                                             "      B: 2\n"
                                             "    - C|contains: x\n"
                                             "    - key\n"
                                             "  all: {'|all': [p, q]}\n"
                                             "  condition: 1 of them\n");
    const struct sigma_rule *rule = only_rule(set);
    assert_int_equal(rule->searches_n, 4);
    const struct sigma_detection *list = &rule->searches[0].detection;
    assert_int_equal(list->type, DETECT_ITEM);
    assert_int_equal(list->item.field.n, 0);
    assert_int_equal(list->item.values_n, 2);
    assert_int_equal(rule->searches[1].detection.type, DETECT_ITEM);
    assert_slice(rule->searches[1].detection.item.values[0].text, "alone");
    const struct sigma_detection *maps = &rule->searches[2].detection;
    assert_slice(rule->searches[2].name, "maps");
    assert_int_equal(maps->type, DETECT_OR);
    assert_int_equal(maps->children_n, 3);
    assert_int_equal(maps->children[0].type, DETECT_AND);
    assert_int_equal(maps->children[0].children_n, 2);
    assert_slice(maps->children[0].children[1].item.field, "B");
    assert_int_equal(maps->children[2].type, DETECT_ITEM);
    assert_slice(maps->children[2].item.values[0].text, "key");
    const struct sigma_detection *all = &rule->searches[3].detection;
    assert_int_equal(all->type, DETECT_AND);
    assert_int_equal(all->children[0].item.modifiers, MOD_ALL);
    ruleset_free(set);
}

static void empty_searches_are_refused(void **state)
{
    (void)state;
    static const char *const empties[] = {"[]", "{}", "null", "~"};
    for (size_t i = 0; i < sizeof empties / sizeof *empties; i++) {
        char text[256];
        snprintf(text, sizeof text, RULE_HEAD "detection:\n  s: %s\n  condition: s\n", empties[i]);
        struct ruleset *set = rules_of(text);
        assert_problem(set, 4, 6, "the search is empty");
        ruleset_free(set);
    }
}

/* ---- placeholders ---- */

static struct ruleset *with_placeholders(const char *item)
{
    char path[] = "/tmp/hikeshi-test-XXXXXX", text[512];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    static const char file[] = "admins: [root, 'adm_*']\n"
                               "'%port%': 22\n"
                               "none: []\n";
    assert_int_equal(write(fd, file, sizeof file - 1), sizeof file - 1);
    close(fd);
    struct ruleset *set = ruleset_new();
    struct error err;
    assert_int_equal(ruleset_placeholders(set, path, &err), OK);
    unlink(path);
    snprintf(text, sizeof text, RULE_HEAD "detection:\n  s:\n    %s\n  condition: s\n", item);
    assert_int_equal(ruleset_load_text(set, slice_str(text), "t.yml", NULL, &err), OK);
    ruleset_finish(set);
    return set;
}

static void placeholders_become_their_values(void **state)
{
    (void)state;
    static const struct {
        const char *item, *values; /* joined by "," */
    } cases[] = {
        {"F|expand: '%admins%'", "root,adm_*"},
        {"F|expand|contains: 'x %admins%:%port% y'", "x root:22 y,x adm_*:22 y"},
        {"F|expand: ['%admins%-%admins%', last]",
         "root-root,root-adm_*,adm_*-root,adm_*-adm_*,last"},
        {"F: '%admins%'", "%admins%"},
        {"F|expand: '\\%admins%'", "%admins%"},
        {"F|expand: '\\%plain%port%'", "%plain22"},
        {"F|expand: '100% of %port%'", "100% of 22"},
        {"F|expand: 'a\\\\%port%'", "a\\\\22"},
        {"F|expand: '50%'", "50%"},
        {"F|re|expand: '^%port%$'", "^22$"},
        {"F|expand: '%none%'", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ruleset *set = with_placeholders(cases[i].item);
        const struct sigma_item *item = first_item(set);
        struct buf b = {0};
        for (uint32_t k = 0; k < item->values_n; k++) {
            if (k)
                buf_char(&b, ',');
            buf_add(&b, item->values[k].text);
        }
        buf_char(&b, '\0');
        assert_string_equal(b.p, cases[i].values);
        assert_int_equal(only_rule(set)->conditions_n, 1);
        buf_free(&b);
        ruleset_free(set);
    }
}

static void a_missing_placeholder_is_told(void **state)
{
    (void)state;
    struct ruleset *set = with_placeholders("F|expand: ['%port%', '%nobody%']");
    const struct sigma_rule *rule = only_rule(set);
    assert_slice(rule->lacks, "the placeholder %nobody% is not defined");
    assert_int_equal(rule->conditions_n, 0);
    size_t n;
    assert_null(ruleset_placeholder(set, SLICE("nobody"), &n));
    assert_non_null(ruleset_placeholder(set, SLICE("admins"), &n));
    assert_int_equal(n, 2);
    ruleset_free(set);
}

static void placeholders_do_not_explode(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_printf(&b, "F|expand: '");
    for (int i = 0; i < 17; i++)
        buf_printf(&b, "%%admins%%");
    buf_printf(&b, "'");
    buf_char(&b, '\0');
    struct ruleset *set = with_placeholders(b.p);
    assert_problem(set, 5, 15, "its placeholders make more than 65536 values or 16777216 bytes");
    ruleset_free(set);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_modifier_is_known),
        cmocka_unit_test(wrong_modifiers_are_refused),
        cmocka_unit_test(wrong_values_are_refused),
        cmocka_unit_test(values_keep_what_was_written),
        cmocka_unit_test(detections_have_every_shape),
        cmocka_unit_test(empty_searches_are_refused),
        cmocka_unit_test(placeholders_become_their_values),
        cmocka_unit_test(a_missing_placeholder_is_told),
        cmocka_unit_test(placeholders_do_not_explode),
    };
    return cmocka_run_group_tests_name("rule_modifiers", tests, NULL, NULL);
}
