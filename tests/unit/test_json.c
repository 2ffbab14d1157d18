#include "test.h"

#include "events.h"
#include "intake/reader.h"

#include <stdio.h>
#include <stdlib.h>

/* Decodes text, cut by frame() into batches of about `step` bytes, and tells events and problems. */
static void read_in_steps(struct slice text, const char *name, size_t step, struct buf *events,
                          struct problems *problems)
{
    struct block_set *blocks = block_set_new((struct block_sink){events_put_block, events});
    struct reader_options options = {0};
    void *state = json_reader.open(&options);
    uint64_t line = 1;
    for (size_t at = 0, n, want = step; at < text.n; at += n) {
        struct slice rest = slice_sub(text, at, text.n), seen = slice_sub(rest, 0, want);
        bool last = seen.n == rest.n;
        n = json_reader.frame(seen, at, last);
        want = n ? step : want * 2;
        if (!n)
            continue;
        char *exact = malloc(n); /* so that a read past the end is noticed */
        memcpy(exact, rest.p, n);
        struct batch batch = {.bytes = {exact, n},
                              .offset = at,
                              .first_line = line,
                              .name = slice_str(name),
                              .last = last && n == rest.n};
        assert_int_equal(json_reader.decode(state, &batch, blocks, problems, NULL), OK);
        free(exact);
        for (size_t i = 0; i < n; i++)
            line += rest.p[i] == '\n';
    }
    assert_int_equal(block_set_flush(blocks, NULL), OK);
    json_reader.close(state);
    block_set_free(blocks);
}

/* The text becomes exactly these events, and no problem. */
static void expect_named(const char *text, const char *name, const char *expected)
{
    struct buf events = {0};
    struct problems *problems = problems_new();
    read_in_steps(slice_str(text), name, 1 << 20, &events, problems);
    buf_char(&events, '\0');
    assert_string_equal(events.p, expected);
    assert_int_equal(problems_total(problems), 0);
    problems_free(problems);
    buf_free(&events);
}

static void expect(const char *text, const char *expected)
{
    expect_named(text, "log.json", expected);
}

static void generic(void **state)
{
    (void)state;
    expect("{\"a\":1,\"b\":{\"c\":\"x\",\"d\":[1,\"two\",{\"e\":true}]},\"n\":null,\"f\":-2.5}\n"
           "{\"@timestamp\":\"2026-11-10T10:23:41.5+09:00\",\"time\":\"2020-01-01\",\"a\":\"x\"}\n",
           "- // || #1 a=1 b.c=x b.d=1, two b.d.e=true n= f=-2.5\n"
           "2026-11-10T01:23:41.500000Z // || #2 a=x @timestamp=2026-11-10T10:23:41.5+09:00 "
           "time=2020-01-01\n");
    expect("{\"a\":1,\"a\":2}", "- // || #1 a=1, 2\n");
}

/* ---- Windows shapes: the same event in each ---- */

static void evtx_dump(void **state)
{
    (void)state;
    static const char expected[] =
        "2026-11-10T10:23:41.123456Z windows// Security|Microsoft-Windows-Security-Auditing|4624 "
        "#77 Provider_Name=Microsoft-Windows-Security-Auditing "
        "Provider_Guid={54849625-5478-4994-A5BA-3E3B0328C30D} EventID=4624 EventID_Qualifiers=7 "
        "Level=0 Keywords=0x8020000000000000 "
        "Correlation_ActivityID={0D6CA1B6-5A5E-0001-1FA2-6C0D5E5AD801} Execution_ProcessID=640 "
        "Channel=Security Computer=pc7.example.org TargetUserName=hanako LogonType=3 IpAddress= "
        "Data=a, b\n";
    expect(
        "Record 1\n{\n  \"Event\": {\n"
        "    \"#attributes\": {\"xmlns\": \"http://schemas.microsoft.com/win/2004/08/events\"},\n"
        "    \"System\": {\n"
        "      \"Provider\": {\"#attributes\": {\n"
        "        \"Name\": \"Microsoft-Windows-Security-Auditing\",\n"
        "        \"Guid\": \"54849625-5478-4994-a5ba-3e3b0328c30d\"}},\n"
        "      \"EventID\": {\"#text\": 4624, \"#attributes\": {\"Qualifiers\": 7}},\n"
        "      \"Level\": 0, \"Keywords\": \"0x8020000000000000\",\n"
        "      \"TimeCreated\": {\"#attributes\": {\n"
        "        \"SystemTime\": \"2026-11-10T10:23:41.123456Z\"}},\n"
        "      \"EventRecordID\": 77,\n"
        "      \"Correlation\": {\"#attributes\": {\n"
        "        \"ActivityID\": \"0D6CA1B6-5A5E-0001-1FA2-6C0D5E5AD801\"}},\n"
        "      \"Execution\": {\"#attributes\": {\"ProcessID\": 640}},\n"
        "      \"Channel\": \"Security\", \"Computer\": \"pc7.example.org\",\n"
        "      \"Security\": null},\n"
        "    \"EventData\": {\"TargetUserName\": \"hanako\", \"LogonType\": 3,\n"
        "      \"IpAddress\": null, \"Data\": {\"#text\": [\"a\", \"b\"]}}\n"
        "  }\n}\n",
        expected);
    expect("{\"Event\":{\"System\":{\"Provider\":null,\"Provider_attributes\":{"
           "\"Name\":\"Microsoft-Windows-Security-Auditing\","
           "\"Guid\":\"54849625-5478-4994-A5BA-3E3B0328C30D\"},\"EventID\":4624,"
           "\"EventID_attributes\":{\"Qualifiers\":7},\"Level\":0,"
           "\"Keywords\":\"0x8020000000000000\",\"TimeCreated\":null,\"TimeCreated_attributes\":"
           "{\"SystemTime\":\"2026-11-10T10:23:41.123456Z\"},\"EventRecordID\":77,"
           "\"Correlation\":null,\"Correlation_attributes\":"
           "{\"ActivityID\":\"0D6CA1B6-5A5E-0001-1FA2-6C0D5E5AD801\"},\"Execution_attributes\":"
           "{\"ProcessID\":640},\"Channel\":\"Security\",\"Computer\":\"pc7.example.org\","
           "\"Security\":null},\"EventData\":{\"TargetUserName\":\"hanako\",\"LogonType\":3,"
           "\"IpAddress\":null,\"Data\":[\"a\",\"b\"]}},"
           "\"Event_attributes\":{\"xmlns\":\"http://schemas.microsoft.com\"}}\n",
           expected);
}

static void evtx_dump_user_data(void **state)
{
    (void)state;
    expect("{\"Event\":{\"System\":{\"EventID\":1102,\"Channel\":\"Security\","
           "\"TimeCreated\":{\"#attributes\":{\"SystemTime\":\"2026-11-10T10:23:41Z\"}}},"
           "\"UserData\":{\"LogFileCleared\":{\"#attributes\":{\"xmlns:auto-ns3\":\"x\"},"
           "\"SubjectUserName\":\"taro\",\"Deep\":{\"#attributes\":{\"Kind\":\"k\"},"
           "\"#text\":\"t\"},\"Nothing\":null}}}}",
           "2026-11-10T10:23:41.000000Z windows// Security||1102 #1 EventID=1102 Channel=Security "
           "SubjectUserName=taro Deep_Kind=k Deep=t\n");
    expect("{\"Event\":{\"System\":{\"EventID\":1,\"Channel\":\"A\",\"Level\":4,\"EventRecordID\":"
           "\"78\"},"
           "\"RenderingInfo\":{\"#attributes\":{\"Culture\":\"en-US\"},\"Message\":\"m\","
           "\"Level\":\"Information\",\"Keywords\":{\"Keyword\":\"k\"}}}}",
           "- windows// A||1 #78 EventID=1 Channel=A Level=4 RenderingInfo_Culture=en-US Message=m "
           "RenderingInfo_Level=Information Keyword=k\n");
}

static void winlogbeat(void **state)
{
    (void)state;
    static const char expected[] =
        "2026-11-10T10:23:41.123000Z windows// Security|Microsoft-Windows-Security-Auditing|4624 "
        "#77 Channel=Security Provider_Name=Microsoft-Windows-Security-Auditing EventID=4624 "
        "Computer=pc7 Keywords=0x8020000000000000 Execution_ProcessID=640 Execution_ThreadID=9 "
        "TargetUserName=hanako A.B=c Level=4 Message=An account host.name=pc7\n";
    expect("{\"@timestamp\":\"2026-11-10T10:23:41.123Z\",\"winlog\":{\"channel\":\"Security\","
           "\"provider_name\":\"Microsoft-Windows-Security-Auditing\",\"event_id\":\"4624\","
           "\"record_id\":77,\"computer_name\":\"pc7\",\"keywords\":[\"Audit Success\"],"
           "\"process\":{\"pid\":640,\"thread\":{\"id\":9}},"
           "\"event_data\":{\"TargetUserName\":\"hanako\",\"A.B\":\"c\"}},"
           "\"event\":{\"code\":\"4624\",\"provider\":\"Microsoft-Windows-Security-Auditing\"},"
           "\"log\":{\"level\":\"information\"},\"message\":\"An account\","
           "\"host\":{\"name\":\"pc7\"}}",
           expected);
    /* out of Elasticsearch */
    expect("{\"_index\":\"winlogbeat\",\"_source\":{\"@timestamp\":\"2026-11-10T10:23:41.123Z\","
           "\"winlog.channel\":\"Security\","
           "\"winlog.provider_name\":\"Microsoft-Windows-Security-Auditing\","
           "\"winlog.event_id\":4624,\"winlog.record_id\":\"77\",\"winlog.computer_name\":\"pc7\","
           "\"winlog.keywords\":[\"Audit Success\"],\"winlog.process.pid\":640,"
           "\"winlog.process.thread.id\":9,\"winlog.event_data.TargetUserName\":\"hanako\","
           "\"winlog.event_data.A.B\":\"c\",\"log.level\":\"information\","
           "\"message\":\"An account\",\"host.name\":\"pc7\"}}",
           expected);
    /* version 6 */
    expect("{\"@timestamp\":\"2026-11-10T10:23:41.123Z\",\"log_name\":\"Security\","
           "\"source_name\":\"Microsoft-Windows-Security-Auditing\",\"event_id\":4624,"
           "\"computer_name\":\"pc7\",\"record_number\":\"77\",\"keywords\":[\"Audit Success\"],"
           "\"process_id\":640,\"thread_id\":9,\"event_data\":{\"TargetUserName\":\"hanako\","
           "\"A.B\":\"c\"},\"level\":\"Information\",\"message\":\"An account\","
           "\"host\":{\"name\":\"pc7\"}}",
           "2026-11-10T10:23:41.123000Z windows// "
           "Security|Microsoft-Windows-Security-Auditing|4624 #77 Channel=Security "
           "Provider_Name=Microsoft-Windows-Security-Auditing EventID=4624 Computer=pc7 "
           "Keywords=0x8020000000000000 Execution_ProcessID=640 Execution_ThreadID=9 "
           "TargetUserName=hanako A.B=c Level=4 Message=An account host.name=pc7\n");
}

static void nxlog(void **state)
{
    (void)state;
    expect("{\"EventTime\":\"2026-11-10T19:23:41.123456+09:00\",\"Hostname\":\"pc7\","
           "\"Keywords\":-9214364837600034816,\"EventType\":\"AUDIT_SUCCESS\",\"EventID\":4624,"
           "\"SourceName\":\"Microsoft-Windows-Security-Auditing\","
           "\"ProviderGuid\":\"{54849625-5478-4994-A5BA-3E3B0328C30D}\",\"Task\":12544,"
           "\"OpcodeValue\":0,\"RecordNumber\":77,\"ExecutionProcessID\":640,"
           "\"Channel\":\"Security\",\"TargetUserName\":\"hanako\",\"Opcode\":\"Info\","
           "\"EventReceivedTime\":\"2026-11-10T19:23:42+09:00\","
           "\"SourceModuleType\":\"im_msvistalog\"}",
           "2026-11-10T10:23:41.123456Z windows// "
           "Security|Microsoft-Windows-Security-Auditing|4624 #77 Computer=pc7 "
           "Keywords=0x8020000000000000 EventType=AUDIT_SUCCESS EventID=4624 "
           "Provider_Name=Microsoft-Windows-Security-Auditing "
           "Provider_Guid={54849625-5478-4994-A5BA-3E3B0328C30D} Task=12544 Opcode=0 "
           "Execution_ProcessID=640 Channel=Security TargetUserName=hanako Opcode_Name=Info "
           "SourceModuleType=im_msvistalog\n");
}

static void flat(void **state)
{
    (void)state;
    expect("{\"SourceName\":\"Microsoft-Windows-Security-Auditing\",\"Level\":\"0\","
           "\"ProviderGuid\":\"{54849625-5478-4994-a5ba-3e3b0328c30d}\","
           "\"Channel\":\"Security\",\"Hostname\":\"pc7\",\"EventID\":5156,"
           "\"TimeCreated\":\"2026-11-10T10:23:41.123Z\","
           "\"@timestamp\":\"2026-11-10T10:23:41.123Z\",\"ProcessID\":\"640\"}",
           "2026-11-10T10:23:41.123000Z windows// "
           "Security|Microsoft-Windows-Security-Auditing|5156 #1 "
           "Provider_Name=Microsoft-Windows-Security-Auditing Level=0 "
           "Provider_Guid={54849625-5478-4994-A5BA-3E3B0328C30D} Channel=Security Computer=pc7 "
           "EventID=5156 ProcessID=640\n");
}

static void fluent_bit(void **state)
{
    (void)state;
    expect("{\"ProviderName\":\"Microsoft-Windows-Sysmon\","
           "\"ProviderGuid\":\"{5770385F-C22A-43E0-BF4C-06F5698FFBD9}\",\"Qualifiers\":\"\","
           "\"EventID\":22,\"Version\":5,\"Level\":4,\"Keywords\":\"0x8000000000000000\","
           "\"TimeCreated\":\"2026-11-10 19:23:41 +0900\",\"EventRecordID\":77,"
           "\"ActivityID\":\"\",\"ProcessID\":640,"
           "\"Channel\":\"Microsoft-Windows-Sysmon/Operational\",\"Computer\":\"pc7\","
           "\"UserID\":\"S-1-5-18\",\"Message\":\"Dns query:\\r\\nImage: C:\\\\a.exe\\r\\n"
           "QueryName: x.example\",\"StringInserts\":[\"C:\\\\a.exe\",\"x.example\"]}",
           "2026-11-10T10:23:41.000000Z windows// "
           "Microsoft-Windows-Sysmon/Operational|Microsoft-Windows-Sysmon|22 #77 "
           "Provider_Name=Microsoft-Windows-Sysmon "
           "Provider_Guid={5770385F-C22A-43E0-BF4C-06F5698FFBD9} EventID_Qualifiers= EventID=22 "
           "Version=5 Level=4 Keywords=0x8000000000000000 Execution_ProcessID=640 "
           "Channel=Microsoft-Windows-Sysmon/Operational Computer=pc7 Security_UserID=S-1-5-18 "
           "Message=Dns query:\r\nImage: C:\\a.exe\r\nQueryName: x.example "
           "Image=C:\\a.exe QueryName=x.example Data=C:\\a.exe, x.example\n");
    expect("{\"RecordNumber\":77,\"TimeGenerated\":\"2026-11-10 19:23:41 +0900\","
           "\"TimeWritten\":\"2026-11-10 19:23:41 +0900\",\"EventID\":7036,\"Qualifiers\":16384,"
           "\"EventType\":\"Information\",\"EventCategory\":0,\"Channel\":\"System\","
           "\"SourceName\":\"Service Control Manager\",\"ComputerName\":\"pc7\",\"Data\":\"ab\","
           "\"Sid\":\"\",\"Message\":\"m\",\"StringInserts\":[\"s\",\"running\"]}",
           "2026-11-10T10:23:41.000000Z windows// System|Service Control Manager|7036 #77 "
           "EventID=7036 EventID_Qualifiers=16384 Level=4 Task=0 Channel=System "
           "Provider_Name=Service Control Manager Computer=pc7 Binary=ab Security_UserID= "
           "Message=m param1=s param2=running\n");
    /* an older version of the event has fewer values, a list that is too long has no names */
    expect("{\"ProviderName\":\"Microsoft-Windows-Security-Auditing\",\"EventID\":4634,"
           "\"Channel\":\"Security\",\"StringInserts\":[\"S-1-5-18\",\"hanako\"]}\n"
           "{\"ProviderName\":\"Microsoft-Windows-Security-Auditing\",\"EventID\":4634,"
           "\"Channel\":\"Security\",\"StringInserts\":[1,2,3,4,5,6]}\n",
           "- windows// Security|Microsoft-Windows-Security-Auditing|4634 #1 "
           "Provider_Name=Microsoft-Windows-Security-Auditing EventID=4634 Channel=Security "
           "TargetUserSid=S-1-5-18 TargetUserName=hanako\n"
           "- windows// Security|Microsoft-Windows-Security-Auditing|4634 #2 "
           "Provider_Name=Microsoft-Windows-Security-Auditing EventID=4634 Channel=Security "
           "Data=1, 2, 3, 4, 5, 6\n");
}

static void vector(void **state)
{
    (void)state;
    expect("{\"channel\":\"Security\",\"computer\":\"pc7\",\"event_data\":{\"TargetUserName\":"
           "\"hanako\"},\"event_id\":4624,\"keywords\":\"0x8020000000000000\","
           "\"level\":\"Information\",\"level_value\":0,\"message\":\"m\",\"process_id\":640,"
           "\"provider_name\":\"Microsoft-Windows-Security-Auditing\",\"record_id\":77,"
           "\"task\":12544,\"timestamp\":\"2026-11-10T10:23:41.123456Z\"}",
           "2026-11-10T10:23:41.123456Z windows// "
           "Security|Microsoft-Windows-Security-Auditing|4624 #77 Channel=Security Computer=pc7 "
           "TargetUserName=hanako EventID=4624 Keywords=0x8020000000000000 Level=0 Message=m "
           "Execution_ProcessID=640 Provider_Name=Microsoft-Windows-Security-Auditing "
           "Task=12544\n");
}

/* ---- network ---- */

static void suricata(void **state)
{
    (void)state;
    expect("{\"timestamp\":\"2026-11-10T19:23:41.123456+0900\",\"flow_id\":1,\"event_type\":"
           "\"dns\",\"src_ip\":\"10.0.0.7\",\"src_port\":5353,\"dest_ip\":\"10.0.0.1\","
           "\"dest_port\":53,\"proto\":\"UDP\",\"dns\":{\"type\":\"answer\",\"rrname\":"
           "\"x.example\",\"rrtype\":\"A\",\"answers\":[{\"rrname\":\"x.example\",\"rdata\":"
           "\"192.0.2.1\"},{\"rrname\":\"x.example\",\"rdata\":\"192.0.2.2\"}]}}",
           "2026-11-10T10:23:41.123456Z suricata//dns || #1 flow_id=1 event_type=dns "
           "source.ip=10.0.0.7 source.port=5353 destination.ip=10.0.0.1 destination.port=53 "
           "network.transport=UDP dns.type=answer dns.question.name=x.example "
           "dns.question.type=A dns.answers.name=x.example, x.example "
           "dns.answers.data=192.0.2.1, 192.0.2.2\n");
    expect("{\"timestamp\":\"2026-11-10T19:23:41.123456+0900\",\"event_type\":\"stats\","
           "\"stats\":{\"uptime\":7}}",
           "2026-11-10T10:23:41.123456Z suricata//stats || #1 event_type=stats stats.uptime=7\n");
}

static void zeek(void **state)
{
    (void)state;
    expect("{\"_path\":\"dns\",\"ts\":1794306221.123456,\"uid\":\"C1\",\"id.orig_h\":\"10.0.0.7\","
           "\"query\":\"x.example\",\"answers\":[\"192.0.2.1\",\"192.0.2.2\"]}",
           "2026-11-10T10:23:41.123456Z zeek//dns || #1 uid=C1 id.orig_h=10.0.0.7 "
           "query=x.example answers=192.0.2.1, 192.0.2.2\n");
    expect("{\"ts\":\"2026-11-10T10:23:41.123456Z\",\"uid\":\"C1\",\"id.orig_h\":\"10.0.0.7\","
           "\"conn_state\":\"SF\"}",
           "2026-11-10T10:23:41.123456Z zeek//conn || #1 uid=C1 id.orig_h=10.0.0.7 "
           "conn_state=SF\n");
    expect_named("{\"ts\":1794306221.5,\"uid\":\"C1\",\"id.orig_h\":\"10.0.0.7\"}",
                 "logs.zip/2026/weird.00:00:00.log",
                 "2026-11-10T10:23:41.500000Z zeek//weird || #1 uid=C1 id.orig_h=10.0.0.7\n");
}

static void services(void **state)
{
    (void)state;
    expect("{\"Records\":[{\"eventTime\":\"2026-11-10T10:23:41Z\",\"eventSource\":"
           "\"iam.amazonaws.com\",\"eventName\":\"CreateUser\",\"awsRegion\":\"us-east-1\","
           "\"userIdentity\":{\"type\":\"Root\"}},{\"a\":1}]}\n"
           "{\"Records\":[{\"a\":1}],\"b\":2}\n{\"Records\":[1,2]}\n{\"Records\":[]}\n",
           "2026-11-10T10:23:41.000000Z aws//cloudtrail || #1 eventTime=2026-11-10T10:23:41Z "
           "eventSource=iam.amazonaws.com eventName=CreateUser awsRegion=us-east-1 "
           "userIdentity.type=Root\n"
           "- // || #1 a=1\n- // || #2 Records.a=1 b=2\n- // || #3 Records=1, 2\n");
    expect("{\"auditID\":\"x\",\"verb\":\"create\",\"requestURI\":\"/api\","
           "\"objectRef\":{\"resource\":\"pods\"},"
           "\"requestReceivedTimestamp\":\"2026-11-10T10:23:41.123456Z\"}",
           "2026-11-10T10:23:41.123456Z kubernetes//audit || #1 auditID=x verb=create "
           "requestURI=/api objectRef.resource=pods "
           "requestReceivedTimestamp=2026-11-10T10:23:41.123456Z\n");
}

/* ---- times ---- */

static void times(void **state)
{
    (void)state;
    static const struct {
        const char *json, *time;
    } cases[] = {
        {"1794306221", "2026-11-10T10:23:41.000000Z"},
        {"1794306221123", "2026-11-10T10:23:41.123000Z"},
        {"1794306221123456", "2026-11-10T10:23:41.123456Z"},
        {"1794306221123456789", "2026-11-10T10:23:41.123456Z"},
        {"1794306221.25", "2026-11-10T10:23:41.250000Z"},
        {"\"1794306221.25\"", "2026-11-10T10:23:41.250000Z"},
        {"\"2026-11-10 10:23:41\"", "2026-11-10T10:23:41.000000Z"},
        {"\"2026-11-10 10:23:41 UTC\"", "2026-11-10T10:23:41.000000Z"},
        {"\"yesterday\"", "-"},
        {"7", "-"},
        {"99999999999", "-"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[128];
        struct buf events = {0};
        struct problems *problems = problems_new();
        snprintf(text, sizeof text, "{\"timestamp\":%s}", cases[i].json);
        read_in_steps(slice_str(text), "x", 1 << 20, &events, problems);
        assert_true(slice_starts(buf_slice(&events), slice_str(cases[i].time)));
        problems_free(problems);
        buf_free(&events);
    }
}

/* ---- text ---- */

static void values(void **state)
{
    (void)state;
    expect("{\"a\":\"\\u3042\\\"\\\\\\/\\n\",\"b\":18446744073709551615,\"c\":-1,"
           "\"d\":18446744073709551616,\"e\":123456789012345678901234567890,\"f\":1e400,"
           "\"g\":0.1,\"h\":{},\"i\":[]}",
           "- // || #1 a=あ\"\\/\n b=18446744073709551615 c=-1 d=18446744073709551616 "
           "e=123456789012345678901234567890 f=1e400 g=0.1\n");
    /* what JSON does not allow, and logs have: mended, not lost */
    expect("{\"a\":\"x\xff\xc3y\",\"b\":\"tab\there\",\"c\":\"\\ud83d!\",\"d\":\"C:\\Users\","
           "\"e\":007,\"f\":NaN,\"g\":\"\\ud83d\\ude00\"}",
           "- // || #1 a=x\xef\xbf\xbd\xef\xbf\xbdy b=tab\there c=\xef\xbf\xbd! d=C:\\Users "
           "e=007 f=NaN g=\xf0\x9f\x98\x80\n");
}

static void forms(void **state)
{
    (void)state;
    expect("\xef\xbb\xbf{\"a\":1}\r\n\r\n  {\"a\":2}\r\n{\"a\":3}{\"a\":4}\n\x1e{\"a\":5}",
           "- // || #1 a=1\n- // || #3 a=2\n- // || #4 a=3\n- // || #4 a=4\n- // || #5 a=5\n");
    expect("[{\"a\":1},{\"a\":2},\n {\"a\":\n3}\n]\n",
           "- // || #1 a=1\n- // || #1 a=2\n- // || #2 a=3\n");
    expect("{\n}\n[]\n[ ]", "- // || #1\n");
}

/* Events and problems are the same, wherever batches are cut. */
static void cuts(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"a\":1}\n{\"a\":{\"b\":[1,\n{\"c\":2}\n]}}\n{\"a\":\"}\\n{\"}\n\n{\n \"a\": "
        "3\n}\n{\"a\":4}",
        "[\n  {\n    \"a\": [\n      {\n        \"b\": 1\n      },\n      {\n        \"b\": 2\n"
        "      }\n    ]\n  },\n  {\n    \"a\": 2\n  },\n  {\n    \"a\": 3\n  }\n]\n",
        "[{\"a\":1},{\"a\":[{\"b\":2},{\"b\":3}]},{\"a\":\"],[\"},{\"a\":4}]",
        "{\"a\":1}\n{\"a\":\n{\"a\":2}\n{\"a\":3}\nwhat\n{\"a\":4}\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct buf whole = {0};
        struct problems *problems = problems_new();
        read_in_steps(slice_str(texts[i]), "x", 1 << 20, &whole, problems);
        for (size_t step = 1; step < 60; step++) {
            struct buf events = {0};
            struct problems *others = problems_new();
            read_in_steps(slice_str(texts[i]), "x", step, &events, others);
            buf_char(&whole, '\0');
            buf_char(&events, '\0');
            assert_string_equal(events.p, whole.p);
            assert_int_equal(problems_total(others), problems_total(problems));
            whole.n--;
            problems_free(others);
            buf_free(&events);
        }
        problems_free(problems);
        buf_free(&whole);
    }
}

/* Bad lines are told with their numbers, and the rest is read. */
static void bad_lines(void **state)
{
    (void)state;
    static const struct {
        const char *text, *events;
        unsigned bad[4]; /* line numbers, ended by 0 */
    } cases[] = {
        {"{\"a\":1}\n{\"a\":2,\n{\"a\":3}\n", "- // || #1 a=1\n- // || #3 a=3\n", {2}},
        {"{\"a\":1}\n{\"a\":\"cut\n{\"a\":3}\n", "- // || #1 a=1\n- // || #3 a=3\n", {2}},
        {"{\"a\":1}\n{\"a\":{\"b\":1}\n{\"a\":3}", "- // || #1 a=1\n- // || #3 a=3\n", {2}},
        {"{\"a\":\n{\"a\":2}\n{\"a\":3}\n", "- // || #2 a=2\n- // || #3 a=3\n", {1}},
        {"{\"a\":1} trailing\n{\"a\":2}\n", "- // || #1 a=1\n- // || #2 a=2\n", {1}},
        {"one\n{\"a\":2}\ntwo\n[3]\n\"four\"\n", "- // || #2 a=2\n", {1, 3, 4, 5}},
        {"{\"a\":1,}\n{\"a\" 2}\n{\"a\":3}\n", "- // || #3 a=3\n", {1, 2}},
        {"{\n  \"a\": {\n    \"b\": 1\n\n{\n  \"a\": 2\n}\n", "- // || #5 a=2\n", {1}},
        {"[\n {\"a\":1},\n {\"a\":{},\n {\"a\":3}\n]\n", "- // || #2 a=1\n- // || #4 a=3\n", {3}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf events = {0};
        struct problems *problems = problems_new();
        read_in_steps(slice_str(cases[i].text), "x", 1 << 20, &events, problems);
        buf_char(&events, '\0');
        assert_string_equal(events.p, cases[i].events);
        const struct problem *list;
        size_t n = problems_kept(problems, &list);
        for (size_t k = 0; k < n; k++)
            assert_int_equal(list[k].offset, cases[i].bad[k]);
        assert_true(n == 4 || cases[i].bad[n] == 0);
        problems_free(problems);
        buf_free(&events);
    }
}

static void put_times(struct buf *b, const char *text, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        buf_add(b, slice_str(text));
}

static void bounds(void **state)
{
    (void)state;
    struct buf text = {0}, events = {0};
    struct problems *problems = problems_new();
    put_times(&text, "{\"a\":", 60);
    put_times(&text, "1", 1);
    put_times(&text, "}", 60);
    put_times(&text, "\n{\"a\":", 1);
    put_times(&text, "[", 100000);
    put_times(&text, "]", 100000);
    put_times(&text, "}\n{", 1);
    for (unsigned i = 0; i < 2000; i++)
        buf_printf(&text, "\"key%u\":%u,", i, i);
    put_times(&text, "\"last\":1}\n{\"a\":1}\n", 1);
    read_in_steps(buf_slice(&text), "x", 1 << 20, &events, problems);
    const struct problem *list;
    assert_int_equal(problems_kept(problems, &list), 2);
    assert_int_equal(list[0].offset, 2);
    assert_string_equal(list[0].what, "objects or arrays are nested over 64 deep");
    assert_int_equal(list[1].offset, 3);
    assert_true(slice_ends(buf_slice(&events), SLICE("- // || #4 a=1\n")));
    problems_free(problems);
    buf_free(&text);
    buf_free(&events);
}

static void recognised(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        bool json;
    } cases[] = {
        {"{\"a\":1}\n", true},
        {"\xef\xbb\xbf \r\n[ {\"a\":1}", true},
        {"Record 1\n{\n  \"Event\":", true},
        {"ut off\"}\n{\"a\":1}\n{\"a\":2}\n", true},
        {"[section]\nkey=value\n", false},
        {"plain text\n", false},
        {"{not json}\n", false},
        {"<Event/>\n", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice head = slice_str(cases[i].head);
        assert_int_equal(reader_for(head, true, SLICE("x")) == &json_reader, cases[i].json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generic),
        cmocka_unit_test(evtx_dump),
        cmocka_unit_test(evtx_dump_user_data),
        cmocka_unit_test(winlogbeat),
        cmocka_unit_test(nxlog),
        cmocka_unit_test(flat),
        cmocka_unit_test(fluent_bit),
        cmocka_unit_test(vector),
        cmocka_unit_test(suricata),
        cmocka_unit_test(zeek),
        cmocka_unit_test(services),
        cmocka_unit_test(times),
        cmocka_unit_test(values),
        cmocka_unit_test(forms),
        cmocka_unit_test(cuts),
        cmocka_unit_test(bad_lines),
        cmocka_unit_test(bounds),
        cmocka_unit_test(recognised),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
