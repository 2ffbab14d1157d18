/*
 * How long events are kept, and why; what must stay whatever its age; and deletion, which is itself an
 * entry of the journal. A rule is about a log source and all below it: "windows" about all of
 * "windows/Security", "*" about what no other rule is about; the longest name that fits holds, and of
 * one name the newest. What no rule is about stays.
 *
 *     store_retain(s, &rule, &err);                  180 days of windows/Security, because ...
 *     store_hold(s, &hold, &err);                    ... but nothing of dc01 while incident 7 is open
 *     store_expire(s, now, by, false, &report, &err);
 *
 * An event expires when its time (or, when it tells none, the time its file was taken in) is longer
 * ago than the period, and no hold is about it. Segments that hold nothing else go; others are written
 * anew without it. The original of a file goes with the last of its events. All entries stay, so what
 * was deleted, and that it was as sealed until then, can be proved for ever.
 */
#ifndef STORE_RETENTION_H
#define STORE_RETENTION_H

#include "store/store.h"

/* The log source of a kind of event, as rules and people call it: "windows/Security" (product and
 * channel), else product, category and service joined by "/"; "unknown" when it has none of these.
 * Appends. */
void source_name(const struct event_kind *kind, struct buf *out);

/* The rule for a log source, or NULL. */
const struct store_retain *retention_rule(const struct store *s, struct slice source);

/* Whether a hold may be about events of that source. */
bool hold_is_of_source(const struct store_hold *hold, struct slice source);

/* Sets a rule; `entry` is not looked at. Commits. STATUS_BAD_USE when it has no reason, or a period
 * below a day. */
enum status store_retain(struct store *s, const struct store_retain *rule, struct error *err);

/* STATUS_BAD_USE when a hold of that name is in force, or there is no reason. */
enum status store_hold(struct store *s, const struct store_hold *hold, struct error *err);

/* STATUS_BAD_USE when no hold of that name is in force. */
enum status store_release(struct store *s, struct slice name, struct slice reason, struct slice by,
                          timestamp at, struct error *err);

/* What an expiry did, or would do. In the arena of the caller. */
struct expire_source {
    struct slice source, reason;
    int64_t period;
    uint64_t events; /* that went */
    uint64_t held;   /* that are past their time, but stay because of a hold */
    timestamp first, last;
};
struct expire_report {
    struct expire_source *sources;
    size_t sources_n;
    uint64_t events, segments_gone, segments_rewritten, originals;
};

/* Deletes what is past its time (`only_tell`: tells what would be, in any mode but STORE_JOURNAL).
 * STATUS_BAD_USE when `now` is before the newest entry's time: the clock is wrong. Segments are
 * compared with their seals first; STATUS_BAD_INPUT when one does not fit, and nothing is deleted. */
enum status store_expire(struct store *s, timestamp now, struct slice by, bool only_tell,
                         struct arena *a, struct expire_report *report, struct error *err);

#endif
