#!/usr/bin/env bash
# hikeshi store timestamp against an authority that openssl plays, and verify --tsa-ca.
cd "$(dirname "$0")/../.." || exit
. tests/e2e/tap.sh
. tests/e2e/events.sh
export LC_ALL=C.UTF-8 no_proxy='*'
unset HIKESHI_DATA http_proxy https_proxy

folder=$scratch/case
answer=${ANSWER:-build/tests/answer}
# says TEXT COMMAND...: the command's output has the text
says() {
    local text=$1
    shift
    grep -qF -- "$text" <<<"$("$@" 2>&1)"
}
stamp() {
    "$hikeshi" store timestamp --data "$folder" "$@"
}
verify() {
    "$hikeshi" verify --data "$folder" "$@"
}

# ---- an authority ----
cat >"$scratch/tsa.cnf" <<TXT
[tsa]
default_tsa = one
[one]
serial = $scratch/serial
signer_cert = $scratch/tsa.pem
signer_key = $scratch/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
ess_cert_id_alg = sha256
tsa_name = yes
ordering = yes
TXT
make_authority() { # NAME: NAME.pem signs NAME-tsa.pem
    openssl req -x509 -newkey ed25519 -nodes -keyout "$scratch/$1.key" -out "$scratch/$1.pem" \
        -days 30 -subj "/CN=$1" 2>/dev/null
    openssl req -newkey rsa:2048 -nodes -keyout "$scratch/$1-tsa.key" -out "$scratch/$1.csr" \
        -subj "/CN=$1 timestamps" 2>/dev/null
    openssl x509 -req -in "$scratch/$1.csr" -CA "$scratch/$1.pem" -CAkey "$scratch/$1.key" \
        -CAcreateserial -days 30 -out "$scratch/$1-tsa.pem" \
        -extfile <(printf 'extendedKeyUsage = critical,timeStamping\n') 2>/dev/null
}
make_authority good
make_authority other
ln -s good-tsa.pem "$scratch/tsa.pem"
ln -s good-tsa.key "$scratch/tsa.key"
echo 01 >"$scratch/serial"
# what the server does with a request stands in a script that the tests change
reply="openssl ts -reply -config $scratch/tsa.cnf -section one -queryfile /dev/stdin"
echo "$reply 2>/dev/null" >"$scratch/reply.sh"
coproc SERVER { exec "$answer" "sh $scratch/reply.sh"; }
read -r port <&"${SERVER[0]}"
url=http://127.0.0.1:$port/tsr

"$hikeshi" init "$folder" >/dev/null
make_events >"$scratch/one.jsonl"
"$hikeshi" intake --quiet --data "$folder" "$scratch/one.jsonl"
"$hikeshi" store checkpoint --data "$folder" -o "$scratch/checkpoint"

# ---- getting one ----
status "no authority" 2 stamp
status "no URL" 2 stamp --url not/a/url
status "not by another protocol" 2 stamp --url ftp://127.0.0.1/
status "nobody there" 4 stamp --url http://127.0.0.1:1/
size=$(stat -c %s "$folder/hikeshi.journal")
status "a timestamp" 0 stamp --url "http://user:secret@127.0.0.1:$port/tsr"
check "stands in the journal" grep -q "\"entry\":\"timestamp\",\"size\":3,\"url\":\"$url\"" \
    "$folder/hikeshi.journal"
check "without the password" bash -c "! grep -q secret '$folder/hikeshi.journal'"
check "nothing is new, nothing is asked" says "nothing is new" stamp
make_events >"$scratch/two.jsonl"
"$hikeshi" intake --quiet --data "$folder" "$scratch/two.jsonl"
status "the authority is remembered" 0 stamp
same "two stand there" "$(grep -c '"entry":"timestamp"' "$folder/hikeshi.journal")" 2

# ---- checking ----
status "verify" 0 verify
check "tells that nobody is trusted" says "its signature was not checked" verify
status "verify with the authority" 0 verify --tsa-ca "$scratch/good.pem"
check "tells what it says" says "over the first 3 entries, by" verify --tsa-ca "$scratch/good.pem"
status "with another" 1 verify --tsa-ca "$scratch/other.pem"
check "tells the line" says "hikeshi.journal:6: the timestamp's signature" \
    verify --tsa-ca "$scratch/other.pem"
status "with a file that is none" 1 verify --tsa-ca "$scratch/one.jsonl"
# as somebody would who has only the entry and the checkpoint
"$hikeshi" prove --data "$folder" 3 | sed -n 's/^extra //p' | openssl base64 -d -A |
    grep -oE '"response":"[^"]*' | cut -d '"' -f 4 | openssl base64 -d -A >"$scratch/answer.tsr"
check "openssl says the same" says "Verification: OK" openssl ts -verify -in "$scratch/answer.tsr" \
    -data "$scratch/checkpoint" -CAfile "$scratch/good.pem"
sed 2s/3/2/ "$scratch/checkpoint" >"$scratch/altered"
check "and that another checkpoint is not meant" says "Verification: FAILED" openssl ts -verify \
    -in "$scratch/answer.tsr" -data "$scratch/altered" -CAfile "$scratch/good.pem"

# ---- bad answers: nothing of them stays ----
make_events >"$scratch/three.jsonl"
"$hikeshi" intake --quiet --data "$folder" "$scratch/three.jsonl"
size=$(stat -c %s "$folder/hikeshi.journal")
refused() { # NAME SCRIPT
    echo "$2" >"$scratch/reply.sh"
    status "$1" 4 stamp
}
refused "an error of the server" "exit 1"
refused "no timestamp" "echo hello"
refused "nothing" ":"
refused "too much" "head -c 2000000 /dev/zero"
refused "a timestamp over something else" "cat >/dev/null; cat $scratch/answer.tsr"
refused "without what was asked" \
    "openssl ts -query -data $scratch/one.jsonl -sha256 | $reply 2>/dev/null"
refused "half an answer" "$reply 2>/dev/null | head -c 500"
refused "a refusal" "openssl ts -query -data $scratch/one.jsonl -sha1 | $reply 2>/dev/null"
same "the journal is as it was" "$(stat -c %s "$folder/hikeshi.journal")" "$size"
status "and verifies" 0 verify --tsa-ca "$scratch/good.pem"

kill "$SERVER_PID"
finish
