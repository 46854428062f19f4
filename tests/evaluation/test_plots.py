"""Plots are drawn without a display and without a warning, whatever the classes are called."""

import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from newsclf.evaluation import plots
from newsclf.evaluation.plots import all_plots, calibration, confusion_matrix, losses, per_class

NAMES = ("confusion_matrix.png", "per_class.png", "calibration.png")
CLASSES = {
    "two": ["World", "Sports"],
    "twenty": [f"talk.politics.number_{index}" for index in range(20)],
    "long names": ["a very long class name that goes on and on " * 4, "b", "w" * 300, "c"],
    "marks that matplotlib takes for mathematics": ["$", "$x^", "$_$", "\\frac{a}", "50% & {more}"],
    "blank names and lines": [" ", "_private", "two\nlines"],
    "other scripts": ["日本", "한국", "العالم", "\N{GRINNING FACE}"],
}


def example(classes: int, rows: int = 300) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    labels = random.integers(0, classes, rows)
    probabilities = random.dirichlet(np.full(classes, 0.3), rows)
    probabilities[np.arange(rows), labels] += 0.5
    return labels, probabilities / probabilities.sum(axis=1, keepdims=True)


def save(figure: Figure, file: Path) -> tuple[int, int]:
    """Width and height of the picture, from the head of its file."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Glyph .* missing")  # which scripts can be drawn is up to the machine's fonts
        figure.savefig(file)
    head = file.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", head[16:24])
    return width, height


@pytest.mark.parametrize("classes", CLASSES.values(), ids=CLASSES.keys())
def test_every_plot_is_a_picture_of_a_size_that_can_be_looked_at(classes: list[str], tmp_path: Path) -> None:
    figures = all_plots(*example(len(classes)), classes)
    assert tuple(figures) == NAMES
    for name, figure in figures.items():
        width, height = save(figure, tmp_path / name)
        assert 400 <= width <= 2500, name
        assert 200 <= height <= 2500, name


def test_rows_of_one_class_and_one_row_can_be_drawn(tmp_path: Path) -> None:
    labels, probabilities = np.array([1]), np.array([[0.0, 1.0, 0.0]])
    for name, figure in all_plots(labels, probabilities, ["a", "b", "c"]).items():
        assert min(save(figure, tmp_path / name)) >= 200


def test_the_confusion_matrix_has_true_classes_down_and_predicted_ones_across() -> None:
    labels, predicted = np.array([0, 0, 0, 1, 1]), np.array([0, 1, 1, 1, 1])
    figure = confusion_matrix(labels, predicted, ["first", "second"])
    axes = figure.axes[0]
    cells = {tuple(map(int, text.get_position())): text.get_text() for text in axes.texts}
    assert cells == {(0, 0): "1", (1, 0): "2", (0, 1): "0", (1, 1): "2"}  # (across, down)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted class", "true class")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["first", "second"]
    shares = np.array(axes.images[0].get_array())
    np.testing.assert_allclose(shares, np.array([[1 / 3, 2 / 3], [0, 1]]))


def test_scores_by_class_have_the_lowest_f1_on_top() -> None:
    labels = np.array([0, 0, 1, 1, 2, 2])
    predicted = np.array([0, 1, 1, 1, 2, 2])  # F1: 2/3, 4/5, 1
    axes = per_class(labels, predicted, ["low", "middle", "high"]).axes[0]
    names = [label.get_text().split("\n")[0] for label in axes.get_yticklabels()]
    assert names == ["high", "middle", "low"]  # the first is at the bottom
    widths = [round(bar.get_width(), 3) for bar in axes.containers[2]]
    assert widths == [1.0, 0.8, 0.667]


def test_the_calibration_plot_names_its_error() -> None:
    labels, probabilities = np.array([0, 1]), np.array([[0.9, 0.1], [0.9, 0.1]])
    assert "0.400" in calibration(labels, probabilities).axes[0].get_title()


def test_drawing_needs_no_display_and_leaves_no_figure_open() -> None:
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    all_plots(*example(3), ["a", "b", "c"])
    assert plt.get_fignums() == before
    assert "pyplot" not in vars(plots)


@pytest.mark.parametrize("epochs", [1, 2, 30, 200])
def test_losses_are_two_curves_and_the_epoch_that_was_kept(epochs: int, tmp_path: Path) -> None:
    by_epoch = [(1 / (epoch + 1), 0.5 + 0.01 * epoch) for epoch in range(epochs)]
    figure = losses(by_epoch, kept_epoch=epochs - 1)
    curves = {str(line.get_label()): np.asarray(line.get_xydata()).tolist() for line in figure.axes[0].lines}
    kept = f"kept: epoch {epochs}"
    assert set(curves) == {"train_loss", "val_loss", kept}
    assert curves["train_loss"] == [[epoch, pair[0]] for epoch, pair in enumerate(by_epoch, 1)]
    assert curves["val_loss"] == [[epoch, pair[1]] for epoch, pair in enumerate(by_epoch, 1)]
    assert [x for x, _ in curves[kept]] == [epochs, epochs]
    ticks = [tick for tick in figure.axes[0].get_xticks() if 1 <= tick <= epochs]
    assert ticks
    assert all(tick == round(tick) for tick in ticks)
    assert min(save(figure, tmp_path / "losses.png")) >= 400


def test_an_epoch_that_diverged_leaves_a_gap(tmp_path: Path) -> None:
    figure = losses([(1.0, 0.9), (0.5, 0.6), (float("nan"), float("inf"))], kept_epoch=1)
    assert min(save(figure, tmp_path / "losses.png")) >= 400
