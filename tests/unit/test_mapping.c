/* Mappings: the built-in ones, a folder on top, what binds and how names translate. */
#include "event/mapping.h"

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct mappings *builtin(void)
{
    struct error err = {0};
    struct mappings *m = mappings_builtin(&err);
    if (!m)
        fail_msg("%s:%d: %s", err.where, (int)err.offset, err.what);
    return m;
}

static size_t find(const struct mappings *m, const char *product, const char *category,
                   const char *service, uint32_t *out, size_t room)
{
    return mappings_for_logsource(m, slice_str(product), slice_str(category), slice_str(service),
                                  out, room);
}

static void process_creation_has_two_kinds(void **state)
{
    (void)state;
    struct mappings *m = builtin();
    uint32_t at[8];
    assert_int_equal(find(m, "windows", "process_creation", NULL, at, 8), 2);
    const struct log_binding *sysmon = mappings_get(m, at[0]), *audit = mappings_get(m, at[1]);
    assert_slice(sysmon->name, "process_creation by Sysmon 1");
    assert_slice(audit->name, "process_creation by Security 4688");

    struct event_kind kind = {.product = SLICE("windows"),
                              .channel = SLICE("security"), /* without case */
                              .provider = SLICE("Microsoft-Windows-Security-Auditing"),
                              .code = SLICE("4688")};
    assert_true(binding_holds(audit, &kind));
    assert_false(binding_holds(sysmon, &kind));
    kind.code = SLICE("4689");
    assert_false(binding_holds(audit, &kind));

    const struct field_name *image = binding_field(audit, SLICE("Image"));
    assert_non_null(image);
    assert_slice(image->stored[0], "NewProcessName");
    assert_null(binding_field(sysmon, SLICE("Image")));
    assert_null(binding_field(audit, SLICE("CommandLine")));
    const struct field_name *level = binding_field(audit, SLICE("IntegrityLevel"));
    assert_slice(field_value(level, SLICE("s-1-16-12288")), "High");
    assert_slice(field_value(level, SLICE("S-1-16-1")), "S-1-16-1");
    assert_slice(field_value(NULL, SLICE("x")), "x");
    assert_true(sysmon->show_n > 3);
    assert_slice(sysmon->show[0], "CommandLine");
    mappings_free(m);
}

static void columns_are_found_by_any_name(void **state)
{
    (void)state;
    struct mappings *m = builtin();
    uint32_t at[8];
    assert_int_equal(find(m, "windows", "process_creation", NULL, at, 8), 2);
    const struct log_binding *audit = mappings_get(m, at[1]);
    struct block_set *set =
        block_set_new((struct block_sink){.full = NULL}); /* nothing here fills a block */
    struct event_kind kind = {.channel = SLICE("Security"), .code = SLICE("4688")};
    struct block *b = block_set_open(set, &kind);
    struct error err;
    assert_int_equal(block_row(b, 0, (struct origin){0}, &err), OK);
    uint32_t name = block_column(b, SLICE("NewProcessName"));
    block_put(b, name, value_of_text(SLICE("C:\\a.exe")));
    uint32_t line = block_column(b, SLICE("CommandLine"));
    block_put(b, line, value_of_text(SLICE("a.exe -x")));
    assert_int_equal(binding_column(audit, b, 0, SLICE("Image")), (int)name);
    assert_int_equal(binding_column(audit, b, 0, SLICE("CommandLine")), (int)line);
    assert_int_equal(binding_column(audit, b, 0, SLICE("NewProcessName")), (int)name);
    assert_int_equal(binding_column(audit, b, 0, SLICE("ParentImage")), -1);
    block_set_free(set);
    mappings_free(m);
}

/* Of several stored names each event has its own. */
static void names_are_chosen_event_by_event(void **state)
{
    (void)state;
    struct mappings *m = builtin();
    uint32_t at[8];
    assert_true(find(m, NULL, "proxy", NULL, at, 8) > 0);
    const struct log_binding *proxy = mappings_get(m, at[0]);
    struct block_set *set = block_set_new((struct block_sink){.full = NULL});
    struct block *b = block_set_open(set, &(struct event_kind){.category = SLICE("proxy")});
    struct error err;
    assert_int_equal(block_row(b, 0, (struct origin){0}, &err), OK);
    uint32_t url = block_column(b, SLICE("url.domain"));
    block_put(b, url, value_of_text(SLICE("a.example")));
    uint32_t destination = block_column(b, SLICE("destination.domain"));
    block_put(b, destination, value_of_text(SLICE("b.example")));
    assert_int_equal(block_row(b, 0, (struct origin){0}, &err), OK);
    block_put(b, url, value_of_text(SLICE("c.example")));
    assert_int_equal(block_row(b, 0, (struct origin){0}, &err), OK);
    uint32_t own = block_column(b, SLICE("cs-host"));
    block_put(b, own, value_of_text(SLICE("d.example")));
    const uint32_t want[] = {destination, url, own};
    for (uint32_t row = 0; row < 3; row++)
        assert_int_equal(binding_column(proxy, b, row, SLICE("cs-host")), (int)want[row]);
    assert_int_equal(binding_column(NULL, b, 0, SLICE("cs-host")), -1);
    assert_int_equal(binding_column(NULL, b, 1, SLICE("url.domain")), (int)url);
    block_set_free(set);
    mappings_free(m);
}

static void fewer_parts_mean_more_kinds(void **state)
{
    (void)state;
    struct mappings *m = builtin();
    uint32_t at[64];
    size_t all = find(m, NULL, "process_creation", NULL, at, 64);
    assert_int_equal(all, 5); /* two of Windows, two of Linux, one of macOS */
    assert_int_equal(find(m, NULL, "process_creation", NULL, at, 1), all); /* only counted */
    /* a proxy's log, and HTTP as Zeek and Suricata see it */
    assert_int_equal(find(m, NULL, "proxy", NULL, at, 64), 3);
    struct event_kind http = {.product = SLICE("zeek"), .service = SLICE("http")};
    assert_false(binding_holds(mappings_get(m, at[0]), &http));
    assert_true(binding_holds(mappings_get(m, at[1]), &http));
    assert_slice(binding_field(mappings_get(m, at[1]), SLICE("c-uri"))->stored[0], "uri");
    /* defined with exactly these parts: only that, not everything of Windows */
    assert_int_equal(find(m, "windows", NULL, NULL, at, 64), 1);
    struct event_kind kind = {
        .product = SLICE("windows"), .channel = SLICE("Any"), .code = SLICE("1")};
    assert_true(binding_holds(mappings_get(m, at[0]), &kind));
    kind.product = SLICE("linux");
    assert_false(binding_holds(mappings_get(m, at[0]), &kind));
    assert_int_equal(find(m, "windows", "process_creation", "security", at, 64), 1);
    assert_slice(mappings_get(m, at[0])->name, "process_creation by Security 4688");
    assert_int_equal(find(m, "windows", "process_creation", "sysmon", at, 64), 1);
    assert_slice(mappings_get(m, at[0])->name, "process_creation by Sysmon 1");
    assert_int_equal(find(m, "windows", "process_creation", "system", at, 64), 0);
    assert_int_equal(find(m, "windows", "no_such_thing", NULL, at, 64), 0);
    assert_int_equal(find(m, "no_such_thing", NULL, NULL, at, 64), 0);
    mappings_free(m);
}

/* ---- a folder on top ---- */

static char folder[64];

static void write_mapping(const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/own.yaml", folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/hikeshi-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s/own.yaml", folder);
    unlink(path);
    return rmdir(folder);
}

static void a_folder_replaces_and_adds(void **state)
{
    (void)state;
    struct error err;
    write_mapping("product: windows\n"
                  "services:\n"
                  "  security: {channels: [Security, ForwardedSecurity], show: [A, B]}\n"
                  "categories:\n"
                  "  process_creation:\n"
                  "    from: security\n"
                  "    codes: 4688\n"
                  "    where: {Kind: [x, y], Other: z}\n"
                  "    fields: {Image: [First, Second]}\n"
                  "logsources:\n"
                  "  - {product: own, service: thing, kind: {product: own}}\n");
    struct mappings *m = mappings_load(folder, &err);
    assert_non_null(m);
    uint32_t at[8];
    assert_int_equal(find(m, "windows", "process_creation", NULL, at, 8), 1);
    const struct log_binding *b = mappings_get(m, at[0]);
    assert_slice(b->name, "windows/process_creation");
    assert_int_equal(b->channels_n, 2);
    assert_int_equal(b->codes_n, 1);
    assert_int_equal(b->conditions_n, 2);
    assert_slice(b->conditions[0].values[1], "y");
    assert_slice(b->show[1], "B"); /* from the service */
    assert_int_equal(b->fields[0].stored_n, 2);
    assert_int_equal(find(m, "own", NULL, "thing", at, 8), 1);
    assert_slice(mappings_get(m, at[0])->product, "own");
    assert_int_equal(mappings_get(m, at[0])->service.n, 0);
    assert_int_equal(find(m, "windows", "image_load", NULL, at, 8), 1); /* built in */
    mappings_free(m);
}

static void mistakes_have_a_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t line;
        uint32_t column;
        const char *what;
    } cases[] = {
        {"servces: {}\n", 1, 1, "there is no key 'servces' here (docs/mappings.md lists them)"},
        {"services:\n  a: {channel: [x]}\n", 2, 7,
         "there is no key 'channel' here (docs/mappings.md lists them)"},
        {"categories:\n  a: {from: b}\n", 2, 13, "there is no service 'b' in this file"},
        {"services:\n  a: {from: a}\n", 2, 13, "a service can't start from another one"},
        {"logsources:\n  - {name: x}\n", 2, 5, "a log source needs a product, category or service"},
        {"services:\n  a: {channels: [[x]]}\n", 2, 18,
         "a text or a list of texts is expected here"},
        {"services:\n  a: {fields: [x]}\n", 2, 15, "'fields' is a map: rule's name to stored name"},
        {"services:\n  a: {fields: {x: {values: {a: b}}}}\n", 2, 19,
         "the stored name of 'x' is missing"},
        {"services:\n  a: {where: {x: []}}\n", 2, 18, "a value is expected here"},
        {"services: [a]\n", 1, 11, "'services' is a map of names"},
        {"services:\n  a: {kind: {code: 1}}\n", 2, 14,
         "there is no key 'code' here (docs/mappings.md lists them)"},
        {"product: a\nproduct: b\n", 2, 1, "the key 'product' stands here twice"},
        {"", 0, 0, "it is empty"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err;
        write_mapping(cases[i].text);
        assert_null(mappings_load(folder, &err));
        assert_string_equal(err.what, cases[i].what);
        if (cases[i].line) {
            assert_int_equal(err.offset, cases[i].line);
            assert_int_equal(err.column, cases[i].column);
        }
        assert_non_null(strstr(err.where, "/own.yaml"));
    }
    struct error err;
    assert_null(mappings_load("/nonexistent", &err));
    assert_int_equal(err.status, STATUS_SYSTEM);
}

static void parts_of_values(void **state)
{
    (void)state;
    static const struct {
        struct field_name field;
        const char *stored, *part;
    } cases[] = {
        {{.part = PART_FILE}, "C:\\Windows\\cmd.exe", "cmd.exe"},
        {{.part = PART_FILE}, "/usr/bin/sh", "sh"},
        {{.part = PART_FILE}, "sh", "sh"},
        {{.part = PART_FILE}, "C:\\", ""},
        {{.part = PART_ACCOUNT}, "CORP\\alice", "alice"},
        {{.part = PART_ACCOUNT}, "alice", "alice"},
        {{.part = PART_DOMAIN}, "CORP\\alice", "CORP"},
        {{.part = PART_DOMAIN}, "alice", ""},
        {{.part = PART_MEMBER, .member = {"SHA256", 6}}, "MD5=1,SHA256=2,IMPHASH=3", "2"},
        {{.part = PART_MEMBER, .member = {"sha1", 4}}, "SHA1=4", "4"},
        {{.part = PART_MEMBER, .member = {"SHA1", 4}}, "MD5=1, SHA1=4 ,", "4"},
        {{.part = PART_MEMBER, .member = {"SHA1", 4}}, "XSHA1=4,SHA1", ""},
        {{.part = PART_MEMBER, .member = {"SHA1", 4}}, "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice got = field_value(&cases[i].field, slice_str(cases[i].stored));
        if (!slice_equal(got, slice_str(cases[i].part)))
            fail_msg("%s: %.*s", cases[i].stored, SLICE_ARG(got));
        assert_true(field_translates(&cases[i].field));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(process_creation_has_two_kinds),
        cmocka_unit_test(columns_are_found_by_any_name),
        cmocka_unit_test(names_are_chosen_event_by_event),
        cmocka_unit_test(fewer_parts_mean_more_kinds),
        cmocka_unit_test(parts_of_values),
        cmocka_unit_test_setup_teardown(a_folder_replaces_and_adds, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(mistakes_have_a_place, make_folder, drop_folder),
    };
    return cmocka_run_group_tests_name("mapping", tests, NULL, NULL);
}
