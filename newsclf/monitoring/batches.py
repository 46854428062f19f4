"""A stream of text cut into batches: by file, by hour, day or week, or by count."""

import dataclasses
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import pandas as pd

from newsclf.config import DataOptions
from newsclf.config.shared import BatchOptions
from newsclf.data import open_stream
from newsclf.data.tables.formats import FORMATS
from newsclf.data.tables.location import public_name, suffix_of
from newsclf.errors import InputError
from newsclf.messages import listed, one_line
from newsclf.monitoring.periods import begin_of, name_of_period

DATE_IN_NAME = re.compile(r"(?<!\d)(\d{4})([-_.]?)(\d{2})\2(\d{2})(?!\d)")


@dataclass(frozen=True)
class Batch:
    """Rows that are judged together.

    name: of its file, its day ("2026-01-31"), week ("2026-W05") or rows ("rows 1 to 1000").
    date: UTC; the first of its dates, the day or the week's Monday, or a date in the file's name; None without any.
    texts, labels: [rows]; a missing text or label is None; labels is None where the stream has none.
    times: [rows] UTC, or None where the stream has no date column.
    unreadable: rows of its file that cannot be read, and so are not among the others; 0 unless batches are files.
    """

    name: str
    date: datetime | None
    texts: list[str | None]
    labels: list[str | None] | None
    times: list[datetime] | None
    unreadable: int = 0

    @property
    def content(self) -> str:
        """SHA-256 (hex) of what is judged: the rows in any order, and how many cannot be read. No name is in it."""
        columns = [column or [None] * len(self.texts) for column in (self.texts, self.labels, self.times)]
        rows = sorted(_digest(row) for row in zip(*columns, strict=True))
        return hashlib.sha256(self.unreadable.to_bytes(8, "little") + b"".join(rows)).hexdigest()


def _digest(row: tuple[object, ...]) -> bytes:
    """Of a row's text, label and time: each behind its length, so that ("ab", "c") and ("a", "bc") differ."""
    digest = hashlib.sha256()
    for value in row:
        raw = value.isoformat() if isinstance(value, datetime) else value
        data = b"" if raw is None else str(raw).encode("utf-8", "surrogatepass")
        # One more than the length, so that a missing text differs from an empty one.
        digest.update((0 if raw is None else len(data) + 1).to_bytes(8, "little") + data)
    return digest.digest()


def batches(stream: str, options: BatchOptions) -> Iterator[Batch]:
    """The batches of a folder of tables (the files in the order of their names), or of one table.

    The option batch is "file", "hour", "day", "week" (ISO weeks, from Monday; all three by UTC), "count" for
    `batch_rows` rows in their order, or "auto": a file of a folder, a day of a table. All but "file" read the whole
    stream first.
    Raises InputError for a folder without tables, a table that cannot be read, a date that does not parse.
    """
    files, by = tables(stream), options.batch
    if by == "auto":
        by = "day" if files == [stream] else "file"
    if by == "file":
        for file in files:
            yield _of_file(file, options)
        return
    rows = pd.concat([read(file, options, needs_date=by != "count")[0] for file in files], ignore_index=True)
    if by == "count":
        for start in range(0, len(rows), options.batch_rows):
            part = rows.iloc[start : start + options.batch_rows]
            yield _batch(f"rows {start + 1} to {start + options.batch_rows}", part)
        return
    yield from _by_time(rows, by)


def tables(stream: str) -> list[str]:
    """The tables in a folder by name (not what is hidden, in a folder below, or no table), or the one table itself.

    Raises InputError for a folder without any, and for what is neither.
    """
    folder = Path(stream).expanduser()
    if "://" in stream or not folder.is_dir():
        if suffix_of(stream) not in FORMATS:
            raise InputError(f"stream {one_line(stream)} is no folder that is there, and no table ({listed(FORMATS)})")
        return [stream]
    found = sorted(
        path for path in folder.iterdir() if path.suffix.lower() in FORMATS and path.name[0] != "." and path.is_file()
    )
    if not found:
        raise InputError(f"the stream folder {folder} is empty: it has no {listed(FORMATS)}")
    return [str(path) for path in found]


def read(location: str, options: BatchOptions, needs_date: bool) -> tuple[pd.DataFrame, int]:
    """(`text`, `label` and `date` of one table, the number of its rows that cannot be read).

    label and date only where the table has them; date: datetime in UTC. Raises InputError with file and row.
    """
    data = DataOptions(dataset=location, text_column=options.text_column, label_column=options.label_column)
    stream = open_stream(data, date_column=options.date_column, needs_date=needs_date)
    return stream.read().reset_index(drop=True), stream.unreadable


def name_of(stream: str) -> str:
    """A short name for the stream: its folder's, or its file's without the ending."""
    text = public_name(stream)
    path = PurePosixPath(text) if "://" in text else Path(text).expanduser().resolve()
    return (path.name if path.suffix.lower() not in FORMATS else path.stem) or "stream"


def location_of(stream: str) -> str:
    """The stream in full, without a password, by which it is known again."""
    return public_name(stream) if "://" in stream else str(Path(stream).expanduser().resolve())


def _of_file(file: str, options: BatchOptions) -> Batch:
    rows, unreadable = read(file, options, needs_date=False)
    name = PurePosixPath(public_name(file).replace("\\", "/")).name
    batch = dataclasses.replace(_batch(name, rows), unreadable=unreadable)
    return batch if batch.date is not None else dataclasses.replace(batch, date=_date_in(name))


def _by_time(rows: pd.DataFrame, by: str) -> Iterator[Batch]:
    begins = rows["date"].map(lambda moment: begin_of(moment, by))
    for moment, part in rows.groupby(begins, sort=True):
        begin = pd.Timestamp(moment).to_pydatetime()
        yield dataclasses.replace(_batch(name_of_period(begin, by), part), date=begin)


def _batch(name: str, rows: pd.DataFrame) -> Batch:
    # NaN comes from files without labels beside files with them.
    labels = [None if label != label else label for label in rows["label"]] if "label" in rows else None
    times = [when.to_pydatetime() for when in rows["date"]] if "date" in rows else None
    if labels is not None and all(label is None for label in labels):
        labels = None
    return Batch(name, min(times) if times else None, rows["text"].tolist(), labels, times)


def _date_in(name: str) -> datetime | None:
    match = DATE_IN_NAME.search(name)
    if match is None:
        return None
    try:
        return datetime(int(match[1]), int(match[3]), int(match[4]), tzinfo=UTC)
    except ValueError:
        return None
