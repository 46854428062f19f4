"""What a shell completes behind `newsclf`: verbs, options, their values, files. Made of the table of options."""

import typing
from collections.abc import Sequence

from newsclf.config.fields import base_type, fields_of, may_be_none
from newsclf.config.options import typed_names
from newsclf.verbs import VERBS, summary

FILES = "@files"  # stands among the values of an option that may name a file

BASH = r"""# shellcheck disable=SC2207  # no mapfile in the bash of macOS, and no blank in these words
# newsclf's completion for bash; turn it on with: eval "$(newsclf completion bash)"
_newsclf_options() {
    case $1 in
%(options)s
    esac
}

_newsclf_values() {
    case $1.$2 in
%(values)s
    esac
}

_newsclf() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]} name='' start='' word
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        COMPREPLY=($(compgen -W '%(verbs)s --help --version' -- "$cur"))
        return
    fi
    if [[ $verb == completion ]]; then
        COMPREPLY=($(compgen -W '%(shells)s' -- "$cur"))
        return
    fi
    # bash cuts words at each =, unless COMP_WORDBREAKS has none.
    if [[ $cur == '=' ]]; then
        name=$prev cur=''
    elif [[ $prev == '=' ]]; then
        name=${COMP_WORDS[COMP_CWORD-2]}
    elif [[ $cur == *=* ]]; then
        name=${cur%%%%=*} start=${cur%%%%=*}= cur=${cur#*=}
    elif [[ $prev == --* && ' %(flags)s ' != *" $prev "* ]]; then
        name=$prev
    fi
    if [[ -z $name ]]; then
        if [[ $cur == -* ]]; then
            COMPREPLY=($(compgen -P -- -W "$(_newsclf_options "$verb")" -- "${cur#--}"))
            COMPREPLY+=($(compgen -W '%(flags)s' -- "$cur"))
        else
            compopt -o nospace 2>/dev/null
            COMPREPLY=($(compgen -S = -W "$(_newsclf_options "$verb")" -- "$cur"))
        fi
        return
    fi
    local values
    values=$(_newsclf_values "$verb" "${name#--}")
    for word in $values; do
        [[ $word != %(files)s && $word == "$cur"* ]] && COMPREPLY+=("$start$word")
    done
    if [[ " $values " == *' %(files)s '* ]]; then
        cur=${cur#[\'\"]} cur=${cur//\\/}  # as it is typed: behind a quote, or with a \ before a blank
        compopt -o filenames 2>/dev/null
        while IFS= read -r word; do
            COMPREPLY+=("$start$word")
        done < <(compgen -f -- "$cur")
    fi
}

complete -F _newsclf newsclf
"""

ZSH = """\
#compdef newsclf
# newsclf's completion for zsh; turn it on, after compinit, with: eval "$(newsclf completion zsh)"
_newsclf_options() {
    case $1 in
%(options)s
    esac
}

_newsclf_values() {
    case $1.$2 in
%(values)s
    esac
}

_newsclf() {
    local verb=$words[2] word=$words[CURRENT] prev=$words[CURRENT-1] name=''
    local -a verbs=(
%(described)s
    ) values flags=(%(flags)s)
    if (( CURRENT == 2 )); then
        _describe verb verbs
        compadd -- --help --version
        return
    fi
    if [[ $verb == completion ]]; then
        compadd -- %(shells)s
        return
    fi
    if [[ $word == *=* ]]; then
        name=${word%%%%=*}
        compset -P '*='
    elif [[ $prev == --* && $prev != *=* && ${flags[(Ie)$prev]} -eq 0 ]]; then
        name=$prev
    fi
    if [[ -z $name ]]; then
        values=($(_newsclf_options $verb))
        if [[ $word == -* ]]; then
            compadd -- --$^values $flags
        else
            compadd -S = -- $values
        fi
        return
    fi
    values=($(_newsclf_values $verb ${name#--}))
    (( ${values[(Ie)%(files)s]} )) && _files
    values=(${values:#%(files)s})
    (( $#values )) && compadd -- $values
}

compdef _newsclf newsclf
"""
SHELLS = {"bash": BASH, "zsh": ZSH}


def completion(shell: str, flags: Sequence[str]) -> str:
    """The script for "bash" or "zsh". flags: of every verb, each with its dashes."""
    options = [f'        {verb}) echo "{" ".join(typed_names(VERBS[verb]))}" ;;' for verb in VERBS]
    by_values: dict[str, list[str]] = {}
    for verb in VERBS:
        for name, values in option_values(VERBS[verb]).items():
            by_values.setdefault(" ".join(values), []).append(f"{verb}.{name}")
    values = [f"        {'|'.join(names)}) echo '{words}' ;;" for words, names in by_values.items() if words]
    described = [f"        '{verb}:{summary(verb)}'" for verb in VERBS]
    return SHELLS[shell] % {
        "options": "\n".join(options),
        "values": "\n".join(values),
        "verbs": " ".join([*VERBS, "completion"]),
        "described": "\n".join([*described, "        'completion:Print the completion for a shell'"]),
        "shells": " ".join(SHELLS),
        "flags": " ".join(flags),
        "files": FILES,
    }


def option_values(config_class: type) -> dict[str, list[str]]:
    """By option name the values that it may have, as far as they can be listed; FILES for what may be a path."""
    hints, found = typing.get_type_hints(config_class), {"config": [FILES]}
    for field in fields_of(config_class):
        kind, limits = base_type(hints[field.name]), field.metadata
        values = list(limits["choices"]) or (["true", "false"] if kind is bool else [])
        if kind is str and not values:
            default = field.default if isinstance(field.default, str) else ""
            values = [*([default] if default.isidentifier() else []), FILES]
        if may_be_none(hints[field.name]):
            values.append(limits["none"])
        found[field.name] = list(dict.fromkeys(values))
    return found
