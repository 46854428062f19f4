"""Tables as bytes: CSV, JSON Lines and Parquet, read strictly, with the place of every row."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

import pandas as pd

from newsclf.errors import InputError
from newsclf.messages import did_you_mean, listed, one_line

# The default limit of the csv module (131,072) would stop at long texts before they can be named.
# 2**31 - 1 is the most that a C long holds on every platform.
LARGEST_FIELD = 2**31 - 1


def read_csv(data: bytes, columns: Sequence[str], name: str) -> pd.DataFrame:
    """The wanted columns of a CSV file with a header, as text; the index is the line where a row starts.

    Read by the csv module in strict mode: pandas would cut a text at a NUL byte, fill short rows, and lose
    the line numbers. Raises InputError for anything but UTF-8, a missing column, a row of another width, a
    quote that never closes.
    """
    rows = csv_rows(decode(data, name), name)
    header = rows[0][1] if rows else []
    if not header:
        raise InputError(f"{name} is empty: a header line and rows are needed")
    places = require_columns(header, columns, name)
    lines, values = [], []
    for line, row in rows[1:]:
        if not row:
            continue  # a blank line
        if len(row) != len(header):
            raise InputError(
                f"{name}, line {line}: {len(row)} fields where the header has {len(header)}; "
                "put texts with commas or line breaks in double quotes"
            )
        lines.append(line)
        values.append([row[place] for place in places])
    if not values:
        raise InputError(f"{name} has a header but no rows")
    return pd.DataFrame(values, columns=list(columns), index=pd.Index(lines, name="line"), dtype=object)


def read_jsonl(data: bytes, columns: Sequence[str], name: str) -> pd.DataFrame:
    """The wanted columns of a JSON Lines file (one object a line), as Python values; the index is the line.

    A key that a line lacks is None. Raises InputError with the line that is not a JSON object.
    """
    lines, objects = [], []
    for line, text in enumerate(decode(data, name).split("\n"), start=1):
        if not text.strip():
            continue
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{name}, line {line}: not JSON ({one_line(error)})") from None
        if not isinstance(value, dict):
            raise InputError(f"{name}, line {line}: not a JSON object; each line is one, with {listed(columns)}")
        lines.append(line)
        objects.append(value)
    if not objects:
        raise InputError(f"{name} is empty: it has no rows")
    require_columns(list(dict.fromkeys(key for value in objects for key in value)), columns, name)
    values = [[value.get(column) for column in columns] for value in objects]
    return pd.DataFrame(values, columns=list(columns), index=pd.Index(lines, name="line"), dtype=object)


def read_parquet(data: bytes, columns: Sequence[str], name: str) -> pd.DataFrame:
    """The wanted columns of a Parquet file, as Python values; the index counts rows from 1.

    Raises InputError for a file that is not Parquet, damaged, or without rows.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(data))
        require_columns(file.schema_arrow.names, columns, name)
        table = file.read(columns=list(columns))
        # Through Arrow, not pandas: whole numbers stay whole where other rows are null.
        values = {column: table.column(column).to_pylist() for column in columns}
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8 ({one_line(error)})") from None
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{name} is not a readable Parquet file ({one_line(error)})") from None
    if not table.num_rows:
        raise InputError(f"{name} is empty: it has no rows")
    return pd.DataFrame(values, index=pd.RangeIndex(1, table.num_rows + 1, name="row"), dtype=object)


def decode(data: bytes, name: str) -> str:
    """`data` as strict UTF-8, a byte order mark left out. Raises InputError that names the line."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        byte = f"0x{data[error.start]:02x}" if error.start < len(data) else "at the end"
        raise InputError(f"{name}, line {line}: not UTF-8 (byte {byte}); save it as UTF-8") from None


def csv_rows(text: str, name: str) -> list[tuple[int, list[str]]]:
    """Each row of a CSV text with the line it starts on (from 1). Raises InputError for broken quoting."""
    rows = []
    limit = csv.field_size_limit(LARGEST_FIELD)  # a setting of the whole process: put back below
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for row in reader:
            rows.append((line, row))
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"{name}, the row that starts on line {line}: broken quoting ({one_line(error)}); "
            'a text in double quotes writes its own quotes twice: ""'
        ) from None
    finally:
        csv.field_size_limit(limit)
    return rows


def require_columns(there: Sequence[str], wanted: Sequence[str], name: str) -> list[int]:
    """The places of the wanted columns. Raises InputError that names the columns there are."""
    for column in wanted:
        if column not in there:
            hint = did_you_mean(column, there)
            raise InputError(f'{name} has no column "{one_line(column)}": it has {listed(there)}{hint}')
        if list(there).count(column) > 1:
            raise InputError(f'{name} has the column "{one_line(column)}" more than once; rename one')
    return [there.index(column) for column in wanted]
