#!/usr/bin/env bash
# The demonstration tells its story, and the rules that are the project's own are sound.
cd "$(dirname "$0")/../.." || exit
. tests/e2e/tap.sh

said=$(demo/demo.sh "$hikeshi" 2>&1)
same "the demonstration runs" $? 0
for what in "Program Saved From a Mail" "Program With the Name of a Document" \
    "Opened Attachment Calls Home" "Somebody Looks Around" "Memory of LSASS Written to a File" \
    "One Address Tries Many Accounts" "Service of the Kind That Remote Execution Leaves" \
    "Shell Started by Remote Management" "Shadow Copies Deleted" "Event Log Cleared"; do
    check "it shows: $what" grep -qF "${what:0:20}" <<<"$said"
done
check "it writes a page" grep -q '</html>' "$(dirname "$(realpath "$hikeshi")")/demo.html"
found=$("$hikeshi" scan -r rules -f jsonl demo/events 2>"$scratch/said")
same "nothing goes wrong with the rules" "$(grep -c "can't be used" "$scratch/said")" 0
unused=
while IFS= read -r file; do
    # a file's last rule: those before it serve its correlations (rules/correlations: a unit test)
    id=$(grep '^id: ' "$file" | tail -n 1 | cut -d ' ' -f 2)
    grep -qF "$id" <<<"$found" || unused+=" $file"
done < <(find rules/windows -name '*.yml' ! -name process_discovery.yml | sort)
same "each rule finds something in the demonstration" "$unused" ""
quiet=$("$hikeshi" scan -r rules -f jsonl --to 2026-11-10T10:21:00+09:00 demo/events 2>/dev/null)
same "nothing is found in the ordinary part of the morning" "$quiet" ""
finish
