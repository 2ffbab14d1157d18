#!/usr/bin/env bash
# The program gives up what it does not need before it reads the first byte of an input.
#     PROBE   the shared object of confine_probe.c
cd "$(dirname "$0")/../.." || exit
. tests/e2e/tap.sh
. tests/e2e/events.sh

make_rules "$scratch/rules"
make_events >"$scratch/events.jsonl"

# Tried from inside, where a reader would run.
said=$(PROBE_INPUT=$scratch/events.jsonl LD_PRELOAD=$PROBE \
    ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0 \
    "$hikeshi" scan --rules "$scratch/rules" --output "$scratch/out/x" "$scratch/events.jsonl" 2>&1)
same "no probe without an output that can be made" "$(grep -c ^probe: <<<"$said")" 0
mkdir "$scratch/out"
for command in "scan --rules $scratch/rules" events; do
    # shellcheck disable=SC2086 # words
    said=$(PROBE_INPUT=$scratch/events.jsonl LD_PRELOAD=$PROBE \
        ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0 \
        "$hikeshi" $command --output "$scratch/out/found" "$scratch/events.jsonl" 2>&1)
    name=${command%% *}
    if grep -q "no Landlock" <<<"$said"; then
        skip "$name: files are out of reach" "this kernel has no Landlock"
    else
        for what in "open another file" "open another folder" "make a file beside the input" \
            "write to the input"; do
            same "$name can't $what" "$(grep -F "probe: $what:" <<<"$said")" \
                "probe: $what: refused"
        done
    fi
    for what in "make a socket" "make a local socket" "start a process" "start a program" \
        "look into another process"; do
        same "$name can't $what" "$(grep -F "probe: $what:" <<<"$said")" "probe: $what: refused"
    done
    same "$name can open the input" "$(grep -F "probe: open the input:" <<<"$said")" \
        "probe: open the input: allowed"
    check "$name wrote its output all the same" test -s "$scratch/out/found"
    same "$name left nothing else" "$(ls -A "$scratch/out")" found
done

# Seen from outside: which calls there were, and in which order.
if strace -o /dev/null true 2>/dev/null; then
    strace -f -o "$scratch/trace" -e trace=openat,open,openat2,seccomp,socket,execve \
        "$hikeshi" scan --rules "$scratch/rules" "$scratch/events.jsonl" >/dev/null 2>&1
    confined=$(grep -n 'seccomp(SECCOMP_SET_MODE_FILTER' "$scratch/trace" | tail -n 1 | cut -d : -f 1)
    opened=$(grep -n 'events\.jsonl' "$scratch/trace" | grep 'O_RDONLY' | grep -v O_PATH |
        head -n 1 | cut -d : -f 1)
    check "the filter is in place before an input is opened to be read" \
        test "${confined:-999999}" -lt "${opened:-0}"
    after=$(tail -n "+${confined:-1}" "$scratch/trace" | grep -E 'open(at|at2)?\(' |
        grep -v -e 'events\.jsonl' -e ' = -1 ' -e '"/proc/')
    same "afterwards nothing else is opened" "$after" ""
else
    skip "the order of the calls" "strace does not work here"
fi
finish
