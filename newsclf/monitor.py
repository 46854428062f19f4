"""monitor: a stream judged batch by batch against a reference, with alerts; what was judged is not judged again."""

from __future__ import annotations

import dataclasses
import os
import re
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from newsclf.config import DataOptions, MonitorConfig
from newsclf.data.table import public_name
from newsclf.drift import Reference, Verdict, save_reference
from newsclf.drift.over_time import Change, changes_in
from newsclf.drift.verdict import KINDS
from newsclf.errors import Alarm, InputError
from newsclf.monitoring.alerts import ALERT, Alert, Notifier
from newsclf.monitoring.batches import Batch, Columns, batches, name_of, tables
from newsclf.monitoring.board import Board
from newsclf.monitoring.rules import Window, check_numbers, parse_monitors, parse_windows
from newsclf.monitoring.state import Record, State, by_date, key_of, newest, scope_of, write_json
from newsclf.options import as_text
from newsclf.profiling import report_data
from newsclf.profiling.profile import TEXT, TextProfile
from newsclf.profiling.report import stream_report
from newsclf.profiling.summary import key_numbers
from newsclf.references import open_reference
from newsclf.tracking.lineage import log_code_and_environment, peak_memory_bytes
from newsclf.tracking.result import closing_lines, prepare_folder, write_result
from newsclf.tracking.run import open_run

CHANGES = ("sudden", "incremental", "recurring")
# Numbers that are drawn in the report even where no monitor watches them.
SHOWN = ("rows", "accuracy", "confidence/mean", "distance/mean", "characters/mean", "empty_share", "duplicate_share")
# Texts that differ in everything that is counted: their columns tell which numbers a reference gives.
PROBES = (
    "Parliament votes on the budget after a night of talks.",
    'The keeper said: "We lost 3-1, and rightly so."',
    "Shares of the mill rose by 12 % in Zürich",
    "A probe wakes, sends one picture of the comet, and sleeps again",
    "NO COMMENT!",
)
# What a judgement depends on, besides the batch and the reference.
SETTINGS = ("text_column", "label_column", "embedding", "min_rows", "alpha", "seed")


def monitor(config: MonitorConfig) -> dict[str, float]:
    """Run the recipe of this file; the logged metrics by name.

    Raises InputError for bad input, and Alarm, after the run has FINISHED, for alerts that `fail_on` names.
    """
    notifier = Notifier(notification_urls(config.notify), f"${config.notify}")
    windows = parse_windows(config.windows)
    monitors = parse_monitors(config.monitors, windows, KINDS, config.min_rows)
    folder = prepare_folder(config.output_dir, "monitor", name_of(config.stream))
    state = State(folder)
    stream, resume = earlier(config, state, folder)

    with open_run("monitor", config, resume) as run:
        import mlflow

        run_id = run.info.run_id
        log_code_and_environment()
        tables(config.stream)  # a stream that is not there ends here, before a reference is fitted
        options = DataOptions(
            dataset=config.reference,
            data_dir=config.data_dir,
            text_column=config.text_column,
            label_column=config.label_column,
            seed=config.seed,
        )
        reference = open_reference(options, config.reference, folder, config.device, config.embedding)
        # Which labels a stream has, a reference without labels cannot tell.
        watched = [one for one in monitors if reference.classes or not one.number.startswith("label")]
        check_numbers(watched, known_numbers(reference))
        state.keep_header(stream=stream, options=as_text(config), run_id=run_id)
        mlflow.set_tags(
            {"newsclf.stream": stream, "newsclf.reference": config.reference, "newsclf.reference_id": reference.id}
        )

        if run_id != resume:
            log_folder_of(reference)
        scope = scope_of(reference.id, {name: as_text(config)[name] for name in SETTINGS})
        known, records = state.known(scope), state.records(scope)
        board = Board(monitors, windows, notifier, state, f"stream {config.stream}, run {run_id}")
        for record in records:
            board.see(record, new=False)
            if run_id != resume:  # a new run gets what earlier ones have had
                log(run_id, record, board, folder)
        tell(board, folder)

        judged = skipped = 0
        columns = Columns(config.text_column, config.label_column, config.date_column)
        for batch in batches(config.stream, columns, config.batch, config.batch_rows):
            key = key_of(batch.content, scope)
            if key in known:
                skipped += 1
                continue
            known[key] = max(known.values(), default=0) + 1
            record, profile = judge(reference, batch, known[key], key, config, records)
            profile.write(profile_path(folder, record))
            records, judged = newest([*records, record]), judged + 1
            board.see(record)
            # Kept last: what is logged twice has the same step, time and value, and MLflow keeps it once.
            log(run_id, record, board, folder)
            state.keep(scope, record)
            print(said(record), flush=True)
            tell(board, folder)
        tell(board, folder, again=True)
        tag_notifications(notifier, board, config)

        records = by_date(records)
        changes = changes_over(records)
        metrics: dict[str, float] = {
            "batches": len(records),
            "batches_judged": judged,
            "batches_known_before": skipped,
            "batches_drifted": sum(record.verdict["drifted"] is True for record in records),
            "batches_without_verdict": sum(record.verdict["drifted"] is None for record in records),
            "changes": len(changes),
            "notifications_sent": notifier.sent,
            "notifications_failed": notifier.failed,
            "peak_memory_bytes": peak_memory_bytes(),
        }
        metrics |= {f"alerts/{severity}": count for severity, count in board.raised().items()}
        write_json(folder / "changes.json", changes_by_number(changes, records), indent=2)
        write_json(folder / "verdicts.json", {record.name: record.verdict for record in records}, indent=2)
        table_of(records).to_csv(folder / "batches.csv", index=False)
        write_report(folder / "report.html", config, records, board.alerts, windows, changes)
        for name in ("alerts.json", "changes.json", "verdicts.json", "batches.csv", "report.html"):
            mlflow.log_artifact(str(folder / name))
        mlflow.log_metrics(metrics)
        file = write_result(
            folder,
            verb="monitor",
            run_id=run_id,
            config=config,
            metrics=metrics,
            alerts=str(folder / "alerts.json"),
            report=str(folder / "report.html"),
        )
        mlflow.log_artifact(str(file))
    print(
        f"{judged} batches judged, {skipped} known before; "
        f"drift in {metrics['batches_drifted']:.0f} of {len(records)}; changes over time: {len(changes)}; "
        f"in alert: {', '.join(board.in_alert) or 'none'}"
    )
    print(closing_lines(run, file, report=str(folder / "report.html")), flush=True)
    if failing := board.failing(config.fail_on):
        raise Alarm(f"in alert: {', '.join(failing)} (fail_on={config.fail_on}); see {folder / 'alerts.json'}")
    return metrics


def notification_urls(variable: str) -> list[str]:
    """The apprise URLs in an environment variable.

    Raises InputError for what is no name of one, without repeating it: it may be a URL with a token.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
        raise InputError(
            "option notify must be the name of an environment variable that holds the URLs, not a URL: options are "
            "logged, and the URLs are secrets"
        )
    urls = os.environ.get(variable, "").split()
    if not urls and variable != "NEWSCLF_NOTIFY":
        raise InputError(f"option notify is {variable}: this environment variable is not set")
    return urls


def earlier(config: MonitorConfig, state: State, folder: Path) -> tuple[str, str]:
    """(the stream in full, the run of an earlier call that this one goes on with, "" for none).

    Another option starts a run of its own, as a run's options are fixed; what was judged is taken over all the same.
    Raises InputError for the folder of another stream.
    """
    header = state.header()
    stream = public_name(config.stream) if "://" in config.stream else str(Path(config.stream).expanduser().resolve())
    if header.get("stream", stream) != stream:
        raise InputError(f"output_dir {folder} is that of the stream {header['stream']}: give another")
    return stream, header.get("run_id", "") if header.get("options") == as_text(config) else ""


def known_numbers(reference: Reference) -> list[str]:
    """The names of all numbers that a batch may have with this reference, for checking monitors before any work."""
    classes = list(reference.classes)
    texts = [PROBES[place % len(PROBES)] for place in range(max(len(PROBES), len(classes)))]
    labels = [classes[place % len(classes)] for place in range(len(texts))] if classes else None
    profile = TextProfile()
    profile.log(with_texts(reference.columns(texts, labels), texts))
    names = [name for name in key_numbers(profile) if not name.startswith("predicted_label/")]
    names += [f"predicted_{name}" for name in names if name.startswith("label/")]
    names += [f"{kind}/{part}" for kind in KINDS for part in ("drifted", "p_value", "effect")]
    names += ["drifted", "enough_data", "accuracy", "unreadable_share", "change"]
    return sorted({*names, *(f"change/{kind}" for kind in CHANGES)})


def judge(
    reference: Reference,
    batch: Batch,
    number: int,
    key: str,
    config: MonitorConfig,
    before: Sequence[Record],
) -> tuple[Record, TextProfile]:
    """A batch's record, with everything that can be watched, and its profile. before: the batches judged so far."""
    rows = len(batch.texts)
    frame = reference.columns(batch.texts, batch.labels)
    profile = TextProfile(reference.id, reference.encoder_sha256, batch.date)
    profile.log(with_texts(frame, batch.texts))
    verdict = reference.judge(batch.texts, batch.labels, config.alpha, batch.unreadable, config.min_rows)
    numbers = key_numbers(profile) | verdict_numbers(verdict)
    numbers["unreadable_share"] = batch.unreadable / (rows + batch.unreadable)
    if batch.labels is not None and "predicted_label" in frame:
        both = frame[["label", "predicted_label"]].dropna()
        if len(both):
            numbers["accuracy"] = float((both["label"] == both["predicted_label"]).mean())
    when = batch.date.isoformat() if batch.date else None
    record = Record(
        number=number,
        name=batch.name,
        key=key,
        date=when,
        time=when or datetime.now(UTC).isoformat(timespec="seconds"),
        rows=rows,
        numbers=numbers,
        verdict=verdict.as_dict(),
    )
    return with_changes(record, before), profile


def with_texts(frame: pd.DataFrame, texts: Sequence[str | None]) -> pd.DataFrame:
    """The frame with the texts, of which a profile keeps how many differ, and no more."""
    return frame.assign(**{TEXT: pd.Series(list(texts), index=frame.index, dtype=object)})


def verdict_numbers(verdict: Verdict) -> dict[str, float]:
    """drifted, enough_data, and each kind's drifted, p_value and effect, without those that cannot be judged."""
    numbers = {"enough_data": float(verdict.drifted is not None)}
    if verdict.drifted is not None:
        numbers["drifted"] = float(verdict.drifted)
    for kind, finding in verdict.kinds.items():
        parts = {"drifted": finding.drifted, "p_value": finding.p_value, "effect": finding.effect}
        numbers |= {f"{kind}/{part}": float(value) for part, value in parts.items() if value is not None}
    return numbers


def with_changes(record: Record, before: Sequence[Record]) -> Record:
    """The record with change, change/sudden ...: 1 where a change over time was detected at this very batch."""
    records = [*before, record]
    here = {change.kind for change in changes_over(records) if change.detected == len(records) - 1}
    numbers = {f"change/{kind}": float(kind in here) for kind in CHANGES}
    return dataclasses.replace(record, numbers={**record.numbers, "change": float(bool(here)), **numbers})


def changes_over(records: Sequence[Record]) -> list[Change]:
    """The changes over a sequence of batches; `begin`, `detected` and `end` are places in it."""
    p_values = [[finding["p_value"] for finding in record.verdict["kinds"].values()] for record in records]
    return changes_in([min((p for p in found if p is not None), default=None) for found in p_values])


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


def profile_path(folder: Path, record: Record) -> Path:
    return folder / "profiles" / f"{record.number:04}_{record.key[:8]}.bin"


def log_folder_of(reference: Reference) -> None:
    """The reference into the run, so that another call can name this run as its reference."""
    import mlflow

    with tempfile.TemporaryDirectory() as temporary:
        save_reference(reference, Path(temporary) / "reference")
        mlflow.log_artifacts(temporary)


def log(run_id: str, record: Record, board: Board, folder: Path) -> None:
    """A batch's numbers, its monitors' states and its profile into the run."""
    import mlflow

    from newsclf.tracking.series import log_batch, metric_part

    states = {f"alert/{metric_part(watch.monitor.name)}": watch.state == ALERT for watch in board.watches}
    log_batch(run_id, record.number, datetime.fromisoformat(record.time), {**record.numbers, **states})
    path = profile_path(folder, record)
    if path.is_file():
        mlflow.log_artifact(str(path), "profiles")


def tell(board: Board, folder: Path, again: bool = False) -> None:
    """The news since the last time: printed, sent, written to alerts.json and the run's tags."""
    import mlflow

    for alert in board.tell(again):
        word = alert.severity.upper() if alert.state == ALERT else "resolved"
        print(f"{word}: {alert.monitor}: {alert.sentence}", flush=True)
    board.write(folder / "alerts.json")
    tags = {f"newsclf.alerts.{severity}": str(count) for severity, count in board.raised().items()}
    mlflow.set_tags({**tags, "newsclf.state": board.worst})


def tag_notifications(notifier: Notifier, board: Board, config: MonitorConfig) -> None:
    """Say on the run, and to the user, what could not be sent."""
    import mlflow

    if not notifier.endpoints:
        return
    unsent = ", ".join(board.unsent)
    mlflow.set_tag("newsclf.notifications", f"{notifier.sent} sent" + (f"; not sent: {unsent}" if unsent else ""))
    if unsent:
        print(f"warning: no message about {unsent} could be sent to ${config.notify}; the next call tries again")


def said(record: Record) -> str:
    date = f"{record.date[:10]} " if record.date and record.date[:10] not in record.name else ""
    return f"batch {record.number}  {date}{record.name}  {record.rows:,} rows: {record.verdict['sentence']}"


def table_of(records: Sequence[Record]) -> pd.DataFrame:
    """One row a batch: number, name, date, the kind of drift, all numbers, the sentence."""
    rows = [
        {"batch": record.number, "name": record.name, "date": record.date, "kind": record.verdict["kind"]}
        | dict(record.numbers)
        | {"sentence": record.verdict["sentence"]}
        for record in records
    ]
    return pd.DataFrame(rows)


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
