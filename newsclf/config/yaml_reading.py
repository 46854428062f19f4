"""YAML in which a key is the text that was written: a class is called no, 01 or 1.0, and not False or 1."""

from typing import Any

import yaml


def load_yaml(text: str) -> Any:
    """What the text holds: plain values, lists, and mappings with text as keys. Raises yaml.YAMLError.

    >>> load_yaml("{no: 2, 01: yes}")
    {'no': 2, '01': True}
    """
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


class _Loader(yaml.SafeLoader):
    """Plain values alone: no tag runs anything."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        own = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a name must be text", key.start_mark)
            if key.value in own:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value} is given twice", key.start_mark)
            own.add(key.value)
        self.flatten_mapping(node)  # what `<<` takes over from another mapping, in front of what is given here
        return {key.value: self.construct_object(value, deep=deep) for key, value in node.value}
