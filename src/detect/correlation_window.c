#include "detect/correlation_internal.h"

#include <stdlib.h>

/* How often each value lies in the window: open addressing; a place with count 0 may be left over
 * from a value that went, until the table is made anew. */
struct tally {
    struct tally_place {
        uint64_t value;
        uint64_t n;
        bool used;
    } * at;
    size_t cap, used, distinct;
};

struct correlation_walk {
    struct tally tally;
    struct {
        double *at;
        size_t n, cap;
    } numbers; /* sums from each event to `turn`; of closed windows their values in order */
    size_t turn;
    double sum; /* of the events from `turn` on */
    uint64_t rule_n[CORRELATION_RULES_TIMELY];
    uint64_t matched; /* a bit each rule that is in the window */
    /* started[n][k]: when the chain of n + 1 events in the rules' order that ends with rule k
     * began, the latest of all such chains; TIMESTAMP_NONE: there is none */
    timestamp started[CORRELATION_RULES_TIMELY][CORRELATION_RULES_TIMELY];
};

struct correlation_walk *correlation_walk_new(void)
{
    return xcalloc(1, sizeof(struct correlation_walk));
}

void correlation_walk_free(struct correlation_walk *walk)
{
    if (!walk)
        return;
    free(walk->tally.at);
    free(walk->numbers.at);
    free(walk);
}

static timestamp minus(timestamp t, int64_t span)
{
    return t < INT64_MIN + 1 + span ? INT64_MIN + 1 : t - span;
}

static timestamp plus(timestamp t, int64_t span)
{
    return t > INT64_MAX - span ? INT64_MAX : t + span;
}

/* ---- values in the window ---- */

static void tally_clear(struct tally *t)
{
    if (t->used)
        memset(t->at, 0, t->cap * sizeof *t->at);
    t->used = t->distinct = 0;
}

static struct tally_place *tally_place(const struct tally *t, uint64_t value)
{
    size_t i = value & (t->cap - 1);
    while (t->at[i].used && t->at[i].value != value)
        i = (i + 1) & (t->cap - 1);
    return &t->at[i];
}

static void tally_renew(struct tally *t)
{
    struct tally old = *t;
    t->cap = 16;
    while (t->cap < old.distinct * 4)
        t->cap *= 2;
    t->at = xcalloc(t->cap, sizeof *t->at);
    t->used = old.distinct;
    for (size_t i = 0; i < old.cap; i++)
        if (old.at[i].n)
            *tally_place(t, old.at[i].value) = old.at[i];
    free(old.at);
}

static void tally_add(struct tally *t, uint64_t value)
{
    if (t->used * 2 >= t->cap)
        tally_renew(t);
    struct tally_place *p = tally_place(t, value);
    if (!p->used) {
        *p = (struct tally_place){.value = value, .used = true};
        t->used++;
    }
    t->distinct += p->n++ == 0;
}

static void tally_remove(struct tally *t, uint64_t value)
{
    struct tally_place *p = tally_place(t, value);
    t->distinct -= --p->n == 0;
}

static double number(const struct correlation_record *r)
{
    double d;
    memcpy(&d, &r->value, sizeof d);
    return d;
}

/* ---- events coming into the window and going out of it ---- */

static void clear(struct correlation_walk *w, const struct sigma_correlation *c, size_t at)
{
    w->turn = at;
    w->sum = 0;
    w->numbers.n = 0;
    switch (c->type) {
    case CORRELATE_VALUE_COUNT:
        tally_clear(&w->tally);
        break;
    case CORRELATE_TEMPORAL:
    case CORRELATE_TEMPORAL_ORDERED:
        w->matched = 0;
        memset(w->rule_n, 0, sizeof w->rule_n);
        for (uint32_t n = 0; n < c->rules_n; n++)
            for (uint32_t k = 0; k < c->rules_n; k++)
                w->started[n][k] = TIMESTAMP_NONE;
        break;
    default:
        break;
    }
}

static void chain(struct correlation_walk *w, const struct correlation_record *r)
{
    uint32_t k = r->slot;
    w->started[0][k] = r->time;
    for (uint32_t n = 1; n <= k; n++)
        for (uint32_t before = n - 1; before < k; before++)
            if (w->started[n - 1][before] > w->started[n][k])
                w->started[n][k] = w->started[n - 1][before];
}

static void enter(struct correlation_walk *w, const struct sigma_correlation *c, uint64_t wanted,
                  const struct correlation_record *r)
{
    switch (c->type) {
    case CORRELATE_VALUE_COUNT:
        tally_add(&w->tally, r->value);
        break;
    case CORRELATE_VALUE_SUM:
        w->sum += number(r);
        break;
    case CORRELATE_TEMPORAL:
    case CORRELATE_TEMPORAL_ORDERED:
        w->rule_n[r->slot]++;
        w->matched |= UINT64_C(1) << r->slot;
        if (c->type == CORRELATE_TEMPORAL_ORDERED && (wanted >> r->slot & 1))
            chain(w, r);
        break;
    default:
        break;
    }
}

/* r[lo] goes; r[hi] is the first that has not come yet. A sum is never taken back by subtracting,
 * which would leave the errors of large numbers behind: sums from each event on are made when the
 * ones made before are used up, so that every event is added twice in all. */
static void leave(struct correlation_walk *w, const struct sigma_correlation *c,
                  const struct correlation_record *r, size_t lo, size_t hi)
{
    switch (c->type) {
    case CORRELATE_VALUE_COUNT:
        tally_remove(&w->tally, r[lo].value);
        break;
    case CORRELATE_VALUE_SUM:
        if (lo == w->turn) {
            w->turn = hi;
            w->sum = 0;
            w->numbers.n = 0;
            double sum = 0;
            for (size_t i = hi; i-- > lo;)
                *VEC_PUSH(w->numbers) = sum += number(&r[i]); /* the last is that from lo on */
        }
        w->numbers.n--;
        break;
    case CORRELATE_TEMPORAL:
    case CORRELATE_TEMPORAL_ORDERED:
        if (--w->rule_n[r[lo].slot] == 0)
            w->matched &= ~(UINT64_C(1) << r[lo].slot);
        break;
    default:
        break;
    }
}

/* ---- what a window measures ---- */

struct view {
    size_t lo, hi, moment; /* the window; its events from `moment` on are new */
    timestamp floor;       /* what began before is too long ago */
};

struct verdict {
    bool holds;
    double measure;
    uint64_t value;
    timestamp from; /* the window begins here, for what is told */
};

static struct verdict in_order(const struct correlation_walk *w, const struct sigma_correlation *c,
                               uint64_t wanted, const struct correlation_record *r,
                               const struct view *v)
{
    uint64_t ends = 0; /* rules with which a chain may end */
    for (size_t i = v->moment; i < v->hi; i++)
        ends |= UINT64_C(1) << r[i].slot;
    ends &= wanted;
    struct verdict best = {.from = v->floor};
    uint32_t longest = 0;
    for (uint32_t n = 0; n < c->rules_n; n++)
        for (uint32_t k = n; k < c->rules_n; k++) {
            timestamp from = w->started[n][k];
            if (!(ends >> k & 1) || from < v->floor || (longest == n + 1 && from <= best.from))
                continue;
            longest = n + 1;
            best.from = from;
        }
    best.measure = longest;
    best.holds = c->condition ? longest == (uint32_t)__builtin_popcountll(w->matched & wanted) &&
                                    correlation_condition(c->condition, w->matched)
                              : correlation_within(c, best.measure);
    return best;
}

static int by_number(const void *a, const void *b)
{
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* By nearest rank: the least value that at least so many of a hundred do not exceed. */
static double percentile(struct correlation_walk *w, double percent,
                         const struct correlation_record *r, size_t n)
{
    w->numbers.n = 0;
    for (size_t i = 0; i < n; i++)
        *VEC_PUSH(w->numbers) = number(&r[i]);
    qsort(w->numbers.at, n, sizeof *w->numbers.at, by_number);
    double rank = percent / 100 * (double)n;
    size_t at = (size_t)rank;
    at += (double)at < rank;
    return w->numbers.at[at ? at - 1 : 0];
}

/* The rarest value whose share of all, in percent, is what the condition asks for. */
static struct verdict share(struct correlation_walk *w, const struct sigma_correlation *c,
                            const struct correlation_record *r, size_t n)
{
    struct verdict best = {0};
    tally_clear(&w->tally);
    for (size_t i = 0; i < n; i++)
        tally_add(&w->tally, r[i].value);
    for (size_t i = 0; i < n; i++) {
        double percent = 100 * (double)tally_place(&w->tally, r[i].value)->n / (double)n;
        if ((!best.holds || percent < best.measure) && correlation_within(c, percent))
            best = (struct verdict){.holds = true, .measure = percent, .value = r[i].value};
    }
    return best;
}

static double window_sum(const struct correlation_walk *w)
{
    return w->sum + (w->numbers.n ? w->numbers.at[w->numbers.n - 1] : 0);
}

static struct verdict judge(struct correlation_walk *w, const struct sigma_correlation *c,
                            uint64_t wanted, const struct correlation_record *r,
                            const struct view *v)
{
    size_t n = v->hi - v->lo;
    struct verdict verdict = {.from = r[v->lo].time};
    switch (c->type) {
    case CORRELATE_EVENT_COUNT:
        verdict.measure = (double)n;
        break;
    case CORRELATE_VALUE_COUNT:
        verdict.measure = (double)w->tally.distinct;
        break;
    case CORRELATE_VALUE_SUM:
        verdict.measure = window_sum(w);
        break;
    case CORRELATE_VALUE_AVG:
        for (size_t i = v->lo; i < v->hi; i++)
            verdict.measure += number(&r[i]);
        verdict.measure /= (double)n;
        break;
    case CORRELATE_VALUE_PERCENTILE:
        if (c->percentile < 0) {
            verdict = share(w, c, r + v->lo, n);
            verdict.from = r[v->lo].time;
            return verdict;
        }
        verdict.measure = percentile(w, c->percentile, r + v->lo, n);
        break;
    case CORRELATE_TEMPORAL:
        verdict.measure = __builtin_popcountll(w->matched);
        if (c->condition) {
            verdict.holds = correlation_condition(c->condition, w->matched);
            return verdict;
        }
        break;
    case CORRELATE_TEMPORAL_ORDERED:
        return in_order(w, c, wanted, r, v);
    }
    verdict.holds = correlation_within(c, verdict.measure);
    return verdict;
}

/* ---- bursts ---- */

/* What goes on while a group is gone through. */
struct progress {
    const struct sigma_correlation *c;
    const struct correlation_record *r;
    const struct correlation_listener *listener;
    struct correlation_burst burst; /* end 0: none */
    bool least;                     /* the least measure tells most */
};

static bool asks_for_little(const struct sigma_correlation *c)
{
    bool little = false;
    for (uint32_t i = 0; i < c->bounds_n; i++) {
        if (c->bounds[i].type == BOUND_GT || c->bounds[i].type == BOUND_GTE)
            return false;
        little |= c->bounds[i].type == BOUND_LT || c->bounds[i].type == BOUND_LTE;
    }
    return little;
}

static enum status end_burst(struct progress *p, struct error *err)
{
    enum status s = OK;
    if (p->burst.end && p->listener->burst)
        s = p->listener->burst(p->listener->ctx, p->r, &p->burst, err);
    p->burst.end = 0;
    return s;
}

/* The condition holds for a window that ends before r[hi]; its first event is r[from]. */
static enum status hold(struct progress *p, size_t from, size_t hi, const struct verdict *v,
                        struct error *err)
{
    enum status s = OK;
    struct correlation_burst *b = &p->burst;
    bool begins = b->end == 0;
    if (begins) {
        *b = (struct correlation_burst){from, hi, hi - 1, v->measure, v->value};
    } else {
        from = b->end;
        b->end = hi;
        if (p->least ? v->measure < b->measure : v->measure > b->measure) {
            b->measure = v->measure;
            b->value = v->value;
        }
    }
    if (p->listener->held)
        s = p->listener->held(p->listener->ctx, p->r, from, hi, begins, err);
    return s;
}

/* Windows that end with each moment at which something came. */
static enum status walk_growing(struct correlation_walk *w, struct progress *p, size_t n,
                                struct error *err)
{
    const struct sigma_correlation *c = p->c;
    const struct correlation_record *r = p->r;
    uint64_t wanted = correlation_wanted(c);
    enum status s = OK;
    struct view v = {0};
    clear(w, c, 0);
    while (v.hi < n && s == OK) {
        timestamp now = r[v.hi].time;
        v.floor = minus(now, c->timespan);
        for (; v.lo < v.hi && r[v.lo].time < v.floor; v.lo++)
            leave(w, c, r, v.lo, v.hi);
        for (v.moment = v.hi; v.hi < n && r[v.hi].time == now; v.hi++)
            enter(w, c, wanted, &r[v.hi]);
        struct verdict verdict = judge(w, c, wanted, r, &v);
        if (!verdict.holds)
            continue;
        if (p->burst.end && r[p->burst.end - 1].time < v.floor)
            s = end_burst(p, err);
        size_t from = v.lo;
        while (r[from].time < verdict.from)
            from++;
        if (s == OK)
            s = hold(p, from, v.hi, &verdict, err);
    }
    return s == OK ? end_burst(p, err) : s;
}

/* Windows that begin with the first event after the window before; each is looked at as a whole. */
static enum status walk_closed(struct correlation_walk *w, struct progress *p, size_t n,
                               struct error *err)
{
    const struct sigma_correlation *c = p->c;
    const struct correlation_record *r = p->r;
    uint64_t wanted = correlation_wanted(c);
    enum status s = OK;
    struct view v = {0};
    while (v.hi < n && s == OK) {
        v.lo = v.moment = v.hi;
        v.floor = r[v.lo].time;
        timestamp last = plus(v.floor, c->timespan);
        clear(w, c, v.lo);
        for (; v.hi < n && r[v.hi].time <= last; v.hi++)
            enter(w, c, wanted, &r[v.hi]);
        struct verdict verdict = judge(w, c, wanted, r, &v);
        if (!verdict.holds)
            continue;
        if (p->burst.end && r[p->burst.end - 1].time < minus(v.floor, c->timespan))
            s = end_burst(p, err);
        if (s == OK)
            s = hold(p, v.lo, v.hi, &verdict, err);
    }
    return s == OK ? end_burst(p, err) : s;
}

enum status correlation_walk_group(struct correlation_walk *walk, const struct sigma_correlation *c,
                                   const struct correlation_record *r, size_t n,
                                   const struct correlation_listener *listener, struct error *err)
{
    struct progress p = {.c = c, .r = r, .listener = listener, .least = asks_for_little(c)};
    return correlation_grows(c) ? walk_growing(walk, &p, n, err) : walk_closed(walk, &p, n, err);
}
