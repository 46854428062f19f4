"""report.html of a stream: its timeline with alerts, windows and changes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from newsclf.config import MonitorConfig
from newsclf.drift.over_time import Change
from newsclf.monitoring.alerts import ALERT, Alert
from newsclf.monitoring.batches import name_of
from newsclf.monitoring.rules import Window
from newsclf.monitoring.state import Record
from newsclf.reports import data as report_data
from newsclf.reports.profile import stream_report

# Numbers that are drawn in the report even where no monitor watches them.
SHOWN = ("rows", "accuracy", "confidence/mean", "distance/mean", "characters/mean", "empty_share", "duplicate_share")


def write_report(
    path: Path,
    config: MonitorConfig,
    records: Sequence[Record],
    alerts: Sequence[Alert],
    windows: Sequence[Window],
    changes: Sequence[Change],
) -> None:
    """report.html: the timeline with alerts, windows and changes. records: in the order of their dates."""
    watched = [alert.number for alert in alerts]
    shown = [*SHOWN, *(name for name in dict.fromkeys(watched) if not name.endswith(("drifted", "p_value", "effect")))]
    spans = []
    for window in windows:
        inside = [record.number for record in records if window.holds(record.when)]
        if inside:
            spans.append(report_data.Window(inside[0], inside[-1], window.name))
    stream_report(
        path,
        title=f"The stream {name_of(config.stream)}",
        batches=[
            report_data.BatchPoint(
                number=record.number,
                date=record.date,
                name=record.name,
                rows=record.rows,
                verdict=record.verdict,
                numbers={name: record.numbers[name] for name in shown if name in record.numbers},
            )
            for record in records
        ],
        alerts=[
            report_data.AlertMark(
                monitor=alert.monitor,
                severity="critical" if alert.severity == "critical" else "warning",
                batch=alert.batch,
                sentence=alert.sentence,
                numbers=(alert.number,),
                resolved=alert.state != ALERT,
            )
            for alert in alerts
        ],
        windows=spans,
        changes=[report_data.ChangeMark(**change) for change in changes_by_number(changes, records)],  # type: ignore[arg-type]
        facts={"stream": config.stream, "reference": config.reference, "false-alarm rate": config.alpha},
    )


def changes_by_number(changes: Sequence[Change], records: Sequence[Record]) -> list[dict[str, object]]:
    """The changes as dicts, with the numbers of batches in place of their places."""
    numbers = [record.number for record in records]
    return [
        {
            "kind": change.kind,
            "begin": numbers[change.begin],
            "detected": numbers[change.detected],
            "end": None if change.end is None else numbers[change.end],
            "sentence": change.sentence,
        }
        for change in changes
    ]
