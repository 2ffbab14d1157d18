#!/usr/bin/env bash
# The tools that judge the rest: would they notice?
cd "$(dirname "$0")/../.." || exit
. tests/e2e/tap.sh

count() {
    tests/house/count.py "$@" | tail -n 1
}

# log NAME RESULT STATUS TAP: a line as Meson's testlog.json has it
log() {
    python3 -c 'import json, sys
print(json.dumps({"name": sys.argv[1], "result": sys.argv[2], "returncode": int(sys.argv[3]),
                  "stdout": sys.argv[4]}))' "$@"
}

good=$'1..3\nok 1 - a\n# skip: no kernel\nok 2 - b\nok 3 - c # SKIP no data'
log good OK 0 "$good" >"$scratch/good.json"
same "cases and both forms of skips are counted" "$(count "$scratch/good.json")" \
    "1 passed, 0 failed, 2 skipped"
check "a good log is good" tests/house/count.py "$scratch/good.json"

log bad FAIL 1 $'1..2\nok 1 - a\nnot ok 2 - b' >"$scratch/bad.json"
same "a failed case counts once" "$(count "$scratch/good.json" "$scratch/bad.json")" \
    "2 passed, 1 failed, 2 skipped"
status "a failed case fails the whole" 1 tests/house/count.py "$scratch/good.json" "$scratch/bad.json"

log dead ERROR -11 $'1..2\nok 1 - a' >"$scratch/dead.json"
same "a program that dies counts as failed" "$(count "$scratch/dead.json")" \
    "1 passed, 1 failed, 0 skipped"

log cut ERROR 0 $'1..2\nok 1 - a' >"$scratch/cut.json"
same "a plan that is not kept counts as failed" "$(count "$scratch/cut.json")" \
    "1 passed, 1 failed, 0 skipped"

log silent SKIP 0 '' >"$scratch/silent.json"
same "a program without a case counts as failed" "$(count "$scratch/silent.json")" \
    "0 passed, 1 failed, 0 skipped"

log skipped SKIP 0 '1..0 # SKIP no strace' >"$scratch/skipped.json"
same "a skipped program counts as skipped" "$(count "$scratch/skipped.json")" \
    "0 passed, 0 failed, 1 skipped"
status "nothing but skips is no success" 1 tests/house/count.py "$scratch/skipped.json"
status "nothing at all is no success" 1 tests/house/count.py
status "a log that is missing is no success" 1 tests/house/count.py "$scratch/good.json" \
    "$scratch/none.json"
status "a build that failed is no success" 1 tests/house/count.py --failed=build \
    "$scratch/good.json"

# source FOLDER INCLUDE: a small tree with one include
tree() {
    rm -rf "$scratch/src"
    mkdir -p "$scratch/src/$1"
    printf '#include "%s"\n' "$2" >"$scratch/src/$1/x.c"
}

for pair in "detect event/block.h" "event event/value.h" "cli desk/http.h" "report casebook/x.h"; do
    # shellcheck disable=SC2086 # two words
    tree $pair
    check "may include: $pair" tests/house/layers.sh "$scratch/src"
done
for pair in "base event/value.h" "detect hunt/x.h" "intake detect/rule.h" "cli detect/x_internal.h" \
    "other base/map.h" "event vendor/x.h"; do
    # shellcheck disable=SC2086
    tree $pair
    status "may not include: $pair" 1 tests/house/layers.sh "$scratch/src"
done

finish
