/* The Merkle tree and its proofs, against RFC 6962's hashes; keys and checkpoints. */
#include "test.h"

#include "store/seal.h"

#include <stdio.h>
#include <stdlib.h>

static void hex(const struct hash *h, char out[HASH_BYTES * 2 + 1])
{
    for (int i = 0; i < HASH_BYTES; i++)
        snprintf(out + (size_t)i * 2, 3, "%02x", h->bytes[i]);
}

/* The entries and roots that Certificate Transparency's own tests use. */
static void known_roots(void **state)
{
    (void)state;
    static const struct slice entries[] = {
        {"", 0},
        {"\x00", 1},
        {"\x10", 1},
        {"\x20\x21", 2},
        {"\x30\x31", 2},
        {"\x40\x41\x42\x43", 4},
        {"\x50\x51\x52\x53\x54\x55\x56\x57", 8},
        {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16},
    };
    static const char *const roots[] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    };
    struct merkle m = {0};
    char text[HASH_BYTES * 2 + 1];
    struct hash root;
    for (int n = 0; n <= 8; n++) {
        if (n > 0)
            merkle_add(&m, entries[n - 1]);
        merkle_root(&m, &root);
        hex(&root, text);
        assert_string_equal(text, roots[n]);
    }
    for (uint64_t n = 0; n <= 8; n++) {
        merkle_root_at(&m, n, &root);
        hex(&root, text);
        assert_string_equal(text, roots[n]);
    }
    merkle_free(&m);
}

enum { LEAVES = 70 };

static struct slice entry(uint64_t i, char text[16])
{
    return slice_of(text, (size_t)snprintf(text, 16, "entry %u", (unsigned)i));
}

static struct merkle tree(void)
{
    struct merkle m = {0};
    char text[16];
    for (uint64_t i = 0; i < LEAVES; i++)
        merkle_add(&m, entry(i, text));
    return m;
}

static void inclusion(void **state)
{
    (void)state;
    struct merkle m = tree();
    struct hash root, path[MERKLE_PATH];
    char text[16];
    for (uint64_t size = 1; size <= LEAVES; size++) {
        merkle_root_at(&m, size, &root);
        for (uint64_t i = 0; i < size; i++) {
            size_t n = merkle_inclusion(&m, i, size, path);
            assert_true(merkle_check_inclusion(entry(i, text), i, size, path, n, &root));
            assert_false(merkle_check_inclusion(entry(i + 1, text), i, size, path, n, &root));
            assert_false(merkle_check_inclusion(entry(i, text), i + 1, size, path, n, &root));
            assert_false(merkle_check_inclusion(entry(i, text), i, size, path, n + 1, &root));
            if (n == 0)
                continue;
            assert_false(merkle_check_inclusion(entry(i, text), i, size, path, n - 1, &root));
            path[n / 2].bytes[5] ^= 1;
            assert_false(merkle_check_inclusion(entry(i, text), i, size, path, n, &root));
        }
    }
    merkle_free(&m);
}

static void consistency(void **state)
{
    (void)state;
    struct merkle m = tree();
    struct hash before_root, root, path[MERKLE_PATH];
    for (uint64_t size = 1; size <= LEAVES; size++) {
        merkle_root_at(&m, size, &root);
        for (uint64_t before = 1; before <= size; before++) {
            merkle_root_at(&m, before, &before_root);
            size_t n = merkle_consistency(&m, before, size, path);
            assert_true(merkle_check_consistency(before, &before_root, size, &root, path, n));
            before_root.bytes[9] ^= 1;
            assert_false(merkle_check_consistency(before, &before_root, size, &root, path, n));
            before_root.bytes[9] ^= 1;
            if (n == 0)
                continue;
            path[n - 1].bytes[0] ^= 0x80;
            assert_false(merkle_check_consistency(before, &before_root, size, &root, path, n));
        }
    }
    merkle_free(&m);
}

static void base64(void **state)
{
    (void)state;
    static const char *const good[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "+/+/"};
    static const char *const bad[] = {"Z", "Zg=", "Zh==", "Zm9=", "Z===", "Zm9v\n", "Zm 9", "===="};
    uint8_t out[16];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct buf again = {0};
        ptrdiff_t n = take_base64(slice_str(good[i]), out, sizeof out);
        assert_true(n >= 0);
        put_base64(&again, slice_of(out, (size_t)n));
        assert_true(slice_equal(buf_slice(&again), slice_str(good[i])));
        buf_free(&again);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(take_base64(slice_str(bad[i]), out, sizeof out), -1);
    assert_int_equal(take_base64(SLICE("Zm9vYg=="), out, 3), -1);
}

static void checkpoints(void **state)
{
    (void)state;
    struct error err = {0};
    struct seal_key *key = seal_key_make(&err), *other = seal_key_make(&err);
    assert_non_null(key);
    assert_non_null(other);
    struct checkpoint c = {.size = 42}, got;
    memset(c.root.bytes, 0xab, HASH_BYTES);
    struct buf note = {0};
    assert_int_equal(checkpoint_sign(key, &c, &note, &err), OK);
    assert_true(checkpoint_verify(key, buf_slice(&note), &got));
    assert_int_equal(got.size, 42);
    assert_memory_equal(got.root.bytes, c.root.bytes, HASH_BYTES);
    assert_false(checkpoint_verify(other, buf_slice(&note), &got));
    for (size_t i = 0; i < note.n; i++) {
        note.p[i] ^= 1;
        assert_false(checkpoint_verify(key, buf_slice(&note), &got));
        note.p[i] ^= 1;
    }
    for (size_t n = 0; n < note.n; n++)
        assert_false(checkpoint_verify(key, slice_of(note.p, n), &got));
    /* a signature of a key that nobody knows does not matter */
    checkpoint_sign(other, &c, &note, &err);
    assert_true(checkpoint_verify(key, buf_slice(&note), &got));
    buf_free(&note);
    seal_key_free(key);
    seal_key_free(other);
}

static void keys(void **state)
{
    (void)state;
    struct error err = {0};
    struct seal_key *key = seal_key_make(&err);
    char text[SEAL_KEY_TEXT], again[SEAL_KEY_TEXT];
    seal_verifier(key, text);
    struct seal_key *verifier = seal_from_verifier(slice_str(text));
    assert_non_null(verifier);
    seal_verifier(verifier, again);
    assert_string_equal(text, again);
    for (size_t i = 0; text[i]; i++) {
        text[i] ^= 1;
        assert_null(seal_from_verifier(slice_str(text)));
        text[i] ^= 1;
    }
    struct buf open = {0}, closed = {0};
    assert_int_equal(seal_key_write(key, NULL, &open, &err), OK);
    assert_int_equal(seal_key_write(key, "open sesame", &closed, &err), OK);
    static const struct {
        bool closed;
        const char *passphrase;
        bool opens;
    } cases[] = {
        {false, NULL, true}, {false, "x", true},          {true, NULL, false},
        {true, "x", false},  {true, "open sesame", true}, {true, "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice pem = buf_slice(cases[i].closed ? &closed : &open);
        struct seal_key *k =
            seal_key_read(pem, seal_origin(key), cases[i].passphrase, "seal.key", &err);
        assert_int_equal(k != NULL, cases[i].opens);
        if (k) {
            seal_verifier(k, again);
            assert_string_equal(text, again);
        } else {
            assert_int_equal(err.status, STATUS_BAD_USE);
        }
        seal_key_free(k);
    }
    assert_null(seal_key_read(SLICE("no key"), "x", NULL, "seal.key", &err));
    assert_int_equal(err.status, STATUS_BAD_INPUT);
    buf_free(&open);
    buf_free(&closed);
    seal_key_free(verifier);
    seal_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_roots), cmocka_unit_test(inclusion),   cmocka_unit_test(consistency),
        cmocka_unit_test(base64),      cmocka_unit_test(checkpoints), cmocka_unit_test(keys),
    };
    return cmocka_run_group_tests_name("seal", tests, NULL, NULL);
}
