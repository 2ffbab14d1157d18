#!/usr/bin/env bash
# Brings po/ja.po up to date with the messages in the sources, and shows what is left to translate.
#
#     po/update.sh            changes po/ja.po
#     po/update.sh --pot      only writes the messages, as a template, to standard output
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
pot=$(mktemp)
trap 'rm -f "$pot"' EXIT

# Without places in the sources: those change with every edit. xgettext marks as formats what it finds
# in printf alone; the flags name our own functions of that kind.
messages() {
    LC_ALL=C sort |
        xgettext --files-from=- --language=C --from-code=UTF-8 --no-location --sort-output \
            --keyword=_ --keyword=N_ --keyword=locale_plural:1,2 --package-name=hikeshi \
            --flag=_:1:pass-c-format --flag=N_:1:pass-c-format --flag=locale_plural:1:pass-c-format \
            --flag=locale_plural:2:pass-c-format --flag=error_set:5:c-format \
            --flag=buf_printf:2:c-format --flag=arena_printf:2:c-format \
            --flag=error_system:3:c-format --flag=problem_add:4:c-format "$@" --output="$pot"
}
find src -name '*.[ch]' | messages
sed -i "s/charset=CHARSET/charset=UTF-8/" "$pot"
# What tells of errors is a message by itself, but for faults of what is written in English.
find src/base src/casebook src/cli src/intake src/report -name '*.c' ! -name 'yaml*' |
    messages --join-existing --keyword=error_set:5 --keyword=error_system:3 \
        --keyword=problem_add:4 --keyword=problem:3 --keyword=evtx_wrong:3
msggrep --invert-match --msgid --regexp='^%s$' --output-file="$pot" "$pot"
xgettext --join-existing --language=JavaScript --from-code=UTF-8 --no-location --sort-output \
    --keyword=T --output="$pot" src/report/html/page.js
sed -i '/^.POT-Creation-Date/d' "$pot"
if [ "${1:-}" = --pot ]; then
    cat "$pot"
    exit
fi
msgmerge --quiet --update --backup=none --no-fuzzy-matching --no-location --sort-output \
    po/ja.po "$pot"
msgattrib --untranslated --no-obsolete po/ja.po
msgfmt --check --statistics --output-file=/dev/null po/ja.po
