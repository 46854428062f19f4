"""What is known of a batch of a stream: its profile, its verdict, and both as numbers that monitors can watch."""

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime

from newsclf.config import MonitorConfig
from newsclf.drift import Reference, Verdict, judge_profiles
from newsclf.drift.kinds import NAMES
from newsclf.drift.over_time import CHANGES, Change, ChangeDetector, changes_in
from newsclf.monitoring.batches import Batch
from newsclf.monitoring.profile_batches import ProfileBatch
from newsclf.monitoring.state import Record, newest
from newsclf.profiling.profile import TextProfile
from newsclf.profiling.summary import key_numbers

# Texts that differ in everything that is counted: their columns tell which numbers a reference gives.
PROBES = (
    "Parliament votes on the budget after a night of talks.",
    'The keeper said: "We lost 3-1, and rightly so."',
    "Shares of the mill rose by 12 % in Zürich",
    "A probe wakes, sends one picture of the comet, and sleeps again",
    "NO COMMENT!",
)


def known_numbers(reference: Reference) -> list[str]:
    """The names of all numbers that a batch may have with this reference, for checking monitors before any work."""
    classes = list(reference.classes)
    texts = [PROBES[place % len(PROBES)] for place in range(max(len(PROBES), len(classes)))]
    labels = [classes[place % len(classes)] for place in range(len(texts))] if classes else None
    profile = TextProfile()
    reference.read(texts, labels).log_to(profile)
    names = [name for name in key_numbers(profile) if not name.startswith("predicted_label/")]
    names += [f"predicted_{name}" for name in names if name.startswith("label/")]
    names += [f"{kind}/{part}" for kind in NAMES for part in ("drifted", "p_value", "effect")]
    names += ["drifted", "enough_data", "accuracy", "unreadable_share", "repeats_a_batch", "change"]
    return sorted({*names, *(f"change/{kind}" for kind in CHANGES)})


def judge_batch(
    reference: Reference,
    batch: Batch | ProfileBatch,
    number: int,
    key: str,
    config: MonitorConfig,
    repeats: bool = False,
) -> tuple[Record, TextProfile]:
    """A batch's record, with everything of it that can be watched but changes over time, and its profile.

    repeats: whether its texts and labels are those of a batch before it.
    """
    if isinstance(batch, ProfileBatch):
        rows, profile, numbers = batch.profile.rows, batch.profile, dict[str, float]()
        verdict = judge_profiles(reference.profile, profile, config.alpha, config.min_rows)
    else:
        rows, (profile, numbers, verdict) = len(batch.texts), _judge_texts(reference, batch, config, repeats)
    enough = {"enough_data": float(verdict.drifted is not None)}
    when = batch.date.isoformat() if batch.date else None
    record = Record(
        number=number,
        name=batch.name,
        key=key,
        date=when,
        time=when or datetime.now(UTC).isoformat(timespec="seconds"),
        rows=rows,
        numbers={**key_numbers(profile), **enough, **verdict.numbers, **numbers},
        verdict=verdict.as_dict(),
        rows_digest="" if isinstance(batch, ProfileBatch) else batch.rows_digest,
    )
    return record, profile


def _judge_texts(
    reference: Reference, batch: Batch, config: MonitorConfig, repeats: bool
) -> tuple[TextProfile, dict[str, float], Verdict]:
    """A batch's profile, the numbers that a profile does not have, and the verdict."""
    read = reference.read(batch.texts, batch.labels, batch.unreadable, repeats_a_batch=repeats)
    profile = TextProfile(reference.id, reference.encoder_sha256, batch.date)
    read.log_to(profile)
    rows = len(batch.texts) + batch.unreadable
    numbers = {"unreadable_share": batch.unreadable / max(rows, 1), "repeats_a_batch": float(repeats)}
    if batch.labels is not None and "predicted_label" in read.columns:
        both = read.columns[["label", "predicted_label"]].dropna()
        if len(both):
            numbers["accuracy"] = float((both["label"] == both["predicted_label"]).mean())
    return profile, numbers, reference.judge(read, alpha=config.alpha, min_rows=config.min_rows)


class History:
    """The records of a stream in the order of judging; of two with one name the later counts, from the next one on.

    A batch is looked at once, but for one of a name that was there: then the changes are looked for anew.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        self._hold(records)

    def add(self, record: Record) -> Record:
        """The record with change, change/sudden ...: 1 where a change over time was detected at this very batch."""
        known = record.name in self._names
        change = self._detector.update(_p_value(record))
        kinds = {f"change/{kind}": float(change is not None and change.kind == kind) for kind in CHANGES}
        numbers = {**record.numbers, "change": float(change is not None), **kinds}
        added = dataclasses.replace(record, numbers=numbers)
        self.records.append(added)
        self._names.add(record.name)
        if known:
            self._hold(newest(self.records))
        return added

    def _hold(self, records: Sequence[Record]) -> None:
        self.records, self._detector = list(records), ChangeDetector()
        self._names = {record.name for record in records}
        for record in records:
            self._detector.update(_p_value(record))


def changes_over(records: Sequence[Record]) -> list[Change]:
    """The changes over a sequence of batches; `begin`, `detected` and `end` are places in it."""
    return changes_in(map(_p_value, records))


def changes_by_number(changes: Sequence[Change], records: Sequence[Record]) -> list[dict[str, object]]:
    """The changes as dicts, with the numbers of batches in place of their places."""
    numbers = [record.number for record in records]
    names = [f"batch {number}" for number in numbers]
    return [
        {
            "kind": change.kind,
            "begin": numbers[change.begin],
            "detected": numbers[change.detected],
            "end": None if change.end is None else numbers[change.end],
            "sentence": change.describe(names),
        }
        for change in changes
    ]


def _p_value(record: Record) -> float | None:
    return Verdict.from_dict(record.verdict).smallest_p_value
