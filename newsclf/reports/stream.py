"""The report of a stream: verdicts, p-values, effects and numbers over its batches."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from newsclf.reports import page, timeline, vega
from newsclf.reports.badges import STATES, TEMPLATES, verdict_badge
from newsclf.reports.data import AlertMark, BatchPoint, ChangeMark, Window
from newsclf.reports.page import MAX_TEXT
from newsclf.reports.wording import DASH, clean, number, p_value


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
    specs = {"timeline": timeline.timeline(states, says, ["verdict", *kinds], marks, spans, begun)}
    groups = [_kind_charts(specs, batches, kind, states, marks, spans) for kind in kinds]
    numbers: list[dict[str, Any]] = []
    for index, name in enumerate(dict.fromkeys(name for batch in batches for name in batch.numbers)):
        own = [(at, alert) for at, alert in marks if name in alert.numbers]
        values = [batch.numbers.get(name) for batch in batches]
        specs[f"number-{index}"] = timeline.series(clean(name, 80), values, alerts=own, windows=spans)
        numbers.append({"id": f"number-{index}", "name": clean(name, 80), "say": _range_of(values), "alerts": len(own)})
    numbers.sort(key=lambda row: -row["alerts"])
    page.write(
        path,
        TEMPLATES / "stream.html.jinja",
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
        facts=page.facts_of(facts),
    )


def _stream_headline(
    batches: Sequence[BatchPoint], alerts: Sequence[AlertMark], sentence: str | None
) -> dict[str, str]:
    last = STATES[batches[-1].verdict["drifted"]]
    badge = verdict_badge(last)
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
    specs: dict[str, vega.Spec],
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
        specs[f"p-{kind}"] = timeline.series(
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
        specs[f"effect-{kind}"] = timeline.series(
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
        "badge": verdict_badge(state),
        "kind": clean(batch.verdict["kind"], 40),
        "p": [DASH if finding is None else p_value(finding["p_value"]) for finding in findings],
    }
