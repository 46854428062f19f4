"""CSV and its kin: rows of fields between commas, or whatever separator it is said to have."""

import contextlib
import csv
import functools
import itertools
import re
from collections.abc import Generator, Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

from newsclf.data.tables.rows import (
    NOT_UTF8,
    Broken,
    EmptyTable,
    Format,
    Row,
    column_name,
    decoded,
    not_utf8,
    require_columns,
    strictly,
)
from newsclf.errors import InputError
from newsclf.messages import one_line

# Characters of a field. A quote that never closes would take the rest of a file into one field: there it ends.
MAX_FIELD = 1 << 24
SEPARATORS = (",", ";", "\t", "|")
SHOWN = {"\t": ("a tab", "tab")}
DECLARED = re.compile('"?sep=(.)"?[,;\t|]*')  # the first line of what is written for Excel


class Dialect(NamedTuple):
    """separator: between fields; blanks: whether it has blanks after it; lines: of the file that are above the header.

    header: the names of the columns.
    """

    separator: str
    blanks: bool
    lines: int
    header: list[str]


def delimited(separator: str) -> Format:
    """The format of files with this separator."""
    columns = functools.partial(_columns, separator=separator)
    return Format("line", columns, functools.partial(_read, separator=separator))


def csv_rows(file: BinaryIO, separator: str = ",", blanks: bool = False) -> Generator[tuple[int, list[str] | Broken]]:
    """(the line it starts on, fields) of each row that is not blank; of broken quoting each line is a Broken.

    Read by the csv module in strict mode: pandas would cut a text at a NUL byte, fill short rows, and lose the line
    numbers. blanks: those after a separator are left out.

    >>> import io
    >>> list(csv_rows(io.BytesIO(b'text,label\\n"two\\nlines",a\\n\\nlast,b\\n')))
    [(1, ['text', 'label']), (2, ['two\\nlines', 'a']), (5, ['last', 'b'])]
    """
    with decoded(file) as text:
        reader = csv.reader(text, strict=True, delimiter=separator, skipinitialspace=blanks)
        while block := _block(reader):
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
                        yield line, not_utf8(f"line {bad}", ord(match[0]) - 0xDC00)


def _block(reader: Any) -> list[tuple[int, list[str] | Broken]]:
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


def _columns(file: BinaryIO, name: str, wanted: Sequence[str], separator: str) -> list[str]:
    return _dialect(file, name, wanted, separator).header


def _read(file: BinaryIO, name: str, columns: Sequence[str], separator: str) -> Iterator[Row]:
    dialect = _dialect(file, name, columns, separator)
    places = require_columns(dialect.header, columns, name)
    width = len(dialect.header)
    file.seek(0)
    rows = (found for found in csv_rows(file, dialect.separator, dialect.blanks) if found[0] > dialect.lines)
    next(rows)  # the header
    line = 0
    for line, row in rows:
        if isinstance(row, Broken):
            yield line, row
        elif len(row) != width:
            reason = f"{len(row)} fields where the header has {width}"
            yield line, Broken(f"line {line}", f"{reason}; put texts with commas or line breaks in double quotes")
        else:
            yield line, tuple([row[place] for place in places])
    if not line:
        raise EmptyTable(f"{name} has a header but no rows")


def _dialect(file: BinaryIO, name: str, wanted: Sequence[str], separator: str) -> Dialect:
    """How the file is written. Raises InputError that tells the separator of one that has another.

    A file that has the wanted columns between commas needs no other separator: a reference, say, beside the tables
    that the separator was meant for.
    """
    file.seek(0)
    with decoded(file) as text:
        first = text.readline(100)
    declared = DECLARED.fullmatch(first.strip("\ufeff\r\n"))
    lines = int(declared is not None)
    tried = [declared[1]] if declared else list(dict.fromkeys((separator, ",")))
    found = [_with_header(file, other, lines) for other in tried]
    for dialect in found:
        if set(wanted) <= set(dialect.header):
            return dialect
    for other in SEPARATORS:
        header = _with_header(file, other, lines).header
        if other not in tried and (set(wanted) <= set(header) or len(found[0].header) < 2 <= len(header)):
            shown, given = SHOWN.get(other, (f'"{other}"', f'"{other}"'))
            raise InputError(f"{name}: its separator is {shown}; give separator={given}")
    if not found[0].header:
        file.seek(0)
        for _ in strictly(csv_rows(file, tried[0]), name):  # says what is wrong with the header
            break
        raise EmptyTable(f"{name} is empty: a header line and rows are needed")
    return found[0]


def _with_header(file: BinaryIO, separator: str, lines: int) -> Dialect:
    """The dialect, with an empty header where it cannot be read by this separator."""
    for blanks in (False, True):
        file.seek(0)
        with contextlib.closing(csv_rows(file, separator, blanks)) as rows:
            found = next((row for line, row in rows if line > lines), [])
        header = [] if isinstance(found, Broken) else found
        if not (len(header) > 1 and all(column.startswith(" ") for column in header[1:])):
            break
    return Dialect(separator, blanks, lines, [column_name(column) for column in header])
