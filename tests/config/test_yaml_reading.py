"""Names in YAML are the text that was written."""

import pytest
import yaml

from newsclf.config.yaml_reading import load_yaml


@pytest.mark.parametrize("name", ["no", "on", "true", "null", "~", "01", "1.0", "1e3", "2026-11-25", "0x1F", "1:30"])
def test_a_name_is_what_was_written(name: str) -> None:
    assert load_yaml(f"{{{name}: 2}}") == load_yaml(f"{name}: 2") == {name: 2}
    assert load_yaml(f"a:\n  - {name}: 2") == {"a": [{name: 2}]}


def test_values_and_merged_mappings_are_as_yaml_has_them() -> None:
    text = "base: &base {a: 1, b: no}\nrun: {<<: *base, a: 2.5}\nrest: [1e-3, 1.0e-3, null, x]"
    assert load_yaml(text) == yaml.safe_load(text)
    assert load_yaml("") is None


@pytest.mark.parametrize("text", ["a: 1\na: 2", "b: {a: 1, a: 1}", "{[1, 2]: 3}", "{1: a, 1: b}"])
def test_a_name_that_is_there_twice_or_is_no_text_is_refused(text: str) -> None:
    with pytest.raises(yaml.YAMLError, match="is given twice|must be text"):
        load_yaml(text)
