"""A stream of text cut into batches: by file, by day or week, or by count."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from newsclf.data.formats import decode
from newsclf.data.messages import listed, one_line
from newsclf.data.table import READERS, label_of, public_name, read_bytes, suffix_of, text_of
from newsclf.errors import InputError
from newsclf.monitoring.rules import parse_time

DATE_IN_NAME = re.compile(r"(?<!\d)(\d{4})([-_.]?)(\d{2})\2(\d{2})(?!\d)")


@dataclass(frozen=True)
class Columns:
    """The names of the columns in the stream's tables."""

    text: str = "text"
    label: str = "label"
    date: str = "date"


@dataclass(frozen=True)
class Batch:
    """Rows that are judged together.

    name: of its file, its day ("2026-01-31"), week ("2026-W05") or rows ("rows 1 to 1000").
    date: UTC; the first of its dates, the day or the week's Monday, or a date in the file's name; None without any.
    texts, labels: [rows]; a missing text or label is None; labels is None where the stream has none.
    times: [rows] UTC, or None where the stream has no date column.
    """

    name: str
    date: datetime | None
    texts: list[str | None]
    labels: list[str | None] | None
    times: list[datetime] | None

    @property
    def content(self) -> str:
        """SHA-256 (hex) of texts, labels and dates: what the batch is, whatever its file is called."""
        digest = hashlib.sha256()
        times = None if self.times is None else [when.isoformat() for when in self.times]
        for values in (self.texts, self.labels, times):
            digest.update(b"-" if values is None else len(values).to_bytes(8, "little"))
            for value in values or ():
                raw = b"" if value is None else value.encode("utf-8", "surrogatepass")
                # One more than the length, so that a missing text differs from an empty one.
                digest.update((0 if value is None else len(raw) + 1).to_bytes(8, "little") + raw)
        return digest.hexdigest()


def batches(stream: str, columns: Columns, by: str = "auto", count: int = 1000) -> Iterator[Batch]:
    """The batches of a folder of tables (the files in the order of their names), or of one table.

    by: "file", "day", "week" (ISO weeks, from Monday; both by UTC), "count" rows in their order, or "auto": a file of
    a folder, a day of a table. All but "file" read the whole stream first.
    Raises InputError for a folder without tables, a table that cannot be read, a date that does not parse.
    """
    folder = "://" not in stream and Path(stream).expanduser().is_dir()
    files = tables(Path(stream).expanduser()) if folder else [stream]
    if by == "auto":
        by = "file" if folder else "day"
    if by == "file":
        for file in files:
            yield _of_file(file, columns)
        return
    rows = pd.concat([read(file, columns, needs_date=by != "count") for file in files], ignore_index=True)
    if by == "count":
        for start in range(0, len(rows), count):
            part = rows.iloc[start : start + count]
            yield _batch(f"rows {start + 1} to {start + count}", part)
        return
    yield from _by_time(rows, by)


def tables(folder: Path) -> list[str]:
    """The tables in a folder by name; what is hidden, in a folder below, or no table is left out."""
    found = sorted(
        path for path in folder.iterdir() if path.suffix.lower() in READERS and path.name[0] != "." and path.is_file()
    )
    if not found:
        raise InputError(f"the stream folder {folder} is empty: it has no {listed(READERS)}")
    return [str(path) for path in found]


def read(location: str, columns: Columns, needs_date: bool) -> pd.DataFrame:
    """`text`, `label` and `date` of one table; the latter two only where the table has them.

    date: datetime in UTC. Raises InputError with file and row.
    """
    name = one_line(public_name(location), 200)
    reader = READERS.get(suffix_of(location))
    if reader is None:
        raise InputError(f"{name}: a stream is a folder or a table that ends in {listed(READERS)}")
    chosen = (columns.text, columns.label, columns.date)
    if len(set(chosen)) < len(chosen):
        raise InputError(f"text_column, label_column and date_column are {listed(chosen)}: name three columns")
    data = read_bytes(location)
    there = _header(data, suffix_of(location), name)
    # A wanted column that is missing stays in, so that the reader says which ones there are.
    wanted = [columns.text]
    wanted += [columns.label] if columns.label in there else []
    wanted += [columns.date] if needs_date or columns.date in there else []
    rows = reader(data, wanted, name)
    places = [f"{name}, {rows.index.name} {place}" for place in rows.index]
    found: dict[str, list[Any]] = {"text": [_text(v, p) for v, p in zip(rows[columns.text], places, strict=True)]}
    if columns.label in wanted:
        found["label"] = [label_of(v, p) for v, p in zip(rows[columns.label], places, strict=True)]
    if columns.date in wanted:
        found["date"] = _times(rows[columns.date].tolist(), places)
    return pd.DataFrame(found, dtype=object)


def name_of(stream: str) -> str:
    """A short name for the stream: its folder's, or its file's without the ending."""
    text = public_name(stream)
    path = PurePosixPath(text) if "://" in text else Path(text).expanduser().resolve()
    return (path.name if path.suffix.lower() not in READERS else path.stem) or "stream"


def _of_file(file: str, columns: Columns) -> Batch:
    rows = read(file, columns, needs_date=False)
    name = PurePosixPath(public_name(file).replace("\\", "/")).name
    batch = _batch(name, rows)
    if batch.date is not None:
        return batch
    return Batch(batch.name, _date_in(name), batch.texts, batch.labels, batch.times)


def _by_time(rows: pd.DataFrame, by: str) -> Iterator[Batch]:
    days = [when.replace(hour=0, minute=0, second=0, microsecond=0) for when in rows["date"]]
    if by == "week":
        days = [day - timedelta(days=day.weekday()) for day in days]
    for day, part in rows.groupby(pd.Series(days, dtype=object), sort=True):
        assert isinstance(day, datetime)
        year, week, _ = day.isocalendar()
        name = f"{year}-W{week:02}" if by == "week" else day.date().isoformat()
        batch = _batch(name, part)
        yield Batch(batch.name, day, batch.texts, batch.labels, batch.times)


def _batch(name: str, rows: pd.DataFrame) -> Batch:
    labels = rows["label"].tolist() if "label" in rows else None
    times = rows["date"].tolist() if "date" in rows else None
    if labels is not None and all(label is None for label in labels):
        labels = None
    return Batch(name, min(times) if times else None, rows["text"].tolist(), labels, times)


def _text(value: object, place: str) -> str | None:
    missing = value is None or value != value  # NaN
    return None if missing else text_of(value, place)


def _times(values: list[Any], places: Sequence[str]) -> list[datetime]:
    known: dict[Any, datetime] = {}  # most rows of a batch have the same date
    found = []
    for value, place in zip(values, places, strict=True):
        if value not in known:
            known[value] = parse_time("" if value is None else value, f"{place}: date")
        found.append(known[value])
    return found


def _header(data: bytes, suffix: str, name: str) -> list[str]:
    """The columns of a table; of one that cannot be read none, and its reader says why."""
    try:
        if suffix == ".csv":
            return next(csv.reader(io.StringIO(decode(data, name), newline="")), [])
        if suffix == ".parquet":
            import pyarrow
            import pyarrow.parquet

            return list(pyarrow.parquet.read_schema(pyarrow.BufferReader(data)).names)
        lines = (json.loads(line) for line in decode(data, name).split("\n") if line.strip())
        return list(dict.fromkeys(key for line in lines if isinstance(line, dict) for key in line))
    except (csv.Error, ValueError, OSError, RecursionError):  # pyarrow's own are among the latter two
        return []


def _date_in(name: str) -> datetime | None:
    match = DATE_IN_NAME.search(name)
    if match is None:
        return None
    try:
        return datetime(int(match[1]), int(match[3]), int(match[4]), tzinfo=UTC)
    except ValueError:
        return None
