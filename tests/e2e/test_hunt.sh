#!/usr/bin/env bash
# hikeshi hunt, as a user runs it.
cd "$(dirname "$0")/../.." || exit
. tests/e2e/tap.sh
. tests/e2e/events.sh

data=$scratch/data
export LC_ALL=C.UTF-8
unset HIKESHI_DATA
written() { # time host code fields
    printf '{"@timestamp":"%s","host":{"name":"%s"},"event":{"code":"%s"},%s}\n' "$@"
}
hunt() {
    "$hikeshi" hunt --data "$data" "$@"
}
hash=0123456789abcdef0123456789abcdef
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
{
    written "2026-11-10T10:23:41Z" pc01 1 '"Image":"C:\\Users\\a\\suspicious_8.exe","ProcessGuid":"{1}","User":"佐藤"'
    written "2026-11-10T10:23:42.5Z" pc01 3 '"ProcessGuid":"{1}","destination":{"ip":"203.0.113.20","port":443}'
    written "2026-11-10T11:00:00Z" pc02 3 '"ProcessGuid":"{2}","destination":{"ip":"203.0.113.9","port":8080}'
    written "2026-11-10T12:00:00Z" pc02 4 '"note":"=cmd|calc","tool":"\u001b[31mred"'
    written "$now" pc03 1 "\"Hashes\":\"MD5=$hash,SHA1=00\",\"Image\":\"x.exe\""
} >"$scratch/events.jsonl"
"$hikeshi" init "$data" >/dev/null || exit
"$hikeshi" intake --quiet --data "$data" "$scratch/events.jsonl" >/dev/null || exit

# ---- answers ----
same "a table" "$(hunt 'events | summarize n = count() by host.name | sort by host.name asc')" \
    "host.name  n
pc01       2
pc02       2
pc03       1"
same "JSON lines" "$(hunt --json 'events | where destination.port > 443 | project Timestamp, destination.port, x = destination.port * 2.5, ok = true, a = dynamic([1]), s = 90s')" \
    '{"Timestamp":"2026-11-10T11:00:00Z","destination.port":"8080","x":20200,"ok":true,"a":[1],"s":"00:01:30"}'
same "a whole event as JSON" \
    "$(hunt -f jsonl 'events | where event.code == 3 and host.name == "pc01" | extend x = 1' |
        python3 -c 'import json, sys
e = json.loads(sys.stdin.read())
print(e["x"], e["Timestamp"], e["destination.ip"], e["host.name"], e["origin.record"])')" \
    "1 2026-11-10T10:23:42.5000000Z 203.0.113.20 pc01 2"
same "CSV" "$(hunt -f csv 'events | where event.code == 4 | project host.name, note, n = 5' | tail -n 1 | tr -d '\r')" \
    "\"pc02\",\"'=cmd|calc\",5"
same "no byte of an event steers the terminal" \
    "$(hunt 'events | where event.code == 4' | grep -c $'\e')" 0
same "Japanese" "$(hunt --json 'search "佐藤" | project User')" '{"User":"佐藤"}'
same "a join within a span" \
    "$(hunt --json 'events | where Image endswith @"\suspicious_8.exe"
        | join (events | where event.code == 3 | project Timestamp, ProcessGuid, ip = destination.ip) on ProcessGuid within (0s .. 5s)
        | project host.name, ip')" '{"host.name":"pc01","ip":"203.0.113.20"}'
same "a barchart" "$(hunt 'events | summarize n = count() by host.name | sort by host.name asc | take 2 | render barchart')" \
    "pc01  2  $(printf '█%.0s' {1..91})
pc02  2  $(printf '█%.0s' {1..91})"
same "a timechart has an axis" \
    "$(hunt 'events | where Timestamp < datetime(2026-11-11) | summarize n = count() by bin(Timestamp, 1h) | render timechart' | tail -n 1)" \
    "            2026-11-10T10:00:00Z  2026-11-10T12:00:00Z"

# ---- where queries come from ----
echo 'events | count' >"$scratch/q.kql"
same "a query from a file" "$(hunt --json -q "$scratch/q.kql")" '{"Count":5}'
same "a query from standard input" "$(echo 'events | count' | hunt --json -q -)" '{"Count":5}'
status "two queries" 2 hunt -q "$scratch/q.kql" events
status "no query" 2 hunt
status "a data folder that is none" 2 "$hikeshi" hunt --data "$scratch" events
same "-o writes a file" "$(hunt --json -o "$scratch/out.jsonl" 'events | count' && cat "$scratch/out.jsonl")" '{"Count":5}'

# ---- saved hunts and parameters ----
same "a built-in hunt" "$(hunt --json -s hash -p hash="$hash" | grep -c '"host.name":"pc03"')" 1
same "a value is a value" "$(hunt --json -s hash -p hash="x\" or 1 == 1 or \"" | wc -l)" 0
mkdir "$data/hunts"
cat >"$data/hunts/mine.kql" <<'END'
// title: How many?
declare query_parameters(host:string, least:long = 1);
events | where host.name == host | summarize n = count() | where n >= least
END
same "a hunt of one's own" "$(hunt --json -s mine -p host=pc01)" '{"n":2}'
same "a parameter has a type" "$(hunt -s mine -p host=pc01 -p least=many 2>&1 | grep -c 'is no long')" 1
same "a parameter that is missing" "$(hunt -s mine 2>&1 | grep -c 'parameter host has no value')" 1
same "a parameter that is none" "$(hunt -s mine -p host=a -p hots=b 2>&1 | grep -c 'did you mean host?')" 1
same "the list has both" "$(hunt --list --json | grep -cE '"name":"(mine|hash)"')" 2
same "a hunt that is not there" "$(hunt -s mein 2>&1 | grep -c 'did you mean mine?')" 1

# ---- findings ----
same "no findings yet" "$(hunt --json 'findings | count')" '{"Count":0}'
make_rules "$scratch/rules"
make_events >"$scratch/more.jsonl"
"$hikeshi" intake --quiet --data "$data" --rules "$scratch/rules" "$scratch/more.jsonl" >/dev/null
same "findings are a table" \
    "$(hunt --json 'findings | summarize n = count(), high = countif(severity >= 4)')" '{"n":4,"high":2}'
same "findings and events together" \
    "$(hunt --json 'let hit = findings | where level == "high" | distinct host.name;
        events | where host.name in (hit) | count' | grep -c '"Count":[1-9]')" 1

# ---- names ----
cat >"$scratch/sysmon.jsonl" <<END
{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon"}},"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"pc05","EventRecordID":7,"TimeCreated":{"#attributes":{"SystemTime":"2026-11-10T09:00:00Z"}}},"EventData":{"Image":"C:\\Temp\\a.exe","CommandLine":"a.exe -x","User":"CORP\\alice","ProcessId":500,"Hashes":"MD5=$hash,SHA256=ABC","ParentImage":"C:\\Windows\\explorer.exe"}}}
END
"$hikeshi" intake --quiet --data "$data" "$scratch/sysmon.jsonl" >/dev/null
same "ECS names mean stored fields, and parts of them" \
    "$(hunt --json 'events | where process.hash.sha256 == "ABC" and process.hash.md5 startswith "0123" and process.pid < 501
        | project process.name, user.name, user.domain, process.parent.name, process.command_line')" \
    '{"process.name":"a.exe","user.name":"alice","user.domain":"CORP","process.parent.name":"explorer.exe","process.command_line":"a.exe -x"}'
same "a log source is a table" "$(hunt --json 'process_creation | where Image endswith @"\a.exe" | project host.name, User')" \
    '{"host.name":"pc05","User":"CORP\\alice"}'

same "saved hunts are not taken for evidence" \
    "$("$hikeshi" verify --data "$data" 2>&1 | grep -E '^(wrong|note): hunts|everything')" \
    'note: hunts: saved hunts are not sealed, and were not checked
everything is as it was sealed'

# ---- mistakes ----
said=$(hunt 'events
| where Image = "x"' 2>&1)
same "a mistake: exit status" $? 2
same "a mistake: its place" "$said" 'hikeshi: query:2:15: = gives a name to a value; to compare, write == (or =~ without case)
| where Image = "x"
              ^'

same "a name that no event has is told" \
    "$(hunt --json 'events | where Imge has "x" and host.name == "pc01"' 2>&1)" \
    'hikeshi: no event has a field Imge; did you mean Image?'
same "ECS names of stored fields are known" \
    "$(hunt --json 'events | where process.hash.sha256 == "ABC" | count' 2>&1)" '{"Count":1}'

# ---- limits ----
same "--limit" "$(hunt --json -n 2 'events' | wc -l)" 2
status "a full disk is told" 4 hunt -o /dev/full 'events'
status "nobody reads on" 0 bash -c "'$hikeshi' hunt --data '$data' --json 'events | mv-expand x = dynamic([1,2,3,4])' | head -n 1"

# ---- what a hunt did ----
same "--explain" "$(hunt --explain 'search "nowhereatall"' | grep -cE 'WHERE has\(\*, "nowhereatall"\)|by their filter of words')" 2
check "--explain as JSON" python3 -c 'import json, sys
e = json.loads(sys.argv[1])
assert e["blocks"] > 0 and e["blocks_by_filter"] == e["blocks"] and e["rows_out"] == 0' \
    "$(hunt --explain --json 'search "nowhereatall"')"
check "the functions" grep -q '^substring(string, long \[, long\]): string' <(hunt --functions)

# ---- following ----
status "--follow needs events by themselves" 2 hunt --follow 'events | count'
follow() {
    exec "$hikeshi" hunt --data "$1" --follow --json 'events | where event.code == 77 | project host.name'
}
follow "$data" >"$scratch/followed" 2>&1 &
follower=$!
sleep 0.5
for host in pc08 pc09; do
    written "2026-11-11T00:00:00Z" $host 77 '"a":"b"' >"$scratch/$host.jsonl"
    "$hikeshi" intake --quiet --data "$data" "$scratch/$host.jsonl" >/dev/null
done
for _ in {1..100}; do
    [ "$(wc -l <"$scratch/followed")" -ge 2 ] && break
    sleep 0.1
done
kill -TERM $follower
wait $follower
same "--follow tells what comes in, once" "$(sort "$scratch/followed")" '{"host.name":"pc08"}
{"host.name":"pc09"}'
cp -r "$data" "$scratch/gone"
follow "$scratch/gone" >/dev/null 2>"$scratch/said" &
follower=$!
sleep 0.5
rm -r "$scratch/gone"
wait $follower
same "--follow ends with the data folder" "$?" 4
check "and says so" grep -q "gone/hikeshi.journal: can't be read" "$scratch/said"
finish
