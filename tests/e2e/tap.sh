# shellcheck shell=bash
# For shell tests; source it first. It prints TAP and keeps a folder for the test.
#
#     . "$(dirname "$0")/tap.sh"
#     check "it answers" program --version        fails when the command does; shows what it said
#     same "the count" "$(count)" 3               fails when the texts differ; shows both
#     status "bad use" 2 program --what           fails when the exit status is another
#     skip "the big one" "no data"                counts as skipped
#     finish                                      last line: the plan, and the exit status
#
# $scratch is an empty folder that goes away at the end. $hikeshi is the program (from HIKESHI).
set -uo pipefail

# for the tests that source this
# shellcheck disable=SC2034
hikeshi=${HIKESHI:-build/hikeshi}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/hikeshi-test-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
tap_n=0
tap_bad=0

pass() {
    tap_n=$((tap_n + 1))
    echo "ok $tap_n - $1"
}

# fail NAME [TEXT]: TEXT is shown
fail() {
    tap_n=$((tap_n + 1))
    tap_bad=1
    [ $# -lt 2 ] || sed 's/^/# /' <<<"$2"
    echo "not ok $tap_n - $1"
}

skip() {
    tap_n=$((tap_n + 1))
    echo "ok $tap_n - $1 # SKIP $2"
}

check() {
    local name=$1 said
    shift
    if said=$("$@" 2>&1); then
        pass "$name"
    else
        fail "$name" "exit status $? of: $*
$said"
    fi
}

same() {
    if [ "$2" = "$3" ]; then
        pass "$1"
    else
        fail "$1" "got:  $2
want: $3"
    fi
}

status() {
    local name=$1 want=$2 said got
    shift 2
    said=$("$@" 2>&1)
    got=$?
    if [ "$got" -eq "$want" ]; then
        pass "$name"
    else
        fail "$name" "exit status $got, not $want, of: $*
$said"
    fi
}

finish() {
    echo "1..$tap_n"
    exit "$tap_bad"
}
