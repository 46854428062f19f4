"""A stream as the monitor has judged it, together with its texts and labels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from newsclf.config import RetrainConfig
from newsclf.monitoring.batches import Batch, Columns, batches
from newsclf.monitoring.profile_batches import of_profiles
from newsclf.retraining.policy import Watched
from newsclf.retraining.training_rows import usable


@dataclass(frozen=True)
class Judged:
    """A batch with its verdict. rows: text, label, those that can be trained on; unlabelled: batch, text."""

    watched: Watched
    rows: pd.DataFrame
    unlabelled: pd.DataFrame


def judged_batches(config: RetrainConfig, monitor: Path) -> list[Judged]:
    """The batches in the order of time. monitor: the output folder of the monitor that judged the stream.

    Labelled rows that come apart from the stream (`labelled`) belong to the last batch that began before them; those
    without a date to the newest.
    """
    verdicts = json.loads((monitor / "verdicts.json").read_text(encoding="utf-8"))
    table = pd.read_csv(monitor / "batches.csv", dtype=str, keep_default_na=False)
    if not verdicts:
        return []
    dates = dict(zip(table["name"], table["date"], strict=True))
    columns = Columns(config.text_column, config.label_column, config.date_column)
    parts: dict[str, list[Batch]] = {name: [] for name in verdicts}
    if not of_profiles(config.stream):
        for batch in batches(config.stream, columns, config.batch, config.batch_rows):
            if batch.name in parts:
                parts[batch.name].append(batch)
    if config.labelled:
        for batch in batches(config.labelled, columns, "auto", config.batch_rows):
            parts[_place(batch, list(verdicts), dates)].append(batch)
    return [_judged(name, verdict, parts[name]) for name, verdict in verdicts.items()]


def _place(batch: Batch, names: Sequence[str], dates: dict[str, str]) -> str:
    if batch.date is not None:
        for name in reversed(names):
            if dates[name] and pd.Timestamp(dates[name]) <= pd.Timestamp(batch.date):
                return name
    return names[-1]


def _judged(name: str, verdict: dict[str, object], parts: Sequence[Batch]) -> Judged:
    frames = [
        pd.DataFrame({"text": part.texts, "label": part.labels or [None] * len(part.texts)}, dtype=object)
        for part in parts
    ]
    both = pd.concat([pd.DataFrame(columns=["text", "label"], dtype=object), *frames], ignore_index=True)
    rows = usable(both)
    rest = both[both["label"].isna() & both["text"].notna()]
    rest = rest[rest["text"].str.strip() != ""]
    return Judged(Watched(name, verdict, len(rows)), rows, rest[["text"]].assign(batch=name)[["batch", "text"]])
