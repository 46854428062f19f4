"""monitor: a stream judged batch by batch against a reference, with alerts; what was judged is not judged again."""

from __future__ import annotations

import math
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from newsclf.config import DataOptions, MonitorConfig
from newsclf.config.fields import names_of
from newsclf.config.options import as_text
from newsclf.data.tables.table import public_name
from newsclf.drift import Reference, save_reference
from newsclf.drift.verdict import KINDS
from newsclf.errors import Alarm, InputError
from newsclf.files import write_json
from newsclf.monitoring.alert_manager import Board
from newsclf.monitoring.alerts import ALERT, Notifier
from newsclf.monitoring.batches import Batch, Columns, batches, name_of, tables
from newsclf.monitoring.judging import changes_by_number, changes_over, judge, known_numbers
from newsclf.monitoring.profile_batches import ProfileBatch, of_profiles, profile_batches
from newsclf.monitoring.rules import check_numbers, parse_monitors, parse_windows
from newsclf.monitoring.state import Record, State, by_date, key_of, newest, scope_of
from newsclf.reports.stream import write_report
from newsclf.tracking.artifacts.references import open_reference
from newsclf.tracking.environment import peak_memory_bytes
from newsclf.tracking.metrics import metric_part
from newsclf.tracking.result import prepare_folder
from newsclf.tracking.run import Run, open_run

# What a judgement depends on, besides the batch and the reference.
SETTINGS = names_of(MonitorConfig, "data", "method", "seed")


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

    with open_run("monitor", config, resume, str(folder)) as run:
        profiles = of_profiles(config.stream)
        if not profiles:
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
        state.keep_header(stream=stream, options=as_text(config), run_id=run.id)
        run.tag({"newsclf.stream": stream, "newsclf.reference": config.reference, "newsclf.reference_id": reference.id})

        if run.id != resume:
            log_folder_of(run, reference)
        scope = scope_of(reference.id, {name: as_text(config)[name] for name in SETTINGS})
        known, records = state.known(scope), state.records(scope)
        board = Board(monitors, windows, notifier, state, f"stream {config.stream}, run {run.id}")
        for record in records:
            board.see(record, new=False)
            if run.id != resume:  # a new run gets what earlier ones have had
                log(run, record, board)
        tell(run, board)

        judged = skipped = 0
        columns = Columns(config.text_column, config.label_column, config.date_column)
        found: Iterator[Batch | ProfileBatch] = (
            profile_batches(config.stream, reference.id, config.batch)
            if profiles
            else batches(config.stream, columns, config.batch, config.batch_rows)
        )
        for batch in found:
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
            log(run, record, board)
            state.keep(scope, record)
            print(said(record), flush=True)
            tell(run, board)
        tell(run, board, again=True)
        tag_notifications(run, notifier, board, config)

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
        write_report(
            folder / "report.html",
            title=f"The stream {name_of(config.stream)}",
            records=records,
            alerts=board.alerts,
            windows=windows,
            changes=changes,
            facts={"stream": config.stream, "reference": config.reference, "false-alarm rate": config.alpha},
        )
        for name in ("alerts.json", "changes.json", "verdicts.json", "batches.csv", "report.html"):
            run.log_file(folder / name)
        # With a time of their own: the numbers of this call come after those of an earlier one that went into this run.
        run.log_metrics(metrics, when=datetime.now(UTC))
        run.finish(metrics, alerts=str(folder / "alerts.json"), report=str(folder / "report.html"))
        run.show(report=str(folder / "report.html"))
        print(
            f"{judged} batches judged, {skipped} known before; "
            f"drift in {metrics['batches_drifted']:.0f} of {len(records)}; changes over time: {len(changes)}; "
            + (f"in alert: {', '.join(board.in_alert) or 'none'}" if monitors else "no monitors, so no alerts")
        )
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


def profile_path(folder: Path, record: Record) -> Path:
    return folder / "profiles" / f"{record.number:04}_{record.key[:8]}.bin"


def log_folder_of(run: Run, reference: Reference) -> None:
    """The reference into the run, so that another call can name this run as its reference."""
    with tempfile.TemporaryDirectory() as temporary:
        save_reference(reference, Path(temporary) / "reference")
        run.log_files(Path(temporary))


def log(run: Run, record: Record, board: Board) -> None:
    """A batch's numbers, its monitors' states and its profile into the run."""
    states = {f"alert/{metric_part(watch.monitor.name)}": watch.state == ALERT for watch in board.watches}
    # What is not finite is left out: a chart has a gap there.
    numbers = {name: value for name, value in {**record.numbers, **states}.items() if math.isfinite(value)}
    run.log_metrics(numbers, step=record.number, when=datetime.fromisoformat(record.time))
    path = profile_path(run.folder, record)
    if path.is_file():
        run.log_file(path, "profiles")


def tell(run: Run, board: Board, again: bool = False) -> None:
    """The news since the last time: printed, sent, written to alerts.json and the run's tags."""
    for alert in board.tell(again):
        word = alert.severity.upper() if alert.state == ALERT else "resolved"
        print(f"{word}: {alert.monitor}: {alert.sentence}", flush=True)
    board.write(run.folder / "alerts.json")
    tags = {f"newsclf.alerts.{severity}": str(count) for severity, count in board.raised().items()}
    run.tag({**tags, "newsclf.state": board.worst})


def tag_notifications(run: Run, notifier: Notifier, board: Board, config: MonitorConfig) -> None:
    """Say on the run, and to the user, what could not be sent."""
    if not notifier.endpoints:
        return
    unsent = ", ".join(board.unsent)
    run.tag({"newsclf.notifications": f"{notifier.sent} sent" + (f"; not sent: {unsent}" if unsent else "")})
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
