/*
 * Which literals a regular expression can't match without. What is not understood is "nothing
 * known", never a wrong literal: the caller filters with the answer.
 */
#include "base/buf.h"
#include "detect/regexes.h"

#include <ctype.h>

enum {
    DEPTH_MOST = 6,    /* of groups */
    LITERAL_LEAST = 2, /* shorter ones filter nothing */
};

struct set {
    struct slice at[REGEX_LITERALS];
    uint32_t n;
};

struct walk {
    struct arena *arena;
    struct slice s;
    size_t at;
    bool caseless;
    bool lost; /* something that is not understood */
};

static int peek(const struct walk *w, size_t ahead)
{
    return w->at + ahead < w->s.n ? (unsigned char)w->s.p[w->at + ahead] : -1;
}

static size_t shortest(const struct set *set)
{
    size_t least = set->n ? SIZE_MAX : 0;
    for (uint32_t i = 0; i < set->n; i++)
        least = set->at[i].n < least ? set->at[i].n : least;
    return least;
}

static void keep_better(struct set *best, const struct set *other)
{
    if (other->n && shortest(other) > shortest(best))
        *best = *other;
}

static void end_run(struct walk *w, struct buf *run, struct set *best)
{
    if (run->n >= LITERAL_LEAST && run->n > shortest(best)) {
        best->at[0] = arena_slice(w->arena, buf_slice(run));
        best->n = 1;
    }
    buf_clear(run);
}

/* Past "[...]". */
static void skip_class(struct walk *w)
{
    w->at++;
    if (peek(w, 0) == '^')
        w->at++;
    if (peek(w, 0) == ']')
        w->at++;
    for (; peek(w, 0) >= 0 && peek(w, 0) != ']'; w->at++) {
        if (peek(w, 0) == '\\')
            w->at++;
        else if (peek(w, 0) == '[' && peek(w, 1) == ':') /* [:alpha:] has a ']' of its own */
            w->lost = true;
    }
    w->at++;
}

/* A quantifier, if one stands here. Returns 1 when none; 0 when what is before it may be missing;
 * 2 when it is there at least once. */
static int quantifier(struct walk *w)
{
    int c = peek(w, 0), result = 1;
    if (c == '?' || c == '*') {
        result = 0;
        w->at++;
    } else if (c == '+') {
        result = 2;
        w->at++;
    } else if (c == '{' && isdigit(peek(w, 1))) {
        bool none = true, least = true; /* reading the least number of times */
        for (w->at++; isdigit(peek(w, 0)) || peek(w, 0) == ','; w->at++) {
            least = least && peek(w, 0) != ',';
            none = none && (!least || peek(w, 0) == '0');
        }
        w->lost = w->lost || peek(w, 0) != '}'; /* then it is no quantifier */
        w->at++;
        result = none ? 0 : 2;
    } else if (c == '{') {
        w->lost = true;
    }
    if (result != 1 && (peek(w, 0) == '?' || peek(w, 0) == '+'))
        w->at++;
    return result;
}

static struct set alternatives(struct walk *w, int depth);

/* "(...)": what it needs, when it must match. */
static void group(struct walk *w, struct set *best, int depth)
{
    bool counts = true;
    w->at++;
    if (peek(w, 0) == '*')
        w->lost = true;
    if (peek(w, 0) == '?') {
        w->at++;
        int c = peek(w, 0);
        if (c == '=' || c == '!' || c == '<' || c == 'P') {
            counts = false; /* looks around, or a name; the name's letters are never a run kept */
            w->at++;
        } else {
            while (peek(w, 0) == 'i' || peek(w, 0) == 's' || peek(w, 0) == 'm')
                w->at++;
            if (peek(w, 0) != ':' && peek(w, 0) != ')')
                w->lost = true;
            if (peek(w, 0) == ')') {
                w->at++;
                return; /* (?i) */
            }
            w->at++;
        }
    }
    struct set inner = alternatives(w, depth + 1);
    w->at++; /* ')' */
    if (quantifier(w) != 0 && counts)
        keep_better(best, &inner);
}

/* A character that stands for itself, or -1: then a class, an assertion, or lost. Moves past it. */
static int literal(struct walk *w)
{
    int c = peek(w, 0);
    w->at++;
    if (c == '\\') {
        c = peek(w, 0);
        w->at++;
        if (c < 0)
            w->lost = true;
        else if (isalnum(c)) {
            if (!strchr("dDwWsSbBnrt", c))
                w->lost = true;
            return -1;
        }
    } else if (c == '.' || c == '^' || c == '$') {
        return -1;
    }
    /* other characters may equal these without case: the long s, and all past ASCII */
    if (c >= 0x80 || (w->caseless && (c == 's' || c == 'S')))
        return -1;
    return tolower(c);
}

static struct set branch(struct walk *w, int depth)
{
    struct set best = {.n = 0};
    struct buf run = {0};
    while (!w->lost && peek(w, 0) >= 0 && peek(w, 0) != '|' && peek(w, 0) != ')') {
        if (peek(w, 0) == '(') {
            end_run(w, &run, &best);
            group(w, &best, depth);
            continue;
        }
        int c = -1;
        if (peek(w, 0) == '[')
            skip_class(w);
        else
            c = literal(w);
        if (c >= 0)
            buf_char(&run, (char)c);
        int times = quantifier(w);
        if (c >= 0 && times == 0)
            run.n--;
        if (c < 0 || times != 1)
            end_run(w, &run, &best);
    }
    end_run(w, &run, &best);
    buf_free(&run);
    return best;
}

static struct set alternatives(struct walk *w, int depth)
{
    struct set all = {.n = 0};
    bool known = true;
    if (depth > DEPTH_MOST) {
        w->lost = true;
        return all;
    }
    for (;;) {
        struct set one = branch(w, depth);
        known = known && one.n > 0 && all.n + one.n <= REGEX_LITERALS;
        for (uint32_t i = 0; known && i < one.n; i++)
            all.at[all.n++] = one.at[i];
        if (w->lost || peek(w, 0) != '|')
            break;
        w->at++;
    }
    if (!known)
        all.n = 0;
    return all;
}

uint32_t regex_literals(struct arena *a, struct slice pattern, bool caseless, struct slice *out)
{
    struct walk w = {.arena = a, .s = pattern, .caseless = caseless};
    struct set set = alternatives(&w, 0);
    if (w.lost || w.at < pattern.n)
        return 0;
    memcpy(out, set.at, set.n * sizeof *out);
    return set.n;
}
