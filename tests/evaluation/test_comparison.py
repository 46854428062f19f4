"""What is one configuration, what differs, and which pairs can be made."""

import dataclasses

import numpy as np
import pytest

from newsclf.evaluation.comparison import Comparison, compared
from newsclf.evaluation.configurations import RunRecord, configurations
from newsclf.evaluation.predictions import Predictions

ROWS = 300
LABELS = np.arange(ROWS) % 3


def run(number: int, accuracy: float, rows: int = ROWS, seed: str = "0", **parameters: str) -> RunRecord:
    """A run that is right on its own draw of the rows."""
    right = np.random.default_rng(number).uniform(size=ROWS) < accuracy
    chances = np.eye(3)[np.where(right, LABELS, (LABELS + 1) % 3)] * 0.8 + 0.2 / 3
    texts = [f"text {row}" for row in range(rows)]
    return RunRecord(
        run_id=f"{number:032x}",
        name=f"run-{number}",
        parameters={"epochs": "3", **parameters},
        seed=seed,
        metrics={"test_accuracy": float(right[:rows].mean()), "test_macro_f1": 0.5, "val_loss": 1.0},
        tags={"mlflow.source.git.commit": "abc"},
        predictions=Predictions.of(texts, LABELS[:rows], chances[:rows], ("x", "y", "z")),
    )


def judge(*runs: RunRecord) -> Comparison:
    return compared(configurations(runs)[0], 0.05, 300, 0)


def test_pairs_are_corrected_for_their_number() -> None:
    result = judge(run(1, 0.9, e="1"), run(2, 0.5, e="2"), run(3, 0.5, e="3"))
    assert len(result.pairs) == 3
    assert sorted(pair.corrected_p >= pair.p_value for pair in result.pairs) == [True] * 3
    assert max(pair.corrected_p / pair.p_value for pair in result.pairs) == pytest.approx(3)
    assert result.sentence.startswith("A has the highest accuracy of 3 configurations")
    row = result.table()[0]
    assert row["accuracy_low"] < row["accuracy"] < row["accuracy_high"]
    assert (row["e"], row["seeds"], row["test"]) == ("1", "0", "a")


def test_what_cannot_be_compared_is_said_and_the_rest_is_done() -> None:
    silent = dataclasses.replace(run(4, 0.8, e="4"), predictions=None)
    result = judge(run(1, 0.9, e="1"), run(2, 0.5, e="2"), run(3, 0.7, rows=200, e="3"), silent)
    assert [(pair.first, pair.second) for pair in result.pairs] == [("A", "D")]
    assert any("logged no predictions" in note and silent.run_id in note for note in result.notes)
    assert any("different rows" in note for note in result.notes)
    assert [row["accuracy_low"] is None for row in result.table()] == [False, True, False, False]


def test_seeds_with_tests_of_their_own_are_a_mean_without_pairs() -> None:
    result = judge(run(1, 0.9, e="1"), run(2, 0.8, rows=200, e="1", seed="1"), run(3, 0.5, e="3"))
    assert result.pairs == []
    assert any("seeds of A were tested on different rows" in note for note in result.notes)
    assert result.table()[0]["accuracy_spread_over_seeds"] > 0


def test_classes_in_another_order_are_the_same_test() -> None:
    one, other = run(1, 0.9, e="1"), run(2, 0.9, e="2")
    assert other.predictions is not None
    turned = dataclasses.replace(other, predictions=other.predictions.in_order(("z", "x", "y")))
    pairs = [judge(one, second).pairs[0] for second in (other, turned)]
    assert pairs[0] == pairs[1]


def test_the_lineage_is_shown_where_it_differs() -> None:
    one, other = run(1, 0.9, e="1"), run(2, 0.8, e="2")
    assert judge(one, other).lineage() == {}
    newer = dataclasses.replace(other, tags={"mlflow.source.git.commit": "def"})
    assert judge(one, newer).lineage() == {"commit": ["abc", "def"]}


def test_what_a_run_has_warned_of_is_told_beside_it() -> None:
    tags = {"newsclf.data_warning.0": "recall 0: no test row of x is found", "newsclf.data_warning.1": "few rows"}
    result = judge(run(1, 0.5, e="1"), dataclasses.replace(run(2, 0.9, e="2"), tags=tags))
    assert result.notes == ["A warns: recall 0: no test row of x is found", "A warns: few rows"]
