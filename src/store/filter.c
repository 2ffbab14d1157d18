#include "store/filter.h"

#include "base/arena.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
    BITS_A_KEY = 10,
    WORDS = BUCKET_BYTES / 4,
    HEX_LEAST = 5, /* shorter hexadecimal numbers are no words: years, ports, the middle of GUIDs */
    DISTINCT = 12, /* a token of this length with a digit in it is in few values */
};

uint64_t filter_key(struct slice folded)
{
    uint64_t key = XXH3_64bits(folded.p, folded.n);
    return key ? key : 1;
}

static void put(uint64_t *slots, size_t cap, uint64_t key)
{
    size_t i = (key * 0x9e3779b97f4a7c15u) >> 20 & (cap - 1);
    while (slots[i] && slots[i] != key)
        i = (i + 1) & (cap - 1);
    slots[i] = key;
}

void key_set_add(struct key_set *set, uint64_t key)
{
    if (set->n * 2 >= set->cap) {
        size_t cap = set->cap ? set->cap * 2 : 1024;
        uint64_t *slots = xcalloc(cap, sizeof *slots);
        for (size_t i = 0; i < set->cap; i++)
            if (set->slots[i])
                put(slots, cap, set->slots[i]);
        free(set->slots);
        set->slots = slots;
        set->cap = cap;
    }
    size_t i = (key * 0x9e3779b97f4a7c15u) >> 20 & (set->cap - 1);
    while (set->slots[i] && set->slots[i] != key)
        i = (i + 1) & (set->cap - 1);
    set->n += set->slots[i] == 0;
    set->slots[i] = key;
}

void key_set_clear(struct key_set *set)
{
    if (set->cap)
        memset(set->slots, 0, set->cap * sizeof *set->slots);
    set->n = 0;
}

void key_set_free(struct key_set *set)
{
    free(set->slots);
    *set = (struct key_set){0};
}

/* Classes of characters. */
enum { IN_TOKEN = 1, HEX = 2, DIGIT = 4 };

#define ROW(class) class, class, class, class, class, class, class, class
static const uint8_t classes[256] = {
    ['0'] = IN_TOKEN | HEX | DIGIT,
    IN_TOKEN | HEX | DIGIT,
    IN_TOKEN | HEX | DIGIT,
    IN_TOKEN | HEX | DIGIT,
    IN_TOKEN | HEX | DIGIT,
    IN_TOKEN | HEX | DIGIT,
    IN_TOKEN | HEX | DIGIT,
    IN_TOKEN | HEX | DIGIT,
    IN_TOKEN | HEX | DIGIT,
    IN_TOKEN | HEX | DIGIT,
    ['A'] = ROW(IN_TOKEN),
    ROW(IN_TOKEN),
    ROW(IN_TOKEN),
    IN_TOKEN,
    IN_TOKEN,
    ['a'] = IN_TOKEN | HEX,
    IN_TOKEN | HEX,
    IN_TOKEN | HEX,
    IN_TOKEN | HEX,
    IN_TOKEN | HEX,
    IN_TOKEN | HEX,
    ['g'] = ROW(IN_TOKEN),
    ROW(IN_TOKEN),
    IN_TOKEN,
    IN_TOKEN,
    IN_TOKEN,
    IN_TOKEN,
    [0x80] = ROW(IN_TOKEN),
    ROW(IN_TOKEN),
    ROW(IN_TOKEN),
    ROW(IN_TOKEN),
    ROW(IN_TOKEN),
    ROW(IN_TOKEN),
    ROW(IN_TOKEN),
    ROW(IN_TOKEN),
    ROW(IN_TOKEN),
    ROW(IN_TOKEN),
    ROW(IN_TOKEN),
    ROW(IN_TOKEN),
    ROW(IN_TOKEN),
    ROW(IN_TOKEN),
    ROW(IN_TOKEN),
    ROW(IN_TOKEN),
};
#undef ROW

static uint8_t class_of(char c)
{
    return classes[(unsigned char)c];
}

struct token {
    struct slice text;
    uint8_t all, some; /* classes of all of its characters; of some */
};

/* The next run of token characters from *at on; false at the end. */
static bool next_token(struct slice s, size_t *at, struct token *token)
{
    size_t i = *at;
    while (i < s.n && !class_of(s.p[i]))
        i++;
    size_t from = i;
    token->all = UINT8_MAX;
    token->some = 0;
    for (uint8_t class; i < s.n && (class = class_of(s.p[i])); i++) {
        token->all &= class;
        token->some |= class;
    }
    *at = i;
    token->text = slice_sub(s, from, i - from);
    return i > from;
}

/* Whether a filter knows a token by itself. */
static bool is_word(const struct token *token)
{
    return token->text.n >= (token->all & HEX ? HEX_LEAST : TOKEN_LEAST);
}

/* Whether a token tells as much as a value in which it is. */
static bool is_distinct(const struct token *token)
{
    return token->text.n >= DISTINCT && token->some & DIGIT;
}

/* "2026-11-10 10:23:41.123" and the like: another in every event, and nobody looks for one. */
static bool is_time(struct slice s)
{
    static const char form[] = "0000-00-00 00:00:00";
    if (s.n < sizeof form - 1)
        return false;
    for (size_t i = 0; i < sizeof form - 1; i++)
        if (form[i] == '0' ? !(class_of(s.p[i]) & DIGIT)
                           : form[i] != s.p[i] && !(i == 10 && s.p[i] == 't'))
            return false;
    return true;
}

/* A token that can be a part of an IPv4 address. */
static bool is_octet(const struct token *token)
{
    unsigned n = 0;
    if (token->text.n > 3 || !(token->all & DIGIT))
        return false;
    for (size_t i = 0; i < token->text.n; i++)
        n = n * 10 + (unsigned)(token->text.p[i] - '0');
    return n <= 255;
}

/* Watches tokens go by for four octets joined by dots: every four of a longer row count. */
struct octets {
    unsigned n;
    size_t from[4], end; /* where the last four begin; where the last ends */
};

static bool watch_octets(struct octets *o, struct slice s, const struct token *token, size_t end)
{
    size_t from = end - token->text.n;
    if (!is_octet(token)) {
        o->n = 0;
        return false;
    }
    if (o->n && (from != o->end + 1 || s.p[o->end] != '.'))
        o->n = 0;
    memmove(o->from, o->from + 1, sizeof o->from - sizeof *o->from);
    o->from[3] = from;
    o->n++;
    o->end = end;
    return o->n >= 4;
}

void filter_add_value(struct key_set *set, struct slice folded)
{
    struct octets octets = {0};
    struct token token;
    bool whole = !is_time(folded);
    for (size_t at = 0; next_token(folded, &at, &token);) {
        if (is_word(&token))
            key_set_add(set, filter_key(token.text));
        if (watch_octets(&octets, folded, &token, at) && at - octets.from[0] < folded.n)
            key_set_add(set, filter_key(slice_sub(folded, octets.from[0], at - octets.from[0])));
        whole &= !is_distinct(&token);
    }
    if (whole)
        key_set_add(set, filter_key(folded));
}

size_t filter_needs(struct slice folded, enum filter_search how, uint64_t *keys, size_t most)
{
    bool left = how == FILTER_EQUALS || how == FILTER_STARTS || how == FILTER_WORDS;
    bool right = how == FILTER_EQUALS || how == FILTER_ENDS || how == FILTER_WORDS;
    bool whole = how == FILTER_EQUALS && !is_time(folded);
    struct octets octets = {0};
    struct token token;
    size_t n = 0;
    for (size_t at = 0; whole && next_token(folded, &at, &token);)
        whole = !is_distinct(&token);
    if (whole && most)
        keys[n++] = filter_key(folded);
    for (size_t at = 0; n < most && next_token(folded, &at, &token);) {
        bool end = right || at < folded.n;
        if (end && (left || at > token.text.n) && is_word(&token))
            keys[n++] = filter_key(token.text);
        bool address = watch_octets(&octets, folded, &token, at);
        if (n < most && address && end && (left || octets.from[0] > 0))
            keys[n++] = filter_key(slice_sub(folded, octets.from[0], at - octets.from[0]));
    }
    return n;
}

/* Sizes grow by a quarter of a power of two: 1 2 3 4 5 6 7 8 10 12 14 16 20 ... */
uint32_t filter_buckets(size_t n)
{
    size_t want = (n * BITS_A_KEY + BUCKET_BYTES * 8 - 1) / (BUCKET_BYTES * 8);
    if (want >= FILTER_BUCKETS)
        return FILTER_BUCKETS;
    uint32_t step = 1;
    while ((size_t)step * 8 < want)
        step *= 2;
    uint32_t buckets = (uint32_t)((want + step - 1) / step * step);
    return buckets ? buckets : 1;
}

uint32_t filter_bucket(uint64_t key, uint32_t buckets)
{
    return (uint32_t)((key >> 32) * buckets >> 32);
}

/* The key's bit in each of a bucket's eight words. */
static void masks(uint64_t key, uint32_t out[WORDS])
{
    static const uint32_t salts[WORDS] = {0x47b6137bu, 0x44974d91u, 0x8824ad5bu, 0xa2b7289du,
                                          0x705495c7u, 0x2df1424bu, 0x9efc4947u, 0x5c6bfb31u};
    for (int i = 0; i < WORDS; i++)
        out[i] = 1u << ((uint32_t)key * salts[i] >> 27);
}

void filter_build(const struct key_set *set, uint32_t buckets, char *bits)
{
    memset(bits, 0, (size_t)buckets * BUCKET_BYTES);
    for (size_t i = 0; i < set->cap; i++) {
        uint64_t key = set->slots[i];
        uint32_t mask[WORDS], words[WORDS];
        if (!key)
            continue;
        char *bucket = bits + (size_t)filter_bucket(key, buckets) * BUCKET_BYTES;
        masks(key, mask);
        memcpy(words, bucket, sizeof words);
        for (int w = 0; w < WORDS; w++)
            words[w] |= mask[w];
        memcpy(bucket, words, sizeof words);
    }
}

bool filter_has(const char bucket[BUCKET_BYTES], uint64_t key)
{
    uint32_t mask[WORDS], words[WORDS];
    masks(key, mask);
    memcpy(words, bucket, sizeof words);
    for (int w = 0; w < WORDS; w++)
        if ((words[w] & mask[w]) != mask[w])
            return false;
    return true;
}
