"""From a location to a stream of rows: of one file, or of the many that a table is written in."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

from newsclf.data.tables.location import public_name
from newsclf.data.tables.row_stream import RowStream
from newsclf.data.tables.rows import Broken, EmptyTable, Format, Row, require_columns
from newsclf.data.tables.table_files import Found, TableFile, is_many, table_files
from newsclf.errors import InputError
from newsclf.messages import listed, quoted


def open_table(
    location: str,
    columns: Mapping[str, str],
    optional: Sequence[str] = (),
    strict: bool = False,
    separator: str = ",",
) -> RowStream:
    """The rows of a table: a local file or an S3 object, or all of a folder, a glob or an S3 prefix.

    See `open_files`. Raises InputError for all bad input that can be seen before the rows are read.
    """
    one_file = not is_many(location)
    return open_files(table_files(location), public_name(location), columns, optional, strict, separator, one_file)


def open_files(
    found: Found,
    source: str,
    columns: Mapping[str, str],
    optional: Sequence[str] = (),
    strict: bool = False,
    separator: str = ",",
    one_file: bool = False,
) -> RowStream:
    """The rows of files that are one table, in the order of the files.

    columns: for `text`, and `label`, `date`, `weight` where they are wanted, the name of the column in the table;
    optional: those of them that are left out where the table has no such column. A column that the files lack may
    stand in the names of their folders (label=Sports/part-0.parquet).
    one_file: a place is a line or row; else it has the file as well ("part-0.csv:17"), and a file without rows is
    passed over, with a remark. separator: of .csv.
    Raises InputError for all bad input that can be seen before the rows are read; while they are, for files whose
    columns are not those of the others.
    """
    for (first, column), (second, other) in itertools.combinations(columns.items(), 2):
        if column == other:
            raise InputError(f'{first}_column and {second}_column are both "{quoted(column)}"; name two columns')
    required = [column for key, column in columns.items() if key not in optional]
    unit, wanted, head = "row", dict(columns), ""
    for file in found.files:
        try:
            kind, there = _columns(file, required, separator)
        except EmptyTable:
            if one_file:
                raise
            continue
        wanted = {key: column for key, column in columns.items() if key not in optional or column in there}
        require_columns(there, tuple(wanted.values()), file.name)
        unit, head = kind.unit if one_file else "row", file.name
        break
    remarks = list(found.remarks)

    def rows() -> Iterator[Row]:
        empty: list[str] = []
        for file in found.files:
            try:
                for place, values in _rows(file, columns, wanted, separator, head):
                    if one_file:
                        yield place, values
                    elif isinstance(values, Broken):
                        yield f"{file.name}:{place}", Broken(f"{file.name}, {values.where}", values.reason)
                    else:
                        yield f"{file.name}:{place}", values
            except EmptyTable:
                if one_file:
                    raise
                empty.append(file.name)
        remarks[len(found.remarks) :] = [f"without rows: {listed(empty, 10)}"] if empty else []

    return RowStream(source, source, tuple(wanted), unit, rows, strict, remarks)


def _columns(file: TableFile, wanted: Sequence[str], separator: str) -> tuple[Format, list[str]]:
    """(the format of a file, the columns of its rows)."""
    with file.open() as opened:
        kind = file.format_of(opened, separator)
        there = kind.columns(opened, file.name, [column for column in wanted if column not in file.partition])
    return kind, there + [key for key in file.partition if key not in there]


def _rows(
    file: TableFile, columns: Mapping[str, str], wanted: Mapping[str, str], separator: str, head: str
) -> Iterator[Row]:
    """The rows of one file. head: the file that has told which columns there are."""
    names = tuple(wanted.values())
    if file.name != head:
        _, there = _columns(file, names, separator)
        for column in columns.values():
            if (column in names) != (column in there):
                which = (file.name, head) if column in there else (head, file.name)
                raise InputError(
                    f'{which[0]} has a column "{quoted(column)}" and {which[1]} has none: the files of one table need '
                    "the same columns"
                )
    with file.open() as opened:
        kind = file.format_of(opened, separator)
        read = [column for column in names if column not in file.partition]
        for place, values in kind.rows(opened, file.name, read):
            if len(read) < len(names) and not isinstance(values, Broken):
                found = {**dict(zip(read, values, strict=True)), **file.partition}
                values = tuple([found[column] for column in names])
            yield place, values
