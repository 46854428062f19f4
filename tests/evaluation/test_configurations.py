"""Runs that differ in their seed alone are one configuration."""

import pytest

from newsclf.evaluation.configurations import (
    Configuration,
    RunRecord,
    canonical,
    configurations,
    differing,
    letters,
    scores_of,
)


def run(number: int, accuracy: float, seed: str = "0", **parameters: str) -> RunRecord:
    metrics = {"test_accuracy": accuracy, "test_macro_f1": 0.5, "val_loss": 1.0, "test_log_loss": float("nan")}
    return RunRecord(f"{number:032x}", f"run-{number}", {"epochs": "3", **parameters}, seed, metrics, {}, None)


def test_seeds_are_pooled_and_notations_make_no_configuration() -> None:
    runs = [
        run(1, 0.9, learning_rate="1e-3"),
        run(2, 0.9, learning_rate="0.001", seed="1"),
        run(3, 0.6, learning_rate="0.01"),
        run(4, 0.2, learning_rate="0.01"),  # the same seed again
    ]
    groups, repeated = configurations(runs)
    assert [[one.run_id[-1] for one in group.runs] for group in groups] == [["1", "2"], ["3"]]
    assert [group.name for group in groups] == ["A", "B"]
    assert repeated == [runs[3].run_id]
    assert differing(groups) == {"learning_rate": ["0.001", "0.01"]}


def test_a_parameter_that_one_has_not_differs() -> None:
    groups, _ = configurations([run(1, 0.9, keep="best"), run(2, 0.8)])
    assert differing(groups) == {"keep": ["best", "-"]}


def test_letters_go_on_after_z() -> None:
    assert [letters(place) for place in (0, 25, 26, 27, 701, 702)] == ["A", "Z", "AA", "AB", "ZZ", "AAA"]


@pytest.mark.parametrize(
    ("text", "notation"),
    [
        ("1e-3", "0.001"),
        ("0.0010", "0.001"),
        ("16", "16"),
        ("16.0", "16"),
        ("all", "all"),
        ("1_000", "1_000"),
        ("", ""),
    ],
)
def test_a_number_has_one_notation(text: str, notation: str) -> None:
    assert canonical(text) == notation


def test_scores_have_the_names_of_evaluate_and_are_numbers() -> None:
    assert scores_of(run(1, 0.9)) == {"accuracy": 0.9, "macro_f1": 0.5, "val_loss": 1.0}


def test_the_values_of_a_configuration_are_those_of_its_runs() -> None:
    one = Configuration("A", (run(1, 0.9), run(2, 0.8, seed="1")))
    assert (one.seeds, one.values("accuracy"), one.values("none")) == (["0", "1"], [0.9, 0.8], [])
    assert one.test == "", "neither has kept predictions"
