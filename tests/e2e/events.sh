# shellcheck shell=bash
# Events and rules for tests: source it after tap.sh.
#
#     make_rules FOLDER      two rules: "Who Am I" (high), "Network Look" (low); both for
#                            process creations
#     make_events            six events as JSON lines, three hosts, 2026-11-10 and 2026-11-11; each
#                            rule is met twice
#     event TIME HOST IMAGE COMMAND
event() {
    printf '{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon"}},"EventID":1,"TimeCreated":{"#attributes":{"SystemTime":"%s"}},"EventRecordID":%d,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"%s"},"EventData":{"Image":"%s","CommandLine":"%s","User":"EXAMPLE\\\\user"}}}\n' \
        "$1" "$((++event_number))" "$2" "${3//\\/\\\\}" "${4//\\/\\\\}"
}
event_number=0

make_events() {
    event 2026-11-10T01:00:00.000Z pc01.example.jp 'C:\Windows\System32\whoami.exe' 'whoami /all'
    event 2026-11-10T02:00:00.000Z pc01.example.jp 'C:\Windows\System32\net.exe' 'net view'
    event 2026-11-10T03:00:00.000Z PC02.example.jp 'C:\Windows\System32\notepad.exe' 'notepad'
    event 2026-11-10T23:30:00.000Z PC02.example.jp 'C:\Windows\System32\whoami.exe' 'whoami'
    event 2026-11-11T00:30:00.000Z srv.example.jp 'C:\Windows\System32\net.exe' 'net user'
    event 2026-11-11T01:00:00.000Z srv.example.jp 'C:\Windows\System32\calc.exe' 'calc'
}

# rule TITLE LEVEL STATUS TAG IMAGE: the id is made of the title
rule() {
    cat <<YAML
title: $1
id: $(printf '%s' "$1" | md5sum | sed -E 's/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/\1-\2-4\3-8\4-\5/')
status: $3
description: for the test
tags: [attack.discovery, $4]
logsource: {product: windows, category: process_creation}
detection:
  selection:
    Image|endswith: '\\$5'
  condition: selection
level: $2
YAML
}

make_rules() {
    mkdir -p "$1"
    rule "Who Am I" high stable attack.t1033 whoami.exe >"$1/whoami.yml"
    rule "Network Look" low test attack.t1135 net.exe >"$1/net.yml"
}
