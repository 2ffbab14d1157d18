#!/usr/bin/env bash
# The dependencies of the folders of src/ run one way:
#   base <- event <- store <- intake <- (hunt, detect) <- casebook <- (triage, respond, report)
#        <- (drill, desk) <- cli
# Includes from the own folder and from folders to the left are fine; neighbours in brackets do not
# know each other. Nobody includes another folder's *_internal.h.
set -euo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/../../src}"

grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' --include='*.[ch]' --include='*.cpp' . |
    awk '
    BEGIN {
        n = split("base|event|store|intake|hunt detect|casebook|triage respond report|drill desk|cli",
                  groups, "|")
        for (i = 1; i <= n; i++) {
            m = split(groups[i], names, " ")
            for (j = 1; j <= m; j++)
                rank[names[j]] = i
        }
    }
    {
        split($0, at, ":")
        file = substr(at[1], 3)
        from = file
        sub(/\/.*/, "", from)
        target = $0
        sub(/^[^"]*"/, "", target)
        sub(/".*/, "", target)
        if (target !~ /\//)
            to = from
        else {
            to = target
            sub(/\/.*/, "", to)
        }
        if (!(from in rank))
            why = "the folder " from " is not in the map of the house"
        else if (!(to in rank))
            why = "write the path from src/: \"folder/file.h\""
        else if (to != from && rank[to] >= rank[from])
            why = from " may not include from " to
        else if (to != from && target ~ /_internal\.h$/)
            why = "internal to " to
        else
            next
        print "src/" file ":" at[2] ": includes " target ": " why
        bad = 1
    }
    END { exit bad }'
