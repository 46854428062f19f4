"""CSV, JSON Lines and Parquet: one generator a format, which gives each row with its place, or says why it has none.

Who learns from the rows raises at the first that is Broken; who looks at them counts it (see row_stream.py). Files are
read as they come: a file of any size takes the memory of a few rows.
"""

import contextlib
import csv
import io
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple, TypeVar

from newsclf.errors import InputError
from newsclf.messages import did_you_mean, listed, one_line

# Characters of a CSV field. A quote that never closes would take the rest of a file into one field: there it ends.
MAX_FIELD = 1 << 24
# Lines of a JSON Lines file that tell which columns there are, as there is no header to tell.
FIRST_LINES = 1000
NOT_UTF8 = re.compile("[\udc80-\udcff]")  # what "surrogateescape" makes of bytes that are not UTF-8
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Broken:
    """A row that cannot be read. where: "line 3"; reason: what is wrong, and what to do."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


T = TypeVar("T")
Row = tuple[int, tuple[Any, ...] | Broken]  # (place, the wanted values as the file has them)


class Format(NamedTuple):
    """unit: of places, "line" or "row".

    columns: (file, name, wanted) to the columns that there are, a wanted one among them if any row has it.
    rows: (file, name, columns) to the values of these columns in every row. Both raise InputError, in which the file
    is called `name`, for one that is no such file.
    """

    unit: str
    columns: Callable[[BinaryIO, str, Sequence[str]], list[str]]
    rows: Callable[[BinaryIO, str, Sequence[str]], Iterator[Row]]


def strictly(rows: Iterable[tuple[int, T | Broken]], name: str) -> Iterator[tuple[int, T]]:
    """The rows, as far as the first that is Broken: that one is an InputError.

    >>> list(strictly(csv_rows(io.BytesIO(b'text\\nnews\\n"open')), "news.csv"))
    Traceback (most recent call last):
        ...
    newsclf.errors.InputError: news.csv, the row that starts on line 3: broken quoting (unexpected end of data); \
a text in double quotes writes its own quotes twice: ""
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
            raise InputError(f'{name} has no column "{one_line(column)}": it has {listed(there)}{hint}')
        if list(there).count(column) > 1:
            raise InputError(f'{name} has the column "{one_line(column)}" more than once; rename one')
    return [there.index(column) for column in wanted]


def csv_rows(file: BinaryIO) -> Iterator[tuple[int, list[str] | Broken]]:
    """(the line it starts on, fields) of each row that is not blank; of broken quoting each line is a Broken.

    Read by the csv module in strict mode: pandas would cut a text at a NUL byte, fill short rows, and lose the line
    numbers.

    >>> list(csv_rows(io.BytesIO(b'text,label\\n"two\\nlines",a\\n\\nlast,b\\n')))
    [(1, ['text', 'label']), (2, ['two\\nlines', 'a']), (5, ['last', 'b'])]
    """
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(text, strict=True)
    while block := _csv_block(reader):
        for line, row in block:
            if isinstance(row, Broken):
                yield line, row
            elif row:
                whole = "".join(row)
                match = None if whole.isascii() else NOT_UTF8.search(whole)
                if match is None:
                    yield line, row
                else:
                    bad = line + whole.count("\n", 0, match.start())
                    yield line, _not_utf8(f"line {bad}", ord(match[0]) - 0xDC00)
    text.detach()  # so that whoever opened the file closes it


def _csv_block(reader: Any) -> list[tuple[int, list[str] | Broken]]:
    """The next rows, blank ones among them; none at the end of the file."""
    block: list[tuple[int, list[str] | Broken]] = []
    limit = csv.field_size_limit(MAX_FIELD)  # a setting of the whole process: never left changed at a yield
    line = reader.line_num + 1
    try:
        for row in itertools.islice(reader, 64):
            block.append((line, row))
            line = reader.line_num + 1
    except csv.Error as error:
        reason = f'broken quoting ({one_line(error)}); a text in double quotes writes its own quotes twice: ""'
        broken = Broken(f"the row that starts on line {line}", reason)
        block += [(number, broken) for number in range(line, reader.line_num + 1)]
    finally:
        csv.field_size_limit(limit)
    return block


def _not_utf8(where: str, byte: int) -> Broken:
    return Broken(where, f"not UTF-8 (byte 0x{byte:02x}); save it as UTF-8")


def _csv_columns(file: BinaryIO, name: str, _: Sequence[str] = ()) -> list[str]:
    return _header(csv_rows(file), name)


def _read_csv(file: BinaryIO, name: str, columns: Sequence[str]) -> Iterator[Row]:
    rows = csv_rows(file)
    header = _header(rows, name)
    places = require_columns(header, columns, name)
    line = 0
    for line, row in rows:
        if isinstance(row, Broken):
            yield line, row
        elif len(row) != len(header):
            reason = f"{len(row)} fields where the header has {len(header)}"
            yield line, Broken(f"line {line}", f"{reason}; put texts with commas or line breaks in double quotes")
        else:
            yield line, tuple([row[place] for place in places])
    if not line:
        raise InputError(f"{name} has a header but no rows")


def _header(rows: Iterable[tuple[int, list[str] | Broken]], name: str) -> list[str]:
    _, header = next(strictly(rows, name), (0, []))
    if not header:
        raise InputError(f"{name} is empty: a header line and rows are needed")
    return header


def _jsonl_columns(file: BinaryIO, name: str, wanted: Sequence[str]) -> list[str]:
    there: dict[str, None] = {}
    first = None
    for number, (_, value) in enumerate(_json_objects(file, wanted)):
        if number >= FIRST_LINES and (not there or all(column in there for column in wanted)):
            break
        if isinstance(value, Broken):
            first = first or value
        else:
            there |= dict.fromkeys(value)
    if not there:
        raise InputError(f"{name}, {first}" if first else f"{name} is empty: it has no rows")
    return list(there)


def _read_jsonl(file: BinaryIO, _: str, columns: Sequence[str]) -> Iterator[Row]:
    for line, value in _json_objects(file, columns):
        yield line, value if isinstance(value, Broken) else tuple([value.get(column) for column in columns])


def _json_objects(file: BinaryIO, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, Any] | Broken]]:
    """(line, object) of each line that is not blank."""
    for line, raw in enumerate(file, start=1):
        content = raw.removeprefix(BOM) if line == 1 else raw
        if not content.strip():
            continue
        try:
            value = json.loads(content.decode("utf-8"))
        except UnicodeDecodeError as error:
            yield line, _not_utf8(f"line {line}", content[error.start])
            continue
        except (ValueError, RecursionError) as error:
            reason = f"not JSON ({one_line(error)})"
        else:
            reason = "" if isinstance(value, dict) else f"not a JSON object; each line is one, with {listed(columns)}"
        yield line, Broken(f"line {line}", reason) if reason else value


# pyarrow is imported late: the environment of torchtext, which reads AG News, has none.
def _parquet_columns(file: BinaryIO, name: str, _: Sequence[str]) -> list[str]:
    import pyarrow.parquet as pq

    with _is_parquet(name):
        return list(pq.ParquetFile(file).schema_arrow.names)


def _read_parquet(file: BinaryIO, name: str, columns: Sequence[str]) -> Iterator[Row]:
    import pyarrow.parquet as pq

    row = 0
    with _is_parquet(name):
        # Through a buffer: else whole row groups are read at once, and a file may be one group.
        parquet = pq.ParquetFile(file, buffer_size=1 << 20, pre_buffer=False)
        require_columns(parquet.schema_arrow.names, columns, name)
        for batch in parquet.iter_batches(batch_size=1000, columns=list(columns), use_threads=False):
            found = [_python_values(batch.column(column), row + 1) for column in columns]
            has_broken = any(Broken in map(type, values) for values in found)
            for values in zip(*found, strict=True):
                row += 1
                broken = [value for value in values if isinstance(value, Broken)] if has_broken else []
                yield row, broken[0] if broken else values


@contextlib.contextmanager
def _is_parquet(name: str) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{name} is not a readable Parquet file ({one_line(error)})") from None


def _python_values(column: Any, first: int) -> list[Any]:
    """The values of an Arrow array, a Broken in place of one that is not UTF-8; binary columns are read as text.

    first: the row of the first value.
    """
    if hasattr(column, "dictionary_decode"):
        column = column.dictionary_decode()
    try:
        values = column.to_pylist()
    except UnicodeDecodeError:
        values = column.view(str(column.type).replace("string", "binary")).to_pylist()
    if bytes not in map(type, values):
        return values
    return [_decoded(value, row) if isinstance(value, bytes) else value for row, value in enumerate(values, first)]


def _decoded(value: bytes, row: int) -> str | Broken:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        return _not_utf8(f"row {row}", value[error.start])


# By the ending of a table's name.
FORMATS = {
    ".csv": Format("line", _csv_columns, _read_csv),
    ".parquet": Format("row", _parquet_columns, _read_parquet),
    ".jsonl": Format("line", _jsonl_columns, _read_jsonl),
}
