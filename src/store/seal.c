#include "store/seal.h"

#include "base/arena.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdlib.h>

enum { PUBLIC_BYTES = 32, SIGNATURE_BYTES = 64, ID_BYTES = 4, ALGORITHM_ED25519 = 1 };

struct seal_key {
    char origin[SEAL_ORIGIN];
    uint8_t public[PUBLIC_BYTES];
    uint8_t id[ID_BYTES];
    EVP_PKEY *key;
};

void put_base64(struct buf *b, struct slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)bytes.p;
    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t left = bytes.n - i;
        uint32_t w = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
                     (left > 2 ? p[i + 2] : 0);
        buf_char(b, digits[w >> 18]);
        buf_char(b, digits[w >> 12 & 63]);
        buf_char(b, left > 1 ? digits[w >> 6 & 63] : '=');
        buf_char(b, left > 2 ? digits[w & 63] : '=');
    }
}

static int digit64(char c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

ptrdiff_t take_base64(struct slice text, uint8_t *out, size_t most)
{
    size_t pad = 0, n = 0;
    while (pad < 2 && text.n > pad && text.p[text.n - 1 - pad] == '=')
        pad++;
    if (text.n % 4 || text.n / 4 * 3 - pad > most)
        return -1;
    uint32_t w = 0;
    for (size_t i = 0; i < text.n - pad; i++) {
        int d = digit64(text.p[i]);
        if (d < 0)
            return -1;
        w = w << 6 | (uint32_t)d;
        if (i % 4) /* 6 bits are over after the first, 4 after the second, 2 after the third */
            out[n++] = (uint8_t)(w >> (6 - i % 4 * 2));
    }
    /* one form only: what the last digit has over is zero */
    return pad && (w & ((1u << pad * 2) - 1)) ? -1 : (ptrdiff_t)n;
}

void put_hex(struct buf *b, struct slice bytes)
{
    for (size_t i = 0; i < bytes.n; i++)
        buf_printf(b, "%02x", (unsigned char)bytes.p[i]);
}

void seal_key_free(struct seal_key *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->key);
    free(k);
}

static enum status refused(const char *where, const char *what, struct error *err)
{
    char why[128];
    unsigned long code = ERR_get_error();
    ERR_error_string_n(code, why, sizeof why);
    ERR_clear_error();
    return error_set(err, STATUS_SYSTEM, where, ERROR_NO_OFFSET, "%s%s%s", what, code ? ": " : "",
                     code ? why : "");
}

/* Key id: the first four bytes of SHA-256(name || '\n' || algorithm || public key). */
static void set_id(struct seal_key *k)
{
    struct buf b = {0};
    struct hash h;
    buf_printf(&b, "%s\n%c", k->origin, ALGORITHM_ED25519);
    buf_add(&b, slice_of(k->public, PUBLIC_BYTES));
    sha256(buf_slice(&b), &h);
    memcpy(k->id, h.bytes, ID_BYTES);
    buf_free(&b);
}

/* Takes over the key. */
static struct seal_key *new_key(EVP_PKEY *key, const char *origin)
{
    struct seal_key *k = xcalloc(1, sizeof *k);
    size_t n = PUBLIC_BYTES;
    k->key = key;
    snprintf(k->origin, sizeof k->origin, "%s", origin);
    if (EVP_PKEY_get_raw_public_key(key, k->public, &n) != 1 || n != PUBLIC_BYTES) {
        seal_key_free(k);
        return NULL;
    }
    set_id(k);
    return k;
}

struct seal_key *seal_key_make(struct error *err)
{
    uint8_t id[8];
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (!key || RAND_bytes(id, sizeof id) != 1) {
        EVP_PKEY_free(key);
        refused(NULL, "can't make a key", err);
        return NULL;
    }
    char origin[SEAL_ORIGIN];
    snprintf(origin, sizeof origin, "hikeshi/%02x%02x%02x%02x%02x%02x%02x%02x", id[0], id[1], id[2],
             id[3], id[4], id[5], id[6], id[7]);
    struct seal_key *k = new_key(key, origin);
    if (!k)
        refused(NULL, "can't make a key", err);
    return k;
}

static void put_bio(BIO *bio, struct buf *out)
{
    char *p;
    long n = BIO_get_mem_data(bio, &p);
    buf_add(out, slice_of(p, (size_t)n));
}

enum status seal_key_write(const struct seal_key *k, const char *passphrase, struct buf *pem,
                           struct error *err)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int n = passphrase ? (int)strlen(passphrase) : 0;
    enum status status = OK;
    if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, k->key, passphrase ? EVP_aes_256_cbc() : NULL,
                                              passphrase, n, NULL, NULL) != 1)
        status = refused(NULL, "can't write the key", err);
    else
        put_bio(bio, pem);
    BIO_free(bio);
    return status;
}

enum status seal_public_write(const struct seal_key *k, struct buf *pem, struct error *err)
{
    BIO *bio = BIO_new(BIO_s_mem());
    enum status status = OK;
    if (!bio || PEM_write_bio_PUBKEY(bio, k->key) != 1)
        status = refused(NULL, "can't write the key", err);
    else
        put_bio(bio, pem);
    BIO_free(bio);
    return status;
}

struct asked {
    const char *passphrase;
    bool asked;
};

/* Never lets OpenSSL ask at the terminal. */
static int give_passphrase(char *out, int size, int writing, void *ctx)
{
    struct asked *a = ctx;
    (void)writing;
    a->asked = true;
    int n = a->passphrase ? (int)strlen(a->passphrase) : -1;
    if (n < 0 || n > size)
        return -1;
    memcpy(out, a->passphrase, (size_t)n);
    return n;
}

struct seal_key *seal_key_read(struct slice pem, const char *origin, const char *passphrase,
                               const char *where, struct error *err)
{
    struct asked asked = {.passphrase = passphrase};
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &asked) : NULL;
    BIO_free(bio);
    struct seal_key *k = NULL;
    if (key && EVP_PKEY_get_id(key) == EVP_PKEY_ED25519)
        k = new_key(key, origin);
    else
        EVP_PKEY_free(key);
    if (!k && asked.asked)
        error_set(err, STATUS_BAD_USE, where, ERROR_NO_OFFSET,
                  passphrase ? "the passphrase does not open the key"
                             : "the key has a passphrase, and none was given");
    else if (!k)
        error_set(err, STATUS_BAD_INPUT, where, ERROR_NO_OFFSET, "this is no Ed25519 key");
    ERR_clear_error();
    return k;
}

void seal_verifier(const struct seal_key *k, char out[SEAL_KEY_TEXT])
{
    uint8_t bytes[1 + PUBLIC_BYTES] = {ALGORITHM_ED25519};
    struct buf b = {0};
    memcpy(bytes + 1, k->public, PUBLIC_BYTES);
    buf_printf(&b, "%s+", k->origin);
    put_hex(&b, slice_of(k->id, ID_BYTES));
    buf_char(&b, '+');
    put_base64(&b, slice_of(bytes, sizeof bytes));
    snprintf(out, SEAL_KEY_TEXT, "%.*s", SLICE_ARG(buf_slice(&b)));
    buf_free(&b);
}

struct seal_key *seal_from_verifier(struct slice text)
{
    uint8_t bytes[1 + PUBLIC_BYTES];
    char origin[SEAL_ORIGIN], again[SEAL_KEY_TEXT];
    ptrdiff_t plus = slice_find(text, SLICE("+"));
    struct slice rest = slice_sub(text, plus < 0 ? text.n : (size_t)plus + 1, text.n);
    ptrdiff_t second = slice_find(rest, SLICE("+"));
    if (plus <= 0 || (size_t)plus >= sizeof origin || second != ID_BYTES * 2 ||
        take_base64(slice_sub(rest, (size_t)second + 1, rest.n), bytes, sizeof bytes) !=
            sizeof bytes ||
        bytes[0] != ALGORITHM_ED25519)
        return NULL;
    snprintf(origin, sizeof origin, "%.*s", (int)plus, text.p);
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes + 1, PUBLIC_BYTES);
    struct seal_key *k = key ? new_key(key, origin) : NULL;
    if (!k)
        return NULL;
    seal_verifier(k, again);
    if (slice_equal(slice_str(again), text))
        return k;
    seal_key_free(k);
    return NULL;
}

const char *seal_origin(const struct seal_key *k)
{
    return k->origin;
}

#define DASH "\xe2\x80\x94 " /* U+2014, and a space */

enum status checkpoint_sign(const struct seal_key *k, const struct checkpoint *c, struct buf *note,
                            struct error *err)
{
    uint8_t signature[ID_BYTES + SIGNATURE_BYTES];
    size_t from = note->n, n = SIGNATURE_BYTES;
    buf_printf(note, "%s\n%llu\n", k->origin, (unsigned long long)c->size);
    put_base64(note, slice_of(c->root.bytes, HASH_BYTES));
    buf_char(note, '\n');
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    memcpy(signature, k->id, ID_BYTES);
    bool signed_it = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, k->key) == 1 &&
                     EVP_DigestSign(ctx, signature + ID_BYTES, &n,
                                    (const unsigned char *)note->p + from, note->n - from) == 1;
    EVP_MD_CTX_free(ctx);
    if (!signed_it)
        return refused(NULL, "can't sign the checkpoint", err);
    buf_printf(note, "\n" DASH "%s ", k->origin);
    put_base64(note, slice_of(signature, sizeof signature));
    buf_char(note, '\n');
    return OK;
}

/* The next line without its end; false when there is no whole one. */
static bool take_line(struct slice *text, struct slice *line)
{
    ptrdiff_t end = slice_find(*text, SLICE("\n"));
    if (end < 0)
        return false;
    *line = slice_sub(*text, 0, (size_t)end);
    *text = slice_sub(*text, (size_t)end + 1, text->n);
    return true;
}

bool checkpoint_parse(struct slice note, const char *origin, struct checkpoint *out)
{
    struct slice name, size, root;
    uint64_t n = 0;
    if (!take_line(&note, &name) || !take_line(&note, &size) || !take_line(&note, &root) ||
        name.n == 0 || size.n == 0 || size.n > 19 || (size.p[0] == '0' && size.n > 1) ||
        (origin && !slice_equal(name, slice_str(origin))))
        return false;
    for (size_t i = 0; i < size.n; i++) {
        if (size.p[i] < '0' || size.p[i] > '9')
            return false;
        n = n * 10 + (uint64_t)(size.p[i] - '0');
    }
    out->size = n;
    return take_base64(root, out->root.bytes, HASH_BYTES) == HASH_BYTES;
}

/* Whether the line is a signature of this key over the text. */
static bool check_signature(const struct seal_key *k, struct slice text, struct slice line)
{
    uint8_t signature[ID_BYTES + SIGNATURE_BYTES];
    struct slice prefix = SLICE(DASH), origin = slice_str(k->origin);
    if (!slice_starts(line, prefix))
        return false;
    line = slice_sub(line, prefix.n, line.n);
    if (!slice_starts(line, origin) || line.n == origin.n || line.p[origin.n] != ' ')
        return false;
    line = slice_sub(line, origin.n + 1, line.n);
    if (take_base64(line, signature, sizeof signature) != sizeof signature ||
        memcmp(signature, k->id, ID_BYTES) != 0)
        return false;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, k->key) == 1 &&
                EVP_DigestVerify(ctx, signature + ID_BYTES, SIGNATURE_BYTES,
                                 (const unsigned char *)text.p, text.n) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return good;
}

bool checkpoint_verify(const struct seal_key *k, struct slice note, struct checkpoint *out)
{
    ptrdiff_t end = slice_find(note, SLICE("\n\n"));
    struct slice line;
    if (end < 0 || !checkpoint_parse(note, k->origin, out))
        return false;
    struct slice text = slice_sub(note, 0, (size_t)end + 1);
    struct slice rest = slice_sub(note, (size_t)end + 2, note.n);
    while (take_line(&rest, &line))
        if (check_signature(k, text, line))
            return true;
    return false;
}
