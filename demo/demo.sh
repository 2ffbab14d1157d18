#!/usr/bin/env bash
# What `./run demo` shows: logs of one morning in a small company, in which a mail attachment was
# opened, scanned with the rules of this repository. Everything it needs is here; no network.
#
#     demo/demo.sh PROGRAM
set -euo pipefail
hikeshi=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
page=$(dirname "$hikeshi")/demo.html
export TZ=JST-9 # the company is in Japan; the logs, as always, are in UTC

say() {
    printf '\n== %s\n' "$*"
}

# show ARGUMENT...: the command, then what it prints. Findings are what the demo is about: status 1.
show() {
    local status=0
    printf '\n$ hikeshi'
    printf ' %q' "$@"
    printf '\n\n'
    "$hikeshi" "$@" || status=$?
    [ "$status" -le 1 ] || exit "$status"
}

say "What is in the logs at all? Events, logons, hosts, times"
show scan --metrics --top 5 demo/events

say "What did an attacker do? All findings in order of time, then their numbers"
show scan --rules rules --local demo/events

say "The same as one page to open in a browser and to hand on"
show scan --rules rules --local --quiet --format html --output "$page" demo/events

cat <<TXT

The page is $page
More: $hikeshi scan --help
TXT
