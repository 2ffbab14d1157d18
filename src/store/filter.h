/*
 * Filters: what a block may hold, in a little over one byte for each thing it holds. A search asks
 * them first and opens only blocks that can have what it looks for. "No" is sure; "yes" is wrong
 * about once in a hundred times.
 *
 * A filter knows keys: hashes (XXH3, 64 bits, seed 0) of distinct values, folded (base/text.h), and of
 * their tokens. Tokens are the longest runs of letters and digits (ASCII, and every byte from 0x80 on)
 * of at least TOKEN_LEAST bytes, hexadecimal numbers of at least five; and every four runs that are
 * joined by dots and are numbers up to 255: IPv4 addresses in text. A value is known as a whole too,
 * but when it is a time, or when a token of it is long and has a digit, such as a hash or the end of a
 * GUID: that token tells as much.
 *
 * The form is the split block Bloom filter as Apache Parquet defines it (Putze, Sanders, Singler:
 * "Cache-, Hash- and Space-Efficient Bloom Filters", 2007): 32 bytes a bucket, eight bits a key.
 */
#ifndef STORE_FILTER_H
#define STORE_FILTER_H

#include "base/buf.h"

enum {
    TOKEN_LEAST = 3,
    BUCKET_BYTES = 32,
    FILTER_BUCKETS = 1 << 20, /* at most, in one filter */
};

/* A set of keys, each once. Zeroed at first; key_set_free. */
struct key_set {
    uint64_t *slots; /* 0: free */
    size_t n, cap;
};
void key_set_add(struct key_set *set, uint64_t key);
void key_set_clear(struct key_set *set);
void key_set_free(struct key_set *set);

uint64_t filter_key(struct slice folded);

/* Adds the keys of a folded value: the whole of it, and its tokens. */
void filter_add_value(struct key_set *set, struct slice folded);

/* How text is looked for. FILTER_WORDS: anywhere, but between characters that belong to no token, as
 * Kusto's `has` wants it. */
enum filter_search { FILTER_EQUALS, FILTER_STARTS, FILTER_ENDS, FILTER_CONTAINS, FILTER_WORDS };

/* The keys that a value in which `folded` is found so must have in the filter; at most `most`. None:
 * the filter can't tell. Returns how many. */
size_t filter_needs(struct slice folded, enum filter_search how, uint64_t *keys, size_t most);

/* Buckets for n keys: one of a row of sizes, so that filters of one size can stand together. */
uint32_t filter_buckets(size_t n);

/* The filter's buckets, 32 bytes each, zeroed and filled. `bits` has room for them. */
void filter_build(const struct key_set *set, uint32_t buckets, char *bits);

/* Which bucket a key falls in, and whether the bucket has it. */
uint32_t filter_bucket(uint64_t key, uint32_t buckets);
bool filter_has(const char bucket[BUCKET_BYTES], uint64_t key);

#endif
