"""Turns `name=value` arguments and YAML files into a checked dataclass.

A verb's options are the fields of one frozen dataclass in `newsclf.config`; each field is made by
`option` (fields.py). Everything that lists options (help, YAML defaults, logged parameters) is read from there.
Precedence: the dataclass's defaults, then the file of `--config`, then the command line.
"""

import dataclasses
import json
import math
import re
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

from newsclf.config.arguments import parse
from newsclf.config.fields import (
    base_type,
    expected,
    fields_of,
    holds_mappings,
    maps_to_numbers,
    may_be_none,
    names_of,
    number_words,
)
from newsclf.config.yaml_reading import load_yaml
from newsclf.errors import InputError, SecretGiven
from newsclf.masking import masked_addresses
from newsclf.messages import nearest, one_line

Config = TypeVar("Config")
CONFIG = "config"  # the option that names a file of options


def resolve(config_class: type[Config], arguments: Sequence[str]) -> Config:
    """Build the config from command-line arguments (see arguments.py).

    Raises InputError for an unknown name (with the nearest valid one), a value of the wrong type or
    outside its limits, a name given twice, and a config file that cannot be read.
    """
    return build(config_class, typed(config_class, parse(arguments, typed_names(config_class))[0]))


def typed_names(config_class: type) -> list[str]:
    """What may be typed: every option, and config."""
    return [*names_of(config_class), CONFIG]


def typed(config_class: type, given: Mapping[str, str]) -> dict[str, Any]:
    """What is given on the command line, over what stands in the file of its option config; nothing is checked yet.

    Raises InputError for unknown names, and for a config file that cannot be read.
    """
    rest = {name: value for name, value in given.items() if name != CONFIG}
    path = given.get(CONFIG)
    values: dict[str, Any] = _read_yaml(Path(path)) if path else {}
    _check_names(rest, typed_names(config_class), "")
    _check_names(values, names_of(config_class), f"in {path}")
    return {**values, **rest}


def checked(config_class: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values (text or YAML scalars and lists, by option name) as the types of the options."""
    fields = {field.name: field for field in fields_of(config_class)}
    hints = typing.get_type_hints(config_class)
    _check_names(values, list(fields), "")
    return {name: _check(fields[name], hints[name], value) for name, value in values.items()}


def build(config_class: type[Config], values: Mapping[str, Any]) -> Config:
    """Check `values` and make the dataclass of them. Raises InputError where a required option is not among them."""
    found = checked(config_class, values)
    for field in fields_of(config_class):
        if field.name not in found and field.default is dataclasses.MISSING:
            raise InputError(f"option {field.name} is missing: {field.metadata['help']}")
    return config_class(**found)


def as_text(config: object) -> dict[str, str]:
    """Every option of `config` by name, as the text that would be typed for it (and is logged)."""
    return {field.name: _text(field, getattr(config, field.name)) for field in fields_of(config)}


def as_yaml(config: object) -> dict[str, Any]:
    """Every option of `config` by name, as the scalar or list that a config file would hold."""
    return {field.name: yaml_value(field, getattr(config, field.name)) for field in fields_of(config)}


def yaml_value(field: dataclasses.Field[Any], value: Any) -> Any:
    """The value of an option as a config file would hold it; None as its own word, such as all or auto."""
    if value is None:
        return field.metadata["none"]
    return list(value) if isinstance(value, tuple) else value


def help_text(config_class: type, usage: str) -> str:
    """The `--help` page: one entry an option, with type, default and limits."""
    lines = [usage, "", "options:"]
    config_line = "a YAML file of options; those on the command line win over it"
    entries = [(CONFIG, "FILE", config_line, "none")]
    hints = typing.get_type_hints(config_class)
    for field in fields_of(config_class):
        required = field.default is dataclasses.MISSING
        default = "required" if required else _text(field, field.default) or "''"
        entries.append((field.name, expected(field, hints[field.name]), field.metadata["help"], default))
    for name, words, help, default in entries:
        lines += [f"  {name}=<{words}>  (default: {default})", f"      {help}"]
    return "\n".join(lines)


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        loaded = load_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        siblings = [str(other) for other in path.parent.glob("*.yaml")] if path.parent.is_dir() else []
        near = nearest(str(path), siblings)
        hint = f"did you mean {near}?" if near else "give the path of a YAML file"
        raise InputError(f"config file {path} does not exist: {hint}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"config file {path} cannot be read as YAML: {one_line(error, 400)}") from None
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise InputError(f"config file {path} must hold one `name: value` a line")
    return {str(name): value for name, value in loaded.items()}


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
    _check_secret(field, str(value))
    wrong = InputError(f"option {field.name} is {_shown(value)}: it must be {expected(field, hint)}")
    if may_be_none(hint) and (value is None or value == limits["none"]):
        return None
    kind = base_type(hint)
    if holds_mappings(hint):
        return _mappings(value, wrong)
    if kind is dict:
        found = value if value in limits["choices"] else _mapping(value, wrong)
        return _numbers(field, found) if maps_to_numbers(hint) and isinstance(found, dict) else found
    if kind is tuple:
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
        words = {"true": True, "false": False}
        word = str(value).lower()
        if word not in words:
            raise wrong
        return words[word]
    if kind in (int, float):
        return _number(kind, value, limits, wrong)
    if value is None or isinstance(value, (list, dict)):
        raise wrong
    text = str(value)
    if limits["choices"] and text not in limits["choices"]:
        near = nearest(text, limits["choices"])
        raise InputError(f"{wrong}; did you mean {near}?" if near else str(wrong))
    return text


def _check_secret(field: dataclasses.Field[Any], text: str) -> None:
    """Raises SecretGiven for a password or token in an address, without repeating it: options are logged."""
    if field.metadata["variable"] and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text):
        raise SecretGiven(
            f"option {field.name} must be the name of an environment variable that holds the URLs, not a URL: options "
            "are logged, and the URLs are secrets",
            field.name,
        )
    if "://" in text and masked_addresses(text) != text:
        raise SecretGiven(
            f"option {field.name} has a password or a token in an address, and options are logged: put it into "
            f"{field.metadata['secrets']} instead",
            field.name,
        )


def _typed_yaml(value: Any, wrong: InputError) -> Any:
    """What is a list or mapping in a YAML file is typed as YAML on the command line."""
    try:
        return load_yaml(value) if isinstance(value, str) else value
    except yaml.YAMLError as error:
        raise InputError(f"{wrong} ({getattr(error, 'problem', '') or one_line(error, 200)})") from None


def _mapping(value: Any, wrong: InputError) -> dict[str, Any]:
    value = _typed_yaml(value, wrong)
    if not isinstance(value, dict):
        raise wrong
    return {str(name): part for name, part in value.items()}


def _numbers(field: dataclasses.Field[Any], given: Mapping[str, Any]) -> dict[str, float]:
    """The values of a mapping as numbers within the option's limits."""
    allowed = number_words(float, field.metadata)
    wrong = {
        name: f"option {field.name}, {one_line(name)}: {_shown(part)} must be {allowed}"
        + ("; write a blank behind the colon" if part is None and ":" in name else "")
        for name, part in given.items()
    }
    return {name: _number(float, part, field.metadata, InputError(wrong[name])) for name, part in given.items()}


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
    text = repr(value)
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
