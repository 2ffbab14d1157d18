/*
 * Timestamps (RFC 3161) over checkpoints: somebody else's key and clock say that the checkpoint was
 * there at a time. The authority is asked with the SHA-256 of the checkpoint's note, and its answer
 * (TimeStampResp, DER) is kept in the journal.
 *
 *     stamp_request(note, &request, &err);            to be sent; request_free
 *     stamp_check(answer, note, NULL, &request, &told, &err);
 *     store_stamp(s, &stamp, &err);                   an entry of the journal
 *     stamp_check(stamp.response, note, &ca, NULL, &told, &err);      later: signature too
 */
#ifndef STORE_STAMP_H
#define STORE_STAMP_H

#include "store/store.h"

enum {
    STAMP_BYTES = 1 << 18, /* an answer that is longer is none */
    STAMP_NONCE = 8,
};

struct stamp_request {
    struct buf der;
    uint8_t nonce[STAMP_NONCE];
};

enum status stamp_request(struct slice note, struct stamp_request *out, struct error *err);
void stamp_request_free(struct stamp_request *r);

struct stamp_told {
    timestamp at;        /* by the authority's clock */
    char authority[256]; /* as it calls itself; empty when it does not */
};

/* Whether an answer is a timestamp over the note; `ca` (PEM certificates; NULL: signatures are not
 * looked at) are the authorities that one trusts, judged at the time of the timestamp; `request` (may
 * be NULL) what was asked, whose nonce must be in the answer. STATUS_BAD_INPUT: no. */
enum status stamp_check(struct slice answer, struct slice note, const struct slice *ca,
                        const struct stamp_request *request, struct stamp_told *told,
                        struct error *err);

/* The checkpoint that a timestamp is over; p NULL: there is none of that size. */
struct slice stamp_note(const struct store *s, const struct store_stamp *stamp);

/* Commits the entry (its number is not looked at). A writer. */
enum status store_stamp(struct store *s, const struct store_stamp *stamp, struct error *err);

#endif
