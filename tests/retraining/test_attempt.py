"""The tables of an attempt, and which of them a challenger has to pass."""

import dataclasses
from pathlib import Path

import pandas as pd
import pytest

from newsclf.config import TrainConfig
from newsclf.data import load
from newsclf.errors import InputError
from newsclf.retraining import attempt as attempts
from newsclf.retraining.attempt import ChampionRows, champion_rows, make_attempt
from newsclf.retraining.training_rows import MixOptions

MIX = MixOptions(replay_share=1.0, weight=4, test_share=0.25, seed=0)


def rows(name: str, count: int) -> pd.DataFrame:
    return pd.DataFrame({"text": [f"{name} {n}" for n in range(count)], "label": ["x", "y"] * (count // 2)})


PAST = ChampionRows(rows("old", 40), rows("test", 20))


def texts(path: Path) -> set[str]:
    return set(pd.read_parquet(path)["text"])


def test_old_rows_stay_and_both_tests_decide(tmp_path: Path) -> None:
    attempt, made = make_attempt(tmp_path, PAST, [rows("new", 40)], MIX, "covariate", "settings")
    assert texts(attempt.train) == set(made.train["text"]) >= set(PAST.train["text"])
    assert attempt.tests == {"old_dataset": attempt.old_test, "new_dataset": attempt.new_test}
    assert texts(attempt.old_test) == set(PAST.test["text"])
    assert texts(attempt.new_test) == set(made.test["text"])
    assert texts(attempt.all_tests) == texts(attempt.old_test) | texts(attempt.new_test)
    assert texts(attempt.train) & texts(attempt.all_tests) == set()
    assert [len(judge) for judge in attempt.judges()] == [20, len(made.test)]


def test_where_the_concept_has_drifted_old_rows_and_their_test_are_not_right_any_more(tmp_path: Path) -> None:
    attempt, made = make_attempt(tmp_path, PAST, [rows("new", 40)], MIX, "concept", "settings")
    assert made.old_rows == 0
    assert attempt.tests == {"old_dataset": attempt.new_test}, "the new test decides alone"
    assert texts(attempt.all_tests) == texts(attempt.new_test)


def test_the_same_attempt_has_the_same_folder(tmp_path: Path) -> None:
    def folder(new: int = 40, settings: str = "settings") -> Path:
        return make_attempt(tmp_path, PAST, [rows("new", new)], MIX, "covariate", settings)[0].folder

    assert folder() == folder()
    assert len({folder(), folder(new=44), folder(settings="others")}) == 3


def test_a_later_test_has_the_rows_that_came_since(tmp_path: Path) -> None:
    attempt, _ = make_attempt(tmp_path, PAST, [rows("new", 40)], MIX, "covariate", "settings")
    later = attempts.tested_later(attempt.folder, "covariate", [rows("new", 40), rows("later", 8)])
    assert later.tests["new_dataset"] == later.later_test
    assert texts(later.later_test) == texts(attempt.new_test) | set(rows("later", 8)["text"])


@pytest.fixture
def config(tmp_path: Path) -> TrainConfig:
    rows("news", 60).to_parquet(tmp_path / "news.parquet")
    return TrainConfig(dataset=str(tmp_path / "news.parquet"))


def test_the_rows_of_a_champion_are_read_anew(config: TrainConfig, tmp_path: Path) -> None:
    dataset = load(config)
    found = champion_rows(config, dataset.fingerprint, "")
    assert len(found.train) + len(found.test) == 60
    assert set(found.test["text"]) == set(dataset.splits["test"]["text"])
    with pytest.raises(InputError, match="is not what the champion was trained on"):
        champion_rows(dataclasses.replace(config, seed=1), dataset.fingerprint, "")


def test_a_champion_that_a_retraining_has_made_brings_its_tests(config: TrainConfig, tmp_path: Path) -> None:
    rows("kept", 4).to_parquet(tmp_path / "all_tests.parquet")
    found = champion_rows(config, "", str(tmp_path / "all_tests.parquet"))
    assert set(found.test["text"]) == set(rows("kept", 4)["text"])
    gone = champion_rows(config, "", str(tmp_path / "gone.parquet"))
    assert set(gone.test["text"]) == set(load(config).splits["test"]["text"])
