"""What every format of a table gives: rows with their places, or why one cannot be read."""

import contextlib
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple, TypeVar

from newsclf.errors import InputError
from newsclf.messages import did_you_mean, listed, quoted

BOM = "\ufeff"
NOT_UTF8 = re.compile("[\udc80-\udcff]")  # what "surrogateescape" makes of bytes that are not UTF-8
# By the mark that a file begins with, and by which of its first four bytes are NUL where it has none.
OTHER_ENCODINGS = {
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
WITHOUT_MARK: dict[tuple[bool, ...], str] = {
    (False, True, False, True): "utf-16-le",
    (True, False, True, False): "utf-16-be",
}


class EmptyTable(InputError):
    """A table without a row that can be read: bad input for who wants to learn from it, a fact for who watches."""


@dataclass(frozen=True)
class Broken:
    """A row that cannot be read. where: "line 3"; reason: what is wrong, and what to do."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


T = TypeVar("T")
P = TypeVar("P")
Row = tuple[int | str, tuple[Any, ...] | Broken]  # (place, the wanted values as the file has them)


class Format(NamedTuple):
    """unit: of places, "line", "row" or "record".

    columns: (file, name, wanted) to the columns that there are, a wanted one among them if any row has it.
    rows: (file, name, columns) to the values of these columns in every row. Both raise InputError, in which the file
    is called `name`, for one that is no such file. A column is meant by its name without the blanks around it.
    """

    unit: str
    columns: Callable[[BinaryIO, str, Sequence[str]], list[str]]
    rows: Callable[[BinaryIO, str, Sequence[str]], Iterator[Row]]


def strictly(rows: Iterable[tuple[P, T | Broken]], name: str) -> Iterator[tuple[P, T]]:
    """The rows, as far as the first that is Broken: that one is an InputError.

    >>> list(strictly([(2, "news"), (3, Broken("line 3", "not JSON"))], "news.jsonl"))
    Traceback (most recent call last):
        ...
    newsclf.errors.InputError: news.jsonl, line 3: not JSON
    """
    for place, row in rows:
        if isinstance(row, Broken):
            raise InputError(f"{name}, {row}")
        yield place, row


def require_columns(there: Sequence[str], wanted: Sequence[str], name: str) -> list[int]:
    """The places of the wanted columns. Raises InputError that names the columns there are.

    >>> require_columns(["id", "label", "text"], ["text", "label"], "news.csv")
    [2, 1]
    """
    for column in wanted:
        if column not in there:
            hint = did_you_mean(column, there)
            raise InputError(f'{name} has no column "{quoted(column)}": it has {listed(there)}{hint}')
        if list(there).count(column) > 1:
            raise InputError(f'{name} has the column "{quoted(column)}" more than once; rename one')
    return [there.index(column) for column in wanted]


def column_name(name: str) -> str:
    """A column's name as it is compared: without blanks, byte order marks and zero-width spaces around it.

    >>> column_name(" text\\u200b")
    'text'
    """
    return name.strip().strip(f"{BOM}\u200b\u2060").strip()


def encoding_of(file: BinaryIO) -> str:
    """UTF-8 (with or without a mark), or UTF-16 or -32 as Excel and PowerShell write them; read at its beginning.

    >>> encoding_of(io.BytesIO("text".encode("utf-16"))), encoding_of(io.BytesIO(b"text,label"))
    ('utf-16', 'utf-8-sig')
    """
    start = file.read(4)
    file.seek(0)
    marked = next((name for mark, name in OTHER_ENCODINGS.items() if start.startswith(mark)), "")
    return marked or WITHOUT_MARK.get(tuple(byte == 0 for byte in start), "utf-8-sig")


@contextlib.contextmanager
def decoded(file: BinaryIO) -> Iterator[io.TextIOWrapper]:
    """The file as text, with the line ends it has; a byte that is not UTF-8 becomes a lone surrogate (`NOT_UTF8`).

    The file stays open.
    """
    encoding = encoding_of(file)
    errors = "surrogateescape" if encoding == "utf-8-sig" else "replace"
    text = io.TextIOWrapper(file, encoding=encoding, errors=errors, newline="")
    try:
        yield text
    finally:
        if not text.closed:
            text.detach()


def not_utf8(where: str, byte: int) -> Broken:
    """The row at `where`, which has this byte."""
    return Broken(where, f"not UTF-8 (byte 0x{byte:02x}); save it as UTF-8")
