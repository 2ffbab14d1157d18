/* The EVTX reader on whole files: tokens, templates, values, names. */
#include "model/events.h"
#include "model/evtx_build.h"
#include "test.h"

#include <stdlib.h>

#define NOW 132000000000000000u /* a FILETIME of 2019 */

struct tested {
    struct evtx_build b;
    struct buf lines;
    struct problems *problems;
};

static int begin(void **state)
{
    struct tested *t = xcalloc(1, sizeof *t);
    t->problems = problems_new();
    build_begin(&t->b);
    *state = t;
    return 0;
}

static int end(void **state)
{
    struct tested *t = *state;
    build_free(&t->b);
    buf_free(&t->lines);
    problems_free(t->problems);
    free(t);
    return 0;
}

static void run(struct tested *t)
{
    events_lines(&evtx_reader, NULL, build_finish(&t->b), BATCH_BYTES, t->problems, &t->lines);
}

#define assert_fields(t, n, literal)                                                               \
    assert_slice(events_fields(events_nth(&(t)->lines, n)), "{" literal "}")

/* What every event of build_system() has. */
#define SYSTEM "\"Provider_Name\":\"Test\",\"EventID\":\"7\",\"Channel\":\"Tests\""

/* A record that is one template instance: <Event>System, then what the caller adds</Event>. */
static bool event_begin(struct evtx_build *b, uint64_t number, uint32_t template)
{
    build_record_begin(b, number, NOW);
    if (!build_template(b, template))
        return false;
    build_open(b, "Event", true);
    build_attribute(b, "xmlns");
    build_text(b, "http://schemas.microsoft.com/win/2004/08/events/event");
    build_close_start(b);
    build_system(b);
    return true;
}

static void event_end(struct evtx_build *b)
{
    build_end(b);
    build_template_end(b);
}

static void event_data_begin(struct evtx_build *b, uint64_t number, uint32_t template)
{
    assert_true(event_begin(b, number, template));
    build_open(b, "EventData", false);
    build_close_start(b);
}

static void event_data_end(struct evtx_build *b, const struct build_value *values, uint32_t n)
{
    build_end(b);
    event_end(b);
    build_values(b, values, n);
    build_record_end(b);
}

#define U16(s) u##s, (uint16_t)(sizeof(u##s) - 2)

static void test_kind_time_origin(void **state)
{
    struct tested *t = *state;
    uint64_t time = NOW, number = 4711;
    uint16_t id = 4624;
    assert_true((build_record_begin(&t->b, 3, 5), build_template(&t->b, 9)));
    build_open(&t->b, "Event", false);
    build_close_start(&t->b);
    build_open(&t->b, "System", false);
    build_close_start(&t->b);
    build_open(&t->b, "TimeCreated", true);
    build_attribute(&t->b, "SystemTime");
    build_sub(&t->b, 0, 0x11, false);
    build_close_empty(&t->b);
    build_element_sub(&t->b, "EventRecordID", 1, 0x0a);
    build_element_sub(&t->b, "EventID", 2, 0x06);
    build_element_sub(&t->b, "Channel", 3, 0x01);
    build_open(&t->b, "Security", true);
    build_attribute(&t->b, "UserID");
    build_sub(&t->b, 4, 0x13, true);
    build_close_empty(&t->b);
    build_element_sub(&t->b, "Level", 5, 0x04);
    build_end(&t->b);
    event_end(&t->b);
    const struct build_value values[] = {{0x11, &time, 8}, {0x0a, &number, 8},
                                         {0x06, &id, 2},   {0x01, U16("Security")},
                                         {0, "", 0},       {0, "", 0}};
    build_values(&t->b, values, 6);
    build_record_end(&t->b);
    run(t);
    assert_slice(
        events_nth(&t->lines, 0),
        "{\"record\":4711,\"time\":\"2019-04-17T18:40:00.0000000Z\",\"channel\":\"Security\","
        "\"provider\":\"\",\"code\":\"4624\","
        "\"fields\":{\"EventID\":4624,\"Channel\":\"Security\"}}");
    assert_int_equal(problems_total(t->problems), 0);
}

/* An event that does not tell its time or number has those of the record. */
static void test_without_time(void **state)
{
    struct tested *t = *state;
    event_data_begin(&t->b, 12, 1);
    event_data_end(&t->b, NULL, 0);
    run(t);
    assert_slice(events_nth(&t->lines, 0),
                 "{\"record\":12,\"time\":\"2019-04-17T18:40:00.0000000Z\",\"channel\":\"Tests\","
                 "\"provider\":\"Test\",\"code\":\"7\",\"fields\":{" SYSTEM "}}");
}

/* Values of every type, and what they come out as. */
static const struct {
    struct build_value v;
    const char *json;
} cases[] = {
    {{0x00, "", 0}, "null"},
    {{0x01, U16("word")}, "\"word\""},
    {{0x01, "", 0}, "\"\""},
    {{0x01, "a\0b\0\0\0", 6}, "\"ab\""},
    {{0x02, "ansi", 5}, "\"ansi\""},
    {{0x02, "\x80 5", 3}, "\"€ 5\""},
    {{0x02, "", 0}, "\"\""},
    {{0x03, "\x80", 1}, "-128"},
    {{0x04, "\x80", 1}, "128"},
    {{0x05, "\xfe\xff", 2}, "-2"},
    {{0x06, "\xfe\xff", 2}, "65534"},
    {{0x07, "\xfd\xff\xff\xff", 4}, "-3"},
    {{0x08, "\xfd\xff\xff\xff", 4}, "4294967293"},
    {{0x09, "\xfc\xff\xff\xff\xff\xff\xff\xff", 8}, "-4"},
    {{0x0a, "\xff\xff\xff\xff\xff\xff\xff\xff", 8}, "18446744073709551615"},
    {{0x0b, "\xcd\xcc\xcc\x3d", 4}, "0.1"},
    {{0x0c, "\x9a\x99\x99\x99\x99\x99\xb9\x3f", 8}, "0.1"},
    {{0x0d, "\x01\0\0\0", 4}, "true"},
    {{0x0d, "\0\0\0\0", 4}, "false"},
    {{0x0e, "\x01\xab", 2}, "\"01AB\""},
    {{0x0e, "", 0}, "null"},
    {{0x0f, "\x04\x03\x02\x01\x06\x05\x08\x07\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10", 16},
     "\"{01020304-0506-0708-090A-0B0C0D0E0F10}\""},
    {{0x10, "\x10\0\0\0", 4}, "\"0x10\""},
    {{0x10, "\x10\0\0\0\x01\0\0\0", 8}, "\"0x100000010\""},
    {{0x11, "\x01\0\0\0\0\0\0\0", 8}, "\"1601-01-01T00:00:00.0000001Z\""},
    {{0x12, "\xea\x07\x0b\0\x02\0\x0a\0\x17\0\x3b\0\x3a\0\xe7\x03", 16},
     "\"2026-11-10T23:59:58.999Z\""},
    {{0x13, "\x01\x01\0\0\0\0\0\x05\x12\0\0\0", 12}, "\"S-1-5-18\""},
    {{0x13, "\x01\x02\0\0\0\0\0\x05\x12\0\0\0", 12}, "\"010200000000000512000000\""},
    {{0x14, "\xff\0\0\x80", 4}, "\"0x800000ff\""},
    {{0x15, "\x01\0\0\0\0\0\0\x80", 8}, "\"0x8000000000000001\""},
    {{0x08, "\x01\x02\x03", 3}, "\"010203\""}, /* no integer has three bytes */
    {{0x7a, "\x01\x02", 2}, "\"0102\""},       /* no such type */
    /* arrays */
    {{0x81, "a\0\0\0\0\0b\0\0\0", 10}, "[\"a\",\"\",\"b\"]"},
    {{0x81, "a\0\0\0b\0", 6}, "[\"a\",\"b\"]"},
    {{0x81, "a\0\0\0", 4}, "\"a\""},
    {{0x81, "", 0}, "null"},
    {{0x82, "a\0bc", 5}, "[\"a\",\"bc\"]"},
    {{0x83, "\x01\xff", 2}, "[1,-1]"},
    {{0x84, "\x01\xff", 2}, "[1,255]"},
    {{0x85, "\x01\0\xff\xff", 4}, "[1,-1]"},
    {{0x86, "\x01\0\xff\xff", 4}, "[1,65535]"},
    {{0x87, "\x01\0\0\0\xff\xff\xff\xff", 8}, "[1,-1]"},
    {{0x88, "\x01\0\0\0\xff\xff\xff\xff", 8}, "[1,4294967295]"},
    {{0x88, "\x01\0\0\0\x02", 5}, "[1,2]"}, /* the last one is cut */
    {{0x89, "\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0", 16}, "[1,2]"},
    {{0x8a, "\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0", 16}, "[1,2]"},
    {{0x8b, "\0\0\0\x3f\0\0\x80\x3f", 8}, "[0.5,1]"},
    {{0x8c, "\0\0\0\0\0\0\xe0\x3f\0\0\0\0\0\0\xf0\x3f", 16}, "[0.5,1]"},
    {{0x8d, "\x01\0\0\0\0\0\0\0", 8}, "[true,false]"},
    {{0x8f, "\x04\x03\x02\x01\x06\x05\x08\x07\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10", 16},
     "\"{01020304-0506-0708-090A-0B0C0D0E0F10}\""},
    {{0x91, "\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0", 16},
     "[\"1601-01-01T00:00:00.0000001Z\",\"1601-01-01T00:00:00.0000002Z\"]"},
    {{0x93, "\x01\x01\0\0\0\0\0\x05\x12\0\0\0\x01\x01\0\0\0\0\0\x05\x13\0\0\0", 24},
     "[\"S-1-5-18\",\"S-1-5-19\"]"},
    {{0x94, "\x01\0\0\0\x02\0\0\0", 8}, "[\"0x1\",\"0x2\"]"},
    {{0x95, "\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0", 16}, "[\"0x1\",\"0x2\"]"},
};

static void test_types(void **state)
{
    struct tested *t = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (i == 0)
            event_data_begin(&t->b, 1, 1);
        else
            assert_false(event_begin(&t->b, i + 1, 1));
        if (i == 0) {
            build_data(&t->b, "v", 0, 0x01);
            event_data_end(&t->b, &cases[i].v, 1);
        } else {
            build_values(&t->b, &cases[i].v, 1);
            build_record_end(&t->b);
        }
    }
    run(t);
    assert_int_equal(events_count(&t->lines), sizeof cases / sizeof *cases);
    assert_int_equal(problems_total(t->problems), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char want[256];
        snprintf(want, sizeof want, "{" SYSTEM ",\"v\":%s}", cases[i].json);
        struct slice got = events_fields(events_nth(&t->lines, i));
        assert_int_equal(got.n, strlen(want));
        assert_memory_equal(got.p, want, got.n);
    }
}

static void test_utf16(void **state)
{
    struct tested *t = *state;
    const struct build_value values[] = {
        {0x01, "\x3d\xd8\x25\xdd", 4},     /* a surrogate pair: U+1F525 */
        {0x01, "\x3d\xd8\x41\0", 4},       /* a high surrogate alone */
        {0x01, "\x25\xdd\x41\0", 4},       /* a low surrogate alone */
        {0x01, "\x6b\x70\x88\x6d\x41", 5}, /* half a character at the end */
    };
    event_data_begin(&t->b, 1, 1);
    build_data(&t->b, "pair", 0, 1);
    build_data(&t->b, "high", 1, 1);
    build_data(&t->b, "low", 2, 1);
    build_data(&t->b, "odd", 3, 1);
    event_data_end(&t->b, values, 4);
    run(t);
    assert_fields(t, 0,
                  SYSTEM ",\"pair\":\"🔥\",\"high\":\"\xef\xbf\xbd"
                         "A\",\"low\":\"\xef\xbf\xbd"
                         "A\",\"odd\":\"火消\"");
}

static void test_text_tokens(void **state)
{
    struct tested *t = *state;
    const struct build_value values[] = {
        {0x01, U16("one")}, {0x08, "\x02\0\0\0", 4}, {0x86, "\x03\0\x04\0", 4}, {0x00, "", 0}};
    event_data_begin(&t->b, 1, 1);
    build_open(&t->b, "Mixed", false);
    build_close_start(&t->b);
    build_text(&t->b, "a ");
    build_sub(&t->b, 0, 1, false);
    build_entity(&t->b, "amp");
    build_sub(&t->b, 1, 8, false);
    build_char(&t->b, 0x2026);
    build_cdata(&t->b, "<c>");
    build_sub(&t->b, 2, 0x86, false);
    build_sub(&t->b, 3, 1, true);
    build_entity(&t->b, "other");
    build_end(&t->b);
    build_pi(&t->b, "target", "ignored");
    build_open(&t->b, "Constant", false);
    build_close_start(&t->b);
    build_text(&t->b, "x");
    build_entity(&t->b, "lt");
    build_entity(&t->b, "gt");
    build_entity(&t->b, "quot");
    build_entity(&t->b, "apos");
    build_char(&t->b, 'y');
    build_cdata(&t->b, "z");
    build_end(&t->b);
    build_open(&t->b, "Number", false);
    build_close_start(&t->b);
    build_raw(&t->b, "\x05\x08\x2a\0\0\0", 6); /* a literal that is no string */
    build_end(&t->b);
    event_data_end(&t->b, values, 4);
    run(t);
    assert_fields(t, 0,
                  SYSTEM ",\"Mixed\":\"a one&2…<c>3, 4&other;\","
                         "\"Constant\":\"x<>\\\"'yz\",\"Number\":42");
    assert_int_equal(problems_total(t->problems), 0);
}

static void test_data_names(void **state)
{
    struct tested *t = *state;
    const struct build_value values[] = {{0x01, U16("a")}, {0x01, U16("b")}, {0x01, U16("Name2")}};
    event_data_begin(&t->b, 1, 1);
    build_element_sub(&t->b, "Data", 0, 1); /* without a name, twice */
    build_element_sub(&t->b, "Data", 1, 1);
    build_data(&t->b, "Same", 0, 1); /* the same name twice */
    build_data(&t->b, "Same", 1, 1);
    build_open(&t->b, "Data", true); /* its name is a value */
    build_attribute(&t->b, "Name");
    build_sub(&t->b, 2, 1, false);
    build_close_start(&t->b);
    build_sub(&t->b, 0, 1, false);
    build_end(&t->b);
    build_open(&t->b, "Data", true); /* without content, with an attribute of its own */
    build_attribute(&t->b, "Name");
    build_text(&t->b, "Empty");
    build_attribute(&t->b, "Kind");
    build_text(&t->b, "k");
    build_close_empty(&t->b);
    build_data(&t->b, "", 1, 1); /* an empty name is none */
    event_data_end(&t->b, values, 3);
    run(t);
    assert_fields(t, 0,
                  SYSTEM ",\"Data\":[\"a\",\"b\",\"b\"],\"Same\":[\"a\",\"b\"],\"Name2\":\"a\","
                         "\"Data_Kind\":\"k\",\"Empty\":null");
}

static void test_user_data(void **state)
{
    struct tested *t = *state;
    const struct build_value values[] = {{0x01, U16("inner")}};
    assert_true(event_begin(&t->b, 1, 1));
    build_open(&t->b, "UserData", false);
    build_close_start(&t->b);
    build_open(&t->b, "auto:Changed", true);
    build_attribute(&t->b, "xmlns:auto");
    build_text(&t->b, "urn:x");
    build_attribute(&t->b, "xmlns");
    build_text(&t->b, "urn:y");
    build_attribute(&t->b, "auto:Kind");
    build_text(&t->b, "k");
    build_close_start(&t->b);
    build_text(&t->b, "\n  "); /* between elements: no text */
    build_element(&t->b, "auto:Outer", "o");
    build_open(&t->b, "Deep", false);
    build_close_start(&t->b);
    build_element_sub(&t->b, "Deeper", 0, 1);
    build_end(&t->b);
    build_end(&t->b);
    build_end(&t->b);
    build_open(&t->b, "RenderingInfo", true);
    build_attribute(&t->b, "Culture");
    build_text(&t->b, "ja-JP");
    build_close_start(&t->b);
    build_element(&t->b, "Message", "m");
    build_element(&t->b, "Channel", "c");
    build_open(&t->b, "Keywords", false);
    build_close_start(&t->b);
    build_element(&t->b, "Keyword", "w");
    build_end(&t->b);
    build_end(&t->b);
    event_end(&t->b);
    build_values(&t->b, values, 1);
    build_record_end(&t->b);
    run(t);
    assert_fields(t, 0,
                  SYSTEM ",\"Changed_Kind\":\"k\",\"Outer\":\"o\",\"Deeper\":\"inner\","
                         "\"RenderingInfo_Culture\":\"ja-JP\",\"Message\":\"m\","
                         "\"RenderingInfo_Channel\":\"c\",\"Keyword\":\"w\"");
}

/* Events that were forwarded have texts where others have numbers. */
static void test_record_as_text(void **state)
{
    struct tested *t = *state;
    static const struct {
        const char *text;
        const char *number;
    } numbers[] = {{"9383788", "9383788"},
                   {"18446744073709551615", "18446744073709551615"},
                   {"18446744073709551616", "5"},
                   {"12a", "5"},
                   {"", "5"}};
    for (uint32_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        build_record_begin(&t->b, 5, NOW);
        assert_true(build_template(&t->b, 20 + i));
        build_open(&t->b, "Event", false);
        build_close_start(&t->b);
        build_open(&t->b, "System", false);
        build_close_start(&t->b);
        build_element(&t->b, "EventRecordID", numbers[i].text);
        build_end(&t->b);
        event_end(&t->b);
        build_values(&t->b, NULL, 0);
        build_record_end(&t->b);
    }
    run(t);
    for (uint32_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char begins[64];
        snprintf(begins, sizeof begins, "{\"record\":%s,", numbers[i].number);
        assert_true(slice_starts(events_nth(&t->lines, i), slice_str(begins)));
    }
}

/* An optional substitution without a value takes its element or attribute along. */
static void test_optional(void **state)
{
    struct tested *t = *state;
    const struct build_value values[] = {{0, "", 0}, {0x01, "", 0}};
    event_data_begin(&t->b, 1, 1);
    for (int optional = 0; optional < 2; optional++) {
        build_open(&t->b, optional ? "Optional" : "Normal", false);
        build_close_start(&t->b);
        build_sub(&t->b, 0, 1, optional);
        build_end(&t->b);
    }
    build_open(&t->b, "Text", true);
    build_attribute(&t->b, "None");
    build_sub(&t->b, 0, 1, true);
    build_attribute(&t->b, "Beyond"); /* there is no value with this number */
    build_sub(&t->b, 77, 1, true);
    build_close_start(&t->b);
    build_sub(&t->b, 1, 1, true);
    build_end(&t->b);
    event_data_end(&t->b, values, 2);
    run(t);
    assert_fields(t, 0, SYSTEM ",\"Normal\":null,\"Text\":\"\"");
}

/* The second event refers to the first one's names and template; so does a later chunk's, which
 * writes them again at other places. */
static void test_back_references(void **state)
{
    struct tested *t = *state;
    for (unsigned i = 0; i < 3; i++) {
        struct build_value value = {0x08, &i, sizeof i};
        if (i == 2) { /* names before the template, so that it looks different */
            build_chunk_next(&t->b);
            build_record_begin(&t->b, 99, NOW);
            build_open(&t->b, "Event", false);
            build_close_start(&t->b);
            build_element(&t->b, "Data", "x");
            build_end(&t->b);
            build_record_end(&t->b);
        }
        if (i == 1) {
            assert_false(event_begin(&t->b, 2, 1));
            build_values(&t->b, &value, 1);
            build_record_end(&t->b);
        } else {
            event_data_begin(&t->b, i + 1, 1);
            build_data(&t->b, "n", 0, 8);
            event_data_end(&t->b, &value, 1);
        }
    }
    run(t);
    assert_int_equal(events_count(&t->lines), 4);
    assert_fields(t, 0, SYSTEM ",\"n\":0");
    assert_fields(t, 1, SYSTEM ",\"n\":1");
    assert_fields(t, 2, SYSTEM ",\"n\":2");
    assert_fields(t, 3, "\"Data\":\"x\"");
    assert_int_equal(problems_total(t->problems), 0);
}

/* One template id, another content in the next chunk: nothing is taken from the first. */
static void test_same_id(void **state)
{
    struct tested *t = *state;
    const struct build_value values[] = {{0x01, U16("a")}, {0x01, U16("b")}};
    for (unsigned i = 0; i < 3; i++) {
        if (i)
            build_chunk_next(&t->b);
        event_data_begin(&t->b, i + 1, 1);
        build_data(&t->b, i == 1 ? "two" : "one", i == 2, 1);
        event_data_end(&t->b, values, 2);
    }
    run(t);
    assert_fields(t, 0, SYSTEM ",\"one\":\"a\"");
    assert_fields(t, 1, SYSTEM ",\"two\":\"a\"");
    assert_fields(t, 2, SYSTEM ",\"one\":\"b\"");
}

/* How Windows writes events: EventData is BinXML in a value, by a template of its own. */
static void test_nested(void **state)
{
    struct tested *t = *state;
    struct evtx_build *b = &t->b;
    for (unsigned i = 0; i < 2; i++) {
        size_t value_at;
        if (event_begin(b, i + 1, 1)) {
            build_sub(b, 0, 0x21, true);
            event_end(b);
        }
        build_raw(b, "\x01\0\0\0\0\0\x21\0", 8); /* one value, its size filled in below */
        value_at = b->chunk.n;
        build_fragment(b);
        if (build_template(b, 2)) {
            build_open(b, "EventData", true);
            build_attribute(b, "Name");
            build_text(b, "TheName");
            build_close_start(b);
            build_data(b, "n", 0, 8);
            build_end(b);
            build_template_end(b);
        }
        build_values(b, &(struct build_value){0x08, &i, sizeof i}, 1);
        build_eof(b);
        uint16_t size = (uint16_t)(b->chunk.n - value_at);
        memcpy(b->chunk.p + value_at - 4, &size, sizeof size);
        build_record_end(b);
    }
    run(t);
    assert_fields(t, 0, SYSTEM ",\"EventData_Name\":\"TheName\",\"n\":0");
    assert_fields(t, 1, SYSTEM ",\"EventData_Name\":\"TheName\",\"n\":1");
    assert_int_equal(problems_total(t->problems), 0);
}

/* BinXML without any template, whose elements have no dependency. */
static void test_plain(void **state)
{
    struct tested *t = *state;
    build_record_begin(&t->b, 1, NOW);
    build_open(&t->b, "Event", false);
    build_close_start(&t->b);
    build_system(&t->b);
    build_open(&t->b, "EventData", false);
    build_close_start(&t->b);
    build_element(&t->b, "Data", "d");
    build_end(&t->b);
    build_end(&t->b);
    build_eof(&t->b);
    build_text(&t->b, "left over from what stood here before");
    build_record_end(&t->b);
    run(t);
    assert_fields(t, 0, SYSTEM ",\"Data\":\"d\"");
    assert_int_equal(problems_total(t->problems), 0);
}

/* However the file is cut into batches, the same events come out. */
static void test_frames(void **state)
{
    struct tested *t = *state;
    for (unsigned i = 0; i < 40; i++) {
        if (i)
            build_chunk_next(&t->b);
        event_data_begin(&t->b, i + 1, 1);
        event_data_end(&t->b, NULL, 0);
    }
    run(t);
    assert_int_equal(events_count(&t->lines), 40);
    static const size_t windows[] = {1, 4096, 70000, 1u << 20, 16u << 20};
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        struct buf again = {0};
        events_lines(&evtx_reader, NULL, buf_slice(&t->b.file), windows[i], t->problems, &again);
        assert_true(slice_equal(buf_slice(&again), buf_slice(&t->lines)));
        buf_free(&again);
    }
    assert_int_equal(problems_total(t->problems), 0);
}

static void test_recognise(void **state)
{
    struct tested *t = *state;
    struct slice file = build_finish(&t->b);
    assert_int_equal(evtx_reader.recognise(file, true, SLICE("x")), 100);
    assert_true(evtx_reader.recognise(slice_sub(file, 4096, SIZE_MAX), true, SLICE("x")) > 50);
    memset(t->b.file.p, 'x', 4096);
    assert_true(evtx_reader.recognise(file, true, SLICE("x")) > 50);
    assert_int_equal(evtx_reader.recognise(SLICE("{\"a\":1}"), true, SLICE("x.evtx")), 0);
    assert_int_equal(evtx_reader.recognise(SLICE(""), true, SLICE("x.evtx")), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(test_kind_time_origin),
        TEST(test_without_time),
        TEST(test_types),
        TEST(test_utf16),
        TEST(test_text_tokens),
        TEST(test_data_names),
        TEST(test_user_data),
        TEST(test_record_as_text),
        TEST(test_optional),
        TEST(test_back_references),
        TEST(test_same_id),
        TEST(test_nested),
        TEST(test_plain),
        TEST(test_frames),
        TEST(test_recognise),
    };
    return cmocka_run_group_tests_name("evtx", tests, NULL, NULL);
}
