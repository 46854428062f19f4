"""report.html of a profile, beside its reference where there is one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from newsclf.drift import Finding, Moved, Reference, Verdict
from newsclf.features.text_statistics import STATISTICS
from newsclf.profiling.profile import TextProfile
from newsclf.profiling.summary import ColumnSummary, summarise
from newsclf.reports.data import ClassShares, ColumnPair, Histogram, MapPoints, Strange
from newsclf.reports.profile import comparison_report

STRANGEST = 20
DRAWN = 1000  # points of each side
SHARES_OF = {"label": "labels", "predicted_label": "predicted labels"}


def write_comparison(
    path: Path,
    *,
    title: str,
    profile: TextProfile,
    before: TextProfile | None,
    reference: Reference | None,
    sample: pd.DataFrame,
    verdict: Verdict | None,
    facts: Mapping[str, object],
) -> None:
    """Write the report of `profile`.

    before: the profile that it is drawn beside; reference: what can embed the texts of `sample` (columns text and,
    if there are any, label). Without it there is no map and no list of strange texts.
    """
    now, then = summarise(profile), summarise(before) if before is not None else {}
    points, strangest = (None, None) if reference is None else _on_the_map(reference, sample)
    comparison_report(
        path,
        title=title,
        columns=_columns(now, then, verdict),
        verdict=verdict.as_dict() if verdict else None,
        class_shares=[_shares(what, name, now, then) for name, what in SHARES_OF.items() if name in now],
        points=points,
        strangest=strangest,
        facts=facts,
        sentence=None if verdict else f"{profile.rows:,} rows profiled; there is no reference to compare them with.",
    )


def _columns(
    now: Mapping[str, ColumnSummary], then: Mapping[str, ColumnSummary], verdict: Verdict | None
) -> list[ColumnPair]:
    """Every numeric column that has values; statistics first, as they are named."""
    moved: dict[str, tuple[Moved, Finding]] = {}
    for finding in verdict.kinds.values() if verdict else ():
        moved |= {one.name: (one, finding) for one in finding.tested}
    order = [*(name for name in STATISTICS if name in now), *(name for name in now if name not in STATISTICS)]
    pairs = []
    for name in order:
        if now[name].kind != "number" or not now[name].values:
            continue
        found = moved.get(name)
        pairs.append(
            ColumnPair(
                name=name,
                reference=_histogram(then[name]) if name in then and then[name].values else None,
                current=_histogram(now[name]),
                p_value=found[0].p_value if found else None,
                effect=found[0].effect if found else None,
                effect_unit=found[1].effect_unit if found else "",
                moved=bool(found and found[0] in found[1].moved),
            )
        )
    return pairs


def _histogram(column: ColumnSummary) -> Histogram:
    return Histogram.from_quantiles(column.quantiles.tolist())


def _shares(what: str, name: str, now: Mapping[str, ColumnSummary], then: Mapping[str, ColumnSummary]) -> ClassShares:
    before = then.get(name)
    classes = sorted({*now[name].items, *(before.items if before else ())})

    def shares(column: ColumnSummary) -> list[float]:
        counts = np.array([column.items.get(label, 0) for label in classes], float)
        return (counts / max(1.0, counts.sum())).tolist()

    return ClassShares(what, classes, shares(before) if before and before.values else None, shares(now[name]))


def _on_the_map(reference: Reference, sample: pd.DataFrame) -> tuple[MapPoints, list[Strange]]:
    """Both samples along the two leading directions, and the texts of the sample that are farthest from all others."""
    texts = sample["text"].tolist()
    frame = reference.columns(texts)
    there = np.flatnonzero(frame["distance"].notna().to_numpy())
    drawn = there[:DRAWN]
    first, second = "direction_1", "direction_2" if "direction_2" in frame else "direction_1"
    old = reference.held_out.dropna(subset=["distance"]).iloc[:DRAWN]
    old_labels: list[str | None] = [None] * len(old)
    if reference.labels is not None:
        old_labels = [reference.classes[reference.labels[row]] for row in old.index]
    labels = sample["label"].tolist() if "label" in sample else [None] * len(sample)
    points = MapPoints(
        x=[*old[first], *frame[first].iloc[drawn]],
        y=[*old[second], *frame[second].iloc[drawn]],
        is_current=[False] * len(old) + [True] * len(drawn),
        text=[None] * len(old) + [texts[row] for row in drawn],
        label=[*old_labels, *(labels[row] for row in drawn)],
        distance=[*old["distance"], *frame["distance"].iloc[drawn]],
    )
    to_class = [name for name in map(str, frame) if name.startswith("distance_to_")]
    closest = frame[to_class].to_numpy()[there].argmin(axis=1) if to_class else None
    farthest = np.argsort(-frame["distance"].to_numpy()[there])[:STRANGEST]
    strangest = [
        Strange(
            text=texts[there[place]],
            distance=float(frame["distance"].iloc[there[place]]),
            nearest_class=None if closest is None else to_class[closest[place]].removeprefix("distance_to_"),
        )
        for place in farthest
    ]
    return points, strangest
