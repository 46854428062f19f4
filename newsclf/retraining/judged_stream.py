"""A stream as the monitor has judged it, together with its texts and labels."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from newsclf.config import RetrainConfig
from newsclf.monitoring.batches import Batch, batches
from newsclf.monitoring.profile_batches import of_profiles
from newsclf.monitoring.state import Record, key_of, read_records
from newsclf.retraining.policy import JudgedBatch
from newsclf.retraining.training_rows import usable


@dataclass(frozen=True)
class StreamBatch:
    """A judged batch with its rows: text, label, those that can be trained on.

    unlabelled: batch, text, and the columns that tell rows apart.
    """

    judged: JudgedBatch
    rows: pd.DataFrame
    unlabelled: pd.DataFrame


def judged_batches(config: RetrainConfig, records_file: Path) -> list[StreamBatch]:
    """The batches in the order of time. records_file: what the monitor that judged the stream has handed on.

    A batch is known by its name and content, as the monitor knows it. Labelled rows that come apart from the stream
    (`labelled`) belong to the last batch that began before them; those without a date to the newest.
    """
    records, scope = read_records(records_file)
    if not records:
        return []
    parts: dict[tuple[str, str], list[Batch]] = {record.identity: [] for record in records}
    if not of_profiles(config.stream):
        seen = {""}
        for batch in batches(config.stream, config):
            if batch.rows_digest in seen:  # a feed that is stuck: its rows count once
                continue
            seen.add(batch.rows_digest)
            parts.get((batch.name, key_of(batch.content, scope)), []).append(batch)
    if config.labelled:
        for batch in batches(config.labelled, dataclasses.replace(config, batch="auto", id_column="", keep_columns=())):
            parts[_record_at(batch, records).identity].append(batch)
    return [_with_rows(record, parts[record.identity]) for record in records]


def _record_at(batch: Batch, records: Sequence[Record]) -> Record:
    if batch.date is not None:
        for record in reversed(records):
            if record.when is not None and record.when <= batch.date:
                return record
    return records[-1]


def _with_rows(record: Record, parts: Sequence[Batch]) -> StreamBatch:
    frames = [
        pd.DataFrame({"text": part.texts, "label": part.labels or [None] * len(part.texts)}, dtype=object).join(
            part.identity if part.identity is not None else pd.DataFrame(index=range(len(part.texts)))
        )
        for part in parts
    ]
    both = pd.concat([pd.DataFrame(columns=["text", "label"], dtype=object), *frames], ignore_index=True)
    rows = usable(both)
    rest = both[both["label"].isna() & both["text"].notna()]
    rest = rest[rest["text"].str.strip() != ""]
    unlabelled = rest.drop(columns="label").assign(batch=record.name)
    unlabelled = unlabelled[["batch", "text", *(name for name in unlabelled if name not in ("batch", "text"))]]
    return StreamBatch(JudgedBatch(record.name, record.verdict, len(rows)), rows, unlabelled)
