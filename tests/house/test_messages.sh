#!/usr/bin/env bash
# The messages: every one in the sources has its Japanese, none is left that nobody shows, and formats
# take the same arguments in both.
# shellcheck source=tests/e2e/tap.sh
. "$(dirname "$0")/../e2e/tap.sh"
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit

# merge POT PO: what PO becomes with the messages of POT
merge() {
    msgmerge --quiet --no-fuzzy-matching --no-location "$2" "$1"
}

# untranslated PO: those messages, and those that are only guesses
untranslated() {
    msgattrib --untranslated --no-obsolete "$1" | sed '1,/^$/d'
    msgattrib --only-fuzzy --no-obsolete "$1" | sed '1,/^$/d'
}

po/update.sh --pot >"$scratch/now.pot"
merge "$scratch/now.pot" po/ja.po >"$scratch/now.po"
same "all are translated" "$(untranslated "$scratch/now.po")" ""
same "none is left that the sources lack" "$(grep '^#~ msgid' "$scratch/now.po")" ""
check "formats agree" msgfmt --check --output-file=/dev/null "$scratch/now.po"

# the test itself sees what it should
cat >"$scratch/bad.pot" <<'PO'
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\n"

#, c-format
msgid "%s: %u rules"
msgstr ""

#, c-format
msgid ""
"first\n"
"second\n"
msgstr ""
PO
sed '0,/msgstr ""/s//msgstr "%u: %s"/' "$scratch/bad.pot" >"$scratch/bad.po"
status "formats that do not agree are seen" 1 msgfmt --check-format --output-file=/dev/null \
    "$scratch/bad.po"
same "a message without translation is seen" \
    "$(untranslated <(merge "$scratch/bad.pot" "$scratch/bad.po") | grep -c '^msgid')" 1
# "%" PRIu64 makes messages that the reader of the catalogue does not know
same "numbers are written with %zu" "$(grep -c "<PRI" po/ja.po)" 0
finish
