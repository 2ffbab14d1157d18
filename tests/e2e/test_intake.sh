#!/usr/bin/env bash
# hikeshi init and hikeshi intake, as a user runs them.
cd "$(dirname "$0")/../.." || exit
. tests/e2e/tap.sh
. tests/e2e/events.sh

data=$scratch/data
logs=$scratch/logs
mkdir "$logs"
make_events >"$logs/events.jsonl"
export LC_ALL=C.UTF-8
unset HIKESHI_DATA

intake() {
    "$hikeshi" intake --data "$data" "$@"
}
# of the last line of --json: total NAME OPERAND...
total() {
    local name=$1
    shift
    intake --json "$@" 2>"$scratch/said" | tail -n 1 |
        python3 -c 'import json, sys; print(json.loads(sys.stdin.read())[sys.argv[1]])' "$name"
}
has() {
    grep -qF -- "$1" "$2"
}

# ---- init ----
status "init makes a folder" 0 "$hikeshi" init "$data"
status "init does not make it again" 2 "$hikeshi" init "$data"
status "init needs a name" 2 "$hikeshi" init
status "init where nothing can be made" 4 "$hikeshi" init /proc/none
check "init tells the key as JSON" python3 -c 'import json, sys
assert json.loads(sys.argv[1])["key"].startswith("hikeshi/")' "$("$hikeshi" init --json "$scratch/other")"

# ---- which folder ----
status "no data folder" 2 env -C "$scratch" "$(realpath "$hikeshi")" intake "$logs"
"$hikeshi" intake "$logs" 2>"$scratch/said"
check "what to do is said" has "hikeshi init" "$scratch/said"
status "--data that is none" 2 "$hikeshi" intake --data "$logs" "$logs"
status "HIKESHI_DATA" 0 env HIKESHI_DATA="$scratch/other" "$hikeshi" intake "$logs"
mkdir "$scratch/other/deep"
status "a folder above" 0 env -C "$scratch/other/deep" "$(realpath "$hikeshi")" intake "$logs"

# ---- once, and again ----
same "events taken in" "$(total events "$logs")" 6
same "again: there already" "$(total known "$logs")" 1
same "again: no events" "$(total events "$logs")" 0
cp "$logs/events.jsonl" "$logs/copy.jsonl"
same "a copy under another name" "$(total known "$logs")" 2
intake "$logs" >"$scratch/said" 2>&1
check "it is said" has "copy.jsonl: there already, as $logs/events.jsonl" "$scratch/said"
event 2026-11-10T01:00:00Z pc07 'C:\Windows\calc.exe' calc >"$logs/new.jsonl"
cp "$logs/new.jsonl" "$logs/new2.jsonl"
same "twice in one run" "$(total events "$logs")" 1
same "the originals are kept" "$(find "$data/originals" -name '*.zst' | wc -l)" 2
same "as they were" "$(zstd -dqc "$data"/originals/*/*.zst | sort | sha256sum)" \
    "$(sort "$logs/events.jsonl" "$logs/new.jsonl" | sha256sum)"
event 2026-11-10T01:00:00Z pc08 'C:\Windows\calc.exe' calc >"$logs/new3.jsonl"
same "--no-originals" "$(total events --no-originals "$logs")" 1
same "keeps none" "$(find "$data/originals" -name '*.zst' | wc -l)" 2
same "--quiet" "$(intake -q "$logs" 2>&1)" ""

# ---- logs that have grown ----
lines() { # lines FROM TO: of a log that is not one of Windows
    local i
    for i in $(seq "$1" "$2"); do
        printf '{"@timestamp":"2026-11-10T01:00:%02dZ","message":"line %d of a log of some application"}\n' \
            $((i % 60)) "$i"
    done
}
lines 1 50 >"$scratch/app.log"
same "a log of lines" "$(total events "$scratch/app.log")" 50
{ lines 1 80; printf '{"@timestamp":"2026-11-10T01'; } >"$scratch/app.log"
same "grown: the new ones" "$(total events "$scratch/app.log")" 30
lines 1 90 >"$scratch/app.log"
intake "$scratch/app.log" >"$scratch/said" 2>&1
check "grown again, in the middle of a line" has "taken in, 10 events" "$scratch/said"
check "it is said what was there" has "80 events were there already" "$scratch/said"
mv "$scratch/app.log" "$scratch/app.log.1"
lines 1 95 >"$scratch/app.log.1"
same "rotated and grown" "$(total events "$scratch/app.log.1")" 5
{ lines 1 30; lines 1 30; } >"$scratch/other.log"
same "another log with equal lines" "$(total events "$scratch/other.log")" 60
event_number=1000
for i in $(seq 5); do event 2026-11-12T01:00:0"$i"Z pc20 'C:\Windows\calc.exe' "$i"; done >"$scratch/win.jsonl"
same "a Windows log" "$(total events "$scratch/win.jsonl")" 5
{ sed 1,2d "$scratch/win.jsonl"; event 2026-11-12T02:00:00Z pc20 'C:\Windows\calc.exe' 6; } >"$scratch/later.jsonl"
same "copied again later: the new one" "$(total events "$scratch/later.jsonl")" 1
gzip -c "$scratch/win.jsonl" >"$scratch/win.gz"
same "in an archive: nothing new" "$(total events "$scratch/win.gz")" 0
event_number=1000
for i in $(seq 3); do event 2026-11-13T01:00:0"$i"Z pc20 'C:\Windows\calc.exe' "$i"; done >"$scratch/cleared.jsonl"
same "cleared, and numbered anew" "$(total events "$scratch/cleared.jsonl")" 3
event_number=1000
for i in $(seq 3); do event 2026-11-13T01:00:0"$i"Z pc20 'C:\Windows\calc.exe' "$i!"; done >"$scratch/altered.jsonl"
same "the same numbers and times, other text" "$(total events "$scratch/altered.jsonl")" 3

# ---- logs that are written while they are taken in ----
lines 1 2000 >"$scratch/live.part"
: >"$scratch/live.log"
( while read -r line; do printf '%s\n' "${line/some/live}" >>"$scratch/live.log"; done <"$scratch/live.part" ) &
writer=$!
taken=0
while kill -0 "$writer" 2>/dev/null; do
    taken=$((taken + $(total events "$scratch/live.log")))
done
wait
same "each line of a live log once" $((taken + $(total events "$scratch/live.log"))) 2000
( while :; do lines 1 9 >"$scratch/busy.log"; echo "$RANDOM" >>"$scratch/busy.log"; done ) 2>/dev/null &
writer=$!
for i in 1 2 3 4 5; do
    intake "$scratch/busy.log" "$logs" >/dev/null 2>"$scratch/said" || code=$?
    [ "${code:-0}" = 0 ] || [ "$code" = 3 ] || break
done
kill "$writer"
wait 2>/dev/null
check "a file that is written anew all the time does not stop the rest" test "${code:-0}" != 4

# ---- pipes ----
event 2026-11-10T01:00:00Z pc09 'C:\Windows\calc.exe' calc >"$scratch/piped"
same "standard input" "$(total events - <"$scratch/piped")" 1
same "standard input again" "$(total known - <"$scratch/piped")" 1
same "nothing stays behind" "$(find "$data" -maxdepth 1 -name 'incoming*')" ""

mkfifo "$scratch/stream"
: >"$scratch/empty"
"$hikeshi" intake --data "$data" --json --every 1 "$scratch/stream" >"$scratch/acks" 2>&1 &
exec 7>"$scratch/stream"
lines 101 120 >"$scratch/some"
cat "$scratch/some" >&7
printf '{"@timestamp":' >&7
acknowledged() { # acknowledged TEXT: within ten seconds
    local i
    for i in $(seq 100); do
        ! grep -qF -- "$1" "$scratch/acks" || return 0
        sleep 0.1
    done
    return 1
}
check "what came through a pipe is safe soon" acknowledged '"safe_bytes":'
same "whole records of it" "$(grep -o '"safe_bytes":[0-9]*' "$scratch/acks" | head -n 1)" \
    "\"safe_bytes\":$(lines 101 120 | wc -c)"
check "and soon after in the store, while the pipe goes on" acknowledged '"events":20'
printf '"2026-11-10T02:00:00Z","message":"the last line"}\n' >&7
kill -9 $!
exec 7>&-
wait 2>/dev/null
# what was safe when a process died comes in with the next
"$hikeshi" intake --data "$data" --every 600 --json "$scratch/stream" >"$scratch/acks" 2>&1 &
exec 7>"$scratch/stream"
lines 121 150 >"$scratch/some"
cat "$scratch/some" >&7
check "safe, but not yet in the store" acknowledged '"safe_bytes":'
kill -9 $!
exec 7>&-
wait 2>/dev/null
check "it waits in the data folder" test -s "$data/incoming"
same "the next intake takes it in" "$(total events "$scratch/empty")" 30
same "once" "$(total events "$scratch/empty")" 0
same "nothing stays behind" "$(find "$data" -maxdepth 1 -name 'incoming*')" ""
same "a compressed pipe" "$(lines 151 160 | gzip | { total events -; })" 10
status "a pipe of garbage" 3 bash -c 'yes garbage | "$@"' _ "$hikeshi" intake --data "$data" -
"$hikeshi" intake --data "$data" --json "$scratch/stream" >"$scratch/acks" 2>&1 &
exec 7>"$scratch/stream"
lines 161 170 >"$scratch/some"
cat "$scratch/some" >&7
acknowledged '"safe_bytes":'
kill -TERM $!
wait $!
same "a pipe that is stopped: status" $? 130
exec 7>&-
check "what came is in the store" acknowledged '"events":10'

# ---- what can't be taken in ----
status "a path that is not there" 3 intake "$scratch/none"
echo "this is no log" >"$scratch/garbage.txt"
status "garbage" 3 intake "$scratch/garbage.txt"
same "garbage is not kept" "$(total files "$scratch/garbage.txt")" 0
: >"$scratch/empty.jsonl"
status "an empty file" 0 intake "$scratch/empty.jsonl"
status "the data folder itself is left out" 0 intake "$data"
same "none of it" "$(total files "$data")" 0
{ event 2026-11-10T01:00:00Z pc10 'C:\Windows\calc.exe' calc; echo '{"broken'; } >"$scratch/half.jsonl"
status "a log that can be read in part" 3 intake "$scratch/half.jsonl"
same "is taken in once" "$(total known "$scratch/half.jsonl")" 1
if [ "$(id -u)" != 0 ]; then
    chmod 000 "$scratch/half.jsonl"
    status "a file that may not be read" 3 intake "$scratch/half.jsonl"
fi

# ---- a writer beside another ----
mkfifo "$scratch/pipe"
intake "$scratch/pipe" >"$scratch/first" 2>&1 &
exec 7>"$scratch/pipe"
status "two at once" 2 bash -c 'for i in $(seq 50); do
    "$@" >/dev/null 2>&1 || exec "$@"; sleep 0.05; done' _ \
    "$hikeshi" intake --data "$data" "$logs"
intake "$logs" >"$scratch/said" 2>&1
check "it is said who writes" has "another hikeshi is writing" "$scratch/said"
event 2026-11-10T01:00:00Z pc11 'C:\Windows\calc.exe' calc >&7
exec 7>&-
wait
check "the first goes on" has "taken in, 1 event" "$scratch/first"

# ---- full disk ----
python3 - "$scratch/large.jsonl" <<'PY'
import random, sys
random.seed(3)
with open(sys.argv[1], "w") as out:
    for i in range(20000):
        out.write('{"@timestamp":"2026-11-10T01:00:00Z","n":"%s"}\n' % random.getrandbits(512))
PY
said=$(bash -c 'ulimit -f 100; "$@" 2>&1' _ "$hikeshi" intake --data "$data" "$scratch/large.jsonl")
same "a disk that is full: status" $? 4
check "it is said" grep -q 'hikeshi: .*can.t' <<<"$said"
same "nothing half is left" "$(find "$data" -name '*.new')" ""
same "it goes when there is room" "$(total events "$scratch/large.jsonl")" 20000

# ---- passphrases ----
printf 'secret\n' >"$scratch/pass"
status "init with a passphrase" 0 "$hikeshi" init --passphrase-file "$scratch/pass" "$scratch/locked"
check "the key is encrypted" grep -q ENCRYPTED "$scratch/locked/seal.key"
status "taking in with it" 0 "$hikeshi" intake --data "$scratch/locked" \
    --passphrase-file "$scratch/pass" "$logs"
echo wrong >"$scratch/wrong"
status "and with a wrong one" 2 "$hikeshi" intake --data "$scratch/locked" \
    --passphrase-file "$scratch/wrong" "$logs"
status "without, and no terminal" 2 setsid "$hikeshi" intake --data "$scratch/locked" "$logs"
: >"$scratch/nothing"
status "an empty one" 2 "$hikeshi" init --passphrase-file "$scratch/nothing" "$scratch/never"
finish
