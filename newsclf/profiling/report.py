"""report.html: one file that opens from disk and in MLflow's artifact view, with all it needs inside and no network.

MLflow 3 shows an HTML artifact as a blob in `<iframe sandbox="allow-scripts">`: scripts run, but the page has no
origin, so storage, cookies, forms and pop-ups fail. The page uses none of them. Where no script runs at all, the
sentences and the tables, which hold the charts' numbers, are still there.
"""

from __future__ import annotations

import functools
import json
import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from newsclf.profiling import charts
from newsclf.profiling.report_data import (
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
from newsclf.profiling.wording import DASH, MINUS, clean, number, p_value, percent

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

TEMPLATES = Path(__file__).parent / "templates"
MAX_POINTS = 2_000
MAX_TEXT = 300  # characters
MAX_STRANGE = 50
MAX_CLASSES_LISTED = 200
RANKS = (0.05, 0.25, 0.5, 0.75, 0.95)
STATES = {True: "drift", False: "no drift", None: "not judged"}
BADGES = {"drift": "▲ drift", "no drift": "● no drift", "not judged": "○ cannot be judged"}


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
    specs: dict[str, charts.Spec] = {}
    cards = []
    for place, pair in enumerate(pairs):
        specs[f"column-{place}"] = charts.distribution(pair)
        cards.append(_column_card(f"column-{place}", pair, pair.moved or pair.name in moved))
    tables = []
    for place, shares in enumerate(class_shares):
        if len(shares.classes):
            specs[f"classes-{place}"] = charts.class_shares(shares)
            tables.append(_class_table(f"classes-{place}", shares))
    if points is not None and len(points.x):
        points = _fewer(points)
        specs["map"] = charts.text_map(points, MAX_TEXT)
    else:
        points = None
    _write(
        path,
        "comparison.html.jinja",
        specs,
        {},
        title=clean(title, 200),
        headline=_headline(verdict, sentence or _without_verdict(pairs, facts)),
        verdict=verdict,
        kinds=_kinds(verdict, {card["name"]: card["id"] for card in cards}),
        cards=cards,
        both=any(pair.reference is not None and pair.current is not None for pair in pairs),
        class_tables=tables,
        points=points,
        strangest=None if strangest is None else [_strange_row(row) for row in strangest[:MAX_STRANGE]],
        facts=_facts(facts),
    )


def stream_report(
    path: Path | str,
    *,
    title: str,
    batches: Sequence[BatchPoint],
    alerts: Sequence[AlertMark] = (),
    windows: Sequence[Window] = (),
    changes: Sequence[ChangeMark] = (),
    facts: Mapping[str, object] | None = None,
    sentence: str | None = None,
) -> None:
    """A stream's batches in their order: verdicts, p-values, effects and numbers over time.

    Alerts, windows and changes name batches by `BatchPoint.number`; what lies outside of the batches is not drawn.
    """
    if not batches:
        raise ValueError("a report over time needs at least one batch")
    place = {batch.number: index for index, batch in enumerate(batches)}
    marks = [(place[alert.batch], alert) for alert in alerts if alert.batch in place]
    spans = [span for span in (_span(window, place) for window in windows) if span]
    begun = [(place[c.begin], place.get(c.detected, place[c.begin]), c) for c in changes if c.begin in place]
    kinds = _kinds_of(batches)
    states = [_states(batch, kinds) for batch in batches]
    says = [_says(batch, kinds) for batch in batches]
    specs = {"timeline": charts.timeline(states, says, ["verdict", *kinds], marks, spans, begun)}
    groups = [_kind_charts(specs, batches, kind, states, marks, spans) for kind in kinds]
    numbers = []
    for index, name in enumerate(dict.fromkeys(name for batch in batches for name in batch.numbers)):
        own = [(at, alert) for at, alert in marks if name in alert.numbers]
        values = [batch.numbers.get(name) for batch in batches]
        specs[f"number-{index}"] = charts.series(clean(name, 80), values, alerts=own, windows=spans)
        numbers.append({"id": f"number-{index}", "name": clean(name, 80), "say": _range_of(values), "alerts": len(own)})
    numbers.sort(key=lambda row: -row["alerts"])
    _write(
        path,
        "stream.html.jinja",
        specs,
        {
            "labels": [_date(batch) or str(batch.number) for batch in batches],
            "names": [_batch_name(batch) for batch in batches],
        },
        title=clean(title, 200),
        headline=_stream_headline(batches, alerts, sentence),
        groups=[group for group in groups if group["charts"]],
        numbers=numbers,
        alerts=[_alert_row(alert, batches, place) for alert in sorted(alerts, key=lambda alert: alert.batch)],
        changes=[{"kind": clean(c.kind, 40), "sentence": clean(c.sentence, 500)} for c in changes],
        windows=[_window_row(window, batches, place) for window in windows],
        batches=[_batch_row(batch, kinds) for batch in batches],
        kinds=kinds,
        facts=_facts(facts),
    )


# --- what is said at the top


def _headline(verdict: Mapping[str, Any] | None, sentence: str) -> dict[str, str]:
    if verdict is None:
        return {"state": "", "badge": "", "sentence": clean(sentence, 600)}
    state = STATES[verdict["drifted"]]
    badge = "○ not enough data" if state == "not judged" else BADGES[state]
    return {"state": state, "badge": badge, "sentence": clean(verdict["sentence"], 600)}


def _without_verdict(pairs: Sequence[ColumnPair], facts: Mapping[str, object] | None) -> str:
    rows = (facts or {}).get("rows")
    what = f"{clean(rows, 40)} rows and {len(pairs)} columns" if rows is not None else f"{len(pairs)} columns"
    return f"Profile of {what}. There is no reference, so no drift is judged."


def _stream_headline(
    batches: Sequence[BatchPoint], alerts: Sequence[AlertMark], sentence: str | None
) -> dict[str, str]:
    last = STATES[batches[-1].verdict["drifted"]]
    badge = "○ not enough data" if last == "not judged" else BADGES[last]
    drifted = [batch for batch in batches if batch.verdict["drifted"]]
    if sentence is None:
        sentence = f"Drift in {len(drifted)} of {_count(len(batches), 'batch', 'batches')}"
        if drifted:
            sentence += f", first in {_batch_name(drifted[0])}"
            named = [batch.verdict["kind"] for batch in drifted if batch.verdict["kind"]]
            if named:
                sentence += f", most often of the kind {max(sorted(set(named)), key=named.count)}"
        unjudged = sum(batch.verdict["drifted"] is None for batch in batches)
        sentence += f"; {_count(unjudged, 'batch', 'batches')} too small to judge" if unjudged else ""
        raised = sum(not alert.resolved for alert in alerts)
        sentence += f"; {_count(raised, 'alert', 'alerts')}. "
        sentence += {"drift": "The last batch drifts.", "no drift": "The last batch does not drift."}.get(
            last, "The last batch has not enough data."
        )
    return {"state": last, "badge": f"last batch: {badge}", "sentence": clean(sentence, 600)}


def _count(many: int, one: str, more: str) -> str:
    return f"{many:,} {one if many == 1 else more}"


def _facts(facts: Mapping[str, object] | None) -> list[tuple[str, str]]:
    return [(clean(name, 60), clean(value, MAX_TEXT)) for name, value in (facts or {}).items()]


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
    """At most 2,000 points: in equal parts of both sides where there are enough, evenly spaced in the given order."""
    current = np.flatnonzero(np.asarray(points.is_current, bool))
    reference = np.flatnonzero(~np.asarray(points.is_current, bool))
    if len(points.x) <= MAX_POINTS:
        return points
    room = max(MAX_POINTS // 2, MAX_POINTS - len(reference)), max(MAX_POINTS // 2, MAX_POINTS - len(current))
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


# --- a stream


def _kinds_of(batches: Sequence[BatchPoint]) -> list[str]:
    return list(dict.fromkeys(kind for batch in batches for kind in batch.verdict["kinds"]))


def _batch_name(batch: BatchPoint) -> str:
    return f"batch {batch.number} ({_date(batch)})" if batch.date else f"batch {batch.number}"


def _date(batch: BatchPoint) -> str:
    """The day, and the time where it is not midnight."""
    date, time = (batch.date or "")[:10], (batch.date or "")[11:16]
    return clean(date if time in ("", "00:00") else f"{date} {time}", 16)


def _span(window: Window, place: Mapping[int, int]) -> tuple[int, int, Window] | None:
    inside = [at for number_, at in place.items() if window.begin <= number_ <= window.end]
    return (min(inside), max(inside), window) if inside else None


def _states(batch: BatchPoint, kinds: Sequence[str]) -> dict[str, str]:
    found = {kind: batch.verdict["kinds"].get(kind) for kind in kinds}
    states = {kind: STATES[finding["drifted"]] for kind, finding in found.items() if finding is not None}
    return {"verdict": STATES[batch.verdict["drifted"]]} | states


def _says(batch: BatchPoint, kinds: Sequence[str]) -> dict[str, str]:
    says = {"verdict": f"{_batch_name(batch)}: {clean(batch.verdict['sentence'], MAX_TEXT)}"}
    for kind in kinds:
        finding = batch.verdict["kinds"].get(kind)
        if finding is not None:
            numbers = f"p {p_value(finding['p_value'])}, effect {number(finding['effect'])}"
            says[kind] = f"{_batch_name(batch)}, {kind}: {STATES[finding['drifted']]}, {numbers}"
    return says


def _kind_charts(
    specs: dict[str, charts.Spec],
    batches: Sequence[BatchPoint],
    kind: str,
    states: Sequence[Mapping[str, str]],
    marks: Sequence[tuple[int, AlertMark]],
    spans: Sequence[tuple[int, int, Window]],
) -> dict[str, Any]:
    """The p-value and the effect of a kind over time; their specifications go into `specs`."""
    findings = [batch.verdict["kinds"].get(kind) for batch in batches]
    drifted = [state.get(kind) == "drift" for state in states]
    p_values = [None if finding is None else finding["p_value"] for finding in findings]
    effects = [None if finding is None else finding["effect"] for finding in findings]
    unit = next((finding["effect_unit"] for finding in findings if finding and finding["effect_unit"]), "")
    drawn = []
    if any(value is not None for value in p_values):
        specs[f"p-{kind}"] = charts.series(
            "p-value",
            p_values,
            drifted=drifted,
            p_values=True,
            threshold=batches[-1].verdict["alpha"],
            alerts=[mark for mark in marks if f"p_{kind}" in mark[1].numbers],
            windows=spans,
        )
        drawn.append({"id": f"p-{kind}", "name": "p-value", "say": _range_of(p_values)})
    if any(value is not None for value in effects):
        specs[f"effect-{kind}"] = charts.series(
            "effect",
            effects,
            drifted=drifted,
            windows=spans,
            alerts=[m for m in marks if f"effect_{kind}" in m[1].numbers],
        )
        drawn.append(
            {
                "id": f"effect-{kind}",
                "name": f"effect, {clean(unit, 60)}" if unit else "effect",
                "say": _range_of(effects),
            }
        )
    return {"kind": kind, "charts": drawn, "count": sum(drifted)}


def _range_of(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return "no values"
    return f"{number(min(known))} to {number(max(known))}, last {number(known[-1])}"


def _alert_row(alert: AlertMark, batches: Sequence[BatchPoint], place: Mapping[int, int]) -> dict[str, str]:
    at = place.get(alert.batch)
    return {
        "batch": f"batch {alert.batch}" if at is None else _batch_name(batches[at]),
        "monitor": clean(alert.monitor, 80),
        "severity": "resolved" if alert.resolved else clean(alert.severity, 20),
        "sentence": clean(alert.sentence, 500),
    }


def _window_row(window: Window, batches: Sequence[BatchPoint], place: Mapping[int, int]) -> dict[str, str]:
    span = _span(window, place)
    if span is None:
        return {"label": clean(window.label, 200), "where": "none of these batches lies in it"}
    first, last = _batch_name(batches[span[0]]), _batch_name(batches[span[1]])
    return {"label": clean(window.label, 200), "where": first if first == last else f"{first} to {last}"}


def _batch_row(batch: BatchPoint, kinds: Sequence[str]) -> dict[str, Any]:
    state = STATES[batch.verdict["drifted"]]
    findings = [batch.verdict["kinds"].get(kind) for kind in kinds]
    return {
        "number": batch.number,
        "date": _date(batch) or DASH,
        "name": clean(batch.name, 80),
        "rows": number(batch.rows),
        "state": state,
        "badge": "○ not enough data" if state == "not judged" else BADGES[state],
        "kind": clean(batch.verdict["kind"], 40),
        "p": [DASH if finding is None else p_value(finding["p_value"]) for finding in findings],
    }


# --- the file


@functools.cache
def _environment() -> Any:
    import jinja2

    loader = jinja2.FileSystemLoader(TEMPLATES)
    return jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _write(path: Path | str, template: str, specs: Mapping[str, Any], shared: Mapping[str, Any], **values: Any) -> None:
    from markupsafe import Markup

    page = (
        _environment()
        .get_template(template)
        .render(
            style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
            own_script=Markup((TEMPLATES / "report.js").read_text(encoding="utf-8")),
            library=Markup(charts.script()),
            data=Markup(_json({"charts": specs, "shared": shared})),
            ranks=[f"{rank:.0%}".replace("%", " %") for rank in RANKS],
            **values,
        )
    )
    _replace(Path(path), page)


def _json(value: Any) -> str:
    """JSON that may stand in a <script> element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character, escape in (
        ("&", "\\u0026"),
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("\u2028", "\\u2028"),
        ("\u2029", "\\u2029"),
    ):
        text = text.replace(character, escape)
    return text


def _replace(path: Path, page: str) -> None:
    """Whole or not at all: whoever opens the file never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(page)
        Path(part).chmod(0o644)
        os.replace(part, path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
