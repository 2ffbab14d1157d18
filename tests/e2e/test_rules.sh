#!/usr/bin/env bash
# hikeshi rules check and rules list, as a user runs them.
cd "$(dirname "$0")/../.." || exit
. tests/e2e/tap.sh
export LC_ALL=C

mkdir "$scratch/rules"
good=$scratch/rules/good.yml
cat >"$good" <<'END'
title: Good
id: 11111111-1111-4111-8111-111111111111
level: high
status: test
tags: [attack.t1003.001]
logsource: {product: windows, category: process_creation}
detection:
    selection: {Image|endswith: '\a.exe'}
    condition: selection
---
title: Waits
level: low
logsource: {product: windows, service: security}
detection:
    selection: {IpAddress|expand: '%scanners%'}
    condition: selection
---
title: Elsewhere
logsource: {product: okta, service: okta}
detection:
    selection: {a: b}
    condition: selection
END

said=$("$hikeshi" rules check "$scratch/rules")
same "a sound set: exit status" $? 0
same "a sound set: what is said" "$said" \
    "$good:11:1: Waits: it can't match yet: the placeholder %scanners% is not defined

Rules  Never match  Log source
    1            1  okta/okta                 not read yet
    1            1  windows/security
    1            0  windows/process_creation

        3 can be used
        1 wait for placeholders (--placeholders FILE)
        1 are for logs that are not read yet"
same "--all names each" "$("$hikeshi" rules check --all "$scratch/rules" | grep -c 'no reader gives')" 1
echo "scanners: [192.0.2.1, 192.0.2.2]" >"$scratch/placeholders.yaml"
same "--placeholders" \
    "$("$hikeshi" rules check --placeholders "$scratch/placeholders.yaml" "$scratch/rules" |
        grep -c 'wait for')" 0

mkfifo "$scratch/rules/pipe.yml"
status "a pipe among the rules is passed over" 0 timeout 10 "$hikeshi" rules check "$scratch/rules"
rm "$scratch/rules/pipe.yml"

bad=$scratch/rules/zbad.yml
cat >"$bad" <<'END'
title: Mistyped
logsource: {product: windows, category: process_creation}
detection:
    selection: {Image|endwith: '\a.exe'}
    condition: selection
---
title: Contradicts itself
logsource: {product: windows, category: process_creation}
detection:
    selection: {EventID: 5}
    condition: selection
---
title: Nowhere
logsource: {product: windows, service: secrity}
detection:
    selection: {EventID: 5}
    condition: selection
---
title: Aggregates
logsource: {product: windows, service: security}
detection:
    selection: {EventID: 4625}
    condition: selection | count() by IpAddress > 5
END
said=$("$hikeshi" rules check "$scratch/rules")
same "faults: exit status" $? 1
same "faults: file, line, column, what" "$(head -n 5 <<<"$said" | sort)" \
    "$(sort <<END
$bad:4:17: Mistyped: there is no modifier 'endwith' (in 'Image|endwith')
$bad:23:26: Aggregates: the aggregation behind '|' is no part of Sigma 2; write a correlation rule (event_count, value_count, temporal) that refers to this rule
$good:11:1: Waits: it can't match yet: the placeholder %scanners% is not defined
$bad:7:1: Contradicts itself: it can never match: EventID is never '5' in events of process_creation by Sysmon 1
$bad:13:1: Nowhere: no mapping knows the log source windows/secrity; correct its name, or add it to a folder for --mappings
END
)"
json=$("$hikeshi" rules check --json "$scratch/rules")
same "--json: numbers" "$(grep -o '^{"rules":5,"correlations":0,"unusable":2,"never":1,"unknown":1,"unread":1,"lacks":1,' <<<"$json")" \
    '{"rules":5,"correlations":0,"unusable":2,"never":1,"unknown":1,"unread":1,"lacks":1,'
if command -v python3 >/dev/null; then
    check "--json is JSON" python3 -m json.tool <<<"$json"
else
    skip "--json is JSON" "no python3"
fi

mkdir "$scratch/mappings"
echo "logsources: [{product: windows, service: secrity, channels: [Security]}]" >"$scratch/mappings/own.yaml"
same "--mappings" "$("$hikeshi" rules check --json --mappings "$scratch/mappings" "$scratch/rules" |
    grep -o '"unknown":[0-9]*')" '"unknown":0'
echo "logsources: [{produt: windows}]" >"$scratch/mappings/own.yaml"
same "--mappings: a mistake has a place" \
    "$("$hikeshi" rules check --mappings "$scratch/mappings" "$scratch/rules" 2>&1)" \
    "hikeshi: $scratch/mappings/own.yaml:1:15: there is no key 'produt' here (docs/mappings.md lists them)"

same "rules list" "$("$hikeshi" rules list -l high "$good")" \
    "high           test          windows/process_creation  Good  $good:1"
same "rules list by tag" "$("$hikeshi" rules list --tag attack.t1003 --json "$good" | grep -c '"title":"Good"')" 1
same "rules list by log source" "$("$hikeshi" rules list --logsource okta "$good" | grep -c .)" 1
same "rules list tells what is left out" "$("$hikeshi" rules list "$scratch/rules" 2>&1 >/dev/null)" \
    "hikeshi: 2 rules can't be used; hikeshi rules check tells why"
status "a folder that is not there" 2 "$hikeshi" rules check "$scratch/none"
status "no folder" 2 "$hikeshi" rules check
check "the rules of the project" "$hikeshi" rules check rules

if [ -d ../shared/data/sigma ]; then
    said=$("$hikeshi" rules check --deprecated ../shared/data/sigma/rules ../shared/data/sigma/rules-*)
    same "SigmaHQ's rules: exit status" $? 0
    same "SigmaHQ's rules: all can be used" "$(grep -c "can't be used" <<<"$said")" 0
else
    skip "SigmaHQ's rules" "they are not there"
fi
finish
