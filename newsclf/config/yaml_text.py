"""YAML as people mean it: a key stands once, and what is text keeps its letters.

YAML 1.1 reads `no` as false, `12:30` as 750, `010` as 8 and `2026-01-31` as a date. Here, plain words are text but for
true and false, null, and numbers as they are written everywhere.
"""

import re
from typing import Any

import yaml

from newsclf.errors import InputError
from newsclf.messages import one_line

BOOL, INT, FLOAT, NULL = (f"tag:yaml.org,2002:{kind}" for kind in ("bool", "int", "float", "null"))
SEQUENCE = "tag:yaml.org,2002:seq"
PLAIN: dict[str, tuple[str, str]] = {  # tag: (what is of this type, the letters it begins with)
    BOOL: ("true|True|TRUE|false|False|FALSE", "tTfF"),
    INT: (r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    FLOAT: (r"[-+]?((0|[1-9][0-9]*)?\.[0-9]+|(0|[1-9][0-9]*)\.)([eE][-+]?[0-9]+)?|[-+]?\.(inf|nan)", "-+0123456789."),
    NULL: ("~|null|Null|NULL|", "~nN\0"),
}


class _Loader(yaml.SafeLoader):
    """SafeLoader of fewer types, in which a mapping has each key once."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's own attribute)

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                line = key.start_mark.line + 1
                if key.value in lines:
                    where = f"lines {lines[key.value]} and {line}"
                    raise InputError(f'the key "{one_line(key.value, 60)}" stands twice ({where}): leave one of them')
                lines[key.value] = line
        return node


for tag, (pattern, letters) in PLAIN.items():
    _Loader.add_implicit_resolver(tag, re.compile(f"^(?:{pattern})$"), [letter.strip("\0") for letter in letters])
_Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile("^<<$"), ["<"])


class Scalar(str):
    """A plain word at the top of a file, as it is written; `typed`: what YAML takes it for."""

    typed: Any

    def __new__(cls, text: str, typed: Any) -> "Scalar":
        made = super().__new__(cls, text)
        made.typed = typed
        return made


def read_yaml(text: str) -> Any:
    """The YAML document `text`. Raises yaml.YAMLError, and InputError for a key that stands twice in a mapping."""
    return _parsed(text, of_options=False)


def read_options(text: str) -> dict[str, Any]:
    """The options in a YAML document, by name: scalars, and scalars in lists, as Scalar; mappings typed.

    Raises yaml.YAMLError, InputError for a key that stands twice, and TypeError where it is no mapping.
    """
    found: dict[str, Any] = _parsed(text, of_options=True)
    return found


def _parsed(text: str, of_options: bool) -> Any:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if not of_options:
            return None if node is None else loader.construct_document(node)
        if node is None or node.tag == NULL:
            return {}
        if not isinstance(node, yaml.MappingNode):
            raise TypeError("not a mapping")
        loader.flatten_mapping(node)
        return {str(key.value): _of_option(loader, value) for key, value in node.value}
    except RecursionError:
        raise yaml.YAMLError("it is nested too deeply") from None
    finally:
        loader.dispose()


def _of_option(loader: _Loader, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        typed = loader.construct_object(node, deep=True)
        return Scalar(node.value, typed) if node.style is None else typed
    if node.tag == SEQUENCE and all(isinstance(item, yaml.ScalarNode) for item in node.value):
        return [_of_option(loader, item) for item in node.value]
    return loader.construct_object(node, deep=True)
