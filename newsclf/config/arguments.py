"""What is typed behind a verb: `name=value`, `--name value`, `--name=value`, and flags that have no value."""

from collections.abc import Collection, Sequence

from newsclf.errors import InputError
from newsclf.messages import nearest, one_line

# The environment variable that tells a run which another run has started where that one's user is: relative paths are
# meant from there, and MLflow starts every run in the project's folder.
WORKING_FOLDER = "NEWSCLF_WORKING_FOLDER"
FORM = "name=value, --name value or --name=value"


def parse(words: Sequence[str], names: Collection[str], flags: Collection[str] = ()) -> tuple[dict[str, str], set[str]]:
    """(values by option name, the flags that are there).

    names: of the options; another name is taken as well, and left to whoever knows what is near it. Raises InputError
    for a word that is neither, an option without a value, and an option or a flag that stands there twice.

    >>> parse(["epochs=3", "--seed", "1", "--dataset=a=b", "--dry-run"], ["epochs", "seed", "dataset"], ["--dry-run"])
    ({'epochs': '3', 'seed': '1', 'dataset': 'a=b'}, {'--dry-run'})
    """
    given: dict[str, str] = {}
    found: set[str] = set()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word in flags:
            if word in found:
                raise InputError(f"{word} is given twice: give it once")
            found.add(word)
            continue
        name, separator, value = word.removeprefix("--").partition("=")
        if not name or name.startswith("-") or (not separator and not word.startswith("--")):
            raise InputError(_no_option(word, rest, names))
        if (flag := f"--{name.replace('_', '-')}") in flags:
            raise InputError(
                f"{one_line(name)} is a flag of the command newsclf, not an option: write {flag} there; `mlflow run` "
                "hands no flag on, and has made a run before it could"
            )
        if not separator:
            if not rest or rest[0] in flags or _begins_option(rest[0], names):
                raise InputError(f"option {one_line(name)} has no value: write {one_line(name)}=value")
            value = rest.pop(0)
        if name in given:
            raise InputError(f"option {one_line(name)} is given twice: give it once")
        given[name] = value
    return given, found


def _begins_option(word: str, names: Collection[str]) -> bool:
    """Whether the word is an option, and so no value of the one before; a value may begin with -- all the same."""
    return word.startswith("--") and word[2:].partition("=")[0] in names


def _no_option(word: str, rest: list[str], names: Collection[str]) -> str:
    shown = one_line(word)
    if word in ("-P", "-e", "--env-manager"):
        return f"argument {shown} is one of mlflow run: here an option is just name=value"
    if word.startswith("="):
        return f"argument {shown} has no name before its =: write {FORM}, with no blank beside the ="
    if near := nearest(word.strip("-"), names):
        value = next((one_line(one.lstrip("=")) for one in rest[:2] if one != "=" and one[:1] != "-"), "value")
        return f"argument {shown} is no option by itself: write {near}={value}"
    return f"argument {shown!r} is no option: write {FORM}"
