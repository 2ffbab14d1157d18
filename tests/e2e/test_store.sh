#!/usr/bin/env bash
# hikeshi store: status, rules of retention, holds, deletion; as a user runs them.
cd "$(dirname "$0")/../.." || exit
. tests/e2e/tap.sh
export LC_ALL=C.UTF-8
unset HIKESHI_DATA

folder=$scratch/case
# says TEXT COMMAND...: the command's output has the text
says() {
    local text=$1
    shift
    grep -qF -- "$text" <<<"$("$@" 2>&1)"
}
store() {
    local verb=$1
    shift
    "$hikeshi" store "$verb" --data "$folder" "$@"
}
# event TIME HOST CHANNEL RECORD
event() {
    printf '{"Event":{"System":{"Provider":{"#attributes":{"Name":"P"}},"EventID":1,"TimeCreated":{"#attributes":{"SystemTime":"%s"}},"EventRecordID":%s,"Channel":"%s","Computer":"%s"},"EventData":{"Image":"x.exe"}}}\n' \
        "$1" "$4" "$3" "$2"
}
days_ago() {
    date -u -d "-$1 days" +%Y-%m-%dT%H:%M:%SZ
}
events() {
    store status --json | grep -oE '"entries":[0-9]+,"events":[0-9]+' | grep -oE '[0-9]+$'
}

"$hikeshi" init "$folder" >/dev/null
for day in 400 200 100 50 5; do
    for host in pc01 dc01; do
        event "$(days_ago $day)" $host Security $day
        event "$(days_ago $day)" $host System $((day + 1))
    done
done >"$scratch/mixed.jsonl"
event "$(days_ago 300)" pc02 Security 1 >"$scratch/old.jsonl"
"$hikeshi" intake --quiet --data "$folder" "$scratch/old.jsonl"
"$hikeshi" intake --quiet --data "$folder" "$scratch/mixed.jsonl"

# ---- what is there ----
status "status" 0 store status
check "it counts events, hosts and files" says '"events":21,"segments":2' store status --json
check "and hosts" says '"hosts":3' store status --json
check "it shows log sources" says "windows/Security" store status
check "and that none has a rule" says "no rule" store status
check "--hosts shows hosts" says "pc02" store status --hosts
status "no data folder" 2 "$hikeshi" store status --data "$scratch"
rm "$folder/catalogue.sqlite"
check "it needs no catalogue" says '"catalogue":{"damaged":false,"lacks_segments":2}' store status --json
status "which can be made anew" 0 store rebuild
check "from the segments" says '"catalogue":{"damaged":false,"lacks_segments":0}' store status --json
printf x >>"$folder/catalogue.sqlite"
check "a damaged one is told" says "was altered" store status
check "and not used" says '"damaged":true,"lacks_segments":2' store status --json
check "verify finds it" says "wrong: $folder/catalogue.sqlite" "$hikeshi" verify --data "$folder"
store rebuild
status "after rebuild all is well" 0 "$hikeshi" verify --data "$folder"

# ---- rules ----
status "nothing to expire by" 2 store expire
status "a rule needs a period" 2 store retain windows --reason x
status "and a reason" 2 store retain windows --for 90d
status "a period that is none" 2 store retain windows --for soon --reason x
status "a period below a day" 2 store retain windows --for 0d --reason x
status "a rule" 0 store retain windows/security --for 26w --reason 'audit rule 12'
check "status shows the reason" says "audit rule 12" store status
check "and the period" says '"retention":{"rule":"windows/security","seconds":15724800,' store status --json
check "what would go" says '"deleted":false,"events":5' store expire --dry-run --json
same "stays for now" "$(events)" 21

# ---- holds ----
status "a hold" 0 store hold INC-7 --host 'dc*' --reason 'request of the police'
status "not the same twice" 2 store hold INC-7 --reason x
check "status shows it" says "request of the police" store status
check "what is held does not go" says '"events":3,"segments_gone":1,"segments_rewritten":1,"originals":1' \
    store expire --dry-run --json
proof=$("$hikeshi" prove --data "$folder" "$scratch/old.jsonl" --json | grep -oE '"index":[0-9]+' | cut -d : -f 2)
status "delete" 0 store expire
same "three events are gone" "$(events)" 18
same "and an original" "$(find "$folder/originals" -name '*.zst' | wc -l)" 1
status "the folder verifies" 0 "$hikeshi" verify --data "$folder"
check "the journal tells it" grep -q '"entry":"expire".*"reason":"audit rule 12"' "$folder/hikeshi.journal"
check "what went can still be proved" says '"name":"'"$scratch"'/old.jsonl"' \
    "$hikeshi" prove --data "$folder" "$proof" --json
check "again there is nothing to do" says '"events":0' store expire --json
status "no such hold" 2 store release INC-8 --reason x
status "a release needs a reason" 2 store release INC-7
status "release" 0 store release INC-7 --reason 'proceedings ended'
check "then it goes" says "deleted: 2 events" store expire
status "everything has its time" 0 store retain '*' --for 30d --reason 'no need for longer'
status "but one for ever" 0 store retain windows/System --for forever --reason 'law'
check "the narrowest rule holds" says '"deleted":true,"events":0' store expire --json
status "a shorter time" 0 store retain Windows/Security --for 30d --reason 'new rule'
check "takes the place of the longer" says "deleted: 4 events" store expire
same "what stays" "$(events)" 12
status "all that stays verifies" 0 "$hikeshi" verify --data "$folder"
status "it may be taken in again" 0 "$hikeshi" intake --quiet --data "$folder" "$scratch/old.jsonl"
same "and is there" "$(events)" 13
status "merge" 0 store merge

# ---- who fell silent ----
for ((hour = 0; hour < 24 * 20; hour++)); do
    time=$(printf '2026-10-%02dT%02d:00:00Z' $((hour / 24 + 1)) $((hour % 24)))
    event "$time" dc02 Security $hour
    ((hour >= 400)) || event "$time" dc03 Security $((hour + 1000))
    ((hour > 200 && hour < 230)) || event "$time" dc04 Security $((hour + 2000))
done >"$scratch/dc.jsonl"
"$hikeshi" init "$scratch/quiet" >/dev/null
"$hikeshi" intake --quiet --data "$scratch/quiet" "$scratch/dc.jsonl"
store_quiet() {
    "$hikeshi" store status --data "$scratch/quiet"
}
check "a source that fell silent" says "80 h  2026-10-17T16:00:00Z  the end" store_quiet
check "a gap" says "29 h  2026-10-09T09:00:00Z  2026-10-10T14:00:00Z  dc04" store_quiet
same "and no more" "$(store_quiet | grep -c ' h  ')" 2

finish
