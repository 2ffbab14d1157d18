#!/usr/bin/env bash
# Public attack samples with all of SigmaHQ's rules: nothing goes wrong, and what is found is what was
# found before, counted by rule: tests/golden/attack-samples.tsv. When a change is meant to find more
# or less, look at the difference and take the new one:
#
#     GOLDEN=write tests/e2e/test_samples.sh
cd "$(dirname "$0")/../.." || exit
. tests/e2e/tap.sh

golden=tests/golden/attack-samples.tsv
data=../shared/data
if [ ! -d "$data/evtx/attack-samples" ] || [ ! -d "$data/sigma/rules" ]; then
    skip "attack samples" "no data in $data"
    finish
fi

"$hikeshi" scan -f jsonl --quiet \
    -r "$data/sigma/rules" -r "$data/sigma/rules-emerging-threats" \
    -r "$data/sigma/rules-threat-hunting" "$data/evtx/attack-samples" \
    >"$scratch/found.jsonl" 2>"$scratch/said"
same "the scan ends with findings" $? 1
python3 - "$scratch/found.jsonl" >"$scratch/counts.tsv" <<'PY'
import collections, json, sys
counts = collections.Counter()
for line in open(sys.argv[1], encoding='utf-8'):
    finding = json.loads(line)
    counts[finding['rule']['id']] += 1
for rule, n in sorted(counts.items()):
    print(rule, n, sep='\t')
PY
[ "${GOLDEN:-}" != write ] || cp "$scratch/counts.tsv" "$golden"
same "findings by rule" "$(diff "$golden" "$scratch/counts.tsv")" ""
same "findings are in order of time" "$(python3 - "$scratch/found.jsonl" <<'PY'
import json, sys
times = [json.loads(line).get('time') or '9' for line in open(sys.argv[1], encoding='utf-8')]
print(times == sorted(times))
PY
)" True
finish
