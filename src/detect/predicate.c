#include "detect/predicate.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <ctype.h>

enum { MOD_COMPARES = MOD_LT | MOD_LTE | MOD_GT | MOD_GTE };
enum { MOD_TIMES = MOD_MINUTE | MOD_HOUR | MOD_DAY | MOD_WEEK | MOD_MONTH | MOD_YEAR };
enum { MOD_ENCODES = MOD_BASE64 | MOD_BASE64OFFSET | MOD_UTF16LE | MOD_UTF16BE | MOD_UTF16 };
/* with one of these a number is text */
enum { MOD_TEXTS = MOD_CONTAINS | MOD_STARTSWITH | MOD_ENDSWITH | MOD_WINDASH | MOD_ENCODES };

/* ---- numbers, addresses, times ---- */

static bool hex_parse(struct slice s, long double *out)
{
    uint64_t n = 0;
    if (s.n == 0 || s.n > 16)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        int c = tolower((unsigned char)s.p[i]);
        if (!isxdigit(c))
            return false;
        n = n << 4 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    *out = (long double)n;
    return true;
}

/* Digits from *at on: adds to the number while it is exact, counts what does not fit. */
static size_t digits(struct slice s, size_t *at, uint64_t *n, int *left_out)
{
    size_t from = *at;
    for (; *at < s.n && isdigit((unsigned char)s.p[*at]); (*at)++) {
        unsigned digit = (unsigned)(s.p[*at] - '0');
        if (*n < UINT64_MAX / 10 || (*n == UINT64_MAX / 10 && digit <= UINT64_MAX % 10))
            *n = *n * 10 + digit;
        else
            (*left_out)++;
    }
    return *at - from;
}

/* A decimal number or "0x" and up to 16 hexadecimal digits, without white space. */
static bool number_parse(struct slice s, long double *out)
{
    if (s.n > 2 && s.p[0] == '0' && (s.p[1] == 'x' || s.p[1] == 'X'))
        return hex_parse(slice_sub(s, 2, s.n), out);
    size_t at = s.n && (s.p[0] == '-' || s.p[0] == '+');
    bool minus = at && s.p[0] == '-';
    uint64_t n = 0, power = 0;
    int scale = 0, cut = 0, ignored = 0;
    if (s.n > 64 || !digits(s, &at, &n, &scale))
        return false;
    if (at < s.n && s.p[at] == '.') {
        at++;
        int decimals = (int)digits(s, &at, &n, &cut);
        scale -= decimals - cut;
    }
    if (at < s.n && (s.p[at] == 'e' || s.p[at] == 'E')) {
        at++;
        bool down = at < s.n && s.p[at] == '-';
        at += at < s.n && (s.p[at] == '-' || s.p[at] == '+');
        if (!digits(s, &at, &power, &ignored) || power > 4000)
            return false;
        scale += down ? -(int)power : (int)power;
    }
    long double tens = 1, value = (long double)n;
    for (int i = scale < 0 ? -scale : scale; i > 0; i--)
        tens *= 10;
    value = scale < 0 ? value / tens : value * tens;
    *out = minus ? -value : value;
    return at == s.n;
}

static bool address_parse(struct slice s, struct address *out)
{
    char text[64];
    const char *zone = s.n ? memchr(s.p, '%', s.n) : NULL; /* fe80::1%12 */
    size_t n = zone ? (size_t)(zone - s.p) : s.n;
    if (n == 0 || n >= sizeof text || (!isxdigit((unsigned char)s.p[0]) && s.p[0] != ':'))
        return false;
    memcpy(text, s.p, n);
    text[n] = '\0';
    if (strlen(text) != n)
        return false;
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    memcpy(out->bytes, mapped, sizeof mapped);
    out->v4 = inet_pton(AF_INET, text, out->bytes + 12) == 1 && !zone;
    out->v6 = !out->v4 && inet_pton(AF_INET6, text, out->bytes) == 1;
    out->v4 |= out->v6 && memcmp(out->bytes, mapped, sizeof mapped) == 0;
    return out->v4 || out->v6;
}

/* "10.0.0.0/8", "fe80::/10", or one address. */
static bool cidr_parse(struct slice s, struct test *t)
{
    const char *slash = s.n ? memchr(s.p, '/', s.n) : NULL;
    size_t n = slash ? (size_t)(slash - s.p) : s.n;
    if (!address_parse(slice_sub(s, 0, n), &t->net))
        return false;
    t->net.v4 = !t->net.v6; /* a network is of the family that it is written in */
    unsigned most = t->net.v4 ? 32 : 128, bits = most;
    if (slash) {
        struct slice length = slice_sub(s, n + 1, s.n);
        if (length.n == 0 || length.n > 3)
            return false;
        bits = 0;
        for (size_t i = 0; i < length.n; i++) {
            if (!isdigit((unsigned char)length.p[i]))
                return false;
            bits = bits * 10 + (unsigned)(length.p[i] - '0');
        }
    }
    t->net_bits = bits + (t->net.v4 ? 96 : 0);
    return bits <= most;
}

static bool in_net(const struct test *t, const struct address *a)
{
    if (t->net.v4 ? !a->v4 : !a->v6)
        return false;
    unsigned bytes = t->net_bits / 8, bits = t->net_bits % 8;
    if (memcmp(t->net.bytes, a->bytes, bytes) != 0)
        return false;
    return !bits || (t->net.bytes[bytes] ^ a->bytes[bytes]) >> (8 - bits) == 0;
}

/* ---- subjects ---- */

void subject_set(struct subject *s, struct slice text)
{
    s->raw = text;
    s->number_known = s->address_known = s->time_known = false;
    buf_clear(&s->room);
    char *p = buf_room(&s->room, text.n + 2 + SUBJECT_PADDING);
    unsigned char high = 0;
    p[0] = SUBJECT_MARK;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        high |= c;
        p[1 + i] = (char)(c + ((unsigned char)(c - 'A') < 26 ? 32 : 0));
    }
    size_t n = text.n;
    if (high >= 0x80) {
        arena_reset(&s->scratch);
        struct slice folded = text_fold(&s->scratch, text);
        n = folded.n;
        p = buf_room(&s->room, n + 2 + SUBJECT_PADDING);
        p[0] = SUBJECT_MARK;
        memcpy(p + 1, folded.p, n);
    }
    p[1 + n] = SUBJECT_MARK;
    memset(p + n + 2, 0, SUBJECT_PADDING);
    s->marked = slice_of(p, n + 2);
}

void subject_free(struct subject *s)
{
    buf_free(&s->room);
    arena_free(&s->scratch);
}

bool subject_number(struct subject *s)
{
    if (!s->number_known)
        s->number_is = number_parse(s->raw, &s->number);
    s->number_known = true;
    return s->number_is;
}

bool subject_address(struct subject *s)
{
    if (!s->address_known)
        s->address_is = address_parse(s->raw, &s->address);
    s->address_known = true;
    return s->address_is;
}

bool subject_time(struct subject *s)
{
    timestamp t;
    if (!s->time_known) {
        s->time_is = s->raw.n && isdigit((unsigned char)s->raw.p[0]) && timestamp_parse(s->raw, &t);
        if (s->time_is)
            s->time = timestamp_split(t);
    }
    s->time_known = true;
    return s->time_is;
}

/* ---- making tests ---- */

static struct test *add_test(struct arena *scratch, struct test_list *out, int type)
{
    if (out->n == out->cap) {
        struct test *old = out->at;
        out->cap = out->cap ? out->cap * 2 : 8;
        out->at = arena_zero(scratch, out->cap, sizeof *out->at);
        if (out->n)
            memcpy(out->at, old, out->n * sizeof *old);
    }
    struct test *t = &out->at[out->n++];
    memset(t, 0, sizeof *t);
    t->type = type;
    return t;
}

/* The text with marks where the pattern is bound to the beginning or the end. */
static struct slice marked(struct arena *a, struct slice text, bool first, bool last)
{
    char *p = arena_bytes(a, text.n + 2);
    size_t n = 0;
    if (first)
        p[n++] = SUBJECT_MARK;
    if (text.n)
        memcpy(p + n, text.p, text.n);
    n += text.n;
    if (last)
        p[n++] = SUBJECT_MARK;
    return slice_of(p, n);
}

static struct pattern keep_pattern(struct arena *a, const struct pattern *p)
{
    struct pattern kept = {arena_alloc(a, p->n * sizeof *kept.parts), p->n, p->cased};
    for (uint32_t i = 0; i < p->n; i++) {
        kept.parts[i] = p->parts[i];
        kept.parts[i].text = arena_slice(a, p->parts[i].text);
    }
    return kept;
}

/* Tests of text that is not folded are filtered by the same folded literals. */
static void add_pattern(struct arena *a, struct arena *scratch, const struct pattern *p,
                        struct test_list *out)
{
    struct slice best = {0};
    uint32_t texts = 0, others = 0;
    for (uint32_t i = 0; i < p->n; i++) {
        const struct pattern_part *part = &p->parts[i];
        others += part->type == PART_ONE || part->type == PART_DASH;
        if (part->type != PART_TEXT)
            continue;
        struct slice text = p->cased ? text_fold(scratch, part->text) : part->text;
        if (!utf8_valid(text))
            return; /* no text holds it */
        text = marked(scratch, text, i == 0, i + 1 == p->n);
        texts++;
        if (text.n > best.n)
            best = text;
    }
    if (p->n == 0) {
        add_test(scratch, out, TEST_LITERAL)->literal = marked(a, SLICE(""), true, true);
    } else if (texts == 1 && others == 0 && !p->cased) { /* and at most a `*` on either side */
        add_test(scratch, out, TEST_LITERAL)->literal = arena_slice(a, best);
    } else {
        struct test *t = add_test(scratch, out, TEST_PATTERN);
        t->pattern = keep_pattern(a, p);
        if (best.n) {
            t->triggers = arena_alloc(a, sizeof best);
            t->triggers[0] = arena_slice(a, best);
            t->triggers_n = 1;
        }
    }
}

void tests_make_plain(struct arena *a, struct arena *scratch, struct slice text,
                      struct test_list *out)
{
    struct pattern p = pattern_plain(scratch, text_fold(scratch, text));
    add_pattern(a, scratch, &p, out);
}

void tests_make(struct arena *a, struct arena *scratch, const struct sigma_item *item,
                const struct sigma_value *value, const struct regexes *regexes,
                struct test_list *out)
{
    uint32_t modifiers = item->modifiers;
    long double number;
    bool is_number = number_parse(value->text, &number);
    if (modifiers & MOD_RE) {
        const struct regex *r = regexes_find(regexes, value->text, modifiers);
        if (!r)
            return;
        struct test *t = add_test(scratch, out, TEST_REGEX);
        t->regex = r;
        t->triggers = r->literals;
        t->triggers_n = r->literals_n;
    } else if (modifiers & MOD_CIDR) {
        struct test net = {0};
        if (cidr_parse(value->text, &net)) {
            struct test *t = add_test(scratch, out, TEST_CIDR);
            t->net = net.net;
            t->net_bits = net.net_bits;
        }
    } else if (modifiers & (MOD_TIMES | MOD_COMPARES)) {
        if (!is_number)
            return;
        struct test *t = add_test(scratch, out, modifiers & MOD_TIMES ? TEST_TIME : TEST_COMPARE);
        t->number = number;
        t->modifiers = modifiers & (MOD_TIMES | MOD_COMPARES);
    } else if (value->type == SIGMA_NUMBER && is_number && item->field.n &&
               !(modifiers & MOD_TEXTS)) {
        add_test(scratch, out, TEST_EQUAL)->number = number;
    } else {
        struct pattern_list list = {0};
        pattern_make(scratch, value->text, modifiers, item->field.n == 0, &list);
        for (size_t i = 0; i < list.n; i++)
            add_pattern(a, scratch, &list.at[i], out);
    }
}

/* ---- testing ---- */

static bool compares(long double x, const struct test *t)
{
    switch (t->modifiers & MOD_COMPARES) {
    case MOD_LT:
        return x < t->number;
    case MOD_LTE:
        return x <= t->number;
    case MOD_GT:
        return x > t->number;
    case MOD_GTE:
        return x >= t->number;
    default:
        return x == t->number;
    }
}

static int time_part(const struct timestamp_parts *time, uint32_t modifiers)
{
    switch (modifiers & MOD_TIMES) {
    case MOD_MINUTE:
        return time->minute;
    case MOD_HOUR:
        return time->hour;
    case MOD_DAY:
        return time->day;
    case MOD_WEEK:
        return time->week;
    case MOD_MONTH:
        return time->month;
    default:
        return time->year;
    }
}

bool test_passes(const struct test *t, struct subject *s, struct regex_worker *w)
{
    switch (t->type) {
    case TEST_LITERAL:
        return slice_find(s->marked, t->literal) >= 0;
    case TEST_PATTERN:
        return pattern_matches(&t->pattern, t->pattern.cased ? s->raw : subject_folded(s));
    case TEST_REGEX:
        return regex_matches(w, t->regex, s->raw);
    case TEST_EQUAL:
        return subject_number(s) && s->number == t->number;
    case TEST_COMPARE:
        return subject_number(s) && compares(s->number, t);
    case TEST_CIDR:
        return subject_address(s) && in_net(t, &s->address);
    case TEST_TIME:
        return subject_time(s) && compares(time_part(&s->time, t->modifiers), t);
    }
    return false;
}
