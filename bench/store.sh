#!/usr/bin/env bash
# Measures the evidence store: taking events in, with and without detection, the room they take, needle
# searches, a group-by and a retro-hunt; and in the same run, on the same events, ClickHouse, SQLite,
# ripgrep and zstdgrep, as far as they are installed.
#
#     bench/store.sh HIKESHI [--events N] [--keep DIR] [--samples DIR] [--rules DIR] [--only LIST]
#
# The events (--events or HIKESHI_BENCH_EVENTS, 1,000,000) are made by make_events of the sample logs.
# --keep DIR leaves what was made there, data folder and databases included, and uses what is there
# already. --only names what to do, of: intake clickhouse sqlite json search; all by default.
#
# "Cold" is with the page cache emptied before (as root; else only the files' own pages are given up);
# "warm" is the same again, the median of three. ClickHouse's server runs with a private configuration
# and stays up between searches; its own caches are dropped with the pages. SQLite holds at most
# HIKESHI_BENCH_SQLITE events (5,000,000), of the first days: figures beside it say how many.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
hikeshi=$(realpath "$1")
tools=$(dirname "$hikeshi")/bench
shift
events=${HIKESHI_BENCH_EVENTS:-1000000} sqlite_most=${HIKESHI_BENCH_SQLITE:-5000000}
shared=$here/../../shared/data keep='' only='intake clickhouse sqlite json search'
samples=$shared/evtx rules=$shared/sigma
while [ $# -gt 0 ]; do
    case $1 in
        --events) events=$2 ;;
        --keep) keep=$2 ;;
        --samples) samples=$2 ;;
        --rules) rules=$2 ;;
        --only) only=$2 ;;
        *)
            echo "bench: what is \"$1\"? Known: --events, --keep, --samples, --rules, --only" >&2
            exit 2
            ;;
    esac
    shift 2
done
if [ ! -d "$samples" ]; then
    echo "bench: no sample .evtx files at $samples; name a folder with --samples DIR" >&2
    exit 2
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/hikeshi-store-XXXXXX")
server=''
leave() {
    if [ -n "$server" ]; then
        kill "$server" || true
        wait "$server" || true
    fi
    rm -rf "$work"
} 2>/dev/null
trap leave EXIT
home=$(realpath -m "${keep:-$work}")/store-$events
logs=$home/logs data=$home/data json=$home/events.jsonl.zst sqlite=$home/events.sqlite click=$home/clickhouse
port=${CLICKHOUSE_PORT:-19321}
mkdir -p "$home"

wanted() {
    [[ " $only " == *" $1 "* ]]
}

peer() {
    command -v "$1" >/dev/null && return
    echo "  ($1 is not installed)" >&2
    return 1
}

# can COMMAND OPTION: whether this hikeshi has it
can() {
    "$hikeshi" "$1" --help 2>/dev/null | grep -q -e "$2" && return
    echo "  (this hikeshi has no $1 $2)" >&2
    return 1
}

now() {
    printf '%s' "${EPOCHREALTIME/,/.}"
}

# since START: seconds
since() {
    awk -v from="$1" -v to="$(now)" 'BEGIN { printf "%.3f", to - from }'
}

# per A B: A / B with two digits
per() {
    awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", (b > 0 ? a / b : 0) }'
}

size_of() {
    du -sb --apparent-size "$1" | cut -f 1
}

# drop PATH...: takes what was read of these out of memory.
drop() {
    sync
    if ! { echo 3 >/proc/sys/vm/drop_caches; } 2>/dev/null; then
        find "$@" -type f -exec dd if={} iflag=nocache count=0 status=none \;
    fi
}

rule_folders() {
    local folder
    for folder in "$rules"/rules/windows "$rules"/rules-emerging-threats \
        "$rules"/rules-threat-hunting/windows; do
        [ ! -d "$folder" ] || printf '%s\n' "$folder"
    done
}
mapfile -t folders < <(rule_folders)
chosen=()
for folder in "${folders[@]}"; do
    chosen+=(--rules "$folder")
done

# ---- events ----

if [ ! -f "$home/needles.txt" ]; then
    echo "making $events events of $samples" >&2
    loud=()
    if [ ${#chosen[@]} -gt 0 ]; then
        "$hikeshi" scan "$samples" "${chosen[@]}" --format jsonl --output "$work/loud" \
            >/dev/null 2>&1 || true
        loud=(--loud "$work/loud")
    fi
    rm -rf "$logs"
    "$tools/make_events" --events "$events" "${loud[@]}" "$samples" "$logs"
    mv "$logs/needles.txt" "$home/needles.txt"
fi
needle() {
    awk -F '\t' -v kind="$1" '$1 == kind { print $2 }' "$home/needles.txt"
}
if [ ! -f "$home/json_bytes" ]; then
    "$hikeshi" events "$logs" | wc -c >"$home/json_bytes"
fi
json_bytes=$(cat "$home/json_bytes")

printf 'machine: %s, %d cores, %d GB; %d events, %d MB as .evtx.zst, %d MB as JSON lines (%d bytes an event)\n\n' \
    "$(awk -F ': ' '/model name/ { print $2; exit }' /proc/cpuinfo)" "$(nproc)" \
    "$(awk '/MemTotal/ { print int($2 / 1048576) }' /proc/meminfo)" "$events" \
    $(($(size_of "$logs") / 1000000)) $((json_bytes / 1000000)) $((json_bytes / events))

# ---- taking in ----

# took NAME BYTES [SECONDS CPU PEAK-KB]: a line of the table of what was taken in.
took() {
    awk -v name="$1" -v bytes="$2" -v events="${6:-$events}" -v s="${3:-0}" -v cpu="${4:-0}" \
        -v peak="${5:-0}" -v json="$((json_bytes / events))" '
        BEGIN {
            printf "  %-36s %9.1f %9.1f %10.0f %10.0f %8.0f", name, s, cpu, (s > 0 ? events / s : 0),
                (cpu > 0 ? events / cpu : 0), peak / 1024
            if (bytes > 0)
                printf " %9.2f %9.1f", bytes / events, json * events / bytes
            printf "\n"
        }'
}

# timed COMMAND...: sets wall, cpu and peak; what it prints goes to $work/out.
timed() {
    /usr/bin/time -q -o "$work/time" -f '%e %U %S %M' "$@" >"$work/out" 2>"$work/err" ||
        { [ $? -lt 2 ] || tail -n 3 "$work/err" >&2; }
    read -r wall user system peak < <(tail -n 1 "$work/time")
    cpu=$(awk -v a="$user" -v b="$system" 'BEGIN { print a + b }')
}

start_clickhouse() {
    local try
    mkdir -p "$click"
    cat >"$click/config.xml" <<XML
<yandex>
  <logger><level>warning</level><log>$click/log</log><errorlog>$click/errors</errorlog></logger>
  <tcp_port>$port</tcp_port><listen_host>127.0.0.1</listen_host>
  <path>$click/data/</path><tmp_path>$click/tmp/</tmp_path>
  <mark_cache_size>1073741824</mark_cache_size>
  <users_config>users.xml</users_config>
  <default_profile>default</default_profile><default_database>default</default_database>
  <compression><case>
    <min_part_size>0</min_part_size><min_part_size_ratio>0</min_part_size_ratio>
    <method>zstd</method>
  </case></compression>
</yandex>
XML
    cat >"$click/users.xml" <<'XML'
<yandex>
  <profiles><default>
    <max_memory_usage>8000000000</max_memory_usage>
    <allow_experimental_low_cardinality_type>1</allow_experimental_low_cardinality_type>
  </default></profiles>
  <users><default>
    <password></password><networks><ip>127.0.0.1</ip></networks>
    <profile>default</profile><quota>default</quota>
  </default></users>
  <quotas><default></default></quotas>
</yandex>
XML
    clickhouse-server --config-file="$click/config.xml" >"$click/out" 2>&1 &
    server=$!
    for try in {1..100}; do
        ! ask 'SELECT 1' >/dev/null 2>&1 || return 0
        sleep 0.2
    done
    echo "bench: clickhouse-server does not answer after $try tries; see $click/errors" >&2
    return 1
}

ask() {
    clickhouse-client --port "$port" --query "$@"
}

parts() {
    ask "SELECT $1 FROM system.parts WHERE table = 'events' AND active"
}

fill_clickhouse() {
    local start partition
    [ "$(ask 'EXISTS TABLE events')" = 0 ] || [ "$(parts 'sum(rows)')" != "$events" ] || return 0
    ask 'DROP TABLE IF EXISTS events'
    # Parts of a month, sorted so that they pack best; this version has neither codecs of columns nor
    # skip indexes.
    ask "$("$tools/rows" --clickhouse) ENGINE = MergeTree PARTITION BY toYYYYMM(time)
        ORDER BY (channel, code, host, time)"
    start=$(now)
    "$tools/rows" "$logs" | ask 'INSERT INTO events FORMAT TabSeparated'
    since "$start" >"$click/seconds"
    for partition in $(parts 'DISTINCT partition'); do
        ask "OPTIMIZE TABLE events PARTITION $partition FINAL"
    done
}

sqlite_logs() {
    local days
    days=$((events > sqlite_most ? sqlite_most * 180 / events : 180))
    find "$logs" -name '*.evtx.zst' | sort | head -n $((days > 0 ? days : 1))
}

fill_sqlite() {
    local start files
    [ ! -f "$sqlite.seconds" ] || return 0
    rm -f "$sqlite"
    mapfile -t files < <(sqlite_logs)
    "$tools/rows" --sqlite | sqlite3 "$sqlite"
    start=$(now)
    mkfifo "$work/rows"
    "$tools/rows" --csv "${files[@]}" >"$work/rows" &
    sqlite3 "$sqlite" 'PRAGMA journal_mode = off' 'PRAGMA synchronous = off' '.mode csv' \
        ".import $work/rows events" >/dev/null
    sqlite3 "$sqlite" 'CREATE INDEX by_time ON events (time, host)' \
        'CREATE INDEX by_hash ON events (f_Hashes)' 'CREATE INDEX by_ip ON events (f_DestinationIp)' \
        'CREATE INDEX by_address ON events (f_DestAddress)' \
        'CREATE INDEX by_name ON events (f_DestinationHostname)' 'CREATE INDEX by_user ON events (f_User)'
    since "$start" >"$sqlite.seconds"
}

printf '  %-36s %9s %9s %10s %10s %8s %9s %9s\n' 'Taking in' 'wall s' 'CPU s' 'events/s' \
    'ev./CPU s' 'peak MB' 'bytes/ev.' 'x JSON'
if wanted intake; then
    rm -rf "$data" "$home/detected"
    timed "$hikeshi" init "$data"
    drop "$logs"
    timed "$hikeshi" intake --data "$data" --no-originals --quiet "$logs"
    took 'hikeshi intake' "$(size_of "$data/segments")" "$wall" "$cpu" "$peak"
    if [ ${#chosen[@]} -gt 0 ] && can intake --rules; then
        timed "$hikeshi" init "$home/detected"
        drop "$logs"
        timed "$hikeshi" intake --data "$home/detected" --no-originals --quiet "${chosen[@]}" "$logs"
        took 'hikeshi intake, with detection' "$(size_of "$home/detected/segments")" "$wall" "$cpu" "$peak"
        rm -rf "$home/detected"
    fi
fi
if wanted clickhouse && peer clickhouse-server && peer clickhouse-client; then
    start_clickhouse
    fill_clickhouse
    took "ClickHouse $(ask 'SELECT version()')" "$(parts 'sum(bytes_on_disk)')" \
        "$(cat "$click/seconds")" 0 "$(awk '/VmHWM/ { print $2 }' "/proc/$server/status")"
fi
if wanted sqlite && peer sqlite3; then
    fill_sqlite
    n=$(sqlite3 "$sqlite" 'SELECT count(*) FROM events')
    took "SQLite $(sqlite3 --version | cut -d ' ' -f 1) ($n events)" "$(size_of "$sqlite")" \
        "$(cat "$sqlite.seconds")" 0 0 "$n"
fi
if wanted json && peer zstd; then
    if [ ! -f "$json.seconds" ]; then
        start=$(now)
        "$hikeshi" events "$logs" | zstd -q -3 -T0 -f -o "$json"
        since "$start" >"$json.seconds"
    fi
    took 'JSON lines, zstd -3' "$(size_of "$json")" "$(cat "$json.seconds")"
fi
echo

# ---- searching ----

wanted search || exit 0

# How each is asked for a count; $1 is the kind of needle or "day", $2 the needle.
ask_hikeshi() {
    local what
    case $1 in
        hash) what="Hashes has '$2'" ;;
        address) what="DestinationIp == '$2'" ;;
        domain) what="DestinationHostname =~ '$2'" ;;
        account) what="User =~ '${2//\\/\\\\}'" ;;
        substring) what="CommandLine contains '$2'" ;;
        anywhere) what="* has '$2'" ;;
        day)
            "$hikeshi" hunt --data "$data" --format csv "events
                | where Timestamp >= datetime(2026-03-15) and Timestamp < datetime(2026-03-16)
                | summarize n = count() by host.name, EventID | summarize sum(n)"
            return
            ;;
    esac
    "$hikeshi" hunt --data "$data" --format csv "events | where $what | count"
}

# The condition in SQL; the names of fields begin with $3.
condition() {
    local like=${2//\\/\\\\}
    [ -n "$3" ] && like=$2 # SQLite has no escapes
    case $1 in
        hash) echo "${3}Hashes LIKE '%$2%'" ;;
        address) echo "(${3}DestinationIp = '$2' OR ${3}DestAddress = '$2')" ;; # as its mappings say
        domain) echo "${3}DestinationHostname = '$2'" ;;
        account) echo "${3}User = '$like'" ;;
        substring) echo "${3}CommandLine LIKE '%$2%'" ;;
        day) echo "time >= '2026-03-15 00:00:00' AND time < '2026-03-16 00:00:00'" ;;
    esac
}

ask_clickhouse() {
    if [ "$1" = day ]; then
        ask "SELECT sum(n) FROM (SELECT count() AS n FROM events WHERE $(condition day '' '')
            GROUP BY host, EventID)"
    else
        ask "SELECT count() FROM events WHERE $(condition "$1" "$2" '')"
    fi
}

ask_sqlite() {
    if [ "$1" = day ]; then
        sqlite3 "$sqlite" "SELECT sum(n) FROM (SELECT count(*) AS n FROM events
            WHERE $(condition day '' f_) GROUP BY host, f_EventID)"
    else
        sqlite3 "$sqlite" "SELECT count(*) FROM events WHERE $(condition "$1" "$2" f_)"
    fi
}

# As text of a JSON line, backslashes doubled.
ask_ripgrep() {
    rg --search-zip --fixed-strings --count "${2//\\/\\\\}" "$json" || echo 0
}

ask_zstdgrep() {
    zstdgrep -cF -- "${2//\\/\\\\}" "$json" || true
}

# What is emptied before a cold search of each.
forget() {
    local program
    case $1 in
        clickhouse)
            ask 'SYSTEM DROP MARK CACHE'
            ask 'SYSTEM DROP UNCOMPRESSED CACHE'
            drop "$click/data"
            ;;
        hikeshi) drop "$data" ;;
        sqlite) drop "$sqlite" ;;
        *) drop "$json" ;;
    esac
    # The programs themselves are not what is cold.
    for program in "$hikeshi" clickhouse-client sqlite3 rg zstd grep; do
        "$program" --version </dev/null >/dev/null 2>&1 || true
    done
}

# search WHO KIND NEEDLE: seconds cold, seconds warm (the median of three), and what was counted.
search() {
    local start times='' cold i
    forget "$1"
    start=$(now)
    "ask_$1" "$2" "$3" >"$work/count" 2>"$work/err" || head -n 2 "$work/err" >&2
    cold=$(since "$start")
    for i in 1 2 3; do
        [ "$i" = 1 ] || [[ $1 != *grep ]] || break # slow, and what is unpacked is not kept
        start=$(now)
        "ask_$1" "$2" "$3" >/dev/null 2>&1 || true
        times+=$(since "$start")$'\n'
    done
    printf '%s / %s (%s)' "$cold" "$(sort -n <<<"${times%$'\n'}" | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }')" \
        "$(tail -n 1 "$work/count" | tr -d '"\r')"
}

who=(hikeshi)
[ -z "$server" ] || who+=(clickhouse)
! wanted sqlite || [ ! -f "$sqlite" ] || who+=(sqlite)
if wanted json && [ -f "$json" ]; then
    ! peer rg || who+=(ripgrep)
    ! peer zstdgrep || who+=(zstdgrep)
fi
printf '  %-18s' 'cold / warm s (n)'
printf ' %24s' "${who[@]}"
printf '\n'
row() {
    local name=$1 each
    shift
    printf '  %-18s' "$name"
    for each in "${who[@]}"; do
        if { [ "$1" = day ] && [[ $each == *grep ]]; } ||
            { [ "$1" = anywhere ] && [[ $each == clickhouse || $each == sqlite ]]; }; then
            printf ' %24s' '-'
        else
            printf ' %24s' "$(search "$each" "$1" "$2")"
        fi
    done
    printf '\n'
}
for kind in hash address domain account substring; do
    row "$kind" "$kind" "$(needle "$kind")"
done
row 'hash, any field' anywhere "$(needle hash)"
row 'hash, absent' hash 6B1F0C5A77E94D2C8A3B5E6F90D1C2B3A4958677F8E9DACBBCAD9E8F70615200
row 'address, absent' address 203.0.113.78
row 'domain, absent' domain gate.nightfall-4472.example
row 'account, absent' account 'CORP\svc-nightwind'
row 'substring, absent' substring qzkwjvxx
row 'group by, one day' day ''
echo

timed "$hikeshi" hunt --data "$data" --format csv \
    "events | where CommandLine contains '$(needle substring)' | count"
printf '  peak memory of a hunt: %d MB\n' $((peak / 1024))
if [ ${#chosen[@]} -gt 0 ] && can detect --rules; then
    drop "$data"
    timed "$hikeshi" detect --data "$data" "${chosen[@]}" --format csv --output "$work/found.csv"
    printf '  retro-hunt, %d files of rules: %.1f s, %.1f CPU s, %.0f events/s, %d MB; %d findings\n' \
        "$(find "${folders[@]}" -name '*.yml' | wc -l)" "$wall" "$cpu" "$(per "$events" "$wall")" \
        $((peak / 1024)) $(($(wc -l <"$work/found.csv") - 1))
fi
