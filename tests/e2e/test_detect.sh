#!/usr/bin/env bash
# Detection in a data folder, as a user runs it: hikeshi intake --rules, detect, finding.
cd "$(dirname "$0")/../.." || exit
. tests/e2e/tap.sh
. tests/e2e/events.sh

rules=$scratch/rules
logs=$scratch/logs
mkdir "$logs"
make_rules "$rules"
make_events >"$logs/events.jsonl"
export HIKESHI_DATA=$scratch/data
export LC_ALL=C.UTF-8

# run COMMAND...: what it says of itself goes to $scratch/said
run() {
    "$hikeshi" "$@" 2>"$scratch/said"
}
# member NAME: from the last line of JSON on stdin
member() {
    python3 -c '
import json, sys
value = json.loads(sys.stdin.read().splitlines()[-1])
for name in sys.argv[1].split("."):
    value = value[name]
print(value)' "$1"
}
# timeline FILE: its lines in an order and form that do not depend on who tells them
timeline() {
    python3 -c '
import json, sys
for line in sorted(json.dumps(json.loads(line), sort_keys=True) for line in open(sys.argv[1])):
    print(line)' "$1"
}
# same_timeline NAME FILE FILE
same_timeline() {
    check "$1" diff <(timeline "$2" | cut -c 1-2000) <(timeline "$3" | cut -c 1-2000)
}
has() {
    grep -qF -- "$1" "$2"
}

# ---- on the way in ----
status "no data folder" 2 "$hikeshi" finding list
check "a data folder" "$hikeshi" init "$HIKESHI_DATA"
run intake --json --rules "$rules" "$logs" >"$scratch/intake"
same "intake finds what there is" "$(member findings.new <"$scratch/intake")" 4
same "findings are listed" "$(run finding list --json | wc -l)" 4
same "by level" "$(run finding list --json -l high | wc -l)" 2
same "by host" "$(run finding list --json --host 'pc*' | wc -l)" 3
same "by rule" "$(run finding list --json --rule 'Who Am I' | wc -l)" 2
same "by time" "$(run finding list --json --from 2026-11-11 | wc -l)" 1
check "as a table" has "Network Look" <(run finding list)
same "one is shown with its event" \
    "$(run finding show --json 1 | python3 -c 'import json,sys; print(json.load(sys.stdin)["events"][0]["record"])')" 1
status "there is no such finding" 2 "$hikeshi" finding show 99
status "a number is a number" 2 "$hikeshi" finding show one

# ---- later, on what is stored ----
run scan -f jsonl --rules "$rules" "$logs" >"$scratch/scan"
run detect -f jsonl --rules "$rules" >"$scratch/detect"
same "detect ends as scan does" $? 1
same_timeline "detect tells what scan tells" "$scratch/detect" "$scratch/scan"
check "nothing of it is new" has "matches: new: 0, known: 4" "$scratch/said"
same "--new tells nothing" "$(run detect -f jsonl --new --rules "$rules")" ""
same "findings stay as they are" "$(run finding list --json | wc -l)" 4
same "detect --host" "$(run detect -f jsonl --host pc02 --rules "$rules" | wc -l)" 1
same "detect --from" "$(run detect -f jsonl --from 2026-11-10T23:00:00Z --rules "$rules" | wc -l)" 2
same "detect --level" "$(run detect -f jsonl -l high --rules "$rules" | wc -l)" 2
run detect -f csv -o "$scratch/detect.csv" --rules "$rules" >/dev/null
check "detect writes a file" has "Who Am I" "$scratch/detect.csv"
cp -r "$rules" "$scratch/rules-before"
status "detect does not write over a rule" 2 "$hikeshi" detect -r "$rules" -o "$rules/whoami.yml"
check "which stays as it was" diff -r "$rules" "$scratch/rules-before"
inside=$(find "$HIKESHI_DATA" -type f | sort | head -n 1)
before=$(md5sum "$inside")
status "nor over the data folder" 2 "$hikeshi" detect -r "$rules" -o "$inside"
status "nor does a hunt" 2 "$hikeshi" hunt -o "$inside" 'Event | count'
same "which stays as it was, too" "$(md5sum "$inside")" "$before"
status "detect needs rules" 2 "$hikeshi" detect
rule "Calculator" medium test attack.t1059 calc.exe >"$scratch/calc.yml"
same "a new rule on old events" "$(run detect -f jsonl --new -r "$scratch/calc.yml" | wc -l)" 1
same "its finding is known now" "$(run finding list --json | wc -l)" 5

# ---- the rules of the data folder ----
mkdir "$scratch/more"
event 2026-11-12T01:00:00Z pc01.example.jp 'C:\Windows\System32\whoami.exe' 'whoami /all' \
    >"$scratch/more/more.jsonl"
cp -r "$rules" "$HIKESHI_DATA/rules"
run intake --json "$scratch/more" >"$scratch/intake"
same "DATA/rules are tried" "$(member matches.new <"$scratch/intake")" 1
same "the repeat joins" "$(member findings.new <"$scratch/intake")" 0
same "and is counted" "$(run finding show --json 1 | member count)" 2
event 2026-11-12T02:00:00Z pc07 'C:\Windows\System32\whoami.exe' 'whoami /all' \
    >"$scratch/more/other.jsonl"
run intake --json --no-rules "$scratch/more" >"$scratch/intake"
same "--no-rules" "$(run finding list --json --host pc07 | wc -l)" 0
same "detect makes up for it" "$(run detect -f jsonl --new | member host)" pc07
rm -r "$HIKESHI_DATA/rules"

# ---- suppressions ----
status "without a reason" 2 "$hikeshi" finding suppress 1 --owner me --until 30d
status "without an end" 2 "$hikeshi" finding suppress 1 --owner me --reason why
status "with an end that is over" 2 "$hikeshi" finding suppress 1 --owner me --reason why \
    --until 2020-01-01
status "of everything" 2 "$hikeshi" finding suppress --owner me --reason why --until 30d
n=$(run finding list --json | wc -l)
check "of a finding" "$hikeshi" finding suppress 1 --owner me --reason why --until 30d
same "it is not listed" "$(run finding list --json | wc -l)" $((n - 1))
run finding list >"$scratch/list"
check "but counted" has "1 finding is suppressed" "$scratch/said"
same "and listed when asked for" "$(run finding list --json --suppressed | member finding)" 1
same "detect leaves it out" "$(run detect -f jsonl -l high --host pc01 -r "$rules" | wc -l)" 0
check "and says so" has "suppressed" "$scratch/said"
same "but with --suppressed" \
    "$(run detect -f jsonl -l high --host pc01 -r "$rules" --suppressed | wc -l)" 2
same "suppressions are listed" "$(run finding suppressions --json | member findings)" 1
check "lifted" "$hikeshi" finding unsuppress 1
same "all is listed again" "$(run finding list --json | wc -l)" "$n"
status "it is not lifted twice" 2 "$hikeshi" finding unsuppress 1
check "by field" "$hikeshi" finding suppress --field 'CommandLine=net *' --owner me --reason why \
    --until 2030-01-01
same "what has it" "$(run finding list --json --suppressed | wc -l)" 2

# ---- findings as a table for hunts ----
same "hunts over findings" \
    "$(run hunt -f jsonl 'findings | where suppressed == false | summarize n = count()' | member n)" \
    "$(run finding list --json | wc -l)"
same "and their fields" \
    "$(run hunt -f jsonl 'findings | where fields.Image endswith "calc.exe" | project level' | member level)" medium
check "no casebook is made by a hunt" "$hikeshi" init "$scratch/data4"
same "and there are no findings then" \
    "$(run hunt -f jsonl --data "$scratch/data4" 'findings | count' | member Count)" 0
check "none was" test ! -e "$scratch/data4/casebook.db"

# ---- killed at each moment at which something reaches the disk: every event has its finding once ----
if strace -o /dev/null true 2>/dev/null; then
    data2=$scratch/data2
    crash=$scratch/crash
    mkdir "$crash"
    check "another data folder" "$hikeshi" init "$data2"
    run intake --data "$data2" --rules "$rules" "$logs" >/dev/null
    files=0
    for when in fsync:4 fsync:5 fsync:6 fsync:7 fdatasync:1 fdatasync:2; do
        files=$((files + 1))
        event "2026-11-13T0$files:00:00Z" "pc$files" 'C:\Windows\System32\whoami.exe' whoami \
            >"$crash/$files.jsonl"
        {
            strace -f -o /dev/null -e trace=fsync,fdatasync \
                -e "inject=${when%:*}:signal=KILL:when=${when#*:}" \
                "$hikeshi" intake -q --data "$data2" --rules "$rules" "$crash/$files.jsonl"
        } >/dev/null 2>&1
        run intake --data "$data2" --rules "$rules" "$crash" >/dev/null
        cat "$scratch/said" >>"$scratch/said-all"
    done
    check "events without findings were noticed" has "of an interrupted intake" "$scratch/said-all"
    same "every event has its finding" \
        "$(run finding list --data "$data2" --json --from 2026-11-13 | wc -l)" "$files"
    same "once" "$(run finding list --data "$data2" --json --from 2026-11-13 |
        python3 -c 'import json,sys; print(sum(json.loads(line)["count"] for line in sys.stdin))')" \
        "$files"
    run detect --data "$data2" --rules "$rules" >/dev/null
    check "nothing is missing" has "matches: new: 0" "$scratch/said"
else
    skip "killed at each moment" "strace does not work here"
fi

# ---- the public attack samples: intake, scan and detect find the same ----
data=../shared/data
if [ -d "$data/evtx/attack-samples" ] && [ -d "$data/sigma/rules" ]; then
    check "a third data folder" "$hikeshi" init "$scratch/data3"
    samples=$data/evtx/attack-samples/'Lateral Movement'
    run intake --json --data "$scratch/data3" --rules "$data/sigma/rules" "$samples" \
        >"$scratch/intake"
    run scan -f jsonl --rules "$data/sigma/rules" "$samples" >"$scratch/scan"
    run detect -f jsonl --data "$scratch/data3" --rules "$data/sigma/rules" >"$scratch/detect"
    same_timeline "detect tells what scan tells of the samples" "$scratch/detect" "$scratch/scan"
    same "intake found as many" "$(member matches.new <"$scratch/intake")" \
        "$(wc -l <"$scratch/scan")"
    check "and detect nothing new" has "matches: new: 0" "$scratch/said"
    # each by itself, so that filters and values of blocks decide
    one_by_one() {
        local id file want
        for id in $(python3 -c '
import json, sys
ids = sorted({json.loads(line)["rule"]["id"] for line in open(sys.argv[1])})
print(*ids[:: max(1, len(ids) // 5)])' "$scratch/scan"); do
            file=$(grep -rl "^id: $id" "$data/sigma/rules")
            want=$(grep -cF "\"id\":\"$id\"" "$scratch/scan")
            [ "$(run detect -f jsonl --data "$scratch/data3" -r "$file" | wc -l)" = "$want" ] ||
                echo "$file: not $want"
        done
    }
    same "rules find the same alone" "$(one_by_one)" ""
else
    skip "attack samples" "no data in $data"
fi
finish
