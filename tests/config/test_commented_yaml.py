"""Options as a file: one line a value, whatever is in it. The round trip of every verb is in tests/test_cli.py."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from newsclf.config.commented_yaml import commented_yaml, required_options
from newsclf.config.fields import option
from newsclf.config.options import build, checked


@dataclass(frozen=True, kw_only=True)
class Options:
    text: str = option("", "a text", role="setting")
    many: tuple[str, ...] = option((), "texts", role="setting")
    found: dict[str, Any] | None = option(None, "a mapping", role="setting")
    number: int | None = option(None, "a number", role="setting", none="all")
    needed: str = option(dataclasses.MISSING, "must be given", role="source")


def test_what_is_not_given_is_the_default_or_a_comment() -> None:
    text = commented_yaml(Options, ["Two", "lines"], {"number": 3})
    assert text == (
        "# Two\n# lines\n\n# must be given\nneeded: ...\n\n# a text\ntext: ''\n\n# texts\nmany: []\n\n"
        "# a mapping\nfound: none\n\n# a number\nnumber: 3\n"
    ).replace("needed: ...", "# needed: (required)")
    assert required_options(Options) == ["needed"]


@pytest.mark.parametrize(
    "text",
    ["no", "12:30", "010", "2026-01-02", "null", "~", "1e3", "a\nb", "\n", " x ", "a: b", "# c", "'", '"', "\\", "科技",
     "\ud800", "\x07", "x" * 2000, "a b " * 1000,
     "{a", "&a", "*", "!x", "%", "@", "`", "- a", "? b", "\u2028", "\ufeff"],
    ids=ascii,
)  # fmt: skip
def test_any_text_comes_back_from_its_line(text: str) -> None:
    values = {"needed": text, "text": text, "found": {text: [text, {"n": 1, "t": True, "f": 0.5}]}}
    printed = commented_yaml(Options, [], checked(Options, values))
    assert len(printed.split("\n")) == len(commented_yaml(Options, [], {}).split("\n"))
    assert build(Options, yaml.safe_load(printed)) == build(Options, values)
