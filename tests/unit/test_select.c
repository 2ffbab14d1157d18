#include "test.h"

#include "event/select.h"

/* Keeps what it was handed: the number of rows left, the records, and the values of a column. */
struct kept {
    struct selection wanted;
    uint32_t rows;
    uint64_t records[16];
    char hosts[16][32], rest[16][32];
};

static enum status keep(void *ctx, struct block *b, struct error *err)
{
    struct kept *kept = ctx;
    (void)err;
    kept->rows = block_select(b, &kept->wanted);
    assert_int_equal(kept->rows, b->rows);
    for (uint32_t row = 0; row < b->rows; row++) {
        struct slice host = block_host(b, row), rest = block_text(b, row, SLICE("Rest"));
        kept->records[row] = b->origins[row].record;
        assert_int_equal(b->times[row],
                         kept->records[row] == 9 ? TIMESTAMP_NONE : (timestamp)kept->records[row]);
        snprintf(kept->hosts[row], sizeof kept->hosts[row], "%.*s", SLICE_ARG(host));
        snprintf(kept->rest[row], sizeof kept->rest[row], "%.*s", SLICE_ARG(rest));
    }
    return OK;
}

/* Events 1 to 9 at the times 1 to 8 and none, from these hosts; "Rest" stands in 2 and 3 only. */
static struct kept select_from_nine(struct selection wanted)
{
    static const char *const hosts[] = {"DC01.example.jp", "PC01", "pc01", "",  "PC02.example.jp",
                                        "DC01.example.jp", "",     "PC01", "É1"};
    struct kept kept = {.wanted = wanted};
    struct block_set *set = block_set_new((struct block_sink){keep, &kept});
    struct block *b = block_set_open(set, &(struct event_kind){.code = SLICE("1")});
    uint32_t computer = block_column(b, SLICE("Computer")), rest = block_column(b, SLICE("Rest"));
    uint32_t agent = block_column(b, SLICE("agent.name"));
    for (uint32_t i = 0; i < 9; i++) {
        timestamp time = i == 8 ? TIMESTAMP_NONE : i + 1;
        assert_int_equal(block_row(b, time, (struct origin){0, i + 1}, NULL), OK);
        if (*hosts[i])
            block_put(b, computer, value_of_text(slice_str(hosts[i])));
        else if (i == 6)
            block_put(b, agent, value_of_text(SLICE("agent7")));
        if (i == 1 || i == 2)
            block_put(b, rest, value_of_text(i == 1 ? SLICE("two") : SLICE("three")));
    }
    assert_int_equal(block_set_flush(set, NULL), OK);
    block_set_free(set);
    return kept;
}

#define ANY TIMESTAMP_NONE

static void all_without_a_wish(void **state)
{
    (void)state;
    struct kept kept = select_from_nine((struct selection){ANY, ANY, NULL});
    assert_int_equal(kept.rows, 9);
    assert_string_equal(kept.hosts[6], "agent7");
    assert_string_equal(kept.hosts[3], "");
}

static void range_of_time(void **state)
{
    (void)state;
    struct kept kept = select_from_nine((struct selection){3, 6, NULL});
    assert_int_equal(kept.rows, 3);
    assert_int_equal(kept.records[0], 3);
    assert_int_equal(kept.records[2], 5);
    assert_string_equal(kept.rest[0], "three");
    assert_string_equal(kept.rest[1], "");
    assert_string_equal(kept.hosts[2], "PC02.example.jp");
    assert_int_equal(select_from_nine((struct selection){ANY, 3, NULL}).rows, 2);
    assert_int_equal(select_from_nine((struct selection){3, ANY, NULL}).rows, 6); /* not 9 */
    assert_int_equal(select_from_nine((struct selection){10, ANY, NULL}).rows, 0);
}

static void hosts(void **state)
{
    (void)state;
    struct kept kept = select_from_nine((struct selection){ANY, ANY, "pc01"});
    assert_int_equal(kept.rows, 3);
    assert_int_equal(kept.records[2], 8);
    assert_string_equal(kept.rest[0], "two");
    assert_string_equal(kept.rest[1], "three");
    assert_int_equal(select_from_nine((struct selection){ANY, ANY, "Dc01"}).rows, 2);
    assert_int_equal(select_from_nine((struct selection){ANY, ANY, "dc01.example"}).rows, 0);
    assert_int_equal(select_from_nine((struct selection){ANY, ANY, "*.example.JP"}).rows, 3);
    assert_int_equal(select_from_nine((struct selection){ANY, ANY, "?C0?"}).rows, 6);
    assert_int_equal(select_from_nine((struct selection){ANY, ANY, "é?"}).rows, 1);
    assert_int_equal(select_from_nine((struct selection){ANY, ANY, "*"}).rows, 9);
    assert_int_equal(select_from_nine((struct selection){ANY, ANY, "agent*"}).rows, 1);
    assert_int_equal(select_from_nine((struct selection){2, 4, "pc*"}).rows, 2);
}

static void patterns(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *name;
        bool matches;
    } cases[] = {
        {"", "", true},           {"", "a", false},       {"*", "", true},
        {"a*b*c", "aXbYc", true}, {"a*b*c", "ac", false}, {"*ab", "aab", true},
        {"*a*a*a*", "aa", false}, {"?", "日", true},      {"??", "日", false},
        {"*日", "本日", true},    {"a", "ab", false},     {"ab", "a", false},
        {"*?", "", false},        {"?*", "x", true},      {"*\\*", "a\\b", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(name_matches(slice_str(cases[i].pattern), slice_str(cases[i].name)),
                         cases[i].matches);
}

/* The host of an event with a field "host" of that product. */
static enum status keep_host(void *ctx, struct block *b, struct error *err)
{
    (void)err;
    struct slice host = block_host(b, 0);
    snprintf(ctx, 32, "%.*s", SLICE_ARG(host));
    return OK;
}

static void host_of_product(struct slice product, char host[32])
{
    struct block_set *set = block_set_new((struct block_sink){keep_host, host});
    struct block *b = block_set_open(set, &(struct event_kind){.product = product});
    uint32_t column = block_column(b, SLICE("host"));
    assert_int_equal(block_row(b, 1, (struct origin){0, 1}, NULL), OK);
    block_put(b, column, value_of_text(SLICE("www.example.com")));
    assert_int_equal(block_set_flush(set, NULL), OK);
    block_set_free(set);
}

static void what_a_client_asks_for_is_no_host(void **state)
{
    (void)state;
    char host[32];
    host_of_product(SLICE("linux"), host);
    assert_string_equal(host, "www.example.com");
    host_of_product(SLICE("zeek"), host);
    assert_string_equal(host, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_client_asks_for_is_no_host),
        cmocka_unit_test(all_without_a_wish),
        cmocka_unit_test(range_of_time),
        cmocka_unit_test(hosts),
        cmocka_unit_test(patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
