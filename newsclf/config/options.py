"""Turns `--name value` arguments and YAML files into a checked dataclass.

A verb's options are the fields of one frozen dataclass in `newsclf.config`; each field is made by
`option` (fields.py). Everything that lists options (help, YAML defaults, logged parameters) is read from there.
Precedence: the dataclass's defaults, then the file of `--config`, then the command line.
"""

import dataclasses
import json
import math
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

from newsclf.config.fields import base_type, expected, fields_of, holds_mappings, may_be_none, names_of
from newsclf.config.yaml_text import Scalar, read_options, read_yaml
from newsclf.errors import InputError
from newsclf.messages import nearest, one_line

Config = TypeVar("Config")

WORDS = {"true": True, "false": False}
YAML_WORDS = {"yes": True, "on": True, "no": False, "off": False}


def resolve(config_class: type[Config], arguments: Sequence[str]) -> Config:
    """Build the config from command-line arguments (`--name value` or `--name=value` pairs).

    Raises InputError for an unknown name (with the nearest valid one), a value of the wrong type or
    outside its limits, a name given twice, and a config file that cannot be read.
    """
    given = _pairs(arguments)
    path = given.pop("config", None)
    values: dict[str, Any] = _read_yaml(Path(path)) if path else {}
    names = names_of(config_class)
    _check_names(given, [*names, "config"], "")
    _check_names(values, names, f"in {path}")
    return build(config_class, {**values, **given})


def build(config_class: type[Config], values: Mapping[str, Any]) -> Config:
    """Check `values` (text or YAML scalars and lists, by option name) and make the dataclass of them."""
    fields = {field.name: field for field in fields_of(config_class)}
    hints = typing.get_type_hints(config_class)
    _check_names(values, list(fields), "")
    checked = {name: _check(fields[name], hints[name], value) for name, value in values.items()}
    for name, field in fields.items():
        if name not in checked and field.default is dataclasses.MISSING:
            raise InputError(f"option {name} is missing: {field.metadata['help']}")
    return config_class(**checked)


def as_text(config: object) -> dict[str, str]:
    """Every option of `config` by name, as the text that would be typed for it (and is logged)."""
    return {field.name: _text(field, getattr(config, field.name)) for field in fields_of(config)}


def as_yaml(config: object) -> dict[str, Any]:
    """Every option of `config` by name, as the scalar or list that a config file would hold."""
    words = as_text(config)
    values = {name: getattr(config, name) for name in words}
    return {
        name: words[name] if value is None else list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
    }


def help_text(config_class: type, usage: str) -> str:
    """The `--help` page: one entry an option, with type, default and limits."""
    lines = [usage, "", "options (all of the form --name value):"]
    config_line = "a YAML file of options; those on the command line win over it"
    entries = [("config", "FILE", config_line, "none")]
    hints = typing.get_type_hints(config_class)
    for field in fields_of(config_class):
        required = field.default is dataclasses.MISSING
        default = "required" if required else _text(field, field.default) or "''"
        entries.append((field.name, expected(field, hints[field.name]), field.metadata["help"], default))
    for name, words, help, default in entries:
        lines += [f"  --{name} <{words}>  (default: {default})", f"      {help}"]
    return "\n".join(lines)


def _pairs(arguments: Sequence[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        token = rest.pop(0)
        if not token.startswith("--") or token == "--":
            raise InputError(f"argument {token!r} is not of the form --name value")
        name, separator, value = token[2:].partition("=")
        if not separator:
            if not rest:
                raise InputError(f"option {name} has no value: write --{name} value")
            value = rest.pop(0)
        if name in given:
            raise InputError(f"option {name} is given twice: give it once")
        given[name] = value
    return given


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        return read_options(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        siblings = [str(other) for other in path.parent.glob("*.yaml")] if path.parent.is_dir() else []
        near = nearest(str(path), siblings)
        hint = f"did you mean {near}?" if near else "give the path of a YAML file"
        raise InputError(f"config file {path} does not exist: {hint}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"config file {path} cannot be read as YAML: {one_line(error, 400)}") from None
    except TypeError:
        raise InputError(f"config file {path} must hold one `name: value` a line") from None
    except InputError as error:
        raise InputError(f"config file {path}: {error}") from None


def _check_names(values: Mapping[str, Any], valid: Sequence[str], origin: str) -> None:
    for name in values:
        if name not in valid:
            raise InputError(_unknown("option", name, valid, origin))


def _unknown(kind: str, name: str, valid: Sequence[str], origin: str) -> str:
    where = f" {origin}" if origin else ""
    near = nearest(name, valid)
    hint = f"did you mean {near}?" if near else f"valid are {', '.join(valid)}"
    return f"unknown {kind} {name}{where}: {hint}"


def _check(field: dataclasses.Field[Any], hint: Any, value: Any) -> Any:
    """The value of an option, parsed from text or from a YAML scalar or list."""
    limits = field.metadata
    # What stands in a file is shown, and judged, as it is typed there; nothing, or null, is no text.
    if isinstance(value, Scalar) and value.typed is None and (may_be_none(hint) or not value):
        value = None
    wrong = InputError(f"option {field.name} is {_shown(value)}: it must be {expected(field, hint)}")
    if may_be_none(hint) and (value is None or value == limits["none"]):
        return None
    kind = base_type(hint)
    if holds_mappings(hint):
        return _mappings(value, wrong)
    if kind is dict:
        return _mapping(value, wrong)
    if kind is tuple:
        if isinstance(value, Scalar) and not isinstance(value.typed, str):
            raise wrong
        if isinstance(value, str):
            value = [] if value in ("", "none") else value.split(",")
        if not isinstance(value, list):
            raise wrong
        items = tuple(str(item).strip() for item in value)
        for item in items:
            if limits["choices"] and item not in limits["choices"]:
                raise InputError(_unknown(f"value in option {field.name}:", item, limits["choices"], ""))
        return items
    if kind is bool:
        words = WORDS | YAML_WORDS if isinstance(value, Scalar) else WORDS
        word = str(value).lower()
        if word not in words:
            raise wrong
        return words[word]
    if kind in (int, float):
        return _number(kind, value, limits, wrong)
    if value is None or isinstance(value, (list, dict)):
        raise wrong
    text = str(value)  # no Scalar any more
    if limits["choices"] and text not in limits["choices"]:
        near = nearest(text, limits["choices"])
        raise InputError(f"{wrong}; did you mean {near}?" if near else str(wrong))
    return text


def _typed_yaml(value: Any, wrong: InputError) -> Any:
    """What is a list or mapping in a YAML file is typed as YAML on the command line."""
    try:
        return read_yaml(value) if isinstance(value, str) else value
    except yaml.YAMLError:
        raise wrong from None
    except InputError as error:
        raise InputError(f"{wrong}; {error}") from None


def _mapping(value: Any, wrong: InputError) -> dict[str, Any]:
    value = _typed_yaml(value, wrong)
    if not isinstance(value, dict):
        raise wrong
    return {str(name): part for name, part in value.items()}


def _mappings(value: Any, wrong: InputError) -> tuple[dict[str, Any], ...]:
    value = [] if value in ("", "none") else _typed_yaml(value, wrong)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise wrong
    return tuple({str(name): part for name, part in item.items()} for item in value)


def _number(kind: type, value: Any, limits: Mapping[str, Any], wrong: InputError) -> int | float:
    if isinstance(value, bool):
        raise wrong
    try:
        number = float(str(value))
    except ValueError:
        raise wrong from None
    if not math.isfinite(number) or (kind is int and number != int(number)):
        raise wrong
    low, high = limits["low"], limits["high"]
    if (low is not None and number < low) or (high is not None and number > high):
        raise wrong
    return kind(number)


def _shown(value: Any) -> str:
    parts = [
        part.typed if isinstance(part, Scalar) else part for part in (value if isinstance(value, list) else [value])
    ]
    text = repr(parts if isinstance(value, list) else parts[0])
    return text if len(text) <= 80 else text[:77] + "..."


def _text(field: dataclasses.Field[Any], value: Any) -> str:
    if value is None:
        return str(field.metadata["none"])
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return json.dumps(value, default=str)
    if isinstance(value, tuple):
        if value and isinstance(value[0], dict):
            return json.dumps(value, default=str)  # a date in YAML is a date object
        return ",".join(value) or "none"
    return str(value)
