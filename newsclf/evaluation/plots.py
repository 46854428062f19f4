"""Plots of a model's errors, and of its training: losses by epoch. Drawn without a display."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from newsclf.evaluation.scores import BINS, calibration_curve, class_scores, expected_calibration_error

INK, BLUE, ORANGE, GREY = "#1f2933", "#2f6f9f", "#d9822b", "#cbd2d9"
MAX_CLASSES = 30  # of one plot, so that its rows can be read


def all_plots(labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]) -> dict[str, Figure]:
    """The plots by file name. labels: [rows] class indices; probabilities: [rows, classes]."""
    predicted = probabilities.argmax(axis=1)
    return {
        "confusion_matrix.png": confusion_matrix(labels, predicted, classes),
        "per_class.png": per_class(labels, predicted, classes),
        "calibration.png": calibration(labels, probabilities),
    }


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, classes: Sequence[str]) -> Figure:
    """Counts, shaded by the share of the true class, so that small classes show as well as large ones."""
    size = len(classes)
    counts = np.zeros((size, size), int)
    np.add.at(counts, (labels, predicted), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = min(3.2 + 0.62 * size, 18)
    figure = Figure(figsize=(side + 1.2, side), dpi=110, layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    font = 10 if size <= 10 else max(5, 13 - size // 3)
    for row in range(size):
        for column in range(size):
            if counts[row, column] or size <= 10:
                colour = "white" if shares[row, column] > 0.55 else INK
                axes.text(
                    column,
                    row,
                    f"{counts[row, column]:,}",
                    ha="center",
                    va="center",
                    color=colour,
                    fontsize=font,
                )
    names = [_short(name) for name in classes]
    style: dict[str, Any] = {"fontsize": max(font, 7), "parse_math": False}  # a `$` in a name is no formula
    axes.set_xticks(range(size), names, rotation=40 if size > 3 else 0, ha="right" if size > 3 else "center", **style)
    axes.set_yticks(range(size), names, **style)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    axes.set_title(f"Confusion matrix, {len(labels):,} rows")
    figure.colorbar(image, ax=axes, label="share of the true class", fraction=0.046, pad=0.03)
    return figure


def per_class(labels: np.ndarray, predicted: np.ndarray, classes: Sequence[str]) -> Figure:
    """Precision, recall and F1 of each class, lowest F1 on top; of many classes the lowest alone."""
    values = class_scores(labels, predicted, len(classes))
    order = np.argsort(-values["f1"], kind="stable")[-MAX_CLASSES:]
    rows = np.bincount(labels, minlength=len(classes))
    figure = Figure(figsize=(7.5, 1.6 + 0.62 * len(order)), dpi=110, layout="constrained")
    axes = figure.subplots()
    place = np.arange(len(order))
    for offset, (name, colour) in enumerate({"precision": GREY, "recall": BLUE, "f1": ORANGE}.items()):
        heights = values[name][order]
        axes.barh(place + (1 - offset) * 0.26, heights, height=0.24, color=colour, label=name.replace("f1", "F1"))
        for y, value in zip(place + (1 - offset) * 0.26, heights, strict=True):
            axes.text(value + 0.006, y, f"{value:.3f}", va="center", fontsize=7.5, color=INK)
    axes.set_yticks(
        place,
        [f"{_short(classes[index])}\n{rows[index]:,} rows" for index in order],
        fontsize=9,
        parse_math=False,
    )
    axes.set_xlim(0, 1.08)
    axes.spines[["top", "right"]].set_visible(False)
    left_out = len(classes) - len(order)
    axes.set_title("Scores by class" + (f", lowest {len(order)} of {len(classes)}" if left_out else ""))
    figure.legend(ncols=3, loc="outside lower center", frameon=False)
    return figure


def calibration(labels: np.ndarray, probabilities: np.ndarray) -> Figure:
    """Accuracy against confidence, and how many rows have each confidence."""
    edges, confidence, accuracy, rows = calibration_curve(labels, probabilities)
    error = expected_calibration_error(labels, probabilities)
    figure = Figure(figsize=(6, 6), dpi=110, layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    filled = rows > 0
    top.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="calibrated")
    sizes = 20 + 180 * rows[filled] / rows.max()
    top.scatter(
        confidence[filled],
        accuracy[filled],
        s=sizes,
        color=BLUE,
        alpha=0.85,
        zorder=3,
        label="bin, area by rows",
    )
    top.plot(confidence[filled], accuracy[filled], color=BLUE, alpha=0.5)
    top.set_ylim(-0.03, 1.03)
    top.set_xlim(0, 1.01)
    top.set_ylabel("accuracy")
    top.set_title(f"Calibration: expected calibration error {error:.3f}")
    top.legend(loc="upper left", frameon=False)
    bottom.bar(edges + 0.5 / BINS, rows, width=0.9 / BINS, color=BLUE)
    bottom.set_ylabel("rows")
    bottom.set_xlabel("confidence (probability of the predicted class)")
    for axes in (top, bottom):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def losses(by_epoch: Sequence[tuple[float, float]], kept_epoch: int) -> Figure:
    """train_loss and val_loss of each epoch in one chart, with the epoch whose weights were kept.

    kept_epoch: from 0. Where the curves part, the model learns its training rows by heart.
    """
    epochs, (train, val) = np.arange(1, len(by_epoch) + 1), np.array(by_epoch, float).T
    figure = Figure(figsize=(7.5, 4.5), dpi=110, layout="constrained")
    axes = figure.subplots()
    axes.axvline(kept_epoch + 1, color=GREY, linewidth=6, zorder=0, label=f"kept: epoch {kept_epoch + 1}")
    for name, colour, values, other in (("train_loss", BLUE, train, val), ("val_loss", ORANGE, val, train)):
        axes.plot(epochs, values, color=colour, marker="o", markersize=4 if len(epochs) <= 40 else 0, label=name)
        if np.isfinite(values[-1]):
            above = 5 if values[-1] >= other[-1] else -5  # so that two numbers that are close do not lie on each other
            at, style = (epochs[-1], values[-1]), dict[str, Any]({"va": "center", "fontsize": 8, "color": colour})
            axes.annotate(f"{values[-1]:.3f}", at, (6, above), textcoords="offset points", **style)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_xlim(0.5, len(epochs) + 0.5)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss (nats)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title("Losses by epoch")
    figure.legend(ncols=3, loc="outside lower center", frameon=False)
    return figure


def _short(name: str, length: int = 24) -> str:
    return name if len(name) <= length else name[: length - 1] + "…"
