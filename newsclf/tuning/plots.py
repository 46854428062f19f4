"""A sweep at a glance: every trial as a line through its settings, and which settings matter."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from newsclf.tuning.table import TrialRow

INK, BLUE, GREY = "#1f2933", "#2f6f9f", "#cbd2d9"
MAX_TICKS = 12
LOG_FROM = 10  # numbers that span more than this ratio are drawn on a logarithmic scale


def parallel_coordinates(found: Sequence[TrialRow], names: Sequence[str], aim: str) -> Figure:
    """A line a complete trial, coloured by the aim, over one axis an option and one of the aim."""
    complete = [row for row in found if row.value is not None]
    values = np.array([row.value for row in complete], float)
    columns = [_column([row.settings.get(name, "") for row in complete]) for name in names]
    aims = _column([f"{value:.4g}" for value in values])
    figure = Figure(figsize=(3 + 1.7 * len(names), 4.8), dpi=110, layout="constrained")
    axes = figure.subplots()
    shades = ScalarMappable(Normalize(values.min(), values.max()), colormaps["viridis"])
    places = np.arange(len(names) + 1)
    heights = np.array([column[0] for column in (*columns, aims)])  # [axes, trials]
    for index in range(len(complete)):
        axes.plot(places, heights[:, index], color=shades.to_rgba(values[index]), linewidth=1.8, alpha=0.85)
    for place, (_, ticks) in zip(places, (*columns, aims), strict=True):
        axes.axvline(place, color=GREY, linewidth=1, zorder=0)
        for height, label in ticks:
            box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1}
            axes.text(place + 0.04, height, label, fontsize=8, color=INK, va="center", bbox=box, parse_math=False)
    axes.set_xticks(places, [*names, aim], parse_math=False)
    axes.set_xlim(-0.15, len(names) + 0.55)
    axes.set_yticks([])
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
    axes.set_title(f"{len(complete)} trials")
    figure.colorbar(shades, ax=axes, label=aim, fraction=0.03, pad=0.02)
    return figure


def importances(shares: Mapping[str, float], aim: str) -> Figure:
    """A bar an option, the most important one on top."""
    order = sorted(shares, key=lambda name: shares[name])
    figure = Figure(figsize=(7, 1.4 + 0.45 * len(order)), dpi=110, layout="constrained")
    axes = figure.subplots()
    axes.barh(order, [shares[name] for name in order], color=BLUE, height=0.6)
    for place, name in enumerate(order):
        axes.text(shares[name] + 0.01, place, f"{shares[name]:.2f}", va="center", fontsize=8, color=INK)
    axes.set_xlim(0, 1.08)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(f"Share of each option in a good {aim} (PED-ANOVA)")
    return figure


def _column(texts: Sequence[str]) -> tuple[np.ndarray, list[tuple[float, str]]]:
    """(height from 0 to 1 of each text, ticks as (height, label)) on an axis of its own: numbers to scale."""
    try:
        numbers = np.array([float(text) for text in texts])
    except ValueError:
        kinds = sorted(set(texts))
        heights = np.array([_share(kinds.index(text), 0, len(kinds) - 1) for text in texts])
        return heights, _thinned({kind: _share(place, 0, len(kinds) - 1) for place, kind in enumerate(kinds)})
    texts = [text if len(text) <= 6 else f"{number:.3g}" for text, number in zip(texts, numbers, strict=True)]
    if numbers.min() > 0 and numbers.max() / numbers.min() > LOG_FROM:
        numbers = np.log(numbers)
    heights = np.array([_share(number, numbers.min(), numbers.max()) for number in numbers])
    return heights, _thinned(dict(zip(texts, heights.tolist(), strict=True)))


def _share(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5


def _thinned(ticks: Mapping[str, float]) -> list[tuple[float, str]]:
    """Ticks that do not lie over each other, from below."""
    kept: list[tuple[float, str]] = []
    for label, height in sorted(ticks.items(), key=lambda tick: tick[1]):
        if not kept or height - kept[-1][0] >= 0.5 / MAX_TICKS:
            kept.append((height, label))
    return kept
