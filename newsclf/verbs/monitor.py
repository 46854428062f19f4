"""monitor: a stream judged batch by batch against a reference, with alerts; what was judged is not judged again."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from newsclf.config import DataOptions, MonitorConfig
from newsclf.config.fields import names_of
from newsclf.config.options import as_text
from newsclf.data.tables.values import unknown_labels
from newsclf.drift import Reference
from newsclf.drift.kinds import NAMES
from newsclf.errors import Alarm, InputError
from newsclf.evaluation.metric_names import metric_part
from newsclf.files import write_json
from newsclf.messages import listed
from newsclf.model.device import resolved
from newsclf.monitoring.alert_manager import AlertManager
from newsclf.monitoring.alerts import ALERT
from newsclf.monitoring.batches import Batch, batches, location_of, name_of
from newsclf.monitoring.judging import History, changes_by_number, changes_over, judge_batch, known_numbers
from newsclf.monitoring.notifier import Notifier, notification_urls
from newsclf.monitoring.number_names import by_todays_names, renames, watched_by_todays_names
from newsclf.monitoring.profile_batches import ProfileBatch, of_profiles, profile_batches
from newsclf.monitoring.rules import Window, check_numbers, parse_monitors, parse_windows
from newsclf.monitoring.state import Record, State, by_date, key_of, newest, repeated_by, scope_of, write_records
from newsclf.monitoring.stream_items import items_of
from newsclf.reports.stream import write_report
from newsclf.tracking.artifacts.references import log_reference, open_reference
from newsclf.tracking.environment import peak_memory_bytes
from newsclf.tracking.result import prepare_folder
from newsclf.tracking.run import Run, open_run

# What a judgement depends on, besides the batch and the reference; what says how a batch is read shows in the batch.
SETTINGS = tuple(
    name for name in names_of(MonitorConfig, "data", "setting", "seed") if name not in ("separator", "precision")
)


def monitor(config: MonitorConfig) -> dict[str, float]:
    """Run the recipe of this file; the logged metrics by name.

    Raises InputError for bad input, and Alarm, after the run has FINISHED, for alerts that `fail_on` names.
    """
    config = resolved(config)
    notifier = Notifier(notification_urls(config.notify), f"${config.notify}")
    windows = parse_windows(config.windows)
    monitors = parse_monitors(config.monitors, windows, NAMES, config.min_rows)
    folder = prepare_folder(config.output_dir, "monitor", name_of(config.stream))
    state = State(folder)
    stream, resume = earlier(config, state)

    with open_run("monitor", config, resume, str(folder)) as run:
        profiles = of_profiles(config.stream)
        if not profiles:
            # A stream that is not there ends here, before a reference is fitted.
            run.warn(items_of(config.stream)[1])
        reference = reference_of(config, folder)
        numbers = known_numbers(reference)
        names = renames(numbers)
        monitors = watched_by_todays_names(monitors, names)
        # Which labels a stream has, a reference without labels cannot tell.
        watched = [one for one in monitors if reference.classes or not one.number.startswith("label")]
        check_numbers(watched, numbers)
        state.keep_header(stream=stream, options=as_text(config), run_id=run.id)
        run.tag({"newsclf.stream": stream, "newsclf.reference": config.reference, "newsclf.reference_id": reference.id})
        if run.id != resume:
            log_reference(run, reference)

        scope = scope_of(reference.id, settings_of(config))
        judged = by_todays_names(state.records(scope), names)
        known, history = {record.identity for record in judged}, History(newest(judged))
        alerts = AlertManager(monitors, windows, notifier, state, f"stream {config.stream}, run {run.id}")
        for record in history.records:
            alerts.update(record, new=False)
            if run.id != resume:  # a new run gets what earlier ones have had
                log(run, record, alerts)
        tell(run, alerts)

        before, skipped = len(judged), 0
        found: Iterator[Batch | ProfileBatch] = (
            profile_batches(config.stream, reference.id, config.batch)
            if profiles
            else batches(config.stream, config, run.warn)
        )
        for batch in found:
            key = key_of(batch.content, scope)
            if (batch.name, key) in known:
                skipped += 1
                continue
            number = judged[-1].number + 1 if judged else 1
            same = repeated_by(batch, key, judged)
            record, profile = judge_batch(reference, batch, number, key, config, same is not None)
            run.warn(remarks_on(batch, reference, same))
            record = history.add(record)
            profile.write(profile_path(folder, record))
            known.add(record.identity)
            judged.append(record)
            alerts.update(record)
            # Kept last: what is logged twice has the same step, time and value, and MLflow keeps it once.
            log(run, record, alerts)
            state.keep(scope, record)
            print(said(record), flush=True)
            tell(run, alerts)
        tell(run, alerts, again=True)
        tag_notifications(run, notifier, alerts, config)
        counts = {
            "batches_judged": len(judged) - before,
            "batches_known_before": skipped,
            "notifications_sent": notifier.sent,
            "notifications_failed": notifier.failed,
        }
        metrics = report(run, config, by_date(history.records), scope, alerts, windows, counts)
    if failing := alerts.failing(config.fail_on):
        raise Alarm(f"in alert: {', '.join(failing)} (fail_on={config.fail_on}); see {folder / 'alerts.json'}")
    return metrics


def earlier(config: MonitorConfig, state: State) -> tuple[str, str]:
    """(the stream in full, the run of an earlier call that this one goes on with, "" for none).

    Another option starts a run of its own, as a run's options are fixed; what was judged is taken over all the same.
    Raises InputError for the folder of another stream.
    """
    header, stream = state.header, location_of(config.stream)
    if header.get("stream", stream) != stream:
        raise InputError(f"output_dir {state.folder.parent} is that of the stream {header['stream']}: give another")
    return stream, header.get("run_id", "") if header.get("options") == as_text(config) else ""


def reference_of(config: MonitorConfig, folder: Path) -> Reference:
    """What is normal, opened or fitted."""
    options = DataOptions(
        dataset=config.reference,
        data_dir=config.data_dir,
        text_column=config.text_column,
        label_column=config.label_column,
        separator=config.separator,
        seed=config.seed,
    )
    return open_reference(options, config.reference, folder, config, config.embedding)


def settings_of(config: MonitorConfig) -> dict[str, str]:
    """What a judgement depends on, in words. float32 goes without saying: before there was a choice all was in it."""
    texts = as_text(config)
    arithmetic = {} if config.precision == "fp32" else {"precision": config.precision}
    return {name: texts[name] for name in SETTINGS} | arithmetic


def remarks_on(batch: Batch | ProfileBatch, reference: Reference, same: Record | None) -> Iterator[str]:
    """A line for each thing that is wrong with a batch."""
    if isinstance(batch, ProfileBatch):
        return
    yield from batch.remarks
    if same is not None:
        yield f"{batch.name} repeats {same.name}: it has the same texts and labels"
    counts = Counter(label for label in batch.labels or [] if label is not None)
    if reference.classes and (unknown := unknown_labels(counts, reference.classes)):
        yield f"{batch.name} has labels that the reference does not know: {listed(unknown, 10)}"


def profile_path(folder: Path, record: Record) -> Path:
    return folder / "profiles" / f"{record.number:04}_{record.key[:8]}.bin"


def log(run: Run, record: Record, alerts: AlertManager) -> None:
    """A batch's numbers, its monitors' states and its profile into the run."""
    states = {f"alert/{metric_part(one.monitor.name)}": one.state == ALERT for one in alerts.monitors}
    # What is not finite is left out: a chart has a gap there.
    numbers = {name: value for name, value in {**record.numbers, **states}.items() if math.isfinite(value)}
    run.log_metrics(numbers, step=record.number, when=datetime.fromisoformat(record.time))
    path = profile_path(run.folder, record)
    if path.is_file():
        run.log_file(path, "profiles")


def tell(run: Run, alerts: AlertManager, again: bool = False) -> None:
    """The news since the last time: printed, sent, written to alerts.json and the run's tags."""
    for alert in alerts.tell(again):
        word = alert.severity.upper() if alert.state == ALERT else "resolved"
        print(f"{word}: {alert.monitor}: {alert.sentence}", flush=True)
    alerts.write(run.folder / "alerts.json")
    tags = {f"newsclf.alerts.{severity}": str(count) for severity, count in alerts.raised().items()}
    run.tag({**tags, "newsclf.state": alerts.worst})


def tag_notifications(run: Run, notifier: Notifier, alerts: AlertManager, config: MonitorConfig) -> None:
    """Say on the run, and to the user, what could not be sent."""
    if not notifier.endpoints:
        return
    unsent = ", ".join(alerts.unsent)
    run.tag({"newsclf.notifications": f"{notifier.sent} sent" + (f"; not sent: {unsent}" if unsent else "")})
    if unsent:
        print(f"warning: no message about {unsent} could be sent to ${config.notify}; the next call tries again")


def report(
    run: Run,
    config: MonitorConfig,
    records: Sequence[Record],
    scope: str,
    alerts: AlertManager,
    windows: Sequence[Window],
    counts: Mapping[str, float],
) -> dict[str, float]:
    """What came of it: metrics, tables, report.html, the last lines on the terminal. records: by their dates."""
    changes, folder = changes_over(records), run.folder
    metrics: dict[str, float] = {
        "batches": len(records),
        "batches_drifted": sum(record.verdict["drifted"] is True for record in records),
        "batches_without_verdict": sum(record.verdict["drifted"] is None for record in records),
        "changes": len(changes),
        "peak_memory_bytes": peak_memory_bytes(),
        **counts,
        **{f"alerts/{severity}": count for severity, count in alerts.raised().items()},
    }
    write_records(folder / "records.json", records, scope)
    write_json(folder / "changes.json", changes_by_number(changes, records), indent=2)
    write_json(folder / "verdicts.json", {record.name: record.verdict for record in records}, indent=2)
    table_of(records).to_csv(folder / "batches.csv", index=False)
    write_report(
        folder / "report.html",
        title=f"The stream {name_of(config.stream)}",
        records=records,
        alerts=alerts.alerts,
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
    in_alert = f"in alert: {', '.join(alerts.in_alert) or 'none'}" if config.monitors else "no monitors, so no alerts"
    print(
        f"{counts['batches_judged']} batches judged, {counts['batches_known_before']} known before; "
        f"drift in {metrics['batches_drifted']} of {len(records)}; changes over time: {len(changes)}; {in_alert}"
    )
    return metrics


def said(record: Record) -> str:
    """The line of a batch on the terminal."""
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
