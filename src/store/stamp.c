#include "store/stamp.h"

#include "store/store_internal.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ts.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>

static enum status failed(struct error *err, enum status status, const char *what)
{
    char why[160] = "";
    unsigned long code = ERR_peek_last_error();
    if (code)
        ERR_error_string_n(code, why, sizeof why);
    ERR_clear_error();
    return error_set(err, status, NULL, ERROR_NO_OFFSET, "%s%s%s", what, code ? ": " : "", why);
}

/* ---- asking ---- */

static TS_MSG_IMPRINT *make_imprint(struct slice note)
{
    struct hash hash;
    X509_ALGOR *algorithm = X509_ALGOR_new();
    TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
    sha256(note, &hash);
    bool good = algorithm && imprint &&
                X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) == 1 &&
                TS_MSG_IMPRINT_set_algo(imprint, algorithm) == 1 &&
                TS_MSG_IMPRINT_set_msg(imprint, hash.bytes, HASH_BYTES) == 1;
    X509_ALGOR_free(algorithm);
    if (good)
        return imprint;
    TS_MSG_IMPRINT_free(imprint);
    return NULL;
}

static ASN1_INTEGER *nonce_of(const struct stamp_request *r)
{
    BIGNUM *n = BN_bin2bn(r->nonce, STAMP_NONCE, NULL);
    ASN1_INTEGER *nonce = n ? BN_to_ASN1_INTEGER(n, NULL) : NULL;
    BN_free(n);
    return nonce;
}

enum status stamp_request(struct slice note, struct stamp_request *out, struct error *err)
{
    *out = (struct stamp_request){0};
    TS_REQ *request = TS_REQ_new();
    TS_MSG_IMPRINT *imprint = make_imprint(note);
    bool good = request && imprint && RAND_bytes(out->nonce, STAMP_NONCE) == 1;
    ASN1_INTEGER *nonce = good ? nonce_of(out) : NULL;
    good = nonce && TS_REQ_set_version(request, 1) == 1 &&
           TS_REQ_set_msg_imprint(request, imprint) == 1 && TS_REQ_set_nonce(request, nonce) == 1 &&
           TS_REQ_set_cert_req(request, 1) == 1;
    int n = good ? i2d_TS_REQ(request, NULL) : -1;
    if (n > 0) {
        unsigned char *to = (unsigned char *)buf_room(&out->der, (size_t)n);
        out->der.n += (size_t)i2d_TS_REQ(request, &to);
    }
    ASN1_INTEGER_free(nonce);
    TS_MSG_IMPRINT_free(imprint);
    TS_REQ_free(request);
    return n > 0 ? OK : failed(err, STATUS_SYSTEM, "can't make a request for a timestamp");
}

void stamp_request_free(struct stamp_request *r)
{
    buf_free(&r->der);
}

/* ---- checking ---- */

static bool take_time(const ASN1_GENERALIZEDTIME *from, timestamp *out)
{
    struct tm t;
    if (!from || ASN1_TIME_to_tm(from, &t) != 1)
        return false;
    int64_t seconds = days_from_civil(t.tm_year + 1900, t.tm_mon + 1, t.tm_mday) * 86400 +
                      t.tm_hour * 3600 + t.tm_min * 60 + t.tm_sec;
    return !__builtin_mul_overflow(seconds, NS_PER_SECOND, out);
}

static bool same_imprint(TS_TST_INFO *info, struct slice note)
{
    struct hash hash;
    TS_MSG_IMPRINT *imprint = TS_TST_INFO_get_msg_imprint(info);
    const X509_ALGOR *algorithm = imprint ? TS_MSG_IMPRINT_get_algo(imprint) : NULL;
    const ASN1_OBJECT *name = NULL;
    sha256(note, &hash);
    if (!algorithm)
        return false;
    X509_ALGOR_get0(&name, NULL, NULL, algorithm);
    ASN1_OCTET_STRING *bytes = TS_MSG_IMPRINT_get_msg(imprint);
    return OBJ_obj2nid(name) == NID_sha256 && ASN1_STRING_length(bytes) == HASH_BYTES &&
           memcmp(ASN1_STRING_get0_data(bytes), hash.bytes, HASH_BYTES) == 0;
}

static bool same_nonce(TS_TST_INFO *info, const struct stamp_request *request)
{
    ASN1_INTEGER *asked = nonce_of(request);
    const ASN1_INTEGER *got = TS_TST_INFO_get_nonce(info);
    bool same = asked && got && ASN1_INTEGER_cmp(asked, got) == 0;
    ASN1_INTEGER_free(asked);
    return same;
}

static void take_authority(TS_RESP *answer, struct stamp_told *told)
{
    const GENERAL_NAME *name = TS_TST_INFO_get_tsa(TS_RESP_get_tst_info(answer));
    if (name && name->type == GEN_DIRNAME)
        X509_NAME_oneline(name->d.directoryName, told->authority, sizeof told->authority);
}

/* The certificates of a PEM file, trusted at a time; NULL when there are none. */
static X509_STORE *trusted(struct slice pem, timestamp at)
{
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    X509_STORE *store = X509_STORE_new();
    size_t n = 0;
    for (X509 *one; bio && store && (one = PEM_read_bio_X509(bio, NULL, NULL, NULL)); n++) {
        X509_STORE_add_cert(store, one);
        X509_free(one);
    }
    ERR_clear_error(); /* the end of the file is one */
    BIO_free(bio);
    if (n == 0) {
        X509_STORE_free(store);
        return NULL;
    }
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), (time_t)(at / NS_PER_SECOND));
    return store;
}

static enum status check_signature(TS_RESP *answer, struct slice note, struct slice ca,
                                   timestamp at, struct error *err)
{
    struct hash hash;
    X509_STORE *store = trusted(ca, at);
    if (!store)
        return error_set(err, STATUS_BAD_USE, NULL, ERROR_NO_OFFSET,
                         "the file of trusted authorities has no certificate (PEM)");
    TS_VERIFY_CTX *ctx = TS_VERIFY_CTX_new();
    sha256(note, &hash);
    unsigned char *imprint = OPENSSL_memdup(hash.bytes, HASH_BYTES);
    bool good = false;
    if (ctx && imprint) {
        TS_VERIFY_CTX_set_flags(ctx, TS_VFY_VERSION | TS_VFY_IMPRINT | TS_VFY_SIGNATURE);
        TS_VERIFY_CTX_set_imprint(ctx, imprint, HASH_BYTES);
        TS_VERIFY_CTX_set_store(ctx, store);
        good = TS_RESP_verify_response(ctx, answer) == 1;
    } else {
        OPENSSL_free(imprint);
        X509_STORE_free(store);
    }
    TS_VERIFY_CTX_free(ctx);
    return good ? OK : failed(err, STATUS_BAD_INPUT, "the timestamp's signature is not good");
}

static enum status check_answer(TS_RESP *answer, struct slice note, const struct slice *ca,
                                const struct stamp_request *request, struct stamp_told *told,
                                struct error *err)
{
    TS_STATUS_INFO *status = TS_RESP_get_status_info(answer);
    long code = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(status));
    TS_TST_INFO *info = TS_RESP_get_tst_info(answer);
    if ((code != TS_STATUS_GRANTED && code != TS_STATUS_GRANTED_WITH_MODS) || !info)
        return error_set(err, STATUS_BAD_INPUT, NULL, ERROR_NO_OFFSET,
                         "the authority gave no timestamp (status %ld)", code);
    if (!take_time(TS_TST_INFO_get_time(info), &told->at))
        return error_set(err, STATUS_BAD_INPUT, NULL, ERROR_NO_OFFSET,
                         "the timestamp tells no time");
    if (!same_imprint(info, note) || (request && !same_nonce(info, request)))
        return error_set(err, STATUS_BAD_INPUT, NULL, ERROR_NO_OFFSET,
                         "the timestamp is over something else");
    take_authority(answer, told);
    return ca ? check_signature(answer, note, *ca, told->at, err) : OK;
}

enum status stamp_check(struct slice answer, struct slice note, const struct slice *ca,
                        const struct stamp_request *request, struct stamp_told *told,
                        struct error *err)
{
    const unsigned char *p = (const unsigned char *)answer.p;
    *told = (struct stamp_told){.at = TIMESTAMP_NONE};
    TS_RESP *parsed = answer.n <= STAMP_BYTES ? d2i_TS_RESP(NULL, &p, (long)answer.n) : NULL;
    enum status status;
    if (!parsed || p != (const unsigned char *)answer.p + answer.n)
        status = failed(err, STATUS_BAD_INPUT, "this is no answer of a timestamp authority");
    else
        status = check_answer(parsed, note, ca, request, told, err);
    TS_RESP_free(parsed);
    return status;
}

/* ---- in the store ---- */

struct slice stamp_note(const struct store *s, const struct store_stamp *stamp)
{
    for (size_t i = 0; i < s->journal.marks.n; i++)
        if (s->journal.marks.at[i].size == stamp->size)
            return s->journal.marks.at[i].note;
    return (struct slice){0};
}

enum status store_stamp(struct store *s, const struct store_stamp *stamp, struct error *err)
{
    struct buf entry = {0};
    entry_stamp(&entry, stamp);
    struct slice line = buf_slice(&entry);
    enum status status = store_begin(s, err);
    if (status == OK)
        status = transaction_commit(s, &line, 1, err);
    buf_free(&entry);
    return status;
}
