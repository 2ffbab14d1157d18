#!/usr/bin/env bash
# hikeshi verify and hikeshi prove, as a user runs them; the recipes of docs/seals.md, as a stranger does.
cd "$(dirname "$0")/../.." || exit
. tests/e2e/tap.sh
. tests/e2e/events.sh
export LC_ALL=C.UTF-8
hikeshi=$(realpath "$hikeshi")
unset HIKESHI_DATA

folder=$scratch/case
make_events >"$scratch/one.jsonl"
make_events | sed 's/pc0/ws0/Ig; s/srv/ws9/g' >"$scratch/two.jsonl"
make_events | sed 's/pc0/dc0/Ig; s/srv/dc9/g' >"$scratch/three.jsonl"
"$hikeshi" init "$folder" >"$scratch/said" || exit
key=$(grep -o 'hikeshi/[0-9a-f]*+.*' "$scratch/said")
verify() {
    "$hikeshi" verify --data "$folder" "$@"
}
prove() {
    "$hikeshi" prove --data "$folder" "$@"
}
# how many things are wrong
wrongs() {
    verify --json "$@" | grep -oE '"wrong":\[.*\],"notes"' | grep -o '"what"' | wc -l
}
# says TEXT COMMAND...: the command's output has the text
says() {
    local text=$1
    shift
    grep -qF -- "$text" <<<"$("$@" 2>&1)"
}

# ---- a folder as it should be ----
status "an empty folder" 0 verify
"$hikeshi" intake --quiet --data "$folder" "$scratch/one.jsonl" || exit
"$hikeshi" store checkpoint --data "$folder" -o "$scratch/early.checkpoint"
"$hikeshi" intake --quiet --data "$folder" "$scratch/two.jsonl" "$scratch/three.jsonl" || exit
status "all is as it was" 0 verify
status "the key is that" 0 verify --key "$key"
echo "$key" >"$scratch/key"
status "the key, from a file" 0 verify --key "$scratch/key"
"$hikeshi" init "$scratch/other" >/dev/null
other=$("$hikeshi" store checkpoint --data "$scratch/other" --json | cut -d '"' -f 4)
status "another key" 1 verify --key "$other"
status "no key" 2 verify --key nothing
status "it goes on from the checkpoint" 0 verify --against "$scratch/early.checkpoint"
"$hikeshi" store checkpoint --data "$scratch/other" >"$scratch/other.checkpoint"
status "another folder's checkpoint" 1 verify --against "$scratch/other.checkpoint"
status "no data folder" 2 "$hikeshi" verify --data "$scratch"
check "it counts" says '"segments":2,"events":18,"originals":3' verify --json
same "it says nothing when it need not" "$(verify --quiet)" ""

# ---- any byte, any file ----
changed=0
named=0
# Changes the byte at a place by chance of each kind of file, as an accident or a hand would.
RANDOM=20261125
mapfile -t files < <(find "$folder" -type f ! -name lock | sort)
for file in "${files[@]}"; do
    size=$(stat -c %s "$file")
    for _ in 1 2 3; do
        place=$((RANDOM * 32768 + RANDOM))
        place=$((place % size))
        cp -p "$file" "$scratch/kept"
        chmod u+w "$file"
        byte=$(od -An -tu1 -j "$place" -N 1 "$file" | tr -d ' ')
        printf '%b' "$(printf '\\0%03o' $((byte ^ (1 << RANDOM % 8))))" |
            dd of="$file" bs=1 seek="$place" conv=notrunc status=none
        changed=$((changed + 1))
        verify >"$scratch/said" 2>&1
        if [ $? -eq 1 ] && grep -F "wrong: " "$scratch/said" | grep -qF "$file"; then
            named=$((named + 1))
        else
            echo "# byte $place of $file"
            sed 's/^/# /' "$scratch/said"
        fi
        cp -p "$scratch/kept" "$file"
    done
done
same "every changed byte is found, and its file named" "$named" "$changed"
status "all is as it was again" 0 verify
gone=0
for file in "${files[@]}"; do
    mv "$file" "$scratch/kept"
    verify >"$scratch/said" 2>&1
    case $? in
    1) ;;
    0) [[ $file == */seal.key || $file == */catalogue.sqlite ]] || echo "# nothing wrong without $file" ;; # a note
    2) [[ $file == */hikeshi.journal ]] || echo "# no folder without $file" ;;
    *) echo "# without $file" ;;
    esac
    if grep -qF "$(basename "$file")" "$scratch/said" || [[ $file == */hikeshi.journal ]]; then
        gone=$((gone + 1))
    else
        echo "# $file is not named"
        sed 's/^/# /' "$scratch/said"
    fi
    mv "$scratch/kept" "$file"
done
same "every file that is taken out is named" "$gone" "${#files[@]}"
for new in segments/00000009.seg originals/ab.zst originals/00/x x lock.new segments/x; do
    mkdir -p "$folder/$(dirname "$new")"
    echo x >"$folder/$new"
    check "a file that was put in: $new" says "wrong: $new" verify
    rm "$folder/$new"
done
rmdir "$folder/originals/00"
mkdir "$folder/hunts" "$folder/rules"
echo events >"$folder/hunts/all.kql"
echo 'title: x' >"$folder/rules/x.yml"
status "saved hunts and rules are no evidence" 0 verify
check "which is noted" says "note: hunts: " verify
check "of both" says "note: rules: " verify
rm -r "$folder/hunts" "$folder/rules"
echo '{"a":1}' >"$folder/incoming"
status "what a pipe left is not wrong" 0 verify
check "but noted" says "note: incoming: " verify
rm "$folder/incoming"
printf 'x' >>"$folder/lock"
check "a lock with content" says "lock" verify
: >"$folder/lock"
touch "$folder/x"$'\e[31m'
check "a name that would steer the terminal is shown harmless" says 'x\x1b[31m' verify
rm "$folder/x"$'\e[31m'
cp -r "$folder" "$scratch/copy"
head -n 5 "$folder/hikeshi.journal" >"$scratch/copy/hikeshi.journal"
rm "$scratch/copy/segments/00000002.seg"
find "$scratch/copy/originals" -name '*.zst' | while IFS= read -r file; do
    grep -qF "$(basename "$file" .zst)" "$scratch/copy/hikeshi.journal" || rm "$file"
done
"$hikeshi" store checkpoint --data "$folder" >"$scratch/last.checkpoint"
status "a folder rolled back is right in itself" 0 "$hikeshi" verify --data "$scratch/copy"
status "but not for who kept a checkpoint" 1 \
    "$hikeshi" verify --data "$scratch/copy" --against "$scratch/last.checkpoint"

# ---- the recipes of docs/seals.md ----
awk -v to="$scratch/" '/^```sh$/ { getline; name = to $2; print > name; next }
    /^```$/ { name = "" } name { print > name }' docs/seals.md
sum=$(openssl dgst -sha256 -r "$scratch/two.jsonl" | cut -d ' ' -f 1)
check_proof() {
    sh "$scratch/check-proof.sh" "$key" "$1"
}
prove "$scratch/two.jsonl" -o "$scratch/two.proof"
check "a file's proof holds" check_proof "$scratch/two.proof"
check "it has the file's SHA-256" says "\"sha256\":\"$sum\"" check_proof "$scratch/two.proof"
same "by its SHA-256 it is the same" "$(prove "$sum")" "$(cat "$scratch/two.proof")"
(cd / && "$hikeshi" prove --data "$folder" "$scratch/two.jsonl") >"$scratch/again"
same "so it is by the name under which it was taken in" "$(cat "$scratch/again")" \
    "$(cat "$scratch/two.proof")"
last=$(verify --json | grep -oE '"entries":[0-9]+' | cut -d : -f 2)
good=0
for ((i = 0; i < last; i++)); do
    prove "$i" -o "$scratch/i.proof" && check_proof "$scratch/i.proof" >"$scratch/entry" &&
        good=$((good + 1))
done
same "every entry's proof holds" "$good" "$last"
status "no such entry" 2 prove "$last"
prove "$scratch/three.jsonl#9" -o "$scratch/event.proof" 2>"$scratch/said"
check "an event's proof names its segment" grep -qF segments/00000002.seg "$scratch/said"
check "and holds" check_proof "$scratch/event.proof"
segment=$(openssl dgst -sha256 -r "$folder/segments/00000002.seg" | cut -d ' ' -f 1)
check "it has the segment's SHA-256" says "\"sha256\":\"$segment\"" check_proof "$scratch/event.proof"
status "no such record" 2 prove "$scratch/three.jsonl#99"
status "no such file" 2 prove "$scratch/said"
status "nothing to prove" 2 prove
status "two things to prove" 2 prove 0 --since 1
fooled=0
size=$(stat -c %s "$scratch/two.proof")
for ((i = 0; i < 25; i++)); do # anywhere but in the name behind the dash, which is not looked at
    place=$(((RANDOM * 32768 + RANDOM) % (size - 1)))
    cp "$scratch/two.proof" "$scratch/bad.proof"
    byte=$(od -An -tu1 -j "$place" -N 1 "$scratch/bad.proof" | tr -d ' ')
    printf '%b' "$(printf '\\0%03o' $((byte ^ 8)))" | # not a bit that base64 has left over
        dd of="$scratch/bad.proof" bs=1 seek="$place" conv=notrunc status=none
    if check_proof "$scratch/bad.proof" >"$scratch/entry" 2>&1; then
        # what is no part of the proof may change: the signature's line before the signature itself
        if ! cmp -s <(sed 's/^— [^ ]* //' "$scratch/bad.proof") <(sed 's/^— [^ ]* //' "$scratch/two.proof"); then
            fooled=$((fooled + 1))
            echo "# byte $place"
        fi
    fi
done
same "an altered proof does not hold" "$fooled" 0
status "nor does it with another key" 1 sh "$scratch/check-proof.sh" "$other" "$scratch/two.proof"
check_consistency() {
    sh "$scratch/check-consistency.sh" "$key" "$@"
}
prove --since "$scratch/early.checkpoint" -o "$scratch/consistency.proof"
check "the folder goes on from the checkpoint" \
    check_consistency "$scratch/early.checkpoint" "$scratch/consistency.proof"
prove --since "$scratch/last.checkpoint" -o "$scratch/same.proof"
check "the checkpoint is the last one" \
    check_consistency "$scratch/last.checkpoint" "$scratch/same.proof"
status "a proof for another checkpoint" 1 \
    check_consistency "$scratch/last.checkpoint" "$scratch/consistency.proof"
sed '3s/^./#/' "$scratch/consistency.proof" >"$scratch/bad.proof"
status "an altered one" 1 check_consistency "$scratch/early.checkpoint" "$scratch/bad.proof"
sed 3d "$scratch/consistency.proof" >"$scratch/bad.proof"
status "one without its first hash" 1 check_consistency "$scratch/early.checkpoint" "$scratch/bad.proof"
status "a checkpoint of another folder" 2 prove --since "$scratch/other.checkpoint"
status "more entries than there are" 2 prove --since 1000

finish
