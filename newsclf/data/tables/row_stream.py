"""Rows as they come, in chunks, with typed values: of any size in the memory of one chunk.

One reader for two uses. Who looks at data (a profile, a monitor) counts the rows that cannot be read, and refuses none
for what it holds: empty, missing, repeated and endless texts are what a profile has to show. Who learns from data is
strict: the first row that cannot be read is an InputError.
"""

import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from newsclf.data.tables.formats import FORMATS, Broken, Row, require_columns
from newsclf.data.tables.location import opener, public_name, suffix_of
from newsclf.errors import InputError
from newsclf.messages import one_line

MAX_WEIGHT = 1000


class RowStream:
    """A source of rows that is read from its beginning at every call of `chunks` or `read`.

    name: the `dataset` option; source: the path or URI it is read from, without secrets.
    columns: what each chunk has: `text`, then `label`, `date` and `weight` where there are any.
    strict: whether a row that cannot be read is an InputError.
    unreadable: rows of the last `chunks` so far that could not be read: not UTF-8, not JSON, of another width, broken
        quoting (each line of it counts), a text that is no string.
    """

    def __init__(
        self,
        name: str,
        source: str,
        columns: tuple[str, ...],
        unit: str,
        rows: Callable[[], Iterator[Row]],
        strict: bool = False,
    ) -> None:
        self.name, self.source, self.columns, self.strict = name, source, columns, strict
        self.unreadable = 0
        self._unit, self._rows = unit, rows

    def read(self) -> pd.DataFrame:
        """All rows in one frame, see `chunks`."""
        return pd.concat(list(self.chunks()))

    def chunks(self, rows: int = 10_000) -> Iterator[pd.DataFrame]:
        """Frames of at most `rows` rows: `text` (str or None), `label` (str or None), `date` (UTC), `weight` (int).

        The index says where each row stands; its name is the unit ("line" or "row").
        Raises InputError for a date that does not parse, a file that breaks off, and when no row at all was readable.
        """
        self.unreadable = 0
        found, read = 0, self._rows()
        while taken := list(itertools.islice(read, rows)):
            frame = self._frame(taken)
            found += len(frame)
            if len(frame):
                yield frame
        if not found:
            why = f"none of its {self.unreadable} rows can be read" if self.unreadable else "it has no rows"
            raise InputError(f"{self.source} is empty: {why}")

    def _frame(self, taken: list[Row]) -> pd.DataFrame:
        try:
            columns = self._converted(taken)
        except ValueError:  # something is wrong with one of them, which is found row by row
            taken = [row for row in taken if self._is_sound(row)]
            columns = self._converted(taken)
        index = pd.Index([place for place, _ in taken], name=self._unit, dtype="int64")
        frame = pd.DataFrame(columns, index=index, dtype=object)
        if "date" in self.columns:
            frame["date"] = self._dates(frame["date"])
        if "weight" in self.columns:
            frame["weight"] = frame["weight"].astype("int64")
        return frame

    def _converted(self, rows: list[Row]) -> dict[str, list[Any]]:
        """The columns of the rows. Raises ValueError for a Broken, and for a value, of which it says what is wrong."""
        sound = [values for _, values in rows if not isinstance(values, Broken)]
        if len(sound) < len(rows):
            raise ValueError
        columns = zip(*sound, strict=True) if sound else [()] * len(self.columns)
        return {name: list(map(CONVERTERS[name], column)) for name, column in zip(self.columns, columns, strict=True)}

    def _is_sound(self, row: Row) -> bool:
        """Whether the row can be read; one that cannot is counted, or raised."""
        place, values = row
        broken = values if isinstance(values, Broken) else None
        if not isinstance(values, Broken):
            try:
                for name, value in zip(self.columns, values, strict=True):
                    CONVERTERS[name](value)
                return True
            except ValueError as error:
                broken = Broken(f"{self._unit} {place}", str(error))
        if self.strict:
            raise InputError(f"{one_line(self.source, 200)}, {broken}")
        self.unreadable += 1
        return False

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


def open_table(
    location: str, columns: Mapping[str, str], optional: Sequence[str] = (), strict: bool = False
) -> RowStream:
    """The rows of one table, a local file or an S3 object.

    columns: for `text`, and `label`, `date`, `weight` where they are wanted, the name of the column in the table;
    optional: those of them that are left out where the table has no such column.
    Raises InputError for all bad input that can be seen before the rows are read.
    """
    source = public_name(location)
    name = one_line(source, 200)
    if suffix_of(location) not in FORMATS:
        raise InputError(f"{name}: unknown ending; a table ends in {', '.join(FORMATS)}")
    for (first, column), (second, other) in itertools.combinations(columns.items(), 2):
        if column == other:
            raise InputError(f'{first}_column and {second}_column are both "{one_line(column)}"; name two columns')
    kind, opened = FORMATS[suffix_of(location)], opener(location)
    with opened() as file:
        there = kind.columns(file, name, [column for key, column in columns.items() if key not in optional])
    wanted = {key: column for key, column in columns.items() if key not in optional or column in there}
    require_columns(there, tuple(wanted.values()), name)

    def rows() -> Iterator[Row]:
        with opened() as file:
            yield from kind.rows(file, name, tuple(wanted.values()))

    return RowStream(source, source, tuple(wanted), kind.unit, rows, strict)


def place_names(rows: pd.DataFrame, source: str) -> list[str]:
    """Where each row stands: its file and the line (or row) in it, by which it can be told without an id.

    rows: with the index of a RowStream's chunk, however many are left of it: numbers in the one file `source`, or, of
    several files, names as "part-0.csv:17".

    >>> place_names(pd.DataFrame(index=pd.Index([2, 17], name="line")), "s3://bucket/news.csv")
    ['news.csv:2', 'news.csv:17']
    """
    file = PurePosixPath(source.replace(os.sep, "/")).name
    return [place if isinstance(place, str) else f"{file}:{place}" for place in rows.index.tolist()]


def text_of(value: object) -> str | None:
    """A text, None where there is none. Raises ValueError for anything else but a string."""
    if isinstance(value, str):
        return value
    if is_missing(value):
        return None
    raise ValueError(f"the text is {one_line(repr(value), 40)}, not a string")


def label_of(value: object) -> str | None:
    """A class name, None where it is missing.

    1.0 is "1", because a column of whole numbers with gaps is often written as floats.

    >>> label_of(" art "), label_of(1.0), label_of(2.5), label_of("  ")
    ('art', '1', '2.5', None)
    """
    if isinstance(value, str):
        return value.strip() or None
    if is_missing(value):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, (int, float)):
        raise ValueError(f"the label is {one_line(repr(value), 40)}, neither text nor a number")
    return str(value)


def weight_of(value: object) -> int:
    """How often a row counts. Raises ValueError for anything but a whole number from 1 to MAX_WEIGHT.

    >>> weight_of("3"), weight_of(2.0)
    (3, 2)
    """
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = 0.0
    if not (1 <= number <= MAX_WEIGHT and number.is_integer()):
        raise ValueError(f"the weight is {one_line(repr(value), 40)}, not a whole number from 1 to {MAX_WEIGHT}")
    return int(number)


def is_missing(value: object) -> bool:
    """Whether `value` is None or NaN."""
    return value is None or bool(value != value)


CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "text": text_of,
    "label": label_of,
    "date": lambda value: None if is_missing(value) else value,
    "weight": weight_of,
}
