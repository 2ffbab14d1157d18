#!/usr/bin/env bash
# hikeshi scan and hikeshi events, as a user runs them.
cd "$(dirname "$0")/../.." || exit
. tests/e2e/tap.sh
. tests/e2e/events.sh

rules=$scratch/rules
logs=$scratch/logs
mkdir "$logs"
make_rules "$rules"
make_events >"$logs/events.jsonl"
unset NO_COLOR
export LC_ALL=C.UTF-8

scan() {
    "$hikeshi" scan --rules "$rules" "$@"
}
# how many findings; what else is said is kept in $scratch/said
count() {
    scan -f jsonl "$@" 2>"$scratch/said" | wc -l
}
# has TEXT FILE
has() {
    grep -qF -- "$1" "$2"
}

# ---- exit statuses, and what is found ----
status "findings" 1 scan "$logs"
same "four findings" "$(count "$logs")" 4
mkdir "$scratch/quiet"
event 2026-11-10T01:00:00Z pc01 'C:\Windows\calc.exe' calc >"$scratch/quiet/calc.jsonl"
status "nothing found" 0 scan "$scratch/quiet"
status "no rules given" 2 "$hikeshi" scan "$logs"
status "no such rules" 2 "$hikeshi" scan --rules "$scratch/none" "$logs"
mkdir "$scratch/empty"
status "a folder without rules" 2 "$hikeshi" scan --rules "$scratch/empty" "$logs"
status "no path" 2 scan
status "no such level" 2 scan --level loud "$logs"
status "no such time" 2 scan --from whenever "$logs"
status "a path that is not there" 3 scan "$scratch/none"
status "a path that is not there, and findings" 1 scan "$scratch/none" "$logs"
scan "$scratch/none" >/dev/null 2>"$scratch/said"
check "the path is named" has "$scratch/none" "$scratch/said"
check "the timeline says so too" has "1 place in the input could not be read" \
    <(scan "$scratch/none" "$logs" 2>/dev/null)
check "and the page" has "1 place in the input could not be read" \
    <(scan -f html "$scratch/none" "$logs" 2>/dev/null)
same "and in Japanese" "$(scan --lang ja "$scratch/none" 2>&1 >/dev/null)" \
    "hikeshi: $scratch/none: そのようなファイルやフォルダーはありません"
same "why is told once" "$(scan -r "$scratch/none" "$logs" 2>&1)" \
    "hikeshi: $scratch/none: it can't be opened: No such file or directory"

# ---- which rules ----
same "--level high" "$(count --level high "$logs")" 2
same "--level HIGH" "$(count --level HIGH "$logs")" 2
same "--level critical leaves no rule" "$(scan --level critical "$logs" >/dev/null 2>&1; echo $?)" 2
same "--status test" "$(count --status test "$logs")" 2
same "--status Test" "$(count --status Test "$logs")" 2
same "--status twice" "$(count --status test --status stable "$logs")" 4
same "--tag" "$(count --tag attack.t1033 "$logs")" 2
same "--logsource" "$(count --logsource windows/process_creation "$logs")" 4
same "rules from two places" \
    "$("$hikeshi" scan -r "$rules/net.yml" -r "$rules/whoami.yml" -f jsonl "$logs" 2>/dev/null | wc -l)" 4
cp -r "$rules" "$scratch/bad-rules"
echo 'title: [broken' >"$scratch/bad-rules/broken.yml"
same "a rule that can't be used does not stop the others" \
    "$("$hikeshi" scan -r "$scratch/bad-rules" -f jsonl "$logs" 2>"$scratch/said" | wc -l)" 4
check "it is counted" has "1 rule can't be used" "$scratch/said"

cat >"$scratch/endless.yml" <<'YAML'
title: Endless
logsource: {product: windows, category: process_creation}
detection:
  selection:
    CommandLine|re: '^(a+)+$'
  condition: selection
YAML
mkdir "$scratch/endless"
event 2026-11-10T01:00:00Z pc01 calc.exe "$(printf 'a%.0s' {1..40})b" >"$scratch/endless/log.jsonl"
"$hikeshi" scan -r "$scratch/endless.yml" "$scratch/endless" >/dev/null 2>"$scratch/said"
check "an expression that takes too long is told" has "gave 1 text up" "$scratch/said"

# ---- which events ----
same "--from" "$(count --from 2026-11-11 "$logs")" 1
same "--to a day means its end" "$(count --to 2026-11-10 "$logs")" 3
same "--from and --to with a zone" \
    "$(count --from 2026-11-10T11:00:00+09:00 --to 2026-11-10T11:00:01+09:00 "$logs")" 1
same "--from 1d" "$(count --from 1d "$logs")" 0
same "--host" "$(count --host pc02 "$logs")" 1
same "--host with a pattern" "$(count --host 'PC0?.*' "$logs")" 3
same "--host of nobody" "$(count --host dc01 "$logs")" 0

# ---- forms ----
scan --no-color "$logs" >"$scratch/text" 2>/dev/null
check "text: title" has "Who Am I" "$scratch/text"
check "text: host" has "pc01" "$scratch/text"
check "text: no escape sequences" test "$(grep -c $'\033' "$scratch/text")" = 0
scan --color "$logs" >"$scratch/colour" 2>/dev/null
check "text: colours when asked for" grep -q $'\033\\[' "$scratch/colour"
scan --lang ja "$logs" >"$scratch/ja" 2>/dev/null
check "text: Japanese" test "$(cat "$scratch/ja")" != "$(cat "$scratch/text")"
TZ=JST-9 scan --local "$logs" >"$scratch/local" 2>/dev/null
check "text: local time" grep -qE '10:00:00' "$scratch/local"
check "text: UTC else" grep -qE '01:00:00' "$scratch/text"
same "jsonl: every line is JSON" \
    "$(scan -f jsonl "$logs" 2>/dev/null | python3 -c 'import json, sys
print(sum(1 for line in sys.stdin if json.loads(line)))')" 4
same "csv: a head and a line a finding" "$(scan -f csv "$logs" 2>/dev/null | python3 -c 'import csv, sys
rows = list(csv.reader(sys.stdin))
print(len(rows), len(set(map(len, rows))))')" "5 1"
check "timesketch" test "$(scan -f timesketch "$logs" 2>/dev/null | wc -l)" -ge 4
scan -f html "$logs" >"$scratch/page.html" 2>/dev/null
check "html" has "</html>" "$scratch/page.html"
check "html: the title of a rule" has "Who Am I" "$scratch/page.html"
same "the findings are told on stderr for other programs" \
    "$(scan -f jsonl "$logs" 2>&1 >/dev/null)" "hikeshi: 4 findings in 6 events"
same "--quiet" "$(scan -q -f jsonl "$logs" 2>&1 >/dev/null)" ""
check "--verbose tells about the work" grep -q 'events/s' <(scan -v -f jsonl "$logs" 2>&1 >/dev/null)
same "no progress where there is no terminal" "$(scan "$logs" 2>&1 >/dev/null)" ""

# ---- metrics ----
status "--metrics needs no rules" 0 "$hikeshi" scan --metrics "$logs"
check "--metrics counts" grep -qE 'Sysmon' <("$hikeshi" scan --metrics "$logs")
check "--metrics as JSON" python3 -m json.tool <("$hikeshi" scan --metrics -f jsonl "$logs") /dev/null
status "--metrics with rules" 1 scan --metrics "$logs"
status "--metrics as a page" 2 "$hikeshi" scan --metrics -f html "$logs"
same "--metrics of one host" \
    "$("$hikeshi" scan --metrics --host srv "$logs" | grep -c 'pc01')" 0

# ---- progress ----
{
    make_events
    sleep 0.7
    make_events
} | scan --progress - >/dev/null 2>"$scratch/progress"
check "--progress shows a rate" grep -q 'events/s' "$scratch/progress"
check "and takes its line away" test "$(tail -c 4 "$scratch/progress")" = $'\r\033[K'
{ make_events; sleep 0.7; } | scan - >/dev/null 2>"$scratch/progress"
same "no progress in a file unless asked for" "$(cat "$scratch/progress")" ""
if command -v script >/dev/null && script -qec true /dev/null >/dev/null 2>&1; then
    said=$(TERM=xterm script -qec "stty cols 80; $hikeshi scan -r $rules $logs" /dev/null </dev/null)
    check "a terminal gets colours" grep -q $'\033\[' <<<"$said"
    check "and lines that fit" test "$(python3 -c 'import re, sys
print(max(len(line) for line in re.sub("\\x1b\\[[0-9;]*m|\r", "", sys.stdin.read()).split("\n")))' \
        <<<"$said")" -le 80
else
    skip "a terminal gets colours" "no script"
fi

# ---- the output file ----
scan -f jsonl -o "$scratch/found.jsonl" "$logs" >/dev/null 2>&1
same "--output" "$(wc -l <"$scratch/found.jsonl")" 4
same "--output leaves nothing else" "$(find "$scratch" -maxdepth 1 -name '.*' -type f)" ""
cp "$logs/events.jsonl" "$scratch/before"
status "--output refuses an input" 2 scan -o "$logs/events.jsonl" "$logs"
check "which stays as it was" cmp "$logs/events.jsonl" "$scratch/before"
# shellcheck disable=SC2094 # that is the point
status "--output refuses standard input" 2 scan -o "$scratch/before" - <"$scratch/before"
check "which stays as it was, too" cmp "$logs/events.jsonl" "$scratch/before"
cp -r "$rules" "$scratch/rules-before"
status "--output refuses a rule" 2 scan -o "$rules/whoami.yml" "$logs"
status "--output refuses a rule by another name" 2 \
    bash -c 'cd "$2" && exec "$1" scan -r . -o "../${2##*/}/whoami.yml" ../logs' _ \
    "$(realpath "$hikeshi")" "$rules"
check "the rules stay as they were" diff -r "$rules" "$scratch/rules-before"
echo 'admins: [root]' >"$scratch/names.yaml"
status "--output refuses the placeholders" 2 \
    scan --placeholders "$scratch/names.yaml" -o "$scratch/names.yaml" "$logs"
mkdir "$scratch/killed"
"$hikeshi" scan -r "$rules" -o "$scratch/killed/found" - < <(sleep 3) >/dev/null 2>&1 &
sleep 0.5
kill -9 $!
wait $! 2>/dev/null
if python3 -c 'import os, sys
os.close(os.open(sys.argv[1], os.O_TMPFILE | os.O_WRONLY))' "$scratch/killed" 2>/dev/null; then
    same "kill -9 leaves nothing" "$(ls -A "$scratch/killed")" ""
else
    skip "kill -9 leaves nothing" "no O_TMPFILE here"
fi
status "--output into no folder" 4 scan -o "$scratch/none/found" "$logs"
status "--output that is a folder" 2 scan -o "$scratch" "$logs"
if [ -w /dev/full ]; then
    status "a full disk" 4 scan -o /dev/full "$logs"
    status "a full disk behind standard output" 4 bash -c '"$@" >/dev/full' _ \
        "$hikeshi" scan -r "$rules" "$logs"
    status "a full disk behind events" 4 bash -c '"$@" >/dev/full' _ "$hikeshi" events "$logs"
else
    skip "a full disk" "no /dev/full"
fi
status "a closed output" 4 bash -c '"$@" >&-' _ "$hikeshi" scan -r "$rules" "$logs"
status "a closed input" 3 bash -c '"$@" <&-' _ "$hikeshi" events -
said=$(bash -c 'ulimit -f 1; "$@" 2>&1' _ "$hikeshi" scan -q -r "$rules" -f html -o "$scratch/large" "$logs")
same "a file that may not grow: status" $? 4
same "its name is said" "$(grep -c "$scratch/large: can't" <<<"$said")" 1
same "nothing is left of it" "$(find "$scratch" -name '*large*')" ""
same "no numbers of what was told in part" "$(bash -c 'ulimit -f 1; "$@" 2>/dev/null' _ \
    "$hikeshi" scan -r "$rules" -f html -o "$scratch/large" "$logs")" ""
if [ -w /dev/full ]; then
    same "what failed is said once" \
        "$(bash -c '"$@" 2>&1 >/dev/full' _ "$hikeshi" events "$logs" | wc -l)" 1
fi
status "a time that ends before it begins" 2 scan --from 2026-11-11 --to 2026-11-09 "$logs"
status "also of events" 2 "$hikeshi" events --from 2026-11-11 --to 2026-11-09 "$logs"
same "a reader that went away" "$(bash -c '{ sleep 0.3; "$@"; } 2>&1 | true; echo "${PIPESTATUS[0]}"' \
    _ "$hikeshi" scan -q -r "$rules" "$logs")" 1

# ---- input of every kind ----
same "standard input" "$(count - <"$logs/events.jsonl")" 4
gzip -k "$logs/events.jsonl" && mv "$logs/events.jsonl.gz" "$scratch"
same "compressed" "$(count "$scratch/events.jsonl.gz")" 4
head -c 300 "$scratch/events.jsonl.gz" >"$scratch/cut.jsonl.gz"
scan "$scratch/cut.jsonl.gz" >/dev/null 2>"$scratch/said"
check "cut compressed input is named" has "cut.jsonl.gz" "$scratch/said"
: >"$scratch/nothing.jsonl"
status "an empty file" 0 scan "$scratch/nothing.jsonl"
{
    printf '{"Event":{"System":{"EventID":1,"Channel":"x"},"EventData":{"A":"'
    head -c 3000000 /dev/zero | tr '\0' x
    printf '"}}}\n'
    make_events
} >"$scratch/long.jsonl"
same "a very long line" "$(count "$scratch/long.jsonl")" 4
{
    make_events
    printf '{"Event":{"System":{"EventID":1,\n'
    make_events
} >"$scratch/broken.jsonl"
same "a broken line does not stop the others" "$(count "$scratch/broken.jsonl")" 8
check "and is named" has "broken.jsonl:7" "$scratch/said"
head -c 5000 /dev/urandom >"$scratch/noise"
status "a file of no known kind" 3 scan "$scratch/noise"
check "and is named" has "$scratch/noise" <(scan "$scratch/noise" 2>&1)
cp "$logs/events.jsonl" "$scratch/locked.jsonl"
chmod 0 "$scratch/locked.jsonl"
if [ -r "$scratch/locked.jsonl" ]; then
    skip "a file that may not be read" "root may read all"
else
    status "a file that may not be read" 3 scan "$scratch/locked.jsonl"
fi

# ---- threads, and two at once ----
for i in $(seq 40); do
    cp "$logs/events.jsonl" "$logs/$i.jsonl"
done
scan --threads 1 -f jsonl "$logs" >"$scratch/one" 2>/dev/null
scan --threads 7 -f jsonl "$logs" >"$scratch/seven" 2>/dev/null
check "the number of threads changes nothing" cmp "$scratch/one" "$scratch/seven"
scan -f jsonl "$logs" >"$scratch/a" 2>/dev/null &
scan -f jsonl "$logs" >"$scratch/b" 2>/dev/null
wait $!
check "two at once" cmp "$scratch/a" "$scratch/b"

# ---- Ctrl-C ----
# endless input; interrupted when some of it was read
interrupt() {
    local to=$1 signal=$2
    shift 2
    { while cat "$logs/events.jsonl"; do :; done; } 2>/dev/null |
        "$hikeshi" "$@" --progress - >"$to" 2>"$scratch/said" &
    local reader=$! tries
    for tries in $(seq 100); do # until it has read something
        grep -qE '[1-9][0-9]* events/s' "$scratch/said" && break
        sleep 0.2
    done
    [ "$tries" -lt 100 ] || echo "# it read nothing in 20 seconds"
    kill "-$signal" "$reader"
    wait "$reader"
}
set -m # children of a job of its own get Ctrl-C
interrupt "$scratch/until" INT scan -r "$rules"
same "Ctrl-C: status" $? 130
set +m
check "Ctrl-C: what was found is told" has "Who Am I" "$scratch/until"
check "Ctrl-C: and that it is not all" has "Incomplete" "$scratch/until"
check "Ctrl-C: on stderr too" has "incomplete" "$scratch/said"
echo before >"$scratch/kept"
interrupt /dev/null TERM scan -r "$rules" -f jsonl -o "$scratch/kept"
same "SIGTERM: status" $? 130
same "SIGTERM: the output is what it was" "$(cat "$scratch/kept")" before
same "SIGTERM: nothing else is left" "$(find "$scratch" -maxdepth 1 -name '.*' -type f)" ""

# ---- events ----
"$hikeshi" events "$logs/events.jsonl" >"$scratch/events.out"
same "events: as many as there are" "$(wc -l <"$scratch/events.out")" 6
same "events: what they are" "$(python3 -c 'import json, sys
e = json.loads(sys.stdin.readline())
print(e["time"], e["channel"], e["code"], e["record"], e["input"] == sys.argv[1],
      e["fields"]["Computer"], e["fields"]["CommandLine"])' "$logs/events.jsonl" \
    <"$scratch/events.out")" \
    "2026-11-10T01:00:00.0000000Z Microsoft-Windows-Sysmon/Operational 1 1 True pc01.example.jp whoami /all"
same "events: --host" "$("$hikeshi" events --host srv "$logs/events.jsonl" | wc -l)" 2
same "events: --from" "$("$hikeshi" events --from 2026-11-11 "$logs/events.jsonl" | wc -l)" 2
"$hikeshi" events --threads 1 "$logs" | sort >"$scratch/one"
"$hikeshi" events --threads 5 -o "$scratch/five" "$logs"
check "events: the same with threads, into a file" cmp "$scratch/one" <(sort "$scratch/five")
status "events: a path that is not there" 3 "$hikeshi" events "$scratch/none"

finish
