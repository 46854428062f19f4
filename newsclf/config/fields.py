"""An option is a field of a verb's dataclass: what it is for, its default, one line of help, its limits."""

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal

Role = Literal["source", "data", "batching", "setting", "alerting", "seed", "machine", "output", "run"]
# What an option is for, in the order of help pages and config files. Whoever asks which options a resumed run, a trial
# of a sweep, a reproduction or a comparison shares with another run asks by these words (`names_of`).
ROLES: dict[Role, str] = {
    "source": "what is read, by name, path or URI: data, models, streams, runs",
    "data": "which of its rows, and how texts and labels are found in them",
    "batching": "how a stream is cut and dated",
    "setting": "what is computed",
    "alerting": "what is told to people and to the shell",
    "seed": "what is drawn by chance",
    "machine": "how this machine computes, and where it keeps what may be fetched or computed again",
    "output": "what is left behind",
    "run": "which run it is, and how it is tracked",
}


SECRETS = (
    "$MLFLOW_TRACKING_USERNAME and $MLFLOW_TRACKING_PASSWORD (of a server), $AWS_ACCESS_KEY_ID and "
    "$AWS_SECRET_ACCESS_KEY (of S3)"
)


def option(
    default: Any,
    help: str,
    *,
    role: Role,
    choices: Sequence[str] = (),
    low: float | None = None,
    high: float | None = None,
    none: str = "none",
    variable: bool = False,
    secrets: str = SECRETS,
) -> Any:
    """A dataclass field: its default, one line of help, what it is for, its limits.

    low and high are inclusive. `none` is the word that stands for None in a field that may be None
    ("all" rows, an "auto" rate). choices: of a mapping, the words that may stand in its place. variable: it names an
    environment variable, which holds what is secret. secrets: where an address with a password belongs instead, as
    options are logged. A default of dataclasses.MISSING makes the option required.
    """
    metadata = {"help": help, "role": role, "choices": tuple(choices), "low": low, "high": high, "none": none}
    metadata |= {"variable": variable, "secrets": secrets}
    return dataclasses.field(default=default, metadata=metadata)


# An option of each role, so that what it is for is the first word of it. The seed is described once, in shared.py.
source = functools.partial(option, role="source")
data = functools.partial(option, role="data")
batching = functools.partial(option, role="batching")
setting = functools.partial(option, role="setting")
alerting = functools.partial(option, role="alerting")
machine = functools.partial(option, role="machine")
output = functools.partial(option, role="output")
run = functools.partial(option, role="run")


def described(config_class: type, name: str, help: str) -> Any:
    """The option `name` of `config_class` with another line of help, for a class that has it from there."""
    field = {field.name: field for field in dataclasses.fields(config_class)}[name]
    return dataclasses.field(default=field.default, metadata={**field.metadata, "help": help})


def fields_of(config_class: Any) -> list[dataclasses.Field[Any]]:
    """The options of a config class, or of a config, in the order of their roles."""
    order = list(ROLES)
    return sorted(dataclasses.fields(config_class), key=lambda field: order.index(field.metadata["role"]))


def names_of(config_class: Any, *roles: Role) -> tuple[str, ...]:
    """The names of the options that have one of `roles`; of all where none is given.

    >>> from newsclf.config import EvaluateConfig
    >>> names_of(EvaluateConfig, "machine", "seed")
    ('seed', 'data_dir', 'device')
    """
    wanted = roles or tuple(ROLES)
    return tuple(field.name for field in fields_of(config_class) if field.metadata["role"] in wanted)


def may_be_none(hint: Any) -> bool:
    """Whether an option with this type hint may be None."""
    return isinstance(hint, types.UnionType) and type(None) in typing.get_args(hint)


def base_type(hint: Any) -> Any:
    """int of `int | None`, tuple of `tuple[str, ...]`."""
    return typing.get_origin(_first(hint)) or _first(hint)


def _first(hint: Any) -> Any:
    """`dict[str, float]` of `dict[str, float] | str | None`."""
    return typing.get_args(hint)[0] if isinstance(hint, types.UnionType) else hint


def holds_mappings(hint: Any) -> bool:
    """Whether the option is a list of mappings (hint tuple[dict[str, Any], ...])."""
    parts = typing.get_args(hint)
    return base_type(hint) is tuple and typing.get_origin(parts[0]) is dict


def maps_to_numbers(hint: Any) -> bool:
    """Whether the option is a mapping of names to numbers (hint dict[str, float])."""
    return bool(typing.get_args(_first(hint)) == (str, float))


def expected(field: dataclasses.Field[Any], hint: Any) -> str:
    """What may be typed: "a whole number from 1 to 512, or auto"."""
    limits, kind = field.metadata, base_type(hint)
    if kind in (int, float):
        words = number_words(kind, limits)
    elif kind is bool:
        words = "true or false"
    elif kind is dict:
        value = number_words(float, limits) if maps_to_numbers(hint) else "value"
        words = ", ".join([f"a `name: {value}` mapping", *limits["choices"]])
    elif holds_mappings(hint):
        words = "a list of `name: value` mappings, or none"
    elif kind is tuple:
        words = "a comma-separated list" + (f" of {', '.join(limits['choices'])}" if limits["choices"] else "")
        words += ", or none"
    else:
        words = f"one of {', '.join(limits['choices'])}" if limits["choices"] else "text"
    return f"{words}, or {limits['none']}" if may_be_none(hint) else words


def number_words(kind: type, limits: Mapping[str, Any]) -> str:
    """ "a whole number from 1 to 512" """
    words, low, high = "a whole number" if kind is int else "a number", limits["low"], limits["high"]
    if low is not None and high is not None:
        return f"{words} from {low:g} to {high:g}"
    return words if low is None else f"{words} of {low:g} or more"
