"""Rows as they come, in chunks: for what looks at data instead of learning from it.

No row is refused for what it holds: empty, missing, repeated and endless texts are what a profile has to show. Rows
that cannot be read at all are counted. A file of any size takes the memory of one chunk.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pandas as pd

from newsclf.data.loader import SOURCES, find_source
from newsclf.data.tables import table
from newsclf.data.tables.formats import require_columns
from newsclf.errors import InputError
from newsclf.messages import listed, one_line

if TYPE_CHECKING:
    from newsclf.config import TextOptions

SPLITS = ("train", "validation", "test", "all")
# A quote that never closes would take the rest of a file into one field: there it ends, as an unreadable row.
LONGEST_FIELD = 1 << 24
# Lines of a JSON Lines file in which a column has to turn up, as there is no header to tell.
FIRST_LINES = 1000
NOT_UTF8 = re.compile("[\udc80-\udcff]")  # what "surrogateescape" makes of bytes that are not UTF-8
BOM = b"\xef\xbb\xbf"

# (place, the wanted values, as the file has them), or (place, None) for a row that cannot be read.
Row = tuple[int, list[Any] | None]
Reader = Callable[[BinaryIO, Sequence[str], str], Iterator[Row]]


class RowStream:
    """A source of rows that is read from its beginning at every call of `chunks`.

    name: the `dataset` option; source: the path or URI it is read from, without secrets.
    columns: what each chunk has: `text`, then `label` and `date` where there are any.
    unreadable: rows of the last `chunks` so far that could not be read: not UTF-8, not JSON, of another width, broken
        quoting (each line of it counts), a text that is no string.
    """

    def __init__(
        self, name: str, source: str, columns: tuple[str, ...], unit: str, rows: Callable[[], Iterator[Row]]
    ) -> None:
        self.name, self.source, self.columns = name, source, columns
        self.unreadable = 0
        self._unit, self._rows = unit, rows

    def chunks(self, rows: int = 10_000) -> Iterator[pd.DataFrame]:
        """Frames of at most `rows` rows with the columns `text` (str or None), `label` (str or None), `date` (UTC).

        The index says where each row stands; its name is the unit ("line" or "row").
        Raises InputError for a date that does not parse, a file that breaks off, and when no row at all was readable.
        """
        self.unreadable = 0
        found, read = 0, self._rows()
        while taken := list(islice(read, rows)):
            frame = self._frame(taken)
            found += len(frame)
            if len(frame):
                yield frame
        if not found:
            why = f"none of its {self.unreadable} rows can be read" if self.unreadable else "it has no rows"
            raise InputError(f"{self.source} is empty: {why}")

    def _frame(self, taken: list[Row]) -> pd.DataFrame:
        places, rows = [], []
        for place, values in taken:
            row = None if values is None else self._checked(values)
            if row is None:
                self.unreadable += 1
            else:
                places.append(place)
                rows.append(row)
        index = pd.Index(places, name=self._unit, dtype="int64")
        frame = pd.DataFrame(rows, columns=list(self.columns), index=index, dtype=object)
        if "date" in self.columns:
            frame["date"] = self._dates(frame["date"])
        return frame

    def _checked(self, values: list[Any]) -> list[Any] | None:
        """The values of a row as the frame has them; None where the text is no string, or the label no name."""
        row = list(values)
        for place, column in enumerate(self.columns):
            value = row[place]
            if value is None or value != value:  # NaN
                row[place] = None
            elif column == "text" and not isinstance(value, str):
                return None
            elif column == "label":
                try:
                    row[place] = table.label_of(value, "")
                except InputError:
                    return None
        return row

    def _dates(self, values: pd.Series) -> pd.Series:
        """As timestamps in UTC; a date without a time zone is taken as UTC."""
        known = [value if isinstance(value, (str, date)) else None for value in values]
        parsed = pd.to_datetime(pd.Series(known, dtype=object), utc=True, errors="coerce", format="ISO8601")
        if bad := [place for place, wrong in enumerate(parsed.isna()) if wrong]:
            value = values.iloc[bad[0]]
            what = "there is no date" if value is None else f'"{one_line(value, 40)}" is no date'
            raise InputError(
                f"{self.source}, {self._unit} {values.index[bad[0]]}: {what}; write dates as 2024-01-31 or "
                "2024-01-31T18:30:00Z"
            )
        return parsed.set_axis(values.index)


def open_stream(options: TextOptions, split: str = "all", date_column: str = "") -> RowStream:
    """The rows of `options.dataset`, as they are.

    split: of a built-in source, the published train, validation or test rows, or all of them in this order. A table
        has no splits: all.
    date_column: a column of a table with dates (ISO 8601, or of a date type); "" for none.
    A table without a column "label" has no labels; another `label_column` has to be there.
    Raises InputError for all bad input that can be seen before the rows are read.
    """
    if split not in SPLITS:
        raise InputError(f'split "{one_line(split)}" is unknown: choose of {listed(SPLITS)}')
    find_source(options.dataset)
    if options.dataset in SOURCES:
        return _published(options, split, date_column)
    if split != "all":
        raise InputError(f"a table is read whole: split is {split}, but all is the only one that it has")
    return _of_table(options, date_column)


def _published(options: TextOptions, split: str, date_column: str) -> RowStream:
    if date_column:
        raise InputError(f'{options.dataset} has no column "{one_line(date_column)}": it has text, label')
    raw = SOURCES[options.dataset](options)  # type: ignore[arg-type]  # the sources read no more than TextOptions
    there = {"train": raw.train, "validation": raw.validation, "test": raw.test}
    frames = {name: frame for name, frame in there.items() if frame is not None and split in (name, "all")}
    if not frames:
        raise InputError(f"{options.dataset} has no {split} split of its own: choose train, test or all")
    unit = str(raw.train.index.name)

    def rows() -> Iterator[Row]:
        for frame in frames.values():
            for place, text, label in zip(frame.index, frame["text"], frame["label"], strict=True):
                yield place, [text, label]

    return RowStream(options.dataset, raw.source, ("text", "label"), unit, rows)


def _of_table(options: TextOptions, date_column: str) -> RowStream:
    source = table.public_name(options.dataset)
    name = one_line(source, 200)
    kind = table.suffix_of(options.dataset)
    if kind not in FORMATS:
        raise InputError(f"{name}: unknown ending; a table ends in {', '.join(FORMATS)}")
    find_columns, read, unit = FORMATS[kind]

    with _opened(options.dataset) as file:
        there = find_columns(file, name)
    wanted = {"text": options.text_column, "label": options.label_column, "date": date_column}
    if not date_column:
        del wanted["date"]
    if options.label_column == "label" and "label" not in there:
        del wanted["label"]
    if len(set(wanted.values())) < len(wanted):
        raise InputError(f"{listed(wanted)} are read from {listed(wanted.values())}: name different columns")
    columns = tuple(wanted.values())
    require_columns(there, columns, name)

    def rows() -> Iterator[Row]:
        with _opened(options.dataset) as file:
            yield from read(file, columns, name)

    return RowStream(source, source, tuple(wanted), unit, rows)


def _opened(location: str) -> BinaryIO:
    """A local file, or an S3 object in memory. Raises InputError where there is none."""
    if "://" not in location:
        try:
            return Path(location).expanduser().open("rb")
        except (OSError, ValueError):
            pass  # what reads it whole has the words for it
    return io.BytesIO(table.read_bytes(location))


def _csv_columns(file: BinaryIO, name: str) -> list[str]:
    for _, row in _csv_rows(file):
        if row is not None and not NOT_UTF8.search("".join(row)):
            return row
        raise InputError(f"{name}: its header cannot be read; save it as UTF-8, with sound quoting")
    raise InputError(f"{name} is empty: a header line and rows are needed")


def _read_csv(file: BinaryIO, columns: Sequence[str], name: str) -> Iterator[Row]:
    rows = _csv_rows(file)
    _, header = next(rows)
    assert header is not None
    places = [header.index(column) for column in columns]
    for line, row in rows:
        if row is None or len(row) != len(header):
            yield line, None
            continue
        values = [row[place] for place in places]
        sound = all(value.isascii() or not NOT_UTF8.search(value) for value in values)
        yield line, values if sound else None


def _csv_rows(file: BinaryIO) -> Iterator[tuple[int, list[str] | None]]:
    """(line, fields) of each row that is not blank; None for each line of a row with broken quoting."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(text, strict=True)
    line = 1
    while True:
        limit = csv.field_size_limit(LONGEST_FIELD)  # a setting of the whole process: never left changed at a yield
        try:
            row = next(reader, None)
        except csv.Error:
            broken = True
        else:
            broken = False
        finally:
            csv.field_size_limit(limit)
        if broken:
            for number in range(line, reader.line_num + 1):
                yield number, None
        elif row is None:
            break
        elif row:
            yield line, row
        line = reader.line_num + 1
    text.detach()  # so that whoever opened the file closes it


def _jsonl_columns(file: BinaryIO, name: str) -> list[str]:
    first = [value for _, value in islice(_json_objects(file), FIRST_LINES) if value is not None]
    if not first:
        raise InputError(f"{name} is empty, or no JSON Lines: none of its first {FIRST_LINES} lines is a JSON object")
    return list(dict.fromkeys(key for value in first for key in value))


def _read_jsonl(file: BinaryIO, columns: Sequence[str], name: str) -> Iterator[Row]:
    for line, value in _json_objects(file):
        yield line, None if value is None else [value.get(column) for column in columns]


def _json_objects(file: BinaryIO) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """(line, object) of each line that is not blank; None for what is no JSON object."""
    for line, raw in enumerate(file, start=1):
        content = raw.removeprefix(BOM) if line == 1 else raw
        if not content.strip():
            continue
        try:
            value = json.loads(content.decode("utf-8"))
        except (ValueError, RecursionError):  # ValueError: also what is not UTF-8
            value = None
        yield line, value if isinstance(value, dict) else None


def _parquet_columns(file: BinaryIO, name: str) -> list[str]:
    import pyarrow
    import pyarrow.parquet

    try:
        return list(pyarrow.parquet.ParquetFile(file).schema_arrow.names)
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{name} is not a readable Parquet file ({one_line(error)})") from None


def _read_parquet(file: BinaryIO, columns: Sequence[str], name: str) -> Iterator[Row]:
    import pyarrow
    import pyarrow.parquet

    row = 0
    try:
        # Through a buffer: else whole row groups are read at once, and a file may be one group.
        parquet = pyarrow.parquet.ParquetFile(file, buffer_size=1 << 20, pre_buffer=False)
        for batch in parquet.iter_batches(batch_size=1000, columns=list(columns), use_threads=False):
            for values in zip(*(_python_values(batch.column(column)) for column in columns), strict=True):
                row += 1
                yield row, None if UNREADABLE in values else list(values)
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{name} is not a readable Parquet file ({one_line(error)})") from None


class _Unreadable:
    """Stands for a value that is not UTF-8."""


UNREADABLE = _Unreadable()


def _python_values(column: Any) -> list[Any]:
    """The values of an Arrow array; UNREADABLE for strings that are not UTF-8. Binary columns are read as text."""
    import pyarrow

    if pyarrow.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pyarrow.types.is_string(column.type):
        column = column.view(pyarrow.binary())
    elif pyarrow.types.is_large_string(column.type):
        column = column.view(pyarrow.large_binary())
    return [_decoded(value) if isinstance(value, bytes) else value for value in column.to_pylist()]


def _decoded(value: bytes) -> str | _Unreadable:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return UNREADABLE


# By ending: its columns, its rows, and in what unit their places are.
FORMATS: dict[str, tuple[Callable[[BinaryIO, str], list[str]], Reader, str]] = {
    ".csv": (_csv_columns, _read_csv, "line"),
    ".parquet": (_parquet_columns, _read_parquet, "row"),
    ".jsonl": (_jsonl_columns, _read_jsonl, "line"),
}
