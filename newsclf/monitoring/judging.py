"""What is known of a batch of a stream: its profile, its verdict, and both as numbers that monitors can watch."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd

from newsclf.config import MonitorConfig
from newsclf.drift import Reference, Verdict, judge_profiles
from newsclf.drift.over_time import Change, changes_in
from newsclf.drift.verdict import KINDS
from newsclf.monitoring.batches import Batch
from newsclf.monitoring.profile_batches import ProfileBatch
from newsclf.monitoring.state import Record
from newsclf.profiling.profile import TEXT, TextProfile
from newsclf.profiling.summary import key_numbers

CHANGES = ("sudden", "incremental", "recurring")
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
    profile.log(with_texts(reference.columns(texts, labels), texts))
    names = [name for name in key_numbers(profile) if not name.startswith("predicted_label/")]
    names += [f"predicted_{name}" for name in names if name.startswith("label/")]
    names += [f"{kind}/{part}" for kind in KINDS for part in ("drifted", "p_value", "effect")]
    names += ["drifted", "enough_data", "accuracy", "unreadable_share", "change"]
    return sorted({*names, *(f"change/{kind}" for kind in CHANGES)})


def judge(
    reference: Reference,
    batch: Batch | ProfileBatch,
    number: int,
    key: str,
    config: MonitorConfig,
    before: Sequence[Record],
) -> tuple[Record, TextProfile]:
    """A batch's record, with everything that can be watched, and its profile. before: the batches judged so far."""
    if isinstance(batch, ProfileBatch):
        rows, profile, numbers = batch.profile.rows, batch.profile, dict[str, float]()
        verdict = judge_profiles(reference.profile, profile, config.alpha, config.min_rows)
    else:
        rows, (profile, numbers, verdict) = len(batch.texts), _judge_texts(reference, batch, config)
    numbers = key_numbers(profile) | verdict_numbers(verdict) | numbers
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


def _judge_texts(
    reference: Reference, batch: Batch, config: MonitorConfig
) -> tuple[TextProfile, dict[str, float], Verdict]:
    """A batch's profile, the numbers that a profile does not have, and the verdict."""
    frame = reference.columns(batch.texts, batch.labels)
    profile = TextProfile(reference.id, reference.encoder_sha256, batch.date)
    profile.log(with_texts(frame, batch.texts))
    numbers = {"unreadable_share": batch.unreadable / (len(batch.texts) + batch.unreadable)}
    if batch.labels is not None and "predicted_label" in frame:
        both = frame[["label", "predicted_label"]].dropna()
        if len(both):
            numbers["accuracy"] = float((both["label"] == both["predicted_label"]).mean())
    verdict = reference.judge(batch.texts, batch.labels, config.alpha, batch.unreadable, config.min_rows)
    return profile, numbers, verdict


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
