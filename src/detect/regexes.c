#include "detect/regexes.h"

#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"
#include "detect/regex.h"
#include "detect/rule.h"

#include <stdlib.h>

struct regexes {
    struct arena arena;
    struct map index;
    struct {
        struct regex *at;
        size_t n, cap;
    } list;
};

struct regex_worker {
    pcre2_match_data *match;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    uint64_t given_up;
};

struct regexes *regexes_new(void)
{
    return xcalloc(1, sizeof(struct regexes));
}

void regexes_free(struct regexes *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->list.n; i++)
        pcre2_code_free(set->list.at[i].code);
    free(set->list.at);
    map_free(&set->index);
    arena_free(&set->arena);
    free(set);
}

static void add_literals(struct arena *a, struct regex *r, struct slice pattern, uint32_t modifiers)
{
    struct slice literals[REGEX_LITERALS];
    bool caseless = (modifiers & MOD_RE_I) || slice_find(pattern, SLICE("(?")) >= 0;
    r->literals_n = regex_literals(a, pattern, caseless, literals);
    r->literals = arena_alloc(a, r->literals_n * sizeof *literals);
    if (r->literals_n)
        memcpy(r->literals, literals, r->literals_n * sizeof *literals);
}

static struct slice regex_key(struct buf *key, struct slice pattern, uint32_t modifiers)
{
    uint32_t flags = modifiers & (MOD_RE_I | MOD_RE_M | MOD_RE_S);
    buf_add(key, slice_of(&flags, sizeof flags));
    buf_add(key, pattern);
    return buf_slice(key);
}

void regexes_add(struct regexes *set, struct slice pattern, uint32_t modifiers)
{
    struct buf key = {0};
    bool is_new;
    uint32_t *slot = map_put(&set->index, regex_key(&key, pattern, modifiers), &is_new);
    buf_free(&key);
    if (!is_new)
        return;
    char why[200];
    size_t at;
    struct regex r = {.code = regex_compile(pattern, modifiers, why, sizeof why, &at)};
    if (r.code) {
        pcre2_jit_compile(r.code, PCRE2_JIT_COMPLETE); /* where it can't, matching is only slower */
        add_literals(&set->arena, &r, pattern, modifiers);
    }
    *slot = (uint32_t)set->list.n;
    *VEC_PUSH(set->list) = r;
}

const struct regex *regexes_find(const struct regexes *set, struct slice pattern,
                                 uint32_t modifiers)
{
    struct buf key = {0};
    const uint32_t *slot = map_get(&set->index, regex_key(&key, pattern, modifiers));
    buf_free(&key);
    return slot && set->list.at[*slot].code ? &set->list.at[*slot] : NULL;
}

struct regex_worker *regex_worker_new(void)
{
    struct regex_worker *w = xcalloc(1, sizeof *w);
    w->match = pcre2_match_data_create(1, NULL);
    w->context = pcre2_match_context_create(NULL);
    w->stack = pcre2_jit_stack_create(32 << 10, 1 << 20, NULL);
    if (w->context)
        pcre2_set_match_limit(w->context, REGEX_MATCH_LIMIT);
    if (w->context && w->stack)
        pcre2_jit_stack_assign(w->context, NULL, w->stack);
    return w;
}

void regex_worker_free(struct regex_worker *w)
{
    if (!w)
        return;
    pcre2_match_data_free(w->match);
    pcre2_match_context_free(w->context);
    pcre2_jit_stack_free(w->stack);
    free(w);
}

bool regex_matches(struct regex_worker *w, const struct regex *r, struct slice text)
{
    int found = pcre2_match(r->code, (PCRE2_SPTR)(text.p ? text.p : ""), text.n, 0,
                            PCRE2_NO_UTF_CHECK, w->match, w->context);
    w->given_up += found < 0 && found != PCRE2_ERROR_NOMATCH;
    return found >= 0;
}

uint64_t regex_given_up(const struct regex_worker *w)
{
    return w->given_up;
}
