"""Parquet: columns of typed values, as every system writes them."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from newsclf.data.tables.rows import Broken, EmptyTable, Format, Row, column_name, not_utf8, require_columns
from newsclf.errors import InputError
from newsclf.messages import one_line


# pyarrow is imported late: the environment of torchtext, which reads AG News, has none.
def _columns(file: BinaryIO, name: str, _: Sequence[str] = ()) -> list[str]:
    import pyarrow.parquet as pq

    with _is_parquet(name):
        return [column_name(column) for column in pq.ParquetFile(file).schema_arrow.names]


def _read(file: BinaryIO, name: str, columns: Sequence[str]) -> Iterator[Row]:
    import pyarrow.parquet as pq

    row = 0
    with _is_parquet(name):
        # Through a buffer: else whole row groups are read at once, and a file may be one group.
        parquet = pq.ParquetFile(file, buffer_size=1 << 20, pre_buffer=False)
        names = parquet.schema_arrow.names
        places = require_columns([column_name(column) for column in names], columns, name)
        wanted = [names[place] for place in places]
        for batch in parquet.iter_batches(batch_size=1000, columns=wanted, use_threads=False):
            found = [_python_values(batch.column(column), row + 1) for column in wanted]
            has_broken = any(Broken in map(type, values) for values in found)
            for values in zip(*found, strict=True):
                row += 1
                broken = [value for value in values if isinstance(value, Broken)] if has_broken else []
                yield row, broken[0] if broken else values
    if not row:
        raise EmptyTable(f"{name} is empty: it has no rows")


@contextlib.contextmanager
def _is_parquet(name: str) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{name} is not a readable Parquet file ({one_line(error)})") from None


def _python_values(column: Any, first: int) -> list[Any]:
    """The values of an Arrow array, a Broken in place of one that cannot be read; binary columns are read as text.

    first: the row of the first value. A 32-bit float has the digits that it needs, as text formats write it.
    """
    import pyarrow as pa

    if hasattr(column, "storage"):  # of an extension type, such as JSON
        column = column.storage
    if hasattr(column, "dictionary_decode"):
        column = column.dictionary_decode()
    if pa.types.is_float16(column.type) or pa.types.is_float32(column.type):
        return [None if value is None else float(str(value)) for value in _numpy_scalars(column)]
    try:
        values = column.to_pylist()
    except UnicodeDecodeError:
        values = column.view(str(column.type).replace("string", "binary")).to_pylist()
    except (ValueError, OverflowError, KeyError):  # a time that Python has no name for
        values = [_one(value, row) for row, value in enumerate(column, first)]
    if bytes not in map(type, values):
        return values
    return [_decoded(value, row) if isinstance(value, bytes) else value for row, value in enumerate(values, first)]


def _numpy_scalars(column: Any) -> list[Any]:
    floats = column.to_numpy(zero_copy_only=False)
    return [value if valid else None for value, valid in zip(floats, column.is_valid().to_pylist(), strict=True)]


def _one(value: Any, row: int) -> Any:
    try:
        return value.as_py()
    except (ValueError, OverflowError, KeyError) as error:
        return Broken(f"row {row}", f"a value that cannot be read ({one_line(error)})")


def _decoded(value: bytes, row: int) -> str | Broken:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        return not_utf8(f"row {row}", value[error.start])


PARQUET = Format("row", _columns, _read)
