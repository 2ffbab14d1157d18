#!/usr/bin/env bash
# All that is checked without running the program. Prints TAP: one case a check.
#
#     tests/house/lint.sh BUILD     BUILD is a Meson folder set up for clang; it keeps the cache
#
# A file that clang-tidy or cppcheck found clean is not looked at again until it, what it includes,
# its compile command or the configuration changes.
set -uo pipefail
build=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
jobs=${JOBS:-$(nproc)}
cache=$build/lint-cache
mkdir -p "$cache"

number=0
worst=0

# check NAME COMMAND...: one TAP case; what the command says is shown when it fails.
check() {
    local name=$1 said
    shift
    number=$((number + 1))
    if said=$("$@" 2>&1); then
        echo "ok $number - $name"
    else
        worst=1
        sed 's/^/# /' <<<"$said"
        echo "not ok $number - $name"
    fi
}

# files PATTERN...: what is in the repository or about to be; "*" stands for slashes too.
files() {
    local pattern tests=()
    if git rev-parse --git-dir >/dev/null 2>&1; then
        git ls-files -co --exclude-standard -- "$@" | while IFS= read -r file; do
            [ ! -f "$file" ] || printf '%s\n' "$file"
        done
    else # sources without their history
        for pattern in "$@"; do
            tests+=(-o -path "./$pattern")
        done
        find . -path './build*' -prune -o -type f \( "${tests[@]:1}" \) -print | sed 's|^\./||'
    fi
}

form() {
    local said
    said=$(files '*.c' '*.h' '*.cpp' |
        xargs -r -d '\n' clang-format-14 --dry-run -Werror --style=file 2>&1) || {
        grep -oE '^[^:]+:[0-9]+:[0-9]+: error' <<<"$said" | cut -d : -f 1 | sort | uniq -c |
            sed 's/^ *\([0-9]*\) \(.*\)/\2: \1 places are out of form; .\/run format/'
        return 1
    }
}

shell_scripts() {
    {
        files '*.sh' run .ci/run
        files 'tests/*' 'demo/*' 'bench/*' | while IFS= read -r file; do
            case $file in *.*) continue ;; esac
            head -c 64 "$file" | head -n 1 | grep -qE '^#!.*\b(ba)?sh\b' && printf '%s\n' "$file"
        done
    } | sort -u | xargs -r -d '\n' shellcheck -x
}

lengths() {
    files 'src/*.c' 'src/*.h' 'src/*.cpp' | xargs -r -d '\n' wc -l |
        awk '$2 != "total" && $1 > 800 { print $2 ": " $1 " lines; at most 800"; bad = 1 }
             END { exit bad }'
}

# One entry a line: FILE <tab> COMMAND, of the C and C++ files in the repository.
compile_commands() {
    python3 - "$build/compile_commands.json" <<'PY'
import json, os, sys
seen = set()
for entry in json.load(open(sys.argv[1])):
    path = os.path.relpath(os.path.join(entry['directory'], entry['file']))
    if path.endswith(('.c', '.cpp')) and not path.startswith(('build', '..')) and path not in seen:
        seen.add(path)
        print(path + '\t' + entry['command'])
PY
}

# inspect_one "FILE<tab>COMMAND": clang-tidy and cppcheck on one file, unless the cache knows that
# exactly this was clean. The key is the preprocessed text with its comments (NOLINT is one).
inspect_one() {
    local file=${1%%$'\t'*} command=${1#*$'\t'} key said
    # without the making of the object and of its list of dependencies
    command=$(sed -E 's/ -M[DM]D?( -M[QF] [^ ]+)*//; s/ -o .*//' <<<"$command")
    key=$(set -eo pipefail
        {
            cat .clang-tidy tests/house/lint.sh tests/house/cppcheck.txt
            clang-tidy-14 --version
            printf '%s\n' "$command"
            root=$PWD
            cd "$build"
            bash -c "$command -E -C -o - '$root/$file'"
        } 2>/dev/null | sha256sum | cut -d ' ' -f 1) || key=none
    [ "$key" = none ] || [ ! -e "$cache/$key" ] || return 0
    said=$(clang-tidy-14 --quiet -p "$build" "$file" 2>&1) &&
        said=$(cppcheck --quiet --std=c11 --std=c++17 --enable=warning,performance,portability \
            --inline-suppr --suppressions-list=tests/house/cppcheck.txt --error-exitcode=1 \
            -I src -D_GNU_SOURCE -D__x86_64__ -D__BYTE_ORDER__=1234 \
            -D__ORDER_LITTLE_ENDIAN__=1234 "$file" 2>&1) &&
        { [ "$key" = none ] || : >"$cache/$key"; return 0; }
    printf '%s\n' "$said"
    return 1
}

static_analysis() {
    export build cache
    export -f inspect_one
    compile_commands | xargs -r -d '\n' -n 1 -P "$jobs" bash -c 'inspect_one "$1"' _
}

# A file that no target builds would pass by the static analysis.
all_built() {
    comm -23 <(files 'src/*.c' 'src/*.cpp' 'tests/*.c' 'bench/*.c' | sort -u) \
        <(compile_commands | cut -f 1 | sort -u) |
        awk '{ print $0 ": no target builds it"; bad = 1 } END { exit bad }'
}

check "clang-format" form
check "shellcheck" shell_scripts
check "no file over 800 lines" lengths
check "includes run one way" tests/house/layers.sh
check "every C file is built" all_built
check "clang-tidy and cppcheck" static_analysis
echo "1..$number"
exit $worst
