"""A verb's options as a YAML file that explains itself: each with its help above it."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from newsclf.config.fields import fields_of
from newsclf.config.options import yaml_value

ONE_LINE = 10**9  # columns: a value is never folded


def commented_yaml(config_class: type, head: Iterable[str], values: Mapping[str, Any]) -> str:
    """The text of the file, which the option config takes.

    head: the lines of its first comment. values: checked, by option name; the others have their default. An option that
    must be given and is not stands there as a comment.
    """
    lines = [f"# {line}" for line in head]
    for field in fields_of(config_class):
        value = values.get(field.name, field.default)
        lines += ["", f"# {field.metadata['help']}"]
        missing = value is dataclasses.MISSING
        lines += [f"# {field.name}: (required)" if missing else f"{field.name}: {_scalar(yaml_value(field, value))}"]
    return "\n".join(lines) + "\n"


def required_options(config_class: type) -> list[str]:
    """The names of the options without a default."""
    return [field.name for field in fields_of(config_class) if field.default is dataclasses.MISSING]


def _scalar(value: Any) -> str:
    """The value as one line of YAML, whatever characters are in it."""
    how: dict[str, Any] = {"default_flow_style": True, "width": ONE_LINE, "allow_unicode": True, "sort_keys": False}
    text = yaml.safe_dump(value, **how).removesuffix("...\n").strip()
    # A text with a line break is folded, but not where all of it is quoted.
    return text if "\n" not in text else yaml.safe_dump(value, default_style='"', **how).strip()
