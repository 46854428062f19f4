"""The page of one batch beside its reference, or of one profile alone."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from newsclf.drift.verdict import Verdict
from newsclf.reports import charts, page, vega
from newsclf.reports.data import ChangedWord, ClassShares, ColumnPair, MapPoints, Outlier
from newsclf.reports.page import MAX_TEXT
from newsclf.reports.wording import BADGES, DASH, MINUS, STATES, clean, number, p_value, percent, verdict_badge

MAX_CLASSES_LISTED = 200
MAX_MOVED_NAMED = 12
RANKS = (0.05, 0.25, 0.5, 0.75, 0.95)


def write_report(
    path: Path | str,
    *,
    title: str,
    columns: Sequence[ColumnPair],
    verdict: Verdict | None = None,
    class_shares: Sequence[ClassShares] = (),
    points: MapPoints | None = None,
    outliers: Sequence[Outlier] | None = None,
    words: Sequence[ChangedWord] = (),
    facts: Mapping[str, object] | None = None,
    sentence: str | None = None,
) -> None:
    """The whole page. The columns that moved come first, those with the largest effect before the others.

    points, outliers: all that are given are shown, in their order; None where there are no texts.
    facts: what the reader has to know of the data, in order. sentence: instead of the verdict's own.
    """
    pairs = sorted(columns, key=_importance)
    specs: dict[str, vega.Spec] = {}
    cards = []
    for index, pair in enumerate(pairs):
        specs[f"column-{index}"] = charts.distribution(pair)
        cards.append(_column_card(f"column-{index}", pair))
    tables = []
    for index, shares in enumerate(class_shares):
        if len(shares.classes):
            specs[f"classes-{index}"] = charts.class_shares(shares)
            tables.append(_class_table(f"classes-{index}", shares))
    if points is not None and len(points.x):
        specs["map"] = charts.text_map(points, MAX_TEXT)
    else:
        points = None
    state = STATES[verdict.drifted] if verdict else ""
    page.write(
        path,
        "comparison.html.jinja",
        title=title,
        sentence=sentence or (verdict.sentence if verdict else _without_verdict(pairs, facts)),
        state=state,
        badge=verdict_badge(state) if verdict else "",
        facts=facts,
        charts=specs,
        verdict=verdict,
        kinds=_kinds(verdict, {card["name"]: card["id"] for card in cards}) if verdict else [],
        cards=cards,
        both=any(pair.reference is not None and pair.current is not None for pair in pairs),
        class_tables=tables,
        points=points,
        words=[_word_row(word) for word in words],
        outliers=None if outliers is None else [_outlier_row(row) for row in outliers],
        ranks=[f"{rank:.0%}".replace("%", " %") for rank in RANKS],
    )


def _without_verdict(pairs: Sequence[ColumnPair], facts: Mapping[str, object] | None) -> str:
    rows = (facts or {}).get("rows")
    what = f"{clean(rows, 40)} rows and {len(pairs)} columns" if rows is not None else f"{len(pairs)} columns"
    return f"Profile of {what}. There is no reference, so no drift is judged."


def _importance(pair: ColumnPair) -> tuple[bool, float, float]:
    p = 1.0 if pair.p_value is None or math.isnan(pair.p_value) else pair.p_value
    effect = 0.0 if pair.effect is None or math.isnan(pair.effect) else abs(pair.effect)
    return (not pair.moved, -effect if pair.moved else p, -effect)


def _kinds(verdict: Verdict, ids: Mapping[str, str]) -> list[dict[str, Any]]:
    """A row a kind of drift. ids: of the columns' cards, by the columns' names."""
    rows = []
    for kind, finding in verdict.kinds.items():
        state = STATES[finding.drifted]
        largest_first = sorted(finding.significant, key=lambda column: -abs(column.effect))
        moved = [clean(column.name, 80) for column in largest_first]
        rows.append(
            {
                "kind": clean(kind, 40),
                "state": state,
                "badge": BADGES[state],
                "p": p_value(finding.p_value),
                "effect": number(finding.effect),
                "unit": clean(finding.effect_unit, 60) if finding.effect is not None else "",
                "sentence": clean(finding.sentence, 600),
                "moved": [{"name": name, "id": ids.get(name)} for name in moved[:MAX_MOVED_NAMED]],
                "more": max(0, len(moved) - MAX_MOVED_NAMED),
            }
        )
    return rows


def _column_card(identity: str, pair: ColumnPair) -> dict[str, Any]:
    sides = {"reference": pair.reference, "current": pair.current}
    quantiles = {name: side.quantiles(RANKS) for name, side in sides.items() if side is not None}
    said = "; ".join(
        f"{name} median {number(values[2])}, middle half {number(values[1])} to {number(values[3])}"
        for name, values in quantiles.items()
    )
    return {
        "id": identity,
        "name": clean(pair.name, 80),
        "moved": pair.moved,
        "judged": pair.p_value is not None or pair.effect is not None,
        "p": p_value(pair.p_value),
        "effect": number(pair.effect),
        "unit": clean(pair.effect_unit, 60) if pair.effect is not None else "",
        "say": said,
        "table": {name: [number(value) for value in values] for name, values in quantiles.items()},
        "missing": [name for name, side in sides.items() if side is None],
    }


def _class_table(identity: str, shares: ClassShares) -> dict[str, Any]:
    sides = charts.class_share_table(shares)
    both = len(sides) == 2
    rows = []
    for index, name in enumerate(shares.classes[:MAX_CLASSES_LISTED]):
        change = 100 * (sides["current"][index] - sides["reference"][index]) if both else None
        rows.append(
            {
                "name": clean(name, 80) or "(empty)",
                "shares": [percent(float(side[index])) for side in sides.values()],
                "change": "" if change is None else f"{change:+.1f}".replace("-", MINUS),
            }
        )
    return {
        "id": identity,
        "what": clean(shares.what, 60),
        "sides": list(sides),
        "rows": rows,
        "left_out": max(0, len(shares.classes) - MAX_CLASSES_LISTED),
        "drawn": min(len(shares.classes), charts.MAX_CLASSES_DRAWN),
        "all": len(shares.classes),
        "moved": float(np.abs(sides["current"] - sides["reference"]).sum() / 2) if both else None,
    }


def _word_row(word: ChangedWord) -> dict[str, Any]:
    return {
        "term": clean(word.term, 80),
        "before": percent(word.before),
        "now": percent(word.now),
        "points": f"{100 * (word.now - word.before):+.1f}".replace("-", MINUS),
        "examples": [clean(text, 240) for text in word.examples],
    }


def _outlier_row(outlier: Outlier) -> dict[str, str]:
    return {
        "text": clean(outlier.text, MAX_TEXT),
        "distance": number(outlier.distance),
        "nearest": clean(outlier.nearest_class, 80) or DASH,
        "row": "; ".join(
            clean(value if name == "row_id" else f"{name}: {value}", 120) for name, value in outlier.row.items()
        ),
    }
