#!/usr/bin/env bash
# Every record's fields of real .evtx files against those that other readers find in them: libevtx's
# evtxexport and, where there is one (PATH or $EVTX_DUMP), the evtx crate's evtx_dump.
#
#     test_evtx.sh some|all      a part of the files, or all
cd "$(dirname "$0")/../.." || exit
. tests/e2e/tap.sh
part=${1:-some}
evtx_dump=${EVTX_DUMP:-$(command -v evtx_dump)}
data=../shared/data

mapfile -d '' files < <(find "$data/evtx" "$data/sigma" -name '*.evtx' -print0 2>/dev/null | sort -z)
if [ "$part" = some ]; then
    chosen=()
    for ((i = 0; i < ${#files[@]}; i += 9)); do
        chosen+=("${files[i]}")
    done
    files=("${chosen[@]}")
fi

# compare NAME OPTION PROGRAM
compare() {
    if [ ${#files[@]} -eq 0 ]; then
        skip "$1" "no files in $data"
    elif [ -z "$3" ]; then
        skip "$1" "it is not installed"
    else
        check "$1, ${#files[@]} files" \
            python3 tests/tools/compare_evtx.py --ours "$hikeshi" "$2" "$3" "${files[@]}"
    fi
}
compare "the fields are those of evtxexport" --evtxexport "$(command -v evtxexport)"
compare "the fields are those of evtx_dump" --evtx_dump "$evtx_dump"
finish
