"""The formats of tables, by the ending of a name."""

import bz2
import gzip
import lzma
import os
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from newsclf.data.tables.delimited import delimited
from newsclf.data.tables.json_rows import LINES, json_of
from newsclf.data.tables.location import public_name
from newsclf.data.tables.parquet import PARQUET
from newsclf.data.tables.rows import Format
from newsclf.errors import InputError
from newsclf.messages import listed, quoted

FORMATS = {
    ".csv": delimited(","),
    ".parquet": PARQUET,
    ".jsonl": LINES,
    ".tsv": delimited("\t"),
    ".ndjson": LINES,
    ".json": LINES,  # or one list, by how the file begins
}
# What may stand behind the ending of a text format.
COMPRESSIONS = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
SPREADSHEETS = (".xlsx", ".xls", ".ods", ".numbers")
SEPARATORS = {"auto": ",", "comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "pipe": "|"}


def endings() -> str:
    """For messages: the endings of tables."""
    return f"{listed(FORMATS)} (text formats also with {' or '.join(COMPRESSIONS)} behind)"


def is_table_name(name: str) -> bool:
    """Whether a file of this name, path or URI is read as a table.

    >>> [name for name in ("a.csv", "a.CSV.gz", "a.parquet.gz", "a.xlsx", "a") if is_table_name(name)]
    ['a.csv', 'a.CSV.gz']
    """
    ending, compression = ending_of(name)
    return ending in FORMATS and not (compression and ending == ".parquet")


def ending_of(location: str) -> tuple[str, str]:
    """The ending of a table's name and that of its compression, in small letters.

    >>> ending_of("s3://bucket/News.CSV.gz?versionId=1"), ending_of("news.jsonl")
    (('.csv', '.gz'), ('.jsonl', ''))
    """
    suffixes = PurePosixPath(public_name(location).replace(os.sep, "/").lower()).suffixes
    compression = suffixes.pop() if suffixes and suffixes[-1] in COMPRESSIONS else ""
    return suffixes[-1] if suffixes else "", compression


def why_no_table(name: str) -> str:
    """What is wrong with the name of a file that is no table, and what to do."""
    if ending_of(name)[0] in SPREADSHEETS:
        return "a spreadsheet; save it as .csv"
    return f"unknown ending; a table ends in {endings()}"


def separator_of(option: str) -> str:
    """The separator that the option `separator` means. Raises InputError for what is none.

    >>> separator_of("auto"), separator_of(";"), separator_of("tab")
    (',', ';', '\\t')
    """
    found = SEPARATORS.get(option, option)
    if len(found) != 1 or found in '"\r\n\0':
        words = ", ".join(name for name in SEPARATORS if name.isalpha())
        raise InputError(f'option separator is "{quoted(option)}": give one character, or {words}')
    return found


def format_of(file: BinaryIO, name: str, location: str, separator: str = ",") -> Format:
    """The format of a file that has been opened; of .json also by how it begins. separator: of .csv."""
    ending, _ = ending_of(location)
    if ending == ".csv" and separator != ",":
        return delimited(separator)
    return json_of(file, name) if ending == ".json" else FORMATS[ending]


def plain(source: Path | BinaryIO, location: str) -> BinaryIO:
    """A path or an open file, as it is read: without compression."""
    compression = ending_of(location)[1]
    if compression:
        opened: BinaryIO = COMPRESSIONS[compression](source, "rb")  # type: ignore[operator]
        return opened
    return source.open("rb") if isinstance(source, Path) else source
