"""What a profile says of its columns: numbers for tables, metrics, tests and plots."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from newsclf.evaluation.metric_names import metric_part
from newsclf.profiling.profile import TEXT, TextProfile

RANKS = np.linspace(0, 1, 101)
# Columns of 0 and 1, whose mean is the share of rows.
SHARES = ("empty", "missing", "ends_in_punctuation")
CLASSES_IN_METRICS = 100


@dataclass(frozen=True)
class ColumnSummary:
    """One column. What does not apply to its kind is NaN or empty.

    kind: "number", "label" or "text" (of which distinct values alone are kept).
    rows: rows logged; nulls: those without a value.
    mean, std (of the sample), min, max: of the values that are there.
    quantiles: at RANKS, shape (101,), from the KLL sketch; exact up to about 1,000 values.
    rank_error: by how much a quantile's rank, or a value of `cdf`, is off at the most (in 99 % of sketches); in 0..1.
    items: rows of each label, most frequent first. Exact up to 768 different labels, then the frequent ones alone.
    unique, unique_low, unique_high: estimate of distinct values, and its bounds at two standard errors.
    """

    name: str
    kind: str
    rows: int
    nulls: int
    mean: float = np.nan
    std: float = np.nan
    min: float = np.nan
    max: float = np.nan
    quantiles: np.ndarray = field(default_factory=lambda: np.full(len(RANKS), np.nan))
    rank_error: float = np.nan
    items: Mapping[str, int] = field(default_factory=dict)
    unique: float = np.nan
    unique_low: float = np.nan
    unique_high: float = np.nan
    sketch: Any = field(default=None, repr=False, compare=False)

    @property
    def values(self) -> int:
        """Rows with a value."""
        return self.rows - self.nulls

    @property
    def duplicate_share(self) -> float:
        """The share of values that repeat another one; in 0..1, an estimate, NaN without values."""
        return float(np.clip(1 - self.unique / self.values, 0, 1)) if self.values else np.nan

    def quantile(self, levels: np.ndarray) -> np.ndarray:
        """The values below which these shares (0..1) of the values lie; NaN for a column without values."""
        if self.sketch is None or self.sketch.is_empty():
            return np.full(np.shape(levels), np.nan)
        return np.array(self.sketch.get_quantiles(np.asarray(levels).tolist()))

    def cdf(self, points: np.ndarray) -> np.ndarray:
        """The share of values that are at most as large as each of `points`; in 0..1, same shape, any order.

        NaN for a column without values, and for NaN.
        """
        points = np.asarray(points, dtype=np.float64)
        shares = np.full(points.shape, np.nan)
        known = ~np.isnan(points)
        if self.sketch is None or self.sketch.is_empty() or not known.any():
            return shares
        splits, place = np.unique(points[known], return_inverse=True)  # the sketch wants them ascending
        shares[known] = np.array(self.sketch.get_cdf(splits.tolist(), inclusive=True))[place]
        return shares


def summarise(profile: TextProfile) -> dict[str, ColumnSummary]:
    """Every column of a profile by name, in the order in which they were logged (of a file: by name)."""
    return {name: _summary(name, metrics) for name, metrics in profile.columns.items() if "counts" in metrics}


def rows_of(columns: Mapping[str, ColumnSummary]) -> int:
    """Rows logged: those of the column with the most."""
    return max((column.rows for column in columns.values()), default=0)


def duplicate_share(profile: TextProfile) -> float:
    """The share of texts that repeat another one of the profile, blank ones left out; in 0..1, NaN without texts.

    An estimate: exact up to about 24,000 texts, then within 0.2 points (one standard error).
    """
    return _summary(TEXT, profile.columns[TEXT]).duplicate_share if TEXT in profile.columns else np.nan


def table(profile: TextProfile) -> pd.DataFrame:
    """One row a column, for csv and json. `items` is JSON: {label: rows}; what does not apply is empty (NaN, "")."""
    quantiles = {"q01": 1, "q05": 5, "q25": 25, "median": 50, "q75": 75, "q95": 95, "q99": 99}
    rows = []
    for name, column in summarise(profile).items():
        rows.append(
            {
                "column": name,
                "kind": column.kind,
                "rows": column.rows,
                "nulls": column.nulls,
                "mean": column.mean,
                "std": column.std,
                "min": column.min,
                **{title: column.quantiles[place] for title, place in quantiles.items()},
                "max": column.max,
                "unique": column.unique,
                "items": json.dumps(column.items, ensure_ascii=False) if column.items else "",
            }
        )
    titles = ["column", "kind", "rows", "nulls", "mean", "std", "min", *quantiles, "max", "unique", "items"]
    return pd.DataFrame(rows, columns=titles)


def key_numbers(profile: TextProfile) -> dict[str, float]:
    """Numbers to chart, under names that MLflow takes as metrics; all finite.

    `rows`; `<column>/mean`, `/std`, `/q05`, `/median`, `/q95`; `empty_share`, `missing_share`,
    `ends_in_punctuation_share`, `duplicate_share` (see there); `<label column>/<class>`: the class's share of the
    rows that have one, for the 100 most frequent; `<label column>_missing_share`. Names as of `metric_part`.
    """
    numbers: dict[str, float] = {"rows": float(profile.rows), "duplicate_share": duplicate_share(profile)}
    for name, column in summarise(profile).items():
        safe = metric_part(name)
        if column.kind == "number" and name in SHARES:
            numbers[f"{safe}_share"] = column.mean
        elif column.kind == "number":
            numbers[f"{safe}/mean"], numbers[f"{safe}/std"] = column.mean, column.std
            for title, place in {"q05": 5, "median": 50, "q95": 95}.items():
                numbers[f"{safe}/{title}"] = float(column.quantiles[place])
        elif column.kind == "label" and column.rows:
            numbers[f"{safe}_missing_share"] = column.nulls / column.rows
            for label, rows in list(column.items.items())[:CLASSES_IN_METRICS]:
                numbers[f"{safe}/{metric_part(label)}"] = rows / column.values
    return {name: value for name, value in numbers.items() if np.isfinite(value)}


def _summary(name: str, metrics: Mapping[str, Any]) -> ColumnSummary:
    facts: dict[str, Any] = {"rows": metrics["counts"].n.value, "nulls": metrics["counts"].null.value}
    distribution, items, cardinality = (metrics.get(n) for n in ("distribution", "frequent_items", "cardinality"))
    kind = "label" if items else "number" if distribution else "text"
    if distribution and not items:
        sketch = facts["sketch"] = distribution.kll.value
        facts["rank_error"] = sketch.normalized_rank_error(False)
        if not sketch.is_empty():
            facts |= {
                "mean": float(distribution.avg),
                "std": float(distribution.stddev),
                "min": sketch.get_min_value(),
                "max": sketch.get_max_value(),
                "quantiles": np.array(sketch.get_quantiles(RANKS.tolist())),
            }
    if items:
        found = sorted(items.strings, key=lambda item: (-item.est, item.value))
        facts["items"] = {item.value: int(item.est) for item in found}
    if cardinality:
        sketch = cardinality.hll.value
        low, high = (0.0, 0.0) if sketch.is_empty() else (sketch.get_lower_bound(2), sketch.get_upper_bound(2))
        facts |= {"unique": float(cardinality.estimate or 0), "unique_low": low, "unique_high": high}
    return ColumnSummary(name=name, kind=kind, **facts)
