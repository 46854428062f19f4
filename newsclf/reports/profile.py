"""report.html of a profile, beside its reference where there is one."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from newsclf.drift import ColumnEffect, Finding, TextBatch, Verdict, covariate
from newsclf.drift.batch import HeldOut
from newsclf.drift.inputs import spaced
from newsclf.drift.words import telling
from newsclf.features.terms import around, first_with
from newsclf.features.text_statistics import STATISTICS
from newsclf.profiling.profile import TextProfile
from newsclf.profiling.summary import ColumnSummary, summarise
from newsclf.reports import comparison
from newsclf.reports.data import ChangedWord, ClassShares, ColumnPair, Histogram, MapPoints, Outlier

MAX_OUTLIERS = 20
MAX_WORDS, EXAMPLES = 20, 3
MAX_POINTS = 1000  # of each side
SHARES_OF = {"label": "labels", "predicted_label": "predicted labels"}


def write_report(
    path: Path,
    *,
    title: str,
    profile: TextProfile,
    before: TextProfile | None,
    held_out: HeldOut | None,
    batch: TextBatch | None,
    verdict: Verdict | None,
    facts: Mapping[str, object],
    identity: pd.DataFrame | None = None,
) -> None:
    """Write the report of `profile`.

    before: the profile that it is drawn beside; batch: a sample of the texts as a reference has read them, held_out:
    what they were compared with; identity: [texts of the batch] what tells them apart. Without a batch there is no map
    and no list of outliers.
    """
    now, then = summarise(profile), summarise(before) if before is not None else {}
    points, outliers = (None, None) if held_out is None or batch is None else _on_the_map(held_out, batch, identity)
    comparison.write_report(
        path,
        title=title,
        columns=_columns(now, then, verdict),
        verdict=verdict,
        class_shares=[_shares(what, name, now, then) for name, what in SHARES_OF.items() if name in now],
        points=points,
        outliers=outliers,
        words=_words(verdict, batch),
        facts=facts,
        sentence=None if verdict else f"{profile.rows:,} rows profiled; there is no reference to compare them with.",
    )


def _columns(
    now: Mapping[str, ColumnSummary], then: Mapping[str, ColumnSummary], verdict: Verdict | None
) -> list[ColumnPair]:
    """Every numeric column that has values; statistics first, as they are named."""
    tested: dict[str, tuple[ColumnEffect, Finding]] = {}
    for finding in verdict.kinds.values() if verdict else ():
        tested |= {column.name: (column, finding) for column in finding.tested}
    order = [*(name for name in STATISTICS if name in now), *(name for name in now if name not in STATISTICS)]
    pairs = []
    for name in order:
        if now[name].kind != "number" or not now[name].values:
            continue
        sides = (_histogram(then[name]) if name in then and then[name].values else None, _histogram(now[name]))
        if name not in tested:
            pairs.append(ColumnPair(name, *sides))
            continue
        column, finding = tested[name]
        unit = covariate.unit_of(name) if finding.kind == covariate.NAME else finding.effect_unit
        moved = column in finding.significant
        pairs.append(ColumnPair(name, *sides, column.p_value, column.effect, unit, moved))
    return pairs


def _words(verdict: Verdict | None, batch: TextBatch | None) -> list[ChangedWord]:
    """The words that a drift of the texts says itself in, with the first texts that have them."""
    found = verdict.kinds.get(covariate.NAME) if verdict else None
    texts = [] if batch is None else [text or "" for text in batch.texts]
    return [
        ChangedWord(
            change.term,
            change.before,
            change.now,
            [around(change.term, texts[place]) for place in first_with(change.term, texts, EXAMPLES)],
        )
        for change in telling(found.words if found else (), MAX_WORDS)
    ]


def _histogram(column: ColumnSummary) -> Histogram:
    return Histogram.from_quantiles(column.quantiles.tolist())


def _shares(what: str, name: str, now: Mapping[str, ColumnSummary], then: Mapping[str, ColumnSummary]) -> ClassShares:
    before = then.get(name)
    classes = sorted({*now[name].items, *(before.items if before else ())})

    def shares(column: ColumnSummary) -> list[float]:
        counts = np.array([column.items.get(label, 0) for label in classes], float)
        return (counts / max(1.0, counts.sum())).tolist()

    return ClassShares(what, classes, shares(before) if before and before.values else None, shares(now[name]))


def _on_the_map(held_out: HeldOut, batch: TextBatch, identity: pd.DataFrame | None) -> tuple[MapPoints, list[Outlier]]:
    """Both samples along the two leading directions, and the texts of the sample that are farthest from all others."""
    current = batch.columns.assign(text=pd.Series(batch.texts, dtype=object), label=_labels_of(batch.columns))
    current = current[current["distance"].notna()]
    known = held_out.columns[held_out.columns["distance"].notna()]
    if held_out.labelled is not None:
        known = known.assign(label=[held_out.classes[label] for label in held_out.labelled.labels[known.index]])
    sides = [_spaced(known.assign(text=None, label=_labels_of(known))), _spaced(current)]
    drawn = pd.concat(sides, keys=[False, True])
    points = MapPoints(
        x=drawn["direction_1"].tolist(),
        y=drawn["direction_2" if "direction_2" in drawn else "direction_1"].tolist(),
        is_current=drawn.index.get_level_values(0).tolist(),
        text=drawn["text"].tolist(),
        label=drawn["label"].tolist(),
        distance=drawn["distance"].tolist(),
    )
    to_class = [name for name in map(str, current) if name.startswith("distance_to_")]
    farthest = current.iloc[np.argsort(-current["distance"].to_numpy())[:MAX_OUTLIERS]]
    nearest = farthest[to_class].to_numpy().argmin(axis=1) if to_class else None
    outliers = [
        Outlier(
            text,
            distance,
            None if nearest is None else to_class[nearest[index]].removeprefix("distance_to_"),
            {} if identity is None else identity.loc[farthest.index[index]].dropna().to_dict(),
        )
        for index, (text, distance) in enumerate(zip(farthest["text"], farthest["distance"], strict=True))
    ]
    return points, outliers


def _labels_of(rows: pd.DataFrame) -> pd.Series:
    """The labels of rows, None where there are none."""
    return rows["label"] if "label" in rows else pd.Series(None, rows.index, object)


def _spaced(rows: pd.DataFrame) -> pd.DataFrame:
    """At most MAX_POINTS of the rows, evenly spaced."""
    return rows.iloc[spaced(len(rows), MAX_POINTS)]
