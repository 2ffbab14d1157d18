#include "model/sigma_slow.h"

#include "base/map.h"
#include "base/text.h"
#include "base/vec.h"

#include <arpa/inet.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

struct slow {
    struct arena arena; /* of one question */
    struct map regexes; /* flags and expression -> index */
    struct {
        pcre2_code **at;
        size_t n, cap;
    } codes;
    const struct log_binding *binding;
    const struct block *block;
    uint32_t row;
};

/* The texts of a field: one, or a list's elements and their joined text. */
struct texts {
    struct slice *at;
    size_t n;
    bool there;
};

struct slow *slow_new(void)
{
    return xcalloc(1, sizeof(struct slow));
}

void slow_free(struct slow *s)
{
    for (size_t i = 0; i < s->codes.n; i++)
        pcre2_code_free(s->codes.at[i]);
    free(s->codes.at);
    map_free(&s->regexes);
    arena_free(&s->arena);
    free(s);
}

/* ---- what an event says ---- */

static void add_text(struct slow *s, struct texts *t, struct slice text)
{
    struct slice *more = arena_alloc(&s->arena, (t->n + 1) * sizeof *more);
    if (t->n)
        memcpy(more, t->at, t->n * sizeof *more);
    more[t->n++] = text;
    t->at = more;
}

static void add_column(struct slow *s, struct texts *t, int32_t number,
                       const struct field_name *field)
{
    const struct column *c = number < 0 ? NULL : &s->block->columns[number];
    uint16_t id = c ? column_id(c, s->row) : 0;
    if (!id)
        return;
    t->there = true;
    struct value v = c->values[id], element;
    if (v.type == VALUE_LIST)
        for (size_t at = 0; value_next(v, &at, &element);)
            add_text(s, t, field_value(field, value_text(element, &s->arena)));
    add_text(s, t, field_value(field, value_text(v, &s->arena)));
}

static struct texts field_texts(struct slow *s, struct slice name)
{
    struct texts t = {0};
    const struct field_name *field = binding_field(s->binding, name);
    for (uint32_t i = 0; field && i < field->stored_n && !t.there; i++)
        add_column(s, &t, block_find(s->block, field->stored[i]), field);
    if (!t.there)
        add_column(s, &t, block_find(s->block, name), field);
    return t;
}

static struct texts all_texts(struct slow *s)
{
    struct texts t = {0};
    for (uint32_t i = 0; i < s->block->columns_n; i++)
        add_column(s, &t, (int32_t)i, NULL);
    return t;
}

/* ---- wildcards ---- */

/* A pattern as single characters. */
struct token {
    enum { CHARACTER, ANY_ONE, ANY_MANY, ANY_DASH } type;
    struct slice text;
};

struct tokens {
    struct token *at;
    size_t n;
};

static struct slice character(struct slice s, size_t at)
{
    size_t n = utf8_length(slice_sub(s, at, 4));
    return slice_sub(s, at, n ? n : 1);
}

static bool is_dash(struct slice c)
{
    return slice_equal(c, SLICE("-")) || slice_equal(c, SLICE("/")) ||
           slice_equal(c, SLICE("\xe2\x80\x93")) || slice_equal(c, SLICE("\xe2\x80\x94")) ||
           slice_equal(c, SLICE("\xe2\x80\x95"));
}

static struct tokens read_tokens(struct slow *s, struct slice value)
{
    struct tokens t = {arena_zero(&s->arena, value.n + 2, sizeof *t.at), 0};
    for (size_t i = 0; i < value.n;) {
        struct slice c = character(value, i);
        struct slice next = slice_sub(value, i + c.n, 1);
        struct token token = {CHARACTER, c};
        i += c.n;
        if (slice_equal(c, SLICE("\\")) &&
            (slice_equal(next, SLICE("*")) || slice_equal(next, SLICE("?")) ||
             slice_equal(next, SLICE("\\")))) {
            token.text = next;
            i++;
        } else if (slice_equal(c, SLICE("*"))) {
            token.type = ANY_MANY;
        } else if (slice_equal(c, SLICE("?"))) {
            token.type = ANY_ONE;
        }
        t.at[t.n++] = token;
    }
    return t;
}

static bool token_fits(const struct token *t, struct slice c)
{
    switch (t->type) {
    case CHARACTER:
        return slice_equal(t->text, c);
    case ANY_DASH:
        return is_dash(c);
    default:
        return true;
    }
}

/* can[i]: the tokens so far can be the first i characters. */
static bool glob(struct slow *s, struct tokens t, struct slice text)
{
    bool *can = arena_zero(&s->arena, text.n + 2, sizeof *can), *next;
    can[0] = true;
    for (size_t k = 0; k < t.n; k++) {
        size_t i = 0;
        next = arena_zero(&s->arena, text.n + 2, sizeof *next);
        if (t.at[k].type == ANY_MANY)
            next[0] = can[0];
        for (size_t at = 0; at < text.n; i++) {
            struct slice c = character(text, at);
            if (t.at[k].type == ANY_MANY)
                next[i + 1] = can[i + 1] || next[i];
            else
                next[i + 1] = can[i] && token_fits(&t.at[k], c);
            at += c.n;
        }
        can = next;
    }
    size_t characters = 0;
    for (size_t at = 0; at < text.n; at += character(text, at).n)
        characters++;
    return can[characters];
}

/* ---- encodings ---- */

static struct slice joined(struct slow *s, struct tokens t)
{
    struct buf b = {0};
    for (size_t i = 0; i < t.n; i++)
        buf_add(&b, t.at[i].text);
    struct slice text = arena_slice(&s->arena, buf_slice(&b));
    buf_free(&b);
    return text;
}

static struct slice utf16(struct slow *s, struct slice utf8, uint32_t modifiers)
{
    struct buf b = {0};
    bool big = modifiers & MOD_UTF16BE;
    if (modifiers & MOD_UTF16)
        buf_add(&b, SLICE("\xff\xfe"));
    for (size_t at = 0; at < utf8.n;) {
        struct slice c = character(utf8, at);
        uint32_t units[2] = {(unsigned char)c.p[0], 0}, point = units[0] & (0x7fu >> c.n);
        size_t n = 1;
        for (size_t i = 1; i < c.n; i++)
            point = point << 6 | ((unsigned char)c.p[i] & 0x3f);
        if (c.n > 1)
            units[0] = point;
        if (c.n == 4) {
            units[0] = 0xd800 | (point - 0x10000) >> 10;
            units[1] = 0xdc00 | ((point - 0x10000) & 0x3ff);
            n = 2;
        }
        for (size_t i = 0; i < n; i++) {
            buf_char(&b, (char)(big ? units[i] >> 8 : units[i]));
            buf_char(&b, (char)(big ? units[i] : units[i] >> 8));
        }
        at += c.n;
    }
    struct slice text = arena_slice(&s->arena, buf_slice(&b));
    buf_free(&b);
    return text;
}

/* Six bits at a time, zeros behind; "=" to a multiple of four. */
static struct slice base64(struct slow *s, struct slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct buf b = {0};
    for (size_t bit = 0; bit < bytes.n * 8; bit += 6) {
        unsigned six = 0;
        for (size_t i = bit; i < bit + 6; i++)
            six = six << 1 |
                  (i / 8 < bytes.n ? (unsigned char)bytes.p[i / 8] >> (7 - i % 8) & 1u : 0u);
        buf_char(&b, digits[six]);
    }
    while (b.n % 4)
        buf_char(&b, '=');
    struct slice text = arena_slice(&s->arena, buf_slice(&b));
    buf_free(&b);
    return text;
}

/* What the encoding has in common whatever the `shift` bytes before and those behind are. */
static struct slice base64_common(struct slow *s, struct slice bytes, size_t shift)
{
    struct slice coded[2];
    for (int fill = 0; fill < 2; fill++) {
        struct buf b = {0};
        for (size_t i = 0; i < shift; i++)
            buf_char(&b, fill ? '\xff' : '\0');
        buf_add(&b, bytes);
        while (b.n % 3)
            buf_char(&b, fill ? '\xff' : '\0');
        coded[fill] = base64(s, arena_slice(&s->arena, buf_slice(&b)));
        buf_free(&b);
    }
    struct buf b = {0};
    for (size_t i = 0; i < coded[0].n; i++)
        if (coded[0].p[i] == coded[1].p[i])
            buf_char(&b, coded[0].p[i]);
    struct slice text = arena_slice(&s->arena, buf_slice(&b));
    buf_free(&b);
    return text;
}

/* ---- strings ---- */

/* Tokens with what contains, startswith, endswith add, against the text. */
static bool place_matches(struct slow *s, struct tokens t, uint32_t modifiers, bool keyword,
                          struct slice text)
{
    bool inside = modifiers & MOD_CONTAINS;
    if (!(modifiers & (MOD_STARTSWITH | MOD_ENDSWITH)))
        inside = inside || keyword || (modifiers & MOD_BASE64OFFSET);
    struct tokens all = {arena_zero(&s->arena, t.n + 2, sizeof *all.at), 0};
    if (inside || modifiers & MOD_ENDSWITH)
        all.at[all.n++].type = ANY_MANY;
    for (size_t i = 0; i < t.n; i++) {
        all.at[all.n] = t.at[i];
        if (!(modifiers & MOD_CASED))
            all.at[all.n].text = text_fold(&s->arena, t.at[i].text);
        all.n++;
    }
    if (inside || modifiers & MOD_STARTSWITH)
        all.at[all.n++].type = ANY_MANY;
    return glob(s, all, modifiers & MOD_CASED ? text : text_fold(&s->arena, text));
}

static struct tokens tokens_of(struct slow *s, struct slice bytes)
{
    struct tokens t = {arena_zero(&s->arena, bytes.n + 1, sizeof *t.at), 0};
    for (size_t at = 0; at < bytes.n; at += t.at[t.n++].text.n)
        t.at[t.n].text = character(bytes, at);
    return t;
}

/* A value with its dashes chosen, encoded. */
static bool encoded_matches(struct slow *s, struct tokens t, uint32_t modifiers, bool keyword,
                            struct slice text)
{
    uint32_t wide = modifiers & (MOD_UTF16 | MOD_UTF16LE | MOD_UTF16BE);
    if (!(modifiers & (MOD_BASE64 | MOD_BASE64OFFSET))) {
        if (modifiers & MOD_UTF16)
            return false;
        struct tokens out = {arena_zero(&s->arena, t.n * 4 + 1, sizeof *out.at), 0};
        for (size_t i = 0; i < t.n; i++) {
            struct tokens one = tokens_of(s, utf16(s, t.at[i].text, modifiers));
            if (t.at[i].type != CHARACTER)
                out.at[out.n++] = t.at[i];
            for (size_t k = 0; t.at[i].type == CHARACTER && k < one.n; k++)
                out.at[out.n++] = one.at[k];
        }
        return place_matches(s, out, modifiers, keyword, text);
    }
    struct slice bytes = joined(s, t);
    if (wide)
        bytes = utf16(s, bytes, modifiers);
    if (modifiers & MOD_BASE64)
        return place_matches(s, tokens_of(s, base64(s, bytes)), modifiers, keyword, text);
    for (size_t shift = 0; shift < 3; shift++) {
        struct slice common = base64_common(s, bytes, shift);
        if (common.n && place_matches(s, tokens_of(s, common), modifiers, keyword, text))
            return true;
    }
    return false;
}

/* Every choice of the first four dashes from `at` on. */
static bool any_dashes(struct slow *s, struct tokens t, size_t at, int chosen, uint32_t modifiers,
                       bool keyword, struct slice text)
{
    static const char *const dashes[] = {"-", "/", "\xe2\x80\x93", "\xe2\x80\x94", "\xe2\x80\x95"};
    while (at < t.n && !(t.at[at].type == CHARACTER && is_dash(t.at[at].text)))
        at++;
    if (at == t.n)
        return encoded_matches(s, t, modifiers, keyword, text);
    for (int i = 0; i < (chosen < 4 ? 5 : 1); i++) {
        t.at[at].text = slice_str(dashes[i]);
        if (any_dashes(s, t, at + 1, chosen + 1, modifiers, keyword, text))
            return true;
    }
    return false;
}

static bool string_matches(struct slow *s, const struct sigma_item *item, struct slice value,
                           struct slice text)
{
    uint32_t modifiers = item->modifiers,
             encoded = MOD_BASE64 | MOD_BASE64OFFSET | MOD_UTF16 | MOD_UTF16LE | MOD_UTF16BE;
    bool keyword = item->field.n == 0;
    struct tokens t = read_tokens(s, value);
    if (modifiers & (MOD_BASE64 | MOD_BASE64OFFSET)) /* wildcards are characters here */
        for (size_t i = 0; i < t.n; i++)
            t.at[i].type = CHARACTER;
    if (modifiers & encoded && modifiers & MOD_WINDASH)
        return any_dashes(s, t, 0, 0, modifiers, keyword, text);
    if (modifiers & encoded)
        return encoded_matches(s, t, modifiers, keyword, text);
    for (size_t i = 0; i < t.n && modifiers & MOD_WINDASH; i++)
        if (t.at[i].type == CHARACTER && is_dash(t.at[i].text))
            t.at[i].type = ANY_DASH;
    return place_matches(s, t, modifiers, keyword, text);
}

/* ---- other comparisons ---- */

static bool regex_finds(struct slow *s, const struct sigma_item *item, struct slice value,
                        struct slice text)
{
    uint32_t flags = item->modifiers & (MOD_RE_I | MOD_RE_M | MOD_RE_S);
    struct slice key = arena_printf(&s->arena, "%u %.*s", flags, SLICE_ARG(value));
    bool is_new;
    uint32_t *slot = map_put(&s->regexes, key, &is_new);
    if (is_new) {
        int code;
        PCRE2_SIZE at;
        *slot = (uint32_t)s->codes.n;
        uint32_t options = PCRE2_UTF | (flags & MOD_RE_I ? PCRE2_CASELESS : 0) |
                           (flags & MOD_RE_M ? PCRE2_MULTILINE : 0) |
                           (flags & MOD_RE_S ? PCRE2_DOTALL : 0);
        *VEC_PUSH(s->codes) =
            pcre2_compile((PCRE2_SPTR)(value.p ? value.p : ""), value.n, options, &code, &at, NULL);
    }
    if (!s->codes.at[*slot])
        return false;
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    int found = pcre2_match(s->codes.at[*slot], (PCRE2_SPTR)(text.p ? text.p : ""), text.n, 0, 0,
                            data, NULL);
    pcre2_match_data_free(data);
    return found >= 0;
}

static bool to_number(struct slow *s, struct slice text, long double *out)
{
    const char *digits = arena_slice(&s->arena, text).p;
    char *end;
    bool hex = text.n > 2 && digits[0] == '0' && (digits[1] | 32) == 'x';
    if (hex && (text.n > 18 || strspn(digits + 2, "0123456789abcdefABCDEF") + 2 != text.n))
        return false;
    if (!hex && (text.n == 0 || text.n > 64 || strspn(digits, "0123456789.eE+-") != text.n ||
                 !strpbrk(digits, "0123456789")))
        return false;
    if (digits[digits[0] == '-' || digits[0] == '+'] == '.')
        return false;
    *out = hex ? (long double)strtoull(digits, &end, 16) : strtold(digits, &end);
    return *end == '\0';
}

static bool compares(uint32_t modifiers, long double a, long double b)
{
    if (modifiers & MOD_LT)
        return a < b;
    if (modifiers & MOD_LTE)
        return a <= b;
    if (modifiers & MOD_GT)
        return a > b;
    if (modifiers & MOD_GTE)
        return a >= b;
    return a == b;
}

static bool time_matches(struct slow *s, uint32_t modifiers, struct slice value, struct slice text)
{
    timestamp t;
    long double number;
    if (!timestamp_parse(text, &t) || !to_number(s, value, &number))
        return false;
    struct timestamp_parts p = timestamp_split(t);
    int part = modifiers & MOD_MINUTE  ? p.minute
               : modifiers & MOD_HOUR  ? p.hour
               : modifiers & MOD_DAY   ? p.day
               : modifiers & MOD_WEEK  ? p.week
               : modifiers & MOD_MONTH ? p.month
                                       : p.year;
    return compares(modifiers, part, number);
}

/* 4 or 6, the kind of address that is written there; 0: none. */
static int to_address(struct slow *s, struct slice text, unsigned char out[16])
{
    ptrdiff_t zone = slice_find(text, SLICE("%"));
    const char *p = arena_slice(&s->arena, zone < 0 ? text : slice_sub(text, 0, (size_t)zone)).p;
    if (slice_find(text, slice_of("", 1)) >= 0)
        return 0;
    if (zone < 0 && inet_pton(AF_INET, p, out) == 1)
        return 4;
    return inet_pton(AF_INET6, p, out) == 1 ? 6 : 0;
}

static bool bits_equal(const unsigned char *a, const unsigned char *b, int bits)
{
    for (int i = 0; i < bits; i++)
        if ((a[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1)
            return false;
    return true;
}

static bool cidr_matches(struct slow *s, struct slice value, struct slice text)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    unsigned char net[16], address[16];
    ptrdiff_t slash = slice_find(value, SLICE("/"));
    int family = to_address(s, slash < 0 ? value : slice_sub(value, 0, (size_t)slash), net);
    int written = to_address(s, text, address);
    int most = family == 4 ? 32 : 128, bits = most;
    if (slash >= 0) {
        const char *digits = arena_slice(&s->arena, slice_sub(value, (size_t)slash + 1, 999)).p;
        if (!*digits || strspn(digits, "0123456789") != strlen(digits) || strlen(digits) > 3)
            return false;
        bits = atoi(digits); // NOLINT(cert-err34-c): digits alone, at most three
    }
    if (!family || !written || bits > most)
        return false;
    if (family == 4 && written == 6)
        return memcmp(address, mapped, 12) == 0 && bits_equal(net, address + 12, bits);
    return family == written && bits_equal(net, address, bits);
}

static bool fieldref_matches(struct slow *s, const struct sigma_item *item, struct slice other,
                             struct slice text)
{
    struct texts t = field_texts(s, other);
    for (size_t i = 0; i < t.n; i++) {
        bool cased = item->modifiers & MOD_CASED;
        struct slice a = cased ? text : text_fold(&s->arena, text);
        struct slice b = cased ? t.at[i] : text_fold(&s->arena, t.at[i]);
        bool same = item->modifiers & MOD_CONTAINS     ? b.n == 0 || slice_find(a, b) >= 0
                    : item->modifiers & MOD_STARTSWITH ? slice_starts(a, b)
                    : item->modifiers & MOD_ENDSWITH   ? slice_ends(a, b)
                                                       : slice_equal(a, b);
        if (same)
            return true;
    }
    return false;
}

/* ---- items ---- */

/* One value of the item against one text of the field. */
static bool text_matches(struct slow *s, const struct sigma_item *item,
                         const struct sigma_value *value, struct slice text)
{
    enum { TIMES = MOD_MINUTE | MOD_HOUR | MOD_DAY | MOD_WEEK | MOD_MONTH | MOD_YEAR };
    enum { COMPARES = MOD_LT | MOD_LTE | MOD_GT | MOD_GTE };
    enum {
        TEXTS = MOD_CONTAINS | MOD_STARTSWITH | MOD_ENDSWITH | MOD_WINDASH | MOD_BASE64 |
                MOD_BASE64OFFSET | MOD_UTF16 | MOD_UTF16LE | MOD_UTF16BE
    };
    uint32_t modifiers = item->modifiers;
    long double a, b;
    if (modifiers & MOD_RE)
        return regex_finds(s, item, value->text, text);
    if (modifiers & MOD_CIDR)
        return cidr_matches(s, value->text, text);
    if (modifiers & MOD_FIELDREF)
        return fieldref_matches(s, item, value->text, text);
    if (modifiers & TIMES)
        return time_matches(s, modifiers, value->text, text);
    if (modifiers & COMPARES)
        return to_number(s, text, &a) && to_number(s, value->text, &b) && compares(modifiers, a, b);
    if (value->type == SIGMA_NUMBER && item->field.n && !(modifiers & TEXTS) &&
        to_number(s, value->text, &b))
        return to_number(s, text, &a) && a == b;
    return string_matches(s, item, value->text, text);
}

static bool value_matches(struct slow *s, const struct sigma_item *item,
                          const struct sigma_value *value, const struct texts *t)
{
    bool keyword = item->field.n == 0;
    if (item->modifiers & MOD_EXISTS)
        return !keyword && t->there == slice_equal_nocase(value->text, SLICE("true"));
    if (value->type == SIGMA_NULL) {
        bool empty = !t->there;
        for (size_t i = 0; i < t->n; i++)
            empty = empty || t->at[i].n == 0;
        return !keyword && empty;
    }
    if (keyword && item->modifiers & MOD_FIELDREF)
        return false;
    for (size_t i = 0; i < t->n; i++)
        if (text_matches(s, item, value, t->at[i]))
            return true;
    return false;
}

static bool item_matches(struct slow *s, const struct sigma_item *item)
{
    struct texts t = item->field.n ? field_texts(s, item->field) : all_texts(s);
    uint32_t matching = 0;
    for (uint32_t i = 0; i < item->values_n; i++)
        matching += value_matches(s, item, &item->values[i], &t);
    if (item->values_n == 0)
        return false;
    bool matches = item->modifiers & MOD_ALL ? matching == item->values_n : matching > 0;
    if (item->modifiers & MOD_NEQ)
        return !matches && (t.there || item->field.n == 0);
    return matches;
}

static bool detection_matches(struct slow *s, const struct sigma_detection *d)
{
    if (d->type == DETECT_ITEM)
        return item_matches(s, &d->item);
    for (uint32_t i = 0; i < d->children_n; i++)
        if (detection_matches(s, &d->children[i]) == (d->type == DETECT_OR))
            return d->type == DETECT_OR;
    return d->type == DETECT_AND && d->children_n > 0;
}

static bool search_matches(struct slow *s, const struct sigma_rule *rule, uint32_t number)
{
    return detection_matches(s, &rule->searches[number].detection);
}

static bool condition_matches(struct slow *s, const struct sigma_rule *rule,
                              const struct sigma_condition *c)
{
    uint32_t matching = 0;
    switch (c->type) {
    case COND_AND:
        return condition_matches(s, rule, c->left) && condition_matches(s, rule, c->right);
    case COND_OR:
        return condition_matches(s, rule, c->left) || condition_matches(s, rule, c->right);
    case COND_NOT:
        return !condition_matches(s, rule, c->left);
    case COND_SEARCH:
        return search_matches(s, rule, c->search);
    case COND_OF:
        break;
    }
    for (uint32_t i = 0; i < c->searches_n; i++)
        matching += search_matches(s, rule, c->searches[i]);
    return matching >= (c->quantity ? c->quantity : c->searches_n);
}

static bool where_holds(struct slow *s, const struct log_condition *where)
{
    struct texts t = {0};
    add_column(s, &t, block_find(s->block, where->field), NULL);
    for (size_t i = 0; i < t.n; i++)
        for (uint32_t k = 0; k < where->values_n; k++)
            if (slice_equal(text_fold(&s->arena, t.at[i]), text_fold(&s->arena, where->values[k])))
                return true;
    return false;
}

bool slow_matches(struct slow *s, const struct sigma_rule *rule, const struct log_binding *binding,
                  const struct block *block, uint32_t row)
{
    arena_reset(&s->arena);
    s->binding = binding;
    s->block = block;
    s->row = row;
    for (uint32_t i = 0; i < binding->conditions_n; i++)
        if (!where_holds(s, &binding->conditions[i]))
            return false;
    for (uint32_t i = 0; i < rule->conditions_n; i++)
        if (condition_matches(s, rule, rule->conditions[i]))
            return true;
    return false;
}
