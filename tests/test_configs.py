"""configs/, MLproject and the doors say what newsclf/config/ says, and each file says how to run it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from newsclf.config import EvaluateConfig, TrainConfig
from newsclf.config.options import build, resolve
from newsclf.verbs import VERBS
from tools.configs import ROOT, written

EXPERIMENTS = sorted((ROOT / "configs" / "experiments").glob("*.yaml"))
WRITTEN = written()


def read(path: Path) -> dict[str, Any]:
    values = yaml.safe_load(path.read_text())
    assert isinstance(values, dict)
    return values


@pytest.mark.parametrize("path", WRITTEN)
def test_a_file_is_what_make_configs_writes(path: str) -> None:
    assert (ROOT / path).read_text() == WRITTEN[path], "run `make configs`"


def test_the_file_of_a_verb_holds_its_defaults() -> None:
    assert build(TrainConfig, read(ROOT / "configs" / "train.yaml")) == TrainConfig()
    evaluate = read(ROOT / "configs" / "evaluate.yaml")
    assert build(EvaluateConfig, {**evaluate, "model": "m"}) == EvaluateConfig(model="m")


def test_every_verb_has_an_entry_point_a_file_of_defaults_and_a_door() -> None:
    entries = yaml.safe_load((ROOT / "MLproject").read_text())["entry_points"]
    assert entries.keys() == VERBS.keys()
    for verb, entry in entries.items():
        assert entry["parameters"] == {"config": {"type": "string", "default": f"configs/{verb}.yaml"}}
        assert entry["command"] == f"python -m entrypoints.{verb} --config {{config}}"
    doors = {path.stem for path in (ROOT / "entrypoints").glob("*.py")} - {"__init__"}
    assert doors == {path.stem for path in (ROOT / "configs").glob("*.yaml")} == VERBS.keys()


def test_there_are_experiments() -> None:
    names = {path.stem for path in EXPERIMENTS}
    assert {
        "study",
        "study_minilm",
        "cased",
        "uncased",
        "best_ag_news",
        "best_20newsgroups",
        "best_sample",
    } <= names


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_an_experiment_says_what_it_is_and_how_to_run_it(path: Path) -> None:
    comments = [line for line in path.read_text().splitlines() if line.startswith("#")]
    assert path.read_text().startswith(comments[0])
    assert f"# newsclf train config={path.relative_to(ROOT)}" in comments


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_an_experiment_is_valid_and_yields_to_the_command_line(path: Path) -> None:
    config = resolve(TrainConfig, ["--config", str(path), "--seed", "7"])
    assert config.seed == 7
    assert config != TrainConfig(seed=7), "an experiment differs from the defaults"


def test_the_study_is_as_it_was() -> None:
    study = resolve(TrainConfig, ["--config", str(ROOT / "configs/experiments/study.yaml")])
    assert (study.encoder, study.trainable_layers, study.dataset) == ("bert-base-uncased", 0, "ag_news")
    assert (study.num_samples, study.epochs, study.learning_rate, study.batch_size) == (20_000, 20, 0.001, 32)


@pytest.mark.parametrize(("one", "other"), [("study", "study_minilm"), ("cased", "uncased")])
def test_a_pair_differs_in_the_encoder_alone(one: str, other: str) -> None:
    first, second = (read(ROOT / "configs" / "experiments" / f"{name}.yaml") for name in (one, other))
    assert first.pop("encoder") != second.pop("encoder")
    assert first == second
