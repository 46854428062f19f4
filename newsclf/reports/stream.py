"""The page of a stream: verdicts, p-values, effects and numbers over its batches, with alerts, windows and changes."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from newsclf.drift.over_time import Change
from newsclf.drift.verdict import Finding, Verdict
from newsclf.monitoring.alerts import ALERT, Alert
from newsclf.monitoring.rules import Window, unit_of
from newsclf.monitoring.state import Record
from newsclf.reports import page, timeline, vega
from newsclf.reports.page import MAX_TEXT
from newsclf.reports.wording import DASH, STATES, clean, number, p_value, verdict_badge

# Numbers that have a chart even where no alert was raised on them.
SHOWN = ("rows", "accuracy", "confidence/mean", "distance/mean", "characters/mean", "empty_share", "duplicate_share")
# How the names of numbers end that the timeline and the kinds' charts show.
OF_A_VERDICT = ("drifted", "p_value", "effect")


def write_report(
    path: Path | str,
    *,
    title: str,
    records: Sequence[Record],
    alerts: Sequence[Alert] = (),
    windows: Sequence[Window] = (),
    changes: Sequence[Change] = (),
    facts: Mapping[str, object] | None = None,
) -> None:
    """The whole page. records: the batches in the order in which they are drawn, at least one.

    alerts: those of batches that are not among the records are listed, but not drawn. changes: over the records.
    """
    if not records:
        raise ValueError("a report over time needs at least one batch")
    stream = _Stream(records, alerts, windows)
    states = [_states(verdict) for verdict in stream.verdicts]
    says = [_says(name, verdict) for name, verdict in zip(stream.names, stream.verdicts, strict=True)]
    lanes = ["verdict", *stream.kinds]
    charts = {"timeline": timeline.timeline(states, says, lanes, stream.alerts, stream.spans, changes, stream.names)}
    groups = [_kind_charts(charts, stream, kind) for kind in stream.kinds]
    state = STATES[stream.verdicts[-1].drifted]
    page.write(
        path,
        "stream.html.jinja",
        title=title,
        sentence=_summary(stream, alerts),
        state=state,
        badge=f"last batch: {verdict_badge(state)}",
        facts=facts,
        shared={"labels": [_date(record) or str(record.number) for record in records], "names": stream.names},
        groups=[group for group in groups if group["charts"]],
        numbers=_number_charts(charts, stream),
        alerts=[_alert_row(alert, stream) for alert in sorted(alerts, key=lambda alert: alert.batch)],
        changes=[{"kind": clean(c.kind, 40), "sentence": clean(c.describe(stream.names), 500)} for c in changes],
        windows=[_window_row(window, stream) for window in windows],
        batches=[_batch_row(*batch, stream.kinds) for batch in zip(records, stream.verdicts, strict=True)],
        kinds=stream.kinds,
        charts=charts,
    )


class _Stream:
    """The batches by their index in the order of the records.

    alerts: those of the batches, each with its batch's index; spans: the first and last batch of each window.
    """

    def __init__(self, records: Sequence[Record], alerts: Sequence[Alert], windows: Sequence[Window]) -> None:
        self.records = records
        self.verdicts = [Verdict.from_dict(record.verdict) for record in records]
        self.names = [_name(record) for record in records]
        self.kinds = list(dict.fromkeys(kind for verdict in self.verdicts for kind in verdict.kinds))
        self.index = {record.number: index for index, record in enumerate(records)}
        self.alerts = [(self.index[alert.batch], alert) for alert in alerts if alert.batch in self.index]
        self.spans = [span for window in windows if (span := self.span(window))]

    def span(self, window: Window) -> tuple[int, int] | None:
        inside = [index for index, record in enumerate(self.records) if window.holds(record.when)]
        return (inside[0], inside[-1]) if inside else None


def _name(record: Record) -> str:
    return f"batch {record.number} ({_date(record)})" if record.date else f"batch {record.number}"


def _date(record: Record) -> str:
    """The day, and the time where it is not midnight."""
    date, time = (record.date or "")[:10], (record.date or "")[11:16]
    return clean(date if time in ("", "00:00") else f"{date} {time}", 16)


def _summary(stream: _Stream, alerts: Sequence[Alert]) -> str:
    drifted = [index for index, verdict in enumerate(stream.verdicts) if verdict.drifted]
    sentence = f"Drift in {len(drifted)} of {_count(len(stream.names), 'batch', 'batches')}"
    if drifted:
        sentence += f", first in {stream.names[drifted[0]]}"
        kinds = [kind for index in drifted if (kind := stream.verdicts[index].kind)]
        if kinds:
            sentence += f", most often of the kind {max(sorted(set(kinds)), key=kinds.count)}"
    unjudged = sum(verdict.drifted is None for verdict in stream.verdicts)
    sentence += f"; {_count(unjudged, 'batch', 'batches')} too small to judge" if unjudged else ""
    sentence += f"; {_count(sum(alert.state == ALERT for alert in alerts), 'alert', 'alerts')}. "
    last = {True: "drifts", False: "does not drift", None: "has not enough data"}[stream.verdicts[-1].drifted]
    return f"{sentence}The last batch {last}."


def _count(many: int, one: str, more: str) -> str:
    return f"{many:,} {one if many == 1 else more}"


def _states(verdict: Verdict) -> dict[str, str]:
    return {"verdict": STATES[verdict.drifted]} | {k: STATES[finding.drifted] for k, finding in verdict.kinds.items()}


def _says(name: str, verdict: Verdict) -> dict[str, str]:
    says = {"verdict": f"{name}: {clean(verdict.sentence, MAX_TEXT)}"}
    for kind, finding in verdict.kinds.items():
        effect = f"{number(finding.effect)} {finding.effect_unit}".rstrip()
        says[kind] = f"{name}, {kind}: {STATES[finding.drifted]}, p {p_value(finding.p_value)}, effect {effect}"
    return says


def _kind_charts(charts: dict[str, vega.Spec], stream: _Stream, kind: str) -> dict[str, Any]:
    """The p-value of a kind over time, and its effect, with a chart for each unit that it was measured in.

    Their specifications go into `charts`.
    """
    findings = [verdict.kinds.get(kind) for verdict in stream.verdicts]
    drifted = [bool(finding and finding.drifted) for finding in findings]
    cards = []
    p_values = [finding.p_value if finding else None for finding in findings]
    if any(value is not None for value in p_values):
        how: dict[str, Any] = {"drifted": drifted, "p_values": True, "threshold": stream.verdicts[-1].alpha}
        cards.append(_series_card(charts, stream, f"p-{kind}", f"{kind}/p_value", "p-value", p_values, **how))
    for index, (unit, effects) in enumerate(_effects_by_unit(findings).items()):
        identity = f"effect-{kind}-{index}"
        cards.append(
            _series_card(charts, stream, identity, f"{kind}/effect", "effect", effects, unit=unit, drifted=drifted)
        )
    return {"kind": kind, "charts": cards, "count": sum(drifted)}


def _effects_by_unit(findings: Sequence[Finding | None]) -> dict[str, list[float | None]]:
    """The effects of all batches for each unit, None in those that were measured in another one, or not at all."""
    known = [finding if finding and finding.effect is not None else None for finding in findings]
    return {
        unit: [finding.effect if finding and finding.effect_unit == unit else None for finding in known]
        for unit in dict.fromkeys(finding.effect_unit for finding in known if finding)
    }


def _number_charts(charts: dict[str, vega.Spec], stream: _Stream) -> list[dict[str, Any]]:
    """Of the numbers in SHOWN and of those with alerts, what has most alerts first."""
    watched = [alert.number for _, alert in stream.alerts if alert.number.rpartition("/")[2] not in OF_A_VERDICT]
    cards = []
    for index, name in enumerate(dict.fromkeys([*SHOWN, *watched])):
        values = [record.numbers.get(name) for record in stream.records]
        if any(value is not None for value in values):
            cards.append(
                _series_card(charts, stream, f"number-{index}", name, clean(name, 80), values, unit=unit_of(name))
            )
    return sorted(cards, key=lambda card: -card["alerts"])


def _series_card(
    charts: dict[str, vega.Spec],
    stream: _Stream,
    identity: str,
    watched: str,
    name: str,
    values: Sequence[float | None],
    unit: str = "",
    **how: Any,
) -> dict[str, Any]:
    """The frame of a chart, with the alerts on the number `watched`; its specification goes into `charts`."""
    alerts = [(index, alert) for index, alert in stream.alerts if alert.number == watched and values[index] is not None]
    charts[identity] = timeline.series(name, values, unit=unit, alerts=alerts, windows=stream.spans, **how)
    return {"id": identity, "name": name, "unit": unit, "say": _range_of(values, unit), "alerts": len(alerts)}


def _range_of(values: Sequence[float | None], unit: str) -> str:
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return "no values"
    return f"{number(min(known))} to {number(max(known))} {unit}".rstrip() + f", last {number(known[-1])}"


def _alert_row(alert: Alert, stream: _Stream) -> dict[str, str]:
    index = stream.index.get(alert.batch)
    return {
        "batch": f"batch {alert.batch}" if index is None else stream.names[index],
        "monitor": clean(alert.monitor, 80),
        "status": alert.status,
        "sentence": clean(alert.sentence, 500),
    }


def _window_row(window: Window, stream: _Stream) -> dict[str, str]:
    span = stream.span(window)
    if span is None:
        return {"name": clean(window.name, 200), "batches": ""}
    first, last = stream.names[span[0]], stream.names[span[1]]
    return {"name": clean(window.name, 200), "batches": first if first == last else f"{first} to {last}"}


def _batch_row(record: Record, verdict: Verdict, kinds: Sequence[str]) -> dict[str, Any]:
    state = STATES[verdict.drifted]
    findings = [verdict.kinds.get(kind) for kind in kinds]
    return {
        "number": record.number,
        "date": _date(record) or DASH,
        "name": clean(record.name, 80),
        "rows": number(record.rows),
        "state": state,
        "badge": verdict_badge(state),
        "kind": clean(verdict.kind, 40),
        "p": [p_value(finding.p_value) if finding else DASH for finding in findings],
    }
