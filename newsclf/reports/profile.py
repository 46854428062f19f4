"""report.html: one file that opens from disk and in MLflow's artifact view, with all it needs inside and no network.

MLflow 3 shows an HTML artifact as a blob in `<iframe sandbox="allow-scripts">`: scripts run, but the page has no
origin, so storage, cookies, forms and pop-ups fail. The page uses none of them. Where no script runs at all, the
sentences and the tables, which hold the charts' numbers, are still there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from newsclf.reports import charts, page, vega
from newsclf.reports.badges import BADGES, STATES, TEMPLATES, verdict_badge
from newsclf.reports.data import (
    AlertMark,
    BatchPoint,
    ChangeMark,
    ClassShares,
    ColumnPair,
    Histogram,
    MapPoints,
    Strange,
    Window,
)
from newsclf.reports.page import MAX_TEXT
from newsclf.reports.stream import stream_report
from newsclf.reports.wording import DASH, MINUS, clean, number, p_value, percent

__all__ = [
    "AlertMark",
    "BatchPoint",
    "ChangeMark",
    "ClassShares",
    "ColumnPair",
    "Histogram",
    "MapPoints",
    "Strange",
    "Window",
    "comparison_report",
    "stream_report",
]

MAX_POINTS = 2_000
MAX_STRANGE = 50
MAX_CLASSES_LISTED = 200
RANKS = (0.05, 0.25, 0.5, 0.75, 0.95)


def comparison_report(
    path: Path | str,
    *,
    title: str,
    columns: Sequence[ColumnPair],
    verdict: Mapping[str, Any] | None = None,
    class_shares: Sequence[ClassShares] = (),
    points: MapPoints | None = None,
    strangest: Sequence[Strange] | None = None,
    facts: Mapping[str, object] | None = None,
    sentence: str | None = None,
) -> None:
    """One batch beside its reference, or, without a verdict, one profile alone.

    verdict: `Verdict.as_dict()`. The columns that moved come first, those with the largest effect before the others.
    points: of more than 2,000 an evenly spaced sample is drawn; None where there are only profiles.
    strangest: in the order in which they are shown, at most 50; None where there are no texts.
    facts: what the reader has to know of the data, in order. sentence: instead of the verdict's own.
    """
    moved = _moved_names(verdict)
    pairs = sorted(columns, key=lambda pair: _importance(pair, moved))
    specs: dict[str, vega.Spec] = {}
    cards = []
    for place, pair in enumerate(pairs):
        specs[f"column-{place}"] = charts.distribution(pair)
        cards.append(_column_card(f"column-{place}", pair, pair.moved or pair.name in moved))
    tables = []
    for place, shares in enumerate(class_shares):
        if len(shares.classes):
            specs[f"classes-{place}"] = charts.class_shares(shares)
            tables.append(_class_table(f"classes-{place}", shares))
    points = None if points is None else _fewer(points)
    if points is not None and len(points.x):
        specs["map"] = charts.text_map(points, MAX_TEXT)
    else:
        points = None
    page.write(
        path,
        TEMPLATES / "comparison.html.jinja",
        specs,
        {},
        title=clean(title, 200),
        headline=_headline(verdict, sentence, pairs, facts),
        verdict=verdict,
        kinds=_kinds(verdict, {card["name"]: card["id"] for card in cards}),
        cards=cards,
        both=any(pair.reference is not None and pair.current is not None for pair in pairs),
        class_tables=tables,
        points=points,
        strangest=None if strangest is None else [_strange_row(row) for row in strangest[:MAX_STRANGE]],
        facts=page.facts_of(facts),
        ranks=[f"{rank:.0%}".replace("%", " %") for rank in RANKS],
    )


# --- what is said at the top


def _headline(
    verdict: Mapping[str, Any] | None,
    sentence: str | None,
    pairs: Sequence[ColumnPair],
    facts: Mapping[str, object] | None,
) -> dict[str, str]:
    if verdict is None:
        return {"state": "", "badge": "", "sentence": clean(sentence or _without_verdict(pairs, facts), 600)}
    state = STATES[verdict["drifted"]]
    return {"state": state, "badge": verdict_badge(state), "sentence": clean(sentence or verdict["sentence"], 600)}


def _without_verdict(pairs: Sequence[ColumnPair], facts: Mapping[str, object] | None) -> str:
    rows = (facts or {}).get("rows")
    what = f"{clean(rows, 40)} rows and {len(pairs)} columns" if rows is not None else f"{len(pairs)} columns"
    return f"Profile of {what}. There is no reference, so no drift is judged."


# --- one batch


def _moved_names(verdict: Mapping[str, Any] | None) -> set[str]:
    findings = (verdict or {}).get("kinds", {}).values()
    return {moved["name"] for finding in findings for moved in finding["moved"]}


def _importance(pair: ColumnPair, moved: set[str]) -> tuple[bool, float, float]:
    p = 1.0 if pair.p_value is None or math.isnan(pair.p_value) else pair.p_value
    effect = 0.0 if pair.effect is None or math.isnan(pair.effect) else abs(pair.effect)
    first = pair.moved or pair.name in moved
    return (not first, -effect if first else p, -effect)


def _kinds(verdict: Mapping[str, Any] | None, ids: Mapping[str, str]) -> list[dict[str, Any]]:
    rows = []
    for kind, finding in ((verdict or {}).get("kinds", {})).items():
        state = STATES[finding["drifted"]]
        moved = sorted(finding["moved"], key=lambda one: -abs(one["effect"] or 0))
        rows.append(
            {
                "kind": clean(kind, 40),
                "state": state,
                "badge": BADGES[state],
                "p": p_value(finding["p_value"]),
                "effect": number(finding["effect"]),
                "unit": clean(finding["effect_unit"], 60) if finding["effect"] is not None else "",
                "sentence": clean(finding["sentence"], 600),
                "moved": [{"name": clean(m["name"], 60), "id": ids.get(clean(m["name"], 80))} for m in moved[:12]],
                "more": max(0, len(moved) - 12),
            }
        )
    return rows


def _column_card(identity: str, pair: ColumnPair, moved: bool) -> dict[str, Any]:
    sides = {"reference": pair.reference, "current": pair.current}
    quantiles = {name: side.quantiles(RANKS) for name, side in sides.items() if side is not None}
    said = "; ".join(
        f"{name} median {number(values[2])}, middle half {number(values[1])} to {number(values[3])}"
        for name, values in quantiles.items()
    )
    return {
        "id": identity,
        "name": clean(pair.name, 80),
        "moved": moved,
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


def _strange_row(row: Strange) -> dict[str, str]:
    return {
        "text": clean(row.text, MAX_TEXT),
        "distance": number(row.distance),
        "nearest": clean(row.nearest_class, 80) or DASH,
    }


def _fewer(points: MapPoints) -> MapPoints:
    """At most 2,000 points: in equal parts of both sides where there are enough, evenly spaced in the given order.

    Points without a place (NaN) are left out.
    """
    placed = np.isfinite(np.asarray(points.x, float)) & np.isfinite(np.asarray(points.y, float))
    is_current = np.asarray(points.is_current, bool)
    current, reference = np.flatnonzero(placed & is_current), np.flatnonzero(placed & ~is_current)
    half = MAX_POINTS // 2
    room = max(half, MAX_POINTS - len(reference)), max(half, MAX_POINTS - len(current))
    kept = np.concatenate([_spaced(current, room[0]), _spaced(reference, room[1])])

    def pick(values: Sequence[Any] | None) -> list[Any] | None:
        return None if values is None else [values[index] for index in kept.tolist()]

    return MapPoints(
        pick(points.x) or [],
        pick(points.y) or [],
        pick(points.is_current) or [],
        pick(points.text),
        pick(points.label),
        pick(points.distance),
    )


def _spaced(indices: np.ndarray, room: int) -> np.ndarray:
    if len(indices) <= room:
        return indices
    return indices[np.linspace(0, len(indices) - 1, room).round().astype(int)]
