#!/usr/bin/env bash
# Measures reading and scanning, and runs the same work with what is installed of the other tools of
# the kind, in the same run.
#
#     bench/run.sh HIKESHI [--megabytes N] [--slow-megabytes N] [--repeat N] [--samples DIR]
#                          [--rules DIR] [--keep DIR]
#
# Data: the sample .evtx files, grown to N megabytes (1100) by grow_evtx.py; --slow-megabytes (100) for
# the tools that would take minutes on that, and for hikeshi beside them. Each command runs --repeat
# times (3), the slow ones once; the median by wall time is shown.
#
# Peers are looked for in PATH, or where these say: EVTX_DUMP, EVTXEXPORT, HAYABUSA (run in its own
# folder, where its rules and configuration are), CHAINSAW with CHAINSAW_MAPPING, ZIRCOLITE (a command,
# such as "python3 zircolite.py"). What is not there is named and left out.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
hikeshi=$(realpath "$1")
shift
megabytes=1100 slow=100 repeat=3 keep='' shared=$here/../../shared/data
samples=$shared/evtx rules=$shared/sigma
while [ $# -gt 0 ]; do
    case $1 in
        --megabytes) megabytes=$2 ;;
        --slow-megabytes) slow=$2 ;;
        --repeat) repeat=$2 ;;
        --samples) samples=$2 ;;
        --rules) rules=$2 ;;
        --keep) keep=$2 ;;
        *)
            echo "bench: what is \"$1\"? Known: --megabytes, --slow-megabytes, --repeat, --samples, --rules, --keep" >&2
            exit 2
            ;;
    esac
    shift 2
done
if [ ! -d "$samples" ]; then
    echo "bench: no sample .evtx files at $samples; name a folder with --samples DIR" >&2
    exit 2
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/hikeshi-bench-XXXXXX")
trap 'rm -rf "$work"' EXIT
cores=$(nproc)

# use MEGABYTES: makes the data of that size what is measured on, in the page cache for everybody.
use() {
    data=${keep:-$work}/evtx-$1
    if [ ! -d "$data" ]; then
        echo "making $1 MB of event logs from $samples" >&2
        python3 "$here/grow_evtx.py" "$samples" "$data" "$1"
    fi
    bytes=$(cat "$data"/*.evtx | wc -c)
    events=$({ "$hikeshi" events "$data" || true; } | wc -l)
    printf 'data: %d MB, %d events in %d files\n' $((bytes / 1000000)) "$events" \
        "$(find "$data" -name '*.evtx' | wc -l)"
}

windows_rules=()
for folder in "$rules"/rules/windows "$rules"/rules-emerging-threats "$rules"/rules-threat-hunting/windows; do
    [ ! -d "$folder" ] || windows_rules+=("$folder")
done

printf 'machine: %s, %d cores, %d GB\n' \
    "$(awk -F ': ' '/model name/ { print $2; exit }' /proc/cpuinfo)" "$cores" \
    "$(awk '/MemTotal/ { print int($2 / 1048576) }' /proc/meminfo)"
use "$megabytes"

# measure NAME TIMES COMMAND...: appends "NAME wall cpu peak-KB" of the median run to the results.
results=$work/results
measure() {
    local name=$1 times=$2 i
    shift 2
    : >"$work/times"
    for ((i = 0; i < times; i++)); do
        /usr/bin/time -q -o "$work/time" -f '%e %U %S %M' "$@" >/dev/null 2>"$work/err" || true
        tail -n 1 "$work/time" >>"$work/times"
    done
    sort -n "$work/times" | awk -v name="$name" '
        { line[NR] = $1 " " $2 + $3 " " $4 }
        END { print name "\t" line[int((NR + 1) / 2)] }' >>"$results"
}

# show TITLE: the results as a table; the first row of "hikeshi" is what ratios are taken against.
show() {
    printf '%s\n' "$1"
    awk -F '\t' -v bytes="$bytes" -v events="$events" '
        BEGIN { printf "  %-34s %9s %9s %9s %14s %9s %8s %8s\n", "", "wall s", "CPU s", "MB/s",
                "events/CPU s", "peak MB", "x wall", "x CPU" }
        {
            split($2, at, " ")
            wall = at[1] > 0 ? at[1] : 0.01
            cpu = at[2] > 0 ? at[2] : 0.01
            if (NR == 1) { wall_1 = wall; cpu_1 = cpu }
            printf "  %-34s %9.2f %9.2f %9.0f %14.0f %9.0f %8.1f %8.1f\n", $1, wall, cpu,
                bytes / 1e6 / wall, events / cpu, at[3] / 1024, wall / wall_1, cpu / cpu_1
        }' "$results"
    echo
    : >"$results"
}

peer() {
    command -v "${1%% *}" >/dev/null && return
    echo "  ($2 is not installed)" >&2
    return 1
}

evtx_dump=${EVTX_DUMP:-evtx_dump} evtxexport=${EVTXEXPORT:-evtxexport}
hayabusa=${HAYABUSA:-hayabusa} chainsaw=${CHAINSAW:-chainsaw} zircolite=${ZIRCOLITE:-zircolite}
export data evtx_dump evtxexport zircolite work

: >"$results"
# a host that is nowhere: everything is read into blocks, nothing is printed
measure "hikeshi, reading alone, 1 thread" "$repeat" "$hikeshi" events "$data" --host nowhere --threads 1
measure "hikeshi, reading alone" "$repeat" "$hikeshi" events "$data" --host nowhere
measure "hikeshi events (JSON), 1 thread" "$repeat" "$hikeshi" events "$data" --threads 1
measure "hikeshi events (JSON)" "$repeat" "$hikeshi" events "$data"
if peer "$evtx_dump" evtx_dump; then
    # shellcheck disable=SC2016 # the inner shell expands it
    measure "evtx_dump (JSON), 1 thread" "$repeat" sh -c \
        'for f in "$data"/*.evtx; do "$evtx_dump" -t 1 -o jsonl "$f"; done'
    # shellcheck disable=SC2016
    measure "evtx_dump (JSON)" "$repeat" sh -c \
        'for f in "$data"/*.evtx; do "$evtx_dump" -o jsonl "$f"; done'
fi
if peer "$evtxexport" evtxexport; then
    # shellcheck disable=SC2016
    measure "evtxexport (XML)" 1 sh -c 'for f in "$data"/*.evtx; do "$evtxexport" -f xml "$f"; done'
fi
show "Reading"

if [ ${#windows_rules[@]} -eq 0 ]; then
    echo "bench: no Sigma rules at $rules; scanning is left out (--rules DIR)" >&2
    exit 0
fi
chosen=()
for folder in "${windows_rules[@]}"; do
    chosen+=(--rules "$folder")
done
printf 'rules: %d files\n' "$(find "${windows_rules[@]}" -name '*.yml' | wc -l)"
measure "hikeshi scan" "$repeat" "$hikeshi" scan "$data" "${chosen[@]}" --format csv --output "$work/h.csv"
measure "hikeshi scan, 1 thread" "$repeat" "$hikeshi" scan "$data" "${chosen[@]}" --threads 1 \
    --format csv --output "$work/h1.csv"
measure "hikeshi, reading alone" "$repeat" "$hikeshi" events "$data" --host nowhere
show "Scanning with all Windows rules"

use "$slow"
measure "hikeshi scan" "$repeat" "$hikeshi" scan "$data" "${chosen[@]}" --format csv --output "$work/h.csv"
if peer "$hayabusa" hayabusa; then
    folder=$(dirname "$(realpath "$(command -v "$hayabusa")")")
    folder=${HAYABUSA_FOLDER:-$folder}
    measure "hayabusa, its own rules" 1 env -C "$folder" "$(realpath "$(command -v "$hayabusa")")" \
        dfir-timeline -d "$data" -w -q -Q -C -N -o "$work/hayabusa.csv"
fi
if peer "$chainsaw" chainsaw && [ -n "${CHAINSAW_MAPPING:-}" ]; then
    sigma=()
    for folder in "${windows_rules[@]}"; do
        sigma+=(-s "$folder")
    done
    measure "chainsaw" 1 "$chainsaw" hunt "$data" "${sigma[@]}" --mapping "$CHAINSAW_MAPPING" \
        --csv -o "$work/chainsaw"
fi
if peer "$zircolite" zircolite; then
    # shellcheck disable=SC2016,SC2086
    measure "zircolite, of rules/windows alone" 1 env -C "${ZIRCOLITE_FOLDER:-.}" $zircolite --evtx "$data" \
        --ruleset "${windows_rules[0]}" -o "$work/zircolite.json"
fi
show "Scanning beside slower tools"
