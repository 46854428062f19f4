"""The plots of a sweep are drawn for any kind of setting."""

import matplotlib.axes
import numpy as np
import pytest

from newsclf.tuning.plots import importances, parallel_coordinates
from newsclf.tuning.table import TrialRow


def row(trial: int, value: float, **settings: str) -> TrialRow:
    return TrialRow(trial, "complete", value, settings, 0, 1.0, 0, "", "")


def heights(axes: matplotlib.axes.Axes) -> list[list[float]]:
    drawn = [np.asarray(line.get_data()) for line in axes.get_lines()]
    return [heights.tolist() for places, heights in drawn if len(places) == 4]


def test_every_trial_is_a_line_through_its_settings() -> None:
    found = [
        row(1, 0.9, learning_rate="0.001", layers="all", epochs="5"),
        row(2, 0.7, learning_rate="0.0001", layers="0", epochs="5"),
        row(3, 0.8, learning_rate="0.01", layers="all", epochs="5"),
    ]
    axes = parallel_coordinates(found, ["learning_rate", "layers", "epochs"], "val_acc").axes[0]
    lines = heights(axes)
    assert [line[0] for line in lines] == pytest.approx([0.5, 0, 1])  # on a logarithmic scale
    assert [line[1] for line in lines] == [1, 0, 1]  # words
    assert [line[2] for line in lines] == [0.5, 0.5, 0.5]  # one value for all
    assert [line[3] for line in lines] == pytest.approx([1, 0, 0.5])
    assert {"0.0001", "0.001", "0.01", "all", "0", "5"} <= {text.get_text() for text in axes.texts}


def test_ticks_that_would_lie_over_each_other_are_left_out() -> None:
    found = [row(number, number, dropout=f"{number / 1000}") for number in range(200)]
    axes = parallel_coordinates(found, ["dropout"], "val_acc").axes[0]
    assert 10 <= len(axes.texts) <= 52


def test_the_most_important_option_is_on_top() -> None:
    axes = importances({"dropout": 0.2, "epochs": 0.7, "seed": 0.1}, "val_acc").axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["seed", "dropout", "epochs"]
