#include "model/correlation_slow.h"

#include "base/buf.h"
#include "base/vec.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

enum { STEPS = 8 };

const char *const slow_names[SLOW_FIELDS] = {"A", "B", "V", "N"};

/* An event as a correlation sees it; for one that another correlation told of, the event that
 * took part in that one. */
struct item {
    timestamp time;
    struct origin origin;
    const struct slow_event *event;
    struct {
        const struct sigma_rule *rule; /* a correlation */
        uint32_t slot;
    } steps[STEPS]; /* from the event's rule upwards */
    uint32_t steps_n;
    bool begins; /* it comes from the beginning of a burst */
};

struct items {
    struct item *at;
    size_t n, cap;
};

struct slow {
    const struct sigma_rule *const *rules;
    uint32_t rules_n;
    const struct slow_event *events;
    size_t events_n;
    struct slow_findings *found; /* NULL: only the occurrences are asked for */
};

static struct slice unalias(const struct sigma_correlation *c, uint32_t slot, struct slice name)
{
    for (uint32_t i = 0; i < c->aliases_n; i++)
        for (uint32_t k = 0; k < c->aliases[i].fields_n; k++)
            if (slice_equal(c->aliases[i].name, name) && c->aliases[i].fields[k].rule == slot)
                return c->aliases[i].fields[k].field;
    return name;
}

static const char *field(const struct item *item, struct slice name)
{
    for (uint32_t i = item->steps_n; i-- > 0;)
        name = unalias(item->steps[i].rule->correlation, item->steps[i].slot, name);
    for (int i = 0; i < SLOW_FIELDS; i++)
        if (slice_equal(name, slice_str(slow_names[i])))
            return item->event->fields[i] && *item->event->fields[i] ? item->event->fields[i]
                                                                     : NULL;
    return NULL;
}

/* Texts of several fields in lower case, each ended by '|'; false when one is absent. */
static bool key(const struct item *item, const struct slice *names, uint32_t n, char *out)
{
    size_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        const char *text = field(item, names[i]);
        if (!text)
            return false;
        for (; *text; text++)
            out[at++] = (char)tolower((unsigned char)*text);
        out[at++] = '|';
    }
    out[at] = '\0';
    return true;
}

static bool numeric(const struct sigma_correlation *c)
{
    return c->type == CORRELATE_VALUE_SUM || c->type == CORRELATE_VALUE_AVG ||
           (c->type == CORRELATE_VALUE_PERCENTILE && c->percentile >= 0);
}

static double number(const struct item *item, const struct sigma_correlation *c)
{
    return strtod(field(item, c->fields[0]), NULL);
}

/* Group and value of an item in the correlation that is its last step; false: it has none. */
static bool place(const struct item *item, char group[SLOW_TEXT], char value[SLOW_TEXT])
{
    const struct sigma_correlation *c = item->steps[item->steps_n - 1].rule->correlation;
    if (!key(item, c->group_by, c->group_by_n, group) || !key(item, c->fields, c->fields_n, value))
        return false;
    if (!numeric(c))
        return true;
    char *end;
    const char *text = field(item, c->fields[0]);
    return isfinite(strtod(text, &end)) && *end == '\0';
}

/* What an item is to its last step and to everything above, as one text. */
static void upward(const struct slow *s, const struct item *item, struct buf *out)
{
    char group[SLOW_TEXT], value[SLOW_TEXT];
    const struct sigma_rule *rule = item->steps[item->steps_n - 1].rule;
    buf_char(out, '[');
    if (place(item, group, value))
        buf_printf(out, "%s/%s", group, rule->correlation->fields_n ? value : "");
    for (uint32_t i = 0; i < s->rules_n; i++) {
        const struct sigma_correlation *up = s->rules[i]->correlation;
        for (uint32_t slot = 0; up && slot < up->rules_n; slot++) {
            if (up->rules[slot] != rule)
                continue;
            struct item higher = *item;
            higher.steps[higher.steps_n].rule = s->rules[i];
            higher.steps[higher.steps_n++].slot = slot;
            upward(s, &higher, out);
        }
    }
    buf_char(out, ']');
}

/* Two occurrences of one moment and one group below that mean the same to all above. */
static bool same(const struct slow *s, const struct item *x, const struct item *y)
{
    const struct sigma_correlation *below = x->steps[x->steps_n - 2].rule->correlation;
    char group[SLOW_TEXT], other[SLOW_TEXT];
    struct item x_below = *x, y_below = *y;
    x_below.steps_n--;
    y_below.steps_n--;
    if (x->time != y->time || !key(&x_below, below->group_by, below->group_by_n, group) ||
        !key(&y_below, below->group_by, below->group_by_n, other) || strcmp(group, other) != 0)
        return false;
    struct buf x_up = {0}, y_up = {0};
    upward(s, x, &x_up);
    upward(s, y, &y_up);
    bool equal = slice_equal(buf_slice(&x_up), buf_slice(&y_up));
    buf_free(&x_up);
    buf_free(&y_up);
    return equal;
}

static void run(const struct slow *s, const struct sigma_rule *rule, struct items *held);

/* The events behind one rule of a correlation: its matches, or what took part in its bursts. */
static struct items gather_slot(const struct slow *s, const struct sigma_rule *below)
{
    struct items got = {0};
    if (below->correlation) {
        struct slow quiet = *s;
        quiet.found = NULL;
        run(&quiet, below, &got);
        return got;
    }
    for (size_t i = 0; i < s->events_n; i++)
        if (s->events[i].rules >> below->index & 1)
            *VEC_PUSH(got) = (struct item){.time = s->events[i].time,
                                           .origin = s->events[i].origin,
                                           .event = &s->events[i],
                                           .begins = true};
    return got;
}

/* All that a correlation looks at. */
static struct items gather(const struct slow *s, const struct sigma_rule *rule)
{
    const struct sigma_correlation *c = rule->correlation;
    bool temporal = c->type == CORRELATE_TEMPORAL || c->type == CORRELATE_TEMPORAL_ORDERED;
    struct items items = {0};
    for (uint32_t slot = 0; slot < c->rules_n; slot++) {
        struct items got = gather_slot(s, c->rules[slot]);
        size_t first = items.n;
        for (size_t i = 0; i < got.n; i++) {
            struct item item = got.at[i];
            char group[SLOW_TEXT], value[SLOW_TEXT];
            item.steps[item.steps_n].rule = rule;
            item.steps[item.steps_n++].slot = slot;
            if (item.time == TIMESTAMP_NONE || !place(&item, group, value) ||
                (!item.begins && !temporal))
                continue;
            bool again = false;
            for (size_t k = first; c->rules[slot]->correlation && k < items.n && !again; k++)
                again = same(s, &item, &items.at[k]);
            if (!again)
                *VEC_PUSH(items) = item;
        }
        free(got.at);
    }
    return items;
}

static uint32_t slot_of(const struct item *item)
{
    return item->steps[item->steps_n - 1].slot;
}

static int by_time(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    if (slot_of(x) != slot_of(y))
        return slot_of(x) < slot_of(y) ? -1 : 1;
    if (x->origin.input != y->origin.input)
        return x->origin.input < y->origin.input ? -1 : 1;
    return (x->origin.record > y->origin.record) - (x->origin.record < y->origin.record);
}

/* ---- windows ---- */

struct window {
    const struct sigma_correlation *c;
    const struct item *at; /* of one group, in order */
    size_t lo, hi, moment; /* at[moment..hi) is new */
};

static bool within(const struct sigma_correlation *c, double x)
{
    bool yes = c->bounds_n > 0 || x >= c->rules_n;
    for (uint32_t i = 0; i < c->bounds_n; i++) {
        double y = c->bounds[i].value;
        switch (c->bounds[i].type) {
        case BOUND_GT:
            yes = yes && x > y;
            break;
        case BOUND_GTE:
            yes = yes && x >= y;
            break;
        case BOUND_LT:
            yes = yes && x < y;
            break;
        case BOUND_LTE:
            yes = yes && x <= y;
            break;
        case BOUND_EQ:
            yes = yes && x == y;
            break;
        case BOUND_NEQ:
            yes = yes && x != y;
            break;
        default:
            break;
        }
    }
    return yes;
}

static bool any(const struct window *w, uint32_t slot)
{
    for (size_t i = w->lo; i < w->hi; i++)
        if (slot_of(&w->at[i]) == slot)
            return true;
    return false;
}

static bool condition(const struct window *w, const struct sigma_condition *x)
{
    switch (x->type) {
    case COND_NOT:
        return !condition(w, x->left);
    case COND_AND:
        return condition(w, x->left) && condition(w, x->right);
    case COND_OR:
        return condition(w, x->left) || condition(w, x->right);
    default:
        return any(w, x->search);
    }
}

static bool asked_for(const struct sigma_condition *x, uint32_t slot, bool negated)
{
    if (!x)
        return true;
    switch (x->type) {
    case COND_NOT:
        return asked_for(x->left, slot, !negated);
    case COND_AND:
    case COND_OR:
        return asked_for(x->left, slot, negated) || asked_for(x->right, slot, negated);
    default:
        return !negated && x->search == slot;
    }
}

static bool has_not(const struct sigma_condition *x)
{
    return x->type == COND_NOT ||
           (x->type != COND_SEARCH && (has_not(x->left) || has_not(x->right)));
}

/* Every chain of events in the rules' order that ends with a new one: the longest, and of those the
 * one that begins latest. `i`: the last event of the chain so far. */
static void chains(const struct window *w, size_t i, uint32_t length, timestamp start,
                   uint32_t *longest, timestamp *latest)
{
    if (i >= w->moment && (length > *longest || (length == *longest && start > *latest))) {
        *longest = length;
        *latest = start;
    }
    for (size_t k = i + 1; k < w->hi; k++)
        if (slot_of(&w->at[k]) > slot_of(&w->at[i]) &&
            asked_for(w->c->condition, slot_of(&w->at[k]), false))
            chains(w, k, length + 1, start, longest, latest);
}

static bool value_equal(const struct item *a, const struct item *b)
{
    char group[SLOW_TEXT], x[SLOW_TEXT], y[SLOW_TEXT];
    place(a, group, x);
    place(b, group, y);
    return strcmp(x, y) == 0;
}

static double percentile(const struct window *w)
{
    /* the least value that at least so many percent do not exceed */
    double best = INFINITY;
    size_t n = w->hi - w->lo;
    for (size_t i = w->lo; i < w->hi; i++) {
        double x = number(&w->at[i], w->c);
        size_t covered = 0;
        for (size_t k = w->lo; k < w->hi; k++)
            covered += number(&w->at[k], w->c) <= x;
        if ((double)covered >= w->c->percentile / 100 * (double)n && x < best)
            best = x;
    }
    return best;
}

/* Whether the condition holds for a window; what was measured, and since when. */
static bool holds(const struct window *w, double *measure, timestamp *since)
{
    const struct sigma_correlation *c = w->c;
    const struct item *at = w->at;
    size_t n = w->hi - w->lo;
    double x = 0;
    uint32_t matched = 0, wanted = 0, longest = 0;
    timestamp latest = 0;
    *since = at[w->lo].time;
    for (uint32_t slot = 0; slot < c->rules_n; slot++) {
        matched += any(w, slot);
        wanted += any(w, slot) && asked_for(c->condition, slot, false);
    }
    switch (c->type) {
    case CORRELATE_EVENT_COUNT:
        x = (double)n;
        break;
    case CORRELATE_VALUE_COUNT:
        for (size_t i = w->lo; i < w->hi; i++) {
            bool before = false;
            for (size_t k = w->lo; k < i; k++)
                before |= value_equal(&at[i], &at[k]);
            x += !before;
        }
        break;
    case CORRELATE_VALUE_SUM:
    case CORRELATE_VALUE_AVG:
        for (size_t i = w->lo; i < w->hi; i++)
            x += number(&at[i], c);
        x = c->type == CORRELATE_VALUE_AVG ? x / (double)n : x;
        break;
    case CORRELATE_VALUE_PERCENTILE:
        if (c->percentile >= 0) {
            x = percentile(w);
            break;
        }
        *measure = INFINITY;
        for (size_t i = w->lo; i < w->hi; i++) {
            size_t same = 0;
            for (size_t k = w->lo; k < w->hi; k++)
                same += value_equal(&at[i], &at[k]);
            x = 100 * (double)same / (double)n;
            *measure = within(c, x) && x < *measure ? x : *measure;
        }
        return isfinite(*measure);
    case CORRELATE_TEMPORAL:
        x = matched;
        break;
    case CORRELATE_TEMPORAL_ORDERED:
        for (size_t i = w->lo; i < w->hi; i++)
            if (asked_for(c->condition, slot_of(&at[i]), false))
                chains(w, i, 1, at[i].time, &longest, &latest);
        x = longest;
        *since = latest;
        break;
    }
    *measure = x;
    if (c->condition)
        return condition(w, c->condition) &&
               (c->type != CORRELATE_TEMPORAL_ORDERED || longest == wanted);
    return within(c, x);
}

/* ---- bursts ---- */

struct burst {
    size_t from, end, met;
    double measure;
};

static void tell(const struct slow *s, const struct window *w, const struct burst *b)
{
    if (b->end == 0 || !s->found)
        return;
    const struct sigma_rule *rule = w->at[0].steps[w->at[0].steps_n - 1].rule;
    if (rule->hidden)
        return;
    struct slow_finding f = {.rule = rule,
                             .first = w->at[b->from].time,
                             .time = w->at[b->end - 1].time,
                             .count = b->end - b->from,
                             .measure = b->measure};
    char value[SLOW_TEXT];
    place(&w->at[b->from], f.group, value);
    for (size_t i = b->from; i < b->end && f.events_n < FINDING_EVENTS; i++)
        f.events[f.events_n++] = w->at[i].origin;
    if (b->met - b->from >= FINDING_EVENTS)
        f.events[FINDING_EVENTS - 1] = w->at[b->met].origin;
    *VEC_PUSH(*s->found) = f;
}

static bool grows(const struct sigma_correlation *c)
{
    bool up = c->type != CORRELATE_VALUE_AVG && c->type != CORRELATE_VALUE_PERCENTILE;
    for (uint32_t i = 0; i < c->bounds_n; i++)
        up = up && (c->bounds[i].type == BOUND_GT || c->bounds[i].type == BOUND_GTE);
    return up && !(c->condition && has_not(c->condition));
}

static bool little(const struct sigma_correlation *c)
{
    bool upper = false, lower = false;
    for (uint32_t i = 0; i < c->bounds_n; i++) {
        upper |= c->bounds[i].type == BOUND_LT || c->bounds[i].type == BOUND_LTE;
        lower |= c->bounds[i].type == BOUND_GT || c->bounds[i].type == BOUND_GTE;
    }
    return upper && !lower;
}

/* One group, in order of time. */
static void run_group(const struct slow *s, const struct sigma_correlation *c,
                      const struct item *at, size_t n, struct items *held)
{
    struct window w = {.c = c, .at = at};
    struct burst b = {0};
    while (w.hi < n) {
        double measure;
        timestamp since;
        if (grows(c)) { /* the window ends with the next moment */
            w.moment = w.hi;
            while (w.hi < n && at[w.hi].time == at[w.moment].time)
                w.hi++;
            for (w.lo = 0; at[w.lo].time < at[w.moment].time - c->timespan; w.lo++)
                ;
        } else { /* it begins with the next event */
            w.lo = w.moment = w.hi;
            while (w.hi < n && at[w.hi].time <= at[w.lo].time + c->timespan)
                w.hi++;
        }
        if (!holds(&w, &measure, &since))
            continue;
        if (b.end && at[w.moment].time - at[b.end - 1].time > c->timespan) {
            tell(s, &w, &b);
            b.end = 0;
        }
        size_t from = b.end;
        bool begins = b.end == 0;
        if (begins) {
            for (from = w.lo; grows(c) && at[from].time < since; from++)
                ;
            b = (struct burst){from, w.hi, w.hi - 1, measure};
        }
        b.end = w.hi;
        if (little(c) ? measure < b.measure : measure > b.measure)
            b.measure = measure;
        for (size_t i = from; held && i < w.hi; i++) {
            struct item item = at[i];
            item.time = at[w.hi - 1].time;
            item.origin = at[w.hi - 1].origin;
            item.begins = begins;
            *VEC_PUSH(*held) = item;
        }
    }
    tell(s, &w, &b);
}

static void run(const struct slow *s, const struct sigma_rule *rule, struct items *held)
{
    struct items items = gather(s, rule), group = {0};
    bool *done = xcalloc(items.n + 1, sizeof *done);
    for (size_t i = 0; i < items.n; i++) {
        char name[SLOW_TEXT], other[SLOW_TEXT], value[SLOW_TEXT];
        if (done[i])
            continue;
        group.n = 0;
        place(&items.at[i], name, value);
        for (size_t k = i; k < items.n; k++) {
            place(&items.at[k], other, value);
            if (strcmp(name, other) != 0)
                continue;
            done[k] = true;
            *VEC_PUSH(group) = items.at[k];
        }
        if (group.n) /* it is never empty, which the analyser does not see */
            qsort(group.at, group.n, sizeof *group.at, by_time);
        run_group(s, rule->correlation, group.at, group.n, held);
    }
    free(done);
    free(group.at);
    free(items.at);
}

void slow_correlate(const struct sigma_rule *const *rules, uint32_t rules_n,
                    const struct slow_event *events, size_t n, struct slow_findings *found)
{
    struct slow s = {rules, rules_n, events, n, found};
    for (uint32_t i = 0; i < rules_n; i++)
        if (rules[i]->correlation)
            run(&s, rules[i], NULL);
}
