"""Shell completion: the scripts that `--completion SHELL` prints, and what they ask for.

The scripts know nothing themselves: each time they ask `ddsimport --complete -- WORDS`, whose last
word is the one to be completed, and are answered with a word on each line; the first line says
what the shell is to add of its own: `files`, `folders` or nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

from ddsimport import config
from ddsimport.errors import ConfigurationError, StoreError
from ddsimport.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import NoReturn

SHELLS = ("bash", "zsh", "fish")

_MOST = 2000
"""Artifact paths that are offered."""

_BASH = """\
# bash completion for ddsimport:  eval "$(ddsimport --completion bash)"
_ddsimport() {
    local IFS=$'\\n' line="${COMP_LINE:0:COMP_POINT}" words answer kind
    # As the user wrote them: bash takes `=` and `@` for the ends of words.
    IFS=$' \\t' read -r -a words <<< "$line"
    [[ "$line" == *[$' \\t'] ]] && words+=("")
    IFS=$'\\n' read -r -d '' -a answer < <(
        "${words[0]}" --complete -- "${words[@]:1}" 2>/dev/null)
    kind="${answer[0]}"
    COMPREPLY=("${answer[@]:1}")
    local last="${words[${#words[@]}-1]}" cut
    cut="${last%"${COMP_WORDS[COMP_CWORD]}"}"
    [[ "${COMP_WORDS[COMP_CWORD]}" == "=" ]] && cut="$last"
    if [[ -n "$cut" && "$last" == *[=@]* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"$cut"}")
    fi
    if [[ "$kind" == files || "$kind" == folders ]]; then
        compopt -o filenames 2>/dev/null
        local flag=-f; [[ "$kind" == folders ]] && flag=-d
        local value="${last##*=}"
        COMPREPLY+=($(compgen $flag -- "$value"))
    elif [[ ${#COMPREPLY[@]} -eq 1 && "${COMPREPLY[0]}" == *[=/] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -F _ddsimport ddsimport
"""

_ZSH = """\
#compdef ddsimport
# zsh completion for ddsimport:  source <(ddsimport --completion zsh)
_ddsimport() {
    local -a answer
    answer=("${(@f)$("${words[1]}" --complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    local kind="${answer[1]}"
    answer=("${(@)answer[2,-1]}")
    (( ${#answer} )) && compadd -- "${answer[@]}"
    [[ "$PREFIX" == -*=* ]] && compset -P '*='  # of `--store=DIR`, the folder is completed
    case "$kind" in
        files) _files ;;
        folders) _files -/ ;;
    esac
}
compdef _ddsimport ddsimport
"""

_FISH = """\
# fish completion for ddsimport:  ddsimport --completion fish | source
function __ddsimport_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l answer ($words[1] --complete -- $words[2..-1] 2>/dev/null)
    switch "$answer[1]"
        case files
            __fish_complete_path (commandline -ct)
        case folders
            __fish_complete_directories (commandline -ct) ''
    end
    printf '%s\\n' $answer[2..-1]
end
complete -c ddsimport -f -a '(__ddsimport_complete)'
"""


def script_for(shell: str) -> str:
    """The text that a shell is to run."""
    return {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}[shell]


class _ParserError(Exception):
    """Thrown out of a command with its parser, before it parses anything."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        super().__init__()
        self.parser = parser


def answer(
    words: Sequence[str],
    *,
    options: Sequence[str],
    with_value: Mapping[str, str],
    commands: Mapping[str, str],
) -> str:
    """What the shell is told.

    Args:
        words: those after `ddsimport`, up to the one that is to be completed.
        options: those of the program itself.
        with_value: which of them take a value, and of what kind.
        commands: name -> module of each command.
    """
    *before, word = words or [""]
    kind, found = "", list[str]()
    place = 0
    while place < len(before):  # options of the program
        name, equals, _ = before[place].partition("=")
        if name in with_value and not equals:
            if place + 1 == len(before):
                return _told(*_values(with_value[name], word, {}), word)
            place += 1
        elif not before[place].startswith("-") or before[place] in ("-m", "--"):
            break
        place += 1
    rest = before[place:]
    if not rest:
        name, equals, value = word.partition("=")
        if equals and name in with_value:
            kind, found = _values(with_value[name], value, {})
            return _told(kind, [f"{name}={each}" for each in found], word)
        if word.startswith("-"):
            return _told("", [*options], word)
        return _told("files", [*commands], word)
    if rest[0] in commands:
        kind, found = _of_parser(_parser_of(commands[rest[0]]), rest[1:], word)
        return _told(kind, found, word)
    return _told("files", [], word)  # the program's own arguments


def _told(kind: str, found: Sequence[str], word: str) -> str:
    fitting = [each for each in dict.fromkeys(found) if each.startswith(word)]
    return "\n".join([kind or "nothing", *fitting]) + "\n"


def _parser_of(module: str) -> argparse.ArgumentParser:
    """The parser of a command."""

    def throw(parser: argparse.ArgumentParser, *_: object, **__: object) -> NoReturn:
        raise _ParserError(parser)

    # This process does nothing else; so each command need not have a function for this.
    argparse.ArgumentParser.parse_args = throw  # type: ignore[method-assign,assignment]
    try:
        import_module(module).main([])
    except _ParserError as found:
        return found.parser
    raise AssertionError(f"{module} parses nothing")


def _of_parser(
    parser: argparse.ArgumentParser, before: Sequence[str], word: str
) -> tuple[str, list[str]]:
    flags = {flag: action for action in parser._actions for flag in action.option_strings}
    given: dict[str, str] = {}
    waiting: argparse.Action | None = None
    count = 0
    for each in before:
        if waiting is not None:
            given[waiting.dest] = each
            waiting = None
            continue
        name, equals, value = each.partition("=")
        action = flags.get(name)
        if action is not None:
            if action.nargs != 0 and not equals:
                waiting = action
            elif equals:
                given[action.dest] = value
            continue
        below = _below(parser)
        if below is not None and each in below:
            return _of_parser(below[each], before[before.index(each) + 1 :], word)
        count += 1
    if waiting is not None:
        return _values_of(waiting, word, given)
    name, equals, value = word.partition("=")
    if equals and name in flags:
        kind, found = _values_of(flags[name], value, given)
        return kind, [f"{name}={each}" for each in found]
    if word.startswith("-"):
        return "", [flag for flag in flags if flag.startswith("--") or len(word) < 2]
    below = _below(parser)
    if below is not None:
        return "", list(below)
    positional = [action for action in parser._actions if not action.option_strings]
    if not positional:
        return "", []
    action = positional[min(count, len(positional) - 1)]
    if count >= len(positional) and action.nargs not in ("*", "+"):
        return "", []
    return _values_of(action, word, given)


def _below(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser] | None:
    """The commands of a command."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return None


def _values_of(
    action: argparse.Action, word: str, given: Mapping[str, str]
) -> tuple[str, list[str]]:
    if action.choices is not None:
        return "", list(action.choices)
    return _values(action.metavar if isinstance(action.metavar, str) else "", word, given)


def _values(kind: str, word: str, given: Mapping[str, str]) -> tuple[str, list[str]]:
    """What the shell is to add, and what can stand for an argument, by the name that help has."""
    if kind in ("PATH", "PREFIX", "A", "B"):
        found = list(_artifacts(given))
        # A path of the file system, where one may stand as well.
        return ("files" if not word.startswith("/") and kind == "PATH" else ""), found
    if kind in ("SCRIPT", "PROGRAM", "FILE"):
        return "files", []
    if kind in ("DIR", "FOLDER"):
        return "folders", []
    if kind == "NAME":
        return "", list(_namespaces(given))
    if kind == "SH":
        return "", list(SHELLS)
    return "", []


def _artifacts(given: Mapping[str, str]) -> Iterator[str]:
    try:
        configured = _configured(given)
        store = Store.open(configured.store, configured.namespace)
        for count, path in enumerate(store.paths()):
            if count == _MOST:
                return
            yield path
    except (ConfigurationError, StoreError, OSError):
        return


def _namespaces(given: Mapping[str, str]) -> Iterator[str]:
    from ddsimport.store.namespaces import namespaces

    try:
        yield "git"
        yield from filter(None, namespaces(_configured(given).store))
    except (ConfigurationError, StoreError, OSError):
        return


def _configured(given: Mapping[str, str]) -> config.Config:
    flags = {key: given[key] for key in ("store", "namespace") if given.get(key)}
    configured = config.resolve(os.getcwd(), flags, os.environ)
    if not os.path.exists(configured.store):
        raise StoreError("there is none")  # nor is one made
    return configured


def main(words: Sequence[str], **about: object) -> int:
    """Answer a shell. Never fails: there is nobody to tell."""
    try:
        sys.stdout.write(answer(words, **about))  # type: ignore[arg-type]  # as `answer` takes them
    except Exception:
        return 1
    return 0
