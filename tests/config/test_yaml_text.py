"""YAML that users write: a key stands once, and text is text.

The kind: a file that is read otherwise than it is written. Its places: the options of every verb (`--config`), lists
and mappings inside them (monitors, windows, runs and space of a sweep, options of train), and YAML on the command line.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from newsclf.config import MonitorConfig, RetrainConfig, SweepConfig, TrainConfig
from newsclf.config.options import as_yaml, help_text, resolve
from newsclf.config.yaml_text import read_options, read_yaml
from newsclf.errors import InputError
from newsclf.verbs import VERBS

TWICE = {
    "at the top": ("epochs: 1\nseed: 3\n# pasted\nepochs: 9\n", "epochs", "lines 1 and 4"),
    "the same value": ("seed: 3\nseed: 3\n", "seed", "lines 1 and 2"),
    "quoted": ("seed: 3\n'seed': 4\n", "seed", "lines 1 and 2"),
    "in a mapping": ("train:\n  epochs: 1\n  epochs: 2\n", "epochs", "lines 2 and 3"),
    "in a list": ("monitors:\n- name: a\n  above: 1\n  above: 2\n", "above", "lines 3 and 4"),
    "in one line": ("space: {dropout: [0.1], dropout: [0.2]}\n", "dropout", "lines 1 and 1"),
    "in JSON": ('{"seed": 1, "seed": 2}', "seed", "lines 1 and 1"),
}


@pytest.mark.parametrize(("text", "key", "lines"), TWICE.values(), ids=list(TWICE))
def test_a_key_that_stands_twice_is_refused_with_both_lines(text: str, key: str, lines: str) -> None:
    for read in (read_options, read_yaml):
        with pytest.raises(InputError, match=f'^the key "{key}" stands twice .{lines}.'):
            read(text)


@pytest.mark.parametrize(
    ("config_class", "text"),
    [
        (TrainConfig, "learning_rate: 0.001\nlearning_rate: 9\n"),
        (MonitorConfig, "stream: a\nreference: b\nmonitors:\n- {number: rows, above: 1, above: 2}\n"),
        (SweepConfig, "strategy: list\nruns:\n- {epochs: 1, epochs: 2}\n"),
        (RetrainConfig, "stream: a\ngate:\n  alpha: 0.1\n  alpha: 0.2\n"),
    ],
    ids=lambda given: given.__name__ if isinstance(given, type) else "",
)
def test_the_file_is_named(config_class: type, text: str, tmp_path: Path) -> None:
    file = tmp_path / "options.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=f"^config file {file}: the key .* stands twice"):
        resolve(config_class, ["--config", str(file)])


def test_what_is_typed_on_the_command_line_is_yaml_of_the_same_kind() -> None:
    with pytest.raises(InputError, match='gate is .*; the key "alpha" stands twice'):
        resolve(RetrainConfig, ["--stream", "a", "--gate", "{alpha: 0.1, alpha: 0.2}"])
    assert resolve(RetrainConfig, ["--stream", "a", "--gate", "{name: no, x: 010}"]).gate == {"name": "no", "x": "010"}


WORDS = ["no", "yes", "on", "off", "y", "n", "12:30", "010", "0x1F", "1_000", "1e3", "2026-01-31", "null", "~", "1.50"]
WORDS += ["2026-01-31 10:00:00", "true", "True", "FALSE", "=", "007", "1.", "+5", "0o17", ".5", "0b1", "Null", "-0"]


@pytest.mark.parametrize("word", WORDS)
def test_a_text_option_keeps_its_text(word: str, tmp_path: Path) -> None:
    file = tmp_path / "options.yaml"
    file.write_text(f"text_column: {word}\nlabel_column: '{word}x'\nregister: \"{word}\"\n")
    config = resolve(TrainConfig, ["--config", str(file)])
    assert (config.text_column, config.label_column, config.register) == (word, f"{word}x", word)
    assert type(config.text_column) is str
    again = tmp_path / "config.yaml"  # as a run logs it, and reproduce reads it
    again.write_text(yaml.safe_dump(as_yaml(config), allow_unicode=True))
    assert resolve(TrainConfig, ["--config", str(again)]) == config


@pytest.mark.parametrize("word", ["no", "12:30", "010", "2026-01-31", "1_000", "0x1F", "on"])
def test_text_in_lists_and_mappings_keeps_its_text(word: str) -> None:
    text = f"categories: [{word}, sci.space]\ntrain: {{text_column: {word}}}\nmonitors:\n- name: {word}\n"
    assert read_options(text) == {
        "categories": [word, "sci.space"],
        "train": {"text_column": word},
        "monitors": [{"name": word}],
    }


def test_numbers_and_switches_are_what_they_were(tmp_path: Path) -> None:
    file = tmp_path / "options.yaml"
    file.write_text(
        "epochs: 3\nlearning_rate: 1e-3\ndropout: .25\nnum_samples: all\nprefix_cache: no\nweight_decay: 1.0e-05\n"
        "trainable_layers: null\ntest_dataset: ~\nbatch_size: 64 # a comment\n"
    )
    config = resolve(TrainConfig, ["--config", str(file)])
    assert (config.epochs, config.learning_rate, config.dropout, config.num_samples) == (3, 1e-3, 0.25, None)
    assert (config.prefix_cache, config.weight_decay, config.trainable_layers) == (False, 1e-5, None)
    assert (config.test_dataset, config.batch_size) == (None, 64)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (
            "{a: 1, b: -2.5, c: true, d: null, e: 1.0e-3, f: 'no', g: .inf}",
            [1, -2.5, True, None, 1e-3, "no", float("inf")],
        ),
        ("{a: 0, b: +3, c: False, d: ~, e: 0.5, f: x, g: ''}", [0, 3, False, None, 0.5, "x", ""]),
    ],
)
def test_mappings_are_typed(text: str, value: list[Any]) -> None:
    assert list(read_yaml(text).values()) == value


def test_anchors_and_merges_are_no_repetition() -> None:
    text = "base: &base {epochs: 1, seed: 2}\ntrain:\n  <<: *base\n  seed: 3\n"
    assert read_options(text)["train"] == {"epochs": 1, "seed": 3}


@pytest.mark.parametrize("text", ["", "# nothing", "---", "null", "~"])
def test_nothing_is_no_options(text: str) -> None:
    assert read_options(text) == {}


@pytest.mark.parametrize(
    "text", ["[" * 50_000, "{a: " * 20_000, "a: [", "\tb: 1", "a: b: c", "!!python/name:os.system"]
)
def test_what_is_no_yaml_is_said_in_one_line(text: str, tmp_path: Path) -> None:
    file = tmp_path / "options.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match="cannot be read as YAML|one `name: value` a line"):
        resolve(TrainConfig, ["--config", str(file)])


@pytest.mark.parametrize("verb", VERBS)
def test_help_prints_whole_numbers_in_full(verb: str) -> None:
    page = help_text(VERBS[verb], "usage")
    assert "e+0" not in page
    assert not [word for word in page.replace(")", " ").replace(",", " ").split() if word.endswith("000.0")]


def test_a_limit_is_told_as_it_would_be_typed() -> None:
    with pytest.raises(InputError, match="it must be a number from 0 to 1000000$"):
        resolve(TrainConfig, ["--send_timeout", "1e7"])
