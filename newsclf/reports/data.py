"""What is drawn of texts and has no type in the rooms: plain data, so that a page needs no model and no profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Histogram:
    """How the values of a column are spread: `counts[i]` rows lie between `edges[i]` and `edges[i + 1]`.

    edges: [bins + 1], ascending; an edge that stands twice is a value with rows of its own, as in a grid of quantiles.
    counts: [bins], at least 0, in rows or in shares of the rows.
    """

    edges: Sequence[float]
    counts: Sequence[float]

    def __post_init__(self) -> None:
        edges, counts = np.asarray(self.edges, float), np.asarray(self.counts, float)
        if edges.shape != (len(counts) + 1,) or len(counts) == 0:
            raise ValueError(f"{len(counts)} bins need {len(counts) + 1} edges, at least 2; {edges.size} are there")
        if not np.isfinite(edges).all() or not np.isfinite(counts).all() or (counts < 0).any() or counts.sum() <= 0:
            raise ValueError("edges and counts must be finite, counts not negative and not all 0")
        if (np.diff(edges) < 0).any():
            raise ValueError("edges must ascend")

    @classmethod
    def from_quantiles(cls, quantiles: Sequence[float], ranks: Sequence[float] | None = None) -> Histogram:
        """Of a grid of quantiles, as a sketch gives it. ranks: ascending, from 0 to 1; evenly spaced without them."""
        if len(quantiles) == 1:
            return cls([quantiles[0]] * 2, [1.0])
        shares = np.diff(np.linspace(0, 1, len(quantiles)) if ranks is None else np.asarray(ranks, float))
        return cls(list(quantiles), shares.tolist())

    def cumulative(self, values: np.ndarray) -> np.ndarray:
        """The share of rows below each of `values`, those equal to it not counted."""
        edges, counts = np.asarray(self.edges, float), np.asarray(self.counts, float)
        ranks = np.concatenate([[0.0], np.cumsum(counts)]) / counts.sum()
        knots, first = np.unique(edges, return_index=True)
        last = np.append(first[1:], len(edges)) - 1
        below, up_to = ranks[first], ranks[last]  # they differ where an edge stands twice
        after = np.clip(np.searchsorted(knots, values, side="left"), 1, max(len(knots) - 1, 1))
        if len(knots) == 1:
            return np.where(values > knots[0], 1.0, 0.0)
        part = np.clip((values - knots[after - 1]) / (knots[after] - knots[after - 1]), 0, 1)
        between = up_to[after - 1] + part * (below[after] - up_to[after - 1])
        between = np.where(values == knots[after], below[after], between)
        return np.where(values <= knots[0], 0.0, np.where(values > knots[-1], 1.0, between))

    def shares(self, edges: np.ndarray) -> np.ndarray:
        """[bins]: the share of rows in each of other bins; the last one holds its upper edge as well."""
        below = self.cumulative(edges)
        if edges[-1] >= self.edges[-1]:
            below[-1] = 1.0
        return np.diff(below)

    def quantiles(self, ranks: Sequence[float]) -> np.ndarray:
        """The values below which these shares of the rows lie."""
        counts = np.asarray(self.counts, float)
        have = np.concatenate([[0.0], np.cumsum(counts)]) / counts.sum()
        return np.interp(ranks, have, np.asarray(self.edges, float))


@dataclass(frozen=True)
class ColumnPair:
    """A column in the reference and in the current data; either may be missing, but not both.

    p_value: corrected, in 0..1; effect: in `effect_unit`; moved: it is among what drifted.
    """

    name: str
    reference: Histogram | None
    current: Histogram | None
    p_value: float | None = None
    effect: float | None = None
    effect_unit: str = ""
    moved: bool = False


@dataclass(frozen=True)
class ClassShares:
    """Rows of each class, as counts or shares, [classes] each; a side may be missing. what: "labels", "predictions"."""

    what: str
    classes: Sequence[str]
    reference: Sequence[float] | None
    current: Sequence[float] | None


@dataclass(frozen=True)
class MapPoints:
    """Texts of both samples in two dimensions of the embedding space. All sequences are [points] long.

    Without `text` (a map from stored coordinates) the points tell only what else is given.
    """

    x: Sequence[float]
    y: Sequence[float]
    is_current: Sequence[bool]
    text: Sequence[str | None] | None = None
    label: Sequence[str | None] | None = None
    distance: Sequence[float] | None = None


@dataclass(frozen=True)
class ChangedWord:
    """A term with the shares of texts, in 0..1, that had it before and have it now, and texts that have it."""

    term: str
    before: float
    now: float
    examples: Sequence[str] = ()


@dataclass(frozen=True)
class Outlier:
    """A text unlike the reference: `distance` from it, in the unit of the reference's map, and the class next to it.

    row: what tells its row apart, by the names of the columns.
    """

    text: str | None
    distance: float
    nearest_class: str | None = None
    row: Mapping[str, str] = field(default_factory=dict)
