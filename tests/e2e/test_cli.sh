#!/usr/bin/env bash
# The program's outside: help, completion, manual, mistakes in the command line.
cd "$(dirname "$0")/../.." || exit
. tests/e2e/tap.sh

export LC_ALL=C.UTF-8

# commands and options, as the program tells them for completion
commands_of() {
    "$hikeshi" complete -- "$@" "" | cut -f 1
}
all_commands() {
    local first second
    for first in $(commands_of); do
        if [ "$("$hikeshi" complete -- "$first" "" | head -n 1)" = ":files" ] ||
            "$hikeshi" help "$first" >/dev/null 2>&1; then
            echo "$first"
        else
            for second in $(commands_of "$first"); do
                echo "$first $second"
            done
        fi
    done
}
options_of() {
    # shellcheck disable=SC2086 # one or two words
    "$hikeshi" complete -- $1 -- | cut -f 1
}

check "--version" "$hikeshi" --version
same "--version names it" "$("$hikeshi" --version | cut -d ' ' -f 1)" hikeshi
status "help" 0 "$hikeshi" help
status "--help" 0 "$hikeshi" --help
same "help in Japanese" "$(LC_ALL=ja_JP.UTF-8 "$hikeshi" help scan | head -n 1)" \
    "使い方: hikeshi scan [OPTION...] PATH..."
same "help of every command has its Japanese" "$(
    for command in scan events "rules check" completion; do
        # shellcheck disable=SC2086 # one or two words
        LC_ALL=ja_JP.UTF-8 "$hikeshi" help $command | LC_ALL=C grep -E '^ +(-.,)? *--' |
            LC_ALL=C grep -v '[^ -~]' | grep -v ' FILE$'
    done
)" ""
check "help of a group lists its commands" grep -q '^  rules check ' <("$hikeshi" help rules)
status "help of a group" 0 "$hikeshi" help rules
same "a group --help is the same" "$("$hikeshi" rules --help)" "$("$hikeshi" help rules)"
status "a group alone" 2 "$hikeshi" rules
status "help of what is no group" 2 "$hikeshi" help rule
same "help names every exit status" \
    "$("$hikeshi" scan --help | sed -n '/^Exit status/,/^$/p' | grep -oE '^ +[0-9]+' | xargs)" \
    "0 1 2 3 4 130"
same "completion tells what is in a group" "$("$hikeshi" complete -- rule)" "rules	check, list"
status "no command" 2 "$hikeshi"
status "an unknown command" 2 "$hikeshi" zebra
same "a mistyped command" "$("$hikeshi" hepl 2>&1)" \
    'hikeshi: there is no command "hepl"; did you mean "help"?'
same "a mistyped option in Japanese" "$("$hikeshi" completion --lang ja --halp bash 2>&1)" \
    "hikeshi completion: --halp というオプションはありません。--help のことですか (hikeshi completion --help を参照)"
status "no such language" 2 "$hikeshi" help --lang de
same "a word of another language" "$("$hikeshi" complete -- help --lang "" | xargs)" "en ja"
same "a mistyped option" "$("$hikeshi" completion --halp bash 2>&1)" \
    'hikeshi completion: unknown option --halp; did you mean --help? (see hikeshi completion --help)'
status "a closed output" 4 bash -c '"$0" help >&-' "$hikeshi"
if [ -w /dev/full ]; then
    status "a full disk" 4 bash -c '"$0" help >/dev/full' "$hikeshi"
else
    skip "a full disk" "no /dev/full"
fi
same "a reader that went away" \
    "$(bash -c '{ sleep 0.2; "$0" manual; } | true; echo "${PIPESTATUS[0]}"' "$hikeshi" 2>&1)" 0

manual=$("$hikeshi" manual)
plain_manual=${manual//\\-/-}
missing=
without_help=
n=0
while IFS= read -r command; do
    # shellcheck disable=SC2086
    help=$("$hikeshi" help $command) || without_help+=" $command"
    case $plain_manual in *".SS \"hikeshi $command"*) ;; *) missing+=" $command" ;; esac
    for option in $(options_of "$command"); do
        n=$((n + 1))
        [ "$option" = --help ] || case $plain_manual in
        *"\\fB$option\\fR"*) ;;
        *) missing+=" $command:$option" ;;
        esac
        case $help in *"$option"*) ;; *) without_help+=" $command:$option" ;; esac
    done
done < <(all_commands)
same "every command and option is in the manual" "$missing" ""
same "every command and option is in the help" "$without_help" ""
check "there are commands with options" [ "$n" -gt 2 ]
if command -v man >/dev/null && command -v groff >/dev/null; then
    same "man has nothing to say against the manual" \
        "$(LC_ALL=C.UTF-8 MANROFFSEQ='' man --warnings -l - <<<"$manual" 2>&1 >/dev/null)" ""
else
    skip "man has nothing to say against the manual" "no man"
fi

# Completion as bash does it: the script is read, and its function asked.
in_bash() {
    PATH=$(dirname "$hikeshi"):$PATH bash -c '
        source <(hikeshi completion bash)
        COMP_WORDS=("$@")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _hikeshi
        printf "%s\n" "${COMPREPLY[@]}"' _ hikeshi "$@"
}
same "bash: a command" "$(in_bash comple)" completion
same "bash: an option" "$(in_bash completion --he)" --help
same "bash: a word" "$(in_bash completion ba)" bash
same "bash: nothing fits" "$(in_bash zebra x)" ""
for shell in zsh fish; do
    if command -v "$shell" >/dev/null; then
        "$hikeshi" completion "$shell" >"$scratch/script"
        check "$shell reads its script" "$shell" -n "$scratch/script"
    else
        skip "$shell reads its script" "no $shell"
    fi
done
status "a shell that nobody knows" 2 "$hikeshi" completion csh

finish
