/*
 * Seals: an Ed25519 key, and checkpoints of a Merkle tree signed with it, in the forms of C2SP's
 * signed-note and tlog-checkpoint (https://c2sp.org). What is signed reads
 *
 *     ORIGIN
 *     SIZE
 *     ROOT in base64
 *
 *     — ORIGIN base64(key id || signature)
 *
 * The key's name is the log's origin. The verifier key, "ORIGIN+hex(key id)+base64(0x01 || key)", is
 * what others need to check it.
 */
#ifndef STORE_SEAL_H
#define STORE_SEAL_H

#include "base/buf.h"
#include "base/error.h"
#include "store/merkle.h"

enum { SEAL_ORIGIN = 64, SEAL_KEY_TEXT = 256 };

struct seal_key; /* with its private half, or without */
void seal_key_free(struct seal_key *k);

/* A new one, with a name drawn at random. */
struct seal_key *seal_key_make(struct error *err);

/* The private half as PKCS #8 PEM; encrypted with the passphrase (AES-256) when that is not NULL. */
enum status seal_key_write(const struct seal_key *k, const char *passphrase, struct buf *pem,
                           struct error *err);
/* STATUS_BAD_USE when it is encrypted and the passphrase is missing (NULL) or wrong. */
struct seal_key *seal_key_read(struct slice pem, const char *origin, const char *passphrase,
                               const char *where, struct error *err);

/* The verifier key as text, and back (then without the private half; NULL when it is none). */
void seal_verifier(const struct seal_key *k, char out[SEAL_KEY_TEXT]);
struct seal_key *seal_from_verifier(struct slice text);
const char *seal_origin(const struct seal_key *k);

/* The public half as PEM, for openssl. */
enum status seal_public_write(const struct seal_key *k, struct buf *pem, struct error *err);

struct checkpoint {
    uint64_t size;
    struct hash root;
};

enum status checkpoint_sign(const struct seal_key *k, const struct checkpoint *c, struct buf *note,
                            struct error *err);

/* The checkpoint in a note that the key signed; false when it is none, or the signature is wrong. */
bool checkpoint_verify(const struct seal_key *k, struct slice note, struct checkpoint *out);
/* The same without looking at the signature; `origin` may be NULL: any. */
bool checkpoint_parse(struct slice note, const char *origin, struct checkpoint *out);

/* Base64 (RFC 4648, section 4): appends; and back, into `out` of at most `most` bytes, -1 when it is
 * none. */
void put_base64(struct buf *b, struct slice bytes);
ptrdiff_t take_base64(struct slice text, uint8_t *out, size_t most);
void put_hex(struct buf *b, struct slice bytes);

#endif
