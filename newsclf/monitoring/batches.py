"""A stream of text cut into batches: by file, by hour, day or week, or by count."""

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd

from newsclf.config.shared import BatchOptions, IdentityOptions
from newsclf.data import open_batch
from newsclf.data.identity import identity_of
from newsclf.data.tables.formats import is_table_name
from newsclf.data.tables.location import file_name, public_name
from newsclf.data.tables.row_stream import place_names
from newsclf.data.tables.rows import EmptyTable
from newsclf.data.tables.table_files import is_many
from newsclf.errors import InputError
from newsclf.monitoring.periods import begin_of, name_of_period
from newsclf.monitoring.stream_items import Item, items_of

UNDATED = "without a date"


@dataclass(frozen=True)
class Batch:
    """Rows that are judged together.

    name: of its file, its day ("2026-01-31"), week ("2026-W05") or rows ("rows 1 to 1000").
    date: UTC; the first of its dates, the day or the week's Monday, or a date in the file's name; None without any.
    texts, labels: [rows]; a missing text or label is None; labels is None where the stream has none.
    times: [rows] UTC, None where a row has none, or None where the stream has no date column.
    unreadable: rows of its file that cannot be read, and so are not among the others; 0 unless batches are files.
    problem: why its file cannot be read, which then has no rows; empty where it can.
    remarks: a line each for people, of what is wrong with it.
    identity: [rows] what tells them apart (see `identity_of`), where options ask for it.
    """

    name: str
    date: datetime | None
    texts: list[str | None]
    labels: list[str | None] | None
    times: list[datetime | None] | None
    unreadable: int = 0
    problem: str = ""
    remarks: tuple[str, ...] = ()
    identity: pd.DataFrame | None = None

    @property
    def content(self) -> str:
        """SHA-256 (hex) of what is judged: the rows in any order, and how many cannot be read. No name is in it."""
        columns = [column or [None] * len(self.texts) for column in (self.texts, self.labels, self.times)]
        problem = b"unreadable" if self.problem else b""
        return hashlib.sha256(self.unreadable.to_bytes(8, "little") + problem + _digest_of_rows(*columns)).hexdigest()

    @property
    def rows_digest(self) -> str:
        """SHA-256 (hex) of texts and labels in any order, whenever they are from; empty without rows."""
        if not self.texts:
            return ""
        return hashlib.sha256(_digest_of_rows(self.texts, self.labels or [None] * len(self.texts))).hexdigest()


def _digest_of_rows(*columns: Iterable[object]) -> bytes:
    return b"".join(sorted(_digest(row) for row in zip(*columns, strict=True)))


def _digest(row: tuple[object, ...]) -> bytes:
    """Of a row's text, label and time: each behind its length, so that ("ab", "c") and ("a", "bc") differ."""
    digest = hashlib.sha256()
    for value in row:
        raw = value.isoformat() if isinstance(value, datetime) else value
        data = b"" if raw is None else str(raw).encode("utf-8", "surrogatepass")
        # One more than the length, so that a missing text differs from an empty one.
        digest.update((0 if raw is None else len(data) + 1).to_bytes(8, "little") + data)
    return digest.digest()


def _silent(_: Iterable[str]) -> None:
    """Tells nobody."""


def batches(stream: str, options: BatchOptions, warn: Callable[[Iterable[str]], None] = _silent) -> Iterator[Batch]:
    """The batches of a stream: of a folder, a glob or an S3 prefix of tables (see `items_of`), or of one table.

    The option batch is "file", "hour", "day", "week" (ISO weeks, from Monday; all three by UTC), "count" for
    `batch_rows` rows in their order, or "auto": a file of a folder, a day of a table. All but "file" read the whole
    stream first; rows without a date are a batch of their own, the last one.
    What cannot be read is a batch without rows, whose `remarks` say why, or left out where batches are no files.
    warn: is told what is wrong with the stream as a whole: a line each.
    Raises InputError for a stream without tables, and where nothing in it can be read, or none of its dates.
    """
    items, _ = items_of(stream)
    by = options.batch
    if by == "auto":
        by = "file" if is_many(stream) else "day"
    if by == "file":
        yield from _of_items(items, options)
        return
    rows, remarks = _all_rows(items, options, by)
    warn(remarks)
    yield from _by_count(rows, options.batch_rows) if by == "count" else _by_time(rows, by)


def name_of(stream: str) -> str:
    """A short name for the stream: its folder's, or its file's without the ending.

    >>> name_of("s3://bucket/path/news.csv.gz"), name_of("incoming/2026-*.csv")
    ('news', 'incoming')
    """
    text = public_name(stream) if "://" in stream else str(Path(stream).expanduser().resolve())
    while any(letter in file_name(text) for letter in "*?["):
        text = text.rstrip("/").rpartition("/")[0]
    name = file_name(text)
    return (name.partition(".")[0] if is_table_name(name) else name) or "stream"


def location_of(stream: str) -> str:
    """The stream in full, without a password, by which it is known again."""
    return public_name(stream) if "://" in stream else str(Path(stream).expanduser().resolve())


@dataclass(frozen=True)
class _Reading:
    """What was read of an item: the rows (`text`, `label` and `date` where it has them), those that cannot be read.

    problem: why it cannot be read at all; undated: why none of its rows has a date; both empty where that is not so.
    """

    rows: pd.DataFrame
    unreadable: int
    problem: str
    undated: str
    remarks: tuple[str, ...]


def _read(item: Item, options: BatchOptions) -> _Reading:
    nothing, stream = pd.DataFrame({"text": []}, dtype=object), None
    try:
        stream = open_batch(item.files, item.source, options, options.date_column, item.one_file)
        rows = stream.read()
        if isinstance(options, IdentityOptions):
            rows = rows.assign(place=place_names(rows, stream.source))
        rows = rows.reset_index(drop=True)
    except EmptyTable as error:
        return _Reading(nothing, stream.unreadable if stream else 0, "", "", (str(error),))
    except InputError as error:
        return _Reading(nothing, 0, str(error), "", (str(error),))
    said = [f"{item.source}, {remark}" for remark in stream.remarks]
    if stream.unreadable:
        said.append(f"{stream.unreadable:,} rows of {item.source} cannot be read")
    if stream.undated:
        said.append(f"{stream.undated:,} of {len(rows):,} rows have no date: {stream.first_undated}")
    undated = stream.first_undated if stream.undated == len(rows) else ""
    return _Reading(rows, stream.unreadable, "", undated, tuple(said))


def _of_items(items: Iterable[Item], options: BatchOptions) -> Iterator[Batch]:
    """A batch of each. Raises InputError where all have what may be wrong with the options: no row, no date."""
    held, problems = list[Batch](), list[str]()
    for item in items:
        found = _read(item, options)
        batch = _batch(item.name, found.rows)
        held.append(
            dataclasses.replace(
                batch,
                date=batch.date or item.date,
                unreadable=found.unreadable,
                problem=found.problem,
                remarks=found.remarks,
            )
        )
        problems.append(found.problem or found.undated)
        if not all(problems):
            yield from held
            held, problems = [], [""]
    if held:
        raise InputError(problems[0])


def _all_rows(items: Sequence[Item], options: BatchOptions, by: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """(the rows of all items, what is wrong with them); a row without a date has that of its file's name, or NaT."""
    found = [_read(item, options) for item in items]
    if all(one.rows.empty for one in found):
        raise InputError(next(remark for one in found for remark in one.remarks))
    frames = []
    for item, one in zip(items, found, strict=True):
        dates = one.rows.get("date", pd.Series(pd.NaT, one.rows.index, "datetime64[ns, UTC]"))
        frames.append(one.rows.assign(date=dates.fillna(pd.Timestamp(item.date)) if item.date else dates))
    rows = pd.concat([frame for frame in frames if len(frame)], ignore_index=True)
    if by != "count" and rows["date"].isna().all():
        for item, one in zip(items, found, strict=True):
            if one.undated:
                raise InputError(one.undated)
            open_batch(item.files, item.source, options, options.date_column, item.one_file, needs_date=True)
    return rows, tuple(remark for one in found for remark in one.remarks)


def _by_count(rows: pd.DataFrame, count: int) -> Iterator[Batch]:
    for start in range(0, len(rows), count):
        yield _batch(f"rows {start + 1} to {start + count}", rows.iloc[start : start + count])


def _by_time(rows: pd.DataFrame, by: str) -> Iterator[Batch]:
    dated = rows[rows["date"].notna()]
    begins = dated["date"].map(lambda moment: begin_of(moment, by))
    for moment, part in dated.groupby(begins, sort=True):
        begin = pd.Timestamp(moment).to_pydatetime()
        yield dataclasses.replace(_batch(name_of_period(begin, by), part), date=begin)
    if len(dated) < len(rows):
        yield _batch(UNDATED, rows[rows["date"].isna()])


def _batch(name: str, rows: pd.DataFrame) -> Batch:
    # NaN comes from files without labels beside files with them.
    labels = [None if label != label else label for label in rows["label"]] if "label" in rows else None
    times = [None if pd.isna(when) else when.to_pydatetime() for when in rows["date"]] if "date" in rows else None
    if labels is not None and all(label is None for label in labels):
        labels = None
    if times is not None and all(time is None for time in times):
        times = None
    first = min((time for time in times if time), default=None) if times else None
    identity = identity_of(rows) if "place" in rows else None
    return Batch(name, first, rows["text"].tolist(), labels, times, identity=identity)
