"""Rows as they come, in chunks, with typed values: of any size in the memory of one chunk.

One reader for two uses. Who looks at data (a profile, a monitor) counts the rows that cannot be read, and refuses none
for what it holds: empty, missing, repeated and endless texts are what a profile has to show. Who learns from data is
strict: the first row that cannot be read is an InputError.
"""

import itertools
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from newsclf.data.tables.location import file_name
from newsclf.data.tables.rows import Broken, EmptyTable, Row
from newsclf.data.tables.values import CONVERTERS, kept_of
from newsclf.errors import InputError
from newsclf.messages import one_line, quoted


class RowStream:
    """A source of rows that is read from its beginning at every call of `chunks` or `read`.

    name: the `dataset` option; source: the path or URI it is read from, without secrets.
    columns: what each chunk has: `text`, then `label`, `date` and `weight` where there are any.
    strict: whether a row that cannot be read is an InputError.
    remarks: one line each for people, of what was left out of it; those of its rows once they are read.
    undated, first_undated: rows of the last `chunks` so far without a date, and which was the first, in words.
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
        remarks: list[str] | None = None,
    ) -> None:
        self.name, self.source, self.columns, self.strict = name, source, columns, strict
        self.unreadable, self.undated, self.first_undated = 0, 0, ""
        self.remarks = [] if remarks is None else remarks
        self._unit, self._rows, self._mended = unit, rows, 0

    @property
    def of_table(self) -> bool:
        """Whether the rows are those of somebody's own table, not of a built-in source."""
        return self.name == self.source

    def read(self) -> pd.DataFrame:
        """All rows in one frame, see `chunks`."""
        return pd.concat(list(self.chunks()))

    def chunks(self, rows: int = 10_000) -> Iterator[pd.DataFrame]:
        """Frames of at most `rows` rows: `text` (str or None), `label` (str or None), `date` (UTC), `weight` (int).

        The index says where each row stands, see `place_names`; its name is the unit ("line", "row" or "record").
        A date that does not parse is NaT. Raises InputError for a file that breaks off, EmptyTable when no row at all
        was readable.
        """
        self.unreadable, self.undated, self.first_undated, self._mended = 0, 0, "", 0
        found, read = 0, self._rows()
        while taken := list(itertools.islice(read, rows)):
            frame = self._frame(taken)
            found += len(frame)
            if len(frame):
                yield frame
        said = f"{self._mended:,} texts hold half a character, which is read as U+FFFD"
        if self._mended and said not in self.remarks:
            self.remarks.append(said)
        if not found:
            why = f"none of its {self.unreadable} rows can be read" if self.unreadable else "it has no rows"
            raise EmptyTable(f"{self.source} is empty: {why}")

    def _frame(self, taken: list[Row]) -> pd.DataFrame:
        try:
            columns = self._converted(taken)
        except ValueError:  # something is wrong with one of them, which is found row by row
            taken = [row for row in taken if self._is_sound(row)]
            columns = self._converted(taken)
        self._mended += sum(
            isinstance(values, tuple) and isinstance(values[0], str) and values[0] is not text
            for (_, values), text in zip(taken, columns[self.columns[0]], strict=True)
        )
        places = [place for place, _ in taken]
        index = pd.Index(places, name=self._unit, dtype="object" if places and isinstance(places[0], str) else "int64")
        frame = pd.DataFrame(columns, index=index, dtype=object)
        if not self.strict and "label" in self.columns:
            frame["label"] = [escaped(label) for label in columns["label"]]
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
        return {
            name: list(map(CONVERTERS.get(name, kept_of), column))
            for name, column in zip(self.columns, columns, strict=True)
        }

    def _is_sound(self, row: Row) -> bool:
        """Whether the row can be read; one that cannot is counted, or raised."""
        place, values = row
        broken = values if isinstance(values, Broken) else None
        if not isinstance(values, Broken):
            try:
                for name, value in zip(self.columns, values, strict=True):
                    CONVERTERS.get(name, kept_of)(value)
                return True
            except ValueError as error:
                broken = Broken(self._named(place), str(error))
        if self.strict:
            raise InputError(f"{one_line(self.source, 200)}, {broken}")
        self.unreadable += 1
        return False

    def _named(self, place: int | str) -> str:
        return place if isinstance(place, str) else f"{self._unit} {place}"

    def _dates(self, values: pd.Series) -> pd.Series:
        """As timestamps in UTC, NaT where there is none; a date without a time zone is taken as UTC."""
        known = [value if isinstance(value, (str, date)) else None for value in values]
        parsed = pd.to_datetime(pd.Series(known, dtype=object), utc=True, errors="coerce", format="ISO8601")
        bad = np.flatnonzero(parsed.isna())
        if len(bad) and not self.undated:
            value = values.iloc[bad[0]]
            what = "there is no date" if value is None else f'"{quoted(str(value), 40)}" is no date'
            self.first_undated = (
                f"{self.source}, {self._named(values.index[bad[0]])}: {what}; write dates as 2024-01-31 or "
                "2024-01-31T18:30:00Z"
            )
        self.undated += len(bad)
        return parsed.set_axis(values.index)


def escaped(label: str | None) -> str | None:
    """A label that can be printed, stored and sent: half a character stands as its escape.

    >>> escaped("Sport\\ud83d")
    'Sport\\\\ud83d'
    """
    return label and label.encode("utf-8", "backslashreplace").decode("utf-8")


def place_names(rows: pd.DataFrame, source: str) -> list[str]:
    """Where each row stands: its file and the line (or row) in it, by which it can be told without an id.

    rows: with the index of a RowStream's chunk, however many are left of it: numbers in the one file `source`, or, of
    several files, names as "part-0.csv:17".

    >>> place_names(pd.DataFrame(index=pd.Index([2, 17], name="line")), "s3://bucket/news.csv")
    ['news.csv:2', 'news.csv:17']
    """
    file = file_name(source)
    return [place if isinstance(place, str) else f"{file}:{place}" for place in rows.index.tolist()]
