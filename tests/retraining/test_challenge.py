"""With which options a challenger is trained, by itself and in a sweep."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from newsclf.config import RetrainConfig, SweepConfig, TrainConfig
from newsclf.config.options import build
from newsclf.errors import InputError
from newsclf.files import write_json
from newsclf.retraining.attempt import Attempt
from newsclf.retraining.challenge import best_of_sweep, read_sweep, train_options
from newsclf.retraining.context import RetrainContext
from tests.retraining.made import champion, context


def options(folder: Path, config: RetrainConfig | None = None, **trained: Any) -> TrainConfig:
    found = train_options(context(folder, champion(**trained), config), Attempt(folder / "attempt", "covariate"))
    return build(TrainConfig, {name: str(value) for name, value in found.items()})


def test_a_challenger_is_trained_as_its_champion_was(tmp_path: Path) -> None:
    found = options(tmp_path, encoder="bert", epochs=7, learning_rate=0.002, precision="fp32", seed=5)
    assert (found.encoder, found.epochs, found.learning_rate) == ("bert", 7, 0.002)
    assert (found.precision, found.seed) == ("fp32", 5)


def test_but_on_its_own_machine_and_rows(tmp_path: Path) -> None:
    config = RetrainConfig(stream="s", device="cpu")
    machine = {"device": "cuda", "num_workers": 8, "data_dir": "/data", "cache_dir": "/cache", "cache_limit_gb": 1.0}
    run = {"output_dir": "/out", "register": "news", "resume": "r", "tracking": "offline", "send_timeout": 1.0}
    rows = {"dataset": "ag_news", "test_dataset": "t.csv", "num_samples": 100, "text_column": "body"}
    found = options(tmp_path, config, **machine, **run, **rows)
    attempt = tmp_path / "attempt"
    assert found == TrainConfig(
        dataset=str(attempt / "train.parquet"),
        test_dataset=str(attempt / "new_test.parquet"),
        bad_rows="drop",
        weight_column="weight",
        device="cpu",
    )


def test_what_the_option_train_says_comes_first(tmp_path: Path) -> None:
    config = RetrainConfig(stream="s", train={"epochs": 2, "num_samples": 50})
    found = options(tmp_path, config, epochs=7)
    assert (found.epochs, found.num_samples) == (2, 50)


def test_a_sweep_tries_what_its_file_says_and_has_the_rest_from_the_champion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "sweep.yaml"
    file.write_text(yaml.safe_dump({"strategy": "grid", "space": {"epochs": [1, 2]}, "train": {"dropout": 0.3}}))
    attempt, asked = Attempt(tmp_path / "attempt", "covariate"), dict[str, Any]()

    def run_child(_: RetrainContext, verb: str, __: str, given: Mapping[str, Any], ___: Path) -> None:
        asked.update(given, verb=verb)
        write_json(attempt.folder / "sweep" / "result.json", {"paths": {"best": "b" * 32}})

    monkeypatch.setattr(RetrainContext, "run_child", run_child)
    call = context(tmp_path, champion(epochs=7, dropout=0.2, seed=5), RetrainConfig(stream="s", sweep=str(file)))
    assert best_of_sweep(call, attempt, train_options(call, attempt)) == "b" * 32
    assert asked["verb"] == "sweep"
    same = json.loads(asked["train"])
    assert "epochs" not in same
    assert (same["dropout"], same["seed"], same["dataset"]) == (0.3, "5", str(attempt.train))
    build(SweepConfig, {"strategy": "grid", "space": {"epochs": [1, 2]}, "train": same})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- 1\n", "must hold one `name: value` a line"),
        ("{", "cannot be read as YAML: while parsing"),
        ("epochs: 3", "unknown option epochs"),
        ("trials: 3", "option strategy is missing"),
    ],
)
def test_what_is_no_sweep(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "sweep.yaml").write_text(content)
    with pytest.raises(InputError, match=rf"give the config file of a sweep \(see configs/sweeps/\); .*{message}"):
        read_sweep(str(tmp_path / "sweep.yaml"))
    with pytest.raises(InputError, match=r"option sweep is absent.yaml: .* config file absent.yaml does not exist"):
        read_sweep("absent.yaml")
