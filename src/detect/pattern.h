/*
 * A string of a rule made ready to match: wildcards and escapes read, encodings applied, case
 * folded. One string may become several patterns (base64offset has three shifts).
 *
 *     struct pattern_list list = {0};
 *     pattern_make(&arena, value, item->modifiers, keyword, &list);
 *     pattern_matches(&list.at[0], folded or raw text)
 *
 * Source: Sigma rules specification 2.1, "String Wildcard" and "Escaping"; modifiers appendix
 * 2025-08-02. docs/sigma.md tells what was decided where they leave it open.
 */
#ifndef DETECT_PATTERN_H
#define DETECT_PATTERN_H

#include "detect/rule.h"

enum {
    PATTERN_DASHES_SPELT = 2, /* up to so many windash dashes become plain texts, five for each */
    PATTERN_DASHES_MOST = 4,  /* and of an encoded value so many; further ones stay hyphens */
};

struct pattern_part {
    enum {
        PART_TEXT, /* these bytes */
        PART_ONE,  /* `?`: any one character */
        PART_MANY, /* `*`: any characters, also none */
        PART_DASH, /* windash: one of the five dashes */
    } type;
    struct slice text;
};

struct pattern {
    struct pattern_part *parts; /* no two PART_TEXT and no two PART_MANY side by side */
    uint32_t n;
    bool cased; /* compares with the text as it is; else parts are folded, and so must the text */
};

struct pattern_list {
    struct pattern *at;
    size_t n, cap;
};

/* Adds the patterns of a rule's string; memory of parts and list is the arena's. A keyword is
 * looked for anywhere in a text. */
void pattern_make(struct arena *a, struct slice value, uint32_t modifiers, bool keyword,
                  struct pattern_list *out);

/* A pattern that is exactly this text, without wildcards. */
struct pattern pattern_plain(struct arena *a, struct slice text);

/* Whether the whole text is what the pattern says. Time is at most pattern times text. */
bool pattern_matches(const struct pattern *p, struct slice text);

#endif
